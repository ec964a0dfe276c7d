"""MPD: the sticker database, and its folder of stored playlists.

Schema: MPD src/sticker/Database.cxx, table `sticker` (type, uri, name, value); all values are text. MPD gives no
sticker a meaning, clients do. Read here are those of myMPD (its docs/060-references/sticker.md), which most share:

    rating      0 to 10, 0 is no rating        like        0 dislike, 1 neutral, 2 like
    playCount   whole number                   lastPlayed  Unix seconds
    skipCount   whole number                   lastSkipped Unix seconds
    elapsed     a place in a song: left

Numbers may be padded with zeros. `rating_scale` is for a client that rates to another number than 10. Stickers of other
names are kept as fields. Only those of songs are read: a playlist, a filter or a tag is no file.

Playlists: MPD src/PlaylistFile.cxx: `<name>.m3u`, a URI a line in the file system's bytes, relative to the music folder
(absolute with save_absolute_paths_in_playlists), lines beginning with # and empty ones passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import groupby

from mediad.errors import InvalidArgument

from .files import Database, Row, fault, has_columns, opened
from .model import Options, Playlist, Record, Work
from .values import Values, key, text

_SUFFIX = b".m3u"
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://")
_LIKES = {b"0": False, b"1": False, b"2": True}


class Mpd:
    """The sticker file (state or database folder, often `sticker.sql`), or a folder of playlists alone.

    Heeds music_directory, playlists, rating_scale."""

    name = "mpd"
    about = "MPD's sticker database, or its folder of .m3u playlists"

    def sniff(self, path: bytes) -> bool:
        if os.path.isdir(path):
            return any(_playlist_files(path))
        return has_columns(path, sticker="type uri name value")

    def read(self, path: bytes, options: Options) -> Iterator[Record]:
        scale = 10.0 if options.rating_scale is None else options.rating_scale
        if os.path.isdir(path):
            yield from _playlists(path, options.music_directory)
            return
        with Database(path) as database:
            # the order is that of the table's unique index: nothing is sorted, nothing held but one song's stickers
            rows = database.rows("SELECT uri, name, value FROM sticker WHERE type = 'song' ORDER BY uri, name")
            for uri, stickers in groupby(rows, key=lambda row: row["uri"]):
                yield from _song(_bytes(uri), list(stickers), options.music_directory, scale)
        if options.playlists:
            if not os.path.isdir(options.playlists):
                raise InvalidArgument("the playlists of MPD are a folder", options.playlists)
            yield from _playlists(options.playlists, options.music_directory)


def _bytes(raw: object) -> bytes:
    return raw if isinstance(raw, bytes) else text(raw).encode()


def _identity(uri: bytes, music_directory: bytes, fields: dict[str, str], source_id: str) -> Work:
    if _SCHEME.match(uri):  # a stream: nothing on this disk
        return Work(fields={**fields, "uri": text(uri)}, source_id=source_id)
    return Work(path=uri, relative_to=music_directory, fields=fields, source_id=source_id)


def _song(uri: bytes, stickers: list[Row], music_directory: bytes, scale: float) -> Iterator[Record]:
    said = {text(row["name"]): _bytes(row["value"]) for row in stickers}
    said.pop("elapsed", None)
    if not said:
        return
    values = Values(f"song:{key(uri)}")
    like = said.pop("like", None)
    fields: dict[str, str] = {}
    starred = None
    if like is not None:
        starred = _LIKES.get(like.lstrip(b"0") or b"0")
        if starred is None:
            values.problem(f"like is {text(like)[:40]!r}, not 0, 1 or 2")
        elif not like.strip(b"0"):
            fields["disliked"] = "1"
    rating = values.stars("rating", said.pop("rating", None), scale)
    plays = values.count("playCount", said.pop("playCount", None))
    played = values.unix_ns("lastPlayed", said.pop("lastPlayed", None))
    skipped = values.count("skipCount", said.pop("skipCount", None))
    fields.update((name, text(value)) for name, value in said.items())
    where = _identity(uri, music_directory, fields, values.source_id)
    yield Work(
        path=where.path,
        relative_to=where.relative_to,
        rating=rating,
        starred=starred,
        plays=plays,
        played_at_ns=played,
        skipped=skipped,
        fields=where.fields,
        source_id=values.source_id,
    )
    yield from values.problems


def _playlist_files(folder: bytes) -> Iterator[bytes]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise fault(error, folder) from error
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith(_SUFFIX) and len(name) > len(_SUFFIX) and os.path.isfile(path):
            yield path


def _playlists(folder: bytes, music_directory: bytes) -> Iterator[Record]:
    for path in _playlist_files(folder):
        entries = []
        with opened(path) as file:
            for line in file:
                uri = line.rstrip(b"\r\n")  # and no blanks: a name may end in one
                if uri and not uri.startswith(b"#"):
                    entries.append(_identity(uri, music_directory, {}, f"song:{key(uri)}"))
        name = os.path.basename(path)[: -len(_SUFFIX)]
        yield Playlist(name=text(name), entries=tuple(entries), source_id=f"playlist:{key(name)}")
