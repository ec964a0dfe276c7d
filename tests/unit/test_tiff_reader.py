"""The TIFF/EXIF reader: both byte orders, every field type, loops, limits, and mutated bytes."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediad_handlers import image, video
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File
from mediad_handlers.readers.tiff import MAX_DIRECTORIES, Tiff, read_exif

DATA = Path(__file__).parent.parent / "data"
SAMPLES = sorted(p for kind in ("image", "video") for p in (DATA / kind).iterdir() if p.suffix not in (".json", ".md"))
MUTANTS = 150  # of each sample


def directory(order: str, entries: list[tuple[int, int, int, bytes]], following: int = 0, at: int = 8) -> bytes:
    """A TIFF structure of one directory at `at`; values of more than four bytes stand behind it."""
    table, values = b"", b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        if len(value) <= 4:
            field = value.ljust(4, b"\0")
        else:
            field = struct.pack(order + "I", behind + len(values))
            values += value
        table += struct.pack(order + "HHI", tag, kind, count) + field
    mark = b"II" if order == "<" else b"MM"
    header = (mark + struct.pack(order + "HI", 42, at)).ljust(at, b"\0")
    return header + struct.pack(order + "H", len(entries)) + table + struct.pack(order + "I", following) + values


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_field_type(order: str) -> None:
    def pack(form: str, *values: float) -> bytes:
        return struct.pack(order + form, *values)

    tiff = Tiff(directory(order, [
        (1, 1, 1, b"\x07"), (2, 2, 4, b"abc\0"), (3, 3, 1, pack("H", 65000)), (4, 4, 1, pack("I", 4_000_000_000)),
        (5, 5, 1, pack("II", 28, 10)), (6, 6, 1, pack("b", -7)), (7, 7, 4, b"0230"), (8, 8, 1, pack("h", -300)),
        (9, 9, 1, pack("i", -70000)), (10, 10, 1, pack("ii", -1, 3)), (11, 11, 1, pack("f", 0.5)),
        (12, 12, 1, pack("d", 0.25)), (13, 3, 2, pack("HH", 1, 2)), (14, 5, 2, pack("IIII", 1, 2, 1, 0)),
        (15, 2, 6, b"\xe9t\xe9\0\0\0"), (16, 2, 6, "été".encode() + b"\0"), (17, 99, 1, b"????"),
        (18, 5, 1, pack("II", 0, 0)), (19, 3, 5, pack("5H", 1, 2, 3, 4, 5)),
    ]))  # fmt: skip
    entries, following = tiff.directory(tiff.first)
    assert following == 0
    assert entries == {
        1: 7, 2: "abc", 3: 65000, 4: 4_000_000_000, 5: 2.8, 6: -7, 7: b"0230", 8: -300, 9: -70000, 10: -1 / 3,
        11: 0.5, 12: 0.25, 13: [1, 2], 14: [0.5, None], 15: "été", 16: "été", 18: None, 19: [1, 2, 3, 4, 5],
    }  # fmt: skip


def test_a_chain_that_bites_its_tail_ends() -> None:
    tiff = Tiff(directory("<", [(0x0110, 2, 2, b"x\0")], following=8))
    entries, following = tiff.directory(8)
    assert entries == {0x0110: "x"} and following == 8
    assert tiff.directory(following) == ({}, 0)


def test_pointers_into_the_own_directory_end() -> None:
    data = directory(">", [(0x8769, 4, 1, struct.pack(">I", 8)), (0x8825, 4, 1, struct.pack(">I", 8))], following=8)
    assert set(read_exif(data).directories) == {"IFD0", "ExifIFD", "GPS", "IFD1"}
    assert read_exif(data).directories["ExifIFD"] == {}


def test_directories_are_counted() -> None:
    data = directory("<", [(1, 3, 1, b"\1\0")]) + bytes(4096)
    tiff = Tiff(data)
    for at in range(8, 8 + MAX_DIRECTORIES + 20):
        tiff.directory(at)
    assert len(tiff.visited) == MAX_DIRECTORIES


def test_a_value_beyond_the_block_is_left_out() -> None:
    data = directory("<", [(0x0110, 5, 1, struct.pack("<II", 1, 2)), (0x010F, 2, 4, b"abc\0")])
    data = data[:-1]
    tiff = Tiff(data)
    assert tiff.directory(8)[0] == {0x010F: "abc"}
    assert tiff.truncated


def test_a_huge_count_costs_nothing() -> None:
    entry = struct.pack("<HHII", 0x0110, 7, 0xFFFFFFFF, 8)
    data = b"II*\0\x08\0\0\0\x01\0" + entry + bytes(4)
    tiff = Tiff(data)
    assert tiff.directory(8)[0] == {} and tiff.truncated


def test_no_header_is_corrupt() -> None:
    for data in (b"", b"II", b"XX*\0\x08\0\0\0", b"II+\0\x08\0\0\0"):
        with pytest.raises(HandlerError) as caught:
            Tiff(data)
        assert caught.value.code == "corrupt"


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0"]), st.binary(max_size=400))
def test_any_bytes_give_directories_or_an_error(header: bytes, rest: bytes) -> None:
    code, found = "", {}
    try:
        found = read_exif(header + rest).directories
    except HandlerError as fault:
        code = fault.code
    assert code == "corrupt" or "IFD0" in found


def mutate(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    span = min(len(data), rng.choice((64, 512, 4096, len(data))))
    for _ in range(rng.choice((1, 3, 10, 40))):
        at = rng.randrange(span)
        if rng.random() < 0.7:
            data[at] = rng.choice((0, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        else:
            data[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1", b""))
        span = min(span, len(data))
    return bytes(data[: rng.randrange(len(data) + 1)] if rng.random() < 0.15 else data)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_mutated_files_give_a_record_or_a_handler_error(path: Path, tmp_path: Path) -> None:
    rng = random.Random(path.name)
    handler = image.HANDLER if path.parent.name == "image" else video.HANDLER
    content = path.read_bytes()
    mutant = tmp_path / path.name
    records = 0
    codes = set()
    for _ in range(MUTANTS):
        mutant.write_bytes(mutate(content, rng))
        with File.open(mutant) as file:
            try:
                record = handler.read(file)
            except HandlerError as fault:
                codes.add(fault.code)
            else:
                records += record.kind in ("image", "video", "audio", "other")
    assert codes <= {"corrupt", "unsupported", "limit"}
    assert records > MUTANTS // 20
