"""What every document reader needs: lists out of one text, dates, whole numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediad_handlers.readers.moment import parse_moment, put_moment

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Record

_INTEGER = re.compile(r"\s*(\d{1,18})\s*", re.ASCII)


def split_keywords(text: str) -> list[str]:
    """One text of keywords as a list: parted by commas or semicolons, without blanks at the ends."""
    return [one.strip() for one in re.split(r"[,;]", text) if one.strip()]


def split_names(text: str) -> list[str]:
    """Several authors in one text, as Office writes them: parted by semicolons."""
    return [one.strip() for one in text.split(";") if one.strip()]


def integer(text: str) -> int | None:
    """A whole number that is not negative; None for anything else."""
    found = _INTEGER.fullmatch(text)
    return int(found[1]) if found else None


def put_integer(record: Record, name: str, text: str, source: str) -> None:
    """Sets a count; 0 and nonsense are absent."""
    value = integer(text)
    if value:
        record.put(name, value, source)


def put_date(record: Record, name: str, text: str, source: str) -> None:
    """Sets `name`, `name`_local and `name`_precision from an ISO 8601 text."""
    put_moment(record, name, parse_moment(text.strip()), source)
