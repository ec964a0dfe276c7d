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

import errno
import os
import select
import socket
import stat
import sys
import time

import msgpack

from mediad.workers.foldertree import Node, Root, detach, open_folder
from mediad.workers.inotify import (
    IN_ATTRIB,
    IN_CLOSE_WRITE,
    IN_CREATE,
    IN_DELETE,
    IN_IGNORED,
    IN_ISDIR,
    IN_MODIFY,
    IN_MOVE_SELF,
    IN_MOVED_FROM,
    IN_MOVED_TO,
    IN_Q_OVERFLOW,
    READ_BYTES,
    SELF,
    Inotify,
    decode,
)
from mediad.workers.settling import Settle, Writing
from mediad.workers.watches import Watches

TYPE_CHECKING = False  # typing costs 350 KB of a process that does without
if TYPE_CHECKING:
    from typing import Any

# What a long scan takes from the kernel's queue meanwhile: up to so many bytes.
HOARD_BYTES = 8 << 20
# The two halves of a rename are queued by one system call; a half older than this has lost the other.
HALF_SECONDS = 0.01
# Batches smaller than this are followed by a nap, so that a steady writer does not wake us for every write(2).
SMALL_BATCH = 64
NAP_SECONDS = 0.01


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
            detach(child)
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
        detach(there)
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
            fd = open_folder(root, folder, os.O_PATH)
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
