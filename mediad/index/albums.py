"""What an album amounts to: its songs summed up. Pure.

An album's songs agree by what tells albums apart (index/metas): a MusicBrainz release, or the name and whose it is. In
everything else the most frequent value counts. Whose an album is: its album artists; else, of a compilation, Various
Artists; else the artists of its songs where all have the same, else Various Artists (docs/browse.md). A song without an
album is summed up in the same way, as what it gives to its artists and genres.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mediad.fold import fold, reverse, shorten, tokens
from mediad.ids import mint
from mediad.index.metas import artist_digest

VARIOUS = "Various Artists"
# Those who are on an album's songs and not among its own artists: beyond it nobody walks from them to it.
CREDITS_MOST = 1000
GENRES_MOST = 20

Artist = tuple[str, str]  # name, MusicBrainz id or ""


@dataclass(frozen=True, slots=True)
class Song:
    """A song as its first file has it. `fields`: those that songs_of_albums (sql/queries/walk.sql) names."""

    stream: str
    missing: bool
    first_seen_ns: int
    name: bytes
    duration: float
    date: str
    fields: dict[str, Any]

    @property
    def artists(self) -> tuple[Artist, ...]:
        """Who is on it."""
        credit = self.fields.get("artist_credit")
        return paired(self.fields.get("artists") or ([credit] if credit else []), self.fields.get("mb_artist_ids"))

    @property
    def album_artists(self) -> tuple[Artist, ...]:
        """Whose the album is, as this song says."""
        credit = self.fields.get("album_artist_credit")
        names = self.fields.get("album_artists") or ([credit] if credit else [])
        return paired(names, self.fields.get("mb_album_artist_ids"))


FIELDS = ("album", "album_artists", "album_artist_credit", "album_artist_sort", "mb_album_artist_ids", "artists",
          "artist_credit", "artist_sort", "mb_artist_ids", "compilation", "genres", "mb_release_id", "album_sort",
          "disc_number", "track_number")  # fmt: skip


def song_of(stream: Any, missing: bool, first_seen: int, name: bytes, duration: Any, date: Any, packed: str) -> Song:
    """A row of songs_of_albums."""
    values = json.loads(packed)
    fields = {key: value for key, value in zip(FIELDS, values, strict=True) if value is not None}
    return Song(str(stream), missing, first_seen, name, duration or 0.0, date or "", fields)


def paired(names: Sequence[str], ids: Sequence[str] | None) -> tuple[Artist, ...]:
    """Names with their MusicBrainz ids where there are as many."""
    known = ids if ids is not None and len(ids) == len(names) else [""] * len(names)
    return tuple(zip(names, known, strict=True))


@dataclass(frozen=True, slots=True)
class Album:
    """What the tables album, album_artist and album_genre hold of one."""

    name: str
    sort_name: str
    credit: str
    songs: int
    duration: float
    year: int | None
    genres: tuple[str, ...]
    created_ns: int
    cover: str
    compilation: bool
    musicbrainz_id: str | None
    missing: bool
    artists: tuple[Artist, ...]
    artist_sort: str
    credited: tuple[tuple[Artist, int], ...]  # who else is on it, on how many songs
    of_genre: tuple[tuple[str, str, int], ...]  # folded, name, songs
    streams: tuple[str, ...]


def summarise(songs: Iterable[Song], *, loose: bool = False) -> Album | None:
    """An album of these songs: the present ones, or all when none is; None for none."""
    everyone = list(songs)
    present = [song for song in everyone if not song.missing] or everyone
    if not present:
        return None
    present.sort(key=_order)
    artists, credit = _whose(present, loose)
    own = {artist_digest(*artist) for artist in artists}
    credited: dict[str, tuple[Artist, int]] = {}
    for song in present:
        for digest, artist in {artist_digest(*each): each for each in song.artists}.items():
            if digest not in own:
                credited[digest] = (artist, credited.get(digest, (artist, 0))[1] + 1)
    genres = _genres(present)
    year = _most(int(song.date[:4]) for song in present if song.date[:4].isdigit())
    return Album(
        name=_most(song.fields.get("album", "") for song in present) or "", credit=credit,
        sort_name=_most(song.fields["album_sort"] for song in present if song.fields.get("album_sort")) or "",
        songs=len(present), duration=round(sum(song.duration for song in present), 3), year=year or None,
        genres=tuple(name for _folded, name, _songs in genres[:GENRES_MOST]),
        created_ns=min(song.first_seen_ns for song in present), cover=present[0].stream,
        compilation=not loose and _compiled(present, artists),
        musicbrainz_id=_most(song.fields["mb_release_id"] for song in present if song.fields.get("mb_release_id")),
        missing=present[0].missing, artists=artists, artist_sort=_sort_name(present, artists),
        credited=tuple(sorted(credited.values(), key=lambda each: (-each[1], each[0]))[:CREDITS_MOST]),
        of_genre=tuple(genres), streams=tuple(song.stream for song in present),
    )  # fmt: skip


def _order(song: Song) -> tuple[Any, ...]:
    return (song.fields.get("disc_number") or 1, song.fields.get("track_number") or 0, song.name, song.stream)


def _most(values: Iterable[Any]) -> Any:
    """The most frequent, of several the least; None of none."""
    counted = Counter(values)
    return min(counted, key=lambda value: (-counted[value], value)) if counted else None


def _unique(artists: tuple[Artist, ...]) -> tuple[Artist, ...]:
    return tuple({artist_digest(*artist): artist for artist in reversed(artists)}.values())[::-1]


def _whose(songs: list[Song], loose: bool) -> tuple[tuple[Artist, ...], str]:
    named = [] if loose else [song for song in songs if song.album_artists]
    if named:
        artists = _most(song.album_artists for song in named)
        credits_of = (song.fields.get("album_artist_credit") for song in named if song.album_artists == artists)
        return _unique(artists), _most(each for each in credits_of if each) or ", ".join(name for name, _mb in artists)
    if loose or not any(song.fields.get("compilation") for song in songs):
        whose = {tuple(artist_digest(*artist) for artist in song.artists) for song in songs}
        if len(whose) == 1:
            artists = songs[0].artists
            if not artists:
                return (), ""
            credit = _most(song.fields["artist_credit"] for song in songs if song.fields.get("artist_credit"))
            return _unique(artists), credit or ", ".join(name for name, _mb in artists)
    return ((VARIOUS, ""),), VARIOUS


def _compiled(songs: list[Song], artists: tuple[Artist, ...]) -> bool:
    return any(song.fields.get("compilation") for song in songs) or any(
        fold(name) == fold(VARIOUS) for name, _mb in artists
    )


def _sort_name(songs: list[Song], artists: tuple[Artist, ...]) -> str:
    """Of the one artist: of several a sort form does not say whose it is."""
    if len(artists) != 1 or artists[0][0] == VARIOUS:
        return ""
    named = "album_artist_sort" if any(song.album_artists for song in songs) else "artist_sort"
    return _most(song.fields[named] for song in songs if song.fields.get(named)) or ""


def _genres(songs: list[Song]) -> list[tuple[str, str, int]]:
    counted: Counter[str] = Counter()
    names: dict[str, Counter[str]] = {}
    for song in songs:
        spelled = {shorten(fold(name)) or name.casefold()[:255]: name for name in song.fields.get("genres", ())}
        for folded, name in spelled.items():
            counted[folded] += 1
            names.setdefault(folded, Counter())[name] += 1
    found = [(folded, _most(names[folded].elements()), count) for folded, count in counted.items()]
    return sorted(found, key=lambda each: (-each[2], each[0]))


# ------------------------------------------------------------------ rows


@dataclass(slots=True)
class AlbumRows:
    """Rows for the statements of sql/queries/walk.sql."""

    albums: list[dict[str, Any]] = field(default_factory=list)
    metas: dict[str, dict[str, Any]] = field(default_factory=dict)
    artists: list[dict[str, Any]] = field(default_factory=list)
    genres: list[dict[str, Any]] = field(default_factory=list)
    actors: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, meta: str, album: Album, plays: dict[str, list[tuple[str, int, int]]], *, loose: bool, name: str
    ) -> None:
        """An album under its meta; `plays`: (actor, plays, played_ns) of each stream; `name`: of a loose song."""
        shown = album.name or name
        self.albums.append({
            "u": meta, "n": shown[:1000], "so": sort_key(album.sort_name or shown), "w": words_of(shown),
            "cr": album.credit[:1000], "cs": sort_key(album.artist_sort or album.credit), "c": album.songs,
            "d": album.duration, "y": album.year, "g": list(album.genres), "t": album.created_ns, "v": album.cover,
            "k": album.compilation, "mb": album.musicbrainz_id, "l": loose, "x": album.missing,
        })  # fmt: skip
        for place, artist in enumerate(album.artists):
            self._artist(meta, artist, place, album.songs, album.artist_sort)
        for artist, songs in album.credited:
            self._artist(meta, artist, None, songs, "")
        self.genres += [{"u": meta, "f": folded, "n": spelled, "c": count} for folded, spelled, count in album.of_genre]
        if not loose:
            self._plays(meta, album, plays)

    def _artist(self, meta: str, artist: Artist, place: int | None, songs: int, sort_name: str) -> None:
        name, mb = artist
        digest = artist_digest(name, mb)
        folded = fold(name[:1000])
        # A meta of each name is there since its song was read; not of Various Artists, whom no song may name.
        self.metas.setdefault(digest, {"u": mint.hex(), "k": "artist", "g": digest, "n": name[:1000],
                                       "fo": shorten(folded), "re": reverse(folded)})  # fmt: skip
        self.artists.append({
            "u": meta, "g": digest, "p": place, "c": songs, "n": name[:1000], "s": sort_name[:1000],
            "so": sort_key(sort_name or name), "w": words_of(name), "mb": mb or None,
        })  # fmt: skip

    def _plays(self, meta: str, album: Album, plays: dict[str, list[tuple[str, int, int]]]) -> None:
        counted: dict[str, tuple[int, int]] = {}
        for stream in album.streams:
            for actor, count, at in plays.get(stream, ()):
                before = counted.get(actor, (0, 0))
                counted[actor] = (before[0] + count, max(before[1], at or 0))
        self.actors += [{"u": meta, "a": actor, "c": count, "t": at} for actor, (count, at) in counted.items()]


def sort_key(name: str) -> str:
    """By which a name stands in a list: folded; of signs only, as it is."""
    return shorten(fold(name[:1000])) or name.casefold()[:255]


def words_of(name: str) -> str:
    """What a name is found by, parted by spaces."""
    return " ".join(tokens(fold(name[:1000])))
