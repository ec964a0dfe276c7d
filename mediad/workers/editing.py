"""The daemon's side of the editor (mediad.workers.editor): one process a volume, while something is to be written."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
from dataclasses import dataclass

from mediad.errors import (
    Conflict,
    DiskFull,
    InputOutputError,
    MediadError,
    NotFound,
    PermissionDenied,
    Unsupported,
)
from mediad.workers.opener import Opener

Stat = tuple[int, int, int, int]  # inode, size, mtime_ns, ctime_ns
_LINGER_SECONDS = 5.0  # for a editor that is told to go to finish what it has begun


@dataclass(slots=True)
class Prepared:
    """A place for a file to be written. `source` and `target` are descriptors, the caller's to close with `close`."""

    token: int
    name: bytes
    created: bool
    source: int
    target: int
    stat: Stat  # of the file there is; zeroes when there is none

    def close(self) -> None:
        """Closes both descriptors."""
        for fd in (self.source, self.target):
            if fd >= 0:
                os.close(fd)
        self.source = self.target = -1


class Editor(Opener):
    """One editor process."""

    program = "mediad.workers.editor"

    def __init__(self, idle_seconds: float) -> None:
        super().__init__(idle_seconds)
        self._open: set[int] = set()

    def _leave(self) -> None:
        if self._open:
            self._touch()
        else:
            super()._leave()

    def _reap(self) -> None:
        """It ends by itself when its socket does; one that hangs is killed."""
        process, self._process = self._process, None
        self._open.clear()
        if process is not None and process.poll() is None:
            loop = asyncio.get_running_loop()
            loop.call_later(0.5, process.poll)
            loop.call_later(_LINGER_SECONDS, _end, process)

    async def prepare(
        self, top: bytes, folder: bytes, main: bytes, names: list[bytes], create: bytes, content: bytes,
        seconds: float = 30.0,
    ) -> Prepared:  # fmt: skip
        """Opens what stands at the first of `names`, or `content` as the file `create`, and a new file beside it.

        Raises PermissionDenied (a folder that cannot be written), DiskFull, NotFound, Unsupported, InputOutputError,
        Unavailable; nothing is changed then."""
        reply = await self._ask(
            {"op": "prepare", "top": top, "folder": folder, "main": main, "names": names, "create": create,
             "content": content}, seconds,
        )  # fmt: skip
        if "error" in reply:
            raise write_error(reply["error"][0], reply["error"][1])
        self._open.add(reply["token"])
        inode, size, mtime, ctime = reply["opened"][0]
        source, target = reply["fds"]
        return Prepared(reply["token"], reply["name"], reply["created"], source, target, (inode, size, mtime, ctime))

    async def commit(self, prepared: Prepared, seconds: float = 60.0) -> tuple[Stat, list[str]]:
        """Puts the new file in the place: (its stat, warnings). Raises Conflict when what stood there has changed, and
        what `prepare` raises; then it is as it was."""
        self._open.discard(prepared.token)
        reply = await self._ask({"op": "commit", "token": prepared.token}, seconds)
        if "error" in reply:
            raise write_error(reply["error"][0], reply["error"][1])
        inode, size, mtime, ctime = reply["stat"]
        return (inode, size, mtime, ctime), reply["warnings"]

    async def abort(self, prepared: Prepared, seconds: float = 30.0) -> None:
        """The new file goes. Raises Unavailable."""
        if prepared.token in self._open:
            self._open.discard(prepared.token)
            await self._ask({"op": "abort", "token": prepared.token}, seconds)


def write_error(number: int, message: str) -> MediadError:
    """The error of a system call that failed while a side file was written, without the path."""
    text = message[:1].lower() + message[1:]
    if number == errno.ESTALE:
        return Conflict(text)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"the side file cannot be written: {text}")
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return PermissionDenied(f"the side file cannot be written: {text}")
    if number in (errno.ENOENT, errno.ENOTDIR):
        return NotFound("the file or its folder is gone")
    if number == errno.ELOOP:
        return Unsupported("the side file is a symbolic link; links are not followed")
    if number == errno.EINVAL:
        return Unsupported(text)
    return InputOutputError(f"the side file cannot be written: {text}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.poll()
