"""MPEG transport streams: TS, M2TS, MTS, from the head and the tail of a file.

Sources: ISO 13818-1 2.4.3 (packets, adaptation field, PCR), 2.4.4 (PAT, PMT), 2.6 (descriptors), 2.4.3.6 (PES);
ETSI EN 300 468 6.2 (AC-3, E-AC-3 and subtitling descriptors), 6.2.33 (service descriptor); Blu-ray's stream types.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from mediad_handlers.audio.frames import read_header
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.audioheaders import read_ac3, read_adts
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.videoheaders import (
    iterate_nals,
    read_avc_sps,
    read_hevc_sps,
    read_mdpm,
    read_mpeg_sequence,
)  # fmt: skip
from mediad_handlers.video.tracks import Track, language_tag, put_bit_rate, summarise

HEAD = 512 * 1024  # bytes looked at for the tables and the first frames
TAIL = 256 * 1024  # bytes looked at for the last clock
ELEMENTARY = 128 * 1024  # bytes gathered of one stream
STREAMS = 64
SHORTEST = 0.2  # seconds; a rate over less says nothing
CLOCK = 90_000  # of a PTS, Hz
WRAP = 1 << 33
# stream_type -> (kind, codec) (ISO 13818-1 table 2-34; 0x80 and up: ATSC, Blu-ray)
TYPES: dict[int, tuple[str, str]] = {
    0x01: ("video", "mpeg1video"), 0x02: ("video", "mpeg2video"), 0x03: ("audio", "mpegaudio"), 0x04: ("audio",
    "mpegaudio"),
    0x0F: ("audio", "aac"), 0x10: ("video", "mpeg4"), 0x11: ("audio", "aac"), 0x1B: ("video", "h264"),
    0x20: ("video", "h264"), 0x24: ("video", "hevc"), 0x33: ("video", "vvc"), 0x80: ("audio", "pcm"),
    0x81: ("audio", "ac3"), 0x82: ("audio", "dts"), 0x83: ("audio", "truehd"), 0x84: ("audio", "eac3"),
    0x85: ("audio", "dts"), 0x86: ("audio", "dts"), 0x87: ("audio", "eac3"), 0x90: ("subtitle", "pgs"),
    0xD1: ("video", "dirac"), 0xEA: ("video", "vc1"),
}  # fmt: skip
REGISTERED = {b"AC-3": ("audio", "ac3"), b"EAC3": ("audio", "eac3"), b"Opus": ("audio", "opus"),
              b"HEVC": ("video", "hevc"), b"VC-1": ("video", "vc1"), b"DTS1": ("audio", "dts"),
              b"DTS2": ("audio", "dts"), b"DTS3": ("audio", "dts")}  # fmt: skip
DESCRIBED = {0x6A: ("audio", "ac3"), 0x7A: ("audio", "eac3"), 0x7B: ("audio", "dts"), 0x7C: ("audio", "aac"),
             0x59: ("subtitle", "dvbsub"), 0x56: ("subtitle", "teletext")}  # fmt: skip


def find_step(data: bytes) -> tuple[int, int]:
    """(offset of the first sync byte, bytes from one to the next): 188, 192 with a time code, 204 with parity; raises
    HandlerError `corrupt` when five in a row are nowhere in the first packets."""
    for step in (188, 192, 204):
        for start in range(min(step * 2, len(data))):
            if data[start : start + 1] == b"G" and all(
                data[at : at + 1] in (b"G", b"") for at in range(start, start + 5 * step, step)
            ):
                return start, step
    raise HandlerError("corrupt", "no transport packets were found")


def _packets(data: bytes, start: int, step: int) -> Iterator[tuple[int, bool, bytes, bytes]]:
    """(PID, payload begins a unit, adaptation field, payload) of each packet."""
    for at in range(start, len(data) - 187, step):
        if data[at] != 0x47:
            continue
        control = data[at + 3] >> 4 & 3
        place = at + 4
        field = b""
        if control & 2:
            field = data[place + 1 : place + 1 + data[place]]
            place += 1 + data[place]
        payload = data[place : at + 188] if control & 1 else b""
        yield (data[at + 1] & 0x1F) << 8 | data[at + 2], bool(data[at + 1] & 0x40), field, payload


class _Program:
    """What the tables say, and the first bytes of each elementary stream."""

    def __init__(self) -> None:
        self.tables: set[int] = set()
        self.streams: dict[int, Track] = {}
        self.data: dict[int, bytearray] = {}
        self.clocks: dict[int, list[int]] = {}
        self.sections: dict[int, bytearray] = {}
        self.service: tuple[str, str] | None = None

    def take(self, pid: int, begins: bool, payload: bytes) -> None:
        if pid in (0, 0x11) or pid in self.tables:
            self._take_section(pid, begins, payload)
        elif pid in self.streams:
            data = self.data.setdefault(pid, bytearray())
            if begins and payload[:3] == b"\0\0\1" and len(payload) > 9:
                stamp = read_stamp(payload)
                if stamp is not None:
                    self.clocks.setdefault(pid, []).append(stamp)
                payload = payload[9 + payload[8] :]
            elif not data:
                return
            if len(data) < ELEMENTARY:
                data += payload

    def _take_section(self, pid: int, begins: bool, payload: bytes) -> None:
        if begins and payload:
            self.sections[pid] = bytearray(payload[1 + payload[0] :])
        elif pid in self.sections:
            self.sections[pid] += payload
        section = self.sections.get(pid, b"")
        if len(section) < 3 or len(section) > 4096 + 188:
            return
        length = (section[1] & 15) << 8 | section[2]
        if len(section) >= 3 + length >= 12:
            body = bytes(section[: 3 + length - 4])
            if pid == 0 and body[0] == 0:
                for at in range(8, len(body) - 3, 4):
                    if body[at] << 8 | body[at + 1]:
                        self.tables.add((body[at + 2] & 0x1F) << 8 | body[at + 3])
            elif pid == 0x11 and body[0] == 0x42:
                self._take_services(body)
            elif body[0] == 2:
                self._take_map(body)

    def _take_map(self, body: bytes) -> None:
        at = 12 + ((body[10] & 15) << 8 | body[11])
        while at + 5 <= len(body) and len(self.streams) < STREAMS:
            pid, length = (body[at + 1] & 0x1F) << 8 | body[at + 2], (body[at + 3] & 15) << 8 | body[at + 4]
            if pid not in self.streams:
                kind = TYPES.get(body[at])
                track: Track = {"id": pid}
                for tag, value in descriptors(body[at + 5 : at + 5 + length]):
                    if tag == 0x0A and len(value) >= 4:
                        track["language"] = language_tag(value[:3].decode("latin-1"))
                    elif tag == 5:
                        kind = REGISTERED.get(value[:4]) or kind
                    elif tag in DESCRIBED and body[at] in (6, 0x80):
                        kind = DESCRIBED[tag]
                        if kind[0] == "subtitle" and len(value) >= 3:
                            track["language"] = language_tag(value[:3].decode("latin-1"))
                if kind is not None:
                    track.update(type=kind[0], codec=kind[1], index=len(self.streams) + 1)
                    self.streams[pid] = track
            at += 5 + length

    def _take_services(self, body: bytes) -> None:
        at = 11
        while at + 5 <= len(body) and self.service is None:
            length = (body[at + 3] & 15) << 8 | body[at + 4]
            for tag, value in descriptors(body[at + 5 : at + 5 + length]):
                if tag == 0x48 and len(value) >= 3:
                    provider = value[2 : 2 + value[1]]
                    rest = value[2 + value[1] :]
                    name = rest[1 : 1 + rest[0]] if rest else b""
                    self.service = _dvb_text(name), _dvb_text(provider)
            at += 5 + length


def descriptors(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, value) of a descriptor loop."""
    at = 0
    while at + 2 <= len(data):
        yield data[at], data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]


def _dvb_text(data: bytes) -> str:
    """EN 300 468 annex A: the first byte may name a table; only Latin and UTF-8 are told apart."""
    if data[:1] == b"\x15":
        return data[1:].decode("utf-8", "replace").strip()
    return data.lstrip(bytes(range(1, 0x20))).decode("latin-1").strip()


def read_stamp(pes: bytes) -> int | None:
    """The PTS of a PES header, in 1/90,000 s (2.4.3.7); None when there is none."""
    if len(pes) < 14 or not pes[7] & 0x80 or pes[6] & 0xC0 != 0x80:
        return None
    return (pes[9] >> 1 & 7) << 30 | pes[10] << 22 | (pes[11] >> 1) << 15 | pes[12] << 7 | pes[13] >> 1


def _read_clock(field: bytes) -> int | None:
    """The PCR of an adaptation field, its base in 1/90,000 s."""
    if len(field) < 7 or not field[0] & 0x10:
        return None
    return int.from_bytes(field[1:5], "big") << 1 | field[5] >> 7


def read_ts(file: File) -> Record:
    """The record of a transport stream. Raises HandlerError `corrupt` when it has no packets."""
    head = file.read(0, min(file.size, HEAD))
    start, step = find_step(head)
    stamped = step == 192
    record = Record("video", "m2ts" if stamped else "mpegts", "video/m2ts" if stamped else "video/mp2t")
    program = _Program()
    first_clock: dict[int, int] = {}
    for pid, begins, field, payload in _packets(head, start, step):
        clock = _read_clock(field)
        if clock is not None:
            first_clock.setdefault(pid, clock)
        program.take(pid, begins, payload)
    tracks = sorted(program.streams.values(), key=lambda track: int(track["index"]))
    for track in tracks:
        describe_stream(record, track, bytes(program.data.get(track["id"], b"")))
        if track["codec"] == "h264" and "frame_rate" not in track:
            rate = _count_rate(program.clocks.get(track["id"], []))
            if rate:
                track["frame_rate"] = rate
    _put_duration(record, file, step, first_clock, program)
    if program.service is not None:
        record.put("title", program.service[0], "M2TS:ServiceName")
        record.put("network", program.service[1], "M2TS:ProviderName")
    summarise(record, tracks, "M2TS:PMT")
    if record.fields.get("duration", 0.0) >= SHORTEST:
        put_bit_rate(record, file.size)
    return record


def describe_stream(record: Record, track: Track, data: bytes) -> None:
    """Fills a track from the first bytes of its elementary stream."""
    codec = track["codec"]
    if codec == "h264":
        for nal in iterate_nals(data):
            if nal[0] & 31 == 7 and "width" not in track:
                track.update(read_avc_sps(nal))
        camera = read_mdpm(data)
        put_moment(record, "date_taken", parse_moment(camera.get("date")), "H264:DateTimeOriginal")
        record.put("camera_make", camera.get("make"), "H264:Make")
    elif codec == "hevc":
        for nal in iterate_nals(data):
            if nal[0] >> 1 == 33 and "width" not in track:
                track.update(read_hevc_sps(nal))
    elif codec in ("mpeg1video", "mpeg2video"):
        track.update(read_mpeg_sequence(data))
    elif codec in ("ac3", "eac3"):
        track.update(read_ac3(data))
    elif codec == "aac":
        track.update(read_adts(data))
    elif codec == "mpegaudio":
        _describe_mpeg_audio(track, data)


def _describe_mpeg_audio(track: Track, data: bytes) -> None:
    for at in range(len(data) - 4):
        if data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
            continue
        frame = read_header(data, at)
        if frame is not None and (at + frame.size + 2 > len(data) or data[at + frame.size] == 0xFF):
            track.update(codec=f"mp{frame.layer}", sample_rate=frame.sample_rate, channels=frame.channels,
                         bit_rate=frame.bit_rate)  # fmt: skip
            return


def _count_rate(stamps: list[int]) -> float | None:
    """Frames a second from the presentation times of the first pictures."""
    times = sorted(set(stamps))
    gaps = sorted(later - sooner for sooner, later in pairwise(times))
    if len(gaps) < 4 or not gaps[len(gaps) // 2]:
        return None
    rate = CLOCK / gaps[len(gaps) // 2]
    return round(rate, 3) if 5 <= rate <= 300 else None


def _put_duration(record: Record, file: File, step: int, first_clock: dict[int, int], program: _Program) -> None:
    """From the first clock to the last one of the same stream; the head alone when the file is short."""
    size = min(file.size, TAIL)
    tail = file.read(file.size - size, size)
    try:
        start, _ = find_step(tail)
    except HandlerError:
        return
    last_clock: dict[int, int] = {}
    stamps: dict[int, list[int]] = {}
    for pid, begins, field, payload in _packets(tail, start, step):
        clock = _read_clock(field)
        if clock is not None:
            last_clock[pid] = clock
        if begins and pid in program.clocks and payload[:3] == b"\0\0\1":
            stamp = read_stamp(payload)
            if stamp is not None:
                stamps.setdefault(pid, []).append(stamp)
    for pid, first in first_clock.items():
        seconds = (last_clock.get(pid, first) - first) % WRAP / CLOCK
        if 0 < seconds < 7 * 86400:
            record.put("duration", round(seconds, 6), "M2TS:PCR")
            return
    for track in program.streams.values():
        begin = min(program.clocks.get(track["id"], []), default=None)
        late = stamps.get(track["id"], [])
        if begin is not None and late and track["type"] == "video":
            seconds = (max(late) - begin) % WRAP / CLOCK + 1 / track.get("frame_rate", 25.0)
            record.put("duration", round(seconds, 6) if seconds < 7 * 86400 else None, "M2TS:PTS")
            return
