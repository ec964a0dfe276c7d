"""The three-way merge of a side file with what persons say: index/sidemerge."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mediad.index.sidemerge import (
    Change,
    Lost,
    Packet,
    Values,
    edit_of,
    merge,
    packet_of,
    plain,
    plain_rating,
    plain_tag,
)
from mediad.index.work import TAG_MOST, VALUE_MOST

TAGS = st.lists(st.sampled_from(["a", "b", "c", "P/a", "P/Q/b"]), unique=True).map(tuple)
SINGLE = st.sampled_from([None, "x", "y"])
VALUES = st.builds(Values, TAGS, st.sampled_from([None, 1.0, 2.5]), SINGLE, SINGLE)
TIMES = st.fixed_dictionaries({}, optional={name: st.integers(0, 9) for name in ("rating", "title", "description")})


def side_of(values: Values, known: tuple[str, ...] = ()) -> Packet:
    """A side file that says this, spelled as we spell it."""
    fields = {
        "keywords": list(dict.fromkeys(tag.rpartition("/")[2] for tag in values.tags)),
        "keyword_paths": list(values.tags), "rating": values.rating, "title": values.title,
        "description": values.description,
    }  # fmt: skip
    return packet_of(fields, frozenset((*values.tags, *known)))


def same(one: Values, other: Values) -> bool:
    return set(one.tags) == set(other.tags) and replace(one, tags=()) == replace(other, tags=())


@given(VALUES)
def test_what_was_spelled_is_read_back(values: Values) -> None:
    assert same(side_of(values).values, values)


@given(st.none() | VALUES, VALUES, VALUES, st.integers(0, 9), TIMES)
def test_both_sides_end_the_same(
    base: Values | None, there: Values, here: Values, at: int, own: dict[str, int]
) -> None:
    merged = merge(base, side_of(there), here, side_ns=at, own_ns=own)
    ours, theirs = here, there
    for change in merged.taken:
        ours = apply(ours, change)
    for change in merged.written:
        theirs = apply(theirs, change)
    assert same(ours, merged.values) and same(theirs, merged.values)
    again = merge(merged.values, side_of(merged.values), merged.values)
    assert (again.taken, again.written, again.lost) == ((), (), ())
    # The daemon may die once the side file's news is stored, with what the side file said as the base ...
    later = merge(there, side_of(there), ours, side_ns=at, own_ns=own)
    assert same(later.values, merged.values) and not later.taken and not later.lost
    # ... or once the side file is written too.
    last = merge(there, side_of(merged.values), ours, side_ns=at, own_ns=own)
    assert same(last.values, merged.values) and not (last.taken or last.written or last.lost)


def apply(values: Values, change: Change) -> Values:
    if change.field != "tag":
        assert getattr(values, change.field) == change.was
        return replace(values, **{change.field: change.now})
    tags = [tag for tag in values.tags if tag != change.was]
    return replace(values, tags=tuple(tags if change.now is None else [*tags, change.now]))


@given(VALUES, VALUES, VALUES)
def test_a_tag_goes_only_when_a_side_took_it_away(base: Values, there: Values, here: Values) -> None:
    merged = set(merge(base, side_of(there), here).values.tags)
    for tag in {*base.tags, *there.tags, *here.tags}:
        if tag in base.tags:
            assert (tag in merged) == (tag in there.tags and tag in here.tags)
        else:
            assert tag in merged


def test_of_two_values_the_later_wins() -> None:
    base, there, here = Values(rating=1.0), Values(rating=2.0), Values(rating=3.0)
    won = merge(base, side_of(there), here, side_ns=1, own_ns={"rating": 2})
    assert (won.values.rating, won.lost) == (3.0, (Lost("rating", 3.0, 2.0),))
    gone = merge(base, side_of(there), here, side_ns=2, own_ns={"rating": 1})
    assert (gone.values.rating, gone.taken, gone.lost) == (2.0, (Change("rating", 3.0, 2.0),), ())
    assert merge(None, side_of(Values()), here, side_ns=9).values.rating == 3.0, "saying nothing is no news"


def test_what_a_person_removed_before_is_no_news_of_the_side_file() -> None:
    merged = merge(None, side_of(Values(("a", "b"))), Values(), masked=frozenset("a"))
    assert (merged.values.tags, merged.written, merged.taken) == (
        ("b",), (Change("tag", "a", None),), (Change("tag", None, "b"),),
    )  # fmt: skip


def test_a_path_of_another_program_is_its_last_name() -> None:
    fields = {"keywords": ["Garda", " two  words ", "x" * (TAG_MOST + 1)], "keyword_paths": ["Places/Garda"]}
    assert packet_of(fields, frozenset()).values.tags == ("Garda", "two words")
    assert set(packet_of(fields, frozenset(["Places/Garda"])).values.tags) == {"two words", "Places/Garda"}
    assert set(packet_of(fields, frozenset(["Places/Garda", "Garda"])).values.tags) == {
        "two words", "Places/Garda", "Garda",
    }  # fmt: skip


def test_an_edit_takes_away_what_stands_there() -> None:
    side = packet_of({"keywords": ["two  words", "b"], "keyword_paths": ["P/b"]}, frozenset(["P/b"]))
    merged = merge(side.values, side, Values(("new/x",), None, "T"))
    assert edit_of(side, merged) == {
        "set": {"title": "T"}, "add": {"keywords": ["x"], "keyword_paths": ["new/x"]},
        "remove": {"keywords": ["two  words", "b"], "keyword_paths": ["P/b"]},
    }  # fmt: skip


def test_what_xml_cannot_hold() -> None:
    assert plain(" a\r\nb\rc\x0b\x00\ufffe ") == "a\nb\nc"
    assert plain_tag("a \n b") == "a b"
    assert [plain_rating(value) for value in (None, 0, 3.3000001907348633, 5)] == [None, None, 3.3, 5.0]
    long = packet_of({"description": "x" * (VALUE_MOST + 1)}, frozenset())
    merged = merge(None, long, Values(description="mine"))
    assert not merged.written and not merged.taken, "what is too long for a person's stays"


@given(VALUES)
def test_values_are_stored_whole(values: Values) -> None:
    assert Values.from_json(values.to_json()) == values
