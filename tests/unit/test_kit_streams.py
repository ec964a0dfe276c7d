"""Fingerprints and checksums: pinned vectors, and an independent reading of the definition."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from mediad_handlers.audio import HANDLER
from mediad_handlers.kit import answer
from mediad_handlers.kit.api import HandlerError, Payload
from mediad_handlers.kit.checksum import digest
from mediad_handlers.kit.file import File
from mediad_handlers.kit.fingerprint import fingerprint

DATA = Path(__file__).parent.parent / "data"
VECTORS = json.loads((DATA / "vectors/streams.json").read_text("utf-8"))["files"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["file"])
def test_vectors(vector: dict[str, Any]) -> None:
    path = DATA / "audio" / vector["file"]
    with File.open(path) as file:
        [grade, algorithm, value], *others = answer.read(HANDLER, file)["keys"]
        stream = answer.checksum(HANDLER, file, {"scope": "stream"})
    assert grade == "fingerprint"
    assert [algorithm, value.hex()] == vector["fingerprint"]
    digests = {name: value.hex() for name, value in stream["digests"].items()}
    assert {"algorithm": stream["algorithm"], "bytes": stream["bytes"], **digests} == vector["stream"]
    keys = [[grade, name, bytes(key).hex()] for grade, name, key in [*others, *stream["keys"]]]
    assert keys == vector["keys"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == vector["whole"]["sha256"]


def define(algorithm: str, prefix: bytes, content: bytes) -> bytes:
    """The definition in fingerprint.py, written down a second time."""
    parts = [algorithm.encode(), b"\0", len(prefix).to_bytes(4, "big"), prefix, len(content).to_bytes(8, "big")]
    if len(content) <= 65536:
        parts.append(content)
    else:
        parts += [content[at : at + 4096] for at in (i * (len(content) - 4096) // 7 for i in range(8))]
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 300_001])
@pytest.mark.parametrize("pieces", [1, 3])
def test_the_definition(tmp_path: Path, size: int, pieces: int) -> None:
    content = bytes(i * i % 251 for i in range(size))
    gap = b"\xee" * 1000
    ranges, whole, step = [], b"", size // pieces + 1
    for start in range(0, size, step):
        whole += gap
        ranges.append((len(whole), len(content[start : start + step])))
        whole += content[start : start + step]
    (tmp_path / "f").write_bytes(whole + gap)
    payload = Payload("test/1", tuple(ranges), b"prefix")
    with File.open(tmp_path / "f") as file:
        assert fingerprint(file, payload) == define("test/1", b"prefix", content)
        digests, count = digest(file, payload)
    assert count == len(content) + 6
    assert digests["sha1"] == hashlib.sha1(b"prefix" + content).digest()


def test_a_fingerprint_reads_little(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(5_000_000))
    with File.open(tmp_path / "f") as file:
        fingerprint(file, Payload("whole/1", ((0, file.size),)))
        assert file.bytes_read <= 64 * 1024 + 7 * 4096


def test_an_unknown_algorithm_and_a_shrinking_file_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(600_000))
    with File.open(path) as file:
        with pytest.raises(HandlerError) as caught:
            digest(file, Payload("whole/1", ((0, file.size),)), ["crc32"])
        assert caught.value.code == "unsupported"
        path.write_bytes(bytes(300_000))
        with pytest.raises(HandlerError) as caught:
            digest(file, Payload("whole/1", ((0, file.size),)))
        assert caught.value.code == "io"
