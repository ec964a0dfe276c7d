"""JPEG segments beside EXIF and XMP: MPF, Photoshop resources, Ducky, trailers, colour transforms, densities."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.unit.pictures import SCAN, TABLES, directory, iptc, jpeg, long, photoshop_segment, read, resource, segment

DATA = Path(__file__).parent.parent / "data" / "image"


def test_pictures_that_mpf_places(tmp_path: Path) -> None:
    def build(second: int, size: int) -> bytes:
        rows = struct.pack("<4I", 0x20030000, 0, 0, 0) + struct.pack("<4I", 0x00010001, size, second, 0)
        index = b"II*\0\x08\0\0\0" + directory([long(0xB001, 2), (0xB002, 7, len(rows), rows)], 8)
        return jpeg(segment(0xE2, b"MPF\0" + index))

    first = build(0, 0)
    preview = jpeg()
    header = first.index(b"MPF\0") + 4
    content = build(len(first) - header, len(preview)) + preview
    record = read(content, tmp_path / "a.jpg")
    assert record.fields["frame_count"] == 2
    assert record.fields["pictures"] == [{"type": "preview", "mime": "image/jpeg", "size": len(preview)}]
    assert record.payload is not None
    assert record.payload.ranges[-1][0] + record.payload.ranges[-1][1] == len(first)
    beyond = read(build(len(first) - header, 1 << 30), tmp_path / "b.jpg")
    assert "pictures" not in beyond.fields


def test_photoshop_resources(tmp_path: Path) -> None:
    density = struct.pack(">IHHIHH", 300 << 16, 1, 1, 150 << 16, 1, 1)
    thumbnail = struct.pack(">IIIIIIHH", 1, 160, 107, 480, 51360, 9, 24, 1) + b"\xff\xd8thumb\xff\xd9"
    content = jpeg(
        photoshop_segment(
            resource(0x03ED, density), resource(0x040B, b"https://a.example/r"), resource(0x040C, thumbnail)
        )
    )
    fields = read(content, tmp_path / "a.jpg").fields
    assert (fields["dpi_x"], fields["dpi_y"], fields["rights_url"]) == (300, 150, "https://a.example/r")
    assert fields["pictures"] == [{"type": "thumbnail", "mime": "image/jpeg", "size": 9, "width": 160, "height": 107}]


def test_resources_over_several_segments(tmp_path: Path) -> None:
    block = resource(0x0404, iptc((90, "Bern"), (120, "x" * 300)))
    fields = read(jpeg(photoshop_segment(block[:100]), photoshop_segment(block[100:])), tmp_path / "a.jpg").fields
    assert fields["city"] == "Bern" and fields["description"] == "x" * 300


def test_ducky_comment_and_copyright(tmp_path: Path) -> None:
    def words(tag: int, value: str) -> bytes:
        raw = len(value).to_bytes(4, "big") + value.encode("utf-16-be")
        return tag.to_bytes(2, "big") + len(raw).to_bytes(2, "big") + raw

    body = b"Ducky\0\1\0\4\0\0\0\x3c" + words(2, "A note") + words(3, "© Me") + b"\0\0"
    fields = read(jpeg(segment(0xEC, body)), tmp_path / "a.jpg").fields
    assert (fields["user_comment"], fields["copyright"]) == ("A note", "© Me")
    for end in range(5, len(body)):
        assert read(jpeg(segment(0xEC, body[:end])), tmp_path / "b.jpg").fields["width"] == 48


@pytest.mark.parametrize(("transform", "mode"), [(0, "rgb"), (1, "ycbcr"), (None, "ycbcr")])
def test_app14_says_which_colours(transform: int | None, mode: str, tmp_path: Path) -> None:
    segments = [] if transform is None else [segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes((transform,)))]
    assert read(jpeg(*segments), tmp_path / "a.jpg").fields["color_mode"] == mode


@pytest.mark.parametrize(("units", "expected"), [(0, None), (1, 72.0), (2, 182.88)])
def test_jfif_density(units: int, expected: float | None, tmp_path: Path) -> None:
    body = b"JFIF\0\1\2" + bytes((units,)) + struct.pack(">HHBB", 72, 72, 0, 0)
    found = read(jpeg(segment(0xE0, body)), tmp_path / "a.jpg").fields.get("dpi_x")
    assert found == (expected if expected is None else pytest.approx(expected))


def test_icc_profile_names(tmp_path: Path) -> None:
    def profile(block: bytes) -> bytes:
        head = bytearray(128)
        head[36:40] = b"acsp"
        return bytes(head) + (1).to_bytes(4, "big") + b"desc" + struct.pack(">II", 144, len(block)) + block

    old = b"desc\0\0\0\0" + (5).to_bytes(4, "big") + b"sRGB\0"
    new = b"mluc\0\0\0\0" + struct.pack(">IIHHII", 1, 12, 0x656E, 0x5553, 20, 28) + "Display P3".encode("utf-16-be")
    for block, name in ((old, "sRGB"), (new, "Display P3")):
        content = jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1" + profile(block)))
        assert read(content, tmp_path / "a.jpg").fields["icc_profile"] == name


def foto_station(*records: tuple[int, bytes]) -> bytes:
    return b"".join(data + struct.pack(">HI", tag, len(data) + 10) + b"\xa1\xb2\xc3\xd4" for tag, data in records)


def afcp(start: int, block: bytes) -> bytes:
    head = b"AXS!" + struct.pack(">HHI", 0x0100, 1, 0) + b"IPTC" + struct.pack(">II", len(block), start + 24)
    return head + block + b"AXS!" + struct.pack(">II", start, 0)


def canon(packet: bytes) -> bytes:
    data = struct.pack(">II", 0xFFFF00F4, 4) + b"edit" + struct.pack(">II", 0xFFFF00F6, len(packet)) + packet
    header = b"CANON OPTIONAL DATA\0\0\1\0\0" + len(data).to_bytes(4, "big")
    return header + data + (b"CANON OPTIONAL DATA\0" + len(data).to_bytes(4, "big")).ljust(62, b"\0") + b"\xff\xd9"


def test_trailers_are_read_and_do_not_count_as_the_picture(tmp_path: Path) -> None:
    from tests.unit.pictures import packet

    plain = read(jpeg(), tmp_path / "p.jpg").payload
    block = iptc((120, "behind"), (90, "Bern"))
    trailers = {
        "foto": foto_station((2, bytes(48)), (1, block)),
        "afcp": afcp(len(jpeg()), block),
        "both": foto_station((1, block)) + canon(packet("<xmp:Label>Blue</xmp:Label>")),
    }
    for name, trailer in trailers.items():
        record = read(jpeg(trailer=trailer), tmp_path / f"{name}.jpg")
        assert record.fields["description"] == "behind" and record.fields["city"] == "Bern"
        assert record.payload == plain
    assert record.fields["color_label"] == "Blue"


def samsung(kind: int) -> bytes:
    film = b"\0\0" + kind.to_bytes(2, "little") + b"\x10\0\0\0MotionPhoto_Datafilm"
    rows = b"SEFH" + struct.pack("<II", 106, 1) + struct.pack("<HHII", 0, kind, len(film), len(film))
    return film + rows + len(rows).to_bytes(4, "little") + b"SEFT"


@pytest.mark.parametrize(("kind", "expected"), [(0x0A30, True), (0x0A01, None)])
def test_a_film_in_samsungs_trailer(kind: int, expected: bool | None, tmp_path: Path) -> None:
    record = read(jpeg(trailer=samsung(kind)), tmp_path / "a.jpg")
    assert record.fields.get("motion_photo") is expected
    assert record.payload == read(jpeg(), tmp_path / "b.jpg").payload
    for begin in range(len(samsung(kind))):
        assert read(jpeg(trailer=samsung(kind)[begin:]), tmp_path / "c.jpg").fields["width"] == 48


def test_trailers_cut_anywhere_or_pointing_nowhere(tmp_path: Path) -> None:
    from tests.unit.pictures import packet

    start = len(jpeg())
    for whole in (
        foto_station((1, iptc((90, "x")))),
        afcp(start, iptc((90, "x"))),
        canon(packet("<xmp:Label>b</xmp:Label>")),
    ):
        for begin in range(0, len(whole), 3):
            assert read(jpeg(trailer=whole[begin:]), tmp_path / "a.jpg").fields["width"] == 48
    for trailer in (
        struct.pack(">HI", 1, 0xFFFFFFFF) + b"\xa1\xb2\xc3\xd4",
        b"AXS!\xff\xff\xff\xff\0\0\0\0",
        b"CANON OPTIONAL DATA\0\xff\xff\xff\xff" + bytes(38) + b"\xff\xd9",
        b"AXS!\0\0\0\0\0\0\0\0",
    ):
        assert read(jpeg(trailer=trailer), tmp_path / "b.jpg").fields["width"] == 48


def test_a_file_cut_anywhere_gives_a_record(tmp_path: Path) -> None:
    whole = jpeg(photoshop_segment(resource(0x0404, iptc((90, "Bern")))), segment(0xFE, b"words"))
    seen = 0
    for end in range(3, len(whole), 2):
        seen += "city" in read(whole[:end], tmp_path / "a.jpg").fields
    assert seen > 100


def test_a_header_without_its_scan_has_no_payload(tmp_path: Path) -> None:
    record = read(b"\xff\xd8" + TABLES, tmp_path / "a.jpg")
    assert record.payload is None and record.fields["width"] == 48
    assert read(b"\xff\xd8" + TABLES + segment(0xDA, b"\1\1\0\0\x3f\0") + SCAN, tmp_path / "b.jpg").payload is not None
