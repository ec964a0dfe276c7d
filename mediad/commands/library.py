"""Adding, roots, forgetting."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator

from mediad.commands.context import Call, Context, Counted, Replies
from mediad.commands.items import check_path, resolve
from mediad.errors import Conflict, InputOutputError, InvalidArgument, MediadError, NotFound
from mediad.index.lookup import find_dir, find_file
from mediad.index.work import KEPT
from mediad.model import Root, ScanReport
from mediad.store.store import now_ns, pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

_PROGRESS_SECONDS = 0.25
_LEFT_SECONDS = 0.5
_FORGET_BATCH = 500


async def add(context: Context, request: pb.AddRequest, call: Call) -> Replies:
    """Makes roots and walks them; ends when all names are listed or, with `wait`, when everything is read."""
    if not request.paths:
        raise InvalidArgument("add takes at least one path")
    roots: dict[int, Root] = {}
    for path in request.paths:
        root, _meant = await context.roots.add(
            check_path(path), once=request.once, cross=request.cross_mounts, exclude=request.exclude, actor=call.actor,
            operation=call.operation,
        )  # fmt: skip
        roots[root.id] = root
    scans = [context.roots.scan(root) for root in roots.values()]
    before = _read_so_far(context, roots)
    while (await asyncio.wait(scans, timeout=_PROGRESS_SECONDS))[1]:
        yield pb.Reply(progress=_progress(context, roots, "walking", (0, 0), before))
    reports = [await scan for scan in scans]
    context.reader.wake()
    if request.wait:
        async for progress in _until_read(context, roots, before):
            yield pb.Reply(progress=progress)
    reply = pb.AddReply(
        folders=sum(r.folders for r in reports), files_listed=sum(r.listed for r in reports),
        files_new=sum(r.new for r in reports), files_changed=sum(r.changed for r in reports),
        files_missing=sum(r.missing for r in reports), files_moved=sum(r.moved for r in reports),
        problem_count=sum(r.problem_count for r in reports),
    )  # fmt: skip
    reply.files_read, reply.files_failed = _done(context, roots, before)
    for code, message, path in [problem for r in reports for problem in r.problems][:100]:
        reply.problems.append(error_to_wire(_error(code, message, path)))
    reply.roots.extend(await _roots(context, set(roots)))
    yield pb.Reply(add=reply, last=True)


async def rescan(context: Context, request: pb.RescanRequest, _call: Call) -> Replies:
    """Walks roots of this host again: all that are here, or those that the paths lie in."""
    roots: dict[int, Root] = {}
    for path in request.paths:
        place = await find_dir(context.roots, check_path(path))
        if place is None:
            await context.roots.look_again()  # its root was away and may be back
            place = await find_dir(context.roots, path)
        if place is None:
            raise NotFound("no root holds this path", path)
        roots[place[0].id] = place[0]
    if not request.paths:
        await context.roots.look_again()  # one that was away may be back
        roots = {root.id: root for root in context.roots.mine() if root.local is not None}
    before = _read_so_far(context, roots)
    scans = [context.roots.scan(root, quick=request.quick) for root in roots.values()]
    while scans and (await asyncio.wait(scans, timeout=_PROGRESS_SECONDS))[1]:
        yield pb.Reply(progress=_progress(context, roots, "walking", (0, 0), before))
    context.reader.wake()
    if request.wait and roots:
        async for progress in _until_read(context, roots, before):
            yield pb.Reply(progress=progress)
    reply = pb.AddReply()
    for scan in scans:
        error = scan.exception()
        if isinstance(error, MediadError):
            reply.problems.append(error_to_wire(error))
            reply.problem_count += 1
            continue
        _sum(reply, scan.result())
    reply.files_read, reply.files_failed = _done(context, roots, before)
    reply.roots.extend(await _roots(context, set(roots)))
    yield pb.Reply(rescan=reply, last=True)


def _sum(reply: pb.AddReply, report: ScanReport) -> None:
    reply.folders += report.folders
    reply.files_listed += report.listed
    reply.files_new += report.new
    reply.files_changed += report.changed
    reply.files_missing += report.missing
    reply.files_moved += report.moved
    reply.problem_count += report.problem_count


async def accept(context: Context, request: pb.AcceptRequest, _call: Call) -> Replies:
    """The loss that froze a root is real: it is walked once more, and what is gone is missing."""
    place = await find_dir(context.roots, check_path(request.root))
    if place is None:
        raise NotFound("no root holds this path", request.root)
    root = place[0]
    if not root.frozen:
        raise Conflict("this root is not frozen", request.root)
    context.roots.accepted.add(root.id)
    try:
        await context.roots.scan(root)
    finally:
        context.roots.accepted.discard(root.id)
    yield pb.Reply(accept=pb.RootsReply(roots=await _roots(context, {root.id})), last=True)


def _error(code: str, message: str, path: bytes) -> MediadError:
    error = MediadError(message, path)
    error.code = code
    return error


def _read_so_far(context: Context, roots: dict[int, Root]) -> tuple[int, int]:
    counts = context.reader.counts
    return sum(counts.read.get(r, 0) for r in roots), sum(counts.failed.get(r, 0) for r in roots)


def _done(context: Context, roots: dict[int, Root], before: tuple[int, int]) -> tuple[int, int]:
    read, failed = _read_so_far(context, roots)
    return read - before[0], failed - before[1]


def _progress(
    context: Context, roots: dict[int, Root], stage: str, read: tuple[int, int], before: tuple[int, int]
) -> pb.Progress:
    """`read`: files done and in all, as far as known."""
    reports = [context.roots.reports[r] for r in roots if r in context.roots.reports]
    return pb.Progress(
        stage=stage, folders=sum(r.folders for r in reports), files_listed=sum(r.listed for r in reports),
        files_done=read[0], files_total=read[1], files_failed=_done(context, roots, before)[1],
    )  # fmt: skip


async def _until_read(context: Context, roots: dict[int, Root], before: tuple[int, int]) -> AsyncIterator[pb.Progress]:
    mine = pack(list(roots))
    total = 0
    while left := (await context.store.read("todo_left", mine, deadline=60.0))[0][0]:
        total = max(total, left)  # what was read but is not stored yet is still left: never more done than there is
        yield _progress(context, roots, "reading", (total - left, total), before)
        await asyncio.sleep(_LEFT_SECONDS if left > 64 else 0.05)


async def list_roots(context: Context, _request: pb.RootsRequest, _call: Call) -> Replies:
    """Every root of every host, with its numbers."""
    await context.roots.load()
    yield pb.Reply(roots=pb.RootsReply(roots=await _roots(context, None)), last=True)


async def _roots(context: Context, only: set[int] | None) -> list[pb.Root]:
    counts = {row[0]: row[1:] for row in await context.store.read("root_counts", deadline=30.0)}
    shown = []
    for root in context.roots.all():
        if only is not None and root.id not in only:
            continue
        files, size, missing, failed, folders, pending = counts.get(root.id, (0, 0, 0, 0, 0, 0))
        path = root.local if root.local is not None else root.path
        if root.only_name:
            path = os.path.join(path, root.only_name)
        state = "frozen" if root.frozen else "active" if root.local is not None else "away"
        shown.append(pb.Root(
            id=root.id, path=path, path_display=show_path(path), volume=root.volume_uuid.encode(),
            host=root.owner.bytes, host_name=root.owner_name, watched=root.watched, state=state,
            files=files, folders=folders, missing=missing, pending=pending, failed=failed, bytes=size,
            scanned_at_ns=root.scanned_ns or 0,
        ))  # fmt: skip
    return shown


async def forget(context: Context, request: pb.ForgetRequest, call: Call) -> Replies:
    """Drops records of files, folders, roots or items. A person's events stay; the files on disk are not touched."""
    if not request.targets:
        raise InvalidArgument("forget takes at least one id or path")
    reply = pb.ForgetReply()
    for target in request.targets:
        try:
            if request.work:
                await _erase(context, target, call)
            await _forget(context, target, request.missing_only, call, reply)
        except NotFound as error:
            reply.problems.append(error_to_wire(error))
        yield pb.Reply(progress=pb.Progress(stage="forgetting", files_done=reply.files))
    context.counted = Counted()  # a folder goes with whatever came into it last, of which no event is told
    await context.roots.load()
    context.previews.changed.set()
    yield pb.Reply(forget=reply, last=True)


async def _forget(context: Context, target: pb.Target, missing_only: bool, call: Call, reply: pb.ForgetReply) -> None:
    if target.WhichOneof("what") == "path":
        path = check_path(target.path)
        place = await find_dir(context.roots, path)
        if place is not None:
            await _forget_folder(context, place, path, missing_only, call, reply)
            return
        file, stream = await find_file(context.roots, path)
        if missing_only and file not in {row[0] for row in await context.store.read("files_of_stream", stream, True)}:
            return
        await _drop(context, [file], call, reply)
        await _drop_root_of_file(context, path, reply)
        return
    stream, _ = await resolve(context, target)
    files = [row[0] for row in await context.store.read("files_of_stream", stream, missing_only)]
    await _drop(context, files, call, reply)


async def _erase(context: Context, target: pb.Target, call: Call) -> None:
    """What persons did to one item goes for good, from the database and from the log in plain sight."""
    stream, _file = await resolve(context, target)
    row = (pack([str(stream)]), pack(list(KEPT)), now_ns(), context.host, call.actor.name, call.operation)
    await context.worklog.catch_up()
    rows = (await context.store.write([("erase_work", row)], give_up_after=60.0))[0]
    try:
        context.worklog.erase({each[0] for each in rows})
    except OSError as error:
        raise InputOutputError(
            f"the log of work cannot be written: {error.strerror}", str(context.worklog.path)
        ) from None


async def _forget_folder(
    context: Context, place: tuple[Root, int], path: bytes, missing_only: bool, call: Call, reply: pb.ForgetReply
) -> None:
    root, folder = place
    await context.roots.cancel_scan(root.id)
    after = 0
    while rows := await context.store.read("files_below", folder, after, missing_only, deadline=30.0):
        after = rows[-1][0]
        await _drop(context, [row[0] for row in rows], call, reply)
    if missing_only:
        return
    whole = os.path.normpath(path) == root.local
    await context.store.write(
        [("drop_root", (root.id,)) if whole else ("drop_dirs", (folder,))], deadline=60.0, give_up_after=60.0
    )
    if whole:
        context.watching.drop(root.id)
    reply.roots += whole


async def _drop_root_of_file(context: Context, path: bytes, reply: pb.ForgetReply) -> None:
    folder, name = os.path.split(os.path.normpath(path))
    for root in context.roots.all():
        if root.only_name == name and root.local == folder:
            await context.store.write([("drop_root", (root.id,))])
            reply.roots += 1


async def _drop(context: Context, files: list[int], call: Call, reply: pb.ForgetReply) -> None:
    for start in range(0, len(files), _FORGET_BATCH):
        chunk = pack(files[start : start + _FORGET_BATCH])
        operation: uuid.UUID | None = call.operation
        results = await context.store.write(
            [("undigest", (chunk,)), ("forget_files", (chunk, now_ns(), context.host, call.actor.name, operation))],
            deadline=30.0, give_up_after=60.0,
        )  # fmt: skip
        reply.files += results[1][0][0]
        reply.items += results[1][0][1]


def scan_progress(report: ScanReport) -> pb.Progress:
    """A walk under way, for `status`."""
    return pb.Progress(
        stage=report.stage, folders=report.folders, files_listed=report.listed, current=report.path,
        current_display=show_path(report.path),
    )  # fmt: skip
