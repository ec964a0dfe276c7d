"""Replacing a file by its edited copy so that at every moment the name leads to the old file or to the new one.

The copy is written beside the file under a name of its own (`.mediad-edit-` and 16 hexadecimal digits), read back,
compared, made durable, and renamed over it: rename(2) replaces in one step, fsync(2) of file and folder makes it last.
A copy that a killed process left is recognised by that name and by nobody holding its lock (flock(2)), and is removed
by the next edit in the folder; mediad does not list such names.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = b".mediad-edit-"
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

Write = Callable[[File, int], list[str]]  # (the file, the copy's descriptor) -> warnings
# (the file, the copy): raises HandlerError when the copy is not what it should be
Verify = Callable[[File, File], None]


def replace_file(
    path: bytes, write: Write, verify: Verify, *, break_links: bool = False, preserve_mtime: bool = False
) -> list[str]:
    """Edits the file at `path` (behind symbolic links: the file that they lead to). Returns warnings.

    Raises HandlerError: `unsupported` for what is no regular file and for one that has other hard links, unless
    `break_links`; `io` when the system refuses something or the file changed meanwhile; whatever `write` and `verify`
    raise. Then the file is as it was, and no copy is left."""
    folder, name = os.path.split(os.path.realpath(path))
    with _directory(folder) as place, _opened(place, name) as source:
        before = os.fstat(source.fd)
        if before.st_nlink > 1 and not break_links:
            text = f"the file has {before.st_nlink} hard links: --break-links edits this name alone"
            raise HandlerError("unsupported", text)
        _sweep(place)
        copied = PREFIX + secrets.token_hex(8).encode("ascii")
        target = _create(place, copied)
        try:
            warnings = write(source, target)
            warnings += _take_over(source.fd, target, before)
            with File(os.dup(target), name, own=True) as written:
                verify(source, written)
            if preserve_mtime:
                os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
            os.fsync(target)
            _expect_unchanged(place, name, before)
            os.rename(copied, name, src_dir_fd=place, dst_dir_fd=place)
            copied = b""
            os.fsync(place)
        except OSError as fault:
            raise HandlerError("io", _explain(fault)) from fault
        finally:
            if copied:
                os.unlink(copied, dir_fd=place)
            os.close(target)
    return warnings


def create_file(path: bytes, content: bytes) -> None:
    """A new file, or one written anew, in one step (side files). Raises HandlerError `io`."""
    folder, name = os.path.split(os.path.realpath(path))
    with _directory(folder) as place:
        _sweep(place)
        copied = PREFIX + secrets.token_hex(8).encode("ascii")
        target = _create(place, copied)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(target, view) :]
            try:
                mode = stat.S_IMODE(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode)
            except FileNotFoundError:
                mode = 0o666 & ~_umask()
            os.fchmod(target, mode)
            os.fsync(target)
            os.rename(copied, name, src_dir_fd=place, dst_dir_fd=place)
            copied = b""
            os.fsync(place)
        except OSError as fault:
            raise HandlerError("io", _explain(fault)) from fault
        finally:
            if copied:
                os.unlink(copied, dir_fd=place)
            os.close(target)


class _Descriptor:
    """A descriptor that is closed at the end of a `with`."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> int:
        return self.number

    def __exit__(self, *_: object) -> None:
        os.close(self.number)


def _directory(folder: bytes) -> _Descriptor:
    try:
        return _Descriptor(os.open(folder or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as fault:
        raise HandlerError("io", f"the folder: {fault.strerror}") from fault


def _opened(place: int, name: bytes) -> File:
    try:
        descriptor = os.open(name, _FLAGS, dir_fd=place)
    except OSError as fault:
        raise HandlerError("io", f"open: {fault.strerror}") from fault
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise HandlerError("unsupported", "not a regular file")
    return File(descriptor, name, own=True)


def _create(place: int, name: bytes) -> int:
    """The copy: new, for this account alone, and locked as long as this process lives."""
    try:
        target = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=place)
        fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        raise HandlerError("io", f"a copy beside the file: {fault.strerror}") from fault
    return target


def _sweep(place: int) -> None:
    """Removes the copies of processes that are gone."""
    for name in _strays(place):
        try:
            descriptor = os.open(name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=place)
        except OSError:
            continue  # somebody else's, or gone
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=place)
        except OSError as fault:
            if fault.errno not in (errno.EWOULDBLOCK, errno.ENOENT, errno.EACCES, errno.EPERM):
                raise HandlerError("io", f"an old copy: {fault.strerror}") from fault
        finally:
            os.close(descriptor)


def _strays(place: int) -> Iterator[bytes]:
    for entry in os.listdir(place):
        name = os.fsencode(entry)
        if name.startswith(PREFIX) and len(name) == len(PREFIX) + 16:
            yield name


def _take_over(source: int, target: int, before: os.stat_result) -> list[str]:
    """Mode, owner, extended attributes (with ACLs) of the file for the copy; what is not permitted is a warning."""
    warnings: list[str] = []
    try:
        os.fchown(target, before.st_uid, before.st_gid)
    except PermissionError:
        now = os.fstat(target)
        if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
            warnings.append("owner and group could not be kept")
    os.fchmod(target, stat.S_IMODE(before.st_mode))
    try:
        names = os.listxattr(source)
    except OSError as fault:
        if fault.errno != errno.ENOTSUP:
            raise
        names = []
    for name in names:
        try:
            os.setxattr(target, name, os.getxattr(source, name))
        except OSError as fault:
            warnings.append(f"the extended attribute {name} could not be kept: {fault.strerror}")
    return warnings


def _expect_unchanged(place: int, name: bytes, before: os.stat_result) -> None:
    now = os.stat(name, dir_fd=place, follow_symlinks=False)
    if (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns) != (
        before.st_ino, before.st_size, before.st_mtime_ns, before.st_ctime_ns,
    ):  # fmt: skip
        raise HandlerError("io", "the file changed while it was edited: nothing was written")


def _explain(fault: OSError) -> str:
    return f"{fault.strerror}: nothing was changed"


def _umask() -> int:
    """This process's file mode creation mask, from procfs: asking umask(2) would change it."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        found = next((line.split()[1] for line in status if line.startswith("Umask:")), "0022")
    return int(found, 8)
