"""Statements of a question: a page in the order of addition or of sort keys, which items match, how many.

Pages go by key (settled 18): a cursor is the sort values and the number of the last file given, with a digest of the
question it belongs to. An item with several files stands where its first matching file stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mediad.errors import StaleCursor
from mediad.query.tree import Node, Part, Query, Sort
from mediad.store.queries import Statement
from mediad.store.search import Builder, Expansions

_CURSOR_VERSION = 2


def _plain(column: str) -> str:
    """Text as people look for it in a list: Á with A, whatever the case. Marks that combine are U+0300 to U+036F."""
    decomposed = f"normalize(lower({column}), NFKD)"
    return f"regexp_replace({decomposed}, '[\u0300-\u036f]', '', 'g') COLLATE \"C\""


# What each key sorts by, the table it needs, and its type.
_KEYS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "added": (("f.id", "f", "bigint"),),
    "name": (("lower(encode(f.name, 'escape')) COLLATE \"C\"", "f", "text"),),
    "title": ((_plain("r.title"), "r", "text"),),
    "artist": ((_plain("r.artist"), "r", "text"),),
    "album": (
        (_plain("r.album"), "r", "text"), ("(d.fields ->> 'disc_number')::float8", "d", "float8"),
        ("(d.fields ->> 'track_number')::float8", "d", "float8"),
    ),
    "date": (("r.date COLLATE \"C\"", "r", "text"),), "year": (("substring(r.date, 1, 4) COLLATE \"C\"", "r", "text"),),
    "modified": (("f.mtime_ns", "f", "bigint"),), "size": (("f.size", "f", "bigint"),),
    "duration": (("r.duration", "r", "float8"),), "width": (("r.width", "r", "integer"),),
    "height": (("r.height", "r", "integer"),), "kind": (("coalesce(r.kind, f.kind_guess) COLLATE \"C\"", "r", "text"),),
    "format": (("r.format COLLATE \"C\"", "r", "text"),),
    "rating": (("coalesce((SELECT w.rating FROM work_actor w WHERE w.stream = f.stream AND w.actor = {who}), "
                "(d.fields ->> 'rating')::float8)::float8", "d", "float8"),),
    "plays": (("(SELECT w.plays FROM work_actor w WHERE w.stream = f.stream AND w.actor = {who})", "f", "integer"),),
    "played": (
        ("(SELECT w.played_ns FROM work_actor w WHERE w.stream = f.stream AND w.actor = {who})", "f", "bigint"),
    ),
    "random": (("hashint8extended(f.id, {seed})", "f", "bigint"),),
}  # fmt: skip
_TEXT = (
    "(SELECT file, words FROM file_text UNION ALL "
    "SELECT file, words FROM todo WHERE coalesce(words IS NOT NULL, false)) t"
)
# The same where the index finds what matches.
_FOUND = "(SELECT file, words FROM file_text UNION ALL SELECT file, words FROM todo) t"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: sort values and the file's number."""

    values: tuple[Any, ...]
    file: int


# Where there is always a value: an index has their order either way.
_ALWAYS = frozenset({"f.id", "f.mtime_ns", "f.size"})


@dataclass(frozen=True, slots=True)
class Column:
    """One sort expression."""

    sql: str
    kind: str
    down: bool

    @property
    def order(self) -> str:
        """As ORDER BY has it."""
        nulls = "" if self.sql in _ALWAYS else " NULLS LAST"
        return f"{self.sql} {'DESC' if self.down else 'ASC'}{nulls}"


@dataclass(frozen=True, slots=True)
class Question:
    """A question that can be paged. `expansions`: of the parts that are open at their beginning."""

    query: Query
    files: bool
    digest: bytes
    actor: str
    now: datetime
    expansions: Expansions
    share: Callable[[str], float] = lambda query: 1.0
    common: frozenset[Part] = frozenset()

    @classmethod
    def of(cls, query: Query, files: bool, actor: str, now: datetime, expansions: Expansions, asked: Node) -> Question:
        """`asked`: the tree before anything was looked up: its digest stands for the meaning, not the spelling."""
        meaning = repr((asked, query.sort, files, actor))
        return cls(query, files, hashlib.blake2b(meaning.encode(), digest_size=8).digest(), actor, now, expansions)

    # -------------------------------------------------------------- statements

    def builder(self, *, walk: bool = False) -> Builder:
        """What makes its conditions."""
        return Builder(self.actor, self.now, self.expansions, share=self.share, common=self.common, walk=walk)

    def _columns(self, builder: Builder, sort: Sequence[Sort]) -> list[Column]:
        columns = []
        for each in sort:
            for sql, table, kind in _KEYS[each.key]:
                if table != "f":
                    builder.uses.update(("r", "d") if table == "d" else ("r",))
                if "{who}" in sql:
                    sql = sql.format(who=builder.param(self.actor, "text"))
                elif "{seed}" in sql:
                    sql = sql.format(seed=builder.param(int.from_bytes(self.digest[:4], "big"), "bigint"))
                columns.append(Column(sql, kind, each.down))
        return columns

    @staticmethod
    def _from(builder: Builder, dated: bool | None = None) -> str:
        text = _FOUND if builder.indexed and not builder.walk else _TEXT
        sql = f"{text} JOIN file f ON f.id = t.file" if "t" in builder.uses else "file f"
        if "r" in builder.uses:
            sql += f" {'' if dated else 'LEFT '}JOIN reading r ON r.file = f.id"
        if "d" in builder.uses:
            sql += " LEFT JOIN file_detail d ON d.file = f.id"
        return sql

    def _where(self, builder: Builder, *, missing: bool = False) -> str:
        condition = builder.of(self.query.tree)
        builder.indexed = condition.index is not None
        where = builder.sql(condition)
        return where if builder.asks_missing or missing else f"{where} AND f.missing_since_ns IS NULL"

    def page(
        self, after: Place | None, limit: int, *, span: tuple[int, int | None] | None = None, walk: bool = False,
        dated: bool | None = None,
    ) -> tuple[Statement, list[Any]]:  # fmt: skip
        """Rows of (file, stream, whether the stream has other files, sort values...). `span`: only files of numbers in
        (low, high]; `walk`: go through them one after the other, else by the index; `dated`: only files that have, or
        have not, the date that is the first sort key: the first are in the order of an index."""
        builder = self.builder(walk=walk)
        where = self._where(builder)
        indexed = builder.indexed
        columns = self._columns(builder, self.query.sort)
        if dated is not None:
            where += f" AND r.date IS {'NOT NULL' if dated else 'NULL'}"
        if after is not None and columns:
            where += f" AND ({_behind(builder, columns, after)})"
            if dated or columns[0].sql in _ALWAYS:  # the same once more, as an index can use it
                bound = builder.param(after.values[0], columns[0].kind)
                where += f" AND {columns[0].sql} {'<=' if columns[0].down else '>='} {bound}"
        elif after is not None or span is not None:
            low, high = span if span is not None else (after.file if after is not None else 0, None)
            number = "t.file" if "t" in builder.uses else "f.id"
            where += f" AND {number} > {builder.param(low, 'bigint')}"
            if high is not None:
                where += f" AND {number} <= {builder.param(high, 'bigint')}"
        order = [c.order for c in columns]
        if dated is not None:
            order[:1] = [f"{columns[0].sql} {'DESC' if columns[0].down else 'ASC'}"] if dated else []
        by_number = columns or walk or not indexed
        order.append("f.id" if by_number else "(f.id + 0)")  # what the index finds is sorted, not gone through in order
        others = "EXISTS (SELECT FROM file o WHERE o.stream = f.stream AND o.id <> f.id)"
        values = "".join(f", {c.sql} AS v{number}" for number, c in enumerate(columns))
        # Whether there are other files is asked of the page's rows only.
        names = "".join(f", v{number}" for number in range(len(columns)))
        tables = self._from(builder, dated)
        sql = (
            f"SELECT f.id, f.stream, {others}{names} FROM (SELECT f.id, f.stream{values} FROM {tables} "
            f"WHERE {where} ORDER BY {', '.join(order)} LIMIT {int(limit)}) f"
        )
        return _statement("search", sql, "A page of a question."), builder.params

    def first_files(self, streams: list[str]) -> tuple[Statement, list[Any]]:
        """Of each of these items the matching file at which it stands: (stream, file)."""
        builder = self.builder()
        where = self._where(builder)
        columns = self._columns(builder, self.query.sort)
        order = [c.order for c in columns]
        asked = builder.param(streams, "jsonb")
        sql = (
            f"SELECT DISTINCT ON (f.stream) f.stream, f.id FROM {self._from(builder)} WHERE f.stream IN "
            f"(SELECT value::uuid FROM jsonb_array_elements_text({asked})) AND {where} "
            f"ORDER BY f.stream, {', '.join([*order, 'f.id'])}"
        )
        return _statement("first_files", sql, "Where items of a question stand."), builder.params

    def among(self, streams: list[str], *, missing: bool = False) -> tuple[Statement, list[Any]]:
        """Which of these items match; with `missing`, by files that are gone too."""
        builder = self.builder()
        where = self._where(builder, missing=missing)
        asked = builder.param(streams, "jsonb")
        sql = (
            f"SELECT DISTINCT f.stream FROM {self._from(builder)} WHERE f.stream IN "
            f"(SELECT value::uuid FROM jsonb_array_elements_text({asked})) AND {where}"
        )
        return _statement("among", sql, "Some items of a question."), builder.params

    def count(self) -> tuple[Statement, list[Any]]:
        """How many items, or files, match."""
        builder = self.builder()
        where = self._where(builder)
        what = "count(*)" if self.files else "count(DISTINCT f.stream)"
        sql = f"SELECT {what} FROM {self._from(builder)} WHERE {where}"
        return _statement("count", sql, "How many match."), builder.params

    def matches(self) -> tuple[str, list[Any]]:
        """The files that match, as a subselect of (file, stream), for facets."""
        builder = self.builder()
        where = self._where(builder)
        return f"SELECT f.id AS file, f.stream FROM {self._from(builder)} WHERE {where}", builder.params

    # -------------------------------------------------------------- cursors

    def pack_cursor(self, place: Place, left: int | None) -> bytes:
        """An opaque cursor: version, question, last file, how many its `limit:` leaves, sort values."""
        values = json.dumps(place.values, ensure_ascii=False, separators=(",", ":")).encode() if place.values else b""
        head = bytes([_CURSOR_VERSION]) + self.digest + place.file.to_bytes(8, "big", signed=True)
        return head + (left or 0).to_bytes(4, "big") + values

    def unpack_cursor(self, cursor: bytes) -> tuple[Place | None, int | None]:
        """What a cursor stands for: the place and how many are left; None for none. Raises StaleCursor for one of
        another question or version."""
        if not cursor:
            return None, None
        try:
            values = json.loads(cursor[21:]) if len(cursor) > 21 else []
        except ValueError:
            values = None
        width = sum(len(_KEYS[each.key]) for each in self.query.sort)
        if (
            len(cursor) < 21 or cursor[0] != _CURSOR_VERSION or cursor[1:9] != self.digest
            or not isinstance(values, list) or len(values) != width
        ):  # fmt: skip
            raise StaleCursor("this cursor belongs to another question or version")
        place = Place(tuple(values), int.from_bytes(cursor[9:17], "big", signed=True))
        return place, int.from_bytes(cursor[17:21], "big") or None


def _behind(builder: Builder, columns: Sequence[Column], place: Place) -> str:
    """The condition of all that is behind a place: greater in the first key, or equal there and greater in the next."""
    alternatives = []
    equal: list[str] = []
    for column, value in zip(columns, place.values, strict=True):
        if value is not None:
            asked = builder.param(value, column.kind)
            beyond = f"{column.sql} {'<' if column.down else '>'} {asked}"
            if column.sql not in _ALWAYS:
                beyond = f"({beyond} OR {column.sql} IS NULL)"
            alternatives.append(" AND ".join([*equal, beyond]))
            equal.append(f"{column.sql} = {asked}")
        else:
            equal.append(f"{column.sql} IS NULL")
    alternatives.append(" AND ".join([*equal, f"f.id > {builder.param(place.file, 'bigint')}"]))
    return " OR ".join(f"({each})" for each in alternatives)


# Shapes of questions that were asked lately: a connection keeps what it prepared for a statement of the same identity.
_SHAPES: dict[str, Statement] = {}
_SHAPES_MOST = 32


def _statement(name: str, sql: str, comment: str) -> Statement:
    known = _SHAPES.get(sql)
    if known is None:
        prepared = len(_SHAPES) < _SHAPES_MOST
        known = Statement(name, sql, comment, "mediad.store.pages", prepared=prepared)
        if prepared:
            _SHAPES[sql] = known
    return known
