"""Moving bytes and names so that nothing is lost: rename, link, copy, compare, remove, each safe at every system call.

Everything goes by open folders, reached without following a symbolic link (mediad.workers.beneath), so that a link that
is swapped in on the way leads nowhere. What is durable is durable by fsync(2) of the file and of its folder, never by
luck. Nothing is ever replaced: renameat2(2) with RENAME_NOREPLACE, or link(2). All functions raise OSError.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass

from mediad.workers.beneath import open_beneath, open_for_reading

BLOCK = 1 << 20
_NOREPLACE = 1
_FICLONE = 0x40049409  # ioctl_ficlone(2)
_TELL_SECONDS = 0.25

_libc = ctypes.CDLL(None, use_errno=True)

Identity = tuple[int | None, int, int]
"""(inode number or None where the file system makes them up, size in bytes, mtime in ns)."""


class Changed(Exception):
    """What stands there is not what was planned for."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy as it lies on disk."""

    inode: int
    size: int
    mtime_ns: int
    sha256: bytes
    notes: tuple[str, ...]


def signed(inode: int) -> int:
    """The 64 bits of an inode number as a signed number, as bigint holds them."""
    return inode - (1 << 64) if inode >= 1 << 63 else inode


def open_top(path: bytes) -> int:
    """The folder at a real path: no link may have been put into it since."""
    slash = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return open_beneath(slash, path.strip(b"/") or b".", os.O_RDONLY | os.O_DIRECTORY)
    finally:
        os.close(slash)


def open_folder(top: int, path: bytes) -> int:
    """A folder below an open one, to be named in and synced."""
    return open_beneath(top, path or b".", os.O_RDONLY | os.O_DIRECTORY)


def look(folder: int, name: bytes) -> os.stat_result | None:
    """lstat(2) of a name in an open folder; None for nothing."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_it(info: os.stat_result | None, expected: Identity) -> bool:
    """Whether that is the file that was meant."""
    inode, size, mtime = expected
    return (
        info is not None
        and (inode is None or signed(info.st_ino) == inode)
        and info.st_size == size
        and info.st_mtime_ns == mtime
    )


def sync_folder(folder: int) -> None:
    """Makes the names in a folder durable. A file system that cannot (EINVAL: fsync(2)) has nothing to sync."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


# ------------------------------------------------------------------ names


def _renameat2(old: int, old_name: bytes, new: int, new_name: bytes, flags: int) -> None:
    while _libc.renameat2(old, ctypes.c_char_p(old_name), new, ctypes.c_char_p(new_name), ctypes.c_uint(flags)):
        code = ctypes.get_errno()
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code), new_name)


def rename_new(old: int, old_name: bytes, new: int, new_name: bytes) -> None:
    """Renames to a name that is free: EEXIST when it is not, EXDEV when another file system has it.

    Where renameat2 or its flag is unknown (before Linux 3.15; some FUSE and network file systems) a link and an unlink
    do it; where there are no links either it is refused (EOPNOTSUPP) rather than raced."""
    try:
        _renameat2(old, old_name, new, new_name, _NOREPLACE)
        return
    except OSError as error:
        if error.errno == errno.EEXIST and old_name != new_name and one_name(old, old_name, new, new_name):
            _renameat2(old, old_name, new, new_name, 0)  # one file under both names: nothing can be replaced
            return
        if error.errno not in (errno.EINVAL, errno.ENOSYS):
            raise
    try:
        os.link(old_name, new_name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EOPNOTSUPP):
            raise OSError(
                errno.EOPNOTSUPP, "the file system can neither rename without replacing nor link", new_name
            ) from None
        raise
    try:
        os.unlink(old_name, dir_fd=old)
    except OSError:
        os.unlink(new_name, dir_fd=new)  # ours, just made: it is nowhere or where it was, never in two places
        raise


def one_name(old: int, old_name: bytes, new: int, new_name: bytes) -> bool:
    """Whether two names are one entry of one folder: `a` and `A` where there is no case, or one folder by two mounts.
    To remove one of them would be to remove the file."""
    one, two, here, there = look(old, old_name), look(new, new_name), os.fstat(old), os.fstat(new)
    if one is None or two is None or (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
        return False
    if (one.st_dev, one.st_ino) != (two.st_dev, two.st_ino):
        return False
    return one.st_nlink == 1 or os.fsdecode(old_name).casefold() == os.fsdecode(new_name).casefold()


def link_new(old: int, old_name: bytes, new: int, new_name: bytes) -> None:
    """Another name for the same inode."""
    os.link(old_name, new_name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)


# ------------------------------------------------------------------ bytes


def same_bytes(one: int, other: int, told: Callable[[int], None]) -> bool:
    """Whether two open files have the same content. `told` gets the bytes compared so far, now and then."""
    at = 0
    again = time.monotonic() + _TELL_SECONDS
    while True:
        a, b = _read_full(one, at), _read_full(other, at)
        if a != b:
            return False
        if not a:
            return True
        at += len(a)
        if time.monotonic() > again:
            told(at)
            again = time.monotonic() + _TELL_SECONDS


def _read_full(file: int, at: int) -> bytes:
    """A block, short only at the end of the file: pread(2) may give less."""
    parts = []
    left = BLOCK
    while left:
        part = os.pread(file, left, at)
        if not part:
            break
        parts.append(part)
        at += len(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def sum_of(file: int, told: Callable[[int], None]) -> bytes:
    """SHA-256 of an open file, read from the disk again where the kernel lets go of what it holds (posix_fadvise)."""
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    seen = hashlib.sha256()
    at = 0
    again = time.monotonic() + _TELL_SECONDS
    while block := os.pread(file, BLOCK, at):
        seen.update(block)
        at += len(block)
        if time.monotonic() > again:
            told(at)
            again = time.monotonic() + _TELL_SECONDS
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    return seen.digest()


def is_being_written(file: int) -> bool:
    """Somebody has it open for writing: then the kernel gives no read lease (fcntl(2), F_SETLEASE). False where there
    are no leases, or not for us."""
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def copy_new(
    old: int, old_name: bytes, expected: Identity, new: int, new_name: bytes, part: bytes, *, clone: bool,
    told: Callable[[int], None],
) -> Copied:  # fmt: skip
    """Copies a file to a name that is free, verified and durable before it has that name.

    `part` is the temporary's name in the new folder. `clone`: share the blocks or fail (ioctl_ficlone(2)). Times, mode
    and extended attributes are kept, owner and group where that is permitted; `notes` says what was not.
    Raises Changed when the source is not what was expected, before or after; OSError EEXIST, ENOSPC, EIO..."""
    source = open_source(old, old_name, expected)
    try:
        made = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=new)
        try:
            digest = _fill(source, made, clone=clone, told=told)
            notes = _keep(source, made)
            os.fsync(made)
            if not is_it(os.fstat(source), expected) or not is_it(look(old, old_name), expected):
                raise Changed("the source changed while it was copied")
            if not clone and sum_of(made, told) != digest:
                raise OSError(errno.EIO, "what was written reads back differently", new_name)
            info = os.fstat(made)  # here, for after the rename nothing may fail but the sync
            rename_new(new, part, new, new_name)
            try:
                sync_folder(new)
            except OSError:
                os.unlink(new_name, dir_fd=new)  # not durable, so not there; the source is
                raise
        except BaseException:
            remove_part(new, part)
            raise
        finally:
            os.close(made)
    finally:
        os.close(source)
    return Copied(signed(info.st_ino), info.st_size, info.st_mtime_ns, digest, notes)


def open_source(old: int, old_name: bytes, expected: Identity) -> int:
    """The file to be copied, open. Raises Changed, and OSError EBUSY when another program is writing it."""
    source = open_for_reading(old, old_name)
    info = os.fstat(source)
    if not stat.S_ISREG(info.st_mode) or not is_it(info, expected):
        os.close(source)
        raise Changed("the source is not what it was")
    if is_being_written(source):
        os.close(source)
        raise OSError(errno.EBUSY, "another program is writing it", old_name)
    return source


def _fill(source: int, made: int, *, clone: bool, told: Callable[[int], None]) -> bytes:
    if clone:
        fcntl.ioctl(made, _FICLONE, source)
        return b""
    os.posix_fadvise(source, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    info = os.fstat(source)
    sparse = info.st_blocks * 512 < info.st_size
    seen = hashlib.sha256()
    at = 0
    again = time.monotonic() + _TELL_SECONDS
    while block := os.pread(source, BLOCK, at):
        seen.update(block)
        if not (sparse and not any(block)):  # a hole stays one
            _write_full(made, block, at)
        at += len(block)
        if time.monotonic() > again:
            told(at)
            again = time.monotonic() + _TELL_SECONDS
    if sparse:
        os.ftruncate(made, at)
    return seen.digest()


def _write_full(file: int, data: bytes, at: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file, rest, at)
        rest, at = rest[written:], at + written


def _keep(source: int, made: int) -> tuple[str, ...]:
    """Owner, group, extended attributes, mode, times: in this order, for a change of owner takes set-user-ID away."""
    info = os.fstat(source)
    notes = []
    here = os.fstat(made)
    if (here.st_uid, here.st_gid) != (info.st_uid, info.st_gid):
        try:
            os.fchown(made, info.st_uid, info.st_gid)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP):
                raise
            notes.append("owner")
    try:
        names = os.listxattr(source)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EPERM):
            raise
        names = []
    for name in names:
        try:
            value = os.getxattr(source, name)
            os.setxattr(made, name, value)
        except OSError as error:
            # a name space that is not ours (security.*, trusted.*), or a file system that has none of it
            if error.errno not in (errno.EOPNOTSUPP, errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENODATA):
                raise
            if name.startswith("user.") or name == "system.posix_acl_access":
                notes.append("xattr")
    try:
        os.fchmod(made, stat.S_IMODE(info.st_mode))
    except OSError as error:
        if error.errno != errno.EPERM:  # FAT
            raise
        notes.append("mode")
    os.utime(made, ns=(info.st_atime_ns, info.st_mtime_ns))
    return tuple(dict.fromkeys(notes))


def remove_part(folder: int, part: bytes) -> None:
    """Takes our temporary away, if it is there."""
    try:
        os.unlink(part, dir_fd=folder)
    except FileNotFoundError:
        return
    sync_folder(folder)


def drop(
    old: int, old_name: bytes, expected: Identity, new: int, new_name: bytes, made: Identity, aside: bytes
) -> None:  # fmt: skip
    """Removes the source of a copy, while the copy stands where it was made and the source is what was copied. That it
    is gone is made durable by who calls.

    Raises Changed; then both stay."""
    if not is_it(look(new, new_name), made):
        raise Changed("the copy is not where it was made: the source stays")
    if not is_it(look(old, old_name), expected):
        raise Changed("the source changed after it was copied: it stays")
    if one_name(old, old_name, new, new_name):
        raise Changed("source and destination are one file: it stays")
    remove_known(old, old_name, expected, aside)


def remove_known(folder: int, name: bytes, expected: Identity, aside: bytes) -> None:
    """Removes a file if it is the expected one, whatever others do with its name meanwhile: it is renamed to `aside`,
    a name that nobody else uses, and looked at there. Raises Changed; then it has its name again."""
    rename_new(folder, name, folder, aside)
    try:
        if not is_it(look(folder, aside), expected):
            raise Changed("it was replaced meanwhile: it stays")
        os.unlink(aside, dir_fd=folder)
    except (OSError, Changed):
        put_back(folder, name, aside)
        raise


def put_back(folder: int, name: bytes, aside: bytes) -> None:
    """What `remove_known` has set aside, now or before a crash, has its name again. Raises OSError EEXIST when that is
    taken: then it is where it is."""
    with contextlib.suppress(FileNotFoundError):
        rename_new(folder, aside, folder, name)
