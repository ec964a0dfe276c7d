"""MOBI and AZW3.

Sources: Palm Database format (record list at 76), PalmDOC header, MOBI and EXTH headers as MobileRead's wiki documents
them; PalmDOC compression (LZ77 with a byte code).
"""

from __future__ import annotations

import re
import struct
from itertools import pairwise
from typing import TYPE_CHECKING

from mediad_handlers.document.common import put_date
from mediad_handlers.document.markup import strip_markup
from mediad_handlers.kit.api import HandlerError, Record, Text

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

MAX_RECORDS = 65535
EXTH_TEXT = {101: ("publishers", "Publisher"), 103: ("description", "Description"), 104: ("isbn", "ISBN"),
             109: ("copyright", "Rights"), 503: ("title", "UpdatedTitle"), 112: ("source", "Source"),
             524: ("languages", "Language"), 113: ("identifiers", "ASIN")}  # fmt: skip
LISTS = frozenset(("publishers", "languages", "identifiers"))
# The low byte is the primary language of a Windows LCID (MS-LCID), as BCP 47.
LANGUAGES = {
    1: "ar", 2: "bg", 3: "ca", 4: "zh", 5: "cs", 6: "da", 7: "de", 8: "el", 9: "en", 10: "es", 11: "fi", 12: "fr",
    13: "he", 14: "hu", 15: "is", 16: "it", 17: "ja", 18: "ko", 19: "nl", 20: "no", 21: "pl", 22: "pt", 24: "ro",
    25: "ru", 26: "hr", 27: "sk", 28: "sq", 29: "sv", 30: "th", 31: "tr", 34: "uk", 36: "sl", 42: "vi", 45: "eu",
    54: "af", 57: "hi",
}  # fmt: skip


def list_records(file: File) -> list[int]:
    """Offsets of the database's records."""
    head = file.head
    if len(head) < 80 or head[60:68] not in (b"BOOKMOBI", b"TEXtREAd"):
        raise HandlerError("corrupt", "not a Mobipocket database")
    count = struct.unpack_from(">H", head, 76)[0]
    table = file.read(78, count * 8)
    offsets = [struct.unpack_from(">I", table, index * 8)[0] for index in range(len(table) // 8)]
    if not offsets or any(later < sooner for sooner, later in pairwise(offsets)):
        raise HandlerError("corrupt", "the record list is not in order")
    return offsets


def read_mobi(file: File, found: Sniffed) -> Record:
    """The record of a book. Raises HandlerError `corrupt`."""
    record = Record("document", found.format, found.mime_type)
    offsets = list_records(file)
    end = offsets[1] if len(offsets) > 1 else file.size
    header = file.read(offsets[0], min(max(end - offsets[0], 0), 256 * 1024))
    if len(header) < 132 or header[16:20] != b"MOBI":
        record.put("title", file.head[:32].split(b"\0")[0].decode("latin-1").replace("_", " "), "Palm:DatabaseName")
        return record
    codec = "utf-8" if struct.unpack_from(">I", header, 28)[0] == 65001 else "cp1252"
    record.put("encrypted", True if struct.unpack_from(">H", header, 12)[0] else None, "MOBI:Encryption")
    record.put("text_encoding", codec, "MOBI:CodePage")
    length = struct.unpack_from(">I", header, 20)[0]
    version = struct.unpack_from(">I", header, 36)[0]
    record.put("format_version", str(version), "MOBI:FileVersion")
    if struct.unpack_from(">I", header, 128)[0] & 0x40:
        _read_exth(record, header, 16 + length, codec)
    name_at, name_length = struct.unpack_from(">II", header, 84)
    name = header[name_at : name_at + min(name_length, 4096)].decode(codec, "replace").strip()
    record.put("title", name, "MOBI:BookName")
    language = LANGUAGES.get(header[95]) if len(header) > 95 else None
    if language:
        record.put("languages", [language], "MOBI:Locale")
    return record


def _read_exth(record: Record, header: bytes, at: int, codec: str) -> None:
    if header[at : at + 4] != b"EXTH" or at + 12 > len(header):
        return
    count = min(struct.unpack_from(">I", header, at + 8)[0], 1000)
    at += 12
    lists: dict[str, list[str]] = {}
    for _ in range(count):
        if at + 8 > len(header):
            break
        kind, size = struct.unpack_from(">II", header, at)
        if size < 8 or at + size > len(header):
            break
        text = header[at + 8 : at + size].decode(codec, "replace").strip("\0 ")
        at += size
        if kind == 100:
            lists.setdefault("creators", []).append(text)
        elif kind == 105:
            lists.setdefault("keywords", []).append(text)
        elif kind == 106:
            date = re.match(r"\d{4}(-\d\d(-\d\d)?)?", text)
            record.put("date_released", date[0] if date else None, "MOBI:PublishDate")
            put_date(record, "date_created_at", text, "MOBI:PublishDate")
        elif kind == 108:
            lists.setdefault("contributors", []).append(text)
        elif kind in EXTH_TEXT:
            name, tag = EXTH_TEXT[kind]
            if name == "description":
                text = strip_markup(text) if "<" in text else text
            record.put(name, [text] if name in LISTS and text else text, f"MOBI:{tag}")
        elif kind < 200 or 500 <= kind < 530:
            record.tag(f"MOBI:{kind}", [text] if text.isprintable() else [])
    for name, values in lists.items():
        tag = {"creators": "Author", "keywords": "Subject", "contributors": "Contributor"}[name]
        record.put(name, [one for one in values if one], f"MOBI:{tag}")


def mobi_text(file: File, found: Sniffed, limit: int) -> Text:
    """The words. Raises HandlerError `unsupported` for an encrypted book and for Huffman compression."""
    offsets = list_records(file)
    header = file.read(offsets[0], 244)
    if len(header) < 16:
        raise HandlerError("corrupt", "the first record is too short")
    compression, _, _, count, _, encryption = struct.unpack_from(">HHIHHH", header)
    if encryption:
        raise HandlerError("unsupported", "the book is encrypted")
    if compression not in (1, 2):
        raise HandlerError("unsupported", "Huffman compression")
    is_mobi = header[16:20] == b"MOBI"
    codec = "utf-8" if is_mobi and len(header) >= 32 and struct.unpack_from(">I", header, 28)[0] == 65001 else "cp1252"
    flags = struct.unpack_from(">H", header, 242)[0] if is_mobi and len(header) >= 244 else 0
    parts: list[bytes] = []
    size = 0
    for number in range(1, min(count, len(offsets) - 1) + 1):
        end = offsets[number + 1] if number + 1 < len(offsets) else file.size
        data = _trim(file.read(offsets[number], min(max(end - offsets[number], 0), 1 << 16)), flags)
        parts.append(_unpack(data) if compression == 2 else data)
        size += len(parts[-1])
        if size > limit * 4:
            break
    words = strip_markup(b"".join(parts).decode(codec, "replace"))
    return Text(words[: limit + 1], len(words) > limit or size > limit * 4, "MOBI text")


def _trim(data: bytes, flags: int) -> bytes:
    """Without the trailing entries that the header's flags announce: each ends with its size, backwards in 7 bits."""
    for _ in range(bin(flags >> 1).count("1")):
        size = shift = 0
        for one in reversed(data[-4:]):
            size |= (one & 0x7F) << shift
            shift += 7
            if one & 0x80:
                break
        data = data[: max(len(data) - size, 0)]
    if flags & 1 and data:
        data = data[: max(len(data) - (data[-1] & 3) - 1, 0)]
    return data


def _unpack(data: bytes) -> bytes:
    """PalmDOC: 0 and 9-127 literal, 1-8 that many literals, 128-191 a pair of distance and length, 192- a blank and a
    letter. A record has at most 4,096 bytes decoded; more ends it."""
    out = bytearray()
    at = 0
    while at < len(data) and len(out) < 65536:
        one = data[at]
        at += 1
        if 1 <= one <= 8:
            out += data[at : at + one]
            at += one
        elif one < 0x80:
            out.append(one)
        elif one >= 0xC0:
            out += bytes((0x20, one ^ 0x80))
        elif at < len(data):
            pair = (one << 8 | data[at]) & 0x3FFF
            at += 1
            distance, length = pair >> 3, (pair & 7) + 3
            if not 0 < distance <= len(out):
                break
            for _ in range(length):
                out.append(out[-distance])
    return bytes(out)
