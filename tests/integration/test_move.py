"""Moving, copying, linking: what a person sees of it, on one file system and over two, and taken back."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediactl import Client, workcalls
from mediactl.model import MoveResult
from mediad.errors import Conflict, InvalidArgument, MediadError, NotFound
from tests.daemon import Daemon, write_tree
from tests.daemon.records import rows, wait_for
from tests.integration.test_identity import flac, has_work, item_of, tagged


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon for which the small samples are large enough to be shared."""
    running = Daemon(config="shared_least = 1000\nsettle_seconds = 0.02\n")
    try:
        yield running.start()
    finally:
        running.remove()


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another file system than the tests' own."""
    base = Path("/dev/shm")
    if not base.is_dir() or base.stat().st_dev == Path("/tmp").stat().st_dev:
        pytest.skip("there is no second file system (/dev/shm)")
    folder = base / f"mediadb-move-{os.getpid()}-{time.time_ns()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def move(client: Client, *what: Path | Any, **options: Any) -> MoveResult:
    *targets, destination = what
    return client.run(workcalls.move(targets, destination, **options))


def old(path: Path) -> Path:
    """As if it had been written some time ago."""
    os.utime(path, ns=(10**18, 10**18 + 123_456_789))
    return path


def snapshot(*tops: Path) -> dict[str, Any]:
    """Every name with all that must be as it was: type, size, mode, mtime, inode, links, content; folders by mode."""
    found = {}
    for top in tops:
        for path in sorted(top.rglob("*")):
            info = path.lstat()
            facts: Any = (stat.S_IMODE(info.st_mode),)
            if not path.is_dir():
                facts = (facts, info.st_size, info.st_mtime_ns, info.st_ino, info.st_nlink, path.read_bytes())
            found[str(path)] = facts
    return found


def contents(*tops: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for top in tops for p in sorted(top.rglob("*")) if p.is_file()}


def test_a_move_within_a_file_system(daemon: Daemon) -> None:
    """The file is renamed; its item, tags and all, is at the new name at once, one event says from where to where."""
    top = daemon.folder / "lib"
    song = old(flac(top / "in" / "song.flac", title="Song"))
    before = snapshot(top)
    with daemon.client() as client:
        client.add([top], wait=True)
        ident = tagged(client, song)
        result = move(client, song, top / "out", folder=True)
        assert (result.done, result.failed, result.problems) == (1, 0, [])
        assert [s.state for s in result.steps] == ["done"]
        there = top / "out" / "song.flac"
        assert not song.exists() and there.exists()
        found = item_of(client, there)
        assert found.id == ident and has_work(found)
        assert [str(f.path_display) for f in found.files] == [str(there)]
        events = rows(daemon, "SELECT value->>'from', value->>'to', op_id FROM mediadb.event WHERE action = 'moved'")
        assert [(str(song), str(there), result.operation)] == events
        # it was not read again, and nothing was seen to be missing
        assert rows(daemon, "SELECT count(*) FROM mediadb.todo") == [(0,)]
        seen = "target_kind = 'stream' AND action IN ('missing', 'added', 'returned')"
        assert rows(daemon, "SELECT count(*) FROM mediadb.event WHERE " + seen) == [(1,)]
        assert [i.id for i in client.query("out")] == [ident]  # found by the words of its new folder
        assert not list(client.query("in"))
        listed = client.run(workcalls.operations())[0]
        assert (listed.id, listed.files, listed.undone) == (result.operation, 1, False)
        back = client.run(workcalls.undo())
        assert (back.files, back.problems) == (1, [])
        assert snapshot(top) == before
        assert item_of(client, song).id == ident
        assert client.run(workcalls.operations())[1].undone


def test_a_move_to_another_file_system_and_back(daemon: Daemon, other_disk: Path) -> None:
    """Copied, verified, removed: times, mode and extended attributes are kept, the item is the same."""
    top = daemon.folder / "lib"
    song = old(flac(top / "song.flac", title="Song"))
    song.chmod(0o640)
    xattr = True
    try:
        os.setxattr(song, "user.mediadb", b"kept")
    except OSError:
        xattr = False
    before = contents(top)
    with daemon.client() as client:
        client.add([top, other_disk], wait=True)
        ident = tagged(client, song)
        plan = move(client, song, other_disk / "music", folder=True, dry_run=True)
        assert [(s.action, s.method) for s in plan.steps] == [("mkdir", ""), ("move", "copy")]
        assert not (other_disk / "music").exists()
        result = move(client, song, other_disk / "music", folder=True)
        there = other_disk / "music" / "song.flac"
        assert result.done == 1 and not song.exists(), result
        info = there.stat()
        assert stat.S_IMODE(info.st_mode) == 0o640 and info.st_mtime_ns == 10**18 + 123_456_789
        if xattr and os.listxattr(there):
            assert os.getxattr(there, "user.mediadb") == b"kept"
        found = item_of(client, there)
        assert found.id == ident and has_work(found) and len(found.files) == 1
        assert rows(daemon, "SELECT count(*) FROM mediadb.checksum WHERE sha256 IS NOT NULL AND scope = 'file'") == [
            (1,)
        ]
        client.run(workcalls.undo())
        assert contents(top) == before and not (other_disk / "music").exists()
        assert item_of(client, song).id == ident
        assert not [*top.rglob(".mediad*"), *other_disk.rglob(".mediad*")]


def test_the_bundle_moves_whole(daemon: Daemon, other_disk: Path) -> None:
    """Side files, subtitles, the RAW's JPEG and the folder's cover go along, renamed as the main file is."""
    top = daemon.folder / "lib"
    tree = {
        "film/movie.mkv": b"\x1a\x45\xdf\xa3" + b"m" * 5000,
        "film/movie.de.srt": b"1\n",
        "film/movie.nfo": b"<movie/>",
        "film/movie-poster.jpg": b"poster",
        "film/cover.jpg": b"cover",
        "shots/a.cr2": b"raw" * 2000,
        "shots/a.jpg": b"jpeg" * 2000,
        "shots/a.xmp": b"<x/>",
        "shots/a.jpg.xmp": b"<y/>",
        "shots/b.jpg": b"other" * 2000,
    }
    for path in write_tree(top, tree).rglob("*"):
        if path.is_file():
            old(path)
    with daemon.client() as client:
        client.add([top, other_disk], wait=True)
        before = snapshot(top)
        result = move(client, top / "film" / "movie.mkv", top / "Films" / "The Movie.mkv")
        assert result.problems == []
        assert sorted(p.name for p in (top / "Films").iterdir()) == [
            "The Movie-poster.jpg", "The Movie.de.srt", "The Movie.mkv", "The Movie.nfo", "cover.jpg"
        ]  # fmt: skip
        move(client, top / "shots" / "a.jpg", other_disk / "x", folder=True)
        assert sorted(p.name for p in (other_disk / "x").iterdir()) == ["a.cr2", "a.jpg", "a.jpg.xmp", "a.xmp"]
        assert [p.name for p in (top / "shots").iterdir()] == ["b.jpg"]
        client.run(workcalls.undo(count=2))
        after = snapshot(top)
        assert after.keys() == before.keys()
        assert [v for k, v in after.items() if "/film/" in k] == [v for k, v in before.items() if "/film/" in k]
        assert contents(top) == {str(top / name): data for name, data in sorted(tree.items())}


def test_names_that_are_taken(daemon: Daemon) -> None:
    """Other bytes: `_copy`. The same bytes: no second copy, the source stays, or goes when told. Never an overwrite."""
    top = daemon.folder / "lib"
    tree = {
        "a/same.bin": b"s" * 5000,
        "b/same.bin": b"s" * 5000,
        "a/other.bin": b"1" * 5000,
        "b/other.bin": b"2" * 5000,
        "b/other_copy.bin": b"3" * 5000,
        "c/other.bin": b"4" * 5000,
    }
    for path in write_tree(top, tree).rglob("*.bin"):
        old(path)
    os.link(top / "a" / "same.bin", top / "a" / "link.bin")
    with daemon.client() as client:
        client.add([top], wait=True)
        plan = move(client, top / "a" / "same.bin", top / "b", dry_run=True)
        assert (plan.already, plan.done) == ([(bytes(top / "a/same.bin"), bytes(top / "b/same.bin"))], 0)
        result = move(client, top / "a" / "other.bin", top / "c" / "other.bin", top / "b")
        assert [c[2].rpartition(b"/")[2] for c in result.clashes] == [b"other_copy2.bin", b"other_copy3.bin"]
        assert (top / "b/other_copy2.bin").read_bytes() == b"1" * 5000
        assert (top / "b/other_copy3.bin").read_bytes() == b"4" * 5000
        assert (top / "b/other.bin").read_bytes() == b"2" * 5000
        # two names of one inode are recognised first
        linked = move(client, top / "a" / "link.bin", top / "a" / "same.bin")
        assert [pair[1] for pair in linked.already] == [bytes(top / "a/same.bin")] and (top / "a/link.bin").exists()
        dropped = move(client, top / "a" / "same.bin", top / "b", drop_duplicates=True)
        assert [(s.action, s.state) for s in dropped.steps] == [("drop", "done")]
        assert not (top / "a/same.bin").exists() and (top / "b/same.bin").read_bytes() == b"s" * 5000
        client.run(workcalls.undo())
        assert (top / "a/same.bin").read_bytes() == b"s" * 5000


def test_copies_and_links(daemon: Daemon, other_disk: Path) -> None:
    """Each mode makes what it says, of the same item; `require` takes no other way; undo removes what was made."""
    top = daemon.folder / "lib"
    song = old(flac(top / "song.flac", title="Song"))
    with daemon.client() as client:
        client.add([top, other_disk], wait=True)
        ident = tagged(client, song)
        for mode in ("copy", "hardlink", "symlink"):
            result = move(client, song, top / mode, folder=True, mode=mode)
            assert result.done == 1, (mode, result.problems)
        assert (top / "copy/song.flac").read_bytes() == song.read_bytes()
        assert (top / "hardlink/song.flac").samefile(song) and song.stat().st_nlink == 2
        assert os.readlink(top / "symlink/song.flac") == str(song)
        assert wait_for(lambda: item_of(client, top / "copy/song.flac").id == ident)
        assert item_of(client, top / "hardlink/song.flac").id == ident
        refused = move(client, song, other_disk, mode="hardlink", require=True)
        assert refused.done == 0 and "another file system" in refused.problems[0].message
        assert list(other_disk.iterdir()) == []
        fallen = move(client, song, other_disk, mode="hardlink")
        assert fallen.done == 1 and (other_disk / "song.flac").exists() and song.exists()
        client.run(workcalls.undo(count=4))
        assert sorted(p.name for p in top.iterdir()) == ["song.flac"] and list(other_disk.iterdir()) == []
        assert song.stat().st_nlink == 1


def test_a_folder_moves_with_all_below(daemon: Daemon) -> None:
    top = daemon.folder / "lib"
    tree = {"x/one.bin": b"1" * 100, "x/deep/er/two.bin": b"2" * 100, "keep.bin": b"k"}
    for path in write_tree(top, tree).rglob("*.bin"):
        old(path)
    with daemon.client() as client:
        client.add([top], wait=True)
        before = snapshot(top)
        move(client, top / "x", top / "y", folder=True, prune=True)
        assert sorted(str(p.relative_to(top)) for p in top.rglob("*.bin")) == [
            "keep.bin", "y/x/deep/er/two.bin", "y/x/one.bin"
        ]  # fmt: skip
        assert not (top / "x").exists()
        client.run(workcalls.undo())
        assert snapshot(top) == before
        move(client, top / "x", top / "z", prune=True)
        assert (top / "z/deep/er/two.bin").exists() and not (top / "x").exists()


def test_what_cannot_be_moved_is_said(daemon: Daemon) -> None:
    """Every refusal names the file, in words, with a code; nothing is touched."""
    top = daemon.folder / "lib"
    write_tree(top, {"a.bin": b"a" * 10, "b.bin": b"b" * 10})
    old(top / "a.bin"), old(top / "b.bin")
    os.symlink("a.bin", top / "link")
    with daemon.client() as client:
        client.add([top], wait=True)
        with pytest.raises(NotFound, match="no root of this host"):
            move(client, top / "a.bin", daemon.folder / "elsewhere", folder=True)
        with pytest.raises(InvalidArgument, match="several files"):
            move(client, top / "a.bin", top / "b.bin", top / "name.bin")
        with pytest.raises(InvalidArgument, match="modes"):
            move(client, top / "a.bin", top / "c", mode="teleport")
        with pytest.raises(NotFound):
            move(client, top / "nothing.bin", top / "c", folder=True)
        linked = move(client, top / "link", top / "c", folder=True)
        assert linked.done == 0 and "symbolic link" in linked.problems[0].message
        with open(top / "a.bin", "ab") as file:
            file.write(b"more")
        changed = move(client, top / "a.bin", top / "c", folder=True)
        assert changed.done == 0 and isinstance(changed.problems[0], Conflict)
        assert sorted(p.name for p in top.iterdir()) == ["a.bin", "b.bin", "link"]


def test_no_way_out_of_the_roots(daemon: Daemon) -> None:
    """A symbolic link that stands where a folder should be is not followed."""
    top, outside = daemon.folder / "lib", daemon.folder / "outside"
    outside.mkdir()
    write_tree(top, {"a.bin": b"a" * 10})
    old(top / "a.bin")
    with daemon.client() as client:
        client.add([top], wait=True)
        os.symlink(outside, top / "trap")
        with pytest.raises(MediadError) as caught:
            result = move(client, top / "a.bin", top / "trap", folder=True)
            raise result.problems[0]
        assert "link" in caught.value.message
        assert list(outside.iterdir()) == [] and (top / "a.bin").exists()


def test_a_full_disk(daemon: Daemon) -> None:
    """A file system that is too small is refused before anything is done; one that fills up meanwhile costs nothing."""
    small = daemon.folder / "small"
    small.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", small], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    try:
        top = daemon.folder / "lib"
        write_tree(top, {f"{n}.bin": bytes([n]) * 100_000 for n in range(5)})
        for path in top.iterdir():
            old(path)
        with daemon.client() as client:
            client.add([top, small], wait=True)
            before = snapshot(top)
            with pytest.raises(MediadError, match="bytes free") as caught:
                move(client, top, small)
            assert caught.value.code == "disk_full" and snapshot(top) == before
            # sparse files need less than they say; these do not: two fit, the third does not
            (small / "filler").write_bytes(b"f" * 70_000)
            for number in range(5):
                with contextlib.suppress(MediadError):
                    move(client, top / f"{number}.bin", small)
            everywhere = [p.read_bytes() for p in (*top.rglob("*.bin"), *small.rglob("*.bin"))]
            assert sorted(everywhere) == [bytes([n]) * 100_000 for n in range(5)]
            assert len(list(small.rglob("*.bin"))) == 2 and not list(small.rglob(".mediad*"))
    finally:
        daemon.kill()
        subprocess.run(["umount", "-l", small], check=True)


def test_organised_by_what_the_files_say(daemon: Daemon) -> None:
    """Songs, films, photos where Plex and Jellyfin look for them; what lacks a field stays and says which; undone, the
    tree is what it was, folders too."""
    top = daemon.folder / "lib"
    song = flac(top / "new/x.flac", title="Song: one?", artist="Band", albumartist="The Band", album="Al/bum",
                date="1999", tracknumber="3")  # fmt: skip
    other = flac(top / "new/y.flac", title="Other", artist="Band", albumartist="The Band", album="Al/bum", date="1999",
                 tracknumber="3")  # fmt: skip
    for number, path in enumerate((song, other)):  # another payload each
        data = bytearray(path.read_bytes())
        data[-100] = number
        path.write_bytes(data)
    bare = flac(top / "bare/z.flac", title="", artist="")
    write_tree(top, {"new/x.lrc": b"words", "new/cover.jpg": b"cover", "new/notes.log": b"log",
                     "films/Some.Film.2001.1080p.x264-GRP.mkv": b"\x1a\x45\xdf\xa3" + b"m" * 900,
                     "films/Show.Name.S01E02-E03.Title.mkv": b"\x1a\x45\xdf\xa3" + b"e" * 900})  # fmt: skip
    for path in top.rglob("*.*"):
        old(path)
    before = snapshot(top)
    with daemon.client() as client:
        client.add([top], wait=True)
        ident = tagged(client, song)
        plan = move(client, top / "new", top / "bare", b"", template="auto", dry_run=True)
        assert snapshot(top) == before
        lacking = [p for p in plan.problems if p.input == bytes(bare)]
        assert len(lacking) == 1 and "{albumartist" in lacking[0].message
        result = move(client, top, top / "media", template="auto", folder=True, prune=True)
        found = {str(p.relative_to(top)) for p in top.rglob("*") if p.is_file()}
        album = "media/music/The Band/Al_bum (1999)/"
        assert found == {
            album + "03 - Song: one?.flac", album + "03 - Other.flac", album + "03 - Song: one?.lrc",
            album + "cover.jpg", album + "notes.log", "media/movies/Some Film (2001)/Some Film (2001).mkv",
            "media/tv/Show Name/Season 01/Show Name - S01E02-E03 - Title.mkv", "bare/z.flac",
        }, result.problems  # fmt: skip
        assert not (top / "new").exists() and (top / "bare").exists()
        assert item_of(client, top / "media/music/The Band/Al_bum (1999)/03 - Song: one?.flac").id == ident
        assert not other.exists()
        client.run(workcalls.undo())
        assert snapshot(top) == before
        again = move(client, top / "new", b"", template="{artist}/{title}.{ext}", fat=True)
        assert (top / "Band/Song_ one_.flac").exists() and again.failed == 0
        assert sorted(p.name for p in (top / "Band").iterdir()) == [
            "Other.flac", "Song_ one_.flac", "Song_ one_.lrc", "cover.jpg", "notes.log"
        ]  # fmt: skip


def test_templates_that_cannot_be(daemon: Daemon) -> None:
    top = daemon.folder / "lib"
    song = old(flac(top / "x.flac", title="Song"))
    with daemon.client() as client:
        client.add([top], wait=True)
        with pytest.raises(NotFound, match="no template of that name; there is auto"):
            move(client, song, b"", template="nonsense")
        with pytest.raises(InvalidArgument) as caught:
            move(client, song, b"", template="{titel}.{ext}")
        assert caught.value.position == 1 and "title" in caught.value.message
