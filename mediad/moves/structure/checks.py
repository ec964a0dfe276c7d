"""Reading members of a JSON document, with the place in every complaint: `refs[3].dsts[0].data_type`.

As strict as the reference's decoder: a value of another type is refused, `null` and an absent key are the zero value.
"""

from __future__ import annotations

from typing import Any

from mediad.errors import Corrupt
from mediad.moves.structure.moment import Moment, parse_moment

_INT64 = 1 << 63
_KINDS = {dict: "an object", list: "an array", str: "text", bool: "true or false", int: "a number", float: "a number"}


class Members:
    """The members of one JSON object at `place` of the document `name`."""

    __slots__ = ("name", "place", "unknown", "values")

    def __init__(self, value: Any, place: str, name: bytes, unknown: list[str] | None = None) -> None:
        self.place = place
        self.name = name
        self.unknown: list[str] = [] if unknown is None else unknown
        if not isinstance(value, dict):
            raise self.fault("", f"an object was expected, not {kind_of(value)}")
        self.values: dict[str, Any] = value

    def fault(self, key: str, problem: str) -> Corrupt:
        place = ".".join(part for part in (self.place, key) if part)
        return Corrupt(f"{place}: {problem}" if place else problem, self.name)

    def text(self, key: str) -> str:
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.fault(key, f"text was expected, not {kind_of(value)}")
        return value

    def number(self, key: str) -> int:
        value = self.values.get(key)
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fault(key, f"a whole number was expected, not {kind_of(value)}")
        if not 0 <= value < _INT64:
            raise self.fault(key, f"a number from 0 to 2^63-1 was expected, not {value}")
        return value

    def moment(self, key: str) -> Moment | None:
        """None when absent, and for the reference's zero time."""
        if self.values.get(key) is None:
            return None
        try:
            moment = parse_moment(self.text(key))
        except ValueError as fault:
            raise self.fault(key, f"{fault}, not {self.values[key]!r}"[:300]) from None
        return None if moment.is_zero else moment

    def items(self, key: str) -> list[Members]:
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fault(key, f"an array was expected, not {kind_of(value)}")
        base = f"{self.place}.{key}" if self.place else key
        return [Members(one, f"{base}[{at}]", self.name, self.unknown) for at, one in enumerate(value)]

    def members(self, key: str) -> Members | None:
        if self.values.get(key) is None:
            return None
        return Members(self.values[key], ".".join(part for part in (self.place, key) if part), self.name, self.unknown)

    def expect(self, *known: str) -> None:
        """Notes the keys that are not of the format: they are read over, as the reference does."""
        for key in self.values.keys() - set(known):
            if len(self.unknown) < 100:
                self.unknown.append(".".join(part for part in (self.place, key) if part))


def kind_of(value: Any) -> str:
    """What a JSON value is, for a person."""
    return _KINDS.get(type(value), "null")
