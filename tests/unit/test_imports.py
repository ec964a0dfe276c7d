"""Readers of other programs' files, on databases made here by those programs' own schemas (named where they stand).

Checked by hand beside this, once, on what the programs wrote: beets 1.6.0 and 2.14.1 (import, modify of flexible
fields of items and albums; absolute, relative paths) and MPD 0.23.12 (sticker set, playlistadd)."""

from __future__ import annotations

import gzip
import json
import os
import plistlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mediactl.imports import PEERS, Playlist, Problem, Work, read_peer
from mediactl.imports.values import Values, key, moment_ns
from mediad.errors import Conflict, Corrupt, InvalidArgument, NotFound

NS = 10**9
AT = 1_700_000_000  # 2023-11-14T22:13:20Z


def read(path: Path, kind: str | None = None, **options: Any) -> tuple[list[Work], list[Playlist], list[Problem]]:
    before = path.stat().st_mtime_ns, sorted(path.parent.iterdir())
    records = list(read_peer(str(path), kind, **options))
    assert before == (path.stat().st_mtime_ns, sorted(path.parent.iterdir())), "a reader changes nothing"
    return (
        [record for record in records if isinstance(record, Work)],
        [record for record in records if isinstance(record, Playlist)],
        [record for record in records if isinstance(record, Problem)],
    )


def database(path: Path, schema: str, **tables: Iterable[tuple[Any, ...]]) -> Path:
    """`tables`: rows by name; `CAST(? AS TEXT)` of bytes puts invalid UTF-8 in, as C programs do."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(schema)
        for table, rows in tables.items():
            for row in rows:
                if isinstance(row, dict):
                    names, values = ", ".join(row), list(row.values())
                else:
                    names, values = "", list(row)
                marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, Raw) else "?" for value in values)
                connection.execute(f"INSERT INTO {table} {f'({names})' if names else ''} VALUES ({marks})", values)
    return path


class Raw(bytes):
    """Text that is no UTF-8."""


# ---------------------------------------------------------------------------------------------------------------- MPD

# MPD src/sticker/Database.cxx, sticker_sql_create
MPD = """CREATE TABLE IF NOT EXISTS sticker(  type VARCHAR NOT NULL,   uri VARCHAR NOT NULL,   name VARCHAR NOT NULL,
  value VARCHAR NOT NULL);CREATE UNIQUE INDEX IF NOT EXISTS sticker_value ON sticker(type, uri, name);"""


def test_mpd_stickers(tmp_path: Path) -> None:
    rows = [
        ("song", "a/one.mp3", "rating", "7"),
        ("song", "a/one.mp3", "playCount", "000000000012"),  # padded, as myMPD can
        ("song", "a/one.mp3", "lastPlayed", str(AT)),
        ("song", "a/one.mp3", "skipCount", "0"),
        ("song", "a/one.mp3", "like", "000000000002"),
        ("song", "a/one.mp3", "elapsed", "17"),
        ("song", "b/not rated.mp3", "rating", "0"),
        ("song", "b/not rated.mp3", "like", "0"),
        ("song", "c/only heard halfway.mp3", "elapsed", "90"),
        ("song", Raw(b"d/\xff 100%.mp3"), "like", "1"),
        ("song", Raw(b"d/\xff 100%.mp3"), "mood", "calm"),
        ("song", "http://example.org/radio", "playCount", "3"),
        ("playlist", "Mix", "rating", "8"),
    ]
    path = database(tmp_path / "sticker.sql", MPD, sticker=rows)
    works, playlists, problems = read(path, music_directory=b"/music")
    assert playlists == problems == []
    one, unrated, odd, stream = works
    assert one == Work(
        path=b"a/one.mp3",
        relative_to=b"/music",
        rating=3.5,
        starred=True,
        plays=12,
        played_at_ns=AT * NS,
        skipped=0,
        source_id="song:a/one.mp3",
    )
    assert (unrated.rating, unrated.starred, unrated.fields) == (None, False, {"disliked": "1"})
    assert (odd.path, odd.source_id) == (b"d/\xff 100%.mp3", "song:d/%FF 100%25.mp3")
    assert (odd.starred, odd.fields) == (False, {"mood": "calm"})
    assert (stream.path, stream.relative_to, stream.plays) == (b"", b"", 3)
    assert stream.fields == {"uri": "http://example.org/radio"}


def test_mpd_values_that_cannot_be_meant_are_said_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = [
        ("song", "a", "rating", "64"),
        ("song", "a", "like", "7"),
        ("song", "a", "lastPlayed", "nan"),
        ("song", "a", "playCount", "2"),
        ("song", "b", "rating", Raw(b"\xff")),
        ("song", "c", "rating", "5"),
    ]
    works, _, problems = read(database(tmp_path / "stickers", MPD, sticker=rows))
    assert [(work.path, work.rating, work.plays) for work in works] == [
        (b"a", None, 2),
        (b"b", None, None),
        (b"c", 2.5, None),
    ]
    assert [problem.source_id for problem in problems] == ["song:a"] * 3 + ["song:b"]
    assert "rating is '64', not a number from 0 to 10" in problems[1].message
    # the client that rated to 255 says so
    assert [work.rating for work in read(tmp_path / "stickers", rating_scale=255)[0]] == [64 / 51, None, 5 / 51]


def test_mpd_playlists_keep_order_and_repeats(tmp_path: Path) -> None:
    folder = tmp_path / "playlists"
    folder.mkdir()
    (folder / "Mix.m3u").write_bytes(b"#EXTM3U\na/one.mp3\nb \xff.mp3 \r\n\na/one.mp3\n/abs/x.mp3\nhttps://r/s\n")
    (folder / "empty.m3u").write_bytes(b"")
    (folder / "other.txt").write_bytes(b"a\n")
    path = database(tmp_path / "stickers", MPD)
    for _, playlists, problems in (
        read(path, playlists=folder, music_directory="/music"),
        read(folder, "mpd", music_directory="/music"),
    ):
        assert problems == []
        mix, empty = playlists
        assert (mix.name, mix.source_id, empty.name, empty.entries) == ("Mix", "playlist:Mix", "empty", ())
        names = [b"a/one.mp3", b"b \xff.mp3 ", b"a/one.mp3", b"/abs/x.mp3", b""]
        assert [entry.path for entry in mix.entries] == names
        assert mix.entries[1].relative_to == b"/music"
        assert mix.entries[-1].fields == {"uri": "https://r/s"}


# -------------------------------------------------------------------------------------------------------------- beets

# `.schema` of a library.db of beets 2.14.1 (beets/dbcore/db.py _make_table, _make_attribute_table), the columns beets
# writes for which nobody asks left out of `items` and `albums`
BEETS = """
CREATE TABLE items (added REAL, album TEXT, album_id INTEGER, albumartist TEXT, artist TEXT, comments TEXT, genres TEXT,
grouping TEXT, id INTEGER PRIMARY KEY, length REAL, mb_albumid TEXT, mb_trackid TEXT, mtime REAL, path BLOB, title TEXT,
track INTEGER, year INTEGER);
CREATE TABLE item_attributes (id INTEGER PRIMARY KEY, entity_id INTEGER, key TEXT, value TEXT,
UNIQUE(entity_id, key) ON CONFLICT REPLACE);
CREATE INDEX item_attributes_by_entity ON item_attributes (entity_id);
CREATE TABLE albums (added REAL, album TEXT, albumartist TEXT, artpath BLOB, id INTEGER PRIMARY KEY, mb_albumid TEXT);
CREATE TABLE album_attributes (id INTEGER PRIMARY KEY, entity_id INTEGER, key TEXT, value TEXT,
UNIQUE(entity_id, key) ON CONFLICT REPLACE);
CREATE INDEX album_attributes_by_entity ON album_attributes (entity_id);
"""


def beets(path: Path, *flexible: tuple[int, str, str], **albums: Iterable[Any]) -> Path:
    items = [
        {"id": 1, "path": b"Art/Alb/01 T.mp3", "title": "T", "artist": "Art", "album": "Alb", "albumartist": "AA"}
        | {"length": 201.5, "track": 1, "added": AT + 0.25, "mb_trackid": "m", "comments": ""},
        {"id": 2, "path": b"/elsewhere/\xff.mp3", "title": "U", "track": 0, "length": 0.0},
        {"id": 3, "path": None, "title": "V"},
    ]
    attributes = [(None, *row) for row in flexible]
    return database(path, BEETS, items=items, item_attributes=attributes, **albums)


def test_beets_items_and_what_a_person_put_on_them(tmp_path: Path) -> None:
    flexible = [
        (1, "rating", "4"),
        (1, "play_count", "3.0"),
        (1, "skip_count", "2"),
        (1, "last_played", f"{AT}.0"),
        (1, "tags", "live; loud,live\\␀slow"),
        (1, "loved", "Yes"),
        (1, "mood", "calm"),
        (1, "data_source", "MusicBrainz"),
        (2, "rating", "3.5"),
        (2, "last_played", "2023-11-14 22:13:20"),
        (2, "loved", "perhaps"),
    ]
    albums = {
        "albums": [{"id": 1, "album": "Alb", "albumartist": "AA", "added": AT}, {"id": 2, "album": "Silent"}],
        "album_attributes": [(None, 1, "rating", "5"), (None, 2, "data_source", "Discogs")],
    }
    path = beets(tmp_path / "library.db", *flexible, **albums)
    works, _, problems = read(path, music_directory=tmp_path)
    one, two, three, album = works
    assert one == Work(
        path=b"Art/Alb/01 T.mp3",
        relative_to=os.fsencode(tmp_path),
        title="T",
        artist="Art",
        album="Alb",
        album_artist="AA",
        duration=201.5,
        track=1,
        tags_added=("live", "loud", "slow"),
        rating=4.0,
        starred=True,
        plays=3,
        played_at_ns=AT * NS,
        skipped=2,
        fields={"mb_trackid": "m", "mood": "calm"},
        added_ns=AT * NS + NS // 4,
        source_id="item:1",
    )
    assert (two.path, two.relative_to, two.rating, two.played_at_ns) == (b"/elsewhere/\xff.mp3", b"", 3.5, AT * NS)
    assert (two.track, two.duration, two.starred, two.fields) == (None, None, None, {"loved": "perhaps"})
    assert (three.path, problems) == (b"", [Problem("item:3", "the item has no path")])
    assert (album.about, album.album, album.album_artist, album.rating) == ("album", "Alb", "AA", 5.0)
    assert (album.path, album.title, album.source_id) == (b"", "", "album:1")


@pytest.mark.parametrize(
    ("ratings", "scale", "stars"),
    [
        (("4", "0"), None, [4.0, None]),
        (("8", "3"), None, [4.0, 1.5]),
        (("80", "100"), None, [4.0, 5.0]),
        (("0.75", "0.5"), None, [None, None]),  # mpdstats' arithmetic, no person's
        (("0.75", "0.5"), 1, [3.75, 2.5]),
        (("1", "1"), None, [1.0, 1.0]),
        (("4", "2"), 10, [2.0, 1.0]),
    ],
)
def test_beets_ratings_have_the_scale_the_library_shows(
    tmp_path: Path, ratings: tuple[str, str], scale: float | None, stars: list[float | None]
) -> None:
    path = beets(tmp_path / "library.db", (1, "rating", ratings[0]), (2, "rating", ratings[1]))
    works, _, _ = read(path, "beets", rating_scale=scale)
    assert [work.rating for work in works[:2]] == stars
    assert ("rating" in works[0].fields) == (stars == [None, None])


# ---------------------------------------------------------------------------------------------------------- Navidrome

# navidrome db/migrations/20200130083147_create_schema.go, without the columns nobody asks for
NAVIDROME_2020 = """
create table if not exists album (id varchar(255) not null primary key, name varchar(255) default '' not null,
  artist_id varchar(255) default '' not null, artist varchar(255) default '' not null,
  album_artist varchar(255) default '' not null, created_at datetime, updated_at datetime);
create table if not exists annotation (ann_id varchar(255) not null primary key,
  user_id varchar(255) default '' not null, item_id varchar(255) default '' not null,
  item_type varchar(255) default '' not null, play_count integer, play_date datetime, rating integer,
  starred bool default FALSE not null, starred_at datetime, unique (user_id, item_id, item_type));
create table if not exists artist (id varchar(255) not null primary key, name varchar(255) default '' not null);
create table if not exists media_file (id varchar(255) not null primary key, path varchar(255) default '' not null,
  title varchar(255) default '' not null, album varchar(255) default '' not null,
  artist varchar(255) default '' not null, album_artist varchar(255) default '' not null,
  album_id varchar(255) default '' not null, track_number integer default 0 not null,
  duration integer default 0 not null, created_at datetime, updated_at datetime);
create table if not exists playlist (id varchar(255) not null primary key, name varchar(255) default '' not null,
  owner varchar(255) default '' not null, public bool default FALSE not null, tracks text not null);
create table if not exists user (id varchar(255) not null primary key,
  user_name varchar(255) default '' not null unique, name varchar(255) default '' not null);
"""
# 20200516140647_add_playlist_tracks_table, 20211029213200_add_userid_to_playlist, 20240511220020_add_library_table,
# 20241026183640_support_new_scanner, 20250701010102_add_annotation_user_foreign_key,
# 20251109010105_add_annotation_rating_date
NAVIDROME = f"""{NAVIDROME_2020}
create table if not exists playlist_tracks (id integer default 0 not null, playlist_id varchar(255) not null,
  media_file_id varchar(255) not null);
create unique index if not exists playlist_tracks_pos on playlist_tracks (playlist_id, id);
drop table playlist;
create table playlist (id varchar(255) not null primary key, name varchar(255) default '' not null,
  comment varchar(255) default '' not null, song_count integer default 0 not null, public bool default FALSE not null,
  created_at datetime, updated_at datetime, path string default '' not null, rules varchar, evaluated_at datetime,
  owner_id varchar(255) not null references user on update cascade on delete cascade);
create table library (id integer primary key autoincrement, name text not null unique, path text not null unique,
  remote_path text null default '', last_scan_at datetime not null default '0000-00-00 00:00:00');
alter table media_file add column library_id integer not null default 1 references library(id) on delete cascade;
alter table media_file add column missing boolean default false not null;
alter table media_file add column mbz_recording_id varchar default '' not null;
drop table annotation;
CREATE TABLE IF NOT EXISTS annotation (user_id varchar(255) not null REFERENCES user(id) ON DELETE CASCADE,
  item_id varchar(255) default '' not null, item_type varchar(255) default '' not null, play_count integer default 0,
  play_date datetime, rating integer default 0, starred bool default FALSE not null, starred_at datetime,
  unique (user_id, item_id, item_type));
ALTER TABLE annotation ADD COLUMN rated_at datetime;
"""
USERS = [("u1", "ann", ""), ("u2", "ben", "")]


def note(user: str, item: str, kind: str = "media_file", **said: Any) -> dict[str, Any]:
    return {"user_id": user, "item_id": item, "item_type": kind, **said}


def navidrome(path: Path, **more: Iterable[Any]) -> Path:
    files = [
        {"id": "f1", "path": "a/1.flac", "title": "T", "album": "Al", "artist": "Ar", "album_artist": "AA"}
        | {"track_number": 2, "duration": 61.5, "created_at": "2023-11-14 22:13:20+00:00", "mbz_recording_id": "m"},
        {"id": "f2", "path": Raw(b"b/\xff.mp3"), "library_id": 2, "missing": 1},
    ]
    libraries = [{"id": 1, "name": "Music", "path": "/music"}, {"id": 2, "name": "Old", "path": "/old"}]
    tables = {"user": USERS, "media_file": files, "library": libraries}
    return database(path, NAVIDROME, **tables, **more)  # type: ignore[arg-type]


def test_navidrome_annotations_of_several_users(tmp_path: Path) -> None:
    notes = [
        note("u1", "f1", rating=4, starred=1, starred_at="2023-11-14 23:13:20.123456789+01:00", play_count=0)
        | {"rated_at": "2023-11-14T22:13:21Z"},
        note("u2", "f1", rating=0, play_count=7, play_date="2023-11-14 22:13:20"),
        note("u2", "f2", starred=0, starred_at="2023-11-14 22:13:20+00:00"),  # a star taken back
        note("u1", "f2", rating=0, play_count=0),  # nothing was ever done
        note("u1", "gone", rating=5),
        note("u3", "al", "album", rating=3),
        note("u1", "ar", "artist", starred=1, starred_at="0001-01-01 00:00:00+00:00"),
        note("u2", "ar", "artist", rating=9),
    ]
    path = navidrome(
        tmp_path / "navidrome.db",
        annotation=notes,
        album=[{"id": "al", "name": "Al", "album_artist": "AA"}],
        artist=[{"id": "ar", "name": "Ar"}],
    )
    works, _, problems = read(path)
    ann, ben = [work for work in works if work.path == b"a/1.flac"]
    assert ann == Work(
        path=b"a/1.flac",
        relative_to=b"/music",
        title="T",
        artist="Ar",
        album="Al",
        album_artist="AA",
        duration=61.5,
        track=2,
        rating=4.0,
        starred=True,
        fields={"mbz_recording_id": "m"},
        added_ns=AT * NS,
        user="ann",
        source_id="annotation:u1:media_file:f1",
        at_ns=(AT + 1) * NS,
    )
    assert (ben.user, ben.rating, ben.starred, ben.plays, ben.played_at_ns) == ("ben", None, None, 7, AT * NS)
    (unstarred,) = [work for work in works if work.path == b"b/\xff.mp3"]
    assert (unstarred.relative_to, unstarred.starred, unstarred.at_ns) == (b"/old", False, AT * NS)
    assert unstarred.fields == {"missing": "1"}
    album, artist, wrong = (work for work in works if work.about != "track")
    assert {album.about, artist.about, wrong.about} == {"album", "artist"}
    by_user = {work.user: work for work in (album, artist, wrong)}
    assert (by_user["u3"].album, by_user["u3"].album_artist, by_user["u3"].rating) == ("Al", "AA", 3.0)
    assert (by_user["ann"].artist, by_user["ann"].starred, by_user["ann"].at_ns) == ("Ar", True, None)
    assert sorted(problem.source_id for problem in problems) == [
        "annotation:u1:media_file:gone",
        "annotation:u2:artist:ar",
    ]


def test_navidrome_playlists(tmp_path: Path) -> None:
    path = navidrome(
        tmp_path / "navidrome.db",
        playlist=[
            {"id": "p1", "name": "Mix", "owner_id": "u2"},
            {"id": "p2", "name": "Smart", "owner_id": "u1", "rules": '{"all":[]}'},
        ],
        playlist_tracks=[(2, "p1", "f2"), (1, "p1", "f1"), (10, "p1", "f1"), (3, "p1", "gone"), (1, "p2", "f1")],
    )
    _, (mix,), (problem,) = read(path, "navidrome")
    assert (mix.name, mix.user, mix.source_id) == ("Mix", "ben", "playlist:p1")
    assert [entry.path for entry in mix.entries] == [b"a/1.flac", b"b/\xff.mp3", b"a/1.flac"]
    assert mix.entries[0].source_id == "media_file:f1"
    assert problem == Problem("playlist:p1", "entry 3 is not in the database")


def test_navidrome_of_2020_has_absolute_paths_and_no_library(tmp_path: Path) -> None:
    path = database(
        tmp_path / "navidrome.db",
        NAVIDROME_2020,
        user=USERS,
        media_file=[{"id": "f1", "path": "/music/a.flac", "title": "T"}],
        annotation=[{"ann_id": "x", **note("u1", "f1", rating=2)}],
    )
    ((work,), playlists, problems) = read(path)
    assert (work.path, work.relative_to, work.rating, work.user) == (b"/music/a.flac", b"", 2.0, "ann")
    assert playlists == problems == []


def test_a_database_is_read_while_its_program_writes_and_after_it_stopped(tmp_path: Path) -> None:
    """Navidrome runs in WAL mode: what is not yet in the main file counts, too."""
    path = navidrome(tmp_path / "navidrome.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as program:
        program.execute("PRAGMA journal_mode = WAL")
        program.execute(
            "INSERT INTO annotation (user_id, item_id, item_type, rating) VALUES ('u1','f1','media_file',5)"
        )
        assert [work.rating for work in read(path)[0]] == [5.0]
        program.execute("UPDATE annotation SET rating = 1")
        assert [work.rating for work in read(path)[0]] == [1.0]
    assert not (tmp_path / "navidrome.db-wal").exists()
    assert [work.rating for work in read(path)[0]] == [1.0], "and read() saw no file made"


def test_a_program_that_starts_in_the_middle_is_noticed(tmp_path: Path) -> None:
    path = navidrome(tmp_path / "navidrome.db", annotation=[note("u1", "f1", rating=5), note("u2", "f1", rating=4)])
    with closing(sqlite3.connect(path, isolation_level=None)) as program:
        program.execute("PRAGMA journal_mode = WAL")
    records = read_peer(str(path))
    assert isinstance(next(records), Work)
    with closing(sqlite3.connect(path, isolation_level=None)) as program:
        program.execute("DELETE FROM annotation")
    with pytest.raises(Conflict, match="import again"):
        list(records)


# -------------------------------------------------------------------------------------------------------- HomeGallery

ONE, TWO = "0123456789abcdef0123456789abcdef01234567", "F" * 40
# xemle/home-gallery packages/events/src/header.ts
HEADER = {"type": "home-gallery/events@1.0", "created": "2023-01-01T00:00:00.000Z"}


def event(name: str, targets: list[Any], *actions: tuple[str, str], **more: Any) -> dict[str, Any]:
    said = [{"action": action, "value": value} for action, value in actions]
    return {"id": name, "type": "userAction", "targetIds": targets, "actions": said} | more


def events(path: Path, *lines: Any, pack: bool = False) -> Path:
    data = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in (HEADER, *lines)).encode()
    path.write_bytes(gzip.compress(data) if pack else data)
    return path


@pytest.mark.parametrize("pack", [False, True])
def test_homegallery_events_in_their_order(tmp_path: Path, pack: bool) -> None:
    path = events(
        tmp_path / "events.db",
        event("e1", [ONE, TWO], ("addTag", "sea"), ("addTag", "ö"), date="2023-11-14T22:13:20.000Z"),
        event("e2", [ONE], ("removeTag", "sea"), ("addTag", "x"), ("removeTag", "x"), ("addTag", "x")),
        event("e1", [ONE], ("addTag", "twice said is once done")),
        event("e3", [ONE], ("addTag", "Ann"), subtargetCoords=[{"x": 1, "y": 2, "width": 3, "height": 4}]),
        pack=pack,
    )
    works, playlists, problems = read(path)
    assert playlists == problems == []
    assert works[0] == Work(sha1=bytes.fromhex(ONE), tags_added=("sea", "ö"), at_ns=AT * NS, source_id=f"e1:{ONE}")
    assert (works[1].sha1, works[1].source_id) == (b"\xff" * 20, f"e1:{'f' * 40}")
    assert (works[2].tags_added, works[2].tags_removed, works[2].at_ns) == (("x",), ("sea",), None)
    assert works[3].fields == {"subtargetCoords": '{"height": 4, "width": 3, "x": 1, "y": 2}'}
    assert len(works) == 4


def test_homegallery_lines_that_are_none_are_said(tmp_path: Path) -> None:
    path = events(
        tmp_path / "events.db",
        "{torn",
        "[]",
        "",
        event("e1", [ONE], ("rotate", "90"), ("addTag", "a")),
        event("e2", ["no hash", ONE], ("addTag", "b")),
        event("e3", [ONE], ("addTag", "c"), date="yesterday"),
        {"id": "e4", "type": "systemAction"},
        "[" * 200_000,
    )
    works, _, problems = read(path)
    assert [work.tags_added for work in works] == [("a",), ("b",), ("c",)]
    assert [problem.source_id for problem in problems] == ["line:2", "line:3", "e1", "e2", "e3", "e4", "line:9"]


@pytest.mark.parametrize("count", [3, 30_000])
def test_homegallery_names_files_by_its_database(tmp_path: Path, count: int) -> None:
    entries = [
        {"id": f"{number:040x}", "type": "image", "files": [{"filename": f"a/{number}}},{{ö.jpg", "index": "photos"}]}
        for number in range(count)
    ]
    entries += [{"id": ONE, "files": []}, {"id": "no hash"}]
    whole = json.dumps({"type": "home-gallery/database@1.3.0", "created": "x", "data": entries}, separators=(",", ":"))
    names = tmp_path / "database.db"
    names.write_bytes(gzip.compress(whole.encode()))
    path = events(tmp_path / "events.db", event("e", [f"{count - 1:040x}", ONE], ("addTag", "a")))
    works, _, _ = read(path, database=names, music_directory="/photos")
    assert [work.path for work in works] == [f"a/{count - 1}}},{{ö.jpg".encode(), b""]
    assert [work.relative_to for work in works] == [b"/photos", b""]
    names.write_bytes(gzip.compress(whole.encode()[:-200]))
    with pytest.raises(Corrupt, match=r"database\.db"):
        read(path, database=names)
    with pytest.raises(InvalidArgument, match=r"events\.db"):
        read(path, database=path)


def test_a_packed_file_that_breaks_off_is_corrupt(tmp_path: Path) -> None:
    lines = [event(os.urandom(16).hex(), [ONE], ("addTag", "a")) for _ in range(500)]
    path = events(tmp_path / "events.db", *lines, pack=True)
    path.write_bytes(path.read_bytes()[:-2000])
    records = read_peer(str(path))
    assert isinstance(next(records), Work)
    with pytest.raises(Corrupt, match=r"events\.db"):
        list(records)


# ------------------------------------------------------------------------------------------------------------- iTunes


def track(number: int, **said: Any) -> dict[str, Any]:
    return {"Track ID": number, "Persistent ID": f"P{number}"} | {
        name.replace("_", " "): value for name, value in said.items()
    }


def itunes(path: Path, *tracks: dict[str, Any], playlists: Iterable[dict[str, Any]] = (), **more: Any) -> Path:
    """In the order of iTunes 12: the music folder after all else."""
    library = {"Major Version": 1, "Minor Version": 1, "Application Version": "12.6.0.100"}
    library |= {"Library Persistent ID": "8C47D9EF24402883", "Tracks": {str(one["Track ID"]): one for one in tracks}}
    library |= {"Playlists": list(playlists), **more}
    path.write_bytes(plistlib.dumps(library, sort_keys=False))
    return path


def test_itunes_tracks(tmp_path: Path) -> None:
    at = datetime.fromtimestamp(AT, UTC).replace(tzinfo=None)
    one = track(
        1, Name="T & <x>", Artist="Ar", Album="Al", Album_Artist="AA", Total_Time=147922, Track_Number=16, Rating=90
    )
    one |= {"Play Count": 2, "Play Date": 3782845000, "Play Date UTC": at, "Skip Count": 1, "Skip Date": at}
    one |= {"Date Added": at, "Loved": True, "Location": "file:///Users/n/Music/Ar/%C3%B6%20%FF%25.m4a"}
    tracks = [
        one,
        track(2, Rating=60, Rating_Computed=True, Album_Rating=60, Location="file://localhost/M:/Music/38%20S/C.mp3"),
        track(3, Rating=0, Disliked=True, Disabled=True, Album_Rating=60, Album_Rating_Computed=True),
        track(4, Favorited=True, Comments="c", Location="file://server/share/a.mp3"),
        track(5, Location="http://example.org/cast.mp3"),
        # from libpytunes' Test Library.xml: never played
        track(6, Play_Date=4294963696, Play_Date_UTC=datetime(2040, 2, 6, 4, 28, 16)),
    ]
    path = itunes(tmp_path / "Library.xml", *tracks, **{"Music Folder": "file:///Users/n/Mu%C3%9Fic%20&/"})
    works, playlists, problems = read(path)
    assert playlists == problems == []
    assert works[0] == Work(
        path=b"/Users/n/Music/Ar/\xc3\xb6 \xff%.m4a",
        relative_to="/Users/n/Mußic &/".encode(),
        title="T & <x>",
        artist="Ar",
        album="Al",
        album_artist="AA",
        duration=147.922,
        track=16,
        rating=4.5,
        starred=True,
        plays=2,
        played_at_ns=AT * NS,
        skipped=1,
        fields={"Skip Date": "2023-11-14T22:13:20Z"},
        added_ns=AT * NS,
        source_id="track:P1",
    )
    computed, disliked, share, cast, never = works[1:]
    assert (computed.path, computed.rating, computed.fields) == (b"M:/Music/38 S/C.mp3", None, {"album_rating": "3"})
    assert (disliked.path, disliked.relative_to, disliked.rating, disliked.starred) == (b"", b"", None, False)
    assert disliked.fields == {"disliked": "1", "disabled": "1"}
    assert (share.path, share.starred, share.fields) == (b"//server/share/a.mp3", True, {"Comments": "c"})
    assert (cast.path, cast.fields) == (b"", {"uri": "http://example.org/cast.mp3"})
    assert (never.plays, never.played_at_ns) == (None, None)


def test_itunes_playlists_of_a_person_only(tmp_path: Path) -> None:
    items = [{"Track ID": number} for number in (2, 1, 2, 9)]
    made = {"Name": "Mix", "Playlist Persistent ID": "AB", "Parent Persistent ID": "F", "Playlist Items": items}
    others = [
        {"Name": "Library", "Master": True, "Visible": False, "Playlist Items": items},
        {"Name": "Music", "Distinguished Kind": 4, "Music": True, "Playlist Items": items},
        {"Name": "Top 25", "Smart Info": b"\x01\x01", "Smart Criteria": b"SLst", "Playlist Items": items},
        {"Name": "Folder", "Folder": True, "Playlist Persistent ID": "F", "Playlist Items": items},
    ]
    one, two = (track(number, Location=f"file:///m/{number}.mp3", Rating=20) for number in (1, 2))
    path = itunes(tmp_path / "x.xml", one, two, playlists=[*others, made, {"Name": "empty", "Playlist ID": 7}])
    works, (mix, empty), (problem,) = read(path, "itunes")
    assert [entry.path for entry in mix.entries] == [b"/m/2.mp3", b"/m/1.mp3", b"/m/2.mp3"]
    assert (mix.name, mix.source_id, mix.entries[0].rating, works[0].rating) == ("Mix", "playlist:AB", None, 1.0)
    assert (empty.name, empty.source_id, empty.entries) == ("empty", "playlist:7", ())
    assert problem == Problem("playlist:AB", "the entry's track is not in the library: '9'")


def test_itunes_one_bad_value_is_no_end(tmp_path: Path) -> None:
    path = itunes(tmp_path / "x.xml", track(1, Rating=77777, Name="a"), track(2, Name="b"))
    said = path.read_bytes().replace(b"<string>b</string>", b"<string>b</string><key>Date Added</key><date>soon</date>")
    said = said.replace(b"<string>a</string>", b"<string>a</string><key>Play Count</key><integer>many</integer>")
    path.write_bytes(said)
    works, _, problems = read(path)
    assert [work.title for work in works] == ["a", "b"]
    assert [problem.source_id for problem in problems] == ["track:P1", "track:P1", "track:P2"]


def test_itunes_broken_xml_is_corrupt_after_what_is_whole(tmp_path: Path) -> None:
    path = itunes(tmp_path / "x.xml", *(track(number, Name="n" * 50) for number in range(2000)))
    path.write_bytes(path.read_bytes()[:-20_000])
    records = read_peer(str(path))
    seen = 0
    with pytest.raises(Corrupt, match=r"x\.xml"):
        for _ in records:
            seen += 1
    assert 1500 < seen < 2000


def test_itunes_in_an_encoding_nobody_knows_is_corrupt(tmp_path: Path) -> None:
    path = itunes(tmp_path / "x.xml", track(1))
    path.write_bytes(path.read_bytes().replace(b"UTF-8", b"UDF-8", 1))
    with pytest.raises(Corrupt, match="UDF-8"):
        read(path)


def test_itunes_with_entities_is_refused(tmp_path: Path) -> None:
    path = itunes(tmp_path / "x.xml", track(1, Name="a"))
    bomb = b'<!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><plist'
    path.write_bytes(path.read_bytes().replace(b"<plist", bomb, 1).replace(b">a<", b">&b;<"))
    said = path.read_bytes()
    start = said.index(b"<!DOCTYPE plist PUBLIC")
    path.write_bytes(said[:start] + said[said.index(b">", start) + 1 :])
    with pytest.raises(Corrupt, match="entities"):
        read(path)


# ----------------------------------------------------------------------------------------------------- any of them


def test_a_file_of_no_program_and_a_file_of_another(tmp_path: Path) -> None:
    other = database(tmp_path / "other.db", "CREATE TABLE cookies (host TEXT)")
    text, empty = tmp_path / "text", tmp_path / "empty"
    text.write_text('{"type": "home-gallery/database@1.3.0"}\n')
    empty.write_bytes(b"")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (other, text, empty, pipe, tmp_path):
        with pytest.raises(InvalidArgument, match=path.name):
            read_peer(str(path))
    stickers = database(tmp_path / "stickers", MPD)
    for kind in set(PEERS) - {"mpd"}:
        with pytest.raises(InvalidArgument, match="stickers"):
            read_peer(str(stickers), kind)


def test_what_is_not_there_and_what_is_not_known(tmp_path: Path) -> None:
    stickers = str(database(tmp_path / "stickers", MPD))
    with pytest.raises(NotFound, match="nowhere"):
        read_peer(os.fsencode(tmp_path / "nowhere"))
    with pytest.raises(NotFound, match="no playlists"):
        read_peer(stickers, playlists=tmp_path / "no playlists")
    with pytest.raises(InvalidArgument, match="winamp"):
        read_peer(stickers, "winamp")
    with pytest.raises(InvalidArgument, match="colour"):
        read_peer(stickers, colour=1)
    with pytest.raises(InvalidArgument, match="five stars"):
        read_peer(stickers, rating_scale=0)
    with pytest.raises(InvalidArgument, match="are a folder"):
        list(read_peer(stickers, playlists=stickers))


def test_a_damaged_database_is_corrupt(tmp_path: Path) -> None:
    rows = [("song", f"{number:05}.mp3", "rating", "5") for number in range(5000)]
    whole = database(tmp_path / "stickers", MPD, sticker=rows).read_bytes()
    library = beets(tmp_path / "library.db").read_bytes()
    for name, damaged in (
        ("header", b"SQLite format 3\0" + b"\xff" * 4000),
        ("short", whole[: len(whole) // 2]),
        ("middle", whole[:8192] + b"\xff" * (len(whole) - 8192)),
        ("schema", whole.replace(b"CREATE TABLE", b"CREATE T\xffBLE", 1)),
        ("column", library.replace(b"mtime REAL", b"mt\xffme REAL", 1)),
    ):
        path = tmp_path / name
        path.write_bytes(damaged)
        with pytest.raises(Corrupt, match=name):
            list(read_peer(str(path)))


def test_a_name_with_every_awkward_byte_is_opened(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"a?mode=rw#%20 \xff.db")
    database(tmp_path / "plain", MPD, sticker=[("song", "a", "rating", "5")]).rename(path)
    assert [work.rating for work in read(path)[0]] == [2.5]


def test_each_record_has_an_identity_that_stays(tmp_path: Path) -> None:
    assert len({key(name) for name in (b"a%FF", b"a\xff", b"a%25FF", "aÿ".encode(), b"a\0", b"a%00")}) == 6
    path = beets(tmp_path / "library.db", (1, "rating", "4"))
    once, again = ([work.source_id for work in read(path)[0]] for _ in range(2))
    assert once == again == sorted(set(once))


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("2023-11-14T22:13:20Z", AT * NS),
        ("2023-11-14T22:13:20.000Z", AT * NS),
        ("2023-11-14 22:13:20", AT * NS),
        ("2023-11-14 17:43:20.000000001-04:30", AT * NS + 1),
        ("2023-11-14", 19675 * 86400 * NS),
        ("1969-12-31T23:59:59.5Z", -NS // 2),
        ("0001-01-01 00:00:00+00:00", None),
        ("0000-00-00 00:00:00", None),
    ],
)
def test_dates(said: str, at: int | None) -> None:
    assert moment_ns(said) == moment_ns(said.encode()) == at


@pytest.mark.parametrize("said", ["2023-13-01", "2023-11-14T25:00:00Z", "soon", "9999999", "2023-11-14T22:13"])
def test_what_is_no_date_is_a_problem(said: str) -> None:
    values = Values("x")
    assert values.date_ns("added", said) is None
    assert len(values.problems) == 1
    assert "added" in values.problems[0].message
