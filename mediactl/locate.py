"""Where the daemon's socket is, and how to get hold of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mediactl.quick import list_sockets
from mediad.errors import PermissionDenied, Unavailable

__all__ = ["ConnectionLost", "DaemonNotRunning", "connect", "list_sockets"]

SUN_PATH_BYTES = 107  # unix(7): sun_path has 108, the last is the NUL


class DaemonNotRunning(Unavailable):
    """No daemon answers at any of the places looked at."""


class ConnectionLost(Unavailable):
    """The connection ended while an answer was due."""


@contextmanager
def _address(path: str) -> Iterator[str]:
    """The path in a form that fits a socket address: a long one by way of a descriptor of its folder."""
    if len(os.fsencode(path)) <= SUN_PATH_BYTES:
        yield path
        return
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def connect(paths: Sequence[str]) -> socket.socket | None:
    """Returns a non-blocking socket connected to the first of `paths` that answers; None when a daemon is there
    whose backlog is full just now: try again shortly.

    Raises DaemonNotRunning with a sentence that says what to do, PermissionDenied when a socket is there that this
    user may not open and no other answers."""
    refused: str | None = None
    for path in paths:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            with _address(path) as address:
                connection.connect(address)
            return connection
        except BlockingIOError:  # unix(7): EAGAIN, the backlog is full
            connection.close()
            return None
        except PermissionError:
            refused = path
        except OSError:
            pass  # not there, nobody behind it, not a socket: the next place may do
        connection.close()
    if refused is not None:
        raise PermissionDenied("this user may not open the socket of mediad", refused)
    raise DaemonNotRunning(
        f"mediad does not answer at {' or '.join(paths)}: start it with `mediad`, or `systemctl start mediad.socket`"
    )
