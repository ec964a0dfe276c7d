"""Pictures and XMP side files: the fields that XMP holds (write.xmp), with EXIF and IPTC in step where they exist."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.write.segments import edit_jpeg, edit_png, edit_webp
from mediad_handlers.write.tiff import add_xmp, edit_exif, find_xmp
from mediad_handlers.write.xmp import PROPERTIES, edit_packet

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

WHOLE = 512 * 1024 * 1024  # bytes of a picture that is written
PIECE = 16 * 1024 * 1024


def holds(format: str) -> frozenset[str]:
    """The fields that can be written into this format."""
    return frozenset(PROPERTIES)


def write(file: File, target: int, format: str, changes: dict[str, Any], fields: dict[str, Any]) -> list[str]:
    """Writes the edited picture into `target`. Raises HandlerError `limit` for a file of more than WHOLE bytes."""
    from mediad_handlers.write import put

    if file.size > WHOLE:
        raise HandlerError("limit", f"a picture of {file.size} bytes; {WHOLE} is the most: use --sidecar")
    data = b"".join(file.read(at, min(PIECE, file.size - at)) for at in range(0, file.size, PIECE))
    edit = partial(edit_packet, changes=changes)
    try:
        if format == "jpeg":
            out = edit_jpeg(data, edit, changes)
        elif format == "png":
            out = edit_png(data, edit, changes)
        elif format == "webp":
            out = edit_webp(data, edit, changes)
        elif format == "tiff":
            out = add_xmp(edit_exif(data, changes), edit(find_xmp(data)))
        else:
            out = edit_packet(data, changes, padding=0)
        put(target, out, 0)
    except OSError as fault:
        raise HandlerError("io", f"writing: {fault.strerror}") from fault
    return []
