"""From XMP properties to fields: sections 3 and 5 of the vocabulary; dc, photoshop, IPTC, exif and tiff twins, regions.

Sources: XMP part 2; IPTC Photo Metadata Standard 2023.2; MWG 2.0 sections 4-5; CIPA DC-010 (exif in XMP).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mediad_handlers.image import exif as tables
from mediad_handlers.image.converters import (
    aperture,
    bias,
    enumeration,
    finite,
    flash_mode,
    integer,
    lens_spec,
    percent_rating,
    positive,
    shutter,
    unique_id,
)  # fmt: skip
from mediad_handlers.image.hierarchies import category_paths, keyword_paths
from mediad_handlers.image.regions import map_regions
from mediad_handlers.kit.api import Record
from mediad_handlers.readers.moment import parse_moment, put_moment
from mediad_handlers.readers.xmp import Structure, texts

Convert = Callable[[Any], Any]
_COORDINATE = re.compile(r"\s*(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?(?:,(\d+(?:\.\d+)?))?\s*([NSEW])\s*", re.ASCII)


def first(value: Any) -> str | None:
    found = texts(value)
    return found[0].strip() or None if found else None


def every(value: Any) -> list[str]:
    return [part for found in texts(value) if (part := found.strip())]


def rational(value: Any) -> float | None:
    """A number from "28/10" or "2.8"; a list's first."""
    written = first(value)
    if written is None or len(written) > 40:
        return None
    over, slash, under = written.partition("/")
    try:
        return float(over) / float(under) if slash else float(over)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def coordinate(value: Any) -> float | None:
    """Signed degrees from "51,30.5N" or "51,30,30N" (XMP part 2 section 2.4, GPSCoordinate)."""
    match = _COORDINATE.fullmatch(first(value) or "")
    if match is None:
        return None
    total = float(match[1]) + float(match[2] or 0) / 60 + float(match[3] or 0) / 3600
    return (-total if match[4] in "SW" else total) if total <= 180 else None


def number(convert: Convert) -> Convert:
    return lambda value: convert(rational(value))


def whole(convert: Convert) -> Convert:
    def read(value: Any) -> Any:
        found = rational(value)
        return None if found is None else convert(int(found)) if abs(found) < 2**31 else None

    return read


def paths(separator: str) -> Convert:
    return lambda value: [part.replace(separator, "/") for part in every(value)]


def split_keywords(value: Any) -> list[str]:
    """The words of pdf:Keywords, one text (ISO 32000-1 table 317), between commas or semicolons."""
    parts = [part for found in every(value) for part in found.replace(";", ",").split(",")]
    return [word for part in parts if (word := part.strip())]


def rationals(value: Any) -> list[float | None]:
    """Numbers of "18/1 55/1 35/10 56/10", or of a list of them; None for 0/0."""
    words = [word for found in texts(value)[:8] if len(found) < 200 for word in found.split()]
    return [rational(word) for word in words[:8]]


def seconds_of(value: Any) -> float | None:
    """Unix seconds of a moment that names its zone: GPSTimeStamp is UTC."""
    moment = parse_moment(first(value))
    if moment is None or moment.precision not in ("second", "subsec"):
        return None
    return float(moment.unix - (moment.offset or 0) * 60)


TABLE: dict[str, tuple[str, Convert]] = {
    "dc:title": ("title", first), "dc:description": ("description", first), "dc:creator": ("creators", every),
    "dc:contributor": ("contributors", every), "dc:publisher": ("publishers", every), "dc:rights": ("copyright", first),
    "dc:subject": ("keywords", every), "dc:language": ("languages", every), "dc:identifier": ("identifiers", every),
    "dc:source": ("source", first), "pdf:Title": ("title", first), "pdf:Author": ("creators", every),
    "tiff:ImageDescription": ("description", first), "tiff:Artist": ("creators", every),
    "tiff:Copyright": ("copyright", first), "tiff:Make": ("camera_make", first), "tiff:Model": ("camera_model", first),
    "tiff:Software": ("software", first),
    "tiff:Orientation": ("orientation", whole(lambda v: v if v in range(1, 9) else None)),
    "photoshop:Headline": ("headline", first), "photoshop:CaptionWriter": ("contributors", every),
    "photoshop:Credit": ("credit", first), "photoshop:Source": ("source", first), "photoshop:City": ("city", first),
    "photoshop:State": ("state", first), "photoshop:Country": ("country", first),
    "photoshop:AuthorsPosition": ("author_title", first), "photoshop:Instructions": ("instructions", first),
    "photoshop:TransmissionReference": ("job_id", first), "photoshop:Category": ("category", first),
    "photoshop:SupplementalCategories": ("supplemental_categories", every),
    "photoshop:Urgency": ("urgency", whole(lambda v: v if v in range(1, 9) else None)),
    "photoshop:ICCProfile": ("icc_profile", first),
    "xmp:CreatorTool": ("software", first), "xmp:Label": ("color_label", first),
    "xmpRights:UsageTerms": ("licenses", every), "cc:license": ("licenses", every),
    "xmpRights:Owner": ("copyright_owner", first),
    "xmpRights:WebStatement": ("rights_url", first), "plus:LicensorURL": ("rights_url", first),
    "plus:CopyrightOwnerName": ("copyright_owner", first),
    "xmpMM:DocumentID": ("document_id", first), "xmpMM:OriginalDocumentID": ("original_document_id", first),
    "xmpMM:InstanceID": ("instance_id", first),
    "microsoft:LastKeywordXMP": ("keywords", every), "pdf:Keywords": ("keywords", split_keywords),
    "lr:hierarchicalSubject": ("keyword_paths", paths("|")),
    "digiKam:TagsList": ("keyword_paths", paths("/")), "mwg-kw:Keywords": ("keyword_paths", keyword_paths),
    "acdsee:categories": ("keyword_paths", lambda v: category_paths(first(v))),
    "mediapro:CatalogSets": ("keyword_paths", paths("|")),
    "iptcCore:Location": ("location", first), "iptcCore:CountryCode": ("country_code", first),
    "iptcCore:SubjectCode": ("subject_codes", every), "iptcCore:Scene": ("scene_codes", every),
    "iptcCore:IntellectualGenre": ("intellectual_genre", first),
    "iptcCore:AltTextAccessibility": ("alt_text", first), "iptcCore:ExtDescrAccessibility": ("alt_text", first),
    "iptcExt:PersonInImage": ("people", every), "iptcExt:OrganisationInImageName": ("organisations", every),
    "iptcExt:Event": ("event", first), "iptcExt:DigitalSourceType": ("digital_source_type", first),
    "aux:SerialNumber": ("camera_serial", first), "aux:OwnerName": ("camera_owner", first),
    "exifEX:LensModel": ("lens_model", first), "aux:Lens": ("lens_model", first),
    "exifEX:LensSpecification": ("lens_spec", lambda v: lens_spec(rationals(v))),
    "aux:LensInfo": ("lens_spec", lambda v: lens_spec(rationals(v))), "aux:LensSerialNumber": ("lens_serial", first),
    "exifEX:LensMake": ("lens_make", first), "exifEX:LensSerialNumber": ("lens_serial", first),
    "exifEX:BodySerialNumber": ("camera_serial", first), "exifEX:CameraOwnerName": ("camera_owner", first),
    "exifEX:PhotographicSensitivity": ("iso", whole(integer)), "exif:ISOSpeedRatings": ("iso", whole(integer)),
    "exif:ExposureTime": ("exposure_time", number(positive)), "exif:FNumber": ("f_number", number(positive)),
    "exif:FocalLength": ("focal_length", number(positive)),
    "exif:FocalLengthIn35mmFilm": ("focal_length_35mm", number(positive)),
    "exif:ExposureBiasValue": ("exposure_bias", number(bias)),
    "exif:ExposureProgram": ("exposure_program", whole(enumeration(tables.EXPOSURE_PROGRAM))),
    "exif:ExposureMode": ("exposure_mode", whole(enumeration(tables.EXPOSURE_MODE))),
    "exif:MeteringMode": ("metering_mode", whole(enumeration(tables.METERING_MODE))),
    "exif:LightSource": ("light_source", whole(enumeration(tables.LIGHT_SOURCE))),
    "exif:WhiteBalance": ("white_balance", whole(enumeration(tables.WHITE_BALANCE))),
    "exif:SceneCaptureType": ("scene_type", whole(enumeration(tables.SCENE_TYPE))),
    "exif:SubjectDistance": ("subject_distance", number(positive)),
    "exif:DigitalZoomRatio": ("digital_zoom", number(positive)),
    "exif:ImageUniqueID": ("image_unique_id", lambda v: unique_id(first(v))),
    "exif:UserComment": ("user_comment", first), "exif:ColorSpace": ("color_space",
    whole(enumeration(tables.COLOR_SPACE))),
    "exif:ShutterSpeedValue": ("exposure_time", number(shutter)), "exif:ApertureValue": ("f_number", number(aperture)),
    "exif:MaxApertureValue": ("max_aperture", number(aperture)), "exif:BrightnessValue": ("brightness", number(finite)),
    "exif:Contrast": ("contrast", whole(enumeration(tables.HARDNESS))),
    "exif:Saturation": ("saturation", whole(enumeration(tables.SATURATION))),
    "exif:Sharpness": ("sharpness", whole(enumeration(tables.HARDNESS))),
    "exif:GainControl": ("gain_control", whole(enumeration(tables.GAIN))),
    "exif:CustomRendered": ("custom_rendered", whole(bool)),
    "exif:GPSImgDirection": ("gps_direction", number(finite)), "exif:GPSTimeStamp": ("gps_at", seconds_of),
    "exif:GPSHPositioningError": ("gps_accuracy", number(finite)),
    "GPano:ProjectionType": ("panorama", first), "GCamera:BurstID": ("content_id", first),
    "xmp:Identifier": ("identifiers", every), "xmpMM:PreservedFileName": ("original_filename", first),
}  # fmt: skip
_DATES = (
    ("date_taken", "exif:DateTimeOriginal"), ("date_taken", "photoshop:DateCreated"),
    ("date_digitized", "exif:DateTimeDigitized"), ("date_digitized", "xmp:CreateDate"),
    ("date_digitized", "pdf:CreationDate"), ("date_modified_at", "xmp:ModifyDate"),
)  # fmt: skip
_HANDLED = frozenset((
    *(key for _, key in _DATES), "xmp:Rating", "microsoft:Rating", "exif:GPSLatitude", "exif:GPSLongitude",
    "exif:GPSAltitude", "exif:GPSAltitudeRef", "exif:Flash", "mwg-rs:Regions", "MP:RegionInfo",
    "GCamera:MotionPhoto", "GCamera:MicroVideo", "tiff:ImageWidth", "tiff:ImageLength", "exif:PixelXDimension",
    "exif:PixelYDimension", "exif:NativeDigest", "tiff:NativeDigest", "photoshop:LegacyIPTCDigest",
    "xmpNote:HasExtendedXMP", "xmpMM:History", "photoshop:DocumentAncestors", "xmp:Thumbnails",
))  # fmt: skip


_RANK = {key: rank for rank, key in enumerate(TABLE)}  # of several sources for a field the first row wins


def tag_name(key: str) -> str:
    """ "XMP-dc:Title" from "dc:title"."""
    group, _, local = key.partition(":")
    return f"XMP-{group}:{local[:1].upper()}{local[1:]}"


def map_xmp(record: Record, properties: Structure) -> None:
    """Sets what the properties hold; what is set already stays. Dates come from `map_xmp_dates`."""
    known = [key for key in properties if key in _RANK]
    known.sort(key=_RANK.__getitem__)
    for key in known:
        name, convert = TABLE[key]
        if name not in record.fields:
            record.put(name, convert(properties[key]), tag_name(key))
    for key, value in properties.items():
        if key not in _RANK and key not in _HANDLED and not key.startswith("crs:"):
            record.tag(tag_name(key), texts(value)[:64])
    _map_rating(record, properties)
    _map_flash(record, properties.get("exif:Flash"))
    if "1" in (first(properties.get("GCamera:MotionPhoto")), first(properties.get("GCamera:MicroVideo"))):
        record.put("motion_photo", True, "XMP-GCamera:MotionPhoto")
    _map_place(record, properties)
    map_regions(record, properties)


def _map_rating(record: Record, properties: Structure) -> None:
    """Stars, -1 for a rejected picture; Microsoft's percentage stands for 1, 25, 50, 75, 99 (MWG 2.0 section 5.8)."""
    stars = rational(properties.get("xmp:Rating"))
    if stars == -1:
        record.put("rejected", True, "XMP-xmp:Rating")
    elif stars is not None and 0 < stars <= 5:
        record.put("rating", stars, "XMP-xmp:Rating")
    percent = rational(properties.get("microsoft:Rating"))
    record.put("rating", percent_rating(percent), "XMP-microsoft:RatingPercent")


def _map_flash(record: Record, flash: Any) -> None:
    """The structure of XMP part 2 section 2.2.2, or the number that some writers put in its place."""
    if isinstance(flash, dict):
        if "exif:Fired" in flash:
            record.put("flash_fired", first(flash["exif:Fired"]) in ("True", "true", "1"), "XMP-exif:Flash")
        mode, eye = rational(flash.get("exif:Mode")), first(flash.get("exif:RedEyeMode")) in ("True", "true", "1")
        if mode in (0, 1, 2, 3):
            record.put("flash_mode", flash_mode(int(mode) << 3 | (0x40 if eye else 0)), "XMP-exif:Flash")
    else:
        bits = rational(flash)
        if bits is not None and 0 <= bits < 128:
            record.put("flash_fired", bool(int(bits) & 1), "XMP-exif:Flash")
            record.put("flash_mode", flash_mode(int(bits)), "XMP-exif:Flash")


def _map_place(record: Record, properties: Structure) -> None:
    latitude, longitude = (
        coordinate(properties.get("exif:GPSLatitude")),
        coordinate(properties.get("exif:GPSLongitude")),
    )
    if latitude is not None and longitude is not None and abs(latitude) <= 90:
        record.put("latitude", latitude, "XMP-exif:GPSLatitude")
        record.put("longitude", longitude, "XMP-exif:GPSLongitude")
    altitude = rational(properties.get("exif:GPSAltitude"))
    if altitude is not None and abs(altitude) < 1e6:
        below = first(properties.get("exif:GPSAltitudeRef")) == "1"
        record.put("altitude", -altitude if below else altitude, "XMP-exif:GPSAltitude")
    for structure in ("iptcExt:LocationCreated", "iptcExt:LocationShown"):
        places = properties.get(structure)
        for place in places if isinstance(places, list) else [places]:
            if isinstance(place, dict):
                for part, name in (("Sublocation", "location"), ("City", "city"), ("ProvinceState", "state")):
                    record.put(name, first(place.get("iptcExt:" + part)), tag_name(structure) + part)
                record.put("country", first(place.get("iptcExt:CountryName")), tag_name(structure) + "CountryName")
    contact = properties.get("iptcCore:CreatorContactInfo")
    if isinstance(contact, dict):
        record.put("contact_email", first(contact.get("iptcCore:CiEmailWork")), "XMP-iptcCore:CreatorWorkEmail")
        record.put("contact_url", first(contact.get("iptcCore:CiUrlWork")), "XMP-iptcCore:CreatorWorkURL")


def map_xmp_dates(record: Record, properties: Structure) -> None:
    """Dates in the vocabulary's order."""
    for name, key in _DATES:
        put_moment(record, name, parse_moment(first(properties.get(key))), tag_name(key))
