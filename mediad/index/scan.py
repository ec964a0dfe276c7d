"""A walk against what is known: one root, from its folders' digests to rows of names.

The walk runs in its own process and sends only folders whose digest differs from the stored one, so an unchanged tree
costs the daemon one digest a folder and the database nothing. Each message is one transaction: folders, then new and
changed names; their numbers come last. What is gone is marked at the end, when it is known how much that is; until then
the folders concerned have no digest, so that a walk that ends early is made good by the next.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any

from mediad.config import Config
from mediad.errors import MediadError
from mediad.fold import reverse, shorten
from mediad.ids import mint
from mediad.index.records import folded_name, listing_words
from mediad.model import KIND_OF_EXTENSION, Root, ScanReport
from mediad.store.store import Store, now_ns, pack
from mediad.workers.opener import Opener, error_of

log = logging.getLogger(__name__)

_ROWS_AT_ONCE = 64  # rows made before others have their turn: some 2 ms
_MARK_AT_ONCE = 500  # files or folders marked missing in one transaction
_RESERVE = 256  # ids of folders fetched at once
GIVE_UP_SECONDS = 600.0  # a database that is away so long ends the walk; the next one goes on where it was


class Frozen(MediadError):
    """The root lost so much at once that it is taken for away, not for deleted (settled 26)."""

    code = "unavailable"
    retryable = True


class Scan:
    """One walk of one root. `run` returns the report; `on_listed` is called when there is something to read."""

    def __init__(self, store: Store, config: Config, root: Root, on_listed: Callable[[], None]) -> None:
        assert root.local is not None
        self.store = store
        self.config = config
        self.root = root
        self.report = ScanReport(root.id, root.local)
        self.mounts: list[bytes] = []
        self._on_listed = on_listed
        self._ids: dict[bytes, int] = {}
        self._digests: dict[bytes, bytes] = {}
        self._fresh: list[int] = []
        self._unseen: list[int] = []  # files
        self._withheld: dict[int, str | None] = {}  # folders that lost files, and the digest they are to have

    async def run(self) -> ScanReport:
        """Walks and stores. Raises NotFound/PermissionDenied/... for the top, Frozen, Unavailable."""
        await self._load()
        assert self.root.local is not None
        opener = Opener(idle_seconds=3600.0)
        try:
            known = [(path, digest) for path, digest in self._digests.items()]
            async for message in opener.walk(self.root.local, self.root.only_name, self._exclude(), known):
                self.report.folders, self.report.listed = message["folders"], message["names"]
                await self._store(message["dirs"])
                if "end" in message:
                    await self._finish(message["end"])
        finally:
            opener.close()
        self.report.stage = "reading"
        return self.report

    def _exclude(self) -> list[str]:
        return [*self.config.exclude, *self.root.exclude]

    async def _load(self) -> None:
        """The folders known so far: paths from parents; a parent's id is lower than its children's, or comes later."""
        rows: list[tuple[Any, ...]] = []
        after = 0
        while page := await self.store.read("dirs_of_root", self.root.id, after):
            rows += page
            after = page[-1][0]
        by_id = {row[0]: row for row in rows}
        paths: dict[int, bytes] = {}

        def path_of(number: int) -> bytes:
            chain: list[int] = []
            while number not in paths:
                parent = by_id[number][1]
                if parent is None:
                    paths[number] = b""
                    break
                chain.append(number)
                number = parent
            for below in reversed(chain):
                above = paths[by_id[below][1]]
                paths[below] = (above + b"/" if above else b"") + by_id[below][2]
            return paths[chain[0] if chain else number]

        for count, (number, _parent, _name, digest) in enumerate(rows):
            path = path_of(number)
            self._ids[path] = number
            self._digests[path] = digest or b""
            if count % 500 == 499:
                await asyncio.sleep(0)

    async def _dir_id(self, path: bytes) -> int:
        if not self._fresh:
            self._fresh = [row[0] for row in await self.store.read("reserve_dirs", _RESERVE, deadline=GIVE_UP_SECONDS)]
        number = self._ids[path] = self._fresh.pop(0)
        return number

    async def _store(self, parts: list[list[Any]]) -> None:
        dirs: list[dict[str, Any]] = []
        spans: list[dict[str, Any]] = []
        seen: list[dict[str, Any]] = []
        files: list[dict[str, Any]] = []
        for path, digest, lo, hi, entries, problem in parts:
            known = path in self._ids
            number = self._ids[path] if known else await self._dir_id(path)
            if problem is not None:
                error = error_of(problem[0], problem[1] or "", self._full(path))
                self.report.note(error.code, error.message, self._full(path))
                dirs.append(self._dir_row(number, path, None, error.code))
                continue
            dirs.append(self._dir_row(number, path, digest, None))
            if known:
                spans.append({"d": number, "lo": lo and lo.hex(), "hi": hi and hi.hex()})
                seen += [{"d": number, "n": entry[0].hex()} for entry in entries]
            folders = tuple(path.split(b"/")) if path else (os.path.basename(self.report.path),)
            for start in range(0, len(entries), _ROWS_AT_ONCE):
                files += [self._file_row(number, entry, folders) for entry in entries[start : start + _ROWS_AT_ONCE]]
                await asyncio.sleep(0)
        if dirs:
            await self._write(dirs, spans, seen, files)

    async def _write(self, dirs: list[Any], spans: list[Any], seen: list[Any], files: list[Any]) -> None:
        if spans:
            for file, folder in await self.store.read("unseen_files", pack(spans), pack(seen), deadline=30.0):
                self._unseen.append(file)
                self._withheld[folder] = None
        for row in dirs:
            if row["i"] in self._withheld:
                self._withheld[row["i"]], row["g"] = row["g"], None
        unit: list[tuple[str, tuple[Any, ...]]] = [("put_dirs", (pack(dirs),))]
        if files:
            unit.append(("list_files", (pack(files), now_ns(), self.store.host, self.root.id)))
        results = await self.store.write(unit, give_up_after=GIVE_UP_SECONDS, deadline=30.0)
        if files:
            new, changed, returned, queued = results[-1][0]
            self.report.new += new
            self.report.changed += changed
            self.report.returned += returned
            self.report.queued += queued
            if queued:
                self._on_listed()

    def _full(self, path: bytes) -> bytes:
        return self.report.path + (b"/" + path if path else b"")

    def _dir_row(self, number: int, path: bytes, digest: bytes | None, problem: str | None) -> dict[str, Any]:
        above, _, name = path.rpartition(b"/")
        parent = self._ids[above] if path else None
        return {
            "i": number,
            "r": self.root.id,
            "p": parent,
            "n": name.hex(),
            "g": digest and digest.hex(),
            "x": problem,
        }

    def _file_row(self, number: int, entry: list[Any], folders: tuple[bytes, ...]) -> dict[str, Any]:
        name, kind, size, mtime, ctime, inode, mode, nlink, target = entry
        folded = folded_name(name)
        extension = name.rpartition(b".")[2].lower()
        return {
            "d": number, "n": name.hex(), "t": kind, "s": size, "m": mtime, "c": ctime, "i": inode, "o": mode,
            "l": nlink, "u": mint.hex(), "k": KIND_OF_EXTENSION.get(extension, "other") if kind == "f" else "other",
            "w": listing_words(name, folders), "f": shorten(folded), "r": reverse(folded), "x": target and target.hex(),
        }  # fmt: skip

    async def _finish(self, end: dict[str, Any]) -> None:
        prefix = self.report.path
        self.mounts = [prefix + b"/" + path for path in end["mounts"]]
        if not self.root.cross_mounts:
            for path in self.mounts:
                self.report.note("unsupported", "a mount point: not entered unless asked for (--cross-mounts)", path)
        gone = [self._ids[path] for path in end["gone"]]
        lost = len(self._unseen)
        if gone:
            lost += (await self.store.read("present_in_dirs", pack(gone), deadline=30.0))[0][0]
        await self._check_loss(lost)
        await self._mark("miss_files", self._unseen)
        await self._mark("miss_dirs", gone)
        digests = [{"i": folder, "g": digest} for folder, digest in self._withheld.items() if digest]
        for start in range(0, len(digests), _MARK_AT_ONCE):
            chunk = pack(digests[start : start + _MARK_AT_ONCE])
            await self.store.write([("digest_dirs", (chunk,))], give_up_after=GIVE_UP_SECONDS)
        await self.store.write([("scanned", (self.root.id, now_ns()))], give_up_after=GIVE_UP_SECONDS)

    async def _mark(self, statement: str, numbers: list[int]) -> None:
        for start in range(0, len(numbers), _MARK_AT_ONCE):
            chunk = pack(numbers[start : start + _MARK_AT_ONCE])
            results = await self.store.write(
                [(statement, (chunk, now_ns(), self.store.host))], give_up_after=GIVE_UP_SECONDS
            )
            self.report.missing += results[0][0][0]

    async def _check_loss(self, lost: int) -> None:
        if lost <= self.config.freeze_files:
            return
        present = (await self.store.read("present_count", self.root.id))[0][0]
        if lost > present * self.config.freeze_share:
            raise Frozen(
                f"{lost} of {present} files are gone at once: taken for away, nothing is marked missing",
                self.report.path,
            )
