"""py-opensonic (libopensonic), the library of Music Assistant: every reply is parsed into typed records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.clients.server import ALBUMS, SONGS, World

libopensonic = pytest.importorskip(
    "libopensonic", reason="py-opensonic is not installed: pip install 'mediadb[clients]'"
)


@contextmanager
def blocking(world: World, **who: str) -> Iterator[Any]:
    client = libopensonic.Connection("http://127.0.0.1", port=world.port, app_name="tests", **who)
    try:
        yield client
    finally:
        client.cleanup()
        client._loop.close()  # which cleanup() only stops: pytest takes what is left open for a fault


def named(world: World) -> dict[str, str]:
    return dict(zip(("username", "password"), world.credentials, strict=True))


def test_blocking(world: World) -> None:
    with blocking(world, **named(world)) as client:
        assert client.ping()
        names = {extension.name for extension in client.get_open_subsonic_extensions()}
        assert {"formPost", "apiKeyAuthentication", "transcodeOffset", "songLyrics"} <= names
        artists = {artist.name: artist for index in client.get_artists().index for artist in index.artist}
        assert {album[0] for album in ALBUMS} <= set(artists)
        artist = client.get_artist(artists["Anna B"].id)
        assert {album.name for album in artist.album} == {"First Light", "Second Wind"}
        album = client.get_album(artist.album[0].id)
        assert [song.track for song in album.song] == [1, 2, 3]
        song = client.get_song(album.song[0].id)
        assert (song.duration, song.artist, song.type) == (2, "Anna B", "music")
        whole = client.search3("", song_count=500)
        assert len([each for each in whole.song if each.title.startswith("Song ")]) == SONGS
        # bytes are left to an event loop that the caller does not have here (the other test reads them)
        assert client.stream(song.id, tformat="raw").content_length == song.size
        assert client.get_cover_art(song.cover_art, 128).content_type == "image/jpeg"
        client.star([song.id])
        assert [each.id for each in client.get_starred2().song] == [song.id]
        client.unstar([song.id])
        client.scrobble(song.id)
        assert client.create_playlist(name="blocking", song_ids=[song.id])
        (made,) = client.get_playlists()
        assert [entry.id for entry in client.get_playlist(made.id).entry] == [song.id]
        client.delete_playlist(made.id)


def test_asynchronous(world: World) -> None:
    async def drive() -> None:
        client = libopensonic.AsyncConnection("http://127.0.0.1", port=world.port, app_name="tests", **named(world))
        try:
            assert await client.ping()
            artists = await client.get_artists()
            assert sum(len(index.artist) for index in artists.index) >= len({album[0] for album in ALBUMS})
            albums = await client.get_album_list2("newest", size=100)
            # many at once, as Music Assistant syncs
            full = await asyncio.gather(*(client.get_album(album.id) for album in albums))
            songs = [song for album in full for song in album.song]
            assert len([song for song in songs if song.title.startswith("Song ")]) == SONGS
            fetched = await asyncio.gather(*(client.get_song(song.id) for song in songs))
            assert [song.id for song in fetched] == [song.id for song in songs]
            await client.set_rating(songs[0].id, 5)
            assert (await client.get_song(songs[0].id)).user_rating == 5
            await client.save_play_queue([song.id for song in songs[:3]], songs[1].id, 4000)
            queue = await client.get_play_queue()
            assert (queue.current, queue.position, len(queue.entry)) == (songs[1].id, 4000, 3)
            answer = await client.stream(songs[0].id, tformat="raw")
            assert len(await answer.read()) == songs[0].size
            covered = next(song for song in songs if song.album == "First Light")
            cover = await client.get_cover_art(covered.cover_art, 128)
            assert (await cover.read())[:2] == b"\xff\xd8"
        finally:
            await client.cleanup()

    asyncio.run(drive())


def test_api_key(world: World) -> None:
    """The key in place of name and password."""
    with blocking(world, api_key=world.key or "anything") as client:
        assert client.ping()
        assert len(client.search3("Opus One").song) == 2
