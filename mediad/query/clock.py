"""Dates of a question as bounds: of wall clock text, and of instants. Pure but for the time zone of the process."""

from __future__ import annotations

from datetime import datetime, timedelta

from mediad.query.tree import Ago, Date, Moment, When

_FORMATS = {4: "%Y", 7: "%Y-%m", 10: "%Y-%m-%d", 13: "%Y-%m-%dT%H", 16: "%Y-%m-%dT%H:%M", 19: "%Y-%m-%dT%H:%M:%S"}
# A day from the ends of the calendar: what follows a period, and its instant in any zone, must be in it too.
_FIRST, _LAST = datetime(1, 1, 2), datetime(9999, 12, 30)


def back(ago: Ago, now: datetime) -> datetime:
    """So long before `now`; a month or year back on a day that is not there is its last day."""
    if ago.unit in ("h", "d", "w"):
        hours = {"h": 1, "d": 24, "w": 168}[ago.unit] * ago.count
        return max(now - timedelta(hours=hours), _FIRST) if hours < 10**7 else _FIRST
    months = now.year * 12 + now.month - 1 - ago.count * (12 if ago.unit == "y" else 1)
    year, month = divmod(months, 12)
    if year < 1:
        return _FIRST
    for day in range(now.day, 27, -1):
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return now.replace(year=year, month=month + 1)


def wall(when: When, now: datetime) -> str:
    """As text that begins every time within it."""
    if isinstance(when, Ago):
        return back(when, now).strftime(_FORMATS[10 if when.day else 19]).rjust(4, "0")
    return when


def wall_bounds(node: Date, now: datetime) -> tuple[str | None, str | None]:
    """(low, high) as text; what `above` and `below` mean is the caller's."""
    low = wall(node.low, now) if node.low is not None else None
    return low, wall(node.high, now) if node.high is not None else None


def period(when: When, now: datetime) -> tuple[datetime, datetime]:
    """Where it begins and where it ends (not included)."""
    if isinstance(when, Ago) and not when.day:
        start = back(when, now)
        return start, start + timedelta(microseconds=1)
    text = wall(when, now)
    if len(text) == 19 and text.endswith(":60"):  # a leap second is its minute's end
        text = text[:17] + "59"
    start = min(max(datetime.strptime(text, _FORMATS[len(text)]), _FIRST), _LAST)
    if len(text) == 4:
        end = _LAST if start.year == 9999 else start.replace(year=start.year + 1, month=1, day=1)
    elif len(text) == 7:
        end = (
            _LAST
            if (start.year, start.month) == (9999, 12)
            else (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        )
    else:
        end = (
            start
            + {10: timedelta(days=1), 13: timedelta(hours=1), 16: timedelta(minutes=1), 19: timedelta(seconds=1)}[
                len(text)
            ]
        )
    return start, end


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * 10**9 + at.microsecond * 1000


def instants(node: Date | Moment, now: datetime) -> tuple[int | None, int | None]:
    """(from, until): nanoseconds since the Unix epoch, the first included, the second not."""
    low = high = None
    if node.low is not None:
        start, end = period(node.low, now)
        low = _ns(end if node.above else start)
    if node.high is not None:
        start, end = period(node.high, now)
        high = _ns(start if node.below else end)
    return low, high
