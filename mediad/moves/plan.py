"""From what a person wants moved to the steps that do it: bundles, names that are taken, folders to be made, what is at
the destination already. Looks at the disk, changes nothing; the engine does what is planned, and only that."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, cast

from mediad.errors import Conflict, DiskFull, InvalidArgument, MediadError, NotFound, PermissionDenied, Unsupported
from mediad.index.lookup import dir_paths
from mediad.index.roots import Roots
from mediad.model import NO_INODES, Root
from mediad.moves import bundle
from mediad.moves.model import Options, Plan, Source, Step, join
from mediad.moves.mover import Mover, Place, Space, Stat
from mediad.moves.names import clash_key, copy_names
from mediad.store.store import Store, pack

_LOOK_AT_ONCE = 2000
_BREATH = 200  # files between two breaths of the loop
_NAMES = 25  # that templates make
_TRIES = 1000  # suffixes for a name that is taken
STABLE_NS = 1_000_000_000  # a file is moved when it has not changed for so long
# A symbolic link, or a file, where a folder should be.
_OBSTRUCTED = Stat("?", 0, 0, 0, 0, 0, 0, 0, 0, 0)
CASELESS = frozenset({"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "cifs", "smb3"})

Wish = tuple[Root, bytes]
"""Where something should be: the root and the path below its top."""


@dataclass(slots=True)
class Selected:
    """A file that was asked for; `sub`: the folders it keeps, when a folder was."""

    source: Source
    sub: bytes = b""


@dataclass(slots=True)
class Unit:
    """Files that go together. Each member with what it has behind the common stem; None: it keeps its name."""

    main: Source
    members: list[tuple[Source, bytes | None]]
    sub: bytes = b""
    root: Root | None = None  # where it goes
    folder: bytes = b""
    name: bytes = b""  # the main one's
    follows: bool = False  # it goes where the rest of its folder goes

    def names(self, name: bytes) -> list[tuple[Source, bytes]]:
        """Every member with its new name, when the main one is called `name`."""
        found = []
        for source, rest in self.members:
            new = source.name if rest is None else bundle.renamed(self.main.name, source.name, name)
            found.append((source, name if source is self.main else new))
        return found


@dataclass(slots=True)
class _Scene:
    """What was seen of destinations, and what the plan has put there."""

    stats: dict[tuple[int, bytes], Stat | None] = field(default_factory=dict)
    claims: dict[tuple[int, bytes], Source] = field(default_factory=dict)


Wisher = Callable[[Unit], Wish | MediadError]


class Planner:
    """Makes plans for this host's roots."""

    def __init__(self, store: Store, roots: Roots) -> None:
        self._store = store
        self._roots = roots

    # -------------------------------------------------------------- what is meant

    async def sources(self, rows: list[tuple[Any, ...]], problems: list[MediadError]) -> list[Source]:
        """Rows (file, stream, folder, name, type, size, mtime_ns, inode, root) as sources. What lies on another host or
        on a volume that is away is a problem, which names where it is."""
        names = await dir_paths(self._roots, {row[2] for row in rows})
        found = []
        for count, (file, stream, folder, name, kind, size, mtime, _inode, root_id) in enumerate(rows):
            if count % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
            root = self._roots.get(root_id)
            below = b"/".join([*names.get(folder, ()), name])
            if root is None:
                continue
            if root.owner != self._store.host:
                problems.append(
                    PermissionDenied(f"its volume is on the host {root.owner_name}", join(root.path, below))
                )
                continue
            if root.local is None:
                problems.append(NotFound("its volume is not mounted here", join(root.path, below)))
                continue
            found.append(Source(file, str(stream), folder, root, below, kind, size, mtime))
        return found

    async def units(self, selected: list[Selected]) -> list[Unit]:
        """Selected files with all that goes along with each; what is in one unit is in no other."""
        rows = await self._store.read(
            "files_in_dirs", pack(sorted({each.source.folder for each in selected})), deadline=60.0
        )
        around: dict[int, dict[bytes, Source]] = {}
        ignored: list[MediadError] = []
        for source in await self.sources(rows, ignored):
            around.setdefault(source.folder, {})[source.name] = source
        bundles = {folder: await _mains(names) for folder, names in around.items()}
        owners = {
            folder: {other: main for main, others in mains.items() for other in others}
            for folder, mains in bundles.items()
        }
        wanted = {each.source.file for each in selected}
        used: set[int] = set()
        units = []
        for count, each in enumerate(selected):
            if count % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
            source, here = each.source, around.get(each.source.folder, {})
            mains = bundles.get(each.source.folder, {})
            if source.file in used:
                continue
            if source.name not in mains:
                owner = owners.get(source.folder, {}).get(source.name)
                if owner is not None and (here[owner].file in wanted or _is_media(source.name)):
                    source = here[owner]  # it goes with the file that it belongs to
                    if source.file in used:
                        continue
            members: list[tuple[Source, bytes | None]] = [(source, b"")]
            for name, rest in mains.get(source.name, {}).items():
                if here[name].file not in used:
                    members.append((here[name], rest))
            used.update(member.file for member, _rest in members)
            units.append(Unit(source, members, each.sub))
        self._let_follow(units)
        return units + self._of_folders(units, around, used)

    @staticmethod
    def _let_follow(units: list[Unit]) -> None:
        """What describes a folder goes where the media of that folder go, when some of them go."""
        led = {unit.main.folder for unit in units if not bundle.is_of_folder(unit.main.name)}
        for unit in units:
            unit.follows = unit.main.folder in led and bundle.is_of_folder(unit.main.name)

    @staticmethod
    def _of_folders(units: list[Unit], around: dict[int, dict[bytes, Source]], used: set[int]) -> list[Unit]:
        """Covers, logs, playlists of folders whose every other file goes: units of their own, without a wish yet."""
        found = []
        for folder, here in around.items():
            left = [source for source in here.values() if source.file not in used]
            if left and all(bundle.is_of_folder(source.name) for source in left):
                first = next(unit for unit in units if unit.main.folder == folder)
                found += [Unit(source, [(source, None)], first.sub, follows=True) for source in left]
        return found

    # -------------------------------------------------------------- where to

    async def destination(self, path: bytes) -> Wish:
        """The root that holds an absolute path, and the path below its top. Raises NotFound, PermissionDenied."""
        path = os.path.normpath(path)
        best: Root | None = None
        for root in self._roots.all():
            if root.local is None or root.only_name or root.owner != self._store.host:
                continue
            top = root.local.rstrip(b"/")
            if (path == root.local or path.startswith(top + b"/")) and (
                best is None or len(top) > len(best.local or b"")
            ):
                best = root
        if best is None or best.local is None:
            raise NotFound("no root of this host holds that folder; `mediactl add` makes one", path)
        if best.frozen:
            raise Conflict("the root is frozen: " + best.frozen, path)
        return best, path[len(best.local.rstrip(b"/")) :].strip(b"/")

    # -------------------------------------------------------------- the plan

    async def plan(
        self, mover: Mover, units: list[Unit], wish: Wisher, options: Options,
        told: Callable[[str, int, int], None] = lambda stage, done, total: None,
    ) -> Plan:  # fmt: skip
        """The plan for units; `wish` says where each should be: the path of its main file, or why it cannot go."""
        plan = Plan(options)
        units = await self._wishes(plan, units, wish)
        await self._look_at_sources(mover, plan, units)
        scene = _Scene()
        targets = [(unit.root, join_below(unit.folder, name)) for unit in units for _, name in unit.names(unit.name)]
        await self._see(mover, scene, targets)
        step_units: list[Unit] = []
        for count, unit in enumerate(units):
            told("planning", count, len(units))
            if await self._settle(mover, plan, scene, unit):
                step_units.append(unit)
            if count % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
        spaces = await self._spaces(mover, step_units)
        self._make_folders(plan, step_units, spaces)
        await self._make_steps(plan, step_units, spaces)
        return plan

    async def _wishes(self, plan: Plan, units: list[Unit], wish: Wisher) -> list[Unit]:
        found: list[Unit] = []
        followers: list[Unit] = []
        places: dict[int, set[tuple[int, bytes]]] = {}
        for count, unit in enumerate(units):
            if count % _NAMES == _NAMES - 1:
                await asyncio.sleep(0)
            wanted = None if unit.follows else wish(unit)
            if isinstance(wanted, MediadError):
                plan.problems.append(wanted)
            elif wanted is None:
                followers.append(unit)
            else:
                unit.root, path = wanted
                unit.folder, _, unit.name = path.rpartition(b"/")
                places.setdefault(unit.main.folder, set()).add((unit.root.id, unit.folder))
                found.append(unit)
        for unit in followers:
            goals = places.get(unit.main.folder, set())
            if len(goals) == 1:  # else the folder is scattered, and what describes it stays
                root_id, unit.folder = next(iter(goals))
                unit.root, unit.name = self._roots.get(root_id), unit.main.name
                found.append(unit)
        return found

    async def _look_at_sources(self, mover: Mover, plan: Plan, units: list[Unit]) -> None:
        """Takes out of `units` what cannot be moved, and says why."""
        for attempt in (1, 2):
            sources = [source for unit in units for source, _rest in unit.members]
            await self._stats(mover, sources)
            youngest = max((max(s.stat.mtime_ns, 0) for s in sources if s.stat is not None), default=0)
            wait = youngest + STABLE_NS - time.time_ns()
            if attempt == 2 or not 0 < wait <= STABLE_NS:
                break
            await asyncio.sleep(wait / 1e9)  # just written: it is looked at again when it has come to rest
        kept = []
        for count, unit in enumerate(units):
            if count % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
            bad = [problem for source, _rest in unit.members if (problem := self._unfit(source, unit, plan.options))]
            plan.problems += bad
            if not bad:
                kept.append(unit)
        units[:] = kept

    async def _stats(self, mover: Mover, sources: list[Source]) -> None:
        for start in range(0, len(sources), _LOOK_AT_ONCE):
            some = sources[start : start + _LOOK_AT_ONCE]
            for source, found in zip(some, await mover.look(s.place for s in some), strict=True):
                source.stat = found

    @staticmethod
    def _unfit(source: Source, unit: Unit, options: Options) -> MediadError | None:
        found = source.stat
        if found is None:
            return NotFound("the file is not there any more", source.path)
        if found.type == "l" and unit.root is source.root and options.mode == "move":
            if unit.folder == source.below.rpartition(b"/")[0]:
                return None
            return Unsupported("a symbolic link stays where it is: elsewhere it would mean another file", source.path)
        if found.type != "f":
            return Unsupported("only regular files are moved", source.path)
        if (found.size, found.mtime_ns) != (source.size, source.mtime_ns):
            return Conflict("the file has changed since it was listed; it is looked at again", source.path)
        if found.mtime_ns > time.time_ns() - STABLE_NS and found.mtime_ns <= time.time_ns():
            return Conflict("the file is still being written", source.path)
        return None

    # -------------------------------------------------------------- names

    async def _see(self, mover: Mover, scene: _Scene, targets: Iterable[tuple[Root | None, bytes]]) -> None:
        new = {
            (root.id, path): root for root, path in targets if root is not None and (root.id, path) not in scene.stats
        }
        keys = list(new)
        for start in range(0, len(keys), _LOOK_AT_ONCE):
            some = keys[start : start + _LOOK_AT_ONCE]
            places: list[Place] = [(new[key].local or b"", key[1]) for key in some]
            try:
                found = await mover.look(places)
            except MediadError:  # one of them stands in the way: each by itself
                found = [await self._see_one(mover, place) for place in places]
            scene.stats.update(zip(some, found, strict=True))

    @staticmethod
    async def _see_one(mover: Mover, place: Place) -> Stat | None:
        try:
            return (await mover.look([place]))[0]
        except NotFound:
            return _OBSTRUCTED

    async def _settle(self, mover: Mover, plan: Plan, scene: _Scene, unit: Unit) -> bool:
        """Finds the names under which a unit can be; False when nothing of it is to be done."""
        root = unit.root
        assert root is not None
        wanted = unit.name
        others = map(os.fsencode, copy_names(os.fsdecode(wanted)))
        for count, name in enumerate(chain([wanted], islice(others, _TRIES))):
            pairs = unit.names(name)
            await self._see(mover, scene, ((root, join_below(unit.folder, each)) for _, each in pairs))
            if scene.stats[root.id, join_below(unit.folder, name)] is _OBSTRUCTED:
                way = join(root.local or b"", unit.folder)
                plan.problems.append(NotFound("a symbolic link or a file stands where a folder should be", way))
                return False
            verdicts = [await self._verdict(mover, plan, scene, unit, source, each) for source, each in pairs]
            if verdicts[0] == "itself":
                plan.unchanged += 1
                return False
            if verdicts[0] == "same":
                self._keep_away(plan, scene, unit, join_below(unit.folder, name))
                return False
            if "taken" in verdicts:
                continue
            unit.name = name
            unit.members = [
                member
                for member, verdict, (source, each) in zip(unit.members, verdicts, pairs, strict=True)
                if verdict == "free" or self._left(plan, unit, source, each)
            ]
            for source, each in pairs:
                scene.claims.setdefault(self._key(root, join_below(unit.folder, each)), source)
            if count:
                plan.clashes.append((
                    unit.main.path, join(root.local or b"", join_below(unit.folder, wanted)),
                    join(root.local or b"", join_below(unit.folder, name)),
                ))  # fmt: skip
            return True
        plan.problems.append(Conflict("no name is free for it at the destination", unit.main.path))
        return False

    @staticmethod
    def _key(root: Root, path: bytes) -> tuple[int, bytes]:
        if root.fs_type in CASELESS:
            return root.id, os.fsencode(clash_key(os.fsdecode(path)))
        return root.id, path

    def _left(self, plan: Plan, unit: Unit, source: Source, name: bytes) -> bool:
        """A side file whose bytes are there already stays, as every source does then."""
        assert unit.root is not None
        there = join(unit.root.local or b"", join_below(unit.folder, name))
        if there != source.path:
            plan.already.append((source.path, there))
        return False

    def _keep_away(self, plan: Plan, scene: _Scene, unit: Unit, path: bytes) -> None:
        """The bytes are at the destination already: the source stays, or goes when that was asked for."""
        root = unit.root
        assert root is not None
        plan.already.append((unit.main.path, join(root.local or b"", path)))
        there = scene.stats.get((root.id, path))
        if plan.options.drop_duplicates and plan.options.mode == "move" and there is not None:
            step = self._step(plan, -3 - len(plan.steps), "drop", unit.main, root, path)
            step.to_inode, step.to_mtime_ns = there.inode if root.inodes else None, there.mtime_ns
            plan.steps.append(step)

    async def _verdict(self, mover: Mover, plan: Plan, scene: _Scene, unit: Unit, source: Source, name: bytes) -> str:
        """free, taken (by something else), same (bytes are there already), itself (it is there already)."""
        assert unit.root is not None and source.stat is not None
        path = join_below(unit.folder, name)
        claim = scene.claims.get(self._key(unit.root, path))
        if claim is not None:
            return "same" if await self._equal(mover, source, claim.place, claim.stat) else "taken"
        there = scene.stats[unit.root.id, path]
        if there is None:
            return "free"
        if unit.root.id == source.root.id and path == source.below:
            return "itself"
        if there.type != "f":
            return "taken"
        if unit.root.fs_type in CASELESS and path.lower() == source.below.lower():
            return "free"  # another spelling of its own name
        place = (unit.root.local or b"", path)
        return "same" if await self._equal(mover, source, place, there) else "taken"

    @staticmethod
    async def _equal(mover: Mover, source: Source, place: Place, there: Stat | None) -> bool:
        """Whether two files have the same bytes; names of one inode have."""
        if source.stat is None or there is None or source.stat.size != there.size:
            return False
        if (source.stat.device, source.stat.inode) == (there.device, there.inode):
            return True
        return await mover.same(source.place, place)

    # -------------------------------------------------------------- steps

    async def _spaces(self, mover: Mover, units: list[Unit]) -> dict[Place, Space | None]:
        """File systems of all folders that are left and entered."""
        folders: dict[Place, None] = {}
        for unit in units:
            assert unit.root is not None
            folders[unit.root.local or b"", unit.folder] = None
            for source, _rest in unit.members:
                folders[source.root.local or b"", source.below.rpartition(b"/")[0]] = None
        keys = list(folders)
        found: dict[Place, Space | None] = {}
        for start in range(0, len(keys), _LOOK_AT_ONCE):
            some = keys[start : start + _LOOK_AT_ONCE]
            found.update(zip(some, await mover.space(some), strict=True))
        return found

    def _make_folders(self, plan: Plan, units: list[Unit], spaces: dict[Place, Space | None]) -> None:
        made: set[tuple[int, bytes]] = set()
        for unit in units:
            assert unit.root is not None
            space = spaces[unit.root.local or b"", unit.folder]
            exists = space.folder if space is not None else b""
            parts = unit.folder.split(b"/") if unit.folder else []
            for depth in range(1, len(parts) + 1):
                path = b"/".join(parts[:depth])
                if (exists == path or exists.startswith(path + b"/")) or (unit.root.id, path) in made:
                    continue
                made.add((unit.root.id, path))
                plan.steps.append(Step(len(plan.steps), -1, "mkdir", to_root=unit.root.id, to_path=path))

    async def _make_steps(self, plan: Plan, units: list[Unit], spaces: dict[Place, Space | None]) -> None:
        options = plan.options
        needed: dict[int, int] = {}
        free: dict[int, int] = {}
        foreign = lossy = 0
        for number, unit in enumerate(units):
            if number % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
            assert unit.root is not None
            goal = spaces[unit.root.local or b"", unit.folder]
            for source, name in unit.names(unit.name):
                step = self._step(plan, number, options.mode, source, unit.root, join_below(unit.folder, name))
                origin = spaces[source.root.local or b"", source.below.rpartition(b"/")[0]]
                near = (
                    goal is not None
                    and origin is not None
                    and (goal.device, goal.mount) == (origin.device, origin.mount)
                )
                step.method = _method(options.mode, near)
                plan.steps.append(step)
                if step.method == "copy":
                    plan.bytes_total += source.size
                    if goal is not None:
                        needed[goal.device] = needed.get(goal.device, 0) + source.size
                        free[goal.device] = goal.free
                    foreign += _is_foreign(source)
                    lossy += unit.root.fs_type in NO_INODES
                if step.method == "copy" and options.mode in ("move", "hardlink", "reflink") and options.require:
                    what = {"move": "rename it", "hardlink": "link it", "reflink": "share its blocks"}[options.mode]
                    plan.problems.append(
                        Unsupported(f"the destination is on another file system: cannot {what}", source.path)
                    )
        if plan.options.require:
            bad = {p.input for p in plan.problems}
            plan.steps = [
                s for s in plan.steps if not s.is_file or s.method != "copy" or options.mode == "copy" or not bad
            ]
        for device, size in needed.items():
            if size > free[device]:
                plan.fatal = DiskFull(
                    f"the destination has {free[device]:,} bytes free, {size:,} are needed", units[0].folder
                )
        if foreign:
            plan.notes.append(
                f"{foreign} copies will belong to {_own_name()}: only root may give files to their owners"
            )
        if lossy:
            plan.notes.append(f"{lossy} copies lose owner, mode and extended attributes: the file system has none")

    @staticmethod
    def _step(plan: Plan, unit: int, action: str, source: Source, root: Root, path: bytes) -> Step:
        assert source.stat is not None
        inode = source.stat.inode if source.root.inodes else None
        return Step(
            len(plan.steps),
            unit,
            action,
            source.root.id,
            source.below,
            root.id,
            path,
            source.file,
            source.stream,
            inode,
            source.stat.size,
            source.stat.mtime_ns,
            source.stat.mode,
        )


def _method(mode: str, near: bool) -> str:
    if mode == "move":
        return "rename" if near else "copy"
    if mode in ("hardlink", "reflink"):
        return mode if near else "copy"
    return mode


def _is_media(name: bytes) -> bool:
    return bundle.split_name(name)[1] in (bundle.RAW | bundle.STILL | bundle.MOTION)


def _is_foreign(source: Source) -> bool:
    if os.geteuid() == 0 or source.stat is None:
        return False
    return source.stat.uid != os.geteuid() or source.stat.gid not in (os.getegid(), *os.getgroups())


def _own_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"


async def _mains(names: Iterable[bytes]) -> bundle.Mains:
    """The bundles of a folder, with breaths."""
    steps = bundle.mains_in_steps(names)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("bundle.Mains", end.value)
        await asyncio.sleep(0)


def join_below(folder: bytes, name: bytes) -> bytes:
    """A path below a top."""
    return folder + b"/" + name if folder else name


def into(units: list[Unit], root: Root, folder: bytes, name: bytes) -> Wisher:
    """The wish of `move WHAT... DEST`: into a folder, or for a single file (`name`) to that name."""
    if name and sum(not unit.follows for unit in units) > 1:
        raise InvalidArgument("several files go into a folder; it ends with /, or is there already", name)

    def wish(unit: Unit) -> Wish | MediadError:
        below = b"/".join(part for part in (folder, unit.sub) if part)
        return root, join_below(below, name or unit.main.name)

    return wish
