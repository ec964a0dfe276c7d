"""mediad.ids: version 7 as RFC 9562 section 5.7 lays it out, rising and unique whatever the clock does."""

from __future__ import annotations

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediad import ids
from mediad.ids import Mint


def test_layout() -> None:
    mint = Mint()
    before = time.time_ns() // 1_000_000
    made = [mint.uuid() for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    for each in made:
        assert each.version == 7 and each.variant == uuid.RFC_4122
    assert before <= made[0].int >> 80 <= after
    assert len(mint.hex()) == 32 and uuid.UUID(hex=mint.hex()).version == 7


def test_order_and_uniqueness_in_bulk() -> None:
    mint = Mint()
    made = [mint.hex() for _ in range(100_000)]
    assert made == sorted(made) and len(set(made)) == len(made)


@given(st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=40), st.integers(1, 6000))
def test_order_while_the_clock_jumps(steps: list[int], burst: int) -> None:
    """The clock goes back, stands still, leaps; more than 4,096 ids in a millisecond."""
    now = 1_700_000_000_000
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids.time, "time_ns", lambda: now * 1_000_000)
        mint = Mint()
        made = []
        for step in steps:
            now += step
            made += [mint.hex() for _ in range(max(1, burst // len(steps)))]
    assert made == sorted(made) and len(set(made)) == len(made)
    assert all(uuid.UUID(hex=each).version == 7 for each in made)


def test_a_full_millisecond_runs_ahead() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_000 * 1_000_000)
        mint = Mint()
        made = [int(mint.hex(), 16) for _ in range(4096 * 2 + 1)]
    assert [made[i] >> 80 for i in (0, 4095, 4096, 8191, 8192)] == [1_700_000_000_000 + n for n in (0, 0, 1, 1, 2)]


def test_two_mints_do_not_meet() -> None:
    """62 random bits keep two processes of the same millisecond and counter apart."""
    one, two = Mint(), Mint()
    tails = {int(mint.hex(), 16) & (1 << 62) - 1 for mint in (one, two) for _ in range(10_000)}
    assert len(tails) == 20_000
