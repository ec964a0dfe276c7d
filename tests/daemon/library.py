"""A library to break things over: some hundred small real files, and what a database holds of it afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from mediactl import Client
from mediad.errors import MediadError
from tests.daemon import Daemon

DATA = Path(__file__).parent.parent / "data"
SMALL = 60_000  # bytes: the samples that cost little to copy and to parse

_ROWS = """
SELECT f.name, coalesce(r.state, 'listed'), r.kind, r.format, r.title, r.artist, f.size, f.missing_since_ns IS NULL,
       d.fields, d.tags,
       (SELECT array_agg(encode(k.value, 'hex') ORDER BY k.grade, k.algorithm) FROM mediadb.stream_key k
        WHERE k.stream = f.stream),
       t.words::text,
       (SELECT array_agg(m.kind || ' ' || m.name ORDER BY m.kind, m.name) FROM mediadb.file_meta x
        JOIN mediadb.meta m ON m.id = x.meta WHERE x.file = f.id)
FROM mediadb.file f LEFT JOIN mediadb.reading r ON r.file = f.id LEFT JOIN mediadb.file_detail d ON d.file = f.id
LEFT JOIN mediadb.file_text t ON t.file = f.id
"""


def samples() -> list[Path]:
    """The small samples, in a fixed order."""
    found = [
        path
        for kind in ("audio", "image")
        for path in sorted((DATA / kind).iterdir())
        if path.suffix not in (".json", ".md") and path.stat().st_size < SMALL
    ]
    assert len(found) > 20
    return found


def make_library(top: Path, count: int, *, prefix: str = "", folders: int = 20) -> Path:
    """Copies of the samples under `count` different names in some folders."""
    chosen = samples()
    for number in range(count):
        folder = top / f"{prefix}folder{number % folders:02}"
        folder.mkdir(parents=True, exist_ok=True)
        source = chosen[number % len(chosen)]
        shutil.copyfile(source, folder / f"{prefix}{number:04}{source.suffix}")
    return top


@contextlib.contextmanager
def sql(dsn: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Runs statements beside the daemon: `ask("SELECT 1")`."""
    with psycopg.connect(dsn, autocommit=True) as connection:

        def ask(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

        yield ask


def cluster_dsn(daemon: Daemon) -> str:
    """How to reach the cluster of an embedded daemon; as root or its own user."""
    return f"host={daemon.data}/cluster/run user=mediadb dbname=mediadb"


def contents(dsn: str) -> dict[bytes, tuple[Any, ...]]:
    """Everything that is known of each file, by name; ids and times apart."""
    with sql(dsn) as ask:
        rows = ask(_ROWS)
    found = {bytes(row[0]): row[1:] for row in rows}
    assert len(found) == len(rows), "a name is there twice"
    return found


def check_order(dsn: str) -> None:
    """What must hold whatever happened: nothing queued, every stream added once, numbers without gap or double."""
    with sql(dsn) as ask:
        assert ask("SELECT count(*) FROM mediadb.todo") == [(0,)]
        doubles = "SELECT target FROM mediadb.event WHERE action = 'added' GROUP BY target HAVING count(*) > 1"
        assert ask(doubles) == []
        [(count, first, last)] = ask("SELECT count(*), min(seq), max(seq) FROM mediadb.event")
        assert (first, last) == (1, count)
        assert ask("SELECT last FROM mediadb.feed") == [(last,)]
        assert ask("SELECT count(*) - count(DISTINCT stream) FROM mediadb.file") == [(0,)]
        [(added,)] = ask("SELECT count(*) FROM mediadb.event WHERE action = 'added' AND target_kind = 'stream'")
        assert [(added,)] == ask("SELECT count(*) FROM mediadb.file")


def wait_until(condition: Callable[[], bool], seconds: float, what: str = "it") -> None:
    """Waits for a condition; fails when it does not come true in time."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.02)


def wait_until_read(daemon: Daemon, count: int, seconds: float = 60.0) -> None:
    """Waits until so many files are known and none of them waits to be read, with no walk under way."""

    def finished() -> bool:
        try:
            with daemon.client() as client:
                status = client.status()
        except MediadError as error:
            if not error.retryable:
                raise
            return False
        return (status.files, status.pending, len(status.scans)) == (count, 0, 0)

    wait_until(finished, seconds, f"reading {count} files")


def alive(pid: int) -> bool:
    """The process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes_of(daemon: Daemon) -> set[int]:
    """The daemon's children, theirs, and the cluster's processes: all that has to be gone when it has stopped."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                stat = Path(f"/proc/{entry}/stat").read_text()
                parents[int(entry)] = int(stat.rsplit(")", 1)[1].split()[1])
    found = {daemon.pid}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found


def add_or_repeat(client: Client, request: Any, seconds: float = 60.0) -> Any:
    """Sends a request until it is answered, as a careful client does: after a retryable error again, under the same
    operation id."""
    until = time.monotonic() + seconds
    while True:
        try:
            return client.call(request)[-1]
        except MediadError as error:
            if not error.retryable or time.monotonic() > until:
                raise
            time.sleep(0.1)
