"""The meta document: what is known of one file, in `meta/ab/cd/<36 hex>.json`. Compact JSON without a final newline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mediad.errors import Unsupported
from mediad.moves.structure.checks import Members
from mediad.moves.structure.gojson import Json, dumps, loads
from mediad.moves.structure.moment import Moment

VERSION = "v1"
_KEYS = ("version", "type", "content_type", "size", "inherent", "sidecar")


@dataclass(frozen=True, slots=True)
class ExifValue:
    """One EXIF tag: its number as `0x9003`, and its value as ExifTool prints it."""

    id: str
    val: Json


@dataclass(frozen=True, slots=True)
class Content:
    """What one place (the file itself, a side file) says of a thing. Sizes are pixels; 0 by 0 is unknown."""

    created: Moment | None = None
    width: int = 0
    height: int = 0
    exif: Mapping[str, ExifValue] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return self.created is None and not self.width and not self.height and not self.exif

    def document(self) -> dict[str, Json]:
        out: dict[str, Json] = {}
        if self.created is not None and not self.created.is_zero:
            out["created"] = self.created.text()
        if self.width or self.height:
            out["image"] = {"width": self.width, "height": self.height}
        if self.exif:
            # Go sorts the keys of a map by their bytes.
            names = sorted(self.exif, key=lambda name: name.encode("utf-8", "replace"))
            out["exif"] = {name: {"id": self.exif[name].id, "val": self.exif[name].val} for name in names}
        return out


@dataclass(frozen=True, slots=True)
class Meta:
    """A meta document. `size` in bytes. `others` are members of other programs (`flickr`): kept as they were."""

    type: str
    size: int
    inherent: Content = field(default_factory=Content)
    sidecar: Content = field(default_factory=Content)
    others: Mapping[str, Json] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The document as the reference writes it. Raises ValueError for a float that is no number, and a year that
        RFC 3339 has not."""
        out: dict[str, Json] = {"version": VERSION, "type": self.type, "size": self.size}
        if not self.inherent.is_empty:
            out["inherent"] = self.inherent.document()
        if not self.sidecar.is_empty:
            out["sidecar"] = self.sidecar.document()
        return dumps(out | dict(self.others)).encode()


def parse_meta(data: bytes, name: bytes = b"") -> Meta:
    """Reads a meta document of version v1, or of the time before versions (`content_type` for `type`).

    Raises Corrupt with the place in the document (`name` is the input it names), Unsupported for another version."""
    top = Members(loads(data, name), "", name)
    if (version := top.text("version")) not in ("", VERSION):
        raise Unsupported(f"version: this meta document is of version {version!r}; v1 is understood", name)
    others = {key: value for key, value in top.values.items() if key not in _KEYS}
    return Meta(
        type=top.text("type") or top.text("content_type"),
        size=top.number("size"),
        inherent=_content(top.members("inherent")),
        sidecar=_content(top.members("sidecar")),
        others=others,
    )


def _content(members: Members | None) -> Content:
    if members is None:
        return Content()
    image = members.members("image")
    exif: dict[str, ExifValue] = {}
    if (tags := members.members("exif")) is not None:
        for key in tags.values:
            value: Any = tags.members(key)
            exif[key] = ExifValue("", None) if value is None else ExifValue(value.text("id"), value.values.get("val"))
    return Content(
        created=members.moment("created"),
        width=image.number("width") if image else 0,
        height=image.number("height") if image else 0,
        exif=exif,
    )
