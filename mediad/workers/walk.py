"""The opener's program: walks, opens, looks where things lie. It parses nothing; it may block, that is its purpose.

Run as `python -m mediad.workers.walk` with a unix stream socket as standard input. msgpack maps both ways; every
request has an `id` and gets one final answer under it. Descriptors of opened files travel with their answer.

locate {path}                      -> {place: [...]}
volumes {}                         -> {volumes: [[uuid, type, mount point, folder of the file system]]}
known  {dirs: [[path, digest, inode, mtime_ns]]}
       (no answer) what the store knows of the tree that will be walked, in parts
walk   {top, only, exclude, inodes, dirs, quick}
       -> {dirs: [[path, digest|None, lo, hi, entries, problem, inode, mtime_ns, moved_from]]}... then {end: {...}}
       quick: a folder whose own mtime is the known one is not listed; names that come and go are seen, files that are
       written in place are not
       dirs: None walks the whole tree, [[path, deep]] looks at these folders only, at all below those that are deep
open   {top, files: [path], inodes}  -> {opened: [[inode, size, mtime_ns, ctime_ns] | [errno, message]]} + descriptors
look   {top, files: [path], inodes}  -> {found: [[inode, size, mtime_ns, nlink] | None]}

`inodes`: false where a file system makes inode numbers up (settled 15): then a digest of the path stands for one.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
import time
from array import array
from collections.abc import Iterator
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import msgpack

from mediad.workers.beneath import open_beneath, open_for_reading
from mediad.workers.excludes import Names, compile_patterns
from mediad.workers.place import locate, mounted_volumes

# Names in one message, and in one part of a folder: what the store compares in one statement.
BATCH_NAMES = 256
BATCH_FOLDERS = 100
# A batch that is not full goes out after this long: names are searchable within seconds also on a slow disk.
BATCH_SECONDS = 0.3
# Bytes of a file's beginning and end that tell most different files apart: a page each.
_EDGE = 4096
RACY_NS = 2_000_000_000  # FAT's times have two seconds

_TYPES = {
    stat.S_IFREG: "f",
    stat.S_IFLNK: "l",
    stat.S_IFIFO: "p",
    stat.S_IFSOCK: "s",
    stat.S_IFCHR: "c",
    stat.S_IFBLK: "b",
}
_FORMAT, _FOLDER, _LINK = 0o170000, stat.S_IFDIR, stat.S_IFLNK
_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
_facts = attrgetter("st_mode", "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_nlink")
# What a digest is made of: one value of msgpack, whose bytes are the same for the same names and numbers.
_pack = msgpack.Packer(use_bin_type=True, unicode_errors="surrogateescape").pack

Known = dict[bytes, tuple[bytes, int | None, int | None]]  # digest, inode, mtime_ns by path
Seen = tuple[str, tuple[int, ...]]  # name, (st_mode, size, mtime_ns, ctime_ns, inode, nlink)
Entry = tuple[bytes, str, int, int, int, int, int, int, bytes | None]
Part = list[Any]


def _signed(inode: int) -> int:
    """The 64 bits of an inode number as a signed number, as bigint holds them."""
    return inode - (1 << 64) if inode >= 1 << 63 else inode


def path_number(top: bytes, path: bytes) -> int:
    """Stands for the inode number of a file whose file system has no lasting one: 64 bits of a digest of the path."""
    return int.from_bytes(blake2b(top + b"\0" + path, digest_size=8).digest(), "big", signed=True)


class Walk:
    """One walk below `top`. Folders come top-down, sorted by name; those whose digest is known are only counted.

    `known` is what the store has: digest and inode number by path. A folder under a new path that has the inode of a
    known one, which is no longer where it was, is that folder, renamed: all that is known below comes along."""

    def __init__(
        self, top: bytes, only: bytes, exclude: list[str], known: Known, *, inodes: bool = True, quick: bool = False
    ) -> None:
        self.path = top
        self.quick = quick
        self.inodes = inodes
        self.top = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.device = os.fstat(self.top).st_dev
        self.only = only
        self.known = known
        self.folders = 0
        self.names = 0
        self.mounts: list[bytes] = []
        names = [pattern for pattern in exclude if "/" not in pattern]
        paths = [pattern for pattern in exclude if "/" in pattern]
        self._names = Names(names)
        self._path_excluded = compile_patterns(paths)
        self._met: set[bytes] = set()
        self._listed: set[bytes] = set()
        self._partial = False
        self._blocked: list[bytes] = []
        self._children: dict[bytes, list[bytes]] | None = None
        self._by_inode = {inode: path for path, (_digest, inode, _) in known.items() if inode} if inodes else {}

    def run(self, dirs: list[list[Any]] | None = None) -> Iterator[Part]:
        """Yields the folders that are new or changed, in parts of at most BATCH_NAMES names:
        [path, digest (None: not the last part), lo, hi, entries, problem, inode, moved_from]. A part has all names in
        (lo, hi]. With `dirs` only those folders are looked at, and what is new or deep below them."""
        self._partial = dirs is not None
        stack = [(b"", True)] if dirs is None else [(path, deep) for path, deep in sorted(dirs, reverse=True)]
        while stack:
            path, deep = stack.pop()
            if path in self._listed:
                continue
            self._met.add(path)
            try:
                if self.quick and self._is_untouched(path):
                    stack.extend((child, True) for child in sorted(self._below(path), reverse=True))
                    self.folders += 1
                    continue
                found = self._list(path)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ENOTDIR) and path:
                    self._met.discard(path)
                    continue
                self._blocked.append(path)
                yield [path, None, None, None, None, [error.errno, error.strerror], None, None, None]
                continue
            self.folders += 1
            below, inode, mtime = found.below, found.inode, found.mtime
            self.names += len(found.seen)
            self._listed.add(path)
            digest = found.digest()
            old = self._renamed_from(path, inode, digest)
            if old is not None and self._partial:
                entered = set()  # it was renamed in one step: what changed inside is told apart
            else:
                entered = {child for child, number in below if deep or self._is_strange(child, number)}
            stack.extend((child, True) for child, _number in reversed(below) if child in entered)
            self._met.update(child for child, _number in below if child not in entered)
            if old is not None or self.known.get(path, (None,))[0] != digest:
                yield from _parts(path, digest, found.entries(), (inode, mtime, old))
            elif mtime is not None and self.known[path][2] != mtime:  # it has come to rest: only its row is new
                yield [path, digest, None, None, None, None, inode, mtime, None]

    def _is_untouched(self, path: bytes) -> bool:
        """The folder has the inode and the mtime that are known: no name in it came or went."""
        known = self.known.get(path)
        if known is None or not known[0] or known[2] is None:
            return False
        fd = os.dup(self.top) if not path else open_beneath(self.top, path, os.O_PATH | os.O_DIRECTORY)
        try:
            info = os.fstat(fd)
        finally:
            os.close(fd)
        return info.st_mtime_ns == known[2] and self._number(info.st_ino, path) == known[1]

    def _below(self, path: bytes) -> list[bytes]:
        """The known folders directly in one."""
        if self._children is None:
            self._children = {}
            for each in self.known:
                if each:
                    self._children.setdefault(each.rpartition(b"/")[0], []).append(each)
        return self._children.get(path, [])

    def _is_strange(self, path: bytes, inode: int) -> bool:
        """A folder that is not the one that is known under this path."""
        return path not in self.known or self.known[path][1] not in (None, inode)

    def _renamed_from(self, path: bytes, inode: int, digest: bytes) -> bytes | None:
        """Where the folder was when it is a known one under a new path, as it was down to every name and stat in it;
        an inode number alone may be another folder's by now."""
        old = None if path in self.known else self._by_inode.get(inode)
        if old is None or old in self._met or path.startswith(old + b"/"):
            return None
        if self.known[old][0] != digest or self._is_there(old, inode):
            return None
        self._rename(old, path)
        return old

    def _is_there(self, path: bytes, inode: int) -> bool:
        try:
            fd = open_beneath(self.top, path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            return _signed(os.fstat(fd).st_ino) == inode
        finally:
            os.close(fd)

    def _rename(self, old: bytes, new: bytes) -> None:
        """All that is known below the old path is now known below the new one."""
        stack = [old]
        while stack:
            path = stack.pop()
            children = self._below(path)
            facts = self.known.pop(path)
            fresh = new + path[len(old) :]
            self.known[fresh] = facts
            if facts[1]:
                self._by_inode[facts[1]] = fresh
            stack += children
            assert self._children is not None
            self._children.pop(path, None)
            self._children[fresh] = [new + child[len(old) :] for child in children]
        assert self._children is not None
        above = self._children.get(old.rpartition(b"/")[0])
        if above is not None and old in above:
            above.remove(old)
        self._children.setdefault(new.rpartition(b"/")[0], []).append(new)

    def _list(self, path: bytes) -> Listing:
        """Looks at a folder. This loop is what a walk of an unchanged tree costs: a name gets one stat, one tuple, and
        nothing else before the folder's digest is known."""
        fd = os.dup(self.top) if not path else open_beneath(self.top, path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            info = os.fstat(fd)
            # A folder that changed just now may change again within the same tick of its clock.
            rested = time.time_ns() - info.st_mtime_ns > RACY_NS
            found = Listing(self._number(info.st_ino, path), info.st_mtime_ns if rested else None)
            prefix = path + b"/" if path else b""
            note = found.seen.append
            with os.scandir(fd) as listing:
                for item in self._wanted(list(listing), prefix):
                    try:
                        info = item.stat(follow_symlinks=False)
                    except FileNotFoundError:  # vanished between the listing and the look
                        continue
                    facts = _facts(info)
                    kind = facts[0] & _FORMAT
                    if kind == _FOLDER:
                        self._folder(found, prefix + _encode(item.name), info)
                        continue
                    note((item.name, facts))
                    if kind == _LINK:
                        found.targets[item.name] = _target(fd, item.name)
            found.seen.sort()
            found.below.sort()
            if not self.inodes:
                found.seen = [
                    (name, (*facts[:4], self._number(0, prefix + _encode(name)), facts[5]))
                    for name, facts in found.seen
                ]
            return found
        finally:
            os.close(fd)

    def _folder(self, found: Listing, path: bytes, info: os.stat_result) -> None:
        if self.only:
            return
        if info.st_dev != self.device:
            self.mounts.append(path)
        else:
            found.below.append((path, self._number(info.st_ino, path)))

    def _number(self, inode: int, path: bytes) -> int:
        return _signed(inode) if self.inodes else path_number(self.path, path)

    def _wanted(self, items: list[os.DirEntry[str]], prefix: bytes) -> list[os.DirEntry[str]]:
        """Those that are looked at; what is excluded is not even asked for its stat."""
        if self.only:
            wanted = os.fsdecode(self.only)
            return [item for item in items if item.name == wanted]
        if self._names.may_hold([item.name for item in items]):
            items = [item for item in items if not self._names.holds(item.name)]
        if self._path_excluded is not None:
            at = os.fsdecode(prefix)
            items = [item for item in items if not self._path_excluded(at + item.name)]
        return items

    def gone(self) -> list[bytes]:
        """Known folders that the walk did not meet, without those below a folder that could not be entered; of a walk
        of some folders only those that stood in a listing."""
        lost = []
        for path in self.known:
            if path in self._met or any(not b or path.startswith(b + b"/") for b in self._blocked):
                continue
            if not self._partial or path.rpartition(b"/")[0] in self._listed:
                lost.append(path)
        return lost

    def close(self) -> None:
        """Lets go of the top."""
        os.close(self.top)


def _encode(name: str) -> bytes:
    """os.fsencode, without its check of what it was given."""
    return name.encode(_ENCODING, _ERRORS)


def _target(fd: int, name: str) -> bytes | None:
    try:
        return os.fsencode(os.readlink(name, dir_fd=fd))
    except OSError:  # replaced in between: the next walk sees what it became
        return None


def _edges_of(below: int, path: bytes) -> bytes | None:
    """What files that are equal have in common, in two short reads: bytes are compared, none is understood."""
    try:
        fd = open_for_reading(below, path)
    except OSError:
        return None
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            return None
        data = os.pread(fd, _EDGE, 0)
        if info.st_size > _EDGE:
            data += os.pread(fd, _EDGE, max(_EDGE, info.st_size - _EDGE))
        return blake2b(data, digest_size=16, salt=info.st_size.to_bytes(8, "big")).digest()
    except OSError:  # a disk that does not give it
        return None
    finally:
        os.close(fd)


class Listing:
    """A folder as it was seen: its inode number, its mtime (None: too fresh to be trusted), the folders in it as (path,
    inode number), the other names with what is compared of their stat (inode numbers unsigned), links' targets."""

    __slots__ = ("below", "inode", "mtime", "seen", "targets")

    def __init__(self, inode: int, mtime: int | None) -> None:
        self.inode = inode
        self.mtime = mtime
        self.seen: list[Seen] = []
        self.below: list[tuple[bytes, int]] = []
        self.targets: dict[str, bytes | None] = {}

    def digest(self) -> bytes:
        """Stands for all that a comparison with the store would look at: names, types, sizes, times, inodes, links.
        Folders by their names alone, without what stands before them: a renamed folder's own digest stays."""
        names = [path.rpartition(b"/")[2] for path, _number in self.below]
        return blake2b(_pack((self.inode, self.seen, names)), digest_size=16).digest()

    def entries(self) -> list[Entry]:
        """The names as the store takes them, in the order of their bytes."""
        found = [
            (_encode(name), _TYPES.get(mode & _FORMAT, "?"), size, mtime, ctime, _signed(inode), mode & 0o7777, nlink,
             self.targets.get(name))
            for name, (mode, size, mtime, ctime, inode, nlink) in self.seen
        ]  # fmt: skip
        found.sort()
        return found


def _parts(
    path: bytes, digest: bytes, entries: list[Entry], facts: tuple[int, int | None, bytes | None]
) -> Iterator[Part]:
    lo: bytes | None = None
    inode, mtime, moved_from = facts
    for start in range(0, len(entries), BATCH_NAMES):
        part = entries[start : start + BATCH_NAMES]
        last = start + BATCH_NAMES >= len(entries)
        hi = None if last else part[-1][0]
        yield [path, digest if last else None, lo, hi, part, None, inode, mtime, moved_from]
        lo, moved_from = hi, None
    if not entries:
        yield [path, digest, None, None, [], None, inode, mtime, moved_from]


class Opener:
    """Serves requests from the daemon until its socket ends."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.known: Known = {}
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
                self.known.update((path, (digest, inode, mtime)) for path, digest, inode, mtime in request["dirs"])
            elif op == "walk":
                self._walk(number, request)
            elif op == "open":
                self._open(number, request)
            elif op == "edges":
                self._edges(number, request)
            elif op == "volumes":
                self._send({"id": number, "volumes": mounted_volumes()})
            elif op == "look":
                self._look(number, request)
            else:
                self._send({"id": number, "place": list(locate(request["path"]))})
        except BrokenPipeError:
            raise
        except OSError as error:
            self._send({"id": number, "error": [error.errno or 0, error.strerror or str(error)]})

    def _walk(self, number: int, request: dict[str, Any]) -> None:
        known, self.known = self.known, {}
        walk = Walk(request["top"], request["only"], request["exclude"], known, inodes=request["inodes"],
                    quick=request["quick"])  # fmt: skip
        try:
            self._report(number, walk, request["dirs"])
        finally:
            walk.close()

    def _report(self, number: int, walk: Walk, dirs: list[list[Any]] | None) -> None:
        batch: list[Part] = []
        names, since = 0, time.monotonic()
        for part in walk.run(dirs):
            batch.append(part)
            names += len(part[4] or ())
            if names >= BATCH_NAMES or len(batch) >= BATCH_FOLDERS or time.monotonic() - since > BATCH_SECONDS:
                self._send({"id": number, "dirs": batch, "folders": walk.folders, "names": walk.names})
                batch, names, since = [], 0, time.monotonic()
        gone = walk.gone()
        end = {"gone": gone, "mounts": walk.mounts, "folders": walk.folders, "names": walk.names}
        self._send({"id": number, "dirs": batch, "end": end, "folders": walk.folders, "names": walk.names})

    def _below(self, top: bytes) -> int:
        """A descriptor of the top: kept while the process lives, looked up anew when the folder was replaced."""
        fd = self.tops.get(top)
        if fd is not None:
            there, held = os.stat(top), os.fstat(fd)
            if (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino):
                return fd
            os.close(self.tops.pop(top))
        fd = self.tops[top] = os.open(top, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        return fd

    def _look(self, number: int, request: dict[str, Any]) -> None:
        top = request["top"]
        below = self._below(top)
        found: list[list[int] | None] = []
        for path in request["files"]:
            try:
                fd = open_beneath(below, path, os.O_PATH | os.O_NOFOLLOW)
            except OSError:
                found.append(None)
                continue
            info = os.fstat(fd)
            os.close(fd)
            inode = _signed(info.st_ino) if request["inodes"] else path_number(top, path)
            found.append([inode, info.st_size, info.st_mtime_ns, info.st_nlink])
        self._send({"id": number, "found": found})

    def _open(self, number: int, request: dict[str, Any]) -> None:
        top: bytes = request["top"]
        opened: list[list[Any]] = []
        fds = array("i")
        try:
            below = self._below(top)
            for path in request["files"]:
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
                inode = _signed(info.st_ino) if request["inodes"] else path_number(top, path)
                opened.append([inode, info.st_size, info.st_mtime_ns, info.st_ctime_ns])
            self._send({"id": number, "opened": opened}, fds)
        finally:
            for fd in fds:
                os.close(fd)

    def _edges(self, number: int, request: dict[str, Any]) -> None:
        below = self._below(request["top"])
        self._send({"id": number, "edges": [_edges_of(below, path) for path in request["files"]]})

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
