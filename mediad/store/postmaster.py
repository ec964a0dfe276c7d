"""PostgreSQL's first process: started or taken over, its log read, its end noticed. No timers, no threads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

_LOG = logging.getLogger("mediad.postgresql")

# PostgreSQL's last words, for error messages.
KEPT_LINES = 40
LONGEST_LINE = 2_000


def settings(major: int, small: bool) -> Mapping[str, str]:
    """The server's settings: safe (fsync, full commits), small, and asleep while nobody asks for anything.

    Names and units: PostgreSQL manual, "Server Configuration"."""
    chosen = {
        "listen_addresses": "",
        "unix_socket_directories": "run",
        "port": "5432",
        "max_connections": "20",
        "superuser_reserved_connections": "2",
        "shared_buffers": "16MB" if small else "64MB",
        "work_mem": "2MB" if small else "8MB",
        "maintenance_work_mem": "16MB" if small else "64MB",
        "effective_cache_size": "96MB" if small else "1GB",
        "max_worker_processes": "2",
        "max_parallel_workers": "0" if small else "2",
        "max_parallel_workers_per_gather": "0" if small else "1",
        "autovacuum_max_workers": "1",
        "max_logical_replication_workers": "0",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "min_wal_size": "32MB",
        "max_wal_size": "256MB",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "jit": "off",
        # Sleep: the background writer hibernates, the others wake at these intervals at most.
        "autovacuum_naptime": "10min",
        "checkpoint_timeout": "30min",
        "bgwriter_delay": "10s",
        "bgwriter_lru_maxpages": "0",
        "wal_writer_delay": "10s",
        "logging_collector": "off",
        "log_destination": "stderr",
        # The client is told its own errors; the log is for what nobody else hears.
        "log_min_messages": "log",
        "log_checkpoints": "off",
        "log_line_prefix": "[%p] ",
        "lc_messages": "C",
    }
    if major >= 18:
        # No I/O worker processes; the kernel's cache does here what they would.
        chosen["io_method"] = "sync"
    return chosen


class Postmaster:
    """A postmaster process, watched through its pidfd. `lines` are its last log lines, `on_end` is called when it ends.

    Its log comes through a pipe whose writing end does not block: when this process does not read, lines are lost and
    no backend waits."""

    def __init__(self, pid: int, process: subprocess.Popen[bytes] | None = None, log: int = -1) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._log = log
        self._rest = b""
        self._end = asyncio.Event()
        self.pid = pid
        self.status = ""
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.on_end: Callable[[Postmaster], None] | None = None
        self._pidfd = os.pidfd_open(pid)
        self._loop.add_reader(self._pidfd, self._ended)
        if log >= 0:
            self._loop.add_reader(log, self._read_log)

    @classmethod
    def spawn(cls, argv: list[str], environment: dict[str, str]) -> Postmaster:
        """Start one. Raises OSError."""
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=writing, stderr=writing, env=environment, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return cls(process.pid, process, reading)

    @property
    def ended(self) -> bool:
        return self._end.is_set()

    async def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; true if it has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._end.wait()
        return self.ended

    async def drain(self) -> None:
        """After its end: read what is left of the log."""
        if self._log >= 0:
            self._read_log()

    async def end(self, limit: float) -> None:
        """Fast shutdown (SIGINT); after `limit` seconds immediate (SIGQUIT); then SIGKILL. PostgreSQL manual, "Shutting
        Down the Server"."""
        for number, seconds in ((signal.SIGINT, limit), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            if self.ended:
                break
            self.send(number)
            await self.wait(seconds)
        await self.drain()
        self.close()

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def close(self) -> None:
        """Let go of the process; it is not ended by this."""
        self.on_end = None
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        self._close_log()

    def _ended(self) -> None:
        self._loop.remove_reader(self._pidfd)
        if self._process is not None:
            code = self._process.wait()
            self.status = f"signal {-code}" if code < 0 else f"status {code}"
        else:
            self.status = "of an earlier run"
        if self._log >= 0:
            self._read_log()
        self._end.set()
        if self.on_end is not None:
            self.on_end(self)

    def _read_log(self) -> None:
        try:
            data = os.read(self._log, 65_536)
        except BlockingIOError:
            return
        if not data:
            self._close_log()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[:LONGEST_LINE]
        for line in lines:
            text = line[:LONGEST_LINE].decode("utf-8", "replace")
            self.lines.append(text)
            _LOG.info("%s", text)

    def _close_log(self) -> None:
        if self._log >= 0:
            self._loop.remove_reader(self._log)
            os.close(self._log)
            self._log = -1


def find_predecessor(folder: Path) -> Postmaster | None:
    """The living postmaster of this data folder, after its postmaster.pid; None where there is none.

    The process id may meanwhile be another program's: the folder that the process works in decides."""
    try:
        pid = int((folder / "postmaster.pid").read_text("ascii").split("\n", 1)[0])
        place = os.stat(f"/proc/{pid}/cwd")
        here = folder.stat()
        if (place.st_dev, place.st_ino) != (here.st_dev, here.st_ino):
            return None
        return Postmaster(pid)
    except (FileNotFoundError, ProcessLookupError, PermissionError, ValueError):
        return None
