"""mediad.index.roots: which walk runs, which waits."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, cast

import pytest

from mediad.config import Config
from mediad.index.roots import Roots
from mediad.model import Root, ScanReport
from mediad.store.store import Store
from tests.pg import run


def test_a_walk_does_not_join_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """While some folders are looked at a walk of the whole root is asked for: it comes after, and is one of its own."""
    walked: list[tuple[str, int]] = []

    async def walk(_self: Roots, _root: Root, dirs: Any = None, *_busy: Any, after: Any = None, **_options: Any) -> Any:
        if after is not None:
            await asyncio.wait([after])
        walked.append(("begin", len(dirs or ())))
        await asyncio.sleep(0.01)
        walked.append(("end", len(dirs or ())))
        return ScanReport(1, b"/x")

    async def play() -> None:
        roots = Roots(cast(Store, None), Config())
        root = Root(1, 1, "u", "ext4", b"/x", b"", uuid.UUID(int=1), "", True, False, (), None, b"/x")
        monkeypatch.setitem(roots._roots, 1, root)
        roots.touch(1, {b"a": False}, {})
        await asyncio.sleep(0)
        first = roots.scan(root)
        assert roots.scan(root) is first
        await first
        assert walked == [("begin", 1), ("end", 1), ("begin", 0), ("end", 0)]

    monkeypatch.setattr(Roots, "_scan", walk)
    run(play())
