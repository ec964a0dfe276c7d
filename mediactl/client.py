"""The blocking client: a socket around `mediad.wire.session.ClientSession`. For one thread at a time."""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from types import TracebackType
from typing import Any

from mediactl import __version__, decode, questions, requests, workcalls
from mediactl.locate import ConnectionLost, DaemonNotRunning, connect, list_sockets
from mediactl.model import (
    AddResult,
    Changes,
    ChecksumResult,
    ForgetResult,
    GetResult,
    Handler,
    Item,
    Page,
    Progress,
    Root,
    Status,
)
from mediactl.workcalls import Call, T
from mediad.errors import DeadlineExceeded, InvalidArgument, ProtocolError, ShuttingDown, Unavailable
from mediad.wire import events
from mediad.wire.convert import error_from_wire
from mediad.wire.session import ClientSession
from mediadb_contract import mediadb_pb2 as pb

ANSWER_SECONDS = 30.0  # for whatever does not walk or hash
GRACE_SECONDS = 1.0  # a daemon that keeps the deadline answers within this after it
RECONNECT_SECONDS = 10.0  # a daemon that is restarted is back by then
READ_BYTES = 256 * 1024

ProgressCallback = Callable[[Progress], None]


class Pending:
    """A request in flight, made by `Client.submit`."""

    def __init__(self, client: Client, request: pb.Request, seconds: float | None, progress: ProgressCallback | None):
        self._client = client
        self._progress = progress
        self._queue: deque[pb.Reply] = deque()
        self._until = None if seconds is None else time.monotonic() + seconds + GRACE_SECONDS
        self.request = request
        self.fault: Exception | None = None

    def replies(self) -> Iterator[pb.Reply]:
        """Yields the replies as they come, progress apart. Raises the error that ends the request, ConnectionLost,
        or DeadlineExceeded."""
        while True:
            while self._queue:
                reply = self._queue.popleft()
                if reply.HasField("error"):
                    raise error_from_wire(reply.error)
                if reply.HasField("progress"):
                    if self._progress is not None:
                        self._progress(decode.decode_progress(reply.progress))
                elif reply.WhichOneof("result"):
                    yield reply
                if reply.last:
                    return
            if self.fault is not None:
                raise self.fault
            try:
                self._client._wait(select.POLLIN, self._until)
            except TimeoutError:
                self.cancel()
                self.fault = DeadlineExceeded("mediad did not answer in time")

    def cancel(self) -> None:
        """Says that the answer is no longer wanted; the request still ends with a reply, mostly `cancelled`."""
        self._client._cancel(self.request.id)

    def _put(self, reply: pb.Reply) -> None:
        if self.fault is None:
            self._queue.append(reply)


class Client:
    """A connection to mediad. Connects when it is first used, or at `with`; connects again after a loss.

    `socket_path`: None looks where mediactl looks. `actor`: the person on whose behalf. `timeout`: seconds for
    connecting and for each answer that neither walks nor hashes; None waits for ever. Every method raises the
    classes of mediad.errors: what the daemon answered, Unavailable without a connection, DeadlineExceeded.
    """

    def __init__(
        self, socket_path: str | None = None, *, actor: str = "", timeout: float | None = ANSWER_SECONDS
    ) -> None:
        self.actor = actor
        self.timeout = timeout
        self._paths = list_sockets(socket_path)
        self._socket: socket.socket | None = None
        self._session = ClientSession(f"mediactl/{__version__}")
        self._pending: dict[int, Pending] = {}
        self._lost: Exception = ConnectionLost("not connected")

    def __enter__(self) -> Client:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    @property
    def greeting(self) -> pb.Greeting | None:
        """What the daemon said of itself; None before the connection."""
        return self._session.greeting

    def close(self) -> None:
        """Ends the connection. Requests in flight are given up."""
        self._lose(ConnectionLost("the client was closed"))

    def connect(self, patience: float = 0.0) -> None:
        """Connects unless connected. `patience`: seconds to wait for a daemon that is not there (yet)."""
        if self._socket is not None:
            return
        begin, pause = time.monotonic(), 0.05
        until = begin + (ANSWER_SECONDS if self.timeout is None else self.timeout)
        while self._socket is None:
            try:
                self._socket = connect(self._paths)
            except DaemonNotRunning:
                if time.monotonic() + pause > begin + patience:
                    raise
            if self._socket is None:
                if time.monotonic() > until:
                    raise Unavailable("mediad takes no connection", self._paths[0])
                time.sleep(pause)
                pause = min(pause * 2, 1.0)
        self._session = ClientSession(f"mediactl/{__version__}")
        try:
            self._send(self._session.hello(), until)
            while self._session.greeting is None:
                self._wait(select.POLLIN, until)
        except TimeoutError:
            self._lose(ConnectionLost("mediad did not greet in time"))
            raise Unavailable("mediad did not greet in time", self._paths[0]) from None

    # ------------------------------------------------------------ the connection

    def submit(
        self, request: pb.Request, *, deadline: float | None = None, progress: ProgressCallback | None = None
    ) -> Pending:
        """Sends a request (mediactl.requests makes them) and returns at once; several may be in flight. Blocks while
        as many are as the daemon allows. Replies of the others are kept while one is waited for."""
        if self._socket is not None and not self._pending:
            self._notice_loss()
        self.connect()
        request.id = 0
        request.actor = self.actor
        request.deadline_ms = 0 if deadline is None else max(1, int(deadline * 1000))
        pending = Pending(self, request, deadline, progress)
        try:
            while (
                self._session.greeting and self._session.in_flight >= self._session.greeting.limits.requests_in_flight
            ):
                self._wait(select.POLLIN, pending._until)
            data = self._session.request(request)
            self._pending[request.id] = pending
            self._send(data, pending._until)
        except TimeoutError:
            # A request half sent leaves the stream between two frames for ever.
            self._lose(ConnectionLost("mediad took no request in time"))
            raise DeadlineExceeded("mediad took no request in time") from None
        return pending

    def _send(self, data: bytes, until: float | None) -> None:
        view = memoryview(data)
        while view and self._socket is not None:
            # Replies are read meanwhile: a daemon whose replies nobody takes stops reading.
            if self._wait(select.POLLIN | select.POLLOUT, until) & select.POLLOUT and self._socket is not None:
                try:
                    view = view[self._socket.send(view) :]
                except BlockingIOError:
                    continue
                except OSError as error:
                    self._lose(ConnectionLost(f"the connection to mediad is lost: {error.strerror}"))
                    raise self._lost from None
        if view:
            raise self._lost

    def _wait(self, wanted: int, until: float | None) -> int:
        """Waits for the socket, takes what has come, returns what the socket is ready for.
        Raises TimeoutError at `until` (monotonic seconds)."""
        if self._socket is None:
            raise self._lost
        poll = select.poll()
        poll.register(self._socket, wanted)
        remaining = None if until is None else max(0.0, until - time.monotonic()) * 1000
        ready = poll.poll(remaining)
        if not ready:
            raise TimeoutError
        if ready[0][1] & ~select.POLLOUT:
            self._receive()
        return ready[0][1]

    def _notice_loss(self) -> None:
        """An idle connection that a restarted daemon has ended is found out before a request goes into it."""
        try:
            self._wait(select.POLLIN, 0.0)
        except TimeoutError:
            return

    def _receive(self) -> None:
        assert self._socket is not None
        try:
            self._session.receive_data(self._socket.recv(READ_BYTES))
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(ConnectionLost(f"the connection to mediad is lost: {error.strerror}"))
            return
        while (event := self._session.next_event()) is not None:
            if isinstance(event, events.ReplyReceived):
                ident, last = event.reply.id, event.reply.last
                self._pending[ident]._put(event.reply)
                if last:
                    del self._pending[ident]
            elif isinstance(event, events.Refused):
                self._lose(event.error)
                raise event.error
            elif isinstance(event, events.ProtocolError):
                self._lose(ProtocolError(f"mediad sent what is not its protocol: {event.message}"))
            elif isinstance(event, events.ConnectionEnded):
                self._lose(event.error or ConnectionLost("mediad ended the connection"))

    def _lose(self, error: Exception) -> None:
        self._lost = error
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        pending, self._pending = self._pending, {}
        for each in pending.values():
            each.fault = each.fault or error

    def _cancel(self, ident: int) -> None:
        if self._socket is not None and ident in self._pending:
            self._send(self._session.cancel(ident), time.monotonic() + GRACE_SECONDS)

    def call(
        self, request: pb.Request, *, deadline: float | None = None, progress: ProgressCallback | None = None
    ) -> list[pb.Reply]:
        """Sends a request and returns its replies. One with an operation id is sent once more, under the same id,
        when the connection is lost: the daemon does it once (settled 13)."""
        try:
            return list(self.submit(request, deadline=deadline, progress=progress).replies())
        except (ConnectionLost, ShuttingDown):
            if not request.operation:
                raise
        self.connect(RECONNECT_SECONDS)
        return list(self.submit(request, deadline=deadline, progress=progress).replies())

    # ------------------------------------------------------------ commands

    def ping(self, payload: bytes = b"") -> bytes:
        """Returns `payload` by way of the daemon."""
        return self.call(requests.ping_request(payload), deadline=self.timeout)[-1].pong.payload

    def status(self) -> Status:
        return decode.decode_status(self.call(requests.status_request(), deadline=self.timeout)[-1].status)

    def handlers(self) -> list[Handler]:
        replies = self.call(requests.handlers_request(), deadline=self.timeout)
        return [decode.decode_handler(each) for reply in replies for each in reply.handlers.handlers]

    def roots(self) -> list[Root]:
        replies = self.call(requests.roots_request(), deadline=self.timeout)
        return [decode.decode_root(each) for reply in replies for each in reply.roots.roots]

    def add(
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
        """Adds folders or files. `wait`: return when all is read, else when all is listed. `deadline`: seconds."""
        request = requests.add_request(paths, wait=wait, once=once, cross_mounts=cross_mounts, exclude=exclude)
        return decode.decode_add(self.call(request, deadline=deadline, progress=progress)[-1].add)

    def query_page(
        self, text: str, *, limit: int = requests.PAGE_ITEMS, cursor: bytes | None = None, files: bool = False,
        fields: bool = False, columns: Sequence[str] = (), sort: Sequence[str] = (),
    ) -> Page:  # fmt: skip
        """Returns at most `limit` items, after those of the page whose `cursor` is given."""
        request = requests.query_request(
            text, limit=limit, cursor=cursor or b"", files=files, fields=fields, columns=columns, sort=sort
        )
        return decode.decode_page(self.call(request, deadline=self.timeout))

    def query(
        self, text: str, *, limit: int | None = None, files: bool = False, fields: bool = False,
        columns: Sequence[str] = (), sort: Sequence[str] = (),
    ) -> Iterator[Item]:  # fmt: skip
        """Returns the items that `text` asks for (docs/query.md), fetched page by page as they are taken.
        `limit`: at most so many. `files`: a row a file. `fields`: fill FileEntry.fields, `columns`: with these
        only. `sort`: keys before those of the text, `-` before one: the greatest first. The first page is asked for at
        once, so that an error in the query is raised here."""
        size = requests.PAGE_ITEMS if limit is None else min(limit, requests.PAGE_ITEMS)
        if limit is not None and limit < 1:
            raise InvalidArgument("a limit is at least 1", str(limit))
        how: dict[str, Any] = {"files": files, "fields": fields, "columns": columns, "sort": sort}
        return self._items(self.query_page(text, limit=size, **how), text, limit, how)

    def _items(self, page: Page, text: str, limit: int | None, how: dict[str, Any]) -> Iterator[Item]:
        given = 0
        while True:
            yield from page.items
            given += len(page.items)
            if page.cursor is None or (limit is not None and given >= limit):
                return
            size = requests.PAGE_ITEMS if limit is None else min(limit - given, requests.PAGE_ITEMS)
            page = self.query_page(text, limit=size, cursor=page.cursor, **how)

    def query_count(self, text: str, *, files: bool = False) -> int:
        """Returns how many items (`files`: files) match."""
        return self.run(questions.count(text, files=files)).count or 0

    def query_facets(self, text: str, fields: Sequence[str], *, limit: int = 0) -> list[questions.Facet]:
        """Returns how many of the items that match have each value of each field; at most `limit` values, 0: 50."""
        return self.run(questions.count(text, count=False, facets=fields, facet_limit=limit)).facets

    def query_explain(self, text: str, *, files: bool = False, sort: Sequence[str] = ()) -> questions.Explanation:
        """Returns how a question is understood and answered."""
        return self.run(questions.explain(text, files=files, sort=sort))

    def query_complete(self, text: str, cursor: int | None = None) -> list[questions.Suggestion]:
        """Returns what may stand where the cursor is, None: at the end."""
        return self.run(questions.complete(text, cursor))

    def query_follow(
        self, text: str, *, fields: bool = False, columns: Sequence[str] = ()
    ) -> Iterator[questions.Followed]:
        """Yields everything that matches, then what changes in the answer, for ever."""
        following = questions.Following()
        for reply in self.submit(questions.follow_request(text, fields=fields, columns=columns)).replies():
            yield from following.take(reply.query)

    def get(self, *targets: requests.Target, light: bool = False) -> list[GetResult]:
        """Returns an answer for each target, in order: its item with everything known of it, or the problem. `light`:
        what a list shows, without keys, fields, tags, sources, digests and stat."""
        replies = self.call(requests.get_request(targets, light=light), deadline=self.timeout)
        return [decode.decode_get(reply.get) for reply in replies]

    def checksum(
        self,
        *targets: requests.Target,
        scopes: Sequence[str] = ("file",),
        algorithms: Sequence[str] = (),
        progress: ProgressCallback | None = None,
        deadline: float | None = None,
    ) -> list[ChecksumResult]:
        """Returns the digests of each target's files. `scopes`: file, stream; `algorithms`: md5, sha1, sha256, none
        means all."""
        request = requests.checksum_request(targets, scopes, algorithms)
        replies = self.call(request, deadline=deadline, progress=progress)
        return [decode.decode_checksum(reply.checksum) for reply in replies]

    def run(self, call: Call[T], *, progress: ProgressCallback | None = None, deadline: float | None = None) -> T:
        """Runs a call of `mediactl.workcalls`: tag, rate, star, set_fields, play, collect, undo, changes, history,
        relate, duplicates, verify ..."""
        seconds = deadline or (self.timeout if call.timed else None)
        return call.decode(self.call(call.request, deadline=seconds, progress=progress))

    def follow(self, since: int, *, epoch: bytes = b"", query: str = "") -> Iterator[Changes]:
        """Yields changes after a number as they come, for ever."""
        call = workcalls.changes(since, epoch=epoch, query=query, follow=True)
        for reply in self.submit(call.request).replies():
            yield workcalls.decode_changes(reply)

    def forget(self, *targets: requests.Target, missing_only: bool = False, work: bool = False) -> ForgetResult:
        """Drops the records of the targets' files; the files stay. `missing_only`: only of files that are missing.
        `work`: what people did to the items too, for good."""
        request = requests.forget_request(targets, missing_only=missing_only, work=work)
        return decode.decode_forget(self.call(request, deadline=self.timeout)[-1].forget)
