"""EXIF, XMP and IPTC of one picture, put together in the vocabulary's precedence (section 5.1: one list for all
formats).

EXIF, XMP, IPTC, then the container's own text; IPTC before XMP when its digest says that it is newer (MWG 2.0
section 3.2, as ExifTool's MWG module codes it).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from mediad_handlers.image.exif import map_dates, map_exif, map_xp
from mediad_handlers.image.iptc import map_iptc, map_iptc_dates
from mediad_handlers.image.xmp import map_xmp, map_xmp_dates
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.readers.iptc import DIGEST_RESOURCE, IPTC_RESOURCE, Iptc, iterate_resources, parse_iptc
from mediad_handlers.readers.moment import Moment, put_moment
from mediad_handlers.readers.tiff import Exif, Fetch, read_exif
from mediad_handlers.readers.xmp import Structure, parse_xmp


@dataclass(slots=True)
class Blocks:
    """The metadata blocks found in one file; a damaged block leaves a warning in the record and is None."""

    exif: Exif | None = None
    xmp: Structure | None = None
    iptc: Iptc | None = None
    resources: dict[int, bytes] = field(default_factory=dict)  # Photoshop image resources, by number

    def add_exif(self, record: Record, data: bytes, fetch: Fetch | None = None) -> None:
        if self.exif is None:
            try:
                self.exif = read_exif(data, fetch)
            except HandlerError as fault:
                record.warnings.append(f"EXIF: {fault.message}")
                return
            if self.exif.tiff.truncated:
                record.warnings.append("EXIF: values beyond the block or the limits were left out")

    def add_xmp(self, record: Record, packet: bytes) -> None:
        try:
            properties = parse_xmp(packet)
        except HandlerError as fault:
            record.warnings.append(f"XMP: {fault.message}")
            return
        if self.xmp is None:
            self.xmp = properties
        else:
            for key, value in properties.items():
                self.xmp.setdefault(key, value)

    def add_iptc(self, data: bytes, digest: bytes = b"") -> None:
        if self.iptc is None and data:
            self.iptc = parse_iptc(data, digest)

    def add_resources(self, data: bytes) -> None:
        """Photoshop image resources: IPTC and its digest, and what `map_blocks` takes of the others."""
        resources = iterate_resources(data)
        self.resources |= resources
        self.add_iptc(resources.get(IPTC_RESOURCE, b""), resources.get(DIGEST_RESOURCE, b""))


def map_blocks(record: Record, blocks: Blocks) -> None:
    """Sets the fields of all blocks by precedence. What the caller set before stays: sizes of the coded picture."""
    exif, xmp, iptc = blocks.exif, blocks.xmp, blocks.iptc
    lens: str | None = None
    if exif is not None:
        map_exif(record, exif)
        map_dates(record, exif)
        if exif.tiff.maker_note:
            from mediad_handlers.image.makernotes import map_maker_note

            lens = map_maker_note(record, exif)
    if iptc is not None and iptc.newer:
        map_iptc(record, iptc)
        map_iptc_dates(record, iptc)
    if xmp is not None:
        map_xmp(record, xmp)
        map_xmp_dates(record, xmp)
    if iptc is not None and not iptc.newer:
        map_iptc(record, iptc)
        map_iptc_dates(record, iptc)
    if exif is not None:
        map_xp(record, exif)
    if blocks.resources:
        from mediad_handlers.image.photoshop import map_resources

        map_resources(record, blocks.resources)
    record.put("lens_model", lens, "ExifIFD:MakerNote")


def finish(record: Record) -> None:
    """Derived fields: what is shown on a screen, megapixels, and date_taken from its substitutes."""
    fields = record.fields
    width, height = fields.get("width"), fields.get("height")
    if width and height:
        turned = fields.get("orientation", 1) >= 5
        fields["display_width"], fields["display_height"] = (height, width) if turned else (width, height)
        fields["megapixels"] = round(width * height / 1e6, 6)
    if "date_taken_local" not in fields:
        if "date_digitized_local" in fields:
            source = record.sources["date_digitized_local"]
            for part in ("", "_local", "_precision"):
                record.put("date_taken" + part, fields.get("date_digitized" + part), source)
        elif "gps_at" in fields:
            moment = _utc(fields["gps_at"])
            put_moment(record, "date_taken", moment, "GPS:GPSTimeStamp")


def _utc(unix: float) -> Moment:
    return Moment(datetime.fromtimestamp(int(unix), UTC).strftime("%Y-%m-%dT%H:%M:%S"), "second", unix, 0)
