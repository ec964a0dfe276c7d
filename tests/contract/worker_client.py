"""The daemon's end of the handler contract, small and blocking: real processes, sockets and descriptors."""

from __future__ import annotations

import array
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgpack

SECONDS = 20.0  # to wait for a message: far more than any test needs


class Answers:
    """Messages from a pipe; `next` gives None at its end. `writes` keeps the bytes of each read."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.writes: list[bytes] = []
        self._unpacker = msgpack.Unpacker(max_buffer_size=1 << 26)

    def next(self, seconds: float = SECONDS) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            for message in self._unpacker:
                return message
            if not select.select([self.descriptor], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise TimeoutError("no message came")
            data = os.read(self.descriptor, 1 << 20)
            if not data:
                return None
            self.writes.append(data)
            self._unpacker.feed(data)


class Process:
    """A handler process with a socket as standard input and a pipe as standard output."""

    def __init__(self, command: Sequence[str | Path], environment: dict[str, str] | None = None) -> None:
        self.socket, theirs = socket.socketpair()
        reading, writing = os.pipe()
        self.errors, errors = os.pipe2(os.O_CLOEXEC)
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            list(map(str, command)), stdin=theirs.fileno(), stdout=writing, stderr=errors,
            start_new_session=True,
            env={"PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
        )  # fmt: skip
        theirs.close()
        os.close(writing)
        os.close(errors)
        self.answers = Answers(reading)

    def send(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        send(self.socket, message, descriptors)

    def ask(self, op: str, paths: Sequence[Path], number: int = 1, **options: Any) -> None:
        descriptors = [os.open(path, os.O_RDONLY) for path in paths]
        files = [{"name": path.name.encode()} for path in paths]
        self.send({"id": number, "op": op, "files": files, "options": options}, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)

    def finish(self) -> int:
        """Closes its standard input and waits; its exit status."""
        self.socket.close()
        status: int = self.process.wait(SECONDS)
        return status

    def read_errors(self) -> str:
        """What has arrived on its standard error."""
        return os.read(self.errors, 1 << 20).decode("utf-8", "replace")

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: the children of a bad handler too
        except ProcessLookupError:
            pass
        self.process.wait()
        self.socket.close()
        os.close(self.answers.descriptor)
        os.close(self.errors)


def send(target: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    data = msgpack.packb(message)
    sent = target.sendmsg([data], ancillary)
    if sent < len(data):  # an empty write to a worker that has ended already would be an error
        target.sendall(data[sent:])
