"""Reading and verifying an archive that lies in a folder, whoever wrote it. Blocking: for a worker, not for the loop.

What an index says is not trusted: its paths are opened beneath the archive's folders, through no symbolic link, and
only regular files are read. Memory grows with the index, not with the files.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from mediad.errors import (
    Corrupt,
    InputOutputError,
    InvalidArgument,
    MediadError,
    NotFound,
    PermissionDenied,
    Unsupported,
)
from mediad.moves.structure.index import Dst, DstItem, Index, parse_index
from mediad.moves.structure.layout import INDEX_NAME, README_NAME
from mediad.moves.structure.meta import parse_meta
from mediad.moves.structure.uri import file_path, relative_path
from mediad.workers.beneath import open_for_reading

BLOCK = 1 << 20  # bytes read at once
META_MOST = 16 << 20  # bytes of a meta document: more is none
TEMPORARY = b".mediad-"  # how names of unfinished copies begin


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive as it lies here. `dst` is the destination of its index that this folder is; `data` and `meta` are the
    folders, absolute, that the items' URIs are relative to."""

    folder: bytes
    index: Index
    dst: Dst
    data: bytes
    meta: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """What verifying says of one file. `path` is absolute where there is one, else the URI; `size` in bytes.

    `code`: `ok`; of data `missing`, `size`, `hash`, `unreadable`, `not_regular`, `bad_uri` (leads out of the archive),
    `encoding` (stored in a way that is not understood); of metas `meta_missing`, `meta_size`, `meta_invalid`,
    `meta_unreadable`, `meta_bad_uri`; of the tree `unknown` (no item leads to it), `leftover` (an unfinished copy)."""

    code: str
    path: bytes
    hash: str = ""
    message: str = ""
    size: int = 0


@dataclass(slots=True)
class Report:
    """The sum of findings. `counts` by code; `problems` are the first 1,000 that are not `ok`."""

    items: int = 0
    bytes: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)

    def note(self, finding: Finding) -> None:
        self.counts[finding.code] = self.counts.get(finding.code, 0) + 1
        if finding.code == "ok":
            self.items += 1
            self.bytes += finding.size
        elif len(self.problems) < 1000:
            self.problems.append(finding)

    @property
    def is_good(self) -> bool:
        """Every item was there and right. A file that no item leads to is no fault of the archive."""
        return not self.counts.keys() - {"ok", "unknown", "leftover"}


def read_archive(folder: bytes, dst_id: str = "") -> Archive:
    """Reads the index in `folder`, an absolute path, and finds out which of its destinations the folder is.

    That is `dst_id`; else the one whose URI is this folder; else the only one, for a disk is mounted anywhere. Raises
    NotFound (no folder, no index.json, no such destination), InvalidArgument (several destinations, none of them here),
    Corrupt and Unsupported (parse_index), PermissionDenied, InputOutputError."""
    name = os.path.join(folder, INDEX_NAME)
    try:
        top = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with open(_open_regular(top, INDEX_NAME), "rb") as source:
                index = parse_index(source.read(), name)
        finally:
            os.close(top)
    except OSError as error:
        raise _fault(error, "the archive's index cannot be read", name) from error
    dst = _destination(index, folder, dst_id, name)
    return Archive(folder, index, dst, _base(dst, dst.data_uri, folder), _base(dst, dst.meta_uri, folder))


def _destination(index: Index, folder: bytes, dst_id: str, name: bytes) -> Dst:
    if dst_id:
        if dst_id not in index.dsts:
            raise NotFound(f"the index has no destination {dst_id}", name)
        return index.dsts[dst_id]
    here = [dst for dst in index.dsts.values() if file_path(dst.index_uri) == folder.rstrip(b"/")]
    candidates = here or list(index.dsts.values())
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise NotFound("the index has no destination", name)
    listed = ", ".join(f"{dst.dst_id} ({dst.index_uri})" for dst in candidates)
    raise InvalidArgument(f"which of its destinations is this folder? {listed}"[:2000], name)


def _base(dst: Dst, uri: str, folder: bytes) -> bytes:
    """Data and metas moved with the folder when they lie within it; else they are where the URI says."""
    top, there = file_path(dst.index_uri), file_path(uri)
    if uri == dst.index_uri:
        return folder
    if there is None:
        raise Unsupported("data that is not in a folder (a file: URI) cannot be read", uri)
    if top is not None and (there + b"/").startswith(top.rstrip(b"/") + b"/"):
        return os.path.join(folder, there[len(top.rstrip(b"/")) + 1 :])
    return there


def verify(
    archive: Archive, *, hashes: bool = True, progress: Callable[[int], None] | None = None
) -> Iterator[Finding]:
    """Looks at every item of this destination and then at every file of its folders: one finding each, `ok` for an item
    whose data and meta are there and right; in the order of the index, then of the names.

    `hashes`: read all data and compare its SHA-1; without, only names and sizes. `progress` is told the bytes of each
    block read. Raises NotFound, PermissionDenied or InputOutputError when a folder of the archive cannot be opened;
    what concerns one file is a finding."""
    seen = {os.path.join(archive.folder, INDEX_NAME), os.path.join(archive.folder, README_NAME)}
    tops: dict[bytes, int] = {}
    try:
        for base in (archive.data, archive.meta):
            if base not in tops:
                tops[base] = os.open(base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        data, meta = tops[archive.data], tops[archive.meta]
        for ref in archive.index.refs.values():
            for item in ref.dsts:
                if item.dst_id != archive.dst.dst_id:
                    continue
                faults = _check_data(archive, data, ref.hash, item, hashes, progress, seen)
                faults += _check_meta(archive, meta, ref.hash, item, seen)
                path = os.path.join(archive.data, relative_path(item.data_uri) or b"")
                yield from faults or [Finding("ok", path, ref.hash, size=item.data_size)]
    except OSError as error:
        raise _fault(error, "a folder of the archive cannot be opened", error.filename or archive.folder) from error
    finally:
        for top in tops.values():
            os.close(top)
    yield from _strangers(archive, seen)


def _check_data(
    archive: Archive,
    top: int,
    content_hash: str,
    item: DstItem,
    hashes: bool,
    progress: Callable[[int], None] | None,
    seen: set[bytes],
) -> list[Finding]:
    relative = relative_path(item.data_uri)
    if relative is None:
        return [Finding("bad_uri", item.data_uri.encode(), content_hash, "does not lead below the archive")]
    path = os.path.join(archive.data, relative)
    seen.add(path)
    try:
        with open(_open_regular(top, relative), "rb") as source:
            size = os.fstat(source.fileno()).st_size
            if item.data_size and size != item.data_size:
                return [Finding("size", path, content_hash, f"has {size} bytes, not {item.data_size}", size)]
            if not hashes:
                return []
            if item.encoding not in ("", "gz"):
                return [Finding("encoding", path, content_hash, f"stored as {item.encoding}: not compared", size)]
            found = _hash(source, item.encoding, progress)
    except _NotRegular:
        return [Finding("not_regular", path, content_hash, "is no regular file")]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return [Finding("hash", path, content_hash, f"cannot be decompressed: {error}", size)]
    except OSError as error:
        return [Finding(_code(error), path, content_hash, error.strerror or "")]
    if found != content_hash:
        return [Finding("hash", path, content_hash, f"its SHA-1 is {found}", size)]
    return []


def _check_meta(archive: Archive, top: int, content_hash: str, item: DstItem, seen: set[bytes]) -> list[Finding]:
    relative = relative_path(item.meta_uri)
    if relative is None:
        return [Finding("meta_bad_uri", item.meta_uri.encode(), content_hash, "does not lead below the archive")]
    path = os.path.join(archive.meta, relative)
    seen.add(path)
    try:
        with open(_open_regular(top, relative), "rb") as source:
            data = source.read(META_MOST + 1)
    except _NotRegular:
        return [Finding("meta_unreadable", path, content_hash, "is no regular file")]
    except OSError as error:
        return [Finding(f"meta_{_code(error)}", path, content_hash, error.strerror or "")]
    if item.meta_size and len(data) != item.meta_size:
        return [Finding("meta_size", path, content_hash, f"has {len(data)} bytes, not {item.meta_size}", len(data))]
    if len(data) > META_MOST:
        return [Finding("meta_invalid", path, content_hash, f"has more than {META_MOST} bytes", len(data))]
    try:
        meta = parse_meta(data, path)
    except MediadError as fault:
        return [Finding("meta_invalid", path, content_hash, fault.message, len(data))]
    if meta.size and item.data_size and not item.encoding and meta.size != item.data_size:
        said = f"says {meta.size} bytes, the index {item.data_size}"
        return [Finding("meta_invalid", path, content_hash, said, len(data))]
    return []


def hash_file(source: BinaryIO, progress: Callable[[int], None] | None = None) -> str:
    """The SHA-1 of what is left of an open file, in hexadecimal, read in blocks of 1 MiB. Raises OSError."""
    return _hash(source, "", progress)


def _hash(source: BinaryIO, encoding: str, progress: Callable[[int], None] | None) -> str:
    digest = hashlib.sha1(usedforsecurity=False)
    reader: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=source) if encoding == "gz" else source
    while block := reader.read(BLOCK):
        digest.update(block)
        if progress is not None:
            progress(len(block))
    return digest.hexdigest()


def _strangers(archive: Archive, seen: set[bytes]) -> Iterator[Finding]:
    """Files of the folders that no item leads to. Symbolic links are listed, not followed; folders do not count."""
    tops = [archive.folder]
    for base in (archive.data, archive.meta):
        if not any((base + b"/").startswith(top + b"/") for top in tops):
            tops.append(base)
    waiting = tops[::-1]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as rows:
                entries = sorted(rows, key=lambda entry: entry.name)
        except OSError as error:
            yield Finding("unreadable", folder, message=error.strerror or "")
            continue
        waiting += [entry.path for entry in reversed(entries) if entry.is_dir(follow_symlinks=False)]
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) or entry.path in seen:
                continue
            code = "leftover" if entry.name.startswith(TEMPORARY) else "unknown"
            yield Finding(code, entry.path, message="no item of the index leads to it")


class _NotRegular(OSError):
    """A folder, a symbolic link, a device: not what an archive holds."""


def _open_regular(top: int, relative: bytes) -> int:
    try:
        fd = open_for_reading(top, relative)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _NotRegular(error.errno, os.strerror(error.errno), relative) from error
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _NotRegular(errno.EINVAL, "is no regular file", relative)
    return fd


def _code(error: OSError) -> str:
    return "missing" if error.errno in (errno.ENOENT, errno.ENOTDIR) else "unreadable"


def _fault(error: OSError, problem: str, path: bytes | str) -> MediadError:
    said = f"{problem}: {error.strerror}"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotFound(said, path)
    if error.errno in (errno.EACCES, errno.EPERM):
        return PermissionDenied(said, path)
    return Corrupt(said, path) if isinstance(error, _NotRegular) else InputOutputError(said, path)
