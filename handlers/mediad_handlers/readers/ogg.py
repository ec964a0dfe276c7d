"""Ogg pages and the packets of each logical stream, from the head of a file; the last granule from its tail.

Source: RFC 3533 section 6 (page header, lacing values).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

PAGES = 512  # of the head
TAIL = 128 * 1024
PACKET = 1024 * 1024  # bytes of one packet
NONE = (1 << 64) - 1  # a granule position of a page on which no packet ends


class Logical:
    """One logical stream: its first packets, whole."""

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.packets: list[bytes] = []
        self._open = b""

    def take(self, lacing: bytes, body: bytes, continued: bool) -> None:
        """Adds a page's segments."""
        if not continued:
            self._open = b""
        at = 0
        for size in lacing:
            self._open += body[at : at + size]
            at += size
            if size < 255:
                self.packets.append(self._open)
                self._open = b""
            elif len(self._open) > PACKET:
                self._open = b""


def list_streams(file: File, wanted: int = 3) -> list[Logical]:
    """The logical streams in the order of their first pages, each with its first `wanted` packets where they lie in the
    first pages."""
    streams: dict[int, Logical] = {}
    at = 0
    for _ in range(PAGES):
        head = file.read(at, 27)
        if len(head) < 27 or head[:4] != b"OggS":
            break
        lacing = file.read(at + 27, head[26])
        size = sum(lacing)
        serial = int.from_bytes(head[14:18], "little")
        stream = streams.setdefault(serial, Logical(serial))
        if len(stream.packets) < wanted:
            stream.take(lacing, file.read(at + 27 + len(lacing), size), bool(head[5] & 1))
        at += 27 + len(lacing) + size
        if not head[5] & 2 and all(len(one.packets) >= wanted for one in streams.values()):
            break
    return list(streams.values())


def last_granules(file: File) -> dict[int, int]:
    """The granule position of each stream's last page in the tail of the file."""
    size = min(file.size, TAIL)
    tail = file.read(file.size - size, size)
    found: dict[int, int] = {}
    at = tail.find(b"OggS")
    while at >= 0 and at + 27 <= len(tail):
        granule = int.from_bytes(tail[at + 6 : at + 14], "little")
        if granule != NONE:
            found[int.from_bytes(tail[at + 14 : at + 18], "little")] = granule
        at = tail.find(b"OggS", at + 27)
    return found
