"""The daemon's life: start, socket, readiness, stop; and what it says when something is wrong."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutagen.flac import FLAC

import mediad
from mediactl import Client, requests
from mediad.errors import MediadError, ShuttingDown
from tests import pg
from tests.daemon import Daemon, write_tree
from tests.daemon.library import add_or_repeat, alive, contents, make_library, processes_of, samples, sql, wait_until

BAD_HANDLER = Path(__file__).parent.parent / "badhandlers/badhandler"


def run(daemon: Daemon, *extra: str, seconds: float = 20.0) -> subprocess.CompletedProcess[str]:
    """Starts it and waits for its end: for starts that fail."""
    return subprocess.run(
        daemon.command(*extra), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
    )


@pytest.fixture
def made() -> Iterator[Daemon]:
    """A daemon on a fresh database, not started."""
    daemon = Daemon()
    try:
        yield daemon
    finally:
        daemon.remove()


# ---------------------------------------------------------------- start and stop


def test_start_and_stop(made: Daemon) -> None:
    made.start()
    mode = made.socket.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660
    with made.client() as client:
        assert client.ping(b"there") == b"there"
        assert client.status().database == "ready"
    assert made.stop() == 0
    assert not made.socket.exists()
    made.start()  # and again on the same folder
    os.kill(made.pid, signal.SIGINT)
    assert made.process is not None
    assert made.process.wait(40) == 0


def test_the_host_stays_the_same(made: Daemon) -> None:
    made.start()
    with made.client() as client:
        host = client.status().host
    made.stop()
    made.start()
    with made.client() as client:
        assert client.status().host == host


def test_embedded_stops_without_remains(embedded_daemon: Daemon) -> None:
    embedded_daemon.start()
    library = make_library(embedded_daemon.folder / "library", 60)
    with embedded_daemon.client() as client:
        assert client.add([library]).files_read == 60
    running = processes_of(embedded_daemon)
    assert len(running) > 5, "the cluster's processes were not found: the check would not see them"
    assert embedded_daemon.stop() == 0
    assert not (embedded_daemon.data / "cluster/postmaster.pid").exists()
    wait_until(lambda: not any(map(alive, running)), 5.0, "the end of all processes")
    assert "database system is shut down" in embedded_daemon.text()


def test_stop_while_the_cluster_is_made(embedded_daemon: Daemon) -> None:
    embedded_daemon.start(ready=False)
    running = processes_of(embedded_daemon)
    assert embedded_daemon.stop() == 0
    wait_until(lambda: not any(map(alive, running)), 5.0, "the end of all processes")
    embedded_daemon.start()  # a half-made cluster is not taken for one
    with embedded_daemon.client() as client:
        assert client.status().database == "ready"


def test_requests_wait_for_the_start(embedded_daemon: Daemon) -> None:
    """A request that comes while the cluster is still being made is answered, not refused."""
    embedded_daemon.start(ready=False)
    library = make_library(embedded_daemon.folder / "library", 20)
    with embedded_daemon.client() as client:
        reply = client.call(requests.add_request([library], wait=True, once=True, cross_mounts=False, exclude=()))[-1]
    assert reply.add.files_read == 20


def test_version() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mediad.main", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"mediad {mediad.__version__}\n")


# ---------------------------------------------------------------- draining


def test_a_checksum_in_flight_is_finished(made: Daemon) -> None:
    made.start()
    big = made.folder / "library/big.bin"
    big.parent.mkdir()
    with open(big, "wb") as out:
        out.truncate(700 << 20)  # a hole: seconds of hashing, no disk
    with made.client() as client:
        client.add([big.parent])
        request = requests.checksum_request([os.fsencode(big)], ["file"], ["sha256"])
        begun: list[object] = []
        pending = client.submit(request, progress=begun.append)
        replies = pending.replies()
        time.sleep(0.3)
        assert made.process is not None
        made.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ShuttingDown):
            [reply] = list(replies)
            assert len(reply.checksum.digests[0].value) == 32
    assert made.process.wait(30) == 0


def test_an_add_in_flight_ends(made: Daemon) -> None:
    made.start()
    library = make_library(made.folder / "library", 600)
    with made.client() as client:
        request = requests.add_request([library], wait=True, once=False, cross_mounts=False, exclude=())
        pending = client.submit(request)
        time.sleep(0.2)
        assert made.process is not None
        made.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ShuttingDown):  # or it was done before
            [answer] = list(pending.replies())
            assert answer.add.files_read == 600
    assert made.process.wait(30) == 0
    made.start()
    with made.client() as client:
        reply = add_or_repeat(client, request)
        assert reply.add.files_listed == 600
    assert len(contents(made.dsn or "")) == 600


def test_requests_after_sigterm_are_refused(made: Daemon) -> None:
    made.start()
    big = made.folder / "library/big.bin"
    big.parent.mkdir()
    with open(big, "wb") as out:
        out.truncate(3 << 30)
    with made.client() as client, made.client() as idle:
        client.add([big.parent])
        idle.ping()
        busy = client.submit(requests.checksum_request([os.fsencode(big)], ["file"], []))
        time.sleep(0.3)
        assert made.process is not None
        made.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        late = client.submit(requests.ping_request(b""))
        with pytest.raises(ShuttingDown):
            list(late.replies())
        begun = time.monotonic()
        with contextlib.suppress(ShuttingDown):
            list(busy.replies())
        assert time.monotonic() - begun < 15
    assert made.process.wait(20) == 0


# ---------------------------------------------------------------- the socket and the data folder


def test_a_stale_socket_is_taken_over(made: Daemon) -> None:
    made.start()
    made.kill()
    assert made.socket.is_socket()
    made.start()
    with made.client() as client:
        assert client.ping(b"x") == b"x"


def test_a_live_socket_is_refused(made: Daemon) -> None:
    made.start()
    (made.folder / "other").mkdir()
    other = Daemon(folder=made.folder / "other", dsn=made.dsn)
    other.socket = made.socket
    done = run(other)
    assert done.returncode == 1
    assert "already_exists: another daemon answers on this socket" in done.stderr and str(made.socket) in done.stderr
    with made.client() as client:  # and the living one was not hurt
        assert client.ping(b"x") == b"x"


def test_a_socket_that_accepts_nobody_counts_as_living(made: Daemon) -> None:
    with socket.socket(socket.AF_UNIX) as holder:
        holder.bind(os.fsencode(made.socket))
        holder.listen(1)
        done = run(made)
        assert done.returncode == 1 and "already_exists" in done.stderr
        assert made.socket.is_socket()


def test_what_is_no_socket_is_left_alone(made: Daemon) -> None:
    made.socket.write_text("a person's file")
    done = run(made)
    assert done.returncode == 1
    assert "something that is no socket" in done.stderr and str(made.socket) in done.stderr
    assert made.socket.read_text() == "a person's file"


def test_a_second_daemon_on_the_same_folder(made: Daemon) -> None:
    made.start()
    other = Daemon(folder=made.folder, dsn=made.dsn)
    other.socket = made.folder / "other-socket"
    done = run(other)
    assert done.returncode == 1
    assert f"another daemon (pid {made.pid}) is using this data folder" in done.stderr
    assert str(made.data) in done.stderr
    assert not other.socket.exists()


def test_a_data_folder_that_cannot_be_used(made: Daemon) -> None:
    (made.folder / "file").write_text("")
    made.data = made.folder / "file/data"
    done = run(made)
    assert done.returncode == 1
    assert "the data folder cannot be used" in done.stderr and str(made.data) in done.stderr
    assert "Traceback" not in done.stderr
    made.data = Path("/proc/mediad-data")
    done = run(made)
    assert done.returncode == 1 and "the data folder cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a mount that is read-only")
def test_a_data_folder_that_became_read_only(made: Daemon) -> None:
    made.start()
    made.stop()
    subprocess.run(["mount", "--bind", made.data, made.data], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", made.data], check=True)
        done = run(made)
    finally:
        subprocess.run(["umount", made.data], check=True)
    assert done.returncode == 1
    assert "the data folder cannot be used: Read-only file system" in done.stderr and "Traceback" not in done.stderr


def test_a_host_id_that_is_damaged(made: Daemon) -> None:
    made.data.mkdir()
    (made.data / "host-id").write_text("not a uuid")
    done = run(made)
    assert done.returncode == 1 and "does not hold a UUID" in done.stderr and "host-id" in done.stderr
    assert not made.socket.exists()


def test_a_socket_path_that_is_too_long(made: Daemon) -> None:
    made.socket = made.folder / ("s" * 108)
    done = run(made)
    assert done.returncode == 1 and "at most 107 bytes" in done.stderr and "s" * 108 in done.stderr


def test_a_socket_in_a_folder_that_cannot_be_made(made: Daemon) -> None:
    (made.folder / "file").write_text("")
    made.socket = made.folder / "file/socket"
    done = run(made)
    assert done.returncode == 1 and "the socket cannot be made" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wrokers = 2\n", "wrokers"),
        ("workers = 'two'\n", "workers takes a whole number"),
        ("board = 1\n", "board takes true or false"),
        ("data_dir = 7\n", "data_dir takes a path"),
        ("exclude = 'all'\n", "exclude takes a list of texts"),
        ("read_seconds = -1\n", "read_seconds takes a number"),
        ("sandbox = 'maybe'\n", "sandbox is best-effort or require"),
        ("[section]\nworkers = 2\n", "section"),
        ("workers = \n", "is not TOML"),
    ],
)
def test_configuration_errors(made: Daemon, text: str, said: str) -> None:
    made.config.write_text(text)
    done = run(made)
    assert done.returncode == 2
    assert said in done.stderr and str(made.config) in done.stderr
    assert "Traceback" not in done.stderr and not made.data.exists()


def test_a_configuration_that_is_not_there(made: Daemon) -> None:
    made.config.unlink()
    done = run(made)
    assert done.returncode == 2 and "cannot be read" in done.stderr and str(made.config) in done.stderr


# ---------------------------------------------------------------- systemd


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.fsencode(path))
        self.socket.settimeout(10.0)
        self.seen: list[str] = []

    def wait_for(self, line: str) -> None:
        while line not in self.seen:
            self.seen += self.socket.recv(4096).decode().split("\n")


def test_notify_ready_watchdog_stopping(made: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = Manager(made.folder / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(manager.path))
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    made.start()
    manager.wait_for("READY=1")
    manager.wait_for("STATUS=ready")
    for _ in range(3):
        manager.seen.clear()
        manager.wait_for("WATCHDOG=1")
    made.stop()
    manager.wait_for("STOPPING=1")
    manager.socket.close()


def test_a_manager_that_is_gone_stops_nobody(made: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(made.folder / "nobody"))
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    made.start()
    time.sleep(0.5)
    with made.client() as client:
        assert client.ping(b"x") == b"x"
    assert made.stop() == 0


def test_a_passed_socket(made: Daemon) -> None:
    """By hand, as systemd passes it: descriptor 3, LISTEN_FDS and LISTEN_PID of the process itself."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fsencode(made.socket))
    listener.listen(16)
    script = (
        "import os, sys; os.dup2(int(sys.argv[1]), 3); "
        "os.execve(sys.argv[2], sys.argv[2:], dict(os.environ, LISTEN_FDS='1', LISTEN_PID=str(os.getpid())))"
    )
    argv = [sys.executable, "-c", script, str(listener.fileno()), *made.command()]
    with open(made.log, "ab") as log:
        made.process = subprocess.Popen(argv, stdout=log, stderr=log, pass_fds=[listener.fileno()])
    with made.client() as client:  # the connection waits in the backlog until the daemon is there
        assert client.ping(b"passed") == b"passed"
    assert made.stop() == 0
    assert made.socket.is_socket(), "a passed socket is the manager's, it is not removed"
    listener.close()


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="systemd-socket-activate is not installed")
def test_systemd_socket_activate(made: Daemon) -> None:
    argv = ["systemd-socket-activate", f"--listen={made.socket}", "--setenv=PYTHONPATH", *made.command()]
    with open(made.log, "ab") as log:
        made.process = subprocess.Popen(argv, stdout=log, stderr=log)
    wait_until(made.socket.exists, 10.0, "the socket")
    with made.client() as client:
        assert client.ping(b"activated") == b"activated"
        assert client.status().pid == made.pid  # it execs: the same process
    assert made.stop() == 0


# ---------------------------------------------------------------- the log


def secret_library(top: Path) -> tuple[Path, list[str]]:
    """A file whose folder, name, tags and title occur nowhere else; and those words."""
    words = ["quixlofolder", "zyrbnaname", "Wexcelsiortitle", "Kombuchartist"]
    source = next(path for path in samples() if path.name == "picard.flac")
    copy = top / words[0] / f"{words[1]}.flac"
    copy.parent.mkdir(parents=True)
    shutil.copyfile(source, copy)
    tagged = FLAC(copy)
    tagged["title"], tagged["artist"] = words[2], words[3]
    tagged.save()
    write_tree(copy.parent, {f"{words[1]}.broken.mp3": b"ID3\x04\x00\x00\x00\x00\x7f\x7f" + words[2].encode() * 99})
    return top, words


@pytest.mark.parametrize("level", ["info", "debug"])
def test_the_log_holds_nobodys_data(level: str) -> None:
    folder = pg.make_folder()
    handlers = folder / "handlers"
    handlers.mkdir()
    crash = handlers / "crash-handler"
    crash.write_text(f'#!/bin/sh\nexec {sys.executable} {BAD_HANDLER} crash "$@"\n')
    crash.chmod(0o755)
    daemon = Daemon(folder=folder, config=f'log_level = "{level}"\nhandler_dirs = ["{handlers}"]\n')
    try:
        daemon.start()
        top, words = secret_library(folder / "library")
        write_tree(top, {f"{words[1]}.bad": b"killed by its handler"})
        with daemon.client() as client:
            client.add([top])
            [page] = list(client.query(f"title:{words[2]}"))
            assert page.title == words[2]
            client.checksum(os.fsencode(top / words[0] / f"{words[1]}.flac"))
            client.get(os.fsencode(top / words[0] / f"{words[1]}.nothing"))
            with pytest.raises(MediadError):
                client.query(f'title:"{words[2]}')
            (top / words[0] / f"{words[1]}.flac").write_bytes(b"fLaC" + words[2].encode() * 10)
            write_tree(top, {f"{words[0]}-many/{words[1]}{number}": b"" for number in range(150)})
            client.add([top])
            shutil.rmtree(top / f"{words[0]}-many")
            with pytest.raises(MediadError):  # most of the root is gone at once: frozen
                client.add([top])
            shutil.rmtree(top)
            with pytest.raises(MediadError):
                client.add([top / words[0]])
        with Client(os.fspath(daemon.socket), actor=words[3]) as client:
            client.ping(words[0].encode())
        with sql(daemon.dsn or "") as ask:
            ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mediad'")
        with daemon.client() as client:
            list(client.query(words[1]))
        assert daemon.stop() == 0
        text = daemon.text()
        assert "listening" in text and "worker failed" in text and "walk ended" in text
        for word in words:
            assert word not in text, [line for line in text.splitlines() if word in line]
    finally:
        daemon.remove()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_required_sandbox_that_cannot_be_had_is_a_refusal_to_start(made: Daemon, tmp_path: Path) -> None:
    """A machine without libseccomp: here it is hidden from every Python process of this daemon."""
    made.config.write_text('sandbox = "require"\n')
    (tmp_path / "sitecustomize.py").write_text(
        "import ctypes\n"
        "class CDLL(ctypes.CDLL):\n"
        "    def __init__(self, name, *more, **named):\n"
        "        if name == 'libseccomp.so.2':\n            raise OSError('not there')\n"
        "        super().__init__(name, *more, **named)\n"
        "ctypes.CDLL = CDLL\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        made.command(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 1
    assert "not locked down" in done.stderr and 'sandbox = "require"' in done.stderr
    assert "Traceback" not in done.stderr
