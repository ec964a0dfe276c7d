"""The text index's row of a file: what it is called, what it says, what its side files and people say. Pure.

Effective values (settled 12): tags are (embedded + side file + added) - removed; rating is the side file's before the
embedded one; any other field is the person's, else the side file's, else the embedded one; technical fields are the
file's alone. How a row is written: mediad.query.lexemes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from mediad.fold import fold, tokens
from mediad.query.lexemes import DATE_NUMBER, Vector, date_digits, named, number, sign, utc_day
from mediad.query.names import ALIASES, INDEXED_MORE, NOT_ASKED
from mediadb_contract.fields import FIELDS, Field

# Words of one value, values of one field, words of one file: beyond them `text:` is the way.
VALUE_WORDS = 200
VALUES_MOST = 200
# What a file is called and where it lies are found without a field's name; so are values, except of these: codes.
_NOT_FREE = frozenset({"mime_type", "extension", "kind", "format"})
# What only the file itself can say.
_TECHNICAL = frozenset({"size", "mtime", "extension", "mime_type", "format", "kind", "duration", "width", "height"})
_HOT_DATES = ("date_taken_local", "date_released", "date_original", "date_created_at_local", "date_created_local",
              "date_recorded", "date_modified_at_local")  # fmt: skip


def hot_date(fields: Mapping[str, Any]) -> str | None:
    """The date that lists show and `date:` asks: the first that there is, to the second."""
    for name in _HOT_DATES:
        if name in fields:
            return str(fields[name])[:19] or None
    return None


@lru_cache(maxsize=1)
def _indexed() -> dict[str, Field]:
    names = [name for name in FIELDS if (FIELDS[name].search or name in INDEXED_MORE) and name not in NOT_ASKED]
    return {
        name: FIELDS[name]
        for name in names
        if name not in ("filename", "size", "mtime", "extension", "user_tags", "keywords")
    }


class _Signs:
    """The signs of the fields that every row has."""

    def __init__(self) -> None:
        self.filename = (sign(FIELDS["filename"].number),)
        self.size = sign(FIELDS["size"].number) + "#"
        self.mtime = sign(FIELDS["mtime"].number) + "@"
        self.extension = sign(FIELDS["extension"].number) + "="
        self.kind = sign(FIELDS["kind"].number) + "="
        self.format = sign(FIELDS["format"].number) + "="
        self.year = sign(FIELDS["year"].number) + "#"
        self.date = sign(DATE_NUMBER)


@lru_cache(maxsize=1)
def _signs() -> _Signs:
    """Made once: a look-up in the dictionary of fields for each of them took a tenth of a row's time."""
    return _Signs()


@lru_cache(maxsize=1)
def _ways() -> dict[str, tuple[Field, str, bool]]:
    """Of each field that is indexed: itself, its sign, whether its words are found without it."""
    return {
        name: (field, sign(field.number), name not in _NOT_FREE)
        for name, field in _indexed().items()
        if name not in ("kind", "format")
    }


@lru_cache(maxsize=4096)
def _numbered(mark: str, value: float) -> str:
    """A number's lexeme: track numbers, sample rates and sizes of pictures repeat."""
    return f"{mark}#{number(value)}"


@lru_cache(maxsize=20_000)
def _words(text: str) -> tuple[str, ...]:
    """The words of a value: artists and albums repeat."""
    return tuple(tokens(fold(text))[:VALUE_WORDS])


def display(name: bytes) -> str:
    """A name as text; what is not UTF-8 in it opens nothing and is found by nothing."""
    return name.decode("utf-8", "replace")


def effective(
    fields: Mapping[str, Any], sides: Sequence[Mapping[str, Any]], own_tags: Mapping[str, bool], own: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """(fields, tags) as questions see them. `own_tags`: removed or not; `own`: a person's fields."""
    values = dict(fields)
    tags: dict[str, None] = {}
    for side in (*sides, fields):
        tags.update(dict.fromkeys(each for each in side.get("keywords") or () if isinstance(each, str)))
    for side in reversed(sides):
        values.update({k: v for k, v in side.items() if k in _indexed() and k not in _TECHNICAL})
    for tag, removed in own_tags.items():
        if removed:
            tags.pop(tag, None)
        else:
            tags[tag] = None
    for name, value in own.items():
        targets = ALIASES.get(name) or tuple(each for each in (name, name + "s") if each in FIELDS)
        for target in targets:
            values.pop(target, None)
        if targets and targets[0] in FIELDS:
            said = _spoken(FIELDS[targets[0]], value)
            if said is not None:
                values[targets[0]] = said
    return values, list(tags)


def _spoken(field: Field, value: str) -> Any:
    """A person's text as a value of a field; None where it is none."""
    if field.type in ("integer", "number"):
        try:
            said: Any = float(value)
        except ValueError:
            return None
        if said != said or abs(said) == float("inf"):
            return None
    elif field.type in ("boolean", "record", "time"):
        return None
    else:
        said = value
    return [said] if field.plural else said


def listed(name: bytes, folders: Sequence[bytes], size: int, mtime_ns: int, kind: str) -> Vector:
    """The row of a file that was not read yet."""
    return described(name, folders, size, mtime_ns, kind, None, {})


def described(
    name: bytes, folders: Sequence[bytes], size: int, mtime_ns: int, kind: str, form: str | None,
    fields: Mapping[str, Any], tags: Iterable[str] | None = None, own: Mapping[str, str] | None = None,
) -> Vector:  # fmt: skip
    """The row of a file that was read. `fields`, `tags`: effective ones; no `tags`: the file's keywords."""
    vector, signs = Vector(), _signs()
    _place(vector, signs, name, folders, size, mtime_ns)
    vector.put(signs.kind + kind)
    if form:
        vector.put(signs.format + fold(form).replace(" ", ""))
    ways = _ways()
    for key, found in fields.items():
        way = ways.get(key)
        if way is None:
            continue
        field, mark, free = way
        for value in found[:VALUES_MOST] if isinstance(found, list) else (found,):
            _value(vector, field, mark, free, value)
    keywords = fields.get("keywords")
    if keywords or tags:
        _tags(vector, keywords or (), keywords if tags is None else tags)
    date = hot_date(fields)
    if date is not None:
        digits = date_digits(date)
        if digits is not None:
            vector.put(f"{signs.date}@{digits}")
            vector.put(signs.year + number(int(digits[:4])))
        vector.put(signs.date + "^")
    for field_name, text in (own or {}).items():
        vector.value((named(field_name),), _words(text))
    return vector


def _place(
    vector: Vector, signs: _Signs, name: bytes, folders: Sequence[bytes], size: int, mtime_ns: int
) -> None:  # fmt: skip
    """Name, folders, size, time of the last change (the day in UTC)."""
    vector.value(signs.filename, _words(display(name)))
    for folder in folders[-2:]:
        vector.value((), _words(display(folder)))
    vector.put(signs.size + number(size))
    vector.put(signs.mtime + utc_day(mtime_ns))
    extension = os.path.splitext(name)[1][1:]
    if extension:
        vector.put(f"{signs.extension}{fold(display(extension)).replace(' ', '')[:100]}")


def _tags(vector: Vector, keywords: Iterable[Any], tags: Iterable[str] | None) -> None:
    """Effective tags and the file's own keywords: where they are the same, the words stand once with two fields."""
    own = [each for each in keywords if isinstance(each, str)][:VALUES_MOST]
    all_tags = list(dict.fromkeys(tags or ()))[:VALUES_MOST]
    tag, keyword = sign(FIELDS["user_tags"].number), sign(FIELDS["keywords"].number)
    for each in all_tags:
        vector.value((tag, keyword) if each in own else (tag,), _words(each))
    for each in own:
        if each not in all_tags:
            vector.value((keyword,), _words(each), free=False)


def _value(vector: Vector, field: Field, mark: str, free: bool, value: Any) -> None:
    if isinstance(value, bool):
        vector.put(f"{mark}={'yes' if value else 'no'}")
    elif isinstance(value, int | float):
        if field.name != "year":  # the year is that of the date
            vector.put(_numbered(mark, value))
        vector.put(mark + "^")
    elif not isinstance(value, str):
        return
    elif field.type in ("date", "datetime"):
        digits = date_digits(value)
        if digits is not None:
            vector.put(f"{mark}@{digits}")
        vector.put(mark + "^")
    elif field.type in ("uuid", "hex"):
        vector.value((mark,), (fold(value).replace(" ", "")[:100],), free=False)
    else:
        vector.value((mark,), _words(value), free=free)


def from_json(text: str | None) -> dict[str, Any]:
    """Stored fields."""
    return dict(json.loads(text)) if text else {}
