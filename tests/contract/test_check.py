"""`media-handler check`: it passes who keeps the contract and names what the others do not keep."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BAD = HERE.parent / "badhandlers/badhandler"
DATA = HERE.parent / "data"
CUE = HERE.parents[1] / "handlers/examples/cue-python"


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mediad_handlers.media", "check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def executable(folder: Path, *command: str | Path) -> Path:
    """A one-line program that starts `command` with the words it is given."""
    made = folder / "my-handler"
    made.write_text('#!/bin/sh\nexec "' + '" "'.join(map(str, command)) + '" "$@"\n')
    made.chmod(0o755)
    return made


def test_the_built_in_handlers_keep_it(tmp_path: Path) -> None:
    mine = executable(tmp_path, sys.executable, "-m", "mediad_handlers.media")
    samples = [next(DATA.glob(pattern)) for pattern in ("audio/lame.mp3", "image/*.jpg", "video/*.mp4")]
    done = check(mine, *samples)
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout and "3 files" in done.stdout


def test_the_python_example_keeps_it(tmp_path: Path) -> None:
    mine = executable(tmp_path, sys.executable, CUE / "mediadb_handler_cue.py")
    done = check(mine, CUE / "sample.cue")
    assert done.returncode == 0, done.stdout
    assert "seccomp=1" in done.stdout or "seccomp=0" in done.stdout


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("crash", "it ended, status -11"),
        ("exit-early", "it ended, status 0"),
        ("flood-garbage", "not msgpack"),
        ("wrong-types", "stat is 'none', not list"),
        ("wrong-shape", "expected the answer to file 0"),
        ("wrong-id", "expected the answer to file 0"),
        ("wrong-index", "expected the answer to file 0"),
        ("wrong-stat", "not [inode, size, mtime_ns, ctime_ns]"),
        ("print-text", "expected the answer"),
        ("answer-twice", "expected {'id'"),
        ("no-begin", "'begin': True}, got"),
    ],
)
def test_a_bad_handler_is_told_what_it_does_not_keep(tmp_path: Path, mode: str, said: str) -> None:
    sample = tmp_path / "sample.bad"
    sample.write_bytes(b"BAD! sample")
    done = check(executable(tmp_path, sys.executable, BAD, mode), sample)
    assert done.returncode == 1
    assert "FAIL" in done.stdout and said in done.stdout


def test_wrong_calls() -> None:
    assert check().returncode == 2
    done = check("/nonexistent")
    assert (done.returncode, done.stderr) == (2, "/nonexistent: not an executable\n")
    done = check(sys.executable, "/nonexistent/sample")
    assert (done.returncode, done.stderr) == (2, "/nonexistent/sample: not a file\n")


def test_an_executable_that_is_no_handler(tmp_path: Path) -> None:
    done = check(executable(tmp_path, "/bin/echo"))
    assert done.returncode == 1
    assert "not one JSON object" in done.stdout
