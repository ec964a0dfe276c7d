"""EXIF, GPS and maker notes: texts and their character sets, dates with sub-seconds and zones, lenses and serials."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from mediad_handlers.image.makernotes import FORMS, lenses
from mediad_handlers.image.makernotes.canon import stops, write_serial
from mediad_handlers.image.makernotes.lenses import MAKERS, choose_lens, find_names
from mediad_handlers.image.makernotes.nikon import decrypt
from tests.unit.pictures import (
    alternative,
    blob,
    directory,
    exif,
    exif_segment,
    jpeg,
    long,
    note_place,
    rational,
    read,
    short,
    text,
    xmp_segment,
)

DATA = Path(__file__).parent.parent / "data" / "image"


def with_note(note: bytes, make: str, camera: list, order: str = "<") -> bytes:  # type: ignore[type-arg]
    return exif_segment(exif([text(0x010F, make), text(0x0110, "X")], [*camera, blob(0x927C, note)], order=order))


def relocated(make: str, build, camera: list | None = None) -> bytes:  # type: ignore[no-untyped-def, type-arg]
    """A JPEG whose note counts its offsets from the TIFF header: built once to learn where it lands."""
    first = exif([text(0x010F, make), text(0x0110, "X")], [*(camera or []), blob(0x927C, build(0))])
    block = exif(
        [text(0x010F, make), text(0x0110, "X")], [*(camera or []), blob(0x927C, build(note_place(first, build(0))))]
    )
    return jpeg(exif_segment(block))


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *(value & 0xFFFF for value in values))


def canon_settings(lens: int, long_end: int, short_end: int, aperture: int = 128) -> bytes:
    settings = [0] * 27
    settings[0], settings[22], settings[23], settings[24], settings[25], settings[26] = (
        54,
        lens,
        long_end,
        short_end,
        1,
        aperture,
    )
    return words(*settings)


def canon_note(at: int, *, lens: int = 0xFFFF, model: str = "", shot: list[int] | None = None) -> bytes:
    settings = canon_settings(lens, 55, 18)
    entries = [(1, 3, 27, settings), long(0x0C, 123456), text(9, "An Owner"), text(7, "Firmware 1.0")]
    if model:
        entries.append(text(0x95, model))
    if shot:
        entries.append((4, 3, len(shot), words(*shot)))
    return directory(entries, at)


def test_canon_names_the_lens_by_its_text(tmp_path: Path) -> None:
    record = read(relocated("Canon", lambda at: canon_note(at, model="EF-S18-55mm f/4-5.6 IS STM")), tmp_path / "a.jpg")
    fields = record.fields
    assert fields["lens_model"] == "EF-S18-55mm f/4-5.6 IS STM"
    assert fields["camera_serial"] == "0000123456"
    assert fields["camera_owner"] == "An Owner"
    assert record.tags["Canon:0x0007"] == ["Firmware 1.0"]
    assert record.sources["lens_model"] == "Canon:LensModel"


def test_canon_describes_an_unknown_lens_by_its_reach(tmp_path: Path) -> None:
    record = read(relocated("Canon", canon_note), tmp_path / "a.jpg")
    assert record.fields["lens_model"] == "18.0 - 55.0 mm"


def test_canon_lens_by_identifier_only_when_one_fits(tmp_path: Path) -> None:
    shared = next(str(number) for number in range(1, 200) if len(find_names("canon", str(number))) > 1)
    assert len(find_names("canon", shared)) > 1
    names = ["Canon EF 28-70mm f/3.5-4.5", "Sigma 18-50mm f/3.5-5.6 DC", "Sigma 18-125mm f/3.5-5.6 DC IF ASP"]
    assert choose_lens(names, reach=(18, 125)) == names[2]
    assert choose_lens(names, focal=24.0) is None
    assert choose_lens(names, focal=100.0) == names[2]
    assert choose_lens([]) is None


def test_canon_exposure_where_exif_has_none(tmp_path: Path) -> None:
    shot = [0] * 23
    shot[0], shot[1], shot[2], shot[7], shot[21], shot[22] = 46, 32, 160, 1, 160, 224
    record = read(relocated("Canon", lambda at: canon_note(at, shot=shot)), tmp_path / "a.jpg")
    fields = record.fields
    assert fields["iso"] == 200  # base 100, the automatic doubled it
    assert fields["f_number"] == 5.66
    assert fields["exposure_time"] == 2.0**-7
    assert fields["white_balance"] == "manual"


def test_canon_units() -> None:
    assert stops(0x0C) == pytest.approx(1 / 3)
    assert stops(-0x20) == -1
    assert write_serial(123, "Canon EOS-1D") == "000123"
    assert write_serial(0x1A2B0007, "Canon EOS D30") == "1a2b00007"


def nikon_note(lens_data: bytes) -> bytes:
    inner = directory(
        [
            text(0x1D, "2012345"), blob(0x98, lens_data), (0x83, 1, 1, b"\6"), long(0xA7, 4711),
            rational(0x84, (18, 1), (70, 1), (35, 10), (45, 10)), short(2, 0, 640), text(5, "SUNNY"),
        ],
        8,
    )  # fmt: skip
    return b"Nikon\0\2\x10\0\0II*\0\x08\0\0\0" + inner


KEY = bytes.fromhex("7F402D5C2C3484")  # the seven bytes of the AF-S DX 18-70mm f/3.5-4.5G


@pytest.mark.parametrize("version", [b"0101", b"0201", b"0204"])
def test_nikon_lens_plain_and_encrypted(version: bytes, tmp_path: Path) -> None:
    at = 12 if version == b"0204" else 11
    body = bytes(at - 4) + KEY + bytes(8)
    data = version + (decrypt(body, 2012345, 4711) if version > b"0101" else body)
    fields = read(jpeg(with_note(nikon_note(data), "NIKON CORPORATION", [])), tmp_path / "a.jpg").fields
    assert fields["lens_model"] == "AF-S DX Zoom-Nikkor 18-70mm f/3.5-4.5G IF-ED"
    assert fields["lens_spec"] == "18-70mm f/3.5-4.5"
    assert (fields["camera_serial"], fields["iso"], fields["white_balance"]) == ("2012345", 640, "manual")


def test_nikon_lens_unknown_to_the_list_is_described(tmp_path: Path) -> None:
    data = b"0101" + bytes(7) + b"\xee" * 7 + bytes(8)
    assert (
        read(jpeg(with_note(nikon_note(data), "NIKON", [])), tmp_path / "a.jpg").fields["lens_model"]
        == "18-70mm f/3.5-4.5"
    )


def test_the_cipher_is_its_own_inverse() -> None:
    plain = bytes(range(64))
    assert decrypt(decrypt(plain, 7, 9), 7, 9) == plain
    assert decrypt(plain, 7, 9) != plain


def test_olympus_equipment_inside_a_value(tmp_path: Path) -> None:
    inner = directory(
        [text(0x0101, "BHP123456"), (0x0201, 1, 6, bytes((0, 0, 5, 0, 0, 0))), text(0x0202, "050105886")], 12 + 30
    )
    outer = directory([(0x2010, 7, len(inner), inner)], 12)
    note = b"OLYMPUS\0II\3\0" + outer
    assert note.index(inner) == 42 - 12
    # offsets count from the note's start: rebuild the inner directory for where it lands
    start = note.index(inner)
    inner = directory(
        [text(0x0101, "BHP123456"), (0x0201, 1, 6, bytes((0, 0, 5, 0, 0, 0))), text(0x0202, "050105886")], start
    )
    note = b"OLYMPUS\0II\3\0" + directory([(0x2010, 7, len(inner), inner)], 12)
    fields = read(jpeg(with_note(note, "OLYMPUS", [])), tmp_path / "a.jpg").fields
    assert fields["lens_model"] == "Olympus Zuiko Digital 14-54mm F2.8-3.5"
    assert (fields["camera_serial"], fields["lens_serial"]) == ("BHP123456", "050105886")


def test_panasonic_texts(tmp_path: Path) -> None:
    def build(at: int) -> bytes:
        return b"Panasonic\0\0\0" + directory([text(0x51, "LUMIX G VARIO 14-42/F3.5-5.6"), text(0x52, "XT0A")], at + 12)

    fields = read(relocated("Panasonic", build), tmp_path / "a.jpg").fields
    assert (fields["lens_model"], fields["lens_serial"]) == ("LUMIX G VARIO 14-42/F3.5-5.6", "XT0A")


def test_pentax_lens_that_others_share_is_found_by_focal_length(tmp_path: Path) -> None:
    note = b"PENTAX \0II" + directory([(0x3F, 1, 2, b"\3\x2c"), text(0x229, "1234567")], 10)
    camera = [rational(0x920A, (10, 1)), rational(0x9205, (4, 1))]
    fields = read(jpeg(with_note(note, "PENTAX", camera)), tmp_path / "a.jpg").fields
    assert fields["lens_model"] == "Sigma AF 10-20mm F4-5.6 EX DC"
    assert fields["camera_serial"] == "1234567"


def test_apple_ids(tmp_path: Path) -> None:
    inner = directory(
        [text(0x11, "7C2B7D2E-30A1-4B1C-9D7E-1B0F6C0A1111"), text(0x0B, "burst"),
         text(0x15, "A1B2C3D4-0000-1111-2222-333344445555")], 14, ">"
    )  # fmt: skip
    fields = read(jpeg(with_note(b"Apple iOS\0\0\1MM" + inner, "Apple", [])), tmp_path / "a.jpg").fields
    assert fields["content_id"] == "7C2B7D2E-30A1-4B1C-9D7E-1B0F6C0A1111"
    assert fields["image_unique_id"] == "a1b2c3d4000011112222333344445555"


def test_exif_wins_over_the_note(tmp_path: Path) -> None:
    def build(at: int) -> bytes:
        return canon_note(at, model="note's lens")

    camera = [text(0xA434, "EXIF's lens"), text(0xA431, "99"), text(0xA430, "B")]
    fields = read(relocated("Canon", build, camera), tmp_path / "a.jpg").fields
    assert (fields["lens_model"], fields["camera_serial"], fields["camera_owner"]) == ("EXIF's lens", "99", "B")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.maker}-{form.mark[:9]!r}-{form.make}")
def test_a_note_cut_or_filled_with_noise_gives_a_record(form, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for tail in (
        b"",
        b"\xff" * 40,
        b"\0" * 40,
        b"II" + b"\xff\x01" * 60,
        bytes(range(256)),
        b"\1\0\1\0\7\0\xff\xff\xff\xff\xff\xff\xff\x7f",
    ):
        record = read(jpeg(with_note(form.mark + tail, form.make or "Canon", [])), tmp_path / "a.jpg")
        assert record.fields["width"] == 48


def test_every_boundary_of_a_note_can_be_its_end(tmp_path: Path) -> None:
    whole = exif(
        [text(0x010F, "NIKON"), text(0x0110, "X")], [blob(0x927C, nikon_note(b"0101" + bytes(7) + KEY + bytes(8)))]
    )
    found = set()
    for end in range(8, len(whole) + 1):
        record = read(jpeg(exif_segment(whole[:end])), tmp_path / "a.jpg")
        found.add(record.fields.get("lens_model"))
    assert None in found and "AF-S DX Zoom-Nikkor 18-70mm f/3.5-4.5G IF-ED" in found


def test_lens_tables_are_well_formed() -> None:
    for maker in MAKERS:
        module = __import__(f"{lenses.__name__}.{maker}", fromlist=["NAMES"])
        rows = [line.split("\t") for line in module.NAMES.splitlines()]
        assert rows and all(len(row) == 2 and row[0] and row[1].strip() for row in rows)
        key = rows[0][0]
        assert find_names(maker, key)[0] == rows[0][1]
        assert find_names(maker, rows[-1][0])[-1] == rows[-1][1]
        assert find_names(maker, "no such lens") == ()
        groups = [row[0] for row in rows]
        assert [g for i, g in enumerate(groups) if g in groups[:i] and groups[i - 1] != g] == []  # kept together


COMMENTS = [
    (b"ASCII\0\0\0plain", "plain"),
    (b"ASCII\0\0\0Gr\xc3\xbc\xc3\x9fe", "Grüße"),
    (b"\0\0\0\0\0\0\0\0Gr\xfc\xdfe", "Grüße"),
    (b"UNICODE\0" + "Ünder".encode("utf-16-le"), "Ünder"),
    (b"UNICODE\0" + "Ünder".encode("utf-16-be"), "Ünder"),
    (b"UNICODE\0" + "\ufeffÜnder".encode("utf-16-le"), "Ünder"),
    (b"JIS\0\0\0\0\0" + "日本".encode("iso2022_jp"), "日本"),
    (b"ASCII\0\0\0" + b" " * 50, None),
    (b"UNICODE\0" + b"\0" * 20, None),
]


@pytest.mark.parametrize(("raw", "expected"), COMMENTS)
def test_user_comment_character_codes(raw: bytes, expected: str | None, tmp_path: Path) -> None:
    record = read(jpeg(exif_segment(exif([], [blob(0x9286, raw)]))), tmp_path / "a.jpg")
    assert record.fields.get("user_comment") == expected


def test_texts_are_utf8_else_latin1(tmp_path: Path) -> None:
    xp = (0x9C9F, 1, 6, "été".encode("utf-16-le"))
    block = exif([text(0x013B, "Zoë"), text(0x8298, b"\xa9 Zo\xeb"), xp], [])
    fields = read(jpeg(exif_segment(block)), tmp_path / "a.jpg").fields
    assert (fields["creators"], fields["copyright"], fields["subject"]) == (["Zoë"], "© Zoë", "été")


def test_a_camera_filler_describes_only_what_nobody_described(tmp_path: Path) -> None:
    filler = exif_segment(exif([text(0x010E, "OLYMPUS DIGITAL CAMERA")], []))
    assert read(jpeg(filler), tmp_path / "a.jpg").fields["description"] == "OLYMPUS DIGITAL CAMERA"
    described = xmp_segment(f"<dc:description>{alternative('A hill')}</dc:description>")
    assert read(jpeg(filler, described), tmp_path / "b.jpg").fields["description"] == "A hill"


@pytest.mark.parametrize("order", ["<", ">"])
def test_dates_with_subseconds_and_zones(order: str, tmp_path: Path) -> None:
    block = exif(
        [text(0x0132, "2020:01:02 03:04:05")],
        [
            text(0x9003, "2019:05:06 07:08:09"),
            text(0x9291, "25"),
            text(0x9011, "+02:00"),
            text(0x9004, "2019:05:06 07:08:10"),
        ],
        order=order,
    )
    fields = read(jpeg(exif_segment(block)), tmp_path / "a.jpg").fields
    assert fields["date_taken_local"] == "2019-05-06T07:08:09.25"
    assert fields["date_taken_precision"] == "subsec"
    assert fields["date_taken"] == 1557119289.25
    assert fields["utc_offset"] == 120
    assert fields["date_digitized_local"] == "2019-05-06T07:08:10" and "date_digitized" not in fields
    assert fields["date_modified_at_local"] == "2020-01-02T03:04:05"


@pytest.mark.parametrize("written", ["0000:00:00 00:00:00", "    :  :     :  :  ", "1904:13:45 99:99:99", ""])
def test_no_date_is_absent(written: str, tmp_path: Path) -> None:
    fields = read(jpeg(exif_segment(exif([], [text(0x9003, written)]))), tmp_path / "a.jpg").fields
    assert not any(name.startswith("date_") for name in fields)


@pytest.mark.parametrize(("percent", "stars"), [(1, 1), (25, 2), (50, 3), (75, 4), (99, 5), (0, None)])
def test_microsofts_percentage_is_stars(percent: int, stars: float | None, tmp_path: Path) -> None:
    record = read(jpeg(exif_segment(exif([short(0x4749, percent)], []))), tmp_path / "a.jpg")
    assert record.fields.get("rating") == stars


def test_gps_place_time_and_height_below_the_sea(tmp_path: Path) -> None:
    gps = [
        text(1, "S"), rational(2, (33, 1), (51, 1), (3054, 100)), text(3, "E"), rational(4, (151, 1), (12, 1), (36, 1)),
        (5, 1, 1, b"\1"), rational(6, (125, 10)), rational(7, (23, 1), (59, 1), (30, 1)), text(0x1D, "2021:12:31"),
        text(12, "K"), rational(13, (36, 1)), rational(17, (90, 1)), rational(31, (5, 1)),
    ]  # fmt: skip
    fields = read(jpeg(exif_segment(exif([], [], gps))), tmp_path / "a.jpg").fields
    assert fields["latitude"] == pytest.approx(-33.858483, abs=1e-6)
    assert fields["longitude"] == pytest.approx(151.21)
    assert (fields["altitude"], fields["gps_speed"], fields["gps_direction"], fields["gps_accuracy"]) == (
        -12.5,
        10,
        90,
        5,
    )
    assert fields["gps_at"] == 1640995170
    assert fields["date_taken"] == 1640995170 and fields["utc_offset"] == 0  # nothing else says when


def test_a_place_without_reference_or_beyond_the_poles_is_absent(tmp_path: Path) -> None:
    for gps in (
        [rational(2, (1, 1), (0, 1), (0, 1)), rational(4, (1, 1), (0, 1), (0, 1))],
        [text(1, "N"), rational(2, (91, 1), (0, 1), (0, 1)), text(3, "E"), rational(4, (1, 1), (0, 1), (0, 1))],
    ):
        fields = read(jpeg(exif_segment(exif([], [], gps))), tmp_path / "a.jpg").fields
        assert "latitude" not in fields and "longitude" not in fields


@pytest.mark.parametrize(("name", "lens"), [
    ("Canon1DmkIII.jpg", "EF16-35mm f/2.8L II USM"), ("OlympusE1.jpg", "Olympus Zuiko Digital 14-54mm F2.8-3.5"),
    ("Pentax.jpg", "Sigma AF 10-20mm F4-5.6 EX DC"), ("Nikon.nef", "AF-S DX Zoom-Nikkor 18-70mm f/3.5-4.5G IF-ED"),
    ("CanonRaw.crw", "18.0 - 55.0 mm"), ("Sigma.x3f", "Sigma 15-30mm F3.5-4.5 EX DG Aspherical"),
    ("PhaseOne.iiq", "Mamiya LS 80mm f/2.8 D"),
])  # fmt: skip
def test_lenses_of_real_files(name: str, lens: str, tmp_path: Path) -> None:
    assert read((DATA / name).read_bytes(), tmp_path / name).fields["lens_model"] == lens
