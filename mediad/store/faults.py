"""What PostgreSQL reports, as errors of this project. SQLSTATE codes: PostgreSQL manual, appendix A."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from psycopg import pq
from psycopg.pq.abc import PGresult

from mediad.errors import Conflict, DeadlineExceeded, DiskFull, InputOutputError, MediadError, Unavailable

# Raised by our own SQL when this daemon's epoch is no longer the host's (reliability: two daemons of one host).
FENCED = "MD001"
UNKNOWN_STATEMENT = "26000"

_FIELD = pq.DiagnosticField


class ConnectionLost(Unavailable):
    """The connection is gone; what was in flight on it may or may not have been committed."""


class Retry(MediadError):
    """The transaction was rolled back through no fault of its own and may simply be repeated. Never leaves the store
    while there is time left."""

    code = "unavailable"
    retryable = True


class Fenced(Conflict):
    """Another daemon has taken this host over: stop writing."""

    retryable = False


class ClusterFailed(Unavailable):
    """The embedded PostgreSQL does not run; the message ends with its own last words."""


class StatementFailed(MediadError):
    """A statement that PostgreSQL refused: the program's fault, or a constraint that the caller knows about.

    `sqlstate`, `statement` (its name), `constraint` (name or "")."""

    code = "internal"

    def __init__(self, message: str, *, sqlstate: str, statement: str, constraint: str = "") -> None:
        super().__init__(message, statement)
        self.sqlstate = sqlstate
        self.statement = statement
        self.constraint = constraint

    @property
    def for_log(self) -> str:
        """PostgreSQL's own message may quote a value: the log names state and statement only."""
        return f"{self.code}: SQLSTATE {self.sqlstate} in {self.statement}"


def sqlstate_of(result: PGresult) -> str:
    """The five characters, or "" where libpq itself made the error up (a lost connection)."""
    return _field(result, _FIELD.SQLSTATE)


def fault_of(result: PGresult, statement: str) -> MediadError:
    """The error for a failed result of the statement with that name."""
    sqlstate = sqlstate_of(result)
    message = _field(result, _FIELD.MESSAGE_PRIMARY) or result.error_message.decode("utf-8", "replace").strip()
    if sqlstate in ("", "57P01", "57P02", "57P03", "57P05") or sqlstate.startswith("08") or _plan_is_stale(result):
        return ConnectionLost(f"the database connection was lost: {message}", statement)
    # 55P03: the two seconds of lock_timeout; who holds the lock now will not hold it for ever.
    if sqlstate in ("40001", "40P01", "55P03"):
        return Retry(f"the transaction has to be repeated: {message}", statement)
    if sqlstate == "53100":
        return DiskFull(f"the database's disk is full: {message}", statement)
    if sqlstate in ("53200", "53300"):
        return Unavailable(f"the database is short of resources: {message}", statement)
    if sqlstate == "57014":
        return DeadlineExceeded(f"the statement was cancelled: {message}", statement)
    if sqlstate == "58030":
        return InputOutputError(f"the database cannot read or write its files: {message}", statement)
    if sqlstate == FENCED:
        return Fenced(message, statement)
    detail = _field(result, _FIELD.MESSAGE_DETAIL)
    text = f"{sqlstate} {message}" + (f" ({detail})" if detail else "")
    constraint = _field(result, _FIELD.CONSTRAINT_NAME)
    return StatementFailed(text, sqlstate=sqlstate, statement=statement, constraint=constraint)


def _plan_is_stale(result: PGresult) -> bool:
    """A prepared statement whose table was altered meanwhile (by another daemon's migration): a new connection
    prepares it anew (plancache.c, RevalidateCachedQuery: "cached plan must not change result type")."""
    return sqlstate_of(result) == "0A000" and _field(result, _FIELD.SOURCE_FUNCTION) == "RevalidateCachedQuery"


def _field(result: PGresult, field: pq.DiagnosticField) -> str:
    value = result.error_field(field)
    return value.decode("utf-8", "replace") if value else ""


def cluster_fault(what: str, lines: Iterable[str]) -> MediadError:
    """The error for PostgreSQL's last words, a full disk told apart."""
    last = [line.strip() for line in lines if line.strip()][-8:]
    message = f"{what}: " + (" | ".join(last) or "it said nothing")
    return DiskFull(message) if any("No space left on device" in line for line in last) else ClusterFailed(message)


def folder_fault(error: OSError, folder: Path) -> MediadError:
    """The error for a data folder that this process cannot use."""
    place = os.fspath(error.filename or folder)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"the data folder's disk is full: {error.strerror}", place)
    return ClusterFailed(f"the data folder cannot be used: {error.strerror}", place)
