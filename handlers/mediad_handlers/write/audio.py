"""Tags of audio and MP4 files, by mutagen on the copy: the reading tables (audio.tables) the other way round.

Sources: those of audio.tables; ID3v2.3.0 4.2.1 and ID3v2.4.0 4.2.5 (dates, positions), 4.18 (popularimeter). The first
key of a field's cell is the one that is written, the others are removed, so that no older value shines through.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mediad_handlers.audio.tables import CONTAINERS, ROWS
from mediad_handlers.kit.api import HandlerError

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

# format -> (container of the tables, mutagen module, class)
CLASSES = {
    "mp3": ("id3", "mutagen.mp3", "MP3"), "aac": ("id3", "mutagen.aac", "AAC"), "aiff": ("id3", "mutagen.aiff", "AIFF"),
    "wav": ("id3", "mutagen.wave", "WAVE"), "dsf": ("id3", "mutagen.dsf", "DSF"),
    "tta": ("id3", "mutagen.trueaudio", "TrueAudio"), "flac": ("vorbis", "mutagen.flac", "FLAC"),
    "ogg": ("vorbis", "mutagen.oggvorbis", "OggVorbis"), "opus": ("vorbis", "mutagen.oggopus", "OggOpus"),
    "speex": ("vorbis", "mutagen.oggspeex", "OggSpeex"), "oggflac": ("vorbis", "mutagen.oggflac", "OggFLAC"),
    "m4a": ("mp4", "mutagen.mp4", "MP4"), "mp4": ("mp4", "mutagen.mp4", "MP4"), "m4v": ("mp4", "mutagen.mp4", "MP4"),
    "mov": ("mp4", "mutagen.mp4", "MP4"), "wma": ("asf", "mutagen.asf", "ASF"), "asf": ("asf", "mutagen.asf", "ASF"),
    "wmv": ("asf", "mutagen.asf", "ASF"), "ape": ("ape", "mutagen.monkeysaudio", "MonkeysAudio"),
    "wavpack": ("ape", "mutagen.wavpack", "WavPack"), "musepack": ("ape", "mutagen.musepack", "Musepack"),
}  # fmt: skip
CELLS: dict[str, dict[str, tuple[str, list[str]]]] = {
    container: {row[0]: (row[1], row[2 + place].split("|")) for row in ROWS if row[2 + place]}
    for place, container in enumerate(CONTAINERS)
}
# number -> total: one native value holds both, or two do
TOTALS = {"track_number": "track_total", "disc_number": "disc_total", "movement_number": "movement_total"}
NUMBERS = {total: number for number, total in TOTALS.items()}
JOINED = frozenset(("id3", "ape", "mp4"))  # containers that write "3/12", or a pair of numbers
# Kinds that are read in ways which cannot be told backwards.
_READ_ONLY = frozenset(("time", "advisory", "media_type"))
_NOT_ID3 = frozenset(("synced_lyrics", "artist_url", "podcast_url", "licenses", "podcast"))
ITUNES = "----:com.apple.iTunes:"
_ATOM_NUMBERS = frozenset(("tmpo", "tvsn", "tves", "cnID", "atID", "plID", "sfID", "\xa9mvi", "\xa9mvc"))
_ATOM_FLAGS = frozenset(("cpil", "pgap", "pcst", "shwm"))
_ASF_NAMES = {"TITLE": "Title", "AUTHOR": "Author", "COPYRIGHT": "Copyright", "DESCRIPTION": "Description"}


def holds(format: str) -> frozenset[str]:
    """The fields that can be written into this format."""
    container = CLASSES[format][0]
    found = {name for name, (kind, _) in CELLS[container].items() if kind not in _READ_ONLY}
    if container == "id3":
        found -= _NOT_ID3
    if container in JOINED:
        found |= {total for number, total in TOTALS.items() if number in found}
    return frozenset(found | ({"artists", "album_artists"} & found))


def write(file: File, target: int, format: str, changes: dict[str, Any], fields: dict[str, Any]) -> list[str]:
    """Copies the file and changes the copy's tags. Raises HandlerError `corrupt` for a file that mutagen does not
    read, `unsupported` for a value that the container cannot hold."""
    from mediad_handlers.write import copy

    copy(file, target)
    container, module, name = CLASSES[format]
    with os.fdopen(target, "r+b", closefd=False) as copied:
        song = _open(getattr(import_module(module), name), copied, container, format)
        store = _STORES[container](song)
        for field, value in _complete(changes, fields, container).items():
            kind, keys = CELLS[container][field]
            for key in keys:
                store.remove(key)
            if value is not None:
                store.put(keys[0], field, kind, value)
        _keep_credit(store, container, changes)
        copied.seek(0)
        store.save(song, copied)
        copied.flush()
    return []


def _open(kind: Any, copied: io.BufferedRandom, container: str, format: str) -> Any:
    from mutagen import MutagenError

    from mediad_handlers.audio.bounds import bound_mutagen

    bound_mutagen()

    try:
        if format in ("mp3", "aac"):
            from mutagen.id3 import ID3, ID3NoHeaderError

            try:
                return ID3(copied, translate=False)
            except ID3NoHeaderError:
                return ID3()
        copied.seek(0)
        song = kind(copied)
        if song.tags is None:
            song.add_tags()
        return song
    except (MutagenError, ValueError, KeyError, IndexError, EOFError) as fault:
        raise HandlerError("corrupt", f"{format}: the tags cannot be read for writing: {fault}") from fault


def _complete(changes: dict[str, Any], fields: dict[str, Any], container: str) -> dict[str, Any]:
    """Numbers and their totals are changed together where one native value holds both: (number, total)."""
    found = dict(changes)
    if container not in JOINED:
        return found
    for number, total in TOTALS.items():
        if number in changes or total in changes:
            pair = (changes.get(number, fields.get(number)), changes.get(total, fields.get(total)))
            found.pop(total, None)
            found[number] = pair if pair[0] or pair[1] else None
    return found


def _keep_credit(store: Any, container: str, changes: dict[str, Any]) -> None:
    """Artists that are set stand in the artist's own key, too, where every other program looks for them."""
    for plural, credit in (("artists", "artist_credit"), ("album_artists", "album_artist_credit")):
        if plural in changes and credit not in changes and credit in CELLS[container]:
            _, keys = CELLS[container][credit]
            for key in keys:
                store.remove(key)
            if changes[plural]:
                store.put(keys[0], plural, "texts", changes[plural])


def spell(kind: str, value: Any) -> list[str]:
    """A field's value as the texts that text containers hold."""
    if isinstance(value, tuple):
        number, total = value
        return [f"{number or 0}/{total}" if total else str(number)]
    if isinstance(value, list):
        return [str(one) for one in value]
    if kind == "flag":
        return ["1" if value else "0"]
    if kind == "decibels":
        return [f"{value:+.2f} dB"]
    return [f"{value:g}" if isinstance(value, float) else str(value)]


class _Vorbis:
    """Vorbis comments: names and lists of texts."""

    def __init__(self, song: Any) -> None:
        self.tags = song.tags

    def remove(self, key: str) -> None:
        if key in self.tags:
            del self.tags[key]

    def put(self, key: str, field: str, kind: str, value: Any) -> None:
        self.tags[key] = spell(kind, value)

    def save(self, song: Any, copied: Any) -> None:
        song.save(copied)


class _Ape(_Vorbis):
    """APEv2 items; several values are parted by NUL."""

    def put(self, key: str, field: str, kind: str, value: Any) -> None:
        from mutagen.apev2 import APEValue

        self.tags[key.title()] = APEValue("\0".join(spell(kind, value)), 0)


class _Asf(_Vorbis):
    """ASF attributes. Names are compared without case, and written as they are there or as the specification has
    them."""

    def remove(self, key: str) -> None:
        for name in [one for one, _ in self.tags.items() if one.upper() == key]:
            del self.tags[name]

    def put(self, key: str, field: str, kind: str, value: Any) -> None:
        name = _ASF_NAMES.get(key) or _ASF_CASE.get(key) or key
        self.tags[name] = spell(kind, value)


_ASF_CASE = {name.upper(): name for name in (
    "WM/TitleSortOrder", "WM/SubTitle", "WM/ARTISTS", "WM/ArtistSortOrder", "WM/AlbumTitle", "WM/AlbumSortOrder",
    "WM/AlbumArtist", "WM/AlbumArtistSortOrder", "WM/Composer", "WM/ComposerSortOrder", "WM/Writer", "WM/Conductor",
    "WM/ModifiedBy", "WM/Producer", "WM/Engineer", "WM/Mixer", "WM/DJMixer", "WM/Director", "WM/Genre", "WM/Mood",
    "WM/ContentGroupDescription", "WM/TrackNumber", "WM/PartOfSet", "WM/SetSubTitle", "WM/Year",
    "WM/OriginalReleaseTime", "WM/IsCompilation", "WM/BeatsPerMinute", "WM/InitialKey", "WM/ISRC", "WM/Language",
    "WM/Script", "WM/Publisher", "WM/CatalogNo", "WM/Barcode", "WM/Media", "WM/Lyrics", "WM/EncodedBy", "WM/ToolName",
    "WM/EncodingSettings", "WM/OriginalArtist", "WM/OriginalAlbumTitle", "WM/OriginalFilename", "WM/AuthorURL",
    "WM/Work", "WM/SharedUserRating", "MusicBrainz/Track Id", "MusicBrainz/Album Id", "MusicBrainz/Artist Id",
    "MusicBrainz/Album Artist Id", "MusicBrainz/Release Group Id", "MusicBrainz/Release Track Id",
    "MusicBrainz/Work Id", "MusicBrainz/Disc Id", "MusicBrainz/Album Release Country", "MusicBrainz/Album Status",
    "MusicBrainz/Album Type", "Acoustid/Id", "Acoustid/Fingerprint",
)}  # fmt: skip


class _Mp4(_Vorbis):
    """Atoms of the iTunes item list; free-form atoms under the name space com.apple.iTunes."""

    def remove(self, key: str) -> None:
        if key.startswith("----:"):
            for name in [
                one for one, _ in self.tags.items() if one.upper().endswith(key[4:]) and one.startswith("----:")
            ]:
                del self.tags[name]
        else:
            super().remove(key)

    def put(self, key: str, field: str, kind: str, value: Any) -> None:
        if key in ("trkn", "disk"):
            self.tags[key] = [(value[0] or 0, value[1] or 0)]
        elif isinstance(value, tuple):
            self._put_pair(field, value)
        elif key in _ATOM_FLAGS:
            self.tags[key] = bool(value)
        elif key in _ATOM_NUMBERS:
            self.tags[key] = [round(value)]
        elif key.startswith("----:"):
            self.tags[ITUNES + key[5:]] = [one.encode("utf-8") for one in spell(kind, value)]
        else:
            self.tags[key] = spell(kind, value)

    def _put_pair(self, field: str, value: tuple[int | None, int | None]) -> None:
        for name, number in zip((field, TOTALS[field]), value, strict=True):
            key = CELLS["mp4"][name][1][0]
            self.remove(key)
            if number:
                self.tags[key] = [number]


class _Id3:
    """Frames of ID3v2, in the version that the file has."""

    def __init__(self, song: Any) -> None:
        from mutagen.id3 import ID3

        self.tags = song if isinstance(song, ID3) else song.tags
        self.old = self.tags.version < (2, 4, 0) and bool(self.tags)
        self.encoding = 1 if self.old else 3

    def remove(self, key: str) -> None:
        name, _, description = key.partition(":")
        if name in ("TXXX", "UFID"):
            for one in self.tags.getall(name):
                said = one.desc if name == "TXXX" else one.owner
                if said.upper() == description:
                    del self.tags[one.HashKey]
        elif name in ("TIPL", "TMCL") or (name == "TDRC" and description):
            self._remove_people(name, description)
        elif name == "COMM":
            for one in self.tags.getall("COMM"):
                if not one.desc.startswith("iTun"):  # iTunes keeps normalisation data in comments
                    del self.tags[one.HashKey]
        elif name == "TXXX:RATING" or key == "TXXX:RATING":
            self.tags.delall("TXXX:RATING")
        else:
            self.tags.delall(name)

    def _remove_people(self, name: str, role: str) -> None:
        for frame in self.tags.getall(name) + (self.tags.getall("IPLS") if name == "TIPL" else []):
            frame.people = [pair for pair in frame.people if role and pair[0].upper() != role]
            if not frame.people:
                del self.tags[frame.HashKey]

    def put(self, key: str, field: str, kind: str, value: Any) -> None:
        from mutagen.id3 import COMM, POPM, TXXX, UFID, USLT, Frames

        name, _, description = key.partition(":")
        texts = spell(kind, value)
        if field == "rating":
            self.tags.delall("POPM")
            self.tags.add(POPM(email="", rating=_to_popm(float(value)), count=0))
        elif field == "date_released":
            self._put_date(texts[0])
        elif name == "TXXX":
            self.tags.add(TXXX(encoding=self.encoding, desc=_DESCRIPTIONS.get(description, description), text=texts))
        elif name == "UFID":
            self.tags.add(UFID(owner="http://musicbrainz.org", data=texts[0].encode("ascii")))
        elif name == "COMM":
            for place, text in enumerate(texts):
                self.tags.add(COMM(encoding=self.encoding, lang="eng", desc=str(place) if place else "", text=[text]))
        elif name == "USLT":
            self.tags.add(USLT(encoding=self.encoding, lang="eng", desc="", text=texts[0]))
        elif name in ("TIPL", "TMCL"):
            self._put_people("IPLS" if self.old and name == "TIPL" else name, description, texts)
        else:
            self.tags.add(Frames[_OLD.get(name, name) if self.old else name](encoding=self.encoding, text=texts))

    def _put_people(self, name: str, role: str, texts: list[str]) -> None:
        from mutagen.id3 import Frames

        found = self.tags.getall(name)
        frame = found[0] if found else Frames[name](encoding=self.encoding, people=[])
        frame.people = [*frame.people, *([role.lower() or "performer", text] for text in texts)]
        self.tags.add(frame)

    def _put_date(self, text: str) -> None:
        """ID3v2.4: TDRC. ID3v2.3: TYER, and TDAT of a whole date; a month without a day has no place there."""
        from mutagen.id3 import TDAT, TDRC, TYER

        for name in ("TDRC", "TYER", "TDAT", "TDRL"):
            self.tags.delall(name)
        if not self.old:
            self.tags.add(TDRC(encoding=3, text=[text]))
            return
        if len(text) == 7:
            raise HandlerError("unsupported", f"date_released: ID3v2.3 holds a year or a whole date, not {text}")
        self.tags.add(TYER(encoding=0, text=[text[:4]]))
        if len(text) == 10:
            self.tags.add(TDAT(encoding=0, text=[text[8:10] + text[5:7]]))

    def save(self, song: Any, copied: Any) -> None:
        """Several values of an ID3v2.3 frame are parted by NUL, as those of ID3v2.4: a slash is part of names."""
        if self.tags is song:
            self.tags.save(copied, v1=1, v2_version=3 if self.old else 4, v23_sep=None)
        else:
            song.save(copied, v2_version=3 if self.old else 4, v23_sep=None)


# Frames of ID3v2.4 that ID3v2.3 has under another name.
_OLD = {"TDOR": "TORY", "TDRL": "TYER", "TMCL": "IPLS"}
_DESCRIPTIONS = {name.upper(): name for name in (
    "MusicBrainz Album Id", "MusicBrainz Artist Id", "MusicBrainz Album Artist Id", "MusicBrainz Release Group Id",
    "MusicBrainz Release Track Id", "MusicBrainz Work Id", "MusicBrainz Disc Id", "MusicBrainz Album Type",
    "MusicBrainz Album Status", "MusicBrainz Album Release Country", "Acoustid Id", "Acoustid Fingerprint",
)}  # fmt: skip


def _to_popm(stars: float) -> int:
    """0 to 5 stars as Windows and most players write them into a popularimeter."""
    return (0, 1, 64, 128, 196, 255)[max(0, min(round(stars), 5))]


_STORES: dict[str, Callable[[Any], Any]] = {"vorbis": _Vorbis, "ape": _Ape, "asf": _Asf, "mp4": _Mp4, "id3": _Id3}
