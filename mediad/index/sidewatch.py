"""Finds the files whose side file and person's values may differ, from the feed, and has them merged once they have
been quiet for a while. Where no root keeps its side files in step nothing of this runs.

The queue is in the database (side_todo), filled in the transaction that moves this host's cursor: what a daemon that
ended had not merged is merged by the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from typing import Any

from mediad.config import Config
from mediad.errors import MediadError
from mediad.index.feed import Feed
from mediad.index.lookup import locate_files
from mediad.index.roots import Roots
from mediad.index.sidefiles import NotYet, SideFiles
from mediad.index.work import new_operation
from mediad.store.faults import Fenced
from mediad.store.store import Store, now_ns, pack

log = logging.getLogger(__name__)

# What may have made the two differ: a person's doing, a side file or a media file that came or was read.
_ACTIONS = ("tagged", "untagged", "rated", "set", "inherited", "merged", "split", "joined", "detached", "related",
            "succeeded", "read", "changed", "moved", "returned")  # fmt: skip
_EVENTS_AT_ONCE = 50  # an event may tell of a batch of files
_FILES_AT_ONCE = 64
_PAUSE_SECONDS = 5.0  # the database is away
_FIRST_NS, _LAST_NS = 5_000_000_000, 3_600_000_000_000  # between two tries of what fails: doubled from one to the next
_NOT_YET_NS, _NOT_YET_MOST_NS = 500_000_000, 60_000_000_000  # the same for what waits to be read


class SideWatch:
    """Keeps the side files of this host's roots in step, where `sidecars = "sync"`."""

    def __init__(self, store: Store, config: Config, roots: Roots, feed: Feed, sides: SideFiles) -> None:
        self._store = store
        self._config = config
        self._roots = roots
        self._feed = feed
        self._sides = sides
        self._problems: dict[int, str] = {}  # of files that wait for another try

    def notes(self) -> list[str]:
        """What a person should know."""
        if not self._problems:
            return []
        count, one = len(self._problems), next(iter(self._problems.values()))
        return [f"{count} side files cannot be kept in step (mediactl sidecars): {one}"]

    async def run(self) -> None:
        """Works for ever; asleep while nothing happens."""
        if not self._config.writes_sidecars:
            return
        told = self._feed.follow()
        try:
            while True:
                try:
                    told.clear()
                    await self._advance()
                    await self._merge_due()
                    await self._wait(told)
                except Fenced:
                    return
                except MediadError as error:
                    log.warning("side files wait", extra={"why": error.for_log})
                    await asyncio.sleep(_PAUSE_SECONDS)
                    told.set()
        finally:
            self._feed.leave(told)

    async def _wait(self, told: asyncio.Event) -> None:
        """Until there may be more: events, which are given a moment to become many, or a file that is due."""
        due = (await self._store.read("side_due", pack(self._roots.readable())))[0][0]
        with contextlib.suppress(TimeoutError):
            seconds = None if due is None else max(0.05, (due - now_ns()) / 1e9)
            async with asyncio.timeout(seconds):
                await told.wait()
                await asyncio.sleep(min(0.5, self._config.sidecar_seconds))

    # -------------------------------------------------------------- the queue

    async def _advance(self) -> None:
        """Looks through the feed from where this host was."""
        epoch, last, compacted = await self._feed.state()
        rows = await self._store.read("side_cursor", self._store.host)
        if not rows:  # switched on now: what was before is `mediactl sidecars sync --all`
            await self._move([], epoch, last)
            return
        if rows[0][0] != epoch or rows[0][1] < compacted or rows[0][1] > last:
            await self._enqueue_all()
            await self._move([], epoch, last)
            return
        seq = rows[0][1]
        while page := await self._store.read("side_events", seq, _EVENTS_AT_ONCE, pack(list(_ACTIONS)), deadline=30.0):
            streams: set[str] = set()
            for number, concerns, target, items in page:
                seq = number
                if concerns:
                    streams.update([target] if target else json.loads(items or "[]"))
            await self._move(sorted(streams), epoch, seq)

    async def _move(self, streams: list[str], epoch: Any, seq: int) -> None:
        unit: list[tuple[str, tuple[Any, ...]]] = []
        if streams:
            now = now_ns()
            later = now + int(self._config.sidecar_seconds * 1e9)
            unit.append(("side_enqueue", (pack(streams), pack(self._syncing()), now, later)))
        unit.append(("put_side_cursor", (self._store.host, epoch, seq)))
        await self._store.write(unit, deadline=30.0, give_up_after=120.0)

    def _syncing(self) -> list[int]:
        """The roots of this host in which side files are kept in step, at least somewhere."""
        places = [os.fsencode(place) for place in self._config.roots]
        return [
            root.id
            for root in self._roots.mine()
            if (top := root.place or root.local) is not None
            and (
                self._config.sidecars_at(top) == "sync"
                or any(place.startswith(top.rstrip(b"/") + b"/") for place in places)
            )
        ]

    async def _enqueue_all(self) -> None:
        """The feed does not reach back to where this host was: everything is looked at."""
        async for files in self._sides.everything(self._syncing()):
            await self._store.write([("side_enqueue_files", (pack(files), now_ns()))], give_up_after=120.0)

    # -------------------------------------------------------------- merging

    async def _merge_due(self) -> None:
        roots = set(self._syncing()) & set(self._roots.readable())
        while rows := await self._store.read("side_take", pack(sorted(roots)), now_ns(), _FILES_AT_ONCE, deadline=30.0):
            for file, since, tries in rows:
                await self._merge(file, since, tries)

    async def _merge(self, file: int, since: int, tries: int) -> None:
        try:
            if await self._wanted(file):
                await self._sides.sync(file, new_operation())
        except Fenced:
            raise
        except NotYet:
            await self._put_off(file, now_ns() + min(_NOT_YET_NS << min(tries, 20), _NOT_YET_MOST_NS), None, None)
            return
        except MediadError as error:
            if self._store.database.state != "ready":
                raise
            shown = error.input.decode("utf-8", "replace")
            self._problems[file] = f"{error.message}: {shown}" if shown else error.message
            log.warning("a side file is not in step", extra={"why": error.for_log})
            await self._put_off(file, now_ns() + min(_FIRST_NS << min(tries, 20), _LAST_NS), error.code, error.message)
            return
        self._problems.pop(file, None)
        await self._store.write([("side_done", (file, since))], give_up_after=60.0)

    async def _put_off(self, file: int, until: int, code: str | None, message: str | None) -> None:
        await self._store.write([("side_put_off", (file, until, code, message))], give_up_after=60.0)

    async def _wanted(self, file: int) -> bool:
        rows = await self._store.read("file_facts", file)
        if not rows:
            return False
        _stream, folder, name = rows[0][:3]
        path = (await locate_files(self._roots, [(file, folder, name)]))[file].path
        return self._config.sidecars_at(path) == "sync"
