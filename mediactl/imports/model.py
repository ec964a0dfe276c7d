"""What another program knows of a person's work on media, the same record whatever the program.

Nothing here is stored or matched: a reader yields these, somebody else finds the item a record is about. Paths are
bytes as that program has them, times nanoseconds since the Unix epoch, durations seconds, ratings 0 to 5 stars. None is
"that program does not say", never "no": a reader puts a value only where the person, or the program for them, set one.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Work:
    """One record of one person about one file; with `about` "album" or "artist", about all of that instead.

    What identifies the file is `path`, `sha1` and the descriptive fields, as far as the program has them; what the
    person did is the rest. A record about an album has `album` and `album_artist`, about an artist `artist`, and
    neither a path nor a title."""

    path: bytes = b""  # absolute, or relative to `relative_to`; b"" if the program names no file
    relative_to: bytes = b""  # the program's music folder; an absolute path may lie in it
    sha1: bytes = b""  # of the file's content: b"" or 20 bytes
    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    duration: float | None = None  # seconds
    track: int | None = None
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    rating: float | None = None  # stars, 0 to 5; fractions where the program has them
    starred: bool | None = None
    plays: int | None = None
    played_at_ns: int | None = None  # the last play
    skipped: int | None = None  # how often
    fields: dict[str, str] = field(default_factory=dict)  # anything else worth keeping, by that program's own names
    added_ns: int | None = None  # when the file came into that program
    user: str = ""  # that program's user; "" if it has but one
    source_id: str = ""  # the same at every reading of the same record
    at_ns: int | None = None  # when the person last rated, starred or tagged, if the program says so
    about: str = "track"  # track, album, artist


@dataclass(frozen=True, slots=True)
class Playlist:
    """A list a person made, in its order, repeats kept. Of its entries only what identifies the file is filled."""

    name: str
    entries: tuple[Work, ...] = ()
    user: str = ""
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A record, or a value of it, that could not be read: said and passed over, the rest of the file is read on."""

    source_id: str
    message: str


Record: TypeAlias = Work | Playlist | Problem


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say beside the file; each peer's class says which of these it heeds."""

    music_directory: bytes = b""  # what relative paths are relative to, where the program's file does not say it
    playlists: bytes = b""  # mpd: the folder of stored playlists
    database: bytes = b""  # homegallery: its database.db
    rating_scale: float | None = None  # the rating that means five stars; mpd, beets


class Peer(Protocol):
    """A program whose file can be read."""

    name: str
    about: str  # one line for a person: which file is meant

    def sniff(self, path: bytes) -> bool:
        """Is this a file of the program, by content? Raises Corrupt where it could be, and cannot be read."""
        ...

    def read(self, path: bytes, options: Options) -> Iterator[Record]:
        """Records in the program's order. Raises Corrupt in the middle where the file ends or breaks there."""
        ...
