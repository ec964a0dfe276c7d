"""py-sonic (libsonic), the oldest of the libraries: signs in by token, asks by POST, reads JSON."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.clients.server import ALBUMS, SONGS, World

with warnings.catch_warnings():
    # it names an ssl constant that is deprecated; none of ours
    warnings.simplefilter("ignore")
    libsonic = pytest.importorskip("libsonic", reason="py-sonic is not installed: pip install 'mediadb[clients]'")


def connect(world: World, **how: Any) -> Any:
    user, password = world.credentials
    return libsonic.Connection("http://127.0.0.1", user, password, port=world.port, appName="tests", **how)


def test_browsing(world: World) -> None:
    client = connect(world)
    assert client.ping() is True
    assert client.getLicense()["license"]["valid"] is True
    artists = {each["name"]: each for index in client.getArtists()["artists"]["index"] for each in index["artist"]}
    assert {album[0] for album in ALBUMS} <= set(artists)
    albums = {
        album["name"]: album for name in {album[0] for album in ALBUMS}
        for album in client.getArtist(artists[name]["id"])["artist"]["album"]
    }  # fmt: skip
    assert {album[1] for album in ALBUMS} <= set(albums)
    for _artist, name, year, genre, extension, count, _embedded in ALBUMS:
        songs = client.getAlbum(albums[name]["id"])["album"]["song"]
        assert [(song["track"], song["suffix"], song["year"], song["genre"]) for song in songs] == [
            (number, extension, int(year), genre) for number in range(1, count + 1)
        ]
    (root,) = client.getMusicFolders()["musicFolders"]["musicFolder"]
    tops = {
        each["name"]: each["id"]
        for index in client.getIndexes(root["id"])["indexes"]["index"]
        for each in index["artist"]
    }
    inside = client.getMusicDirectory(tops["Music"])["directory"]["child"]
    assert {child["title"] for child in inside if child["isDir"]} == {album[0] for album in ALBUMS}
    assert {each["value"]: each["songCount"] for each in client.getGenres()["genres"]["genre"]}["Jazz"] >= 4
    found = client.search3("song", songCount=500)["searchResult3"]["song"]
    assert len([song for song in found if song["title"].startswith("Song ")]) == SONGS


def song_of(client: Any, words: str) -> dict[str, Any]:
    return client.search3(words)["searchResult3"]["song"][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("how", [{}, {"legacyAuth": True}], ids=["token", "password"])
def test_bytes(world: World, how: dict[str, Any]) -> None:
    client = connect(world, **how)
    song = song_of(client, "First Light")
    original = next((world.library / "Music/Anna B/First Light").glob(f"{song['track']:02}*")).read_bytes()
    assert client.stream(song["id"], tformat="raw").read() == original
    assert client.download(song["id"]).read() == original
    assert client.stream(song["id"], maxBitRate=64, tformat="mp3").read()[:3] in (b"ID3", b"\xff\xfb\x50")
    assert client.getCoverArt(song["coverArt"], size=300).read()[:2] == b"\xff\xd8"


def test_work(world: World) -> None:
    client = connect(world)
    song = song_of(client, "Second Wind")
    number = song["id"]
    client.star([number])
    assert [each["id"] for each in client.getStarred2()["starred2"]["song"]] == [number]
    client.unstar([number])
    client.setRating(number, 3)
    client.scrobble(number)
    again = client.getSong(number)["song"]
    assert (again["userRating"], again["playCount"]) == (3, 1)
    client.createPlaylist(name="sonic", songIds=[number, number])
    (playlist,) = client.getPlaylists()["playlists"]["playlist"]
    assert (playlist["name"], playlist["songCount"]) == ("sonic", 2)
    client.updatePlaylist(playlist["id"], name="other", songIndexesToRemove=[0])
    changed = client.getPlaylist(playlist["id"])["playlist"]
    assert (changed["name"], len(changed["entry"])) == ("other", 1)
    client.deletePlaylist(playlist["id"])
    client.savePlayQueue([number], number, 1000)
    assert client.getPlayQueue()["playQueue"]["position"] == 1000
    client.createBookmark(number, 1000)
    assert client.getBookmarks()["bookmarks"]["bookmark"][0]["entry"]["id"] == number
    client.deleteBookmark(number)


def test_errors_arrive_as_its_own(world: World) -> None:
    client = connect(world)
    with pytest.raises(libsonic.errors.DataNotFoundError):
        client.getSong("00000000-0000-4000-8000-000000000000")
    # one that looks like a hash of no song's cover
    with pytest.raises(libsonic.errors.SonicError):
        client.getCoverArt("nothing")
    if world.key:
        wrong = libsonic.Connection("http://127.0.0.1", world.user, "wrong", port=world.port)
        with pytest.raises(libsonic.errors.CredentialError):
            wrong.getArtists()
