"""What Photoshop writes into a picture beside IPTC: its image resources, and the "Ducky" segment of Save for Web.

Sources: Adobe Photoshop File Formats Specification, "Image Resource IDs" (0x03ED ResolutionInfo, 0x040B URL, 0x040C
thumbnail); ExifTool's documentation of Ducky: rows of tag, length, and for texts a count and UTF-16BE.
"""

from __future__ import annotations

from mediad_handlers.image.embedded import add_picture
from mediad_handlers.kit.api import Record
from mediad_handlers.readers.isobmff import big

RESOLUTION, URL, THUMBNAIL = 0x03ED, 0x040B, 0x040C
_DUCKY_COMMENT, _DUCKY_COPYRIGHT = 2, 3
_MAX_ROWS = 16


def map_resources(record: Record, resources: dict[int, bytes]) -> None:
    """Density (pixels an inch, 16.16 fixed point), the address of the rights, and the thumbnail."""
    density = resources.get(RESOLUTION, b"")
    if len(density) >= 16:
        x, y = big(density, 0, 4) / 65536, big(density, 8, 4) / 65536
        if 1 <= x < 100_000 and 1 <= y < 100_000:
            record.put("dpi_x", x, "Photoshop:XResolution")
            record.put("dpi_y", y, "Photoshop:YResolution")
    address = resources.get(URL, b"").strip(b"\0 ")
    if address.isascii() and len(address) < 2048:
        record.put("rights_url", address.decode("ascii"), "Photoshop:URL")
    thumbnail = resources.get(THUMBNAIL, b"")
    if len(thumbnail) > 28 and big(thumbnail, 0, 4) == 1:  # 1: JPEG behind 28 bytes of facts
        width, height, size = big(thumbnail, 4, 4), big(thumbnail, 8, 4), len(thumbnail) - 28
        facts = {"mime": "image/jpeg", "size": size, "width": width, "height": height}
        add_picture(record, "Photoshop:PhotoshopThumbnail", type="thumbnail", **facts)


def map_ducky(record: Record, body: bytes) -> None:
    """Comment and copyright of an APP12 segment "Ducky"."""
    at = 5
    for _ in range(_MAX_ROWS):
        tag, length = big(body, at, 2), big(body, at + 2, 2)
        value = body[at + 4 : at + 4 + length]
        if not tag or len(value) < length:
            return
        if tag in (_DUCKY_COMMENT, _DUCKY_COPYRIGHT) and length > 4:
            text = value[4 : 4 + (length - 4 & ~1)].decode("utf-16-be", "replace").strip("\0 ")
            name, source = ("copyright", "Copyright") if tag == _DUCKY_COPYRIGHT else ("user_comment", "Comment")
            record.put(name, text, f"Ducky:{source}")
        at += 4 + length
