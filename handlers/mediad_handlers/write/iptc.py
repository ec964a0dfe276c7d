"""IPTC-IIM records that are there already, kept in step with XMP (Metadata Working Group 2.0 section 3.5: a writer
updates IPTC where it exists and does not create it).

Sources: IIM 4.2 sections 1.5 (data sets), 6 (application record); Photoshop File Formats (resources 0x0404, 0x0425).
"""

from __future__ import annotations

from hashlib import md5
from typing import Any

# field -> (data set of record 2, most bytes)
DATASETS = {
    "title": (5, 64), "keywords": (25, 64), "instructions": (40, 256), "creators": (80, 32), "author_title": (85, 32),
    "city": (90, 32), "location": (92, 32), "state": (95, 32), "country_code": (100, 3), "country": (101, 64),
    "headline": (105, 256), "credit": (110, 32), "source": (115, 32), "copyright": (116, 128),
    "description": (120, 2000), "category": (15, 3),
}  # fmt: skip
MAGIC = b"Photoshop 3.0\0"
UTF8 = b"\x1c\x01\x5a\x00\x03\x1b%G"  # 1:90, CodedCharacterSet


def edit_segment(segment: bytes, changes: dict[str, Any]) -> bytes:
    """An APP13 segment's contents with its IPTC block in step; as it was when it has none."""
    if not segment.startswith(MAGIC):
        return segment
    resources = list(_resources(segment[len(MAGIC) :]))
    old = next((body for number, _, body in resources if number == 0x0404), None)
    if old is None:
        return segment
    new = edit_records(old, changes)
    out = bytearray(MAGIC)
    for number, name, body in resources:
        if number == 0x0404:
            body = new
        elif number == 0x0425 and len(body) == 16:
            body = md5(new, usedforsecurity=False).digest()  # so that nobody takes XMP for the older one
        out += (
            b"8BIM" + number.to_bytes(2, "big") + name + len(body).to_bytes(4, "big") + body + b"\0" * (len(body) & 1)
        )
    return bytes(out)


def _resources(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """(number, padded name, contents) of each image resource."""
    found = []
    at = 0
    while data[at : at + 4] == b"8BIM" and at + 12 <= len(data):
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        length = data[at + 6] + 1
        length += length & 1
        name = data[at + 6 : at + 6 + length]
        at += 6 + length
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((number, name, data[at + 4 : at + 4 + size]))
        at += 4 + size + (size & 1)
    return found


def edit_records(data: bytes, changes: dict[str, Any]) -> bytes:
    """An IIM block with these fields replaced; data sets of other numbers stay in their order. The block says that it
    is UTF-8: what was there in Latin-1 is written anew."""
    wanted = {DATASETS[name][0]: name for name in changes if name in DATASETS}
    utf8 = UTF8 in data
    out = bytearray(UTF8)
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        record, number = data[at + 1], data[at + 2]
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        body = data[at + 5 : at + 5 + size]
        at += 5 + size
        if (record, number) == (1, 90) or (record == 2 and number in wanted):
            continue
        if record == 2 and not utf8 and not body.isascii():
            body = body.decode("latin-1").encode("utf-8")
        out += bytes((0x1C, record, number)) + len(body).to_bytes(2, "big") + body
    for name, value in changes.items():
        if name not in DATASETS or value is None:
            continue
        number, most = DATASETS[name]
        for text in value if isinstance(value, list) else [value]:
            body = _cut(str(text), most)
            out += bytes((0x1C, 2, number)) + len(body).to_bytes(2, "big") + body
    return bytes(out)


def _cut(text: str, most: int) -> bytes:
    """UTF-8 of at most `most` bytes, cut between characters: the specification's limits; XMP holds all of it."""
    data = text.encode("utf-8")
    return data if len(data) <= most else data[:most].decode("utf-8", "ignore").encode("utf-8")
