"""Payloads that are one region of the file: what lies between the tags in front and behind.

Sources: Microsoft RIFF 1991 and EBU Tech 3306 (data chunk), EA IFF 85 and AIFF-C (SSND), ASF 1.20.3 5 (data object),
AVI 1.0 (movi list), APEv2, ID3v1, ID3v2.4.0 (tags in front and behind), Sony DSF 1.01, Philips DSDIFF 1.5, FLV E.3.

`wave-data/1` the contents of the data chunk. `aiff-ssnd/1` the sound bytes of the SSND chunk, `asf-data/1` the packets
of the data object, `avi-movi/1` the contents of the movi lists, `dsf-data/1` and `dsdiff-data/1` the sound chunk,
`flv-tags/1` the tags behind the first script tag, `untagged/1` the file without ID3v2 in front and ID3v1, APE, Lyrics3
behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediad_handlers.audio.frames import find_trailing_tags, skip_leading_tags
from mediad_handlers.kit.api import Payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediad_handlers.kit.file import File

CHUNKS = 4096
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")


def payload(file: File, format: str) -> Payload | None:
    """The payload of one of these formats; None when the file has no such region."""
    if format == "wav":
        return _chunk(file, "wave-data/1", b"data", "little", 0)
    if format == "aiff":
        return _chunk(file, "aiff-ssnd/1", b"SSND", "big", 8)
    if format in ("wma", "wmv", "asf"):
        return _asf(file)
    if format == "avi":
        return _avi(file)
    if format == "dsf":
        head = file.head[: 28 + 52 + 12]
        at = 28 + int.from_bytes(head[32:40], "little")
        size = int.from_bytes(file.read(at + 4, 8), "little")
        return Payload("dsf-data/1", ((at + 12, size - 12),)) if file.read(at, 4) == b"data" and size > 12 else None
    if format == "dff":
        return _dsdiff(file)
    if format == "flv":
        return _flv(file)
    begin = skip_leading_tags(file)
    end = find_trailing_tags(file, begin)
    return Payload("untagged/1", ((begin, end - begin),)) if end > begin else None


def _chunks(file: File, order: str, at: int, width: int = 4) -> Iterator[tuple[bytes, int, int]]:
    """(id, offset of the contents, their length) of the chunks from `at`; RF64's sizes come from its ds64 chunk."""
    large = 0
    for _ in range(CHUNKS):
        head = file.read(at, 4 + width)
        if len(head) < 4 + width:
            return
        size = int.from_bytes(head[4:], "little" if order == "little" else "big")
        if head[:4] == b"ds64":
            large = int.from_bytes(file.read(at + 16, 8), "little")
        if size == 0xFFFFFFFF and width == 4 and head[:4] == b"data":
            size = large
        yield head[:4], at + 4 + width, min(size, file.size - at - 4 - width)
        at += 4 + width + size + (size & 1)


def _chunk(file: File, algorithm: str, wanted: bytes, order: str, skip: int) -> Payload | None:
    for kind, start, length in _chunks(file, order, 12):
        if kind == wanted and length > skip:
            return Payload(algorithm, ((start + skip, length - skip),))
    return None


def _asf(file: File) -> Payload | None:
    at = 0
    for _ in range(64):
        head = file.read(at, 24)
        size = int.from_bytes(head[16:24], "little")
        if len(head) < 24 or size < 24:
            return None
        if head[:16] == _ASF_DATA:
            return Payload("asf-data/1", ((at + 50, min(size, file.size - at) - 50),)) if size > 50 else None
        at += size
    return None


def _avi(file: File) -> Payload | None:
    ranges: list[tuple[int, int]] = []
    at = 0
    while file.read(at, 4) == b"RIFF" and len(ranges) < 64:
        size = int.from_bytes(file.read(at + 4, 4), "little")
        for kind, start, length in _chunks(file, "little", at + 12):
            if start > at + 8 + size:
                break
            if kind == b"LIST" and file.read(start, 4) == b"movi" and length > 4:
                ranges.append((start + 4, length - 4))
        at += 8 + size + (size & 1)
    return Payload("avi-movi/1", tuple(ranges)) if ranges else None


def _dsdiff(file: File) -> Payload | None:
    for kind, start, length in _chunks(file, "big", 16, 8):
        if kind in (b"DSD ", b"DST ") and length > 0:
            return Payload("dsdiff-data/1", ((start, length),))
    return None


def _flv(file: File) -> Payload | None:
    head = file.head[:9]
    at = int.from_bytes(head[5:9], "big") + 4
    tag = file.read(at, 4)
    if len(tag) == 4 and tag[0] & 31 == 18:
        at += 15 + int.from_bytes(tag[1:4], "big")
    return Payload("flv-tags/1", ((at, file.size - at),)) if at < file.size else None
