"""IPTC-IIM datasets and the Photoshop image resources that carry them.

Sources: IPTC-NAA Information Interchange Model 4.2 (chapter 1.6: datasets; 1:90 coded character set, ISO 2022);
Adobe Photoshop File Formats Specification, "Image Resource Blocks" (0x0404 IPTC, 0x0425 its MD5, 0x040F ICC).
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

MAX_DATASETS = 2000
IPTC_RESOURCE, DIGEST_RESOURCE = 0x0404, 0x0425
_UTF8 = b"\x1b%G"


class Iptc(NamedTuple):
    """`datasets` of record 2 by number, text in file order; `newer` is true when the resource's MD5 says that the IPTC
    was written after the XMP (MWG 2.0 section 3.2: the digest does not match)."""

    datasets: dict[int, list[str]]
    newer: bool


def iterate_resources(data: bytes) -> dict[int, bytes]:
    """Image resources by number from "8BIM" blocks; stops at the first that does not fit."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 12 <= len(data) and data[at : at + 4] in (b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa"):
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        name = data[at + 6] + 1
        at += 6 + name + (name & 1)
        length = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if at + length > len(data):
            break
        found.setdefault(number, data[at : at + length])
        at += length + (length & 1)
    return found


def parse_iptc(data: bytes, digest: bytes = b"") -> Iptc:
    """The datasets of record 2. Text is UTF-8 when 1:90 says so or when it is valid UTF-8, else Latin-1."""
    raw: dict[int, list[bytes]] = {}
    at = count = 0
    utf8 = False
    while at + 5 <= len(data) and data[at] == 0x1C and count < MAX_DATASETS:
        record, number = data[at + 1], data[at + 2]
        length = data[at + 3] << 8 | data[at + 4]
        at += 5
        if length & 0x8000:  # extended dataset: the length's length
            size = length & 0x7FFF
            if size > 4:
                break
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        value = data[at : at + length]
        if len(value) < length:
            break
        at += length
        count += 1
        if record == 1 and number == 90:
            utf8 = value == _UTF8
        elif record == 2 and number:
            raw.setdefault(number, []).append(value)
    datasets = {number: [_decode(value, utf8) for value in values] for number, values in raw.items()}
    newer = bool(digest.strip(b"\0")) and hashlib.md5(data, usedforsecurity=False).digest() != digest
    return Iptc(datasets, newer)


def _decode(value: bytes, utf8: bool) -> str:
    try:
        return value.decode("utf-8").strip(" \0\r\n")
    except UnicodeDecodeError:
        return value.decode("utf-8" if utf8 else "latin-1", "replace").strip(" \0\r\n")
