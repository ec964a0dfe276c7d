"""How a file's words, values and numbers are written in the one text index, and how a question is asked of it. Pure.

A file has one tsvector. In it stand, each with its places (PostgreSQL manual, 8.11):

    word            a word of the name, of the last two folders, or of any value that is searched
    F=word          the same word, of field F
    F^  F$          before the first and behind the last word of each value of F: `F^` also says that F is there
    F#pNNNNNN       a number: two digits of exponent + 50, four of mantissa; n: negative; z: nought
    F@YYYYMMDD      a date as it was written; what it does not say is 00
    /name=word      a field that a person named, likewise

F is two characters, the first of which sorts before all letters and digits: a word never begins so. Numbers and dates
are digits because a range of them is then a few prefixes (`1990..1999` is `199`): one inverted index answers words,
numbers and dates together, and PostgreSQL intersects them while it reads. The map from numbers to digits is monotonic,
not injective: what is strictly between two bounds is certain, what shares the digits of a bound is compared exactly.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache

# All sort before "0", and neither ' nor \\ is among them, which a tsvector's text would have to quote.
_FIRST = "!#$%&()*+,-."
_SECOND = "".join(chr(c) for c in range(33, 127) if chr(c) not in "'\\")
PERSONS = "/"
# The highest place that PostgreSQL keeps, and how many of one lexeme.
PLACE_MOST = 16_383
PLACES_MOST = 255
_MANTISSA = 10**3
_EXPONENT = 50
_TOP = 99_9999
DIGITS = 6
DATE_DIGITS = 8
_COUNTS = tuple(count.to_bytes(2, "big") for count in range(PLACES_MOST + 1))
DATE_NUMBER = 1000  # of the date that lists show, which is no field of its own


@lru_cache(maxsize=2048)
def sign(number: int) -> str:
    """The two characters of a field by its number. Raises ValueError beyond 1,104."""
    high, low = divmod(number, len(_SECOND))
    if not 0 <= high < len(_FIRST):
        raise ValueError(f"no sign for field {number}")
    return _FIRST[high] + _SECOND[low]


def named(name: str) -> str:
    """The sign of a field that a person named: letters, digits, - and _ only."""
    return PERSONS + name


def key(value: float) -> int:
    """Of a positive number: exponent and four digits as one integer, never less for more. What is beyond the two
    digits of an exponent is one number at either end, mantissa included: else 4e-103 would stand above 1e-93."""
    mantissa, exponent = f"{value:.3e}".split("e")
    power = int(exponent) + _EXPONENT
    if not 0 <= power <= 99:
        return 0 if power < 0 else _TOP
    return power * 10**4 + int(mantissa.replace(".", ""))


def number(value: float) -> str:
    """The digits of a number."""
    if value == 0:
        return "z"
    return f"p{key(value):06d}" if value > 0 else f"n{key(-value):06d}"


def cover(low: int, high: int, digits: int) -> list[str]:
    """The fewest decimal prefixes whose numbers of so many digits are exactly low..high."""
    found: list[str] = []

    def add(low: int, high: int, prefix: str, left: int) -> None:
        size = 10**left
        if low == 0 and high == size - 1:
            found.append(prefix)
            return
        step = size // 10
        for digit in range(low // step, high // step + 1):
            start = digit * step
            add(max(low, start) - start, min(high, start + step - 1) - start, prefix + str(digit), left - 1)

    if low <= high:
        add(low, high, "", digits)
    return found


def between(low: float | None, high: float | None) -> tuple[list[str], list[str]]:
    """(certain, doubtful): prefixes of numbers surely in [low, high], and those that share a bound's digits."""
    certain: list[str] = []
    doubtful = {number(bound) for bound in (low, high) if bound is not None}
    low_is, high_is = float("-inf") if low is None else low, float("inf") if high is None else high
    if low_is < 0 < high_is:
        certain.append("z")
    if high_is > 0:
        start = key(low_is) + 1 if low_is > 0 else 0
        certain += ["p" + each for each in cover(start, _TOP if high is None else key(high_is) - 1, DIGITS)]
    if low_is < 0:
        start = key(-high_is) + 1 if high_is < 0 else 0
        certain += ["n" + each for each in cover(start, _TOP if low is None else key(-low_is) - 1, DIGITS)]
    return certain, sorted(doubtful)


def about(low: float | None, high: float | None) -> list[str]:
    """Fewer prefixes, of two digits of mantissa: every number in [low, high] has one of them, and some others have."""
    found: list[str] = []
    low_is, high_is = float("-inf") if low is None else low, float("inf") if high is None else high
    if low_is <= 0 <= high_is:
        found.append("z")
    if high_is > 0:
        first = key(low_is) // 100 if low_is > 0 else 0
        found += ["p" + each for each in cover(first, _TOP // 100 if high is None else key(high_is) // 100, 4)]
    if low_is < 0:
        first = key(-high_is) // 100 if high_is < 0 else 0
        found += ["n" + each for each in cover(first, _TOP // 100 if low is None else key(-low_is) // 100, 4)]
    return found


def date_digits(text: str) -> str | None:
    """The eight digits of a date as metadata has it (YYYY[-MM[-DD[T...]]]); None when it is none."""
    parts = (text[0:4], text[5:7], text[8:10])
    if not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) == 4):
        return None
    return parts[0] + "".join(p if p.isascii() and p.isdigit() and len(p) == 2 else "00" for p in parts[1:])


def utc_day(ns: int) -> str:
    """The day of an instant in UTC, as eight digits; those before the year 1 and after 9999 are put there."""
    seconds = min(max(ns // 10**9, -62_135_596_800), 253_402_300_799)
    return _day(seconds // 86_400)


@lru_cache(maxsize=1024)
def _day(days: int) -> str:
    """A day since the Unix epoch: files of one folder come together."""
    at = time.gmtime(days * 86_400)
    return f"{at.tm_year:04d}{at.tm_mon:02d}{at.tm_mday:02d}"


class Vector:
    """A tsvector being made: words with their places, each two bytes in network order (WordEntryPos, weight D)."""

    __slots__ = ("_next", "_places")

    def __init__(self) -> None:
        self._places: dict[str, bytes] = {}
        self._next = 1

    def put(self, lexeme: str) -> None:
        """One lexeme without a place of its own."""
        self._places.setdefault(lexeme, b"")

    def value(self, signs: tuple[str, ...], words: Iterable[str], *, free: bool = True) -> None:
        """The words of one value, side by side, under the fields that it is a value of."""
        at = self._next
        if at >= PLACE_MOST - 2:
            return
        places = self._places
        known = places.get
        place = at.to_bytes(2, "big")
        for each in signs:
            lexeme = each + "^"
            places[lexeme] = known(lexeme, b"") + place
        for word in words:
            at += 1
            if at >= PLACE_MOST - 2:
                break
            place = at.to_bytes(2, "big")
            if free:
                places[word] = known(word, b"") + place
            for each in signs:
                lexeme = f"{each}={word}"
                places[lexeme] = known(lexeme, b"") + place
        at += 1
        place = at.to_bytes(2, "big")
        for each in signs:
            lexeme = each + "$"
            places[lexeme] = known(lexeme, b"") + place
        self._next = at + 2

    def binary(self) -> bytes:
        """As PostgreSQL receives it (src/backend/utils/adt/tsvector.c, tsvectorrecv): how many lexemes, then each with
        a NUL, how many places, and the places. In the order of their bytes, which is that of their characters in
        UTF-8: then the server need not sort. Read as text it costs the server seven times as much."""
        places = self._places
        parts = [len(places).to_bytes(4, "big")]
        for lexeme in sorted(places):
            at = places[lexeme][: 2 * PLACES_MOST]
            parts.append(b"%b\0%b%b" % (lexeme.encode(), _COUNTS[len(at) >> 1], at))
        return b"".join(parts)

    def text(self) -> str:
        """As PostgreSQL reads it, for what goes as JSON."""
        found = []
        for lexeme, places in self._places.items():
            at = [str(int.from_bytes(places[i : i + 2], "big")) for i in range(0, len(places), 2)][:PLACES_MOST]
            found.append(f"'{lexeme}':{','.join(at)}" if at else f"'{lexeme}'")
        return " ".join(found)
