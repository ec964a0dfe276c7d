"""PNG files: header, animation, physical size, text and metadata chunks."""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.image.converters import clean_comment
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.icc import profile_name
from mediad_handlers.readers.moment import Moment, parse_moment, put_moment
from mediad_handlers.readers.png import MAX_BODY, Chunk, inflate, iterate_chunks, read_raw_profile, read_text

_COLOR = {0: "gray", 2: "rgb", 3: "palette", 4: "gray", 6: "rgba"}
_TEXT = {
    "title": "title", "description": "description", "copyright": "copyright", "software": "software",
    "source": "source", "make": "camera_make", "model": "camera_model", "comment": "user_comment",
}  # fmt: skip
_READ = frozenset((b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"pHYs", b"tIME", b"acTL", b"sRGB", b"tRNS"))


def read_png(file: File) -> Record:
    """The record of a PNG file. Raises HandlerError `corrupt` when IHDR is not there."""
    head = file.head
    if len(head) < 33 or head[12:16] != b"IHDR":
        raise HandlerError("corrupt", "no PNG image header")
    record = Record("image", "png", "image/png")
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if width and height:
        record.put("width", width, "PNG:ImageWidth")
        record.put("height", height, "PNG:ImageHeight")
    record.put("bits_per_sample", head[24], "PNG:BitDepth")
    record.put("color_mode", _COLOR.get(head[25]), "PNG:ColorType")
    record.put("compression", "deflate", "PNG:Compression")
    record.put("interlaced", head[28] == 1, "PNG:Interlace")
    blocks, texts = Blocks(), dict[str, list[str]]()
    alpha, ended = head[25] in (4, 6), False
    for chunk in iterate_chunks(file.read, file.size):
        ended = chunk.kind == b"IEND"
        if chunk.kind in _READ and chunk.length <= MAX_BODY:
            alpha |= chunk.kind == b"tRNS"
            try:
                _read_chunk(file, record, blocks, texts, chunk)
            except HandlerError as fault:
                record.warnings.append(f"{chunk.kind.decode('ascii')}: {fault.message}")
    if not ended:
        record.warnings.append("the chunks do not end with IEND")
    record.put("has_alpha", alpha, "PNG:ColorType")
    map_blocks(record, blocks)
    _map_texts(record, texts)
    finish(record)
    return record


def _read_chunk(file: File, record: Record, blocks: Blocks, texts: dict[str, list[str]], chunk: Chunk) -> None:
    kind = chunk.kind
    body = file.read(chunk.offset, chunk.length)
    if kind in (b"tEXt", b"zTXt", b"iTXt"):
        _add_text(record, blocks, texts, kind, body)
    elif kind == b"eXIf":
        blocks.add_exif(record, body.removeprefix(b"Exif\0\0"))
    elif kind == b"iCCP":
        record.put("icc_profile", profile_name(inflate(body.partition(b"\0")[2][1:])), "ICC_Profile:ProfileDescription")
        record.put("icc_profile", body.partition(b"\0")[0][:79].decode("latin-1"), "PNG:ProfileName")
    elif kind == b"pHYs" and len(body) == 9 and body[8] == 1:
        for name, part in (("dpi_x", body[:4]), ("dpi_y", body[4:8])):
            density = int.from_bytes(part, "big")
            record.put(name, round(density * 0.0254, 3) if density else None, "PNG-pHYs:PixelsPerUnit")
    elif kind == b"tIME" and len(body) == 7:
        year = body[0] << 8 | body[1]
        written = f"{year:04}-{body[2]:02}-{body[3]:02}T{body[4]:02}:{body[5]:02}:{body[6]:02}Z"
        put_moment(record, "date_modified_at", parse_moment(written), "PNG:ModifyDate")
    elif kind == b"acTL" and len(body) == 8:
        record.put("frame_count", int.from_bytes(body[:4], "big"), "PNG:AnimationFrames")
        record.put("loop_count", int.from_bytes(body[4:], "big"), "PNG:AnimationPlays")
    elif kind == b"sRGB":
        record.put("color_space", "sRGB", "PNG:SRGBRendering")


def _add_text(record: Record, blocks: Blocks, texts: dict[str, list[str]], kind: bytes, body: bytes) -> None:
    keyword, raw, encoding = read_text(kind, body)
    if keyword == "XML:com.adobe.xmp":
        blocks.add_xmp(record, raw)
    elif keyword.startswith("Raw profile type "):
        profile = read_raw_profile(raw)
        if profile.startswith(b"Exif\0\0"):
            blocks.add_exif(record, profile[6:])
        elif profile.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            blocks.add_xmp(record, profile.partition(b"\0")[2])
        elif profile.startswith(b"8BIM"):
            blocks.add_resources(profile)
        elif keyword.endswith("xmp"):
            blocks.add_xmp(record, profile)
        elif keyword.endswith("iptc"):
            blocks.add_iptc(profile)
        elif keyword.endswith(("icc", "icm")):
            record.put("icc_profile", profile_name(profile), "ICC_Profile:ProfileDescription")
    else:
        value = raw[:65536].decode(encoding, "replace").strip("\0 \r\n")
        if value and len(texts) < 500:
            texts.setdefault(keyword, []).append(value)


def _map_texts(record: Record, texts: dict[str, list[str]]) -> None:
    """PNG section 11.3.3.2: predefined keywords; the rest are tags."""
    for keyword, values in texts.items():
        lower, source = keyword.lower(), "PNG:" + keyword.replace(" ", "")
        if lower in ("author", "artist"):
            record.put("creators", values, source)
        elif lower in ("creation time", "create-date") and (moment := _creation(values[0])):
            put_moment(record, "date_taken", moment, source)
        elif lower == "comment":
            record.put("user_comment", clean_comment(values[0]), source)
        elif lower in _TEXT:
            record.put(_TEXT[lower], values[0], source)
        else:
            record.tag(source, values)


def _creation(written: str) -> Moment | None:
    """ISO 8601, or RFC 1123 as the specification suggests."""
    found = parse_moment(written)
    if found is not None:
        return found
    from email.utils import parsedate_to_datetime

    try:
        when = parsedate_to_datetime(written)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return parse_moment(when.isoformat())
