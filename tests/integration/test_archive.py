"""Archives: written so that an independent check accepts them, again without changing a byte, restored bit for bit."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from mediactl import workcalls
from mediad.errors import Conflict, InvalidArgument, NotFound
from tests.daemon import Daemon
from tests.daemon.library import DATA
from tests.daemon.records import rows
from tests.integration.test_identity import item_of

IMAGE_TYPES = {"cr2", "dng", "gif", "iiq", "jpg", "nef", "png", "psd", "raf", "tif"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z")


def sha1(path: Path) -> str:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()


def tree(top: Path) -> dict[str, str]:
    return {str(p.relative_to(top)): sha1(p) for p in sorted(top.rglob("*")) if p.is_file()}


def stats(top: Path) -> dict[str, Any]:
    return {str(p): (p.stat().st_ino, p.stat().st_mtime_ns, sha1(p)) for p in sorted(top.rglob("*")) if p.is_file()}


def check(archive: Path, source: Path) -> dict[str, Any]:
    """What the format's page says of an archive, looked at without any of our code. Returns the index."""
    text = (archive / "index.json").read_bytes()
    assert text.endswith(b"}\n") and text.startswith(b'{\n  "version": "v1",\n  "srcs"')
    index: dict[str, Any] = json.loads(text)
    (src,), (dst,) = index["srcs"], index["dsts"]
    assert src["src_uri"] == f"file://{source}/" and dst["data_uri"] == dst["index_uri"] == f"file://{archive}/"
    assert len({ref["hash"] for ref in index["refs"]}) == len(index["refs"])
    places = {"index.json", "README.txt"}
    for ref in index["refs"]:
        (item,) = ref["dsts"]
        data, meta = archive / item["data_uri"], archive / item["meta_uri"]
        places |= {item["data_uri"], item["meta_uri"]}
        assert sha1(data) == ref["hash"] and data.stat().st_size == item.get("data_size", 0)
        assert item["meta_uri"] == f"meta/{ref['hash'][:2]}/{ref['hash'][2:4]}/{ref['hash'][4:]}.json"
        document = json.loads(meta.read_bytes())
        assert not meta.read_bytes().endswith(b"\n") and meta.stat().st_size == item["meta_size"]
        assert [key for key in document if key in ("version", "type", "size")] == ["version", "type", "size"]
        assert document["size"] == data.stat().st_size
        assert TIME.match(item["stored_at"]) and TIME.match(item["updated_at"])
        kind = document["type"]
        if kind in IMAGE_TYPES:
            assert item["data_type"] == kind
            date = document.get("inherent", {}).get("created", "")[:10]
            where = (
                f"media/{date[:4]}/{date}/{ref['hash']}.{kind}"
                if date
                else (f"media/Undated/{ref['hash'][:2]}/{ref['hash'][2:4]}/{ref['hash'][4:]}.{kind}")
            )
            assert item["data_uri"] == where
        else:
            assert "data_type" not in item and item["data_uri"].startswith(f"unknown/{ref['hash'][:2]}/")
        for found in ref["srcs"]:
            assert found["src_id"] == src["src_id"] and found["data_uri"].startswith(src["src_uri"])
            assert TIME.match(found["modified_at"])
    assert set(tree(archive)) == places
    return index


@pytest.fixture
def source(daemon: Daemon) -> Path:
    """Samples of every kind, twins among them, and names that a URI cannot hold as they are."""
    top = daemon.folder / "photos"
    for kind in ("image", "audio", "document", "video"):
        if (DATA / kind).is_dir():
            for path in sorted((DATA / kind).iterdir()):
                if path.is_file() and path.stat().st_size < 200_000:
                    (top / kind).mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, top / kind)
    picture = next(p for p in sorted((top / "image").iterdir()) if p.suffix == ".jpg")
    shutil.copy2(picture, top / "a twin #1 100%?.jpg")
    shutil.copy2(picture, os.fsdecode(bytes(top) + b"/b\xff\xc3\xa4.jpg"))
    (top / "empty.bin").write_bytes(b"")
    return top


def test_written_checked_and_restored(daemon: Daemon, source: Path) -> None:
    archive, again = daemon.folder / "archive", daemon.folder / "again"
    again.mkdir()
    with daemon.client() as client:
        client.add([source], wait=True)
        made = client.run(workcalls.archive(source, archive))
        files = tree(source)
        assert made.problems == [] and made.changed
        assert (made.files, made.known) == (len(set(files.values())), len(files) - len(set(files.values())))
        index = check(archive, source)
        twin = next(ref for ref in index["refs"] if len(ref["srcs"]) > 2)
        assert any(found["data_uri"].endswith("/a%20twin%20%231%20100%25%3F.jpg") for found in twin["srcs"])
        assert any(found["data_uri"].endswith("/b%FF%C3%A4.jpg") for found in twin["srcs"])
        before = stats(archive)
        twice = client.run(workcalls.archive(source, archive))
        assert (twice.files, twice.known, twice.changed) == (0, 0, False) and twice.unchanged == len(files)
        assert stats(archive) == before
        whole = client.run(workcalls.archive(b"", archive, verify=True))
        assert whole.findings == [] and whole.files == len(set(files.values()))
        restored = client.run(workcalls.putback(archive=archive, into=again))
        assert restored.problems == [] and restored.done == len(files)
        assert tree(again) == files
        for path in source.rglob("*"):
            if path.is_file():
                copy = again / path.relative_to(source)
                assert copy.stat().st_mtime_ns == path.stat().st_mtime_ns
        more = client.run(workcalls.putback(archive=archive, into=again))
        assert (more.done, more.unchanged) == (0, len(files))
        # the store knows which item lies where, and when that was last seen whole
        picture = next(p for p in source.rglob("*.jpg"))
        told = client.run(workcalls.history([picture]))[0].stored
        assert [each.verdict for each in told] == ["ok"] and Path(
            os.fsdecode(told[0].path)
        ).read_bytes() == picture.read_bytes()
        assert told[0].verified_ns > told[0].stored_ns


def test_it_grows(daemon: Daemon, source: Path) -> None:
    """New and changed files are added; what is gone from the source stays; a path's older content is kept."""
    archive = daemon.folder / "archive"
    with daemon.client() as client:
        client.add([source], wait=True)
        client.run(workcalls.archive(source, archive))
        first = json.loads((archive / "index.json").read_bytes())
        (source / "empty.bin").write_bytes(b"not empty any more")
        (source / "new.txt").write_bytes(b"new words")
        next(p for p in (source / "image").iterdir()).unlink()
        client.run(workcalls.rescan(wait=True))
        more = client.run(workcalls.archive(source, archive))
        assert (more.files, more.problems) == (2, [])
        index = json.loads((archive / "index.json").read_bytes())
        assert len(index["refs"]) == len(first["refs"]) + 2
        assert index["refs"][: len(first["refs"])] == first["refs"]


def test_damage_is_found(daemon: Daemon, source: Path) -> None:
    archive = daemon.folder / "archive"
    with daemon.client() as client:
        client.add([source], wait=True)
        client.run(workcalls.archive(source, archive))
        index = json.loads((archive / "index.json").read_bytes())
        data = [
            archive / ref["dsts"][0]["data_uri"] for ref in index["refs"] if ref["dsts"][0].get("data_size", 0) > 10
        ]
        with open(data[0], "r+b") as file:
            file.seek(5)
            file.write(b"\0rot\0")
        data[1].unlink()
        (archive / "stranger.txt").write_bytes(b"?")
        found = client.run(workcalls.archive(b"", archive, verify=True))
        assert sorted((code, path) for code, path, _sha1, _why in found.findings) == sorted(
            [("hash", bytes(data[0])), ("missing", bytes(data[1])), ("unknown", bytes(archive / "stranger.txt"))]
        )
        restored = client.run(workcalls.putback(archive=archive, into=daemon.folder / "again"))
        assert restored.failed >= 2 and {p.code for p in restored.problems} <= {"io_error"}
        verdicts = dict(rows(daemon, "SELECT verdict, count(*) FROM mediadb.stored GROUP BY 1"))
        assert verdicts["hash"] >= 1 and verdicts["missing"] >= 1 and verdicts["ok"] > 10


def test_of_others(daemon: Daemon) -> None:
    """An archive that the reference wrote: with data that is stored compressed."""
    archive = daemon.folder / "other"
    content = b"GIF89a" + b"x" * 500
    name = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    data = f"media/Undated/{name[:2]}/{name[2:4]}/{name[4:]}.gif.gz"
    meta = f"meta/{name[:2]}/{name[2:4]}/{name[4:]}.json"
    (archive / data).parent.mkdir(parents=True)
    (archive / data).write_bytes(gzip.compress(content))
    (archive / meta).parent.mkdir(parents=True)
    (archive / meta).write_text(f'{{"version":"v1","type":"gif","size":{len(content)},"inherent":{{}}}}')
    uri = "file:///mnt/disk/"
    src, dst = "901e9ee6-64b8-5d44-941c-7e22c7cb4af3", "0e73b6c5-26dc-58a6-8fa9-edd5be9ad99d"
    index = {
        "version": "v1", "srcs": [{"src_id": src, "src_uri": "file:///tmp/"}],
        "dsts": [{"dst_id": dst, "index_uri": uri, "data_uri": uri, "meta_uri": uri}],
        "refs": [{"hash": name, "srcs": [{"src_id": src, "data_uri": "file:///tmp/in/a.gif", "meta_uri": ""}],
                  "dsts": [{"dst_id": dst, "data_uri": data, "meta_uri": meta,
                            "data_type": "gif.gz"}]}],
    }  # fmt: skip
    (archive / "index.json").write_text(json.dumps(index))
    with daemon.client() as client:
        assert client.run(workcalls.archive(b"", archive, verify=True)).findings == []
        client.run(workcalls.putback(archive=archive, into=daemon.folder / "again"))
        assert (daemon.folder / "again/in/a.gif").read_bytes() == content


def test_what_cannot_be(daemon: Daemon, source: Path) -> None:
    with daemon.client() as client:
        client.add([source], wait=True)
        with pytest.raises(InvalidArgument, match="does not lie in what it archives"):
            client.run(workcalls.archive(source, source / "archive"))
        with pytest.raises(NotFound, match="no root"):
            client.run(workcalls.archive(daemon.folder, daemon.folder / "archive"))
        with pytest.raises(NotFound):
            client.run(workcalls.archive(b"", daemon.folder / "nothing", verify=True))


def test_put_back_where_it_was(daemon: Daemon) -> None:
    """A file of the library goes back to the path it had before it was moved, with its item."""
    top = daemon.folder / "lib"
    (top / "in").mkdir(parents=True)
    song = top / "in" / "song.bin"
    song.write_bytes(b"s" * 5000)
    os.utime(song, ns=(10**18, 10**18))
    with daemon.client() as client:
        client.add([top], wait=True)
        ident = item_of(client, song).id
        client.run(workcalls.move([song], top / "out", folder=True))
        done = client.run(workcalls.putback([ident]))
        assert done.done == 1 and song.exists() and item_of(client, song).id == ident
        os.utime(song, ns=(10**18, 10**18 + 5))
        with pytest.raises((NotFound, Conflict)):
            raise client.run(workcalls.putback([top / "in" / "song.bin"])).problems[0]
