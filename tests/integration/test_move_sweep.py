"""Moves killed and failing at a sample of their system calls, and raced: nothing is lost, nothing torn, nothing left
behind, and the store knows where everything is. `bench/sweep.py` takes every point; this takes some of each kind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mediactl import workcalls
from mediad.errors import MediadError
from mediad.workers import transfer
from mediad.workers.mover import Mover
from tests import pg
from tests.daemon import powercut, ptrace
from tests.daemon.sweep import Broken, Deed, Point, Stage, deeds, faults, kills, power_cuts

Make = Callable[..., Stage]
DEEDS = deeds()

needs_ptrace = pytest.mark.skipif(not ptrace.allowed(), reason="no process may be traced here (ptrace(2))")
needs_x86 = pytest.mark.skipif(not ptrace.CAN_FAIL, reason="calls are made to fail on x86-64 only")


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes stages on two file systems."""
    base = Path("/dev/shm")
    if not base.is_dir() or base.stat().st_dev == Path("/tmp").stat().st_dev:
        pytest.skip("there is no second file system (/dev/shm)")
    made: list[Stage] = []

    def one(**more: Any) -> Stage:
        there = base / f"mediadb-sweep-{os.getpid()}-{time.time_ns()}"
        made.append(Stage(there, **more))
        return made[-1].fill()

    yield one
    for stage in made:
        stage.remove()


def all_of(points: Iterator[str]) -> int:
    return sum(1 for _ in points)


def changes(at: int) -> Point:
    """After the `at`-th call that changes anything."""
    return Point(at, "change" if ptrace.CAN_FAIL else "")


@needs_ptrace
@pytest.mark.parametrize(("name", "first", "step"), [
    ("rename", 8, 2), ("far", 9, 4), ("bundle", 9, 3), ("far bundle", 10, 12), ("hardlink", 8, 3),
    ("far batch", 30, 40),
])  # fmt: skip
def test_movers_killed(make: Make, name: str, first: int, step: int) -> None:
    """A mover dies after a call: another ends what it began, and the person sees a move."""
    stage = make()
    all_of(kills(stage, DEEDS[name], first=first, step=step, most=8, point=changes))
    assert stage.points > 3


@needs_ptrace
def test_the_daemon_killed_with_its_mover(make: Make) -> None:
    """At the next start it is finished or rolled back; killed in that, at the start after."""
    stage = make()

    def point(at: int) -> Point:
        return Point(at, daemon=True, then=[Point(20 + at % 7, daemon=True)])

    all_of(kills(stage, DEEDS["far bundle"], first=150, step=83, most=4, point=point))
    assert stage.points >= 3


@needs_ptrace
def test_the_daemon_killed_at_its_own_calls(make: Make) -> None:
    stage = make()
    all_of(
        kills(stage, DEEDS["far"], first=70, step=90, most=3, point=lambda at: Point(at, of=lambda: stage.daemon.pid))
    )
    assert stage.points >= 3


@needs_ptrace
def test_what_waits_for_a_volume_is_finished_when_it_is_back(make: Make) -> None:
    """The daemon dies in a move; when it starts, the destination is away. It comes back, and nobody starts anything."""
    stage = make()
    there = stage.path("there")
    away = there.with_name(there.name + "-away")
    waited: list[int] = []

    def back() -> None:
        time.sleep(2)
        waited.append(
            stage.ask("SELECT count(*) FROM mediadb.move WHERE state IN ('planned', 'copied', 'placed')")[0][0]
        )
        away.rename(there)
        with stage.daemon.client() as client:
            client.run(workcalls.rescan([there]))

    def go() -> None:
        if not waited and there.exists():
            there.rename(away)
            returning.start()

    returning = threading.Thread(target=back)
    stage.before_start = go
    result = stage.do(DEEDS["far"], Point(150, daemon=True))  # asked again until there is an answer
    returning.join(20)
    assert waited and waited[0] > 0, result
    assert stage.daemon.text().count("listening") == 2, "nobody started it a third time"
    stage.check(DEEDS["far"], "the volume was away at the start")


@needs_ptrace
def test_postgresql_killed(make: Make) -> None:
    """The server's process for our writes dies at its calls: then the server ends all and recovers."""
    stage = make()
    all_of(kills(stage, DEEDS["far bundle"], first=10, step=90, most=4, point=lambda at: Point(at, of=stage.backend)))
    assert stage.points >= 3


@needs_ptrace
def test_the_whole_server_killed(make: Make) -> None:
    """The daemon's own PostgreSQL, its postmaster: it is started again, and the move goes on."""
    stage = make(embedded=True)

    def postmaster(at: int) -> Point:
        pid = int((stage.daemon.data / "cluster/postmaster.pid").read_text().split()[0])
        return Point(at, before=lambda: os.kill(pid, signal.SIGKILL), harmless=True)

    all_of(kills(stage, DEEDS["far bundle"], first=180, step=60, most=2, point=postmaster))
    assert stage.points == 2


@needs_ptrace
@needs_x86
@pytest.mark.parametrize(("name", "share"), [("rename", 41), ("far", 71), ("bundle", 59)])
def test_calls_that_fail(make: Make, name: str, share: int) -> None:
    """Every error is told with the file it is about; nothing is lost or left; the next attempt succeeds."""
    stage = make()
    all_of(faults(stage, DEEDS[name], some=lambda number: number % share == 0))
    assert stage.points > 4


@needs_ptrace
@needs_x86
@pytest.mark.parametrize(("mutant", "name", "call", "daemon"), [
    ("unlink_first", "far", "unlinkat", False), ("no_journal", "far", "renameat2", True),
    ("no_follow", "rename", "x", False), ("overwrite", "rename", "renameat2", False),
    ("drop_blindly", "far", "unlinkat", False),
])  # fmt: skip
def test_a_move_that_lacks_a_step_is_caught(make: Make, mutant: str, name: str, call: str, daemon: bool) -> None:
    """The same checks of moves that are not safe find them out."""
    stage = make(mutant=mutant)
    if mutant in ("overwrite", "drop_blindly"):
        with pytest.raises(Broken):
            meddled(stage, DEEDS[name], call, at=2 if call == "unlinkat" else 1)
        return
    with pytest.raises(Broken):
        all_of(kills(stage, DEEDS[name], most=6, point=lambda at: Point(at, call, daemon=daemon)))


@needs_ptrace
def test_the_daemon_is_stopped_in_the_middle(make: Make) -> None:
    """SIGTERM: what is under way is answered, or finished at the next start."""
    stage = make()

    def stop(at: int) -> Point:
        return Point(at, before=lambda: os.kill(stage.daemon.pid, signal.SIGTERM), harmless=True)

    all_of(kills(stage, DEEDS["far bundle"], first=200, step=60, most=2, point=stop))
    assert stage.points == 2


@needs_ptrace
def test_nothing_moves_while_the_database_is_away(make: Make) -> None:
    """It goes after the plan was made and comes back: until then the file is where it was."""
    stage = make()
    name = stage.ask("SELECT current_database()")[0][0]
    seen: list[bool] = []

    def server(statement: str) -> None:
        with psycopg.connect(f"{pg.server()} dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def back() -> None:
        time.sleep(1.5)
        seen.append(stage.path("here/song.flac").exists())
        server(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def away() -> None:
        server(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        threading.Thread(target=back).start()

    result = stage.do(DEEDS["rename"], Point(2, before=away, harmless=True))
    assert seen == [True], result
    stage.check(DEEDS["rename"], "the database was away")
    stage.back()


# ---------------------------------------------------------------- the power


@needs_ptrace
def test_the_power_is_cut(folder: Path) -> None:
    """What is not durable is gone, on one disk or on the other: never the file."""
    if not powercut.possible(folder):
        pytest.skip("no file system can be mounted and stopped here (root, loop devices, ext4)")
    assert power_cuts(folder, DEEDS["far"], first=110, step=31, most=4) >= 3


@needs_ptrace
@needs_x86
@pytest.mark.parametrize("mutant", ["no_fsync", "no_folder_sync"])
def test_what_is_not_synced_is_lost_with_the_power(folder: Path, mutant: str) -> None:
    if not powercut.possible(folder):
        pytest.skip("no file system can be mounted and stopped here (root, loop devices, ext4)")
    with pytest.raises(Broken):
        for _ in range(8):  # the file system writes its journal when it likes: every other time in time
            power_cuts(folder, DEEDS["far"], first=6, most=14, mutant=mutant, call="sendto")


# ---------------------------------------------------------------- races


def at_the(call: str, what: Callable[[], None], *, at: int = 1) -> Point:
    """A point at which no call fails, but something happens: before the `at`-th call of that name."""
    return Point(at, call, before=what, entry=True, harmless=True)


def meddled(stage: Stage, deed: Deed, call: str, *, at: int = 1) -> None:
    """Before a call of a move somebody else writes where the file is to be: both stay what they are."""
    destination = stage.path(deed.units[0][0][1])

    def theirs() -> None:
        destination.unlink(missing_ok=True)  # where it was copied by then, they have removed it
        destination.write_bytes(b"theirs")

    result = stage.do(deed, at_the(call, theirs, at=at))
    if destination.read_bytes() != b"theirs" or not stage.path(deed.units[0][0][0]).exists():
        raise Broken(f"{deed.name}, another file appears before {call}: one of the two is lost: {result}")
    if isinstance(result, MediadError) or not result.problems:
        raise Broken(f"nothing is said: {result}")
    destination.unlink()
    destination.parent.rmdir()
    stage.look()
    stage.check(deed, f"somebody else before {call}")
    stage.forward.clear()


@needs_ptrace
@needs_x86
def test_a_destination_that_appears(make: Make) -> None:
    stage = make()
    for name, call in (("rename", "renameat2"), ("far", "renameat2"), ("far", "pwrite64")):
        meddled(stage, DEEDS[name], call)


@needs_ptrace
@needs_x86
def test_a_source_that_is_replaced(make: Make) -> None:
    """A program saves the file while it is moved: what it saved stays, under the name under which it was saved."""
    stage = make()
    # Calls of "far": the rename that finds another file system, that of the complete copy, that of what is removed.
    for name, call, at in (("rename", "renameat2", 1), ("far", "renameat2", 1), ("far", "pwrite64", 1),
                           ("far", "renameat2", 2), ("far", "renameat2", 3)):  # fmt: skip
        deed = DEEDS[name]
        source, destination = (stage.path(path) for path in deed.units[0][0])
        data, info = source.read_bytes(), source.stat()

        def replace(source: Path = source) -> None:
            other = source.with_name("saving.tmp")
            other.write_bytes(b"saved")
            other.rename(source)

        result = stage.do(deed, at_the(call, replace, at=at))
        assert source.read_bytes() == b"saved", (name, call, at, result)
        assert result.problems, (name, call, at, result)
        assert not [each for each in stage.layout() if ".mediad-" in each]
        if destination.exists():  # it was saved when the copy was complete: both versions stay
            assert destination.read_bytes() == data and at > 1
            destination.unlink()
            destination.parent.rmdir()
        source.write_bytes(data)
        os.utime(source, ns=(info.st_atime_ns, info.st_mtime_ns))
        stage.look()
        stage.forward.clear()


_SWAP = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
one, two = (os.fsencode(name) for name in sys.argv[1:])
while os.getppid() != 1:
    libc.renameat2(-100, one, -100, two, 2)
"""


@pytest.mark.parametrize("end", ["source", "destination"])
def test_a_folder_that_is_swapped_for_a_link(make: Make, end: str) -> None:
    """Another process exchanges a folder on the way with a symbolic link that leads out, again and again."""
    stage = make()
    outside = stage.daemon.folder / "outside"
    outside.mkdir()
    (outside / "song.flac").write_bytes(b"not ours")
    song = stage.path("here/song.flac")
    inner = stage.path("here/inner")
    inner.mkdir()
    trap = stage.path("here/trap")
    trap.symlink_to(outside)
    if end == "source":
        song.rename(inner / "song.flac")
    stage.look()
    # Made now, for a client takes the links out of what it is given.
    source = inner / "song.flac" if end == "source" else song
    call = workcalls.move([source], stage.path("there") if end == "source" else inner, folder=True)
    swapper = subprocess.Popen([sys.executable, "-c", _SWAP, inner, trap])
    done = False
    try:
        until = time.monotonic() + 4.0
        while time.monotonic() < until and not done:
            call.request.operation = uuid.uuid4().bytes
            result = stage.run(call)
            done = not isinstance(result, MediadError) and bool(result.done)
            assert os.listdir(outside) == ["song.flac"]
            assert (outside / "song.flac").read_bytes() == b"not ours"
    finally:
        swapper.kill()
        swapper.wait()
    assert list(stage.layout().values()).count(stage.sums["here/song.flac"]) == 1
    assert not [name for name in stage.layout() if ".mediad-" in name]


# ---------------------------------------------------------------- together


def test_many_at_once(make: Make) -> None:
    """Twenty persons move at the same time, some of them the same file: each file is in one place, every one was told
    what became of his."""
    stage = make()
    results: list[Any] = []

    def one(number: int) -> None:
        with stage.daemon.client() as client:
            try:
                name = f"here/many/{number % 12:02}.bin"
                call = workcalls.move([stage.path(name)], stage.path(f"there/{number}"), folder=True)
                results.append(client.run(call))
            except MediadError as error:
                results.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [each for each in results if not isinstance(each, MediadError) and each.done]
    others = [each for each in results if isinstance(each, MediadError) or not each.done]
    assert len(done) == 12 and len(others) == 8, results
    assert all(isinstance(each, MediadError) or each.problems for each in others)
    found = stage.layout()
    assert sorted(found.values()) == sorted(stage.sums.values())
    assert not stage.disagreement()


def test_a_move_while_the_root_is_walked(make: Make) -> None:
    """The first walk of some thousand files, and moves in it: the items stay, nothing is there twice."""
    stage = make()
    top = stage.path("here")
    for number in range(2000):
        folder = top / f"walk{number % 30:02}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.txt").write_bytes(b"%d" % number)
    scanned: list[Any] = []

    def walk() -> None:
        with stage.daemon.client() as client:
            scanned.append(client.add([top], wait=True, once=True))

    thread = threading.Thread(target=walk)
    thread.start()
    for _ in range(3):
        for name in ("rename", "far", "bundle"):
            stage.do(DEEDS[name])
    thread.join()
    assert scanned
    stage.look()
    deed = Deed("all", DEEDS["far"].units, (), "")
    found = stage.layout()
    stored = stage.stored()
    assert stored.keys() == found.keys()
    for name, each in found.items():
        if each in stage.items:
            assert stored[name][0] == stage.items[each], name
    assert deed.units
    for each in set(stage.sums.values()):
        assert list(found.values()).count(each) == 1


def test_two_hosts_move_at_the_same_time(make: Make) -> None:
    """Two daemons on one database, each with roots of its own."""
    one = make()
    two = make(dsn=one.daemon.dsn)
    wrong: list[BaseException] = []

    def work(stage: Stage) -> None:
        try:
            for name in ("far bundle", "batch", "rename"):
                stage.do(DEEDS[name])
                stage.check(DEEDS[name], "two hosts")
                stage.back()
        except BaseException as error:  # noqa: BLE001
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(stage,)) for stage in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[0]


def test_a_watched_root_follows_without_a_doubt(make: Make) -> None:
    """The watcher reports what the mover does while it does it: one event a file, no item is lost for a moment."""
    stage = make(watched=True)
    for name in ("far bundle", "batch", "far batch"):
        stage.do(DEEDS[name])
        stage.check(DEEDS[name], "watched")
        stage.back()
    seen = stage.ask(
        "SELECT count(*) FROM mediadb.event WHERE target_kind = 'stream' AND action IN ('missing', 'returned')"
    )
    assert seen == [(0,)]
    shutil.rmtree(stage.path("here/film"))


# ---------------------------------------------------------------- one entry with two names


def rename_by_mover(source: tuple[Path, str], destination: tuple[Path, str], *, inodes: bool) -> list[Any]:
    """What a mover says of one rename, asked as the engine asks."""
    info = (source[0] / source[1]).stat()
    row = [0, bytes(source[0]), source[1].encode(), bytes(destination[0]), destination[1].encode(),
           info.st_ino if inodes else None, info.st_size, info.st_mtime_ns]  # fmt: skip
    ours, theirs = socket.socketpair()
    with ours, theirs:
        answer = Mover(theirs, -1).do_link({"rows": [row], "action": "move"})
    return list(answer["results"][0])


def mounted(argv: list[str | Path]) -> None:
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")


@pytest.mark.parametrize("linked", [False, True])
def test_a_folder_that_is_mounted_twice(folder: Path, linked: bool) -> None:
    """Source and destination are one entry, seen by two mounts: that the destination has the source's inode is no sign
    that it was linked there, and nothing may be removed."""
    one, two = folder / "one", folder / "two"
    one.mkdir(), two.mkdir()
    (one / "a.bin").write_bytes(b"a" * 100)
    if linked:
        os.link(one / "a.bin", folder / "elsewhere.bin")
    mounted(["mount", "--bind", one, two])
    try:
        result = rename_by_mover((one, "a.bin"), (two, "a.bin"), inodes=True)
        assert (one / "a.bin").read_bytes() == b"a" * 100, result
        assert result[1] in ("exists", "cross")
        old, new = (os.open(top, os.O_RDONLY) for top in (one, two))
        info = (one / "a.bin").stat()
        it = (info.st_ino, info.st_size, info.st_mtime_ns)
        with pytest.raises(transfer.Changed, match="one file"):  # as a duplicate that goes
            transfer.drop(old, b"a.bin", it, new, b"a.bin", it, b".mediad-x.part")
        os.close(old), os.close(new)
        assert (two / "a.bin").read_bytes() == b"a" * 100
    finally:
        subprocess.run(["umount", "-l", two], check=True)


def test_another_spelling_where_there_is_no_case(folder: Path) -> None:
    top = folder / "fat"
    top.mkdir()
    image = folder / "fat.img"
    if shutil.which("mkfs.vfat") is None:
        pytest.skip("mkfs.vfat is not installed")
    subprocess.run(["mkfs.vfat", "-C", image, "4096"], check=True, capture_output=True)
    mounted(["mount", "-o", "loop", image, top])
    try:
        (top / "Song.mp3").write_bytes(b"a" * 100)
        for _ in range(2):
            result = rename_by_mover((top, "Song.mp3"), (top, "song.MP3"), inodes=False)
            assert result[1] == "done", result
            assert os.listdir(top) == ["song.MP3"] and (top / "song.MP3").read_bytes() == b"a" * 100
    finally:
        subprocess.run(["umount", "-l", top], check=True)
