"""Brings a database to the state this program's SQL expects: `migrations/NNNN_name.sql`, in order, each once.

Each file is one transaction, under an advisory lock, recorded with its SHA-256 in `mediadb.migration`. Of several
daemons that start at once one applies and the others find nothing to do. A file that was applied is never edited."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn

from mediad.errors import Internal
from mediad.store.database import Database
from mediad.store.opening import open_connection
from mediad.store.script import execute_script

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql\Z")

# lock_timeout counts for advisory locks too: here one waits for the other migrator, up to the deadline.
_SESSION = {"lock_timeout": "0", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}

# The lock's key is "mediadb" in ASCII as a number, the same in every version for ever.
_OPEN = """
BEGIN;
SELECT pg_advisory_xact_lock(30792254400586850);
CREATE SCHEMA IF NOT EXISTS mediadb;
CREATE TABLE IF NOT EXISTS mediadb.migration (
    number int PRIMARY KEY,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
SELECT number, name, encode(sha256, 'hex'), pg_current_xact_id() FROM mediadb.migration
    RIGHT JOIN (SELECT) AS always ON true ORDER BY number;
"""


class MigrationFailed(Internal):
    """The database cannot be brought to what this program expects; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file; `sha256` is of its bytes, in hexadecimal."""

    number: int
    name: str
    sql: str
    sha256: str


def read_migrations(folder: Traversable | Path) -> list[Migration]:
    """The folder's migrations in order. Raises MigrationFailed where a name or the numbering (1, 2, 3...) is wrong."""
    migrations = []
    for file in folder.iterdir():
        if not file.name.endswith(".sql"):
            continue
        found = _FILE.match(file.name)
        if not found:
            raise MigrationFailed("a migration's name has to be NNNN_name.sql", file.name)
        data = file.read_bytes()
        migrations.append(Migration(int(found[1]), found[2], data.decode("utf-8"), hashlib.sha256(data).hexdigest()))
    migrations.sort(key=lambda migration: migration.number)
    for expected, migration in enumerate(migrations, 1):
        if migration.number != expected:
            raise MigrationFailed(f"migration {expected:04} is missing or there twice", migration.name)
    return migrations


async def migrate(database: Database, folder: Traversable | Path, *, deadline: float = 600.0) -> list[Migration]:
    """Apply what the database lacks; give what was applied now. Each migration may take `deadline` seconds.

    Raises MigrationFailed: an applied file was changed, the database is newer than the program, a file ends its own
    transaction; Unavailable; and whatever a file's statements raise: that file then has left no trace."""
    migrations = read_migrations(folder)
    pgconn = await open_connection(await database.conninfo(**_SESSION), min(deadline, 10.0))
    try:
        applied = []
        while (migration := await _apply_next(pgconn, migrations, deadline)) is not None:
            applied.append(migration)
        return applied
    finally:
        pgconn.finish()


async def _apply_next(pgconn: PGconn, migrations: Sequence[Migration], deadline: float) -> Migration | None:
    """Apply the first missing migration in a transaction of its own; None when nothing is missing."""
    rows = await execute_script(pgconn, _OPEN, name="migration", deadline=deadline)
    transaction = rows[0][3]
    known = {int(number): (name, digest) for number, name, digest, _ in rows if number is not None}
    _compare(known, migrations)
    missing = [migration for migration in migrations if migration.number not in known]
    if not missing:
        await execute_script(pgconn, "COMMIT", name="migration", deadline=deadline)
        return None
    migration = missing[0]
    name = f"{migration.number:04}_{migration.name}"
    await execute_script(pgconn, migration.sql, name=name, deadline=deadline)
    if pgconn.transaction_status == TransactionStatus.INTRANS:
        current = (await execute_script(pgconn, "SELECT pg_current_xact_id()", name=name, deadline=deadline))[0][0]
    else:
        current = None
    if current != transaction:
        raise MigrationFailed("a migration must not begin, commit or roll back a transaction", name)
    record = (
        # Digits, and a name that _FILE has let pass: nothing that would need quoting.
        f"INSERT INTO mediadb.migration (number, name, sha256) VALUES "  # noqa: S608
        f"({migration.number}, '{migration.name}', decode('{migration.sha256}', 'hex')); COMMIT"
    )
    await execute_script(pgconn, record, name=name, deadline=deadline)
    return migration


def _compare(known: dict[int, tuple[str | None, str | None]], migrations: Sequence[Migration]) -> None:
    newest = max(known, default=0)
    if newest > len(migrations):
        raise MigrationFailed(
            f"the database is at migration {newest:04} and this program knows {len(migrations):04} as its last: "
            f"it was used by a newer version; use that version, or restore a backup made before"
        )
    for migration in migrations[:newest]:
        if migration.number not in known:
            raise MigrationFailed(
                f"migration {migration.number:04} was left out when {newest:04} was applied", migration.name
            )
        if known[migration.number][1] != migration.sha256:
            raise MigrationFailed(
                f"migration {migration.number:04} is not what was applied to this database: the file was changed "
                f"afterwards, or the database was made by a different program",
                migration.name,
            )
