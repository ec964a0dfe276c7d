"""FLAC and the Ogg codecs: Vorbis comments, FLAC pictures and cue sheets, stream facts; payload `flac-frames/1`.

Sources: RFC 9639 (FLAC; section 8 metadata blocks, 10.1 Ogg mapping), Vorbis I section 5 (comments), RFC 7845 (Opus).
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mediad_handlers.audio import facts
from mediad_handlers.audio.frames import skip_leading_tags
from mediad_handlers.audio.pictures import describe_picture
from mediad_handlers.audio.tables import RULES
from mediad_handlers.audio.values import map_tags, read_number
from mediad_handlers.kit.api import HandlerError, Payload, Record
from mediad_handlers.readers.ogg import last_position, list_streams

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

FLAC_ALGORITHM = "flac-frames/1"
BLOCKS = 1024  # metadata blocks of one FLAC file; RFC 9639 has no limit, real files have under 20
COMMENTS = 1024 * 1024  # bytes of a comment block whose own size is wrong
_NAME = re.compile(r"[ -<>-}]+")
_CHAPTER = re.compile(r"CHAPTER(\d{3})(NAME|URL)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,3}):(\d\d):(\d\d(?:\.\d{1,6})?)", re.ASCII)

# format -> (beginning of the identification header, codec, lossless, bytes in front of the comments in their packet)
OGG = {
    "ogg": (b"\x01vorbis", "vorbis", False, 7),
    "opus": (b"OpusHead", "opus", False, 8),
    "speex": (b"Speex   ", "speex", False, 0),
    "oggflac": (b"\x7fFLAC", "flac", True, 4),
}


def flac_payload(file: File) -> Payload:
    """flac-frames/1: from behind the last metadata block (behind leading ID3v2 tags) to before a trailing ID3v1 tag.

    Raises HandlerError `corrupt` when the metadata blocks do not end within the file."""
    if "flac" not in file.memo:
        file.memo["flac"] = _find_flac_frames(file)
    found: Payload = file.memo["flac"]
    return found


def _find_flac_frames(file: File) -> Payload:
    blocks: list[tuple[int, int, int]] = []
    position = skip_leading_tags(file)
    if file.read(position, 4) != b"fLaC":
        raise HandlerError("corrupt", "no fLaC marker")
    position += 4
    for _ in range(BLOCKS):
        header = file.read(position, 4)
        if len(header) < 4:
            break
        size = header[1] << 16 | header[2] << 8 | header[3]
        blocks.append((header[0] & 0x7F, position + 4, size))
        position += 4 + size
        if header[0] & 0x80:
            end = file.size
            if file.tail(128)[:3] == b"TAG" and file.size >= 128:
                end -= 128
            if position > end:
                break
            file.memo["flac blocks"] = blocks
            return Payload(FLAC_ALGORITHM, ((position, end - position),))
    raise HandlerError("corrupt", "the metadata blocks do not end within the file")


def read_flac(record: Record, file: File) -> None:
    """RFC 9639 section 8. Raises HandlerError `corrupt` without a stream information block, or with a sample rate of 0
    in it."""
    record.payload = flac_payload(file)
    blocks: list[tuple[int, int, int]] = file.memo["flac blocks"]
    stream = next((read_stream_info(file.read(start, size)) for kind, start, size in blocks if kind == 0), None)
    if stream is None:
        raise HandlerError("corrupt", "FLAC: no stream information block")
    pictures: list[dict[str, Any]] = []
    cue = b""
    comments: Comments | None = None
    for kind, start, size in blocks:
        if kind == 6:
            try:
                pictures.append(read_picture(file.read(start, size)))
            except ValueError as fault:
                record.warnings.append(f"FLAC:PICTURE: {fault}")
        elif kind == 4 and comments is None:
            comments = read_comments(file.read(start, size))
            if not comments.whole:  # some taggers state too small a block for what they wrote
                longer = read_comments(file.read(start, COMMENTS))
                comments = longer if longer.whole else comments
        elif kind == 5 and not cue:
            cue = file.read(start, size)
    if pictures:
        record.put("pictures", pictures, "FLAC:PICTURE")
    if comments is not None:
        _put_comments(record, comments)
    if cue:
        record.put("chapters", _list_cue_tracks(cue, stream.sample_rate), "FLAC:CUESHEET")
    source = "FLAC:STREAMINFO"
    facts.put_codec(record, "flac", True, source)
    facts.put_facts(record, source, stream.duration, stream.sample_rate, stream.channels, stream.bits_per_sample)
    record.put("sample_count", stream.samples or None, source)
    if any(stream.md5):  # 0 is "not computed" (RFC 9639 section 8.2)
        record.put("pcm_md5", stream.md5.hex(), source)
    record.put("bit_rate_mode", "vbr", source)
    facts.put_average(record, record.payload.ranges[0][1], "FLAC:frames")


class StreamInfo(NamedTuple):
    """RFC 9639 section 8.2: rate in Hz, samples of one channel (0: unknown), MD5 of the samples."""

    sample_rate: int
    channels: int
    bits_per_sample: int
    samples: int
    md5: bytes

    @property
    def duration(self) -> float:
        return self.samples / self.sample_rate


def read_stream_info(data: bytes) -> StreamInfo:
    """Raises HandlerError `corrupt`: too short, or a sample rate of 0."""
    if len(data) < 34:
        raise HandlerError("corrupt", "FLAC: the stream information block is cut off")
    word = int.from_bytes(data[10:18], "big")  # rate 20 bits, channels - 1 3, bits - 1 5, samples 36
    if not word >> 44:
        raise HandlerError("corrupt", "FLAC: a sample rate of 0")
    return StreamInfo(
        word >> 44, (word >> 41 & 7) + 1, (word >> 36 & 31) + 1, word & 0xFFFFFFFFF, data[18:34]
    )  # fmt: skip


def read_ogg(record: Record, file: File) -> None:
    """The first stream of the format's codec. Raises HandlerError `corrupt` when there is none, its identification
    header is broken, or no comment header follows."""
    magic, codec, lossless, skip = OGG[record.format]
    stream = next((one for one in list_streams(file, 2) if one.packets and one.packets[0].startswith(magic)), None)
    if stream is None:
        raise HandlerError("corrupt", f"Ogg: no stream of {codec}")
    if len(stream.packets) < 2:
        raise HandlerError("corrupt", "Ogg: the comment header is missing")
    head = stream.packets[0]
    rate, channels, bits, before, samples = _read_ogg_header(codec, head)
    source = f"{codec.capitalize()}:header"
    _put_comments(record, read_comments(stream.packets[1][skip:]))
    facts.put_codec(record, codec, lossless, source)
    if codec == "opus":
        record.put("sample_rate", 48000, "RFC 7845 section 5.1: Opus always decodes at 48 kHz")
    last = samples or last_position(file, stream.serial)
    if not last:
        record.warnings.append("Ogg: no duration: there is no whole page with sound")
    facts.put_facts(record, source, (last - before) / rate, rate, channels, bits)
    facts.put_average(record, file.size, source)
    record.put("bit_rate_mode", "vbr" if codec in ("opus", "vorbis", "flac") else None, source)


def _read_ogg_header(codec: str, head: bytes) -> tuple[int, int, int, int, int]:
    """(rate in Hz, channels, bits a sample or 0, samples before the first one that is heard, samples or 0): Vorbis I
    section 4.2.2, RFC 7845 section 5.1, RFC 9639 section 10.1, the Speex manual's section 7.1. Raises HandlerError
    `corrupt`."""
    if codec == "flac":
        if head[9:13] != b"fLaC" or head[5:7] != b"\1\0":
            raise HandlerError("corrupt", "Ogg: an unknown mapping of FLAC")
        stream = read_stream_info(head[17:])
        return stream.sample_rate, stream.channels, stream.bits_per_sample, 0, stream.samples
    if len(head) < {"vorbis": 28, "opus": 19, "speex": 56}[codec]:
        raise HandlerError("corrupt", f"Ogg: the header of {codec} is cut off")
    if codec == "opus":
        if head[8] >> 4:
            raise HandlerError("corrupt", f"Ogg: version {head[8]} of Opus is not known")
        return 48000, head[9], 0, int.from_bytes(head[10:12], "little"), 0
    place, channels = (12, head[11]) if codec == "vorbis" else (36, int.from_bytes(head[48:52], "little"))
    rate = int.from_bytes(head[place : place + 4], "little")
    if not rate:
        raise HandlerError("corrupt", "Ogg: a sample rate of 0")
    return rate, channels, 0, 0, 0


class Comments(NamedTuple):
    """`stated` is how many the header says there are; a block that is cut off has fewer behind each other."""

    vendor: str
    listed: list[tuple[str, str]]
    stated: int
    whole: bool


def read_comments(data: bytes) -> Comments:
    """Vorbis I section 5.2.1: the vendor, then NAME=value, each behind its length. Names are printable ASCII without
    "="; what is none is no comment. A comment that the data does not hold to its end is left out, and those behind."""
    size = int.from_bytes(data[:4], "little")
    vendor = data[4 : 4 + size].decode("utf-8", "replace")
    at = 4 + size
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    end = len(data)
    listed: list[tuple[str, str]] = []
    number = 0
    while number < count and at + 4 <= end:
        start = at + 4
        at = start + int.from_bytes(data[at:start], "little")
        if at > end:
            break
        name, mark, value = data[start:at].decode("utf-8", "replace").partition("=")
        if not mark:
            name, value = f"unknown{number}", name
        if not name.isascii():
            name = name.encode("ascii", "replace").decode("ascii")
        if _NAME.fullmatch(name):
            listed.append((name, value))
        number += 1
    return Comments(vendor, listed, count, number == count and at <= end)


def _put_comments(record: Record, comments: Comments) -> None:
    if not comments.whole:
        record.warnings.append(
            f"Vorbis: the comments are cut off: {len(comments.listed)} of {comments.stated} were read"
        )
    _map_comments(record, comments.listed)
    record.put("encoder", comments.vendor, "Vorbis:vendor")


def _map_comments(record: Record, comments: list[tuple[str, str]]) -> None:
    native: dict[str, tuple[str, list[Any]]] = {}
    chapters: dict[str, dict[str, Any]] = {}
    pictures: list[dict[str, Any]] = []
    for name, value in comments:
        key = name.upper()
        if key in native:
            native[key][1].append(value)
        elif key.startswith("CHAPTER") and (match := _CHAPTER.fullmatch(key)) is not None:
            _take_chapter(chapters, match, value)
        elif key in ("METADATA_BLOCK_PICTURE", "COVERART"):
            _take_picture(record, pictures, key, value)
        elif key.startswith("RATING:"):
            number = read_number(value)
            if number:
                record.put("rating", min(number * 5 if number <= 1 else number, 5.0), f"Vorbis:{name}")
        else:
            native[key] = (name, [value])
    map_tags(record, RULES["vorbis"], native, "Vorbis")
    if pictures:
        record.put("pictures", pictures, "Vorbis:METADATA_BLOCK_PICTURE")
    if chapters:
        listed = [chapters[key] for key in sorted(chapters) if "start" in chapters[key]]
        record.put("chapters", listed, "Vorbis:CHAPTER")


def _take_chapter(chapters: dict[str, dict[str, Any]], match: re.Match[str], value: str) -> None:
    """CHAPTER001=00:00:00.000, CHAPTER001NAME=title (the Xiph wiki's chapter extension)."""
    chapter = chapters.setdefault(match[1], {})
    if match[2] == "NAME":
        chapter["title"] = value
    elif match[2] is None and (clock := _CLOCK.match(value)) is not None:
        chapter["start"] = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])


def _take_picture(record: Record, pictures: list[dict[str, Any]], key: str, value: str) -> None:
    """METADATA_BLOCK_PICTURE: a FLAC picture block in base64; COVERART: the bare picture (obsolete)."""
    try:
        data = base64.b64decode(value, validate=False)
        pictures.append(describe_picture(data) if key == "COVERART" else read_picture(data))
    except ValueError as fault:  # binascii.Error is one
        record.warnings.append(f"Vorbis:{key}: {fault}"[:200])


def read_picture(data: bytes) -> dict[str, Any]:
    """A picture block (RFC 9639 section 8.8): type, MIME type, description, width, height, depth, colours, picture.
    Raises ValueError when it is cut off before the picture's length."""
    at = 8 + int.from_bytes(data[4:8], "big")
    mime = data[8:at].decode("utf-8", "replace")
    end = at + 4 + int.from_bytes(data[at : at + 4], "big")
    description = data[at + 4 : end].decode("utf-8", "replace")
    if len(data) < end + 20:
        raise ValueError("the picture block is cut off")
    width, height = int.from_bytes(data[end : end + 4], "big"), int.from_bytes(data[end + 4 : end + 8], "big")
    size = int.from_bytes(data[end + 16 : end + 20], "big")
    picture = data[end + 20 : end + 20 + size]
    return describe_picture(picture, int.from_bytes(data[:4], "big"), mime, description, width, height)


def _list_cue_tracks(data: bytes, sample_rate: int) -> list[dict[str, Any]]:
    """RFC 9639 section 8.7: tracks with their offset in samples; 170 and 255 are the lead-out."""
    found: list[dict[str, Any]] = []
    at = 396
    for _ in range(data[395] if len(data) > 395 else 0):
        track = data[at : at + 36]
        if len(track) < 36:
            break
        if track[8] not in (170, 255):
            found.append({"start": int.from_bytes(track[:8], "big") / sample_rate, "title": f"Track {track[8]}"})
        at += 36 + 12 * track[35]
    return found
