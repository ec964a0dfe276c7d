"""Bytes <-> wire sessions on the unix socket: peer credentials, limits, timeouts, back-pressure.

Back-pressure has one switch a connection: while its peer takes nothing, no frame is taken from its buffer and nothing
is read from its socket. A check of the buffered bytes alone is not enough: a hundred clients that never read took
gigabytes through frames that were already here.
"""

from __future__ import annotations

import asyncio
import grp
import logging
import os
import pwd
import socket
import struct
from collections.abc import Callable
from typing import cast

import mediad
from mediad.commands.context import Context
from mediad.config import Config
from mediad.dispatch import Dispatch
from mediad.errors import Cancelled, LimitExceeded, MediadError, PermissionDenied, ShuttingDown
from mediad.model import Actor
from mediad.wire import session as wire
from mediad.wire.events import (
    CancelReceived,
    HelloReceived,
    ProtocolError,
    Refused,
    Rejected,
    RequestReceived,
    ServerEvent,
)
from mediadb_contract import mediadb_pb2 as pb

log = logging.getLogger(__name__)

# Bytes that wait for a peer before we stop working for it, and where we begin again.
WRITE_HIGH = 256 * 1024
WRITE_LOW = 64 * 1024
# D-Bus allows 256 connections a user and 2,048 in all; a thousand idle ones cost a megabyte here.
CONNECTIONS = 4096
CONNECTIONS_BOARD = 256
_PEERCRED = struct.Struct("3i")


def role_of(uid: int, gid: int, config: Config) -> str | None:
    """The role of a peer (settled 24): the daemon's own user and root are admin, an account named in `peers` has
    the role that stands there, members of the configured group have its role (`group_role`), others none (None)."""
    if uid in (os.getuid(), 0):
        return "admin"
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = ""
    if name in config.peers:
        return config.peers[name]
    try:
        group = grp.getgrnam(config.group)
    except KeyError:
        return None
    if gid == group.gr_gid:
        return config.group_role
    return config.group_role if name and name in group.gr_mem else None


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._context = server.context
        limits = wire.Limits(requests_in_flight=server.context.config.requests_in_flight)
        self._session = wire.ServerSession(limits)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._actor = Actor(-1, "read", "")
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._writable: asyncio.Future[None] | None = None  # set while the peer does not read
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._closing = False
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._pulling = False

    # -------------------------------------------------------------- the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer: who it is decides whether it is greeted at all."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)
        self._server.connections.add(self)
        self._context.traffic.connections += 1
        sock = self._transport.get_extra_info("socket")
        _pid, uid, gid = _PEERCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEERCRED.size))
        role = role_of(uid, gid, self._context.config)
        error: MediadError | None = None
        if role is None:
            error = PermissionDenied(
                f"uid {uid} is neither the daemon's user nor in the group {self._context.config.group}"
            )
        elif len(self._server.connections) > self._server.most:
            error = LimitExceeded("too many connections")
        elif self._server.stopping:
            error = ShuttingDown("the daemon is stopping")
        if error is not None:
            self._write(self._session.refuse(error).data)
            self._close()
            return
        self._actor = Actor(uid, role or "read", "")
        self._timer = self._loop.call_later(wire.HELLO_SECONDS, self._too_slow, "no greeting came in time")

    def data_received(self, data: bytes) -> None:
        """Bytes: taken frame by frame while the peer reads what it gets."""
        self._session.receive_data(data)
        self._pull()

    def eof_received(self) -> bool:
        """The peer sends nothing more; what it asked for is still answered."""
        self._session.receive_data(b"")
        self._pull()
        return True

    def pause_writing(self) -> None:
        """The peer does not read: neither do we."""
        if self._writable is None:
            self._writable = self._loop.create_future()
            self._stall = self._loop.call_later(wire.STALL_SECONDS, self._stalled)
            if self._transport is not None and not self._closing:
                self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        waiting, self._writable = self._writable, None
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        if self._transport is not None and not self._closing:
            self._transport.resume_reading()
            self._pull()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone: what it asked for is cancelled."""
        self._closing = True
        self._transport = None
        self._server.connections.discard(self)
        self._context.traffic.connections -= 1
        for timer in (self._timer, self._stall):
            if timer is not None:
                timer.cancel()
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        for task in self._tasks.values():
            task.cancel()
        self._server.idle.set()

    # -------------------------------------------------------------- the session's side

    def _pull(self) -> None:
        self._pulling = True
        try:
            while self._writable is None and not self._closing:
                event = self._session.next_event()
                if event is None:
                    break
                self._take(event)
        finally:
            self._pulling = False
        self._flush()
        self._watch_frame()

    def _watch_frame(self) -> None:
        """A frame that was begun must end soon; between frames a connection may idle for ever."""
        if not self._session.greeted or self._closing:
            return
        if not self._session.mid_frame or self._writable is not None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        elif self._timer is None:
            self._timer = self._loop.call_later(
                wire.FRAME_SECONDS, self._too_slow, "a frame was begun and not ended in time"
            )

    def _take(self, event: ServerEvent) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event.request, event.command)
        elif isinstance(event, HelloReceived):
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            name = f"mediad {mediad.__version__}"
            self._write(self._session.greet(server=name, host=self._context.host.bytes, role=self._actor.role))
        elif isinstance(event, CancelReceived):
            task = self._tasks.get(event.id)
            if task is not None:
                task.cancel("client")
        elif isinstance(event, Rejected):
            self._write(event.data)
        elif isinstance(event, Refused | ProtocolError):
            self._write(event.data)
            self._close()
        elif not self._tasks:  # ConnectionEnded: what it asked for is still answered first
            self._close()

    def _begin(self, request: pb.Request, command: str) -> None:
        self._context.traffic.requests += 1
        self._context.traffic.in_flight += 1
        self._context.lag.touch()
        if self._server.stopping:
            self._finish(request.id, self._session.fail(request.id, ShuttingDown("the daemon is stopping")))
            return
        reply = self._server.dispatch.answer_at_once(request, command)
        if reply is not None:
            self._finish(request.id, self._session.reply(reply))
            return
        task = self._loop.create_task(self._server.dispatch.answer(request, command, self._actor, self._send))
        self._tasks[request.id] = task
        number = request.id
        task.add_done_callback(lambda done: self._ended(number, done))

    def _finish(self, _number: int, data: bytes) -> None:
        self._context.traffic.in_flight -= 1
        self._write(data)

    async def _send(self, reply: pb.Reply) -> None:
        while self._writable is not None and not self._closing:
            await asyncio.shield(self._writable)
        if not self._closing:
            self._write(self._session.reply(reply))

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        self._tasks.pop(number, None)
        data = b""
        if task.cancelled() and not self._closing:
            error: MediadError = (
                ShuttingDown("the daemon is stopping")
                if self._server.stopping
                else Cancelled("cancelled by the client")
            )
            data = self._session.fail(number, error)
        elif not task.cancelled() and task.exception() is not None:
            log.error("connection failed", exc_info=task.exception())
            self._close()
        self._finish(number, data)
        if not self._tasks:
            self._server.idle.set()
            if self._session.closed:
                self._close()

    def _write(self, data: bytes) -> None:
        """Replies of one turn of the loop leave together: each for itself would be a call of the kernel. One that no
        other can be expected beside leaves at once."""
        if not data or self._transport is None or self._closing:
            return
        first = not self._unsent
        self._unsent.append(data)
        self._unsent_bytes += len(data)
        if self._unsent_bytes >= WRITE_LOW or (len(self._tasks) < 2 and not self._pulling):
            self._flush()
        elif first and not self._pulling:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._unsent and self._transport is not None:
            data = b"".join(self._unsent)
            self._unsent.clear()
            self._unsent_bytes = 0
            self._transport.write(data)

    # -------------------------------------------------------------- ends

    def _too_slow(self, message: str) -> None:
        self._timer = None
        log.info("connection cut", extra={"why": message})
        error = LimitExceeded(message)
        self._write(self._session.close(error) if self._session.greeted else self._session.refuse(error).data)
        self._close()

    def _stalled(self) -> None:
        self._stall = None
        log.info("connection cut", extra={"why": "the peer does not read"})
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def _close(self) -> None:
        if not self._closing and self._transport is not None:
            self._closing = True
            self._flush()
            if self._stall is None:  # a peer that never takes the last words must not keep its buffer here
                self._stall = self._loop.call_later(wire.STALL_SECONDS, self._stalled)
            self._transport.close()

    def stop(self, *, now: bool) -> None:
        """The daemon stops: idle connections end, others when their requests do, or `now`."""
        if now:
            for task in self._tasks.values():
                task.cancel()
        if self._tasks:
            return
        self._write(self._session.close(ShuttingDown("the daemon is stopping")))
        self._close()

    @property
    def busy(self) -> bool:
        """Requests are under way."""
        return bool(self._tasks)


class Server:
    """The listening socket and its connections."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.dispatch = Dispatch(context)
        self.connections: set[Connection] = set()
        self.most = CONNECTIONS_BOARD if context.config.board else CONNECTIONS
        self.stopping = False
        self.idle = asyncio.Event()
        self._server: asyncio.AbstractServer | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serves a bound socket."""
        factory: Callable[[], Connection] = lambda: Connection(self)  # noqa: E731
        self._server = await asyncio.get_running_loop().create_unix_server(factory, sock=listener, backlog=1024)

    async def stop(self, seconds: float) -> None:
        """Stops taking requests, lets those in flight finish for `seconds`, then answers them `shutting_down`."""
        self.stopping = True
        if self._server is not None:
            self._server.close()
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        for connection in list(self.connections):
            connection.stop(now=False)
        while any(c.busy for c in self.connections) and loop.time() < until:
            self.idle.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self.idle.wait()
            except TimeoutError:
                break
            for connection in list(self.connections):
                connection.stop(now=False)
        for connection in list(self.connections):
            connection.stop(now=True)
        for _ in range(20):
            if not self.connections:
                return
            await asyncio.sleep(0.02)
            for connection in list(self.connections):
                connection.stop(now=False)
