"""Index and meta documents: read as strictly as the reference reads, written byte for byte as it writes, merged as it
merges."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediad.errors import Corrupt, Unsupported
from mediad.moves.structure.adding import Found, plan_add
from mediad.moves.structure.index import Dst, DstItem, Index, Src, SrcItem, parse_index
from mediad.moves.structure.meta import Content, ExifValue, Meta, parse_meta
from mediad.moves.structure.moment import Moment, parse_moment

DATA = Path(__file__).resolve().parents[1] / "data" / "structure"
HASH = "f42a59131aaf2e5c475f8a35126b034549c05bd5"
OTHER = "750839b963918b944ec5e1faeb1cddc66ff35071"
NOW = parse_moment("2024-01-02T03:04:05.6Z")
SRC, DST = Src.at("file:///tmp/src/"), Dst.at("file:///tmp/dst/")


def example() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DATA / "index-example.json").read_text())
    return loaded


# ---------------------------------------------------------------------------------------------------------- the index


def test_the_reference_s_example_is_written_again() -> None:
    data = (DATA / "index-example.json").read_bytes()
    index = parse_index(data)
    assert index.unknown == []
    # the only difference is the name that the size got afterwards
    assert index.to_bytes() == data.replace(b'"size"', b'"data_size"')
    assert list(index.srcs.values()) == [SRC] and list(index.dsts.values()) == [DST]


def test_the_example_is_made_from_its_parts() -> None:
    index = Index()
    index.add_src(SRC)
    index.add_dst(DST)
    created = parse_moment("2018-11-10T00:00:00Z")
    stored_at = parse_moment("2018-11-13T00:00:00Z")
    found = Found(
        HASH,
        "file:///tmp/src/fictional/image.jpg",
        Meta("jpg", 20, Content(created)),
        "file:///tmp/src/fictional/image.xmp",
        parse_moment("2018-11-12T00:00:00Z"),
    )
    step = plan_add(index, SRC, DST, found, None, stored_at)
    assert step.copy and step.record(index)
    said = json.loads(index.to_bytes())
    item = said["refs"][0]["dsts"][0]
    assert item.pop("data_type") == "jpg" and item.pop("meta_size") == len(step.meta_bytes or b"")
    assert item.pop("updated_at") == item["stored_at"]
    item["size"] = item.pop("data_size")
    assert said == example()


@pytest.mark.parametrize("name", ["index-v0.json", "index-v1.json"])
def test_older_documents_are_read(name: str) -> None:
    index = parse_index((DATA / name).read_bytes())
    (found,) = index.refs[OTHER].srcs
    assert found.modified_at == parse_moment("2017-08-04T10:19:44Z")
    assert found.meta_uri.endswith("?method=flickr.photos.getInfo&photo_id=35563185083")
    written = index.to_bytes()
    assert b'"version": "v1"' in written and b"getInfo\\u0026photo_id" in written
    assert parse_index(written).to_bytes() == written
    wanted = json.loads((DATA / "index-v1.json").read_text())
    wanted["refs"][0]["srcs"][0]["modified_at"] = "2017-08-04T10:19:44Z"
    assert json.loads(written) == wanted


def test_what_is_empty_is_left_out() -> None:
    assert Index().to_bytes() == b'{\n  "version": "v1"\n}\n'
    index = Index()
    index.add(HASH)
    assert json.loads(index.to_bytes()) == {"version": "v1", "refs": [{"hash": HASH, "srcs": [], "dsts": []}]}
    index.add(HASH, SrcItem("a", "b"), DstItem("c", "d", "e"))
    ref = json.loads(index.to_bytes())["refs"][0]
    assert list(ref["srcs"][0].items()) == [("src_id", "a"), ("data_uri", "b"), ("meta_uri", "")]
    assert list(ref["dsts"][0].items()) == [("dst_id", "c"), ("data_uri", "d"), ("meta_uri", "e")]
    full = DstItem("c", "d", "e", "jpg", 1, 2, Moment(0), Moment(1))
    assert list(full.document()) == [
        "dst_id", "data_uri", "meta_uri", "data_type", "data_size", "meta_size", "stored_at", "updated_at",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d.update(srcs={}), "srcs: an array was expected, not an object"),
        (lambda d: d.update(refs=[None]), "refs[0]: an object was expected, not null"),
        (lambda d: d["srcs"].append("x"), "srcs[1]: an object was expected, not text"),
        (lambda d: d["dsts"][0].update(index_uri=1), "dsts[0].index_uri: text was expected, not a number"),
        (lambda d: d["refs"][0].update(hash="xyz"), "refs[0].hash: a SHA-1 of 40"),
        (lambda d: d["refs"][0].update(hash=HASH.upper()), "refs[0].hash: a SHA-1 of 40"),
        (lambda d: d["refs"][0].pop("hash"), "refs[0].hash: a SHA-1 of 40"),
        (lambda d: d["refs"][0]["srcs"][0].update(modified_at="2018-11-12"), "refs[0].srcs[0].modified_at: a time as"),
        (lambda d: d["refs"][0]["dsts"][0].update(stored_at=""), "refs[0].dsts[0].stored_at: a time as"),
        (lambda d: d["refs"][0]["dsts"][0].update(updated_at=7), "refs[0].dsts[0].updated_at: text was expected"),
        (lambda d: d["refs"][0]["dsts"][0].update(data_type="mkv"), "refs[0].dsts[0].data_type: one of cr2 dng gif"),
        (lambda d: d["refs"][0]["dsts"][0].update(data_type="jpeg"), "refs[0].dsts[0].data_type: one of"),
        (lambda d: d["refs"][0]["dsts"][0].update(data_type="jpg.zip"), "refs[0].dsts[0].data_type: one of"),
        (lambda d: d["refs"][0]["dsts"][0].update(data_type="jpg."), "refs[0].dsts[0].data_type: one of"),
        (lambda d: d["refs"][0]["dsts"][0].update(data_size=1.5), "refs[0].dsts[0].data_size: a whole number"),
        (lambda d: d["refs"][0]["dsts"][0].update(data_size=True), "refs[0].dsts[0].data_size: a whole number"),
        (lambda d: d["refs"][0]["dsts"][0].update(meta_size=-1), "refs[0].dsts[0].meta_size: a number from 0"),
        (lambda d: d["refs"][0]["dsts"][0].update(meta_size=1 << 63), "refs[0].dsts[0].meta_size: a number from 0"),
    ],
)
def test_faults_are_named_by_their_place(change: Any, place: str) -> None:
    document = copy.deepcopy(example())
    change(document)
    with pytest.raises(Corrupt, match=re.escape(place)) as caught:
        parse_index(json.dumps(document).encode(), b"/a/index.json")
    assert caught.value.input == b"/a/index.json"


def test_versions() -> None:
    with pytest.raises(Unsupported, match="'v2'"):
        parse_index(b'{"version":"v2"}', b"x")
    with pytest.raises(Corrupt, match="an object was expected, not an array"):
        parse_index(b"[]", b"x")
    assert parse_index(b'{"version":null,"refs":null,"srcs":[]}').to_bytes() == Index().to_bytes()


def test_what_is_not_of_the_format_is_noted() -> None:
    document = example()
    document["extra"] = 1
    document["refs"][0]["dsts"][0]["colour"] = "red"
    assert sorted(parse_index(json.dumps(document).encode()).unknown) == ["extra", "refs[0].dsts[0].colour"]


def test_two_refs_of_a_hash_become_one() -> None:
    document = example()
    document["refs"].append({"hash": HASH, "srcs": [{"src_id": "x", "data_uri": "file:///y"}], "dsts": None})
    index = parse_index(json.dumps(document).encode())
    assert len(index.refs) == 1 and len(index.refs[HASH].srcs) == 2 and len(index.refs[HASH].dsts) == 1


def test_encodings() -> None:
    document = example()
    document["refs"][0]["dsts"][0]["data_type"] = "png.gz"
    (item,) = parse_index(json.dumps(document).encode()).refs[HASH].dsts
    assert (item.data_type, item.encoding, DstItem("", "", "", "png").encoding) == ("png.gz", "gz", "")


# ------------------------------------------------------------------------------------------------------------ merging

IDS = st.sampled_from(["a", "b"])
URIS = st.sampled_from(["file:///x", "file:///x%28", "file:///x(", "file:///é", ""])
MOMENTS = st.none() | st.integers(0, 3).map(Moment)
SRC_ITEMS = st.builds(SrcItem, IDS, URIS, URIS, MOMENTS)
DST_ITEMS = st.builds(DstItem, IDS, URIS, URIS, st.sampled_from(["", "jpg"]), st.integers(0, 2), st.just(0), MOMENTS)
ADDS = st.lists(st.tuples(st.sampled_from([HASH, OTHER]), st.none() | SRC_ITEMS, st.none() | DST_ITEMS), max_size=8)


def made(adds: list[tuple[str, SrcItem | None, DstItem | None]]) -> Index:
    index = Index()
    for content_hash, src, dst in adds:
        index.add(content_hash, src, dst)
        for item in (src,) if src else ():
            index.add_src(Src(item.src_id, item.data_uri))
        for stored in (dst,) if dst else ():
            index.add_dst(Dst(stored.dst_id, stored.data_uri, "", ""))
    return index


@given(ADDS)
def test_adding_again_changes_nothing(adds: list[tuple[str, SrcItem | None, DstItem | None]]) -> None:
    index = made(adds)
    before = index.to_bytes()
    for content_hash, src, dst in adds[-1:]:
        assert not index.add(content_hash, src, dst)
    assert index.to_bytes() == before
    assert parse_index(before).to_bytes() == before
    for ref in index.refs.values():
        assert len({item.key for item in ref.srcs}) == len(ref.srcs)
        assert len({item.key for item in ref.dsts}) == len(ref.dsts)


@settings(max_examples=200)
@given(ADDS, ADDS)
def test_merging_twice_is_merging_once(one: Any, two: Any) -> None:
    index, other = made(one), made(two)
    index.merge(other)
    before = index.to_bytes()
    assert not index.merge(other) and index.to_bytes() == before
    assert not index.merge(made([])) and not index.merge(parse_index(before))
    empty = Index()
    assert empty.merge(other) == bool(other.refs or other.srcs or other.dsts)
    assert empty.to_bytes() == other.to_bytes()


def test_first_wins_and_same_key_replaces() -> None:
    index = Index()
    assert index.add_src(SRC) and not index.add_src(SRC) and not index.add_src(Src(SRC.src_id, "file:///other/"))
    assert index.srcs[SRC.src_id] is SRC
    assert index.add_dst(DST) and not index.add_dst(DST)
    assert index.add(HASH, SrcItem("a", "file:///x(", modified_at=Moment(1)))
    assert index.add(HASH, SrcItem("a", "file:///x%28", modified_at=Moment(2)))
    assert [item.modified_at for item in index.refs[HASH].srcs] == [Moment(2)]
    assert index.add(HASH, SrcItem("a", "file:///x%28", "file:///x.xmp")) and len(index.refs[HASH].srcs) == 2
    assert index.add(HASH, None, DstItem("d", "u", "m", data_size=1))
    assert index.add(HASH, None, DstItem("d", "u", "m", data_size=2))
    assert [item.data_size for item in index.refs[HASH].dsts] == [2]


# ------------------------------------------------------------------------------------------------------------- adding


def test_adding_is_incremental() -> None:
    index = Index()
    meta = Meta("jpg", 5, Content(parse_moment("2020-01-01T00:00:00Z")))
    step = plan_add(index, SRC, DST, Found(HASH, "file:///tmp/src/a.jpg", meta), None, NOW)
    assert (step.copy, step.data_path) == (True, f"media/2020/2020-01-01/{HASH}.jpg")
    assert step.item.stored_at == step.item.updated_at == NOW and step.meta_bytes == meta.to_bytes()
    assert step.record(index) and not step.record(index)
    later = parse_moment("2025-01-01T00:00:00Z")
    # the same again: nothing to do
    step = plan_add(index, SRC, DST, Found(HASH, "file:///tmp/src/a.jpg", meta), meta.to_bytes(), later)
    assert (step.copy, step.meta_bytes) == (False, None) and not step.record(index)
    # a duplicate: another source, the same place
    step = plan_add(index, SRC, DST, Found(HASH, "file:///tmp/src/b.jpg", meta), meta.to_bytes(), later)
    assert not step.copy and step.record(index)
    assert (len(index.refs[HASH].srcs), len(index.refs[HASH].dsts)) == (2, 1)
    # a corrected date: the data stays where it is, the meta is written anew
    meta = Meta("jpg", 5, Content(parse_moment("1999-01-01T00:00:00Z")))
    step = plan_add(index, SRC, DST, Found(HASH, "file:///tmp/src/a.jpg", meta), b"old", later)
    assert (step.copy, step.data_path) == (False, f"media/2020/2020-01-01/{HASH}.jpg")
    assert step.meta_bytes == meta.to_bytes() and step.record(index)
    (item,) = index.refs[HASH].dsts
    assert (item.stored_at, item.updated_at, item.meta_size) == (NOW, later, len(meta.to_bytes()))
    assert plan_add(index, SRC, DST, Found(OTHER, "file:///a", Meta("mkv", 1)), None, NOW).item.data_type == ""


# -------------------------------------------------------------------------------------------------------------- metas


def test_meta_documents_of_the_reference() -> None:
    meta = Meta(
        "jpg",
        100,
        Content(
            parse_moment("0001-02-03T04:05:06.000000007Z"),
            100,
            60,
            {"CreateData": ExifValue("0x9004", "2013:07:17 19:59:58")},
        ),
        Content(parse_moment("0002-02-03T04:05:06.000000007Z")),
    )
    said = meta.to_bytes()
    assert said == (
        b'{"version":"v1","type":"jpg","size":100,"inherent":{"created":"0001-02-03T04:05:06.000000007Z",'
        b'"image":{"width":100,"height":60},"exif":{"CreateData":{"id":"0x9004","val":"2013:07:17 19:59:58"}}},'
        b'"sidecar":{"created":"0002-02-03T04:05:06.000000007Z"}}'
    )
    assert parse_meta(said) == meta
    assert Meta("", 0).to_bytes() == b'{"version":"v1","type":"","size":0}'
    example = parse_meta((DATA / "meta-example.json").read_bytes())
    assert example.to_bytes().decode() == json.dumps(
        json.loads((DATA / "meta-example.json").read_text()), separators=(",", ":")
    )
    assert (example.inherent.width, example.sidecar.exif["FNumber"]) == (3000, ExifValue("0x829d", 1.8))


def test_meta_details() -> None:
    assert parse_meta(b'{"content_type":"jpg","size":5}') == Meta("jpg", 5)
    others = parse_meta(b'{"version":"v1","type":"jpg","size":5,"flickr":{"id":"7","x":[1.0,null]}}')
    assert others.to_bytes() == b'{"version":"v1","type":"jpg","size":5,"flickr":{"id":"7","x":[1,null]}}'
    exif = {"b": ExifValue("", "<&>"), "B": ExifValue("", 500.0), "é": ExifValue("", None), "a": ExifValue("", 1e-7)}
    assert Meta("", 0, Content(exif=exif)).to_bytes().decode() == (
        '{"version":"v1","type":"","size":0,"inherent":{"exif":{"B":{"id":"","val":500},"a":{"id":"","val":1e-7},'
        '"b":{"id":"","val":"\\u003c\\u0026\\u003e"},"é":{"id":"","val":null}}}}'
    )
    with pytest.raises(Corrupt, match=re.escape("inherent.created: a time as")):
        parse_meta(b'{"inherent":{"created":"2008:02:03 18:44:33"}}')
    with pytest.raises(Corrupt, match=re.escape("sidecar.exif.ISO.id: text was expected")):
        parse_meta(b'{"sidecar":{"exif":{"ISO":{"id":5}}}}')
    with pytest.raises(Corrupt, match=re.escape("inherent.image.width: a whole number")):
        parse_meta(b'{"inherent":{"image":{"width":"5"}}}')
    with pytest.raises(Unsupported, match="'v9'"):
        parse_meta(b'{"version":"v9"}')
