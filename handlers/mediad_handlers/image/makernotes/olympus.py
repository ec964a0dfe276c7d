"""Olympus' and OM System's maker note: the Equipment directory names body and lens.

Source: ExifTool's documentation of Olympus tags; Equipment is a directory (type 13), or in older notes one that stands
in an UNDEFINED value.
"""

from __future__ import annotations

from typing import Any

from mediad_handlers.image.converters import integer, text
from mediad_handlers.image.makernotes.directory import Note, read_note
from mediad_handlers.image.makernotes.lenses import choose_lens, find_names
from mediad_handlers.kit.api import Record

WANTED = frozenset((0x0404, 0x1001, 0x101A, 0x2010))
_EQUIPMENT = frozenset((0x0101, 0x0201, 0x0202, 0x0203))


def map_olympus(record: Record, note: Note) -> str | None:
    """Sets what the note holds; gives the lens' own text where its identifier is not known."""
    entries = note.entries
    equipment: dict[int, Any] = {}
    where = note.places.get(0x2010)
    pointer = entries.get(0x2010)
    start = where[0] if where else note.base + pointer if isinstance(pointer, int) and pointer > 0 else 0
    if start > 0:
        equipment = read_note(note.tiff, start, note.base, note.order, _EQUIPMENT).entries
    for value in (equipment.get(0x0101), entries.get(0x0404), entries.get(0x101A)):
        record.put("camera_serial", _filled(value), "Olympus:SerialNumber")
    record.put("lens_serial", _filled(equipment.get(0x0202)), "Olympus:LensSerialNumber")
    record.put("iso", integer(entries.get(0x1001)), "Olympus:ISOValue")
    kind = equipment.get(0x0201)
    if isinstance(kind, bytes) and len(kind) == 6 and any(kind[2:4]) and "lens_model" not in record.fields:
        names = find_names("olympus", f"{kind[0]:X} {kind[2]:02X} {kind[3]:02X}")
        record.put("lens_model", choose_lens(names), "Olympus:LensType")
    return _filled(equipment.get(0x0203))


def _filled(value: Any) -> str | None:
    """Text that is more than the zeros or ones a camera writes for nothing."""
    found = text(value) if isinstance(value, str) else None
    return found if found and found.strip("0 -") and found.isprintable() else None
