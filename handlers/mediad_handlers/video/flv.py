"""FLV files: the header, and onMetaData of the first script tag (Adobe FLV/F4V 10.1 annex E; AMF 0 specification)."""

from __future__ import annotations

import struct
from typing import Any

from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.bits import Bits
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.video.tracks import Track, put_bit_rate, summarise
from mediad_handlers.video.values import put_text

MAX_TAGS = 64  # tags looked at for the script data and the first video and audio packet
MAX_SCRIPT = 256 * 1024
MAX_VALUES = 2000
MAX_DEPTH = 8
_VIDEO = {2: "flv1", 3: "flashsv", 4: "vp6f", 5: "vp6a", 6: "flashsv2", 7: "h264", 12: "hevc"}
_AUDIO = {0: "pcm", 1: "adpcm_swf", 2: "mp3", 3: "pcm", 4: "nellymoser", 5: "nellymoser", 6: "nellymoser",
          7: "pcm_alaw", 8: "pcm_mulaw", 10: "aac", 11: "speex", 14: "mp3"}  # fmt: skip


class _Script:
    """AMF 0 values from bytes. Raises HandlerError `corrupt` at the end of the bytes, `limit` beyond the limits."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.count = 0
        self.outer: dict[str, Any] = {}  # the outermost map, as far as it was read

    def take(self, length: int) -> bytes:
        found = self.data[self.at : self.at + length]
        if len(found) < length:
            raise HandlerError("corrupt", "script data end early")
        self.at += length
        return found

    def text(self, size: int) -> str:
        return self.take(int.from_bytes(self.take(size), "big")).decode("utf-8", "replace")

    def members(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if depth == 0:
            self.outer = found
        while True:
            name = self.text(2)
            if not name and self.data[self.at : self.at + 1] == b"\x09":
                self.at += 1
                return found
            found[name] = self.value(depth + 1)

    def value(self, depth: int = 0) -> Any:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_VALUES:
            raise HandlerError("limit", "script data of too many values")
        marker = self.take(1)[0]
        if marker == 0:
            return struct.unpack(">d", self.take(8))[0]
        if marker == 1:
            return self.take(1) != b"\0"
        if marker in (2, 12):
            return self.text(2 if marker == 2 else 4)
        if marker in (3, 8):
            if marker == 8:
                self.take(4)
            return self.members(depth)
        if marker == 10:
            return [self.value(depth + 1) for _ in range(int.from_bytes(self.take(4), "big"))]
        if marker == 11:
            self.take(10)
            return None
        if marker in (5, 6, 13):
            return None
        raise HandlerError("corrupt", f"script data of type {marker}")


def read_flv(file: File) -> Record:
    """The record of an FLV file. Raises HandlerError `corrupt` for a short header."""
    if len(file.head) < 13:
        raise HandlerError("corrupt", "no FLV header")
    record = Record("video", "flv", "video/x-flv")
    facts: dict[str, Any] = {}
    video: Track = {}
    audio: Track = {}
    at = int.from_bytes(file.head[5:9], "big") + 4
    for _ in range(MAX_TAGS):
        header = file.read(at, 12)
        if len(header) < 12:
            break
        kind, length = header[0] & 31, int.from_bytes(header[1:4], "big")
        if kind == 18 and not facts:
            facts = _read_script(record, file.read(at + 11, min(length, MAX_SCRIPT)))
        elif kind == 9 and not video and length:
            video = {"type": "video", "codec": _VIDEO.get(header[11] & 15)}
            if header[11] & 15 == 2:
                video["width"], video["height"] = _read_sorenson(file.read(at + 12, 9))
        elif kind == 8 and not audio and length:
            audio = {"type": "audio", "codec": _AUDIO.get(header[11] >> 4), "channels": (header[11] & 1) + 1}
            audio["sample_rate"] = (5512, 11025, 22050, 44100)[header[11] >> 2 & 3]
        if video and audio and facts:
            break
        at += 15 + length
    _map_facts(record, facts, video, audio)
    tracks = [track for track in (video, audio) if track]
    for index, track in enumerate(tracks, 1):
        track["index"] = index
    summarise(record, tracks, "Flash:onMetaData")
    put_bit_rate(record, file.size)
    return record


def _read_sorenson(data: bytes) -> tuple[int | None, int | None]:
    """Width and height of a Sorenson H.263 picture (Adobe FLV 10.1 annex E.4.3.1; the H.263 variant's picture header:
    start code of 17 bits, version of 5, temporal reference of 8, size of 3)."""
    bits = Bits(data)
    bits.take(30)
    size = bits.take(3)
    if size in (0, 1):
        count = 8 if size == 0 else 16
        return bits.take(count) or None, bits.take(count) or None
    return _SORENSON.get(size, (None, None))


_SORENSON: dict[int, tuple[int, int]] = {2: (352, 288), 3: (176, 144), 4: (128, 96), 5: (320, 240), 6: (160, 120)}


def _read_script(record: Record, data: bytes) -> dict[str, Any]:
    script = _Script(data)
    try:
        name = script.value()
        script.value()
    except HandlerError as fault:
        record.warnings.append(f"onMetaData: {fault.message}")
        return script.outer
    return script.outer if name == "onMetaData" else {}


def _positive(value: Any) -> float | None:
    return value if isinstance(value, float) and 0 < value < 1e12 else None


def _map_facts(record: Record, facts: dict[str, Any], video: Track, audio: Track) -> None:
    record.put("duration", _positive(facts.get("duration")), "Flash:Duration")
    if not video and (facts.get("videocodecid") is not None or _positive(facts.get("width"))):
        video["type"] = "video"
    for name, key in (("width", "width"), ("height", "height")):
        found = _positive(facts.get(key))
        if video and found:
            video[name] = int(found)
    rate = _positive(facts.get("framerate")) or _positive(facts.get("videoframerate"))
    if video and rate and rate < 1000:
        video["frame_rate"] = round(rate, 3)
    for track, key in ((video, "videodatarate"), (audio, "audiodatarate")):
        found = _positive(facts.get(key))
        if track and found:
            track["bit_rate"] = int(found * 1000)
    stated = [one["bit_rate"] for one in (video, audio) if one.get("bit_rate")]
    total = _positive(facts.get("totaldatarate"))
    record.put("bit_rate", int(total * 1000) if total else sum(stated) or None, "Flash:DataRate")
    for key, value in facts.items():
        lower = key.lower()
        if not isinstance(value, str):
            continue
        if lower in ("title", "comment", "copyright", "album"):
            put_text(record, {"comment": "comments"}.get(lower, lower), value, "Flash:" + key)
        elif lower in ("encoder", "metadatacreator"):
            record.put("software", value.strip(), "Flash:" + key)
        elif lower in ("creationdate", "createdate"):
            put_moment(record, "date_taken", parse_moment(value), "Flash:" + key)
        else:
            record.tag("Flash:" + key, [value[:4096]])
