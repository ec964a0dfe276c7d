"""The journal of moves: steps stored before they are done, and what became of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from mediad.moves.model import BATCH, Step
from mediad.store.store import Store, now_ns, pack

_BREATH = 200  # steps between two breaths of the loop
_SECONDS = 600.0  # a database that is away so long: what is on disk is looked at again when it is back


class Journal:
    """Steps of operations of this host."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def plan(self, operation: uuid.UUID, steps: list[Step]) -> None:
        """Commits steps as planned, all or none: nothing of them may be done before this returns. Raises Unavailable
        soon when the database is away, so that nothing moves then."""
        unit: list[tuple[str, tuple[Any, ...]]] = []
        for start in range(0, len(steps), BATCH):
            rows = await _packed(steps[start : start + BATCH], _row)
            unit.append(("plan_moves", (operation, self._store.host, now_ns(), rows)))
        if unit:
            await self._store.write(unit, give_up_after=30.0, deadline=30.0)

    async def note(self, operation: uuid.UUID, steps: Iterable[Step]) -> None:
        """Commits what became of steps. What is done on disk is `placed` in the journal, until the store has followed
        and `close` is called: what is open in it is looked at after a crash."""
        chosen = list(steps)
        for start in range(0, len(chosen), BATCH):
            rows = await _packed(chosen[start : start + BATCH], _result)
            await self._store.write([("set_moves", (operation, rows))], give_up_after=_SECONDS, deadline=30.0)

    async def open(self) -> list[tuple[uuid.UUID, str]]:
        """Operations that were interrupted, each with its actor."""
        return [(row[0], row[1]) for row in await self._store.read("open_moves", self._store.host, deadline=30.0)]

    async def steps(self, operation: uuid.UUID) -> list[Step]:
        """All steps of an operation, in order."""
        found: list[Step] = []
        after = -1
        while rows := await self._store.read("moves_of", operation, after, BATCH, deadline=30.0):
            found += [_step(row) for row in rows]
            await asyncio.sleep(0)
            after = rows[-1][0]
        return found

    async def close(self, operation: uuid.UUID) -> None:
        """The store has followed: what was placed is done, and what it takes back is undone."""
        unit = [(name, (operation,)) for name in ("close_moves", "take_back", "mark_taken_back")]
        await self._store.write(unit, give_up_after=_SECONDS, deadline=60.0)

    async def undone_by(self, operation: uuid.UUID) -> list[uuid.UUID]:
        """Operations that this one has taken back, wholly or in part."""
        return [row[0] for row in await self._store.read("undone_by", operation, deadline=30.0)]


async def _packed(steps: list[Step], row: Callable[[Step], dict[str, Any]]) -> str:
    """Rows of steps as one JSON parameter, made with breaths: a thousand take longer than the loop may be held."""
    parts = []
    for start in range(0, len(steps), _BREATH):
        parts.append(pack([row(step) for step in steps[start : start + _BREATH]])[1:-1])
        await asyncio.sleep(0)
    return "[" + ",".join(parts) + "]"


def _result(s: Step) -> dict[str, Any]:
    return {
        "n": s.number, "s": "placed" if s.state == "done" else s.state, "i": s.to_inode, "m": s.to_mtime_ns,
        "h": _hex(s.sha256), "c": s.code or None, "p": s.problem or None,
    }  # fmt: skip


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _row(step: Step) -> dict[str, Any]:
    return {
        "n": step.number, "u": step.unit, "a": step.action, "f": step.file, "s": step.stream, "fr": step.from_root,
        "fp": _hex(step.from_path), "tr": step.to_root, "tp": _hex(step.to_path), "i": step.inode, "z": step.size,
        "m": step.mtime_ns, "o": step.mode, "j": step.to_inode, "k": step.to_mtime_ns, "h": _hex(step.sha256),
        "d": None if step.undoes is None else str(step.undoes), "e": step.undoes_step,
    }  # fmt: skip


def _step(row: tuple[Any, ...]) -> Step:
    (number, unit, action, state, file, stream, from_root, from_path, to_root, to_path, inode, size, mtime, mode,
     to_inode, to_mtime, sha256, code, problem, host, undoes, undoes_step) = row  # fmt: skip
    return Step(
        number,
        unit,
        action,
        from_root,
        from_path,
        to_root,
        to_path,
        file,
        None if stream is None else str(stream),
        inode,
        size or 0,
        mtime or 0,
        mode,
        state,
        to_inode,
        to_mtime,
        sha256,
        code or "",
        problem or "",
        host=host,
        undoes=undoes,
        undoes_step=undoes_step,
    )
