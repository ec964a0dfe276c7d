"""The daemon's side of a mover: one process an operation (mediad.workers.mover says what it understands)."""

from __future__ import annotations

import asyncio
import errno
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from mediad.errors import (
    ERRORS,
    AlreadyExists,
    InputOutputError,
    MediadError,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from mediad.workers.channel import Channel
from mediad.workers.opener import error_of
from mediad.workers.start import start_program

_MESSAGE_BYTES = 64 << 20
_DYING_SECONDS = 0.01
Place = tuple[bytes, bytes]
"""A root's top on this host, and a path below it."""


@dataclass(frozen=True, slots=True)
class Stat:
    """What stands at a place: `type` as in file rows, and d for a folder; times in ns."""

    type: str
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    nlink: int
    mode: int
    uid: int
    gid: int
    device: int


@dataclass(frozen=True, slots=True)
class Space:
    """The file system of a folder, or of the nearest one above it that exists (`folder`, below the same top)."""

    device: int
    mount: int
    free: int
    folder: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row: done, cross, exists, changed, gone, failed:ERRNO; of what was made inode and mtime."""

    number: int
    outcome: str
    message: str
    inode: int | None
    mtime_ns: int | None


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that lies on disk, verified; `notes`: owner, xattr, mode, which could not be kept."""

    inode: int
    size: int
    mtime_ns: int
    sha256: bytes
    notes: tuple[str, ...]


class MoverLost(Unavailable):
    """The mover ended before its time; what it had in hand is looked at again."""


class Mover:
    """One mover process; it starts when first asked. `close` ends it."""

    program = "mediad.workers.mover"

    def __init__(self, lock: Path) -> None:
        self._lock = lock
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._dying: list[subprocess.Popen[bytes]] = []
        self._number = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._told: dict[int, Callable[[int], None]] = {}
        self.on_findings: Callable[[list[list[Any]]], None] = lambda findings: None

    @property
    def pid(self) -> int:
        """The process, 0 when none runs."""
        return self._process.pid if self._process else 0

    def _start(self) -> Channel:
        if self._channel is not None and not self._channel.closed:
            return self._channel
        try:
            self._process, ours = start_program(self.program, str(self._lock))
        except OSError as error:
            raise Unavailable(f"a mover cannot be started: {error.strerror}", sys.executable) from error
        self._channel = Channel(ours, ours, self._message, self._ended, most=_MESSAGE_BYTES)
        return self._channel

    def _message(self, message: Any) -> None:
        number = message.get("id")
        if "progress" in message:
            told = self._told.get(number)
            if told is not None:
                told(message["progress"])
            if message.get("findings"):
                self.on_findings(message["findings"])
            return
        future = self._waiting.pop(number, None)
        if future is not None and not future.done():
            future.set_result(message)

    def _ended(self, _reason: str) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            self._dying.append(process)
            asyncio.get_running_loop().call_later(0.5, process.poll)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(MoverLost("the mover ended before its time"))
        self._waiting.clear()

    async def _ask(self, op: str, told: Callable[[int], None] | None = None, **facts: Any) -> dict[str, Any]:
        """No deadline: a disk may be as slow as it likes, and what is begun is not given up half-way."""
        channel = self._start()
        self._number += 1
        number = self._number
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        if told is not None:
            self._told[number] = told
        channel.send(msgpack.packb({"id": number, "op": op, **facts}, use_bin_type=True))
        try:
            answer = await future
        finally:
            self._waiting.pop(number, None)
            self._told.pop(number, None)
        if "fault" in answer:
            code, message, about = answer["fault"]
            raise ERRORS[code](message, about)
        if "error" in answer:
            raise error_of(answer["error"][0], answer["error"][1], b"")
        return answer

    # -------------------------------------------------------------- questions

    async def ended(self) -> None:
        """Returns when the processes before are no more: one that hangs in a disk may still do what it was told."""
        while self._dying:
            self._dying = [process for process in self._dying if process.poll() is None]
            await asyncio.sleep(_DYING_SECONDS)

    async def alone(self) -> None:
        """Returns when no other mover of this host is left: those of a daemon that died are dying."""
        await self._ask("alone")

    async def look(self, places: Iterable[Place]) -> list[Stat | None]:
        """What stands at places; None for nothing. Raises what the file system says of a top or a folder."""
        answer = await self._ask("look", places=[list(place) for place in places])
        return [None if row is None else Stat(*row) for row in answer["found"]]

    async def space(self, places: Iterable[Place]) -> list[Space | None]:
        """Of folders: their file systems; None where the top cannot be opened."""
        answer = await self._ask("space", places=[list(place) for place in places])
        return [None if row is None else Space(*row) for row in answer["space"]]

    async def same(self, one: Place, other: Place, told: Callable[[int], None] | None = None) -> bool:
        """Whether two files have the same bytes; all are compared."""
        return bool((await self._ask("same", told, one=list(one), other=list(other)))["same"])

    async def layout(self, **facts: Any) -> dict[str, Any]:
        """Makes, or with `pairs` checks a media tree (mediad.workers.layout)."""
        return await self._ask("layout", **facts)

    # -------------------------------------------------------------- deeds

    async def rows(self, op: str, rows: list[list[Any]], **facts: Any) -> list[Result]:
        """mkdir, rmdir, link, drop, unmake: every row's result, in order."""
        if not rows:
            return []
        answer = await self._ask(op, rows=rows, **facts)
        return [Result(*row) for row in answer["results"]]

    async def copy(
        self, row: list[Any], part: bytes, *, clone: bool, again: bool, told: Callable[[int], None]
    ) -> Copied | Result:
        """A verified copy under its final name, or why there is none. `again`: one that was made before counts."""
        answer = await self._ask("copy", told, row=row, part=part, clone=clone, again=again)
        if "made" in answer:
            inode, size, mtime, digest, notes = answer["made"]
            return Copied(inode, size, mtime, digest, tuple(notes))
        return Result(row[0], answer["outcome"], answer["message"], None, None)

    def close(self) -> None:
        """Ends the process."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._ended("")


def error_of_result(result: Result, path: bytes) -> MediadError:
    """The error of a row that was not done, about a path."""
    outcome = result.outcome
    if outcome in ("gone", "changed"):
        return NotFound(result.message if outcome == "changed" else "there is nothing of that name any more", path)
    if outcome == "exists":
        return AlreadyExists("something of that name has appeared at the destination", path)
    if outcome == "cross":
        return InputOutputError("the destination is on another file system", path)
    name = outcome.partition(":")[2]
    number = getattr(errno, name, errno.EIO)
    if number in (errno.EACCES, errno.EPERM):
        return PermissionDenied("the file system does not let the daemon do it", path)
    return InputOutputError(_in_words(number, result.message), path)


def _in_words(number: int, message: str) -> str:
    return {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the quota is used up",
        errno.EROFS: "the file system is read-only",
        errno.ENAMETOOLONG: "the name is too long for the file system",
        errno.EMLINK: "the file has as many names as the file system allows",
        errno.EBUSY: "another program is writing it",
        errno.EIO: f"the disk failed: {message}",
    }.get(number, message[:1].lower() + message[1:])


class Archiver(Mover):
    """A mover that knows archives (mediad.moves.archiver says what it understands)."""

    program = "mediad.moves.archiver"

    async def ask(self, op: str, told: Callable[[int], None] | None = None, **facts: Any) -> dict[str, Any]:
        """One request. Raises what the archive or the file system says."""
        return await self._ask(op, told, **facts)
