"""Questions: pages, counts, facets, explanations, and answers that go on."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import load_items
from mediad.errors import InvalidArgument
from mediad.index.asking import Row
from mediad.index.feed import Change
from mediad.query.parse import parse, parse_sort
from mediad.query.show import show
from mediad.query.tree import And, InCollection, Node, Not, Or, Saved
from mediad.store.facets import facet
from mediad.store.pages import Question
from mediad.store.queries import Statement
from mediad.store.store import now_ns, pack
from mediadb_contract import mediadb_pb2 as pb

# Items in one reply: some 60 KB, so that the first is there at once and no reply nears the frame's limit.
PAGE_ITEMS = 100
# Ids alone, behind the first page: what each page costs beside its rows is shared by many; some 5 ms of the loop.
BARE_ITEMS = 2000
# Long texts and long paths make a page larger: it goes in several replies, each half of a frame at most.
REPLY_BYTES = 512 * 1024
FACETS_MOST = 20
FACET_VALUES = 50
FACET_VALUES_MOST = 10_000
# Who follows a question: after how long items whose files wait to be read are asked of again, and how long a walk is
# waited for.
_AGAIN_SECONDS = 0.5
_WALK_SECONDS = 60.0
# What is counted whole may take longer than a page.
COUNT_SECONDS = 30.0


async def query(context: Context, request: pb.QueryRequest, call: Call) -> Replies:
    """Items (or files) that match, page by page; the last reply carries a cursor when there is more. Or, asked so: how
    many, how often each value, how it is answered; or what changes in the answer from then on."""
    question = await _question(context, request, call)
    if request.explain:
        yield pb.Reply(query=pb.QueryReply(explanation=await _explain(context, question, request)), last=True)
        return
    if request.count or request.facets:
        yield pb.Reply(query=await _counted(context, question, request), last=True)
        return
    if request.follow:
        async for reply in _follow(context, request, question, call):
            yield reply
        return
    async for reply in _pages(context, request, question, call):
        yield reply


async def _question(context: Context, request: pb.QueryRequest, call: Call) -> Question:
    query = parse(request.text)
    query = replace(query, sort=(*parse_sort(request.sort), *query.sort))
    return await context.asking.prepare(query, request.text, files=request.files, actor=call.actor.name)


async def _pages(context: Context, request: pb.QueryRequest, question: Question, call: Call) -> AsyncIterator[pb.Reply]:
    place, whole = question.unpack_cursor(request.cursor)
    if whole is None:
        whole = question.query.limit  # of all pages together: `limit:` in the text
    left = request.limit or None
    most = PAGE_ITEMS
    while True:
        size = min(each for each in (most, left, whole) if each is not None)
        rows, more = await context.asking.page(question, place, size, deadline=context.config.deadline_seconds)
        *before, items = _in_replies(await _page(context, request, rows, call.actor.name))
        for part in before:
            yield pb.Reply(query=pb.QueryReply(items=part))
        reply = pb.QueryReply(items=items)
        left = None if left is None else left - len(rows)
        whole = None if whole is None else whole - len(rows)
        if rows:
            place = rows[-1].place
        if not more or left == 0 or whole == 0:
            if more and whole != 0 and place is not None:
                reply.cursor = question.pack_cursor(place, whole)
            yield pb.Reply(query=reply, last=True)
            return
        yield pb.Reply(query=reply)
        if request.bare and not request.files:
            most = BARE_ITEMS


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


async def _page(context: Context, request: pb.QueryRequest, rows: list[Row], actor: str) -> list[pb.Item]:
    if request.bare:
        return [pb.Item(id=row.stream.bytes) for row in rows]
    details = request.fields or bool(request.columns)
    if not request.files:
        items = await load_items(context, [row.stream for row in rows], details=details, actor=actor)
        return _only_columns(items, request)
    # One entry a file, in the order of the rows: an item with two matching files comes twice.
    only: dict[uuid.UUID, set[int]] = {}
    for row in rows:
        only.setdefault(row.stream, set()).add(row.file)
    found: dict[int, tuple[pb.Item, pb.File]] = {}
    for item in await load_items(context, only, only=only, details=details, actor=actor):
        for file in item.files:
            found[file.id] = item, file
    entries = []
    for row in rows:
        if row.file in found:
            item, file = found[row.file]
            entry = pb.Item()
            entry.CopyFrom(item)
            del entry.files[:]
            entry.files.append(file)
            entries.append(entry)
    return _only_columns(entries, request)


def _only_columns(items: list[pb.Item], request: pb.QueryRequest) -> list[pb.Item]:
    if request.columns and not request.fields:
        wanted = set(request.columns)
        for item in items:
            for file in item.files:
                if file.fields_json:
                    kept = {k: v for k, v in json.loads(file.fields_json).items() if k in wanted}
                    file.fields_json = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return items


async def _counted(context: Context, question: Question, request: pb.QueryRequest) -> pb.QueryReply:
    reply = pb.QueryReply()
    deadline = max(COUNT_SECONDS, context.config.deadline_seconds)
    if len(request.facets) > FACETS_MOST:
        raise InvalidArgument(f"at most {FACETS_MOST} facets are counted at once", str(len(request.facets)))
    if request.count:
        statement, params = question.count()
        reply.count = (await context.store.database.fetch(statement, *params, deadline=deadline))[0][0]
    most = min(request.facet_limit or FACET_VALUES, FACET_VALUES_MOST)
    for name in request.facets:
        statement, params = facet(question, name, most + 1)
        rows = await context.store.database.fetch(statement, *params, deadline=deadline)
        told = reply.facets.add(field=name, more=len(rows) > most)
        for value, items in rows[:most]:
            told.values.add(value=value, items=items)
    return reply


async def _explain(context: Context, question: Question, request: pb.QueryRequest) -> pb.Explanation:
    """What was understood, the statement of the first page, and PostgreSQL's plan with what each step took."""
    lines = show(parse(request.text).tree)
    query = question.query
    lines += [f"sort by {each.key}{', the greatest first' if each.down else ''}" for each in query.sort]
    if query.limit is not None:
        lines.append(f"limit {query.limit}")
    statement, params, share = context.asking.first_statement(question, PAGE_ITEMS)
    explained = Statement(
        "explain", f"EXPLAIN (ANALYZE, BUFFERS, COSTS, SUMMARY) {statement.sql}", "How a page is answered.",
        "mediad.commands.query", prepared=False,
    )  # fmt: skip
    plan = await context.store.database.fetch(explained, *params, deadline=COUNT_SECONDS)
    return pb.Explanation(
        tree=lines, sql=statement.sql, parameters=[f"${i} = {value}" for i, value in enumerate(params, 1)],
        plan=[row[0] for row in plan], share=share,
    )  # fmt: skip


async def _follow(
    context: Context, request: pb.QueryRequest, question: Question, call: Call
) -> AsyncIterator[pb.Reply]:
    """Everything that matches, then each item that begins to match, changes, or matches no more."""
    if request.files or request.limit or question.query.limit is not None:
        raise InvalidArgument("what is followed is all items that match: neither files nor a limit", request.text)
    feed = context.feed
    told = feed.follow()
    try:
        epoch, since, _compacted = await feed.state()
        async for reply in _everything(context, request, question, call):
            yield reply
        # Their words may change once more without an event: they are asked again. True: they matched when last asked.
        unsure: dict[uuid.UUID, bool] = {}
        while True:
            # Who waits is no work under way: an idle daemon sleeps, however many follow.
            context.traffic.in_flight -= 1
            try:
                await asyncio.wait_for(told.wait(), _AGAIN_SECONDS if unsure else None)
            except TimeoutError:
                waiting = await _waiting(context, list(unsure))
                match = await _matching(context, request, list(unsure), call)
                turned = [each for each, matched in unsure.items() if matched != (each in match)]
                if turned:
                    yield pb.Reply(query=await _changed(context, request, turned, match, call))
                unsure = {each: each in match for each in waiting}
                continue
            finally:
                context.traffic.in_flight += 1
            told.clear()
            page = await feed.page(since)
            while page.reached != since:
                since = page.reached
                if page.epoch != epoch:
                    raise InvalidArgument("the feed has begun anew: ask again", str(epoch))
                if _moves_many(page.changes, request.text):
                    # The words of a folder's new name are in the rows of its files when the walk is over.
                    until = time.monotonic() + _WALK_SECONDS
                    while context.roots.walking() and time.monotonic() < until:
                        await asyncio.sleep(0.1)
                    yield pb.Reply(query=pb.QueryReply(resync=True))
                    async for reply in _everything(context, request, await _question(context, request, call), call):
                        yield reply
                else:
                    changed = await _items_of(context, page.changes)
                    if changed:
                        # In this order: what is settled between the two is asked once too often, not once too seldom.
                        waiting = await _waiting(context, changed)
                        match = await _matching(context, request, changed, call)
                        yield pb.Reply(query=await _changed(context, request, changed, match, call))
                        unsure |= {each: each in match for each in waiting}
                if page.ends:
                    break
                page = await feed.page(since)
    finally:
        feed.leave(told)


async def _everything(
    context: Context, request: pb.QueryRequest, question: Question, call: Call
) -> AsyncIterator[pb.Reply]:
    await context.reindexer.settle()
    everything = pb.QueryRequest(text=request.text, fields=request.fields, columns=request.columns)
    async for reply in _pages(context, everything, question, call):
        yield pb.Reply(query=pb.QueryReply(items=reply.query.items, caught_up=reply.last))


async def _waiting(context: Context, items: list[uuid.UUID]) -> list[uuid.UUID]:
    """Those of them with a file that waits to be read again, or whose row in the text index is not true yet: what a
    renamed file is found by may change once more when it is read again, and no event tells of that."""
    rows = await context.store.read("unsettled_streams", pack([str(each) for each in items]), now_ns())
    return [row[0] for row in rows]


async def _items_of(context: Context, changes: Iterable[Change]) -> list[uuid.UUID]:
    """The items that these are about, and all ids that live on in them: what was just listed and turns out to be a
    known item under a new name was told under the id it had until then, and leaves under it."""
    items = list(dict.fromkeys(each.item for each in changes if each.item is not None))
    if not items:
        return []
    before = await context.store.read("ids_before", pack([str(each) for each in items]))
    return [*items, *(row[0] for row in before)]


def _moves_many(changes: Iterable[Change], text: str) -> bool:
    """Whether these may move items in or out that they do not name: a folder's new name, another list."""
    return any(
        each.target_kind == "folder" or (each.target_kind == "collection" and _names_lists(parse(text).tree))
        for each in changes
    )


def _names_lists(node: Node) -> bool:
    if isinstance(node, And | Or):
        return any(_names_lists(each) for each in node.nodes)
    if isinstance(node, Not):
        return _names_lists(node.node)
    return isinstance(node, Saved | InCollection)


async def _matching(
    context: Context, request: pb.QueryRequest, asked: list[uuid.UUID], call: Call
) -> set[uuid.UUID]:  # fmt: skip
    """Those of them that match now."""
    await context.reindexer.settle()
    # Asked anew: what it names may have changed, and so has the time.
    question = await context.asking.question(request.text, actor=call.actor.name)
    statement, params = question.among([str(each) for each in asked])
    rows = await context.store.database.fetch(statement, *params, deadline=context.config.deadline_seconds)
    return {row[0] for row in rows}


async def _changed(
    context: Context, request: pb.QueryRequest, changed: list[uuid.UUID], match: set[uuid.UUID], call: Call
) -> pb.QueryReply:
    found = [Row(each, 0, ()) for each in changed if each in match]
    return pb.QueryReply(
        items=await _page(context, request, found, call.actor.name),
        left=[each.bytes for each in changed if each not in match],
    )
