"""Members of a ZIP container, bounded: the standard library's reader over one file's bounded reads.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.12 (central directory) and 4.4.7 to 4.4.9 (CRC-32, sizes).
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from mediad_handlers.kit.api import HandlerError

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

MAX_MEMBERS = 65536
MEMBER = 16 * 1024 * 1024  # bytes of one member, decoded
CHUNK = 256 * 1024
_METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
# What a damaged archive makes the standard library raise, beside its own BadZipFile.
_FAULTS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, KeyError, IndexError, OverflowError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


class Member(NamedTuple):
    """One entry of the central directory. `size`: bytes when decoded, as stated."""

    name: str
    crc: int
    size: int


class Archive:
    """The members of `file`. Raises HandlerError `corrupt` when it has no readable central directory, `limit` when that
    lists more than MAX_MEMBERS."""

    def __init__(self, file: File) -> None:
        try:
            self._zip = zipfile.ZipFile(file.stream())
        except _FAULTS as fault:
            raise HandlerError("corrupt", f"the ZIP directory cannot be read: {fault}") from fault
        entries = self._zip.infolist()
        if len(entries) > MAX_MEMBERS:
            raise HandlerError("limit", f"{len(entries)} members; {MAX_MEMBERS} is the most")
        self._entries = {entry.filename: entry for entry in entries if entry.filename}

    @property
    def names(self) -> list[str]:
        """The names of all members, in the order of the directory."""
        return list(self._entries)

    def members(self) -> list[Member]:
        """Every file among the members, by name."""
        return sorted(
            Member(name, entry.CRC, entry.file_size) for name, entry in self._entries.items() if not entry.is_dir()
        )

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str, limit: int = MEMBER) -> bytes:
        """The decoded bytes of a member, at most `limit` of them; b"" when there is no such member.

        Raises HandlerError `corrupt` for a member that cannot be decoded, `unsupported` for one that is encrypted."""
        found = b"".join(self._iterate(name, limit))
        return found

    def iterate(self, name: str) -> Iterator[bytes]:
        """The decoded bytes of a member in pieces, to the end that the directory states. Raises as `read`."""
        entry = self._entries.get(name)
        return self._iterate(name, entry.file_size if entry is not None else 0)

    def _iterate(self, name: str, limit: int) -> Iterator[bytes]:
        entry = self._entries.get(name)
        if entry is None:
            return
        if entry.flag_bits & 1:
            raise HandlerError("unsupported", f"{name}: the member is encrypted")
        if entry.compress_type not in _METHODS:
            raise HandlerError("unsupported", f"{name}: compression method {entry.compress_type}")
        try:
            with self._zip.open(entry) as source:
                while limit > 0:
                    piece = source.read(min(limit, CHUNK))
                    if not piece:
                        return
                    limit -= len(piece)
                    yield piece
        except HandlerError:
            raise
        except _FAULTS as fault:
            raise HandlerError("corrupt", f"{name}: {fault}") from fault


def open_archive(file: File) -> Archive:
    """The archive of a file, read once."""
    found: Archive | None = file.memo.get("zip")
    if found is None:
        found = file.memo["zip"] = Archive(file)
    return found
