"""A unix-socket server made of the real ServerSession whose answers are given by the test: for what a client makes of
answers. The daemon itself is tested in tests/integration."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from types import TracebackType

from mediad import errors
from mediad.wire import events
from mediad.wire.convert import error_to_wire
from mediad.wire.session import Limits, ServerSession
from mediadb_contract import mediadb_pb2 as pb

# Gives the replies to a request, ids left out. None: end the connection without a word. SILENCE: no reply.
Answer = Callable[[pb.Request], Iterable[pb.Reply] | errors.MediadError | None]
# Unfinished: those replies, and never the last.


class Unfinished(list[pb.Reply]):
    """Replies of which none is the last."""


SILENCE = Unfinished()


class CannedServer:
    """Serves `answer` at `path` in a thread of its own while it is entered. `requests`: what has come, in order."""

    def __init__(self, path: str, answer: Answer, *, limits: Limits | None = None, refuse: bool = False) -> None:
        self.path = path
        self.answer = answer
        self.limits = limits or Limits()
        self.refuse = refuse
        self.requests: list[pb.Request] = []
        self.cancelled: list[int] = []
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> CannedServer:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_unix_server(self._serve, self.path)
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        session = ServerSession(self.limits)
        try:
            while not session.closed:
                session.receive_data(await reader.read(65536))
                while (event := session.next_event()) is not None:
                    if not self._take(session, event, writer):
                        return
                await writer.drain()
        except ConnectionError:
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    def _take(self, session: ServerSession, event: events.ServerEvent, writer: asyncio.StreamWriter) -> bool:
        if isinstance(event, events.HelloReceived):
            if self.refuse:
                writer.write(session.refuse(errors.PermissionDenied("this user has no role here")).data)
            else:
                writer.write(session.greet(server="canned/1", host=bytes(16), role="admin"))
        elif isinstance(event, events.RequestReceived):
            self.requests.append(event.request)
            found = self.answer(event.request)
            if found is None:
                return False
            if isinstance(found, errors.MediadError):
                found = [pb.Reply(error=error_to_wire(found))]
            replies = list(found)
            for number, reply in enumerate(replies):
                reply.id = event.request.id
                reply.last = number == len(replies) - 1 and not isinstance(found, Unfinished)
                writer.write(session.reply(reply))
        elif isinstance(event, events.CancelReceived):
            self.cancelled.append(event.id)
            writer.write(session.fail(event.id, errors.Cancelled("cancelled")))
        elif isinstance(event, events.Rejected | events.Refused | events.ProtocolError):
            writer.write(event.data)
        return True
