"""What the database can do to a daemon: be absent, refuse, freeze, drop every connection, run out of disk, be of
another version. The daemon answers clearly, in time, and goes on when the fault is over."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mediactl import Client, requests
from mediad.errors import DeadlineExceeded, DiskFull, MediadError, Unavailable
from mediad.store.account import find_account
from tests import pg
from tests.daemon import Daemon
from tests.daemon.library import (
    add_or_repeat,
    check_order,
    cluster_dsn,
    contents,
    make_library,
    sql,
    wait_until,
    wait_until_read,
)

# Shorter than the defaults (5 and 30 s), so that the suite is quick; the mechanism is the same.
SOON = "database_seconds = 1.5\ndeadline_seconds = 3.0\n"


@pytest.fixture
def made() -> Iterator[Daemon]:
    daemon = Daemon(config=SOON)
    try:
        yield daemon
    finally:
        daemon.remove()


def backends(dsn: str) -> list[int]:
    with sql(dsn) as ask:
        rows = ask(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mediad'"
        )
    return [pid for (pid,) in rows]


def terminate(dsn: str) -> int:
    with sql(dsn) as ask:
        return len(
            ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'mediad'"
            )
        )


# ---------------------------------------------------------------- absent


@pytest.mark.parametrize("dsn", ["nonsense", "postgresql://user:secret@[::1/x", "hots=/tmp"])
def test_a_connection_string_that_is_none(made: Daemon, dsn: str) -> None:
    made.dsn = dsn
    done = subprocess.run(made.command(), capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "the connection string cannot be read" in done.stderr and "Traceback" not in done.stderr
    assert "secret" not in done.stderr


class Gate:
    """A TCP port in front of the test's server: closed it refuses, open it passes bytes on."""

    def __init__(self, target: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.target = target
        self.listener: socket.socket | None = None

    def open(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.target)
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join()

    @staticmethod
    def _pass(source: socket.socket, into: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                into.sendall(data)
            into.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()


def test_a_server_that_refuses_and_comes_later(made: Daemon) -> None:
    database = pg.fresh_database()
    parts = dict(part.split("=", 1) for part in database.split())
    gate = Gate(parts["host"] + "/.s.PGSQL.5432")
    made.dsn = f"host=127.0.0.1 port={gate.port} user=mediadb dbname={parts['dbname']}"
    made.start(ready=False)
    library = make_library(made.folder / "library", 20)
    with made.client() as client:
        assert client.ping(b"x") == b"x"
        status = client.status()
        assert status.database in ("starting", "unavailable")
        assert "refused" in status.database_problem
        assert any("refused" in note for note in status.notes)
        for ask in (lambda: client.query("x"), client.roots, lambda: client.add([library])):
            begun = time.monotonic()
            with pytest.raises(Unavailable, match="refused"):
                ask()
            assert time.monotonic() - begun < 4.0
        gate.open()
        wait_until(lambda: client.status().database == "ready", 15.0, "the recovery")
        assert client.add([library]).files_read == 20
    assert made.stop() == 0
    gate.close()


# ---------------------------------------------------------------- frozen


def test_frozen_backends(made: Daemon) -> None:
    made.start()
    library = make_library(made.folder / "library", 30)
    dsn = made.dsn or ""
    path = os.fsencode(next(library.rglob("*.mp3")))
    with made.client() as client:
        client.add([library])
        list(client.query("kind:audio"))
        frozen = backends(dsn)
        assert len(frozen) >= 2
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            timed: list[tuple[Callable[[], Any], float]] = [
                (lambda: client.get(path), 1.5), (client.roots, 3.0), (lambda: list(client.query("x")), 3.0),
            ]  # fmt: skip
            for ask, limit in timed:
                begun = time.monotonic()
                with contextlib.suppress(
                    Unavailable, DeadlineExceeded
                ):  # the first finds the frozen link, the next a new one
                    ask()
                assert time.monotonic() - begun < limit + 1.5
            begun = time.monotonic()
            assert client.ping(b"alive") == b"alive"
            assert time.monotonic() - begun < 0.5
            # Others do not wait for the frozen ones: new connections are made, and answer.
            wait_until(lambda: _works(lambda: client.get(path)), 10.0, "reading beside frozen backends")
            answer = client.checksum(path)[0]
            assert answer.problem is None and len(answer.digests) == 3
        finally:
            for pid in frozen:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        assert client.add([library]).files_listed == 30
        wait_until(lambda: client.status().database == "ready", 10.0, "the recovery")


def _works(ask: Callable[[], Any]) -> bool:
    try:
        ask()
    except Unavailable:
        return False
    return True


def test_frozen_while_it_holds_locks(made: Daemon) -> None:
    """A backend that is frozen within a transaction keeps the lock on the counter of events: whatever writes events
    waits, says so in time, and goes on when the backend is terminated."""
    made.start()
    library = make_library(made.folder / "library", 300)
    dsn = made.dsn or ""
    request = requests.add_request([library], wait=True, once=False, cross_mounts=False, exclude=())
    done: list[Any] = []

    def add() -> None:
        with made.client() as client:
            done.append(add_or_repeat(client, request))

    with psycopg.connect(dsn) as holder:
        holder.execute("UPDATE mediadb.feed SET last = last")
        thread = threading.Thread(target=add)
        thread.start()
        time.sleep(2.5)  # longer than database_seconds and lock_timeout
        with made.client() as client:
            begun = time.monotonic()
            list(client.query("kind:audio"))  # readers do not wait for writers
            assert time.monotonic() - begun < 1.5
        assert thread.is_alive() and not done
        holder.rollback()
    thread.join(60)
    assert done and done[0].add.files_listed == 300
    wait_until_read(made, 300)
    check_order(dsn)


# ---------------------------------------------------------------- dropped


def test_every_connection_dropped_under_load(made: Daemon) -> None:
    made.start()
    dsn = made.dsn or ""
    first = make_library(made.folder / "first", 60, prefix="a")
    with made.client() as client:
        client.add([first])
    paths = [os.fsencode(path) for path in first.rglob("*") if path.is_file()]
    stop = threading.Event()
    faults: list[Exception] = []
    served = {"query": 0, "get": 0, "checksum": 0, "add": 0}
    acknowledged: set[bytes] = set()

    def load(name: str, ask: Callable[[Client, int], Any]) -> None:
        number = 0
        try:
            with made.client() as client:
                while not stop.is_set():
                    try:
                        ask(client, number)
                        served[name] += 1
                    except MediadError as error:
                        if not error.retryable:
                            faults.append(error)
                    number += 1
        except (MediadError, AssertionError) as error:
            faults.append(error)

    def query(client: Client, number: int) -> None:
        assert len(list(client.query("", files=True))) >= 60

    def get(client: Client, number: int) -> None:
        [result] = client.get(paths[number % 60])
        assert result.item is not None, result.problem

    def checksum(client: Client, number: int) -> None:
        [result] = client.checksum(paths[number % 60])
        if result.problem is None:
            acknowledged.add(paths[number % 60])
        else:
            assert result.problem.retryable, result.problem

    def add(client: Client, number: int) -> None:
        top = make_library(made.folder / f"more{number:03}", 20, prefix=f"b{number:03}x")
        request = requests.add_request([top], wait=True, once=True, cross_mounts=False, exclude=())
        added.append(number)
        add_or_repeat(client, request)

    added: list[int] = []
    threads = [
        threading.Thread(target=load, args=(name, ask))
        for name, ask in (("query", query), ("get", get), ("checksum", checksum), ("add", add))
    ]
    for thread in threads:
        thread.start()
    dropped = 0
    for _ in range(10):
        time.sleep(0.4)
        dropped += terminate(dsn)
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not faults, faults
    assert dropped >= 10 and all(count > 3 for count in served.values()), (dropped, served)
    wait_until_read(made, 60 + 20 * len(added))
    check_order(dsn)
    assert all(row[0] == "read" for row in contents(dsn).values())
    with sql(dsn) as ask:
        # What was acknowledged is stored; a repeat after a lost connection leaves no second row and no second event
        # beyond those of a computation that was really done twice.
        [(stored,)] = ask("SELECT count(*) FROM mediadb.checksum")
        assert stored >= len(acknowledged) > 3
        doubles = "SELECT target FROM mediadb.event WHERE action = 'checksummed' GROUP BY target HAVING count(*) > 1"
        assert ask(doubles) == []
        assert ask("SELECT count(*) FROM mediadb.operation WHERE finished_ns IS NULL") == [(0,)]
    assert made.stop() == 0


# ---------------------------------------------------------------- disk full


@pytest.fixture
def small_disk() -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("a file system of its own needs root")
    folder = pg.make_folder()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m,mode=711", "tmpfs", folder], check=False)
    if done.returncode != 0:
        shutil.rmtree(folder)
        pytest.skip("mount is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def fill(place: Path, leave: int) -> Path:
    """Fills a file system but for `leave` bytes."""
    filler = place / "filler"
    with open(filler, "wb") as out:
        for turn in range(10):
            free, held = os.statvfs(place), os.fstat(out.fileno()).st_blocks * 512
            try:
                os.posix_fallocate(out.fileno(), 0, max(1, held + free.f_bavail * free.f_frsize - leave))
                break
            except OSError as error:  # the database took of it in between
                if error.errno != errno.ENOSPC or turn == 9:
                    raise
    return filler


@pytest.mark.parametrize("leave", [0, 200_000, 3_000_000])
def test_a_full_disk(small_disk: Path, leave: int) -> None:
    outside = pg.make_folder()
    daemon = Daemon(embedded=True, config=SOON)
    daemon.data = small_disk / "data"
    try:
        daemon.start()
        before = make_library(outside / "before", 60, prefix="a")
        many = make_library(outside / "many", 2500, prefix="b")
        path = os.fsencode(next(before.rglob("*.mp3")))
        with daemon.client() as client:
            client.add([before])
            filler = fill(small_disk, leave)
            request = requests.add_request([many], wait=True, once=False, cross_mounts=False, exclude=())
            begun = time.monotonic()
            pending = client.submit(request)
            failure: list[MediadError] = []

            def wait() -> None:
                try:
                    list(pending.replies())
                except MediadError as error:
                    failure.append(error)

            thread = threading.Thread(target=wait)
            thread.start()
            with daemon.client() as other:
                while thread.is_alive() and time.monotonic() - begun < 8.0:
                    time.sleep(0.2)
                status = other.status()
                assert status.database in ("ready", "unavailable")
                said = [*status.notes, status.database_problem, *(str(error) for error in failure)]
                assert any("full" in text or "No space left" in text for text in said), said
                # Reading goes on while the disk is full, unless the log itself has no room: then PostgreSQL is down,
                # and the reason is said (test_no_room_for_the_log has what follows).
                wait_until(
                    lambda: _works(lambda: other.get(path)) or "No space left" in other.status().database_problem,
                    10.0, "reading on a full disk, or the reason why not",
                )  # fmt: skip
                if other.status().database == "ready":
                    assert other.get(path)[0].item is not None
                    assert len(list(other.query("", files=True))) >= 60
            filler.unlink()
            thread.join(90)
            assert not thread.is_alive()
            for error in failure:
                assert isinstance(error, DiskFull | Unavailable) and error.retryable, error
            assert add_or_repeat(client, request, 90.0).add.files_listed == 2500
        wait_until_read(daemon, 2560)
        check_order(cluster_dsn(daemon))
        assert daemon.stop() == 0
    finally:
        daemon.remove()
        shutil.rmtree(outside, ignore_errors=True)


def test_no_room_for_the_log(small_disk: Path) -> None:
    """The disk has room for rows but not for the next segment of PostgreSQL's write-ahead log: it stops, and cannot
    start again. The daemon says so, keeps trying, and goes on when there is room."""
    outside = pg.make_folder()
    daemon = Daemon(embedded=True, config=SOON)
    daemon.data = small_disk / "data"
    try:
        daemon.start()
        before = make_library(outside / "before", 60, prefix="a")
        many = outside / "many"
        for number in range(8_000):
            folder = many / f"{number % 100:02}"
            if number < 100:
                folder.mkdir(parents=True)
            (folder / f"b{number}.txt").touch()
        with daemon.client() as client:
            client.add([before])
            filler = fill(small_disk, 13 << 20)
            request = requests.add_request([many], wait=False, once=False, cross_mounts=False, exclude=())
            thread = threading.Thread(target=lambda: add_or_repeat(client, request, 150.0))
            thread.start()
            with daemon.client() as other:

                def said() -> bool:
                    status = other.status()
                    texts = [*status.notes, status.database_problem]
                    return any("full" in text or "No space left" in text for text in texts)

                wait_until(said, 30.0, "word of the full disk")
                assert other.ping(b"x") == b"x"
            assert thread.is_alive()
            filler.unlink()
            thread.join(120)
            assert not thread.is_alive()
        wait_until_read(daemon, 8_060, 120.0)
        check_order(cluster_dsn(daemon))
        assert daemon.stop() == 0
    finally:
        daemon.remove()
        shutil.rmtree(outside, ignore_errors=True)


# ---------------------------------------------------------------- another version


def test_a_cluster_of_another_major(embedded_daemon: Daemon) -> None:
    embedded_daemon.start()
    embedded_daemon.stop()
    version = embedded_daemon.data / "cluster/PG_VERSION"
    version.write_text("9\n")
    done = subprocess.run(embedded_daemon.command(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "the data were written by PostgreSQL 9" in done.stderr and "found: 1" in done.stderr
    assert "dump the database" in done.stderr and "Traceback" not in done.stderr
    assert not embedded_daemon.socket.exists()
    version.write_text("15\n")


def test_a_folder_that_is_no_cluster(embedded_daemon: Daemon) -> None:
    (embedded_daemon.data / "cluster").mkdir(parents=True)
    if os.geteuid() == 0:
        embedded_daemon.data.chmod(0o711)
        account = find_account(None)
        done = subprocess.run(embedded_daemon.command(), capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 1 and "belongs to uid 0" in done.stderr and "chown -R" in done.stderr
        os.chown(embedded_daemon.data / "cluster", account.uid, account.gid)
    done = subprocess.run(embedded_daemon.command(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "no PostgreSQL cluster" in done.stderr and "Traceback" not in done.stderr
