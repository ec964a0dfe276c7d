"""Stream facts: duration, rates, channels. 0 and None are "not stated": no key."""

from __future__ import annotations

from math import isfinite
from typing import Any

from mediad_handlers.kit.api import Record


def put_codec(record: Record, codec: str, lossless: bool | None, source: str) -> None:
    record.put("codec", codec, source)
    record.put("lossless", lossless, source)


def put_stream(record: Record, info: Any, source: str, *, with_bit_rate: bool = True) -> None:
    """duration (s), sample_rate (Hz), channels, bits_per_sample, bit_rate (bit/s) as far as `info` has them."""
    duration = getattr(info, "length", None)
    if isinstance(duration, (int, float)) and duration > 0 and isfinite(duration):
        record.put("duration", round(float(duration), 6), source)
    for field, names in (
        ("sample_rate", ("sample_rate",)),
        ("channels", ("channels",)),
        ("bits_per_sample", ("bits_per_sample", "sample_size")),
    ):
        for name in names:
            value = getattr(info, name, None)
            if isinstance(value, (int, float)) and value > 0:
                record.put(field, int(value), source)
    rate = getattr(info, "bitrate", None)
    if with_bit_rate and isinstance(rate, (int, float)) and rate > 0:
        record.put("bit_rate", int(rate), source)


def put_facts(
    record: Record, source: str, duration: float, sample_rate: int, channels: int, bits_per_sample: int = 0
) -> None:
    """The same of one of our own readers; 0 is "not stated"."""
    if duration > 0 and isfinite(duration):
        record.put("duration", round(duration, 6), source)
    record.put("sample_rate", sample_rate or None, source)
    record.put("channels", channels or None, source)
    record.put("bits_per_sample", bits_per_sample or None, source)


def put_average(record: Record, size: int, source: str) -> None:
    """The average bit rate of `size` bytes over the duration; replaces a nominal one."""
    duration = record.fields.get("duration")
    if duration and size > 0:
        rate = round(size * 8 / duration)
        if rate:
            record.fields["bit_rate"] = rate
            record.sources["bit_rate"] = source
