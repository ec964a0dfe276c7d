"""MP4, M4V, MOV, 3GP: movie header, tracks, and where the tags are.

Sources: ISO/IEC 14496-12 sections 8.2-8.6 (mvhd tkhd mdhd hdlr stsd stts), 14496-15 (avcC, hvcC), QuickTime File
Format. moov is found by its header among the top-level boxes, wherever it is, and only what lies in it is read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.isobmff import Box, Source, big, list_boxes, load_movie
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.png import inflate
from mediad_handlers.video.mp4tags import read_tags
from mediad_handlers.video.tracks import Track, codec_name, language_tag, put_bit_rate, summarise, track_name

EPOCH = 2_082_844_800  # seconds from 1904-01-01, QuickTime's zero, to 1970-01-01
MAX_TRACKS = 64
_KINDS = {b"vide": "video", b"soun": "audio", b"sbtl": "subtitle", b"subt": "subtitle", b"text": "subtitle",
          b"clcp": "subtitle"}  # fmt: skip
_ROTATIONS = {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}
_AVC_PROFILES = {66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10", 122: "High 4:2:2"}
_PRIMARIES = {1: "bt709", 5: "bt601-625", 6: "bt601-525", 9: "bt2020", 12: "p3-d65"}
_TRANSFERS = {1: "bt709", 6: "bt601", 13: "srgb", 14: "bt2020-10", 16: "pq", 18: "hlg"}
_MATRICES = {0: "rgb", 1: "bt709", 5: "bt470bg", 6: "bt601", 9: "bt2020nc"}
_FORMATS = {b"qt  ": ("mov", "video/quicktime"), b"M4V ": ("m4v", "video/x-m4v"), b"M4VH": ("m4v", "video/x-m4v")}


def read_mp4(file: File) -> Record:
    """The record of an ISO base media or QuickTime file. Raises HandlerError `corrupt` without a moov box."""
    format, mime_type = _format(file)
    record = Record("video", format, mime_type)
    moov: Box | None = None
    data_seen = fast = False
    for box in list_boxes(file):
        if box.kind == b"moov" and moov is None:
            moov, fast = box, not data_seen
        elif box.kind == b"mdat":
            data_seen = True
            if moov is not None:
                break
    if moov is None:
        raise HandlerError("corrupt", "no movie box")
    record.put("fast_start", fast, "QuickTime:MediaDataOffset")
    source, moov = _inflated(load_movie(file, moov), moov)
    tracks: list[Track] = []
    movie_date: str | None = None
    for box in source.children(moov):
        if box.kind == b"mvhd":
            movie_date = _map_movie(record, source.content(box, 112))
        elif box.kind == b"trak" and len(tracks) < MAX_TRACKS:
            track = _read_track(source, box, len(tracks) + 1)
            if track:
                tracks.append(track)
    summarise(record, [{key: one for key, one in track.items() if key != "vendor"} for track in tracks], "Track")
    read_tags(source, moov, record)
    put_moment(record, "date_taken", parse_moment(movie_date), "QuickTime:CreateDate")
    put_bit_rate(record, file.size)
    vendors = [track["vendor"] for track in tracks if "vendor" in track] if format == "mov" else []
    record.put("encoder", vendors[0] if vendors else None, "Track:Vendor")
    return record


def _inflated(source: Source, moov: Box) -> tuple[Source, Box]:
    """The movie box that a compressed one holds (QuickTime "Compressed movie resources": cmov, zlib); else the
    given."""
    body = source.find(moov, b"cmov", b"cmvd")
    if body is None:
        return source, moov
    data = inflate(source.content(body)[4:])
    inner = Source(lambda offset, length: data[offset : offset + length])
    found = next(inner.walk(0, len(data)), None)
    if found is None or found.kind != b"moov":
        raise HandlerError("corrupt", "a compressed movie box without a movie box")
    return inner, found


def _format(file: File) -> tuple[str, str]:
    head = file.head
    if head[4:8] != b"ftyp":
        return "mov", "video/quicktime"
    brand = head[8:12]
    if brand[:3] in (b"3gp", b"3g2"):
        return ("3g2", "video/3gpp2") if brand[:3] == b"3g2" else ("3gp", "video/3gpp")
    return _FORMATS.get(brand, ("mp4", "video/mp4"))


def date_text(seconds: int) -> str | None:
    """ISO 8601 UTC of a QuickTime time; None for 0, for 1970-01-01, and for what lies before or beyond 2100."""
    unix = seconds - EPOCH
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if 0 < unix < 4_102_444_800 else None


def _map_movie(record: Record, data: bytes) -> str | None:
    """mvhd: the creation date. Sets duration and date_modified_at."""
    wide = data[:1] == b"\1"
    created, modified = (big(data, 4, 8), big(data, 12, 8)) if wide else (big(data, 4, 4), big(data, 8, 4))
    scale, duration = (big(data, 20, 4), big(data, 24, 8)) if wide else (big(data, 12, 4), big(data, 16, 4))
    unknown = 0xFFFFFFFFFFFFFFFF if wide else 0xFFFFFFFF
    if scale and 0 < duration < unknown:
        record.put("duration", duration / scale, "QuickTime:Duration")
    put_moment(record, "date_modified_at", parse_moment(date_text(modified)), "QuickTime:ModifyDate")
    return date_text(created)


def _read_track(source: Source, trak: Box, index: int) -> Track | None:
    """One trak box as a flat record; None without a media box."""
    boxes = {box.kind: box for box in source.children(trak)}
    if b"mdia" not in boxes:
        return None
    media = {box.kind: box for box in source.children(boxes[b"mdia"])}
    handler = source.content(media[b"hdlr"], 512) if b"hdlr" in media else b""
    vendor = handler[12:16].decode("latin-1")
    track: Track = {"type": _KINDS.get(handler[8:12], "data"), "index": index}
    if vendor.isascii() and vendor.isalnum():
        track["vendor"] = _VENDORS.get(vendor, vendor)
    if b"tkhd" in boxes:
        _read_track_header(track, source.content(boxes[b"tkhd"], 104))
    name = handler[24:]
    if name and name[0] == len(name) - 1:
        name = name[1:]  # QuickTime: a Pascal string
    track["name"] = track_name(name.decode("utf-8", "replace"))
    scale, duration = _read_media_header(track, source.content(media[b"mdhd"], 36) if b"mdhd" in media else b"")
    stbl = source.find(media[b"minf"], b"stbl") if b"minf" in media else None
    tables = {box.kind: box for box in source.children(stbl)} if stbl else {}
    if b"stsd" in tables:
        _read_description(source, track, tables[b"stsd"])
    if track["type"] == "video" and scale and duration:
        count, ticks = _sample_times(source, tables.get(b"stts"))
        if not count and b"stsz" in tables:  # a long table of times: the number of samples over the track's duration
            count, ticks = big(source.content(tables[b"stsz"], 12), 8, 4), duration
        if count:
            track["frame_count"] = count
            if count > 1 and ticks:
                track["frame_rate"] = round(count * scale / ticks, 3)
    if scale and duration:
        track["duration"] = duration / scale
    return track


def _read_track_header(track: Track, data: bytes) -> None:
    """tkhd (14496-12 section 8.3.2): id, enabled, matrix, presentation size."""
    wide = 12 if data[:1] == b"\1" else 0
    track["id"] = big(data, 20 if wide else 12, 4)
    track["default"] = bool(big(data, 1, 3) & 1)
    matrix = 40 + wide
    if len(data) >= matrix + 44:
        a, b = (int.from_bytes(data[at : at + 4], "big", signed=True) for at in (matrix, matrix + 4))
        sign = ((a > 0) - (a < 0) if abs(a) > 1024 else 0, (b > 0) - (b < 0) if abs(b) > 1024 else 0)
        if track["type"] == "video":
            track["rotation"] = _ROTATIONS.get(sign) or None
            track["width"], track["height"] = big(data, matrix + 36, 2) or None, big(data, matrix + 40, 2) or None


def _read_media_header(track: Track, data: bytes) -> tuple[int, int]:
    """mdhd (14496-12 section 8.4.2): (time scale, duration); the language in five-bit letters."""
    wide = data[:1] == b"\1"
    scale, duration = (big(data, 20, 4), big(data, 24, 8)) if wide else (big(data, 12, 4), big(data, 16, 4))
    packed = big(data, 32 if wide else 20, 2)
    if packed >= 0x400 and packed != 0x7FFF:
        letters = "".join(chr((packed >> shift & 31) + 0x60) for shift in (10, 5, 0))
        track["language"] = language_tag(letters) if letters.isalpha() else None
    return scale, 0 if duration in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) else duration


def _sample_times(source: Source, box: Box | None) -> tuple[int, int]:
    """stts: (samples, time units of all of them); (0, 0) for a table of more than 64 KiB."""
    data = source.content(box, 65536) if box else b""
    count = ticks = 0
    for at in range(8, min(len(data), 8 + 8 * big(data, 4, 4)) - 7, 8):
        samples = big(data, at, 4)
        count += samples
        ticks += samples * big(data, at + 4, 4)
    return (count, ticks) if box and box.length <= 65536 else (0, 0)


def _read_description(source: Source, track: Track, stsd: Box) -> None:
    """The first sample entry (14496-12 section 8.5.2, 12.1.3, 12.2.3; QuickTime sound description versions 1, 2)."""
    entry = next(iter(source.children(stsd, 8)), None)
    if entry is None:
        return
    track["codec"] = codec_name(entry.kind.decode("latin-1"))
    data = source.content(entry, 4096)
    if track["type"] == "video" and len(data) >= 78:
        track["width"], track["height"] = (
            big(data, 24, 2) or track.get("width"),
            big(data, 26, 2) or track.get("height"),
        )
        for box in source.walk(entry.start + 78, entry.end):
            _read_video_box(track, box.kind, source.content(box, 256))
    elif track["type"] == "audio" and len(data) >= 28:
        version = big(data, 8, 2)
        track["channels"], track["sample_rate"] = big(data, 16, 2) or None, big(data, 24, 2) or None
        if version == 2 and len(data) >= 64:
            import struct

            rate = struct.unpack_from(">d", data, 32)[0]
            track["sample_rate"] = int(rate) if 0 < rate < 1e7 else None
            track["channels"] = big(data, 40, 4) or None
        start = entry.start + {1: 44, 2: 64}.get(version, 28)
        boxes = list(source.walk(start, entry.end))
        for box in boxes:
            inner = source.find(box, b"esds") if box.kind == b"wave" else box if box.kind == b"esds" else None
            if inner is not None:
                _read_elementary(track, source.content(inner, 512))


_VENDORS = {"appl": "Apple QuickTime"}  # QuickTime File Format, "Handler Reference Atoms": component manufacturer


def _read_video_box(track: Track, kind: bytes, data: bytes) -> None:
    if kind == b"avcC" and len(data) >= 4:
        track["video_profile"] = _AVC_PROFILES.get(data[1])
        track["video_level"] = f"{data[3] / 10:g}"
    elif kind == b"hvcC" and len(data) >= 19:
        track["video_profile"] = {1: "Main", 2: "Main 10"}.get(data[1] & 31)
        track["video_level"] = f"{data[12] / 30:g}"
        track["bit_depth"] = 8 + (data[17] & 7)
    elif kind == b"colr" and data[:4] in (b"nclx", b"nclc") and len(data) >= 10:
        track["color_primaries"] = _PRIMARIES.get(big(data, 4, 2))
        track["color_transfer"] = _TRANSFERS.get(big(data, 6, 2))
        track["color_matrix"] = _MATRICES.get(big(data, 8, 2))
        track["hdr"] = {16: "hdr10", 18: "hlg"}.get(big(data, 6, 2), track.get("hdr"))
    elif kind == b"pasp" and len(data) >= 8 and big(data, 0, 4) and big(data, 4, 4):
        track["pixel_aspect"] = f"{big(data, 0, 4)}:{big(data, 4, 4)}"
    elif kind in (b"dvcC", b"dvvC"):
        track["hdr"] = "dv"
    elif kind == b"fiel" and data:
        track["scan_type"] = "progressive" if data[0] == 1 else "interlaced"


def _read_elementary(track: Track, data: bytes) -> None:
    """esds: DecoderConfigDescriptor's object type and average bit rate (14496-1 section 7.2.6.6)."""
    at = data.find(b"\x04", 4)
    while 0 <= at < len(data) - 20:
        body = at + 1
        while body < len(data) and data[body] & 0x80:
            body += 1
        body += 1
        object_type = data[body] if body + 13 <= len(data) else 0
        if object_type in (0x40, 0x66, 0x67, 0x68, 0x69, 0x6B, 0xA5, 0xA6, 0xA9, 0xDD):
            names: dict[int, Any] = {0x69: "mp3", 0x6B: "mp3", 0xA5: "ac3", 0xA6: "eac3", 0xA9: "dts", 0xDD: "vorbis"}
            track["codec"] = names.get(object_type, "aac")
            track["bit_rate"] = big(data, body + 9, 4) or None
            return
        at = data.find(b"\x04", at + 1)
