"""The play queue of each actor: what is about to be heard, and where in it, the same in every player.

Its events make it last (`work/*.ndjson`, backup), and are few: a player says every ten seconds where it is. What was
queued is replaced by what is queued next, so there is nothing to undo.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mediad.errors import InvalidArgument, LimitExceeded, NotFound
from mediad.index.work import POSITION_MOST, Work
from mediad.store.store import Store, now_ns, pack

QUEUE_MOST = 10_000
CLIENT_MOST = 200  # characters
# A position alone is told in an event so often; after a loss of the database a player goes on at most so much earlier.
_TOLD_NS = 300 * 10**9


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue as it is today. `entries`: 16 bytes an item; `position` in seconds."""

    entries: list[bytes]
    current: int = 0
    position: float = 0.0
    changed_ns: int = 0
    client: str = ""


@dataclass(slots=True)
class Told:
    """What the events of a queue amount to."""

    items: list[str]
    current: int = 0
    position: float = 0.0
    client: str = ""
    at_ns: int = 0


def fold_queue(events: Iterable[tuple[dict[str, Any], int]]) -> Told:
    """Folds (value, at_ns) in their order. Pure."""
    found = Told([])
    for value, at in events:
        found = Told(
            value.get("items", found.items), value["current"], value["position"], value["client"], at
        )  # fmt: skip
    return found


def check_place(current: int, position: float, size: int) -> None:
    """Raises InvalidArgument for a place that the queue does not have."""
    if current and current >= size:
        raise InvalidArgument(f"the queue has {size} entries, counted from 0", str(current))
    if not (math.isfinite(position) and 0 <= position <= POSITION_MOST):
        raise InvalidArgument("a position is seconds from the beginning", f"{position:g}")


class Queues:
    """Queues in the store."""

    def __init__(self, store: Store, work: Work) -> None:
        self._store = store
        self._work = work

    async def get(self, actor: str) -> Queue:
        """An actor's queue; an empty one where none was saved."""
        rows = await self._store.read("queue_of", actor)
        if not rows:
            return Queue([])
        _raw, today, current, position, changed, client = rows[0]
        return Queue(await self._work.today(today or b""), current, position, changed, client)

    async def holds(self, actor: str, ids: bytes) -> bool:
        """Whether the queue holds just these items, 16 bytes each: then only its place may have changed."""
        rows = await self._store.read("queue_of", actor)
        return bool(rows) and (rows[0][0] or b"") == ids

    async def save(
        self, actor: str, streams: list[str], current: int, position: float, client: str, operation: uuid.UUID | None
    ) -> bool:
        """Another queue. Returns whether an event tells of it. Raises LimitExceeded, InvalidArgument."""
        if len(streams) > QUEUE_MOST:
            raise LimitExceeded(f"a queue has at most {QUEUE_MOST:,} entries", str(len(streams)))
        check_place(current, position, len(streams))
        row = (actor, now_ns(), self._store.host, operation, pack(streams), current, position, client)
        told = await self._store.write([("save_queue", row)], give_up_after=30.0, deadline=10.0)
        return self._tell(told[0])

    async def move(
        self, actor: str, current: int, position: float, client: str, operation: uuid.UUID | None
    ) -> bool:  # fmt: skip
        """Another place in the same queue. Returns whether an event tells of it. Raises NotFound when there is no
        queue, InvalidArgument."""
        now = now_ns()
        rows = await self._store.read("queue_size", actor)
        if not rows:
            raise NotFound("no queue was saved yet", actor)
        check_place(current, position, rows[0][0])
        row = (actor, now, self._store.host, operation, current, position, client, now - _TOLD_NS)
        told = await self._store.write([("move_queue", row)], give_up_after=30.0)
        return self._tell(told[0])

    def _tell(self, rows: list[tuple[Any, ...]]) -> bool:
        told = bool(rows and rows[0][0])
        if told:
            self._work.tell()
        return told
