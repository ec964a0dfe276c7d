"""Moves that are killed, or made to fail, at every system call: how many points, and at how many of them something was
lost, torn, left behind, or not known to the store.

    python bench/sweep.py [--share N] [--seconds S] [KIND[:DEED]...]

KIND is mover (its process is killed after each of its calls), daemon (that and its movers), nested (and again while it
recovers), own (the daemon after each of its own calls), backend (the PostgreSQL process that serves its writes), power
(two ext4 file systems lose what was not synced; root only), errors (each call fails with each error). DEED is one of
tests/daemon/sweep.py. `--share N` takes every N-th point, `--seconds` ends each sweep after a while. Ends with 1 when
anything was wrong. tests/integration/test_move_sweep.py takes a sample of the same points.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import pg
from tests.daemon import powercut, ptrace
from tests.daemon.sweep import Broken, Deed, Point, Stage, deeds, faults, kills, power_cuts

KINDS = ("mover", "daemon", "nested", "own", "backend", "power", "errors")


def point_of(kind: str, stage: Stage) -> Callable[[int], Point]:
    """How the `at`-th point of a kind is made."""
    makes: dict[str, Callable[[int], Point]] = {
        "mover": Point,
        "daemon": lambda at: Point(at, daemon=True),
        "nested": lambda at: Point(at, daemon=True, then=[Point(at * 7 % 60 + 1, daemon=True)]),
        "own": lambda at: Point(at, of=lambda: stage.daemon.pid),
        "backend": lambda at: Point(at, of=stage.backend),
    }
    return makes[kind]


def sweep(kind: str, deed: Deed, share: int, seconds: float) -> tuple[int, str]:
    """One kind over one deed: (points, what was wrong)."""
    if kind == "power":
        folder = pg.make_folder()
        try:
            if not powercut.possible(folder):
                return 0, "not possible here"
            return power_cuts(folder, deed, first=1 + share // 2, step=share, seconds=seconds), ""
        except Broken as broken:
            return 0, str(broken)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    until = time.monotonic() + seconds
    stage = Stage(Path("/dev/shm") / f"mediadb-sweep-{time.time_ns()}")
    try:
        stage.fill()
        steps: Iterator[str]
        if kind == "errors":
            steps = faults(stage, deed, some=lambda number: number % share == 0)
        else:
            steps = kills(stage, deed, first=1 + share // 2, step=share, point=point_of(kind, stage))
        for _ in itertools.takewhile(lambda _step: time.monotonic() < until, steps):
            pass
        return stage.points, ""
    except Broken as broken:
        return stage.points, str(broken)
    finally:
        stage.remove()


def main() -> int:
    """Runs what is asked for and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("what", nargs="*", default=list(KINDS))
    options = parser.parse_args()
    if not ptrace.allowed():
        print("no process may be traced here (ptrace(2))", file=sys.stderr)
        return 2
    total, wrong = 0, []
    print("| points | of | seconds | wrong |\n|---|---|---|---|")
    for what in options.what:
        kind, _, name = what.partition(":")
        for deed in deeds().values():
            if name and deed.name != name:
                continue
            began = time.monotonic()
            points, broken = sweep(kind, deed, options.share, options.seconds)
            total += points
            if broken:
                wrong.append(broken)
            row = (points, f"{kind}, {deed.name}", round(time.monotonic() - began), broken.partition("\n")[0])
            print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
    print(f"\n{total} points, {len(wrong)} sweeps found something")
    for each in wrong:
        print("\n" + each)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
