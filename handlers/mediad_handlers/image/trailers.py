"""Metadata that programs append behind a picture: AFCP, FotoStation, Canon's optional data (VRD), Samsung's SEF.

Sources: "AXS File Concatenation Protocol" (12-byte trailer: mark, start of the block, reserved; the block: mark,
version, count, then rows of name, size, offset); ExifTool's documentation of FotoStation (each record ends in tag,
size and 0xA1B2C3D4) and of CanonVRD (28-byte header, blocks of type and size, 64-byte footer; type 0xFFFF00F6 is XMP).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediad_handlers.readers.isobmff import big

if TYPE_CHECKING:
    from mediad_handlers.image.blocks import Blocks
    from mediad_handlers.kit.api import Record
    from mediad_handlers.kit.file import File

MAX_TRAILERS = 16
MAX_ROWS = 100
MAX_BLOCK = 1024 * 1024
_CANON, _FOTO_STATION = b"CANON OPTIONAL DATA\0", b"\xa1\xb2\xc3\xd4"
_VRD_HEADER, _VRD_FOOTER, _VRD_XMP = 28, 64, 0xFFFF00F6
_FOTO_STATION_IPTC = 1
_SAMSUNG, _SAMSUNG_FILM = b"SEFT", 0x0A30


def has_trailer(tail: bytes) -> bool:
    """Whether the last bytes of a file can be a trailer that `add_trailers` reads."""
    return tail[-4:] in (_FOTO_STATION, _SAMSUNG) or tail[-12:-9] == b"AXS" or tail[-64:-44] == _CANON


def add_trailers(record: Record, blocks: Blocks, file: File) -> None:
    """Adds the IPTC and XMP of the trailers at the end of the file, from the last to the first."""
    end = file.size
    for _ in range(MAX_TRAILERS):
        tail = file.read(max(0, end - 64), min(64, end))
        if tail[-4:] == _FOTO_STATION:
            length = big(tail, len(tail) - 8, 4)
            if not 10 <= length <= end:
                return
            if big(tail, len(tail) - 10, 2) == _FOTO_STATION_IPTC and length <= MAX_BLOCK:
                blocks.add_iptc(file.read(end - length, length - 10))
            end -= length
        elif tail[-12:-9] == b"AXS":
            start = _add_afcp(blocks, file, tail[-12:])
            if not 0 < start < end:
                return
            end = start
        elif tail[:20] == _CANON:
            length = big(tail, 20, 4)
            start = end - _VRD_FOOTER - length - _VRD_HEADER
            if start < 0:
                return
            _add_canon(record, blocks, file, (start + _VRD_HEADER, end - _VRD_FOOTER))
            end = start
        elif tail[-4:] == _SAMSUNG:
            _map_samsung(record, file, end)
            return
        else:
            return


def _map_samsung(record: Record, file: File, end: int) -> None:
    """Samsung's SEF: the directory before its length and "SEFT": mark, version, count, rows of two 16-bit words (the
    second is the type), offset and size. Type 0x0A30 is the film of a motion photo."""
    size = int.from_bytes(file.read(end - 8, 4), "little")
    head = file.read(end - 8 - size, min(size, 12 + 12 * MAX_ROWS)) if 12 <= size <= end - 8 else b""
    if head[:4] != b"SEFH":
        return
    count = min(int.from_bytes(head[8:12], "little"), MAX_ROWS)
    kinds = [
        int.from_bytes(head[at + 2 : at + 4], "little") for at in range(12, min(12 + 12 * count, len(head) - 11), 12)
    ]
    record.put("motion_photo", True if _SAMSUNG_FILM in kinds else None, "Samsung:EmbeddedVideoFile")


def _add_afcp(blocks: Blocks, file: File, trailer: bytes) -> int:
    """The start of the block."""
    order = "big" if trailer[3:4] == b"!" else "little"
    start = int.from_bytes(trailer[4:8], order)  # type: ignore[arg-type]
    head = file.read(start, 12)
    if head[:4] != trailer[:4]:
        return 0
    count = min(int.from_bytes(head[6:8], order), MAX_ROWS)  # type: ignore[arg-type]
    rows = file.read(start + 12, 12 * count)
    for at in range(0, len(rows) - 11, 12):
        if rows[at : at + 4] == b"IPTC":
            size = int.from_bytes(rows[at + 4 : at + 8], order)  # type: ignore[arg-type]
            offset = int.from_bytes(rows[at + 8 : at + 12], order)  # type: ignore[arg-type]
            if size <= MAX_BLOCK:
                blocks.add_iptc(file.read(offset, size))
    return start


def _add_canon(record: Record, blocks: Blocks, file: File, span: tuple[int, int]) -> None:
    at, end = span
    for _ in range(MAX_ROWS):
        row = file.read(at, 8)
        if len(row) < 8 or at + 8 > end:
            return
        kind, size = big(row, 0, 4), big(row, 4, 4)
        if kind == _VRD_XMP and size <= min(MAX_BLOCK, end - at - 8):
            blocks.add_xmp(record, file.read(at + 8, size))
        at += 8 + size
