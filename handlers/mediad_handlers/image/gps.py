"""From the GPS directory to place and time (Exif 3.0 section 4.6.7)."""

from __future__ import annotations

from mediad_handlers.kit.api import Record
from mediad_handlers.readers.moment import parse_moment
from mediad_handlers.readers.tiff import Entries, Value, first_number

_SPEED = {"K": 1 / 3.6, "M": 0.44704, "N": 1852 / 3600}  # to metres a second
_POSITIVE, _NEGATIVE = {"N", "E"}, {"S", "W"}


def degrees(value: Value, reference: Value, limit: int) -> float | None:
    """Signed decimal degrees from [degrees, minutes, seconds] and "N" "S" "E" "W"; None beyond `limit` degrees."""
    letter = reference.strip()[:1].upper() if isinstance(reference, str) else ""
    if letter not in _POSITIVE and letter not in _NEGATIVE:
        return None
    parts = value if isinstance(value, list) else [value]
    if not parts or not all(isinstance(part, int | float) or part is None for part in parts) or parts[0] is None:
        return None
    total = sum(float(part or 0) / scale for part, scale in zip(parts[:3], (1, 60, 3600), strict=False))
    if not 0 <= total <= limit:
        return None
    return -total if letter in _NEGATIVE else total


def map_gps(record: Record, entries: Entries) -> None:
    latitude, longitude = degrees(entries.get(2), entries.get(1), 90), degrees(entries.get(4), entries.get(3), 180)
    if latitude is not None and longitude is not None:
        record.put("latitude", latitude, "GPS:GPSLatitude")
        record.put("longitude", longitude, "GPS:GPSLongitude")
    altitude = first_number(entries.get(6))
    if altitude is not None and abs(altitude) < 1e6:
        below = entries.get(5) in (1, b"\x01", 3)  # 3: below the sea level reference (Exif 3.0)
        record.put("altitude", -float(altitude) if below else float(altitude), "GPS:GPSAltitude")
    for name, tag, source in (("gps_accuracy", 31, "GPSHPositioningError"), ("gps_direction", 17, "GPSImgDirection")):
        number = first_number(entries.get(tag))
        if number is not None:
            record.put(name, float(number), "GPS:" + source)
    speed, unit = first_number(entries.get(13)), entries.get(12)
    if speed is not None and isinstance(unit, str) and unit in _SPEED:
        record.put("gps_speed", speed * _SPEED[unit], "GPS:GPSSpeed")
    record.put("gps_at", fix_time(entries), "GPS:GPSTimeStamp")


def fix_time(entries: Entries) -> float | None:
    """Unix seconds of the fix: GPSDateStamp and GPSTimeStamp are UTC."""
    day, clock = parse_moment(entries.get(29)), entries.get(7)
    if day is None or day.precision != "day" or not isinstance(clock, list) or len(clock) != 3:
        return None
    hour, minute, second = (float(part) if isinstance(part, int | float) else -1.0 for part in clock)
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 61):
        return None
    return float(day.unix + hour * 3600 + minute * 60 + second)
