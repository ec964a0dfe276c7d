"""RealMedia by hachoir's parser (readers.hachoir says under which limits).

Sources: RealMedia File Format (RMFF) reference, appendix E of the Helix SDK: PROP, CONT and MDPR headers; the
type-specific data of a stream, which hachoir leaves as bytes: RealAudio 4 by hachoir's own parser, RealAudio 5 (three
more 16-bit numbers in front of the rate) and `VIDO` as the MultimediaWiki's RealMedia page gives them.
"""

from __future__ import annotations

from typing import Any

from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.hachoir import iterate, open_bytes, open_fields, value
from mediad_handlers.video.tracks import Track, put_bit_rate, summarise

STREAMS = 64  # of one file
_TEXTS = (("title", "title"), ("artists", "author"), ("copyright", "copyright"), ("comments", "comment"))


def read_rm(file: File) -> Record:
    """The record of a RealMedia file; kind audio when it has no video stream. Raises HandlerError `corrupt` when not
    even its PROP header can be read."""
    record = Record("video", "rm", "application/vnd.rn-realmedia")
    root = open_fields(file, "rm")
    tracks: list[Track] = []
    properties = False
    try:
        for chunk in iterate(root):
            if chunk.name == "file_prop":
                properties = True
                record.put("duration", value(chunk, "duration") / 1000 or None, "Real:PROP")
                record.put("bit_rate", value(chunk, "avg_bit_rate") or None, "Real:PROP")
            elif chunk.name == "content_desc":
                _map_description(record, chunk)
            elif chunk.name.startswith("stream_prop[") and len(tracks) < STREAMS:
                _read_stream(tracks, chunk)
            elif chunk.name.startswith("data["):
                break  # the headers are over
    except HandlerError as fault:
        if not properties:
            raise
        record.warnings.append(f"RealMedia: {fault.message}")
    if not properties:
        raise HandlerError("corrupt", "RealMedia: no properties header")
    summarise(record, tracks, "Real:MDPR")
    put_bit_rate(record, file.size)
    return record


def _map_description(record: Record, chunk: Any) -> None:
    for field, name in _TEXTS:
        text = (value(chunk, name) or "").strip("\0 \r\n\t")
        if text:
            record.put(field, [text] if field.endswith("s") else text, f"Real:CONT:{name}")


def _read_stream(tracks: list[Track], chunk: Any) -> None:
    mime_type = value(chunk, "mime_type")
    kind = {"audio": "audio", "video": "video"}.get(mime_type.partition("/")[0])
    if kind is None:
        return  # logical-fileinfo and events
    track: Track = {"type": kind, "index": len(tracks) + 1, "id": value(chunk, "stream_number")}
    track["bit_rate"] = value(chunk, "avg_bit_rate") or None
    data = value(chunk, "specific") or b""
    if data[4:8] == b"VIDO" and len(data) >= 16:
        track["codec"] = _code(data[8:12])
        track["width"] = int.from_bytes(data[12:14], "big") or None
        track["height"] = int.from_bytes(data[14:16], "big") or None
    elif data[:6] == b".ra\xfd\0\4":
        inner = open_bytes(data, "ra")
        track["sample_rate"] = value(inner, "sample_rate") or None
        track["channels"] = value(inner, "channels") or None
        track["codec"] = (value(inner, "FourCC") or "").strip().lower() or None
    elif data[:6] == b".ra\xfd\0\5" and len(data) >= 70:
        track["sample_rate"] = int.from_bytes(data[54:56], "big") or None
        track["channels"] = int.from_bytes(data[60:62], "big") or None
        track["codec"] = _code(data[66:70])
    tracks.append(track)


def _code(data: bytes) -> str | None:
    text = data.decode("ascii", "replace").strip("\0 ")
    return text.lower() if text.isprintable() and text.isascii() else None
