"""What an idle daemon holds and how often it wakes: private memory, share of PSS, context switches over 10 s.

    python bench/idle.py DIR [--settle 40] [--seconds 10]

`settle` is longer than the daemon's idle_seconds, after which it lets its workers go.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import measure


def memory(pid: int) -> tuple[float, float]:
    """(private, proportional) megabytes of a process (/proc/PID/smaps_rollup, proc(5)); (0, 0) when it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0, 0.0
    values = {row.split(":")[0]: float(row.split()[1]) / 1024 for row in text.splitlines()[1:]}
    return values["Private_Clean"] + values["Private_Dirty"], values["Pss"]


def switches(pid: int) -> int:
    """Voluntary and involuntary context switches of all threads of a process."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        rows = status.read_text().splitlines()
        total += sum(int(row.split()[1]) for row in rows if "ctxt_switches" in row)
    return total


def name_of(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split()
    return " ".join(Path(word).name if "/" in word else word for word in words[:4])


def observe(folder: Path, settle: float, seconds: float) -> tuple[list[tuple[str, float, float, float]], float]:
    """After the scan of a folder: (name, private MB, PSS MB, context switches a second) of each process that is alive,
    the daemon first, and the CPU seconds of all of them meanwhile."""
    with measure.private_daemon() as daemon:
        daemon.control("add", "--wait", str(folder))
        time.sleep(settle)
        tree = [daemon.process.pid, *measure.descendants(daemon.process.pid)]
        before, cpu = {pid: switches(pid) for pid in tree}, measure.tree_cpu()
        time.sleep(seconds)
        used = measure.tree_cpu() - cpu
        rows = [(name_of(pid), *memory(pid), (switches(pid) - before[pid]) / seconds) for pid in tree]
    return rows, used


def report(folder: Path, settle: float, seconds: float) -> str:
    measure.become_subreaper()
    found, used = observe(folder, settle, seconds)
    rows = [[name, f"{private:.1f}", f"{share:.1f}", f"{woken:.1f}"] for name, private, share, woken in found]
    sums = [sum(each[column] for each in found) for column in (1, 2, 3)]  # type: ignore[misc]
    rows.append([f"all {len(found)} processes", *(f"{value:.1f}" for value in sums)])
    note = f"\n\n{used:.2f} CPU-s in {seconds:.0f} s"
    return measure.table(["idle process", "private MB", "PSS MB", "switches/s"], rows) + note


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--settle", type=float, default=40.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    print(report(arguments.folder.resolve(), arguments.settle, arguments.seconds))


if __name__ == "__main__":
    main()
