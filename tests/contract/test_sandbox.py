"""What a worker cannot do any more when it meets its first file: tried from inside, by a handler that means harm."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.contract.worker_client import Process

# A handler, run by the kit, that tries one thing and reports how it ended: the errno's name, or "done".
HOSTILE = """
import ctypes, errno, os, signal, socket, subprocess, sys
from mediad_handlers.kit.api import Handler, Match, Record
from mediad_handlers.kit.main import run

LIBC = ctypes.CDLL(None, use_errno=True)

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")

def executable_memory(libc=LIBC):
    libc.mmap.restype = ctypes.c_void_p
    if libc.mmap(None, ctypes.c_size_t(4096), 7, 0x22, -1, ctypes.c_size_t(0)) == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "")

def connect(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)

def attempts(file):
    target = os.environ["TARGET"]
    return {
        "open": lambda: os.open(target, os.O_RDONLY),
        "open to write": lambda: os.open(target, os.O_WRONLY),
        "create": lambda: os.open(target + ".new", os.O_WRONLY | os.O_CREAT),
        "temporary": lambda: os.open(os.path.dirname(target), os.O_TMPFILE | os.O_RDWR),
        "reopen": lambda: os.open(f"/proc/self/fd/{file.fd}", os.O_RDWR),
        "list": lambda: os.listdir("/"),
        "readlink": lambda: os.readlink("/proc/self/exe"),
        "unlink": lambda: os.unlink(target),
        "rename": lambda: os.rename(target, target + ".gone"),
        "link": lambda: os.link(target, target + ".twin"),
        "symlink": lambda: os.symlink(target, target + ".link"),
        "mkdir": lambda: os.mkdir(target + ".d"),
        "chmod": lambda: os.chmod(target, 0o777),
        "fchmod": lambda: os.fchmod(file.fd, 0o777),
        "futimens": lambda: os.utime(file.fd, (1, 1)),
        "setxattr": lambda: os.setxattr(file.fd, "user.x", b"x"),
        "write": lambda: os.write(file.fd, b"x"),
        "truncate": lambda: os.ftruncate(file.fd, 0),
        "chdir": lambda: os.chdir("/"),
        "inet": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "connect": lambda: connect(os.environ["SOCKET"]),
        "fork": os.fork,
        "thread": lambda: __import__("_thread").start_new_thread(print, ()),
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "kill parent": lambda: os.kill(os.getppid(), signal.SIGTERM),
        "memfd": lambda: os.memfd_create("x"),
        "pipe": os.pipe,
        "inotify": lambda: checked(LIBC.inotify_init1(0)),
        "io_uring": lambda: checked(LIBC.syscall(425, 1, ctypes.create_string_buffer(256))),
        "pidfd_open": lambda: os.pidfd_open(os.getppid()),
        "openat2": lambda: checked(LIBC.syscall(437, -100, b"/", ctypes.create_string_buffer(24), 24)),
        "executable memory": executable_memory,
        "dumpable": lambda: checked(LIBC.prctl(4, 1, 0, 0, 0)),
        "more memory": lambda: __import__("resource").setrlimit(9, (-1, -1)),
        "priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
        "root": lambda: os.chroot("/"),
        "uid": lambda: os.setresuid(0, 0, 0),
    }

def read(file):
    try:
        attempts(file)[file.name.decode()]()
        ended = "done"
    except OSError as fault:
        ended = errno.errorcode.get(fault.errno, str(fault.errno))
    except RuntimeError:  # a thread that could not be started
        ended = "EACCES"
    return Record("other", "x", "x/x", fields={"title": ended})

# what is tried must be imported before; a lock-down that broke imports only would look as safe as one that works
import resource, _thread
sys.exit(run("hostile", lambda: (Handler("hostile", 1, "", ("other",), Match(), read),)))
"""
ATTEMPTS = (
    "open", "open to write", "create", "temporary", "reopen", "list", "readlink", "unlink", "rename", "link", "symlink",
    "mkdir", "chmod", "fchmod", "futimens", "setxattr", "write", "truncate", "chdir", "inet", "datagram", "netlink",
    "connect", "fork", "thread", "exec", "spawn", "kill parent", "memfd", "pipe", "inotify", "io_uring", "pidfd_open",
    "openat2", "executable memory", "dumpable", "more memory", "priority", "root", "uid",
)  # fmt: skip
REFUSED = {"EACCES", "EPERM", "EBADF", "EINVAL"}  # EBADF: write on a descriptor open for reading; EINVAL: ftruncate


def try_all(worker: Process, target: Path, attempts: Iterable[str]) -> dict[str, str]:
    """How each attempt ended: the errno's name, or "done"."""
    ended = {}
    for number, attempt in enumerate(attempts, 1):
        descriptor = os.open(target, os.O_RDONLY)
        files = [{"name": attempt.encode()}]
        worker.send({"id": number, "op": "read", "files": files, "options": {}}, [descriptor])
        os.close(descriptor)
        worker.answers.next()
        ended[attempt] = worker.answers.next()["ok"]["fields"]["title"]
    return ended


@pytest.fixture
def hostile(tmp_path: Path) -> list[str]:
    (tmp_path / "hostile.py").write_text(HOSTILE)
    return [sys.executable, str(tmp_path / "hostile.py"), "--worker"]


def test_nothing_that_is_tried_succeeds(hostile: list[str], tmp_path: Path) -> None:
    target, listener = tmp_path / "target", tmp_path / "socket"
    target.write_bytes(b"precious")
    before = os.stat(target)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(listener))
        server.listen()
        with Process(hostile, {"TARGET": str(target), "SOCKET": str(listener)}) as worker:
            manifest = worker.answers.next()
            if "seccomp=1" not in manifest["sandbox"]:
                pytest.skip(f"no system call filter here: {manifest['sandbox']}")
            ended = try_all(worker, target, ATTEMPTS)
            assert worker.finish() == 0
    assert {attempt: how for attempt, how in ended.items() if how not in REFUSED} == {}
    after = os.stat(target)
    assert target.read_bytes() == b"precious"
    assert (after.st_mode, after.st_mtime_ns, after.st_nlink) == (before.st_mode, before.st_mtime_ns, before.st_nlink)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.py", "socket", "target"]


def test_a_worker_for_previews_may_start_threads_and_nothing_else(hostile: list[str], tmp_path: Path) -> None:
    """HEIC's decoder has threads of its own: the filter of these workers is another one."""
    pytest.importorskip("pi_heif", reason="pi-heif is not installed (make test brings it where there is a wheel)")
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    with Process([*hostile, "--previews"], {"TARGET": str(target), "SOCKET": "/nowhere"}) as worker:
        manifest = worker.answers.next()
        if "seccomp=1" not in manifest["sandbox"]:
            pytest.skip(f"no system call filter here: {manifest['sandbox']}")
        assert "threads=1" in manifest["sandbox"]
        ended = try_all(worker, target, [each for each in ATTEMPTS if each != "kill parent"])
        assert worker.finish() == 0
    assert {attempt for attempt, how in ended.items() if how not in REFUSED} == {"thread"}
    assert target.read_bytes() == b"precious"


def test_the_attempts_work_outside(hostile: list[str], tmp_path: Path) -> None:
    """The mutant: the same attempts without the filter and Landlock. If they failed there too, the test above would
    prove nothing."""
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    script = tmp_path / "free.py"
    script.write_text(
        "import mediad_handlers.kit.confine as c, mediad_handlers.kit.landlock as l, mediad_handlers.kit.seccomp as s\n"
        "l.restrict = lambda: 0\ns.build = lambda **how: None\nc._limit = lambda *a: None\n" + HOSTILE
    )
    with Process([sys.executable, script, "--worker"], {"TARGET": str(target), "SOCKET": "/nowhere"}) as worker:
        worker.answers.next()
        harmless = ("open", "open to write", "create", "reopen", "list", "futimens", "fchmod", "inet", "memfd", "pipe",
                    "executable memory", "mkdir", "link", "symlink", "chdir", "rename")  # fmt: skip
        assert try_all(worker, target, harmless) == dict.fromkeys(harmless, "done")
    assert (tmp_path / "target.gone").exists()
