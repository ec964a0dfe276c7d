"""The archiver's program: a mover that also writes, verifies and restores archives (mediad.moves.structure).

Run as `python -m mediad.moves.archiver LOCK`, spoken to as mediad.workers.mover is, with these requests more:

open     {archive, source}  -> {contents}   the index of an archive, begun where there is none; source: the folder whose
                                            files will be added
add      {items: [[top, path, inode, size, mtime_ns, sha1|None, fields, side, format]]}
         -> {progress}... {results: [[outcome, sha1, stored, bytes, message]]}  fields: JSON text; side: that of its
                                            side file or None; stored: its path in the archive
         outcomes: stored, known (its content was there), unchanged (nothing was looked at), changed, failed
save     {}                 -> {changed}    writes the index, when it is another
verify   {archive, hashes}  -> {progress, findings: [[code, path, sha1, message]]}... {items, bytes, counts}
plan     {archive, hashes, into}            -> {copies: [[sha1, source, target, size, encoding, mtime_ns|None]], left}
restore  {copies}           -> {progress}... {results: [[outcome, target, message]]}
         outcomes: restored, already (the same bytes are there), exists (other bytes are there), failed

The data of a thing is copied, read back and durable before the index names it, and the index is replaced by rename: an
archive whose writer died is the archive of before, with some files more, which the next writer finds in their places.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mediad.errors import Conflict, MediadError, NotFound
from mediad.moves.structure.adding import Found, plan_add
from mediad.moves.structure.archive import Archive, read_archive, verify
from mediad.moves.structure.exif import meta_from_fields
from mediad.moves.structure.ids import dst_id, src_id
from mediad.moves.structure.index import Dst, Index, Ref, Src, SrcItem
from mediad.moves.structure.layout import INDEX_NAME, README, README_NAME, type_of
from mediad.moves.structure.meta import parse_meta
from mediad.moves.structure.moment import Moment
from mediad.moves.structure.restore import plan_restore
from mediad.moves.structure.uri import file_uri, relative_path
from mediad.workers import transfer
from mediad.workers.beneath import open_for_reading
from mediad.workers.mover import Mover, serve
from mediad.workers.transfer import Changed

_BLOCK = 1 << 20
_FINDINGS_AT_ONCE = 200
_PART = b".mediad-archive.part"  # of one writer; the lock of the archive sees to that


class Archiver(Mover):
    """A mover that knows archives; one open at a time."""

    index: Index
    src: Src
    dst: Dst
    folder: bytes
    known: dict[str, tuple[Ref, SrcItem]]  # by URI: what was found at this source before
    top: int = -1
    written: bytes = b""

    # -------------------------------------------------------------- writing

    def do_open(self, request: dict[str, Any]) -> dict[str, Any]:
        self.folder = request["archive"]
        self._make_folder(self.folder)
        self.top = transfer.open_top(self.folder)
        try:
            fcntl.flock(self.top, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("another archiver is writing there", self.folder) from None
        uri = file_uri(self.folder, folder=True)
        try:
            archive = read_archive(self.folder)
            self.index, self.dst = archive.index, archive.dst
            self.written = self._read(INDEX_NAME) or b""
        except NotFound:
            if self._read(INDEX_NAME) is not None:
                raise
            self.index, self.dst = Index(), Dst(dst_id(uri, uri, uri), uri, uri, uri)
            self.written = b""
            self.index.add_dst(self.dst)
        source = file_uri(request["source"], folder=True)
        self.src = Src(src_id(source), source)
        self.index.add_src(self.src)
        self.known = {
            item.data_uri: (ref, item) for ref in self.index.refs.values() for item in ref.srcs
            if item.src_id == self.src.src_id
        }  # fmt: skip
        return {"contents": len(self.index.refs)}

    def _make_folder(self, path: bytes) -> None:
        """The archive's own folder, in one that is there."""
        above, _, name = path.rpartition(b"/")
        folder = transfer.open_top(above or b"/")
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=folder)
                transfer.sync_folder(folder)
        finally:
            os.close(folder)

    def _read(self, path: bytes) -> bytes | None:
        try:
            fd = open_for_reading(self.top, path)
        except FileNotFoundError:
            return None
        with open(fd, "rb") as file:
            return file.read()

    def do_add(self, request: dict[str, Any]) -> dict[str, Any]:
        results = []
        told = self._teller(request)
        for item in request["items"]:
            try:
                results.append(self._add(item, told))
            except Changed as error:
                results.append(["changed", "", b"", 0, str(error)])
            except (OSError, ValueError) as error:
                message = error.strerror if isinstance(error, OSError) else str(error)
                results.append(["failed", "", b"", 0, message or type(error).__name__])
        return {"results": results, "dst": self.dst.dst_id}

    def _add(self, item: list[Any], told: Callable[[int], None]) -> list[Any]:
        top, path, inode, size, mtime, sha1, fields, side, form = item
        uri = file_uri(top.rstrip(b"/") + b"/" + path)
        expected = (inode, size, mtime)
        moment = Moment(mtime)
        before = self.known.get(uri)
        content_hash = sha1.hex() if sha1 else None
        if content_hash is None and before is not None and before[1].modified_at == moment:
            stored = before[0].stored_in(self.dst.dst_id)
            if stored is not None and stored.data_size == size:
                content_hash = before[0].hash  # as it was when it was archived
        base = transfer.open_top(top)
        try:
            folder = transfer.open_folder(base, path.rpartition(b"/")[0])
        finally:
            os.close(base)
        name = path.rpartition(b"/")[2]
        try:
            if content_hash is None:
                content_hash = self._sum(folder, name, expected, told)
            ref = self.index.refs.get(content_hash)
            lies = ref.stored_in(self.dst.dst_id) if ref else None
            kept = self._read(relative_path(lies.meta_uri) or b"") if lies else None
            meta = meta_from_fields(
                type_of(name.decode("utf-8", "replace"), form or ""), size, json.loads(fields), json.loads(side or "{}")
            )
            if kept:  # what other programs have written into it stays
                meta = replace(meta, others=parse_meta(kept, os.fsencode(lies.meta_uri) if lies else b"").others)
            found = Found(content_hash, uri, meta, "", moment)
            step = plan_add(self.index, self.src, self.dst, found, kept, Moment(time.time_ns()))
            copied = 0
            if step.copy:
                copied = self._store(folder, name, expected, os.fsencode(step.data_path), content_hash, told)
            if step.meta_bytes is not None:
                self._replace(os.fsencode(step.meta_path), step.meta_bytes)
            changed = step.record(self.index)
            self.known[uri] = self.index.refs[content_hash], step.source
        finally:
            os.close(folder)
        outcome = "stored" if step.copy else "known" if changed else "unchanged"
        return [outcome, content_hash, relative_path(step.item.data_uri) or b"", copied, ""]

    def _sum(self, folder: int, name: bytes, expected: transfer.Identity, told: Callable[[int], None]) -> str:
        source = transfer.open_source(folder, name, expected)
        try:
            return _sha1(source, told)
        finally:
            os.close(source)

    def _store(
        self, folder: int, name: bytes, expected: transfer.Identity, goal: bytes, content_hash: str,
        told: Callable[[int], None],
    ) -> int:  # fmt: skip
        """Copies the data to its place. What lies there already, from a writer that died, is it or goes."""
        above, _, final = goal.rpartition(b"/")
        there = self._folder_for(above)
        try:
            transfer.remove_part(there, _PART)
            if transfer.look(there, final) is not None:
                lying = open_for_reading(there, final)
                try:
                    if stat.S_ISREG(os.fstat(lying).st_mode) and _sha1(lying, told) == content_hash:
                        os.fsync(lying)
                        transfer.sync_folder(there)
                        return 0
                finally:
                    os.close(lying)
                raise OSError(errno.EEXIST, f"other bytes lie in its place {os.fsdecode(goal)}")
            made = transfer.copy_new(folder, name, expected, there, final, _PART, clone=False, told=told)
            return made.size
        finally:
            os.close(there)

    def _folder_for(self, path: bytes) -> int:
        """A folder of the archive, made with those above it."""
        try:
            return transfer.open_folder(self.top, path)
        except FileNotFoundError:
            pass
        parts = path.split(b"/")
        for depth in range(len(parts)):
            above = transfer.open_folder(self.top, b"/".join(parts[:depth]))
            try:
                os.mkdir(parts[depth], dir_fd=above)
                transfer.sync_folder(above)
            except FileExistsError:
                pass
            finally:
                os.close(above)
        return transfer.open_folder(self.top, path)

    def _replace(self, path: bytes, data: bytes) -> None:
        """Writes a document of the archive: whole or not at all."""
        above, _, name = path.rpartition(b"/")
        folder = self._folder_for(above) if above else os.dup(self.top)
        part = b".mediad-document.part"
        try:
            transfer.remove_part(folder, part)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(part, flags, 0o644, dir_fd=folder), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
            transfer.sync_folder(folder)
        finally:
            os.close(folder)

    def do_save(self, _request: dict[str, Any]) -> dict[str, Any]:
        data = self.index.to_bytes()
        changed = data != self.written
        if changed:
            self._replace(INDEX_NAME, data)
            self.written = data
        if self._read(README_NAME) is None:
            self._replace(README_NAME, README.encode())
        return {"changed": changed}

    # -------------------------------------------------------------- verifying, restoring

    def do_verify(self, request: dict[str, Any]) -> dict[str, Any]:
        archive = read_archive(request["archive"])
        counts: dict[str, int] = {}
        items = size = seen = 0
        again = time.monotonic()
        findings: list[list[Any]] = []

        def read(done: int) -> None:
            nonlocal seen, again
            seen += done
            if time.monotonic() > again + 0.25:
                self._send({"id": request["id"], "progress": seen, "findings": findings[:]})
                findings.clear()
                again = time.monotonic()

        for found in verify(archive, hashes=request["hashes"], progress=read):
            counts[found.code] = counts.get(found.code, 0) + 1
            findings.append([found.code, found.path, found.hash, found.message])
            if found.code == "ok":
                items, size = items + 1, size + found.size
            if len(findings) >= _FINDINGS_AT_ONCE:
                self._send({"id": request["id"], "progress": seen, "findings": findings[:]})
                findings.clear()
        self._send({"id": request["id"], "progress": seen, "findings": findings})
        return {"items": items, "bytes": size, "counts": counts, "dst": archive.dst.dst_id}

    def do_plan(self, request: dict[str, Any]) -> dict[str, Any]:
        archive: Archive = read_archive(request["archive"])
        hashes = set(request["hashes"]) or None
        plan = plan_restore(archive, hashes=hashes, into=request["into"] or None)
        return {
            "copies": [
                [c.hash, c.source, c.target, c.size, c.encoding, c.modified_at.ns if c.modified_at else None]
                for c in plan.copies
            ],
            "left": [[left.code, left.hash, left.uri] for left in plan.left],
        }

    def do_restore(self, request: dict[str, Any]) -> dict[str, Any]:
        told = self._teller(request)
        results = []
        for copy in request["copies"]:
            try:
                results.append([self._restore(copy, told), copy[2], ""])
            except (OSError, EOFError, ValueError) as error:
                message = error.strerror if isinstance(error, OSError) else str(error)
                results.append(["failed", copy[2], message or type(error).__name__])
        return {"results": results}

    def _restore(self, copy: list[Any], told: Callable[[int], None]) -> str:
        content_hash, source, target, _size, encoding, mtime = copy
        slash = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        here = self.top
        try:
            self.top = slash  # folders are made below it, through no symbolic link
            above, _, name = target.strip(b"/").rpartition(b"/")
            folder = self._folder_for(above)
        finally:
            self.top = here
            os.close(slash)
        part = b".mediad-restore.part"
        try:
            transfer.remove_part(folder, part)
            there = transfer.look(folder, name)
            if there is not None:
                if not stat.S_ISREG(there.st_mode):
                    return "exists"
                fd = open_for_reading(folder, name)
                try:
                    return "already" if _sha1(fd, told) == content_hash else "exists"
                finally:
                    os.close(fd)
            self._fill(source, folder, part, content_hash, encoding, mtime, told)
            transfer.rename_new(folder, part, folder, name)
            transfer.sync_folder(folder)
        except BaseException:
            transfer.remove_part(folder, part)
            raise
        finally:
            os.close(folder)
        return "restored"

    @staticmethod
    def _fill(
        source: bytes, folder: int, part: bytes, content_hash: str, encoding: str, mtime: int | None,
        told: Callable[[int], None],
    ) -> None:  # fmt: skip
        if encoding not in ("", "gz"):
            raise ValueError(f"stored as {encoding}: that cannot be unpacked")
        above, _, name = source.rpartition(b"/")
        lies = transfer.open_top(above)
        try:
            stored = open_for_reading(lies, name)
        finally:
            os.close(lies)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(stored, "rb") as raw, open(os.open(part, flags, 0o600, dir_fd=folder), "w+b") as made:
            mode = stat.S_IMODE(os.fstat(raw.fileno()).st_mode)
            reader = gzip.GzipFile(fileobj=raw) if encoding == "gz" else raw
            while block := reader.read(_BLOCK):
                made.write(block)
            made.flush()
            os.fsync(made.fileno())
            if _sha1(made.fileno(), told) != content_hash:
                raise OSError(errno.EIO, "what the archive holds is not what its index says: it stays there")
            os.fchmod(made.fileno(), mode)
            if mtime is not None:
                os.utime(made.fileno(), ns=(mtime, mtime))


def _sha1(file: int, told: Callable[[int], None]) -> str:
    """SHA-1 of an open file, in hexadecimal: how archives of this format name contents."""
    seen = hashlib.sha1(usedforsecurity=False)
    at = 0
    again = time.monotonic() + 0.25
    while block := os.pread(file, _BLOCK, at):
        seen.update(block)
        at += len(block)
        if time.monotonic() > again:
            told(at)
            again = time.monotonic() + 0.25
    return seen.hexdigest()


class _Served(Archiver):
    """Answers with the error of the field, not only with that of the system."""

    def _answer(self, request: dict[str, Any]) -> None:
        try:
            super()._answer(request)
        except MediadError as error:
            self._send({"id": request["id"], "fault": [error.code, error.message, error.input]})


if __name__ == "__main__":
    serve(_Served)
