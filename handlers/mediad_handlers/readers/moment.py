"""Dates as media files write them: EXIF "2009:10:11 12:13:14", XMP and QuickTime ISO 8601, IPTC and FLV forms.

Sources: Exif 3.0 section 4.6.5 (blanks or zeros for unknown parts); ISO 8601 profile of XMP part 1 section 8.2.1.1.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from mediad_handlers.kit.api import Record

_PATTERN = re.compile(
    r"\s*(\d{4})(?:[:\-/. ]?(\d\d)(?:[:\-/. ]?(\d\d)(?:[T ]+(\d\d)[:.]?(\d\d)(?:[:.]?(\d\d)(?:[.,](\d{1,9}))?)?)?)?)?"
    r"\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_OFFSET = re.compile(r"\s*([+-])(\d\d):?(\d\d)?", re.ASCII)
_EPOCH = date(1970, 1, 1).toordinal()
FIRST_YEAR = 1800  # nothing was photographed before; counters start at 0000


class Moment(NamedTuple):
    """`local` is naive ISO 8601 as precise as written; `unix` is seconds UTC as if `local` were UTC; `offset` is
    minutes east of UTC, None when the zone is not known."""

    local: str
    precision: str  # year month day minute second subsec
    unix: float
    offset: int | None


def parse_offset(text: str) -> int | None:
    """Minutes east of UTC from "+02:00", "Z"; None for anything else or beyond 15 hours."""
    if text.strip() in ("Z", "UTC"):
        return 0
    match = _OFFSET.match(text)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return None if minutes > 15 * 60 else -minutes if match[1] == "-" else minutes


def parse_moment(text: object, fraction: str = "", offset: str = "") -> Moment | None:
    """A date and time, or None when the text holds none (blanks, zeros, an impossible day, before FIRST_YEAR).

    `fraction` is the sub-second digits and `offset` the zone where the format keeps them apart (EXIF)."""
    return _parse(text, fraction, offset) if isinstance(text, str) and len(text) < 100 else None


@lru_cache(maxsize=64)  # the dates of one file are often one date
def _parse(text: str, fraction: str, offset: str) -> Moment | None:
    match = _PATTERN.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, subsec, zone = match.groups()
    if int(year) < FIRST_YEAR:
        return None
    whole_month, whole_day = month is not None and month != "00", day is not None and day != "00"
    try:
        ordinal = date(
            int(year), int(month) if whole_month else 1, int(day) if whole_month and whole_day else 1
        ).toordinal()
    except ValueError:
        return None
    unix = (ordinal - _EPOCH) * 86400
    if not whole_month:
        return Moment(year, "year", unix, None)
    if not whole_day:
        return Moment(f"{year}-{month}", "month", unix, None)
    if hour is None or int(hour) > 23 or int(minute) > 59:
        return Moment(f"{year}-{month}-{day}", "day", unix, None)
    minutes = parse_offset(zone or offset) if zone or offset else None
    unix += int(hour) * 3600 + int(minute) * 60
    if second is None or int(second) > 60:
        return Moment(f"{year}-{month}-{day}T{hour}:{minute}", "minute", unix, minutes)
    unix += int(second)
    local = f"{year}-{month}-{day}T{hour}:{minute}:{second}"
    subsec = subsec or fraction.strip()[:9]
    if subsec.isascii() and subsec.isdigit():
        return Moment(f"{local}.{subsec}", "subsec", unix + int(subsec) / 10 ** len(subsec), minutes)
    return Moment(local, "second", unix, minutes)


def put_moment(record: Record, name: str, moment: Moment | None, source: str) -> None:
    """Sets `name`_local and `name`_precision, and `name` (unix seconds UTC) when the zone is known. The record's
    `utc_offset` is that of date_taken. The first moment that a name gets stays."""
    local = name + "_local"
    if moment is None or local in record.fields:
        return
    record.put(local, moment.local, source)
    record.put(name + "_precision", moment.precision, source)
    if moment.offset is not None:
        record.put(name, float(moment.unix - moment.offset * 60), source)
        if name == "date_taken":
            record.put("utc_offset", moment.offset, source)
