"""The name of an ICC profile (ICC.1:2022 sections 7.2, 7.3, 10.15 multiLocalizedUnicode; ICC.1:1998
textDescription)."""

from __future__ import annotations

HEADER = 128
MAX_TAGS = 100


def profile_name(data: bytes) -> str | None:
    """The profile description: the first language of it; None when the profile has none or is damaged."""
    if len(data) < HEADER + 4 or data[36:40] != b"acsp":
        return None
    for index in range(min(int.from_bytes(data[128:132], "big"), MAX_TAGS)):
        row = data[132 + 12 * index : 144 + 12 * index]
        if row[:4] == b"desc" and len(row) == 12:
            offset = int.from_bytes(row[4:8], "big")
            return _description(data[offset : offset + min(int.from_bytes(row[8:12], "big"), 4096)])
    return None


def _description(block: bytes) -> str | None:
    if block[:4] == b"desc":
        length = int.from_bytes(block[8:12], "big")
        return block[12 : 12 + length].partition(b"\0")[0].decode("latin-1").strip() or None
    if block[:4] == b"mluc" and len(block) >= 28:
        length, offset = int.from_bytes(block[20:24], "big"), int.from_bytes(block[24:28], "big")
        found = block[offset : offset + (length & ~1)]
        return found[: len(found) & ~1].decode("utf-16-be", "replace").strip("\0 ") or None
    return None
