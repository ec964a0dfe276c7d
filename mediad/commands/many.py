"""Checksums of many files at once, for questions that need them: one message to a worker and one transaction a batch.

What is true of one checksum (mediad.commands.checksums) is true of each here: computed for the stat the file was opened
with, stored, told in the feed, never computed twice for the same stat.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mediad.commands.checksums import Opened, checksum_of_file, same_stat
from mediad.commands.context import Context
from mediad.errors import MediadError, Unavailable
from mediad.index.lookup import locate_files
from mediad.index.records import GRADES, checked_keys
from mediad.model import Answer
from mediad.store.store import now_ns, pack
from mediad.workers.application import Application

log = logging.getLogger(__name__)

# Files of one batch: as many descriptors as a message takes (handlers/README.md), and not so many bytes that nothing is
# heard or stored for long.
FILES_AT_ONCE = 64
BYTES_AT_ONCE = 64 << 20
ALGORITHM = "sha256"


@dataclass(slots=True)
class Computing:
    """How far it has come: checksums computed or found, files that have none, and what the database showed before."""

    done: int = 0
    failed: int = 0
    seen: str = ""


@dataclass(slots=True)
class _Rows:
    """What a batch stores, as sql/queries/equal.sql takes it."""

    checksums: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    whole: list[dict[str, Any]] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)


async def compute_checksums(
    context: Context, files: Iterable[tuple[int, int]], scope: str, computing: Computing
) -> AsyncIterator[int]:
    """SHA-256 of files, given as (number, size), in a scope, `file` or `stream`; of a format without a stream of its
    own that of all bytes. Yields how many were tried after each batch. A file that cannot be hashed is logged, counted
    and left out. Raises Unavailable when the database or the handlers are away."""
    batch: list[int] = []
    total = 0
    for number, size in files:
        if batch and (len(batch) == FILES_AT_ONCE or total + size > BYTES_AT_ONCE):
            await _Batch(context, scope, computing).run(batch)
            yield len(batch)
            batch, total = [], 0
        batch.append(number)
        total += size
    if batch:
        await _Batch(context, scope, computing).run(batch)
        yield len(batch)


class _Batch:
    """The files of one message."""

    def __init__(self, context: Context, scope: str, computing: Computing) -> None:
        self.context = context
        self.scope = scope
        self.computing = computing
        self.rows = _Rows()
        self.changed: list[int] = []  # while they were read: asked once more, one by one

    async def run(self, numbers: list[int]) -> None:
        opened = await self._open(numbers)
        try:
            left = await self._known(opened, self.scope)
            without = await self._hash(left, self.scope)
            if without:  # formats without a stream of their own: every byte is the payload, as for the fingerprint
                left = await self._known(without, "file")
                for file in await self._hash(left, "file"):
                    self._fail(file, "unsupported", "no checksum of all bytes")
        finally:
            for file in opened:
                os.close(file.fd)
        await self._store()
        for number in self.changed:
            try:
                await checksum_of_file(self.context, number, self.scope)
            except Unavailable:
                raise
            except MediadError as error:
                self.computing.failed += 1
                log.info("a checksum cannot be had", extra={"why": error.for_log})
            else:
                self.computing.done += 1

    def _fail(self, file: Opened, code: str, message: str) -> None:
        """What is gone or closed equals nothing; the next walk says so."""
        self.computing.failed += 1
        log.info("a checksum cannot be had", extra={"why": f"{code}: {message}", "file": file.number})

    async def _open(self, numbers: list[int]) -> list[Opened]:
        context = self.context
        facts = await context.store.read("names_of_files", pack(numbers), deadline=30.0)
        places = await locate_files(context.roots, [(row[0], row[2], row[3]) for row in facts])
        by_top: dict[bytes, list[Opened]] = {}
        self.computing.failed += len(numbers) - len(facts)
        for number, stream, _folder, _name in facts:
            place = places[number]
            if place.root is None or place.root.local is None:
                self.computing.failed += 1  # its volume is away: it is compared when it is back
                continue
            file = Opened(number, stream, place.root.volume, place.root.local, place.below, place.path)
            by_top.setdefault(file.top, []).append(file)
        opened: list[Opened] = []
        try:
            for top, files in by_top.items():
                inodes = context.roots.inodes(top)
                found = await context.roots.opener(top).open(top, [file.path for file in files], inodes=inodes)
                for file, (fd, stat) in zip(files, found, strict=True):
                    if fd < 0:
                        self._fail(file, "io_error", str(stat[1]))
                        continue
                    file.fd, file.stat = fd, (stat[0], stat[1], stat[2], stat[3])
                    opened.append(file)
        except BaseException:
            for file in opened:
                os.close(file.fd)
            raise
        return opened

    async def _known(self, files: list[Opened], scope: str) -> list[Opened]:
        """Takes the checksums that are stored for these stats; returns the files that have none."""
        if not files:
            return []
        asked = [{"f": file.number, "u": file.volume, **_stat(file)} for file in files]
        rows = await self.context.store.read("checksums_at", pack(asked), scope, deadline=30.0)
        known = {number: (algorithm, digest) for number, algorithm, digest in rows}
        for file in files:
            if file.number in known:
                self._prove(file, scope, *known[file.number])
        return [file for file in files if file.number not in known]

    async def _hash(self, files: list[Opened], scope: str) -> list[Opened]:
        """Has the files hashed; returns those whose format has no stream."""
        await self.context.registry.load()
        by_application: dict[int, tuple[Application, list[Opened]]] = {}
        for file in files:
            application = self.context.registry.application_for(os.path.basename(file.path))
            by_application.setdefault(id(application), (application, []))[1].append(file)
        without: list[Opened] = []
        for application, some in by_application.values():
            for file, answer in await self._ask(application, some, scope):
                if answer.ok is not None and not answer.code:
                    self._take(file, scope, answer.ok)
                elif answer.code == "unsupported" and scope == "stream":
                    without.append(file)
                else:
                    self._fail(file, "poison" if answer.died else answer.code, answer.message)
        return without

    async def _ask(self, application: Application, files: list[Opened], scope: str) -> list[tuple[Opened, Answer]]:
        answers: list[tuple[Opened, Answer]] = []
        paths = application.manifest is not None and not application.manifest.descriptors
        left = files
        while left:
            asked = left
            here: list[tuple[dict[str, Any], int]] = []
            for file in asked:
                facts: dict[str, Any] = {"name": os.path.basename(file.path)}
                if paths:
                    facts["path"] = file.full
                here.append((facts, file.fd))
            unasked = await self.context.registry.pool(application, "checksum").run(
                "checksum", here, {"scope": scope, "algorithms": [ALGORITHM]},
                seconds=self.context.config.checksum_seconds,
                on_answer=partial(_note, answers, asked),
            )  # fmt: skip
            if len(unasked) == len(asked):
                raise Unavailable("the handler's worker ended before it began", asked[0].full)
            left = [asked[i] for i in unasked]
        return answers

    def _take(self, file: Opened, scope: str, ok: dict[str, Any]) -> None:
        digest = ok.get("digests", {}).get(ALGORITHM)
        if not same_stat(file, ok.get("stat"), self.context.roots.inodes(file.top)):
            self.changed.append(file.number)
            return
        if not isinstance(digest, bytes):
            self._fail(file, "internal", "the handler answered without a digest")
            return
        algorithm = str(ok.get("algorithm") or "") if scope == "stream" else ""
        self.rows.checksums.append({
            "u": file.volume, **_stat(file), "a": algorithm, "d": digest.hex(), "t": str(file.stream), "e": scope,
            "v": {"scope": scope, ALGORITHM: digest.hex()},
        })  # fmt: skip
        self._prove(file, scope, algorithm, digest)
        if scope == "stream":
            for grade, name, value in checked_keys(ok.get("keys")):
                self._key(file, GRADES[grade], name, value)

    def _prove(self, file: Opened, scope: str, algorithm: str, digest: bytes) -> None:
        """A checksum says what a stream is: its own, or that of all bytes where the fingerprint is made of these."""
        self.computing.done += 1
        if self.scope != "stream":
            return
        if scope == "stream":
            self._key(file, GRADES["checksum"], algorithm, digest)
        else:
            self._key(file, GRADES["checksum"], "whole/1", digest, whole=True)
        self.rows.streams.append(str(file.stream))

    def _key(self, file: Opened, grade: int, algorithm: str, value: bytes, *, whole: bool = False) -> None:
        row = {"f": file.number, "g": grade, "a": algorithm, "v": value.hex(), "w": whole, **_stat(file)}
        self.rows.keys.append(row)

    async def _store(self) -> None:
        context, rows = self.context, self.rows
        unit: list[tuple[str, tuple[Any, ...]]] = []
        if rows.checksums:
            unit.append(("put_checksums", (pack(rows.checksums), now_ns())))
        if rows.keys:
            unit.append(("put_keys_at", (pack(rows.keys),)))
        if rows.checksums:
            unit.append(("tell_checksums", (pack(rows.checksums), now_ns(), context.host)))
        if unit:
            await context.store.write(unit, give_up_after=60.0)
        if rows.streams:
            for (stream,) in await context.store.read("streams_to_settle", pack(rows.streams), deadline=30.0):
                await context.reader.keeper.settle_checksum(str(stream))
                await asyncio.sleep(0)


def _note(answers: list[tuple[Opened, Answer]], asked: list[Opened], i: int, answer: Answer) -> None:
    answers.append((asked[i], answer))


def _stat(file: Opened) -> dict[str, int]:
    return dict(zip("ismc", file.stat, strict=True))
