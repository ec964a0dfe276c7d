"""TIFF image file directories, as in TIFF files, EXIF blocks and RAW files.

Sources: TIFF 6.0 section 2 (header, directory, field types); BigTIFF (libtiff's "BigTIFF Design": 20-byte entries,
types 16-18); CIPA DC-008 (Exif 3.0) section 4.6 (Exif, GPS and Interoperability directories).
Every offset and count is checked against the block or the file, a directory is read once (loops end there), and
a value of more than MAX_VALUE bytes is left out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Literal, NamedTuple

from mediad_handlers.kit.api import HandlerError

Number = int | float | None
Value = int | float | str | bytes | list[Number] | None
Entries = dict[int, Value]
Fetch = Callable[[int, int], bytes]

MAX_VALUE = 64 * 1024  # bytes of one value
MAX_ENTRIES = 1024  # entries of one directory
MAX_DIRECTORIES = 64  # directories of one file, pages included
MAX_TOTAL = 1024 * 1024  # bytes of all values of one file
MAX_OFFSET = 1 << 62  # BigTIFF can write offsets that no file and no system call has
MAX_ELEMENTS = 1024  # numbers of one value

ASCII, RATIONAL, UNDEFINED, SRATIONAL = 2, 5, 7, 10
SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # bytes of one element, by field type
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}

EXIF_POINTER, GPS_POINTER, INTEROP_POINTER, SUBIFD_POINTER = 0x8769, 0x8825, 0xA005, 0x014A
MAKER_NOTE = 0x927C
# Values that place or hold pixels, or are blocks with readers of their own: they say nothing as tags.
# 0x002E is Panasonic's JPEG; 0x02BC XMP, 0x83BB IPTC, 0x8649 Photoshop resources and 0x8773 ICC are read on demand
# with `Tiff.block`.
_SKIPPED = frozenset(
    (0x002E, 0x0111, 0x0117, 0x0118, 0x0119, 0x0120, 0x0121, 0x0140, 0x0144, 0x0145, 0x015B, 0x0207, 0x0208, 0x0209)
    + (0x02BC, 0x83BB, 0x8649, 0x8773, 0x927C, 0x935C, 0xC634, 0xC68B, 0xC7A7, 0xEA1C)
)


class Layout(NamedTuple):
    """Compiled formats of one byte order and one flavour (classic or big)."""

    order: str
    number: struct.Struct  # of the count of entries
    entry: struct.Struct  # tag, type, count, inline value or offset
    offset: struct.Struct
    inline: int  # bytes that fit in the entry
    name: Literal["little", "big"]
    short_shift: int  # bits from the inline field down to a SHORT in it, which stands in its first bytes
    long_shift: int  # the same for a LONG


def _layout(order: str, big: bool) -> Layout:
    inline = 8 if big else 4
    return Layout(
        order,
        struct.Struct(order + ("Q" if big else "H")),
        struct.Struct(order + ("HHQQ" if big else "HHII")),
        struct.Struct(order + ("Q" if big else "I")),
        inline,
        "little" if order == "<" else "big",
        0 if order == "<" else 8 * inline - 16,
        0 if order == "<" else 8 * inline - 32,
    )


_LAYOUTS = {(order, big): _layout(order, big) for order in "<>" for big in (False, True)}
_UNSIGNED_PAIR = {order: struct.Struct(order + "II") for order in "<>"}
_SIGNED_PAIR = {order: struct.Struct(order + "ii") for order in "<>"}


def decode_text(raw: bytes) -> str:
    """The text up to the first NUL, without outer blanks: UTF-8, else Latin-1 (Exif 3.0 section 4.6.3 allows both)."""
    if (end := raw.find(b"\0")) >= 0:
        raw = raw[:end]
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()


class Tiff:
    """The directories of one TIFF structure.

    `data` is its beginning (all of it for an EXIF block); `fetch(offset, length)` reads what lies behind, None when
    there is nothing behind. `magic` is the number in bytes 2-3: 42, 43 (big), or what a RAW format writes there.
    Raises HandlerError `corrupt` when there is no byte order mark or the header is short."""

    __slots__ = ("_fetch", "_left", "data", "first", "layout", "magic", "maker_note", "spans", "truncated", "visited")

    def __init__(self, data: bytes, fetch: Fetch | None = None) -> None:
        order = "<" if data[:2] == b"II" else ">" if data[:2] == b"MM" else ""
        if not order or len(data) < 8:
            raise HandlerError("corrupt", "no TIFF header")
        self.data = data
        self._fetch = fetch
        self._left = MAX_TOTAL
        self.magic: int = struct.unpack_from(order + "H", data, 2)[0]
        big = self.magic == 43
        if big and len(data) < 16:
            raise HandlerError("corrupt", "no BigTIFF header")
        self.layout = _LAYOUTS[order, big]
        self.first: int = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
        self.visited: set[int] = set()
        self.spans: dict[int, tuple[int, int]] = {}  # tag -> (offset, length) of the blocks that are read on demand
        self.maker_note = 0  # bytes of the maker note, 0 when there is none
        self.truncated = False  # a directory or a value did not fit the file or the limits

    def bytes_at(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`; fewer where the structure ends."""
        end = offset + length
        if end <= len(self.data) or self._fetch is None:
            return self.data[offset:end]
        return self._fetch(offset, length) if end < MAX_OFFSET else b""

    def block(self, tag: int) -> bytes:
        """The bytes of a block value (0x02BC XMP, 0x83BB IPTC, 0x8649 resources, 0x8773 ICC), b"" when absent.
        At most 4 MiB."""
        offset, length = self.spans.get(tag, (0, 0))
        return self.bytes_at(offset, min(length, 4 * 1024 * 1024)) if length else b""

    def directory(self, offset: int) -> tuple[Entries, int]:
        """The values of the directory at `offset` and the offset of the next one (0: none).

        Text is str, UNDEFINED and long BYTE values are bytes, one number is a number, several are a list; a rational
        with denominator 0 is None. A directory visited before is empty."""
        layout = self.layout
        if offset <= 0 or offset in self.visited or len(self.visited) >= MAX_DIRECTORIES:
            return {}, 0
        self.visited.add(offset)
        width, data = layout.number.size, self.data
        size = layout.entry.size
        if offset + width <= len(data):  # nearly always all of the directory is at hand
            count = layout.number.unpack_from(data, offset)[0]
            end = offset + width + count * size
            if count <= MAX_ENTRIES and end + layout.offset.size <= len(data):
                entries = self._values(data[offset + width : end], offset + width)
                return entries, layout.offset.unpack_from(data, end)[0]
        raw = self.bytes_at(offset, width)
        if len(raw) < width:
            self.truncated = True
            return {}, 0
        count = layout.number.unpack(raw)[0]
        if count > MAX_ENTRIES:
            self.truncated = True
            return {}, 0
        table = self.bytes_at(offset + width, count * size + layout.offset.size)
        complete = min(count, len(table) // size)
        entries = self._values(table[: complete * size], offset + width)
        if complete < count or len(table) < count * size + layout.offset.size:
            self.truncated |= complete < count
            return entries, 0
        return entries, layout.offset.unpack_from(table, count * size)[0]

    def directory_after(self, offset: int, count: int) -> int:
        """The offset of the directory `count` places behind the one at `offset` in the chain; 0 when it ends before."""
        layout = self.layout
        for _ in range(count):
            raw = self.bytes_at(offset, layout.number.size)
            if len(raw) < layout.number.size:
                return 0
            entries = layout.number.unpack(raw)[0]
            if entries > MAX_ENTRIES:
                return 0
            raw = self.bytes_at(offset + layout.number.size + entries * layout.entry.size, layout.offset.size)
            if len(raw) < layout.offset.size:
                return 0
            offset = layout.offset.unpack(raw)[0]
            if not offset:
                return 0
        return offset

    def _values(self, table: bytes, position: int) -> Entries:
        layout = self.layout
        inline, order, data = layout.inline, layout.order, self.data
        short_shift, long_shift = layout.short_shift, layout.long_shift
        unpack_unsigned, unpack_signed = _UNSIGNED_PAIR[order].unpack_from, _SIGNED_PAIR[order].unpack_from
        known = len(data)
        entries: Entries = {}
        for tag, kind, count, field in layout.entry.iter_unpack(table):
            if count == 1:  # most entries: one number in the entry itself, or one rational
                if kind == 3:
                    entries[tag] = field >> short_shift & 0xFFFF
                    continue
                if kind == 4 or kind == 13:
                    entries[tag] = field >> long_shift & 0xFFFFFFFF
                    continue
                if kind == RATIONAL and field + 8 <= known and inline == 4:
                    over, under = unpack_unsigned(data, field)
                    entries[tag] = over / under if under else None
                    continue
                if kind == SRATIONAL and field + 8 <= known and inline == 4:
                    over, under = unpack_signed(data, field)
                    entries[tag] = over / under if under else None
                    continue
            size = SIZES[kind] * count if kind < 19 else 0
            if not size:
                continue
            if size <= inline:
                raw = field.to_bytes(inline, layout.name)[:size]
            elif tag in _SKIPPED:
                self.spans[tag] = (field, size)
                if tag == MAKER_NOTE:
                    self.maker_note = size
                continue
            elif size > MAX_VALUE or size > self._left:
                self.truncated = True
                continue
            else:
                self._left -= size
                raw = data[field : field + size] if field + size <= known else self.bytes_at(field, size)
                if len(raw) < size and kind != ASCII:
                    self.truncated = True
                    continue
            entries[tag] = decode_text(raw) if kind == ASCII else decode_value(raw, kind, count, order)
        return entries


def decode_value(raw: bytes, kind: int, count: int, order: str) -> Value:
    """A value that is no text: a number, a list of numbers, or bytes; None beyond MAX_ELEMENTS."""
    if kind == UNDEFINED or (kind == 1 and count > 4):
        return raw
    if count > MAX_ELEMENTS:
        return None
    if kind in (RATIONAL, SRATIONAL):
        pairs = (_UNSIGNED_PAIR if kind == RATIONAL else _SIGNED_PAIR)[order].iter_unpack(raw)
        quotients = [over / under if under else None for over, under in pairs]
        return quotients[0] if count == 1 else quotients
    numbers = list(struct.unpack(f"{order}{count}{_CODES[kind]}", raw))
    return numbers[0] if count == 1 else numbers


def first_number(value: Value) -> int | float | None:
    """The value, or the first of its list, when it is a number; else None."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, int | float) else None


def pointer(value: Value) -> int:
    """A directory's offset from a pointer value; 0 when it is none."""
    number = first_number(value)
    return number if isinstance(number, int) and number > 0 else 0


class Exif(NamedTuple):
    """The directories of an EXIF block by ExifTool's family-1 names: "IFD0" "ExifIFD" "GPS" "InteropIFD" "IFD1"."""

    directories: dict[str, Entries]
    tiff: Tiff


def read_exif(data: bytes, fetch: Fetch | None = None) -> Exif:
    """The EXIF directories of a TIFF structure (Exif 3.0 section 4.6.1). Raises HandlerError `corrupt`."""
    tiff = Tiff(data, fetch)
    main, following = tiff.directory(tiff.first)
    directories = {"IFD0": main}
    exif = pointer(main.pop(EXIF_POINTER, None))
    if exif:
        entries, _ = tiff.directory(exif)
        directories["ExifIFD"] = entries
        interop = pointer(entries.pop(INTEROP_POINTER, None))
        if interop:
            directories["InteropIFD"] = tiff.directory(interop)[0]
    gps = pointer(main.pop(GPS_POINTER, None))
    if gps:
        directories["GPS"] = tiff.directory(gps)[0]
    if following:
        directories["IFD1"] = tiff.directory(following)[0]
    return Exif(directories, tiff)
