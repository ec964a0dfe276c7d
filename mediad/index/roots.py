"""The roots of this host: where they are, who opens in them, which walk runs, and the way from a path to a file.

A root belongs to a volume. Which volume lies where is looked at by an opener (it may block), kept in the database for
the other hosts, and asked again at the start of the daemon and of every walk.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from mediad.config import Config
from mediad.errors import MediadError, Unavailable
from mediad.index.expected import Expected
from mediad.index.scan import Frozen, Scan
from mediad.model import Actor, Place, Root, ScanReport
from mediad.store.faults import StatementFailed
from mediad.store.store import Store, now_ns, pack
from mediad.workers.opener import Opener, error_of

log = logging.getLogger(__name__)

_RESCAN_SECONDS = 3.0
_ORPHANS_MOST = 1000  # looked at after one walk


def path_in_volume(place: Place) -> bytes:
    """A real path as the file system knows it: below the mounted folder of it (bind mounts: not "/")."""
    inside = place.path[len(place.mount.rstrip(b"/")) :]
    return (place.fs_root.rstrip(b"/") + inside).rstrip(b"/") or b"/"


def path_on_host(path: bytes, fs_root: bytes | None, mount: bytes | None) -> bytes | None:
    """Where a path of a volume is on this host; None when the mount does not show it."""
    if fs_root is None or mount is None:
        return None
    top = fs_root.rstrip(b"/")
    if path != top and not path.startswith(top + b"/") and path != b"/":
        return None
    return (mount.rstrip(b"/") + path[len(top) :]).rstrip(b"/") or b"/"


class Roots:
    """Everything known of roots, by id. `on_listed` is called when there is something to read, `on_progress` when a
    walk ended."""

    def __init__(self, store: Store, config: Config) -> None:
        self.store = store
        self.config = config
        self.on_listed: Callable[[], None] = _nothing
        self.on_progress: Callable[[], None] = _nothing
        self.on_walked: list[Callable[[], None]] = []
        self._roots: dict[int, Root] = {}
        self._openers: dict[int, Opener] = {}
        self._places = Opener(config.idle_seconds)
        self._scans: dict[int, asyncio.Task[ScanReport]] = {}
        self._looks: dict[int, asyncio.Task[ScanReport]] = {}  # walks of some folders only
        self.reports: dict[int, ScanReport] = {}
        self.accepted: set[int] = set()  # whose loss a person has confirmed
        self.expected = Expected()
        self.on_lost: Callable[[list[str]], Awaitable[None]] = _nothing_lost
        self.before_scan: Callable[[Root], Awaitable[None]] = _nothing_before
        self._again: set[int] = set()
        self._dirty: dict[int, dict[bytes, bool]] = {}
        self._busy: dict[int, dict[bytes, set[bytes]]] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._stopping = False

    # -------------------------------------------------------------- knowing

    def get(self, root: int) -> Root | None:
        """A root by its id."""
        return self._roots.get(root)

    def all(self) -> list[Root]:
        """Every root, of every host."""
        return list(self._roots.values())

    def mine(self) -> list[Root]:
        """Those that this host walks and reads."""
        return [root for root in self._roots.values() if root.owner == self.store.host]

    def readable(self) -> list[int]:
        """Ids of the roots whose files can be read here and now."""
        return [root.id for root in self.mine() if root.local is not None and not root.frozen]

    async def load(self) -> None:
        """Reads the roots from the database. One that is known stays the same object: a walk of it may be under way
        and tell how it ended."""
        roots: dict[int, Root] = {}
        for row in await self.store.read("roots_on", self.store.host, deadline=30.0):
            (
                number,
                volume,
                uuid,
                fs_type,
                path,
                only,
                owner,
                watched,
                cross,
                exclude,
                scanned,
                fs_root,
                mount,
                name,
                frozen,
            ) = row
            roots[number] = Root(
                number, volume, uuid, fs_type, path, only, owner, name, watched, cross, tuple(_texts(exclude)), scanned,
                path_on_host(path, fs_root, mount), frozen or "",
            )  # fmt: skip
            roots[number].place = roots[number].local
            known = self._roots.get(number)
            if known is not None:
                roots[number].away = known.away
                if known.away:
                    roots[number].local = None
                for each in dataclasses.fields(Root):
                    setattr(known, each.name, getattr(roots[number], each.name))
                roots[number] = known
        self._roots = roots

    async def look_at(self, root: Root) -> None:
        """Looks whether the root is where it was: else its volume is away (local None). Raises nothing of the file
        system: being away is a state."""
        root.local = root.place
        root.away = root.place is None
        if root.place is None:
            return
        try:
            place = await self._places.locate(root.place)
        except MediadError as error:
            log.warning("root away", extra={"root": root.id, "why": error.code})
            root.local, root.away = None, True
            return
        if place.volume != root.volume_uuid:
            log.warning("another volume is mounted at a root", extra={"root": root.id})
            root.local, root.away = None, True

    async def _find(self, root: Root) -> None:
        """Looks where a root is, and when it is not there, whether its volume is mounted elsewhere on this host."""
        await self.look_at(root)
        if root.local is not None:
            return
        for volume, fs_type, mount, fs_root in await self._places.volumes():
            if volume == root.volume_uuid and path_on_host(root.path, fs_root, mount) is not None:
                row = (self.store.host, volume, fs_type, fs_root, mount, now_ns())
                await self.store.write([("put_mount", row)], give_up_after=60.0)
                await self.load()
                await self.look_at(root)
                return

    # -------------------------------------------------------------- adding

    async def add(
        self, path: bytes, *, once: bool, cross: bool, exclude: Iterable[str], actor: Actor, operation: Any
    ) -> tuple[Root, bytes]:
        """Makes a root of a folder or a file, or finds the one it lies in: (root, path below it that was meant).

        Raises NotFound, PermissionDenied, InputOutputError naming the path."""
        try:
            place = await self._places.locate(path)
        except MediadError as error:
            raise type(error)(error.message, path) from error
        inside = path_in_volume(place)
        await self.load()
        outer = self._outer(place, inside)
        if outer is not None:
            return outer, place.path
        volume = (
            await self.store.write(
                [("put_mount", (self.store.host, place.volume, place.fs_type, place.fs_root, place.mount, now_ns()))]
            )
        )[0][0][0]
        row = (
            volume,
            inside,
            place.only_name,
            self.store.host,
            not once,
            cross,
            list(exclude),
            now_ns(),
            actor.name,
            operation,
        )
        number = (await self.store.write([("put_root", row)]))[0][0][0]
        await self.load()
        root = self._roots[number]
        if not place.only_name:
            await self._absorb(root)
        return root, place.path

    def _outer(self, place: Place, inside: bytes) -> Root | None:
        for root in self._roots.values():
            if root.volume_uuid != place.volume or root.only_name or root.owner != self.store.host:
                continue
            top = root.path.rstrip(b"/")
            if inside == root.path and not place.only_name:
                continue  # the same root again: put_root renews it
            if inside == root.path or inside.startswith(top + b"/"):
                return root
        return None

    async def _absorb(self, outer: Root) -> None:
        """Inner roots become folders of the outer one: their files keep their streams."""
        top = outer.path.rstrip(b"/") + b"/"
        for inner in list(self._roots.values()):
            if (
                inner.id == outer.id
                or inner.volume != outer.volume
                or inner.only_name
                or not inner.path.startswith(top)
            ):
                continue
            await self.cancel_scan(inner.id)
            names = inner.path[len(top) :].split(b"/")
            parent = (await self.store.read("dir_by_names", outer.id, "[]"))[0][0]
            for depth in range(1, len(names)):
                found = await self.store.read("dir_by_names", outer.id, pack([n.hex() for n in names[:depth]]))
                if found:
                    parent = found[0][0]
                    continue
                number = (await self.store.read("reserve_dirs", 1))[0][0]
                row = {"i": number, "r": outer.id, "p": parent, "n": names[depth - 1].hex(), "g": None, "x": None}
                await self.store.write([("put_dirs", (pack([row]),))])
                parent = number
            await self.store.write([
                ("absorb_root", (inner.id, outer.id, parent, names[-1])),
                ("move_todo", (inner.id, outer.id)),
                ("drop_root", (inner.id,)),
            ])  # fmt: skip
        await self.load()

    # -------------------------------------------------------------- walking

    def walking(self) -> bool:
        """Whether a root of this host is being walked."""
        return any(not task.done() for task in self._scans.values())

    def scan(self, root: Root, *, quick: bool = False) -> asyncio.Task[ScanReport]:
        """Starts a walk of a root, or joins the one under way. `quick`: mediad.workers.walk."""
        task, look = self._scans.get(root.id), self._looks.get(root.id)
        if task is None or task.done() or task is look:
            self._dirty.pop(root.id, None)
            before = look if look is not None and not look.done() else None  # it is no walk of the whole root
            work = self._scan(root, quick=quick, after=before)
            task = self._scans[root.id] = asyncio.create_task(work, name=f"scan {root.id}")
            task.add_done_callback(_seen)
            task.add_done_callback(lambda _done: self._scan_dirty(root.id))
        return task

    def scan_again(self, root: Root) -> None:
        """Starts a walk of a root; after the one under way when there is one."""
        task = self._scans.get(root.id)
        if task is None or task.done() or task is self._looks.get(root.id):
            self.scan(root)
        elif root.id not in self._again:
            self._again.add(root.id)
            task.add_done_callback(lambda _done: self._scan_now(root.id))

    def _scan_now(self, number: int) -> None:
        self._again.discard(number)
        root = self._roots.get(number)
        if root is not None and not self._stopping:
            self.scan(root)

    async def look_again(self) -> list[Root]:
        """Looks where the roots of this host are now: the ones that came back, went away or are frozen."""
        before = {root.id: root.local for root in self.mine()}
        await self.load()  # where they would be
        changed = []
        for root in self.mine():
            await self._find(root)
            if root.local != before.get(root.id) or root.frozen:
                changed.append(root)
        return [root for root in changed if root.local is not None]

    def touch(self, number: int, dirs: dict[bytes, bool], busy: dict[bytes, set[bytes]]) -> None:
        """Some folders of a root changed: they are looked at now, or when the walk under way has ended."""
        dirty = self._dirty.setdefault(number, {})
        for path, deep in dirs.items():
            dirty[path] = dirty.get(path, False) or deep
            self._busy.setdefault(number, {})[path] = busy.get(path, set())
        self._scan_dirty(number)

    async def look_now(self, dirs: dict[int, dict[bytes, bool]], *, before: Iterable[int] = ()) -> None:
        """Walks some folders of roots and returns when what was seen is stored. Walks of the roots `before` that are
        under way end first: what they have listed may be old by now. Raises what a walk of them raised."""
        for number in before:
            await self._quiet(number)
        for number, folders in dirs.items():
            self.touch(number, folders, {})
        for number, folders in dirs.items():
            failed = await self._quiet(number)
            if failed is not None:
                self.touch(number, folders, {})  # whoever asks again finds it asked for
                raise failed

    async def _quiet(self, number: int) -> MediadError | None:
        """Returns when no walk of a root is under way that was asked for before; why the last of them failed."""
        failed: MediadError | None = None
        for _ in range(3):  # the one under way, the one that waits, and no more: others may keep it busy for ever
            task = self._scans.get(number)
            if task is None or task.done():
                self._scan_dirty(number)
                task = self._scans.get(number)
            if task is None or task.done():
                return failed
            await asyncio.wait([task])
            error = None if task.cancelled() else task.exception()
            failed = error if isinstance(error, MediadError) and not isinstance(error, Frozen) else None
            await asyncio.sleep(0)  # its callbacks start the next
        return failed

    def _scan_dirty(self, number: int) -> None:
        root = None if self._stopping else self._roots.get(number)
        task = self._scans.get(number)
        if root is None or root.local is None or (task is not None and not task.done()):
            return
        dirs, busy = self._dirty.pop(number, None), self._busy.pop(number, {})
        if not dirs:
            return
        task = asyncio.create_task(self._scan(root, dirs, busy), name=f"look {number}")
        self._scans[number] = self._looks[number] = task
        task.add_done_callback(_seen)
        task.add_done_callback(lambda _done: self._scan_dirty(number))

    async def _scan(
        self,
        root: Root,
        dirs: dict[bytes, bool] | None = None,
        busy: dict[bytes, set[bytes]] | None = None,
        *,
        quick: bool = False,
        after: asyncio.Task[ScanReport] | None = None,
    ) -> ScanReport:
        if after is not None:
            await asyncio.wait([after])
        await self.expected.known.wait()
        if dirs is None:
            await self._find(root)
            await self.before_scan(root)
        if root.local is None:
            raise Unavailable("its volume is not mounted here", root.path)
        opener = None if dirs is None else self.opener(root.local)
        scan = Scan(self.store, self.config, root, self.on_listed, places=self, dirs=dirs, busy=busy, opener=opener,
                    quick=quick)  # fmt: skip
        if dirs is None:
            self.reports[root.id] = scan.report
        try:
            report = await scan.run()
            if dirs is None:
                root.frozen = ""
                root.scanned_ns = now_ns()
        except StatementFailed:
            if dirs is not None:  # what some folders looked like did not fit: the whole is looked at
                self.scan_again(root)
            raise
        except Frozen as error:
            root.frozen = error.message
            await self.store.write([("freeze_root", (root.id, error.message))], give_up_after=60.0)
            scan.report.note(error.code, error.message, error.input)
            raise
        finally:
            scan.report.stage = "done"
            self.on_progress()
            for told in self.on_walked:
                told()
        if scan.left:
            for _folder, number, names in await self.store.read("dir_paths", pack(sorted(scan.left)), deadline=30.0):
                self.touch(number, {b"/".join(names[1:]): False}, {})
        lost = [stream for _file, stream in scan.lost]
        if dirs is None:
            lost += [str(row[0]) for row in await self.store.read("orphans", _ORPHANS_MOST, deadline=30.0)]
        if lost:
            await self.on_lost(lost)
        if root.cross_mounts:
            await self._cross(root, scan.mounts)
        return report

    # -------------------------------------------------------------- what a walk asks (scan.Places)

    async def paths(self, files: list[tuple[int, int, bytes]]) -> dict[int, bytes]:
        """Absolute paths of (file, folder, name), of those that can be reached here."""
        rows = await self.store.read("dir_paths", pack(sorted({row[1] for row in files})), deadline=30.0)
        tops = {leaf: (root, names) for leaf, root, names in rows}
        found: dict[int, bytes] = {}
        for file, folder, name in files:
            number, names = tops.get(folder, (0, [b""]))
            root = self._roots.get(number)
            if root is not None and root.local is not None:
                found[file] = b"/".join([root.local.rstrip(b"/"), *names[1:], name])
        return found

    async def look(self, volume: int, paths: list[bytes]) -> dict[bytes, tuple[int, int, int, int] | None]:
        """What stands at absolute paths of this host's roots on a volume."""
        found: dict[bytes, tuple[int, int, int, int] | None] = {}
        tops = [
            (root, root.local.rstrip(b"/")) for root in self._roots.values() if root.volume == volume and root.local
        ]
        for root, top in tops:
            mine = [path for path in paths if path.startswith(top + b"/") and path not in found]
            if not mine or root.local is None:
                continue
            try:
                below = [path[len(top) + 1 :] for path in mine]
                stats = await self.opener(root.local).look(root.local, below, inodes=root.inodes)
            except MediadError as error:
                log.warning("a root cannot be looked at", extra={"root": root.id, "why": error.code})
                continue
            found.update(zip(mine, stats, strict=True))
        return found

    def inodes(self, top: bytes) -> bool:
        """Whether the inode numbers below a root's top last."""
        return next((root.inodes for root in self._roots.values() if root.local == top), True)

    async def _cross(self, root: Root, mounts: list[bytes]) -> None:
        """What is mounted below is another volume: a root of its own, walked in its turn."""
        actor = Actor(0, "admin", "")
        for path in mounts:
            try:
                below, _ = await self.add(
                    path, once=not root.watched, cross=True, exclude=root.exclude, actor=actor, operation=None
                )
            except MediadError as error:
                self.reports[root.id].note(error.code, error.message, path)
                continue
            await self.scan(below)

    def scanning(self, root: int) -> bool:
        """A walk of it is under way."""
        task = self._scans.get(root)
        return task is not None and not task.done()

    def rescan_soon(self, root: int) -> None:
        """A file of it was not what the list says: one walk, soon, however many files say so."""
        if root not in self._timers and root in self._roots:
            self._timers[root] = asyncio.get_running_loop().call_later(_RESCAN_SECONDS, self._rescan, root)

    def _rescan(self, number: int) -> None:
        self._timers.pop(number, None)
        root = self._roots.get(number)
        if root is not None:
            self.scan(root)

    async def cancel_scan(self, root: int) -> None:
        """Ends a walk; what it stored stays."""
        tasks = [each.get(root) for each in (self._looks, self._scans)]
        running = [task for task in tasks if task is not None and not task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def stop(self) -> None:
        """Ends all walks and openers."""
        self._stopping = True
        for timer in self._timers.values():
            timer.cancel()
        for number in list(self._scans):
            await self.cancel_scan(number)
        for opener in (self._places, *self._openers.values()):
            opener.close()

    # -------------------------------------------------------------- opening and finding

    def opener(self, top: bytes) -> Opener:
        """The opener of the volume on which a root's top lies."""
        volume = next((root.volume for root in self._roots.values() if root.local == top), 0)
        opener = self._openers.get(volume)
        if opener is None:
            opener = self._openers[volume] = Opener(self.config.idle_seconds)
        return opener

    @staticmethod
    def open_error(number: int, message: str) -> MediadError:
        """The error of an open that failed."""
        return error_of(number, message, b"")


def _nothing() -> None:
    """Nobody wants to know."""


async def _nothing_before(_root: Root) -> None:
    """Nothing has to be done first."""


async def _nothing_lost(_streams: list[str]) -> None:
    """Nobody wants to know."""


def _texts(packed: Any) -> list[str]:
    return [str(text) for text in json.loads(packed)]


def _seen(task: asyncio.Task[ScanReport]) -> None:
    """A walk nobody waits for: its failure is logged here, once."""
    if task.cancelled() or (error := task.exception()) is None:
        return
    why = error.for_log if isinstance(error, MediadError) else type(error).__name__
    log.warning("walk ended", extra={"why": why})
