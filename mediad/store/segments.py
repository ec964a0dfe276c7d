"""What lies between two Syncs on a connection: a statement's preparation, or a unit of work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from psycopg.pq.abc import PGresult

from mediad.errors import MediadError
from mediad.store.faults import UNKNOWN_STATEMENT, fault_of, sqlstate_of
from mediad.store.queries import Statement
from mediad.store.values import Parameter, Rows, encode

Commands = Sequence[tuple[Statement, Sequence[Parameter]]]


class Preparation:
    """A Parse in a segment of its own: so it takes effect or fails whatever becomes of the units around it."""

    __slots__ = ("statement", "name", "fault")

    def __init__(self, statement: Statement, name: bytes) -> None:
        self.statement = statement
        self.name = name
        self.fault: MediadError | None = None


class Unit:
    """Commands ended by one Sync, so one implicit transaction; and the future of who waits for it."""

    __slots__ = ("commands", "size", "seconds", "until", "done", "results", "fault", "preparations")

    def __init__(self, commands: Commands, seconds: float, until: float, done: asyncio.Future[list[Rows]]) -> None:
        self.commands = []
        self.size = 0
        for statement, parameters in commands:
            values, formats, size = encode(parameters)
            self.commands.append((statement, values, formats))
            self.size += size + (0 if statement.prepared else len(statement.sql))
        self.seconds = seconds
        self.until = until
        self.done = done
        self.results: list[Rows] = []
        self.fault: MediadError | None = None
        self.preparations: list[Preparation | None] = []

    def fail(self, error: MediadError) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def take_fault(self, result: PGresult) -> None:
        """Note the error of the command whose turn it is."""
        # A deferred constraint fails at the Sync, after the last command has answered.
        number = min(len(self.results), len(self.commands) - 1)
        preparation = self.preparations[number]
        if preparation is not None and preparation.fault and sqlstate_of(result) == UNKNOWN_STATEMENT:
            self.fault = preparation.fault
        else:
            self.fault = fault_of(result, self.commands[number][0].name)
