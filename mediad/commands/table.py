"""Every command: its name on the wire, the role it takes, its function, whether it has a deadline of our own."""

from __future__ import annotations

from dataclasses import dataclass

from mediad.commands import admin, checksums, library, search
from mediad.commands.context import Command


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table. `role` is the least one; `timed`: ends by the daemon's deadline when the client sets none;
    `changes`: an operation id makes it happen once; `indexed`: it takes the database, opened and claimed."""

    role: str
    run: Command
    timed: bool = True
    changes: bool = False
    indexed: bool = True


COMMANDS: dict[str, Entry] = {
    "add": Entry("write", library.add, timed=False, changes=True),
    "checksum": Entry("read", checksums.checksum, timed=False),
    "forget": Entry("write", library.forget, timed=False, changes=True),
    "get": Entry("read", search.get),
    "handlers": Entry("read", admin.handlers, indexed=False),
    "ping": Entry("read", admin.ping, indexed=False),
    "query": Entry("read", search.query, timed=False),
    "roots": Entry("read", library.list_roots),
    "status": Entry("read", admin.status, indexed=False),
}

# Each role may do what those before it may (settled 24).
ROLES = ("read", "write", "organise", "admin")
