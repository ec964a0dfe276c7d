"""The play queue of the actor."""

from __future__ import annotations

from mediad.commands.context import Call, Context, Replies
from mediad.commands.work import PROBLEMS_MOST, select_in_order
from mediad.errors import InvalidArgument, LimitExceeded, PermissionDenied
from mediad.index.queues import CLIENT_MOST, QUEUE_MOST
from mediadb_contract import mediadb_pb2 as pb


async def queue(context: Context, request: pb.QueueRequest, call: Call) -> Replies:
    """What the actor is about to hear: told, or saved."""
    actor, queues = call.actor.name, context.queues
    if request.action in ("", "get"):
        found = await queues.get(actor)
        yield pb.Reply(queue=pb.QueueReply(
            entries=found.entries, current=found.current, position=found.position, changed_at_ns=found.changed_ns,
            client=found.client,
        ), last=True)  # fmt: skip
        return
    if call.actor.role == "read":
        raise PermissionDenied("to save a queue takes the role write", "queue")
    if request.action not in ("save", "at"):
        raise InvalidArgument("the actions are get, save, at", request.action[:100])
    client = "".join(each if each.isprintable() else " " for each in request.client[:CLIENT_MOST]).strip()
    reply, problems = pb.QueueReply(), list[pb.Error]()
    targets, current = request.targets, request.current
    if len(targets) > QUEUE_MOST:
        raise LimitExceeded(f"a queue has at most {QUEUE_MOST:,} entries", str(len(targets)))
    same = request.action == "at"
    if same and targets:
        raise InvalidArgument("`at` is a place in the queue that there is: it takes no items", "queue")
    if not same:  # many players send all of it each time
        ids = b"".join([target.id for target in targets])
        same = len(ids) == 16 * len(targets) and await queues.holds(actor, ids)
    if same:
        told = await queues.move(actor, current, request.position, client, call.operation)
    else:
        if current and current >= len(targets):
            raise InvalidArgument(f"the queue has {len(targets)} entries, counted from 0", str(current))
        found_at: list[int] = []
        streams = await select_in_order(context, targets, problems, found_at)
        position = request.position
        if problems:  # the place counts in what is left
            there = current in found_at
            current = sum(place < current for place in found_at)
            current, position = min(current, max(len(streams) - 1, 0)), position if there else 0.0
        told = await queues.save(actor, streams, current, position, client, call.operation)
    reply.events = int(told)
    reply.problems.extend(problems[:PROBLEMS_MOST])
    reply.last = (await context.feed.state())[1]
    yield pb.Reply(queue=reply, last=True)
