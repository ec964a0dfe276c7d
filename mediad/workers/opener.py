"""The daemon's side of the openers: one process a volume that opens, one a walk that lists (mediad.workers.walk).

An open on a sleeping disk or a dead network mount blocks its opener, not the loop; a caller's deadline still holds.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgpack

from mediad.errors import InputOutputError, MediadError, NotFound, PermissionDenied, Unavailable
from mediad.model import Place
from mediad.workers.channel import Channel
from mediad.workers.start import start_program

# Known folders in one message to a walk.
_KNOWN_CHUNK = 500
# Messages of a walk that wait to be stored before the walk is made to wait.
_WALK_AHEAD = 4
_MESSAGE_BYTES = 64 << 20


def error_of(number: int, message: str, path: bytes) -> MediadError:
    """The error of a failed system call, about a path."""
    text = message[:1].lower() + message[1:]
    if number in (errno.ENOENT, errno.ENOTDIR):
        return NotFound("there is no such file or folder", path)
    if number in (errno.EACCES, errno.EPERM):
        return PermissionDenied("the file system does not let the daemon read it", path)
    if number == errno.ELOOP:
        return NotFound("a symbolic link stands in the way; links are not followed", path)
    return InputOutputError(text, path)


Known = tuple[bytes, bytes, int | None, int | None]  # path, digest, inode, mtime_ns of a folder


class Opener:
    """One opener process. It starts when first asked and leaves after `idle_seconds` without a question."""

    program = "mediad.workers.walk"

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._streams: dict[int, asyncio.Queue[dict[str, Any] | None]] = {}
        self._number = 0
        self._idle: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int:
        """The process, 0 when none runs."""
        return self._process.pid if self._process else 0

    def _start(self) -> Channel:
        if self._channel is not None and not self._channel.closed:
            return self._channel
        try:
            self._process, ours = start_program(self.program)
        except OSError as error:
            raise Unavailable(f"an opener cannot be started: {error.strerror}", sys.executable) from error
        self._channel = Channel(ours, ours, self._message, self._ended, most=_MESSAGE_BYTES)
        return self._channel

    def _message(self, message: Any) -> None:
        number = message.get("id")
        stream = self._streams.get(number)
        if stream is not None:
            stream.put_nowait(message)
            if stream.qsize() >= _WALK_AHEAD and self._channel is not None:
                self._channel.pause()
            return
        future = self._waiting.pop(number, None)
        if "opened" in message and self._channel is not None:
            fds = [self._channel.descriptors.popleft() if len(row) == 4 else -1 for row in message["opened"]]
            message["fds"] = fds
            if future is None or future.done():  # whoever asked has gone
                for fd in fds:
                    if fd >= 0:
                        os.close(fd)
        if future is not None and not future.done():
            future.set_result(message)

    def _ended(self, _reason: str) -> None:
        self._reap()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Unavailable("the opener of this volume ended"))
        self._waiting.clear()
        for stream in self._streams.values():
            stream.put_nowait(None)

    def _reap(self) -> None:
        if self._process is not None and self._process.poll() is None:
            # It may hang in a dead mount: it is told to go, and nobody waits for it.
            self._process.send_signal(signal.SIGKILL)
            asyncio.get_running_loop().call_later(0.5, self._process.poll)
        self._process = None

    async def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        channel = self._start()
        self._touch()
        self._number += 1
        number = request["id"] = self._number
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        channel.send(msgpack.packb(request, use_bin_type=True))
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            raise Unavailable("the volume does not answer", request.get("top") or request.get("path") or b"") from None
        finally:
            self._waiting.pop(number, None)
            self._touch()

    def _touch(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._leave)

    def _leave(self) -> None:
        if not self._waiting and not self._streams:
            self.close()
        else:
            self._touch()

    async def locate(self, path: bytes, seconds: float = 20.0) -> Place:
        """Where a path lies. Raises NotFound, PermissionDenied, InputOutputError, Unavailable (deadline)."""
        reply = await self._ask({"op": "locate", "path": path}, seconds)
        if "error" in reply:
            raise error_of(reply["error"][0], reply["error"][1], path)
        uuid, fs_type, mount, fs_root, real, only = reply["place"]
        return Place(uuid, fs_type, mount, fs_root, real, only)

    async def volumes(self, seconds: float = 20.0) -> list[tuple[str, str, bytes, bytes]]:
        """What is mounted on this host: (volume, file system type, mount point, folder of the file system)."""
        reply = await self._ask({"op": "volumes"}, seconds)
        if "error" in reply:
            raise error_of(reply["error"][0], reply["error"][1], b"")
        return [(row[0], row[1], row[2], row[3]) for row in reply["volumes"]]

    async def open(
        self, top: bytes, files: list[bytes], *, inodes: bool = True, seconds: float = 30.0
    ) -> list[tuple[int, list[Any]]]:
        """Opens files below `top`: (descriptor, [inode, size, mtime_ns, ctime_ns]) each, or (-1, [errno, message]).
        The descriptors are the caller's. `inodes`: the file system has lasting inode numbers (mediad.workers.walk)."""
        reply = await self._ask({"op": "open", "top": top, "files": files, "inodes": inodes}, seconds)
        if "error" in reply:
            raise error_of(reply["error"][0], reply["error"][1], top)
        return list(zip(reply["fds"], reply["opened"], strict=True))

    async def edges(self, top: bytes, files: list[bytes], *, seconds: float = 30.0) -> list[bytes | None]:
        """A digest of the size, the first and the last 4 KiB of files below `top`; None of what cannot be read."""
        reply = await self._ask({"op": "edges", "top": top, "files": files}, seconds)
        if "error" in reply:
            raise error_of(reply["error"][0], reply["error"][1], top)
        return list(reply["edges"])

    async def look(
        self, top: bytes, files: list[bytes], *, inodes: bool = True, seconds: float = 30.0
    ) -> list[tuple[int, int, int, int] | None]:
        """What stands at these paths below `top`: (inode, size, mtime_ns, nlink) each, None for nothing."""
        reply = await self._ask({"op": "look", "top": top, "files": files, "inodes": inodes}, seconds)
        if "error" in reply:
            raise error_of(reply["error"][0], reply["error"][1], top)
        return [None if row is None else (row[0], row[1], row[2], row[3]) for row in reply["found"]]

    async def walk(
        self, top: bytes, only: bytes, exclude: Iterable[str], known: Iterable[Known],
        *, inodes: bool = True, dirs: list[tuple[bytes, bool]] | None = None, quick: bool = False,
    ) -> AsyncIterator[dict[str, Any]]:  # fmt: skip
        """Walks a tree, or looks at some folders of it (path, deep); yields the walk's messages, the last with `end`.
        The walk waits while nobody takes them."""
        channel = self._start()
        self._number += 1
        number = self._number
        stream: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._streams[number] = stream
        try:
            chunk: list[Known] = []
            for pair in known:
                chunk.append(pair)
                if len(chunk) == _KNOWN_CHUNK:
                    channel.send(msgpack.packb({"id": number, "op": "known", "dirs": chunk}, use_bin_type=True))
                    chunk = []
                    await asyncio.sleep(0)
            channel.send(msgpack.packb({"id": number, "op": "known", "dirs": chunk}, use_bin_type=True))
            request = {
                "id": number, "op": "walk", "top": top, "only": only, "exclude": list(exclude), "inodes": inodes,
                "dirs": dirs, "quick": quick,
            }  # fmt: skip
            channel.send(msgpack.packb(request, use_bin_type=True))
            while True:
                message = await stream.get()
                if stream.qsize() < _WALK_AHEAD:
                    channel.resume()
                if message is None:
                    raise Unavailable("the walk ended before its time", top)
                if "error" in message:
                    raise error_of(message["error"][0], message["error"][1], top)
                yield message
                if "end" in message:
                    return
        finally:
            del self._streams[number]
            if self._channel is not None:
                self._touch()

    def close(self) -> None:
        """Ends the process; what it was asked fails."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            self._ended("")
