"""What walks are to expect: names that we are moving ourselves, so that they follow without a doubt, and without being
read again. It lives in memory only: after a crash the engine fills it anew from its journal, and a walk that knows
nothing of it comes to the same items by their inodes and payloads (mediad.index.identity)."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """A name that appears: the file that it is, or of which it is a copy. `path` is the absolute one it comes from."""

    file: int
    stream: str
    moved: bool
    size: int
    mtime_ns: int
    path: bytes
    actor: str
    operation: uuid.UUID
    sha256: bytes | None


class Expected:
    """Hints by root and path below its top, and the files that are leaving their names. `known`: those of moves that a
    crash interrupted are among them; no walk begins before."""

    def __init__(self) -> None:
        self._hints: dict[tuple[int, bytes], Hint] = {}
        self.leaving: dict[int, uuid.UUID] = {}
        self.known = asyncio.Event()
        self.known.set()

    def __bool__(self) -> bool:
        return bool(self._hints)

    def add(self, root: int, path: bytes, hint: Hint) -> None:
        """A name that will appear."""
        self._hints[root, path] = hint
        if hint.moved:
            self.leaving[hint.file] = hint.operation

    def get(self, root: int, path: bytes, size: int, mtime_ns: int) -> Hint | None:
        """The hint for a name that was found, when it has the size and time that were expected."""
        hint = self._hints.get((root, path))
        return hint if hint is not None and (hint.size, hint.mtime_ns) == (size, mtime_ns) else None

    def forget(self, operation: uuid.UUID) -> None:
        """An operation ended."""
        self._hints = {key: hint for key, hint in self._hints.items() if hint.operation != operation}
        self.leaving = {file: number for file, number in self.leaving.items() if number != operation}
