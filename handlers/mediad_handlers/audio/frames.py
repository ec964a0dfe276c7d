"""MPEG audio: where the frames lie in a file, and what the first of them says.

Sources: ISO 11172-3 section 2.4.1.3 and 13818-3 (frame header), the LAME tag specification revision 1 (Xing/Info),
Fraunhofer's VBRI header; tags around the frames: ID3v2.4.0 structure, ID3v1, APEv2 specification, Lyrics3 v2.00.

Payload `mp3-frames/1`: from the first frame behind the leading ID3v2 tags (and whatever padding) that is followed by a
second one of its kind, without that frame when it is a Xing, Info or VBRI frame (encoders and ffmpeg rewrite it), to
before the trailing tags: ID3v1 with its TAG+ extension, APEv1/APEv2, Lyrics3, ID3v2.4 with a footer, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import HandlerError, Payload

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

ALGORITHM = "mp3-frames/1"
WINDOW = 64 * 1024  # bytes searched for the first frame, at a time
SEARCH = 1024 * 1024  # bytes behind the tags within which a frame must begin
TAGS = 32  # leading ID3v2 tags, trailing tags: more is not a file anybody made
TAIL = 4096  # bytes read at once to recognise trailing tags

# ISO 11172-3 table 2.4.2.3 and 13818-3 table 2.4.2.3, kbit/s; index 0 is "free format", 15 forbidden.
_RATES_1 = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_RATES_2 = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_FREQUENCIES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version bits
_VERSIONS = {3: "MPEG-1", 2: "MPEG-2", 0: "MPEG-2.5"}


@dataclass(slots=True)
class Frame:
    """One frame header. `version` are the header's bits (3, 2, 0), `bit_rate` bit/s, `size` bytes."""

    version: int
    layer: int
    bit_rate: int
    sample_rate: int
    channels: int
    size: int
    samples: int
    protected: bool

    @property
    def profile(self) -> str:
        return f"{_VERSIONS[self.version]} layer {self.layer}"


@dataclass(slots=True)
class Frames:
    """The frames of a file: bytes `start` (behind a Xing, Info or VBRI frame) to `end`. `frame` is the first header;
    `count`, `bytes`, `delay`, `padding` (samples), `mode` and `encoder` come from the information frame, if any."""

    start: int
    end: int
    frame: Frame
    count: int = 0
    bytes: int = 0
    delay: int = 0
    padding: int = 0
    mode: str = ""
    encoder: str = ""

    @property
    def duration(self) -> float:
        """Seconds: from the frame count where stated, without encoder delay and padding; else from the bit rate."""
        if self.count:
            samples = self.count * self.frame.samples
            if samples > self.delay + self.padding:  # else the tag says more silence than there is sound
                samples -= self.delay + self.padding
            return samples / self.frame.sample_rate
        return (self.end - self.start) * 8 / self.frame.bit_rate

    @property
    def bit_rate(self) -> int:
        """bit/s: of constant bit rate the frames' own, else the mean over all frames, silence included."""
        if self.count and self.mode != "cbr":
            seconds = self.count * self.frame.samples / self.frame.sample_rate
            return round((self.bytes or self.end - self.start) * 8 / seconds)
        return self.frame.bit_rate


def find_frames(file: File) -> Frames | None:
    """The MPEG audio frames of `file`; None when there are none within SEARCH bytes behind the leading tags. Found once
    a file: the record, the payload and the track key ask for them."""
    if "frames" not in file.memo:
        file.memo["frames"] = _find_frames(file)
    found: Frames | None = file.memo["frames"]
    return found


def _find_frames(file: File) -> Frames | None:
    begin = skip_leading_tags(file)
    end = find_trailing_tags(file, begin)
    found = _find_first(file, begin, end)
    if found is None:
        return None
    position, frame, data = found
    frames = Frames(position, end, frame)
    if _read_information(frames, data):
        frames.start = min(position + frame.size, end)
    return frames


def payload(file: File) -> Payload:
    """mp3-frames/1 of `file`. Raises HandlerError `unsupported` when it has no frames: tags alone have no stream."""
    frames = find_frames(file)
    if frames is None:
        raise HandlerError("unsupported", "no MPEG audio frame, so no stream")
    return Payload(ALGORITHM, ((frames.start, frames.end - frames.start),))


def skip_leading_tags(file: File) -> int:
    """The position behind all leading ID3v2 tags (ID3v2.4.0 structure section 3.1: syncsafe size, footer flag), also
    those that follow padding of zeros."""
    position = 0
    for _ in range(TAGS):
        header = file.read(position, 10)
        if len(header) < 10 or header[:3] != b"ID3" or header[3] == 0xFF or max(header[6:10]) > 0x7F:
            break
        size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        position += 10 + size + (10 if header[5] & 0x10 else 0)
    return min(position, file.size)


def find_trailing_tags(file: File, begin: int) -> int:
    """The position of the first of the trailing tags, or the end of the file; never before `begin`."""
    end = file.size
    for _ in range(TAGS):
        start = max(end - TAIL, begin)
        shorter = _strip_one(file.read(start, end - start), end)
        if shorter >= end or shorter < begin:
            break
        end = shorter
    return end


def _strip_one(tail: bytes, end: int) -> int:
    """`end` without the one tag that `tail`, the bytes before `end`, ends with."""
    if tail[-128:-125] == b"TAG" and len(tail) >= 128:
        return end - (128 + 227 if tail[-355:-351] == b"TAG+" else 128)
    if tail[-32:-24] == b"APETAGEX":
        size = int.from_bytes(tail[-20:-16], "little")  # items and footer, without the header
        has_header = tail[-9] & 0x80  # APEv2 flags, bit 31
        return end - size - (32 if has_header else 0) if size >= 32 else end
    if tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
        return end - int(tail[-15:-9]) - 15
    if tail[-9:] == b"LYRICSEND":
        start = tail.rfind(b"LYRICSBEGIN")
        return end - (len(tail) - start) if start >= 0 else end
    appended = tail.rfind(b"ID3")
    if appended >= 0 and len(tail) - appended > 10 and max(tail[appended + 6 : appended + 10]) <= 0x7F:
        part = tail[appended + 6 : appended + 10]
        if appended + 10 + (part[0] << 21 | part[1] << 14 | part[2] << 7 | part[3]) == len(tail):
            return end - len(tail) + appended  # ID3v2 at the end without a footer, as some players write it
    if tail[-10:-7] == b"3DI" and max(tail[-4:]) <= 0x7F:
        return end - 20 - (tail[-4] << 21 | tail[-3] << 14 | tail[-2] << 7 | tail[-1])
    return end


def read_header(data: bytes, position: int) -> Frame | None:
    """The frame header at `position` of `data`; None when it is none, or has the free format."""
    if len(data) < position + 4 or data[position] != 0xFF:
        return None
    second, third, fourth = data[position + 1], data[position + 2], data[position + 3]
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    rate_index, frequency_index = third >> 4, third >> 2 & 3
    if second & 0xE0 != 0xE0 or version == 1 or layer == 4 or rate_index in (0, 15) or frequency_index == 3:
        return None
    bit_rate = (_RATES_1 if version == 3 else _RATES_2)[layer][rate_index] * 1000
    frequency = _FREQUENCIES[version][frequency_index]
    padding = third >> 1 & 1
    if layer == 1:
        samples, size = 384, (12 * bit_rate // frequency + padding) * 4
    else:
        samples = 576 if layer == 3 and version != 3 else 1152
        size = samples // 8 * bit_rate // frequency + padding
    return Frame(version, layer, bit_rate, frequency, 1 if fourth >> 6 == 3 else 2, size, samples, not second & 1)


def _find_first(file: File, begin: int, end: int) -> tuple[int, Frame, bytes] | None:
    """(position, header, bytes from there on) of the first frame that another one like it follows at its end, or that
    ends where the payload ends."""
    base = begin
    while base < min(end, begin + SEARCH):
        data = file.read(base, min(WINDOW, end - base))
        at_end = base + len(data) >= end
        position = data.find(b"\xff")
        while position >= 0:
            frame = read_header(data, position)
            if frame is not None and _is_followed(data, position, frame, at_end):
                return base + position, frame, data[position : position + frame.size]
            position = data.find(b"\xff", position + 1)
        if base == begin and (alone := read_header(data, 0)) is not None and at_end:
            return base, alone, data[: alone.size]  # one frame, cut off, right where it belongs
        if at_end:
            return None
        base += WINDOW - 8192  # two frames of the largest size overlap
    return None


def _is_followed(data: bytes, position: int, frame: Frame, at_end: bool) -> bool:
    following = position + frame.size
    if following + 4 > len(data):
        return at_end and following <= len(data) + 1
    other = read_header(data, following)
    return other is not None and (other.version, other.layer, other.sample_rate) == (
        frame.version,
        frame.layer,
        frame.sample_rate,
    )


def _read_information(frames: Frames, data: bytes) -> bool:
    """Reads a Xing, Info or VBRI frame into `frames`; false when the first frame is sound."""
    frame = frames.frame
    if frame.layer != 3:
        return False
    if data[36:40] == b"VBRI":
        frames.mode = "vbr"
        frames.bytes = int.from_bytes(data[46:50], "big")
        frames.count = int.from_bytes(data[50:54], "big")
        return True
    side = (17 if frame.channels == 1 else 32) if frame.version == 3 else (9 if frame.channels == 1 else 17)
    place = 4 + side
    if data[place : place + 4] not in (b"Xing", b"Info"):
        place += 2  # the CRC of a protected frame
        if data[place : place + 4] not in (b"Xing", b"Info"):
            return False
    frames.mode = "cbr" if data[place : place + 4] == b"Info" else "vbr"
    flags = int.from_bytes(data[place + 4 : place + 8], "big")
    position = place + 8
    if flags & 1:
        frames.count = int.from_bytes(data[position : position + 4], "big")
        position += 4
    if flags & 2:
        frames.bytes = int.from_bytes(data[position : position + 4], "big")
        position += 4
    position += (100 if flags & 4 else 0) + (4 if flags & 8 else 0)
    _read_lame_tag(frames, data[position : position + 36])
    return True


# LAME tag, "Info Tag revision + VBR method", low nibble.
_MODES = {1: "cbr", 2: "abr", 3: "vbr", 4: "vbr", 5: "vbr", 6: "vbr", 8: "cbr", 9: "abr"}


def _read_lame_tag(frames: Frames, tag: bytes) -> None:
    if len(tag) < 24 or tag[:4] not in (b"LAME", b"Lavf", b"Lavc", b"L3.9", b"GOGO"):
        return
    text = tag[:9].split(b"\0")[0].decode("latin-1").strip()
    frames.encoder = text.replace("LAME", "LAME ", 1) if text.startswith("LAME") else text
    if tag.startswith(b"LAME"):
        frames.mode = _MODES.get(tag[9] & 15, frames.mode)
    frames.delay = tag[21] << 4 | tag[22] >> 4
    frames.padding = (tag[22] & 15) << 8 | tag[23]
