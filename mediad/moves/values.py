"""What a template can ask of an item: the vocabulary (docs/fields.md) and what follows from it. Pure.

The derived names are listed in DERIVED with what each means; docs/names.md has the same table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mediad.moves.names import force_utf8, split_name
from mediad.moves.template import DATE
from mediad.moves.titles import read_episode, read_ids, read_movie, season_of_folder
from mediadb_contract.fields import FIELDS

DERIVED: dict[str, str] = {
    "name": "the file's name",
    "stem": "its name without the extension",
    "ext": "its extension, lower case, without the dot",
    "artist": "artist_credit, else artists",
    "albumartist": "Various Artists for a compilation; else album_artist_credit, album_artists, artist",
    "author": "creators of a document, else author as the audio file credits it",
    "track": "track_number",
    "disc": "disc_number, only when the album has several discs",
    "year": "of the release, or of the first one; of a film also from the name, of a series only from the names",
    "show": "show, else from the name or the folder",
    "season": "season_number, else from the name or the folder; 0 are specials",
    "episode": "episode_number, else from the name",
    "last": "the last episode of a file that holds several, from the name",
    "absolute": "the number through all seasons, from a name such as [Group] Show - 105",
    "edition": "of a film, from its name: Director's Cut",
    DATE: "what date patterns print: when it was taken, created or released, by the wall clock",
}
KNOWN = frozenset(name for name, row in FIELDS.items() if row.type != "record") | DERIVED.keys()

VARIOUS = "Various Artists"
_DATES = ("date_taken", "date_created_at")  # each with _local beside it; then partial dates
_PARTIAL_DATES = ("date_recorded", "date_released", "date_original")


def template_values(kind: str, fields: Mapping[str, Any], path: bytes) -> dict[str, Any]:
    """The fields of one item by the names that templates use.

    `kind`: audio, image, video, document or other; `fields`: its effective fields; `path`: where its file lies, of
    which the name and the names of the folders are used. What is not known has no key."""
    *folders, name = [force_utf8(part) for part in path.split(b"/") if part] or [""]
    stem, extension = split_name(name)
    values = {key: value for key, value in fields.items() if key in KNOWN and value not in (None, "", [])}
    values |= {"name": name, "stem": stem}
    if extension:
        values["ext"] = extension[1:].lower()
    if user_title := fields.get("user_title"):
        values["title"] = user_title
    _put(values, DATE, item_date(fields))
    _put(values, "year", _year(fields))
    _put(values, "artist", fields.get("artist_credit") or fields.get("artists"))
    _put(values, "albumartist", _album_artist(fields) or values.get("artist"))
    _put(values, "author", fields.get("creators") or values.get("albumartist"))
    _put(values, "track", fields.get("track_number"))
    if max(fields.get("disc_total") or 0, fields.get("disc_number") or 0) > 1:
        _put(values, "disc", fields.get("disc_number"))
    if kind == "video":
        _video(values, stem, folders)
    return values


def item_date(fields: Mapping[str, Any]) -> str:
    """The item's own date as an ISO 8601 text by the wall clock, as precise as known; empty without one.

    Rule (settled 16): the time as written, without its zone; where only the instant is known it is that instant in
    `utc_offset` (minutes), else in UTC. Never the file's time of modification: it says when a copy was made."""
    for name in _DATES:
        local = fields.get(f"{name}_local")
        if isinstance(local, str) and local:
            return local[: _precision(fields.get(f"{name}_precision"))]
        instant = fields.get(name)
        if isinstance(instant, int | float):
            offset = fields.get("utc_offset")
            minutes = offset if isinstance(offset, int) else 0
            try:
                at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant, minutes=minutes)
            except OverflowError:  # before year 1 or after 9999: no calendar date
                continue
            return at.strftime("%Y-%m-%dT%H:%M:%S").zfill(19)
    for name in _PARTIAL_DATES:
        date = fields.get(name)
        if isinstance(date, str) and date:
            return date
    return ""


def _precision(said: object) -> int:
    """How many characters of YYYY-MM-DDThh:mm:ss are known."""
    return {"year": 4, "month": 7, "day": 10, "minute": 16}.get(said if isinstance(said, str) else "", 19)


def _put(values: dict[str, Any], name: str, value: object) -> None:
    if value not in (None, "", []):
        values[name] = value


def _year(fields: Mapping[str, Any]) -> int | None:
    if isinstance(year := fields.get("release_year") or fields.get("year"), int):
        return year
    for name in ("date_released", "date_original"):
        date = fields.get(name)
        if isinstance(date, str) and date[:4].isdigit() and int(date[:4]):
            return int(date[:4])
    return None


def _album_artist(fields: Mapping[str, Any]) -> object:
    """Plex, Jellyfin and iTunes file a compilation under Various Artists, whoever is credited."""
    if fields.get("compilation") is True:
        return VARIOUS
    return fields.get("album_artist_credit") or fields.get("album_artists")


def _video(values: dict[str, Any], stem: str, folders: Sequence[str]) -> None:
    """A series or a film: what the fields do not say is taken from the names."""
    for text in (*folders[-2:], stem):
        for name, number in read_ids(text).items():
            values.setdefault(name, number)
    _put(values, "season", values.get("season_number"))
    _put(values, "episode", values.get("episode_number"))
    said = read_episode(stem, folders)
    if said is not None:
        for name in ("show", "season", "episode", "absolute"):
            value = getattr(said, name)
            if name not in values and value not in (None, ""):
                values[name] = value
        if values.get("episode") == said.episode:
            _put(values, "last", said.last)
        if "title" not in values:
            _put(values, "title", said.title)
        # The year that tells two series of one name apart is not the one in which an episode was shown.
        values.pop("year", None)
        _put(values, "year", said.year)
    if "season" not in values and folders:
        _put(values, "season", season_of_folder(folders[-1]))
    if "absolute" in values and "episode" not in values:
        # Plex and Jellyfin show a series that counts through as one season.
        values["episode"] = values["absolute"]
        values.setdefault("season", 1)
    if "episode" in values:
        values.setdefault("season", 1)
        return
    film = read_movie(stem)
    if "title" not in values:
        _put(values, "title", film.title)
    if "year" not in values:
        _put(values, "year", film.year)
    _put(values, "edition", film.edition)
