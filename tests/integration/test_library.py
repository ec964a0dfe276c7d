"""Adding and walking again: what a walk makes of changes, losses and returns; forgetting."""

from __future__ import annotations

import os
import time
import uuid

import pytest

from mediactl import workcalls
from mediad.errors import InvalidArgument
from tests.daemon import Daemon, write_tree
from tests.daemon.records import SONG, check_events, counts, entry, rows


def test_the_life_of_a_file(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b/c.txt": b"text", "b/d.txt": b"other"})
    with daemon.client() as client:  # not watched: what each walk finds is counted
        assert counts(client.add([tree], once=True)) == (3, 3, 0, 0, 3)
        stream = entry(client, tree / "a.mp3").item
        # nothing changed: nothing is read or written
        before = rows(daemon, "SELECT xmin::text, id FROM mediadb.file ORDER BY id")
        assert counts(client.add([tree], once=True)) == (3, 0, 0, 0, 0)
        assert rows(daemon, "SELECT xmin::text, id FROM mediadb.file ORDER BY id") == before
        assert rows(daemon, "SELECT count(*) FROM mediadb.todo") == [(0,)]
        assert rows(daemon, "SELECT count(*) FROM mediadb.dir WHERE digest IS NULL") == [(0,)]
        # other content, same size: only the time of the change tells
        os.utime(tree / "b/c.txt", ns=(1, 1_000_000_001))
        (tree / "b/c.txt").write_bytes(b"TEXT")
        assert counts(client.add([tree], once=True)) == (3, 0, 1, 0, 1)
        # replaced by another file of the same name: the same item, since it is the same name
        (tree / "new").write_bytes(SONG + b"tail")
        (tree / "new").rename(tree / "a.mp3")
        assert counts(client.add([tree], once=True)) == (3, 0, 1, 0, 1)
        assert entry(client, tree / "a.mp3").item == stream
        # removed and returned
        (tree / "a.mp3").rename(daemon.folder / "kept")
        assert counts(client.add([tree], once=True)) == (2, 0, 0, 1, 0)
        gone = entry(client, tree / "a.mp3")
        assert gone.state == "missing"
        assert gone.missing_since_ns is not None
        assert abs(gone.missing_since_ns / 1e9 - time.time()) < 60
        assert client.status().missing == 1
        assert [item.id for item in client.query("state:missing")] == [stream]
        assert stream not in [item.id for item in client.query("")]
        (daemon.folder / "kept").rename(tree / "a.mp3")
        client.add([tree], once=True)
        back = entry(client, tree / "a.mp3")
        assert (back.state, back.item, back.missing_since_ns) == ("read", stream, None)
        # a whole folder removed and returned
        (tree / "b").rename(daemon.folder / "kept")
        assert client.add([tree], once=True).files_missing == 2
        (daemon.folder / "kept").rename(tree / "b")
        assert client.add([tree], once=True).files_new == 0
        assert entry(client, tree / "b/c.txt").state == "read"
        assert client.status().files == 3
    actions = check_events(daemon)
    assert [actions.count(name) for name in ("added", "missing", "returned")] == [4, 3, 3]


def test_a_renamed_file(daemon: Daemon) -> None:
    """A rename is one event, and the item stays."""
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    with daemon.client() as client:
        client.add([tree], once=True)
        before = entry(client, tree / "a.mp3").item
        (tree / "a.mp3").rename(tree / "b.mp3")
        result = client.add([tree], once=True)
        assert (counts(result), result.files_moved) == ((1, 0, 0, 0, 1), 1)
        assert client.get(tree / "a.mp3")[0].problem is not None
        assert entry(client, tree / "b.mp3").state == "read"
        item = client.get(tree / "b.mp3")[0].item
        assert item is not None and item.id == before
        assert {key.grade for key in item.keys} >= {"fingerprint"}


def test_hard_links_are_two_files(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    os.link(tree / "a.mp3", tree / "b.mp3")
    with daemon.client() as client:
        assert client.add([tree], once=True).files_read == 2
        one, two = entry(client, tree / "a.mp3"), entry(client, tree / "b.mp3")
        assert (one.inode, one.nlink) == (two.inode, 2)
        assert one.id != two.id
        assert not client.checksum(tree / "a.mp3")[0].stored
        assert client.checksum(tree / "b.mp3")[0].stored  # the same inode: the same bytes


def test_a_changed_folder_costs_only_itself(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"{d}/{n}.txt": b"x" for d in range(30) for n in range(10)})
    with daemon.client() as client:
        assert client.add([tree], once=True).files_read == 300
        before = dict(rows(daemon, "SELECT id, digest FROM mediadb.dir"))
        (tree / "7/new.txt").write_bytes(b"n")
        assert counts(client.add([tree], once=True)) == (301, 1, 0, 0, 1)
        after = dict(rows(daemon, "SELECT id, digest FROM mediadb.dir"))
        assert sum(before[number] != after[number] for number in before) == 1


def test_large_folder(daemon: Daemon) -> None:
    """More names in one folder than a message of the walk holds: losses and arrivals at every border."""
    tree = write_tree(daemon.folder / "tree", {f"{n:04}.txt": b"" for n in range(1500)})
    with daemon.client() as client:
        assert client.add([tree], once=True).files_read == 1500
        lost = [0, 1, 399, 400, 401, 799, 800, 1199, 1200, 1498, 1499]
        for number in lost:
            (tree / f"{number:04}.txt").unlink()
        write_tree(tree, {"0399a.txt": b"", "!first.txt": b"", "~last.txt": b""})
        assert counts(client.add([tree], once=True)) == (1500 - len(lost) + 3, 3, 0, len(lost), 3)
        missing = {each.path_display for item in client.query("state:missing") for each in item.files}
        assert len(missing) == len(lost)
        assert counts(client.add([tree], once=True))[1:] == (0, 0, 0, 0)
        assert rows(daemon, "SELECT count(*) FROM mediadb.dir WHERE digest IS NULL") == [(0,)]


def test_forgetting(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"{d}/{n}.txt": b"x" for d in "abc" for n in range(5)})
    with daemon.client() as client:
        client.add([tree], once=True)
        result = client.forget(tree / "a/0.txt")
        assert (result.files, result.items, result.roots, result.problems) == (1, 1, 0, [])
        assert client.get(tree / "a/0.txt")[0].item is None
        assert client.add([tree], once=True).files_new == 1  # it is still there: the next walk finds it again
        assert client.forget(tree / "b").files == 5
        assert client.status().files == 10
        assert client.add([tree], once=True).files_new == 5
        ident = entry(client, tree / "c/1.txt").item
        assert ident is not None
        assert client.forget(ident).files == 1
        assert client.get(ident)[0].item is None or client.get(ident)[0].item.files == []
        result = client.forget(uuid.uuid4(), "/no/such/file")
        assert (result.files, [each.code for each in result.problems]) == (0, ["not_found", "not_found"])
        # only what is missing
        (tree / "c/2.txt").unlink()
        client.add([tree], once=True)
        assert client.status().missing == 1
        assert client.forget(tree / "c/2.txt", tree / "c/3.txt", missing_only=True).files == 1
        assert client.status().missing == 0
        assert client.forget(tree, missing_only=True).files == 0
        assert client.forget(tree / "c", missing_only=True).files == 0
        assert client.forget(tree / "c/1.txt", missing_only=True).files == 0
        assert len(client.roots()) == 1
        result = client.forget(tree)
        assert (result.files, result.roots) == (14, 1)
        assert client.roots() == []
        status = client.status()
        assert (status.files, status.items, status.pending) == (0, 0, 0)
        for table in ("file", "dir", "todo", "reading", "file_text", "file_detail", "file_meta", "root"):
            assert rows(daemon, f"SELECT count(*) FROM mediadb.{table}") == [(0,)], table
        assert (tree / "a/1.txt").exists()
        assert client.add([tree], once=True).files_new == 14
        with pytest.raises(InvalidArgument):
            client.forget()
    assert check_events(daemon).count("forgotten") == 1 + 5 + 1 + 1 + 14


def test_the_numbers_of_status(daemon: Daemon) -> None:
    """Files, items and missing ones are counted once after each change, and are what the tables hold."""
    one, two = b"first words " * 500, b"second words " * 500
    tree = write_tree(daemon.folder / "tree", {"a.txt": one, "b.txt": two, "c/d.txt": b"third", "c/e.txt": b"fourth"})
    os.link(tree / "a.txt", tree / "linked.txt")
    counted = """
        SELECT (SELECT count(*) FROM mediadb.file WHERE missing_since_ns IS NULL),
               (SELECT count(DISTINCT stream) FROM mediadb.file WHERE missing_since_ns IS NULL),
               (SELECT count(*) FROM mediadb.file WHERE missing_since_ns IS NOT NULL)
    """
    with daemon.client() as client:

        def numbers() -> tuple[int, int, int]:
            first = client.status()
            second = client.status()  # nothing has happened in between
            assert (first.files, first.items, first.missing) == (second.files, second.items, second.missing)
            assert rows(daemon, counted) == [(second.files, second.items, second.missing)]
            return second.files, second.items, second.missing

        assert numbers() == (0, 0, 0)
        client.add([tree], once=True)
        assert numbers() == (5, 4, 0)
        (tree / "linked.txt").unlink()  # its item has another name
        (tree / "b.txt").unlink()
        client.add([tree], once=True)
        assert numbers() == (3, 3, 2)
        write_tree(tree, {"b.txt": two})
        client.add([tree], once=True)
        assert numbers() == (4, 4, 1)
        client.forget(tree / "c")
        assert numbers() == (2, 2, 1)
        client.run(workcalls.rebuild())
        assert numbers() == (4, 4, 0)
        client.forget(tree)
        assert numbers() == (0, 0, 0)
