"""From EXIF directories to fields: the vocabulary's tables by tag number (Exif 3.0 section 4.6; TIFF 6.0).

Everything that no table names goes to `record.tags` as "IFD0:0x010e"; pixel layout, pointers and the maker note don't.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mediad_handlers.image.converters import (
    aperture,
    bias,
    blob_text,
    clean_comment,
    enumeration,
    finite,
    flash_mode,
    integer,
    latin_list,
    lens_spec,
    names,
    percent_rating,
    positive,
    rating,
    shutter,
    text,
    unique_id,
    utf16,
    utf16_list,
    version_text,
)  # fmt: skip
from mediad_handlers.kit.api import Record
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.tiff import Entries, Exif, Value, first_number

Convert = Callable[[Any], Any]
Row = tuple[str, str, Convert]

EXPOSURE_PROGRAM = {
    1: "manual", 2: "program", 3: "aperture_priority", 4: "shutter_priority", 5: "creative", 6: "action",
    7: "portrait", 8: "landscape", 9: "bulb",
}  # fmt: skip
METERING_MODE = {
    1: "average", 2: "center_weighted_average", 3: "spot", 4: "multi_spot", 5: "multi_segment", 6: "partial",
    255: "other",
}  # fmt: skip
LIGHT_SOURCE = {
    1: "daylight", 2: "fluorescent", 3: "tungsten", 4: "flash", 9: "fine_weather", 10: "cloudy", 11: "shade",
    12: "daylight_fluorescent", 13: "day_white_fluorescent", 14: "cool_white_fluorescent", 15: "white_fluorescent",
    16: "warm_white_fluorescent", 17: "standard_a", 18: "standard_b", 19: "standard_c", 20: "d55", 21: "d65",
    22: "d75", 23: "d50", 24: "iso_studio_tungsten", 255: "other",
}  # fmt: skip
COLOR_SPACE = {1: "sRGB", 2: "Adobe RGB", 0xFFFF: "uncalibrated"}
SCENE_TYPE = {0: "standard", 1: "landscape", 2: "portrait", 3: "night"}
EXPOSURE_MODE = {0: "auto", 1: "manual", 2: "auto_bracket"}
WHITE_BALANCE = {0: "auto", 1: "manual"}
HARDNESS = {0: "normal", 1: "soft", 2: "hard"}
SATURATION = {0: "normal", 1: "low", 2: "high"}
GAIN = {0: "none", 1: "low_up", 2: "high_up", 3: "low_down", 4: "high_down"}

IFD0: dict[int, Row] = {
    0x010E: ("description", "IFD0:ImageDescription", clean_comment),
    0x010F: ("camera_make", "IFD0:Make", text),
    0x0110: ("camera_model", "IFD0:Model", text),
    0x0112: ("orientation", "IFD0:Orientation", lambda v: v if v in range(1, 9) else None),
    0x0131: ("software", "IFD0:Software", text),
    0x013B: ("creators", "IFD0:Artist", names),
    0x8298: ("copyright", "IFD0:Copyright", text),
    0x4746: ("rating", "IFD0:Rating", rating),
    0x4749: ("rating", "IFD0:RatingPercent", percent_rating),
    # TIFF/EP (ISO 12234-2) writers put these into the first directory
    0x829A: ("exposure_time", "IFD0:ExposureTime", positive),
    0x829D: ("f_number", "IFD0:FNumber", positive),
    0x920A: ("focal_length", "IFD0:FocalLength", positive),
    0x8827: ("iso", "IFD0:ISO", integer),
}
# Microsoft's copies, read after XMP and IPTC because editors leave them behind
XP: dict[int, Row] = {
    0x9C9B: ("title", "IFD0:XPTitle", utf16),
    0x9C9C: ("user_comment", "IFD0:XPComment", utf16),
    0x9C9D: ("creators", "IFD0:XPAuthor", utf16_list),
    0x9C9E: ("keywords", "IFD0:XPKeywords", utf16_list),
    0x9C9F: ("subject", "IFD0:XPSubject", utf16),
}
EXIF_IFD: dict[int, Row] = {
    0x829A: ("exposure_time", "ExifIFD:ExposureTime", positive),
    0x829D: ("f_number", "ExifIFD:FNumber", positive),
    0x8822: ("exposure_program", "ExifIFD:ExposureProgram", enumeration(EXPOSURE_PROGRAM)),
    0x8827: ("iso", "ExifIFD:ISO", integer),
    0x9201: ("exposure_time", "ExifIFD:ShutterSpeedValue", shutter),
    0x9202: ("f_number", "ExifIFD:ApertureValue", aperture),
    0x9203: ("brightness", "ExifIFD:BrightnessValue", finite),
    0x9204: ("exposure_bias", "ExifIFD:ExposureCompensation", bias),
    0x9205: ("max_aperture", "ExifIFD:MaxApertureValue", aperture),
    0x9206: ("subject_distance", "ExifIFD:SubjectDistance", positive),
    0x9207: ("metering_mode", "ExifIFD:MeteringMode", enumeration(METERING_MODE)),
    0x9208: ("light_source", "ExifIFD:LightSource", enumeration(LIGHT_SOURCE)),
    0x920A: ("focal_length", "ExifIFD:FocalLength", positive),
    0x9286: ("user_comment", "ExifIFD:UserComment", blob_text),
    0xA001: ("color_space", "ExifIFD:ColorSpace", enumeration(COLOR_SPACE)),
    0xA401: ("custom_rendered", "ExifIFD:CustomRendered", lambda v: bool(v) if isinstance(v, int) else None),
    0xA402: ("exposure_mode", "ExifIFD:ExposureMode", enumeration(EXPOSURE_MODE)),
    0xA403: ("white_balance", "ExifIFD:WhiteBalance", enumeration(WHITE_BALANCE)),
    0xA404: ("digital_zoom", "ExifIFD:DigitalZoomRatio", positive),
    0xA405: ("focal_length_35mm", "ExifIFD:FocalLengthIn35mmFormat", positive),
    0xA406: ("scene_type", "ExifIFD:SceneCaptureType", enumeration(SCENE_TYPE)),
    0xA407: ("gain_control", "ExifIFD:GainControl", enumeration(GAIN)),
    0xA408: ("contrast", "ExifIFD:Contrast", enumeration(HARDNESS)),
    0xA409: ("saturation", "ExifIFD:Saturation", enumeration(SATURATION)),
    0xA40A: ("sharpness", "ExifIFD:Sharpness", enumeration(HARDNESS)),
    0xA420: ("image_unique_id", "ExifIFD:ImageUniqueID", unique_id),
    0xA430: ("camera_owner", "ExifIFD:OwnerName", text),
    0xA431: ("camera_serial", "ExifIFD:SerialNumber", text),
    0xA432: ("lens_spec", "ExifIFD:LensInfo", lens_spec),
    0xA433: ("lens_make", "ExifIFD:LensMake", text),
    0xA434: ("lens_model", "ExifIFD:LensModel", text),
    0xA435: ("lens_serial", "ExifIFD:LensSerialNumber", text),
    0xA436: ("title", "ExifIFD:ImageTitle", text),
    0xA437: ("creators", "ExifIFD:Photographer", latin_list),
    0xA460: ("custom_rendered", "ExifIFD:CompositeImage", lambda v: True if v in (2, 3) else None),
}
# Tags that other code takes (dates, sizes, densities, flash), layout, and paddings: never in record.tags.
_IFD0_TAKEN = frozenset(
    (0x00FE, 0x00FF)
    + (0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x010D, 0x0111, 0x0115, 0x0116, 0x0117, 0x011A, 0x011B, 0x011C, 0x0128)
    + (0x0132, 0x0140, 0x014A, 0x0152, 0x0153, 0x0201, 0x0202, 0x0213, 0x8769, 0x8825, 0x9003, 0xEA1C)
    + tuple(XP)
)
_EXIF_TAKEN = frozenset(
    (0x9000, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9209, 0x9290, 0x9291, 0x9292, 0xA000, 0xA002, 0xA003, 0xEA1C)
    + (0x927C, 0xA005)
)
_HEX = [f":0x{tag:04x}" for tag in range(0x10000)]
_OFFSETS = {0x9003: 0x9011, 0x9004: 0x9012, 0x0132: 0x9010}
_SUBSECONDS = {0x9003: 0x9291, 0x9004: 0x9292, 0x0132: 0x9290}


def map_exif(record: Record, exif: Exif) -> None:
    """Sets the fields that EXIF holds; what is set already stays. Dates come from `map_dates`."""
    directories = exif.directories
    main, camera = directories["IFD0"], directories.get("ExifIFD", {})
    _map(record, camera, EXIF_IFD, _EXIF_TAKEN, "ExifIFD")
    _map(record, main, IFD0, _IFD0_TAKEN, "IFD0")
    flash = camera.get(0x9209)
    if isinstance(flash, int):
        record.put("flash_fired", bool(flash & 1), "ExifIFD:Flash")
        record.put("flash_mode", flash_mode(flash), "ExifIFD:Flash")
    if record.fields.get("iso") is None:
        for tag in (0x8832, 0x8831, 0x8833):  # sensitivities of 65535 and more do not fit 0x8827
            record.put("iso", integer(camera.get(tag)), "ExifIFD:RecommendedExposureIndex")
    unit = {2: 1.0, 3: 2.54}.get(int(first_number(main.get(0x0128)) or 2))
    if unit:
        for name, tag, source in (("dpi_x", 0x011A, "IFD0:XResolution"), ("dpi_y", 0x011B, "IFD0:YResolution")):
            density = positive(main.get(tag))
            if density:
                record.put(name, density * unit, source)
    if exif.tiff.maker_note:
        record.tag("ExifIFD:MakerNoteLength", [exif.tiff.maker_note])
    interop = directories.get("InteropIFD", {}).get(1)
    if interop == "R03":
        record.put("color_space", "Adobe RGB", "InteropIFD:InteropIndex")
    map_thumbnail(record, directories.get("IFD1", {}))
    if "GPS" in directories:
        from mediad_handlers.image.gps import map_gps

        map_gps(record, directories["GPS"])


def map_xp(record: Record, exif: Exif) -> None:
    """Sets what Microsoft's XP tags hold and nothing else has set."""
    main = exif.directories["IFD0"]
    for tag, (name, source, convert) in XP.items():
        if tag in main:
            record.put(name, convert(main[tag]), source)
    # a camera's own filler ("OLYMPUS DIGITAL CAMERA") describes a picture only when nobody else did
    record.put("description", text(main.get(0x010E)), "IFD0:ImageDescription")


def _map(record: Record, entries: Entries, table: dict[int, Row], taken: frozenset[int], group: str) -> None:
    fields, sources, tags = record.fields, record.sources, record.tags
    for tag, value in entries.items():
        row = table.get(tag)
        if row is not None:
            name, source, convert = row
            if name not in fields:
                found = convert(value)
                if found is not None and found != "" and found != []:
                    fields[name] = found
                    sources[name] = source
        elif tag not in taken:
            kept = [value] if type(value) is int or type(value) is float else plain(value)
            if kept:
                tags[group + _HEX[tag]] = kept


def plain(value: Value) -> list[Any]:
    """A value as it stands in record.tags: numbers and text; short UNDEFINED values as text when they are printable,
    else as hexadecimal digits; long ones are left out."""
    if isinstance(value, bytes):
        found = version_text(value)
        return [found] if found else []
    if isinstance(value, list):
        return [number for number in value if number is not None] if len(value) <= 64 else []
    return [] if value is None or value == "" else [value]


def map_dates(record: Record, exif: Exif) -> None:
    """DateTimeOriginal, then CreateDate, with their sub-seconds and offsets (Exif 3.0 section 4.6.6 F)."""
    main, camera = exif.directories["IFD0"], exif.directories.get("ExifIFD", {})
    for name, entries, tag, source in (
        ("date_taken", camera, 0x9003, "ExifIFD:DateTimeOriginal"),
        ("date_taken", main, 0x9003, "IFD0:DateTimeOriginal"),
        ("date_digitized", camera, 0x9004, "ExifIFD:CreateDate"),
        ("date_modified_at", main, 0x0132, "IFD0:ModifyDate"),
    ):
        written = entries.get(tag)
        if isinstance(written, str):
            fraction, offset = camera.get(_SUBSECONDS[tag]), camera.get(_OFFSETS[tag])
            moment = parse_moment(
                written, fraction if isinstance(fraction, str) else "", offset if isinstance(offset, str) else ""
            )
            put_moment(record, name, moment, source)


def map_thumbnail(record: Record, entries: Entries) -> None:
    """The thumbnail that IFD1 holds as JPEG: its facts, not its bytes."""
    length = first_number(entries.get(0x0202))
    if isinstance(length, int) and length > 0 and first_number(entries.get(0x0201)):
        record.fields.setdefault("pictures", []).append({"type": "thumbnail", "mime": "image/jpeg", "size": length})
        record.sources["pictures"] = "IFD1:ThumbnailImage"
