"""JPEG XL: the size from the codestream's header, EXIF and XMP from the container's boxes.

Sources: ISO/IEC 18181-1 D.2 (size header; bits from the least significant), 18181-2 9 (boxes; an Exif box begins with
the offset of the TIFF header).
"""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.isobmff import Source

MAX_BOX = 1024 * 1024
_WIDTHS = (9, 13, 18, 30)
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def read_jxl(file: File) -> Record:
    """The record of a JPEG XL file. Raises HandlerError `corrupt` when its codestream is not found."""
    record = Record("image", "jxl", "image/jxl")
    blocks = Blocks()
    codestream = file.head[:32]
    if file.head[:2] != b"\xff\x0a":
        codestream = b""
        source = Source(file.read)
        for box in source.walk(0, file.size):
            if box.kind in (b"jxlc", b"jxlp") and not codestream:
                codestream = source.read(box.start + (4 if box.kind == b"jxlp" else 0), 32)
            elif box.kind == b"Exif":
                data = source.content(box, MAX_BOX)
                blocks.add_exif(record, data[4 + int.from_bytes(data[:4], "big") :])
            elif box.kind == b"xml ":
                blocks.add_xmp(record, source.content(box, MAX_BOX))
            elif box.kind == b"brob":
                record.warnings.append("a box compressed with Brotli is not read")
    if codestream[:2] != b"\xff\x0a":
        raise HandlerError("corrupt", "no JPEG XL codestream")
    width, height = read_size(codestream[2:])
    record.put("width", width, "JXL:SizeHeader")
    record.put("height", height, "JXL:SizeHeader")
    map_blocks(record, blocks)
    finish(record)
    return record


def read_size(data: bytes) -> tuple[int, int]:
    """(width, height) of a SizeHeader."""
    value, at = int.from_bytes(data[:16], "little"), 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return value >> at - count & ((1 << count) - 1)

    small = take(1)

    def side() -> int:
        return (take(5) + 1) * 8 if small else take(_WIDTHS[take(2)]) + 1

    height = side()
    ratio = take(3)
    if not ratio:
        return side(), height
    across, down = _RATIOS[ratio]
    return height * across // down, height
