"""Equal files found and remembered; files that are not as they were; a backup, its return, and making all again."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediactl import Client, workcalls
from tests.daemon import Daemon, write_tree
from tests.daemon.records import DATA, SONG, rows, wait_for
from tests.integration.test_identity import flac, has_work, item_of, retag, tagged


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    running = Daemon(config="shared_least = 1000\n")
    try:
        yield running.start()
    finally:
        running.remove()


def groups(client: Client, kind: str, **more: Any) -> list[set[str]]:
    found = client.run(workcalls.duplicates(kind, **more))
    return [{os.path.basename(os.fsdecode(file.path)) for file in group.files} for group in found]


def test_equal_files(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    flac(tree / "one.flac", title="One")
    shutil.copyfile(tree / "one.flac", tree / "copy.flac")
    shutil.copyfile(tree / "one.flac", tree / "retagged.flac")
    retag(tree / "retagged.flac", title="Other", comment="c" * 4000)
    os.link(tree / "one.flac", tree / "linked.flac")
    shutil.copyfile(DATA / "picard.wav", tree / "twin.wav")
    write_tree(tree, {"empty1": b"", "empty2": b"", "same size 1.txt": b"a" * 5000, "same size 2.txt": b"b" * 5000})
    with daemon.client() as client:
        client.add([tree])
        assert groups(client, "exact") == [{"one.flac", "copy.flac", "linked.flac"}]
        assert groups(client, "payload") == [{"one.flac", "copy.flac", "linked.flac", "retagged.flac"}]
        assert groups(client, "hardlinks") == [{"one.flac", "linked.flac"}]
        # nothing is computed twice, and what could not be equal was never read
        told = "SELECT count(*) FROM mediadb.event WHERE action = 'checksummed'"
        before = rows(daemon, told)
        assert groups(client, "exact") and groups(client, "payload")
        assert rows(daemon, told) == before
        read = "SELECT 1 FROM mediadb.checksum c JOIN mediadb.file f ON f.inode = c.inode WHERE f.name = %s"
        assert not rows(daemon, read, b"same size 1.txt")
        assert groups(client, "exact", query="title:other") == []
        assert len(groups(client, "single")) >= 4
        other = write_tree(daemon.folder / "other", {"only here.txt": b"unlike " * 1000})
        shutil.copyfile(tree / "one.flac", other / "there.flac")
        client.add([other])
        roots = {root.path: root.id for root in client.roots()}
        here, there = roots[os.fsencode(other)], roots[os.fsencode(tree)]
        assert groups(client, "missing", root=here, other=there) == [{"only here.txt"}]


def test_equal_files_after_changes(daemon: Daemon) -> None:
    """An answer is given again without work while nothing changes, and is never an old one."""
    tree = daemon.folder / "tree"
    one, other = b"one " * 2000, b"two " * 2500
    write_tree(tree, {"a.txt": one, "b.txt": one, "c.txt": other, "d/e.txt": b"three " * 2000})

    def asked(client: Client) -> list[set[str]]:
        client.add([tree], once=True)
        first = groups(client, "exact")
        assert groups(client, "payload") == groups(client, "payload")
        assert groups(client, "exact") == first, "asked again, from memory"
        return sorted(first, key=sorted)

    computed = "SELECT count(*) FROM mediadb.event WHERE action = 'checksummed'"
    with daemon.client() as client:
        assert asked(client) == [{"a.txt", "b.txt"}]
        before = rows(daemon, computed)
        assert asked(client) == [{"a.txt", "b.txt"}]
        assert rows(daemon, computed) == before
        # a new file equal to old ones, in a new folder
        write_tree(tree, {"new/f.txt": other})
        assert asked(client) == [{"a.txt", "b.txt"}, {"c.txt", "f.txt"}]
        # a new name of a known file is no copy; with a copy it is in its group
        os.link(tree / "d/e.txt", tree / "d/linked.txt")
        assert asked(client) == [{"a.txt", "b.txt"}, {"c.txt", "f.txt"}]
        shutil.copyfile(tree / "d/e.txt", tree / "copy.txt")
        assert {"e.txt", "linked.txt", "copy.txt"} in asked(client)
        (tree / "copy.txt").unlink()
        assert asked(client) == [{"a.txt", "b.txt"}, {"c.txt", "f.txt"}]
        # changed in place: one byte, the size and the time of modification as they were
        stat = (tree / "b.txt").stat()
        with open(tree / "b.txt", "r+b") as out:
            out.seek(4000)
            out.write(b"!")
        os.utime(tree / "b.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert asked(client) == [{"c.txt", "f.txt"}]
        # and back, with a time of the past: a clock that jumped
        (tree / "b.txt").write_bytes(one)
        os.utime(tree / "b.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns - 10**15))
        assert asked(client) == [{"a.txt", "b.txt"}, {"c.txt", "f.txt"}]
        # removed, and forgotten without being removed
        (tree / "new/f.txt").unlink()
        assert asked(client) == [{"a.txt", "b.txt"}]
        client.forget(tree / "a.txt")
        assert groups(client, "exact") == [] == groups(client, "payload")
        assert asked(client) == [{"a.txt", "b.txt"}], "and found again: its checksum is known"


def test_equal_files_of_which_one_cannot_be_read(daemon: Daemon) -> None:
    """It is left out, the others are found; when it can be read it is found without anything else having changed."""
    tree = daemon.folder / "tree"
    write_tree(tree, {"a.txt": b"one " * 2000, "b.txt": b"one " * 2000, "c.txt": b"one " * 2000})
    with daemon.client() as client:
        client.add([tree], once=True)
        (tree / "c.txt").rename(daemon.folder / "away")
        assert groups(client, "exact") == [{"a.txt", "b.txt"}]
        (daemon.folder / "away").rename(tree / "c.txt")
        client.add([tree], once=True)
        assert groups(client, "exact") == [{"a.txt", "b.txt", "c.txt"}]


def test_many_equal_files(daemon: Daemon) -> None:
    """More than fit into one message to a worker; each checksum is told once."""
    tree = daemon.folder / "tree"
    write_tree(tree, {f"{number % 70}/{number}.bin": b"%04d" % (number % 70) * 2000 for number in range(210)})
    with daemon.client() as client:
        client.add([tree], once=True)
        found = groups(client, "exact")
        assert sorted(map(len, found)) == [3] * 70
        told = rows(daemon, "SELECT count(*), count(DISTINCT target) FROM mediadb.event WHERE action = 'checksummed'")
        assert told == [(210, 210)]
        payload = groups(client, "payload")
        assert sorted(map(sorted, payload)) == sorted(map(sorted, found))
        changes = client.run(workcalls.changes(0))
        numbers = [change.seq for change in changes.changes if change.action == "checksummed"]
        assert numbers == sorted(set(numbers))


def test_verification(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    flac(tree / "retagged.flac", title="One")
    write_tree(tree, {"well.txt": b"w" * 5000, "rotten.txt": b"r" * 5000, "copy.txt": b"r" * 5000,
                      "replaced.txt": b"p" * 5000})  # fmt: skip
    with daemon.client() as client:
        client.add([tree], once=True)
        first = client.run(workcalls.verify())
        assert (first.first, first.ok, first.verdicts) == (5, 0, [])
        assert client.run(workcalls.verify()).ok == 5
        stat = (tree / "rotten.txt").stat()
        data = bytearray((tree / "rotten.txt").read_bytes())
        data[1000] ^= 1
        (tree / "rotten.txt").write_bytes(data)
        os.utime(tree / "rotten.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))
        (tree / "replaced.txt").write_bytes(b"q" * 6000)
        retag(tree / "retagged.flac", title="Two", comment="x" * 3000)
        result = client.run(workcalls.verify())
        verdicts = {os.path.basename(os.fsdecode(each.path)): each for each in result.verdicts}
        assert {name: each.verdict for name, each in verdicts.items()} == {
            "rotten.txt": "rotten", "replaced.txt": "replaced", "retagged.flac": "retagged",
        }  # fmt: skip
        assert verdicts["rotten.txt"].good == [os.fsencode(tree / "copy.txt")]
        assert (result.ok, result.rotten, result.left) == (2, 1, 0)
        # throttled and in portions: the next goes on where the last one stopped
        part = client.run(workcalls.verify(seconds=0.000001, again=True))
        assert part.left >= 4
        assert client.run(workcalls.verify(bytes_per_second=1 << 30)).left == 0
        (tree / "well.txt").unlink()
        gone = client.run(workcalls.verify([tree / "well.txt"]))
        assert [each.verdict for each in gone.verdicts] == ["unreadable"]


def mediactl(daemon: Daemon, *arguments: str, code: int = 0) -> Any:
    argv = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), "--format", "json", *arguments]
    result = subprocess.run(argv, capture_output=True, check=False, text=True)
    assert result.returncode == code, result.stderr
    return json.loads(result.stdout)


def test_a_backup_comes_back_into_an_empty_database(daemon: Daemon) -> None:
    """In another database, with the files renamed, retagged and elsewhere: the work is on them again."""
    tree = daemon.folder / "tree"
    flac(tree / "one.flac", title="One")
    write_tree(tree, {"two.txt": b"two " * 500, "three.mp3": SONG})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "one.flac")
        client.run(workcalls.collect("papers", "add", [tree / "two.txt", tree / "one.flac"]))
        client.run(workcalls.tag([tree / "three.mp3"], add=["a", "b"]))
        client.run(workcalls.undo())
        assert wait_for(lambda: rows(daemon, "SELECT count(*) FROM mediadb.doubt") == [(0,)])
    written = mediactl(daemon, "backup", str(daemon.folder / "backup"))
    assert Path(written["path"]).exists()
    assert mediactl(daemon, "restore-backup", str(daemon.folder / "backup"))["events"] == 0, "all of it is known"
    fresh = Daemon(config="shared_least = 1000\n")
    try:
        fresh.start()
        elsewhere = fresh.folder / "elsewhere"
        shutil.move(tree, elsewhere)
        (elsewhere / "one.flac").rename(elsewhere / "renamed.flac")
        retag(elsewhere / "renamed.flac", title="Other", comment="x" * 3000)
        # its root is not where it was: that is said
        result = mediactl(fresh, "restore-backup", str(daemon.folder / "backup"), code=1)
        assert result["events"] > 5 and result["known"] == 0
        with fresh.client() as client:
            client.add([elsewhere])
            found = item_of(client, elsewhere / "renamed.flac")
            assert found.id == item and has_work(found)
            [papers] = client.run(workcalls.collections(entries=True))
            assert papers.entries == [item_of(client, elsewhere / "two.txt").id, item]
            assert "user_tags" not in item_of(client, elsewhere / "three.mp3").work
        assert mediactl(fresh, "restore-backup", str(daemon.folder / "backup"), code=1)["events"] == 0
    finally:
        fresh.remove()


def test_everything_is_made_again(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    flac(tree / "one.flac", title="One")
    write_tree(tree, {"small.txt": b"s", "other.txt": b"o" * 3000})
    with daemon.client() as client:
        client.add([tree])
        item, small = tagged(client, tree / "one.flac"), tagged(client, tree / "small.txt")
    mediactl(daemon, "rebuild", "--yes")
    with daemon.client() as client:
        assert client.status().files == 3 and client.status().missing == 0
        for path, known in ((tree / "one.flac", item), (tree / "small.txt", small)):
            found = item_of(client, path)
            assert found.id == known and has_work(found)
        assert client.run(workcalls.changes(10**6)).resync


def test_an_import(daemon: Daemon) -> None:
    """Ratings and plays of MPD's stickers, by path and by tags; what is not here is reported; twice is once."""
    tree = daemon.folder / "music"
    flac(tree / "a/one.flac", title="One", artist="A")
    flac(tree / "b/two.flac", title="Two", artist="B")
    database = daemon.folder / "sticker.sql"
    with sqlite3.connect(database) as stickers:
        stickers.execute(
            "CREATE TABLE sticker(type VARCHAR NOT NULL, uri VARCHAR NOT NULL, "
            "name VARCHAR NOT NULL, value VARCHAR NOT NULL)"
        )
        for uri, name, value in (("a/one.flac", "rating", "8"), ("a/one.flac", "playCount", "7"),
                                 ("gone.mp3", "rating", "10")):  # fmt: skip
            stickers.execute("INSERT INTO sticker VALUES ('song', ?, ?, ?)", (uri, name, value))
    stickers.close()
    arguments = ("import", str(database), "--music-directory", str(tree))
    with daemon.client() as client:
        client.add([tree])
        report = mediactl(daemon, *arguments, "--dry-run")
        assert (report["by_path"], report["missing"], report["changes"]) == (1, 1, 0)
        report = mediactl(daemon, *arguments)
        assert report["by_path"] == 1 and report["unmatched"] == ["gone.mp3"]
        work = item_of(client, tree / "a/one.flac").work
        assert (work["user_rating"], work["play_count"]) == (4, 7)
        mediactl(daemon, *arguments)
        assert item_of(client, tree / "a/one.flac").work["play_count"] == 7
