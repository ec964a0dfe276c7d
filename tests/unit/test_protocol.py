"""mediad.workers.protocol: any legal dialogue is taken, and none that was tampered with."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediad.model import Answer
from mediad.workers.protocol import Exchange, Garbage, pack_request, parse_manifest

NUMBER = 7
OK = st.fixed_dictionaries({"ok": st.dictionaries(st.text(max_size=4), st.integers(0, 1 << 40), max_size=2)})
ERROR = st.sampled_from(["unsupported", "corrupt", "io", "limit", "internal"]).map(
    lambda code: {"error": {"code": code, "message": "m", "hint": "h"}}
)
# Of each file: reports of progress, then its answer.
FILES = st.lists(st.tuples(st.lists(st.integers(0, 1 << 62), max_size=3), st.one_of(OK, ERROR)), min_size=1, max_size=6)

Messages = list[dict[str, Any]]


def dialogue(files: list[tuple[list[int], dict[str, Any]]]) -> Messages:
    """A legal dialogue of these files."""
    messages: Messages = []
    for i, (reports, answer) in enumerate(files):
        head = {"id": NUMBER, "i": i}
        messages.append({**head, "begin": True})
        messages += [{**head, "progress": done} for done in reports]
        messages.append({**head, **answer})
    return messages


def play(messages: Messages, count: int) -> tuple[Exchange, list[tuple[int, Answer]], list[tuple[int, int]]]:
    answers: list[tuple[int, Answer]] = []
    reports: list[tuple[int, int]] = []
    exchange = Exchange(NUMBER, count, lambda i, a: answers.append((i, a)), lambda i, n: reports.append((i, n)))
    for message in messages:
        exchange.receive(msgpack.unpackb(msgpack.packb(message), strict_map_key=False))
    return exchange, answers, reports


@given(FILES)
def test_legal(files: list[tuple[list[int], dict[str, Any]]]) -> None:
    exchange, answers, reports = play(dialogue(files), len(files))
    assert exchange.done and [i for i, _ in answers] == list(range(len(files)))
    assert reports == [(i, done) for i, (each, _) in enumerate(files) for done in each]
    for (_, answer), (_, said) in zip(answers, files, strict=True):
        assert (answer.ok == said["ok"]) if "ok" in said else (answer.code == said["error"]["code"])
        assert not answer.died


@given(FILES, st.data())
def test_a_begun_file_is_the_one_to_blame(files: list[tuple[list[int], dict[str, Any]]], data: st.DataObject) -> None:
    """Wherever the worker dies: every answered file has its answer, and at most one was begun beyond."""
    messages = dialogue(files)
    cut = data.draw(st.integers(0, len(messages)))
    exchange, answers, _ = play(messages[:cut], len(files))
    assert exchange.answered == len(answers)
    assert exchange.begun in (exchange.answered - 1, exchange.answered)
    assert exchange.done == (cut == len(messages))


def tamper(messages: Messages, at: int, how: str) -> Messages | None:
    """The dialogue with one fault; None where that fault does not apply to this message."""
    message = messages[at]
    answer = "ok" in message or "error" in message
    before, after = messages[:at], messages[at + 1 :]
    changed: dict[str, Messages | None] = {
        "wrong id": [{**message, "id": NUMBER + 1}],
        "no id": [{key: value for key, value in message.items() if key != "id"}],
        "index ahead": [{**message, "i": message["i"] + 1}],
        "index behind": [{**message, "i": message["i"] - 1}],
        "index text": [{**message, "i": str(message["i"])}],
        "no index": [{key: value for key, value in message.items() if key != "i"}],
        "begun twice": [message, message] if "begin" in message else None,
        "begin left out": [] if "begin" in message else None,
        "answered twice": [message, message] if answer else None,
        "answer left out": [] if answer and after else None,
        "empty answer": [{"id": NUMBER, "i": message["i"]}] if answer else None,
        "ok of a wrong type": [{"id": NUMBER, "i": message["i"], "ok": [1]}] if answer else None,
        "unknown code": [{"id": NUMBER, "i": message["i"], "error": {"code": "strange"}}] if answer else None,
        "progress text": [{**message, "progress": "much"}] if "progress" in message else None,
        "progress bool": [{**message, "progress": True}] if "progress" in message else None,
        "progress negative": [{**message, "progress": -1}] if "progress" in message else None,
        "progress before begin": (
            [{"id": NUMBER, "i": message["i"], "progress": 1}, message] if "begin" in message else None
        ),
        "one too many": [message, {"id": NUMBER, "i": message["i"] + 1, "begin": True}] if not after else None,
    }
    put = changed[how]
    return None if put is None else before + put + after


FAULTS = ("wrong id", "no id", "index ahead", "index behind", "index text", "no index", "begun twice",
          "begin left out", "answered twice", "answer left out", "empty answer", "ok of a wrong type", "unknown code",
          "progress text", "progress bool", "progress negative", "progress before begin", "one too many")  # fmt: skip


@pytest.mark.parametrize("how", FAULTS)
@given(files=FILES, data=st.data())
def test_tampered(how: str, files: list[tuple[list[int], dict[str, Any]]], data: st.DataObject) -> None:
    if how.startswith("progress"):
        files = [([5], {"ok": {}}), *files]
    if how == "answer left out":
        files = [*files, ([], {"ok": {}})]
    messages = dialogue(files)
    possible = [put for at in range(len(messages)) if (put := tamper(messages, at, how)) is not None]
    changed = data.draw(st.sampled_from(possible))
    with pytest.raises(Garbage):
        play(changed, len(files))


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 64) - 1), st.text(), st.binary()),
                    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner))))  # fmt: skip
def test_anything_else_is_garbage(message: Any) -> None:
    exchange = Exchange(NUMBER, 1, lambda i, a: None)
    with pytest.raises(Garbage):
        exchange.receive(message)


def test_a_long_message_is_cut() -> None:
    exchange = Exchange(NUMBER, 1, lambda i, a: seen.append(a))
    seen: list[Answer] = []
    exchange.receive({"id": NUMBER, "i": 0, "begin": True})
    exchange.receive({"id": NUMBER, "i": 0, "error": {"code": "io", "message": "x" * 10_000}})
    assert seen[0].code == "io" and len(seen[0].message) == 500


def test_a_request_is_what_the_contract_says() -> None:
    packed = msgpack.unpackb(pack_request(3, "read", [{"name": b"\xff.mp3"}], {"scope": "file"}))
    assert packed == {"id": 3, "op": "read", "files": [{"name": b"\xff.mp3"}], "options": {"scope": "file"}}


GOOD = {"contract": 1, "application": "a", "version": "1", "descriptors": True, "sandbox": "s",
        "handlers": [{"name": "h", "version": 2, "extensions": ["MP3"], "kinds": ["audio"], "operations": ["read"],
                      "fields": ["title"]}]}  # fmt: skip


def test_manifest() -> None:
    manifest = parse_manifest(GOOD)
    assert manifest.handlers[0].extensions == ("mp3",) and manifest.descriptors
    assert not parse_manifest({**GOOD, "descriptors": False}).descriptors


@pytest.mark.parametrize(
    "change",
    [{"contract": 2}, {"contract": None}, {"application": 5}, {"handlers": []}, {"handlers": None}, {"handlers": [5]},
     {"handlers": [{"name": "x"}]}, {"handlers": [{"name": "x", "version": 1, "kinds": "audio"}]},
     {"handlers": [{"name": "x", "version": 1, "extensions": [1]}]},
     {"handlers": [{"name": "x", "version": 1, "operations": 5}]}],
)  # fmt: skip
def test_no_manifest(change: dict[str, Any]) -> None:
    with pytest.raises(Garbage):
        parse_manifest({**GOOD, **change})


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 64) - 1), st.text()),
                    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner))))  # fmt: skip
def test_no_manifest_at_all(message: Any) -> None:
    with pytest.raises(Garbage):
        parse_manifest(message)


def test_pieces_come_before_the_answer_and_only_when_asked() -> None:
    head = {"id": NUMBER, "i": 0}
    taken: list[tuple[int, dict[str, Any]]] = []
    answers: list[Answer] = []
    exchange = Exchange(NUMBER, 1, lambda _i, a: answers.append(a), None, lambda i, piece: taken.append((i, piece)))
    for message in ({**head, "begin": True}, {**head, "piece": {"text": "a"}}, {**head, "piece": {"text": "b"}}):
        assert exchange.receive(message), "it got further: the deadline begins anew"
    assert exchange.receive({**head, "ok": {}}) and exchange.done
    assert taken == [(0, {"text": "a"}), (0, {"text": "b"})] and answers == [Answer(ok={})]
    for asked, messages in (
        (False, [{**head, "begin": True}, {**head, "piece": {}}]),
        (True, [{**head, "piece": {}}]),
        (True, [{**head, "begin": True}, {**head, "piece": "text"}]),
        (True, [{**head, "begin": True}, {**head, "ok": {}}, {**head, "piece": {}}]),
    ):
        exchange = Exchange(NUMBER, 1, lambda _i, _a: None, None, (lambda _i, _p: None) if asked else None)
        with pytest.raises(Garbage):
            for each in messages:
                exchange.receive(each)
