"""Single records."""

from __future__ import annotations

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import add_keys, load_items, resolve
from mediad.errors import MediadError
from mediad.wire.convert import error_to_wire
from mediadb_contract import mediadb_pb2 as pb


async def get(context: Context, request: pb.GetRequest, call: Call) -> Replies:
    """The whole record of each target, in order; a target that is not there gets its problem, not the others' end."""
    targets = list(request.targets)
    for number, target in enumerate(targets):
        reply = pb.GetReply(target=target)
        try:
            stream, file = await resolve(context, target)
            item = (await load_items(context, [stream], cold=True, actor=call.actor.name))[0]
            if file is not None:
                # The file that was asked for comes first.
                files = sorted(item.files, key=lambda f: f.id != file)
                del item.files[:]
                item.files.extend(files)
            await add_keys(context, item)
            reply.item.CopyFrom(item)
        except MediadError as error:
            if error.retryable:
                raise
            reply.problem.CopyFrom(error_to_wire(error))
        yield pb.Reply(get=reply, last=number == len(targets) - 1)
    if not targets:
        yield pb.Reply(get=pb.GetReply(), last=True)
