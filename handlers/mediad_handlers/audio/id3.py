"""ID3 tags (ID3v2.2.0, v2.3.0, v2.4.0, v1.1) into native keys and fields; their frames: audio.id3frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mediad_handlers.audio.id3frames import FRAMES, Form, Tag, read_tag
from mediad_handlers.audio.pictures import describe_picture
from mediad_handlers.audio.tables import RULES
from mediad_handlers.audio.values import map_tags
from mediad_handlers.kit.api import Record
from mediad_handlers.kit.file import MAX_READ

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

Native = dict[str, tuple[str, list[Any]]]
BINARY = 64  # bytes of a binary value shown in hexadecimal; of a longer one only its length


def read_id3(record: Record, file: File, start: int = 0, room: int | None = None) -> bool:
    """Reads the ID3v2 tag at `start` into `record`; false when there is none. `room` is how many bytes it may take,
    None: to the end of the file. A tag that cannot be read is a warning: the stream behind it still counts. One that
    ends behind its room (a download that broke off) is read as far as it goes. Raises HandlerError `limit` for a tag
    of more than MAX_READ bytes, `io`."""
    header = file.read(start, 10)
    if len(header) < 10 or header[:3] != b"ID3":
        return False
    room = file.size - start if room is None else room
    version, flags = header[3], header[5]
    found: Tag | str
    if version not in (2, 3, 4):
        found = f"version 2.{version} is not known"
    elif max(header[6:]) > 0x7F:
        found = "the size is not syncsafe"
    elif flags & (0, 0, 0x7F, 0x1F, 0x0F)[version]:
        # ID3v2.2.0 section 3.1: bit 6 is compression, for which there is no scheme: such a tag is to be ignored
        found = f"unknown flags {flags:#04x}"
    else:
        size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        if size > room - 10:
            size = min(room - 10, MAX_READ - 10)
        body = file.read(start + 10, size)
        skip = _skip_extended_header(body, version) if flags & 0x40 else 0
        if skip is None:
            found = "the extended header does not fit into the tag"
        else:
            found = read_tag(body[skip:] if skip else body, Form(version, bool(flags & 0x80)))
    if isinstance(found, str):
        record.warnings.append(f"ID3v2: {found}")
    else:
        _map_tag(record, found, f"ID3v2.{version}")
    return True


def _skip_extended_header(body: bytes, version: int) -> int | None:
    """Its bytes (ID3v2.3.0 section 3.2, ID3v2.4.0 structure section 3.2); 0 when a frame stands where it should be,
    which some taggers do; None when it is broken."""
    if body[:4] in FRAMES:
        return 0
    if version == 3:
        size = 4 + int.from_bytes(body[:4], "big")
    elif len(body) < 4 or max(body[:4]) > 0x7F:
        return None
    else:
        size = body[0] << 21 | body[1] << 14 | body[2] << 7 | body[3]
    return size if 4 <= size <= len(body) else None


def _map_tag(record: Record, tag: Tag, group: str) -> None:
    native: Native = {}
    pictures: list[dict[str, Any]] = []
    chapters: list[dict[str, Any]] = []
    for name, value in tag.frames.values():
        if type(value) is list and name not in _TAKERS:
            native[name] = (name, value)
        elif name == "APIC":
            mime, kind, description, data = value
            if data:
                pictures.append(describe_picture(data, kind, mime, description))
        elif name == "CHAP":
            chapters.append(_describe_chapter(*value))
        else:
            _TAKERS.get(name, _take_other)(record, native, value, name, group)
    for name, data in tag.unknown:
        record.tag(f"{group}:{name}", [show_binary(data)])
    _settle_dates(native)
    map_tags(record, RULES["id3"], native, group)
    if pictures:
        record.put("pictures", pictures, f"{group}:APIC")
    if chapters:
        record.put("chapters", sorted(chapters, key=lambda one: one["start"]), f"{group}:CHAP")


def read_id3v1(record: Record, file: File) -> bool:
    """ID3v1 and v1.1 in the last 128 bytes; fields that a better tag has filled already stay as they are."""
    tail = file.tail(128)
    if len(tail) < 128 or tail[:3] != b"TAG":
        return False

    def text(part: bytes) -> list[Any]:
        return [part.split(b"\0")[0].decode("latin-1").rstrip()]

    comment = tail[97:127]
    native: Native = {
        "TIT2": ("Title", text(tail[3:33])),
        "TPE1": ("Artist", text(tail[33:63])),
        "TALB": ("Album", text(tail[63:93])),
        "TYER": ("Year", text(tail[93:97])),
    }
    if comment[28] == 0 and comment[29]:  # ID3v1.1: a track number in the comment's last byte
        native["TRCK"] = ("Track", [str(comment[29])])
        comment = comment[:28]
    native["COMM"] = ("Comment", text(comment))
    if tail[127] != 0xFF and not (tail[127] == 0 and record.fields):  # 0 is Blues, and what careless taggers leave
        native["TCON"] = ("Genre", [str(tail[127])])
    kept = {key: value for key, value in native.items() if value[1][0]}
    fresh = Record(record.kind, record.format, record.mime_type)
    map_tags(fresh, RULES["id3"], kept, "ID3v1")
    for name, value in fresh.fields.items():
        record.put(name, value, fresh.sources[name])
    return True


def show_binary(data: bytes) -> str:
    """A binary value as text: hexadecimal when short, else its length."""
    return data.hex() if len(data) <= BINARY else f"{len(data)} bytes"


def _settle_dates(native: Native) -> None:
    """ID3v2.3 keeps the day (TDAT, DDMM) beside the year; with a release time (TDRL) the recording time (TDRC) is just
    that (ID3v2.4.0 frames section 4.2.5)."""
    if "TYER" in native and "TDAT" in native:
        day = str(native["TDAT"][1][0]) if native["TDAT"][1] else ""
        if len(day) == 4 and day.isdigit():
            year = str(native["TYER"][1][0]) if native["TYER"][1] else ""
            native["TYER"] = ("TYER", [f"{year}-{day[2:]}-{day[:2]}"])
            del native["TDAT"]
    if "TDRL" in native and "TDRC" in native:
        native["TDRC:RECORDED"] = native.pop("TDRC")


def _take_other(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    if name[0] == "W":
        native[name] = (name, [*native.get(name, ("", []))[1], value])
    elif name == "PCST":
        native[name] = (name, [str(value)])
    else:
        record.tag(f"{group}:{name}", [show_binary(value) if type(value) is bytes else value])


def _take_described(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    description, values = value
    native[f"{name}:{description.upper()}"] = (f"{name}:{description}", values)


def _take_comment(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    description, texts = value
    if name == "COMM" and description.startswith("iTun"):
        record.tag(f"{group}:COMM:{description}", texts)  # data of iTunes, not words of a person
        return
    native[name] = (name, [*native.get(name, ("", []))[1], *texts])


def _take_pairs(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    """TIPL, TMCL, IPLS: (role, person). Performers become "Name (instrument)", as the Vorbis comment has it."""
    for role, person in value:
        if not person:
            continue
        key = f"TIPL:{role.upper()}"
        if name == "TMCL" or key not in RULES["id3"]:
            key, person = "TMCL", f"{person} ({role})" if role else person
        shown = name if key == "TMCL" else f"{name}:{role}"
        native[key] = (shown, [*native.get(key, ("", []))[1], person])


def _take_popularity(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    """POPM: 1, 64, 128, 196, 255 are one to five stars (Windows); 0 is "unknown" (ID3v2.4.0 frames section 4.17)."""
    email, rating, count = value
    if rating:
        stars = 1 + sum(rating >= bound for bound in (32, 96, 160, 224))
        record.put("rating", float(stars), f"{group}:POPM:{email}")
    if count:
        record.put("play_counter_file", count, f"{group}:POPM:{email}")


def _take_counter(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    record.put("play_counter_file", value or None, f"{group}:PCNT")


def _take_identifier(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    owner, data = value
    shown = data.decode("ascii") if data.isascii() and data.decode("ascii").isprintable() else show_binary(data)
    native[f"UFID:{owner.upper()}"] = (f"UFID:{owner}", [shown])


def _take_synced_lyrics(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    """SYLT as LRC text; only absolute milliseconds (format 2) can be written so."""
    form, texts = value
    if form != 2:
        record.tag(f"{group}:SYLT", ["".join(text for text, _ in texts)])
        return
    lines = (f"[{time // 60000:02}:{time // 1000 % 60:02}.{time % 1000 // 10:02}]{text}" for text, time in texts)
    native["SYLT"] = ("SYLT", ["\n".join(lines)])


def _take_volume(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    """RVA2 of the master volume (ID3v2.4.0 frames section 4.11)."""
    description, channel, gain = value
    if channel == 1:
        record.put("volume_adjustment", gain, f"{group}:RVA2:{description}")
    else:
        record.tag(f"{group}:RVA2:{description}", [f"{gain:+.4f} dB"])


def _take_private(record: Record, native: Native, value: Any, name: str, group: str) -> None:
    owner, data = value
    record.tag(f"{group}:PRIV:{owner}", [show_binary(data)])


_TAKERS: dict[str, Callable[[Record, Native, Any, str, str], None]] = {
    "TXXX": _take_described, "WXXX": _take_described, "COMM": _take_comment, "USLT": _take_comment,
    "TIPL": _take_pairs, "TMCL": _take_pairs, "IPLS": _take_pairs, "POPM": _take_popularity, "PCNT": _take_counter,
    "UFID": _take_identifier, "SYLT": _take_synced_lyrics, "RVA2": _take_volume, "PRIV": _take_private,
}  # fmt: skip


def _describe_chapter(start: int, end: int, tag: Tag) -> dict[str, Any]:
    """ID3v2 Chapter Frame Addendum 1.0 section 3.1: times in milliseconds."""
    chapter: dict[str, Any] = {"start": start / 1000, "end": end / 1000}
    titles = tag.frames["TIT2"][1] if "TIT2" in tag.frames else []
    if titles and titles[0]:
        chapter["title"] = titles[0]
    return chapter
