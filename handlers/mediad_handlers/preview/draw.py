"""A picture made small: decoded by Pillow, HEIC by libheif (pi-heif) where that is installed; upright, in sRGB; JPEG,
or PNG where it is transparent.

Pillow's plugin classes are called directly, one for the format that the content shows: `Image.open` would try others.
What a picture will take in memory is reckoned from the pixels that it declares before anything is decoded; more than
there is is `limit`, with the number of bytes, so that whoever asked can ask a larger worker.

Sources: Exif 3.0 section 4.6.5 (Orientation); ICC.1 (profiles, by Little CMS); ITU-T T.81 (reduced decoding of a JPEG
by scaled inverse DCT: libjpeg's scale_num/scale_denom; a progressive one keeps all its coefficients).
"""

from __future__ import annotations

import io
import os
import struct
import warnings as told
import zlib
from typing import Any

from PIL import Image, ImageCms, ImageFile, JpegImagePlugin

from mediad_handlers.kit.api import HandlerError, Preview

QUALITY = 82  # of the JPEG: no difference is seen beside 90, at two thirds of the bytes
_PROGRESSIVE = 800  # pixels from which the JPEG is progressive: it shows early, and is 3 % smaller
_MOST_PIXELS = 1 << 30  # a picture that declares more is a bomb, whatever the memory
_MOST_SIDE = 1 << 17
_ROOM_WITHOUT_LIMIT = 2 << 30  # bytes for one picture where nobody set a limit
_FIXED = 24 << 20  # bytes: the small picture itself, buffers of codecs, Python's own growth

# Format: (plugin, class, bytes a pixel while it is decoded and made small at its worst, whether its file is read whole)
_PLUGINS = {
    "jpeg": ("JpegImagePlugin", "JpegImageFile", 0, False),
    "png": ("PngImagePlugin", "PngImageFile", 0, False),
    "gif": ("GifImagePlugin", "GifImageFile", 9, False),
    "webp": ("WebPImagePlugin", "WebPImageFile", 16, True),
    "tiff": ("TiffImagePlugin", "TiffImageFile", 4, True),
    "btf": ("TiffImagePlugin", "TiffImageFile", 4, True),
    "bmp": ("BmpImagePlugin", "BmpImageFile", 0, False),
    "ico": ("IcoImagePlugin", "IcoImageFile", 8, True),
    "avif": ("AvifImagePlugin", "AvifImageFile", 20, True),
    "heic": ("pi_heif.as_plugin", "HeifImageFile", 16, True),
    "heif": ("pi_heif.as_plugin", "HeifImageFile", 16, True),
    "psd": ("PsdImagePlugin", "PsdImageFile", 4, False),
    "jp2": ("Jpeg2KImagePlugin", "Jpeg2KImageFile", 24, True),
    "j2c": ("Jpeg2KImagePlugin", "Jpeg2KImageFile", 24, True),
    "pcx": ("PcxImagePlugin", "PcxImageFile", 0, False),
    "pnm": ("PpmImagePlugin", "PpmImageFile", 0, False),
    "tga": ("TgaImagePlugin", "TgaImageFile", 0, False),
    "icns": ("IcnsImagePlugin", "IcnsImageFile", 8, True),
    "sgi": ("SgiImagePlugin", "SgiImageFile", 4, True),
    "dds": ("DdsImagePlugin", "DdsImageFile", 4, True),
}  # fmt: skip
_THREADED = ("heic", "heif")  # libde265 has a thread of its own for each picture, however few are asked for
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}  # a pixel in memory; all others 4
_CONVERTED = {"1": 1, "P": 8, "PA": 8, "RGBA": 4, "LA": 4, "I;16": 8, "I;16B": 8, "I;16L": 8, "I": 4, "F": 4}
_MAGIC = ((b"\xff\xd8", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF8", "gif"), (b"BM", "bmp"), (b"II*\0", "tiff"),
          (b"MM\0*", "tiff"))  # fmt: skip
_MODES_WITH_PROFILE = {"RGB": "RGB ", "CMYK": "CMYK", "L": "GRAY", "LAB": "Lab "}  # ICC.1 7.2.6: colour space of data

# What Pillow's plugins and decoders let out of a broken file; struct.error and zlib.error come bare.
_LEAKS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, EOFError,
    AttributeError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip

_classes: dict[str, Any] = {}
_srgb: Any = None
_room = _ROOM_WITHOUT_LIMIT
_used = 0


def prepare(memory: int) -> bool:
    """Imports the decoders; `memory`: bytes of address space of this process, 0: no limit. Before lock-down. Returns
    whether one of them works with threads."""
    global _room, _used, _srgb
    for format in _PLUGINS:
        _plugin(format)
    _srgb = _srgb or ImageCms.createProfile("sRGB")
    for plugin in ("MpoImagePlugin", "ImageFilter"):
        _import(plugin)
    Image.preinit()
    told.filterwarnings("ignore", module=r"PIL\.")  # about broken metadata, which is not what is shown
    Image.MAX_IMAGE_PIXELS = None  # what is too large is decided here, by memory
    if memory:
        with open("/proc/self/statm", "rb") as statm:
            _used = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _room = max(0, memory - _used)
    return any(_classes[format] is not None for format in _THREADED)


def do_without_threads() -> None:
    """What is decoded by threads is not decoded any more: libde265 waits for its own for ever."""
    for format in _THREADED:
        _classes[format] = None


def decodes(format: str) -> bool:
    """Whether there is a decoder for this format here."""
    return format in _PLUGINS and _plugin(format) is not None


def _import(name: str) -> Any:
    from importlib import import_module

    return import_module(name if "." in name else f"PIL.{name}")


def _plugin(format: str) -> Any:
    """The plugin's class; None where there is none (AVIF in Pillow before 11.3; HEIC without pi-heif)."""
    if format not in _classes:
        module, name, _, _ = _PLUGINS[format]
        try:
            loaded = _import(module)
        except ImportError:
            loaded = None
        if format == "avif" and loaded is not None:
            loaded.DEFAULT_MAX_THREADS = 1  # a worker may start no thread
            loaded = loaded if getattr(loaded, "SUPPORTED", False) else None
        if format in _THREADED and loaded is not None:
            # Tile after tile; the picture alone: a depth map and the smaller pictures beside it are not looked at.
            loaded.options.DECODE_THREADS = 0
            loaded.options.THUMBNAILS = loaded.options.DEPTH_IMAGES = loaded.options.AUX_IMAGES = False
        _classes[format] = getattr(loaded, name, None)
    return _classes[format]


def guess(head: bytes) -> str:
    """The format of a picture inside a file by its first bytes; "" for one that is not decoded here."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((format for magic, format in _MAGIC if head.startswith(magic)), "")


def draw(stream: Any, format: str, size: int, *, source: str, turn: int = 0) -> Preview:
    """The preview of the picture in `stream` (seekable), at most `size` pixels at its longer side. `turn`: its Exif
    orientation where the picture does not know it itself, 0: it does. Raises HandlerError."""
    picture = _open(stream, format)
    warnings: list[str] = []
    _check(picture, format, stream, size)
    profile = picture.info.get("icc_profile")
    try:
        _load(picture, size, warnings)
        small = _reduce(picture, size)
        small = _orient(small, picture, turn)
    except NotImplementedError as fault:
        raise HandlerError("unsupported", f"Pillow: {fault}"[:200]) from fault
    except MemoryError as fault:
        raise HandlerError("limit", "memory ran out while the picture was decoded") from fault
    except _LEAKS as fault:
        raise HandlerError("corrupt", f"{format}: {fault}"[:200]) from fault
    try:
        colors = _to_srgb(small, profile, warnings)
    except (*_LEAKS, ImageCms.PyCMSError) as fault:  # a mode that cannot be converted: LAB without a profile, say
        raise HandlerError("unsupported", f"{format}: {fault}"[:200]) from fault
    return _encode(colors, size, source, warnings)


def _open(stream: Any, format: str) -> Any:
    plugin = _plugin(format)
    if plugin is None:
        raise HandlerError("unsupported", f"{format}: no decoder for it is installed here")
    if _PLUGINS[format][3]:  # some plugins read all of the file before they tell its size
        _demand(2 * stream.seek(0, os.SEEK_END), f"it has {stream.tell()} bytes")
        stream.seek(0)
    try:
        return plugin(stream)
    except NotImplementedError as fault:
        raise HandlerError("unsupported", f"Pillow: {fault}"[:200]) from fault
    except MemoryError as fault:
        raise HandlerError("limit", "memory ran out while the header was read") from fault
    except _LEAKS as fault:
        raise HandlerError("corrupt", f"{format}: {fault}"[:200]) from fault


def _check(picture: Any, format: str, stream: Any, size: int) -> None:
    """Raises HandlerError `limit` when the picture takes more memory than there is."""
    width, height = picture.size
    if width <= 0 or height <= 0:
        raise HandlerError("corrupt", f"{format}: it declares {width} x {height} pixels")
    if width * height > _MOST_PIXELS or max(width, height) > _MOST_SIDE:
        raise HandlerError("limit", f"it declares {width} x {height} pixels: no preview is made of so many")
    needed = _FIXED + _reckon(picture, format, size)
    if _PLUGINS[format][3]:
        needed += 2 * stream.seek(0, os.SEEK_END)
        stream.seek(0)
    _demand(needed, f"it declares {width} x {height} pixels")


def _demand(needed: int, why: str) -> None:
    """Raises HandlerError `limit` when that many bytes are not there."""
    if needed > _room:
        text = f"{why}, which take {needed >> 20} MB to decode; there are {_room >> 20}"
        fault = HandlerError("limit", text)
        fault.memory = needed + _used
        raise fault


def _reckon(picture: Any, format: str, size: int) -> int:
    """Bytes that decoding and reducing will take."""
    width, height = map(int, picture.size)
    if format != "jpeg":
        pixel = _MODE_BYTES.get(picture.mode, 4) + _CONVERTED.get(picture.mode, 0) + _PLUGINS[format][2]
        return width * height * pixel
    bands: list[tuple[int, int, int, int]] = getattr(picture, "layer", None) or []
    kept = 0
    if picture.info.get("progressive") or picture.info.get("progression"):
        most_h = max((band[1] for band in bands), default=1) or 1
        most_v = max((band[2] for band in bands), default=1) or 1
        kept = sum(2 * width * height * band[1] * band[2] // (most_h * most_v) for band in bands) or 6 * width * height
    scale = _jpeg_scale(width, height, size)
    return kept + 4 * ((width + scale - 1) // scale) * ((height + scale - 1) // scale)


def _jpeg_scale(width: int, height: int, size: int) -> int:
    """By how much a JPEG is made smaller while it is decoded."""
    fraction = max(width, height) // _gap(size)
    return next((scale for scale in (8, 4, 2) if fraction >= scale), 1)


def _gap(size: int) -> int:
    """Pixels that reduced decoding leaves for the filter: twice the wanted ones, of large previews half as many more,
    where no difference is seen and decoding is most of the cost."""
    return 2 * size if size <= 320 else size * 3 // 2


def _load(picture: Any, size: int, warnings: list[str]) -> None:
    if isinstance(picture, JpegImagePlugin.JpegImageFile):
        picture.draft(None, _fit(picture.size, _gap(size)))
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        picture.load()
        return
    except OSError as fault:  # a photo that was cut off shows what is there
        if not isinstance(picture, JpegImagePlugin.JpegImageFile) or "truncated" not in str(fault):
            raise
        warnings.append(f"the picture is incomplete: {fault}"[:200])
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        picture.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _fit(given: tuple[int, int], size: int) -> tuple[int, int]:
    """Width and height of at most `size`, never larger than given."""
    width, height = given
    longer = max(width, height)
    if longer <= size:
        return given
    return max(1, round(width * size / longer)), max(1, round(height * size / longer))


def _reduce(picture: Any, size: int) -> Any:
    """The picture in its fitting size, in a mode that the rest knows: L RGB RGBA CMYK LAB."""
    mode = picture.mode
    if mode in ("P", "PA") or (mode in ("1", "L", "RGB") and "transparency" in picture.info):
        picture = picture.convert("RGBA" if "transparency" in picture.info or mode == "PA" else "RGB")
    elif mode == "1":
        picture = picture.convert("L")
    elif mode.startswith("I;16"):
        picture = picture.convert("I")
    elif mode in ("La", "RGBa"):
        picture = picture.convert(mode.upper())
    elif mode in ("RGBX", "YCbCr", "HSV"):
        picture = picture.convert("RGB")
    fitting = _fit(picture.size, size)
    if fitting != picture.size:
        picture = picture.resize(fitting, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if picture.mode in ("I", "F"):
        picture = _to_eight_bits(picture, mode)
    return picture.convert("RGBA") if picture.mode == "LA" else picture


def _to_eight_bits(picture: Any, mode: str) -> Any:
    """16-bit samples by their high bytes; what says no range (32-bit, floating point) between its extremes."""
    low, high = picture.getextrema()
    if mode != "F" and low >= 0 and high <= 65535 and (high > 255 or mode.startswith("I;16")):
        low, high = 0, 65535
    elif mode == "F" and low >= 0 and high <= 1:
        low, high = 0, 1
    scale = 255 / ((high - low) or 1)
    return picture.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _orient(small: Any, picture: Any, turn: int) -> Any:
    """Upright, by `turn` or by the picture's own EXIF. The plugin for TIFF turns by itself, and drops the tag."""
    if turn == 0:
        turn = picture.getexif().get(0x0112, 1)
    method = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(turn)  # fmt: skip
    return small if method is None else small.transpose(method)


def _to_srgb(small: Any, profile: Any, warnings: list[str]) -> Any:
    """By its ICC profile, where it has one of its own colour space; a profile that is broken is passed over."""
    alpha = small.getchannel("A") if small.mode == "RGBA" else None
    colors = small.convert("RGB") if alpha is not None else small
    space = _MODES_WITH_PROFILE.get(colors.mode)
    if isinstance(profile, bytes) and len(profile) >= 128 and space is not None:
        if profile[16:20].decode("latin-1") != space:
            warnings.append("the colour profile is for another colour space")
        else:
            try:
                given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
                colors = ImageCms.profileToProfile(colors, given, _profile(), outputMode="RGB")
            except (ImageCms.PyCMSError, OSError) as fault:
                warnings.append(f"the colour profile cannot be used: {fault}"[:200])
    if colors.mode == "LAB":
        colors = ImageCms.profileToProfile(colors, ImageCms.createProfile("LAB"), _profile(), outputMode="RGB")
    if colors.mode not in ("L", "RGB"):
        colors = colors.convert("RGB")
    if alpha is not None:
        colors = colors.convert("RGB")
        colors.putalpha(alpha)
    return colors


def _profile() -> Any:
    global _srgb
    if _srgb is None:
        _srgb = ImageCms.createProfile("sRGB")
    return _srgb


def _encode(small: Any, size: int, source: str, warnings: list[str]) -> Preview:
    if small.mode == "RGBA" and small.getchannel("A").getextrema()[0] == 255:
        small = small.convert("RGB")
    if isinstance(small, ImageFile.ImageFile):
        small = small.copy()  # one that knows no file: saving would ask the file system whether it is the same one
    small.info = {}  # no profile, comment, resolution or EXIF of the original goes along
    target = io.BytesIO()
    if small.mode == "RGBA":
        small.save(target, "PNG", compress_level=6)
        mime = "image/png"
    else:
        small.save(target, "JPEG", quality=QUALITY, optimize=True, progressive=size >= _PROGRESSIVE)
        mime = "image/jpeg"
    return Preview(target.getvalue(), mime, small.width, small.height, source, tuple(warnings))
