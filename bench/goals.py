#!/usr/bin/env python3
"""The table of the goals: what was wanted, what it costs here, what the peer or the floor costs in the same run.

    python bench/goals.py [--files 10000] [--rows 1000000] [--library DIR] [--only G5,G7] [--out results/NAME.md]
    python bench/goals.py --guard [--keep]

Only the ratio of a row holds: everything in it was measured in one call, on one machine, one after the other. CPU is
user and system time of the whole tree (bench/measure.py). `--guard` is bench/guard.py: some minutes, ratios only.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import all as every
import cold_cli
import duplicates
import first_scan
import idle
import library
import measure
import peers
import rows as synthetic
import search
import warm_get
import watch

from mediactl import Client

CHUNK = 256 * 1024  # bytes a read of the hashlib floor: measured as the best size
HASHED_FILES, HASHED_BYTES = 3, 192 << 20  # of G9
COPIES = 0.03  # of the files of G10
COLD_FILES = 300  # of G8: a library for beets to list


@dataclass(frozen=True)
class Row:
    """One line of the table. `met`: None where there is nothing to judge by."""

    goal: str
    what: str
    ours: str
    other: str
    ratio: float | None
    wanted: str
    met: bool | None

    def cells(self) -> list[str]:
        told = {True: "met", False: "**missed**", None: "not judged"}[self.met]
        return [self.goal, self.what, self.ours, self.other, "" if self.ratio is None else f"{self.ratio:.2f}",
                self.wanted, told]  # fmt: skip


@dataclass
class Run:
    """What the goals share: sizes, the library, and what is measured once for several of them."""

    files: int
    rows: int
    folder: Path  # the library
    home: Path  # for what is made on the way
    requests: int = 5000
    notes: list[str] = field(default_factory=list)

    @functools.cached_property
    def watched(self) -> dict[str, Any]:
        """bench/watch.py on ten times as many small files: G4 and G5."""
        return watch.run(self.files * 10, max(10, self.files // 5))

    @functools.cached_property
    def warm(self) -> tuple[dict[tuple[str, int], warm_get.Taken], list[tuple[str, float, float, float, float]]]:
        """Requests and questions on a library of so many rows: G6 and G7."""
        with measure.private_daemon() as daemon:
            ids = synthetic.fill(daemon.dsn, self.rows, progress=True)
            return warm_get.observe(daemon, ids, self.requests), search.measure(str(daemon.socket), 100)


def scans(run: Run, goal: str, wanted: dict[str, float], audio: bool) -> Iterator[Row]:
    """G1, G2: the first scan, stored, beside scanners: CPU of the same files."""
    with tempfile.TemporaryDirectory(dir=run.home) as name:
        folder = run.folder
        if audio:
            folder = Path(name)
            peers.linked(run.folder, folder, peers.AUDIO)
        count, floor = measure.walk(folder)
        measure.warm(folder)
        spent = first_scan.scan_with_mediad(folder)
        ours = f"{spent.cpu:.2f} CPU-s, {count / spent.cpu:,.0f} files/CPU-s"
        walk = f"bare walk {floor.cpu:.3f} CPU-s"
        yield Row(goal, f"first scan, {count:,} files", ours, walk, spent.cpu / floor.cpu, "", None)
        for peer, scan in peers.scanners(folder, audio).items():
            if scan is None:
                yield Row(goal, f"first scan beside {peer}", ours, "not installed", None, f"{wanted[peer]:g} x", None)
                continue
            theirs = scan()
            ratio = theirs.cpu / spent.cpu
            figure = f"{theirs.cpu:.2f} CPU-s, {count / theirs.cpu:,.0f} files/CPU-s"
            least = f">= {wanted[peer]:g} x"
            yield Row(goal, f"first scan beside {peer}", ours, figure, ratio, least, ratio >= wanted[peer])


def g1(run: Run) -> Iterator[Row]:
    wanted = {"exiftool -j -fast2 -r": 20.0, "mediainfo --Output=JSON": 10.0, "minidlna": 4.0}
    return scans(run, "G1", wanted, audio=False)


def g2(run: Run) -> Iterator[Row]:
    return scans(run, "G2", {"MPD update": 3.0, "beet import -A": 30.0, "music-metadata": 7.0}, audio=True)


def g3(run: Run) -> Iterator[Row]:
    """Wall time of the first scan by the number of workers."""
    wall = {}
    for workers in (1, 2):
        with measure.private_daemon(f"workers = {workers}\n") as daemon:
            measure.warm(run.folder)
            wall[workers] = daemon.measure("add", "--wait", str(run.folder)).wall - 0.2
    ratio, cores = wall[1] / wall[2], len(os.sched_getaffinity(0))
    load = f"load {os.getloadavg()[0]:.1f} on {cores} cores"
    yield Row("G3", f"first scan with two workers ({load})", f"{wall[2]:.1f} s", f"one worker {wall[1]:.1f} s", ratio,
              ">= 1.8 x", ratio >= 1.8)  # fmt: skip


def g4(run: Run) -> Iterator[Row]:
    found = run.watched
    walk = found["bare walk cpu_s"]
    for name, most in (("rescan", 1.3), ("quick", 0.5)):
        spent = found[name]["cpu_s"]
        yield Row("G4", f"{name}, {found['files']:,} files, nothing changed", f"{spent:.3f} CPU-s",
                  f"bare walk {walk:.3f} CPU-s", spent / walk, f"<= {most} x", spent / walk <= most)  # fmt: skip


def g5(run: Run) -> Iterator[Row]:
    found = run.watched
    asked, ping = found["changes --since, limit 1, ms"]["p50"], found["ping, ms"]["p50"]
    what = f"what changed since, {found['files']:,} files watched"
    ours = f"p50 {asked:.3f} ms"
    yield Row("G5", what, ours, f"ping p50 {ping:.3f} ms", asked / ping, "", None)
    held = found["private MB"]["watcher"] + found["private MB"]["daemon"]
    memory = f"{held:.1f} MB private ({found['private MB']['watcher']:.1f} the watcher)"
    theirs = found["watchman"]
    if theirs is None:
        yield Row("G5", what, ours, "watchman not installed", None, "<= 1 x its p50", None)
        yield Row("G5", "its memory, with the daemon", memory, "watchman not installed", None, "<= 0.25 x", None)
        return
    ratio = asked / theirs["p50"]
    yield Row("G5", what, ours, f"watchman p50 {theirs['p50']:.3f} ms", ratio, "<= 1 x", ratio <= 1)
    ratio = held / theirs["private MB"]
    peer = f"watchman {theirs['private MB']:.1f} MB"
    yield Row("G5", "its memory, with the daemon", memory, peer, ratio, "<= 0.25 x", ratio <= 0.25)


def g6(run: Run) -> Iterator[Row]:
    found, _ = run.warm
    for name in ("get by id", "get by path"):
        one, many, ping = found[name, 1], found[name, 64], found["ping", 1]
        what = f"{name}, {run.rows:,} rows"
        for figure, value, floor, most in (("p50", one.p50, ping.p50, 0.1), ("p99", one.p99, ping.p99, 1.0)):
            yield Row("G6", f"{what}, {figure}", f"{value * 1e3:.3f} ms", f"ping {floor * 1e3:.3f} ms", value / floor,
                      f"<= {most} ms", value * 1e3 <= most)  # fmt: skip
        rate = found["ping", 64].rate
        ours = f"{many.rate:,.0f} a second, daemon {many.cpu * 1e6:.0f} us"
        yield Row("G6", f"{what}, 64 in flight", ours, f"ping {rate:,.0f} a second", many.rate / rate,
                  ">= 20,000 a second", many.rate >= 20_000)  # fmt: skip


def g7(run: Run) -> Iterator[Row]:
    _, found = run.warm
    floor = next(row[2] for row in found if row[0] == "ping")
    wanted = {"suffix": 0.2, "suffix of a name": 0.2, "word, rare": 1.0, "word, common": 3.0, "word prefix": 3.0,
              "substring": 5.0, "substring, 3": 5.0, "substring, 2": 5.0}  # fmt: skip
    for name, items, p50, _p99, _most in found:
        if name in wanted:
            what = f"{name}, {run.rows:,} rows, {items:.0f} items, p50"
            yield Row("G7", what, f"{p50:.2f} ms", f"ping {floor:.2f} ms", p50 / floor, f"<= {wanted[name]:g} ms",
                      p50 <= wanted[name])  # fmt: skip
    name, _items, _p50, p99, _most = max(found, key=lambda row: row[3])
    ping = next(row[3] for row in found if row[0] == "ping")
    yield Row("G7", f"the slowest class, {name}, p99", f"{p99:.1f} ms", f"ping {ping:.2f} ms", p99 / ping, "<= 25 ms",
              p99 <= 25)  # fmt: skip


def g8(run: Run) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(dir=run.home) as name:
        folder = Path(name) / "few"
        folder.mkdir()
        for file in sorted(run.folder.rglob("*.mp3"))[:COLD_FILES]:
            shutil.copy2(file, folder / f"{len(os.listdir(folder))} {file.name}")
        found = cold_cli.observe(folder, 30)
    wall = {name: statistics.median(wall for wall, _cpu in taken) * 1e3 for name, taken in found.items()}
    asked, nothing = wall["mediactl query --limit 20"], wall["python -c pass"]
    ours = f"{asked:.1f} ms"
    yield Row("G8", "cold mediactl query", ours, f"python -c pass {nothing:.1f} ms", asked / nothing, "<= 2.0 x",
              asked / nothing <= 2)  # fmt: skip
    if "beet ls" not in wall:
        yield Row("G8", "cold mediactl query", ours, "beets not installed", None, ">= 15 x faster", None)
        return
    ratio = wall["beet ls"] / asked
    yield Row(
        "G8", "cold mediactl query", ours, f"beet ls {wall['beet ls']:.1f} ms", ratio, ">= 15 x faster", ratio >= 15
    )


def hash_with_hashlib(files: list[Path], *algorithms: str) -> float:
    """CPU seconds of reading each file once and computing these digests, in this process."""
    before = time.process_time()
    for file in files:
        digests = [hashlib.new(name) for name in algorithms]
        with file.open("rb", buffering=0) as source:
            while block := source.read(CHUNK):
                for digest in digests:
                    digest.update(block)
    return time.process_time() - before


def bytes_read(daemon: measure.Daemon) -> int:
    """What the daemon's living workers have read so far (rchar of /proc/PID/io, proc(5)): PostgreSQL is not meant."""
    total = 0
    for pid in measure.descendants(daemon.process.pid):
        try:
            if b"mediad_handlers" in Path(f"/proc/{pid}/cmdline").read_bytes():
                total += int(Path(f"/proc/{pid}/io").read_text().split()[1])
        except OSError:
            continue  # it ended while we looked
    return total


@dataclass(frozen=True)
class Hashed:
    """CPU seconds of SHA-256 of the same bytes; of all digests; bytes read for each byte of the files; asked again."""

    ours: float
    with_hashlib: float
    with_openssl: float | None
    all_ours: float
    all_with_hashlib: float
    read: float
    again: float
    read_again: float


def hash_files(home: Path, count: int, size: int) -> Hashed:
    """Checksums of files made for it, by the daemon and beside it."""
    with tempfile.TemporaryDirectory(dir=home) as name:
        os.chmod(name, 0o755)
        block = os.urandom(1 << 20)
        sets: list[list[Path]] = []
        for each in ("one", "all"):
            (Path(name) / each).mkdir()
            sets.append([Path(name) / each / f"{number}.bin" for number in range(count)])
            for number, file in enumerate(sets[-1]):
                with file.open("wb") as out:
                    out.write(f"{each} {number}".encode())
                    for _ in range(size >> 20):
                        out.write(block)
        one, every_digest = sets
        total = count * size
        with measure.private_daemon() as daemon, Client(str(daemon.socket), timeout=None) as client:
            client.add([name])

            def ask(files: list[Path], algorithms: tuple[str, ...]) -> tuple[float, float]:
                cpu, read = measure.tree_cpu(), bytes_read(daemon)
                for answer in client.checksum(*map(str, files), algorithms=algorithms):
                    if answer.problem is not None:
                        sys.exit(f"no checksum: {answer.problem}")
                return measure.tree_cpu() - cpu, (bytes_read(daemon) - read) / total

            measure.warm(Path(name))
            ours, _ = ask(one, ("sha256",))
            all_ours, read = ask(every_digest, ())
            again, read_again = ask(every_digest, ())
        openssl = None
        if shutil.which("openssl"):
            openssl = measure.run_command(["openssl", "dgst", "-sha256", *map(str, one)]).cpu
        return Hashed(
            ours, hash_with_hashlib(one, "sha256"), openssl, all_ours,
            hash_with_hashlib(every_digest, "md5", "sha1", "sha256"), read, again, read_again,
        )  # fmt: skip


def g9(run: Run) -> Iterator[Row]:
    found = hash_files(run.home, HASHED_FILES, HASHED_BYTES)
    size = HASHED_FILES * HASHED_BYTES
    floors = {"hashlib": found.with_hashlib, "openssl dgst": found.with_openssl}
    for name, theirs in floors.items():
        ours = f"{size / found.ours / 1e9:.2f} GB/CPU-s"
        if theirs is None:
            yield Row("G9", "SHA-256", ours, f"{name} not installed", None, ">= 0.95 x", None)
            continue
        ratio = theirs / found.ours
        yield Row(
            "G9", "SHA-256", ours, f"{name} {size / theirs / 1e9:.2f} GB/CPU-s", ratio, ">= 0.95 x", ratio >= 0.95
        )
    ratio = found.all_with_hashlib / found.all_ours
    yield Row("G9", "MD5, SHA-1, SHA-256 at once", f"{found.all_ours:.2f} CPU-s",
              f"hashlib {found.all_with_hashlib:.2f} CPU-s", ratio, ">= 0.95 x", ratio >= 0.95)  # fmt: skip
    yield Row("G9", "bytes read for all digests, each byte of the files", f"{found.read:.3f}", "one read 1", found.read,
              "1", found.read < 1.05)  # fmt: skip
    yield Row("G9", "asked again: bytes read", f"{found.read_again:.4f}, {found.again:.2f} CPU-s", "none 0",
              found.read_again, "0", found.read_again < 0.001)  # fmt: skip


def g10(run: Run) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(dir=run.home) as name:
        top = Path(name)
        os.chmod(top, 0o755)
        files = peers.linked(run.folder, top)
        copies = set()
        (top / "copies").mkdir()
        step = max(1, int(1 / COPIES))
        for number, file in enumerate(files[::step]):
            copy = top / "copies" / f"{number}{file.suffix}"
            shutil.copyfile(file, copy)
            copies.add(frozenset((str(file.relative_to(top)), str(copy.relative_to(top)))))
        measure.warm(top)
        found = duplicates.run(top, copies, set())
    checked = found["exact, found"]
    first, again = found["exact, first"]["cpu_s"], found["exact, again"]["cpu_s"]
    what = f"equal files of {len(files) + len(copies):,}, {checked['wanted']} copies"
    theirs = found["jdupes_cpu_s"]
    whole = f"{checked['wanted'] - checked['missed']} of {checked['wanted']} found, {checked['false']} false"
    yield Row("G10", f"{what}: all of them", whole, "", None, "all, none false",
              not checked["missed"] and not checked["false"])  # fmt: skip
    if theirs is None:
        yield Row("G10", what, f"{first:.3f} CPU-s", "jdupes not installed", None, "<= 1.5 x", None)
        return
    yield Row("G10", f"{what}, first time", f"{first:.3f} CPU-s", f"jdupes {theirs:.3f} CPU-s", first / theirs,
              "<= 1.5 x", first / theirs <= 1.5)  # fmt: skip
    faster = theirs / max(again, 0.0005)  # the clock tells a hundredth of a second, twenty turns of it
    yield Row("G10", f"{what}, asked again", f"{again:.4f} CPU-s", f"jdupes {theirs:.3f} CPU-s", faster,
              ">= 20 x faster", faster >= 20)  # fmt: skip


def g11(run: Run) -> Iterator[Row]:
    code = "import time, uvloop; loop = uvloop.new_event_loop(); print(flush=True); time.sleep(600)"
    bare = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert bare.stdout is not None
    bare.stdout.readline()
    floor = idle.memory(bare.pid)[0]
    bare.kill()
    bare.communicate()
    found, used = idle.observe(run.folder, 40, 10)
    private, woken = found[0][1], found[0][3]
    yield Row("G11", f"idle daemon, private, after {run.files:,} files", f"{private:.1f} MB",
              f"python with uvloop {floor:.1f} MB", private / floor, "<= 30 MB", private <= 30)  # fmt: skip
    share = sum(each[2] for each in found)
    yield Row("G11", f"all {len(found)} processes, PSS", f"{share:.1f} MB", "", None, "<= 60 MB", share <= 60)
    workers = sum("mediad_handlers" in each[0] for each in found)
    yield Row("G11", "workers alive", str(workers), "", None, "0", workers == 0)
    everyone = sum(each[3] for each in found)
    yield Row("G11", "wake-ups of the daemon", f"{woken:.1f} a second (all processes {everyone:.1f}, {used:.2f} CPU-s)",
              "", None, "0", woken < 0.1)  # fmt: skip


GOALS: dict[str, Callable[[Run], Iterator[Row]]] = {
    "G1": g1, "G2": g2, "G3": g3, "G4": g4, "G5": g5, "G6": g6, "G7": g7, "G8": g8, "G9": g9, "G10": g10, "G11": g11,
}  # fmt: skip
HEADER = ["goal", "what", "ours", "peer or floor", "ratio", "wanted", ""]


def chosen(text: str) -> list[str]:
    """`--only G5,G7`. Raises argparse.ArgumentTypeError naming one that does not exist."""
    names = [name.strip().upper() for name in text.split(",")]
    for name in names:
        if name not in GOALS:
            raise argparse.ArgumentTypeError(f"no goal {name}: {', '.join(GOALS)}")
    return names


def compile_modules(home: Path) -> None:
    """As installed: modules are compiled once, not at each start of a process."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(home / "compiled")
    sample = home / "sample"
    sample.mkdir()
    (sample / "one.txt").write_text("one\n")
    with measure.private_daemon() as daemon:
        daemon.control("add", "--wait", str(sample))


def table(arguments: argparse.Namespace, home: Path) -> str:
    """Runs the goals, a row on the screen as soon as it is known; returns the page."""
    folder = arguments.library
    if folder is None:
        folder = Path(tempfile.gettempdir()) / f"mediadb-bench-small-{arguments.files}"
        library.make_library(folder, arguments.files, "small")
    folder = folder.resolve()
    count, _ = measure.walk(folder)
    run = Run(count, arguments.rows, folder, home)
    now = datetime.datetime.now().astimezone()
    head = (
        f"# Goals, {now:%Y-%m-%d %H:%M}\n\n{every.machine()}\n\n"
        f"{count:,} files, {arguments.rows:,} rows; load {os.getloadavg()[0]:.1f} at the start"
    )
    print(head, flush=True)
    lines = []
    for name in arguments.only:
        for row in GOALS[name](run):
            lines.append(row)
            print("| " + " | ".join(row.cells()) + " |", flush=True)
    judged = [row for row in lines if row.met is not None]
    tail = f"{sum(bool(row.met) for row in judged)} of {len(judged)} rows met; load {os.getloadavg()[0]:.1f} at the end"
    print(f"\n{tail}")
    return "\n\n".join([head, measure.table(HEADER, [row.cells() for row in lines]), tail]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--library", type=Path, help="a library of your own; nothing is written to it")
    parser.add_argument("--only", type=chosen, default=list(GOALS), metavar="G5,G7")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--guard", action="store_true", help="ratios against those kept; exit code 1 when one is worse")
    parser.add_argument("--keep", action="store_true", help="with --guard: keep today's ratios")
    arguments = parser.parse_args()
    if arguments.keep and not arguments.guard:
        parser.error("--keep goes with --guard")
    measure.become_subreaper()
    with tempfile.TemporaryDirectory(prefix="mediad-goals-") as name:
        home = Path(name)
        os.chmod(home, 0o755)
        compile_modules(home)
        if arguments.guard:
            import guard  # it needs this module

            sys.exit(guard.run(home, keep=arguments.keep))
        page = table(arguments, home)
    if arguments.out:
        arguments.out.write_text(page)


if __name__ == "__main__":
    main()
