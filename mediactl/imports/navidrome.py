"""Navidrome: navidrome.db.

Schema: navidrome db/migrations. `annotation` has a row for each user and media_file, album or artist (item_type,
item_id, the ids opaque): rating 0 to 5 with 0 for none, starred, starred_at, play_count, play_date, in newer versions
rated_at; `playlist` and `playlist_tracks` (id is the position); `user`. Columns came over the years
(20200130083147_create_schema, 20211029213200_add_userid_to_playlist, 20240511220020_add_library_table,
20240629152843_remove_annotation_id, 20241026183640_support_new_scanner, 20251109010105_add_annotation_rating_date), so
rows are asked for whole. `media_file.path` is absolute, and since support_new_scanner relative to `library.path`.

Taken: every annotation in which a user set or played something, and the playlists of every user. Playlists with rules
fill themselves and are left; so are bookmarks, play queues, shares, radios and single scrobbles.
"""

from __future__ import annotations

from collections.abc import Iterator

from .files import Database, Row, has_columns
from .model import Options, Playlist, Problem, Record, Work
from .values import Values, key, text, truth

_STARS = 5.0


class Navidrome:
    """Heeds music_directory, for a database older than its `library` table that has relative paths."""

    name = "navidrome"
    about = "Navidrome's navidrome.db"

    def sniff(self, path: bytes) -> bool:
        return has_columns(
            path, annotation="user_id item_id item_type rating starred", media_file="id path title", user="id user_name"
        )

    def read(self, path: bytes, options: Options) -> Iterator[Record]:
        with Database(path) as database:
            catalogue = _Catalogue(database, options.music_directory)
            for row in database.rows("SELECT * FROM annotation ORDER BY user_id, item_type, item_id"):
                yield from _annotation(row, catalogue)
            if database.columns("playlist_tracks") >= {"id", "playlist_id", "media_file_id"}:
                for row in database.rows("SELECT * FROM playlist ORDER BY id"):
                    yield from _playlist(row, catalogue)


class _Catalogue:
    """The users, the libraries' folders, and how to find what an id means."""

    def __init__(self, database: Database, music_directory: bytes) -> None:
        self.database = database
        self._music_directory = music_directory
        self._users = {row["id"]: text(row["user_name"]) for row in database.rows("SELECT id, user_name FROM user")}
        self._folders: dict[object, object] = {}
        if database.columns("library") >= {"id", "path"}:
            self._folders = {row["id"]: row["path"] for row in database.rows("SELECT id, path FROM library")}

    def user(self, user_id: object) -> str:
        """By name; by id where the user was deleted."""
        return self._users.get(user_id) or text(user_id)

    def identity(self, item_type: str, item_id: object, source_id: str) -> tuple[Work, Row] | None:
        """The item's own fields, and its row; None for an id that leads nowhere or a type not known.

        An id came as bytes, which SQLite would bind as a BLOB, equal to no text: hence the casts."""
        if item_type == "media_file":
            row = self.database.row("SELECT * FROM media_file WHERE id = CAST(? AS TEXT)", item_id)
            return (self._track(row, source_id), row) if row else None
        if item_type == "album":
            row = self.database.row("SELECT * FROM album WHERE id = CAST(? AS TEXT)", item_id)
            album, artist = text(row.get("name")), text(row.get("album_artist"))
            return (Work(album=album, album_artist=artist, about="album"), row) if row else None
        if item_type == "artist":
            row = self.database.row("SELECT * FROM artist WHERE id = CAST(? AS TEXT)", item_id)
            return (Work(artist=text(row.get("name")), about="artist"), row) if row else None
        return None

    def _track(self, row: Row, source_id: str) -> Work:
        path = row["path"] if isinstance(row["path"], bytes) else text(row["path"]).encode()
        folder = self._folders.get(row.get("library_id"), self._music_directory)
        values = Values(source_id)  # a duration that is none is no reason to speak of a record
        return Work(
            path=path,
            relative_to=folder if isinstance(folder, bytes) and not path.startswith(b"/") else b"",
            title=text(row.get("title")),
            artist=text(row.get("artist")),
            album=text(row.get("album")),
            album_artist=text(row.get("album_artist")),
            duration=values.number("duration", row.get("duration")) or None,
            track=values.count("track_number", row.get("track_number")) or None,
            source_id=source_id,
        )


def _kept(row: Row, about: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    if about == "track":
        # mbz_track_id until 20230616214944_rename_musicbrainz_recording_id
        fields["mbz_recording_id"] = text(row.get("mbz_recording_id") or row.get("mbz_track_id"))
        fields["missing"] = "1" if truth(row.get("missing")) else ""
    if about != "artist":
        fields["mbz_album_id"] = text(row.get("mbz_album_id"))
    return {name: value for name, value in fields.items() if value}


def _annotation(row: Row, catalogue: _Catalogue) -> Iterator[Record]:
    item_type = text(row["item_type"])
    values = Values(f"annotation:{key(row['user_id'])}:{item_type}:{key(row['item_id'])}")
    rating = values.stars("rating", row["rating"], _STARS)
    plays = values.count("play_count", row.get("play_count")) or None
    starred_at = values.date_ns("starred_at", row.get("starred_at"))
    rated_at = values.date_ns("rated_at", row.get("rated_at"))
    # a star that was taken back leaves its date; without one the row is about something else and there never was a star
    starred = True if truth(row["starred"]) else (False if starred_at is not None else None)
    if rating is None and plays is None and starred is None and not values.problems:
        return
    found = catalogue.identity(item_type, row["item_id"], values.source_id)
    if found is None:
        yield Problem(values.source_id, f"what it is about is not in the database ({item_type})")
        return
    item, described = found
    yield Work(
        path=item.path,
        relative_to=item.relative_to,
        title=item.title,
        artist=item.artist,
        album=item.album,
        album_artist=item.album_artist,
        duration=item.duration,
        track=item.track,
        rating=rating,
        starred=starred,
        plays=plays,
        played_at_ns=values.date_ns("play_date", row.get("play_date")) if plays else None,
        fields=_kept(described, item.about),
        added_ns=_added(described),
        user=catalogue.user(row["user_id"]),
        source_id=values.source_id,
        at_ns=max((at for at in (starred_at, rated_at) if at is not None), default=None),
        about=item.about,
    )
    yield from values.problems


def _added(row: Row) -> int | None:
    return Values("").date_ns("created_at", row.get("created_at"))


def _playlist(row: Row, catalogue: _Catalogue) -> Iterator[Record]:
    if text(row.get("rules")):
        return  # a smart playlist: its entries are an answer, not a person's choice
    source_id = f"playlist:{key(row['id'])}"
    entries = []
    tracks = catalogue.database.rows(
        "SELECT id, media_file_id FROM playlist_tracks WHERE playlist_id = CAST(? AS TEXT) ORDER BY id", row["id"]
    )
    for track in tracks:
        found = catalogue.identity("media_file", track["media_file_id"], f"media_file:{key(track['media_file_id'])}")
        if found is None:
            yield Problem(source_id, f"entry {text(track['id'])} is not in the database")
            continue
        entries.append(found[0])
    # `owner` was the user's name, until owner_id
    user = catalogue.user(row["owner_id"]) if "owner_id" in row else text(row.get("owner"))
    yield Playlist(name=text(row["name"]), entries=tuple(entries), user=user, source_id=source_id)
