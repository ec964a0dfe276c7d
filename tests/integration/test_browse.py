"""The walk through the library: artists, albums, genres, folders; stars and ratings of albums and artists."""

from __future__ import annotations

import json
import random
import subprocess
import sys
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


def retag(path: Path, kind: str = "audio", **fields: str) -> None:
    """With the project's own writer."""
    command = [sys.executable, "-m", f"mediad_handlers.{kind}"]
    for name, value in fields.items():
        command += ["--set", f"{name}={value}"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


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


def test_folders(daemon: Daemon) -> None:
    top = daemon.folder / "music"
    fill(top)
    (top / "empty").mkdir()
    (top / "deep" / "er").mkdir(parents=True)
    track(top / "deep" / "er" / "x.flac", title="X")
    with daemon.client() as client:
        client.add([top])
        [root] = browse(client, "folders").folders
        assert (root.name, root.files, root.folders, root.parent) == (str(top), 1, 5, 0)
        whole = browse(client, "folders", folder=root.id, items=True, limit=2)
        assert [(each.name, each.files, each.folders) for each in whole.folders] == [
            ("a", 4, 0), ("b", 2, 0), ("c", 2, 0), ("deep", 0, 1), ("empty", 0, 0),
        ]  # fmt: skip
        assert [item.title for item in whole.items] == ["Loose"]
        assert all(each.parent == root.id and each.path == bytes(top / each.name) for each in whole.folders)
        inside = browse(client, "folders", folder=whole.folders[3].id)
        below = browse(client, "folders", folder=inside.folders[0].id, items=True)
        assert [each.name for each in below.above] == [str(top), "deep"]
        assert below.folder.path == bytes(top / "deep" / "er") and below.items[0].files[0].path.endswith(b"x.flac")
        # A folder that is renamed keeps its number; one that is gone is not shown.
        (top / "deep").rename(top / "low")
        (top / "a" / "1.flac").unlink()
        for path in (top / "c").iterdir():
            path.unlink()
        (top / "c").rmdir()
        client.run(workcalls.rescan([top]))
        after = {each.name: each for each in browse(client, "folders", folder=root.id).folders}
        assert after["low"].id == inside.folder.id and after["a"].files == 3 and "c" not in after
        with pytest.raises(NotFound):
            browse(client, "folders", folder=10**9)
        with pytest.raises(StaleCursor):
            browse_at = pb.BrowseRequest(what="folders", folder=root.id, cursor=b"\x01\x00\x00")
            client.call(pb.Request(browse=browse_at))


def test_every_order_is_paged_whole(daemon: Daemon) -> None:
    """Whatever the order and the pages, each album comes once; random has one order for a cursor."""
    top = daemon.folder / "music"
    for number in range(23):
        album = f"Album {number % 17} {'!' * (number % 3)}"
        dated = {"date": str(1990 + number % 4)} if number % 3 else {}
        track(top / f"{number}.flac", title="T", album=album, artist=f"A {number % 5}", **dated)
    with daemon.client() as client:
        client.add([top])
        assert wait_for(lambda: settled(daemon))
        everything = {each.id for each in browse(client, "albums").albums}
        assert len(everything) == 23
        for sort in ("name", "artist", "year", "added", "random"):
            for way in ("", "-"):
                found = [each.id for each in browse(client, "albums", sort=way + sort, limit=4).albums]
                assert len(found) == len(everything) and set(found) == everything, way + sort
        years = [each.year for each in browse(client, "albums", sort="-year", limit=3).albums]
        assert years == sorted((y for y in years if y), reverse=True) + [0] * years.count(0) and years.count(0)


def plain(songs: dict[Path, dict[str, Any]]) -> tuple[dict[Any, int], dict[str, tuple[int, int]], dict[str, int]]:
    """What there is to walk through, evaluated plainly: songs of albums, (albums, songs) of artists, songs of
    genres."""
    of_albums: dict[Any, int] = {}
    whose: dict[Any, str] = {}
    guests: dict[str, dict[Any, int]] = {}
    genres: dict[str, int] = {}
    for path, tags in songs.items():
        owner = tags.get("albumartist") or ("Various Artists" if tags.get("compilation") else tags["artist"])
        key = (tags["album"], owner) if "album" in tags else path
        whose[key] = owner if "album" in tags else tags["artist"]
        of_albums[key] = of_albums.get(key, 0) + 1
        guests.setdefault(tags["artist"], {}).setdefault(key, 0)
        guests[tags["artist"]][key] += 1
        if "genre" in tags:
            genres[tags["genre"]] = genres.get(tags["genre"], 0) + 1
    artists: dict[str, tuple[int, int]] = {}
    for name in {*whose.values(), *guests}:
        own = [key for key, owner in whose.items() if owner == name]
        count = sum(of_albums[key] for key in own) + sum(n for key, n in guests.get(name, {}).items() if key not in own)
        artists[name] = (sum(not isinstance(key, Path) for key in own), count)
    return {key: n for key, n in of_albums.items() if not isinstance(key, Path)}, artists, genres


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_are_those_of_a_plain_evaluation(daemon: Daemon, seed: int) -> None:
    """Whatever happens to files: retagged, removed, returned, copied, forgotten."""
    r = random.Random(seed)
    top = daemon.folder / "music"
    songs: dict[Path, dict[str, Any]] = {}

    def tags() -> dict[str, str]:
        made = {"title": "T", "artist": f"Artist {r.randint(1, 4)}"}
        if r.random() < 0.8:
            made["album"] = f"Album {r.randint(1, 4)}"
        if r.random() < 0.4:
            made["albumartist"] = f"Artist {r.randint(1, 4)}"
        elif r.random() < 0.3:
            made["compilation"] = "1"
        if r.random() < 0.7:
            made["genre"] = f"Genre {r.randint(1, 3)}"
        return made

    with daemon.client() as client:
        top.mkdir()
        client.add([top], once=True)
        for turn in range(6):
            for _ in range(8):
                path = top / f"{r.randint(1, 25)}.flac"
                if path in songs and r.random() < 0.4:
                    path.unlink()
                    del songs[path]
                else:
                    songs[path] = tags()
                    track(path, **songs[path])
            client.add([top], once=True)
            assert wait_for(lambda: settled(daemon), 20.0)
            of_albums, artists, genres = plain(songs)
            found = browse(client, "albums", limit=3)
            assert {(a.name, a.artist): a.songs for a in found.albums} == of_albums, turn
            everyone = browse(client, "artists", all_artists=True, limit=3)
            assert {a.name: (a.albums, a.songs) for a in everyone.artists} == artists, turn
            assert {g.name: g.songs for g in browse(client, "genres").genres} == genres, turn


def test_places_and_days(daemon: Daemon) -> None:
    """What a timeline and a list of places ask for: facets."""
    top = daemon.folder / "photos"
    top.mkdir()
    for number in range(4):
        picture = (Path(__file__).parents[1] / "data/image/01.jpg").read_bytes()
        (top / f"{number}.jpg").write_bytes(picture + bytes([number]))
    retag(top / "0.jpg", "image", country="Italy", city="Garda")
    with daemon.client() as client:
        client.add([top])
        client.run(workcalls.set_fields([top / "1.jpg"], {"country": "Italy", "state": "Veneto", "city": "Garda"}))
        client.run(workcalls.set_fields([top / "2.jpg"], {"country": "Italy", "state": "Veneto", "city": "Garda"}))
        [places] = client.query_facets("kind:image", ["places"])
        assert [(json.loads(value), count) for value, count in places.values] == [
            (["Italy", "Veneto", "Garda"], 2), (["Italy", None, "Garda"], 1),
        ]  # fmt: skip
        [days] = client.query_facets("kind:image", ["day"])
        assert sum(count for _day, count in days.values) == 4


def test_the_command(daemon: Daemon) -> None:
    top = daemon.folder / "music"
    fill(top)

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    with daemon.client() as client:
        client.add([top])
        assert wait_for(lambda: settled(daemon))
    assert [each["name"] for each in json.loads(run("--format", "json", "browse", "albums", "--sort", "-year"))] == [
        "Second", "First", "Mix",
    ]  # fmt: skip
    told = json.loads(run("--format", "json", "browse", "albums", "--year", "1990-1999"))[0]
    assert (told["artist"], told["songs"], told["year"], told["genres"]) == ("Björk", 4, 1999, ["Rock"])
    assert "Various Artists" in run("browse", "artists") and "Guest 1" not in run("browse", "artists")
    assert "Guest 1" in run("browse", "artists", "--all") and "Jazz" in run("browse", "genres", "artist:guest")
    run("star", told["id"])
    assert "*" in run("browse", "albums", "--starred") and "Second" not in run("browse", "albums", "--starred")
    number = json.loads(run("--format", "json", "browse", "folders"))[0]["id"]
    assert "Loose" in run("browse", "folders", str(number), "--items")
