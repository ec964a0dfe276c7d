"""`mediactl query TEXT --limit N`: the short way and the full command say the same, results and errors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.daemon import Daemon, write_tree

FULL = ("--format", "human")  # the default, but said: enough for the full command


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    daemon = Daemon()
    try:
        daemon.start()
        tree = write_tree(
            daemon.folder / "tree",
            {f"{number:03} song.txt": b"%d" % number for number in range(150)} | {b"\xff\x1b[1m song.txt": b"odd"},
        )
        with daemon.client() as client:
            client.add([tree])
        yield daemon
    finally:
        daemon.remove()


def command(*arguments: str, **environment: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "mediactl", *arguments], capture_output=True, timeout=60, check=False,
        env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "song", "--limit", "5"), ("query", "song", "--limit=500"), ("query", "", "--limit", "120"),
        ("query", "nothing-is-called-so", "--limit", "5"), ("query", "kind:", "--limit", "5"),
        ("query", "size:x", "--limit", "5"), ("query", "song", "--limit", "0"), ("query", "\udcff", "--limit", "5"),
    ],
)  # fmt: skip
def test_both_ways_say_the_same(daemon: Daemon, arguments: tuple[str, ...]) -> None:
    socket = ("--socket", str(daemon.socket))
    quick, full = command(*socket, *arguments), command(*socket, *FULL, *arguments)
    assert quick == full
    assert command(*arguments, MEDIAD_SOCKET=str(daemon.socket)) == full


def test_without_a_daemon_both_say_so(daemon: Daemon) -> None:
    socket = ("--socket", str(daemon.folder / "nobody"))
    quick = command(*socket, "query", "song", "--limit", "5")
    assert quick == command(*socket, *FULL, "query", "song", "--limit", "5")
    assert quick[0] == 3


def test_the_short_way_imports_neither_click_nor_protobuf(daemon: Daemon) -> None:
    code = (
        "import sys; from mediactl.__main__ import run; code = run(sys.argv[1:]);"
        "print(code, sorted({'click', 'google.protobuf', 'socket', 'json', 'dataclasses'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--socket", str(daemon.socket), "query", "song", "--limit", "1"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "0 []"
