"""A syntax tree as a person reads it: what `explain` prints."""

from __future__ import annotations

from collections.abc import Iterable

from mediad.query.tree import (
    Ago,
    And,
    Below,
    Choice,
    Content,
    Count,
    Date,
    Digest,
    Flag,
    Folder,
    Has,
    Ident,
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
    Saved,
    Starred,
    When,
)  # fmt: skip


def show(node: Node, depth: int = 0) -> list[str]:
    """The tree as lines, what is inside a node indented by two."""
    pad = "  " * depth
    if isinstance(node, And | Or):
        name = "and" if isinstance(node, And) else "or"
        inside = [line for each in node.nodes for line in show(each, depth + 1)]
        return [pad + name if node.nodes else pad + "everything", *inside]
    if isinstance(node, Not):
        return [pad + "not", *show(node.node, depth + 1)]
    return [pad + _say(node)]


def _say(node: Node) -> str:
    match node:
        case Match(fields, parts, whole):
            where = "any value or name" if fields is None else _either(fields)
            return f"{where} {_words(parts, whole)}"
        case Content(parts):
            return f"the text inside {_words(parts, False)}"
        case Has(fields):
            return f"{_either(fields)} is there"
        case Number(fields, low, high, above, below):
            return f"{_either(fields)} {_bounds(low, high, above, below)}"
        case Date(fields, low, high, above, below):
            return f"{_either(fields)} {_bounds(low, high, above, below)}, as written"
        case Moment(column, low, high, above, below):
            return f"{column} {_bounds(low, high, above, below)}"
        case Count(field, low, high, above, below):
            return f"the number of {field} {_bounds(low, high, above, below)}"
        case Flag(field, value):
            return f"{field} is {'yes' if value else 'no'}"
        case Near(latitude, longitude, metres):
            far = f"{metres / 1000:.12g} km" if metres >= 1000 else f"{metres:g} m"
            return f"within {far} of {latitude:.12g}, {longitude:.12g}"
        case Choice(column, values):
            return f"{column} is {' or '.join(values)}"
        case Digest(algorithm, prefix):
            return f"{algorithm} begins with {prefix}"
        case Ident(id):
            return f"the item is {id}"
        case Path(path):
            return f"below {path.decode('utf-8', 'backslashreplace')}"
        case Below(dirs, files):
            return f"below {len(dirs)} folders, or one of {len(files)} files"
        case Folder(parts, whole):
            return f"a folder above {_words(parts, whole)}"
        case Starred():
            return "starred"
        case InCollection(kind, parts, whole):
            return f"in a {kind} whose name {_words(parts, whole)}"
        case Saved(name):
            return f"what the saved question {name!r} finds"
        case _:
            raise AssertionError(f"a node that is not said: {node!r}")


def _either(fields: Iterable[str]) -> str:
    return " or ".join(fields)


def _words(parts: Iterable[Part], whole: bool) -> str:
    said = " ".join(f"{'*' * part.start}{part.text}{'*' * part.end}" for part in parts)
    return f"{'is' if whole else 'has'} {said or 'anything'}"


def _bounds(low: float | When | None, high: float | When | None, above: bool, below: bool) -> str:
    if low is not None and low == high:
        return f"= {_value(low)}"
    parts = []
    if low is not None:
        parts.append(f"{'>' if above else '>='} {_value(low)}")
    if high is not None:
        parts.append(f"{'<' if below else '<='} {_value(high)}")
    return " and ".join(parts) or "is there"


def _value(value: float | When) -> str:
    if isinstance(value, Ago):
        return ("today" if not value.count else "yesterday") if value.day else f"{value.count}{value.unit} ago"
    return value if isinstance(value, str) else f"{value:.15g}"
