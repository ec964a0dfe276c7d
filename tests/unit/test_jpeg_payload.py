"""`jpeg-scan/1` is the same bytes after every edit of metadata: own segment edits, exiftool's edits, appended
trailers."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from mediad_handlers import image
from mediad_handlers.image.jpeg import ALGORITHM
from mediad_handlers.kit.api import HandlerError, Payload
from mediad_handlers.kit.file import File
from mediad_handlers.kit.fingerprint import fingerprint
from mediad_handlers.readers.jpeg import Fetch, find_end, is_clean_end, read_header

DATA = Path(__file__).parent.parent / "data" / "image"
EXIFTOOL = shutil.which("exiftool")
NAMES = ["Canon1DmkIII.jpg", "GPS.jpg", "hopper_orientation_8.jpg", "frame_size.mpo", "01.jpg", "ExifTool.jpg"]


def scan(size: int, seed: int = 7) -> bytes:
    """Entropy-coded data: random bytes with 0xFF stuffed, and a restart marker now and then."""
    noise = random.Random(seed).randbytes(size).replace(b"\xff", b"\xff\0")
    return noise[: size // 2].rstrip(b"\xff") + b"\xff\xd3" + noise[size // 2 :].rstrip(b"\xff")


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def picture(size: int, before: bytes = b"", *, progressive: bool = False) -> bytes:
    """A JPEG in form: DQT, SOFn, DHT, SOS with `size` bytes of scan (twice when progressive), EOI."""
    frame = segment(0xC2 if progressive else 0xC0, bytes((8, 0, 32, 0, 48, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0)))
    tables = segment(0xDB, bytes(65)) + frame + segment(0xC4, bytes(20))
    scans = segment(0xDA, b"\1\1\0\0\x3f\0") + scan(size)
    if progressive:
        scans += segment(0xC4, bytes(20)) + segment(0xDA, b"\1\1\0\0\x3f\0") + scan(size, 8)
    return b"\xff\xd8" + before + tables + scans + b"\xff\xd9"


def both(content: bytes, path: Path) -> tuple[bytes, bytes]:
    """(fingerprint of what `read` names, SHA-256 of what `payload` names): the same bytes, in two ways."""
    path.write_bytes(content)
    with File.open(path) as file:
        bounded = image.HANDLER.read(file).payload
        assert bounded is not None and image.HANDLER.payload is not None
        assert bounded.algorithm == ALGORITHM
        walked = image.HANDLER.payload(file)
        assert bounded == walked
        return fingerprint(file, bounded), digest(content, walked)


def digest(content: bytes, payload: Payload) -> bytes:
    return hashlib.sha256(b"".join(content[at : at + length] for at, length in payload.ranges)).digest()


EDITS = {
    "comment": segment(0xFE, b"a comment"),
    "long xmp": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b" " * 60000),
    "many long segments": segment(0xE2, b"x" * 65000) * 5,
    "fill bytes": b"\xff" * 9 + segment(0xED, b"Photoshop 3.0\0"),
}


@pytest.mark.parametrize("size", [100, 3000, 200_000, 1_500_000])
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
@pytest.mark.parametrize("edit", EDITS)
def test_segments_do_not_count(edit: str, progressive: bool, size: int, tmp_path: Path) -> None:
    plain = both(picture(size, progressive=progressive), tmp_path / "a.jpg")
    edited = both(picture(size, EDITS[edit], progressive=progressive), tmp_path / "b.jpg")
    assert plain == edited


@pytest.mark.parametrize(
    "trailer",
    [
        b"\0" * 700,
        b"SEFT trailer of a maker" * 300,
        b"\0\0\0\x18ftypmp42" + b"m" * 90_000,
        b"\xff\xd8\xff\xd9",
        b"\xff",
    ],
    ids=["zeros", "maker", "film", "picture", "one byte"],
)
def test_what_follows_the_picture_does_not_count(trailer: bytes, tmp_path: Path) -> None:
    content = picture(150_000)
    assert both(content, tmp_path / "a.jpg") == both(content + trailer, tmp_path / "b.jpg")


def test_a_changed_pixel_counts(tmp_path: Path) -> None:
    content = bytearray(picture(5000))
    before = both(bytes(content), tmp_path / "a.jpg")
    content[-100] = (content[-100] + 1) % 250
    after = both(bytes(content), tmp_path / "b.jpg")
    assert before[0] != after[0] and before[1] != after[1]


def test_a_changed_table_counts(tmp_path: Path) -> None:
    content = picture(5000)
    other = content.replace(segment(0xDB, bytes(65)), segment(0xDB, bytes(64) + b"\1"))
    assert both(content, tmp_path / "a.jpg")[1] != both(other, tmp_path / "b.jpg")[1]


@pytest.mark.parametrize("name", NAMES)
def test_comment_and_xmp_inserted_by_bytes(name: str, tmp_path: Path) -> None:
    content = (DATA / name).read_bytes()
    edited = content[:2] + EDITS["comment"] + EDITS["long xmp"] + content[2:]
    assert both(content, tmp_path / "a.jpg") == both(edited, tmp_path / "b.jpg")


@pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not installed")
@pytest.mark.parametrize(
    "arguments",
    [
        ["-all="],
        ["-XMP:Title=x", "-Orientation#=6"],
        ["-Comment=a comment"],
        ["-IPTC:Keywords=one", "-XMP:Subject=two"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("name", NAMES)
def test_exiftool_edits_do_not_count(name: str, arguments: list[str], tmp_path: Path) -> None:
    assert EXIFTOOL is not None
    edited = tmp_path / "edited.jpg"
    command = [EXIFTOOL, "-m", "-q", *arguments, "-o", str(edited), str(DATA / name)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    content = edited.read_bytes()
    assert content != (DATA / name).read_bytes()
    assert both((DATA / name).read_bytes(), tmp_path / "a.jpg") == both(content, tmp_path / "b.jpg")


def test_end_is_found_in_chunks() -> None:
    """EOI at every place around the border of two reads."""
    for shift in range(-4, 5):
        content = picture((1 << 20) + shift)
        fetch = fetcher(content)
        header = read_header(content[:65536], fetch)
        assert find_end(fetch, header.scan, len(content), len(content)) == len(content)


def fetcher(content: bytes) -> Fetch:
    return lambda offset, length: content[offset : offset + length]


def test_end_beyond_the_limit() -> None:
    content = picture(3 << 20) + b"trailer"
    header = read_header(content[:65536], lambda at, n: content[at : at + n])
    with pytest.raises(HandlerError) as caught:
        find_end(lambda at, n: content[at : at + n], header.scan, len(content), 1 << 20)
    assert caught.value.code == "limit"


def test_clean_end() -> None:
    assert is_clean_end(scan(4000) + b"\xff\xd9")
    assert not is_clean_end(scan(4000))
    assert not is_clean_end(scan(400) + b"\xff\xd9" + scan(400) + b"\xff\xd9")
    assert not is_clean_end(scan(400) + b"\xff\xd9\xff\xd8\xff\xe1" + scan(400) + b"\xff\xd9")


def test_a_motion_photo_names_its_film(tmp_path: Path) -> None:
    """GCamera's MicroVideoOffset places the film; the film itself is not looked through."""
    film = b"\0\0\0\x18ftypmp42" + b"m" * (40 << 20)
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:G="http://ns.google.com/photos/1.0/camera/" G:MicroVideo="1" '
        b'G:MicroVideoOffset="%d"/></rdf:RDF></x:xmpmeta>' % len(film)
    )
    app1 = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    path = tmp_path / "motion.jpg"
    path.write_bytes(picture(100_000, app1) + film)
    with File.open(path) as file:
        record = image.HANDLER.read(file)
        assert file.bytes_read < 256 * 1024
        assert record.payload is not None
        found = fingerprint(file, record.payload)
    assert record.fields["motion_photo"] is True
    assert found == both(picture(100_000), tmp_path / "still.jpg")[0]


def test_no_stream_for_other_formats() -> None:
    assert image.HANDLER.payload is not None
    with File.open(DATA / "BMP.bmp") as file, pytest.raises(HandlerError) as caught:
        image.HANDLER.payload(file)
    assert caught.value.code == "unsupported"
