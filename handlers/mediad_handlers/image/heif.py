"""HEIC and AVIF files: the meta box and the items that it names.

Sources: ISO/IEC 14496-12 section 8.11 (meta, pitm, iinf, iloc), ISO/IEC 23008-12 sections 6.5 (ispe, pixi, irot), 9.3;
AV1 Image File Format 1.1. EXIF items begin with the offset of the TIFF header (23008-12 annex A.2.1).
"""

from __future__ import annotations

from typing import NamedTuple

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.icc import profile_name
from mediad_handlers.readers.isobmff import Box, Source, big

MAX_ITEMS = 4096
MAX_ITEM = 1024 * 1024  # bytes of an EXIF or XMP item
MAX_META = 2 * 1024 * 1024
_MODES = {1: "gray", 3: "rgb", 4: "rgba"}


class Item(NamedTuple):
    kind: bytes
    content_type: bytes


def read_heif(file: File) -> Record:
    """The record of a HEIC or AVIF file. Raises HandlerError `corrupt` when there is no meta box or no picture."""
    source = Source(file.read)
    brands = file.head[8 : min(256, max(16, big(file.head, 0, 4)))]
    avif = brands[:4] in (b"avif", b"avis") or (brands[:4] == b"mif1" and b"avif" in brands)
    record = Record("image", "avif" if avif else "heic", "image/avif" if avif else "image/heic")
    meta = next((box for box in source.walk(0, file.size) if box.kind == b"meta"), None)
    if meta is None:
        raise HandlerError("corrupt", "no meta box")
    source.load(meta.start, min(meta.length, MAX_META))
    boxes = {box.kind: box for box in source.children(meta, 4)}
    primary = _primary(source, boxes.get(b"pitm"))
    items = _items(source, boxes.get(b"iinf"))
    if b"iprp" in boxes:
        _map_properties(source, record, boxes[b"iprp"], primary)
    if "width" not in record.fields:
        raise HandlerError("corrupt", "no size of the primary picture")
    blocks = Blocks()
    locations = _locations(source, boxes.get(b"iloc"), boxes.get(b"idat"))
    file.memo["heif"] = items, locations  # for the payload
    pictures = 0
    for number, item in items.items():
        pictures += item.kind in (b"hvc1", b"av01", b"grid") and number != primary
        if item.kind == b"Exif":
            data = _read_item(file, locations.get(number, []))
            if len(data) > 12:
                blocks.add_exif(record, data[4 + big(data, 0, 4) :] if big(data, 0, 4) < len(data) - 8 else data[10:])
        elif item.kind == b"mime" and item.content_type == b"application/rdf+xml":
            blocks.add_xmp(record, _read_item(file, locations.get(number, [])))
    record.put("compression", _compression(items, primary, avif), "Meta:ItemType")
    rotation = record.fields.get("orientation")
    map_blocks(record, blocks)
    if rotation is not None:  # irot says how the picture is turned: EXIF's copy must not turn it again
        record.fields["orientation"] = rotation
    finish(record)
    return record


def _compression(items: dict[int, Item], primary: int, avif: bool) -> str:
    kind = items[primary].kind if primary in items else b""
    return kind.decode("ascii", "replace") if kind in (b"hvc1", b"av01", b"jpeg") else "av01" if avif else "hvc1"


def _primary(source: Source, box: Box | None) -> int:
    data = source.content(box, 8) if box else b""
    return big(data, 4, 2 if data[:1] == b"\0" else 4)


def _items(source: Source, box: Box | None) -> dict[int, Item]:
    """infe boxes (14496-12 section 8.11.6): the item's type, and the content type of "mime" items."""
    if box is None:
        return {}
    found: dict[int, Item] = {}
    skip = 6 if source.content(box, 1) == b"\0" else 8
    for entry in source.children(box, skip):
        data = source.content(entry, 512)
        if entry.kind == b"infe" and len(data) >= 12 and data[0] in (2, 3) and len(found) < MAX_ITEMS:
            wide = 2 if data[0] == 2 else 4
            rest = data[4 + wide + 2 :]
            content_type = rest[4:].split(b"\0")[1:2] if rest[:4] == b"mime" else []
            found[big(data, 4, wide)] = Item(rest[:4], content_type[0] if content_type else b"")
    return found


def _locations(source: Source, box: Box | None, idat: Box | None) -> dict[int, list[tuple[int, int]]]:
    """iloc (14496-12 section 8.11.3): extents (offset, length) in the file by item."""
    if box is None:
        return {}
    data = source.content(box)
    version = data[0] if data else 9
    if version > 2 or len(data) < 8:
        return {}
    offset_size, length_size = data[4] >> 4, data[4] & 15
    base_size, index_size = data[5] >> 4, (data[5] & 15) if version else 0
    wide = 4 if version == 2 else 2
    count, at = big(data, 6, wide), 6 + wide
    found: dict[int, list[tuple[int, int]]] = {}
    for _ in range(min(count, MAX_ITEMS)):
        number, at = big(data, at, wide), at + wide
        method = 0
        if version:
            method, at = data[at + 1] & 15 if at + 1 < len(data) else 9, at + 2
        at += 2  # data reference
        base, at = big(data, at, base_size), at + base_size
        extents, at = big(data, at, 2), at + 2
        if at > len(data):
            break
        if method == 1 and idat is not None:
            base += idat.start
        places = []
        for _ in range(min(extents, 256)):
            at += index_size
            offset, at = big(data, at, offset_size), at + offset_size
            length, at = big(data, at, length_size), at + length_size
            places.append((base + offset, length))
        if method in (0, 1):
            found[number] = places
    return found


def _read_item(file: File, places: list[tuple[int, int]]) -> bytes:
    total, parts = 0, []
    for offset, length in places:
        if total + length > MAX_ITEM or offset > file.size:
            break
        parts.append(file.read(offset, length))
        total += length
    return b"".join(parts)


def _map_properties(source: Source, record: Record, box: Box, primary: int) -> None:
    """The properties (ipco) that ipma ties to the primary item; all of them when none is tied."""
    boxes = {child.kind: child for child in source.children(box)}
    if b"ipco" not in boxes:
        return
    properties = list(source.children(boxes[b"ipco"]))
    tied = _associations(source.content(boxes[b"ipma"]), primary) if b"ipma" in boxes else []
    chosen = [properties[index - 1] for index in tied if 0 < index <= len(properties)] or properties
    rotation = mirror = 0
    for prop in chosen:
        data = source.content(prop, 4096)
        if prop.kind == b"ispe" and len(data) >= 12:
            record.put("width", big(data, 4, 4) or None, "Meta:ImageSpatialExtent")
            record.put("height", big(data, 8, 4) or None, "Meta:ImageSpatialExtent")
        elif prop.kind == b"pixi" and len(data) >= 6:
            record.put("bits_per_sample", data[5], "Meta:ImagePixelDepth")
            record.put("color_mode", _MODES.get(data[4]), "Meta:ImagePixelDepth")
        elif prop.kind == b"irot" and data:
            rotation = data[0] & 3
        elif prop.kind == b"imir" and data:
            mirror = 1 + (data[0] & 1)
        elif prop.kind == b"colr" and data[:4] in (b"prof", b"rICC"):
            record.put("icc_profile", profile_name(data[4:]), "Meta:ColorProfiles")
    if rotation or mirror:
        record.put("orientation", _orientation(rotation, mirror), "Meta:Rotation")
    record.put("has_alpha", any(b"auxid:1" in source.content(p, 64) or b"alpha" in source.content(p, 64)
                                for p in properties if p.kind == b"auxC"), "Meta:AuxiliaryImageType")  # fmt: skip


def _orientation(quarter_turns: int, mirror: int) -> int:
    """EXIF orientation of irot (counter-clockwise quarter turns) followed by imir (1: left-right, 2: top-bottom)."""
    if not mirror:
        return (1, 8, 3, 6)[quarter_turns]
    return ((2, 7, 4, 5) if mirror == 2 else (4, 5, 2, 7))[quarter_turns]


def _associations(data: bytes, primary: int) -> list[int]:
    """Property indexes of one item from ipma (23008-12 section 9.3.2)."""
    if len(data) < 8:
        return []
    wide, large = (4 if data[0] else 2), data[3] & 1
    at = 8
    for _ in range(min(big(data, 4, 4), MAX_ITEMS)):
        if at + wide + 1 > len(data):
            break
        number, count = big(data, at, wide), data[at + wide]
        at += wide + 1
        step = 2 if large else 1
        if number == primary:
            mask = 0x7FFF if large else 0x7F
            return [big(data, at + step * index, step) & mask for index in range(count)]
        at += step * count
    return []
