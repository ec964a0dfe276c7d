"""The asyncio client: the same session and the same methods as `mediactl.client`, on the running loop of any kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, cast

from mediactl import __version__, decode, questions, requests
from mediactl.client import ANSWER_SECONDS, GRACE_SECONDS, RECONNECT_SECONDS, ProgressCallback
from mediactl.locate import ConnectionLost, DaemonNotRunning, connect, list_sockets
from mediactl.model import AddResult, ChecksumResult, ForgetResult, GetResult, Handler, Item, Page, Root, Status
from mediactl.workcalls import Call, T
from mediad.errors import DeadlineExceeded, InvalidArgument, ProtocolError, ShuttingDown, Unavailable
from mediad.wire import events
from mediad.wire.convert import error_from_wire
from mediad.wire.session import ClientSession
from mediadb_contract import mediadb_pb2 as pb


class _Call:
    """A request in flight: its replies so far, and the future of all of them."""

    __slots__ = ("done", "keep", "progress", "replies")

    def __init__(
        self, done: asyncio.Future[list[pb.Reply]], progress: ProgressCallback | None,
        keep: Callable[[pb.Reply], None] | None = None,
    ) -> None:  # fmt: skip
        self.done = done
        self.progress = progress
        self.replies: list[pb.Reply] = []
        self.keep = keep or self.replies.append


def _fail(waited: asyncio.Future[Any], error: Exception) -> None:
    """Gives `error` to whoever waits, now or later. Looked at once, since nobody waiting is no fault to be logged."""
    if not waited.done():
        waited.set_exception(error)
        waited.exception()


class _Connection(asyncio.Protocol):
    """The transport's side: bytes to events, events to calls."""

    def __init__(self) -> None:
        self.session = ClientSession(f"mediactl/{__version__}")
        self.calls: dict[int, _Call] = {}
        self.greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.writable = asyncio.Event()
        self.freed = asyncio.Event()
        self.lost: Exception | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.writable.set()
        self.transport.write(self.session.hello())

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        self.session.receive_data(data)
        while (event := self.session.next_event()) is not None:
            if isinstance(event, events.ReplyReceived):
                self._take(event.reply)
            elif isinstance(event, events.Greeted):
                if not self.greeted.done():
                    self.greeted.set_result(None)
            elif isinstance(event, events.Refused):
                self.lose(event.error)
            elif isinstance(event, events.ProtocolError):
                self.lose(ProtocolError(f"mediad sent what is not its protocol: {event.message}"))
            elif isinstance(event, events.ConnectionEnded):
                self.lose(event.error or ConnectionLost("mediad ended the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lose(ConnectionLost(f"the connection to mediad is lost: {exc or 'mediad ended it'}"))

    def _take(self, reply: pb.Reply) -> None:
        call = self.calls[reply.id]
        if reply.last:
            del self.calls[reply.id]
            self.freed.set()
        if call.done.done():
            return  # given up
        if reply.HasField("error"):
            call.done.set_exception(error_from_wire(reply.error))
            return
        if reply.HasField("progress"):
            if call.progress is not None:
                call.progress(decode.decode_progress(reply.progress))
        elif reply.WhichOneof("result"):
            call.keep(reply)
        if reply.last:
            call.done.set_result(call.replies)

    def lose(self, error: Exception) -> None:
        """Ends the connection; whoever waits gets `error`, later calls make a new one."""
        if self.lost is not None:
            return
        self.lost = error
        if self.transport is not None:
            self.transport.abort()
        calls, self.calls = self.calls, {}
        for call in calls.values():
            _fail(call.done, error)
        _fail(self.greeted, error)
        self.writable.set()
        self.freed.set()


class AsyncClient:
    """A connection to mediad on the running loop, with the arguments, results and errors of `mediactl.Client`.
    Tasks may call it at the same time; more than the daemon allows in flight wait their turn."""

    def __init__(
        self, socket_path: str | None = None, *, actor: str = "", timeout: float | None = ANSWER_SECONDS
    ) -> None:
        self.actor = actor
        self.timeout = timeout
        self._paths = list_sockets(socket_path)
        self._connection: _Connection | None = None
        self._connecting: asyncio.Lock | None = None

    async def __aenter__(self) -> AsyncClient:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    @property
    def greeting(self) -> pb.Greeting | None:
        return self._connection.session.greeting if self._connection else None

    def close(self) -> None:
        """Ends the connection. Requests in flight are given up."""
        if self._connection is not None:
            self._connection.lose(ConnectionLost("the client was closed"))
            self._connection = None

    async def connect(self, patience: float = 0.0) -> None:
        """Connects unless connected. `patience`: seconds to wait for a daemon that is not there (yet)."""
        await self._connected(patience)

    async def _connected(self, patience: float = 0.0) -> _Connection:
        if self._connection is not None and self._connection.lost is None and self._connection.greeted.done():
            return self._connection
        self._connecting = self._connecting or asyncio.Lock()
        async with self._connecting:
            if self._connection is None or self._connection.lost is not None:
                self._connection = await self._open(patience)
            return self._connection

    async def _open(self, patience: float) -> _Connection:
        loop = asyncio.get_running_loop()
        begin, pause = loop.time(), 0.05
        seconds = ANSWER_SECONDS if self.timeout is None else self.timeout
        found = None
        while found is None:
            try:
                found = connect(self._paths)
            except DaemonNotRunning:
                if loop.time() + pause > begin + patience:
                    raise
            if found is None:
                if loop.time() > begin + seconds:
                    raise Unavailable("mediad takes no connection", self._paths[0])
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
        _, connection = await loop.create_connection(_Connection, sock=found)
        try:
            await asyncio.wait_for(asyncio.shield(connection.greeted), seconds)
        except TimeoutError:
            error = Unavailable("mediad did not greet in time", self._paths[0])
            connection.lose(error)
            raise error from None
        return connection

    async def call(
        self, request: pb.Request, *, deadline: float | None = None, progress: ProgressCallback | None = None
    ) -> list[pb.Reply]:
        """Sends a request (mediactl.requests makes them) and returns its replies, progress apart. One with an
        operation id is sent once more, under the same id, when the connection is lost (settled 13)."""
        try:
            return await self._call(await self._connected(), request, deadline, progress)
        except (ConnectionLost, ShuttingDown):
            if not request.operation:
                raise
        return await self._call(await self._connected(RECONNECT_SECONDS), request, deadline, progress)

    async def _call(
        self, connection: _Connection, request: pb.Request, deadline: float | None, progress: ProgressCallback | None,
        keep: Callable[[pb.Reply], None] | None = None,
    ) -> list[pb.Reply]:  # fmt: skip
        session, greeting = connection.session, connection.session.greeting
        assert greeting is not None
        assert connection.transport is not None
        while not connection.lost and session.in_flight >= greeting.limits.requests_in_flight:
            connection.freed.clear()
            await connection.freed.wait()
        await connection.writable.wait()
        if connection.lost is not None:
            raise connection.lost
        request.id = 0
        request.actor = self.actor
        request.deadline_ms = 0 if deadline is None else max(1, int(deadline * 1000))
        data = session.request(request)
        call = _Call(asyncio.get_running_loop().create_future(), progress, keep)
        connection.calls[request.id] = call
        connection.transport.write(data)
        timer = self._arm(call, deadline)
        try:
            return await call.done
        except (asyncio.CancelledError, DeadlineExceeded):
            if request.id in connection.calls:  # none are left in a lost connection
                connection.transport.write(session.cancel(request.id))
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _arm(self, call: _Call, deadline: float | None) -> asyncio.TimerHandle | None:
        if deadline is None:
            return None

        def expire() -> None:
            if not call.done.done():
                call.done.set_exception(DeadlineExceeded("mediad did not answer in time"))

        return asyncio.get_running_loop().call_later(deadline + GRACE_SECONDS, expire)

    # ------------------------------------------------------------ commands

    async def ping(self, payload: bytes = b"") -> bytes:
        return (await self.call(requests.ping_request(payload), deadline=self.timeout))[-1].pong.payload

    async def status(self) -> Status:
        return decode.decode_status((await self.call(requests.status_request(), deadline=self.timeout))[-1].status)

    async def handlers(self) -> list[Handler]:
        replies = await self.call(requests.handlers_request(), deadline=self.timeout)
        return [decode.decode_handler(each) for reply in replies for each in reply.handlers.handlers]

    async def roots(self) -> list[Root]:
        replies = await self.call(requests.roots_request(), deadline=self.timeout)
        return [decode.decode_root(each) for reply in replies for each in reply.roots.roots]

    async def add(
        self,
        paths: Iterable[bytes | str | PathLike[str]],
        *,
        wait: bool = True,
        once: bool = False,
        cross_mounts: bool = False,
        exclude: Sequence[str] = (),
        progress: ProgressCallback | None = None,
        deadline: float | None = None,
    ) -> AddResult:
        request = requests.add_request(paths, wait=wait, once=once, cross_mounts=cross_mounts, exclude=exclude)
        return decode.decode_add((await self.call(request, deadline=deadline, progress=progress))[-1].add)

    async def query_page(
        self, text: str, *, limit: int = requests.PAGE_ITEMS, cursor: bytes | None = None, files: bool = False,
        fields: bool = False, columns: Sequence[str] = (), sort: Sequence[str] = (),
    ) -> Page:  # fmt: skip
        request = requests.query_request(
            text, limit=limit, cursor=cursor or b"", files=files, fields=fields, columns=columns, sort=sort
        )
        return decode.decode_page(await self.call(request, deadline=self.timeout))

    async def query(
        self, text: str, *, limit: int | None = None, files: bool = False, fields: bool = False,
        columns: Sequence[str] = (), sort: Sequence[str] = (),
    ) -> AsyncIterator[Item]:  # fmt: skip
        """Yields items, fetched page by page: `async for item in client.query(...)`."""
        if limit is not None and limit < 1:
            raise InvalidArgument("a limit is at least 1", str(limit))
        given, cursor = 0, None
        while True:
            size = requests.PAGE_ITEMS if limit is None else min(limit - given, requests.PAGE_ITEMS)
            page = await self.query_page(
                text, limit=size, cursor=cursor, files=files, fields=fields, columns=columns, sort=sort
            )
            for item in page.items:
                yield item
            given, cursor = given + len(page.items), page.cursor
            if cursor is None or (limit is not None and given >= limit):
                return

    async def query_count(self, text: str, *, files: bool = False) -> int:
        return (await self.run(questions.count(text, files=files))).count or 0

    async def query_facets(self, text: str, fields: Sequence[str], *, limit: int = 0) -> list[questions.Facet]:
        return (await self.run(questions.count(text, count=False, facets=fields, facet_limit=limit))).facets

    async def query_explain(self, text: str, *, files: bool = False, sort: Sequence[str] = ()) -> questions.Explanation:
        return await self.run(questions.explain(text, files=files, sort=sort))

    async def query_complete(self, text: str, cursor: int | None = None) -> list[questions.Suggestion]:
        """Returns what may stand where the cursor is, None: at the end."""
        return await self.run(questions.complete(text, cursor))

    async def query_follow(
        self, text: str, *, fields: bool = False, columns: Sequence[str] = ()
    ) -> AsyncIterator[questions.Followed]:
        """Yields everything that matches, then what changes. What is not taken yet waits in memory: the connection
        has other requests too."""
        following = questions.Following()
        arrived: asyncio.Queue[pb.Reply | None] = asyncio.Queue()
        request = questions.follow_request(text, fields=fields, columns=columns)
        whole = asyncio.create_task(
            self._call(await self._connected(), request, None, None, arrived.put_nowait), name="follow"
        )
        whole.add_done_callback(lambda _done: arrived.put_nowait(None))
        try:
            while (reply := await arrived.get()) is not None:
                for each in following.take(reply.query):
                    yield each
            await whole  # it ends by an error only
        finally:
            whole.cancel()

    async def get(self, *targets: requests.Target, light: bool = False) -> list[GetResult]:
        replies = await self.call(requests.get_request(targets, light=light), deadline=self.timeout)
        return [decode.decode_get(reply.get) for reply in replies]

    async def checksum(
        self,
        *targets: requests.Target,
        scopes: Sequence[str] = ("file",),
        algorithms: Sequence[str] = (),
        progress: ProgressCallback | None = None,
        deadline: float | None = None,
    ) -> list[ChecksumResult]:
        request = requests.checksum_request(targets, scopes, algorithms)
        replies = await self.call(request, deadline=deadline, progress=progress)
        return [decode.decode_checksum(reply.checksum) for reply in replies]

    async def run(
        self, call: Call[T], *, progress: ProgressCallback | None = None, deadline: float | None = None
    ) -> T:  # fmt: skip
        seconds = deadline or (self.timeout if call.timed else None)
        return call.decode(await self.call(call.request, deadline=seconds, progress=progress))

    async def forget(self, *targets: requests.Target, missing_only: bool = False, work: bool = False) -> ForgetResult:
        request = requests.forget_request(targets, missing_only=missing_only, work=work)
        return decode.decode_forget((await self.call(request, deadline=self.timeout))[-1].forget)
