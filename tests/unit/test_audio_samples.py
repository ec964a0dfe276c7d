"""The audio handler on real files: x.expected.json beside each sample is all it has to say of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mediad_handlers import handle
from mediad_handlers.audio import HANDLER
from mediad_handlers.kit import answer
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File
from mediad_handlers.kit.output import to_plain
from mediadb_contract.fields import check_fields

DATA = Path(__file__).parent.parent / "data/audio"
SAMPLES = sorted(path for path in DATA.iterdir() if path.suffix not in (".json", ".md"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample(path: Path) -> None:
    expected = json.loads(Path(f"{path}.expected.json").read_text("utf-8"))
    with File.open(path) as file:
        record = to_plain(answer.read(HANDLER, file))
    record["fields"], problems = check_fields(record["fields"])
    assert not problems
    assert {key: record[key] for key in expected} == expected
    assert set(record["sources"]) >= set(record["fields"])


def test_names_do_not_decide(tmp_path: Path) -> None:
    """A FLAC called .mp3 is a FLAC; and text called .flac is not audio."""
    shutil.copy(DATA / "picard.flac", tmp_path / "song.mp3")
    assert handle(tmp_path / "song.mp3").format == "flac"
    (tmp_path / "notes.flac").write_text("these are notes\n")
    with File.open(tmp_path / "notes.flac") as file, pytest.raises(HandlerError) as caught:
        HANDLER.read(file)
    assert caught.value.code == "unsupported"


def test_an_image_is_sent_to_its_handler(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    with File.open(tmp_path / "a.mp3") as file, pytest.raises(HandlerError) as caught:
        HANDLER.read(file)
    assert (caught.value.code, caught.value.hint) == ("unsupported", "image")


def read_or_fail(file: File) -> tuple[str, list[str]]:
    """(error code or "", what is wrong with the fields)."""
    try:
        record = answer.read(HANDLER, file)
    except HandlerError as fault:
        return fault.code, []
    return "", check_fields(record["fields"])[1]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_broken_copies_are_errors_or_records_never_faults(path: Path, tmp_path: Path) -> None:
    """Cut at every eighth, and with bytes overwritten: nothing but HandlerError leaves the handler."""
    content = path.read_bytes()
    variants = [content[: len(content) * part // 8] for part in range(8)]
    for step in range(24):
        spoiled = bytearray(content)
        for place in range(step * 7 % 61, min(len(spoiled), 3000), 61 + step):
            spoiled[place] = (spoiled[place] * 5 + step * 37 + 255) & 255
        variants.append(bytes(spoiled))
    for variant in variants:
        broken = tmp_path / f"broken{path.suffix}"
        broken.write_bytes(variant)
        with File.open(broken) as file:
            code, problems = read_or_fail(file)
            assert code in ("", "corrupt", "unsupported", "limit")
            assert not problems
            assert file.bytes_read < 4 * len(variant) + 4 * 1024 * 1024


def test_library_form() -> None:
    song = handle(DATA / "id3v23-multi.mp3")
    assert song.meta.title == "Silence"
    assert song.meta.artists == ["piman", "jzig"]
    assert song.meta.bpm is None
    with pytest.raises(AttributeError):
        _ = song.meta.titel
    assert json.loads(song.to_json())["fields"] == song.fields
    assert song.checksum("stream", ("md5",)) == handle(DATA / "audacious-trailing-id32-id31.mp3").checksum(
        "stream", ("md5",)
    )
    full = handle(DATA / "lame.mp3", defer_checksum=False).to_dict()
    assert full["checksums"]["md5sum"].hex() == "4b5cdb26b1d8e2a51bbd4d160ddadad9"
