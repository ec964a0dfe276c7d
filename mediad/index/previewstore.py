"""Previews as files in the data folder: `previews/HH/STREAM-SIZE`, a line of JSON and the picture.

Everything here may block and runs in the one thread of `Previews`. A file is written whole beside its place and
renamed; half a one, left by a power cut, is told by its length and digest and is as if it were not there. A file's time
of modification is when it was used last, to the hour.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_FORMAT = "mediadb preview 1"
_HEADER_BYTES = 4096  # at most
_TOUCH_SECONDS = 3600.0
_NOTHING_SECONDS = 24 * 3600  # that there is nothing to show is believed for so long
_BUCKETS = 256
NOTHING = 0  # the "size" under which it is kept that a file has no preview

Entry = tuple[str, int, int]  # name, bytes, hour of last use


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview, or that there is none (`code`, `message`): and of what, the stat (`size`, `mtime_ns`) of the file it
    was made of and the handler that made it. `tag` is the digest of `data`, which is empty where only the header was
    wanted."""

    size: int
    mtime_ns: int
    handler: str
    version: int
    mime_type: str = ""
    width: int = 0
    height: int = 0
    tag: bytes = b""
    data: bytes = b""
    code: str = ""
    message: str = ""


def digest(data: bytes) -> bytes:
    """What names a picture: BLAKE2b of 16 bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


class PreviewStore:
    """The folder. `problem` says why the last preview could not be kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.problem = ""

    def load(self, stream: uuid.UUID, pixels: int, known: bytes = b"") -> Preview | None:
        """What is kept for an item; without its data when its tag is `known`. None: nothing, or nothing whole."""
        path = self._path(stream, pixels)
        try:
            with open(path, "rb") as file:
                head = file.readline(_HEADER_BYTES)
                found = _parse(head)
                if found is None:
                    return None
                if not known or known != found.tag:
                    data = file.read()
                    if digest(data) != found.tag and not found.code:
                        return None
                    found = replace(found, data=data)
                age = time.time() - os.fstat(file.fileno()).st_mtime
                if found.code:  # its time is when it was tried: a decoder may have been installed since
                    return found if age < _NOTHING_SECONDS else None
                if age > _TOUCH_SECONDS:
                    os.utime(path)
        except OSError:
            return None  # it is made anew: a preview is no treasure
        return found

    def put(self, stream: uuid.UUID, pixels: int, made: Preview) -> int:
        """Keeps a preview; returns its bytes, 0 when it could not be kept, which `problem` says."""
        path = self._path(stream, pixels)
        head = json.dumps({
            "format": _FORMAT, "size": made.size, "mtime_ns": made.mtime_ns, "handler": made.handler,
            "version": made.version, "mime_type": made.mime_type, "width": made.width, "height": made.height,
            "tag": made.tag.hex(), "code": made.code, "message": made.message[:500],
        }).encode() + b"\n"  # fmt: skip
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(part, "wb", opener=_private) as out:
                out.write(head)
                out.write(made.data)
            part.rename(path)
        except OSError as error:
            self.problem = error.strerror or type(error).__name__
            with contextlib.suppress(OSError):
                part.unlink()
            return 0
        self.problem = ""
        return len(head) + len(made.data)

    def bucket(self, number: int) -> list[Entry]:
        """What lies in one of the `_BUCKETS` folders; what a writer that died left in it goes."""
        found: list[Entry] = []
        try:
            with os.scandir(self._folder / f"{number:02x}") as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):  # somebody else's
                        continue
                    if entry.name.startswith("."):
                        os.unlink(entry.path)
                        continue
                    stat = entry.stat(follow_symlinks=False)
                    found.append((entry.name, stat.st_size, int(stat.st_mtime // _TOUCH_SECONDS)))
        except (FileNotFoundError, NotADirectoryError):
            return found
        return found

    def remove(self, names: list[str]) -> None:
        """Takes files of these names away."""
        for name in names:
            (self._folder / self._bucket_of(name) / name).unlink(missing_ok=True)

    @staticmethod
    def buckets() -> Iterator[int]:
        """The numbers of all folders."""
        return iter(range(_BUCKETS))

    @staticmethod
    def stream_of(name: str) -> uuid.UUID | None:
        """The item whose preview has this name; None for a name that is none."""
        try:
            return uuid.UUID(hex=name.partition("-")[0])
        except ValueError:
            return None

    @staticmethod
    def _bucket_of(name: str) -> str:
        # The last digits of a UUID of version 7 are random; the first ones are the time.
        return name.partition("-")[0][-2:]

    def _path(self, stream: uuid.UUID, pixels: int) -> Path:
        name = f"{stream.hex}-{pixels}"
        return self._folder / self._bucket_of(name) / name


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _parse(head: bytes) -> Preview | None:
    try:
        told = json.loads(head)
        if told["format"] != _FORMAT:
            return None
        return Preview(
            int(told["size"]), int(told["mtime_ns"]), str(told["handler"]), int(told["version"]),
            str(told["mime_type"]), int(told["width"]), int(told["height"]), bytes.fromhex(told["tag"]), b"",
            str(told["code"]), str(told["message"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None
