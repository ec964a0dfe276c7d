"""The walk through the library: artists, albums, genres, folders; stars and ratings of albums and artists."""

from __future__ import annotations

import uuid
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from mediactl import Client, workcalls
from mediad.errors import InvalidArgument, NotFound, StaleCursor
from mediadb_contract import mediadb_pb2 as pb
from tests.daemon import Daemon
from tests.daemon.records import rows, song, wait_for


def browse(client: Client, what: str, **asked: Any) -> pb.BrowseReply:
    """All of a walk, page by page, as one reply."""
    whole = pb.BrowseReply()
    cursor = b""
    while True:
        request = pb.BrowseRequest(what=what, cursor=cursor, **asked)
        replies = client.call(pb.Request(browse=request))
        for reply in replies:
            whole.MergeFrom(reply.browse)
        cursor = replies[-1].browse.cursor
        if not cursor:
            return whole


def albums(client: Client, **asked: Any) -> dict[str, pb.Album]:
    return {each.name: each for each in browse(client, "albums", **asked).albums}


def track(path: Path, **tags: str) -> Path:
    """A song with a payload of its own: the end of its last frame is another than that of all others."""
    song(path, **tags)
    data = path.read_bytes()
    path.write_bytes(data[:-16] + blake2b(bytes(path), digest_size=16).digest())
    return path


def settled(daemon: Daemon) -> bool:
    return not rows(daemon, "SELECT FROM mediadb.stale_album")


def fill(top: Path) -> None:
    for number in range(1, 5):
        track(
            top / "a" / f"{number}.flac", title=f"One {number}", album="First", artist="Björk", genre="Rock",
            date="1999", tracknumber=str(number),
        )  # fmt: skip
    for number in range(1, 3):
        track(top / "b" / f"{number}.flac", title=f"Two {number}", album="Second", artist=f"Guest {number}",
             albumartist="The Band", genre="Jazz", date="2003", tracknumber=str(number))  # fmt: skip
        track(
            top / "c" / f"{number}.flac", title=f"Mix {number}", album="Mix", artist=f"Guest {number}",
            compilation="1", genre="Jazz", tracknumber=str(number),
        )  # fmt: skip
    track(top / "loose.flac", title="Loose", artist="Loner", genre="Folk")


def test_artists_albums_genres(daemon: Daemon) -> None:
    top = daemon.folder / "music"
    fill(top)
    with daemon.client() as client:
        client.add([top])
        assert wait_for(lambda: settled(daemon))
        found = albums(client)
        assert list(found) == ["First", "Mix", "Second"]
        first = found["First"]
        assert (first.artist, first.songs, first.year, list(first.genres)) == ("Björk", 4, 1999, ["Rock"])
        cover = client.get(uuid.UUID(bytes=first.cover))[0].item
        assert cover is not None and cover.title == "One 1"
        assert (found["Mix"].artist, found["Mix"].compilation) == ("Various Artists", True)
        assert (found["Second"].artist, list(found["Second"].artist_names)) == ("The Band", ["The Band"])
        artists = {each.name: each for each in browse(client, "artists").artists}
        assert sorted(artists) == ["Björk", "Loner", "The Band", "Various Artists"]
        assert {name: (a.albums, a.songs) for name, a in artists.items()} == {
            "Björk": (1, 4), "Loner": (0, 1), "The Band": (1, 2), "Various Artists": (1, 2),
        }  # fmt: skip
        everyone = {each.name: each for each in browse(client, "artists", all_artists=True).artists}
        assert set(everyone) == {*artists, "Guest 1", "Guest 2"} and everyone["Guest 1"].songs == 2
        assert {g.name: (g.songs, g.albums) for g in browse(client, "genres").genres} == {
            "Folk": (1, 0), "Jazz": (4, 2), "Rock": (4, 1),
        }  # fmt: skip
        assert list(albums(client, artist=artists["Björk"].id)) == ["First"]
        assert list(albums(client, artist=everyone["Guest 1"].id)) == []
        assert list(albums(client, artist=everyone["Guest 1"].id, all_artists=True)) == ["Mix", "Second"]
        assert list(albums(client, genre="JAZZ")) == ["Mix", "Second"]
        assert list(albums(client, year_from=2000)) == ["Second"]
        assert list(albums(client, sort="year")) == ["First", "Second", "Mix"]
        assert list(albums(client, sort="-year")) == ["Second", "First", "Mix"]
        assert list(albums(client, sort="artist")) == ["First", "Second", "Mix"]
        assert list(albums(client, prefix="sec")) == ["Second"]
        assert [a.name for a in browse(client, "artists", prefix="ba").artists] == ["The Band"]
        assert list(albums(client, query='artist:"guest 2"')) == ["Mix", "Second"]
        assert [a.name for a in browse(client, "artists", query="mix").artists] == ["Various Artists"]
        assert [g.name for g in browse(client, "genres", query="loose").genres] == ["Folk"]
        assert [a.name for a in browse(client, "albums", id=first.id).albums] == ["First"]
        with pytest.raises(NotFound):
            browse(client, "albums", id=artists["Björk"].id)
        with pytest.raises(InvalidArgument):
            browse(client, "artists", sort="year")
        one = client.call(pb.Request(browse=pb.BrowseRequest(what="albums", limit=1)))[-1].browse
        with pytest.raises(StaleCursor):
            browse_at = pb.BrowseRequest(what="albums", sort="year", cursor=one.cursor)
            client.call(pb.Request(browse=browse_at))
        problem = client.get(uuid.UUID(bytes=first.id))[0].problem
        assert isinstance(problem, NotFound) and "album" in problem.message
        # A song that goes missing does not count; an album that goes missing is still known by its id.
        (top / "a" / "1.flac").unlink()
        client.run(workcalls.rescan([top]))
        assert wait_for(lambda: albums(client)["First"].songs == 3)
        for left in (top / "a").iterdir():
            left.unlink()
        client.run(workcalls.rescan([top]))
        assert wait_for(lambda: "First" not in albums(client))
        assert browse(client, "albums", id=first.id).albums[0].songs == 4
        assert "Björk" not in {a.name for a in browse(client, "artists").artists}


def test_where_songs_belong(daemon: Daemon) -> None:
    top = daemon.folder / "music"
    track(top / "b.flac", title="Late", album="Two", artist="Anna", discnumber="2", tracknumber="1")
    track(top / "c.flac", title="Tenth", album="Two", artist="Bob", albumartist="Anna", tracknumber="10")
    track(top / "d.flac", title="Second", album="Two", artist="Anna", tracknumber="2")
    track(top / "e.flac", title="Loose", artist="Carl")
    with daemon.client() as client:
        client.add([top])
        assert wait_for(lambda: settled(daemon))
        (two,) = [each for each in browse(client, "albums", artist=_artist(client, "Anna")).albums if each.songs > 1]
        by_title = {item.title: item.id.bytes for item in client.query("kind:audio")}
        links = {each.item: each for each in browse(client, "links", of=list(by_title.values())).links}
        assert links[by_title["Late"]].album == two.id
        assert list(links[by_title["Tenth"]].artist_names) == ["Bob"]
        assert links[by_title["Loose"]].album == b""
        assert not browse(client, "links").links
        with pytest.raises(InvalidArgument, match="1000"):
            browse(client, "links", of=[bytes(16)] * 1001)


def _artist(client: Client, name: str) -> bytes:
    return next(each.id for each in browse(client, "artists").artists if each.name == name)
