"""Folded text: what search compares. Case, accents, width, ligatures and punctuation are gone.

Rule: Unicode NFKD, combining marks dropped, case folding (Unicode 3.13, default caseless matching), everything that is
neither letter, number nor mark becomes one space. The same rule folds stored values, words of a question, and the words
inside documents, which workers fold: that is why it is here, below the daemon and the handlers (settled 22).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# The seed's limit of the searchable columns: longer text is searched by its words, not by its beginning or end.
FOLDED_MAX = 255
# A word of the word index: longer ones are found by their beginning.
WORD_LENGTH = 100
# Raised by hand when `fold` or `tokens` make other words of a text: what an older rule made is extracted again.
WORDS_RULE = 1

# Letters whose plain form is not a decomposition in Unicode, as people type them.
_PLAIN = str.maketrans({
    "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŧ": "t",
    "\u0640": None,  # Arabic tatweel stretches a word, it is no letter of it
})  # fmt: skip
_GAPS = re.compile(r"[\W_]+")


def _keep_marks(gap: re.Match[str]) -> str:
    r"""Vowel signs of Indic, Thai and other scripts are marks that combine with nothing (class 0): they belong to the
    word, though Python's \w leaves them out."""
    text = gap[0]
    return " " if text.isascii() else "".join([c if unicodedata.category(c)[0] == "M" else " " for c in text])


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """Folds a text whole: `Sigur Rós – Ágætis byrjun` becomes `sigur ros agaetis byrjun`."""
    if text.isascii():
        # What remains to do for ASCII: case and punctuation.
        return _GAPS.sub(" ", text.lower()).strip()
    marked = unicodedata.normalize("NFKD", text.casefold())
    combining = unicodedata.combining
    bare = "".join([c for c in marked if not combining(c)]).casefold()
    return " ".join(_GAPS.sub(_keep_marks, bare.translate(_PLAIN)).split())


# Scripts that write words without spaces between them: Thai, Lao, Myanmar, Khmer, kana, Han (Unicode 15, blocks).
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS = re.compile(f"[{_UNSPACED}]+|[^ {_UNSPACED}]+")
_RUN = re.compile(f"[{_UNSPACED}]")


def unspaced(token: str) -> bool:
    """Whether a token is of a script that does not part its words."""
    return not token.isascii() and _RUN.match(token) is not None


def runs(folded: str) -> list[str]:
    """A folded text parted into words and into runs of scripts without spaces, in order."""
    return folded.split() if folded.isascii() else _RUNS.findall(folded)


def tokens(folded: str) -> list[str]:
    """What a folded text is indexed by, a place each: its words (their first 100 characters); a run of a script without
    spaces by every two neighbours in it and its last character, so that any part of it can be found: `東京都` gives
    `東京 京都 都`."""
    if folded.isascii():
        return [word[:WORD_LENGTH] for word in folded.split()]
    found: list[str] = []
    for run in runs(folded):
        if unspaced(run):
            found += [run[i : i + 2] for i in range(len(run))]
        else:
            found.append(run[:WORD_LENGTH])
    return found


def shorten(folded: str) -> str:
    """The searchable beginning of a folded text: at most 255 characters."""
    return folded[:FOLDED_MAX]


def reverse(folded: str) -> str:
    """The searchable end of a folded text, backward: a suffix is a prefix of it (at most 255 characters)."""
    return folded[::-1][:FOLDED_MAX]
