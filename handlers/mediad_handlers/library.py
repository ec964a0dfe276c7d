"""The library form: one call gives a file's metadata in this process, without a daemon and without a worker."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mediad_handlers import media
from mediad_handlers.kit import answer
from mediad_handlers.kit.alone import compose
from mediad_handlers.kit.file import File

if TYPE_CHECKING:
    from os import PathLike

    from mediad_handlers.kit.api import Handler


class Meta:
    """A record's fields as attributes, in Python's own types: a time is a datetime with its zone (the file's own offset
    where it has one, else UTC), a datetime that the file gives without zone a naive one, a UUID a uuid.UUID; a date
    stays text, because it may be a year or a month only. A field of the dictionary that the file does not have is None;
    a name that is in no dictionary raises AttributeError, so that a misspelling does not read as "absent"."""

    __slots__ = ("_fields",)

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def __getattr__(self, name: str) -> Any:
        from mediadb_contract.fields import FIELDS

        if name.startswith("_") or name not in FIELDS:
            raise AttributeError(f"{name!r} is not in the field dictionary")
        value = self._fields.get(name)
        convert = _NATIVE.get(FIELDS[name].type)
        if value is None or convert is None:
            return value
        offset = self._fields.get("utc_offset")
        return [convert(one, offset) for one in value] if FIELDS[name].plural else convert(value, offset)

    def __dir__(self) -> list[str]:
        return sorted(self._fields)


def _to_time(seconds: float, offset: int | None) -> datetime | None:
    """Unix seconds as a datetime in the zone `offset` minutes east of UTC; None for a year that datetime has not."""
    try:
        zone = UTC if offset is None else timezone(timedelta(minutes=offset))
        return datetime.fromtimestamp(seconds, zone)
    except (OverflowError, ValueError, OSError):
        return None


def _to_datetime(text: str, offset: int | None) -> datetime | str:
    """The wall clock as a naive datetime; the text itself when it is not a whole one (a minute without seconds is)."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


_NATIVE: dict[str, Callable[[Any, int | None], Any]] = {
    "time": _to_time,
    "datetime": _to_datetime,
    "uuid": lambda text, offset: UUID(text),
}


class Result:
    """What a handler read. `fields`: {name: value} after fields.json; `meta`: the same as attributes in native types;
    `tags`, `sources`, `warnings`, `kind`, `format`, `mime_type` as in the contract's answer. str() is what a person
    reads."""

    def __init__(self, path: bytes, handler: Handler, record: dict[str, Any], file: File | None = None) -> None:
        self.path = path
        self.handler = handler
        self._record = record
        self._file = file
        self.fields: dict[str, Any] = record["fields"]
        self.meta = Meta(self.fields)
        self.tags: dict[str, list[Any]] = record["tags"]
        self.sources: dict[str, str] = record["sources"]
        self.warnings: list[str] = record["warnings"]
        self.kind: str = record["kind"]
        self.format: str = record["format"]
        self.mime_type: str = record["mime_type"]

    def checksum(self, scope: str = "file", algorithms: tuple[str, ...] = ("md5", "sha1", "sha256")) -> dict[str, str]:
        """{algorithm: hexadecimal digest} of the "file" or its "stream", computed now. Raises HandlerError."""
        options = {"scope": scope, "algorithms": algorithms}
        if self._file is not None:
            found = answer.checksum(self.handler, self._file, options)
        else:
            with File.open(self.path) as file:
                found = answer.checksum(self.handler, file, options)
        return {name: value.hex() for name, value in found["digests"].items()}

    def to_dict(self) -> dict[str, Any]:
        """The record as plain values; keys and digests are bytes."""
        return {"path": self.path, **self._record}

    def to_json(self) -> str:
        """The record as one line of JSON."""
        from mediad_handlers.kit.output import format_json

        return format_json(self.path, self._record)

    def to_protobuf(self) -> bytes:
        """The record as a message of proto/handler.proto (`Record`), without a length in front."""
        from mediad_handlers.kit.protobuf import build

        data: bytes = build(self.path, self._record).SerializeToString()
        return data

    def text(self, limit: int = 16 * 1024 * 1024) -> str:
        """The words of the file, at most `limit` bytes of UTF-8, read now. Raises HandlerError: `unsupported` when its
        format has none."""
        from mediad_handlers.kit.text import extract

        if self._file is not None:
            found = extract(self.handler, self._file, limit)
        else:
            with File.open(self.path) as file:
                found = extract(self.handler, file, limit)
        return str(found["text"])

    def __str__(self) -> str:
        from mediad_handlers.kit.output import format_human

        return format_human(self.path, self._record)


def handle(path_or_file: bytes | str | PathLike[str] | File, *, defer_checksum: bool = True) -> Result:
    """Reads one file with the built-in handler whose file it is. With `defer_checksum` false the record also has
    `checksums`. A File that is passed in stays open and is the caller's to close. Raises HandlerError."""
    if isinstance(path_or_file, File):
        handler = media.choose(path_or_file, "")
        record = compose(handler, path_or_file, defer_checksum, False)
        return Result(path_or_file.name, handler, record, path_or_file)
    with File.open(path_or_file) as file:
        handler = media.choose(file, "")
        return Result(os.fsencode(path_or_file), handler, compose(handler, file, defer_checksum, False))
