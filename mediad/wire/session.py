"""The protocol of one connection, both roles, without I/O: bytes in, events out; messages in, bytes out.

    session.receive_data(data)          whatever the socket gave; b"" for end of file
    while (event := session.next_event()) is not None: ...

Events are pulled: a server that cannot write to its peer stops pulling (and reading), and what has come waits as
bytes. Methods that send return the bytes to write. An event says "send this and close" where the connection ends;
after that `next_event` returns None for ever. The rules, by bytes: proto/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, NoReturn

from google.protobuf.message import DecodeError

from mediad import errors
from mediad.wire.convert import error_from_wire, error_to_wire
from mediad.wire.events import (
    CancelReceived,
    ClientEvent,
    ConnectionEnded,
    Greeted,
    HelloReceived,
    ProtocolError,
    Refused,
    Rejected,
    ReplyReceived,
    RequestReceived,
    ServerEvent,
)
from mediad.wire.parts import PartialRequests, split_request
from mediadb_contract import mediadb_pb2 as pb
from mediadb_contract.framing import FrameError, FrameReader, frame

PROTOCOL_MIN = 1
PROTOCOL_MAX = 1

# What this server can do, by name. Announced in every greeting; names are added, never removed (settled 23).
CAPABILITIES = (
    "add", "query", "get", "checksum", "roots", "forget", "status", "handlers", "operations", "parts", "cancel",
    "deadline", "progress", "work", "collections", "changes", "undo", "history", "relate", "duplicates", "verify",
    "rescan", "backup", "saved", "facets", "explain", "follow-query", "complete", "accounts", "queue",
    "browse", "preview", "text", "move", "archive", "sidecars", "bookmarks",
)  # fmt: skip

HELLO_SECONDS = 5.0  # from the connection to a whole Hello
FRAME_SECONDS = 10.0  # from a frame's first byte to its last: a unix socket has no slow lines
STALL_SECONDS = 30.0  # of a peer that takes nothing of what is ready for it

# A client takes larger frames than it was promised up to this, should a later server announce them.
CLIENT_FRAME_BYTES_MAX = 16 * 1024 * 1024


class Limits(NamedTuple):
    """What the greeting announces (settled 23). All sizes in bytes."""

    requests_in_flight: int = 128  # as D-Bus's pending replies a connection; a board sets 32
    inbound_frame_bytes: int = 256 * 1024  # 256 KiB of empty submessages parse to 5 MB, 1 MiB to 24 MB [measured]
    outbound_frame_bytes: int = 1024 * 1024  # a page of some thousand items
    request_bytes: int = 16 * 1024 * 1024  # parts of unfinished requests of a connection, all together
    query_text_bytes: int = 64 * 1024


class LocalProtocolError(RuntimeError):
    """This side broke the rules: a programming error, never the peer's fault."""


def _wrap(tag: int, payload: bytes, limit: int) -> bytes:
    """A ClientFrame or ServerFrame whose field `tag` is the serialised message `payload`, framed. By hand, since
    setting a submessage copies it (protobuf, "Encoding": a LEN field is tag << 3 | 2, a varint length, the bytes)."""
    head = bytearray((tag << 3 | 2,))
    length = len(payload)
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return frame(bytes(head) + payload, limit)


class _Session:
    """What both roles share: the reader, the end of file, the closed state."""

    def __init__(self, frame_limit: int) -> None:
        self._reader = FrameReader(frame_limit)
        self._eof = False
        self._closed = False

    @property
    def closed(self) -> bool:
        """No event will follow; nothing may be sent any more."""
        return self._closed

    @property
    def mid_frame(self) -> bool:
        """Bytes of the peer are waiting: a frame begun and not whole, or events not pulled yet."""
        return self._reader.pending > 0

    def receive_data(self, data: bytes) -> None:
        """Takes what the socket gave; b"" is end of file."""
        if data:
            self._reader.feed(data)
        else:
            self._eof = True

    def _end(self) -> ConnectionEnded | None:
        if not self._eof:
            return None
        self._closed = True
        return ConnectionEnded(clean=self._reader.pending == 0)

    def _misuse(self, message: str) -> NoReturn:
        raise LocalProtocolError(message)


class ServerSession(_Session):
    """The daemon's side of a connection."""

    def __init__(self, limits: Limits = Limits(), capabilities: Iterable[str] = CAPABILITIES) -> None:  # noqa: B008
        super().__init__(limits.inbound_frame_bytes)
        self.limits = limits
        self.capabilities = tuple(capabilities)
        self._protocol = 0  # chosen from the Hello
        self._greeted = False
        self._active: set[int] = set()
        self._parts = PartialRequests(limits.request_bytes)

    @property
    def in_flight(self) -> int:
        """How many requests were handed out and are not ended by a reply."""
        return len(self._active)

    @property
    def greeted(self) -> bool:
        return self._greeted

    def next_event(self) -> ServerEvent | None:
        """Returns the next event; None when more bytes, or `greet()`, are needed, or the session is closed."""
        while not self._closed and (self._greeted or not self._protocol):
            try:
                payload = self._reader.next()
                if payload is None:
                    return self._end()
                received = pb.ClientFrame.FromString(payload)
            except FrameError as error:
                return self._violation(str(error))
            except DecodeError:
                return self._violation("a frame that is not a ClientFrame")
            event = self._take(received)
            if event is not None:
                return event
        return None

    def _take(self, received: pb.ClientFrame) -> ServerEvent | None:
        kind = received.WhichOneof("frame")
        if not self._greeted:
            if kind != "hello":
                return self._violation("the first frame is not a Hello")
            return self._negotiate(received.hello)
        if kind == "request":
            return self._take_request(received.request)
        if kind == "cancel":
            return self._take_cancel(received.cancel.id)
        return self._violation("a second Hello" if kind else "a frame of no known kind")

    def _negotiate(self, hello: pb.Hello) -> HelloReceived | Refused:
        low, high = max(hello.protocol_min, PROTOCOL_MIN), min(hello.protocol_max, PROTOCOL_MAX)
        missing = [name for name in hello.require if name not in self.capabilities]
        if low > high:
            said = f"{hello.protocol_min} to {hello.protocol_max}"
            return self.refuse(
                errors.Unsupported(f"protocol {said} is not spoken here: {PROTOCOL_MIN} to {PROTOCOL_MAX}", said)
            )
        if missing:
            return self.refuse(errors.Unsupported("a required capability is not known here", missing[0]))
        self._protocol = high
        return HelloReceived(hello.client, high)

    def refuse(self, error: errors.MediadError) -> Refused:
        """Ends a connection that was not greeted (no room, no role). Returns the event with the bytes to send."""
        if self._greeted:
            self._misuse("refuse() after greet()")
        self._closed = True
        greeting = pb.Greeting(error=error_to_wire(error))
        return Refused(error, _wrap(1, greeting.SerializeToString(), self.limits.outbound_frame_bytes))

    def greet(self, *, server: str, host: bytes, role: str) -> bytes:
        """Returns the Greeting. `server`: name and version; `host`: 16 bytes; `role`: read, write, organise, admin."""
        if not self._protocol or self._greeted or self._closed:
            self._misuse("greet() is for once, after HelloReceived")
        self._greeted = True
        greeting = pb.Greeting(
            protocol=self._protocol, server=server, host=host, capabilities=self.capabilities,
            limits=pb.Limits(**self.limits._asdict()), role=role,
        )  # fmt: skip
        return _wrap(1, greeting.SerializeToString(), self.limits.outbound_frame_bytes)

    def _take_request(self, part: pb.Request) -> ServerEvent | None:
        ident = part.id
        if ident == 0:
            return self._violation("a request with id 0")
        if ident in self._active:
            return self._violation(f"request id {ident} is in flight already")
        try:
            if not self._parts.has(ident) and len(self._active) + len(self._parts) >= self.limits.requests_in_flight:
                self._parts.skip_rest(part)
                return self._reject(ident, errors.LimitExceeded("too many requests are in flight"), retryable=True)
            request = self._parts.take(part)
        except errors.ProtocolError as error:
            return self._violation(error.message)
        except errors.MediadError as error:
            return self._reject(ident, error)
        if request is None:
            return None
        command = request.WhichOneof("command")
        if command is None:
            return self._reject(ident, errors.Unsupported("a request without a command known here"))
        if command == "query" and len(request.query.text.encode()) > self.limits.query_text_bytes:
            return self._reject(ident, errors.LimitExceeded("the query text is too long"))
        self._active.add(ident)
        return RequestReceived(request, command)

    def _take_cancel(self, ident: int) -> ServerEvent | None:
        if ident in self._active:
            return CancelReceived(ident)
        if self._parts.drop(ident):
            return self._reject(ident, errors.Cancelled("cancelled before it was whole"))
        return None  # ended already: the reply and the Cancel crossed each other

    def reply(self, reply: pb.Reply) -> bytes:
        """Returns the bytes of a reply to a request in flight; an error is always the last.

        Raises LocalProtocolError for an id that is not in flight, LimitExceeded for one over the announced size
        (the request stays in flight)."""
        if reply.id not in self._active:
            self._misuse(f"reply to request {reply.id}, which is not in flight")
        if reply.HasField("error"):
            reply.last = True
        data = self._pack(reply)
        if reply.last:
            self._active.discard(reply.id)
        return data

    def fail(self, ident: int, error: errors.MediadError) -> bytes:
        """Returns the reply that ends the request `ident` with an error. Raises LocalProtocolError as `reply`."""
        return self.reply(pb.Reply(id=ident, last=True, error=error_to_wire(error)))

    def close(self, error: errors.MediadError) -> bytes:
        """Returns the server's last word, an error about the connection (id 0), e.g. shutting_down; closes."""
        self._closed = True
        return self._pack(pb.Reply(last=True, error=error_to_wire(error))) if self._greeted else b""

    def _pack(self, reply: pb.Reply) -> bytes:
        try:
            return _wrap(2, reply.SerializeToString(), self.limits.outbound_frame_bytes)
        except FrameError as error:
            raise errors.LimitExceeded(f"a reply of this size cannot be sent: {error}") from None

    def _reject(self, ident: int, error: errors.MediadError, *, retryable: bool = False) -> Rejected:
        error.retryable = error.retryable or retryable
        return Rejected(ident, error, self._pack(pb.Reply(id=ident, last=True, error=error_to_wire(error))))

    def _violation(self, message: str) -> ProtocolError:
        error = errors.ProtocolError(message)
        data = self.close(error) if self._greeted else self.refuse(error).data
        return ProtocolError(message, data)


class ClientSession(_Session):
    """A client's side of a connection."""

    def __init__(self, client: str, require: Iterable[str] = ()) -> None:
        super().__init__(Limits().outbound_frame_bytes)
        self.client = client
        self.require = tuple(require)
        self.greeting: pb.Greeting | None = None
        self._sent_hello = False
        self._active: set[int] = set()
        self._last_id = 0

    @property
    def in_flight(self) -> int:
        """How many requests were sent whose last reply has not come."""
        return len(self._active)

    def hello(self) -> bytes:
        """Returns the first frame."""
        if self._sent_hello:
            self._misuse("hello() twice")
        self._sent_hello = True
        hello = pb.Hello(
            protocol_min=PROTOCOL_MIN, protocol_max=PROTOCOL_MAX, client=self.client, require=self.require
        )  # fmt: skip
        return _wrap(1, hello.SerializeToString(), Limits().inbound_frame_bytes)

    def request(self, request: pb.Request) -> bytes:
        """Returns the frames of a request; sets its id when it is 0. Large ones go in parts.

        Raises LimitExceeded for more in flight, or a larger one, than the greeting allows; LocalProtocolError
        before the greeting or for an id in flight."""
        if self.greeting is None or self._closed:
            self._misuse("request() outside of a greeted connection")
        limits = self.greeting.limits
        if len(self._active) >= limits.requests_in_flight:
            raise errors.LimitExceeded(f"{limits.requests_in_flight} requests are in flight")
        if not request.id:
            # Always the next one: a Cancel on its way for an id just freed must not meet a new request.
            ident = self._last_id % 0xFFFFFFFF + 1
            while ident in self._active:
                ident = ident % 0xFFFFFFFF + 1
            request.id = ident
        elif request.id in self._active:
            self._misuse(f"request id {request.id} is in flight")
        parts = split_request(request, limits.inbound_frame_bytes, limits.request_bytes)
        data = b"".join(_wrap(2, part, limits.inbound_frame_bytes) for part in parts)
        self._active.add(request.id)
        self._last_id = request.id
        return data

    def cancel(self, ident: int) -> bytes:
        """Returns the Cancel of a request in flight: its last reply still comes. Nothing for one that is over."""
        if ident not in self._active:
            return b""
        return _wrap(3, pb.Cancel(id=ident).SerializeToString(), Limits().inbound_frame_bytes)

    def next_event(self) -> ClientEvent | None:
        """Returns the next event; None when more bytes are needed or the session is closed."""
        if self._closed:
            return None
        try:
            payload = self._reader.next()
            if payload is None:
                return self._end()
            received = pb.ServerFrame.FromString(payload)
        except FrameError as error:
            return self._violation(str(error))
        except DecodeError:
            return self._violation("a frame that is not a ServerFrame")
        kind = received.WhichOneof("frame")
        if self.greeting is None:
            return self._take_greeting(received.greeting) if kind == "greeting" else self._violation("no Greeting")
        if kind != "reply":
            return self._violation("a second Greeting" if kind else "a frame of no known kind")
        return self._take_reply(received.reply)

    def _take_greeting(self, greeting: pb.Greeting) -> ClientEvent:
        if greeting.HasField("error"):
            self._closed = True
            return Refused(error_from_wire(greeting.error))
        if not PROTOCOL_MIN <= greeting.protocol <= PROTOCOL_MAX:
            return self._violation(f"a Greeting in protocol {greeting.protocol}")
        self.greeting = greeting
        announced = min(greeting.limits.outbound_frame_bytes, CLIENT_FRAME_BYTES_MAX)
        self._reader.limit = max(self._reader.limit, announced)
        return Greeted(greeting)

    def _take_reply(self, reply: pb.Reply) -> ClientEvent:
        if reply.id == 0 and reply.HasField("error"):
            self._closed = True
            return ConnectionEnded(clean=True, error=error_from_wire(reply.error))
        if reply.id not in self._active:
            return self._violation(f"a reply to request {reply.id}, which is not in flight")
        if reply.last or reply.HasField("error"):
            reply.last = True
            self._active.discard(reply.id)
        return ReplyReceived(reply)

    def _violation(self, message: str) -> ProtocolError:
        self._closed = True
        return ProtocolError(message, b"")
