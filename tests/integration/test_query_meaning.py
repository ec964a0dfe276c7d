"""Questions of every construct, random ones over random records: what PostgreSQL answers is what a plain evaluation of
the same tree in Python gives (tests/daemon/plain.py), page by page, in every order, counted."""

from __future__ import annotations

import os
import random
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from mediad.config import Config
from mediad.errors import QuerySyntax
from mediad.ids import mint
from mediad.index import asking as asking_module
from mediad.index import records, terms
from mediad.index.asking import Asking
from mediad.index.reindex import Reindexer
from mediad.index.roots import Roots
from mediad.index.work import Action, By, Work
from mediad.model import Answer
from mediad.query.parse import parse
from mediad.query.tree import Query, Sort
from mediad.store.database import Database
from mediad.store.migrate import migrate
from mediad.store.queries import Statement, load
from mediad.store.store import Store, pack, vectors
from tests import pg
from tests.daemon.plain import Person, Plain, Record
from tests.integration.test_schema import SQL

SEED = int(os.environ.get("QUERY_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
QUESTIONS = int(os.environ.get("QUERY_COUNT", "500"))
ACTOR = "ann"
WORDS = ["blue", "bluer", "river", "Ágætis", "byrjun", "Rós", "rose", "rock", "it's", "AC/DC", "live", "alive", "1999",
         "a", "東京都", "京都", "東京タワー", "ข้าวผัด", "west東京", "over", "lover", "d'été", "x-ray"]  # fmt: skip
FOLDERS = ["music", "Blue Album", "Fotos 東京", "live", "rock"]
KINDS = {"audio": ["flac", "mp3"], "image": ["jpeg", "png"], "video": ["matroska"], "document": ["pdf"]}


_BY_NAME = Statement("by_name", "SELECT id FROM file WHERE dir = $1::bigint AND name = $2::bytea", "A file.", "a test")


async def database_fetch(store: Store, folder: int, name: bytes) -> list[tuple[Any, ...]]:
    """The file of a name."""
    return await store.database.fetch(_BY_NAME, folder, name)


class Maker:
    """Random records, stored as a walk and a handler would have them stored."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.records: list[Record] = []
        self.people: dict[str, Person] = {}

    def text(self, most: int = 4) -> str:
        return " ".join(self.r.choice(WORDS) for _ in range(self.r.randint(1, most)))

    def fields(self, kind: str) -> dict[str, Any]:
        r = self.r
        makers: dict[str, Any] = {
            "title": self.text, "album": self.text, "description": lambda: self.text(8), "city": lambda: self.text(1),
            "artists": lambda: [self.text(2) for _ in range(r.randint(1, 3))],
            "genres": lambda: [self.text(1) for _ in range(r.randint(1, 2))],
            "keywords": lambda: list(dict.fromkeys(self.text(2) for _ in range(r.randint(1, 4)))),
            "camera_model": lambda: self.text(2), "compilation": lambda: r.random() < 0.5,
            "bit_rate": lambda: r.choice([128_000, 192_000, 320_000, r.randint(8, 2_000_000)]),
            "track_number": lambda: r.randint(1, 20), "iso": lambda: r.choice([100, 200, 400, 12_800, 102_400]),
            "f_number": lambda: r.choice([1.4, 2.8, 4.0, 5.6]), "exposure_time": lambda: r.choice([0.004, 1 / 60, 2.0]),
            "duration": lambda: round(r.uniform(0, 5000), 3), "width": lambda: r.randint(1, 30_000),
            "rating": lambda: r.choice([0, 1, 2.5, 4, 5]), "altitude": lambda: round(r.uniform(-400, 4000), 1),
            "date_taken_local": lambda: r.choice([
                "2019-07-14T10:30:00", "2019-07-14", "2019-07", "2019", "2020-02-29T23:59:59", "1999-12-31",
            ]),
            "date_released": lambda: r.choice(["1999", "1999-05", "2019-07-01"]),
            "metering_mode": lambda: r.choice(["Spot", "Center-weighted average", "Multi-segment"]),
            "loop_count": lambda: r.randint(0, 5), "has_alpha": lambda: r.random() < 0.5,
        }  # fmt: skip
        found = {name: make() for name, make in makers.items() if r.random() < 0.35}
        if kind == "image" and r.random() < 0.6:
            found["latitude"], found["longitude"] = (
                round(48.85 + r.uniform(-0.2, 0.2), 5), round(2.35 + r.uniform(-0.3, 0.3), 5))  # fmt: skip
        return found

    def record(self, number: int) -> Record:
        r = self.r
        kind = r.choice(list(KINDS))
        form = r.choice(KINDS[kind])
        shared = self.records and r.random() < 0.1
        stream = r.choice(self.records).stream if shared else mint.hex()
        folders = ["srv", *r.choice([["music"], ["music", "Blue Album"], ["Fotos 東京"], ["rock", "live"], []])]
        state = r.choices(["read", "listed", "failed"], [8, 1, 1])[0]
        return Record(
            number, str(uuid.UUID(stream)), f"{self.text(3)} {number}.{form}".replace("/", "-"), folders, kind,
            form if state == "read" else None, state,
            size=r.choice([0, 5000, 9_999, 10_000, 12_345, r.randint(0, 10**10)]),
            mtime_ns=int(datetime(2019, 7, 14, 12).timestamp() + r.randint(-10**8, 10**8)) * 10**9,
            added_ns=int(time.time() - r.uniform(0, 40 * 86_400)) * 10**9,
            missing=r.random() < 0.08, fields=self.fields(kind) if state == "read" else {},
        )  # fmt: skip

    async def store(self, store: Store, count: int) -> None:
        """Fills the database."""
        host = store.host
        run = store.database.run
        await run([("claim_host", (host, "test", 1))])
        store.epoch = 1
        volume = (await run([("put_mount", (host, "v", "ext4", b"/", b"/", 1))]))[0][0][0]
        root = (await run([("put_root", (volume, b"/srv", b"", host, True, False, "[]", 1, "", mint.uuid()))]))[0][0][0]
        dirs = {(): (await store.read("dir_by_names", root, "[]"))[0][0]}
        number = 1000
        for path in (("music",), ("music", "Blue Album"), ("Fotos 東京",), ("rock",), ("rock", "live")):
            number += 1
            dirs[path] = number
            row = {"i": number, "r": root, "p": dirs[path[:-1]], "n": path[-1].encode().hex(), "g": None, "x": None,
                   "o": None, "m": None, "w": terms.fold(path[-1])}  # fmt: skip
            await run([("put_dirs", (pack([row]),))])
        for i in range(count):
            record = self.record(i)
            folders = tuple(name.encode() for name in record.folders[1:]) or (b"srv",)
            name = record.name.encode()
            folder = dirs[tuple(record.folders[1:])]
            entry = {"d": folder, "n": name.hex(), "t": "f", "s": record.size, "m": record.mtime_ns, "c": 1, "i": i + 1,
                     "o": 0o644, "l": 1, "u": record.stream, "k": record.kind, "x": None, "b": 0}  # fmt: skip
            words = terms.listed(name, folders, record.size, record.mtime_ns, record.kind).binary()
            await run([("list_files", (pack([entry]), record.added_ns, host, root, vectors([words])))])
            file = (await database_fetch(store, folder, name))[0][0]
            record.number = file
            self.records.append(record)
            if record.state != "listed":
                rows = records.Rows()
                ok = {
                    "kind": record.kind,
                    "format": record.format,
                    "fields": record.fields,
                    "handler": "x",
                    "handler_version": 1,
                }
                answer = Answer(ok=ok) if record.state == "read" else Answer(code="corrupt", message="broken")
                read = records.Read(
                    file, record.stream, name, folders, i + 1, record.size, record.mtime_ns, False, folder
                )
                records.add(rows, read, answer)
                if record.state == "failed":
                    rows.records[0]["kind"] = record.kind
                    rows.words[0] = words
                await run([("store_records", (pack(rows.records), 1, host, vectors(rows.words)))])
            if record.missing:
                await run([("miss_files", (pack([{"i": file, "d": folder, "n": name.hex()}]), 1, host))])

    async def work(self, work: Work) -> None:
        """Lets people do things to some of the items."""
        r = self.r
        for stream in {record.stream for record in self.records}:
            if r.random() > 0.4:
                continue
            person = self.people.setdefault(stream, Person())
            files = [each for each in self.records if each.stream == stream]
            actions: list[Action] = []
            for _ in range(r.randint(0, 3)):
                tag = self.text(2)
                actions.append(Action("tag", " ".join(tag.split())))
                person.tags[tag] = False
            embedded = [tag for each in files for tag in each.fields.get("keywords", ())]
            if embedded and r.random() < 0.5:
                tag = r.choice(embedded)
                if person.tags.get(tag, True) is not False:
                    actions.append(Action("untag", tag))
                    person.tags[tag] = True
            if r.random() < 0.4:
                person.rating = float(r.choice([0, 3, 4.5, 5]))
                actions.append(Action("rate", number=person.rating))
            if r.random() < 0.3:
                person.starred = True
                actions.append(Action("star", at_ns=5))
            if r.random() < 0.3:
                person.plays, person.played_ns = r.randint(1, 5), time.time_ns() - r.randint(0, 30 * 86_400) * 10**9
                actions.append(Action("play", at_ns=person.played_ns, count=person.plays))
            for name in ("title", "artist", "shelf"):
                if r.random() < 0.2:
                    person.fields[name] = self.text(2)
                    actions.append(Action("set", name, person.fields[name]))
            by = By(ACTOR, mint.uuid())
            if actions:
                await work.apply([stream], actions, by)
            if r.random() < 0.2:
                kind, name = r.choice([("collection", "Blue trip"), ("playlist", "rock it")])
                await work.put_in(kind, name, [stream], -1, by)
                person.collections.append((kind, name))


class Questions:
    """Random questions, as text."""

    def __init__(self, r: random.Random, maker: Maker) -> None:
        self.r = r
        self.maker = maker

    def word(self) -> str:
        word = re.sub(r"[^\w]", "", self.r.choice(WORDS)) if self.r.random() < 0.45 else self.r.choice(WORDS)
        kind = self.r.random() if word.isalnum() else 1.0
        if kind < 0.15:
            return word[: self.r.randint(1, len(word))]
        if kind < 0.3:
            return "*" + word[-self.r.randint(1, len(word)) :]
        if kind < 0.45:
            start = self.r.randrange(len(word))
            return "*" + word[start : start + self.r.randint(1, 4)] + "*"
        if kind < 0.6:
            return (
                '"'
                + " ".join(self.r.choice(WORDS) for _ in range(self.r.randint(1, 3)))
                + self.r.choice(["", "*"])
                + '"'
            )
        return word

    def number(self, low: float, high: float, *, whole: bool) -> str:
        def one() -> str:
            value = self.r.uniform(low, high)
            return str(int(value)) if whole or self.r.random() < 0.5 else f"{value:.2f}"

        a, b = sorted((one(), one()), key=float)
        return self.r.choice(
            [f":{a}..{b}", f":{a}..", f":..{b}", f":>{a}", f":<={b}", f">={a}", f" < {b}", f":{a}", f"!={a}"]
        )

    def term(self) -> str:
        r = self.r
        exact = r.choice(self.maker.records)
        dates = ["2019", "2019-07", "2019-07-14", "2019-07-14T10:30", "1999", "2020-02", "today", "1999-12-31"]
        bounds = ["{}", ">{}", "<{}", ">={}", "<={}", "{}..", "..{}"]
        plain = ["title", "artist", "album", "genre", "keywords", "tag", "description", "city", "camera", "name",
                 "user_shelf", "user_title", "metering_mode", "collection", "playlist"]  # fmt: skip
        asked_for = ["title", "gps", "rating", "tag", "date", "artist", "iso", "plays", "metering_mode", "user_shelf"]
        terms_of: list[Any] = [
            self.word, self.word, self.word,
            lambda: f"{r.choice(plain)}:{self.word()}", lambda: f"{r.choice(plain)}:{self.word()}",
            lambda: f'{r.choice(["title", "artist", "tag", "album"])}="{self.maker.text(2)}"',
            lambda: "title=" + '"' + str(exact.fields.get("title", "blue")) + '"',
            lambda: f"{r.choice(['genre', 'artist', 'tag'])} in ({r.choice(WORDS[:8])}, \"{self.maker.text(2)}\")",
            lambda: f"kind:{r.choice(['audio', 'image,video', 'document', 'other'])}",
            lambda: f"format:{r.choice(['flac', 'mp3,jpeg', 'pdf'])}", lambda: f"ext:{r.choice(['flac', 'mp3', 'pn'])}",
            lambda: f"state:{r.choice(['read', 'listed', 'failed', 'missing', 'read,missing'])}",
            lambda: "size" + self.number(0, 20_000, whole=True), lambda: f"size:{exact.size}",
            lambda: "bit_rate" + self.number(8, 400_000, whole=True),
            lambda: "iso" + self.number(90, 110_000, whole=True),
            lambda: "duration" + self.number(0, 5000, whole=False),
            lambda: "width" + self.number(0, 30_000, whole=True),
            lambda: f"duration:{exact.fields.get('duration', 1)}",
            lambda: "altitude" + self.number(-400, 4000, whole=False),
            lambda: "f_number" + r.choice([":2.8", ":>2.8", ":<=4", ":1.4..5.5"]), lambda: "exposure_time:1/250",
            lambda: "track" + self.number(1, 20, whole=True), lambda: "loop_count" + self.number(0, 5, whole=True),
            lambda: "rating" + self.number(0, 5, whole=False), lambda: "plays" + self.number(0, 5, whole=True),
            lambda: "year" + self.number(1998, 2021, whole=True), lambda: f"month:{r.randint(1, 12)}", lambda: "day:14",
            lambda: "date:" + r.choice(bounds).format(r.choice(dates)),
            lambda: "date_released:" + r.choice(bounds).format(r.choice(dates)),
            lambda: "taken:" + r.choice(bounds).format(r.choice(dates)),
            lambda: "modified:" + r.choice(bounds).format(r.choice(dates)),
            lambda: "added:" + r.choice(["-7d", ">-3d", "<-7d", "-2w", "today", "-1m"]),
            lambda: "played:" + r.choice(["-7d", "<-7d"]),
            lambda: f"near:48.85,2.35,{r.choice(['5km', '800m', '12km', '1mi'])}",
            lambda: f"{r.choice(['has', 'missing'])}:{r.choice(asked_for)}",
            lambda: "copies" + r.choice([":<2", ":>=2", ":1"]),
            lambda: f"count(tags) {r.choice(['>=', '<', '='])} {r.randint(0, 4)}",
            lambda: f"count(genres) >= {r.randint(0, 2)}", lambda: r.choice(["starred:yes", "starred:no"]),
            lambda: f"compilation:{r.choice(['yes', 'no'])}",
            lambda: f"has_alpha:{r.choice(['yes', 'no'])}",
            lambda: f"folder:{r.choice(['music', 'blue', 'album', '東京', 'srv', 'liv', '*ock'])}",
            lambda: "path:/srv/music",
            lambda: r.choice(['path:"/srv/rock/live"', "path:/", "path:/srv/nothing", "path:blue"]),
            lambda: f"id:{exact.stream}",
            lambda: "exists(title)", lambda: "iso in [100:400]", lambda: "*",
        ]  # fmt: skip
        return str(r.choice(terms_of)())

    def text(self, depth: int = 0) -> str:
        r = self.r
        parts = []
        for _ in range(r.choice([1, 1, 2, 2, 3])):
            kind = r.random()
            part = f"({self.text(depth + 1)})" if kind < 0.2 and depth < 3 else self.term()
            if r.random() < 0.2 and not part.startswith("-"):
                part = r.choice(["-", "not "]) + part
            parts.append(part)
        return r.choice([" ", " ", " or ", " and "]).join(parts)


@contextmanager
def world() -> Iterator[SimpleNamespace]:
    """An empty database with the product's parts over it."""
    dsn = pg.fresh_database()
    made = SimpleNamespace(dsn=dsn)

    async def start() -> None:
        made.database = Database(dsn, load(SQL / "queries"))
        await migrate(made.database, SQL / "migrations")

    made.start = start
    yield made


def test_every_question_means_what_it_means_plainly() -> None:
    print(f"QUERY_SEED={SEED}")
    with world() as made:

        async def ask() -> None:
            await made.start()
            try:
                with pytest.MonkeyPatch.context() as patch:
                    await _ask(made.database, patch)
            finally:
                await made.database.close()

        pg.run(ask(), seconds=500)


async def _roots(store: Store) -> Roots:
    """The root, as if its volume were mounted."""
    roots = Roots(store, Config(data_dir=Path("/nowhere")))
    await roots.load()
    for root in roots.all():
        root.local = root.path
    return roots


async def _ask(database: Database, patch: pytest.MonkeyPatch) -> None:
    maker = Maker(SEED)
    store = Store(database, uuid.uuid4())
    await maker.store(store, 250)
    work = Work(store)
    await maker.work(work)
    reindexer = Reindexer(store)
    while await store.read("stale_files", 1):
        await reindexer.settle()
    roots = await _roots(store)
    asking = Asking(store, roots)
    questions = Questions(random.Random(SEED + 1), maker)
    full = 0
    for number in range(QUESTIONS):
        text = questions.text()
        tree = parse(text).tree
        question = await asking.question(text, actor=ACTOR)
        plain = Plain(maker.records, maker.people, question.now)
        expected = plain.answer(tree)
        r = random.Random(SEED + number)
        sort = tuple(
            Sort(key, r.random() < 0.5)
            for key in r.sample(
                ["name", "title", "artist", "album", "date", "size", "rating", "plays", "added", "random", "duration"],
                r.choice([0, 0, 1, 1, 2]),
            )
        )
        question = await asking.prepare(Query(tree, sort), text, actor=ACTOR)
        found: list[str] = []
        pages = r.choice([1, 7, 100])
        # In a library of 250 files all would be sorted: each way of finding a page has its turn.
        for name, values in (("_MANY", (0, 20, 5000)), ("_ORDER_STEP", (1, 5, 512)), ("_SPANS_FROM", (1, 20, 1000))):
            patch.setattr(asking_module, name, r.choice(values))
        async for page in asking.rows(question, None, pages, deadline=30.0):
            found += [str(row.stream) for row in page]
            for row in page[-1:]:  # a cursor is what it was after it was packed
                assert question.unpack_cursor(question.pack_cursor(row.place, None))[0] == row.place
        assert len(found) == len(set(found)), f"twice: {text} (QUERY_SEED={SEED})"
        statement, params = question.page(None, 10**6)
        sorted_at_once = await database.fetch(statement, *params)
        assert found == list(dict.fromkeys(str(row[1]) for row in sorted_at_once)), (
            f"another order page by page: {text} {sort} (QUERY_SEED={SEED})"
        )
        assert set(found) == expected, (
            f"{text} (QUERY_SEED={SEED}): {len(set(found) - expected)} too many, {len(expected - set(found))} missing: "
            f"{[e for e in maker.records if e.stream in set(found) ^ expected][:2]} "
            f"{[maker.people.get(e.stream) for e in maker.records if e.stream in set(found) ^ expected][:2]}"
        )
        statement, params = question.count()
        assert (await database.fetch(statement, *params))[0][0] == len(expected), text
        some = r.sample(sorted({e.stream for e in maker.records}), 20)
        everything = {e.stream for e in maker.records if plain.holds(tree, e)}
        for gone, wanted in ((False, expected), (True, everything)):
            statement, params = question.among(some, missing=gone)
            shown = {str(row[0]) for row in await database.fetch(statement, *params)}
            wrong = shown ^ (wanted & set(some))
            assert not wrong, f"{text}: {[e for e in maker.records if e.stream in wrong]} {statement.sql}"
        full += bool(expected)
    assert full > QUESTIONS // 4, "most questions found nothing: they prove little"


def test_no_text_of_a_question_becomes_sql() -> None:
    """What breaks SQL, tsquery, LIKE, regular expressions and JSON paths is data, and finds nothing or itself."""
    evil = ["'; DROP TABLE file; --", "\\'", "a' | 'b", "%", "_", "a:*B", "$1", "\\", "{}", "[a-z]*", "(?i)x",
            "x\u200b", "' OR true --", "!a & b", "<->", "a\\:*", "${jndi}", "\U0001f600", "\"; SELECT 1"]  # fmt: skip
    fields = [
        "",
        "title:",
        "tag:",
        "user_x:",
        "folder:",
        "metering_mode:",
        "collection:",
        "title=",
        "path:/",
        "kind:",
        "format:",
        "saved:",
    ]
    with world() as made:

        async def ask() -> None:
            await made.start()
            try:
                store = Store(made.database, uuid.uuid4())
                maker = Maker(5)
                await maker.store(store, 20)
                asking = Asking(store, await _roots(store))
                plain = (await asking.question("")).page(None, 10)[0].sql
                for field_name in fields:
                    for text in evil:
                        for asked in (
                            f'{field_name}"{text.replace(chr(34), "")}"',
                            f"{field_name}{text}",
                            f"{field_name}*{text}*",
                        ):
                            try:
                                question = await asking.question(asked)
                            except QuerySyntax:  # the only mistake there may be
                                continue
                            statement, params = question.page(None, 10)
                            await made.database.fetch(statement, *params)
                            for part in ("DROP", "SELECT 1", "jndi", "x\u200b", "[a-z]"):
                                assert part not in statement.sql or part in plain, asked
                assert len(await store.read("file_span")) == 1
            finally:
                await made.database.close()

        pg.run(ask(), seconds=200)


def test_shares_are_estimated() -> None:
    """Files are gone through for what is frequent, the index is asked for what is rare; both find the same."""
    with world() as made:

        async def ask() -> None:
            await made.start()
            try:
                store = Store(made.database, uuid.uuid4())
                await Maker(7).store(store, 150)
                asking = Asking(store, await _roots(store))
                question = await asking.question("kind:audio")
                assert asking.first_statement(question, 50)[2] == 1.0, "nothing is known yet"
                before = [
                    row.file for page in [p async for p in asking.rows(question, None, 7, deadline=9)] for row in page
                ]
                async with await psycopg.AsyncConnection.connect(made.dsn, autocommit=True) as connection:
                    await connection.execute("ANALYZE mediadb.file_text")
                asking = Asking(store, await _roots(store))
                question = await asking.question("kind:audio")
                share = asking.first_statement(question, 50)[2]
                assert 0.1 < share < 0.6
                rare = asking.first_statement(await asking.question("nosuchword"), 50)
                assert rare[2] < 0.001 and "IS TRUE" not in rare[0].sql
                assert (asking.first_statement(await asking.question("kind:audio or nosuchword"), 50))[2] >= share
                assert (asking.first_statement(await asking.question("kind:audio nosuchword"), 50))[2] < 0.001
                after = [
                    row.file for page in [p async for p in asking.rows(question, None, 7, deadline=9)] for row in page
                ]
                assert before == after
            finally:
                await made.database.close()

        pg.run(ask())
