"""Text to tree.

    question = { term }                              juxtaposition is and
    term     = [ "-" ] ( word | phrase | field ":" value )
    value    = text | phrase | [ "=" | "<" | "<=" | ">" | ">=" ] number | number ".." number
    phrase   = '"' ... '"'

A number may carry a unit: sizes `10M` (1,000 or, as `10Mi`, 1,024), durations `3:30` or `1:02:03`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mediad.errors import QuerySyntax
from mediad.fold import fold
from mediad.query.tree import And, Choice, InCollection, Node, Not, Number, Starred, Tag, Text, Words
from mediadb_contract.fields import FIELDS

# Names people use, and the vocabulary's fields behind them.
ALIASES: dict[str, tuple[str, ...]] = {
    "artist": ("artists", "artist_credit", "album_artists", "album_artist_credit", "creators"),
    "albumartist": ("album_artists", "album_artist_credit"),
    "author": ("creators", "artists", "artist_credit"),
    "camera": ("camera_make", "camera_model"),
    "lens": ("lens_model", "lens_make"),
    "place": ("city", "state", "country", "location"),
    "track": ("track_number",), "disc": ("disc_number",), "codec": ("codec", "video_codec", "audio_codec"),
    "year": ("year",),
}  # fmt: skip
# Fields that are columns of the file itself.
CHOICES = {"kind": "kind", "format": "format", "state": "state"}
NUMBERS = {
    "rating": "rating",
    "plays": "plays",
    "size": "size",
    "duration": "duration",
    "width": "width",
    "height": "height",
    "year": "year",
}
WORK = ("tag", "starred", "collection", "playlist")
STATES = ("listed", "read", "failed", "parked", "missing")
# Phrases, negations and fields of one question: each is a subquery, and 3,000 take the planner half a minute.
TERMS_MOST = 64

_TOKEN = re.compile(
    r'(?P<minus>-(?=\S))?(?:(?P<field>[A-Za-z_][A-Za-z0-9_]*):(?P<op><=|>=|<|>|=)?)?(?:"(?P<phrase>[^"]*)"|(?P<open>")|(?P<text>[^\s"]+)|(?=\s|$))'
)
# 18 digits: what a float holds finitely with every unit, and int() never refuses.
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?(?:[kKMGT]i?)?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,9}):)?([0-5]?\d):([0-5]\d)(\.\d{1,18})?", re.ASCII)
_UNITS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
          "ki": 2**10, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Term:
    negated: bool
    field: str | None
    op: str | None
    value: str
    quoted: bool
    start: int  # of the term, in characters
    at: int  # of the value


def parse(text: str) -> And:
    """Reads a question. Raises QuerySyntax: quotes the text and points at the place."""
    nodes: list[Node] = []
    free: list[str] = []
    for term in _terms(text):
        if term.field is None and not term.negated and not term.quoted:
            free += fold(term.value).split()
            continue
        node = _node(text, term)
        node = Not(node) if term.negated else node
        if node not in nodes:
            nodes.append(node)
        if len(nodes) > TERMS_MOST:
            raise QuerySyntax(f"more than {TERMS_MOST} terms", text, position=term.start)
    if not free and not nodes and text.strip():
        raise QuerySyntax("a word was expected: there is neither letter nor digit", text)
    if free:
        nodes.insert(0, Words(tuple(dict.fromkeys(free))))
    return And(tuple(nodes))


def _terms(text: str) -> Iterator[_Term]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            raise QuerySyntax(f"a term was expected, not {text[at]!r}", text, position=at)
        if match["open"] is not None:
            raise QuerySyntax('a phrase without its closing "', text, position=match.start("open"))
        value = match["phrase"] if match["phrase"] is not None else match["text"] or ""
        quoted = match["phrase"] is not None
        where = match.start("phrase") if quoted else match.start("text") if match["text"] else match.end()
        yield _Term(bool(match["minus"]), match["field"], match["op"], value, quoted, at, where)
        at = match.end()


def _node(text: str, term: _Term) -> Node:
    if term.field is None:
        return Words(tuple(fold(term.value).split()))
    name = term.field.lower()
    if not term.value.strip():
        raise QuerySyntax(f"{name}: takes a value", text, position=term.at)
    if name in CHOICES:
        return _choice(text, term, name)
    if name == "starred":
        return _starred(text, term)
    if name in ("tag", "collection", "playlist"):
        words = tuple(fold(term.value).split())
        if not words:
            raise QuerySyntax(f"{name}: takes a word", text, position=term.at)
        return Tag(words) if name == "tag" else InCollection(name, words)
    fields = _fields(name)
    if not fields:
        near = ", ".join(
            sorted(
                known
                for known in ["tag", "starred", "collection", "playlist", *ALIASES, *CHOICES, *NUMBERS, *FIELDS]
                if known.startswith(name[:3])
            )[:5]
        )
        raise QuerySyntax(
            f"there is no field {name}" + (f"; near it are {near}" if near else ""), text, position=term.start
        )
    types = {FIELDS[f].type for f in fields if f in FIELDS}
    numeric = name in NUMBERS or (bool(types) and types <= {"integer", "number", "time"})
    if numeric and not term.quoted:
        return _range(text, term, fields)
    if term.op in ("<", "<=", ">", ">="):
        raise QuerySyntax(f"{name} is text: it is asked with {name}:words", text, position=term.at)
    words = tuple(fold(term.value).split())
    if not words:
        raise QuerySyntax(f"{name}: takes a word", text, position=term.at)
    return Text(fields, words)


def _starred(text: str, term: _Term) -> Node:
    value = term.value.lower()
    if value not in ("yes", "true", "1", "no", "false", "0"):
        raise QuerySyntax("starred: takes yes or no", text, position=term.at)
    return Starred() if value in ("yes", "true", "1") else Not(Starred())


def _fields(name: str) -> tuple[str, ...]:
    if name in NUMBERS:
        return (name,)
    if name.startswith("user_") and name not in FIELDS:
        return (name,)  # whatever a person has set
    if name in ALIASES:
        return ALIASES[name]
    return tuple(f for f in (name, name + "s") if f in FIELDS)


def _choice(text: str, term: _Term, name: str) -> Choice:
    if "\0" in term.value:  # jsonb takes none, and no file has such a kind or format
        raise QuerySyntax(f"{name}: takes no NUL", text, position=term.at)
    values = tuple(value.lower() for value in term.value.split(",") if value)
    if name == "state":
        for value in values:
            if value not in STATES:
                raise QuerySyntax(f"state is one of {', '.join(STATES)}", text, position=term.at)
    return Choice(CHOICES[name], values)


def _range(text: str, term: _Term, fields: tuple[str, ...]) -> Number:
    low_text, dots, high_text = term.value.partition("..")
    if dots:
        if term.op not in (None, "="):
            raise QuerySyntax("a range stands without < or >", text, position=term.at)
        low = _number(text, low_text, term.at) if low_text else None
        high = _number(text, high_text, term.at + len(low_text) + 2) if high_text else None
        return Number(fields, low, high)
    number = _number(text, term.value, term.at)
    bounds: dict[str, Callable[[], Number]] = {
        "<": lambda: Number(fields, None, number, below=True), "<=": lambda: Number(fields, None, number),
        ">": lambda: Number(fields, number, None, above=True), ">=": lambda: Number(fields, number, None),
    }  # fmt: skip
    return bounds.get(term.op or "=", lambda: Number(fields, number, number))()


def _number(text: str, value: str, at: int) -> float:
    clock = _CLOCK.fullmatch(value)
    if clock:
        hours, minutes, seconds, rest = clock.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(rest or 0)
    if not _NUMBER.fullmatch(value):
        raise QuerySyntax(f"a number was expected, not {value[:40]!r}", text, position=at)
    digits = value.rstrip("kKMGTi")
    return float(digits) * _UNITS[value[len(digits) :]]
