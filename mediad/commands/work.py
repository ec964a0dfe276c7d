"""What persons do, and the feed that tells of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import check_id, check_path, load_items, no_item, resolve
from mediad.errors import InvalidArgument, MediadError, NotFound
from mediad.index.feed import PAGE, Change
from mediad.index.lookup import find_files
from mediad.index.offers import Offers
from mediad.index.work import STREAMS_AT_ONCE, Action, By, check_action, new_operation
from mediad.query.parse import parse
from mediad.store.store import pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

ACTIONS_MOST = 1000
HISTORY_MOST = 1000
_SNAPSHOT_ITEMS = 200
PROBLEMS_MOST = 1000  # told of one request: a reply is 1 MiB at most
_TARGETS_AT_ONCE = 1000  # some milliseconds of the loop
_NOBODY = bytes(16)
_PART_BYTES = 128 * 1024  # of a reply with large values

T = TypeVar("T")


def by_size(values: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Lists of values that fit a frame together. One alone may be as large as an event of SET_MOST items."""
    part: list[T] = []
    bytes_ = 0
    for value in values:
        more = size(value)
        if part and (bytes_ + more > _PART_BYTES or len(part) == PAGE):
            yield part
            part, bytes_ = [], 0
        part.append(value)
        bytes_ += more
    if part:
        yield part


def by_of(call: Call) -> By:
    """Whose doing it is; a request without an operation id gets one, so that it can be undone."""
    return By(call.actor.name, call.operation or new_operation())


async def select(
    context: Context, targets: Iterable[pb.Target], query: str, call: Call, problems: list[pb.Error]
) -> list[str]:
    """The items that targets and a query mean, each once, in their order. A target that is not there is a problem;
    Raises QuerySyntax, and NotFound when nothing at all was meant."""
    found: dict[str, None] = {}
    asked = False
    for target in targets:
        asked = True
        try:
            found[str((await resolve(context, target))[0])] = None
        except (NotFound, InvalidArgument) as error:
            problems.append(error_to_wire(error))
    if query:
        async for stream in matching(context, query, call):
            found[str(stream)] = None
    elif not asked:
        raise InvalidArgument("ids, paths or a query are needed")
    return list(found)


async def select_in_order(
    context: Context, targets: Sequence[pb.Target], problems: list[pb.Error], found_at: list[int] | None = None
) -> list[str]:
    """The items that targets mean, in order and with repeats, many by one statement. A target that is not there is a
    problem. `found_at` gets the place in `targets` of each."""
    found: list[str] = []
    for begin in range(0, len(targets), _TARGETS_AT_ONCE):
        part = targets[begin : begin + _TARGETS_AT_ONCE]
        paths: dict[int, bytes] = {}
        ids: dict[int, str] = {}
        streams: dict[int, str] = {}
        for number, target in enumerate(part):
            try:
                if target.WhichOneof("what") == "id":
                    if len(target.id) != 16:
                        check_id(target.id)
                    ids[number] = target.id.hex()
                else:
                    paths[number] = check_path(target.path)
            except InvalidArgument as error:
                problems.append(error_to_wire(error))
        if ids:
            data = (await context.store.read("live_in_order", pack(list(ids.values()))))[0][0]
            for (number, asked), at in zip(ids.items(), range(0, len(data), 16), strict=True):
                live = data[at : at + 16]
                if live == _NOBODY:
                    problems.append(error_to_wire(no_item(uuid.UUID(asked))))
                else:
                    streams[number] = _canonical(live.hex())
        if paths:
            located = await find_files(context.roots, paths.values())
            for (number, path), file in zip(paths.items(), located, strict=True):
                if file is None:
                    problems.append(error_to_wire(NotFound("no root holds a file of that path", path)))
                else:
                    streams[number] = str(file[1])
        for number in sorted(streams):
            found.append(streams[number])
            if found_at is not None:
                found_at.append(begin + number)
    return found


def _canonical(digits: str) -> str:
    """A UUID's text (RFC 9562, section 4) of its 32 digits; a fifth of what str(UUID(...)) takes."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


async def matching(context: Context, query: str, call: Call) -> AsyncIterator[uuid.UUID]:
    """The items a query finds."""
    question = await context.asking.question(query, actor=call.actor.name)
    left = question.query.limit
    async for rows in context.asking.rows(question, None, PAGE, deadline=context.config.deadline_seconds):
        for row in rows[:left]:
            yield row.stream
        if left is not None:
            left -= len(rows)
            if left <= 0:
                return


async def work(context: Context, request: pb.WorkRequest, call: Call) -> Replies:
    """Does actions to items."""
    if not request.actions or len(request.actions) > ACTIONS_MOST:
        raise InvalidArgument(f"1 to {ACTIONS_MOST} actions are needed", str(len(request.actions)))
    actions = [
        check_action(Action(each.action, each.name, each.value, each.number, each.at_ns, each.count or 1))
        for each in request.actions
    ]
    reply = pb.WorkReply()
    problems: list[pb.Error] = []
    targets, metas = await _part_metas(context, request.targets)
    streams: list[str] = []
    if targets or request.query or not metas:
        streams = await select(context, targets, request.query, call, problems)
    by = by_of(call)
    for start in range(0, max(1, len(streams)), STREAMS_AT_ONCE):
        part = streams[start : start + STREAMS_AT_ONCE]
        reply.events += await context.work.apply(part, actions, by, metas if start == 0 else ())
        yield pb.Reply(progress=pb.Progress(stage="working", files_done=start, files_total=len(streams)))
    reply.items = len(streams) + len(metas)
    reply.problems.extend(problems)
    reply.last = (await context.feed.state())[1]
    yield pb.Reply(work=reply, last=True)


async def _part_metas(context: Context, targets: Sequence[pb.Target]) -> tuple[list[pb.Target], list[str]]:
    """The targets that may be items, and the ids of albums and artists. An item goes before an album of the same id:
    there is none, ids are minted."""
    left: list[pb.Target] = []
    albums: dict[str, None] = {}
    for start in range(0, len(targets), _TARGETS_AT_ONCE):  # thousands at once would hold the loop up
        part = targets[start : start + _TARGETS_AT_ONCE]
        ids = [uuid.UUID(bytes=each.id) for each in part if each.WhichOneof("what") == "id" and len(each.id) == 16]
        live = await context.work.live(ids) if ids else []
        unknown = [asked for asked, stream in zip(ids, live, strict=True) if stream is None]
        metas: dict[bytes, str] = {}
        if unknown:
            for asked, found in zip(unknown, await context.metawork.live(unknown), strict=True):
                if found is not None:
                    metas[asked.bytes] = str(found[0])
        albums.update(dict.fromkeys(metas.values()))
        left += [each for each in part if each.id not in metas] if metas else part
    return left, list(albums)


async def collect(context: Context, request: pb.CollectRequest, call: Call) -> Replies:
    """Makes, fills, orders, renames, deletes a collection or playlist; saves a question as a collection."""
    by, book = by_of(call), context.work
    kind, name = request.kind or "collection", request.name
    problems: list[pb.Error] = []
    if request.action in ("add", "set"):
        streams = await select_in_order(context, request.targets, problems)
        if request.query:
            streams += await select(context, (), request.query, call, problems)
        if request.action == "add":
            number = await book.put_in(kind, name, streams, request.place, by)
        else:
            number = await book.put_all(kind, name, streams, by)
    elif request.action == "remove":
        number = await book.take_out(kind, name, request.place, by)
    elif request.action == "move":
        number = await book.reorder(kind, name, request.place, request.to, by)
    elif request.action == "save":
        if kind != "collection":
            raise InvalidArgument("a saved question is a collection", kind)
        parse(request.query)  # a mistake in it is said now, not when it is asked
        number = await book.save(name, request.query, by)
    elif request.action == "rename":
        number = await book.rename(kind, name, request.new_name, by)
        name = request.new_name
    elif request.action == "delete":
        number = await book.delete(kind, name, by)
    else:
        raise InvalidArgument("the actions are add, remove, move, rename, delete, save, set", request.action)
    reply = pb.CollectReply(problems=problems[:PROBLEMS_MOST], last=(await context.feed.state())[1])
    entries = await book.entries(number)
    reply.collection.CopyFrom(pb.Collection(
        id=number.bytes, kind=kind, name=name, actor=call.actor.name, size=len(entries),
        entries=entries, query=request.query if request.action == "save" else "",
    ))  # fmt: skip
    yield pb.Reply(collect=reply, last=True)


async def collections(context: Context, request: pb.CollectionsRequest, call: Call) -> Replies:
    """The collections that the actor sees, with their entries when asked."""
    reply = pb.CollectionsReply()
    rows = await context.store.read("collections", call.actor.name, request.kind)
    for number, kind, name, actor, created, size, query in rows:
        if request.name and request.name != name:
            continue
        entries = await context.work.entries(number) if request.entries else []
        reply.collections.add(
            id=number.bytes, kind=kind, name=name, actor=actor, size=size, created_at_ns=created, query=query or "",
            entries=entries,
        )  # fmt: skip
    if request.name and not reply.collections:
        raise NotFound("there is no collection of that name", request.name)
    yield pb.Reply(collections=reply, last=True)


# ------------------------------------------------------------------ the feed


def change_to_wire(change: Change) -> pb.Change:
    """An event of the feed."""
    return pb.Change(
        seq=change.seq, at_ns=change.at_ns, host=change.host.bytes, actor=change.actor,
        operation=change.operation.bytes if change.operation else b"", target_kind=change.target_kind,
        target=change.target, action=change.action, value_json=change.value,
        item=change.item.bytes if change.item else b"",
    )  # fmt: skip


async def changes(context: Context, request: pb.ChangesRequest, call: Call) -> Replies:
    """Events after a number, and with `follow` those to come."""
    if request.epoch and len(request.epoch) != 16:
        raise InvalidArgument("an epoch has 16 bytes", request.epoch)
    if request.query:
        parse(request.query)  # a mistake in it is said at once
    told = context.feed.follow() if request.follow else None
    try:
        async for reply in _changes(context, request, call, told):
            yield reply
    finally:
        if told is not None:
            context.feed.leave(told)


async def _changes(
    context: Context, request: pb.ChangesRequest, call: Call, told: asyncio.Event | None
) -> AsyncIterator[pb.Reply]:
    feed = context.feed
    since, left = request.since, request.limit
    if told is not None:
        told.clear()  # before looking: what comes meanwhile wakes it again
    page = await feed.page(since, min(PAGE, left) if left else PAGE)
    epoch, last = page.epoch, page.last
    why = ""
    if request.epoch and request.epoch != epoch.bytes:
        why = "the cursor is of another feed"
    elif since > last:
        why = f"the feed has not come to {since} yet: its last number is {last}"
    elif since < page.compacted:
        why = f"what happened before {page.compacted} is compacted"
    if why:
        async for reply in _snapshot(context, call, request.query, epoch, last, why):
            yield reply
        since = last
        page = await feed.page(since, min(PAGE, left) if left else PAGE)
    while True:
        while page.reached != since:
            found, since = page.changes, page.reached
            if request.query:
                found = await _only(context, found, request.query, call)
            sent = [change_to_wire(each) for each in found]
            if left:
                left = max(0, left - len(sent))
            ended = bool(request.limit) and not left
            parts = list(by_size(sent, lambda change: change.ByteSize())) or [[]]
            for number, part in enumerate(parts):
                whole = number == len(parts) - 1
                sent_now = pb.ChangesReply(changes=part, epoch=epoch.bytes, last=since if whole else 0)
                yield pb.Reply(changes=sent_now, last=ended and whole)
            if ended:
                return
            if page.ends:
                break
            page = await feed.page(since, min(PAGE, left) if left else PAGE)
        if told is None:
            yield pb.Reply(changes=pb.ChangesReply(epoch=epoch.bytes, last=since), last=True)
            return
        # Who waits is no work under way: an idle daemon sleeps, however many follow.
        context.traffic.in_flight -= 1
        try:
            await told.wait()
        finally:
            context.traffic.in_flight += 1
        told.clear()
        page = await feed.page(since, min(PAGE, left) if left else PAGE)
        if page.epoch != epoch:  # a backup was restored under our feet
            raise InvalidArgument("the feed has begun anew: ask again", str(epoch))


async def _only(context: Context, found: list[Change], query: str, call: Call) -> list[Change]:
    """Those about items that match now."""
    items = list(dict.fromkeys(str(each.item) for each in found if each.item))
    if not items:
        return []
    await context.reindexer.settle()
    question = await context.asking.question(query, actor=call.actor.name)
    statement, params = question.among(items, missing=True)
    rows = await context.store.database.fetch(statement, *params, deadline=context.config.deadline_seconds)
    match = {row[0] for row in rows}
    return [each for each in found if each.item in match]


async def _snapshot(
    context: Context, call: Call, query: str, epoch: uuid.UUID, last: int, why: str
) -> AsyncIterator[pb.Reply]:
    """Everything there is now. What changes while it is sent comes again as a change after `last`."""
    part: list[uuid.UUID] = []
    async for stream in matching(context, query, call):
        part.append(stream)
        if len(part) == _SNAPSHOT_ITEMS:
            items = await load_items(context, part, actor=call.actor.name)
            yield pb.Reply(changes=pb.ChangesReply(resync=True, items=items, epoch=epoch.bytes, reason=why))
            part = []
    items = await load_items(context, part, actor=call.actor.name)
    yield pb.Reply(changes=pb.ChangesReply(
        resync=True, items=items, epoch=epoch.bytes, last=last, reason=why, snapshot_ends=True
    ))  # fmt: skip


async def history(context: Context, request: pb.HistoryRequest, _call: Call) -> Replies:
    """What happened to items, what stood where they are, what they came from."""
    targets = list(request.targets)
    if not targets:
        raise InvalidArgument("history takes at least one id or path")
    for number, target in enumerate(targets):
        reply = pb.HistoryReply(target=target)
        try:
            _items, metas = await _part_metas(context, [target])
            if metas:
                reply.item = uuid.UUID(metas[0]).bytes
                _add_changes(reply, await context.store.read("events_of_meta", uuid.UUID(metas[0]), HISTORY_MOST), None)
            else:
                stream = (await resolve(context, target))[0]
                await _history(context, stream, reply)
        except MediadError as error:
            if error.retryable:
                raise
            reply.problem.CopyFrom(error_to_wire(error))
        yield pb.Reply(history=reply, last=number == len(targets) - 1)


def _add_changes(reply: pb.HistoryReply, rows: list[tuple[Any, ...]], item: uuid.UUID | None) -> None:
    for row in reversed(rows):
        seq, at, host, actor, operation, kind, target_id, action, value = row
        told = Change(seq, at, host, actor, operation, kind, target_id, action, value, item)
        reply.changes.append(change_to_wire(told))


async def _history(context: Context, stream: uuid.UUID, reply: pb.HistoryReply) -> None:
    reply.item = stream.bytes
    _add_changes(reply, await context.store.read("events_of_target", stream, HISTORY_MOST), stream)
    for item, path, size, mtime, until, why in await context.store.read("revisions_of", stream):
        reply.revisions.add(
            item=item.bytes, path=path, path_display=show_path(path), size=size, mtime_ns=mtime, until_ns=until, why=why
        )  # fmt: skip
    for number, folder, path, stored, verified, verdict in await context.store.read("stored_of", stream):
        whole = folder.rstrip(b"/") + b"/" + path
        reply.stored.add(
            archive=number, path=whole, path_display=show_path(whole), stored_at_ns=stored, verified_at_ns=verified,
            verdict=verdict,
        )  # fmt: skip
    for old, new, relation, state, at in await context.store.read("lineage_of", stream):
        reply.lineage.add(old=old.bytes, new=new.bytes, relation=relation, state=state, at_ns=at)
    for offer in await Offers(context.store).of(stream):
        if not offer.stored:  # what is stored stands above
            reply.lineage.add(old=offer.old.bytes, new=offer.new.bytes, relation=offer.relation, state="offered")
