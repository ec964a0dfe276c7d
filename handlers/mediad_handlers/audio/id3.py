"""ID3 tags (ID3v2.2.0, v2.3.0, v2.4.0, v1.1) by mutagen, frame by frame, into native keys and fields."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mediad_handlers.audio.bounds import corrupt_when_it_leaks
from mediad_handlers.audio.id3plain import PlainFrame, read_frames
from mediad_handlers.audio.pictures import describe_picture
from mediad_handlers.audio.tables import RULES
from mediad_handlers.audio.values import map_tags
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import MAX_READ

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File, Stream

Native = dict[str, tuple[str, list[Any]]]
BINARY = 64  # bytes of a binary value shown in hexadecimal; of a longer one only its length

# Comment descriptions that hold data of iTunes, not words of a person.
ITUNES_COMMENTS = ("iTunNORM", "iTunSMPB", "iTunPGAP", "iTunes_CDDB_IDs", "iTunes_CDDB_1", "iTunes_CDDB_TrackNumber")


def read_id3(record: Record, source: Stream | io.BytesIO) -> bool:
    """Reads the ID3v2 tag at the source's start into `record`; false when there is none. A tag that cannot be read is
    a warning: the stream behind it still counts."""
    from mutagen.id3 import ID3, ID3NoHeaderError

    plain = _read_plain(source)
    if plain is not None:
        version, frames = plain
        _map_frames(record, ((frame.name, frame) for frame in frames), (), f"ID3v2.{version}")
        return True
    try:
        with corrupt_when_it_leaks("ID3v2"):
            try:
                tag = ID3(_mend_size(source), translate=False, load_v1=False)
            except ID3NoHeaderError:
                return False
    except HandlerError as fault:
        if fault.code != "corrupt":
            raise
        record.warnings.append(fault.message)
        return True
    map_frames(record, tag)
    return True


def _read_plain(source: Stream | io.BytesIO) -> tuple[int, list[PlainFrame]] | None:
    """(version, frames) of a plain tag at the source's start, None of any other (audio.id3plain); the source is at its
    start again."""
    header = source.read(10)
    frames = None
    if len(header) == 10 and header[:3] == b"ID3" and header[3] in (3, 4) and not header[5] and max(header[6:]) < 0x80:
        size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        body = source.read(size) if size <= MAX_READ else b""
        if len(body) == size:
            frames = read_frames(body, header[3])
    source.seek(0)
    return None if frames is None else (header[3], frames)


def _mend_size(source: Stream | io.BytesIO) -> Stream | io.BytesIO:
    """A tag that ends after the file does (a download that broke off) gets the size that is left, so that the frames
    that did arrive are read."""
    header = source.read(10)
    left = source.seek(0, io.SEEK_END) - 10
    source.seek(0)
    if len(header) < 10 or max(header[6:]) > 0x7F:
        return source
    if header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9] <= left:
        return source
    size = min(left, MAX_READ - 10)
    source.seek(10)
    parts = bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127))
    return io.BytesIO(header[:6] + parts + source.read(size))


def map_frames(record: Record, tag: Any) -> None:
    """The frames of a mutagen ID3 tag into fields and tags."""
    _map_frames(
        record, ((_name_of(frame), frame) for frame in tag.values()), tag.unknown_frames, f"ID3v2.{tag.version[1]}"
    )


def _map_frames(record: Record, frames: Iterable[tuple[str, Any]], unknown_frames: Iterable[bytes], group: str) -> None:
    native: Native = {}
    pictures: list[dict[str, Any]] = []
    chapters: list[dict[str, Any]] = []
    for name, frame in frames:
        _take_frame(record, native, pictures, chapters, frame, name, group)
    for unknown in unknown_frames:
        record.tag(f"{group}:{bytes(unknown[:4]).decode('latin-1')}", [show_binary(bytes(unknown[10:]))])
    _settle_dates(native)
    if "TCMP" not in native and "TCP" in native:
        native["TCMP"] = native.pop("TCP")
    map_tags(record, RULES["id3"], native, group)
    record.put("pictures", pictures, f"{group}:APIC")
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


def _name_of(frame: Any) -> str:
    name = type(frame).__name__
    if len(name) == 3:
        later = type(frame).__mro__[1].__name__
        name = later if len(later) == 4 else name  # an ID3v2.2 frame: its class derives from the later one
    return name


def _take_frame(
    record: Record,
    native: Native,
    pictures: list[dict[str, Any]],
    chapters: list[dict[str, Any]],
    frame: Any,
    name: str,
    group: str,
) -> None:
    take = _FRAMES.get(name)
    if take is not None:
        take(record, native, frame, name, group)
    elif name == "APIC":
        if frame.data:
            pictures.append(describe_picture(frame.data, int(frame.type), frame.mime, frame.desc))
    elif name == "CHAP":
        chapters.append(_describe_chapter(frame))
    elif name[0] == "T" or name in ("MVNM", "MVIN", "GRP1"):
        native[name] = (name, [str(one) for one in frame.text])
    elif name[0] == "W":
        native[name] = (name, [*native.get(name, ("", []))[1], frame.url])
    elif name == "PCST":
        native[name] = (name, [str(frame.value)])
    else:
        data = getattr(frame, "data", None)
        record.tag(f"{group}:{name}", [show_binary(data) if isinstance(data, bytes) else str(frame)[:1000]])


def _take_described(record: Record, native: Native, frame: Any, name: str, group: str) -> None:
    values = [str(one) for one in frame.text] if name == "TXXX" else [frame.url]
    native[f"{name}:{frame.desc.upper()}"] = (f"{name}:{frame.desc}", values)


def _take_comment(record: Record, native: Native, frame: Any, name: str, group: str) -> None:
    texts = [str(one) for one in frame.text] if name == "COMM" else [frame.text]
    if name == "COMM" and (frame.desc in ITUNES_COMMENTS or frame.desc.startswith("iTun")):
        record.tag(f"{group}:COMM:{frame.desc}", texts)
        return
    native[name] = (name, [*native.get(name, ("", []))[1], *texts])


def _take_pairs(record: Record, native: Native, frame: Any, name: str, group: str) -> None:
    """TIPL, TMCL, IPLS: (role, person). Performers become "Name (instrument)", as the Vorbis comment has it."""
    for pair in frame.people:
        if len(pair) != 2 or not pair[1]:
            continue
        role, person = str(pair[0]), str(pair[1])
        key = f"TIPL:{role.upper()}"
        if name == "TMCL" or key not in RULES["id3"]:
            key, person = "TMCL", f"{person} ({role})" if role else person
        shown = name if key == "TMCL" else f"{name}:{role}"
        native[key] = (shown, [*native.get(key, ("", []))[1], person])


def _take_popularity(record: Record, native: Native, frame: Any, name: str, group: str) -> None:
    """POPM: 1, 64, 128, 196, 255 are one to five stars (Windows); 0 is "unknown" (ID3v2.4.0 frames section 4.17)."""
    if frame.rating:
        stars = 1 + sum(frame.rating >= bound for bound in (32, 96, 160, 224))
        record.put("rating", float(stars), f"{group}:POPM:{frame.email}")
    if getattr(frame, "count", 0):
        record.put("play_counter_file", int(frame.count), f"{group}:POPM:{frame.email}")


def _take_counter(record: Record, native: Native, frame: Any, name: str, group: str) -> None:
    record.put("play_counter_file", int(frame.count) or None, f"{group}:PCNT")


def _take_identifier(record: Record, native: Native, frame: Any, name: str, group: str) -> None:
    data = bytes(frame.data)
    shown = data.decode("ascii") if data.isascii() and data.decode("ascii").isprintable() else show_binary(data)
    native[f"UFID:{frame.owner.upper()}"] = (f"UFID:{frame.owner}", [shown])


def _take_synced_lyrics(record: Record, native: Native, frame: Any, name: str, group: str) -> None:
    """SYLT as LRC text; only absolute milliseconds (format 2) can be written so."""
    if frame.format != 2:
        record.tag(f"{group}:SYLT", ["".join(text for text, _ in frame.text)])
        return
    lines = (f"[{time // 60000:02}:{time // 1000 % 60:02}.{time % 1000 // 10:02}]{text}" for text, time in frame.text)
    native["SYLT"] = ("SYLT", ["\n".join(lines)])


def _take_volume(record: Record, native: Native, frame: Any, name: str, group: str) -> None:
    """RVA2 of the master volume (ID3v2.4.0 frames section 4.11)."""
    if frame.channel == 1:
        record.put("volume_adjustment", float(frame.gain), f"{group}:RVA2:{frame.desc}")
    else:
        record.tag(f"{group}:RVA2:{frame.desc}", [f"{frame.gain:+.4f} dB"])


def _take_private(record: Record, native: Native, frame: Any, name: str, group: str) -> None:
    record.tag(f"{group}:PRIV:{frame.owner}", [show_binary(bytes(frame.data))])


_FRAMES = {
    "TXXX": _take_described, "WXXX": _take_described, "COMM": _take_comment, "USLT": _take_comment,
    "TIPL": _take_pairs, "TMCL": _take_pairs, "IPLS": _take_pairs, "POPM": _take_popularity, "PCNT": _take_counter,
    "UFID": _take_identifier, "SYLT": _take_synced_lyrics, "RVA2": _take_volume, "PRIV": _take_private,
}  # fmt: skip


def _describe_chapter(frame: Any) -> dict[str, Any]:
    """ID3v2 Chapter Frame Addendum 1.0 section 3.1: times in milliseconds."""
    titles = [str(one) for sub in frame.sub_frames.values() if type(sub).__name__ == "TIT2" for one in sub.text]
    chapter: dict[str, Any] = {"start": frame.start_time / 1000, "end": frame.end_time / 1000}
    if titles and titles[0]:
        chapter["title"] = titles[0]
    return chapter
