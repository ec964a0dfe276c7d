"""What of a document is its payload (docs/handlers.md, What counts as payload).

`zip-members/1`     OOXML, ODF, EPUB: the members that are content, decoded, in the order of their names. The prefix has
                    of each its name, CRC-32 and size, from the central directory: the fingerprint inflates nothing.
`pdf-pages/1`       the decoded content streams and pictures of the pages in order. The prefix has the number of pages
                    and, of the first two, the digest of their contents.
`ole-streams/1`     DOC, XLS, PPT: all streams but the property sets, in the order of their names.
`rtf-body/1`        RTF without its information group.
`mobi-records/1`    MOBI: the records behind the header's.
Everything else is `whole/1`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import Payload
from mediad_handlers.kit.fingerprint import whole
from mediad_handlers.readers.zip import Archive, Member, open_archive

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

# Members that say something about the document, or that every program writes anew.
NOT_CONTENT = {
    "office": re.compile(r"docProps/.*|\[Content_Types\]\.xml|(.*/)?_rels/.*|package/.*|customXml/.*"),
    "opendocument": re.compile(
        r"meta\.xml|settings\.xml|manifest\.rdf|mimetype|META-INF/.*|Thumbnails/.*|Configurations2/.*"
    ),
    "epub": re.compile(r"mimetype|META-INF/.*|.*\.opf|.*\.ncx|.*calibre_bookmarks\.txt"),
}
FAMILY = {"docx": "office", "xlsx": "office", "pptx": "office", "odt": "opendocument", "ods": "opendocument",
          "odp": "opendocument", "odg": "opendocument", "epub": "epub"}  # fmt: skip
MAX_PAGES = 20_000
CONTENT = 8 * 1024 * 1024
PICTURE = 16 * 1024 * 1024
OLE_STREAM = 64 * 1024 * 1024


def payload_of(file: File, found: Sniffed) -> Payload:
    """The payload of a document. Raises HandlerError `corrupt` for a container that cannot be opened."""
    family = FAMILY.get(found.format)
    if family is not None:
        return _zip_payload(file, NOT_CONTENT[family])
    if found.format == "pdf":
        return _pdf_payload(file)
    if found.format in ("doc", "xls", "ppt"):
        return _ole_payload(file)
    if found.format == "rtf":
        return _rtf_payload(file)
    if found.format == "mobi":
        return _mobi_payload(file)
    return whole(file)


def _zip_payload(file: File, without: re.Pattern[str]) -> Payload:
    archive = open_archive(file)
    members = [one for one in archive.members() if not without.fullmatch(one.name)]
    if not members:
        return whole(file)
    rows = (one.name.encode("utf-8", "replace") + b"\0" + one.crc.to_bytes(4, "big") + one.size.to_bytes(8, "big")
            for one in members)  # fmt: skip
    digest = blake2b(digest_size=32)
    for row in rows:
        digest.update(row)
    return Payload("zip-members/1", (), digest.digest(), lambda: _decoded_members(archive, members))


def _decoded_members(archive: Archive, members: list[Member]) -> Iterator[bytes]:
    for member in members:
        yield member.name.encode("utf-8", "replace") + b"\0" + member.size.to_bytes(8, "big")
        yield from archive.iterate(member.name)


def _pdf_payload(file: File) -> Payload:
    from mediad_handlers.document.pdf import iterate_pages
    from mediad_handlers.document.pdftext import contents
    from mediad_handlers.readers.pdf import open_pdf

    pdf = open_pdf(file)
    if pdf.security is not None and not pdf.security.readable:
        return whole(file)
    count = pdf.resolve(pdf.dictionary(pdf.catalog.get("Pages")).get("Count"))
    prefix = (count if type(count) is int and 0 <= count < 1 << 31 else 0).to_bytes(4, "big")
    pages = iterate_pages(pdf, 2)
    if not pages:
        return whole(file)
    for page, _ in pages:
        prefix += blake2b(contents(pdf, page), digest_size=16).digest()
    return Payload("pdf-pages/1", (), prefix, lambda: _decoded_pages(pdf))


def _decoded_pages(pdf: Any) -> Iterator[bytes]:
    from mediad_handlers.document.pdf import iterate_pages
    from mediad_handlers.document.pdftext import contents
    from mediad_handlers.readers.pdf import Ref, Stream

    seen: set[int] = set()
    for page, inherited in iterate_pages(pdf, MAX_PAGES):
        data = contents(pdf, page)
        yield len(data).to_bytes(8, "big")
        yield data
        resources = pdf.dictionary(page.get("Resources") or inherited.get("Resources"))
        for _, reference in sorted(pdf.dictionary(resources.get("XObject")).items()):
            if isinstance(reference, Ref) and reference.number not in seen:
                seen.add(reference.number)
                stream = pdf.resolve(reference)
                if isinstance(stream, Stream) and stream.values.get("Subtype") in ("Image", "Form"):
                    data = pdf.decode(stream, PICTURE, pictures=True)
                    yield len(data).to_bytes(8, "big")
                    yield data


def _ole_payload(file: File) -> Payload:
    from mediad_handlers.readers.ole import open_ole

    ole = open_ole(file)
    entries = sorted((one for one in ole.entries.values() if not one.name.startswith("\x05")), key=lambda one: one.path)
    if not entries:
        return whole(file)
    digest = blake2b(digest_size=32)
    for one in entries:
        digest.update(one.path.encode("utf-8", "replace") + b"\0" + one.size.to_bytes(8, "big"))
        digest.update(ole.read(one.path, 4096))

    def decoded() -> Iterator[bytes]:
        for one in entries:
            yield one.path.encode("utf-8", "replace") + b"\0" + one.size.to_bytes(8, "big")
            yield ole.read(one.path, min(one.size, OLE_STREAM))

    return Payload("ole-streams/1", (), digest.digest(), decoded)


def _rtf_payload(file: File) -> Payload:
    from mediad_handlers.document.rtf import find_info

    start, end = find_info(file.head)
    if start < 0:
        return Payload("rtf-body/1", ((0, file.size),))
    return Payload("rtf-body/1", ((0, start), (end, file.size - end)))


def _mobi_payload(file: File) -> Payload:
    from mediad_handlers.document.mobi import list_records

    offsets = list_records(file)
    if len(offsets) < 2 or offsets[1] >= file.size:
        return whole(file)
    return Payload("mobi-records/1", ((offsets[1], file.size - offsets[1]),))
