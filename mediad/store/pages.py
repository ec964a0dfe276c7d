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

_CURSOR_VERSION = 3


def _plain(column: str) -> str:
    """Text as people look for it in a list: Á with A, whatever the case. Marks that combine are U+0300 to U+036F. The
    indexes reading_title, reading_artist and reading_album have the same expression, word by word."""
    decomposed = f"normalize(lower(left({column}, 200)), NFKD)"
    return f"left(regexp_replace({decomposed}, '[\u0300-\u036f]', '', 'g'), 200) COLLATE \"C\""


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


# Sort keys in whose order an index of `reading` has the files, (value, file): those with a value in this column.
_ORDERED = {"date": "r.date", "title": "r.title", "artist": "r.artist", "album": "r.album"}
# Above this share of the files what matches is counted without looking at its files.
_MOST_FILES = 0.1
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

    @property
    def down(self) -> bool:
        """Whether files with equal values come the last listed first: an order turned round is turned round whole."""
        return bool(self.query.sort) and self.query.sort[0].down

    @property
    def ordered(self) -> bool:
        """Whether an index has the order of the first sort key."""
        return bool(self.query.sort) and self.query.sort[0].key in _ORDERED

    @property
    def single(self) -> bool:
        """Whether that index has the whole order."""
        return self.ordered and len(self.query.sort) == 1 and len(_KEYS[self.query.sort[0].key]) == 1

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
    def _from(builder: Builder, present: bool | None = None) -> str:
        text = _FOUND if builder.indexed and not builder.walk else _TEXT
        sql = f"{text} JOIN file f ON f.id = t.file" if "t" in builder.uses else "file f"
        if "r" in builder.uses:
            sql += f" {'' if present else 'LEFT '}JOIN reading r ON r.file = f.id"
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
        present: bool | None = None,
    ) -> tuple[Statement, list[Any]]:  # fmt: skip
        """Rows of (file, stream, whether the stream has other files, sort values...). `span`: only files of numbers in
        (low, high]; `walk`: go through them one after the other, else by the index; `present`: only files that have, or
        have not, the first sort key, one of _ORDERED: the first are in the order of an index."""
        builder = self.builder(walk=walk)
        where = self._where(builder)
        indexed = builder.indexed
        columns = self._columns(builder, self.query.sort)
        if present is not None:
            where += f" AND {_ORDERED[self.query.sort[0].key]} IS {'NOT NULL' if present else 'NULL'}"
        if after is not None and columns:
            where += f" AND ({_behind(builder, columns, after)})"
            if present or columns[0].sql in _ALWAYS:  # the same once more, as an index can use it
                bound = builder.param(after.values[0], columns[0].kind)
                where += f" AND {columns[0].sql} {'<=' if columns[0].down else '>='} {bound}"
        elif after is not None or span is not None:
            low, high = span if span is not None else (after.file if after is not None else 0, None)
            number = "t.file" if "t" in builder.uses else "f.id"
            where += f" AND {number} > {builder.param(low, 'bigint')}"
            if high is not None:
                where += f" AND {number} <= {builder.param(high, 'bigint')}"
        order = [c.order for c in columns]
        if present is not None:
            order[:1] = [f"{columns[0].sql} {'DESC' if columns[0].down else 'ASC'}"] if present else []
        by_number = columns or walk or not indexed
        # What the index finds is sorted, not gone through in order.
        order.append(f"f.id{' DESC' if self.down else ''}" if by_number else "(f.id + 0)")
        others = "EXISTS (SELECT FROM file o WHERE o.stream = f.stream AND o.id <> f.id)"
        values = "".join(f", {c.sql} AS v{number}" for number, c in enumerate(columns))
        # Whether there are other files is asked of the page's rows only.
        names = "".join(f", v{number}" for number in range(len(columns)))
        tables = self._from(builder, present)
        sql = (
            f"SELECT f.id, f.stream, {others}{names} FROM (SELECT f.id, f.stream{values} FROM {tables} "
            f"WHERE {where} ORDER BY {', '.join(order)} LIMIT {int(limit)}) f"
        )
        return _statement("search", sql, "A page of a question.", builder), builder.params

    def found_page(self, limit: int, low: int, high: int | None) -> tuple[Statement, list[Any]] | None:
        """The first `limit` files in (low, high] that the index finds, as (file, stream, whether the stream has other
        files, whether it belongs to the answer): nothing else is looked at of any other. None where something is
        compared beside the index, or an order is asked for."""
        builder = self.builder()
        condition = builder.of(self.query.tree)
        if condition.index is None or condition.rows is not None or self.query.sort:
            return None
        asked, after = builder.param(condition.index, "tsquery"), builder.param(low, "bigint")
        upto = "" if high is None else f" AND file <= {builder.param(high, 'bigint')}"
        sql = (
            "SELECT f.id, f.stream, EXISTS (SELECT FROM file o WHERE o.stream = f.stream AND o.id <> f.id), "
            f"f.missing_since_ns IS NULL FROM (SELECT file FROM {_FOUND} WHERE words @@ {asked} AND file > {after}"
            f"{upto} ORDER BY (file + 0) LIMIT {int(limit)}) t CROSS JOIN LATERAL "
            "(SELECT id, stream, missing_since_ns FROM file WHERE id = t.file OFFSET 0) f ORDER BY f.id"
        )
        return _statement("search", sql, "A page of what the index finds.", builder), builder.params

    def ordered_page(self, after: Place | None, limit: int, most: int) -> tuple[Statement, list[Any]]:
        """As `page`, of the files that have a value of the only sort key: the first `most` behind a place are gone
        through in the order of the index, whatever the planner believes of them (OFFSET 0)."""
        builder = self.builder(walk=True)
        where = self._where(builder)
        tables = [f"({self._walk(builder, after, most)}) w"]
        for name, inner in (
            ("t", f"SELECT file, words FROM {_TEXT} WHERE t.file = w.file"),
            ("f", "SELECT * FROM file WHERE id = w.file"), ("r", "SELECT * FROM reading WHERE file = w.file"),
        ):  # fmt: skip
            if name == "f" or name in builder.uses:
                tables.append(f"CROSS JOIN LATERAL ({inner} OFFSET 0) {name}")
        if "d" in builder.uses:
            tables.append("LEFT JOIN LATERAL (SELECT * FROM file_detail WHERE file = w.file OFFSET 0) d ON true")
        turn = " DESC" if self.down else ""
        sql = (
            "SELECT f.id, f.stream, EXISTS (SELECT FROM file o WHERE o.stream = f.stream AND o.id <> f.id), v0 "
            f"FROM (SELECT f.id, f.stream, w.v0 FROM {' '.join(tables)} WHERE {where} "
            f"ORDER BY w.v0{turn}, w.file{turn} LIMIT {int(limit)}) f"
        )
        return _statement("search", sql, "A page of a question, in the order of an index.", builder), builder.params

    def ordered_end(self, after: Place | None, most: int) -> tuple[Statement, list[Any]]:
        """The (value, file) at which `ordered_page` ends; no row where it came to the end of the index."""
        builder = self.builder()
        sql = f"SELECT w.v0, w.file FROM ({self._walk(builder, after, most)}) w OFFSET {int(most) - 1}"
        return _statement("search_end", sql, "Where a page in an index's order ended.", builder), builder.params

    def _walk(self, builder: Builder, after: Place | None, most: int) -> str:
        ((column, _table, kind),) = _KEYS[self.query.sort[0].key]
        behind, turn = "", " DESC" if self.down else ""
        if after is not None:
            place = f"({builder.param(after.values[0], kind)}, {builder.param(after.file, 'bigint')})"
            behind = f" AND ({column}, r.file) {'<' if self.down else '>'} {place}"
        return (
            f"SELECT r.file, {column} AS v0 FROM reading r WHERE {_ORDERED[self.query.sort[0].key]} IS NOT NULL"
            f"{behind} ORDER BY {column}{turn}, r.file{turn} LIMIT {int(most)}"
        )

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
            f"ORDER BY f.stream, {', '.join([*order, 'f.id DESC' if self.down else 'f.id'])}"
        )
        return _statement("first_files", sql, "Where items of a question stand.", builder), builder.params

    def among(self, streams: list[str], *, missing: bool = False) -> tuple[Statement, list[Any]]:
        """Which of these items match; with `missing`, by files that are gone too."""
        builder = self.builder()
        where = self._where(builder, missing=missing)
        asked = builder.param(streams, "jsonb")
        sql = (
            f"SELECT DISTINCT f.stream FROM {self._from(builder)} WHERE f.stream IN "
            f"(SELECT value::uuid FROM jsonb_array_elements_text({asked})) AND {where}"
        )
        return _statement("among", sql, "Some items of a question.", builder), builder.params

    def count(self) -> tuple[Statement, list[Any]]:
        """How many items, or files, match."""
        builder = self.builder()
        condition = builder.of(self.query.tree)
        index, alone = condition.index, condition.rows is None and not builder.asks_missing
        if index is not None and alone and self.share(index) > _MOST_FILES:
            return self._count_found(builder, index)
        builder = self.builder()
        where = self._where(builder)
        what = "count(*)" if self.files else "count(DISTINCT f.stream)"
        sql = f"SELECT {what} FROM {self._from(builder)} WHERE {where}"
        return _statement("count", sql, "How many match.", builder), builder.params

    def _count_found(self, builder: Builder, index: str) -> tuple[Statement, list[Any]]:
        """All rows of the index that match, less those of files that are gone, less the second and further files of an
        item: few are, and the many are counted without their files."""
        holds = f"words @@ {builder.param(index, 'tsquery')}"
        here = (
            f"CROSS JOIN LATERAL (SELECT FROM file_text t WHERE t.file = f.id AND t.{holds} UNION ALL "
            f"SELECT FROM todo t WHERE t.file = f.id AND t.{holds} OFFSET 0) t"
        )
        sql = (
            f"SELECT (SELECT count(*) FROM file_text WHERE {holds}) + (SELECT count(*) FROM todo WHERE {holds}) "
            f"- (SELECT count(*) FROM file f {here} WHERE f.missing_since_ns IS NOT NULL)"
        )
        if not self.files:
            sql += f""" - (SELECT coalesce(sum(x.n - 1), 0)::bigint FROM (SELECT count(*) AS n FROM (
                SELECT stream FROM file GROUP BY stream HAVING count(*) > 1 OFFSET 0) s CROSS JOIN LATERAL (
                SELECT id FROM file WHERE stream = s.stream AND missing_since_ns IS NULL OFFSET 0) f {here}
                GROUP BY s.stream) x)"""
        return _statement("count", sql, "How many the index finds.", builder), builder.params

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
    beyond = f"f.id {'<' if columns[0].down else '>'} {builder.param(place.file, 'bigint')}"
    alternatives.append(" AND ".join([*equal, beyond]))
    return " OR ".join(f"({each})" for each in alternatives)


# Shapes of questions that were asked lately: a connection keeps what it prepared for a statement of the same identity.
_SHAPES: dict[str, Statement] = {}
_SHAPES_MOST = 32


def _statement(name: str, sql: str, comment: str, builder: Builder) -> Statement:
    known = _SHAPES.get(sql)
    if known is None:
        # After five times PostgreSQL plans a prepared statement for any parameters. Of what is compared row by row it
        # must know them: for `first_seen_ns >= $1` it then expects a third of all files and goes through them.
        prepared = len(_SHAPES) < _SHAPES_MOST and not builder.compares
        known = Statement(name, sql, comment, "mediad.store.pages", prepared=prepared)
        if prepared:
            _SHAPES[sql] = known
    return known
