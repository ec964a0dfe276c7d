"""Archives in real folders: written by plan_add, read, verified, and planned back; and what hostile ones try."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mediad.errors import Corrupt, InvalidArgument, NotFound, PermissionDenied, Unsupported
from mediad.moves.structure.adding import Found, plan_add
from mediad.moves.structure.archive import BLOCK, Archive, Finding, Report, hash_file, read_archive, verify
from mediad.moves.structure.index import Dst, Index, Src
from mediad.moves.structure.layout import README, README_NAME, type_of
from mediad.moves.structure.meta import Content, Meta
from mediad.moves.structure.moment import Moment, parse_moment
from mediad.moves.structure.restore import RestorePlan, plan_restore
from mediad.moves.structure.uri import file_uri

NOW = parse_moment("2024-01-02T03:04:05Z")
CREATED = parse_moment("2020-07-10T10:20:30+02:00")
FILES = {
    b"2020/IMG 1.jpg": b"one",
    b"copy of (1).jpg": b"one",  # a duplicate
    b"undated.PNG": b"two",
    b"film.mkv": b"three" * 300_000,
    b"odd \xff%?#name": b"four",
    b"empty.gif": b"",
}


def build(top: Path, files: dict[bytes, bytes]) -> Path:
    """What the mover does with steps: sources into `top`/src, an archive of them in `top`/dst."""
    source, target = os.fsencode(top / "src"), os.fsencode(top / "dst")
    for name, data in files.items():
        path = os.path.join(source, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(data)
    add(top)
    Path(os.fsdecode(os.path.join(target, README_NAME))).write_text(README)
    return top / "dst"


def add(top: Path) -> int:
    """Archives all files of src into dst, on top of what is there; returns how many steps changed something."""
    source, target = os.fsencode(top / "src"), top / "dst"
    index_path = target / "index.json"
    index = read_archive(os.fsencode(target)).index if index_path.exists() else Index()
    src, dst = Src.at(file_uri(source, folder=True)), Dst.at(file_uri(os.fsencode(target), folder=True))
    index.add_src(src)
    index.add_dst(dst)
    changed = 0
    for folder, _, names in os.walk(source):
        for name in sorted(names):
            path = os.path.join(folder, name)
            data = Path(os.fsdecode(path)).read_bytes()
            data_type = type_of(name.decode("utf-8", "replace"))
            created = None if name.startswith(b"undated") else CREATED
            meta = Meta(data_type, len(data), Content(created))
            modified_at = Moment(os.stat(path).st_mtime_ns)
            found = Found(hashlib.sha1(data).hexdigest(), file_uri(path), meta, "", modified_at)
            ref = index.refs.get(found.hash)
            known = ref.stored_in(dst.dst_id) if ref else None
            stored = (target / known.meta_uri).read_bytes() if known else None
            step = plan_add(index, src, dst, found, stored, NOW)
            for relative, content in ((step.data_path, data if step.copy else None), (step.meta_path, step.meta_bytes)):
                if content is not None:
                    (target / relative).parent.mkdir(parents=True, exist_ok=True)
                    (target / relative).write_bytes(content)
            changed += step.record(index)
    target.mkdir(exist_ok=True)
    index_path.write_bytes(index.to_bytes())
    return changed


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return build(tmp_path, FILES)


def read(folder: Path, dst_id: str = "") -> Archive:
    return read_archive(os.fsencode(folder), dst_id)


def codes(folder: Path, **options: Any) -> Counter[str]:
    return Counter(finding.code for finding in verify(read(folder), **options))


def edit(folder: Path, change: Any) -> None:
    document = json.loads((folder / "index.json").read_text())
    change(document)
    (folder / "index.json").write_text(json.dumps(document))


# ---------------------------------------------------------------------------------------------------------- verifying


def test_an_archive_of_ours_is_good(archive: Path) -> None:
    told: list[int] = []
    report = Report()
    for finding in verify(read(archive), progress=told.append):
        report.note(finding)
    assert report.counts == {"ok": 5} and report.problems == [] and report.is_good
    assert (report.items, report.bytes) == (5, 3 + 3 + 1_500_000 + 4) == (5, sum(told))
    assert max(told) == BLOCK
    names = sorted(str(path.relative_to(archive)) for path in archive.rglob("*") if path.is_file())
    one = hashlib.sha1(b"one").hexdigest()
    assert f"media/2020/2020-07-10/{one}.jpg" in names
    assert len(names) == 12 and sum(name.startswith("media/Undated/") for name in names) == 1


def test_again_changes_nothing(tmp_path: Path, archive: Path) -> None:
    before = (archive / "index.json").read_bytes()
    assert add(tmp_path) == 0
    assert (archive / "index.json").read_bytes() == before
    (tmp_path / "src" / "new.jpg").write_bytes(b"new")
    assert add(tmp_path) == 1
    assert codes(archive) == {"ok": 6}


def test_every_fault_is_found(archive: Path) -> None:
    paths = {}
    for ref in read(archive).index.refs.values():
        paths[ref.hash] = archive / ref.dsts[0].data_uri, archive / ref.dsts[0].meta_uri
    (one, one_meta), (film, _), (two, _) = (
        paths[hashlib.sha1(data).hexdigest()] for data in (b"one", b"three" * 300_000, b"two")
    )
    _, four_meta = paths[hashlib.sha1(b"four").hexdigest()]
    _, empty_meta = paths[hashlib.sha1(b"").hexdigest()]
    one.write_bytes(b"0ne")
    one_meta.unlink()
    film.write_bytes(b"short")
    two.unlink()
    four_meta.write_bytes(b"{" * four_meta.stat().st_size)
    empty_meta.write_bytes(b"longer" * 100)
    (archive / "media" / "stray.jpg").write_bytes(b"x")
    (archive / "unknown" / "link").symlink_to("/etc/passwd")
    (archive / "unknown" / ".mediad-copy-1").write_bytes(b"half")
    assert codes(archive) == {
        "hash": 1, "meta_missing": 1, "size": 1, "missing": 1, "meta_invalid": 1, "meta_size": 1,
        "unknown": 2, "leftover": 1,
    }  # fmt: skip
    report = Report()
    for finding in verify(read(archive)):
        report.note(finding)
    assert not report.is_good and report.items == 0
    by_code = {finding.code: finding for finding in report.problems}
    assert by_code["hash"].path == os.fsencode(one) and by_code["hash"].hash == hashlib.sha1(b"one").hexdigest()
    assert by_code["size"].message == "has 5 bytes, not 1500000"
    # names and sizes only: the changed byte is not seen
    quick = codes(archive, hashes=False)
    assert "hash" not in quick and quick["size"] == quick["missing"] == 1


def test_links_and_devices_are_not_read(tmp_path: Path, archive: Path) -> None:
    one = archive / f"media/2020/2020-07-10/{hashlib.sha1(b'one').hexdigest()}.jpg"
    elsewhere = tmp_path / "elsewhere"
    one.rename(elsewhere)
    one.symlink_to(elsewhere)
    assert codes(archive)["not_regular"] == 1
    one.unlink()
    os.mkfifo(one)
    assert codes(archive)["not_regular"] == 1
    one.unlink()
    elsewhere.rename(one)
    assert codes(archive) == {"ok": 5}
    # a folder on the way that became a link
    (archive / "media" / "2020").rename(tmp_path / "2020")
    (archive / "media" / "2020").symlink_to(tmp_path / "2020")
    found = codes(archive)
    assert found["not_regular"] == 2 and found["ok"] == 3 and found["unknown"] == 1


def test_a_file_that_may_not_be_read(archive: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root may read everything")
    next(archive.glob("media/2020/*/*.jpg")).chmod(0)
    assert codes(archive)["unreadable"] == 1
    (archive / "index.json").chmod(0)
    with pytest.raises(PermissionDenied):
        read(archive)


def test_hostile_uris_lead_nowhere(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "secret").write_bytes(b"one")
    hostile = [
        "../secret",
        "media/../../secret",
        str(tmp_path / "secret"),
        f"file://{tmp_path}/secret",
        "%2e%2e/secret",
    ]

    def change(document: dict[str, Any]) -> None:
        item = document["refs"][0]["dsts"][0]
        document["refs"][0]["dsts"] = [item | {"data_uri": uri} for uri in hostile] + [item | {"meta_uri": hostile[0]}]

    edit(archive, change)
    found = [finding for finding in verify(read(archive)) if finding.code not in ("ok", "unknown")]
    # two of the five are one place in two spellings
    assert Counter(f.code for f in found) == {"bad_uri": 4, "meta_bad_uri": 1}
    assert isinstance(found[0], Finding) and found[0].path == b"%2e%2e/secret"


def test_compressed_data(archive: Path) -> None:
    one = hashlib.sha1(b"one").hexdigest()
    old = archive / f"media/2020/2020-07-10/{one}.jpg"
    new = old.with_suffix(".jpg.gz")
    old.unlink()
    new.write_bytes(gzip.compress(b"one"))

    def change(document: dict[str, Any]) -> None:
        (ref,) = (ref for ref in document["refs"] if ref["hash"] == one)
        ref["dsts"][0] |= {"data_uri": f"media/2020/2020-07-10/{one}.jpg.gz", "data_type": "jpg.gz"}
        ref["dsts"][0]["data_size"] = new.stat().st_size

    edit(archive, change)
    assert codes(archive) == {"ok": 5}
    copies = [copy for copy in plan_restore(read(archive)).copies if copy.hash == one]
    assert {(copy.encoding, copy.size) for copy in copies} == {("gz", 0)}
    data = new.read_bytes()
    new.write_bytes(data[:-9] + b"\xff" + data[-8:])
    assert codes(archive) == {"ok": 4, "hash": 1}
    edit(archive, lambda d: [ref["dsts"][0].update(data_type="jpg.tar") for ref in d["refs"] if ref["hash"] == one])
    assert codes(archive) == {"ok": 4, "encoding": 1}


# ------------------------------------------------------------------------------------------------------------ reading


def test_an_archive_that_moved(tmp_path: Path, archive: Path) -> None:
    moved = archive.rename(tmp_path / "moved elsewhere")
    assert codes(moved) == {"ok": 5}
    assert plan_restore(read(moved)).copies[0].source.startswith(os.fsencode(moved))


def test_data_and_metas_in_folders_of_their_own(tmp_path: Path, archive: Path) -> None:
    outside = tmp_path / "metas"
    (archive / "data").mkdir()
    for name in ("media", "unknown"):
        (archive / name).rename(archive / "data" / name)
    outside.mkdir()
    (archive / "meta").rename(outside / "meta")
    top = file_uri(os.fsencode(archive), folder=True)

    def change(document: dict[str, Any]) -> None:
        document["dsts"][0] |= {"data_uri": f"{top}data/", "meta_uri": file_uri(os.fsencode(outside), folder=True)}

    edit(archive, change)
    assert codes(archive) == {"ok": 5}
    (outside / "stranger").write_bytes(b"")
    assert codes(archive) == {"ok": 5, "unknown": 1}
    edit(archive, lambda d: d["dsts"][0].update(data_uri="s3://bucket/"))
    with pytest.raises(Unsupported, match="cannot be read"):
        read(archive)


def test_several_destinations(tmp_path: Path, archive: Path) -> None:
    other = Dst.at("file:///mnt/other/")

    edit(archive, lambda d: d["dsts"].append(other.document()))
    assert read(archive).dst.index_uri == file_uri(os.fsencode(archive), folder=True)
    assert codes(archive) == {"ok": 5}
    moved = archive.rename(tmp_path / "moved")
    with pytest.raises(InvalidArgument, match="which of its destinations") as caught:
        read(moved)
    assert other.dst_id in caught.value.message
    assert read(moved, other.dst_id).dst == other
    with pytest.raises(NotFound, match="no destination xyz"):
        read(moved, "xyz")
    edit(moved, lambda d: d.pop("dsts"))
    with pytest.raises(NotFound, match="has no destination"):
        read(moved)


def test_what_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read(tmp_path)
    with pytest.raises(NotFound):
        read(tmp_path / "nowhere")
    (tmp_path / "index.json").write_text("{}x")
    with pytest.raises(Corrupt, match="not JSON") as caught:
        read(tmp_path)
    assert caught.value.input == os.fsencode(tmp_path / "index.json")
    (tmp_path / "index.json").unlink()
    (tmp_path / "index.json").mkdir()
    with pytest.raises(Corrupt, match="no regular file"):
        read(tmp_path)


def test_hash_file(tmp_path: Path) -> None:
    data = os.urandom(BLOCK * 2 + 7)
    (tmp_path / "x").write_bytes(data)
    told: list[int] = []
    with open(tmp_path / "x", "rb") as source:
        assert hash_file(source, told.append) == hashlib.sha1(data).hexdigest()
    assert told == [BLOCK, BLOCK, 7]


# ---------------------------------------------------------------------------------------------------------- restoring


def targets(plan: RestorePlan, top: Path) -> dict[bytes, bytes]:
    return {
        copy.target.removeprefix(os.fsencode(top) + b"/"): Path(os.fsdecode(copy.source)).read_bytes()
        for copy in plan.copies
    }


def test_everything_goes_back(tmp_path: Path, archive: Path) -> None:
    plan = plan_restore(read(archive))
    assert plan.left == ()
    assert targets(plan, tmp_path / "src") == FILES
    assert {copy.size for copy in plan.copies} == {len(data) for data in FILES.values()}
    mtimes = {os.stat(os.path.join(os.fsencode(tmp_path / "src"), name)).st_mtime_ns for name in FILES}
    assert {copy.modified_at.ns for copy in plan.copies if copy.modified_at} == mtimes
    into = plan_restore(read(archive), into=b"/restored")
    assert {copy.target for copy in into.copies} == {b"/restored/" + name for name in FILES}
    one = hashlib.sha1(b"one").hexdigest()
    assert len(plan_restore(read(archive), hashes={one}).copies) == 2
    assert plan_restore(read(archive), src_id="other").copies == ()


def test_what_stays_behind(archive: Path) -> None:
    one, four = (hashlib.sha1(data).hexdigest() for data in (b"one", b"four"))

    def change(document: dict[str, Any]) -> None:
        src_id = document["srcs"][0]["src_id"]
        document["srcs"].append({"src_id": "web", "src_uri": "https://example.com/"})
        refs = {ref["hash"]: ref for ref in document["refs"]}
        for number, uri in enumerate(("https://example.com/a", "file:///etc/passwd", "file:///src/../x")):
            refs[one]["srcs"].append({"src_id": (src_id, src_id, "web")[number], "data_uri": uri, "meta_uri": ""})
        refs[one]["srcs"].append({"src_id": "gone", "data_uri": "file:///x", "meta_uri": ""})
        refs[four]["srcs"][0]["meta_uri"] = "file:///side.xmp"
        refs[hashlib.sha1(b"two").hexdigest()]["dsts"] = []
        refs[hashlib.sha1(b"").hexdigest()]["dsts"][0]["data_uri"] = "../x"

    edit(archive, change)
    plan = plan_restore(read(archive))
    assert Counter(left.code for left in plan.left) == {
        "not_a_file": 2, "outside_source": 1, "no_source": 1, "sidecar": 1, "not_stored": 1, "bad_uri": 1,
    }  # fmt: skip
    assert len(plan.copies) == len(FILES) - 2
    assert [left.uri for left in plan.left if left.code == "outside_source"] == ["file:///etc/passwd"]


def test_of_two_contents_of_a_path_the_later(tmp_path: Path, archive: Path) -> None:
    film = tmp_path / "src" / "film.mkv"
    os.utime(film, ns=(10**18, 10**18))
    add(tmp_path)
    film.write_bytes(b"a newer cut")
    assert add(tmp_path) == 1
    assert codes(archive) == {"ok": 6}
    plan = plan_restore(read(archive))
    assert targets(plan, tmp_path / "src")[b"film.mkv"] == b"a newer cut"
    assert [(left.code, left.hash) for left in plan.left] == [
        ("superseded", hashlib.sha1(b"three" * 300_000).hexdigest())
    ]
    plan = plan_restore(read(archive), latest=False)
    assert targets(plan, tmp_path / "src")[b"film.mkv"] == b"three" * 300_000
    assert [left.hash for left in plan.left] == [hashlib.sha1(b"a newer cut").hexdigest()]
