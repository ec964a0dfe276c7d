"""The field dictionary and its checks."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediadb_contract import fields
from mediadb_contract.fields import FIELDS, check, check_fields

TYPES = {"text", "integer", "number", "boolean", "date", "time", "datetime", "uuid", "hex", "url", "record"}
KINDS = {"audio", "image", "video", "document", "other"}
# Pinned: a number, name or type that changes would give stored values another meaning. New rows come after these.
FIRST_ROWS = 359
FIRST_ROWS_SHA256 = "d80aee597dc2e6b46823ed5682c8dcda4b19f11f24f9574431484076b022e18a"


def test_rows_are_complete_and_unique() -> None:
    rows = json.loads((Path(fields.__file__).parent / "fields.json").read_text("utf-8"))
    assert len({row["number"] for row in rows}) == len({row["name"] for row in rows}) == len(rows) == len(FIELDS)
    for field in FIELDS.values():
        assert field.type in TYPES
        assert set(field.kinds) <= KINDS
        assert field.doc
        assert field.kinds


def test_rows_are_never_renumbered() -> None:
    rows = sorted(FIELDS.values(), key=lambda field: field.number)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    told = "\n".join(f"{row.number} {row.name} {row.type} {row.plural}" for row in rows[:FIRST_ROWS])
    assert hashlib.sha256(told.encode()).hexdigest() == FIRST_ROWS_SHA256


def test_every_core_column_of_the_vocabulary_is_core() -> None:
    core = {name for name, field in FIELDS.items() if field.core}
    assert {"title", "creators", "date_taken", "artists", "duration", "camera_model", "latitude", "page_count"} <= core
    assert not {"comments", "lyrics", "replaygain_track_gain"} & core


def test_checksums_and_long_texts_are_not_search_values() -> None:
    searched = {name for name, field in FIELDS.items() if field.search}
    assert not {"md5sum", "stream_sha256", "comments", "lyrics", "description", "acoustid_fingerprint"} & searched
    assert {"title", "artists", "camera_model", "city", "people", "codec", "year", "latitude"} <= searched


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("title", "a\0b", "ab"),
        ("title", "e\u0301", "é"),
        ("title", " \t", None),
        ("artists", ["AC/DC", "", "Émile"], ["AC/DC", "Émile"]),
        ("artists", [], None),
        ("track_number", 3, 3),
        ("duration", 3, 3.0),
        ("compilation", False, False),
        ("date_released", "2009-10", "2009-10"),
        ("date_taken_local", "2009-10-05T12:30:01.25", "2009-10-05T12:30:01.25"),
        ("mb_track_id", "C29F3A57-B439-46FD-A2E2-93776B1371E0", "c29f3a57-b439-46fd-a2e2-93776b1371e0"),
        ("pcm_md5", "ABCDEF", "abcdef"),
        ("pictures", [{"type": "front_cover", "size": 3, "description": ""}], [{"type": "front_cover", "size": 3}]),
    ],
)
def test_values_are_cleaned(name: str, value: Any, kept: Any) -> None:
    assert check(name, value) == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", 7), ("title", ["a"]), ("title", b"a"), ("title", None), ("title", "x" * 65537), ("title", "\ud800"),
        ("artists", "a"), ("artists", [1]), ("track_number", "3"), ("track_number", True), ("track_number", 1 << 63),
        ("duration", math.nan), ("duration", math.inf), ("duration", 1 << 70), ("duration", True),
        ("compilation", 1), ("date_released", "2009-13"), ("date_released", "2009-02-30"), ("date_released", "09"),
        ("date_taken_local", "2009-10-05 12:30"), ("date_taken_local", "2009-10-05T25:00"), ("mb_track_id", "x"),
        ("pcm_md5", "xyz"), ("artist_url", "not a url"), ("pictures", [{"nested": {}}]), ("pictures", [{1: "a"}]),
        ("no_such_field", 1),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError):
        check(name, value)


def test_a_record_keeps_what_is_right_and_names_what_is_wrong() -> None:
    clean, problems = check_fields({"title": 7, "album": "kept", "artists": "x", "nope": 1, "subtitle": ""})
    assert clean == {"album": "kept"}
    assert [line.partition(":")[0] for line in problems] == ["title", "artists", "nope"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.binary(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), VALUES, max_size=8))
def test_whatever_comes_the_result_is_storable(record: dict[str, Any]) -> None:
    clean, problems = check_fields(record)
    assert len(clean) + len(problems) <= len(record)
    json.dumps(clean, allow_nan=False).encode("utf-8")
    for name, value in clean.items():
        assert isinstance(value, list) == FIELDS[name].plural
        assert check(name, value) == value
