"""The deadline of a request: entered for each reply, one timer, and only its own cancellation is a TimeoutError."""

from __future__ import annotations

import asyncio

import pytest

from mediad.dispatch import Deadline


def test_it_ends_what_is_inside_and_nothing_between() -> None:
    async def check() -> None:
        deadline = Deadline(0.1)
        with deadline:
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)  # a peer that does not read: not our time
        with pytest.raises(TimeoutError), deadline:
            pass
        deadline.close()

        deadline = Deadline(0.05)
        with pytest.raises(TimeoutError):
            for _ in range(1000):
                with deadline:
                    await asyncio.sleep(0.01)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0.01)  # the task goes on

    asyncio.run(check())


def test_a_cancellation_from_outside_stays_one() -> None:
    async def wait(deadline_seconds: float) -> None:
        with Deadline(deadline_seconds):
            await asyncio.sleep(10)

    async def check() -> None:
        for seconds in (0.05, 5.0):
            task = asyncio.create_task(wait(seconds))
            await asyncio.sleep(0.01)
            task.cancel("client")
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(check())


def test_without_seconds_it_never_ends() -> None:
    async def check() -> None:
        deadline = Deadline(None)
        with deadline:
            await asyncio.sleep(0.01)
        deadline.close()

    asyncio.run(check())
