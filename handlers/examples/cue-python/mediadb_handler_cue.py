"""Cue sheets: the album, its artist, and where each track begins.

Source of the rules: CDRWIN 3.8 User's Guide, appendix A (cue sheet commands).
"""

from __future__ import annotations

import re
import sys

from mediad_handlers.kit.api import Handler, HandlerError, Match, Record
from mediad_handlers.kit.file import File
from mediad_handlers.kit.main import run

LINE = re.compile(r'\s*(REM\s+\w+|\w+)\s+(?:"([^"]*)"|(.*\S))')
FRAMES = 75  # of a second: INDEX counts minutes, seconds, frames


def read(file: File) -> Record:
    """Title, artist and chapters. Raises HandlerError `corrupt` for a text without any command of a cue sheet."""
    record = Record("audio", "cue", "application/x-cue")
    chapters: list[dict[str, object]] = []
    for line in file.head.decode("utf-8", "replace").splitlines():
        found = LINE.fullmatch(line)
        if found is None:
            continue
        command, value = found[1].upper(), found[2] if found[2] is not None else found[3]
        if command == "TRACK":
            chapters.append({"number": int(value[:2]) if value[:2].isdigit() else len(chapters) + 1})
        elif command == "TITLE" and chapters:
            chapters[-1]["title"] = value
        elif command == "TITLE":
            record.put("album", value, "cue:TITLE")
        elif command == "PERFORMER" and not chapters:
            record.put("artist_credit", value, "cue:PERFORMER")
        elif command == "INDEX" and chapters and value.startswith("01 "):
            clock = re.fullmatch(r"01 (\d+):(\d\d):(\d\d)", value)
            if clock:
                chapters[-1]["start"] = int(clock[1]) * 60 + int(clock[2]) + int(clock[3]) / FRAMES
        elif command.startswith("REM"):
            record.tag("cue:" + " ".join(command.split()), [value])
    if not chapters and not record.fields:
        raise HandlerError("corrupt", "no command of a cue sheet was found")
    record.put("chapters", chapters, "cue:TRACK")
    record.put("track_total", len(chapters) or None, "cue:TRACK")
    return record


HANDLER = Handler(
    name="cue",
    version=1,
    summary="cue sheets: album, artist, tracks",
    kinds=("audio",),
    match=Match(extensions=("cue",), mime_types=("application/x-cue",)),
    read=read,
    fields=("album", "artist_credit", "chapters", "track_total"),
)


def main() -> int:
    return run("cue", lambda: (HANDLER,))


if __name__ == "__main__":
    sys.exit(main())
