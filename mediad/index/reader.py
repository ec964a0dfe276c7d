"""Reads what is listed: the queue in the database, some lanes, openers and handlers, batches into the store.

A lane takes files from the queue, notes them as in hand (so that a crash of everything is blamed on few), has them
opened, gives the descriptors to a worker, and stores the answers. Back-pressure is the lane itself: it takes nothing
new before its answers are stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mediad.config import Config
from mediad.errors import MediadError, Unavailable
from mediad.index import records
from mediad.index.ingest import BATCH_RECORDS, Ingest
from mediad.index.keeper import Keeper
from mediad.index.lookup import dir_paths
from mediad.index.roots import Roots
from mediad.model import Answer
from mediad.store.faults import Fenced
from mediad.store.store import Store, now_ns, pack
from mediad.workers.application import Application
from mediad.workers.protocol import BATCH_FILES
from mediad.workers.registry import Registry

log = logging.getLogger(__name__)

_TAKE = 512  # files fetched from the queue at once
_CHANGED_AGAIN_NS = 2_000_000_000  # a file that changed under the reader is given this long to come to rest
_AWAY_NS = 30_000_000_000  # a volume that does not answer is asked again after this long
_GONE_NS = 5_000_000_000  # a name that was gone when it was opened: by then a walk has said so, or it is back
_NO_WORKER_NS = 5_000_000_000  # files of an application that does not start are tried again after this long
_GIVE_UP_SECONDS = 3600.0


@dataclass(slots=True)
class _Taken:
    """A row of the queue."""

    file: int
    dir: int
    name: bytes
    inode: int
    size: int
    mtime_ns: int
    attempts: int
    root: int
    again: bool
    stream: str
    top: bytes = b""
    path: bytes = b""  # below top
    inodes: bool = True  # inode numbers last on its file system
    folders: tuple[bytes, ...] = ()


def _taken(row: tuple[Any, ...]) -> _Taken:
    file, folder, name, inode, size, mtime, attempts, root, again, stream = row
    return _Taken(file, folder, name, inode, size, mtime, attempts, root, again, str(stream))


@dataclass(slots=True)
class _Lane:
    """A lane's number; what it has read and not stored yet (while the queue gives more, batches are stored together),
    and the files that are in it."""

    number: int
    rows: records.Rows = field(default_factory=records.Rows)
    held: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Counts:
    """What was read since the daemon started, by root."""

    read: dict[int, int] = field(default_factory=dict)
    failed: dict[int, int] = field(default_factory=dict)


class Reader:
    """All lanes of this host. `wake` when something was queued; it sleeps when the queue is empty."""

    def __init__(self, store: Store, config: Config, registry: Registry, roots: Roots) -> None:
        self.store = store
        self.config = config
        self.registry = registry
        self.roots = roots
        self.keeper = Keeper(store, roots, config.shared_least)
        self.ingest = Ingest(store, self.keeper)
        self.counts = Counts()
        self.on_read: Callable[[], None] = lambda: None
        self.on_idle: Callable[[], None] = lambda: None  # everything listed is read
        self._ready: deque[_Taken] = deque()
        self._suspects: deque[_Taken] = deque()
        self._in_hand: set[int] = set()
        self._work = asyncio.Event()
        self._after = 0
        self._fetch = asyncio.Lock()
        self._alone = asyncio.Lock()
        self._lanes: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False
        self.problem = ""
        self.failing: dict[str, str] = {}  # applications that do not start: name and reason

    # -------------------------------------------------------------- life

    async def start(self) -> None:
        """Puts what an earlier daemon had in hand under suspicion, then starts the lanes."""
        rows = (await self.store.write([("suspect", (self.store.host,))], give_up_after=60.0))[0]
        if rows:
            log.warning("files were in hand when the daemon ended", extra={"count": len(rows)})
        lanes = self.config.worker_count + 1
        self._lanes = [asyncio.create_task(self._lane(number), name=f"lane {number}") for number in range(lanes)]
        self.wake()

    def wake(self) -> None:
        """There may be something to read."""
        self._after = 0
        self._work.set()

    @property
    def busy(self) -> int:
        """How many files are in hand."""
        return len(self._in_hand)

    async def stop(self) -> None:
        """Ends the lanes; what they have in hand stays queued."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        with contextlib.suppress(MediadError):
            await self.store.write([("landed", (self.store.host,))], give_up_after=1.0, deadline=1.0)

    # -------------------------------------------------------------- the queue

    async def _next(self) -> list[_Taken]:
        """The next batch: up to 64 files, or one alone that was in hand when everything died. Waits for work."""
        while True:
            async with self._fetch:
                if not self._ready and not self._suspects:
                    self._work.clear()  # before looking: what is queued meanwhile wakes the lane again
                    await self._fill()
                if self._ready:
                    return self._at_hand()
                if self._suspects:
                    return [self._suspects.popleft()]
            if not self._in_hand:
                self.on_idle()
            await self._plan_wake()
            await self._work.wait()

    def _at_hand(self) -> list[_Taken]:
        return [self._ready.popleft() for _ in range(min(BATCH_FILES, len(self._ready)))]

    async def _fill(self) -> None:
        roots = self.roots.readable()
        if not roots:
            return
        # A file that is stored while the database answers would look unread: what is in hand now is left out.
        in_hand = frozenset(self._in_hand)
        rows = await self.store.read("take_todo", pack(roots), self._after, _TAKE, now_ns(), deadline=30.0)
        self._after = rows[-1][0] if len(rows) == _TAKE else 0
        taken = [_taken(row) for row in rows if row[0] not in in_hand]
        await self._resolve(taken)
        for item in taken:
            if item.top:
                (self._suspects if item.attempts else self._ready).append(item)
                self._in_hand.add(item.file)

    async def _resolve(self, taken: list[_Taken]) -> None:
        paths = await dir_paths(self.roots, {item.dir for item in taken})
        for item in taken:
            names = paths.get(item.dir)
            root = self.roots.get(item.root)
            if names is None or root is None or root.local is None:
                continue
            item.top = root.local
            item.inodes = root.inodes
            item.path = b"/".join([*names, item.name])
            item.folders = names or (os.path.basename(root.local),)

    async def _plan_wake(self) -> None:
        roots = self.roots.readable()
        if not roots or self._timer is not None:
            return
        due = (await self.store.read("todo_waiting", pack(roots)))[0][0]
        if due is not None and due > 0:
            seconds = max(0.1, (due - now_ns()) / 1e9)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._due)

    def _due(self) -> None:
        self._timer = None
        self.wake()

    # -------------------------------------------------------------- a lane

    async def _lane(self, number: int) -> None:
        lane = _Lane(number)
        while not self._stopping:
            batch: list[_Taken] = []
            try:
                if lane.rows.records and (not self._ready or len(lane.rows.records) + BATCH_FILES > BATCH_RECORDS):
                    await self._store_held(lane)
                # What is held does not wait for more work: then there is a batch at hand, and nobody between.
                batch = self._at_hand() if lane.rows.records else await self._next()
                if batch[0].attempts:
                    async with self._alone:  # a suspect is read while no other suspect is
                        await self._read(lane, batch)
                        await self._store_held(lane)
                else:
                    await self._read(lane, batch)
                self.problem = ""
            except Fenced:
                log.error("another daemon of this host has taken over: reading stops")
                return
            except MediadError as error:
                self.problem = str(error)
                log.warning("reading paused", extra={"why": error.for_log})
                lane.rows.clear()  # what is not stored is still queued
                await asyncio.sleep(1.0)
                self._work.set()
            finally:
                lane.held.update(item.file for item in batch)
                if not lane.rows.records:
                    self._in_hand -= lane.held
                    lane.held.clear()

    async def _store_held(self, lane: _Lane) -> None:
        await self._store(lane.rows)
        self._in_hand -= lane.held
        lane.held.clear()

    async def _read(self, lane: _Lane, batch: list[_Taken]) -> None:
        rows = lane.rows
        batch = self._park(batch, rows)
        if batch:
            await self.registry.load()
            await self.store.write(
                [("take_off", (self.store.host, lane.number, pack([item.file for item in batch])))],
                give_up_after=_GIVE_UP_SECONDS,
            )
        groups: dict[tuple[bytes, int], list[_Taken]] = {}
        applications: dict[int, Application] = {}
        for item in batch:
            application = self.registry.application_for(item.name)
            applications[id(application)] = application
            groups.setdefault((item.top, id(application)), []).append(item)
        put_off: dict[int, list[int]] = {}
        for (top, key), items in groups.items():
            await self._read_group(applications[key], top, items, rows, put_off)
        for pause, files in put_off.items():
            await self.store.write([("put_off", (pack(files), now_ns() + pause))], give_up_after=_GIVE_UP_SECONDS)

    def _park(self, batch: list[_Taken], rows: records.Rows) -> list[_Taken]:
        """A file that was in hand at two deaths of the daemon, the second time alone, is not tried again."""
        left = []
        for item in batch:
            if item.attempts >= 2:
                answer = Answer(
                    code="internal",
                    message="the daemon died twice while this file was read; it is not tried again until it changes",
                    died=True,
                )
                records.add(rows, self._facts(item, [item.inode, item.size, item.mtime_ns]), answer)
            else:
                left.append(item)
        return left

    @staticmethod
    def _facts(item: _Taken, stat: list[int]) -> records.Read:
        return records.Read(
            item.file, item.stream, item.name, item.folders, stat[0], stat[1], stat[2], item.again, item.dir
        )  # fmt: skip

    async def _read_group(
        self,
        application: Application,
        top: bytes,
        items: list[_Taken],
        rows: records.Rows,
        put_off: dict[int, list[int]],
    ) -> None:
        try:
            opened = await self.roots.opener(top).open(
                top, [item.path for item in items], inodes=self.roots.inodes(top)
            )
        except MediadError as error:
            log.warning("volume away", extra={"why": error.code})
            put_off.setdefault(_AWAY_NS, []).extend(item.file for item in items)
            return
        ready: list[tuple[_Taken, int]] = []
        try:
            for item, (fd, stat) in zip(items, opened, strict=True):
                if fd < 0:
                    self._unopened(item, stat, rows, put_off)
                elif stat[:3] != [item.inode, item.size, item.mtime_ns]:
                    put_off.setdefault(_CHANGED_AGAIN_NS, []).append(item.file)
                    self.roots.rescan_soon(item.root)
                else:
                    ready.append((item, fd))
            await self._ask(application, ready, rows, put_off)
        finally:
            for fd, _stat in opened:
                if fd >= 0:
                    os.close(fd)

    def _unopened(self, item: _Taken, problem: list[Any], rows: records.Rows, put_off: dict[int, list[int]]) -> None:
        number, message = problem
        error = self.roots.open_error(number, message)
        if error.code == "not_found":  # gone since it was listed: the next walk says so
            put_off.setdefault(_GONE_NS, []).append(item.file)
            self.roots.rescan_soon(item.root)
            return
        answer = Answer(code=error.code, message=error.message)
        records.add(rows, self._facts(item, [item.inode, item.size, item.mtime_ns]), answer)

    async def _ask(
        self,
        application: Application,
        ready: list[tuple[_Taken, int]],
        rows: records.Rows,
        put_off: dict[int, list[int]],
    ) -> None:
        pool = self.registry.pool(application, "read")
        deaths: dict[int, int] = {}
        while ready:
            again: list[tuple[_Taken, int]] = []

            def take(
                i: int, answer: Answer, batch: list[tuple[_Taken, int]] = ready, again: list[tuple[_Taken, int]] = again
            ) -> None:
                item, _fd = batch[i]
                if answer.died and not deaths.get(item.file):
                    deaths[item.file] = 1
                    again.append(batch[i])  # once more, with a fresh worker: it may not have been its fault
                elif answer.ok is not None and self._of_another(item, answer.ok):
                    lie = Answer(code="internal", message="the handler answered with the stat of another file")
                    self._count(item, lie)
                    records.add(rows, self._facts(item, [item.inode, item.size, item.mtime_ns]), lie)
                elif answer.ok is not None and self._moved_on(item, answer.ok):
                    put_off.setdefault(_CHANGED_AGAIN_NS, []).append(item.file)
                    self.roots.rescan_soon(item.root)
                else:
                    self._count(item, answer)
                    records.add(rows, self._facts(item, [item.inode, item.size, item.mtime_ns]), answer)

            files = [({"name": item.name, **self._path(application, item)}, fd) for item, fd in ready]
            for _facts, fd in files:
                os.lseek(fd, 0, os.SEEK_SET)
            try:
                left = await pool.run("read", files, {}, seconds=self.config.read_seconds, on_answer=take)
            except Unavailable as error:  # the files of other applications go on
                log.warning("no worker", extra={"application": pool.name, "why": error.message})
                self.failing[pool.name] = error.message
                put_off.setdefault(_NO_WORKER_NS, []).extend(item.file for item, _fd in ready)
                return
            self.failing.pop(pool.name, None)
            if len(rows.records) >= BATCH_RECORDS:
                await self._store(rows)
            ready = [ready[i] for i in left] + again

    @staticmethod
    def _path(application: Application, item: _Taken) -> dict[str, bytes]:
        manifest = application.manifest
        if manifest is None or manifest.descriptors:
            return {}
        return {"path": item.top + b"/" + item.path}

    @classmethod
    def _moved_on(cls, item: _Taken, ok: dict[str, Any]) -> bool:
        """The stat taken after reading differs from the one the file was opened with: it changed in between."""
        stat = cls._stat(ok)
        return stat is not None and stat[1:] != [item.size, item.mtime_ns]

    @classmethod
    def _of_another(cls, item: _Taken, ok: dict[str, Any]) -> bool:
        """The inode of an open descriptor never changes: such an answer would be asked for again for ever."""
        stat = cls._stat(ok)
        return stat is not None and item.inodes and stat[0] != item.inode

    @staticmethod
    def _stat(ok: dict[str, Any]) -> list[int] | None:
        """(inode, size, mtime_ns) as the store has them; None when the handler gave no stat."""
        stat = ok.get("stat")
        if not isinstance(stat, list) or len(stat) < 3 or not all(isinstance(number, int) for number in stat[:3]):
            return None
        return [stat[0] - (1 << 64) if stat[0] >= 1 << 63 else stat[0], stat[1], stat[2]]

    def _count(self, item: _Taken, answer: Answer) -> None:
        table = self.counts.failed if answer.code else self.counts.read
        table[item.root] = table.get(item.root, 0) + 1

    async def _store(self, rows: records.Rows) -> None:
        if rows.records:
            await self.ingest.store(rows, give_up_after=_GIVE_UP_SECONDS)
            rows.clear()
            self.on_read()
