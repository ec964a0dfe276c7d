"""MP3 (and layers I and II): ID3v2, ID3v1 and APEv2 tags, the frames' facts, payload `mp3-frames/1`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediad_handlers.audio.ape import read_ape_tag
from mediad_handlers.audio.frames import ALGORITHM, find_frames
from mediad_handlers.audio.id3 import read_id3, read_id3v1
from mediad_handlers.kit.api import HandlerError, Payload, Record

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

TRAILER = 1024 * 1024  # bytes of trailing tags that are read
_LAYERS = {1: "mp1", 2: "mp2", 3: "mp3"}


def read_mpeg(record: Record, file: File) -> None:
    """Raises HandlerError `corrupt` when the file has neither tags nor frames; tags without frames (a download that
    broke off) are a record with a warning."""
    tagged = file.head.startswith(b"ID3") and read_id3(record, file)
    frames = find_frames(file)
    end = frames.end if frames else 0
    if end != file.size:
        tail = file.tail(160)
        if b"APETAGEX" in tail or (frames is not None and file.read(max(end, 0), 8) == b"APETAGEX"):
            tagged = read_ape_tag(record, file) or tagged
        if frames is not None:
            rest = file.read(end, min(file.size - end, TRAILER))
            if (place := rest.find(b"ID3")) >= 0:
                tagged = read_id3(record, file, end + place, len(rest) - place) or tagged
        tagged = read_id3v1(record, file) or tagged
    if frames is None:
        if not tagged or not record.fields:
            raise HandlerError("corrupt", "no MPEG audio frame and no tag")
        record.warnings.append("no MPEG audio frame behind the tags")
        record.put("codec", "mp3", "extension")
        return
    frame = frames.frame
    source = "MPEG:frame"
    stated = "MPEG:Xing" if frames.count else source
    for field, value, said_by in (
        ("codec", _LAYERS[frame.layer], source),
        ("lossless", False, source),
        ("codec_profile", frame.profile, source),
        ("sample_rate", frame.sample_rate, source),
        ("channels", frame.channels, source),
        ("duration", round(frames.duration, 6) or None, stated),
        ("bit_rate", frames.bit_rate or None, stated),
        ("bit_rate_mode", frames.mode or None, "MPEG:Xing"),
    ):
        record.put(field, value, said_by)
    said = {"encoder_settings", "encoded_by"} & record.fields.keys()
    encoder = frames.encoder or ("" if said else _find_encoder(file.head))
    if not (encoder.startswith("Lav") and "encoder_settings" in record.fields):  # TSSE says more than nine letters
        record.put("encoder", encoder or None, "MPEG:LAME")
    record.payload = Payload(ALGORITHM, ((frames.start, frames.end - frames.start),))


_ENCODER = re.compile(rb"LAME3\.\d{2,3}(?:\.\d)?(?: ?\((?:alpha|beta)[^)]{0,8}\))?")


def _find_encoder(head: bytes) -> str:
    """The name that LAME leaves in the padding of its frames, whether there is an information frame or not."""
    place = head.find(b"LAME3.")
    found = _ENCODER.search(head, place) if place >= 0 else None
    return found[0].decode("ascii") if found else ""
