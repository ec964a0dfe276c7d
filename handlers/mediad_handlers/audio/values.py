"""Reading native tag values into fields: numbers, dates, positions, ratings, identifiers; several values stay apart.

A setter takes (record, field, values, source) and says whether it used the values; unused ones are kept as tags by
`map_tags`. Values are text, or numbers and booleans where the container has types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from math import isfinite
from operator import itemgetter
from typing import Any

from mediad_handlers.audio.tables import Rule
from mediad_handlers.kit.api import Record

_DATE = re.compile(r"\s*(\d{4})(?:[-/. ](\d{1,2})(?:[-/. ](\d{1,2}))?|(\d\d)(\d\d))?(?=\D|$)", re.ASCII)
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)", re.ASCII)
_NUMBER = re.compile(r"\s*([-+]?\d{1,15}(?:[.,]\d{1,15})?)", re.ASCII)
_POSITION = re.compile(r"\s*(\d{1,9})?\s*(?:(?:/|of)\s*(\d{1,9}))?\s*", re.ASCII | re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_BARE_UUID = re.compile(r"[0-9a-f]{32}", re.ASCII | re.IGNORECASE)
_GENRE_REFERENCE = re.compile(r"\((\d{1,3}|RX|CR)\)")

# ISO 639-2 (bibliographic and terminological) to the BCP 47 subtag; a language without a two-letter code keeps three.
LANGUAGES = {
    "ara": "ar", "bul": "bg", "cat": "ca", "ces": "cs", "cze": "cs", "chi": "zh", "zho": "zh", "dan": "da",
    "deu": "de", "ger": "de", "dut": "nl", "nld": "nl", "ell": "el", "gre": "el", "eng": "en", "est": "et",
    "fas": "fa", "per": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "gle": "ga", "heb": "he", "hin": "hi",
    "hrv": "hr", "hun": "hu", "ice": "is", "isl": "is", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko",
    "lat": "la", "lav": "lv", "lit": "lt", "may": "ms", "msa": "ms", "nor": "no", "nob": "nb", "nno": "nn",
    "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "slk": "sk", "slo": "sk", "slv": "sl",
    "spa": "es", "srp": "sr", "swe": "sv", "tha": "th", "tur": "tr", "ukr": "uk", "vie": "vi", "wel": "cy",
}  # fmt: skip
NO_LANGUAGE = ("und", "zxx", "xxx", "mis", "mul")  # ISO 639-2: undetermined, none, (ID3) unknown

Setter = Callable[[Record, str, list[Any], str], bool]


_Plan = dict[str, tuple[int, str, Setter]]
_plans: dict[int, _Plan] = {}


def map_tags(
    record: Record, rules: Mapping[str, Rule], native: Mapping[str, tuple[str, list[Any]]], group: str
) -> None:
    """Fills fields from `native` ({normalised key: (key as written, values)}) after `rules`, a container's of
    tables.RULES; what no rule takes, what cannot be read as its field's type, and what an earlier source outranked is
    kept in `record.tags`."""
    plan = _plans.get(id(rules)) or _make_plan(rules)
    chosen = []
    unused = []
    for key, (shown, values) in native.items():
        found = plan.get(key)
        if found is not None:
            rank, field, setter = found
            chosen.append((rank, field, key, setter, shown, values))
        else:
            unused.append(key)
    chosen.sort(key=_RANK)
    for _, field, key, setter, shown, values in chosen:
        if not setter(record, field, values, f"{group}:{shown}"):
            unused.append(key)
    if len(unused) > 1:
        left = set(unused)
        unused = [key for key in native if key in left]
    for key in unused:
        shown, values = native[key]
        record.tag(f"{group}:{shown}", values)


_RANK = itemgetter(0)


def _make_plan(rules: Mapping[str, Rule]) -> _Plan:
    """The rules with their setters looked up, once a container."""
    plan = {key: (rule.rank, rule.field, SETTERS[rule.kind]) for key, rule in rules.items()}
    _plans[id(rules)] = plan
    return plan


def read_date(value: Any) -> str | None:
    """YYYY[-MM[-DD]] at the start of `value` (ISO 8601, with / or ., or YYYYMMDD); a month or day 0 is dropped; else
    the only year that its text names ("Oct 3, 1995"); None when there is no date of the calendar."""
    return _parse_date(str(value)[:LONGEST_DATE])


LONGEST_DATE = 256  # characters in which a date is looked for


@lru_cache(1024)  # the songs of an album share theirs
def _parse_date(text: str) -> str | None:
    match = _DATE.match(text)
    if match is None:
        found = _YEAR.findall(text[:100])
        return str(found[0]) if len(set(found)) == 1 else None
    year = match[1]
    month, day = int(match[2] or match[4] or 0), int(match[3] or match[5] or 0)
    try:
        if not month:
            return str(date(int(year), 1, 1))[:4]
        return str(date(int(year), month, day or 1))[: 10 if day else 7]
    except ValueError:
        return None


def read_number(value: Any) -> float | None:
    """A finite number at the start of `value`; a comma is a decimal point."""
    if type(value) in (int, float):
        return float(value) if isfinite(value) else None
    match = _NUMBER.match(str(value))
    return float(match[1].replace(",", ".")) if match else None


def read_uuid(value: Any) -> str | None:
    text = str(value).strip()
    if _UUID.fullmatch(text):
        return text.lower()
    if _BARE_UUID.fullmatch(text):
        text = text.lower()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return None


def _texts(values: list[Any]) -> list[str]:
    if len(values) == 1 and type(values[0]) is str:
        only = values[0].strip("\0 \t\r\n")
        return [only] if only else []
    return [text for value in values if (text := str(value).strip("\0 \t\r\n"))]


def _unique(texts: list[str]) -> list[str]:
    return texts if len(texts) < 2 else list(dict.fromkeys(texts))


def _put(record: Record, field: str, value: Any, source: str) -> bool:
    if value is None or value == "" or value == [] or field in record.fields:
        return False
    record.fields[field] = value
    record.sources[field] = source
    return True


def set_text(record: Record, field: str, values: list[Any], source: str) -> bool:
    """The first value; when there are several, all of them also stay in the tags."""
    texts = _texts(values)
    return _put(record, field, texts[0] if texts else None, source) and len(texts) == 1


def set_texts(record: Record, field: str, values: list[Any], source: str) -> bool:
    return _put(record, field, _unique(_texts(values)), source)


def set_credit(record: Record, field: str, values: list[Any], source: str) -> bool:
    """A printed credit and the list of names: `artist_credit` with `artists`, `album_artist_credit` with
    `album_artists`. Several values are several names; the credit that is shown then lists them with commas."""
    texts = _unique(_texts(values))
    if not texts:
        return False
    names = "artists" if field == "artist_credit" else "album_artists"
    _put(record, names, texts, source)
    return _put(record, field, ", ".join(texts), source)


def set_integer(record: Record, field: str, values: list[Any], source: str) -> bool:
    number = read_number(values[0]) if values else None
    return _put(record, field, int(number) if number is not None and abs(number) < 1 << 62 else None, source)


def set_number(record: Record, field: str, values: list[Any], source: str) -> bool:
    number = read_number(values[0]) if values else None
    if field == "bpm" and not number:
        return False  # 0 is "not known" in every container
    return _put(record, field, number, source)


def set_position(record: Record, field: str, values: list[Any], source: str) -> bool:
    """The form "3/11" or (3, 11): a number and the total beside it. 0 means absent."""
    if not values:
        return False
    first = values[0]
    if isinstance(first, tuple):
        number, total = (int(part) for part in first[:2])
    else:
        match = _POSITION.match(str(first))
        if match is None or match.end() != len(str(first)):
            return False
        number, total = int(match[1] or 0), int(match[2] or 0)
    used = _put(record, field, number or None, source)
    return _put(record, field.replace("_number", "_total"), total or None, source) or used or not (number or total)


def set_date(record: Record, field: str, values: list[Any], source: str) -> bool:
    return _put(record, field, read_date(values[0]) if values else None, source)


def set_released(record: Record, field: str, values: list[Any], source: str) -> bool:
    if not set_date(record, field, values, source):
        return False
    year = int(record.fields[field][:4])
    record.put("release_year", year, source)
    record.put("year", year, source)
    return True


def set_time(record: Record, field: str, values: list[Any], source: str) -> bool:
    """An ISO 8601 time; without a zone it is UTC, as the iTunes Store writes it."""
    try:
        moment = datetime.fromisoformat(str(values[0]).strip())
    except (ValueError, IndexError):
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _put(record, field, moment.timestamp(), source)


def set_flag(record: Record, field: str, values: list[Any], source: str) -> bool:
    """Only a set flag is stated: "0" is what taggers write when nobody said anything."""
    if not values:
        return False
    first = values[0]
    truth = first if type(first) is bool else str(first).strip().lower() in ("1", "true", "yes")
    return _put(record, field, True, source) if truth else True


def set_decibels(record: Record, field: str, values: list[Any], source: str) -> bool:
    """The form "-6.20 dB" (ReplayGain 2.0, metadata format)."""
    return set_number(record, field, values, source)


def set_uuid(record: Record, field: str, values: list[Any], source: str) -> bool:
    return _put(record, field, read_uuid(values[0]) if values else None, source)


def set_uuids(record: Record, field: str, values: list[Any], source: str) -> bool:
    """All UUIDs of all values: ID3v2.3 writers join them with "/", where nothing is ambiguous."""
    found = [one.lower() for value in values for one in _UUID.findall(str(value))]
    return _put(record, field, list(dict.fromkeys(found)), source)


def set_url(record: Record, field: str, values: list[Any], source: str) -> bool:
    texts = _texts(values)
    usable = bool(texts) and not any(character <= " " for character in texts[0])
    return usable and _put(record, field, texts[0], source)


def set_languages(record: Record, field: str, values: list[Any], source: str) -> bool:
    """ISO 639-2 codes become BCP 47 subtags; other text stays as it is; "und" and its like are absent."""
    found = []
    for text in _texts(values):
        code = text.lower()
        if code not in NO_LANGUAGE:
            found.append(LANGUAGES.get(code, code if len(code) <= 3 else text))
    return _put(record, field, list(dict.fromkeys(found)), source)


def set_genres(record: Record, field: str, values: list[Any], source: str) -> bool:
    """Names, with ID3v1 numbers expanded: "17", "(17)", "(17)Rock", "(51)(39)" (ID3v2.3.0 section 4.2.1, TCON)."""
    texts = _texts(values)
    found = _name_genres(texts[0]) if len(texts) == 1 and len(texts[0]) <= 100 else _list_genres(texts)
    return _put(record, field, list(found), source)


@lru_cache(1024)
def _name_genres(text: str) -> tuple[str, ...]:
    return tuple(_list_genres([text]))


def _list_genres(texts: list[str]) -> list[str]:
    found: list[str] = []
    for text in texts:
        while (match := _GENRE_REFERENCE.match(text)) is not None:
            found.append(name_genre(match[1]))
            text = text[match.end() :]
        text = text[1:] if text.startswith("((") else text
        if text:
            found.append(name_genre(text))
    return list(dict.fromkeys(filter(None, found)))


def name_genre(text: str) -> str:
    if text in ("RX", "CR"):
        return "Remix" if text == "RX" else "Cover"
    if not (text.isascii() and text.isdigit()):
        return text
    from mutagen._constants import GENRES

    number = int(text) if len(text) <= 3 else len(GENRES)
    if number == 255:
        return ""  # ID3v1: no genre
    return str(GENRES[number]) if number < len(GENRES) else text


def set_rating(record: Record, field: str, values: list[Any], source: str) -> bool:
    """0-5, by the scale that the source uses: FMPS_RATING and RATING:user 0-1, WM/SharedUserRating 0-99, RATING 0-5 or
    0-100. 0 is "not rated"."""
    number = read_number(values[0]) if values else None
    if not number or number < 0 or number > 100:
        return False
    key = source.upper()
    if "FMPS_" in key or "RATING:" in key.partition(":")[2]:
        stars = number * 5 if number <= 1 else number
    elif "SHAREDUSERRATING" in key:
        stars = 1 + round(number / 25)
    else:
        stars = number if number <= 5 else number / 20
    return _put(record, field, min(stars, 5.0), source)


def set_advisory(record: Record, field: str, values: list[Any], source: str) -> bool:
    """iTunes: 1 (formerly 4) explicit, 2 clean, 0 nothing said."""
    meaning = {"1": "explicit", "4": "explicit", "2": "clean"}.get(str(values[0]).strip() if values else "")
    return _put(record, field, meaning, source)


MEDIA_TYPES = {
    0: "home_video", 1: "music", 2: "audiobook", 6: "music_video", 9: "movie", 10: "tv", 11: "booklet",
    14: "ringtone", 21: "podcast", 23: "itunes_u",
}  # fmt: skip


def set_media_type(record: Record, field: str, values: list[Any], source: str) -> bool:
    """iTunes `stik`."""
    return _put(record, field, MEDIA_TYPES.get(values[0]) if values else None, source)


SETTERS: dict[str, Setter] = {
    "text": set_text, "texts": set_texts, "credit": set_credit, "integer": set_integer, "number": set_number,
    "position": set_position, "date": set_date, "released": set_released, "time": set_time, "flag": set_flag,
    "decibels": set_decibels, "uuid": set_uuid, "uuids": set_uuids, "url": set_url, "languages": set_languages,
    "genres": set_genres, "rating": set_rating, "advisory": set_advisory, "media_type": set_media_type,
}  # fmt: skip
