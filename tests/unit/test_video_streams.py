"""Transport and program streams, DV: built packets, hostile ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mediad_handlers import handle
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.readers.audioheaders import read_ac3, read_adts
from mediad_handlers.readers.bits import Bits
from mediad_handlers.readers.videoheaders import read_avc_sps, read_mpeg_sequence

DATA = Path(__file__).parent.parent / "data/video"


def test_exp_golomb_codes() -> None:
    """ITU-T H.264 table 9-2: 1 010 011 00100 00101."""
    bits = Bits(bytes([0b10100110, 0b01000010, 0b10000000]))
    assert [bits.unsigned() for _ in range(5)] == [0, 1, 2, 3, 4]
    assert not bits.over
    assert Bits(b"").unsigned() == 0


def test_a_sequence_parameter_set() -> None:
    """As libx264 wrote it for 320 x 240 pixels at 25 pictures a second."""
    found = read_avc_sps(bytes.fromhex("6742c00dda0507ec0440000003004000000c83c50aa8"))
    assert (found["width"], found["height"], found["frame_rate"]) == (320, 240, 25.0)
    assert (found["video_profile"], found["scan_type"]) == ("Baseline", "progressive")


def test_a_sequence_header_of_pal() -> None:
    found = read_mpeg_sequence(bytes.fromhex("000001b32d02403323ff") + bytes(20))
    assert (found["width"], found["height"], found["frame_rate"], found["codec"]) == (720, 576, 25.0, "mpeg1video")


def test_audio_headers() -> None:
    ac3 = bytes.fromhex("0b770000") + bytes([0b00010100, 0b01000000, 0b01000000, 0])
    assert read_ac3(ac3)["sample_rate"] == 48000
    adts = bytes([0xFF, 0xF1, 0x50, 0x80, 0x01, 0x3F, 0xFC]) + bytes(2)
    assert read_adts(adts)["sample_rate"] == 44100
    assert read_ac3(b"") == read_adts(b"") == {}


@pytest.mark.parametrize("name", ["M2TS.mts", "sample.ts", "DV.dv"])
def test_damaged_streams_are_a_record_or_a_reason(tmp_path: Path, name: str) -> None:
    content = (DATA / name).read_bytes()
    rng = random.Random(5)
    codes = set()
    for _ in range(150):
        damaged = bytearray(content[: rng.randrange(len(content))] if rng.random() < 0.3 else content)
        for _ in range(rng.randrange(1, 8)):
            if damaged:
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path = tmp_path / name
        path.write_bytes(damaged)
        try:
            handle(path, defer_checksum=False)
        except HandlerError as fault:
            codes.add(fault.code)
    assert codes <= {"corrupt", "unsupported", "limit"}


def test_times_of_a_camera() -> None:
    fields = handle(DATA / "M2TS.mts").fields
    assert (fields["date_taken_local"], fields["utc_offset"], fields["camera_make"]) == (
        "2008-12-31T23:16:24",
        60,
        "Canon",
    )
    assert (fields["video_codec"], fields["audio_codec"], fields["width"]) == ("h264", "ac3", 1920)
