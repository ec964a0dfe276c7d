"""`media-handler`: all built-in handlers in one application, so that one warm worker serves every kind of file.

The content decides which handler reads a file, then its extension; what nobody claims goes to `file`. A format that is
recognised but that its handler does not read (PSD, JPEG XL ...) still gets a record: kind, format and fingerprint, with
a warning. It carries the handler's own name and version, so that the version that learns the format reads it again.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.fingerprint import whole
from mediad_handlers.kit.main import run
from mediad_handlers.kit.sniff import recognise, sniff

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler
    from mediad_handlers.kit.file import File

MODULES = ("audio", "image", "video", "document", "file")  # a distribution may leave one out; `file` is always there

_handlers: dict[str, Handler] = {}


def load() -> tuple[Handler, ...]:
    """The built-in handlers that are installed, in the order of MODULES."""
    for name in MODULES:
        if name in _handlers:
            continue
        found = find_spec(f"mediad_handlers.{name}")
        if found is not None and found.origin is not None:
            _handlers[name] = _with_fallback(import_module(f"mediad_handlers.{name}").HANDLER)
    return tuple(_handlers[name] for name in MODULES if name in _handlers)


def _with_fallback(handler: Handler) -> Handler:
    def read(file: File) -> Record:
        try:
            return handler.read(file)
        except HandlerError as fault:
            found = sniff(file) if fault.code == "unsupported" else None
            if found is None or found.handler != handler.name:
                raise
            text = f"{found.format}: recognised, not read: {fault.message}"
            return Record(found.kind, found.format, found.mime_type, warnings=[text], payload=whole(file))

    return replace(handler, read=read)


def choose(file: File, name: str) -> Handler:
    """The handler called `name`, or without a name the one whose file this is. Raises HandlerError `unsupported` for
    a name that no handler has."""
    if not _handlers:
        load()
    if name:
        if name not in _handlers:
            raise HandlerError("unsupported", f"there is no handler {name[:40]!r}")
        return _handlers[name]
    found = recognise(file)
    return _handlers.get(found.handler if found else "file", _handlers["file"])


def main() -> int:
    """The command `media-handler`; its exit status. `media-handler check COMMAND [SAMPLE...]` tries another handler."""
    if sys.argv[1:2] == ["check"]:
        from mediad_handlers.kit.conformance import check

        return check(sys.argv[2:])
    return run("media", load, choose)


if __name__ == "__main__":
    sys.exit(main())
