"""Formats read by Pillow, and those of a short header: values of files made here, broken files, limits, imports."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mediad_handlers import media
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.budget import BudgetStream
from mediad_handlers.kit.file import File

DATA = Path(__file__).parent.parent / "data"
SAMPLES = [DATA / name for name in ("image/Photoshop.psd", "image/Jpeg2000.jp2", "video/Real.rm", "audio/sample.mid")]
MUTATIONS = 150  # of one sample


def read(path: Path) -> Record:
    with File.open(path) as file:
        return media.choose(file, "").read(file)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("extension", "mode", "format", "expected"),
    [
        ("tga", "RGBA", "tga", {"color_mode": "rgba", "has_alpha": True, "bits_per_sample": 8, "compression": "none"}),
        ("tga", "RGB", "tga", {"color_mode": "rgb", "has_alpha": False, "bits_per_sample": 8}),
        ("sgi", "RGB", "sgi", {"color_mode": "rgb", "bits_per_sample": 8, "compression": "none"}),
        ("pcx", "RGB", "pcx", {"color_mode": "rgb", "bits_per_sample": 8, "compression": "rle"}),
        ("pcx", "1", "pcx", {"color_mode": "gray", "bits_per_sample": 1}),
        ("ppm", "RGB", "pnm", {"color_mode": "rgb", "has_alpha": False}),
        ("pgm", "L", "pnm", {"color_mode": "gray"}),
        ("pbm", "1", "pnm", {"color_mode": "gray", "bits_per_sample": 1}),
        ("dds", "RGBA", "dds", {}),
    ],
)
def test_picture_made_by_pillow(
    extension: str, mode: str, format: str, expected: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / f"x.{extension}"
    Image.new(mode, (20, 10)).save(path)
    record = read(path)
    assert (record.kind, record.format, record.warnings) == ("image", format, [])
    assert (record.fields["width"], record.fields["height"]) == (20, 10)
    assert {name: record.fields.get(name) for name in expected} == expected


def test_icon_family_gives_its_largest_icon(tmp_path: Path) -> None:
    blocks = b"".join(kind + struct.pack(">I", 12) + b"\0\0\0\0" for kind in (b"ic07", b"ic09", b"icp4"))
    record = read(write(tmp_path / "x.icns", b"icns" + struct.pack(">I", 8 + len(blocks)) + blocks))
    assert [record.fields[name] for name in ("width", "height", "frame_count")] == [512, 512, 3]


@pytest.mark.parametrize(("version", "depth"), [(1, 16), (2, 8)])
def test_photoshop_variant_unknown_to_pillow_gives_its_header(version: int, depth: int, tmp_path: Path) -> None:
    record = read(write(tmp_path / "x.psd", struct.pack(">4sH6xHIIHH", b"8BPS", version, 3, 30, 40, depth, 3)))
    assert record.format == ("psd" if version == 1 else "psb")
    assert [record.fields[name] for name in ("width", "height", "bits_per_sample")] == [40, 30, depth]
    assert len(record.warnings) == 1


def au(size: int, samples: int, encoding: int = 3) -> bytes:
    return struct.pack(">4s5I", b".snd", 28, size, encoding, 8000, 2) + b"\0" * 4 + b"\0" * samples * 4


@pytest.mark.parametrize("size", [16000 * 4, 0xFFFFFFFF])
def test_au(size: int, tmp_path: Path) -> None:
    record = read(write(tmp_path / "x.au", au(size, 16000)))
    assert (record.kind, record.format, record.warnings) == ("audio", "au", [])
    expected = {"duration": 2.0, "sample_rate": 8000, "channels": 2, "bits_per_sample": 16, "codec": "pcm"}
    assert {name: record.fields.get(name) for name in expected} == expected


def midi(division: int, events: bytes) -> bytes:
    track = events + b"\0\xff\x2f\0"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, division) + b"MTrk" + struct.pack(">I", len(track)) + track


@pytest.mark.parametrize(
    ("division", "events", "seconds"),
    [
        (96, b"\0\x90\x40\x40\x60\x80\x40\x40", 0.5),  # one quarter note at the default tempo
        (96, b"\0\xff\x51\3\x0f\x42\x40\x60\x90\x40\x40\x60\xff\x51\3\x03\xd0\x90\x60\x80\x40\x40", 2.25),
        (0xE728, b"\0\x90\x40\x40\x64\x80\x40\x40", 0.1),  # 25 frames of 40 ticks: 100 ticks
    ],
)
def test_midi_duration_follows_the_tempo(division: int, events: bytes, seconds: float, tmp_path: Path) -> None:
    assert read(write(tmp_path / "x.mid", midi(division, events))).fields["duration"] == seconds


def test_midi_with_too_many_events_has_no_duration(tmp_path: Path) -> None:
    record = read(write(tmp_path / "x.mid", midi(96, b"\0\x90\x40\x40" + b"\0\x40\x40" * 200_001)))
    assert "duration" not in record.fields
    assert len(record.warnings) == 1


def test_realaudio_4(tmp_path: Path) -> None:
    header = b".ra\xfd\0\4\0\0.ra4" + struct.pack(">IHIHI12xHHHHHHHH", 160, 4, 60, 1, 0, 0, 0, 0, 0, 22050, 0, 16, 2)
    content = header + b"\4Int0\4dnet\0\0\0\5Title\2Me\0\0" + b"\0" * 200
    record = read(write(tmp_path / "x.ra", content))
    expected = {"sample_rate": 22050, "channels": 2, "codec": "dnet", "title": "Title", "artists": ["Me"]}
    assert record.fields == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_mutations_raise_nothing_but_handler_errors(path: Path, tmp_path: Path) -> None:
    original, chance, outcomes = path.read_bytes(), random.Random(path.name), set()
    for _ in range(MUTATIONS):
        content = bytearray(original)
        for _ in range(chance.choice((1, 4, 16))):
            content[chance.randrange(min(len(content), 2048))] = chance.choice((0, 1, 127, 128, 255))
        if chance.random() < 0.2:
            del content[chance.randrange(4, len(content)) :]
        try:
            read(write(tmp_path / path.name, bytes(content)))
            outcomes.add("read")
        except HandlerError as fault:
            outcomes.add(fault.code)
    assert "read" in outcomes
    assert outcomes <= {"read", "corrupt", "limit", "unsupported"}


@pytest.mark.parametrize("content", [b"P6\n" + b"#" * 300_000, b"icns\xff\xff\xff\xff" + b"abcd\0\0\0\4" * 300_000])
def test_header_without_end_stops_at_the_limit(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(HandlerError) as caught:
        read(write(tmp_path / "x", content))
    assert caught.value.code in ("limit", "corrupt")


def test_budget_counts_what_is_read_again(tmp_path: Path) -> None:
    with File.open(write(tmp_path / "x", b"x" * 100)) as file:
        stream = BudgetStream(file, 250)
        for _ in range(2):
            stream.seek(0)
            assert len(stream.read()) == 100
        stream.seek(0)
        with pytest.raises(HandlerError) as caught:
            stream.read()
    assert caught.value.code == "limit"


def test_preload_brings_the_named_plugins_and_no_hachoir() -> None:
    """And reading a picture afterwards imports nothing more."""
    program = (
        "import sys\n"
        "from mediad_handlers import image, video, audio\n"
        "from mediad_handlers.kit.file import File\n"
        "from importlib import import_module\n"
        "for h in (image, video, audio):\n"
        "    for m in h.HANDLER.preload: import_module(m)\n"
        "assert not [m for m in sys.modules if m.split('.')[0] == 'hachoir']\n"
        "assert 'PIL.PsdImagePlugin' in sys.modules and 'PIL.GifImagePlugin' not in sys.modules\n"
        "before = set(sys.modules)\n"
        "for path in sys.argv[1:]: image.HANDLER.read(File.open(path))\n"
        "print(sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, SAMPLES[:2])], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
