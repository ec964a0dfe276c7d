"""The seed's media tree: made as its program makes it, checked by trying."""

from __future__ import annotations

import grp
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediactl import workcalls
from mediad.errors import InvalidArgument, NotFound
from tests.daemon import Daemon
from tests.daemon.records import wait_for

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


def arrive(top: Path, name: str, size: int = 6000, age: float = 1000.0) -> Path:
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x1a\x45\xdf\xa3" + name.encode() + b"\0" * size)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def arrivals(top: Path) -> None:
    """A film with its subtitles and a sample, an episode, one that is being loaded, one that came just now."""
    arrive(top, "usenet/complete/movies/Some.Film.2001.1080p-GRP/Some.Film.2001.1080p-GRP.mkv")
    arrive(top, "usenet/complete/movies/Some.Film.2001.1080p-GRP/Some.Film.2001.1080p-GRP.en.srt", 10)
    arrive(top, "usenet/complete/movies/Some.Film.2001.1080p-GRP/Sample/sample-some.film.mkv")
    arrive(top, "torrents/tv/Show.Name.S01E02.mkv")
    arrive(top, "ddl/complete/movies/Half.Film.2002/Half.Film.2002.mkv")
    arrive(top, "ddl/complete/movies/Half.Film.2002/rest.!qB", 10)
    arrive(top, "ddl/complete/movies/Young.Film.2003.mkv", age=0.0)


PLACED = {
    "media/movies/Some Film (2001)/Some Film (2001).mkv", "media/movies/Some Film (2001)/Some Film (2001).en.srt",
    "media/tv/Show Name/Season 01/Show Name - S01E02.mkv",
}  # fmt: skip


def placed(top: Path) -> set[str]:
    return {str(path.relative_to(top)) for path in (top / "media").rglob("*") if path.is_file()}


def test_what_has_arrived_is_placed(daemon: Daemon) -> None:
    """By hard links, with its companions, once; what is unfinished or young waits; undone, only the links go."""
    top = srv(daemon) / "data"
    with daemon.client() as client:
        client.run(workcalls.layout(top))
        arrivals(top)
        client.add([top], wait=True)
        plan = client.run(workcalls.place(top, dry_run=True))
        assert placed(top) == set() and {step.action for step in plan.steps} == {"mkdir", "hardlink"}
        assert any("waits" in note for note in plan.notes)
        done = client.run(workcalls.place(top))
        assert (done.done, done.problems) == (3, []) and placed(top) == PLACED
        film = top / "media/movies/Some Film (2001)/Some Film (2001).mkv"
        assert film.samefile(top / "usenet/complete/movies/Some.Film.2001.1080p-GRP/Some.Film.2001.1080p-GRP.mkv")
        assert client.run(workcalls.place(top)).done == 0
        client.run(workcalls.undo(done.operation))
        assert placed(top) == set()


@pytest.mark.parametrize("rule", ["hardlink", "offer"])
def test_placed_by_rule(folder: Path, rule: str) -> None:
    """`staging_place = "hardlink"`: by itself, when it has come to rest; else `status` offers it."""
    top = folder / "srv" / "data"
    top.parent.mkdir()
    config = f'staging = ["{top}"]\nstaging_place = "{rule}"\nstaging_seconds = 2.0\nshared_least = 1000\n'
    daemon = Daemon(config=config, folder=folder).start()
    try:
        with daemon.client() as client:
            client.run(workcalls.layout(top))
            client.add([top], wait=True)
            arrivals(top)
            if rule == "hardlink":
                goal = PLACED | {"media/movies/Young Film (2003)/Young Film (2003).mkv"}
                assert wait_for(lambda: placed(top) == goal, 60), placed(top)
            else:
                assert wait_for(lambda: "3 downloads are complete" in str(client.status().notes), 60)
                assert placed(top) == set()
    finally:
        daemon.remove()
