"""The regression guard of `goals.py --guard`: ratios to floors measured beside them, against those kept.

A ratio is what a piece of work costs here, divided by what a floor costs in the same call: a bare walk, a ping, a
Python that does nothing, hashlib. CPU seconds, no waiting and no absolute times, so that another machine, or a busy
one, has nearly the same ratios; of each pair the cheapest of some turns is taken, since noise only adds. Counts of
instructions would be steadier, but virtual machines seldom have them (`perf stat -e instructions:u`: not supported).
Kept in bench/results/guard.json (`--keep`).
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import cold_cli
import first_scan
import goals
import library
import measure
import rows as synthetic
import search
import watch

from mediactl import Client, workcalls
from mediadb_contract import mediadb_pb2 as pb

KEPT = Path(__file__).resolve().parent / "results" / "guard.json"
WORSE = 1.4  # so many times the kept ratio is a failure
FILES, ROWS, WATCHED, TURNS = 600, 5000, 10_000, 2


def walk_cpu(folder: Path, turns: int = 30) -> float:
    """CPU seconds of a bare walk: the cheapest of some turns."""
    return min(measure.walk(folder)[1].cpu for _ in range(turns))


def first_scans(home: Path) -> dict[str, float]:
    folder = home / "library"
    library.make_library(folder, FILES, "tiny")
    walk = walk_cpu(folder)
    ours = min(first_scan.scan_with_mediad(folder).cpu for _ in range(TURNS))
    cold = cold_cli.observe(folder, 15)
    cpu = {name: min(cpu for _wall, cpu in taken) for name, taken in cold.items()}
    return {
        "first scan / bare walk": ours / walk,
        "cold query / python -c pass": cpu["mediactl query --limit 20"] / cpu["python -c pass"],
        "cold status / python -c pass": cpu["mediactl status"] / cpu["python -c pass"],
    }


def watched(_home: Path) -> dict[str, float]:
    found = watch.run(WATCHED, WATCHED // 50, quick=True)
    walk = found["bare walk cpu_s"]
    return {
        "rescan / bare walk": found["rescan"]["cpu_s"] / walk,
        "quick rescan / bare walk": found["quick"]["cpu_s"] / walk,
    }


def tree_exact(daemon: measure.Daemon) -> float:
    """CPU seconds of the daemon and all below it that live, to the nanosecond."""
    pids = [daemon.process.pid, *measure.descendants(daemon.process.pid)]
    total = 0.0
    for pid in pids:
        try:
            total += measure.exact_cpu(pid)
        except OSError:
            continue  # it ended while we looked
    return total


def asked(_home: Path) -> dict[str, float]:
    """Requests on rows: CPU of the daemon and PostgreSQL for each, beside a ping's."""
    with measure.private_daemon() as daemon, Client(str(daemon.socket)) as client:
        ids = synthetic.fill(daemon.dsn, ROWS)
        questions = search.questions(client, 100)

        def spent(call: Callable[[int], object]) -> float:
            before = tree_exact(daemon)
            for number in range(100):
                call(number)
            return tree_exact(daemon) - before

        def ratio(call: Callable[[int], object]) -> float:
            """The two in turn, each turn a ratio of its own, the middle one: a ping costs 20 us, and what else is done
            on the machine that second changes it by half."""
            spent(call)
            return statistics.median(spent(call) / spent(lambda n: client.ping()) for _ in range(5))

        def ask(name: str) -> Callable[[int], object]:
            texts = questions[name]
            return lambda n: client.call(
                pb.Request(query=pb.QueryRequest(text=texts[n % 100], limit=search.LIMIT, bare=True)), deadline=60
            )

        found = {f"query {name} / ping": ratio(ask(name)) for name in ("word, rare", "suffix", "substring")}
        found["get by id / ping"] = ratio(lambda n: client.get(ids[n % len(ids)]))
        found["changes --since / ping"] = ratio(lambda n: client.run(workcalls.changes(0, limit=1)))
        return found


def hashed(home: Path) -> dict[str, float]:
    turns = [goals.hash_files(home, 2, 64 << 20) for _ in range(TURNS)]
    return {
        "SHA-256 / hashlib": min(each.ours for each in turns) / min(each.with_hashlib for each in turns),
        "all digests / hashlib": min(each.all_ours for each in turns) / min(each.all_with_hashlib for each in turns),
        "bytes read for all digests / bytes": min(each.read for each in turns),
    }


PARTS = (first_scans, watched, asked, hashed)


def worse(today: dict[str, float], kept: dict[str, float]) -> list[str]:
    """A line for each kept ratio that is today more than WORSE times as high, or is not measured any more."""
    lines = []
    for name, before in kept.items():
        if name not in today:
            lines.append(f"{name}: kept, but not measured any more: --keep takes it off")
        elif today[name] > before * WORSE:
            lines.append(f"{name}: {today[name]:.2f}, kept {before:.2f}: {today[name] / before - 1:+.0%}")
    return lines


def run(home: Path, *, keep: bool) -> int:
    """Measures, prints a table; writes the ratios with `keep`, else compares them. Returns the exit code: 1 when one is
    worse. SystemExit when nothing was kept yet."""
    kept: dict[str, float] = {}
    if not keep:
        try:
            kept = json.loads(KEPT.read_text())["ratios"]
        except FileNotFoundError:
            sys.exit(f"{KEPT.name}: nothing is kept yet: python bench/goals.py --guard --keep")
    today: dict[str, float] = {}
    of = {}
    for part in PARTS:
        found = part(home)
        today |= found
        of |= dict.fromkeys(found, part)
        print(f"{part.__name__}: done", file=sys.stderr, flush=True)
    bad = worse(today, kept)
    if bad:  # a busy minute is no regression: what is worse must be so twice
        names = ", ".join(line.partition(":")[0] for line in bad)
        print(f"worse, measured again: {names}", file=sys.stderr, flush=True)
        for part in {of[name]: None for name in today if name in kept and today[name] > kept[name] * WORSE}:
            today |= {name: min(value, today[name]) for name, value in part(home).items()}
        bad = worse(today, kept)
    table = [
        [name, f"{value:.2f}", *((f"{kept[name]:.2f}", f"{value / kept[name]:.2f}") if name in kept else ("", ""))]
        for name, value in today.items()
    ]
    print(measure.table(["ours / floor, CPU", "today", "kept", "today / kept"], table))
    if keep:
        ratios = {name: round(value, 3) for name, value in today.items()}
        KEPT.write_text(json.dumps({"ratios": ratios}, indent=2) + "\n")
        print(f"kept in {KEPT.name}")
    for line in bad:
        print(f"worse by more than {WORSE - 1:.0%}: {line}", file=sys.stderr)
    return 1 if bad else 0
