"""JPEG markers: what stands in front of the first scan, and where the picture ends.

Sources: ITU-T T.81 annex B (markers, segments, B.1.1.5: a 0xFF in entropy-coded data is followed by 0x00 or RSTn);
JFIF 1.02 (APP0); CIPA DC-007 (MPF, APP2); Adobe XMP part 3 section 1.1 (APP1, APP13).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from mediad_handlers.kit.api import HandlerError

Fetch = Callable[[int, int], bytes]

MAX_SEGMENTS = 4096
SCAN_CHUNK = 1024 * 1024  # bytes of one read while looking for the end of the image
SOI, EOI, SOS, COM = 0xD8, 0xD9, 0xDA, 0xFE
FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))  # SOFn
# Segments that decide the pixels: SOFn, DHT (C4), DAC (CC), DQT (DB), DNL (DC), DRI (DD), DHP (DE), EXP (DF).
DECIDING = FRAMES | frozenset((0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF))
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # TEM, RSTn: no length
# What cannot follow 0xFF inside the scans of one picture: not stuffing, RSTn, fill, DHT, DNL, SOS, DQT, DRI.
_FOREIGN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff\xc4\xdc\xda\xdb\xdd]")
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")


class Frame(NamedTuple):
    """SOFn (T.81 B.2.2): sizes in pixels, bits a sample; `sampling` is (h, v) a component; `marker` is 0xC0..0xCF."""

    marker: int
    bits: int
    height: int
    width: int
    sampling: tuple[tuple[int, int], ...]


class Segment(NamedTuple):
    """A marker segment: `offset` is that of its 0xFF, `length` counts both marker bytes and the payload."""

    marker: int
    offset: int
    length: int


class Header(NamedTuple):
    """What stands in front of the first scan. `scan` is the offset of the first SOS marker, 0 when there is none."""

    frame: Frame | None
    segments: list[Segment]
    scan: int
    complete: bool  # false: the file or the limit ended it before SOS


def read_header(head: bytes, fetch: Fetch) -> Header:
    """Walks the markers up to the first SOS. `head` is the beginning of the file; `fetch(offset, length)` reads past
    it. Raises HandlerError `corrupt` when the file does not begin with SOI and a marker."""
    if head[:2] != b"\xff\xd8" or head[2:3] not in (b"\xff", b""):
        raise HandlerError("corrupt", "no JPEG start of image")
    segments: list[Segment] = []
    frame: Frame | None = None
    known = len(head)
    window, base = head, 0
    at = 2
    while len(segments) < MAX_SEGMENTS:
        here = at - base
        if here + 4 > len(window):
            if base == 0 and known < 65536:
                break
            window, base, here = fetch(at, 8192), at, 0
            if len(window) < 4:
                break
        if window[here] != 0xFF:
            break
        marker = window[here + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == SOS:
            return Header(frame, segments, at, True)
        if marker in _STANDALONE:
            at += 2
            continue
        if marker in (EOI, SOI) or marker == 0:
            break
        length = (window[here + 2] << 8 | window[here + 3]) + 2
        if length < 4:
            break
        if marker in FRAMES and frame is None:
            body = window[here : here + length]
            frame = _frame(body if len(body) == length else fetch(at, length))
        segments.append(Segment(marker, at, length))
        at += length
    return Header(frame, segments, 0, False)


def _frame(segment: bytes) -> Frame | None:
    if len(segment) < 10:
        return None
    height, width, count = segment[5] << 8 | segment[6], segment[7] << 8 | segment[8], segment[9]
    sampling = tuple((pair >> 4, pair & 15) for pair in segment[11 : 10 + 3 * count : 3])
    return Frame(segment[1], segment[4], height, width, sampling)


def is_clean_end(tail: bytes) -> bool:
    """Whether the last bytes of a file can be the end of its first picture: entropy-coded data up to an EOI, nothing
    behind it, no other marker in between. False sends the caller to `find_end`."""
    return tail.endswith(b"\xff\xd9") and not _FOREIGN.search(tail, 0, len(tail) - 2)


def find_end(fetch: Fetch, scan: int, size: int, limit: int) -> int:
    """The offset behind the EOI of the picture whose first SOS is at `scan`; `size` when there is no EOI.

    Skips segments between scans by their length. Reads SCAN_CHUNK bytes at a time, at most `limit` bytes: raises
    HandlerError `limit` behind that."""
    at, stop = scan, scan + limit
    while at < size:
        if at >= stop:
            raise HandlerError("limit", f"no end of image within {limit} bytes")
        window = fetch(at, SCAN_CHUNK)
        if len(window) < 2:
            break
        following = at + len(window) - 1  # a marker may straddle two reads
        for match in _MARKER.finditer(window):
            end = match.end()
            marker = window[end - 1]
            if marker == EOI:
                return at + end
            if marker in _STANDALONE or at + end > size:
                continue
            body = window[end : end + 2] if end + 2 <= len(window) else fetch(at + end, 2)
            if len(body) < 2:
                return size
            following = max(at + end + int.from_bytes(body, "big"), at + end + 2)
            break
        at = following
    return size
