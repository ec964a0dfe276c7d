"""Ogg pages and the packets of each logical stream, from the head of a file; the last granule from its tail.

Source: RFC 3533 section 6 (page header, lacing values).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

PAGES = 512  # of the head
WALKED = 8192  # pages walked for a stream that does not end within the tail
TAIL = 128 * 1024
PACKET = 16 * 1024 * 1024  # bytes of one packet: comments with a picture in them
NONE = (1 << 64) - 1  # a granule position of a page on which no packet ends


class Logical:
    """One logical stream: its first packets, whole."""

    __slots__ = ("_held", "_size", "packets", "serial")

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.packets: list[bytes] = []
        self._held: list[bytes] = []
        self._size = 0

    def take(self, lacing: bytes, body: bytes, continued: bool) -> None:
        """Adds a page's segments: a lacing value below 255 ends a packet."""
        if not continued:
            self._held, self._size = [], 0
        start = end = 0
        for size in lacing:
            end += size
            if size < 255:
                piece = body[start:end]
                self.packets.append(b"".join((*self._held, piece)) if self._held else piece)
                self._held, self._size = [], 0
                start = end
        if start < end:
            self._held.append(body[start:end])
            self._size += end - start
            if self._size > PACKET:
                self._held, self._size = [], 0


def list_streams(file: File, wanted: int = 3) -> list[Logical]:
    """The logical streams in the order of their first pages, each with its first `wanted` packets where they lie in the
    first pages. Read once a file."""
    key = f"ogg streams {wanted}"
    if key not in file.memo:
        file.memo[key] = _list_streams(file, wanted)
    found: list[Logical] = file.memo[key]
    return found


def _list_streams(file: File, wanted: int) -> list[Logical]:
    streams: dict[int, Logical] = {}
    at = 0
    for _ in range(PAGES):
        head = file.read(at, 27 + 255)
        if len(head) < 27 or head[:4] != b"OggS":
            break
        count = head[26]
        lacing = head[27 : 27 + count]
        size = sum(lacing)
        serial = int.from_bytes(head[14:18], "little")
        stream = streams.get(serial)
        if stream is None:
            stream = streams[serial] = Logical(serial)
        if len(stream.packets) < wanted:
            start = 27 + len(lacing)
            body = head[start : start + size]
            stream.take(lacing, body if len(body) == size else file.read(at + start, size), bool(head[5] & 1))
        at += 27 + len(lacing) + size
        if not head[5] & 2 and all(len(one.packets) >= wanted for one in streams.values()):
            break
    return list(streams.values())


def _tail(file: File) -> bytes:
    if "ogg tail" not in file.memo:
        file.memo["ogg tail"] = file.tail(TAIL)
    tail: bytes = file.memo["ogg tail"]
    return tail


def last_granules(file: File) -> dict[int, int]:
    """The granule position of each stream's last page in the tail of the file."""
    tail = _tail(file)
    found: dict[int, int] = {}
    at = tail.find(b"OggS")
    while at >= 0 and at + 27 <= len(tail):
        granule = int.from_bytes(tail[at + 6 : at + 14], "little")
        if granule != NONE:
            found[int.from_bytes(tail[at + 14 : at + 18], "little")] = granule
        at = tail.find(b"OggS", at + 27)
    return found


def last_position(file: File, serial: int) -> int:
    """The granule position of the last whole page of a stream on which a packet ends: from the tail, and where other
    streams fill that, from the page headers of the file (WALKED). 0 when there is none."""
    tail = _tail(file)
    at = tail.rfind(b"OggS")
    while at >= 0:
        position = _position(tail, at, serial)
        if position is not None:
            return position
        at = tail.rfind(b"OggS", 0, at)
    found = at = 0
    for _ in range(WALKED):
        head = file.read(at, 27 + 255)
        if len(head) < 27 or head[:4] != b"OggS":
            break
        granule = int.from_bytes(head[6:14], "little")
        if granule != NONE and int.from_bytes(head[14:18], "little") == serial:
            found = granule
        at += 27 + head[26] + sum(head[27 : 27 + head[26]])
    return found


def _position(data: bytes, at: int, serial: int) -> int | None:
    """The granule position of a whole page of this stream at `at`; None when it is none."""
    head = data[at : at + 27]
    if len(head) < 27 or head[4] or int.from_bytes(head[14:18], "little") != serial:
        return None
    lacing = data[at + 27 : at + 27 + head[26]]
    if at + 27 + head[26] + sum(lacing) > len(data):
        return None
    granule = int.from_bytes(head[6:14], "little")
    return None if granule == NONE else granule
