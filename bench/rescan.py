"""A second `add` over a tree in which nothing changed, every file's stat compared, beside a bare walk.

python bench/rescan.py DIR [--runs 5]
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import measure


def report(folder: Path, runs: int) -> str:
    measure.become_subreaper()
    walks, rescans = [], []
    with measure.private_daemon() as daemon:
        daemon.control("add", "--wait", str(folder))
        for _ in range(runs):
            count, spent = measure.walk(folder)
            walks.append(spent.cpu)
            rescans.append(daemon.measure("add", "--wait", str(folder)))
    walk = statistics.median(walks)
    rows = [["bare walk with stat", "", f"{walk:.3f}", f"{count / walk:,.0f}", "1.00"]]
    cpu = statistics.median(each.cpu for each in rescans)
    wall = statistics.median(each.wall for each in rescans)
    rows.append(
        ["mediad, unchanged", f"{wall:.2f}", f"{cpu:.3f}", f"{count / max(cpu, 1e-9):,.0f}", f"{cpu / walk:.2f}"]
    )
    return f"{count} files, {runs} runs\n\n" + measure.table(
        ["rescan", "wall s", "CPU s", "files/CPU-s", "CPU x walk"], rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    print(report(arguments.folder.resolve(), arguments.runs))


if __name__ == "__main__":
    main()
