"""Every measurement on one generated library, into bench/results/DATE-MODE.md.

python bench/all.py small|tiny [--count 2000] [--library DIR]
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import library

HERE = Path(__file__).resolve().parent
QUESTIONS = ("first_scan", "rescan", "cold_cli", "warm_get", "idle")


def machine() -> str:
    """What the figures depend on, in one line."""
    model = next((row for row in Path("/proc/cpuinfo").read_text().splitlines() if row.startswith("model name")), ":")
    cores = len(os.sched_getaffinity(0))
    return f"{model.partition(':')[2].strip()}, {cores} cores, Python {platform.python_version()}, {platform.release()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=sorted(library.SECONDS))
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--library", type=Path, help="where the library is kept (default: below the temporary folder)")
    arguments = parser.parse_args()
    default = Path(tempfile.gettempdir()) / f"mediadb-bench-{arguments.mode}-{arguments.count}"
    folder = arguments.library or default
    size = library.make_library(folder, arguments.count, arguments.mode)
    now = datetime.datetime.now().astimezone()
    parts = [f"# {arguments.mode}, {arguments.count} files, {size / 1e6:.0f} MB, {now:%Y-%m-%d %H:%M}\n\n{machine()}"]
    print(parts[0], flush=True)
    failed = False
    for question in QUESTIONS:
        # a process each: what one has started and reaped must not be in another's figures
        done = subprocess.run(
            [sys.executable, str(HERE / f"{question}.py"), str(folder)], stdout=subprocess.PIPE, text=True, check=False
        )
        failed |= done.returncode != 0
        parts.append(done.stdout.strip() or f"{question} failed with exit code {done.returncode}")
        print(f"\n{parts[-1]}", flush=True)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    target = results / f"{now:%Y-%m-%d-%H%M}-{arguments.mode}.md"
    target.write_text("\n\n".join(parts) + "\n")
    print(f"\nwritten to {target}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
