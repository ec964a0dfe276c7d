"""RAW formats that are no TIFF, from real files, cut files and files in form: CRW, X3F, MRW, Kyocera, RAF, CR3, IIQ."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from mediad_handlers.image.x3f import _properties
from mediad_handlers.kit.api import HandlerError
from tests.unit.pictures import blob, exif, exif_segment, jpeg, rational, read, text

DATA = Path(__file__).parent.parent / "data" / "image"
SIZES = [
    ("CanonRaw.crw", 3072, 2048), ("CanonRaw.cr2", 3456, 2304), ("CanonRaw.cr3", 6000, 4000),
    ("Sigma.x3f", 2268, 1512),
    ("SigmaDP2.x3f", 2640, 1760), ("PhaseOne.iiq", 7320, 5484), ("Panasonic.rw2", 3648, 2736),
    ("Nikon.nef", 3040, 2014),
]  # fmt: skip


@pytest.mark.parametrize(("name", "width", "height"), SIZES, ids=[row[0] for row in SIZES])
def test_full_sizes_not_the_previews(name: str, width: int, height: int, tmp_path: Path) -> None:
    fields = read((DATA / name).read_bytes(), tmp_path / name).fields
    assert (fields["width"], fields["height"]) == (width, height)


@pytest.mark.parametrize("name", ["CanonRaw.crw", "Sigma.x3f", "FujiFilm.raf", "CanonRaw.cr3", "PhaseOne.iiq"])
def test_files_cut_at_many_places(name: str, tmp_path: Path) -> None:
    whole = (DATA / name).read_bytes()
    answers = set()
    for end in [*range(8, 600, 7), *range(600, len(whole), max(97, len(whole) // 60))]:
        try:
            answers.add(read(whole[:end], tmp_path / name).kind)
        except HandlerError as fault:
            answers.add(fault.code)
    assert answers <= {"image", "corrupt", "unsupported"} and "image" in answers


def mrw(tiff: bytes, samples: bytes = b"s" * 40) -> bytes:
    prd = b"21860002" + struct.pack(">HHHH", 2000, 3008, 1984, 2992) + bytes(8)
    blocks = b"\0PRD" + len(prd).to_bytes(4, "big") + prd + b"\0TTW" + len(tiff).to_bytes(4, "big") + tiff
    return b"\0MRM" + len(blocks).to_bytes(4, "big") + blocks + samples


def test_mrw(tmp_path: Path) -> None:
    tiff = exif([text(0x010F, "KONICA MINOLTA"), text(0x0110, "ALPHA-7D")], [rational(0x829A, (1, 60))], order=">")
    content = mrw(tiff)
    record = read(content, tmp_path / "a.mrw")
    fields = record.fields
    assert (record.format, fields["width"], fields["height"]) == ("mrw", 2992, 1984)
    assert (fields["camera_model"], fields["exposure_time"]) == ("ALPHA-7D", 1 / 60)
    assert record.payload is not None and record.payload.ranges == ((len(content) - 40, 40),)
    longer = read(mrw(tiff + b"more words"), tmp_path / "b.mrw").payload
    assert longer is not None and longer.ranges[0][1] == 40
    for end in range(16, len(content), 5):
        assert read(content[:end], tmp_path / "c.mrw").format == "mrw"


def test_kyocera(tmp_path: Path) -> None:
    head = bytearray(0x200)
    for at, value in ((0x01, "V1.00"), (0x0C, "CONTAX N"), (0x19, "KYOCERA"), (0x21, "2002:08:23 10:44:43")):
        raw = value.encode()[::-1]
        head[at : at + len(raw)] = raw
    for at, number in ((0x34, 10), (0x38, 72), (0x58, 64), (0x70, 50)):
        head[at : at + 4] = number.to_bytes(4, "big")
    head[0x7C : 0x7C + 10] = b"Planar 50 "
    record = read(bytes(head), tmp_path / "a.raw")
    fields = record.fields
    assert (fields["camera_make"], fields["camera_model"], fields["software"]) == ("KYOCERA", "CONTAX N", "V1.00")
    assert (fields["iso"], fields["exposure_time"], fields["f_number"]) == (50, 0.032, 16.0)
    assert fields["date_taken_local"] == "2002-08-23T10:44:43" and fields["lens_model"] == "Planar 50"


def crw(depth: int = 1, rotation: int = 90) -> bytes:
    """A heap in a heap `depth` times deep, the innermost with make, model and size."""
    make = b"Canon\0Canon EOS 10D\0"
    info = struct.pack("<IIfi", 3072, 2048, 1.0, rotation) + bytes(12)
    rows = struct.pack("<HII", 0x080A, len(make), 0) + struct.pack("<HII", 0x1810, len(info), len(make))
    heap = make + info + struct.pack("<H", 2) + rows + struct.pack("<I", len(make) + len(info))
    for _ in range(depth):
        row = struct.pack("<HII", 0x300A, len(heap), 0)
        heap = heap + struct.pack("<H", 1) + row + struct.pack("<I", len(heap))
    return b"II\x1a\0\0\0HEAPCCDR".ljust(26, b"\0") + heap


def test_ciff_heaps(tmp_path: Path) -> None:
    fields = read(crw(), tmp_path / "a.crw").fields
    assert (fields["camera_make"], fields["camera_model"]) == ("Canon", "Canon EOS 10D")
    assert (fields["width"], fields["height"], fields["orientation"], fields["display_width"]) == (3072, 2048, 6, 2048)
    assert "width" not in read(crw(depth=12), tmp_path / "b.crw").fields  # deeper than any camera nests


def test_a_heap_that_holds_itself_ends(tmp_path: Path) -> None:
    heap = struct.pack("<H", 1) + struct.pack("<HII", 0x300A, 16, 0) + struct.pack("<I", 0)
    assert read(b"II\x1a\0\0\0HEAPCCDR".ljust(26, b"\0") + heap, tmp_path / "a.crw").format == "crw"


def test_raf_takes_exif_and_note_of_its_preview(tmp_path: Path) -> None:
    note = b"FUJIFILM\x0c\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x0010, 2, 12, 30) + bytes(4)
    note = note + b"FPX 1234567\0"
    preview = jpeg(exif_segment(exif([text(0x010F, "FUJIFILM")], [blob(0x927C, note)])))
    rows = (1).to_bytes(4, "big") + struct.pack(">HHHH", 0x0121, 4, 4000, 6000)
    samples = b"s" * 64
    start = 160
    head = bytearray(b"FUJIFILMCCD-RAW ".ljust(start, b"\0"))
    directory_at = start + len(preview)
    struct.pack_into(">6I", head, 84, start, len(preview), directory_at, len(rows), directory_at + len(rows), 64)
    record = read(bytes(head) + preview + rows + samples, tmp_path / "a.raf")
    fields = record.fields
    assert (fields["width"], fields["height"], fields["camera_make"]) == (6000, 4000, "FUJIFILM")
    assert record.tags["FujiFilm:0x0010"] == ["FPX 1234567"]
    assert fields["pictures"][-1] == {
        "type": "preview",
        "mime": "image/jpeg",
        "size": len(preview),
        "width": 48,
        "height": 32,
    }
    assert record.payload is not None and record.payload.ranges == ((directory_at + len(rows), 64),)


def test_x3f_properties_that_lie_outside_are_left_out() -> None:
    names = "ISO\0" + "100\0"
    body = struct.pack("<II", 0, 4) + struct.pack("<II", 9999, 0xFFFFFF) + names.encode("utf-16-le")
    section = b"SECp" + struct.pack("<5I", 2, 2, 0, 0, len(names)) + body
    assert _properties(section) == {"ISO": "100"}
    assert _properties(section[:30]) == {}


def test_an_iiq_has_no_stream_of_its_thumbnail(tmp_path: Path) -> None:
    assert read((DATA / "PhaseOne.iiq").read_bytes(), tmp_path / "a.iiq").payload is None
