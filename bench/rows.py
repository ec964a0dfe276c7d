"""A library of any size as rows only: what the tables hold after a scan of so many files, without the files.

    python bench/rows.py DSN 1000000        # some minutes; the database has the schema and one host
    fill(conninfo, 1_000_000)

Words are those of a library: artists, albums and words of titles as Zipf's law has them, numbers of photographs that
occur once, dates, places. The text index's rows are made by the product's own code.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg

from mediad.fold import fold, unspaced
from mediad.index import terms
from mediad.index.metas import Metas
from mediad.index.records import Read

TOP = b"/srv/bench-rows"  # where the root is said to be; nothing is there
FILES_A_FOLDER = 12
SLICE = 20_000  # files a transaction: it can be watched growing
SAMPLE = 1000  # items whose ids are returned
SEED = 7
_SYLLABLES = [
    *("ka", "lo", "mi", "ren", "sta", "vo", "du", "fel", "gra", "hin", "jo", "ker", "lun", "mar", "nes", "or", "pel"),
    *("qui", "ros", "sal", "tan", "ur", "vin", "wes", "xa", "yor", "zen", "bel", "cor", "dra", "el", "far", "gol"),
    *("har", "is", "jun"),
]
_STREAM, _FILE, _READING, _DETAIL, _TEXT, _KEY = (
    "COPY stream (id, created_ns) FROM STDIN",
    "COPY file (id, dir, name, type, kind_guess, stream, size, mtime_ns, ctime_ns, inode, mode, nlink, first_seen_ns) "
    "FROM STDIN",
    "COPY reading (file, state, handler, handler_version, kind, format, title, artist, album, duration, width, height, "
    "date, size, mtime_ns) FROM STDIN",
    "COPY file_detail (file, fields, tags, sources, warnings) FROM STDIN",
    "COPY file_text (file, words) FROM STDIN",
    "COPY stream_key (stream, grade, algorithm, value) FROM STDIN",
)  # fmt: skip
# What songs, albums and artists there are; beside the rows of files, for a meta is of many files.
_META, _LINK, _FILE_META, _STREAM_META = (
    "COPY meta (id, kind, digest, name, folded, reversed) FROM STDIN",
    "COPY meta_link (parent, child, role) FROM STDIN",
    "COPY file_meta (file, meta) FROM STDIN",
    "COPY stream_meta (stream, meta) FROM STDIN",
)
_INDEXES = ("file_text_words", "word_grams", "word_reversed", "stream_key_value", "file_inode", "file_stream")


class Words:
    """Words of a language nobody speaks, the first of them frequent, the last ones rare."""

    def __init__(self, r: random.Random, count: int) -> None:
        self.all = [
            "".join(r.choice(_SYLLABLES) for _ in range(2 + number % 3)) + ("" if number < 20_000 else str(number % 97))
            for number in range(count)
        ]
        self._r = r

    def one(self) -> str:
        # A Pareto law of 0.7: the most frequent word is in some per cent of the titles.
        return self.all[min(int(self._r.paretovariate(0.7)) - 1, len(self.all) - 1)]


class Library:
    """Rows of files, in order."""

    def __init__(self, count: int, seed: int = SEED) -> None:
        self.r = random.Random(seed)
        self.words = Words(self.r, 60_000)
        self.artists = [f"{self.words.one().title()} {self.words.one().title()}" for _ in range(max(50, count // 60))]
        self.genres = ["Rock", "Jazz", "Electronic", "Folk", "Classical", "Metal", "Ambient", "Hip Hop", "Blues", "Pop"]
        self.cameras = [("Canon", "EOS 70D"), ("NIKON", "D750"), ("Apple", "iPhone 12"), ("SONY", "ILCE-7M3")]

    def file(self, number: int) -> tuple[bytes, tuple[bytes, ...], str, str, dict[str, Any]]:
        """(name, folders, kind, format, fields)."""
        r = self.r
        kind = r.choices(("audio", "image", "video", "document"), (55, 35, 5, 5))[0]
        folder = number // FILES_A_FOLDER
        rest = random.Random(folder)
        artist = self.artists[min(int(rest.paretovariate(0.5)) - 1, len(self.artists) - 1)]
        year = rest.randint(1960, 2025)
        if kind == "audio":
            album = f"{self.words.all[folder * 7 % 60_000].title()} {self.words.all[folder % 1000].title()}"
            title = " ".join(self.words.one().title() for _ in range(r.randint(1, 4)))
            fields: dict[str, Any] = {
                "title": title, "artists": [artist], "album": album, "album_artists": [artist],
                "genres": [rest.choice(self.genres)], "date_released": str(year),
                "track_number": number % FILES_A_FOLDER + 1, "duration": round(r.uniform(60, 600), 3),
                "bit_rate": r.choice((128_000, 192_000, 320_000)), "sample_rate": 44_100, "channels": 2, "codec": "mp3",
            }  # fmt: skip
            name = f"{number % FILES_A_FOLDER + 1:02d} {title}.mp3"
            return name.encode(), (artist.encode(), album.encode()), kind, "mp3", fields
        day = f"{r.randint(2005, 2025)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"
        if kind == "image":
            make, model = rest.choice(self.cameras)
            fields = {
                "date_taken_local": f"{day}T{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}",
                "width": 6000, "height": 4000, "camera_make": make, "camera_model": model,
                "iso": r.choice((100, 200, 400, 800)), "f_number": r.choice((1.8, 2.8, 4.0, 8.0)),
                "exposure_time": 1 / r.choice((60, 125, 250)), "orientation": 1,
            }  # fmt: skip
            if r.random() < 0.4:
                fields["latitude"], fields["longitude"] = round(r.uniform(-60, 70), 5), round(r.uniform(-180, 180), 5)
            if r.random() < 0.2:
                fields["keywords"] = [self.words.one() for _ in range(r.randint(1, 4))]
            return f"IMG_{number % 10_000_000:07d}.JPG".encode(), (day[:4].encode(), day.encode()), kind, "jpeg", fields
        title = " ".join(self.words.one().title() for _ in range(r.randint(2, 5)))
        if kind == "video":
            fields = {
                "title": title,
                "duration": round(r.uniform(600, 8000), 3),
                "width": 1920,
                "height": 1080,
                "video_codec": "h264",
            }
            return (
                f"{title} ({year}) {chr(97 + number % FILES_A_FOLDER)}.mkv".encode(),
                (b"films", title.encode()),
                kind,
                "matroska",
                fields,
            )
        fields = {"title": title, "creators": [artist], "page_count": r.randint(1, 500)}
        return (
            f"{title} {chr(97 + number % FILES_A_FOLDER)}.pdf".encode(),
            (b"papers", str(year).encode()),
            kind,
            "pdf",
            fields,
        )


def _line(*values: Any) -> str:
    """A line of COPY's text format."""
    return "\t".join(
        "\\N" if v is None else str(v).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") for v in values
    )


def fill(conninfo: str, count: int, *, top: bytes = TOP, progress: bool = False) -> list[str]:
    """Puts `count` files below a new root at `top`; returns the ids of some thousand of their items, spread evenly.

    Raises psycopg.Error, as where the schema is missing or there is no host."""
    library = Library(count)
    seen: set[str] = set()
    sample: list[str] = []
    known: dict[tuple[str, str], str] = {}
    options = (
        "-c search_path=mediadb -c synchronous_commit=off -c session_replication_role=replica "
        "-c maintenance_work_mem=256MB"
    )
    with psycopg.connect(conninfo, autocommit=True, options=options) as link:
        row = link.execute("SELECT id FROM host LIMIT 1").fetchone()
        assert row is not None, "a daemon must have claimed the database once"
        now = time.time_ns()
        volume = link.execute(
            "INSERT INTO volume (uuid, fs_type) VALUES (%s, 'ext4') RETURNING id", (str(uuid.uuid4()),)
        ).fetchone()[0]  # type: ignore[index]
        # Mounted here and walked already, so that a daemon leaves it alone.
        link.execute(
            "INSERT INTO mount (host, volume, fs_root, path, seen_ns) VALUES (%s, %s, '/', %s, 1)",
            (row[0], volume, top),
        )
        root = link.execute(
            "INSERT INTO root (volume, path, owner, watched, cross_mounts, exclude, added_ns, scanned_ns) "
            "VALUES (%s, '/', %s, false, false, '{}', 1, 1) RETURNING id", (volume, row[0]),
        ).fetchone()[0]  # type: ignore[index]  # fmt: skip
        first = link.execute("SELECT coalesce(max(id), 0) + 1 FROM file").fetchone()[0]  # type: ignore[index]
        folders = -(-count // FILES_A_FOLDER)
        above = link.execute("SELECT setval('dir_id', nextval('dir_id') + %s) - %s", (folders + 1, folders)).fetchone()[
            0
        ]  # type: ignore[index]
        link.execute("INSERT INTO dir (id, root, name) VALUES (%s, %s, '')", (above - 1, root))
        definitions = {}
        if count >= 100_000:  # as one builds a large index: after the rows
            for name in _INDEXES:
                found = link.execute(
                    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'mediadb' AND indexname = %s", (name,)
                ).fetchone()
                definitions[name] = found[0] if found else ""
                link.execute(f"DROP INDEX {name}")
        for start in range(0, count, SLICE):
            rows = list(_rows(library, range(start, min(start + SLICE, count)), first, above, now))
            with link.transaction():
                for statement, column in ((_STREAM, 0), (_FILE, 1), (_READING, 2), (_DETAIL, 3), (_TEXT, 4), (_KEY, 5)):
                    with link.cursor().copy(statement) as copy:
                        copy.write("\n".join(row[column] for row in rows) + "\n")
                with link.cursor().copy("COPY dir (id, root, parent, name, folded) FROM STDIN") as copy:
                    for number in range(
                        start // FILES_A_FOLDER + (start > 0), min(start + SLICE, count - 1) // FILES_A_FOLDER + 1
                    ):
                        if number < folders:
                            copy.write(
                                _line(above + number, root, above - 1, f"\\x{str(number).encode().hex()}", str(number))
                                + "\n"
                            )
                _put_metas(link, rows, known)
            for row in rows:
                seen.update(row[6])
            sample += [row[7] for row in rows[:: max(1, count // SAMPLE)]]
            if progress:
                print(f"\r{start + len(rows):,}", end="", file=sys.stderr, flush=True)
        link.execute("CREATE TEMPORARY TABLE made (LIKE word)")
        with link.cursor().copy("COPY made (word, reversed, grams) FROM STDIN") as copy:
            for word in sorted(seen):
                grams = {(word + "  ")[i : i + 3] for i in range(len(word))}
                copy.write(_line(word, word[::-1], " ".join(f"'{gram}'" for gram in grams)) + "\n")
        link.execute("INSERT INTO word SELECT * FROM made ON CONFLICT DO NOTHING")
        link.execute("INSERT INTO stale_album (meta) SELECT id FROM meta WHERE kind = 'album' ON CONFLICT DO NOTHING")
        link.execute("SELECT setval(pg_get_serial_sequence('file', 'id'), (SELECT max(id) FROM file))")
        for definition in definitions.values():
            link.execute(definition.encode())
        link.execute("VACUUM ANALYZE")
        link.execute("CHECKPOINT")
    return sample


def _rows(library: Library, numbers: range, first: int, above: int, now: int) -> Iterator[tuple[Any, ...]]:
    for number in numbers:
        name, folders, kind, form, fields = library.file(number)
        file = first + number
        at = now - (10**9 * (10_000_000 - number))
        ident = uuid.UUID(int=(at // 10**6 << 80) | 0x7000 << 64 | 0x8 << 60 | file)
        size = library.r.randint(10_000, 10_000_000)
        words = terms.described(name, folders, size, at, kind, form, fields).text()
        date = terms.hot_date(fields)
        free = {
            word for text in itertools.chain([name.decode()], (f.decode() for f in folders), _texts(fields))
            for word in fold(text).split() if not unspaced(word)
        }  # fmt: skip
        yield (
            _line(ident, at),
            _line(file, above + number // FILES_A_FOLDER, f"\\x{name.hex()}", "f", kind, ident, size, at, at, file,
                  0o644, 1, at),
            _line(file, "read", None, None, kind, form, fields.get("title"), (fields.get("artists") or [None])[0],
                  fields.get("album"), fields.get("duration"), fields.get("width"), fields.get("height"), date, size,
                  at),
            _line(file, json.dumps(fields), "{}", "{}", "[]"),
            _line(file, words),
            _line(ident, 1, "whole/1", f"\\x{file:032x}"),
            free,
            str(ident),
            (Read(file, str(ident), name, folders, file, size, at, False), kind, fields),
        )  # fmt: skip


def _put_metas(link: psycopg.Connection[Any], rows: list[tuple[Any, ...]], known: dict[tuple[str, str], str]) -> None:
    """Metas of these files, as reading them would have made them; `known`: those of albums and artists so far."""
    made = Metas()
    for row in rows:
        made.add(*row[8])
    ids = {}  # by their numbers
    fresh = []
    for number, ((kind, digest), meta) in enumerate(made.metas.items(), 1):
        ids[number] = known.get((kind, digest), meta["u"])
        if (kind, digest) not in known:
            fresh.append(_line(meta["u"], kind, f"\\x{digest}", meta["n"], meta["fo"], meta["re"]))
        if kind in ("album", "artist"):
            known[kind, digest] = ids[number]
    streams = {row[8][0].file: row[7] for row in rows}
    of_files = [(each["f"], ids[each["m"]]) for each in made.files]
    links = {(ids[e["p"]], ids[e["c"]], e["r"]) for e in made.links.values()}
    of_albums = {each for each in links if each[2] == "album_artist"}
    for statement, lines in (
        (_META, fresh), (_LINK, [_line(*each) for each in links - of_albums]),
        (_FILE_META, [_line(*each) for each in of_files]),
        (_STREAM_META, [_line(streams[file], meta) for file, meta in of_files]),
    ):  # fmt: skip
        with link.cursor().copy(statement) as copy:
            copy.write("\n".join(lines) + "\n")
    # An album may go on in the next slice.
    with link.cursor() as cursor:
        cursor.executemany("INSERT INTO meta_link VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", sorted(of_albums))


def _texts(fields: dict[str, Any]) -> Iterator[str]:
    for value in fields.values():
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, str):
                yield each


if __name__ == "__main__":
    fill(sys.argv[1], int(sys.argv[2]), progress=True)
