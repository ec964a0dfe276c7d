"""The schema: schema.sql and the migrations lead to the same place, and every named statement fits it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench import rows
from mediad.store.database import Database
from mediad.store.migrate import migrate
from mediad.store.queries import BY_KEY, load
from tests import pg

ROOT = Path(__file__).parents[2]
SQL = ROOT / "sql"

_CATALOG = {
    "columns": """SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, collation_name,
        identity_generation FROM information_schema.columns WHERE table_schema = 'mediadb'
        ORDER BY 1, ordinal_position""",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'mediadb'::regnamespace ORDER BY 1, 2""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'mediadb' ORDER BY 1, 2",
    "functions": """SELECT proname, pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = 'mediadb'::regnamespace ORDER BY 1""",
    "triggers": """SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT tgisinternal AND c.relnamespace = 'mediadb'::regnamespace ORDER BY 1, 2""",
    "sequences": "SELECT sequencename, data_type::text FROM pg_sequences WHERE schemaname = 'mediadb' ORDER BY 1",
    "feed": "SELECT one, last FROM mediadb.feed",
}


def _catalog(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(dsn) as connection:
        found = {name: connection.execute(text.encode()).fetchall() for name, text in _CATALOG.items()}
    return {name: [row for row in rows if "migration" not in str(row[0])] for name, rows in found.items()}


@pytest.fixture(scope="module", params=[False, True], ids=["taken", "newest"])
def newest(request: pytest.FixtureRequest) -> bool:
    """The PostgreSQL that a daemon takes here, and the newest that is here: each plans in its own way."""
    if request.param and pg.major(newest=True) == pg.major():
        pytest.skip(f"PostgreSQL {pg.major()} is the newest one here, and the one that is taken")
    return bool(request.param)


@pytest.fixture(scope="module")
def by_schema(newest: bool) -> str:
    dsn = pg.fresh_database(newest)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute((SQL / "schema.sql").read_bytes())
    return dsn


def test_migrations_lead_to_the_schema(by_schema: str, newest: bool) -> None:
    dsn = pg.fresh_database(newest)

    async def lead() -> None:
        database = Database(dsn, load(SQL / "queries"))
        try:
            await migrate(database, SQL / "migrations")
        finally:
            await database.close()

    pg.run(lead())
    here, there = _catalog(by_schema), _catalog(dsn)
    assert here["columns"], "the schema made no table"
    for what in _CATALOG:
        assert here[what] == there[what], what


def test_every_statement_fits_the_schema(by_schema: str) -> None:
    with psycopg.connect(by_schema, autocommit=True) as connection:
        connection.execute("SET search_path TO mediadb, pg_catalog")
        for statement in load(SQL / "queries").values():
            connection.execute(f"PREPARE {statement.name} AS {statement.sql}".encode())


def test_every_statement_is_used() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "mediad").rglob("*.py"))
    names = set(load(SQL / "queries"))
    unused = [name for name in names if f'"{name}"' not in source]
    assert not unused, f"no code asks for {unused}"


_SMALL = {"feed", "root", "host", "volume", "mount"}  # a row or a few, whatever the library's size


def _whole_reads(node: dict[str, Any]) -> list[str]:
    """Nodes of a plan (EXPLAIN (FORMAT JSON)) that read all of a table that grows with the library."""
    # An index that a bitmap is made of has no table of its own: it is the one of the node above.
    table = node.get("Relation Name")
    below = ({"Relation Name": table, **each} for each in node.get("Plans", ()))
    found = [read for each in below for read in _whole_reads(each)]
    whole = "Seq Scan" in node["Node Type"] or ("Index" in node["Node Type"] and "Index Cond" not in node)
    whole = whole and node.get("Parent Relationship") != "InitPlan"  # EXISTS (SELECT FROM work): its first row
    if whole and table not in {*_SMALL, None}:
        found.append(f"{node['Node Type']} on {table}")
    return found


def test_statements_by_key_never_read_a_whole_table(by_schema: str) -> None:
    """Planned while the library is empty, as a daemon does with a new one: the plan is kept while it grows."""
    keyed = [statement for statement in load(SQL / "queries").values() if statement.keyed]
    assert len(keyed) > 20
    wrong: dict[str, list[str]] = {}
    with psycopg.connect(by_schema, options="-c search_path=mediadb,pg_catalog") as connection:
        connection.execute(BY_KEY.sql.encode())
        for statement in keyed:
            count = max(int(number) for number in re.findall(r"\$(\d+)", statement.sql))
            connection.execute(f"PREPARE tried AS {statement.sql}".encode())
            row = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE tried({', '.join(['NULL'] * count)})".encode())
            plan = row.fetchall()[0][0]
            connection.execute("DEALLOCATE tried")
            if reads := _whole_reads(plan[0]["Plan"]):
                wrong[statement.name] = reads
    assert not wrong


def test_a_file_cannot_go_while_its_rows_come() -> None:
    """They are no foreign keys: who stores them holds the file's row, who deletes it waits, and they go with it."""
    dsn = pg.fresh_database()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute((SQL / "schema.sql").read_bytes())
        connection.execute("INSERT INTO mediadb.host (id, name, seen_ns) VALUES (gen_random_uuid(), 'test', 1)")
    rows.fill(dsn, 20)
    path = "-c search_path=mediadb,pg_catalog"
    with psycopg.connect(dsn, options=path) as storing, psycopg.connect(dsn, options=path, autocommit=True) as deleting:
        file, host = storing.execute("SELECT (SELECT min(id) FROM file), (SELECT id FROM host)").fetchall()[0]
        for table in ("reading", "file_detail", "file_text"):  # it was not read yet
            storing.execute(f"DELETE FROM {table} WHERE file = %s".encode(), (file,))
        storing.commit()
        stat = storing.execute("SELECT inode, size, mtime_ns FROM file WHERE id = %s", (file,)).fetchall()[0]
        record = {"f": file, "i": stat[0], "s": stat[1], "m": stat[2], "state": "read", "kind": "audio",
                  "fields": {}, "tags": {}, "sources": {}, "warnings": []}  # fmt: skip
        storing.execute(f"PREPARE store AS {load(SQL / 'queries')['store_records'].sql}".encode())
        given = ", ".join("%s::text::" + each for each in ("jsonb", "bigint", "uuid", "tsvector[]"))
        values = (json.dumps([record]), "1", str(host), "{'word':1}")
        assert psycopg.ClientCursor(storing).execute(f"EXECUTE store({given})".encode(), values).fetchall() == [(1,)]
        deleting.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            deleting.execute("DELETE FROM file WHERE id = %s", (file,))
        storing.commit()
        assert deleting.execute("SELECT count(*) FROM reading WHERE file = %s", (file,)).fetchall() == [(1,)]
        deleting.execute("DELETE FROM file WHERE id = %s", (file,))
        for table in ("reading", "file_detail", "file_text", "todo", "file_meta"):
            left = deleting.execute(f"SELECT count(*) FROM {table} WHERE file = %s".encode(), (file,)).fetchall()
            assert left == [(0,)], table
        assert deleting.execute("SELECT count(*) FROM reading").fetchall() == [(19,)]


def test_a_record_is_found_without_reading_a_whole_table(newest: bool) -> None:
    """Some thousand files with statistics: few enough that the planner, which expects a hundred ids of a list, would
    rather read all of them for each `get` (it took 10 ms and not 0.3)."""
    dsn = pg.fresh_database(newest)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute((SQL / "schema.sql").read_bytes())
        connection.execute("INSERT INTO mediadb.host (id, name, seen_ns) VALUES (gen_random_uuid(), 'test', 1)")
    rows.fill(dsn, 3000)
    large = ("file", "reading", "file_detail", "stream", "stream_key")  # dir is a twelfth of them
    statements = load(SQL / "queries")
    with psycopg.connect(dsn, options="-c search_path=mediadb,pg_catalog") as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        for name in ("heads_of_items", "records_of_items"):
            connection.execute(f"PREPARE tried AS {statements[name].sql}".encode())
            plan = connection.execute("EXPLAIN (FORMAT JSON) EXECUTE tried(NULL)").fetchall()[0][0]
            connection.execute("DEALLOCATE tried")
            reads = [read for read in _whole_reads(plan[0]["Plan"]) if read.rpartition(" ")[2] in large]
            assert not reads, name
