"""Workers of one application: born when there is work, watched while they work, gone when idle.

A worker has one request under way. Its deadline is per file and starts anew with each begin, answer or progress; when
it passes, or the worker says what the contract does not allow, it is killed: the file in hand is to blame, the others
are asked again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from mediad.model import Answer
from mediad.workers.application import Application, Birth, attach, end
from mediad.workers.protocol import Exchange, Garbage, pack_request, parse_manifest

log = logging.getLogger(__name__)

# A worker is replaced after so many files, or when it has grown beyond this: libraries leak.
RECYCLE_FILES = 20_000
RECYCLE_BYTES = 80 << 20
# How often the memory of a busy worker is looked at that does not limit itself (settled 21: a limit of the address
# space keeps Node from starting).
MEMORY_SECONDS = 0.1
_PAGE = 4096


class Worker:
    """One worker process."""

    def __init__(self, birth: Birth) -> None:
        self.birth = birth
        self.files = 0
        self.exchange: Exchange | None = None
        self.failure = ""
        self.sandbox = ""
        self._number = 0
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._seconds = 0.0
        self._touched = 0.0
        self._known = False
        self.channel = attach(birth, self._message, self._ended)
        self._loop.add_reader(birth.pidfd, self._exited)

    @property
    def alive(self) -> bool:
        """It can take a request."""
        return not self.channel.closed

    def _message(self, message: Any) -> None:
        if not self._known:
            self.sandbox = parse_manifest(message).sandbox
            self._known = True
            return
        if self.exchange is None:
            raise Garbage("an answer to no request")
        if self.exchange.receive(message):
            self._touched = self._loop.time()
        if self.exchange.done:
            self._finish()

    def _exited(self) -> None:
        """The process is gone; its end of the pipe may live on in children."""
        self._loop.remove_reader(self.birth.pidfd)
        self.channel.expect_end()

    def _ended(self, reason: str) -> None:
        self._loop.remove_reader(self.birth.pidfd)
        self.failure = self.failure or reason or "it ended"
        end(self.birth)
        self._finish()

    def _finish(self) -> None:
        self.exchange = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _watch(self) -> None:
        late = self._touched + self._seconds - self._loop.time()
        most = self.birth.memory
        self._timer = None
        if late <= 0:
            self.kill(f"no answer for {self._seconds:g} s")
        elif most and self.resident() > most:
            self.kill(f"it took more than {most >> 20} MB of memory")
        else:
            self._timer = self._loop.call_later(min(late, MEMORY_SECONDS) if most else late, self._watch)

    def kill(self, why: str) -> None:
        """Ends it now."""
        self.failure = self.failure or why
        if not self.channel.closed:
            self.channel.close()
            self._ended(why)

    async def run(
        self,
        op: str,
        files: list[tuple[dict[str, Any], int]],
        options: dict[str, Any],
        seconds: float,
        on_answer: Callable[[int, Answer], None],
        on_progress: Callable[[int, int], None] | None,
        targets: Sequence[int] = (),
        on_piece: Callable[[int, dict[str, Any]], None] | None = None,
    ) -> int:
        """Asks for one batch; returns the index of the file that was in hand when the worker died, or -1. `targets`:
        the second descriptor of each file (op `write`). The descriptors stay the caller's."""
        self._number += 1
        exchange = self.exchange = Exchange(self._number, len(files), on_answer, on_progress, on_piece)
        self._done = self._loop.create_future()
        self._seconds, self._touched = seconds, self._loop.time()
        self._watch()
        fds = tuple(fd for _, fd in files if fd >= 0)
        if targets:
            fds = tuple(fd for pair in zip(fds, targets, strict=True) for fd in pair)
        self.channel.send(pack_request(self._number, op, [facts for facts, _ in files], options), fds)
        try:
            await self._done
        except asyncio.CancelledError:
            self.kill("cancelled")
            raise
        self.files += exchange.answered
        if exchange.done:
            return -1
        return exchange.answered if exchange.begun == exchange.answered else -2

    def resident(self) -> int:
        """Bytes it has in memory (proc_pid_statm(5), field 2); 0 when it is gone."""
        try:
            with open(f"/proc/{self.birth.pid}/statm", "rb") as statm:
                return int(statm.read().split()[1]) * _PAGE
        except (OSError, IndexError, ValueError):
            return 0


class Pool:
    """At most `most` workers of one application. `memory`: bytes of address space of each, 0: the configuration's."""

    def __init__(self, application: Application, most: int, idle_seconds: float, memory: int = 0) -> None:
        self.application = application
        self.most = most
        self.memory = memory
        self.failures = 0
        self.workers: list[Worker] = []
        self._idle: deque[Worker] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle_seconds = idle_seconds
        self._born = 0
        self._timer: asyncio.TimerHandle | None = None

    async def _acquire(self) -> Worker:
        while True:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                self._forget(worker)
            if len(self.workers) + self._born < self.most:
                self._born += 1
                self.application.in_use.add(self)
                try:
                    worker = Worker(await self.application.spawn(self.memory))
                except BaseException:
                    if not self.workers and self._born == 1:
                        self.application.in_use.discard(self)
                    self._wake()
                    raise
                finally:
                    self._born -= 1
                self.workers.append(worker)
                return worker
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake()
                raise

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _forget(self, worker: Worker) -> None:
        if worker in self.workers:
            self.workers.remove(worker)

    def _release(self, worker: Worker) -> None:
        if worker.alive and (worker.files >= RECYCLE_FILES or worker.resident() > RECYCLE_BYTES):
            worker.kill("recycled")
        if worker.alive:
            self._idle.append(worker)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire)
        else:
            self._forget(worker)
        self._wake()

    def _retire(self) -> None:
        """Everything idle leaves together, the warm process last: an idle board sleeps."""
        self._timer = None
        busy = [w for w in self.workers if w.exchange is not None]
        if busy or self._born:
            self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire)
            return
        self.close()

    async def run(self, op: str, files: list[tuple[dict[str, Any], int]], options: dict[str, Any], *, seconds: float,
                  on_answer: Callable[[int, Answer], None],
                  on_progress: Callable[[int, int], None] | None = None,
                  targets: Sequence[int] = (),
                  on_piece: Callable[[int, dict[str, Any]], None] | None = None) -> list[int]:  # fmt: skip
        """Asks for a batch (`targets`: descriptors to write into, one a file); every file gets exactly one answer, or
        is in the returned list: not asked, because the worker died before its turn. A file that killed its worker gets
        Answer(died=True).

        Raises Unavailable when no worker starts."""
        worker = await self._acquire()
        answered = 0

        def count(i: int, answer: Answer) -> None:
            nonlocal answered
            answered += 1
            on_answer(i, answer)

        try:
            blamed = await worker.run(op, files, options, seconds, count, on_progress, targets, on_piece)
        finally:
            self._release(worker)
        if blamed == -1:
            return []
        self.failures += 1
        log.warning("worker failed", extra={"application": self.name, "why": worker.failure})
        if blamed < 0 and worker.files == 0:
            blamed = 0  # a new worker that did not even begin: somebody must be to blame, or it goes on for ever
        if blamed >= 0:
            on_answer(
                blamed, Answer(code="internal", message=f"the handler did not survive it: {worker.failure}", died=True)
            )
            return list(range(blamed + 1, len(files)))
        return list(range(answered, len(files)))

    @property
    def name(self) -> str:
        """The application's name, or how it is started."""
        manifest = self.application.manifest
        return manifest.application if manifest else self.application.command.argv[-1]

    def close(self) -> None:
        """Ends all workers, and the warm process when no other pool has workers of it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for worker in self.workers:
            worker.kill("closed")
        self.workers.clear()
        self._idle.clear()
        self.application.in_use.discard(self)
        if not self.application.in_use:
            self.application.cool_down()
