"""A request in, replies out: permission, deadline, operation ids. The only place where faults become wire errors."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType

from mediad.commands.context import Call, Context, Replies
from mediad.commands.table import COMMANDS, Entry
from mediad.config import ROLES
from mediad.errors import Conflict, DeadlineExceeded, Internal, MediadError, PermissionDenied, Unavailable, Unsupported
from mediad.model import Actor
from mediad.store.store import now_ns
from mediad.wire.convert import error_to_wire, uuid_from_wire
from mediadb_contract import mediadb_pb2 as pb

log = logging.getLogger(__name__)

Send = Callable[[pb.Reply], Awaitable[None]]


class Deadline:
    """As asyncio.timeout, for a task that enters it again for each of its replies: one timer for all of them, and what
    is between them (waiting for a peer that does not read) does not end by it. `seconds` from now; None: never."""

    __slots__ = ("_task", "_timer", "_before", "_inside", "_over", "_told")

    def __init__(self, seconds: float | None) -> None:
        self._task = asyncio.current_task()
        self._timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self._expire)
        self._before = 0
        self._inside = self._over = self._told = False

    def _expire(self) -> None:
        self._over = True
        if self._inside and self._task is not None:
            self._told = True
            self._task.cancel()

    def __enter__(self) -> None:
        if self._over:
            raise TimeoutError
        self._inside = True
        self._before = self._task.cancelling() if self._task is not None else 0

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Raises TimeoutError for the cancellation that is this deadline's own."""
        self._inside = False
        if self._told and self._task is not None:
            self._told = False
            if self._task.uncancel() <= self._before and isinstance(error, asyncio.CancelledError):
                raise TimeoutError from error

    def close(self) -> None:
        """Ends the timer."""
        if self._timer is not None:
            self._timer.cancel()


class Dispatch:
    """Runs requests. `answer` never raises but for cancellation, and sends exactly one last reply."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._running: dict[uuid.UUID, tuple[bytes, asyncio.Event]] = {}

    def answer_at_once(self, request: pb.Request, command: str) -> pb.Reply | None:
        """The whole answer to a request that needs neither database nor file nor role, in the turn it came in: a task
        of its own would cost more than the answer. None for all others."""
        entry = COMMANDS.get(command)
        if entry is None or entry.at_once is None:
            return None
        reply = entry.at_once(getattr(request, command))
        reply.id = request.id
        return reply

    async def answer(self, request: pb.Request, command: str, actor: Actor, send: Send) -> None:
        """Runs one request and sends its replies through `send`, which waits while the peer does not read."""
        try:
            await self._run(request, command, actor, send)
        except MediadError as error:
            await self._fail(request.id, error, send)
        except TimeoutError:
            await self._fail(request.id, DeadlineExceeded("the request took longer than its deadline", command), send)
        except Exception as error:  # the outermost boundary of a request: a fault of ours ends it, not the daemon
            log.exception("request failed", extra={"command": command})
            await self._fail(request.id, Internal(f"the daemon failed: {type(error).__name__}", command), send)

    @staticmethod
    async def _fail(number: int, error: MediadError, send: Send) -> None:
        await send(pb.Reply(id=number, last=True, error=error_to_wire(error)))

    async def _run(self, request: pb.Request, command: str, actor: Actor, send: Send) -> None:
        entry = COMMANDS.get(command)
        if entry is None:
            raise Unsupported("this daemon does not know the command", command)
        if ROLES.index(actor.role) < ROLES.index(entry.role):
            raise PermissionDenied(f"{command} takes the role {entry.role}; uid {actor.uid} has {actor.role}", command)
        operation = uuid_from_wire(request.operation)
        call = Call(Actor(actor.uid, actor.role, request.actor or actor.name), operation)
        deadline = Deadline(
            request.deadline_ms / 1000 or (self.context.config.deadline_seconds if entry.timed else None)
        )
        replies: Replies | None = None
        try:
            if entry.indexed and not self.context.opened.is_set():
                with deadline:
                    await self._wait_for_index()
            body = getattr(request, command)
            if entry.changes and not entry.private and operation is not None:
                replies = self._once(entry, command, body, call, operation)
            else:
                replies = entry.run(self.context, body, call)
            ended = False
            while not ended:
                with deadline:
                    reply = await anext(replies, None)
                if reply is None:
                    return
                ended = reply.last
                reply.id = request.id
                await send(reply)
            await anext(replies, None)  # what a command does after its last reply has no deadline any more
        finally:
            deadline.close()
            close = getattr(replies, "aclose", None)  # its `finally` runs when the client goes away
            if close is not None:
                await close()

    async def _wait_for_index(self) -> None:
        """A daemon that has just started has its database within a second or two. Raises Unavailable with what is
        wrong when it takes longer than a database may take to answer."""
        context = self.context
        try:
            async with asyncio.timeout(context.config.database_seconds):
                await context.opened.wait()
        except TimeoutError:
            raise Unavailable(context.ready()) from None

    async def _once(self, entry: Entry, command: str, body: pb.AddRequest, call: Call, operation: uuid.UUID) -> Replies:
        """A request with an operation id: done once, answered as often as it is asked."""
        digest = hashlib.blake2b(command.encode() + body.SerializeToString(deterministic=True), digest_size=16).digest()
        # Sent again while it is still under way: the second waits for the first, and is answered as it was.
        while operation in self._running:
            known, ended = self._running[operation]
            if known != digest:
                raise Conflict("this operation id belongs to another request", str(operation))
            await ended.wait()
        self._running[operation] = (digest, asyncio.Event())
        try:
            replies = self._once_alone(entry, command, body, call, operation, digest)
            async with contextlib.aclosing(_as_generator(replies)) as stream:
                async for reply in stream:
                    yield reply
        finally:
            self._running.pop(operation)[1].set()

    async def _once_alone(
        self, entry: Entry, command: str, body: pb.AddRequest, call: Call, operation: uuid.UUID, digest: bytes
    ) -> Replies:
        store = self.context.store
        row = (operation, self.context.host, call.actor.name, command, digest, now_ns())
        rows = (await store.write([("begin_operation", row)], give_up_after=30.0))[0]
        _fresh, known, finished, kept = rows[0]
        if known is not None and known != digest:
            raise Conflict("this operation id belongs to another request", str(operation))
        if finished is not None:
            yield pb.Reply.FromString(kept)
            return
        async for reply in entry.run(self.context, body, call):
            if reply.last:
                await store.write(
                    [("end_operation", (operation, now_ns(), reply.SerializeToString()))], give_up_after=30.0
                )
            yield reply


async def _as_generator(replies: Replies) -> AsyncGenerator[pb.Reply, None]:
    """Closes a command's own generator with ours: its `finally` runs when the client goes away."""
    try:
        async for reply in replies:
            yield reply
    finally:
        close = getattr(replies, "aclose", None)
        if close is not None:
            await close()
