"""XMP side files, merged and written because somebody says so now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import resolve
from mediad.commands.work import by_of, matching
from mediad.errors import ERRORS, Internal, InvalidArgument, MediadError, NotFound, Unavailable
from mediad.index.lookup import locate_files
from mediad.index.sidefiles import Outcome, is_side
from mediad.store.store import pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

_FILES_AT_ONCE = 64
_WAITING_MOST = 10_000


async def sidecars(context: Context, request: pb.SidecarsRequest, call: Call) -> Replies:
    """Merges files with their side files, one after the other; without any, lists what waits."""
    if not (request.targets or request.query or request.all):
        reply = await _waiting(context)
        yield pb.Reply(sidecars=reply, last=True)
        return
    if request.all and (request.targets or request.query):
        raise InvalidArgument("all files, or some: not both")
    operation = by_of(call).operation
    reply = pb.SidecarsReply()
    async for file, problem in _chosen(context, request, call):
        reply.looked_at += 1
        if problem is not None:
            reply.files.add(state="failed").problem.CopyFrom(error_to_wire(problem))
            continue
        await _merge(context, file, operation, request.dry_run, reply)
        if len(reply.files) >= _FILES_AT_ONCE:
            yield pb.Reply(sidecars=reply)
            reply = pb.SidecarsReply(looked_at=reply.looked_at)
        elif reply.looked_at % _FILES_AT_ONCE == 0:
            yield pb.Reply(progress=pb.Progress(stage="merging", files_done=reply.looked_at))
    yield pb.Reply(sidecars=reply, last=True)


async def _merge(context: Context, file: int, operation: Any, dry: bool, reply: pb.SidecarsReply) -> None:
    try:
        outcome = await context.sides.sync(file, operation, dry=dry)
    except MediadError as error:
        if isinstance(error, Unavailable) and not error.input:
            raise  # the database: not this file's fault
        reply.files.add(state="failed").problem.CopyFrom(error_to_wire(error))
        return
    if outcome is not None and (outcome.state != "same" or outcome.lost):
        reply.files.append(_to_wire(outcome))


async def _chosen(
    context: Context, request: pb.SidecarsRequest, call: Call
) -> AsyncIterator[tuple[int, MediadError | None]]:
    """The media files that are meant, or why one is not there."""
    roots = pack([root.id for root in context.roots.mine()])
    if request.all:
        async for files in context.sides.everything([root.id for root in context.roots.mine()]):
            for each in files:
                yield each, None
        return
    for target in request.targets:
        try:
            stream, file = await resolve(context, target)
            found = [file] if file is not None else await _files(context, [str(stream)], roots)
            if not found:
                raise NotFound("no file of this item is present on this host", str(stream))
            if is_side(target.path):
                raise InvalidArgument("this is a side file: name the file it lies beside", target.path)
        except (NotFound, InvalidArgument) as error:
            yield 0, error
            continue
        for each in found:
            yield each, None
    if request.query:
        async for stream in matching(context, request.query, call):
            for each in await _files(context, [str(stream)], roots):
                yield each, None


async def _files(context: Context, streams: list[str], roots: str) -> list[int]:
    return [row[0] for row in await context.store.read("side_mains", pack(streams), roots)]


def _to_wire(outcome: Outcome) -> pb.Sidecar:
    found = pb.Sidecar(
        item=outcome.stream.bytes, path=outcome.path, path_display=show_path(outcome.path), side=outcome.side,
        side_display=show_path(outcome.side), state=outcome.state, warnings=outcome.warnings,
    )  # fmt: skip
    for way, changes in (("taken", outcome.taken), ("written", outcome.written)):
        for change in changes:
            found.changes.add(way=way, field=change.field, was=_text(change.was), now=_text(change.now))
    for lost in outcome.lost:
        found.changes.add(way="lost", field=lost.field, was=_text(lost.lost), now=_text(lost.kept))
    return found


def _text(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


async def _waiting(context: Context) -> pb.SidecarsReply:
    """What waits for its turn or for another try."""
    roots = pack([root.id for root in context.roots.mine()])
    rows = await context.store.read("side_waiting", roots, _WAITING_MOST)
    places = await locate_files(context.roots, [(row[0], row[2], row[3]) for row in rows])
    reply = pb.SidecarsReply(looked_at=len(rows))
    for file, stream, _folder, name, since, code, problem in rows:
        path = places[file].path or name
        found = reply.files.add(
            item=stream.bytes, path=path, path_display=show_path(path), state="failed" if code else "waiting",
            since_ns=since,
        )  # fmt: skip
        if code:
            found.problem.CopyFrom(error_to_wire(ERRORS.get(code, Internal)(problem or "", path)))
    return reply
