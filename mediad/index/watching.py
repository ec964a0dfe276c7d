"""The kernel's events made into walks: the daemon's side of `mediad.workers.watch`.

A root is watched before it is walked, so that nothing falls between. A folder that the kernel names is looked at when
it has been quiet for a moment; what the kernel could not tell (a full queue, no more watches, a watcher that died) is
made good by a walk, and said in `status`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
from typing import Any

import msgpack

from mediad.config import Config
from mediad.index.roots import Roots
from mediad.model import Root
from mediad.workers.channel import Channel
from mediad.workers.start import start_program

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 600.0  # to place the watches of a large tree on a slow disk
_RESTART_SECONDS = 5.0
_MESSAGE_BYTES = 1 << 20
_LOOK_SECONDS = 1.0  # mounts come in bursts


class Watching:
    """One watcher process for all watched roots of this host; it starts with the first of them."""

    def __init__(self, roots: Roots, config: Config) -> None:
        self._roots = roots
        self._config = config
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._placed: dict[int, asyncio.Future[tuple[int, int]]] = {}
        self._limit: dict[str, int] | None = None
        self._stopping = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._look: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int:
        """The watcher's process, 0 when none runs."""
        return self._process.pid if self._process else 0

    def notes(self) -> list[str]:
        """What a person should know of the watching."""
        found = []
        if self._limit is not None and self._limit["unwatched"]:
            found.append(
                f"the kernel gives no more watches (fs.inotify.max_user_watches is {self._limit['limit']}): "
                f"{self._limit['unwatched']} folders are looked at every {self._config.poll_seconds:g} s instead"
            )
        found += [
            f"{root.fs_type}: what other machines change there is seen at the next walk, "
            f"every {self._config.remote_minutes:g} minutes"
            for root in self._roots.mine()
            if root.watched and root.remote
        ]
        return found

    async def watch(self, root: Root) -> None:
        """Has a root watched; returns when all its watches stand, or at once when they do. A root of a network, or one
        that was added to be walked once, is not watched."""
        if not root.watched or root.remote or root.local is None or self._stopping:
            return
        placed = self._placed.get(root.id)
        if placed is None:
            placed = self._placed[root.id] = asyncio.get_running_loop().create_future()
            self._send({
                "op": "root", "root": root.id, "top": root.local, "only": root.only_name,
                "exclude": [*self._config.exclude, *root.exclude],
            })  # fmt: skip
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await asyncio.shield(placed)
        except (TimeoutError, ConnectionError) as error:
            log.warning("a root is not watched", extra={"root": root.id, "why": type(error).__name__})

    def drop(self, root: int) -> None:
        """A root is forgotten."""
        if self._placed.pop(root, None) is not None:
            self._send({"op": "drop", "root": root})

    # -------------------------------------------------------------- the process

    def _send(self, message: dict[str, Any]) -> None:
        channel = self._start()
        if channel is not None:
            channel.send(msgpack.packb(message, use_bin_type=True))

    def _start(self) -> Channel | None:
        if self._channel is not None and not self._channel.closed:
            return self._channel
        try:
            self._process, ours = start_program("mediad.workers.watch")
        except OSError as error:
            log.warning("the watcher cannot be started", extra={"why": error.strerror})
            return None
        self._channel = Channel(ours, ours, self._message, self._ended, most=_MESSAGE_BYTES)
        config = self._config
        tuning = {"op": "settle", "quiet": config.settle_seconds, "longest": 1.0, "poll": config.poll_seconds}
        self._channel.send(msgpack.packb(tuning, use_bin_type=True))
        return self._channel

    def _ended(self, _reason: str) -> None:
        """The watcher is gone: another takes its place, and everything is walked once."""
        self._reap()
        for placed in self._placed.values():
            if not placed.done():
                placed.set_exception(ConnectionError("the watcher ended"))
                placed.exception()
        self._placed.clear()
        if not self._stopping:
            log.warning("the watcher ended; it is started again")
            asyncio.get_running_loop().call_later(_RESTART_SECONDS, self._walk_all)

    def _reap(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            asyncio.get_running_loop().call_later(0.5, self._process.poll)
        self._process = None

    def stop(self) -> None:
        """The daemon ends."""
        self._stopping = True
        if self._look is not None:
            self._look.cancel()
        for task in self._tasks:
            task.cancel()
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._reap()

    # -------------------------------------------------------------- what it says

    def _message(self, message: Any) -> None:
        if "dirty" in message:
            self._dirty(message["dirty"])
        elif "moved" in message:
            self._moved(message["moved"])
        elif "watching" in message:
            placed = self._placed.get(message["root"])
            if placed is not None and not placed.done():
                placed.set_result((message["watching"], message["unwatched"]))
        elif "overflow" in message:
            log.warning("the kernel's queue of events was full: everything is walked")
            self._walk_all()
        elif "limit" in message:
            self._limit = message["limit"]
            log.warning("the kernel gives no more watches", extra=dict(message["limit"]))
        elif "gone" in message:
            self._placed.pop(message["gone"], None)
            self._look_soon()
        elif "mounts" in message:
            self._look_soon()

    def _dirty(self, entries: list[Any]) -> None:
        by_root: dict[int, tuple[dict[bytes, bool], dict[bytes, set[bytes]]]] = {}
        for number, path, deep, busy in entries:
            dirs, names = by_root.setdefault(number, ({}, {}))
            dirs[path] = dirs.get(path, False) or deep
            names.setdefault(path, set()).update(busy)
        for number, (dirs, names) in by_root.items():
            self._roots.touch(number, dirs, names)

    def _moved(self, entries: list[Any]) -> None:
        """A renamed folder: the walk of the folders it left and came to finds it, unless an earlier walk has already;
        then it is looked at itself."""
        for number, path, number2, path2 in entries:
            self._roots.touch(number, {path.rpartition(b"/")[0]: False}, {})
            self._roots.touch(number2, {path2.rpartition(b"/")[0]: False, path2: True}, {})

    def _walk_all(self) -> None:
        for root in self._roots.mine():
            if root.watched and root.local is not None and not self._stopping:
                self._roots.scan_again(root)

    def _look_soon(self) -> None:
        if self._look is None and not self._stopping:
            self._look = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look_now)

    def _look_now(self) -> None:
        self._look = None
        task = asyncio.get_running_loop().create_task(self._look_at_mounts())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_at_mounts(self) -> None:
        """Something was mounted or unmounted: roots that were away may be back, others may be away."""
        for root in await self._roots.look_again():
            self._placed.pop(root.id, None)
            self._roots.scan_again(root)
