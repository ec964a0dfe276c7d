"""A cold `mediactl query`: process start to end, beside a Python that does nothing in the same environment.

python bench/cold_cli.py DIR [--runs 40]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def report(folder: Path, runs: int) -> str:
    measure.become_subreaper()
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
        times: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            seconds(command)
        for _ in range(runs):
            for name, command in commands.items():
                times[name].append(seconds(command))
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
