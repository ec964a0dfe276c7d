"""Office Open XML: DOCX, XLSX, PPTX and their templates and macro variants.

Sources: ECMA-376 part 2 section 11 (core properties), part 1 sections 22.2 (extended properties) and 22.3 (custom
properties), 17 (WordprocessingML), 18 (SpreadsheetML), 19 (PresentationML). Groups and names of tags are ExifTool's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mediad_handlers.document.common import put_date, put_integer, split_keywords, split_names
from mediad_handlers.kit import pictures
from mediad_handlers.kit.api import HandlerError, Record, Text
from mediad_handlers.readers.xml import Node, parse, parse_leniently
from mediad_handlers.readers.zip import Archive, open_archive

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

PROPERTIES = 256 * 1024  # bytes of a properties part
PART = 16 * 1024 * 1024  # bytes of a part that is read for its words
CORE_PART = r"(docProps|package/services/metadata/core-properties)/.*core.*|.*\.psmdcp"
# core properties element -> (field, source); dates, lists and the rest go by CONVERT
CORE = {
    "title": ("title", "XMP-dc:Title"), "subject": ("subject", "XMP-dc:Subject"),
    "description": ("description", "XMP-dc:Description"), "language": ("languages", "XMP-dc:Language"),
    "identifier": ("identifiers", "XMP-dc:Identifier"), "lastModifiedBy": ("last_modified_by", "XML:LastModifiedBy"),
    "category": ("category", "XML:Category"), "contentStatus": ("status", "XML:ContentStatus"),
    "version": ("version", "XML:Version"),
}  # fmt: skip
LISTS = frozenset(("languages", "identifiers"))
DATES = {"created": ("date_created_at", "XML:CreateDate"), "modified": ("date_modified_at", "XML:ModifyDate"),
         "lastPrinted": ("date_printed_at", "XML:LastPrinted")}  # fmt: skip
APP_TEXT = {"Application": "software", "Company": "company", "Manager": "manager", "Template": "template"}
APP_COUNT = {
    "Words": "word_count", "Characters": "character_count", "Lines": "line_count", "Paragraphs": "paragraph_count",
}  # fmt: skip
PAGES = {"docx": "Pages", "pptx": "Slides"}
SECURITY = {1: "password protected", 2: "read-only recommended", 4: "read-only enforced", 8: "locked for annotations"}
TWIP = 25.4 / 1440  # millimetres; ECMA-376 part 1 section 17.6.13 (page size in twentieths of a point)
EMU = 1 / 36000  # millimetres; section 20.1.2.1


def read_office(file: File, found: Sniffed) -> Record:
    """The record of an Office Open XML file. Raises HandlerError `corrupt`."""
    record = Record("document", found.format, found.mime_type)
    archive = open_archive(file)
    _read_core(record, archive)
    _read_app(record, archive, found.format)
    _read_custom(record, archive)
    _read_page_size(record, archive, found.format)
    if "docProps/thumbnail.jpeg" in archive:
        record.put("pictures", [{"type": "preview", "mime": "image/jpeg"}], "File:PreviewImage")
        if pictures.wanted():
            pictures.keep(pictures.Inside("preview", archive.read("docProps/thumbnail.jpeg", PART)))
    return record


def _part(record: Record, archive: Archive, name: str, limit: int = PROPERTIES) -> Node | None:
    """A part's root; None, with a warning, when it cannot be read."""
    if name not in archive:
        return None
    try:
        return parse(archive.read(name, limit))
    except HandlerError as fault:
        record.warnings.append(f"{name}: {fault.message}")
        return None


def _find(archive: Archive, pattern: str, usual: str) -> str:
    """A part's name: the usual one, else the first that matches."""
    if usual in archive:
        return usual
    return next((name for name in archive.names if re.fullmatch(pattern, name)), usual)


def _read_core(record: Record, archive: Archive) -> None:
    root = _part(record, archive, _find(archive, CORE_PART, "docProps/core.xml"))
    for node in root.children if root else ():
        text = node.all_text().strip()
        if not text:
            continue
        if node.name in CORE:
            name, source = CORE[node.name]
            record.put(name, [text] if name in LISTS else text, source)
        elif node.name in DATES:
            put_date(record, DATES[node.name][0], text, DATES[node.name][1])
        elif node.name == "creator":
            record.put("creators", split_names(text), "XMP-dc:Creator")
        elif node.name == "keywords":
            record.put("keywords", split_keywords(text), "XML:Keywords")
        elif node.name == "revision":
            put_integer(record, "revision", text, "XML:RevisionNumber")
        else:
            record.tag(f"XML:{node.name}", [text])


def _read_app(record: Record, archive: Archive, format: str) -> None:
    root = _part(record, archive, "docProps/app.xml")
    for node in root.children if root else ():
        text = node.all_text().strip()
        if not text:
            continue
        if node.name in APP_TEXT:
            record.put(APP_TEXT[node.name], text, f"XML:{node.name}")
        elif node.name in APP_COUNT:
            put_integer(record, APP_COUNT[node.name], text, f"XML:{node.name}")
        elif node.name == PAGES.get(format):
            put_integer(record, "page_count", text, f"XML:{node.name}")
        elif node.name == "TotalTime":
            put_integer(record, "editing_time", str(int(text) * 60) if text.isdigit() else "", "XML:TotalEditTime")
        elif node.name == "DocSecurity" and text.isdigit():
            record.put("permissions", [SECURITY[bit] for bit in SECURITY if int(text) & bit], "XML:DocSecurity")
        elif node.children:
            record.tag(f"XML:{node.name}", [one.text for one in node.walk() if one.text.strip()][:200])
        else:
            record.tag(f"XML:{node.name}", [text])


def _read_custom(record: Record, archive: Archive) -> None:
    root = _part(record, archive, "docProps/custom.xml")
    for node in root.children if root else ():
        record.tag(f"XML:{node.attributes.get('name', 'custom')}", [node.all_text().strip()])


def _read_page_size(record: Record, archive: Archive, format: str) -> None:
    """DOCX: the last section's page (17.6.13), found from the end of the body. PPTX: the slides' (19.2.1.39)."""
    if format == "docx":
        data = archive.read(_find(archive, r"word/document\d*\.xml", "word/document.xml"), PART)
        sizes = re.findall(rb"<w:pgSz ([^>]{1,300})>", data[-65536:])
        scale, width, height = TWIP, rb'w:w="(\d{1,6})"', rb'w:h="(\d{1,6})"'
    elif format == "pptx":
        data = archive.read("ppt/presentation.xml", PROPERTIES)
        sizes = re.findall(rb"<p:sldSz ([^>]{1,300})>", data)
        scale, width, height = EMU, rb'cx="(\d{1,10})"', rb'cy="(\d{1,10})"'
    else:
        return
    if not sizes:
        return
    wide, high = re.search(width, sizes[-1]), re.search(height, sizes[-1])
    if wide and high and int(wide[1]) and int(high[1]):
        source = "XML:pgSz" if format == "docx" else "XML:sldSz"
        record.put("page_width", round(int(wide[1]) * scale, 1), source)
        record.put("page_height", round(int(high[1]) * scale, 1), source)


# ---------------------------------------------------------------- words


def office_text(file: File, found: Sniffed, limit: int) -> Text:
    """The words: DOCX body, headers, footers, notes; XLSX cells; PPTX slides and notes. Raises HandlerError."""
    archive = open_archive(file)
    if found.format == "xlsx":
        return _cells(archive, limit)
    pattern = (
        r"word/(document\d*|footnotes|endnotes|header\d*|footer\d*|comments)\.xml"
        if found.format == "docx"
        else r"ppt/(slides/slide|notesSlides/notesSlide)\d+\.xml"
    )
    parts = sorted((name for name in archive.names if re.fullmatch(pattern, name)), key=_reading_order)
    words: list[str] = []
    size = 0
    for part in parts:
        root, _ = parse_leniently(archive.read(part, PART))
        for paragraph in _paragraphs(root) if root is not None else ():
            words.append(paragraph)
            size += len(paragraph) + 1
            if size > limit:
                return Text("\n".join(words) + "\n", True, part)
    return Text("\n".join(words) + "\n" if words else "", False, parts[0] if parts else "")


def _reading_order(name: str) -> tuple[int, int, str]:
    """The document before its notes, slides by their numbers."""
    number = re.search(r"(\d+)\.xml$", name)
    return (0 if "/document" in name or "/slides/" in name else 1, int(number[1]) if number else 0, name)


def _paragraphs(root: Node) -> Iterator[str]:
    """Each w:p or a:p as a line: the text runs, tabs and breaks (17.3.3), without deleted text and field codes."""
    for node in root.walk():
        if node.name == "p" and not any(child.name == "p" for child in node.children):
            line = "".join(_runs(node))
            if line.strip():
                yield line


def _runs(paragraph: Node) -> Iterator[str]:
    for node in paragraph.walk():
        if node.name == "t":
            yield node.text
        elif node.name in ("tab", "br", "cr"):
            yield "\t" if node.name == "tab" else "\n"
        elif node.name == "noBreakHyphen":
            yield "-"


def _cells(archive: Archive, limit: int) -> Text:
    """Shared strings (18.4.9) and inline texts and numbers of each sheet, a row a line."""
    shared: list[str] = []
    root, _ = (
        parse_leniently(archive.read("xl/sharedStrings.xml", PART)) if "xl/sharedStrings.xml" in archive else (None, "")
    )
    for item in root.children if root is not None else ():
        shared.append("".join(node.text for node in item.walk() if node.name == "t"))
    sheets = sorted(
        (name for name in archive.names if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)), key=_reading_order
    )
    lines: list[str] = []
    size = 0
    for sheet in sheets:
        root, _ = parse_leniently(archive.read(sheet, PART))
        for row in root.walk() if root is not None else ():
            if row.name != "row":
                continue
            line = "\t".join(value for cell in row.children if (value := _cell(cell, shared)))
            if line:
                lines.append(line)
                size += len(line) + 1
                if size > limit:
                    return Text("\n".join(lines) + "\n", True, sheet)
    return Text("\n".join(lines) + "\n" if lines else "", False, "xl/worksheets")


def _cell(cell: Node, shared: list[str]) -> str:
    """18.3.1.4: type s is an index into the shared strings, inlineStr has its own."""
    value = cell.find("v")
    if cell.attributes.get("t") == "s" and value is not None:
        index = int(value.text) if value.text.strip().isdigit() else -1
        return shared[index] if 0 <= index < len(shared) else ""
    if value is not None:
        return value.text
    return "".join(node.text for node in cell.walk() if node.name == "t")
