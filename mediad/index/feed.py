"""The feed as clients follow it: pages of events in the order of their commits, and waking when there are more.

Numbers are taken by the last statement of a transaction from one row (settled 10), so a reader that has seen n has seen
all below it. Who follows is woken by NOTIFY, from whichever daemon of the database wrote; while nobody follows, no
connection listens and nothing runs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from mediad.errors import MediadError
from mediad.index.work import KEPT
from mediad.store.connection import Link
from mediad.store.queries import Statement
from mediad.store.store import Store, pack

log = logging.getLogger(__name__)

PAGE, FEW = 500, 16  # events in one read, as in the statements feed_page and feed_few
_RETRY_SECONDS = 1.0
_LISTEN = Statement("listen", "LISTEN mediadb_feed", "Hear of new events.", "mediad.index.feed", prepared=False)
_COMPACT_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """An event, and the item it is about today; one that tells of many items is given once for each."""

    seq: int
    at_ns: int
    host: uuid.UUID
    actor: str
    operation: uuid.UUID | None
    target_kind: str
    target: str
    action: str
    value: str  # JSON text
    item: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some changes, and the feed as it was when they were read: its epoch, last number and horizon. `reached`: the
    number that the changes reach to; `ends`: there were no more."""

    epoch: uuid.UUID
    last: int
    compacted: int
    changes: list[Change]
    reached: int
    ends: bool


class Feed:
    """Pages of the feed, and `wait` for more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._link: Link | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Event] = set()

    async def state(self) -> tuple[uuid.UUID, int, int]:
        """(epoch, last number, compacted up to)."""
        row = (await self._store.read("feed_state"))[0]
        return row[0], row[1], row[2]

    async def page(self, since: int, most: int = PAGE) -> Page:
        """At most `most` changes (at most PAGE) after a number; what one number tells is never torn apart."""
        name, at_once = ("feed_few", FEW) if most <= FEW else ("feed_page", PAGE)
        rows = await self._store.read(name, since, deadline=30.0)
        ends = len(rows) < at_once and len(rows) <= most
        rows = rows[:most]
        epoch, last, compacted = rows[0][:3]
        if rows[0][3] is None:
            return Page(epoch, last, compacted, [], since, True)
        inside = {each for row in rows if row[8] == "stream" and not row[9] for each in json.loads(row[11])["items"]}
        merged = {}
        if inside:
            found = await self._store.read("live_streams", pack(sorted(inside)))
            merged = {str(old): stream for old, stream in found}
        changes = []
        for row in rows:
            seq, at, host, actor, operation, kind, target, action, value, live = row[3:]
            if kind != "stream":
                changes.append(Change(seq, at, host, actor, operation, kind, target, action, value, None))
            elif target:
                item = live or uuid.UUID(target)
                changes.append(Change(seq, at, host, actor, operation, kind, target, action, value, item))
            else:
                for each in json.loads(value)["items"]:
                    item = merged.get(each) or uuid.UUID(each)
                    changes.append(Change(seq, at, host, actor, operation, kind, each, action, "{}", item))
        return Page(epoch, last, compacted, changes, rows[-1][3], ends)

    # -------------------------------------------------------------- waiting

    def follow(self) -> asyncio.Event:
        """An event that is set whenever there may be more; give it back with `leave`."""
        told = asyncio.Event()
        told.set()
        self._waiting.add(told)
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen(), name="feed")
        return told

    def leave(self, told: asyncio.Event) -> None:
        """Its follower has gone; with the last one goes the connection."""
        self._waiting.discard(told)
        if not self._waiting and self._listening is not None:
            self._listening.cancel()
            self._listening = None

    def _tell(self) -> None:
        for told in self._waiting:
            told.set()

    async def _listen(self) -> None:
        try:
            while True:
                lost = asyncio.Event()
                try:
                    self._link = await self._store.database.dedicated(_setter(lost))
                    self._link.on_notify = self._tell
                    await self._link.run([(_LISTEN, ())])
                    self._tell()  # what was written before it listened
                    await lost.wait()
                except MediadError as error:
                    log.warning("the feed does not listen", extra={"why": error.for_log})
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            if self._link is not None:
                self._link.close()
                self._link = None

    def stop(self) -> None:
        """The daemon ends."""
        if self._listening is not None:
            self._listening.cancel()

    async def compact(self, keep: int) -> int:
        """Drops what was merely seen beyond the last `keep` numbers. Returns how many events went."""
        _epoch, last, compacted = await self.state()
        gone = 0
        while compacted < last - keep:
            compacted = min(compacted + _COMPACT_AT_ONCE, last - keep)
            rows = await self._store.write(
                [("compact_feed", (compacted, pack(list(KEPT))))], deadline=60.0, give_up_after=120.0
            )
            gone += rows[0][0][0]
        return gone


def _setter(event: asyncio.Event) -> Callable[[Link], None]:
    return lambda _link: event.set()
