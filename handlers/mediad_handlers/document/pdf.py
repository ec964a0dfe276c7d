"""PDF: document information, XMP, catalog, pages.

Source: ISO 32000-1 14.3.3 (information dictionary), 14.3.2 (metadata streams), 7.7.2 (catalog), 7.7.3 (page tree),
7.9.4 (dates), 14.7.1 (mark information), 7.11.4 (embedded files), annex F (linearized). XMP wins over the information
dictionary (ISO 32000-2 14.3.3); what only one of them has is taken from it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mediad_handlers.document.common import split_keywords
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.pdf import Pdf, Ref, Stream, open_pdf
from mediad_handlers.readers.xmp import parse_xmp, texts

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

XMP = 1024 * 1024
POINT = 25.4 / 72  # millimetres (8.3.2.3: the default unit of user space)
INHERITED = ("MediaBox", "Rotate", "Resources")  # table 30
MAX_ATTACHMENTS = 100
INFO_TEXT = {"Title": "title", "Subject": "subject", "Creator": "software", "Producer": "producer"}
INFO_DATE = {"CreationDate": ("date_created_at", "CreateDate"), "ModDate": ("date_modified_at", "ModifyDate")}
# XMP property -> field
XMP_TEXT = {"dc:title": "title", "dc:description": "description", "dc:rights": "copyright",
            "xmp:CreatorTool": "software", "pdf:Producer": "producer", "xmpMM:DocumentID": "document_id",
            "xmpMM:InstanceID": "instance_id",
            "xmpMM:OriginalDocumentID": "original_document_id", "dc:source": "source",
            "xmpRights:WebStatement": "rights_url", "xmp:Label": "color_label"}  # fmt: skip
XMP_LIST = {"dc:creator": "creators", "dc:subject": "keywords", "dc:publisher": "publishers",
            "dc:language": "languages", "dc:contributor": "contributors", "dc:identifier": "identifiers",
            "xmpRights:UsageTerms": "licenses"}  # fmt: skip
XMP_DATE = {"xmp:CreateDate": "date_created_at", "xmp:ModifyDate": "date_modified_at"}
_DATE = re.compile(r"(?:D:)?\s*(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?\s*(Z|[+-]\d\d)?'?(\d\d)?")


def read_pdf(file: File, found: Sniffed) -> Record:
    """The record of a PDF. Raises HandlerError `corrupt` when it has no catalog."""
    record = Record("document", found.format, found.mime_type)
    head = file.head[:1024]
    version = re.search(rb"%PDF-(\d\.\d)", head)
    pdf = open_pdf(file)
    catalog = pdf.catalog
    later = pdf.resolve(catalog.get("Version"))
    record.put(
        "format_version",
        str(later) if isinstance(later, str) else version[1].decode() if version else None,
        "PDF:PDFVersion",
    )
    record.put("linearized", pdf.linearized, "PDF:Linearized")
    if pdf.security is not None:
        record.put("encrypted", True, "PDF:Encryption")
        record.put("permissions", pdf.security.permissions, "PDF:UserAccess")
    _read_xmp(record, pdf, catalog)
    if pdf.security is None or pdf.security.readable:
        _read_info(record, pdf)
    _read_catalog(record, pdf, catalog)
    _read_pages(record, pdf, catalog)
    return record


def parse_date(text: str) -> str:
    """A PDF date (7.9.4) as ISO 8601; the text itself when it is none."""
    match = _DATE.match(text)
    if match is None:
        return text
    year, month, day, hour, minute, second, zone, zone_minute = match.groups()
    iso = year + (f"-{month}" if month else "") + (f"-{day}" if month and day else "")
    if month and day and hour and minute:
        iso += f"T{hour}:{minute}:{second or '00'}"
        if zone:
            iso += "Z" if zone == "Z" else f"{zone}:{zone_minute or '00'}"
    return iso


def _read_info(record: Record, pdf: Pdf) -> None:
    for key, value in pdf.dictionary(pdf.trailer.get("Info")).items():
        text = pdf.text(value)
        if text is None:
            continue
        text = text.replace("\0", "").strip()
        if key in INFO_TEXT:
            record.put(INFO_TEXT[key], text, f"PDF:{key}")
        elif key == "Author" and text:
            record.put("creators", [text], "PDF:Author")
        elif key == "Keywords":
            record.put("keywords", split_keywords(text), "PDF:Keywords")
        elif key in INFO_DATE:
            name, tag = INFO_DATE[key]
            put_moment(record, name, parse_moment(parse_date(text)), f"PDF:{tag}")
        elif key == "Trapped":
            record.put("trapped", text.lower() if text in ("True", "False") else None, "PDF:Trapped")
        elif key == "Company":
            record.put("company", text, "PDF:Company")
        else:
            record.tag(f"PDF:{key}", [text])
    record.put("description", record.fields.get("subject"), "PDF:Subject")


def _read_xmp(record: Record, pdf: Pdf, catalog: dict[str, Any]) -> None:
    stream = pdf.resolve(catalog.get("Metadata"))
    if not isinstance(stream, Stream):
        return
    packet = pdf.decode(stream, XMP)
    if not packet.strip():
        return
    try:
        properties = parse_xmp(packet)
    except HandlerError as fault:
        record.warnings.append(f"XMP: {fault.message}")
        return
    part = conformance = ""
    for key, value in properties.items():
        values = [one.strip() for one in texts(value) if one.strip()]
        if not values:
            continue
        source = f"XMP-{key}"
        if key in XMP_TEXT:
            record.put(XMP_TEXT[key], values[0], source)
        elif key in XMP_LIST:
            record.put(XMP_LIST[key], [one for one in dict.fromkeys(values) if one != "x-default"], source)
        elif key in XMP_DATE:
            put_moment(record, XMP_DATE[key], parse_moment(values[0]), source)
        elif key == "pdf:Keywords":
            record.put("keywords", split_keywords(values[0]), source)
        elif key.endswith(":part") and key.startswith("pdfaid"):
            part = values[0]
        elif key.endswith(":conformance") and key.startswith("pdfaid"):
            conformance = values[0]
        elif key.endswith("prism:isbn") or key == "prism:isbn":
            record.put("isbn", values[0], source)
        else:
            record.tag(source, values)
    if part:
        record.put("conformance", f"PDF/A-{part}{conformance.lower()}", "XMP-pdfaid:Part")


def _read_catalog(record: Record, pdf: Pdf, catalog: dict[str, Any]) -> None:
    marked = pdf.resolve(pdf.dictionary(catalog.get("MarkInfo")).get("Marked"))
    record.put("tagged", marked if isinstance(marked, bool) else None, "PDF:TaggedPDF")
    language = pdf.text(catalog.get("Lang"))
    if language and language.strip():
        record.put("languages", [language.strip()], "PDF:Language")
    form = pdf.dictionary(catalog.get("AcroForm"))
    if form:
        record.put("has_forms", bool(pdf.array(form.get("Fields")) or "XFA" in form) or None, "PDF:AcroForm")
        flags = pdf.resolve(form.get("SigFlags"))
        record.put("has_signatures", True if type(flags) is int and flags & 1 else None, "PDF:SigFlags")
    names = pdf.dictionary(pdf.dictionary(catalog.get("Names")).get("EmbeddedFiles"))
    record.put("attachments", _list_names(pdf, names), "PDF:EmbeddedFiles")


def _list_names(pdf: Pdf, tree: dict[str, Any]) -> list[str]:
    """File names of a name tree of file specifications (7.9.6, 7.11.3)."""
    found: list[str] = []
    waiting, visited = [tree], 0
    while waiting and visited < 1000 and len(found) < MAX_ATTACHMENTS:
        node = waiting.pop()
        visited += 1
        pairs = pdf.array(node.get("Names"))
        for key, value in zip(pairs[::2], pairs[1::2], strict=False):
            specification = pdf.dictionary(value)
            name = pdf.text(specification.get("UF")) or pdf.text(specification.get("F")) or pdf.text(key)
            if name:
                found.append(name)
        waiting.extend(pdf.dictionary(kid) for kid in pdf.array(node.get("Kids"))[:1000])
    return found[:MAX_ATTACHMENTS]


def _read_pages(record: Record, pdf: Pdf, catalog: dict[str, Any]) -> None:
    root = pdf.dictionary(catalog.get("Pages"))
    count = pdf.resolve(root.get("Count"))
    record.put("page_count", count if type(count) is int and count > 0 else None, "PDF:PageCount")
    page, inherited = first_page(pdf, root)
    box = pdf.array(page.get("MediaBox") or inherited.get("MediaBox"))
    sides = [pdf.resolve(one) for one in box]
    if len(sides) != 4 or not all(isinstance(one, int | float) for one in sides):
        return
    unit = pdf.resolve(page.get("UserUnit"))
    scale = POINT * (unit if isinstance(unit, int | float) and 0 < unit < 1000 else 1)
    width, height = abs(sides[2] - sides[0]) * scale, abs(sides[3] - sides[1]) * scale
    turned = pdf.resolve(page.get("Rotate", inherited.get("Rotate", 0)))
    if type(turned) is int and turned % 180 == 90:
        width, height = height, width
    if 0 < width < 1e7 and 0 < height < 1e7:
        record.put("page_width", round(width, 1), "PDF:MediaBox")
        record.put("page_height", round(height, 1), "PDF:MediaBox")


def first_page(pdf: Pdf, root: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the first page, what it inherits) (7.7.3.4)."""
    inherited: dict[str, Any] = {}
    node = root
    for _ in range(50):
        for key in INHERITED:
            if key in node:
                inherited[key] = node[key]
        kids = pdf.array(node.get("Kids"))
        if not kids:
            return node, inherited
        node = pdf.dictionary(kids[0])
    return {}, inherited


def iterate_pages(pdf: Pdf, limit: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The first `limit` pages in order, each with what it inherits; a tree with loops is walked once."""
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []
    seen: set[int] = set()
    stack: list[tuple[Any, dict[str, Any]]] = [(pdf.catalog.get("Pages"), {})]
    while stack and len(found) < limit and len(seen) < limit * 2 + 1000:
        value, above = stack.pop()
        if isinstance(value, Ref):
            if value.number in seen:
                continue
            seen.add(value.number)
        node = pdf.dictionary(value)
        own = above | {key: node[key] for key in INHERITED if key in node}
        kids = pdf.array(node.get("Kids"))
        if kids:
            stack.extend((kid, own) for kid in reversed(kids[: limit * 2]))
        elif node:
            found.append((node, own))
    return found
