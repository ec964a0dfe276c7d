r"""The templates that mediad has of its own, by kind of thing, and those of the configuration over them.

`plex` is what Plex, Jellyfin and Emby accept, below the `media` folder of the media directory tree. A part that those
programs can do without is in braces of its own, so that a file that lacks it still has a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mediad.errors import InvalidArgument, NotFound, Unsupported
from mediad.moves.template import Template, TemplateError, parse
from mediad.moves.values import KNOWN

_MOVIE = "movies/{title} ({year})/{title} ({year}){ - edition}.{ext}"
_EPISODE = "{show}{ (year)} - S{season:02}E{episode:02}{-E{last:02}}"
_TV = "tv/{show}{ (year)}/Season {season:02}/" + _EPISODE + "{ - title}.{ext}"
_ANIME_TV = "tv/{show}{ (year)}/Season {season:02}/" + _EPISODE + "{ - {absolute:03}}{ - title}.{ext}"

PLEX: dict[str, str] = {
    "movie": _MOVIE,
    "tv": _TV,
    "anime-movie": "anime/" + _MOVIE,
    "anime-tv": "anime/" + _ANIME_TV,
    "music": "music/{albumartist}/{album}{ (year)}/{Disc {disc}/}{track:02} - {title}.{ext}",
    "book": "books/{author}/{title}/{title}.{ext}",
    "photo": "photos/{YYYY}/{YYYY-MM-DD}/{stem}.{ext}",
}
SETS: dict[str, dict[str, str]] = {"plex": PLEX}

BOOK_FORMATS = frozenset({"epub", "mobi", "azw", "azw3", "pdf", "djvu", "fb2", "cbz", "cbr"})
_TEMPLATE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
# What cameras and telephones call their films: no title of a work.
_CAMERA_NAME = re.compile(r"(?i)^(?:img|vid|mov|mvi|dsc[fn]?|dscf|pxl|gopr|gx|gh|dji|p|c|clip|mah)[-_]?\d{4,}")


def template_texts(settings: Mapping[str, object], set_name: str = "plex") -> dict[str, str]:
    """All templates by name as they are written; `settings` were read by load_templates when mediad started."""
    return {**SETS[set_name], **{name: str(text) for name, text in settings.items()}}


def load_templates(settings: Mapping[str, object], set_name: str = "plex") -> dict[str, Template]:
    """All templates by name: those of the set, and over them `[templates]` of mediad.toml.

    Raises InvalidArgument: a name that is none (lower-case letters, digits, `-` and `_`), a value that is no text;
    TemplateError, which says whose template it is, where in it, and what was expected; NotFound for an unknown set."""
    try:
        texts: dict[str, str] = dict(SETS[set_name])
    except KeyError:
        raise NotFound(f"there is no set of templates of that name; there is {', '.join(SETS)}", set_name) from None
    for name, text in settings.items():
        if not _TEMPLATE_NAME.fullmatch(name):
            raise InvalidArgument("a template's name has lower-case letters, digits, - and _", name)
        if not isinstance(text, str):
            raise InvalidArgument(f"template {name} takes text, not {text!r}", name)
        texts[name] = text
    templates = {}
    for name, text in texts.items():
        try:
            templates[name] = parse(text, KNOWN)
        except TemplateError as fault:
            raise fault.named(name) from None
    return templates


def choose_template(kind: str, fields: Mapping[str, Any], values: Mapping[str, Any], path: bytes) -> str:
    """The name of the default template for an item: what kind of thing it is, as far as kind, fields and name tell.

    `values` are its `template_values`. Audio is music; a picture is a photo; a video with an episode is tv, else one of
    a camera (make, model, or a camera's name) without title and year is a photo, else a movie; a document is a book
    when its format is one of books. Within a folder named `anime`, and with a number through all seasons, a video is
    anime. Raises Unsupported for a kind that has no place in the media directory tree."""
    if kind == "audio":
        return "music"
    if kind == "image":
        return "photo"
    if kind == "document":
        if str(values.get("ext", "")) in BOOK_FORMATS or str(fields.get("format", "")).lower() in BOOK_FORMATS:
            return "book"
        raise Unsupported("there is no default template for a document that is no book; name one", path)
    if kind != "video":
        raise Unsupported(f"there is no default template for a file of kind {kind or 'unknown'}; name one", path)
    anime = "absolute" in values or any(part.lower() == b"anime" for part in path.split(b"/")[:-1])
    if "episode" in values and "show" in values:
        return "anime-tv" if anime else "tv"
    by_camera = fields.get("camera_make") or fields.get("camera_model") or _CAMERA_NAME.match(str(values["stem"]))
    if by_camera and "year" not in values and not fields.get("title"):
        return "photo"
    return "anime-movie" if anime else "movie"
