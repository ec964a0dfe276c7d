"""Texts in ID3v2 frames: encodings, terminators, time stamps; and what taggers made of them.

Source: ID3v2.4.0 structure section 4. Encodings: 0 ISO 8859-1, 1 UTF-16 with a byte order mark, 2 UTF-16BE, 3 UTF-8.
"""

from __future__ import annotations

import re

_STAMP = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?", re.ASCII)  # already in its normal form
_BETWEEN = re.compile(r"[-T:/.]|\s+")
BOMS = (b"\xff\xfe", b"\xfe\xff")


class Junk(Exception):
    """A frame that does not have the form of its name."""


def split_texts(encoding: int, data: bytes, old: bool) -> list[str]:
    """All texts in `data` (ID3v2.4.0 structure section 4: terminated ones, the last one's terminator may be missing).
    Raises Junk when there is none or the encoding does not exist, UnicodeError."""
    if not data or encoding > 3:
        raise Junk
    if encoding == 3 or not encoding:
        codec = "utf-8" if encoding else "latin-1"
        if 0 not in data:
            return [data.decode(codec)]
        pieces = (data.rstrip(b"\0") if old else data).split(b"\0")
        if not old and not pieces[-1]:
            pieces.pop()
        return [piece.decode(codec) for piece in pieces]
    if encoding == 1 and data[:2] in BOMS and not len(data) & 1:
        text = data.decode("utf-16")  # nearly always one text, terminated or not
        text = text.rstrip("\0") if old else text.removesuffix("\0")
        if "\0" not in text:
            return [text]
    texts = []
    while data:
        text, data = take_text(encoding, data, old)
        texts.append(text)
    return texts


def take_text(encoding: int, data: bytes, old: bool) -> tuple[str, bytes]:
    """(text, what is behind its terminator). Raises Junk, UnicodeError."""
    if encoding == 3 or not encoding:
        piece, _, rest = data.partition(b"\0")
        text = piece.decode("utf-8" if encoding else "latin-1")
    else:
        text, rest = _take_wide(encoding, data)
    return text, b"" if old and not rest.strip(b"\0") else rest


def _take_wide(encoding: int, data: bytes) -> tuple[str, bytes]:
    """UTF-16. Where it cannot be read, its last byte may be missing, its byte order mark (then it is little-endian, as
    Windows has it), or both."""
    if (encoding == 1 and data[:2] in BOMS) or encoding == 2:
        end = find_wide_end(data)
        try:
            if end < 0:
                return data.decode("utf-16" if encoding == 1 else "utf-16-be"), b""
            return data[:end].decode("utf-16" if encoding == 1 else "utf-16-be"), data[end + 2 :]
        except UnicodeError:
            pass  # tried below with its last byte
    if encoding == 2:
        attempts: tuple[bytes, ...] = (data, data + b"\0")
    elif encoding == 1:
        attempts = (data, data + b"\0", b"\xff\xfe" + data, b"\xff\xfe" + data + b"\0")
    else:
        raise Junk
    for attempt in attempts:
        if encoding == 1 and attempt and attempt[:2] not in BOMS:
            continue
        end = find_wide_end(attempt)
        try:
            text = (attempt if end < 0 else attempt[:end]).decode("utf-16" if encoding == 1 else "utf-16-be")
        except UnicodeError:
            continue
        return text, attempt[end + 2 :] if end >= 0 else b""
    raise Junk


def find_wide_end(data: bytes) -> int:
    """The place of the first NUL character of UTF-16 text; -1 when there is none."""
    end = data.find(b"\0\0")
    while end & 1 and end > 0:  # the second half of one character and the first of the next
        end = data.find(b"\0\0", end + 1)
    return end


def take_latin(data: bytes) -> tuple[str, bytes]:
    """A terminated text of ISO 8859-1 that must be there, and what is behind it. Raises Junk without data."""
    if not data:
        raise Junk
    piece, _, rest = data.partition(b"\0")
    return piece.decode("latin-1"), rest


def normalise_stamp(text: str) -> str:
    """A time stamp (ID3v2.4.0 structure section 4: yyyy-MM-ddTHH:mm:ss, cut anywhere) as "2001-02-03 04:05:06": up to
    the first part that is no number."""
    if _STAMP.fullmatch(text):
        return text
    parts: list[str] = []
    for place, part in enumerate(_BETWEEN.split(text)[:6]):
        try:
            parts.append(("%04d", "-%02d", "-%02d", " %02d", ":%02d", ":%02d")[place] % int(part))
        except ValueError:
            break
    return "".join(parts)
