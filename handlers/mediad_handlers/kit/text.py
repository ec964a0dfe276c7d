"""The operation `text`: the words of a document, of lyrics or of subtitles, on demand and bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import HandlerError

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler
    from mediad_handlers.kit.file import File

LIMIT = 768 * 1024  # bytes of UTF-8 in a worker's answer, which has at most 1 MiB


def bound(options: Mapping[str, Any]) -> int:
    """The limit that a request asks for ("limit", bytes of UTF-8), at most LIMIT. Raises HandlerError `unsupported` for
    what is no positive integer."""
    limit = options.get("limit", LIMIT)
    if type(limit) is not int or limit < 1:
        raise HandlerError("unsupported", f"a text limit is a number of bytes, at least 1, not {limit!r}")
    return min(limit, LIMIT)


def extract(handler: Handler, file: File, limit: int) -> dict[str, Any]:
    """{"handler", "handler_version", "text", "truncated", "source", "languages", "stat"}: at most `limit` bytes of
    UTF-8. Raises HandlerError, `unsupported` when the handler or this format has no words."""
    if handler.text is None:
        raise HandlerError("unsupported", f"the {handler.name} handler knows no text in this file")
    found = handler.text(file, limit)
    data = found.text.encode("utf-8", "replace")
    truncated = found.truncated
    if len(data) > limit:
        data, truncated = data[:limit], True
    return {
        "handler": handler.name,
        "handler_version": handler.version,
        "text": data.decode("utf-8", "ignore"),
        "truncated": truncated,
        "source": found.source,
        "languages": list(found.languages),
        "stat": list(file.stat()),
    }
