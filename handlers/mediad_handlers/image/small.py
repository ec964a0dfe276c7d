"""GIF, BMP and ICO files, read by their own headers.

Sources: GIF89a specification sections 18-26 and the NETSCAPE2.0 and XMP application extensions (XMP part 3 section
1.1.2);
Windows BITMAPFILEHEADER and BITMAPINFOHEADER; ICONDIR.
"""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.image.converters import clean_comment
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.tiff import decode_text

MAX_GIF = 8 * 1024 * 1024  # bytes that are looked through for frames
_BMP_COMPRESSION = {0: "none", 1: "rle8", 2: "rle4", 3: "bitfields", 4: "jpeg", 5: "png", 6: "bitfields"}


class _Blocks:
    """A position in the GIF data stream, MAX_GIF bytes of which are read at most."""

    def __init__(self, file: File, at: int) -> None:
        self.data = file.head if file.size <= len(file.head) else file.read(0, MAX_GIF)
        self.at = at

    def byte(self) -> int:
        """The next byte; -1 at the end."""
        at = self.at
        self.at = at + 1
        return self.data[at] if at < len(self.data) else -1

    def take(self, length: int) -> bytes:
        self.at += length
        return self.data[self.at - length : self.at]

    def skip(self) -> None:
        """Over sub-blocks, behind their terminator."""
        data, at, end = self.data, self.at, len(self.data)
        while at < end and data[at]:
            at += data[at] + 1
        self.at = at + 1

    def join(self) -> bytes:
        """The data of the following sub-blocks, at most 64 KiB."""
        parts, length = [], 0
        while (size := self.byte()) > 0:
            part = self.take(size)
            if length < 65536:
                parts.append(part)
                length += size
        return b"".join(parts)


def read_gif(file: File) -> Record:
    """The record of a GIF file. Frames and duration are left out when the file is longer than MAX_GIF."""
    head = file.head
    if len(head) < 13:
        raise HandlerError("corrupt", "no GIF screen descriptor")
    record = Record("image", "gif", "image/gif")
    record.put("width", int.from_bytes(head[6:8], "little") or None, "GIF:ImageWidth")
    record.put("height", int.from_bytes(head[8:10], "little") or None, "GIF:ImageHeight")
    record.put("bits_per_sample", (head[10] & 7) + 1, "GIF:BitsPerPixel")
    record.put("color_mode", "palette", "GIF:ColorMap")
    record.put("compression", "lzw", "GIF:Compression")
    blocks = Blocks()
    stream = _Blocks(file, 13 + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0))
    frames, hundredths, ended = _walk_gif(stream, record, blocks)
    if ended or file.size <= len(stream.data):
        record.put("frame_count", frames or None, "GIF:FrameCount")
        if frames > 1 and hundredths:
            record.put("duration", hundredths / 100, "GIF:Duration")
    if not ended:
        record.warnings.append("no GIF trailer was found")
    record.put("has_alpha", record.fields.get("has_alpha", False), "GIF:TransparentColor")
    map_blocks(record, blocks)
    finish(record)
    return record


def _walk_gif(stream: _Blocks, record: Record, blocks: Blocks) -> tuple[int, int, bool]:
    """(frames, hundredths of a second, whether the trailer was reached)."""
    frames = hundredths = 0
    while (introducer := stream.byte()) >= 0:
        if introducer == 0x3B:
            return frames, hundredths, True
        if introducer == 0x2C:
            descriptor = stream.take(9)
            if len(descriptor) < 9:
                break
            frames += 1
            record.put("interlaced", bool(descriptor[8] & 0x40), "GIF:ImageDescriptor")
            if descriptor[8] & 0x80:
                stream.at += 3 << (descriptor[8] & 7) + 1
            stream.at += 1  # LZW minimum code size
            stream.skip()
        elif introducer == 0x21:
            hundredths += _read_extension(stream, record, blocks)
        elif introducer != 0:
            break
    return frames, hundredths, False


def _read_extension(stream: _Blocks, record: Record, blocks: Blocks) -> int:
    """Reads one extension; the delay that it gives, in hundredths of a second."""
    label = stream.byte()
    if label == 0xF9:
        control = stream.join()
        if len(control) >= 4:
            if control[0] & 1:
                record.put("has_alpha", True, "GIF:TransparentColor")
            return control[1] | control[2] << 8
    elif label == 0xFE:
        record.put("user_comment", clean_comment(decode_text(stream.join())), "GIF:Comment")
    elif label == 0xFF:
        name = stream.take(max(stream.byte(), 0))
        if name == b"XMP DataXMP":
            start = stream.at
            end = stream.data.find(b"\x01\xff\xfe\xfd", start)  # the "magic trailer" that makes it sub-blocks
            if end > 0:
                blocks.add_xmp(record, stream.data[start:end])
            stream.at = start
            stream.skip()
        elif name in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
            loop = stream.join()
            if len(loop) >= 3 and loop[0] == 1:
                record.put("loop_count", loop[1] | loop[2] << 8, "GIF:AnimationIterations")
        else:
            stream.skip()
    else:
        stream.skip()
    return 0


def read_bmp(file: File) -> Record:
    """The record of a BMP file; the old OS/2 header has 12 bytes and 16-bit sizes."""
    head = file.head
    size = int.from_bytes(head[14:18], "little")
    if len(head) < 26 or (size != 12 and (size < 16 or len(head) < 34)):
        raise HandlerError("corrupt", "no BMP information header")
    record = Record("image", "bmp", "image/bmp")
    if size == 12:
        width, height = int.from_bytes(head[18:20], "little"), int.from_bytes(head[20:22], "little")
        bits, compression = int.from_bytes(head[24:26], "little"), 0
    else:
        width = int.from_bytes(head[18:22], "little", signed=True)
        height = abs(int.from_bytes(head[22:26], "little", signed=True))
        bits, compression = int.from_bytes(head[28:30], "little"), int.from_bytes(head[30:34], "little")
    record.put("width", width if width > 0 else None, "File:ImageWidth")
    record.put("height", height or None, "File:ImageHeight")
    record.put("color_mode", "palette" if bits <= 8 else "rgba" if bits == 32 else "rgb", "File:BitDepth")
    record.put("bits_per_sample", bits if bits <= 8 else 8 if bits >= 24 else 5, "File:BitDepth")
    record.put("compression", _BMP_COMPRESSION.get(compression), "File:Compression")
    if size >= 40 and len(head) >= 46:
        for name, at in (("dpi_x", 38), ("dpi_y", 42)):
            density = int.from_bytes(head[at : at + 4], "little", signed=True)
            record.put(name, round(density * 0.0254, 3) if density > 0 else None, "File:PixelsPerMeter")
    finish(record)
    return record


def read_ico(file: File) -> Record:
    """The record of an ICO file: the largest picture's size, the number of pictures."""
    head = file.head
    count = int.from_bytes(head[4:6], "little")
    if len(head) < 22 or not 0 < count <= 1000:
        raise HandlerError("corrupt", "no icon directory")
    entries = [head[at : at + 16] for at in range(6, min(6 + 16 * count, len(head) - 15), 16)]
    best = max(entries, key=lambda entry: (entry[0] or 256) * (entry[1] or 256))
    record = Record("image", "ico", "image/vnd.microsoft.icon")
    record.put("width", best[0] or 256, "File:ImageWidth")
    record.put("height", best[1] or 256, "File:ImageHeight")
    record.put("frame_count", count, "File:ImageCount")
    finish(record)
    return record
