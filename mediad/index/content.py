"""Keeps the words inside files indexed: of those that a person asked for at once, of those that the rule takes when
nothing is to be read (docs/text.md). Asleep while there is nothing to do.

The queue is in the database (content_todo), filled from the feed in the transaction that moves this host's cursor: what
a daemon that was killed had not extracted is extracted by the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mediad.config import Config
from mediad.errors import (
    InputOutputError,
    Internal,
    InvalidArgument,
    MediadError,
    NotFound,
    Poison,
    QuerySyntax,
    Unavailable,
)
from mediad.fold import WORDS_RULE
from mediad.index.asking import Asking
from mediad.index.extract import ChangedMeanwhile, Extracted, Extractor, Facts
from mediad.index.feed import Feed
from mediad.index.roots import Roots
from mediad.query.parse import parse
from mediad.store.faults import Fenced, StatementFailed
from mediad.store.store import Store, now_ns, pack
from mediad.workers.registry import Registry

log = logging.getLogger(__name__)

# What may have made a text another one, or given a file of the rule: the actions of the feed.
_ACTIONS = ("read", "changed", "moved", "returned", "succeeded", "merged", "joined")
_EVENTS_AT_ONCE = 50  # an event may tell of a batch of files
_PAGE = 500  # files in a look at everything
_FILES_AT_ONCE = 64
# Characters of words in one transaction: it is packed and sent without a pause, a millisecond here; and PostgreSQL
# has a quarter of a second to do with it, in which other writers wait.
_UNIT = 256 * 1024
_UNFINISHED = 0  # the rule of a text of which not all words are stored
_BUSY_SECONDS = 0.5  # reading goes first
_CALM_SECONDS, _CALM_MOST = 0.1, 20  # so long without a request, but after so many looks it goes on
_PAUSE_SECONDS = 5.0  # the database is away
_FIRST_NS, _LAST_NS = 2_000_000_000, 600_000_000_000  # between two tries: doubled from one to the next

Outcome = str  # indexed, none (it has no words), failed, waiting (it cannot be had now)


def rule_of(config: Config) -> str:
    """What the rule is, as one text: another text is another rule."""
    if config.text == "off":
        return "off"
    return f"query {config.text_rule}" if config.text_rule else "kinds " + " ".join(sorted(config.text_kinds))


def check_rule(config: Config) -> None:
    """Raises InvalidArgument for a `text_rule` that is no query."""
    try:
        parse(config.text_rule)
    except QuerySyntax as error:
        raise InvalidArgument(f"text_rule: {error.message}", config.text_rule) from error


def _outcome(length: int | None, code: str | None) -> Outcome:
    if code is None:
        return "indexed" if length else "none"
    return "none" if code == "unsupported" else "failed"


class Content:
    """Extracts what is queued. `reading` says whether files are read, or folders walked, `requests` how many
    requests there have been; `on_done(file, outcome, problem)` of `watchers` is told of each file."""

    def __init__(self, store: Store, config: Config, registry: Registry, roots: Roots, feed: Feed) -> None:
        self.extractor = Extractor(store, config, registry, roots)
        self.reading: Callable[[], bool] = lambda: False
        self.requests: Callable[[], int] = lambda: 0
        self.watchers: set[Callable[[int, Outcome, MediadError | None], None]] = set()
        self.problem = ""
        self._store = store
        self._config = config
        self._registry = registry
        self._roots = roots
        self._feed = feed
        self._woken = asyncio.Event()
        self._asked = asyncio.Event()
        self._started = asyncio.Event()
        self._active = False  # the feed is looked through: there is a rule, or something was extracted
        self._requests_seen = 0
        self._rule = rule_of(config)
        self._asking = Asking(store, roots)

    def notes(self) -> list[str]:
        """What a person should know."""
        return [f"the text of files waits: {self.problem}"] if self.problem else []

    def wake(self) -> None:
        """Something was read, a volume is back."""
        self._woken.set()

    async def ask(self, files: list[int]) -> None:
        """Queues files for a person who wants their text now."""
        await self._started.wait()
        if not self._active:  # the first text of all: from now on the feed is looked through
            epoch, last, _compacted = await self._feed.state()
            await self._move([], [], epoch, last, None)
            self._active = True
        await self._store.write([("content_ask", (pack(files), now_ns()))], give_up_after=60.0)
        self._asked.set()
        self.wake()

    # -------------------------------------------------------------- life

    async def run(self) -> None:
        """Works for ever."""
        while True:
            try:
                if not self._started.is_set():
                    await self._start()
                    self._started.set()
                self._woken.clear()  # before looking: what happens meanwhile wakes it again
                self._asked.clear()
                quiet = True
                if self._active:
                    quiet = await self._advance_if_quiet()
                    await self._extract_due()
                self.problem = ""
                await self._wait(quiet)
            except Fenced:
                return
            except MediadError as error:
                self.problem = str(error)
                log.warning("texts wait", extra={"why": error.for_log})
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _start(self) -> None:
        if self._rule == "off" and not (await self._store.read("content_any"))[0][0]:
            return
        await self._registry.load()
        mine = pack([root.id for root in self._roots.mine()])
        for _application, handler in self._registry.handlers():
            row = (handler.name, handler.version, WORDS_RULE, mine, now_ns())
            await self._store.write([("content_outdated", row)], deadline=60.0, give_up_after=120.0)
        self._active = True

    async def _wait(self, quiet: bool) -> None:
        """Until there may be more: something read or asked for, the end of reading, or a file that is due. While files
        are read it does not wake with each batch of them."""
        seconds = None if quiet else _BUSY_SECONDS
        if self._active and quiet:
            due = (await self._store.read("content_due", pack(self._roots.readable())))[0][0]
            if due is not None:
                seconds = max(_BUSY_SECONDS, (due - now_ns()) / 1e9)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await (self._woken if quiet else self._asked).wait()

    # -------------------------------------------------------------- what is to be done

    async def _advance_if_quiet(self) -> bool:
        return await self._quiet() and await self._advance()

    async def _advance(self) -> bool:
        """Looks through the feed from where this host was; through everything for a new rule or another feed. Returns
        whether it came to the end: files to be read, and a person who asks, go first."""
        epoch, last, compacted = await self._feed.state()
        rows = await self._store.read("content_cursor", self._store.host)
        seq, swept = last, None
        if rows and rows[0][0] == epoch and compacted <= rows[0][1] <= last:
            seq, swept = rows[0][1], rows[0][3]
            if rows[0][2] != self._rule:
                swept = 0
        else:
            swept = 0
        if swept is not None:
            while page := await self._store.read("content_page", swept, _PAGE, deadline=30.0):
                swept = page[-1][0]
                streams = list(dict.fromkeys(str(row[1]) for row in page))
                await self._move(streams, await self._matching(streams), epoch, seq, swept)
                if self._asked.is_set() or self.reading():
                    return False
            await self._move([], [], epoch, seq, None)
        # The page of the feed is that of the side files: what is asked of it is the same.
        while page := await self._store.read("side_events", seq, _EVENTS_AT_ONCE, pack(list(_ACTIONS)), deadline=30.0):
            found: dict[str, None] = {}
            for number, concerns, target, items in page:
                seq = number
                if concerns:
                    found.update(dict.fromkeys([target] if target else json.loads(items or "[]")))
            streams = list(found)
            await self._move(streams, await self._matching(streams), epoch, seq, None)
            if self._asked.is_set() or self.reading():
                return False
        return True

    async def _matching(self, streams: list[str]) -> list[str]:
        """Those that the rule's query finds."""
        if not self._rule.startswith("query ") or not streams:
            return []
        question = await self._asking.question(self._config.text_rule)
        statement, params = question.among(streams)
        return [str(row[0]) for row in await self._store.database.fetch(statement, *params, deadline=30.0)]

    async def _move(self, streams: list[str], matching: list[str], epoch: Any, seq: int, swept: int | None) -> None:
        unit: list[tuple[str, tuple[Any, ...]]] = []
        if streams:
            kinds = self._config.text_kinds if self._rule.startswith("kinds ") else ()
            mine = pack([root.id for root in self._roots.mine()])
            row = (pack(streams), mine, now_ns(), pack(list(kinds)), pack(matching))
            unit.append(("content_enqueue", row))
        unit.append(("put_content_cursor", (self._store.host, epoch, seq, self._rule, swept)))
        await self._store.write(unit, deadline=30.0, give_up_after=120.0)

    async def _extract_due(self) -> None:
        """Extracts until nothing is due, or something is to be read. Who asked is served in any case, and first."""
        while True:
            quiet = await self._quiet()
            row = (pack(self._roots.readable()), now_ns(), not quiet, _FILES_AT_ONCE)
            rows = await self._store.read("content_take", *row, deadline=30.0)
            if not rows:
                return
            for file, since, tries, asked in rows:
                if not asked:
                    if self._woken.is_set() or self.reading():
                        break  # somebody may have asked; what was read meanwhile may be another text already
                    await self._let_others()
                await self._one(file, since, tries)
            if self._woken.is_set():
                self._woken.clear()
                await self._advance_if_quiet()

    async def _quiet(self) -> bool:
        """Nothing is read, nothing waits to be."""
        if self.reading():
            return False
        due = (await self._store.read("todo_waiting", pack(self._roots.readable())))[0][0]
        return due is None or due > now_ns()

    async def _let_others(self) -> None:
        """Requests go first; who only follows the feed, or waits, does not hold it up."""
        for _look in range(_CALM_MOST):
            seen, self._requests_seen = self._requests_seen, self.requests()
            if self._requests_seen == seen:
                return
            await asyncio.sleep(_CALM_SECONDS)

    # -------------------------------------------------------------- one file

    def _is_fresh(self, facts: Facts) -> bool:
        """What was extracted of it, or why nothing was, still holds."""
        now = {handler.name: handler.version for _application, handler in self._registry.handlers()}
        return (
            (facts.content_size, facts.content_mtime_ns, facts.content_rule) == (facts.size, facts.mtime_ns, WORDS_RULE)
            and now.get(facts.content_handler or "", facts.content_version) == facts.content_version
        )  # fmt: skip

    async def _one(self, file: int, since: int, tries: int) -> None:
        outcome: Outcome = "failed"
        problem: MediadError | None = None
        try:
            await self._registry.load()
            facts = await self.extractor.facts(file)
            if facts.present and facts.type == "f" and not self._is_fresh(facts):
                length, problem = await self._extract(facts, since)
                outcome = _outcome(length, problem.code if problem else None)
            else:
                await self._store.write([("content_done", (file, since))], give_up_after=60.0)
                outcome = _outcome(facts.content_bytes, facts.content_code)
        except (NotFound, Unavailable, ChangedMeanwhile) as error:
            if not error.input or self._store.database.state != "ready":
                raise  # the database: not this file's fault
            problem, outcome = error, "waiting"
            await self._put_off(file, tries)
        for told in list(self.watchers):
            told(file, outcome, problem)

    async def _put_off(self, file: int, tries: int) -> None:
        until = now_ns() + min(_FIRST_NS << min(tries, 20), _LAST_NS)
        await self._store.write([("content_put_off", (file, until))], give_up_after=60.0)

    async def _extract(self, facts: Facts, since: int) -> tuple[int, MediadError | None]:
        """Extracts and stores a file's words: (bytes of its text, why there are none). Raises what passes by:
        Unavailable, ChangedMeanwhile, NotFound."""
        words: list[str] = []
        try:
            found = await self._twice(facts, words)
        except (NotFound, Unavailable, ChangedMeanwhile, Fenced):
            raise
        except MediadError as error:
            await self._store_problem(facts, error, since)
            return 0, error
        length = found.bytes if words else 0
        try:
            await self._store_words(facts, replace(found, bytes=length), words, since)
        except StatementFailed as error:
            log.error("the database refuses the words of a file", extra={"why": error.for_log, "file": facts.file})
            refused = Internal(f"the database refused its words: {error.sqlstate}", facts.name)
            await self._store_problem(facts, refused, since)
            return 0, refused
        return length, None

    async def _twice(self, facts: Facts, words: list[str]) -> Extracted:
        """A worker that dies may not have died of this file: it is asked once more, with a fresh one. So is a disk that
        fails, which may be another's answer the second time."""
        try:
            return await self.extractor.words(facts, self._config.text_limit, words.extend)
        except (Poison, InputOutputError):
            words.clear()
            return await self.extractor.words(facts, self._config.text_limit, words.extend)

    async def _store_words(self, facts: Facts, found: Extracted, words: list[str], since: int) -> None:
        """In one transaction, or for a book in several. Until the last of these its rule is _UNFINISHED and it stays
        queued: what a daemon that is killed in between leaves is done again from its beginning."""

        def row(rule: int) -> tuple[str, tuple[Any, ...]]:
            return "put_content", (
                facts.file, found.size, found.mtime_ns, found.handler, found.version, rule, found.bytes,
                found.truncated, None, None, now_ns(),
            )  # fmt: skip

        unit: list[tuple[str, tuple[Any, ...]]] = [("drop_content_words", (facts.file,)), row(_UNFINISHED)]
        start = 0
        while start < len(words):
            end, length = start, 0
            while end < len(words) and (end == start or length + len(words[end]) <= _UNIT):
                length += len(words[end])
                end += 1
            unit.append(("put_content_words", (facts.file, start, pack(words[start:end]))))
            start = end
            if start < len(words):
                await self._store.write(unit, deadline=60.0, give_up_after=300.0)
                unit = []
        unit += [row(WORDS_RULE), ("content_done", (facts.file, since))]
        await self._store.write(unit, deadline=60.0, give_up_after=300.0)

    async def _store_problem(self, facts: Facts, error: MediadError, since: int) -> None:
        """It is not tried again until the file or its handler changes."""
        row = (
            facts.file, facts.size, facts.mtime_ns, facts.handler, facts.version, WORDS_RULE, 0, False, error.code,
            error.message[:500], now_ns(),
        )  # fmt: skip
        await self._store.write(
            [("drop_content_words", (facts.file,)), ("put_content", row), ("content_done", (facts.file, since))],
            give_up_after=60.0,
        )
