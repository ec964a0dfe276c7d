"""Frames: a length of four bytes, most significant first, and as many bytes of one protobuf message.

The rule is proto/README.md, section "Frames". Nothing here reads or writes a socket.
"""

from __future__ import annotations

HEADER_BYTES = 4
# What was consumed is cut off the front of the buffer once it is this long: often enough that memory stays
# proportional to what is unread, seldom enough that small frames are not moved one by one.
COMPACT_BYTES = 64 * 1024


class FrameError(ValueError):
    """The stream cannot be cut into frames: a length of zero, or one over the limit. There is no way to go on."""


def frame(payload: bytes, limit: int = 0xFFFFFFFF) -> bytes:
    """Returns `payload` as one frame.

    Raises FrameError when it is empty or longer than `limit` bytes."""
    if not 0 < len(payload) <= limit:
        raise FrameError(f"a frame holds 1 to {limit} bytes, not {len(payload)}")
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


class FrameReader:
    """Cuts a stream of bytes into the payloads of frames.

    `limit` is the longest payload accepted, in bytes; it may be raised later. A frame is announced before it is
    there, so nothing is allocated from the announced length: memory is what was fed and not yet taken."""

    __slots__ = ("_buffer", "_start", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._buffer = bytearray()
        self._start = 0

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Appends bytes as they came from the peer, in pieces of any size."""
        self._buffer += data

    def next(self) -> bytes | None:
        """Returns the next whole payload, None when more bytes are needed.

        Raises FrameError for a length of 0 or over `limit`, as soon as the four bytes are there; the reader stays
        where it is, so that it raises again."""
        begin = self._start + HEADER_BYTES
        if len(self._buffer) < begin:
            return None
        length = int.from_bytes(self._buffer[self._start : begin], "big")
        if not 0 < length <= self.limit:
            raise FrameError(f"a frame of {length} bytes; 1 to {self.limit} are accepted")
        end = begin + length
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as view:
            payload = bytes(view[begin:end])
        if end == len(self._buffer):
            self._buffer.clear()
            self._start = 0
        elif end >= COMPACT_BYTES and end * 2 >= len(self._buffer):
            del self._buffer[:end]
            self._start = 0
        else:
            self._start = end
        return payload

    @property
    def pending(self) -> int:
        """Bytes fed and not taken: 0 means that the peer is between two frames."""
        return len(self._buffer) - self._start
