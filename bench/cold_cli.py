"""A cold `mediactl query`: process start to end, beside a Python that does nothing in the same environment.

python bench/cold_cli.py DIR [--runs 40]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
import peers


def seconds(command: list[str]) -> tuple[float, float]:
    """(wall, CPU) of a program from start to end. Raises CalledProcessError when it fails."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def beet_library(folder: Path, home: Path) -> list[str]:
    """`beet ls` on a library of its own with the music of `folder`; an empty command where beets is not installed."""
    if shutil.which("beet") is None:
        return []
    start = peers.beet(folder, home)
    subprocess.run([*start, "import", "-A", "-q", str(folder)], check=True, capture_output=True)
    return [*start, "ls"]


def observe(folder: Path, runs: int) -> dict[str, list[tuple[float, float]]]:
    """(wall, CPU) seconds of each run, by command, in turn; the library is that of `folder`."""
    with tempfile.TemporaryDirectory(prefix="mediad-bench-") as compiled, measure.private_daemon() as daemon:
        # As installed: modules are compiled once, not at each start of a process.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = compiled
        daemon.control("add", "--wait", str(folder))
        control = [measure.program("mediactl"), "--socket", str(daemon.socket)]
        commands = {
            "python -IS -c pass": [sys.executable, "-IS", "-c", "pass"],
            "python -c pass": [sys.executable, "-c", "pass"],
            "mediactl query --limit 20": [*control, "query", "", "--limit", "20"],
            "the same by way of click": [*control, "--format", "human", "query", "", "--limit", "20"],
            "mediactl status": [*control, "status"],
        }
        if beet := beet_library(folder, Path(compiled)):
            commands["beet ls"] = beet
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for command in commands.values():
            seconds(command)
        for _ in range(runs):
            for name, command in commands.items():
                times[name].append(seconds(command))
    return times


def report(folder: Path, runs: int) -> str:
    measure.become_subreaper()
    times = {name: [wall for wall, _cpu in taken] for name, taken in observe(folder, runs).items()}
    base = measure.percentile(times["python -c pass"], 0.5)
    rows = []
    for name, values in times.items():
        middle, high = measure.percentile(values, 0.5), measure.percentile(values, 0.99)
        rows.append([name, f"{middle * 1e3:.1f}", f"{high * 1e3:.1f}", f"{middle / base:.2f}"])
    return measure.table(["cold command", "p50 ms", "p99 ms", "p50 x python -c pass"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=40)
    arguments = parser.parse_args()
    print(report(arguments.folder.resolve(), arguments.runs))


if __name__ == "__main__":
    main()
