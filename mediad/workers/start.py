"""Starting a helper process of the daemon: a program of ours with a unix stream socket as standard input."""

from __future__ import annotations

import socket
import subprocess
import sys


def start_program(program: str, *arguments: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Runs a module as a process of its own session, and returns it with our end of its socket. Its standard error is
    ours. Raises OSError when it cannot be started."""
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", program, *arguments], stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=None,
            close_fds=True, start_new_session=True,
        )  # fmt: skip
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours
