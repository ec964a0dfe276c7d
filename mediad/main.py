"""mediad: builds everything, owns the loop, and ends it cleanly.

The socket is served before the database is there: `status` answers from the first moment, and what needs the database
is `unavailable` with the reason until then.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import logging
import os
import platform
import signal
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import uvloop

import mediad
from mediad import systemd
from mediad.commands import idle
from mediad.commands.context import Context
from mediad.commands.layout import watch_staging
from mediad.config import Config, load_config
from mediad.datadir import read_host_id, take_data_dir
from mediad.errors import AlreadyExists, MediadError, Unavailable
from mediad.index.asking import Asking
from mediad.index.content import Content, check_rule
from mediad.index.feed import Feed
from mediad.index.metawork import MetaWork
from mediad.index.persons import Persons
from mediad.index.previews import Previews
from mediad.index.queues import Queues
from mediad.index.reader import Reader
from mediad.index.reindex import Reindexer
from mediad.index.roots import Roots
from mediad.index.sidefiles import SideFiles
from mediad.index.sidewatch import SideWatch
from mediad.index.walking import Walking
from mediad.index.watching import Watching
from mediad.index.work import Work
from mediad.index.worklog import WorkLog
from mediad.lag import LagWatch
from mediad.listen import make_listener
from mediad.logs import set_up_logging
from mediad.moves.defaults import load_templates
from mediad.moves.engine import Engine
from mediad.server import Server
from mediad.store.cluster import Cluster
from mediad.store.connection import Link
from mediad.store.database import Database
from mediad.store.faults import Fenced, Retry
from mediad.store.migrate import migrate
from mediad.store.opening import check_conninfo
from mediad.store.queries import load
from mediad.store.store import Store, now_ns, pack
from mediad.store.upgrade import upgrade
from mediad.workers.registry import Registry

log = logging.getLogger("mediad")

DRAIN_SECONDS = 10.0  # what is in flight at SIGTERM gets this long; systemd waits 90 s before it kills
_RETRY_SECONDS = 1.0


class Daemon:
    """Everything there is, from start to end."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.stopping = asyncio.Event()
        self.failure: MediadError | None = None
        self.problem = "the database is being started"
        self.cluster: Cluster | None = None
        self._lock = -1
        self._indexed = False
        self._host_link: Link | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    # -------------------------------------------------------------- start

    async def run(self) -> int:
        """Runs until a signal; returns the exit code."""
        config = self.config
        self._lock = take_data_dir(config.data_dir)
        listener, passed = make_listener(config.socket, config.group)
        try:
            return await self._serve(listener)
        finally:
            if not passed:
                config.socket.unlink(missing_ok=True)

    async def _serve(self, listener: Any) -> int:
        context = self._build()
        server = Server(context)
        gc.collect()  # before anybody is answered: some 20 ms
        gc.freeze()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        await server.start(listener)
        _tell("READY=1", "STATUS=starting the database")
        log.info("listening", extra={"socket": self.config.socket, "version": mediad.__version__, "pid": os.getpid()})
        self._spawn(self._bring_up(context))
        self._feed_watchdog()
        await self.stopping.wait()
        _tell("STOPPING=1")
        log.info("stopping")
        await self._shut_down(context, server)
        if self.failure is not None:
            print(f"mediad: {self.failure}", file=sys.stderr)
            return 1
        return 0

    def _build(self) -> Context:
        config = self.config
        sql = files("mediad.sql")
        if config.dsn:
            conninfo: Any = config.dsn
        else:
            programs = Path(config.cluster_programs) if config.cluster_programs else None
            self.cluster = Cluster(
                config.data_dir, programs=programs, account=config.cluster_account or None, small=config.board
            )
            conninfo = self.cluster.conninfo
        readers = 1 if config.board else 2
        database = Database(
            conninfo, load(sql / "queries"), readers=readers, deadline=config.database_seconds,
            idle_seconds=config.idle_seconds,
        )  # fmt: skip
        store = Store(database, read_host_id(config.data_dir))
        store.on_fenced = self._fenced
        registry = Registry(config)
        roots = Roots(store, config)
        reader = Reader(store, config, registry, roots)
        work = Work(store)
        watching = Watching(roots, config)
        roots.before_scan = watching.watch
        worklog = WorkLog(store, roots, config.data_dir / "work")
        work.on_work += [worklog.wake, reader.keeper.wanted.set]

        def kept() -> None:
            worklog.wake()
            reindexer.wake()
            walking.wake()

        reader.keeper.on_kept = kept
        feed = Feed(store)
        reindexer = Reindexer(store)
        metawork = MetaWork(store)
        metawork.on_kept = worklog.wake
        walking = Walking(store, metawork)
        work.metas = metawork
        work.on_work.append(walking.wake)
        work.settle = reindexer.settle
        sides = SideFiles(store, config, registry, roots, work)
        content = Content(store, config, registry, roots, feed)
        context = Context(
            config, store.host, platform.node() or "localhost", store, registry, roots, reader, work, worklog,
            feed, Asking(store, roots), reindexer, walking, metawork, watching,
            Engine(store, roots, config.data_dir), sides,
            SideWatch(store, config, roots, feed, sides), content, Persons(store, board=config.board),
            Previews(store, config, registry, roots),
            Queues(store, work),
            LagWatch(lambda: context.traffic.in_flight > 0 or reader.busy > 0), time.monotonic(),
            ready=lambda: self.problem,
        )  # fmt: skip

        def listed() -> None:
            reader.wake()
            context.lag.touch()

        roots.on_listed = listed
        roots.on_lost = reader.keeper.after_lost
        database.on_idle = give_back

        def walked() -> None:
            reader.keeper.wanted.set()  # files whose checksum is wanted may be back
            content.wake()
            context.lag.touch()

        def read() -> None:
            content.wake()
            # Not walking: while files are read albums change all the time. It is woken when all is read, and by whoever
            # walks.
            context.lag.touch()

        roots.on_progress = walked
        roots.on_walked += [reindexer.wake, walking.wake]

        def idle_reader() -> None:
            reindexer.wake()
            walking.wake()

        reader.on_idle = idle_reader
        reader.on_read = read
        content.reading = lambda: reader.busy > 0 or any(roots.scanning(root.id) for root in roots.mine())
        content.requests = lambda: context.traffic.requests
        return context

    async def _bring_up(self, context: Context) -> None:
        """Database, schema, place of this host, roots, reader: as often as it takes."""
        try:
            if self.cluster is not None:
                await self.cluster.start()
        except MediadError as error:
            self.failure = error
            self.stopping.set()
            return
        while not self.stopping.is_set():
            try:
                await self._open_index(context)
            except (Unavailable, Retry) as error:
                if self.problem != error.message:
                    log.warning("the database is not available", extra={"why": error.message})
                self.problem = error.message
                await asyncio.sleep(_RETRY_SECONDS)
            except MediadError as error:
                self.failure = error
                self.stopping.set()
            else:
                self.problem = ""
                context.opened.set()
                _tell("STATUS=ready")
                log.info("ready", extra={"database": context.store.database.state})
                return

    async def _open_index(self, context: Context) -> None:
        store = context.store
        await store.database.wait_ready(self.config.database_seconds)
        applied = await migrate(store.database, files("mediad.sql") / "migrations")
        if applied:
            log.info("schema migrated", extra={"count": len(applied)})
        await self._claim(context)
        rows = await store.database.run([("claim_host", (store.host, context.host_name, now_ns()))], give_up_after=30.0)
        store.epoch = rows[0][0][0]
        await context.roots.load()
        for root in context.roots.mine():
            await context.roots.look_at(root)
        if self.config.sandbox == "require":
            await context.registry.load()  # before anything is read: Unsupported when it cannot be had
        context.moves.start()
        await context.reader.start()
        context.reindexer.wake()
        context.walking.wake()
        if not self._indexed:
            self._indexed = True
            self._spawn(context.worklog.run())
            self._spawn(context.sidewatch.run())
            self._spawn(context.content.run())
            self._spawn(idle.settle_doubts(context))
            self._spawn(idle.rescan(context))
            self._spawn(watch_staging(context))
            self._spawn(idle.rescan_remote(context))
            self._spawn(idle.keep_house(context))
            self._spawn(idle.keep_previews(context))
        if context.roots.mine():
            self._spawn(self._catch_up(context))

    async def _claim(self, context: Context) -> None:
        """One daemon a host in a database: a session's advisory lock, and the epoch for the time after its loss."""
        if self._host_link is not None:
            self._host_link.close()
        link = await context.store.database.dedicated(lambda lost: self._lock_lost(context))
        statement = load(files("mediad.sql") / "queries")["host_lock"]
        for attempt in range(20):
            if (await link.run([(statement, (str(context.store.host),))]))[0][0][0]:
                self._host_link = link
                return
            # The server may not have noticed yet that our predecessor is gone.
            await asyncio.sleep(0.1 + attempt / 20)
        link.close()
        raise AlreadyExists("another daemon of this host works on this database", str(context.store.host))

    def _lock_lost(self, context: Context) -> None:
        if not self.stopping.is_set():
            self._spawn(self._reclaim(context))

    def _fenced(self, error: Fenced) -> None:
        """Another daemon of this host raised the epoch: what is in memory here is out of date, so this one ends."""
        if not self.stopping.is_set():
            log.error("another daemon of this host has taken over; this one ends")
            self.failure = error
            self.stopping.set()

    async def _reclaim(self, context: Context) -> None:
        while not self.stopping.is_set():
            try:
                await self._claim(context)
                # While the lock was lost another daemon may have had it, and have gone again: the epoch tells.
                await context.store.write([])
            except Unavailable:
                await asyncio.sleep(_RETRY_SECONDS)
            except MediadError as error:
                self.failure = error
                self.stopping.set()
            else:
                context.reader.wake()
                return

    async def _catch_up(self, context: Context) -> None:
        """What changed while no daemon ran: files of upgraded handlers, then a walk of each watched root."""
        try:
            await context.registry.load()
            mine = pack([root.id for root in context.roots.mine()])
            for _application, handler in context.registry.handlers():
                await context.store.write(
                    [("outdated", (handler.name, handler.version, mine))], deadline=60.0, give_up_after=120.0
                )
            context.reader.wake()
            for root in context.roots.mine():
                if root.local is not None and (root.watched or root.scanned_ns is None):
                    await asyncio.wait([context.roots.scan(root)])
        except MediadError as error:
            log.warning("catching up ended", extra={"why": error.for_log})

    def _feed_watchdog(self) -> None:
        interval = systemd.watchdog_interval()
        if interval is not None:
            _tell("WATCHDOG=1")
            asyncio.get_running_loop().call_later(interval, self._feed_watchdog)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of the daemon failed", exc_info=task.exception())
            self.failure = self.failure or MediadError(
                f"a task of the daemon failed: {type(task.exception()).__name__}"
            )
            self.stopping.set()

    # -------------------------------------------------------------- end

    async def _shut_down(self, context: Context, server: Server) -> None:
        await server.stop(DRAIN_SECONDS if self.failure is None else 0.5)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await context.moves.close()
        await context.reader.stop()
        await context.roots.stop()
        context.sides.stop()
        context.feed.stop()
        context.watching.stop()
        context.registry.close()
        context.previews.close()
        await context.store.database.close()
        if self.cluster is not None:
            await self.cluster.stop()


def give_back() -> None:
    """What a scan or a large answer left in memory goes back to the system: what functions remember of their results,
    and what malloc keeps for the next time (malloc_trim(3), GNU)."""
    for name, module in list(sys.modules.items()):
        if name.startswith("mediad."):
            for value in vars(module).values():
                clear = getattr(value, "cache_clear", None)  # of functools.lru_cache
                if clear is not None:
                    clear()
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _tell(*assignments: str) -> None:
    """To the service manager, if there is one: a daemon does not stop because nobody listens."""
    try:
        systemd.notify(*assignments)
    except (OSError, ValueError) as error:
        log.warning("the service manager was not told", extra={"why": type(error).__name__, "what": assignments[0]})


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("mediad", description="The metadata daemon of mediadb.")
    parser.add_argument("--config", type=Path, metavar="F", help="mediad.toml (default: docs/operations.md)")
    parser.add_argument("--data-dir", type=Path, metavar="D", help="where the embedded database and the host's id live")
    parser.add_argument("--socket", type=Path, metavar="S", help="the unix socket to listen on")
    parser.add_argument("--dsn", metavar="URL", help="a PostgreSQL server to use instead of the embedded one")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"))
    parser.add_argument(
        "--upgrade-cluster", action="store_true", help="move the embedded cluster to the newest PostgreSQL, and end"
    )
    parser.add_argument("--board", action="store_const", const=True, help="one core and 256 MB")
    parser.add_argument("--version", action="version", version=f"mediad {mediad.__version__}")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Entry point. Exit codes: 0 stopped by a signal, 1 it failed, 2 wrong arguments or configuration."""
    options = _arguments(argv)
    overrides = {name: value for name, value in vars(options).items() if name not in ("config", "upgrade_cluster")}
    try:
        config = load_config(options.config, overrides)
        if config.dsn:
            check_conninfo(config.dsn)
        load_templates(config.templates)
        check_rule(config)
    except MediadError as error:
        print(f"mediad: {error}", file=sys.stderr)
        return 2
    set_up_logging(config.log_level)

    async def start() -> int:
        if options.upgrade_cluster:
            programs = Path(config.cluster_programs) if config.cluster_programs else None
            before, now = await upgrade(config.data_dir, programs=programs, account=config.cluster_account or None)
            print(f"mediad: the cluster of PostgreSQL {before} is one of {now} now; the old one is cluster.pg{before}")
            return 0
        return await Daemon(config).run()

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(start())
    except MediadError as error:
        print(f"mediad: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
