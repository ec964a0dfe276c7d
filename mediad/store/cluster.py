"""The embedded PostgreSQL: a private cluster in the data folder, made, started, watched and stopped by the daemon.

    DATA/cluster/      PostgreSQL's own data folder, 0700, with its socket in run/: nobody else reaches it
    DATA/programs/     copies of PostgreSQL's programs, only where its account cannot run the originals
    DATA/cluster.lock  held by the daemon that owns the cluster

It listens on a unix socket only, reached through a descriptor of that folder (/proc/self/fd/N), so that no path is too
long for sun_path. When the daemon is killed the kernel sends the postmaster SIGINT, a clean fast shutdown."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from mediad.errors import MediadError, Unavailable
from mediad.store.account import Account, check_reach, choose_account
from mediad.store.faults import ClusterFailed, cluster_fault, folder_fault
from mediad.store.opening import open_connection
from mediad.store.postmaster import Postmaster, find_predecessor, settings
from mediad.store.programs import ENVIRONMENT, Programs, find_programs, make_reachable, run_program
from mediad.store.script import execute_script

# Seconds. Recovery after a crash replays at most max_wal_size, on a slow card at some MB a second.
START_LIMIT = 300.0
PREDECESSOR_LIMIT = 60.0
STOP_LIMIT = 60.0

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 30.0

# What a postmaster says while the remains of one that was killed are still there (src/backend/utils/init/miscinit.c).
_PASSING = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')


class Cluster:
    """One private PostgreSQL. `state` is "stopped", "starting", "ready" or "failed", with the reason in `problem`;
    `on_change` is called after each change. It has to be used on a loop in the main thread: the kernel's SIGINT to the
    postmaster comes when the thread that started it ends."""

    def __init__(
        self,
        data_dir: Path,
        *,
        programs: Path | None = None,
        account: str | None = None,
        small: bool = False,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        """`programs`: the folder with initdb and postgres; `account`: as whom it runs when this process is root;
        `small`: the settings for a board with 256 MB."""
        self.data_dir = data_dir.absolute()
        self.folder = self.data_dir / "cluster"
        self._configured_programs = programs
        self._configured_account = account
        self._small = small
        self.on_change = on_change
        self.state = "stopped"
        self.problem = ""
        self._account: Account | None = None
        self._programs: Programs | None = None
        self._postmaster: Postmaster | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._stopping = False
        self._lock = -1
        self._socket_folder = -1

    @property
    def programs(self) -> Programs:
        """The programs it runs; once it was started."""
        assert self._programs is not None
        return self._programs

    @property
    def account(self) -> Account:
        """The account it runs under; once it was started."""
        assert self._account is not None
        return self._account

    @property
    def pid(self) -> int:
        """The postmaster's process id, 0 when there is none."""
        return self._postmaster.pid if self._postmaster is not None else 0

    async def conninfo(self, database: str = "mediadb") -> str:
        """How to connect, for libpq in this process. Raises Unavailable before the first start, after stop, and while
        it is down, with the reason: libpq would only say that there is no socket."""
        if self._socket_folder < 0 or self.state == "failed":
            raise Unavailable(
                f"the embedded PostgreSQL is {self.state}" + (f": {self.problem}" if self.problem else "")
            )
        return self._address(database)

    def _address(self, database: str) -> str:
        return f"host=/proc/self/fd/{self._socket_folder} port=5432 user=mediadb dbname={database}"

    async def start(self) -> None:
        """Make the cluster where there is none, start it, wait until it answers.

        Raises Unavailable (and ClusterFailed with PostgreSQL's last log lines), DiskFull; then nothing is left running.
        """
        if self._lock >= 0:
            raise RuntimeError("this cluster was started already")
        self._stopping = False
        self._change("starting", "")
        try:
            self._make_data_dir()
            self._take_lock()
            self._account = choose_account(self._configured_account, self.folder)
            await check_reach(self._account, self.data_dir)
            major = self._major()
            programs = await find_programs(self._configured_programs, major)
            self._programs = await make_reachable(programs, self._account, self.data_dir / "programs")
            if major is None:
                await self._initialise()
            self._open_socket_folder()
            self._postmaster = await self._adopt() or await self._launch()
            await self._make_database()
        except (MediadError, OSError) as error:
            await self._end_postmaster()
            self._release()
            failure = error if isinstance(error, MediadError) else folder_fault(error, self.data_dir)
            self._change("failed", failure.message)
            raise failure from error
        except BaseException:
            await self._end_postmaster()
            self._release()
            raise
        self._watch(self._postmaster)

    async def stop(self) -> None:
        """Fast shutdown, waited for; harsher means after STOP_LIMIT seconds."""
        self._stopping = True
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.wait([self._restarting])
            self._restarting = None
        await self._end_postmaster()
        self._release()
        self._change("stopped", "")

    def _make_data_dir(self) -> None:
        if not self.data_dir.exists():
            self.data_dir.mkdir(mode=0o700, parents=True)
            if os.geteuid() == 0:
                # PostgreSQL's account passes through; what lies here protects itself.
                self.data_dir.chmod(0o711)

    def _take_lock(self) -> None:
        self._lock = os.open(self.data_dir / "cluster.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Unavailable("another daemon is using this data folder", os.fspath(self.data_dir)) from error

    def _major(self) -> int | None:
        """The version that made the cluster; None where there is none yet. Raises ClusterFailed."""
        if not self.folder.exists():
            return None
        try:
            return int((self.folder / "PG_VERSION").read_text("ascii").strip())
        except (OSError, ValueError) as error:
            raise ClusterFailed(
                "this folder is no PostgreSQL cluster, its PG_VERSION cannot be read: restore it, or move it away",
                os.fspath(self.folder),
            ) from error

    async def _initialise(self) -> None:
        """initdb beside the final place, then one rename: a half-made cluster is never taken for one."""
        assert self._account is not None and self._programs is not None
        partial = self.data_dir / "cluster.partial"
        if partial.exists():
            await run_program(["rm", "-rf", "--", os.fspath(partial)])
        self._make_private(partial)
        argv = self._account.command(
            self._programs.folder / "initdb", "--pgdata", partial, "--encoding", "UTF8", "--locale=C",
            "--lc-ctype=C.UTF-8", "--auth=trust", "--username=mediadb", "--data-checksums", "--no-instructions",
        )  # fmt: skip
        status, output = await run_program(argv)
        if status != 0:
            await run_program(["rm", "-rf", "--", os.fspath(partial)])
            raise cluster_fault("PostgreSQL's initdb failed", output.decode("utf-8", "replace").splitlines())
        self._make_private(partial / "run")
        partial.rename(self.folder)
        parent = os.open(self.data_dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)

    def _make_private(self, folder: Path) -> None:
        assert self._account is not None
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._account.switched:
            os.chown(folder, self._account.uid, self._account.gid)

    def _open_socket_folder(self) -> None:
        self._make_private(self.folder / "run")
        self._socket_folder = os.open(self.folder / "run", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    async def _adopt(self) -> Postmaster | None:
        """A postmaster that a killed daemon left behind: taken over if it answers, else its end is waited for."""
        predecessor = find_predecessor(self.folder)
        if predecessor is None:
            return None
        until = asyncio.get_running_loop().time() + PREDECESSOR_LIMIT
        while not predecessor.ended:
            if await self._answers():
                return predecessor
            if asyncio.get_running_loop().time() > until:
                predecessor.close()
                raise ClusterFailed(
                    f"a PostgreSQL of an earlier run (process {predecessor.pid}) neither answers nor ends; end it",
                    os.fspath(self.folder),
                )
            await predecessor.wait(0.2)
        predecessor.close()
        return None

    async def _launch(self) -> Postmaster:
        """Start a postmaster and wait until it answers. Raises ClusterFailed, DiskFull."""
        assert self._account is not None and self._programs is not None
        loop = asyncio.get_running_loop()
        argv: list[str | Path] = [self._programs.folder / "postgres", "-D", self.folder]
        for name, value in settings(self._programs.major, self._small).items():
            argv += ["-c", f"{name}={value}"]
        command = self._account.command(*argv, tied=True)
        passing_until = loop.time() + PREDECESSOR_LIMIT
        until = loop.time() + START_LIMIT
        while True:
            postmaster = Postmaster.spawn(command, dict(ENVIRONMENT))
            pause = 0.01
            try:
                while not postmaster.ended and loop.time() < until:
                    if await self._answers():
                        return postmaster
                    await postmaster.wait(pause)
                    pause = min(pause * 1.5, 0.25)
                await postmaster.drain()
            except BaseException:
                await postmaster.end(STOP_LIMIT)
                raise
            if not postmaster.ended:
                await postmaster.end(STOP_LIMIT)
                raise cluster_fault(f"PostgreSQL did not answer within {START_LIMIT:.0f} s", postmaster.lines)
            postmaster.close()
            passing = any(text in line for line in postmaster.lines for text in _PASSING)
            if not passing or loop.time() > passing_until:
                raise cluster_fault("PostgreSQL does not start", postmaster.lines)
            await asyncio.sleep(0.2)

    async def _answers(self) -> bool:
        try:
            pgconn = await open_connection(self._address("postgres"), 2.0)
        except Unavailable:
            return False
        pgconn.finish()
        return True

    async def _make_database(self) -> None:
        pgconn = await open_connection(self._address("postgres"), 5.0)
        try:
            find = "SELECT 1 FROM pg_database WHERE datname = 'mediadb'"
            if not await execute_script(pgconn, find, name="find database", deadline=30.0):
                await execute_script(pgconn, "CREATE DATABASE mediadb", name="create database", deadline=120.0)
        finally:
            pgconn.finish()

    def _watch(self, postmaster: Postmaster) -> None:
        """Ready from here on; the postmaster's pidfd says when that is over."""
        self._change("ready", "")
        postmaster.on_end = self._ended
        if postmaster.ended:
            self._ended(postmaster)

    def _ended(self, postmaster: Postmaster) -> None:
        if self._stopping or postmaster is not self._postmaster:
            return
        postmaster.close()
        self._postmaster = None
        self._change("failed", f"PostgreSQL ended unexpectedly ({postmaster.status})")
        self._restarting = asyncio.get_running_loop().create_task(self._restart())

    async def _restart(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                self._postmaster = await self._launch()
            except (MediadError, OSError) as error:
                self._change("failed", error.message if isinstance(error, MediadError) else str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._watch(self._postmaster)
                return

    async def _end_postmaster(self) -> None:
        postmaster, self._postmaster = self._postmaster, None
        if postmaster is not None:
            await postmaster.end(STOP_LIMIT)

    def _release(self) -> None:
        for descriptor in (self._socket_folder, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._socket_folder = self._lock = -1

    def _change(self, state: str, problem: str) -> None:
        if (state, problem) == (self.state, self.problem):
            return
        self.state, self.problem = state, problem
        if self.on_change is not None:
            self.on_change()
