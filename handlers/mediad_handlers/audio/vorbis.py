"""FLAC and the Ogg codecs: Vorbis comments, FLAC pictures and cue sheets, stream facts; payload `flac-frames/1`.

Sources: RFC 9639 (FLAC; section 8 metadata blocks, 10.1 Ogg mapping), Vorbis I section 5 (comments), RFC 7845 (Opus).
"""

from __future__ import annotations

import base64
import binascii
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mediad_handlers.audio import facts
from mediad_handlers.audio.bounds import corrupt_when_it_leaks
from mediad_handlers.audio.frames import skip_leading_tags
from mediad_handlers.audio.pictures import describe_picture
from mediad_handlers.audio.tables import RULES
from mediad_handlers.audio.values import map_tags, read_number
from mediad_handlers.kit.api import HandlerError, Payload, Record

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

FLAC_ALGORITHM = "flac-frames/1"
BLOCKS = 1024  # metadata blocks of one FLAC file; RFC 9639 has no limit, real files have under 20
_CHAPTER = re.compile(r"CHAPTER(\d{3})(NAME|URL)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,3}):(\d\d):(\d\d(?:\.\d{1,6})?)", re.ASCII)

# format -> (module, class, codec, lossless)
OGG = {
    "ogg": ("mutagen.oggvorbis", "OggVorbis", "vorbis", False),
    "opus": ("mutagen.oggopus", "OggOpus", "opus", False),
    "speex": ("mutagen.oggspeex", "OggSpeex", "speex", False),
    "oggflac": ("mutagen.oggflac", "OggFLAC", "flac", True),
}


def flac_payload(file: File) -> Payload:
    """flac-frames/1: from behind the last metadata block (behind leading ID3v2 tags) to before a trailing ID3v1 tag.

    Raises HandlerError `corrupt` when the metadata blocks do not end within the file."""
    if "flac" not in file.memo:
        file.memo["flac"] = _find_flac_frames(file)
    found: Payload = file.memo["flac"]
    return found


def _find_flac_frames(file: File) -> Payload:
    position = skip_leading_tags(file)
    if file.read(position, 4) != b"fLaC":
        raise HandlerError("corrupt", "no fLaC marker")
    position += 4
    for _ in range(BLOCKS):
        header = file.read(position, 4)
        if len(header) < 4:
            break
        position += 4 + int.from_bytes(header[1:], "big")
        if header[0] & 0x80:
            end = file.size
            tail = file.tail(128)
            if len(tail) == 128 and tail[:3] == b"TAG":
                end -= 128
            if position > end:
                break
            return Payload(FLAC_ALGORITHM, ((position, end - position),))
    raise HandlerError("corrupt", "the metadata blocks do not end within the file")


def read_flac(record: Record, file: File) -> None:
    from mutagen.flac import FLAC

    record.payload = flac_payload(file)
    with corrupt_when_it_leaks("FLAC"):
        song = FLAC(file.stream())
        info = song.info
        pictures = [
            describe_picture(one.data, one.type, one.mime, one.desc, one.width, one.height) for one in song.pictures
        ]
        record.put("pictures", pictures, "FLAC:PICTURE")
        if song.tags is not None:
            _map_comments(record, song.tags)
            record.put("encoder", song.tags.vendor, "Vorbis:vendor")
        if song.cuesheet is not None:
            record.put("chapters", _list_cue_tracks(song.cuesheet, info.sample_rate), "FLAC:CUESHEET")
        facts.put_codec(record, "flac", True, "FLAC:STREAMINFO")
        facts.put_stream(record, info, "FLAC:STREAMINFO")
        record.put("sample_count", info.total_samples or None, "FLAC:STREAMINFO")
        if info.md5_signature:  # 0 is "not computed" (RFC 9639 section 8.2)
            record.put("pcm_md5", f"{info.md5_signature:032x}", "FLAC:STREAMINFO")
    record.put("bit_rate_mode", "vbr", "FLAC:STREAMINFO")
    facts.put_average(record, record.payload.ranges[0][1], "FLAC:frames")


def read_ogg(record: Record, file: File) -> None:
    module, name, codec, lossless = OGG[record.format]
    with corrupt_when_it_leaks("Ogg"):
        song = getattr(import_module(module), name)(file.stream())
        info = song.info
        source = f"{codec.capitalize()}:header"
        if song.tags is not None:
            _map_comments(record, song.tags)
            record.put("encoder", song.tags.vendor, "Vorbis:vendor")
        facts.put_codec(record, codec, lossless, source)
        if codec == "opus":
            record.put("sample_rate", 48000, "RFC 7845 section 5.1: Opus always decodes at 48 kHz")
        facts.put_stream(record, info, source, with_bit_rate=False)
    facts.put_average(record, file.size, source)
    record.put("bit_rate_mode", "vbr" if codec in ("opus", "vorbis", "flac") else None, source)


def _map_comments(record: Record, comments: Any) -> None:
    native: dict[str, tuple[str, list[Any]]] = {}
    chapters: dict[str, dict[str, Any]] = {}
    pictures: list[dict[str, Any]] = []
    for name, value in comments:
        key = name.upper()
        match = _CHAPTER.fullmatch(key)
        if match is not None:
            _take_chapter(chapters, match, value)
        elif key in ("METADATA_BLOCK_PICTURE", "COVERART"):
            _take_picture(record, pictures, key, value)
        elif key.startswith("RATING:"):
            number = read_number(value)
            if number:
                record.put("rating", min(number * 5 if number <= 1 else number, 5.0), f"Vorbis:{name}")
        elif key in native:
            native[key][1].append(value)
        else:
            native[key] = (name, [value])
    map_tags(record, RULES["vorbis"], native, "Vorbis")
    record.put("pictures", pictures, "Vorbis:METADATA_BLOCK_PICTURE")
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
    from mutagen.flac import Picture, error

    try:
        data = base64.b64decode(value, validate=False)
        if key == "COVERART":
            pictures.append(describe_picture(data))
            return
        one = Picture(data)
    except (binascii.Error, error, ValueError) as fault:
        record.warnings.append(f"Vorbis:{key}: {fault}"[:200])
        return
    pictures.append(describe_picture(one.data, one.type, one.mime, one.desc, one.width, one.height))


def _list_cue_tracks(cuesheet: Any, sample_rate: int) -> list[dict[str, Any]]:
    """RFC 9639 section 8.7: tracks with their offset in samples; 170 and 255 are the lead-out."""
    return [
        {"start": track.start_offset / sample_rate, "title": f"Track {track.track_number}"}
        for track in cuesheet.tracks
        if track.track_number not in (170, 255) and sample_rate
    ]
