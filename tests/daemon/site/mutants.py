"""Moves that lack one safety step each: tests of crashes that do not notice prove nothing."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from mediad.moves import engine, journal
from mediad.workers import transfer


def overwrite() -> None:
    """A rename replaces what stands at the destination, and nobody looks first."""
    real = transfer._renameat2
    transfer._renameat2 = lambda old, a, new, b, _flags: real(old, a, new, b, 0)


def unlink_first() -> None:
    """The source of a copy goes before the copy has been written."""

    def copy(
        old: int, old_name: bytes, expected: Any, new: int, new_name: bytes, part: bytes, **_more: Any
    ) -> transfer.Copied:  # fmt: skip
        source = transfer.open_source(old, old_name, expected)
        data, info = os.pread(source, 1 << 30, 0), os.fstat(source)
        os.close(source)
        os.unlink(old_name, dir_fd=old)
        made = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=new)
        os.pwrite(made, data, 0)
        os.utime(made, ns=(info.st_atime_ns, info.st_mtime_ns))
        transfer.rename_new(new, part, new, new_name)
        there = os.fstat(made)
        os.close(made)
        digest = hashlib.sha256(data).digest()
        return transfer.Copied(transfer.signed(there.st_ino), there.st_size, there.st_mtime_ns, digest, ())

    transfer.copy_new = copy


def no_journal() -> None:
    """Nothing is noted before it is done."""

    async def plan(*_all: Any) -> None:
        return

    journal.Journal.plan = plan  # type: ignore[method-assign]


def drop_blindly() -> None:
    """The source of a copy goes without a look at the copy."""

    def drop(old: int, old_name: bytes, *_more: Any) -> None:
        os.unlink(old_name, dir_fd=old)

    transfer.drop = drop


def no_fsync() -> None:
    """Copies are not made durable, nor written early by what is advised for reading them back."""
    os.posix_fadvise = lambda *_all: None
    real = os.fsync

    def fsync(fd: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{fd}"):
            real(fd)

    os.fsync = fsync  # type: ignore[assignment]


def no_folder_sync() -> None:
    """Names are not made durable."""
    transfer.sync_folder = lambda _folder: None


def no_follow() -> None:
    """The store is not told."""

    async def follow(*_all: Any) -> None:
        return

    engine.Engine._follow = follow  # type: ignore[method-assign]
