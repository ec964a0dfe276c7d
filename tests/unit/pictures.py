"""Small picture files and metadata blocks, built byte by byte for the image tests."""

from __future__ import annotations

import struct
from pathlib import Path

from mediad_handlers import image
from mediad_handlers.kit.api import Record
from mediad_handlers.kit.file import File

Entry = tuple[int, int, int, bytes]  # tag, type, count, value
SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)


def text(tag: int, value: str | bytes) -> Entry:
    raw = (value.encode() if isinstance(value, str) else value) + b"\0"
    return tag, 2, len(raw), raw


def short(tag: int, *values: int, order: str = "<") -> Entry:
    return tag, 3, len(values), struct.pack(f"{order}{len(values)}H", *values)


def long(tag: int, *values: int, order: str = "<") -> Entry:
    return tag, 4, len(values), struct.pack(f"{order}{len(values)}I", *values)


def rational(tag: int, *pairs: tuple[int, int], order: str = "<") -> Entry:
    return tag, 5, len(pairs), b"".join(struct.pack(order + "II", *pair) for pair in pairs)


def blob(tag: int, value: bytes) -> Entry:
    return tag, 7, len(value), value


def directory(entries: list[Entry], at: int, order: str = "<", following: int = 0, base: int = 0) -> bytes:
    """A directory that stands at `at`, its values behind it; offsets count from `base`."""
    entries = sorted(entries)
    table, values = b"", b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        if len(value) <= 4:
            field = value.ljust(4, b"\0")
        else:
            field = struct.pack(order + "I", behind + len(values) - base)
            values += value + b"\0" * (len(value) & 1)
        table += struct.pack(order + "HHI", tag, kind, count) + field
    return struct.pack(order + "H", len(entries)) + table + struct.pack(order + "I", following) + values


def exif(main: list[Entry], camera: list[Entry] = (), gps: list[Entry] = (), order: str = "<") -> bytes:  # type: ignore[assignment]
    """An EXIF block: IFD0, ExifIFD and GPS."""
    main = [*main, long(0x8769, 0, order=order), *([long(0x8825, 0, order=order)] if gps else [])]
    first = len(directory(main, 8, order))
    camera_at = 8 + first
    camera_block = directory(list(camera), camera_at, order)
    gps_at = camera_at + len(camera_block)
    pointers = {0x8769: camera_at, 0x8825: gps_at}
    main = [long(tag, pointers[tag], order=order) if tag in pointers else (tag, *rest) for tag, *rest in main]  # type: ignore[misc]
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    block = header + directory(main, 8, order) + camera_block
    return block + (directory(list(gps), gps_at, order) if gps else b"")


def note_place(block: bytes, note: bytes) -> int:
    """Where the maker note landed in an EXIF block."""
    return block.index(note[:12])


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


SCAN = bytes(range(1, 200)) * 3
TABLES = (
    segment(0xDB, bytes(65))
    + segment(0xC0, bytes((8, 0, 32, 0, 48, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0)))
    + segment(0xC4, bytes(20))
)


def jpeg(*segments: bytes, trailer: bytes = b"") -> bytes:
    """A JPEG in form of 48 x 32 pixels."""
    return b"\xff\xd8" + b"".join(segments) + TABLES + segment(0xDA, b"\1\1\0\0\x3f\0") + SCAN + b"\xff\xd9" + trailer


def exif_segment(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + block)


NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/", "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/", "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/", "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "lr": "http://ns.adobe.com/lightroom/1.0/", "digiKam": "http://www.digikam.org/ns/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/", "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/", "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "MP": "http://ns.microsoft.com/photo/1.2/", "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#", "xmpNote": "http://ns.adobe.com/xmp/note/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/", "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/", "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "mwg-kw": "http://www.metadataworkinggroup.com/schemas/keywords/",
    "mediapro": "http://ns.iview-multimedia.com/mediapro/1.0/",
}  # fmt: skip


def packet(properties: str) -> bytes:
    """An XMP packet of one description."""
    names = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {names}>{properties}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def bag(*values: str, kind: str = "Bag") -> str:
    return f"<rdf:{kind}>{''.join(f'<rdf:li>{value}</rdf:li>' for value in values)}</rdf:{kind}>"


def alternative(value: str) -> str:
    return f'<rdf:Alt><rdf:li xml:lang="x-default">{value}</rdf:li></rdf:Alt>'


def xmp_segment(properties: str) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet(properties))


def iptc(*datasets: tuple[int, str | bytes], utf8: bool = True) -> bytes:
    """Record 2, with the character set of 1:90 in front when `utf8`."""
    out = b"\x1c\x01\x5a\0\3\x1b%G" if utf8 else b""
    for number, value in datasets:
        raw = value.encode() if isinstance(value, str) else value
        out += b"\x1c\x02" + bytes((number,)) + len(raw).to_bytes(2, "big") + raw
    return out


def resource(number: int, data: bytes) -> bytes:
    return b"8BIM" + number.to_bytes(2, "big") + b"\0\0" + len(data).to_bytes(4, "big") + data + b"\0" * (len(data) & 1)


def photoshop_segment(*resources: bytes) -> bytes:
    return segment(0xED, b"Photoshop 3.0\0" + b"".join(resources))


def read(content: bytes, path: Path) -> Record:
    """The image handler's record of `content`, written to `path`."""
    path.write_bytes(content)
    with File.open(path) as file:
        return image.HANDLER.read(file)
