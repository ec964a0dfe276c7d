"""beets: library.db.

Schema: beets/library/models.py and beets/dbcore/db.py: `items` and `albums` have a column a fixed field, versions
differ in which; `item_attributes` and `album_attributes` (entity_id, key, value) hold the flexible ones, all text.
Paths are BLOBs of the file system's bytes: absolute, in newer versions relative to beets' `directory` where the file
lies beneath it (beets/dbcore/pathutils.py). The database does not name that directory: option music_directory.

Taken of an item: path, title, artist, album, albumartist, track, length (seconds), added (Unix seconds, fraction),
and

    play_count, skip_count      whole numbers (mpdstats, beetsplug/mpdstats.py)
    last_played                 Unix seconds (mpdstats), or a date a person typed
    rating                      see below
    tags, tag                   a person's own, several parted by beets' own delimiter, ";" or ","
    loved, starred, favorite    yes or no

and as fields mb_trackid, mb_albumid, comments, grouping and every other flexible attribute by its name.

beets gives `rating` no scale: that is up to who wrote it. mpdstats computes one from 0 to 1 out of plays and skips;
it is no person's, and kept as the field "rating". So without rating_scale the scale is the smallest of 5, 10 and 100
that holds all ratings of the library; ratings of which all are at most 1, and one is a fraction, are mpdstats' own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .files import Database, Row, has_columns
from .model import Options, Record, Work
from .values import Values, text

_SCALES = (5.0, 10.0, 100.0)
_COMPUTED = 0.0  # the scale of ratings nobody gave
_TAG_NAMES = ("tags", "tag")
_STAR_NAMES = ("loved", "starred", "favorite")
_YES = {"1", "true", "yes", "y", "on", "t"}  # beets keeps a Boolean as 1 or 0, and what was typed as it was typed
_NO = {"0", "false", "no", "n", "off", "f"}
_KEPT_COLUMNS = ("mb_trackid", "mb_albumid", "comments", "grouping")
_NOT_A_PERSONS = {"data_source"}  # written by every import from a source of metadata
_PARTED = re.compile(r"\\␀|[;,]")  # beets/dbcore/types.py MULTI_VALUE_DELIMITER; the rest is people's habit


class Beets:
    """Heeds music_directory, rating_scale."""

    name = "beets"
    about = "beets' library.db"

    def sniff(self, path: bytes) -> bool:
        return has_columns(path, items="id path title", item_attributes="entity_id key value")

    def read(self, path: bytes, options: Options) -> Iterator[Record]:
        with Database(path) as database:
            scale = _scale(database) if options.rating_scale is None else options.rating_scale
            for row in database.rows("SELECT * FROM items ORDER BY id"):
                flexible = database.rows("SELECT key, value FROM item_attributes WHERE entity_id = ?", row["id"])
                yield from _item(row, _named(flexible), options.music_directory, scale)
            if database.columns("album_attributes") >= {"entity_id", "key", "value"}:
                for row in database.rows("SELECT * FROM albums ORDER BY id"):
                    flexible = database.rows("SELECT key, value FROM album_attributes WHERE entity_id = ?", row["id"])
                    yield from _album(row, _named(flexible), scale)


def _named(rows: Iterator[Row]) -> dict[str, str]:
    return {text(row["key"]): text(row["value"]) for row in rows}


def _scale(database: Database) -> float:
    """What the ratings of this library count to; _COMPUTED for mpdstats' own."""
    highest, fractions = 0.0, False
    for row in database.rows("SELECT DISTINCT value FROM item_attributes WHERE key = 'rating'"):
        rating = Values("").number("rating", row["value"])
        if rating is not None:
            highest = max(highest, rating)
            fractions = fractions or not rating.is_integer()
    if highest <= 1 and fractions:
        return _COMPUTED
    return next((scale for scale in _SCALES if highest <= scale), _SCALES[-1])


class _Flexible:
    """What a person and the plugins put on one item or album; what is taken from it leaves the rest as fields."""

    def __init__(self, said: dict[str, str], scale: float, values: Values) -> None:
        for name in _NOT_A_PERSONS:
            said.pop(name, None)
        self.rating = None
        if scale != _COMPUTED:
            self.rating = values.stars("rating", said.pop("rating", None), scale)
        self.starred: bool | None = None
        for name in _STAR_NAMES:
            word = said.get(name, "").strip().lower()
            if word in _YES or word in _NO:
                self.starred = word in _YES
                del said[name]
                break
        self.plays = values.count("play_count", said.pop("play_count", None))
        self.skipped = values.count("skip_count", said.pop("skip_count", None))
        self.played = _played(said.pop("last_played", None), values)
        tags = (tag.strip() for name in _TAG_NAMES for tag in _PARTED.split(said.pop(name, "")))
        self.tags = tuple(dict.fromkeys(filter(None, tags)))
        self.fields = {name: value for name, value in said.items() if value}


def _played(said: str | None, values: Values) -> int | None:
    if said and "-" in said[1:]:
        return values.date_ns("last_played", said)
    return values.unix_ns("last_played", said)


def _item(row: Row, said: dict[str, str], music_directory: bytes, scale: float) -> Iterator[Record]:
    values = Values(f"item:{text(row['id'])}")
    path = row["path"]
    if not isinstance(path, bytes) or not path:
        values.problem("the item has no path")
        path = b""
    flexible = _Flexible(said, scale, values)
    kept = {name: text(row.get(name)) for name in _KEPT_COLUMNS}
    yield Work(
        path=path,
        relative_to=b"" if path.startswith(b"/") else music_directory,
        title=text(row.get("title")),
        artist=text(row.get("artist")),
        album=text(row.get("album")),
        album_artist=text(row.get("albumartist")),
        duration=values.number("length", row.get("length")) or None,
        track=values.count("track", row.get("track")) or None,
        tags_added=flexible.tags,
        rating=flexible.rating,
        starred=flexible.starred,
        plays=flexible.plays,
        played_at_ns=flexible.played,
        skipped=flexible.skipped,
        fields={**{name: value for name, value in kept.items() if value}, **flexible.fields},
        added_ns=values.unix_ns("added", row.get("added")),
        source_id=values.source_id,
    )
    yield from values.problems


def _album(row: Row, said: dict[str, str], scale: float) -> Iterator[Record]:
    values = Values(f"album:{text(row['id'])}")
    flexible = _Flexible(said, scale, values)
    if not (flexible.fields or flexible.tags or values.problems) and (
        flexible.rating is flexible.starred is flexible.plays is flexible.played is flexible.skipped is None
    ):
        return  # nothing a person put on the album: its fixed fields are the catalogue's
    yield Work(
        album=text(row.get("album")),
        album_artist=text(row.get("albumartist")),
        tags_added=flexible.tags,
        rating=flexible.rating,
        starred=flexible.starred,
        plays=flexible.plays,
        played_at_ns=flexible.played,
        skipped=flexible.skipped,
        fields=flexible.fields,
        added_ns=values.unix_ns("added", row.get("added")),
        source_id=values.source_id,
        about="album",
    )
    yield from values.problems
