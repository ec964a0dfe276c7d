"""Where the pictures of a TIFF structure lie, and its payload `tiff-image/1`.

`tiff-image/1` = the strips or tiles of every directory that holds a full picture (the chain of directories and their
SubIFDs; NewSubfileType bit 0 and the old SubfileType 2 mark reduced ones, which don't count; JPEG thumbnails stand in
other tags), directories in the order of the chain, each followed by its SubIFDs, strips and tiles as listed. The
prefix is, a directory, its layout parameters: tag and values of LAYOUT in ascending order of tags, as ASCII text
"tag=value,value;" (the SHA-256 of a value of more than 256 numbers or of another type), before them "order=<;" or
"order=>;" when a sample has more than 8 bits, and one "\\n" behind each directory. A file of more than MAX_PICTURES
directories or MAX_PARTS strips has none: its stream is the whole file.

Source: TIFF 6.0 sections 3-8, 13-15 (layout), supplement 1 (SubIFDs), DNG 1.7 (SubIFDs, NewSubfileType), libtiff's
BigTIFF design. Panasonic's RawDataOffset (0x0118) stands for its strips.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from mediad_handlers.kit.api import HandlerError, Payload
from mediad_handlers.kit.file import File
from mediad_handlers.readers.tiff import SIZES, SUBIFD_POINTER, Tiff

ALGORITHM = "tiff-image/1"
MAX_PICTURES = 256
MAX_PARTS = 65536  # strips or tiles of one file
MAX_ENTRIES = 1024
MAX_VALUES = 4 * 1024 * 1024  # bytes of all values that are read
_FORMS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_STRIPS, _TILES = (0x0111, 0x0117), (0x0144, 0x0145)
_SUBFILE, _OLD_SUBFILE, _JPEG_TABLES, _RAW_OFFSET, _BITS = 0x00FE, 0x00FF, 0x015B, 0x0118, 0x0102
# What decides how the bytes become pixels: sizes, bits, compression, photometric, fill order, samples, planar
# configuration, T4 and T6 options, predictor, colour map, tile sizes, ink set, extra samples, sample format,
# JPEG tables, YCbCr coefficients, subsampling and positioning, CFA pattern.
LAYOUT = frozenset(
    (0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x010A, 0x0115, 0x011C, 0x0124, 0x0125, 0x013D, 0x0140, 0x0142, 0x0143)
    + (0x014C, 0x0152, 0x0153, _JPEG_TABLES, 0x0211, 0x0212, 0x0213, 0x828D, 0x828E)
)
_WANTED = LAYOUT | frozenset((*_STRIPS, *_TILES, _SUBFILE, _OLD_SUBFILE, _RAW_OFFSET, SUBIFD_POINTER))


class _Row(NamedTuple):
    kind: int
    length: int
    raw: bytes


def tiff_payload(file: File, tiff: Tiff) -> Payload:
    """`tiff-image/1`. Raises HandlerError `unsupported` when the structure holds no full picture, `limit` when there
    are too many parts."""
    ranges: list[tuple[int, int]] = []
    prefix: list[str] = []
    waiting, visited, left = [tiff.first], set[int](), MAX_VALUES
    while waiting:
        offset = waiting.pop()
        if offset <= 0 or offset in visited:
            continue
        if len(visited) >= MAX_PICTURES:
            raise HandlerError("limit", f"more than {MAX_PICTURES} directories")
        visited.add(offset)
        rows, following = _read_rows(tiff, offset, left)
        left -= sum(len(row.raw) for row in rows.values())
        waiting.append(following)
        waiting += reversed(_numbers(tiff, rows.get(SUBIFD_POINTER)))
        parts = _parts(file, tiff, rows)
        if parts and not _is_reduced(tiff, rows):
            ranges += parts
            prefix.append(_describe(tiff, rows))
        if len(ranges) > MAX_PARTS:
            raise HandlerError("limit", f"more than {MAX_PARTS} strips or tiles")
    if not ranges:
        raise HandlerError("unsupported", "no full picture in strips or tiles")
    return Payload(ALGORITHM, tuple(ranges), "".join(prefix).encode("ascii"))


def _read_rows(tiff: Tiff, offset: int, left: int) -> tuple[dict[int, _Row], int]:
    """The wanted entries of the directory at `offset`, their values as at most `left` bytes, and the offset of the next
    directory."""
    layout = tiff.layout
    number = tiff.bytes_at(offset, layout.number.size)
    if len(number) < layout.number.size:
        return {}, 0
    count = layout.number.unpack(number)[0]
    if count > MAX_ENTRIES:
        return {}, 0
    size = layout.entry.size
    table = tiff.bytes_at(offset + layout.number.size, count * size + layout.offset.size)
    rows: dict[int, _Row] = {}
    for tag, kind, length, field in layout.entry.iter_unpack(table[: min(count, len(table) // size) * size]):
        if tag not in _WANTED or tag in rows or not 0 < kind < len(SIZES) or not SIZES[kind]:
            continue
        extent = SIZES[kind] * length
        if extent <= layout.inline:
            raw = field.to_bytes(layout.inline, layout.name)[:extent]
        elif extent <= 8 * MAX_PARTS and extent <= left:
            raw = tiff.bytes_at(field, extent)
            left -= extent
        else:
            raise HandlerError("limit", f"values for more than {MAX_PARTS} strips or tiles")
        if len(raw) == extent:
            rows[tag] = _Row(kind, length, raw)
    if len(table) < count * size + layout.offset.size:
        return rows, 0
    return rows, layout.offset.unpack_from(table, count * size)[0]


def _numbers(tiff: Tiff, row: _Row | None) -> list[int]:
    if row is None or row.kind not in _FORMS:
        return []
    return list(struct.unpack(f"{tiff.layout.order}{row.length}{_FORMS[row.kind]}", row.raw))


def _is_reduced(tiff: Tiff, rows: dict[int, _Row]) -> bool:
    new, old = _numbers(tiff, rows.get(_SUBFILE)), _numbers(tiff, rows.get(_OLD_SUBFILE))
    return bool(new and new[0] & 1) or (not new and old[:1] == [2])


def _parts(file: File, tiff: Tiff, rows: dict[int, _Row]) -> list[tuple[int, int]]:
    """(offset, length) of the strips or tiles that lie in the file."""
    raw = _numbers(tiff, rows.get(_RAW_OFFSET))
    if tiff.magic == 0x55 and raw:
        return [(raw[0], file.size - raw[0])] if 0 < raw[0] < file.size else []
    for offsets_tag, lengths_tag in (_STRIPS, _TILES):
        offsets, lengths = _numbers(tiff, rows.get(offsets_tag)), _numbers(tiff, rows.get(lengths_tag))
        if offsets and len(offsets) == len(lengths):
            found = [(offset, length) for offset, length in zip(offsets, lengths, strict=True) if length]
            return [(offset, min(length, file.size - offset)) for offset, length in found if 0 < offset < file.size]
    return []


def _describe(tiff: Tiff, rows: dict[int, _Row]) -> str:
    bits = _numbers(tiff, rows.get(_BITS))
    words = [f"order={tiff.layout.order};"] if max(bits, default=1) > 8 else []
    for tag in sorted(LAYOUT & rows.keys()):
        row = rows[tag]
        if row.kind in _FORMS and row.length <= 256:
            values = ",".join(map(str, _numbers(tiff, row)))
        else:
            values = hashlib.sha256(row.raw).hexdigest()
        words.append(f"{tag}={values};")
    return "".join(words) + "\n"
