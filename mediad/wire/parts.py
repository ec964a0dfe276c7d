"""Requests in parts: cutting a large one into frames, and joining the frames again. Rule: proto/README.md, "Parts"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mediad import errors
from mediadb_contract import mediadb_pb2 as pb

# The lists by which a command may be larger than a frame. Everything else of it goes in the first part.
LISTS: dict[str, tuple[str, ...]] = {
    "add": ("paths", "exclude"),
    "get": ("targets",),
    "checksum": ("targets", "scopes", "algorithms"),
    "forget": ("targets",),
    "text": ("targets",),
}

# Several requests may be sent in turns, part by part; more than a few at once is no honest client.
UNFINISHED_REQUESTS = 8

# Refused requests whose further parts are passed over: what a client can have sent before it reads the refusals.
SKIPPED_REQUESTS = 128

# Least charge for an entry of a list: an empty path is 2 bytes on the wire and 16 to 48 in memory, so that
# 16 MiB of them would cost the daemon hundreds of megabytes.
ENTRY_BYTES = 32

# Room left in a frame for the envelope: the frame's tag and length, and the request's own fields after the command.
ENVELOPE_BYTES = 64


def _count_entries(request: pb.Request) -> int:
    command = request.WhichOneof("command")
    message = getattr(request, command) if command else None
    return sum(len(getattr(message, name)) for name in LISTS.get(command or "", ()))


class PartialRequests:
    """The requests of one connection of which parts are still to come."""

    __slots__ = ("_held", "_limit", "_requests", "_skipped")

    def __init__(self, limit: int) -> None:
        self._limit = limit  # bytes, of all unfinished requests together
        self._requests: dict[int, tuple[pb.Request, int]] = {}
        self._held = 0
        self._skipped: set[int] = set()  # refused already: their further parts are passed over

    def __len__(self) -> int:
        return len(self._requests)

    def has(self, ident: int) -> bool:
        """Whether parts of this id have come and more are expected."""
        return ident in self._requests or ident in self._skipped

    def take(self, part: pb.Request) -> pb.Request | None:
        """Returns the whole request with its last part, None before that.

        Raises LimitExceeded for too many or too large ones and InvalidArgument for parts of different commands:
        once; what follows of that request is passed over. Raises ProtocolError as `skip_rest`."""
        ident = part.id
        if ident in self._skipped:
            if not part.more:
                self._skipped.discard(ident)
            return None
        known = self._requests.get(ident)
        if known is None and not part.more:
            return part
        size = max(part.ByteSize(), _count_entries(part) * ENTRY_BYTES)
        try:
            if known is None and len(self._requests) >= UNFINISHED_REQUESTS:
                raise errors.LimitExceeded(f"more than {UNFINISHED_REQUESTS} requests are sent in parts at once")
            if self._held + size > self._limit:
                raise errors.LimitExceeded(f"requests in parts of more than {self._limit} bytes")
            if known is not None and part.WhichOneof("command") != known[0].WhichOneof("command"):
                raise errors.InvalidArgument("the parts of a request name different commands")
        except errors.MediadError:
            self.drop(ident)
            self.skip_rest(part)
            raise
        if known is None:
            self._requests[ident] = (part, size)
            self._held += size
            return None
        request, before = known
        request.MergeFrom(part)
        request.more = part.more
        self._requests[ident] = (request, before + size)
        self._held += size
        if not part.more:
            self.drop(ident)
            return request
        return None

    def skip_rest(self, part: pb.Request) -> None:
        """Passes over the parts that follow a refused one. Raises ProtocolError when too many such requests are
        still being sent: a client that goes on after so many refusals does not read them."""
        if part.more:
            if len(self._skipped) >= SKIPPED_REQUESTS:
                raise errors.ProtocolError("too many refused requests are still being sent")
            self._skipped.add(part.id)

    def drop(self, ident: int) -> bool:
        """Forgets a request. Returns whether an unfinished, not refused one was there."""
        self._skipped.discard(ident)
        request, size = self._requests.pop(ident, (None, 0))
        self._held -= size
        return request is not None


def split_request(request: pb.Request, frame_bytes: int, request_bytes: int) -> Iterator[bytes]:
    """Yields the serialised parts of a request, each short enough for a frame of `frame_bytes`.

    Raises LimitExceeded, before the first part, when the request is over `request_bytes` or one entry of it does
    not fit a frame."""
    room = frame_bytes - ENVELOPE_BYTES
    if request.ByteSize() <= room:
        return iter((request.SerializeToString(),))
    charged = max(request.ByteSize(), _count_entries(request) * ENTRY_BYTES)
    if charged > request_bytes:
        raise errors.LimitExceeded(f"a request of {charged} bytes; {request_bytes} are accepted")
    command = request.WhichOneof("command") or ""
    names = LISTS.get(command, ())
    first = pb.Request()
    first.CopyFrom(request)
    first.more = True
    for name in names:
        getattr(first, command).ClearField(name)
    getattr(first, command).SetInParent()
    if first.ByteSize() > room or any(
        _size(entry) + ENVELOPE_BYTES > room for name in names for entry in getattr(getattr(request, command), name)
    ):
        raise errors.LimitExceeded(f"one value is larger than a frame of {frame_bytes} bytes")
    return _parts(request, first, command, names, room)


def _size(entry: Any) -> int:
    """Bytes of a list's entry, with its tag and length at their longest."""
    if isinstance(entry, str):
        return len(entry.encode()) + 6
    return (len(entry) if isinstance(entry, bytes) else int(entry.ByteSize())) + 6


def _parts(request: pb.Request, first: pb.Request, command: str, names: Iterable[str], room: int) -> Iterator[bytes]:
    part, used = first, first.ByteSize()
    for name in names:
        for entry in getattr(getattr(request, command), name):
            size = _size(entry)
            if used + size > room:
                yield part.SerializeToString()
                part = pb.Request(id=request.id, more=True)
                getattr(part, command).SetInParent()
                used = part.ByteSize() + ENVELOPE_BYTES
            getattr(getattr(part, command), name).extend((entry,))
            used += size
    part.more = False
    yield part.SerializeToString()
