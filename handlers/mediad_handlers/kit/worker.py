"""The persistent worker: requests with descriptors in, answers out (handlers/README.md, As a worker).

One request at a time, one file at a time. An answer and the `begin` of the next file leave in one write, so that the
file begun and not answered is always the one that a death is blamed on.
"""

from __future__ import annotations

import array
import io
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgpack

from mediad_handlers.kit import answer, text
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File

ANSWERS = 3  # the descriptor that answers go to; 1 is the same as 2 by then
REQUEST_BYTES = 64 * 1024  # of one receive; a longer request comes in several
TWO_DESCRIPTORS = frozenset(("write",))  # operations whose files come with a second one, open for writing
DESCRIPTORS = 64  # in one message (SCM_MAX_FD is 253; the contract says 64)
ANSWER_BYTES = 1024 * 1024  # the contract's limit of one answer
PROGRESS_SECONDS = 0.5  # the contract asks for one report a second at least
RECYCLE = 75  # exit status EX_TEMPFAIL: the file was answered, this process should not go on


class Report:
    """What an operation says before its answer: how far it is (`report(bytes)`), and pieces of the answer."""

    def __init__(self, head: Mapping[str, Any], pack: Callable[[Any], bytes]) -> None:
        self._head = head
        self._pack = pack
        self._last = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._last >= PROGRESS_SECONDS:
            self._last = now
            _write(self._pack({**self._head, "progress": done}))

    def piece(self, value: dict[str, Any]) -> None:
        """A piece of the answer (handlers/README.md, `text`)."""
        self._last = time.monotonic()
        _write(self._pack({**self._head, "piece": value}))


# (file, options, report, descriptor of the temporary or -1) -> answer
Operation = Callable[[File, Mapping[str, Any], Report, int], dict[str, Any]]


def move_answers_away() -> None:
    """Descriptor 1 becomes ANSWERS, and standard output becomes standard error: a stray print of a library must not
    end up between two answers. To be called before any library is imported."""
    os.dup2(1, ANSWERS, inheritable=False)
    os.dup2(2, 1)
    sys.stdout = sys.stderr = io.TextIOWrapper(_Log(), "utf-8", "backslashreplace", write_through=True)


class _Log(io.RawIOBase):
    """Standard error that never fails: a log that is full, gone, or a file beyond RLIMIT_FSIZE loses a line, and must
    not cost a file its answer."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            os.write(2, data)
        except OSError:
            pass
        return len(data)


def serve(manifest: bytes, operations: Mapping[str, Operation]) -> int:
    """Announces `manifest` (packed), then answers requests until standard input ends. Returns the exit status: 0, or
    RECYCLE after memory or the stack ran out."""
    _write(manifest)
    source = _Requests()
    pack = msgpack.Packer(unicode_errors="replace").pack
    while (request := source.next()) is not None:
        try:
            status = _answer_all(request, source, operations, pack)
        finally:
            source.close_taken()
        if status:
            return status
    return 0


class _Requests:
    """Requests and their descriptors from the unix stream socket at descriptor 0.

    Descriptors arrive with the first byte of the message they belong to and in order, so a queue pairs them."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=0)  # all said: nothing is asked
        self._unpacker = msgpack.Unpacker(max_buffer_size=1024 * 1024, raw=False, strict_map_key=False)
        self._arrived: deque[int] = deque()
        self._taken: list[int] = []

    def next(self) -> dict[str, Any] | None:
        """The next request; None at the end of input."""
        while True:
            for request in self._unpacker:
                if type(request) is dict:
                    return request
            space = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize)
            data, ancillary, flags, _ = self._socket.recvmsg(REQUEST_BYTES, space, socket.MSG_CMSG_CLOEXEC)
            for level, kind, payload in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    received = array.array("i")
                    received.frombytes(payload[: len(payload) - len(payload) % received.itemsize])
                    self._arrived.extend(received)
            if flags & socket.MSG_CTRUNC:
                raise OSError("descriptors were lost: more came than fit")
            if not data:
                return None
            self._unpacker.feed(data)

    def take(self, count: int) -> list[int]:
        """The next `count` descriptors (fewer when fewer came); closed by `close_taken` at the latest."""
        self._taken = [self._arrived.popleft() for _ in range(min(count, len(self._arrived)))]
        return list(self._taken)

    def close(self, descriptor: int) -> None:
        self._taken.remove(descriptor)
        os.close(descriptor)

    def close_taken(self) -> None:
        while self._taken:
            os.close(self._taken.pop())


def _answer_all(
    request: dict[str, Any], source: _Requests, operations: Mapping[str, Operation], pack: Callable[[Any], bytes]
) -> int:
    number = request.get("id", 0)
    files = request.get("files")
    files = files if type(files) is list else []
    options = request.get("options")
    options = options if type(options) is dict else {}
    operation = operations.get(str(request.get("op")))
    targets = str(request.get("op")) in TWO_DESCRIPTORS
    descriptors = source.take(len(files) * (2 if targets else 1))
    if files:
        _write(pack({"id": number, "i": 0, "begin": True}))
    for index, entry in enumerate(files):
        head = {"id": number, "i": index}
        place = index * 2 if targets else index
        descriptor = descriptors[place] if place < len(descriptors) else -1
        target = descriptors[place + 1] if targets and place + 1 < len(descriptors) else -1
        name = entry.get("name", b"") if type(entry) is dict else b""
        message, status = _answer_one(operation, descriptor, target, name, options, head, pack)
        for used in (descriptor, target):
            if used >= 0:
                source.close(used)
        if index + 1 < len(files) and not status:
            message += pack({"id": number, "i": index + 1, "begin": True})
        _write(message)
        if status:
            return status
    return 0


def _answer_one(
    operation: Operation | None,
    descriptor: int,
    target: int,
    name: bytes | str,
    options: Mapping[str, Any],
    head: dict[str, Any],
    pack: Callable[[Any], bytes],
) -> tuple[bytes, int]:
    """(packed answer, exit status or 0). The boundary of one file: nothing that a parser does passes it."""
    report = Report(head, pack)
    status = 0
    try:
        if operation is None:
            raise HandlerError("unsupported", "there is no such operation")
        if descriptor < 0:
            raise HandlerError("io", "no descriptor came with this file")
        shown = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else bytes(name)
        with File(descriptor, shown) as file:
            message = pack({**head, "ok": operation(file, options, report, target)})
        if len(message) > ANSWER_BYTES:
            raise HandlerError("limit", f"the answer has {len(message)} bytes; {ANSWER_BYTES} is the most")
        return message, 0
    except HandlerError as fault:
        error: dict[str, Any] = {"code": fault.code, "message": str(fault.message)[:1000]}
        if fault.partial is not None:
            error["partial"] = fault.partial
        if fault.memory:
            error["memory"] = fault.memory
        if fault.hint:
            error["hint"] = fault.hint
    except MemoryError:
        error, status = {"code": "limit", "message": "memory ran out"}, RECYCLE
    except RecursionError:
        error, status = {"code": "limit", "message": "nested too deeply"}, RECYCLE
    except Exception as fault:  # noqa: BLE001 - the outermost boundary of one file
        print(f"{name!r}: {type(fault).__name__}: {fault}", file=sys.stderr)
        error = {"code": "internal", "message": f"{type(fault).__name__}: {fault}"[:1000]}
    return pack({**head, "error": error}), status


def bind_operations(
    choose: Callable[[File, str], Any], *, writes: bool = False, previews: bool = False
) -> dict[str, Operation]:
    """The operations of an application; `choose(file, name or "")` gives the handler for a file. `write` and `preview`
    are served only by a worker that was started for them: the one has another sandbox, the other Pillow's decoders."""

    def pick(file: File, options: Mapping[str, Any]) -> Any:
        return choose(file, str(options.get("handler", "")))

    def read(file: File, options: Mapping[str, Any], report: Report, target: int) -> dict[str, Any]:
        return answer.read(pick(file, options), file)

    def checksum(file: File, options: Mapping[str, Any], report: Report, target: int) -> dict[str, Any]:
        return answer.checksum(pick(file, options), file, options, report)

    def words(file: File, options: Mapping[str, Any], report: Report, target: int) -> dict[str, Any]:
        return text.answer(pick(file, options), file, options, report.piece)

    def fold(file: File, options: Mapping[str, Any], report: Report, target: int) -> dict[str, Any]:
        return text.fold(file, report.piece)

    operations: dict[str, Operation] = {"read": read, "checksum": checksum, "text": words, "fold": fold}
    if previews:
        from mediad_handlers.kit import preview

        def show(file: File, options: Mapping[str, Any], report: Report, target: int) -> dict[str, Any]:
            return preview.answer(pick(file, options), file, options, report.piece)

        operations["preview"] = show
    if writes:
        from mediad_handlers.kit import editing  # here: what it imports must be there before lock-down

        def write(file: File, options: Mapping[str, Any], report: Report, target: int) -> dict[str, Any]:
            if target < 0:
                raise HandlerError("io", "no descriptor to write into came with this file")
            answered: dict[str, Any] = editing.write(pick(file, options), file, options, target)
            return answered

        operations["write"] = write
    return operations


def _write(data: bytes) -> None:
    """All of `data`, in one write(2) as long as the pipe takes it."""
    sent = os.write(ANSWERS, data)
    while sent < len(data):
        sent += os.write(ANSWERS, data[sent:])
