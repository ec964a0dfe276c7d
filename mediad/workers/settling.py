"""When the watcher says what: folders that changed, names that are being written, held back until they are quiet."""

from __future__ import annotations

from mediad.workers.foldertree import Node, Root

TYPE_CHECKING = False  # typing costs 350 KB of a process that does without
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

MESSAGE_BYTES = 60_000


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
        messages.extend({"moved": part} for part in split(self.moved))
        if self.overflow:
            messages.append({"overflow": True})
        messages.extend({"dirty": part} for part in split(self._entries()))
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
            for busy in split(names, MESSAGE_BYTES // 2) if names else [[]]:
                yield [root.number, path, deep, busy]


def _size(item: Any) -> int:
    """At least what msgpack needs for it."""
    if isinstance(item, (bytes, list)):
        return 5 + (len(item) if isinstance(item, bytes) else sum(map(_size, item)))
    return 9


def split(items: Iterable[Any], most: int = MESSAGE_BYTES) -> Iterator[list[Any]]:
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
