"""The operation `preview` of a locked worker: which of the pictures in a file it shows, and what it says of memory."""

from __future__ import annotations

import base64
import io
import shutil
import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

from mutagen.apev2 import APEBinaryValue, APEv2
from mutagen.flac import Picture
from mutagen.id3 import APIC, ID3
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus
from PIL import Image

from tests.contract.worker_client import Process

DATA = Path(__file__).parent.parent / "data"
RED, GREEN = (200, 20, 20), (20, 180, 20)
COMMAND = [sys.executable, "-m", "mediad_handlers.media", "--worker", "--previews", "--memory", str(256 << 20)]


def jpeg(color: tuple[int, int, int], size: tuple[int, int] = (300, 200)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "JPEG")
    return out.getvalue()


def ask(path: Path, size: int = 128) -> tuple[dict[str, Any], Image.Image | None]:
    """The answer or error, and the picture."""
    with Process(COMMAND) as worker:
        assert "seccomp=1" in worker.answers.next()["sandbox"]
        worker.ask("preview", [path], size=size)
        assert worker.answers.next() == {"id": 1, "i": 0, "begin": True}
        data = b""
        while "piece" in (message := worker.answers.next()):
            data += message["piece"]["data"]
        if "error" in message:
            return message["error"], None
        assert message["ok"]["bytes"] == len(data)
        return message["ok"], Image.open(io.BytesIO(data))


def shows(path: Path, color: tuple[int, int, int]) -> bool:
    answer, picture = ask(path)
    assert picture is not None, (path.name, answer)
    seen = picture.convert("RGB").getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(seen, tuple)
    return all(abs(one - other) < 12 for one, other in zip(seen, color, strict=True))


def test_the_front_cover_of_songs(tmp_path: Path) -> None:
    def copy(name: str) -> Path:
        return Path(shutil.copy(DATA / "audio" / name, tmp_path / name))

    mp3 = copy("lame.mp3")
    tags = ID3()
    tags.add(APIC(3, "image/jpeg", 4, "back", jpeg(RED)))
    tags.add(APIC(3, "image/jpeg", 3, "front", jpeg(GREEN)))
    tags.save(mp3)
    m4a = copy("picard.m4a")
    film = MP4(m4a)
    film["covr"] = [MP4Cover(jpeg(GREEN)), MP4Cover(jpeg(RED))]
    film.save()
    opus = copy("picard.opus")
    song = OggOpus(opus)
    one = Picture()
    one.type, one.mime, one.data = 3, "image/jpeg", jpeg(GREEN)
    song["metadata_block_picture"] = [base64.b64encode(one.write()).decode()]
    song.save()
    ape = copy("picard.ape")
    items = APEv2()
    items["Cover Art (Back)"] = APEBinaryValue(b"b.jpg\0" + jpeg(RED))
    items["Cover Art (Front)"] = APEBinaryValue(b"a.jpg\0" + jpeg(GREEN))
    items.save(ape)
    for path in (mp3, m4a, opus, ape):
        assert shows(path, GREEN), path.name


def element(number: int, data: bytes) -> bytes:
    """An EBML element with a size of eight bytes (RFC 8794)."""
    head = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return head + (len(data) | 1 << 56).to_bytes(8, "big") + data


def test_the_cover_of_a_film(tmp_path: Path) -> None:
    def attached(name: bytes, data: bytes) -> bytes:
        parts = element(0x466E, name) + element(0x4660, b"image/jpeg") + element(0x465C, data)
        return element(0x61A7, parts + element(0x46AE, b"\1"))

    info = element(0x1549A966, element(0x7BA9, b"Film"))
    both = attached(b"small_cover.jpg", jpeg(RED)) + attached(b"cover.jpg", jpeg(GREEN))
    film = element(0x1A45DFA3, element(0x4282, b"matroska")) + element(0x18538067, info + element(0x1941A469, both))
    path = tmp_path / "film.mkv"
    path.write_bytes(film)
    assert shows(path, GREEN)


def test_the_cover_of_a_book(tmp_path: Path) -> None:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
        '<item id="a" href="a.jpg" media-type="image/jpeg"/>'
        '<item id="c" href="im/c.jpg" media-type="image/jpeg" properties="cover-image"/></manifest></package>'
    )
    container = '<container><rootfiles><rootfile full-path="o/p.opf"/></rootfiles></container>'
    with zipfile.ZipFile(tmp_path / "book.epub", "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr("META-INF/container.xml", container)
        book.writestr("o/p.opf", package)
        book.writestr("o/a.jpg", jpeg(RED))
        book.writestr("o/im/c.jpg", jpeg(GREEN))
    assert shows(tmp_path / "book.epub", GREEN)


def raw(small: bytes, large: bytes) -> bytes:
    """A NEF of two JPEG pictures, in IFD0's SubIFD and in IFD1, turned by a quarter (TIFF 6.0 sections 2, 22)."""
    make = b"NIKON CORPORATION\0"
    at = 8 + 2 + 4 * 12 + 4
    sub = at + len(make)
    second = sub + 2 + 2 * 12 + 4
    data = second + 2 + 2 * 12 + 4

    def rows(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
        packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        return struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)

    main = rows((0x00FE, 4, 1, 1), (0x010F, 2, len(make), at), (0x0112, 3, 1, 6), (0x014A, 4, 1, sub), following=second)
    first = rows((0x0201, 4, 1, data + len(small)), (0x0202, 4, 1, len(large)))
    last = rows((0x0201, 4, 1, data), (0x0202, 4, 1, len(small)))
    return b"II*\0" + struct.pack("<I", 8) + main + make + first + last + small + large


def test_the_jpeg_of_a_raw_file_that_is_just_large_enough(tmp_path: Path) -> None:
    path = tmp_path / "a.nef"
    path.write_bytes(raw(jpeg(RED, (160, 120)), jpeg(GREEN, (1600, 1200))))
    assert shows(path, RED)  # at 128
    for size, wanted in ((800, (600, 800)), (1920, (1200, 1600))):
        answer, picture = ask(path, size)
        assert picture is not None and picture.size == wanted == (answer["width"], answer["height"])
    path.write_bytes(raw(jpeg(RED, (160, 120)), b"\xff\xd8\xff\xdb" + bytes(400)))  # a broken one is passed over
    assert ask(path, 800)[0]["width"] == 120


def declared(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    data = bytearray(out.getvalue())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def test_memory_is_reckoned_before_anything_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(declared(12_000, 9_000))
    error, _ = ask(path)
    assert error["code"] == "limit" and "12000 x 9000" in error["message"]
    assert 12_000 * 9_000 * 4 < error["memory"] < 1 << 30
    path.write_bytes(declared(200_000, 100_000))  # a bomb: no memory would do
    error, _ = ask(path)
    assert error["code"] == "limit" and "memory" not in error


def test_a_worker_without_decoders_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(RED))
    with Process(COMMAND[:4]) as worker:
        worker.answers.next()
        worker.ask("preview", [tmp_path / "a.jpg"], size=128)
        worker.answers.next()
        assert worker.answers.next()["error"]["code"] == "unsupported"
