"""Canon's CIFF: CRW files, a tree of heaps whose directory stands at the end of each.

Source: "CIFF Specification on Image Data File" 1.0 rev. 4 (header, heaps, tags); the values of a heap that Canon's
cameras write as their maker note: image.makernotes.canon.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.image.converters import text
from mediad_handlers.image.embedded import add_preview
from mediad_handlers.image.makernotes import canon
from mediad_handlers.image.trailers import add_trailers, has_trailer
from mediad_handlers.kit.api import HandlerError, Payload, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.tiff import decode_text

ALGORITHM = "crw-image/1"  # the RawData record (0x2005): the sensor's compressed samples
MAX_DEPTH = 8
MAX_ROWS = 2000  # of all heaps
MAX_VALUE = 64 * 1024
_IN_ROW, _KIND, _HEAPS = 0x4000, 0x3800, (0x2800, 0x3000)
_RAW, _JPEG, _THUMBNAIL = 0x2005, 0x2007, 0x2008
_ORIENTATION = {0: 1, 90: 6, 180: 3, 270: 8, -90: 8}
_VALUES = frozenset((0x080A, 0x080B, 0x0810, 0x0816, 0x1029, 0x102A, 0x102D, 0x1810, 0x180B, 0x180E, 0x1818))


class _Ciff:
    """The wanted values by tag, and where the pictures lie."""

    def __init__(self, file: File) -> None:
        head = file.head
        self.file = file
        self.order = "<" if head[:2] == b"II" else ">"
        self.values: dict[int, bytes] = {}
        self.places: dict[int, tuple[int, int]] = {}
        self.left = MAX_ROWS
        start = struct.unpack_from(self.order + "I", head, 2)[0]
        if not 14 <= start < file.size:
            raise HandlerError("corrupt", "the CIFF heap lies outside the file")
        self.walk(start, file.size - start, 0)

    def walk(self, start: int, length: int, depth: int) -> None:
        """Reads the directory of the heap at `start` and of those inside it."""
        if depth >= MAX_DEPTH or length < 6:
            return
        file, order = self.file, self.order
        where = file.read(start + length - 4, 4)
        at = struct.unpack(order + "I", where)[0] if len(where) == 4 else length
        number = file.read(start + at, 2) if at + 2 <= length else b""
        if len(number) < 2:
            return
        count = min(struct.unpack(order + "H", number)[0], self.left)
        table = file.read(start + at + 2, 10 * count)
        self.left -= count
        for row in range(0, len(table) - 9, 10):
            mark, size, offset = struct.unpack_from(order + "HII", table, row)
            tag = mark & 0x3FFF
            if mark & _IN_ROW:
                if tag in _VALUES:
                    self.values.setdefault(tag, table[row + 2 : row + 10])
            elif offset + size > length:
                continue
            elif mark & _KIND in _HEAPS:
                self.walk(start + offset, size, depth + 1)
            elif tag in (_RAW, _JPEG, _THUMBNAIL):
                self.places.setdefault(tag, (start + offset, size))
            elif tag in _VALUES and size <= MAX_VALUE and tag not in self.values:
                self.values[tag] = file.read(start + offset, size)

    def numbers(self, tag: int, form: str) -> list[Any]:
        """The value as an array of one struct format."""
        raw = self.values.get(tag, b"")
        size = struct.calcsize(form)
        return [part[0] for part in struct.iter_unpack(self.order + form, raw[: len(raw) // size * size])]


def read_crw(file: File) -> Record:
    """The record of a CRW file. Raises HandlerError `corrupt` when its heap lies outside the file."""
    ciff = _Ciff(file)
    record = Record("image", "crw", "image/x-canon-crw")
    make, _, model = ciff.values.get(0x080A, b"").partition(b"\0")
    record.put("camera_make", text(decode_text(make)), "CanonRaw:Make")
    record.put("camera_model", text(decode_text(model)), "CanonRaw:Model")
    info = ciff.numbers(0x1810, "I")
    if len(info) >= 4 and 0 < info[0] < 1 << 31 and 0 < info[1] < 1 << 31:
        record.put("width", info[0], "CanonRaw:ImageWidth")
        record.put("height", info[1], "CanonRaw:ImageHeight")
        turn = info[3] - (1 << 32) if info[3] >= 1 << 31 else info[3]
        record.put("orientation", _ORIENTATION.get(turn), "CanonRaw:Rotation")
    stamp = ciff.numbers(0x180E, "I")
    if stamp and stamp[0]:
        taken = datetime.fromtimestamp(stamp[0], UTC).strftime("%Y-%m-%dT%H:%M:%S")  # the camera's wall clock
        put_moment(record, "date_taken", parse_moment(taken), "CanonRaw:DateTimeOriginal")
    lens = _map_camera(record, ciff)
    blocks = Blocks()
    for tag, kind in ((_JPEG, "JpgFromRaw"), (_THUMBNAIL, "ThumbnailImage")):
        add_preview(record, blocks, file, *ciff.places.get(tag, (0, 0)), f"CanonRaw:{kind}")
    if has_trailer(file.tail(64)):
        add_trailers(record, blocks, file)
    map_blocks(record, blocks)
    record.put("lens_model", lens, "Canon:Lens")
    finish(record)
    if _RAW in ciff.places:
        record.payload = Payload(ALGORITHM, (ciff.places[_RAW],))
    return record


def _map_camera(record: Record, ciff: _Ciff) -> str | None:
    values = ciff.values
    settings, shot = canon.words(ciff.numbers(0x102D, "H")), canon.words(ciff.numbers(0x102A, "H"))
    canon.map_shot(record, settings, shot)
    canon.map_focal_length(record, settings, canon.words(ciff.numbers(0x1029, "H")))
    exposure = ciff.numbers(0x1818, "f")  # compensation, shutter and aperture as APEX values: what old models have
    if len(exposure) >= 3 and -99 < exposure[0] < 99:
        record.put("exposure_bias", exposure[0], "CIFF:ExposureCompensation")
        if 0 < abs(exposure[1]) < 20:
            record.put("exposure_time", 2.0 ** -exposure[1], "CIFF:ShutterSpeedValue")
        if 0 < exposure[2] < 20:
            record.put("f_number", round(2.0 ** (exposure[2] / 2), 2), "CIFF:ApertureValue")
    record.put("camera_owner", text(decode_text(values.get(0x0810, b""))), "CanonRaw:OwnerName")
    serial = ciff.numbers(0x180B, "I")
    if serial and serial[0]:
        model = str(record.fields.get("camera_model", ""))
        record.put("camera_serial", canon.write_serial(serial[0], model), "CanonRaw:SerialNumber")
    record.put("original_filename", text(decode_text(values.get(0x0816, b""))), "CanonRaw:OriginalFileName")
    record.put("software", text(decode_text(values.get(0x080B, b""))), "CanonRaw:CanonFirmwareVersion")
    return canon.name_lens(record, settings)
