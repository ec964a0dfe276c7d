"""One small file of each format that the handlers know, and what foreign programs do to it: what the matrix of
docs/identity.md is made with. Nothing here uses mediad's own readers or writers.
"""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mutagen
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TIT2
from PIL import Image, features

DATA = Path(__file__).parent.parent / "data"
TITLE = "Another title " * 12
Change = Callable[[Path], None]


class Missing(Exception):
    """A program or library that is not installed here: the cell cannot be tried."""


# ---------------------------------------------------------------- tools


def run(*command: str | Path) -> None:
    """Runs a program. Raises Missing when it is not installed."""
    if shutil.which(str(command[0])) is None:
        raise Missing(f"{command[0]} is not installed")
    done = subprocess.run([*map(str, command)], capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stderr.decode(errors='replace')[-400:]}")


def save(path: Path, content: bytes) -> None:
    """As programs save: a temporary beside it, renamed over."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content)
    temporary.rename(path)


_CONVERTED: dict[tuple[object, ...], bytes] = {}


def convert(path: Path, *arguments: str, to: Path | None = None) -> None:
    """ffmpeg from a file into another, or over itself; it runs once for what is asked again."""
    asked = (path.read_bytes(), *arguments, (to or path).suffix)
    if asked not in _CONVERTED:
        made = Path(tempfile.mkdtemp()) / (to or path).name
        try:
            run("ffmpeg", "-nostdin", "-v", "error", "-i", path, *arguments, made)
            _CONVERTED[asked] = made.read_bytes()
        finally:
            shutil.rmtree(made.parent)
    save(to or path, _CONVERTED[asked])


def remux(path: Path, target: Path) -> None:
    """Every track into another container, as it is."""
    convert(path, "-map", "0:v?", "-map", "0:a?", "-c", "copy", to=target)


# ---------------------------------------------------------------- making


def sample(name: str) -> Change:
    return content((DATA / name).read_bytes())


def altered(name: str, first: int, last: int) -> Change:
    """A sample with some bytes changed: those of ExifTool's suite all have the same few bytes for a picture."""

    def make(path: Path) -> None:
        path.write_bytes((DATA / name).read_bytes())
        changed(first, last)(path)

    return make


def content(data: bytes) -> Change:
    def make(path: Path) -> None:
        path.write_bytes(data)

    return make


# SEED is another number for each format: films with equal tracks would be remuxes of each other, and one item.
TONE = ("-f", "lavfi", "-i", "sine=SEED:d=2")
SCREEN = ("-f", "lavfi", "-i", "testsrc2=s=160x128:d=2:r=25,hue=h=SEED")
FILM = (*SCREEN, *TONE)


def seed(path: Path) -> int:
    return zlib.crc32(path.suffix.encode()) % 1000


def encoded(source: Sequence[str], *arguments: str) -> Change:
    """What ffmpeg makes of a tone or of a film."""

    def make(path: Path) -> None:
        inputs = [word.replace("SEED", str(300 + seed(path))) for word in source]
        run("ffmpeg", "-nostdin", "-v", "error", *inputs, *arguments, path)

    return make


def picture(number: int, size: tuple[int, int] = (160, 120), mode: str = "RGB") -> Image.Image:
    """Hills of colour with a little noise, so that every encoder has something to keep."""
    hills = [(x * 7 + y * y // 9 + (x * y) % 13 + number) % 256 for y in range(size[1]) for x in range(size[0])]
    grey = Image.new("L", size)
    grey.putdata(hills)
    return Image.merge("RGB", (grey, grey.rotate(180), grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT))).convert(mode)


def exif() -> Image.Exif:
    tags = Image.Exif()
    tags[0x010F], tags[0x0110], tags[0x0132] = "Maker", "Model 7", "2021:05:06 07:08:09"
    tags.get_ifd(0x8769)[0x9003] = "2021:05:06 07:08:09"
    return tags


def pillow(form: str, mode: str = "RGB", size: tuple[int, int] = (160, 120), with_exif: bool = False) -> Change:
    """A picture that Pillow writes."""

    def make(path: Path) -> None:
        if form == "AVIF" and not features.check("avif"):
            raise Missing("Pillow without AVIF")
        out = io.BytesIO()
        picture(seed(path), size, mode).save(out, form, **({"exif": exif()} if with_exif else {}))
        path.write_bytes(out.getvalue())

    return make


def raw_tiff(magic: bytes = b"") -> Change:
    """A raw picture built as these cameras build theirs: a TIFF, some with a magic number of their own."""

    def make(path: Path) -> None:
        out = io.BytesIO()
        picture(seed(path)).save(out, "TIFF", exif=exif())
        data = out.getvalue()
        path.write_bytes(magic + data[len(magic) :])

    return make


def minolta() -> bytes:
    """MRW: blocks (PRD: the picture's measures, TTW: a TIFF), then the samples."""
    tiff = io.BytesIO()
    picture(0, (8, 8), "L").save(tiff, "TIFF", exif=exif())
    prd = b"21860002" + struct.pack(">6H4B2H", 60, 80, 60, 80, 12, 12, 0x59, 1, 0, 0, 0, 0)[:16]
    blocks = b"".join(b"\0" + name + struct.pack(">I", len(data)) + data
                      for name, data in ((b"PRD", prd), (b"TTW", tiff.getvalue())))  # fmt: skip
    return b"\0MRM" + struct.pack(">I", len(blocks)) + blocks + bytes(range(256)) * 28


def pdf(words: str) -> bytes:
    """Two pages of text (ISO 32000-1 7.5)."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>"]
    for number in (5, 6):
        objects.append(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents %d 0 R "
                       b"/Resources << /Font << /F1 7 0 R >> >> >>" % number)  # fmt: skip
    for page in ("first", "second"):
        text = f"BT /F1 12 Tf 20 200 Td ({page} page: {words}) Tj ET".encode()
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text))
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    objects.append(b"<< /Title (A letter) >>")
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + b"trailer\n<< /Size %d /Root 1 0 R /Info 8 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, out.rindex(b"xref\n0 "),
    )  # fmt: skip


def mobi(path: Path) -> None:
    """A sample that ends behind its first record, and records of text for it."""
    data = bytearray((DATA / "document/Palm.mobi").read_bytes())
    end = len(data)
    for number in range(1, int.from_bytes(data[76:78], "big")):
        struct.pack_into(">I", data, 78 + 8 * number, end + 10 * number - 10)
    path.write_bytes(data + WORDS.title().encode())


WORDS = "A letter about hills and rivers, with some words more. " * 100
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
CORE = (
    f'<?xml version="1.0"?><cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A table</dc:title></cp:coreProperties>'
)


def office(main: str, part: str, kind: str) -> Change:
    """A package of Office Open XML with one part and its properties (ECMA-376 part 2)."""
    word = "application/vnd.openxmlformats-officedocument"
    members = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
        f'"application/xml"/><Override PartName="/{main}" ContentType="{word}.{kind}.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="{main}"/><Relationship Id="r2" '
        f'Type="{PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>',
        main: part, "docProps/core.xml": CORE,
    }  # fmt: skip

    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            for name, text in members.items():
                out.writestr(name, text)

    return make


# ---------------------------------------------------------------- retagging


def by_mutagen(path: Path) -> None:
    song = mutagen.File(path, easy=True)
    assert song is not None, path
    if song.tags is None:
        song.add_tags()
    if isinstance(song.tags, ID3):
        song.tags.add(TIT2(encoding=3, text=[TITLE]))
    else:
        song["title"] = [TITLE]
    song.save()


def by_id3(path: Path) -> None:
    tag = ID3()
    tag.add(TIT2(encoding=3, text=[TITLE]))
    tag.save(path)


def by_ape(path: Path) -> None:
    tag = APEv2()
    tag["Title"] = TITLE
    tag.save(path)


def by_ffmpeg(path: Path) -> None:
    convert(path, "-map", "0", "-c", "copy", "-metadata", "title=Another title")


def by_mkvpropedit(path: Path) -> None:
    run("mkvpropedit", path, "--edit", "info", "--set", f"title={TITLE}")


def by_exiftool(path: Path) -> None:
    with_exiftool([path])


def with_exiftool(paths: Sequence[Path]) -> None:
    """All of them in one call: the program takes longer to start than to edit."""
    run("exiftool", "-q", "-m", "-overwrite_original", f"-XMP-dc:Title={TITLE}", *paths)


def png_text(path: Path) -> None:
    """A tEXt chunk behind IHDR."""
    data = path.read_bytes()
    chunk = b"tEXtTitle\0" + TITLE.encode()
    put = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    save(path, data[:33] + put + data[33:])


def webp_xmp(path: Path) -> None:
    """An XMP chunk at the end, and in front the extended header that says so (WebP container specification)."""
    data = path.read_bytes()
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><!-- {TITLE} --></x:xmpmeta>".encode()
    xmp += b" " * (len(xmp) % 2)
    chunks = data[12:]
    if chunks[:4] == b"VP8X":
        head = bytearray(chunks[:18])
        head[8] |= 4
        chunks = bytes(head) + chunks[18:]
    else:
        with Image.open(path) as opened:
            width, height = opened.size
        sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks = b"VP8X" + struct.pack("<I", 10) + b"\4\0\0\0" + sizes + chunks
    body = b"WEBP" + chunks + b"XMP " + struct.pack("<I", len(xmp)) + xmp
    save(path, b"RIFF" + struct.pack("<I", len(body)) + body)


def jxl_boxes(path: Path) -> None:
    """A bare codestream into the container with an XMP box (ISO/IEC 18181-2)."""
    data = path.read_bytes()
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><!-- {TITLE} --></x:xmpmeta>".encode()
    if data[:2] == b"\xff\x0a":
        head = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
        data = head + struct.pack(">I", len(data) + 8) + b"jxlc" + data
    save(path, data + struct.pack(">I", len(xmp) + 8) + b"xml " + xmp)


def riff_info(path: Path) -> None:
    """An INFO list at the end (RIFF 1991, chapter 2)."""
    data = path.read_bytes()
    text = TITLE.encode() + b"\0" * (2 - len(TITLE) % 2)
    info = b"INFOINAM" + struct.pack("<I", len(text)) + text
    data += b"LIST" + struct.pack("<I", len(info)) + info
    save(path, data[:4] + struct.pack("<I", len(data) - 8) + data[8:])


def by_properties(path: Path) -> None:
    """Another date of creation in the property set of an OLE file (MS-OLEPS 2.21), in place."""
    data = bytearray(path.read_bytes())
    at = data.index(bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9"))
    start = at - 28 + int.from_bytes(data[at + 16 : at + 20], "little")
    for number in range(int.from_bytes(data[start + 4 : start + 8], "little")):
        kind, offset = struct.unpack_from("<2I", data, start + 8 + 8 * number)
        if kind == 12:
            data[start + offset + 8] ^= 1
    path.write_bytes(data)


def in_zip(member: str, old: str, new: str) -> Change:
    """One member rewritten, every other packed again, as programs save their documents."""

    def change(path: Path) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w") as saved:
            for info in archive.infolist():
                data = archive.read(info)
                if info.filename == member:
                    assert old.encode() in data, (path, member)
                    data = data.replace(old.encode(), new.encode(), 1)
                pack = zipfile.ZIP_STORED if info.filename == "mimetype" else zipfile.ZIP_DEFLATED
                saved.writestr(zipfile.ZipInfo(info.filename, (2024, 2, 3, 4, 5, 6)), data, pack)
        save(path, out.getvalue())

    return change


def replaced(old: bytes, new: bytes) -> Change:
    """Bytes for others, saved by renaming."""

    def change(path: Path) -> None:
        data = path.read_bytes()
        assert old in data, (path, old)
        save(path, data.replace(old, new, 1))

    return change


# ---------------------------------------------------------------- editing


def by_pillow(form: str) -> Change:
    """Cropped, and turned by a quarter; the EXIF goes with it."""

    def change(path: Path) -> None:
        out = io.BytesIO()
        with Image.open(path) as opened:
            tags = opened.getexif()
            edited = opened.crop((8, 8, opened.width - 8, opened.height - 8)).transpose(Image.Transpose.ROTATE_90)
            edited.save(out, form, **({"exif": tags} if len(tags) else {}))
        save(path, out.getvalue())

    return change


def changed(first: float, last: float) -> Change:
    """Some bytes of the payload, in place: between two places in bytes (int), or as shares of the file (float)."""

    def change(path: Path) -> None:
        data = bytearray(path.read_bytes())
        begin, end = (at if isinstance(at, int) else int(len(data) * at) for at in (first, last))
        for at in range(begin, end):
            data[at] ^= 1
        path.write_bytes(data)

    return change


def encoded_again(*arguments: str) -> Change:
    """As quiet, and with other colours where there is a picture: every packet is another one, the duration the same."""
    return lambda path: convert(path, *arguments)


_BIT_RATES = {3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
              2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)}  # fmt: skip
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def mp3gain(path: Path) -> None:
    """Every granule two steps (3 dB) quieter: global_gain of the side information (ISO/IEC 11172-3 2.4.1.7), in place;
    nothing else changes, neither sizes nor tags."""
    data = bytearray(path.read_bytes())
    at = 10 + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]) if data[:3] == b"ID3" else 0
    frames = 0
    while at + 4 < len(data):
        head = int.from_bytes(data[at : at + 4], "big")
        version, rate, step = head >> 19 & 3, head >> 12 & 15, head >> 10 & 3
        if head >> 21 != 0x7FF or head >> 17 & 3 != 1 or rate in (0, 15) or step == 3 or version == 1:
            at += 1
            continue
        mono = head >> 6 & 3 == 3
        size = (
            (144 if version == 3 else 72) * 1000 * _BIT_RATES[3 if version == 3 else 2][rate] // _RATES[version][step]
        )
        size += head >> 9 & 1
        bit = (at + 4 + (0 if head >> 16 & 1 else 2)) * 8
        if version == 3:
            first, each, count = (18 if mono else 20), 59, 2 if mono else 4
        else:
            first, each, count = (9 if mono else 10), 63, 1 if mono else 2
        if frames:  # the first is the Xing frame or silence
            for number in range(count):
                _lower(data, bit + first + number * each + 21)
        frames += 1
        at += size
    assert frames > 2, path
    path.write_bytes(data)


def _lower(data: bytearray, bit: int) -> None:
    """An eight-bit number at a bit, less two."""
    pair = data[bit // 8] << 8 | data[bit // 8 + 1]
    shift = 8 - bit % 8
    value = pair >> shift & 255
    pair = pair & ~(255 << shift) | (value - 2 if value >= 2 else value + 2) << shift
    data[bit // 8], data[bit // 8 + 1] = pair >> 8, pair & 255


# ---------------------------------------------------------------- the formats


@dataclass(frozen=True)
class Format:
    """How a file of it is made, and what is done to it. `retag` None: the format has no tags; `remux` "": it has no
    tracks, or no other container takes them."""

    make: Change
    retag: Change | None
    edit: Change
    remux: str = ""


SOUND = ("-map", "0:a", "-map_metadata", "0", "-af", "volume=0.5")
NEGATIVE = ("-vf", "negate", "-af", "volume=0.5")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")
MPEG4 = ("-c:v", "mpeg4", "-c:a", "libmp3lame")
MPEG2 = ("-c:v", "mpeg2video", "-c:a", "mp2")
WMV = ("-c:v", "wmv2", "-c:a", "wmav2")
THEORA = ("-c:v", "libtheora", "-c:a", "libvorbis")
DV = ("-target", "pal-dv")


def film(arguments: tuple[str, ...], retag: Change | None, target: str, source: Sequence[str] = FILM) -> Format:
    """A video that ffmpeg makes; edited: encoded again with other colours."""
    return Format(encoded(source, *arguments), retag, encoded_again(*NEGATIVE, *arguments), target)


def drawn(form: str, retag: Change | None = None, **how: object) -> Format:
    """A picture that Pillow writes and edits."""
    return Format(pillow(form, **how), retag, by_pillow(form))  # type: ignore[arg-type]


AUDIO = {
    "mp3": Format(sample("audio/lame.mp3"), by_mutagen, mp3gain, "mka"),
    "mp2": Format(encoded(TONE, "-c:a", "mp2"), by_id3, encoded_again(*SOUND, "-c:a", "mp2"), "mka"),
    "m4a": Format(sample("audio/picard.m4a"), by_mutagen, encoded_again(*SOUND, "-c:a", "aac"), "mka"),
    "m4b": Format(sample("audio/chapters.m4b"), by_mutagen, encoded_again(*SOUND, "-c:a", "aac", "-f", "mp4"), "mka"),
    "aac": Format(encoded(TONE, "-c:a", "aac"), by_ape, encoded_again(*SOUND, "-c:a", "aac"), "m4a"),
    "flac": Format(sample("audio/picard.flac"), by_mutagen, encoded_again(*SOUND, "-c:a", "flac"), "mka"),
    "oga": Format(encoded(TONE, "-c:a", "flac"), by_mutagen, encoded_again(*SOUND, "-c:a", "flac"), "flac"),
    "ogg": Format(sample("audio/year.ogg"), by_mutagen, encoded_again(*SOUND, "-c:a", "libvorbis"), "mka"),
    "opus": Format(sample("audio/picard.opus"), by_mutagen, encoded_again(*SOUND, "-c:a", "libopus"), "webm"),
    "spx": Format(sample("audio/picard.spx"), by_mutagen, encoded_again(*SOUND, "-c:a", "libspeex"), "ogg"),
    "wav": Format(sample("audio/picard.wav"), by_mutagen, changed(0.5, 0.6), "mka"),
    "aiff": Format(sample("audio/picard.aiff"), by_mutagen, changed(0.5, 0.6), "mka"),
    "au": Format(content(b".snd" + struct.pack(">5I", 24, 8000, 3, 8000, 1) + bytes(range(200)) * 40), None,
                 changed(0.5, 0.6), "mka"),
    "wma": Format(sample("audio/silence-2.wma"), by_mutagen, changed(0.7, 0.71), "mka"),
    "ape": Format(sample("audio/picard.ape"), by_mutagen, changed(0.2, 0.22)),
    "wv": Format(sample("audio/silence.wv"), by_mutagen, changed(0.5, 0.51), "mka"),
    "mpc": Format(sample("audio/test-sv7.mpc"), by_mutagen, changed(0.5, 0.6)),
    "tta": Format(sample("formats/test.tta"), by_mutagen, changed(0.3, 0.4), "mka"),
    "tak": Format(sample("formats/test.tak"), by_ape, changed(0.3, 0.4)),
    "ofr": Format(sample("formats/test.ofr"), by_ape, changed(0.85, 0.95)),
    "ac3": Format(sample("formats/test.ac3"), by_ape, changed(0.5, 0.6), "mka"),
    "dsf": Format(sample("formats/without-id3.dsf"), by_mutagen, changed(0.5, 0.6)),
    "dff": Format(sample("formats/test.dff"), by_mutagen, changed(0.3, 0.4)),
    "amr": Format(content(b"#!AMR\n" + (b"\x04" + bytes(range(12))) * 300), None, changed(0.5, 0.6)),
    "mid": Format(sample("audio/sample.mid"), None, changed(0.5, 0.501)),
    "mka": Format(encoded(TONE, "-c:a", "libvorbis"), by_mkvpropedit, encoded_again(*SOUND, "-c:a", "libvorbis"),
                  "ogg"),
}  # fmt: skip
IMAGE = {
    "jpg": drawn("JPEG", by_exiftool, with_exif=True),
    "mpo": Format(sample("image/frame_size.mpo"), by_exiftool, changed(4000, 4020)),
    "png": drawn("PNG", png_text, with_exif=True),
    "apng": Format(encoded(SCREEN, "-plays", "0", "-f", "apng", "-frames:v", "3"), png_text, by_pillow("PNG")),
    "gif": Format(sample("image/hopper.gif"), by_exiftool, by_pillow("GIF")),
    "webp": drawn("WEBP", webp_xmp, with_exif=True),
    "tif": drawn("TIFF", by_exiftool, with_exif=True),
    "bmp": drawn("BMP"),
    "ico": drawn("ICO", size=(128, 128)),
    "pcx": drawn("PCX"),
    "ppm": drawn("PPM"),
    "tga": drawn("TGA"),
    "sgi": drawn("SGI"),
    "dds": drawn("DDS"),
    "icns": drawn("ICNS", size=(128, 128)),
    "heic": Format(sample("formats/sample.heic"), by_exiftool, changed(0.5, 0.51)),
    "avif": Format(sample("formats/exif.avif"), by_exiftool, changed(0.6, 0.61)),
    "jxl": Format(encoded(SCREEN, "-frames:v", "1", "-c:v", "libjxl"), jxl_boxes, changed(0.5, 0.51)),
    "jp2": drawn("JPEG2000", by_exiftool),
    "psd": Format(sample("image/Photoshop.psd"), by_exiftool, changed(17300, 17320)),
    "svg": Format(sample("image/XMP.svg"), replaced(b"</svg>", b"<title>Another</title></svg>"),
                  replaced(b"</svg>", b"<circle r='5'/></svg>")),
    "dng": Format(altered("image/DNG.dng", 12494, 12497), by_exiftool, changed(12500, 12510)),
    "cr2": Format(altered("image/CanonRaw.cr2", 8664, 8666), by_exiftool, changed(8684, 8700)),
    "cr3": Format(sample("image/CanonRaw.cr3"), by_exiftool, changed(0.8, 0.81)),
    "crw": Format(altered("image/CanonRaw.crw", 26, 30), by_exiftool, changed(30, 40)),
    "nef": Format(altered("image/Nikon.nef", 1376, 1379), by_exiftool, changed(1380, 1390)),
    "nrw": Format(raw_tiff(), by_exiftool, changed(0.5, 0.51)),
    "arw": Format(raw_tiff(), by_exiftool, changed(0.5, 0.51)),
    "pef": Format(raw_tiff(), by_exiftool, changed(0.5, 0.51)),
    "srw": Format(raw_tiff(), by_exiftool, changed(0.5, 0.51)),
    "orf": Format(raw_tiff(b"IIRO"), by_exiftool, changed(0.5, 0.51)),
    "rw2": Format(altered("image/Panasonic.rw2", 12322, 12325), by_exiftool, changed(12326, 12340)),
    "raf": Format(altered("image/FujiFilm.raf", 38408, 38411), by_exiftool, changed(38412, 38424)),
    "mrw": Format(content(minolta()), by_exiftool, changed(0.9, 0.91)),
    "x3f": Format(sample("image/SigmaDP2.x3f"), by_exiftool, changed(4224, 4236)),
    "iiq": Format(sample("image/PhaseOne.iiq"), by_exiftool, changed(0.5, 0.51)),
    "xmp": Format(sample("image/XMP.xmp"), by_exiftool, replaced(b"</rdf:RDF>", b"<!-- more --></rdf:RDF>")),
}  # fmt: skip
VIDEO = {
    "mp4": film(H264, by_exiftool, "mkv"),
    "m4v": Format(sample("formats/test.m4v"), by_mutagen,
                  encoded_again("-vf", "negate", "-c:v", "libx264", "-f", "mp4"), "mkv"),
    "mov": film(H264, by_exiftool, "mp4"),
    "3gp": film(H264, by_exiftool, "mkv"),
    "mkv": film(H264, by_mkvpropedit, "mp4"),
    "webm": film(VP8, by_mkvpropedit, "mkv"),
    "ogv": film(THEORA, by_mutagen, "mkv"),
    "avi": film(MPEG4, riff_info, "mkv"),
    "flv": film(H264, by_ffmpeg, "mp4"),
    "ts": film(H264, by_ffmpeg, "mp4"),
    "m2ts": film((*H264[:-1], "ac3"), by_ffmpeg, "mkv"),
    "mpg": film(MPEG2, None, "mkv"),
    "vob": film(MPEG2, None, "mkv"),
    "wmv": film(WMV, by_mutagen, "mkv"),
    "dv": Format(encoded((*FILM[:3], FILM[3].replace("d=2", "d=0.2"), *TONE[:3], "sine=d=0.2"), *DV), None,
                 encoded_again(*NEGATIVE, *DV), "avi"),
    "rm": film(("-c:v", "rv10", "-c:a", "ac3", "-metadata", "title=A title"), replaced(b"A title", b"Another"), ""),
}  # fmt: skip
DOCUMENT = {
    "pdf": Format(content(pdf(WORDS)), by_exiftool, content(pdf(WORDS + "And more."))),
    "docx": Format(sample("document/headers.docx"), in_zip("docProps/core.xml", "</dc:creator>", ", me</dc:creator>"),
                   in_zip("word/document.xml", "</w:t>", " and more words</w:t>")),
    "xlsx": Format(office("xl/workbook.xml", "<workbook><sheets/>" + "<!-- row -->" * 100 + "</workbook>",
                          "spreadsheetml.sheet"),
                   in_zip("docProps/core.xml", "A table", "Another"), in_zip("xl/workbook.xml", "row", "rows")),
    "pptx": Format(office("ppt/presentation.xml", "<presentation>" + "<!-- slide -->" * 100 + "</presentation>",
                          "presentationml.presentation"),
                   in_zip("docProps/core.xml", "A table", "Another"),
                   in_zip("ppt/presentation.xml", "slide", "slides")),
    "odt": Format(sample("document/serious_poem.odt"), in_zip("meta.xml", "</office:meta>", "<!-- T --></office:meta>"),
                  in_zip("content.xml", "</text:p>", " more words</text:p>")),
    "ods": Format(sample("document/OpenDoc.ods"), in_zip("meta.xml", "</office:meta>", "<!-- T --></office:meta>"),
                  in_zip("content.xml", "Blad3", "Blad 4")),
    "odp": Format(sample("formats/sample.odp"), in_zip("meta.xml", "</office:meta>", "<!-- T --></office:meta>"),
                  in_zip("content.xml", "<office:presentation", "<!-- more --><office:presentation")),
    "epub": Format(sample("document/epub2_cover.epub"), in_zip("OEBPS/content.opf", "</dc:title>", " again</dc:title>"),
                   in_zip("OEBPS/EPUB_Pandoc_Test.xhtml", "</p>", " more words</p>")),
    "doc": Format(sample("document/sample.doc"), by_properties, changed(0.17, 0.18)),
    "ppt": Format(sample("document/FlashPix.ppt"), replaced(b"keywords", b"other wo"),
                  replaced(b"Third level", b"Other level")),
    "rtf": Format(sample("document/RTF.rtf"), replaced(b"{\\info", b"{\\info{\\subject Another}"),
                  replaced(b"\\par", b" more words\\par")),
    "mobi": Format(mobi, replaced(b"Smashwords, Inc.", b"Somebody else's."),
                   replaced(b"Hills", b"Woods")),
    "html": Format(content(f"<html><head><title>A</title></head><body><p>{WORDS}</p></body></html>".encode()),
                   replaced(b"<title>A<", b"<title>Another<"), replaced(b"</p>", b" More.</p>")),
    "txt": Format(content(WORDS.encode()), None, content((WORDS + "And more.").encode())),
    "md": Format(content(b"# Hills\n\n" + WORDS.encode()), None, replaced(b"# Hills", b"# High hills")),
    "csv": Format(content(b"place,height\n" + b"hill,300\n" * 600), None, replaced(b"300", b"310")),
    "srt": Format(content(b"1\n00:00:01,000 --> 00:00:02,000\n" + WORDS.encode()), None, replaced(b"hills", b"woods")),
    "vtt": Format(content(b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + WORDS.encode()), None, replaced(b"hills", b"woods")),
    "ass": Format(content(b"[Script Info]\nTitle: A\n\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,"
                          + WORDS.encode()),
                  replaced(b"Title: A", b"Title: Another"), replaced(b"hills", b"woods")),
    "lrc": Format(content(b"[ti:A]\n[00:01.00]" + WORDS.encode()), replaced(b"[ti:A]", b"[ti:Another]"),
                  replaced(b"hills", b"woods")),
    "eps": Format(sample("document/PostScript.eps"), by_exiftool, replaced(b"grestore % EPS", b"grestore % our EPS")),
    "ai": Format(content(pdf(WORDS + "Drawn.")), by_exiftool, content(pdf(WORDS + "Drawn again."))),
    "indd": Format(sample("formats/InDesign.indd"), by_exiftool, changed(0.9, 0.91)),
    "djvu": Format(sample("document/DjVu.djvu"), None, changed(0.9, 0.95)),
}  # fmt: skip
FORMATS: dict[str, Format] = {**AUDIO, **IMAGE, **VIDEO, **DOCUMENT}


def make_all(folder: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """The files' contents, and why some cannot be made here."""
    made: dict[str, bytes] = {}
    missing: dict[str, str] = {}
    for name, form in FORMATS.items():
        path = folder / f"made.{name}"
        try:
            form.make(path)
        except Missing as reason:
            missing[name] = str(reason)
            continue
        made[name] = path.read_bytes()
        os.unlink(path)
    return made, missing
