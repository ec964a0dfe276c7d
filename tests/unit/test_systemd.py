"""mediad.systemd against real datagram and stream sockets; the descriptors are passed the way systemd does it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from mediad import systemd

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"


def receiver(address: str | bytes) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound.bind(address)
    bound.settimeout(5)
    return bound


def test_notify_reaches_a_path_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with receiver(path) as manager:
        assert systemd.notify("READY=1", "STATUS=12 files", environ={"NOTIFY_SOCKET": path})
        assert manager.recv(4096) == b"READY=1\nSTATUS=12 files"


def test_notify_reaches_an_abstract_socket() -> None:
    name = f"mediad-test-{uuid.uuid4()}"
    with receiver(b"\0" + name.encode()) as manager:
        assert systemd.notify("WATCHDOG=1", environ={"NOTIFY_SOCKET": "@" + name})
        assert manager.recv(4096) == b"WATCHDOG=1"


def test_notify_without_a_manager_says_so() -> None:
    assert systemd.notify("READY=1", environ={}) is False
    with pytest.raises(ValueError, match="vsock:2:1234"):
        systemd.notify("READY=1", environ={"NOTIFY_SOCKET": "vsock:2:1234"})


def test_notify_does_not_wait_for_a_manager_that_does_not_read(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with receiver(path), pytest.raises(BlockingIOError):
        for _ in range(100_000):
            systemd.notify("STATUS=" + "x" * 1000, environ={"NOTIFY_SOCKET": path})


def test_notify_with_the_manager_gone_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        systemd.notify("READY=1", environ={"NOTIFY_SOCKET": str(tmp_path / "gone")})


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
    ],
)
def test_watchdog_interval(environ: dict[str, str], expected: float | None) -> None:
    assert systemd.watchdog_interval(environ) == expected


# Puts the sockets at 3 and 4 and becomes the program under the same pid, as systemd's fork and exec do
ACTIVATE = """
import os, sys
for target, source in enumerate(map(int, sys.argv[1].split(",")), 3):
    os.dup2(source, 20 + target)
for target in range(3, 3 + len(sys.argv[1].split(","))):
    os.dup2(20 + target, target, inheritable=True)
os.environ.update(LISTEN_PID=sys.argv[2] or str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES=sys.argv[3])
os.execv(sys.executable, [sys.executable, "-c", sys.argv[4]])
"""
REPORT = """
import os, socket
from mediad import systemd
rows = systemd.listen_fds()
for name, descriptor in rows:
    with socket.socket(fileno=os.dup(descriptor)) as passed:
        print(name, descriptor, passed.getsockname(), os.get_inheritable(descriptor))
print(len(rows), sorted(k for k in os.environ if k.startswith("LISTEN_")), systemd.listen_fds())
"""


def activated(folder: Path, pid: str, names: str) -> list[str]:
    """What a process prints that got two listening sockets."""
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        for bound, name in ((first, "a"), (second, "b")):
            bound.bind(str(folder / name))
            bound.listen()
        numbers = (first.fileno(), second.fileno())
        done = subprocess.run(
            [sys.executable, "-c", ACTIVATE, ",".join(map(str, numbers)), pid, names, REPORT],
            pass_fds=numbers,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    return done.stdout.splitlines()


def test_listen_fds_takes_the_passed_sockets_once(tmp_path: Path) -> None:
    assert activated(tmp_path, "", "mediad.socket:other") == [
        f"mediad.socket 3 {tmp_path / 'a'} False",
        f"other 4 {tmp_path / 'b'} False",
        "2 [] []",
    ]


def test_listen_fds_without_names(tmp_path: Path) -> None:
    assert [row.split()[0] for row in activated(tmp_path, "", "")] == ["unknown", "unknown", "2"]


def test_listen_fds_meant_for_another_process_are_left_alone(tmp_path: Path) -> None:
    assert activated(tmp_path, "1", "") == ["0 [] []"]


def test_listen_fds_refuses_a_count_that_is_none() -> None:
    with pytest.raises(ValueError, match="many"):
        systemd.listen_fds({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"})


# ---------------------------------------------------------------- the unit files


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A copy of the units whose ExecStart exists: systemd-analyze verify looks for it."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian package systemd)")
    program = tmp_path / "mediad"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in (*UNITS.glob("*.service"), *UNITS.glob("*.socket")):
        (tmp_path / unit.name).write_text(
            unit.read_text().replace("/usr/bin/mediad", str(program)).replace("/usr/bin/node", str(program))
        )
    return tmp_path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_units_verify(units: Path) -> None:
    done = analyze(
        "verify",
        "--man=no",
        *(str(units / name) for name in ("mediad.socket", "mediad.service", "mediadb-app.service")),
    )
    # warnings about other units of the machine are not ours
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "mediad" in line]
    assert (done.returncode, ours) == (0, [])


def test_a_broken_unit_does_not_verify(units: Path) -> None:
    service = units / "mediad.service"
    service.write_text(service.read_text().replace("Type=notify", "Type=notified"))
    done = analyze("verify", "--man=no", str(service))
    assert "mediad.service" in done.stderr
    assert "notified" in done.stderr


def test_service_exposure(units: Path) -> None:
    """docs/operations.md promises at most 0.5 of 10 (systemd-analyze counts tenths: threshold 5)."""
    done = analyze("security", "--offline=true", "--threshold=5", str(units / "mediad.service"))
    assert done.returncode == 0, done.stdout[-400:]


def test_web_server_exposure(units: Path) -> None:
    """docs/operations.md promises at most 1.6: it listens on a network, and V8 writes code at run time."""
    done = analyze("security", "--offline=true", "--threshold=16", str(units / "mediadb-app.service"))
    assert done.returncode == 0, done.stdout[-400:]


def test_sysusers_and_tmpfiles_make_what_the_units_name(tmp_path: Path) -> None:
    """In a root of its own: the account and group of mediad.service, the folders it writes to."""
    if os.geteuid() != 0:
        pytest.skip("only root may make accounts, in another root folder too")
    for program in ("systemd-sysusers", "systemd-tmpfiles"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian package systemd)")
    root = f"--root={tmp_path}"
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", root, UNITS / "mediad.sysusers"], check=True, timeout=60)
    subprocess.run(["systemd-tmpfiles", root, "--create", UNITS / "mediad.tmpfiles"], check=True, timeout=60)
    accounts = dict(line.split(":", 1) for line in (tmp_path / "etc/passwd").read_text().splitlines())
    groups = {line.split(":")[0]: line.split(":")[2] for line in (tmp_path / "etc/group").read_text().splitlines()}
    service = (UNITS / "mediad.service").read_text()
    assert "User=mediad\n" in service
    assert "Group=media\n" in service
    assert accounts["mediad"].split(":")[2] == groups["media"]
    assert accounts["mediadb-app"].split(":")[2] == groups["media"]
    assert (tmp_path / "var/lib/mediad").stat().st_mode & 0o7777 == 0o750
    assert (tmp_path / "etc/mediad.toml").read_bytes() == b""
