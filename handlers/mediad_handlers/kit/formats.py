"""The formats that the project knows, and how each is told by its first bytes: tables, a row a format, each with the
specification that fixes its magic. `kit.sniff` reads them.
"""

from __future__ import annotations

from typing import NamedTuple


class Sniffed(NamedTuple):
    """`handler` is the name of the built-in handler whose file this is: audio image video document file."""

    format: str
    mime_type: str
    handler: str

    @property
    def kind(self) -> str:
        return "other" if self.handler == "file" or self.format == "xmp" else self.handler


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
    (0, b"FUJIFILMCCD-RAW", "raf", "image/x-fujifilm-raf", "image"),  # ExifTool FujiFilm.pm
    (0, b"FOVb", "x3f", "image/x-sigma-x3f", "image"),  # Sigma X3F 2.2 section 3
    (0, b"\0MRM", "mrw", "image/x-minolta-mrw", "image"),  # ExifTool MinoltaRaw.pm
    (0x19, b"ARECOYK", "raw", "image/x-raw", "image"),  # Kyocera Contax N: its name, backwards
    (0, b"II+\0", "btf", "image/tiff", "image"),  # BigTIFF
    (0, b"MM\0+", "btf", "image/tiff", "image"),
    (0, b"8BPS\0\1", "psd", "image/vnd.adobe.photoshop", "image"),  # Adobe Photoshop File Formats: header
    (0, b"8BPS\0\2", "psb", "image/vnd.adobe.photoshop", "image"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "jp2", "image/jp2", "image"),  # ISO 15444-1 I.5.1
    (0, b"\xff\x4f\xff\x51", "j2c", "image/x-jp2-codestream", "image"),  # ISO 15444-1 A.4
    (0, b"\xff\x0a", "jxl", "image/jxl", "image"),  # ISO 18181-1: codestream
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "jxl", "image/jxl", "image"),  # ISO 18181-2: container
    (0, b"\0\0\1\0", "ico", "image/vnd.microsoft.icon", "image"),  # Microsoft ICONDIR
    (0, b"AT&TFORM", "djvu", "image/vnd.djvu", "document"),  # DjVu3 specification
    (0, b"\n\2\1", "pcx", "image/vnd.zbrush.pcx", "image"),  # ZSoft PCX: versions 2.8 with and without palette
    (0, b"\n\3\1", "pcx", "image/vnd.zbrush.pcx", "image"),
    (0, b"\n\5\1", "pcx", "image/vnd.zbrush.pcx", "image"),  # ZSoft PCX: manufacturer, version 5, RLE
    (0, b"#?RADIANCE", "hdr", "image/vnd.radiance", "image"),  # Radiance picture format
    (0, b"P4\n", "pnm", "image/x-portable-bitmap", "image"),  # Netpbm pbm, pgm, ppm: binary forms
    (0, b"P5\n", "pnm", "image/x-portable-graymap", "image"),
    (0, b"P6\n", "pnm", "image/x-portable-pixmap", "image"),
    (0, b"P1\n", "pnm", "image/x-portable-bitmap", "image"),  # the same, plain
    (0, b"P2\n", "pnm", "image/x-portable-graymap", "image"),
    (0, b"P3\n", "pnm", "image/x-portable-pixmap", "image"),
    (0, b"icns", "icns", "image/icns", "image"),  # Apple Icon Image: IconFamily resource
    (0, b"\1\xda\0\1", "sgi", "image/sgi", "image"),  # SGI Image File Format 1.0: MAGIC, STORAGE, BPC
    (0, b"\1\xda\0\2", "sgi", "image/sgi", "image"),
    (0, b"\1\xda\1\1", "sgi", "image/sgi", "image"),
    (0, b"\1\xda\1\2", "sgi", "image/sgi", "image"),
    (0, b"DDS \x7c\0\0\0", "dds", "image/vnd.ms-dds", "image"),  # DirectX DDS_HEADER: dwSize is 124
    (0, b"qoif", "qoi", "image/qoi", "image"),  # QOI specification 1.0: header
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
    (0, b"OFR ", "optimfrog", "audio/x-ofr", "audio"),  # OptimFROG
    (0, b"\x0bw", "ac3", "audio/ac3", "audio"),  # ETSI TS 102 366 section 4.3.1: syncword
    (0, b"MThd\0\0\0\6", "midi", "audio/midi", "audio"),  # Standard MIDI Files 1.0: header chunk
    (0, b"#!AMR\n", "amr", "audio/amr", "audio"),  # RFC 4867 section 5.1
    (0, b".snd", "au", "audio/basic", "audio"),  # Sun/NeXT audio
    (0, b".ra\xfd", "ra", "audio/x-pn-realaudio", "audio"),  # RealAudio 1.0 and 2.0
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
    "xmp": Sniffed("xmp", "application/rdf+xml", "image"),
    "htm": Sniffed("html", "text/html", "document"),
    "xhtml": Sniffed("html", "application/xhtml+xml", "document"),
    "text": Sniffed("txt", "text/plain", "document"),
    "log": Sniffed("txt", "text/plain", "document"),
    "nfo": Sniffed("txt", "text/plain", "document"),
    "markdown": Sniffed("markdown", "text/markdown", "document"),
    "csv": Sniffed("csv", "text/csv", "document"),  # RFC 4180
    "json": Sniffed("json", "application/json", "document"),  # RFC 8259
    "srt": Sniffed("srt", "application/x-subrip", "document"),
    "vtt": Sniffed("vtt", "text/vtt", "document"),  # W3C WebVTT section 8
    "ass": Sniffed("ass", "text/x-ssa", "document"),
    "ssa": Sniffed("ass", "text/x-ssa", "document"),
    "lrc": Sniffed("lrc", "text/x-lrc", "document"),
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
