"""M4A, M4B: iTunes item list atoms, Nero chapters, stream facts of the first audio track.

Sources: ISO/IEC 14496-12 sections 8.2-8.5 (mvhd mdhd hdlr stsd), 12.2.3 (AudioSampleEntry); QuickTime File Format,
"Metadata" and "Sound Sample Descriptions"; iTunes Metadata Format Specification as in the atoms' names; ETSI TS 102 366
annex F.4 (dac3); ALAC magic cookie description. The payload is in streams.isobmff.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from mediad_handlers.audio import facts
from mediad_handlers.audio.id3 import show_binary
from mediad_handlers.audio.pictures import describe_picture
from mediad_handlers.audio.tables import RULES
from mediad_handlers.audio.values import map_tags, name_genre
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import MAX_READ
from mediad_handlers.readers.aac import read_descriptor
from mediad_handlers.readers.isobmff import Box, Source, big, list_boxes, load_movie

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

Native = dict[str, tuple[str, list[Any]]]
LOSSLESS = ("alac", "flac", "raw", "sowt", "twos", "lpcm")
ENTRY = 4096  # bytes of a sample entry
CHAPTERS = 64 * 1024  # bytes of the chapter list: at most 255 of 264 bytes
PICTURE_TYPES = {13: "image/jpeg", 14: "image/png"}  # QuickTime well-known types; others are wrong, and JPEG
_CODECS = {"mp4a": "aac", "drms": "aac", "ac-3": "ac3", "ec-3": "eac3"}
_MP3 = (0x69, 0x6B)  # object type indications, 14496-1 table 5
_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)
_AC3_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)  # kbit/s
_ITEM = Struct(">I4s").unpack_from
_DATA = Struct(">I4sB").unpack_from  # a value's size, "data", version


def read_mp4(record: Record, file: File) -> None:
    """Raises HandlerError `corrupt` without a movie box, `limit`."""
    moov = next((box for box in list_boxes(file) if box.kind == b"moov"), None)
    if moov is None:
        raise HandlerError("corrupt", "MP4: no movie box")
    source = load_movie(file, moov)
    header: Box | None = None
    user: Box | None = None
    track: dict[bytes, Box] | None = None
    for box in source.children(moov):
        if box.kind == b"trak" and track is None:
            track = _read_audio_track(source, box)
        elif box.kind == b"mvhd" and header is None:
            header = box
        elif box.kind == b"udta" and user is None:
            user = box
    if user is not None:
        _read_user_data(record, source, user)
    duration = _read_duration(source, track[b"mdhd"] if track else header)
    entry = _read_entry(source, track) if track else None
    if entry is None:
        facts.put_facts(record, "MP4:stsd", duration, 0, 0)
        return
    code = entry.code.strip().lower()
    named = "mp3" if entry.object_type in _MP3 else _CODECS.get(code, code)
    if code:
        facts.put_codec(record, named, code in LOSSLESS, "MP4:stsd")
        record.put("protected", True if code in ("drms", "enca") else None, "MP4:stsd")
    if entry.description.lower() != named:
        record.put("codec_profile", entry.description, "MP4:esds")
    bits = entry.bits if code in LOSSLESS else 0  # the sample entry says 16 for AAC, which has none
    facts.put_facts(record, "MP4:stsd", duration, entry.rate, entry.channels, bits)
    record.put("bit_rate", entry.bit_rate or None, "MP4:stsd")


def _read_audio_track(source: Source, trak: Box) -> dict[bytes, Box] | None:
    """The boxes in the media box of a sound track; None of another track."""
    media = source.find(trak, b"mdia")
    if media is None:
        return None
    boxes: dict[bytes, Box] = {}
    for box in source.children(media):
        boxes.setdefault(box.kind, box)
    handler = boxes.get(b"hdlr")
    return boxes if handler and b"mdhd" in boxes and source.read(handler.start + 8, 4) == b"soun" else None


def _read_duration(source: Source, header: Box | None) -> float:
    """Seconds, of mvhd or mdhd (sections 8.2.2, 8.4.2); 0 where it is not stated."""
    data = source.content(header, 36) if header else b""
    if data[:1] == b"\1":
        scale, duration = big(data, 20, 4), big(data, 24, 8)
    else:
        scale, duration = big(data, 12, 4), big(data, 16, 4)
    return duration / scale if scale else 0.0


class _Entry(NamedTuple):
    """A sample entry: four-character code, channels, bits a sample, Hz, bit/s (0: not stated), name of the codec,
    object type indication of an elementary stream."""

    code: str
    channels: int
    bits: int
    rate: int
    bit_rate: int
    description: str
    object_type: int = 0


def _read_entry(source: Source, track: dict[bytes, Box]) -> _Entry | None:
    """The first sample entry."""
    table = source.find(track[b"minf"], b"stbl", b"stsd") if b"minf" in track else None
    box = next(iter(source.children(table, 8)), None) if table else None
    if box is None or box.length < 28:
        return None
    data = source.content(box, ENTRY)
    code = box.kind.decode("latin-1")
    channels, bits, rate = big(data, 16, 2), big(data, 18, 2), big(data, 24, 2)
    found = _Entry(code, channels, bits, rate, 0, code.upper())
    skip = {1: 44, 2: 64}.get(big(data, 8, 2), 28)  # QuickTime's longer descriptions
    inner = next(source.walk(box.start + 28, box.end), None)
    if skip > 28 and (inner is None or not inner.kind.isalnum()):
        inner = next(source.walk(box.start + skip, box.end), None)
    if inner is None:
        return found
    body = source.content(inner, ENTRY)
    if code == "mp4a" and inner.kind == b"esds":
        return _with_descriptor(found, body)
    if code == "alac" and inner.kind == b"alac" and len(body) >= 28 and not body[0] and not body[8]:
        # the sample entry often states 44100 Hz and two channels whatever the stream has
        rate, bit_rate = big(body, 24, 4), big(body, 20, 4)
        return found._replace(bits=body[9], channels=body[13], bit_rate=bit_rate, rate=rate)
    if code == "ac-3" and inner.kind == b"dac3" and len(body) >= 3:
        word = big(body, 0, 3)
        place = word >> 5 & 31
        bit_rate = _AC3_RATES[place] * 1000 if place < len(_AC3_RATES) else 0
        return found._replace(channels=_AC3_CHANNELS[word >> 11 & 7] + (word >> 10 & 1), bit_rate=bit_rate)
    return found


def _with_descriptor(entry: _Entry, data: bytes) -> _Entry:
    stream = read_descriptor(data)
    if stream is None:
        return entry
    entry = entry._replace(bit_rate=stream.bit_rate, object_type=stream.object_type)
    if stream.config is None:
        return entry._replace(description=f"{entry.code.upper()}")
    name, channels, rate = stream.config
    return entry._replace(
        description=name or f"{entry.code.upper()}.{stream.object_type:X}",
        channels=channels or entry.channels,
        rate=rate or entry.rate,
    )


# Tags


def _read_user_data(record: Record, source: Source, user: Box) -> None:
    chapters: Box | None = None
    meta: Box | None = None
    for box in source.children(user):
        if box.kind == b"meta" and meta is None:
            meta = box
        elif box.kind == b"chpl" and chapters is None:
            chapters = box
    if meta is not None:
        # a full box; QuickTime's has no version and begins with its first box
        skip = 0 if source.read(meta.start + 4, 4) == b"hdlr" else 4
        items = next((box for box in source.children(meta, skip) if box.kind == b"ilst"), None)
        if items is not None:
            _read_items(record, source, items)
    if chapters is not None:
        _read_chapters(record, source.content(chapters, CHAPTERS))


def _read_items(record: Record, source: Source, items: Box) -> None:
    native: Native = {}
    pictures: list[dict[str, Any]] = []
    whole = source.content(items, MAX_READ)
    if items.length > MAX_READ:
        record.warnings.append(f"ItemList: only the first {MAX_READ} bytes were read")
    at, end = 0, len(whole)
    while at + 8 <= end:
        size, kind = _ITEM(whole, at)
        if size < 8:  # no item has the large size, and only the last one may have 0
            size = end - at if not size else 0
        if not size:
            break
        data = whole[at + 8 : at + size]
        at += size
        if at > end and items.length > MAX_READ:
            break
        if kind == b"covr":
            pictures += _list_covers(data)
        elif kind == b"----":
            _take_free_form(native, data)
        else:
            try:
                _take_item(native, kind, data)
            except ValueError:
                continue  # not of its type: what it means cannot be told
    if pictures:
        record.put("pictures", pictures, "ItemList:covr")
    map_tags(record, RULES["mp4"], native, "ItemList")


_FLAGS = frozenset((b"cpil", b"pgap", b"pcst"))
_PAIRS = frozenset((b"trkn", b"disk"))
_NUMBERS = frozenset((
    b"plID", b"cnID", b"geID", b"atID", b"sfID", b"cmID", b"akID", b"tvsn", b"tves", b"tmpo", b"\xa9mvi", b"\xa9mvc",
    b"shwm", b"stik", b"hdvd", b"rtng",
))  # fmt: skip
# Atoms that are text also where the type says "implicit"; of others only what says that it is UTF-8 is text.
_TEXTS = frozenset((
    b"purl", b"egid", b"\xa9nam", b"\xa9alb", b"\xa9ART", b"aART", b"\xa9wrt", b"\xa9day", b"\xa9cmt", b"desc", b"purd",
    b"\xa9grp", b"\xa9gen", b"\xa9lyr", b"catg", b"keyw", b"\xa9too", b"cprt", b"soal", b"soaa", b"soar", b"sonm",
    b"soco", b"sosn", b"tvsh",
))  # fmt: skip


def _take_item(native: Native, kind: bytes, data: bytes) -> None:
    """An item's values under its name. Raises ValueError (UnicodeError among them) when one is not of the item's
    type; none of them counts then."""
    key = kind.decode("latin-1")
    values: list[Any]
    if kind in _FLAGS:
        values = [bool(_only_byte(value)) for _, _, value in _values(data)][-1:]
        if values:
            native[key] = (key, values)
        return
    if kind in _PAIRS:
        values = [_pair(value) for _, _, value in _values(data)]
    elif kind in _NUMBERS:
        values = [_number(version, form, value) for version, form, value in _values(data)]
    elif kind == b"gnre":
        key = "\xa9gen"
        values = [_genre(value) for _, _, value in _values(data)]
    else:
        if data[:4] == len(data).to_bytes(4, "big") and data[4:12] == b"data\0\0\0\1":
            values = [data[16:].decode("utf-8")]  # nearly always: one value of UTF-8
        else:
            forms = (0, 1) if kind in _TEXTS else (1,)
            values = [_text(form, forms, value) for _, form, value in _values(data)]
    if key in native:
        native[key][1].extend(values)
    else:
        native[key] = (key, values)


def _values(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(version, well-known type, value) of the data atoms in an item. Raises ValueError for anything else in it."""
    at, end = 0, len(data)
    while at < end:
        if end - at < 12:
            raise ValueError("the item is cut off")
        size, name, version = _DATA(data, at)
        if name != b"data" or size < 16 or at + size > end:
            raise ValueError("no data atom")
        yield version, data[at + 9] << 16 | data[at + 10] << 8 | data[at + 11], data[at + 16 : at + size]
        at += size


def _only_byte(value: bytes) -> int:
    if len(value) != 1:
        raise ValueError("a flag has one byte")
    return value[0]


def _pair(value: bytes) -> tuple[int, int]:
    """Two reserved bytes, number, total."""
    if len(value) < 6:
        raise ValueError("a number and its total have six bytes")
    return value[2] << 8 | value[3], value[4] << 8 | value[5]


def _number(version: int, form: int, value: bytes) -> int:
    if version or form not in (0, 21) or len(value) not in (1, 2, 3, 4, 8):
        raise ValueError("no integer")
    return int.from_bytes(value, "big", signed=True)


def _genre(value: bytes) -> str:
    """ID3v1's number plus one."""
    name = name_genre(str(big(value, 0, 2) - 1)) if len(value) == 2 and any(value) else ""
    if not name or name.isdigit():
        raise ValueError("no genre of ID3v1")
    return name


def _text(form: int, forms: tuple[int, ...], value: bytes) -> str:
    if form not in forms:
        raise ValueError("no text")
    return value.decode("utf-8")


def _take_free_form(native: Native, data: bytes) -> None:
    """mean, name, then data atoms: UTF-8 text (type 1) or bytes (type 0, which some writers use for text too)."""
    mean_end = big(data, 0, 4)
    name_end = mean_end + big(data, mean_end, 4)
    if not 12 <= mean_end <= name_end - 12 or name_end > len(data):
        return
    name = data[mean_end + 12 : name_end].decode("latin-1")
    values: list[Any] = []
    at = name_end
    while at + 8 <= len(data):
        size = big(data, at, 4)
        if data[at + 4 : at + 8] != b"data" or size < 1:
            return
        value = data[at + 16 : at + size]
        try:
            values.append(value.decode("utf-8"))
        except UnicodeDecodeError:
            values.append(show_binary(value))
        at += size
    key = f"----:{data[12:mean_end].decode('latin-1')}:{name}"
    plain = "----:" + name.rpartition(":")[2].upper()
    if plain in native and native[plain][0] == key:
        native[plain][1].extend(values)
    else:
        native[plain] = (key, values)


def _list_covers(data: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    at = 0
    while at + 12 <= len(data):
        size, name = big(data, at, 4), data[at + 4 : at + 8]
        if size < 8 or name not in (b"data", b"name"):
            return []
        if name == b"data":
            form = PICTURE_TYPES.get(big(data, at + 8, 4), "image/jpeg")
            found.append(describe_picture(data[at + 16 : at + size], 3, form))
        at += size
    return found


def _read_chapters(record: Record, data: bytes) -> None:
    """Nero's `chpl`: start in 100 ns and title of each chapter."""
    listed: list[dict[str, Any]] = []
    at = 9
    for _ in range(data[8] if len(data) > 8 else 0):
        if at + 9 > len(data):
            break
        chapter: dict[str, Any] = {"start": big(data, at, 8) / 10_000_000}
        end = at + 9 + data[at + 8]
        if title := data[at + 9 : end].decode("utf-8", "replace"):
            chapter["title"] = title
        listed.append(chapter)
        at = end
    if listed:
        record.put("chapters", listed, "UserData:chpl")
