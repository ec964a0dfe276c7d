"""What every measurement shares: CPU of process trees, a private daemon, tables.

CPU is user + system time of everything a contender starts: of living processes from /proc/PID/stat (utime, stime, and
cutime, cstime for the children they have reaped; proc(5)), of ended ones from wait4. This process is a subreaper
(prctl(2), PR_SET_CHILD_SUBREAPER), so that a daemonised PostgreSQL cannot leave the tree. Times in seconds.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Orphans below this process become its children instead of init's. OSError when the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def parents() -> dict[int, int]:
    """pid -> parent of every process."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found[int(name)] = int(stat_fields(int(name))[1])
            except OSError:
                continue  # it ended while we looked
    return found


def stat_fields(pid: int) -> list[str]:
    """/proc/PID/stat from field 3 (state) on; the name before it may hold spaces and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def descendants(pid: int) -> list[int]:
    """All living processes below `pid`, without it."""
    above = parents()
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        below = [child for child, parent in above.items() if parent == current]
        found += below
        queue += below
    return found


def tree_cpu() -> float:
    """CPU seconds of all processes this one has started, ended and living."""
    times = os.times()
    total = times.children_user + times.children_system
    for pid in descendants(os.getpid()):
        try:
            total += sum(map(int, stat_fields(pid)[11:15])) / TICK
        except OSError:
            continue  # reaped since: its parent's cutime has it
    return total


# What a process of the daemon is, by a word of its command line; the first that fits.
PARTS = (
    ("postgres", "PostgreSQL"), ("mediad_handlers", "workers"), ("mediad.workers", "walk"), ("mediactl", "client"),
    ("--data-dir", "daemon"),
)  # fmt: skip


def cpu_by_part() -> dict[str, float]:
    """CPU seconds of the living processes below this one, by PARTS. One that was reaped counts for its parent."""
    found = {name: 0.0 for _word, name in PARTS}
    for pid in descendants(os.getpid()):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            spent = sum(map(int, stat_fields(pid)[11:15])) / TICK
        except OSError:
            continue  # it ended while we looked
        for word, name in PARTS:
            if word in line:
                found[name] += spent
                break
    return found


def exact_cpu(pid: int) -> float:
    """CPU seconds of one process's main thread, to the nanosecond (/proc/PID/schedstat, kernel's sched-stats.rst)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


@dataclass(frozen=True)
class Spent:
    """What a piece of work cost, in seconds."""

    wall: float
    cpu: float


def run_command(command: list[str]) -> Spent:
    """Runs a program to its end, output thrown away. SystemExit when it cannot be started or ends by a signal."""
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode < 0:
        sys.exit(f"{command[0]} ended by signal {-done.returncode}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Spent(time.perf_counter() - began, cpu)


def walk(folder: Path) -> tuple[int, Spent]:
    """A bare walk with a stat of every file: the floor. Returns the number of files too."""
    began, cpu, count = time.perf_counter(), time.process_time(), 0
    stack = [os.fsencode(folder)]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count, Spent(time.perf_counter() - began, time.process_time() - cpu)


def warm(folder: Path) -> None:
    """Reads every file once: whoever comes first must not pay the disk for the others."""
    for place, _folders, names in os.walk(folder):
        for name in names:
            with open(Path(place) / name, "rb", buffering=0) as source:
                while source.read(1 << 20):
                    pass


def program(name: str) -> str:
    """A console script of this environment."""
    return str(Path(sys.executable).parent / name)


class Daemon:
    """A private mediad with an empty store, and the commands to it."""

    def __init__(self, folder: Path, config: str = "", before: Sequence[str] = ()) -> None:
        """`config`: what mediad.toml says; `before`: a command that starts it, as `taskset -c 0`."""
        self.folder, self.socket = folder, folder / "socket"
        self.log = (folder / "log").open("wb")
        settings = folder / "mediad.toml"
        settings.write_text(config)
        places = ["--config", str(settings), "--data-dir", str(folder / "data"), "--socket", str(self.socket)]
        self.process = subprocess.Popen(
            [*before, program("mediad"), *places],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 180
        while not (self.socket.exists() and self._opened()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"mediad did not start: {(self.folder / 'log').read_text(errors='replace')[-500:]}")
            time.sleep(0.05)

    def _opened(self) -> bool:
        """Whether it serves and has its database: `status` answers before that, too."""
        command = [program("mediactl"), "--socket", str(self.socket), "--format", "json", "status"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return done.returncode == 0 and bool(json.loads(done.stdout)["database_version"])

    @property
    def dsn(self) -> str:
        """Its embedded database, for libpq."""
        return f"host={self.folder}/data/cluster/run user=mediadb dbname=mediadb"

    def control(self, *arguments: str, check: bool = True) -> int:
        """Runs mediactl, output thrown away; SystemExit when it fails and `check` is set."""
        command = [program("mediactl"), "--socket", str(self.socket), *arguments]
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        if check and code:
            sys.exit(f"{' '.join(command)} failed with exit code {code}")
        return code

    def measure(self, *arguments: str) -> Spent:
        """One command: its own CPU, the daemon's, the workers' and PostgreSQL's."""
        began, before = time.perf_counter(), tree_cpu()
        self.control(*arguments)
        wall = time.perf_counter() - began
        time.sleep(0.2)  # what was answered may still be written; it belongs to the command
        return Spent(wall, tree_cpu() - before)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@contextmanager
def private_daemon(config: str = "", before: Sequence[str] = ()) -> Iterator[Daemon]:
    """A daemon in a temporary folder that PostgreSQL's account can enter; both are gone at the end. SystemExit when it
    does not start."""
    with tempfile.TemporaryDirectory(prefix="mediad-bench-") as name:
        os.chmod(name, 0o755)
        daemon = Daemon(Path(name), config, before)
        try:
            yield daemon
        finally:
            daemon.stop()


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
