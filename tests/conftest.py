"""Fixtures of the whole suite: a daemon, a folder of media, the samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import pg
from tests.daemon import Daemon

DATA = Path(__file__).parent / "data"


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A running daemon on a fresh database of the test's server."""
    running = Daemon()
    try:
        yield running.start()
    finally:
        running.remove()


@pytest.fixture
def embedded_daemon() -> Iterator[Daemon]:
    """A daemon with its own cluster, not started yet."""
    made = Daemon(embedded=True)
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that other accounts may pass through."""
    import shutil

    made = pg.make_folder()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
