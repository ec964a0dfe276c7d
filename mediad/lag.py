"""The watch on the loop: how late a timer comes, while there is work. An idle daemon has no timer running."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_EVERY = 0.02  # seconds between two looks: fifty wake-ups a second, only under load
_REST = 1.0  # seconds without work after which the watch goes to sleep
_BUCKETS = 64  # lag in steps of 2 ** (1/4), from 0.05 ms: 64 of them reach three seconds
_FLOOR_MS = 0.05


class LagWatch:
    """Lag in milliseconds since the start: `p99` to the width of its bucket (19 %), `max` exactly."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        self._busy = busy
        self._loop = asyncio.get_running_loop()
        self._counts = [0] * _BUCKETS
        self._total = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._rest_at = 0.0
        self.max = 0.0

    def touch(self) -> None:
        """There is work: look from now on."""
        if self._timer is None:
            now = self._loop.time()
            self._rest_at = now + _REST
            self._due = now + _EVERY
            self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        lag = max(0.0, (now - self._due) * 1000)
        self.max = max(self.max, lag)
        bucket, edge = 0, _FLOOR_MS
        while lag > edge and bucket < _BUCKETS - 1:
            bucket, edge = bucket + 1, edge * 1.189207
        self._counts[bucket] += 1
        self._total += 1
        if self._busy():
            self._rest_at = now + _REST
        if now >= self._rest_at:
            self._timer = None
            return
        self._due = now + _EVERY
        self._timer = self._loop.call_at(self._due, self._look)

    @property
    def p99(self) -> float:
        """The lag that 99 of 100 looks did not exceed."""
        left = self._total * 0.99
        edge = _FLOOR_MS
        for count in self._counts:
            left -= count
            if left <= 0:
                return min(edge, self.max)
            edge *= 1.189207
        return self.max

    def stop(self) -> None:
        """Looks no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
