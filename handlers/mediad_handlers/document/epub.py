"""EPUB 2 and 3.

Sources: W3C EPUB 3.3 section 5 (package document: metadata, manifest, spine), EPUB OCF 3.3 section 4.2.6.3.1
(container.xml); IDPF OPF 2.0.1 section 2.2 (role, file-as); calibre's `meta name="calibre:series"`.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mediad_handlers.document.common import put_date
from mediad_handlers.document.markup import decode, strip_markup
from mediad_handlers.kit.api import HandlerError, Record, Text
from mediad_handlers.kit.pictures import Inside, keep, wanted
from mediad_handlers.readers.xml import Node, parse_leniently
from mediad_handlers.readers.zip import Archive, open_archive

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

CONTAINER = 64 * 1024
PACKAGE = 4 * 1024 * 1024
CHAPTER = 8 * 1024 * 1024
COVER = 16 * 1024 * 1024
LISTS = {"language": "languages", "publisher": "publishers", "identifier": "identifiers", "subject": "keywords"}
TEXTS = {"title": "title", "description": "description", "rights": "copyright", "source": "source"}
_ISBN = re.compile(r"(?:urn:isbn:|isbn:?\s*)?((?:97[89][- ]?)?(?:\d[- ]?){9}[\dXx])", re.IGNORECASE)
_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_MARKUP = re.compile(r"<[a-zA-Z/][^>]{0,500}>")


class Package:
    """The package document of an EPUB: `path` in the archive, `root`, its metadata and manifest items by id."""

    def __init__(self, archive: Archive) -> None:
        root, fault = parse_leniently(archive.read("META-INF/container.xml", CONTAINER))
        names = (
            [node.attributes.get("full-path", "") for node in root.walk() if node.name == "rootfile"] if root else []
        )
        usual = [name for name in archive.names if name.endswith(".opf")]
        self.path = next((name for name in [*names, *usual] if name in archive), "")
        if not self.path:
            raise HandlerError("corrupt", f"no package document is named in META-INF/container.xml: {fault or 'none'}")
        found, fault = parse_leniently(archive.read(self.path, PACKAGE))
        if found is None:
            raise HandlerError("corrupt", f"{self.path}: {fault}")
        self.root = found
        manifest = found.find("manifest")
        self.items = {one.attributes.get("id", ""): one.attributes for one in (manifest.children if manifest else ())}

    def resolve(self, href: str) -> str:
        """A manifest's href as a name in the archive."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.path), unquote(href)))


def read_epub(file: File, found: Sniffed) -> Record:
    """The record of a book. Raises HandlerError `corrupt`."""
    record = Record("document", found.format, found.mime_type)
    archive = open_archive(file)
    package = Package(archive)
    if "META-INF/encryption.xml" in archive and b"adept" in archive.read("META-INF/encryption.xml", CONTAINER):
        record.put("encrypted", True, "META-INF/encryption.xml")
    record.put("format_version", package.root.attributes.get("version"), "package:version")
    metadata = package.root.find("metadata")
    if metadata is not None:
        children = metadata.children
        inner = [one for one in children if one.name in ("dc-metadata", "x-metadata")]  # OEBPS 1.2
        _read_metadata(record, [*children, *(node for one in inner for node in one.children)], package)
    _put_cover(record, archive, package)
    return record


def _read_metadata(record: Record, nodes: list[Node], package: Package) -> None:
    lists: dict[str, list[str]] = {}
    refined: dict[str, tuple[str, float | None]] = {}
    for node in nodes:
        text = node.all_text().strip()
        if node.name == "meta":
            _read_meta(record, node, text, refined)
        elif not text:
            continue
        elif node.name in TEXTS:
            text = strip_markup(text) if node.name == "description" and _MARKUP.search(text) else text
            record.put(TEXTS[node.name], text, f"XML-dc:{node.name.capitalize()}")
        elif node.name == "creator":
            lists.setdefault("creators", []).append(text)
            if node.attributes.get("file-as"):
                record.tag("XML-dc:CreatorFile-as", [node.attributes["file-as"]])
            if node.attributes.get("role"):
                record.tag("XML-dc:CreatorRole", [node.attributes["role"]])
        elif node.name == "contributor":
            lists.setdefault("contributors", []).append(text)
        elif node.name in LISTS:
            lists.setdefault(LISTS[node.name], []).append(text)
            isbn = _ISBN.fullmatch(text) if node.name == "identifier" else None
            if isbn and ("isbn" in text.lower() or node.attributes.get("scheme", "").upper() == "ISBN"):
                record.put("isbn", isbn[1].replace("-", "").replace(" ", "").upper(), "XML-dc:Identifier")
        elif node.name == "date":
            _put_date(record, node, text)
        else:
            record.tag(f"XML-dc:{node.name.capitalize()}", [text])
    for name, values in lists.items():
        source = {"creators": "Creator", "contributors": "Contributor", "languages": "Language",
                  "publishers": "Publisher", "identifiers": "Identifier", "keywords": "Subject"}[name]  # fmt: skip
        record.put(name, list(dict.fromkeys(values)), f"XML-dc:{source}")
    for identifier, (name, index) in refined.items():
        if index is not None and identifier:
            record.put("series", name, "XML:belongs-to-collection")
            record.put("series_index", index, "XML:group-position")


def _put_date(record: Record, node: Node, text: str) -> None:
    event = node.attributes.get("event", "")
    if event == "modification":
        put_date(record, "date_modified_at", text, "XML-dc:Date")
        return
    found = _PARTIAL.match(text)
    if found is not None and event in ("", "publication", "original-publication"):
        record.put("date_released", found[0], "XML-dc:Date")
    if event in ("", "creation", "publication"):
        put_date(record, "date_created_at", text, "XML-dc:Date")


def _read_meta(record: Record, node: Node, text: str, collections: dict[str, tuple[str, float | None]]) -> None:
    """EPUB 2: name and content; EPUB 3: property and text, which may refine another element."""
    name, content = node.attributes.get("name", ""), node.attributes.get("content", "")
    if name == "calibre:series":
        record.put("series", content, "XML:calibre:series")
    elif name == "calibre:series_index":
        record.put("series_index", _number(content), "XML:calibre:series_index")
    elif name == "calibre:rating":
        rating = _number(content)
        record.put("rating", rating / 2 if rating is not None and 0 < rating <= 10 else None, "XML:calibre:rating")
    elif name and content:
        record.tag(f"XML:{name}", [content])
    kind = node.attributes.get("property", "")
    if kind == "dcterms:modified":
        put_date(record, "date_modified_at", text, "XML:dcterms:modified")
    elif kind == "belongs-to-collection" and text:
        collections[node.attributes.get("id", "")] = (text, None)
    elif kind == "group-position":
        target = node.attributes.get("refines", "").lstrip("#")
        if target in collections:
            collections[target] = (collections[target][0], _number(text))
    elif kind and text:
        record.tag(f"XML:{kind}", [text])


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text.strip()) else None


def _put_cover(record: Record, archive: Archive, package: Package) -> None:
    """EPUB 3: the item with the property cover-image; EPUB 2: `meta name="cover"` names the item."""
    named = record.tags.get("XML:cover", [""])[0]
    for identifier, item in package.items.items():
        if "cover-image" in item.get("properties", "").split() or (named and identifier == named):
            path = package.resolve(item.get("href", ""))
            mime = item.get("media-type", "")
            if path in archive and mime.startswith("image/"):
                size = next((one.size for one in archive.members() if one.name == path), 0)
                if wanted():
                    keep(Inside("front_cover", archive.read(path, COVER)))
                record.put("pictures", [{"type": "cover_front", "mime": mime, "size": size}], "XML:cover")
            return


def epub_text(file: File, found: Sniffed, limit: int) -> Text:
    """The chapters in the order of the spine. Raises HandlerError `corrupt`."""
    archive = open_archive(file)
    package = Package(archive)
    spine = package.root.find("spine")
    words: list[str] = []
    size = 0
    for reference in spine.children if spine is not None else ():
        item = package.items.get(reference.attributes.get("idref", ""))
        name = package.resolve(item.get("href", "")) if item is not None else ""
        if name not in archive:
            continue
        chapter = strip_markup(decode(archive.read(name, CHAPTER))[0])
        words.append(chapter)
        size += len(chapter) + 1
        if size > limit:
            return Text("\n".join(words) + "\n", True, "spine")
    return Text("\n".join(words) + "\n" if words else "", False, "spine")
