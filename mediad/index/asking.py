"""A question asked: what must be looked up first (saved questions, paths, words by their middle), then page by page.

A page in the order of addition is fetched in one of two ways, which the index's statistics choose between. What many
files match is found soonest by going through the files; what few match, by the inverted index. Neither is trusted
alone: going through ends after a few thousand files, the index is asked for spans that grow.
"""

from __future__ import annotations

import bisect
import re
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mediad.errors import NotFound, QuerySyntax
from mediad.fold import fold, unspaced
from mediad.index.lookup import find_dir, find_file
from mediad.index.roots import Roots
from mediad.query.parse import parse
from mediad.query.tree import (
    And,
    Below,
    Content,
    Folder,
    InCollection,
    Match,
    Node,
    Not,
    Or,
    Part,
    Path,
    Query,
    Saved,
)  # fmt: skip
from mediad.query.values import regular
from mediad.store.pages import Place, Question
from mediad.store.queries import Statement
from mediad.store.search import SPELT_MOST
from mediad.store.store import Store

# Words that a question names one by one for `*middle*`; beyond it the files are gone through.
WORDS_MOST = 1000
# Saved questions that one question may come to, each as often as it is named.
SAVED_MOST = 64
# Microseconds, measured: a file gone through, and each lexeme it is compared with; an entry of the inverted index
# for a word, for what begins so; a row that is fetched where it lies. Going through files ends after so many.
_ROW_US, _LEXEME_US, _MATCH_US, _PREFIX_US, _SPAN_US, _WALK_US = 1.2, 0.1, 0.7, 0.9, 10.0, 20_000.0
# What the index takes so long for is asked as seldom as may be.
_DEAR_US = 3000.0
# Where more matches are expected the index is asked for a span of the files at a time.
_SPANS_FROM = 150
# More matches than these are not sorted where an index has the order.
_MANY = 5000
# Files looked at in the order of an index before it is asked how far apart they lie: some 10 ms.
_ORDER_STEP = 512
# A question of more lexemes is left to the index: it knows nothing of what comparing rows with them costs.
_SPANS_LEXEMES = 50
_STATISTICS_SECONDS = 300.0
# A middle or an end of words, compared with every word of a file; an entry of the index for each word that has it.
# A file that was found by one of many words, each asked for by itself, and sorted among the others.
_EACH_US, _WORD_US, _FOUND_US = 6.0, 10.0, 6.0
_PAGE = 100  # rows that are usually wanted, where it is not known yet
# Of what is not among the frequent ones: a word, what begins so.
_RARE, _RARE_PREFIX = 0.00005, 0.0005


class Frequencies:
    """How often lexemes are, as PostgreSQL's ANALYZE saw them; fetched again after some minutes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._words: list[str] = []
        self._shares: list[float] = []
        self._free: dict[str, float] = {}
        self._known = False
        self._until = 0.0
        self.span = (0, 0)  # the first and last file, some seconds ago at most

    async def load(self) -> None:
        """Fetches them when they are old."""
        now = time.monotonic()
        if now < self._until:
            return
        self._until = now + _STATISTICS_SECONDS
        self.span = (await self._store.read("file_span"))[0]
        rows = await self._store.read("frequent_words")
        self._known = bool(rows and rows[0][0])
        if self._known:
            # PostgreSQL manual, 51.91: two more numbers than elements, the least and the greatest.
            pairs = sorted(zip(rows[0][0], rows[0][1], strict=False))
            self._words = [word for word, _ in pairs]
            self._shares = [share for _, share in pairs]
            self._free = {word: share for word, share in pairs if word >= "0"}
        else:
            self._until = now + 10

    def share(self, lexeme: str, *, prefix: bool) -> float:
        """The share of files that have it, roughly; 1 when nothing is known."""
        if not self._known:
            return 1.0
        at = bisect.bisect_left(self._words, lexeme)
        total = 0.0
        while at < len(self._words) and (self._words[at].startswith(lexeme) if prefix else self._words[at] == lexeme):
            total += self._shares[at]
            at += 1
        digits = _DIGITS.match(lexeme) if prefix else None
        if digits:
            # Sizes and times are all different: none is frequent, those that begin alike are.
            known = len(digits[2]) - (2 if digits[1] != "@" else 3)
            return min(max(total, 0.4 / 10.0**known), 1.0)
        return min(total, 1.0) or (_RARE_PREFIX if prefix else _RARE)

    def holding(self, part: Part) -> float:
        """The share of files with a frequent word that has a part at its end or in its middle: a lower estimate."""
        words, text = self._free, part.text
        found = [word for word in words if (text in word if part.end else word.endswith(text))]
        return sum(words[word] for word in found)

    def of(self, index: str | None) -> float:
        """Of a tsquery, as mediad.store.search writes it: an upper estimate."""
        if index is None:
            return 1.0
        stack: list[list[Any]] = [[]]
        for token in _TSQUERY.finditer(index):
            text = token[0]
            if text == "(":
                stack.append([])
            elif text == ")":
                value = _fold_shares(stack.pop())
                stack[-1].append(value)
            elif text in ("&", "|", "<->"):
                stack[-1].append(text)
            else:
                stack[-1].append(self._share_of(token))
        return _fold_shares(stack[0])

    def heavy(self, index: str) -> float:
        """The share of all files that the prefixes of a tsquery stand for, together."""
        return sum(self._share_of(token) for token in _TSQUERY.finditer(index) if token[2])

    def _share_of(self, token: re.Match[str]) -> float:
        return self.share(token[1].replace("''", "'").replace("\\\\", "\\"), prefix=bool(token[2]))


# A number or date by its first digits: the exponent and the century tell little.
_DIGITS = re.compile(r"..(#[pn]|@)(\d+)")
_TSQUERY = re.compile(r"'((?:[^']|'')*)'(:\*)?|<->|[()&|]")


def _fold_shares(items: list[Any]) -> float:
    """Of numbers with & | <-> between them; & and <-> bind more closely."""
    total, least = 0.0, 1.0
    for item in items:
        if item == "|":
            total, least = total + least, 1.0
        elif isinstance(item, float):
            least = min(least, item)
    return min(total + least, 1.0)


@dataclass(frozen=True, slots=True)
class Row:
    """A place in an answer."""

    stream: uuid.UUID
    file: int
    values: tuple[Any, ...]

    @property
    def place(self) -> Place:
        return Place(self.values, self.file)


class _Naming:
    """The saved questions that a question comes to: each is looked up once, and none may come to itself."""

    def __init__(self, actor: str) -> None:
        self.actor = actor
        self.text: list[str] = []  # of the questions that are open, the innermost last
        self.open: list[str] = []  # their folded names
        self.left = SAVED_MOST

    def enter(self, name: str, query: str, position: int) -> Query:
        """The saved question as a tree. Raises QuerySyntax, which quotes the question that named it."""
        if name in self.open:
            raise QuerySyntax(f"the saved question {name!r} comes to itself", self.text[-1], position=position)
        if not self.left:
            raise QuerySyntax(f"more than {SAVED_MOST} saved questions in one", self.text[-1], position=position)
        self.left -= 1
        found = parse(query)
        self.open.append(name)
        self.text.append(query)
        return found

    def leave(self) -> None:
        self.open.pop()
        self.text.pop()


class Asking:
    """Questions of one daemon."""

    def __init__(self, store: Store, roots: Roots) -> None:
        self._store = store
        self._roots = roots
        self.frequencies = Frequencies(store)

    # -------------------------------------------------------------- before it is asked

    async def question(self, text: str, *, files: bool = False, actor: str = "") -> Question:
        """A text as a question that can be asked. Raises QuerySyntax, NotFound for a saved question or path that is
        not there."""
        return await self.prepare(parse(text), text, files=files, actor=actor)

    async def prepare(self, query: Query, text: str, *, files: bool = False, actor: str = "") -> Question:
        """The same of a tree. A question that is a saved one and nothing else has its order and its limit too."""
        asked = query.tree
        naming = _Naming(actor)
        naming.text.append(text)
        if isinstance(asked, Saved):
            saved = parse(await self._saved_text(asked, naming))
            query = replace(query, sort=query.sort or saved.sort, limit=query.limit or saved.limit)
        found = await self._resolve(asked, naming)
        parts: set[Part] = set()
        _open_parts(found, parts)
        expansions = {part: await self._expand(part) for part in parts}
        await self.frequencies.load()
        common = frozenset(part for part in parts if self._is_common(part, len(expansions[part] or ())))
        made = Question.of(replace(query, tree=found), files, actor, datetime.now(), expansions, asked)
        return replace(made, share=self.frequencies.of, common=common)

    def _is_common(self, part: Part, words: int) -> bool:
        """Whether so many files have it that a page is sooner found by comparing them one after the other than by
        asking the index for each of the words that have it, and putting all that it finds in order."""
        share = self.frequencies.holding(part)
        first, last = self.frequencies.span
        by_index = words * _WORD_US + share * (last - first + 1) * (_MATCH_US if words <= SPELT_MOST else _FOUND_US)
        return share > 0 and _PAGE / share * _EACH_US < by_index

    async def _resolve(self, node: Node, naming: _Naming) -> Node:
        if isinstance(node, And):
            return And(tuple([await self._resolve(each, naming) for each in node.nodes]))
        if isinstance(node, Or):
            return Or(tuple([await self._resolve(each, naming) for each in node.nodes]))
        if isinstance(node, Not):
            return Not(await self._resolve(node.node, naming))
        if isinstance(node, Path):
            return await self._path(node.path)
        if isinstance(node, Folder):
            return await self._folder(node)
        if isinstance(node, Saved):
            return await self._inner(node.name, await self._saved_text(node, naming), node.position, naming)
        if isinstance(node, InCollection) and node.kind == "collection":
            return await self._collection(node, naming)
        return node

    async def _saved_text(self, node: Saved, naming: _Naming) -> str:
        rows = await self._store.read("saved_query", naming.actor, node.name)
        if not rows:
            raise QuerySyntax("no question was saved under that name", naming.text[-1], position=node.position)
        return str(rows[0][0])

    async def _inner(self, name: str, query: str, position: int, naming: _Naming) -> Node:
        tree = naming.enter(name, query, position).tree
        found = await self._resolve(tree, naming)
        naming.leave()
        return found

    async def _collection(self, node: InCollection, naming: _Naming) -> Node:
        """A collection that is a saved question holds what it finds."""
        rows = await self._store.read("smart_collections", naming.actor)
        wanted = re.compile(regular(node.parts, node.whole))
        found: list[Node] = [node]
        for folded, query in rows:
            if wanted.search(folded):
                found.append(await self._inner(folded, query, 0, naming))
        return Or(tuple(found)) if len(found) > 1 else node

    async def _path(self, path: bytes) -> Node:
        place = await find_dir(self._roots, path)
        if place is not None:
            return Below((place[1],))
        try:
            return Below((), ((await find_file(self._roots, path))[0],))
        except NotFound:
            inside = [
                root
                for root in self._roots.all()
                if root.local and (root.local + b"/").startswith(path.rstrip(b"/") + b"/")
            ]
            tops = [row[0] for root in inside for row in await self._store.read("dir_by_names", root.id, "[]")]
            return Below(tuple(tops))

    async def _folder(self, node: Folder) -> Node:
        pattern = regular(node.parts, node.whole)
        rows = await self._store.read("folders_named", pattern)
        dirs = [row[0] for row in rows]
        wanted = re.compile(pattern)
        for root in self._roots.all():
            names = (root.local or root.path).split(b"/")
            if any(wanted.search(fold(name.decode("utf-8", "replace"))) for name in names if name):
                dirs += [row[0] for row in await self._store.read("dir_by_names", root.id, "[]")]
        return Below(tuple(sorted(set(dirs))))

    async def _expand(self, part: Part) -> tuple[str, ...] | None:
        """The words of the index that a part with an open beginning stands for; None: too many to name."""
        if not part.end:
            ends = part.text[::-1]
            behind = ends[:-1] + chr(ord(ends[-1]) + 1)
            rows = await self._store.read("words_ending", ends, behind, WORDS_MOST + 1)
        else:
            grams = [part.text[i : i + 3] for i in range(max(1, len(part.text) - 2))]
            query = " & ".join(f"'{gram}'" + (":*" if len(gram) < 3 else "") for gram in grams)
            rows = await self._store.read("words_holding", query, f"%{part.text}%", WORDS_MOST + 1)
        return None if len(rows) > WORDS_MOST else tuple(row[0] for row in rows)

    # -------------------------------------------------------------- page by page

    async def page(
        self, question: Question, after: Place | None, limit: int, *, deadline: float
    ) -> tuple[list[Row], bool]:
        """(rows, whether there may be more): of items each once, of files all."""
        kept: list[Row] = []
        more = True
        while more and len(kept) < limit:
            rows, more = await self._fetch(question, after, limit - len(kept), deadline)
            if not rows:
                break
            after = Place(tuple(rows[-1][3:]), rows[-1][0])
            stands: dict[uuid.UUID, int] = {}
            several = [] if question.files else list(dict.fromkeys(str(row[1]) for row in rows if row[2]))
            if several:
                statement, params = question.first_files(several)
                stands = dict(await self._store.database.fetch(statement, *params, deadline=deadline))
            # A file of an item that stood before, by another of its files, is left out.
            kept += [Row(row[1], row[0], tuple(row[3:])) for row in rows if stands.get(row[1], row[0]) == row[0]]
        return kept, more

    async def rows(
        self, question: Question, after: Place | None, size: int, *, deadline: float
    ) -> AsyncIterator[list[Row]]:
        """All pages behind a place."""
        while True:
            found, more = await self.page(question, after, size, deadline=deadline)
            yield found
            if not more:
                return
            after = found[-1].place

    def first_statement(self, question: Question, limit: int) -> tuple[Statement, list[Any], float]:
        """How the first page begins to be answered: (statement, parameters, the share of the files that is expected to
        match, 1 where nothing is known)."""
        how = self._how(question, limit)
        if how.walk:
            return *question.page(None, limit + 1, span=(how.first - 1, how.first + how.walk), walk=True), how.share
        if how.ordered and question.single:
            most = _ORDER_STEP if how.compared else limit + 1
            return *question.ordered_page(None, limit + 1, most), how.share
        found = question.found_page(limit + 1, how.first - 1, None)
        if found is not None and not how.all:
            return *found, how.share
        return *question.page(None, limit + 1, present=True if how.ordered else None), how.share

    async def _fetch(
        self, question: Question, after: Place | None, limit: int, deadline: float
    ) -> tuple[list[Any], bool]:
        async def fetch(**how: Any) -> list[Any]:
            statement, params = question.page(after, limit + 1, **how)
            return await self._store.database.fetch(statement, *params, deadline=deadline)

        how = self._how(question, limit)
        if how.ordered:
            at_end = after is not None and after.values[0] is None
            rows: list[Any] | None = []
            if not at_end:
                single = question.single
                rows = await (self._in_order(question, after, limit, how, deadline) if single else fetch(present=True))
            if rows is not None:
                if len(rows) <= limit:
                    absent = after if at_end else None
                    statement, params = question.page(absent, limit + 1 - len(rows), present=False)
                    rows += await self._store.database.fetch(statement, *params, deadline=deadline)
                return rows[:limit], len(rows) > limit
        if how.all:
            rows = await fetch()
            return rows[:limit], len(rows) > limit
        low = max(after.file if after is not None else 0, how.first - 1)
        found: list[Any] = []
        width, walked = how.walk, 0
        while width and len(found) <= limit:
            found += await fetch(span=(low, low + width), walk=True)
            low, walked = low + width, walked + width
            # What was seen tells more than the statistics: so many more files, should it be the same all over.
            more = int(walked * (limit + 1 - len(found)) / max(len(found), 1) * 1.3) + 64
            width = more if len(found) and more <= how.walk_most else 0
        # Where going through them found little, what matches may lie together further on: libraries are added kind by
        # kind. The spans begin as narrow as the statistics say, and grow quickly.
        share = how.share
        wanted = max(limit * 2 + 50, how.index_us / _SPAN_US)  # what the index costs is paid with each span
        while len(found) <= limit:
            last = low + int(wanted / share)
            end = last if how.spans and share * (how.last - low) > _SPANS_FROM and last < how.last else None
            if walked and not found and how.index_us > _WALK_US:  # it is likely that nothing matches: asked once
                end = None
            before = len(found)
            found += await self._found(question, after, limit + 1 - before, (low, end), deadline)
            if end is None:
                break
            low, share = end, share / (8 if len(found) > before or how.index_us < _DEAR_US else 64)
        return found[:limit], len(found) > limit

    async def _found(
        self, question: Question, after: Place | None, limit: int, span: tuple[int, int | None], deadline: float
    ) -> list[Any]:
        """So many rows of a span by the index."""
        low, high = span
        found: list[Any] = []
        while (asked := question.found_page(limit, low, high)) is not None:
            rows = await self._store.database.fetch(asked[0], *asked[1], deadline=deadline)
            found += [row[:3] for row in rows if row[3]]
            if len(rows) < limit or len(found) >= limit:
                return found[:limit]
            low = rows[-1][0]
        statement, params = question.page(after, limit, span=span)
        return await self._store.database.fetch(statement, *params, deadline=deadline)

    async def _in_order(
        self, question: Question, after: Place | None, limit: int, how: _How, deadline: float
    ) -> list[Any] | None:
        """The next rows in the order of an index, `limit` and one more where there are as many. None: what matches lies
        so far apart in this order that it is sooner found whole and sorted."""
        found: list[Any] = []
        most, walked = _ORDER_STEP if how.compared else limit + 1, 0
        while True:
            statement, params = question.ordered_page(after, limit + 1 - len(found), most)
            found += await self._store.database.fetch(statement, *params, deadline=deadline)
            if len(found) > limit:
                return found
            statement, params = question.ordered_end(after, most)
            end = await self._store.database.fetch(statement, *params, deadline=deadline)
            if not end:
                return found
            after, walked = Place((end[0][0],), end[0][1]), walked + most
            # To look at one more costs about what finding and sorting one costs; so many of them are expected.
            more = int(walked * (limit + 1 - len(found)) / max(len(found), 0.1) * 1.3)
            if more > max(how.share * (how.last - how.first), _MANY):
                return None
            most = max(more, _ORDER_STEP)

    def _how(self, question: Question, limit: int) -> _How:
        """How a page is found, by what the statistics expect."""
        index = question.builder().of(question.query.tree).index
        first, last = self.frequencies.span
        share, sort = self.frequencies.of(index), question.query.sort
        if sort or index is None:
            # An order that an index has is gone through when it would be much to make.
            ordered = question.ordered and (index is None or share * (last - first) > _MANY)
            compared = index is not None or question.query.tree != And(())
            return _How(True, ordered, 0, 0, False, share, first, last, compared)
        lexemes = index.count("'") // 2
        files = last - first + 1
        heavy = self.frequencies.heavy(index)
        index_us = files * (share * _MATCH_US + heavy * _PREFIX_US)
        row_us = _ROW_US + lexemes * _LEXEME_US
        # What the index makes, the rows it then needs, and as much again: libraries are no even mixtures.
        most = int(min(2 * (index_us + min(share * files, 2 * limit) * _SPAN_US), _WALK_US) / row_us)
        wanted = int(limit * 1.5 / share) + 64
        spans = lexemes <= _SPANS_LEXEMES and share * files > _SPANS_FROM
        return _How(False, False, wanted if wanted <= most else 0, most * 4, spans, share, first, last, True, index_us)


@dataclass(frozen=True, slots=True)
class _How:
    """`all`: in one statement; `ordered`: in the order of an index, where that is sooner; `walk`: go through so many
    files first, and through `walk_most` at a time when more is needed; `spans`: the index is asked for a part of the
    files at a time; `share`: of the files that are expected; `compared`: something must hold for what is gone through;
    `index_us`: microseconds the index takes before it gives the first."""

    all: bool
    ordered: bool
    walk: int
    walk_most: int
    spans: bool
    share: float
    first: int
    last: int
    compared: bool = True
    index_us: float = 0.0


def _open_parts(node: Node, found: set[Part]) -> None:
    if isinstance(node, And | Or):
        for each in node.nodes:
            _open_parts(each, found)
    elif isinstance(node, Not):
        _open_parts(node.node, found)
    elif isinstance(node, Match | Content):
        found.update(part for part in node.parts if part.start and not unspaced(part.text))
