"""The embedded cluster made new by a newer PostgreSQL: dumped and restored beside the old one, then exchanged.

pg_dump of the newer version reads older servers (PostgreSQL manual, pg_dump, "Notes"). The old cluster stays as
`cluster.pgNN` until a person removes it; until the last rename nothing of it has changed.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from mediad.errors import InvalidArgument, MediadError
from mediad.store.cluster import Cluster
from mediad.store.faults import ClusterFailed
from mediad.store.opening import open_connection
from mediad.store.programs import Programs, find_newest, find_programs, run_program
from mediad.store.script import execute_script

log = logging.getLogger(__name__)

_TABLES = """
SELECT format('SELECT %L, count(*)::text FROM mediadb.%I', relname, relname) FROM pg_class
WHERE relnamespace = 'mediadb'::regnamespace AND relkind = 'r' ORDER BY relname
"""


async def upgrade(data_dir: Path, *, programs: Path | None = None, account: str | None = None) -> tuple[int, int]:
    """Moves the cluster in a data folder to the newest PostgreSQL there is, or that of `programs`: (old, new major).

    Raises InvalidArgument when there is no cluster, or it is that new already; Unavailable, ClusterFailed, DiskFull:
    then the old cluster is as it was."""
    if not (data_dir / "cluster").exists():
        raise InvalidArgument("there is no embedded cluster in this data folder", os.fspath(data_dir))
    newest = await (find_programs(programs) if programs is not None else find_newest())
    old = Cluster(data_dir, account=account)
    beside = data_dir / "upgrade"
    shutil.rmtree(beside, ignore_errors=True)
    await old.start()
    try:
        before = old.programs.major
        if newest.major <= before:
            raise InvalidArgument(f"the cluster is of PostgreSQL {before}, and no newer one was found", newest.version)
        new = Cluster(beside, programs=newest.folder, account=old.account.name if os.geteuid() == 0 else account)
        await new.start()
        try:
            await _copy(old, new, new.programs)
            if await _counts(old) != await _counts(new):
                raise ClusterFailed("the restored database does not hold what the old one holds")
        finally:
            await new.stop()
    finally:
        await old.stop()
    kept = data_dir / f"cluster.pg{before}"
    shutil.rmtree(kept, ignore_errors=True)
    (data_dir / "cluster").rename(kept)
    (beside / "cluster").rename(data_dir / "cluster")
    shutil.rmtree(beside, ignore_errors=True)
    return before, newest.major


async def _copy(old: Cluster, new: Cluster, programs: Programs) -> None:
    """All of the database, by way of a file beside the new cluster."""
    dump = new.folder / "mediadb.dump"  # a folder of PostgreSQL's account
    where = ["--host", os.fspath(old.folder / "run"), "--username", "mediadb"]
    argv = [*where, "--format=custom", "--file", os.fspath(dump), "mediadb"]
    await _run(old.account.command(programs.folder / "pg_dump", *argv), "pg_dump")
    where = ["--host", os.fspath(new.folder / "run"), "--username", "mediadb"]
    argv = [*where, "--exit-on-error", "--no-owner", "--dbname", "mediadb", os.fspath(dump)]
    await _run(new.account.command(programs.folder / "pg_restore", *argv), "pg_restore")
    await _run(new.account.command("/bin/rm", "--", os.fspath(dump)), "rm")


async def _run(argv: list[str], name: str) -> None:
    status, output = await run_program(argv)
    if status != 0:
        last = output.decode("utf-8", "replace").strip().splitlines()[-3:]
        raise ClusterFailed(f"{name} failed: {' | '.join(last) or status}")


async def _counts(cluster: Cluster) -> list[tuple[str | None, ...]]:
    """How many rows each table has."""
    connection = await open_connection(await cluster.conninfo(), 30.0)
    try:
        tables = await execute_script(connection, _TABLES, name="tables", deadline=30.0)
        counts = " UNION ALL ".join(str(row[0]) for row in tables) + " ORDER BY 1"
        return await execute_script(connection, counts, name="counts", deadline=600.0)
    except MediadError as error:
        raise ClusterFailed(f"the rows cannot be counted: {error.message}") from error
    finally:
        connection.finish()
