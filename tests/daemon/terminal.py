"""A terminal for tests."""

from __future__ import annotations

import pty

import pytest


def open_terminal() -> tuple[int, int]:
    """A pseudo terminal: (our side, the program's side). Skips the test where there is none (a root without devpts)."""
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo terminals here: {error}")
