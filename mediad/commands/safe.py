"""Backup, restoring it, and making again what can be made again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from mediad.commands.context import Call, Context, Replies
from mediad.commands.work import by_size
from mediad.errors import MediadError
from mediad.index.backupline import FORMAT
from mediad.index.restore import Counts, Restore
from mediad.index.work import KEPT
from mediad.index.worklog import describe_events, path_text, text_path
from mediad.model import Root
from mediad.store.store import now_ns, pack
from mediad.wire.convert import error_to_wire
from mediadb_contract import mediadb_pb2 as pb

_LINES = 200


def root_lines(roots: list[Root]) -> list[str]:
    """The roots as lines of a backup."""
    return [
        json.dumps({"root": {
            "path": path_text(root.place), "only_name": path_text(root.only_name), "watched": root.watched,
            "cross_mounts": root.cross_mounts, "exclude": list(root.exclude),
        }}, ensure_ascii=False)
        for root in roots if root.place is not None
    ]  # fmt: skip


async def export(context: Context, _request: pb.ExportRequest, _call: Call) -> Replies:
    """A person's work of all hosts, the roots of this one, and the persons that are let in (decision 0017)."""
    epoch, _last, _compacted = await context.feed.state()
    head = json.dumps({"mediadb": FORMAT, "epoch": str(epoch), "at_ns": now_ns(), "host": str(context.host)})
    persons = [json.dumps({"person": each}, ensure_ascii=False) for each in await context.persons.export()]
    yield pb.Reply(export=pb.ExportReply(lines=[head, *root_lines(context.roots.mine()), *persons]))
    after = 0
    while rows := await context.store.read("work_after", None, after, pack(list(KEPT)), _LINES, deadline=60.0):
        after = rows[-1][0]
        for part in by_size(await describe_events(context.store, context.roots, rows), len):
            yield pb.Reply(export=pb.ExportReply(lines=part))
    yield pb.Reply(export=pb.ExportReply(), last=True)


async def restore(context: Context, request: pb.RestoreRequest, call: Call) -> Replies:
    """Takes lines of a backup; what is there already stays as it is."""
    counts = await Restore(context.store, context.roots, context.metawork).put(list(request.lines))
    await context.persons.restore(counts.persons)
    reply = pb.RestoreReply(events=counts.events, known=counts.known, items=len(counts.streams))
    async for root in _add_roots(context, counts, call, reply):
        reply.roots += 1
        context.roots.scan(root)
    context.worklog.wake()
    context.walking.wake()
    yield pb.Reply(restore=reply, last=True)


async def _add_roots(
    context: Context, counts: Counts, call: Call, reply: pb.RestoreReply
) -> AsyncIterator[Root]:  # fmt: skip
    for told in counts.roots:
        path, only = text_path(told["path"]), text_path(told["only_name"])
        whole = path + b"/" + only if only else path
        try:
            root, _ = await context.roots.add(
                whole, once=not told["watched"], cross=told["cross_mounts"], exclude=told["exclude"], actor=call.actor,
                operation=call.operation,
            )  # fmt: skip
        except MediadError as error:
            reply.problems.append(error_to_wire(error))
        else:
            yield root


async def rebuild(context: Context, _request: pb.RebuildRequest, _call: Call) -> Replies:
    """Throws away everything but a person's work and what it hangs on, and walks and reads all roots again."""
    mine = context.roots.mine()
    for root in mine:
        await context.roots.cancel_scan(root.id)
    await context.store.write(
        [
            ("rebuild_files", (now_ns(),)), ("rebuild_readings", ()), ("rebuild_streams", ()), ("new_epoch", ()),
        ],
        deadline=600.0, give_up_after=600.0,
    )  # fmt: skip
    scans = [context.roots.scan(root) for root in mine if root.local is not None]
    reply = pb.RestoreReply(roots=len(scans))
    for scan in scans:
        while not (await asyncio.wait([scan], timeout=0.5))[0]:
            yield pb.Reply(progress=pb.Progress(stage="walking"))
        error = scan.exception()
        if isinstance(error, MediadError):
            reply.problems.append(error_to_wire(error))
    context.reader.wake()
    numbers = pack([root.id for root in mine])
    while left := (await context.store.read("todo_left", numbers, deadline=60.0))[0][0]:
        yield pb.Reply(progress=pb.Progress(stage="reading", files_total=left))
        await asyncio.sleep(0.2)
    yield pb.Reply(rebuild=reply, last=True)
