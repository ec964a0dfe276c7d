"""A syntax tree's SQL. Every value is a parameter: text of a question never becomes text of a statement.

Pages go by key (settled 18): a cursor is the last item (and file) given, with a digest of the question it belongs to.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from mediad.errors import StaleCursor
from mediad.fold import WORD_LENGTH
from mediad.query.tree import And, Choice, InCollection, Node, Not, Number, Starred, Tag, Text, Words
from mediad.store.queries import Statement
from mediadb_contract.fields import FIELDS

_CURSOR_VERSION = 1
# Of so many free words some may be in tags that a person gave: each word more is two subqueries.
MIXED_MOST = 8
_COLUMNS = {"size": "f.size", "duration": "r.duration", "width": "r.width", "height": "r.height",
            "year": "substring(r.date, 1, 4)::integer"}  # fmt: skip
# Files that have a value of these fields for which `where` holds. Only parameters' names are put in.
_VALUES = """f.id IN (SELECT t.file FROM file_text t WHERE t.value_ids && ARRAY(SELECT v.id FROM value v
    WHERE v.field IN (SELECT e::smallint FROM jsonb_array_elements_text({numbers}) e) AND {where}))"""
# The files that an XMP side file s is beside: photo.jpg.xmp and photo.xmp beside photo.jpg (side_file of the schema,
# from the other end, for there are few side files that match and many files).
_MAIN_OF_SIDE = """CROSS JOIN LATERAL (SELECT substring(s.name from 1 for length(s.name) - 4) AS base) b
    JOIN file x ON x.dir = s.dir AND x.id <> s.id AND (x.name = b.base OR (x.name > b.base || '.'::bytea
    AND x.name < b.base || '/'::bytea AND position('.'::bytea in substring(x.name from length(b.base) + 2)) = 0))
    AND lower(right(encode(s.name, 'escape'), 4)) = '.xmp' AND length(s.name) > 4"""
_CHOICES = {
    "kind": "coalesce(r.kind, f.kind_guess)",
    "format": "r.format",
    "state": "CASE WHEN f.type <> 'f' THEN 'read' ELSE coalesce(r.state, 'listed') END",
}


class _Builder:
    def __init__(self, actor: str = "") -> None:
        self.actor = actor
        self.params: list[Any] = []
        self.asks_missing = False

    def param(self, value: Any, kind: str) -> str:
        self.params.append(value)
        return f"${len(self.params)}::{kind}"

    def sql(self, node: Node) -> str:
        if isinstance(node, And):
            return " AND ".join(f"({self.sql(n)})" for n in node.nodes) or "true"
        if isinstance(node, Not):
            return f"NOT ({self.sql(node.node)})"
        if isinstance(node, Words):
            return self._words(node)
        if isinstance(node, Text):
            return self._text(node)
        if isinstance(node, Tag):
            return self._tag(node)
        if isinstance(node, Starred):
            mine = f"w.actor = {self._who()} AND w.starred_ns IS NOT NULL"
            return f"f.stream IN (SELECT w.stream FROM work_actor w WHERE {mine})"
        if isinstance(node, InCollection):
            return self._collection(node)
        if isinstance(node, Number):
            return self._number(node)
        return self._choice(node)

    def _words(self, node: Words) -> str:
        if not node.words:
            return "true"
        # What is indexed of a word is its beginning; PostgreSQL refuses more than 2,046 bytes of one.
        question = " & ".join(f"'{word}':*" for word in (w.replace("'", "")[:WORD_LENGTH] for w in node.words) if word)
        named = self._has_words(question)
        if len(node.words) > MIXED_MOST:
            return named
        # Words may be spread over the file and the tags that a person gave it.
        tags = [self._has_tag(word) for word in node.words]
        each = " AND ".join(
            f"({self._has_words(self._prefix(word))} OR {tag})" for word, tag in zip(node.words, tags, strict=True)
        )
        return f"({named} OR (({' OR '.join(tags)}) AND {each}))"

    @staticmethod
    def _prefix(word: str) -> str:
        return f"'{word.replace(chr(39), '')[:WORD_LENGTH]}':*"

    def _has_words(self, question: str) -> str:
        asked = self.param(question, "tsquery")
        return (
            f"f.id IN (SELECT t.file FROM file_text t WHERE t.words @@ {asked} "
            f"UNION ALL SELECT d.file FROM todo d WHERE d.words @@ {asked})"
        )

    def _has_tag(self, word: str) -> str:
        first, inner = self.param(word + "%", "text"), self.param("% " + word + "%", "text")
        return (
            f"f.stream IN (SELECT w.stream FROM work_tag w WHERE NOT w.removed "
            f"AND (w.folded LIKE {first} OR w.folded LIKE {inner}))"
        )

    def _text(self, node: Text) -> str:
        numbers = self.param(_numbers_of(node.fields), "jsonb")
        start = " ".join(node.words)
        first = self.param(start + "%", "text")
        inner = self.param("% " + start + "%", "text")
        said = _VALUES.format(numbers=numbers, where=f"(v.folded LIKE {first} OR v.folded LIKE {inner})")
        names = self.param([*node.fields, *(name.removeprefix("user_") for name in node.fields)], "jsonb")
        mine = f"SELECT w.stream FROM work_field w WHERE w.name IN (SELECT jsonb_array_elements_text({names}))"
        # A person's word goes before the file's (settled 12).
        return (
            f"(f.stream IN ({mine} AND (w.folded LIKE {first} OR w.folded LIKE {inner})) "
            f"OR ({said} AND f.stream NOT IN ({mine})))"
        )

    def _who(self) -> str:
        return self.param(self.actor, "text")

    def _tag(self, node: Tag) -> str:
        start = " ".join(node.words)
        first, inner = self.param(start + "%", "text"), self.param("% " + start + "%", "text")
        number = self.param(FIELDS["keywords"].number, "smallint")
        said = f"v.field = {number} AND (v.folded LIKE {first} OR v.folded LIKE {inner})"
        kept = "NOT EXISTS (SELECT FROM work_tag w WHERE w.stream = x.stream AND w.removed AND w.tag = v.content)"
        texts = "FROM value v JOIN file_text t ON t.value_ids @> ARRAY[v.id]"
        return (
            f"(f.stream IN (SELECT w.stream FROM work_tag w WHERE NOT w.removed "
            f"AND (w.folded LIKE {first} OR w.folded LIKE {inner})) "
            f"OR f.id IN (SELECT t.file {texts} JOIN file x ON x.id = t.file WHERE {said} AND {kept}) "
            f"OR f.id IN (SELECT x.id {texts} JOIN file s ON s.id = t.file {_MAIN_OF_SIDE} WHERE {said} AND {kept}))"
        )

    def _collection(self, node: InCollection) -> str:
        start = " ".join(node.words)
        first, inner = self.param(start + "%", "text"), self.param("% " + start + "%", "text")
        kind = self.param(node.kind, "text")
        return (
            f"f.stream IN (SELECT e.stream FROM collection_entry e JOIN collection c ON c.id = e.collection "
            f"WHERE c.kind = {kind} AND c.actor IN ('', {self._who()}) "
            f"AND (c.folded LIKE {first} OR c.folded LIKE {inner}))"
        )

    def _number(self, node: Number) -> str:
        if node.fields[0] == "rating":
            who = self._who()
            mine = f"SELECT w.stream FROM work_actor w WHERE w.actor = {who} AND w.rating IS NOT NULL"
            number = self.param(_numbers_of(("rating",)), "jsonb")
            said = _VALUES.format(numbers=number, where=self._bounds("v.number", node))
            return (
                f"(f.stream IN ({mine} AND {self._bounds('w.rating', node)}) OR ({said} AND f.stream NOT IN ({mine})))"
            )
        if node.fields[0] == "plays":
            plays = self._bounds("w.plays", node)
            return f"f.stream IN (SELECT w.stream FROM work_actor w WHERE w.actor = {self._who()} AND {plays})"
        if node.fields[0] in _COLUMNS:
            return self._bounds(_COLUMNS[node.fields[0]], node)
        numbers = self.param(_numbers_of(node.fields), "jsonb")
        return _VALUES.format(numbers=numbers, where=self._bounds("v.number", node))

    def _bounds(self, column: str, node: Number) -> str:
        parts = []
        if node.low is not None:
            parts.append(f"{column} {'>' if node.above else '>='} {self.param(node.low, 'double precision')}")
        if node.high is not None:
            parts.append(f"{column} {'<' if node.below else '<='} {self.param(node.high, 'double precision')}")
        return " AND ".join(parts) or f"{column} IS NOT NULL"

    def _choice(self, node: Choice) -> str:
        column = _CHOICES[node.column]
        if node.column == "state" and "missing" in node.values:
            self.asks_missing = True
            return "f.missing_since_ns IS NOT NULL"
        return f"{column} IN (SELECT jsonb_array_elements_text({self.param(list(node.values), 'jsonb')}))"


def _numbers_of(fields: tuple[str, ...]) -> list[int]:
    return [FIELDS[name].number for name in fields if name in FIELDS]


def _page(
    tree: And, *, files: bool, cursor: tuple[uuid.UUID, int] | None, limit: int, actor: str
) -> tuple[Statement, list[Any]]:
    """The statement of one page: rows of (stream,) or, with `files`, (stream, file)."""
    builder = _Builder(actor)
    where = builder.sql(tree)
    if not builder.asks_missing:
        where += " AND f.missing_since_ns IS NULL"
    if cursor is not None:
        stream = builder.param(cursor[0], "uuid")
        where += (
            f" AND (f.stream, f.id) > ({stream}, {builder.param(cursor[1], 'bigint')})"
            if files
            else f" AND f.stream > {stream}"
        )
    what, order = ("f.stream, f.id", "f.stream, f.id") if files else ("DISTINCT f.stream", "f.stream")
    most = builder.param(limit, "integer")
    sql = f"SELECT {what} FROM file f LEFT JOIN reading r ON r.file = f.id WHERE {where} ORDER BY {order} LIMIT {most}"
    return Statement("search", sql, "A page of a question.", "mediad.store.search", prepared=False), builder.params


@dataclass(frozen=True, slots=True)
class Question:
    """A question that can be paged."""

    tree: And
    files: bool
    digest: bytes
    actor: str = ""  # whose ratings, stars and plays are meant

    @classmethod
    def of(cls, tree: And, files: bool, actor: str = "") -> Question:
        """`digest` stands for the meaning, not for the spelling."""
        meaning = repr((tree, files, actor) if actor else (tree, files))
        return cls(tree, files, hashlib.blake2b(meaning.encode(), digest_size=8).digest(), actor)

    def among(self, streams: list[str]) -> tuple[Statement, list[Any]]:
        """Which of these items match, present or not."""
        builder = _Builder(self.actor)
        where = builder.sql(self.tree)
        asked = builder.param(streams, "jsonb")
        sql = (
            f"SELECT DISTINCT f.stream FROM file f LEFT JOIN reading r ON r.file = f.id WHERE f.stream IN "
            f"(SELECT value::uuid FROM jsonb_array_elements_text({asked})) AND {where}"
        )
        return Statement(
            "among", sql, "Some items of a question.", "mediad.store.search", prepared=False
        ), builder.params

    def page(self, cursor: tuple[uuid.UUID, int] | None, limit: int) -> tuple[Statement, list[Any]]:
        """The statement and parameters of the page after `cursor`."""
        return _page(self.tree, files=self.files, cursor=cursor, limit=limit, actor=self.actor)

    def pack_cursor(self, stream: uuid.UUID, file: int) -> bytes:
        """An opaque cursor: version, question, last item, last file."""
        return bytes([_CURSOR_VERSION]) + self.digest + stream.bytes + file.to_bytes(8, "big", signed=True)

    def unpack_cursor(self, cursor: bytes) -> tuple[uuid.UUID, int] | None:
        """What a cursor stands for; None for none. Raises StaleCursor for one of another question or version."""
        if not cursor:
            return None
        if len(cursor) != 33 or cursor[0] != _CURSOR_VERSION or cursor[1:9] != self.digest:
            raise StaleCursor("this cursor belongs to another question or version")
        return uuid.UUID(bytes=cursor[9:25]), int.from_bytes(cursor[25:], "big", signed=True)
