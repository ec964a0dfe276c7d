"""Minolta's MRW, and the header of Kyocera's Contax RAW.

Source: ExifTool's documentation of MinoltaRaw (blocks PRD, TTW, WBG, RIF of name, length, data, big-endian; TTW is a
TIFF structure) and of KyoceraRaw (fixed offsets, texts written backwards).
"""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.kit.api import HandlerError, Payload, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.isobmff import big
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.tiff import decode_text

ALGORITHM = "mrw-image/1"  # everything behind the blocks: the sensor's samples
MAX_BLOCKS = 64
MAX_TIFF = 4 * 1024 * 1024
KYOCERA_MARK = (0x19, b"ARECOYK")
_KYOCERA_ISO = {7: 25, 8: 32, 9: 40, 10: 50, 11: 64, 12: 80, 13: 100, 14: 125, 15: 160, 16: 200, 17: 250, 18: 320,
                19: 400}  # fmt: skip


def read_mrw(file: File) -> Record:
    """The record of an MRW file. Raises HandlerError `corrupt` when the header is short."""
    head = file.head
    end = 8 + big(head, 4, 4)
    if len(head) < 16:
        raise HandlerError("corrupt", "a short MRW header")
    record = Record("image", "mrw", "image/x-minolta-mrw")
    blocks = Blocks()
    at = 8
    for _ in range(MAX_BLOCKS):
        block = file.read(at, 8)
        if len(block) < 8 or at + 8 > end:
            break
        length = big(block, 4, 4)
        start = at + 8
        if block[:4] == b"\0PRD":
            sizes = file.read(start, 16)
            record.put("height", big(sizes, 12, 2) or None, "MinoltaRaw:ImageHeight")
            record.put("width", big(sizes, 14, 2) or None, "MinoltaRaw:ImageWidth")
        elif block[:4] == b"\0TTW" and blocks.exif is None:
            blocks.add_exif(record, file.read(start, min(length, MAX_TIFF)))
        at = start + length
    map_blocks(record, blocks)
    finish(record)
    if 16 <= end < file.size:
        record.payload = Payload(ALGORITHM, ((end, file.size - end),))
    return record


def read_kyocera(file: File) -> Record:
    """The record of a Contax N Digital's RAW file."""
    head = file.head
    record = Record("image", "raw", "image/x-raw")

    def backwards(at: int, length: int) -> str | None:
        return decode_text(head[at : at + length].strip(b"\0")[::-1]) or None

    record.put("camera_make", backwards(0x19, 7), "KyoceraRaw:Make")
    record.put("camera_model", backwards(0x0C, 12), "KyoceraRaw:Model")
    record.put("software", backwards(0x01, 10), "KyoceraRaw:FirmwareVersion")
    put_moment(record, "date_taken", parse_moment(backwards(0x21, 20)), "KyoceraRaw:DateTimeOriginal")
    record.put("iso", _KYOCERA_ISO.get(big(head, 0x34, 4)), "KyoceraRaw:ISO")
    speed, light, focal = big(head, 0x38, 4), big(head, 0x58, 4), big(head, 0x70, 4)
    record.put("exposure_time", 2.0 ** (speed / 8) / 16000 if 0 < speed < 256 else None, "KyoceraRaw:ExposureTime")
    record.put("f_number", round(2.0 ** (light / 16), 2) if 0 < light < 256 else None, "KyoceraRaw:FNumber")
    record.put("focal_length", float(focal) if 0 < focal < 10000 else None, "KyoceraRaw:FocalLength")
    record.put("lens_model", decode_text(head[0x7C:0x9C]) or None, "KyoceraRaw:Lens")
    finish(record)
    return record
