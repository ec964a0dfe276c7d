"""The seed's media tree: made as its program makes it, checked by trying."""

from __future__ import annotations

import grp
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediactl import workcalls
from mediad.errors import InvalidArgument, NotFound
from tests.daemon import Daemon

# as the seed's own program makes it: with bash's braces
TREE = (
    "torrents/{books,movies,music,tv,anime/{movies,tv}}",
    "usenet/{incomplete,complete/{books,movies,music,tv,anime/{movies,tv}}}",
    "ddl/{incomplete,complete/{books,movies,music,tv,anime/{movies,tv}}}",
    "media/{books,movies,music,tv,anime/{movies,tv},personal/{rip,remux}/{movies,tv,anime/{movies,tv}}}",
)


def expected() -> set[str]:
    braces = " ".join(TREE)
    leaves = subprocess.run(["bash", "-c", f"echo {braces}"], capture_output=True, check=True, text=True).stdout.split()
    return {"/".join(leaf.split("/")[:n]) for leaf in leaves for n in range(1, leaf.count("/") + 2)}


def srv(daemon: Daemon) -> Path:
    folder = daemon.folder / "srv"
    folder.mkdir(exist_ok=True)
    return folder


def folders(top: Path) -> set[str]:
    return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_dir()}


def test_the_exact_tree(daemon: Daemon) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    with daemon.client() as client:
        made = client.run(workcalls.layout(srv(daemon), group=group))
        top = srv(daemon) / "data"
        assert made.top == bytes(top) and {code for _path, code, _why in made.findings} == {"made"}
        assert folders(top) == expected()
        for path in (top, *top.rglob("*")):
            info = path.stat()
            assert stat.S_IMODE(info.st_mode) == 0o2775 and info.st_gid == os.getgid(), path
        again = client.run(workcalls.layout(top, group=group))  # called `data`: it is the tree itself
        assert {code for _path, code, _why in again.findings} == {"exists"} and folders(top) == expected()
        client.run(workcalls.layout(top, torrent_staging=True, photos=True))
        extra = {"media/photos", "torrents/incomplete", "torrents/complete", "torrents/complete/anime/tv"}
        assert extra <= folders(top)
        checked = client.run(workcalls.layout(top, check=True, torrent_staging=True, photos=True, group=group))
        assert checked.findings == [] and len(checked.trials) == 24
        assert all(not link and not rename for _a, _b, link, rename in checked.trials)
        assert not [path for path in top.rglob("*") if path.is_file()]


def test_what_is_wrong_is_said(daemon: Daemon) -> None:
    top = srv(daemon) / "data"
    with daemon.client() as client:
        client.run(workcalls.layout(top))
        (top / "media/tv").chmod(0o755)
        (top / "media/music").chmod(0o2777)
        (top / "usenet/complete/books").rmdir()
        (top / "media/lost.mkv").write_bytes(b"x")
        (top / "downloads").mkdir()
        (top / "ddl/incomplete").rmdir()
        (top / "ddl/incomplete").write_bytes(b"a file")
        found = client.run(workcalls.layout(top, check=True))
        told = {(path, code) for path, code, _why in found.findings}
        assert told == {
            ("media/tv", "mode"), ("media/music", "mode"), ("usenet/complete/books", "missing"), ("downloads", "stray"),
            ("media/lost.mkv", "stray"), ("ddl/incomplete", "not_a_folder"),
        }  # fmt: skip
        assert [a for a, _b, link, _rename in found.trials if link] == ["usenet/complete/books"]
        with pytest.raises(InvalidArgument, match="no group"):
            client.run(workcalls.layout(top, group="nobody-has-this-group"))
        with pytest.raises(NotFound):
            client.run(workcalls.layout(srv(daemon) / "not there" / "data"))


@pytest.fixture
def bound() -> Iterator[list[Path]]:
    mounted: list[Path] = []
    yield mounted
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=False)


def test_two_mounts_of_one_file_system(daemon: Daemon, bound: list[Path]) -> None:
    """st_dev is equal, and neither link nor rename works: only a trial tells."""
    top = srv(daemon) / "data"
    with daemon.client() as client:
        client.run(workcalls.layout(top))
        media = top / "media"
        done = subprocess.run(["mount", "--bind", media, media], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"nothing can be mounted here: {done.stderr.decode().strip()}")
        bound.append(media)
        assert media.stat().st_dev == top.stat().st_dev
        found = client.run(workcalls.layout(top, check=True))
        assert all("two mounts of one file system" in link and rename for _a, _b, link, rename in found.trials)
