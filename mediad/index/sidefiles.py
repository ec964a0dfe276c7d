"""Keeps XMP side files and what persons say of their files in step (settled 12, docs/work.md).

One file at a time: both sides are read as they are now and merged against what they agreed on last (index/sidemerge).
What the side file says becomes events, and what it said becomes the base, in one transaction; then the file is
written; then the base is what both say. A daemon that dies in between finds each time a state from which the same merge
comes out: nothing is lost, nothing is doubled.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from mediad.config import Config
from mediad.errors import ERRORS, Conflict, Internal, MediadError, NotFound, Unavailable
from mediad.fold import fold, shorten
from mediad.index.lookup import locate_files
from mediad.index.roots import Roots
from mediad.index.sidemerge import (
    Change,
    Lost,
    Merged,
    Packet,
    Values,
    edit_of,
    merge,
    packet_of,
    plain,
    plain_rating,
    plain_tag,
)
from mediad.index.work import TAG_MOST, By, Changes, Statements, Work
from mediad.model import KIND_OF_EXTENSION, Answer, Root
from mediad.store.store import Store, now_ns, pack
from mediad.workers.editing import Editor, Prepared, Stat
from mediad.workers.registry import Registry
from mediadb_contract.fields import check_fields

log = logging.getLogger(__name__)

ACTOR = "xmp"  # whose doing it is what comes from a side file
_PAGE = 500
_TRIES = 4  # of a side file that another program writes to at the same time
_OURS = frozenset(("keywords", "keyword_paths", "rating", "rejected", "title", "description"))
_NOTHING: Stat = (0, 0, 0, 0)
# Of several files of one stem the first of these kinds has the side file in the short style; by convention a raw one.
_KINDS = ("raw", "image", "video", "audio", "document", "other")
_RAW = frozenset(
    b"3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f".split()
)
# Adobe XMP part 1 section 7: a packet that says nothing, to be written into.
_EMPTY = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a file: `state` same, taken (its side file's news), updated, created. A dry run says what would."""

    file: int
    stream: uuid.UUID
    path: bytes
    side: bytes
    state: str
    taken: tuple[Change, ...] = ()
    written: tuple[Change, ...] = ()
    lost: tuple[Lost, ...] = ()
    warnings: tuple[str, ...] = ()


class NotYet(Conflict):
    """The file waits to be read: what it says of itself is not known."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """Everything the store knows that a merge takes."""

    file: int
    stream: uuid.UUID
    root: Root
    top: bytes
    folder: bytes  # below top
    name: bytes
    base: Values | None
    known: tuple[Any, ...]  # name, state and stat of side_sync
    own: Values
    own_ns: dict[str, int]
    masked: frozenset[str]
    spelled: dict[str, list[str]]  # tags of persons and files by what XMP makes of them
    embedded: frozenset[str]
    whose: str
    said: bool  # a person said something that XMP holds
    whole: bool  # the file could be read: the keywords in it are known
    beside_it: tuple[bytes, ...]  # names in its folder that begin as its does

    @property
    def path(self) -> bytes:
        return b"/".join(part for part in (self.top.rstrip(b"/"), self.folder, self.name) if part)

    def beside(self, name: bytes) -> bytes:
        """The path of a side file, below the top."""
        return b"/".join(part for part in (self.folder, name) if part)

    @property
    def names(self) -> list[bytes]:
        """What its side file may be called, in the order in which it is looked for."""
        stem = os.path.splitext(self.name)[0]
        found = [self.name + b".xmp", self.name + b".XMP"]
        others = [name for name in self.beside_it if os.path.splitext(name)[0] == stem and not is_side(name)]
        if stem != self.name and all(_rank(self.name) < _rank(name) for name in others):
            found += [stem + b".xmp", stem + b".XMP"]
        return found


class SideFiles:
    """Merges one file at a time."""

    def __init__(self, store: Store, config: Config, registry: Registry, roots: Roots, work: Work) -> None:
        self._store = store
        self._config = config
        self._registry = registry
        self._roots = roots
        self._work = work
        self._editors: dict[int, Editor] = {}
        self._one = asyncio.Lock()

    async def sync(self, file: int, operation: uuid.UUID, *, dry: bool = False) -> Outcome | None:
        """Merges a media file (its number) with its side file; None when there is nothing to merge. `dry`: says what
        would be done.

        Raises NotFound, Unavailable (volume away), NotYet, PermissionDenied (a folder that cannot be written),
        DiskFull, Corrupt (a side file that is no XMP), Conflict (it is written to all the time), naming the side file;
        what the store raises. The side file is as it was then."""
        async with self._one:
            for attempt in range(_TRIES):
                facts = await self._facts(file)
                if facts is None:
                    return None
                try:
                    return await self._sync(facts, By(ACTOR, operation), dry)
                except Conflict:
                    if attempt == _TRIES - 1:
                        raise
            return None

    async def everything(self, roots: list[int]) -> AsyncIterator[list[int]]:
        """Pages of the media files in roots that persons said something of, then of those that have a side file."""
        began, packed = now_ns(), pack(roots)
        stream: uuid.UUID | None = None
        while page := await self._store.read("worked_streams", stream, _PAGE, deadline=60.0):
            stream = page[-1][0]
            rows = await self._store.read("side_mains", pack([str(row[0]) for row in page]), packed, deadline=60.0)
            yield [row[0] for row in rows]
        after = 0
        while page := await self._store.read("side_names", after, _PAGE, deadline=300.0):
            after = page[-1][0]
            rows = await self._store.read("side_beside", pack([row[0] for row in page]), packed, began, deadline=60.0)
            yield [row[0] for row in rows]

    def stop(self) -> None:
        """Ends the editors."""
        for editor in self._editors.values():
            editor.close()

    def _editor(self, root: Root) -> Editor:
        editor = self._editors.get(root.volume)
        if editor is None:
            editor = self._editors[root.volume] = Editor(self._config.idle_seconds)
        return editor

    # -------------------------------------------------------------- what there is

    async def _facts(self, file: int) -> _Facts | None:
        rows = await self._store.read("side_facts", file, deadline=30.0)
        if not rows:
            raise NotFound("there is no such file", str(file))
        (stream, folder, name, _inode, _root, present, ready, whole, side_name, state, inode, size, mtime, holds, tags,
         fields, ratings, embedded, last, first_ns, near) = rows[0]  # fmt: skip
        if not present or is_side(name):
            return None
        place = (await locate_files(self._roots, [(file, folder, name)]))[file]
        root = place.root
        if root is None or root.local is None or root.owner != self._store.host or root.frozen:
            raise Unavailable("its volume is not mounted on this host, or its root is frozen", name)
        if not ready:
            raise NotYet("the file waits to be read", place.path)
        said: dict[str, bool] = json.loads(tags) if tags else {}
        words = frozenset(json.loads(embedded)) if embedded else frozenset()
        spelled: dict[str, list[str]] = {}
        for tag in [*sorted(words), *said]:
            if not said.get(tag, False) and 0 < len(plain_tag(tag)) <= TAG_MOST:
                spelled.setdefault(plain_tag(tag), []).append(tag)
        texts = json.loads(fields) if fields else {}
        rated = json.loads(ratings) if ratings else {}
        own_ns = dict.fromkeys(("rating", "title", "description"), first_ns or 0)
        whose = self._config.sidecar_actor or min(rated, default=ACTOR)
        for field, at, who in json.loads(last) if last else ():
            own_ns[field] = at
            if field == "rating":
                whose = self._config.sidecar_actor or who
        own = Values(
            tuple(spelled), plain_rating(rated.get(whose)), plain(texts.get("title", "")) or None,
            plain(texts.get("description", "")) or None,
        )  # fmt: skip
        below = place.below.rpartition(b"/")[0]
        return _Facts(
            file, stream, root, root.local, below, name, Values.from_json(state) if state and holds else None,
            (side_name, state, inode, size, mtime), own, own_ns,
            frozenset(plain_tag(tag) for tag, removed in said.items() if removed), spelled, words, whose,
            bool(said or own.rating or own.title or own.description), whole,
            tuple(bytes.fromhex(name) for name in json.loads(near)) if near else (),
        )  # fmt: skip

    async def _find(self, facts: _Facts) -> tuple[bytes, int, Stat]:
        """The side file there is: (name, descriptor, stat); (name it will have, -1, zeroes) when there is none."""
        names = facts.names
        opened = await self._roots.opener(facts.top).open(
            facts.top, [facts.beside(name) for name in names], inodes=facts.root.inodes
        )
        chosen: tuple[bytes, int, Stat] = (names[0], -1, _NOTHING)
        failed: MediadError | None = None
        for name, (fd, stat) in zip(names, opened, strict=True):
            if fd >= 0 and chosen[1] < 0 and failed is None:
                chosen = (name, fd, (stat[0], stat[1], stat[2], stat[3]))
            elif fd >= 0:
                os.close(fd)
            elif stat[0] != errno.ENOENT and chosen[1] < 0 and failed is None:
                error = self._roots.open_error(stat[0], stat[1])
                failed = type(error)(error.message, self._path(facts, name))
        if failed is not None:
            raise failed
        return chosen

    @staticmethod
    def _path(facts: _Facts, name: bytes) -> bytes:
        return facts.top.rstrip(b"/") + b"/" + facts.beside(name)

    # -------------------------------------------------------------- the merge

    async def _sync(self, facts: _Facts, by: By, dry: bool) -> Outcome | None:
        name, fd, stat = await self._find(facts)
        path = self._path(facts, name)
        try:
            if fd < 0:
                if not facts.said:
                    return None
                answer, side, base = {}, Packet(Values()), None
            else:
                answer = await self._ask("read", [({"name": name}, fd)], {}, path)
                # The side file they agreed on, also where it was renamed with its file.
                base = facts.base if facts.known[0] == name or facts.known[2] == stat[0] else None
                side = packet_of(_fields(answer), frozenset((*(base.tags if base else ()), *facts.own.tags)))
        finally:
            if fd >= 0:
                os.close(fd)
        own = facts.own
        if base is not None and not facts.whole:
            # Of a file that cannot be read any more nobody knows which keywords are in it: none of them is taken away.
            kept = [tag for tag in base.tags if tag in side.words and tag not in facts.masked]
            own = replace(own, tags=tuple(dict.fromkeys([*own.tags, *kept])))
        merged = merge(base, side, own, masked=facts.masked, side_ns=stat[2], own_ns=facts.own_ns)
        state = "created" if fd < 0 else "updated" if merged.written else "taken" if merged.taken else "same"
        outcome = Outcome(
            facts.file, facts.stream, facts.path, path, state, merged.taken, merged.written, merged.lost
        )  # fmt: skip
        if fd < 0 and not merged.written:
            return None
        if dry:
            return outcome
        if merged.taken or merged.lost:
            await self._take(facts, name, stat, side, merged, by)
        if merged.written:
            try:
                stat, warnings = await self._write(facts, name, stat, side, merged, answer)
            except MediadError as error:
                raise type(error)(error.message, error.input or path) from error
            outcome = replace(outcome, warnings=tuple(warnings))
        await self._agree(facts, name, stat, merged.values)
        return outcome

    async def _agree(self, facts: _Facts, name: bytes, stat: Stat, values: Values) -> None:
        known = facts.known
        same = known[1] is not None and facts.base == values and (known[0], *known[2:]) == (name, *stat[:3])
        if not same:
            await self._store.write([self._base(facts, name, stat, values)], give_up_after=60.0)

    @staticmethod
    def _base(facts: _Facts, name: bytes, stat: Stat, values: Values) -> tuple[str, tuple[Any, ...]]:
        return "put_side_sync", (facts.file, facts.stream, name, values.to_json(), *stat[:3], now_ns())

    async def _take(self, facts: _Facts, name: bytes, stat: Stat, side: Packet, merged: Merged, by: By) -> None:
        """What the side file says becomes events, and what it said the base."""
        changes, stream = Changes(), str(facts.stream)
        for change in merged.taken:
            changes.streams[stream] = None
            if change.field == "rating":
                changes.ratings.append({"s": stream, "x": change.now, "w": facts.whose})
            elif change.field != "tag":
                changes.set(stream, change.field, change.now)
            elif change.now is not None:
                changes.tags.append(_tag(stream, change.now, "added"))
            else:
                changes.tags += [
                    _tag(stream, tag, "removed" if tag in facts.embedded else "none")
                    for tag in facts.spelled[change.was]
                ]
        more: Statements = [self._base(facts, name, stat, side.values)]
        if merged.lost:
            told = [{"f": each.field, "k": each.kept, "l": each.lost} for each in merged.lost]
            more.append((
                "tell_conflict", (pack(told), now_ns(), self._store.host, by.actor, by.operation, facts.stream)
            ))  # fmt: skip
        await self._work.take(changes, by, more)

    # -------------------------------------------------------------- writing

    async def _write(
        self, facts: _Facts, name: bytes, stat: Stat, side: Packet, merged: Merged, before: dict[str, Any]
    ) -> tuple[Stat, list[str]]:
        """Writes the side file anew. Raises Conflict when it is not what was merged any more."""
        editor = self._editor(facts.root)
        prepared = await editor.prepare(facts.top, facts.folder, facts.name, facts.names, facts.names[0], _EMPTY)
        path = self._path(facts, name)
        try:
            if prepared.created != (stat == _NOTHING) or prepared.name != name or prepared.stat[1:] != stat[1:]:
                raise Conflict("the side file changed while it was merged")
            edit = {"edit": edit_of(side, merged)}
            done = await self._ask("write", [({"name": name}, prepared.source)], edit, path, target=prepared.target)
            await self._verify(prepared, merged, before, path)
            written, warnings = await editor.commit(prepared)
            return written, [*warnings, *(str(text) for text in done.get("warnings") or ())]
        finally:
            prepared.close()
            await editor.abort(prepared)

    async def _verify(self, prepared: Prepared, merged: Merged, before: dict[str, Any], path: bytes) -> None:
        """The new file says what it should, and all else that the old one said. Raises Internal."""
        os.lseek(prepared.target, 0, os.SEEK_SET)
        after = await self._ask("read", [({"name": prepared.name}, prepared.target)], {}, path)
        wanted = merged.values
        found = packet_of(_fields(after), frozenset(wanted.tags)).values
        same = set(found.tags) == set(wanted.tags) and all(
            getattr(found, name) == getattr(wanted, name)
            for name in ("rating", "title", "description")
            if getattr(wanted, name) is not None
        )
        if not same:
            raise Internal("the side file that was written does not say what it should: nothing was changed", path)
        if before and (_foreign(before) != _foreign(after)):
            raise Internal("the side file that was written lost something: nothing was changed", path)

    async def _ask(
        self, op: str, files: list[tuple[dict[str, Any], int]], options: dict[str, Any], path: bytes, *,
        target: int = -1,
    ) -> dict[str, Any]:  # fmt: skip
        """What the writing worker answers for one file. Raises the error it answers, naming the path."""
        pool = await self._registry.writer()
        answers: list[Answer] = []
        await pool.run(
            op, files, {"handler": "image", **options}, seconds=self._config.read_seconds,
            on_answer=lambda _i, answer: answers.append(answer), targets=(target,) if target >= 0 else (),
        )  # fmt: skip
        if not answers:
            raise Unavailable("no worker writes side files", path)
        answer = answers[0]
        if answer.ok is None or answer.code:
            code = {"io": "io_error", "limit": "limit_exceeded"}.get(answer.code, answer.code)
            raise ERRORS[code if not answer.died else "internal"](answer.message, path)
        return answer.ok


def is_side(name: bytes) -> bool:
    """The name is a side file's."""
    return name[-4:].lower() == b".xmp"


def _rank(name: bytes) -> int:
    extension = os.path.splitext(name)[1][1:].lower()
    return _KINDS.index("raw" if extension in _RAW else KIND_OF_EXTENSION.get(extension, "other"))


def _fields(answer: dict[str, Any]) -> dict[str, Any]:
    found = answer.get("fields")
    fields, _problems = check_fields(found if isinstance(found, dict) else {})
    return dict(fields)


def _foreign(answer: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """What a side file says that is not ours."""
    return {name: value for name, value in _fields(answer).items() if name not in _OURS}, answer.get("tags")


def _tag(stream: str, tag: str, becomes: str) -> dict[str, Any]:
    return {"s": stream, "t": tag, "f": shorten(fold(tag)), "k": becomes}
