"""Text and places as all containers write them, into fields (ISO 6709 annex H for places)."""

from __future__ import annotations

import re

from mediad_handlers.kit.api import Record

_PLACE = re.compile(r"([+-]\d{1,3}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?", re.ASCII)
_LISTS = frozenset((
    "comments", "genres", "directors", "producers", "composers", "keywords", "groupings", "publishers", "creators",
    "actors", "artists", "album_artists",
))  # fmt: skip


def put_text(record: Record, name: str, value: str, source: str) -> None:
    """Sets a field from text; a plural one takes it as its only item, or one more of the same source."""
    value = value.strip("\0 \r\n")
    if not value:
        return
    if name not in _LISTS:
        record.put(name, value, source)
    elif record.sources.get(name) == source:
        record.fields[name].append(value)
    else:
        record.put(name, [value], source)


def put_place(record: Record, written: str, source: str) -> None:
    """Latitude, longitude and altitude from ISO 6709 "+27.5916+086.5640+8850/"."""
    match = _PLACE.match(written.strip())
    if match is None:
        return
    latitude, longitude = float(match[1]), float(match[2])
    if abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude or longitude):
        record.put("latitude", latitude, source)
        record.put("longitude", longitude, source)
        if match[3]:
            record.put("altitude", float(match[3]), source)
