"""The walk through the library: the call, its results, and how they are shown (docs/browse.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mediactl import decode, jsontext
from mediactl.itemtable import item_row, item_table
from mediactl.model import Item
from mediactl.terminal import Column, Table
from mediactl.wording import say_count, say_duration
from mediactl.workcalls import Call
from mediadb_contract import mediadb_pb2 as pb


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist, with the albums that are theirs and the songs on these and on those of others."""

    id: UUID
    name: str
    albums: int
    songs: int
    starred_at_ns: int | None  # of the actor
    rating: float | None
    sort_name: str
    musicbrainz_id: str


@dataclass(frozen=True, slots=True)
class Album:
    """An album. `duration`: seconds; `cover`: its first song; `plays`: of the actor, all its songs together."""

    id: UUID
    name: str
    artist: str
    artist_ids: list[UUID]
    artist_names: list[str]
    songs: int
    duration: float
    year: int | None
    genres: list[str]
    created_at_ns: int
    cover: UUID | None
    compilation: bool
    starred_at_ns: int | None
    rating: float | None
    plays: int
    played_at_ns: int | None
    musicbrainz_id: str


@dataclass(frozen=True, slots=True)
class Genre:
    """A genre."""

    name: str
    songs: int
    albums: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder; `files` and `folders` are present in it itself; `path` is empty where it is not mounted."""

    id: int
    parent: int | None  # None: the top of a root
    name: str
    root: int
    files: int
    folders: int
    path: bytes


@dataclass(slots=True)
class Walked:
    """A page of a walk. `cursor`: where it goes on, None at the end; `folder`: the one asked for, `above`: from its
    root to its parent."""

    artists: list[Artist] = field(default_factory=list)
    albums: list[Album] = field(default_factory=list)
    genres: list[Genre] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    cursor: bytes | None = None
    folder: Folder | None = None
    above: list[Folder] = field(default_factory=list)


def browse(
    what: str, *, id: UUID | None = None, artist: UUID | None = None, query: str = "", sort: str = "", limit: int = 0,
    cursor: bytes = b"", prefix: str = "", folder: int = 0, items: bool = False, all_artists: bool = False,
    year_from: int = 0, year_to: int = 0, genre: str = "", starred: bool = False,
) -> Call[Walked]:  # fmt: skip
    """A page of `what` (artists albums genres folders), as BrowseRequest of proto/mediadb.proto says."""
    request = pb.BrowseRequest(
        what=what, id=id.bytes if id else b"", artist=artist.bytes if artist else b"", query=query, sort=sort,
        limit=limit, cursor=cursor, prefix=prefix, folder=folder, items=items, all_artists=all_artists,
        year_from=year_from, year_to=year_to, genre=genre, starred=starred,
    )  # fmt: skip
    return Call(pb.Request(browse=request), _walked)


def _walked(replies: Sequence[pb.Reply]) -> Walked:
    found = Walked()
    for reply in replies:
        page = reply.browse
        found.artists += [_artist(each) for each in page.artists]
        found.albums += [_album(each) for each in page.albums]
        found.genres += [Genre(each.name, each.songs, each.albums) for each in page.genres]
        found.folders += [_folder(each) for each in page.folders]
        found.items += [decode.decode_item(each) for each in page.items]
        found.above += [_folder(each) for each in page.above]
        if page.HasField("folder"):
            found.folder = _folder(page.folder)
        found.cursor = page.cursor or None
    return found


def _artist(each: pb.Artist) -> Artist:
    return Artist(
        UUID(bytes=each.id), each.name, each.albums, each.songs, each.starred_at_ns or None, each.rating or None,
        each.sort_name, each.musicbrainz_id,
    )  # fmt: skip


def _album(each: pb.Album) -> Album:
    return Album(
        UUID(bytes=each.id), each.name, each.artist, [UUID(bytes=one) for one in each.artist_ids],
        list(each.artist_names), each.songs, each.duration, each.year or None, list(each.genres), each.created_at_ns,
        UUID(bytes=each.cover) if each.cover else None, each.compilation, each.starred_at_ns or None,
        each.rating or None, each.plays, each.played_at_ns or None, each.musicbrainz_id,
    )  # fmt: skip


def _folder(each: pb.Folder) -> Folder:
    return Folder(each.id, each.parent or None, each.name, each.root, each.files, each.folders, bytes(each.path))


# ------------------------------------------------------------------ shown


def describe(found: Any) -> dict[str, Any]:
    """An artist, album, genre, folder or item for programs."""
    if isinstance(found, Item):
        return jsontext.describe_item(found)
    told: dict[str, Any] = {}
    for name in found.__dataclass_fields__:
        value = getattr(found, name)
        if isinstance(value, UUID):
            value = str(value)
        elif isinstance(value, bytes):
            value = value.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
        elif isinstance(value, list):
            value = [str(each) for each in value]
        elif name.endswith("_ns") and value is not None:
            name, value = name.removesuffix("_ns"), value / 1e9
        if value not in (None, "", []) and value is not False:
            told[name] = value
    return told


def lines(found: Walked, what: str, width: int | None) -> list[str]:
    """A table for people."""
    if what == "artists":
        columns = [Column("ALBUMS", right=True), Column("SONGS", right=True), Column("", right=True),
                   Column("ARTIST", weight=1), Column("ID")]  # fmt: skip
        artists = [
            [f"{a.albums:,}", f"{a.songs:,}", _marks(a.starred_at_ns, a.rating), a.name, str(a.id)]
            for a in found.artists
        ]
        return Table(columns, width).lines(artists) if artists else ["no artists"]
    if what == "albums":
        columns = [Column("YEAR", right=True), Column("SONGS", right=True), Column("LENGTH", right=True), Column(""),
                   Column("ARTIST", weight=1), Column("ALBUM", weight=2), Column("ID")]  # fmt: skip
        albums = [
            [str(a.year or ""), f"{a.songs:,}", say_duration(a.duration), _marks(a.starred_at_ns, a.rating), a.artist,
             a.name, str(a.id)] for a in found.albums
        ]  # fmt: skip
        return Table(columns, width).lines(albums) if albums else ["no albums"]
    if what == "genres":
        columns = [Column("ALBUMS", right=True), Column("SONGS", right=True), Column("GENRE", weight=1)]
        genres = [[f"{g.albums:,}", f"{g.songs:,}", g.name] for g in found.genres]
        return Table(columns, width).lines(genres) if genres else ["no genres"]
    return _folder_lines(found, width)


def _folder_lines(found: Walked, width: int | None) -> list[str]:
    said = []
    if found.folder is not None:
        said.append(" / ".join(each.name for each in (*found.above, found.folder)))
        said.append(
            f"{say_count(found.folder.folders, 'folder')}, {say_count(found.folder.files, 'file')} in it"
        )  # fmt: skip
    columns = [Column("NUMBER", right=True), Column("FOLDERS", right=True), Column("FILES", right=True),
               Column("NAME", weight=1, tail=True)]  # fmt: skip
    rows = [[str(f.id), f"{f.folders:,}", f"{f.files:,}", f.name] for f in found.folders]
    if rows:
        said += Table(columns, width).lines(rows)
    if found.items:
        said += item_table(width).lines([item_row(each) for each in found.items])
    return said or ["nothing was added yet: mediactl add FOLDER"]


def _marks(starred: int | None, rating: float | None) -> str:
    return " ".join(part for part in ("*" if starred else "", f"{rating:g}" if rating else "") if part)


def everything(found: Walked) -> Iterable[Any]:
    """All of a page in the order of its kinds."""
    return [*found.artists, *found.albums, *found.genres, *found.folders, *found.items]
