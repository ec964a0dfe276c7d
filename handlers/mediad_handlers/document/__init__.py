"""The `document` handler: PDF, Office Open XML, OpenDocument, old Office, EPUB, MOBI, RTF, HTML, plain text, Markdown,
subtitles and lyrics files.

Fields: sections 3 and 7 of the vocabulary (mediadb_contract/fields.json). Payloads: document.payloads.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import Handler, HandlerError, Match, Preview, Record, Text
from mediad_handlers.kit.sniff import Sniffed, recognise

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Payload
    from mediad_handlers.kit.file import File

_OFFICE = ("docx", "xlsx", "pptx")
_OPEN = ("odt", "ods", "odp", "odg")
_OLE = ("doc", "xls", "ppt")
_PLAIN = ("txt", "markdown", "csv", "json", "xml", "srt", "vtt", "ass", "sub", "lrc")
# format -> (module, reader, words)
FORMATS: dict[str, tuple[str, str, str]] = {
    "pdf": ("pdf", "read_pdf", ""),
    "epub": ("epub", "read_epub", "epub_text"),
    "rtf": ("rtf", "read_rtf", "rtf_text"),
    "html": ("markup", "read_html", "html_text"),
    "mobi": ("mobi", "read_mobi", "mobi_text"),
    "ps": ("drawn", "read_postscript", ""),
    "eps": ("drawn", "read_postscript", ""),
    "indd": ("drawn", "read_indesign", ""),
    "djvu": ("drawn", "read_djvu", ""),
    **dict.fromkeys(_OFFICE, ("office", "read_office", "office_text")),
    **dict.fromkeys(_OPEN, ("opendocument", "read_opendocument", "opendocument_text")),
    **dict.fromkeys(_OLE, ("ole", "read_ole", "ole_text")),
    **dict.fromkeys(_PLAIN, ("plain", "read_plain", "plain_text")),
}


@cache
def _function(module: str, name: str) -> Callable[..., Any]:
    """A reader, its module imported at its first file (the kit's preload names them all)."""
    package = "image" if module == "drawn" else "document"  # PostScript and its like carry what pictures carry
    found: Callable[..., Any] = getattr(importlib.import_module(f"mediad_handlers.{package}.{module}"), name)
    return found


def _recognise(file: File) -> Sniffed:
    found = recognise(file)
    if not file.size and (found is None or found.format not in (*_PLAIN, "html")):  # a text may be empty
        raise HandlerError("corrupt", "the file is empty")
    if found is None:
        raise HandlerError("unsupported", "no document format was recognised", hint="file")
    if found.handler != "document":
        raise HandlerError("unsupported", f"this is {found.format}, not a document", hint=found.handler)
    return found


def read(file: File) -> Record:
    """The record of a document. Raises HandlerError: `unsupported` for what is no document or not read here,
    `corrupt`, `limit`, `io`."""
    found = _recognise(file)
    row = FORMATS.get(found.format)
    if row is None:
        raise HandlerError("unsupported", f"{found.format} is not read")
    function = _function(row[0], row[1])
    record: Record = function(file) if row[0] == "drawn" else function(file, found)
    record.payload = payload(file)
    return record


def payload(file: File) -> Payload:
    """The payload of a document (document.payloads). Raises HandlerError as `read` does."""
    found = _recognise(file)
    chosen: Payload = _function("payloads", "payload_of")(file, found)
    return chosen


def text(file: File, limit: int) -> Text:
    """The words of a document, at most `limit` bytes of UTF-8. Raises HandlerError: `unsupported` where there are
    none."""
    found = _recognise(file)
    row = FORMATS.get(found.format)
    if row is None or row[0] == "drawn":
        raise HandlerError("unsupported", f"no words are known in {found.format}")
    module, name = ("pdftext", "pdf_text") if found.format == "pdf" else (row[0], row[2])
    words: Text = _function(module, name)(file, found, limit)
    return words


def preview(file: File, size: int) -> Preview:
    """The preview of a file (mediad_handlers.preview). Raises HandlerError."""
    from mediad_handlers.preview import make

    return make(HANDLER, file, size)


def list_sources() -> Mapping[str, Sequence[str]]:
    """{field: native tags it is read from}, for `--describe`."""
    from mediad_handlers.sources import list_document

    return list_document()


HANDLER = Handler(
    name="document",
    version=1,
    summary="documents: PDF, DOCX XLSX PPTX, ODT ODS ODP, DOC XLS PPT, EPUB, MOBI, RTF, HTML, text, subtitles",
    kinds=("document",),
    match=Match(
        extensions=(
            "pdf", "docx", "docm", "dotx", "dotm", "xlsx", "xlsm", "xltx", "pptx", "pptm", "ppsx", "potx", "odt",
            "ods", "odp", "odg", "ott", "ots", "otp", "doc", "dot", "xls", "xlt", "ppt", "pps", "epub", "mobi", "azw",
            "azw3", "prc", "rtf", "html", "htm", "xhtml", "txt", "text", "md", "markdown", "csv", "srt", "vtt", "ass",
            "ssa", "lrc", "ps", "eps", "epsf", "ai", "indd", "djvu", "djv",
        ),
        mime_types=(
            "application/pdf", "application/epub+zip", "application/rtf", "application/msword",
            "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/x-mobipocket-ebook", "text/plain",
            "text/html", "text/markdown", "text/csv", "application/x-subrip", "text/vtt",
        ),
        magic=((0, b"%PDF-"), (0, b"{\\rtf"), (60, b"BOOKMOBI")),
    ),
    read=read,
    sources=list_sources,
    preview=preview,
    payload=payload,
    text=text,
    fields=(
        "title", "subject", "description", "creators", "contributors", "publishers", "copyright", "licenses",
        "rights_url", "keywords", "languages", "identifiers", "isbn", "series", "series_index", "category", "status",
        "version", "rating", "color_label", "document_id", "original_document_id", "instance_id", "source",
        "date_released", "date_created_at", "date_created_at_local", "date_created_at_precision", "date_modified_at",
        "date_modified_at_local", "date_modified_at_precision", "date_printed_at", "date_printed_at_local",
        "date_printed_at_precision", "software", "producer", "company", "manager", "last_modified_by", "template",
        "format_version", "page_count", "page_width", "page_height", "word_count", "character_count", "line_count",
        "paragraph_count", "revision", "editing_time", "linearized", "tagged", "encrypted", "permissions",
        "conformance", "trapped", "has_forms", "has_signatures", "attachments", "text_encoding", "newlines", "bom",
        "pictures", "artist_credit", "album", "width", "height", "headline", "credit", "city", "state", "country",
        "instructions", "urgency", "supplemental_categories", "job_id", "author_title", "date_taken",
        "date_taken_local", "date_taken_precision", "location", "country_code", "people", "orientation",
        "display_width",
        "display_height", "megapixels",
    ),
    preload=(
        *(f"mediad_handlers.document.{one}" for one in ("epub", "markup", "mobi", "office", "ole", "opendocument",
                                                        "payloads", "pdf", "pdftext", "plain", "rtf")),
        "mediad_handlers.image.drawn", "mediad_handlers.image.makernotes", "zipfile", "encodings.cp437",
        "encodings.cp1250", "encodings.cp1251", "encodings.cp1252", "encodings.cp1253",
        "encodings.cp1254", "encodings.cp1255", "encodings.cp1256", "encodings.cp1257", "encodings.cp1258",
        "encodings.cp850", "encodings.cp852", "encodings.cp860", "encodings.cp862", "encodings.cp863",
        "encodings.cp864", "encodings.cp865", "encodings.cp866", "encodings.cp874", "encodings.cp932",
        "encodings.cp949", "encodings.cp950", "encodings.gb18030", "encodings.big5", "encodings.euc_jp",
        "encodings.johab", "encodings.koi8_r", "encodings.koi8_u", "encodings.mac_roman", "encodings.iso8859_2",
        "encodings.iso8859_5", "encodings.iso8859_7", "encodings.iso8859_15", "encodings.latin_1", "encodings.utf_16",
        "encodings.utf_16_le", "encodings.utf_16_be", "encodings.utf_32_le", "encodings.utf_32_be",
    ),
    limits={"read": {"memory": 128 * 1024 * 1024, "seconds": 10}},
)  # fmt: skip


def main() -> int:
    """The command `document-handler`; its exit status."""
    from mediad_handlers.kit.main import run

    return run("document", lambda: (HANDLER,))
