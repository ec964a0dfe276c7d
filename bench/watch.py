#!/usr/bin/env python3
"""A watched tree: what a walk costs against a bare one, how soon a change is told, what it holds in memory.

    python bench/watch.py [--files 100000] [--folders 2000] [--json OUT]

The tree is made in a temporary folder, small text files; the daemon runs on a private PostgreSQL (tests/pg). CPU is of
the daemon, its helpers and its database backends, from /proc; the bare walk is os.scandir and a stat of each entry, in
Python.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))

from mediactl import Client, workcalls
from tests.daemon import Daemon

TICK = os.sysconf("SC_CLK_TCK")

WALK = """
import os, sys, time
count, turns, began = 0, int(sys.argv[2]), time.process_time()
for _ in range(turns):
    stack = [sys.argv[1]]
    while stack:
        with os.scandir(stack.pop()) as listing:
            for entry in listing:
                info = entry.stat(follow_symlinks=False)
                count += 1
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
print(count // turns, (time.process_time() - began) / turns)
"""


def cpu(pids: list[int]) -> float:
    """CPU seconds of processes and their ended children."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(each) for each in fields[11:15]) / TICK
    return total


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found, stack = [], [pid]
    while stack:
        here = stack.pop()
        found.append(here)
        try:
            stack += [int(each) for each in Path(f"/proc/{here}/task/{here}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def concerned() -> list[int]:
    """The daemon, its helpers and the private database: everything below this process, without this process."""
    return family(os.getpid())[1:]


def private(pid: int) -> float:
    """Private memory in MB."""
    total = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private"):
            total += int(line.split()[1])
    return total / 1000


def timed(work: Any, times: int = 1) -> tuple[float, float, Any]:
    """(CPU seconds of everything, wall seconds, the last result) of one turn; `times` turns where one is shorter than
    the kernel's clock of CPU time tells (10 ms)."""
    before, began = cpu(concerned()), time.monotonic()
    for _ in range(times):
        result = work()
    return (cpu(concerned()) - before) / times, (time.monotonic() - began) / times, result


def waits(ask: Callable[[], Any], times: int = 1000) -> dict[str, float]:
    """Milliseconds from a question to its answer, one after the other."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        ask()
        found.append((time.monotonic() - began) * 1000)
    tenth, *_rest, _ = statistics.quantiles(found, n=10)
    return {"p10": round(tenth, 3), "p50": round(statistics.median(found), 3)}


def latencies(daemon: Daemon, tree: Path, rounds: int) -> list[float]:
    """From the end of a write to the change in the feed, in milliseconds."""
    found = []
    with daemon.client() as client, daemon.client() as other:
        state = client.run(workcalls.changes(client.status().last_event))
        heard: dict[str, float] = {}

        def listen() -> None:
            for part in other.follow(state.last, epoch=state.epoch):
                for change in part.changes:
                    heard.setdefault(change.action, time.monotonic())
                if ended.is_set():
                    return

        ended = threading.Event()
        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        time.sleep(0.5)
        for number in range(rounds):
            heard.clear()
            (tree / "d0" / f"late{number}.txt").write_text("late")
            began = time.monotonic()
            while "added" not in heard and time.monotonic() - began < 10:
                time.sleep(0.001)
            found.append((heard.get("added", began + 10) - began) * 1000)
            time.sleep(0.4)
        ended.set()
        (tree / "d0" / "last.txt").write_text("last")
        listener.join(10)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--folders", type=int, default=2_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    out = run(options.files, options.folders)
    print(json.dumps(out, indent=2))
    if options.json:
        options.json.write_text(json.dumps(out, indent=2) + "\n")


def run(files: int, folders: int, *, quick: bool = False) -> dict[str, Any]:
    """All figures of a watched tree of so many small files, made for it. `quick`: only rescans and the feed beside
    their floors, nothing that takes waiting."""
    daemon = Daemon()
    # As installed: modules are compiled once, not at each start of a process.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(daemon.folder / "compiled")
    try:
        daemon.start()
        tree = daemon.folder / "tree"
        for number in range(folders):
            (tree / f"d{number}").mkdir(parents=True)
        for number in range(files):
            (tree / f"d{number % folders}" / f"{number}.txt").write_bytes(b"%d\n" % number)
        return measure(daemon, tree, files, folders, quick)
    finally:
        daemon.remove()


def measure(daemon: Daemon, tree: Path, files: int, folders: int, quick: bool) -> dict[str, Any]:
    """All figures."""
    out: dict[str, Any] = {"files": files, "folders": folders}
    turns = max(1, 50_000 // files)  # CPU time is told in hundredths of a second: a turn must be many of them
    with Client(str(daemon.socket), timeout=None) as client:
        spent, wall, _ = timed(lambda: client.add([tree]))
        out["first scan"] = {"cpu_s": round(spent, 2), "wall_s": round(wall, 2)}
        assert daemon.dsn is not None
        with psycopg.connect(daemon.dsn, autocommit=True) as database:
            database.execute("VACUUM ANALYZE")  # as autovacuum does some minutes after a first scan
        time.sleep(3)
        client.run(workcalls.rescan())  # times that have come to rest are noted now
        bare = []
        for _ in range(3):
            command = [sys.executable, "-c", WALK, str(tree), str(turns)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            bare.append(float(done.stdout.split()[1]))
        out["bare walk cpu_s"] = round(min(bare), 3)
        for name, names_only in (("rescan", False), ("quick", True)):
            runs = [timed(lambda q=names_only: client.run(workcalls.rescan(quick=q)), turns) for _ in range(3)]
            spent = min(run[0] for run in runs)
            out[name] = {"cpu_s": round(spent, 3), "wall_s": round(min(run[1] for run in runs), 3),
                         "of a bare walk": round(spent / min(bare), 2)}  # fmt: skip
        for name, ask in (
            ("ping", client.ping),
            ("changes --since, limit 1", lambda: client.run(workcalls.changes(1, limit=1))),
        ):
            out[f"{name}, ms"] = waits(ask)
        if quick:
            return out
        out["watchman"] = of_watchman(tree)
        late = latencies(daemon, tree, 15)
        out["write to feed, ms"] = {"median": round(statistics.median(late), 1), "max": round(max(late), 1)}
        watcher = next(pid for pid in family(daemon.pid)
                       if b"mediad.workers.watch" in Path(f"/proc/{pid}/cmdline").read_bytes())  # fmt: skip
        out["private MB"] = {"watcher": round(private(watcher), 1), "daemon": round(private(daemon.pid), 1)}
        switches = voluntary(daemon.pid), voluntary(watcher)
        time.sleep(10)
        out["context switches in 10 idle s"] = [
            voluntary(pid) - was for pid, was in zip((daemon.pid, watcher), switches, strict=True)
        ]
    return out


def of_watchman(tree: Path) -> dict[str, float] | None:
    """Watchman's `since` on the tree in ms, and its private MB; None where it is not installed. One connection, JSON
    lines, as its documentation of the socket has it. Raises OSError and ValueError for one that does not answer so."""
    if shutil.which("watchman") is None:
        return None
    server = json.loads(subprocess.run(["watchman", "get-pid"], capture_output=True, text=True, check=True).stdout)
    place = json.loads(subprocess.run(["watchman", "get-sockname"], capture_output=True, text=True, check=True).stdout)
    with socket.socket(socket.AF_UNIX) as link, link.makefile("rwb") as stream:
        link.connect(place["sockname"])

        def ask(*words: Any) -> Any:
            stream.write(json.dumps(words).encode() + b"\n")
            stream.flush()
            reply = json.loads(stream.readline())
            if "error" in reply:
                raise ValueError(f"watchman {words[0]}: {reply['error']}")
            return reply

        ask("watch", str(tree))
        clock = ask("clock", str(tree), {"sync_timeout": 60_000})["clock"]
        taken = waits(lambda: ask("query", str(tree), {"since": clock, "fields": ["name"], "sync_timeout": 0}))
        held = private(server["pid"])
        ask("watch-del", str(tree))
    return {**taken, "private MB": round(held, 1)}


def voluntary(pid: int) -> int:
    """Voluntary context switches of a process so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("voluntary_ctxt"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
