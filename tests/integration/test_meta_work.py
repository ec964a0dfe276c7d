"""Stars and ratings of albums and artists: the feed, undo, history, keeping them through retags, backup and rebuild."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from mediactl import Client, workcalls
from mediad.errors import InvalidArgument
from mediad.index.metawork import Went, fold_meta, follow
from mediadb_contract import mediadb_pb2 as pb
from tests.daemon import Daemon
from tests.daemon.records import wait_for
from tests.integration.test_browse import albums, browse, retag, settled, track

RELEASE = "5a5a8a1e-0d7d-4d0a-8d3b-5d3f7d1c2b11"


def fill(top: Path, songs: int = 5) -> list[Path]:
    return [
        track(top / f"{number}.flac", title=f"Song {number}", album="Old Name", artist="Björk", tracknumber=str(number))
        for number in range(1, songs + 1)
    ]


def rescan(client: Client, daemon: Daemon, top: Path) -> None:
    client.add([top], once=True)
    assert wait_for(lambda: settled(daemon), 20.0)


def star(client: Client, number: bytes, starred: bool = True) -> int:
    return client.run(workcalls.star([uuid.UUID(bytes=number)], starred)).events


def artist(client: Client, name: str) -> pb.Artist:
    [found] = [each for each in browse(client, "artists").artists if each.name == name]
    return found


def test_stars_and_ratings_of_metas(daemon: Daemon) -> None:
    top = daemon.folder / "music"
    files = fill(top)
    with daemon.client() as client:
        rescan(client, daemon, top)
        album, who = albums(client)["Old Name"], artist(client, "Björk")
        since = client.run(workcalls.changes(0)).last
        assert star(client, album.id) == 1 and star(client, album.id) == 0, "what is so already is no change"
        both = [uuid.UUID(bytes=album.id), files[0]]
        assert client.run(workcalls.rate(both, 4)).items == 2, "albums and items in one request"
        assert star(client, who.id) == 1
        changes = client.run(workcalls.changes(since)).changes
        told = [(c.target_kind, c.action) for c in changes if c.action != "checksummed"]
        assert told == [("meta", "starred"), ("stream", "rated"), ("meta", "rated"), ("meta", "starred")]
        album = albums(client, starred=True)["Old Name"]
        assert album.starred_at_ns and album.rating == 4
        assert [a.name for a in browse(client, "artists", starred=True).artists] == ["Björk"]
        assert list(albums(client, sort="rating")) == ["Old Name"] and list(albums(client, sort="starred")) == [
            "Old Name"
        ]
        history = client.run(workcalls.history([uuid.UUID(bytes=album.id)]))[0]
        assert [each.action for each in history.changes] == ["starred", "rated"]
        with pytest.raises(InvalidArgument):
            client.run(workcalls.tag([uuid.UUID(bytes=album.id)], add=["x"]))
        client.run(workcalls.undo())
        assert not artist(client, "Björk").starred_at_ns
        client.run(workcalls.undo(count=2))
        album = albums(client)["Old Name"]
        assert not album.starred_at_ns and not album.rating
        assert client.run(workcalls.rate([uuid.UUID(bytes=album.id)], None)).events == 0
        # Plays of its songs are the album's, each person's own.
        client.run(workcalls.play([files[0], files[1]], count=2))
        assert wait_for(lambda: albums(client)["Old Name"].plays == 4)
        assert (
            list(albums(client, sort="frequent")) == ["Old Name"]
            and albums(client, sort="recent")["Old Name"].played_at_ns
        )
    with Client(str(daemon.socket), actor="somebody") as other:
        assert albums(other)["Old Name"].plays == 0 and not albums(other, sort="recent")


def test_a_star_follows_the_songs(daemon: Daemon) -> None:
    top = daemon.folder / "music"
    files = fill(top)
    with daemon.client() as client:
        rescan(client, daemon, top)
        number, who = albums(client)["Old Name"].id, artist(client, "Björk").id
        star(client, number)
        star(client, who)
        # One song goes to another album: the star stays with the others.
        retag(files[0], album="Odd One")
        rescan(client, daemon, top)
        found = albums(client)
        assert found["Old Name"].id == number and found["Old Name"].songs == 4 and found["Old Name"].starred_at_ns
        assert not found["Odd One"].starred_at_ns
        # The album gets another name, file after file: it is the same one.
        for path in files[1:]:
            retag(path, album="New Name")
            rescan(client, daemon, top)
        assert wait_for(lambda: "Old Name" not in albums(client))
        assert wait_for(lambda: albums(client)["New Name"].id == number)
        found = albums(client)
        assert found["New Name"].starred_at_ns and found["New Name"].songs == 4
        assert list(albums(client, starred=True)) == ["New Name"]
        # So is it when it is told apart by its MusicBrainz id from now on; then the id says which it is.
        for path in files[1:]:
            retag(path, mb_release_id=RELEASE)
        rescan(client, daemon, top)
        assert wait_for(lambda: albums(client)["New Name"].id == number and albums(client)["New Name"].songs == 4)
        assert albums(client)["New Name"].musicbrainz_id == RELEASE
        for path in files[1:]:
            retag(path, album="Newest Name")
        rescan(client, daemon, top)
        assert wait_for(lambda: albums(client, starred=True)["Newest Name"].id == number)
        # An artist under another name.
        for path in files:
            retag(path, artists="Björk Guðmundsdóttir")
        rescan(client, daemon, top)
        assert wait_for(lambda: [a.name for a in browse(client, "artists").artists] == ["Björk Guðmundsdóttir"])
        assert wait_for(lambda: bool(artist(client, "Björk Guðmundsdóttir").starred_at_ns))
        whole = artist(client, "Björk Guðmundsdóttir")
        assert whole.id == who and (whole.albums, whole.songs) == (2, 5)
        assert [c.action for c in client.run(workcalls.changes(0)).changes].count("regrouped") == 3


def test_two_starred_albums_become_one(daemon: Daemon) -> None:
    top = daemon.folder / "music"
    files = fill(top, 2)
    more = [track(top / f"b{n}.flac", title=f"B {n}", album="Other", artist="Björk") for n in range(3)]
    with daemon.client() as client:
        rescan(client, daemon, top)
        one, two = albums(client)["Old Name"].id, albums(client)["Other"].id
        client.run(workcalls.rate([uuid.UUID(bytes=one)], 3))
        star(client, two)
        for path in files:
            retag(path, album="Other")
        rescan(client, daemon, top)
        assert wait_for(lambda: albums(client)["Other"].rating == 3)
        merged = albums(client)["Other"]
        assert merged.id == two and merged.starred_at_ns and merged.songs == len(files) + len(more)
        assert browse(client, "albums", id=one).albums[0].id == two, "an id stays valid"
        assert star(client, one, False) == 1 and not albums(client)["Other"].starred_at_ns


def test_backup_and_rebuild_keep_stars(daemon: Daemon) -> None:
    top = daemon.folder / "music"
    files = fill(top)
    with daemon.client() as client:
        rescan(client, daemon, top)
        number, who = albums(client)["Old Name"].id, artist(client, "Björk").id
        star(client, number)
        client.run(workcalls.rate([uuid.UUID(bytes=who)], 5))
        for path in files:
            retag(path, album="New Name")
        rescan(client, daemon, top)
        assert wait_for(lambda: bool(albums(client)["New Name"].starred_at_ns))
        client.run(workcalls.rebuild())
        assert wait_for(lambda: settled(daemon), 20.0)
        assert wait_for(lambda: albums(client)["New Name"].id == number and albums(client)["New Name"].songs == 5)
        assert albums(client)["New Name"].starred_at_ns and artist(client, "Björk").rating == 5
        lines = client.run(workcalls.export())
        log = next((daemon.data / "work").glob("*.ndjson"))
        assert wait_for(lambda: '"regrouped"' in log.read_text())
        facts = [json.loads(line) for line in log.read_text().splitlines() if '"meta"' in line]
        assert {each["action"] for each in facts} == {"starred", "rated", "regrouped"}
        assert all(each["meta"]["digest"] and each["meta"]["name"] for each in facts)
    fresh = Daemon()
    try:
        with fresh.start().client() as client:
            client.run(workcalls.restore(lines))
            assert client.run(workcalls.restore(lines)).events == 0, "what is known is not done twice"
            client.add([top])
            assert wait_for(lambda: settled(fresh), 20.0)
            found = albums(client)["New Name"]
            assert found.id == number and found.starred_at_ns and artist(client, "Björk").rating == 5
    finally:
        fresh.remove()


def test_where_a_meta_goes() -> None:
    def went(**counts: int) -> list[Went]:
        return [Went(name, songs, name) for name, songs in counts.items()]

    assert follow("a", went(a=5), 5, keeps=False) is None
    assert follow("a", went(a=4, b=1), 5, keeps=False) is None
    assert follow("a", went(a=2, b=3), 5, keeps=False) == Went("b", 3, "b")
    assert follow("a", went(a=2, b=2, c=1), 5, keeps=False) is None
    assert follow("a", went(a=1, b=4), 5, keeps=True) is None, "the MusicBrainz id says which it is"
    assert follow("a", went(b=2, c=2, d=1), 5, keeps=True) == Went("c", 2, "c"), "the one that came last"
    assert follow("a", [], 0, keeps=False) is None, "nothing is known of its songs"
    assert fold_meta([
        ("x", "starred", {"starred_ns": 5}), ("x", "rated", {"rating": 2.0}), ("x", "starred", {"starred_ns": None}),
        ("", "merged", {"was": "y", "work": {"x": {"rating": 4.0, "starred_ns": 7}, "z": {"rating": 1.0}}}),
    ]) == {"x": {"starred_ns": 7, "rating": 2.0}, "z": {"rating": 1.0, "starred_ns": None}}  # fmt: skip
