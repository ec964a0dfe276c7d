"""Answers that are given again while nothing has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

MOST_BYTES = 1 << 20  # of all answers together


class Answers:
    """Answers by what was asked, each with what the database showed when it was made (the statement `sight`): it holds
    for as long as the database shows exactly that. The oldest go first when there are more than `most` bytes."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[bytes, tuple[str, tuple[bytes, ...]]] = OrderedDict()

    def get(self, key: bytes, seen: str) -> tuple[bytes, ...]:
        """The answer, or nothing when there is none or it was made of something else."""
        known = self._kept.get(key)
        if known is None:
            return ()
        if known[0] != seen:
            self._drop(key)
            return ()
        self._kept.move_to_end(key)
        return known[1]

    def fits(self, parts: Sequence[bytes]) -> bool:
        """Whether an answer of these parts can be kept at all."""
        return sum(map(len, parts)) <= self._most

    def keep(self, key: bytes, seen: str, parts: Sequence[bytes]) -> None:
        """Remembers an answer; one that is too long is not."""
        if key in self._kept:
            self._drop(key)
        if not self.fits(parts):
            return
        self._kept[key] = (seen, tuple(parts))
        self._size += sum(map(len, parts))
        while self._size > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        self._size -= sum(map(len, self._kept.pop(key)[1]))
