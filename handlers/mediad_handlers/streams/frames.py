"""Formats that are one track of frames: MP3, FLAC, AAC in ADTS.

Sources: audio.frames (MP3: frames with their headers, as MP4 and Matroska hold them), RFC 9639 9 (FLAC frames),
ISO 13818-7 6.2 (ADTS headers, which no other container has: left out).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import HandlerError, Payload, Track

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

HEAD = 8 * 1024  # bytes of a track that its key is made of
PIECE = 256 * 1024
_LAYERS = {1: "mp1", 2: "mp2", 3: "mp3"}


def tracks(file: File, format: str) -> Sequence[Track]:
    """The only track. Raises HandlerError as the payload's reader does."""
    if format == "aac":
        from mediad_handlers.audio.frames import find_trailing_tags, skip_leading_tags

        begin = skip_leading_tags(file)
        return (Track(1, "audio", "aac", partial(_adts, file, begin, find_trailing_tags(file, begin))),)
    if format == "flac":
        from mediad_handlers.audio.vorbis import flac_payload

        payload = flac_payload(file)
        return (Track(1, "audio", "flac", partial(_pieces, file, payload), _first(file, payload)),)
    from mediad_handlers.audio.frames import find_frames
    from mediad_handlers.audio.frames import payload as mpeg_payload

    payload = mpeg_payload(file)
    frames = find_frames(file)
    codec = _LAYERS[frames.frame.layer] if frames is not None else "mp3"
    return (Track(1, "audio", codec, partial(_pieces, file, payload), _first(file, payload)),)


def _first(file: File, payload: Payload) -> bytes:
    start, length = payload.ranges[0]
    return file.read(start, min(HEAD, length))


def _pieces(file: File, payload: Payload) -> Iterator[bytes]:
    for start, length in payload.ranges:
        at, end = start, min(start + length, file.size)
        size = HEAD  # a small piece first
        while at < end:
            data = file.read(at, min(size, end - at))
            if not data:
                raise HandlerError("io", f"the file became shorter: nothing at {at}")
            yield data
            at += len(data)
            size = PIECE


def _adts(file: File, at: int, end: int) -> Iterator[bytes]:
    """Raw data blocks: ADTS frames without their headers; ends at what is no frame."""
    start, data = at, file.read(at, min(PIECE, end - at))
    while at + 7 <= end:
        place = at - start
        if place + 8192 > len(data) and start + len(data) < end:
            start, place, data = at, 0, file.read(at, min(PIECE, end - at))
        head = data[place : place + 7]
        if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            return
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        skip = 7 if head[1] & 1 else 9
        if size <= skip:
            return
        yield data[place + skip : place + size]
        at += size
