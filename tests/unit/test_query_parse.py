"""mediad.query: what a question means, and that a wrong one is told where it is wrong."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mediad.errors import QuerySyntax
from mediad.fold import fold
from mediad.query import lexemes
from mediad.query.clock import back, instants, period
from mediad.query.names import ALIASES, STATES, known, near
from mediad.query.parse import parse
from mediad.query.tree import (
    Ago,
    And,
    Below,
    Choice,
    Content,
    Count,
    Date,
    Flag,
    Folder,
    Has,
    InCollection,
    Match,
    Moment,
    Near,
    Node,
    Not,
    Number,
    Or,
    Part,
    Path,
    Query,
    Saved,
    Sort,
    Starred,
)  # fmt: skip
from mediad.query.values import pattern, regular
from mediad.store.pages import Question

NOW = datetime(2026, 11, 21, 12, 30, 15)


def word(text: str) -> Part:
    return Part(text, end=True)


def free(*texts: str) -> Match:
    return Match(None, tuple(Part(text, end=number == len(texts) - 1) for number, text in enumerate(texts)))


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("", And(())),
        ("  ", And(())),
        ("*", And(())),
        ("Sigur Rós", And((free("sigur"), free("ros")))),
        ("ros ros", free("ros")),
        ("AC/DC", free("ac", "dc")),
        ("pink - floyd", And((free("pink"), free("floyd")))),
        ("-live", Not(free("live"))),
        ("not live", Not(free("live"))),
        ("--live", free("live")),
        ('"two words"', Match(None, (Part("two"), Part("words")))),
        ('"two wor*"', Match(None, (Part("two"), Part("wor", end=True)))),
        ("*wall", Match(None, (Part("wall", start=True),))),
        ("*all*", Match(None, (Part("all", start=True, end=True),))),
        ("東京", Match(None, (Part("東京", start=True, end=True),))),
        ("abc東京", Match(None, (Part("abc"), Part("東京", end=True)))),
        ("artist:björk", Match(ALIASES["artist"], (word("bjork"),))),
        ('title:"a b"', Match(("title",), (Part("a"), Part("b")))),
        ("title=Army", Match(("title",), (Part("army"),), whole=True)),
        ("title != Army", Not(Match(("title",), (Part("army"),), whole=True))),
        ("TITLE:x", Match(("title",), (word("x"),))),
        ("title ~ x", Match(("title",), (word("x"),))),
        ("kind:audio", Choice("kind", ("audio",))),
        ("kind:Audio,IMAGE", Choice("kind", ("audio", "image"))),
        ("type = rawImage", Choice("kind", ("image",))),
        ("-state:missing", Not(Choice("state", ("missing",)))),
        ("size:>10M", Number(("size",), 1e7, None, above=True)),
        ("size > 10M", Number(("size",), 1e7, None, above=True)),
        ("filesize >= 1", Number(("size",), 1.0, None)),
        ("size:<=1Ki", Number(("size",), None, 1024.0)),
        ("duration:3:30", Number(("duration",), 210.0, 210.0)),
        ("duration:<1:02:03", Number(("duration",), None, 3723.0, below=True)),
        ("exposure_time:1/250", Number(("exposure_time",), 0.004, 0.004)),
        ("year:1990..1999", Number(("year",), 1990.0, 1999.0)),
        ("year:..1999", Number(("year",), None, 1999.0)),
        ("year:1990..", Number(("year",), 1990.0, None)),
        ("year in [1990:1999]", Number(("year",), 1990.0, 1999.0)),
        ("rating >= 4", Number(("rating",), 4.0, None)),
        ("genre in (rock, \"new wave\")", Or((
            Match(("genres",), (Part("rock"),), whole=True),
            Match(("genres",), (Part("new"), Part("wave")), whole=True)))),
        ("tag all in (a, b)", And((
            Match(("user_tags",), (Part("a"),), whole=True), Match(("user_tags",), (Part("b"),), whole=True)))),
        ("count(tags) >= 2", Count("tag", 2.0, None)),
        ("exists(tag)", Has(("user_tags",))),
        ("has:gps", Has(("latitude",))),
        ("missing:title", Not(Has(("title",)))),
        ("title:*", Has(("title",))),
        ("copies:<2", Count("copies", None, 2.0, below=True)),
        ("date:2019-07", Date(("date",), "2019-07", "2019-07")),
        ("date:>=2019", Date(("date",), "2019", None)),
        ("date_taken:2019", Date(("date_taken_local",), "2019", "2019")),
        ("added:-7d", Moment("added", Ago(7, "d"), None)),
        ("added:<-7d", Moment("added", None, Ago(7, "d"), below=True)),
        ("added:today", Moment("added", Ago(0, "d", day=True), Ago(0, "d", day=True))),
        ("near:48.85,2.35,5km", Near(48.85, 2.35, 5000.0)),
        ("near:48.85,2.35", Near(48.85, 2.35, 1000.0)),
        ("path:/srv/music/", Path(b"/srv/music")),
        ("path:live", Or((Folder((word("live"),)), Match(("filename",), (word("live"),))))),
        ("folder:live", Folder((word("live"),))),
        ("text:whale", Content((word("whale"),))),
        ("starred:no", Not(Starred())),
        ("compilation:yes", Flag("compilation", True)),
        ("collection:trip", InCollection("collection", (word("trip"),))),
        ("saved:\"My List\"", Saved("my list", 7)),
        ("live kind:audio jazz", And((free("live"), Choice("kind", ("audio",)), free("jazz")))),
        ("a or b c", Or((free("a"), And((free("b"), free("c")))))),
        ("(a or b) c", And((Or((free("a"), free("b"))), free("c")))),
        ("a and not (b or c)", And((free("a"), Not(Or((free("b"), free("c"))))))),
        ('"and" "or"', And((Match(None, (Part("and"),)), Match(None, (Part("or"),))))),
    ],
)  # fmt: skip
def test_known(text: str, node: Node) -> None:
    assert parse(text) == Query(node)


def test_sort_and_limit() -> None:
    assert parse("x sort:-date,title limit:5") == Query(free("x"), (Sort("date", True), Sort("title")), 5)
    assert parse("order by filesize desc") == Query(And(()), (Sort("size", True),))


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
        ("( a", 0),
        ("a )", 2),
        ("a or", 4),
        ("and a", 0),
        ("a or or b", 5),
        ("not", 3),
        ("()", 1),
        ("a*b", 0),
        ("date:2019-13", 5),
        ("date:2019-02-30", 5),
        ("near:91,0", 5),
        ("near:0,181", 7),
        ("near:0,0,far", 9),
        ("sort:colour", 5),
        ("limit:0", 6),
        ("-limit:5", 0),
        ("starred:maybe", 8),
        ("genre in (a", 10),
        ("year in [1]", 8),
        ("md5:xyz", 4),
        ("id:7", 3),
        ("tag:>x", 5),
        ("lyrics:x", 0),
        ("x or " * 140 + "x", 640),
        ("(" * 60, 51),
    ],
)
def test_the_place_of_a_mistake(text: str, position: int) -> None:
    with pytest.raises(QuerySyntax) as caught:
        parse(text)
    assert caught.value.position == position
    assert caught.value.input == text.encode()


def test_names_near_a_mistake() -> None:
    assert "artist" in near("artst") and "title" in near("titel")
    assert all(parse(f"has:{name}") for name in known() if name in ("title", "gps", "iso", "rating", "tag"))


def terms() -> st.SearchStrategy[str]:
    """Texts near the grammar: fields, operators, quotes, numbers of every size, and any characters in between."""
    value = st.one_of(
        st.text(max_size=12),
        st.from_regex(r"[0-9]{1,30}(\.[0-9]{1,30})?[kKMGTi]{0,3}", fullmatch=True),
        st.from_regex(r"[0-9]{1,12}:[0-9]{1,2}(:[0-9]{1,2})?(\.[0-9]+)?", fullmatch=True),
        st.from_regex(r"[0-9]{0,5}\.\.[0-9]{0,5}", fullmatch=True),
        st.from_regex(r"-?[0-9]{1,5}[hdwmy]|[0-9]{4}(-[0-9]{2}){0,2}", fullmatch=True),
        st.sampled_from([*STATES, "9" * 400, "9" * 5000 + ":00:00", "9" * 400 + ":00:00", "٣", "٣:٠٠", "²", "-", "..",
                         "-9999y",
                         "today", "(a, b)", "[1:2]", "48,2,5km", "0000", "9999-12-31", "東京", "*x*", "/", "/a/../b"]),
    )  # fmt: skip
    field = st.one_of(st.just(""), st.sampled_from(known()), st.text(max_size=8)).map(lambda name: name and name + ":")
    return st.tuples(
        st.sampled_from(["", "-", "--", "(", "not ", "or ", "count(", "exists("]), field,
        st.sampled_from(["", "<", "<=", "=", ">", ">=", '"', "!=", "~", "in "]), value,
        st.sampled_from(["", '"', " ", "\0", "\n", ")"]),
    ).map("".join)  # fmt: skip


@settings(max_examples=800)
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
@example("date:0000")
@example("added:9999-12-31")
@example("modified:<-99999y")
@example("near:90,180,999999km")
def test_nothing_but_a_syntax_error(text: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in text):
        return  # protobuf lets no surrogate through
    fault: QuerySyntax | None = None
    try:
        query = parse(text)
    except QuerySyntax as error:
        fault = error
    if fault is not None:
        assert 0 <= fault.position <= len(text)
        assert fault.input == text.encode() and fault.message
        return
    if _names_others(query.tree):
        return
    for files in (False, True):  # and it has a statement, of finite numbers and text that a database takes
        statement, parameters = question(query, files=files).page(None, 10)
        assert statement.sql.count("$") >= len(parameters)
        for parameter in parameters:
            assert "\0" not in str(parameter)
            if isinstance(parameter, float):
                assert abs(parameter) < float("inf")


class _AnyWord(dict[Part, tuple[str, ...] | None]):
    """Every part with an open beginning stands for one word."""

    def __missing__(self, part: Part) -> tuple[str, ...]:
        return ("x" + part.text,)


def question(query: Query, *, files: bool = False) -> Question:
    return Question.of(query, files, "", NOW, _AnyWord(), query.tree)


def _names_others(node: Node) -> bool:
    """Whether something must be looked up before there is a statement."""
    if isinstance(node, And | Or):
        return any(_names_others(each) for each in node.nodes)
    if isinstance(node, Not):
        return _names_others(node.node)
    return isinstance(node, Path | Folder | Saved | Below)


@given(st.lists(st.from_regex(r"[a-zß-ÿ]{1,8}", fullmatch=True), min_size=1, max_size=5))
def test_free_words_are_folded_as_stored_ones(words: list[str]) -> None:
    if any(each in ("and", "or", "not") for each in words):
        return
    nodes: list[Node] = []
    for each in words:
        folded = fold(each).split()
        if folded and free(*folded) not in nodes:
            nodes.append(free(*folded))
    if nodes:
        assert parse(" ".join(words)).tree == (nodes[0] if len(nodes) == 1 else And(tuple(nodes)))


def test_a_question_without_letters_is_an_error_and_an_empty_one_is_everything() -> None:
    with pytest.raises(QuerySyntax, match="neither letter nor digit"):
        parse("!!! ???")
    assert parse("  ") == Query(And(()))


@given(st.sampled_from(["kind:audio", "title:x", "-live", "size:>1k"]), st.sampled_from([" ", "  ", "\t", "\n"]))
def test_spelling_does_not_change_the_question(term: str, gap: str) -> None:
    one, two = parse(f"{term} jazz"), parse(f"{gap}{term}{gap}jazz{gap}")
    assert question(one).digest == question(two).digest
    assert question(one).digest != question(one, files=True).digest


@pytest.mark.parametrize(
    ("asked", "has", "lacks"),
    [
        ("live", ["live", "alive live", "live at home"], ["alive", "lively"]),
        ("live*", ["lively", "a lively one"], ["alive"]),
        ("*live", ["alive", "live"], ["lively"]),
        ("*live*", ["enlivened"], ["love"]),
        ("big trip", ["my big trip"], ["big trips", "trip big"]),
        ("京都", ["東京都の", "west 京都"], ["京 都x都"]),
        ("west東京", ["west東京", "west 東京都"], ["east東京"]),
        ("*", ["", "anything at all"], []),
    ],
)
def test_a_pattern_as_a_regular_expression(asked: str, has: list[str], lacks: list[str]) -> None:
    parts = pattern(asked, asked, 0, quoted=True)
    assert all(re.search(regular(parts, False), text) for text in has)
    assert not any(re.search(regular(parts, False), text) for text in lacks)
    assert re.search(regular(parts, True), asked.replace("*", "")), "the whole of itself"
    assert asked == "*" or not re.search(regular(parts, True), f"x {asked.replace('*', '')} y")


# ------------------------------------------------------------------ digits


NUMBERS = st.one_of(
    st.floats(-1e12, 1e12), st.integers(-(10**6), 10**15).map(float), st.floats(1e-9, 1e-3),
    st.sampled_from([0.0, 1e30, -5.5, 4e-103, 1e-93, 1e93])
)  # fmt: skip


@settings(max_examples=2000)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_digits_decide_all_but_the_bounds(a: float, b: float, value: float) -> None:
    low, high = min(a, b), max(a, b)
    for first, last in ((low, high), (None, high), (low, None), (None, None)):
        certain, doubtful = lexemes.between(first, last)
        digits = lexemes.number(value)
        inside = (first is None or value >= first) and (last is None or value <= last)
        sure = any(digits.startswith(each) for each in certain)
        assert not sure or inside
        assert not inside or sure or digits in doubtful


@given(st.integers(0, 999_999), st.integers(0, 999_999), st.integers(0, 999_999))
def test_prefixes_cover_a_range_exactly(a: int, b: int, value: int) -> None:
    low, high = min(a, b), max(a, b)
    found = [each for each in lexemes.cover(low, high, 6) if f"{value:06d}".startswith(each)]
    assert len(found) == (low <= value <= high), "each number has one prefix at most"


def test_every_field_has_a_sign_of_its_own() -> None:
    signs = [lexemes.sign(number) for number in range(1, 1104)]
    assert len(set(signs)) == len(signs)
    assert all(len(sign) == 2 and sign[0] < "0" and not set(sign) & set("'\\ ") for sign in signs)
    with pytest.raises(ValueError, match="no sign"):
        lexemes.sign(1104)


# ------------------------------------------------------------------ dates


def test_back() -> None:
    assert back(Ago(1, "m"), datetime(2026, 3, 31)) == datetime(2026, 2, 28)
    assert back(Ago(1, "y"), datetime(2024, 2, 29)) == datetime(2023, 2, 28)
    assert back(Ago(99999, "y"), NOW).year == 1 and back(Ago(99999, "w"), NOW).year >= 1


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2019", "2019-01-01T00:00:00", "2020-01-01T00:00:00"),
        ("2019-12", "2019-12-01T00:00:00", "2020-01-01T00:00:00"),
        ("2020-02-29", "2020-02-29T00:00:00", "2020-03-01T00:00:00"),
        ("2019-07-14T10", "2019-07-14T10:00:00", "2019-07-14T11:00:00"),
        ("2019-07-14T10:30", "2019-07-14T10:30:00", "2019-07-14T10:31:00"),
        ("2016-12-31T23:59:60", "2016-12-31T23:59:59", "2017-01-01T00:00:00"),
    ],
)
def test_periods(text: str, start: str, end: str) -> None:
    assert period(text, NOW) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


def test_instants_follow_each_other() -> None:
    def bounds(text: str) -> tuple[int | None, int | None]:
        node = parse(f"added:{text}").tree
        assert isinstance(node, Moment)
        return instants(node, NOW)

    low, high = bounds("2019-07")
    assert low is not None and high is not None and high - low == 31 * 86_400 * 10**9
    assert bounds("<2019-07") == (None, low) and bounds(">2019-07") == (high, None)
    assert bounds(">=2019-07") == (low, None) and bounds("<=2019-07") == (None, high)
