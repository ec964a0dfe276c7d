"""WAV and AIFF: a walk over their chunks.

Sources: Microsoft RIFF 1991 and WAVEFORMATEXTENSIBLE; EBU Tech 3285 (bext), 3306 (RF64); AIFF 1.3 and AIFF-C (draft
8/26/91); ID3 in a chunk `id3 ` or `ID3 `. Payload: the whole file (`whole/1`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mediad_handlers.audio import facts
from mediad_handlers.audio.id3 import read_id3
from mediad_handlers.audio.tables import RULES
from mediad_handlers.audio.values import map_tags, read_date
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import MAX_READ

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

CHUNKS = 4096  # of one file
INFO_BYTES = 1024 * 1024  # of a LIST-INFO or bext chunk

# WAVE format tags (mmreg.h): codec, lossless.
WAVE_CODECS = {
    1: ("pcm", True), 2: ("adpcm_ms", False), 3: ("pcm_float", True), 6: ("pcm_alaw", False), 7: ("pcm_mulaw", False),
    0x11: ("adpcm_ima", False), 0x31: ("gsm", False), 0x50: ("mp2", False), 0x55: ("mp3", False),
    0x92: ("ac3", False), 0xFF: ("aac", False), 0x161: ("wma", False), 0x2000: ("ac3", False), 0xF1AC: ("flac", True),
}  # fmt: skip
AIFC_CODECS = {
    b"NONE": ("pcm", True), b"sowt": ("pcm", True), b"twos": ("pcm", True), b"in24": ("pcm", True),
    b"in32": ("pcm", True), b"raw ": ("pcm", True), b"fl32": ("pcm_float", True), b"FL32": ("pcm_float", True),
    b"fl64": ("pcm_float", True), b"FL64": ("pcm_float", True), b"alaw": ("pcm_alaw", False),
    b"ALAW": ("pcm_alaw", False), b"ulaw": ("pcm_mulaw", False), b"ULAW": ("pcm_mulaw", False),
    b"ima4": ("adpcm_ima", False), b"GSM ": ("gsm", False), b".mp3": ("mp3", False),
}  # fmt: skip
AIFF_TEXTS = {b"NAME": "TIT2", b"AUTH": "TPE1", b"(c) ": "TCOP", b"ANNO": "COMM"}  # AIFF 1.3: text chunks


def read_wav(record: Record, file: File) -> None:
    """Raises HandlerError `corrupt` when there is no format chunk."""
    wave: dict[str, int] = {}
    late: list[tuple[bytes, int, int]] = []
    for name, start, size in _walk(file, "little"):
        if name == b"fmt " and not wave:
            wave = _read_wave_format(file.read(start, min(size, 40)))
        elif name == b"data":
            wave.setdefault("data", min(size, file.size - start))
        elif name == b"fact" and size >= 4:
            wave.setdefault("samples", int.from_bytes(file.read(start, 4), "little"))
        elif name in (b"LIST", b"bext", b"id3 ", b"ID3 "):
            late.append((name, start, size))
    if not wave.get("rate") or not wave.get("channels"):
        raise HandlerError("corrupt", "WAV: no format chunk")
    for name, start, size in sorted(late, key=lambda one: (b"id3 ", b"ID3 ", b"LIST", b"bext").index(one[0])):
        if name in (b"id3 ", b"ID3 "):
            read_id3(record, file, start, min(size, MAX_READ, file.size - start))
        elif name == b"LIST":
            _read_info_list(record, file.read(start, min(size, INFO_BYTES)))
        else:
            _read_broadcast(record, file.read(start, min(size, INFO_BYTES)))
    _put_wave_facts(record, wave)


def read_aiff(record: Record, file: File) -> None:
    """Raises HandlerError `corrupt` when there is no common chunk."""
    found = False
    texts: dict[str, tuple[str, list[Any]]] = {}
    for name, start, size in _walk(file, "big"):
        if name == b"COMM" and size >= 18:
            _read_common(record, file.read(start, min(size, 22)))
            found = True
        elif name == b"SSND" and found:
            facts.put_average(record, min(size, file.size - start), "AIFF:SSND")
        elif name in (b"ID3 ", b"id3 "):
            read_id3(record, file, start, min(size, MAX_READ, file.size - start))
        elif name in AIFF_TEXTS:
            text = _decode(file.read(start, min(size, 65536)))
            shown = name.decode("ascii").strip()
            texts.setdefault(AIFF_TEXTS[name], (shown, []))[1].append(text)
    if not found:
        raise HandlerError("corrupt", "AIFF: no common chunk")
    map_tags(record, RULES["id3"], {key: value for key, value in texts.items() if value[1][0]}, "AIFF")
    record.put("bit_rate_mode", "cbr", "AIFF:COMM")


def _walk(file: File, order: Any) -> Iterator[tuple[bytes, int, int]]:
    """(name, start of the data, stated size) of the chunks behind the form header. In RF64 the size of `data` is in
    the ds64 chunk; a size beyond the file is what a broken recording leaves: the walk ends with it."""
    position = 12
    data_size = 0
    for _ in range(CHUNKS):
        header = file.read(position, 8)
        if len(header) < 8:
            return
        name, size = header[:4], int.from_bytes(header[4:], order)
        if name == b"ds64":
            data_size = int.from_bytes(file.read(position + 16, 8), "little")
        elif name == b"data" and size == 0xFFFFFFFF:
            size = data_size or file.size - position - 8
        yield name, position + 8, size
        position += 8 + size + (size & 1)


def _read_wave_format(data: bytes) -> dict[str, int]:
    if len(data) < 14:
        return {}
    tag, channels, rate, bytes_a_second, block = struct.unpack_from("<HHIIH", data)
    bits = int.from_bytes(data[14:16], "little")
    if tag == 0xFFFE and len(data) >= 26:
        tag = int.from_bytes(data[24:26], "little")  # WAVEFORMATEXTENSIBLE: the sub-format's first two bytes
    return {"tag": tag, "channels": channels, "rate": rate, "bytes": bytes_a_second, "block": block, "bits": bits}


def _put_wave_facts(record: Record, wave: dict[str, int]) -> None:
    source = "RIFF:fmt"
    codec, lossless = WAVE_CODECS.get(wave["tag"], (f"wave_{wave['tag']:04x}", None))
    facts.put_codec(record, codec, lossless, source)
    record.put("sample_rate", wave["rate"], source)
    record.put("channels", wave["channels"], source)
    record.put("bit_rate", wave["bytes"] * 8 or None, source)
    data = wave.get("data", 0)
    if lossless and wave["block"]:
        record.put("bits_per_sample", wave["bits"] or None, source)
        record.put("sample_count", data // wave["block"], "RIFF:data")
        record.put("duration", round(data // wave["block"] / wave["rate"], 6) or None, "RIFF:data")
        record.put("bit_rate_mode", "cbr", source)
    elif wave.get("samples") and (wave["tag"] != 0x55 or not wave["bytes"]):
        record.put("duration", round(wave["samples"] / wave["rate"], 6), "RIFF:fact")
    elif wave["bytes"]:
        record.put("duration", round(data / wave["bytes"], 6) or None, "RIFF:data")


def _read_info_list(record: Record, data: bytes) -> None:
    if data[:4] != b"INFO":
        return
    native: dict[str, tuple[str, list[Any]]] = {}
    position = 4
    while position + 8 <= len(data):
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        text = _decode(data[position + 8 : position + 8 + size])
        if text:
            key = name.decode("latin-1").upper()
            native.setdefault(key, (name.decode("latin-1"), []))[1].append(text)
        position += 8 + size + (size & 1)
    map_tags(record, RULES["info"], native, "RIFF")


def _read_broadcast(record: Record, data: bytes) -> None:
    """EBU Tech 3285 section 2.3: fixed texts, the time reference in samples, the UMID, the coding history."""
    if len(data) < 602:
        return
    group = "RIFF:bext"
    record.put("description", _decode(data[:256]) or None, group)
    record.put("originator", _decode(data[256:288]) or None, group)
    record.tag(f"{group}:OriginatorReference", [_decode(data[288:320])])
    record.put("date_recorded", read_date(_decode(data[320:330])), group)
    record.put("time_reference", int.from_bytes(data[338:346], "little") & (1 << 63) - 1 or None, group)
    umid = data[348:412]
    record.put("bwf_umid", umid.hex() if any(umid) else None, group)
    record.put("coding_history", _decode(data[602:]) or None, group)


def _read_common(record: Record, data: bytes) -> None:
    if len(data) < 18:
        record.warnings.append("AIFF: the COMM chunk is cut off")
        return
    channels, samples, bits = struct.unpack_from(">hIh", data)
    rate = _read_extended(data[8:18])
    codec, lossless = AIFC_CODECS.get(data[18:22], ("pcm", True)) if len(data) >= 22 else ("pcm", True)
    source = "AIFF:COMM"
    facts.put_codec(record, codec, lossless, source)
    record.put("channels", channels if channels > 0 else None, source)
    record.put("sample_rate", round(rate) or None, source)
    record.put("bits_per_sample", bits if bits > 0 and lossless else None, source)
    record.put("sample_count", samples or None, source)
    if rate >= 1:
        record.put("duration", round(samples / rate, 6) or None, source)


def _read_extended(data: bytes) -> float:
    """An 80-bit IEEE 754 extended number; 0 for what no sampling rate can be."""
    exponent, mantissa = struct.unpack(">hQ", data)
    return float(mantissa) * 2.0 ** (exponent - 16383 - 63) if 16383 <= exponent <= 16383 + 32 else 0.0


def _decode(data: bytes) -> str:
    """Text up to the first NUL: UTF-8 where it is valid, else Windows-1252 (neither format names a character set)."""
    data = data.split(b"\0")[0]
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").strip()
