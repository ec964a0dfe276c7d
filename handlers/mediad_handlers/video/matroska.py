"""Matroska and WebM: Info, Tracks, Tags, Chapters, found in order or through SeekHead (RFC 9559 sections 5-6, 21).

Clusters are never read: the walk stops at the first, and SeekHead says where the rest is.
"""

from __future__ import annotations

from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.kit.pictures import Inside, keep
from mediad_handlers.readers.ebml import Element, Reader
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.video.mp4 import date_text
from mediad_handlers.video.tracks import Track, codec_name, language_tag, put_bit_rate, summarise, track_name
from mediad_handlers.video.values import put_text

EBML, SEGMENT, SEEK_HEAD, INFO, TRACKS, TAGS = 0x1A45DFA3, 0x18538067, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1254C367
CLUSTER, CHAPTERS, ATTACHMENTS = 0x1F43B675, 0x1043A770, 0x1941A469
MILLENNIUM = 978_307_200 + 2_082_844_800  # DateUTC counts ns from 2001-01-01; date_text from 1904
MAX_TRACKS, MAX_CHAPTERS, MAX_ATTACHMENTS = 64, 1000, 100
_KINDS = {1: "video", 2: "audio", 3: "complex", 0x10: "data", 0x11: "subtitle", 0x12: "data", 0x20: "data"}

TAG_FIELDS = {
    "TITLE": "title", "SUMMARY": "summary", "SYNOPSIS": "summary", "DESCRIPTION": "description", "COMMENT": "comments",
    "GENRE": "genres", "DIRECTOR": "directors", "ACTOR": "actors", "PRODUCER": "producers", "WRITTEN_BY": "writers",
    "ARTIST": "creators", "COPYRIGHT": "copyright", "KEYWORDS": "keywords", "PUBLISHER": "publishers",
    "COMPOSER": "composers", "PRODUCTION_STUDIO": "studio", "LAW_RATING": "content_rating", "IMDB": "imdb_id",
    "TMDB": "tmdb_id", "TVDB": "tvdb_id", "TITLE_SORT": "title_sort", "ENCODED_BY": "encoded_by", "ALBUM": "album",
}  # fmt: skip


def read_matroska(file: File) -> Record:
    """The record of a Matroska or WebM file. Raises HandlerError `corrupt` without a segment."""
    reader = Reader(file.read, file.head)
    head = reader.header(0, file.size)
    if head is None or head.id != EBML:
        raise HandlerError("corrupt", "no EBML header")
    webm = any(child.id == 0x4282 and reader.text(child) == "webm" for child in reader.children(head))
    record = Record("video", "webm" if webm else "mkv", "video/webm" if webm else "video/x-matroska")
    segment = reader.header(head.end, file.size)
    if segment is None or segment.id != SEGMENT:
        raise HandlerError("corrupt", "no Matroska segment")
    tracks: list[Track] = []
    for element in _level_one(reader, segment):
        if element.id == INFO:
            _read_info(reader, element, record)
        elif element.id == TRACKS and not tracks:
            for child in reader.children(element):
                if child.id == 0xAE and len(tracks) < MAX_TRACKS:
                    tracks.append(_read_track(reader, child, len(tracks) + 1))
        elif element.id == TAGS:
            _read_tags(reader, element, record)
        elif element.id == CHAPTERS:
            _read_chapters(reader, element, record)
        elif element.id == ATTACHMENTS:
            _read_attachments(reader, element, record)
    summarise(record, tracks, "Matroska:TrackEntry")
    if record.kind == "audio":
        record.mime_type = "audio/webm" if webm else "audio/x-matroska"
        record.format = "webm" if webm else "mka"
    put_bit_rate(record, file.size)
    return record


def _level_one(reader: Reader, segment: Element) -> list[Element]:
    """The segment's parts but clusters: those in front of the first cluster, then those that SeekHead places."""
    found: dict[int, Element] = {}
    places: list[int] = []
    for element in reader.children(segment):
        if element.id == CLUSTER:
            break
        if element.id == SEEK_HEAD:
            for seek in reader.children(element):
                for child in reader.children(seek):
                    if child.id == 0x53AC:
                        places.append(segment.start + reader.number(child))
        found.setdefault(element.start, element)
    for place in places[:32]:
        placed = reader.header(place, segment.end) if place < segment.end else None
        if placed is not None and placed.id != CLUSTER:
            found.setdefault(placed.start, placed)
    return list(found.values())


def _read_info(reader: Reader, info: Element, record: Record) -> None:
    scale, duration = 1_000_000, None
    for child in reader.children(info):
        if child.id == 0x2AD7B1:
            scale = reader.number(child)
        elif child.id == 0x4489:
            duration = reader.float(child)
        elif child.id == 0x7BA9:
            record.put("title", reader.text(child), "Info:Title")
        elif child.id in (0x5741, 0x4D80):  # WritingApp wins over MuxingApp, which stands in front of it
            name, text = ("WritingApp" if child.id == 0x5741 else "MuxingApp"), reader.text(child)
            if text and (name == "WritingApp" or "software" not in record.fields):
                record.fields["software"], record.sources["software"] = text, "Info:" + name
        elif child.id == 0x4461:
            written = date_text(reader.signed(child) // 1_000_000_000 + MILLENNIUM)
            put_moment(record, "date_taken", parse_moment(written), "Info:DateUTC")
    if duration and duration > 0:
        record.put("duration", duration * scale / 1e9, "Info:Duration")


def _read_track(reader: Reader, entry: Element, index: int) -> Track:
    track: Track = {"type": "data", "index": index, "default": True}
    for child in reader.children(entry):
        kind = child.id
        if kind == 0x83:
            track["type"] = _KINDS.get(reader.number(child), "data")
        elif kind == 0xD7:
            track["id"] = reader.count(child)
        elif kind == 0x86:
            code = reader.text(child)
            track["codec"] = codec_name(code)
            track["codec_id"] = code
        elif kind == 0x63A2 and track.get("codec_id") == "V_MS/VFW/FOURCC":
            track["codec"] = codec_name(reader.data(child, 20)[16:20].decode("latin-1"))
        elif (kind == 0x22B59C and "language" not in track) or kind == 0x22B59D:
            track["language"] = language_tag(reader.text(child))
        elif kind == 0x536E:
            track["name"] = track_name(reader.text(child))
        elif kind in (0x88, 0x55AA, 0x55AB):
            track[{0x88: "default", 0x55AA: "forced", 0x55AB: "hearing_impaired"}[kind]] = reader.number(child) == 1
        elif kind == 0x23E383:
            duration = reader.number(child)
            track["frame_rate"] = round(1e9 / duration, 3) if duration else None
        elif kind == 0xE0:
            _read_video(reader, child, track)
        elif kind == 0xE1:
            for part in reader.children(child):
                if part.id == 0xB5:
                    rate = reader.float(part)
                    track["sample_rate"] = int(rate) if rate and rate > 0 else None
                elif part.id == 0x9F:
                    track["channels"] = reader.count(part)
    if track["type"] == "audio":
        track.setdefault("channels", 1)
        track.setdefault("sample_rate", 8000)
        track.pop("frame_rate", None)
    return track


def _read_video(reader: Reader, video: Element, track: Track) -> None:
    for part in reader.children(video):
        if part.id == 0xB0:
            track["width"] = reader.count(part)
        elif part.id == 0xBA:
            track["height"] = reader.count(part)
        elif part.id == 0x9A:
            track["scan_type"] = {1: "interlaced", 2: "progressive"}.get(reader.number(part))


def _read_tags(reader: Reader, tags: Element, record: Record) -> None:
    """Tags of the whole file become fields; those with a track, chapter or edition UID belong elsewhere."""
    for tag in reader.children(tags):
        simple, level, elsewhere = [], 50, False
        for child in reader.children(tag):
            if child.id == 0x63C0:
                for target in reader.children(child):
                    if target.id == 0x68CA:
                        level = reader.number(target)
                    elif target.id in (0x63C5, 0x63C4, 0x63C9, 0x63C6):
                        elsewhere |= reader.number(target) != 0
            elif child.id == 0x67C8:
                simple.append(child)
        for element in [] if elsewhere else simple:
            name = value = ""
            for part in reader.children(element):
                if part.id == 0x45A3:
                    name = reader.text(part).upper()
                elif part.id == 0x4487:
                    value = reader.text(part)
            if name and value:
                _put_tag(record, name, value, level)


def _put_tag(record: Record, name: str, value: str, level: int) -> None:
    native = f"Matroska:{name}"
    if name == "TITLE" and level == 70:
        record.put("show", value, native)
    elif name == "PART_NUMBER" and value.isascii() and value.isdigit() and level in (50, 60):
        record.put("season_number" if level == 60 else "episode_number", int(value[:9]), native)
    elif name in TAG_FIELDS:
        put_text(record, TAG_FIELDS[name], value, native)
    elif name in ("DATE_RELEASED", "DATE_RELEASE"):
        moment = parse_moment(value)
        record.put("date_released", moment.local[:10] if moment else None, native)
    elif name == "DATE_RECORDED":
        put_moment(record, "date_taken", parse_moment(value), native)
    elif name == "ENCODER":
        record.put("encoder", value, native)
    else:
        record.tag(native, [value[:4096]])


def _read_chapters(reader: Reader, chapters: Element, record: Record) -> None:
    found: list[dict[str, float | str]] = []
    for edition in reader.children(chapters):
        for atom in reader.children(edition):
            if atom.id != 0xB6 or len(found) >= MAX_CHAPTERS:
                continue
            chapter: dict[str, float | str] = {}
            for child in reader.children(atom):
                if child.id in (0x91, 0x92):
                    chapter["start" if child.id == 0x91 else "end"] = reader.number(child) / 1e9
                elif child.id == 0x80:
                    for display in reader.children(child):
                        if display.id == 0x85:
                            chapter.setdefault("title", reader.text(display))
            found.append(chapter)
    record.put("chapters", found, "Matroska:Chapters")


def _read_attachments(reader: Reader, attachments: Element, record: Record) -> None:
    pictures: list[dict[str, int | str]] = []
    for attached in reader.children(attachments):
        mime, size, start, description = "", 0, 0, ""
        for child in reader.children(attached):
            if child.id == 0x4660:
                mime = reader.text(child)
            elif child.id == 0x466E:
                description = reader.text(child)
            elif child.id == 0x465C:
                size, start = child.end - child.start, child.start
        if mime.startswith("image/") and len(pictures) < MAX_ATTACHMENTS:
            pictures.append({"type": "cover", "mime": mime, "size": size, "description": description})
            # cover.jpg is the cover; small_cover.jpg, cover_land.jpg its variants (RFC 9559 section 21.1)
            use = "front_cover" if description.lower().rpartition(".")[0] == "cover" else "cover"
            keep(Inside(use, offset=start, length=size))
    record.put("pictures", pictures, "Matroska:AttachedFile")
