"""Canon's maker note, and the same structures in CIFF (CRW) and CR3 files.

Sources: D. Burren's "EXIF MakerNote of Canon"; ExifTool's documentation of Canon tags (CameraSettings, ShotInfo,
FocalLength: arrays of 16-bit words).
"""

from __future__ import annotations

from typing import Any

from mediad_handlers.image.converters import text
from mediad_handlers.image.makernotes.lenses import choose_lens, find_names
from mediad_handlers.kit.api import Record
from mediad_handlers.readers.tiff import Entries

WANTED = frozenset((0x0001, 0x0002, 0x0004, 0x0007, 0x0009, 0x000C, 0x0028, 0x0095))
MAX_WORDS = 64  # of one array: what is read stands in the first 27
_CAMERA_ISO = {16: 50, 17: 100, 18: 200, 19: 400, 20: 800}
_NO_LENS = frozenset((-1, 0, 65535))


def map_canon(record: Record, entries: Entries, model: str) -> str | None:
    """Sets what the note holds; gives the lens as "18.0 - 55.0 mm" where no better name is known."""
    settings = words(entries.get(0x0001))
    record.put("lens_model", text(entries.get(0x0095)), "Canon:LensModel")
    record.put("camera_owner", text(entries.get(0x0009)), "Canon:OwnerName")
    serial = entries.get(0x000C)
    if isinstance(serial, int) and serial:
        record.put("camera_serial", write_serial(serial, model), "Canon:SerialNumber")
    unique = entries.get(0x0028)
    if isinstance(unique, bytes) and len(unique) == 16 and unique.strip(b"\0"):
        record.put("image_unique_id", unique.hex(), "Canon:ImageUniqueID")
    firmware = text(entries.get(0x0007))
    if firmware:
        record.tag("Canon:0x0007", [firmware])
    map_shot(record, settings, words(entries.get(0x0004)))
    map_focal_length(record, settings, words(entries.get(0x0002)))
    return name_lens(record, settings)


def words(value: Any) -> list[int]:
    """An array of signed 16-bit words, however the entry was typed; the first MAX_WORDS of them."""
    if isinstance(value, list) and value and type(value[0]) is int:  # the elements of an entry are of one type
        return [word - 0x10000 if word > 0x7FFF else word for word in value[:MAX_WORDS]]
    return []


def write_serial(serial: int, model: str) -> str:
    """The number as the camera's label has it: "%04x%05d" for the D30, six digits for the EOS-1D, else ten."""
    if model.endswith("D30"):
        return f"{serial >> 16:04x}{serial & 0xFFFF:05d}"
    return f"{serial:06d}" if "EOS-1D" in model else f"{serial:010d}"


def stops(word: int) -> float:
    """Canon's exposure units: 32 to a stop, thirds written as 12 and 20."""
    size = abs(word)
    part = {0x0C: 32 / 3, 0x14: 64 / 3}.get(size & 0x1F, size & 0x1F)
    found = ((size & ~0x1F) + part) / 32
    return -found if word < 0 else found


def map_shot(record: Record, settings: list[int], shot: list[int]) -> None:
    """Sensitivity, exposure, aperture and white balance where EXIF has none (ShotInfo words 1, 2, 7, 21, 22)."""
    if "iso" not in record.fields:
        record.put("iso", _sensitivity(settings, shot), "Canon:BaseISO")
    if len(shot) > 22:
        if shot[21] > 0 and "f_number" not in record.fields:
            record.put("f_number", round(2.0 ** (stops(shot[21]) / 2), 2), "Canon:FNumber")
        if shot[22] and abs(shot[22]) < 0x400 and "exposure_time" not in record.fields:
            record.put("exposure_time", 2.0 ** -stops(shot[22]), "Canon:ExposureTime")
    if len(shot) > 7 and 0 <= shot[7] < 24:
        record.put("white_balance", "manual" if shot[7] else "auto", "Canon:WhiteBalance")


def _sensitivity(settings: list[int], shot: list[int]) -> int | None:
    """CameraISO where it is a number, else the base sensitivity times what the automatic made of it."""
    chosen = settings[16] if len(settings) > 16 else 0
    if chosen & 0x4000 and chosen != 0x7FFF and chosen > 0:
        return chosen & 0x3FFF or None
    if chosen in _CAMERA_ISO:
        return _CAMERA_ISO[chosen]
    if len(shot) < 3 or not 0 < shot[2] < 0x400 or abs(shot[1]) >= 0x400:
        return None
    return round(2.0 ** (shot[2] / 32) * 100 / 32 * 2.0 ** (shot[1] / 32)) or None


def map_focal_length(record: Record, settings: list[int], focal: list[int]) -> None:
    """FocalLength word 1, in FocalUnits of CameraSettings word 25 to a millimetre."""
    units = settings[25] if len(settings) > 25 and settings[25] > 0 else 1
    if len(focal) > 1 and focal[1] > 0:
        record.put("focal_length", focal[1] / units, "Canon:FocalLength")


def name_lens(record: Record, settings: list[int]) -> str | None:
    """Sets lens_model when the identifier names one lens; else gives the span of its focal lengths."""
    if len(settings) < 27 or settings[23] <= 0 or settings[24] <= 0:
        return None
    units = settings[25] if settings[25] > 0 else 1
    long, short = settings[23] / units, settings[24] / units
    span = f"{short:.1f} - {long:.1f} mm" if short != long else f"{short:.1f} mm"
    if short > long or "lens_model" in record.fields:
        return span
    if settings[22] not in _NO_LENS:
        aperture = 2.0 ** (stops(settings[26]) / 2) if 0 < settings[26] < 0x200 else None
        names = find_names("canon", str(settings[22] & 0xFFFF))
        fixed = choose_lens(names, aperture=aperture, reach=(short, long))
        record.put("lens_model", fixed, "Canon:LensType")
    return span
