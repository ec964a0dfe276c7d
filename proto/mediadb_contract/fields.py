"""The field dictionary: every named metadata field with its number, type, unit and rank, and the check of its values.

The data is fields.json beside this module (Node reads the same file). Numbers are never reused; a new field is
appended. `check_fields` runs in the daemon for every record, so each name is bound once to one function of its type.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date as calendar_date
from math import isfinite
from typing import Any

TEXT_BYTES = 64 * 1024  # of one text value in UTF-8 (handlers/README.md, Limits)
LIST_ITEMS = 4096  # of one plural value: more is a broken file, not a credit list
INT64 = 1 << 63


@dataclass(frozen=True, slots=True)
class Field:
    """One row of fields.json. `type` is text, integer, number, boolean, date (YYYY[-MM[-DD]]), time (unix seconds),
    datetime (naive ISO 8601, as written), uuid, hex, url or record (a flat map of scalars). `plural`: always a list.
    `core`: has its own typed column. `search`: its values go into the searchable value dictionary."""

    number: int
    name: str
    type: str
    plural: bool
    unit: str
    core: bool
    search: bool
    kinds: tuple[str, ...]
    doc: str


class _Dictionary(Mapping[str, Field]):
    """fields.json, read at the first look-up, so that importing this module costs nothing."""

    def __init__(self) -> None:
        self._rows: dict[str, Field] = {}

    def _load(self) -> dict[str, Field]:
        if not self._rows:
            path = os.path.join(os.path.dirname(__file__), "fields.json")
            with open(path, encoding="utf-8") as source:
                rows = json.load(source)
            self._rows = {row["name"]: Field(**{**row, "kinds": tuple(row["kinds"])}) for row in rows}
        return self._rows

    def __getitem__(self, name: str) -> Field:
        return self._load()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())


FIELDS: Mapping[str, Field] = _Dictionary()


def check(name: str, value: Any) -> Any:
    """The value as it may be stored, or None when it is empty (the key is then absent).

    Text loses NUL and becomes NFC; a UUID and a hex number become lower case. Raises ValueError, whose text says what
    is wrong: an unknown name, a wrong type, a list where the name is singular or the reverse, NaN or infinity, an
    integer beyond int64, a text longer than TEXT_BYTES."""
    checks = _CHECKS or _bind()
    try:
        function = checks[name]
    except KeyError:
        raise ValueError("is not in the field dictionary") from None
    return function(value)


def check_fields(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """All fields of one record: what may be stored, and one line for each value that was dropped as wrong."""
    checks = _CHECKS or _bind()
    clean: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in fields.items():
        try:
            kept = checks[name](value)
        except ValueError as fault:
            problems.append(f"{name}: {fault}")
        except KeyError:
            problems.append(f"{name}: is not in the field dictionary")
        else:
            if kept is not None:
                clean[name] = kept
    return clean, problems


def clean_text(value: str) -> str | None:
    """`value` without NUL, in NFC; None when nothing is left. Raises ValueError: not UTF-8, or too long."""
    if "\0" in value:
        value = value.replace("\0", "")
    if value.isascii():
        size = len(value)
    else:
        value = unicodedata.normalize("NFC", value)
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise ValueError("is not valid Unicode (a lone surrogate)") from None
    if size > TEXT_BYTES:
        raise ValueError(f"is {size} bytes long; {TEXT_BYTES} is the most")
    return None if not value or value.isspace() else value


def _text(value: Any) -> str | None:
    if type(value) is not str:
        raise ValueError(f"is {type(value).__name__}, not text")
    if value.isascii() and 0 < len(value) <= TEXT_BYTES and "\0" not in value and not value.isspace():
        return value
    return clean_text(value)


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"is {type(value).__name__}, not an integer")
    if not -INT64 <= value < INT64:
        raise ValueError("does not fit 64 bits")
    return value


def _number(value: Any) -> float:
    if type(value) is int and -INT64 <= value < INT64:
        return float(value)
    if type(value) is not float:
        raise ValueError(f"is {type(value).__name__}, not a number" if type(value) is not int else "is too large")
    if not isfinite(value):
        raise ValueError("is not a finite number")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(f"is {type(value).__name__}, not a boolean")
    return value


_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d{1,9})?)?", re.ASCII)


def _date(value: Any) -> str | None:
    text = _text(value)
    if text is None:
        return None
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"is {text[:40]!r}, not YYYY[-MM[-DD]]")
    year, month, day = match.groups()
    try:
        calendar_date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise ValueError(f"is {text!r}, no date of the calendar") from None
    return text


def _datetime(value: Any) -> str | None:
    """YYYY[-MM[-DD[Thh:mm[:ss[.fraction]]]]]: as precise as it was written."""
    text = _text(value)
    if text is None:
        return None
    day, separator, clock = text.partition("T")
    _date(day)
    if separator and (len(day) != 10 or not _CLOCK.fullmatch(clock)):
        raise ValueError(f"is {text[:40]!r}, not YYYY-MM-DDThh:mm[:ss[.fraction]]")
    return text


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)


def _uuid(value: Any) -> str | None:
    text = _text(value)
    if text is None:
        return None
    text = text.strip().lower()
    if not _UUID.fullmatch(text):
        raise ValueError(f"is {text[:40]!r}, not a UUID (RFC 9562)")
    return text


def _hex(value: Any) -> str | None:
    text = _text(value)
    if text is None:
        return None
    text = text.lower()
    if not _HEX.fullmatch(text):
        raise ValueError(f"is {text[:40]!r}, not hexadecimal")
    return text


def _url(value: Any) -> str | None:
    text = _text(value)
    if text is None:
        return None
    text = text.strip()
    if any(character <= " " for character in text):
        raise ValueError(f"is {text[:40]!r}, which no URL is (white space)")
    return text


def _record(value: Any) -> dict[str, Any] | None:
    """A flat map: text keys, scalar values."""
    if type(value) is not dict:
        raise ValueError(f"is {type(value).__name__}, not a record")
    clean: dict[str, Any] = {}
    for key, member in value.items():
        if type(key) is not str:
            raise ValueError("has a key that is not text")
        function = _SCALARS.get(type(member))
        if function is None:
            raise ValueError(f"has {type(member).__name__} at {key[:40]}")
        kept = function(member)
        if kept is not None:
            clean[key] = kept
    return clean or None


_SCALARS: dict[type, Callable[[Any], Any]] = {str: _text, int: _integer, float: _number, bool: _boolean}

_TYPES: dict[str, Callable[[Any], Any]] = {
    "text": _text, "integer": _integer, "number": _number, "boolean": _boolean, "date": _date, "time": _number,
    "datetime": _datetime, "uuid": _uuid, "hex": _hex, "url": _url, "record": _record,
}  # fmt: skip

_CHECKS: dict[str, Callable[[Any], Any]] = {}


def _plural(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def check_list(value: Any) -> list[Any] | None:
        if type(value) is not list:
            raise ValueError(f"is {type(value).__name__}, not a list")
        if len(value) > LIST_ITEMS:
            raise ValueError(f"has {len(value)} items; {LIST_ITEMS} is the most")
        return [kept for item in value if (kept := function(item)) is not None] or None

    return check_list


def _bind() -> dict[str, Callable[[Any], Any]]:
    lists = {name: _plural(function) for name, function in _TYPES.items()}
    _CHECKS.update({f.name: (lists if f.plural else _TYPES)[f.type] for f in FIELDS.values()})
    return _CHECKS
