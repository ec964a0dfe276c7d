"""Formats of a short header: MIDI, Sun AU, RealAudio.

Sources: Standard MIDI Files 1.0 (chunks, variable-length numbers, running status, meta events; tempo: 0x51, default
500,000 us a quarter note; SMPTE division: section 2.1); Sun/NeXT audio header (encodings:
<multimedia/audio_filehdr.h>); RealAudio 1.0 and 2.0 headers as the MultimediaWiki's RealMedia page gives them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mediad_handlers.audio import facts
from mediad_handlers.kit.api import HandlerError, Record

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

MIDI_BYTES = 4 * 1024 * 1024  # read of a MIDI file; the longest that people made are under 1 MiB
EVENTS = 200_000  # of a MIDI file: some 0.2 s
_DEFAULT_TEMPO = 500_000  # us a quarter note
_AU_CODECS = {  # encoding: codec, lossless, bits of a sample
    1: ("pcm_mulaw", False, 8), 2: ("pcm", True, 8), 3: ("pcm", True, 16), 4: ("pcm", True, 24), 5: ("pcm", True, 32),
    6: ("pcm_float", True, 32), 7: ("pcm_float", True, 64), 27: ("pcm_alaw", False, 8),
}  # fmt: skip
_UNKNOWN_SIZE = 0xFFFFFFFF  # of an AU file that was written to a pipe


class _Song:
    """What the tracks say: tempo changes (tick, us), the end in ticks, texts."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.tempos: list[tuple[int, int]] = []
        self.events = 0

    def read_track(self, data: bytes, number: int) -> int:
        """The length of a track in ticks. Raises HandlerError `limit` beyond EVENTS, `corrupt` for a running status
        without a status; a track that is cut off ends where it is cut."""
        at = tick = status = 0
        size = len(data)
        while at < size:
            self.events += 1
            if self.events > EVENTS:
                raise HandlerError("limit", f"more than {EVENTS} events")
            wait, at = _number(data, at)
            tick += wait
            if at >= size:
                return tick
            if data[at] & 0x80:
                status = data[at]
                at += 1
            elif not status:
                raise HandlerError("corrupt", "data without a status")
            if status == 0xFF:
                kind = data[at] if at < size else 0x2F
                length, at = _number(data, at + 1)
                self._read_meta(kind, data[at : at + length], tick, number)
                at += length
                status = 0
                if kind == 0x2F:
                    return tick
            elif status in (0xF0, 0xF7):
                length, at = _number(data, at)
                at += length
                status = 0
            else:
                at += 1 if 0xC0 <= status < 0xE0 else 2
        return tick

    def _read_meta(self, kind: int, body: bytes, tick: int, number: int) -> None:
        if kind == 0x51 and len(body) == 3:
            self.tempos.append((tick, int.from_bytes(body, "big") or _DEFAULT_TEMPO))
        elif kind == 2:
            self.record.put("copyright", _clean(body), "MIDI:Copyright")
        elif kind == 3 and number == 0:  # the first track's name is the sequence's
            self.record.put("title", _clean(body), "MIDI:Title")
        elif kind in (1, 3, 4, 5) and len(self.record.tags) < 50:
            name = {1: "Text", 3: "TrackName", 4: "Instrument", 5: "Lyric"}[kind]
            if len(self.record.tags.get(f"MIDI:{name}", ())) < 500:
                self.record.tag(f"MIDI:{name}", [_clean(body)])


def _number(data: bytes, at: int) -> tuple[int, int]:
    """(a variable-length number of at most four bytes, the place behind it)."""
    value = 0
    for place in range(at, min(at + 4, len(data))):
        value = value << 7 | data[place] & 0x7F
        if not data[place] & 0x80:
            return value, place + 1
    return value, at + 4


def read_midi(record: Record, file: File) -> None:
    """Title, copyright, texts and duration. Raises HandlerError `corrupt` when there is no header."""
    data = file.read(0, min(file.size, MIDI_BYTES))
    length = int.from_bytes(data[4:8], "big")
    layout, division = int.from_bytes(data[8:10], "big"), int.from_bytes(data[12:14], "big")
    if data[:4] != b"MThd" or len(data) < 14 or length < 6 or not division:
        raise HandlerError("corrupt", "MIDI: no header")
    record.put("codec", "midi", "MIDI:Header")
    song = _Song(record)
    at, end, number = 8 + length, 0, 0
    try:
        while data[at : at + 4] == b"MTrk":
            size = int.from_bytes(data[at + 4 : at + 8], "big")
            ticks = song.read_track(data[at + 8 : at + 8 + size], number)
            end = end + ticks if layout == 2 else max(end, ticks)
            at += 8 + size
            number += 1
    except HandlerError as fault:
        record.warnings.append(f"MIDI: {fault.message}; the duration was left out")
        return
    if layout != 2:  # the patterns of format 2 are independent: no common time
        record.put("duration", round(_measure(end, division, song.tempos), 6) or None, "MIDI:Tracks")


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
    head = file.head[:24]
    start, size, encoding, rate, channels = (int.from_bytes(head[at : at + 4], "big") for at in range(4, 24, 4))
    if len(head) < 24 or not rate or not channels or start < 24:
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
    head = file.head[:4096]
    version = int.from_bytes(head[4:6], "big")
    if len(head) < 24:
        raise HandlerError("corrupt", "RealAudio: the header is cut off")
    if version == 3:
        at = 8 + int.from_bytes(head[6:8], "big")
        texts, at = _texts(head, 22)
        codec = "lpcj"
        if head[at + 1 : at + 2] == b"\4":
            codec = _clean(head[at + 2 : at + 6]).lower()
    elif version == 4:
        record.put("sample_rate", int.from_bytes(head[48:50], "big") or None, "Real:RA4")
        record.put("channels", int.from_bytes(head[54:56], "big") or None, "Real:RA4")
        at = 56
        at += 1 + (head[at] if at < len(head) else 0)  # the interleaver's code
        codec = _clean(head[at + 1 : at + 1 + (head[at] if at < len(head) else 0)]).lower()
        texts, at = _texts(head, at + 1 + (head[at] if at < len(head) else 0) + 3)
    else:
        raise HandlerError("unsupported", f"RealAudio {version}")
    record.put("codec", codec, "Real:FourCC")
    for name, text in zip(("title", "artists", "copyright", "comments"), texts, strict=True):
        if text:
            source = {"artists": "Author", "comments": "Comment"}.get(name, name.title())
            record.put(name, [text] if name in ("artists", "comments") else text, f"Real:{source}")


def _texts(data: bytes, at: int) -> tuple[list[str], int]:
    """Four texts, each behind its length in a byte: title, author, copyright, comment."""
    found = []
    for _ in range(4):
        length = data[at] if at < len(data) else 0
        found.append(_clean(data[at + 1 : at + 1 + length]))
        at += 1 + length
    return found, at


def _clean(text: bytes) -> str:
    return text.decode("latin-1").strip("\0 \r\n\t")
