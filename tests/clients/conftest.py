"""One server for nobody in particular, one where persons have keys: every client is driven against both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.server import Tap, World, make_world


@pytest.fixture(scope="session", params=["open", "persons"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A server with a library that was read; "persons": only a key opens it."""
    made = make_world(persons=request.param == "persons")
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def tap(world: World) -> Iterator[Tap]:
    """A relay before the server."""
    made = Tap(world.port)
    try:
        yield made
    finally:
        made.close()
