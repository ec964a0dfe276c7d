"""H.264 and HEVC in one form: each NAL unit behind a 4-byte length, without what containers add or take away.

Left out: parameter sets (in the sample description of MP4 and Matroska, in band in TS), access unit delimiters and
filler data (ITU-T H.264 table 7-1: types 7, 8, 9, 12, 13; H.265 table 7-1: 32 to 35, 38).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

_LEFT_OUT = {"h264": frozenset((7, 8, 9, 12, 13)), "hevc": frozenset((32, 33, 34, 35, 38))}
_START = re.compile(b"\0\0\1")
CODECS = frozenset(_LEFT_OUT)


def _kept(codec: str, nal: bytes) -> bool:
    return bool(nal) and (nal[0] & 31 if codec == "h264" else nal[0] >> 1 & 63) not in _LEFT_OUT[codec]


def from_lengths(codec: str, samples: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Samples whose NAL units stand behind lengths of `size` bytes (ISO 14496-15 section 5.3.4)."""
    for sample in samples:
        at = 0
        while at + size <= len(sample):
            length = int.from_bytes(sample[at : at + size], "big")
            nal = sample[at + size : at + size + length]
            if _kept(codec, nal):
                yield len(nal).to_bytes(4, "big") + nal
            at += size + length


def from_stream(codec: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A byte stream with start codes (annex B), in pieces that may be cut anywhere."""
    held = b""
    for piece in pieces:
        held += piece
        starts = [match.end() for match in _START.finditer(held)]
        for begin, following in pairwise(starts):
            nal = held[begin : following - 3].rstrip(b"\0")
            if _kept(codec, nal):
                yield len(nal).to_bytes(4, "big") + nal
        if starts:
            held = held[starts[-1] - 3 :]
        elif len(held) > 1 << 20:
            held = held[-3:]
    last = _START.match(held)
    if last is not None:
        nal = held[last.end() :].rstrip(b"\0")
        if _kept(codec, nal):
            yield len(nal).to_bytes(4, "big") + nal
