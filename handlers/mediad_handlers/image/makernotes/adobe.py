"""The maker note that Adobe's DNG converter keeps in DNGPrivateData.

Source: DNG 1.7 (DNGPrivateData: the writer's name first); ExifTool's documentation of Adobe's blocks: name, length
(big-endian), and for "MakN" the note's byte order and former offset before its bytes.
"""

from __future__ import annotations

from mediad_handlers.image.makernotes import map_note_at
from mediad_handlers.kit.api import Record
from mediad_handlers.readers.isobmff import big
from mediad_handlers.readers.tiff import Exif

DNG_PRIVATE_DATA = 0xC634
MAX_BLOCKS = 32


def map_adobe_note(record: Record, exif: Exif) -> str | None:
    """As `map_maker_note`, of the note in DNGPrivateData."""
    tiff = exif.tiff
    offset, size = tiff.spans.get(DNG_PRIVATE_DATA, (0, 0))
    if size < 20 or tiff.bytes_at(offset, 6) != b"Adobe\0":
        return None
    at, end = offset + 6, offset + size
    main = exif.directories["IFD0"]
    for _ in range(MAX_BLOCKS):
        head = tiff.bytes_at(at, 14)
        length = big(head, 4, 4)
        if len(head) < 14 or at + 8 + length > end:
            return None
        if head[:4] == b"MakN" and length > 6:
            start = at + 14
            order = {b"II": "<", b"MM": ">"}.get(head[8:10], "")
            shift = start - big(head, 10, 4)
            return map_note_at(record, tiff, start, length - 6, main.get(0x010F), main.get(0x0110), shift, order)
        at += 8 + length + (length & 1)
    return None
