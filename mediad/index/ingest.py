"""Stores what was read: one idempotent transaction a batch."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from mediad.index.keeper import Keeper, Statements
from mediad.index.records import Read, Rows, add
from mediad.model import Answer
from mediad.store.faults import StatementFailed
from mediad.store.store import Store, now_ns, pack, vectors

log = logging.getLogger(__name__)

# A batch of this many files is one transaction: beyond it the server gains little and the loop loses its turn.
BATCH_RECORDS = 128


_PACK_AT_ONCE = 32  # rows encoded before others have their turn: some 2 ms


async def _pack_slowly(rows: list[Any]) -> str:
    """`pack` of many rows: encoding a batch takes some milliseconds."""
    parts: list[str] = []
    for start in range(0, len(rows), _PACK_AT_ONCE):
        parts.append(pack(rows[start : start + _PACK_AT_ONCE])[1:-1])
        await asyncio.sleep(0)
    return f"[{','.join(parts)}]"


class Ingest:
    """Stores batches."""

    def __init__(self, store: Store, keeper: Keeper) -> None:
        self._store = store
        self._keeper = keeper

    def _rows_of(self, rows: Rows) -> list[tuple[str, tuple[Any, ...]]]:
        """The statements of one batch with their rows, in the order in which they need each other."""
        unit: list[tuple[str, tuple[Any, ...]]] = []
        if rows.again:
            unit += [("drop_meta_links", (rows.again,)), ("drop_links", (rows.again,))]
        unit.append(("store_records", (rows.records, now_ns(), self._store.host, vectors(rows.words))))
        if rows.keys:
            unit.append(("put_keys", (rows.keys,)))
        metas = rows.metas
        if metas.metas:
            unit.append(("put_metas", (list(metas.metas.values()),)))
            unit.append(("link_metas", (metas.names, metas.files, list(metas.links.values()))))
        return unit

    async def store(self, rows: Rows, *, give_up_after: float) -> None:
        """Stores a batch; repeated as a whole while the database is away. What the database refuses hurts one file: its
        record then says so. Raises Unavailable after `give_up_after` seconds."""
        if not rows.records:
            return
        try:
            await self._write(rows, give_up_after)
        except StatementFailed as error:
            log.error("the database refuses a batch", extra={"why": error.for_log, "files": len(rows.records)})
            for read, answer in list(rows.answers):
                await self._store_one(read, answer, give_up_after)

    async def _store_one(self, read: Read, answer: Answer, give_up_after: float) -> None:
        alone = Rows()
        add(alone, read, answer)
        try:
            await self._write(alone, give_up_after)
        except StatementFailed as error:
            log.error("the database refuses a record", extra={"why": error.for_log, "file": read.file})
            refused = Rows()
            add(refused, read, Answer(code="internal", message=f"the database refused its record: {error.sqlstate}"))
            await self._write(refused, give_up_after)

    async def _write(self, rows: Rows, give_up_after: float) -> None:
        async with contextlib.AsyncExitStack() as turn:
            await turn.enter_async_context(self._keeper.deciding)
            concerned, candidates = await self._keeper.concerns(rows)
            if concerned:
                settled, before, left = await self._keeper.settle(rows, candidates)
            else:  # its own streams only: others need not wait until it is stored
                await turn.aclose()
                settled, before, left = rows, [], []
            await self._put(settled, before, give_up_after)
        if left:
            await self._keeper.after_lost(left)
        if before:
            self._keeper.wanted.set()
            self._keeper.on_kept()

    async def _put(self, rows: Rows, before: Statements, give_up_after: float) -> None:
        unit = list(before)
        for name, parts in self._rows_of(rows):
            packed: list[Any] = []
            for part in parts:
                packed.append(await _pack_slowly(part) if isinstance(part, list) else part)
            unit.append((name, tuple(packed)))
        await self._store.write(unit, give_up_after=give_up_after, deadline=30.0)
