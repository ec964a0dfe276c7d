"""Adding, walking again, asking, hashing, forgetting: real trees, the real daemon, its events in the database."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from mutagen.flac import FLAC

from bench.abuse import Peer
from mediactl import Client
from mediactl.model import AddResult, FileEntry
from mediad.errors import InvalidArgument, NotFound, QuerySyntax, StaleCursor, Unavailable
from mediadb_contract import mediadb_pb2 as pb
from tests.daemon import Daemon, write_tree

DATA = Path(__file__).parent.parent / "data/audio"
SONG = (DATA / "lame.mp3").read_bytes()
FLAC_FILE = DATA / "picard.flac"


def rows(daemon: Daemon, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """What the daemon's database says."""
    assert daemon.dsn is not None
    with psycopg.connect(daemon.dsn) as connection:
        return connection.execute(sql.encode(), parameters).fetchall()


def entry(client: Client, path: Path) -> FileEntry:
    result = client.get(path)[0]
    assert result.item is not None, result.problem
    return next(each for each in result.item.files if each.path == os.fsencode(path))


def counts(result: AddResult) -> tuple[int, int, int, int, int]:
    return result.files_listed, result.files_new, result.files_changed, result.files_missing, result.files_read


def wait_for(what: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def check_events(daemon: Daemon) -> list[str]:
    """Numbers without a gap from 1 to the feed's last; the actions in order."""
    found = rows(daemon, "SELECT seq, action FROM mediadb.event ORDER BY seq")
    assert [row[0] for row in found] == list(range(1, len(found) + 1))
    assert rows(daemon, "SELECT last FROM mediadb.feed") == [(len(found),)]
    return [row[1] for row in found]


def song(path: Path, **tags: str) -> Path:
    """A FLAC file with these tags only, unlike every other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(FLAC_FILE.read_bytes())
    tagged = FLAC(path)
    tagged.delete()
    tagged.update({"comment": path.name, **tags})
    tagged.save()
    return path


# ---------------------------------------------------------------- walking again


def test_the_life_of_a_file(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b/c.txt": b"text", "b/d.txt": b"other"})
    with daemon.client() as client:
        assert counts(client.add([tree])) == (3, 3, 0, 0, 3)
        stream = entry(client, tree / "a.mp3").item
        # nothing changed: nothing is read or written
        before = rows(daemon, "SELECT xmin::text, id FROM mediadb.file ORDER BY id")
        assert counts(client.add([tree])) == (3, 0, 0, 0, 0)
        assert rows(daemon, "SELECT xmin::text, id FROM mediadb.file ORDER BY id") == before
        assert rows(daemon, "SELECT count(*) FROM mediadb.todo") == [(0,)]
        assert rows(daemon, "SELECT count(*) FROM mediadb.dir WHERE digest IS NULL") == [(0,)]
        # other content, same size: only the time of the change tells
        os.utime(tree / "b/c.txt", ns=(1, 1_000_000_001))
        (tree / "b/c.txt").write_bytes(b"TEXT")
        assert counts(client.add([tree])) == (3, 0, 1, 0, 1)
        # replaced by another file of the same name: the same item, since it is the same name
        (tree / "new").write_bytes(SONG + b"tail")
        (tree / "new").rename(tree / "a.mp3")
        assert counts(client.add([tree])) == (3, 0, 1, 0, 1)
        assert entry(client, tree / "a.mp3").item == stream
        # removed and returned
        (tree / "a.mp3").rename(daemon.folder / "kept")
        assert counts(client.add([tree])) == (2, 0, 0, 1, 0)
        gone = entry(client, tree / "a.mp3")
        assert gone.state == "missing"
        assert gone.missing_since_ns is not None
        assert abs(gone.missing_since_ns / 1e9 - time.time()) < 60
        assert client.status().missing == 1
        assert [item.id for item in client.query("state:missing")] == [stream]
        assert stream not in [item.id for item in client.query("")]
        (daemon.folder / "kept").rename(tree / "a.mp3")
        client.add([tree])
        back = entry(client, tree / "a.mp3")
        assert (back.state, back.item, back.missing_since_ns) == ("read", stream, None)
        # a whole folder removed and returned
        (tree / "b").rename(daemon.folder / "kept")
        assert client.add([tree]).files_missing == 2
        (daemon.folder / "kept").rename(tree / "b")
        assert client.add([tree]).files_new == 0
        assert entry(client, tree / "b/c.txt").state == "read"
        assert client.status().files == 3
    actions = check_events(daemon)
    assert [actions.count(name) for name in ("added", "changed", "missing", "returned")] == [4, 2, 3, 3]


def test_a_renamed_file(daemon: Daemon) -> None:
    """For this version a rename is a loss and an arrival; the fingerprints that will join them are there."""
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    with daemon.client() as client:
        client.add([tree])
        (tree / "a.mp3").rename(tree / "b.mp3")
        assert counts(client.add([tree])) == (1, 1, 0, 1, 1)
        assert entry(client, tree / "a.mp3").state == "missing"
        assert entry(client, tree / "b.mp3").state == "read"
        keys = rows(daemon, "SELECT stream, grade, algorithm, value FROM mediadb.stream_key WHERE grade = 1")
        assert len({row[0] for row in keys}) == 2
        assert len({(row[2], row[3]) for row in keys}) == len(keys) / 2
        item = client.get(tree / "b.mp3")[0].item
        assert item is not None
        assert {key.grade for key in item.keys} >= {"fingerprint"}


def test_hard_links_are_two_files(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    os.link(tree / "a.mp3", tree / "b.mp3")
    with daemon.client() as client:
        assert client.add([tree]).files_read == 2
        one, two = entry(client, tree / "a.mp3"), entry(client, tree / "b.mp3")
        assert (one.inode, one.nlink) == (two.inode, 2)
        assert one.id != two.id
        assert not client.checksum(tree / "a.mp3")[0].stored
        assert client.checksum(tree / "b.mp3")[0].stored  # the same inode: the same bytes


def test_a_changed_folder_costs_only_itself(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"{d}/{n}.txt": b"x" for d in range(30) for n in range(10)})
    with daemon.client() as client:
        assert client.add([tree]).files_read == 300
        before = dict(rows(daemon, "SELECT id, xmin::text FROM mediadb.dir"))
        (tree / "7/new.txt").write_bytes(b"n")
        assert counts(client.add([tree])) == (301, 1, 0, 0, 1)
        after = dict(rows(daemon, "SELECT id, xmin::text FROM mediadb.dir"))
        assert sum(before[number] != after[number] for number in before) == 1


def test_large_folder(daemon: Daemon) -> None:
    """More names in one folder than a message of the walk holds: losses and arrivals at every border."""
    tree = write_tree(daemon.folder / "tree", {f"{n:04}.txt": b"" for n in range(1500)})
    with daemon.client() as client:
        assert client.add([tree]).files_read == 1500
        lost = [0, 1, 399, 400, 401, 799, 800, 1199, 1200, 1498, 1499]
        for number in lost:
            (tree / f"{number:04}.txt").unlink()
        write_tree(tree, {"0399a.txt": b"", "!first.txt": b"", "~last.txt": b""})
        assert counts(client.add([tree])) == (1500 - len(lost) + 3, 3, 0, len(lost), 3)
        missing = {each.path_display for item in client.query("state:missing") for each in item.files}
        assert len(missing) == len(lost)
        assert counts(client.add([tree]))[1:] == (0, 0, 0, 0)
        assert rows(daemon, "SELECT count(*) FROM mediadb.dir WHERE digest IS NULL") == [(0,)]


# ---------------------------------------------------------------- loss


@pytest.mark.parametrize("flat", [True, False], ids=["names in one folder", "whole folders"])
def test_a_root_that_loses_most_is_frozen(daemon: Daemon, flat: bool) -> None:
    tree = daemon.folder / "tree"
    write_tree(tree, {("" if flat else f"{n % 7}/") + f"{n}.txt": b"x" for n in range(210)})
    away = daemon.folder / "away"
    away.mkdir()
    with daemon.client() as client:
        client.add([tree])
        moved = sorted(tree.iterdir())[: 150 if flat else 5]
        for each in moved:
            each.rename(away / each.name)
        with pytest.raises(Unavailable, match="gone at once"):
            client.add([tree])
        status = client.status()
        assert (status.files, status.missing) == (210, 0)
        assert any("frozen" in note for note in status.notes)
        assert [root.state for root in client.roots()] == ["frozen"]
        with pytest.raises(Unavailable):
            client.add([tree])
        for each in moved:
            (away / each.name).rename(each)
        assert client.add([tree]).files_missing == 0
        assert [root.state for root in client.roots()] == ["active"]
        assert not any("frozen" in note for note in client.status().notes)
        # a loss of less than half is a loss
        for each in moved[: 100 if flat else 3]:
            each.rename(away / each.name)
        lost = client.add([tree]).files_missing
        assert lost == (100 if flat else 90)
        assert client.status().missing == lost
    check_events(daemon)


def test_a_small_root_may_lose_everything(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"{n}.txt": b"x" for n in range(90)})
    with daemon.client() as client:
        client.add([tree])
        for each in tree.iterdir():
            each.unlink()
        assert client.add([tree]).files_missing == 90


def test_a_moved_tree_is_no_loss(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"old/{n}.txt": b"x" for n in range(200)})
    with daemon.client() as client:
        client.add([tree])
        (tree / "old").rename(tree / "new")
        assert counts(client.add([tree])) == (200, 200, 0, 200, 200)


# ---------------------------------------------------------------- roots


def test_an_inner_root_joins_the_outer(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a/b/c.mp3": SONG, "a/d.txt": b"d"})
    with daemon.client() as client:
        outer = client.add([tree]).roots[0]
        result = client.add([tree / "a/b"])
        assert [root.id for root in result.roots] == [outer.id]
        assert counts(result)[1:] == (0, 0, 0, 0)
        assert [root.id for root in client.roots()] == [outer.id]
        client.add([tree / "a/b/c.mp3"])
        assert len(client.roots()) == 1


def test_an_outer_root_absorbs_inner_ones(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a/b/c.mp3": SONG, "a/b/x/y.txt": b"y", "e/f.txt": b"f", "g.txt": b"g"})
    with daemon.client() as client:
        client.add([tree / "a/b", tree / "e"])
        paths = [tree / "a/b/c.mp3", tree / "a/b/x/y.txt", tree / "e/f.txt"]
        before = [(entry(client, path).id, entry(client, path).item) for path in paths]
        assert len(client.roots()) == 2
        result = client.add([tree])
        assert counts(result) == (4, 1, 0, 0, 1)
        assert len(client.roots()) == 1
        assert [(entry(client, path).id, entry(client, path).item) for path in paths] == before
        assert counts(client.add([tree]))[1:] == (0, 0, 0, 0)
        assert client.roots()[0].files == 4
    check_events(daemon)


def test_an_outer_root_added_while_the_inner_is_walked(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"in/{d}/{n}.txt": b"x" for d in range(40) for n in range(40)})
    with daemon.client() as one, daemon.client() as two:
        one.add([tree / "in"], wait=False)
        result = two.add([tree])
        assert result.roots[0].path == os.fsencode(tree)
        assert len(two.roots()) == 1
        two.add([tree])
        status = two.status()
        assert (status.files, status.pending, status.missing, status.failed) == (1600, 0, 0, 0)
        assert rows(daemon, "SELECT count(*) FROM mediadb.file") == [(1600,)]
    check_events(daemon)


def test_a_file_as_a_root(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b.mp3": SONG + b"b"})
    with daemon.client() as client:
        result = client.add([tree / "a.mp3"])
        assert counts(result) == (1, 1, 0, 0, 1)
        assert [root.path for root in result.roots] == [os.fsencode(tree / "a.mp3")]
        assert client.get(tree / "b.mp3")[0].item is None
        (tree / "a.mp3").write_bytes(SONG + b"changed")
        assert counts(client.add([tree / "a.mp3"])) == (1, 0, 1, 0, 1)
        assert client.checksum(tree / "a.mp3")[0].problem is None
        client.add([tree / "b.mp3"])
        assert len(client.roots()) == 2
        assert client.forget(tree / "a.mp3").roots == 1
        assert [root.path for root in client.roots()] == [os.fsencode(tree / "b.mp3")]


def test_once_and_excluded(daemon: Daemon) -> None:
    files: dict[str | bytes, bytes] = {
        "a.txt": b"a", ".git/config": b"g", "tmp/x.txt": b"x", "b.bak": b"b", "sub/tmp/z.txt": b"z", "c.part": b"c",
        "Thumbs.db": b"t", "keep/b.txt": b"b", "raw/2020/x.txt": b"x",
    }  # fmt: skip
    tree = write_tree(daemon.folder / "tree", files)
    with daemon.client() as client:
        result = client.add([tree], once=True, exclude=["tmp", "*.bak", "raw/20*"])
        assert result.files_listed == 2
        assert [root.watched for root in client.roots()] == [False]
        names = {each.path for item in client.query("") for each in item.files}
        assert names == {os.fsencode(tree / name) for name in ("a.txt", "keep/b.txt")}
        # asked for again without the patterns: what they hid is there; the default ones stay
        assert client.add([tree]).files_new == 4
        assert [root.watched for root in client.roots()] == [True]


def test_nothing_to_add(daemon: Daemon) -> None:
    empty = daemon.folder / "empty"
    empty.mkdir()
    with daemon.client() as client:
        assert counts(client.add([empty])) == (0, 0, 0, 0, 0)
        assert client.roots()[0].folders == 1
        with pytest.raises(NotFound) as missing:
            client.add([daemon.folder / "nothing"])
        assert missing.value.input == os.fsencode(daemon.folder / "nothing")
        with pytest.raises(NotFound):
            client.add([empty, daemon.folder / "nothing"])
        with Peer(daemon.socket) as peer:
            for number, path in enumerate((b"relative", b"", b"/nul\0/x"), 1):
                peer.send(pb.ClientFrame(request=pb.Request(id=number, add=pb.AddRequest(paths=[path]))))
                assert peer.receive_last().error.code == pb.INVALID_ARGUMENT, path
            peer.send(pb.ClientFrame(request=pb.Request(id=9, add=pb.AddRequest())))
            assert peer.receive_last().error.code == pb.INVALID_ARGUMENT
        empty.rmdir()
        with pytest.raises(NotFound):
            client.add([empty])


# ---------------------------------------------------------------- questions


@pytest.fixture
def library(daemon: Daemon) -> Daemon:
    tree = daemon.folder / "tree"
    song(tree / "Sigur Rós/01.flac", title="Ágætis byrjun", artist="Sigur Rós", album="Ágætis byrjun", date="1999", tracknumber="2")
    song(tree / "Sigur Rós/02.flac", title="Svefn-g-englar", artist="Sigur Rós", album="Ágætis byrjun", date="1999", tracknumber="3")
    song(tree / "Björk/03.flac", title="Army of Me", artist="Björk", album="Post", date="1995-06-13", tracknumber="1")
    song(tree / "Björk/04.flac", title="It's Oh So Quiet", artist="Björk", album="Post", date="1995", tracknumber="4")
    write_tree(tree, {"notes/army list.txt": b"x" * 5000, "empty.txt": b""})
    with daemon.client() as client:
        assert client.add([tree]).files_failed == 0
    return daemon


QUESTIONS = [
    ("", "01 02 03 04 army empty"),
    ("agaetis", "01 02"),
    ("ÁGÆTIS BYRJUN", "01 02"),
    ("sigur svefn", "02"),
    ("army", "03 army"),
    ("arm", "03 army"),
    ("rmy", ""),
    ("artist:björk", "03 04"),
    ("artist:bjork title:army", "03"),
    ('title:"army of"', "03"),
    ('title:"of army"', ""),
    ("title:oh", "04"),
    ("-artist:bjork", "01 02 army empty"),
    ("-army", "01 02 04 empty"),
    ('"oh so quiet"', "04"),
    ("year:1999", "01 02"),
    ("year:<1999", "03 04"),
    ("year:1995..1998", "03 04"),
    ("year:1996..", "01 02"),
    ("track:>=3", "02 04"),
    ("track:2..3", "01 02"),
    ("size:5000", "army"),
    ("size:5k", "army"),
    ("size:0", "empty"),
    ("size:>4k -kind:audio", "army"),
    ("kind:audio year:>1998", "01 02"),
    ("format:flac -year:1999", "03 04"),
    ("duration:>0:00", "01 02 03 04"),
    ("duration:>1:00:00", ""),
    ("state:read kind:audio -title:army", "01 02 04"),
    ("state:missing", ""),
    ("album:post artist:sigur", ""),
]


def test_questions(library: Daemon) -> None:
    with library.client() as client:
        for text, names in QUESTIONS:
            found = sorted(
                Path(os.fsdecode(each.path)).name.split(".")[0].split()[0]
                for item in client.query(text) for each in item.files
            )  # fmt: skip
            assert found == sorted(names.split()), text


def test_a_changed_tag_is_found_under_its_new_value_only(library: Daemon) -> None:
    path = library.folder / "tree/Björk/03.flac"
    song(path, title="Army of Me", artist="PJ Harvey", album="Other", date="2001")
    with library.client() as client:
        client.add([library.folder / "tree"])
        assert [len(list(client.query(text))) for text in ("artist:harvey", "artist:bjork", "year:2001")] == [1, 1, 1]
        assert len(list(client.query("harvey"))) == 1
        album = rows(library, "SELECT count(*) FROM mediadb.file_meta m JOIN mediadb.meta a ON a.id = m.meta WHERE a.name = 'Army of Me'")
        assert album == [(1,)]


def test_pages_cover_everything_once(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"{n}.txt": b"%d" % n for n in range(537)})
    os.link(tree / "1.txt", tree / "linked.txt")
    with daemon.client() as client:
        client.add([tree], wait=False)
        assert wait_for(lambda: client.status().pending == 0)
        for files in (False, True):
            for limit in (1, 7, 100, 101, 538, 1000):
                if limit == 1 and files:
                    continue
                seen: list[object] = []
                cursor = None
                pages = 0
                while True:
                    page = client.query_page("", limit=limit, cursor=cursor, files=files)
                    assert len(page.items) <= limit
                    seen += [item.files[0].id if files else item.id for item in page.items]
                    cursor, pages = page.cursor, pages + 1
                    if cursor is None:
                        break
                assert len(seen) == len(set(seen)) == 538
                assert pages == -(-538 // limit)
        page = client.query_page("", limit=5)
        for text, files in (("txt", False), ("", True)):
            with pytest.raises(StaleCursor):
                client.query_page(text, limit=5, cursor=page.cursor, files=files)
        assert page.cursor is not None
        for wrong in (b"x", page.cursor[:-1], bytes([9]) + page.cursor[1:], page.cursor + b"\0"):
            with pytest.raises(StaleCursor):
                client.query_page("", limit=5, cursor=wrong)
        # what is added between two pages does not disturb what was given
        first = client.query_page("", limit=300)
        write_tree(tree, {"later.txt": b"later"})
        (tree / "5.txt").unlink()
        client.add([tree])
        rest = client.query_page("", limit=1000, cursor=first.cursor)
        ids = [item.id for item in (*first.items, *rest.items)]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("text", "position"),
    [('title:"open', 6), ("nosuchfield:x", 0), ("a b nosuch:x", 4), ("year:abc", 5), ("size:12q", 5), ("title:", 6),
     ("state:sleeping", 6), ("title:<5", 7), ("year:<1..5", 6), ('word "', 5)],
)  # fmt: skip
def test_syntax_errors_point_at_their_place(daemon: Daemon, text: str, position: int) -> None:
    with daemon.client() as client:
        with pytest.raises(QuerySyntax) as error:
            client.query(text)
        assert error.value.position == position
        assert error.value.input == text.encode()


def test_get(library: Daemon) -> None:
    path = library.folder / "tree/Björk/03.flac"
    with library.client() as client:
        found = client.get(path)[0].item
        assert found is not None
        assert (found.title, found.artist, found.album, found.kind, found.format) == (
            "Army of Me", "Björk", "Post", "audio", "flac"
        )  # fmt: skip
        file = found.files[0]
        assert (file.size, file.mtime_ns, file.inode) == (path.stat().st_size, path.stat().st_mtime_ns, path.stat().st_ino)
        assert file.fields["track_number"] == 1
        assert file.sources["title"]
        unknown = uuid.uuid4()
        results = client.get(found.id, path, unknown, "/no/such/file", os.fsencode(path) + b"/below", path.parent)
        assert [each.item.id if each.item else None for each in results] == [found.id, found.id, None, None, None, None]
        assert [each.problem.code if each.problem else "" for each in results] == ["", "", *["not_found"] * 4]
        assert [each.target for each in results[:3]] == [found.id, os.fsencode(path), unknown]
        with Peer(library.socket) as peer:
            peer.send(pb.ClientFrame(request=pb.Request(id=1, get=pb.GetRequest(targets=[pb.Target(id=b"short"), pb.Target()]))))
            first, second = peer.receive(), peer.receive()
            assert first is not None
            assert first.reply.get.problem.code == pb.INVALID_ARGUMENT
            assert second is not None
            assert second.reply.get.problem.code == pb.INVALID_ARGUMENT
        assert client.get() == [] or client.get()[0].item is None


# ---------------------------------------------------------------- checksums


def test_checksums_are_computed_once(library: Daemon) -> None:
    path = library.folder / "tree/Björk/03.flac"
    with library.client() as client:
        both = client.checksum(path, scopes=["file", "stream"])
        assert [(each.scope, each.stored, each.problem) for each in both] == [("file", False, None), ("stream", False, None)]
        content = path.read_bytes()
        assert both[0].digests == {name: hashlib.new(name, content).digest() for name in ("md5", "sha1", "sha256")}
        assert both[1].stream_algorithm
        assert both[1].digests != both[0].digests
        again = client.checksum(path, scopes=["stream", "file"])
        assert [each.stored for each in again] == [True, True]
        assert [each.digests for each in again] == [both[1].digests, both[0].digests]
        item = client.get(path)[0].item
        assert item is not None
        assert {(each.scope, each.algorithm) for each in item.files[0].digests} == {
            (scope, name) for scope in ("file", "stream") for name in ("md5", "sha1", "sha256")
        }
        assert (item.id, "checksum") in {(item.id, key.grade) for key in item.keys}
        # other tags, the same stream: the file's digest changes, the stream's does not
        tagged = FLAC(path)
        tagged["title"] = "Another title"
        tagged.save()
        changed = client.checksum(path, scopes=["file", "stream"])  # before any walk has seen the change
        assert [each.stored for each in changed] == [False, False]
        assert changed[0].digests["md5"] == hashlib.md5(path.read_bytes()).digest()
        assert changed[1].digests == both[1].digests
        few = client.checksum(library.folder / "tree/empty.txt", algorithms=["sha1"])[0]
        assert few.digests == {"sha1": hashlib.sha1(b"").digest()}
        more = client.checksum(library.folder / "tree/empty.txt")[0]
        assert more.digests["md5"] == hashlib.md5(b"").digest()
        with pytest.raises(InvalidArgument):
            client.checksum(path, scopes=["everything"])
        with pytest.raises(InvalidArgument):
            client.checksum(path, algorithms=["crc32"])
        with pytest.raises(InvalidArgument):
            client.checksum()
        problems = client.checksum(uuid.uuid4(), "/no/such/file", path)
        assert [each.problem.code if each.problem else "" for each in problems] == ["not_found", "not_found", ""]
    assert check_events(library).count("checksummed") >= 4


def test_a_file_that_changes_under_the_hash(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    tree.mkdir()
    path = tree / "growing.bin"
    path.write_bytes(b"x" * (64 << 20))
    stop = threading.Event()

    def grow() -> None:
        with open(path, "ab", buffering=0) as out:
            while not stop.wait(0.002):
                out.write(b"more")

    with daemon.client() as client:
        client.add([tree])
        writer = threading.Thread(target=grow)
        writer.start()
        try:
            problem = client.checksum(path)[0].problem
        finally:
            stop.set()
            writer.join()
        assert problem is not None
        assert problem.code == "conflict"
        settled = client.checksum(path)[0]
        assert settled.digests["sha1"] == hashlib.sha1(path.read_bytes()).digest()
        assert rows(daemon, "SELECT count(*) FROM mediadb.checksum") == [(1,)]


# ---------------------------------------------------------------- forgetting


def test_forgetting(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"{d}/{n}.txt": b"x" for d in "abc" for n in range(5)})
    with daemon.client() as client:
        client.add([tree])
        result = client.forget(tree / "a/0.txt")
        assert (result.files, result.items, result.roots, result.problems) == (1, 1, 0, [])
        assert client.get(tree / "a/0.txt")[0].item is None
        assert client.add([tree]).files_new == 1  # it is still there: the next walk finds it again
        assert client.forget(tree / "b").files == 5
        assert client.status().files == 10
        assert client.add([tree]).files_new == 5
        ident = entry(client, tree / "c/1.txt").item
        assert ident is not None
        assert client.forget(ident).files == 1
        assert client.get(ident)[0].item is None or client.get(ident)[0].item.files == []
        result = client.forget(uuid.uuid4(), "/no/such/file")
        assert (result.files, [each.code for each in result.problems]) == (0, ["not_found", "not_found"])
        # only what is missing
        (tree / "c/2.txt").unlink()
        client.add([tree])
        assert client.status().missing == 1
        assert client.forget(tree, missing_only=True).files == 1
        assert client.status().missing == 0
        assert client.forget(tree / "c", missing_only=True).files == 0
        assert len(client.roots()) == 1
        result = client.forget(tree)
        assert (result.files, result.roots) == (14, 1)
        assert client.roots() == []
        status = client.status()
        assert (status.files, status.items, status.pending) == (0, 0, 0)
        for table in ("file", "dir", "todo", "file_text", "file_detail", "file_meta", "root"):
            assert rows(daemon, f"SELECT count(*) FROM mediadb.{table}") == [(0,)], table
        assert (tree / "a/1.txt").exists()
        assert client.add([tree]).files_new == 14
        with pytest.raises(InvalidArgument):
            client.forget()
    assert check_events(daemon).count("forgotten") == 1 + 5 + 1 + 1 + 14


# ---------------------------------------------------------------- numbers


def test_status_and_handlers(library: Daemon) -> None:
    with library.client() as client:
        status = client.status()
        assert (status.files, status.items, status.pending, status.failed, status.missing, status.parked) == (6, 6, 0, 0, 0, 0)
        assert (status.pid, status.database, status.connections) == (library.pid, "ready", 1)
        assert status.last_event == rows(library, "SELECT max(seq) FROM mediadb.event")[0][0]
        assert 0 < status.rss_bytes <= status.peak_rss_bytes
        assert status.database_version.split(".")[0].isdigit()
        assert status.notes == []
        root = client.roots()[0]
        assert (root.files, root.folders, root.missing, root.pending, root.failed, root.state) == (6, 4, 0, 0, 0, "active")
        assert root.size == sum(each.stat().st_size for each in (library.folder / "tree").rglob("*") if each.is_file())
        handlers = {each.name: each for each in client.handlers()}
        assert {"audio", "image", "video", "file"} <= set(handlers)
        assert "flac" in handlers["audio"].extensions
        assert all(each.version >= 1 and each.summary and each.descriptors for each in handlers.values())


def test_many_writers_leave_no_gap_in_the_events(daemon: Daemon) -> None:
    """Several clients add, hash and forget at once: numbers in the order of commits, each once."""
    trees = [write_tree(daemon.folder / f"tree{k}", {f"{n}.txt": b"%d" % n for n in range(60)}) for k in range(4)]
    faults: list[BaseException] = []

    def work(tree: Path) -> None:
        try:
            with daemon.client() as client:
                for number in range(4):
                    client.add([tree])
                    client.checksum(*[tree / f"{n}.txt" for n in range(10)])
                    for n in range(number * 10, number * 10 + 10):
                        (tree / f"{n}.txt").write_bytes(b"changed %d" % number)
                    client.add([tree])
                    client.forget(tree / "59.txt")
        except BaseException as error:
            faults.append(error)
            raise

    threads = [threading.Thread(target=work, args=(tree,)) for tree in trees]
    seen: list[int] = []
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        # A reader that remembers the last number must never meet a lower one later.
        seen += [row[0] for row in rows(daemon, "SELECT seq FROM mediadb.event WHERE seq > %s ORDER BY seq", seen[-1] if seen else 0)]
        time.sleep(0.01)
    assert faults == []
    seen += [row[0] for row in rows(daemon, "SELECT seq FROM mediadb.event WHERE seq > %s ORDER BY seq", seen[-1])]
    assert seen == list(range(1, len(seen) + 1))
    actions = check_events(daemon)
    assert actions.count("forgotten") == 16
    with daemon.client() as client:
        assert client.status().files == 4 * 59
