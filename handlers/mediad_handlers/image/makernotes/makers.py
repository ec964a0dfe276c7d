"""The maker notes that need no code of their own: a row a tag, and lenses by identifier.

Source: ExifTool's documentation of the makers' tags (Panasonic, Sony, Minolta, Pentax, Fujifilm, Sigma, Samsung,
Apple); Apple names ContentIdentifier and BurstUUID in its Photos documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mediad_handlers.image.converters import text
from mediad_handlers.image.makernotes.directory import Note
from mediad_handlers.image.makernotes.lenses import choose_lens, find_names
from mediad_handlers.kit.api import Record


def label(value: Any) -> str | None:
    """Printable text that says something."""
    found = text(value) if isinstance(value, str) else None
    return found if found and found.isprintable() and found.strip("0-?") and found not in ("NO-LENS", "N/A") else None


def uuid(value: Any) -> str | None:
    """The hexadecimal digits of a UUID."""
    found = label(value)
    digits = (found or "").replace("-", "").lower()
    return digits if len(digits) == 32 and all(digit in "0123456789abcdef" for digit in digits) else None


def number_text(value: Any) -> str | None:
    return str(value) if isinstance(value, int) and value > 0 else label(value)


Row = tuple[str, str, Callable[[Any], Any]]
ROWS: dict[str, dict[int, Row]] = {
    "panasonic": {
        0x0051: ("lens_model", "Panasonic:LensType", label),
        0x0052: ("lens_serial", "Panasonic:LensSerialNumber", label),
    },
    "sony": {0x2031: ("camera_serial", "Sony:SerialNumber", label)},
    "pentax": {0x0229: ("camera_serial", "Pentax:SerialNumber", label)},
    "sigma": {0x0002: ("camera_serial", "Sigma:SerialNumber", number_text)},
    "samsung": {
        0xA002: ("camera_serial", "Samsung:SerialNumber", label),
        0xA005: ("lens_serial", "Samsung:InternalLensSerialNumber", label),
    },
    "apple": {
        0x0011: ("content_id", "Apple:ContentIdentifier", label),
        0x000B: ("content_id", "Apple:BurstUUID", label),
        0x0015: ("image_unique_id", "Apple:ImageUniqueID", uuid),
    },
    "minolta": {},
    "fujifilm": {},
}
# Facts without a field, kept under their native keys.
KEPT: dict[str, tuple[int, ...]] = {
    "panasonic": (0x0025,), "fujifilm": (0x0010,), "samsung": (0xA001,), "sigma": (0x0017,), "apple": (0x000B,),
}  # fmt: skip
_GROUPS = {"panasonic": "Panasonic", "fujifilm": "FujiFilm", "samsung": "Samsung", "sigma": "Sigma", "apple": "Apple"}
# (maker, tag of the lens' identifier) and the table that has it
_LENS_TAGS = {
    "sony": (0xB027, "minolta"), "minolta": (0x010C, "minolta"), "pentax": (0x003F, "pentax"),
    "sigma": (0x0027, "sigma"), "samsung": (0xA003, "samsung"),
}  # fmt: skip
WANTED = {
    maker: frozenset((*rows, *KEPT.get(maker, ()), *(_LENS_TAGS[maker][:1] if maker in _LENS_TAGS else ())))
    for maker, rows in ROWS.items()
}


def map_maker(record: Record, note: Note, maker: str) -> None:
    """Sets what the rows of `maker` name."""
    entries = note.entries
    for tag, (name, source, convert) in ROWS[maker].items():
        if tag in entries:
            record.put(name, convert(entries[tag]), source)
    for tag in KEPT.get(maker, ()):
        value = entries.get(tag)
        if isinstance(value, bytes):
            value = value.partition(b"\0")[0].decode("latin-1")
        found = label(value)
        if found:
            record.tag(f"{_GROUPS[maker]}:0x{tag:04x}", [found])
    if maker in _LENS_TAGS and "lens_model" not in record.fields:
        tag, table = _LENS_TAGS[maker]
        identifier = _identifier(maker, entries.get(tag))
        if identifier:
            fields = record.fields
            names = find_names(table, identifier)
            fixed = choose_lens(names, fields.get("focal_length"), fields.get("max_aperture"))
            record.put("lens_model", fixed, f"{maker.capitalize()}:LensType")


def _identifier(maker: str, value: Any) -> str | None:
    """The key of the lens table; None for values that stand for no lens or for an adapter."""
    if maker == "pentax":
        if isinstance(value, list | bytes) and len(value) >= 2 and value[0]:
            return f"{value[0]} {value[1]}"
        return None
    if maker == "sigma" and isinstance(value, str) and 0 < len(value) <= 8:
        try:
            value = int(value, 16)
        except ValueError:
            return None
    if not isinstance(value, int) or value <= 0 or value >= 65535:
        return None
    return str(value)
