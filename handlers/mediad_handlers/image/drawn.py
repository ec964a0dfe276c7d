"""Pictures and pages that are text: SVG, PostScript,
EPS; and what else carries an XMP packet in the open: InDesign, DjVu.

Sources: SVG 2 5.8 (title, desc, metadata), 7 (width, height, viewBox), CSS values 3 6.2 (units); PostScript DSC 3.0 5
(comments, also at the end: (atend)), EPSF 3.0 (DOS binary header); XMP part 3 section 4 (packets found by scanning);
DjVu 3 specification 8.3.1 (INFO chunk).
"""

from __future__ import annotations

import re

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.xml import Node, parse_leniently

SCAN = 4 * 1024 * 1024  # bytes that are looked through for a packet
SVG = 2 * 1024 * 1024
TAIL = 16 * 1024
_PACKET = re.compile(rb"<x:xmpmeta[\s>].*?</x:xmpmeta>|<rdf:RDF[\s>].*?</rdf:RDF>", re.DOTALL)
_LENGTH = re.compile(r"\s*\+?(\d{1,7}(?:\.\d{1,6})?)\s*(px|pt|pc|mm|cm|in|q)?\s*", re.IGNORECASE)
_PIXELS = {"": 1.0, "px": 1.0, "pt": 96 / 72, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "q": 96 / 101.6}
_COMMENT = re.compile(
    rb"^%%(Title|Creator|CreationDate|For|Copyright|BoundingBox|Pages|Author):[ \t]*([^\r\n]{1,500})", re.MULTILINE
)
_DATES = (
    re.compile(r"(?:D:)?(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?"),
    re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ]+(\d\d):(\d\d)(?::(\d\d))?)?"),
)  # fmt: skip
_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
_WORDY = re.compile(
    r"(?:\w{3},? )?(?:(\w{3}) +(\d{1,2})|(\d{1,2}) (\w{3}))\w* "
    r"(?:(\d\d):(\d\d)(?::(\d\d))? )?(?:\w{3,4} )?(\d{4})"
)


def _add_packet(record: Record, blocks: Blocks, data: bytes) -> None:
    """The first XMP packet in `data`, when there is one."""
    found = _PACKET.search(data)
    if found is not None:
        blocks.add_xmp(record, found[0])


def _scan(file: File) -> bytes:
    """The bytes of the file in which a packet is looked for."""
    size = min(file.size, SCAN)
    return b"".join(file.read(at, min(1 << 20, size - at)) for at in range(0, size, 1 << 20))


def read_svg(file: File) -> Record:
    """The record of an SVG drawing. Raises HandlerError `corrupt` for what is no XML, `limit` for too much of it."""
    record = Record("image", "svg", "image/svg+xml")
    data = file.read(0, min(file.size, SVG))
    root, fault = parse_leniently(data)
    if root is None or root.name != "svg":
        raise HandlerError("corrupt", f"SVG: {fault or 'the root is not svg'}")
    if fault is not None:
        record.warnings.append(f"SVG: {fault}")
    _put_size(record, root)
    blocks = Blocks()
    _add_packet(record, blocks, data)
    map_blocks(record, blocks)
    for node in root.children:
        if node.name in ("title", "desc"):
            record.put("title" if node.name == "title" else "description", node.all_text().strip(), f"SVG:{node.name}")
    finish(record)
    return record


def _put_size(record: Record, root: Node) -> None:
    sides = []
    for name in ("width", "height"):
        match = _LENGTH.fullmatch(root.attributes.get(name, ""))
        sides.append(float(match[1]) * _PIXELS[(match[2] or "").lower()] if match else 0.0)
    box = re.split(r"[\s,]+", root.attributes.get("viewBox", "").strip())
    if not all(sides) and len(box) == 4:
        sides = [float(one) if re.fullmatch(r"\d{1,7}(\.\d{1,6})?", one) else 0.0 for one in box[2:]]
    if all(sides):
        record.put("width", round(sides[0]) or None, "SVG:width")
        record.put("height", round(sides[1]) or None, "SVG:height")


def read_postscript(file: File) -> Record:
    """The record of a PostScript document or an EPS picture: DSC comments, a packet of XMP."""
    start = int.from_bytes(file.head[4:8], "little") if file.head[:4] == b"\xc5\xd0\xd3\xc6" else 0
    first = file.read(start, 256)
    eps = b"EPSF" in first.splitlines()[0] if first else False
    record = Record("document", "eps" if eps or start else "ps", "application/postscript")
    blocks = Blocks()
    data = _scan(file)
    _add_packet(record, blocks, data)
    map_blocks(record, blocks)
    for key, value in _COMMENT.findall(data[start : start + 64 * 1024] + b"\n" + file.tail(TAIL)):
        text = value.decode("utf-8", "replace").strip()
        if text == "(atend)":
            continue
        _put_comment(record, key.decode("ascii"), text.removeprefix("(").removesuffix(")").strip())
    finish(record)
    return record


def _put_comment(record: Record, key: str, text: str) -> None:
    source = f"PostScript:{key}"
    if key == "Title":
        record.put("title", text, source)
    elif key == "Creator":
        record.put("software", text, source)
    elif key in ("For", "Author"):
        record.put("creators", [text] if text else None, source)
    elif key == "Copyright":
        record.put("copyright", text, source)
    elif key == "CreationDate":
        put_moment(record, "date_created_at", parse_moment(_iso(text)), source)
    elif key == "Pages" and text.split()[:1] and text.split(maxsplit=1)[0].isdigit():
        record.put("page_count", int(text.split(maxsplit=1)[0][:9]) or None, source)
    elif key == "BoundingBox":
        sides = re.findall(r"-?\d{1,7}", text)
        if len(sides) >= 4:
            left, bottom, right, top = (int(one) for one in sides[:4])
            record.put("width", right - left if right > left else None, source)
            record.put("height", top - bottom if top > bottom else None, source)


def _iso(text: str) -> str:
    """A date as PostScript programs write it, as ISO 8601; the text itself when it is none that is known."""
    for pattern in _DATES:
        match = pattern.search(text)
        if match is not None:
            year, month, day, hour, minute, second = match.groups()
            return f"{year}-{month}-{day}" + (f"T{hour}:{minute}:{second or '00'}" if hour and minute else "")
    match = _WORDY.search(text)
    if match is None:
        return text
    month = _MONTHS.get((match[1] or match[4]).lower(), 0)
    clock = f"T{match[5]}:{match[6]}:{match[7] or '00'}" if match[5] else ""
    return f"{match[8]}-{month:02}-{int(match[2] or match[3]):02}{clock}" if month else text


def read_indesign(file: File) -> Record:
    """The record of an InDesign document: its XMP packet."""
    record = Record("document", "indd", "application/x-indesign")
    blocks = Blocks()
    _add_packet(record, blocks, _scan(file))
    map_blocks(record, blocks)
    return record


def read_djvu(file: File) -> Record:
    """The record of a DjVu document: the first page's size. Annotations are compressed (BZZ) and not read."""
    record = Record("document", "djvu", "image/vnd.djvu")
    head = file.head
    at = head.find(b"INFO\0\0\0\x0a")
    if at >= 0 and at + 14 <= len(head):
        record.put("width", int.from_bytes(head[at + 8 : at + 10], "big") or None, "DjVu:INFO")
        record.put("height", int.from_bytes(head[at + 10 : at + 12], "big") or None, "DjVu:INFO")
    if file.size <= len(head):
        record.put("page_count", head.count(b"DJVUINFO") or None, "DjVu:DIRM")
    return record
