"""What a side file and a person say of a file, merged in three ways against what both said last. Pure.

Tags are a set: each is added or removed by itself, on whichever side it changed. Rating, title and description are
single values: of two that both changed the later wins, and the other is told (settled 12). A side that never agreed
with the other before only adds.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from mediad.index.work import TAG_MOST, VALUE_MOST

SINGLE = ("rating", "title", "description")
# What XML 1.0 section 2.2 allows; anything else in a packet makes it unreadable.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Values:
    """What one side says. `rating` 0 < r <= 5, None for none: in XMP 0 says that there is none."""

    tags: tuple[str, ...] = ()
    rating: float | None = None
    title: str | None = None
    description: str | None = None

    def to_json(self) -> str:
        """For the store."""
        told = {"tags": list(self.tags), "rating": self.rating, "title": self.title, "description": self.description}
        return json.dumps(told, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Values:
        """Of the store."""
        told = json.loads(text)
        return cls(tuple(told["tags"]), told["rating"], told["title"], told["description"])


@dataclass(frozen=True, slots=True)
class Packet:
    """What a side file says, and how it is spelled there: for a tag the words and the paths that stand for it."""

    values: Values
    words: dict[str, list[str]] = field(default_factory=dict)
    paths: dict[str, list[str]] = field(default_factory=dict)
    left: frozenset[str] = frozenset()  # single values that are too long to be a person's: they stay as they are


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that one side takes over from the other: `field` tag, rating, title, description. `was` and `now` are
    None for nothing; a tag that goes has no `now`."""

    field: str
    was: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Lost:
    """Both sides changed a single value; that of the side file was the earlier."""

    field: str
    kept: Any
    lost: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """`values` is what both say from now on; `taken` comes from the side file, `written` goes into it."""

    values: Values
    taken: tuple[Change, ...]
    written: tuple[Change, ...]
    lost: tuple[Lost, ...]


def plain(text: str) -> str:
    """A text as it comes back from XML: line ends are line feeds (XML 1.0 section 2.11), what XML cannot hold and the
    blanks around it are gone."""
    return _NOT_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def plain_tag(text: str) -> str:
    """A tag as persons' tags are: single blanks."""
    return " ".join(plain(text).split())


def plain_rating(value: float | None) -> float | None:
    """A rating as XMP holds it: two digits behind the point, none for 0."""
    return round(float(value), 2) or None if value is not None else None


def packet_of(fields: dict[str, Any], known: frozenset[str]) -> Packet:
    """What the fields of a side file say. A word that is the last name of a path which a person's tag spells ("A/B") is
    that tag: `known` has the tags of the other sides."""
    spelled: dict[str, list[str]] = {}
    for raw in fields.get("keyword_paths") or ():
        spelled.setdefault(plain_tag(raw), []).append(raw)
    raws: dict[str, list[str]] = {}
    for raw in fields.get("keywords") or ():
        raws.setdefault(plain_tag(raw), []).append(raw)
    meant = [path for path in spelled if "/" in path and path in known and leaf(path) in raws]
    leaves = {leaf(path) for path in meant}
    words = {word: found for word, found in raws.items() if 0 < len(word) <= TAG_MOST and (
        word in known or word not in leaves)}  # fmt: skip
    words.update((path, raws[leaf(path)]) for path in meant)
    single: dict[str, str | None] = {}
    left = set()
    for name in ("title", "description"):
        text = plain(fields.get(name) or "")
        single[name] = text or None
        if len(text) > VALUE_MOST:
            left.add(name)
    rating = plain_rating(fields.get("rating"))
    return Packet(Values(tuple(words), rating, single["title"], single["description"]), words, spelled, frozenset(left))


def merge(
    base: Values | None, side: Packet, own: Values, *, masked: frozenset[str] = frozenset(), side_ns: int = 0,
    own_ns: dict[str, int] | None = None,
) -> Merged:  # fmt: skip
    """Merges what the side file says with what persons say (`own`). `base` is what both said last, None when they never
    did; `masked` has tags that a person removed, which then are the side file's no news. `side_ns` and `own_ns` (by
    field) say when each side was changed last."""
    values = side.values
    before = base.tags if base is not None else tuple(tag for tag in values.tags if tag in masked)
    tags: list[str] = []
    taken: list[Change] = []
    written: list[Change] = []
    lost: list[Lost] = []
    ours, theirs, both = set(own.tags), set(values.tags), set(before)
    for tag in dict.fromkeys([*values.tags, *own.tags]):
        if (tag in theirs) == (tag in ours):
            tags.append(tag)
        elif (tag in theirs) != (tag in both):  # the side file's doing
            taken.append(Change("tag", None, tag) if tag in theirs else Change("tag", tag, None))
            tags += [tag] if tag in theirs else []
        else:
            written.append(Change("tag", None, tag) if tag in ours else Change("tag", tag, None))
            tags += [tag] if tag in ours else []
    single: dict[str, Any] = {}
    for name in SINGLE:
        there, here = getattr(values, name), getattr(own, name)
        single[name] = there
        if there == here or name in side.left:
            continue
        known = getattr(base, name) if base is not None else None
        if there == known:
            wins_here = True
        elif here == known:
            wins_here = False
        else:
            wins_here = (own_ns or {}).get(name, 0) > side_ns
            if wins_here:
                lost.append(Lost(name, here, there))
        if wins_here:
            single[name] = here
            written.append(Change(name, there, here))
        else:
            taken.append(Change(name, here, there))
    return Merged(Values(tuple(tags), **single), tuple(taken), tuple(written), tuple(lost))


def edit_of(side: Packet, merged: Merged) -> dict[str, dict[str, Any]]:
    """What a worker's `write` is asked for (handlers/README.md): set, add and remove by field names. A tag "A/B/C" is a
    path, and its last name a word."""
    sets: dict[str, Any] = {}
    more: dict[str, list[str]] = {"keywords": [], "keyword_paths": []}
    fewer: dict[str, list[str]] = {"keywords": [], "keyword_paths": []}
    stays = {leaf(tag) for tag in merged.values.tags}
    for change in merged.written:
        if change.field != "tag":
            if change.now is None:
                fewer[change.field] = []
            else:
                sets[change.field] = change.now
        elif change.now is not None:
            more["keywords"].append(leaf(change.now))
            more["keyword_paths"].append(change.now)
        else:
            words = side.words.get(change.was, ())
            fewer["keywords"] += [word for word in words if plain_tag(word) not in stays]
            fewer["keyword_paths"] += side.paths.get(change.was, ())
    tagged = {name: list(dict.fromkeys(values)) for name, values in more.items() if values}
    gone = {name: values for name, values in fewer.items() if values or name not in more}
    return {"set": sets, "add": tagged, "remove": gone}


def leaf(tag: str) -> str:
    """The last name of a tag that is a path."""
    return tag.rpartition("/")[2] or tag
