"""M4A, M4B: iTunes item list atoms, Nero chapters, stream facts, by mutagen.

Sources: ISO 14496-12 and -14; QuickTime File Format, "Metadata"; iTunes Metadata Format Specification as in the atoms'
names. The payload is the whole file (`whole/1`): `isobmff-tracks/1` will be another algorithm beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mediad_handlers.audio import facts
from mediad_handlers.audio.bounds import corrupt_when_it_leaks
from mediad_handlers.audio.id3 import show_binary
from mediad_handlers.audio.pictures import describe_picture
from mediad_handlers.audio.tables import RULES
from mediad_handlers.audio.values import map_tags
from mediad_handlers.kit.api import Record

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

LOSSLESS = ("alac", "flac", "raw", "sowt", "twos", "lpcm")
PICTURE_TYPES = {13: "image/jpeg", 14: "image/png", 12: "image/gif", 27: "image/bmp"}  # QuickTime well-known types


def read_mp4(record: Record, file: File) -> None:
    from mutagen.mp4 import MP4

    with corrupt_when_it_leaks("MP4"):
        song = MP4(file.stream())
        if song.tags is not None:
            _map_atoms(record, song.tags)
        _put_chapters(record, song)
        info = song.info
        codec = (info.codec or "").partition(".")[0].lower()
        named = {"mp4a": "aac", "drms": "aac", "ac-3": "ac3", "ec-3": "eac3"}.get(codec, codec)
        if info.codec in ("mp4a.6B", "mp4a.69"):
            named = "mp3"
        if codec:
            facts.put_codec(record, named, codec in LOSSLESS, "MP4:stsd")
            record.put("protected", True if codec in ("drms", "enca") else None, "MP4:stsd")
        if info.codec_description and info.codec_description.lower() != named:
            record.put("codec_profile", info.codec_description, "MP4:esds")
        bits = info.bits_per_sample
        info.bits_per_sample = bits if codec in LOSSLESS else 0  # the sample entry says 16 for AAC, which has none
        facts.put_stream(record, info, "MP4:stsd")


def _map_atoms(record: Record, tags: Any) -> None:
    native: dict[str, tuple[str, list[Any]]] = {}
    for key, value in tags.items():
        if key == "covr":
            pictures = [
                describe_picture(bytes(one), 3, PICTURE_TYPES.get(getattr(one, "imageformat", 0), "")) for one in value
            ]
            record.put("pictures", pictures, "ItemList:covr")
            continue
        values = value if isinstance(value, list) else [value]
        if key.startswith("----:"):
            native["----:" + key.rpartition(":")[2].upper()] = (key, [_read_free_form(one) for one in values])
        else:
            native[key] = (key, [show_binary(one) if isinstance(one, bytes) else one for one in values])
    map_tags(record, RULES["mp4"], native, "ItemList")


def _read_free_form(value: Any) -> str:
    """A free-form value: UTF-8 text (type 1) or binary (type 0, which some writers use for text too)."""
    data = bytes(value)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return show_binary(data)


def _put_chapters(record: Record, song: Any) -> None:
    """Nero `chpl` chapters: start times and titles."""
    chapters = getattr(song, "chapters", None)
    if chapters:
        listed = []
        for one in chapters:
            chapter: dict[str, Any] = {"start": float(one.start)}
            if one.title:
                chapter["title"] = one.title
            listed.append(chapter)
        record.put("chapters", listed, "UserData:chpl")
