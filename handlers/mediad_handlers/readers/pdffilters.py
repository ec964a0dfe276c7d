"""What PDF's streams and strings decode to, bounded.

Source: ISO 32000-1 7.4 (filters), 7.4.4.4 (predictors; PNG section 9.2), 7.9.2.2 and annex D.2 (text strings).
"""

from __future__ import annotations

import re
import zlib
from typing import Any

FILTERS = frozenset((
    "FlateDecode", "Fl", "LZWDecode", "LZW", "ASCIIHexDecode", "AHx", "ASCII85Decode", "A85", "RunLengthDecode", "RL",
    "Crypt",
))  # fmt: skip


def decode_filter(name: str, data: bytes, setting: dict[str, Any], limit: int) -> bytes:
    """One filter of 7.4, bounded by `limit` bytes."""
    if name in ("FlateDecode", "Fl"):
        return _undo_predictor(_inflate(data, limit), setting)
    if name in ("LZWDecode", "LZW"):
        return _undo_predictor(_lzw(data, limit, setting.get("EarlyChange", 1)), setting)
    if name in ("ASCIIHexDecode", "AHx"):
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", data.split(b">")[0])
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))[:limit]
    if name in ("ASCII85Decode", "A85"):
        return _ascii85(data, limit)
    if name in ("RunLengthDecode", "RL"):
        return _run_length(data, limit)
    if name == "Crypt":
        return data
    return b""


def _inflate(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        return inflater.decompress(data, limit)
    except zlib.error:
        pass
    inflater = zlib.decompressobj()
    out = bytearray()
    try:
        for at in range(0, len(data), 256):  # what stands before the damage
            out += inflater.decompress(data[at : at + 256], max(limit - len(out), 1))
            if len(out) >= limit:
                break
    except zlib.error:
        pass
    return bytes(out)


def _undo_predictor(data: bytes, setting: dict[str, Any]) -> bytes:
    """7.4.4.4: PNG predictors (10 to 15); TIFF's (2) for 8 bits."""
    predictor = setting.get("Predictor", 1)
    colors, bits, columns = setting.get("Colors", 1), setting.get("BitsPerComponent", 8), setting.get("Columns", 1)
    if (
        type(predictor) is not int
        or predictor < 2
        or not all(type(one) is int and 0 < one < 1 << 20 for one in (colors, bits, columns))
    ):
        return data
    width = (colors * bits * columns + 7) // 8
    step = max(colors * bits // 8, 1)
    if predictor == 2:
        if bits != 8:
            return data
        table = bytearray(data)
        for row in range(0, len(table), width):
            for at in range(row + step, min(row + width, len(table))):
                table[at] = (table[at] + table[at - step]) & 0xFF
        return bytes(table)
    out = bytearray()
    above = bytearray(width)
    for row in range(0, len(data), width + 1):
        line = bytearray(data[row + 1 : row + 1 + width].ljust(width, b"\0"))
        _unfilter(data[row], line, above, step)
        out += line
        above = line
    return bytes(out)


def _unfilter(kind: int, line: bytearray, above: bytearray, step: int) -> None:
    """PNG section 9.2."""
    if kind == 2:
        for at, up in enumerate(above):
            line[at] = (line[at] + up) & 0xFF
    elif kind == 1:
        for at in range(step, len(line)):
            line[at] = (line[at] + line[at - step]) & 0xFF
    elif kind == 3:
        for at in range(len(line)):
            left = line[at - step] if at >= step else 0
            line[at] = (line[at] + (left + above[at]) // 2) & 0xFF
    elif kind == 4:
        for at in range(len(line)):
            left, corner = (line[at - step], above[at - step]) if at >= step else (0, 0)
            up = above[at]
            guess = left + up - corner
            a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
            line[at] = (line[at] + (left if a <= b and a <= c else up if b <= c else corner)) & 0xFF


def _lzw(data: bytes, limit: int, early: Any) -> bytes:
    """7.4.4.2: codes of 9 to 12 bits, 256 clears, 257 ends."""
    early = 0 if early == 0 else 1
    out = bytearray()
    table: list[bytes] = [bytes((one,)) for one in range(256)] + [b"", b""]
    bits, buffer, held, last = 9, 0, 0, b""
    for one in data:
        buffer = buffer << 8 | one
        held += 8
        while held >= bits:
            held -= bits
            code = buffer >> held & ((1 << bits) - 1)
            buffer &= (1 << held) - 1
            if code == 257 or len(out) >= limit:
                return bytes(out[:limit])
            if code == 256:
                del table[258:]
                bits, last = 9, b""
                continue
            if code < len(table):
                entry = table[code]
            elif last:
                entry = last + last[:1]
            else:
                return bytes(out)
            out += entry
            if last and len(table) < 4096:
                table.append(last + entry[:1])
            last = entry
            size = len(table) + early
            bits = 12 if size >= 2048 else 11 if size >= 1024 else 10 if size >= 512 else 9
    return bytes(out[:limit])


def _ascii85(data: bytes, limit: int) -> bytes:
    out = bytearray()
    group: list[int] = []
    for one in data:
        if len(out) >= limit or one == 0x7E:
            break
        if one == 0x7A and not group:
            out += b"\0\0\0\0"
        elif 33 <= one <= 117:
            group.append(one - 33)
            if len(group) == 5:
                value = 0
                for digit in group:
                    value = value * 85 + digit
                out += (value & 0xFFFFFFFF).to_bytes(4, "big")
                group.clear()
    if len(group) > 1:
        value = 0
        for digit in group + [84] * (5 - len(group)):
            value = value * 85 + digit
        out += (value & 0xFFFFFFFF).to_bytes(4, "big")[: len(group) - 1]
    return bytes(out[:limit])


def _run_length(data: bytes, limit: int) -> bytes:
    out = bytearray()
    at = 0
    while at < len(data) and len(out) < limit and data[at] != 128:
        length = data[at]
        if length < 128:
            out += data[at + 1 : at + 2 + length]
            at += 2 + length
        else:
            out += data[at + 1 : at + 2] * (257 - length)
            at += 2
    return bytes(out[:limit])


# PDFDocEncoding (annex D.2) where it differs from Latin-1.
_DOC_ENCODING = {
    0x18: "\u02d8", 0x19: "\u02c7", 0x1A: "\u02c6", 0x1B: "\u02d9", 0x1C: "\u02dd", 0x1D: "\u02db", 0x1E: "\u02da",
    0x1F: "\u02dc", 0x80: "\u2022", 0x81: "\u2020", 0x82: "\u2021", 0x83: "\u2026", 0x84: "\u2014", 0x85: "\u2013",
    0x86: "\u0192", 0x87: "\u2044", 0x88: "\u2039", 0x89: "\u203a", 0x8A: "\u2212", 0x8B: "\u2030", 0x8C: "\u201e",
    0x8D: "\u201c", 0x8E: "\u201d", 0x8F: "\u2018", 0x90: "\u2019", 0x91: "\u201a", 0x92: "\u2122", 0x93: "\ufb01",
    0x94: "\ufb02", 0x95: "\u0141", 0x96: "\u0152", 0x97: "\u0160", 0x98: "\u0178", 0x99: "\u017d", 0x9A: "\u0131",
    0x9B: "\u0142", 0x9C: "\u0153", 0x9D: "\u0161", 0x9E: "\u017e", 0xA0: "\u20ac",
}  # fmt: skip


def decode_text(value: bytes) -> str:
    """A text string's characters (7.9.2.2)."""
    if value.startswith(b"\xfe\xff"):
        text = value[2:].decode("utf-16-be", "replace")
        return re.sub("\x1b[^\x1b]{0,8}\x1b", "", text)  # 7.9.2.2: language escapes
    if value.startswith(b"\xff\xfe"):
        return value[2:].decode("utf-16-le", "replace")
    if value.startswith(b"\xef\xbb\xbf"):
        return value[3:].decode("utf-8", "replace")
    return value.decode("latin-1").translate(_DOC_ENCODING)
