"""What a board has to give: the daemon with `board = true` on one core, its whole tree held below 256 MB.

    python bench/board.py DIR [--rows 100000] [--limit 256] [--count 50]

The first scan of DIR, then questions and requests on so many rows (bench/rows.py). The daemon and all below it run on
core 0 (taskset); the client and who makes the rows may use the others. Memory is the sum of the tree's proportional
shares (PSS, /proc/PID/smaps_rollup), looked at some times a second; a tree that goes over the limit is stopped, as the
kernel's limit would do it, and the bench says what it was doing. The page cache is not in it: a board has less of it,
so a real one waits longer for its disk than this.
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

import idle
import measure
import rows as synthetic
import search
import warm_get

_PAUSE = 0.1  # seconds between two looks


class Watcher(threading.Thread):
    """Looks at the memory of a daemon's tree; ends the daemon when it is over the limit (megabytes)."""

    def __init__(self, daemon: measure.Daemon, limit: float) -> None:
        super().__init__(daemon=True)
        self.tree, self.limit, self.doing = daemon, limit, "start"
        self.most: dict[str, tuple[float, dict[str, float]]] = {}  # what was done -> (MB, MB by part)
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(_PAUSE):
            parts: dict[str, float] = {}
            for pid in (self.tree.process.pid, *measure.descendants(self.tree.process.pid)):
                try:
                    line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
                except OSError:
                    continue  # it ended while we looked
                part = next((name for word, name in measure.PARTS if word in line), "PostgreSQL")
                parts[part] = parts.get(part, 0.0) + idle.memory(pid)[1]
            total = sum(parts.values())
            if total > self.most.get(self.doing, (0.0, {}))[0]:
                self.most[self.doing] = total, parts
            if total > self.limit:
                self.tree.process.kill()
                print(f"over {self.limit:.0f} MB while: {self.doing} ({total:.0f} MB)", file=sys.stderr, flush=True)
                return

    def row(self, doing: str) -> list[str]:
        """What was done, at most so many MB, and whose they were then."""
        total, parts = self.most.get(doing, (0.0, {}))
        return [doing, f"{total:.0f}", ", ".join(f"{name} {value:.0f}" for name, value in sorted(parts.items()))]


def report(folder: Path, count: int, limit: float, questions: int) -> str:
    """The tables. SystemExit when the daemon is stopped for its memory: what it answers then is a lost connection."""
    measure.become_subreaper()
    files, walk = measure.walk(folder)
    with measure.private_daemon("board = true\n", ["taskset", "-c", "0"]) as daemon:
        watcher = Watcher(daemon, limit)
        watcher.start()
        watcher.doing = f"first scan, {files:,} files"
        spent = daemon.measure("add", "--wait", str(folder))
        watcher.doing = "rescan"
        again = daemon.measure("add", "--wait", str(folder))
        watcher.doing = "rows are made"
        ids = synthetic.fill(daemon.dsn, count, progress=True)
        watcher.doing = f"get and ping, {count:,} rows, 1 and 32 in flight"
        taken = warm_get.observe(daemon, ids, 2000, most=32)
        watcher.doing = f"questions, {count:,} rows"
        found = search.measure(str(daemon.socket), questions)
        watcher.ended.set()
        watcher.join()
    first = [
        ["first scan", f"{spent.wall:.1f}", f"{spent.cpu:.1f}", f"{spent.cpu / files * 1e3:.2f}"],
        ["rescan", f"{again.wall:.2f}", f"{again.cpu:.2f}", f"{again.cpu / files * 1e3:.3f}"],
        ["bare walk", f"{walk.wall:.2f}", f"{walk.cpu:.2f}", f"{walk.cpu / files * 1e3:.3f}"],
    ]
    requests = [
        [f"{name}, {flight} in flight", f"{each.p50 * 1e3:.2f}", f"{each.p99 * 1e3:.2f}", f"{each.rate:,.0f}",
         f"{each.cpu * 1e6:.0f}"]
        for (name, flight), each in taken.items()
    ]  # fmt: skip
    asked = [[name, f"{items:.0f}", f"{p50:.2f}", f"{p99:.2f}"] for name, items, p50, p99, _most in found]
    return "\n\n".join(
        [
            measure.table([f"{files:,} files", "wall s", "CPU s", "CPU ms a file"], first),
            measure.table(["memory", "PSS MB at most", "of"], [watcher.row(name) for name in watcher.most]),
            measure.table([f"{count:,} rows", "p50 ms", "p99 ms", "requests/s", "daemon CPU us"], requests),
            measure.table([f"question, {count:,} rows", "items", "p50 ms", "p99 ms"], asked),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--limit", type=float, default=256.0, help="megabytes")
    parser.add_argument("--count", type=int, default=50, help="questions of each class")
    arguments = parser.parse_args()
    print(report(arguments.folder.resolve(), arguments.rows, arguments.limit, arguments.count))


if __name__ == "__main__":
    main()
