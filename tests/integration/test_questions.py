"""Questions, pages, single records and numbers, asked of a small library."""

from __future__ import annotations

import os
import threading
import time
import uuid
from pathlib import Path

import pytest

from bench.abuse import Peer
from mediad.errors import QuerySyntax, StaleCursor
from mediadb_contract import mediadb_pb2 as pb
from tests.daemon import Daemon, write_tree
from tests.daemon.records import check_events, fill_library, rows, song, wait_for


@pytest.fixture
def library(daemon: Daemon) -> Daemon:
    fill_library(daemon)
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


def test_titles_are_sorted_as_people_look_for_them(library: Daemon) -> None:
    with library.client() as client:
        keys = ("title", "-title", "artist,-title")
        asked = [[item.title for item in client.query(f"kind:audio sort:{key}")] for key in keys]
    titles = ["Ágætis byrjun", "Army of Me", "It's Oh So Quiet", "Svefn-g-englar"]
    assert asked == [titles, titles[::-1], [titles[2], titles[1], titles[3], titles[0]]]


def test_a_changed_tag_is_found_under_its_new_value_only(library: Daemon) -> None:
    path = library.folder / "tree/Björk/03.flac"
    song(path, title="Army of Me", artist="PJ Harvey", album="Other", date="2001")
    with library.client() as client:
        client.add([library.folder / "tree"])
        assert [len(list(client.query(text))) for text in ("artist:harvey", "artist:bjork", "year:2001")] == [1, 1, 1]
        assert len(list(client.query("harvey"))) == 1
        album = rows(
            library,
            "SELECT count(*) FROM mediadb.file_meta m JOIN mediadb.meta a ON a.id = m.meta WHERE a.name = 'Army of Me'",
        )
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
                many = 538 if files else 537  # two names of one file are one item
                assert len(seen) == len(set(seen)) == many
                # one more, empty, where nothing but another name of a given item is left
                assert 0 <= pages - -(-many // limit) <= (not files)
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
        assert (file.size, file.mtime_ns, file.inode) == (
            path.stat().st_size,
            path.stat().st_mtime_ns,
            path.stat().st_ino,
        )
        assert file.fields["track_number"] == 1
        assert file.sources["title"]
        unknown = uuid.uuid4()
        results = client.get(found.id, path, unknown, "/no/such/file", os.fsencode(path) + b"/below", path.parent)
        assert [each.item.id if each.item else None for each in results] == [found.id, found.id, None, None, None, None]
        assert [each.problem.code if each.problem else "" for each in results] == ["", "", *["not_found"] * 4]
        assert [each.target for each in results[:3]] == [found.id, os.fsencode(path), unknown]
        with Peer(library.socket) as peer:
            peer.send(
                pb.ClientFrame(
                    request=pb.Request(id=1, get=pb.GetRequest(targets=[pb.Target(id=b"short"), pb.Target()]))
                )
            )
            first, second = peer.receive(), peer.receive()
            assert first is not None
            assert first.reply.get.problem.code == pb.INVALID_ARGUMENT
            assert second is not None
            assert second.reply.get.problem.code == pb.INVALID_ARGUMENT
        assert client.get() == [] or client.get()[0].item is None


def test_status_and_handlers(library: Daemon) -> None:
    with library.client() as client:
        status = client.status()
        assert (status.files, status.items, status.pending, status.failed, status.missing, status.parked) == (
            6,
            6,
            0,
            0,
            0,
            0,
        )
        assert (status.pid, status.database, status.connections) == (library.pid, "ready", 1)
        assert status.last_event == rows(library, "SELECT max(seq) FROM mediadb.event")[0][0]
        assert 0 < status.rss_bytes <= status.peak_rss_bytes
        assert status.database_version.split(".")[0].isdigit()
        assert status.notes == []
        root = client.roots()[0]
        assert (root.files, root.folders, root.missing, root.pending, root.failed, root.state) == (
            6,
            4,
            0,
            0,
            0,
            "active",
        )
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
                    (tree / "59.txt").write_bytes(b"59")
                    client.add([tree])
                    client.checksum(*[tree / f"{n}.txt" for n in range(10)])
                    for n in range(number * 10, number * 10 + 10):
                        (tree / f"{n}.txt").write_bytes(b"changed %d" % number)
                    client.add([tree])
                    (tree / "59.txt").unlink()  # what is still there comes back when its folder is listed again
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
        seen += [
            row[0]
            for row in rows(
                daemon, "SELECT seq FROM mediadb.event WHERE seq > %s ORDER BY seq", seen[-1] if seen else 0
            )
        ]
        time.sleep(0.01)
    assert faults == []
    seen += [row[0] for row in rows(daemon, "SELECT seq FROM mediadb.event WHERE seq > %s ORDER BY seq", seen[-1])]
    assert seen == list(range(1, len(seen) + 1))
    actions = check_events(daemon)
    assert actions.count("forgotten") == 16
    with daemon.client() as client:
        assert client.status().files == 4 * 59


def test_ids_alone_come_in_larger_pages_and_in_the_same_order(daemon: Daemon) -> None:
    """Thousands of them: behind the first page each has as many as the loop bears; the order is that of the pages."""
    tree = daemon.folder / "tree"
    write_tree(tree, {f"{number % 9}/{number:04}.txt": b"%d" % number for number in range(4300)})
    with daemon.client() as client:
        client.add([tree], wait=False)
        for text in ("", "sort:-name", "kind:document sort:title,size"):
            replies = client.call(pb.Request(query=pb.QueryRequest(text=text, bare=True)))
            found = [item.id for reply in replies for item in reply.query.items]
            assert len(found) == len(set(found)) == 4300
            assert len(replies) < 10
            assert found == [item.id.bytes for item in client.query(text)]
            part = client.call(pb.Request(query=pb.QueryRequest(text=text, bare=True, limit=2500)))
            assert [item.id for reply in part for item in reply.query.items] == found[:2500]
            rest = pb.QueryRequest(text=text, bare=True, cursor=part[-1].query.cursor)
            assert [item.id for each in client.call(pb.Request(query=rest)) for item in each.query.items] == found[
                2500:
            ]
