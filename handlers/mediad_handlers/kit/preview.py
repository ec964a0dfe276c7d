"""The operation `preview`: a small picture of a file (handlers/README.md), in pieces before the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import HandlerError

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler
    from mediad_handlers.kit.file import File

PIECE = 256 * 1024  # bytes of a piece


def answer(
    handler: Handler, file: File, options: Mapping[str, Any], give: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """The answer to `preview`; the picture goes out before it through `give`, as {"data": bin}. Raises HandlerError."""
    size = options.get("size")
    if type(size) is not int or size < 1:
        raise HandlerError("unsupported", f"a preview's size is a number of pixels, not {size!r}"[:100])
    if handler.preview is None:
        raise HandlerError("unsupported", f"the {handler.name} handler makes no previews")
    made = handler.preview(file, size)
    for start in range(0, len(made.data), PIECE):
        give({"data": made.data[start : start + PIECE]})
    return {
        "handler": handler.name,
        "handler_version": handler.version,
        "mime_type": made.mime_type,
        "width": made.width,
        "height": made.height,
        "bytes": len(made.data),
        "source": made.source,
        "warnings": list(made.warnings),
        "stat": list(file.stat()),
    }
