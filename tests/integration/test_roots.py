"""Roots: what freezes one, how they nest, files as roots, exclusion."""

from __future__ import annotations

import os

import pytest

from bench.abuse import Peer
from mediactl import workcalls
from mediad.errors import NotFound, Unavailable
from mediadb_contract import mediadb_pb2 as pb
from tests.daemon import Daemon, write_tree
from tests.daemon.records import SONG, check_events, counts, entry, rows, wait_for

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
        client.add([tree])
        # by this walk, or by the kernel's word before it
        assert wait_for(lambda: client.status().missing == (100 if flat else 90))
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
        result = client.add([tree])
        assert counts(result) == (200, 0, 0, 0, 0), "a renamed folder is one row, and nothing is read again"


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


def test_a_root_that_is_back_is_walked(daemon: Daemon) -> None:
    """Its folder was renamed away: no mount tells of its return, a person's `rescan` looks."""
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"a"})
    with daemon.client() as client:
        client.add([tree])
        tree.rename(daemon.folder / "away")
        client.run(workcalls.rescan())
        assert client.roots()[0].state == "away"
        write_tree(daemon.folder / "away", {"b.txt": b"b"})
        (daemon.folder / "away").rename(tree)
        assert client.run(workcalls.rescan()).files_new == 1
        assert client.roots()[0].state == "active"
