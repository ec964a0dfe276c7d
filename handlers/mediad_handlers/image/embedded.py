"""The JPEG picture inside a RAW file: its EXIF and XMP, and what it is as a preview."""

from __future__ import annotations

from typing import Any

from mediad_handlers.image.blocks import Blocks
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.kit.pictures import Inside, keep
from mediad_handlers.readers.jpeg import Frame, read_header

_EXIF, _XMP = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0"
_FIRST = 64 * 1024  # bytes of the first read
MAX_PICTURES = 32
MAX_BLOCKS = 16  # APP1 segments of one picture


def add_picture(record: Record, source: str, **facts: Any) -> None:
    """Appends one of `pictures`: type, mime, size (bytes), width, height (pixels), as far as they are known."""
    known = {name: value for name, value in facts.items() if value}
    pictures = record.fields.setdefault("pictures", [])
    record.sources.setdefault("pictures", source)
    if len(pictures) < MAX_PICTURES and known not in pictures:
        pictures.append(known)


def add_jpeg(record: Record, blocks: Blocks, file: File, offset: int, length: int) -> Frame | None:
    """Adds the EXIF and XMP of the JPEG at `offset` to `blocks`; its frame header. What is no JPEG adds nothing."""

    def fetch(at: int, count: int) -> bytes:
        return file.read(offset + at, min(count, max(0, length - at)))

    start = fetch(0, _FIRST)
    if start[:2] != b"\xff\xd8":
        return None
    try:
        header = read_header(start, fetch)
    except HandlerError as fault:
        record.warnings.append(f"preview: {fault.message}")
        return None
    for segment in [segment for segment in header.segments if segment.marker == 0xE1][:MAX_BLOCKS]:
        if blocks.exif is None or blocks.xmp is None:
            body = fetch(segment.offset + 4, segment.length - 4)
            if body.startswith(_EXIF):
                blocks.add_exif(record, body[6:])
            elif body.startswith(_XMP):
                blocks.add_xmp(record, body[len(_XMP) :])
    if header.frame is not None:
        keep(Inside("preview", offset=offset, length=length, width=header.frame.width, height=header.frame.height))
    return header.frame


def add_preview(record: Record, blocks: Blocks, file: File, offset: int, length: int, source: str) -> None:
    """The same, and the JPEG as one of `pictures`."""
    if offset <= 0 or length <= 0 or offset + length > file.size:
        return
    frame = add_jpeg(record, blocks, file, offset, length)
    if frame is not None:
        add_picture(
            record, source, type="preview", mime="image/jpeg", size=length, width=frame.width, height=frame.height
        )
