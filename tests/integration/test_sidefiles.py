"""XMP side files kept in step with what persons say: real daemons, real files, ExifTool as the other program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediactl import Client, workcalls
from mediactl.model import SideFile, SideFiles
from tests import pg
from tests.daemon import Daemon, write_tree
from tests.daemon.records import SONG, check_events, rows, wait_for

PHOTO = (Path(__file__).parent.parent / "data/image/01.jpg").read_bytes()
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a mount of its own")
SYNC = 'sidecars = "sync"\nsidecar_seconds = 0.2\nshared_least = 100\n'
OURS = (
    "Subject",
    "HierarchicalSubject",
    "TagsList",
    "Rating",
    "Title",
    "Description",
    "LastKeywordXMP",
    "CatalogSets",
    "Title-de",
)
# What digiKam, darktable and Lightroom keep in a side file beside what is ours.
FOREIGN = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:darktable="http://darktable.sf.net/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0"
    xmp:Rating="3" xmp:Label="Red" darktable:xmp_version="5" darktable:auto_presets_applied="1"
    photoshop:Instructions="one&#10;two" crs:Exposure2012="+0.35" crs:HasSettings="True" xmpMM:DocumentID="uuid:d"
    digiKam:PickLabel="2">
   <dc:subject><rdf:Bag><rdf:li>Garda</rdf:li><rdf:li>boat</rdf:li></rdf:Bag></dc:subject>
   <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Garda</rdf:li><rdf:li>boat</rdf:li>
     <rdf:li>darktable|format|jpg</rdf:li></rdf:Bag></lr:hierarchicalSubject>
   <digiKam:TagsList><rdf:Seq><rdf:li>Places/Garda</rdf:li><rdf:li>boat</rdf:li></rdf:Seq></digiKam:TagsList>
   <MicrosoftPhoto:LastKeywordXMP><rdf:Bag><rdf:li>Places/Garda</rdf:li><rdf:li>boat</rdf:li></rdf:Bag>
   </MicrosoftPhoto:LastKeywordXMP>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">old</rdf:li><rdf:li xml:lang="de">alt</rdf:li></rdf:Alt></dc:title>
   <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">me &amp; you</rdf:li></rdf:Alt></dc:rights>
   <darktable:history><rdf:Seq><rdf:li darktable:num="0" darktable:operation="exposure" darktable:enabled="1"
     darktable:params="00000000000080b9"/></rdf:Seq></darktable:history>
   <crs:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurve>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


@pytest.fixture
def syncing() -> Iterator[Daemon]:
    """A daemon that keeps side files in step."""
    made = Daemon(config=SYNC)
    try:
        yield made.start()
    finally:
        made.remove()


def work_of(client: Client, path: Path) -> dict[str, Any]:
    item = client.get(path)[0].item
    assert item is not None
    return item.work


def sync(client: Client, *paths: Path, dry_run: bool = False) -> SideFiles:
    return client.run(workcalls.sync_sidecars(paths, dry_run=dry_run))


def one(found: SideFiles) -> SideFile:
    assert len(found.files) == 1
    return found.files[0]


def exiftool(*words: str | Path) -> str:
    done = subprocess.run(["exiftool", *map(str, words)], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def xmp(path: Path, *, foreign: bool = False) -> dict[str, Any]:
    """What ExifTool reads of a side file: ours without groups, or everything that is not ours."""
    found = json.loads(exiftool("-j", "-G1", "-a", "-struct", "-XMP:all", path))[0]
    found.pop("SourceFile")
    if foreign:
        return {name: value for name, value in found.items() if name.partition(":")[2] not in OURS}
    mine = {name.partition(":")[2]: value for name, value in found.items() if name.partition(":")[2] in OURS}
    return {name: sorted(map(str, value)) if isinstance(value, list) else value for name, value in mine.items()}


def as_list(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def check_valid(path: Path) -> None:
    """ExifTool and xmllint find nothing wrong with it, and its lists of keywords agree."""
    lines = [line for line in exiftool("-validate", "-warning", "-a", path).splitlines() if line]
    assert [line.partition(":")[2].strip() for line in lines] == ["OK"], lines
    if shutil.which("xmllint") is not None:
        subprocess.run(["xmllint", "--noout", path], check=True, timeout=30)
    found = xmp(path)
    if "Subject" in found:
        words = set(as_list(found["Subject"]))
        for name, between in (("HierarchicalSubject", "|"), ("TagsList", "/")):
            leaves = {item.rpartition(between)[2] for item in as_list(found[name])}
            assert words <= leaves, name


def events_of(daemon: Daemon, *actions: str, actor: str = "xmp") -> list[tuple[str, dict[str, Any]]]:
    sql = "SELECT action, value FROM mediadb.event WHERE actor = %s ORDER BY seq"
    return [(row[0], row[1]) for row in rows(daemon, sql, actor) if not actions or row[0] in actions]


def quiet(daemon: Daemon, seconds: float = 1.5) -> None:
    """Nothing waits, and nothing comes any more for so long."""
    until, since, last = time.monotonic() + 20.0, time.monotonic(), None
    while time.monotonic() - since < seconds:
        now = rows(daemon, "SELECT last, (SELECT count(*) FROM mediadb.side_todo) FROM mediadb.feed")
        if now != last or now[0][1]:
            since, last = time.monotonic(), now
        assert time.monotonic() < until, "something goes on by itself"
        time.sleep(0.05)


# ------------------------------------------------------------------ told to


def test_nothing_is_written_unasked(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.jpg": PHOTO, "b.jpg": PHOTO, "b.jpg.xmp": FOREIGN.encode()})
    before = (tree / "b.jpg.xmp").stat()
    with daemon.client() as client:
        client.add([tree], wait=True)
        client.run(workcalls.tag([tree / "a.jpg", tree / "b.jpg"], add=["mine"]))
        client.run(workcalls.rate([tree / "b.jpg"], 5))
        time.sleep(3.0)
        assert sorted(p.name for p in tree.iterdir()) == ["a.jpg", "b.jpg", "b.jpg.xmp"]
        assert (tree / "b.jpg.xmp").stat() == before
        assert not events_of(daemon)
        assert sync(client).files == [] and rows(daemon, "SELECT count(*) FROM mediadb.side_cursor") == [(0,)]


@needs_exiftool
def test_the_command_writes_what_persons_said(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.jpg": PHOTO, "song.mp3": SONG})
    os.chmod(tree / "a.jpg", 0o640)
    if os.geteuid() == 0:
        os.chown(tree / "a.jpg", 1234, 2345)
    with daemon.client() as client:
        client.add([tree], wait=True)
        path = tree / "a.jpg"
        client.run(workcalls.tag([path], add=["Lake Garda", "Places/Italy", "<&\"'>"]))
        client.run(workcalls.rate([path], 4))
        client.run(
            workcalls.set_fields([path], {"title": "Ünïcode", "description": "two\r\nlines\x0b", "account": "x"})
        )
        side = tree / "a.jpg.xmp"
        told = one(sync(client, path, dry_run=True))
        assert (told.state, Path(os.fsdecode(told.side)), side.exists()) == ("created", side, False)
        assert one(sync(client, path)).state == "created"
        check_valid(side)
        assert xmp(side) == {
            "Subject": ["<&\"'>", "Italy", "Lake Garda"], "Rating": 4, "Title": "Ünïcode",
            "Description": "two\nlines", "HierarchicalSubject": ["<&\"'>", "Lake Garda", "Places|Italy"],
            "TagsList": ["<&\"'>", "Lake Garda", "Places/Italy"],
        }  # fmt: skip
        stat, like = side.stat(), path.stat()
        assert (stat.st_mode, stat.st_uid, stat.st_gid) == (like.st_mode, like.st_uid, like.st_gid)
        assert sync(client, path).files == [], "twice is once"
        assert side.stat() == stat and not events_of(daemon)
        client.run(workcalls.tag([path], remove=["Places/Italy"]))
        client.run(workcalls.rate([path], None))
        client.run(workcalls.set_fields([path], {"title": None}))
        assert one(sync(client, path)).state == "updated"
        check_valid(side)
        assert xmp(side) == {
            "Subject": ["<&\"'>", "Lake Garda"], "Description": "two\nlines",
            "HierarchicalSubject": ["<&\"'>", "Lake Garda"], "TagsList": ["<&\"'>", "Lake Garda"],
        }  # fmt: skip
        found = client.run(workcalls.sync_sidecars(all=True))
        assert (found.looked_at, found.files) == (1, []), "of a song that nobody said anything of there is no side file"
    assert sorted(p.name for p in tree.iterdir()) == ["a.jpg", "a.jpg.xmp", "song.mp3"]
    check_events(daemon)


@needs_exiftool
@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp", "a.XMP"])
def test_what_is_not_ours_stays(daemon: Daemon, name: str) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.jpg": PHOTO, name: FOREIGN.encode()})
    side = tree / name
    os.chmod(side, 0o604)
    before = xmp(side, foreign=True)
    with daemon.client() as client:
        client.add([tree], wait=True)
        path = tree / "a.jpg"
        client.run(workcalls.tag([path], add=["new"], remove=["boat"]))
        client.run(workcalls.set_fields([path], {"title": "New"}))
        done = one(sync(client, path))
        assert (done.state, Path(os.fsdecode(done.side))) == ("updated", side)
        assert sorted(p.name for p in tree.iterdir()) == sorted(["a.jpg", name])
        assert oct(side.stat().st_mode & 0o7777) == oct(0o604)
        check_valid(side)
        assert xmp(side, foreign=True) == before
        assert xmp(side) == {
            "Subject": ["Garda", "new"], "Rating": 3, "Title": "New", "Title-de": "alt",
            "HierarchicalSubject": ["Places|Garda", "darktable|format|jpg", "new"],
            "TagsList": ["Places/Garda", "new"], "LastKeywordXMP": ["Places/Garda", "new"],
        }  # fmt: skip
        assert {change[1]["tag"] for change in events_of(daemon, "tagged")} == {"Garda"}
        assert [change[1]["rating"] for change in events_of(daemon, "rated")] == [3]
        # Another program takes the last ones away.
        exiftool("-overwrite_original", "-XMP-dc:Subject=", "-XMP-lr:HierarchicalSubject=", "-XMP-digiKam:TagsList=",
                 "-XMP-microsoft:LastKeywordXMP=", "-XMP-xmp:Rating=", side)  # fmt: skip
        assert one(sync(client, path)).state == "taken"
        client.add([tree], wait=True)
        work = work_of(client, path)
        assert "user_tags" not in work and "user_rating" not in work and work["user_title"] == "New"


def test_a_side_file_that_is_none_is_left_alone(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.jpg": PHOTO, "a.jpg.xmp": b"<x:xmpmeta>broken", "b.jpg": PHOTO})
    os.symlink("/etc/passwd", tree / "b.jpg.xmp")
    with daemon.client() as client:
        client.add([tree], wait=True)
        client.run(workcalls.tag([tree / "a.jpg", tree / "b.jpg"], add=["x"]))
        found = sync(client, tree / "a.jpg", tree / "b.jpg", tree / "none.jpg")
        problems = [each.problem for each in found.files]
        assert [each.code for each in problems if each] == ["corrupt", "not_found", "not_found"]
        assert problems[0] is not None and problems[0].input == os.fsencode(tree / "a.jpg.xmp")
    assert (tree / "a.jpg.xmp").read_bytes() == b"<x:xmpmeta>broken" and (tree / "b.jpg.xmp").is_symlink()
    assert sorted(p.name for p in tree.iterdir()) == ["a.jpg", "a.jpg.xmp", "b.jpg", "b.jpg.xmp"]


@needs_exiftool
def test_a_side_file_is_renamed_with_its_file(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.jpg": PHOTO})
    with daemon.client() as client:
        client.add([tree], wait=True)
        client.run(workcalls.tag([tree / "a.jpg"], add=["one", "two"]))
        sync(client, tree / "a.jpg")
        (tree / "a.jpg").rename(tree / "b.jpg")
        (tree / "a.jpg.xmp").rename(tree / "b.jpg.xmp")
        client.add([tree], wait=True)
        client.run(workcalls.tag([tree / "b.jpg"], remove=["one"]))
        assert one(sync(client, tree / "b.jpg")).state == "updated"
        assert as_list(xmp(tree / "b.jpg.xmp")["Subject"]) == ["two"], "what was taken away stays away"
        assert not events_of(daemon)
        # A file beside it that is no picture does not take its side file in the short style.
        (tree / "b.jpg.xmp").rename(tree / "b.xmp")
        write_tree(tree, {"b.txt": b"x", "b.c.jpg": PHOTO})
        client.add([tree], wait=True)
        client.run(workcalls.tag([tree / "b.jpg"], add=["three"]))
        assert Path(os.fsdecode(one(sync(client, tree / "b.jpg")).side)) == tree / "b.xmp"


@needs_exiftool
def test_of_files_with_one_stem_the_raw_one_has_the_short_side_file(daemon: Daemon) -> None:
    raw = next(Path(__file__).parent.parent.glob("data/image/*.nef"), None) or next(
        Path(__file__).parent.parent.glob("data/image/*.cr2"), None
    )
    name = f"a{raw.suffix}" if raw else "a.dng"
    content = raw.read_bytes() if raw else PHOTO
    tree = write_tree(daemon.folder / "tree", {"a.jpg": PHOTO, name: content, "a.xmp": FOREIGN.encode()})
    with daemon.client() as client:
        client.add([tree], wait=True)
        client.run(workcalls.tag([tree / "a.jpg", tree / name], add=["x"]))
        found = sync(client, tree / "a.jpg", tree / name)
        assert [Path(os.fsdecode(each.side)).name for each in found.files] == ["a.jpg.xmp", "a.xmp"]


# ------------------------------------------------------------------ by itself


@needs_exiftool
def test_both_sides_follow_each_other(syncing: Daemon) -> None:
    tree = write_tree(syncing.folder / "tree", {"a.jpg": PHOTO})
    path, side = tree / "a.jpg", tree / "a.jpg.xmp"
    with syncing.client() as client:
        client.add([tree], wait=True)
        client.run(workcalls.tag([path], add=["one", "two"]))
        client.run(workcalls.rate([path], 2))
        assert wait_for(side.exists), syncing.text()
        quiet(syncing)
        assert as_list(xmp(side)["Subject"]) == ["one", "two"]
        assert not events_of(syncing), "our own writing is nobody's news"
        exiftool("-overwrite_original", "-XMP-dc:Subject-=one", "-XMP-lr:HierarchicalSubject-=one",
                 "-XMP-digiKam:TagsList-=one", "-XMP-dc:Subject+=three", "-XMP-xmp:Rating=5", "-XMP-dc:Title=Said",
                 side)  # fmt: skip
        assert wait_for(lambda: len(events_of(syncing)) == 4), syncing.text()
        quiet(syncing)
        work = work_of(client, path)
        assert (set(work["user_tags"]), work["user_rating"], work["user_title"]) == ({"two", "three"}, 5, "Said")
        assert {(action, value.get("tag")) for action, value in events_of(syncing, "tagged", "untagged")} == {
            ("untagged", "one"), ("tagged", "three"),
        }  # fmt: skip
        history = client.run(workcalls.history([path]))[0]
        assert {each.actor for each in history.changes} >= {"xmp"}
        # What the side file said is taken back: it follows.
        operation = rows(syncing, "SELECT op_id FROM mediadb.event WHERE actor = 'xmp' ORDER BY seq DESC LIMIT 1")
        client.run(workcalls.undo(uuid.UUID(str(operation[0][0]))))
        assert wait_for(lambda: set(as_list(xmp(side).get("Subject", []))) == {"one", "two"}), xmp(side)
        quiet(syncing)
        assert (xmp(side)["Rating"], "Title" in xmp(side)) == (2, False)
        check_valid(side)
        # Whoever takes the side file away has said nothing of the tags: it is made again when there is more to say.
        side.unlink()
        quiet(syncing, 1.0)
        assert set(work_of(client, path)["user_tags"]) == {"one", "two"}
        client.run(workcalls.tag([path], add=["four"]))
        assert wait_for(side.exists)
        quiet(syncing, 1.0)
        assert set(as_list(xmp(side)["Subject"])) == {"one", "two", "four"}
    check_events(syncing)


@needs_exiftool
def test_of_two_values_the_later_wins_and_the_other_is_told(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.jpg": PHOTO})
    path, side = tree / "a.jpg", tree / "a.jpg.xmp"
    with daemon.client() as client, Client(str(daemon.socket), actor="anna") as anna:
        client.add([tree], wait=True)
        anna.run(workcalls.rate([path], 1))
        sync(client, path)
        exiftool("-overwrite_original", "-XMP-xmp:Rating=2", side)
        time.sleep(0.05)
        anna.run(workcalls.rate([path], 4))  # later
        done = one(sync(client, path))
        assert [(c.way, c.field, c.was, c.now) for c in done.changes] == [
            ("written", "rating", "2", "4"), ("lost", "rating", "2", "4"),
        ]  # fmt: skip
        assert xmp(side)["Rating"] == 4
        assert events_of(daemon) == [("conflict", {"field": "rating", "kept": 4, "lost": 2})]
        anna.run(workcalls.rate([path], 3))
        time.sleep(0.05)
        exiftool("-overwrite_original", "-XMP-xmp:Rating=5", side)  # later
        assert [(c.way, c.field, c.was, c.now) for c in one(sync(client, path)).changes] == [
            ("taken", "rating", "3", "5")
        ]
        assert events_of(daemon, "rated") == [("rated", {"rating": 5, "was": 3, "whose": "anna"})]
        assert work_of(anna, path)["user_rating"] == 5, "it is hers"
        assert xmp(side)["Rating"] == 5


@needs_exiftool
def test_each_name_has_its_side_file(syncing: Daemon) -> None:
    tree = write_tree(syncing.folder / "tree", {"one/a.jpg": PHOTO, "two/b.jpg": PHOTO})
    os.makedirs(tree / "three")
    os.link(tree / "one/a.jpg", tree / "three/c.jpg")
    sides = [tree / "one/a.jpg.xmp", tree / "two/b.jpg.xmp", tree / "three/c.jpg.xmp"]
    with syncing.client() as client:
        client.add([tree], wait=True)
        client.run(workcalls.tag([tree / "one/a.jpg"], add=["shared"]))
        # The two copies are one item once their checksums are known.
        assert wait_for(lambda: all(side.exists() for side in sides), 30.0), syncing.text()
        quiet(syncing)
        exiftool("-overwrite_original", "-XMP-dc:Subject+=more", sides[1])
        assert wait_for(lambda: all("more" in as_list(xmp(side)["Subject"]) for side in sides), 30.0), syncing.text()
        quiet(syncing)
        assert [value["tag"] for _action, value in events_of(syncing)] == ["more"]


def test_roots_have_settings_of_their_own() -> None:
    top = pg.make_folder()
    daemon = Daemon(config=f'sidecar_seconds = 0.2\n[roots."{top}/tree/yes"]\nsidecars = "sync"\n')
    try:
        daemon.start()
        tree = write_tree(top / "tree", {"yes/a.jpg": PHOTO, "no/b.jpg": PHOTO + b"1"})
        with daemon.client() as client:
            client.add([tree], wait=True)
            client.run(workcalls.tag([tree / "yes/a.jpg", tree / "no/b.jpg"], add=["x"]))
            assert wait_for((tree / "yes/a.jpg.xmp").exists), daemon.text()
            quiet(daemon)
            assert not (tree / "no/b.jpg.xmp").exists()
    finally:
        daemon.remove()
        shutil.rmtree(top)


# ------------------------------------------------------------------ what goes wrong


@needs_exiftool
def test_a_daemon_that_dies_between_writing_and_noting_it(syncing: Daemon) -> None:
    import psycopg

    tree = write_tree(syncing.folder / "tree", {"a.jpg": PHOTO})
    path, side = tree / "a.jpg", tree / "a.jpg.xmp"
    with syncing.client() as client:
        client.add([tree], wait=True)
        client.run(workcalls.tag([path], add=["one", "two"]))
        assert wait_for(side.exists)
        quiet(syncing, 0.5)
        exiftool("-overwrite_original", "-XMP-dc:Subject+=theirs", "-XMP-dc:Subject-=two", side)
        assert wait_for(lambda: len(events_of(syncing)) == 2)
        quiet(syncing, 0.5)
        before = side.stat().st_ino
        assert syncing.dsn is not None
        with psycopg.connect(syncing.dsn) as held:
            held.execute("LOCK TABLE mediadb.side_sync IN SHARE MODE")  # what is agreed on cannot be noted
            client.run(workcalls.tag([path], add=["three"], remove=["one"]))
            assert wait_for(lambda: side.stat().st_ino != before), "the side file is written"
            syncing.kill()
    told = rows(syncing, "SELECT count(*) FROM mediadb.event WHERE action IN ('tagged', 'untagged')")
    syncing.start()
    quiet(syncing)
    assert rows(syncing, "SELECT count(*) FROM mediadb.event WHERE action IN ('tagged', 'untagged')") == told
    with syncing.client() as client:
        assert set(work_of(client, path)["user_tags"]) == {"theirs", "three"}
    assert sorted(as_list(xmp(side)["Subject"])) == ["theirs", "three"]
    check_valid(side)
    assert sorted(p.name for p in tree.iterdir()) == ["a.jpg", "a.jpg.xmp"]
    [state] = rows(syncing, "SELECT state -> 'tags' FROM mediadb.side_sync")[0]
    assert sorted(state) == ["theirs", "three"]


def test_what_a_killed_mover_left_goes_with_the_next(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.jpg": PHOTO, ".mediad-edit-0123456789abcdef": b"half"})
    with daemon.client() as client:
        client.add([tree], wait=True)
        client.run(workcalls.tag([tree / "a.jpg"], add=["x"]))
        sync(client, tree / "a.jpg")
    assert sorted(p.name for p in tree.iterdir()) == ["a.jpg", "a.jpg.xmp"]


@needs_root
@pytest.mark.parametrize("why", ["read-only", "full"])
def test_a_folder_that_takes_nothing(syncing: Daemon, why: str) -> None:
    tree = syncing.folder / "tree"
    tree.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "none", tree], check=False)
    if mounted.returncode:
        pytest.skip("mount is not allowed here")
    try:
        write_tree(tree, {"a.jpg": PHOTO, "a.jpg.xmp": FOREIGN.encode()})
        with syncing.client() as client:
            client.add([tree], wait=True)
            quiet(syncing, 0.5)
            before = (tree / "a.jpg.xmp").read_bytes()
            if why == "full":
                rest = os.open(tree / "rest", os.O_WRONLY | os.O_CREAT)
                with pytest.raises(OSError, match="No space"):
                    while True:
                        os.write(rest, b"x" * 4096)
                os.close(rest)
                client.add([tree], wait=True)
            else:
                subprocess.run(["mount", "-o", "remount,ro", tree], check=True)
            client.run(workcalls.tag([tree / "a.jpg"], add=["new"]))
            problem = one(sync(client, tree / "a.jpg")).problem
            assert problem is not None and problem.input == os.fsencode(tree / "a.jpg.xmp")
            assert problem.code == ("disk_full" if why == "full" else "permission_denied")
            assert (tree / "a.jpg.xmp").read_bytes() == before
            assert not [p for p in tree.iterdir() if p.name.startswith(".mediad")]
            assert wait_for(lambda: any("side files" in note for note in client.status().notes)), "status says so"
            waiting = one(client.run(workcalls.sync_sidecars()))
            assert waiting.state == "failed" and waiting.problem is not None
            if why == "full":
                (tree / "rest").unlink()
            else:
                subprocess.run(["mount", "-o", "remount,rw", tree], check=True)
            assert one(sync(client, tree / "a.jpg")).state == "updated"
            assert b"new" in (tree / "a.jpg.xmp").read_bytes()
    finally:
        subprocess.run(["umount", "-l", tree], check=True)


@needs_exiftool
def test_each_daemon_writes_its_own_roots() -> None:
    dsn = pg.fresh_database()
    pair = Daemon(dsn=dsn, config=SYNC), Daemon(dsn=dsn, config=SYNC)
    try:
        trees = [write_tree(each.folder / "tree", {"a.jpg": PHOTO}) for each in pair]
        sides = [tree / "a.jpg.xmp" for tree in trees]
        for daemon, tree in zip(pair, trees, strict=True):
            daemon.start()
            with daemon.client() as client:
                client.add([tree], wait=True)
        with pair[0].client() as client:
            client.run(workcalls.tag([trees[0] / "a.jpg"], add=["one"]))
        for daemon, tree in zip(pair, trees, strict=True):
            with daemon.client() as client:
                client.checksum(tree / "a.jpg", scopes=("stream",))
        assert wait_for(lambda: all(side.exists() for side in sides), 20.0), pair[1].text()
        exiftool("-overwrite_original", "-XMP-dc:Subject+=two", sides[1])
        assert wait_for(lambda: "two" in as_list(xmp(sides[0])["Subject"]), 20.0), pair[0].text()
        quiet(pair[0])
        assert [value["tag"] for _action, value in events_of(pair[0])] == ["two"]
        owners = rows(pair[0], "SELECT count(DISTINCT file) FROM mediadb.side_sync")
        assert owners == [(2,)]
    finally:
        for daemon in pair:
            daemon.remove()


# ------------------------------------------------------------------ the command line


@needs_exiftool
def test_the_command_line(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.jpg": PHOTO})

    def mediactl(*words: str | Path) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), *map(str, words)]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)

    with daemon.client() as client:
        client.add([tree], wait=True)
        client.run(workcalls.tag([tree / "a.jpg"], add=["sea"]))
    assert mediactl("sidecars", "sync").returncode == 2
    assert mediactl("sidecars", "sync", "--all", tree / "a.jpg").returncode == 2
    dry = mediactl("sidecars", "sync", "--all", "--dry-run")
    assert (dry.returncode, dry.stdout.splitlines()) == (0, [
        f"created  {tree}/a.jpg.xmp", "    tag +sea  (written)", "1 file: 1 side file would be written",
    ])  # fmt: skip
    done = json.loads(mediactl("--format", "json", "sidecars", "sync", tree / "a.jpg").stdout)
    [told] = done["files"]
    assert (told["state"], told["side_path"], told["changes"]) == ("created", f"{tree}/a.jpg.xmp", [
        {"way": "written", "field": "tag", "was": "", "now": "sea"}])  # fmt: skip
    assert mediactl("sidecars").stdout == "nothing waits\n"
    wrong = mediactl("sidecars", "sync", tree / "a.jpg.xmp")
    assert wrong.returncode == 1
