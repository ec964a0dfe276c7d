#!/usr/bin/env python3
"""What is the least that a `get` can cost on this stack? The parts alone, beside the whole, on a library of many rows.

    python bench/floor_latency.py [--rows 1000000]
    python bench/floor_latency.py --socket SOCKET --dsn DSN    # a daemon that is there, and its database

An echo between two processes over a Unix socket, as large as a `get` and its answer; prepared statements through
libpq alone, one after the other (pgbench, which is C; psycopg.pq, which the daemon uses, without a loop): nothing, a
row by its key, the daemon's own statement for one item and for 64; then `ping` and `get` themselves. Milliseconds are
of the wall; CPU is of the two sides of the socket, in microseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import measure
import psycopg
import rows as synthetic
import uvloop
import warm_get
from psycopg import pq

from mediad.store.queries import load
from mediad.store.store import pack

ROUNDS = 5000
WARM_UP = 500
AT_ONCE = 64
REQUEST_BYTES, REPLY_BYTES = 40, 1200  # of a get by id and a song's record
SETTINGS = "-c search_path=mediadb -c max_parallel_workers_per_gather=0 -c jit=off"
BY_KEY = (
    "SELECT f.id, f.name, f.size, f.mtime_ns, d.fields FROM file f JOIN file_detail d ON d.file = f.id "
    "WHERE f.stream = $1::uuid"
)


@dataclass(frozen=True)
class Cost:
    """Of one round: seconds of the wall, median and 99th percentile; CPU seconds of who asks and of who answers."""

    name: str
    p50: float
    p99: float
    asking: float | None
    answering: float | None
    each: int = 1  # items a round

    def cells(self) -> list[str]:
        cpu = ["" if value is None else f"{value / self.each * 1e6:.0f}" for value in (self.asking, self.answering)]
        return [self.name, f"{self.p50 * 1e3:.3f}", f"{self.p99 * 1e3:.3f}", f"{self.each / self.p50:,.0f}", *cpu]


def rounds(name: str, call: Callable[[int], None], pid: int, count: int = ROUNDS, each: int = 1) -> Cost:
    """The cost of a call, many times. `pid`: the process that answers."""
    for number in range(WARM_UP // each + 1):
        call(number)
    there, here = measure.exact_cpu(pid), time.process_time()
    times = []
    for number in range(count // each):
        began = time.perf_counter()
        call(number)
        times.append(time.perf_counter() - began)
    asking, answering = time.process_time() - here, measure.exact_cpu(pid) - there
    p50, p99 = measure.percentile(times, 0.5), measure.percentile(times, 0.99)
    return Cost(name, p50, p99, asking / len(times), answering / len(times), each)


def echo() -> Cost:
    """Two processes, blocking calls, nothing done with what comes."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        ours.close()
        while theirs.recv(1 << 16):
            theirs.send(b"x" * REPLY_BYTES)
        os._exit(0)
    theirs.close()
    request = b"x" * REQUEST_BYTES

    def call(_number: int) -> None:
        ours.send(request)
        ours.recv(1 << 16)

    try:
        return rounds("echo, two processes", call, child)
    finally:
        ours.close()
        os.waitpid(child, 0)


class Libpq:
    """Prepared statements on one connection, blocking, results in binary and not decoded."""

    def __init__(self, dsn: str) -> None:
        self._pg = pq.PGconn.connect(f"{dsn} options='{SETTINGS}'".encode())
        if self._pg.status != pq.ConnStatus.OK:
            sys.exit(f"no connection to {dsn}: {self._pg.get_error_message()}")
        self.pid = self._pg.backend_pid

    def prepare(self, name: str, sql: str) -> Callable[[Sequence[bytes]], None]:
        """A function that runs it."""
        self._check(self._pg.prepare(name.encode(), sql.encode()), pq.ExecStatus.COMMAND_OK)

        def run(values: Sequence[bytes]) -> None:
            self._check(self._pg.exec_prepared(name.encode(), values, None, 1), pq.ExecStatus.TUPLES_OK)

        return run

    def _check(self, result: pq.abc.PGresult, wanted: pq.ExecStatus) -> None:
        if result.status != wanted:
            sys.exit(f"PostgreSQL: {result.get_error_message()}")


def statements(dsn: str, ids: list[str]) -> Iterator[Cost]:
    """What libpq alone takes for statements of the daemon's and for less."""
    link = Libpq(dsn)
    own = load(Path(__file__).parents[1] / "sql" / "queries")
    nothing, key = link.prepare("nothing", "SELECT 1"), link.prepare("key", BY_KEY)
    heads, records = (link.prepare(name, own[name].sql) for name in ("heads_of_items", "records_of_items"))
    one = [pack([ident]).encode() for ident in ids]
    many = [pack(ids[i : i + AT_ONCE]).encode() for i in range(0, len(ids) - AT_ONCE, AT_ONCE)]
    raw = [ident.encode() for ident in ids]
    yield rounds("libpq: nothing (SELECT 1)", lambda n: nothing([]), link.pid)
    yield rounds("libpq: a file and its fields, by key", lambda n: key([raw[n % len(raw)]]), link.pid)
    yield rounds("libpq: the statement of a light get", lambda n: heads([one[n % len(one)]]), link.pid)
    yield rounds("libpq: the statement of a get", lambda n: records([one[n % len(one)]]), link.pid)
    name = f"libpq: the same for {AT_ONCE} items, rate of items"
    yield rounds(name, lambda n: records([many[n % len(many)]]), link.pid, each=AT_ONCE)


def pgbench(dsn: str, files: int) -> Iterator[Cost]:
    """The same by a client in C: nothing and a row by its key, prepared, one connection."""
    program = shutil.which("pgbench")
    if program is None:
        print("pgbench is not installed: its rows are left out", file=sys.stderr)
        return
    scripts = {
        "pgbench: nothing (SELECT 1)": "SELECT 1;\n",
        "pgbench: a file by its number": f"\\set n random(1, {files})\nSELECT id, name FROM file WHERE id = :n;\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, script in scripts.items():
            (Path(folder) / "script.sql").write_text(script)
            subprocess.run(
                [program, "-n", "-M", "prepared", "-c", "1", "-t", str(ROUNDS), "-l", "--log-prefix=times",
                 "-f", "script.sql", f"{dsn} options='{SETTINGS}'"],
                cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            times = []
            for log in Path(folder).glob("times.*"):
                times += [int(line.split()[2]) / 1e6 for line in log.read_text().splitlines()]
                log.unlink()
            yield Cost(name, measure.percentile(times, 0.5), measure.percentile(times, 0.99), None, None)


async def daemon(address: Path, pid: int, ids: list[str]) -> list[Cost]:
    """The whole: `ping` and `get`. CPU is the daemon's."""
    found = await warm_get.measure_client(address, pid, ids, ROUNDS, AT_ONCE)
    kept = ("ping", "get by id", "get by id, light", "get by path")
    return [
        Cost(f"mediad: {name}, {flight} in flight", flight / each.rate if flight > 1 else each.p50, each.p99, None,
             each.cpu * flight, flight)
        for (name, flight), each in found.items() if name in kept
    ]  # fmt: skip


def report(dsn: str, address: Path, pid: int, ids: list[str], files: int) -> str:
    """The table."""
    random.Random(2).shuffle(ids)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        whole = runner.run(daemon(address, pid, ids))
    found = [echo(), *pgbench(dsn, files), *statements(dsn, ids), *whole]
    load_average = f"load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores, {files:,} files"
    header = ["one after the other", "p50 ms", "p99 ms", "a second", "CPU us asking", "CPU us answering"]
    return f"{load_average}\n\n" + measure.table(header, [each.cells() for each in found])


def spread(dsn: str) -> tuple[list[str], int]:
    """Ids of items all over a library, and how many files it has about."""
    with psycopg.connect(dsn, options="-c search_path=mediadb") as link:
        row = link.execute("SELECT max(id) FROM file").fetchone()
        files = int(row[0]) if row and row[0] else 0
        wanted = random.Random(1).sample(range(1, files + 1), min(files, synthetic.SAMPLE))
        ids = [str(each[0]) for each in link.execute("SELECT stream FROM file WHERE id = ANY(%s)", (wanted,))]
    if len(ids) <= AT_ONCE:
        sys.exit(f"too few files to ask for: {len(ids)}")
    return ids, files


def serving(address: Path) -> int:
    """The process behind a socket (unix(7), SO_PEERCRED)."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(address))
        credentials = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[:4], sys.byteorder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--socket", type=Path)
    parser.add_argument("--dsn")
    given = parser.parse_args()
    if given.socket and given.dsn:
        print(report(given.dsn, given.socket, serving(given.socket), *spread(given.dsn)))
        return
    if given.socket or given.dsn:
        sys.exit("--socket and --dsn go together")
    measure.become_subreaper()
    with measure.private_daemon() as private:
        synthetic.fill(private.dsn, given.rows, progress=True)
        print(report(private.dsn, private.socket, private.process.pid, *spread(private.dsn)))


if __name__ == "__main__":
    main()
