"""Values of a question: numbers with units, durations, dates, patterns of words. Pure; a mistake is a QuerySyntax."""

from __future__ import annotations

import calendar
import itertools
import re

from mediad.errors import QuerySyntax
from mediad.fold import WORD_LENGTH, fold, runs, unspaced
from mediad.query.tree import Ago, Part, When

# 18 digits: what a float holds finitely with every unit, and int() never refuses.
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?(?:[kKMGT]i?)?", re.ASCII)
_FRACTION = re.compile(r"(\d{1,9})/(\d{1,9})", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,9}):)?([0-5]?\d):([0-5]\d)(\.\d{1,18})?", re.ASCII)
_UNITS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
          "ki": 2**10, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}  # fmt: skip
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d))?)?)?)?)?", re.ASCII)
_AGO = re.compile(r"-(\d{1,5})(h|d|w|m|y)", re.ASCII)
_DISTANCE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(m|km|mi)?", re.ASCII)
_METRES = {None: 1000.0, "m": 1.0, "km": 1000.0, "mi": 1609.344}
_DEGREES = re.compile(r"-?\d{1,3}(?:\.\d{1,12})?", re.ASCII)
PARTS_MOST = 64


def number(text: str, value: str, at: int) -> float:
    """A number, a size with its unit, a duration m:ss or h:mm:ss, a fraction (1/250)."""
    clock = _CLOCK.fullmatch(value)
    if clock:
        hours, minutes, seconds, rest = clock.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(rest or 0)
    fraction = _FRACTION.fullmatch(value)
    if fraction and int(fraction[2]):
        return int(fraction[1]) / int(fraction[2])
    if not _NUMBER.fullmatch(value):
        raise QuerySyntax(f"a number was expected, not {value[:40]!r}", text, position=at)
    digits = value.rstrip("kKMGTi")
    return float(digits) * _UNITS[value[len(digits) :]]


def date(text: str, value: str, at: int) -> When:
    """A date as far as it is known, `today`, `yesterday`, or so long ago (`-7d`)."""
    word = value.lower()
    if word in ("today", "yesterday"):
        return Ago(int(word == "yesterday"), "d", day=True)
    ago = _AGO.fullmatch(word)
    if ago:
        return Ago(int(ago[1]), ago[2])
    found = _DATE.fullmatch(value)
    if found:
        year, month, day, hour, minute, second = (int(each) if each else None for each in found.groups())
        if (
            year is not None and 1 <= year and (month is None or 1 <= month <= 12)
            and (day is None or 1 <= day <= calendar.monthrange(year, month or 1)[1])
            and (hour or 0) < 24 and (minute or 0) < 60 and (second or 0) <= 60
        ):  # fmt: skip
            return value.replace(" ", "T")
    raise QuerySyntax(
        f"a date was expected (2019, 2019-07, 2019-07-14, today, -7d), not {value[:40]!r}", text, position=at
    )


def degrees(text: str, value: str, most: float, at: int) -> float:
    """Degrees, north and east positive."""
    if not _DEGREES.fullmatch(value) or abs(float(value)) > most:
        raise QuerySyntax(f"degrees from -{most:g} to {most:g} were expected, not {value[:40]!r}", text, position=at)
    return float(value)


def metres(text: str, value: str, at: int) -> float:
    """A distance in m, km (the default) or mi."""
    found = _DISTANCE.fullmatch(value.lower())
    if not found:
        raise QuerySyntax(f"a distance was expected (500m, 5km), not {value[:40]!r}", text, position=at)
    return float(found[1]) * _METRES[found[2]]


def pattern(text: str, value: str, at: int, *, quoted: bool) -> tuple[Part, ...]:
    """Words that stand side by side. A * before or behind one leaves its beginning or end open; the end of the last is
    open without one, unless there is one before the first or the value is quoted. () for `*` alone. A script without
    spaces is open at both ends always. Raises QuerySyntax."""
    if value.strip() and not value.strip("* "):
        return ()
    parts: list[Part] = []
    for raw in value.split():
        open_start, open_end = raw.startswith("*"), raw.endswith("*")
        core = raw.strip("*")
        if "*" in core:
            raise QuerySyntax("a * stands before a word or behind it", text, position=at)
        words = runs(fold(core))
        for number_, word in enumerate(words):
            first, last = number_ == 0, number_ == len(words) - 1
            parts.append(Part(word[:WORD_LENGTH], open_start and first, open_end and last))
    if not parts:
        raise QuerySyntax("a word was expected: there is neither letter nor digit", text, position=at)
    if len(parts) > PARTS_MOST:
        raise QuerySyntax(f"more than {PARTS_MOST} words in one value", text, position=at)
    # In a phrase what lies between two words is a gap: nothing is open there but the outermost ends.
    last_part = parts[-1]
    parts[-1] = Part(last_part.text, last_part.start, last_part.end or not (quoted or parts[0].start))
    for i, part in enumerate(parts):
        if (part.start and i) or (part.end and i < len(parts) - 1):
            raise QuerySyntax("within a phrase a * stands at its beginning or its end", text, position=at)
        if unspaced(part.text):
            parts[i] = Part(part.text, i == 0, i == len(parts) - 1)
        elif len(part.text) == WORD_LENGTH:
            parts[i] = Part(part.text, part.start, True)  # what is indexed of a longer word is its beginning
    return tuple(parts)


def regular(parts: tuple[Part, ...], whole: bool) -> str:
    """The regular expression, for Python and PostgreSQL alike, of folded text that has these parts side by side. Words
    are letters, digits and marks only: nothing in them is special. No parts: any text."""
    if not parts:
        return ""
    words = parts[0].text
    for before, part in itertools.pairwise(parts):
        words += (" ?" if unspaced(before.text) or unspaced(part.text) else " ") + part.text
    # A run of a script without spaces is open in any case; as a whole value it is just itself.
    start, end = (edge and not (whole and unspaced(part.text))
                  for edge, part in ((parts[0].start, parts[0]), (parts[-1].end, parts[-1])))  # fmt: skip
    inside = ("\\S*" if start else "") + words + ("\\S*" if end else "")
    return f"^{inside}$" if whole else f"(^| ){inside}( |$)"
