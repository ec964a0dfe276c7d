"""What may come next in a question that is being written: names of fields, their values, sort keys, operators. Pure: it
says which values are wanted, the caller finds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mediad.fold import fold
from mediad.query.names import CHOICES, MOMENTS, SORTS, STATES, known, meaning

# The word that the cursor stands in: from white space, a parenthesis or a comma that stands outside quotes.
_NAME = re.compile(r"[-(]*([^\W\d]\w*)(:|!=|<=|>=|=|<|>|~)", re.UNICODE)
_OPERATORS = ("and", "or", "not")
_DATES = ("today", "yesterday", "-7d", "-1m", "-1y")
KINDS = ("audio", "document", "image", "other", "video")
# Names whose values are in tables of their own, or in the file's columns.
LOOKED_UP = ("tag", "tags", "collection", "playlist", "saved", "format", "folder")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text for the place from `start` to `end` (characters). what: field, value, sort, operator."""

    start: int
    end: int
    text: str
    what: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Values of a field that begin so are to be found; the chosen one stands from `start` to `end`, behind `before`."""

    field: str
    begin: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Completion:
    """What is known without asking, and what is to be asked."""

    suggestions: tuple[Suggestion, ...]
    wanted: Wanted | None = None


def complete(text: str, cursor: int) -> Completion:
    """What may stand where the cursor is. Never raises: what is half written need not be right."""
    cursor = min(max(cursor, 0), len(text))
    start, quoted = _token(text, cursor)
    word = text[start:cursor]
    found = _NAME.match(word)
    if found is None:
        if quoted is not None:
            return Completion(())
        lead = len(word) - len(word.lstrip("-("))
        return Completion(_names(word[lead:].lower(), start + lead, cursor))
    name, begin = found[1].lower(), start + found.end()
    if name == "sort":
        return Completion(_sorts(text, begin, cursor))
    value = text[begin:cursor].removeprefix('"')
    fixed = _fixed(name)
    if fixed:
        last = begin + value.rfind(",") + 1
        part = text[last:cursor].lower()
        return Completion(tuple(Suggestion(last, cursor, each, "value") for each in fixed if each.startswith(part)))
    asked = meaning(name)
    if name in LOOKED_UP or (asked is not None and asked.how == "text"):
        return Completion((), Wanted(name, value, begin, cursor))
    return Completion(())


def suggest(wanted: Wanted, values: list[str]) -> list[Suggestion]:
    """Values that were found, as texts of a question: quoted where a word alone would be another thing."""
    begin = fold(wanted.begin)
    kept = [value for value in values if fold(value).startswith(begin)]
    return [Suggestion(wanted.start, wanted.end, quote(value), "value") for value in kept]


def quote(value: str) -> str:
    """A value as it is written in a question; a quote in it, which no phrase can have, becomes a space."""
    plain = value.replace('"', " ")
    return plain if re.fullmatch(r"[\w./+&-]+", plain) and not plain.startswith("-") else f'"{plain}"'


def _token(text: str, cursor: int) -> tuple[int, int | None]:
    """(where the word under the cursor begins, where the quote that is open there begins or None)."""
    start, quoted = 0, None
    for at, char in enumerate(text[:cursor]):
        if char == '"':
            quoted = at if quoted is None else None
        elif quoted is None and (char.isspace() or char == ")"):
            start = at + 1
    return start, quoted


def _names(begin: str, start: int, end: int) -> tuple[Suggestion, ...]:
    if not begin:
        return ()
    fields = [Suggestion(start, end, f"{name}:", "field") for name in known() if name.startswith(begin)]
    # Short names are what people mean; the long ones of the vocabulary come behind them.
    fields.sort(key=lambda each: (len(each.text), each.text))
    operators = [Suggestion(start, end, word, "operator") for word in _OPERATORS if word.startswith(begin)]
    return (*fields, *operators)


def _sorts(text: str, begin: int, cursor: int) -> tuple[Suggestion, ...]:
    start = text.rfind(",", begin, cursor) + 1 or begin
    if text[start:cursor].startswith("-"):
        start += 1
    part = text[start:cursor].lower()
    return tuple(Suggestion(start, cursor, key, "sort") for key in SORTS if key.startswith(part))


def _fixed(name: str) -> tuple[str, ...]:
    if name in ("kind", "type"):
        return KINDS
    if name == "state":
        return STATES
    if name in ("has", "missing"):
        return tuple(sorted({"bookmark", *(each for each in known() if each not in CHOICES)}))
    asked = meaning(name)
    if name == "starred" or (asked is not None and asked.how == "flag"):
        return ("yes", "no")
    if name in MOMENTS or (asked is not None and asked.how in ("date", "epoch")):
        return _DATES
    return ()
