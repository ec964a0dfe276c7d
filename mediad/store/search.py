"""A syntax tree's SQL. Every value is a parameter: text of a question never becomes text of a statement.

What the text index can answer (mediad.query.lexemes) becomes one tsquery: PostgreSQL intersects inside it. A condition
is the index's part, which holds for everything that matches, and a part that is compared row by row; only bounds of
numbers and what the index does not hold need the second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mediad.errors import QuerySyntax
from mediad.fold import fold, runs, tokens, unspaced
from mediad.query import lexemes
from mediad.query.clock import instants, wall_bounds
from mediad.query.names import indexed
from mediad.query.tree import (
    And,
    Below,
    Choice,
    Content,
    Count,
    Date,
    Digest,
    Flag,
    Has,
    Ident,
    InCollection,
    Match,
    Moment,
    Near,
    Node,
    Not,
    Number,
    Or,
    Part,
    Starred,
)  # fmt: skip
from mediad.query.values import regular
from mediadb_contract.fields import FIELDS

# Words of the index by their middle or end; None: more than a question may name one by one.
Expansions = Mapping[Part, tuple[str, ...] | None]
# A share of the files from which on a part of a question is compared rather than looked up.
_BROAD = 0.01
# Words of an end or middle that stand in one tsquery; more are looked up one by one.
SPELT_MOST = 24
_EARTH = 6_371_008.8  # metres, IUGG mean radius
_COLUMNS = {"size": "f.size", "duration": "r.duration", "width": "r.width", "height": "r.height"}
_MOMENTS = {"added": "f.first_seen_ns", "modified": "f.mtime_ns"}
_STATE = "CASE WHEN f.type <> 'f' THEN 'read' ELSE coalesce(r.state, 'listed') END"
_TREE = """f.dir IN (WITH RECURSIVE tree(id) AS (SELECT e.value::bigint FROM jsonb_array_elements_text({dirs}) e
    UNION SELECT d.id FROM tree t JOIN dir d ON d.parent = t.id) SELECT id FROM tree)"""
# Lower case, without signs: of the values that the index does not hold, which are words of a list.
_PLAIN = "btrim(regexp_replace(lower(e.value), '[^[:alnum:]]+', ' ', 'g'))"
_EACH = "jsonb_array_elements_text(CASE jsonb_typeof({v}) WHEN 'array' THEN {v} ELSE jsonb_build_array({v}) END)"


@dataclass(frozen=True, slots=True)
class Condition:
    """`index`: a tsquery that holds for everything that matches, None when there is none. `rows`: SQL that must hold
    too. Both None: everything matches."""

    index: str | None = None
    rows: str | None = None


NOTHING = Condition(None, "false")


@dataclass(slots=True)
class Builder:
    """SQL of one question. `uses`: the tables it needs beside file: t text, r reading, d details."""

    actor: str
    now: datetime
    expansions: Expansions
    params: list[Any] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)
    asks_missing: bool = False
    share: Callable[[str], float] = lambda query: 1.0  # of the files that a tsquery is expected to find
    common: frozenset[Part] = frozenset()  # middles of words that many files have
    indexed: bool = False  # the whole condition has a part that the index answers
    compares: bool = False  # some of it is compared row by row
    walk: bool = False  # write conditions so that no index is used for them

    def param(self, value: Any, kind: str) -> str:
        """A value's place in the statement; equal values share one."""
        self.params.append(value)
        return f"${len(self.params)}::{kind}"

    def sql(self, condition: Condition) -> str:
        """A condition whole, as SQL."""
        parts = []
        if condition.index is not None:
            self.uses.add("t")
            found = f"t.words @@ {self.param(condition.index, 'tsquery')}"
            parts.append(f"({found}) IS TRUE" if self.walk else found)
        if condition.rows is not None:
            self.compares = True
            parts.append(f"({condition.rows})")
        return " AND ".join(parts) or "true"

    def of(self, node: Node) -> Condition:
        """The condition of a tree."""
        if isinstance(node, And):
            return self._and([self.of(each) for each in node.nodes])
        if isinstance(node, Or):
            return self._or([self.of(each) for each in node.nodes])
        if isinstance(node, Not):
            return Condition(None, f"({self.sql(self.of(node.node))}) IS NOT TRUE")
        condition: Condition = _NODES[type(node)](self, node)
        return condition

    def _and(self, parts: Sequence[Condition]) -> Condition:
        queries = [each.index for each in parts if each.index is not None]
        rows = [each.rows for each in parts if each.rows is not None]
        if len(queries) > 1:
            shares = {query: self.share(query) for query in queries}
            least = min(shares.values())
            # What begins so and is frequent is a long list that the index would have to make first: the few rows that
            # the rarer part finds are compared with it instead.
            broad = [query for query in queries if ":*" in query and shares[query] > max(_BROAD, least * 8)]
            queries = [query for query in queries if query not in broad]
            rows += [f"({self.sql(Condition(query))}) IS TRUE" for query in broad]  # so written, no index is used
        return Condition(
            " & ".join(f"({each})" for each in queries) or None, " AND ".join(f"({each})" for each in rows) or None
        )

    def _or(self, parts: Sequence[Condition]) -> Condition:
        parts = [each for each in parts if each != NOTHING]
        if not parts:
            return NOTHING
        if len(parts) == 1:  # not said twice: the planner would take it for two conditions
            return parts[0]
        indexes = [each.index for each in parts]
        if all(each.rows is None for each in parts) and None not in indexes:
            return Condition(" | ".join(f"({each})" for each in indexes))
        # The index narrows down what is compared when every alternative has its part of it.
        index = None if None in indexes else " | ".join(f"({each})" for each in indexes)
        return Condition(index, " OR ".join(f"({self.sql(each)})" for each in parts))

    # -------------------------------------------------------------- text

    def match(self, node: Match) -> Condition:
        """Words of values."""
        if node.fields is None:
            return self._words([""], node.parts, whole=False)
        held = [_sign(name) + "=" for name in node.fields if _held(name)]
        conditions = [self._words(held, node.parts, node.whole)] if held else []
        conditions += [self._plain(name, node) for name in node.fields if not _held(name)]
        return self._or(conditions)

    def _words(self, signs: Sequence[str], parts: Sequence[Part], whole: bool) -> Condition:
        long = [part for part in parts if part.start and not unspaced(part.text) and self.expansions[part] is None]
        if long:
            if len(parts) > 1 or whole:
                raise QuerySyntax("too many words end so: more of it is needed within a phrase", long[0].text)
            return self._each_word(signs, parts[0])
        if len(parts) == 1 and parts[0] in self.common and not whole:
            return self._each_word(signs, parts[0])
        wide = [
            part for part in parts if part.start and not unspaced(part.text) and len(self._spelt(part)) > SPELT_MOST
        ]
        if wide:
            return self._one_by_one(signs, parts, whole, wide[0])
        queries = []
        for sign in signs:
            query = self._phrase(sign, parts, whole)
            if query is None:
                return NOTHING
            queries.append(query)
        return Condition(" | ".join(queries))

    def _spelt(self, part: Part) -> tuple[str, ...]:
        return self.expansions[part] or ()

    def _one_by_one(self, signs: Sequence[str], parts: Sequence[Part], whole: bool, wide: Part) -> Condition:
        """An end or a middle that many words have: the index is asked for each. In one tsquery they would be compared
        with every row that one of them finds, and the planner would take them for a large part of the files."""
        queries = []
        for word in self._spelt(wide):
            one = Part(word)
            found = [self._phrase(sign, [one if part == wide else part for part in parts], whole) for sign in signs]
            queries.append(" | ".join(f"({each})" for each in found if each is not None))
        asked = self.param([each for each in queries if each], "jsonb")
        return Condition(
            None,
            f"""f.id = ANY (ARRAY(SELECT x.file FROM jsonb_array_elements_text({asked}) e CROSS JOIN LATERAL (
            SELECT s.file FROM file_text s WHERE s.words @@ e.value::tsquery
            UNION ALL SELECT s.file FROM todo s WHERE s.words @@ e.value::tsquery) x))""",
        )

    def _phrase(self, sign: str, parts: Sequence[Part], whole: bool) -> str | None:
        atoms: list[str] = [_quote(sign[:-1] + "^")] if whole else []
        for i, part in enumerate(parts):
            if unspaced(part.text):
                found = tokens(part.text)
                if i == len(parts) - 1 and not whole:  # more may stand behind it
                    atoms += (
                        [_quote(sign + part.text) + ":*"]
                        if len(found) == 1
                        else map(_quote, (sign + t for t in found[:-1]))
                    )
                else:
                    atoms += map(_quote, (sign + t for t in found))
            elif part.start:
                words = self.expansions[part]
                if not words:
                    return None
                atoms.append("(" + " | ".join(_quote(sign + word) for word in words) + ")")
            else:
                atoms.append(_quote(sign + part.text) + (":*" if part.end else ""))
        if whole:
            atoms.append(_quote(sign[:-1] + "$"))
        return " <-> ".join(atoms)

    def _each_word(self, signs: Sequence[str], part: Part) -> Condition:
        """A middle that thousands of words have: many files match, so they are gone through."""
        self.uses.add("t")
        likes = [_like(sign) + "%" + part.text + ("%" if part.end else "") for sign in signs]
        asked = self.param(likes, "jsonb")
        free = "l >= '0' AND " if signs == [""] else ""
        return Condition(
            None,
            f"""EXISTS (SELECT FROM (SELECT u COLLATE "C" AS l FROM unnest(tsvector_to_array(t.words)) u) w
            WHERE {free}l LIKE ANY (ARRAY(SELECT jsonb_array_elements_text({asked}))))""",
        )

    def _plain(self, name: str, node: Match) -> Condition:
        """A field that the index does not hold."""
        self.uses.add("d")
        wanted = self.param(regular(node.parts, node.whole), "text")
        value = f"d.fields -> {self.param(name, 'text')}"
        return Condition(None, f"EXISTS (SELECT FROM {_EACH.format(v=f'({value})')} e WHERE {_PLAIN} ~ {wanted})")

    def content(self, node: Content) -> Condition:
        """Words inside documents."""
        query = self._phrase("", node.parts, whole=False)
        if query is None:
            return NOTHING
        return Condition(
            None, f"f.id IN (SELECT c.file FROM content_words c WHERE c.words @@ {self.param(query, 'tsquery')})"
        )

    def has(self, node: Has) -> Condition:
        """Fields that are there."""
        return self._or([self._has(name) for name in node.fields])

    def _has(self, name: str) -> Condition:
        special = {
            "rating": "f.stream IN (SELECT w.stream FROM work_actor w WHERE w.actor = {} AND w.rating IS NOT NULL)",
            "plays": "f.stream IN (SELECT w.stream FROM work_actor w WHERE w.actor = {} AND w.plays > 0)",
            "bookmark": "f.stream IN (SELECT w.stream FROM work_actor w WHERE w.actor = {} AND w.bookmark IS NOT NULL)",
            "played": "f.stream IN (SELECT w.stream FROM work_actor w WHERE w.actor = {} AND w.played_ns IS NOT NULL)",
        }  # fmt: skip
        if name in special:
            mine = Condition(None, special[name].format(self.param(self.actor, "text")))
            return self._or([mine, Condition(_quote(_sign("rating") + "^"))]) if name == "rating" else mine
        if name in ("filename", "size", "kind", "mtime"):
            return Condition()
        if name == "text":
            return Condition(None, "f.id IN (SELECT c.file FROM content c WHERE c.bytes > 0)")
        if name == "format":
            self.uses.add("r")
            return Condition(None, "r.format IS NOT NULL")
        if name in ("month", "day"):
            name = "date"
        if name == "year":
            return Condition(_quote(_sign(name) + "#") + ":*")
        if name == "extension":
            return Condition(_quote(_sign(name) + "=") + ":*")
        if _held(name):
            return Condition(_quote(_sign(name) + "^"))
        self.uses.add("d")
        return Condition(None, f"d.fields ? {self.param(name, 'text')}")

    def flag(self, node: Flag) -> Condition:
        """Yes or no."""
        if FIELDS[node.field].search:
            return Condition(_quote(f"{_sign(node.field)}={'yes' if node.value else 'no'}"))
        self.uses.add("d")
        return Condition(
            None,
            f"d.fields -> {self.param(node.field, 'text')} = {self.param('true' if node.value else 'false', 'jsonb')}",
        )

    def choice(self, node: Choice) -> Condition:
        """Kind, format, state."""
        if node.column != "state":
            words = [fold(value).replace(" ", "") for value in node.values]
            return (
                Condition(" | ".join(_quote(f"{_sign(node.column)}={word}") for word in words if word))
                if any(words)
                else NOTHING
            )
        parts = []
        others = [value for value in node.values if value != "missing"]
        if "missing" in node.values:
            self.asks_missing = True
            parts.append("f.missing_since_ns IS NOT NULL")
        if others:
            self.uses.add("r")
            asked = self.param(others, "jsonb")
            parts.append(f"{_STATE} IN (SELECT jsonb_array_elements_text({asked})) AND f.missing_since_ns IS NULL")
        return Condition(None, " OR ".join(f"({part})" for part in parts))

    # -------------------------------------------------------------- numbers and dates

    def number(self, node: Number) -> Condition:
        """Numbers in bounds."""
        name = node.fields[0]
        if name == "rating":
            who = self.param(self.actor, "text")
            own = f"SELECT w.stream FROM work_actor w WHERE w.actor = {who} AND w.rating IS NOT NULL"
            mine = f"f.stream IN ({own} AND {self._bounds('w.rating', node)})"
            said = self.sql(self._digits("rating", node, exact=True))
            return Condition(None, f"({mine}) OR ({said} AND f.stream NOT IN ({own}))")
        if name == "plays":
            return self._plays(node)
        if name in ("month", "day"):
            self.uses.add("r")
            start = 6 if name == "month" else 9
            return Condition(None, self._bounds(f"nullif(substring(r.date, {start}, 2), '')::integer", node))
        return self._or([self._number(each, node) for each in node.fields])

    def _number(self, name: str, node: Number) -> Condition:
        whole = name == "year" or FIELDS[name].type == "integer"
        held = _held(name)
        if held and whole and all(b is None or abs(b) < 10**4 for b in (node.low, node.high)):
            return self._digits(name, node, exact=True)
        if name in _COLUMNS:
            self.uses.add(_COLUMNS[name][0])
            about = [_quote(f"{_sign(name)}#{each}") + ":*" for each in lexemes.about(node.low, node.high)]
            return Condition(" | ".join(about), self._bounds(_COLUMNS[name], node)) if about else NOTHING
        else:
            self.uses.add("d")
            compared = self._json_bounds(name, node)
        if not held:
            return Condition(None, compared)
        certain, doubtful = self._digits(name, node, exact=False), compared
        index = self._digits(name, node, exact=True).index
        if certain.index is None or certain == NOTHING:
            return Condition(index, doubtful)
        return Condition(index, f"({self.sql(certain)}) OR ({doubtful})")

    @staticmethod
    def _digits(name: str, node: Number, *, exact: bool) -> Condition:
        """`exact`: a bound's own digits count, unless it is left out and certain to be it."""
        certain, doubtful = lexemes.between(node.low, node.high)
        if exact:
            out = {lexemes.number(b) for b, left_out in ((node.low, node.above), (node.high, node.below))
                   if left_out and b is not None and _whole_step(name, b)}  # fmt: skip
            certain = certain + [each for each in doubtful if each not in out]
        if not certain:
            return NOTHING
        mark = _sign(name) + "#"
        return Condition(" | ".join(_quote(mark + each) + ":*" for each in certain))

    def _json_bounds(self, name: str, node: Number) -> str:
        """On the file's own value, or on what a person set instead."""
        parts = []
        values: dict[str, float] = {}
        for key, bound, sign in (
            ("lo", node.low, ">" if node.above else ">="),
            ("hi", node.high, "<" if node.below else "<="),
        ):
            if bound is not None:
                parts.append(f"@ {sign} ${key}")
                values[key] = bound
        path = f'$."{name}" ? ({" && ".join(parts) or "@ == @"})'
        own = self.param([name, name.removesuffix("s")], "jsonb")
        number = "CASE WHEN w.value ~ '^-?[0-9]+(\\.[0-9]+)?$' THEN w.value::float8 END"
        return (
            f"jsonb_path_exists(d.fields, {self.param(path, 'jsonpath')}, {self.param(values, 'jsonb')}) OR EXISTS ("
            "SELECT FROM work_field w WHERE w.stream = f.stream AND w.name IN "
            f"(SELECT jsonb_array_elements_text({own})) "
            f"AND {self._bounds(number, node)})"
        )

    def _plays(self, node: Number) -> Condition:
        who = self.param(self.actor, "text")
        if _inside(0, node):  # who never played it has played it no time
            played = f"(SELECT w.plays FROM work_actor w WHERE w.stream = f.stream AND w.actor = {who})"
            return Condition(None, self._bounds(f"coalesce({played}, 0)", node))
        bounds = self._bounds("w.plays", node)
        return Condition(None, f"f.stream IN (SELECT w.stream FROM work_actor w WHERE w.actor = {who} AND {bounds})")

    def _bounds(self, column: str, node: Number | Count) -> str:
        parts = []
        if node.low is not None:
            parts.append(f"{column} {'>' if node.above else '>='} {self.param(node.low, 'double precision')}")
        if node.high is not None:
            parts.append(f"{column} {'<' if node.below else '<='} {self.param(node.high, 'double precision')}")
        return " AND ".join(parts) or f"{column} IS NOT NULL"

    def date(self, node: Date) -> Condition:
        """Wall clock times, compared as the text they were written as."""
        return self._or([self._date(name, node) for name in node.fields])

    def _date(self, name: str, node: Date) -> Condition:
        if name != "date" and FIELDS[name].type == "time":
            self.uses.add("d")
            low, high = instants(node, self.now)
            column = f"(d.fields ->> {self.param(name, 'text')})::float8"
            return Condition(None, self._between(column, low, high, 1e9, "double precision"))
        low_text, high_text = wall_bounds(node, self.now)
        held = _held(name)
        parts = []
        if name == "date":
            column = 'r.date COLLATE "C"'
        else:
            column = (
                f'(d.fields ->> {self.param(name, "text")}) COLLATE "C"'
                if not held or max(len(low_text or ""), len(high_text or "")) > 10
                else ""
            )
        if low_text is not None:
            parts.append((">", low_text + "~") if node.above else (">=", low_text))
        if high_text is not None:
            parts.append(("<", high_text) if node.below else ("<=", high_text + "~"))
        index = None
        if held:
            first = _date_number(low_text, "9" if node.above else "0") + int(node.above) if low_text else 0
            last = _date_number(high_text, "0" if node.below else "9") - int(node.below) if high_text else 10**8 - 1
            if max(len(low_text or ""), len(high_text or "")) > 10:
                first, last = first - 1 if node.above else first, last + 1 if node.below else last
            prefixes = lexemes.cover(max(first, 0), min(last, 10**8 - 1), lexemes.DATE_DIGITS)
            if not prefixes:
                return NOTHING
            index = " | ".join(_quote(_sign(name) + "@" + each) + ":*" for each in prefixes)
            if max(len(low_text or ""), len(high_text or "")) <= 10:
                return Condition(index)
        self.uses.add("r" if name == "date" else "d")
        compared = " AND ".join(f"{column} {sign} {self.param(text, 'text')}" for sign, text in parts)
        return Condition(index, compared or f"{column} IS NOT NULL")

    def moment(self, node: Moment) -> Condition:
        """Instants that the store knows to the nanosecond."""
        low, high = instants(node, self.now)
        if node.column == "played":
            who = self.param(self.actor, "text")
            bounds = self._between("w.played_ns", low, high, 1, "bigint")
            return Condition(
                None, f"f.stream IN (SELECT w.stream FROM work_actor w WHERE w.actor = {who} AND {bounds})"
            )
        compared = self._between(_MOMENTS[node.column], low, high, 1, "bigint")
        if node.column != "modified":
            return Condition(None, compared)
        first = int(lexemes.utc_day(low)) if low is not None else 0
        last = int(lexemes.utc_day(high)) if high is not None else 10**8 - 1
        prefixes = lexemes.cover(first, last, lexemes.DATE_DIGITS)
        if not prefixes:
            return NOTHING
        return Condition(" | ".join(_quote(_sign("mtime") + "@" + each) + ":*" for each in prefixes), compared)

    def _between(self, column: str, low: int | None, high: int | None, unit: float, kind: str) -> str:
        """From `low` (included) to `high` (not included), in nanoseconds."""
        parts = []
        for sign, bound in ((">=", low), ("<", high)):
            if bound is not None:
                parts.append(f"{column} {sign} {self.param(bound if unit == 1 else bound / unit, kind)}")
        return " AND ".join(parts) or f"{column} IS NOT NULL"

    def near(self, node: Near) -> Condition:
        """By the haversine; the index gives the box around the circle."""
        self.uses.add("d")
        high = math.degrees(node.metres / _EARTH)
        box = [self._digits("latitude", Number(("latitude",), node.latitude - high, node.latitude + high), exact=True)]
        if abs(node.latitude) + high < 89.9:
            wide = math.degrees(
                math.asin(min(1.0, math.sin(node.metres / _EARTH) / math.cos(math.radians(node.latitude))))
            )
            if abs(node.longitude) + wide < 180 and node.metres / _EARTH < math.pi / 2:
                east = Number(("longitude",), node.longitude - wide, node.longitude + wide)
                box.append(self._digits("longitude", east, exact=True))
        lat, lon = "(d.fields ->> 'latitude')::float8", "(d.fields ->> 'longitude')::float8"
        a, o = self.param(node.latitude, "float8"), self.param(node.longitude, "float8")
        angle = (
            f"asin(sqrt(least(1, power(sin(radians({lat} - {a}) / 2), 2) + cos(radians({a})) * cos(radians({lat})) * "
            f"power(sin(radians({lon} - {o}) / 2), 2))))"
        )
        far = f"2 * {_EARTH} * {angle} <= {self.param(node.metres, 'float8')}"
        return self._and([*box, Condition(None, far)])

    # -------------------------------------------------------------- what is known of files and by people

    def digest(self, node: Digest) -> Condition:
        """Files whose stored checksum begins so."""
        column = {"md5": "md5", "sha1": "sha1", "sha256": "sha256"}[node.algorithm]
        low = bytes.fromhex(node.prefix[: len(node.prefix) // 2 * 2])
        start, like = self.param(low, "bytea"), self.param(node.prefix + "%", "text")
        return Condition(
            None,
            f"""(f.inode, f.size, f.mtime_ns) IN (SELECT c.inode, c.size, c.mtime_ns FROM checksum c
            WHERE c.{column} >= {start} AND encode(c.{column}, 'hex') LIKE {like} AND EXISTS (SELECT FROM dir cd
            JOIN root cr ON cr.id = cd.root WHERE cd.id = f.dir AND cr.volume = c.volume))""",
        )

    def ident(self, node: Ident) -> Condition:
        """One item; or the songs of an album or artist: those that have a file which says so."""
        asked = self.param(node.id, "uuid")
        return Condition(None, _IDENT.format(asked=asked))

    def below(self, node: Below) -> Condition:
        """Files by where they are."""
        parts = []
        if node.dirs:
            parts.append(_TREE.format(dirs=self.param(list(node.dirs), "jsonb")))
        if node.files:
            files = self.param(list(node.files), "jsonb")
            parts.append(f"f.id IN (SELECT e.value::bigint FROM jsonb_array_elements_text({files}) e)")
        return Condition(None, " OR ".join(parts)) if parts else NOTHING

    def count(self, node: Count) -> Condition:
        """Copies of an item, values of a field."""
        if node.field == "copies":
            if node.low is not None and node.low >= 2:
                bounds = self._bounds("count(*)", node)
                return Condition(
                    None,
                    f"""f.stream IN (SELECT g.stream FROM file g WHERE g.missing_since_ns IS NULL
                    GROUP BY g.stream HAVING {bounds})""",
                )
            copies = "(SELECT count(*) FROM file g WHERE g.stream = f.stream AND g.missing_since_ns IS NULL)"
            return Condition(None, self._bounds(copies, node))
        name = "user_tags" if node.field == "tag" else node.field
        if _held(name) and FIELDS[name].type == "text":
            self.uses.add("t")
            mark = self.param(_sign(name) + "^", "text")
            number = f"coalesce((SELECT cardinality(u.positions) FROM unnest(t.words) u WHERE u.lexeme = {mark}), 0)"
        else:
            self.uses.add("d")
            value = f"(d.fields -> {self.param(name, 'text')})"
            number = f"coalesce(CASE jsonb_typeof({value}) WHEN 'array' THEN jsonb_array_length({value}) ELSE 1 END, 0)"
            number = f"CASE WHEN {value} IS NULL THEN 0 ELSE {number} END"
        return Condition(None, self._bounds(number, node))

    def starred(self, _node: Starred) -> Condition:
        """By the person who asks."""
        who = self.param(self.actor, "text")
        return Condition(
            None, f"f.stream IN (SELECT w.stream FROM work_actor w WHERE w.actor = {who} AND w.starred_ns IS NOT NULL)"
        )

    def collection(self, node: InCollection) -> Condition:
        """Entries of collections that the person who asks sees."""
        wanted = self.param(regular(node.parts, node.whole), "text")
        return Condition(
            None,
            f"""f.stream IN (SELECT e.stream FROM collection_entry e JOIN collection c ON c.id = e.collection
            WHERE c.kind = {self.param(node.kind, "text")} AND c.actor IN ('', {self.param(self.actor, "text")})
            AND c.folded ~ {wanted})""",
        )


_NODES: Mapping[type, Any] = {
    Match: Builder.match, Content: Builder.content, Has: Builder.has, Number: Builder.number, Flag: Builder.flag,
    Date: Builder.date, Moment: Builder.moment, Near: Builder.near, Choice: Builder.choice, Digest: Builder.digest,
    Ident: Builder.ident, Below: Builder.below, Count: Builder.count, Starred: Builder.starred,
    InCollection: Builder.collection,
}  # fmt: skip


# Ids of items and of metas are UUIDs of version 7 and never the same. One set, so that either is found by index.
_IDENT = """f.stream IN (
    SELECT coalesce((SELECT a.stream FROM stream_alias a WHERE a.old = {asked}), {asked})
    UNION ALL
    SELECT sm.stream FROM meta_link l JOIN stream_meta sm ON sm.meta = l.parent
    JOIN file g ON g.stream = sm.stream JOIN file_meta fm ON fm.file = g.id AND fm.meta = l.parent
    WHERE l.child = coalesce((SELECT a.meta FROM meta_alias a WHERE a.old = {asked}), {asked}))"""


def whole_values(asked: Sequence[tuple[str, Sequence[str]]]) -> str:
    """The tsquery of files that have, of each of these fields, one of these values and nothing else (folded texts)."""
    fields = [
        Or(tuple(Match((name,), tuple(Part(run) for run in runs(value)), whole=True) for value in values))
        for name, values in asked
    ]
    index = Builder("", datetime.min, {}).of(And(tuple(fields))).index
    assert index is not None  # values of fields that the index holds are all in it
    return index


def _quote(lexeme: str) -> str:
    """A lexeme in a tsquery's text (PostgreSQL manual, 8.11.2)."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _held(name: str) -> bool:
    """Whether the text index has a field."""
    return name in ("user_tags", "keywords") or (name.startswith("user_") and name != "user_comment") or indexed(name)


def _sign(name: str) -> str:
    if name == "date":
        return lexemes.sign(lexemes.DATE_NUMBER)
    if name in ("user_tags", "user_rating", "user_comment") or (name in FIELDS and not name.startswith("user_")):
        return lexemes.sign(FIELDS[name].number)
    return lexemes.named(name.removeprefix("user_"))


def _whole_step(name: str, bound: float) -> bool:
    """Whether no other number of the field shares the digits of this bound: then a bound can be left out by them."""
    if name == "rating":
        return True
    return (name == "year" or FIELDS[name].type == "integer") and abs(bound) < 10**4


def _inside(value: float, node: Number) -> bool:
    low = node.low is None or (value > node.low if node.above else value >= node.low)
    return low and (node.high is None or (value < node.high if node.below else value <= node.high))


def _date_number(text: str, fill: str) -> int:
    return int(text[:10].replace("-", "").ljust(8, fill))
