"""Answers that are remembered (mediad.commands.memory)."""

from __future__ import annotations

from mediad.commands.memory import Answers


def test_an_answer_holds_while_nothing_changed() -> None:
    answers = Answers()
    assert answers.get(b"a", "1") == ()
    answers.keep(b"a", "1", [b"x", b"y"])
    assert answers.get(b"a", "1") == (b"x", b"y")
    assert answers.get(b"b", "1") == ()
    assert answers.get(b"a", "2") == ()
    assert answers.get(b"a", "1") == (), "what was once overtaken does not come back"


def test_the_oldest_go_first() -> None:
    answers = Answers(most=10)
    answers.keep(b"a", "1", [b"1234"])
    answers.keep(b"b", "1", [b"1234"])
    assert answers.get(b"a", "1")
    answers.keep(b"c", "1", [b"1234"])
    assert answers.get(b"b", "1") == () and answers.get(b"a", "1") and answers.get(b"c", "1")
    answers.keep(b"c", "2", [b"12", b"123456789"])
    assert not answers.fits([b"12", b"123456789"]) and answers.get(b"c", "2") == () == answers.get(b"c", "1")
    answers.keep(b"a", "2", [b"12345"])
    assert answers.get(b"a", "2") == (b"12345",)
