"""Every command: its name on the wire, the role it takes, its function, whether it has a deadline of our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mediad.commands import (
    accounts,
    admin,
    archive,
    browse,
    checksums,
    complete,
    equal,
    layout,
    library,
    move,
    preview,
    query,
    queue,
    safe,
    search,
    sidefiles,
    text,
    undo,
    work,
)
from mediad.commands.context import Command
from mediadb_contract import mediadb_pb2 as pb


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table. `role` is the least one; `timed`: ends by the daemon's deadline when the client sets none;
    `changes`: an operation id makes it happen once; `indexed`: it takes the database, opened and claimed;
    `private`: what it says and answers are secrets, which the table of operations does not keep: it looks after the
    operation id itself; `at_once`: answers the request's body without waiting for anything, in place of `run`."""

    role: str
    run: Command
    timed: bool = True
    changes: bool = False
    indexed: bool = True
    private: bool = False
    at_once: Callable[[Any], pb.Reply] | None = None


COMMANDS: dict[str, Entry] = {
    "account": Entry("admin", accounts.account, changes=True, private=True),
    "accounts": Entry("admin", accounts.accounts),
    "authenticate": Entry("write", accounts.authenticate),
    "login": Entry("write", accounts.login),
    "logout": Entry("write", accounts.logout),
    "browse": Entry("read", browse.browse),
    "changes": Entry("read", work.changes, timed=False),
    "collect": Entry("write", work.collect, changes=True),
    "collections": Entry("read", work.collections),
    "duplicates": Entry("read", equal.duplicates, timed=False),
    "offers": Entry("read", equal.offers, timed=False),
    "relate": Entry("write", equal.relate, changes=True),
    "verify": Entry("read", equal.verify, timed=False),
    "rescan": Entry("write", library.rescan, timed=False),
    "accept": Entry("write", library.accept, timed=False),
    "export": Entry("admin", safe.export, timed=False),
    "restore": Entry("admin", safe.restore, timed=False, changes=True),
    "rebuild": Entry("admin", safe.rebuild, timed=False, changes=True),
    "history": Entry("read", work.history),
    "archive": Entry("organise", archive.archive, timed=False),
    "putback": Entry("organise", archive.putback, timed=False, changes=True),
    "place": Entry("organise", layout.place, timed=False, changes=True),
    "layout": Entry("organise", layout.layout, timed=False),
    "move": Entry("organise", move.move, timed=False, changes=True),
    "operations": Entry("read", undo.operations),
    "undo": Entry("write", undo.undo, timed=False, changes=True),
    "sidecars": Entry("write", sidefiles.sidecars, timed=False, changes=True),
    "work": Entry("write", work.work, timed=False, changes=True),
    "add": Entry("write", library.add, timed=False, changes=True),
    "checksum": Entry("read", checksums.checksum, timed=False),
    "forget": Entry("write", library.forget, timed=False, changes=True),
    "get": Entry("read", search.get),
    "handlers": Entry("read", admin.handlers, indexed=False),
    "ping": Entry("read", admin.ping, indexed=False, at_once=admin.pong),
    "complete": Entry("read", complete.completions),
    "preview": Entry("read", preview.preview),
    "query": Entry("read", query.query, timed=False),
    "queue": Entry("read", queue.queue),
    "roots": Entry("read", library.list_roots),
    "status": Entry("read", admin.status, indexed=False),
    "text": Entry("read", text.text, timed=False),
}
