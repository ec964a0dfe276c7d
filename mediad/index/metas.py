"""Metas of a batch: what songs, photos, films and documents there are, and the albums and artists they have. Pure.

Two mentions are the same meta when their digests are: of the MusicBrainz id where the tags carry one, else of the
folded names. A song, photo, film or document is one per stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from mediad.fold import fold, reverse, shorten
from mediad.ids import mint

if TYPE_CHECKING:
    from mediad.index.records import Read

_OF_KIND = {"audio": "song", "image": "photo", "video": "film", "document": "document"}


def _digest(*parts: str) -> str:
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


# Various Artists at MusicBrainz: an artist of many names, whom other taggers give by name only.
_VARIOUS_MB = "89ad4ac3-39f7-470e-963a-56509c546377"


def artist_digest(name: str, musicbrainz_id: str) -> str:
    """What makes two mentions of an artist the same one: in hex. Of Various Artists it is the name in any case."""
    if musicbrainz_id == _VARIOUS_MB:
        return _digest("name", "various artists")
    return _digest("mb", musicbrainz_id) if musicbrainz_id else _digest("name", fold(name))


@dataclass(slots=True)
class Metas:
    """Rows for put_metas and link_metas (sql/queries/read.sql), each meta once; links name them by their number."""

    metas: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    links: dict[tuple[int, int, str], dict[str, Any]] = field(default_factory=dict)
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)  # from 1, in the order of `metas`

    @property
    def names(self) -> list[dict[str, Any]]:
        """Kind and digest of each meta, in the order of their numbers."""
        return [{"k": kind, "g": digest} for kind, digest in self.metas]

    def add(self, read: Read, kind: str, fields: dict[str, Any]) -> None:
        """Adds the metas of one file that was read."""
        own = _OF_KIND.get(kind)
        if own is None:
            return
        name = fields.get("title") or read.name.rpartition(b".")[0].decode("utf-8", "replace") or "?"
        number = self._meta(own, _digest("stream", read.stream), name)
        self.files.append({"f": read.file, "m": number})
        if own == "song":
            self._song(number, fields)
        else:
            for person in fields.get("creators", ()):
                self._link(number, self._meta("artist", artist_digest(person, ""), person), "creator")

    def _song(self, song: int, fields: dict[str, Any]) -> None:
        credit = fields.get("artist_credit")
        artists = fields.get("artists") or ([credit] if credit else [])
        for artist in self._artists(artists, fields.get("mb_artist_ids") or []):
            self._link(song, artist, "artist")
        album = fields.get("album")
        if not album:
            return
        by = fields.get("album_artist_credit")
        names = fields.get("album_artists") or ([by] if by else [])
        release = fields.get("mb_release_id")
        owner = fold(" ".join(names)) if names else fold(" ".join(artists)) if not fields.get("compilation") else ""
        key = _digest("mb", release) if release else _digest("name", fold(album), owner)
        number = self._meta("album", key, album)
        self._link(song, number, "album")
        for artist in self._artists(names, fields.get("mb_album_artist_ids") or []):
            self._link(number, artist, "album_artist")

    def _artists(self, names: list[str], ids: list[str]) -> list[int]:
        paired = ids if len(ids) == len(names) else [""] * len(names)
        return [self._meta("artist", artist_digest(name, mb), name) for name, mb in zip(names, paired, strict=True)]

    def _meta(self, kind: str, digest: str, name: str) -> int:
        number = self._numbers.get((kind, digest))
        if number is None:
            folded = fold(name[:1000])
            self.metas[kind, digest] = {"u": mint.hex(), "k": kind, "g": digest, "n": name[:1000],
                                        "fo": shorten(folded), "re": reverse(folded)}  # fmt: skip
            number = self._numbers[kind, digest] = len(self.metas)
        return number

    def _link(self, parent: int, child: int, role: str) -> None:
        self.links[parent, child, role] = {"p": parent, "c": child, "r": role}
