"""How often somebody may try a password: in memory, bounded, per daemon."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping

from mediad.errors import LimitExceeded

ATTEMPTS = 5  # that failed, or are under way, by one origin
ATTEMPTS_ON_A_NAME = 30  # from everywhere together: one origin alone cannot keep its owner out
SECONDS = 60.0
_NAMES_MOST = 4096  # names and origins remembered; the longest unused go first


class Attempts:
    """Counts attempts by what they are about (a name, an origin). An attempt counts from its beginning, so that many at
    once are no way around; one that succeeds is given back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, about: Mapping[str, int]) -> float:
        """Counts one attempt for each, of which it has so many a minute; gives its mark. Raises LimitExceeded,
        retryable, when one of them has had its attempts; then nothing is counted."""
        now = self._clock()
        for name, most in about.items():
            times = self._times.get(name)
            while times and times[0] <= now - SECONDS:
                times.popleft()
            if times and len(times) >= most:
                wait = max(1, round(times[0] + SECONDS - now))
                error = LimitExceeded(f"{most} attempts a minute: try again in {wait} s")
                error.retryable = True
                raise error
        for name in about:
            self._times.setdefault(name, deque()).append(now)
            self._times.move_to_end(name)
        while len(self._times) > _NAMES_MOST:
            self._times.popitem(last=False)
        return now

    def succeed(self, about: Iterable[str], mark: float) -> None:
        """Gives an attempt back."""
        for name in about:
            times = self._times.get(name)
            if times and mark in times:
                times.remove(mark)
                if not times:
                    del self._times[name]
