"""From one native value to one field's value: each function gives None for a value that says nothing.

Sources: Exif 3.0 section 4.6 (APEX units, UserComment's character code, LensSpecification); Microsoft's XP tags are
UTF-16LE; MWG 2.0 section 5 (ratings).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

# What cameras write when nobody wrote anything (the list that gThumb keeps, and what the corpus shows).
_FILLER = frozenset((
    "olympus digital camera", "sony dsc", "minolta digital camera", "konica minolta digital camera",
    "digital still camera", "digital image", "kodak cameras", "sanyo digital camera", "samsung",
    "exif_jpeg_t422", "exif_jpeg_420", "binary comment", "default", "user comments", "dcf",
))  # fmt: skip


def text(value: Any) -> str | None:
    """Text without outer blanks."""
    if isinstance(value, bytes):
        return blob_text(value)
    return value.strip() or None if isinstance(value, str) else None


def clean_comment(value: Any) -> str | None:
    """Text that a person wrote: a camera's filler is dropped."""
    found = text(value)
    return None if found is None or found.lower() in _FILLER else found


def latin_list(value: Any) -> list[str] | None:
    found = text(value)
    return [found] if found else None


def utf16(value: Any) -> str | None:
    """An XP tag: UTF-16LE up to the first NUL."""
    if isinstance(value, list) and all(isinstance(part, int) and 0 <= part < 256 for part in value):
        value = bytes(value)
    if not isinstance(value, bytes):
        return text(value)
    return value[: len(value) & ~1].decode("utf-16-le", "replace").partition("\0")[0].strip() or None


def utf16_list(value: Any) -> list[str] | None:
    """An XP list: values between semicolons."""
    found = utf16(value)
    return [part.strip() for part in found.split(";") if part.strip()] if found else None


def blob_text(value: Any) -> str | None:
    """UserComment: eight bytes of character code, then text. Undefined code: UTF-8, else Latin-1."""
    if isinstance(value, str):
        return clean_comment(value)
    if not isinstance(value, bytes):
        return None
    code, body = value[:8], value[8:]
    if code == b"UNICODE\0":
        found = _unicode_comment(body)
    elif code == b"JIS\0\0\0\0\0":
        found = body.decode("iso2022_jp", "replace")
    elif code in (b"ASCII\0\0\0", b"\0" * 8, b"        "):
        found = _ascii(body)
    else:
        found = _ascii(value)
    found = found.partition("\0")[0].strip() if found.strip("\0 ") else ""
    return clean_comment(found) if found.isprintable() or "\n" in found else None


def _unicode_comment(body: bytes) -> str:
    """UTF-16 in the byte order that gives fewer characters beyond the Latin rows: the specification leaves it open."""
    body = body[: len(body) & ~1]
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    little = body[1::2].count(0) >= body[::2].count(0)
    return body.decode("utf-16-le" if little else "utf-16-be", "replace")


def _ascii(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def version_text(value: bytes) -> str | None:
    """A short UNDEFINED value: printable ASCII as text, at most 32 other bytes as hexadecimal digits."""
    stripped = value.rstrip(b"\0 ")
    if stripped and len(stripped) <= 1024 and stripped.isascii() and stripped.decode("ascii").isprintable():
        return stripped.decode("ascii")
    return value.hex() if stripped and len(value) <= 32 else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def finite(value: Any) -> float | None:
    found = _number(value)
    return None if found is None else float(found)


def positive(value: Any) -> float | None:
    """A quantity for which 0 means unknown; 0xFFFFFFFF (as a whole number) means infinity, which no field holds."""
    if type(value) is not float:
        value = _number(value)
    return float(value) if value is not None and 0 < value < 4294967295 else None


def integer(value: Any) -> int | None:
    """A positive whole number; the first one of a list. 65535 stands for "more than fits"."""
    if type(value) is int:
        return value if 0 < value < 2**31 and value != 65535 else None
    if isinstance(value, list):
        value = next((part for part in value if part), None)
    found = _number(value)
    return int(found) if found is not None and 0 < found < 2**31 and found != 65535 else None


def rating(value: Any) -> float | None:
    """Stars; 0 means none were given. Values over 5 (percentages) are none of this scale."""
    found = _number(value)
    return float(found) if found is not None and 0 < found <= 5 else None


def percent_rating(value: Any) -> float | None:
    """Stars from Microsoft's percentage: 1, 25, 50, 75, 99."""
    found = _number(value)
    if found is None or not 0 < found <= 100:
        return None
    return float(1 + (found >= 13) + (found >= 38) + (found >= 63) + (found >= 88))


def bias(value: Any) -> float | None:
    """Exposure compensation in EV; what is beyond +-99 is a filler."""
    found = _number(value)
    return float(found) if found is not None and -99 < found < 99 else None


def shutter(value: Any) -> float | None:
    """Seconds from an APEX time value."""
    found = _number(value)
    return 2.0**-found if found is not None and -20 < found < 20 else None


def aperture(value: Any) -> float | None:
    """The f-number of an APEX aperture value, to 0.01."""
    found = _number(value)
    return round(2.0 ** (found / 2), 2) if found is not None and 0 < found < 20 else None


def enumeration(names: dict[int, str]) -> Callable[[Any], str | None]:
    """A function from a number to its name; None for a number without one."""

    def name_of(value: Any) -> str | None:
        if type(value) is int:
            return names.get(value)
        found = _number(value)
        return None if found is None else names.get(int(found))

    return name_of


def flash_mode(value: int) -> str | None:
    """Exif Flash bits 3-4 and 6: "on" "off" "auto", with "red_eye" behind it."""
    mode = ("", "on", "off", "auto")[value >> 3 & 3]
    if value & 0x40:
        return f"{mode} red_eye".strip()
    return mode or None


def unique_id(value: Any) -> str | None:
    """ImageUniqueID: hexadecimal digits, not all zero."""
    found = text(value)
    if not found or not found.strip("0") or not all(digit in "0123456789abcdefABCDEF" for digit in found):
        return None
    return found.lower()


def lens_spec(value: Any) -> str | None:
    """LensSpecification as "24-70mm f/2.8-4"; None when nothing is known."""
    if not isinstance(value, list) or len(value) != 4 or not value[0]:
        return None
    short, long, wide, tele = (part if isinstance(part, int | float) else 0 for part in value)
    spec = f"{short:g}mm" if long in (0, short) else f"{short:g}-{long:g}mm"
    if wide:
        spec += f" f/{wide:g}" if tele in (0, wide) else f" f/{wide:g}-{tele:g}"
    return spec


def names(value: Any) -> list[str] | None:
    """Several creators in one text, as the Metadata Working Group 2.0 (section 5.3, Creator) has them in EXIF: parted
    by semicolons, one with a semicolon of its own in quotation marks."""
    found = latin_list(value)
    if not found or ";" not in found[0]:
        return found
    parts = re.findall(r'\s*"([^"]*)"\s*(?:;|$)|\s*([^;]+?)\s*(?:;|$)', found[0])
    return [quoted or plain for quoted, plain in parts if quoted or plain]
