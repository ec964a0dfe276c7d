"""MPEG program streams (MPG, VOB), MPEG video elementary streams, and raw DV.

Sources: ISO 13818-1 2.5.3 (pack header, SCR, mux rate), 2.5.3.5 (system header), 2.4.3.6 (PES), table 2-22 (stream
ids); DVD-Video private stream 1 (sub-stream numbers: 0x80 AC-3, 0x88 DTS, 0xA0 LPCM, 0x20 sub-pictures); IEC 61834-2
and SMPTE 314M (DIF blocks, VAUX and audio packs).
"""

from __future__ import annotations

import re

from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.videoheaders import read_mpeg_sequence
from mediad_handlers.video.mpegts import ELEMENTARY, WRAP, describe_stream, read_stamp
from mediad_handlers.video.tracks import Track, put_bit_rate, summarise

HEAD = 512 * 1024
TAIL = 256 * 1024
CLOCK = 90_000
_START = re.compile(b"\0\0\1([\xba-\xff])", re.DOTALL)
PRIVATE = ((0x80, 0x88, "ac3"), (0x88, 0x90, "dts"), (0xA0, 0xA8, "pcm"), (0xC0, 0xD0, "eac3"))


def _pack_clock(data: bytes, at: int) -> int | None:
    """The base of the SCR of a pack header, MPEG-2 or MPEG-1."""
    body = data[at + 4 : at + 12]
    if len(body) < 8:
        return None
    if body[0] & 0xC0 == 0x40:
        return (body[0] >> 3 & 7) << 30 | (body[0] & 3) << 28 | body[1] << 20 | (body[2] >> 3) << 15 | (
            (body[2] & 3) << 13 | body[3] << 5 | body[4] >> 3)  # fmt: skip
    if body[0] & 0xF0 == 0x20:
        return (body[0] >> 1 & 7) << 30 | body[1] << 22 | (body[2] >> 1) << 15 | body[3] << 7 | body[4] >> 1
    return None


def read_ps(file: File) -> Record:
    """The record of a program stream. Raises HandlerError `corrupt` when it has no stream."""
    record = Record("video", "mpeg", "video/mpeg")
    head = file.read(0, min(file.size, HEAD))
    tracks: dict[int, Track] = {}
    data: dict[int, bytearray] = {}
    first = next((clock for match in _START.finditer(head) if match[1] == b"\xba"
                  and (clock := _pack_clock(head, match.start())) is not None), None)  # fmt: skip
    at = 0
    while (match := _START.search(head, at)) is not None:
        number = match[1][0]
        begin = match.start()
        if number == 0xBA:
            at = begin + 12
            continue
        length = int.from_bytes(head[begin + 4 : begin + 6], "big")
        payload = head[begin : begin + 6 + length] if length else head[begin : begin + 2048]
        at = begin + max(6 + length, 4)
        key, kind = _stream(number, payload)
        if kind is None:
            continue
        if key not in tracks:
            tracks[key] = {"id": key, "type": kind[0], "codec": kind[1], "index": len(tracks) + 1}
        gathered = data.setdefault(key, bytearray())
        if len(gathered) < ELEMENTARY:
            gathered += _body(payload, number)
    if not tracks:
        raise HandlerError("corrupt", "no stream was found in the first packs")
    for key, track in tracks.items():
        stream = bytes(data[key])
        if track["codec"] == "mpeg2video" and b"\0\0\1\xb3" not in stream and b"\0\0\1\x67" in stream:
            track["codec"] = "h264"
        describe_stream(record, track, stream)
    _put_duration(record, file, first)
    summarise(record, list(tracks.values()), "MPEG:PES")
    put_bit_rate(record, file.size)
    return record


def _stream(number: int, payload: bytes) -> tuple[int, tuple[str, str] | None]:
    """(key, (kind, codec)) of a PES packet; None for padding, system headers and what is not known."""
    if 0xE0 <= number <= 0xEF:
        return number, ("video", "mpeg2video")
    if 0xC0 <= number <= 0xDF:
        return number, ("audio", "mpegaudio")
    if number == 0xBD and len(payload) > 9:
        sub = payload[9 + payload[8]] if len(payload) > 9 + payload[8] else 0
        for low, high, codec in PRIVATE:
            if low <= sub < high:
                return 0xBD00 | sub, ("audio", codec)
        if 0x20 <= sub < 0x40:
            return 0xBD00 | sub, ("subtitle", "vobsub")
    return number, None


def _body(payload: bytes, number: int) -> bytes:
    """The elementary bytes of a PES packet: MPEG-2's header has its length, MPEG-1's is walked (11172-1 2.4.3.3)."""
    if len(payload) > 9 and payload[6] & 0xC0 == 0x80:
        start = 9 + payload[8]
        return payload[start + 4 :] if number == 0xBD else payload[start:]
    at = 6
    while at < len(payload) and payload[at] == 0xFF and at < 22:
        at += 1
    if at < len(payload) and payload[at] & 0xC0 == 0x40:
        at += 2
    if at < len(payload):
        at += {2: 5, 3: 10}.get(payload[at] >> 4, 1)
    return payload[at:]


def _put_duration(record: Record, file: File, first: int | None) -> None:
    """From the first clock to the last, or the last presentation time."""
    size = min(file.size, TAIL)
    tail = file.read(file.size - size, size)
    last = None
    for match in _START.finditer(tail):
        if match[1] == b"\xba":
            last = _pack_clock(tail, match.start()) or last
        elif 0xC0 <= match[1][0] <= 0xEF:
            last = read_stamp(tail[match.start() : match.start() + 32]) or last
    if first is not None and last is not None:
        seconds = (last - first) % WRAP / CLOCK
        if 0 < seconds < 7 * 86400:
            record.put("duration", round(seconds, 6), "MPEG:SCR")


def read_mpeg_video(file: File) -> Record:
    """The record of an elementary stream that begins with a sequence header. Raises HandlerError `corrupt`."""
    record = Record("video", "mpeg", "video/mpeg")
    found = read_mpeg_sequence(file.head)
    if not found:
        raise HandlerError("corrupt", "the sequence header makes no sense")
    track: Track = {"type": "video", "index": 1, **found}
    rate = found.get("bit_rate")
    if rate:
        record.put("duration", round(file.size * 8 / rate, 3), "MPEG:BitRate")
        record.put("bit_rate", rate, "MPEG:BitRate")
    summarise(record, [track], "MPEG:Sequence")
    return record


# ---------------------------------------------------------------- DV

DIF_BLOCK = 80
# (50 fields a second, signal type): bytes of a frame, frames a second, lines, Mbit/s of the video
_SYSTEMS = {
    (0, 0): (120000, 30000 / 1001, 480), (1, 0): (144000, 25.0, 576), (0, 4): (240000, 30000 / 1001, 480),
    (1, 4): (288000, 25.0, 576),
}  # fmt: skip
_AUDIO_RATES = {0: 48000, 1: 44100, 2: 32000}


def read_dv(file: File) -> Record:
    """The record of a raw DV stream: of its first frame, all frames being of one size. Raises HandlerError
    `corrupt`."""
    record = Record("video", "dv", "video/x-dv")
    frame = file.read(0, min(file.size, 288000))
    if len(frame) < 6 * DIF_BLOCK or frame[:1] != b"\x1f":
        raise HandlerError("corrupt", "no DIF header")
    fifty = frame[3] >> 7
    source = _find_pack(frame, 0x60)
    kind = source[3] & 0x1F if source else 0
    size, rate, lines = _SYSTEMS.get((fifty, 4 if kind == 4 else 0), _SYSTEMS[fifty, 0])
    control = _find_pack(frame, 0x61)
    wide = control is not None and control[2] & 7 in (2, 7)
    video: Track = {"type": "video", "index": 1, "codec": "dv", "width": 720, "height": lines,
                    "frame_rate": round(rate, 3), "scan_type": "interlaced",
                    "bit_rate": int(size * 8 * rate)}  # fmt: skip
    tracks = [video]
    audio = _find_pack(frame, 0x50)
    if audio:
        rate_code, depth = audio[4] >> 3 & 7, audio[4] & 7
        sample_rate = _AUDIO_RATES.get(rate_code)
        channels = 4 if depth == 1 or (size == 288000 or size == 240000) else 2
        tracks.append({"type": "audio", "index": 2, "codec": "pcm", "sample_rate": sample_rate, "channels": channels})
    record.put("bit_rate", int(size * 8 * rate), "DV:TotalBitrate")
    if file.size >= size:
        record.put("duration", round(file.size / size / rate, 6), "DV:Duration")
    record.put("display_aspect", "16:9" if wide else "4:3", "DV:AspectRatio")
    _put_date(record, frame)
    summarise(record, tracks, "DV:DIF")
    return record


def _find_pack(frame: bytes, wanted: int) -> bytes | None:
    """A pack of five bytes by its number: in the VAUX blocks (three a sequence), in front of audio blocks."""
    for sequence in range(0, min(len(frame), 12000 * 12), 12000):
        for block in range(3, 6):
            at = sequence + block * DIF_BLOCK + 3
            for place in range(at, at + 75, 5):
                if frame[place : place + 1] == bytes((wanted,)):
                    return frame[place : place + 5]
        for block in range(6, 150, 16):
            at = sequence + block * DIF_BLOCK + 3
            if frame[at : at + 1] == bytes((wanted,)):
                return frame[at : at + 5]
    return None


def _put_date(record: Record, frame: bytes) -> None:
    """Recording date and time (packs 0x62 and 0x63): binary coded decimals; years below 75 are of this century."""
    date, time = _find_pack(frame, 0x62), _find_pack(frame, 0x63)
    if date is None or any(one & 15 > 9 for one in (date[2] & 0x3F, date[3] & 0x1F, date[4])):
        return
    day, month, year = _decimal(date[2] & 0x3F), _decimal(date[3] & 0x1F), _decimal(date[4])
    text = f"{(2000 if year < 75 else 1900) + year:04}-{month:02}-{day:02}"
    if time is not None and (time[2] & 0x7F) != 0x7F:
        second, minute, hour = _decimal(time[2] & 0x7F), _decimal(time[3] & 0x7F), _decimal(time[4] & 0x3F)
        text += f" {hour:02}:{minute:02}:{second:02}"
    put_moment(record, "date_taken", parse_moment(text), "DV:DateTimeOriginal")


def _decimal(value: int) -> int:
    return (value >> 4) * 10 + (value & 15)
