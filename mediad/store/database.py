"""The database as the rest of the daemon sees it: named statements, a writer, some readers, lost connections mended."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from mediad.errors import MediadError, Unavailable
from mediad.store.connection import Link
from mediad.store.faults import ConnectionLost, Retry
from mediad.store.queries import BY_KEY, BY_PAGE, Statement
from mediad.store.values import Parameter, Rows

# docs/reliability 5. The daemon's own deadlines are shorter; these end what a dead daemon left behind.
SESSION_SETTINGS: Mapping[str, str] = {
    "synchronous_commit": "on",
    "lock_timeout": "2s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "10s",
    "search_path": "mediadb,pg_catalog",
    "client_min_messages": "warning",
    # Starting a parallel worker, or compiling, takes longer than a page.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}

# A second reader costs a backend of some megabytes: it is opened once the first has this much to do.
READER_BUSY = 4

# After a loss the writer is sought this long unasked (a server's restart takes 1 to 8 s), then only on demand.
SEEK_SECONDS = 60.0

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


def pauses() -> Callable[[], float]:
    """Seconds to wait before each next attempt: 50 ms, doubled up to 1 s, each cut at random by up to a half."""
    upper = _FIRST_PAUSE

    def next_pause() -> float:
        nonlocal upper
        pause, upper = upper, min(upper * 2, _LONGEST_PAUSE)
        return pause * random.uniform(0.5, 1.0)

    return next_pause


class _Seat:
    """A place for one link: opened on demand, one attempt at a time however many wait for it."""

    def __init__(self, connect: Callable[[float], Awaitable[Link]], on_failure: Callable[[MediadError], None]) -> None:
        self._connect = connect
        self._on_failure = on_failure
        self._seek: asyncio.Task[None] | None = None
        self._until = 0.0
        self._closed = False
        self.link: Link | None = None
        self.problem = "not connected yet"

    @property
    def open(self) -> Link | None:
        return self.link if self.link is not None and not self.link.closed else None

    def seek(self, until: float) -> asyncio.Task[None]:
        """Make attempts until the loop's time `until`; joins one that is under way, prolonging it."""
        self._until = max(self._until, until)
        if self._seek is None or self._seek.done():
            self._until = until
            self._seek = asyncio.get_running_loop().create_task(self._attempt())
        return self._seek

    async def _attempt(self) -> None:
        loop = asyncio.get_running_loop()
        pause = pauses()
        while True:
            try:
                self.link = await self._connect(max(0.05, self._until - loop.time()))
                return
            except MediadError as error:
                self.problem = error.message
                self._on_failure(error)
            delay = pause()
            if loop.time() + delay >= self._until:
                return
            await asyncio.sleep(delay)

    async def acquire(self, until: float) -> Link:
        """The link, opened if need be. Raises Unavailable at the loop's time `until`."""
        loop = asyncio.get_running_loop()
        while (link := self.open) is None:
            left = until - loop.time()
            if left <= 0:
                raise Unavailable(self.problem)
            if self._closed:
                raise Unavailable("the database connection was closed")
            seek = self.seek(until)
            await asyncio.wait([seek], timeout=left)
            if seek.done() and not seek.cancelled():
                seek.result()
            if self.open is None and loop.time() + _FIRST_PAUSE >= until:
                raise Unavailable(self.problem)
        return link

    async def close(self) -> None:
        self._closed = True
        if self._seek is not None:
            self._seek.cancel()
            await asyncio.wait([self._seek])
        if self.link is not None:
            self.link.close()


class Database:
    """Named statements over one writer and `readers` reader connections (0: the writer reads too).

    `conninfo` is a libpq connection string, or gives one before each attempt. `deadline` is in seconds, for a request
    that names none. `state` is "starting" until the writer is there for the first time, then "ready" or "unavailable",
    with the reason in `problem`; `on_change` is called after each change. Nothing is opened before it is needed. After
    `idle_seconds` without a statement (0: never) the links are closed, since each holds a backend of some megabytes,
    and `on_idle` is called; the next statement opens them again, in some milliseconds. From then on, and while nothing
    was ever asked, no timer runs."""

    def __init__(
        self,
        conninfo: Callable[[], Awaitable[str]] | str,
        statements: Mapping[str, Statement],
        *,
        readers: int = 2,
        deadline: float = 5.0,
        session_settings: Mapping[str, str] | None = None,
        idle_seconds: float = 0.0,
        on_change: Callable[[], None] | None = None,
        on_idle: Callable[[], None] | None = None,
    ) -> None:
        self._conninfo = conninfo
        self._statements = statements
        self._deadline = deadline
        self._settings = {**SESSION_SETTINGS, **(session_settings or {})}
        self.on_change = on_change
        self.state = "starting"
        self.problem = "not connected yet"
        self._closing = False
        self._writer = _Seat(self._connect_writer, self._note_failure)
        self._readers = [_Seat(self._connect_reader, lambda error: None) for _ in range(readers)]
        self._dedicated: set[Link] = set()
        self._idle_seconds = idle_seconds
        self.on_idle = on_idle
        self._used = 0.0
        self._rest: asyncio.TimerHandle | None = None

    async def conninfo(self, **settings: str) -> str:
        """The connection string with the session's settings, those given winning. Raises Unavailable for one that libpq
        cannot read, and what the callable raises."""
        text = self._conninfo if isinstance(self._conninfo, str) else await self._conninfo()
        try:
            given = str(conninfo_to_dict(text).get("options") or "")
            merged = {**self._settings, **settings}
            options = " ".join([given, *(f"-c {name}={_escape(value)}" for name, value in merged.items())]).strip()
            return make_conninfo(text, application_name="mediad", client_encoding="UTF8", options=options)
        except psycopg.Error as error:
            # Not libpq's sentence: it quotes the string, and a password may stand in it.
            raise Unavailable("the connection string cannot be used: libpq cannot read it") from error

    async def fetch(self, statement: str | Statement, *parameters: Parameter, deadline: float | None = None) -> Rows:
        """Run one statement that reads, on the least busy reader; over a lost connection it is repeated.

        Raises Unavailable when `deadline` seconds have passed, and what the statement raises (faults.fault_of)."""
        loop = asyncio.get_running_loop()
        until = self._use() + (self._deadline if deadline is None else deadline)
        unit = self._unit([(statement, parameters)])
        pause = pauses()
        while True:
            link = await self._reader(until)
            try:
                return (await link.run(unit, deadline=until - loop.time()))[-1]
            except (ConnectionLost, Retry, Unavailable) as error:
                if link.overdue:
                    self._doubt_readers()
                if not isinstance(error, ConnectionLost | Retry):
                    raise
                await self._wait_before_repeating(error, pause(), until)

    def _doubt_readers(self) -> None:
        """One did not answer in time: the others may be frozen likewise. What they have in flight is asked again."""
        for seat in self._readers:
            if seat.open is not None:
                seat.open.close()

    async def run(
        self,
        unit: Sequence[tuple[str | Statement, Sequence[Parameter]]],
        *,
        deadline: float | None = None,
        give_up_after: float | None = None,
    ) -> list[Rows]:
        """Run statements on the writer as one transaction; one Rows a statement.

        Over a lost connection, a deadlock or a serialization failure the WHOLE unit is repeated, even where it may have
        been committed the first time: write it so that twice is as good as once, and do not read much into the rows it
        affected. An attempt takes at most `deadline`
        seconds, all of them `give_up_after` (by default the deadline); then Unavailable is raised, and the outcome is
        unknown. Otherwise raises what the statements raise: then nothing was stored."""
        loop = asyncio.get_running_loop()
        attempt = self._deadline if deadline is None else deadline
        until = self._use() + (attempt if give_up_after is None else give_up_after)
        statements = self._unit(unit)
        pause = pauses()
        while True:
            link = await self._writer.acquire(until)
            try:
                return (await link.run(statements, deadline=min(attempt, until - loop.time())))[-len(unit) :]
            except (ConnectionLost, Retry) as error:
                await self._wait_before_repeating(error, pause(), until)

    async def wait_ready(self, timeout: float) -> None:
        """Open the writer within `timeout` seconds. Raises Unavailable."""
        await self._writer.acquire(asyncio.get_running_loop().time() + timeout)

    async def dedicated(self, on_lost: Callable[[Link], None] | None = None, *, deadline: float | None = None) -> Link:
        """Open a link of the caller's own, for what hangs on a session (pg_try_advisory_lock). It is not reopened:
        `on_lost` is told, and whatever the session held is gone. `Link.close` ends it, and so does `close` here."""

        def lost(link: Link) -> None:
            self._dedicated.discard(link)
            if on_lost is not None:
                on_lost(link)

        seconds = self._deadline if deadline is None else deadline
        link = await Link.connect(await self.conninfo(), deadline=seconds, on_lost=lost)
        self._dedicated.add(link)
        return link

    async def close(self) -> None:
        """Close all links; what is in flight raises Unavailable."""
        self._closing = True
        if self._rest is not None:
            self._rest.cancel()
        for seat in (self._writer, *self._readers):
            await seat.close()
        for link in self._dedicated:
            link.close()
        self._dedicated.clear()
        self._change("unavailable", "the database connection was closed")

    def _unit(
        self, unit: Sequence[tuple[str | Statement, Sequence[Parameter]]]
    ) -> list[tuple[Statement, Sequence[Parameter]]]:
        """The statements of a unit, behind BY_KEY or BY_PAGE when one of them asks for it."""
        statements = [(self._statement(statement), parameters) for statement, parameters in unit]
        if any(statement.keyed for statement, _ in statements):
            return [(BY_KEY, ()), *statements]
        if any(statement.paged for statement, _ in statements):
            return [(BY_PAGE, ()), *statements]
        return statements

    def _use(self) -> float:
        """Notes that there is work; the loop's time."""
        loop = asyncio.get_running_loop()
        self._used = loop.time()
        if self._rest is None and self._idle_seconds and not self._closing:
            self._rest = loop.call_later(self._idle_seconds, self._look_idle)
        return self._used

    def _look_idle(self) -> None:
        """Closes the links when nothing was asked for long enough; else looks again when that may be so."""
        loop = asyncio.get_running_loop()
        links = [link for seat in (self._writer, *self._readers) if (link := seat.open) is not None]
        rested = loop.time() - self._used
        if rested < self._idle_seconds or any(link.load for link in links):
            self._rest = loop.call_later(max(1.0, self._idle_seconds - rested), self._look_idle)
            return
        self._rest = None
        for link in links:
            link.close()
        if self.on_idle is not None:
            self.on_idle()

    def _statement(self, statement: str | Statement) -> Statement:
        return self._statements[statement] if isinstance(statement, str) else statement

    async def _reader(self, until: float) -> Link:
        links = [link for seat in self._readers if (link := seat.open) is not None]
        if not links:
            return await (self._readers[0] if self._readers else self._writer).acquire(until)
        best = min(links, key=lambda link: link.load)
        if best.load >= READER_BUSY and len(links) < len(self._readers):
            # This request does not wait for the new one; later ones find it.
            next(seat for seat in self._readers if seat.open is None).seek(until)
        return best

    async def _wait_before_repeating(self, error: MediadError, pause: float, until: float) -> None:
        loop = asyncio.get_running_loop()
        if self._closing or loop.time() + pause >= until:
            raise Unavailable(error.message, error.input) from error
        await asyncio.sleep(pause)

    async def _connect_writer(self, seconds: float) -> Link:
        link = await self._open(seconds, self._writer_lost)
        self._change("ready", "")
        return link

    async def _connect_reader(self, seconds: float) -> Link:
        return await self._open(seconds, None)

    async def _open(self, seconds: float, on_lost: Callable[[Link], None] | None) -> Link:
        if self._closing:
            raise Unavailable("the database connection was closed")
        # One attempt against a server that does not answer must not use up all of a long wait.
        return await Link.connect(await self.conninfo(), deadline=min(seconds, self._deadline), on_lost=on_lost)

    def _writer_lost(self, link: Link) -> None:
        self._change("unavailable", link.problem)
        self._writer.seek(asyncio.get_running_loop().time() + SEEK_SECONDS)

    def _note_failure(self, error: MediadError) -> None:
        if not self._closing:
            self._change("starting" if self.state == "starting" else "unavailable", error.message)

    def _change(self, state: str, problem: str) -> None:
        if (state, problem) == (self.state, self.problem):
            return
        self.state, self.problem = state, problem
        if self.on_change is not None:
            self.on_change()


def _escape(value: str) -> str:
    """An option's value in libpq's `options`: white space and backslashes are escaped by a backslash."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
