"""SQL text of several statements, over the simple protocol: for migrations and for making the database, at start only.

PostgreSQL manual, "Frontend/Backend Protocol", "Simple Query"; a connection of its own, not in pipeline mode."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn, PGresult

from mediad.store.faults import ConnectionLost, fault_of
from mediad.store.opening import wait_socket

_GOOD = {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY}


async def execute_script(pgconn: PGconn, sql: str, *, name: str, deadline: float) -> list[tuple[str | None, ...]]:
    """Run the statements of `sql`; the rows of the last one, each value in PostgreSQL's text form.

    `name` is what errors call it. Raises the first statement's fault that has one (faults.fault_of), ConnectionLost
    after `deadline` seconds; the connection is then closed."""
    try:
        async with asyncio.timeout(deadline):
            results = await _exchange(pgconn, sql.encode("utf-8"))
    except TimeoutError:
        pgconn.finish()
        raise ConnectionLost(f"the database did not answer within {deadline:.0f} s", name) from None
    except psycopg.Error as error:
        pgconn.finish()
        raise ConnectionLost(f"the database connection was lost: {' '.join(str(error).split())}", name) from error
    except asyncio.CancelledError:
        pgconn.finish()
        raise
    for result in results:
        if result.status not in _GOOD:
            raise fault_of(result, name)
    last = results[-1]
    return [tuple(_text(last.get_value(row, column)) for column in range(last.nfields)) for row in range(last.ntuples)]


def _text(value: bytes | None) -> str | None:
    return None if value is None else bytes(value).decode("utf-8")


async def _exchange(pgconn: PGconn, sql: bytes) -> list[PGresult]:
    pgconn.send_query(sql)
    while pgconn.flush():
        # The server may itself be waiting to send: take what it has while waiting for room.
        await wait_socket(pgconn.socket, writable=True)
        pgconn.consume_input()
    results: list[PGresult] = []
    while True:
        while pgconn.is_busy():
            await wait_socket(pgconn.socket, writable=False)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            return results
        results.append(result)
        if result.status in (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH):
            raise psycopg.OperationalError("COPY has no place in a script")
