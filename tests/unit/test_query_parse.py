"""mediad.query.parse: what a question means, and that a wrong one is told where it is wrong."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mediad.errors import QuerySyntax
from mediad.fold import fold
from mediad.query.parse import ALIASES, CHOICES, NUMBERS, STATES, parse
from mediad.query.tree import And, Choice, Not, Number, Text, Words
from mediad.store.search import Question
from mediadb_contract.fields import FIELDS

NAMES = sorted({*ALIASES, *CHOICES, *NUMBERS, *FIELDS})


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("", ()),
        ("  ", ()),
        ("Sigur Rós", (Words(("sigur", "ros")),)),
        ("ros ros", (Words(("ros",)),)),
        ("-live", (Not(Words(("live",))),)),
        ('"two words"', (Words(("two", "words")),)),
        ("artist:björk", (Text(ALIASES["artist"], ("bjork",)),)),
        ('title:"a b"', (Text(("title",), ("a", "b")),)),
        ("TITLE:x", (Text(("title",), ("x",)),)),
        ("kind:audio", (Choice("kind", ("audio",)),)),
        ("kind:Audio,IMAGE", (Choice("kind", ("audio", "image")),)),
        ("-state:missing", (Not(Choice("state", ("missing",))),)),
        ("size:>10M", (Number(("size",), 1e7, None, above=True),)),
        ("size:<=1Ki", (Number(("size",), None, 1024.0),)),
        ("duration:3:30", (Number(("duration",), 210.0, 210.0),)),
        ("duration:<1:02:03", (Number(("duration",), None, 3723.0, below=True),)),
        ("year:1990..1999", (Number(("year",), 1990.0, 1999.0),)),
        ("year:..1999", (Number(("year",), None, 1999.0),)),
        ("year:1990..", (Number(("year",), 1990.0, None),)),
        ("live kind:audio jazz", (Words(("live", "jazz")), Choice("kind", ("audio",)))),
    ],
)
def test_known(text: str, nodes: tuple[object, ...]) -> None:
    assert parse(text) == And(nodes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('live "open', 5),
        ("nofield:x", 0),
        ("a nofield:x", 2),
        ("size:big", 5),
        ("x size:10..big", 11),
        ("size:<1..2", 6),
        ("title:>x", 7),
        ("state:lost", 6),
        ("title:", 6),
        ("title:???", 6),
        ("kind:a\0b", 5),
    ],
)
def test_the_place_of_a_mistake(text: str, position: int) -> None:
    with pytest.raises(QuerySyntax) as caught:
        parse(text)
    assert caught.value.position == position
    assert caught.value.input == text.encode()


def terms() -> st.SearchStrategy[str]:
    """Texts near the grammar: fields, operators, quotes, numbers of every size, and any characters in between."""
    value = st.one_of(
        st.text(max_size=12),
        st.from_regex(r"[0-9]{1,30}(\.[0-9]{1,30})?[kKMGTi]{0,3}", fullmatch=True),
        st.from_regex(r"[0-9]{1,12}:[0-9]{1,2}(:[0-9]{1,2})?(\.[0-9]+)?", fullmatch=True),
        st.from_regex(r"[0-9]{0,5}\.\.[0-9]{0,5}", fullmatch=True),
        st.sampled_from([*STATES, "9" * 400, "9" * 5000 + ":00:00", "9" * 400 + ":00:00", "٣", "٣:٠٠", "²", "-", ".."]),
    )
    field = st.one_of(st.just(""), st.sampled_from(NAMES), st.text(max_size=8)).map(lambda name: name and name + ":")
    return st.tuples(
        st.sampled_from(["", "-", "--"]), field, st.sampled_from(["", "<", "<=", "=", ">", ">=", '"']), value,
        st.sampled_from(["", '"', " ", "\0", "\n"]),
    ).map("".join)  # fmt: skip


@settings(max_examples=600)
@given(st.lists(terms(), max_size=6).map(" ".join))
@example("duration:" + "9" * 400 + ":00:00")
@example("duration:" + "9" * 5000 + ":00:00")
@example("duration:1:00." + "9" * 5000)
@example("size:" + "9" * 400 + "T")
@example("size:9k9")
@example("size:1i")
@example("year:²")
@example("kind:\0")
@example("kind:,")
def test_nothing_but_a_syntax_error(text: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in text):
        return  # protobuf lets no surrogate through
    fault: QuerySyntax | None = None
    try:
        tree = parse(text)
    except QuerySyntax as error:
        fault = error
    if fault is not None:
        assert 0 <= fault.position <= len(text)
        assert fault.input == text.encode() and fault.message
        return
    assert isinstance(tree, And)
    for files in (False, True):  # and it has a statement, of finite numbers and text that a database takes
        statement, parameters = Question.of(tree, files).page(None, 10)
        assert statement.sql.count("$") >= len(parameters)
        for parameter in parameters:
            assert "\0" not in str(parameter)
            if isinstance(parameter, float):
                assert abs(parameter) < float("inf")


@given(st.lists(st.from_regex(r"[a-zß-ÿ]{1,8}", fullmatch=True), min_size=1, max_size=5))
def test_free_words_are_folded_as_stored_ones(words: list[str]) -> None:
    folded = tuple(dict.fromkeys(fold(" ".join(words)).split()))
    if folded:
        assert parse(" ".join(words)) == And((Words(folded),))
    else:  # ÷ is no letter: nothing can be looked for, and everything is not the answer
        with pytest.raises(QuerySyntax, match="neither letter nor digit"):
            parse(" ".join(words))


def test_a_question_without_letters_is_an_error_and_an_empty_one_is_everything() -> None:
    with pytest.raises(QuerySyntax, match="neither letter nor digit"):
        parse("!!! ???")
    assert parse("  ") == And(())
    assert parse("pink - floyd") == And((Words(("pink", "floyd")),))


@given(st.sampled_from(["kind:audio", "title:x", "-live", "size:>1k"]), st.sampled_from([" ", "  ", "\t", "\n"]))
def test_spelling_does_not_change_the_question(term: str, gap: str) -> None:
    one, two = parse(f"{term} jazz"), parse(f"{gap}{term}{gap}jazz{gap}")
    assert Question.of(one, False).digest == Question.of(two, False).digest
    assert Question.of(one, False).digest != Question.of(one, True).digest
