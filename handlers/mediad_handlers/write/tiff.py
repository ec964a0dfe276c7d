"""EXIF tags that say what XMP says, kept in step where they exist; and XMP in a TIFF file.

Sources: TIFF 6.0 section 2 (directories), XMP part 3 section 1.3 (tag 700), Metadata Working Group 2.0 section 3.
Nothing that is there is moved: new values go behind the end, and the entry that pointed to the old one points there. So
maker notes, whose offsets nobody knows, stay right.
"""

from __future__ import annotations

import struct
from typing import Any

from mediad_handlers.kit.api import HandlerError

XMP_TAG = 700
TEXTS = {0x010E: "description", 0x013B: "creators", 0x8298: "copyright"}  # ASCII of IFD0 (Exif 3.0 section 4.6.4)
WIDE = {0x9C9B: "title", 0x9C9D: "creators", 0x9C9E: "keywords"}  # XP* of Microsoft: UTF-16
RATING, PERCENT = 0x4746, 0x4749
_PERCENT = {0: 0, 1: 1, 2: 25, 3: 50, 4: 75, 5: 99}
MAX_ENTRIES = 4096


class Directory:
    """IFD0 of a TIFF structure in `data`. Raises HandlerError `corrupt` when there is none, `unsupported` for
    BigTIFF."""

    def __init__(self, data: bytes) -> None:
        order = {b"II": "<", b"MM": ">"}.get(data[:2])
        if order is None or len(data) < 8:
            raise HandlerError("corrupt", "no TIFF header")
        if struct.unpack_from(order + "H", data, 2)[0] == 43:
            raise HandlerError("unsupported", "BigTIFF is not written")
        self.order = order
        self.offset = struct.unpack_from(order + "I", data, 4)[0]
        if self.offset + 2 > len(data):
            raise HandlerError("corrupt", "the first directory lies outside of the file")
        self.count = struct.unpack_from(order + "H", data, self.offset)[0]
        if self.count > MAX_ENTRIES or self.offset + 6 + self.count * 12 > len(data):
            raise HandlerError("corrupt", "the first directory is cut off")

    def entries(self, data: bytes) -> dict[int, int]:
        """{tag: offset of its entry}."""
        places = (self.offset + 2 + index * 12 for index in range(self.count))
        return {struct.unpack_from(self.order + "H", data, place)[0]: place for place in places}


def edit_exif(data: bytes, changes: dict[str, Any]) -> bytes:
    """A TIFF structure (EXIF) whose existing tags say what the changes say; the same bytes when none of them is
    there."""
    directory = Directory(data)
    out = bytearray(data)
    for tag, place in directory.entries(data).items():
        if TEXTS.get(tag) in changes:
            _replace(out, directory.order, place, 2, _ascii(changes[TEXTS[tag]]))
        elif WIDE.get(tag) in changes:
            _replace(out, directory.order, place, 1, _wide(changes[WIDE[tag]]))
        elif tag in (RATING, PERCENT) and "rating" in changes:
            stars = round(changes["rating"] or 0)
            value = max(0, min(stars, 5))
            number = value if tag == RATING else _PERCENT[value]
            _replace(out, directory.order, place, 3, struct.pack(directory.order + "H", number))
    return bytes(out)


def _ascii(value: Any) -> bytes:
    """Several creators are parted by semicolons (Metadata Working Group 2.0 section 5.3)."""
    quoted = [f'"{one}"' if ";" in one else one for one in value] if isinstance(value, list) else []
    text = "; ".join(quoted) if isinstance(value, list) else value or ""
    return str(text).encode("utf-8") + b"\0"


def _wide(value: Any) -> bytes:
    text = ";".join(value) if isinstance(value, list) else value or ""
    return str(text).encode("utf-16-le") + b"\0\0"


def _replace(out: bytearray, order: str, place: int, kind: int, value: bytes) -> None:
    """Points an entry at a value behind the end, or puts it into the entry when it has at most four bytes."""
    size = {1: 1, 2: 1, 3: 2}[kind]
    struct.pack_into(order + "HI", out, place + 2, kind, len(value) // size)
    if len(value) <= 4:
        out[place + 8 : place + 12] = value.ljust(4, b"\0")
        return
    if len(out) & 1:
        out.append(0)
    struct.pack_into(order + "I", out, place + 8, len(out))
    out += value


def add_xmp(data: bytes, packet: bytes) -> bytes:
    """A whole TIFF file with this XMP packet: behind the end, and the entry changed, or the first directory written
    anew behind the end with one more entry."""
    directory = Directory(data)
    order = directory.order
    out = bytearray(data) + (b"\0" if len(data) & 1 else b"")
    at = len(out)
    out += packet
    place = directory.entries(data).get(XMP_TAG)
    if place is not None:
        struct.pack_into(order + "HHII", out, place, XMP_TAG, 1, len(packet), at)
        return bytes(out)
    if len(out) & 1:
        out.append(0)
    entry = struct.pack(order + "HHII", XMP_TAG, 1, len(packet), at)
    start = directory.offset + 2
    old = [data[start + index * 12 : start + index * 12 + 12] for index in range(directory.count)]
    table = sorted([*old, entry], key=lambda one: struct.unpack(order + "H", one[:2])[0])
    following = data[start + directory.count * 12 : start + directory.count * 12 + 4]
    struct.pack_into(order + "I", out, 4, len(out))
    out += struct.pack(order + "H", len(table)) + b"".join(table) + following
    return bytes(out)


def find_xmp(data: bytes) -> bytes:
    """The XMP packet of a TIFF file; b"" when it has none."""
    directory = Directory(data)
    place = directory.entries(data).get(XMP_TAG)
    if place is None:
        return b""
    count, offset = struct.unpack_from(directory.order + "II", data, place + 4)
    return data[offset : offset + count]
