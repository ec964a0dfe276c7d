"""A line of a backup of persons' work (`work/*.ndjson`), checked: what is damaged or made up names itself, and nothing
of the backup is taken. The format: docs/work.md."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable
from typing import Any

from mediad.errors import InvalidArgument
from mediad.index.metawork import fold_meta
from mediad.index.persons import check_told
from mediad.index.queues import fold_queue
from mediad.index.work import KEPT
from mediad.index.workfold import fold_collection, fold_work

FORMAT = "work/1"
GRADES = {"fingerprint": 1, "track": 2, "checksum": 3}
TARGETS = ("stream", "collection", "meta", "queue")  # kinds of them
_LONG = 2**63  # what PostgreSQL's bigint holds
_INTEGER = 2**31


def parse(line: str) -> dict[str, Any]:
    """What a line says: an event ("action"), a person, a root, facts of items ("items"), or the format ("mediadb").
    Raises InvalidArgument with the beginning of the line; one that holds a password's hash is not shown."""
    try:
        told = json.loads(line, parse_constant=_finite, parse_float=_finite)
        _need(isinstance(told, dict), "no object")
        if "person" in told:
            told["person"] = _parse_person(told["person"])
            return dict(told)
        _need("\\u0000" not in line and "\0" not in line, "a text has a NUL")
        if "mediadb" in told and told["mediadb"] != FORMAT:
            raise ValueError(f"the format is {told['mediadb']}, not {FORMAT}")
        _need(isinstance(told.get("items", {}), dict), "items: an object is needed")
        for item, facts in told.get("items", {}).items():
            _need(_is_id(item), "items: UUIDs are needed")
            _check_facts(facts)
        if "root" in told:
            _check_root(told["root"])
        if "action" in told:
            _check_event(told)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise InvalidArgument(f"a line of the backup cannot be read: {said}", line[:200]) from None
    return dict(told)


def _finite(text: str) -> float:
    """What JSON has no numbers for (RFC 8259 section 6), and numbers too large to be one."""
    number = float(text)
    _need(math.isfinite(number), f"{text} is no number")
    return number


def _parse_person(told: Any) -> dict[str, Any]:
    try:
        return check_told(told)
    except (ValueError, KeyError, TypeError) as error:  # the line holds a hash: it is not shown
        name = told.get("name", "") if isinstance(told, dict) else ""
        raise InvalidArgument(f"a person of the backup cannot be read: {error}", str(name)[:200]) from None


def _need(good: bool, said: str) -> None:
    if not good:
        raise ValueError(said)


def _check_root(told: dict[str, Any]) -> None:
    _need(_is_text(told["path"]) and _is_text(told["only_name"]), "root: a path and a name are needed")
    for name in ("watched", "cross_mounts"):
        _need(isinstance(told[name], bool), f"root.{name}: true or false is needed")
    _need(isinstance(told["exclude"], list) and all(map(_is_text, told["exclude"])), "root.exclude: texts are needed")


def _check_event(told: dict[str, Any]) -> None:
    kind, action, value = told["target_kind"], told["action"], told["value"]
    _need(action in KEPT and kind in TARGETS and isinstance(value, dict), "no event of a person")
    _need(_is_long(told["at_ns"]), "at_ns: nanoseconds since 1970 are needed")
    actor = told.get("actor", "")
    _need(isinstance(actor, str), "actor: a text is needed")
    for name in ("host", "operation"):
        _need(told.get(name) is None or _is_id(told[name]), f"{name}: a UUID is needed")
    if kind == "queue":
        _need(action == "queued" and told["target"] == actor, "no queue of its actor")
    else:
        _need(_is_id(told["target"]), "target: a UUID is needed")
    for name, check in _VALUES.items():
        if name in value:
            _need(check(value[name]), f"value.{name}: this cannot be")
    if action == "set":  # a field's; `value` of no other action
        good = _is_text(value["field"]) and _is_text(value["value"], or_none=True)
        _need(good, "value: a field and a text are needed")
    if kind in _WORKS and "work" in value:
        _need(_WORKS[kind](value["work"]), "value.work: this cannot be")
    at_ns = told["at_ns"]
    # What it is folded by finds what is missing.
    if kind == "stream":
        fold_work([(actor, action, value)])
        _check_facts(told)
    elif kind == "collection":
        fold_collection([(actor, action, value, at_ns)])
    elif kind == "meta":
        fold_meta([(actor, action, value)])
        _check_meta(told.get("meta", {}))
    else:
        fold_queue([(value, at_ns)])


def _check_facts(facts: Any) -> None:
    """What says again which item it is: keys [grade, algorithm, hexadecimal] and last paths."""
    _need(isinstance(facts, dict), "facts of an item: an object is needed")
    keys, paths = facts.get("keys") or [], facts.get("paths") or []
    _need(isinstance(keys, list) and isinstance(paths, list), "keys and paths: lists are needed")
    for grade, algorithm, value in keys:
        _need(grade in GRADES and _is_text(algorithm), f"a key has one of the grades {', '.join(GRADES)}")
        bytes.fromhex(value)
    _need(all(_is_text(path) for path in paths), "paths: texts are needed")


def _check_meta(facts: Any) -> None:
    _need(isinstance(facts, dict), "meta: an object is needed")
    for name in ("kind", "name", "digest"):
        _need(_is_text(facts.get(name, "")), f"meta.{name}: a text is needed")
    bytes.fromhex(facts.get("digest", ""))


def _is_long(value: Any, *, or_none: bool = False) -> bool:
    if value is None:
        return or_none
    return isinstance(value, int) and not isinstance(value, bool) and -_LONG <= value < _LONG


def _is_text(value: Any, *, or_none: bool = False) -> bool:
    return isinstance(value, str) or (or_none and value is None)


def _is_number(value: Any, *, or_none: bool = False) -> bool:
    if value is None:
        return or_none
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_place(value: Any) -> bool:
    return _is_long(value) and 0 <= value < _INTEGER


def _is_id(value: Any) -> bool:
    """A UUID as it is written out (RFC 9562 section 4): Python would take more forms than PostgreSQL."""
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except (ValueError, TypeError, AttributeError):
        return False


def _is_bookmark(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and _is_number(value.get("position"))
        and _is_text(value.get("comment", ""))
        and _is_long(value.get("at_ns"))
    )


def _is_work(value: Any) -> bool:
    """What an item took over from another: {tags, fields, actors}."""
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(name, {}), dict) for name in ("tags", "fields", "actors"))
        and all(isinstance(removed, bool) for removed in value.get("tags", {}).values())
        and all(_is_text(each) for each in value.get("fields", {}).values())
        and _are_actors(value.get("actors", {}))
    )


def _are_actors(value: Any) -> bool:
    """What each made of an item, an album or an artist: {actor: {rating, starred_ns, plays, played_ns, bookmark}}."""
    return isinstance(value, dict) and all(
        isinstance(own, dict)
        and _is_number(own.get("rating"), or_none=True)
        and _is_long(own.get("starred_ns"), or_none=True)
        and _is_place(own.get("plays", 0))
        and _is_long(own.get("played_ns"), or_none=True)
        and _is_bookmark(own.get("bookmark"))
        for own in value.values()
    )


_VALUES: dict[str, Callable[[Any], bool]] = {
    "tag": _is_text,
    "is": lambda value: value in ("none", "added", "removed"),
    "field": _is_text,
    "rating": lambda value: _is_number(value, or_none=True),
    "starred_ns": lambda value: _is_long(value, or_none=True),
    "count": lambda value: _is_long(value) and abs(value) < _INTEGER,
    "played_ns": lambda value: _is_long(value, or_none=True),
    "i": _is_place,
    "whose": _is_text,
    "bookmark": _is_bookmark,
    "from": _is_id,
    "kind": _is_text,
    "name": _is_text,
    "query": lambda value: _is_text(value, or_none=True),
    "place": _is_place,
    "items": lambda value: isinstance(value, list) and all(_is_id(each) for each in value),
    "current": _is_place,
    "position": _is_number,
    "client": _is_text,
}
_WORKS = {"stream": _is_work, "meta": _are_actors}  # what `value.work` is, by the kind of target
