"""JPEG segments, PNG chunks and WebP chunks: the XMP packet put in, everything else byte for byte as it was.

Sources: ITU-T T.81 B.1.1 (markers), XMP part 3 sections 1.1.3 (JPEG, APP1), 1.1.5 (PNG, iTXt), 3.2 (WebP); WebP
container specification (VP8X flags).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.write.iptc import edit_segment
from mediad_handlers.write.tiff import edit_exif

XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
EXIF_HEADER = b"Exif\0\0"
KEYWORD = b"XML:com.adobe.xmp"
SEGMENT = 65533  # bytes of a segment's contents
Edit = Callable[[bytes], bytes]


def edit_jpeg(data: bytes, edit: Edit, changes: dict[str, Any]) -> bytes:
    """A JPEG file with its XMP packet, and EXIF and IPTC where they exist, changed. Raises HandlerError `corrupt` for a
    broken header, `unsupported` for extended XMP and for a packet that does not fit a segment."""
    if data[:2] != b"\xff\xd8":
        raise HandlerError("corrupt", "no SOI marker")
    head: list[tuple[int, bytes]] = []
    at = 2
    while True:
        if at + 4 > len(data) or data[at] != 0xFF:
            raise HandlerError("corrupt", f"no marker at {at}")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if not 0xE0 <= marker <= 0xEF and marker != 0xFE:
            break
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if size < 2 or at + 2 + size > len(data):
            raise HandlerError("corrupt", f"a segment at {at} is cut off")
        head.append((marker, data[at + 4 : at + 2 + size]))
        at += 2 + size
    if any(marker == 0xE1 and body.startswith(EXTENDED) for marker, body in head):
        raise HandlerError("unsupported", "this picture has extended XMP, which is not written: use --sidecar")
    old = next(
        (body[len(XMP_HEADER) :] for marker, body in head if marker == 0xE1 and body.startswith(XMP_HEADER)), b""
    )
    packet = (0xE1, XMP_HEADER + edit(old))
    out = [(marker, _edit_segment(marker, body, changes)) for marker, body in head]
    if old:
        out = [packet if marker == 0xE1 and body.startswith(XMP_HEADER) else (marker, body) for marker, body in out]
    else:
        # behind JFIF and EXIF, which must come first (XMP part 3 section 1.1.3)
        place = sum(1 for marker, body in out if marker == 0xE0 or (marker == 0xE1 and body.startswith(EXIF_HEADER)))
        out.insert(place, packet)
    if any(len(body) > SEGMENT for _, body in out):
        raise HandlerError("unsupported", f"the metadata do not fit a segment of {SEGMENT} bytes: use --sidecar")
    written = b"".join(bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body for marker, body in out)
    return data[:2] + written + data[at:]


def _edit_segment(marker: int, body: bytes, changes: dict[str, Any]) -> bytes:
    if marker == 0xE1 and body.startswith(EXIF_HEADER):
        return EXIF_HEADER + edit_exif(body[len(EXIF_HEADER) :], changes)
    return edit_segment(body, changes) if marker == 0xED else body


def edit_png(data: bytes, edit: Edit, changes: dict[str, Any]) -> bytes:
    """A PNG file with its XMP chunk changed, or one put behind IHDR; tEXt twins of changed fields are removed (their
    values would be read where XMP has none). Raises HandlerError `corrupt`."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise HandlerError("corrupt", "no PNG signature")
    out = [data[:8]]
    twins = {_PNG_TWINS[name] for name in changes if name in _PNG_TWINS}
    done = False
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        whole = data[at : at + 12 + size]
        at += 12 + size
        if kind == b"iTXt" and body.startswith(KEYWORD + b"\0"):
            if not done:
                out.append(_png_chunk(edit(_png_packet(body))))
            done = True
            continue
        if kind in (b"tEXt", b"zTXt", b"iTXt") and body.split(b"\0")[0] in twins:
            continue
        if kind == b"eXIf":
            whole = _chunk(b"eXIf", edit_exif(body, changes))
        out.append(whole)
        if kind == b"IHDR" and KEYWORD + b"\0" not in data[at:]:
            out.append(_png_chunk(edit(b"")))
            done = True
    if not done:
        raise HandlerError("corrupt", "PNG: there is no IHDR")
    return b"".join(out) + data[at:]


_PNG_TWINS = {"title": b"Title", "description": b"Description", "creators": b"Author", "copyright": b"Copyright"}


def _png_packet(body: bytes) -> bytes:
    rest = body[len(KEYWORD) + 1 :]
    text: bytes = rest[2:].split(b"\0", 2)[-1]
    if rest[:1] != b"\1":
        return text
    inflated: bytes = zlib.decompressobj().decompress(text, 4 * 1024 * 1024)
    return inflated


def _png_chunk(packet: bytes) -> bytes:
    return _chunk(b"iTXt", KEYWORD + b"\0\0\0\0\0" + packet)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def edit_webp(data: bytes, edit: Edit, changes: dict[str, Any]) -> bytes:
    """A WebP file with its XMP chunk changed or put at the end; a simple file becomes an extended one (VP8X). Raises
    HandlerError `corrupt`."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise HandlerError("corrupt", "no WebP header")
    chunks: list[tuple[bytes, bytes]] = []
    end = min(8 + int.from_bytes(data[4:8], "little"), len(data))
    at = 12
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + (size & 1)
    old = next((body for kind, body in chunks if kind == b"XMP "), b"")
    packet = edit(old)
    if chunks and chunks[0][0] != b"VP8X":
        chunks.insert(0, (b"VP8X", _extend(chunks)))
    if not chunks:
        raise HandlerError("corrupt", "WebP: there is no picture")
    flags = chunks[0][1][0] | 0x04
    chunks[0] = (b"VP8X", bytes((flags,)) + chunks[0][1][1:])
    out = []
    for kind, body in chunks:
        if kind == b"XMP ":
            body = packet
        elif kind == b"EXIF":
            skip = len(EXIF_HEADER) if body.startswith(EXIF_HEADER) else 0
            body = body[:skip] + edit_exif(body[skip:], changes)
        out.append(kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1))
    if not any(kind == b"XMP " for kind, _ in chunks):
        out.append(b"XMP " + len(packet).to_bytes(4, "little") + packet + b"\0" * (len(packet) & 1))
    body = b"".join(out)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body + data[end:]


def _extend(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """The VP8X chunk of a simple file: its canvas from the bitstream's header (RFC 6386 9.1; WebP lossless 2)."""
    kind, body = chunks[0]
    if kind == b"VP8L" and len(body) >= 5:
        bits: int = struct.unpack_from("<I", body, 1)[0]
        width, height, alpha = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bits >> 28 & 1
    elif kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a" and len(body) >= 10:
        width, height = (one & 0x3FFF for one in struct.unpack_from("<HH", body, 6))
        alpha = 0
    else:
        raise HandlerError("corrupt", "WebP: the picture's header makes no sense")
    return bytes((alpha << 4, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
