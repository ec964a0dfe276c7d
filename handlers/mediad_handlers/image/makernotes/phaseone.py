"""The maker note of Phase One, Leaf and Mamiya backs (IIQ): a directory of 16-byte rows.

Source: ExifTool's documentation of PhaseOne tags: byte order mark four times, "Raw" and a letter, the directory's
offset at byte 8; a row is tag, type, bytes, and the value or its offset from the note's start.
"""

from __future__ import annotations

import struct

from mediad_handlers.image.converters import integer, positive
from mediad_handlers.kit.api import Record
from mediad_handlers.readers.tiff import Tiff, decode_text

MAX_ROWS = 300
_TEXTS = {0x0102: ("camera_serial", "SerialNumber"), 0x0410: ("camera_model", "CameraModel"),
          0x0412: ("lens_model", "LensModel")}  # fmt: skip
_WIDTH, _HEIGHT, _ISO, _FOCAL = 0x010C, 0x010D, 0x0105, 0x0403


def map_phase_one(record: Record, tiff: Tiff, offset: int, size: int) -> None:
    """Sets the size of the raw picture, the lens, and what the EXIF beside it may lack."""
    order = "<" if tiff.bytes_at(offset, 2) == b"II" else ">"
    header = tiff.bytes_at(offset, 12)
    start = struct.unpack_from(order + "I", header, 8)[0] if len(header) == 12 else 0
    raw = tiff.bytes_at(offset + start, 8) if 0 < start < size else b""
    if len(raw) < 8:
        return
    count = min(struct.unpack_from(order + "I", raw)[0], MAX_ROWS)
    table = tiff.bytes_at(offset + start + 8, 16 * count)
    for tag, _, length, value in struct.iter_unpack(order + "4I", table[: len(table) // 16 * 16]):
        if tag in _TEXTS and 4 < length <= 256 and value < size:
            name, source = _TEXTS[tag]
            record.put(name, decode_text(tiff.bytes_at(offset + value, length)) or None, f"PhaseOne:{source}")
        elif tag == _WIDTH:
            record.put("width", integer(value), "PhaseOne:ImageWidth")
        elif tag == _HEIGHT:
            record.put("height", integer(value), "PhaseOne:ImageHeight")
        elif tag == _ISO:
            record.put("iso", integer(value), "PhaseOne:ISO")
        elif tag == _FOCAL:
            focal = struct.unpack(order + "f", struct.pack(order + "I", value))[0]
            record.put("focal_length", positive(focal), "PhaseOne:FocalLength")
