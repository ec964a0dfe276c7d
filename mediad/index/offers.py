"""Which items may have taken the place of others on other paths: a FLAC that of an MP3, an edited picture that of its
original. Asked for one item at a time, never by a walk; a person accepts or dismisses, and neither is asked again.

Rules. A song *replaces* another: artist and title are the same as persons or files say them, the album too where both
have one, the lengths differ by 2 % at most (settled 7), the formats are not the same, and it is the better one:
lossless before lossy, then the higher bit rate. A picture is an *edit* of another: its xmpMM:OriginalDocumentID or what
it derives from (xmpMM:DerivedFrom) is the other's xmpMM:DocumentID; of two with one DocumentID, or one original, the
one written later (Adobe XMP part 2 section 1.2.4).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mediad.fold import fold, shorten
from mediad.index.identity import DURATION_SHARE
from mediad.store.search import whole_values
from mediad.store.store import Store, pack

_MOST = 200  # candidates of one item: more of one artist and title, or of one id, are no lineage
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """`new` may have taken the place of `old`. `why` is one sentence; `stored`: it is in the table, for a file that got
    another payload."""

    old: uuid.UUID
    new: uuid.UUID
    relation: str
    why: str
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an item, as persons say it, else its file."""

    stream: uuid.UUID
    present: bool
    kind: str
    format: str
    title: str  # folded
    artists: frozenset[str]  # folded
    album: str  # folded
    duration: float
    bit_rate: int
    lossless: bool
    document: str
    original: str
    derived: frozenset[str]
    mtime_ns: int


def facts_of(row: Sequence[Any]) -> Facts:
    """A row of offer_facts. Pure."""
    (stream, present, kind, form, title, artists, credit, album, duration, bit_rate, lossless, document, original,
     derived, mtime, said) = row  # fmt: skip
    own = json.loads(said) if said else {}
    named = own.get("artists") or own.get("artist")
    names = [named] if named else [*(json.loads(artists) if artists else ()), credit or ""]
    return Facts(
        stream, present, kind, form or "", _fold(own.get("title") or title or ""),
        frozenset(filter(None, map(_fold, names))), _fold(own.get("album") or album or ""), duration or 0.0,
        int(json.loads(bit_rate)) if bit_rate else 0, lossless == "true" or form in ("flac", "wav", "aiff"),
        document or "", original or "", frozenset(json.loads(derived)) if derived else frozenset(), mtime,
    )  # fmt: skip


def _fold(text: str) -> str:
    return shorten(fold(text))


def compare(one: Facts, other: Facts) -> Offer | None:
    """What one of two items may be to the other. Pure."""
    if one.kind == other.kind == "audio":
        return _compare_songs(one, other)
    if one.kind == other.kind == "image":
        return _compare_pictures(one, other)
    return None


def _compare_songs(one: Facts, other: Facts) -> Offer | None:
    same = bool(one.title) and one.title == other.title and bool(one.artists & other.artists)
    if not same or one.format == other.format or (one.album and other.album and one.album != other.album):
        return None
    longest = max(one.duration, other.duration)
    if min(one.duration, other.duration) <= 0 or abs(one.duration - other.duration) > DURATION_SHARE * longest:
        return None
    if one.lossless != other.lossless:
        better, worse = (one, other) if one.lossless else (other, one)
        why = f"the same song, {better.format} (lossless) and {worse.format}"
    elif not one.lossless and one.bit_rate != other.bit_rate and min(one.bit_rate, other.bit_rate) > 0:
        better, worse = (one, other) if one.bit_rate > other.bit_rate else (other, one)
        rates = (
            f"{better.format} at {better.bit_rate / 1000:.0f} kbit/s and {worse.format} at {worse.bit_rate / 1000:.0f}"
        )
        why = f"the same song, {rates}"
    else:
        return None
    return Offer(worse.stream, better.stream, "replaces", why) if better.present else None


def _compare_pictures(one: Facts, other: Facts) -> Offer | None:
    early, late = sorted((one, other), key=lambda each: (each.mtime_ns, each.stream))
    for new, old in ((late, early), (early, late)):
        if old.document and new.document != old.document:
            if old.document in new.derived:
                return _edit(new, old, "it derives from this picture (xmpMM:DerivedFrom)")
            if new.original == old.document:
                return _edit(new, old, "its original is this picture (xmpMM:OriginalDocumentID)")
    if one.document and one.document == other.document:
        why = "both are one document (xmpMM:DocumentID)"
    elif one.original and one.original == other.original:
        why = "both have one original (xmpMM:OriginalDocumentID)"
    else:
        return None
    return _edit(late, early, why)


def _edit(new: Facts, old: Facts, why: str) -> Offer | None:
    return Offer(old.stream, new.stream, "edit", why) if new.present else None


class Offers:
    """Looks offers up."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, stream: uuid.UUID) -> list[Offer]:
        """What an item may have taken the place of, and what may have taken its: those that are stored first, without
        those that a person has answered."""
        rows = await self._store.read("offers_stored", pack([str(stream)]))
        stored = [Offer(old, new, relation, "another payload at its path", True) for old, new, relation in rows]
        return [*stored, *await self._find(stream)]

    async def all(self) -> AsyncIterator[Offer]:
        """Every offer that would carry a person's work over."""
        for old, new, relation in await self._store.read("offers_stored", None):
            yield Offer(old, new, relation, "another payload at its path", True)
        after: uuid.UUID | None = None
        while page := await self._store.read("worked_streams", after, _PAGE, deadline=30.0):
            after = page[-1][0]
            for (stream,) in page:
                for offer in await self._find(stream):
                    if offer.old == stream:
                        yield offer

    async def _find(self, stream: uuid.UUID) -> list[Offer]:
        facts = (await self._facts([stream])).get(stream)
        if facts is None:
            return []
        found: list[tuple[Any, ...]] = []
        if facts.kind == "audio" and facts.title and facts.artists:
            asked = whole_values([("title", [facts.title]), ("artists", sorted(facts.artists))])
            found = await self._store.read("offer_songs", stream, asked, _MOST, deadline=30.0)
        elif facts.kind == "image":
            ids = {facts.document, facts.original, *facts.derived} - {""}
            if ids:
                found = await self._store.read("offer_documents", stream, pack(sorted(ids)), _MOST, deadline=30.0)
        if not found or len(found) == _MOST:
            return []
        others = await self._facts([row[0] for row in found])
        offers = [offer for each in others.values() if (offer := compare(facts, each)) is not None]
        return await self._open(offers)

    async def _facts(self, streams: Iterable[uuid.UUID]) -> dict[uuid.UUID, Facts]:
        """Of each item its first file, a present one if there is one."""
        found: dict[uuid.UUID, Facts] = {}
        for row in await self._store.read("offer_facts", pack([str(each) for each in streams]), deadline=30.0):
            found.setdefault(row[0], facts_of(row))
        return found

    async def _open(self, offers: list[Offer]) -> list[Offer]:
        if not offers:
            return []
        pairs = pack([{"a": str(each.old), "b": str(each.new)} for each in offers])
        settled = {(row[0], row[1]) for row in await self._store.read("offer_settled", pairs)}
        left = [each for each in offers if (each.old, each.new) not in settled]
        return sorted(left, key=lambda each: (str(each.old), str(each.new)))
