"""Headers of audio frames in elementary streams: AC-3 and E-AC-3, ADTS AAC.

Sources: ETSI TS 102 366 4.3 (AC-3 syncinfo, bsi), E.1.2 (E-AC-3); ISO 13818-7 6.2 (ADTS); ISO 14496-3 table 1.17
(channel configuration). MPEG audio: audio.frames.
"""

from __future__ import annotations

from typing import Any

_AC3_RATES = (48000, 44100, 32000)
_AC3_BITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)
ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
AAC_CHANNELS = (None, 1, 2, 3, 4, 5, 6, 8)
_OBJECTS = ("Main", "LC", "SSR", "LTP")


def read_ac3(data: bytes) -> dict[str, Any]:
    """codec, sample_rate, channels, bit_rate of the first AC-3 or E-AC-3 frame in `data`; {} when there is none."""
    at = data.find(b"\x0b\x77")
    if at < 0 or at + 8 > len(data):
        return {}
    head = data[at : at + 8]
    if head[5] >> 3 > 10:  # bsid: E-AC-3
        code = head[4] >> 6
        rate = _AC3_RATES[code] if code < 3 else _AC3_RATES[head[4] >> 4 & 3] // 2 if head[4] >> 4 & 3 < 3 else None
        blocks = (1, 2, 3, 6)[head[4] >> 4 & 3] if code < 3 else 6
        size = ((head[2] & 7) << 8 | head[3]) * 2 + 2
        channels = _AC3_CHANNELS[head[4] >> 1 & 7] + (head[4] & 1)
        found: dict[str, Any] = {"codec": "eac3", "sample_rate": rate, "channels": channels}
        if rate:
            found["bit_rate"] = size * 8 * rate // (blocks * 256)
        return found
    rate_code, size_code, mode = head[4] >> 6, head[4] & 63, head[6] >> 5
    if rate_code == 3 or size_code // 2 >= len(_AC3_BITS):
        return {}
    # 4.3.2: cmixlev, surmixlev and dsurmod stand before lfeon, each where the mode has it
    skip = 3 + (2 if mode & 1 and mode != 1 else 0) + (2 if mode & 4 else 0) + (2 if mode == 2 else 0)
    low = (head[6] << 8 | head[7]) >> (15 - skip) & 1
    return {"codec": "ac3", "sample_rate": _AC3_RATES[rate_code], "channels": _AC3_CHANNELS[mode] + low,
            "bit_rate": _AC3_BITS[size_code // 2] * 1000}  # fmt: skip


def read_adts(data: bytes) -> dict[str, Any]:
    """codec, sample_rate, channels, codec_profile of the first ADTS frame in `data`; {} when there is none."""
    at = 0
    while (at := data.find(b"\xff", at)) >= 0 and at + 7 <= len(data):
        if data[at + 1] & 0xF6 == 0xF0 and data[at + 2] >> 2 & 15 < 13:
            size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
            following = data[at + size : at + size + 2]
            if size > 7 and (len(following) < 2 or (following[0] == 0xFF and following[1] & 0xF6 == 0xF0)):
                channels = AAC_CHANNELS[(data[at + 2] & 1) << 2 | data[at + 3] >> 6]
                found = {"codec": "aac", "sample_rate": ADTS_RATES[data[at + 2] >> 2 & 15],
                         "codec_profile": _OBJECTS[data[at + 2] >> 6]}  # fmt: skip
                return {**found, "channels": channels} if channels else found
        at += 1
    return {}
