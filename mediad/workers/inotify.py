"""inotify(7) by ctypes: its constants, its events, its three calls (docs/decisions/0012)."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

TYPE_CHECKING = False  # typing costs 350 KB of a process that does without
if TYPE_CHECKING:
    from collections.abc import Iterator

IN_MODIFY = 0x00000002
IN_ATTRIB = 0x00000004
IN_CLOSE_WRITE = 0x00000008
IN_MOVED_FROM = 0x00000040
IN_MOVED_TO = 0x00000080
IN_CREATE = 0x00000100
IN_DELETE = 0x00000200
IN_DELETE_SELF = 0x00000400
IN_MOVE_SELF = 0x00000800
IN_UNMOUNT = 0x00002000
IN_Q_OVERFLOW = 0x00004000
IN_IGNORED = 0x00008000
IN_ONLYDIR = 0x01000000
IN_DONT_FOLLOW = 0x02000000
IN_EXCL_UNLINK = 0x04000000
IN_ISDIR = 0x40000000
IN_NONBLOCK = os.O_NONBLOCK
IN_CLOEXEC = os.O_CLOEXEC

MASK = (
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_MODIFY | IN_DELETE_SELF
    | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK
)  # fmt: skip
SELF = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED

READ_BYTES = 1 << 16

_HEADER = struct.Struct("iIII")

Event = tuple[int, int, int, bytes]


def decode(data: bytes) -> Iterator[Event]:
    """The events of one read as (wd, mask, cookie, name); inotify(7), "Reading events": the name is padded by NULs."""
    at = 0
    while at < len(data):
        wd, mask, cookie, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        yield wd, mask, cookie, data[at : at + length].rstrip(b"\0")
        at += length


class Inotify:
    """An inotify instance by libc: inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2)."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._add = libc.inotify_add_watch
        self._add.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
        self._remove = libc.inotify_rm_watch
        self._remove.argtypes = (ctypes.c_int, ctypes.c_int)
        self.fd = int(libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC))
        if self.fd < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def add(self, folder: int) -> int:
        """The watch of the open folder; the same number again for the same inode (inotify_add_watch(2)).

        By descriptor: the watch stands on what is listed, whoever renames what meanwhile, however long the path is.
        Raises OSError: ENOSPC when the user's limit of watches is reached."""
        while True:
            wd = int(self._add(self.fd, b"/proc/self/fd/%d/." % folder, MASK))
            if wd >= 0:
                return wd
            code = ctypes.get_errno()
            if code != errno.EINTR:
                raise OSError(code, os.strerror(code))

    def remove(self, wd: int) -> None:
        """Ends a watch. EINVAL means that the kernel did so before us, because the folder is gone."""
        self._remove(self.fd, wd)

    def read(self) -> bytes:
        """What is queued, whole events only (inotify(7)); b"" when nothing is."""
        try:
            return os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return b""
