"""Sizes, durations and dates as a person reads them."""

from __future__ import annotations

import time

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def say_size(size: int) -> str:
    """Bytes in decimal units (ISO 80000-13): 999 B, 4.2 MB, 18 GB."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in _UNITS:
        value /= 1000
        if value < 999.5 or unit == _UNITS[-1]:
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    raise AssertionError("unreachable: the last unit returns")


def say_duration(seconds: float) -> str:
    """Seconds as 3:45 or 1:02:03; below one second with its fraction: 0.25 s."""
    if 0 < seconds < 1:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def say_time(nanoseconds: int) -> str:
    """A moment as local wall clock, ISO 8601 with a space: 2024-05-01 12:30:00. Years that the C library cannot show
    stay seconds."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(nanoseconds // 1_000_000_000))
    except (OverflowError, ValueError, OSError):
        return f"{nanoseconds // 1_000_000_000} s since 1970"


def say_count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 file, 1,234 files."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
