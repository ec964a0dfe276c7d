"""Tracks of MPEG transport streams (ISO 13818-1 2.4.3): elementary streams out of PES packets, in the form that MP4 and
Matroska give them: AAC without ADTS headers, NAL units with lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import Track
from mediad_handlers.streams import nals

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

PIECE = 188 * 192 * 17 * 4  # a whole number of packets of any size
_NAMES = {"mpegaudio": "mp2"}


def tracks(file: File, format: str) -> Sequence[Track]:
    """The audio and video streams of the program map. Raises HandlerError `corrupt`."""
    from mediad_handlers.video.mpegts import find_step, read_ts

    record = read_ts(file)
    start, step = find_step(file.head)
    found = []
    for row in record.fields.get("tracks", []):
        if row["type"] in ("audio", "video"):
            codec = _NAMES.get(row["codec"], row["codec"])
            found.append(Track(row["id"], row["type"], codec, _packets(file, start, step, row["id"], codec)))
    return found


def _packets(file: File, start: int, step: int, pid: int, codec: str) -> Callable[[], Iterator[bytes]]:
    elementary = partial(_elementary, file, start, step, pid)
    if codec in nals.CODECS:
        return lambda: nals.from_stream(codec, elementary())
    return (lambda: _strip_adts(elementary())) if codec == "aac" else elementary


def _elementary(file: File, start: int, step: int, pid: int) -> Iterator[bytes]:
    """The payloads of the PES packets of a PID, in pieces."""
    from mediad_handlers.video.mpegts import _packets as split

    begun = False
    size = PIECE - PIECE % step
    for at in range(start, file.size, size):
        parts: list[bytes] = []
        for number, begins, _, payload in split(file.read(at, min(size, file.size - at)), 0, step):
            if number != pid:
                continue
            if begins and payload[:3] == b"\0\0\1" and len(payload) > 9:
                payload, begun = payload[9 + payload[8] :], True
            if begun:
                parts.append(payload)
        if parts:
            yield b"".join(parts)


def _strip_adts(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        held += piece
        at = 0
        while at + 7 <= len(held):
            if held[at] != 0xFF or held[at + 1] & 0xF6 != 0xF0:
                at += 1
                continue
            size = (held[at + 3] & 3) << 11 | held[at + 4] << 3 | held[at + 5] >> 5
            if size < 8:
                at += 1
                continue
            if at + size > len(held):
                break
            yield held[at + (7 if held[at + 1] & 1 else 9) : at + size]
            at += size
        held = held[at:]
