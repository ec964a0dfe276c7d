"""The operation `text`: the words of a document, of lyrics or of subtitles, on demand and bounded; whole in the answer,
or in pieces before it. And `fold`: the words of a text that another handler found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit import words
from mediad_handlers.kit.api import HandlerError

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler
    from mediad_handlers.kit.file import File

LIMIT = 768 * 1024  # bytes of UTF-8 in a worker's answer, which has at most 1 MiB
PIECES_LIMIT = 8 * 1024 * 1024  # bytes of UTF-8 in pieces: a worker has 128 MiB, and a text is in it several times
PIECE = 64 * 1024  # characters of a piece: 256 KiB in any script, where a message has at most 1 MiB

Give = Callable[[dict[str, Any]], object]


def bound(options: Mapping[str, Any]) -> int:
    """The limit that a request asks for ("limit", bytes of UTF-8), at most LIMIT, or PIECES_LIMIT in pieces. Raises
    HandlerError `unsupported` for what is no positive integer."""
    limit = options.get("limit", LIMIT)
    if type(limit) is not int or limit < 1:
        raise HandlerError("unsupported", f"a text limit is a number of bytes, at least 1, not {limit!r}")
    return min(limit, PIECES_LIMIT if options.get("pieces") else LIMIT)


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


def answer(handler: Handler, file: File, options: Mapping[str, Any], give: Give) -> dict[str, Any]:
    """The answer to `text`. With the option `pieces` the text goes out before it through `give`, as {"text": ...}, or
    with `words` as {"words": [tsvector ...]}, and the answer says how long it was. Raises HandlerError as `extract`."""
    found = extract(handler, file, bound(options))
    if options.get("pieces"):
        text = found.pop("text")
        found["bytes"] = len(text.encode())
        if options.get("words"):
            _give_words(text, give)
        else:
            for start in range(0, len(text), PIECE):
                give({"text": text[start : start + PIECE]})
    return found


def fold(file: File, give: Give) -> dict[str, Any]:
    """The answer to `fold`: the words of a file that is nothing but UTF-8, at most PIECES_LIMIT bytes of it, in pieces.
    For texts of handlers that do not fold."""
    data = file.read(0, min(file.size, PIECES_LIMIT))
    _give_words(data.decode("utf-8", "ignore"), give)
    return {"bytes": len(data)}


def _give_words(text: str, give: Give) -> None:
    kept: list[str] = []
    size = 0
    for part in _parts(text):
        kept.append(part)
        size += len(part)
        if size >= PIECE:
            give({"words": kept})
            kept, size = [], 0
    if kept:
        give({"words": kept})


def _parts(text: str) -> Iterable[str]:
    return words.parts(words.words(text))
