"""Getting a libpq connection without blocking the loop, and waiting for its socket.

PostgreSQL manual, "libpq", "Database Connection Control Functions": PQconnectStart and PQconnectPoll."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn

from mediad.errors import InvalidArgument
from mediad.store.faults import ConnectionLost


def check_conninfo(conninfo: str) -> None:
    """Raises InvalidArgument for a connection string that libpq cannot read (PostgreSQL manual, "libpq", "Connection
    Strings"). libpq's own sentence is left out: it quotes the string, and a password may stand in it."""
    try:
        pq.Conninfo.parse(conninfo.encode("utf-8"))
    except psycopg.Error:
        raise InvalidArgument(
            "the connection string cannot be read: it is key=value pairs (host=/run/postgresql dbname=mediadb) or "
            "postgresql://user@host/database",
            "dsn",
        ) from None


async def open_connection(conninfo: str, seconds: float) -> PGconn:
    """Connect within `seconds`, without blocking the loop for a unix socket or a numeric address (libpq resolves a
    host's name synchronously). Raises ConnectionLost."""
    try:
        pgconn = pq.PGconn.connect_start(conninfo.encode("utf-8"))
    except psycopg.Error as error:
        raise ConnectionLost(f"no connection to the database: {brief(str(error))}") from error
    try:
        async with asyncio.timeout(seconds):
            while (status := pgconn.connect_poll()) != pq.PollingStatus.OK:
                if status == pq.PollingStatus.FAILED:
                    raise ConnectionLost(f"no connection to the database: {error_of(pgconn)}")
                await wait_socket(pgconn.socket, writable=status == pq.PollingStatus.WRITING)
    except TimeoutError:
        pgconn.finish()
        raise ConnectionLost(f"no connection to the database within {seconds:.1f} s") from None
    except psycopg.Error as error:
        pgconn.finish()
        raise ConnectionLost(f"no connection to the database: {brief(str(error))}") from error
    except BaseException:
        pgconn.finish()
        raise
    pgconn.nonblocking = 1
    return pgconn


async def wait_socket(socket: int, *, writable: bool) -> None:
    """Wait once for a descriptor to become writable, else readable."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if writable else (loop.add_reader, loop.remove_reader)
    add(socket, _settle, ready)
    try:
        await ready
    finally:
        remove(socket)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def brief(text: str) -> str:
    """libpq's messages on one line."""
    return " ".join(text.split())


def error_of(pgconn: PGconn) -> str:
    """The connection's last error, on one line."""
    return brief(pgconn.error_message.decode("utf-8", "replace")) or "closed by the server"
