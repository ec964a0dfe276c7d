"""Bookmarks: where each person goes on in an item."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from mediactl import Client, workcalls
from mediad.errors import InvalidArgument
from mediad.index.workfold import fold_work
from mediadb_contract import mediadb_pb2 as pb
from tests.daemon import Daemon, write_tree
from tests.daemon.records import SONG, check_events, rows, wait_for


def mark_of(client: Client, path: Path) -> dict[str, Any] | None:
    item = client.get(path)[0].item
    assert item is not None
    mark: dict[str, Any] | None = item.work.get("bookmark")
    return mark


def ids(client: Client, text: str) -> set[uuid.UUID]:
    return {item.id for item in client.query(text)}


def test_each_person_has_one_a_file(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b.txt": b"text"})
    path = tree / "a.mp3"
    with daemon.client() as client:
        client.add([tree])
        item = client.get(path)[0].item
        assert item is not None and mark_of(client, path) is None
        anna, ben = Client(str(daemon.socket), actor="anna"), Client(str(daemon.socket), actor="ben")
        with anna, ben:
            assert anna.run(workcalls.bookmark([path], 61.5, comment="the bridge", at_ns=5_500_000_000)).events == 1
            assert anna.run(workcalls.bookmark([path], 61.5, comment="the bridge", at_ns=5_500_000_000)).events == 0
            ben.run(workcalls.bookmark([path], 3))
            assert mark_of(anna, path) == {"position": 61.5, "comment": "the bridge", "at": 5.5}
            mark = mark_of(ben, path)
            assert mark is not None and mark["position"] == 3 and "comment" not in mark
            assert abs(mark["at"] - time.time()) < 600
            assert ids(anna, "has:bookmark") == ids(ben, "kind:audio has:bookmark") == {item.id}
            assert item.id not in ids(anna, "missing:bookmark") and not ids(client, "has:bookmark")
            ben.run(workcalls.unbookmark([path]))
            assert mark_of(ben, path) is None and not ids(ben, "has:bookmark")
            ben.run(workcalls.undo())
            assert mark_of(ben, path) == mark
            anna.run(workcalls.bookmark([path], 70))
            anna.run(workcalls.undo())
            assert mark_of(anna, path) == {"position": 61.5, "comment": "the bridge", "at": 5.5}
            for position, comment in ((-1.0, ""), (float("nan"), ""), (1e12, ""), (1.0, "x" * 1001)):
                with pytest.raises(InvalidArgument):
                    anna.run(workcalls.bookmark([path], position, comment=comment))
            suggested = anna.query_complete("has:bookm")
            assert [each.text for each in suggested] == ["bookmark"]
    assert {"bookmarked", "unbookmarked"} <= set(check_events(daemon))


def test_of_equal_files_the_later_one_stays(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"equal" * 2000, "b.txt": b"equal" * 2000})
    with daemon.client() as client:
        client.add([tree])
        client.run(workcalls.bookmark([tree / "a.txt"], 10, at_ns=2 * 10**9))
        client.run(workcalls.bookmark([tree / "b.txt"], 20, at_ns=3 * 10**9))
        assert wait_for(lambda: len(ids(client, "has:bookmark")) == 1, 30), "they are one item when that is certain"
        for name in ("a.txt", "b.txt"):
            assert mark_of(client, tree / name) == {"position": 20, "at": 3}
    [(told, aliases)] = rows(daemon, "SELECT count(*), (SELECT count(*) FROM mediadb.stream_alias) FROM mediadb.work")
    assert (told, aliases) == (1, 1)


def test_a_replacement_takes_it_over_and_gives_it_up(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"old.mp3": SONG, "new.txt": b"new" * 2000})
    with daemon.client() as client:
        client.add([tree])
        client.run(workcalls.bookmark([tree / "old.mp3"], 10, at_ns=2 * 10**9))
        client.run(workcalls.relate("replaces", tree / "new.txt", tree / "old.mp3"))
        assert mark_of(client, tree / "new.txt") == {"position": 10, "at": 2}


def test_backup_and_the_log_of_work_have_it(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"long enough to be shared" * 500})
    with daemon.client() as client:
        client.add([tree])
        client.run(workcalls.bookmark([tree / "a.txt"], 61.5, comment="here", at_ns=5 * 10**9))
        client.run(workcalls.rate([tree / "a.txt"], 4))
        lines = client.run(workcalls.export())
    daemon.kill()
    daemon.start()
    [work] = (daemon.data / "work").glob("*.ndjson")
    assert wait_for(lambda: "bookmarked" in work.read_text(), 20)
    for source in (lines, work.read_text().splitlines()):
        other = Daemon()
        try:
            other.start()
            with other.client() as client:
                for _ in range(2):
                    client.run(workcalls.restore(source))
                client.add([tree])
                assert mark_of(client, tree / "a.txt") == {"position": 61.5, "comment": "here", "at": 5}
        finally:
            other.remove()


def test_folding() -> None:
    one = {"position": 1.0, "comment": "", "at_ns": 1}
    two = {"position": 2.0, "comment": "", "at_ns": 2}
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("anna", "bookmarked", {"bookmark": one, "was": None}),
        ("", "inherited", {"from": "x", "work": {"actors": {"anna": {"bookmark": two}, "ben": {"bookmark": one}}}}),
        ("ben", "unbookmarked", {"bookmark": None, "was": one}),
    ]
    state = fold_work(told)
    assert state.actors["anna"]["bookmark"] == two and state.actors["ben"]["bookmark"] is None


def test_what_a_wire_client_may_send(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"text"})
    with daemon.client() as client:
        client.add([tree])
        item = client.get(tree / "a.txt")[0].item
        assert item is not None
        actions = [pb.WorkAction(action="bookmark", number=1.25), pb.WorkAction(action="star")]
        assert client.run(workcalls.work([item.id], actions)).events == 2
        assert json.dumps(mark_of(client, tree / "a.txt"))
