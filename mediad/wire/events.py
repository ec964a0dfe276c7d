"""What a session reports. Pulled one by one from `next_event()`."""

from __future__ import annotations

from dataclasses import dataclass

from mediad.errors import MediadError
from mediadb_contract import mediadb_pb2 as pb


@dataclass(slots=True)
class HelloReceived:
    """Server: the peer's Hello fits. Answer with `greet()`; requests are handed out after that."""

    client: str
    protocol: int


@dataclass(slots=True)
class Refused:
    """Server: the Hello does not fit: send `data`, then close. Client: the server refused (`data` is empty)."""

    error: MediadError
    data: bytes = b""


@dataclass(slots=True)
class RequestReceived:
    """Server: a whole request, its parts merged. It is in flight until a reply with `last` was made for its id."""

    request: pb.Request
    command: str  # the name of the oneof field that is set: ping, status, add ...


@dataclass(slots=True)
class Rejected:
    """Server: a request that does not reach the daemon: send `data`, the ready reply. It is not in flight."""

    id: int
    error: MediadError
    data: bytes


@dataclass(slots=True)
class CancelReceived:
    """Server: the client no longer wants the answer to a request in flight. It is still to be ended by a reply."""

    id: int


@dataclass(slots=True)
class Greeted:
    """Client: the connection stands."""

    greeting: pb.Greeting


@dataclass(slots=True)
class ReplyReceived:
    """Client: a reply to the request `reply.id`, which is over when `reply.last`."""

    reply: pb.Reply


@dataclass(slots=True)
class ProtocolError:
    """The peer's bytes are not this protocol: send `data` (may be empty), then close. Nothing follows."""

    message: str
    data: bytes


@dataclass(slots=True)
class ConnectionEnded:
    """The peer sent end of file; `clean`: between two frames. Or, to a client, the server's last word: `error`."""

    clean: bool
    error: MediadError | None = None


ServerEvent = (
    HelloReceived | Refused | RequestReceived | Rejected | CancelReceived | ProtocolError | ConnectionEnded
)  # fmt: skip
ClientEvent = Greeted | Refused | ReplyReceived | ProtocolError | ConnectionEnded
