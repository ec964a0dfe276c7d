"""HTML and XHTML: metadata of the head, and the words, by the standard library's forgiving parser.

Sources: HTML Living Standard sections 4.2 (document metadata), 13.1 (syntax); Dublin Core in HTML (DC-HTML 2008);
Open Graph protocol.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from mediad_handlers.document.common import put_date, split_keywords
from mediad_handlers.kit.api import Record, Text

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

HEAD = 64 * 1024  # bytes in which the metadata is looked for
WHOLE = 16 * 1024 * 1024  # bytes that are read for the words
META: dict[str, str] = {  # name or property of a meta element, lower case -> field
    "description": "description", "dc.description": "description", "og:description": "description",
    "author": "creators", "dc.creator": "creators", "article:author": "creators", "keywords": "keywords",
    "dc.subject": "keywords", "generator": "software", "dc.title": "title", "og:title": "title",
    "dc.language": "languages", "dc.publisher": "publishers", "og:site_name": "publishers",
    "dc.rights": "copyright", "copyright": "copyright", "rights": "copyright", "dc.identifier": "identifiers",
}  # fmt: skip
LISTS = frozenset(("creators", "languages", "publishers", "identifiers"))
DATES = {"dc.date": "date_created_at", "article:published_time": "date_created_at", "date": "date_created_at",
         "dcterms.created": "date_created_at", "dcterms.modified": "date_modified_at",
         "article:modified_time": "date_modified_at", "last-modified": "date_modified_at"}  # fmt: skip
_SILENT = frozenset(("script", "style", "template", "noscript", "head", "svg", "math"))
_BREAKS = frozenset((
    "p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "header", "footer",
    "blockquote", "pre", "table", "ul", "ol", "dl", "dt", "dd", "figure", "figcaption", "hr", "aside", "nav", "main",
    "title", "option", "caption",
))  # fmt: skip
_CHARSET = re.compile(rb"""<meta[^>]{0,300}charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([A-Za-z0-9_.:-]{1,40})""")
# What a page may name and a locked-down worker can decode; anything else is read as UTF-8, then Windows-1252
# (HTML 13.2.3.3, WHATWG Encoding section 4.2).
CODECS = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-1": "cp1252",
    "latin1": "cp1252", "windows-1252": "cp1252", "iso-8859-15": "iso8859_15", "iso-8859-2": "iso8859_2",
    "windows-1250": "cp1250", "windows-1251": "cp1251", "koi8-r": "koi8_r", "windows-1253": "cp1253",
    "iso-8859-7": "iso8859_7", "windows-1254": "cp1254", "iso-8859-9": "cp1254", "windows-1255": "cp1255",
    "windows-1256": "cp1256", "windows-1257": "cp1257", "windows-1258": "cp1258", "shift_jis": "cp932",
    "shift-jis": "cp932", "sjis": "cp932", "windows-31j": "cp932", "euc-jp": "euc_jp", "gb2312": "gb18030",
    "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5", "euc-kr": "cp949", "utf-16": "utf-16",
    "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "iso-8859-5": "iso8859_5", "koi8-u": "koi8_u",
}  # fmt: skip


def decode(data: bytes) -> tuple[str, str]:
    """(text, the name of its encoding): by the byte order mark, the document's own word, else UTF-8 when it is valid,
    else Windows-1252. Never fails: what does not decode becomes U+FFFD."""
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace"), codec
    head = data[:4096]
    said = _XML_ENCODING.search(head) or _CHARSET.search(head)
    codec = CODECS.get(said[1].decode("ascii").lower(), "") if said else ""
    if codec and not codec.startswith("utf-16"):
        return data.decode(codec, "replace"), codec
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as fault:
        if fault.start >= len(data) - 3 and fault.reason == "unexpected end of data":
            return data.decode("utf-8", "ignore"), "utf-8"  # cut within a character
        return data.decode("cp1252", "replace"), "cp1252"


class _Head(HTMLParser):
    """Title, meta elements and the language of the root."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.language = ""
        self.meta: list[tuple[str, str]] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = values.get("lang") or values.get("xml:lang") or ""
        elif tag == "title":
            self._in_title = not self.title
        elif tag == "meta":
            name = values.get("name") or values.get("property") or values.get("http-equiv") or ""
            if name and values.get("content") and len(self.meta) < 200:
                self.meta.append((name.strip().lower(), values["content"].strip()))

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data


def read_html(file: File, found: Sniffed) -> Record:
    """The record of a page, from its first HEAD bytes."""
    record = Record("document", found.format, found.mime_type)
    text, encoding = decode(file.head[:HEAD])
    parser = _Head()
    parser.feed(text)
    record.put("text_encoding", encoding, "HTML:charset")
    record.put("title", " ".join(parser.title.split()), "HTML:Title")
    if parser.language:
        record.put("languages", [parser.language], "HTML:lang")
    gathered: dict[str, list[str]] = {}
    for name, content in parser.meta:
        if name in DATES:
            put_date(record, DATES[name], content, f"HTML:{name}")
            continue
        field = META.get(name)
        if field is None:
            record.tag(f"HTML:{name}", [content])
        elif field == "keywords":
            gathered.setdefault(field, []).extend(split_keywords(content))
        elif field in LISTS:
            gathered.setdefault(field, []).append(content)
        else:
            record.put(field, content, f"HTML:{name}")
    for field, values in gathered.items():
        record.put(field, list(dict.fromkeys(values)), "HTML:meta")
    return record


class _Words(HTMLParser):
    """Character data outside of what is not shown, a line a block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag in _BREAKS:
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append("\t")
        elif tag == "body":
            self._silent.clear()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def strip_markup(text: str) -> str:
    """The words of an HTML or XHTML text: blanks folded, a line a block."""
    parser = _Words()
    parser.feed(text)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def html_text(file: File, found: Sniffed, limit: int) -> Text:
    """The words of a page."""
    data = file.read(0, min(file.size, WHOLE))
    words = strip_markup(decode(data)[0])
    cut = len(words) > limit
    return Text(words[:limit] + "\n" if words else "", cut or file.size > WHOLE, "HTML body")
