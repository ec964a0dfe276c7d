"""The image and video handlers over the sample files: every field and every payload range is pinned beside the
sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mediad_handlers import image, video
from mediad_handlers.kit.api import Handler, HandlerError, Record
from mediad_handlers.kit.file import File
from mediadb_contract.fields import check_fields

DATA = Path(__file__).parent.parent / "data"
SAMPLES = sorted(p for kind in ("image", "video") for p in (DATA / kind).iterdir() if p.suffix not in (".json", ".md"))


def handler_of(path: Path) -> Handler:
    return image.HANDLER if path.parent.name == "image" else video.HANDLER


def read(path: Path) -> Record:
    with File.open(path) as file:
        return handler_of(path).read(file)


def answer(record: Record) -> dict[str, Any]:
    payload = record.payload
    return {
        "kind": record.kind,
        "format": record.format,
        "mime_type": record.mime_type,
        "fields": record.fields,
        "tags": record.tags,
        "warnings": record.warnings,
        "payload": [payload.algorithm, [list(part) for part in payload.ranges]] if payload else None,
    }


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_is_read_as_expected(path: Path) -> None:
    expected = json.loads((path.parent / f"{path.name}.expected.json").read_text("utf-8"))
    found = json.loads(json.dumps(answer(read(path))))
    assert found == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_fields_are_of_the_dictionary_and_have_a_source(path: Path) -> None:
    record = read(path)
    kept, problems = check_fields(record.fields)
    assert problems == []
    assert set(kept) == set(record.fields)
    assert set(record.sources) <= set(record.fields)


def test_every_sample_has_its_expectation() -> None:
    assert len(SAMPLES) >= 25
    assert [p for p in SAMPLES if not (p.parent / f"{p.name}.expected.json").exists()] == []


@pytest.mark.parametrize("content", [b"", b"\0", b"%PDF-1.7\n", b"AT&TFORM", b"v/1\1"])
@pytest.mark.parametrize("handler", [image.HANDLER, video.HANDLER], ids=lambda handler: handler.name)
def test_other_content_is_unsupported(handler: Handler, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    with File.open(path) as file, pytest.raises(HandlerError) as caught:
        handler.read(file)
    assert caught.value.code == "unsupported"


def test_reading_a_sample_reads_little_of_a_long_file(tmp_path: Path) -> None:
    """moov at the end of a sparse 4 GiB file: found by headers, the data are not read."""
    sample = (DATA / "video" / "mp4-basic.mp4").read_bytes()
    boxes, at = {}, 0
    while at < len(sample):
        length = int.from_bytes(sample[at : at + 4], "big")
        boxes[sample[at + 4 : at + 8]] = sample[at : at + length]
        at += length
    path = tmp_path / "long.mp4"
    size = 4 << 30
    with path.open("wb") as out:
        out.write(boxes[b"ftyp"] + (1).to_bytes(4, "big") + b"mdat" + (size + 16).to_bytes(8, "big"))
        out.seek(size, 1)
        out.write(boxes[b"moov"])
    with File.open(path) as file:
        record = video.HANDLER.read(file)
        assert file.bytes_read < 256 * 1024
    assert record.fields["fast_start"] is False
    assert record.fields["video_codec"] == read(DATA / "video" / "mp4-basic.mp4").fields["video_codec"]


def test_a_film_without_pictures_is_audio(tmp_path: Path) -> None:
    """An MP4 whose video tracks are turned into data tracks: kind audio, with the audio fields."""
    content = (DATA / "video" / "mp4-basic.mp4").read_bytes().replace(b"vide", b"xxxx")
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    record = read_as_video(path)
    assert record.kind == "audio"
    assert record.fields["codec"] == record.fields["audio_codec"] == "aac"


def read_as_video(path: Path) -> Record:
    with File.open(path) as file:
        return video.HANDLER.read(file)
