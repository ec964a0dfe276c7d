"""The `file` handler: takes everything, and says what it is. Its payload is the whole file (`whole/1`)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import Handler, Match, Record
from mediad_handlers.kit.fingerprint import whole
from mediad_handlers.kit.main import run
from mediad_handlers.kit.sniff import recognise

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File


def read(file: File) -> Record:
    """Format and MIME type by content, then by extension; `other` when nothing is recognised."""
    found = recognise(file)
    if found is None:
        return Record("other", file.extension[:16] or "unknown", "application/octet-stream", payload=whole(file))
    return Record(found.kind, found.format, found.mime_type, payload=whole(file))


HANDLER = Handler(
    name="file",
    version=1,
    summary="any file: its format by content",
    kinds=("audio", "image", "video", "document", "other"),
    match=Match(),
    read=read,
)


def main() -> int:
    return run("file", lambda: (HANDLER,))


if __name__ == "__main__":
    sys.exit(main())
