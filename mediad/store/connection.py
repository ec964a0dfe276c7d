"""One libpq connection in pipeline mode on the running loop.

psycopg's own AsyncConnection is not used: on a deadline it first tries to cancel, for 5 s, and against a frozen backend
that is 5 s of silence; it also wakes ten times a second while it waits for notifications. Here libpq is driven through
`psycopg.pq` with the loop's reader and writer callbacks, and what is overdue has its connection closed.
libpq's rules: PostgreSQL manual, "libpq", sections "Asynchronous Command Processing" and "Pipeline Mode"."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn, PGresult

from mediad.errors import MediadError, Unavailable
from mediad.store.faults import ConnectionLost, fault_of
from mediad.store.opening import brief, error_of, open_connection
from mediad.store.queries import Statement
from mediad.store.segments import Commands, Preparation, Unit
from mediad.store.values import Decoder, Rows

# More in flight gains nothing: the server answers one connection in order. Beyond, units wait in this process.
MAX_UNITS_IN_FLIGHT = 256
MAX_BYTES_IN_FLIGHT = 1 << 20

# How long one callback may hold the loop; what is left is continued in the loop's next round.
CALLBACK_BUDGET = 0.003

_BINARY = int(pq.Format.BINARY)
_OK = int(pq.ExecStatus.COMMAND_OK)
_ROWS = int(pq.ExecStatus.TUPLES_OK)
_SYNC = int(pq.ExecStatus.PIPELINE_SYNC)
_ABORTED = int(pq.ExecStatus.PIPELINE_ABORTED)
_FAILED = int(pq.ExecStatus.FATAL_ERROR)


class Link:
    """One connection. `run` may be called as often as one likes at the same time: units are sent at once and answered
    in order; one that fails is rolled back and leaves the others alone. Made by `Link.connect`."""

    def __init__(self, pgconn: PGconn, on_lost: Callable[[Link], None] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._pgconn = pgconn
        self._on_lost = on_lost
        self._socket = pgconn.socket
        self._segments: deque[Unit | Preparation] = deque()
        self._waiting: deque[Unit] = deque()
        self._prepared: dict[Statement, Preparation] = {}
        self._names = 0
        self._units = 0
        self._bytes = 0
        self._within_command = False
        self._decoder = Decoder()
        self._decoding = False
        self._continuing = False
        self._writing = False
        self._timer: asyncio.TimerHandle | None = None
        self._notice = ""
        self.closed = False
        self.overdue = False  # it was closed because it did not answer in time
        self._moved = 0.0  # when the server last did something, or was given something to do
        self.problem = ""
        self.on_notify: Callable[[], None] | None = None  # of a connection that listens (LISTEN)
        self.backend_pid = pgconn.backend_pid
        pgconn.notice_handler = self._notify
        pgconn.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def connect(
        cls, conninfo: str, *, deadline: float = 5.0, on_lost: Callable[[Link], None] | None = None
    ) -> Link:
        """Connect within `deadline` seconds. `on_lost` is called once, when the connection ends in any way but `close`.
        Raises ConnectionLost."""
        return cls(await open_connection(conninfo, deadline), on_lost)

    @property
    def load(self) -> int:
        """Units sent or waiting to be sent."""
        return self._units + len(self._waiting)

    async def run(self, unit: Commands, *, deadline: float = 5.0) -> list[Rows]:
        """Run statements as one transaction, wholly or not at all; one Rows a statement.

        Statements are prepared before their unit begins: one that uses what its own unit creates says `prepared=False`.
        Waits for room while too much is in flight. After `deadline` seconds Unavailable is raised when the server is at
        work on others' statements; when it did nothing for so long the connection is closed, and whatever is in flight
        on it raises ConnectionLost: then it is not known whether it was committed. Raises what
        `faults.fault_of` makes of the server's error, and what `values.encode` says of a parameter."""
        if self.closed:
            raise ConnectionLost(self.problem)
        if not unit:
            return []
        done: asyncio.Future[list[Rows]] = self._loop.create_future()
        request = Unit(unit, deadline, self._loop.time() + deadline, done)
        if self._waiting or not self._has_room(request):
            self._waiting.append(request)
        else:
            self._send(request)
        if not done.done() and (self._timer is None or request.until < self._timer.when()):
            self._set_timer(request.until)
        return await done

    def close(self) -> None:
        """Close at once; what is in flight raises ConnectionLost. `on_lost` is not called."""
        self._on_lost = None
        self._lose("the database connection was closed")

    def _has_room(self, unit: Unit) -> bool:
        if not self._units:
            return True
        return self._units < MAX_UNITS_IN_FLIGHT and self._bytes + unit.size <= MAX_BYTES_IN_FLIGHT

    def _send(self, unit: Unit) -> None:
        pgconn = self._pgconn
        if not self._segments:
            self._moved = self._loop.time()
        try:
            for statement, _, _ in unit.commands:
                unit.preparations.append(self._prepare(statement) if statement.prepared else None)
            for (statement, values, formats), preparation in zip(unit.commands, unit.preparations, strict=True):
                if preparation is None:
                    pgconn.send_query_params(statement.sql.encode(), values, None, formats, _BINARY)
                else:
                    pgconn.send_query_prepared(preparation.name, values, formats, _BINARY)
            self._units += 1
            self._bytes += unit.size
            self._segments.append(unit)
            pgconn.pipeline_sync()
        except psycopg.Error as error:
            # Half a segment may be out: nothing that follows on this connection could be trusted.
            unit.fail(ConnectionLost(f"the database connection was lost: {brief(str(error))}"))
            self._lose(f"the database connection was lost: {brief(str(error))}")
            return
        self._flush()

    def _prepare(self, statement: Statement) -> Preparation:
        preparation = self._prepared.get(statement)
        if preparation is None:
            self._names += 1
            preparation = Preparation(statement, b"s%d" % self._names)
            self._prepared[statement] = preparation
            self._pgconn.send_prepare(preparation.name, statement.sql.encode("utf-8"))
            self._segments.append(preparation)
            self._pgconn.pipeline_sync()
        return preparation

    def _flush(self) -> None:
        try:
            unsent = bool(self._pgconn.flush())
        except psycopg.Error as error:
            self._lose(f"the database connection was lost: {brief(str(error))}")
            return
        if unsent != self._writing:
            self._writing = unsent
            if unsent:
                self._loop.add_writer(self._socket, self._flush)
            else:
                self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
        except psycopg.Error:
            # Answers that came before the end are still good: a commit that was acknowledged stays acknowledged.
            self._process(final=True)
            self._lose(f"the database connection was lost: {self._notice or error_of(self._pgconn)}")
            return
        if not self._continuing:
            self._process()
        if self.on_notify is not None and not self.closed:
            told = False
            while self._pgconn.notifies() is not None:
                told = True
            if told:
                self.on_notify()
        if self._writing and not self.closed:
            self._flush()

    def _continue(self) -> None:
        self._continuing = False
        if not self.closed:
            self._process()

    def _process(self, final: bool = False) -> None:
        """Take what libpq has received, until it wants more or, but for the `final` look, the time is up."""
        stop_at = perf_counter() + CALLBACK_BUDGET
        while self._segments and not self.closed:
            if not final and perf_counter() > stop_at:
                self._continuing = True
                self._loop.call_soon(self._continue)
                return
            if self._decoding:
                self._decode()
                continue
            if self._pgconn.is_busy():
                return
            result = self._pgconn.get_result()
            if result is not None:
                self._take(result)
            elif self._within_command:
                self._within_command = False
            else:
                return

    def _take(self, result: PGresult) -> None:
        status = result.status
        self._moved = self._loop.time()
        if status == _SYNC:
            self._end_segment()
            return
        self._within_command = True
        segment = self._segments[0]
        if isinstance(segment, Preparation):
            if status != _OK:
                segment.fault = fault_of(result, segment.statement.name)
        elif status == _ROWS:
            self._decoder.begin(result)
            self._decoding = True
            self._decode()
        elif status == _OK:
            segment.results.append(Rows(affected=result.command_tuples or 0))
        elif status == _FAILED:
            segment.take_fault(result)
        elif status != _ABORTED:
            statement = segment.commands[len(segment.results)][0]
            self._lose(f"statement {statement.name!r} cannot be run in a pipeline (result status {status})")
        if isinstance(segment.fault, ConnectionLost):
            self._lose(segment.fault.message)

    def _decode(self) -> None:
        segment = self._segments[0]
        assert isinstance(segment, Unit)
        try:
            finished = self._decoder.step()
        except (psycopg.Error, ValueError, OverflowError) as error:
            # A value with no Python counterpart (a date of the year 294276): the statement should cast it.
            segment.fault = MediadError(f"a result cannot be decoded: {error}", segment.commands[0][0].name)
            segment.results.append(Rows())
            self._decoding = False
            return
        if finished:
            segment.results.append(self._decoder.rows)
            self._decoding = False

    def _end_segment(self) -> None:
        segment = self._segments.popleft()
        if isinstance(segment, Preparation):
            if segment.fault and self._prepared.get(segment.statement) is segment:
                del self._prepared[segment.statement]
            return
        self._units -= 1
        self._bytes -= segment.size
        if segment.fault:
            segment.fail(segment.fault)
        elif not segment.done.done():
            segment.done.set_result(segment.results)
        while self._waiting and not self.closed and self._has_room(self._waiting[0]):
            waiting = self._waiting.popleft()
            if not waiting.done.done():
                self._send(waiting)
        if not self._units and not self._waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._expire)

    def _expire(self) -> None:
        """Fail what waited too long, and look again in time. The connection is closed when the server did nothing at
        all for as long as the statement whose turn it is may take: behind others that it works on, one waits in vain,
        but nothing is wrong with the server."""
        self._timer = None
        now = self._loop.time()
        sent = [segment for segment in self._segments if isinstance(segment, Unit)]
        if sent and sent[0].until <= now and now - self._moved >= sent[0].seconds - 0.001:
            self.overdue = True
            self._lose("the database did not answer in time; the connection was closed")
            return
        for unit in [unit for unit in self._waiting if unit.until <= now]:
            self._waiting.remove(unit)
            unit.fail(Unavailable("the database is too busy: the deadline passed before the statement was sent"))
        for unit in sent:
            if unit.until <= now:
                unit.fail(Unavailable("the database is too busy: the deadline passed before the answer came"))
        times = [unit.until for unit in (*sent, *self._waiting) if unit.until > now]
        if sent:
            times.append(max(sent[0].until, self._moved + sent[0].seconds))
        if times:
            self._set_timer(max(min(times), now + 0.01))

    def _notify(self, notice: PGresult) -> None:
        """Keep a FATAL message that arrives while nothing is in flight: it says why the connection is about to end."""
        if notice.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED) in (b"FATAL", b"PANIC"):
            self._notice = (notice.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode("utf-8", "replace")

    def _lose(self, problem: str) -> None:
        if self.closed:
            return
        self.closed = True
        self.problem = problem
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pgconn.finish()
        units = [segment for segment in self._segments if isinstance(segment, Unit)]
        units.extend(self._waiting)
        self._segments.clear()
        self._waiting.clear()
        self._units = self._bytes = 0
        for unit in units:
            unit.fail(ConnectionLost(problem))
        if self._on_lost is not None:
            self._on_lost(self)
