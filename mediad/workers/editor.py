"""The editor's program: puts a file that a worker wrote in the place of another, in one step (settled 19 and 21).

It parses nothing. Run as `python -m mediad.workers.editor` with a unix stream socket as standard input; msgpack maps
both ways, every request has an `id` and gets one answer under it.

prepare {top, folder, main, names, create, content}
       -> {token, name, created, main: [...], opened: [[inode, size, mtime_ns, ctime_ns] | 4 zeroes] * 2} + descriptors
       opens the first of `names` in `folder` (below `top`) that is there, to read it; where none is, `content` under
       the name `create`. The second descriptor is an empty file in memory, to be written: a full disk is the editor's
       to find. `main` is the file whose mode and owner a new one gets.
commit {token} -> {stat: [inode, size, mtime_ns, ctime_ns], warnings}
       what was written is copied into a file beside the old one, which takes its place: fsync(2), rename(2), fsync(2)
       of the folder. When what stands there is not what was opened, nothing is done and the errno is ESTALE.
abort  {token} -> {}

What a killed editor left is known by its name (`.mediad-edit-` and 16 hexadecimal digits, which walks leave out) and by
nobody holding its lock (flock(2)); the next `prepare` in the folder removes it. At every moment a name leads to the old
file or to the new one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import socket
import stat
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from mediad.workers.beneath import open_beneath

PREFIX = b".mediad-edit-"
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
_SIDE_MODE = 0o666  # of a media file's mode: what only a program or a folder needs is left out


@dataclass(slots=True)
class _Prepared:
    """A new file that waits for its content, which comes into `memory`. `old` is the open file that it replaces, -1 for
    none."""

    folder: int
    name: bytes
    memory: int
    old: int
    before: os.stat_result | None
    main: os.stat_result


class Editor:
    """Serves requests from the daemon until its socket ends."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self._prepared: dict[int, _Prepared] = {}
        self._number = 0

    def serve(self) -> None:
        """Reads requests one after the other and answers them; at the end what was not committed goes."""
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=16 << 20)
        try:
            while data := self.channel.recv(1 << 16):
                unpacker.feed(data)
                for request in unpacker:
                    self.answer(request)
        finally:
            for token in list(self._prepared):
                self._drop(token)

    def answer(self, request: dict[str, Any]) -> None:
        """Does what one request asks; an error of the file system is an answer, not an end."""
        number, op = request["id"], request["op"]
        try:
            if op == "prepare":
                self._prepare(number, request)
            elif op == "commit":
                self._commit(number, request["token"])
            else:
                self._drop(request["token"])
                self._send({"id": number})
        except BrokenPipeError:
            raise
        except OSError as error:
            self._send({"id": number, "error": [error.errno or 0, error.strerror or str(error)]})

    def _prepare(self, number: int, request: dict[str, Any]) -> None:
        held: list[int] = []
        try:
            folder = _open_folder(request["top"], request["folder"])
            held.append(folder)
            main = os.stat(request["main"], dir_fd=folder, follow_symlinks=False)
            name, old, before = self._find(folder, request["names"])
            source = old if old >= 0 else _memory(request["content"])
            held.append(source)
            target = _memory(b"")
            held.append(target)
            _sweep(folder)
        except OSError:
            for fd in reversed(held):
                os.close(fd)
            raise
        self._number += 1
        self._prepared[self._number] = _Prepared(
            folder, name or request["create"], target, old, before, main
        )  # fmt: skip
        opened = [_stat(before) if before is not None else [0, 0, 0, 0], [0, 0, 0, 0]]
        self._send(
            {"id": number, "token": self._number, "name": name or request["create"], "created": old < 0,
             "main": _stat(main), "opened": opened},
            array("i", (source, target)),
        )  # fmt: skip
        if old < 0:
            os.close(source)

    @staticmethod
    def _find(folder: int, names: list[bytes]) -> tuple[bytes, int, os.stat_result | None]:
        """The first of the names that is there: (name, descriptor, stat), or (b"", -1, None). Raises OSError for one
        that is no regular file: ELOOP for a symbolic link."""
        for name in names:
            try:
                fd = open_beneath(folder, name, _READ)
            except FileNotFoundError:
                continue
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode):
                os.close(fd)
                raise OSError(errno.EINVAL, "the side file is no regular file")
            return name, fd, info
        return b"", -1, None

    def _commit(self, number: int, token: int) -> None:
        held = self._prepared[token]
        try:
            found, warnings = _replace(held)
        finally:
            self._drop(token)
        self._send({"id": number, "stat": found, "warnings": warnings})

    def _drop(self, token: int) -> None:
        held = self._prepared.pop(token, None)
        if held is None:
            return
        for fd in (held.folder, held.memory, held.old):
            if fd >= 0:
                os.close(fd)

    def _send(self, message: dict[str, Any], fds: array[int] | None = None) -> None:
        data = memoryview(msgpack.packb(message, use_bin_type=True))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else []
        sent = self.channel.sendmsg([data], rights)
        if sent < len(data):
            self.channel.sendall(data[sent:])


def _open_folder(top: bytes, below: bytes) -> int:
    """A folder below a root's top; no symbolic link is followed on the way."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    fd = os.open(top, flags)
    if not below:
        return fd
    try:
        return open_beneath(fd, below, flags)
    finally:
        os.close(fd)


def _replace(held: _Prepared) -> tuple[list[int], list[str]]:
    """Puts what was written in the place of the old file: (stat, warnings). Raises OSError; then it is as it was."""
    copied = PREFIX + secrets.token_hex(8).encode("ascii")
    target = os.open(copied, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=held.folder)
    try:
        fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _copy(held.memory, target)
        warnings = _take_over(held, target)
        os.fsync(target)
        _expect(held)
        if held.old >= 0 or not _link(held, copied):
            os.rename(copied, held.name, src_dir_fd=held.folder, dst_dir_fd=held.folder)
        copied = b""
        os.fsync(held.folder)
        return _stat(os.fstat(target)), warnings
    except FileExistsError:
        raise OSError(errno.ESTALE, "the side file came while it was made") from None
    finally:
        if copied:
            os.unlink(copied, dir_fd=held.folder)
        os.close(target)


def _copy(source: int, target: int) -> None:
    at = 0
    while data := os.pread(source, 1 << 20, at):
        view = memoryview(data)
        while view:
            view = view[os.write(target, view) :]
        at += len(data)


def _link(held: _Prepared, copied: bytes) -> bool:
    """A new name that replaces nothing: of two programs that make it at once, one is told so (link(2), EEXIST). False
    on a file system without hard links."""
    try:
        os.link(copied, held.name, src_dir_fd=held.folder, dst_dir_fd=held.folder)
    except OSError as fault:
        if fault.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            return False
        raise
    os.unlink(copied, dir_fd=held.folder)
    return True


def _memory(content: bytes) -> int:
    fd = os.memfd_create("side", os.MFD_CLOEXEC)
    os.write(fd, content)
    return fd


def _stat(info: os.stat_result) -> list[int]:
    inode = info.st_ino - (1 << 64) if info.st_ino >= 1 << 63 else info.st_ino
    return [inode, info.st_size, info.st_mtime_ns, info.st_ctime_ns]


def _expect(held: _Prepared) -> None:
    """What stands at the name is what was opened, or still nothing. Raises OSError ESTALE."""
    try:
        now: os.stat_result | None = os.stat(held.name, dir_fd=held.folder, follow_symlinks=False)
    except FileNotFoundError:
        now = None
    seen = _identity(held.before)
    if _identity(now) != seen or (held.old >= 0 and _identity(os.fstat(held.old)) != seen):
        raise OSError(errno.ESTALE, "the side file changed while it was merged")


def _identity(info: os.stat_result | None) -> tuple[int, ...] | None:
    return None if info is None else (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


def _take_over(held: _Prepared, target: int) -> list[str]:
    """Mode, owner and extended attributes (with ACLs) of the file that is replaced; a new one has the media file's mode
    and owner. What is not permitted is a warning. Raises OSError for anything else."""
    like = held.before or held.main
    warnings: list[str] = []
    try:
        os.fchown(target, like.st_uid, like.st_gid)
    except PermissionError:
        now = os.fstat(target)
        if (now.st_uid, now.st_gid) != (like.st_uid, like.st_gid):
            warnings.append("owner and group could not be kept")
    mode = stat.S_IMODE(like.st_mode)
    os.fchmod(target, mode if held.before is not None else mode & _SIDE_MODE)
    for name in _attributes(held.old) if held.old >= 0 else ():
        try:
            os.setxattr(target, name, os.getxattr(held.old, name))
        except OSError as fault:
            warnings.append(f"the extended attribute {name} could not be kept: {fault.strerror}")
    return warnings


def _attributes(fd: int) -> Sequence[str]:
    try:
        return os.listxattr(fd)
    except OSError as fault:
        if fault.errno != errno.ENOTSUP:
            raise
        return ()


def _sweep(folder: int) -> None:
    """Removes the new files of editors that are gone: nobody holds their lock. A folder's listing is all it costs."""
    with os.scandir(folder) as listing:
        names = [os.fsencode(each.name) for each in listing]
    for name in names:
        if not name.startswith(PREFIX) or len(name) != len(PREFIX) + 16:
            continue
        try:
            fd = os.open(name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder)
        except OSError:
            continue  # somebody else's, or gone
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=folder)
        except OSError as fault:
            if fault.errno not in (errno.EWOULDBLOCK, errno.ENOENT, errno.EACCES, errno.EPERM):
                raise
        finally:
            os.close(fd)


def main() -> None:
    """Entry point: standard input is the socket to the daemon; its end is ours."""
    channel = socket.socket(fileno=os.dup(0))
    channel.setblocking(True)
    try:
        Editor(channel).serve()
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        sys.exit(0)


if __name__ == "__main__":
    main()
