"""From IPTC-IIM record 2 to fields (IIM 4.2 chapter 6)."""

from __future__ import annotations

from mediad_handlers.kit.api import Record
from mediad_handlers.readers.iptc import Iptc
from mediad_handlers.readers.moment import Moment, parse_moment, put_moment

SINGLE = {
    5: ("title", "ObjectName"),
    15: ("category", "Category"),
    26: ("location", "ContentLocationName"),
    40: ("instructions", "SpecialInstructions"),
    85: ("author_title", "By-lineTitle"),
    90: ("city", "City"),
    92: ("location", "Sub-location"),
    95: ("state", "Province-State"),
    100: ("country_code", "Country-PrimaryLocationCode"),
    101: ("country", "Country-PrimaryLocationName"),
    103: ("job_id", "OriginalTransmissionReference"),
    105: ("headline", "Headline"),
    110: ("credit", "Credit"),
    115: ("source", "Source"),
    116: ("copyright", "CopyrightNotice"),
    120: ("description", "Caption-Abstract"),
}
LISTS = {
    12: ("subject_codes", "SubjectReference"),
    20: ("supplemental_categories", "SupplementalCategories"),
    25: ("keywords", "Keywords"),
    80: ("creators", "By-line"),
    122: ("contributors", "Writer-Editor"),
    135: ("languages", "LanguageIdentifier"),
}
_TAKEN = frozenset((10, 55, 60, 62, 63))


def map_iptc(record: Record, iptc: Iptc) -> None:
    """Sets what the datasets hold; what is set already stays. Dates come from `map_iptc_dates`."""
    for number, values in iptc.datasets.items():
        kept = [value for value in values if value]
        if not kept:
            continue
        if number in SINGLE:
            name, tag = SINGLE[number]
            record.put(name, kept[0], "IPTC:" + tag)
        elif number in LISTS:
            name, tag = LISTS[number]
            record.put(name, kept, "IPTC:" + tag)
        elif number == 10:
            record.put("urgency", int(kept[0]) if kept[0] in tuple("12345678") else None, "IPTC:Urgency")
        elif number not in _TAKEN:
            record.tag(f"IPTC:2:{number:02d}", [value for value in kept if value.isprintable()])


def map_iptc_dates(record: Record, iptc: Iptc) -> None:
    """DateCreated with TimeCreated, and the digital twin: CCYYMMDD and HHMMSS+HHMM."""
    for name, day, clock, source in (
        ("date_taken", 55, 60, "IPTC:DateCreated"),
        ("date_digitized", 62, 63, "IPTC:DigitalCreationDate"),
    ):
        put_moment(record, name, _moment(iptc, day, clock), source)


def _moment(iptc: Iptc, day: int, clock: int) -> Moment | None:
    date = iptc.datasets.get(day, [""])[0]
    time = iptc.datasets.get(clock, [""])[0]
    return (parse_moment(f"{date} {time}") if time else None) or parse_moment(date)
