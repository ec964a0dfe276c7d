"""Small pictures of files (op `preview`): `inside` finds what is to be shown, `draw` makes it small with Pillow.

What a preview shows: of a picture itself, of a RAW file the JPEG its camera put in, of songs, films and books their
cover, of other documents the thumbnail their program stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediad_handlers.kit.api import HandlerError

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler, Preview
    from mediad_handlers.kit.file import File

SIZES = (128, 320, 800, 1280, 1920)  # pixels of the longer side
PRELOAD = ("mediad_handlers.preview.draw", "mediad_handlers.preview.inside", "mediad_handlers.preview.raw")


def prepare(memory: int) -> bool:
    """Imports the decoders, which a worker for reading does without, and notes how much of `memory` (bytes of address
    space, 0: no limit) is left: called before lock-down. Returns whether one of them works with threads."""
    from importlib import import_module

    for module in PRELOAD:
        import_module(module)
    from mediad_handlers.preview import draw

    return draw.prepare(memory)


def do_without_threads() -> None:
    """This process may start no thread: what would wait for one for ever is not decoded."""
    from mediad_handlers.preview import draw

    draw.do_without_threads()


def make(handler: Handler, file: File, size: int) -> Preview:
    """The preview of a file, at most `size` pixels at its longer side. Raises HandlerError: `unsupported` when there is
    nothing to show or no decoder for it, `limit` when the picture declares more pixels than there is memory for (its
    `memory` says how many bytes of address space it takes), `corrupt`, `io`."""
    from mediad_handlers.preview import inside

    if size not in SIZES:
        raise HandlerError("unsupported", f"previews have {', '.join(map(str, SIZES))} pixels, not {size}")
    return inside.preview(handler, file, size)
