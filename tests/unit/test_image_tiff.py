"""TIFF files and `tiff-image/1`: the same payload after every edit of metadata, and another one for other pixels."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mediad_handlers import image
from mediad_handlers.image.layout import ALGORITHM, MAX_PICTURES
from mediad_handlers.kit import answer
from mediad_handlers.kit.api import HandlerError, Payload
from mediad_handlers.kit.file import File
from mediad_handlers.kit.fingerprint import fingerprint
from tests.unit.pictures import Entry, directory, long, packet, read, short, text

DATA = Path(__file__).parent.parent / "data" / "image"
EXIFTOOL = shutil.which("exiftool")
PIXELS = bytes(range(48))


def picture(
    *extra: Entry,
    order: str = "<",
    pixels: bytes = PIXELS,
    width: int = 4,
    strips: int = 2,
    bits: int = 8,
    reduced: int = 0,
) -> bytes:
    """A TIFF of one RGB picture, its strips behind the directory."""
    size = len(pixels) // strips
    layout = [
        long(0xFE, reduced, order=order), short(0x100, width, order=order), short(0x101, 4, order=order),
        short(0x102, bits, order=order), short(0x103, 1, order=order), short(0x106, 2, order=order),
        long(0x111, *[0] * strips, order=order), short(0x115, 3, order=order),
        long(0x117, *[size] * strips, order=order), *extra,
    ]  # fmt: skip
    start = 8 + len(directory(layout, 8, order))
    layout[6] = long(0x111, *(start + size * number for number in range(strips)), order=order)
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return header + directory(layout, 8, order) + pixels


def payload_of(content: bytes, path: Path) -> tuple[Payload | None, bytes]:
    path.write_bytes(content)
    with File.open(path) as file:
        found = image.HANDLER.read(file).payload
        if found is None:
            return None, b""
        assert image.HANDLER.payload is not None and image.HANDLER.payload(file) == found
        return found, fingerprint(file, found)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_do_not_count_and_pixels_do(order: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    plain, print_ = payload_of(picture(order=order), path)
    assert plain is not None and plain.algorithm == ALGORITHM
    assert plain.prefix == b"256=4;257=4;258=8;259=1;262=2;277=3;\n"
    edited = picture(text(0x010E, "a description " * 20), (0x02BC, 1, 4000, packet("").ljust(4000)), order=order)
    assert payload_of(edited, path)[1] == print_
    assert payload_of(picture(order=order, pixels=PIXELS[::-1]), path)[1] != print_
    assert payload_of(picture(order=order, width=8), path)[1] != print_


def test_strips_may_be_cut_otherwise_and_move(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    assert payload_of(picture(strips=1), path)[1] == payload_of(picture(strips=4), path)[1]


def test_wide_samples_have_a_byte_order(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    little, big = payload_of(picture(bits=16), path), payload_of(picture(bits=16, order=">"), path)
    assert little[0] is not None and little[0].prefix.startswith(b"order=<;")
    assert little[1] != big[1]


def test_reduced_pictures_are_no_payload(tmp_path: Path) -> None:
    record = read(picture(reduced=1), tmp_path / "a.tif")
    assert record.payload is None
    assert record.warnings == ["no tiff-image/1: no full picture in strips or tiles"]
    assert record.fields["pictures"] == [{"type": "preview", "width": 4, "height": 4}]


def test_a_raw_file_counts_its_sub_directory_not_its_thumbnail(tmp_path: Path) -> None:
    """Trap 8: IFD0 is the preview; size and payload are the raw picture's."""
    main: list[Entry] = [
        long(0xFE, 1), short(0x100, 160), short(0x101, 120), text(0x010F, "NIKON CORPORATION"), short(0x112, 8),
        long(0x111, 500), long(0x117, 16), long(0x14A, 0),
    ]  # fmt: skip
    sub_at = 8 + len(directory(main, 8))
    main[-1] = long(0x14A, sub_at)
    sub: list[Entry] = [
        long(0xFE, 0), short(0x100, 6016), short(0x101, 4016), short(0x102, 14), short(0x103, 34713),
        short(0x106, 32803),
        long(0x111, 600), long(0x117, 64),
    ]  # fmt: skip
    content = (
        (b"II*\0\x08\0\0\0" + directory(main, 8) + directory(sub, sub_at)).ljust(500, b"\0") + b"t" * 100 + b"R" * 64
    )
    record = read(content, tmp_path / "a.nef")
    fields = record.fields
    assert (record.format, fields["width"], fields["height"], fields["orientation"]) == ("nef", 6016, 4016, 8)
    assert (fields["display_width"], fields["display_height"]) == (4016, 6016)
    assert (fields["bits_per_sample"], fields["compression"]) == (14, "nikon_nef")
    assert fields["pictures"] == [{"type": "preview", "width": 160, "height": 120}]
    assert record.payload is not None and record.payload.ranges == ((600, 64),)


def test_pages_all_count(tmp_path: Path) -> None:
    first = directory([short(0x100, 4), short(0x101, 4), long(0x111, 300), long(0x117, 8)], 8, following=200)
    second = directory([short(0x100, 4), short(0x101, 4), long(0x111, 310), long(0x117, 8)], 200)
    content = ((b"II*\0\x08\0\0\0" + first).ljust(200, b"\0") + second).ljust(320, b"\1")
    record = read(content, tmp_path / "a.tif")
    assert record.fields["frame_count"] == 2
    assert record.payload is not None and record.payload.ranges == ((300, 8), (310, 8))


def test_loops_and_absurd_counts_end(tmp_path: Path) -> None:
    loop = b"II*\0\x08\0\0\0" + directory([short(0x100, 4), long(0x111, 0), long(0x14A, 8)], 8, following=8)
    assert read(loop, tmp_path / "a.tif").payload is None
    absurd = b"II*\0\x08\0\0\0" + directory([short(0x100, 4)], 8)[:-4]
    absurd = b"II*\0\x08\0\0\0\2\0" + struct.pack("<HHIIHHII", 0x100, 3, 1, 4, 0x111, 4, 0xFFFFFFFF, 8) + bytes(4)
    record = read(absurd, tmp_path / "b.tif")
    assert record.payload is None and any("65536" in warning for warning in record.warnings)


def test_more_directories_than_the_limit_have_no_payload(tmp_path: Path) -> None:
    at, content = 8, b"II*\0\x08\0\0\0"
    for _ in range(MAX_PICTURES + 2):
        entries = [short(0x100, 4), long(0x111, 8), long(0x117, 4)]
        length = len(directory(entries, at))
        content += directory(entries, at, following=at + length)
        at += length
    record = read(content, tmp_path / "a.tif")
    assert record.payload is None and "directories" in record.warnings[-1]


def test_every_boundary_of_a_tiff_can_be_its_end(tmp_path: Path) -> None:
    whole = picture(text(0x010F, "a maker"), text(0x0110, "a model"))
    codes = set()
    for end in range(4, len(whole)):
        try:
            record = read(whole[:end], tmp_path / "a.tif")
            codes.add("payload" if record.payload else "record")
        except HandlerError as fault:
            codes.add(fault.code)
    assert codes == {"corrupt", "record", "payload"}


EDITS = ["-XMP-dc:Title=hello there", "-IPTC:Keywords=a", "-EXIF:Artist=somebody with a long name", "-XMP-xmp:Rating=3"]
EDITED = [
    "GeoTiff.tif", "DNG.dng", "Nikon.nef", "CanonRaw.cr2", "CanonRaw.cr3", "CanonRaw.crw", "FujiFilm.raf",
    "Panasonic.rw2",
    "SigmaDP2.x3f",
]  # fmt: skip


@pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not installed")
@pytest.mark.parametrize("name", EDITED)
def test_exiftool_edits_leave_the_payload_equal(name: str, tmp_path: Path) -> None:
    edited = tmp_path / name
    shutil.copyfile(DATA / name, edited)
    before = payload_of(edited.read_bytes(), tmp_path / f"before-{name}")
    command = [str(EXIFTOOL), "-q", "-m", "-overwrite_original", *EDITS, str(edited)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert edited.read_bytes() != (DATA / name).read_bytes()
    after = payload_of(edited.read_bytes(), edited)
    assert before[0] is not None and after[0] is not None
    assert before[0].algorithm == after[0].algorithm
    assert before[1] == after[1]


VECTORS = json.loads((DATA.parent / "vectors" / "images.json").read_text("utf-8"))["files"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["file"])
def test_vectors(vector: dict[str, Any]) -> None:
    with File.open(DATA / vector["file"]) as file:
        [[_, algorithm, value]] = answer.read(image.HANDLER, file)["keys"]
        stream = answer.checksum(image.HANDLER, file, {"scope": "stream"})
    assert [algorithm, value.hex()] == vector["fingerprint"]
    assert {
        "algorithm": stream["algorithm"],
        "bytes": stream["bytes"],
        "sha256": stream["digests"]["sha256"].hex(),
    } == (vector["stream"])
