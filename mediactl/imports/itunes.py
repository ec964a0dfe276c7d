"""iTunes and Music: "iTunes Music Library.xml", "Library.xml".

A property list in XML: `Tracks` by Track ID, then `Playlists`. Apple does not document its keys; they are those of
libraries iTunes 12 wrote. It is read entry by entry, as it grows with every file of a person's; plistlib would hold
all of it. Entities are refused, as plistlib refuses them: a library has none, and they can be made to fill the
memory.

Taken of a track: Location (see _path), Name, Artist, Album, Album Artist, Total Time (milliseconds), Track Number,
Rating (0 to 100, 0 is none; not where Rating Computed says it follows from the album's), Loved or Favorited,
Disliked, Play Count, Play Date UTC, Skip Count, Date Added; as fields Skip Date, Comments, Grouping, disliked,
disabled (the box before the song is not ticked) and album_rating (stars, where it is not computed). Left: playlists
the program makes (Master, Distinguished Kind: Music, Purchased, Genius ..., Smart Info) and folders.
"""

from __future__ import annotations

import html
import os
import re
from collections import deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

from mediad.errors import Corrupt

from .files import head, opened
from .model import Options, Playlist, Problem, Record, Work
from .values import Values, text

_CHUNK = 1 << 18  # bytes
_MARKS = (b"<key>Library Persistent ID</key>", b"<key>Music Folder</key>", b"<key>Tracks</key>")
_NOT_A_PERSONS = ("Master", "Distinguished Kind", "Smart Info", "Smart Criteria", "Folder")
# Play Date counts seconds from 1904 in 32 bits; a song never played has -3600 or so in it, by time zone, and the
# Play Date UTC of 2040-02-06 that follows from it (seen in libraries of iTunes 12.6)
_NEVER_PLAYED = (1 << 32) - 86_400
_END = 1 << 16  # bytes at either end of the file in which the music folder is looked for
_FOLDER = re.compile(rb"<key>Music Folder</key>\s*<string>([^<]*)</string>")
_DRIVE = re.compile(rb"/[A-Za-z]:(/|$)")


class ITunes:
    name = "itunes"
    about = "iTunes' or Music's library as XML"

    def sniff(self, path: bytes) -> bool:
        start = head(path, 1 << 14)
        return b"<plist" in start and any(mark in start for mark in _MARKS)

    def read(self, path: bytes, options: Options) -> Iterator[Record]:
        folder = _music_folder(path)
        tracks: dict[str, Work] = {}  # by Track ID, for the playlists: what identifies the file and no more
        playlists: list[dict[str, Any]] = []
        for place, name, value in _parts(path):
            if place == "Playlists" and isinstance(value, dict):
                playlists.append(value)
            elif place == "Tracks" and isinstance(value, dict):
                tracks[name] = identity = _identity(value, name, folder)
                yield from _track(value, identity)
            elif place in ("Tracks", "Playlists"):
                yield Problem(f"{place}:{name}", "the entry is no dictionary")
        for playlist in playlists:  # after all tracks, wherever they stood
            yield from _playlist(playlist, tracks)


class _Plist:
    """A property list as it comes: what is complete below a root key goes to `parts` as (root key, own key, value).

    The entries of the root's dictionaries and lists come singly and are not kept. A number or date that is none stays
    text, so that one bad value is a Problem and not the end of the library."""

    def __init__(self) -> None:
        self.parts: deque[tuple[str, str, Any]] = deque()
        self.complete = False
        self._stack: list[Any] = []  # containers that are open
        self._keys: list[str] = []  # the last key in each
        self._text: list[str] = []
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = self._entity
        self.parser = parser

    def _entity(self, *_: Any) -> None:
        raise ValueError("it declares entities")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._text.clear()
        if name in ("dict", "array"):
            if len(self._stack) > 64:
                raise ValueError("it nests deeper than a library does")
            self._stack.append({} if name == "dict" else [])
            self._keys.append("")

    def _end(self, name: str) -> None:
        said = "".join(self._text)
        self._text.clear()
        if name == "key":
            if self._keys:
                self._keys[-1] = said
        elif name in ("dict", "array"):
            self._keys.pop()
            self._place(self._stack.pop())
        elif name in ("true", "false"):
            self._place(name == "true")
        elif name in ("integer", "real"):
            self._place(_number(said))
        elif name == "plist":
            self.complete = True
        else:  # string, date, data: as written
            self._place(said)

    def _place(self, value: Any) -> None:
        depth = len(self._stack)
        if depth == 1:
            if not isinstance(value, dict | list):
                self.parts.append((self._keys[0], "", value))
        elif depth == 2:
            self.parts.append((self._keys[0], self._keys[1], value))
        elif depth and isinstance(self._stack[-1], dict):
            self._stack[-1][self._keys[-1]] = value
        elif depth:
            self._stack[-1].append(value)


def _number(said: str) -> int | float | str:
    try:
        return int(said) if "." not in said else float(said)
    except ValueError:
        return said


def _parts(path: bytes) -> Iterator[tuple[str, str, Any]]:
    """Raises Corrupt for XML that is broken or breaks off."""
    plist = _Plist()
    with opened(path) as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                plist.parser.Parse(chunk, not chunk)
            except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an encoding not known
                yield from plist.parts  # what came before the damage is whole
                raise Corrupt(f"the library is damaged or breaks off: {error}", path) from error
            while plist.parts:
                yield plist.parts.popleft()
            if not chunk:
                break
    if not plist.complete:
        raise Corrupt("the library is no property list", path)


def _path(location: str) -> bytes:
    """The bytes a file URL stands for; b"" for any other URL.

    file://localhost/x and file:///x are /x; a drive keeps its letter (C:/x); another host is a share (//host/x)."""
    if not location.lower().startswith("file://"):
        return b""
    host, slash, rest = location[len("file://") :].partition("/")
    path = unquote_to_bytes(slash + rest)
    if host.lower() not in ("", "localhost"):
        return b"//" + unquote_to_bytes(host) + path
    return path[1:] if _DRIVE.match(path) else path


def _music_folder(path: bytes) -> bytes:
    """It stands before the tracks or, in libraries of iTunes 12, after the playlists: looked for in both ends."""
    with opened(path) as file:
        start = file.read(_END)
        file.seek(max(0, os.fstat(file.fileno()).st_size - _END))
        match = _FOLDER.search(start) or _FOLDER.search(file.read(_END))
    return _path(html.unescape(match[1].decode("utf-8", "replace"))) if match else b""


def _identity(track: dict[str, Any], track_id: str, folder: bytes) -> Work:
    values = Values("")
    path = _path(text(track.get("Location")))
    milliseconds = values.number("Total Time", track.get("Total Time"))
    return Work(
        path=path,
        relative_to=folder if path else b"",
        title=text(track.get("Name")),
        artist=text(track.get("Artist")),
        album=text(track.get("Album")),
        album_artist=text(track.get("Album Artist")),
        duration=milliseconds / 1000 if milliseconds else None,
        track=values.count("Track Number", track.get("Track Number")) or None,
        source_id=f"track:{text(track.get('Persistent ID')) or track_id}",
    )


def _fields(track: dict[str, Any], values: Values) -> dict[str, str]:
    fields = {name: text(track.get(name)) for name in ("Skip Date", "Comments", "Grouping")}
    fields["disliked"] = "1" if track.get("Disliked") is True else ""
    fields["disabled"] = "1" if track.get("Disabled") is True else ""
    if track.get("Album Rating Computed") is not True:
        stars = values.stars("Album Rating", track.get("Album Rating"), 100.0)
        fields["album_rating"] = f"{stars:g}" if stars else ""
    if not text(track.get("Location")).lower().startswith("file://"):
        fields["uri"] = text(track.get("Location"))
    return {name: value for name, value in fields.items() if value}


def _starred(track: dict[str, Any]) -> bool | None:
    if track.get("Loved") is True or track.get("Favorited") is True:  # Favorited: Music since macOS 14.2
        return True
    return False if track.get("Disliked") is True else None


def _track(track: dict[str, Any], identity: Work) -> Iterator[Record]:
    values = Values(identity.source_id)
    for name in ("Total Time", "Track Number"):
        values.number(name, track.get(name))  # for what is wrong with them; `identity` has them
    rating = None
    if track.get("Rating Computed") is not True:
        rating = values.stars("Rating", track.get("Rating"), 100.0)
    played = values.date_ns("Play Date UTC", track.get("Play Date UTC"))
    if (values.number("Play Date", track.get("Play Date")) or 0) >= _NEVER_PLAYED:
        played = None
    yield Work(
        path=identity.path,
        relative_to=identity.relative_to,
        title=identity.title,
        artist=identity.artist,
        album=identity.album,
        album_artist=identity.album_artist,
        duration=identity.duration,
        track=identity.track,
        rating=rating,
        starred=_starred(track),
        plays=values.count("Play Count", track.get("Play Count")),
        played_at_ns=played,
        skipped=values.count("Skip Count", track.get("Skip Count")),
        fields=_fields(track, values),
        added_ns=values.date_ns("Date Added", track.get("Date Added")),
        source_id=identity.source_id,
    )
    yield from values.problems


def _playlist(playlist: dict[str, Any], tracks: dict[str, Work]) -> Iterator[Record]:
    if any(playlist.get(name) for name in _NOT_A_PERSONS):
        return
    source_id = f"playlist:{text(playlist.get('Playlist Persistent ID') or playlist.get('Playlist ID'))}"
    entries = []
    items = playlist.get("Playlist Items")
    for item in items if isinstance(items, list) else []:
        track_id = text(item.get("Track ID")) if isinstance(item, dict) else ""
        if track_id in tracks:
            entries.append(tracks[track_id])
        else:
            yield Problem(source_id, f"the entry's track is not in the library: {track_id[:40]!r}")
    yield Playlist(name=text(playlist.get("Name")), entries=tuple(entries), source_id=source_id)
