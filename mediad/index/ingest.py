"""Stores what was read: one idempotent transaction a batch."""

from __future__ import annotations

from typing import Any

from mediad.index.records import Rows
from mediad.store.store import Store, pack

# A batch of this many files is one transaction: beyond it the server gains little and the loop loses its turn.
BATCH_RECORDS = 128


def unit_of(rows: Rows) -> list[tuple[str, tuple[Any, ...]]]:
    """The statements of one batch, in the order in which they need each other."""
    unit: list[tuple[str, tuple[Any, ...]]] = []
    if rows.again:
        again = pack(rows.again)
        unit += [("drop_meta_links", (again,)), ("drop_links", (again,)), ("drop_keys", (again,))]
    unit.append(("store_records", (pack(rows.records),)))
    if rows.keys:
        unit.append(("put_keys", (pack(rows.keys),)))
    if rows.values:
        unit += [("put_values", (pack(list(rows.values.values())),)), ("link_values", (pack(rows.links),))]
    metas = rows.metas
    if metas.metas:
        unit.append(("put_metas", (pack(list(metas.metas.values())),)))
        unit.append(("link_metas", (pack(metas.files), pack(list(metas.links.values())))))
    return unit


async def ingest(store: Store, rows: Rows, *, give_up_after: float) -> None:
    """Stores a batch; repeated as a whole while the database is away. Raises Unavailable after `give_up_after` s."""
    if rows.records:
        await store.write(unit_of(rows), give_up_after=give_up_after, deadline=30.0)
