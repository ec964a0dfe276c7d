"""Bounded reading: File and its Stream against the plain file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import BLOCK, HEAD, MAX_READ, File

CONTENT = bytes(i * i % 251 for i in range(HEAD + 3 * BLOCK + 17))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("file") / "a.b.MP3"
    made.write_bytes(CONTENT)
    return made


def test_head_is_one_read_and_reads_within_it_are_none(path: Path) -> None:
    with File.open(path) as file:
        assert file.head == CONTENT[:HEAD]
        assert file.bytes_read == HEAD
        assert file.read(5, 100) == CONTENT[5:105]
        assert file.bytes_read == HEAD
        assert file.read(HEAD - 1, 2) == CONTENT[HEAD - 1 : HEAD + 1]
        assert file.read(len(CONTENT) - 3, 99) == CONTENT[-3:]
        assert file.read(len(CONTENT) + 5, 9) == b""
        assert file.tail(7) == CONTENT[-7:]
        assert (file.extension, file.size) == ("mp3", len(CONTENT))
        assert file.stat()[:2] == (os.stat(path).st_ino, len(CONTENT))


def test_a_read_that_asks_for_too_much_is_refused(path: Path) -> None:
    with File.open(path) as file, pytest.raises(HandlerError) as caught:
        file.read(0, MAX_READ + 1)
    assert caught.value.code == "limit"


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    for name, code in ((tmp_path / "absent", "io"), (tmp_path, "unsupported")):
        with pytest.raises(HandlerError) as caught:
            File.open(name)
        assert caught.value.code == code
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(HandlerError):
        File.open(tmp_path / "fifo")  # and does not wait for a writer


SEEKS = st.tuples(st.integers(0, 2), st.integers(-len(CONTENT), len(CONTENT) + 10), st.integers(-1, 40000))


@settings(max_examples=200)
@given(moves=st.lists(SEEKS, max_size=12))
def test_stream_is_the_file(path: Path, moves: list[tuple[int, int, int]]) -> None:
    with File.open(path) as file, path.open("rb") as plain:
        stream = file.stream()
        for whence, offset, size in moves:
            base = (0, plain.tell(), len(CONTENT))[whence]
            if base + offset < 0:
                continue
            assert stream.seek(offset, whence) == plain.seek(offset, whence)
            assert stream.read(size) == plain.read(size)
            assert stream.tell() == plain.tell()
