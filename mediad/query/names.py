"""What can be asked: names, what each means, how its values are compared.

Names come from the vocabulary (mediadb_contract/fields.json), from what people say instead, and from HomeGallery's
language (its keys mean the same here where there is one). The text index holds every field of INDEXED; what is asked of
others is compared file by file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mediadb_contract.fields import FIELDS

# Names people use, and the vocabulary's fields behind them.
ALIASES: dict[str, tuple[str, ...]] = {
    "artist": ("artists", "artist_credit", "album_artists", "album_artist_credit", "creators"),
    "albumartist": ("album_artists", "album_artist_credit"),
    "author": ("creators", "artists", "artist_credit"),
    "camera": ("camera_make", "camera_model"), "make": ("camera_make",), "model": ("camera_model",),
    "lens": ("lens_model", "lens_make"), "aperture": ("f_number",), "focallength": ("focal_length",),
    "place": ("city", "state", "country", "location"), "province": ("state",),
    "track": ("track_number",), "disc": ("disc_number",), "codec": ("codec", "video_codec", "audio_codec"),
    "comment": ("comments", "user_comment"), "name": ("filename",), "ext": ("extension",),
    "bitrate": ("bit_rate", "audio_bit_rate", "video_bit_rate"), "filesize": ("size",), "gps": ("latitude",),
    "mime": ("mime_type",), "person": ("people",), "description": ("description", "summary", "alt_text"),
    "lat": ("latitude",), "lon": ("longitude",), "isrc": ("isrcs",),
}  # fmt: skip
# Text that is searched though its values are no labels: sentences.
SENTENCES = ("description", "comments", "summary", "copyright", "alt_text", "user_comment", "original_filename",
             "instructions", "licenses")  # fmt: skip
# Text that no question is asked of: it is not what a person reads, or `text:` looks into it.
NOT_ASKED = frozenset({"path", "path_raw", "similarity_hash", "acoustid_fingerprint", "coding_history", "lyrics",
                       "synced_lyrics", "text", "stream_scope"})  # fmt: skip
# What the index holds beside the fields that the vocabulary calls searched.
INDEXED_MORE = frozenset({"filename", "size", "mtime", *SENTENCES})
STATES = ("listed", "read", "failed", "parked", "missing")
CHOICES = ("kind", "format", "state")
DIGESTS = {"md5": 32, "sha1": 40, "sha256": 64, "md5sum": 32, "sha1sum": 40, "sha256sum": 64}
# Instants of the store.
MOMENTS = {"added": "added", "modified": "modified", "updated": "modified", "played": "played", "mtime": "modified",
           "first_seen_at": "added", "last_played_at": "played"}  # fmt: skip
# `date` is the one that lists show: the first that a file has of when it was taken, released, recorded, made.
DATE = "date"
# Times with an offset are asked by the wall clock that was written beside them (settled 16).
WALL_CLOCK = {
    "date_taken": "date_taken_local", "taken": "date_taken_local", "date_created_at": "date_created_at_local",
    "date_modified_at": "date_modified_at_local", "date_digitized": "date_digitized_local",
    "date_printed_at": "date_printed_at_local", "released": "date_released",
}  # fmt: skip
# Numbers that are columns of a file, of its reading, or a person's.
COLUMNS = frozenset({"size", "duration", "width", "height", "rating", "plays", "year", "month", "day"})
SORTS = ("added", "name", "title", "artist", "album", "date", "modified", "size", "duration", "width", "height", "kind",
         "format", "rating", "plays", "played", "year", "random")  # fmt: skip
OTHERS = ("tag", "starred", "collection", "playlist", "saved", "path", "folder", "near", "copies", "has", "missing",
          "text", "id", "sort", "limit", "type", *DIGESTS)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What a name means. how: text number date flag."""

    how: str
    fields: tuple[str, ...]


def indexed(name: str) -> bool:
    """Whether the text index has a field's words or digits."""
    field = FIELDS.get(name)
    return name in INDEXED_MORE or (field is not None and field.search and field.type != "boolean") or name == "date"


@lru_cache(maxsize=1024)
def meaning(name: str) -> Asked | None:
    """What a field's name means, None for one that nothing is known of."""
    if name in COLUMNS:
        return Asked("number", (name,))
    if name == DATE:
        return Asked("date", (DATE,))
    if name in WALL_CLOCK:
        return Asked("date", (WALL_CLOCK[name],))
    if name in ALIASES:
        fields = ALIASES[name]
    elif name.startswith("user_") and name not in ("user_tags", "user_rating", "user_comment"):
        return Asked("text", (name,))  # whatever a person has set
    else:
        fields = tuple(each for each in (name, name + "s") if each in FIELDS)
    types = {FIELDS[each].type for each in fields if each in FIELDS}
    if not types or types & {"record"} or set(fields) & NOT_ASKED:
        return None
    if types <= {"integer", "number"}:
        return Asked("number", fields)
    if types <= {"time"}:
        return Asked("epoch", fields)
    if types <= {"date", "datetime"}:
        return Asked("date", fields)
    if types <= {"boolean"}:
        return Asked("flag", fields)
    return Asked("text", fields)


def known() -> list[str]:
    """All names, in order: what completion offers and mistakes are compared with."""
    names = {*ALIASES, *CHOICES, *MOMENTS, *WALL_CLOCK, *COLUMNS, *OTHERS, DATE}
    names |= {name for name in FIELDS if meaning(name) is not None}
    return sorted(names)


def near(name: str, among: Sequence[str] = ()) -> list[str]:
    """Names (`among` these, else of fields) that may have been meant: those that begin alike, else those that differ
    in little."""
    names = list(among) or known()
    begins = [each for each in names if each.startswith(name[:3])] if len(name) >= 3 else []
    if begins:
        return begins[:5]
    from difflib import get_close_matches  # 10 ms of imports: for mistakes only

    return get_close_matches(name, names, n=5, cutoff=0.6)
