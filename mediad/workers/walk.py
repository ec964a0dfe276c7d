"""The opener's program: walks, opens, looks where things lie. It parses nothing; it may block, that is its purpose.

Run as `python -m mediad.workers.walk` with a unix stream socket as standard input. msgpack maps both ways; every
request has an `id` and gets one final answer under it. Descriptors of opened files travel with their answer.

locate {path}                      -> {place: [...]}
known  {dirs: [[path, digest]]}    (no answer) what the store knows of the tree that will be walked, in parts
walk   {top, only, exclude}        -> {dirs: [[path, digest|None, lo, hi, entries, problem]]}... then {end: {...}}
open   {top, files: [path]}        -> {opened: [[inode, size, mtime_ns, ctime_ns] | [errno, message]]} + descriptors
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import socket
import stat
import struct
import sys
import time
from array import array
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgpack

from mediad.workers.beneath import open_beneath, open_for_reading
from mediad.workers.place import locate

# Names in one message, and in one part of a folder: what the store compares in one statement.
BATCH_NAMES = 256
BATCH_FOLDERS = 100
# A batch that is not full goes out after this long: names are searchable within seconds also on a slow disk.
BATCH_SECONDS = 0.3

_TYPES = {
    stat.S_IFREG: "f",
    stat.S_IFLNK: "l",
    stat.S_IFIFO: "p",
    stat.S_IFSOCK: "s",
    stat.S_IFCHR: "c",
    stat.S_IFBLK: "b",
}
_STAT = struct.Struct("<qqqqq")

Entry = tuple[bytes, str, int, int, int, int, int, int, bytes | None]
Part = list[Any]


def _signed(inode: int) -> int:
    """The 64 bits of an inode number as a signed number, as bigint holds them."""
    return inode - (1 << 64) if inode >= 1 << 63 else inode


class Walk:
    """One walk below `top`. Folders come top-down, sorted by name; those whose digest is known are only counted."""

    def __init__(self, top: bytes, only: bytes, exclude: list[str], known: dict[bytes, bytes]) -> None:
        self.top = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.device = os.fstat(self.top).st_dev
        self.only = only
        self.known = known
        self.folders = 0
        self.names = 0
        self.mounts: list[bytes] = []
        names = [pattern for pattern in exclude if "/" not in pattern]
        paths = [pattern for pattern in exclude if "/" in pattern]
        self._name_excluded = _compile(names)
        self._path_excluded = _compile(paths)
        self._met: set[bytes] = set()
        self._blocked: list[bytes] = []

    def run(self) -> Iterator[Part]:
        """Yields the folders that are new or changed, in parts of at most BATCH_NAMES names:
        [path, digest (None: not the last part), lo, hi, entries, problem]. A part has all names in (lo, hi]."""
        stack = [b""]
        while stack:
            path = stack.pop()
            self._met.add(path)
            try:
                entries, below = self._list(path)
            except OSError as error:
                if error.errno == errno.ENOENT and path:
                    self._met.discard(path)
                    continue
                self._blocked.append(path)
                yield [path, None, None, None, None, [error.errno, error.strerror]]
                continue
            self.folders += 1
            self.names += len(entries)
            stack.extend(reversed(below))
            digest = _digest(entries, below)
            if self.known.get(path) != digest:
                yield from _parts(path, digest, entries)

    def _list(self, path: bytes) -> tuple[list[Entry], list[bytes]]:
        fd = os.dup(self.top) if not path else open_beneath(self.top, path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            entries: list[Entry] = []
            below: list[bytes] = []
            prefix = path + b"/" if path else b""
            with os.scandir(fd) as listing:
                names = listing if not self.only else [e for e in listing if os.fsencode(e.name) == self.only]
                for item in names:
                    name = os.fsencode(item.name)
                    if not self.only and self._excluded(item.name, prefix + name):
                        continue
                    try:
                        info = item.stat(follow_symlinks=False)
                    except FileNotFoundError:  # vanished between the listing and the look
                        continue
                    if stat.S_ISDIR(info.st_mode):
                        if self.only:
                            continue
                        if info.st_dev != self.device:
                            self.mounts.append(prefix + name)
                        else:
                            below.append(prefix + name)
                        continue
                    entries.append(self._entry(fd, name, info))
            entries.sort()
            below.sort()
            return entries, below
        finally:
            os.close(fd)

    def _entry(self, fd: int, name: bytes, info: os.stat_result) -> Entry:
        kind = _TYPES.get(stat.S_IFMT(info.st_mode), "?")
        target = None
        if kind == "l":
            try:
                target = os.readlink(name, dir_fd=fd)
            except OSError:  # replaced in between: the next walk sees what it became
                target = None
        return (name, kind, info.st_size, info.st_mtime_ns, info.st_ctime_ns, _signed(info.st_ino),
                info.st_mode & 0o7777, info.st_nlink, target)  # fmt: skip

    def _excluded(self, name: str, path: bytes) -> bool:
        if self._name_excluded is not None and self._name_excluded(name):
            return True
        return self._path_excluded is not None and bool(self._path_excluded(os.fsdecode(path)))

    def gone(self) -> list[bytes]:
        """Known folders that the walk did not meet, without those below a folder that could not be entered."""
        lost = []
        for path in self.known:
            if path not in self._met and not any(not b or path.startswith(b + b"/") for b in self._blocked):
                lost.append(path)
        return lost


def _compile(patterns: list[str]) -> Any:
    return re.compile("|".join(fnmatch.translate(p) for p in patterns)).match if patterns else None


def _digest(entries: list[Entry], below: list[bytes]) -> bytes:
    """Stands for all that a comparison with the store would look at: names, types, sizes, times, inodes, links."""
    seen = blake2b(digest_size=16)
    for name, kind, size, mtime, ctime, inode, _mode, nlink, _target in entries:
        seen.update(name + b"\0" + kind.encode() + _STAT.pack(size, mtime, ctime, inode, nlink))
    seen.update(b"\0\0".join(below))
    return seen.digest()


def _parts(path: bytes, digest: bytes, entries: list[Entry]) -> Iterator[Part]:
    lo: bytes | None = None
    for start in range(0, len(entries), BATCH_NAMES):
        part = entries[start : start + BATCH_NAMES]
        last = start + BATCH_NAMES >= len(entries)
        hi = None if last else part[-1][0]
        yield [path, digest if last else None, lo, hi, part, None]
        lo = hi
    if not entries:
        yield [path, digest, None, None, [], None]


class Opener:
    """Serves requests from the daemon until its socket ends."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.known: dict[bytes, bytes] = {}
        self.tops: dict[bytes, int] = {}

    def serve(self) -> None:
        """Reads requests one after the other and answers them."""
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=64 << 20)
        while data := self.channel.recv(1 << 16):
            unpacker.feed(data)
            for request in unpacker:
                self.answer(request)

    def answer(self, request: dict[str, Any]) -> None:
        """Does what one request asks; an error of the file system is an answer, not an end."""
        op, number = request["op"], request["id"]
        try:
            if op == "known":
                self.known.update((path, digest) for path, digest in request["dirs"])
            elif op == "walk":
                self._walk(number, request)
            elif op == "open":
                self._open(number, request["top"], request["files"])
            else:
                self._send({"id": number, "place": list(locate(request["path"]))})
        except BrokenPipeError:
            raise
        except OSError as error:
            self._send({"id": number, "error": [error.errno or 0, error.strerror or str(error)]})

    def _walk(self, number: int, request: dict[str, Any]) -> None:
        known, self.known = self.known, {}
        walk = Walk(request["top"], request["only"], request["exclude"], known)
        batch: list[Part] = []
        names, since = 0, time.monotonic()
        for part in walk.run():
            batch.append(part)
            names += len(part[4] or ())
            if names >= BATCH_NAMES or len(batch) >= BATCH_FOLDERS or time.monotonic() - since > BATCH_SECONDS:
                self._send({"id": number, "dirs": batch, "folders": walk.folders, "names": walk.names})
                batch, names, since = [], 0, time.monotonic()
        gone = walk.gone()
        end = {"gone": gone, "mounts": walk.mounts, "folders": walk.folders, "names": walk.names}
        self._send({"id": number, "dirs": batch, "end": end, "folders": walk.folders, "names": walk.names})

    def _open(self, number: int, top: bytes, files: list[bytes]) -> None:
        opened: list[list[Any]] = []
        fds = array("i")
        try:
            below = self.tops.get(top)
            if below is None:
                below = self.tops[top] = os.open(top, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            for path in files:
                try:
                    fd = open_for_reading(below, path)
                except OSError as error:
                    opened.append([error.errno or 0, error.strerror])
                    continue
                fds.append(fd)
                info = os.fstat(fd)
                if not stat.S_ISREG(info.st_mode):
                    os.close(fds.pop())
                    opened.append([errno.EINVAL, "it is no regular file any more"])
                    continue
                opened.append([_signed(info.st_ino), info.st_size, info.st_mtime_ns, info.st_ctime_ns])
            self._send({"id": number, "opened": opened}, fds)
        finally:
            for fd in fds:
                os.close(fd)

    def _send(self, message: dict[str, Any], fds: array[int] | None = None) -> None:
        data = memoryview(msgpack.packb(message, use_bin_type=True))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else []
        sent = self.channel.sendmsg([data], rights)
        if sent < len(data):
            self.channel.sendall(data[sent:])


def main() -> None:
    """Entry point: standard input is the socket to the daemon; its end is ours."""
    channel = socket.socket(fileno=os.dup(0))
    channel.setblocking(True)
    try:
        Opener(channel).serve()
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        sys.exit(0)


if __name__ == "__main__":
    main()
