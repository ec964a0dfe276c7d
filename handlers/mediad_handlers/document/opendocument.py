"""OpenDocument: ODT, ODS, ODP, ODG.

Source: OASIS ODF 1.3 part 3 section 4.3 (metadata), 4.3.2.18 (document statistic), 16.5 (page layout), part 2 section 3
(package). Groups and names of tags are ExifTool's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mediad_handlers.document.common import put_date, put_integer
from mediad_handlers.kit import pictures
from mediad_handlers.kit.api import HandlerError, Record, Text
from mediad_handlers.readers.xml import Node, parse_leniently
from mediad_handlers.readers.zip import open_archive

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

META = 1024 * 1024
PART = 16 * 1024 * 1024
TEXTS = {"title": ("title", "XMP-dc:Title"), "subject": ("subject", "XMP-dc:Subject"),
         "description": ("description", "XMP-dc:Description"), "generator": ("software", "XMP-meta:Generator"),
         "creator": ("last_modified_by", "XMP-dc:Creator")}  # fmt: skip
DATES = {"creation-date": ("date_created_at", "XMP-meta:Creation-date"), "date": ("date_modified_at", "XMP-dc:Date"),
         "print-date": ("date_printed_at", "XMP-meta:Print-date")}  # fmt: skip
COUNTS = {"page-count": "page_count", "word-count": "word_count", "character-count": "character_count",
          "paragraph-count": "paragraph_count", "row-count": "line_count"}  # fmt: skip
UNITS = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72, "pc": 25.4 / 6}  # XSL 1.1 section 5.9.13
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?", re.ASCII)
_BLOCKS = frozenset(("p", "h"))
_SKIPPED = frozenset(("tracked-changes", "annotation", "meta"))


def read_opendocument(file: File, found: Sniffed) -> Record:
    """The record of an OpenDocument file. Raises HandlerError `corrupt`."""
    record = Record("document", found.format, found.mime_type)
    archive = open_archive(file)
    manifest = archive.read("META-INF/manifest.xml", META)
    if b"encryption-data" in manifest:
        record.put("encrypted", True, "META-INF/manifest.xml")
    root = None
    try:
        root, fault = parse_leniently(archive.read("meta.xml", META))
        if fault and "meta.xml" in archive:
            record.warnings.append(f"meta.xml: {fault}")
    except HandlerError as error:
        record.warnings.append(f"meta.xml: {error.message}")
    if root is not None:
        version = root.attributes.get("version")
        record.put("format_version", version, "XMP-office:Version")
        _read_meta(record, root.find("meta") or root)
    _read_page_size(record, archive.read("styles.xml", PART))
    if "Thumbnails/thumbnail.png" in archive:
        record.put("pictures", [{"type": "preview", "mime": "image/png"}], "File:PreviewPNG")
        if pictures.wanted():
            pictures.keep(pictures.Inside("preview", archive.read("Thumbnails/thumbnail.png", PART)))
    return record


def _read_meta(record: Record, meta: Node) -> None:
    keywords: list[str] = []
    for node in meta.children:
        text = node.all_text().strip()
        if node.name == "document-statistic":
            for key, value in node.attributes.items():
                if key in COUNTS:
                    put_integer(record, COUNTS[key], value, f"XMP-meta:Document-statistic{key.capitalize()}")
                else:
                    record.tag(f"XMP-meta:Document-statistic{key.capitalize()}", [value])
        elif node.name == "template":
            record.put("template", node.attributes.get("title") or node.attributes.get("href"), "XMP-meta:Template")
        elif not text:
            continue
        elif node.name == "initial-creator":
            record.put("creators", [text], "XMP-meta:Initial-creator")
        elif node.name in TEXTS:
            record.put(*TEXTS[node.name][:1], text, TEXTS[node.name][1])
        elif node.name in DATES:
            put_date(record, DATES[node.name][0], text, DATES[node.name][1])
        elif node.name == "keyword":
            keywords.append(text)
        elif node.name == "language":
            record.put("languages", [text], "XMP-dc:Language")
        elif node.name == "editing-cycles":
            put_integer(record, "revision", text, "XMP-meta:Editing-cycles")
        elif node.name == "editing-duration":
            record.put("editing_time", _seconds(text), "XMP-meta:Editing-duration")
        elif node.name == "user-defined":
            record.tag(f"XMP-meta:{node.attributes.get('name', 'User-defined')}", [text])
        else:
            record.tag(f"XMP-{'dc' if 'purl.org/dc' in node.space else 'meta'}:{node.name.capitalize()}", [text])
    record.put("keywords", keywords, "XMP-meta:Keyword")
    if "creators" not in record.fields and "last_modified_by" in record.fields:
        record.put("creators", [record.fields["last_modified_by"]], "XMP-dc:Creator")


def _seconds(text: str) -> int | None:
    """An ISO 8601 duration; years and months, which have no length, make it absent."""
    found = _DURATION.fullmatch(text)
    if found is None or found[1] or found[2]:
        return None
    days, hours, minutes, seconds = (int(found[part] or 0) for part in (3, 4, 5, 6))
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds or None


def _read_page_size(record: Record, styles: bytes) -> None:
    found = re.search(rb"<style:page-layout-properties ([^>]{1,2000})>", styles)
    if found is None:
        return
    for name, key in (("page_width", rb"fo:page-width"), ("page_height", rb"fo:page-height")):
        size = re.search(key + rb'="([\d.]{1,12})(mm|cm|in|pt|pc)"', found[1])
        if size is not None and size[1].count(b".") < 2:
            record.put(name, round(float(size[1]) * UNITS[size[2].decode()], 1) or None, f"styles.xml:{key.decode()}")


# ---------------------------------------------------------------- words


def opendocument_text(file: File, found: Sniffed, limit: int) -> Text:
    """The paragraphs and headings of content.xml; a spreadsheet's rows a line each. Raises HandlerError `corrupt`."""
    root, fault = parse_leniently(open_archive(file).read("content.xml", PART))
    if root is None:
        raise HandlerError("corrupt", f"content.xml: {fault}")
    lines: list[str] = []
    size = 0
    for line in _rows(root) if found.format == "ods" else _paragraphs(root):
        lines.append(line)
        size += len(line) + 1
        if size > limit:
            return Text("\n".join(lines) + "\n", True, "content.xml")
    return Text("\n".join(lines) + "\n" if lines else "", False, "content.xml")


def _paragraphs(root: Node) -> Iterator[str]:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.name in _SKIPPED:
            continue
        if node.name in _BLOCKS:
            line = "".join(_inline(node))
            if line.strip():
                yield line
            stack.extend(
                reversed([child for child in node.children if child.name in ("frame", "custom-shape", "note")])
            )
        else:
            stack.extend(reversed(node.children))


def _inline(node: Node) -> Iterator[str]:
    """Text with its spaces (text:s), tabs and line breaks; frames and notes are paragraphs of their own."""
    yield node.text
    for child in node.children:
        if child.name == "s":
            count = child.attributes.get("c", "1")
            yield " " * min(int(count) if count.isdigit() else 1, 100)
        elif child.name == "tab":
            yield "\t"
        elif child.name == "line-break":
            yield "\n"
        elif child.name not in ("frame", "custom-shape", "note", "annotation"):
            yield from _inline(child)
        yield child.tail


def _rows(root: Node) -> Iterator[str]:
    for row in root.walk():
        if row.name == "table-row":
            cells = ["\n".join(_paragraphs(cell)) for cell in row.children if cell.name == "table-cell"]
            line = "\t".join(cell for cell in cells if cell)
            if line:
                yield line
