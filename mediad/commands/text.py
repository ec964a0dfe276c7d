"""The text of files: shown, or its words put into the index."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import resolve
from mediad.commands.work import matching
from mediad.config import TEXT_LIMIT_MOST
from mediad.errors import InvalidArgument, MediadError, NotFound, Poison, Unavailable
from mediad.index.extract import Facts
from mediad.index.lookup import locate_files
from mediad.store.store import pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

_PROGRESS_SECONDS = 0.5
_LOOK_SECONDS = 5.0  # without any news: are the files still queued?
_ASKED_AT_ONCE = 500
_PIECE = 64 * 1024  # characters: 256 KiB in any script


async def text(context: Context, request: pb.TextRequest, call: Call) -> Replies:
    """The text of targets and of what a query finds, in pieces; with `index` their words into the index; without
    either, how many files have words there. A file that has none, or cannot be read, is a problem beside the others.

    Raises InvalidArgument for a limit beyond TEXT_LIMIT_MOST, and QuerySyntax."""
    if not request.targets and not request.query:
        indexed, without, failed, waiting = (await context.store.read("content_counts", deadline=30.0))[0]
        counted = pb.TextReply(indexed=indexed, without=without, failed=failed, waiting=waiting)
        yield pb.Reply(text=counted, last=True)
        return
    if request.limit > TEXT_LIMIT_MOST:
        raise InvalidArgument(f"at most {TEXT_LIMIT_MOST} bytes of text are read of a file", str(request.limit))
    replies = _index(context, request, call) if request.index else _show(context, request, call)
    async with contextlib.aclosing(replies) as stream:
        async for reply in stream:
            yield reply


async def _chosen(
    context: Context, request: pb.TextRequest, call: Call, every: bool
) -> AsyncIterator[tuple[list[int], MediadError | None]]:
    """The files of each target and of each item that the query finds, or why there are none. `every`: all names of an
    item, else one of them."""
    for target in request.targets:
        try:
            stream, file = await resolve(context, target)
            files = [file] if file is not None else await _files(context, [str(stream)])
            if not files:
                raise NotFound("no file of this item can be read on this host", str(stream))
            yield files if every else files[:1], None
        except (NotFound, InvalidArgument) as error:
            yield [], error
    if not request.query:
        return
    batch: list[str] = []
    async for found in matching(context, request.query, call):
        if not every:
            yield (await _files(context, [str(found)]))[:1], None
            continue
        batch.append(str(found))
        if len(batch) == _ASKED_AT_ONCE:
            yield await _files(context, batch), None
            batch = []
    if batch:
        yield await _files(context, batch), None


async def _files(context: Context, streams: list[str]) -> list[int]:
    here = pack(context.roots.readable())
    return [row[0] for row in await context.store.read("content_files", pack(streams), here, deadline=30.0)]


# ------------------------------------------------------------------ shown


async def _show(context: Context, request: pb.TextRequest, call: Call) -> AsyncGenerator[pb.Reply, None]:
    limit = request.limit or context.config.text_limit
    async for files, problem in _chosen(context, request, call, False):
        if problem is not None:
            yield pb.Reply(text=pb.TextReply(ends=True, problem=error_to_wire(problem)))
        for file in files:
            async for reply in _show_file(context, file, limit):
                yield reply
    yield pb.Reply(text=pb.TextReply(), last=True)


async def _show_file(context: Context, number: int, limit: int) -> AsyncGenerator[pb.Reply, None]:
    about = pb.TextReply()
    try:
        facts = await context.content.extractor.facts(number)
        path = (await locate_files(context.roots, [(facts.file, facts.folder, facts.name)]))[facts.file].path
        about = pb.TextReply(item=facts.stream.bytes, path=path, path_display=show_path(path or facts.name))
        given = False
        for again in (True, False):
            try:
                async for reply in _pieces(context, facts, limit, about):
                    given = given or reply.HasField("text")
                    yield reply
                return
            except Poison:
                # A worker that dies may not have died of this file: once more, where nothing was given yet.
                if given or not again:
                    raise
    except MediadError as error:
        if isinstance(error, Unavailable) and not error.input:
            raise  # the database: not this file's fault
        about.ends = True
        about.problem.CopyFrom(error_to_wire(error))
        yield pb.Reply(text=about)


async def _pieces(context: Context, facts: Facts, limit: int, about: pb.TextReply) -> AsyncGenerator[pb.Reply, None]:
    """The pieces of one text as they come, then what is to be said of all of it; progress while nothing comes."""
    pieces: asyncio.Queue[str | None] = asyncio.Queue()
    task = asyncio.create_task(context.content.extractor.text(facts, limit, pieces.put_nowait))
    task.add_done_callback(lambda _task: pieces.put_nowait(None))
    try:
        while True:
            try:
                async with asyncio.timeout(_PROGRESS_SECONDS):
                    piece = await pieces.get()
            except TimeoutError:
                progress = pb.Progress(stage="extracting", current=about.path, current_display=about.path_display)
                yield pb.Reply(progress=progress)
                continue
            if piece is None:
                break
            for start in range(0, len(piece), _PIECE):
                reply = pb.Reply(text=about)
                reply.text.text = piece[start : start + _PIECE]
                yield reply
    finally:
        if not task.done():  # the client went away or cancelled: the worker is stopped with it
            task.cancel()
            await asyncio.wait([task])
    found = task.result()
    reply = pb.Reply(text=about)
    reply.text.ends, reply.text.truncated = True, found.truncated
    reply.text.source = found.source
    reply.text.languages.extend(found.languages)
    yield reply


# ------------------------------------------------------------------ into the index


@dataclass(slots=True)
class _Waiting:
    """What one request waits for."""

    files: set[int] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("indexed", "none", "failed", "waiting"), 0))
    problems: list[MediadError] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, file: int, outcome: str, problem: MediadError | None) -> None:
        if file not in self.files:
            return
        self.files.discard(file)
        self.counts[outcome] += 1
        if problem is not None and outcome != "none":
            self.problems.append(problem)
        self.news.set()

    def take_problems(self) -> list[MediadError]:
        taken, self.problems = self.problems, []
        return taken


async def _index(context: Context, request: pb.TextRequest, call: Call) -> AsyncGenerator[pb.Reply, None]:
    waiting = _Waiting()
    total = 0
    context.content.watchers.add(waiting.tell)
    try:
        async for files, problem in _chosen(context, request, call, True):
            if problem is not None:
                yield pb.Reply(text=pb.TextReply(problem=error_to_wire(problem)))
            for start in range(0, len(files), _ASKED_AT_ONCE):
                some = [file for file in files[start : start + _ASKED_AT_ONCE] if file not in waiting.files]
                waiting.files.update(some)
                total += len(some)
                await context.content.ask(some)
                yield pb.Reply(progress=pb.Progress(stage="queueing", files_done=total))
        async for reply in _until_done(context, waiting, total, request.wait):
            yield reply
    finally:
        context.content.watchers.discard(waiting.tell)
    done = pb.TextReply(
        queued=total, indexed=waiting.counts["indexed"], without=waiting.counts["none"],
        failed=waiting.counts["failed"], waiting=waiting.counts["waiting"] + len(waiting.files),
    )  # fmt: skip
    yield pb.Reply(text=done, last=True)


async def _until_done(context: Context, waiting: _Waiting, total: int, wait: bool) -> AsyncGenerator[pb.Reply, None]:
    """Progress and problems until all that is waited for is done; of those that were quicker than the question, when
    nobody waits."""
    loop = asyncio.get_running_loop()
    heard = told = loop.time()
    while True:
        for problem in waiting.take_problems():
            yield pb.Reply(text=pb.TextReply(problem=error_to_wire(problem)))
        if not wait or not waiting.files:
            return
        waiting.news.clear()
        try:
            async with asyncio.timeout(_PROGRESS_SECONDS):
                await waiting.news.wait()
            heard = loop.time()
        except TimeoutError:
            if loop.time() - heard > _LOOK_SECONDS:
                heard = loop.time()
                await _give_up(context, waiting)
        if loop.time() - told >= _PROGRESS_SECONDS:
            told = loop.time()
            yield pb.Reply(progress=pb.Progress(
                stage="indexing", files_done=total - len(waiting.files), files_total=total
            ))  # fmt: skip


async def _give_up(context: Context, waiting: _Waiting) -> None:
    """What was forgotten meanwhile, or lies on a volume that went away, is not waited for."""
    here = pack(context.roots.readable())
    files = list(waiting.files)
    for start in range(0, len(files), _ASKED_AT_ONCE):  # a library in one piece would hold the loop
        some = files[start : start + _ASKED_AT_ONCE]
        left = {row[0] for row in await context.store.read("content_left", pack(some), here)}
        for file in some:
            if file not in left:
                waiting.tell(file, "waiting", None)
