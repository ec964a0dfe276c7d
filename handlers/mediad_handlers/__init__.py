"""The built-in handlers, and their library form:

>>> from mediad_handlers import handle >>> song = handle("a.mp3") >>> song.meta.title, song.fields["artists"],
song.checksum("stream"), song.to_json()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediad_handlers.library import Result

__all__ = ["handle"]


def __getattr__(name: str) -> Any:
    """Loads the library form when it is asked for: a worker imports this package too and does not need it."""
    if name in ("handle", "Result", "Meta"):
        from mediad_handlers import library

        return getattr(library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if TYPE_CHECKING:
    from os import PathLike

    from mediad_handlers.kit.file import File

    def handle(path: bytes | str | PathLike[str] | File, *, defer_checksum: bool = True) -> Result: ...
