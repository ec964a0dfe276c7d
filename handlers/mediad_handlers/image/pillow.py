"""Photoshop, JPEG 2000, PCX, PNM, TGA, ICNS, SGI and DDS pictures: the headers as Pillow's plugins read them.

One plugin class is called directly: no `Image.open`, no `Image.init` or `preinit` (they import other plugins and try
them), no `load`. What a plugin does not keep is taken from the fixed bytes of the header:
- PSD: Adobe Photoshop File Formats, "File Header Section" (Pillow knows 8-bit channels only);
- JP2: ISO/IEC 15444-1 annex I (image header box: I.5.3.1), XMP and EXIF boxes: XMP part 3 section 1.1.4, ExifTool;
- PCX: ZSoft PCX Technical Reference; TGA: Truevision TGA 2.0, "Image Specification"; SGI: SGI Image File Format 1.0.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from importlib import import_module
from typing import Any

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.budget import BudgetStream
from mediad_handlers.kit.file import File
from mediad_handlers.kit.sniff import Sniffed
from mediad_handlers.readers.icc import profile_name
from mediad_handlers.readers.iptc import DIGEST_RESOURCE, IPTC_RESOURCE
from mediad_handlers.readers.isobmff import Source

READ_BUDGET = 16 * 1024 * 1024  # bytes of one header: image resources hold profiles, XMP histories, thumbnails
PLUGINS = {  # format: module, class
    "psd": ("PIL.PsdImagePlugin", "PsdImageFile"),
    "jp2": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "j2c": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "pcx": ("PIL.PcxImagePlugin", "PcxImageFile"),
    "pnm": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "tga": ("PIL.TgaImagePlugin", "TgaImageFile"),
    "icns": ("PIL.IcnsImagePlugin", "IcnsImageFile"),
    "sgi": ("PIL.SgiImagePlugin", "SgiImageFile"),
    "dds": ("PIL.DdsImagePlugin", "DdsImageFile"),
}
FORMATS = frozenset((*PLUGINS, "psb"))
_MODES = {  # Pillow's mode: color_mode, has_alpha
    "1": ("gray", False), "L": ("gray", False), "I": ("gray", False), "I;16": ("gray", False), "LA": ("gray", True),
    "P": ("palette", False), "RGB": ("rgb", False), "RGBA": ("rgba", True), "CMYK": ("cmyk", False),
    "LAB": ("lab", False),
}  # fmt: skip
# what Pillow's plugins let out of a broken header (UnidentifiedImageError is an OSError, struct.error comes bare)
_LEAKS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, EOFError, MemoryError,
    AttributeError, struct.error,
)  # fmt: skip
_PSD_HEADER = struct.Struct(">4sH6xHIIHH")
_PSD_MODES = {0: "gray", 1: "gray", 2: "palette", 3: "rgb", 4: "cmyk", 7: "multichannel", 8: "gray", 9: "lab"}
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # XMP part 3 section 1.1.4
_EXIF_BOX = b"JpgTiffExif->JP2"  # as Photoshop and ExifTool write it
_RESOLUTION, _ICC, _EXIF, _XMP = 1005, 1039, 1058, 1060  # Photoshop image resources


def read_pillow(file: File, found: Sniffed) -> Record:
    """The record of a picture of one of FORMATS. Raises HandlerError `corrupt` for a header that its plugin refuses,
    `unsupported` for a variant that the plugin does not know, `limit` when the header is longer than READ_BUDGET."""
    record = Record("image", found.format, found.mime_type)
    _READERS.get(found.format, _read_common)(record, file)
    finish(record)
    return record


def _open(file: File, format: str) -> Any:
    """The plugin's picture, nothing decoded: the one place where Pillow's exceptions become HandlerError."""
    module, name = PLUGINS[format]
    plugin = getattr(import_module(module), name)
    try:
        return plugin(BudgetStream(file, READ_BUDGET))
    except NotImplementedError as fault:
        raise HandlerError("unsupported", f"Pillow: {fault}"[:200]) from fault
    except _LEAKS as fault:
        raise HandlerError("corrupt", f"{format}: {fault}"[:200]) from fault


def _read_common(record: Record, file: File) -> Any:
    """width, height, color_mode and has_alpha by the mode, dpi where both numbers stand for something."""
    picture = _open(file, record.format)
    group = record.format.upper()
    record.put("width", picture.size[0], f"{group}:ImageWidth")
    record.put("height", picture.size[1], f"{group}:ImageHeight")
    color, alpha = _MODES.get(picture.mode, (None, None))
    record.put("color_mode", color, f"{group}:Mode")
    record.put("has_alpha", alpha, f"{group}:Mode")
    if picture.mode == "1":
        record.put("bits_per_sample", 1, f"{group}:Mode")
    _put_dpi(record, picture.info.get("dpi"), f"{group}:Resolution")
    return picture


def _put_dpi(record: Record, dpi: tuple[float, float] | None, source: str) -> None:
    if dpi is not None and all(1 <= one < 1e6 for one in dpi):
        record.put("dpi_x", round(float(dpi[0]), 3), source)
        record.put("dpi_y", round(float(dpi[1]), 3), source)


def _read_psd(record: Record, file: File) -> None:
    """The header is read here (PSB and 16-bit channels have it too), the image resources are Pillow's."""
    head = file.head
    if len(head) < _PSD_HEADER.size:
        raise HandlerError("corrupt", "psd: no file header")
    _, version, channels, height, width, depth, mode = _PSD_HEADER.unpack_from(head)
    if not (1 <= channels <= 56 and width and height and depth in (1, 8, 16, 32) and mode in _PSD_MODES):
        raise HandlerError("corrupt", "psd: the file header states an impossible picture")
    for name, value in (("width", width), ("height", height), ("bits_per_sample", depth)):
        record.put(name, value, "PSD:FileHeader")
    record.put("color_mode", _PSD_MODES[mode], "PSD:FileHeader")
    if version != 1 or (mode, depth) not in import_module(PLUGINS["psd"][0]).MODES:
        record.warnings.append(f"{record.format}: image resources of this variant are not read")
        return
    resources: dict[int, bytes] = {}
    for number, _, data in _open(file, "psd").resources:
        resources.setdefault(number, data)
    blocks = Blocks()
    blocks.add_iptc(resources.get(IPTC_RESOURCE, b""), resources.get(DIGEST_RESOURCE, b""))
    if _EXIF in resources:
        blocks.add_exif(record, resources[_EXIF])
    if _XMP in resources:
        blocks.add_xmp(record, resources[_XMP])
    if _ICC in resources:
        record.put("icc_profile", profile_name(resources[_ICC]), "ICC_Profile:ProfileDescription")
    resolution = resources.get(_RESOLUTION, b"")
    if len(resolution) >= 12:  # 16.16 fixed pixels an inch, whatever unit is shown
        across, _, _, down = struct.unpack_from(">IHHI", resolution)
        _put_dpi(record, (across / 65536, down / 65536), "PSD:ResolutionInfo")
    map_blocks(record, blocks)


def _read_jpeg2000(record: Record, file: File) -> None:
    picture = _read_common(record, file)
    record.put("compression", "jpeg2000", "JP2:Compression")
    if record.format != "jp2":
        return
    record.mime_type = picture.custom_mimetype or record.mime_type
    source = Source(file.read, file.head)
    blocks = Blocks()
    for box in source.walk(0, file.size):
        if box.kind == b"jp2h" and (header := source.find(box, b"ihdr")) is not None:
            bits = source.content(header, 14)[10:11]
            if bits and bits[0] != 255:  # 255: it varies between components
                record.put("bits_per_sample", (bits[0] & 127) + 1, "JP2:ImageHeader")
        elif box.kind == b"uuid":
            mark = source.read(box.start, 16)
            if mark == _XMP_BOX:
                blocks.add_xmp(record, source.content(box)[16:])
            elif mark == _EXIF_BOX:
                blocks.add_exif(record, source.content(box)[16:])
    map_blocks(record, blocks)


def _read_pcx(record: Record, file: File) -> None:
    _read_common(record, file)
    bits, planes = file.head[3], file.head[65]
    record.put("bits_per_sample", bits if planes == 3 else bits * planes, "PCX:BitsPerPixel")
    record.put("compression", "rle" if file.head[2] else "none", "PCX:Encoding")


def _read_tga(record: Record, file: File) -> None:
    """The alpha bits are in the descriptor (field 5.6): Pillow calls every picture of 16 or 32 bits RGBA."""
    _read_common(record, file)
    depth, alpha = file.head[16], bool(file.head[17] & 15)
    record.fields["has_alpha"] = alpha
    if record.fields.get("color_mode") == "rgba" and not alpha:
        record.fields["color_mode"] = "rgb"
    color = record.fields.get("color_mode") in ("rgb", "rgba")
    record.put("bits_per_sample", 5 if color and depth == 16 else min(depth, 8), "TGA:PixelDepth")
    record.put("compression", "rle" if file.head[2] & 8 else "none", "TGA:ImageType")


def _read_sgi(record: Record, file: File) -> None:
    _read_common(record, file)
    record.put("bits_per_sample", file.head[3] * 8, "SGI:BPC")
    record.put("compression", "rle" if file.head[2] else "none", "SGI:Storage")


def _read_icns(record: Record, file: File) -> None:
    """The largest icon and their number; Pillow states RGBA for all of them, whatever they are."""
    picture = _open(file, "icns")
    record.put("width", picture.size[0], "ICNS:ImageWidth")
    record.put("height", picture.size[1], "ICNS:ImageHeight")
    record.put("frame_count", len(picture.info["sizes"]), "ICNS:ImageCount")


def _read_dds(record: Record, file: File) -> None:
    """Size and block compression; Pillow's mode is that of the decoded picture, not the file's."""
    picture = _open(file, "dds")
    record.put("width", picture.size[0], "DDS:ImageWidth")
    record.put("height", picture.size[1], "DDS:ImageHeight")
    record.put("compression", getattr(picture, "pixel_format", "").lower(), "DDS:PixelFormat")


_READERS: dict[str, Callable[[Record, File], Any]] = {
    "psd": _read_psd, "psb": _read_psd, "jp2": _read_jpeg2000, "j2c": _read_jpeg2000, "pcx": _read_pcx,
    "tga": _read_tga, "sgi": _read_sgi, "icns": _read_icns, "dds": _read_dds,
}  # fmt: skip
