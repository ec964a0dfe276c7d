"""AVI files: RIFF headers only (Microsoft "AVI RIFF File Reference"; OpenDML 1.02 for dmlh; RIFF INFO; Exif 2.3
section 5)."""

from __future__ import annotations

import struct

from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.moment import Moment, parse_moment, put_moment
from mediad_handlers.readers.tiff import decode_text
from mediad_handlers.video.tracks import WAVE_FORMATS, Track, codec_name, put_bit_rate, summarise, track_name
from mediad_handlers.video.values import put_text

MAX_CHUNKS = 2000
MAX_LIST = 1024 * 1024  # bytes of one header list that are read
INFO = {
    b"INAM": "title", b"ICMT": "comments", b"ICOP": "copyright", b"IGNR": "genres", b"IKEY": "keywords",
    b"ISFT": "software", b"IART": "artists", b"IPRD": "album", b"ISBJ": "summary", b"ISTR": "actors", b"IPRO":
    "producers",
    b"IWRI": "writers", b"TITL": "title", b"COMM": "comments", b"IMUS": "composers",
}  # fmt: skip
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}


def read_avi(file: File) -> Record:
    """The record of an AVI file. Raises HandlerError `corrupt` without the header list."""
    record = Record("video", "avi", "video/x-msvideo")
    tracks: list[Track] = []
    found = False
    at = 12
    for _ in range(MAX_CHUNKS):
        header = file.read(at, 12)
        if len(header) < 8:
            break
        kind, length = header[:4], int.from_bytes(header[4:8], "little")
        if kind == b"LIST":
            name = header[8:12]
            if name == b"hdrl":
                found = True
                _read_headers(record, tracks, file.read(at + 12, min(max(length - 4, 0), MAX_LIST)))
            elif name == b"INFO":
                _read_info(record, file.read(at + 12, min(max(length - 4, 0), MAX_LIST)))
        elif kind == b"IDIT":
            put_moment(record, "date_taken", date_of(decode_text(file.read(at + 8, min(length, 64)))), "RIFF:IDIT")
        at += 8 + length + (length & 1)
    if not found:
        raise HandlerError("corrupt", "no AVI header list")
    summarise(record, tracks, "RIFF:strl")
    put_bit_rate(record, file.size)
    return record


def iterate_chunks(data: bytes, at: int = 0) -> list[tuple[bytes, bytes]]:
    """(kind, contents) of the RIFF chunks in `data`, the last one cut where the data end; at most MAX_CHUNKS."""
    found: list[tuple[bytes, bytes]] = []
    while at + 8 <= len(data) and len(found) < MAX_CHUNKS:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + (length & 1)
    return found


def date_of(text: str) -> Moment | None:
    """IDIT: ISO-like, or C's asctime "Mon Mar 10 15:04:43 2003"."""
    words = text.split()
    if len(words) == 5 and words[1].lower()[:3] in _MONTHS and words[2].isdigit():
        return parse_moment(f"{words[4]}-{_MONTHS[words[1].lower()[:3]]:02}-{int(words[2]):02}T{words[3]}")
    return parse_moment(text)


def _read_headers(record: Record, tracks: list[Track], data: bytes) -> None:
    frames, frame_time = 0, 0
    for kind, body in iterate_chunks(data):
        if kind == b"avih" and len(body) >= 40:
            frame_time, frames = struct.unpack_from("<I", body)[0], struct.unpack_from("<I", body, 16)[0]
        elif kind == b"LIST" and body[:4] == b"strl" and len(tracks) < 64:
            track = _read_stream(body[4:], len(tracks) + 1)
            if track:
                tracks.append(track)
        elif kind == b"LIST" and body[:4] == b"odml":
            for inner, total in iterate_chunks(body[4:]):
                if inner == b"dmlh" and len(total) >= 4:
                    frames = max(frames, struct.unpack_from("<I", total)[0])
        elif kind == b"IDIT":
            put_moment(record, "date_taken", date_of(decode_text(body[:64])), "RIFF:IDIT")
    video = next((track for track in tracks if track["type"] == "video"), None)
    rate = video.get("frame_rate") if video else None
    if not rate and frame_time:
        rate = 1e6 / frame_time
        if video:
            video["frame_rate"] = round(rate, 3)
    if video and frames:
        video["frame_count"] = frames
    if rate and frames:
        record.put("duration", frames / rate, "Composite:Duration")
    else:
        longest = max((track.get("duration") or 0.0 for track in tracks), default=0.0)
        record.put("duration", longest or None, "Composite:Duration")


def _read_stream(data: bytes, index: int) -> Track | None:
    """strl: strh (AVISTREAMHEADER), strf (BITMAPINFOHEADER or WAVEFORMATEX), strn."""
    chunks = dict(reversed(iterate_chunks(data)))
    header, form = chunks.get(b"strh", b""), chunks.get(b"strf", b"")
    if len(header) < 36:
        return None
    kinds = {b"vids": "video", b"iavs": "video", b"auds": "audio", b"txts": "subtitle"}
    track: Track = {"type": kinds.get(header[:4], "data"), "index": index}
    scale, rate, _, length = struct.unpack_from("<IIII", header, 20)
    if scale and rate:
        track["duration"] = length * scale / rate
    if b"strn" in chunks:
        track["name"] = track_name(decode_text(chunks[b"strn"]))
    if track["type"] == "video":
        if scale and rate:
            track["frame_rate"] = round(rate / scale, 3)
        if len(form) >= 20:
            track["width"] = int.from_bytes(form[4:8], "little") or None
            track["height"] = abs(int.from_bytes(form[8:12], "little", signed=True)) or None
            code = form[16:20] if form[16:20].strip(b"\0") else header[4:8]
        else:
            code = header[4:8]
        track["codec"] = codec_name(code.decode("latin-1")) if code.strip(b"\0") else "rawvideo"
    elif track["type"] == "audio" and len(form) >= 14:
        tag, channels, frequency, bytes_second = struct.unpack_from("<HHII", form)
        track["codec"] = WAVE_FORMATS.get(tag, f"0x{tag:04x}")
        track["channels"], track["sample_rate"] = channels or None, frequency or None
        track["bit_rate"] = bytes_second * 8 if bytes_second > 125 else None  # VBR in AVI states 1 to 4 bytes a second
    return track


def _read_info(record: Record, data: bytes) -> None:
    for kind, body in iterate_chunks(data):
        value, native = decode_text(body[:65536]), "RIFF:" + kind.decode("latin-1")
        if kind in INFO:
            put_text(record, INFO[kind], value, native)
        elif kind in (b"ICRD", b"IDIT"):
            put_moment(record, "date_taken", date_of(value), native)
        elif value and value.isprintable():
            record.tag(native, [value])
