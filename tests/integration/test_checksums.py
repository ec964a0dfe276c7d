"""Checksums: computed when asked, once for a state of a file."""

from __future__ import annotations

import hashlib
import threading
import uuid

import pytest
from mutagen.flac import FLAC

from mediad.errors import InvalidArgument
from tests.daemon import Daemon
from tests.daemon.records import check_events, fill_library, rows


@pytest.fixture
def library(daemon: Daemon) -> Daemon:
    fill_library(daemon)
    return daemon


def test_checksums_are_computed_once(library: Daemon) -> None:
    path = library.folder / "tree/Björk/03.flac"
    with library.client() as client:
        both = client.checksum(path, scopes=["file", "stream"])
        assert [(each.scope, each.stored, each.problem) for each in both] == [
            ("file", False, None),
            ("stream", False, None),
        ]
        content = path.read_bytes()
        assert both[0].digests == {name: hashlib.new(name, content).digest() for name in ("md5", "sha1", "sha256")}
        assert both[1].stream_algorithm
        assert both[1].digests != both[0].digests
        again = client.checksum(path, scopes=["stream", "file"])
        assert [each.stored for each in again] == [True, True]
        assert [each.digests for each in again] == [both[1].digests, both[0].digests]
        item = client.get(path)[0].item
        assert item is not None
        assert {(each.scope, each.algorithm) for each in item.files[0].digests} == {
            (scope, name) for scope in ("file", "stream") for name in ("md5", "sha1", "sha256")
        }
        assert (item.id, "checksum") in {(item.id, key.grade) for key in item.keys}
        # other tags, the same stream: the file's digest changes, the stream's does not
        tagged = FLAC(path)
        tagged["title"] = "Another title"
        tagged.save()
        changed = client.checksum(path, scopes=["file", "stream"])  # before any walk has seen the change
        assert [each.stored for each in changed] == [False, False]
        assert changed[0].digests["md5"] == hashlib.md5(path.read_bytes()).digest()
        assert changed[1].digests == both[1].digests
        few = client.checksum(library.folder / "tree/empty.txt", algorithms=["sha1"])[0]
        assert few.digests == {"sha1": hashlib.sha1(b"").digest()}
        more = client.checksum(library.folder / "tree/empty.txt")[0]
        assert more.digests["md5"] == hashlib.md5(b"").digest()
        with pytest.raises(InvalidArgument):
            client.checksum(path, scopes=["everything"])
        with pytest.raises(InvalidArgument):
            client.checksum(path, algorithms=["crc32"])
        with pytest.raises(InvalidArgument):
            client.checksum()
        problems = client.checksum(uuid.uuid4(), "/no/such/file", path)
        assert [each.problem.code if each.problem else "" for each in problems] == ["not_found", "not_found", ""]
    assert check_events(library).count("checksummed") >= 4


def test_a_file_that_changes_under_the_hash(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    tree.mkdir()
    path = tree / "growing.bin"
    path.write_bytes(b"x" * (64 << 20))
    stop = threading.Event()

    def grow() -> None:
        with open(path, "ab", buffering=0) as out:
            while not stop.wait(0.002):
                out.write(b"more")

    with daemon.client() as client:
        client.add([tree])
        writer = threading.Thread(target=grow)
        writer.start()
        try:
            problem = client.checksum(path)[0].problem
        finally:
            stop.set()
            writer.join()
        assert problem is not None
        assert problem.code == "conflict"
        settled = client.checksum(path)[0]
        assert settled.digests["sha1"] == hashlib.sha1(path.read_bytes()).digest()
        assert rows(daemon, "SELECT count(*) FROM mediadb.checksum") == [(1,)]
