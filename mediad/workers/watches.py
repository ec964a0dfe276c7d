"""The tree of watches: kept what the disk says, whatever arrives, leaves, or finds no watch to be had."""

from __future__ import annotations

import errno
import os
import time

from mediad.workers.foldertree import Node, Root, attach, detach, list_folders, open_folder, subtree
from mediad.workers.inotify import Inotify
from mediad.workers.settling import Settle

TYPE_CHECKING = False  # typing costs 350 KB of a process that does without
if TYPE_CHECKING:
    from collections.abc import Callable

# While a long scan runs the kernel's queue is emptied every so many folders.
BREATH_FOLDERS = 256
# A folder changed just before it was looked at may change again with the same time: FAT counts in steps of two seconds.
RACY_NS = 2_100_000_000
# A folder that is not where events say it is gets this many more looks before it is given up.
TRIES = 3

Look = tuple[int, int]  # mtime_ns, inode


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
        for node in subtree(root):
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
            child = attach(Node(parent, name))
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
            fd = open_folder(root, node)
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
            return {} if root.only else list_folders(fd, root, node)
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
            child = child_or_none or attach(Node(node, name))
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
            fd = open_folder(root, node.parent, os.O_PATH)
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
        detach(node)
        for one in list(subtree(node)):
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
        detach(node)
        node.parent, node.name = parent, name
        attach(node)
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
            fd = open_folder(root, node, os.O_PATH)
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


def _stamp(changed_ns: int) -> int:
    """What a later look compares with; never equal where the clock is too coarse to tell a change from the next."""
    return changed_ns if time.time_ns() - changed_ns > RACY_NS else -1
