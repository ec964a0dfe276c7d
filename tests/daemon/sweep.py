"""Moves that are killed, or made to fail, at one system call after the other; and what must hold after each.

A `Stage` is a daemon with two roots on two file systems. A `Deed` is a move, and its undo takes it back: they
alternate, each disturbed at the next point, until one runs through undisturbed. After every point `Stage.check`
compares what is on disk, what the journal says, and what the store believes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from mediactl import Client, workcalls
from mediad.errors import MediadError, Unavailable
from tests.daemon import Daemon
from tests.daemon.library import alive, cluster_dsn
from tests.daemon.powercut import Disks
from tests.daemon.ptrace import Ended, Stop, Tracee

SITE = Path(__file__).parent / "site"
_SECONDS = 90.0

_FILES = """
WITH RECURSIVE place(id, root, path) AS (
    SELECT id, root, ''::bytea FROM mediadb.dir WHERE parent IS NULL
    UNION ALL SELECT d.id, d.root, p.path || d.name || '/'::bytea FROM place p JOIN mediadb.dir d ON d.parent = p.id
)
SELECT p.root, p.path || f.name, f.stream, f.size, f.mtime_ns, f.inode
FROM place p JOIN mediadb.file f ON f.dir = p.id WHERE f.missing_since_ns IS NULL
"""


# Between two of these nothing changes on disk, nor in what the daemon knows of it.
CHANGES = frozenset((
    "fchmod", "fchmodat", "fchown", "fsetxattr", "fsync", "ftruncate", "ioctl", "linkat", "mkdirat", "openat",
    "pwrite64", "renameat2", "sendto", "symlinkat", "unlinkat", "utimensat",
))  # fmt: skip


class Broken(AssertionError):
    """What must hold does not."""


# ------------------------------------------------------------------ points


@dataclass
class Point:
    """Where an operation is disturbed: at the `at`-th stop of its movers that counts. `then`: further points, each
    counted from the one before. `hit` tells whether it came to that."""

    at: int
    name: str = ""  # only calls of this name count; "change": those that change something
    error: int = 0  # 0: a kill after the call, else the call fails with it
    daemon: bool = False  # the daemon is killed, and its movers with it
    then: list[Point] = field(default_factory=list)
    seen: int = 0
    hit: bool = False
    before: Callable[[], None] | None = None  # is called at the point, once
    entry: bool = False  # it counts before calls, not after them
    harmless: bool = False  # nothing but `before` happens
    of: Callable[[], int] | None = None  # a process whose calls count, instead of the movers'

    def __str__(self) -> str:
        what = os.strerror(self.error) if self.error else "kill of the daemon" if self.daemon else "kill"
        what += " of another process" if self.of else ""
        return f"{what} at {self.name or 'call'} {self.at}" + "".join(f", then {p}" for p in self.then)


class Tracer:
    """Lets the movers of a daemon go, under trace while there is a point."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.point: Point | None = None
        self.kill_daemon: Callable[[], None] = lambda: None
        self.calls: list[str] = []
        self.record = False
        self.lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(os.fspath(path))
        path.chmod(0o666)
        self._socket.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Ends it; movers that come now do not start."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._mover, args=(peer,), daemon=True).start()

    def _mover(self, peer: socket.socket) -> None:
        with peer:
            data = b""
            while len(data) < 10:
                part = peer.recv(10 - len(data))
                if not part:
                    return
                data += part
            if (self.point is None or self.point.of) and not self.record:
                with contextlib.suppress(OSError):
                    peer.sendall(b"g")
                return
            self._trace(int(data), lambda: peer.sendall(b"g"))

    def _trace(self, pid: int, ready: Callable[[], None]) -> None:
        tracee = Tracee(pid)
        try:
            tracee.seize()
            ready()
            tracee.run(self._choose, lambda: self.point is None and not self.record)
        except (Ended, OSError):
            ready()

    def follow(self, pid: int) -> threading.Thread:
        """Has the calls of a process counted from now on, until there is no point any more."""
        ready = threading.Event()
        thread = threading.Thread(target=self._trace, args=(pid, ready.set), daemon=True)
        thread.start()
        ready.wait(10)
        return thread

    def _choose(self, stop: Stop) -> str | int | None:
        with self.lock:
            if self.record and stop.entry and stop.name:
                self.calls.append(stop.name)
            point = self.point
            if point is None:
                return None
            if stop.entry != (bool(point.error) or point.entry):
                return None
            if point.name and stop.name != point.name and not (point.name == "change" and stop.name in CHANGES):
                return None
            point.seen += 1
            if point.seen != point.at:
                return None
            point.hit = True
            self.point = point.then[0] if point.then else None
            if self.point is not None:
                self.point.then = point.then[1:]
            if point.before is not None:
                point.before()
            if point.daemon:
                self.kill_daemon()
            return None if point.harmless else point.error or "kill"


class SweptDaemon(Daemon):
    """A daemon whose movers a tracer holds; `mutant`: what its moves lack (site/mutants.py)."""

    def __init__(self, *, mutant: str = "", **more: Any) -> None:
        super().__init__(**more)
        self._mutant = mutant
        self.tracer = Tracer(self.folder / "trace")
        self.tracer.kill_daemon = lambda: os.kill(self.pid, 9)

    def start(self, *, ready: bool = True, seconds: float = 60.0) -> Daemon:
        """Starts it with the site folder in front."""
        path = os.pathsep.join([os.fspath(SITE), *filter(None, [os.environ.get("PYTHONPATH")])])
        mine = {"PYTHONPATH": path, "MEDIADB_TRACE": os.fspath(self.tracer.path), "MEDIADB_MUTANT": self._mutant}
        before = {name: os.environ.get(name) for name in mine}
        os.environ.update(mine)
        try:
            return super().start(ready=ready, seconds=seconds)
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def remove(self) -> None:
        """Ends it, and the tracer."""
        try:
            super().remove()
        finally:
            self.tracer.close()


# ------------------------------------------------------------------ deeds


@dataclass(frozen=True)
class Deed:
    """What is done. `units`: files that go together, each as (source, destination) below the stage's folders "here"
    and "there". `keeps`: the sources stay, for copies and links are made."""

    name: str
    units: tuple[tuple[tuple[str, str], ...], ...]
    what: tuple[str, ...]
    destination: str
    folder: bool = True
    options: tuple[tuple[str, Any], ...] = ()
    keeps: bool = False


def deeds(many: int = 12) -> dict[str, Deed]:
    """What is swept, by name. The library is that of `Stage.fill`."""
    batch = tuple(((f"here/many/{n:02}.bin", f"here/other/many/{n:02}.bin"),) for n in range(many))
    far = tuple(((f"here/many/{n:02}.bin", f"there/many/{n:02}.bin"),) for n in range(many))
    bundle = ("movie.mkv", "movie.de.srt", "movie.nfo", "movie-poster.jpg")
    made = (
        Deed("rename", ((("here/song.flac", "here/new/song.flac"),),), ("here/song.flac",), "here/new"),
        Deed("far", ((("here/song.flac", "there/new/song.flac"),),), ("here/song.flac",), "there/new"),
        Deed(
            "bundle", (tuple((f"here/film/{n}", f"here/films/Film{n[5:]}") for n in bundle),), ("here/film/movie.mkv",),
            "here/films/Film.mkv", False,
        ),
        Deed(
            "far bundle", (tuple((f"here/film/{n}", f"there/films/{n}") for n in bundle),), ("here/film/movie.mkv",),
            "there/films",
        ),
        Deed("batch", batch, ("here/many",), "here/other", options=(("prune", True),)),
        Deed("far batch", far, ("here/many",), "there", options=(("prune", True),)),
        Deed("hardlink", ((("here/song.flac", "here/new/song.flac"),),), ("here/song.flac",), "here/new",
             options=(("mode", "hardlink"),), keeps=True),
        Deed("copy", ((("here/song.flac", "here/new/song.flac"),),), ("here/song.flac",), "here/new",
             options=(("mode", "copy"),), keeps=True),
        Deed("far copy", ((("here/song.flac", "there/new/song.flac"),),), ("here/song.flac",), "there/new",
             options=(("mode", "copy"),), keeps=True),
    )  # fmt: skip
    return {deed.name: deed for deed in made}


# ------------------------------------------------------------------ the stage


class Stage:
    """A daemon, two roots that nobody watches (what the store knows it was told), files known by their sums."""

    def __init__(self, there: Path, *, mutant: str = "", config: str = "", watched: bool = False, **more: Any) -> None:
        """`more`: for the daemon, such as `dsn`, the database of another stage."""
        settings = "shared_least = 1000\nsettle_seconds = 0.02\n" + config
        self.daemon = SweptDaemon(mutant=mutant, config=settings, **more)
        self.tracer = self.daemon.tracer
        self.tops = {"here": self.daemon.folder / "here", "there": there}
        self.watched = watched
        self.sums: dict[str, str] = {}  # of what stands at first, by name
        self.items: dict[str, uuid.UUID] = {}  # by sum
        self.forward: list[bytes] = []  # operations that have not been taken back
        self.points = 0
        self.slow = 0.0
        self.before_start: Callable[[], None] = lambda: None
        self._client: Client | None = None
        self._sql: psycopg.Connection[Any] | None = None

    def path(self, name: str) -> Path:
        """here/... and there/... as real paths."""
        top, _, below = name.partition("/")
        return self.tops[top] / below if below else self.tops[top]

    def fill(self, many: int = 12, big: int = 2_200_000) -> Stage:
        """Makes the library, like no other, starts the daemon, adds the roots."""
        chance = hashlib.shake_128(os.fsencode(self.daemon.folder))
        files = {"song.flac": 30_000, "film/movie.mkv": big, "film/movie.de.srt": 900, "film/movie.nfo": 300,
                 "film/movie-poster.jpg": 5_000, "film/other.mkv": 4_000, "stays.bin": 100}  # fmt: skip
        files.update({f"many/{n:02}.bin": 3_000 + n for n in range(many)})
        for name, size in files.items():
            path = self.tops["here"] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            chance.update(name.encode())
            path.write_bytes(chance.digest(size))
            os.utime(path, ns=(10**18, 10**18 + 123_456_789))
        self.tops["there"].mkdir(exist_ok=True)
        self.sums = self.layout()
        self.daemon.start()
        with self.daemon.client() as client:
            client.add(list(self.tops.values()), wait=True, once=not self.watched)
            client.run(workcalls.tag([self.tops["here"] / "song.flac"], add=["kept"]))
        self.items = {self.sums[name]: row[0] for name, row in self.stored().items()}
        if len(self.items) != len(self.sums):
            raise Broken("the library is not known")
        return self

    def remove(self) -> None:
        """Takes all away."""
        self.tracer.point = None
        if self._client is not None:
            self._client.close()
        if self._sql is not None:
            self._sql.close()
        try:
            self.daemon.remove()
        finally:
            shutil.rmtree(self.tops["there"], ignore_errors=True)

    # -------------------------------------------------------------- asking

    def ask(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What the database says; a server that was killed is waited for."""
        until = time.monotonic() + _SECONDS
        while True:
            try:
                if self._sql is None:
                    self._sql = psycopg.connect(self.daemon.dsn or cluster_dsn(self.daemon), autocommit=True)
                return self._sql.execute(statement.encode(), parameters or None).fetchall()
            except psycopg.OperationalError:
                self._sql = None
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def run(self, call: workcalls.Call[Any]) -> Any:
        """As a careful client: again, under the same operation, while the error may pass; a daemon that died is started
        again. Returns the result, or the error that does not pass."""
        began = time.monotonic()
        while True:
            if not alive(self.daemon.pid):  # Popen.poll would take stops from the tracer
                self.start()
            try:
                if self._client is None:
                    self._client = self.daemon.client()
                return call.decode(list(self._client.submit(call.request, deadline=_SECONDS).replies()))
            except MediadError as error:
                if not error.retryable or error.code == "conflict":
                    self.slow = max(self.slow, time.monotonic() - began)
                    return error
                if isinstance(error, Unavailable) and self._client is not None:
                    self._client.close()
                    self._client = None
                if time.monotonic() - began > _SECONDS:
                    told = self.daemon.text()[-3000:]
                    raise Broken(f"no answer in {_SECONDS:g} s: {error.for_log}\n{told}") from error
                time.sleep(0.02)
            finally:
                self.slow = max(self.slow, time.monotonic() - began)

    def start(self) -> None:
        """Starts a daemon that has died, as often as points kill it."""
        with self.tracer.lock:  # not while a point is being hit
            self.before_start()
        if self.daemon.process is not None:
            self.daemon.process.wait(10)
        for _ in range(5):
            with contextlib.suppress(ProcessLookupError, AssertionError):
                self.daemon.start()
                return
            if alive(self.daemon.pid):
                raise Broken("the daemon does not come up:\n" + self.daemon.text()[-3000:])
        raise Broken("the daemon does not stay up:\n" + self.daemon.text()[-3000:])

    # -------------------------------------------------------------- doing

    def do(self, deed: Deed, point: Point | None = None) -> Any:
        """The deed, disturbed."""
        options = dict(deed.options)
        targets = [self.path(name) for name in deed.what]
        call = workcalls.move(targets, self.path(deed.destination), folder=deed.folder, **options)
        self.forward.append(call.request.operation)
        return self._disturbed(call, point)

    def undo(self, operation: bytes, point: Point | None = None) -> Any:
        """Takes an operation back, disturbed."""
        return self._disturbed(undo_of(operation), point)

    def _disturbed(self, call: workcalls.Call[Any], point: Point | None) -> Any:
        self.tracer.point, pid = point, self.daemon.pid
        traced = self.tracer.follow(point.of()) if point is not None and point.of is not None else None
        try:
            result = self.run(call)
        finally:
            with self.tracer.lock:  # not while it is being hit
                self.tracer.point = None
            if traced is not None:
                self.run(workcalls.operations())  # something to do, so that it is let go
                traced.join(10)
        if point is not None and point.hit:
            self.points += 1
            until = time.monotonic() + 10
            while point.daemon and self.daemon.pid == pid and alive(pid) and time.monotonic() < until:
                time.sleep(0.005)  # it has answered, and dies now
            self.run(call)  # once more, as if the answer had been lost: nothing is done twice
        return result

    def back(self) -> None:
        """Undisturbed to where everything began: what was done is taken back, the last first."""
        for operation in reversed(self.forward):
            result = self.undo(operation)
            if isinstance(result, MediadError) and result.code not in ("not_found", "conflict"):
                raise Broken(f"it cannot be taken back: {result}")
        self.forward.clear()
        if self.layout() != self.sums:
            raise Broken(f"not as it was: {difference(self.sums, self.layout())}\n{self.journal()}")

    # -------------------------------------------------------------- looking

    @property
    def host(self) -> uuid.UUID:
        """The daemon's."""
        return uuid.UUID((self.daemon.data / "host-id").read_text().strip())

    def layout(self) -> dict[str, str]:
        """Every file of both roots by its name, with its sum."""
        found = {}
        for name, top in self.tops.items():
            for folder, _folders, files in os.walk(top):
                for file in files:
                    path = Path(folder, file)
                    found[f"{name}/{path.relative_to(top)}"] = (
                        os.readlink(path) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
                    )
        return found

    def stored(self) -> dict[str, tuple[Any, ...]]:
        """What the store believes to be there: item, size, mtime, inode by name."""
        numbers = [row[0] for row in self.ask("SELECT id FROM mediadb.root WHERE owner = %s ORDER BY id", self.host)]
        names = dict(zip(numbers, self.tops, strict=False))
        found = self.ask(_FILES)
        return {f"{names[r]}/{os.fsdecode(bytes(path))}": tuple(row) for r, path, *row in found if r in names}

    def look(self) -> None:
        """Has both roots walked: somebody else was at work in them."""
        with self.daemon.client() as client:
            client.add(list(self.tops.values()), wait=True, once=not self.watched)

    def backend(self) -> int:
        """The server's process that serves the daemon's writes: the first that it asked for."""
        found = self.ask(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'mediad' AND datname = current_database() "
            "AND query NOT LIKE '%advisory%' ORDER BY backend_start LIMIT 1"
        )
        return int(found[0][0])

    def journal(self) -> str:
        """The last steps."""
        rows = self.ask(
            "SELECT operation::text, number, action, state, from_path, to_path, code, problem FROM mediadb.move "
            "ORDER BY at_ns DESC, number LIMIT 40"
        )
        return "\n".join(str(row) for row in rows)

    def check(self, deed: Deed, what: object = "") -> None:
        """Everything that must hold when a deed has ended, however it ended."""
        try:
            self._check(deed)
        except Broken as broken:
            raise Broken(f"{deed.name}, {what}: {broken}\n{self.journal()}\n{self.daemon.text()[-2500:]}") from None

    def _check(self, deed: Deed) -> None:
        found = self.layout()
        left = [name for name in found if ".mediad-" in name]
        if left:
            raise Broken(f"temporaries are left: {left}")
        wanted = dict(self.sums)
        for unit in deed.units:
            moved = [destination in found for _source, destination in unit]
            if any(moved) and not all(moved):
                raise Broken(f"a bundle is torn: {[m[1] for m in unit if m[1] in found]} came")
            for source, destination in unit:
                if moved[0]:
                    wanted[destination] = self.sums[source]
                    if not deed.keeps:
                        del wanted[source]
        if found != wanted:
            raise Broken(f"not what it should be: {difference(wanted, found)}")
        open_rows = self.ask(
            "SELECT count(*) FROM mediadb.move WHERE host = %s AND state NOT IN ('done', 'aborted', 'undone')",
            self.host,
        )
        if open_rows != [(0,)]:
            raise Broken(f"{open_rows[0][0]} steps are not closed")
        problem = self.disagreement(found)
        until = time.monotonic() + 1.0
        while problem and time.monotonic() < until:  # a walk may be under way
            time.sleep(0.05)
            problem = self.disagreement(found)
        if problem:
            raise Broken(problem)

    def disagreement(self, found: dict[str, str] | None = None) -> str:
        """Where the store and the disk differ; empty when they do not."""
        found = found or self.layout()
        stored = self.stored()
        if stored.keys() != found.keys():
            return f"the store disagrees: {difference(dict.fromkeys(found), dict.fromkeys(stored))}"
        for name, (item, size, mtime, inode) in stored.items():
            info = self.path(name).lstat()
            if (size, mtime, inode & (1 << 64) - 1) != (info.st_size, info.st_mtime_ns, info.st_ino):
                return f"the store has another stat of {name}"
            if item != self.items[found[name]]:
                return f"{name} is another item than before"
        return ""


def undo_of(operation: bytes) -> workcalls.Call[Any]:
    """The call that takes one operation back."""
    return workcalls.undo(uuid.UUID(bytes=operation))


def difference(wanted: dict[str, Any], found: dict[str, Any]) -> str:
    """Two layouts, where they differ."""
    lost = sorted(wanted.keys() - found.keys())
    more = sorted(found.keys() - wanted.keys())
    other = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    return f"lacking {lost}, too many {more}, other bytes {other}"


# ------------------------------------------------------------------ sweeps


def kills(
    stage: Stage, deed: Deed, *, step: int = 1, first: int = 1, most: int = 100_000,
    point: Callable[[int], Point] = Point,
) -> Iterator[str]:  # fmt: skip
    """A deed killed after its `first`-th call, then `step` further, ..., and its undo likewise, until both run through.
    `point` makes the point of a number. Yields what is done."""
    at, over, count = first, [False, False], 0
    while not all(over) and count < most:
        if not over[0]:
            there = point(at)
            yield f"{deed.name} {there}"
            result = stage.do(deed, there)
            stage.check(deed, there)
            over[0] = not there.hit
            count += 1
            complete(stage, deed, result)
        elif not stage.forward:
            complete(stage, deed, stage.do(deed))
        if not over[1]:
            there = point(at)
            yield f"undo of {deed.name} {there}"
            stage.undo(stage.forward[-1], there)
            stage.check(deed, f"undo, {there}")
            over[1] = not there.hit
            count += 1
        stage.back()
        at += step


def complete(stage: Stage, deed: Deed, result: Any) -> None:
    """What was rolled back is done now, undisturbed: the next attempt succeeds."""
    last = deed.units[-1][-1][1]
    if any(not stage.path(destination).exists() for unit in deed.units for _source, destination in unit):
        result = stage.do(deed)
        if isinstance(result, MediadError):
            raise Broken(f"the next attempt fails: {result}")
    if not stage.path(last).exists():
        raise Broken(f"{deed.name} is not done: {result}\n{stage.journal()}\n{stage.daemon.text()[-2500:]}")


# The errors that file systems give, by call.
_PATHS = "EACCES EIO ENAMETOOLONG ELOOP"
_NAMES = "ENOSPC EIO EACCES EROFS EMLINK ENAMETOOLONG EDQUOT"
_ERRORS = {
    "openat": _PATHS + " ENOSPC EROFS EMFILE",
    "openat2": _PATHS,
    "newfstatat": "EIO EACCES",
    "fstat": "EIO",
    "statx": "EIO",
    "pread64": "EIO",
    "pwrite64": "ENOSPC EIO EDQUOT",
    "fsync": "EIO ENOSPC EROFS",
    "ftruncate": "EIO ENOSPC",
    "fchmod": "EPERM EIO",
    "fchown": "EPERM EIO",
    "fchmodat": "EPERM EIO",
    "fsetxattr": "ENOSPC EOPNOTSUPP",
    "fgetxattr": "ENODATA EIO",
    "flistxattr": "EOPNOTSUPP EIO",
    "utimensat": "EIO EPERM",
    "ioctl": "EOPNOTSUPP EIO",
    "fcntl": "EAGAIN EINVAL",
    "renameat2": _NAMES + " EXDEV EEXIST EINVAL EPERM",
    "linkat": _NAMES + " EPERM EXDEV",
    "symlinkat": _NAMES,
    "unlinkat": "EIO EACCES EROFS EBUSY",
    "mkdirat": _NAMES,
    "fstatfs": "EIO",
}
ERRORS = {call: tuple(getattr(errno, name) for name in names.split()) for call, names in _ERRORS.items()}


def faults(stage: Stage, deed: Deed, *, some: Callable[[int], bool] = lambda _number: True) -> Iterator[str]:
    """Each call of a deed and of its undo fails with each error that it may give. `some` chooses among the points, by
    their number; without: all."""
    number = 0
    counts: list[Counter[str]] = []
    stage.tracer.record = True
    stage.tracer.calls = []
    complete(stage, deed, stage.do(deed))
    counts.append(Counter(stage.tracer.calls))
    stage.tracer.calls = []
    stage.undo(stage.forward[-1])
    counts.append(Counter(stage.tracer.calls))
    stage.tracer.record = False
    stage.back()
    for name, errors in ERRORS.items():
        for at in range(1, max(count[name] for count in counts) + 1):
            for error in errors:
                number += 1
                if not some(number):
                    continue
                point = Point(at, name, error)
                yield f"{deed.name} {point}"
                result = stage.do(deed, point)
                stage.check(deed, point)
                said(stage, deed, point, result, came=True)
                complete(stage, deed, result)
                if at <= counts[1][name]:
                    point = Point(at, name, error)
                    yield f"undo of {deed.name} {point}"
                    result = stage.undo(stage.forward[-1], point)
                    stage.check(deed, f"undo, {point}")
                    said(stage, deed, point, result, came=False)
                stage.back()


def said(stage: Stage, deed: Deed, point: Point, result: Any, *, came: bool) -> None:
    """Who was not told that all is done was told what is wrong, of which file."""
    there = [stage.path(destination).exists() for unit in deed.units for _source, destination in unit]
    if not point.hit or (all(there) if came else not any(there)):
        return
    problems = [result] if isinstance(result, MediadError) else result.problems
    if not problems:
        raise Broken(f"{deed.name}, {point}: nothing is said of what was not done: {result}")
    for problem in problems:
        if not problem.message or not problem.input:
            raise Broken(f"{deed.name}, {point}: it does not say of what: {problem!r}")


# ------------------------------------------------------------------ the power


def power_cuts(
    folder: Path, deed: Deed, *, first: int = 1, step: int = 1, most: int = 100_000, mutant: str = "",
    seconds: float = 3600.0, call: str = "",
) -> int:  # fmt: skip
    """A deed whose machine loses its power after calls of its movers (`call`: after those of that name only). At every
    third point all disks lose what was not made durable, else one of them had the time to write. Returns at how many
    points. Needs `powercut.possible`."""
    here, there = folder / "here", folder / "there"
    disks = Disks(folder, [here, there])
    stage = Stage(there, mutant=mutant, folder=folder)
    dark = threading.Event()

    def cut(at: int) -> Point:
        def now() -> None:
            os.kill(stage.daemon.pid, 9)
            disks.cut((None, here, there)[at % 3])
            dark.set()

        return Point(at, call, daemon=True, before=now)

    def light() -> None:
        if dark.is_set():
            dark.clear()
            disks.again()

    stage.before_start = light
    try:
        stage.fill()
        os.sync()
        until = time.monotonic() + seconds
        for _ in kills(stage, deed, first=first, step=step, most=most, point=cut):
            if time.monotonic() > until:
                break
        return stage.points
    finally:
        stage.remove()
        disks.remove()
