"""The first scan of DIR with everything stored, beside others on the same files: CPU of the whole tree, ratios.

python bench/first_scan.py DIR [--runs 3]
"""

from __future__ import annotations

import argparse
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import measure


def scan_with_mediad(folder: Path) -> measure.Spent:
    """An empty store, then `add --wait`: mediactl, mediad, workers and PostgreSQL together, without their start."""
    with measure.private_daemon() as daemon:
        return daemon.measure("add", "--wait", str(folder))


def scan_with_mpd(folder: Path) -> measure.Spent:
    """MPD's update of an empty database; music only. Its CPU is read when the update has ended."""
    with tempfile.TemporaryDirectory(prefix="mpd-bench-") as name:
        home, address = Path(name), Path(name) / "socket"
        config = home / "mpd.conf"
        config.write_text(
            f'music_directory "{folder}"\ndb_file "{home}/db"\nbind_to_address "{address}"\nlog_file "{home}/log"\n'
            'auto_update "no"\naudio_output {\n type "null"\n name "null"\n}\n'
        )
        began, before = time.perf_counter(), measure.tree_cpu()
        process = subprocess.Popen(["mpd", "--no-daemon", str(config)], stderr=subprocess.DEVNULL)
        try:
            while not address.exists():
                time.sleep(0.02)
            with socket.socket(socket.AF_UNIX) as client, client.makefile("rwb") as stream:
                client.connect(str(address))
                stream.readline()
                stream.write(b"update\n")
                stream.flush()
                while stream.readline() != b"OK\n":
                    pass
                while updating(stream):
                    time.sleep(0.05)
            return measure.Spent(time.perf_counter() - began, measure.tree_cpu() - before)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def updating(stream: object) -> bool:
    """Whether MPD's status (protocol: command `status`) still names an update job."""
    stream.write(b"status\n")  # type: ignore[attr-defined]
    stream.flush()  # type: ignore[attr-defined]
    lines = []
    while (line := stream.readline()) not in (b"OK\n", b""):  # type: ignore[attr-defined]
        lines.append(line)
    return any(line.startswith(b"updating_db:") for line in lines)


def contenders(folder: Path) -> dict[str, Callable[[], measure.Spent]]:
    """Name -> one run; programs that are not installed are left out."""
    found: dict[str, Callable[[], measure.Spent]] = {
        "bare walk with stat": lambda: measure.walk(folder)[1],
        "mediad, stored": lambda: scan_with_mediad(folder),
    }
    if shutil.which("exiftool"):
        found["exiftool -j -fast2 -r"] = lambda: measure.run_command(["exiftool", "-j", "-fast2", "-r", str(folder)])
    if shutil.which("mediainfo"):
        found["mediainfo --Output=JSON"] = lambda: measure.run_command(["mediainfo", "--Output=JSON", str(folder)])
    if shutil.which("mpd"):
        found["mpd update (music only)"] = lambda: scan_with_mpd(folder)
    return found


def report(folder: Path, runs: int) -> str:
    """The table; contenders take turns, medians of their CPU."""
    measure.become_subreaper()
    count, _ = measure.walk(folder)
    spent: dict[str, list[measure.Spent]] = {}
    for _ in range(runs):
        for name, run in contenders(folder).items():
            measure.warm(folder)
            spent.setdefault(name, []).append(run())
    cpu = {name: statistics.median(each.cpu for each in all_runs) for name, all_runs in spent.items()}
    rows = []
    for name, all_runs in spent.items():
        wall = statistics.median(each.wall for each in all_runs)
        rate = count / cpu[name] if cpu[name] else float("inf")
        ratio = cpu[name] / cpu["mediad, stored"]
        rows.append([name, f"{wall:.2f}", f"{cpu[name]:.2f}", f"{rate:,.0f}", f"{ratio:.2f}"])
    header = ["first scan", "wall s", "CPU s", "files/CPU-s", "CPU x mediad"]
    return f"{count} files, {runs} runs\n\n" + measure.table(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    print(report(arguments.folder.resolve(), arguments.runs))


if __name__ == "__main__":
    main()
