"""JPEG files: header facts, the metadata segments, and the payload `jpeg-scan/1`.

`jpeg-scan/1` = the bytes that decide the pixels (T.81 annex B): every SOFn, DHT, DAC, DQT, DNL, DRI, DHP and EXP
segment
in front of the first SOS, each from its 0xFF marker to its end, in file order; then everything from the first SOS
marker
to the end of the picture: behind its EOI, or the end of the file when there is none. Not in it: SOI, APPn, COM,
fill bytes,
thumbnails, and whatever follows EOI (MPF pictures, motion photo films, makers' trailers).

The end of the picture, in `read` (bounded): (1) a place that MPF or a motion photo's XMP names, when the 4 KiB
before it are
entropy-coded data that end in EOI; (2) the end of the file, when nothing names a place and its last 4 KiB are that;
(3) else the markers are walked, up to MAX_WALK bytes (an editor moved what MPF places). In `payload`: always the
walk. A marker cannot stand in entropy-coded data, so the three agree,
unless a second picture of more than 4 KiB that nothing announces is appended to the first.
"""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.image.converters import clean_comment, integer
from mediad_handlers.kit.api import HandlerError, Payload, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.icc import profile_name
from mediad_handlers.readers.jpeg import DECIDING, Frame, Header, find_end, is_clean_end, read_header
from mediad_handlers.readers.tiff import decode_text
from mediad_handlers.readers.xmp import Structure, texts

ALGORITHM = "jpeg-scan/1"
MAX_WALK = 32 * 1024 * 1024  # bytes behind SOS that `read` looks through for the end of the picture
MAX_EXTENDED_XMP = 1024 * 1024
WINDOW = 4096
_APP0, _APP1, _APP2, _APP13, _APP14, _COM = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_EXIF, _XMP, _EXTENDED = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_PROCESS = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive", 0xC3: "lossless"}
_SUBSAMPLING = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (4, 1): "4:1:1", (1, 2): "4:4:0", (4, 2): "4:1:0"}


def read_jpeg(file: File) -> Record:
    """The record of a JPEG file. Raises HandlerError `corrupt` when it does not begin as one."""
    header = read_header(file.head, file.read)
    record = Record("image", "jpeg", "image/jpeg")
    if not header.complete:
        record.warnings.append("no start of scan was found")
    blocks = Blocks()
    resources: list[bytes] = []
    extended: dict[int, bytes] = {}
    places: list[int] = []
    transform = -1
    comment: str | None = None
    head = file.head
    for segment in header.segments:
        marker, offset, length = segment
        if marker not in _READERS:
            continue
        body = head[offset + 4 : offset + length]
        if len(body) < length - 4:
            body = file.read(offset + 4, length - 4)
        if marker == _APP1:
            if body.startswith(_EXIF):
                blocks.add_exif(record, body[6:])
            elif body.startswith(_XMP):
                blocks.add_xmp(record, body[len(_XMP) :])
            elif body.startswith(_EXTENDED) and len(extended) < 64:
                extended[int.from_bytes(body[71:75], "big")] = body[75:]
        elif marker == _APP0:
            _map_jfif(record, body)
        elif marker == _APP2:
            _read_app2(record, body, offset + 8, places)
        elif marker == _APP13 and body.startswith(b"Photoshop 3.0\0"):
            resources.append(body[14:])
        elif marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
            transform = body[11]
        elif marker == _COM and comment is None:
            comment = clean_comment(decode_text(body))
    if resources:
        blocks.add_resources(b"".join(resources))
    if extended:
        packet = b"".join(part for _, part in sorted(extended.items()))
        blocks.add_xmp(record, packet[:MAX_EXTENDED_XMP])
    if header.frame is not None:
        _map_frame(record, header.frame, transform)
    map_blocks(record, blocks)
    if header.frame is None and blocks.exif is not None:  # a header without its picture
        camera = blocks.exif.directories.get("ExifIFD", {})
        record.put("width", integer(camera.get(0xA002)), "ExifIFD:ExifImageWidth")
        record.put("height", integer(camera.get(0xA003)), "ExifIFD:ExifImageHeight")
    record.put("user_comment", comment, "File:Comment")
    finish(record)
    if header.scan:
        try:
            record.payload = _payload(header, _find_end(file, header, places, blocks.xmp))
        except HandlerError as fault:
            record.warnings.append(f"no {ALGORITHM}: {fault.message}")
    return record


_READERS = frozenset((_APP0, _APP1, _APP2, _APP13, _APP14, _COM))


def jpeg_payload(file: File) -> Payload:
    """`jpeg-scan/1`; reads the file up to the end of its picture. Raises HandlerError `corrupt` without a scan."""
    header = read_header(file.head, file.read)
    if not header.scan:
        raise HandlerError("corrupt", "no start of scan")
    return _payload(header, find_end(file.read, header.scan, file.size, file.size))


def _payload(header: Header, end: int) -> Payload:
    ranges = [(s.offset, s.length) for s in header.segments if s.marker in DECIDING]
    ranges.append((header.scan, end - header.scan))
    return Payload(ALGORITHM, tuple(ranges))


def _find_end(file: File, header: Header, places: list[int], xmp: Structure | None) -> int:
    if xmp is not None:
        places = places + _film_places(xmp, file.size)
    for place in sorted(places):
        if header.scan < place < file.size:
            start = max(header.scan, place - WINDOW)
            before = file.read(start, place - start).rstrip(b"\0")
            if is_clean_end(before):
                return start + len(before)
    start = max(header.scan + 2, file.size - WINDOW)
    if not places and is_clean_end(file.read(start, file.size - start)):
        return file.size
    return find_end(file.read, header.scan, file.size, MAX_WALK)


def _film_places(xmp: Structure, size: int) -> list[int]:
    """Where the appended items of a motion photo begin, counted from the end (Google "Motion Photo format 1.0")."""
    places = []
    offset = texts(xmp.get("GCamera:MicroVideoOffset"))
    if offset and offset[0].isdigit() and len(offset[0]) < 16:
        places.append(size - int(offset[0]))
    total = 0
    directory = xmp.get("Container:Directory")
    for item in directory if isinstance(directory, list) else []:
        entry = item.get("Container:Item", item) if isinstance(item, dict) else {}
        length = texts(entry.get("Item:Length")) if isinstance(entry, dict) else []
        if length and length[0].isdigit() and len(length[0]) < 16 and texts(entry.get("Item:Semantic")) != ["Primary"]:
            total += int(length[0])
    return [*places, size - total] if total else places


def _read_app2(record: Record, body: bytes, base: int, places: list[int]) -> None:
    """ICC_PROFILE (ICC.1 annex B.4) and the MPF index (CIPA DC-007 section 5.2). `base`: offset of the MP header."""
    if body.startswith(b"ICC_PROFILE\0"):
        if body[12:13] == b"\1":
            record.put("icc_profile", profile_name(body[14:]), "ICC_Profile:ProfileDescription")
    elif body.startswith(b"MPF\0"):
        from mediad_handlers.readers.tiff import Tiff, first_number

        try:
            tiff = Tiff(body[4:])
        except HandlerError as fault:
            record.warnings.append(f"MPF: {fault.message}")
            return
        entries, _ = tiff.directory(tiff.first)
        count, table = first_number(entries.get(0xB001)), entries.get(0xB002)
        if isinstance(count, int) and 0 < count < 1000:
            record.put("frame_count", count, "MPF0:NumberOfImages")
        if isinstance(table, bytes):
            for at in range(16, min(len(table), 16 * 64), 16):
                offset = int.from_bytes(table[at + 8 : at + 12], tiff.layout.name)
                if offset:
                    places.append(base + offset)


def _map_jfif(record: Record, body: bytes) -> None:
    """Density of JFIF APP0 (JFIF 1.02 page 5): units 1 a inch, 2 a centimetre, 0 an aspect ratio only."""
    if body.startswith(b"JFIF\0") and len(body) >= 12 and body[7] in (1, 2):
        scale = 1.0 if body[7] == 1 else 2.54
        x, y = body[8] << 8 | body[9], body[10] << 8 | body[11]
        if x and y:
            record.put("dpi_x", x * scale, "JFIF:XResolution")
            record.put("dpi_y", y * scale, "JFIF:YResolution")


def _map_frame(record: Record, frame: Frame, transform: int) -> None:
    fields = record.fields
    if frame.width and frame.height:
        fields["width"], fields["height"] = frame.width, frame.height
    fields["bits_per_sample"] = frame.bits
    fields["compression"] = _PROCESS.get(frame.marker, "arithmetic" if frame.marker >= 0xC9 else "hierarchical")
    fields["interlaced"] = frame.marker in (0xC2, 0xC6, 0xCA, 0xCE)
    fields["has_alpha"] = False
    components = len(frame.sampling)
    if components == 1:
        fields["color_mode"] = "gray"
    elif components == 3:
        fields["color_mode"] = "rgb" if transform == 0 else "ycbcr"
        (h, v), (ch, cv) = frame.sampling[0], frame.sampling[1]
        if ch and cv and not h % ch and not v % cv:
            record.put("chroma_subsampling", _SUBSAMPLING.get((h // ch, v // cv)), "File:YCbCrSubSampling")
    elif components == 4:
        fields["color_mode"] = "cmyk"
