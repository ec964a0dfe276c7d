from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from mediad.errors import Unavailable
from mediad.store.database import Database
from mediad.store.faults import StatementFailed
from mediad.store.migrate import MigrationFailed, migrate
from tests import pg


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_start.sql").write_text(
        "CREATE TABLE thing (a int); -- semicolons; in a comment\nSELECT pg_sleep(0.2);"
    )
    (tmp_path / "0002_more.sql").write_text(
        "ALTER TABLE thing ADD b text DEFAULT ';';\nINSERT INTO thing VALUES (1);\n"
    )
    (tmp_path / "README.md").write_text("not a migration")
    return tmp_path


def names(applied: list[object]) -> list[str]:
    return [f"{migration.number}_{migration.name}" for migration in applied]  # type: ignore[attr-defined]


def query(conninfo: str, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo) as direct:
        return direct.execute(text.encode()).fetchall()


def test_each_is_applied_once_and_in_the_schema(folder: Path) -> None:
    conninfo = pg.fresh_database()

    async def check() -> None:
        database = Database(conninfo, {})
        assert names(await migrate(database, folder)) == ["1_start", "2_more"]
        assert await migrate(database, folder) == []
        (folder / "0003_last.sql").write_text("DROP TABLE thing; CREATE VIEW seen AS SELECT 1 AS one")
        assert names(await migrate(database, folder)) == ["3_last"]
        await database.close()

    pg.run(check())
    assert query(conninfo, "SELECT one FROM mediadb.seen") == [(1,)]
    assert query(conninfo, "SELECT number, length(sha256) FROM mediadb.migration ORDER BY 1") == [
        (1, 32),
        (2, 32),
        (3, 32),
    ]


def test_of_eight_migrators_one_applies(folder: Path) -> None:
    conninfo = pg.fresh_database()

    async def check() -> None:
        databases = [Database(conninfo, {}) for _ in range(8)]
        applied = await asyncio.gather(*(migrate(database, folder) for database in databases))
        assert sorted(name for each in applied for name in names(each)) == ["1_start", "2_more"]
        for database in databases:
            await database.close()

    pg.run(check())
    assert query(conninfo, "SELECT count(*) FROM mediadb.thing") == [(1,)]


def test_a_failing_migration_leaves_no_trace(folder: Path) -> None:
    conninfo = pg.fresh_database()
    (folder / "0003_bad.sql").write_text("CREATE TABLE half (a int); SELECT 1/0;")

    async def check() -> None:
        database = Database(conninfo, {})
        with pytest.raises(StatementFailed, match="division") as failed:
            await migrate(database, folder)
        assert failed.value.statement == "0003_bad"
        await database.close()

    pg.run(check())
    assert query(conninfo, "SELECT max(number), to_regclass('mediadb.half') FROM mediadb.migration") == [(2, None)]


@pytest.mark.parametrize("text", ["CREATE TABLE x (a int); COMMIT;", "COMMIT; BEGIN;", "ROLLBACK;"])
def test_a_migration_that_ends_its_transaction_is_refused(folder: Path, text: str) -> None:
    (folder / "0003_ends.sql").write_text(text)

    async def check() -> None:
        database = Database(pg.fresh_database(), {})
        with pytest.raises(MigrationFailed, match="must not begin, commit"):
            await migrate(database, folder)
        await database.close()

    pg.run(check())


def test_what_does_not_fit_is_said(folder: Path) -> None:
    conninfo = pg.fresh_database()

    async def refused(words: str) -> None:
        database = Database(conninfo, {})
        with pytest.raises(MigrationFailed, match=words):
            await migrate(database, folder)
        await database.close()

    async def apply() -> None:
        database = Database(conninfo, {})
        await migrate(database, folder)
        await database.close()

    pg.run(apply())
    second = (folder / "0002_more.sql").read_text()
    (folder / "0002_more.sql").write_text(second + "-- an afterthought\n")
    pg.run(refused("was changed"))
    (folder / "0002_more.sql").unlink()
    pg.run(refused("newer version"))
    (folder / "0003_gap.sql").write_text("SELECT 1")
    pg.run(refused("missing or there twice"))
    (folder / "wrong.sql").write_text("SELECT 1")
    pg.run(refused("NNNN_name"))


def test_without_a_server_it_is_unavailable(folder: Path) -> None:
    async def check() -> None:
        with pytest.raises(Unavailable, match="no connection"):
            await migrate(Database("host=/nonexistent", {}), folder, deadline=1)

    pg.run(check())
