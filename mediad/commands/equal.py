"""Equal files, whether files are well, and how items belong together."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from typing import Any

from mediad.commands.checksums import checksum_of_file
from mediad.commands.context import Call, Context, Replies
from mediad.commands.edges import Candidate, maybe_equal
from mediad.commands.items import load_items, resolve
from mediad.commands.many import Computing, compute_checksums
from mediad.commands.work import by_of, matching, select
from mediad.errors import InputOutputError, InvalidArgument, MediadError, NotFound
from mediad.index.offers import Offer, Offers
from mediad.index.relations import RELATIONS, Relations
from mediad.store.store import now_ns, pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

_GROUPS_AT_ONCE = 50
_CANDIDATES = 20_000
_VERIFY_AT_ONCE = 100
_PROGRESS_SECONDS = 0.5
_KINDS = {
    "exact": "exact_groups", "payload": "payload_groups", "twins": "twin_groups", "hardlinks": "hardlink_groups",
    "missing": "missing_there", "single": "single_copies",
}  # fmt: skip


async def relate(context: Context, request: pb.RelateRequest, call: Call) -> Replies:
    """Splits, joins, and says what took the place of what."""
    if request.relation not in RELATIONS:
        raise InvalidArgument(f"the relations are {', '.join(RELATIONS)}", request.relation)
    by = by_of(call)
    relations = Relations(context.store, context.reader.keeper, context.work)
    stream, file = await resolve(context, request.target)
    other = (await resolve(context, request.other))[0] if request.HasField("other") else None
    reply = pb.RelateReply(item=stream.bytes, other=other.bytes if other else b"")
    if request.relation == "split":
        if file is None:
            raise InvalidArgument("split takes the path of a file", str(stream))
        reply.item, reply.other = (await relations.split(file, stream, by)).bytes, stream.bytes
    elif request.relation == "join":
        reply.item = (await relations.join(stream, other, by)).bytes
    elif request.relation in ("replaces", "edit"):
        if other is None:
            raise InvalidArgument(f"{request.relation} takes the item that was there before too", str(stream))
        await relations.take_place(request.relation, stream, other, by)
    elif request.relation == "accept":
        reply.other = (await relations.accept(stream, other, by)).bytes
    elif request.relation == "dismiss":
        reply.other = (await relations.dismiss(stream, other, by)).bytes
    else:
        reply.other = (await relations.detach(stream, by)).bytes
    reply.last = (await context.feed.state())[1]
    yield pb.Reply(relate=reply, last=True)


async def offers(context: Context, request: pb.OffersRequest, call: Call) -> Replies:
    """Which items may have taken the place of others: those asked for, or of all those that would hand work over."""
    problems: list[pb.Error] = []
    found: list[Offer] = []
    if request.targets or request.query:
        for stream in await select(context, request.targets, request.query, call, problems):
            found += await Offers(context.store).of(uuid.UUID(stream))
        found = list(dict.fromkeys(found))
        yield pb.Reply(offers=await _offers(context, found, problems), last=True)
        return
    async for offer in Offers(context.store).all():
        found.append(offer)
        if len(found) == _GROUPS_AT_ONCE:
            yield pb.Reply(offers=await _offers(context, found, ()))
            found = []
    yield pb.Reply(offers=await _offers(context, found, ()), last=True)


async def _offers(context: Context, found: list[Offer], problems: Iterable[pb.Error]) -> pb.OffersReply:
    streams = dict.fromkeys(stream for each in found for stream in (each.old, each.new))
    items = {item.id: item for item in await load_items(context, streams)}
    reply = pb.OffersReply(problems=problems)
    for each in found:
        old, new = items[each.old.bytes], items[each.new.bytes]
        paths = [item.files[0].path if item.files else b"" for item in (old, new)]
        reply.offers.add(
            old=old.id, new=new.id, relation=each.relation, why=each.why, old_path=paths[0], new_path=paths[1],
            old_display=show_path(paths[0]), new_display=show_path(paths[1]),
        )  # fmt: skip
    return reply


# ------------------------------------------------------------------ duplicates


async def duplicates(context: Context, request: pb.DuplicatesRequest, call: Call) -> Replies:
    """Groups of equal files, the most wasteful first. What takes a checksum is computed first, once; an answer
    is given again as long as nothing was committed since."""
    kind = request.kind or "payload"
    if kind not in _KINDS:
        raise InvalidArgument(f"the kinds are {', '.join(_KINDS)}", kind)
    params: list[Any] = [None]
    if request.query:
        params = [pack([str(stream) async for stream in matching(context, request.query, call)])]
    if kind == "missing":
        for number in (request.root, request.other):
            if context.roots.get(number) is None:
                raise NotFound("there is no root of that number (mediactl roots)", str(number))
        params += [request.root, request.other]
    if kind == "single":
        params.append(request.below or 2)
    # A query may mean another thing tomorrow (dates): only what hangs on the database alone is remembered.
    key = b"" if request.query else request.SerializeToString(deterministic=True) + _reach(context)
    seen = await _sight(context)
    for kept in context.answers.get(key, seen):
        reply = pb.Reply.FromString(kept)
        yield reply
        if reply.last:
            return
    computing = Computing()
    if kind in ("exact", "payload"):
        async for done in _compute(context, kind, computing):
            yield pb.Reply(progress=pb.Progress(stage="hashing", files_done=done))
        seen = computing.seen
    rows = await context.store.read(_KINDS[kind], *params, deadline=300.0)
    complete = bool(key) and not computing.failed
    sent: list[bytes] = []
    for start in range(0, max(1, len(rows)), _GROUPS_AT_ONCE):
        part = rows[start : start + _GROUPS_AT_ONCE]
        last = start + _GROUPS_AT_ONCE >= len(rows)
        groups = pb.DuplicatesReply(groups=await _groups(context, kind, part), last=last)
        if complete:
            sent.append(pb.Reply(duplicates=groups, last=last).SerializeToString())
            complete = context.answers.fits(sent)
        groups.computed, groups.left_out = computing.done, computing.failed
        if last and complete:
            context.answers.keep(key, seen, sent)
        yield pb.Reply(duplicates=groups, last=last)


async def _sight(context: Context) -> str:
    """Stands for everything that a statement would see now."""
    return str((await context.store.read("sight"))[0][0])


def _reach(context: Context) -> bytes:
    """What an answer hangs on beside the database: where the roots are, or that they are away."""
    roots = sorted((root.id, root.local or b"", root.owner) for root in context.roots.all())
    return repr(roots).encode()


async def _compute(context: Context, kind: str, computing: Computing) -> AsyncIterator[int]:
    """The checksums without which a question cannot be answered: size and samples are equal already. It ends when a
    look at everything, begun at `computing.seen`, finds nothing more to compute."""
    tried: set[int] = set()
    edges: dict[int, bytes] = {}
    told = time.monotonic()
    fresh = True
    while fresh:
        fresh = False
        computing.seen = await _sight(context)
        async for open_ones in _unknown(context, kind, tried, edges):
            fresh = fresh or bool(open_ones)
            scope = "file" if kind == "exact" else "stream"
            async for _file in compute_checksums(context, open_ones, scope, computing):
                if time.monotonic() - told > _PROGRESS_SECONDS:
                    told = time.monotonic()
                    yield computing.done


async def _unknown(
    context: Context, kind: str, tried: set[int], edges: dict[int, bytes]
) -> AsyncIterator[list[tuple[int, int]]]:
    """Files whose checksum is needed and was not tried yet, as (number, size), some at a time; they are noted as
    tried."""
    after: Any = None if kind == "exact" else 0
    while True:
        if kind == "exact":
            rows = await context.store.read("exact_candidates", after, _CANDIDATES, deadline=300.0)
            candidates = sorted((Candidate(*row) for row in rows), key=lambda each: (each.value, each.size, each.file))
            open_ones = await maybe_equal(context, candidates, tried, edges)
            after = candidates[-1].value if candidates else after
        else:
            rows = await context.store.read("payload_candidates", after, _CANDIDATES, deadline=300.0)
            open_ones = [(file, size) for file, size in rows if file not in tried]
            after = rows[-1][0] if rows else after
        tried.update(file for file, _size in open_ones)
        if open_ones:
            yield open_ones
        if len(rows) < _CANDIDATES:
            return


async def _groups(context: Context, kind: str, rows: list[tuple[Any, ...]]) -> list[pb.Group]:
    numbers = [number for row in rows for number in row[0]]
    streams = dict(await context.store.read("streams_of_files", pack(numbers))) if numbers else {}
    items = await load_items(context, dict.fromkeys(streams.values()))
    files = {file.id: file for item in items for file in item.files}
    return [
        pb.Group(kind=kind, size=size, wasted=int(wasted), files=[files[n] for n in found if n in files])
        for found, size, wasted in rows
    ]


# ------------------------------------------------------------------ verification


async def verify(context: Context, request: pb.VerifyRequest, call: Call) -> Replies:
    """Reads files again and compares them with their stored checksums; goes on where it was last ended."""
    until = time.monotonic() + request.seconds if request.seconds else None
    reply = pb.VerifyReply()
    chosen = await _chosen(context, request, call)
    mine = pack(context.roots.readable())
    after = 0
    if chosen is None and not request.again:
        state = await context.store.read("verify_state", context.host)
        after = state[0][0] if state else 0
    told, began, ended, whole = time.monotonic(), time.monotonic(), False, False
    while not ended:
        if chosen is not None:
            files, ended = chosen, True
        else:
            files = [row[0] for row in await context.store.read("files_to_verify", mine, after, _VERIFY_AT_ONCE)]
            if not files:
                after, whole = 0, True  # the next begins anew
                break
        for file in files:
            if until is not None and time.monotonic() > until:
                ended = True
                break
            await _verify(context, file, reply)
            after = file
            if request.bytes_per_second:
                ahead = reply.bytes / request.bytes_per_second - (time.monotonic() - began)
                if ahead > 0:
                    await asyncio.sleep(ahead)
            if time.monotonic() - told > _PROGRESS_SECONDS:
                told = time.monotonic()
                yield pb.Reply(progress=pb.Progress(stage="verifying", files_done=_seen(reply), bytes_done=reply.bytes))
        if chosen is None:
            await context.store.write([("put_verify_state", (context.host, after, now_ns()))], give_up_after=60.0)
    if chosen is None:
        await context.store.write([("put_verify_state", (context.host, after, now_ns()))], give_up_after=60.0)
        if not whole:
            reply.left = (await context.store.read("left_to_verify", mine, after))[0][0]
    yield pb.Reply(verify=reply, last=True)


def _seen(reply: pb.VerifyReply) -> int:
    return int(reply.ok + reply.first + len(reply.verdicts))


async def _chosen(context: Context, request: pb.VerifyRequest, call: Call) -> list[int] | None:
    """The files of the targets; None for everything."""
    if not request.targets:
        return None
    problems: list[pb.Error] = []
    streams = await select(context, request.targets, "", call, problems)
    if problems:
        raise NotFound("there is no such file or item", problems[0].input)
    rows = await context.store.read("files_of_streams", pack(streams))
    return [row[1] for row in rows if row[4] == "f" and row[8] is None]


async def _verify(context: Context, file: int, reply: pb.VerifyReply) -> None:
    facts = await context.store.read("file_facts", file)
    if not facts:
        return
    stream, _folder, _name, volume, inode, size, _mtime = facts[0]
    known = await context.store.read("checksum_known", volume, inode, "file")
    try:
        now = await checksum_of_file(context, file, "file", fresh=True)
        reply.bytes += size
        if not known or known[0][3] is None:
            await checksum_of_file(context, file, "file")
            await checksum_of_file(context, file, "stream")
            reply.first += 1
            return
        if _digest(now) == known[0][3]:
            reply.ok += 1
            return
        verdict = await _judge(context, file, (volume, inode), await _same_stat(context, volume, now, known[0]))
    except NotFound as error:
        await _add(context, file, stream, "unreadable", error, known, reply)
    except MediadError as error:
        if error.retryable and not isinstance(error, InputOutputError):
            raise
        await _add(context, file, stream, "unreadable", error, known, reply)
    else:
        await _add(context, file, stream, verdict, None, known, reply)


async def _same_stat(context: Context, volume: int, now: pb.ChecksumReply, known: tuple[Any, ...]) -> bool:
    """Size and mtime are those of the stored checksum: the bytes changed and nobody said so."""
    stat = (await context.roots.look(volume, [now.path])).get(now.path)
    return stat is not None and stat[1:3] == tuple(known[:2])


def _digest(reply: pb.ChecksumReply) -> bytes:
    return next((each.value for each in reply.digests if each.algorithm == "sha256"), b"")


async def _judge(context: Context, file: int, place: tuple[int, int], same_stat: bool) -> str:
    """Other bytes than before: only other tags, another payload, or rot: bytes that changed and no time with them."""
    known = await context.store.read("checksum_known", *place, "stream")
    payload = await checksum_of_file(context, file, "stream", fresh=True)
    if known and known[0][2] == payload.stream_algorithm and known[0][3] == _digest(payload):
        return "retagged"
    return "rotten" if same_stat else "replaced"


async def _add(
    context: Context, file: int, stream: Any, verdict: str, error: MediadError | None, known: Any, reply: pb.VerifyReply
) -> None:
    setattr(reply, verdict, getattr(reply, verdict) + 1)
    item = (await load_items(context, [stream]))[0]
    path = next((each.path for each in item.files if each.id == file), b"")
    told = reply.verdicts.add(item=stream.bytes, path=path, path_display=show_path(path), verdict=verdict)
    if error is not None:
        told.problem.CopyFrom(error_to_wire(error))
    if known and known[0][3] is not None:
        rows = await context.store.read("good_copies", file, known[0][3])
        told.good.extend(os.fsencode(p) for p in (await context.roots.paths(list(rows))).values())
