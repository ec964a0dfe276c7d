"""Archives of recentralized/structure: written, verified, put back from; and files put back where they were."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import check_path
from mediad.commands.move import finish, select_files
from mediad.errors import ERRORS, Conflict, InvalidArgument, MediadError, NotFound
from mediad.index.lookup import dir_paths, find_dir
from mediad.model import Root
from mediad.moves.model import Options
from mediad.moves.mover import Archiver
from mediad.moves.plan import Planner, Unit, Wish
from mediad.store.store import now_ns, pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

_FILES_AT_ONCE = 50  # in one request to the archiver: so often the index could be saved
_SAVE_EVERY = 1000
_PROGRESS_SECONDS = 0.25
_TOLD_MOST = 1000
_RESTORE_AT_ONCE = 100


async def archive(context: Context, request: pb.ArchiveRequest, _call: Call) -> Replies:
    """Writes a folder of the library into an archive, or verifies one."""
    folder = check_path(request.archive).rstrip(b"/") or b"/"
    archiver = Archiver(context.moves.lock)
    try:
        work = (
            _verify(context, archiver, folder, request.quick)
            if request.verify
            else _write(context, archiver, check_path(request.source).rstrip(b"/") or b"/", folder)
        )
        async for reply in work:
            yield reply
    finally:
        archiver.close()


async def _write(context: Context, archiver: Archiver, source: bytes, folder: bytes) -> AsyncIterator[pb.Reply]:
    place = await find_dir(context.roots, source)
    if place is None:
        raise NotFound("no root of this host holds that folder; `mediactl add` makes one", source)
    root, top = place
    if root.owner != context.host or root.local is None:
        raise Conflict(f"its volume is on the host {root.owner_name}", source)
    if folder == source or folder.startswith(source + b"/"):
        raise InvalidArgument("an archive does not lie in what it archives", folder)
    rows = await context.store.read("tree_to_move", top, deadline=60.0)
    files = [row[0] for row in rows if row[4] == "f"]
    await archiver.ask("open", archive=folder, source=source)
    reply = pb.ArchiveReply()
    done = since = 0
    told = [0]
    for start in range(0, len(files), _FILES_AT_ONCE):
        asked = asyncio.create_task(
            _add(context, archiver, root, folder, files[start : start + _FILES_AT_ONCE], reply, told)
        )
        while not (await asyncio.wait([asked], timeout=_PROGRESS_SECONDS))[0]:
            yield _progress("archiving", done, len(files), reply.bytes + told[0])
        await asked
        done += _FILES_AT_ONCE
        since += _FILES_AT_ONCE
        if since >= _SAVE_EVERY:
            since = 0
            reply.changed |= (await archiver.ask("save"))["changed"]
    reply.changed |= (await archiver.ask("save"))["changed"]
    yield pb.Reply(archive=reply, last=True)


def _progress(stage: str, done: int, total: int, size: int) -> pb.Reply:
    return pb.Reply(
        progress=pb.Progress(
            stage=stage, files_done=min(done, total) if total else done, files_total=total, bytes_done=size
        )
    )


async def _add(
    context: Context, archiver: Archiver, root: Root, folder: bytes, files: list[int], reply: pb.ArchiveReply,
    told: list[int],
) -> None:  # fmt: skip
    rows = await context.store.read("to_archive", pack(files), deadline=60.0)
    names = await dir_paths(context.roots, {row[2] for row in rows})
    items: list[list[Any]] = []
    for _file, _stream, in_dir, name, size, mtime, inode, form, fields, side, sha1 in rows:
        path = b"/".join([*names.get(in_dir, ()), name])
        kept = inode if root.inodes else None
        items.append([root.local, path, kept, size, mtime, sha1, fields or "{}", side, form or ""])

    def heard(size: int) -> None:
        told[0] = size

    answer = await archiver.ask("add", heard, items=items)
    told[0] = 0
    stored = []
    for row, item, (outcome, sha1, path, copied, message) in zip(rows, items, answer["results"], strict=True):
        if outcome in ("failed", "changed"):
            if len(reply.problems) < _TOLD_MOST:
                error = ERRORS["conflict" if outcome == "changed" else "io_error"]
                reply.problems.append(error_to_wire(error(message, (root.local or b"").rstrip(b"/") + b"/" + item[1])))
            continue
        reply.files += outcome == "stored"
        reply.known += outcome == "known"
        reply.unchanged += outcome == "unchanged"
        reply.bytes += copied
        stored.append({"h": sha1, "s": str(row[1]), "p": path.hex()})
    if stored:
        row = (answer["dst"], folder, context.host, now_ns(), pack(stored))
        await context.store.write([("put_stored", row)], give_up_after=60.0)


async def _verify(context: Context, archiver: Archiver, folder: bytes, quick: bool) -> AsyncIterator[pb.Reply]:
    told = [0]
    waiting: list[list[Any]] = []
    seen: list[dict[str, str]] = []

    def heard(size: int) -> None:
        told[0] = size

    archiver.on_findings = waiting.extend
    asked = asyncio.create_task(archiver.ask("verify", heard, archive=folder, hashes=not quick))
    try:
        while True:
            ended = bool((await asyncio.wait([asked], timeout=_PROGRESS_SECONDS))[0])
            findings, waiting[:] = waiting[:], []
            seen += [{"h": sha1, "c": code} for code, _path, sha1, _message in findings if sha1]
            bad = [pb.ArchiveFinding(code=c, path=p, sha1=h, message=m) for c, p, h, m in findings if c != "ok"]
            for start in range(0, len(bad), 200):
                yield pb.Reply(archive=pb.ArchiveReply(findings=bad[start : start + 200]))
            if ended:
                break
            yield _progress("verifying", len(seen), 0, told[0])
    finally:
        asked.cancel()
    answer = await asked
    if not quick:
        for start in range(0, len(seen), 1000):
            row = (answer["dst"], now_ns(), pack(seen[start : start + 1000]))
            await context.store.write([("verified_stored", row)], give_up_after=60.0)
    yield pb.Reply(archive=pb.ArchiveReply(files=answer["items"], bytes=answer["bytes"]), last=True)


# ------------------------------------------------------------------ putting back


async def putback(context: Context, request: pb.PutbackRequest, call: Call) -> Replies:
    """Files of the library to where they were before, or contents of an archive to where they were found."""
    if request.archive:
        async for reply in _restore(context, request):
            yield reply
        return
    planner = Planner(context.store, context.roots)
    problems: list[MediadError] = []
    selected = await select_files(context, planner, request.targets, request.query, call, problems)
    if not selected and problems:
        raise problems[0]
    units = await planner.units(selected)
    before = dict(await context.store.read("found_before", pack([unit.main.file for unit in units]), deadline=60.0))
    wishes: dict[int, Wish | MediadError] = {}
    for unit in units:
        if unit.main.file not in before:
            wishes[unit.main.file] = NotFound("it was never moved: it is where it was found", unit.main.path)
            continue
        try:
            wishes[unit.main.file] = await planner.destination(before[unit.main.file])
        except MediadError as error:
            wishes[unit.main.file] = error

    def wish(unit: Unit) -> Wish | MediadError:
        return wishes[unit.main.file]

    mover = context.moves.mover()
    try:
        plan = await planner.plan(mover, units, wish, Options())
    finally:
        mover.close()
    plan.problems[:0] = problems
    async for reply in finish(context, plan, call, dry_run=request.dry_run):
        if reply.HasField("move"):
            found = reply.move
            reply = pb.Reply(putback=found, last=reply.last)
        yield reply


async def _restore(context: Context, request: pb.PutbackRequest) -> AsyncIterator[pb.Reply]:
    folder = check_path(request.archive).rstrip(b"/") or b"/"
    into = check_path(request.into).rstrip(b"/") or b"/" if request.into else b""
    archiver = Archiver(context.moves.lock)
    try:
        plan = await archiver.ask("plan", archive=folder, hashes=list(request.sha1), into=into)
        reply = pb.MoveReply(operation=b"")
        for code, sha1, uri in plan["left"]:
            if code != "sidecar" and len(reply.problems) < _TOLD_MOST:
                reply.problems.append(error_to_wire(NotFound(_LEFT[code], f"{sha1} {uri}")))
        copies = plan["copies"]
        done = 0
        for start in range(0, len(copies), _RESTORE_AT_ONCE):
            some = copies[start : start + _RESTORE_AT_ONCE]
            outcomes = [["restored", copy[2], ""] for copy in some]
            if not request.dry_run:
                asked = asyncio.create_task(archiver.ask("restore", copies=some))
                while not (await asyncio.wait([asked], timeout=_PROGRESS_SECONDS))[0]:
                    yield _progress("restoring", done, len(copies), reply.bytes)
                outcomes = (await asked)["results"]
            part = pb.MoveReply()
            for number, (copy, (outcome, target, message)) in enumerate(zip(some, outcomes, strict=True), start):
                step = part.steps.add(
                    number=number, unit=number, action="copy", method="copy", source=copy[1], destination=target,
                    source_display=show_path(copy[1]), destination_display=show_path(target), size=copy[3],
                    state="planned" if request.dry_run else "aborted",
                )  # fmt: skip
                if outcome == "restored":
                    step.state = "planned" if request.dry_run else "done"
                    reply.done += 1
                    reply.bytes += copy[3]
                elif outcome == "already":
                    reply.unchanged += 1
                    step.state = "done"
                else:
                    reply.failed += 1
                    error = (
                        Conflict("other bytes are at its place; they stay", target)
                        if outcome == "exists"
                        else (ERRORS["io_error"](message, target))
                    )
                    step.problem.CopyFrom(error_to_wire(error))
                    if len(reply.problems) < _TOLD_MOST:
                        reply.problems.append(error_to_wire(error))
            yield pb.Reply(putback=part)
            done += len(some)
        yield pb.Reply(putback=reply, last=True)
    finally:
        archiver.close()


_LEFT = {
    "not_stored": "this archive does not hold it",
    "bad_uri": "where it lies leads out of the archive",
    "not_a_file": "it was not found in a file system",
    "no_source": "the index does not know its source",
    "outside_source": "its place is not below its source's folder",
    "superseded": "a later content of the same path is put back",
}
