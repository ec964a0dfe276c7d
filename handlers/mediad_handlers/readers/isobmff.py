"""Boxes of the ISO base media file format: ISO/IEC 14496-12 section 4.2; QuickTime File Format ("Atoms").

Only headers are read to walk (16 bytes each); contents when a caller asks. A box that runs past its parent is cut
there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from mediad_handlers.kit.api import HandlerError

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

Fetch = Callable[[int, int], bytes]

MAX_BOXES = 20_000  # of one walk
MAX_CONTENT = 4 * 1024 * 1024  # bytes of one box's contents


_HEADER = Struct(">I4s").unpack_from


class Box(NamedTuple):
    """`start` is the offset of the contents (behind the header), `end` of what follows the box."""

    kind: bytes
    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


class Source:
    """Bytes of a file with one part of it in memory; `budget` is how many more box headers may be read."""

    __slots__ = ("_base", "_children", "_data", "_fetch", "budget")

    def __init__(self, fetch: Fetch, data: bytes = b"", base: int = 0) -> None:
        self._fetch = fetch
        self._data = data
        self._base = base
        self._children: dict[tuple[int, int], list[Box]] = {}
        self.budget = MAX_BOXES

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`, fewer at the end of the file."""
        at = offset - self._base
        if 0 <= at and at + length <= len(self._data):
            return self._data[at : at + length]
        return self._fetch(offset, length)

    def load(self, start: int, length: int) -> None:
        """Keeps a part in memory, so that walking it reads no more."""
        self._data, self._base = self._fetch(start, length), start

    def content(self, box: Box, limit: int = MAX_CONTENT) -> bytes:
        """The contents of a box, at most `limit` bytes."""
        return self.read(box.start, min(box.length, limit))

    def walk(self, start: int, end: int) -> Iterator[Box]:
        """The boxes between two offsets. Raises HandlerError `limit` behind MAX_BOXES of one source."""
        at = start
        base, data = self._base, self._data
        inside = len(data) - 16 + base  # the last place from which a header is in memory
        while at + 8 <= end:
            if base <= at <= inside:
                size, kind = _HEADER(data, at - base)
                if size >= 8:
                    self.budget -= 1
                    if self.budget < 0:
                        raise HandlerError("limit", f"more than {MAX_BOXES} boxes")
                    following = at + size
                    yield Box(kind, at + 8, following if following < end else end)
                    at = following
                    continue
            self.budget -= 1
            if self.budget < 0:
                raise HandlerError("limit", f"more than {MAX_BOXES} boxes")
            header = self.read(at, 16)
            if len(header) < 8:
                return
            size, kind, head = int.from_bytes(header[:4], "big"), header[4:8], 8
            if size == 1 and len(header) == 16:
                size, head = int.from_bytes(header[8:], "big"), 16
            elif size == 0:
                size = end - at
            if size < head:
                return
            yield Box(kind, at + head, min(at + size, end))
            at += size

    def children(self, box: Box, skip: int = 0) -> Iterable[Box]:
        """The boxes inside a box, behind `skip` bytes of its own (4 for a full box); what is in memory is walked once.
        Raises HandlerError `limit`, while they are taken or at once."""
        start, end = box.start + skip, box.end
        found = self._children.get((start, end))
        if found is None:
            if start < self._base or end > self._base + len(self._data):
                return self.walk(start, end)
            found = self._children[start, end] = self._list(start, end)
        return found

    def _list(self, start: int, end: int) -> list[Box]:
        """What `walk` gives, of a range in memory."""
        found: list[Box] = []
        data, base = self._data, self._base
        inside = min(end - 8, base + len(data) - 16)
        at = start
        while at <= inside:
            size, kind = _HEADER(data, at - base)
            if size < 8:
                break
            following = at + size
            found.append(Box(kind, at + 8, following if following < end else end))
            at = following
        self.budget -= len(found)
        if self.budget < 0:
            raise HandlerError("limit", f"more than {MAX_BOXES} boxes")
        if at + 8 <= end:
            found += self.walk(at, end)  # a large size, a last box, the end of what is in memory
        return found

    def find(self, box: Box, *path: bytes) -> Box | None:
        """The first box at a path of kinds below `box`."""
        for kind in path:
            for child in self.children(box):
                if child.kind == kind:
                    box = child
                    break
            else:
                return None
        return box


def list_boxes(file: File) -> list[Box]:
    """The boxes of the top level, read once a file. Raises HandlerError `limit` behind MAX_BOXES."""
    if "boxes" not in file.memo:
        file.memo["boxes"] = list(Source(file.read, file.head).walk(0, file.size))
    found: list[Box] = file.memo["boxes"]
    return found


def load_movie(file: File, moov: Box) -> Source:
    """A source with the beginning of the movie box in memory, at most MAX_CONTENT bytes; read once a file."""
    if "movie" not in file.memo:
        data = file.read(moov.start, min(moov.length, MAX_CONTENT))
        file.memo["movie"] = Source(file.read, data, moov.start)
    found: Source = file.memo["movie"]
    found.budget = MAX_BOXES  # for each who asks
    return found


def big(data: bytes, offset: int, length: int) -> int:
    """An unsigned big-endian number; what lies behind the data counts as absent."""
    return int.from_bytes(data[offset : offset + length], "big")
