"""ID3v2.3 and v2.4 tags of the plain form, read without a frame class for each value.

Nearly every tag is plain: no unsynchronisation, no extended header, no frame flags, frames of the few kinds below, each
once. For those this reads what mutagen reads, in a third of its time. Whatever else a tag has, `read_frames` gives None
for all of it, and mutagen, which mends what broken taggers wrote, reads it (audio.id3).

Sources: ID3v2.4.0 structure sections 3-4, ID3v2.3.0 section 3; ID3v2.4.0 frames sections 4.1, 4.2, 4.10, 4.14, 4.27.
"""

from __future__ import annotations

import re
from functools import cache

_CODECS = ("latin-1", "utf-16", "utf-16-be", "utf-8")  # by the encoding byte (ID3v2.4.0 structure section 4)
_BOMS = (b"\xff\xfe", b"\xfe\xff")
_STAMP = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?", re.ASCII)  # of these mutagen's normal form is the text itself


class PlainFrame:
    """A frame with the attributes that mutagen's frame of that name has."""

    __slots__ = ("data", "desc", "lang", "mime", "name", "owner", "text", "type")
    data: bytes
    desc: str
    lang: str
    mime: str
    owner: str
    text: list[str]
    type: int

    def __init__(self, name: str) -> None:
        self.name = name


class _Unusual(Exception):
    """Not of the plain form."""


def read_frames(body: bytes, version: int) -> list[PlainFrame] | None:
    """The frames between a tag's header and its end, in order; None when any of it is not plain. `version`: 3 or 4."""
    frames: list[PlainFrame] = []
    seen: set[tuple[str, str, str]] = set()
    texts, stamps = _text_frames()
    at, end = 0, len(body)
    try:
        while end - at >= 10 and body[at]:
            name = body[at : at + 4].decode("ascii")
            if version == 4:
                a, b, c, d = body[at + 4 : at + 8]
                if (a | b | c | d) & 0x80:
                    return None
                size = a << 21 | b << 14 | c << 7 | d
            else:
                size = int.from_bytes(body[at + 4 : at + 8], "big")
            at += 10
            if body[at - 2] or body[at - 1] or not 1 < size <= end - at:
                return None
            data = body[at : at + size]
            at += size
            frame = PlainFrame(name)
            key = (name, "", "")
            if name in texts:
                frame.text = _texts(data[0], data[1:], version)
                if name in stamps and not all(map(_STAMP.fullmatch, frame.text)):
                    return None
            elif name == "TXXX":
                frame.desc, rest = _text(data[0], data[1:])
                frame.text = _texts(data[0], rest, version)
                key = (name, frame.desc, "")
            elif name == "COMM":
                frame.lang = data[1:4].decode("ascii")
                frame.desc, rest = _text(data[0], data[4:])
                frame.text = _texts(data[0], rest, version)
                key = (name, frame.desc, frame.lang)
            elif name == "APIC":
                _read_picture(frame, data)
                frames.append(frame)
                continue  # several with one description are several pictures
            elif name in ("UFID", "PRIV"):
                owner, found, frame.data = data.partition(b"\0")
                frame.owner = owner.decode("latin-1")
                if not found:
                    return None
                key = (name, frame.owner, frame.data.hex() if name == "PRIV" else "")
            else:
                return None
            if key in seen:
                return None  # mutagen joins them
            seen.add(key)
            frames.append(frame)
    except (_Unusual, UnicodeError, IndexError):
        return None
    return None if body[at:].strip(b"\0") else frames


@cache
def _text_frames() -> tuple[frozenset[str], frozenset[str]]:
    """Names of frames that hold texts and nothing else; those of them that hold time stamps."""
    from mutagen.id3 import Frames, TextFrame, TimeStampTextFrame

    texts = {name for name, frame in Frames.items() if issubclass(frame, TextFrame) and name not in ("TXXX", "COMM")}
    return frozenset(texts), frozenset(name for name in texts if issubclass(Frames[name], TimeStampTextFrame))


def _read_picture(frame: PlainFrame, data: bytes) -> None:
    end = data.index(b"\0", 1) if b"\0" in data[1:] else len(data)
    frame.mime = data[1:end].decode("latin-1")
    frame.type = data[end + 1]
    frame.desc, frame.data = _text(data[0], data[end + 2 :])


def _split(encoding: int, data: bytes) -> list[bytes]:
    """The data between terminators; after the last of them an empty piece."""
    if encoding in (0, 3):
        return data.split(b"\0")
    if encoding > 3 or len(data) & 1:
        raise _Unusual
    pieces: list[bytes] = []
    start = at = 0
    while (at := data.find(b"\0\0", at)) >= 0:
        if at & 1:  # the second half of one character and the first of the next
            at += 1
            continue
        pieces.append(data[start:at])
        start = at = at + 2
    pieces.append(data[start:])
    return pieces


def _decode(encoding: int, piece: bytes) -> str:
    if encoding == 1 and piece[:2] not in _BOMS:
        raise _Unusual
    return piece.decode(_CODECS[encoding])


def _texts(encoding: int, data: bytes, version: int) -> list[str]:
    """All texts of a frame: ID3v2.4 lists them, and so do taggers in v2.3, where what pads the frame is none."""
    if not data:
        raise _Unusual
    pieces = _split(encoding, data)
    if len(pieces) > 1 and not pieces[-1]:
        pieces.pop()
    while version < 4 and len(pieces) > 1 and not pieces[-1]:
        pieces.pop()
    return [_decode(encoding, piece) for piece in pieces]


def _text(encoding: int, data: bytes) -> tuple[str, bytes]:
    """A terminated text, and what is behind it."""
    if encoding in (0, 3):
        piece, found, rest = data.partition(b"\0")
        if not found:
            raise _Unusual
        return _decode(encoding, piece), rest
    if encoding > 3:
        raise _Unusual
    at = data.find(b"\0\0")
    while at & 1 and at >= 0:
        at = data.find(b"\0\0", at + 1)
    if at < 0:
        raise _Unusual
    return _decode(encoding, data[:at]), data[at + 2 :]
