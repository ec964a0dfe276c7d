"""Where a RAW file of TIFF's structure keeps its JPEG pictures.

Sources: TIFF 6.0 section 22 (JPEGInterchangeFormat), supplement 1 (SubIFDs); DNG 1.7 (previews as strips of compression
7); TIFF/EP. Makers that place them in their notes (Olympus, Pentax, Samsung) are met by a search of the file's first
part for the beginning of a JPEG: what is found there is walked like any other.
"""

from __future__ import annotations

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File
from mediad_handlers.kit.pictures import Inside
from mediad_handlers.readers.jpeg import read_header
from mediad_handlers.readers.tiff import Tiff

_MARKS = (b"II", b"MM")
_COMPRESSION, _STRIPS, _LENGTHS, _JPEG, _JPEG_LENGTH, _SUBIFDS = 0x0103, 0x0111, 0x0117, 0x0201, 0x0202, 0x014A
_EXIF, _PANASONIC = 0x8769, 0x002E
_WANTED = frozenset((_COMPRESSION, _STRIPS, _LENGTHS, _JPEG, _JPEG_LENGTH, _SUBIFDS, _EXIF, _PANASONIC))
_SHORT, _KINDS = 3, {3: 2, 4: 4, 13: 4}  # field types that are offsets or counts, and their bytes
_MAX_DIRECTORIES, _MAX_ENTRIES, _MAX_SUBIFDS = 32, 1024, 16
_SEARCHED = 8 * 1024 * 1024  # bytes of the file's beginning
_MAX_FOUND = 64
_BASELINE = frozenset((0xC0, 0xC1, 0xC2))  # what a viewer decodes; 0xC3, lossless, holds the sensor's samples


def list_pictures(file: File) -> list[Inside]:
    """The JPEG pictures of a TIFF structure that a viewer can decode, with their sizes; none of another file."""
    if file.head[:2] not in _MARKS:
        return []
    places: list[tuple[int, int]] = []
    try:
        tiff = Tiff(file.head, file.read)
    except HandlerError as fault:
        if fault.code == "io":
            raise
        return []
    waiting, visited = [tiff.first], set[int]()
    while waiting and len(visited) < _MAX_DIRECTORIES:
        offset = waiting.pop()
        if 0 < offset < file.size and offset not in visited:
            visited.add(offset)
            rows, following = _read_rows(tiff, offset)
            waiting += [following, *rows.get(_SUBIFDS, [])[:_MAX_SUBIFDS], *rows.get(_EXIF, [])[:1]]
            places += _places(tiff, rows)
    found = [picture for place in dict.fromkeys(places) if (picture := describe(file, *place)) is not None]
    return found or _search(file)


def _read_rows(tiff: Tiff, offset: int) -> tuple[dict[int, list[int]], int]:
    """The wanted entries of a directory as numbers, and the next directory's offset. Panasonic's JPEG is bytes: its
    entry gives (offset, length)."""
    layout = tiff.layout
    head = tiff.bytes_at(offset, layout.number.size)
    count = layout.number.unpack(head)[0] if len(head) == layout.number.size else 0
    if not 0 < count <= _MAX_ENTRIES:
        return {}, 0
    size = layout.entry.size
    table = tiff.bytes_at(offset + layout.number.size, count * size + layout.offset.size)
    rows: dict[int, list[int]] = {}
    for tag, kind, length, field in layout.entry.iter_unpack(table[: min(count, len(table) // size) * size]):
        if tag == _PANASONIC and length > layout.inline:
            rows[tag] = [field, length]
        elif tag in _WANTED and kind in _KINDS and 0 < length <= _MAX_SUBIFDS:
            width = _KINDS[kind]
            inline = length * width <= layout.inline
            raw = field.to_bytes(layout.inline, layout.name) if inline else tiff.bytes_at(field, length * width)
            rows[tag] = [int.from_bytes(raw[at : at + width], layout.name) for at in range(0, length * width, width)]
    if len(table) < count * size + layout.offset.size:
        return rows, 0
    return rows, layout.offset.unpack_from(table, count * size)[0]


def _places(tiff: Tiff, rows: dict[int, list[int]]) -> list[tuple[int, int]]:
    found = []
    if _JPEG in rows and _JPEG_LENGTH in rows:
        found.append((rows[_JPEG][0], rows[_JPEG_LENGTH][0]))
    strips, lengths = rows.get(_STRIPS, []), rows.get(_LENGTHS, [])
    if rows.get(_COMPRESSION, [0])[0] in (6, 7) and len(strips) == len(lengths) == 1:
        found.append((strips[0], lengths[0]))
    if _PANASONIC in rows and tiff.magic == 0x55:
        found.append((rows[_PANASONIC][0], rows[_PANASONIC][1]))
    return found


def describe(file: File, offset: int, length: int) -> Inside | None:
    """The JPEG at `offset`, when there is one that a viewer can decode."""
    if not 0 < offset < file.size or length < 128:
        return None
    length = min(length, file.size - offset)

    def fetch(at: int, count: int) -> bytes:
        return file.read(offset + at, min(count, max(0, length - at)))

    start = fetch(0, 64 * 1024)
    if start[:3] != b"\xff\xd8\xff":
        return None
    try:
        frame = read_header(start, fetch).frame
    except HandlerError as fault:
        if fault.code == "io":
            raise
        return None
    if frame is None or frame.marker not in _BASELINE or frame.bits != 8 or not (frame.width and frame.height):
        return None
    return Inside("preview", offset=offset, length=length, width=frame.width, height=frame.height)


def _search(file: File) -> list[Inside]:
    data = file.read(0, min(file.size, _SEARCHED))
    found: list[Inside] = []
    at = 0
    for _ in range(_MAX_FOUND):
        at = data.find(b"\xff\xd8\xff", at + 1)
        if at < 0:
            break
        picture = describe(file, at, file.size - at)
        if picture is not None:
            found.append(picture)
    return found
