"""RealMedia.

Sources: RealMedia File Format (RMFF) reference, appendix E of the Helix SDK: PROP, CONT and MDPR headers; the
type-specific data of a stream: RealAudio 4 and 5, and `VIDO`, as the MultimediaWiki's RealMedia page gives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediad_handlers.audio.values import set_genres
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.video.tracks import Track, put_bit_rate, summarise

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

CHUNKS = 200
STREAMS = 64
_TEXTS = ("title", "artists", "copyright", "comments")
_SOURCES = {"title": "title", "artists": "author", "copyright": "copyright", "comments": "comment"}


def read_rm(file: File) -> Record:
    """The record of a RealMedia file; kind audio when it has no video stream. Raises HandlerError `corrupt` when not
    even its PROP header can be read."""
    record = Record("video", "rm", "application/vnd.rn-realmedia")
    tracks: list[Track] = []
    at = 0
    known = False
    for _ in range(CHUNKS):
        head = file.read(at, 10)
        size = int.from_bytes(head[4:8], "big")
        kind = head[:4]
        if len(head) < 10 or size < 10 or kind == b"DATA":
            break
        body = file.read(at + 10, min(size - 10, 64 * 1024))
        if kind == b"PROP" and len(body) >= 30:
            known = True
            record.put("duration", int.from_bytes(body[20:24], "big") / 1000 or None, "Real:PROP")
            record.put("bit_rate", int.from_bytes(body[4:8], "big") or None, "Real:PROP")
        elif kind == b"CONT":
            _map_description(record, body)
        elif kind == b"MDPR" and len(tracks) < STREAMS:
            _read_stream(tracks, body)
        at += size
    if not known:
        raise HandlerError("corrupt", "RealMedia: no properties header")
    _read_trailer(record, file)
    summarise(record, tracks, "Real:MDPR")
    put_bit_rate(record, file.size)
    return record


def _map_description(record: Record, body: bytes) -> None:
    at = 0
    for name in _TEXTS:
        length = int.from_bytes(body[at : at + 2], "big")
        text = body[at + 2 : at + 2 + length].decode("latin-1").strip("\0 \r\n\t")
        at += 2 + length
        if text:
            record.put(name, [text] if name.endswith("s") else text, f"Real:CONT:{_SOURCES[name]}")


def _read_trailer(record: Record, file: File) -> None:
    """An ID3v1 tag behind the data, which RealPlayer wrote."""
    tail = file.tail(128)
    if len(tail) == 128 and tail[:3] == b"TAG":
        for name, start, end in (("title", 3, 33), ("artists", 33, 63), ("album", 63, 93), ("date_released", 93, 97)):
            text = tail[start:end].split(b"\0")[0].decode("latin-1").strip()
            if name == "date_released" and not (text.isdigit() and len(text) == 4):
                continue
            record.put(name, [text] if name == "artists" and text else text, "ID3v1:" + name.capitalize())
        set_genres(record, "genres", [str(tail[127])], "ID3v1:Genre")


def _read_stream(tracks: list[Track], body: bytes) -> None:
    if len(body) < 31:
        return
    at = 30
    at += 1 + body[at]  # the stream's name
    length = body[at] if at < len(body) else 0
    mime_type = body[at + 1 : at + 1 + length].decode("latin-1")
    at += 1 + length
    size = int.from_bytes(body[at : at + 4], "big")
    data = body[at + 4 : at + 4 + size]
    kind = {"audio": "audio", "video": "video"}.get(mime_type.partition("/")[0])
    if kind is None:
        return  # logical-fileinfo and events
    track: Track = {"type": kind, "index": len(tracks) + 1, "id": int.from_bytes(body[:2], "big")}
    track["bit_rate"] = int.from_bytes(body[6:10], "big") or None
    if data[4:8] == b"VIDO" and len(data) >= 16:
        track["codec"] = _code(data[8:12])
        track["width"] = int.from_bytes(data[12:14], "big") or None
        track["height"] = int.from_bytes(data[14:16], "big") or None
    elif data[:6] == b".ra\xfd\0\4" and len(data) >= 60:
        track["sample_rate"] = int.from_bytes(data[48:50], "big") or None
        track["channels"] = int.from_bytes(data[54:56], "big") or None
        place = 57 + data[56]
        track["codec"] = _code(data[place + 1 : place + 5])
    elif data[:6] == b".ra\xfd\0\5" and len(data) >= 70:
        track["sample_rate"] = int.from_bytes(data[54:56], "big") or None
        track["channels"] = int.from_bytes(data[60:62], "big") or None
        track["codec"] = _code(data[66:70])
    tracks.append(track)


def _code(data: bytes) -> str | None:
    text = data.decode("ascii", "replace").strip("\0 ")
    return text.lower() if text and text.isprintable() and text.isascii() else None
