"""Tag values read one by one, and what the containers put in their way."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen._util import decode_terminated as mutagen_decode_terminated
from mutagen.id3 import (
    CHAP,
    COMM,
    ID3,
    MVIN,
    POPM,
    TALB,
    TDRC,
    TDRL,
    TIPL,
    TIT2,
    TLAN,
    TMCL,
    TPE1,
    TRCK,
    TXXX,
    UFID,
    USLT,
)  # fmt: skip

from mediad_handlers.audio import HANDLER, bounds
from mediad_handlers.audio.tables import RULES
from mediad_handlers.audio.values import SETTERS, map_tags, read_date, read_uuid
from mediad_handlers.kit.api import Record
from mediad_handlers.kit.file import File
from mediadb_contract.fields import FIELDS

DATA = Path(__file__).parent.parent / "data/audio"
UUID = "8b882575-08a5-4452-a7a7-cbb8a1531f9e"


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2009", "2009"), ("2009-10", "2009-10"), ("2009-10-05T12:00:00Z", "2009-10-05"), ("2009/1/5", "2009-01-05"),
        ("20091005", "2009-10-05"), ("2009-00-00", "2009"), ("2009-10-00", "2009-10"), ("2009-02-31", None),
        ("0000", None), ("99", None), ("20095", None), ("", None), ("June", None),
    ],
)  # fmt: skip
def test_dates(text: str, date: str | None) -> None:
    assert read_date(text) == date


@pytest.mark.parametrize(
    ("container", "key", "values", "fields"),
    [
        ("vorbis", "ARTIST", ["AC/DC", "B"], {"artists": ["AC/DC", "B"], "artist_credit": "AC/DC, B"}),
        ("vorbis", "TRACKNUMBER", ["3/11"], {"track_number": 3, "track_total": 11}),
        ("mp4", "disk", [(2, 0)], {"disc_number": 2}),
        ("mp4", "cpil", [True], {"compilation": True}),
        ("mp4", "cpil", [False], {}),
        ("mp4", "tmpo", [0], {}),
        ("mp4", "rtng", [2], {"explicit": "clean"}),
        ("mp4", "stik", [2], {"media_type": "audiobook"}),
        ("mp4", "purd", ["2009-10-05 12:00:00"], {"purchase_date": 1254744000.0}),
        ("vorbis", "REPLAYGAIN_TRACK_GAIN", ["-6.20 dB"], {"replaygain_track_gain": -6.2}),
        ("vorbis", "FMPS_RATING", ["0.8"], {"rating": 4.0}),
        ("vorbis", "RATING", ["80"], {"rating": 4.0}),
        ("asf", "WM/SHAREDUSERRATING", [99], {"rating": 5.0}),
        ("id3", "TCON", ["(17)(RX)Space"], {"genres": ["Rock", "Remix", "Space"]}),
        ("id3", "TLAN", ["ger", "und"], {"languages": ["de"]}),
        ("id3", "TXXX:MUSICBRAINZ ARTIST ID", [f"{UUID}/{UUID[::-1]}"], {"mb_artist_ids": [UUID]}),
        ("ape", "YEAR", ["2001"], {"date_released": "2001", "release_year": 2001, "year": 2001}),
    ],
)
def test_values(container: str, key: str, values: list[Any], fields: dict[str, Any]) -> None:
    record = Record("audio", "x", "audio/x")
    map_tags(record, RULES[container], {key: (key, values)}, "X")
    assert record.fields == fields


def test_nothing_is_lost() -> None:
    """What no rule takes, what does not parse, and what was outranked stay under their native keys."""
    record = Record("audio", "x", "audio/x")
    native = {"DATE": ("date", ["last summer"]), "ODD": ("Odd", ["1"]), "ARTISTS": ("Artists", ["A"]),
              "TITLE": ("Title", ["a", "b"])}  # fmt: skip
    map_tags(record, RULES["vorbis"], native, "Vorbis")
    assert record.fields == {"artists": ["A"], "title": "a"}
    assert record.tags == {"Vorbis:date": ["last summer"], "Vorbis:Odd": ["1"], "Vorbis:Title": ["a", "b"]}


def test_the_tables_name_fields_and_readings_that_exist() -> None:
    for rules in RULES.values():
        for rule in rules.values():
            assert rule.field in FIELDS
            assert rule.kind in SETTERS
            plural = rule.kind in ("texts", "genres", "languages", "uuids")
            assert FIELDS[rule.field].plural == plural
    assert set(HANDLER.fields) <= set(FIELDS)


def read_frames(tmp_path: Path, *frames: Any, version: int = 4) -> Record:
    path = tmp_path / "a.mp3"
    path.write_bytes((DATA / "lame.mp3").read_bytes())
    tag = ID3()
    for frame in frames:
        tag.add(frame)
    tag.save(path, v2_version=version)
    with File.open(path) as file:
        return HANDLER.read(file)


def test_id3_frames(tmp_path: Path) -> None:
    record = read_frames(
        tmp_path,
        TPE1(encoding=3, text=["A", "B"]), TDRC(encoding=3, text="2001-02"), TDRL(encoding=3, text="2009-10-05"),
        TIPL(encoding=3, people=[["producer", "P"], ["cook", "C"]]), TMCL(encoding=3, people=[["guitar", "G"]]),
        POPM(email="a@b", rating=196, count=7), UFID(owner="http://musicbrainz.org", data=UUID.encode()),
        TXXX(encoding=3, desc="Artists", text=["A", "B"]), USLT(encoding=3, lang="eng", desc="", text="la\nla"),
        COMM(encoding=3, lang="eng", desc="iTunNORM", text=["0000"]),
        COMM(encoding=3, lang="eng", desc="", text=["hi"]),
        CHAP(element_id="1", start_time=1500, end_time=3000, sub_frames=[TIT2(encoding=3, text="One")]),
        MVIN(encoding=3, text="2/4"), TLAN(encoding=3, text="fra"), TRCK(encoding=3, text="1/0"),
    )  # fmt: skip
    fields = record.fields
    assert fields["artists"] == ["A", "B"]
    assert (fields["date_released"], fields["date_recorded"]) == ("2009-10-05", "2001-02")
    assert (fields["producers"], sorted(fields["performers"])) == (["P"], ["C (cook)", "G (guitar)"])
    assert (fields["rating"], fields["play_counter_file"], fields["mb_recording_id"]) == (4.0, 7, UUID)
    assert (fields["lyrics"], fields["comments"]) == ("la\nla", ["hi"])
    assert fields["chapters"] == [{"start": 1.5, "end": 3.0, "title": "One"}]
    assert (fields["movement_number"], fields["movement_total"], fields["languages"]) == (2, 4, ["fr"])
    assert fields["track_number"] == 1
    assert "track_total" not in fields
    assert record.tags["ID3v2.4:COMM:iTunNORM"] == ["0000"]


def test_id3v23_year_and_day(tmp_path: Path) -> None:
    record = read_frames(tmp_path, TDRC(encoding=3, text="2009-10-05"), TALB(encoding=1, text="Ä"), version=3)
    assert (record.fields["date_released"], record.fields["album"]) == ("2009-10-05", "Ä")


def test_a_tag_cut_off_by_the_end_of_the_file(tmp_path: Path) -> None:
    content = (DATA / "vbri.mp3").read_bytes()[:700]
    (tmp_path / "a.mp3").write_bytes(content)
    with File.open(tmp_path / "a.mp3") as file:
        record = HANDLER.read(file)
    assert record.fields["artists"] == ["Basshunter"]
    assert "no MPEG audio frame behind the tags" in record.warnings


def test_a_compressed_frame_does_not_explode(tmp_path: Path) -> None:
    """4 MiB of limit against 60 MB of zeros in one frame (ID3v2.4.0 structure section 4.1.2: flags k and p)."""
    body = zlib.compress(b"\3" + b"A" * 60_000_000)

    def syncsafe(number: int) -> bytes:
        return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))

    frame = b"TALB" + syncsafe(len(body) + 4) + b"\0\x09" + syncsafe(60_000_001) + body
    good = b"TIT2" + syncsafe(5) + b"\0\0" + b"\3good"
    (tmp_path / "a.mp3").write_bytes(b"ID3\4\0\0" + syncsafe(len(frame + good)) + good + frame + bytes(300))
    with File.open(tmp_path / "a.mp3") as file:
        record = HANDLER.read(file)
    assert record.fields["title"] == "good"
    assert "album" not in record.fields


def outcome(function: Any, data: bytes, encoding: str, strict: bool) -> Any:
    try:
        return function(data, encoding, strict)
    except UnicodeError:
        return "not text"
    except ValueError:
        return "not terminated"


BYTES = st.lists(st.sampled_from([0, 0, 0xFF, 0xFE, 0x41, 0xC3, 0xA9, 0xD8]), max_size=12).map(bytes)


@given(BYTES, st.sampled_from(["latin1", "utf8", "utf16", "utf_16_be"]))
def test_terminated_text_is_decoded_as_mutagen_does(data: bytes, encoding: str) -> None:
    ours = outcome(bounds.decode_terminated, data, encoding, False)
    theirs = outcome(mutagen_decode_terminated, data, encoding, False)
    assert ours == theirs


def test_inflate_is_zlib_within_the_limit() -> None:
    assert bounds.inflate(zlib.compress(b"x" * 1000)) == b"x" * 1000
    for data in (b"", b"garbage", zlib.compress(bytes(10))[:-3], zlib.compress(bytes(bounds.INFLATED + 1))):
        with pytest.raises(zlib.error):
            bounds.inflate(data)


@pytest.mark.parametrize("text", ["", "x", UUID[:-1], UUID + "0"])
def test_no_uuid(text: str) -> None:
    assert read_uuid(text) is None
    assert read_uuid(UUID.replace("-", "").upper()) == UUID


def test_a_tag_reads_the_same_wherever_it_stands(tmp_path: Path) -> None:
    from mediad_handlers.audio.id3 import read_id3

    content = (DATA / "id3v23-multi.mp3").read_bytes()
    later = tmp_path / "later"
    later.write_bytes(bytes(70_000) + content)
    first, second = Record("audio", "mp3", "x"), Record("audio", "mp3", "x")
    with File.open(DATA / "id3v23-multi.mp3") as file:
        assert read_id3(first, file)
    with File.open(later) as file:
        assert read_id3(second, file, 70_000)
        assert not read_id3(second, file, 69_000)
    assert first.fields == second.fields
