"""Which native tags each handler reads a field from, for `--describe`: gathered from the tables that the readers use.

Stream facts (duration, codec, size ...) come from headers without a name of their own and have no row.
"""

from __future__ import annotations

from collections.abc import Iterable

Sources = dict[str, list[str]]


def _gather(pairs: Iterable[tuple[str, str]]) -> Sources:
    """{field: its sources in order, each once} of (field, source) pairs."""
    found: Sources = {}
    for field, source in pairs:
        rows = found.setdefault(field, [])
        if source not in rows:
            rows.append(source)
    return found


def list_audio() -> Sources:
    """ID3v2, Vorbis comments, iTunes atoms, APEv2, ASF, RIFF INFO."""
    from mediad_handlers.audio.tables import CONTAINERS, ROWS

    groups = {"id3": "ID3v2", "vorbis": "Vorbis", "mp4": "ItemList", "ape": "APE", "asf": "ASF", "info": "RIFF"}
    return _gather(
        (row[0], f"{groups[container]}:{key}")
        for row in ROWS
        for container, cell in zip(CONTAINERS, row[2:], strict=True)
        for key in filter(None, cell.split("|"))
    )


def list_image() -> Sources:
    """EXIF, XMP, IPTC-IIM."""
    from mediad_handlers.image import exif, iptc, xmp

    exif_rows = [(row[0], row[1]) for table in (exif.IFD0, exif.EXIF_IFD, exif.XP) for row in table.values()]
    xmp_rows = [(row[0], f"XMP-{key}") for key, row in xmp.TABLE.items()]
    iptc_rows = [(field, f"IPTC:{tag}") for table in (iptc.SINGLE, iptc.LISTS) for field, tag in table.values()]
    return _gather([*exif_rows, *xmp_rows, *iptc_rows])


def list_video() -> Sources:
    """iTunes atoms and QuickTime keys, Matroska tags, RIFF INFO, ASF attributes."""
    from mediad_handlers.video import asf, avi, matroska, mp4tags

    return _gather([
        *((field, f"ItemList:{key.decode('latin-1')}") for key, field in mp4tags.TEXT.items()),
        *((field, f"Keys:{key}") for key, field in mp4tags.KEYS.items()),
        *((field, f"Matroska:{key}") for key, field in matroska.TAG_FIELDS.items()),
        *((field, f"RIFF:{key.decode('latin-1')}") for key, field in avi.INFO.items()),
        *((field, f"ASF:{key}") for key, field in asf.ATTRIBUTES.items()),
    ])  # fmt: skip


def list_document() -> Sources:
    """PDF information and XMP, Office Open XML, OpenDocument, EPUB, OLE property sets, RTF, MOBI."""
    from mediad_handlers.document import epub, mobi, office, ole, opendocument, pdf, rtf

    pairs: list[tuple[str, str]] = [
        *((field, f"XMP-{key}") for table in (pdf.XMP_TEXT, pdf.XMP_LIST, pdf.XMP_DATE) for key,
        field in table.items()),
        *((field, f"PDF:{key}") for key, field in pdf.INFO_TEXT.items()),
        *((field, f"PDF:{tag}") for field, tag in pdf.INFO_DATE.values()), ("creators", "PDF:Author"),
        ("keywords", "PDF:Keywords"), *office.CORE.values(), *office.DATES.values(), ("creators", "XMP-dc:Creator"),
        ("keywords", "XML:Keywords"), *((field, f"XML:{key}") for key, field in office.APP_TEXT.items()),
        *((field, f"XML:{key}") for key, field in office.APP_COUNT.items()), *opendocument.TEXTS.values(),
        *opendocument.DATES.values(), ("keywords", "XMP-meta:Keyword"), ("creators", "XMP-meta:Initial-creator"),
        *((field, f"XML-dc:{key}") for table in (epub.TEXTS, epub.LISTS) for key, field in table.items()),
    ]  # fmt: skip
    for table in (ole.SUMMARY_TEXT, ole.SUMMARY_COUNT, ole.SUMMARY_DATE, ole.DOCUMENT_TEXT, ole.DOCUMENT_COUNT):
        pairs += [(field, f"FlashPix:{tag}") for field, tag in table.values()]
    pairs += [(field, f"RTF:{key}") for key, field in rtf.INFO.items()]
    pairs += [(field, f"RTF:{tag}") for table in (rtf.COUNTS, rtf.DATES) for field, tag in table.values()]
    pairs += [(field, f"MOBI:{tag}") for field, tag in mobi.EXTH_TEXT.values()]
    return _gather(pairs)
