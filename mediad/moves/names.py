"""Making a name safe for the file systems it will lie on: docs/names.md, Safety.

Sources of the rules: POSIX.1-2017 3.170 (a name holds neither `/` nor NUL), NAME_MAX of Linux (255 bytes), Microsoft's
"Naming Files, Paths, and Namespaces" (reserved characters and device names, trailing dots and spaces), Unicode TR29
(grapheme clusters), TR15 (NFC).

Different names may become one here: that is no matter of a single name. `clash_key` says which ones collide, and a plan
shows them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

NAME_MAX = 255  # bytes: limits.h; on FAT, exFAT and NTFS 255 UTF-16 units, which 255 bytes of UTF-8 never exceed
REPLACEMENT = "_"
_EXTENSION_MAX = 17  # bytes with its dot: what is longer behind the last dot is no extension but a sentence

# C0, DEL, C1, line and paragraph separators, and code points that no UTF-8 has (PEP 383's stand-ins for bytes)
_CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/]")
_RESERVED = re.compile('[<>:"\\\\|?*]')
# A device name is one with any extension too, and with spaces before the dot; COM and LPT also with superscripts.
_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?= *(?:\.|$))")
_COMBINES_LEFT = "\u200d\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"  # ZWJ; skin tones


def force_utf8(name: bytes, fallbacks: tuple[str, ...] = ("cp1252", "latin-1")) -> str:
    """The text of a name that came from anywhere, always encodable as UTF-8 (the seed's force_utf8).

    Rule: a name that is valid UTF-8 is that. Any other is read whole in the first of `fallbacks` that has a character
    for each of its bytes: Windows-1252, and where 81, 8D, 8F, 90 or 9D (hex) occur, ISO 8859-1, which has one for
    every byte. A name is never read in two encodings at once. Never raises with the default fallbacks, which end in
    one that takes everything; raises UnicodeDecodeError when none of the given ones does."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as fault:
        for encoding in fallbacks:
            try:
                return name.decode(encoding)
            except UnicodeDecodeError:
                continue
        raise fault


def safe_name(name: str, *, fat: bool = True, limit: int = NAME_MAX) -> str:
    """One name made safe. What is safe already comes back unchanged, so once is enough.

    Always: NFC; `/`, NUL and control characters become `_`; no white space at either end; never empty, `.` or `..`; at
    most `limit` bytes of UTF-8, shortened before the extension and between two graphemes. With `fat` (FAT, exFAT, NTFS
    and SMB) also: `< > : " \\ | ? *` become `_`, so does a dot at the end, and a device name gets a `_` behind it.
    Raises ValueError for a limit below 32 bytes, which would leave no room for an extension."""
    if limit < 32:
        raise ValueError(f"a limit of {limit} bytes leaves no room for a name")
    name = _CONTROLS.sub(REPLACEMENT, unicodedata.normalize("NFC", name))
    if fat:
        name = _RESERVED.sub(REPLACEMENT, name)
    name = _settle(name, fat)
    if len(name.encode()) > limit:
        stem, extension = split_name(name)
        name = _settle(cut(stem, limit - len(extension.encode())).rstrip() + extension, fat)
    return name


def _settle(name: str, fat: bool) -> str:
    """Ends, device names, and names that would be none. Never longer than before, but for a device name."""
    name = unicodedata.normalize("NFC", name.strip())
    if name in ("", ".", "..") or (fat and name.endswith(".")):
        name = name[:-1] + REPLACEMENT
    if fat and (device := _DEVICE.match(name)):
        name = f"{device[0]}{REPLACEMENT}{name[device.end() :].lstrip()}"
    return name


def split_name(name: str) -> tuple[str, str]:
    """(stem, extension with its dot or empty). A dot at the start begins no extension, nor does one whose rest has a
    space or is longer than 16 bytes: `Vol. 2 of something` has none."""
    at = name.rfind(".")
    extension = name[at:]
    if at <= 0 or len(extension) < 2 or " " in extension or len(extension.encode("utf-8", "replace")) > _EXTENSION_MAX:
        return name, ""
    return name[:at], extension


def cut(text: str, limit: int) -> str:
    """The longest beginning of `text` of at most `limit` bytes of UTF-8 that ends between two graphemes; between two
    characters where a single grapheme is longer than that."""
    size = 0
    end = len(text)
    for at, character in enumerate(text):
        size += len(character.encode("utf-8", "surrogateescape"))
        if size > limit:
            end = at
            break
    else:
        return text
    whole = end
    while whole > 0 and not _is_boundary(text, whole):
        whole -= 1
    return text[: whole or end]


def _is_boundary(text: str, at: int) -> bool:
    """TR29's rules GB6 to GB13 as far as names have them: marks, joiners, skin tones, Hangul, flags."""
    before, after = text[at - 1], text[at]
    if before == "\u200d" or after in _COMBINES_LEFT or unicodedata.category(after)[0] == "M":
        return False
    if "\u1160" <= after <= "\u11ff" and ("\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3"):
        return False
    if _is_flag(before) and _is_flag(after):
        start = at
        while start > 0 and _is_flag(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 0
    return True


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def clash_key(name: str, *, fat: bool = True) -> str:
    """Names with equal keys cannot lie in one folder. FAT, exFAT and NTFS compare without regard to case, and macOS
    without regard to the normal form; case folding is wider than their own tables, so no clash is missed."""
    name = unicodedata.normalize("NFC", name)
    return unicodedata.normalize("NFC", name.casefold()) if fat else name


def copy_names(name: str, limit: int = NAME_MAX) -> Iterator[str]:
    """The names that stand in for a taken one, endlessly: `name_copy.ext`, `name_copy2.ext`, `name_copy3.ext`...

    The seed's rule: `_copy` comes before the extension, a number follows it from the second on. It is added to the name
    as it stands: a taken `a_copy.jpg` becomes `a_copy_copy.jpg`. The stem is shortened so that `limit` holds."""
    stem, extension = split_name(name)
    number = 1
    while True:
        suffix = f"_copy{number if number > 1 else ''}{extension}"
        yield cut(stem, limit - len(suffix.encode("utf-8", "surrogateescape"))).rstrip() + suffix
        number += 1
