"""Writing tags: an edit by field names becomes bytes of each format. docs/writing.md says what goes where.

Each writer copies the file into the target's descriptor and changes the copy; the file itself is only read. A field
that a format cannot hold is refused before anything is written.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import Edit, HandlerError

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Record
    from mediad_handlers.kit.file import File

COPY = 1024 * 1024  # bytes at once
# format -> module with `write(file, target, format, changes)` and `holds(format)`
WRITERS = {
    **dict.fromkeys(("mp3", "aac", "aiff", "wav", "dsf", "flac", "ogg", "opus", "speex", "oggflac", "m4a", "mp4", "m4v",
                     "mov", "wma", "asf", "wmv", "ape", "wavpack", "musepack", "tta"), "audio"),
    **dict.fromkeys(("jpeg", "png", "webp", "tiff", "xmp"), "image"),
}  # fmt: skip
PRELOAD = (
    "mediad_handlers.write.audio", "mediad_handlers.write.image", "mediad_handlers.write.xmp",
    "mediad_handlers.write.keywords", "mediad_handlers.write.segments", "mediad_handlers.write.iptc",
    "mediad_handlers.write.tiff", "xml.dom.minidom",
    "xml.dom.expatbuilder", "mediad_handlers.audio.bounds",
    "mutagen.mp3", "mutagen.aac", "mutagen.aiff", "mutagen.wave", "mutagen.dsf",
    "mutagen.trueaudio", "mutagen.flac", "mutagen.oggvorbis", "mutagen.oggopus", "mutagen.oggspeex", "mutagen.oggflac",
    "mutagen.mp4", "mutagen.asf", "mutagen.monkeysaudio", "mutagen.wavpack", "mutagen.musepack",
)  # fmt: skip


def prepare() -> None:
    """Imports and reads what a worker needs and cannot have once it is locked down."""
    from mediadb_contract.fields import check

    for name in PRELOAD:
        import_module(name)
    check("title", "the dictionary is read at its first use")


def _module(format: str) -> Any:
    name = WRITERS.get(format)
    if name is None:
        raise HandlerError("unsupported", f"{format} is not written: use an XMP side file (--sidecar)")
    return import_module(f"mediad_handlers.write.{name}")


def write_file(file: File, record: Record, edit: Edit, target: int) -> list[str]:
    """Writes the edited file into the descriptor `target` (open for reading and writing, empty); `record` is what
    `read` says of the file now. Returns warnings. Raises HandlerError `unsupported` for a format that is not written,
    and for a field that it cannot hold, naming both."""
    module = _module(record.format)
    changes = resolve(record.fields, edit)
    held = module.holds(record.format)
    for name in changes:
        if name not in held:
            raise HandlerError("unsupported", f"{name}: {record.format} has no place for it")
    warnings: list[str] = module.write(file, target, record.format, changes, record.fields)
    return warnings


def resolve(fields: dict[str, Any], edit: Edit) -> dict[str, Any]:
    """{field: its new value, None to remove it}: what the edit makes of the values that are there. Raises HandlerError
    `unsupported` for a name that is in no dictionary, a value of a wrong type, and `add` to a singular field."""
    from mediadb_contract.fields import FIELDS, check

    changes: dict[str, Any] = {}
    for name in [*edit.set, *edit.add, *edit.remove]:
        if name not in FIELDS:
            raise HandlerError("unsupported", f"{name}: there is no field of this name")
    for name, value in edit.set.items():
        changes[name] = value
    for name, values in edit.add.items():
        if not FIELDS[name].plural:
            raise HandlerError("unsupported", f"{name}: has one value; set it instead of adding to it")
        now = list(changes.get(name) or fields.get(name) or [])
        changes[name] = now + [one for one in values if one not in now]
    for name, values in edit.remove.items():
        if not values:
            changes[name] = None
            continue
        present: Any = changes.get(name, fields.get(name))
        if FIELDS[name].plural:
            changes[name] = [one for one in present or [] if one not in values] or None
        elif present in values:
            changes[name] = None
    for name, value in changes.items():
        if value is not None:
            try:
                changes[name] = check(name, value)
            except ValueError as fault:
                raise HandlerError("unsupported", f"{name}: {fault}") from None
    return changes


def copy(file: File, target: int) -> None:
    """All bytes of the file into `target`, from offset 0. Raises HandlerError `io`."""
    at = 0
    try:
        while at < file.size:
            data = os.pread(file.fd, min(COPY, file.size - at), at)
            if not data:
                raise HandlerError("io", f"the file became shorter: nothing at {at}")
            put(target, data, at)
            at += len(data)
    except OSError as fault:
        raise HandlerError("io", f"copying: {fault.strerror}") from fault


def put(target: int, data: bytes, at: int) -> None:
    """`data` at an offset of the target. Raises OSError."""
    view = memoryview(data)
    while view:
        count = os.pwrite(target, view, at)
        view, at = view[count:], at + count
