"""Bounded reading of one open file: every byte a handler sees comes through `File`.

Positional reads only (pread), so the descriptor's offset is never moved and one descriptor may serve several readers.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import HandlerError

if TYPE_CHECKING:
    from os import PathLike
    from types import TracebackType

HEAD = 64 * 1024  # bytes read by the first pread: holds the headers of nearly every file
BLOCK = 16 * 1024  # bytes of one buffered read past the head
MAX_READ = 16 * 1024 * 1024  # bytes that one read may ask for
SPOOL_LIMIT = 256 * 1024 * 1024  # bytes of a non-seekable standard input kept in memory


class File:
    """One file, open for reading. `fd` is borrowed, or closed by `close` when `own` is true.

    `name` is what to show a person and where the extension comes from; it is never opened. `bytes_read` counts the
    bytes that preads returned. `memo` is where readers keep what they parsed, by name, for the next one who asks of the
    same file (the payload after the record). Raises HandlerError `io` when the system refuses a read and `limit` when
    more than MAX_READ bytes are asked for at once."""

    __slots__ = ("_head", "_own", "bytes_read", "fd", "memo", "name", "size")

    def __init__(self, fd: int, name: bytes = b"", *, own: bool = False) -> None:
        self.fd = fd
        self.name = name
        self.bytes_read = 0
        self.memo: dict[str, Any] = {}
        self._own = own
        self._head: bytes | None = None
        try:
            self.size = os.fstat(fd).st_size
        except OSError as fault:
            raise HandlerError("io", f"fstat: {fault.strerror}") from fault

    @classmethod
    def open(cls, path: bytes | str | PathLike[str] | PathLike[bytes]) -> File:
        """Opens a regular file. Raises HandlerError `io`; `unsupported` for what is not a regular file."""
        name = os.fsencode(path)
        try:
            fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as fault:
            raise HandlerError("io", f"open: {fault.strerror}") from fault
        if not _is_regular(fd):
            os.close(fd)
            raise HandlerError("unsupported", "not a regular file")
        return cls(fd, name, own=True)

    @classmethod
    def from_stdin(cls) -> File:
        """Standard input: itself when it is a regular file, else its bytes spooled into memory (SPOOL_LIMIT)."""
        source = sys.stdin.fileno()
        if _is_regular(source):
            return cls(source, b"-")
        spool = os.memfd_create("stdin", os.MFD_CLOEXEC)
        total = 0
        while chunk := os.read(source, HEAD):
            total += len(chunk)
            if total > SPOOL_LIMIT:
                os.close(spool)
                raise HandlerError("limit", f"standard input is longer than {SPOOL_LIMIT} bytes")
            view = memoryview(chunk)
            while view:
                view = view[os.write(spool, view) :]
        return cls(spool, b"-", own=True)

    @property
    def head(self) -> bytes:
        """The first HEAD bytes (less when the file is shorter), read once."""
        if self._head is None:
            self._head = self._pread(0, HEAD)
        return self._head

    @property
    def extension(self) -> str:
        """The lower-case extension without its dot; "" when there is none."""
        base = self.name.rpartition(b"/")[2]
        stem, dot, extension = base.rpartition(b".")
        return extension.decode("utf-8", "replace").lower() if dot and stem else ""

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer only at the end of the file."""
        if length > MAX_READ:
            raise HandlerError("limit", f"a read of {length} bytes was asked for; {MAX_READ} is the most")
        if not 0 <= offset < self.size or length <= 0:
            return b""  # an offset from a broken header may not even fit off_t
        if offset + length <= HEAD:
            head = self._head
            return (self.head if head is None else head)[offset : offset + length]
        return self._pread(offset, min(length, max(self.size - offset, 0)))

    def tail(self, length: int) -> bytes:
        """The last `length` bytes; the whole file when it is shorter."""
        length = min(length, self.size)
        return self.read(self.size - length, length)

    def stat(self) -> tuple[int, int, int, int]:
        """(inode, size in bytes, mtime in ns, ctime in ns), taken now from the descriptor."""
        try:
            now = os.fstat(self.fd)
        except OSError as fault:
            raise HandlerError("io", f"fstat: {fault.strerror}") from fault
        return now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns

    def stream(self) -> Stream:
        """A new seekable read-only file object at offset 0, for mutagen, Pillow and zipfile."""
        return Stream(self)

    def close(self) -> None:
        if self._own and self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> File:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pread(self, offset: int, length: int) -> bytes:
        """Reads until `length` bytes or the end of the file; a signal or a slow file system may shorten one pread."""
        try:
            data = os.pread(self.fd, length, offset)
            self.bytes_read += len(data)
            while data and len(data) < length and offset + len(data) < self.size:
                more = os.pread(self.fd, length - len(data), offset + len(data))
                if not more:
                    break
                self.bytes_read += len(more)
                data += more
        except OSError as fault:
            raise HandlerError("io", f"read at {offset}: {fault.strerror}") from fault
        return data


class Stream(io.RawIOBase):
    """A seekable read-only binary file object over a `File`; its position is its own.

    Small reads past the head go through one buffered block of BLOCK bytes. A read never allocates more than the file
    has left, and never more than MAX_READ."""

    def __init__(self, file: File) -> None:
        super().__init__()
        self.file = file
        self.name = file.name  # mutagen shows it in messages; nothing opens it
        self._size = file.size
        self._position = 0
        self._block = file.head
        self._start = 0

    @property
    def bytes_read(self) -> int:
        return self.file.bytes_read

    def read(self, size: int | None = -1) -> bytes:
        position = self._position
        left = self._size - position
        if size is None or size < 0 or size > left:
            size = left
        if size <= 0:
            return b""
        begin = position - self._start
        data = self._block[begin : begin + size] if begin >= 0 else b""
        if len(data) < size:
            data = self._fetch(position, size)
        self._position = position + len(data)
        return data

    def _fetch(self, position: int, size: int) -> bytes:
        if size >= BLOCK or position + size <= HEAD:
            return self.file.read(position, size)
        self._start = position
        self._block = self.file.read(position, BLOCK)
        return self._block[:size]

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self.read(-1)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += self._size
        if offset < 0:
            raise OSError(22, "negative seek position")
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _is_regular(fd: int) -> bool:
    return stat.S_ISREG(os.fstat(fd).st_mode)
