"""Times of an archive: RFC 3339, to the nanosecond, with the offset they were written in.

Python's datetime ends at microseconds and at year 1; Go's time.Time, which the reference writes, at neither.
Source: RFC 3339 section 5.6; pkg.go.dev/time, `Time.MarshalJSON`, `RFC3339Nano`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:(Z)|([+-])(\d\d):(\d\d))", re.ASCII)
_NS = 1_000_000_000
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, `ns` nanoseconds since 1970-01-01T00:00:00Z, and the `offset` in minutes of the clock it was read
    from. Go's zero time, 0001-01-01T00:00:00Z, is an absent time: the reference leaves it out."""

    ns: int
    offset: int = 0

    @property
    def is_zero(self) -> bool:
        """Absent, as Go sees it."""
        return self.ns == _ZERO_NS

    def date(self) -> str:
        """YYYY-MM-DD by its own clock."""
        return self.text()[:10]

    def text(self) -> str:
        """RFC 3339 with as many decimals as it needs, and Z where the offset is 0.

        Raises ValueError for a year before 0 or after 9999, which RFC 3339 has not."""
        local, ns = divmod(self.ns + self.offset * 60 * _NS, _NS)
        days, second = divmod(local, 86400)
        year, month, day = _civil(days)
        if not 0 <= year <= 9999:
            raise ValueError(f"RFC 3339 has no year {year}")
        fraction = f".{ns:09d}".rstrip("0") if ns else ""
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        sign, minutes = "-" if self.offset < 0 else "+", abs(self.offset)
        zone = f"{sign}{minutes // 60:02d}:{minutes % 60:02d}" if minutes else "Z"
        return f"{year:04d}-{month:02d}-{day:02d}T{clock}{fraction}{zone}"


def parse_moment(text: str) -> Moment:
    """Reads RFC 3339 as Go's time.UnmarshalJSON does; decimals beyond the ninth are dropped.

    Raises ValueError saying what is wrong: another form, or a date or a clock time that there is not. A second 60 is
    refused, for Go knows no leap seconds."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("a time as 2006-01-02T15:04:05Z or with an offset was expected (RFC 3339)")
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1] + (leap and month == 2):
        raise ValueError(f"there is no day {text[:10]}")
    offset = 0 if match[8] else int(match[10]) * 60 + int(match[11])
    if hour > 23 or minute > 59 or second > 59 or (not match[8] and (int(match[10]) > 23 or int(match[11]) > 59)):
        raise ValueError(f"there is no clock time {text[11:]}")
    if match[9] == "-":
        offset = -offset
    seconds = _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset * 60
    return Moment(seconds * _NS + int(((match[7] or "") + "0" * 9)[:9]), offset)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar (ISO 8601), the year counted from March."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _civil(days: int) -> tuple[int, int, int]:
    """The reverse of `_days`."""
    era, of_era = divmod(days + 719468, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


_ZERO_NS = _days(1, 1, 1) * 86400 * _NS
ZERO = Moment(_ZERO_NS)
