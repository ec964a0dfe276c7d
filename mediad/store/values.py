"""Python values to statement parameters, results to tuples.

Parameters go untyped: the server infers each type from the statement, so write `$1::bigint` where it cannot. Results
come in binary format. integer, real, boolean, text, bytea, uuid and arrays of them become what one expects; json and
jsonb stay text, never parsed, because they are passed on as they are. A type that psycopg has no binary loader for
(an enum, tsvector) comes as bytes and numeric as Decimal: cast them in the SQL.
Formats: PostgreSQL manual, "Frontend/Backend Protocol", Bind; "Arrays", input syntax."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import adapt, pq
from psycopg.abc import Buffer
from psycopg.pq.abc import PGresult

from mediad.errors import InvalidArgument

# PostgreSQL counts parameters in 16 bits (Bind message).
MAX_PARAMETERS = 65_535

Row = tuple[Any, ...]
Encoded = tuple[bytes | None, ...]


class Array(list[Any]):
    """A list sent as an SQL array (of None, bool, int, float, str, bytes or UUID); a plain list goes as JSON."""


Parameter = bytes | str | bool | int | float | UUID | list[Any] | dict[str, Any] | Array | None


class Rows(list[Row]):
    """The rows of one statement; `affected` is how many rows it returned or, without a result set, changed."""

    __slots__ = ("affected",)

    def __init__(self, rows: Iterable[Row] = (), affected: int = 0) -> None:
        super().__init__(rows)
        self.affected = affected


def _encode_text(value: str) -> bytes:
    data = value.encode("utf-8")
    if b"\0" in data:
        # libpq takes text up to the first NUL: the rest would be lost without a word.
        raise InvalidArgument("text for the database contains a NUL character", data[:200])
    return data


def _encode_bool(value: bool) -> bytes:
    return b"t" if value else b"f"


def _encode_json(value: Any) -> bytes:
    return _encode_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _encode_array(value: Iterable[Any]) -> bytes:
    parts = []
    for item in value:
        if item is None:
            parts.append(b"NULL")
        elif type(item) is bytes:
            parts.append(b'"\\\\x' + item.hex().encode() + b'"')
        else:
            data = _encoder(type(item))(item)
            parts.append(b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"')
    return b"{" + b",".join(parts) + b"}"


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    bytes: bytes,
    str: _encode_text,
    bool: _encode_bool,
    int: lambda value: b"%d" % value,
    float: lambda value: repr(float(value)).encode(),
    UUID: lambda value: str(value).encode(),
    Array: _encode_array,
    list: _encode_json,
    dict: _encode_json,
}


def _encoder(kind: type) -> Callable[[Any], bytes]:
    for base in kind.__mro__:
        found = _ENCODERS.get(base)
        if found is not None:
            return found
    raise TypeError(f"{kind.__name__} cannot be a statement's parameter")


def encode(parameters: Sequence[Parameter]) -> tuple[list[bytes | None], list[int], int]:
    """Give (values, formats, bytes in all): bytes go as binary, everything else as text.

    Raises InvalidArgument for text with NUL and for over MAX_PARAMETERS values, TypeError for an unknown type,
    UnicodeEncodeError for a lone surrogate."""
    if len(parameters) > MAX_PARAMETERS:
        raise InvalidArgument(f"{len(parameters)} parameters; a statement takes {MAX_PARAMETERS}")
    values: list[bytes | None] = []
    formats: list[int] = []
    size = 0
    for parameter in parameters:
        if parameter is None:
            values.append(None)
            formats.append(0)
            continue
        data = (_ENCODERS.get(type(parameter)) or _encoder(type(parameter)))(parameter)
        values.append(data)
        formats.append(1 if isinstance(parameter, bytes) else 0)
        size += len(data)
    return values, formats, size


_TSVECTOR = 3614  # its oid (src/include/catalog/pg_type.dat)


def vectors(rows: Sequence[bytes]) -> bytes:
    """A parameter `$n::tsvector[]` of values in tsvector's binary form: a one-dimensional array from 1 on without nulls
    (src/backend/utils/adt/arrayfuncs.c, array_recv)."""
    parts = [struct.pack("!5i", 1, 0, _TSVECTOR, len(rows), 1)]
    for row in rows:
        parts += (len(row).to_bytes(4, "big"), row)
    return b"".join(parts)


class _JsonLoader(adapt.Loader):
    """json in both formats and jsonb as text: the bytes are the text."""

    def load(self, data: Buffer) -> str:
        return str(data, "utf-8")


class _JsonBinaryLoader(_JsonLoader):
    format = pq.Format.BINARY


class _JsonbBinaryLoader(adapt.Loader):
    """jsonb in binary format: one version byte, 1, then the text (src/backend/utils/adt/jsonb.c, jsonb_send)."""

    format = pq.Format.BINARY

    def load(self, data: Buffer) -> str:
        return str(data[1:], "utf-8")


def _adapters() -> adapt.AdaptersMap:
    adapters = adapt.AdaptersMap(psycopg.adapters)
    adapters.register_loader("json", _JsonLoader)
    adapters.register_loader("jsonb", _JsonLoader)
    adapters.register_loader("json", _JsonBinaryLoader)
    adapters.register_loader("jsonb", _JsonbBinaryLoader)
    return adapters


_ADAPTERS = _adapters()


class Decoder:
    """Turns one result after another into tuples, a slice at a time so that a long one need not hold the loop."""

    # About 1 us a value: a slice of a wide row stays near a millisecond.
    SLICE = 256

    __slots__ = ("_transformer", "_total", "_next", "rows")

    def __init__(self) -> None:
        self._transformer = adapt.Transformer(_ADAPTERS)
        self._total = 0
        self._next = 0
        self.rows = Rows()

    def begin(self, result: PGresult) -> None:
        """Take a result with rows; `step` reads them."""
        self._transformer.set_pgresult(result)
        self._total = result.ntuples
        self._next = 0
        self.rows = Rows(affected=self._total)

    def step(self) -> bool:
        """Decode the next slice into `rows`; true once all is decoded."""
        upto = min(self._next + self.SLICE, self._total)
        if upto > self._next:
            self.rows.extend(self._transformer.load_rows(self._next, upto, tuple))
        self._next = upto
        if upto < self._total:
            return False
        self._transformer.set_pgresult(None)
        return True
