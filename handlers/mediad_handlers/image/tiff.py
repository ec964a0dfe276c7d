"""TIFF files and the RAW formats that are TIFF inside: DNG CR2 NEF NRW ARW SR2 ORF PEF RW2 IIQ.

Sources: TIFF 6.0 sections 2-8; DNG 1.7 (DNGVersion, SubIFDs, DefaultCropSize); TIFF/EP (ISO 12234-2). Olympus,
Panasonic and Canon mark their files in the header ("IIRO", "IIU\\0", "CR" at offset 8); the others by Make and
extension.
"""

from __future__ import annotations

from typing import Any

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.image.converters import integer
from mediad_handlers.image.embedded import add_picture, add_preview
from mediad_handlers.image.layout import ALGORITHM, tiff_payload
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.icc import profile_name
from mediad_handlers.readers.tiff import (
    SUBIFD_POINTER,
    Entries,
    Exif,
    Tiff,
    Value,
    first_number,
    pointer,
    read_exif,
)  # fmt: skip

_MIME = {
    "tiff": "image/tiff", "dng": "image/x-adobe-dng", "cr2": "image/x-canon-cr2", "nef": "image/x-nikon-nef",
    "nrw": "image/x-nikon-nrw", "arw": "image/x-sony-arw", "sr2": "image/x-sony-sr2", "orf": "image/x-olympus-orf",
    "pef": "image/x-pentax-pef", "rw2": "image/x-panasonic-rw2", "iiq": "image/x-raw", "srw": "image/x-samsung-srw",
    "rwl": "image/x-leica-rwl", "srf": "image/x-sony-srf", "erf": "image/x-epson-erf", "kdc": "image/x-kodak-kdc",
    "dcr": "image/x-kodak-dcr", "k25": "image/x-kodak-k25", "3fr": "image/x-hasselblad-3fr",
    "mef": "image/x-mamiya-mef", "mos": "image/x-raw",
}  # fmt: skip
# Make begins with (any case): the extensions under which that maker writes RAW files
_MAKERS = {
    "NIKON": ("nef", "nrw"), "SONY": ("arw", "sr2", "srf"), "PENTAX": ("pef",), "ASAHI": ("pef",), "RICOH": ("pef",),
    "PHASE": ("iiq",), "LEAF": ("iiq", "mos"), "SAMSUNG": ("srw",), "LEICA": ("rwl",), "SEIKO EPSON": ("erf",),
    "EASTMAN KODAK": ("kdc", "dcr", "k25"), "KODAK": ("kdc", "dcr", "k25"), "HASSELBLAD": ("3fr",), "MAMIYA": ("mef",),
}  # fmt: skip
# Compressions that only these makers' RAW files have (ExifTool's list of Compression values)
_RAW_COMPRESSIONS = {34713: "nef", 32767: "arw", 65535: "pef", 32770: "srw"}
_MAGIC = {42: "tiff", 43: "tiff", 0x4F52: "orf", 0x5352: "orf", 0x55: "rw2"}
_PHOTOMETRIC = {0: "gray", 1: "gray", 2: "rgb", 3: "palette", 5: "cmyk", 6: "ycbcr", 8: "lab"}
_COMPRESSION = {
    1: "none", 2: "ccitt_1d", 3: "ccitt_group3", 4: "ccitt_group4", 5: "lzw", 6: "jpeg", 7: "jpeg", 8: "deflate",
    32773: "packbits", 32946: "deflate", 34713: "nikon_nef", 34892: "jpeg", 50000: "zstd", 50001: "webp",
}  # fmt: skip
# Formats whose samples stand in strips or tiles; the others keep them where only their maker's tags say
_STRIPPED = frozenset(
    ("tiff", "dng", "cr2", "nef", "nrw", "arw", "orf", "pef", "rw2", "rwl", "srw", "erf", "3fr", "dcr", "mef")
)
_PHASE_ONE = (b"IIII", b"MMMM")  # behind the TIFF header: the maker note
_XMP, _IPTC, _RESOURCES, _ICC = 0x02BC, 0x83BB, 0x8649, 0x8773
MAX_PAGES = 32
MAX_SUBDIRECTORIES = 8


def read_tiff(file: File) -> Record:
    """The record of a TIFF or TIFF-based RAW file. Raises HandlerError `corrupt`, `unsupported` (unknown magic)."""
    exif = read_exif(file.head, file.read)
    tiff = exif.tiff
    if tiff.magic not in _MAGIC:
        raise HandlerError("unsupported", f"TIFF magic number {tiff.magic}")
    main = exif.directories["IFD0"]
    if not main:
        raise HandlerError("corrupt", "no TIFF directory")
    pictures = [main, *_subdirectories(tiff, main.pop(SUBIFD_POINTER, None))]
    format = _format(file, tiff, pictures)
    record = Record("image", format, _MIME[format])
    if tiff.truncated:
        record.warnings.append("values beyond the file or the limits were left out")
    blocks = Blocks(exif=exif)
    following = exif.directories.get("IFD1", {})
    pages = _following_pages(tiff, main, following) if format == "tiff" else 1
    _map_sizes(record, file, exif, format, pictures)
    _map_picture(record, main if format in ("tiff", "cr2", "rw2", "rwl") else _largest(pictures))
    if pages > 1:
        record.put("frame_count", pages, "IFD0:PageCount")
    _add_blocks(record, blocks, tiff, main)
    if format == "rw2":
        _add_panasonic_jpeg(record, blocks, file, tiff)
    if format == "tiff":
        exif.directories.pop("IFD1", None)  # a page, not a thumbnail
    for entries in pictures:
        _describe_preview(record, entries)
    map_blocks(record, blocks)
    if format == "dng" and not tiff.maker_note:
        from mediad_handlers.image.makernotes.adobe import map_adobe_note

        record.put("lens_model", map_adobe_note(record, exif), "DNG:DNGPrivateData")
    finish(record)
    if format in _STRIPPED:
        _set_payload(record, file, tiff)
    return record


def _set_payload(record: Record, file: File, tiff: Tiff) -> None:
    try:
        record.payload = tiff_payload(file, tiff)
    except HandlerError as fault:
        if fault.code == "io":
            raise
        record.warnings.append(f"no {ALGORITHM}: {fault.message}")


def _map_sizes(record: Record, file: File, exif: Exif, format: str, pictures: list[Entries]) -> None:
    """The full picture's size: of the maker's own tags, then of the largest directory that is no reduced picture."""
    camera = exif.directories.get("ExifIFD", {})
    if format == "cr2":
        _map_size(record, [camera], 0xA002, 0xA003)
    elif format == "iiq" and exif.tiff.bytes_at(8, 4) in _PHASE_ONE:
        from mediad_handlers.image.makernotes.phaseone import map_phase_one

        map_phase_one(record, exif.tiff, 8, file.size - 8)
    elif format == "rw2" or exif.tiff.magic == 0x55:
        _map_panasonic(record, pictures[0])
        return
    elif format == "pef":
        pictures = [*pictures, exif.directories.get("IFD1", {})]
    _map_crop(record, pictures)
    _map_size(record, pictures, 0x0100, 0x0101)
    _map_size(record, [camera], 0xA002, 0xA003)


def _add_blocks(record: Record, blocks: Blocks, tiff: Tiff, main: Entries) -> None:
    if packet := _block(tiff, _XMP, main):
        blocks.add_xmp(record, packet)
    if resources := _block(tiff, _RESOURCES, main):
        blocks.add_resources(resources)
    if iptc := _block(tiff, _IPTC, main):
        blocks.add_iptc(_native_order(iptc))
    record.put("icc_profile", profile_name(_block(tiff, _ICC, main)), "ICC_Profile:ProfileDescription")


def _add_panasonic_jpeg(record: Record, blocks: Blocks, file: File, tiff: Tiff) -> None:
    """RW2's JpgFromRaw (0x002E) holds the camera's whole EXIF; the file's own directory is a part of it."""
    offset, length = tiff.spans.get(0x002E, (0, 0))
    inside = Blocks()
    add_preview(record, inside, file, offset, length, "PanasonicRaw:JpgFromRaw")
    if inside.exif is not None:
        blocks.exif = inside.exif
    if blocks.xmp is None:
        blocks.xmp = inside.xmp


def _describe_preview(record: Record, entries: Entries) -> None:
    """A reduced picture, or a JPEG that a directory places in the old way (TIFF 6.0 section 22)."""
    width, height = integer(entries.get(0x0100)), integer(entries.get(0x0101))
    size = integer(entries.get(0x0202)) if first_number(entries.get(0x0201)) else None
    reduced = first_number(entries.get(0x00FE))
    if size or (isinstance(reduced, int) and reduced & 1):
        jpeg = size or first_number(entries.get(0x0103)) in (6, 7)
        mime = "image/jpeg" if jpeg else None
        add_picture(record, "SubIFD:PreviewImage", type="preview", mime=mime, size=size, width=width, height=height)


def _format(file: File, tiff: Tiff, pictures: list[Entries]) -> str:
    main = pictures[0]
    if 0xC612 in main:
        return "dng"
    if tiff.bytes_at(8, 2) == b"CR" and tiff.magic == 42:
        return "cr2"
    if tiff.bytes_at(8, 4) in _PHASE_ONE:
        return "iiq"
    found = _MAGIC[tiff.magic]
    make = main.get(0x010F)
    maker = make.upper() if isinstance(make, str) else ""
    if found == "rw2":
        return "rwl" if maker.startswith("LEICA") and file.extension == "rwl" else found
    if found == "tiff":
        for name, formats in _MAKERS.items():
            if maker.startswith(name) and file.extension in formats:
                return file.extension
        for entries in pictures:
            raw = first_number(entries.get(0x0103))
            if maker and isinstance(raw, int) and raw in _RAW_COMPRESSIONS:
                return _RAW_COMPRESSIONS[raw]
    return found


def _subdirectories(tiff: Tiff, value: Value) -> list[Entries]:
    offsets = value if isinstance(value, list) else [value]
    return [tiff.directory(pointer(offset))[0] for offset in offsets[:MAX_SUBDIRECTORIES]]


def _following_pages(tiff: Tiff, main: Entries, second: Entries) -> int:
    """Pages: directories of the chain that are no reduced picture (NewSubfileType bit 0, TIFF 6.0 section 8)."""
    pages = 1
    if second:
        reduced = first_number(second.get(0x00FE))
        pages += 0 if isinstance(reduced, int) and reduced & 1 else 1
        offset = tiff.directory_after(tiff.first, 2)
        while offset and pages < MAX_PAGES:
            entries, offset = tiff.directory(offset)
            reduced = first_number(entries.get(0x00FE))
            pages += 1 if entries and not (isinstance(reduced, int) and reduced & 1) else 0
    return pages


def _largest(pictures: list[Entries]) -> Entries:
    """The directory of the full picture: the most pixels of those that are not marked as reduced."""

    def pixels(entries: Entries) -> int:
        reduced = first_number(entries.get(0x00FE))
        if isinstance(reduced, int) and reduced & 1:
            return 0
        return (integer(entries.get(0x0100)) or 0) * (integer(entries.get(0x0101)) or 0)

    return max(pictures, key=pixels)


def _map_size(record: Record, pictures: list[Entries], width_tag: int, height_tag: int) -> None:
    """The largest picture that is not marked as reduced."""
    best = (0, 0)
    for entries in pictures:
        width, height = first_number(entries.get(width_tag)), first_number(entries.get(height_tag))
        reduced = first_number(entries.get(0x00FE))
        if not isinstance(width, int) or not isinstance(height, int) or (isinstance(reduced, int) and reduced & 1):
            continue
        if 0 < width < 1 << 31 and 0 < height < 1 << 31 and width * height > best[0] * best[1]:
            best = (width, height)
    if best[0]:
        record.put("width", best[0], "IFD0:ImageWidth")
        record.put("height", best[1], "IFD0:ImageHeight")


def _map_crop(record: Record, pictures: list[Entries]) -> None:
    """DNG: the picture that a person sees is DefaultCropSize (0xC620)."""
    for entries in pictures:
        crop: Any = entries.get(0xC620)
        if (
            isinstance(crop, list)
            and len(crop) == 2
            and all(isinstance(side, int | float) and side > 0 for side in crop)
        ):
            record.put("width", int(crop[0]), "SubIFD:DefaultCropSize")
            record.put("height", int(crop[1]), "SubIFD:DefaultCropSize")


def _map_panasonic(record: Record, main: Entries) -> None:
    """RW2: sensor borders 4-7 (top, left, bottom, right), ISO 0x17; widths 2, 3 as ExifTool's PanasonicRaw table."""
    top, left, bottom, right = (first_number(main.get(tag)) for tag in (4, 5, 6, 7))
    if all(isinstance(border, int) for border in (top, left, bottom, right)):
        record.put("width", max(0, int(right or 0) - int(left or 0)) or None, "IFD0:SensorRightBorder")
        record.put("height", max(0, int(bottom or 0) - int(top or 0)) or None, "IFD0:SensorBottomBorder")
    iso = first_number(main.get(0x17))
    record.put("iso", iso if isinstance(iso, int) and iso > 0 else None, "IFD0:ISO")


def _map_picture(record: Record, main: Entries) -> None:
    bits, samples = first_number(main.get(0x0102)), first_number(main.get(0x0115))
    if isinstance(bits, int) and 0 < bits <= 64:
        record.put("bits_per_sample", bits, "IFD0:BitsPerSample")
    photometric, compression = first_number(main.get(0x0106)), first_number(main.get(0x0103))
    extra = main.get(0x0152)
    alpha = first_number(extra) in (1, 2)
    mode = _PHOTOMETRIC.get(photometric) if isinstance(photometric, int) else None
    if mode == "rgb" and samples == 4 and alpha:
        mode = "rgba"
    record.put("color_mode", mode, "IFD0:PhotometricInterpretation")
    record.put("has_alpha", alpha, "IFD0:ExtraSamples")
    if isinstance(compression, int):
        record.put("compression", _COMPRESSION.get(compression), "IFD0:Compression")


def _block(tiff: Tiff, tag: int, main: Entries) -> bytes:
    """A block's bytes; a value of up to four bytes stands in the entry and holds nothing."""
    value = main.pop(tag, None)
    return value if isinstance(value, bytes) else tiff.block(tag)


def _native_order(data: bytes) -> bytes:
    """IPTC that a writer stored as LONGs in little-endian files, turned back: it begins with 0x1C."""
    if data[:1] == b"\x1c" or len(data) < 4 or data[3:4] != b"\x1c":
        return data
    whole = len(data) & ~3
    return b"".join(data[at : at + 4][::-1] for at in range(0, whole, 4))
