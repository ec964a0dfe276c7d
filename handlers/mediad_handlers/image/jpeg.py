"""JPEG files: header facts, the metadata segments, and the payload `jpeg-scan/1`.

`jpeg-scan/1` = the bytes that decide the pixels (T.81 annex B): every SOFn, DHT, DAC, DQT, DNL, DRI, DHP and EXP
segment in front of the first SOS, each from its 0xFF marker to its end, in file order; then everything from the first
SOS marker to the end of the picture: behind its EOI, or the end of the file when there is none. Not in it: SOI, APPn,
COM, fill bytes, thumbnails, and whatever follows EOI (MPF pictures, motion photo films, makers' trailers).

The end of the picture, in `read` (bounded): (1) a place that MPF or a motion photo's XMP names, when the 4 KiB before
it are entropy-coded data that end in EOI; (2) the end of the file, when nothing names a place and its last 4 KiB are
that; (3) else the markers are walked, up to MAX_WALK bytes (an editor moved what MPF places). In `payload`: always the
walk. A marker cannot stand in entropy-coded data, so the three agree, unless a second picture of more than 4 KiB that
nothing announces is appended to the first.
"""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.image.converters import clean_comment, integer
from mediad_handlers.image.embedded import add_picture
from mediad_handlers.image.trailers import add_trailers, has_trailer
from mediad_handlers.kit.api import HandlerError, Payload, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.icc import profile_name
from mediad_handlers.readers.jpeg import DECIDING, Frame, Header, find_end, is_clean_end, read_header
from mediad_handlers.readers.tiff import decode_text
from mediad_handlers.readers.xmp import Structure, texts

ALGORITHM = "jpeg-scan/1"
MAX_WALK = 32 * 1024 * 1024  # bytes behind SOS that `read` looks through for the end of the picture
MAX_EXTENDED_XMP = 2 * 1024 * 1024
WINDOW = 4096
_APP0, _APP1, _APP2, _APP12, _APP13, _APP14, _COM = 0xE0, 0xE1, 0xE2, 0xEC, 0xED, 0xEE, 0xFE
_EXIF, _XMP, _EXTENDED = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_PROCESS = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive", 0xC3: "lossless"}
_MPF_TYPES = {1: "preview", 2: "frame"}  # CIPA DC-007 table 4: large thumbnail; panorama, disparity, multi-angle
_SUBSAMPLING = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (4, 1): "4:1:1", (1, 2): "4:4:0", (4, 2): "4:1:0"}


def read_jpeg(file: File) -> Record:
    """The record of a JPEG file. Raises HandlerError `corrupt` when it does not begin as one."""
    header = read_header(file.head, file.read)
    record = Record("image", "jpeg", "image/jpeg")
    if not header.complete:
        record.warnings.append("no start of scan was found")
    blocks = Blocks()
    resources: list[bytes] = []
    extended: dict[bytes, dict[int, bytes]] = {}
    places: list[int] = []
    transform = -1
    comment: str | None = None
    ducky = b""
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
            elif body.startswith(_EXTENDED):
                parts = extended.setdefault(body[35:67], {}) if len(extended) < 8 else {}
                parts[int.from_bytes(body[71:75], "big")] = body[75:]
        elif marker == _APP0:
            _map_jfif(record, body)
        elif marker == _APP2:
            _read_app2(record, body, (offset + 8, file.size), places)
        elif marker == _APP13 and body.startswith(b"Photoshop 3.0\0"):
            resources.append(body[14:])
        elif marker == _APP12 and body.startswith(b"Ducky"):
            ducky = body
        elif marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
            transform = body[11]
        elif marker == _COM and comment is None:
            comment = clean_comment(decode_text(body))
    if resources:
        blocks.add_resources(b"".join(resources))
    if extended:
        _add_extended(record, blocks, extended)
    tail = file.tail(WINDOW)
    if has_trailer(tail):
        add_trailers(record, blocks, file)
    if header.frame is not None:
        _map_frame(record, header.frame, transform)
    map_blocks(record, blocks)
    if header.frame is None and blocks.exif is not None:  # a header without its picture
        camera = blocks.exif.directories.get("ExifIFD", {})
        record.put("width", integer(camera.get(0xA002)), "ExifIFD:ExifImageWidth")
        record.put("height", integer(camera.get(0xA003)), "ExifIFD:ExifImageHeight")
    record.put("user_comment", comment, "File:Comment")
    if ducky:
        from mediad_handlers.image.photoshop import map_ducky

        map_ducky(record, ducky)
    finish(record)
    if header.scan:
        try:
            record.payload = _payload(header, _find_end(file, header, places, blocks.xmp, tail))
        except HandlerError as fault:
            record.warnings.append(f"no {ALGORITHM}: {fault.message}")
    return record


def _add_extended(record: Record, blocks: Blocks, extended: dict[bytes, dict[int, bytes]]) -> None:
    """The extended packet that the main one names by its GUID (XMP part 3 section 1.1.3.1), as far as its portions
    follow one another; others belong to no packet of this file."""
    named = texts((blocks.xmp or {}).get("xmpNote:HasExtendedXMP"))
    portions = extended.get(named[0].upper().encode("latin-1", "replace")) if named else None
    if portions is None:
        record.warnings.append("XMP: extended packet without a main packet that names it")
        return
    packet = b""
    while len(packet) < MAX_EXTENDED_XMP and (part := portions.get(len(packet))):
        packet += part
    if len(packet) < sum(map(len, portions.values())):
        record.warnings.append("XMP: portions of the extended packet are missing")
    blocks.add_xmp(record, packet[:MAX_EXTENDED_XMP])


_READERS = frozenset((_APP0, _APP1, _APP2, _APP12, _APP13, _APP14, _COM))


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


def _find_end(file: File, header: Header, places: list[int], xmp: Structure | None, tail: bytes) -> int:
    if xmp is not None:
        places = places + _film_places(xmp, file.size)
    for place in sorted(places):
        if header.scan < place < file.size:
            start = max(header.scan, place - WINDOW)
            before = file.read(start, place - start).rstrip(b"\0")
            if is_clean_end(before):
                return start + len(before)
    behind = file.size - header.scan - 2
    if not places and is_clean_end(tail if behind >= len(tail) else tail[-behind:] if behind > 0 else b""):
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


def _read_app2(record: Record, body: bytes, span: tuple[int, int], places: list[int]) -> None:
    """ICC_PROFILE (ICC.1 annex B.4) and the MPF index (CIPA DC-007 section 5.2). `span`: offsets of the MP header and
    of the end of the file."""
    base, end = span
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
            for at in range(16, min(len(table), 16 * 64) - 15, 16):
                kind, size, offset = (int.from_bytes(table[at + n : at + n + 4], tiff.layout.name) for n in (0, 4, 8))
                if offset:
                    places.append(base + offset)
                    if size and base + offset + size <= end:
                        use = _MPF_TYPES.get(kind >> 16 & 0xFF, "other")
                        add_picture(record, "MPF:MPImage", type=use, mime="image/jpeg", size=size)


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
