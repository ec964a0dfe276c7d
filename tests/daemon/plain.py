"""What a question means, evaluated plainly: a syntax tree over records in memory. No index, no SQL, nothing of the
product but the tree and the folding of text."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mediad.fold import fold
from mediad.query import tree as q
from mediad.query.clock import instants, wall


@dataclass
class Record:
    """A file and what is known of it."""

    number: int
    stream: str
    name: str
    folders: list[str]  # from the root's own path down
    kind: str
    format: str | None
    state: str
    size: int
    mtime_ns: int
    added_ns: int
    missing: bool = False
    fields: dict[str, Any] = field(default_factory=dict)  # as the file has them


@dataclass
class Person:
    """What people made of an item; ratings, stars and plays are those of the one who asks."""

    tags: dict[str, bool] = field(default_factory=dict)  # removed?
    fields: dict[str, str] = field(default_factory=dict)
    rating: float | None = None
    starred: bool = False
    plays: int = 0
    played_ns: int | None = None
    collections: list[tuple[str, str]] = field(default_factory=list)


FREE = ("title", "artists", "album", "album_artists", "artist_credit", "genres", "description", "camera_model",
        "camera_make", "city", "codec", "creators")  # fmt: skip


def units(text: str) -> list[str]:
    """Words, and single characters of scripts that part no words."""
    found: list[str] = []
    for word in fold(text).split():
        run = ""
        for c in word:
            name = unicodedata.name(c, "")
            if name.startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI")):
                if run:
                    found.append(run)
                run = ""
                found.append(c)
            else:
                run += c
        if run:
            found.append(run)
    return found


def fits(parts: tuple[q.Part, ...], value: str, whole: bool) -> bool:
    """Whether a value holds the parts side by side."""
    wanted: list[tuple[str, bool, bool]] = []
    for part in parts:
        pieces = units(part.text)
        spread = len(pieces) > 1 or unicodedata.name(pieces[0][0], "").startswith(
            ("CJK", "HIRAGANA", "KATAKANA", "THAI")
        )
        for piece in pieces:
            wanted.append((piece, part.start and not spread, part.end and not spread))
    have = units(value)
    if whole:
        return len(have) == len(wanted) and all(_word(w, h) for w, h in zip(wanted, have, strict=True))
    return any(
        all(_word(w, h) for w, h in zip(wanted, have[i:], strict=False)) for i in range(len(have) - len(wanted) + 1)
    )


def _word(wanted: tuple[str, bool, bool], have: str) -> bool:
    text, start, end = wanted
    if start and end:
        return text in have
    if start:
        return have.endswith(text)
    return have.startswith(text) if end else have == text


class Plain:
    """All records, and the questions that are asked of them."""

    def __init__(self, records: list[Record], people: dict[str, Person], now: datetime) -> None:
        self.records = records
        self.people = people
        self.now = now
        self.copies: dict[str, int] = {}
        for record in records:
            if not record.missing:
                self.copies[record.stream] = self.copies.get(record.stream, 0) + 1

    def answer(self, node: q.Node) -> set[str]:
        """The items with a file that matches and is not missing, unless the question asks for missing ones."""
        missing = _asks_missing(node)
        return {r.stream for r in self.records if (missing or not r.missing) and self.holds(node, r)}

    def person(self, record: Record) -> Person:
        return self.people.get(record.stream, Person())

    def values(self, record: Record, name: str) -> list[Any]:
        """Effective values of a field."""
        person = self.person(record)
        if name == "filename":
            return [record.name]
        if name == "extension":
            return [record.name.rpartition(".")[2]] if "." in record.name else []
        if name == "user_tags":
            tags = [t for t in record.fields.get("keywords", ()) if not person.tags.get(t)]
            return list(dict.fromkeys([*tags, *(t for t, removed in person.tags.items() if not removed)]))
        if name.startswith("user_") and name != "user_comment":
            own = person.fields.get(name.removeprefix("user_"))
            return [own] if own is not None else []
        if name in ("size", "width", "height", "duration"):
            return [record.size] if name == "size" else _list(record.fields.get(name))
        if name == "title" and "title" in person.fields:
            return [person.fields["title"]]
        if (
            name in ("artists", "artist_credit", "album_artists", "album_artist_credit", "creators")
            and "artist" in person.fields
        ):
            return [person.fields["artist"]] if name == "artists" else []
        return _list(record.fields.get(name))

    def date(self, record: Record) -> str | None:
        for name in ("date_taken_local", "date_released", "date_recorded"):
            if name in record.fields:
                return str(record.fields[name])[:19]
        return None

    def free(self, record: Record) -> list[str]:
        """Every text that is found without a field's name."""
        person = self.person(record)
        # folders within the root; of what lies in its top, the top
        found: list[str] = [record.name, *(record.folders[1:][-2:] or record.folders[-1:])]
        for name in FREE:
            found += [v for v in self.values(record, name) if isinstance(v, str)]
        return [*found, *self.values(record, "user_tags"), *person.fields.values()]

    def holds(self, node: q.Node, r: Record) -> bool:
        person = self.person(r)
        match node:
            case q.And(nodes):
                return all(self.holds(each, r) for each in nodes)
            case q.Or(nodes):
                return any(self.holds(each, r) for each in nodes)
            case q.Not(inner):
                return not self.holds(inner, r)
            case q.Match(None, parts, whole):
                return any(fits(parts, text, whole) for text in self.free(r))
            case q.Match(fields, parts, whole):
                return any(fits(parts, str(v), whole) for f in fields or () for v in self.values(r, f))
            case q.Has(fields):
                return any(self._has(f, r) for f in fields)
            case q.Number():
                return any(_inside(v, node) for f in node.fields for v in self._numbers(f, r))
            case q.Flag(name, value):
                return r.fields.get(name) is value
            case q.Date():
                return any(self._date(f, node, r) for f in node.fields)
            case q.Moment(column):
                at = {"added": r.added_ns, "modified": r.mtime_ns, "played": person.played_ns}[column]
                low, high = instants(node, self.now)
                return at is not None and (low is None or at >= low) and (high is None or at < high)
            case q.Near():
                return self._near(node, r)
            case q.Choice("kind", values):
                return r.kind in values
            case q.Choice("format", values):
                return r.format in values
            case q.Choice(_, values):
                return ("missing" in values and r.missing) or (r.state in values and not r.missing)
            case q.Ident(ident):
                return r.stream == ident
            case q.Folder(parts, whole):
                return any(fits(parts, name, whole) for name in r.folders)
            case q.Path(path):
                return ("/" + "/".join([*r.folders, r.name]) + "/").startswith(path.decode().rstrip("/") + "/")
            case q.Count("copies"):
                return _inside(self.copies.get(r.stream, 0), node)
            case q.Count(name):
                return _inside(len(self.values(r, "user_tags" if name == "tag" else name)), node)
            case q.Starred():
                return person.starred
            case q.InCollection(kind, parts, whole):
                return any(k == kind and fits(parts, name, whole) for k, name in person.collections)
        raise AssertionError(f"no plain meaning of {node}")

    def _has(self, name: str, r: Record) -> bool:
        person = self.person(r)
        if name == "rating":
            return person.rating is not None or "rating" in r.fields
        if name in ("date", "year", "month", "day"):
            return self.date(r) is not None
        if name == "plays":
            return person.plays > 0
        return bool(self.values(r, name))

    def _numbers(self, name: str, r: Record) -> list[float]:
        person = self.person(r)
        if name == "rating":
            return [person.rating] if person.rating is not None else _list(r.fields.get("rating"))
        if name == "plays":
            return [person.plays]
        if name in ("year", "month", "day"):
            date = self.date(r) or ""
            text = {"year": date[:4], "month": date[5:7], "day": date[8:10]}[name]
            return [int(text)] if text else []
        return [float(v) for v in self.values(r, name)]

    def _date(self, name: str, node: q.Date, r: Record) -> bool:
        text = self.date(r) if name == "date" else r.fields.get(name)
        if text is None:
            return False
        low = wall(node.low, self.now) if node.low is not None else None
        high = wall(node.high, self.now) if node.high is not None else None
        above = low is None or (text > low + "~" if node.above else text >= low)
        return above and (high is None or (text < high if node.below else text <= high + "~"))

    def _near(self, node: q.Near, r: Record) -> bool:
        if "latitude" not in r.fields:
            return False
        a, b = math.radians(node.latitude), math.radians(r.fields["latitude"])
        turn = math.radians(node.longitude - r.fields["longitude"])
        cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
        return 6_371_008.8 * math.acos(max(-1.0, min(1.0, cosine))) <= node.metres


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _inside(value: float, node: q.Number | q.Count) -> bool:
    low = node.low is None or (value > node.low if node.above else value >= node.low)
    return low and (node.high is None or (value < node.high if node.below else value <= node.high))


def _asks_missing(node: q.Node) -> bool:
    if isinstance(node, q.And | q.Or):
        return any(_asks_missing(each) for each in node.nodes)
    if isinstance(node, q.Not):
        return _asks_missing(node.node)
    return isinstance(node, q.Choice) and node.column == "state" and "missing" in node.values
