"""The database with this host's identity: reads as they are, writes behind the fence.

Every unit that writes begins with `fence`: a daemon that lost its place to another of the same host is refused by the
database itself, not by its own belief.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from mediad.store.database import Database
from mediad.store.faults import Fenced
from mediad.store.values import vectors

__all__ = ["Store", "Unit", "now_ns", "pack", "vectors"]

Unit = Sequence[tuple[str, tuple[Any, ...]]]


# Made once: json.dumps makes an encoder for each call that is not by its defaults.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def pack(rows: Any) -> str:
    """Rows as one JSON parameter: encoding them in C and decoding them in the server costs less than array literals."""
    return _encode(rows)


def now_ns() -> int:
    """Nanoseconds since the Unix epoch."""
    return time.time_ns()


class Store:
    """Statements of sql/queries by name, for one host. `on_fenced` is told when another daemon has taken the host
    over: whatever this one still holds may be out of date, and nothing it does will be stored any more."""

    def __init__(self, database: Database, host: uuid.UUID) -> None:
        self.database = database
        self.host = host
        self.epoch = 0
        self.on_fenced: Callable[[Fenced], None] = lambda error: None

    async def read(self, name: str, *params: Any, deadline: float | None = None) -> list[tuple[Any, ...]]:
        """One statement that only reads. Raises Unavailable, DeadlineExceeded and what the statement raises."""
        return await self.database.fetch(name, *params, deadline=deadline)

    async def write(
        self, unit: Unit, *, give_up_after: float | None = None, deadline: float | None = None
    ) -> list[list[tuple[Any, ...]]]:
        """One unit, atomically, as often as it takes: it is idempotent. Returns the rows of its statements.

        Raises Unavailable after `give_up_after` seconds without success; Fenced when another daemon took over."""
        fenced = [("fence", (self.host, self.epoch)), *unit]
        try:
            results = await self.database.run(fenced, deadline=deadline, give_up_after=give_up_after)
        except Fenced as error:
            self.on_fenced(error)
            raise
        return list(results[1:])
