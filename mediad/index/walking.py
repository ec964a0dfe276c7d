"""Keeps albums, artists and genres summed up, as lists show them (tables album, artist, genre).

Triggers note the albums of which something changed in the transaction of that change (table stale_album); here they are
summed up anew. What an album gives to its artists and genres is taken back and given anew in one transaction, under a
lock, so that their counts never drift. Decision 0019 says why not per request.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import Any

from mediad.errors import MediadError
from mediad.index.albums import AlbumRows, Song, song_of, summarise
from mediad.index.metawork import MetaWork
from mediad.store.store import Store, pack

log = logging.getLogger(__name__)

_AT_ONCE = 100  # albums in one transaction
_ROWS_AT_ONCE = 100  # songs decoded before others have their turn: some 2 ms
_GIVE_UP_SECONDS = 60.0
# While files are read albums change all the time: the rest between two looks is this many times what a look took, so
# that a large album that grows is not summed up for every song.
_REST = 3.0
_REST_MOST_SECONDS = 5.0


class Walking:
    """One at a time; `wake` when something may have been noted. Sleeps when nothing is."""

    def __init__(self, store: Store, metawork: MetaWork) -> None:
        self._store = store
        self._metawork = metawork
        self._running: asyncio.Task[None] | None = None
        self._again = False
        self._hurry = asyncio.Event()

    def wake(self) -> None:
        """Something may have been noted."""
        self._again = True
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(), name="walking")

    async def settle(self, seconds: float) -> None:
        """Returns when everything noted so far is summed up, or after so long; at once when it is more than that takes,
        as while a library is read: the rest follows by itself. Raises what the store raises."""
        waiting = (await self._store.read("few_stale_albums", _AT_ONCE + 1))[0][0]
        if not waiting:
            return
        self.wake()
        if waiting > _AT_ONCE:
            return
        self._hurry.set()
        assert self._running is not None
        await asyncio.wait([self._running], timeout=seconds)

    async def stop(self) -> None:
        """What is noted stays noted."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        while self._again:
            self._again = False
            began = time.monotonic()
            try:
                while await self._some():
                    pass
            except MediadError as error:
                # What is noted stays so; the next change, or the next start, tries again.
                log.warning("albums could not be summed up", extra={"why": error.for_log})
                return
            if not self._hurry.is_set():
                rest = min(_REST * (time.monotonic() - began), _REST_MOST_SECONDS)
                try:
                    await asyncio.wait_for(self._hurry.wait(), rest)
                except TimeoutError:
                    continue
            self._hurry.clear()

    async def _some(self) -> bool:
        stale = await self._store.read("stale_albums", _AT_ONCE, deadline=30.0)
        if not stale:
            return False
        metas = pack([str(row[0]) for row in stale])
        summed = [row for row in stale if row[2] != "artist"]
        # Who of them was somebody's before what they hold changes; then who is.
        worked = {row[0] for row in await self._store.read("worked_metas", metas, deadline=30.0)}
        rows = await self._rows(summed)
        unit: list[tuple[str, tuple[Any, ...]]] = [
            ("lock_albums", ()), ("take_back_albums", (pack([str(row[0]) for row in summed]),))
        ]  # fmt: skip
        if rows.metas:
            # In the order of their digests, as whoever reads songs puts them.
            unit.append(("put_metas", (pack([rows.metas[digest] for digest in sorted(rows.metas)]),)))
        for name, part in (
            ("put_albums", rows.albums), ("put_album_artists", rows.artists), ("put_album_genres", rows.genres),
            ("put_album_actors", rows.actors),
        ):  # fmt: skip
            if part:
                unit.append((name, (pack(part),)))
        await self._store.write(unit, give_up_after=_GIVE_UP_SECONDS, deadline=30.0)
        worked.update(row[0] for row in await self._store.read("worked_metas", metas, deadline=30.0))
        if worked:
            await self._metawork.regroup([str(meta) for meta in worked])
        # Only now: what a crash leaves undone is done at the next start.
        fresh = pack([{"u": str(row[0]), "m": row[1]} for row in stale])
        await self._store.write([("fresh_albums", (fresh,))], give_up_after=_GIVE_UP_SECONDS)
        return True

    async def _rows(self, stale: list[tuple[Any, ...]]) -> AlbumRows:
        """What there is to store of these."""
        found: dict[uuid.UUID, list[Song]] = {}
        asked = pack([str(row[0]) for row in stale])
        for number, (meta, *row) in enumerate(await self._store.read("songs_of_albums", asked, deadline=30.0), 1):
            found.setdefault(meta, []).append(song_of(*row))
            if not number % _ROWS_AT_ONCE:
                await asyncio.sleep(0)
        plays: dict[str, list[tuple[str, int, int]]] = {}
        streams = sorted({song.stream for songs in found.values() for song in songs})
        for stream, actor, count, at in await self._store.read("plays_of_streams", pack(streams), deadline=30.0):
            plays.setdefault(str(stream), []).append((actor, count, at))
        rows = AlbumRows()
        for meta, _mark, kind, name in stale:
            album = summarise(found.get(meta, ()), loose=kind == "song")
            if album is not None:
                rows.add(str(meta), album, plays, loose=kind == "song", name=name)
            await asyncio.sleep(0)
        return rows
