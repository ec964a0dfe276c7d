"""The library as persons walk through it: artists, albums, genres, folders (docs/browse.md)."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

from mediad.commands.context import Call, Context, Replies
from mediad.commands.folders import folders
from mediad.commands.items import check_id
from mediad.errors import InvalidArgument, NotFound
from mediad.store.store import pack
from mediad.store.walks import Asked, Place, Walk, values_of
from mediadb_contract import mediadb_pb2 as pb

WHAT = ("artists", "albums", "genres", "folders", "links")
_LINKS_MOST = 1000
LIMIT = 500  # where a request says none
_PAGE = 200  # rows in one reply: some 60 KB
# How long a walk waits until what was just read, played or starred is summed up; the rest follows by itself.
_SETTLE_SECONDS = 0.25
_WALK_SECONDS = 30.0  # a question that restricts it may find everything


async def browse(context: Context, request: pb.BrowseRequest, call: Call) -> Replies:
    """A page of artists, albums, genres or folders; the last reply carries a cursor when there is more."""
    if request.what not in WHAT:
        raise InvalidArgument(f"what is one of {' '.join(WHAT)}", request.what)
    if request.what == "folders":
        last: pb.BrowseReply | None = None
        async for reply in folders(context, request, call.actor.name):
            if last is not None:
                yield pb.Reply(browse=last)
            last = reply
        yield pb.Reply(browse=last, last=True)
        return
    if request.what == "links":
        yield pb.Reply(browse=await _links(context, request), last=True)
        return
    await context.walking.settle(_SETTLE_SECONDS)
    if request.id:
        yield pb.Reply(browse=await _one(context, request, call.actor.name), last=True)
        return
    async for part in _pages(context, request, call):
        yield part


async def _pages(context: Context, request: pb.BrowseRequest, call: Call) -> AsyncIterator[pb.Reply]:
    walk = Walk(await _asked(context, request, call.actor.name))
    place = walk.start(request.cursor)
    left = request.limit or LIMIT
    while True:
        size = min(_PAGE, left)
        statement, params = walk.page(place, size + 1)
        rows = await context.store.database.fetch(statement, *params, deadline=_WALK_SECONDS)
        more = len(rows) > size
        reply = pb.BrowseReply()
        for row in rows[:size]:
            _add(reply, request.what, row)
        left -= min(size, len(rows))
        if rows:
            end = rows[:size][-1]
            place = Place(place.seed, values_of(end, walk), str(end[0]))
        if not more or not left:
            if more:
                reply.cursor = walk.cursor(place)
            yield pb.Reply(browse=reply, last=True)
            return
        yield pb.Reply(browse=reply)


async def _asked(context: Context, request: pb.BrowseRequest, actor: str) -> Asked:
    if request.what != "albums":
        for name in ("artist", "genre", "year_from", "year_to"):
            if getattr(request, name):
                raise InvalidArgument(f"{name} is asked of albums", request.what)
    artist = ""
    if request.artist:
        artist = str(await context.metawork.find(check_id(request.artist), "artist"))
    matches, meaning = None, b""
    if request.query:
        await context.reindexer.settle()
        question = await context.asking.question(request.query, actor=actor)
        sql, params = question.matches()
        matches, meaning = (sql, tuple(params)), question.digest
    return Asked(
        what=request.what, actor=actor, sort=request.sort, prefix=request.prefix, artist=artist, genre=request.genre,
        year_from=request.year_from, year_to=request.year_to, starred=request.starred, everybody=request.all_artists,
        matches=matches, meaning=meaning,
    )  # fmt: skip


async def _one(context: Context, request: pb.BrowseRequest, actor: str) -> pb.BrowseReply:
    if request.what == "genres":
        raise InvalidArgument("a genre has no id: albums are asked by its name", request.what)
    meta = await context.metawork.find(check_id(request.id), request.what[:-1])
    statement, params = Walk(Asked(what=request.what, actor=actor)).one(str(meta))
    rows = await context.store.database.fetch(statement, *params)
    if not rows:
        raise NotFound(f"no song of this {request.what[:-1]} is known any more", str(meta))
    reply = pb.BrowseReply()
    _add(reply, request.what, rows[0])
    return reply


async def _links(context: Context, request: pb.BrowseRequest) -> pb.BrowseReply:
    """Album and artists of each song among `of`. Raises InvalidArgument for too many, or an id that is none."""
    if len(request.of) > _LINKS_MOST:
        raise InvalidArgument(f"links are asked of {_LINKS_MOST} items at most", str(len(request.of)))
    asked = [check_id(each).hex for each in request.of]
    found: dict[uuid.UUID, pb.Link] = {}
    for stream, other, role, name in await context.store.read("links_of_streams", pack(asked)):
        link = found.setdefault(stream, pb.Link(item=stream.bytes))
        if role == "album":
            link.album = other.bytes
        else:
            link.artists.append(other.bytes)
            link.artist_names.append(name)
    return pb.BrowseReply(links=found.values())


def _add(reply: pb.BrowseReply, what: str, row: tuple[Any, ...]) -> None:
    if what == "genres":
        reply.genres.add(name=row[1], songs=row[2], albums=row[3])
    elif what == "artists":
        _meta, name, albums, songs, starred, rating, sort_name, mb = row[:8]
        reply.artists.add(
            id=row[0].bytes, name=name, albums=albums, songs=songs, starred_at_ns=starred or 0, rating=rating or 0.0,
            sort_name=sort_name, musicbrainz_id=str(mb or ""),
        )  # fmt: skip
    else:
        (name, credit, songs, duration, year, genres, created, cover, compilation, mb, starred, rating, plays, played,
         artists) = row[1:16]  # fmt: skip
        whose = [(uuid.UUID(number).bytes, named) for number, named in json.loads(artists) if named] if artists else []
        reply.albums.add(
            id=row[0].bytes, name=name, artist=credit, artist_id=whose[0][0] if whose else b"", songs=songs,
            duration=duration, year=max(0, year or 0), genres=json.loads(genres), created_at_ns=created,
            cover=cover.bytes, starred_at_ns=starred or 0, rating=rating or 0.0, plays=plays or 0,
            played_at_ns=played or 0, musicbrainz_id=str(mb or ""), compilation=compilation,
            artist_ids=[number for number, _named in whose], artist_names=[named for _number, named in whose],
        )  # fmt: skip
