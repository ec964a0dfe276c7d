"""What elementary video streams say of themselves: H.264 and HEVC parameter sets, MPEG-1/2 sequence headers.

Sources: ITU-T H.264 7.3.2.1.1 (sequence parameter set), E.1.1 (VUI), D.1.6 (user data SEI); ITU-T H.265 7.3.2.2, 7.3.3;
ISO 11172-2 2.4.2.3, ISO 13818-2 6.2.2.1 (sequence header), 6.2.2.3 (sequence extension); AVCHD's modified digital video
pack metadata as ExifTool's H264.pm documents it (UUID and the tags of DateTimeOriginal and Make).
"""

from __future__ import annotations

import re
from typing import Any

from mediad_handlers.readers.bits import Bits

PROFILES_H264 = {66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10", 122: "High 4:2:2",
                 244: "High 4:4:4 Predictive"}  # fmt: skip
PROFILES_HEVC = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Format Range Extensions"}
_EXTENDED = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
MPEG_RATES = {1: 24000 / 1001, 2: 24.0, 3: 25.0, 4: 30000 / 1001, 5: 30.0, 6: 50.0, 7: 60000 / 1001, 8: 60.0}
_ASPECTS = {1: (1, 1), 2: (12, 11), 3: (10, 11), 4: (16, 11), 5: (40, 33), 6: (24, 11), 7: (20, 11), 8: (32, 11),
            9: (80, 33), 10: (18, 11), 11: (15, 11), 12: (64, 33), 13: (160, 99), 14: (4, 3), 15: (3, 2),
            16: (2, 1)}  # fmt: skip
MDPM = bytes.fromhex("17ee8c60f84d11d98cd60800200c9a66") + b"MDPM"
MAKES = {0x0103: "Panasonic", 0x0108: "Sony", 0x1011: "Canon", 0x1104: "JVC"}


def plain(data: bytes) -> bytes:
    """A NAL unit without its emulation prevention bytes (H.264 section 7.4.1)."""
    return data.replace(b"\0\0\3", b"\0\0") if b"\0\0\3" in data else data


def iterate_nals(data: bytes) -> list[bytes]:
    """The NAL units of a byte stream (H.264 annex B), the last one as far as it is there."""
    starts = [match.end() for match in re.finditer(b"\0\0\1", data)]
    ends = [*(start - 3 for start in starts[1:]), len(data)][: len(starts)]
    found = (data[start:end].rstrip(b"\0") for start, end in zip(starts, ends, strict=True))
    return [nal for nal in found if nal]


def read_avc_sps(nal: bytes) -> dict[str, Any]:
    """width, height, frame_rate, video_profile, video_level, scan_type, bit_depth, chroma_subsampling of a sequence
    parameter set (with its NAL header); {} when it makes no sense."""
    bits = Bits(plain(nal[1:512]))
    profile, _, level = bits.take(8), bits.take(8), bits.take(8)
    bits.unsigned()
    chroma, depth = 1, 8
    if profile in _EXTENDED:
        chroma = bits.unsigned()
        if chroma == 3:
            bits.take(1)
        depth = bits.unsigned() + 8
        bits.unsigned()
        bits.take(1)
        if bits.take(1):
            for index in range(8 if chroma != 3 else 12):
                if bits.take(1):
                    _skip_scaling(bits, 16 if index < 6 else 64)
    bits.unsigned()
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()
    bits.unsigned()
    bits.take(1)
    width = (bits.unsigned() + 1) * 16
    units = bits.unsigned() + 1
    frames_only = bits.take(1)
    height = units * 16 * (2 - frames_only)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    if bits.take(1):
        across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1) * (2 - frames_only)
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width -= (left + right) * across
        height -= (top + bottom) * down
    found: dict[str, Any] = {}
    if bits.over or not 0 < width <= 32768 or not 0 < height <= 32768:
        return found
    found.update(width=width, height=height, video_profile=PROFILES_H264.get(profile), video_level=f"{level / 10:g}",
                 scan_type="progressive" if frames_only else "interlaced", bit_depth=depth)  # fmt: skip
    if bits.take(1):
        _read_vui(bits, found)
    return found


def _skip_scaling(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed() + 256) % 256
        last = following or last


def _read_vui(bits: Bits, found: dict[str, Any]) -> None:
    """E.1.1 as far as the timing."""
    if bits.take(1):
        aspect = bits.take(8)
        sides = (bits.take(16), bits.take(16)) if aspect == 255 else _ASPECTS.get(aspect)
        if sides and sides[0] and sides[1] and not bits.over:
            found["pixel_aspect"] = f"{sides[0]}:{sides[1]}"
    if bits.take(1):
        bits.take(1)
    if bits.take(1):
        bits.take(4)
        if bits.take(1):
            bits.take(24)
    if bits.take(1):
        bits.unsigned()
        bits.unsigned()
    if bits.take(1):
        tick, scale = bits.take(32), bits.take(32)
        if tick and scale and not bits.over and 1 <= scale / tick / 2 <= 300:
            found["frame_rate"] = round(scale / tick / 2, 3)


def read_hevc_sps(nal: bytes) -> dict[str, Any]:
    """width, height, video_profile, video_level, bit_depth of a sequence parameter set (with its NAL header)."""
    bits = Bits(plain(nal[2:512]))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    bits.take(3)
    profile = bits.take(5)
    bits.skip(32 + 48)
    level = bits.take(8)
    if layers:
        present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
        bits.skip(2 * (8 - layers))
        for has_profile, has_level in present:
            bits.skip(88 * has_profile + 8 * has_level)
    bits.unsigned()
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    width, height = bits.unsigned(), bits.unsigned()
    if bits.take(1):
        across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1)
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width -= (left + right) * across
        height -= (top + bottom) * down
    depth = bits.unsigned() + 8
    if bits.over or not 0 < width <= 32768 or not 0 < height <= 32768:
        return {}
    return {"width": width, "height": height, "video_profile": PROFILES_HEVC.get(profile),
            "video_level": f"{level / 30:g}", "bit_depth": depth}  # fmt: skip


def read_mpeg_sequence(data: bytes) -> dict[str, Any]:
    """width, height, frame_rate, codec (mpeg1, mpeg2), scan_type, bit_rate of the first sequence header in `data`."""
    at = data.find(b"\0\0\1\xb3")
    if at < 0 or at + 12 > len(data):
        return {}
    width, height = data[at + 4] << 4 | data[at + 5] >> 4, (data[at + 5] & 15) << 8 | data[at + 6]
    rate = MPEG_RATES.get(data[at + 7] & 15)
    units = int.from_bytes(data[at + 8 : at + 11], "big") >> 6
    found: dict[str, Any] = {"codec": "mpeg1video", "width": width, "height": height, "scan_type": "progressive"}
    extension = data.find(b"\0\0\1\xb5", at, at + 200)
    if extension >= 0 and extension + 10 <= len(data) and data[extension + 4] >> 4 == 1:
        one, two = data[extension + 5], data[extension + 6]
        width |= (one & 1) << 13 | (two >> 7) << 12
        height |= (two >> 5 & 3) << 12
        found.update(
            codec="mpeg2video", width=width, height=height, scan_type="progressive" if one & 8 else "interlaced"
        )
    if not width or not height:
        return {}
    if rate:
        found["frame_rate"] = round(rate, 3)
    if units not in (0, 0x3FFFF):
        found["bit_rate"] = units * 400
    return found


def read_mdpm(data: bytes) -> dict[str, Any]:
    """date (ISO 8601 with its offset) and make of an AVCHD camera's SEI in `data`."""
    at = data.find(MDPM)
    if at < 0:
        return {}
    body = plain(data[at + len(MDPM) : at + len(MDPM) + 512])
    found: dict[str, Any] = {}
    if not body:
        return found
    rows = {body[1 + index * 5]: body[2 + index * 5 : 6 + index * 5] for index in range(min(body[0], 100))
            if 6 + index * 5 <= len(body)}  # fmt: skip
    first, second = rows.get(0x18), rows.get(0x19)
    if first and second:
        zone = first[0]
        digits = [first[1:2].hex(), first[2:3].hex(), first[3:4].hex(), *(second[i : i + 1].hex() for i in range(4))]
        century, year, month, day, hour, minute, sec = digits
        minutes = (zone >> 1 & 15) * 60 + (30 if zone & 1 else 0)
        offset = "" if zone == 0xFF else f"{'-' if zone & 0x20 else '+'}{minutes // 60:02}:{minutes % 60:02}"
        found["date"] = f"{century}{year}-{month}-{day}T{hour}:{minute}:{sec}{offset}"
    if 0xE0 in rows:
        found["make"] = MAKES.get(int.from_bytes(rows[0xE0][:2], "big"))
    return found
