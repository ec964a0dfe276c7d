"""RAW formats that are no TIFF: Canon CR3 (ISO base media boxes) and Fujifilm RAF (a preview JPEG that holds the EXIF).

Sources: ExifTool's documentation of Canon (CMT1 IFD0, CMT2 ExifIFD, CMT3 maker note, CMT4 GPS inside Canon's uuid box;
PRVW, THMB) and FujiFilm (RAF header at 84: offset and length of the preview; at 92: of the RAF directory, whose tag
0x0100 is the full size, 0x0121 the picture's; at 100: of the samples); XMP part 3 section 1.1.8 (XMP's uuid box).
"""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.image.embedded import add_jpeg, add_picture
from mediad_handlers.image.makernotes import canon
from mediad_handlers.image.makernotes.directory import read_note
from mediad_handlers.kit.api import HandlerError, Payload, Record
from mediad_handlers.kit.file import File
from mediad_handlers.kit.pictures import Inside, keep
from mediad_handlers.readers.isobmff import Box, Source, big
from mediad_handlers.readers.tiff import Exif, Tiff

_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_GROUPS = {b"CMT1": "IFD0", b"CMT2": "ExifIFD", b"CMT4": "GPS"}
MAX_BLOCK = 256 * 1024
CR3_ALGORITHM = "cr3-data/1"  # the contents of the media data boxes: the tracks' samples, raw and JPEG
RAF_ALGORITHM = "raf-image/1"  # the samples that the header's second pair of offset and length places


class _Cr3:
    """What the boxes of a CR3 file hold."""

    def __init__(self, file: File, record: Record) -> None:
        self.record = record
        self.source = Source(file.read)
        self.exif: Exif | None = None
        self.note = b""
        self.seen: set[bytes] = set()  # blocks that were read: each once
        self.blocks = Blocks()
        self.data: list[tuple[int, int]] = []
        for box in self.source.walk(0, file.size):
            if box.kind == b"moov":
                for part in self.source.children(box):
                    self.add(part)
            elif box.kind == b"mdat":
                self.data.append((box.start, box.length))
            else:
                self.add(box)

    def add(self, box: Box) -> None:
        """A uuid box, of the film or of the file."""
        if box.kind != b"uuid":
            return
        name = self.source.read(box.start, 16)
        if name == _CANON:
            for part in self.source.children(box, 16):
                if part.kind in self.seen:
                    continue
                self.seen.add(part.kind)
                if part.kind in _GROUPS:
                    self.exif = _add_directory(self.exif, _GROUPS[part.kind], self.source.content(part, MAX_BLOCK))
                elif part.kind == b"CMT3":
                    self.note = self.source.content(part, MAX_BLOCK)
                elif part.kind == b"THMB":
                    self.describe(part, "thumbnail")
        elif name == _PREVIEW:
            for part in self.source.children(box, 24):
                if part.kind == b"PRVW":
                    self.describe(part, "preview")
        elif name == _XMP and _XMP not in self.seen:
            self.seen.add(_XMP)
            self.blocks.add_xmp(self.record, self.source.read(box.start + 16, min(box.length - 16, MAX_BLOCK)))

    def describe(self, box: Box, kind: str) -> None:
        """THMB: width, height, bytes at 4, 6, 8; PRVW: at 6, 8, 12."""
        at, behind = (4, 16) if kind == "thumbnail" else (6, 16)  # the JPEG stands behind so many bytes
        head = self.source.read(box.start, 16)
        width, height, size = big(head, at, 2), big(head, at + 2, 2), big(head, 8 if kind == "thumbnail" else 12, 4)
        if 0 < size <= box.length:
            source = f"Canon:{kind.capitalize()}Image"
            add_picture(self.record, source, type=kind, mime="image/jpeg", size=size, width=width, height=height)
            keep(Inside(kind, offset=box.start + behind, length=size, width=width, height=height))


def read_cr3(file: File) -> Record:
    """The record of a Canon CR3 file. Raises HandlerError `corrupt` without the camera's metadata."""
    record = Record("image", "cr3", "image/x-canon-cr3")
    found = _Cr3(file, record)
    exif = found.exif
    if exif is None:
        raise HandlerError("corrupt", "no Canon metadata")
    for name, tags in (("width", (0xA002, 0x0100)), ("height", (0xA003, 0x0101))):
        for group, tag in zip(("ExifIFD", "IFD0"), tags, strict=True):
            value = exif.directories.get(group, {}).get(tag)
            record.put(name, value if isinstance(value, int) and value > 0 else None, f"{group}:0x{tag:04x}")
    found.blocks.exif = exif
    map_blocks(record, found.blocks)
    lens = _map_note(record, found.note)
    record.put("lens_model", lens, "Canon:Lens")
    finish(record)
    if found.data:
        record.payload = Payload(CR3_ALGORITHM, tuple(found.data))
    return record


def _add_directory(exif: Exif | None, group: str, data: bytes) -> Exif:
    """Each CMT box is a TIFF structure of one directory."""
    tiff = Tiff(data)
    entries, _ = tiff.directory(tiff.first)
    if exif is None:
        exif = Exif({"IFD0": {}}, tiff)
    exif.directories[group] = entries
    return exif


def _map_note(record: Record, data: bytes) -> str | None:
    if len(data) < 16 or data[:2] not in (b"II", b"MM"):
        return None
    tiff = Tiff(data)
    note = read_note(tiff, tiff.first, 0, tiff.layout.order, canon.WANTED)
    return canon.map_canon(record, note.entries, str(record.fields.get("camera_model", "")))


def read_raf(file: File) -> Record:
    """The record of a Fujifilm RAF file."""
    head = file.head
    record = Record("image", "raf", "image/x-fujifilm-raf")
    offset, length = big(head, 84, 4), big(head, 88, 4)
    blocks = Blocks()
    frame = add_jpeg(record, blocks, file, offset, length)
    _map_directory(record, file.read(big(head, 92, 4), min(big(head, 96, 4), 65536)))
    map_blocks(record, blocks)
    if frame is not None:
        sides = {"width": frame.width, "height": frame.height}
        add_picture(record, "RAF:PreviewImage", type="preview", mime="image/jpeg", size=length, **sides)
    finish(record)
    start, extent = big(head, 100, 4), big(head, 104, 4)
    if 108 <= start < file.size and extent:
        record.payload = Payload(RAF_ALGORITHM, ((start, min(extent, file.size - start)),))
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
