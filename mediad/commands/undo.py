"""The one operation log and the one undo, for what persons did to items and for moves of files (settled 13)."""

from __future__ import annotations

import uuid

from mediad.commands.context import Call, Context, Replies
from mediad.commands.move import undo_move
from mediad.commands.work import by_of
from mediad.errors import InvalidArgument, NotFound, PermissionDenied
from mediad.moves.operation import Operation
from mediad.wire.convert import error_to_wire
from mediadb_contract import mediadb_pb2 as pb

OPERATIONS_MOST = 1000


async def undo(context: Context, request: pb.UndoRequest, call: Call) -> Replies:
    """Takes back one operation, or the last ones of this actor."""
    by = by_of(call)
    await context.moves.settled(by.operation)
    before = await context.moves.journal.undone_by(by.operation)  # sent again, after a crash
    listed = await _listed(context, call.actor.name, OPERATIONS_MOST)
    if request.operation:
        if len(request.operation) != 16:
            raise InvalidArgument("an operation's id has 16 bytes", request.operation)
        chosen = [uuid.UUID(bytes=request.operation)]
    else:
        open_ones = [uuid.UUID(bytes=each.id) for each in listed if not each.undone and each.command != "undo"]
        more = [number for number in open_ones if number not in before]
        chosen = [*before, *more[: max((request.count or 1) - len(before), 0)]]
        if not chosen:
            raise NotFound("there is nothing to undo", call.actor.name)
    reply = pb.UndoReply()
    for operation in chosen:
        if await context.store.read("moves_of", operation, -1, 1):
            if call.actor.role not in ("organise", "admin"):
                raise PermissionDenied("files are moved back by those who may move them: role organise", str(operation))
            async for part in undo_move(context, operation, call):
                if isinstance(part, Operation):
                    reply.files += len(part.done)
                    reply.problems.extend(
                        error_to_wire(context.moves.problem_of(step)) for step in part.failed[:OPERATIONS_MOST]
                    )
                else:
                    yield part
        elif operation not in before:
            await context.work.undo(operation, by)
        # one of somebody else, or of long ago: its id alone
        known = next((each for each in listed if each.id == operation.bytes), pb.Operation(id=operation.bytes))
        known.undone = True
        reply.operations.append(known)
    reply.events = (await context.store.read("count_events", by.operation))[0][0]
    reply.last = (await context.feed.state())[1]
    yield pb.Reply(undo=reply, last=True)


async def operations(context: Context, request: pb.OperationsRequest, call: Call) -> Replies:
    """What was done last, newest first."""
    most = min(request.limit or 20, OPERATIONS_MOST)
    found = await _listed(context, call.actor.name, most)
    yield pb.Reply(operations=pb.OperationsReply(operations=found), last=True)


async def _listed(context: Context, name: str, most: int) -> list[pb.Operation]:
    actor = name or None
    found = []
    for number, at, who, events, command, undone, _seq, action, tag in await context.work.last_operations(actor, most):
        summary = f"{action} {tag}" if tag else action
        found.append(pb.Operation(
            id=number.bytes, at_ns=at, actor=who, command=command or "", events=events, undone=undone, summary=summary
        ))  # fmt: skip
    rows = await context.store.read("move_operations", actor, most, deadline=30.0)
    for number, at, who, files, command, undone, actions, undone_files in rows:
        summary = f"{'moved back' if command == 'undo' else actions}: {files:,} files"
        found.append(pb.Operation(
            id=number.bytes, at_ns=at, actor=who, command=command, undone=undone or undone_files == files,
            summary=summary, files=files,
        ))  # fmt: skip
    return sorted(found, key=lambda each: -each.at_ns)[:most]
