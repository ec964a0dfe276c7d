"""One link and the database over it, against a real server."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from uuid import UUID, uuid4

import psycopg
import pytest

from mediad.errors import DeadlineExceeded, InvalidArgument, Unavailable
from mediad.store import connection
from mediad.store.connection import Link
from mediad.store.database import Database
from mediad.store.faults import ConnectionLost, Fenced, Retry, StatementFailed
from mediad.store.queries import Statement
from mediad.store.values import Array
from tests import pg

GET = Statement("get", "SELECT id, v FROM item WHERE id = $1::bigint")
PUT = Statement("put", "INSERT INTO item VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
PUT_STRICT = Statement("put_strict", "INSERT INTO item VALUES ($1, $2)")
COUNT = Statement("count", "SELECT count(*) FROM item")
DIVIDE = Statement("divide", "SELECT 1 / $1::int")
SLEEP = Statement("sleep", "SELECT pg_sleep($1::float8)::text")
PID = Statement("pid", "SELECT pg_backend_pid()")
STATEMENTS = {one.name: one for one in (GET, PUT, PUT_STRICT, COUNT, DIVIDE, SLEEP, PID)}


@pytest.fixture
def conninfo() -> str:
    text = pg.fresh_database()
    with psycopg.connect(text) as direct:
        direct.execute("CREATE TABLE item (id bigint PRIMARY KEY, v bytea)")
        direct.execute("INSERT INTO item SELECT i, int8send(i) FROM generate_series(1, 1000) i")
    return f"{text} options='-c search_path=public'"


def database(conninfo: str, **options: object) -> Database:
    return Database(conninfo, STATEMENTS, session_settings={"search_path": "public"}, **options)  # type: ignore[arg-type]


def terminate(conninfo: str, pid: int) -> None:
    with psycopg.connect(conninfo) as direct:
        assert direct.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


def test_every_type_there_and_back(conninfo: str) -> None:
    number = uuid4()
    cases: list[tuple[str, object, object]] = [
        ("int", 7, 7), ("bigint", -(2**63), -(2**63)), ("smallint", 3, 3), ("float8", 0.1, 0.1), ("float4", 0.5, 0.5),
        ("bool", True, True), ("bool", False, False), ("text", "é\n漢", "é\n漢"), ("bytea", b"\0\xff\\x", b"\0\xff\\x"),
        ("uuid", number, number), ("jsonb", {"b": [1, None], "a": "\u00e9"}, '{"a": "é", "b": [1, null]}'),
        ("json", [1, {"x": 2}], '[1,{"x":2}]'), ("text", None, None), ("int[]", Array([1, None, 2]), [1, None, 2]),
        ("text[]", Array(['a"b\\', "{,}", "NULL", ""]), ['a"b\\', "{,}", "NULL", ""]),
        ("bytea[]", Array([b"\0", b"\xff\\"]), [b"\0", b"\xff\\"]), ("uuid[]", Array([number]), [number]),
        ("varchar", "v", "v"), ("jsonb[]", Array(["1"]), ["1"]),
    ]  # fmt: skip

    async def check() -> None:
        link = await Link.connect(conninfo)
        for kind, given, expected in cases:
            statement = Statement("one", f"SELECT $1::{kind}")
            [rows] = await link.run([(statement, [given])])  # type: ignore[list-item]
            assert rows == [(expected,)], kind
            assert type(rows[0][0]) is type(expected), kind
        adhoc = Statement("", "SELECT $1::int + 1", prepared=False)
        assert await link.run([(adhoc, [1]), (adhoc, [2])]) == [[(2,)], [(3,)]]
        link.close()

    pg.run(check())


def test_a_thousand_fetches_at_once(conninfo: str) -> None:
    async def check() -> None:
        store = database(conninfo)
        answers = await asyncio.gather(*(store.fetch("get", number) for number in range(1, 1001)))
        assert [rows[0] for rows in answers] == [(n, n.to_bytes(8, "big")) for n in range(1, 1001)]
        pids = {(await store.fetch("pid"))[0][0] for _ in range(20)}
        assert len(pids) <= 2
        await store.close()

    pg.run(check())


def test_back_pressure_and_order(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_UNITS_IN_FLIGHT", 5)
    monkeypatch.setattr(connection, "MAX_BYTES_IN_FLIGHT", 3000)
    finished: list[int] = []

    async def check() -> None:
        link = await Link.connect(conninfo)

        async def put(number: int) -> None:
            await link.run([(PUT, [number, b"x" * 1000])])
            finished.append(number)

        tasks = [asyncio.create_task(put(number)) for number in range(2000, 2100)]
        most = 0
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            most = max(most, link._units)
            assert link._units <= 5 and link._bytes <= 3100
        assert most == 2  # three of them are over 3000 bytes
        assert finished == list(range(2000, 2100))
        big = b"y" * 5_000_000
        assert (await link.run([(PUT, [1, big]), (Statement("l", "SELECT length($1::bytea)"), [big])]))[1] == [
            (5_000_000,)
        ]
        link.close()

    pg.run(check())


def test_a_unit_is_atomic_and_alone_in_its_fault(conninfo: str) -> None:
    async def check() -> None:
        link = await Link.connect(conninfo)
        before = asyncio.create_task(link.run([(PUT, [5001, b""])]))
        broken = asyncio.create_task(link.run([(PUT, [5002, b""]), (DIVIDE, [0]), (PUT, [5003, b""])]))
        double = asyncio.create_task(link.run([(PUT, [5004, b""]), (PUT_STRICT, [1, b""])]))
        after = asyncio.create_task(link.run([(PUT, [5005, b""]), (COUNT, [])]))
        assert (await before)[0].affected == 1
        with pytest.raises(StatementFailed) as failed:
            await broken
        assert (failed.value.sqlstate, failed.value.statement) == ("22012", "divide")
        with pytest.raises(StatementFailed) as failed:
            await double
        assert (failed.value.sqlstate, failed.value.constraint) == ("23505", "item_pkey")
        assert (await after)[1] == [(1002,)]
        ids = await link.run([(Statement("ids", "SELECT id FROM item WHERE id > 5000 ORDER BY 1"), [])])
        assert ids == [[(5001,), (5005,)]]
        # What was prepared within the broken segments is still usable, and nothing was left behind.
        assert (await link.run([(DIVIDE, [1])]))[0] == [(1,)]
        with pytest.raises(InvalidArgument):
            await link.run([(PUT, [1, "a\0"])])
        assert link.load == 0
        link.close()

    pg.run(check())


def test_a_statement_that_cannot_be_prepared_fails_all_that_use_it(conninfo: str) -> None:
    late = Statement("late", "SELECT * FROM made_later")

    async def check() -> None:
        link = await Link.connect(conninfo)
        answers = await asyncio.gather(*(link.run([(COUNT, []), (late, [])]) for _ in range(3)), return_exceptions=True)
        assert [getattr(answer, "sqlstate", answer) for answer in answers] == ["42P01"] * 3
        await link.run([(Statement("make", "CREATE TABLE made_later AS SELECT 1 AS a"), [])])
        assert (await link.run([(late, [])]))[0] == [(1,)]
        # A changed table makes the plan stale: the link gives itself up, and the database finds a new one.
        store = database(conninfo)
        assert await store.fetch(late) == [(1,)]
        await link.run([(Statement("alter", "ALTER TABLE made_later ADD b int DEFAULT 2"), [])])
        assert await store.fetch(late) == [(1, 2)]
        await store.close()
        link.close()

    pg.run(check())


def test_the_deadline_closes_the_link(conninfo: str) -> None:
    async def check() -> None:
        lost: list[Link] = []
        link = await Link.connect(conninfo, on_lost=lost.append)
        await link.run([(SLEEP, [0.0]), (COUNT, [])])  # prepared: an answer within the deadline would be a sign of life
        began = time.monotonic()
        slow = asyncio.create_task(link.run([(SLEEP, [20.0])], deadline=0.3))
        behind = asyncio.create_task(link.run([(COUNT, [])], deadline=10))
        for task in (slow, behind):
            with pytest.raises(ConnectionLost, match="in time"):
                await task
        assert 0.25 < time.monotonic() - began < 1.0
        assert lost == [link] and link.closed
        with pytest.raises(Unavailable):
            await link.run([(COUNT, [])])

    pg.run(check())


def test_a_cancelled_caller_leaves_the_link_usable(conninfo: str) -> None:
    async def check() -> None:
        link = await Link.connect(conninfo)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(link.run([(SLEEP, [0.2])]), 0.05)
        assert (await link.run([(COUNT, [])]))[0] == [(1000,)]
        assert link.load == 0 and link._timer is None
        link.close()

    pg.run(check())


def test_many_rows_do_not_hold_the_loop(conninfo: str) -> None:
    many = Statement("many", "SELECT i::bigint, i::text, int8send(i) FROM generate_series(1, 60000) i")

    async def check() -> None:
        link = await Link.connect(conninfo)
        shares = []
        for _ in range(3):  # another program that has the processor holds it as well: not three times the worst
            began = last = time.perf_counter()
            longest = 0.0
            task = asyncio.create_task(link.run([(many, [])]))
            while not task.done():
                await asyncio.sleep(0)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
            rows = task.result()[0]
            assert len(rows) == rows.affected == 60_000 and rows[59_999][:2] == (60_000, "60000")
            shares.append(longest / (last - began))
        assert min(shares) < 0.25, f"the loop was held for {shares} of the time"
        link.close()

    pg.run(check())


def test_faults_have_classes(conninfo: str) -> None:
    def raising(sqlstate: str) -> Statement:
        return Statement("raise", f"DO $$ BEGIN RAISE EXCEPTION 'said so' USING ERRCODE = '{sqlstate}'; END $$")

    async def check() -> None:
        link = await Link.connect(conninfo)
        kinds: dict[str, type[Exception]] = {"MD001": Fenced, "40001": Retry, "40P01": Retry, "57014": DeadlineExceeded}
        for sqlstate, kind in kinds.items():
            with pytest.raises(kind, match="said so"):
                await link.run([(raising(sqlstate), [])])
        with pytest.raises(ConnectionLost):
            await link.run([(raising("57P01"), [])])
        assert link.closed

    pg.run(check())


def test_a_terminated_backend_is_replaced(conninfo: str) -> None:
    async def check() -> None:
        changes: list[str] = []
        store = database(conninfo, readers=1)
        store.on_change = lambda: changes.append(store.state)
        await store.wait_ready(5)
        for _ in range(3):
            reader = (await store.fetch("pid"))[0][0]
            writer = (await store.run([("pid", ())]))[0][0][0]
            assert reader != writer
            slow = asyncio.create_task(store.fetch("sleep", 0.3))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(terminate, conninfo, reader)
            await asyncio.to_thread(terminate, conninfo, writer)
            assert len(await slow) == 1
            assert (await store.run([("put", (7000, b"")), ("count", ())]))[1] == [(1001,)]
            assert (await store.fetch("pid"))[0][0] != reader
        assert changes == ["ready"] + ["unavailable", "ready"] * 3
        await store.close()

    pg.run(check())


def test_a_frozen_backend_costs_no_more_than_the_deadline(conninfo: str) -> None:
    async def check() -> None:
        store = database(conninfo, readers=1)
        await store.wait_ready(5)
        pid = (await store.run([("pid", ())]))[0][0][0]
        os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(Unavailable):
                await store.run([("put", (8000, b"frozen"))], deadline=1.0)
            assert 0.9 < time.monotonic() - began < 1.3
            # Another attempt is made on a new connection, while the old backend is still frozen.
            assert (await store.run([("put", (8001, b""))], deadline=1.0, give_up_after=5.0))[0].affected == 1
        finally:
            os.kill(pid, signal.SIGCONT)
        assert (await store.run([("put", (8000, b"")), ("count", ())]))[1] == [(1002,)]
        await store.close()

    pg.run(check())


def test_wrong_connection_strings_are_said_clearly() -> None:
    async def check() -> None:
        for text, words in (
            ("host=/nonexistent user=nobody", "no connection.*/nonexistent"),
            ("host=127.0.0.1 port=1", "refused"),
            ("no connection string", "cannot be used"),
        ):
            store = Database(text, STATEMENTS, readers=1)
            began = time.monotonic()
            with pytest.raises(Unavailable, match=words):
                await store.fetch("count", deadline=0.3)
            with pytest.raises(Unavailable, match=words):
                await store.wait_ready(0.3)
            assert time.monotonic() - began < 2
            assert store.problem
            await store.close()

    pg.run(check())


def test_an_idle_database_has_no_timers_and_no_traffic(conninfo: str) -> None:
    async def check() -> None:
        store = database(conninfo)
        await store.wait_ready(5)
        await asyncio.gather(*(store.fetch("count") for _ in range(50)))
        links = [seat.link for seat in (store._writer, *store._readers) if seat.link is not None]
        assert len(links) >= 2
        for link in links:
            assert link._timer is None and link.load == 0
        switches = _voluntary_switches()
        await asyncio.sleep(1.0)
        assert _voluntary_switches() - switches < 10
        await store.close()

    pg.run(check())


def test_links_are_closed_when_nothing_is_asked_and_come_back(conninfo: str) -> None:
    async def check() -> None:
        rested: list[float] = []
        loop = asyncio.get_running_loop()
        store = database(conninfo, idle_seconds=0.4, on_idle=lambda: rested.append(loop.time()))
        await store.wait_ready(5)
        # What takes longer than the pause is work too.
        assert (await store.run([("sleep", (1.0,))]))[0] == [("",)]
        await asyncio.gather(*(store.fetch("count") for _ in range(50)))
        assert rested == []
        await asyncio.sleep(2.0)
        assert len(rested) == 1
        assert [seat.open for seat in (store._writer, *store._readers)] == [None, None, None]
        assert store._rest is None
        assert store.state == "ready"
        assert (await store.fetch("count"))[0] == (1000,)
        await store.run([("put", (2000, b"x"))])
        await asyncio.sleep(2.0)
        assert len(rested) == 2
        await store.close()

    pg.run(check())


def _voluntary_switches() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("voluntary"))


def test_a_dedicated_link_holds_a_lock_and_says_when_it_is_lost(conninfo: str) -> None:
    lock = Statement("lock", "SELECT pg_try_advisory_lock(42)")

    async def check() -> None:
        store, lost = database(conninfo, readers=0), asyncio.Event()
        first = await store.dedicated(lambda link: lost.set())
        second = await store.dedicated()
        assert await first.run([(lock, [])]) == [[(True,)]]
        assert await second.run([(lock, [])]) == [[(False,)]]
        await asyncio.to_thread(terminate, conninfo, first.backend_pid)
        await asyncio.wait_for(lost.wait(), 2)
        assert "terminat" in first.problem
        assert await second.run([(lock, [])]) == [[(True,)]]
        assert isinstance((await store.fetch(Statement("u", "SELECT gen_random_uuid()")))[0][0], UUID)
        await store.close()
        assert second.closed

    pg.run(check())


def test_it_also_runs_on_the_standard_loop(conninfo: str) -> None:
    async def check() -> None:
        store = database(conninfo)
        answers = await asyncio.gather(*(store.fetch("get", number) for number in range(1, 301)))
        assert [rows[0][0] for rows in answers] == list(range(1, 301))
        await store.close()

    asyncio.run(check())
