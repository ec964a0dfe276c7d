"""Tags of MP4 and QuickTime: udta, iTunes' ilst, Apple's mdta keys, freeform items, camera makers' user data.

Sources: QuickTime File Format, "User Data Atoms", "Metadata Atoms and Types"; 3GPP TS 26.244 section 8 (titl, auth,
loci); the iTunes atoms as the vocabulary's section 4.1 lists them; ISO 6709 annex H for places.
"""

from __future__ import annotations

import re
from typing import Any

from mediad_handlers.image.blocks import Blocks
from mediad_handlers.image.xmp import map_xmp
from mediad_handlers.kit.api import Record
from mediad_handlers.kit.pictures import Inside, keep
from mediad_handlers.kit.pictures import wanted as pictures_wanted
from mediad_handlers.readers.isobmff import Box, Source, big
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.video.values import put_place, put_text

MAX_VALUE = 64 * 1024
MAX_CHAPTERS = 1000
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_RELEASED = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?", re.ASCII)

TEXT = {
    b"\xa9nam": "title", b"sonm": "title_sort", b"\xa9alb": "album", b"soal": "album_sort", b"\xa9cmt": "comments",
    b"cprt": "copyright", b"\xa9cpy": "copyright", b"\xa9gen": "genres", b"tvsh": "show", b"sosn": "show_sort",
    b"tven": "episode_id", b"tvnn": "network", b"\xa9dir": "directors", b"\xa9prd": "producers", b"\xa9wrt":
    "composers",
    b"soco": "composer_sort", b"\xa9too": "software", b"\xa9swr": "software", b"\xa9enc": "encoded_by",
    b"keyw": "keywords", b"catg": "podcast_category", b"apID": "purchase_account", b"ownr": "purchase_owner",
    b"\xa9mak": "camera_make", b"\xa9mod": "camera_model", b"\xa9lyr": "lyrics", b"\xa9grp": "groupings",
    b"soaa": "album_artist_sort", b"soar": "artist_sort", b"\xa9pub": "publishers", b"\xa9aut": "creators",
    b"ldes": "summary", b"sdes": "store_description", b"\xa9inf": "description", b"\xa9prf": "actors",
}  # fmt: skip
KEYS = {
    "title": "title", "displayname": "title", "album": "album", "comment": "comments", "copyright": "copyright",
    "genre": "genres", "director": "directors", "producer": "producers", "make": "camera_make", "model": "camera_model",
    "software": "software", "description": "description", "keywords": "keywords", "author": "creators",
    "publisher": "publishers", "content.identifier": "content_id", "artist": "artists", "composer": "composers",
}  # fmt: skip
_MEDIA_TYPES = {0: "home_video", 1: "home_video", 6: "music_video", 9: "movie", 10: "tv", 14: "ringtone", 21: "podcast"}
_DEFINITIONS = {0: "sd", 1: "720p", 2: "1080p", 3: "2160p"}


def read_tags(source: Source, moov: Box, record: Record) -> None:
    """Everything that udta and meta of a movie box hold: Keys, then ItemList, then UserData."""
    children = list(source.children(moov))
    for box in children:
        if box.kind == b"meta":
            _read_meta(source, box, record)
    for box in children:
        if box.kind == b"udta":
            inner = list(source.children(box))
            for child in inner:
                if child.kind == b"meta":
                    _read_meta(source, child, record)
            for child in inner:
                _read_user_data(source, child, record)
        elif box.kind == b"uuid" and source.read(box.start, 16) == _XMP_UUID:
            blocks = Blocks()
            blocks.add_xmp(record, source.read(box.start + 16, min(box.length - 16, 1024 * 1024)))
            if blocks.xmp:
                map_xmp(record, blocks.xmp)


def _read_meta(source: Source, meta: Box, record: Record) -> None:
    """meta is a full box in MP4 and a plain one in QuickTime: its first child tells."""
    skip = 0 if source.read(meta.start + 4, 4) in (b"hdlr", b"keys", b"ilst") else 4
    boxes = {box.kind: box for box in source.children(meta, skip)}
    if b"ilst" not in boxes:
        return
    names = _read_keys(source, boxes[b"keys"]) if b"keys" in boxes else []
    for item in source.children(boxes[b"ilst"]):
        index = big(item.kind, 0, 4)
        if names and 0 < index <= len(names):
            _read_key(source, item, names[index - 1], record)
        elif item.kind == b"----":
            _read_freeform(source, item, record)
        else:
            _read_item(source, item, record)


def _read_keys(source: Source, box: Box) -> list[str]:
    names = []
    for entry in source.children(box, 8):
        name = source.content(entry, 256).decode("utf-8", "replace")
        names.append(name.removeprefix("com.apple.quicktime.").removeprefix("com.android."))
    return names


def _values(source: Source, item: Box) -> list[tuple[int, bytes, int]]:
    """The data boxes of an item: (type, value up to MAX_VALUE, full length)."""
    found = []
    for box in source.children(item):
        if box.kind == b"data" and box.length >= 8:
            data = source.content(box, MAX_VALUE + 8)
            found.append((big(data, 1, 3), data[8:], box.length - 8))
    return found


def decode(kind: int, raw: bytes) -> Any:
    """A well-known value (QuickTime "Well-known types"): 1 UTF-8, 2 UTF-16, 21 signed, 22 unsigned, 23/24 floats."""
    if kind == 1:
        return raw.decode("utf-8", "replace")
    if kind == 2:
        return raw[: len(raw) & ~1].decode("utf-16-be", "replace")
    if kind in (21, 22) and 0 < len(raw) <= 8:
        return int.from_bytes(raw, "big", signed=kind == 21)
    if kind in (23, 24) and len(raw) in (4, 8):
        import struct

        return struct.unpack(">f" if len(raw) == 4 else ">d", raw)[0]
    return None


def _read_key(source: Source, item: Box, name: str, record: Record) -> None:
    for kind, raw, _ in _values(source, item):
        value = decode(kind, raw)
        if value is None:
            continue
        if name == "location.ISO6709" and isinstance(value, str):
            put_place(record, value, "Keys:GPSCoordinates")
        elif name == "creationdate" and isinstance(value, str):
            put_moment(record, "date_taken", parse_moment(value), "Keys:CreationDate")
        elif name == "location.accuracy.horizontal" and isinstance(value, str):
            record.tag("Keys:" + name, [value])
        elif name in KEYS and isinstance(value, str):
            put_text(record, KEYS[name], value, "Keys:" + name)
        else:
            record.tag("Keys:" + name, [value if isinstance(value, int | float) else value[:4096]])


def _read_item(source: Source, item: Box, record: Record) -> None:
    """One ilst atom."""
    kind, native = item.kind, "ItemList:" + item.kind.decode("latin-1")
    for number, (well_known, raw, length) in enumerate(_values(source, item)):
        value = decode(well_known, raw)
        whole = int.from_bytes(raw, "big") if 0 < len(raw) <= 8 else None
        if kind in TEXT and isinstance(value, str):
            put_text(record, TEXT[kind], value, native)
        elif kind == b"\xa9ART" and isinstance(value, str):
            put_text(record, "artists", value, native)
            record.put("artist_credit", value, native)
            put_text(record, "creators", value, native)
        elif kind == b"aART" and isinstance(value, str):
            put_text(record, "album_artists", value, native)
            record.put("album_artist_credit", value, native)
        elif kind == b"desc" and isinstance(value, str):
            record.put("description", value, native)
            record.put("summary", value, native)
        elif kind == b"\xa9day" and isinstance(value, str):
            released = _RELEASED.match(value)
            record.put("date_released", released[0] if released else None, native)
            put_moment(record, "date_taken", parse_moment(value) if "T" in value else None, native)
        elif kind in (b"trkn", b"disk") and len(raw) >= 6:
            names = ("track_number", "track_total") if kind == b"trkn" else ("disc_number", "disc_total")
            record.put(names[0], big(raw, 2, 2) or None, native)
            record.put(names[1], big(raw, 4, 2) or None, native)
        elif kind == b"covr":
            pictures = record.fields.setdefault("pictures", [])
            mime = {13: "image/jpeg", 14: "image/png", 27: "image/bmp"}.get(well_known, "image/jpeg")
            if number < 16:
                pictures.append({"type": "cover", "mime": mime, "size": length})
                record.sources["pictures"] = native
            if number == 0 and pictures_wanted():
                for box in source.children(item):
                    if box.kind == b"data" and box.length > 8:
                        keep(Inside("front_cover", offset=box.start + 8, length=box.length - 8))
        elif kind in (b"stik", b"hdvd", b"tvsn", b"tves", b"tmpo", b"cpil", b"pgap", b"pcst", b"rtng"):
            _put_number(record, kind, whole, native)
        elif kind == b"gnre" and whole:
            record.tag(native, [whole])
        elif isinstance(value, str | int | float):
            record.tag(native, [value])


def _put_number(record: Record, kind: bytes, value: int | None, native: str) -> None:
    if value is None:
        return
    if kind == b"stik":
        record.put("media_type", _MEDIA_TYPES.get(value), native)
    elif kind == b"hdvd":
        record.fields["hd"] = _DEFINITIONS.get(value, record.fields.get("hd", "sd"))
    elif kind == b"tvsn":
        record.put("season_number", value or None, native)
    elif kind == b"tves":
        record.put("episode_number", value or None, native)
    elif kind == b"pcst":
        record.put("podcast", bool(value), native)
    elif kind == b"rtng":
        record.put("explicit", {1: "explicit", 4: "explicit", 2: "clean"}.get(value, "none"), native)
    else:
        record.tag(native, [value])


def _read_freeform(source: Source, item: Box, record: Record) -> None:
    """A "----" item: name, and one or more data boxes."""
    name = ""
    for box in source.children(item):
        if box.kind == b"name":
            name = source.content(box, 260)[4:].decode("utf-8", "replace")
    for kind, raw, _ in _values(source, item):
        value = decode(kind, raw)
        if not isinstance(value, str) or not name:
            continue
        if name == "iTunEXTC":
            parts = value.split("|")
            record.put("content_rating", ":".join(parts[:2]) if len(parts) > 1 else None, "iTunes:ContentRating")
        elif name == "iTunMOVI":
            _read_people(value, record)
        else:
            record.tag("iTunes:" + name, [value[:4096]])


def _read_people(plist: str, record: Record) -> None:
    """iTunMOVI: a property list of {name} lists; entities are refused by plistlib's own parser."""
    import plistlib
    from xml.parsers.expat import ExpatError

    try:
        found = plistlib.loads(plist.encode("utf-8"), fmt=plistlib.FMT_XML)
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        record.warnings.append("iTunMOVI is no property list")
        return
    if not isinstance(found, dict):
        return
    for key, name in (("cast", "actors"), ("directors", "directors"), ("producers", "producers"),
                      ("screenwriters", "writers")):  # fmt: skip
        people = found.get(key)
        if isinstance(people, list):
            names = [p["name"] for p in people if isinstance(p, dict) and isinstance(p.get("name"), str)]
            record.put(name, names, f"iTunMOVI:{key}")
    studio = found.get("studio")
    record.put("studio", studio if isinstance(studio, str) else None, "iTunMOVI:studio")


def _read_user_data(source: Source, box: Box, record: Record) -> None:
    """A user data atom: QuickTime international text (length, language, text), 3GPP text, Nero chapters."""
    kind, native = box.kind, "UserData:" + box.kind.decode("latin-1")
    data = source.content(box, MAX_VALUE)
    if kind[:1] == b"\xa9":
        length = big(data, 0, 2)
        value = _text(data[4 : 4 + length]) if 0 < length <= len(data) - 4 else _text(data)
        if kind == b"\xa9xyz":
            put_place(record, value, native)
        elif kind == b"\xa9day":
            put_moment(record, "date_taken", parse_moment(value), native)
        elif kind in TEXT:
            put_text(record, TEXT[kind], value, native)
        elif kind == b"\xa9ART":
            put_text(record, "artists", value, native)
        elif value:
            record.tag(native, [value[:4096]])
    elif kind in (b"titl", b"dscp", b"auth", b"perf", b"gnre", b"cprt") and len(data) > 6:
        body = data[6:]
        value = body.decode("utf-16", "replace") if body[:2] in (b"\xfe\xff", b"\xff\xfe") else _text(body)
        name = {b"titl": "title", b"dscp": "description", b"auth": "creators", b"perf": "artists", b"gnre": "genres",
                b"cprt": "copyright"}[kind]  # fmt: skip
        put_text(record, name, value.partition("\0")[0], native)
    elif kind in (b"name", b"manu", b"modl"):
        put_text(record, {b"name": "title", b"manu": "camera_make", b"modl": "camera_model"}[kind], _text(data), native)
    elif kind == b"chpl":
        _read_chapters(data, record)
    elif kind == b"XMP_":
        blocks = Blocks()
        blocks.add_xmp(record, source.content(box, 1024 * 1024))
        if blocks.xmp:
            map_xmp(record, blocks.xmp)


def _text(raw: bytes) -> str:
    raw = raw.strip(b"\0")
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.decode("mac_roman").strip()


def _read_chapters(data: bytes, record: Record) -> None:
    """Nero's chpl: start in 100 ns, a length byte, UTF-8."""
    at = 9 if data[:1] == b"\1" else 5
    chapters = []
    for _ in range(min(data[at - 1] if len(data) >= at else 0, MAX_CHAPTERS)):
        if at + 9 > len(data):
            break
        length = data[at + 8]
        chapters.append(
            {"start": big(data, at, 8) / 1e7, "title": data[at + 9 : at + 9 + length].decode("utf-8", "replace")}
        )
        at += 9 + length
    record.put("chapters", chapters, "UserData:ChapterList")
