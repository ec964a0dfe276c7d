"""The syntax tree of a question. Every node is plain data; mediad.store.search gives it its SQL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A folded word, or a run of a script without spaces. `start`, `end`: its word may have more before, behind it."""

    text: str
    start: bool = False
    end: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A value of one of these fields (None: any that is searched, the file's name and its last two folders) has these
    parts side by side; `whole`: and nothing else."""

    fields: tuple[str, ...] | None
    parts: tuple[Part, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """The words inside a document, lyrics or subtitles have these parts side by side."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Has:
    """One of these fields has a value."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric field in [low, high], each end open when `above`/`below`; None: no bound."""

    fields: tuple[str, ...]
    low: float | None
    high: float | None
    above: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """A field of yes or no."""

    field: str
    value: bool


@dataclass(frozen=True, slots=True)
class Ago:
    """So many units before now. unit: h d w m y; `day`: the calendar day it falls on, not the instant."""

    count: int
    unit: str
    day: bool = False


When = str | Ago
"""A point or period of the calendar, as ISO 8601 writes it as far as it is known (YYYY[-MM[-DD[THH[:MM[:SS]]]]])."""


@dataclass(frozen=True, slots=True)
class Date:
    """A wall clock time as it was written (settled 16) from `low` to `high`, whole periods: `2019-07` is the month.
    `above`, `below`: beyond the period, before it."""

    fields: tuple[str, ...]
    low: When | None
    high: When | None
    above: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant of the store (added modified played) likewise, by the clock of the daemon's time zone."""

    column: str
    low: When | None
    high: When | None
    above: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Near:
    """Not further than `metres` from a place (degrees, WGS 84), on the sphere."""

    latitude: float
    longitude: float
    metres: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A column (kind format state) that equals one of these."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """A checksum (md5 sha1 sha256, of file or payload) that the store has, by its first hex digits."""

    algorithm: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Ident:
    """The item of an id, also of one that it once had."""

    id: str


@dataclass(frozen=True, slots=True)
class Path:
    """Files below a folder or the file itself, by the bytes of an absolute path."""

    path: bytes


@dataclass(frozen=True, slots=True)
class Below:
    """What a Path stands for: files in these folders of the store and below them, and these files."""

    dirs: tuple[int, ...]
    files: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """Files with a folder on their path, at any height, whose name has these parts side by side."""

    parts: tuple[Part, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are: files of the item (copies), or values of a field."""

    field: str
    low: float | None
    high: float | None
    above: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Starred:
    """Starred by the person who asks."""


@dataclass(frozen=True, slots=True)
class InCollection:
    """In a collection or playlist whose name has these parts side by side."""

    kind: str
    parts: tuple[Part, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """The question that was saved under a name."""

    name: str
    position: int = 0  # where it stands in the text: for what is said of it


@dataclass(frozen=True, slots=True)
class Not:
    """Everything the node inside does not match."""

    node: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of them; none at all matches everything."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them."""

    nodes: tuple[Node, ...]


Node = (
    Match | Content | Has | Number | Flag | Date | Moment | Near | Choice | Digest | Ident | Path | Below | Folder
    | Count | Starred | InCollection | Saved | Not | And | Or
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort key and whether the greatest comes first. Files without a value come last either way."""

    key: str
    down: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole question: what matches, in which order (none: as it was added), how many at most."""

    tree: Node
    sort: tuple[Sort, ...] = ()
    limit: int | None = None
