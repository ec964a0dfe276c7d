"""Embedded pictures: what they are, not what they show."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from mediad_handlers.kit import pictures

# ID3v2.4.0 frames section 4.14, picture type; FLAC (RFC 9639 section 8.8) uses the same numbers.
TYPES = (
    "other", "file_icon", "other_icon", "front_cover", "back_cover", "leaflet", "media", "lead_artist", "artist",
    "conductor", "band", "composer", "lyricist", "recording_location", "recording", "performance", "video_capture",
    "fish", "illustration", "band_logo", "publisher_logo",
)  # fmt: skip


def describe_picture(
    data: bytes, type_number: int = 3, mime: str = "", description: str = "", width: int = 0, height: int = 0
) -> dict[str, Any]:
    """A record {type, mime, width, height, size in bytes, description, sha256}; absent members have no key. The MIME
    type is the content's where it is known: taggers often state another."""
    found: dict[str, Any] = {"type": TYPES[type_number] if 0 <= type_number < len(TYPES) else "other"}
    pictures.keep(pictures.Inside(found["type"], data))
    mime = recognise_picture(data) or mime.strip("\0 ").lower()
    if mime and "/" not in mime:
        mime = "image/" + {"jpg": "jpeg"}.get(mime, mime)
    if mime:
        found["mime"] = mime
    if width > 0 and height > 0:
        found["width"], found["height"] = width, height
    found["size"] = len(data)
    if description := description.strip("\0 "):
        found["description"] = description[:255]
    found["sha256"] = sha256(data).hexdigest()
    return found


def recognise_picture(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "image/bmp" if data.startswith(b"BM") else ""
