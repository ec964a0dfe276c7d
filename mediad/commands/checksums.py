"""Checksums: computed when asked, never twice for the same stat."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import resolve
from mediad.errors import ERRORS, Conflict, InvalidArgument, MediadError, NotFound, Unavailable, Unsupported
from mediad.index.lookup import locate_files
from mediad.index.records import GRADES, checked_keys
from mediad.model import Actor, Answer
from mediad.store.store import now_ns, pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

ALGORITHMS = ("md5", "sha1", "sha256")
SCOPES = ("file", "stream")
MAX_TRACKS = 64
_PROGRESS_SECONDS = 0.5


@dataclass(slots=True)
class _Progress:
    done: int = 0
    total: int = 0
    path: bytes = b""


@dataclass(slots=True)
class Opened:
    """What is hashed: the file, where it is, its descriptor, and the stat (inode, size, mtime_ns, ctime_ns) it was
    opened with."""

    number: int
    stream: uuid.UUID
    volume: int
    top: bytes
    path: bytes  # below top
    full: bytes
    fd: int = -1
    stat: tuple[int, int, int, int] = (0, 0, 0, 0)


async def checksum(context: Context, request: pb.ChecksumRequest, call: Call) -> Replies:
    """One reply a target and scope, in order; progress in between for what takes longer."""
    scopes = _checked(request.scopes, SCOPES, "scope") or ("file",)
    algorithms = _checked(request.algorithms, ALGORITHMS, "algorithm") or ALGORITHMS
    if not request.targets:
        raise InvalidArgument("checksum takes at least one id or path")
    work = [(target, scope) for target in request.targets for scope in scopes]
    for number, (target, scope) in enumerate(work):
        at = _Progress()
        task = asyncio.create_task(_one(context, target, scope, algorithms, call, at))
        try:
            while not (await asyncio.wait([task], timeout=_PROGRESS_SECONDS))[0]:
                yield pb.Reply(progress=pb.Progress(
                    stage="hashing", files_done=number, files_total=len(work), bytes_done=at.done, bytes_total=at.total,
                    current=at.path, current_display=show_path(at.path),
                ))  # fmt: skip
        finally:
            if not task.done():  # the client went away or cancelled: the worker is stopped with it
                task.cancel()
                await asyncio.wait([task])
        yield pb.Reply(checksum=task.result(), last=number == len(work) - 1)


def _checked(given: Iterable[str], known: tuple[str, ...], what: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(given))
    for name in chosen:
        if name not in known:
            raise InvalidArgument(f"{what} is one of {', '.join(known)}", name)
    return chosen


async def _one(
    context: Context, target: pb.Target, scope: str, algorithms: tuple[str, ...], call: Call, at: _Progress
) -> pb.ChecksumReply:
    reply = pb.ChecksumReply(target=target, scope=scope)
    try:
        file = await _find(context, target)
        reply.item = file.stream.bytes
        reply.path, reply.path_display = file.full, show_path(file.full)
        at.path = file.full
        await _answer(context, file, scope, algorithms, call, at, reply)
    except MediadError as error:
        if isinstance(error, Unavailable) and not error.input:
            raise  # the database: not this file's fault
        reply.problem.CopyFrom(error_to_wire(error))
    return reply


async def _find(context: Context, target: pb.Target) -> Opened:
    stream, wanted = await resolve(context, target)
    rows = await context.store.read("files_of_streams", pack([str(stream)]))
    present = [row for row in rows if (row[1] == wanted if wanted is not None else row[8] is None)]
    if not present:
        raise NotFound("no file of this item is present", str(stream))
    row = present[0]
    if row[4] != "f":
        raise InvalidArgument("only regular files have a checksum", row[3])
    return await _place(context, row[1], stream, row[2], row[3])


async def _place(context: Context, file: int, stream: uuid.UUID, folder: int, name: bytes) -> Opened:
    place = (await locate_files(context.roots, [(file, folder, name)]))[file]
    if place.root is None or place.root.local is None:
        raise Unavailable("its volume is not mounted on this host", name)
    return Opened(file, stream, place.root.volume, place.root.local, place.below, place.path)


async def checksum_of_file(
    context: Context, number: int, scope: str, *, algorithms: tuple[str, ...] = ("sha256",), fresh: bool = False
) -> pb.ChecksumReply:
    """The checksum of a file by its number, computed or from the store (`fresh`: computed in any case, and told to
    nobody before it is compared). Raises what the file, its volume or its handler raise."""
    rows = await context.store.read("file_facts", number)
    if not rows:
        raise NotFound("there is no such file", str(number))
    stream, folder, name = rows[0][:3]
    file = await _place(context, number, stream, folder, name)
    reply = pb.ChecksumReply(item=stream.bytes, path=file.full, path_display=show_path(file.full), scope=scope)
    call = Call(Actor(0, "admin", ""), None)
    try:
        await _answer(context, file, scope, algorithms, call, _Progress(), reply, fresh=fresh)
    except Unsupported:
        if scope != "stream":
            raise
        # Of a format without a stream of its own every byte is the payload, as it is for the fingerprint.
        reply.scope = "file"
        await _answer(context, file, "file", algorithms, call, _Progress(), reply, fresh=fresh)
        if not fresh:
            await _prove_whole(context, file, reply)
    return reply


async def _prove_whole(context: Context, file: Opened, reply: pb.ChecksumReply) -> None:
    """The checksum of all bytes is that of the stream whose fingerprint is made of all bytes."""
    keys = await context.store.read("keys_of_stream", str(file.stream))
    if not any(grade == GRADES["fingerprint"] and algorithm == "whole/1" for grade, algorithm, _value in keys):
        return
    rows = [
        {"f": file.number, "g": GRADES["checksum"], "a": "whole/1", "v": each.value.hex()}
        for each in reply.digests if each.algorithm == "sha256"
    ]  # fmt: skip
    await context.store.write([("put_checksum_keys", (pack(rows), *file.stat))], give_up_after=30.0)
    await context.reader.keeper.settle_checksum(str(file.stream))


async def _answer(
    context: Context,
    file: Opened,
    scope: str,
    algorithms: tuple[str, ...],
    call: Call,
    at: _Progress,
    reply: pb.ChecksumReply,
    *,
    fresh: bool = False,
) -> None:
    for _attempt in range(2):
        inodes = context.roots.inodes(file.top)
        fd, stat = (await context.roots.opener(file.top).open(file.top, [file.path], inodes=inodes))[0]
        if fd < 0:
            error = context.roots.open_error(stat[0], stat[1])
            raise type(error)(error.message, file.full)
        try:
            file.fd, file.stat = fd, (stat[0], stat[1], stat[2], stat[3])
            if not fresh and await _from_store(context, file, scope, algorithms, reply):
                return
            at.total = stat[1]
            answer = await _hash(context, file, scope, algorithms, at)
        finally:
            os.close(fd)
        if answer.ok is None or answer.code:
            code = {"io": "io_error", "limit": "limit_exceeded"}.get(answer.code, answer.code)
            raise ERRORS["poison" if answer.died else code](answer.message, file.full)
        if same_stat(file, answer.ok.get("stat"), inodes):
            if fresh:
                _show(file, scope, answer.ok, reply)
            else:
                await _keep(context, file, scope, answer.ok, call, reply)
            return
    raise Conflict("the file changes while it is read", file.full)


async def _from_store(
    context: Context, file: Opened, scope: str, algorithms: tuple[str, ...], reply: pb.ChecksumReply
) -> bool:
    rows = await context.store.read("checksum_at", file.volume, *file.stat, scope)
    if not rows:
        return False
    known = dict(zip(ALGORITHMS, rows[0][1:4], strict=True))
    if any(known[name] is None for name in algorithms):
        return False
    reply.stored = True
    reply.stream_algorithm = rows[0][0]
    if scope == "stream" and known["sha256"] is not None:
        # Its stream may be a new one since (the file was forgotten and added again).
        row = {"f": file.number, "g": GRADES["checksum"], "a": rows[0][0], "v": known["sha256"].hex()}
        await context.store.write([("put_checksum_keys", (pack([row]), *file.stat))], give_up_after=30.0)
        await context.reader.keeper.settle_checksum(str(file.stream))
    for name in algorithms:
        reply.digests.add(algorithm=name, value=known[name], scope=scope)
    return True


async def _hash(context: Context, file: Opened, scope: str, algorithms: tuple[str, ...], at: _Progress) -> Answer:
    await context.registry.load()
    name = os.path.basename(file.path)
    application = context.registry.application_for(name)
    facts: dict[str, Any] = {"name": name}
    if application.manifest is not None and not application.manifest.descriptors:
        facts["path"] = file.full
    answers: list[Answer] = []

    def progress(_i: int, done: int) -> None:
        at.done = done

    await context.registry.pool(application, "checksum").run(
        "checksum", [(facts, file.fd)], {"scope": scope, "algorithms": list(algorithms)},
        seconds=context.config.checksum_seconds, on_answer=lambda _i, answer: answers.append(answer),
        on_progress=progress,
    )  # fmt: skip
    if not answers:
        raise Unavailable("the handler's worker ended before it began", file.full)
    return answers[0]


def same_stat(file: Opened, stat: Any, inodes: bool) -> bool:
    """Whether the stat that a worker saw after reading is the one the file was opened with. `inodes`: they last."""
    if not isinstance(stat, list | tuple) or len(stat) < 3:
        return False
    inode = stat[0] - (1 << 64) if stat[0] >= 1 << 63 else stat[0]
    return (stat[1], stat[2]) == file.stat[1:3] and (not inodes or inode == file.stat[0])


def _show(file: Opened, scope: str, ok: dict[str, Any], reply: pb.ChecksumReply) -> None:
    """A computed checksum into the reply, and nowhere else."""
    reply.stream_algorithm = str(ok.get("algorithm") or "") if scope == "stream" else ""
    for name in ALGORITHMS:
        value = ok.get("digests", {}).get(name)
        if isinstance(value, bytes):
            reply.digests.add(algorithm=name, value=value, scope=scope)


async def _keep(
    context: Context, file: Opened, scope: str, ok: dict[str, Any], call: Call, reply: pb.ChecksumReply
) -> None:
    digests = {name: ok["digests"][name] for name in ALGORITHMS if isinstance(ok.get("digests", {}).get(name), bytes)}
    algorithm = str(ok.get("algorithm") or "") if scope == "stream" else ""
    row = (file.volume, *file.stat, scope, algorithm, *(digests.get(name) for name in ALGORITHMS), now_ns())
    unit: list[tuple[str, tuple[Any, ...]]] = [("put_checksum", row)]
    if scope == "stream":
        keys = [("checksum", algorithm, digests["sha256"])] if "sha256" in digests else []
        keys += checked_keys(ok.get("keys"))
        rows = [{"f": file.number, "g": GRADES[grade], "a": name, "v": value.hex()} for grade, name, value in keys]
        if rows:
            unit.append(("put_checksum_keys", (pack(rows), *file.stat)))
        for grade, name, value in keys:
            reply.keys.add(grade=grade, algorithm=name, value=value)
        _add_tracks(reply, ok.get("tracks"))
    told = pack({"scope": scope, **{name: value.hex() for name, value in digests.items()}})
    unit.append(("tell_checksummed", (file.stream, told, now_ns(), context.host, call.actor.name, call.operation)))
    await context.store.write(unit, give_up_after=30.0)
    if scope == "stream":
        await context.reader.keeper.settle_checksum(str(file.stream))
    reply.stream_algorithm = algorithm
    for name, value in digests.items():
        reply.digests.add(algorithm=name, value=value, scope=scope)


def _add_tracks(reply: pb.ChecksumReply, tracks: Any) -> None:
    """The tracks of an answer, as far as they are of the contract's form."""
    for one in tracks[:MAX_TRACKS] if isinstance(tracks, list) else ():
        if not (isinstance(one, dict) and type(one.get("number")) is int and 0 <= one["number"] < 1 << 32):
            continue
        track = reply.tracks.add(number=one["number"], bytes=one["bytes"] if type(one.get("bytes")) is int else 0)
        for name in ("kind", "codec", "algorithm"):
            if isinstance(one.get(name), str):
                setattr(track, name, one[name][:100])
        for name, value in one.get("digests", {}).items():
            if name in ALGORITHMS and isinstance(value, bytes):
                track.digests.add(algorithm=name, value=value, scope="stream")
