"""Previews of items: kept in the data folder, made by a worker when there is none of the file as it is now.

A preview belongs to the payload: it is kept under the item's id and holds while the item has a file of the size and
time that it was made of, so that a rename or a move to another disk makes nothing anew; an edited file does, and
whoever compares tags sees whether the picture is another one. A song or film without a picture in it has that of the
picture beside it, which is an item of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mediad.config import Config
from mediad.errors import (
    ERRORS,
    Corrupt,
    Internal,
    LimitExceeded,
    MediadError,
    NotFound,
    Poison,
    Unavailable,
)
from mediad.index.extract import ChangedMeanwhile
from mediad.index.lookup import locate_files
from mediad.index.previewstore import NOTHING, Preview, PreviewStore, digest
from mediad.index.roots import Roots
from mediad.model import Answer
from mediad.store.store import Store, pack
from mediad.workers.pool import Pool
from mediad.workers.protocol import Garbage
from mediad.workers.registry import Registry

log = logging.getLogger(__name__)

SIZES = (128, 320, 800, 1280, 1920)  # pixels of the longer side
MIME_TYPES = ("image/jpeg", "image/png")
_PREVIEW_BYTES = 16 << 20  # a PNG of 1920 x 1920 with alpha that no compression makes smaller has 15 MB
_MEMORY_LEAST = 256 << 20  # bytes of address space: Pillow with all decoders maps 100, and most pictures take 60
_BESIDE = {  # names of the picture beside a file, the best first; then with what else may stand there
    "audio": "cover|folder|front|albumart|albumartsmall|albumart_.*_large|albumart_.*_small",
    "video": "poster|cover|folder|movie|thumb",
}
_ORDER = ("poster", "cover", "folder", "front", "albumart", "movie", "thumb")
_SWEEP_IDS = 500
_KEEP_SHARE = 0.9  # what is left when there was too much: not every new preview removes another

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _File:
    """A name of an item."""

    id: int
    folder: int
    name: bytes
    size: int
    mtime_ns: int
    kind: str
    handler: str | None
    version: int | None
    readable: bool


class Previews:
    """Gives previews, and keeps their folder below its limit. `changed` is set when there may be something to clear
    away."""

    def __init__(self, store: Store, config: Config, registry: Registry, roots: Roots) -> None:
        self._store = store
        self._config = config
        self._registry = registry
        self._roots = roots
        self._disk = PreviewStore(config.data_dir / "previews")
        # One thread: the disk of the data folder may be slow, and is not made faster by several.
        self._thread = ThreadPoolExecutor(1, "previews")
        self._making: dict[uuid.UUID, tuple[asyncio.Lock, list[None]]] = {}
        self._workers = asyncio.Semaphore(config.worker_count)
        self._kept = 0  # bytes, as of the last sweep and what was put since
        self.changed = asyncio.Event()
        self.changed.set()

    def notes(self) -> list[str]:
        """What a person should know."""
        return [f"previews cannot be kept: {self._disk.problem}"] if self._disk.problem else []

    def close(self) -> None:
        """Ends the thread; what it writes is finished or never was."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[..., T], *given: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *given)

    # -------------------------------------------------------------- giving

    async def get(self, stream: uuid.UUID, pixels: int, known: bytes = b"") -> Preview:
        """The preview of an item; without data when its tag is `known`.

        Raises NotFound when there is nothing to show, Corrupt, LimitExceeded and Poison when what there is cannot be
        shown, Unavailable while its volume is away, and what opening and reading a file raises."""
        files = await self._files(stream)
        if not files:
            raise NotFound("there is no file of this item to make a preview of", str(stream))
        found = await self._own(stream, pixels, files, known)
        if not found.code:
            return found
        for beside in await self._beside(files):
            if beside != stream:
                try:
                    return await self._picture(beside, pixels, known)
                except (NotFound, Corrupt, LimitExceeded, Unavailable):
                    continue  # the next one by name
        shown = files[0].name
        if found.code in ("corrupt", "poison"):
            raise ERRORS[found.code](found.message, shown)
        raise NotFound(f"there is no preview: {found.message}", shown)

    async def _picture(self, stream: uuid.UUID, pixels: int, known: bytes) -> Preview:
        files = await self._files(stream)
        found = await self._own(stream, pixels, files, known) if files else None
        if found is None or found.code:
            raise NotFound("the picture beside it cannot be shown", str(stream))
        return found

    async def _own(self, stream: uuid.UUID, pixels: int, files: list[_File], known: bytes) -> Preview:
        """What the item itself shows, or that it shows nothing (`code`)."""
        kept = await self._run(self._look, stream, pixels, files, known)
        if kept is not None:
            return kept
        async with self._alone(stream):
            kept = await self._run(self._look, stream, pixels, files, known)
            if kept is not None:
                return kept  # of those who waited the first one made it
            made = await self._make(stream, pixels, files)
            if self._config.preview_bytes:
                self._kept += await self._run(self._disk.put, stream, NOTHING if made.code else pixels, made)
                if self._kept > self._config.preview_bytes:
                    self.changed.set()
            return made

    @asynccontextmanager
    async def _alone(self, stream: uuid.UUID) -> Any:
        """One at a time for an item."""
        lock, waiting = self._making.setdefault(stream, (asyncio.Lock(), []))
        waiting.append(None)
        try:
            async with lock:
                yield
        finally:
            waiting.pop()
            if not waiting:
                self._making.pop(stream, None)

    async def _files(self, stream: uuid.UUID) -> list[_File]:
        rows = await self._store.read("preview_files", stream, pack(self._roots.readable()))
        return [_File(*row) for row in rows]

    def _look(self, stream: uuid.UUID, pixels: int, files: list[_File], known: bytes) -> Preview | None:
        """What is kept and still true: the preview, that there is none, or a larger one of a picture that is small
        itself. In the thread."""
        for size in (pixels, NOTHING):
            kept = self._disk.load(stream, size, known)
            if kept is not None and _holds(kept, files):
                return kept
        for size in SIZES:
            if size > pixels:
                kept = self._disk.load(stream, size, known)
                if kept is not None and _holds(kept, files) and max(kept.width, kept.height) <= pixels:
                    return kept
        return None

    def _larger(self, stream: uuid.UUID, pixels: int, files: list[_File]) -> Preview | None:
        for size in SIZES:
            if size > pixels:
                kept = self._disk.load(stream, size)
                if kept is not None and _holds(kept, files):
                    return kept
        return None

    async def _beside(self, files: list[_File]) -> list[uuid.UUID]:
        """Pictures in the folders of a song or film that are its cover by their names, the best first."""
        found: list[uuid.UUID] = []
        for file in files:
            if file.kind in _BESIDE and file.readable:
                stem = file.name.rpartition(b".")[0] if file.kind == "video" else b""
                rows = await self._store.read("preview_beside", file.folder, _BESIDE[file.kind], stem.hex())
                found += [row[0] for row in sorted(rows, key=lambda row: _rank(row[1]))]
        return list(dict.fromkeys(found))

    # -------------------------------------------------------------- making

    async def _make(self, stream: uuid.UUID, pixels: int, files: list[_File]) -> Preview:
        larger = await self._run(self._larger, stream, pixels, files)
        if larger is not None:
            return await self._make_smaller(larger, pixels)
        file = files[0]
        if not file.readable:
            raise Unavailable("none of its files can be read on this host now", file.name)
        place = (await locate_files(self._roots, [(file.id, file.folder, file.name)]))[file.id]
        if place.root is None or place.root.local is None:
            raise Unavailable("its volume is not mounted on this host", file.name)
        top = place.root.local
        fd, stat = (await self._roots.opener(top).open(top, [place.below], inodes=self._roots.inodes(top)))[0]
        if fd < 0:
            error = self._roots.open_error(stat[0], stat[1])
            raise type(error)(error.message, place.path)
        try:
            await self._registry.load()
            answer, data = await self._ask(file, place.path, fd, pixels)
        finally:
            os.close(fd)
        if answer.died or answer.code in ("unsupported", "corrupt"):
            # Kept, too: it is not tried again until the file or the handler is another one.
            handler, version = file.handler or "", file.version or 0
            code = "poison" if answer.died else answer.code
            return Preview(stat[1], stat[2], handler, version, code=code, message=answer.message)
        made = await self._named(_checked(answer, data, place.path))
        after = (answer.ok or {}).get("stat")
        if not isinstance(after, list) or len(after) < 3:
            raise Internal("the handler answered without the stat", place.path)
        if (after[1], after[2]) != (stat[1], stat[2]):
            raise ChangedMeanwhile("the file changes while it is read", place.path)
        return replace(made, size=stat[1], mtime_ns=stat[2])

    async def _make_smaller(self, larger: Preview, pixels: int) -> Preview:
        fd = os.memfd_create("preview", os.MFD_CLOEXEC)
        try:
            os.write(fd, larger.data)
            options = {"size": pixels, "handler": "image"}
            answer, data = await self._with_memory(self._registry.previewer, [({"name": b""}, fd)], options, b"")
        finally:
            os.close(fd)
        made = await self._named(_checked(answer, data, b""))
        return replace(made, size=larger.size, mtime_ns=larger.mtime_ns, handler=larger.handler, version=larger.version)

    async def _named(self, made: Preview) -> Preview:
        """With its tag: ten megabytes are digested in as many milliseconds, which are not the loop's."""
        return replace(made, tag=await self._run(digest, made.data))

    async def _ask(self, file: _File, path: bytes, fd: int, pixels: int) -> tuple[Answer, bytes]:
        application = self._registry.application_for(file.name)
        described: dict[str, Any] = {"name": file.name}
        if application is self._registry.builtin:
            return await self._with_memory(self._registry.previewer, [(described, fd)], {"size": pixels}, path)
        manifest = application.manifest
        if manifest is None or not any("preview" in handler.operations for handler in manifest.handlers):
            return Answer(code="unsupported", message="its handler makes no previews"), b""
        if not manifest.descriptors:
            described["path"] = path

        async def pool(memory: int) -> Pool:
            return self._registry.pool(application, "preview", memory)

        return await self._with_memory(pool, [(described, fd)], {"size": pixels}, path)

    async def _with_memory(
        self, pool: Callable[[int], Any], files: list[tuple[dict[str, Any], int]], options: dict[str, Any], path: bytes
    ) -> tuple[Answer, bytes]:
        """By a worker of the least memory; by a larger one when the answer says that it takes more."""
        most = self._config.preview_memory_most
        memory = min(_MEMORY_LEAST, most)
        while True:
            async with self._workers:
                answer, data = await self._exchange(await pool(memory), files, options, path)
            if answer.code != "limit" or not memory < answer.memory <= most:
                return answer, data
            while memory < answer.memory:
                memory = min(2 * memory, most)  # few classes, so that workers are used again

    async def _exchange(
        self, pool: Pool, files: list[tuple[dict[str, Any], int]], options: dict[str, Any], path: bytes
    ) -> tuple[Answer, bytes]:
        for again in (True, False):
            answers: list[Answer] = []
            pieces: list[bytes] = []

            def take(_i: int, piece: dict[str, Any], pieces: list[bytes] = pieces) -> None:
                data = piece.get("data")
                if not isinstance(data, bytes) or sum(map(len, pieces)) + len(data) > _PREVIEW_BYTES:
                    raise Garbage("a piece that is no part of a preview")
                pieces.append(data)

            def note(_i: int, answer: Answer, answers: list[Answer] = answers) -> None:
                answers.append(answer)

            try:
                await pool.run(
                    "preview", files, options, seconds=self._config.read_seconds, on_answer=note, on_piece=take
                )
            except MediadError as error:
                raise Unavailable(error.message, path) from error
            if answers and not (answers[0].died and again):
                return answers[0], b"".join(pieces)
        raise Unavailable("the handler's worker ended before it began", path)

    # -------------------------------------------------------------- keeping house

    async def sweep(self) -> int:
        """Previews of items that are gone go, and those not used for longest when there are more than
        `preview_bytes`; returns how many went. A folder at a time: the loop goes on in between."""
        used: dict[int, int] = {}  # bytes by the hour of their last use
        gone = 0
        for number in PreviewStore.buckets():
            entries = await self._run(self._disk.bucket, number)
            left = await self._left({name for name, _size, _hour in entries})
            away = [name for name, _size, _hour in entries if name not in left]
            for name, size, hour in entries:
                if name in left:
                    used[hour] = used.get(hour, 0) + size
            if away:
                gone += len(away)
                await self._run(self._disk.remove, away)
        self._kept = sum(used.values())
        if self._kept > self._config.preview_bytes:
            gone += await self._evict(used, self._kept - int(self._config.preview_bytes * _KEEP_SHARE))
        return gone

    async def _left(self, names: set[str]) -> set[str]:
        """Those of these names whose items exist."""
        streams: dict[str, list[str]] = {}
        for name in names:
            stream = PreviewStore.stream_of(name)
            if stream is not None:
                streams.setdefault(str(stream), []).append(name)
        found: set[str] = set()
        asked = list(streams)
        for start in range(0, len(asked), _SWEEP_IDS):
            for row in await self._store.read("preview_left", pack(asked[start : start + _SWEEP_IDS]), deadline=30.0):
                found.update(streams[str(row[0])])
        return found

    async def _evict(self, used: dict[int, int], excess: int) -> int:
        """Takes `excess` bytes away: all that was used last before some hour, and of that hour as much as it takes."""
        last, before = max(used), 0
        for hour in sorted(used):
            if before + used[hour] >= excess:
                last = hour
                break
            before += used[hour]
        of_last = excess - before
        gone = 0
        for number in PreviewStore.buckets():
            away = []
            for name, size, hour in await self._run(self._disk.bucket, number):
                if hour < last or (hour == last and of_last > 0):
                    of_last -= size if hour == last else 0
                    self._kept -= size
                    away.append(name)
            if away:
                gone += len(away)
                await self._run(self._disk.remove, away)
        return gone


def _holds(kept: Preview, files: list[_File]) -> bool:
    """Whether the item has a file of the stat that it was made of, read by the same version of its handler."""
    return any(
        (file.size, file.mtime_ns) == (kept.size, kept.mtime_ns)
        and (file.handler != kept.handler or file.version == kept.version)
        for file in files
    )


def _rank(name: str) -> tuple[int, int]:
    """The place of a picture's name among those that are covers; its stem with the film's comes first."""
    stem = name.rpartition(".")[0]
    for place, word in enumerate(_ORDER):
        if stem.startswith(word):
            return place + 1, len(stem)
    return 0, len(stem)


def _checked(answer: Answer, data: bytes, path: bytes) -> Preview:
    """What a handler gave, as a preview. Raises what its error stands for, and Internal for what is no preview."""
    if answer.ok is None or answer.code:
        if answer.died:
            raise Poison(answer.message, path)
        code = {"io": "io_error", "limit": "limit_exceeded"}.get(answer.code, answer.code)
        raise ERRORS[code](answer.message, path)
    ok = answer.ok
    mime, width, height = ok.get("mime_type"), ok.get("width"), ok.get("height")
    numbers = (width, height, ok.get("handler_version"))
    if mime not in MIME_TYPES or not all(type(each) is int and each > 0 for each in numbers):
        raise Internal("the handler answered with what is no preview", path)
    if not data or ok.get("bytes") != len(data):
        raise Internal("the handler gave another number of bytes than it says", path)
    handler = str(ok.get("handler"))[:100]
    return Preview(
        0, 0, handler, ok["handler_version"], str(mime), int(str(width)), int(str(height)), digest(data), data
    )
