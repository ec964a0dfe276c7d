"""Tracks of FLV (Adobe FLV/F4V 10.1 annex E.4): AAC and H.264 packets behind their headers, MP3 frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import HandlerError, Track
from mediad_handlers.streams import nals

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

TAG = 16 * 1024 * 1024
TAGS = 10_000_000
AUDIO = {2: "mp3", 10: "aac", 14: "mp3", 11: "speex"}
VIDEO = {2: "flv1", 4: "vp6f", 5: "vp6a", 7: "h264"}


def tracks(file: File, format: str) -> Sequence[Track]:
    """One audio and one video track, as the first tags of each say. Raises HandlerError `corrupt`."""
    found: dict[int, str] = {}
    for number, (kind, data) in enumerate(_tags(file)):
        if number > 500 or len(found) == 2:
            break
        if kind == 8 and data and 8 not in found:
            found[8] = AUDIO.get(data[0] >> 4, "")
        elif kind == 9 and data and 9 not in found:
            found[9] = VIDEO.get(data[0] & 15, "")
    return [Track(number, "video" if kind == 9 else "audio", codec, _packets(file, kind, codec))
            for number, (kind, codec) in enumerate(sorted(found.items(), reverse=True), 1) if codec]  # fmt: skip


def _tags(file: File) -> Iterator[tuple[int, bytes]]:
    """(type, data) of each tag."""
    head = file.head[:9]
    if len(head) < 9 or head[:3] != b"FLV":
        raise HandlerError("corrupt", "no FLV header")
    at = int.from_bytes(head[5:9], "big") + 4
    for _ in range(TAGS):
        tag = file.read(at, 11)
        size = int.from_bytes(tag[1:4], "big")
        if len(tag) < 11 or size > TAG:
            return
        yield tag[0] & 31, file.read(at + 11, size) if tag[0] & 31 in (8, 9) else b""
        at += 15 + size


def _packets(file: File, kind: int, codec: str) -> Callable[[], Iterator[bytes]]:
    plain = partial(_bodies, file, kind, codec)
    return (lambda: nals.from_lengths(codec, plain(), 4)) if codec == "h264" else plain


def _bodies(file: File, kind: int, codec: str) -> Iterator[bytes]:
    for one, data in _tags(file):
        if one != kind:
            continue
        if codec == "aac":
            if data[1:2] == b"\1":
                yield data[2:]
        elif codec == "h264":
            if data[1:2] == b"\1":
                yield data[5:]
        else:
            yield data[1:]
