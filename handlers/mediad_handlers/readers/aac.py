"""AAC's own configuration, as MP4 holds it: elementary stream descriptor and AudioSpecificConfig.

Sources: ISO/IEC 14496-1 section 7.2.6 (descriptors), 14496-3 sections 1.6.2.1 (AudioSpecificConfig, its extensions for
SBR and PS), 4.4.1 (GASpecificConfig, program_config_element), tables 1.17 (object types), 1.18 (frequencies), 1.19
(channels).
"""

from __future__ import annotations

from typing import NamedTuple

from mediad_handlers.readers.audioheaders import ADTS_RATES
from mediad_handlers.readers.bits import Bits

_OBJECTS = (
    "", "AAC MAIN", "AAC LC", "AAC SSR", "AAC LTP", "SBR", "AAC scalable", "TwinVQ", "CELP", "HVXC", "", "", "TTSI",
    "Main synthetic", "Wavetable synthesis", "General MIDI", "Algorithmic Synthesis and Audio FX", "ER AAC LC", "",
    "ER AAC LTP", "ER AAC scalable", "ER Twin VQ", "ER BSAC", "ER AAC LD", "ER CELP", "ER HVXC", "ER HILN",
    "ER Parametric", "SSC", "PS", "MPEG Surround", "", "Layer-1", "Layer-2", "Layer-3", "DST", "ALS", "SLS",
    "SLS non-core", "ER AAC ELD", "SMR Simple", "SMR Main", "USAC", "SAOC", "LD MPEG Surround", "USAC",
)  # fmt: skip
_GENERAL = frozenset((1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23))  # object types with a GASpecificConfig
_RESILIENT = frozenset((17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 39))  # with an epConfig
_MAY_HAVE_SBR = frozenset((1, 2, 3, 4, 6, 17, 19, 20, 22))
CONFIG = 256  # bytes of an AudioSpecificConfig that are looked at


class Config(NamedTuple):
    """`channels` and `sample_rate` (Hz) are 0 where the configuration leaves them open: parametric stereo and spectral
    band replication may hide in the frames of a slow or mono stream."""

    name: str  # "AAC LC+SBR"; "" for an object type without a name
    channels: int
    sample_rate: int


class Stream(NamedTuple):
    """An elementary stream descriptor: object type indication (mp4ra.org), average bit/s, configuration of AAC."""

    object_type: int
    bit_rate: int
    config: Config | None


def read_descriptor(data: bytes) -> Stream | None:
    """The contents of an `esds` box; None when it is none, or cut off."""
    at = _skip_head(data, 4, 3)
    if at < 0 or len(data) < at + 3 or data[0]:
        return None
    flags = data[at + 2]
    at += 3 + (2 if flags & 0x80 else 0)
    if flags & 0x40:
        at += 1 + (data[at] if at < len(data) else 0)
    at = _skip_head(data, at + (2 if flags & 0x20 else 0), 4)
    if at < 0 or len(data) < at + 13:
        return None
    config = None
    if data[at] == 0x40 and data[at + 1] >> 2 == 5:  # MPEG-4 audio, and an audio stream
        place = _skip_head(data, at + 13, 5)
        if place > 0:
            config = read_config(data[place : place + CONFIG], _length(data, at + 14))
    return Stream(data[at], int.from_bytes(data[at + 9 : at + 13], "big"), config)


def _skip_head(data: bytes, at: int, tag: int) -> int:
    """The place behind a descriptor's tag and size (one to four bytes of seven bits each); -1 for another one."""
    if at >= len(data) or data[at] != tag:
        return -1
    for place in range(at + 1, min(at + 5, len(data))):
        if data[place] < 0x80:
            return place + 1
    return -1


def _length(data: bytes, at: int) -> int:
    size = 0
    for byte in data[at : at + 4]:
        size = size << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return size


def read_config(data: bytes, length: int) -> Config | None:
    """An AudioSpecificConfig of `length` bytes; None when it is cut off."""
    bits = Bits(data)
    total = len(data) * 8
    kind = _take_object(bits)
    rate = _take_rate(bits)
    layout = bits.take(4)
    sbr = ps = -1  # not said
    wide_rate = 0
    elements = None
    explicit = kind in (5, 29)
    if explicit:
        sbr, ps = 1, 1 if kind == 29 else -1
        wide_rate = _take_rate(bits)
        kind = _take_object(bits)
        if kind == 22:
            layout = bits.take(4)
    if kind in _GENERAL:
        bits.skip(1)
        if bits.take(1):
            bits.skip(14)
        extended = bits.take(1)
        if not layout:
            elements = _count_elements(bits)
        readable = _skip_general(bits, kind, bool(extended))
        if readable and kind in _RESILIENT:
            readable = bits.take(2) < 2
        if readable and not explicit and length * 8 - (total - bits.left) >= 16 and bits.take(11) == 0x2B7:
            extension = _take_object(bits)
            if extension in (5, 22):
                sbr = bits.take(1)
                wide_rate = _take_rate(bits) if sbr else 0
            if extension == 5 and sbr == 1 and length * 8 - (total - bits.left) >= 12 and bits.take(11) == 0x548:
                ps = bits.take(1)
            if extension == 22:
                layout = bits.take(4)
    if bits.over:
        return None
    name = _OBJECTS[kind] if kind < len(_OBJECTS) else ""
    if name:
        name += ("+SBR" if sbr == 1 else "") + ("+PS" if ps == 1 else "")
    if sbr == 1:
        rate = wide_rate
    elif sbr < 0 and kind in _MAY_HAVE_SBR and rate <= 24000:
        rate = 0
    if elements is not None:
        channels = elements
    else:
        channels = {1: 0 if ps < 0 else 1 + ps, 7: 8}.get(layout, layout if layout < 7 else 0)
    return Config(name, channels, rate)


def _take_object(bits: Bits) -> int:
    kind = bits.take(5)
    return 32 + bits.take(6) if kind == 31 else kind


def _take_rate(bits: Bits) -> int:
    index = bits.take(4)
    if index == 15:
        return bits.take(24)
    return ADTS_RATES[index] if index < len(ADTS_RATES) else 0


def _skip_general(bits: Bits, kind: int, extended: bool) -> bool:
    """The rest of a GASpecificConfig; false when what follows cannot be read."""
    if kind in (6, 20):
        bits.skip(3)
    if extended:
        if kind == 22:
            bits.skip(16)
        if kind in (17, 19, 20, 23):
            bits.skip(3)
        return not bits.take(1)
    return True


def _count_elements(bits: Bits) -> int:
    """The channels of a program_config_element, which is read to its end."""
    bits.skip(10)
    front, side, back = bits.take(4), bits.take(4), bits.take(4)
    low, data, coupling = bits.take(2), bits.take(3), bits.take(4)
    for size in (4, 4, 3):  # mono, stereo and matrix mix-down
        if bits.take(1):
            bits.skip(size)
    channels = low
    for _ in range(front + side + back):
        channels += 1 + bits.take(1)
        bits.skip(4)
    bits.skip(4 * low + 4 * data + 5 * coupling)
    bits.skip(bits.left % 8)
    bits.skip(8 * bits.take(8))
    return channels
