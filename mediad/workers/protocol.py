"""The daemon's half of the handler contract (handlers/README.md), without I/O: requests out, answers checked in.

`Exchange` is one request of up to 64 files. What a worker may say at any moment is a short list; anything else is
`Garbage`, and its worker is killed: a garbage answer hurts one file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack

from mediad.model import Answer

CONTRACT = 1
# Descriptors in one message: the kernel takes 253 (SCM_MAX_FD); 64 already cost 6 us a file instead of 49.
BATCH_FILES = 64
# A longer answer is a fault of the handler: 256 KiB of values and 2,000 tags fit four times.
ANSWER_BYTES = 1 << 20
_CODES = frozenset({"unsupported", "corrupt", "io", "limit", "internal"})


class Garbage(Exception):
    """The worker said what the contract does not allow here."""


@dataclass(frozen=True, slots=True)
class HandlerFacts:
    """One handler of an application, from its manifest."""

    name: str
    version: int
    summary: str
    kinds: tuple[str, ...]
    extensions: tuple[str, ...]
    operations: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an application announces before anything else."""

    application: str
    version: str
    descriptors: bool
    sandbox: str
    handlers: tuple[HandlerFacts, ...]


def parse_manifest(message: Any) -> Manifest:
    """Checks a manifest. Raises Garbage naming what is wrong with it."""
    if not isinstance(message, dict) or message.get("contract") != CONTRACT:
        raise Garbage(f"no manifest of contract {CONTRACT}")
    handlers = message.get("handlers")
    application = message.get("application")
    if not isinstance(application, str) or not isinstance(handlers, list) or not handlers:
        raise Garbage("a manifest without application or handlers")
    return Manifest(
        application, str(message.get("version", "")), message.get("descriptors") is not False,
        str(message.get("sandbox", "")), tuple(_handler_facts(h) for h in handlers),
    )  # fmt: skip


def _handler_facts(row: Any) -> HandlerFacts:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str) or not isinstance(row.get("version"), int):
        raise Garbage("a handler without name or version")

    def texts(key: str) -> tuple[str, ...]:
        value = row.get(key) or ()
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise Garbage(f"{row['name']}: {key} is no list of texts")
        return tuple(value)

    return HandlerFacts(
        row["name"], row["version"], str(row.get("summary", "")), texts("kinds"),
        tuple(e.lower() for e in texts("extensions")), texts("operations"), texts("fields"),
    )  # fmt: skip


def pack_request(number: int, op: str, files: list[dict[str, Any]], options: dict[str, Any]) -> bytes:
    """The bytes of a request; the descriptors go with them."""
    packed: bytes = msgpack.packb({"id": number, "op": op, "files": files, "options": options}, use_bin_type=True)
    return packed


class Exchange:
    """One request under way: which file is begun, which are answered.

    `on_answer(i, Answer)` is called once a file, in order; `on_progress(i, bytes)` for long work; `on_piece(i, piece)`
    for what comes before an answer (op `text`); it raises Garbage for what it did not ask for."""

    __slots__ = ("_furthest", "answered", "begun", "count", "number", "on_answer", "on_piece", "on_progress")

    def __init__(
        self,
        number: int,
        count: int,
        on_answer: Callable[[int, Answer], None],
        on_progress: Callable[[int, int], None] | None = None,
        on_piece: Callable[[int, dict[str, Any]], None] | None = None,
    ) -> None:
        self.number = number
        self.count = count
        self.begun = -1
        self.answered = 0
        self._furthest = -1
        self.on_answer = on_answer
        self.on_progress = on_progress
        self.on_piece = on_piece

    @property
    def done(self) -> bool:
        """Every file has its answer."""
        return self.answered == self.count

    def receive(self, message: Any) -> bool:
        """Takes one message of the worker; returns whether it got further by it: progress that does not grow is none.
        Raises Garbage."""
        if not isinstance(message, dict) or message.get("id") != self.number:
            raise Garbage("an answer to no request")
        i = message.get("i")
        if i != self.answered or self.done:
            raise Garbage("an answer out of order")
        if message.get("begin"):
            if self.begun == i:
                raise Garbage("begun twice")
            self.begun, self._furthest = i, -1
            return True
        progress = message.get("progress")
        if progress is not None:
            if type(progress) is not int or progress < 0 or self.begun != i:
                raise Garbage("progress that is no number of bytes")
            if self.on_progress is not None:
                self.on_progress(i, progress)
            further = progress > self._furthest
            self._furthest = max(progress, self._furthest)
            return further
        piece = message.get("piece")
        if piece is not None:
            if self.on_piece is None or self.begun != i or not isinstance(piece, dict):
                raise Garbage("a piece that nobody asked for")
            self.on_piece(i, piece)
            return True
        if self.begun != i:
            raise Garbage("an answer before its begin")
        answer = _answer(message)
        self.answered += 1
        self.on_answer(i, answer)
        return True


def _answer(message: dict[str, Any]) -> Answer:
    ok = message.get("ok")
    if isinstance(ok, dict):
        return Answer(ok=ok)
    error = message.get("error")
    if isinstance(error, dict) and error.get("code") in _CODES:
        partial = error.get("partial")
        kept = partial if isinstance(partial, dict) else None
        memory = error.get("memory")
        return Answer(
            ok=kept, code=error["code"], message=str(error.get("message", ""))[:500],
            memory=memory if type(memory) is int and memory > 0 else 0,
        )  # fmt: skip
    raise Garbage("neither ok nor error")
