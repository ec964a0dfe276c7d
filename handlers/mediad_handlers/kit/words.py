"""The words of a text as PostgreSQL indexes them: folded, in their order, in parts that a tsvector can hold.

Limits of a tsvector (PostgreSQL manual, "Text Search Limitations"): 1 MiB of lexemes and positions, positions up to
16,383, 256 positions a lexeme. What exceeds them is cut off without a word, and phrases with it; so a text is parted
before it does. Neighbours share OVERLAP words: a phrase of up to OVERLAP + 1 words stands whole in one of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from mediadb_contract.fold import WORD_LENGTH, fold, tokens

PART_WORDS = 16_000  # positions end at 16,383
PART_BYTES = 200_000  # of lexemes, positions not counted: five times below the limit
PART_LEAST = 1_024  # words: what is more than every fourth of them loses positions, rather than part a text for ever
POSITIONS = 255  # of one lexeme
OVERLAP = 15  # words
SLICE = 32_768  # characters folded at a time: a text of some MB in one piece would cost ten times as much memory
_BACK = 4_096  # characters, within which a place between two words is looked for
_GAP = re.compile(r"\s")


def slices(text: str) -> Iterator[str]:
    """The text in pieces of about SLICE characters, cut where a word ends."""
    start = 0
    while start < len(text):
        end = _end(text, start)
        yield text[start:end]
        start = end


def _end(text: str, start: int) -> int:
    end = start + SLICE
    if end >= len(text):
        return len(text)
    for place in range(end, end - _BACK, -1):
        if _GAP.match(text, place - 1):
            return place
    # Scripts without spaces: punctuation is a gap to the fold, wherever it stands.
    for place in range(end, end - _BACK, -1):
        if unicodedata.category(text[place - 1])[0] == "P":
            return place
    return end


def words(text: str) -> Iterator[str]:
    """The folded words of a text, in their order, each cut to WORD_LENGTH characters."""
    for piece in slices(text):
        # Past the cache: no text is seen twice, and it would keep thousands of these pieces.
        for word in tokens(fold.__wrapped__(piece)):
            yield word[:WORD_LENGTH]


def parts(found: Iterable[str]) -> Iterator[str]:
    """Words as tsvectors in their text form, `word:1,7 other:2`; positions count from 1 in each."""
    part = _Part()
    for word in found:
        if part.is_full(word):
            yield part.text()
            part = _Part(part.last)
        part.add(word)
    if part.count:
        yield part.text()


class _Part:
    """A tsvector in the making. `before`: words that it shares with the one before it."""

    def __init__(self, before: Iterable[str] = ()) -> None:
        self.count = 0
        self.last: list[str] = []
        self._places: dict[str, list[int]] = {}
        self._bytes = 0
        for word in before:
            self.add(word)

    def is_full(self, word: str) -> bool:
        """Whether `word` belongs into the next one."""
        if self.count >= PART_WORDS or self._bytes >= PART_BYTES:
            return True
        return self.count >= PART_LEAST and len(self._places.get(word, ())) >= POSITIONS

    def add(self, word: str) -> None:
        self.count += 1
        places = self._places.get(word)
        if places is None:
            places = self._places[word] = []
            self._bytes += len(word.encode())
        if len(places) < POSITIONS:
            places.append(self.count)
        self.last.append(word)
        if len(self.last) > OVERLAP:
            del self.last[0]

    def text(self) -> str:
        # Folded words are letters, numbers and marks: nothing in them has to be quoted.
        return " ".join(f"{word}:{','.join(map(str, places))}" for word, places in self._places.items())
