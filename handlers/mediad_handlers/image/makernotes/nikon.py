"""Nikon's maker note: the lens, of its plain or its encrypted LensData, serial number, sensitivity.

Sources: ExifTool's documentation of Nikon tags (LensData0100, 0101, 0201-0204, 0400-0403; the cipher runs over serial
number and shutter count); R. Rottmerhusen's list of lens identifiers.
"""

from __future__ import annotations

from mediad_handlers.image.converters import integer, positive, text
from mediad_handlers.image.makernotes.directory import Note
from mediad_handlers.image.makernotes.lenses import choose_lens, find_names
from mediad_handlers.kit.api import Record

WANTED = frozenset((0x0002, 0x0005, 0x001D, 0x0083, 0x0084, 0x0098, 0x00A0, 0x00A7))
_SERIAL_KEYS = bytes.fromhex(
    "c1bf6d0d59c5139d83616b4fc77f3d3d5359e3c7e92f95a7951fdf7f2b29c70d"
    "df07ef71893d133d3b13fb0d89c1651fb30d6b29e3fbefa36b477f9535a7474f"
    "c7f1599535112961f13db32b0d4389c19d9d8965f1e9dfbf3d7f5397e5e99517"
    "1d3d8bfbc7e367a707f171a753b52989e52ba71729e94fc5656d6bef0d89492f"
    "b34353651d49a3138959ef6bef651d0b5913e34f9db329432b071d95595947fb"
    "e5e961472f357f177fef7f959571d3a30b71a3ad0b3bb5fba3bf4f831dade92f"
    "7165a3e507353d0db5e9e5473b9def35a3bfb3df53d397534971073561712f43"
    "2f11df1797fb953b7f6bd325bfadc7c5c5b58bef2fd3076b25499525496d71c7"
)
_COUNT_KEYS = bytes.fromhex(
    "a7bcc9ad91df85e5d478d517467c294c4d03e925681186b3bdf76f6122a22634"
    "2abe1e4614689d4418c240f47e5f1bad0b94b667b40be1ea959c66dce75d6c05"
    "dad5df7aeff6db1f824cc06847a1bdee3950564adddfa5f8c6daca90ca01429d"
    "8b0c7343750594de24b38034e52cdc9b3fca3345d0db5ff552c321dae222726b"
    "3ed05ba8878c065d0fdd091993d0b9fc8b0f8460331c9b45f1f0a3943a127733"
    "4d4478283c9efd655716946bfb59d0c82236dbd2639843a1048786f7a626bbd6"
    "594dbf6a2eaa2befe678b64ee02fdc7cbe5719327e2ad0b8ba29003c527da849"
    "3b2deb2549faa3aa39a7c5a7501136fbc6674af5a512657eb0dfaf4eb3617f2f"
)
_KEYS = {b"0100": 6, b"0101": 11, b"0201": 11, b"0202": 11, b"0203": 11, b"0204": 12}  # where seven key bytes begin
_NAMES = {b"0400": 0x18A, b"0401": 0x18A, b"0402": 0x18B, b"0403": 0x2AC}  # Nikon 1: where the name of 64 bytes begins
_CIPHER_START, _FIRST_STEP = 4, 0x60


def map_nikon(record: Record, note: Note, model: str) -> str | None:
    """Sets what the note holds; gives the lens by its focal lengths where no better name is known."""
    entries = note.entries
    sensitivity = entries.get(0x0002)
    if isinstance(sensitivity, list) and len(sensitivity) == 2:
        record.put("iso", integer(sensitivity[1]), "Nikon:ISO")
    written = entries.get(0x001D)
    record.put("camera_serial", text(written) or _old_serial(entries.get(0x00A0)), "Nikon:SerialNumber")
    balance = entries.get(0x0005)
    if isinstance(balance, str) and balance:
        record.put("white_balance", "auto" if balance.upper().startswith("AUTO") else "manual", "Nikon:WhiteBalance")
    span = _span(entries.get(0x0084))
    record.put("lens_spec", span, "Nikon:Lens")
    if "lens_model" not in record.fields:
        record.put("lens_model", _lens(note, model), "Nikon:LensID")
    return span


def _old_serial(value: object) -> str | None:
    return value.removeprefix("NO=").strip() or None if isinstance(value, str) else None


def _span(value: object) -> str | None:
    """ "18-70mm f/3.5-4.5" from four rationals."""
    if not isinstance(value, list) or len(value) != 4:
        return None
    short, long, wide, tele = (positive(part) for part in value)
    if short is None or long is None or wide is None or tele is None:
        return None
    focal = f"{short:g}mm" if short == long else f"{short:g}-{long:g}mm"
    return f"{focal} f/{wide:g}" if wide == tele else f"{focal} f/{wide:g}-{tele:g}"


def _lens(note: Note, model: str) -> str | None:
    data, kind = note.entries.get(0x0098), note.entries.get(0x0083)
    if not isinstance(data, bytes):
        return None
    version = data[:4]
    if version not in _KEYS and version not in _NAMES:
        return None
    if version > b"0101":
        serial, count = _serial_key(note.entries.get(0x001D), model), note.entries.get(0x00A7)
        if not isinstance(count, int):
            return None
        end = _KEYS[version] + 7 if version in _KEYS else _NAMES[version] + 64
        data = version + decrypt(data[_CIPHER_START:end], serial, count)
    if version in _NAMES:
        name = data[_NAMES[version] : _NAMES[version] + 64].partition(b"\0")[0]
        return name.decode("ascii").strip() or None if name.isascii() and name.decode().isprintable() else None
    key = data[_KEYS[version] : _KEYS[version] + 7]
    if len(key) < 7 or not isinstance(kind, int):
        return None
    names = find_names("nikon", (key + bytes((kind & 0xFF,))).hex(" ").upper())
    return choose_lens(names)


def _serial_key(serial: object, model: str) -> int:
    """The number that the cipher starts from: the serial number's, else a fixed one (0x22 for the D50)."""
    digits = serial.strip() if isinstance(serial, str) else ""
    if digits.isascii() and digits.isdigit() and len(digits) < 20:
        return int(digits)
    return 0x22 if model.rstrip().endswith("D50") else 0x60


def decrypt(data: bytes, serial: int, count: int) -> bytes:
    """The plain bytes behind a version number; `count` is the shutter count. The cipher is its own inverse."""
    key = 0
    for shift in (0, 8, 16, 24):
        key ^= count >> shift & 0xFF
    step, mask, factor = _SERIAL_KEYS[serial & 0xFF], _COUNT_KEYS[key], _FIRST_STEP
    plain = bytearray(len(data))
    for index, byte in enumerate(data):
        mask = mask + step * factor & 0xFF
        factor = factor + 1 & 0xFF
        plain[index] = byte ^ mask
    return bytes(plain)
