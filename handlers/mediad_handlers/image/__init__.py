"""The `image` handler: JPEG, PNG, GIF, WebP, TIFF, BMP, ICO, HEIC, AVIF and TIFF-based RAW by own bounded
readers; PSD, JPEG 2000, PCX, PNM, TGA, ICNS, SGI and DDS by Pillow (image.pillow).

Fields: sections 3 and 5 of the vocabulary (mediadb_contract/fields.json). Payload: `jpeg-scan/1` for JPEG (image.jpeg),
`tiff-image/1` for TIFF and the RAW formats that are TIFF (image.layout), one of their own for CR3, RAF, CRW, X3F and
MRW; the other formats have none, so that their fingerprint and checksum are the whole file's. An XMP side file is read
here too: its kind is `other`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from mediad_handlers.image.payloads import payload_of
from mediad_handlers.kit.api import Edit, Handler, HandlerError, Match, Payload, Preview, Record
from mediad_handlers.kit.file import File
from mediad_handlers.kit.formats import MAGIC
from mediad_handlers.kit.sniff import Sniffed, recognise

_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"))
_TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
_PILLOW = frozenset(("psd", "psb", "jp2", "j2c", "pcx", "pnm", "tga", "icns", "sgi", "dds"))  # image.pillow.FORMATS
_RAW = (  # (offset, mark, module, function): RAW formats that are no TIFF
    (0, b"II\x1a\0\0\0HEAPCCDR", "ciff", "read_crw"), (6, b"HEAPCCDR", "ciff", "read_crw"),
    (0, b"FOVb", "x3f", "read_x3f"), (0, b"\0MRM", "mrw", "read_mrw"), (0x19, b"ARECOYK", "mrw", "read_kyocera"),
    (4, b"ftypcrx ", "raw", "read_cr3"), (0, b"FUJIFILMCCD-RAW", "raw", "read_raf"),
)  # fmt: skip
_MODULES = (
    "jpeg", "png", "small", "webp", "tiff", "heif", "raw", "pillow", "sidecar", "ciff", "x3f", "mrw", "trailers",
    "photoshop", "payloads", "jxl", "drawn",
)  # fmt: skip


@cache
def _reader(module: str, function: str) -> Callable[[File], Record]:
    """A reader, its module imported at its first file: a JPEG needs no RAW reader (the kit's preload names them
    all)."""
    found: Callable[[File], Record] = getattr(importlib.import_module(f"mediad_handlers.image.{module}"), function)
    return found


def read(file: File) -> Record:
    """The record of a picture, by its first bytes. Raises HandlerError `unsupported`, `corrupt`, `limit`, `io`."""
    record = _read(file)
    if record.payload is None:
        record.payload = payload_of(file)
    return record


def _read(file: File) -> Record:
    head = file.head
    mark = head[:4]
    if mark[:3] == b"\xff\xd8\xff" or mark[:2] == b"\xff\xd8":
        return _reader("jpeg", "read_jpeg")(file)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _reader("png", "read_png")(file)
    if mark in _TIFF_MARKS:
        return _reader("tiff", "read_tiff")(file)
    if mark == b"GIF8":
        return _reader("small", "read_gif")(file)
    if mark == b"RIFF" and head[8:12] == b"WEBP":
        return _reader("webp", "read_webp")(file)
    if mark[:2] == b"BM":
        return _reader("small", "read_bmp")(file)
    if mark == b"\0\0\1\0":
        return _reader("small", "read_ico")(file)
    if (raw := _find_raw(head)) is not None:
        return _reader(*raw)(file)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return _reader("heif", "read_heif")(file)
    found = recognise(file)
    if found is not None and found.format == "xmp":
        return _reader("sidecar", "read_sidecar")(file)
    if found is not None and found.format == "jxl":
        return _reader("jxl", "read_jxl")(file)
    if found is not None and found.format == "svg":
        return _reader("drawn", "read_svg")(file)
    if found is not None and found.format in _PILLOW:
        return _read_with_pillow(file, found)
    raise HandlerError("unsupported", "not a picture of a format that is read here")


def _find_raw(head: bytes) -> tuple[str, str] | None:
    for offset, mark, module, function in _RAW:
        if head.startswith(mark, offset):
            return module, function
    return None


def _read_with_pillow(file: File, found: Sniffed) -> Record:
    from mediad_handlers.image.pillow import read_pillow

    return read_pillow(file, found)


def payload(file: File) -> Payload:
    """The payload of a picture (image.jpeg, image.layout, image.raw, image.payloads). Raises HandlerError as `read`
    does, and `unsupported` for the formats whose stream is the whole file."""
    if file.head[:2] == b"\xff\xd8":
        from mediad_handlers.image.jpeg import jpeg_payload

        return jpeg_payload(file)
    found = read(file).payload
    if found is None:
        raise HandlerError("unsupported", "this picture format has no stream of its own")
    return found


def write(file: File, edit: Edit, target: int) -> list[str]:
    """Writes the edited file into `target` (docs/writing.md). Raises HandlerError; `unsupported` for what this format
    cannot hold."""
    from mediad_handlers.write import write_file

    return write_file(file, read(file), edit, target)


def preview(file: File, size: int) -> Preview:
    """The preview of a file (mediad_handlers.preview). Raises HandlerError."""
    from mediad_handlers.preview import make

    return make(HANDLER, file, size)


def list_sources() -> Mapping[str, Sequence[str]]:
    """{field: native tags it is read from}, for `--describe`."""
    from mediad_handlers.sources import list_image

    return list_image()


HANDLER = Handler(
    name="image",
    version=2,
    summary="Pictures: JPEG, PNG, GIF, WebP, TIFF, BMP, ICO, HEIC, AVIF, RAW (DNG CR2 CR3 CRW NEF ARW ORF PEF RAF RW2 "
    "SRW MRW X3F IIQ ERF 3FR ...), XMP side files, "
    "PSD, JPEG XL, JPEG 2000, SVG, PCX, PNM, TGA, ICNS, SGI, DDS",
    kinds=("image", "other"),  # other: XMP side files
    match=Match(
        extensions=(
            "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "gif", "webp", "tif", "tiff", "bmp", "dib", "ico",
            "heic", "heif", "hif", "avif", "dng", "cr2", "nef", "nrw", "arw", "sr2", "orf", "pef", "rw2", "iiq", "srw",
            "cr3", "raf", "crw", "mrw", "x3f", "erf", "kdc", "dcr", "3fr", "rwl", "srf", "mef", "mos", "xmp",
            "psd", "psb", "jp2", "jpx", "jpf", "j2k", "j2c", "jpc", "pcx", "pnm", "pbm", "pgm", "ppm",
            "tga", "icns", "sgi", "bw", "rgb", "rgba", "dds", "jxl", "svg",
        ),
        mime_types=(
            "image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff", "image/bmp",
            "image/vnd.microsoft.icon", "image/heic", "image/heif", "image/avif", "image/x-adobe-dng",
            "image/x-canon-cr2", "image/x-nikon-nef", "image/x-sony-arw", "image/x-olympus-orf",
            "image/x-pentax-pef", "image/x-panasonic-rw2", "image/vnd.adobe.photoshop",
            "image/jp2", "image/jpx", "image/vnd.zbrush.pcx", "image/x-portable-bitmap", "image/x-portable-graymap",
            "image/x-portable-pixmap", "image/x-tga", "image/icns", "image/sgi", "image/vnd.ms-dds",
        ),
        magic=(
            (0, b"\xff\xd8\xff"), (0, b"\x89PNG\r\n\x1a\n"), (0, b"GIF87a"), (0, b"GIF89a"), (8, b"WEBPVP8"),
            *((0, mark) for mark in _TIFF_MARKS), (0, b"\0\0\1\0"), (0, b"BM"),
            *((4, b"ftyp" + brand) for brand in sorted(_HEIF_BRANDS)),
            *((offset, mark) for offset, mark, _, _ in _RAW),
            *((offset, mark) for offset, mark, format, _, _ in MAGIC if format in _PILLOW),
        ),
    ),
    read=read,
    sources=list_sources,
    preview=preview,
    write=write,
    payload=payload,
    preload=(
        *(f"mediad_handlers.image.{module}" for module in _MODULES), "mediad_handlers.image.gps", "email.utils",
        *(f"mediad_handlers.image.makernotes.{module}" for module in (
            "adobe", "canon", "makers", "nikon", "olympus", "phaseone", "lenses.canon", "lenses.minolta",
            "lenses.nikon", "lenses.olympus", "lenses.pentax", "lenses.samsung", "lenses.sigma")),
        "PIL.PsdImagePlugin", "PIL.Jpeg2KImagePlugin", "PIL.PcxImagePlugin", "PIL.PpmImagePlugin", "PIL.TgaImagePlugin",
        "PIL.IcnsImagePlugin", "PIL.SgiImagePlugin", "PIL.DdsImagePlugin",
        "encodings.iso2022_jp", "encodings.utf_16", "encodings.utf_16_le", "encodings.utf_16_be", "encodings.latin_1",
    ),
    limits={"read": {"memory": 64 * 1024 * 1024, "seconds": 10}},
)  # fmt: skip


def main() -> int:
    """The command `image-handler`; its exit status."""
    from mediad_handlers.kit.main import run

    return run("image", lambda: (HANDLER,))
