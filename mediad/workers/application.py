"""A handler application: how it is started, its warm process (zygote), its workers' birth and death.

A worker forked from the warm process is ready in 2 ms and 6 MB; a fresh one takes 200 ms and 25 MB. An application that
does not know `--zygote` is started anew each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgpack

from mediad.errors import Unavailable
from mediad.workers.channel import Channel
from mediad.workers.protocol import ANSWER_BYTES, Garbage, Manifest, parse_manifest

# Importing every library takes 0.3 s here and some seconds on the board.
START_SECONDS = 30.0
# A worker that does not limit itself is watched (pool); should it grow faster than that, the kernel stops it here: at
# so many times its memory, since runtimes map more than they use.
_DATA_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Command:
    """How an application is started: `argv` without the contract's word; `warm` when it knows --zygote."""

    argv: tuple[str, ...]
    warm: bool = False


@dataclass(slots=True)
class Birth:
    """A new worker: its channel ends, and a pidfd that can kill it whoever its parent is. `memory`: resident bytes at
    which the daemon ends it, 0 for one that limits itself."""

    pid: int
    pidfd: int
    requests: socket.socket
    answers: int
    process: subprocess.Popen[bytes] | None
    memory: int = 0


@dataclass(slots=True)
class _Waiting:
    future: asyncio.Future[int]
    ends: list[int] = field(default_factory=list)


def _environment(memory: int) -> dict[str, str]:
    """A worker gets no environment to speak of: what Python needs to find itself, a UTF-8 locale, its memory."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "HOME", "PYTHONWARNINGS")}
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "MEDIADB_WORKER_MEMORY": str(memory)}


class Application:
    """One application. `spawn` gives birth to workers; the manifest is known after the first `warm_up` or birth."""

    def __init__(self, command: Command, memory: int, log_stderr: bool) -> None:
        self.command = command
        self.manifest: Manifest | None = None
        self._memory = memory
        self._stderr = None if log_stderr else subprocess.DEVNULL
        self._zygote: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._ready: asyncio.Future[Manifest] | None = None
        self._forks: dict[int, _Waiting] = {}
        self._number = 0
        self.in_use: set[object] = set()  # the pools whose workers would die with the warm process

    # -------------------------------------------------------------- the warm process

    async def warm_up(self) -> Manifest:
        """Makes sure that the manifest is known; starts the warm process when there is none.

        Raises Unavailable when the application does not start or does not keep the contract."""
        if not self.command.warm:
            if self.manifest is None:
                self.manifest = await self._describe()
            return self.manifest
        if self._ready is None or (self._ready.done() and (self._channel is None or self._channel.closed)):
            self._ready = asyncio.get_running_loop().create_future()
            self._start_zygote()
        try:
            async with asyncio.timeout(START_SECONDS):
                self.manifest = await asyncio.shield(self._ready)
        except TimeoutError:
            self.cool_down()
            raise Unavailable("the handler application does not start", self.command.argv[-1]) from None
        return self.manifest

    async def _describe(self) -> Manifest:
        """The manifest of an application that has no warm process: started as a worker, asked nothing."""
        birth = self._fresh(self._memory)
        told: asyncio.Future[Manifest] = asyncio.get_running_loop().create_future()
        channel = attach(
            birth, lambda message: _settle(told, message), lambda reason: _fail(told, reason, self.command.argv[-1])
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                return await told
        except TimeoutError:
            raise Unavailable("the handler application does not start", self.command.argv[-1]) from None
        finally:
            channel.close()
            end(birth)

    def _start_zygote(self) -> None:
        self._zygote, ours, answers = self._popen("--zygote", self._memory)
        self._channel = Channel(answers, ours, self._from_zygote, self._zygote_ended, most=ANSWER_BYTES)

    def _popen(self, word: str, memory: int) -> tuple[subprocess.Popen[bytes], socket.socket, int]:
        """The application under one of the contract's words, with our ends: (process, its input, its output)."""
        ours, theirs = socket.socketpair()
        answers, write_end = os.pipe2(os.O_CLOEXEC)
        try:
            process = subprocess.Popen(
                [*self.command.argv, word], stdin=theirs.fileno(), stdout=write_end, stderr=self._stderr,
                env=_environment(memory), start_new_session=True, close_fds=True,
            )  # fmt: skip
        except OSError as error:
            ours.close()
            os.close(answers)
            raise Unavailable(f"a handler cannot be started: {error.strerror}", self.command.argv[0]) from error
        finally:
            theirs.close()
            os.close(write_end)
        return process, ours, answers

    def _from_zygote(self, message: Any) -> None:
        assert self._ready is not None and self._channel is not None
        if not self._ready.done():
            self._ready.set_result(parse_manifest(message))
            return
        if "fork" not in message:
            return  # the end of a child: its pipes told its worker already
        waiting = self._forks.pop(message["fork"], None)
        pid = message.get("pid")
        if not isinstance(pid, int):
            raise Garbage("a fork without a pid")
        # Until the ack the zygote does not reap: the pid cannot be another's.
        pidfd = os.pidfd_open(pid)
        self._channel.send(msgpack.packb({"ack": message["fork"]}))
        if waiting is None or waiting.future.done():
            os.close(pidfd)
            return
        waiting.future.set_result(pidfd << 32 | pid)

    def _zygote_ended(self, reason: str) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(
                Unavailable(f"the handler application ended at its start {reason}".strip(), self.command.argv[-1])
            )
            self._ready.exception()  # seen: nobody has to ask
        for waiting in self._forks.values():
            if not waiting.future.done():
                waiting.future.set_exception(Unavailable("the handler application ended", self.command.argv[-1]))
        self._forks.clear()
        _bury(self._zygote)
        self._zygote = None

    def cool_down(self) -> None:
        """Ends the warm process; its workers end by themselves (their parent's death is a signal to them)."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            self._zygote_ended("")

    # -------------------------------------------------------------- births

    async def spawn(self, memory: int = 0) -> Birth:
        """A new worker: forked from the warm process, or started. `memory`: bytes of address space, 0: the
        configuration's. Raises Unavailable."""
        await self.warm_up()
        if not self.command.warm:
            return self._fresh(memory or self._memory)
        assert self._channel is not None
        ours, theirs = socket.socketpair()
        answers, write_end = os.pipe2(os.O_CLOEXEC)
        self._number += 1
        number = self._number
        waiting = _Waiting(asyncio.get_running_loop().create_future())
        self._forks[number] = waiting
        asked = {"fork": number, "memory": memory} if memory else {"fork": number}
        self._channel.send(msgpack.packb(asked), (theirs.fileno(), write_end))
        born = False
        try:
            async with asyncio.timeout(START_SECONDS):
                both = await waiting.future
            born = True
        except (TimeoutError, Unavailable):
            raise Unavailable("the handler application does not fork", self.command.argv[-1]) from None
        finally:
            theirs.close()
            os.close(write_end)
            if not born:
                ours.close()
                os.close(answers)
        return Birth(both & 0xFFFFFFFF, both >> 32, ours, answers, None)

    def _fresh(self, memory: int) -> Birth:
        process, ours, answers = self._popen("--worker", memory)
        with contextlib.suppress(ProcessLookupError):
            most = memory * _DATA_FACTOR
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (most, most))
        return Birth(process.pid, os.pidfd_open(process.pid), ours, answers, process, memory)


def attach(birth: Birth, on_message: Callable[[Any], None], on_end: Callable[[str], None]) -> Channel:
    """The channel to a new worker."""
    return Channel(birth.answers, birth.requests, on_message, on_end, most=ANSWER_BYTES)


def end(birth: Birth) -> None:
    """Kills a worker, whoever its parent is, and everything it started in its session."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(birth.pidfd, signal.SIGKILL)
    if birth.process is not None:
        # A worker we started leads its own process group: children that it forked go with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(birth.pid, signal.SIGKILL)
        _bury(birth.process)
    os.close(birth.pidfd)


def _bury(process: subprocess.Popen[bytes] | None) -> None:
    """Kills and reaps a child of ours without waiting for it."""
    if process is None or process.poll() is not None:
        return
    process.kill()
    loop = asyncio.get_running_loop()
    pidfd = os.pidfd_open(process.pid)

    def reap() -> None:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        process.poll()

    loop.add_reader(pidfd, reap)


def _settle(told: asyncio.Future[Manifest], message: Any) -> None:
    if not told.done():
        told.set_result(parse_manifest(message))


def _fail(told: asyncio.Future[Manifest], reason: str, name: str) -> None:
    if not told.done():
        told.set_exception(Unavailable(f"the handler application ended at its start {reason}".strip(), name))
