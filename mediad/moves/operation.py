"""An operation that moves files, as the engine has it in hand: its steps, their units and batches, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mediad.index.work import By
from mediad.moves.model import BATCH, Plan, Step

BREATH = 200  # steps between two breaths of the loop


@dataclass(slots=True)
class Progress:
    """How far an operation is."""

    files: int = 0
    files_total: int = 0
    copied: int = 0
    bytes_total: int = 0
    current: bytes = b""


@dataclass(slots=True)
class Operation:
    """One operation under way. `stop` ends it after the step in hand."""

    by: By
    steps: list[Step]
    require: bool = False
    prune: bool = False
    again: bool = False
    stop: bool = False
    progress: Progress = field(default_factory=Progress)
    notes: set[str] = field(default_factory=set)
    told: Callable[[], None] = lambda: None
    finished: bool = False

    @property
    def done(self) -> list[Step]:
        """Files that are where they should be."""
        return [step for step in self.steps if step.is_file and step.state == "done"]

    @property
    def failed(self) -> list[Step]:
        """Files that are not."""
        return [step for step in self.steps if step.is_file and step.state in ("aborted", "attention")]


def part_name(operation: Operation, step: Step) -> bytes:
    """The name of a copy until it is complete, and of what is removed while it is looked at."""
    return b".mediad-%s-%d.part" % (operation.by.operation.hex.encode(), step.number)


def folders_above(path: bytes) -> list[bytes]:
    """Every folder that a path leads through, the top excepted."""
    parts = path.split(b"/")[:-1]
    return [b"/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def units_of(steps: list[Step]) -> list[list[Step]]:
    """The steps about files, those of one unit together."""
    found: dict[int, list[Step]] = {}
    for step in steps:
        if step.is_file:
            found.setdefault(step.unit, []).append(step)
    return list(found.values())


def batches_of(files: list[Step]) -> list[list[Step]]:
    """Whole units, some BATCH steps together."""
    found: list[list[Step]] = []
    for unit in units_of(files):
        if not found or len(found[-1]) + len(unit) > BATCH:
            found.append([])
        found[-1] += unit
    return found


def abort(steps: list[Step], code: str, why: str) -> None:
    """Steps that are not done, and why."""
    for step in steps:
        step.state, step.code, step.problem = "aborted", code, why


async def take_back(done: list[Step], lasting: Callable[[int | None], bool]) -> list[Step]:
    """The steps that take others back, last first. `lasting`: whether the inode numbers of a root last."""
    steps: list[Step] = []

    def add(action: str, s: Step, *, back: bool, unit: int, **facts: Any) -> None:
        ends = (
            (s.to_root, s.to_path, s.from_root, s.from_path)
            if back
            else (s.from_root, s.from_path, s.to_root, s.to_path)
        )
        steps.append(Step(len(steps), unit, action, *ends, undoes_step=s.number, **facts))

    for s in reversed([s for s in done if s.action == "rmdir"]):
        add("mkdir", s, back=True, unit=-1, mode=s.mode)
    for count, s in enumerate(reversed([s for s in done if s.is_file])):
        if count % BREATH == BREATH - 1:
            await asyncio.sleep(0)
        facts = {"file": s.file, "stream": s.stream, "size": s.size}
        if s.action == "move":
            inode = s.to_inode if lasting(s.to_root) else None
            mtime = s.to_mtime_ns or s.mtime_ns
            add("move", s, back=True, unit=s.unit, inode=inode, mtime_ns=mtime, mode=s.mode, **facts)
        elif s.action == "drop":
            add("copy", s, back=True, unit=s.unit, inode=s.to_inode, mtime_ns=s.to_mtime_ns or 0, **facts)
        elif s.action == "remove":
            add("copy", s, back=False, unit=s.unit, inode=s.inode, mtime_ns=s.mtime_ns, **facts)
        else:
            add("remove", s, back=False, unit=s.unit, inode=s.inode, mtime_ns=s.mtime_ns, to_inode=s.to_inode,
                to_mtime_ns=s.to_mtime_ns, **facts)  # fmt: skip
    for s in reversed([s for s in done if s.action == "mkdir"]):
        add("rmdir", s, back=True, unit=-2)
    return steps


def operation_of(plan: Plan, by: By) -> Operation:
    """A plan as an operation to be applied."""
    return Operation(by, plan.steps, plan.options.require, plan.options.prune,
                     progress=Progress(bytes_total=plan.bytes_total))  # fmt: skip
