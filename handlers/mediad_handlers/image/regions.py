"""Regions and people from XMP: MWG 2.0 section 5.9 (mwg-rs), Microsoft Photo 1.2 (MP)."""

from __future__ import annotations

from typing import Any

from mediad_handlers.kit.api import Record
from mediad_handlers.readers.xmp import Structure, texts

MAX_REGIONS = 500


def map_regions(record: Record, properties: Structure) -> None:
    """Sets `regions` (name, type, and the centre x, y with w, h as parts of the picture) and `people` (faces)."""
    regions = [*_mwg(properties.get("mwg-rs:Regions")), *_microsoft(properties.get("MP:RegionInfo"))][:MAX_REGIONS]
    if not regions:
        return
    record.put("regions", regions, "XMP-mwg-rs:RegionInfo")
    names = dict.fromkeys(str(r["name"]) for r in regions if "name" in r and r.get("type", "Face") == "Face")
    record.put("people", list(names), "XMP-mwg-rs:RegionName")


def _structures(value: Any) -> list[Structure]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _float(value: Any) -> float | None:
    found = texts(value)
    try:
        number = float(found[0]) if found else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < 1e6 else None


def _mwg(value: Any) -> list[dict[str, Any]]:
    regions = []
    for outer in _structures(value):
        for item in _structures(outer.get("mwg-rs:RegionList")):
            region: dict[str, Any] = {}
            for key, name in (("mwg-rs:Name", "name"), ("mwg-rs:Type", "type")):
                found = texts(item.get(key))
                if found:
                    region[name] = found[0]
            for area in _structures(item.get("mwg-rs:Area")):
                for key, found_value in area.items():
                    part = key.rpartition(":")[2]
                    number = _float(found_value)
                    if part in ("x", "y", "w", "h") and number is not None:
                        region[part] = number
                    elif part == "unit":
                        region["unit"] = (texts(found_value) or [""])[0]
            if region:
                regions.append(region)
    return regions


def _microsoft(value: Any) -> list[dict[str, Any]]:
    regions = []
    for outer in _structures(value):
        for item in _structures(outer.get("MPRI:Regions")):
            region: dict[str, Any] = {"type": "Face"}
            name = texts(item.get("MPReg:PersonDisplayName"))
            if name:
                region["name"] = name[0]
            corners = [_float(part) for part in (texts(item.get("MPReg:Rectangle")) or [""])[0].split(",")]
            if len(corners) == 4 and all(part is not None for part in corners):
                left, top, width, height = (part or 0.0 for part in corners)
                region.update(x=left + width / 2, y=top + height / 2, w=width, h=height, unit="normalized")
            if len(region) > 1:
                regions.append(region)
    return regions
