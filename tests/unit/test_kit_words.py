"""mediad_handlers.kit.words: a text of any length as tsvectors that PostgreSQL takes whole."""

from __future__ import annotations

import random

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediad_handlers.kit import words as kit
from mediadb_contract.fold import WORD_LENGTH, fold, tokens
from tests import pg


def places(part: str) -> dict[str, list[int]]:
    return {word: [int(n) for n in each.split(",")] for word, _, each in (one.rpartition(":") for one in part.split())}


def in_order(part: str) -> list[str]:
    """The words of a part by their positions."""
    return [word for _place, word in sorted((n, word) for word, each in places(part).items() for n in each)]


@given(st.text(alphabet=st.sampled_from("aé ß.\n\tø-_ก็日本ﬁ㎏,。\u0301"), max_size=300), st.integers(20, 60))
def test_slices_do_not_cut_words(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kit, "SLICE", 4 * size)
        patch.setattr(kit, "_BACK", 4 * size)
        assert "".join(kit.slices(text)) == text
        if all(len(run) < 4 * size for run in text.split()):
            assert list(kit.words(text)) == [w[:WORD_LENGTH] for w in tokens(fold(text))]


def test_words_in_their_order() -> None:
    assert list(kit.parts(kit.words("Sigur Rós – Ágætis, sigur!"))) == ["sigur:1,4 ros:2 agaetis:3"]
    assert list(kit.parts(kit.words(" \n—"))) == []
    assert list(kit.words("x" * 300)) == ["x" * WORD_LENGTH]


def test_neighbours_share_words() -> None:
    found = [f"w{n}" for n in range(40_000)]
    parts = list(kit.parts(found))
    orders = [in_order(part) for part in parts]
    assert len(parts) == 3 and all(len(order) <= kit.PART_WORDS for order in orders)
    assert orders[1][: kit.OVERLAP] == orders[0][-kit.OVERLAP :]
    assert orders[0] + orders[1][kit.OVERLAP :] + orders[2][kit.OVERLAP :] == found


def test_a_frequent_word_keeps_its_positions() -> None:
    dice = random.Random(5)
    found = [dice.choice(["the", "of", "a", f"w{dice.randrange(9000)}", f"w{n}"]) for n in range(60_000)]
    for part in kit.parts(found):
        assert max(map(len, places(part).values())) <= kit.POSITIONS
        assert len(in_order(part)) == max(n for each in places(part).values() for n in each), "no position is lost"


def test_one_word_for_ever_makes_few_parts() -> None:
    parts = list(kit.parts(["la"] * 700_000))
    assert len(parts) <= 700_000 / (kit.PART_LEAST - kit.OVERLAP) + 1


@pytest.mark.parametrize("word", ["w", "日本語", "กี่", "𐐨" * 99])
def test_postgresql_takes_every_part_whole(word: str) -> None:
    parts = list(kit.parts(f"{word}{n % 30_000:x}"[:WORD_LENGTH] if n % 9 else "the" for n in range(120_000)))
    with psycopg.connect(pg.fresh_database()) as connection:
        for part in parts:
            [(lexemes, positions)] = connection.execute(
                "SELECT length(v), (SELECT sum(array_length(u.positions, 1)) FROM unnest(v) u) "
                "FROM (SELECT %s::tsvector) x(v)",
                (part,),
            ).fetchall()
            assert (lexemes, positions) == (len(places(part)), len(in_order(part)))
