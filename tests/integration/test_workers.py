"""Applications that misbehave (tests/badhandlers), as a third party installs them: only the guilty file suffers."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.abuse import resident, sparse_file
from mediactl import Client
from mediactl.model import FileEntry
from mediad.errors import MediadError
from tests.daemon import Daemon, write_tree
from tests.daemon.records import wait_for

BAD = Path(__file__).parent.parent / "badhandlers/badhandler"
SONG = (Path(__file__).parent.parent / "data/audio/lame.mp3").read_bytes()
WRAPPER = """#!{python}
import runpy, sys
module = runpy.run_path({bad!r})
module["MANIFEST"]["handlers"][0]["extensions"] = ["{extension}"]
sys.argv[1:1] = ["{mode}"]
sys.exit(module["main"]())
"""
IDLE = 2  # seconds


def install(folder: Path, mode: str, extension: str) -> Path:
    """An executable `bad-MODE-handler` for files of that extension."""
    folder.mkdir(exist_ok=True)
    made = folder / f"bad-{mode}-handler"
    made.write_text(WRAPPER.format(python=sys.executable, bad=str(BAD), extension=extension, mode=mode))
    made.chmod(0o755)
    return made


@contextlib.contextmanager
def running(*modes: str, more: str = "", read_seconds: float = 1.0, idle_seconds: float = IDLE) -> Iterator[Daemon]:
    """A daemon with the bad applications named; the one of MODE takes `*.bMODE` (without dashes)."""
    daemon = Daemon()
    handlers = daemon.folder / "handlers"
    handlers.mkdir()
    daemon.config.write_text(
        f'handler_dirs = ["{handlers}"]\nread_seconds = {read_seconds}\n'
        f"idle_seconds = {idle_seconds}\nworkers = 2\n{more}"
    )
    for mode in modes:
        install(handlers, mode, extension_of(mode))
    try:
        yield daemon.start()
    finally:
        daemon.remove()


def extension_of(mode: str) -> str:
    return "b" + mode.replace("-", "")


def entries(client: Client, folder: Path) -> dict[str, FileEntry]:
    """The files below a folder by their names, as `get` has them."""
    paths = sorted(each for each in folder.rglob("*") if each.is_file())
    found = {}
    for path, result in zip(paths, client.get(*paths), strict=True):
        assert result.item is not None, result.problem
        found[path.name] = result.item.files[0]
    return found


def processes_below(pid: int) -> dict[int, str]:
    """Children of a process, the unreaped ones too: their command lines."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if "mediad.workers.watch" in command:
                continue  # it stays, asleep, for as long as something is watched
            if int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found[int(name)] = command or "zombie"
    return found


def left_over(folder: Path) -> dict[int, str]:
    """Processes of anybody that were started from this daemon's folder of handlers."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if str(folder / "handlers") in command:
                    found[int(name)] = command
    return found


# mode, the state of the guilty file, a part of the reason
GUILTY = [
    ("crash", "parked", "did not survive"),
    ("exit-early", "parked", "did not survive"),
    ("exit-silently", "parked", "did not survive"),
    ("hang", "parked", "no answer for 1 s"),
    ("spin", "parked", "no answer for 1 s"),
    ("half", "parked", "no answer for 1 s"),
    ("flood", "parked", "no answer for 1 s"),
    ("flood-garbage", "parked", "msgpack"),
    ("wrong-shape", "parked", "answer to no request"),
    ("wrong-id", "parked", "answer to no request"),
    ("wrong-index", "parked", "out of order"),
    ("wrong-stat", "failed", "another file"),
    ("print-text", "parked", "answer to no request"),
    ("no-begin", "parked", "before its begin"),
    ("huge", "parked", "longer than allowed"),
    ("eat-memory", "parked", "memory"),
]


@pytest.mark.parametrize(("mode", "state", "reason"), GUILTY, ids=[row[0] for row in GUILTY])
def test_only_the_guilty_file_suffers(mode: str, state: str, reason: str) -> None:
    extension = extension_of(mode)
    files: dict[str | bytes, bytes] = {f"good{n}.{extension}": b"g%d" % n for n in range(6)}
    files |= {f"guilty.{extension}": b"x", "song.mp3": SONG, "zgood.txt": b"text"}
    with running(mode) as daemon:
        tree = write_tree(daemon.folder / "tree", files)
        before = resident(daemon.pid)
        with daemon.client() as client:
            began = time.monotonic()
            result = client.add([tree])
            seconds = time.monotonic() - began
            found = entries(client, tree)
            guilty = found.pop(f"guilty.{extension}")
            assert {name: each.state for name, each in found.items()} == dict.fromkeys(found, "read")
            assert found["song.mp3"].fields["duration"] > 0
            assert all(each.handler == "bad" for name, each in found.items() if name.startswith("good"))
            assert guilty.state == state
            assert guilty.problem is not None
            assert reason in guilty.problem.message
            assert (result.files_read, result.files_failed) == (8, 1)
            assert client.status().lag_max_ms < 500
        assert seconds < 12
        assert resident(daemon.pid) - before < 30 << 20
        # Idle: only what the database needs is left; then the end leaves nothing at all.
        assert wait_for(lambda: not processes_below(daemon.pid) and not left_over(daemon.folder), IDLE * 2 + 6), (
            processes_below(daemon.pid) | left_over(daemon.folder)
        )
        assert daemon.stop() == 0


def test_answers_that_are_wrong_in_parts() -> None:
    """Wrong types cost the values, not the record; a double answer costs the worker, not the file."""
    with running("wrong-types", "answer-twice", "fork-children", "behave") as daemon:
        modes = ("wrong-types", "answer-twice", "fork-children", "behave")
        files: dict[str | bytes, bytes] = {f"{n}.{extension_of(mode)}": b"x" for mode in modes for n in range(3)}
        tree = write_tree(daemon.folder / "tree", files)
        with daemon.client() as client:
            began = time.monotonic()
            result = client.add([tree])
            assert time.monotonic() - began < 15
            assert (result.files_read, result.files_failed) == (12, 0)
            found = entries(client, tree)
            assert {each.state for each in found.values()} == {"read"}
            wrong = found["0.bwrongtypes"]
            assert wrong.fields == {"album": "kept", "mime_type": "application/x-bad"}
            assert wrong.tags == {}
            assert found["0.bbehave"].fields["title"] == "bad"
        assert wait_for(lambda: not left_over(daemon.folder), IDLE * 2 + 6), left_over(daemon.folder)


def test_children_of_a_dead_worker_do_not_hold_it_up() -> None:
    """The worker ends after its answer, children keep its pipe: no deadline (20 s) is waited for."""
    with running("fork-children", read_seconds=20.0) as daemon:
        tree = write_tree(daemon.folder / "tree", {f"{n}.bforkchildren": b"x" for n in range(4)})
        with daemon.client() as client:
            began = time.monotonic()
            assert client.add([tree]).files_read == 4
            assert time.monotonic() - began < 10
        assert wait_for(lambda: not left_over(daemon.folder), 5), left_over(daemon.folder)


def test_a_parked_file_is_read_again_when_it_changes() -> None:
    with running("crash") as daemon:
        tree = write_tree(daemon.folder / "tree", {"a.bcrash": b"x"})
        with daemon.client() as client:
            client.add([tree])
            assert client.status().parked == 1
            failures = client.status().worker_failures
            assert failures == 2  # once more with a fresh worker, then it is enough
            client.add([tree])
            assert client.status().worker_failures == failures  # not tried again as it is
            (tree / "a.bcrash").write_bytes(b"changed")
            client.add([tree])
            assert client.status().worker_failures == failures + 2
            (tree / "a.bcrash").rename(tree / "good.bcrash")
            client.add([tree])
            assert entries(client, tree)["good.bcrash"].state == "read"


def test_an_application_that_vanishes() -> None:
    """Its files wait, with a note; everybody else's are read; when it is back they are read too."""
    with running("behave") as daemon:
        tree = write_tree(daemon.folder / "tree", {"a.bbehave": b"x"})
        program = daemon.folder / "handlers/bad-behave-handler"
        with daemon.client() as client:
            client.add([tree])
            assert entries(client, tree)["a.bbehave"].state == "read"
            assert wait_for(lambda: not left_over(daemon.folder), IDLE * 2 + 6)
            program.rename(daemon.folder / "away")
            write_tree(tree, {"b.bbehave": b"y", "song.mp3": SONG})
            client.add([tree], wait=False)
            assert wait_for(lambda: entries(client, tree)["song.mp3"].state == "read")
            assert wait_for(lambda: any("does not start" in note for note in client.status().notes))
            assert entries(client, tree)["b.bbehave"].state == "listed"
            (daemon.folder / "away").rename(program)
            assert wait_for(lambda: entries(client, tree)["b.bbehave"].state == "read", 15)
            assert not any("does not start" in note for note in client.status().notes)


def test_applications_that_never_start(folder: Path) -> None:
    """One that is no program, one that says nothing of the contract: left out with a note, the rest works."""
    with running("behave") as daemon:
        handlers = daemon.folder / "handlers"
        (handlers / "none-handler").write_text("no program")
        (handlers / "none-handler").chmod(0o755)
        (handlers / "echo-handler").write_text("#!/bin/sh\necho hello\n")
        (handlers / "echo-handler").chmod(0o755)
        assert daemon.stop() == 0
        daemon.start()
        tree = write_tree(daemon.folder / "tree", {"a.bbehave": b"x", "song.mp3": SONG})
        with daemon.client() as client:
            assert client.add([tree]).files_read == 2
            assert {each.application for each in client.handlers()} == {"media", "bad-behave"}
            notes = client.status().notes
            assert sum("none-handler" in note for note in notes) == 1
            assert sum("echo-handler" in note for note in notes) == 1


def kill_one_at_work(client: Client) -> bool:
    """SIGKILL for workers that read, until one was met with a file in hand; False when all was read before."""
    before = client.status().worker_failures
    while (status := client.status()).worker_failures == before:
        if status.pending == 0:
            return False
        for worker in status.workers:
            if worker.state == "busy":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGKILL)
                break
        time.sleep(0.004)
    return True


def test_workers_killed_from_outside() -> None:
    """SIGKILL in the middle of a batch: the file in hand is tried once more, and every file is read. One kill for each
    tree, since a file that is in hand at two deaths in a row is parked, and rightly so."""
    with running() as daemon, daemon.client() as client:
        met, files = 0, 0
        for number in range(20):
            tree = write_tree(daemon.folder / f"tree{number}", {f"{n}.mp3": SONG + b"%d" % n for n in range(2000)})
            client.add([tree], wait=False)
            met, files = met + kill_one_at_work(client), files + 2000
            assert client.add([tree]).files_failed == 0
            if met == 3:
                break
        assert met == 3, "the kills met no worker that was reading"
        status = client.status()
        assert (status.files, status.parked, status.failed, status.pending) == (files, 0, 0, 0)
        assert len(list(client.query("state:read kind:audio"))) == files


def test_warm_process_killed_from_outside() -> None:
    with running() as daemon:
        tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
        with daemon.client() as client:
            client.add([tree])
            zygotes = [pid for pid, command in processes_below(daemon.pid).items() if "--zygote" in command]
            assert len(zygotes) == 1
            os.kill(zygotes[0], signal.SIGKILL)
            write_tree(tree, {f"{n}.mp3": SONG + b"%d" % n for n in range(200)})
            result = client.add([tree])
            assert (result.files_read, result.files_failed) == (200, 0)


def test_a_checksum_outlives_the_idle_readers() -> None:
    """Readers leave after `idle_seconds`, and their warm process with them: not while another worker of it hashes."""
    with running(idle_seconds=1) as daemon:
        large = sparse_file(daemon.folder / "large", 2 << 30)
        with daemon.client() as client:
            client.add([large.parent])
            began = time.monotonic()
            result = client.checksum(large)[0]
            assert time.monotonic() - began > 2, "too quick a machine for this test: make the file larger"
            assert result.problem is None
            assert set(result.digests) == {"md5", "sha1", "sha256"}


def test_checksum_by_bad_applications() -> None:
    """A worker that dies or hangs over a checksum: a problem of that file, told in time."""
    with running("crash", "hang", more="checksum_seconds = 1\n") as daemon:
        tree = write_tree(daemon.folder / "tree", {"a.bcrash": b"x", "a.bhang": b"x", "song.mp3": SONG})
        with daemon.client() as client:
            client.add([tree])
            results = client.checksum(*sorted(tree.iterdir()))
            assert [each.problem.code if each.problem else "" for each in results] == ["poison", "poison", ""]


def test_status_answers_while_applications_misbehave() -> None:
    """Floods of three kinds at once: a ping is answered at once, memory is bounded."""
    with running("flood", "flood-garbage", "spin", read_seconds=2.0) as daemon:
        extensions = ("bflood", "bfloodgarbage", "bspin")
        tree = write_tree(daemon.folder / "tree", {f"{n}.{e}": b"x" for e in extensions for n in range(2)})
        with daemon.client() as client:
            client.add([tree], wait=False)
            worst, peak = 0.0, 0
            until = time.monotonic() + 6
            while time.monotonic() < until:
                began = time.perf_counter()
                client.ping()
                worst = max(worst, time.perf_counter() - began)
                peak = max(peak, resident(daemon.pid))
                time.sleep(0.02)
            print(
                f"worst ping {worst * 1000:.0f} ms, peak {peak / 1e6:.0f} MB, lag {client.status().lag_max_ms:.0f} ms"
            )
            assert worst < 0.5
            assert peak < 120 << 20
            with contextlib.suppress(MediadError):
                client.add([tree], deadline=30)
            assert client.status().pending == 0


def test_a_required_sandbox_leaves_out_who_has_none() -> None:
    """An application whose manifest knows of no system call filter is not used, and status says why."""
    with running("behave", more='sandbox = "require"\n') as daemon, daemon.client() as client:
        tree = write_tree(daemon.folder / "tree", {"a.bbehave": b"x", "song.mp3": SONG})
        client.add([tree])
        states = {name: entry.handler for name, entry in entries(client, tree).items()}
        assert states == {"a.bbehave": "file", "song.mp3": "audio"}
        assert any("bad-behave" in note and "not locked down" in note for note in client.status().notes)
