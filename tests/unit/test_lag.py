"""mediad.lag on a real loop: it sees a held loop, sleeps without work, and its numbers are what they say."""

from __future__ import annotations

import asyncio
import time

from mediad.lag import LagWatch
from tests import pg


def test_a_held_loop_is_seen() -> None:
    async def check() -> None:
        watch = LagWatch(lambda: True)
        watch.touch()
        await asyncio.sleep(0.2)
        calm = watch.max
        time.sleep(0.15)
        await asyncio.sleep(0.1)
        assert watch.max >= 120, "150 ms of standstill, less the rest of one interval"
        assert watch.max > calm
        assert watch.p99 <= watch.max
        watch.stop()

    pg.run(check())


def test_p99_of_known_lags() -> None:
    """Looks are made by hand at chosen lateness: 990 of 1 ms and 10 of 50 ms, then 100 more of 50 ms."""

    async def check() -> None:
        watch = LagWatch(lambda: False)
        loop = asyncio.get_running_loop()

        def look(late_ms: float, times: int) -> None:
            for _ in range(times):
                watch._due = loop.time() - late_ms / 1000
                watch._rest_at = 0.0
                watch._look()

        look(1.0, 990)
        look(50.0, 10)
        assert 0.99 <= watch.p99 < 10.0, watch.p99  # a busy machine adds to each look; 50 it is not
        look(50.0, 100)
        # A hair below 50: the loop's clock is a float of seconds since the machine started.
        assert 49.99 <= watch.p99 < 100.0, watch.p99
        assert 49.99 <= watch.max < 100.0
        assert watch._timer is None

    pg.run(check())


def test_it_sleeps_without_work() -> None:
    async def check() -> None:
        working = True
        watch = LagWatch(lambda: working)
        assert watch._timer is None, "no timer before there is work"
        watch.touch()
        await asyncio.sleep(1.3)
        assert watch._timer is not None
        working = False
        await asyncio.sleep(1.3)
        assert watch._timer is None, "an idle daemon has no timer running"
        looked = watch._total
        await asyncio.sleep(0.2)
        assert watch._total == looked > 40
        watch.touch()
        assert watch._timer is not None
        watch.stop()
        assert watch._timer is None

    pg.run(check())


def test_without_a_look_everything_is_zero() -> None:
    async def check() -> None:
        watch = LagWatch(lambda: True)
        assert (watch.p99, watch.max) == (0.0, 0.0)
        watch.stop()

    pg.run(check())
