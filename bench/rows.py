"""A library of any size as rows only: what the tables hold after a scan of so many files, without the files.

    fill(conninfo, 1_000_000)       # about a minute; the database has a schema and one host

Files, items, readings, details and keys are made; the words and values by which search finds things are not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg

from mediad.store.queries import load

TOP = b"/srv/bench-rows"  # where the root is said to be; nothing is there
FILES_A_FOLDER = 12
SLICE = 50_000  # files a transaction: it can be watched growing
SAMPLE = 1000  # items whose ids are returned


def fill(conninfo: str, count: int, *, top: bytes = TOP) -> list[str]:
    """Puts `count` files below a new root at `top`; returns the ids of some thousand of their items, spread evenly.

    Raises psycopg.Error, as where the schema is missing."""
    # The statements are written as the daemon's are, with $1; psycopg's cursors want names.
    statements = {
        name: re.sub(r"\$(\d)", r"%(p\1)s", statement.sql.replace("%", "%%"))
        for name, statement in load(Path(__file__).parent).items()
    }
    with psycopg.connect(conninfo, autocommit=True, options="-c search_path=mediadb -c synchronous_commit=off") as link:

        def run(name: str, *values: Any) -> psycopg.Cursor[Any]:
            return link.execute(statements[name], {f"p{number}": value for number, value in enumerate(values, 1)})

        def one(name: str, *values: Any) -> int:
            row = run(name, *values).fetchone()
            assert row is not None
            return int(row[0])

        folders = -(-count // FILES_A_FOLDER)
        root, folder, first = one("fill_place", top), one("fill_take_dirs", folders), one("fill_first")
        run("fill_dirs", root, folders, folder)
        for low in range(first, first + count, SLICE):
            high = min(low + SLICE, first + count) - 1
            run("fill_streams", low, high)
            run("fill_files", low, high, folder, folders)
            for name in ("fill_readings", "fill_details", "fill_keys"):
                run(name, low, high)
        run("fill_end")
        link.execute("VACUUM ANALYZE")
        link.execute("CHECKPOINT")
        return [row[0] for row in run("fill_sample", first, max(1, count // SAMPLE))]
