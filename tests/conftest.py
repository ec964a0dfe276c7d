"""Fixtures of the whole suite: a daemon, a folder of media, the samples."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import pg
from tests.daemon import Daemon

DATA = Path(__file__).parent / "data"

# A busy machine is no fault of the code: no example has a deadline, and slow generation is not an error.
settings.register_profile("mediadb", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("mediadb")

# A suite that a shell started in the background inherits an ignored SIGINT, and would hand it on to what it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    made = pg.make_folder()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
