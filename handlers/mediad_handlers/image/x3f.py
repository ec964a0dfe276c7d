"""Sigma's X3F: a header, and sections that a directory at the end of the file lists.

Source: "X3F RAW File Format" 2.2 (Foveon): header, directory SECd, property lists SECp, pictures SECi (format 18 is
JPEG); ExifTool's documentation of SigmaRaw for version 4 headers and the property names.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.image.embedded import add_preview
from mediad_handlers.image.makernotes.lenses import choose_lens, find_names
from mediad_handlers.kit.api import HandlerError, Payload, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.moment import parse_moment, put_moment

ALGORITHM = "x3f-image/1"  # the picture sections that hold samples, no JPEG and no preview
MAX_SECTIONS = 100
MAX_PROPERTIES = 500
MAX_LIST = 256 * 1024
_JPEG = 18
_PREVIEW_TYPE = 2  # of a SECi: for display
_ORIENTATION = {0: 1, 90: 6, 180: 3, 270: 8}
_PROGRAMS = {"P": "program", "A": "aperture_priority", "S": "shutter_priority", "M": "manual"}
_METERING = {"8": "multi_segment", "A": "average", "C": "center_weighted_average"}
_NUMBERS = (
    ("exposure_time", "SHUTTER"), ("f_number", "APERTURE"), ("iso", "ISO"), ("focal_length", "FLENGTH"),
    ("focal_length_35mm", "FLEQ35MM"),
)  # fmt: skip
_TEXTS = (
    ("camera_make", "CAMMANUF"), ("camera_model", "CAMMODEL"), ("camera_serial", "CAMSERIAL"),
    ("software", "FIRMVERS"),
)  # fmt: skip


def read_x3f(file: File) -> Record:
    """The record of an X3F file. Raises HandlerError `corrupt` when the header is short."""
    head = file.head
    if len(head) < 52:
        raise HandlerError("corrupt", "a short X3F header")
    record = Record("image", "x3f", "image/x-sigma-x3f")
    version = struct.unpack_from("<I", head, 4)[0] >> 16
    width, height, turn = struct.unpack_from("<3I", head, 40 if version >= 4 else 28)
    blocks = Blocks()
    samples: list[tuple[int, int]] = []
    properties: dict[str, str] = {}
    for kind, offset, length in _sections(file):
        if kind == b"PROP":
            properties |= _properties(file.read(offset, min(length, MAX_LIST)))
        elif kind in (b"IMAG", b"IMA2"):
            section = file.read(offset, 28)
            if len(section) < 28:
                continue
            use, form = struct.unpack_from("<II", section, 8)
            if form == _JPEG:
                add_preview(record, blocks, file, offset + 28, length - 28, "SigmaRaw:JpgFromRaw")
            elif use != _PREVIEW_TYPE and length > 28:
                samples.append((offset + 28, length - 28))
    if 0 < width < 1 << 20 and 0 < height < 1 << 20:
        record.put("width", width, "SigmaRaw:ImageWidth")
        record.put("height", height, "SigmaRaw:ImageHeight")
    map_blocks(record, blocks)
    _map_properties(record, properties)
    record.put("orientation", _ORIENTATION.get(turn), "SigmaRaw:Rotation")
    unique = head[8:24]
    record.put("image_unique_id", unique.hex() if unique.strip(b"\0") else None, "SigmaRaw:ImageUniqueID")
    finish(record)
    if samples:
        record.payload = Payload(ALGORITHM, tuple(sorted(samples)))
    return record


def _sections(file: File) -> list[tuple[bytes, int, int]]:
    """(kind, offset, length) of the directory's rows that lie in the file."""
    where = file.tail(4)
    start = int.from_bytes(where, "little")
    head = file.read(start, 12) if 0 < start < file.size else b""
    if head[:4] != b"SECd" or len(head) < 12:
        return []
    count = min(int.from_bytes(head[8:12], "little"), MAX_SECTIONS)
    table = file.read(start + 12, 12 * count)
    rows = struct.iter_unpack("<II4s", table[: len(table) // 12 * 12])
    return [(kind, offset, length) for offset, length, kind in rows if offset + length <= file.size]


def _properties(section: bytes) -> dict[str, str]:
    """Names and values of a property list: UTF-16LE texts, each addressed in characters."""
    if section[:4] != b"SECp" or len(section) < 24:
        return {}
    count = min(int.from_bytes(section[8:12], "little"), MAX_PROPERTIES)
    base = 24 + 8 * count
    found: dict[str, str] = {}
    for name, value in struct.iter_unpack("<II", section[24 : min(base, 24 + (len(section) - 24) // 8 * 8)]):
        key, text = (_text(section, base + 2 * at) for at in (name, value))
        if key and text:
            found.setdefault(key, text)
    return found


def _text(section: bytes, at: int) -> str:
    raw = section[at : at + 512]
    return raw[: len(raw) & ~1].decode("utf-16-le", "replace").partition("\0")[0].strip()


def _number(value: str) -> float | None:
    try:
        found = float(value) if len(value) < 32 else 0.0
    except ValueError:
        return None
    return found if 0 < found < 1e9 else None


def _map_properties(record: Record, properties: dict[str, str]) -> None:
    for name, key in _TEXTS:
        record.put(name, properties.get(key), f"SigmaRaw:{key}")
    for name, key in _NUMBERS:
        number = _number(properties.get(key, ""))
        record.put(name, int(number) if number is not None and name == "iso" else number, f"SigmaRaw:{key}")
    record.put("exposure_program", _PROGRAMS.get(properties.get("PMODE", "")), "SigmaRaw:PMODE")
    record.put("metering_mode", _METERING.get(properties.get("AEMODE", "")), "SigmaRaw:AEMODE")
    flash = properties.get("FLASH", "").upper()
    record.put("flash_fired", {"OFF": False, "ON": True}.get(flash), "SigmaRaw:FLASH")
    seconds = properties.get("TIME", "")
    if seconds.isascii() and seconds.isdigit() and 0 < int(seconds[:12]) < 1 << 32:
        taken = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S")  # the camera's wall clock
        put_moment(record, "date_taken", parse_moment(taken), "SigmaRaw:TIME")
    _map_lens(record, properties)


def _map_lens(record: Record, properties: dict[str, str]) -> None:
    """LENSMODEL is a number in hexadecimal digits; LENSFRANGE is "15 to 30"."""
    digits = properties.get("LENSMODEL", "")
    if not digits or len(digits) > 8 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return
    ends = [_number(end) for end in properties.get("LENSFRANGE", "").split(" to ")]
    short, long = (ends[0], ends[-1]) if ends else (None, None)
    reach = (short, long) if short and long else None
    for identifier in dict.fromkeys((str(int(digits, 16)), digits)):  # some bodies write it in decimal digits
        lens = choose_lens(find_names("sigma", identifier), record.fields.get("focal_length"), None, reach)
        record.put("lens_model", lens, "SigmaRaw:LENSMODEL")
