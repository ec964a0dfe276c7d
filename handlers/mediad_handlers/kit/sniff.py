"""What a file is, by its content: (format, MIME type, built-in handler), from its first bytes.

Tables, a row a format, each with the specification that fixes its magic. Containers that hold several formats (RIFF,
ISO-BMFF, ZIP, EBML, OLE, Ogg, ASF) have a second look below their table row. A name never overrules a content that was
recognised; `BY_EXTENSION` serves only what has no magic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File


class Sniffed(NamedTuple):
    """`handler` is the name of the built-in handler whose file this is: audio image video document file."""

    format: str
    mime_type: str
    handler: str

    @property
    def kind(self) -> str:
        return "other" if self.handler == "file" else self.handler


# (offset, magic, format, MIME type, handler). The first row that matches wins.
MAGIC: tuple[tuple[int, bytes, str, str, str], ...] = (
    # -- images
    (0, b"\xff\xd8\xff", "jpeg", "image/jpeg", "image"),  # ITU-T T.81 B.1.1.3: SOI, then a marker
    (0, b"\x89PNG\r\n\x1a\n", "png", "image/png", "image"),  # W3C PNG 5.2 (MNG and JNG have other signatures)
    (0, b"GIF87a", "gif", "image/gif", "image"),  # GIF87a
    (0, b"GIF89a", "gif", "image/gif", "image"),  # GIF89a section 17
    (0, b"IIRO", "orf", "image/x-olympus-orf", "image"),  # Olympus: TIFF with its own version
    (0, b"IIRS", "orf", "image/x-olympus-orf", "image"),
    (0, b"MMOR", "orf", "image/x-olympus-orf", "image"),
    (0, b"IIU\0", "rw2", "image/x-panasonic-rw2", "image"),  # Panasonic: TIFF with version 0x55
    (0, b"II\x1a\0\0\0HEAPCCDR", "crw", "image/x-canon-crw", "image"),  # Canon CIFF 1.0 section 2
    (0, b"FUJIFILMCCD-RAW", "raf", "image/x-fuji-raf", "image"),  # ExifTool FujiFilm.pm
    (0, b"FOVb", "x3f", "image/x-sigma-x3f", "image"),  # Sigma X3F 2.2 section 3
    (0, b"\0MRM", "mrw", "image/x-minolta-mrw", "image"),  # ExifTool MinoltaRaw.pm
    (0, b"II+\0", "btf", "image/tiff", "image"),  # BigTIFF
    (0, b"MM\0+", "btf", "image/tiff", "image"),
    (0, b"8BPS\0\1", "psd", "image/vnd.adobe.photoshop", "image"),  # Adobe Photoshop File Formats: header
    (0, b"8BPS\0\2", "psb", "image/vnd.adobe.photoshop", "image"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "jp2", "image/jp2", "image"),  # ISO 15444-1 I.5.1
    (0, b"\xff\x4f\xff\x51", "j2c", "image/x-jp2-codestream", "image"),  # ISO 15444-1 A.4
    (0, b"\xff\x0a", "jxl", "image/jxl", "image"),  # ISO 18181-1: codestream
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "jxl", "image/jxl", "image"),  # ISO 18181-2: container
    (0, b"\0\0\1\0", "ico", "image/vnd.microsoft.icon", "image"),  # Microsoft ICONDIR
    (0, b"\0\0\2\0", "cur", "image/vnd.microsoft.icon", "image"),
    (0, b"AT&TFORM", "djvu", "image/vnd.djvu", "document"),  # DjVu3 specification
    (0, b"\n\5\1", "pcx", "image/vnd.zbrush.pcx", "image"),  # ZSoft PCX: manufacturer, version 5, RLE
    (0, b"#?RADIANCE", "hdr", "image/vnd.radiance", "image"),  # Radiance picture format
    (0, b"P4\n", "pnm", "image/x-portable-bitmap", "image"),  # Netpbm pbm, pgm, ppm: binary forms
    (0, b"P5\n", "pnm", "image/x-portable-graymap", "image"),
    (0, b"P6\n", "pnm", "image/x-portable-pixmap", "image"),
    (0, b"v/1\1", "exr", "image/x-exr", "image"),  # OpenEXR file layout
    # -- audio
    (0, b"fLaC", "flac", "audio/flac", "audio"),  # RFC 9639 section 6
    (0, b"MAC ", "ape", "audio/x-ape", "audio"),  # Monkey's Audio APE_COMMON_HEADER
    (0, b"wvpk", "wavpack", "audio/x-wavpack", "audio"),  # WavPack 5 file format
    (0, b"MPCK", "musepack", "audio/x-musepack", "audio"),  # Musepack SV8
    (0, b"MP+", "musepack", "audio/x-musepack", "audio"),  # Musepack SV7
    (0, b"DSD ", "dsf", "audio/x-dsf", "audio"),  # Sony DSF 1.01
    (0, b"FRM8", "dff", "audio/x-dff", "audio"),  # Philips DSDIFF 1.5
    (0, b"TTA1", "tta", "audio/x-tta", "audio"),  # True Audio format
    (0, b"tBaK", "tak", "audio/x-tak", "audio"),  # TAK
    (0, b"OFR ", "optimfrog", "audio/x-optimfrog", "audio"),  # OptimFROG
    (0, b"\x0bw", "ac3", "audio/ac3", "audio"),  # ETSI TS 102 366 section 4.3.1: syncword
    (0, b"MThd\0\0\0\6", "midi", "audio/midi", "audio"),  # Standard MIDI Files 1.0: header chunk
    (0, b"#!AMR\n", "amr", "audio/amr", "audio"),  # RFC 4867 section 5.1
    (0, b".snd", "au", "audio/basic", "audio"),  # Sun/NeXT audio
    # -- video
    (0, b"FLV\1", "flv", "video/x-flv", "video"),  # Adobe FLV 10.1 annex E.2
    (0, b"\0\0\1\xba", "mpeg", "video/mpeg", "video"),  # ISO 13818-1 2.5.3.3: pack_start_code
    (0, b"\0\0\1\xb3", "mpeg", "video/mpeg", "video"),  # ISO 13818-2 6.2.2.1: sequence_header_code
    (0, b".RMF", "rm", "application/vnd.rn-realmedia", "video"),  # RealMedia file format
    (0, b"\x1f\7\0", "dv", "video/x-dv", "video"),  # IEC 61834-2: DIF header block
    # -- documents
    (0, b"{\\rtf", "rtf", "application/rtf", "document"),  # RTF 1.9.1
    (0, b"%!PS", "ps", "application/postscript", "document"),  # Adobe PLRM 3, DSC
    (0, b"\xc5\xd0\xd3\xc6", "eps", "application/postscript", "document"),  # EPSF 3.0: DOS binary header
    (60, b"BOOKMOBI", "mobi", "application/x-mobipocket-ebook", "document"),  # Palm database type and creator
    (0, b"\x06\x06\xed\xf5\xd8\x1d\x46\xe5", "indd", "application/x-indesign", "document"),  # Adobe XMP 3: InDesign
    # -- neither, but known
    (0, b"\x1f\x8b", "gzip", "application/gzip", "file"),  # RFC 1952 section 2.3.1
    (0, b"7z\xbc\xaf\x27\x1c", "7z", "application/x-7z-compressed", "file"),
    (0, b"Rar!\x1a\7", "rar", "application/vnd.rar", "file"),
    (0, b"\x7fELF", "elf", "application/x-executable", "file"),
)

# Formats without a magic at a fixed place, or with a short one: consulted when the content said nothing.
BY_EXTENSION: dict[str, Sniffed] = {
    "mp3": Sniffed("mp3", "audio/mpeg", "audio"),
    "mp2": Sniffed("mp3", "audio/mpeg", "audio"),
    "aac": Sniffed("aac", "audio/aac", "audio"),
    "ape": Sniffed("ape", "audio/x-ape", "audio"),
    "mpc": Sniffed("musepack", "audio/x-musepack", "audio"),
    "ts": Sniffed("mpegts", "video/mp2t", "video"),
    "mts": Sniffed("mpegts", "video/mp2t", "video"),
    "m2ts": Sniffed("mpegts", "video/mp2t", "video"),
    "mov": Sniffed("mov", "video/quicktime", "video"),
    "mp4": Sniffed("mp4", "video/mp4", "video"),
    "tga": Sniffed("tga", "image/x-tga", "image"),
    "txt": Sniffed("txt", "text/plain", "document"),
    "md": Sniffed("markdown", "text/markdown", "document"),
    "html": Sniffed("html", "text/html", "document"),
    "xmp": Sniffed("xmp", "application/rdf+xml", "file"),
}

# ISO 14496-12 section 4.3: major brands, registered at mp4ra.org. "mp4 " is the default of every other brand.
BRANDS: dict[bytes, Sniffed] = {
    b"M4A ": Sniffed("m4a", "audio/mp4", "audio"),
    b"M4B ": Sniffed("m4b", "audio/mp4", "audio"),
    b"M4P ": Sniffed("m4a", "audio/mp4", "audio"),
    b"qt  ": Sniffed("mov", "video/quicktime", "video"),
    b"M4V ": Sniffed("m4v", "video/x-m4v", "video"),
    b"M4VH": Sniffed("m4v", "video/x-m4v", "video"),
    b"3gp4": Sniffed("3gp", "video/3gpp", "video"),
    b"3gp5": Sniffed("3gp", "video/3gpp", "video"),
    b"3gp6": Sniffed("3gp", "video/3gpp", "video"),
    b"3g2a": Sniffed("3g2", "video/3gpp2", "video"),
    b"heic": Sniffed("heic", "image/heic", "image"),
    b"heix": Sniffed("heic", "image/heic", "image"),
    b"heim": Sniffed("heic", "image/heic", "image"),
    b"hevc": Sniffed("heic", "image/heic-sequence", "image"),
    b"mif1": Sniffed("heif", "image/heif", "image"),
    b"msf1": Sniffed("heif", "image/heif-sequence", "image"),
    b"avif": Sniffed("avif", "image/avif", "image"),
    b"avis": Sniffed("avif", "image/avif", "image"),
    b"crx ": Sniffed("cr3", "image/x-canon-cr3", "image"),
    b"jxl ": Sniffed("jxl", "image/jxl", "image"),
}

# Byte 8 of a RIFF file (Microsoft RIFF 1991; RF64: EBU Tech 3306) or of an IFF FORM (EA IFF 85).
FORMS: dict[tuple[bytes, bytes], Sniffed] = {
    (b"RIFF", b"WAVE"): Sniffed("wav", "audio/vnd.wave", "audio"),
    (b"RF64", b"WAVE"): Sniffed("wav", "audio/vnd.wave", "audio"),
    (b"RIFF", b"AVI "): Sniffed("avi", "video/vnd.avi", "video"),
    (b"RIFF", b"WEBP"): Sniffed("webp", "image/webp", "image"),
    (b"FORM", b"AIFF"): Sniffed("aiff", "audio/aiff", "audio"),
    (b"FORM", b"AIFC"): Sniffed("aiff", "audio/aiff", "audio"),
}

# RFC 5334 and each codec's mapping: the first packet of a beginning-of-stream page (at 28 when it has one segment).
OGG: tuple[tuple[bytes, Sniffed], ...] = (
    (b"OpusHead", Sniffed("opus", "audio/ogg", "audio")),  # RFC 7845 section 5.1
    (b"\x7fFLAC", Sniffed("oggflac", "audio/ogg", "audio")),  # RFC 9639 section 10.1
    (b"Speex   ", Sniffed("speex", "audio/ogg", "audio")),  # Speex manual 7.1
    (b"\1vorbis", Sniffed("ogg", "audio/ogg", "audio")),  # Vorbis I section 4.2.1
)
OGG_VIDEO = (b"\x80theora", b"BBCD\0", b"\x01video\0\0\0")  # Theora 6.1, Dirac, OGM

# ODF 1.3 part 2 section 3.3 and EPUB OCF 3.3 section 4.3: the first entry is `mimetype`, stored.
MIMETYPES: dict[bytes, Sniffed] = {
    b"application/epub+zip": Sniffed("epub", "application/epub+zip", "document"),
    b"application/vnd.oasis.opendocument.text": Sniffed("odt", "application/vnd.oasis.opendocument.text", "document"),
    b"application/vnd.oasis.opendocument.spreadsheet": Sniffed(
        "ods", "application/vnd.oasis.opendocument.spreadsheet", "document"
    ),
    b"application/vnd.oasis.opendocument.presentation": Sniffed(
        "odp", "application/vnd.oasis.opendocument.presentation", "document"
    ),
    b"application/vnd.oasis.opendocument.graphics": Sniffed(
        "odg", "application/vnd.oasis.opendocument.graphics", "document"
    ),
}
_OOXML = "application/vnd.openxmlformats-officedocument."
# ECMA-376 part 2: the main part's folder tells which application's document it is.
OOXML: tuple[tuple[bytes, Sniffed], ...] = (
    (b"word/", Sniffed("docx", _OOXML + "wordprocessingml.document", "document")),
    (b"xl/", Sniffed("xlsx", _OOXML + "spreadsheetml.sheet", "document")),
    (b"ppt/", Sniffed("pptx", _OOXML + "presentationml.presentation", "document")),
)
# MS-CFB section 2.6.1: directory entry names, UTF-16LE; MS-DOC, MS-XLS, MS-PPT name their streams.
OLE: tuple[tuple[bytes, Sniffed], ...] = (
    ("WordDocument".encode("utf-16-le"), Sniffed("doc", "application/msword", "document")),
    ("PowerPoint Document".encode("utf-16-le"), Sniffed("ppt", "application/vnd.ms-powerpoint", "document")),
    ("Workbook".encode("utf-16-le"), Sniffed("xls", "application/vnd.ms-excel", "document")),
    ("Book\0".encode("utf-16-le"), Sniffed("xls", "application/vnd.ms-excel", "document")),
)
ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")  # ASF 1.20.3 section 10.1
ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")  # ASF_Video_Media, section 10.4
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # MS-CFB section 2.2

_BY_FIRST_BYTE: dict[int, list[tuple[int, bytes, Sniffed]]] = {}
_ELSEWHERE: list[tuple[int, bytes, Sniffed]] = []
for _offset, _magic, *_rest in MAGIC:
    (_ELSEWHERE if _offset else _BY_FIRST_BYTE.setdefault(_magic[0], [])).append((_offset, _magic, Sniffed(*_rest)))


def sniff(file: File) -> Sniffed | None:
    """What the content of `file` is; None when nothing is recognised. Reads the head, and for ZIP and OLE one more
    block at most."""
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
    return data[1] & 0x18 != 8 and data[1] & 6 != 0 and data[2] >> 4 not in (0, 15) and data[2] & 12 != 12
