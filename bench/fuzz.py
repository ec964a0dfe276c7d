"""Damaged files for the handlers, through real locked-down workers: crashes, bugs, hangs, memory.

    python bench/fuzz.py SEEDS... [--count 100000] [--workers 2] [--seed 1] [--keep FOLDER] [--operations read,text]

SEEDS are files and folders of good (and bad) media. Each sample is one of them, changed in one to four places; the
numbers of `--seed` and the sample make the change, so that every one can be made again (`--only NUMBER --keep FOLDER`).
The verdicts, per file:

    record, or an error with a reason   what is owed
    internal                            a bug: an exception of Python's own came out of a reader
    died                                the worker is gone
    slow                                more than SLOW seconds
    grown                               the worker grew by more than GROWN bytes

Prints a table, and what was found; returns 1 when anything was.
"""

from __future__ import annotations

import argparse
import array
import collections
import multiprocessing
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack

SLOW = 5.0  # seconds
GROWN = 64 << 20  # bytes
SEED_BYTES = 512 * 1024  # of a seed; longer ones are cut in their middle
PATIENCE = 30.0  # then a worker is killed
SHOWN = 3  # findings of one kind
OPTIONS: dict[str, dict[str, Any]] = {"checksum": {"scope": "stream"}, "preview": {"size": 320}}
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def load(paths: list[str]) -> list[tuple[str, bytes]]:
    """(name, bytes) of every seed, in a fixed order."""
    found: list[tuple[str, bytes]] = []
    for given in paths:
        files = [Path(given)] if os.path.isfile(given) else sorted(Path(given).rglob("*"))
        for path in files:
            if path.is_file() and path.suffix not in (".json", ".md", ".py"):
                data = path.read_bytes()
                if len(data) > SEED_BYTES:
                    data = data[: SEED_BYTES * 3 // 4] + data[-SEED_BYTES // 4 :]
                found.append((path.name, data))
    return found


def damage(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """`data` changed in one to four places: bits, bytes, extreme integers, pieces cut, doubled, zeroed, put in from
    `other`, or the end cut off. Three changes of four fall into the first 4 KiB, where the headers are."""
    mutable = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not mutable:
            mutable += rng.randbytes(16)
        span = min(len(mutable), 4096) if rng.random() < 0.75 else len(mutable)
        place = rng.randrange(span)
        kind = rng.randrange(9)
        if kind == 0:
            mutable[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            mutable[place] = rng.randrange(256)
        elif kind in (2, 3):
            value, (size, form) = rng.choice(EXTREMES), rng.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
            order = rng.choice("<>")
            mutable[place : place + size] = struct.pack(order + form, value & ((1 << 8 * size) - 1))
        elif kind == 4:
            del mutable[place : place + rng.randint(1, 64)]
        elif kind == 5:
            length = rng.randint(1, 256)
            mutable[place:place] = mutable[place : place + length]
        elif kind == 6:
            length = rng.randint(1, 64)
            mutable[place : place + length] = bytes(length)
        elif kind == 7 and other:
            start = rng.randrange(len(other))
            mutable[place : place + rng.randint(0, 64)] = other[start : start + rng.randint(1, 256)]
        else:
            del mutable[max(place, rng.randrange(len(mutable) or 1)) :]
    return bytes(mutable)


def sample(seed: int, number: int, seeds: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """(name, bytes) of the sample with this number."""
    rng = random.Random(seed << 32 | number)
    name, data = seeds[number % len(seeds)]
    return name, damage(rng, data, rng.choice(seeds)[1])


class Worker:
    """One media-handler worker, as the daemon starts it."""

    def __init__(self, more: tuple[str, ...] = ()) -> None:
        self._socket, theirs = socket.socketpair()
        self._answers, sink = os.pipe2(os.O_CLOEXEC)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mediad_handlers.media", "--worker", *more], stdin=theirs.fileno(), stdout=sink,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        theirs.close()
        os.close(sink)
        self._unpacker = msgpack.Unpacker(max_buffer_size=1 << 23, strict_map_key=False)
        self.sandbox = self._next(PATIENCE)["sandbox"]
        self._base = 0

    def ask(self, op: str, name: str, data: bytes, options: dict[str, Any]) -> tuple[str, str, float]:
        """(verdict, text, seconds)."""
        descriptor = os.memfd_create("sample", os.MFD_CLOEXEC)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            request = {"id": 1, "op": op, "files": [{"name": name.encode()}], "options": options}
            before = self._resident()
            began = time.monotonic()
            self._socket.sendmsg(
                [msgpack.packb(request)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
            )
        finally:
            os.close(descriptor)
        try:
            while True:
                message = self._next(PATIENCE)
                if message is None:
                    return "died", f"status {self.process.wait()}", time.monotonic() - began
                if "ok" in message or "error" in message:
                    break
        except TimeoutError:
            return "died", f"no answer for {PATIENCE:g} s", PATIENCE
        seconds = time.monotonic() - began
        error = message.get("error")
        if seconds > SLOW:
            return "slow", f"{seconds:.1f} s", seconds
        if self._resident() - before > GROWN:
            return "grown", f"{(self._resident() - before) >> 20} MB", seconds
        if error is None:
            return "record", "", seconds
        return error["code"], error["message"], seconds

    def _resident(self) -> int:
        try:
            return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096
        except (OSError, IndexError):
            return 0

    def _next(self, seconds: float) -> Any:
        until = time.monotonic() + seconds
        while True:
            for message in self._unpacker:
                return message
            if not select.select([self._answers], [], [], max(until - time.monotonic(), 0))[0]:
                raise TimeoutError
            data = os.read(self._answers, 1 << 16)
            if not data:
                return None
            self._unpacker.feed(data)

    def close(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._socket.close()
        os.close(self._answers)


def run(numbers: range, options: argparse.Namespace) -> tuple[collections.Counter[tuple[str, str]], list[Any], float]:
    """The samples of these numbers: (verdicts by (operation, verdict), what was found, CPU seconds of the workers)."""
    seeds = load(options.seeds)
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    found = []
    more = ("--previews", "--memory", str(256 << 20)) if "preview" in options.operations.split(",") else ()
    worker = Worker(more)
    for number in numbers:
        name, data = sample(options.seed, number, seeds)
        for op in options.operations.split(","):
            verdict, text, seconds = worker.ask(op, name, data, OPTIONS.get(op, {}))
            counts[op, verdict] += 1
            if verdict in ("internal", "died", "slow", "grown"):
                found.append((number, name, op, verdict, text, seconds))
            if verdict in ("died", "slow", "grown") or worker.process.poll() is not None:
                worker.close()
                worker = Worker(more)
    worker.close()
    return counts, found, time.process_time()


def split(count: int, parts: int) -> Iterator[range]:
    for part in range(parts):
        yield range(part, count, parts)


def main() -> int:
    parser = argparse.ArgumentParser(description="Damaged files for the handlers.")
    parser.add_argument("seeds", nargs="+")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this sample alone")
    parser.add_argument("--keep", type=Path, help="folder for the samples that found something")
    parser.add_argument("--operations", default="read", help="of read, text, checksum, preview: comma between them")
    options = parser.parse_args()
    seeds = load(options.seeds)
    if options.only is not None:
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            name, data = sample(options.seed, options.only, seeds)
            (options.keep / f"{options.seed}-{options.only}-{name}").write_bytes(data)
        _, found, _ = run(range(options.only, options.only + 1), options)
        print(*found, sep="\n")
        return 1 if found else 0
    began = time.monotonic()
    with multiprocessing.Pool(options.workers) as pool:
        parts = pool.starmap(run, [(numbers, options) for numbers in split(options.count, options.workers)])
    counts = sum((part[0] for part in parts), collections.Counter())
    found = sorted(one for part in parts for one in part[1])
    print(f"{options.count} samples of {len(seeds)} seeds, seed {options.seed}, {time.monotonic() - began:.0f} s\n")
    print("| operation | verdict | files |\n|---|---|---|")
    for (op, verdict), count in sorted(counts.items()):
        print(f"| {op} | {verdict} | {count} |")
    kinds: collections.Counter[tuple[str, ...]] = collections.Counter()
    for number, name, op, verdict, text, seconds in found:
        kind = (op, verdict, text.split(":")[0], name)
        kinds[kind] += 1
        if kinds[kind] <= SHOWN:
            print(f"sample {number} of {name}: {op}: {verdict}: {text[:200]} ({seconds:.2f} s)")
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                data = sample(options.seed, number, seeds)[1]
                (options.keep / f"{options.seed}-{number}-{name}").write_bytes(data)
    print(f"\n{len(found)} findings, {len(kinds)} kinds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
