"""The meta of an item from its fields: EXIF values as `exiftool -j` prints them, which is what the reference stores.

Sources: EXIF 2.32 tables 4 to 15 (tag numbers), ExifTool's own output for the print forms: compared with it in
tests/unit/test_structure_exif.py. A value that looks like a number is a JSON number, as ExifTool writes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from mediad.moves.structure.gojson import Json
from mediad.moves.structure.meta import Content, ExifValue, Meta
from mediad.moves.structure.moment import Moment, parse_moment

_NUMBER = re.compile(r"(?i)-?(?:\d|[1-9]\d{1,14})(?:\.\d{1,16})?(?:e[-+]?\d{1,3})?")
_MOST = 1e9  # no camera says more of anything; degrees and metres beyond it have no form
_ORIENTATIONS = (
    "Horizontal (normal)", "Mirror horizontal", "Rotate 180", "Mirror vertical",
    "Mirror horizontal and rotate 270 CW", "Rotate 90 CW", "Mirror horizontal and rotate 90 CW", "Rotate 270 CW",
)  # fmt: skip


def meta_from_fields(
    data_type: str, size: int, fields: Mapping[str, Any], side_file: Mapping[str, Any] | None = None
) -> Meta:
    """The meta document of a file of that type (layout.type_of) and size in bytes; `fields` are its own, `side_file`
    those of its side file. A time without a zone counts as UTC, as the reference reads it."""
    return Meta(data_type, size, content_from_fields(fields), content_from_fields(side_file or {}))


def content_from_fields(fields: Mapping[str, Any]) -> Content:
    """What one set of fields says in the terms of a meta document."""
    width, height = fields.get("width"), fields.get("height")
    has_size = isinstance(width, int) and isinstance(height, int)
    exif: dict[str, ExifValue] = {}
    for field, (name, number, show) in _TAGS.items():
        value = fields.get(field)
        if value is None or value in ("", []) or (isinstance(value, float) and not abs(value) < _MOST):
            continue
        said = show(value)
        if said:
            exif[name] = ExifValue(number, _json(said))
    return Content(
        created=_created(fields),
        width=width if has_size and isinstance(width, int) else 0,
        height=height if has_size and isinstance(height, int) else 0,
        exif=exif,
    )


def _created(fields: Mapping[str, Any]) -> Moment | None:
    """When it was taken or made, by the wall clock, with its offset where one is known."""
    offset = fields.get("utc_offset")
    minutes = offset if isinstance(offset, int) and abs(offset) < 1440 else 0
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}" if minutes else "Z"
    for name in ("date_taken", "date_created_at"):
        local, instant = fields.get(f"{name}_local"), fields.get(name)
        if isinstance(local, str) and len(local) >= 19:
            try:
                return parse_moment(local.replace(" ", "T") + zone)
            except ValueError:  # such as 0000-00-00: no date at all
                continue
        if isinstance(instant, int | float):
            seconds = int(instant // 1)
            return Moment(seconds * 1_000_000_000 + round((instant - seconds) * 1e6) * 1000, minutes)
    return None


def _json(text: str) -> Json:
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _text(value: Any) -> str:
    """Several values in one EXIF text are parted by a semicolon (EXIF 2.32, Artist)."""
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _date(value: Any) -> str:
    """`2001-02-03T04:05:06.7` as EXIF writes it; decimals are tags of their own there."""
    text = str(value)
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        return ""
    return f"{text[:10].replace('-', ':')} {text[11:19]}" if len(text) >= 19 else ""


def _exposure_time(value: Any) -> str:
    seconds = float(value)
    if 1e-12 < seconds < 0.25001:  # no shutter is faster, and the fraction has an end
        return f"1/{int(0.5 + 1 / seconds)}"
    return f"{seconds:.1f}".removesuffix(".0")


def _f_number(value: Any) -> str:
    number = float(value)
    return f"{number:.1f}" if number >= 1 else f"{number:.2f}" if number > 0 else ""


def _exposure_bias(value: Any) -> str:
    """Whole steps, halves and thirds as fractions with their sign; else three figures."""
    number = float(value) * 1.00001  # so that 0.33333 is a third
    if number == 0:
        return "0"
    if abs(number) > 1e6:  # no camera's, and three times it may be infinite
        return f"{number:+.3g}"
    for parts in (1, 2, 3):
        if abs(int(number * parts) / (number * parts)) > 0.999:
            return f"{int(number * parts):+d}" + (f"/{parts}" if parts > 1 else "")
    return f"{number:+.3g}"


def _orientation(value: Any) -> str:
    return _ORIENTATIONS[value - 1] if isinstance(value, int) and 1 <= value <= 8 else ""


def _degrees(value: Any, letters: str) -> str:
    seconds = round(abs(float(value)) * 3600, 2)
    whole = timedelta(seconds=seconds)
    minutes, rest = divmod(whole.total_seconds(), 60)
    return f"{int(minutes // 60)} deg {int(minutes % 60)}' {rest:.2f}\" {letters[float(value) < 0]}"


def _altitude(value: Any) -> str:
    number = int(abs(float(value)) * 10) / 10
    return f"{number:.15g} m {'Below' if float(value) < 0 else 'Above'} Sea Level"


_TAGS: dict[str, tuple[str, str, Callable[[Any], str]]] = {
    "description": ("ImageDescription", "0x010e", _text),
    "camera_make": ("Make", "0x010f", _text),
    "camera_model": ("Model", "0x0110", _text),
    "orientation": ("Orientation", "0x0112", _orientation),
    "software": ("Software", "0x0131", _text),
    "creators": ("Artist", "0x013b", _text),
    "copyright": ("Copyright", "0x8298", _text),
    "exposure_time": ("ExposureTime", "0x829a", _exposure_time),
    "f_number": ("FNumber", "0x829d", _f_number),
    "iso": ("ISO", "0x8827", _text),
    "date_taken_local": ("DateTimeOriginal", "0x9003", _date),
    "date_digitized_local": ("CreateDate", "0x9004", _date),
    "exposure_bias": ("ExposureCompensation", "0x9204", _exposure_bias),
    "focal_length": ("FocalLength", "0x920a", lambda value: f"{float(value):.1f} mm"),
    "focal_length_35mm": ("FocalLengthIn35mmFormat", "0xa405", lambda value: f"{float(value):.0f} mm"),
    "lens_make": ("LensMake", "0xa433", _text),
    "lens_model": ("LensModel", "0xa434", _text),
    "latitude": ("GPSLatitude", "0x0002", lambda value: _degrees(value, "NS")),
    "longitude": ("GPSLongitude", "0x0004", lambda value: _degrees(value, "EW")),
    "altitude": ("GPSAltitude", "0x0006", _altitude),
}
