"""Opening the files of other programs, only to read: faults become the project's errors and name the file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO, TypeAlias
from urllib.parse import quote_from_bytes

from mediad.errors import Corrupt, InputOutputError, MediadError, NotFound, PermissionDenied

Row: TypeAlias = dict[str, object]

_SQLITE = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat2.html section 1.3.1


def fault(error: OSError, path: bytes) -> MediadError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NotFound("there is no such file", path)
    if isinstance(error, PermissionError):
        return PermissionDenied("the file may not be read", path)
    return InputOutputError(f"the file cannot be read: {error.strerror or error}", path)


@contextmanager
def opened(path: bytes) -> Iterator[BinaryIO]:
    """Raises NotFound, PermissionDenied or InputOutputError, in the opening and in the reading."""
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise fault(error, path) from error


def head(path: bytes, size: int) -> bytes:
    """The first bytes; b"" of a folder. Raises as `opened`."""
    if os.path.isdir(path):
        return b""
    with opened(path) as file:
        return file.read(size)


class Database:
    """A SQLite file of another program, in one read transaction: all of it as of one moment, while that program
    runs on.

    Text comes as bytes: a path in it need not be UTF-8. Raises Corrupt for what SQLite calls no database or malformed,
    InputOutputError for a lock that stays or a file that fails."""

    def __init__(self, path: bytes) -> None:
        self.path = path
        self._connection = self._connect("immutable=0")

    def _connect(self, extra: str) -> sqlite3.Connection:
        uri = f"file:{quote_from_bytes(os.path.abspath(self.path))}?mode=ro&{extra}"
        with self._faults():
            # the caller may read on from a thread of its own; this object has but one user at a time
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False)
        connection.text_factory = bytes
        try:
            with self._faults():
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except InputOutputError:
            connection.close()
            # A database in WAL mode needs its -shm file, which cannot be made in a folder one may not write to. With no
            # -wal beside it nobody has it open, so what is in the file is all there is: read it as unchanging.
            if extra == "immutable=0" and not os.path.exists(self.path + b"-wal"):
                return self._connect("immutable=1")
            raise
        except MediadError:
            connection.close()
            raise
        return connection

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise InputOutputError(f"the database cannot be read: {error}", self.path) from error
        except sqlite3.DatabaseError as error:
            raise Corrupt(f"the database is damaged: {error}", self.path) from error

    def columns(self, table: str) -> frozenset[str]:
        """Of a table, in lower case; nothing if there is none of that name."""
        with self._faults():
            rows = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
        return frozenset(name.decode("utf-8", "replace").lower() for (name,) in rows)

    def rows(self, statement: str, *values: object) -> Generator[Row, None, None]:
        """One row after the other, by column name in lower case. Statements ask for `*` where versions of the program
        differ in columns, and look with `get`."""
        with self._faults(), closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, values)
            names = [column[0].lower() for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))

    def row(self, statement: str, *values: object) -> Row:
        """The first one, or {}."""
        with closing(self.rows(statement, *values)) as rows:
            return next(rows, {})

    def close(self) -> None:
        self._connection.close()


def has_columns(path: bytes, **tables: str) -> bool:
    """Is this a SQLite file with these tables, each with these columns? Raises Corrupt for one that is damaged."""
    if head(path, len(_SQLITE)) != _SQLITE:
        return False
    with closing(Database(path)) as database:
        return all(database.columns(table) >= set(columns.split()) for table, columns in tables.items())
