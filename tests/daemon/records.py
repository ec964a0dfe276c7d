"""What tests of a library share: its database, its files, music with chosen tags."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from mutagen.flac import FLAC

from mediactl import Client
from mediactl.model import AddResult, FileEntry
from tests.daemon import Daemon, write_tree

DATA = Path(__file__).parent.parent / "data/audio"
SONG = (DATA / "lame.mp3").read_bytes()


def rows(daemon: Daemon, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """What the daemon's database says."""
    assert daemon.dsn is not None
    with psycopg.connect(daemon.dsn) as connection:
        return connection.execute(sql.encode(), parameters).fetchall()


def entry(client: Client, path: Path) -> FileEntry:
    result = client.get(path)[0]
    assert result.item is not None, result.problem
    return next(each for each in result.item.files if each.path == os.fsencode(path))


def counts(result: AddResult) -> tuple[int, int, int, int, int]:
    return result.files_listed, result.files_new, result.files_changed, result.files_missing, result.files_read


def wait_for(what: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def check_events(daemon: Daemon) -> list[str]:
    """Numbers without a gap from 1 to the feed's last; the actions in order."""
    found = rows(daemon, "SELECT seq, action FROM mediadb.event ORDER BY seq")
    assert [row[0] for row in found] == list(range(1, len(found) + 1))
    assert rows(daemon, "SELECT last FROM mediadb.feed") == [(len(found),)]
    check_orphans(daemon)
    return [row[1] for row in found]


def check_orphans(daemon: Daemon) -> None:
    """No row is of a file, or links to a meta, that is not there: these are no foreign keys (decision 0016)."""
    for table in ("reading", "file_detail", "file_text", "todo", "file_meta"):
        found = rows(daemon, f"SELECT t.file FROM mediadb.{table} t LEFT JOIN mediadb.file f ON f.id = t.file "
                     "WHERE f.id IS NULL")  # fmt: skip
        assert found == [], table
    for table, column in (("file_meta", "meta"), ("stream_meta", "meta"), ("meta_link", "parent"),
                          ("meta_link", "child")):  # fmt: skip
        found = rows(daemon, f"SELECT l.{column} FROM mediadb.{table} l LEFT JOIN mediadb.meta m ON m.id = l.{column} "
                     "WHERE m.id IS NULL")  # fmt: skip
        assert found == [], table


def song(path: Path, **tags: str) -> Path:
    """A FLAC file with these tags only, unlike every other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((DATA / "picard.flac").read_bytes())
    tagged = FLAC(path)
    tagged.delete()
    tagged.update({"comment": path.name, **tags})
    tagged.save()
    return path


def fill_library(daemon: Daemon) -> None:
    """Four songs of two artists, a text and an empty file, all read."""
    tree = daemon.folder / "tree"
    song(
        tree / "Sigur Rós/01.flac",
        title="Ágætis byrjun",
        artist="Sigur Rós",
        album="Ágætis byrjun",
        date="1999",
        tracknumber="2",
    )
    song(
        tree / "Sigur Rós/02.flac",
        title="Svefn-g-englar",
        artist="Sigur Rós",
        album="Ágætis byrjun",
        date="1999",
        tracknumber="3",
    )
    song(tree / "Björk/03.flac", title="Army of Me", artist="Björk", album="Post", date="1995-06-13", tracknumber="1")
    song(tree / "Björk/04.flac", title="It's Oh So Quiet", artist="Björk", album="Post", date="1995", tracknumber="4")
    write_tree(tree, {"notes/army list.txt": b"x" * 5000, "empty.txt": b""})
    with daemon.client() as client:
        assert client.add([tree]).files_failed == 0
