"""Metas from fields: values as `exiftool -j` prints them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediad.moves.structure.exif import content_from_fields, meta_from_fields
from mediad.moves.structure.meta import ExifValue, parse_meta

IMAGES = Path(__file__).resolve().parents[1] / "data" / "image"


@pytest.mark.parametrize(
    ("fields", "name", "tag", "value"),
    [
        ({"date_taken_local": "2008-02-03T18:44:33.25"}, "DateTimeOriginal", "0x9003", "2008:02:03 18:44:33"),
        ({"exposure_time": 1 / 30}, "ExposureTime", "0x829a", "1/30"),
        ({"exposure_time": 0.5}, "ExposureTime", "0x829a", 0.5),
        ({"exposure_time": 30}, "ExposureTime", "0x829a", 30),
        ({"f_number": 1.4}, "FNumber", "0x829d", 1.4),
        ({"f_number": 2.0}, "FNumber", "0x829d", 2),
        ({"f_number": 0.95}, "FNumber", "0x829d", 0.95),
        ({"iso": 400}, "ISO", "0x8827", 400),
        ({"focal_length": 50.0}, "FocalLength", "0x920a", "50.0 mm"),
        ({"focal_length_35mm": 75}, "FocalLengthIn35mmFormat", "0xa405", "75 mm"),
        ({"exposure_bias": -2.0}, "ExposureCompensation", "0x9204", -2),
        ({"exposure_bias": 0.3333333}, "ExposureCompensation", "0x9204", "+1/3"),
        ({"exposure_bias": -0.5}, "ExposureCompensation", "0x9204", "-1/2"),
        ({"exposure_bias": 0}, "ExposureCompensation", "0x9204", 0),
        ({"orientation": 6}, "Orientation", "0x0112", "Rotate 90 CW"),
        ({"camera_model": "Canon EOS 5D"}, "Model", "0x0110", "Canon EOS 5D"),
        ({"camera_model": "450"}, "Model", "0x0110", 450),
        ({"camera_model": "0221"}, "Model", "0x0110", "0221"),
        ({"creators": ["A", "B"]}, "Artist", "0x013b", "A; B"),
        ({"latitude": 54.98966667}, "GPSLatitude", "0x0002", "54 deg 59' 22.80\" N"),
        ({"longitude": -1.5}, "GPSLongitude", "0x0004", "1 deg 30' 0.00\" W"),
        ({"altitude": -3.25}, "GPSAltitude", "0x0006", "3.2 m Below Sea Level"),
    ],
)
def test_values(fields: dict[str, Any], name: str, tag: str, value: object) -> None:
    assert content_from_fields(fields).exif == {name: ExifValue(tag, value)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "created"),
    [
        ({"date_taken_local": "2008-02-03T18:44:33"}, "2008-02-03T18:44:33Z"),
        ({"date_taken_local": "2008-02-03T18:44:33.5", "utc_offset": -210}, "2008-02-03T18:44:33.5-03:30"),
        ({"date_taken": 0.25, "utc_offset": 60}, "1970-01-01T01:00:00.25+01:00"),
        ({"date_created_at": 86400}, "1970-01-02T00:00:00Z"),
        ({"date_taken_local": "2008-13-99T00:00:00", "date_created_at": 0}, "1970-01-01T00:00:00Z"),
    ],
)
def test_created(fields: dict[str, Any], created: str) -> None:
    moment = content_from_fields(fields).created
    assert moment is not None and moment.text() == created


def test_the_whole() -> None:
    fields = {"width": 1064, "height": 1600, "iso": 400, "title": "not in EXIF", "orientation": 99}
    meta = meta_from_fields("jpg", 5, fields, {"date_taken_local": "2001-02-03T04:05:06"})
    assert meta.to_bytes() == (
        b'{"version":"v1","type":"jpg","size":5,"inherent":{"image":{"width":1064,"height":1600},'
        b'"exif":{"ISO":{"id":"0x8827","val":400}}},"sidecar":{"created":"2001-02-03T04:05:06Z",'
        b'"exif":{"DateTimeOriginal":{"id":"0x9003","val":"2001:02:03 04:05:06"}}}}'
    )
    assert parse_meta(meta.to_bytes()) == meta
    assert meta_from_fields("mkv", 7, {}).to_bytes() == b'{"version":"v1","type":"mkv","size":7}'


NUMBERS = st.floats(0, 1e6) | st.integers(0, 10**6)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(
                ("exposure_time", "f_number", "focal_length", "focal_length_35mm", "exposure_bias"), NUMBERS
            ),
            "latitude": st.floats(-90, 90),
            "longitude": st.floats(-180, 180),
            "altitude": st.floats(-1e4, 1e5),
            "camera_model": st.text(max_size=20),
            "date_taken_local": st.text(max_size=25),
            "date_taken": st.floats(-1e10, 1e11),
            "utc_offset": st.integers(-2000, 2000),
        },
    )
)
@example({"exposure_time": 2.2250738585e-313, "exposure_bias": 1.7e308, "altitude": -1.7e308, "latitude": 1e16})
def test_any_fields_make_a_document(fields: dict[str, Any]) -> None:
    """Written, it is read again by our own reader, which is as strict as the reference's."""
    data = meta_from_fields("jpg", 1, fields).to_bytes()
    assert parse_meta(data).to_bytes() == data


@pytest.mark.oracle
def test_exiftool_prints_the_same() -> None:
    """Every EXIF value of every sample, but where ExifTool keeps blanks at the end of a text."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    groups = ["-EXIF:all", *(f"-Composite:GPS{name}" for name in ("Latitude", "Longitude", "Altitude"))]
    expected = sorted(IMAGES.glob("*.expected.json"))
    images = [path.with_name(path.name.removesuffix(".expected.json")) for path in expected]
    done = subprocess.run(
        ["exiftool", "-j", "-a", *groups, *images], capture_output=True, text=True, check=False, timeout=60
    )
    printed = {Path(row["SourceFile"]).name: row for row in json.loads(done.stdout)}
    compared = 0
    for path, image in zip(expected, images, strict=True):
        fields = json.loads(path.read_text())["fields"]
        for name, value in content_from_fields(fields).exif.items():
            said = printed.get(image.name, {}).get(name, value.val)
            said = said.strip() if isinstance(said, str) else said
            assert value.val == said, (image.name, name)
            compared += name in printed.get(image.name, {})
    assert compared > 150
