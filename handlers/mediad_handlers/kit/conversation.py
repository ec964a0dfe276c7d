"""The daemon's end of the contract, small and blocking: one worker process, requests, answers. For kit.conformance."""

from __future__ import annotations

import array
import os
import select
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgpack

SECONDS = 20.0  # the longest silence
ANSWER_BYTES = 1024 * 1024


class Broken(Exception):
    """The worker did what the contract does not allow; the text says what."""


class Conversation:
    """One worker. Raises Broken from every method when the contract is not kept."""

    def __init__(self, command: Sequence[str]) -> None:
        self._socket, theirs = socket.socketpair()
        self._answers, sink = os.pipe2(os.O_CLOEXEC)
        keep = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "HOME")
        self._process = subprocess.Popen(
            [*command, "--worker"], stdin=theirs.fileno(), stdout=sink, start_new_session=True,
            env={**{k: v for k, v in os.environ.items() if k in keep}, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        theirs.close()
        os.close(sink)
        self._unpacker = msgpack.Unpacker(max_buffer_size=8 * ANSWER_BYTES)
        self._number = 0
        try:
            self.manifest: dict[str, Any] = self._next()
        except Broken:
            self.close()
            raise
        self._descriptors = self.manifest.get("descriptors") is True if isinstance(self.manifest, dict) else True

    def ask(
        self,
        op: str,
        files: Sequence[Path],
        options: dict[str, Any] | None = None,
        *,
        more: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """The answers of one request, one a file, in order."""
        return self.receive(self.send(op, files, options, more=more), len(files))

    def send(
        self,
        op: str,
        files: Sequence[Path],
        options: dict[str, Any] | None = None,
        *,
        more: dict[str, Any] | None = None,
        in_pieces: bool = False,
    ) -> int:
        """One request; its number."""
        self._number += 1
        entries = [{"name": os.fsencode(path.name)} for path in files]
        descriptors: list[int] = []
        if self._descriptors:
            descriptors = [os.open(path, os.O_RDONLY) for path in files]
        else:
            for entry, path in zip(entries, files, strict=True):
                entry["path"] = os.fsencode(path)
        request = {"id": self._number, "op": op, "files": entries, "options": options or {}, **(more or {})}
        data: bytes = msgpack.packb(request)
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            cut = len(data) // 2 if in_pieces else len(data)
            sent = self._socket.sendmsg([data[:cut]], ancillary)
            self._socket.sendall(data[sent:])
        except OSError as fault:
            raise Broken(f"it does not take requests any more: {fault.strerror}") from fault
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return self._number

    def receive(self, number: int, count: int) -> list[dict[str, Any]]:
        """`count` answers of the request `number`, each after its begin."""
        answers = []
        for index in range(count):
            self._expect({"id": number, "i": index, "begin": True})
            message = self._next()
            while isinstance(message, dict) and "progress" in message and message.get("i") == index:
                message = self._next()
            answers.append(self._checked(message, number, index))
        return answers

    def ask_without_file(self, op: str) -> dict[str, Any]:
        """The answer to a request for one file whose descriptor, or path, leads nowhere."""
        self._number += 1
        entry: dict[str, Any] = {"name": b"nowhere"}
        if not self._descriptors:
            entry["path"] = b"/nonexistent/nowhere"
        self._socket.sendall(msgpack.packb({"id": self._number, "op": op, "files": [entry], "options": {}}))
        return self.receive(self._number, 1)[0]

    def finish(self) -> bytes:
        """Ends its input; what it still wrote. Broken when it does not end with status 0."""
        self._socket.shutdown(socket.SHUT_WR)
        rest = b""
        until = time.monotonic() + SECONDS
        while select.select([self._answers], [], [], max(until - time.monotonic(), 0))[0]:
            data = os.read(self._answers, 1 << 16)
            if not data:
                break
            rest += data
        try:
            status = self._process.wait(max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            raise Broken(f"it did not end within {SECONDS:g} s of the end of its input") from None
        if status != 0:
            raise Broken(f"at the end of its input it ended with status {status}, not 0")
        return rest

    def close(self) -> None:
        """Ends the process, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._socket.close()
        os.close(self._answers)

    def __enter__(self) -> Conversation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _expect(self, wanted: dict[str, Any]) -> None:
        message = self._next()
        if message != wanted:
            raise Broken(f"expected {wanted}, got {message!r:.200}")

    def _checked(self, message: Any, number: int, index: int) -> dict[str, Any]:
        if not isinstance(message, dict) or (message.get("id"), message.get("i")) != (number, index):
            raise Broken(f"expected the answer to file {index} of request {number}, got {message!r:.200}")
        if ("ok" in message) == ("error" in message):
            raise Broken(f"an answer has exactly one of ok and error: {message!r:.200}")
        error = message.get("error")
        if error is not None and not (isinstance(error, dict) and isinstance(error.get("message"), str)):
            raise Broken(f"an error has a code and a message: {message!r:.200}")
        return message

    def _next(self) -> Any:
        until = time.monotonic() + SECONDS
        while True:
            try:
                for message in self._unpacker:
                    return message
            except (ValueError, msgpack.UnpackException) as fault:
                raise Broken(f"its standard output is not msgpack: {fault}") from fault
            if not select.select([self._answers], [], [], max(until - time.monotonic(), 0))[0]:
                raise Broken(f"no message for {SECONDS:g} s")
            data = os.read(self._answers, 1 << 16)
            if not data:
                raise Broken(f"it ended, status {self._process.wait()}, where a message was expected")
            self._unpacker.feed(data)
