"""EBML elements: RFC 8794 sections 4-6 (variable-size ids and sizes, unknown sizes, data types)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mediad_handlers.kit.api import HandlerError

Fetch = Callable[[int, int], bytes]

MAX_ELEMENTS = 20_000


class Element(NamedTuple):
    """`start` is the offset of the data, `end` of what follows; an unknown size runs to the parent's end."""

    id: int
    start: int
    end: int


def parse_header(data: bytes, at: int) -> tuple[int, int, int] | None:
    """(id, place of the contents, size) of the element header at `at` of `data`; a size of -1 is unknown. None for
    what is no element, and for a header that `data` does not hold (RFC 8794 sections 4, 5: at most four and eight
    bytes)."""
    end = len(data)
    if at + 2 > end:
        return None
    first = data[at]
    if first >= 0x80:
        number = first
        at += 1
    elif first >= 0x10:
        width = 9 - first.bit_length()
        number = int.from_bytes(data[at : at + width], "big")
        at += width
        if at >= end:
            return None
    else:
        return None
    first = data[at]
    if first >= 0x80:
        return number, at + 1, first & 0x7F if first != 0xFF else -1
    octets = 9 - first.bit_length()
    if not first or at + octets > end:
        return None
    most = (1 << 7 * octets) - 1
    size = int.from_bytes(data[at : at + octets], "big") & most
    return number, at + octets, size if size != most else -1


class Reader:
    """Elements of a file; `budget` is how many more element headers may be read. `head`: its first bytes, in memory."""

    __slots__ = ("_head", "_inside", "budget", "fetch")

    def __init__(self, fetch: Fetch, head: bytes = b"") -> None:
        self.fetch = fetch
        self.budget = MAX_ELEMENTS
        self._head = head
        self._inside = len(head) - 12  # the last place from which a whole header is in memory

    def header(self, at: int, end: int) -> Element | None:
        """The element at an offset; None at the end or for what is no element. Raises HandlerError `limit`."""
        self.budget -= 1
        if self.budget < 0:
            raise HandlerError("limit", f"more than {MAX_ELEMENTS} EBML elements")
        if at <= self._inside:
            found, base = parse_header(self._head, at), 0
        else:
            found, base = parse_header(self.fetch(at, 12), 0), at
        if found is None:
            return None
        number, start, size = found
        start += base
        following = start + size
        return Element(number, start, end if size < 0 or following > end else following)

    def walk(self, start: int, end: int) -> Iterator[Element]:
        at = start
        while at < end:
            element = self.header(at, end)
            if element is None:
                return
            yield element
            at = element.end

    def children(self, element: Element) -> Iterator[Element]:
        return self.walk(element.start, element.end)

    def data(self, element: Element, limit: int = 65536) -> bytes:
        start, end = element.start, element.end
        if end - start > limit:
            end = start + limit
        return self._head[start:end] if end <= self._inside else self.fetch(start, end - start)

    def number(self, element: Element) -> int:
        """An unsigned number of at most eight bytes."""
        return int.from_bytes(self.data(element, 8), "big")

    def count(self, element: Element) -> int | None:
        """A number that counts pixels or channels; None for 0 and beyond 2^31."""
        found = self.number(element)
        return found if 0 < found < 1 << 31 else None

    def signed(self, element: Element) -> int:
        return int.from_bytes(self.data(element, 8), "big", signed=True)

    def float(self, element: Element) -> float | None:
        raw = self.data(element, 8)
        found = struct.unpack(">f" if len(raw) == 4 else ">d", raw)[0] if len(raw) in (4, 8) else None
        return found if found is not None and abs(found) < 1e18 else None

    def text(self, element: Element) -> str:
        return self.data(element).partition(b"\0")[0].decode("utf-8", "replace").strip()
