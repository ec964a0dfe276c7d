"""Kills: the daemon, its PostgreSQL, both, again and again in the middle of `add`; afterwards everything is as if
nothing had happened. And files that are suspected of having killed the daemon."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediactl import requests
from mediad.errors import MediadError
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

FILES = 600
Contents = dict[bytes, tuple[Any, ...]]


@pytest.fixture(scope="module")
def undisturbed() -> Contents:
    """What the library is when nobody disturbs its reading."""
    daemon = Daemon()
    try:
        daemon.start()
        library = make_library(daemon.folder / "library", FILES)
        with daemon.client() as client:
            assert client.add([library]).files_read == FILES
        check_order(daemon.dsn or "")
        return contents(daemon.dsn or "")
    finally:
        daemon.remove()


@pytest.fixture
def made() -> Iterator[Daemon]:
    daemon = Daemon()
    try:
        yield daemon
    finally:
        daemon.remove()


def add_request(library: Path) -> Any:
    return requests.add_request([library], wait=True, once=False, cross_mounts=False, exclude=())


def send(daemon: Daemon, request: Any) -> threading.Thread:
    """Sends an add from a thread that does not care how it ends."""

    def work() -> None:
        with contextlib.suppress(MediadError), daemon.client() as client:
            list(client.submit(request).replies())

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def caught_alone(dsn: str) -> set[bytes]:
    """Files that were in hand at a death before and are in hand again: the daemon parks them at its next start."""
    with sql(dsn) as ask:
        if ask("SELECT to_regclass('mediadb.flight') IS NULL")[0][0]:
            return set()
        rows = ask(
            "SELECT f.name FROM mediadb.flight x, unnest(x.files) AS i JOIN mediadb.todo t ON t.file = i "
            "JOIN mediadb.file f ON f.id = i WHERE t.attempts >= 1"
        )
        return {bytes(name) for (name,) in rows}


def compare(found: Contents, wanted: Contents, parked: set[bytes]) -> None:
    assert found.keys() == wanted.keys()
    for name, row in wanted.items():
        if name in parked:
            assert found[name][0] == "parked", (name, found[name])
        else:
            assert found[name] == row, name


# A walk of this library takes some 0.1 s and its reading about a second: the early kills hit the walk.
@pytest.mark.parametrize("seed", range(4))
def test_kills_of_the_daemon(made: Daemon, undisturbed: Contents, seed: int) -> None:
    chance = random.Random(seed)
    library = make_library(made.folder / "library", FILES)
    request = add_request(library)
    dsn = made.dsn or ""
    parked: set[bytes] = set()
    left = []
    for latest in (0.15, 0.5, 1.0):
        made.start()
        thread = send(made, request)
        time.sleep(chance.uniform(0.0, latest))
        made.kill()
        thread.join()
        parked |= caught_alone(dsn)
        with sql(dsn) as ask:
            left.append(ask("SELECT (SELECT count(*) FROM mediadb.file), (SELECT count(*) FROM mediadb.todo)")[0])
    made.start()
    with made.client() as client:
        assert add_or_repeat(client, request).add.files_listed == FILES
    wait_until_read(made, FILES)
    assert any(files < FILES or waiting for files, waiting in left), "no kill hit anything: the test proves nothing"
    check_order(dsn)
    compare(contents(dsn), undisturbed, parked)
    assert made.stop() == 0
    with sql(dsn) as ask:
        assert ask("SELECT count(*) FROM mediadb.flight") == [(0,)]


def test_a_watched_root_is_caught_up_without_being_asked(made: Daemon, undisturbed: Contents) -> None:
    """Nobody repeats the request: the next start walks what was not walked to its end."""
    library = make_library(made.folder / "library", FILES)
    made.start()
    thread = send(made, add_request(library))
    with sql(made.dsn or "") as ask:
        wait_until(lambda: ask("SELECT count(*) FROM mediadb.file")[0][0] > 0, 20.0, "the first listed name")
    made.kill()
    thread.join()
    made.start()
    wait_until_read(made, FILES)
    check_order(made.dsn or "")
    compare(contents(made.dsn or ""), undisturbed, set())


# ---------------------------------------------------------------- PostgreSQL


def postmaster(daemon: Daemon) -> int:
    return int((daemon.data / "cluster/postmaster.pid").read_text().split()[0])


def kill_postmaster(daemon: Daemon) -> None:
    with contextlib.suppress(ProcessLookupError, FileNotFoundError, ValueError, IndexError):
        os.kill(postmaster(daemon), signal.SIGKILL)


@pytest.mark.parametrize("seed", range(2))
def test_kills_of_postgresql(embedded_daemon: Daemon, undisturbed: Contents, seed: int) -> None:
    chance = random.Random(seed)
    daemon = embedded_daemon.start()
    library = make_library(daemon.folder / "library", FILES)
    request = add_request(library)
    answers: list[Any] = []

    def add() -> None:
        with daemon.client() as client:
            answers.append(add_or_repeat(client, request, 120.0))

    thread = threading.Thread(target=add)
    thread.start()
    killed = 0
    for _ in range(2):
        time.sleep(chance.uniform(0.1, 0.6))
        if thread.is_alive():
            kill_postmaster(daemon)
            killed += 1
    thread.join(120)
    assert killed and answers and answers[0].add.files_listed <= FILES
    wait_until_read(daemon, FILES)
    with daemon.client() as client:  # the same operation again: the same answer, nothing is done twice
        assert add_or_repeat(client, request) is not None
    check_order(cluster_dsn(daemon))
    compare(contents(cluster_dsn(daemon)), undisturbed, set())
    assert daemon.stop() == 0


@pytest.mark.parametrize("seed", range(2))
def test_kills_of_both(embedded_daemon: Daemon, undisturbed: Contents, seed: int) -> None:
    chance = random.Random(seed)
    daemon = embedded_daemon
    library = make_library(daemon.folder / "library", FILES)
    request = add_request(library)
    daemon.start()
    for _ in range(2):
        thread = send(daemon, request)
        time.sleep(chance.uniform(0.05, 0.6))
        kill_postmaster(daemon)
        daemon.kill()
        thread.join()
        daemon.start()
    with daemon.client() as client:
        assert add_or_repeat(client, request).add.files_listed == FILES
    wait_until_read(daemon, FILES)
    dsn = cluster_dsn(daemon)
    check_order(dsn)
    found = contents(dsn)
    # Who was in hand twice cannot be read off a dead server; at most one file is in hand alone.
    parked = {name for name, row in found.items() if row[0] == "parked"}
    assert len(parked) <= 1
    compare(found, undisturbed, parked)
    assert daemon.stop() == 0


def test_a_killed_daemon_leaves_no_postgresql(embedded_daemon: Daemon) -> None:
    """The kernel ends the cluster with its daemon, cleanly; the next start finds nothing to recover."""
    daemon = embedded_daemon.start()
    pid = postmaster(daemon)
    daemon.kill()
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 20.0, "the end of PostgreSQL")
    daemon.start()
    assert postmaster(daemon) != pid
    assert "automatic recovery in progress" not in daemon.text()


# ---------------------------------------------------------------- suspects


def hold_and_queue(daemon: Daemon, files: dict[bytes, int], in_hand: list[bytes]) -> None:
    """As if the daemon had died before: these files are queued with so many attempts, those were in hand."""
    with sql(daemon.dsn or "") as ask:
        for name, attempts in files.items():
            ask(
                "INSERT INTO mediadb.todo (file, root, attempts) SELECT f.id, d.root, %s FROM mediadb.file f "
                "JOIN mediadb.dir d ON d.id = f.dir WHERE f.name = %s", attempts, name,
            )  # fmt: skip
            ask("DELETE FROM mediadb.reading WHERE file = (SELECT id FROM mediadb.file WHERE name = %s)", name)
        ask("DELETE FROM mediadb.flight")
        ask(
            "INSERT INTO mediadb.flight (host, lane, files) SELECT h.id, 0, array(SELECT id FROM mediadb.file "
            "WHERE name = ANY(%s)) FROM mediadb.host h", in_hand,
        )  # fmt: skip


def test_suspects_are_read_alone_or_parked(made: Daemon) -> None:
    library = make_library(made.folder / "library", 8)
    made.start()
    with made.client() as client:
        client.add([library])
    made.stop()
    before = contents(made.dsn or "")
    twice, once, fresh, companion = sorted(before)[:4]
    hold_and_queue(made, {twice: 1, once: 0, fresh: 0, companion: 1}, [twice, once])
    made.start()
    wait_until_read(made, 8)
    after = contents(made.dsn or "")
    assert after[twice][0] == "parked"
    assert all(after[name] == before[name] for name in before if name != twice)
    with made.client() as client:
        status = client.status()
        assert status.parked == 1
        [result] = client.get(os.fsencode(library) + b"/folder%02d/" % int(twice[:4]) + twice)
        assert result.item is not None
        problem = result.item.files[0].problem
        assert problem is not None and problem.code == "poison" and "died twice" in problem.message
    made.stop()
    made.start()  # parked stays parked: nothing is queued
    with made.client() as client:
        assert (client.status().parked, client.status().pending) == (1, 0)
    assert contents(made.dsn or "") == after
    path = next(library.rglob(os.fsdecode(twice)))  # until it changes
    os.utime(path, (1, 1))
    with made.client() as client:
        client.add([library])
        assert client.status().parked == 0
    assert contents(made.dsn or "")[twice][0] == "read"


def test_one_suspect_after_the_other(made: Daemon) -> None:
    """A suspect is in hand alone: never with another file in the same lane, never two suspects at once."""
    library = make_library(made.folder / "library", 40)
    made.start()
    with made.client() as client:
        client.add([library])
    made.stop()
    names = sorted(contents(made.dsn or ""))
    with sql(made.dsn or "") as ask:
        ask("CREATE TABLE public.taken (lane int, files bigint[], attempts int[])")
        ask(
            "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.taken "
            "SELECT NEW.lane, NEW.files, array_agg(t.attempts) FROM mediadb.todo t WHERE t.file = ANY(NEW.files); "
            "RETURN NEW; END $$"
        )
        hold_and_queue(made, dict.fromkeys(names[:20], 0), names[:10])
        ask("CREATE TRIGGER note AFTER INSERT OR UPDATE ON mediadb.flight FOR EACH ROW EXECUTE FUNCTION public.note()")
    made.start()
    wait_until_read(made, 40)
    with sql(made.dsn or "") as ask:
        taken = ask("SELECT files, attempts FROM public.taken")
    suspects = [files for files, attempts in taken if any(attempts or ())]
    assert len(suspects) == 10 and all(len(files) == 1 for files in suspects)
    assert sum(len(files) for files, attempts in taken if not any(attempts or ())) == 10
