"""mediad.index.records: whatever a handler answers becomes rows that the store takes, or is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediad.index import records, terms
from mediad.index.records import TAG_TEXT, TAGS_BYTES, TAGS_MOST, Read, Rows
from mediad.model import Answer
from mediad.store.store import pack
from mediadb_contract.fields import FIELDS

READ = Read(7, "01890000-0000-7000-8000-000000000000", b"Some Name.mp3", (b"top", b"Album"), 1, 2, 3, False)


def words_of(vector: bytes) -> set[str]:
    """The lexemes of a tsvector as it is sent, in the order in which the server wants them."""
    found, at = [], 4
    while at < len(vector):
        end = vector.index(b"\0", at)
        found.append(vector[at:end])
        places = int.from_bytes(vector[end + 1 : end + 3], "big")
        at = end + 3 + 2 * places
        spots = [int.from_bytes(vector[i : i + 2], "big") for i in range(end + 3, at, 2)]
        assert spots == sorted(set(spots)) and places < 256 and all(0 < spot < 1 << 14 for spot in spots)
    assert at == len(vector) and len(found) == int.from_bytes(vector[:4], "big")
    assert found == sorted(set(found))
    return {lexeme.decode() for lexeme in found}


def one(ok: dict[str, Any], read: Read = READ) -> tuple[dict[str, Any], Rows]:
    rows = Rows()
    records.add(rows, read, Answer(ok=ok))
    [row] = rows.records
    return row, rows


def good(**changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "handler": "audio", "handler_version": 3, "kind": "audio", "format": "mp3", "mime_type": "audio/mpeg",
        "fields": {"title": "A Song", "artists": ["Björk", "Someone"], "album": "Homogenic", "duration": 12.5},
        "tags": {"ID3:TXXX": ["x"]}, "sources": {"title": "ID3v2.3:TIT2", "nothing": "x"},
        "keys": [["fingerprint", "mp3-frames/1", b"0123456789abcdef"]], "warnings": ["odd"],
    }  # fmt: skip
    return {**answer, **changes}


def test_a_good_answer() -> None:
    row, rows = one(good())
    assert row["state"] == "read" and row["code"] is None
    assert (row["kind"], row["format"], row["handler"], row["version"]) == ("audio", "mp3", "audio", 3)
    assert (row["title"], row["artist"], row["album"], row["duration"]) == (
        "A Song", "Björk, Someone", "Homogenic", 12.5)  # fmt: skip
    assert row["fields"]["mime_type"] == "audio/mpeg"
    assert row["sources"] == {"title": "ID3v2.3:TIT2"}, "sources of fields that are not there are dropped"
    assert {"some", "name", "mp3", "top", "album", "song", "bjork", "homogenic"} <= words_of(rows.words[0])
    assert rows.keys == [{"f": 7, "g": 1, "a": "mp3-frames/1", "v": b"0123456789abcdef".hex()}]
    assert {meta["k"] for meta in rows.metas.metas.values()} == {"song", "album", "artist"}
    assert rows.again == []


def test_a_failure_keeps_the_name_findable() -> None:
    rows = Rows()
    records.add(rows, READ, Answer(code="corrupt", message="bad\0 \ud800 bytes"))
    [row] = rows.records
    assert (row["state"], row["code"], row["problem"], row["kind"]) == ("failed", "corrupt", "bad ? bytes", "audio")
    assert {"some", "name"} <= words_of(rows.words[0])
    rows.clear()
    records.add(rows, READ, Answer(code="internal", message="x", died=True))
    assert rows.records[0]["state"] == "parked"


def test_a_file_read_again_loses_its_old_links() -> None:
    again = Read(8, READ.stream, READ.name, READ.folders, 1, 2, 3, True)
    assert one(good(), again)[1].again == [8]


@pytest.mark.parametrize(
    "change",
    [
        {"warnings": 5}, {"warnings": "text"}, {"warnings": {"a": 1}}, {"warnings": [None, 1, ["x"]]},
        {"kind": ["audio"]}, {"kind": {}}, {"kind": "spreadsheet"}, {"handler": 5}, {"format": ["x"]},
        {"handler_version": 1 << 40}, {"handler_version": -1}, {"handler_version": True}, {"handler_version": "1"},
        {"fields": []}, {"fields": {"title": 5, "duration": float("nan"), "unknown": 1}}, {"fields": {1: 2}},
        {"tags": []}, {"tags": {1: ["x"]}}, {"tags": {"a": {"b": 1}}}, {"tags": {"a": [[1]]}},
        {"sources": []}, {"sources": {"title": 5}}, {"sources": {1: "x"}},
        {"keys": 5}, {"keys": [5]}, {"keys": [[{}, "a", b"12345678"]]}, {"keys": [["fingerprint", 5, b"12345678"]]},
        {"keys": [["fingerprint", "a", b"short"]]}, {"keys": [["fingerprint", "a", b"x" * 65]]},
        {"mime_type": b"x"}, {"fields": {"title": b"bytes"}},
    ],
)  # fmt: skip
def test_wrong_shapes_hurt_nothing(change: dict[str, Any]) -> None:
    row, rows = one(good(**change))
    check(row, rows)
    assert row["state"] == "read"


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def texts(part: Any) -> Iterator[str]:
    """Every text in a tree of JSON, keys too."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for key, value in part.items():
            yield key
            yield from texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from texts(value)


def check(row: dict[str, Any], rows: Rows) -> None:
    """What PostgreSQL takes: JSON without NUL or surrogates, integers of their columns' width."""
    for part in (rows.records, rows.keys, rows.metas.files, list(rows.metas.metas.values()),
                 list(rows.metas.links.values())):  # fmt: skip
        packed = pack(part)
        packed.encode("utf-8")
        loaded = json.loads(packed, parse_constant=refuse)
        assert not any("\0" in text for text in texts(loaded))
    assert row["version"] is None or 0 <= row["version"] < 1 << 31
    assert row["kind"] in {"audio", "image", "video", "document", "other"}
    for name in ("width", "height"):
        assert row[name] is None or 0 <= row[name] < 1 << 31
    assert len(rows.words[0]) < 1 << 20, "PostgreSQL's limit of a tsvector"
    assert all(len(lexeme.encode()) <= 2046 for lexeme in words_of(rows.words[0])), "PostgreSQL's limit of a lexeme"
    assert len(row["tags"]) <= TAGS_MOST and set(row["sources"]) <= set(row["fields"])
    for key in rows.keys:
        assert key["g"] in (1, 2, 3) and 16 <= len(key["v"]) <= 128


# What msgpack can bring: text is valid UTF-8, integers have 64 bits, keys may be anything.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALAR = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 64) - 1), st.floats(), TEXT, st.binary())
ANYTHING = st.recursive(
    SCALAR, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)), max_leaves=8
)
FIELD_VALUES = st.dictionaries(st.sampled_from(sorted(FIELDS)), st.one_of(ANYTHING, st.lists(TEXT, max_size=3)))


@settings(max_examples=400)
@given(
    st.fixed_dictionaries({}, optional={
        "handler": ANYTHING, "handler_version": ANYTHING, "kind": st.one_of(ANYTHING, st.just("audio")),
        "format": ANYTHING, "mime_type": ANYTHING, "fields": st.one_of(ANYTHING, FIELD_VALUES),
        "tags": st.one_of(ANYTHING, st.dictionaries(TEXT, st.lists(ANYTHING, max_size=3))), "sources": ANYTHING,
        "keys": st.one_of(ANYTHING, st.lists(st.tuples(ANYTHING, TEXT, st.binary(min_size=8, max_size=64)))),
        "warnings": ANYTHING,
    }),
    st.binary(min_size=1, max_size=40).filter(lambda name: b"/" not in name and b"\0" not in name),
)  # fmt: skip
def test_any_answer_at_all(ok: dict[str, Any], name: bytes) -> None:
    row, rows = one(ok, Read(7, READ.stream, name, (name, b"\xff\xfe"), 1, 2, 3, False))
    check(row, rows)


def test_limits_of_tags() -> None:
    many = {f"A:{number}": ["x"] for number in range(TAGS_MOST + 10)}
    row, _ = one(good(tags=many))
    assert len(row["tags"]) == TAGS_MOST and any("10 unmapped tags" in text for text in row["warnings"])
    row, _ = one(good(tags={"A": ["x" * (TAG_TEXT + 1), "y"]}))
    assert row["tags"] == {"A": ["y"]}
    row, _ = one(good(tags={f"A:{number}": ["x" * 60_000] for number in range(10)}))
    assert sum(len(v) for values in row["tags"].values() for v in values) <= TAGS_BYTES and len(row["tags"]) == 4


def test_names_that_are_no_utf8() -> None:
    words = words_of(
        terms.listed(b"caf\xe9 Na\xc3\xafve.JPG", (b"one", b"two", b"thr\xc3\xa9e"), 1, 2, "image").binary()
    )
    assert {"naive", "jpg", "two", "three"} <= words and "one" not in words


def test_words_of_a_renamed_folder() -> None:
    """The words made of the stored fields are those that the answer's fields gave."""
    row, rows = one(good())
    again = terms.from_json(json.dumps(row["fields"]))
    assert terms.described(READ.name, READ.folders, 2, 3, "audio", "mp3", again).binary() == rows.words[0]


def test_what_people_say_goes_before_what_files_say() -> None:
    embedded = {"title": "A", "artists": ["B"], "album_artists": ["B"], "keywords": ["x", "y"], "rating": 2}
    side = {"title": "S", "keywords": ["z"], "rating": 4, "width": 7}
    fields, tags = terms.effective(embedded, [side], {"y": True, "own": False}, {"artist": "Me", "shelf": "3"})
    assert fields["title"] == "S" and fields["rating"] == 4 and "width" not in fields, "technical fields are the file's"
    assert fields["artists"] == ["Me"] and "album_artists" not in fields
    assert sorted(tags) == ["own", "x", "z"]
    words = words_of(terms.described(b"n.mp3", (), 1, 2, "audio", "mp3", fields, tags, {"shelf": "3"}).binary())
    assert {"me", "s", "own", "/shelf=3", "/shelf^"} <= words and "b" not in words
