"""The watcher's program: inotify on every folder of all watched roots; says which folders have to be walked again.

Run as `python -m mediad.workers.watch` with a unix stream socket as standard input; the socket's end is its own.
msgpack maps both ways, at most some 60 KB each. Paths are bytes, relative to the root's top, b"" is the top.

root   {root, top, only, exclude}  -> {root, watching, unwatched} as soon as all watches stand
drop   {root}                      (no answer)
settle {quiet, longest, poll}      (no answer) seconds; what is left out stays as it is

{moved: [[root, path, root2, path2]...]}    a folder was renamed; paths in later notices are the new ones
{overflow: true}                            the kernel's queue was full: everything may have changed
{dirty: [[root, path, deep, busy]...]}      folders to walk; deep: all below as well; busy: names still being written
{limit: {watched, unwatched, limit}}        the kernel gives no more watches; the unwatched folders are polled
{mounts: true}                              /proc/self/mounts changed
{gone: root}                                the top was unmounted, removed or renamed; nothing of it is watched now

A deep entry stands for the entries below it. An entry whose busy names do not fit one message comes in several, one
after the other. A top that cannot be opened is answered with watching 0; if it does not exist, {gone} follows.
In a folder that is only polled, a file that is written in place goes unnoticed: that does not change the folder.
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
                elif not writing.told and now - writing.since >= patience:
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
            for busy in _split(names) if names else [[]]:
                yield [root.number, path, deep, busy]


def _size(item: Any) -> int:
    """At least what msgpack needs for it."""
    if isinstance(item, (bytes, list)):
        return 5 + (len(item) if isinstance(item, bytes) else sum(map(_size, item)))
    return 9


def _split(items: Iterable[Any]) -> Iterator[list[Any]]:
    """The items in lists that fit a message; one that is too large comes alone."""
    part: list[Any] = []
    room = MESSAGE_BYTES
    for item in items:
        size = _size(item)
        if part and size > room:
            yield part
            part, room = [], MESSAGE_BYTES
        part.append(item)
        room -= size
    if part:
        yield part
