"""Which calls hold the daemon's loop? A first scan of DIR, then a queue of 10,000 entries saved and told and 5,000
stars, with each callback's CPU time taken (time.thread_time: what other processes take does not count).

    python bench/lag.py DIR [--over 4]

The daemon runs on asyncio's own loop here, whose callbacks Python can see; they are those that libuv's loop calls.
Told are how many took how many milliseconds, beside the median; those over `--over`, with where they began and where
they came to rest; and what of it was the collection of cyclic garbage.
"""

from __future__ import annotations

import argparse
import asyncio
import asyncio.events
import collections
import gc
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FRAMES = 8  # of a chain of coroutines
QUEUE, STARS = 10_000, 5_000


def where(callback: Any) -> str:
    """The chain of coroutines at which a task stands, with lines; of another callback its name."""
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return str(getattr(callback, "__qualname__", callback))
    names: list[str] = []
    step: Any = task.get_coro()
    while step is not None and len(names) < FRAMES:
        frame = getattr(step, "cr_frame", None) or getattr(step, "ag_frame", None) or getattr(step, "gi_frame", None)
        names.append(getattr(step, "__qualname__", type(step).__name__) + (f":{frame.f_lineno}" if frame else ""))
        # A generator that `anext` waits for is not among what the coroutine awaits.
        replies = frame.f_locals.get("replies") if frame else None
        step = (
            replies or getattr(step, "cr_await", None) or getattr(step, "ag_await", None)
            or getattr(step, "gi_yieldfrom", None)
        )  # fmt: skip
    return " > ".join(names)


class Tracer:
    """Takes the time of every callback of this process's loop, from `install` on."""

    def __init__(self, over: float) -> None:
        self.over = over / 1000
        self.took: list[float] = []
        self.slow: dict[tuple[str, str], list[tuple[float, float]]] = collections.defaultdict(list)
        self._collected = self._began = 0.0

    def _note(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self._collected += time.thread_time() - self._began

    def install(self) -> None:
        original = asyncio.events.Handle._run  # type: ignore[attr-defined]

        def run(handle: Any) -> None:
            callback = handle._callback
            before = where(callback) if isinstance(getattr(callback, "__self__", None), asyncio.Task) else ""
            garbage, began = self._collected, time.thread_time()
            original(handle)
            took = time.thread_time() - began
            self.took.append(took)
            if took > self.over:
                self.slow[before, where(callback)].append((took, self._collected - garbage))

        asyncio.events.Handle._run = run  # type: ignore[attr-defined]
        gc.callbacks.append(self._note)

    def report(self) -> str:
        """How many callbacks took how long, and the slow ones, the slowest first."""
        took = sorted(self.took)
        median = took[len(took) // 2] * 1000
        lines = [f"{len(took):,} callbacks, median {median:.3f} ms, most {took[-1] * 1000:.1f} ms"]
        lines += [f"over {edge:3} ms: {sum(each * 1000 > edge for each in took)}" for edge in (1, 2, 5, 10, 20, 50)]
        for (before, after), found in sorted(self.slow.items(), key=lambda each: -max(each[1])[0]):
            most, garbage = max(found)
            lines.append(f"{most * 1000:7.1f} ms, {garbage * 1000:.1f} of it garbage, {len(found)} times")
            lines += [f"        from {before}"] * bool(before) + [f"        to   {after}"]
        return "\n".join(lines)


def trace(over: float, out: Path, arguments: list[str]) -> int:
    """The daemon with a tracer, in this process."""
    import uvloop

    from mediad.main import main as serve

    uvloop.new_event_loop = asyncio.new_event_loop  # type: ignore[assignment]
    tracer = Tracer(over)
    tracer.install()
    try:
        return serve(arguments)
    finally:
        out.write_text(tracer.report() + "\n")


def load(folder: Path, over: float) -> str:
    """The scan, the queue, the stars; what was traced."""
    import measure

    from mediactl import Client, workcalls

    measure.become_subreaper()
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "trace"
        with measure.private_daemon(
            before=[sys.executable, __file__, "--trace", str(out), "--over", str(over)]
        ) as daemon:
            daemon.control("add", "--wait", str(folder))
            with Client(str(daemon.socket), actor="lag", timeout=120.0) as client:
                ids = [item.id for item in client.query("", limit=QUEUE)]
                entries = (ids * (QUEUE // max(1, len(ids)) + 1))[:QUEUE]
                client.run(workcalls.save_queue(entries))
                client.run(workcalls.queue())
                client.run(workcalls.star(ids[:STARS]))
                time.sleep(2)
        return out.read_text()


def main() -> int:
    if "--trace" in sys.argv:
        begin = sys.argv.index("--trace")
        out, over = Path(sys.argv[begin + 1]), float(sys.argv[begin + 3])
        return trace(over, out, sys.argv[begin + 5 :])  # behind the program's name
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--over", type=float, default=4.0, metavar="MS")
    arguments = parser.parse_args()
    print(load(arguments.folder.resolve(), arguments.over))
    return 0


if __name__ == "__main__":
    sys.exit(main())
