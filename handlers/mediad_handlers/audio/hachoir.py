"""MIDI, AU and RealAudio by hachoir's parsers (readers.hachoir says under which limits).

Sources: Standard MIDI Files 1.0 (tempo: meta event 0x51, default 500,000 µs a quarter note; SMPTE division: section
2.1); Sun/NeXT audio header (encodings: `<multimedia/audio_filehdr.h>`); RealAudio 1.0 and 2.0 headers.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from mediad_handlers.audio import facts
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.hachoir import FIELDS, iterate, open_fields, value

_DEFAULT_TEMPO = 500_000  # µs a quarter note
_AU_CODECS = {  # encoding: codec, lossless, bits of a sample
    1: ("pcm_mulaw", False, 8), 2: ("pcm", True, 8), 3: ("pcm", True, 16), 4: ("pcm", True, 24), 5: ("pcm", True, 32),
    6: ("pcm_float", True, 32), 7: ("pcm_float", True, 64), 27: ("pcm_alaw", False, 8),
}  # fmt: skip
_UNKNOWN_SIZE = 0xFFFFFFFF  # of an AU file that was written to a pipe


def read_midi(record: Record, file: File) -> None:
    """Title, copyright and duration; no duration when there are more than FIELDS events (each costs hachoir some
    50 µs on a desktop processor). Raises HandlerError `corrupt` when there is no header."""
    root = open_fields(file, "midi")
    division = value(root, "header/delta_time")
    layout = value(root, "header/file_format")
    if value(root, "signature") != "MThd" or not division or layout is None:
        raise HandlerError("corrupt", "MIDI: no header")
    record.put("codec", "midi", "MIDI:Header")
    end = events = 0
    tempos: list[tuple[int, int]] = []
    try:
        for track in iterate(root):
            if not track.name.startswith("track["):
                continue
            if value(track, "marker") != "MTrk":
                break  # what follows the tracks is no part of the music
            length, events = _read_track(record, track, tempos, events)
            end = end + length if layout == 2 else max(end, length)
    except HandlerError as fault:
        record.warnings.append(f"MIDI: {fault.message}; the duration was left out")
        return
    if layout != 2:  # the patterns of format 2 are independent: no common time
        record.put("duration", round(_measure(end, division, tempos), 6) or None, "MIDI:Tracks")


def _read_track(record: Record, track: Any, tempos: list[tuple[int, int]], events: int) -> tuple[int, int]:
    """(length of a track in ticks, events so far); keeps its tempo changes as (tick, µs a quarter note)."""
    at = 0
    for command in iterate(track):
        if not command.name.startswith("command["):
            continue
        events += 1
        if events > FIELDS:
            raise HandlerError("limit", f"more than {FIELDS} events")
        at += value(command, "time")
        meta = value(command, "meta_command")
        if meta == 0x51:
            tempos.append((at, value(command, "microsec_quarter") or _DEFAULT_TEMPO))
        elif meta in (2, 3) and "text" in command and at == 0:
            name = "copyright" if meta == 2 else "title"
            if meta == 2 or track.name == "track[0]":  # the first track's name is the sequence's
                record.put(name, _clean(value(command, "text")), f"MIDI:{name.title()}")
    return at, events


def _measure(end: int, division: int, tempos: list[tuple[int, int]]) -> float:
    """Seconds of `end` ticks."""
    if division & 0x8000:
        frames, ticks = 256 - (division >> 8), division & 255
        return end / ((29.97 if frames == 29 else frames) * ticks) if ticks else 0.0
    changes = [(0, _DEFAULT_TEMPO), *sorted(tempos, key=lambda change: change[0]), (end, 0)]
    total = sum((min(after, end) - min(at, end)) * tempo for (at, tempo), (after, _) in pairwise(changes))
    return total / division / 1e6


def read_au(record: Record, file: File) -> None:
    """Raises HandlerError `corrupt` for a short header or one without rate and channels."""
    root = open_fields(file, "au")
    start, size, encoding, rate, channels = (
        value(root, name) for name in ("data_ofs", "data_size", "codec", "sample_rate", "channels")
    )
    if not rate or not channels or not start or start < 24:
        raise HandlerError("corrupt", "AU: no usable header")
    source = "AU:Header"
    record.put("sample_rate", rate, source)
    record.put("channels", channels, source)
    codec, lossless, bits = _AU_CODECS.get(encoding, (None, None, None))
    if codec is None or bits is None:
        record.warnings.append(f"AU: encoding {encoding} is not known")
        return
    facts.put_codec(record, codec, lossless, source)
    record.put("bits_per_sample", bits if lossless else None, source)
    record.put("bit_rate", rate * channels * bits, source)
    record.put("bit_rate_mode", "cbr", source)
    left = max(file.size - start, 0)
    samples = (left if size == _UNKNOWN_SIZE else min(size, left)) // (channels * bits // 8)
    record.put("sample_count", samples or None, source)
    record.put("duration", round(samples / rate, 6) or None, source)


def read_ra(record: Record, file: File) -> None:
    """Raises HandlerError `corrupt` for a short header, `unsupported` for another version than 3 and 4."""
    root = open_fields(file, "ra")
    version = value(root, "version")
    if version not in (3, 4):
        raise HandlerError("unsupported", f"RealAudio {version}")
    if version == 4:
        for name in ("sample_rate", "channels"):
            record.put(name, value(root, name) or None, "Real:RA4")
    record.put("codec", _clean(value(root, "FourCC")).lower(), "Real:FourCC")
    for field, name in (("title", "title"), ("artists", "author"), ("copyright", "copyright"), ("comments", "comment")):
        text = _clean(value(root, f"metadata/{name}"))
        if text:
            record.put(field, [text] if field.endswith("s") else text, f"Real:{name.title()}")


def _clean(text: Any) -> str:
    return str(text or "").strip("\0 \r\n\t")
