"""Opening the files of other programs, only to read: faults become the project's errors and name the file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO, Self, TypeAlias
from urllib.parse import quote_from_bytes

from mediad.errors import Conflict, Corrupt, InputOutputError, MediadError, NotFound, PermissionDenied

Row: TypeAlias = dict[str, object]

_SQLITE = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat2.html section 1.3
_WAL = b"\2\2"  # bytes 18 and 19: format versions for writing and reading


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
    runs on. A context manager, for reading from beginning to end.

    Text comes as bytes: a path in it need not be UTF-8. Raises Corrupt for what SQLite calls no database or malformed,
    InputOutputError for a lock that stays or a file that fails, and Conflict at the end where the program was started
    in the meantime and wrote.

    In WAL mode even a reader makes files beside the database (sqlite.org/wal.html, "Read-Only Databases"), which stay,
    and belong to who imports: the program might then not open its own. But without a -wal beside it nobody has it open
    and all there is is in the file, so it is read as unchanging, which makes nothing."""

    def __init__(self, path: bytes) -> None:
        self.path = path
        self._still: tuple[int, int] | None = None  # of a file read as unchanging, what must not change
        if head(path, 20)[18:20] == _WAL and not os.path.exists(path + b"-wal"):
            self._still = self._stamp()
        uri = f"file:{quote_from_bytes(os.path.abspath(path))}?mode=ro&immutable={int(self._still is not None)}"
        with self._faults():
            # the caller may read on from a thread of its own; this object has but one user at a time
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False)
        connection.text_factory = bytes
        self._connection = connection
        try:
            with self._faults():
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except MediadError:
            connection.close()
            raise

    def _stamp(self) -> tuple[int, int]:
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise fault(error, self.path) from error
        return status.st_mtime_ns, status.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self._connection.close()
        changed = self._still is not None and (self._stamp() != self._still or os.path.exists(self.path + b"-wal"))
        if changed and (kind is None or issubclass(kind, Corrupt)):
            raise Conflict("its program was started and wrote while it was read: import again", self.path)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise InputOutputError(f"the database cannot be read: {error}", self.path) from error
        except sqlite3.DatabaseError as error:
            raise Corrupt(f"the database is damaged: {error}", self.path) from error
        except UnicodeDecodeError as error:  # of a column's name, or of SQLite's own message about a damaged one
            raise Corrupt("the database is damaged: a name in it is no UTF-8", self.path) from error

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


def has_columns(path: bytes, **tables: str) -> bool:
    """Is this a SQLite file with these tables, each with these columns? Raises Corrupt for one that is damaged."""
    if head(path, len(_SQLITE)) != _SQLITE:
        return False
    with Database(path) as database:
        return all(database.columns(table) >= set(columns.split()) for table, columns in tables.items())
