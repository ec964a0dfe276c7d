"""The directory inside a maker note: TIFF entries whose offsets count from a place of the maker's choice.

Sources: TIFF 6.0 section 2 (entries); for where each maker starts and counts, `makernotes.FORMS`.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from mediad_handlers.readers.tiff import ASCII, SIZES, Tiff, Value, decode_text, decode_value

MAX_ENTRIES = 512  # of one maker's directory
MAX_VALUE = 16 * 1024  # bytes of one value
_ENTRY = {order: struct.Struct(order + "HII") for order in "<>"}


class Note(NamedTuple):
    """What was asked for: `entries` by tag; `places` of values that do not fit their entry, as (offset in the TIFF
    structure, bytes). `base` is where the directory's offsets count from; `order` "<" or ">"."""

    tiff: Tiff
    base: int
    order: str
    entries: dict[int, Value]
    places: dict[int, tuple[int, int]]


def read_note(tiff: Tiff, offset: int, base: int, order: str, wanted: frozenset[int]) -> Note:
    """The entries of `wanted` in the directory at `offset` of the TIFF structure. A count that only makes sense in the
    other byte order turns the order (editors rewrite the EXIF around a note and leave the note). A directory that does
    not fit gives what is there."""
    note = Note(tiff, base, order, {}, {})
    raw = tiff.bytes_at(offset, 2)
    if len(raw) < 2:
        return note
    name = "little" if order == "<" else "big"
    count = int.from_bytes(raw, name)  # type: ignore[arg-type]
    if count > MAX_ENTRIES:
        count = raw[1] << 8 | raw[0] if order == ">" else raw[0] << 8 | raw[1]
        order = "<" if order == ">" else ">"
        if count > MAX_ENTRIES:
            return note
        note = note._replace(order=order)
    table = tiff.bytes_at(offset + 2, count * 12)
    _collect(note, table, wanted)
    return note


def _collect(note: Note, table: bytes, wanted: frozenset[int]) -> None:
    tiff, base, order, entries, places = note
    tags = struct.unpack_from(order + "H10x" * (len(table) // 12), table)
    read_entry = _ENTRY[order].unpack_from
    for tag in wanted.intersection(tags):
        at = 12 * tags.index(tag)
        kind, count, field = read_entry(table, at + 2)
        if not 0 < kind < 14:
            continue
        size = SIZES[kind] * count
        if size <= 4:
            raw = table[at + 8 : at + 8 + size]
        else:
            start = base + field
            if start < 0:
                continue
            places[tag] = (start, size)
            if size > MAX_VALUE:
                continue
            raw = tiff.bytes_at(start, size)
            if len(raw) < size:
                continue
        if raw:
            entries[tag] = decode_text(raw) if kind == ASCII else decode_value(raw, kind, count, order)
