"""Values of another program, checked: what cannot be meant becomes a Problem and None, never an exception.

A value comes as SQLite, JSON or XML gave it: bytes, text, a number or None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from .model import Problem

STARS = 5.0
_LAST_SECOND = (1 << 63) // 10**9 - 1  # the last one whose nanoseconds fit 64 bits: year 2262
# ISO 8601, and as Go's SQLite drivers write it: a blank for the T, up to nine digits of fraction; offset, Z or nothing
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?)?\s*(?:(Z|UTC)|([+-])(\d\d):?(\d\d))?"
)
_ESCAPED = re.compile("[\udc80-\udcff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(raw: object) -> str:
    """For a person to read: bytes that are no UTF-8 become U+FFFD, NUL goes, None is ""."""
    if isinstance(raw, bytes):
        raw = raw.decode("utf-8", "replace")
    return "" if raw is None else str(raw).replace("\0", "")


def key(raw: object) -> str:
    """For an identity: two different byte strings never become one text. % and what is no UTF-8 become %XX."""
    if not isinstance(raw, bytes):
        return text(raw)
    said = raw.replace(b"%", b"%25").replace(b"\0", b"%00").decode("utf-8", "surrogateescape")
    return _ESCAPED.sub(lambda match: f"%{ord(match[0]) - 0xDC00:02X}", said)


def truth(raw: object) -> bool:
    return raw in (1, b"1", "1", b"true", "true", b"TRUE")


def moment_ns(raw: object) -> int | None:
    """Nanoseconds of a written date. No offset is UTC: so SQLite's current_timestamp means it.

    None for the zero dates that stand for "never" (year 0 and year 1); ValueError for what is no date."""
    said = text(raw).strip()
    match = _MOMENT.fullmatch(said)
    if match is None:
        raise ValueError(f"not a date: {said[:40]!r}")
    if int(match[1]) <= 1:
        return None
    zone: timezone = UTC
    if match[9]:
        minutes = int(match[10]) * 60 + int(match[11])
        zone = timezone(timedelta(minutes=-minutes if match[9] == "-" else minutes))
    year, month, day, hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3, 4, 5, 6))
    at = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + int((match[7] or "0").ljust(9, "0"))


class Values:
    """The checked values of one record; what was wrong with it gathers in `problems`."""

    __slots__ = ("source_id", "problems")

    def __init__(self, source_id: str) -> None:
        self.source_id = source_id
        self.problems: list[Problem] = []

    def problem(self, message: str) -> None:
        self.problems.append(Problem(self.source_id, message))

    def _checked(self, name: str, raw: object, low: float, high: float, of: Callable[[str], float]) -> float | None:
        if raw is None or raw in (b"", ""):
            return None
        try:
            number = of(text(raw))
        except (ValueError, OverflowError):
            number = math.nan
        if not low <= number <= high:  # also for NaN
            self.problem(f"{name} is {text(raw)[:40]!r}, not a number from {low:g} to {high:g}")
            return None
        return number

    def number(self, name: str, raw: object, low: float = 0.0, high: float = math.inf) -> float | None:
        return self._checked(name, raw, low, high, float)

    def count(self, name: str, raw: object) -> int | None:
        """A whole number of 0 or more; "3.0" is 3 (beets' mpdstats once counted in floats)."""
        number = self._checked(name, raw, 0, 2**53, float)
        return None if number is None else int(number)

    def stars(self, name: str, raw: object, scale: float) -> float | None:
        """0 to `scale` becomes 0 to 5 stars; 0 is "not rated", None."""
        number = self._checked(name, raw, 0, scale, float)
        return number * STARS / scale if number else None

    def unix_ns(self, name: str, raw: object) -> int | None:
        """Seconds since the epoch, whole or not; 0 is "never", None. A fraction counts to the microsecond: a double
        holds no more."""
        number = self._checked(name, raw, 0, _LAST_SECOND, float)
        return round(number * 1e6) * 1000 if number else None

    def date_ns(self, name: str, raw: object) -> int | None:
        """A written date, or seconds since the epoch where a driver stored a number."""
        if raw is None or raw in (b"", ""):
            return None
        if isinstance(raw, int | float):
            return self.unix_ns(name, raw)
        try:
            return moment_ns(raw)
        except (ValueError, OverflowError) as error:
            self.problem(f"{name}: {error}")
            return None
