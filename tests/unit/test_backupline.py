"""Lines of a backup: what is taken, and what is refused with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mediad.errors import InvalidArgument
from mediad.index.backupline import parse

ID = "01a1ff95-bc87-7000-b96f-63268fab93f1"


def event(kind: str, action: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"target_kind": kind, "target": ID, "action": action, "value": value, "at_ns": 1, **more}


OWN = {"rating": 4, "starred_ns": 5, "plays": 2, "played_ns": 7, "bookmark": {"position": 1.5, "at_ns": 1}}
TAKEN = [
    {"mediadb": "work/1"},
    {"items": {ID: {"keys": [["checksum", "whole/1", "00ff"]], "paths": ["/a"]}}},
    {"root": {"path": "/a", "only_name": "", "watched": True, "cross_mounts": False, "exclude": ["*.part"]}},
    event("stream", "tagged", {"tag": "x", "is": "added", "was": "none"}, host=ID, operation=None),
    event(
        "stream",
        "inherited",
        {"from": ID, "work": {"tags": {"x": True}, "fields": {"title": "T"}, "actors": {"": OWN}}},
    ),
    # a person may be called like a part of an item's work
    event("meta", "merged", {"was": ID, "work": {"fields": {"rating": 4}}}, meta={"kind": "album", "digest": "00"}),
    event("collection", "collected", {"place": 0, "items": [ID, ID]}),
    event("queue", "queued", {"current": 0, "position": 0.5, "client": "tv"}, target="anna", actor="anna"),
]
REFUSED = [
    ("[]", "no object"),
    ("{", "Expecting"),
    (json.dumps({"mediadb": "work/2"}), "format"),
    (json.dumps({"items": {"x": {}}}), "UUID"),
    (json.dumps({"items": {ID: {"keys": [["mark", "whole/1", "00"]]}}}), "grades"),
    (json.dumps({"items": {ID: {"keys": [["checksum", "whole/1", "0g"]]}}}), "fromhex"),
    (json.dumps({"root": {"path": "/a"}}), "only_name"),
    (json.dumps(event("stream", "tagged", {"is": "added"})), "'tag' is missing"),
    (json.dumps(event("stream", "rated", {"rating": "4"})), "value.rating"),
    (json.dumps(event("stream", "rated", {"rating": 4}, at_ns="1")), "at_ns"),
    (json.dumps(event("stream", "rated", {"rating": 4}, operation="urn:uuid:" + ID)), "operation"),
    (json.dumps(event("stream", "rated", {"rating": float("inf")})), "no number"),
    (json.dumps(event("stream", "inherited", {"from": ID, "work": {"tags": {"x": "yes"}}})), "value.work"),
    (json.dumps(event("meta", "merged", {"was": ID, "work": {"anna": {"rating": "4"}}})), "value.work"),
    (json.dumps(event("collection", "collected", {"place": 0, "items": ["x"]})), "value.items"),
    (json.dumps(event("queue", "queued", {}, target="anna", actor="ben")), "queue"),
    (json.dumps(event("stream", "tagged", {"tag": "a\0b", "is": "added"})), "NUL"),
    (json.dumps(event("stream", "married", {})), "no event"),
]


@pytest.mark.parametrize("line", TAKEN)
def test_what_is_taken(line: dict[str, Any]) -> None:
    assert parse(json.dumps(line)) == line


@pytest.mark.parametrize(("line", "said"), REFUSED)
def test_what_is_refused_says_why(line: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        parse(line)
