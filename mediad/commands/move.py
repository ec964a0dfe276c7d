"""Moving, copying, linking files: from what a person names to a plan, and from a plan to done."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import check_path, resolve
from mediad.commands.work import by_of, matching
from mediad.errors import ERRORS, InvalidArgument, MediadError, NotFound
from mediad.index.lookup import find_dir
from mediad.index.work import By
from mediad.moves.defaults import load_templates
from mediad.moves.model import MODES, Options, Plan, Step, join
from mediad.moves.mover import Mover
from mediad.moves.namer import Namer
from mediad.moves.operation import Operation, operation_of
from mediad.moves.plan import CASELESS, Planner, Selected, Unit, Wish, Wisher, into, join_below
from mediad.store.store import pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

_PROGRESS_SECONDS = 0.25
_STEPS_AT_ONCE = 500  # in one reply
_TOLD_MOST = 1000  # problems and pairs in the last reply
_STREAMS_AT_ONCE = 500


async def move(context: Context, request: pb.MoveRequest, call: Call) -> Replies:
    """Plans, and unless it is a dry run does it."""
    by = by_of(call)
    if not request.dry_run:
        before = await context.moves.settled(by.operation)
        if before:  # sent again: what was begun is finished by now
            async for reply in _report(context, Operation(by, before), Plan(Options())):
                yield reply
            return
    options = _options(request)
    mover = context.moves.mover()
    try:
        told: list[tuple[str, int, int]] = []
        planning = asyncio.create_task(_plan(context, mover, request, call, options, lambda *at: told.append(at)))
        try:
            while not (await asyncio.wait([planning], timeout=_PROGRESS_SECONDS))[0]:
                if told:
                    stage, done_files, total = told[-1]
                    told.clear()
                    yield pb.Reply(progress=pb.Progress(stage=stage, files_done=done_files, files_total=total))
        finally:
            planning.cancel()
        plan = await planning
    finally:
        mover.close()
    async for reply in finish(context, plan, call, dry_run=request.dry_run, by=by):
        yield reply


async def finish(
    context: Context, plan: Plan, call: Call, *, dry_run: bool, by: By | None = None
) -> AsyncIterator[pb.Reply]:
    """Shows a plan, or does it."""
    if dry_run:
        async for reply in _show(context, plan):
            yield reply
        return
    if plan.fatal is not None:
        raise plan.fatal
    operation = operation_of(plan, by or by_of(call))
    async for reply in run(context, operation):
        yield reply
    async for reply in _report(context, operation, plan):
        yield reply


def _options(request: pb.MoveRequest) -> Options:
    mode = request.mode or "move"
    if mode not in MODES:
        raise InvalidArgument(f"the modes are {', '.join(MODES)}", mode)
    if request.drop_duplicates and mode != "move":
        raise InvalidArgument("duplicates are dropped by a move only", mode)
    return Options(mode, request.require, request.drop_duplicates, request.prune, request.fat)


async def _plan(
    context: Context, mover: Mover, request: pb.MoveRequest, call: Call, options: Options,
    told: Callable[[str, int, int], None],
) -> Plan:  # fmt: skip
    problems: list[MediadError] = []
    planner = Planner(context.store, context.roots)
    selected = await select_files(context, planner, request.targets, request.query, call, problems)
    if not selected and problems:
        raise problems[0]
    units = await planner.units(selected)
    if request.template:
        base = await planner.destination(check_path(request.destination)) if request.destination else None
        wish = await named(context, units, request.template, base, options)
        plan = await planner.plan(mover, units, wish, options, told)
        plan.problems[:0] = problems
        return plan
    if not request.destination:
        raise InvalidArgument("a destination is needed")
    root, folder = await planner.destination(check_path(request.destination))
    name = b""
    there = (await mover.look([(root.local or b"", folder)]))[0] if folder else None
    if folder and not request.folder and (there is None or there.type != "d"):
        if any(each.sub for each in selected):  # a folder gets another name
            for unit in units:
                unit.sub = unit.sub.partition(b"/")[2]
        else:
            folder, _, name = folder.rpartition(b"/")
    plan = await planner.plan(mover, units, into(units, root, folder, name), options, told)
    plan.problems[:0] = problems
    return plan


async def named(context: Context, units: list[Unit], template: str, base: Wish | None, options: Options) -> Wisher:
    """The wish of `organise`: the paths that a name template makes of each file's metadata, below `base` or the top of
    each file's root."""
    namer = Namer(load_templates(context.config.templates), template, fat=options.fat)
    facts: dict[int, tuple[str, dict[str, Any]]] = {}
    for start in range(0, len(units), _STREAMS_AT_ONCE):
        some = units[start : start + _STREAMS_AT_ONCE]
        files = pack([unit.main.file for unit in some])
        rows = await context.store.read("fields_of_files", files, deadline=60.0)
        ids = pack([unit.main.stream for unit in some])
        own = dict(await context.store.read("fields_of_streams", ids, deadline=60.0))
        streams = {unit.main.file: unit.main.stream for unit in some}
        for file, kind, fields in rows:
            found = json.loads(fields) if fields else {}
            found.update(json.loads(own.get(uuid.UUID(streams[file]), "{}")))
            facts[file] = kind, found
        await asyncio.sleep(0)

    def wish(unit: Unit) -> Wish | MediadError:
        kind, fields = facts.get(unit.main.file, ("", {}))
        named = namer.path(kind, fields, unit.main.below, unit.main.path, caseless=unit.main.root.fs_type in CASELESS)
        if isinstance(named, MediadError):
            return named
        if base is None:
            return unit.main.root, named
        return base[0], join_below(base[1], named)

    return wish


async def select_files(
    context: Context, planner: Planner, targets: Iterable[pb.Target], query: str, call: Call,
    problems: list[MediadError],
) -> list[Selected]:  # fmt: skip
    """The files that targets and a query mean, each once. A folder means all that is in it and below."""
    targets = list(targets)
    if not targets and not query:
        raise InvalidArgument("ids, paths or a query are needed")
    found: dict[int, Selected] = {}
    streams: list[str] = []
    files: list[int] = []
    for target in targets:
        try:
            stream, file = await resolve(context, target)
        except NotFound as error:
            folder = await find_dir(context.roots, check_path(target.path)) if target.path else None
            if folder is None:
                problems.append(error)
                continue
            await _select_below(context, planner, folder[1], target.path, found, problems)
            continue
        if file is None:
            streams.append(str(stream))
        else:
            files.append(file)
    if query:
        async for each in matching(context, query, call):
            streams.append(str(each))
    rows = await context.store.read("files_by_id", pack(files), deadline=60.0) if files else []
    for start in range(0, len(streams), _STREAMS_AT_ONCE):
        some = pack(streams[start : start + _STREAMS_AT_ONCE])
        rows += await context.store.read("files_to_move", some, deadline=60.0)
    asked = {file: place for place, file in enumerate(files)}
    rows.sort(key=lambda row: asked.get(row[0], len(asked)))  # paths in the order in which they were given
    for source in await planner.sources(rows, problems):
        found.setdefault(source.file, Selected(source))
    return list(found.values())


async def _select_below(
    context: Context,
    planner: Planner,
    folder: int,
    path: bytes,
    found: dict[int, Selected],
    problems: list[MediadError],
) -> None:
    rows = await context.store.read("tree_to_move", folder, deadline=60.0)
    base = path.rstrip(b"/").rpartition(b"/")[0].rstrip(b"/") + b"/"
    for source in await planner.sources(rows, problems):
        if source.root.only_name:
            continue
        sub = source.path[len(base) :].rpartition(b"/")[0]
        found.setdefault(source.file, Selected(source, sub))


async def run(context: Context, operation: Operation) -> AsyncIterator[pb.Reply]:
    """Applies an operation, with progress. Who asked may go away: it goes on; a cancel stops it after the step in
    hand."""
    task = asyncio.create_task(context.moves.apply(operation))
    try:
        while not (await asyncio.wait([task], timeout=_PROGRESS_SECONDS))[0]:
            at = operation.progress
            yield pb.Reply(progress=pb.Progress(
                stage="moving", files_done=at.files, files_total=at.files_total, bytes_done=at.copied,
                bytes_total=at.bytes_total, current=at.current, current_display=show_path(at.current),
            ))  # fmt: skip
    except asyncio.CancelledError as cancelled:
        if "client" in cancelled.args:
            operation.stop = True
        raise
    await task


# ------------------------------------------------------------------ replies


def _paths(context: Context, step: Step) -> tuple[bytes, bytes]:
    ends = []
    for root_id, below in ((step.from_root, step.from_path), (step.to_root, step.to_path)):
        root = context.roots.get(root_id) if root_id is not None else None
        ends.append(b"" if root is None or below is None else join(root.local or root.path, below))
    return ends[0], ends[1]


def step_to_wire(context: Context, step: Step) -> pb.MoveStep:
    """A step as clients see it."""
    source, destination = _paths(context, step)
    shown = pb.MoveStep(
        number=step.number, unit=step.unit, action=step.action, method=step.method, source=source,
        source_display=show_path(source), destination=destination, destination_display=show_path(destination),
        size=step.size, state=step.state,
    )  # fmt: skip
    if step.code:
        shown.problem.CopyFrom(error_to_wire(ERRORS[step.code](step.problem, source or destination)))
    return shown


def _parts(context: Context, steps: list[Step]) -> Iterator[pb.Reply]:
    for start in range(0, len(steps), _STEPS_AT_ONCE):
        some = [step_to_wire(context, step) for step in steps[start : start + _STEPS_AT_ONCE]]
        yield pb.Reply(move=pb.MoveReply(steps=some))


def _summary(plan: Plan) -> pb.MoveReply:
    reply = pb.MoveReply(notes=plan.notes, unchanged=plan.unchanged, bytes=plan.bytes_total)
    reply.problems.extend(error_to_wire(each) for each in plan.problems[:_TOLD_MOST])
    for source, there in plan.already[:_TOLD_MOST]:
        reply.already.add(source=source, got=there)
    for source, wanted, got in plan.clashes[:_TOLD_MOST]:
        reply.clashes.add(source=source, wanted=wanted, got=got)
    return reply


async def _show(context: Context, plan: Plan) -> AsyncIterator[pb.Reply]:
    for part in _parts(context, plan.steps):
        yield part
        await asyncio.sleep(0)
    reply = _summary(plan)
    reply.done, reply.failed = plan.files, len(plan.problems)
    if plan.fatal is not None:
        reply.fatal.CopyFrom(error_to_wire(plan.fatal))
    yield pb.Reply(move=reply, last=True)


async def _report(context: Context, operation: Operation, plan: Plan) -> AsyncIterator[pb.Reply]:
    """What was done. Steps that were done come in parts, so that a client may show where each file went."""
    told = [step for step in operation.steps if step.is_file]
    for part in _parts(context, told):
        yield part
        await asyncio.sleep(0)
    reply = _summary(plan)
    reply.done, reply.failed = len(operation.done), len(operation.failed) + len(plan.problems)
    reply.operation = operation.by.operation.bytes
    reply.bytes = operation.progress.copied
    if operation.notes & {"owner", "mode", "xattr"}:
        lost = ", ".join(sorted(operation.notes))
        reply.notes.append(f"copies lost what the file system or the daemon's rights do not allow: {lost}")
    for step in operation.failed[: _TOLD_MOST - len(reply.problems)]:
        shown = step_to_wire(context, step)
        if shown.HasField("problem"):
            reply.problems.append(shown.problem)
    yield pb.Reply(move=reply, last=True)


async def undo_move(context: Context, number: uuid.UUID, call: Call) -> AsyncIterator[pb.Reply | Operation]:
    """Takes back what an operation moved: progress, then the operation that did it. Sent again, it is what was done."""
    by = by_of(call)
    before = [step for step in await context.moves.settled(by.operation) if step.undoes == number]
    if before:
        yield Operation(by, before)
        return
    operation = await context.moves.undo(number, by)
    async for reply in run(context, operation):
        yield reply
    yield operation
