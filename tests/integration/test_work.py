"""What people do: effective values, per actor and shared, questions about them, undo, collections, the feed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mutagen.flac import FLAC

from mediactl import Client, workcalls
from mediad.errors import Conflict, InvalidArgument, MediadError, NotFound
from mediad.index.work import KEPT
from mediad.index.workfold import fold_work
from mediadb_contract import mediadb_pb2 as pb
from tests import pg
from tests.daemon import Daemon, write_tree
from tests.daemon.records import DATA, SONG, check_events, rows, song, wait_for


def work_of(client: Client, path: Path) -> dict[str, Any]:
    item = client.get(path)[0].item
    assert item is not None
    return item.work


def ids(client: Client, text: str) -> set[uuid.UUID]:
    return {item.id for item in client.query(text)}


def check_tables(daemon: Daemon) -> None:
    """The tables say what the events amount to, for every stream."""
    events: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    alias = {str(old): str(new) for old, new in rows(daemon, "SELECT old, stream FROM mediadb.stream_alias")}
    sql = "SELECT target, actor, action, value FROM mediadb.event WHERE target_kind = 'stream' ORDER BY seq"
    for target, actor, action, value in rows(daemon, sql):
        if action in KEPT:
            events.setdefault(alias.get(target, target), []).append((actor, action, value))
    for stream, told in events.items():
        state = fold_work(told)
        tags = dict(rows(daemon, "SELECT tag, removed FROM mediadb.work_tag WHERE stream = %s", stream))
        fields = dict(rows(daemon, "SELECT name, value FROM mediadb.work_field WHERE stream = %s", stream))
        assert (tags, fields) == (state.tags, state.fields)
        own = rows(
            daemon,
            "SELECT actor, rating, starred_ns, plays, played_ns FROM mediadb.work_actor WHERE stream = %s",
            stream,
        )
        assert {row[0]: row[1:] for row in own} == {
            actor: (o.get("rating"), o.get("starred_ns"), o.get("plays", 0), o.get("played_ns"))
            for actor, o in state.actors.items()
        }


def test_tags_are_those_of_file_and_person(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    path = song(tree / "a.flac", title="One", genre="Rock")
    tagged = FLAC(path)
    tagged["keywords"] = ["embedded"]
    tagged.save()
    with daemon.client() as client:
        client.add([tree])
        embedded = work_of(client, path).get("user_tags", [])
        assert client.run(workcalls.tag([path], add=["mine", "  more   words "])).events == 2
        assert client.run(workcalls.tag([path], add=["mine"])).events == 0, "what is so already is no change"
        assert set(work_of(client, path)["user_tags"]) == {*embedded, "mine", "more words"}
        item = client.get(path)[0].item
        assert item is not None
        for text in ("tag:mine", 'tag:"more words"', "tag:MINE kind:audio", "mine", "one mine words", "flac mor"):
            assert ids(client, text) == {item.id}, text
        assert not ids(client, "-tag:mine")
        if embedded:
            client.run(workcalls.tag([path], remove=embedded))
            assert not ids(client, f"tag:{embedded[0]}")
            assert ids(client, f"keywords:{embedded[0]}") == {item.id}, "keywords: asks the file"
        client.run(workcalls.tag([], remove=["mine"], query="title:one"))
        assert not ids(client, "tag:mine")
    check_tables(daemon)
    check_events(daemon)


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3">
<dc:subject><rdf:Bag><rdf:li>lake</rdf:li><rdf:li>boat</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.mark.parametrize("name", ["song.mp3.xmp", "song.xmp", "song.XMP"])
def test_side_files_speak_for_what_they_are_beside(daemon: Daemon, name: str) -> None:
    tree = write_tree(daemon.folder / "tree", {"song.mp3": SONG, name: XMP, "song.other.txt": b"o", "other.txt": b"x"})
    with daemon.client() as client:
        client.add([tree])
        work = work_of(client, tree / "song.mp3")
        assert (work["user_tags"], work["user_rating"]) == (["lake", "boat"], 3)
        item = client.get(tree / "song.mp3")[0].item
        assert item is not None and item.id in ids(client, "tag:lake")
        assert not work_of(client, tree / "other.txt")
        client.run(workcalls.tag([tree / "song.mp3"], remove=["lake"]))
        assert work_of(client, tree / "song.mp3")["user_tags"] == ["boat"]
        assert item.id not in ids(client, "tag:lake")
        (tree / name).unlink()
        client.add([tree])
        assert "user_tags" not in work_of(client, tree / "song.mp3")


def test_ratings_stars_and_plays_are_each_persons_own(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b.txt": b"text"})
    with daemon.client() as client:
        client.add([tree])
        anna, ben = Client(str(daemon.socket), actor="anna"), Client(str(daemon.socket), actor="ben")
        with anna, ben:
            anna.run(workcalls.rate([tree / "a.mp3"], 5))
            ben.run(workcalls.rate([tree / "a.mp3"], 1.5))
            anna.run(workcalls.star([tree / "b.txt"]))
            anna.run(workcalls.play([tree / "a.mp3"], count=3))
            assert work_of(anna, tree / "a.mp3")["user_rating"] == 5
            assert work_of(ben, tree / "a.mp3")["user_rating"] == 1.5
            assert (len(ids(anna, "rating:>=4")), len(ids(ben, "rating:>=4"))) == (1, 0)
            assert (len(ids(anna, "starred:yes")), len(ids(ben, "starred:yes"))) == (1, 0)
            assert (len(ids(anna, "plays:>2")), len(ids(ben, "plays:>0"))) == (1, 0)
            anna.run(workcalls.tag([tree / "a.mp3"], add=["shared"]))
            assert ids(ben, "tag:shared")
            anna.run(workcalls.rate([tree / "a.mp3"], None))
            assert "user_rating" not in work_of(anna, tree / "a.mp3")
    check_tables(daemon)


def test_a_persons_word_goes_before_the_files(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    path = song(tree / "a.flac", title="Wrong", artist="X")
    with daemon.client() as client:
        client.add([tree])
        client.run(workcalls.set_fields([path], {"title": "Right Title", "purchase_date": "2020-01-02"}))
        item = client.get(path)[0].item
        assert item is not None and item.title == "Right Title" and item.work["user_purchase_date"] == "2020-01-02"
        assert ids(client, "title:right") == {item.id} and not ids(client, "title:wrong")
        assert ids(client, "user_purchase_date:2020") == {item.id}
        client.run(workcalls.set_fields([path], {"title": None}))
        assert ids(client, "title:wrong") == {item.id}


def test_bad_actions_name_what_is_wrong(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    with daemon.client() as client:
        client.add([tree])
        for call, word in (
            (workcalls.rate([tree / "a.mp3"], 6), "0 to 5"),
            (workcalls.tag([tree / "a.mp3"], add=["  "]), "one character"),
            (workcalls.tag([tree / "a.mp3"], add=["x" * 300]), "200"),
            (workcalls.set_fields([tree / "a.mp3"], {"no spaces": "x"}), "letters"),
            (workcalls.tag([], add=["x"]), "needed"),
        ):
            with pytest.raises(InvalidArgument, match=word):
                client.run(call)
        result = client.run(workcalls.tag([tree / "a.mp3", tree / "gone.mp3"], add=["x"]))
        assert (result.items, len(result.problems)) == (1, 1)


def test_undo_takes_back_what_was_done(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b.txt": b"text", "c.txt": b"other"})
    paths = [tree / name for name in ("a.mp3", "b.txt", "c.txt")]
    with daemon.client() as client:
        client.add([tree])
        before = [work_of(client, path) for path in paths]
        client.run(workcalls.tag([paths[0]], add=["kept"]))
        kept = [work_of(client, path) for path in paths]
        client.run(workcalls.tag(paths, add=["x"], remove=["kept"]))
        client.run(workcalls.rate(paths, 3))
        client.run(workcalls.star(paths))
        client.run(workcalls.play(paths, count=2))
        client.run(workcalls.set_fields(paths, {"account": "me"}))
        operations = client.run(workcalls.operations())
        assert [each.events for each in operations] == [3, 3, 3, 3, 4, 1]
        done = {each.id: each.summary for each in client.run(workcalls.operations())}
        (reply,) = client.call(pb.Request(operation=uuid.uuid4().bytes, undo=pb.UndoRequest(count=5)))
        taken = reply.undo.operations
        assert len(taken) == 5 and all(each.undone and each.command for each in taken)
        assert [each.summary for each in taken] == [done[uuid.UUID(bytes=each.id)] for each in taken]
        assert [work_of(client, path) for path in paths] == kept
        client.run(workcalls.undo())
        assert [work_of(client, path) for path in paths] == before
        with pytest.raises(NotFound):
            client.run(workcalls.undo())
        # what was taken back can be done again, by taking that back
        last = client.run(workcalls.operations(1))[0]
        client.run(workcalls.undo(last.id))
        assert [work_of(client, path) for path in paths] == kept
    check_tables(daemon)
    check_events(daemon)


def test_a_request_sent_twice_is_done_once(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG})
    with daemon.client() as client:
        client.add([tree])
        call = workcalls.play([tree / "a.mp3"])
        assert client.run(call).events == client.run(call).events == 1
        assert work_of(client, tree / "a.mp3")["play_count"] == 1


def test_changes_of_one_list_at_once_lose_nothing() -> None:
    """Two daemons on one store, six clients: each adds to the same list, some set and empty another."""
    dsn = pg.fresh_database()
    daemons = [Daemon(dsn=dsn), Daemon(dsn=dsn)]
    failed: list[MediadError] = []

    def change(daemon: Daemon, number: int, items: list[uuid.UUID]) -> None:
        try:
            with daemon.client() as client:
                for turn in range(10):
                    client.run(workcalls.collect("All", "add", [items[number]], kind="playlist"))
                    wanted = [] if turn % 3 == 2 else [items[number]] * (1 + turn)
                    client.run(workcalls.collect("Set", "set", wanted, kind="playlist"))
        except MediadError as error:  # the test fails with it, in its own thread
            failed.append(error)

    try:
        for each in daemons:
            each.start()
        tree = write_tree(daemons[0].folder / "tree", {f"{n}.txt": b"%d" % n for n in range(6)})
        with daemons[0].client() as client:
            client.add([tree])
            items = [client.get(tree / f"{n}.txt")[0].item.id for n in range(6)]  # type: ignore[union-attr]
            for name in ("All", "Set"):
                client.run(workcalls.collect(name, "set", [items[0]], kind="playlist"))
            clients = [threading.Thread(target=change, args=(daemons[n % 2], n, items)) for n in range(6)]
            for each in clients:
                each.start()
            for each in clients:
                each.join()
            assert not failed
            held = client.run(workcalls.collections(name="All", entries=True))[0].entries
            assert sorted(held) == sorted([items[0], *(each for each in items for _ in range(10))])
            places = "SELECT e.place FROM mediadb.collection_entry e JOIN mediadb.collection c ON c.id = e.collection"
            for name in ("All", "Set"):
                found = [place for (place,) in rows(daemons[0], f"{places} WHERE c.name = %s ORDER BY 1", name)]
                assert found == list(range(len(found))), name
            lines = client.run(workcalls.export())
            entries = {each.name: each.entries for each in client.run(workcalls.collections(entries=True))}
    finally:
        for each in daemons:
            each.remove()
    other = Daemon()
    try:  # and the events say the same
        other.start()
        with other.client() as client:
            client.run(workcalls.restore(lines))
            again = client.run(workcalls.collections(entries=True))
            assert {name: len(held) for name, held in entries.items()} == {each.name: each.size for each in again}
    finally:
        other.remove()


def test_a_damaged_line_of_a_backup_names_itself(daemon: Daemon) -> None:
    """Each value of each line made into what it cannot be: refused as invalid, or taken as what it may be; never a
    failure of the daemon."""
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b.txt": b"b"})
    with daemon.client() as client:
        client.add([tree])
        paths = [tree / "a.mp3", tree / "b.txt"]
        client.run(workcalls.tag(paths, add=["x"]))
        client.run(workcalls.rate(paths, 4))
        client.run(workcalls.star(paths))
        client.run(workcalls.play(paths))
        client.run(workcalls.set_fields(paths, {"title": "Title"}))
        client.run(workcalls.collect("List", "set", paths, kind="playlist"))
        client.run(workcalls.save("asked", "kind:audio"))
        lines = client.run(workcalls.export())
    actions = {json.loads(line).get("action") for line in lines}
    assert actions >= {"tagged", "rated", "starred", "played", "set", "created", "collected"}
    other = Daemon()
    refused = 0
    try:
        other.start()
        with other.client() as client:
            for line in lines:
                for damaged in damages(json.loads(line)):
                    try:
                        client.run(workcalls.restore([json.dumps(damaged)]))
                    except InvalidArgument:
                        refused += 1
                    except MediadError as error:
                        raise AssertionError(f"{error!r} of {damaged}") from error
            assert refused > 100
            client.run(workcalls.restore(lines))
    finally:
        other.remove()


def damages(line: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The line with one value, at any depth, made into another or taken away."""

    def walk(value: Any, put: Callable[[Any], Any]) -> Iterator[Any]:
        for wrong in (None, [], {}, "no \0 text", -1, 2**70, 1e400, True):
            if wrong != value:
                yield put(wrong)
        if isinstance(value, dict):
            for key, inner in value.items():
                yield put({name: each for name, each in value.items() if name != key})
                yield from walk(inner, lambda new, key=key: put({**value, key: new}))
        elif isinstance(value, list):
            for place, inner in enumerate(value[:2]):
                yield from walk(inner, lambda new, place=place: put([*value[:place], new, *value[place + 1 :]]))

    yield from (each for each in walk(line, lambda new: new) if isinstance(each, dict))


def test_playlists_keep_order_and_repeats(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"{n}.txt": b"%d" % n for n in range(4)})
    with daemon.client() as client:
        client.add([tree])
        items = [client.get(tree / f"{n}.txt")[0].item.id for n in range(4)]  # type: ignore[union-attr]

        def order(result: Any) -> list[int]:
            return [items.index(each) for each in result.collection.entries]

        def run(action: str, *what: int, **more: Any) -> list[int]:
            targets = [tree / f"{n}.txt" for n in what]
            return order(client.run(workcalls.collect("Trip", action, targets, kind="playlist", **more)))

        assert run("add", 0, 1, 0) == [0, 1, 0]
        assert run("add", 3, place=1) == [0, 3, 1, 0]
        assert run("remove", place=0) == [3, 1, 0]
        assert run("move", place=0, to=2) == [1, 0, 3]
        assert ids(client, "playlist:trip") == {items[0], items[1], items[3]}
        client.run(workcalls.collect("Trip", "rename", kind="playlist", new_name="Journey"))
        with pytest.raises(NotFound):
            run("remove", place=0)
        with pytest.raises(InvalidArgument):
            client.run(workcalls.collect("Journey", "remove", kind="playlist", place=9))
        client.run(workcalls.collect("Other", "add", [tree / "2.txt"], kind="playlist"))
        with pytest.raises(Conflict):
            client.run(workcalls.collect("Journey", "rename", kind="playlist", new_name="Other"))
        client.run(workcalls.collect("Journey", "delete", kind="playlist"))
        assert [each.name for each in client.run(workcalls.collections())] == ["Other"]
        client.run(workcalls.undo(count=6))
        [found] = [e for e in client.run(workcalls.collections(entries=True)) if e.name == "Trip"]
        assert [items.index(each) for each in found.entries] == [0, 1, 0]
    check_events(daemon)


def test_split_and_join(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"equal words " * 900, "b.txt": b"equal words " * 900})
    with daemon.client() as client:
        client.add([tree])
        client.run(workcalls.tag([tree / "a.txt"], add=["both"]))
        assert wait_for(lambda: work_of(client, tree / "b.txt").get("user_tags") == ["both"], 20)
        both = client.get(tree / "b.txt")[0].item
        assert both is not None
        client.run(workcalls.relate("split", tree / "b.txt"))
        client.run(workcalls.tag([tree / "b.txt"], add=["only b"]))
        assert work_of(client, tree / "a.txt")["user_tags"] == ["both"]
        assert set(work_of(client, tree / "b.txt")["user_tags"]) == {"both", "only b"}
        client.add([tree])
        assert client.get(tree / "b.txt")[0].item.id != both.id  # type: ignore[union-attr]
        client.run(workcalls.relate("join", tree / "b.txt"))
        assert client.get(tree / "b.txt")[0].item.id == both.id  # type: ignore[union-attr]
        assert set(work_of(client, tree / "a.txt")["user_tags"]) == {"both", "only b"}


def test_one_takes_the_place_of_another(daemon: Daemon) -> None:
    """ "This FLAC replaces that MP3": the work is carried over; and an offered succession is taken or given up."""
    tree = write_tree(daemon.folder / "tree", {"old.mp3": SONG, "new.txt": b"text"})
    with daemon.client() as client:
        client.add([tree])
        client.run(workcalls.tag([tree / "old.mp3"], add=["mine"]))
        client.run(workcalls.relate("replaces", tree / "new.txt", tree / "old.mp3"))
        assert work_of(client, tree / "new.txt")["user_tags"] == ["mine"]
        (tree / "old.mp3").write_bytes((DATA / "picard.flac").read_bytes())
        client.add([tree])
        assert wait_for(lambda: client.get(tree / "old.mp3")[0].item.format == "flac")  # type: ignore[union-attr]
        found = client.get(tree / "old.mp3")[0].item
        assert found is not None
        lineage = client.run(workcalls.history([found.id]))[0].lineage
        if lineage[-1].state == "accepted":
            client.run(workcalls.relate("detach", found.id))
            assert "mine" not in work_of(client, tree / "old.mp3").get("user_tags", [])
        else:
            client.run(workcalls.relate("accept", found.id))
            assert work_of(client, tree / "old.mp3")["user_tags"] == ["mine"]


# ------------------------------------------------------------------ the feed


def test_changes_after_a_number(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b.txt": b"text"})
    with daemon.client() as client:
        client.add([tree])
        client.run(workcalls.tag([tree / "a.mp3"], add=["x"]))
        assert wait_for(lambda: rows(daemon, "SELECT count(*) FROM mediadb.doubt") == [(0,)])
        whole = client.run(workcalls.changes(0))
        assert [each.seq for each in whole.changes if each.action != "read"] == sorted(
            {each.seq for each in whole.changes if each.action != "read"}
        )
        assert whole.last == client.status().last_event
        only = client.run(workcalls.changes(0, query="tag:x"))
        assert {each.action for each in only.changes} == {"added", "read", "tagged", "checksummed"}
        assert len({each.item for each in only.changes}) == 1
        rest = client.run(workcalls.changes(whole.last, epoch=whole.epoch))
        assert (rest.changes, rest.last, rest.resync) == ([], whole.last, False)


def test_what_cannot_be_continued_begins_anew(daemon: Daemon) -> None:
    """An old, a foreign, a compacted cursor: a snapshot and its number, never silence."""
    tree = write_tree(daemon.folder / "tree", {"a.mp3": SONG, "b.txt": b"text"})
    with daemon.client() as client:
        client.add([tree])
        client.run(workcalls.tag([tree / "a.mp3"], add=["x"]))
        assert wait_for(lambda: rows(daemon, "SELECT count(*) FROM mediadb.doubt") == [(0,)])
        good = client.run(workcalls.changes(0))
        for since, epoch in ((good.last + 100, good.epoch), (0, uuid.uuid4().bytes)):
            found = client.run(workcalls.changes(since, epoch=epoch))
            assert found.resync and found.reason
            assert {item.id for item in found.items} == ids(client, "")
            assert (found.last, found.epoch) == (good.last, good.epoch)


def test_the_horizon() -> None:
    """What was merely seen goes; what a person did stays, under its number."""
    running = Daemon(config="feed_keep = 5\n")
    try:
        running.start()
        tree = write_tree(running.folder / "tree", {f"{n}.txt": b"%d" % n for n in range(40)})
        with running.client() as client:
            client.add([tree])
            client.run(workcalls.tag([tree / "3.txt"], add=["kept"]))
            for n in range(10):
                (tree / f"{n}.txt").unlink()
            client.add([tree])
        running.stop()
        running.start()  # keeps house at its start
        with running.client() as client:
            assert wait_for(lambda: rows(running, "SELECT compacted FROM mediadb.feed")[0][0] > 30)
            found = client.run(workcalls.changes(1))
            assert found.resync and "compacted" in found.reason
            assert rows(running, "SELECT count(*) FROM mediadb.event WHERE action = 'tagged'") == [(1,)]
            assert not client.run(workcalls.changes(found.last - 2, epoch=found.epoch)).resync
    finally:
        running.remove()


def test_two_daemons_one_feed() -> None:
    """Snapshot and tail, read by a client that is killed and begins again at random, while two hosts write: equal to
    what is there at the end, and no number is missed."""
    dsn = pg.fresh_database()
    one, two = Daemon(dsn=dsn), Daemon(dsn=dsn)
    try:
        one.start()
        two.start()
        trees = [write_tree(each.folder / "tree", {"x.txt": b"x"}) for each in (one, two)]
        for each, tree in zip((one, two), trees, strict=True):
            with each.client() as client:
                client.add([tree])

        def write(which: Daemon, tree: Path, mark: str) -> None:
            with which.client() as client:
                for n in range(60):
                    write_tree(tree, {f"d{n % 5}/{mark}{n}.txt": b"%s %d" % (mark.encode(), n)})
                    if n % 7 == 3:
                        client.add([tree])
                        client.run(workcalls.tag([], add=[f"{mark}{n % 3}"], query=f"{mark}{n - 3}"))
                    if n % 11 == 5:
                        (tree / f"d{(n - 5) % 5}/{mark}{n - 5}.txt").unlink()
                client.add([tree])

        writers = [threading.Thread(target=write, args=(one, trees[0], "a")),
                   threading.Thread(target=write, args=(two, trees[1], "b"))]  # fmt: skip
        for writer in writers:
            writer.start()
        chance = random.Random(4)
        numbers: list[int] = []
        since, epoch, turns = 0, b"", 0
        while any(writer.is_alive() for writer in writers) or turns < 5:
            turns += 1
            which = one if turns % 2 else two
            for told in follow_and_kill(which, since, epoch, chance.uniform(0.4, 1.2)):
                since, epoch = told["last"], bytes.fromhex(told["epoch"])
                numbers += told["seqs"]
        for writer in writers:
            writer.join()
        with one.client() as client:
            rest = client.run(workcalls.changes(since, epoch=epoch))
            numbers += [each.seq for each in rest.changes]
            mirror = {each.item for each in client.run(workcalls.changes(0)).changes if each.item is not None}
            assert mirror >= ids(client, ""), "every item was told of"
        assert sorted(set(numbers)) == list(range(1, rest.last + 1)), "a number was missed"
        assert numbers == sorted(numbers)
    finally:
        one.remove()
        two.remove()


FOLLOW = """
import json, sys
from mediactl import Client
held = []
with Client(sys.argv[1]) as client:
    for part in client.follow(int(sys.argv[2]), epoch=bytes.fromhex(sys.argv[3])):
        assert not part.resync
        held += [each.seq for each in part.changes]
        if part.last:
            print(json.dumps({"last": part.last, "epoch": part.epoch.hex(), "seqs": held}), flush=True)
            held = []
"""


def follow_and_kill(daemon: Daemon, since: int, epoch: bytes, seconds: float) -> list[dict[str, Any]]:
    """What a follower wrote down before it was killed."""
    argv = [sys.executable, "-c", FOLLOW, str(daemon.socket), str(since), epoch.hex()]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.kill()
    output = process.communicate()[0]
    return [json.loads(line) for line in output.splitlines(keepends=True) if line.endswith("\n")]


def test_the_log_matches_the_feed(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"{n}.txt": b"%d" % n for n in range(30)})
    with daemon.client() as client:
        client.add([tree])
        for n in range(10):
            client.run(workcalls.tag([tree / f"{n}.txt"], add=[f"t{n}"]))
        client.run(workcalls.undo(count=3))
    [log] = list((daemon.data / "work").iterdir())
    assert wait_for(lambda: len(log.read_text().splitlines()) == 14)
    told = [json.loads(line) for line in log.read_text().splitlines()[1:]]
    stored = rows(daemon, "SELECT seq, action FROM mediadb.event WHERE action IN ('tagged', 'untagged') ORDER BY seq")
    assert [(each["seq"], each["action"]) for each in told] == stored


def test_work_is_erased_when_a_person_says_so(daemon: Daemon) -> None:
    """Records go by `forget`, what people did only by `forget --work`: from the database and from the log."""
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"a" * 5000, "b.txt": b"b" * 5000})
    with daemon.client() as client:
        client.add([tree], once=True)
        client.run(workcalls.tag([tree / "a.txt", tree / "b.txt"], add=["private"]))
        client.run(workcalls.collect("Papers", "add", [tree / "a.txt", tree / "b.txt"]))
        item = client.get(tree / "a.txt")[0].item
        assert item is not None
        client.forget(tree / "a.txt")
        client.add([tree], once=True)
        assert work_of(client, tree / "a.txt")["user_tags"] == ["private"], "forgotten, and known again"
        client.forget(tree / "a.txt", work=True)
        client.add([tree], once=True)
        assert not work_of(client, tree / "a.txt")
        assert work_of(client, tree / "b.txt")["user_tags"] == ["private"]
        assert client.run(workcalls.collections())[0].size == 1
    [log] = list((daemon.data / "work").iterdir())
    assert str(item.id) not in "".join(line for line in log.read_text().splitlines() if "collected" not in line)
    assert rows(daemon, "SELECT count(*) FROM mediadb.event WHERE action = 'tagged'") == [(1,)]


def test_work_while_items_become_one(daemon: Daemon) -> None:
    """Two files turn out to be one item while a person is at work on both: nothing of it is lost, whoever was first."""
    top = daemon.folder / "tree"
    for number in range(20):
        for copy in "ab":
            path = top / f"{number:02}{copy}.flac"
            path.parent.mkdir(exist_ok=True)
            data = bytearray((DATA / "picard.flac").read_bytes())
            data[-100] = number  # a payload of its own for each pair
            path.write_bytes(data)
    with daemon.client() as client:
        client.add([top], wait=True)
        paths = [top / f"{number:02}{copy}.flac" for number in range(20) for copy in "ab"]
        for path in paths:
            client.run(workcalls.tag([path], add=["holiday"]))
            client.run(workcalls.rate([path], 4))
            client.run(workcalls.star([path]))
            client.run(workcalls.set_fields([path], {"account": "shop"}))
        for path in paths:
            found = client.get(path)[0].item
            assert found is not None
            work = found.work
            assert work.get("user_rating") == 4 and work.get("starred"), (path, dict(work))
            assert work.get("user_tags") == ["holiday"] and work.get("account") == "shop", (path, dict(work))
        lost = "SELECT count(*) FROM mediadb.work_actor WHERE stream IN (SELECT old FROM mediadb.stream_alias)"
        assert rows(daemon, lost) == [(0,)]
