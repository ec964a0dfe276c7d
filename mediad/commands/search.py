"""Questions and single records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from mediad.commands.context import Call, Context, Replies
from mediad.commands.gathered import IDS_AT_ONCE
from mediad.commands.items import check_id, check_path, load_items, no_item
from mediad.errors import InvalidArgument, NotFound
from mediad.index.lookup import find_files, told
from mediad.query.parse import parse
from mediad.store.search import Question
from mediad.wire.convert import error_to_wire
from mediadb_contract import mediadb_pb2 as pb

# Items in one reply: some 60 KB, so that the first is there at once and no reply nears the frame's limit.
PAGE_ITEMS = 100
# Long texts and long paths make a page larger: it goes in several replies, each half of a frame at most.
REPLY_BYTES = 512 * 1024


async def query(context: Context, request: pb.QueryRequest, call: Call) -> Replies:
    """Items (or files) that match, page by page; the last reply carries a cursor when there is more."""
    question = Question.of(parse(request.text), request.files, call.actor.name)
    cursor = question.unpack_cursor(request.cursor)
    left = request.limit or None
    while True:
        size = PAGE_ITEMS if left is None else min(PAGE_ITEMS, left)
        statement, params = question.page(cursor, size + 1)
        rows = await context.store.database.fetch(statement, *params, deadline=context.config.deadline_seconds)
        more = len(rows) > size
        page = rows[:size]
        *before, items = _in_replies(await _page(context, request, page, call.actor.name))
        for part in before:
            yield pb.Reply(query=pb.QueryReply(items=part))
        reply = pb.QueryReply(items=items)
        if left is not None:
            left -= len(page)
        if page:
            cursor = (page[-1][0], page[-1][1] if request.files else 0)
        if not more or left == 0:
            if more and cursor is not None:
                reply.cursor = question.pack_cursor(*cursor)
            yield pb.Reply(query=reply, last=True)
            return
        yield pb.Reply(query=reply)


def _in_replies(items: list[pb.Item]) -> Iterator[list[pb.Item]]:
    """The items of a page by replies; at least one, which may be empty."""
    part: list[pb.Item] = []
    size = 0
    for item in items:
        length = item.ByteSize()
        if part and size + length > REPLY_BYTES:
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    yield part


async def _page(
    context: Context, request: pb.QueryRequest, rows: list[tuple[Any, ...]], actor: str
) -> list[pb.Item]:  # fmt: skip
    if not request.files:
        return await load_items(context, [row[0] for row in rows], details=request.fields, actor=actor)
    # One entry a file: an item with two matching files comes twice.
    only: dict[uuid.UUID, set[int]] = {}
    for stream, number in rows:
        only.setdefault(stream, set()).add(number)
    items = await load_items(context, only, only=only, details=request.fields, actor=actor)
    entries = []
    for item in items:
        for file in list(item.files):
            entry = pb.Item()
            entry.CopyFrom(item)
            del entry.files[:]
            entry.files.append(file)
            entries.append(entry)
    return entries


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
        for (number, path), found in zip(
            by_path.items(), await find_files(context.roots, by_path.values()), strict=True
        ):
            try:
                files[number], ids[number] = told(path, found)
            except NotFound as error:
                replies[number].get.problem.CopyFrom(error_to_wire(error))
    if ids:
        items = [replies[number].get.item for number in ids]
        there = await context.gathered.fill(context, list(ids.values()), items, actor, whole=whole)
        for (number, asked), known in zip(ids.items(), there, strict=True):
            if not known:
                replies[number].get.ClearField("item")
                replies[number].get.problem.CopyFrom(error_to_wire(no_item(asked)))
            elif number in files:
                _put_first(replies[number].get.item, files[number])
    return replies


def _put_first(item: pb.Item, file: int) -> None:
    """The file that was asked for comes first."""
    if len(item.files) > 1 and item.files[0].id != file:
        files = sorted(item.files, key=lambda f: f.id != file)
        del item.files[:]
        item.files.extend(files)
