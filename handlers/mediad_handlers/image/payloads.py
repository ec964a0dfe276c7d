"""What of a picture is its payload, for the formats beside JPEG, TIFF and RAW (docs/handlers.md,
What counts as payload).

`png-image/1`: the data of IDAT and fdAT (without its sequence number) joined, so that where chunks are cut does not
matter; the prefix is IHDR, PLTE, tRNS, acTL and fcTL (without its sequence number). `gif-image/1`: from the first
block that is no comment and no application extension; the prefix is the screen descriptor with its colour table.
`webp-image/1`: VP8, VP8L, ALPH, ANIM, ANMF. `heif-items/1`: the data of all items that are pictures, in the order of
their numbers. `jxl-codestream/1`, `jp2-codestream/1`: the codestream without boxes. `psd-image/1`: header, colour
data, layers, picture.

Sources: W3C PNG (third edition) 5.3, 11; GIF89a 15 to 26; WebP container specification; ISO/IEC 23008-12 6, 14496-12
8.11.3; ISO/IEC 18181-2 9; ISO/IEC 15444-1 I.5.4; Adobe Photoshop File Formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediad_handlers.kit.api import Payload
from mediad_handlers.readers.isobmff import Source
from mediad_handlers.readers.png import iterate_chunks

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

RANGES = 16384
PREFIX = 64 * 1024
_NOT_PICTURES = frozenset((b"Exif", b"mime", b"uri "))


def payload_of(file: File) -> Payload | None:
    """The payload of a picture of one of these formats; None for another one, or one that is not built as it should."""
    head = file.head
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(file)
    if head[:4] == b"GIF8":
        return _gif(file)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(file)
    if head[:4] == b"8BPS":
        return _psd(file)
    if head[4:8] == b"ftyp":
        return _heif(file)
    if head[4:8] == b"JXL ":
        return _boxes(file, "jxl-codestream/1", b"jxlc", b"jxlp")
    if head[4:8] == b"jP  ":
        return _boxes(file, "jp2-codestream/1", b"jp2c")
    if head[:2] == b"\xff\x0a":
        return Payload("jxl-codestream/1", ((0, file.size),))
    return Payload("jp2-codestream/1", ((0, file.size),)) if head[:4] == b"\xff\x4f\xff\x51" else None


def _made(algorithm: str, ranges: list[tuple[int, int]], prefix: bytes = b"") -> Payload | None:
    kept = [one for one in ranges if one[1] > 0]
    return Payload(algorithm, tuple(kept), prefix) if 0 < len(kept) <= RANGES and len(prefix) <= PREFIX else None


def _png(file: File) -> Payload | None:
    ranges: list[tuple[int, int]] = []
    prefix = b""
    for chunk in iterate_chunks(file.read, file.size):
        if chunk.kind == b"IDAT":
            ranges.append((chunk.offset, chunk.length))
        elif chunk.kind == b"fdAT":
            ranges.append((chunk.offset + 4, chunk.length - 4))
        elif chunk.kind in (b"IHDR", b"PLTE", b"tRNS", b"acTL"):
            prefix += chunk.kind + file.read(chunk.offset, min(chunk.length, 1024))
        elif chunk.kind == b"fcTL":
            prefix += chunk.kind + file.read(chunk.offset + 4, min(chunk.length, 26) - 4)
    return _made("png-image/1", ranges, prefix)


def _gif(file: File) -> Payload | None:
    head = file.head
    at = 13 + (3 << (head[10] & 7) + 1 if len(head) > 10 and head[10] & 0x80 else 0)
    prefix = head[6:at]
    ranges: list[tuple[int, int]] = []
    for _ in range(10_000):
        mark = file.read(at, 2)
        if mark[:1] != b"\x21":
            break
        begin = at
        at += 2
        while (size := file.read(at, 1)) and size != b"\0":
            at += 1 + size[0]
            if at > file.size:
                return None
        at += 1
        if mark[1:] not in (b"\xfe", b"\xff"):
            ranges.append((begin, at - begin))
    return _made("gif-image/1", [*ranges, (at, file.size - at)], prefix)


def _webp(file: File) -> Payload | None:
    ranges: list[tuple[int, int]] = []
    at = 12
    for _ in range(RANGES):
        head = file.read(at, 8)
        if len(head) < 8:
            break
        size = int.from_bytes(head[4:], "little")
        if head[:4] in (b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"):
            ranges.append((at + 8, min(size, file.size - at - 8)))
        at += 8 + size + (size & 1)
    return _made("webp-image/1", ranges)


def _psd(file: File) -> Payload | None:
    """Header (26 bytes), then three sections behind their lengths: colour data, resources (left out), layers; then the
    picture. PSB (version 2) has a layer section with a length of eight bytes."""
    wide = 8 if file.head[5:6] == b"\2" else 4
    color = int.from_bytes(file.read(26, 4), "big")
    at = 30 + color
    layers = at + 4 + int.from_bytes(file.read(at, 4), "big")
    size = int.from_bytes(file.read(layers, wide), "big")
    if layers + wide + size > file.size:
        return None
    return _made("psd-image/1", [(0, 30 + color), (layers, file.size - layers)])


def _heif(file: File) -> Payload | None:
    found = file.memo.get("heif")
    if found is None:
        return None
    items, locations = found
    ranges = [part for number in sorted(items) if items[number].kind not in _NOT_PICTURES
              for part in locations.get(number, [])]  # fmt: skip
    return _made("heif-items/1", ranges)


def _boxes(file: File, algorithm: str, *kinds: bytes) -> Payload | None:
    """The contents of boxes; a jxlp box begins with its number."""
    source = Source(file.read)
    ranges = [(box.start + 4, box.length - 4) if box.kind == b"jxlp" else (box.start, box.length)
              for box in source.walk(0, file.size) if box.kind in kinds]  # fmt: skip
    return _made(algorithm, ranges)
