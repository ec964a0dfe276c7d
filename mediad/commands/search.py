"""Single records."""

from __future__ import annotations

import uuid

from mediad.commands.context import Call, Context, Replies
from mediad.commands.gathered import IDS_AT_ONCE
from mediad.commands.items import check_id, check_path, no_item
from mediad.errors import InvalidArgument, NotFound
from mediad.index.lookup import told
from mediad.wire.convert import error_to_wire
from mediadb_contract import mediadb_pb2 as pb


async def get(context: Context, request: pb.GetRequest, call: Call) -> Replies:
    """The record of each target, in order; a target that is not there gets its problem, not the others' end."""
    targets = list(request.targets)
    if not targets:
        yield pb.Reply(get=pb.GetReply(), last=True)
    for begin in range(0, len(targets), IDS_AT_ONCE):
        part = targets[begin : begin + IDS_AT_ONCE]
        replies = await _get(context, part, call.actor.name, whole=not request.light)
        replies[-1].last = begin + len(part) == len(targets)
        for reply in replies:
            yield reply


async def _get(context: Context, targets: list[pb.Target], actor: str, *, whole: bool) -> list[pb.Reply]:
    replies = [pb.Reply() for _ in targets]
    by_path: dict[int, bytes] = {}
    ids: dict[int, uuid.UUID] = {}
    files: dict[int, int] = {}
    for number, target in enumerate(targets):
        replies[number].get.target.CopyFrom(target)
        try:
            if target.WhichOneof("what") == "id":
                ids[number] = check_id(target.id)
            else:
                by_path[number] = check_path(target.path)
        except InvalidArgument as error:
            replies[number].get.problem.CopyFrom(error_to_wire(error))
    if by_path:
        places = await context.gathered.find(context, list(by_path.values()))
        for (number, path), found in zip(by_path.items(), places, strict=True):
            try:
                files[number], ids[number] = told(path, found)
            except NotFound as error:
                replies[number].get.problem.CopyFrom(error_to_wire(error))
    if ids:
        items = [replies[number].get.item for number in ids]
        there = await context.gathered.fill(context, list(ids.values()), items, actor, whole=whole)
        unknown = [asked for asked, known in zip(ids.values(), there, strict=True) if not known]
        metas = dict(zip(unknown, await context.metawork.live(unknown), strict=True)) if unknown else {}
        for (number, asked), known in zip(ids.items(), there, strict=True):
            if not known:
                meta = metas[asked]
                replies[number].get.ClearField("item")
                replies[number].get.problem.CopyFrom(error_to_wire(no_item(asked, meta[1] if meta else "")))
            elif number in files:
                _put_first(replies[number].get.item, files[number])
    return replies


def _put_first(item: pb.Item, file: int) -> None:
    """The file that was asked for comes first."""
    if len(item.files) > 1 and item.files[0].id != file:
        files = sorted(item.files, key=lambda f: f.id != file)
        del item.files[:]
        item.files.extend(files)
