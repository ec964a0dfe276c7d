"""Old Office files: DOC, XLS, PPT.

Sources: MS-OSHARED 2.3.3.2.1 (summary information), 2.3.3.2.2 (document summary information); MS-DOC 2.4.1 (retrieving
text: FIB, piece table), MS-XLS 2.4.265 (SST), 2.4.149 (LABEL), MS-PPT 2.9.42 (TextCharsAtom), 2.9.43 (TextBytesAtom).
Group and names of tags are ExifTool's (FlashPix).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mediad_handlers.document.common import split_keywords, split_names
from mediad_handlers.kit.api import HandlerError, Record, Text
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.ole import Ole, Properties, open_ole, parse_properties

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

PROPERTIES = 256 * 1024
STREAM = 16 * 1024 * 1024
SUMMARY, DOCUMENT = "\x05SummaryInformation", "\x05DocumentSummaryInformation"
# PIDSI_*: property id -> (field, ExifTool's name)
SUMMARY_TEXT = {2: ("title", "Title"), 3: ("subject", "Subject"), 6: ("description", "Comments"),
                7: ("template", "Template"), 8: ("last_modified_by", "LastModifiedBy"),
                18: ("software", "Software")}  # fmt: skip
SUMMARY_COUNT = {14: ("page_count", "Pages"), 15: ("word_count", "Words"), 16: ("character_count", "Characters")}
SUMMARY_DATE = {11: ("date_printed_at", "LastPrinted"), 12: ("date_created_at", "CreateDate"),
                13: ("date_modified_at", "ModifyDate")}  # fmt: skip
# PIDDSI_*
DOCUMENT_TEXT = {2: ("category", "Category"), 14: ("manager", "Manager"), 15: ("company", "Company"),
                 27: ("status", "ContentStatus"), 29: ("version", "DocVersion")}  # fmt: skip
DOCUMENT_COUNT = {5: ("line_count", "Lines"), 6: ("paragraph_count", "Paragraphs"), 7: ("page_count", "Slides")}


def read_ole(file: File, found: Sniffed) -> Record:
    """The record of an old Office file, from its property sets. Raises HandlerError `corrupt`."""
    record = Record("document", found.format, found.mime_type)
    ole = open_ole(file)
    for properties in parse_properties(ole.read(SUMMARY, PROPERTIES))[:1]:
        _read_summary(record, properties)
    sets = parse_properties(ole.read(DOCUMENT, PROPERTIES))
    if sets:
        _read_document(record, sets[0])
    for number, value in sets[1].values.items() if len(sets) > 1 else ():
        if number > 1:
            record.tag(f"FlashPix:{sets[1].names.get(number, number)}", value if isinstance(value, list) else [value])
    if found.format == "doc" and _is_encrypted(ole.read("WordDocument", 32)):
        record.put("encrypted", True, "FlashPix:Security")
    return record


def _read_summary(record: Record, properties: Properties) -> None:
    values = properties.values
    for number, (name, tag) in SUMMARY_TEXT.items():
        record.put(name, _text(values.get(number)), f"FlashPix:{tag}")
    record.put("creators", split_names(_text(values.get(4)) or ""), "FlashPix:Author")
    record.put("keywords", split_keywords(_text(values.get(5)) or ""), "FlashPix:Keywords")
    for number, (name, tag) in SUMMARY_COUNT.items():
        record.put(name, _count(values.get(number)), f"FlashPix:{tag}")
    revision = _text(values.get(9)) or ""
    record.put(
        "revision", int(revision) if revision.isdigit() and len(revision) < 10 else None, "FlashPix:RevisionNumber"
    )
    editing = values.get(10)  # a FILETIME that counts from 0
    if isinstance(editing, float) and -11644473600 < editing < -11644473600 + 10 * 365 * 86400:
        record.put("editing_time", round(editing + 11644473600) or None, "FlashPix:TotalEditTime")
    for number, (name, tag) in SUMMARY_DATE.items():
        _put_time(record, name, values.get(number), f"FlashPix:{tag}")
    security = values.get(19)
    if isinstance(security, int) and security & 1:
        record.put("encrypted", True, "FlashPix:Security")


def _read_document(record: Record, properties: Properties) -> None:
    for number, (name, tag) in DOCUMENT_TEXT.items():
        record.put(name, _text(properties.values.get(number)), f"FlashPix:{tag}")
    for number, (name, tag) in DOCUMENT_COUNT.items():
        record.put(name, _count(properties.values.get(number)), f"FlashPix:{tag}")
    record.put("languages", [one for one in [_text(properties.values.get(28))] if one], "FlashPix:Language")
    titles = properties.values.get(13)
    if isinstance(titles, list):
        record.tag("FlashPix:TitleOfParts", titles[:200])


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _put_time(record: Record, name: str, seconds: Any, source: str) -> None:
    """A FILETIME is UTC (MS-DTYP 2.3.3)."""
    if isinstance(seconds, float) and -5e9 < seconds < 1e11:
        text = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        put_moment(record, name, parse_moment(text), source)


def _is_encrypted(fib: bytes) -> bool:
    return len(fib) >= 12 and bool(struct.unpack_from("<H", fib, 10)[0] & 0x0100)


# ---------------------------------------------------------------- words


def ole_text(file: File, found: Sniffed, limit: int) -> Text:
    """The words. Raises HandlerError `corrupt`, `unsupported` for an encrypted document."""
    ole = open_ole(file)
    pieces = {"doc": _word_text, "xls": _excel_text, "ppt": _powerpoint_text}.get(found.format)
    if pieces is None:
        raise HandlerError("unsupported", f"no words are known in {found.format}")
    parts: list[str] = []
    size = 0
    for piece in pieces(ole):
        parts.append(piece)
        size += len(piece)
        if size > limit:
            return Text("".join(parts), True, found.format)
    return Text("".join(parts), False, found.format)


_MARKS = str.maketrans({"\r": "\n", "\x07": "\t", "\x0b": "\n", "\x0c": "\n", "\x1e": "-", "\x1f": "", "\xa0": " "})


def _word_text(ole: Ole) -> Iterator[str]:
    """MS-DOC 2.4.1: the pieces of the main document and its notes, headers and text boxes in order."""
    stream = ole.read("WordDocument", STREAM)
    if len(stream) < 0x1AA or struct.unpack_from("<H", stream)[0] != 0xA5EC:
        raise HandlerError("unsupported", "not a Word 97 document")
    if _is_encrypted(stream):
        raise HandlerError("unsupported", "the document is encrypted")
    flags = struct.unpack_from("<H", stream, 10)[0]
    table = ole.read("1Table" if flags & 0x0200 else "0Table", STREAM)
    start, length = struct.unpack_from("<II", stream, 0x1A2)  # fcClx, lcbClx
    clx = table[start : start + min(length, len(table))]
    at = 0
    while at + 3 <= len(clx) and clx[at] == 1:  # Prc: skipped
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at + 5 > len(clx) or clx[at] != 2:
        raise HandlerError("corrupt", "there is no piece table")
    plc = clx[at + 5 : at + 5 + struct.unpack_from("<I", clx, at + 1)[0]]
    count = (len(plc) - 4) // 12
    places = struct.unpack_from(f"<{count + 1}I", plc) if count > 0 else ()
    for index in range(count):
        length = places[index + 1] - places[index]
        where = struct.unpack_from("<I", plc, (count + 1) * 4 + index * 8 + 2)[0]
        if length <= 0 or length > len(stream):
            continue
        if where & 0x40000000:  # one byte a character
            begin = (where & 0x3FFFFFFF) // 2
            text = stream[begin : begin + length].decode("cp1252", "replace")
        else:
            text = stream[where : where + length * 2].decode("utf-16-le", "replace")
        yield _strip_fields(text).translate(_MARKS)


def _strip_fields(text: str) -> str:
    """Without field codes: between 0x13 and 0x14; what is between 0x14 and 0x15 is shown (MS-DOC 2.8.25)."""
    if "\x13" not in text:
        return text.replace("\x01", "").replace("\x08", "").replace("\x14", "").replace("\x15", "")
    parts: list[str] = []
    hidden = 0
    for one in text:
        if one == "\x13":
            hidden += 1
        elif one == "\x14":
            hidden = max(hidden - 1, 0)
        elif (one >= " " and not hidden) or one in "\r\x07\x0b\x0c\t":
            parts.append(one)
    return "".join(parts)


def _records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """BIFF records: (type, data)."""
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _excel_text(ole: Ole) -> Iterator[str]:
    """The shared strings with their CONTINUE records (MS-XLS 2.4.265), and labels with texts of their own."""
    stream = ole.read("Workbook" if "Workbook" in ole.entries else "Book", STREAM)
    blocks: list[bytes] = []
    taking = False
    for kind, data in _records(stream):
        if kind == 0x2F:
            raise HandlerError("unsupported", "the workbook is encrypted")
        if kind == 0x00FC:
            blocks, taking = [data], True
        elif kind == 0x003C and taking:
            blocks.append(data)
        else:
            taking = False
        if kind == 0x0204 and len(data) > 8:  # LABEL of BIFF 5
            length = struct.unpack_from("<H", data, 6)[0]
            yield data[8 : 8 + length].decode("cp1252", "replace") + "\n"
        elif kind == 0x0085 and len(data) > 8:  # BOUNDSHEET: the sheet's name
            length, wide = data[6], data[7] & 1
            raw = data[8 : 8 + length * (2 if wide else 1)]
            yield raw.decode("utf-16-le" if wide else "latin-1", "replace") + "\n"
    if blocks:
        yield from _shared_strings(blocks)


def _shared_strings(blocks: list[bytes]) -> Iterator[str]:
    """XLUnicodeRichExtendedString (2.5.293): a string that goes on in the next block begins there with a new flag."""
    block, at = 0, 8

    def left() -> int:
        return len(blocks[block]) - at

    for _ in range(1 << 20):
        if left() < 3:
            block, at = block + 1, 0
            if block >= len(blocks) or left() < 3:
                return
        length, flags = struct.unpack_from("<HB", blocks[block], at)
        at += 3
        runs = struct.unpack_from("<H", blocks[block], at)[0] if flags & 8 and left() >= 2 else 0
        at += 2 if flags & 8 else 0
        extra = struct.unpack_from("<I", blocks[block], at)[0] if flags & 4 and left() >= 4 else 0
        at += 4 if flags & 4 else 0
        parts: list[str] = []
        wide = flags & 1
        while length > 0:
            size = min(length * (2 if wide else 1), max(left(), 0))
            parts.append(blocks[block][at : at + size].decode("utf-16-le" if wide else "latin-1", "replace"))
            length -= size // 2 if wide else size
            at += size
            if length > 0:
                block += 1
                if block >= len(blocks) or not blocks[block]:
                    break
                wide, at = blocks[block][0] & 1, 1
        if parts:
            yield "".join(parts) + "\n"
        if block >= len(blocks):
            return
        skip = runs * 4 + extra
        while skip > 0 and block < len(blocks):
            step = min(skip, max(left(), 0))
            at, skip = at + step, skip - step
            if skip:
                block, at = block + 1, 0
        if block >= len(blocks):
            return


def _powerpoint_text(ole: Ole) -> Iterator[str]:
    """Every text atom of the document stream, masters left out (MS-PPT 2.3.1: record headers of eight bytes)."""
    stream = ole.read("PowerPoint Document", STREAM)
    at = 0
    skip_until = -1
    while at + 8 <= len(stream):
        version, kind, length = struct.unpack_from("<HHI", stream, at)
        body = at + 8
        if kind in (0x03F8, 0x0FC9) and body > skip_until:  # main master, handout
            skip_until = body + length
        if version & 15 == 15:
            at = body  # a container: its children follow
            continue
        if body >= skip_until:
            data = stream[body : body + min(length, len(stream))]
            if kind in (0x0FA0, 0x0FBA):  # TextCharsAtom, CString
                if kind == 0x0FA0:
                    yield data.decode("utf-16-le", "replace").translate(_MARKS) + "\n"
            elif kind == 0x0FA8:
                yield data.decode("latin-1").translate(_MARKS) + "\n"
        at = body + length
