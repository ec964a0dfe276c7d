"""The play queue of each actor, and collections that are set at once."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from mediactl import Client, workcalls
from mediad.errors import InvalidArgument, LimitExceeded, NotFound
from mediad.index.queues import fold_queue
from mediadb_contract import mediadb_pb2 as pb
from tests.daemon import Daemon, write_tree
from tests.daemon.library import sql
from tests.daemon.records import check_events, rows, wait_for

TEXTS: dict[str | bytes, bytes] = {f"{name}.txt": name.encode() * 5000 for name in "abcd"}


def items_of(client: Client, *paths: Path) -> list[uuid.UUID]:
    found = [result.item for result in client.get(*paths)]
    return [item.id for item in found if item is not None]


@pytest.fixture
def library(daemon: Daemon) -> list[Path]:
    tree = write_tree(daemon.folder / "tree", TEXTS)
    with daemon.client() as client:
        client.add([tree])
    return [tree / f"{name}.txt" for name in "abcd"]


def told(daemon: Daemon) -> int:
    return int(rows(daemon, "SELECT count(*) FROM mediadb.event WHERE target_kind = 'queue'")[0][0])


def test_each_actor_has_one_in_every_player(daemon: Daemon, library: list[Path]) -> None:
    anna, ben = Client(str(daemon.socket), actor="anna"), Client(str(daemon.socket), actor="ben")
    with anna, ben:
        a, b, c, d = items_of(anna, *library)
        empty = anna.run(workcalls.queue())
        assert (empty.entries, empty.current, empty.position, empty.changed_at_ns) == ([], 0, 0, None)
        saved = anna.run(workcalls.save_queue([a, b, a, library[2]], current=2, position=7.5, client="page"))
        assert saved.events == 1 and not saved.problems
        ben.run(workcalls.save_queue([d]))
        found = anna.run(workcalls.queue())
        assert (found.entries, found.current, found.position, found.client) == ([a, b, a, c], 2, 7.5, "page")
        assert found.changed_at_ns and abs(found.changed_at_ns / 1e9 - time.time()) < 600
        assert ben.run(workcalls.queue()).entries == [d]
        for bad in ({"current": 4}, {"position": -1.0}, {"position": float("inf")}):
            with pytest.raises(InvalidArgument):
                anna.run(workcalls.save_queue([a, b, a, c], **bad))  # type: ignore[arg-type]
        unknown = uuid.uuid4()
        saved = anna.run(workcalls.save_queue([unknown, a, "/nowhere/x.mp3", b], current=3, position=5))
        assert [type(each) for each in saved.problems] == [NotFound, NotFound]
        found = anna.run(workcalls.queue())
        assert (found.entries, found.current, found.position) == ([a, b], 1, 5)
        anna.run(workcalls.save_queue([a, unknown, b], current=1, position=5))
        found = anna.run(workcalls.queue())
        assert (found.entries, found.current, found.position) == ([a, b], 1, 0), "what was heard is not there"
        anna.run(workcalls.save_queue([]))
        assert anna.run(workcalls.queue()).entries == []
        assert not anna.run(workcalls.operations()), "a queue is no deed to be taken back"
    check_events(daemon)


def test_a_position_alone_is_stored_each_time_and_told_seldom(daemon: Daemon, library: list[Path]) -> None:
    assert daemon.dsn is not None
    with daemon.client() as client, sql(daemon.dsn) as ask:
        with pytest.raises(NotFound):
            client.run(workcalls.move_queue(0, 1.0))
        ids = items_of(client, *library)
        client.run(workcalls.save_queue(ids))
        for position in range(10, 100, 10):
            assert client.run(workcalls.move_queue(0, position)).events == 0
            assert client.run(workcalls.save_queue(ids, position=position + 5)).events == 0
        assert told(daemon) == 1 and client.run(workcalls.queue()).position == 95
        ask("UPDATE mediadb.queue SET told_ns = told_ns - 301 * 1000000000::bigint")
        assert client.run(workcalls.move_queue(0, 95)).events == 0, "nothing is new"
        assert client.run(workcalls.move_queue(0, 99)).events == 1
        assert client.run(workcalls.move_queue(1, 0)).events == 1, "another song"
        assert client.run(workcalls.save_queue(ids, current=2)).events == 1
        with pytest.raises(InvalidArgument):
            client.run(workcalls.move_queue(4, 0))
        values = ask("SELECT value ? 'items' FROM mediadb.event WHERE target_kind = 'queue' ORDER BY seq")
        assert [row[0] for row in values] == [True, False, False, False], "what it holds is said when that changes"
    assert rows(daemon, "SELECT count(*) FROM mediadb.operation WHERE command = 'queue'") == [(0,)]


def test_it_survives_a_kill_and_comes_back_from_the_log(daemon: Daemon, library: list[Path]) -> None:
    with Client(str(daemon.socket), actor="anna") as client:
        ids = items_of(client, *library)
        client.run(workcalls.save_queue([*ids, ids[0]], client="page"))
        client.run(workcalls.move_queue(3, 12.5, client="phone"))
        client.run(workcalls.move_queue(3, 20, client="phone"))
    daemon.kill()
    daemon.start()
    with Client(str(daemon.socket), actor="anna") as client:
        found = client.run(workcalls.queue())
        assert (found.entries, found.current, found.position) == ([*ids, ids[0]], 3, 20)
        lines = client.run(workcalls.export())
    [work] = (daemon.data / "work").glob("*.ndjson")
    assert wait_for(lambda: work.read_text().count("queued") == 2, 20)
    for source in (lines, work.read_text().splitlines()):
        other = Daemon()
        try:
            other.start()
            with Client(str(other.socket), actor="anna") as client:
                for _ in range(2):
                    client.run(workcalls.restore(source))
                client.add([library[0].parent])
                found = client.run(workcalls.queue())
                assert (found.current, found.position, found.client) == (3, 12.5, "phone"), "as it was told last"
                assert found.entries == [*items_of(client, *library), items_of(client, library[0])[0]]
        finally:
            other.remove()


def test_a_rebuild_and_a_merge_leave_it_true(daemon: Daemon) -> None:
    tree = write_tree(
        daemon.folder / "tree", {"a.txt": b"equal" * 2000, "b.txt": b"equal" * 2000, "c.txt": b"c" * 9000}
    )
    with daemon.client() as client:
        client.add([tree])
        a, b, c = items_of(client, tree / "a.txt", tree / "b.txt", tree / "c.txt")
        client.run(workcalls.save_queue([a, b, c], current=1))
        client.run(workcalls.star([tree / "a.txt", tree / "b.txt"]))
        assert wait_for(lambda: len(set(items_of(client, tree / "a.txt", tree / "b.txt"))) == 1, 30)
        one = items_of(client, tree / "a.txt")[0]
        assert client.run(workcalls.queue()).entries == [one, one, c]
        client.run(workcalls.rebuild())
        assert (
            client.run(workcalls.queue()).entries
            == [one, one, c]
            == items_of(client, tree / "a.txt", tree / "b.txt", tree / "c.txt")
        )
        client.forget(tree / "a.txt", tree / "b.txt", work=True)
        found = client.run(workcalls.queue())
        assert (found.entries, found.current) == ([c], 0)


def test_folding_a_queue() -> None:
    place: dict[str, Any] = {"current": 1, "position": 2.0, "client": "x"}
    found = fold_queue(
        [({"items": ["a"], **place}, 1), ({"items": ["b", "c"], **place}, 2), (place | {"current": 0}, 3)]
    )
    assert (found.items, found.current, found.position, found.at_ns) == (["b", "c"], 0, 2.0, 3)


# ------------------------------------------------------------------ collections that are set


def entries(client: Client, name: str) -> list[uuid.UUID]:
    return client.run(workcalls.collections(name=name, entries=True))[0].entries


def last_of(client: Client) -> uuid.UUID:
    """The last request about a collection that was not taken back."""
    return next(e.id for e in client.run(workcalls.operations()) if not e.undone and e.command == "collect")


def test_a_collection_is_set_at_once_and_taken_back_at_once(daemon: Daemon, library: list[Path]) -> None:
    with daemon.client() as client:
        a, b, c, d = items_of(client, *library)
        made = client.run(workcalls.collect("Trip", "set", [a, b, a], kind="playlist"))
        assert made.collection.entries == [a, b, a]
        client.run(workcalls.collect("Trip", "set", [d, library[2], a], kind="playlist"))
        assert entries(client, "Trip") == [d, c, a]
        told = "SELECT count(*) FROM mediadb.event WHERE target_kind = 'collection'"
        before = rows(daemon, told)
        client.run(workcalls.collect("Trip", "set", [d, c, a], kind="playlist"))
        assert rows(daemon, told) == before, "what is so already is no change"
        request = workcalls.collect("Trip", "set", [], kind="playlist").request
        for _ in range(2):
            client.call(request)
        assert entries(client, "Trip") == []
        for wanted in ([d, c, a], [a, b, a]):
            client.run(workcalls.undo(last_of(client)))
            assert entries(client, "Trip") == wanted
        client.run(workcalls.undo(last_of(client)))
        with pytest.raises(NotFound):
            entries(client, "Trip")
        client.run(workcalls.save("asked", "kind:audio"))
        with pytest.raises(InvalidArgument):
            client.run(workcalls.collect("asked", "set", [a]))
        lines = client.run(workcalls.export())
    other = Daemon()
    try:
        other.start()
        with other.client() as client:
            client.run(workcalls.restore(lines))
            assert [each.name for each in client.run(workcalls.collections())] == ["asked"]
    finally:
        other.remove()


def test_ten_thousand_entries(daemon: Daemon) -> None:
    """A playlist and a queue of 10,000: set, read, followed, exported and restored, while others are answered."""
    assert daemon.dsn is not None
    with daemon.client() as client, sql(daemon.dsn) as ask:
        # Items whose files are elsewhere: as many as a library has, without writing them.
        ask(
            """INSERT INTO mediadb.stream (id, created_ns) SELECT gen_random_uuid(), 1 FROM generate_series(1, 10000)"""
        )
        ask("""INSERT INTO mediadb.stream_key (stream, grade, algorithm, value)
               SELECT id, 1, 'whole/1', sha256(id::text::bytea) FROM mediadb.stream""")
        ids = [row[0] for row in ask("SELECT id FROM mediadb.stream ORDER BY id")]
        turned = [*reversed(ids)]
        client.run(workcalls.collect("all", "set", ids, kind="playlist"))
        started = time.monotonic()
        made = client.run(workcalls.collect("all", "set", turned, kind="playlist"))
        spent = time.monotonic() - started
        assert made.collection.entries == turned == entries(client, "all")
        assert client.run(workcalls.save_queue(ids, current=9999, position=3)).events == 1
        assert client.run(workcalls.save_queue(ids, current=9999, position=4)).events == 0
        assert client.run(workcalls.queue()).entries == ids
        with pytest.raises(LimitExceeded):
            client.run(workcalls.save_queue([*ids, ids[0]]))
        with pytest.raises(LimitExceeded):
            client.run(workcalls.collect("all", "set", [*ids, *ids, ids[0]], kind="playlist"))
        seen = client.run(workcalls.changes(since=0)).changes
        assert [change.action for change in seen] == ["created", "collected", "uncollected", "collected", "queued"]
        lines = client.run(workcalls.export())
        assert max(map(len, lines)) < 600_000
        client.run(workcalls.undo())
        assert entries(client, "all") == ids
        print(f"set: {spent:.2f} s; longest turn of the loop: {client.status().lag_max_ms} ms")


def test_a_thousand_entries_come_back(daemon: Daemon) -> None:
    """What their items are known by stands in lines of their own, which come in other requests."""
    assert daemon.dsn is not None
    with daemon.client() as client, sql(daemon.dsn) as ask:
        ask("INSERT INTO mediadb.stream (id, created_ns) SELECT gen_random_uuid(), 1 FROM generate_series(1, 1000)")
        ask("""INSERT INTO mediadb.stream_key (stream, grade, algorithm, value)
               SELECT id, 1, 'whole/1', sha256(id::text::bytea) FROM mediadb.stream""")
        turned = [row[0] for row in ask("SELECT id FROM mediadb.stream ORDER BY id DESC")]
        client.run(workcalls.collect("all", "set", turned, kind="playlist"))
        client.run(workcalls.save_queue(turned, current=999, position=3))
        lines = client.run(workcalls.export())
        assert max(map(len, lines)) < 100_000
    other = Daemon()
    try:
        other.start()
        with other.client() as client:
            part: list[str] = []
            for line in lines:  # in portions, as the command does
                part.append(line)
                if sum(map(len, part)) > 50_000:
                    client.run(workcalls.restore(part))
                    part = []
            client.run(workcalls.restore(part))
            assert entries(client, "all") == turned
            found = client.run(workcalls.queue())
            assert found.entries == turned and (found.current, found.position) == (999, 3)
    finally:
        other.remove()


def test_a_reader_may_not_save(daemon: Daemon, library: list[Path]) -> None:
    with daemon.client() as client:
        with pytest.raises(InvalidArgument):
            client.call(pb.Request(queue=pb.QueueRequest(action="shuffle")))
        with pytest.raises(InvalidArgument):
            target = pb.Target(id=items_of(client, library[0])[0].bytes)
            client.call(pb.Request(queue=pb.QueueRequest(action="at", targets=[target])))


def test_what_was_queued_before_goes_behind_the_horizon(folder: Path) -> None:
    daemon = Daemon(config="feed_keep = 1\n", folder=folder)
    try:
        daemon.start()
        tree = write_tree(daemon.folder / "tree", TEXTS)
        with daemon.client() as client:
            client.add([tree])
            ids = items_of(client, *(tree / f"{name}.txt" for name in "abcd"))
            client.run(workcalls.rate([ids[0]], 3))
            for count in (1, 2, 3):
                client.run(workcalls.save_queue(ids[:count]))
            client.run(workcalls.move_queue(2, 7))
            client.run(workcalls.star([ids[0]]))
        daemon.stop()
        daemon.start()
        what = "SELECT jsonb_array_length(value -> 'items') FROM mediadb.event WHERE target_kind = 'queue' ORDER BY seq"
        assert wait_for(lambda: rows(daemon, what) == [(3,), (None,)], 20), rows(daemon, what)
        kept = "SELECT count(*) FROM mediadb.event WHERE action IN ('rated', 'starred')"
        assert rows(daemon, kept) == [(2,)]
        with daemon.client() as client:
            assert client.run(workcalls.queue()).current == 2
    finally:
        daemon.remove()
