"""Several daemons (hosts) on one database; and one host's daemon against another that takes its place."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediactl import requests, workcalls
from mediad.errors import Conflict, MediadError, PermissionDenied
from tests import pg
from tests.daemon import Daemon
from tests.daemon.library import add_or_repeat, check_order, contents, make_library, sql, wait_until, wait_until_read


@pytest.fixture
def pair() -> Iterator[tuple[Daemon, Daemon]]:
    """Two daemons with data folders of their own on one fresh database, not started."""
    dsn = pg.fresh_database()
    one, two = Daemon(dsn=dsn), Daemon(dsn=dsn)
    try:
        yield one, two
    finally:
        try:
            one.remove()
        finally:
            two.remove()


def add(daemon: Daemon, top: Path, answers: list[Any]) -> threading.Thread:
    request = requests.add_request([top], wait=True, once=False, cross_mounts=False, exclude=())

    def work() -> None:
        with daemon.client() as client:
            answers.append(add_or_repeat(client, request))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def host_of(daemon: Daemon) -> uuid.UUID:
    with daemon.client() as client:
        host = client.status().host
    assert host is not None
    return host


def test_two_hosts_at_the_same_time(pair: tuple[Daemon, Daemon]) -> None:
    one, two = pair
    starts = [threading.Thread(target=daemon.start) for daemon in pair]  # both migrate: one does
    for thread in starts:
        thread.start()
    for thread in starts:
        thread.join()
    tops = [
        make_library(one.folder / "library", 300, prefix="a"),
        make_library(two.folder / "library", 300, prefix="b"),
    ]
    answers: list[Any] = []
    for thread in [add(daemon, top, answers) for daemon, top in zip(pair, tops, strict=True)]:
        thread.join()
    assert [answer.add.files_read for answer in answers] == [300, 300], "each reads its own files, and only those"
    dsn = one.dsn or ""
    check_order(dsn)
    assert all(row[0] == "read" for row in contents(dsn).values()) and len(contents(dsn)) == 600
    hosts = [host_of(daemon) for daemon in pair]
    assert hosts[0] != hosts[1]
    with sql(dsn) as ask:
        told = dict(ask("SELECT host, count(*) FROM mediadb.event WHERE action = 'added' GROUP BY host"))
        assert told == {hosts[0]: 301, hosts[1]: 301}  # its files and its root
        assert dict(ask("SELECT owner, count(*) FROM mediadb.root GROUP BY owner")) == {hosts[0]: 1, hosts[1]: 1}
    for daemon, own in zip(pair, hosts, strict=True):
        with daemon.client() as client:
            status = client.status()
            assert (status.files, status.items, status.pending) == (600, 600, 0)
            assert {root.host for root in client.roots()} == set(hosts)
            assert len(list(client.query("kind:audio", files=True))) == len(list(client.query("kind:audio")))
            assert {file.state for item in client.query("") for file in item.files} == {"read"}
            assert own in hosts


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a volume that only one host has mounted")
def test_files_on_a_volume_of_the_other_host(pair: tuple[Daemon, Daemon]) -> None:
    """What lies on a volume that is not mounted here is found, described, and has an empty path."""
    one, two = pair
    disk = one.folder / "disk"
    disk.mkdir()
    one.start()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=True)
    try:
        make_library(disk, 10, prefix="disk")
        with one.client() as client:
            client.add([disk])
            there = sorted(item.files[0].path for item in client.query(""))
        assert len(there) == 10 and all(path.startswith(os.fsencode(disk)) for path in there)
        two.start()
        with two.client() as client:
            items = list(client.query(""))
            assert len(items) == 10
            assert {file.path for item in items for file in item.files} == {b""}
            assert all(file.path_display for item in items for file in item.files)
            [result] = client.get(items[0].id)
            assert result.item is not None and result.item.files[0].path == b""
            [digest] = client.checksum(items[0].id)
            assert digest.problem is not None and digest.problem.code == "unavailable"
            assert "not mounted on this host" in digest.problem.message
            [root] = client.roots()
            assert root.state == "away"
    finally:
        one.stop()
        subprocess.run(["umount", "-l", disk], check=True)


def test_one_goes_on_when_the_other_dies(pair: tuple[Daemon, Daemon]) -> None:
    one, two = pair
    one.start()
    two.start()
    tops = [
        make_library(one.folder / "library", 400, prefix="a"),
        make_library(two.folder / "library", 400, prefix="b"),
    ]
    answers: list[Any] = []
    doomed = add(one, tops[0], answers)
    living = add(two, tops[1], answers)
    time.sleep(0.4)
    one.kill()
    living.join()
    wait_until(lambda: bool(answers), 30.0, "the living one's answer")
    with two.client() as client:
        assert len(list(client.query("", files=True))) >= 400
    one.start()  # doomed's client finds it again, with the same operation
    doomed.join()
    wait_until_read(one, 800)
    check_order(one.dsn or "")
    assert len(contents(one.dsn or "")) == 800


# ---------------------------------------------------------------- the place of a host


def twin(of: Daemon) -> Daemon:
    """A daemon that was given a copy of another one's data folder."""
    folder = pg.make_folder()
    copied = Daemon(folder=folder, dsn=of.dsn)
    copied._own_folder = True
    copied.data.mkdir()
    shutil.copy(of.data / "host-id", copied.data / "host-id")
    return copied


def test_a_copy_of_a_host_is_refused(pair: tuple[Daemon, Daemon]) -> None:
    one, _ = pair
    one.start()
    copied = twin(one)
    try:
        done = subprocess.run(copied.command(), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "already_exists: another daemon of this host works on this database" in done.stderr
        assert str(host_of(one)) in done.stderr and "Traceback" not in done.stderr
        library = make_library(one.folder / "library", 10)  # the first was not fenced off by the attempt
        with one.client() as client:
            assert client.add([library]).files_read == 10
        one.stop()
        copied.start()  # it may take the place once it is free
        with copied.client() as client:
            assert client.status().files == 10
    finally:
        copied.remove()


def raise_epoch(dsn: str) -> None:
    with sql(dsn) as ask:
        ask("UPDATE mediadb.host SET epoch = epoch + 1")


def test_a_fenced_daemon_never_writes_again(pair: tuple[Daemon, Daemon]) -> None:
    one, _ = pair
    one.start()
    dsn = one.dsn or ""
    first = make_library(one.folder / "first", 10, prefix="a")
    second = make_library(one.folder / "second", 10, prefix="b")
    with one.client() as client:
        client.add([first])
        raise_epoch(dsn)
        with pytest.raises(Conflict, match="has taken over"):
            client.add([second])
    assert one.process is not None and one.process.wait(20) == 1
    assert "has taken over" in one.text()
    with sql(dsn) as ask:
        assert ask("SELECT count(*) FROM mediadb.file") == [(10,)]
        assert ask("SELECT count(*) FROM mediadb.root") == [(1,)]
        assert ask("SELECT count(*) FROM mediadb.operation") == [(1,)]


def test_fenced_in_the_middle_of_reading(pair: tuple[Daemon, Daemon]) -> None:
    one, _ = pair
    one.start()
    dsn = one.dsn or ""
    library = make_library(one.folder / "library", 600)
    failures: list[MediadError] = []

    def work() -> None:
        try:
            with one.client() as client:
                client.add([library])
        except MediadError as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    with sql(dsn) as ask:
        wait_until(lambda: ask("SELECT count(*) FROM mediadb.reading WHERE state = 'read'")[0][0] > 0, 20.0, "reading")
    raise_epoch(dsn)
    with sql(dsn) as ask:
        at_once = ask("SELECT (SELECT count(*) FROM mediadb.todo), (SELECT last FROM mediadb.feed)")
    assert one.process is not None and one.process.wait(20) == 1
    thread.join(30)
    with sql(dsn) as ask:
        later = ask("SELECT (SELECT count(*) FROM mediadb.todo), (SELECT last FROM mediadb.feed)")
    assert later == at_once and at_once[0][0] > 0
    assert failures
    one.start()  # the next daemon of the host takes up where that one was stopped
    wait_until_read(one, 600)
    check_order(dsn)
    assert one.stop() == 0


def test_fenced_while_it_was_cut_off(pair: tuple[Daemon, Daemon]) -> None:
    """The lock went with its session, another daemon of the host came and went: the first notices when it is back."""
    one, _ = pair
    one.start()
    dsn = one.dsn or ""
    with sql(dsn) as ask:
        ask("UPDATE mediadb.host SET epoch = epoch + 1")
        ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'mediad'"
        )
    assert one.process is not None and one.process.wait(20) == 1
    assert "has taken over" in one.text()


def test_the_lock_is_taken_again(pair: tuple[Daemon, Daemon]) -> None:
    """A lost session costs nothing when nobody else came: afterwards a copy of the host is still refused."""
    one, _ = pair
    one.start()
    dsn = one.dsn or ""
    with sql(dsn) as ask:
        held = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert ask(held) == [(1,)]
        ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'mediad'"
        )
        wait_until(lambda: ask(held) == [(1,)], 10.0, "the lock")
    copied = twin(one)
    try:
        done = subprocess.run(copied.command(), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and "another daemon of this host" in done.stderr
    finally:
        copied.remove()
    with one.client() as client:
        assert client.status().database == "ready"


def test_a_file_of_another_host_is_not_moved(pair: tuple[Daemon, Daemon]) -> None:
    """It is refused, and the host that has its volume is named; there it can be moved, and both see where it went."""
    one, two = (daemon.start() for daemon in pair)
    theirs, ours = one.folder / "library", two.folder / "library"
    for top in (theirs, ours):
        (top / "in").mkdir(parents=True)
    song = theirs / "in" / "song.bin"
    song.write_bytes(b"s" * 5000)
    os.utime(song, ns=(10**18, 10**18))
    with one.client() as client, two.client() as other:
        client.add([theirs], wait=True)
        other.add([ours], wait=True)
        item = client.get(song)[0].item
        assert item is not None
        with pytest.raises(PermissionDenied) as caught:
            other.run(workcalls.move([item.id], ours / "in", folder=True))
        name = client.status().host_name
        assert name in caught.value.message and song.exists()
        assert client.run(workcalls.move([item.id], theirs / "out", folder=True)).done == 1
        seen = other.get(item.id)[0].item
        assert seen is not None and len(seen.files) == 1
        with pytest.raises(Conflict, match="another host"):
            other.run(workcalls.undo(client.run(workcalls.operations())[0].id))
        client.run(workcalls.undo())
        assert song.exists()
