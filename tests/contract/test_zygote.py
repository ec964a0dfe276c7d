"""handlers/README.md, Warm start: forks onto given descriptors, and never reaps before it is told to."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.contract.worker_client import Answers, Process, send

DATA = Path(__file__).parent.parent / "data/audio"
MEDIA = (sys.executable, "-m", "mediad_handlers.media", "--zygote")


class Forked:
    """A worker that a zygote forked, seen from the daemon."""

    def __init__(self, zygote: Process, number: int, **request: Any) -> None:
        self.socket, theirs = socket.socketpair()
        reading, writing = os.pipe()
        zygote.send({"fork": number, **request}, [theirs.fileno(), writing])
        theirs.close()
        os.close(writing)
        told = zygote.answers.next()
        assert told["fork"] == number
        self.pid: int = told["pid"]
        self.handle = os.pidfd_open(self.pid)
        self.answers = Answers(reading)

    def close(self) -> None:
        self.socket.close()
        os.close(self.handle)
        os.close(self.answers.descriptor)


@pytest.fixture
def zygote() -> Any:
    with Process(MEDIA) as process:
        assert process.answers.next()["application"] == "media"
        yield process


def read_song(worker: Forked) -> Any:
    descriptor = os.open(DATA / "lame.mp3", os.O_RDONLY)
    send(worker.socket, {"id": 1, "op": "read", "files": [{"name": b"lame.mp3"}]}, [descriptor])
    os.close(descriptor)
    worker.answers.next()
    return worker.answers.next()["ok"]


def test_a_forked_worker_is_a_worker(zygote: Process) -> None:
    worker = Forked(zygote, 1, memory=150 << 20)
    zygote.send({"ack": 1})
    manifest = worker.answers.next()
    assert f"memory={150 << 20}" in manifest["sandbox"]
    assert read_song(worker)["fields"]["encoder"] == "LAME 3.99r"
    assert sorted(map(int, os.listdir(f"/proc/{worker.pid}/fd"))) == [0, 1, 2, 3]
    worker.socket.close()
    assert zygote.answers.next() == {"exit": worker.pid, "status": 0}
    worker.close()


def test_a_child_stays_a_zombie_until_it_is_acknowledged(zygote: Process) -> None:
    worker = Forked(zygote, 5)
    worker.answers.next()
    signal.pidfd_send_signal(worker.handle, signal.SIGKILL)
    for _ in range(200):
        if "State:\tZ" in Path(f"/proc/{worker.pid}/status").read_text():
            break
        time.sleep(0.01)
    with pytest.raises(TimeoutError):
        zygote.answers.next(0.2)
    assert Path(f"/proc/{worker.pid}").exists()
    zygote.send({"ack": 5})
    assert zygote.answers.next() == {"exit": worker.pid, "status": 9}
    assert not Path(f"/proc/{worker.pid}").exists()
    worker.close()


def test_many_children_and_the_zygotes_end(zygote: Process) -> None:
    workers = [Forked(zygote, number) for number in range(4)]
    for number, worker in enumerate(workers):
        zygote.send({"ack": number})
        worker.answers.next()
        assert read_song(worker)["format"] == "mp3"
    zygote.process.kill()
    for worker in workers:
        assert worker.answers.next(5) is None  # gone with the zygote: PR_SET_PDEATHSIG
        worker.close()


def test_the_zygote_ends_with_its_input(zygote: Process) -> None:
    assert zygote.finish() == 0


def test_a_request_without_descriptors_is_answered(zygote: Process) -> None:
    zygote.send({"fork": 3})
    assert "error" in zygote.answers.next()
    worker = Forked(zygote, 4)
    assert worker.answers.next()["contract"] == 1
    worker.close()


def test_forking_is_quick(zygote: Process) -> None:
    """Measured 2 ms from request to manifest; the bound leaves room for a busy machine."""
    times = []
    for number in range(5):
        start = time.monotonic()
        worker = Forked(zygote, number)
        worker.answers.next()
        times.append(time.monotonic() - start)
        zygote.send({"ack": number})
        worker.socket.close()
        assert zygote.answers.next()["exit"] == worker.pid
        worker.close()
    assert min(times) < 0.1
