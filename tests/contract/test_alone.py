"""A handler run by hand: output, exit status, standard input, garbage."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgpack
import pytest

DATA = Path(__file__).parent.parent / "data/audio"


def run(*arguments: str | Path | bytes, module: str = "media", **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", f"mediad_handlers.{module}", *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, **options)


def test_json_is_a_line_a_file_with_its_path() -> None:
    told = run("--output-format", "json", DATA / "lame.mp3", DATA / "picard.flac")
    first, second = map(json.loads, told.stdout.splitlines())
    assert told.returncode == 0
    assert first["path"].endswith("lame.mp3")
    assert first["checksums"]["md5sum"] == "4b5cdb26b1d8e2a51bbd4d160ddadad9"
    assert set(first["checksums"]) == {"md5sum", "sha1sum", "sha256sum", "stream_md5", "stream_sha256"}
    assert second["keys"][0][:2] == ["fingerprint", "flac-frames/1"]


def test_checksums_can_be_left_out_or_be_all() -> None:
    assert "checksums" not in json.loads(run("--no-checksum", "--output-format", "json", DATA / "lame.mp3").stdout)
    only = json.loads(run("--only-checksum", "--output-format", "json", DATA / "lame.mp3").stdout)
    assert set(only) == {"path", "checksums", "tracks"}


def test_human_output_reads_well() -> None:
    text = run("--no-checksum", DATA / "id3v23-multi.mp3").stdout.decode()
    assert "piman; jzig" in text
    assert "44100 Hz" in text
    assert "0:03.7" in text


def test_msgpack_keeps_bytes() -> None:
    record = msgpack.unpackb(run("--output-format", "msgpack", DATA / "lame.mp3").stdout)
    assert record["path"] == os.fsencode(DATA / "lame.mp3")
    assert isinstance(record["keys"][0][2], bytes)


def test_standard_input_from_a_pipe_and_from_a_file() -> None:
    content = (DATA / "lame.mp3").read_bytes()
    piped = json.loads(run("-", "--output-format", "json", input=content).stdout)
    with (DATA / "lame.mp3").open("rb") as source:
        direct = json.loads(run("-", "--output-format", "json", stdin=source).stdout)
    assert piped["fields"] == direct["fields"]
    assert piped["checksums"] == direct["checksums"]


def test_one_failure_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "bad.flac").write_bytes(b"fLaC")
    told = run("--output-format", "json", tmp_path / "bad.flac", tmp_path / "absent", DATA / "lame.mp3")
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.returncode == 1
    assert [line.get("error", {}).get("code") for line in lines] == ["corrupt", "io", None]
    assert told.stderr.decode().startswith(f"{tmp_path}/bad.flac: corrupt: ")


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\n.mp3"
    Path(os.fsdecode(path)).write_bytes((DATA / "lame.mp3").read_bytes())
    told = run("--output-format", "json", path)
    [line] = told.stdout.splitlines()
    assert json.loads(line)["path_raw"] == path.hex()


@pytest.mark.parametrize("arguments", [[], ["--output-format", "xml", "a"], ["--no-checksum", "--only-checksum", "a"],
                                       ["--worker", "a"], ["--describe", "--worker"], ["--wrong"]])  # fmt: skip
def test_usage(arguments: list[str]) -> None:
    assert run(*arguments).returncode == 2


def test_garbage_never_ends_in_a_traceback(tmp_path: Path) -> None:
    """Random bytes behind every magic that the project knows."""
    from mediad_handlers.kit.formats import BRANDS, FORMS, MAGIC

    dice = random.Random(20261)
    heads = [bytes(offset) + magic for offset, magic, *_ in MAGIC]
    heads += [outer + bytes(4) + inner for outer, inner in FORMS]
    heads += [b"\0\0\0\x18ftyp" + brand for brand in BRANDS]
    heads += [b"", b"ID3\4\0\0\0\0\7\x7f", b"OggS\0\2", b"PK\3\4", b"0&\xb2u\x8efl\x11\xa6\xd9\0\xaa\0b\xcel"]
    for index, head in enumerate(heads):
        (tmp_path / f"{index}.mp3").write_bytes(head + dice.randbytes(3000))
    told = run("--no-checksum", "--output-format", "json", *sorted(tmp_path.iterdir()))
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(lines) == len(heads)
    assert b"Traceback" not in told.stderr
    codes = {line["error"]["code"] for line in lines if "error" in line}
    assert codes <= {"corrupt", "unsupported", "limit"}


def test_a_format_that_is_recognised_but_not_read_has_a_record(tmp_path: Path) -> None:
    (tmp_path / "z.exr").write_bytes(b"v/1\1" + bytes(200))
    (tmp_path / "a.jpg").write_bytes(bytes(200))
    exr, nothing = map(
        json.loads, run("--output-format", "json", *sorted(tmp_path.iterdir(), reverse=True)).stdout.splitlines()
    )
    assert (exr["kind"], exr["format"], exr["fields"]) == ("image", "exr", {})
    assert exr["keys"][0][1] == "whole/1"
    assert "not read" in exr["warnings"][0]
    assert nothing["kind"] == "other"


def test_a_terminal_is_not_steered_by_tags(tmp_path: Path) -> None:
    from mutagen.id3 import ID3, TIT2

    path = tmp_path / "a.mp3"
    path.write_bytes((DATA / "lame.mp3").read_bytes())
    tag = ID3()
    tag.add(TIT2(encoding=3, text="\x1b]0;owned\x07"))
    tag.save(path)
    assert b"\x1b" not in run("--no-checksum", path).stdout


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"'{sys.executable}' -m mediad_handlers.media --no-checksum {' '.join([str(DATA / 'lame.mp3')] * 300)}"
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1; echo ${{PIPESTATUS[0]}}"], capture_output=True, check=False, timeout=60
    )
    assert done.stdout.decode().splitlines()[1] == "141"
    assert done.stderr == b""


def test_protobuf_is_a_length_and_a_record_for_each_file() -> None:
    from mediadb_contract import handler_pb2 as pb

    multi = DATA / "id3v23-multi.mp3"
    told = run("--output-format", "protobuf", DATA / "lame.mp3", DATA / "absent.mp3", DATA / "picard.flac", multi)
    records, rest = [], told.stdout
    while rest:
        size = int.from_bytes(rest[:4], "big")
        records.append(pb.Record.FromString(rest[4 : 4 + size]))
        rest = rest[4 + size :]
    assert told.returncode == 1
    assert [one.error.code for one in records] == ["", "io", "", ""]
    plain = json.loads(run("--output-format", "json", DATA / "picard.flac").stdout)
    values = {field.name: field for field in records[2].fields}
    assert set(values) == set(plain["fields"])
    assert values["title"].value.text == plain["fields"]["title"]
    assert values["title"].source == plain["sources"]["title"]
    assert values["sample_rate"].value.integer == plain["fields"]["sample_rate"]
    many = {field.name: field.value for field in records[3].fields}
    assert [one.text for one in many["artists"].list.values] == ["piman", "jzig"]
    assert [(track.codec, track.bytes) for track in records[0].tracks] == [("mp3", records[0].tracks[0].bytes)]
    assert {one.name: one.value.hex() for one in records[2].checksums} == plain["checksums"]
    assert [(one.grade, one.algorithm) for one in records[2].keys] == [tuple(key[:2]) for key in plain["keys"]]


def test_whose_file_is_this(tmp_path: Path) -> None:
    (tmp_path / "song.txt").write_bytes((DATA / "lame.mp3").read_bytes())
    (tmp_path / "words.mp3").write_text("no song at all")
    mine = run("--can-handle", tmp_path / "song.txt", module="audio")
    assert (mine.returncode, mine.stdout.decode()) == (0, f"{tmp_path}/song.txt: audio, mp3, audio/mpeg\n")
    assert run("--can-handle", DATA / "lame.mp3", module="image").returncode == 1
    told = json.loads(run("--can-handle", "--output-format", "json", DATA / "lame.mp3", module="image").stdout)
    assert told["can_handle"] is False
    assert run("--can-handle", tmp_path / "words.mp3", module="file").returncode == 0
    assert run("--can-handle", tmp_path / "absent", module="file").returncode == 1


def test_jpeg_handler_is_for_jpeg() -> None:
    picture = DATA.parent / "image/01.jpg"
    told = json.loads(run("--output-format", "json", picture, module="jpeg").stdout)
    assert (told["handler"], told["format"], told["fields"]["camera_make"]) == ("jpeg", "jpeg", "Make")
    assert {"md5sum", "sha256sum", "stream_sha256"} <= set(told["checksums"])
    refused = run(DATA / "lame.mp3", module="jpeg")
    assert refused.returncode == 1
    assert b"lame.mp3: unsupported: this is not a JPEG file" in refused.stderr


def test_describe_documents_each_field() -> None:
    told = json.loads(run("--describe", module="audio").stdout)
    rows = {row["name"]: row for row in told["handlers"][0]["dictionary"]}
    assert rows["duration"] == {**rows["duration"], "type": "number", "unit": "s", "plural": False}
    assert rows["artists"]["plural"] is True


def test_options_that_do_not_go_together() -> None:
    for options in (
        ("--describe", "x"),
        ("--set", "title=x", "--text", "x"),
        ("--sidecar", "x"),
        ("--text-limit", "0"),
    ):
        assert run(*options, DATA / "lame.mp3").returncode == 2
