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


class Reader:
    """Elements of a file; `budget` is how many more element headers may be read."""

    def __init__(self, fetch: Fetch) -> None:
        self.fetch = fetch
        self.budget = MAX_ELEMENTS

    def header(self, at: int, end: int) -> Element | None:
        """The element at an offset; None at the end or for what is no element. Raises HandlerError `limit`."""
        self.budget -= 1
        if self.budget < 0:
            raise HandlerError("limit", f"more than {MAX_ELEMENTS} EBML elements")
        raw = self.fetch(at, 12)
        if len(raw) < 2 or raw[0] < 0x10:
            return None
        width = 9 - raw[0].bit_length()
        number = int.from_bytes(raw[:width], "big")
        if len(raw) <= width or not raw[width]:
            return None
        octets = 9 - raw[width].bit_length()
        if len(raw) < width + octets:
            return None
        size = int.from_bytes(raw[width : width + octets], "big") & ((1 << 7 * octets) - 1)
        start = at + width + octets
        unknown = size == (1 << 7 * octets) - 1
        return Element(number, start, end if unknown else min(start + size, end))

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
        return self.fetch(element.start, min(element.end - element.start, limit))

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
