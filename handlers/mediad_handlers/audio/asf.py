"""WMA: the ASF header's attributes and stream facts, by mutagen.

Source: Advanced Systems Format 1.20.3, sections 3.2 (play duration includes the preroll), 3.10, 3.11, 4.7, 4.8.
Payload: the whole file (`whole/1`).
"""

from __future__ import annotations

import struct
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


def read_asf(record: Record, file: File) -> None:
    from mutagen.asf import ASF

    with corrupt_when_it_leaks("ASF"):
        song = ASF(file.stream())
        info = song.info
        codec_name = f"{info.codec_type} {info.codec_name}".strip()
        lossless = "lossless" in codec_name.lower()
        voice = "voice" in codec_name.lower()
        facts.put_codec(record, "wmavoice" if voice else "wma", lossless, "ASF:codec list")
        record.put("codec_profile", codec_name or None, "ASF:codec list")
        record.put("encoder_settings", info.codec_description or None, "ASF:codec list")
        facts.put_stream(record, info, "ASF:file properties")
        native: dict[str, tuple[str, list[Any]]] = {}
        pictures: list[dict[str, Any]] = []
        for key, value in song.tags:
            if key == "WM/Picture":
                _take_picture(record, pictures, bytes(value))
            elif key == "WM/Track" and "WM/TRACKNUMBER" not in native:
                # WM/Track counts from 0 (Windows Media Format SDK)
                native["WM/TRACKNUMBER"] = (key, [int(value) + 1 if str(value).isdigit() else str(value)])
            else:
                shown = show_binary(bytes(value)) if type(value).__name__ == "ASFByteArrayAttribute" else value.value
                native.setdefault(key.upper(), (key, []))[1].append(shown)
    map_tags(record, RULES["asf"], native, "ASF")
    record.put("pictures", pictures, "ASF:WM/Picture")


def _take_picture(record: Record, pictures: list[dict[str, Any]], data: bytes) -> None:
    """WM_PICTURE: type (1 byte), length (4), MIME type and description in UTF-16LE with NUL, then the picture."""
    if len(data) < 9:
        record.warnings.append("ASF:WM/Picture: too short")
        return
    kind, size = struct.unpack_from("<BL", data)
    position = 5
    texts = []
    for _ in range(2):
        end = position
        while end + 1 < len(data) and data[end : end + 2] != b"\0\0":
            end += 2
        texts.append(data[position:end].decode("utf-16-le", "replace"))
        position = end + 2
    pictures.append(describe_picture(data[position : position + size], kind, texts[0], texts[1]))
