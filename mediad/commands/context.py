"""What commands work with."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from mediad.commands.gathered import Gathered
from mediad.commands.memory import Answers
from mediad.config import Config
from mediad.index.asking import Asking
from mediad.index.content import Content
from mediad.index.feed import Feed
from mediad.index.metawork import MetaWork
from mediad.index.persons import Persons
from mediad.index.previews import Previews
from mediad.index.queues import Queues
from mediad.index.reader import Reader
from mediad.index.reindex import Reindexer
from mediad.index.roots import Roots
from mediad.index.sidefiles import SideFiles
from mediad.index.sidewatch import SideWatch
from mediad.index.walking import Walking
from mediad.index.watching import Watching
from mediad.index.work import Work
from mediad.index.worklog import WorkLog
from mediad.model import Actor
from mediad.moves.engine import Engine
from mediad.store.store import Store
from mediad.workers.registry import Registry
from mediadb_contract import mediadb_pb2 as pb


class Lag(Protocol):
    """The watch on the loop: milliseconds."""

    @property
    def p99(self) -> float: ...

    max: float

    def touch(self) -> None: ...


@dataclass(slots=True)
class Traffic:
    """What the server counts."""

    connections: int = 0
    requests: int = 0
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """How many files, items and missing files there are as of an event; they change with none but a further event."""

    epoch: uuid.UUID | None = None  # of the feed; None: never counted
    last: int = 0
    files: int = 0
    items: int = 0
    missing: int = 0


@dataclass(slots=True)
class Context:
    """The daemon's parts, as commands need them. `opened` is set once database, schema, host and roots are there for
    the first time; until then `ready` says why not."""

    config: Config
    host: uuid.UUID
    host_name: str
    store: Store
    registry: Registry
    roots: Roots
    reader: Reader
    work: Work
    worklog: WorkLog
    feed: Feed
    asking: Asking
    reindexer: Reindexer
    walking: Walking
    metawork: MetaWork
    watching: Watching
    moves: Engine
    sides: SideFiles
    sidewatch: SideWatch
    content: Content
    persons: Persons
    previews: Previews
    queues: Queues
    lag: Lag
    started: float
    traffic: Traffic = field(default_factory=Traffic)
    ready: Callable[[], str] = lambda: ""
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    staged: dict[str, int] = field(default_factory=dict)  # how many files wait for their place, by media tree
    counted: Counted = Counted()
    answers: Answers = field(default_factory=Answers)
    gathered: Gathered = field(default_factory=Gathered)


@dataclass(frozen=True, slots=True)
class Call:
    """One request under way: on whose behalf, and the client-made id of a changing one."""

    actor: Actor
    operation: uuid.UUID | None


Replies = AsyncIterator[pb.Reply]
Command = Callable[[Context, Any, Call], Replies]
