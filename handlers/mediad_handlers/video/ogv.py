"""Ogg with video: Theora, Dirac, OGM; and the sound beside it.

Sources: Theora I section 6.2 (identification header), A.2.3 (granule position); Vorbis I 4.2.2, 5.2.1 (comments);
RFC 7845 5.1 (Opus); OGM stream headers as ffmpeg and mkvtoolnix read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.readers.ogg import Logical, last_granules, list_streams
from mediad_handlers.video.tracks import Track, codec_name, put_bit_rate, summarise
from mediad_handlers.video.values import put_text

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

COMMENTS = 1000
FIELDS = {
    "TITLE": "title", "ARTIST": "artists", "ALBUM": "album", "GENRE": "genres", "COPYRIGHT": "copyright",
    "DESCRIPTION": "description", "COMMENT": "comments", "ORGANIZATION": "publishers", "PERFORMER": "actors",
    "DIRECTOR": "directors", "DATE": "date_released",
}  # fmt: skip


def read_ogv(file: File) -> Record:
    """The record of an Ogg file with video. Raises HandlerError `corrupt` when no stream in it is known."""
    record = Record("video", "ogv", "video/ogg")
    granules = last_granules(file)
    tracks: list[Track] = []
    for stream in list_streams(file):
        track = _describe(stream, granules.get(stream.serial))
        if track is None:
            continue
        track["index"] = len(tracks) + 1
        seconds = track.pop("seconds", None)
        if seconds and seconds > record.fields.get("duration", 0):
            record.fields.pop("duration", None)
            record.put("duration", round(seconds, 6), "Ogg:Granule")
        tracks.append(track)
        if len(stream.packets) > 1:
            _read_comments(record, stream.packets[1])
    if not tracks:
        raise HandlerError("corrupt", "Ogg: no stream that is known")
    summarise(record, tracks, "Ogg:BOS")
    put_bit_rate(record, file.size)
    return record


def _describe(stream: Logical, granule: int | None) -> Track | None:
    first = stream.packets[0] if stream.packets else b""
    if first[:7] == b"\x80theora" and len(first) >= 42:
        return _describe_theora(first, granule, stream.serial)
    track: Track = {"type": "audio", "id": stream.serial}
    if first[:7] == b"\1vorbis" and len(first) >= 28:
        rate = int.from_bytes(first[12:16], "little")
        nominal = int.from_bytes(first[20:24], "little", signed=True)
        track.update(codec="vorbis", channels=first[11], sample_rate=rate, bit_rate=nominal if nominal > 0 else None)
        track["seconds"] = granule / rate if granule and rate else None
        return track
    if first[:8] == b"OpusHead" and len(first) >= 19:
        skip = int.from_bytes(first[10:12], "little")
        track.update(codec="opus", channels=first[9], sample_rate=48000)
        track["seconds"] = (granule - skip) / 48000 if granule and granule > skip else None
        return track
    if first[:5] == b"\x7fFLAC" and len(first) >= 51:
        facts = int.from_bytes(first[27:35], "big")
        track.update(codec="flac", sample_rate=facts >> 44, channels=(facts >> 41 & 7) + 1)
        return track
    if first[:8] == b"Speex   " and len(first) >= 52:
        rate = int.from_bytes(first[36:40], "little")
        track.update(codec="speex", sample_rate=rate, channels=int.from_bytes(first[48:52], "little"))
        return track
    if first[:6] == b"\1video" and len(first) >= 53:
        unit = int.from_bytes(first[17:25], "little")
        return {"type": "video", "id": stream.serial, "codec": codec_name(first[9:13].decode("latin-1")),
                "width": int.from_bytes(first[45:49], "little") or None, "height": int.from_bytes(first[49:53],
                "little") or None,
                "frame_rate": round(10_000_000 / unit, 3) if unit else None}  # fmt: skip
    if first[:5] == b"BBCD\0":
        return {"type": "video", "id": stream.serial, "codec": "dirac"}
    return None


def _describe_theora(first: bytes, granule: int | None, serial: int) -> Track:
    track: dict[str, Any] = {"type": "video", "id": serial, "codec": "theora"}
    track["width"] = int.from_bytes(first[14:17], "big") or int.from_bytes(first[10:12], "big") * 16
    track["height"] = int.from_bytes(first[17:20], "big") or int.from_bytes(first[12:14], "big") * 16
    top, bottom = int.from_bytes(first[22:26], "big"), int.from_bytes(first[26:30], "big")
    wide, high = int.from_bytes(first[30:33], "big"), int.from_bytes(first[33:36], "big")
    if wide and high:
        track["pixel_aspect"] = f"{wide}:{high}"
    nominal = int.from_bytes(first[37:40], "big")
    track["bit_rate"] = nominal if 0 < nominal < 0xFFFFFF else None
    shift = (first[40] & 3) << 3 | first[41] >> 5
    if top and bottom:
        track["frame_rate"] = round(top / bottom, 3)
        if granule:
            frames = (granule >> shift) + (granule & ((1 << shift) - 1))
            track["seconds"] = frames * bottom / top
    return track


def _read_comments(record: Record, packet: bytes) -> None:
    """A Vorbis comment behind whatever its mapping puts in front."""
    for magic in (b"\x81theora", b"\3vorbis", b"OpusTags"):
        if packet.startswith(magic):
            at = len(magic)
            break
    else:
        return
    length = int.from_bytes(packet[at : at + 4], "little")
    record.put("encoder", packet[at + 4 : at + 4 + length].decode("utf-8", "replace").strip(), "Vorbis:Vendor")
    at += 4 + length
    count = min(int.from_bytes(packet[at : at + 4], "little"), COMMENTS)
    at += 4
    for _ in range(count):
        length = int.from_bytes(packet[at : at + 4], "little")
        text = packet[at + 4 : at + 4 + length].decode("utf-8", "replace")
        if at + 4 > len(packet):
            break
        at += 4 + length
        key, _, value = text.partition("=")
        name = FIELDS.get(key.upper())
        if name == "date_released" and not (value[:4].isdigit() and len(value) in (4, 7, 10)):
            continue
        if name is not None:
            put_text(record, name, value, f"Vorbis:{key.capitalize()}")
        elif value:
            record.tag(f"Vorbis:{key.upper()[:80]}", [value])
