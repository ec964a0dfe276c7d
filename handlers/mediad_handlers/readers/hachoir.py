"""hachoir's parsers, one named class at a time, under limits: formats for which the house has no reader of its own.

hachoir is not preloaded: importing any one of its parsers imports all of them (176 modules, 9.6 MiB, 0.14 s on x86-64),
so a worker pays when it meets its first file of these formats. A worker that may not open files (seccomp, Landlock)
must import `mediad_handlers.readers.hachoir`'s PARSERS before its lock-down, or these formats must get a worker of
their own.

Not used: its guessing (`createParser`), its metadata extractors (they state 1904 dates and invent comments), its
`autofix` (it pads what is broken and goes on), its search through a file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.budget import BudgetStream
from mediad_handlers.kit.file import File

READ_BUDGET = 4 * 1024 * 1024  # bytes a parser may read of one file
FIELDS = 8_000  # fields of one set, MIDI events of one file (some 0.5 s on x86-64)
PARSERS = {
    "midi": ("hachoir.parser.audio.midi", "MidiFile"),
    "au": ("hachoir.parser.audio.au", "AuFile"),
    "ra": ("hachoir.parser.audio.real_audio", "RealAudioFile"),
    "rm": ("hachoir.parser.container.realmedia", "RealMediaFile"),
}
# what hachoir lets out of a broken file, beside its own FieldError and StreamError
_LEAKS = (
    LookupError, NameError, AttributeError, TypeError, ValueError, ArithmeticError, RuntimeError, OSError,
    AssertionError, MemoryError, StopIteration, struct.error,
)  # fmt: skip


def _load(format: str) -> Any:
    """The parser class of a format. hachoir's output is switched off: a worker's standard error is a log."""
    import hachoir.core.config as config
    from hachoir.core.log import log

    config.autofix = False
    config.quiet = True
    log.use_print = False
    module, name = PARSERS[format]
    return getattr(import_module(module), name)


def open_fields(file: File, format: str) -> Any:
    """The root field set of `file`, by the parser of PARSERS[format]; its fields are read when they are asked for, so
    that every use stands within `call`. Raises HandlerError `corrupt`, `limit`, `io`."""
    parser = _load(format)
    from hachoir.stream import InputIOStream

    return call(lambda: parser(InputIOStream(BudgetStream(file, READ_BUDGET), source="file")))


def open_bytes(data: bytes, format: str) -> Any:
    """The same of bytes that lie within another container."""
    parser = _load(format)
    from hachoir.stream import StringInputStream

    return call(lambda: parser(StringInputStream(data)))


def call(step: Callable[[], Any]) -> Any:
    """The result of `step`, a use of hachoir's fields. Raises HandlerError `corrupt` for whatever hachoir raises;
    HandlerError `limit` and `io` of the stream pass."""
    from hachoir.field import FieldError
    from hachoir.stream import StreamError

    try:
        return step()
    except (FieldError, StreamError, *_LEAKS) as fault:
        raise HandlerError("corrupt", f"{type(fault).__name__}: {fault}"[:200]) from fault


def value(fields: Any, path: str) -> Any:
    """The value of one field; None where the format's version has no such field. Raises HandlerError `corrupt` when
    the file ends or breaks before it."""
    from hachoir.field import MissingField

    def take() -> Any:
        try:
            return fields[path].value
        except MissingField:
            return None

    return call(take)


def iterate(fields: Any) -> Iterator[Any]:
    """The fields of a set, FIELDS at most. Raises HandlerError `corrupt` where they break, `limit` beyond."""
    walk = iter(fields)
    for _ in range(FIELDS):
        field = call(lambda: next(walk, None))
        if field is None:
            return
        yield field
    raise HandlerError("limit", f"more than {FIELDS} fields")
