"""The words of a song: its lyrics, as plain text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import HandlerError, Text

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Record

_STAMP = re.compile(r"\[\d{1,3}:\d\d(?:[.:]\d{1,3})?\]|<\d{1,3}:\d\d(?:[.:]\d{1,3})?>", re.ASCII)  # LRC, enhanced LRC


def take_lyrics(record: Record, limit: int) -> Text:
    """The record's lyrics, else the synchronised ones without their time stamps; at most `limit` bytes of UTF-8.
    Raises HandlerError `unsupported` when the file has none."""
    for name in ("lyrics", "synced_lyrics"):
        words = record.fields.get(name)
        if words:
            plain = "\n".join(line.strip() for line in _STAMP.sub("", words).splitlines()) + "\n"
            data = plain.encode("utf-8", "replace")
            languages = tuple(record.fields.get("languages", ()))
            kept = data[:limit].decode("utf-8", "ignore")
            return Text(kept, len(data) > limit, record.sources.get(name, name), languages)
    raise HandlerError("unsupported", "this file has no lyrics")
