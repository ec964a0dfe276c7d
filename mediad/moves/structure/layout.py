"""Where an archive keeps a thing: types, paths, and the README. Layout version v1 (dst/layout.go of the reference)."""

from __future__ import annotations

import re

from mediad.moves.structure.moment import Moment

# The types that the reference knows; all are images. Another one in an item's data_type makes it reject the index.
IMAGE_TYPES = frozenset({"cr2", "dng", "gif", "iiq", "jpg", "nef", "png", "psd", "raf", "tif"})
ENCODINGS = ("tar", "gz")  # behind a type: how the data is stored, jpg.gz; native without
_SYNONYMS = {"jpeg": "jpg", "jpe": "jpg", "tiff": "tif"}
_TYPE = re.compile(r"[a-z0-9]{1,16}")
HASH = re.compile(r"[0-9a-f]{40}")

INDEX_NAME = b"index.json"
README_NAME = b"README.txt"
README = """\
This folder is an archive of media files
========================================

Please do not rename, move or edit what is in it: every file is found by its place and checked by its fingerprint.

media/YYYY/YYYY-MM-DD/FINGERPRINT.TYPE    images by the day they were taken
media/Undated/FI/NG/ERPRINT.TYPE          images without a date
unknown/FI/NG/ERPRINT.TYPE                everything else
meta/FI/NG/ERPRINT.json                   what is known of each file
index.json                                every file: where it was found, where it lies here

A fingerprint is the SHA-1 of the file's bytes in hexadecimal: `sha1sum FILE` shows it. JSON files can be read with any
editor, and searched with jq. To find where a file came from, look for its fingerprint in index.json.

The format is "structure", version v1: https://github.com/recentralized/structure
"""


def type_of(name: str, file_format: str = "") -> str:
    """An archive's name for a type: by the format that was read (`jpeg`, `tiff`), else by the extension of `name`;
    lower case, `jpg` for jpeg and `tif` for tiff. Empty when the extension is none (over 16 letters and digits)."""
    said = file_format.lower()
    said = _SYNONYMS.get(said, said)
    if said in IMAGE_TYPES:
        return said
    _, dot, extension = name.rpartition(".")
    extension = extension.lower() if dot else ""
    extension = _SYNONYMS.get(extension, extension)
    # The name says an image that the content is not: the reference would believe it.
    if extension in IMAGE_TYPES and said:
        extension = said
    return extension if _TYPE.fullmatch(extension) else ""


def data_path(content_hash: str, data_type: str, created: Moment | None) -> str:
    """Where the data lies, relative. The date is that of `inherent.created`, by its own clock; a side file's moves
    nothing. Raises ValueError for a hash that is not 40 lower-case hexadecimal digits."""
    ending = f".{data_type}" if data_type else ""
    if data_type not in IMAGE_TYPES:
        return f"unknown/{_spread(content_hash)}{ending}"
    if created is None or created.is_zero:
        return f"media/Undated/{_spread(content_hash)}{ending}"
    date = created.date()
    return f"media/{date[:4]}/{date}/{_checked(content_hash)}{ending}"


def meta_path(content_hash: str) -> str:
    """Where the meta document lies, relative. Raises ValueError as above."""
    return f"meta/{_spread(content_hash)}.json"


def _spread(content_hash: str) -> str:
    _checked(content_hash)
    return f"{content_hash[:2]}/{content_hash[2:4]}/{content_hash[4:]}"


def _checked(content_hash: str) -> str:
    if not HASH.fullmatch(content_hash):
        raise ValueError(f"40 lower-case hexadecimal digits were expected, not {content_hash[:60]!r}")
    return content_hash
