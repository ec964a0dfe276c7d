"""What the bare stack costs for the library of a first scan: the part of our cost that no rewriting takes away.

    python bench/floor.py LIBRARY [--audio] [--runs 3] [--out PAGE]

One first scan by mediad, its CPU by part. Then, each alone, with nothing of ours in it:

- a walk with a stat of each name;
- open, fstat, as many reads of as many bytes as our workers did (their /proc/PID/io, proc_pid_io(5)), close;
- COPY in binary format of the very rows that the scan wrote, by libpq, into tables of the same schema in the same
  server: bare tables, then with their indexes, with foreign keys, with triggers; in one transaction, or in one for
  every 128 files (then without foreign keys: a batch is cut by count, not by what refers to what). The rows of `todo`,
  which are gone after a scan, are made anew and deleted again.

CPU is user + system time, in microseconds a file; of PostgreSQL's backend and the client to the nanosecond
(/proc/PID/schedstat), without its writers in the background. What must hold at any load is the ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import struct
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

import measure
import peers
import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from mediad.index import terms

BATCH_FILES = 128
# PostgreSQL manual, COPY, "Binary Format": signature, flags, length of the header's extension; then rows; then -1.
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_END = struct.pack("!h", -1)
_NOT_COPIED = ("feed", "migration", "todo", "flight")  # of one row, of the daemon, or empty after a scan
_TABLES = """SELECT c.relname, ARRAY(SELECT p.relname::text FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid
WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid)
FROM pg_class c WHERE c.relnamespace = 'mediadb'::regnamespace AND c.relkind = 'r' ORDER BY c.relname"""
_QUEUED = """WITH RECURSIVE down(id, root, names, depth) AS (
    SELECT id, root, '{}'::bytea[], 0 FROM mediadb.dir WHERE parent IS NULL
    UNION ALL SELECT d.id, d.root, w.names || d.name, w.depth + 1 FROM down w JOIN mediadb.dir d ON d.parent = w.id
) SELECT f.id, w.root, f.name, w.names, f.size, f.mtime_ns, f.kind_guess
FROM mediadb.file f JOIN down w ON w.id = f.dir WHERE f.type = 'f' ORDER BY f.id"""
_DROPS = {
    "triggers": """SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT tgisinternal AND c.relnamespace = 'mediadb'::regnamespace""",
    "foreign keys": """SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
        FROM pg_constraint WHERE contype = 'f' AND connamespace = 'mediadb'::regnamespace""",
    "constraints": """SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
        FROM pg_constraint WHERE contype IN ('p', 'u') AND connamespace = 'mediadb'::regnamespace""",
    "indexes": """SELECT format('DROP INDEX mediadb.%I', indexname) FROM pg_indexes WHERE schemaname = 'mediadb'""",
}
# What stays of the schema, and what is dropped for it, in that order.
VARIANTS = {
    "bare tables": ("triggers", "foreign keys", "constraints", "indexes"),
    "and indexes": ("triggers", "foreign keys"),
    "and foreign keys": ("triggers",),
    "and triggers: the whole schema": (),
}
BATCHED = "indexes and triggers, a transaction for 128 files"


class Rows:
    """The rows of one table in COPY's binary format, each by itself."""

    def __init__(self, name: str, rows: list[bytes]) -> None:
        self.name, self.rows = name, rows

    @property
    def size(self) -> int:
        return sum(map(len, self.rows))

    def share(self, number: int, count: int) -> list[bytes]:
        """The rows of one of `count` batches, in the order in which they were written."""
        return self.rows[len(self.rows) * number // count : len(self.rows) * (number + 1) // count]


def cut(stream: bytes) -> list[bytes]:
    """The rows of a binary COPY."""
    at = len(_HEADER) + struct.unpack_from("!i", stream, len(_HEADER) - 4)[0]
    found = []
    while (fields := struct.unpack_from("!h", stream, at)[0]) >= 0:
        begin, at = at, at + 2
        for _ in range(fields):
            at += 4 + max(0, struct.unpack_from("!i", stream, at)[0])
        found.append(stream[begin:at])
    return found


def written(link: psycopg.Connection) -> list[Rows]:
    """What a scan left in the tables, those that are referred to before those that refer."""
    above: dict[str, list[str]] = dict(link.execute(_TABLES).fetchall())
    ordered: list[str] = []
    while above:
        ready = [name for name, parents in above.items() if not set(parents) & above.keys()]
        ordered += ready
        for name in ready:
            del above[name]
    found = []
    for name in ordered:
        if name in _NOT_COPIED:
            continue
        # Tables that never lost a row have them in the order in which they came.
        with link.cursor().copy(f"COPY mediadb.{name} TO STDOUT (FORMAT binary)".encode()) as copy:
            rows = cut(b"".join(bytes(part) for part in copy))
        if rows:
            found.append(Rows(name, rows))
    return found


def queued(link: psycopg.Connection, top: bytes) -> Rows:
    """The rows of `todo` as the walk wrote them: each file with the words of its name."""
    rows = []
    for file, root, name, names, size, mtime, kind in link.execute(_QUEUED):
        words = terms.listed(name, tuple(names) or (os.path.basename(top),), size, mtime, kind).binary()
        values = [struct.pack("!q", file), struct.pack("!q", root), struct.pack("!h", 0), struct.pack("!q", 0), words]
        rows.append(struct.pack("!h", len(values)) + b"".join(len(v).to_bytes(4, "big") + v for v in values))
    return Rows("todo", rows)


class Target:
    """A database of its own in the daemon's server, and one bare libpq connection to it."""

    def __init__(self, dsn: str, drop: Sequence[str]) -> None:
        self._dsn = dsn
        with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as link:
            link.execute("DROP DATABASE IF EXISTS floor")
            link.execute("CREATE DATABASE floor")
        text = make_conninfo(dsn, dbname="floor")
        with psycopg.connect(text, autocommit=True) as link:
            link.execute((files("mediad.sql") / "schema.sql").read_bytes())
            for name in drop:
                for (statement,) in link.execute(_DROPS[name].encode()).fetchall():
                    link.execute(statement.encode())
        self._pgconn = pq.PGconn.connect(text.encode())
        self.run(b"SET search_path TO mediadb, pg_catalog")

    def run(self, statement: bytes) -> None:
        """SystemExit where the server refuses it."""
        result = self._pgconn.exec_(statement)
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COPY_IN):
            raise SystemExit(f"{statement.decode()}: {result.error_message.decode()}")

    def copy(self, name: str, rows: Iterable[bytes]) -> None:
        self.run(b"COPY %b FROM STDIN (FORMAT binary)" % name.encode())
        self._pgconn.put_copy_data(_HEADER + b"".join(rows) + _END)
        self._pgconn.put_copy_end()
        while (result := self._pgconn.get_result()) is not None:
            if result.status != pq.ExecStatus.COMMAND_OK:
                raise SystemExit(f"COPY {name}: {result.error_message.decode()}")

    def spent(self) -> tuple[float, float]:
        """CPU seconds so far: (the backend, this process)."""
        return measure.exact_cpu(self._pgconn.backend_pid), time.process_time()

    def close(self) -> None:
        self._pgconn.finish()


def copy_all(dsn: str, tables: list[Rows], drop: Sequence[str], batches: int) -> tuple[float, float, dict[str, float]]:
    """CPU seconds of (backend, client), and the backend's by table, for copying all rows in so many transactions."""
    target = Target(dsn, drop)
    by_table = dict.fromkeys((each.name for each in tables), 0.0)
    begun = last = target.spent()
    for number in range(batches):
        target.run(b"BEGIN")
        for each in tables:
            rows = each.share(number, batches)
            if not rows or (each.name == "word" and "triggers" not in drop):
                continue
            target.copy(each.name, rows)
            now = target.spent()
            by_table[each.name] += now[0] - last[0]
            last = now
        target.run(b"COMMIT")
    target.run(b"DELETE FROM todo")
    now = target.spent()
    by_table["todo"] += now[0] - last[0]
    target.close()
    return now[0] - begun[0], now[1] - begun[1], by_table


class Workers:
    """What each worker has spent and read, looked at ten times a second: some are gone before the scan is over."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[float, int, int]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Workers:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.1):
            self.look()

    def look(self) -> None:
        """/proc/PID/io: rchar, syscr; CPU of the whole process, to a tick."""
        for pid in measure.descendants(os.getpid()):
            try:
                if b"mediad_handlers" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    lines = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
                    spent = sum(map(int, measure.stat_fields(pid)[11:13])) / measure.TICK
                    self._seen[pid] = (spent, int(lines["rchar"]), int(lines["syscr"]))
            except (OSError, KeyError):
                continue  # it ended while we looked

    def total(self) -> tuple[float, int, int]:
        """(CPU seconds, bytes read, calls that read) of all that were seen."""
        rows = list(self._seen.values())
        return sum(row[0] for row in rows), sum(row[1] for row in rows), sum(row[2] for row in rows)


def read_all(folder: Path, size: int, calls: int) -> float:
    """CPU seconds of opening every file and reading `size` bytes of it in `calls` reads spread over it."""
    paths = [os.path.join(place, name) for place, _folders, names in os.walk(folder) for name in names]
    each = max(1, size // max(1, calls))
    began = time.process_time()
    for path in paths:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        length = os.fstat(fd).st_size
        for number in range(calls):
            os.pread(fd, each, length * number // calls)
        os.close(fd)
    return time.process_time() - began


def report(folder: Path, runs: int) -> str:
    """The page."""
    count, _ = measure.walk(folder)
    measure.warm(folder)
    walked = statistics.median(measure.walk(folder)[1].cpu for _ in range(runs))
    found: dict[str, list[tuple[float, float, dict[str, float]]]] = {name: [] for name in (*VARIANTS, BATCHED)}
    with measure.private_daemon() as daemon:
        before, workers = measure.cpu_by_part(), Workers()
        workers.look()
        earlier = workers.total()
        with workers:
            spent = daemon.measure("add", "--wait", str(folder))
        after, later = measure.cpu_by_part(), workers.total()
        after["workers"] = before["workers"] + later[0] - earlier[0]
        size, calls = (max(1, round((later[i] - earlier[i]) / count)) for i in (1, 2))
        with psycopg.connect(daemon.dsn, autocommit=True) as link:
            tables = written(link)
            todo = queued(link, os.fsencode(folder))
        place = next(i for i, each in enumerate(tables) if each.name == "file") + 1
        tables.insert(place, todo)
        for _ in range(runs):
            for name, drop in VARIANTS.items():
                found[name].append(copy_all(daemon.dsn, tables, drop, 1))
            found[BATCHED].append(copy_all(daemon.dsn, tables, ("foreign keys",), -(-count // BATCH_FILES)))
    opened = statistics.median(read_all(folder, size, calls) for _ in range(runs))

    def us(seconds: float) -> str:
        return f"{1e6 * seconds / count:.1f}"

    lines = [f"# The floor of a first scan\n\n{count:,} files, {runs} runs, medians; load {os.getloadavg()[0]:.1f}"]
    parts = [[name, us(after[name] - before[name])] for name in after if name != "client"]
    lines.append(measure.table(["mediad, one scan", "us CPU a file"], [*parts, ["all", us(spent.cpu)]]))
    rows = [["walk with stat", us(walked)], [f"open, {calls} reads of {size:,} bytes in all, close", us(opened)]]
    lines.append(measure.table(["files", "us CPU a file"], rows))
    rows = []
    for name, all_runs in found.items():
        server, client = (statistics.median(each) for each in ([r[0] for r in all_runs], [r[1] for r in all_runs]))
        rows.append([name, us(server), us(client)])
    lines.append(measure.table(["COPY of the same rows", "backend, us CPU a file", "client"], rows))
    rows = []
    for each in sorted(tables, key=lambda t: -len(t.rows)):
        if len(each.rows) * 10 > count or each.name == "word":
            cells = [us(statistics.median(run[2][each.name] for run in found[name])) for name in (*VARIANTS, BATCHED)]
            rows.append([each.name, f"{len(each.rows) / count:.2f}", f"{each.size / count:.0f}", *cells])
    head = ["table", "rows a file", "bytes", "bare", "indexes", "foreign keys", "triggers", "in batches"]
    lines.append(measure.table(head, rows))
    return "\n\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--audio", action="store_true", help="its music only (goal G2), linked or copied elsewhere")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    measure.become_subreaper()
    with tempfile.TemporaryDirectory(prefix="mediad-floor-") as name:
        folder = arguments.folder.resolve()
        if arguments.audio:
            os.chmod(name, 0o755)
            peers.linked(folder, Path(name), peers.AUDIO)
            folder = Path(name)
        page = report(folder, arguments.runs)
    print(page)
    if arguments.out:
        arguments.out.write_text(page)


if __name__ == "__main__":
    main()
