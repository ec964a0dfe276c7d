"""The syntax tree of a question. Every node is plain data; mediad.store.search gives it its SQL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Free words, folded: each must begin a word of the file's name, folder or searchable values."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text field that contains these folded words, each the beginning of one, in this order."""

    fields: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tag:
    """An effective tag that contains these folded words: (in the file + added) - removed (settled 12)."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Starred:
    """Starred by the person who asks."""


@dataclass(frozen=True, slots=True)
class InCollection:
    """In a collection or playlist whose name contains these folded words."""

    kind: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric field in [low, high], each end open when `above`/`below`; None: no bound."""

    fields: tuple[str, ...]
    low: float | None
    high: float | None
    above: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A hot column that equals one of these."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Everything the node inside does not match."""

    node: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of them; none at all matches everything."""

    nodes: tuple[Node, ...]


Node = Words | Text | Tag | Starred | InCollection | Number | Choice | Not | And
