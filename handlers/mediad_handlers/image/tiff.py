"""TIFF files and the RAW formats that are TIFF inside: DNG CR2 NEF NRW ARW SR2 ORF PEF RW2 IIQ.

Sources: TIFF 6.0 sections 2-8; DNG 1.7 (DNGVersion, SubIFDs, DefaultCropSize); TIFF/EP (ISO 12234-2). Olympus,
Panasonic and
Canon mark their files in the header ("IIRO", "IIU\\0", "CR" at offset 8); the others by Make and extension.
"""

from __future__ import annotations

from typing import Any

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.icc import profile_name
from mediad_handlers.readers.tiff import SUBIFD_POINTER, Entries, Tiff, Value, first_number, pointer, read_exif

_MIME = {
    "tiff": "image/tiff", "dng": "image/x-adobe-dng", "cr2": "image/x-canon-cr2", "nef": "image/x-nikon-nef",
    "nrw": "image/x-nikon-nrw", "arw": "image/x-sony-arw", "sr2": "image/x-sony-sr2", "orf": "image/x-olympus-orf",
    "pef": "image/x-pentax-pef", "rw2": "image/x-panasonic-rw2", "iiq": "image/x-raw", "srw": "image/x-samsung-srw",
}  # fmt: skip
_MAKERS = {"NIKON": ("nef", "nrw"), "SONY": ("arw", "sr2"), "PENTAX": ("pef",), "Phase": ("iiq",), "SAMSUNG": ("srw",)}
_MAGIC = {42: "tiff", 43: "tiff", 0x4F52: "orf", 0x5352: "orf", 0x55: "rw2"}
_PHOTOMETRIC = {0: "gray", 1: "gray", 2: "rgb", 3: "palette", 5: "cmyk", 6: "ycbcr", 8: "lab"}
_COMPRESSION = {
    1: "none", 2: "ccitt_1d", 3: "ccitt_group3", 4: "ccitt_group4", 5: "lzw", 6: "jpeg", 7: "jpeg", 8: "deflate",
    32773: "packbits", 32946: "deflate", 34713: "nikon_nef", 34892: "jpeg", 50000: "zstd", 50001: "webp",
}  # fmt: skip
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
    format = _format(file, tiff, main)
    record = Record("image", format, _MIME[format])
    if tiff.truncated:
        record.warnings.append("values beyond the file or the limits were left out")
    blocks = Blocks(exif=exif)
    pictures = [main, *_subdirectories(tiff, main.pop(SUBIFD_POINTER, None))]
    following = exif.directories.get("IFD1", {})
    pages = _following_pages(tiff, main, following) if format == "tiff" else 1
    if format == "cr2":
        _map_size(record, [exif.directories.get("ExifIFD", {})], 0xA002, 0xA003)
    elif format == "rw2":
        _map_panasonic(record, main)
    elif format == "pef":
        pictures.append(following)
    if format != "rw2":
        _map_crop(record, pictures)
        _map_size(record, pictures, 0x0100, 0x0101)
        _map_size(record, [exif.directories.get("ExifIFD", {})], 0xA002, 0xA003)
    _map_picture(record, main)
    if pages > 1:
        record.put("frame_count", pages, "IFD0:PageCount")
    if format == "tiff":
        exif.directories.pop("IFD1", None)  # a page, not a thumbnail
    if packet := _block(tiff, _XMP, main):
        blocks.add_xmp(record, packet)
    if resources := _block(tiff, _RESOURCES, main):
        blocks.add_resources(resources)
    if iptc := _block(tiff, _IPTC, main):
        blocks.add_iptc(_native_order(iptc))
    record.put("icc_profile", profile_name(_block(tiff, _ICC, main)), "ICC_Profile:ProfileDescription")
    map_blocks(record, blocks)
    finish(record)
    return record


def _format(file: File, tiff: Tiff, main: Entries) -> str:
    if 0xC612 in main:
        return "dng"
    if tiff.data[8:10] == b"CR" and tiff.magic == 42:
        return "cr2"
    found = _MAGIC[tiff.magic]
    make = main.get(0x010F)
    if found == "tiff" and isinstance(make, str):
        for name, formats in _MAKERS.items():
            if make.startswith(name) and file.extension in formats:
                return file.extension
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
