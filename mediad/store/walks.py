"""Statements of a walk through the library: pages of albums, artists, genres in an order that an index has.

Pages go by key (settled 18): a cursor is the sort values and the id of the last row given, with a digest of what was
asked. All keys of an order go the same way, so that what is behind a place is one comparison of rows, which PostgreSQL
answers from where an index stands (manual, 9.25.5 "Row Constructor Comparison").
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mediad.errors import InvalidArgument, StaleCursor
from mediad.fold import fold, tokens
from mediad.store.queries import Statement

_CURSOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class Order:
    """A sort key: its expressions with their types, before the tie-breaker; `down`: it is given greatest first when
    nothing else is asked; `table`: whose rows alone have it (p: played by the actor, w: starred or rated)."""

    keys: tuple[tuple[str, str], ...]
    tie: str = "a.meta"
    down: bool = False
    table: str = ""


ALBUM_ORDERS = {
    "name": Order((("a.sort", "text"),)),
    "artist": Order((("a.credit_sort", "text"), ("a.sort", "text"))),
    "year": Order((("coalesce(a.year, {last})", "integer"), ("a.sort", "text"))),
    "added": Order((("a.created_ns", "bigint"),), down=True),
    "recent": Order((("p.played_ns", "bigint"),), "p.album", down=True, table="p"),
    "frequent": Order((("p.plays", "bigint"),), "p.album", down=True, table="p"),
    "starred": Order((("w.starred_ns", "bigint"),), "w.meta", down=True, table="w"),
    "rating": Order((("w.rating", "real"),), "w.meta", down=True, table="w"),
    "random": Order((("uuid_hash_extended(a.meta, {seed})", "bigint"),)),
}
_NAME = {"name": Order((("a.sort", "text"),))}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked of. `matches`: a subselect of (file, stream) with its parameters, of a question."""

    what: str
    actor: str
    sort: str = ""
    prefix: str = ""
    artist: str = ""
    genre: str = ""
    year_from: int = 0
    year_to: int = 0
    starred: bool = False
    everybody: bool = False
    matches: tuple[str, tuple[Any, ...]] | None = None
    meaning: bytes = b""  # of the question

    @property
    def digest(self) -> bytes:
        """What a cursor of it belongs to."""
        filters = (self.prefix, self.artist, self.genre, self.year_from, self.year_to, self.starred, self.everybody)
        told = repr((self.what, self.actor, self.sort, filters, self.meaning))
        return hashlib.blake2b(told.encode(), digest_size=8).digest()


@dataclass(slots=True)
class _Builder:
    params: list[Any] = field(default_factory=list)

    def param(self, value: Any, kind: str) -> str:
        self.params.append(value)
        return f"${len(self.params)}::{kind}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the seed of a random order, sort values, the id (of genres the folded name)."""

    seed: int
    values: tuple[Any, ...]
    tie: str


class Walk:
    """Pages of one thing asked. Raises InvalidArgument for an order that is none of its kind."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        orders = ALBUM_ORDERS if asked.what == "albums" else _NAME
        name = asked.sort.removeprefix("-") or "name"
        if name not in orders:
            raise InvalidArgument(f"{asked.what} are sorted by {' '.join(orders)}", asked.sort)
        self.order = orders[name]
        self.down = self.order.down != asked.sort.startswith("-")

    # -------------------------------------------------------------- cursors

    def start(self, cursor: bytes) -> Place:
        """Where a page begins: behind the place of a cursor. Raises StaleCursor for one of another walk."""
        if not cursor:
            return Place(secrets.randbits(31), (), "")
        try:
            seed, values, tie = json.loads(cursor[9:])
            good = isinstance(seed, int) and isinstance(values, list) and isinstance(tie, str)
        except (ValueError, TypeError):
            good = False
        if (
            cursor[0] != _CURSOR_VERSION
            or cursor[1:9] != self.asked.digest
            or not good
            or len(values) != len(self.keys)
        ):
            raise StaleCursor("this cursor belongs to another walk or version")
        return Place(seed, tuple(values), tie)

    def cursor(self, place: Place) -> bytes:
        """The opaque cursor of a place."""
        told = json.dumps((place.seed, place.values, place.tie), ensure_ascii=False, separators=(",", ":"))
        return bytes([_CURSOR_VERSION]) + self.asked.digest + told.encode()

    # -------------------------------------------------------------- statements

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """The sort expressions with their types, before the id."""
        if self.asked.what == "genres":
            return ()  # the folded name is their key
        return self.order.keys

    def page(self, after: Place, limit: int) -> tuple[Statement, list[Any]]:
        """Rows of (id, columns..., sort values...)."""
        builder = _Builder()
        asked = self.asked
        if asked.matches is not None:
            builder.params += asked.matches[1]
        who = "" if asked.what == "genres" else builder.param(asked.actor, "text")
        random = any("{seed}" in sql for sql, _kind in self.keys)
        seed = builder.param(after.seed, "bigint") if random else ""
        where, tables = self._where(builder, who)
        keys = [sql.format(seed=seed, last=-1 if self.down else 99999) for sql, _kind in self.keys]
        tie = "a.folded" if asked.what == "genres" else self.order.tie
        if after.tie:
            kinds = [kind for _sql, kind in self.keys]
            values = [builder.param(value, kind) for value, kind in zip(after.values, kinds, strict=True)]
            values.append(builder.param(after.tie, "text" if asked.what == "genres" else "uuid"))
            where.append(f"({', '.join([*keys, tie])}) {'<' if self.down else '>'} ({', '.join(values)})")
        way = "DESC" if self.down else "ASC"
        order = ", ".join(f"{each} {way}" for each in (*keys, tie))
        named = "".join(f", {sql} AS v{number}" for number, sql in enumerate(keys))
        inner = (
            f"SELECT {tie} AS tie{named} FROM {tables} WHERE {' AND '.join(where) or 'true'} "
            f"ORDER BY {order} LIMIT {int(limit)}"
        )
        values_of = "".join(f", k.v{number}" for number in range(len(keys)))
        outer = ", ".join(f"k.{each} {way}" for each in (*(f"v{number}" for number in range(len(keys))), "tie"))
        sql = f"SELECT k.tie, {self._columns()}{values_of} FROM ({inner}) k {self._shown(who)} ORDER BY {outer}"
        return _statement(f"walk_{asked.what}", sql), builder.params

    def one(self, meta: str) -> tuple[Statement, list[Any]]:
        """The same columns of one album or artist, be its songs missing or not."""
        builder = _Builder()
        who = builder.param(self.asked.actor, "text")
        number = builder.param(meta, "uuid")
        sql = f"SELECT k.tie, {self._columns()} FROM (SELECT {number} AS tie) k {self._shown(who)}"
        return _statement(f"one_of_{self.asked.what}", sql), builder.params

    def _columns(self) -> str:
        if self.asked.what == "albums":
            return (
                "a.name, a.credit, a.songs, a.duration, a.year, to_jsonb(a.genres), a.created_ns, a.cover, "
                "a.compilation, a.musicbrainz_id, w.starred_ns, w.rating, p.plays, p.played_ns, "
                "(SELECT jsonb_agg(jsonb_build_array(x.artist, t.name) ORDER BY x.place) "
                "FROM album_artist x JOIN artist t ON t.meta = x.artist "
                "WHERE x.album = a.meta AND x.place IS NOT NULL)"
            )
        if self.asked.what == "artists":
            return "a.name, a.albums, a.songs, w.starred_ns, w.rating, a.sort_name, a.musicbrainz_id"
        return "a.name, a.songs, a.albums"

    def _shown(self, who: str) -> str:
        # Of the rows of the page only: joined otherwise it read all that the actor ever starred or played.
        work = (
            "LEFT JOIN LATERAL (SELECT w.starred_ns, w.rating FROM work_meta w "
            f"WHERE w.meta = k.tie AND w.actor = {who} OFFSET 0) w ON true"
        )
        if self.asked.what == "albums":
            plays = (
                "LEFT JOIN LATERAL (SELECT p.plays, p.played_ns FROM album_actor p "
                f"WHERE p.album = k.tie AND p.actor = {who} OFFSET 0) p ON true"
            )
            return f"JOIN album a ON a.meta = k.tie {work} {plays}"
        if self.asked.what == "artists":
            return f"JOIN artist a ON a.meta = k.tie {work}"
        return "JOIN genre a ON a.folded = k.tie"

    def _where(self, builder: _Builder, who: str) -> tuple[list[str], str]:
        asked = self.asked
        where: list[str] = []
        if asked.what == "albums":
            tables = "album a"
            where.append("NOT a.loose AND NOT a.missing")
            if self.order.table == "p":
                tables += " JOIN album_actor p ON p.album = a.meta"
                where.append(f"p.actor = {who} AND p.plays > 0")
            self._of_albums(builder, where)
        elif asked.what == "artists":
            tables = "artist a"
            where.append("a.heard" if asked.everybody else "a.listed")
        else:
            tables = "genre a"
            where.append("a.songs > 0")
        if asked.what != "genres":
            key = "rating" if "rating" in self.order.keys[0][0] else "starred_ns"
            if self.order.table == "w" or asked.starred:
                tables += " JOIN work_meta w ON w.meta = a.meta"
                where.append(f"w.actor = {who}")
            if self.order.table == "w":
                where.append(f"w.{key} IS NOT NULL")
            if asked.starred:
                where.append("w.starred_ns IS NOT NULL")
        if asked.prefix:
            where.append(f"a.words @@ {builder.param(_prefix_query(asked.prefix), 'tsquery')}")
        if asked.matches is not None:
            where.append(self._found(asked.matches[0]))
        return where, tables

    def _of_albums(self, builder: _Builder, where: list[str]) -> None:
        asked = self.asked
        if asked.artist:
            artist = builder.param(asked.artist, "uuid")
            own = "" if asked.everybody else " AND x.place IS NOT NULL"
            where.append(f"a.meta IN (SELECT x.album FROM album_artist x WHERE x.artist = {artist}{own})")
        if asked.genre:
            genre = builder.param(fold(asked.genre)[:255] or asked.genre.casefold()[:255], "text")
            where.append(f"a.meta IN (SELECT x.album FROM album_genre x WHERE x.genre = {genre})")
        if asked.year_from:
            where.append(f"a.year >= {builder.param(asked.year_from, 'integer')}")
        if asked.year_to:
            where.append(f"a.year <= {builder.param(asked.year_to, 'integer')}")

    def _found(self, matches: str) -> str:
        """Of what a question finds: through the albums, and the loose songs, of the streams."""
        albums = (
            f"SELECT DISTINCT coalesce(l.child, sm.meta) AS album, sm.meta AS song FROM ({matches}) m "
            "JOIN stream_meta sm ON sm.stream = m.stream "
            "LEFT JOIN meta_link l ON l.parent = sm.meta AND l.role = 'album'"
        )
        if self.asked.what == "albums":
            return f"a.meta IN (SELECT o.album FROM ({albums}) o)"
        if self.asked.what == "genres":
            return f"a.folded IN (SELECT x.genre FROM ({albums}) o JOIN album_genre x ON x.album = o.album)"
        return (
            f"a.meta IN (SELECT x.artist FROM ({albums}) o JOIN album_artist x ON x.album = o.album "
            "WHERE x.place IS NOT NULL "
            "OR EXISTS (SELECT FROM meta_link l WHERE l.parent = o.song AND l.child = x.artist))"
        )


def _prefix_query(prefix: str) -> str:
    """All words of it but the last, and a word that begins with the last."""
    words = tokens(fold(prefix[:1000])) or [prefix[:100].casefold()]
    quoted = ["'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in words]
    return " & ".join([*quoted[:-1], f"{quoted[-1]}:*"])


# Shapes that were asked lately: a connection keeps what it prepared for a statement of the same identity.
_SHAPES: dict[str, Statement] = {}
_SHAPES_MOST = 32


def _statement(name: str, sql: str) -> Statement:
    known = _SHAPES.get(sql)
    if known is None:
        prepared = len(_SHAPES) < _SHAPES_MOST
        known = Statement(name, sql, "A page of a walk.", "mediad.store.walks", prepared=prepared, paged=True)
        if prepared:
            _SHAPES[sql] = known
    return known


def values_of(row: Sequence[Any], walk: Walk) -> tuple[Any, ...]:
    """The sort values at the end of a row of `page`."""
    count = len(walk.keys)
    return tuple(row[len(row) - count :]) if count else ()
