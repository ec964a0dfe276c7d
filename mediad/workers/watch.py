"""The watcher's program: inotify on every folder of all watched roots; says which folders have to be walked again.

Run as `python -m mediad.workers.watch` with a unix stream socket as standard input; the socket's end is its own.
msgpack maps both ways, at most some 60 KB each. Paths are bytes, relative to the root's top, b"" is the top.

root   {root, top, only, exclude}  -> {root, watching, unwatched} as soon as all watches stand
drop   {root}                      (no answer)
settle {quiet, longest, poll}      (no answer) seconds; what is left out stays as it is

{moved: [[root, path, root2, path2]...]}    a folder was renamed, one after the other; what was at path2 is replaced;
                                            paths in later notices are the new ones
{overflow: true}                            the kernel's queue was full: everything may have changed
{dirty: [[root, path, deep, busy]...]}      folders to walk; deep: all below as well; busy: names still being written
{limit: {watched, unwatched, limit}}        the kernel gives no more watches; the unwatched folders are polled
{mounts: true}                              /proc/self/mounts changed
{gone: root}                                the top was unmounted, removed or renamed; nothing of it is watched now

A deep entry stands for the entries below it. An entry whose busy names do not fit one message comes in several, one
after the other. A top that cannot be opened is answered with watching 0; if it does not exist, {gone} follows.
A walk that runs between a rename and its notice has overtaken it, and a deep one that is still to come has lost it:
then path2 has to be walked with all below it.
Of two folders that change places one is moved, the other is deep. A rename above a top is not seen (inotify(7)), nor
is a change of a file by a hard link elsewhere. In a folder that is only polled, a file that is written in place goes
unnoticed: that does not change the folder.
"""

from __future__ import annotations

import ctypes
import errno
import fnmatch
import os
import re
import select
import socket
import stat
import struct
import sys
import time

import msgpack

from mediad.workers.beneath import open_beneath

TYPE_CHECKING = False  # typing costs 350 KB of a process that does without
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

IN_MODIFY = 0x00000002
IN_ATTRIB = 0x00000004
IN_CLOSE_WRITE = 0x00000008
IN_MOVED_FROM = 0x00000040
IN_MOVED_TO = 0x00000080
IN_CREATE = 0x00000100
IN_DELETE = 0x00000200
IN_DELETE_SELF = 0x00000400
IN_MOVE_SELF = 0x00000800
IN_UNMOUNT = 0x00002000
IN_Q_OVERFLOW = 0x00004000
IN_IGNORED = 0x00008000
IN_ONLYDIR = 0x01000000
IN_DONT_FOLLOW = 0x02000000
IN_EXCL_UNLINK = 0x04000000
IN_ISDIR = 0x40000000
IN_NONBLOCK = os.O_NONBLOCK
IN_CLOEXEC = os.O_CLOEXEC

MASK = (
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_MODIFY | IN_DELETE_SELF
    | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK
)  # fmt: skip
SELF = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED

MESSAGE_BYTES = 60_000
READ_BYTES = 1 << 16
# A path longer than PATH_MAX (4096, with its NUL) is opened in pieces of at most this length.
PIECE_BYTES = 4000
# While a long scan runs the kernel's queue is emptied every so many folders, up to so many bytes.
BREATH_FOLDERS = 256
HOARD_BYTES = 8 << 20
# The two halves of a rename are queued by one system call; a half older than this has lost the other.
HALF_SECONDS = 0.01
# Batches smaller than this are followed by a nap, so that a steady writer does not wake us for every write(2).
SMALL_BATCH = 64
NAP_SECONDS = 0.01
# A folder changed just before it was looked at may change again with the same time: FAT counts in steps of two seconds.
RACY_NS = 2_100_000_000
# A folder that is not where events say it is gets this many more looks before it is given up.
TRIES = 3

_HEADER = struct.Struct("iIII")

Event = tuple[int, int, int, bytes]
Look = tuple[int, int]  # mtime_ns, inode


def decode(data: bytes) -> Iterator[Event]:
    """The events of one read as (wd, mask, cookie, name); inotify(7), "Reading events": the name is padded by NULs."""
    at = 0
    while at < len(data):
        wd, mask, cookie, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        yield wd, mask, cookie, data[at : at + length].rstrip(b"\0")
        at += length


class Inotify:
    """An inotify instance by libc: inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2)."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._add = libc.inotify_add_watch
        self._add.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
        self._remove = libc.inotify_rm_watch
        self._remove.argtypes = (ctypes.c_int, ctypes.c_int)
        self.fd = int(libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC))
        if self.fd < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def add(self, folder: int) -> int:
        """The watch of the open folder; the same number again for the same inode (inotify_add_watch(2)).

        By descriptor: the watch stands on what is listed, whoever renames what meanwhile, however long the path is.
        Raises OSError: ENOSPC when the user's limit of watches is reached."""
        while True:
            wd = int(self._add(self.fd, b"/proc/self/fd/%d/." % folder, MASK))
            if wd >= 0:
                return wd
            code = ctypes.get_errno()
            if code != errno.EINTR:
                raise OSError(code, os.strerror(code))

    def remove(self, wd: int) -> None:
        """Ends a watch. EINVAL means that the kernel did so before us, because the folder is gone."""
        self._remove(self.fd, wd)

    def read(self) -> bytes:
        """What is queued, whole events only (inotify(7)); b"" when nothing is."""
        try:
            return os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return b""


class Node:
    """A folder of a root. It knows its name and its parent only, so that a rename of any folder is one change."""

    __slots__ = ("below", "name", "parent", "wd")

    def __init__(self, parent: Node | None, name: bytes) -> None:
        self.parent = parent
        self.name = name
        self.below: dict[bytes, Node] | None = None
        self.wd = 0  # none: the kernel counts from 1

    def top(self) -> Node:
        """The root it belongs to, or the topmost folder of what was forgotten."""
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    def path(self) -> bytes:
        """Its path relative to the top."""
        parts = []
        node = self
        while node.parent is not None:
            parts.append(node.name)
            node = node.parent
        return b"/".join(reversed(parts))


class Root(Node):
    """The top of a watched tree, with what is left out of it: the same rules as mediad.workers.walk has."""

    __slots__ = ("_names", "_paths", "device", "number", "only", "place")

    def __init__(self, number: int, place: bytes, only: bytes, exclude: list[str]) -> None:
        super().__init__(None, b"")
        self.number = number
        self.place = place
        self.only = only
        self.device = -1
        self._names = compile_patterns([pattern for pattern in exclude if "/" not in pattern])
        self._paths = compile_patterns([pattern for pattern in exclude if "/" in pattern])

    @property
    def by_path(self) -> bool:
        """Whether a rename can change what is excluded below."""
        return self._paths is not None

    def excluded(self, folder: Node, name: bytes) -> bool:
        """Whether `name` in `folder` is none of our business."""
        if self.only:
            return folder is not self or name != self.only
        if self._names is not None and self._names(os.fsdecode(name)):
            return True
        if self._paths is None:
            return False
        path = folder.path()
        return bool(self._paths(os.fsdecode(path + b"/" + name if path else name)))


def compile_patterns(patterns: list[str]) -> Callable[[str], object] | None:
    """A test for any of the globs; None for none. As in mediad.workers.walk, whose import would cost 4 MB (OpenSSL)."""
    return re.compile("|".join(fnmatch.translate(p) for p in patterns)).match if patterns else None


class Writing:
    """A file that somebody writes: since when, when last, whether a report said so, whether it was only created."""

    __slots__ = ("last", "made", "since", "told")

    def __init__(self, now: float, made: bool) -> None:
        self.since = now
        self.last = now
        self.told = False
        self.made = made


class Settle:
    """What has to be reported and when: after `quiet` seconds without a further change, `longest` after the first.

    Pure: every method that needs the time is told it. Folders are kept as nodes, so their paths are those of the moment
    of the report; what is moved meanwhile is moved here too."""

    def __init__(self) -> None:
        self.quiet = 0.05
        self.longest = 1.0
        self.dirty: dict[Node, bool] = {}
        self.writing: dict[Node, dict[bytes, Writing]] = {}
        self.moved: list[list[Any]] = []
        self.gone: list[int] = []
        self.overflow = False
        self.mounts = False
        self._first: float | None = None
        self._last = 0.0

    def touch(self, now: float) -> None:
        """Something happened that makes a report necessary."""
        if self._first is None:
            self._first = now
        self._last = now

    def wake(self, now: float) -> None:
        """There is something to look after, in the next report if one is pending."""
        if self._first is None:
            self.touch(now)

    def postpone(self, until: float) -> None:
        """No report before that time: the second half of an event is on its way."""
        self._first = max(self._first or until, until - self.longest)
        self._last = max(self._last, until - self.quiet)

    def mark(self, folder: Node, now: float, deep: bool = False) -> None:
        """The folder has to be walked; `deep`: and everything below it."""
        self.dirty[folder] = deep or self.dirty.get(folder, False)
        self.touch(now)

    def deep(self, folder: Node) -> bool:
        """Whether the folder lies in what will be walked anyway: in one that is marked deep."""
        node = folder.parent
        while node is not None:
            if self.dirty.get(node):
                return True
            node = node.parent
        return False

    def write(self, folder: Node, name: bytes, now: float, made: bool = False) -> None:
        """A file was written to (IN_MODIFY) or made (IN_CREATE). That alone is no reason for a report."""
        names = self.writing.setdefault(folder, {})
        writing = names.get(name)
        if writing is None:
            names[name] = Writing(now, made)
        else:
            writing.last = now
            writing.made = writing.made and made

    def close(self, folder: Node, name: bytes) -> Writing | None:
        """A file was closed or is not there any more; returns what was known of its writer."""
        names = self.writing.get(folder)
        if names is None:
            return None
        writing = names.pop(name, None)
        if not names:
            del self.writing[folder]
        return writing

    def drop(self, folder: Node) -> None:
        """The folder is not watched any more: nothing is said of it, its parent is dirty."""
        self.dirty.pop(folder, None)
        self.writing.pop(folder, None)

    def expire(self, now: float) -> None:
        """Marks the folders of files that are written for long (told once), or that nobody writes any more."""
        patience = 2 * self.longest
        for folder, names in list(self.writing.items()):
            for name, writing in list(names.items()):
                if now - writing.last >= patience:
                    self.close(folder, name)
                    self.mark(folder, now)
                elif not writing.told and now - writing.since >= patience and folder not in self.dirty:
                    self.mark(folder, now)

    def due(self) -> float | None:
        """When there is something to do next; None: nothing will happen by itself."""
        times = [] if self._first is None else [self._ripe_at(self._first)]
        patience = 2 * self.longest
        for folder, names in self.writing.items():
            reported = folder in self.dirty
            for writing in names.values():
                times.append((writing.last if writing.told or reported else writing.since) + patience)
        return min(times, default=None)

    def ripe(self, now: float) -> bool:
        """Whether a report has to go out."""
        return self._first is not None and now >= self._ripe_at(self._first)

    def _ripe_at(self, first: float) -> float:
        return min(self._last + self.quiet, first + self.longest)

    def take(self) -> list[dict[str, Any]]:
        """The report as messages, in the order in which things happened; then nothing is pending."""
        messages: list[dict[str, Any]] = []
        if self.mounts:
            messages.append({"mounts": True})
        messages.extend({"moved": part} for part in _split(self.moved))
        if self.overflow:
            messages.append({"overflow": True})
        messages.extend({"dirty": part} for part in _split(self._entries()))
        messages.extend({"gone": number} for number in self.gone)
        self.dirty = {}
        self.moved = []
        self.gone = []
        self.overflow = self.mounts = False
        self._first = None
        return messages

    def _entries(self) -> Iterator[list[Any]]:
        for folder, deep in self.dirty.items():
            names = self.writing.get(folder, {})
            if not names and self.deep(folder):
                continue
            root = folder.top()
            if not isinstance(root, Root):  # forgotten meanwhile
                continue
            for writing in names.values():
                writing.told = True
            path = folder.path()
            for busy in _split(names, MESSAGE_BYTES // 2) if names else [[]]:
                yield [root.number, path, deep, busy]


def _size(item: Any) -> int:
    """At least what msgpack needs for it."""
    if isinstance(item, (bytes, list)):
        return 5 + (len(item) if isinstance(item, bytes) else sum(map(_size, item)))
    return 9


def _split(items: Iterable[Any], most: int = MESSAGE_BYTES) -> Iterator[list[Any]]:
    """The items in lists that fit a message; one that is too large comes alone."""
    part: list[Any] = []
    room = most
    for item in items:
        size = _size(item)
        if part and size > room:
            yield part
            part, room = [], most
        part.append(item)
        room -= size
    if part:
        yield part


class Watches:
    """The folders of all roots and their watches. One inode has one watch, however many roots or mounts show it."""

    def __init__(self, inotify: Inotify, settle: Settle, breathe: Callable[[], None] = lambda: None) -> None:
        self.inotify = inotify
        self.settle = settle
        self.breathe = breathe
        self.roots: dict[int, Root] = {}
        self.by_wd: dict[int, Node | list[Node]] = {}
        self.unwatched: dict[Node, Look] = {}  # no watch was to be had: what the last look saw
        self.lost: dict[Node, int] = {}  # not where events say they are: an event that tells why is on its way
        self.mounts: set[Node] = set()  # not entered: something else is mounted there
        self.freed = False
        self._doubted: list[Node] = []

    def nodes(self, wd: int) -> list[Node]:
        """The folders that a watch stands for."""
        known = self.by_wd.get(wd)
        if known is None:
            return []
        return list(known) if isinstance(known, list) else [known]

    def add_root(self, root: Root, now: float) -> tuple[int, int]:
        """Watches a tree; returns how many of its folders are watched and how many would be, were there watches.

        Raises OSError: the top cannot be opened."""
        self.drop_root(root.number)
        fd = os.open(root.place, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            root.device = os.fstat(fd).st_dev
        finally:
            os.close(fd)
        self.roots[root.number] = root
        self.scan(root, now, fresh=True)
        watching = unwatched = 0
        for node in _subtree(root):
            watching += node.wd != 0
            unwatched += node in self.unwatched
        return watching, unwatched

    def drop_root(self, number: int) -> None:
        """Forgets a tree and all of its watches."""
        root = self.roots.pop(number, None)
        if root is not None:
            self.forget(root)

    def arrive(self, parent: Node, name: bytes, now: float) -> None:
        """A folder appeared: it is watched with all below it, and has to be walked with all below it."""
        root = parent.top()
        child = parent.below.get(name) if parent.below else None
        if child is not None:
            wd = child.wd
            if wd and self._enter(child) is not None and child.wd == wd:
                return  # a scan was faster than the event: its watch has stood since before that scan
        else:
            child = _attach(Node(parent, name))
            if isinstance(root, Root) and self._foreign(child, root.device):
                self.mounts.add(child)
                return
        self.scan(child, now, fresh=True)
        self.settle.mark(child, now, deep=True)

    def scan(self, start: Node, now: float, fresh: bool) -> None:
        """Makes the tree from `start` downwards what the disk says, and watches it.

        `fresh`: all of it will be walked anyway; otherwise folders that were not known are marked deep."""
        stack = [(start, fresh)]
        count = 0
        while stack:
            node, fresh = stack.pop()
            before = self._identity(node)
            listing = self._enter(node)
            if listing is None:
                continue
            if not fresh and self._identity(node) != before:  # not known, or another folder of that name
                self.settle.mark(node, now, deep=True)
                fresh = True
            self._compare(node, listing)
            stack.extend((child, fresh) for child in (node.below or {}).values() if child not in self.mounts)
            count += 1
            if count % BREATH_FOLDERS == 0:
                self.breathe()
        self._settle_doubts(now)

    def _identity(self, node: Node) -> tuple[int, int]:
        """Changes when the folder is another than before."""
        return node.wd, self.unwatched.get(node, (0, 0))[1]

    def _settle_doubts(self, now: float) -> None:
        """Looks after folders whose inode turned up under another name of their root: renamed meanwhile, or both are
        there because of a bind mount."""
        while self._doubted:
            node = self._doubted.pop()
            wd = node.wd
            if wd and self._enter(node) is not None and node.wd != wd:
                self.settle.mark(node, now, deep=True)
                self.lost[node] = 0  # another folder than it was: the next look lists it

    def _enter(self, node: Node) -> dict[bytes, bool] | None:
        """Watches a folder and lists its folders: name -> whether something else is mounted there. None: not there."""
        root = node.top()
        if not isinstance(root, Root):
            return None
        try:
            fd = _open(root, node)
        except OSError as error:
            self._absent(node, error)
            return None
        try:
            info = os.fstat(fd)
            if info.st_dev != root.device:
                if node is not root:
                    self.mounts.add(node)
                self._release(node)
                return None
            self.lost.pop(node, None)
            self._watch(node, fd, info)
            return {} if root.only else _folders(fd, root, node)
        except OSError as error:
            self._absent(node, error)
            return None
        finally:
            os.close(fd)

    def _absent(self, node: Node, error: OSError) -> None:
        """A folder could not be entered. What may not be read stays known: its chmod is an event of its parent."""
        self._release(node)
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV):
            self.unwatched.pop(node, None)
            self.lost.setdefault(node, 0)

    def _watch(self, node: Node, fd: int, info: os.stat_result) -> None:
        try:
            wd = self.inotify.add(fd)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.ENOMEM):
                raise
            self._release(node)
            self.unwatched[node] = _stamp(info.st_mtime_ns), info.st_ino
            return
        self.unwatched.pop(node, None)
        if wd == node.wd:
            return
        self._release(node)
        node.wd = wd
        others = self.nodes(wd)
        self.by_wd[wd] = [*others, node] if others else node
        root = node.top()
        self._doubted.extend(other for other in others if other.top() is root)

    def _release(self, node: Node) -> None:
        """Takes the node from its watch; a watch that nobody needs any more ends."""
        wd, node.wd = node.wd, 0
        if not wd:
            return
        others = [other for other in self.nodes(wd) if other is not node]
        if others:
            self.by_wd[wd] = others if len(others) > 1 else others[0]
        else:
            del self.by_wd[wd]
            self.inotify.remove(wd)
            self.freed = True

    def _compare(self, node: Node, listing: dict[bytes, bool]) -> set[Node]:
        """Makes the known folders in `node` those of the listing; returns the new ones."""
        for child in list((node.below or {}).values()):
            if child.name not in listing:
                self.forget(child)
        new = set()
        for name, foreign in listing.items():
            child_or_none = node.below.get(name) if node.below else None
            child = child_or_none or _attach(Node(node, name))
            if foreign:
                self._cover(child)
            elif child_or_none is None:
                new.add(child)
        return new

    def _cover(self, node: Node) -> None:
        """Something is mounted over the folder: it is known as such, and nothing below it is."""
        for below in list((node.below or {}).values()):
            self.forget(below)
        self._release(node)
        self.unwatched.pop(node, None)
        self.settle.drop(node)
        self.mounts.add(node)

    def _foreign(self, node: Node, device: int) -> bool:
        """Whether the folder lies on another file system: lstat(2), which unlike open(2) triggers no automount."""
        root = node.top()
        if not isinstance(root, Root):
            return False
        try:
            fd = _open(root, node.parent, os.O_PATH)
        except OSError:
            return False
        try:
            return os.lstat(node.name, dir_fd=fd).st_dev != device
        except OSError:  # not there any more
            return False
        finally:
            os.close(fd)

    def uncover(self, now: float) -> None:
        """After a change of the mounts: enters folders that nothing is mounted on any more."""
        for node in list(self.mounts):
            root = node.top()
            if isinstance(root, Root) and not self._foreign(node, root.device):
                self.mounts.discard(node)
                self.scan(node, now, fresh=True)
                self.settle.mark(node, now, deep=True)

    def closed(self, node: Node) -> bool:
        """Whether the folder could not be entered so far."""
        return not (node.wd or node in self.unwatched or node in self.mounts)

    def alive(self, node: Node) -> bool:
        """Whether it still belongs to a root."""
        root = node.top()
        return isinstance(root, Root) and self.roots.get(root.number) is root

    def forget(self, node: Node) -> None:
        """The folder and all below it are ours no more: watches end, pending entries are void."""
        _detach(node)
        for one in list(_subtree(node)):
            self._release(one)
            self.unwatched.pop(one, None)
            self.lost.pop(one, None)
            self.mounts.discard(one)
            self.settle.drop(one)
            one.below = None
            if one is not node:
                one.parent = None  # no cycle stays for the collector
        if node.parent is not None:
            node.parent = None

    def ended(self, wd: int, now: float) -> None:
        """The kernel ended a watch (IN_IGNORED): its folder is gone."""
        nodes = self.nodes(wd)
        self.by_wd.pop(wd, None)
        self.freed = True
        for node in nodes:
            node.wd = 0
        for node in nodes:
            parent = node.parent
            self.forget(node)
            if parent is not None and not parent.wd:  # nobody else will say so
                self.settle.mark(parent, now)

    def move(self, node: Node, parent: Node, name: bytes, now: float) -> None:
        """A folder has another name or place; all below it comes along without a change."""
        root, old = parent.top(), node.top()
        _detach(node)
        node.parent, node.name = parent, name
        _attach(node)
        if isinstance(root, Root) and (root is not old or root.by_path):  # other things are left out here
            self.scan(node, now, fresh=False)
            if root is not old:
                self.settle.mark(node, now, deep=True)

    def look(self, node: Node, now: float) -> None:
        """Polls a folder that has no watch: marks it when its listing changed, finds new folders in it."""
        stamp = self.unwatched[node]
        root = node.top()
        if not isinstance(root, Root):
            return
        try:
            fd = _open(root, node, os.O_PATH)
        except OSError as error:
            if node is root and error.errno in (errno.ENOENT, errno.ENOTDIR):
                self.settle.gone.append(root.number)
                self.drop_root(root.number)
                self.settle.touch(now)
            elif node.parent is not None:
                parent = node.parent
                self.forget(node)
                self.settle.mark(parent, now)
            return
        try:
            info = os.fstat(fd)
        finally:
            os.close(fd)
        if info.st_ino != stamp[1]:  # another folder came to this name
            self.unwatched[node] = -1, info.st_ino
            self.scan(node, now, fresh=True)
            self.settle.mark(node, now, deep=True)
        elif info.st_mtime_ns != stamp[0]:
            self.unwatched[node] = info.st_mtime_ns, info.st_ino
            self._relist(node, now)

    def _relist(self, node: Node, now: float) -> None:
        """Marks the folder, and deep the folders in it that are new."""
        listing = self._enter(node)
        self.settle.mark(node, now)
        for child in self._compare(node, listing) if listing is not None else ():
            self.scan(child, now, fresh=True)
            self.settle.mark(child, now, deep=True)

    def promote(self, now: float) -> None:
        """Gives watches that became free to folders that have none, as long as there are any."""
        self.freed = False
        for node in list(self.unwatched):
            if node in self.unwatched:
                self.look(node, now)  # so that no change before the watch goes unnoticed
            stamp = self.unwatched.get(node)
            if stamp is None:
                continue
            self._enter(node)
            if node in self.unwatched:  # still none
                self.unwatched[node] = stamp
                return
            if node.wd:
                self._relist(node, now)

    def search(self, now: float) -> None:
        """Looks again for folders that were not where events said, and gives up those that never come."""
        for node, tries in list(self.lost.items()):
            if node not in self.lost:
                continue
            if not isinstance(node.top(), Root):
                del self.lost[node]
                continue
            self.lost.pop(node)
            self.scan(node, now, fresh=True)
            if node not in self.lost:
                self.settle.mark(node, now, deep=True)
            elif tries < TRIES:
                self.lost[node] = tries + 1
                self.settle.touch(now)
            elif isinstance(node, Root):
                self.lost.pop(node)
                self.settle.gone.append(node.number)
                self.drop_root(node.number)
            else:
                self.forget(node)


def _attach(node: Node) -> Node:
    parent = node.parent
    if parent is not None:
        if parent.below is None:
            parent.below = {}
        parent.below[node.name] = node
    return node


def _detach(node: Node) -> None:
    """Out of its parent's table; its path stays what it was."""
    parent = node.parent
    if parent is not None and parent.below is not None and parent.below.get(node.name) is node:
        del parent.below[node.name]
        if not parent.below:
            parent.below = None


def _subtree(start: Node) -> Iterator[Node]:
    stack = [start]
    while stack:
        node = stack.pop()
        yield node
        if node.below:
            stack.extend(node.below.values())


def _open(root: Root, node: Node | None, flags: int = os.O_RDONLY) -> int:
    """Opens a folder of a root below its top, in pieces where the path is too long for one system call."""
    path = node.path() if node is not None else b""
    flags |= os.O_DIRECTORY | os.O_CLOEXEC
    if not path:
        return os.open(root.place, flags)
    fd = os.open(root.place, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        while len(path) > PIECE_BYTES:
            cut = path.rindex(b"/", 0, PIECE_BYTES)
            below = open_beneath(fd, path[:cut], os.O_PATH | os.O_DIRECTORY)
            os.close(fd)
            fd, path = below, path[cut + 1 :]
        return open_beneath(fd, path, flags)
    finally:
        os.close(fd)


def _folders(fd: int, root: Root, node: Node) -> dict[bytes, bool]:
    """The folders in an open folder that are not excluded: name -> whether something else is mounted there."""
    found = {}
    with os.scandir(fd) as listing:
        for item in listing:
            try:
                if not item.is_dir(follow_symlinks=False):
                    continue
                name = os.fsencode(item.name)
                if not root.excluded(node, name):
                    found[name] = item.stat(follow_symlinks=False).st_dev != root.device
            except OSError:  # vanished between the listing and the look
                continue
    return found


def _stamp(changed_ns: int) -> int:
    """What a later look compares with; never equal where the clock is too coarse to tell a change from the next."""
    return changed_ns if time.time_ns() - changed_ns > RACY_NS else -1


class Half:
    """A folder whose IN_MOVED_FROM came, and not its IN_MOVED_TO yet."""

    __slots__ = ("displaced", "node", "path", "root", "when")

    def __init__(self, node: Node, root: Root, when: float, displaced: bool) -> None:
        self.node = node
        self.displaced = displaced  # by the folder with which it changes places
        self.root = root
        self.path = node.path()
        self.when = when


class Watcher:
    """The main loop: events and requests in, notices out. It sleeps in poll(2) until there is one of them."""

    def __init__(self, channel: socket.socket) -> None:
        channel.setblocking(False)
        self.channel = channel
        self.inotify = Inotify()
        self.settle = Settle()
        self.watches = Watches(self.inotify, self.settle, self._hoard)
        self.poll = 30.0
        self._out = bytearray()
        self._hoarded: list[bytes] = []
        self._halves: dict[int, list[Half]] = {}
        self._written: dict[int, Writing] = {}  # a file that is renamed while it is written
        self._displaced: dict[tuple[Node, bytes], Node] = {}
        self._told = 0
        self._next_poll: float | None = None
        self._mounts = os.open("/proc/self/mounts", os.O_RDONLY | os.O_CLOEXEC)
        self._poller = select.poll()
        self._poller.register(channel, select.POLLIN)
        self._poller.register(self.inotify.fd, select.POLLIN)
        self._poller.register(self._mounts, select.POLLPRI)

    def serve(self) -> None:
        """Until the socket ends."""
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=64 << 20)
        while True:
            ready = dict(self._poller.poll(self._patience()))
            now = time.monotonic()
            if self._mounts in ready:  # poll(2) itself has taken note of the change: nothing has to be read
                self.settle.mounts = True
                self.settle.touch(now)
                self.watches.uncover(now)
            if self._hoarded or self.inotify.fd in ready:
                self._take_events()
            at = ready.get(self.channel.fileno(), 0)
            if at & select.POLLOUT:
                self._send()
            if at & ~select.POLLOUT:
                data = self.channel.recv(READ_BYTES)
                if not data:
                    return
                unpacker.feed(data)
                for request in unpacker:
                    self._answer(request)
            self._tick()

    def _patience(self) -> int | None:
        """Milliseconds to sleep at most; None: until something happens. While nobody reads, nothing is due."""
        if self._hoarded:
            return 0
        if self._out:
            return None
        times = [at for at in (self.settle.due(), self._next_poll) if at is not None]
        if not times:
            return None
        return max(0, int((min(times) - time.monotonic()) * 1000) + 1)

    def _answer(self, request: dict[str, Any]) -> None:
        op, now = request["op"], time.monotonic()
        if op == "root":
            root = Root(request["root"], request["top"], request["only"], request["exclude"])
            try:
                watching, unwatched = self.watches.add_root(root, now)
            except OSError as error:
                watching = unwatched = 0
                if error.errno in (errno.ENOENT, errno.ENOTDIR):
                    self.settle.gone.append(root.number)
                    self.settle.touch(now)
            self._post([{"root": root.number, "watching": watching, "unwatched": unwatched}])
        elif op == "drop":
            self.watches.drop_root(request["root"])
        elif op == "settle":
            self.settle.quiet = request.get("quiet", self.settle.quiet)
            self.settle.longest = request.get("longest", self.settle.longest)
            self.poll = request.get("poll", self.poll)
            self._next_poll = None

    def _hoard(self) -> None:
        """Called during long scans: takes events from the kernel, whose queue would overflow, and keeps them."""
        while sum(map(len, self._hoarded)) < HOARD_BYTES and (data := self.inotify.read()):
            self._hoarded.append(data)

    def _take_events(self) -> None:
        count = 0
        self._hoard()
        while self._hoarded:
            hoarded, self._hoarded = self._hoarded, []
            for data in hoarded:
                now = time.monotonic()
                for wd, mask, cookie, name in decode(data):
                    self._event(wd, mask, cookie, name, now)
                    count += 1
        if count < SMALL_BATCH:
            time.sleep(min(NAP_SECONDS, self.settle.quiet / 4))

    def _event(self, wd: int, mask: int, cookie: int, name: bytes, now: float) -> None:
        """One event of inotify(7)."""
        if mask & IN_Q_OVERFLOW:
            self.settle.overflow = True
            self.settle.touch(now)
            return
        nodes = self.watches.nodes(wd)
        if not nodes:  # of a watch that we have removed
            return
        if mask & SELF:
            self._self_event(wd, mask, nodes, now)
            return
        if not name:  # the folder's own IN_ATTRIB
            return
        wanted = []
        for node in nodes:
            root = node.top()
            if isinstance(root, Root) and not root.excluded(node, name):
                wanted.append(node)
        if mask & IN_ISDIR:
            self._folder_event([node for node in wanted if not _only(node)], mask, cookie, name, now)
            return
        for node in wanted:
            self._file_event(node, mask, cookie, name, now)

    def _self_event(self, wd: int, mask: int, nodes: list[Node], now: float) -> None:
        """The folder itself went away. Below a top its parent says so as well; of a top nobody else would."""
        for node in nodes:
            if isinstance(node, Root):
                self.settle.gone.append(node.number)
                self.settle.touch(now)
                self.watches.drop_root(node.number)
            elif mask & IN_MOVE_SELF and node.parent is not None and node.parent in self.watches.unwatched:
                self.watches.unwatched[node.parent] = -1, self.watches.unwatched[node.parent][1]
                self.watches.look(node.parent, now)
        if mask & IN_IGNORED:
            self.watches.ended(wd, now)

    def _file_event(self, node: Node, mask: int, cookie: int, name: bytes, now: float) -> None:
        settle = self.settle
        if mask & (IN_MODIFY | IN_CREATE):
            settle.write(node, name, now, made=bool(mask & IN_CREATE))
        if mask & IN_MODIFY:
            return
        if mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO):
            writing = settle.close(node, name)
            if mask & IN_MOVED_FROM and writing is not None:
                self._written[cookie] = writing
            if mask & IN_MOVED_TO and cookie in self._written:
                settle.writing.setdefault(node, {})[name] = self._written[cookie]
        settle.mark(node, now)

    def _folder_event(self, nodes: list[Node], mask: int, cookie: int, name: bytes, now: float) -> None:
        if mask & IN_MOVED_TO:
            self._moved_to(nodes, cookie, name, now)
            return
        for node in nodes:
            child = node.below.get(name) if node.below else None
            if mask & IN_CREATE:
                self.settle.mark(node, now)
                self.watches.arrive(node, name, now)
            elif mask & IN_DELETE:
                self.settle.mark(node, now)
                if child is not None:
                    self.watches.forget(child)
            elif mask & IN_MOVED_FROM:
                self.settle.mark(node, now)
                self._moved_from(node, cookie, name, now)
            elif mask & IN_ATTRIB and (child is None or self.watches.closed(child)):  # a chmod may have opened it
                self.watches.arrive(node, name, now)

    def _moved_from(self, parent: Node, cookie: int, name: bytes, now: float) -> None:
        child = self._displaced.pop((parent, name), None)
        displaced = child is not None
        if child is None:
            child = parent.below.get(name) if parent.below else None
            if child is None or child in self.watches.mounts:
                return
            _detach(child)
        root = child.top()
        if isinstance(root, Root):
            if self.settle.deep(child):  # it leaves a folder that was going to be walked
                self.settle.mark(child, now, deep=True)
            self._halves.setdefault(cookie, []).append(Half(child, root, now, displaced))

    def _moved_to(self, parents: list[Node], cookie: int, name: bytes, now: float) -> None:
        """Pairs within a root first: with one root inside another, each of both sees the same rename."""
        halves = [half for half in self._halves.pop(cookie, []) if self.watches.alive(half.node)]
        alone = []
        for parent in parents:
            self.settle.mark(parent, now)
            half = next((half for half in halves if half.root is parent.top()), None)
            if half is None or _lies_in(parent, half.node):  # or what we know is not what is: it arrives anew
                alone.append(parent)
            else:
                halves.remove(half)
                self._place(half, parent, name, now)
        for parent in alone:
            if halves and not _lies_in(parent, halves[0].node):
                self._place(halves.pop(0), parent, name, now)
            else:
                self._displace(parent, name, 0)
                self.watches.arrive(parent, name, now)
        for half in halves:
            self.watches.forget(half.node)

    def _place(self, half: Half, parent: Node, name: bytes, now: float) -> None:
        node, root = half.node, parent.top()
        if not isinstance(root, Root):
            return
        crowded = self._displace(parent, name, node.wd)
        self.watches.move(node, parent, name, now)
        if half.displaced:  # its old path is the other's already: who follows the notices has lost it
            self.settle.mark(node, now, deep=True)
        else:
            self.settle.moved.append([half.root.number, half.path, root.number, node.path()])
        if crowded or half.displaced or not node.wd:
            # Two folders of one name: which of them the kernel meant shows in what stands there now.
            self.watches.scan(node, now, fresh=False)

    def _displace(self, parent: Node, name: bytes, wd: int) -> bool:
        """Makes room for a folder that comes to `name`. What is there was replaced, or is one of two that change
        places (renameat2(2), RENAME_EXCHANGE): then its own IN_MOVED_FROM follows. True: there was such a folder."""
        there = parent.below.get(name) if parent.below else None
        if there is None:
            return False
        if wd and there.wd == wd:  # found by a scan that was faster than the event
            self.watches.forget(there)
            return False
        _detach(there)
        before = self._displaced.pop((parent, name), None)
        if before is not None:
            self.watches.forget(before)
        self._displaced[parent, name] = there
        return True

    def _tick(self) -> None:
        """What time brings: polls of unwatched folders, reports."""
        now = time.monotonic()
        self._poll_unwatched(now)
        watches, settle = self.watches, self.settle
        settle.expire(now)
        if watches.lost or (watches.freed and watches.unwatched) or len(watches.unwatched) != self._told:
            settle.wake(now)
        if self._out or not settle.ripe(now):
            return
        if any(now - half.when < HALF_SECONDS for halves in self._halves.values() for half in halves):
            settle.postpone(now + HALF_SECONDS)
            return
        self._report(now)

    def _poll_unwatched(self, now: float) -> None:
        if not self.watches.unwatched:
            self._next_poll = None
        elif self._next_poll is None:
            self._next_poll = now + self.poll
        elif now >= self._next_poll:
            self.watches.promote(now)
            for node in list(self.watches.unwatched):
                if node in self.watches.unwatched:
                    self.watches.look(node, now)
            self._next_poll = time.monotonic() + self.poll

    def _report(self, now: float) -> None:
        watches, settle = self.watches, self.settle
        for halves in self._halves.values():
            for half in halves:  # left all watched trees
                watches.forget(half.node)
        for node in self._displaced.values():
            watches.forget(node)
        self._halves, self._displaced, self._written = {}, {}, {}
        if settle.overflow:
            for root in list(watches.roots.values()):
                watches.scan(root, now, fresh=False)
        watches.search(now)
        if watches.freed and watches.unwatched:
            watches.promote(now)
        for folder, names in list(settle.writing.items()):
            if folder in settle.dirty:
                self._sift(folder, [name for name, writing in names.items() if writing.made])
        again = bool(watches.lost)
        messages = settle.take()
        if again:
            settle.touch(now)
        unwatched = len(watches.unwatched)
        if unwatched != self._told:
            self._told = unwatched
            messages.append({"limit": {"watched": len(watches.by_wd), "unwatched": unwatched, "limit": _limit()}})
        self._post(messages)

    def _sift(self, folder: Node, made: list[bytes]) -> None:
        """IN_CREATE also comes for what nobody will close: hard links, symbolic links, FIFOs, sockets, devices."""
        root = folder.top()
        if not made or not isinstance(root, Root):
            return
        try:
            fd = _open(root, folder, os.O_PATH)
        except OSError:  # it is gone; so will be its entry
            return
        try:
            for name in made:
                try:
                    info = os.lstat(name, dir_fd=fd)
                except OSError:
                    continue
                if not stat.S_ISREG(info.st_mode) or info.st_nlink > 1:
                    self.settle.close(folder, name)
        finally:
            os.close(fd)

    def _post(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            self._out += msgpack.packb(message, use_bin_type=True)
        if self._out:
            self._send()

    def _send(self) -> None:
        """Sends what fits. Never blocks: while the daemon is busy the watcher goes on to take events."""
        try:
            while self._out:
                del self._out[: self.channel.send(self._out)]
        except BlockingIOError:
            pass
        self._poller.modify(self.channel, select.POLLIN | (select.POLLOUT if self._out else 0))


def _lies_in(node: Node | None, folder: Node) -> bool:
    while node is not None and node is not folder:
        node = node.parent
    return node is not None


def _only(node: Node) -> bytes:
    root = node.top()
    return root.only if isinstance(root, Root) else b""


def _limit() -> int:
    """inotify(7): how many watches a user may have; 0 where it cannot be read."""
    try:
        with open("/proc/sys/fs/inotify/max_user_watches", "rb") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def main() -> None:
    """Entry point: standard input is the socket to the daemon; its end is ours."""
    channel = socket.socket(fileno=os.dup(0))
    try:
        Watcher(channel).serve()
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        sys.exit(0)


if __name__ == "__main__":
    main()
