"""mediad.fold: what is equal to a person is equal, and once is enough."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediad.fold import FOLDED_MAX, fold, reverse, shorten

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Sigur Rós – Ágætis byrjun", "sigur ros agaetis byrjun"),
        ("AC/DC", "ac dc"),
        ("  Under_score--and...dots ", "under score and dots"),
        ("Straße STRASSE", "strasse strasse"),
        ("ﬁne ﬀ ﬆ", "fine ff st"),
        ("Ｆｕｌｌ ｗｉｄｔｈ １２", "full width 12"),
        ("Øystein Łódź Ħal đ", "oystein lodz hal d"),
        ("Ναϊάδες ΝΑΪΆΔΕΣ", "ναιαδεσ ναιαδεσ"),
        ("İstanbul ISTANBUL ıstanbul", "istanbul istanbul istanbul"),
        ("مـــرحبا", "مرحبا"),
        ("Ёлка ёлка", "елка елка"),
        ("𝐁𝐨𝐥𝐝", "bold"),
        ("", ""),
        ("???", ""),
    ],
)
def test_known(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("word", ["हिन्दी", "ที่นี่", "தமிழ்", "မြန်မာ", "ខ្មែរ"])
def test_vowel_signs_do_not_split_words(word: str) -> None:
    """Marks are neither letters nor gaps: a word of a script that writes vowels as marks stays one word."""
    assert len(fold(f"x {word} y").split()) == 3


@given(TEXT)
@example("ΐ")
@example("ᾳ ϓ ẞ ǰ")
@example("\u0345")
def test_once_is_enough(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXT)
def test_case_and_form_do_not_matter(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text)) == fold(text)
    assert fold(text.swapcase()) == fold(text.swapcase().casefold())


@given(TEXT)
def test_shape(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    assert "_" not in folded and "\0" not in folded and "'" not in folded and "%" not in folded and "\\" not in folded
    assert folded == folded.casefold()


@given(st.text(max_size=600))
def test_both_ends(folded: str) -> None:
    assert len(shorten(folded)) <= FOLDED_MAX and folded.startswith(shorten(folded))
    assert len(reverse(folded)) <= FOLDED_MAX and folded.endswith(reverse(folded)[::-1])


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_the_short_way_is_the_long_way(text: str) -> None:
    """ASCII takes a short cut: with a letter beyond ASCII beside it, the same comes out."""
    assert fold(text + " é") == f"{fold(text)} e".strip()


def test_no_locale_matters() -> None:
    """Turkish maps I to a dotless i: not here. In processes of their own, for the locale is a process's."""
    script = "from mediad.fold import fold; print(ascii(fold('TITLE I İ ı É')))"
    outputs = set()
    for name in ("C", "C.UTF-8", "tr_TR.UTF-8", "de_DE.ISO-8859-1"):
        done = subprocess.run(
            [sys.executable, "-c", script], env={"LC_ALL": name, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        outputs.add(done.stdout)
    assert outputs == {ascii("title i i i e") + "\n"}
