"""What does walking through a large library cost? First pages of every order over the socket, beside a ping: waiting,
and the CPU of the daemon with all below it, which is what holds on a machine that others use.

    python bench/walks.py SOCKET DSN [--albums 80000] [--songs 6]

Fills the database with albums of so many songs each (rows only, by SQL: metas, links, files without words), has the
daemon sum them up, tells how long that took, and asks. The daemon must run on that database.
"""

from __future__ import annotations

import argparse
import socket
import struct
import time
import uuid
from collections.abc import Callable

import measure as m
import psycopg

from mediactl import Client, walks, workcalls

_FILL = [
    """CREATE TEMPORARY TABLE made AS SELECT i, (i - 1) / %(songs)s AS a, md5('s' || i)::uuid AS stream,
       md5('m' || i)::uuid AS song, 1000000000 + i AS file
       FROM generate_series(1, %(songs)s::integer * %(albums)s::integer) i""",
    """INSERT INTO volume (uuid, fs_type) VALUES (gen_random_uuid()::text, 'ext4')""",
    """INSERT INTO root (volume, path, owner, watched, cross_mounts, exclude, added_ns, scanned_ns)
       SELECT max(v.id), '/walks', (SELECT id FROM host LIMIT 1), false, false, '{}', 1, 1 FROM volume v""",
    """INSERT INTO dir (id, root, parent, name) SELECT 1000000, max(id), NULL, '' FROM root""",
    """INSERT INTO dir (id, root, parent, digest, name, folded)
       SELECT 1000001 + a, (SELECT max(id) FROM root), 1000000, '0'::bytea, convert_to('f' || a, 'UTF8'), 'f' || a
       FROM generate_series(0, %(albums)s - 1) a""",
    "INSERT INTO stream (id, created_ns) SELECT stream, i FROM made",
    """INSERT INTO file (id, dir, name, type, kind_guess, stream, size, mtime_ns, ctime_ns, inode, mode, nlink,
       first_seen_ns) OVERRIDING SYSTEM VALUE
       SELECT file, 1000001 + a, convert_to(i || '.mp3', 'UTF8'), 'f', 'audio', stream, 1, 1, 1, i, 420, 1, i
       FROM made""",
    """INSERT INTO reading (file, state, kind, duration, date)
       SELECT file, 'read', 'audio', 200, (1960 + a %% 60)::text FROM made""",
    """INSERT INTO file_detail (file, fields, tags, sources, warnings)
       SELECT file, jsonb_build_object('title', 'T ' || i, 'album', 'Album ' || md5(a::text), 'artists',
              jsonb_build_array('Artist ' || a %% 9000), 'genres', jsonb_build_array('Genre ' || a %% 40),
              'track_number', i %% %(songs)s + 1), '{}', '{}', '[]' FROM made""",
    """INSERT INTO meta (id, kind, digest, name, folded, reversed)
       SELECT song, 'song', uuid_send(song), 'T ' || i, 't ' || i, '' FROM made
       UNION ALL SELECT md5('a' || a)::uuid, 'album', uuid_send(md5('a' || a)::uuid), 'Album', 'album', ''
       FROM generate_series(0, %(albums)s - 1) a""",
    "INSERT INTO meta_link SELECT song, md5('a' || a)::uuid, 'album' FROM made",
    "INSERT INTO file_meta SELECT file, song FROM made",
    "INSERT INTO stream_meta SELECT stream, song FROM made",
    """INSERT INTO stale_album (meta) SELECT md5('a' || a)::uuid FROM generate_series(0, %(albums)s - 1) a""",
    # What somebody played: every tenth album; starred: every hundredth.
    """INSERT INTO work_actor (stream, actor, plays, played_ns)
       SELECT stream, %(actor)s, 1 + i %% 7, i FROM made WHERE a %% 10 = 0""",
    """INSERT INTO work_meta (meta, actor, starred_ns, rating)
       SELECT md5('a' || a)::uuid, %(actor)s, 1 + a, 1 + a %% 5 FROM generate_series(0, %(albums)s - 1, 100) a""",
]


def fill(dsn: str, albums: int, songs: int, actor: str) -> None:
    """Rows of a library, not summed up yet. Raises psycopg.Error."""
    options = "-c search_path=mediadb -c synchronous_commit=off -c session_replication_role=replica"
    with psycopg.connect(dsn, autocommit=True, options=options) as link:
        for statement in _FILL:
            link.execute(statement.encode(), {"albums": albums, "songs": songs, "actor": actor})
        link.execute("ANALYZE")


def daemon_of(path: str) -> int:
    """The process that listens on a socket (SO_PEERCRED, unix(7))."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(path)
        return int(struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])


def cpu(pid: int) -> float:
    """CPU seconds of a process and of all below it that live."""
    return sum(m.exact_cpu(each) for each in (pid, *m.descendants(pid)))


def best(pid: int, run: Callable[[], object], turns: int = 15) -> tuple[float, float, float]:
    """(median, worst, CPU of the daemon and all below it a turn) in milliseconds."""
    run()
    took, before = [], cpu(pid)
    for _ in range(turns):
        began = time.perf_counter()
        run()
        took.append((time.perf_counter() - began) * 1000)
    spent = (cpu(pid) - before) / turns * 1000
    took.sort()
    return took[len(took) // 2], took[-1], spent


def main() -> None:
    """Fills, waits, asks, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("socket")
    parser.add_argument("dsn")
    parser.add_argument("--albums", type=int, default=80_000)
    parser.add_argument("--songs", type=int, default=6)
    given = parser.parse_args()
    actor = "walker"
    began = time.monotonic()
    fill(given.dsn, given.albums, given.songs, actor)
    print(f"{given.albums * given.songs:,} songs of {given.albums:,} albums as rows: {time.monotonic() - began:.0f} s")
    with (
        Client(given.socket, actor=actor, timeout=600.0) as client,
        psycopg.connect(given.dsn, autocommit=True) as link,
    ):
        pid = daemon_of(given.socket)
        began, spent = time.monotonic(), cpu(pid)
        client.run(walks.browse("albums", limit=1))  # wakes it
        while link.execute("SELECT FROM mediadb.stale_album LIMIT 1").rowcount:
            time.sleep(0.5)
        print(f"summed up: {time.monotonic() - began:.0f} s, CPU {cpu(pid) - spent:.1f} s", flush=True)
        link.execute("VACUUM (ANALYZE)")  # as autovacuum has done after ten minutes
        measure(client, pid)


def measure(client: Client, pid: int) -> None:
    """First pages of 50."""
    artist = client.run(walks.browse("artists", limit=1)).artists[0].id
    album = client.run(walks.browse("albums", limit=1)).albums[0].id
    second = client.run(walks.browse("albums", limit=20_000)).cursor or b""
    asked: dict[str, dict[str, object]] = {
        "artists": {"what": "artists"}, "all artists": {"what": "artists", "all_artists": True},
        "artists, prefix": {"what": "artists", "prefix": "artist 12"},
        **{f"albums by {sort}": {"what": "albums", "sort": sort} for sort in (
            "name", "-name", "artist", "year", "-year", "added", "recent", "frequent", "starred", "rating", "random")},
        "albums by name, the 20,001st on": {"what": "albums", "cursor": second},
        "albums starred": {"what": "albums", "starred": True},
        "albums of an artist": {"what": "albums", "artist": artist},
        "albums of a genre": {"what": "albums", "genre": "genre 7"},
        "albums of some years": {"what": "albums", "year_from": 1990, "year_to": 1993},
        "albums, prefix": {"what": "albums", "prefix": "ab"},
        "one album": {"what": "albums", "id": album}, "one artist": {"what": "artists", "id": artist},
        "genres": {"what": "genres"}, "the roots": {"what": "folders"},
        "a folder of 80,000": {"what": "folders", "folder": 1_000_000},
    }  # fmt: skip
    tell("ping", best(pid, client.ping))
    for name, how in asked.items():
        one = {"limit": 50, **how}
        tell(name, best(pid, lambda one=one: client.run(walks.browse(**one))))  # type: ignore[misc, arg-type]
    tell("star an album", best(pid, lambda: client.run(workcalls.star([uuid.UUID(str(album))])), 3))


def tell(name: str, found: tuple[float, float, float]) -> None:
    print(f"{name:40} {found[0]:8.2f} ms  worst {found[1]:8.2f}  CPU {found[2]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
