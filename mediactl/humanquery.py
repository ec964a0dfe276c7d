"""Answers to questions as lines for people: tables, groups, counts with bars, explanations, what changes."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any

from mediactl import human, model, questions
from mediactl.itemtable import item_row, item_table, say_path
from mediactl.terminal import Column, Table, cut
from mediactl.wording import say_count, say_duration, say_size, say_time
from mediad.wire.convert import show_text
from mediadb_contract.fields import FIELDS

_BAR = 30  # columns of the longest
_EIGHTHS = " ▏▎▍▌▋▊▉"


def _pixels(item: model.Item, _entry: model.FileEntry | None) -> str:
    return f"{item.width}×{item.height}" if item.width and item.height else ""


def _tags(item: model.Item, entry: model.FileEntry | None) -> str:
    own = item.work.get("user_tags")
    return human.say_value("tags", own if own is not None else (entry.fields.get("keywords", []) if entry else []))


def _rating(item: model.Item, entry: model.FileEntry | None) -> str:
    own = item.work.get("user_rating")
    value = own if own is not None else entry.fields.get("rating") if entry else None
    return "" if value is None else f"{value:g}"


# What a column shows that is no field of the vocabulary, or is known of the item itself.
_SHOWN: dict[str, Callable[[model.Item, model.FileEntry | None], str]] = {
    "id": lambda item, _: str(item.id), "kind": lambda item, _: item.kind, "format": lambda item, _: item.format or "",
    "title": lambda item, _: item.title or "", "artist": lambda item, _: item.artist or "",
    "album": lambda item, _: item.album or "", "date": lambda item, _: item.date or "",
    "day": lambda item, _: (item.date or "")[:10], "month": lambda item, _: (item.date or "")[:7],
    "year": lambda item, _: (item.date or "")[:4],
    "duration": lambda item, _: say_duration(item.duration) if item.duration else "", "pixels": _pixels,
    "path": lambda _, entry: say_path(entry) if entry else "",
    "name": lambda _, entry: PurePosixPath(say_path(entry)).name if entry else "",
    "folder": lambda _, entry: PurePosixPath(say_path(entry)).parent.name if entry else "",
    "size": lambda _, entry: say_size(entry.size) if entry else "",
    "modified": lambda _, entry: say_time(entry.mtime_ns)[:16] if entry else "",
    "state": lambda _, entry: entry.state if entry else "",
    "copies": lambda item, _: str(len(item.files)),
    "tags": _tags, "rating": _rating,
    "plays": lambda item, _: human.say_value("play_count", item.work.get("play_count", "")),
}  # fmt: skip
_RIGHT = ("size", "duration", "rating", "plays", "copies", "year")
# Fields of the file that the columns above need beside themselves.
_NEEDS = {"tags": ("keywords",), "rating": ("rating",)}
# By what lines can be grouped: the sort key that brings equal values together, and the column that is the heading.
GROUPS = {"kind": "kind", "format": "format", "artist": "artist", "album": "album", "year": "date", "month": "date",
          "day": "date", "date": "date", "modified": "modified", "rating": "-rating"}  # fmt: skip


def check_columns(names: Sequence[str]) -> str | None:
    """The first name that is no column; None when all are."""
    fields = (name for name in names if name not in _SHOWN)
    return next((n for n in fields if n not in FIELDS and n + "s" not in FIELDS and not n.startswith("user_")), None)


def _number(name: str) -> bool:
    if name in _SHOWN:
        return name in _RIGHT
    return name in FIELDS and FIELDS[name].type in ("integer", "number") and not FIELDS[name].plural


def near_columns(name: str) -> list[str]:
    """Columns that may have been meant."""
    from difflib import get_close_matches  # 10 ms of imports: for mistakes only

    return get_close_matches(name, sorted({*_SHOWN, *FIELDS}), n=4)


def fields_of(names: Sequence[str]) -> list[str]:
    """The fields that the daemon is asked for to show these columns."""
    found = [each for name in names for each in (name, name + "s", *_NEEDS.get(name, ())) if each in FIELDS]
    return list(dict.fromkeys(found)) or ["title"]


def _cell(item: model.Item, name: str) -> str:
    entry = item.files[0] if item.files else None
    if name in _SHOWN:
        return _SHOWN[name](item, entry)
    fields: dict[str, Any] = entry.fields if entry else {}
    for source in (item.work, fields):
        for key in (name, name + "s"):
            if key in source:
                return human.say_value(key, source[key])
    return ""


class Lines:
    """The lines of items, batch by batch: the usual table or one of some columns; `group`: below a line for each
    value, of which equal ones come together."""

    def __init__(self, width: int | None, columns: Sequence[str] = (), group: str = "") -> None:
        self._columns = columns
        self._group = group
        self._value: str | None = None
        room = width - 2 if width is not None and group else width
        if columns:
            self._table = Table(
                [Column(n.upper(), weight=0 if _number(n) else 2 if n == "path" else 1, right=_number(n),
                        tail=n == "path") for n in columns], room,
            )  # fmt: skip
        else:
            self._table = item_table(room)

    def _row(self, item: model.Item) -> list[str]:
        return [_cell(item, name) for name in self._columns] if self._columns else item_row(item)

    def add(self, items: Sequence[model.Item]) -> list[str]:
        """Lines of some more items; before the first the headings."""
        lines = self._table.lines([self._row(item) for item in items])
        if not self._group:
            return lines
        headings = lines[: len(lines) - len(items)]
        found = ["  " + line for line in headings]
        for item, line in zip(items, lines[len(headings) :], strict=True):
            value = _group_value(item, self._group)
            if value != self._value:
                self._value = value
                found += [show_text(value) if value else f"(no {self._group})"]
            found.append("  " + line)
        return found


def _group_value(item: model.Item, group: str) -> str:
    if group == "date":
        return _cell(item, "day")
    return _cell(item, group)[:10] if group == "modified" else _cell(item, group)


def facet_lines(facet: questions.Facet, width: int | None, bars: bool = True) -> list[str]:
    """A table of values, how many items have each, and on a terminal a bar."""
    if not facet.values:
        return [f"{facet.field.upper()}  (none has a value)"]
    most = max(items for _value, items in facet.values)
    columns = [Column(facet.field.upper(), weight=1), Column("ITEMS", right=True)]
    rows = [[value, f"{items:,}"] for value, items in facet.values]
    if width is not None and bars:
        columns.append(Column(""))
        for row, (_value, items) in zip(rows, facet.values, strict=True):
            row.append(_bar(items / most))
    lines = Table(columns, width).lines(rows)
    return lines + (["... and more: --facet-limit"] if facet.more else [])


def _bar(share: float) -> str:
    whole, rest = divmod(round(share * _BAR * 8), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "" if whole else _EIGHTHS[1])


def counted_lines(found: questions.Counted, width: int | None, bars: bool = True) -> list[str]:
    """How many, then the facets, a blank line between."""
    blocks = (
        [] if found.count is None else [[str(found.count)] if not found.facets else [say_count(found.count, "item")]]
    )
    blocks += [facet_lines(each, width, bars) for each in found.facets]
    return [line for number, block in enumerate(blocks) for line in ([""] if number else []) + block]


def explain_lines(found: questions.Explanation, width: int | None) -> list[str]:
    """How a question is understood and answered."""
    room = None if width is None else width - 2

    def inside(lines: Sequence[str]) -> list[str]:
        shown = [show_text(line) for line in lines]
        return ["  " + (line if room is None else cut(line, room)) for line in shown]

    sql = " ".join(found.sql.split())
    share = "not known" if found.share >= 1 else f"{found.share:.2%} of the files"
    return [
        "understood as", *inside(found.tree),
        "", f"what the index finds, by its statistics: {share}",
        "", "statement of the first page", *inside([sql] if room is None else textwrap.wrap(
            sql, room, break_long_words=False, break_on_hyphens=False)),
        *(["", "parameters", *inside(found.parameters)] if found.parameters else []),
        "", "plan", *inside(found.plan),
    ]  # fmt: skip
