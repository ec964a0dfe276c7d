"""For daemons under test, by PYTHONPATH: their movers are forked, announced to the test before they do anything, and
may lack a step that makes moves safe. The product knows nothing of this.

MEDIADB_TRACE: a unix socket; each mover sends its number there and waits for a byte. MEDIADB_MUTANT: what is left out.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Any


class _Forked:
    """subprocess.Popen for a mover, without the start of an interpreter."""

    def __init__(self, argv: list[str], *, stdin: int, **_more: Any) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _serve(argv[-1], stdin)
            except BaseException:  # noqa: BLE001
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(0)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)


def _serve(lock: str, stdin: int) -> None:
    os.dup2(stdin, 0)
    os.closerange(3, 4096)  # at once: whoever keeps the daemon's socket open answers for it
    from mediad.workers import mover

    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trace:
        trace.connect(os.environ["MEDIADB_TRACE"])
        trace.sendall(b"%10d" % os.getpid())
        trace.recv(1)
    sys.argv = ["mover", lock]
    mover.serve(mover.Mover)


def _start(program: str, *arguments: str) -> tuple[_Forked, socket.socket]:
    """mediad.workers.start.start_program, by a fork."""
    ours, theirs = socket.socketpair()
    try:
        return _Forked([program, *arguments], stdin=theirs.fileno()), ours
    finally:
        theirs.close()


def _install() -> None:
    import mediad.workers.mover  # noqa: F401 - now, not between fork and service
    from mediad.moves import mover

    mover.start_program = _start  # type: ignore[assignment]
    wanted = os.environ.get("MEDIADB_MUTANT")
    if wanted:
        import mutants

        getattr(mutants, wanted)()


if "mediad.main" in sys.orig_argv and "MEDIADB_TRACE" in os.environ:
    _install()
