"""What mediactl prints, from real messages: nothing of a file's controls the terminal, nothing is wider than it."""

from __future__ import annotations

import json
import os
import time
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediactl import decode, human, jsontext, wording
from mediactl.itemtable import ItemLines
from mediactl.progress import render_progress
from mediactl.terminal import Column, Table, cut, isolate, measure
from mediad import errors
from mediad.wire.convert import error_to_wire
from mediadb_contract import mediadb_pb2 as pb

ITEM = bytes(range(16))
TEXTS = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("漢字👩\u200d👧\ufe0fשלe\u0301\x1b\n")), max_size=60
)


def make_item(title: str = "Jóga", artist: str = "Björk", path: bytes = "/srv/Björk/03 Jóga.mp3".encode()) -> pb.Item:
    entry = pb.File(
        id=7, item=ITEM, path=path, path_display=path.decode("utf-8", "backslashreplace"), type="f", size=4404019,
        mtime_ns=1700000000123456789, state="read", handler="audio", handler_version=2,
        fields_json=json.dumps({"title": title, "artists": [artist], "size": 1, "duration": 305.5}),
        digests=[pb.Digest(algorithm="md5", value=bytes(16), scope="stream")],
    )  # fmt: skip
    return pb.Item(id=ITEM, kind="audio", format="mp3", title=title, artist=artist, duration=305.5, files=[entry])


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("👩\u200d👩\u200d👧", 2), ("❤\ufe0f", 2), ("שלום", 4), ("ｱ", 1),
     ("", 0)],
)  # fmt: skip
def test_measure(text: str, columns: int) -> None:
    assert measure(text) == columns


@given(TEXTS, st.integers(0, 40), st.booleans())
def test_cut_fits(text: str, columns: int, tail: bool) -> None:
    piece = cut(text, columns, tail=tail)
    assert measure(piece) <= columns
    assert piece == text or measure(text) > columns
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcdef", 4, tail=True) == "…def"


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=5), st.integers(30, 100))
def test_table_fits_the_terminal_and_carries_no_controls(rows: list[list[str]], width: int) -> None:
    table = Table([Column("A", weight=1), Column("B", weight=1, right=True), Column("C", weight=2, tail=True)], width)
    lines = table.lines(rows)
    assert len(lines) == len(rows) + 1
    for line in lines:
        assert measure(line) <= width
        assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in line)


def test_columns_are_aligned_beside_wide_and_right_to_left_text() -> None:
    table = Table([Column("TITLE", weight=1), Column("SIZE", right=True)], 40)
    lines = table.lines([["漢字", "1 B"], ["e\u0301", "12 B"], ["שלום", "3 B"]])
    assert {measure(line) for line in lines} == {measure(lines[0])}
    assert isolate("שלום") in lines[3]
    later = table.lines([["a title longer than any of the first batch", "5 B"]])
    assert measure(later[0]) == measure(lines[0])


def test_hostile_names_stay_visible_escapes() -> None:
    item = decode.decode_item(make_item("\x1b]0;own\x07", "a\nb", b"/srv/\xff\x1b[2J\n.mp3"))
    printed = [*ItemLines(100).add([item]), *human.item_lines(item, 80)]
    assert any(r"/srv/\xff\x1b[2J\x0a.mp3" in line for line in printed)
    assert all(line.isprintable() for line in printed)


def test_get_shows_fields_in_units_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    lines = human.item_lines(decode.decode_item(make_item()), None)
    text = "\n".join(lines)
    assert "size           4.4 MB (4,404,019 bytes)" in text
    assert "modified       2023-11-14 22:13:20" in text
    assert "artists   Björk" in text
    assert "duration  5:06" in text
    assert "id      00010203-0405-0607-0809-0a0b0c0d0e0f" in text


def test_json_of_an_item() -> None:
    item = decode.decode_item(make_item(path=b"/srv/\xff.mp3"))
    text = jsontext.dump(jsontext.describe_item(item))
    found = json.loads(text, parse_float=Decimal)
    (entry,) = found.pop("files")
    assert found == {
        "id": str(uuid.UUID(bytes=ITEM)), "kind": "audio", "format": "mp3", "title": "Jóga", "artist": "Björk",
        "duration": Decimal("305.5"),
    }  # fmt: skip
    assert entry["path"] == r"/srv/\xff.mp3"
    assert entry["path_raw"] == "L3Nydi//Lm1wMw=="
    assert entry["mtime"] == Decimal("1700000000.123456789")
    assert entry["size"] == 4404019, "what the file system says wins"
    assert entry["artists"] == ["Björk"]
    assert entry["stream_md5"] == "0" * 32
    assert "missing_since" not in entry
    assert "path_raw" not in jsontext.describe_file(decode.decode_item(make_item()).files[0])
    assert json.loads(jsontext.dump(jsontext.describe_item(item), 2)) == json.loads(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.sampled_from([None, 2]))
def test_dump_is_json(value: object, indent: int | None) -> None:
    assert json.loads(jsontext.dump(value, indent)) == value


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0"), (1, "0.000000001"), (-1, "-0.000000001"), (1_500_000_000, "1.5"), (-2_000_000_000, "-2"),
     (2**63 - 1, "9223372036.854775807")],
)  # fmt: skip
def test_seconds_are_exact(nanoseconds: int, text: str) -> None:
    assert jsontext.dump({"t": jsontext.Seconds(nanoseconds)}) == '{"t": ' + text + "}"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9_949, "9.9 kB"), (9_951, "10 kB"), (999_499, "999 kB"),
     (999_500, "1.0 MB"), (4_404_019, "4.4 MB"), (10**18, "1000 PB")],
)  # fmt: skip
def test_sizes(size: int, text: str) -> None:
    assert wording.say_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (0.25, "0.25 s"), (59.6, "1:00"), (225.4, "3:45"), (3723, "1:02:03")]
)
def test_durations(seconds: float, text: str) -> None:
    assert wording.say_duration(seconds) == text


def test_times_outside_the_calendar_do_not_raise() -> None:
    assert wording.say_time(2**63 - 1).startswith("2262-04-11")
    assert wording.say_time(-(2**63)).startswith("1677-09-2")


def test_errors_point_into_the_query() -> None:
    error = errors.QuerySyntax("a bracket is never closed", "漢字 (a", position=3)
    assert human.say_error(error).splitlines()[1:] == ["  漢字 (a", "       ^"]
    assert human.say_error(errors.NotFound("no such file", b"/\xff\x1b")) == r"not_found: no such file: /\xff\x1b"


def test_checksum_lines_are_read_by_sha256sum(tmp_path: os.PathLike[str]) -> None:
    reply = pb.ChecksumReply(target=pb.Target(path=b"/a"), path=b"/a", path_display="/a", scope="file")
    reply.digests.add(algorithm="sha256", value=bytes(32))
    assert human.checksum_lines(decode.decode_checksum(reply)) == [f"SHA256 (/a) = {'0' * 64}"]
    reply.scope, reply.stream_algorithm = "stream", "mp3-frames/1"
    assert human.checksum_lines(decode.decode_checksum(reply)) == [f"SHA256 [mp3-frames/1] (/a) = {'0' * 64}"]
    assert "stream_sha256" in jsontext.describe_checksum(decode.decode_checksum(reply))


def test_progress_line_has_a_bar_once_the_total_is_known() -> None:
    walking = pb.Progress(
        stage="walking", folders=1, files_listed=10, current=b"/srv/\x1b", current_display="/srv/\x1b"
    )
    assert render_progress(decode.decode_progress(walking), 79) == r"listing 10 files in 1 folder  /srv/\x1b"
    reading = pb.Progress(stage="reading", files_done=1, files_total=4, files_failed=1)
    assert render_progress(decode.decode_progress(reading), 79).startswith(
        "[#####...............]  25%  reading 1 of 4"
    )
    assert measure(render_progress(decode.decode_progress(reading), 20)) <= 20
    moving = pb.Progress(stage="moving", files_done=1, files_total=4, bytes_done=50_000_000, bytes_total=200_000_000)
    line = render_progress(decode.decode_progress(moving), 110, 10_000_000.0)
    assert " 25%  moving 1 of 4 files, 50 MB of 200 MB, 10 MB/s, 0:15 left" in line


def test_fields_that_are_not_json_are_the_peers_fault() -> None:
    message = make_item()
    message.files[0].fields_json = "{"
    with pytest.raises(errors.ProtocolError):
        jsontext.describe_item(decode.decode_item(message))


def test_a_problem_travels_with_its_target() -> None:
    reply = pb.GetReply(
        target=pb.Target(path=b"/\xff"), problem=error_to_wire(errors.NotFound("no such file", b"/\xff"))
    )
    found = jsontext.describe_get(decode.decode_get(reply))
    assert found["path_raw"] == "L/8="
    assert found["problem"]["code"] == "not_found"
