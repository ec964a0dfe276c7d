"""What the events of an item or a collection amount to, folded in their order. The one definition of that: the tables
hold its result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class State:
    """What the events of a stream amount to."""

    tags: dict[str, bool] = field(default_factory=dict)  # removed?
    actors: dict[str, dict[str, Any]] = field(default_factory=dict)  # rating, starred_ns, plays, played_ns, bookmark
    fields: dict[str, str] = field(default_factory=dict)


def fold_work(events: Iterable[tuple[str, str, dict[str, Any]]]) -> State:
    """Folds (actor, action, value) in their order. Pure; the actions are those of index/work."""
    state = State()
    for actor, action, told in events:
        if action in ("tagged", "untagged"):
            if told["is"] == "none":
                state.tags.pop(told["tag"], None)
            else:
                state.tags[told["tag"]] = told["is"] == "removed"
        elif action == "set":
            if told["value"] is None:
                state.fields.pop(told["field"], None)
            else:
                state.fields[told["field"]] = told["value"]
        elif action == "inherited":
            _inherit(state, told["work"])
        elif action in ("rated", "starred", "played", "bookmarked", "unbookmarked"):
            _fold_actor(state.actors.setdefault(told.get("whose", actor), {}), action, told)
    return state


def _fold_actor(own: dict[str, Any], action: str, told: dict[str, Any]) -> None:
    if action == "rated":
        own["rating"] = told["rating"]
    elif action == "starred":
        own["starred_ns"] = told["starred_ns"]
    elif action in ("bookmarked", "unbookmarked"):
        own["bookmark"] = told["bookmark"]
    else:
        own["plays"] = max(0, own.get("plays", 0) + told["count"])
        if told["count"] < 0:
            own["played_ns"] = told["played_ns"]
        else:
            own["played_ns"] = max(own.get("played_ns") or 0, told["played_ns"] or 0)


def _inherit(state: State, work: dict[str, Any]) -> None:
    for tag, removed in work.get("tags", {}).items():
        state.tags.setdefault(tag, removed)
    for name, value in work.get("fields", {}).items():
        state.fields.setdefault(name, value)
    for actor, theirs in work.get("actors", {}).items():
        own = state.actors.setdefault(actor, {})
        for name in ("rating", "starred_ns"):
            if own.get(name) is None:
                own[name] = theirs.get(name)
        own["plays"] = own.get("plays", 0) + theirs.get("plays", 0)
        own["played_ns"] = max(own.get("played_ns") or 0, theirs.get("played_ns") or 0) or None
        mine, other = own.get("bookmark"), theirs.get("bookmark")
        if other and (not mine or other["at_ns"] > mine["at_ns"]):
            own["bookmark"] = other


@dataclass(slots=True)
class List:
    """What the events of a collection amount to."""

    kind: str = ""
    name: str = ""
    actor: str = ""
    made_ns: int = 0
    entries: list[str] = field(default_factory=list)
    there: bool = False
    query: str | None = None  # the question that it is


def fold_collection(events: Iterable[tuple[str, str, dict[str, Any], int]]) -> List:
    """Folds (actor, action, value, at_ns) in their order. Pure."""
    found = List()
    for actor, action, told, at in events:
        if action == "created":
            found = List(told["kind"], told["name"], actor, at, [], True, told.get("query"))
        elif action == "requeried":
            found.query = told["query"]
        elif action == "collected":
            found.entries[told["place"] : told["place"]] = told["items"]
        elif action == "uncollected":
            del found.entries[told["place"] : told["place"] + len(told["items"])]
        elif action == "renamed":
            found.name = told["name"]
        elif action == "deleted":
            found.there = False
            found.entries = []
    return found
