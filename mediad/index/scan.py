"""A walk against what is known: one root, from its folders' digests to rows of names.

The walk runs in its own process and sends only folders whose digest differs from the stored one, so an unchanged tree
costs the daemon one digest a folder and the database nothing. Each message is one transaction: folders, then new and
changed names; their numbers come last. What is gone is marked at the end, when it is known how much that is; until then
the folders concerned have no digest, so that a walk that ends early is made good by the next.

With `dirs` only some folders are looked at: those that the kernel named (index/watching). A name that is new may be a
file that is known under another: who has its inode, size and mtime is looked for, and whether it is still where it was.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from mediad.config import Config
from mediad.errors import MediadError
from mediad.fold import fold, shorten
from mediad.ids import mint
from mediad.index import terms
from mediad.index.expected import Expected, Hint
from mediad.model import KIND_OF_EXTENSION, Root, ScanReport
from mediad.store.store import Store, now_ns, pack, vectors
from mediad.wire.convert import show_path
from mediad.workers.opener import Opener, error_of

log = logging.getLogger(__name__)

_ROWS_AT_ONCE = 64  # rows made before others have their turn: some 2 ms
_PATHS_AT_ONCE = 100  # looked for in one statement
_MARK_AT_ONCE = 500  # files or folders marked missing in one transaction
_RESERVE = 256  # ids of folders fetched at once
# A name that was first seen so long ago is no temporary of a program that saves by renaming.
SETTLED_NS = 3600 * 1_000_000_000
BUSY_NS = 2_000_000_000  # a file that is being written is read when it has come to rest
GIVE_UP_SECONDS = 600.0  # a database that is away so long ends the walk; the next one goes on where it was


def told_path(name: str, path: bytes) -> dict[str, str]:
    """A path in an event: its text, and where that is not its bytes, these in base64 (RFC 4648 section 4)."""
    try:
        return {name: path.decode("utf-8").replace("\0", "")}
    except UnicodeDecodeError:
        return {name: show_path(path), name + "_raw": base64.b64encode(path).decode()}


class Frozen(MediadError):
    """The root lost so much at once that it is taken for away, not for deleted (settled 26)."""

    code = "unavailable"
    retryable = True


@dataclass(slots=True)
class _Batch:
    """What one message of a walk brings to the store (sql/queries/scan.sql says what the keys mean)."""

    renames: list[tuple[int, dict[str, Any]]] = field(default_factory=list)  # before which of `dirs`
    dirs: list[dict[str, Any]] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    paths: dict[int, bytes] = field(default_factory=dict)  # of folders, below the top


class Places(Protocol):
    """Where files are, and what stands there now: what a walk asks of all roots of this host."""

    accepted: set[int]  # roots whose loss a person has confirmed
    expected: Expected  # what we are moving ourselves

    async def paths(self, files: list[tuple[int, int, bytes]]) -> dict[int, bytes]:
        """Absolute paths of (file, folder, name), of those that can be reached here."""

    async def look(self, volume: int, paths: list[bytes]) -> dict[bytes, tuple[int, int, int, int] | None]:
        """(inode, size, mtime_ns, nlink) at each absolute path, None where nothing is; what cannot be looked at is
        left out."""


class Scan:
    """One walk of one root. `run` returns the report; `on_listed` is called when there is something to read.

    `dirs`: look at these folders only, at everything below those that are True. `busy`: names that are being written.
    `place` gives the path of a folder of any root here, `look` what stands at paths of it (Roots)."""

    def __init__(
        self, store: Store, config: Config, root: Root, on_listed: Callable[[], None], *, places: Places,
        dirs: dict[bytes, bool] | None = None, busy: dict[bytes, set[bytes]] | None = None,
        opener: Opener | None = None, quick: bool = False,
    ) -> None:  # fmt: skip
        assert root.local is not None
        self.store = store
        self.config = config
        self.root = root
        self.report = ScanReport(root.id, root.local)
        self.mounts: list[bytes] = []
        self.lost: list[tuple[int, str]] = []  # files that are gone or were replaced, and their streams
        self._dirs = dirs
        self._busy = busy or {}
        self._opener = opener
        self._quick = quick
        self._places = places
        self._on_listed = on_listed
        self._ids: dict[bytes, int] = {}
        self._digests: dict[bytes, tuple[bytes, int | None, int | None]] = {}
        self._fresh: list[int] = []
        self._unseen: list[tuple[int, int, bytes]] = []  # file, folder, name
        self._withheld: dict[int, str | None] = {}  # folders that lost files, and the digest they are to have
        self._renamed: list[int] = []
        self._listed: set[int] = set()  # folders whose names were compared
        self.left: set[int] = set()  # folders that a file has left for another name, and that were not compared since

    async def run(self) -> ScanReport:
        """Walks and stores. Raises NotFound/PermissionDenied/... for the top, Frozen, Unavailable."""
        if self._dirs is None:
            await self._load()
        else:
            await self._load_around(self._dirs)
        assert self.root.local is not None
        opener = self._opener or Opener(idle_seconds=3600.0)
        try:
            known = [(path, *facts) for path, facts in self._digests.items()]
            dirs = None if self._dirs is None else list(self._dirs.items())
            async for message in opener.walk(
                self.root.local,
                self.root.only_name,
                self._exclude(),
                known,
                inodes=self.root.inodes,
                dirs=dirs,
                quick=self._quick,
            ):
                self.report.folders, self.report.listed = message["folders"], message["names"]
                await self._store(message["dirs"])
                if "end" in message:
                    await self._finish(message["end"])
        finally:
            if self._opener is None:
                opener.close()
        self.report.stage = "reading"
        return self.report

    def _exclude(self) -> list[str]:
        return [*self.config.exclude, *self.root.exclude, ".mediad-*.part"]  # the last: whatever a person excludes

    # -------------------------------------------------------------- what is known

    async def _load(self) -> None:
        """The folders known so far: paths from parents; a parent's id is lower than its children's, or comes later."""
        rows: list[tuple[Any, ...]] = []
        after = 0
        while page := await self.store.read("dirs_of_root", self.root.id, after, deadline=30.0):
            rows += page
            after = page[-1][0]
        await self._know(rows, {})

    async def _know(self, rows: list[tuple[Any, ...]], paths: dict[int, bytes]) -> None:
        """Takes rows of folders; `paths` has those of the folders above them that are no rows."""
        by_id = {row[0]: row for row in rows}

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

        for count, (number, _parent, _name, digest, inode, mtime) in enumerate(rows):
            path = path_of(number)
            self._ids[path] = number
            self._digests[path] = (digest or b"", inode, mtime)
            if count % 500 == 499:
                await asyncio.sleep(0)

    async def _load_around(self, dirs: dict[bytes, bool]) -> None:
        """The folders that will be looked at, with those directly in them; one that is not known yet is reached from
        the nearest above it that is."""
        paths: dict[int, bytes] = {}
        wanted: dict[bytes, bool] = {}
        asked = list(dirs.items())
        for start in range(0, len(asked), _PATHS_AT_ONCE):
            some = [
                (path, path.split(b"/") if path else [], deep) for path, deep in asked[start : start + _PATHS_AT_ONCE]
            ]
            lists = pack([[name.hex() for name in names] for _path, names, _deep in some])
            chains: dict[int, list[int]] = {}
            for number, folder in await self.store.read("dirs_on_paths", self.root.id, lists, deadline=30.0):
                chains.setdefault(number, []).append(folder)
            for number, (path, names, deep) in enumerate(some, 1):
                chain = chains.get(number, [])
                for depth, folder in enumerate(chain):
                    here = b"/".join(names[:depth])
                    paths[folder] = here
                    self._ids[here] = folder
                # A folder that is not known yet is strange to the one above it, and looked at with all below.
                known = b"/".join(names[: len(chain) - 1])
                wanted[known] = wanted.get(known, False) or (deep and known == path)
        around = [self._ids[path] for path, deep in wanted.items() if not deep]
        if around:
            await self._know(await self.store.read("dirs_around", pack(around), deadline=30.0), paths)
        for path in [path for path, deep in wanted.items() if deep]:
            await self._know(await self.store.read("dirs_below", self._ids[path], deadline=30.0), paths)
        self._dirs = wanted

    async def _dir_id(self, path: bytes) -> int:
        if not self._fresh:
            self._fresh = [row[0] for row in await self.store.read("reserve_dirs", _RESERVE, deadline=GIVE_UP_SECONDS)]
        number = self._ids[path] = self._fresh.pop(0)
        return number

    # -------------------------------------------------------------- what is seen

    async def _store(self, parts: list[list[Any]]) -> None:
        batch = _Batch()
        rows = 0  # made since others had their turn: folders of a few names are many
        for path, digest, lo, hi, entries, problem, inode, mtime, moved_from in parts:
            if moved_from is not None:
                self._rename(batch, moved_from, path)
            known = path in self._ids
            number = self._ids[path] if known else await self._dir_id(path)
            if problem is not None:
                error = error_of(problem[0], problem[1] or "", self._full(path))
                self.report.note(error.code, error.message, self._full(path))
                batch.dirs.append(self._dir_row(number, path, None, error.code, (None, None)))
                continue
            if entries is None and number in self.left:
                digest = None
            batch.dirs.append(self._dir_row(number, path, digest, None, (inode, mtime)))
            batch.paths[number] = path
            if entries is None:
                continue
            self._listed.add(number)
            self.left.discard(number)
            if known:
                batch.spans.append({"d": number, "lo": lo and lo.hex(), "hi": hi and hi.hex()})
                batch.seen += [{"d": number, "n": entry[0].hex(), "t": entry[1]} for entry in entries]
            folders = tuple(path.split(b"/")) if path else (os.path.basename(self.report.path),)
            busy = self._busy.get(path, set())
            for start in range(0, len(entries), _ROWS_AT_ONCE):
                some = entries[start : start + _ROWS_AT_ONCE]
                batch.files += [self._file_row(number, entry, folders, busy) for entry in some]
                rows += len(some) + 1
                if rows >= _ROWS_AT_ONCE:
                    rows = 0
                    await asyncio.sleep(0)
        if batch.dirs:
            await self._write(batch)

    def _rename(self, batch: _Batch, old: bytes, new: bytes) -> None:
        """A folder has another path, and all that is known below it."""
        number = self._ids[old]
        above, _, name = new.rpartition(b"/")
        told = {**told_path("from", self._full(old)), **told_path("to", self._full(new))}
        row = {"i": number, "p": self._ids[above], "n": name.hex(), "w": _folded(name), "v": told}
        batch.renames.append((len(batch.dirs), row))
        self._renamed.append(number)
        for path in [path for path in self._ids if path == old or path.startswith(old + b"/")]:
            self._ids[new + path[len(old) :]] = self._ids.pop(path)

    async def _write(self, batch: _Batch) -> None:
        if batch.spans:
            for file, folder, name in await self.store.read(
                "unseen_files", pack(batch.spans), pack(batch.seen), deadline=30.0
            ):
                self._withheld[folder] = None
                if file not in self._places.expected.leaving:  # else it is known where it goes
                    self._unseen.append((file, folder, name))
        for row in batch.dirs:
            if row["i"] in self._withheld:
                self._withheld[row["i"]], row["g"] = row["g"], None
        unit: list[tuple[str, tuple[Any, ...]]] = []
        now, host = now_ns(), self.store.host
        # In the order of the walk: a folder may have been moved into one that is new, and a new one stand where it was.
        stored = 0
        for before, rename in batch.renames:
            if before > stored:
                unit.append(("put_dirs", (pack(batch.dirs[stored:before]),)))
            unit.append(("rename_dirs", (pack([rename]), now, host)))
            stored = before
        unit.append(("put_dirs", (pack(batch.dirs[stored:]),)))
        placed = await self._find_ours(batch) if self._places.expected else []
        retyped = await self.store.read("retyped", pack(batch.seen), deadline=30.0) if batch.seen else []
        aside, over, moves = await self._find_moves(batch, retyped)
        if aside:
            unit.append(("step_aside", (pack(aside),)))
        if over:
            unit.append(("take_over", (pack(over), now, host)))
        if placed:
            names = [{"f": row["f"], "d": row["d"], "n": row["n"], "t": row["t"]} for row in placed]
            unit.append(("clear_names", (pack(names), now)))
            unit.append(("place_files", (pack(placed), now, host, self.root.id)))
        if moves:
            unit.append(("move_files", (pack(moves), now, host, self.root.id)))
        if self.left:
            unit.append(("undigest_dirs", (pack(sorted(self.left)),)))
        if batch.files:
            words = vectors([row.pop("w").binary() for row in batch.files])
            unit.append(("list_files", (pack(batch.files), now, host, self.root.id, words)))
        results = await self.store.write(unit, give_up_after=GIVE_UP_SECONDS, deadline=30.0)
        if batch.files:
            new, changed, returned, queued = results[-1][0]
            self.report.new += new
            self.report.changed += changed
            self.report.returned += returned
            self.report.queued += queued
        self.report.moved += len(moves) + len(placed)
        self.report.queued += len(moves)
        if batch.files or moves or placed:
            self._on_listed()

    async def _find_ours(self, batch: _Batch) -> list[Any]:
        """Names of a batch that we made ourselves: moved files leave the batch's list, their rows follow; a copy or a
        link stays in it, with the item of what it was made of."""
        found: list[tuple[dict[str, Any], Hint]] = []
        for row in batch.files:
            path = batch.paths.get(row["d"])
            if path is None or row["t"] != "f":
                continue
            name = bytes.fromhex(row["n"])
            hint = self._places.expected.get(self.root.id, path + b"/" + name if path else name, row["s"], row["m"])
            if hint is None:
                continue
            row["u"] = hint.stream
            if hint.moved:
                found.append((row, hint))
        if not found:
            return []
        files = pack([hint.file for _row, hint in found])
        said = {row[0]: row[1:] for row in await self.store.read("fields_to_reword", files, deadline=30.0)}
        placed: list[Any] = []
        ours = set()
        for count, (row, hint) in enumerate(found):
            name, path = bytes.fromhex(row["n"]), batch.paths[row["d"]]
            new = self._full(path) + b"/" + name
            told = {**told_path("from", hint.path), **told_path("to", new)}
            folders = tuple(path.split(b"/")) if path else (os.path.basename(self.report.path),)
            words = row["w"]
            if hint.file in said:
                fields, kind, form = said[hint.file]
                words = terms.described(name, folders, row["s"], row["m"], kind, form, terms.from_json(fields))
            placed.append(
                {
                    "f": hint.file,
                    "d": row["d"],
                    "n": row["n"],
                    "z": row["s"],
                    "i": row["i"],
                    "m": row["m"],
                    "c": row["c"],
                    "o": row["o"],
                    "l": row["l"],
                    "w": words.text(),
                    "p": hint.path.hex(),
                    "v": told,
                    "a": hint.actor,
                    "b": str(hint.operation),
                    "h": hint.sha256.hex() if hint.sha256 else None,
                    "t": new.hex(),
                }
            )
            ours.add(id(row))
            if count % _ROWS_AT_ONCE == _ROWS_AT_ONCE - 1:
                await asyncio.sleep(0)
        batch.files = [row for row in batch.files if id(row) not in ours]
        return placed

    async def _find_moves(
        self, batch: _Batch, retyped: list[tuple[Any, ...]]
    ) -> tuple[list[int], list[Any], list[Any]]:
        """Which names of a batch are known files under a new name: (files that make room for others and have moved
        themselves, names that were taken over, moves). Those leave the batch's list; a file linked once more stays in
        it, with the stream of its other name. `retyped`: names at which something of another type stood."""
        over: dict[int, Any] = {}
        for stands, standing, folder, name in retyped:
            self._take_over(batch, over, stands, standing, folder, name)
        taken: set[int] = set()
        moves = await self._moves(batch, over, taken)
        aside = [file for file in over if file in taken]
        return aside, [row for file, row in over.items() if file not in taken], moves

    def _take_over(
        self, batch: _Batch, over: dict[int, Any], stands: int, standing: Any, folder: int, name: str
    ) -> None:
        path = self._full(batch.paths[folder]) + b"/" + bytes.fromhex(name)
        self.lost.append((stands, str(standing)))
        over[stands] = {"d": folder, "n": name, "p": path.hex(), "v": {"replaced": True, **told_path("path", path)}}

    async def _moves(self, batch: _Batch, over: dict[int, Any], taken: set[int]) -> list[Any]:
        """Files under a new name; `taken` are their numbers, `over` gets what stood at those names."""
        asked = [row for row in batch.files if row["t"] == "f" and row["s"] > 0]
        if not asked or not self.root.inodes:
            return []
        linked: dict[int, str] = {}
        for each in asked:  # names of one file that come together
            if each["l"] > 1:
                each["u"] = linked.setdefault(each["i"], each["u"])
        keys = [{key: row[key] for key in "dnism"} for row in asked]
        found = await self.store.read("stat_candidates", pack(keys), self.root.volume, deadline=30.0)
        if not found:
            return []
        old_paths = await self._places.paths([(row[2], row[3], row[4]) for row in found])
        there = await self._places.look(self.root.volume, list(old_paths.values()))
        rows = {(row["d"], row["n"]): row for row in asked}
        moves: list[Any] = []
        for folder, name, file, was_in, _name, stream, _root, _nlink, stands, standing, worked, seen in found:
            row = rows.get((folder, name))
            old = old_paths.get(file)
            if row is None or old is None:
                continue
            if file in taken:
                if row["l"] > 1 and not stands:
                    row["u"] = str(stream)  # it was renamed and linked
                continue
            stat = there.get(old)
            if stat is not None and stat[0] == row["i"]:
                if stat[3] > 1 and not stands:
                    for other in asked:
                        if other["i"] == row["i"]:
                            other["u"] = str(stream)
                continue
            if stands and not worked and now_ns() - seen < SETTLED_NS:
                continue  # a program saved by renaming its temporary: the name has a new payload, no new file
            taken.add(file)
            if was_in not in self._listed:
                # Perhaps the folder was renamed, and what has come here is a link to what still lies there: its digest,
                # which says that nothing changed in it, would keep that from being found.
                self.left.add(was_in)
            del rows[folder, name]
            batch.files.remove(row)
            new = self._full(batch.paths[folder]) + b"/" + bytes.fromhex(name)
            told = {**told_path("from", old), **told_path("to", new)}
            if stands:
                self._take_over(batch, over, stands, standing, folder, name)
            moves.append({
                "f": file, "d": folder, "n": name, "c": row["c"], "o": row["o"], "l": row["l"], "w": row["w"].text(),
                "p": old.hex(), "v": told,
            })  # fmt: skip
        return moves

    def _full(self, path: bytes) -> bytes:
        return self.report.path + (b"/" + path if path else b"")

    def _dir_row(
        self, number: int, path: bytes, digest: bytes | None, problem: str | None, stat: tuple[int | None, int | None]
    ) -> dict[str, Any]:
        above, _, name = path.rpartition(b"/")
        parent = self._ids[above] if path else None
        return {
            "i": number,
            "r": self.root.id,
            "p": parent,
            "n": name.hex(),
            "g": digest and digest.hex(),
            "x": problem,
            "o": stat[0] if self.root.inodes else None,
            "m": stat[1],
            "w": _folded(name),
        }

    def _file_row(self, number: int, entry: list[Any], folders: tuple[bytes, ...], busy: set[bytes]) -> dict[str, Any]:
        name, kind, size, mtime, ctime, inode, mode, nlink, target = entry
        extension = name.rpartition(b".")[2].lower()
        guess = KIND_OF_EXTENSION.get(extension, "other") if kind == "f" else "other"
        return {
            "d": number, "n": name.hex(), "t": kind, "s": size, "m": mtime, "c": ctime, "i": inode, "o": mode,
            "l": nlink, "u": mint.hex(), "k": guess, "w": terms.listed(name, folders, size, mtime, guess),
            "x": target and target.hex(), "b": now_ns() + BUSY_NS if name in busy else 0,
        }  # fmt: skip

    # -------------------------------------------------------------- what is gone

    async def _finish(self, end: dict[str, Any]) -> None:
        prefix = self.report.path
        self.mounts = [prefix + b"/" + path for path in end["mounts"]]
        if not self.root.cross_mounts:
            for path in self.mounts:
                self.report.note("unsupported", "a mount point: not entered unless asked for (--cross-mounts)", path)
        gone = [self._ids[path] for path in end["gone"]]
        if self._dirs is not None:
            below = [await self.store.read("dirs_below", number, deadline=30.0) for number in gone]
            gone = [row[0] for rows in below for row in rows]
        lost = len(self._unseen)
        if gone:
            lost += (await self.store.read("present_in_dirs", pack(gone), deadline=30.0))[0][0]
        await self._check_loss(lost)
        await self._mark("miss_files", [{"i": file, "d": at, "n": name.hex()} for file, at, name in self._unseen])
        await self._mark("miss_dirs", gone)
        digests = [{"i": folder, "g": digest} for folder, digest in self._withheld.items() if digest]
        for start in range(0, len(digests), _MARK_AT_ONCE):
            chunk = pack(digests[start : start + _MARK_AT_ONCE])
            await self.store.write([("digest_dirs", (chunk,))], give_up_after=GIVE_UP_SECONDS)
        if self._renamed:
            await self._reword()
        if self._dirs is None:
            unit: list[tuple[str, tuple[Any, ...]]] = [
                ("scanned", (self.root.id, now_ns())),
                ("doubt_again", (self.root.id,)),
            ]
            await self.store.write(unit, give_up_after=GIVE_UP_SECONDS)

    async def _mark(self, statement: str, things: list[Any]) -> None:
        for start in range(0, len(things), _MARK_AT_ONCE):
            chunk = pack(things[start : start + _MARK_AT_ONCE])
            results = await self.store.write(
                [(statement, (chunk, now_ns(), self.store.host))], give_up_after=GIVE_UP_SECONDS
            )
            self.report.missing += len(results[0])
            self.lost += [(row[0], str(row[1])) for row in results[0]]

    async def _reword(self) -> None:
        """Files are found by the words of the folders they lie in: those of a renamed folder get the new ones."""
        after = 0
        renamed = pack(self._renamed)
        names = {number: path for path, number in self._ids.items()}
        while rows := await self.store.read("files_to_reword", renamed, after, deadline=30.0):
            after = rows[-1][0]
            if any(row[2] not in names for row in rows):
                for path in [names[number] for number in self._renamed]:
                    await self._know(
                        await self.store.read("dirs_below", self._ids[path], deadline=30.0),
                        {self._ids[path]: path},
                    )
                names = {number: path for path, number in self._ids.items()}
            words = []
            for file, name, folder, fields, size, mtime, kind, form in rows:
                folders = tuple(names.get(folder, b"").split(b"/"))
                said = terms.from_json(fields)
                words.append({"f": file, "w": terms.described(name, folders, size, mtime, kind, form, said).text()})
            await self.store.write([("reword", (pack(words),))], give_up_after=GIVE_UP_SECONDS)

    async def _check_loss(self, lost: int) -> None:
        if lost <= self.config.freeze_files or self.root.id in self._places.accepted:
            return
        present = (await self.store.read("present_count", self.root.id, deadline=30.0))[0][0]
        if lost > present * self.config.freeze_share:
            raise Frozen(
                f"{lost} of {present} files are gone at once: taken for away, nothing is marked missing",
                self.report.path,
            )


def _folded(name: bytes) -> str:
    """A folder's name as questions ask for it."""
    return shorten(fold(terms.display(name)))
