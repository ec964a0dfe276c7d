"""WebP files: RFC 9649 (RIFF chunks VP8X, VP8, VP8L, ANIM, ANMF, EXIF, XMP, ICCP)."""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.icc import profile_name

MAX_CHUNKS = 10_000
MAX_BODY = 2 * 1024 * 1024


def read_webp(file: File) -> Record:
    """The record of a WebP file. Raises HandlerError `corrupt` when no picture chunk gives a size."""
    record = Record("image", "webp", "image/webp")
    blocks = Blocks()
    frames = milliseconds = 0
    at = 12
    for _ in range(MAX_CHUNKS):
        header = file.read(at, 8)
        if len(header) < 8:
            break
        kind, length = header[:4], int.from_bytes(header[4:], "little")
        if kind == b"ANMF":
            frames += 1
            milliseconds += int.from_bytes(file.read(at + 20, 3), "little")
        else:
            _read_chunk(file, record, blocks, kind, at + 8, length)
        at += 8 + length + (length & 1)
    if "width" not in record.fields:
        raise HandlerError("corrupt", "a WebP file without a picture")
    if frames:
        record.put("frame_count", frames, "RIFF:ANMF")
        record.put("duration", milliseconds / 1000 or None, "RIFF:Duration")
    record.put("bits_per_sample", 8, "RIFF:WebP")
    record.put("has_alpha", False, "RIFF:WebP_Flags")
    record.put("color_mode", "rgba" if record.fields["has_alpha"] else "rgb", "RIFF:WebP_Flags")
    map_blocks(record, blocks)
    finish(record)
    return record


def _read_chunk(file: File, record: Record, blocks: Blocks, kind: bytes, at: int, length: int) -> None:
    body = file.read(at, min(length, 16))
    if kind == b"VP8X" and len(body) >= 10:
        record.put("width", int.from_bytes(body[4:7], "little") + 1, "RIFF:ImageWidth")
        record.put("height", int.from_bytes(body[7:10], "little") + 1, "RIFF:ImageHeight")
        if body[0] & 0x10:
            record.put("has_alpha", True, "RIFF:WebP_Flags")
    elif kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":  # RFC 6386 section 9.1
        record.put("width", int.from_bytes(body[6:8], "little") & 0x3FFF or None, "RIFF:ImageWidth")
        record.put("height", int.from_bytes(body[8:10], "little") & 0x3FFF or None, "RIFF:ImageHeight")
        record.put("compression", "vp8", "RIFF:VP8Version")
        record.put("chroma_subsampling", "4:2:0", "RIFF:VP8Version")
    elif kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        record.put("width", (bits & 0x3FFF) + 1, "RIFF:ImageWidth")
        record.put("height", (bits >> 14 & 0x3FFF) + 1, "RIFF:ImageHeight")
        if bits >> 28 & 1:
            record.put("has_alpha", True, "RIFF:AlphaIsUsed")
        record.put("compression", "vp8l", "RIFF:VP8L")
    elif kind == b"ANIM" and len(body) >= 6:
        record.put("loop_count", body[4] | body[5] << 8, "RIFF:AnimationLoopCount")
    elif kind in (b"EXIF", b"XMP ", b"ICCP"):
        if length > MAX_BODY:
            record.warnings.append(f"{kind.decode('ascii')}: {length} bytes are more than the limit")
            return
        block = file.read(at, length)
        if kind == b"EXIF":
            blocks.add_exif(record, block.removeprefix(b"Exif\0\0"))
        elif kind == b"XMP ":
            blocks.add_xmp(record, block)
        else:
            record.put("icc_profile", profile_name(block), "ICC_Profile:ProfileDescription")
