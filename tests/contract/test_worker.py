"""handlers/README.md, As a worker: held by a real process with real descriptors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.contract.worker_client import Process

DATA = Path(__file__).parent.parent / "data/audio"
SONG, LAME, FLAC = DATA / "id3v23-multi.mp3", DATA / "lame.mp3", DATA / "picard.flac"
MEDIA = (sys.executable, "-m", "mediad_handlers.media")

# A handler with bugs, run by the kit: what it does depends on the file's first byte.
FAULTY = """
import sys
from mediad_handlers.kit.api import Handler, HandlerError, Match, Record
from mediad_handlers.kit.main import run

def read(file):
    first = file.head[:1]
    print("a stray print")
    if first == b"b":
        raise KeyError("bug")
    if first == b"m":
        raise MemoryError
    if first == b"a":
        return Record("other", "x", "x/x", fields={"title": bytearray(400 << 20)})
    if first == b"r":
        return read(file)
    if first == b"l":
        raise HandlerError("limit", "too much")
    if first == b"h":
        return Record("other", "x", "x/x", tags={f"X:{i}": ["v" * 100] for i in range(5000)})
    if first == b"f":
        open("/tmp/written-by-a-worker", "wb", buffering=0).write(b"x")
    return Record("other", "x", "x/x", fields={"title": "lone \\ud800 surrogate"})

sys.exit(run("faulty", lambda: (Handler("faulty", 1, "", ("other",), Match(), read),)))
"""


@pytest.fixture
def faulty(tmp_path: Path) -> list[str]:
    (tmp_path / "faulty.py").write_text(FAULTY)
    return [sys.executable, str(tmp_path / "faulty.py"), "--worker"]


def make_files(folder: Path, *first: str) -> list[Path]:
    paths = [folder / f"{index}-{one}" for index, one in enumerate(first)]
    for path in paths:
        path.write_bytes(path.name[2:].encode() * 10)
    return paths


def test_manifest_comes_first_and_says_how_the_worker_is_confined() -> None:
    with Process([*MEDIA, "--worker"]) as worker:
        manifest = worker.answers.next()
        assert (manifest["contract"], manifest["application"], manifest["descriptors"]) == (1, "media", True)
        assert "rlimits=1" in manifest["sandbox"]
        audio = next(one for one in manifest["handlers"] if one["name"] == "audio")
        assert "mp3" in audio["extensions"]
        assert [0, b"fLaC"] in audio["magic"]
        assert set(audio["operations"]) == {"read", "checksum", "text", "preview", "write"}
        assert worker.finish() == 0
        assert worker.answers.next() is None


def test_files_are_answered_in_order_each_begin_with_the_answer_before() -> None:
    with Process([*MEDIA, "--worker"]) as worker:
        worker.answers.next()
        worker.ask("read", [SONG, LAME, FLAC], number=7)
        seen = [worker.answers.next() for _ in range(6)]
        assert [(one["id"], one["i"], "begin" in one) for one in seen] == [
            (7, 0, True), (7, 0, False), (7, 1, True), (7, 1, False), (7, 2, True), (7, 2, False),
        ]  # fmt: skip
        first = seen[1]["ok"]
        assert (first["handler"], first["kind"], first["format"]) == ("audio", "audio", "mp3")
        assert first["fields"]["artists"] == ["piman", "jzig"]
        assert first["keys"] == [
            ["fingerprint", "mp3-frames/1", bytes.fromhex("8304a66986a8ad6ceacc5603078d2766")],
            ["track", "track-head/1", bytes.fromhex("ecca05f91a4243c1c7ac19d958c33d70")],
        ]
        status = os.stat(SONG)
        assert first["stat"] == [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        assert worker.finish() == 0


def test_requests_may_be_sent_ahead_and_in_pieces() -> None:
    with Process([*MEDIA, "--worker"]) as worker:
        worker.answers.next()
        for number in range(8):
            worker.ask("read", [LAME] * 32, number=number)
        got = [worker.answers.next() for _ in range(8 * 64)]
        assert [one["id"] for one in got if "ok" in one] == [number for number in range(8) for _ in range(32)]
        opened = os.listdir(f"/proc/{worker.process.pid}/fd")
        assert len(opened) <= 5  # every descriptor was closed


def test_checksums() -> None:
    with Process([*MEDIA, "--worker"]) as worker:
        worker.answers.next()
        worker.ask("checksum", [LAME], scope="file", algorithms=["md5"])
        worker.answers.next()
        whole = worker.answers.next()["ok"]
        assert whole["digests"] == {"md5": bytes.fromhex("4b5cdb26b1d8e2a51bbd4d160ddadad9")}
        assert (whole["scope"], whole["bytes"]) == ("file", 2086)
        worker.ask("checksum", [LAME], scope="stream")
        worker.answers.next()
        stream = worker.answers.next()["ok"]
        assert stream["algorithm"] == "mp3-frames/1"
        assert set(stream["digests"]) == {"md5", "sha1", "sha256"}
        worker.ask("checksum", [LAME], scope="stream", algorithms=["rot13"])
        worker.answers.next()
        assert worker.answers.next()["error"]["code"] == "unsupported"


def test_progress_of_a_long_checksum(tmp_path: Path) -> None:
    """A sparse file of 2 GiB takes seconds to hash."""
    with (tmp_path / "long").open("wb") as long:
        long.truncate(2 << 30)
    with Process([*MEDIA, "--worker"]) as worker:
        worker.answers.next()
        worker.ask("checksum", [tmp_path / "long"], scope="file")
        assert worker.answers.next()["begin"]
        first, second = worker.answers.next(), worker.answers.next()
        assert 0 < first["progress"] < second["progress"] < 2 << 30


def test_errors_do_not_end_the_worker(tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "broken.flac").write_bytes(b"fLaC" + bytes(2))
    with Process([*MEDIA, "--worker"]) as worker:
        worker.answers.next()
        worker.ask("read", [tmp_path / "broken.flac", SONG])
        got = [worker.answers.next() for _ in range(4)]
        assert got[1]["error"]["code"] == "corrupt"
        assert got[3]["ok"]["format"] == "mp3"
        worker.ask("transmogrify", [SONG])
        worker.answers.next()
        assert worker.answers.next()["error"]["code"] == "unsupported"
        worker.send({"id": 9, "op": "read", "files": [{"name": b"no descriptor"}], "later": {"unknown": 1}})
        worker.answers.next()
        assert worker.answers.next()["error"]["code"] == "io"
        worker.ask("read", [SONG], handler="file")
        worker.answers.next()
        assert worker.answers.next()["ok"]["handler"] == "file"
        assert worker.finish() == 0


def test_bugs_are_internal_errors_and_prints_go_to_standard_error(faulty: list[str], tmp_path: Path) -> None:
    with Process(faulty) as worker:
        assert worker.answers.next()["application"] == "faulty"
        worker.ask("read", make_files(tmp_path, "bug", "limit", "x", "huge", "file"))
        got = [worker.answers.next() for _ in range(10)]
        assert (got[1]["error"]["code"], got[3]["error"]["code"]) == ("internal", "limit")
        assert got[5]["ok"]["fields"]["title"] == "lone ? surrogate"
        huge = got[7]["ok"]
        assert len(huge["tags"]) <= 2000
        assert any("2000" in text for text in huge["warnings"])
        assert got[9]["error"]["code"] == "internal"  # RLIMIT_FSIZE is 0
        assert worker.finish() == 0
        assert worker.read_errors().count("a stray print") == 5
    written = Path("/tmp/written-by-a-worker")
    assert not written.exists() or written.stat().st_size == 0
    written.unlink(missing_ok=True)


@pytest.mark.parametrize("fault", ["memory", "allocate", "recursion"])
def test_a_worker_out_of_memory_answers_and_asks_to_be_replaced(fault: str, faulty: list[str], tmp_path: Path) -> None:
    with Process(faulty) as worker:
        worker.answers.next()
        worker.ask("read", make_files(tmp_path, fault, "x"))
        assert worker.answers.next()["begin"]
        assert worker.answers.next()["error"]["code"] == "limit"
        assert worker.answers.next() is None  # the second file was not begun: nobody blames it
        assert worker.process.wait(10) == 75


def test_limits_are_in_force_and_come_from_the_command_line() -> None:
    with Process([*MEDIA, "--worker", "--memory", str(200 << 20)]) as worker:
        worker.answers.next()
        limits = Path(f"/proc/{worker.process.pid}/limits").read_text()
        found = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()[1:]}
        assert found["Max address space"] == [str(200 << 20)] * 2
        assert found["Max file size"] == found["Max core file size"] == ["0", "0"]
        status = Path(f"/proc/{worker.process.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status


def test_a_worker_keeps_no_other_descriptor() -> None:
    extra = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(extra, True)
    with Process([*MEDIA, "--worker"]) as worker:
        worker.answers.next()
        assert sorted(map(int, os.listdir(f"/proc/{worker.process.pid}/fd"))) == [0, 1, 2, 3]
    os.close(extra)


def test_a_worker_dies_with_its_parent() -> None:
    """The parent is a shell that is killed; the worker's input stays open here."""
    script = (
        "import subprocess,sys,os,socket\n"
        "a,b=socket.socketpair(); os.set_inheritable(a.fileno(), True)\n"
        "p=subprocess.Popen([sys.executable,'-m','mediad_handlers.media','--worker'],stdin=b,stdout=subprocess.PIPE)\n"
        "p.stdout.read(1); print(p.pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=20)
    worker = Path(f"/proc/{int(told.stdout)}")
    for _ in range(100):
        if not worker.exists() or "State:\tZ" in (worker / "status").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the worker outlived its parent")


def test_describe_is_the_manifest_as_json() -> None:
    for module in ("media", "audio", "file"):
        told = subprocess.run(
            [sys.executable, "-m", f"mediad_handlers.{module}", "--describe"], capture_output=True, check=True
        )
        manifest = json.loads(told.stdout)
        assert (manifest["contract"], manifest["application"]) == (1, module)
        assert all(len(row) == 2 for one in manifest["handlers"] for row in one["magic"])
