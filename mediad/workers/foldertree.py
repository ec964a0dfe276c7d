"""The folders of watched roots as a tree of names, and how they are opened and listed."""

from __future__ import annotations

import os

from mediad.workers.beneath import open_beneath
from mediad.workers.excludes import compile_patterns

TYPE_CHECKING = False  # typing costs 350 KB of a process that does without
if TYPE_CHECKING:
    from collections.abc import Iterator

# A path longer than PATH_MAX (4096, with its NUL) is opened in pieces of at most this length.
PIECE_BYTES = 4000


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


def attach(node: Node) -> Node:
    parent = node.parent
    if parent is not None:
        if parent.below is None:
            parent.below = {}
        parent.below[node.name] = node
    return node


def detach(node: Node) -> None:
    """Out of its parent's table; its path stays what it was."""
    parent = node.parent
    if parent is not None and parent.below is not None and parent.below.get(node.name) is node:
        del parent.below[node.name]
        if not parent.below:
            parent.below = None


def subtree(start: Node) -> Iterator[Node]:
    stack = [start]
    while stack:
        node = stack.pop()
        yield node
        if node.below:
            stack.extend(node.below.values())


def open_folder(root: Root, node: Node | None, flags: int = os.O_RDONLY) -> int:
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


def list_folders(fd: int, root: Root, node: Node) -> dict[bytes, bool]:
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
