"""What a person made stays with the payload: renames, moves over file systems, edits in place, copies, returns."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from mutagen.flac import FLAC

from mediactl import Client, workcalls
from mediad.index.work import Action, By, Work
from mediad.store.database import Database
from mediad.store.queries import load
from mediad.store.store import Store
from tests import pg
from tests.daemon import Daemon, write_tree
from tests.daemon.records import DATA, SONG, entry, rows, wait_for


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon for which the small samples are large enough to be shared."""
    running = Daemon(config="shared_least = 1000\n")
    try:
        yield running.start()
    finally:
        running.remove()


def item_of(client: Client, path: Path) -> Any:
    result = client.get(path)[0]
    assert result.item is not None, result.problem
    return result.item


def tagged(client: Client, path: Path) -> uuid.UUID:
    """The item at a path, with a tag, a rating, a star, a play and a field of a person's."""
    client.run(workcalls.tag([path], add=["holiday"]))
    client.run(workcalls.rate([path], 4))
    client.run(workcalls.star([path]))
    client.run(workcalls.play([path]))
    client.run(workcalls.set_fields([path], {"account": "shop@example.org"}))
    found = item_of(client, path)
    assert has_work(found), dict(found.work)
    return found.id  # type: ignore[no-any-return]


def has_work(item: Any) -> bool:
    work = item.work
    return bool(
        "holiday" in work.get("user_tags", ()) and work.get("user_rating") == 4 and work.get("starred")
        and work.get("play_count") == 1 and work.get("account") == "shop@example.org"
    )  # fmt: skip


def flac(path: Path, **tags: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((DATA / "picard.flac").read_bytes())
    retag(path, **tags)
    return path


def retag(path: Path, **tags: str) -> None:
    tagged_file = FLAC(path)
    tagged_file.delete()
    tagged_file.update(tags)
    tagged_file.save()


def test_renamed_within_and_over_folders(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a/one.mp3": SONG, "b/x.txt": b"x" * 9000})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "a/one.mp3")
        (tree / "a/one.mp3").rename(tree / "b/two.mp3")
        assert client.add([tree]).files_moved == 1
        assert item_of(client, tree / "b/two.mp3").id == item
        assert has_work(item_of(client, tree / "b/two.mp3"))
        (tree / "b").rename(tree / "c")
        result = client.add([tree])
        assert (result.files_new, result.files_missing, result.files_read) == (0, 0, 0)
        assert item_of(client, tree / "c/two.mp3").id == item
        assert [found.id for found in client.query("c two")] == [item], "found by its new folder"
        assert [found.id for found in client.query("tag:holiday")] == [item]
    moved = rows(daemon, "SELECT target_kind, value FROM mediadb.event WHERE action = 'moved' ORDER BY seq")
    assert [row[0] for row in moved] == ["stream", "folder"]
    assert moved[1][1] == {"from": str(tree / "b"), "to": str(tree / "c")}


def test_folders_renamed_into_a_new_one(daemon: Daemon) -> None:
    """One of them stands where another folder was, which is known under its new name."""
    tree = write_tree(daemon.folder / "tree", {"c/one.mp3": SONG, "d/x.txt": b"x" * 9000})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "c/one.mp3")
        daemon.stop()
        (tree / "d").rename(tree / "b")
        (tree / "d").mkdir()
        (tree / "c").rename(tree / "d/e")
    daemon.start()
    with daemon.client() as client:
        result = client.add([tree])
        assert (result.problem_count, result.files_new, result.files_missing) == (0, 0, 0)
        found = item_of(client, tree / "d/e/one.mp3")
        assert found.id == item and has_work(found)
    moved = rows(daemon, "SELECT count(*) FROM mediadb.event WHERE action = 'moved' AND target_kind = 'folder'")
    assert moved == [(2,)]


def test_moved_to_another_file_system_while_nobody_looked(daemon: Daemon) -> None:
    """New name, new tags, new place at once: only the payload is the same."""
    tree = daemon.folder / "tree"
    flac(tree / "one.flac", title="One", artist="A")
    other = Path("/dev/shm") / f"mediadb-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    other.mkdir()
    try:
        with daemon.client() as client:
            client.add([tree])
            client.add([other])
            item = tagged(client, tree / "one.flac")
            shutil.copyfile(tree / "one.flac", other / "renamed.flac")
            (tree / "one.flac").unlink()
            retag(other / "renamed.flac", title="Another", artist="B", comment="x" * 3000)
            client.add([tree])
            client.add([other])
            found = item_of(client, other / "renamed.flac")
            assert found.id == item and has_work(found)
            assert [each.path for each in found.files] == [os.fsencode(other / "renamed.flac")]
            # and back, the new name first
            shutil.copyfile(other / "renamed.flac", tree / "back.flac")
            client.add([tree])
            (other / "renamed.flac").unlink()
            client.add([other])
            found = item_of(client, tree / "back.flac")
            assert found.id == item and has_work(found)
            history = client.run(workcalls.history([item]))[0]
            assert {each.path for each in history.revisions} >= {os.fsencode(tree / "one.flac")}
    finally:
        shutil.rmtree(other)


def test_retagged(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    path = flac(tree / "one.flac", title="One", comment="before")
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, path)
        retag(path, title="Two", comment="x" * 9000)
        client.add([tree])
        found = item_of(client, path)
        assert found.id == item and has_work(found) and found.title == "Two"
    changed = rows(daemon, "SELECT value FROM mediadb.event WHERE action = 'changed'")
    assert len(changed) == 1 and "title" in changed[0][0]["fields"]


def test_a_document_edited_in_place(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"first words " * 500})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "a.txt")
        collected = client.run(workcalls.collect("papers", "add", [tree / "a.txt"]))
        assert collected.collection.entries == [item]
        # saved as programs do: a temporary, renamed over
        (tree / ".a.txt.tmp").write_bytes(b"second words " * 600)
        client.add([tree])
        (tree / ".a.txt.tmp").rename(tree / "a.txt")
        client.add([tree])
        found = item_of(client, tree / "a.txt")
        assert found.id != item and has_work(found)
        old = client.get(item)[0].item
        assert old is not None and old.successor == found.id
        [papers] = client.run(workcalls.collections(name="papers", entries=True))
        assert papers.entries == [found.id], "the collection shows what came of it"
        history = client.run(workcalls.history([tree / "a.txt"]))[0]
        assert [(each.old, each.new, each.state) for each in history.lineage] == [(item, found.id, "accepted")]
        # the old text comes back elsewhere: it is what it was
        (tree / "old.txt").write_bytes(b"first words " * 500)
        client.add([tree])
        assert item_of(client, tree / "old.txt").id == item


def test_another_song_at_the_same_path(daemon: Daemon) -> None:
    """Work is offered, not inherited, when something says that it is another recording."""
    tree = write_tree(daemon.folder / "tree", {"a.mp3": (DATA / "id3v23-multi.mp3").read_bytes()})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "a.mp3")
        (tree / "a.mp3").write_bytes((DATA / "id3v22.mp3").read_bytes())
        client.add([tree])
        found = item_of(client, tree / "a.mp3")
        assert found.id != item and not found.work.get("starred")
        history = client.run(workcalls.history([found.id]))[0]
        assert [(each.old, each.state) for each in history.lineage] == [(item, "offered")]


def test_nothing_hangs_on_it(daemon: Daemon) -> None:
    """A log that grows keeps its item: nobody did anything with what stood there before."""
    tree = write_tree(daemon.folder / "tree", {"log.txt": b"line\n" * 2000})
    with daemon.client() as client:
        client.add([tree])
        item = item_of(client, tree / "log.txt").id
        for number in range(3):
            with open(tree / "log.txt", "ab") as log:
                log.write(b"more %d\n" % number)
            client.add([tree])
        assert item_of(client, tree / "log.txt").id == item
    assert rows(daemon, "SELECT count(*) FROM mediadb.stream") == [(1,)]
    assert rows(daemon, "SELECT count(*) FROM mediadb.stream_key WHERE grade = 1") == [(1,)]


def test_a_copy_shares_work_when_it_is_certain(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    path = flac(tree / "one.flac", title="One")
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, path)
        shutil.copyfile(path, tree / "copy.flac")
        retag(tree / "copy.flac", title="Copy", comment="y" * 5000)
        client.add([tree])
        assert wait_for(lambda: item_of(client, tree / "copy.flac").id == item, 20), "its checksum was never asked for"
        found = item_of(client, tree / "copy.flac")
        assert has_work(found) and len(found.files) == 2
    assert rows(daemon, "SELECT count(*) FROM mediadb.event WHERE action = 'merged'") == [(1,)]


def test_an_id_is_valid_for_ever(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    path = flac(tree / "one.flac", title="One")
    with daemon.client() as client:
        client.add([tree])
        tagged(client, path)
        shutil.copyfile(path, tree / "copy.flac")
        client.add([tree], wait=False)
        first = item_of(client, tree / "copy.flac").id
        assert wait_for(lambda: item_of(client, tree / "copy.flac").id == item_of(client, path).id, 20)
        result = client.get(first)[0]
        assert result.item is not None and result.item.id == item_of(client, path).id


def test_hard_links_share_one_item(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "a.mp3")
        os.link(tree / "a.mp3", tree / "b.mp3")
        client.add([tree])
        assert item_of(client, tree / "b.mp3").id == item
        (tree / "a.mp3").unlink()
        client.add([tree])
        found = item_of(client, tree / "b.mp3")
        assert found.id == item and has_work(found)


def test_a_song_moved_over_another(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    one = flac(tree / "one.flac", title="One")
    (tree / "two.mp3").write_bytes(SONG)
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "two.mp3")
        other = item_of(client, one).id
        (tree / "two.mp3").rename(one)
        client.add([tree])
        found = item_of(client, one)
        assert found.id == item and has_work(found)
        history = client.run(workcalls.history([other]))[0]
        assert [(each.path, each.why) for each in history.revisions] == [(os.fsencode(one), "replaced")]


def test_small_files_are_their_own(daemon: Daemon) -> None:
    """Two folders have the same little cover: a tag on one is not on the other."""
    tree = write_tree(daemon.folder / "tree", {"a/note.txt": b"hello", "b/note.txt": b"hello"})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "a/note.txt")
        time.sleep(0.5)
        other = item_of(client, tree / "b/note.txt")
        assert other.id != item and not other.work
        # moved it is still known: by inode, or by name where that cannot be
        (tree / "a/note.txt").rename(tree / "note2.txt")
        client.add([tree])
        assert item_of(client, tree / "note2.txt").id == item


def test_small_files_with_work_on_both(daemon: Daemon) -> None:
    """Their checksums are known and equal; they are two all the same."""
    tree = write_tree(daemon.folder / "tree", {"a/note.txt": b"hello", "b/note.txt": b"hello"})
    with daemon.client() as client:
        client.add([tree])
        one, two = tagged(client, tree / "a/note.txt"), tagged(client, tree / "b/note.txt")
        assert wait_for(lambda: rows(daemon, "SELECT count(*) FROM mediadb.stream_key WHERE grade = 3") == [(2,)])
        assert wait_for(lambda: rows(daemon, "SELECT count(*) FROM mediadb.doubt") == [(0,)])
        assert one != two
        assert (item_of(client, tree / "a/note.txt").id, item_of(client, tree / "b/note.txt").id) == (one, two)


def test_copies_that_were_there_before(daemon: Daemon) -> None:
    """Work on one of two equal files is on both, though nobody did anything when the second one came."""
    tree = daemon.folder / "tree"
    path = flac(tree / "one.flac", title="One")
    with daemon.client() as client:
        client.add([tree])
        shutil.copyfile(path, tree / "copy.flac")
        client.add([tree])
        assert item_of(client, tree / "copy.flac").id != item_of(client, path).id
        item = tagged(client, path)
        assert wait_for(lambda: item_of(client, tree / "copy.flac").id == item_of(client, path).id)
        assert client.get(item)[0].item is not None
        assert has_work(item_of(client, tree / "copy.flac"))


def test_the_log_of_work_lies_in_plain_sight(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "a.mp3")
        [log] = list((daemon.data / "work").iterdir())
        assert wait_for(lambda: len(log.read_text().splitlines()) == 6)
        head, *lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert head["mediadb"] == "work/1"
        assert [line["action"] for line in lines] == ["tagged", "rated", "starred", "played", "set"]
        for line in lines:
            assert line["target"] == str(item)
            assert line["paths"] == [str(tree / "a.mp3")]
            assert any(key[0] == "fingerprint" for key in line["keys"])
        # a daemon that dies before it is written writes it at the next start, once
        client.close()
    daemon.kill()
    with open(log, "rb+") as file:
        file.truncate(len(log.read_bytes()) - 40)
    daemon.start()
    assert wait_for(lambda: len(log.read_text().splitlines()) == 6)
    assert [json.loads(line)["action"] for line in log.read_text().splitlines()[1:]] == [
        "tagged", "rated", "starred", "played", "set",
    ]  # fmt: skip


def test_the_log_says_where_work_went(daemon: Daemon) -> None:
    """What was inherited is in the log at once, not at the next thing that a person does."""
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"first words " * 500})
    with daemon.client() as client:
        client.add([tree])
        tagged(client, tree / "a.txt")
        (tree / "a.txt").write_bytes(b"second words " * 600)
        client.add([tree])
        [log] = list((daemon.data / "work").iterdir())
        actions = ["tagged", "rated", "starred", "played", "set", "succeeded", "inherited"]
        assert wait_for(lambda: [json.loads(line)["action"] for line in log.read_text().splitlines()[1:]] == actions)


def test_the_state_of_entries(daemon: Daemon) -> None:
    """A name that moved away is not a missing file of the item."""
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    with daemon.client() as client:
        client.add([tree])
        (tree / "a.mp3").rename(tree / "b.mp3")
        client.add([tree])
        assert entry(client, tree / "b.mp3").state == "read"
        assert client.status().missing == 0


def test_a_checksum_of_what_nobody_has_read_yet(daemon: Daemon) -> None:
    """The file was written to a moment ago: its checksum says nothing of the item that the store still has there."""
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"first words " * 500, "b.txt": b"second words " * 500})
    with daemon.client() as client:
        client.add([tree], once=True)  # not watched: the daemon learns of nothing before it is told to look
        one, two = tagged(client, tree / "a.txt"), tagged(client, tree / "b.txt")
        assert wait_for(lambda: rows(daemon, "SELECT count(*) FROM mediadb.doubt") == [(0,)])
        with open(tree / "a.txt", "rb+") as file:
            file.write(b"second words " * 500)
        client.checksum(tree / "a.txt", scopes=["stream"])
        assert [item_of(client, tree / name).id for name in ("a.txt", "b.txt")] == [one, two]
        client.add([tree], once=True)
        assert wait_for(lambda: item_of(client, tree / "a.txt").id == item_of(client, tree / "b.txt").id)
        assert client.run(workcalls.history([one]))[0].item == one, "the first words are an item of their own"


def test_formats_without_a_stream_of_their_own(daemon: Daemon) -> None:
    """All of the file is the payload: copies share work, are found as duplicates, and are well."""
    tree = write_tree(daemon.folder / "tree", {"a.blend": b"some bytes " * 500})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "a.blend")
        shutil.copyfile(tree / "a.blend", tree / "b.blend")
        client.add([tree])
        assert wait_for(lambda: item_of(client, tree / "b.blend").id == item)
        assert [len(group.files) for group in client.run(workcalls.duplicates())] == [2]
        verified = client.run(workcalls.verify())
        assert (verified.first + verified.ok, verified.unreadable) == (2, 0)


def test_names_that_change_places(daemon: Daemon) -> None:
    """Two songs swap their names, three pass theirs on: each is where its payload is."""
    tree = write_tree(daemon.folder / "tree", {f"{n}.txt": b"%d words " % n * 500 for n in range(5)})
    with daemon.client() as client:
        client.add([tree], once=True)
        items = [tagged(client, tree / f"{n}.txt") for n in range(5)]
        for old, new in ((0, 9), (1, 0), (9, 1), (2, 9), (3, 2), (4, 3), (9, 4)):
            (tree / f"{old}.txt").rename(tree / f"{new}.txt")
        assert client.add([tree], once=True).files_moved == 5
        assert [item_of(client, tree / f"{n}.txt").id for n in (1, 0, 4, 2, 3)] == items
        assert all(has_work(item_of(client, tree / f"{n}.txt")) for n in range(5))
        (tree / "4.txt").rename(tree / "5.txt")
        (tree / "3.txt").rename(tree / "4.txt")
        client.add([tree], once=True)
        assert [item_of(client, tree / f"{n}.txt").id for n in (1, 0, 5, 2, 4)] == items
        assert client.status().files == 5


def test_saved_with_a_copy_of_what_was_there(daemon: Daemon) -> None:
    """What a person did with the old text is with its copy, though its checksum was not known when it was replaced."""
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"first words " * 500})
    with daemon.client() as client:
        client.add([tree], once=True)
        item = tagged(client, tree / "a.txt")
        assert wait_for(lambda: rows(daemon, "SELECT count(*) FROM mediadb.doubt") == [(0,)])
        rows(daemon, "DELETE FROM mediadb.stream_key WHERE grade = 3 RETURNING 1")
        (tree / "b").mkdir()
        shutil.copyfile(tree / "a.txt", tree / "b/a.txt~")
        (tree / "a.txt").write_bytes(b"second words " * 600)
        client.add([tree], once=True)
        assert wait_for(lambda: item_of(client, tree / "b/a.txt~").id == item)
        assert has_work(item_of(client, tree / "b/a.txt~")) and has_work(item_of(client, tree / "a.txt"))


def test_renamed_and_linked_at_once(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    with daemon.client() as client:
        client.add([tree], once=True)
        item = tagged(client, tree / "a.mp3")
        (tree / "a.mp3").rename(tree / "b.mp3")
        os.link(tree / "b.mp3", tree / "c.mp3")
        client.add([tree], once=True)
        assert [item_of(client, tree / name).id for name in ("b.mp3", "c.mp3")] == [item, item]


def test_copied_twice_and_removed(daemon: Daemon) -> None:
    """Its checksum was never known; the copies have what a person did."""
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"first words " * 500})
    with daemon.client() as client:
        client.add([tree], once=True)
        item = tagged(client, tree / "a.txt")
        assert wait_for(lambda: rows(daemon, "SELECT count(*) FROM mediadb.doubt") == [(0,)])
        rows(daemon, "DELETE FROM mediadb.stream_key WHERE grade = 3 RETURNING 1")
        for name in ("b.txt", "c.txt"):
            shutil.copyfile(tree / "a.txt", tree / name)
        (tree / "a.txt").unlink()
        client.add([tree], once=True)
        for name in ("b.txt", "c.txt"):
            assert wait_for(lambda name=name: item_of(client, tree / name).id == item)


def test_a_copy_over_another_song(daemon: Daemon) -> None:
    """What stands there now is another recording, and a copy of one that a person did something with."""
    tree = write_tree(daemon.folder / "tree", {"a.mp3": (DATA / "id3v23-multi.mp3").read_bytes(), "b.mp3": SONG})
    with daemon.client() as client:
        client.add([tree])
        old, item = tagged(client, tree / "a.mp3"), tagged(client, tree / "b.mp3")
        shutil.copyfile(tree / "b.mp3", tree / "a.mp3")
        client.add([tree])
        assert wait_for(lambda: item_of(client, tree / "a.mp3").id == item)
        assert client.get(old)[0].item is not None


def test_linked_and_written_with_its_old_times(daemon: Daemon) -> None:
    """The new name has inode, size and mtime of a known file, and another payload."""
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"first words " * 500})
    with daemon.client() as client:
        client.add([tree], once=True)
        item = tagged(client, tree / "a.txt")
        before = os.stat(tree / "a.txt")
        os.link(tree / "a.txt", tree / "b.txt")
        with open(tree / "b.txt", "rb+") as file:
            file.write(b"other words " * 500)
        os.utime(tree / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
        client.add([tree], once=True)
        assert wait_for(lambda: item_of(client, tree / "a.txt").id == item_of(client, tree / "b.txt").id)
        assert item_of(client, tree / "a.txt").id != item
        write_tree(tree, {"c.txt": b"first words " * 500})
        client.add([tree], once=True)
        assert item_of(client, tree / "c.txt").id == item


def test_a_link_where_a_file_was(daemon: Daemon) -> None:
    """Of another type it is another thing: nothing that was read of the file is said of the link."""
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    with daemon.client() as client:
        client.add([tree], once=True)
        item = tagged(client, tree / "a.mp3")
        (tree / "a.mp3").unlink()
        (tree / "a.mp3").symlink_to("nowhere")
        client.add([tree], once=True)
        found = item_of(client, tree / "a.mp3")
        assert found.id != item and found.title is None and not found.work
        assert [each.id for each in client.query("a.mp3")] == [found.id]
        (tree / "a.mp3").unlink()
        (tree / "a.mp3").write_bytes(SONG)
        client.add([tree], once=True)
        assert item_of(client, tree / "a.mp3").id == item


def test_away_before_it_was_read_again(daemon: Daemon) -> None:
    """It waited to be read when its folder went: it does so when that is back."""
    tree = write_tree(daemon.folder / "tree", {"d/a.txt": b"first words " * 500, "b.txt": b"b"})
    sizes = (
        "SELECT f.size, coalesce(r.size, 0) FROM mediadb.file f JOIN mediadb.reading r ON r.file = f.id WHERE name = %s"
    )
    with daemon.client() as client:
        client.add([tree])
        with open(tree / "d/a.txt", "ab", buffering=0) as file:
            file.write(b"more")
            # Its folder is looked at for another's sake while it is being written: it is seen now and read later. A
            # write alone would be told of only when it has come to rest, and then read at once.
            (tree / "d/c.txt").write_bytes(b"c")
            assert wait_for(lambda: rows(daemon, sizes, b"a.txt")[0][0] == 6004)
            assert rows(daemon, sizes, b"a.txt") == [(6004, 6000)]
            (tree / "d").rename(daemon.folder / "out")
            assert wait_for(lambda: client.status().missing == 2)
            assert rows(daemon, sizes, b"a.txt") == [(6004, 0)]
        (daemon.folder / "out").rename(tree / "d")
        assert wait_for(lambda: rows(daemon, sizes, b"a.txt") == [(6004, 6004)])


def test_a_link_that_was_saved_anew_before_it_was_read(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"x.txt": b"x"})
    with daemon.client() as client:
        client.add([tree])
        with open(tree / "a.txt", "wb", buffering=0) as one:
            one.write(b"first words " * 500)
            os.link(tree / "a.txt", tree / "b.txt")
            with open(tree / "b.txt", "ab", buffering=0) as two:
                two.write(b"more")
                assert wait_for(lambda: client.status().files == 3)  # both are being written: read a moment later
        assert rows(daemon, "SELECT count(DISTINCT stream), count(*) FROM mediadb.file") == [(2, 3)]
        write_tree(tree, {".b.tmp": b"second words " * 500})
        (tree / ".b.tmp").rename(tree / "b.txt")
        assert wait_for(lambda: client.status().pending == 0 and entry(client, tree / "b.txt").size == 6500)
        assert wait_for(lambda: item_of(client, tree / "a.txt").id != item_of(client, tree / "b.txt").id)
    keys = "SELECT count(*) FROM mediadb.stream_key WHERE grade = 1 GROUP BY stream HAVING count(*) > 1"
    assert rows(daemon, keys) == []


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("name", ["txt", "mp3"])
def test_work_on_one_of_two_equal_files(daemon: Daemon, name: str, known: bool) -> None:
    """They become one item while a person is at it, and nothing of what was done is lost: whether their checksums were
    computed for that, or known long before there was work."""
    content = SONG if name == "mp3" else b"first words " * 500
    one, two = f"a.{name}", f"b.{name}"
    tree = write_tree(daemon.folder / "tree", {one: content, two: content})
    with daemon.client() as client:
        client.add([tree], once=True)
        if known:
            client.checksum(tree / one, tree / two, scopes=["stream", "file"])
        before = item_of(client, tree / two).id
        assert item_of(client, tree / one).id != before
        tagged(client, tree / two)
        assert wait_for(lambda: item_of(client, tree / one).id == item_of(client, tree / two).id)
        assert has_work(item_of(client, tree / one))
        # whoever still has the old id means the item that it became
        client.run(workcalls.tag([before], add=["late"]))
        assert "late" in item_of(client, tree / one).work["user_tags"]


def test_what_was_asked_of_a_stream_before_it_was_merged(daemon: Daemon) -> None:
    """A request has found its item, and then that is merged into another: its work goes there."""
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b.mp3": SONG})
    with daemon.client() as client:
        client.add([tree], once=True)
        old = item_of(client, tree / "b.mp3").id
        client.run(workcalls.tag([tree / "b.mp3"], add=["x"]))
        assert wait_for(lambda: item_of(client, tree / "a.mp3").id == item_of(client, tree / "b.mp3").id)
        item = item_of(client, tree / "a.mp3").id
    [(gone, host, epoch)] = rows(daemon, "SELECT a.old, h.id, h.epoch FROM mediadb.stream_alias a, mediadb.host h")
    assert item != gone and old in (item, gone)
    actions = [Action("tag", "holiday"), Action("rate", number=4), Action("star", at_ns=1), Action("play", at_ns=1),
               Action("set", "account", "shop@example.org")]  # fmt: skip
    assert daemon.dsn is not None
    database = Database(daemon.dsn, load(files("mediad.sql") / "queries"))
    store = Store(database, host)
    store.epoch = epoch
    by = By("", uuid.uuid4())

    async def apply() -> None:
        for _ in range(2):  # sent twice, it is done once
            await Work(store).apply([str(gone), str(item)], actions, by)
        await Work(store).put_in("collection", "papers", [str(gone)], -1, By("", uuid.uuid4()))
        await database.close()

    pg.run(apply())
    with daemon.client() as client:
        found = item_of(client, tree / "a.mp3")
        assert found.id == item and has_work(found) and found.work["collections"] == ["papers"]
    told = "SELECT DISTINCT target FROM mediadb.event WHERE action IN ('rated', 'starred', 'played', 'set')"
    assert rows(daemon, told) == [(str(item),)]


def test_a_link_in_a_folder_that_was_renamed(daemon: Daemon) -> None:
    """A name returns in a folder that is not known, and its other name lies in one that was renamed: neither is taken
    for the other moved."""
    tree = write_tree(daemon.folder / "tree", {"k/a.txt": b"first words " * 500, "x.txt": b"x"})
    (tree / "d/f").mkdir(parents=True)
    os.link(tree / "k/a.txt", tree / "d/f/b.txt")
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "d/f/b.txt")
        (tree / "k").rename(daemon.folder / "out")
        assert wait_for(lambda: client.status().missing == 1)
    daemon.stop()
    (daemon.folder / "out").rename(tree / "aa")
    (tree / "d").rename(tree / "z")
    daemon.start()
    with daemon.client() as client:
        assert wait_for(lambda: client.status().files == 3)
        assert {item_of(client, tree / name).id for name in ("aa/a.txt", "z/f/b.txt")} == {item}
        assert has_work(item_of(client, tree / "z/f/b.txt"))
