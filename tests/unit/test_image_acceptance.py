"""What Picasa, Google Photos, Flickr, gThumb and HomeGallery show of a picture: every name is filled (vocabulary
section 9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediad_handlers.kit.api import Record
from tests.unit.pictures import (
    alternative,
    bag,
    blob,
    exif,
    exif_segment,
    iptc,
    jpeg,
    long,
    packet,
    photoshop_segment,
    rational,
    read,
    resource,
    segment,
    short,
    text,
    xmp_segment,
)  # fmt: skip

PICASA = {  # caption tags credit width height rotation timestamp place; then its EXIF block
    "description", "keywords", "creators", "width", "height", "orientation", "date_taken_local", "latitude",
    "longitude", "subject_distance", "exposure_time", "flash_fired", "focal_length", "f_number", "image_unique_id",
    "iso",
    "camera_make", "camera_model",
}  # fmt: skip
GOOGLE_PHOTOS = {
    "description", "date_taken", "width", "height", "camera_make", "camera_model", "focal_length", "f_number", "iso",
    "exposure_time", "people", "latitude", "longitude", "motion_photo", "panorama",
}  # fmt: skip
FLICKR = {
    "title", "description", "keywords", "date_taken_local", "date_taken_precision", "orientation", "licenses",
    "creators", "location", "camera_model", "regions",
}  # fmt: skip
GTHUMB = {
    "width", "height", "icc_profile", "title", "description", "city", "date_taken_local", "keywords", "rating",
    "copyright", "creators", "latitude", "longitude", "camera_make", "camera_model", "exposure_time", "f_number", "iso",
    "focal_length", "flash_fired", "headline", "location", "credit", "author_title", "country", "country_code", "state",
    "languages", "source", "software", "white_balance", "metering_mode", "exposure_program", "light_source",
    "user_comment",
}  # fmt: skip
HOME_GALLERY = {
    "date_taken_local", "width", "height", "orientation", "camera_make", "camera_model", "iso", "exposure_mode",
    "focal_length", "focal_length_35mm", "latitude", "longitude", "altitude", "white_balance",
}  # fmt: skip


def camera_block() -> bytes:
    main = [text(0x010F, "ACME"), text(0x0110, "Eye 1"), short(0x0112, 6), text(0x0131, "Firmware 3")]
    camera = [
        rational(0x829A, (1, 125)), rational(0x829D, (28, 10)), short(0x8822, 2), short(0x8827, 200),
        text(0x9003, "2019:05:06 07:08:09"), text(0x9011, "+02:00"), text(0x9004, "2019:05:06 07:08:09"),
        rational(0x9204, (1, 3)), rational(0x9206, (25, 10)), short(0x9207, 5), short(0x9208, 1), short(0x9209, 1),
        rational(0x920A, (50, 1)), blob(0x9286, b"ASCII\0\0\0a comment"), short(0xA402, 0), short(0xA403, 0),
        short(0xA405, 75), text(0xA420, "00112233445566778899aabbccddeeff"),
    ]  # fmt: skip
    gps = [
        text(1, "N"), rational(2, (46, 1), (57, 1), (0, 1)), text(3, "E"), rational(4, (7, 1), (26, 1), (0, 1)),
        (5, 1, 1, b"\0"), rational(6, (540, 1)),
    ]  # fmt: skip
    return exif(main, camera, gps)


FACE = (
    "<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:RegionList><rdf:Bag><rdf:li rdf:parseType='Resource'>"
    "<mwg-rs:Name>Ann</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>"
    "<mwg-rs:Area stArea:x='0.5' stArea:y='0.5' stArea:w='0.1' stArea:h='0.1' stArea:unit='normalized'/>"
    "</rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
)
WORDS = (
    f"<dc:title>{alternative('A title')}</dc:title><dc:description>{alternative('A caption')}</dc:description>"
    f"<dc:creator>{bag('Ann', 'Bob', kind='Seq')}</dc:creator><dc:subject>{bag('one', 'two')}</dc:subject>"
    f"<dc:rights>{alternative('© Ann')}</dc:rights><xmp:Rating>4</xmp:Rating>"
    f"<xmpRights:UsageTerms>{alternative('CC BY 4.0')}</xmpRights:UsageTerms>"
    "<Iptc4xmpCore:Location>Old town</Iptc4xmpCore:Location><Iptc4xmpCore:CountryCode>CH</Iptc4xmpCore:CountryCode>"
    "<GCamera:MotionPhoto>1</GCamera:MotionPhoto><GPano:ProjectionType>equirectangular</GPano:ProjectionType>"
)
PRESS = iptc(
    (90, "Bern"), (95, "BE"), (101, "Switzerland"), (105, "A headline"), (110, "A credit"), (85, "Staff"),
    (115, "ACME"),
    (135, "de"),
)  # fmt: skip
PROFILE = bytes(36) + b"acsp" + bytes(88) + (1).to_bytes(4, "big") + b"desc\0\0\0\x90\0\0\0\x11"
PROFILE += b"desc\0\0\0\0\0\0\0\5sRGB\0"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    content = jpeg(
        exif_segment(camera_block()),
        xmp_segment(WORDS + FACE),
        photoshop_segment(resource(0x0404, PRESS)),
        segment(0xE2, b"ICC_PROFILE\0\1\1" + PROFILE),
    )
    return read(content, tmp_path_factory.mktemp("acceptance") / "a.jpg")


@pytest.mark.parametrize("names", [PICASA, GOOGLE_PHOTOS, FLICKR, GTHUMB, HOME_GALLERY], ids=[
    "picasa", "google-photos", "flickr", "gthumb", "homegallery",
])  # fmt: skip
def test_every_name_of_the_application_is_filled(names: set[str], record: Record) -> None:
    assert names - set(record.fields) == set()
    assert names - set(record.sources) <= {"width", "height"}  # the coded picture's own


def test_values_are_what_was_written(record: Record) -> None:
    fields = record.fields
    assert (fields["title"], fields["description"], fields["creators"]) == ("A title", "A caption", ["Ann", "Bob"])
    assert (fields["date_taken"], fields["utc_offset"]) == (1557119289.0, 120)
    assert (fields["latitude"], fields["altitude"]) == (46.95, 540.0)
    assert (fields["width"], fields["height"], fields["display_width"]) == (48, 32, 32)
    assert (fields["city"], fields["state"], fields["country"], fields["icc_profile"]) == (
        "Bern",
        "BE",
        "Switzerland",
        "sRGB",
    )
    assert fields["people"] == ["Ann"] and fields["licenses"] == ["CC BY 4.0"]
    assert record.warnings == []


def test_the_same_lists_from_a_side_file(tmp_path: Path) -> None:
    """Trap 10: the daemon joins a side file; its record holds all of a person's fields."""
    fields = read(packet(WORDS + FACE), tmp_path / "a.jpg.xmp").fields
    words = {
        "title",
        "description",
        "creators",
        "keywords",
        "copyright",
        "rating",
        "licenses",
        "location",
        "people",
        "regions",
    }
    assert words <= set(fields)


def test_what_no_field_names_stays_under_its_native_key(tmp_path: Path) -> None:
    block = exif([long(0xC5E0, 7)], [short(0xA217, 2)])
    record = read(jpeg(exif_segment(block), xmp_segment("<xmp:Nickname>n</xmp:Nickname>")), tmp_path / "a.jpg")
    assert record.tags == {"IFD0:0xc5e0": [7], "ExifIFD:0xa217": [2], "XMP-xmp:Nickname": ["n"]}
