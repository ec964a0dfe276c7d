"""RAW formats that are no TIFF: Canon CR3 (ISO base media boxes) and Fujifilm RAF (a preview JPEG that holds the EXIF).

Sources: ExifTool's Canon.pm and FujiFilm.pm (CMT1 IFD0, CMT2 ExifIFD, CMT4 GPS inside Canon's uuid box; RAF header
at 84:
offset and length of the preview; at 92: of the RAF directory, whose tag 0x0100 is the full size, 0x0121 the picture's).
"""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.isobmff import Source, big
from mediad_handlers.readers.jpeg import read_header
from mediad_handlers.readers.tiff import Exif, Tiff, read_exif

_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_GROUPS = {b"CMT1": "IFD0", b"CMT2": "ExifIFD", b"CMT4": "GPS"}
MAX_BLOCK = 256 * 1024


def read_cr3(file: File) -> Record:
    """The record of a Canon CR3 file. Raises HandlerError `corrupt` without the camera's metadata."""
    source = Source(file.read)
    exif: Exif | None = None
    for moov in source.walk(0, file.size):
        if moov.kind != b"moov":
            continue
        for box in source.children(moov):
            if box.kind == b"uuid" and source.read(box.start, 16) == _CANON:
                for part in source.children(box, 16):
                    if part.kind in _GROUPS:
                        exif = _add_directory(exif, _GROUPS[part.kind], source.content(part, MAX_BLOCK))
        break
    if exif is None:
        raise HandlerError("corrupt", "no Canon metadata")
    record = Record("image", "cr3", "image/x-canon-cr3")
    for name, tags in (("width", (0xA002, 0x0100)), ("height", (0xA003, 0x0101))):
        for group, tag in zip(("ExifIFD", "IFD0"), tags, strict=True):
            value = exif.directories.get(group, {}).get(tag)
            record.put(name, value if isinstance(value, int) and value > 0 else None, f"{group}:0x{tag:04x}")
    map_blocks(record, Blocks(exif=exif))
    finish(record)
    return record


def _add_directory(exif: Exif | None, group: str, data: bytes) -> Exif:
    """Each CMT box is a TIFF structure of one directory."""
    tiff = Tiff(data)
    entries, _ = tiff.directory(tiff.first)
    if exif is None:
        exif = Exif({"IFD0": {}}, tiff)
    exif.directories[group] = entries
    return exif


def read_raf(file: File) -> Record:
    """The record of a Fujifilm RAF file."""
    head = file.head
    record = Record("image", "raf", "image/x-fuji-raf")
    offset, length = big(head, 84, 4), big(head, 88, 4)
    blocks = Blocks()

    def fetch(at: int, count: int) -> bytes:
        return file.read(offset + at, min(count, max(0, length - at)))

    preview = fetch(0, 65536)
    if preview[:2] == b"\xff\xd8":
        for segment in read_header(preview, fetch).segments:
            body = fetch(segment.offset + 4, segment.length - 4)
            if segment.marker == 0xE1 and body.startswith(b"Exif\0"):
                blocks.exif = read_exif(body[6:])
            elif segment.marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
                blocks.add_xmp(record, body[29:])
    _map_directory(record, file.read(big(head, 92, 4), min(big(head, 96, 4), 65536)))
    map_blocks(record, blocks)
    finish(record)
    return record


def _map_directory(record: Record, data: bytes) -> None:
    at = 4
    sizes: dict[int, tuple[int, int]] = {}
    for _ in range(min(big(data, 0, 4), 256)):
        tag, length = big(data, at, 2), big(data, at + 2, 2)
        if length == 4:
            sizes[tag] = big(data, at + 6, 2), big(data, at + 4, 2)
        at += 4 + length
    for tag in (0x0121, 0x0111, 0x0100):
        width, height = sizes.get(tag, (0, 0))
        if width and height:
            record.put("width", width, f"RAF:0x{tag:04x}")
            record.put("height", height, f"RAF:0x{tag:04x}")
