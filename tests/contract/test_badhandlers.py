"""The bad handlers misbehave as they say: a fixture that behaves would make the daemon's tests worthless."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgpack
import pytest

from tests.contract.worker_client import Process

BAD = Path(__file__).parent.parent / "badhandlers/badhandler"
SONG = Path(__file__).parent.parent / "data/audio/lame.mp3"


def start(mode: str) -> Process:
    worker = Process([sys.executable, BAD, mode, "--worker"])
    manifest = worker.answers.next()
    assert (manifest["contract"], manifest["application"]) == (1, f"bad-{mode}")
    worker.ask("read", [SONG, SONG])
    if mode != "no-begin":
        assert worker.answers.next() == {"id": 1, "i": 0, "begin": True}
    return worker


@pytest.mark.parametrize(("mode", "status"), [("crash", -11), ("exit-early", 0), ("exit-silently", 3)])
def test_death(mode: str, status: int) -> None:
    with start(mode) as worker:
        assert worker.process.wait(10) == status
        assert worker.answers.next() is None


@pytest.mark.parametrize("mode", ["hang", "spin", "half"])
def test_silence(mode: str) -> None:
    with start(mode) as worker:
        with pytest.raises(TimeoutError):
            worker.answers.next(0.3)
        assert worker.process.poll() is None


def test_floods() -> None:
    with start("flood") as worker:
        assert all(worker.answers.next() == {"id": 1, "i": 0, "progress": 1} for _ in range(5000))
    with start("flood-garbage") as worker, pytest.raises(msgpack.FormatError):
        worker.answers.next()


def test_wrong_answers() -> None:
    with start("wrong-id") as worker:
        assert worker.answers.next()["id"] == 1001
    with start("wrong-index") as worker:
        assert worker.answers.next()["i"] == 1000
    with start("wrong-shape") as worker:
        assert isinstance(worker.answers.next(), list)
    with start("wrong-types") as worker:
        assert worker.answers.next()["ok"]["fields"]["title"] == 7
    with start("answer-twice") as worker:
        assert worker.answers.next() == worker.answers.next()
    with start("no-begin") as worker:
        assert "ok" in worker.answers.next()
    with start("print-text") as worker:
        assert worker.answers.next() == ord("D")
    with start("huge") as worker:
        worker.answers.next()
        assert sum(map(len, worker.answers.writes)) > 1 << 20


def test_memory_and_children() -> None:
    with start("eat-memory") as worker:
        status = Path(f"/proc/{worker.process.pid}/status")
        for _ in range(200):
            size = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))
            if size > 100_000:
                break
            time.sleep(0.01)
        assert size > 100_000
    with start("fork-children") as worker:
        assert "ok" in worker.answers.next()
        assert worker.process.wait(10) == 0
        with pytest.raises(TimeoutError):
            worker.answers.next(0.3)  # no end of file: children hold the pipe


def test_the_control_behaves() -> None:
    with start("behave") as worker:
        got = [worker.answers.next() for _ in range(3)]
        assert [sorted(one) for one in got] == [["i", "id", "ok"], ["begin", "i", "id"], ["i", "id", "ok"]]
        assert worker.finish() == 0
