"""ASF and WMV files: the header object (Microsoft "Advanced Systems Format" 01.20.03 sections 3.1-3.13, 9)."""

from __future__ import annotations

import struct
from uuid import UUID

from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.kit.pictures import Inside, keep, wanted
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.video.mp4 import date_text
from mediad_handlers.video.tracks import WAVE_FORMATS, Track, codec_name, put_bit_rate, summarise
from mediad_handlers.video.values import put_text

MAX_HEADER = 4 * 1024 * 1024
MAX_OBJECTS, MAX_ATTRIBUTES = 256, 1000
FROM_1601 = 11_644_473_600 - 2_082_844_800  # FILETIME counts from 1601; date_text from 1904


def _guid(text: str) -> bytes:
    return UUID(text).bytes_le


HEADER = _guid("75B22630-668E-11CF-A6D9-00AA0062CE6C")
_FILE = _guid("8CABDCA1-A947-11CF-8EE4-00C00C205365")
_STREAM = _guid("B7DC0791-A9B7-11CF-8EE6-00C00C205365")
_EXTENSION = _guid("5FBF03B5-A92E-11CF-8EE3-00C00C205365")
_STREAM_EXTENDED = _guid("14E6A5CB-C672-4332-8399-A96952065B5A")
_DESCRIPTION = _guid("75B22633-668E-11CF-A6D9-00AA0062CE6C")
_EXTENDED = _guid("D2D0A440-E307-11D2-97F0-00A0C95EA850")
_METADATA = _guid("C5F8CBEA-5BAF-4877-8467-AA8C44FA4CCA")
_LIBRARY = _guid("44231C94-9498-49D1-A141-1D134E457054")
_VIDEO, _AUDIO = _guid("BC19EFC0-5B4D-11CF-A8FD-00805F5C442B"), _guid("F8699E40-5B4D-11CF-A8FD-00805F5C442B")
ATTRIBUTES = {
    "Title": "title", "Author": "artists", "Copyright": "copyright", "Description": "comments",
    "WM/AlbumTitle": "album", "WM/Genre": "genres", "WM/Composer": "composers", "WM/Director": "directors",
    "WM/Producer": "producers", "WM/Publisher": "publishers", "WM/Writer": "writers", "WM/SubTitle": "subtitle",
    "WM/AlbumArtist": "album_artists", "WM/EncodedBy": "encoded_by", "WM/ToolName": "software",
    "WM/EncodingSettings": "encoder_settings", "WM/ParentalRating": "content_rating",
}  # fmt: skip


def read_asf(file: File) -> Record:
    """The record of an ASF file. Raises HandlerError `corrupt` without the header object."""
    head = file.head
    if head[:16] != HEADER or len(head) < 30:
        raise HandlerError("corrupt", "no ASF header object")
    record = Record("video", "wmv", "video/x-ms-wmv")
    data = file.read(0, min(int.from_bytes(head[16:24], "little"), MAX_HEADER))
    tracks: dict[int, Track] = {}
    rates: dict[int, float] = {}
    _read_objects(record, tracks, rates, data, 30, 0)
    for number, rate in rates.items():
        if number in tracks and tracks[number]["type"] == "video":
            tracks[number]["frame_rate"] = rate
    ordered = [tracks[number] for number in sorted(tracks)]
    for index, track in enumerate(ordered, 1):
        track["index"] = index
    summarise(record, ordered, "ASF:StreamProperties")
    if record.kind == "audio":
        record.format, record.mime_type = "wma", "audio/x-ms-wma"
    put_bit_rate(record, file.size)
    return record


def _read_objects(
    record: Record, tracks: dict[int, Track], rates: dict[int, float], data: bytes, at: int, depth: int
) -> None:
    for _ in range(MAX_OBJECTS):
        if at + 24 > len(data):
            return
        kind, size = data[at : at + 16], int.from_bytes(data[at + 16 : at + 24], "little")
        if size < 24:
            return
        body = data[at + 24 : at + size]
        at += size
        if kind == _FILE and len(body) >= 80:
            created, duration = struct.unpack_from("<QQ", body, 24)[0], struct.unpack_from("<Q", body, 40)[0]
            preroll = struct.unpack_from("<Q", body, 56)[0]  # ms; counted in the play duration
            put_moment(
                record, "date_taken", parse_moment(date_text(created // 10_000_000 - FROM_1601)), "ASF:CreationDate"
            )
            seconds = duration / 1e7 - preroll / 1000
            record.put("duration", seconds if 0 < seconds < 1e8 else None, "ASF:PlayDuration")
        elif kind == _STREAM and len(body) >= 54:
            track = _read_stream(body)
            tracks.setdefault(track["id"], track)
        elif kind == _STREAM_EXTENDED and len(body) >= 64:
            frame = struct.unpack_from("<Q", body, 52)[0]
            if 0 < frame < 10**9:
                rates[struct.unpack_from("<H", body, 48)[0]] = round(1e7 / frame, 3)
        elif kind == _EXTENSION and depth == 0:
            _read_objects(record, tracks, rates, body, 22, 1)
        elif kind == _DESCRIPTION and len(body) >= 10:
            start = 10
            lengths = struct.unpack_from("<4H", body)
            for name, length in zip(("Title", "Author", "Copyright", "Description"), lengths, strict=True):
                _put(record, name, _text(body[start : start + length]))
                start += length
        elif kind == _EXTENDED:
            _read_attributes(record, body)
        elif kind in (_METADATA, _LIBRARY):
            _read_library(record, body)


def _read_stream(body: bytes) -> Track:
    """Stream properties: BITMAPINFOHEADER behind 11 bytes, or WAVEFORMATEX."""
    number, data = struct.unpack_from("<H", body, 48)[0] & 127, body[54:]
    track: Track = {"type": "data", "id": number}
    if body[:16] == _VIDEO:
        track["type"] = "video"
        if len(data) >= 31:
            track["width"], track["height"] = struct.unpack_from("<II", data)
            track["codec"] = codec_name(data[27:31].decode("latin-1"))
    elif body[:16] == _AUDIO:
        track["type"] = "audio"
        if len(data) >= 12:
            tag, channels, frequency, rate = struct.unpack_from("<HHII", data)
            track["codec"] = WAVE_FORMATS.get(tag, f"0x{tag:04x}")
            track["channels"], track["sample_rate"] = channels or None, frequency or None
            track["bit_rate"] = rate * 8 or None
    return track


def _text(raw: bytes) -> str:
    return raw[: len(raw) & ~1].decode("utf-16-le", "replace").partition("\0")[0].strip()


def _read_attributes(record: Record, body: bytes) -> None:
    """Extended content description: name, type, value."""
    at = 2
    for _ in range(min(int.from_bytes(body[:2], "little"), MAX_ATTRIBUTES)):
        length = int.from_bytes(body[at : at + 2], "little")
        name = _text(body[at + 2 : at + 2 + length])
        at += 2 + length
        kind, size = int.from_bytes(body[at : at + 2], "little"), int.from_bytes(body[at + 2 : at + 4], "little")
        _put_value(record, name, kind, body[at + 4 : at + 4 + size], size)
        at += 4 + size
        if at >= len(body):
            return


def _read_library(record: Record, body: bytes) -> None:
    """Metadata and metadata library objects: language, stream, name length, type, value length, name, value."""
    at = 2
    for _ in range(min(int.from_bytes(body[:2], "little"), MAX_ATTRIBUTES)):
        if at + 12 > len(body):
            return
        _, _, length, kind, size = struct.unpack_from("<HHHHI", body, at)
        name, at = _text(body[at + 12 : at + 12 + length]), at + 12 + length
        _put_value(record, name, kind, body[at : at + (size if wanted() else min(size, 65536))], size)
        at += size


def _keep_picture(data: bytes) -> None:
    """WM_PICTURE (Windows Media Format SDK): type, length, MIME type and description in UTF-16LE with NUL, picture."""
    start = 5
    for _ in range(2):
        while start + 1 < len(data) and data[start : start + 2] != b"\0\0":
            start += 2
        start += 2
    size = int.from_bytes(data[1:5], "little")
    if len(data) > start and size:
        keep(Inside("front_cover" if data[0] == 3 else "cover", data[start : start + size]))


def _put_value(record: Record, name: str, kind: int, raw: bytes, size: int) -> None:
    if kind == 0:
        _put(record, name, _text(raw))
    elif name == "WM/Picture" and kind == 1:
        if len(record.fields.setdefault("pictures", [])) < 16:
            record.fields["pictures"].append({"type": "cover", "size": size})
            record.sources["pictures"] = "ASF:WM/Picture"
            if wanted():
                _keep_picture(raw)
    elif kind in (2, 3, 4, 5) and name and raw:
        record.tag("ASF:" + name, [int.from_bytes(raw[:8], "little")])


def _put(record: Record, name: str, value: str) -> None:
    if name in ATTRIBUTES:
        put_text(record, ATTRIBUTES[name], value, "ASF:" + name)
        if name == "Author" and value:
            record.put("artist_credit", value, "ASF:Author")
    elif name == "WM/Year" and value[:4].isdigit():
        record.put("date_released", value[:4], "ASF:WM/Year")
    elif name == "WM/TrackNumber" and value.isascii() and value.isdigit():
        record.put("track_number", int(value[:9]) or None, "ASF:WM/TrackNumber")
    elif name and value:
        record.tag("ASF:" + name, [value[:4096]])
