"""The values of a move: sources, steps, plans. A step is a row of the journal (table move)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from mediad.errors import MediadError
from mediad.model import Root
from mediad.moves.mover import Stat

MODES = ("move", "copy", "hardlink", "symlink", "reflink")
FILES = (*MODES, "drop", "remove")  # actions about files; the others are mkdir and rmdir
OPEN = ("planned", "copied", "placed")  # states of steps that are looked at after a crash
BATCH = 1000  # steps in one commit


@dataclass(slots=True)
class Source:
    """A file that may be moved: where it is, and what stands there."""

    file: int
    stream: str
    folder: int  # the row of its folder
    root: Root
    below: bytes  # its path below the root's top
    type: str
    size: int
    mtime_ns: int
    stat: Stat | None = None

    @property
    def name(self) -> bytes:
        """Its name in its folder."""
        return self.below.rpartition(b"/")[2]

    @property
    def path(self) -> bytes:
        """Its absolute path on this host."""
        return join(self.root.local or b"", self.below)

    @property
    def place(self) -> tuple[bytes, bytes]:
        """As a mover takes it."""
        return self.root.local or b"", self.below


def join(top: bytes, below: bytes) -> bytes:
    """An absolute path."""
    return top.rstrip(b"/") + b"/" + below if below else top


@dataclass(slots=True)
class Step:
    """One row of the journal. Paths are below the tops of their roots; `inode`, `size`, `mtime_ns` say what the source
    is, `inode` None where inode numbers do not last. `method`: what is to be expected (rename, copy, ...)."""

    number: int
    unit: int
    action: str
    from_root: int | None = None
    from_path: bytes | None = None
    to_root: int | None = None
    to_path: bytes | None = None
    file: int | None = None
    stream: str | None = None
    inode: int | None = None
    size: int = 0
    mtime_ns: int = 0
    mode: int | None = None
    state: str = "planned"
    to_inode: int | None = None
    to_mtime_ns: int | None = None
    sha256: bytes | None = None
    code: str = ""
    problem: str = ""
    method: str = ""
    host: uuid.UUID | None = None
    undoes: uuid.UUID | None = None
    undoes_step: int | None = None

    @property
    def is_file(self) -> bool:
        """It is about a file, not a folder."""
        return self.action in FILES


@dataclass(frozen=True, slots=True)
class Options:
    """How to move. `require`: this mode and no other. `drop_duplicates`: a source whose bytes are at the destination
    already goes. `prune`: folders that become empty go. `fat`: names that FAT takes, whatever the file system."""

    mode: str = "move"
    require: bool = False
    drop_duplicates: bool = False
    prune: bool = False
    fat: bool = False


@dataclass(slots=True)
class Plan:
    """What would be done, and why not more. Paths in here are absolute, of this host."""

    options: Options
    steps: list[Step] = field(default_factory=list)
    problems: list[MediadError] = field(default_factory=list)
    already: list[tuple[bytes, bytes]] = field(default_factory=list)  # (source, where its bytes are already)
    clashes: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)  # (source, wanted name, name it gets)
    notes: list[str] = field(default_factory=list)
    unchanged: int = 0
    bytes_total: int = 0  # that have to be copied
    fatal: MediadError | None = None  # nothing of it can be done

    def add(self, other: Plan) -> None:
        """The steps of another plan come after those of this one; their units stay apart."""
        steps, units = len(self.steps), max((step.unit for step in self.steps), default=-1) + 1
        for step in other.steps:
            step.number += steps
            step.unit += units if step.unit >= 0 else 0
        self.steps += other.steps
        self.problems += other.problems
        self.already += other.already
        self.clashes += other.clashes
        self.notes += other.notes
        self.unchanged += other.unchanged
        self.bytes_total += other.bytes_total
        self.fatal = self.fatal or other.fatal

    @property
    def files(self) -> int:
        """How many files it touches."""
        return sum(step.is_file for step in self.steps)
