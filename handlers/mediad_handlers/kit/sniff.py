"""What a file is, by its content: (format, MIME type, built-in handler), from its first bytes.

The rows are in `kit.formats`. Containers that hold several formats (RIFF, ISO-BMFF, ZIP, EBML, OLE, Ogg, ASF) get a
second look here. A name never overrules a content that was recognised; BY_EXTENSION serves only what has no magic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mediad_handlers.kit.formats import (
    ASF_HEADER,
    ASF_VIDEO,
    BRANDS,
    BY_EXTENSION,
    FORMS,
    MAGIC,
    MIMETYPES,
    OGG,
    OGG_VIDEO,
    OLE,
    OLE_MAGIC,
    OOXML,
    Sniffed,
)

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

__all__ = ["Sniffed", "recognise", "sniff"]

_BY_FIRST_BYTE: dict[int, list[tuple[int, bytes, Sniffed]]] = {}
_ELSEWHERE: list[tuple[int, bytes, Sniffed]] = []
for _offset, _magic, *_rest in MAGIC:
    (_ELSEWHERE if _offset else _BY_FIRST_BYTE.setdefault(_magic[0], [])).append((_offset, _magic, Sniffed(*_rest)))


def sniff(file: File) -> Sniffed | None:
    """What the content of `file` is; None when nothing is recognised. Reads the head, and for ZIP and OLE one more
    block at most. Looked for once a file: whoever chooses the handler, and the handler, ask the same."""
    if "sniffed" not in file.memo:
        file.memo["sniffed"] = _sniff(file)
    found: Sniffed | None = file.memo["sniffed"]
    return found


def _sniff(file: File) -> Sniffed | None:
    head = file.head
    if not head:
        return None
    look = _CONTAINERS.get(head[:4])
    if look is not None and (found := look(file, head)) is not None:
        return found
    if head[4:8] == b"ftyp":
        return _look_into_brands(file, head)
    for _, magic, found in _BY_FIRST_BYTE.get(head[0], ()):
        if head.startswith(magic):
            return found
    for offset, magic, found in _ELSEWHERE:
        if head.startswith(magic, offset):
            return found
    return _look_deeper(head)


def recognise(file: File) -> Sniffed | None:
    """By content, then by extension."""
    return sniff(file) or BY_EXTENSION.get(file.extension)


def _look_into_form(file: File, head: bytes) -> Sniffed | None:
    return FORMS.get((head[:4], head[8:12]))


def _look_into_id3(file: File, head: bytes) -> Sniffed | None:
    """The format behind leading ID3v2 tags (ID3v2.4.0 structure section 3.1); MP3 when it lies beyond the head."""
    position = 0
    while head[position : position + 3] == b"ID3" and len(head) >= position + 10:
        size = head[position + 6 : position + 10]
        position += 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
        if head[5] & 0x10:
            position += 10  # a footer
        if position + 16 > len(head):
            break
    after = head[position : position + 16] if position + 16 <= len(head) else file.read(position, 16)
    for _, magic, found in _BY_FIRST_BYTE.get(after[0], ()) if after else ():
        if found.handler == "audio" and after.startswith(magic):
            return found
    if _is_adts(after):
        return BY_EXTENSION["aac"]
    return BY_EXTENSION["mp3"]


def _look_into_brands(file: File, head: bytes) -> Sniffed:
    """The major brand, else the first compatible brand that says an image (ISO 23008-12 section 10: mif1 files list
    heic or avif)."""
    size = min(int.from_bytes(head[:4], "big"), 256, len(head))
    major = BRANDS.get(head[8:12])
    if major is not None and major.format != "heif":
        return major
    for offset in range(16, size - 3, 4):
        brand = BRANDS.get(head[offset : offset + 4])
        if brand is not None and brand.format != "heif" and (major is not None or brand.handler == "image"):
            return brand
    if major is None and file.extension in ("m4a", "m4b", "aac"):
        return BRANDS[b"M4A "]  # songs written with the general brands isom and mp42
    return major or BY_EXTENSION["mp4"]


def _look_into_ogg(file: File, head: bytes) -> Sniffed | None:
    pages = head[:4096]  # the beginning-of-stream pages come first, all of them (RFC 3533 section 4)
    if any(magic in pages for magic in OGG_VIDEO):
        return Sniffed("ogv", "video/ogg", "video")
    found = [(pages.find(magic), sniffed) for magic, sniffed in OGG if magic in pages]
    return min(found)[1] if found else Sniffed("ogg", "audio/ogg", "audio")


def _look_into_zip(file: File, head: bytes) -> Sniffed | None:
    name_length, extra_length = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
    name = head[30 : 30 + name_length]
    if name == b"mimetype":
        start = 30 + name_length + extra_length
        stated = head[start : start + int.from_bytes(head[18:22], "little")]
        return MIMETYPES.get(stated.strip(), Sniffed("zip", "application/zip", "file"))
    directory = file.tail(16 * 1024)  # names of all entries lie at the end (APPNOTE 4.3.6)
    if b"[Content_Types].xml" in head or b"[Content_Types].xml" in directory:
        for folder, found in OOXML:
            if folder in directory:
                return found
    return Sniffed("zip", "application/zip", "file")


def _look_into_ebml(file: File, head: bytes) -> Sniffed | None:
    """DocType 0x4282 within the EBML header (RFC 8794 section 11.2.4)."""
    if b"\x42\x82\x84webm" in head[:64]:
        return Sniffed("webm", "video/webm", "video")
    return Sniffed("mkv", "video/x-matroska", "video")


def _look_into_ole(file: File, head: bytes) -> Sniffed | None:
    if not head.startswith(OLE_MAGIC):
        return None
    shift = min(int.from_bytes(head[30:32], "little"), 12)
    directory = file.read((int.from_bytes(head[48:52], "little") + 1) << shift, 4096)
    for name, found in OLE:
        if name in directory:
            return found
    return Sniffed("ole", "application/x-ole-storage", "document")


def _look_into_asf(file: File, head: bytes) -> Sniffed | None:
    if not head.startswith(ASF_HEADER):
        return None
    if ASF_VIDEO in head[: max(int.from_bytes(head[16:24], "little"), 30)]:
        return Sniffed("wmv", "video/x-ms-wmv", "video")
    return Sniffed("wma", "audio/x-ms-wma", "audio")


_TIFF_MAKES: tuple[tuple[int, bytes, Sniffed], ...] = (
    (8, b"CR\2", Sniffed("cr2", "image/x-canon-cr2", "image")),  # Canon: a mark behind the TIFF header
)


def _look_into_tiff(file: File, head: bytes) -> Sniffed | None:
    """TIFF 6.0 section 2; the raw formats of cameras are TIFF too, told apart by a mark or the maker's extension."""
    for offset, magic, found in _TIFF_MAKES:
        if head.startswith(magic, offset):
            return found
    extension = file.extension
    if extension in ("dng", "nef", "arw", "pef", "srw", "iiq", "3fr", "nrw", "sr2"):
        return Sniffed(extension, f"image/x-{_RAW_MAKERS[extension]}", "image")
    return Sniffed("tiff", "image/tiff", "image")


_RAW_MAKERS = {
    "dng": "adobe-dng", "nef": "nikon-nef", "nrw": "nikon-nrw", "arw": "sony-arw", "sr2": "sony-sr2",
    "pef": "pentax-pef", "srw": "samsung-srw", "iiq": "phaseone-iiq", "3fr": "hasselblad-3fr",
}  # fmt: skip

_CONTAINERS: dict[bytes, Callable[[File, bytes], Sniffed | None]] = {
    b"RIFF": _look_into_form, b"RF64": _look_into_form, b"FORM": _look_into_form, b"OggS": _look_into_ogg,
    b"PK\3\4": _look_into_zip, b"\x1a\x45\xdf\xa3": _look_into_ebml, b"\xd0\xcf\x11\xe0": _look_into_ole,
    b"0&\xb2u": _look_into_asf, b"II*\0": _look_into_tiff, b"MM\0*": _look_into_tiff,
    b"ID3\2": _look_into_id3, b"ID3\3": _look_into_id3, b"ID3\4": _look_into_id3,
}  # fmt: skip

_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # QuickTime File Format: files before `ftyp`


def _look_deeper(head: bytes) -> Sniffed | None:
    """Formats whose magic is short or moves."""
    if head[4:8] in _ATOMS and (int.from_bytes(head[:4], "big") >= 8 or head[:4] == b"\0\0\0\1"):
        return BY_EXTENSION["mov"]
    if _is_adts(head):
        return BY_EXTENSION["aac"]
    if _is_mpeg_audio(head):
        return BY_EXTENSION["mp3"]
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] in (b"G", b""):
        return BY_EXTENSION["ts"]  # ISO 13818-1 2.4.3.2: a sync byte every 188 bytes
    if head[4:5] == b"G" and head[196:197] == b"G":
        return BY_EXTENSION["m2ts"]  # the same with a 4-byte time code before each packet (BDAV)
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return Sniffed("bmp", "image/bmp", "image")  # BITMAPFILEHEADER: bfReserved1 and 2 are zero
    if head[:4] == b"\0\0\2\0" and head[4:6] != b"\0\0" and head[9:10] == b"\0":
        return Sniffed("cur", "image/vnd.microsoft.icon", "image")  # ICONDIR with entries; an empty one begins a TGA
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and b"\0" in head[2:6]:
        narrow = head[:2048].replace(b"\0", b"")
        if b"<?xpacket" in narrow or b"<x:xmpmeta" in narrow:
            return BY_EXTENSION["xmp"]
        return BY_EXTENSION["txt"]  # a byte order mark of UTF-16
    if b"%PDF-" in head[:1024]:
        return Sniffed("pdf", "application/pdf", "document")  # ISO 32000-1 annex H.3, note 13
    start = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<?xpacket") or b"<x:xmpmeta" in start:
        return BY_EXTENSION["xmp"]  # Adobe XMP part 1 section 7.3
    if start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!DOCTYPE")) and b"<svg" in head[:4096]):
        return Sniffed("svg", "image/svg+xml", "image")
    return None


def _is_adts(data: bytes) -> bool:
    """ISO 13818-7 section 6.2.1: twelve set bits, layer 0, a frequency that exists."""
    return len(data) >= 4 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0 and data[2] >> 2 & 15 < 13


def _is_mpeg_audio(data: bytes) -> bool:
    """ISO 11172-3 section 2.4.1.3: eleven set bits, no reserved version, layer, bit rate or frequency."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    if data[1] == 0xFE and data[3:6:2] in (b"\0\0", b"\0"):
        return False  # the byte order mark of UTF-16 and Latin letters (Unicode 15 section 23.8)
    return data[1] & 0x18 != 8 and data[1] & 6 != 0 and data[2] >> 4 not in (0, 15) and data[2] & 12 != 12
