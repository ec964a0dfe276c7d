"""Apply, recover, undo: what is planned is committed, then done, then noted; after a crash it is done again, for every
deed of a mover may be done twice (mediad.workers.mover).

Files of one unit go together: when one cannot, the others of it go back. The source of a copy is removed when the
copies of its whole unit are verified, durable, and committed as such: that row is the proof it may be dropped.
What the store says of names follows by walks of the folders concerned, which are told what to expect (`Expected`):
so there is one writer of names, whoever moves them.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from mediad.errors import ERRORS, Conflict, MediadError, NotFound, Unavailable
from mediad.index.expected import Expected, Hint
from mediad.index.roots import Roots
from mediad.index.work import By
from mediad.moves.journal import Journal
from mediad.moves.model import OPEN, Step, join
from mediad.moves.mover import Copied, Mover, MoverLost, Result, error_of_result
from mediad.moves.operation import (
    BREATH,
    Operation,
    abort,
    batches_of,
    folders_above,
    part_name,
    take_back,
    units_of,
)
from mediad.store.store import Store

log = logging.getLogger(__name__)

_TRIES = 5  # movers that may die in one batch before it is given up
_TORN = ("conflict", "another file of its bundle cannot go")
_RETRY_SECONDS = 2.0
_READY_SECONDS = 60.0
T = TypeVar("T")
_UNCLONED = ("cross", "failed:EOPNOTSUPP", "failed:EINVAL", "failed:ENOTTY", "failed:EXDEV")


class Engine:
    """Moves of this host. Nothing is moved before what a crash left was recovered (`ready`)."""

    def __init__(self, store: Store, roots: Roots, data_dir: Path) -> None:
        self._store = store
        self._roots = roots
        self.lock = data_dir / "mover.lock"  # whoever moves holds it shared
        self.journal = Journal(store)
        self.expected: Expected = roots.expected
        self.ready = asyncio.Event()
        self.waiting = 0  # interrupted operations whose volumes are away
        roots.on_walked.append(self.look_again)
        self._running: dict[uuid.UUID, tuple[Operation, asyncio.Task[None]]] = {}
        self._recovering: asyncio.Task[None] | None = None
        self._claims: dict[int, uuid.UUID] = {}  # by which operation a file is being moved

    def mover(self) -> Mover:
        """A mover of its own, for an operation or a plan; the caller closes it."""
        return Mover(self.lock)

    # -------------------------------------------------------------- apply

    async def apply(self, operation: Operation) -> None:
        """Does the steps of an operation, in a task of its own: whoever asked may go away. Raises Unavailable when the
        database is away before anything was done."""
        await self._wait_ready()
        number = operation.by.operation
        task = asyncio.create_task(self._run(operation), name=f"move {number}")
        self._running[number] = operation, task
        task.add_done_callback(lambda _done: self._running.pop(number, None))
        await asyncio.shield(task)

    def running(self, number: uuid.UUID) -> Operation | None:
        """An operation under way."""
        found = self._running.get(number)
        return found[0] if found else None

    async def _wait_ready(self) -> None:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await self.ready.wait()
        except TimeoutError:
            raise Unavailable("interrupted moves are still being recovered") from None

    async def settled(self, number: uuid.UUID) -> list[Step]:
        """The steps of an operation, when it is neither under way nor to be recovered; none when it was never begun.
        Raises Unavailable when that takes long."""
        if number in self._running:
            await asyncio.wait([self._running[number][1]])
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while True:
                    steps = await self.journal.steps(number)
                    if not any(step.state in OPEN for step in steps):
                        return steps
                    if self._recovering is None or self._recovering.done():
                        raise Unavailable("the move was interrupted, and its volume is away", str(number))
                    await asyncio.wait([self._recovering], timeout=_RETRY_SECONDS)
        except TimeoutError:
            raise Unavailable("the move was interrupted and is still being recovered", str(number)) from None

    async def _run(self, operation: Operation) -> None:
        number = operation.by.operation
        mover = self.mover()
        steps = operation.steps
        files = [step for step in steps if step.is_file]
        operation.progress.files_total = len(files)
        try:
            await self.journal.plan(number, steps)
            await self._claim(operation)
            for count, step in enumerate(steps):
                if count % BREATH == BREATH - 1:
                    await asyncio.sleep(0)
                self._expect(operation, step)
            folders = [step for step in steps if step.action == "mkdir"]
            removed = [step for step in steps if step.action == "rmdir"]
            for batch in [folders, *batches_of(files), removed]:
                if operation.stop:
                    abort(batch, "cancelled", "stopped before it was begun")
                    await self.journal.note(number, batch)
                elif batch:
                    await self._batch(operation, mover, batch)
            if operation.prune:
                await self._prune(operation, mover)
            if folders and len(operation.done) < len(files):
                await self._tidy(operation, mover, folders)
            await self._follow(operation)
            await self.journal.close(number)
            self.expected.forget(number)
        except MediadError as error:
            # What walks are to expect stays until it is recovered.
            log.warning("a move was interrupted; it is looked at again", extra={"why": error.for_log})
            mover.close()
            await mover.ended()
            self._recover_later()
            raise
        finally:
            operation.finished = True
            mover.close()
            self._claims = {file: holder for file, holder in self._claims.items() if holder != number}

    async def _claim(self, operation: Operation) -> None:
        """A file is moved by one operation at a time: two that copy it would both find it gone, and both have it."""
        number = operation.by.operation
        files = [step for step in operation.steps if step.file is not None and step.is_file]
        taken = {step.unit for step in files if self._claims.get(step.file or 0, number) != number}
        late = [step for step in files if step.unit in taken]
        abort(late, "conflict", "another move has it in hand")
        self._claims.update({step.file or 0: number for step in files if step.unit not in taken})
        if late:
            await self.journal.note(number, late)

    async def _batch(self, operation: Operation, mover: Mover, batch: list[Step]) -> None:
        """Does a batch that is committed as planned, as often as movers die of it, and commits what became of it."""
        attempts = itertools.count()
        await self._try(
            mover, lambda: self._deeds(operation, mover, batch, again=operation.again or next(attempts) > 0)
        )
        await self.journal.note(operation.by.operation, batch)

    async def _try(self, mover: Mover, do: Callable[[], Awaitable[T]]) -> T:
        """Does what may be done twice, as often as movers die of it. Raises MoverLost after some."""
        for attempt in range(1, _TRIES):
            try:
                return await do()
            except MoverLost:
                log.warning("a mover ended; another goes on", extra={"attempt": attempt})
                await mover.ended()
        return await do()

    async def _deeds(self, operation: Operation, mover: Mover, batch: list[Step], *, again: bool) -> None:
        open_steps = [step for step in batch if step.state in ("planned", "copied")]
        await self._folders(mover, [step for step in open_steps if not step.is_file])
        files = [step for step in open_steps if step.is_file]
        to_copy: list[Step] = [step for step in files if step.action in ("copy", "reflink")]
        for action in ("move", "hardlink", "symlink"):
            rows = [step for step in files if step.action == action and step.state == "planned"]
            results = await mover.rows("link", [self._row(step) for step in rows], action=action)
            for step, result in zip(rows, results, strict=True):
                # What is there already may be a copy that a mover finished before it died.
                copied = again and result.outcome == "exists" and action != "symlink"
                if copied or (result.outcome == "cross" and not operation.require and action != "symlink"):
                    to_copy.append(step)
                else:
                    self._take(step, result)
        copies = {step.number for step in to_copy} | {step.number for step in files if step.state == "copied"}
        for unit in units_of(batch):
            mine = [step for step in unit if step.number in copies]
            if any(step.state in ("aborted", "attention") for step in unit):
                abort([step for step in mine if step.state == "planned"], *_TORN)
                await self._back(operation, mover, unit)
                mine = []
            elif operation.stop and not again and mine and all(step.state == "planned" for step in unit):
                abort(mine, "cancelled", "stopped before it was begun")
                mine = []
            for step in mine:
                if step.state == "planned":
                    await self._copy(operation, mover, step, again=again)
                if step.state == "aborted":
                    break
            if mine:
                await self._close_copies(operation, mover, unit, mine)
            operation.progress.files += sum(step.state == "done" for step in unit)
            operation.told()
        await self._others(operation, mover, files)
        # A copy that did not come to its end, here or before a crash, may have left its temporary.
        stale = [step for step in to_copy if step.state == "aborted"]
        parts = [[s.number, None, None, self._top(s.to_root), s.to_path, part_name(operation, s)] for s in stale]
        for result in await mover.rows("clean", parts):
            if result.outcome not in ("done", "gone"):
                log.warning("a temporary of a copy may be left", extra={"why": result.outcome})

    async def _others(self, operation: Operation, mover: Mover, files: list[Step]) -> None:
        """Duplicates that go, and copies that are taken back."""
        for op, action in (("drop", "drop"), ("unmake", "remove")):
            rows = [step for step in files if step.action == action and step.state == "planned"]
            results = await mover.rows(op, [self._made_row(operation, step) for step in rows])
            for step, result in zip(rows, results, strict=True):
                self._take(step, result)

    async def _folders(self, mover: Mover, steps: list[Step]) -> None:
        made = [step for step in steps if step.action == "mkdir"]
        rows = [[s.number, None, None, self._top(s.to_root), s.to_path, s.mode] for s in made]
        for step, result in zip(made, await mover.rows("mkdir", rows), strict=True):
            self._take(step, result)
        gone = [step for step in steps if step.action == "rmdir"]
        rows = [[s.number, self._top(s.from_root), s.from_path, None, None] for s in gone]
        for step, result in zip(gone, await mover.rows("rmdir", rows), strict=True):
            self._take(step, result)

    async def _copy(self, operation: Operation, mover: Mover, step: Step, *, again: bool) -> None:
        progress = operation.progress
        before = progress.copied

        def told(done: int) -> None:
            progress.copied = before + min(done, step.size)
            operation.told()

        progress.current = self._to(step)
        part = part_name(operation, step)
        made: Copied | Result
        clone = step.action == "reflink"
        made = await mover.copy(self._row(step), part, clone=clone, again=again, told=told)
        if clone and isinstance(made, Result) and made.outcome in _UNCLONED and not operation.require:
            made = await mover.copy(self._row(step), part, clone=False, again=again, told=told)
        if isinstance(made, Result):
            self._take(step, made)
            return
        step.to_inode, step.to_mtime_ns = made.inode, made.mtime_ns
        step.sha256 = made.sha256 or None
        step.state = "copied"
        operation.notes.update(made.notes)
        progress.copied = before + step.size
        self._expect(operation, step)

    async def _close_copies(self, operation: Operation, mover: Mover, unit: list[Step], mine: list[Step]) -> None:
        """The end of a unit with copies: all are there, then the sources go; else the copies do."""
        if any(step.state in ("aborted", "attention") for step in unit):
            abort([step for step in mine if step.state == "planned"], *_TORN)
            await self._back(operation, mover, unit)
            return
        dropped = [step for step in mine if step.action == "move"]
        for step in mine:
            if step.action != "move":
                step.state = "done"
        if not dropped:
            return
        await self.journal.note(operation.by.operation, mine)  # the proof: copied, verified, durable
        results = await self._drop(operation, mover, dropped)
        back: list[Result | None] = [None] * len(dropped)
        if not any(result.outcome in ("done", "gone") for result in results):
            # No source can go, so the copies do; a crash in between finds them planned, and makes them again.
            for step in dropped:
                step.state = "planned"
            await self.journal.note(operation.by.operation, dropped)
            back[:] = await mover.rows("unmake", [self._made_row(operation, step) for step in dropped])
        for step, result, undone in zip(dropped, results, back, strict=True):
            if result.outcome == "done" or (undone is not None and undone.outcome == "done"):
                self._take(step, result)
            elif result.outcome == "gone":
                step.state, step.code = "attention", "not_found"
                step.problem = "neither the source nor the copy is there any more"
            else:  # both are there, complete: the source stays
                error = error_of_result(result, self._from(step))
                step.state, step.code, step.problem = (
                    "attention",
                    error.code,
                    f"it was copied and stays: {error.message}",
                )

    async def _drop(self, operation: Operation, mover: Mover, steps: list[Step]) -> list[Result]:
        """Removes the sources of copies; what fails is tried once more, for others of its bundle are gone by then."""
        results = await mover.rows("drop", [self._made_row(operation, step) for step in steps])
        failed = [at for at, result in enumerate(results) if result.outcome.startswith("failed")]
        again = await mover.rows("drop", [self._made_row(operation, steps[at]) for at in failed])
        for at, result in zip(failed, again, strict=True):
            results[at] = result
        return results

    async def _back(self, operation: Operation, mover: Mover, unit: list[Step]) -> None:
        """A unit that cannot go as a whole goes back as a whole."""
        moved = [step for step in unit if step.action == "move" and step.state == "done"]
        rows = [
            [s.number, self._top(s.to_root), s.to_path, self._top(s.from_root), s.from_path,
             s.to_inode if s.inode is not None else None, s.size, s.to_mtime_ns]
            for s in moved
        ]  # fmt: skip
        made = [
            step
            for step in unit
            if step.state == "copied"
            or (step.state == "done" and step.action in ("copy", "hardlink", "symlink", "reflink"))
        ]
        results = await mover.rows("link", rows, action="move")
        results += await mover.rows("unmake", [self._made_row(operation, step) for step in made])
        for step, result in zip([*moved, *made], results, strict=True):
            if result.outcome == "done":
                abort([step], *_TORN)
            else:
                step.state, step.code = "attention", "conflict"
                step.problem = f"its bundle is torn apart, and it cannot go back: {result.message}"

    def _take(self, step: Step, result: Result) -> None:
        """Notes what a mover says of a step."""
        if result.outcome == "done":
            step.state = "done"
            if result.message:
                log.warning("a move is done, but may not outlast a power cut", extra={"why": result.message})
            if result.inode is not None:
                step.to_inode, step.to_mtime_ns = result.inode, result.mtime_ns
            return
        if step.action == "rmdir":
            step.state = "aborted"  # it is not empty: others have put something there
            return
        error = error_of_result(result, self._from(step))
        step.state, step.code, step.problem = "aborted", error.code, error.message

    # -------------------------------------------------------------- folders that are left

    async def _prune(self, operation: Operation, mover: Mover) -> None:
        """Folders that this operation has emptied go, deepest first; a root's top stays."""
        left: dict[tuple[int, bytes], None] = {}
        for step in operation.steps:
            if step.action != "move" or step.state != "done" or step.from_root is None or step.from_path is None:
                continue
            folder = step.from_path.rpartition(b"/")[0]
            while folder:
                left[step.from_root, folder] = None
                folder = folder.rpartition(b"/")[0]
        order = sorted(left, key=lambda key: -key[1].count(b"/"))
        number = max((step.number for step in operation.steps), default=-1) + 1
        steps: list[Step] = []
        for root, path in order:
            try:
                stat = (await self._try(mover, partial(mover.look, [(self._top(root), path)])))[0]
            except Unavailable:
                raise
            except MediadError as error:  # then it stays
                log.warning("a folder that was left cannot be looked at", extra={"why": error.code})
                continue
            if stat is not None and stat.type == "d":
                steps.append(Step(number + len(steps), -2, "rmdir", root, path, mode=stat.mode))
        if steps:
            await self.journal.plan(operation.by.operation, steps)
            operation.steps += steps
            await self._batch(operation, mover, steps)

    async def _tidy(self, operation: Operation, mover: Mover, folders: list[Step]) -> None:
        """Folders that were made for files that did not come go again."""
        used = {(s.to_root, path) for s in operation.done for path in folders_above(s.to_path or b"")}
        idle = [s for s in reversed(folders) if s.state == "done" and (s.to_root, s.to_path) not in used]
        if not idle:
            return
        rows = [[s.number, self._top(s.to_root), s.to_path, None, None] for s in idle]
        for step, result in zip(idle, await self._try(mover, lambda: mover.rows("rmdir", rows)), strict=True):
            if result.outcome == "done":
                step.state = "aborted"
        await self.journal.note(operation.by.operation, idle)

    # -------------------------------------------------------------- the store follows

    def _expect(self, operation: Operation, step: Step) -> None:
        """What walks will find, and whose doing it is."""
        if not step.is_file or step.file is None or step.to_root is None or step.to_path is None:
            return
        if step.action in ("drop", "remove"):
            return
        hint = Hint(
            step.file, step.stream or "", step.action == "move", step.size,
            step.mtime_ns if step.to_mtime_ns is None else step.to_mtime_ns, self._from(step), operation.by.actor,
            operation.by.operation, step.sha256,
        )  # fmt: skip
        self.expected.add(step.to_root, step.to_path, hint)

    async def _follow(self, operation: Operation) -> None:
        """Has the folders concerned walked: those first where something came, then those that were left. What failed
        is looked at, too: whoever stood in the way is news. Raises Unavailable when the store could not be told."""
        came: dict[int, dict[bytes, bool]] = {}
        left: dict[int, dict[bytes, bool]] = {}
        for count, step in enumerate(operation.steps):
            if count % BREATH == BREATH - 1:
                await asyncio.sleep(0)
            if step.to_root is not None and step.to_path is not None and step.action != "drop":
                came.setdefault(step.to_root, {})[step.to_path.rpartition(b"/")[0]] = False
            if step.from_root is not None and step.from_path is not None and step.action in ("move", "drop", "rmdir"):
                left.setdefault(step.from_root, {})[step.from_path.rpartition(b"/")[0]] = False
        await self._roots.look_now(came, before=set(left))
        await self._roots.look_now(left)

    # -------------------------------------------------------------- undo

    async def undo(self, number: uuid.UUID, by: By) -> Operation:
        """The operation that takes back what another moved; it is to be applied. Raises NotFound when that moved
        nothing, Conflict when there is nothing left of it."""
        found = await self.journal.steps(number)
        if not found:
            raise NotFound("no operation moved files under that id", str(number))
        if any(step.host != self._store.host for step in found):
            raise Conflict("that was moved by another host: undo it there", str(number))
        if any(step.state in OPEN for step in found):
            raise Conflict("that operation is still under way", str(number))
        done = [step for step in found if step.state == "done"]
        if not any(step.is_file for step in done):
            raise Conflict("nothing of that operation is left to be undone", str(number))
        steps = await take_back(done, self._lasting)
        # One request may take back several: each goes on where the one before ended.
        first = max((step.number for step in await self.journal.steps(by.operation)), default=-1) + 1
        for step in steps:
            step.number, step.undoes = step.number + first, number
        return Operation(by, steps)

    # -------------------------------------------------------------- recovery

    def start(self) -> None:
        """Recovers what a crash left, now; then moves are taken. Until it is known what that was no walk begins: it
        would take files for lost that are on their way."""
        self.expected.known.clear()
        self._recover_later()

    def look_again(self) -> None:
        """A volume came back: what waits for it may go on."""
        if self.waiting:
            self._recover_later()

    def _recover_later(self) -> None:
        if self._recovering is None or self._recovering.done():
            self._recovering = asyncio.create_task(self._recover_all(), name="recover moves")

    async def _recover_all(self) -> None:
        try:
            while True:
                try:
                    await self.recover()
                    return
                except MediadError as error:
                    log.warning("moves cannot be recovered yet", extra={"why": error.for_log})
                    if not error.retryable:
                        self.ready.set()  # said in `status`; other moves go on
                        return
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            self.expected.known.set()

    async def recover(self) -> int:
        """Finishes or rolls back every operation that was interrupted, but those whose volumes are away. Returns how
        many were open."""
        waiting = 0
        found: list[Operation] = []
        for number, actor in await self.journal.open():
            steps = await self.journal.steps(number)
            if number in self._running or not any(step.state in OPEN for step in steps):
                continue
            found.append(Operation(By(actor, number), steps, again=True))
            for step in steps:
                self._expect(found[-1], step)
        self.expected.known.set()
        if found:
            mover = self.mover()
            try:
                if not self.ready.is_set():  # later there are movers of ours, which may work for hours
                    await mover.alone()
                for operation in found:
                    waiting += not await self._recover_one(mover, operation)
            finally:
                mover.close()
        self.waiting = waiting
        self.ready.set()
        return len(found)

    async def _recover_one(self, mover: Mover, operation: Operation) -> bool:
        number, steps = operation.by.operation, operation.steps
        left = [step for step in steps if step.state in OPEN]
        roots = {root for step in left for root in (step.from_root, step.to_root) if root is not None}
        if any(self._roots.get(root) is None for root in roots):
            await self._roots.load()
        if any(self._roots.get(root) is None for root in roots):
            for step in left:
                step.state, step.code, step.problem = "attention", "not_found", "its root was forgotten"
            await self.journal.note(number, left)
            self.expected.forget(number)
            return True
        if any(self._top_or_none(root) is None for root in roots):
            return False
        units = {step.unit for step in left if step.state != "placed"}
        for step in left:
            if step.state == "placed":
                step.state = "done"
        batch = [step for step in steps if step.unit in units and step.state != "undone"]
        log.info("an interrupted move is finished", extra={"steps": len(left)})
        folders = [step for step in batch if not step.is_file]
        made = [step for step in folders if step.action == "mkdir"]
        removed = [step for step in folders if step.action == "rmdir"]
        for some in [made, *batches_of(batch), removed]:
            if some:
                await self._batch(operation, mover, some)
        await self._tidy(operation, mover, [step for step in steps if step.action == "mkdir"])
        await self._follow(operation)
        await self.journal.close(number)
        self.expected.forget(number)
        return True

    async def close(self) -> None:
        """The daemon ends: what is under way stops after the step in hand, and is recovered at the next start."""
        if self._recovering is not None:
            self._recovering.cancel()
        running = list(self._running.values())
        for operation, _task in running:
            operation.stop = True
        for _operation, task in running:
            task.cancel()
        await asyncio.gather(*(task for _operation, task in running), return_exceptions=True)

    def problem_of(self, step: Step) -> MediadError:
        """Why a step was not done, about its source."""
        return ERRORS[step.code or "internal"](step.problem, self._from(step))

    # -------------------------------------------------------------- places

    def _top_or_none(self, number: int | None) -> bytes | None:
        root = self._roots.get(number) if number is not None else None
        return None if root is None else root.local

    def _top(self, number: int | None) -> bytes:
        found = self._top_or_none(number)
        if found is None:
            raise Unavailable("the volume went away", str(number))
        return found

    def _from(self, step: Step) -> bytes:
        return join(self._top_or_none(step.from_root) or b"", step.from_path or b"")

    def _to(self, step: Step) -> bytes:
        return join(self._top_or_none(step.to_root) or b"", step.to_path or b"")

    def _row(self, s: Step) -> list[Any]:
        return [
            s.number,
            self._top(s.from_root),
            s.from_path,
            self._top(s.to_root),
            s.to_path,
            s.inode,
            s.size,
            s.mtime_ns,
        ]

    def _made_row(self, operation: Operation, s: Step) -> list[Any]:
        made = s.to_inode if self._lasting(s.to_root) else None
        return [*self._row(s), made, s.to_mtime_ns, part_name(operation, s)]

    def _lasting(self, number: int | None) -> bool:
        root = self._roots.get(number) if number is not None else None
        return root is None or root.inodes
