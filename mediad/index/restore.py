"""A person's work put into a database again: from a backup, from `work/*.ndjson`, into an empty one or a full one.

Events keep their targets' ids. A target is found by its id, else by its keys, else by its last known path; one that is
not there yet becomes a stream without a file, known by its keys when the file comes. What the events amount to is
folded anew from all of them (index/workfold).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mediad.errors import NotFound
from mediad.fold import fold, shorten
from mediad.index.backupline import GRADES, parse
from mediad.index.lookup import find_file
from mediad.index.metawork import MetaWork
from mediad.index.queues import fold_queue
from mediad.index.roots import Roots
from mediad.index.work import KEPT
from mediad.index.workfold import fold_collection, fold_work
from mediad.index.worklog import text_path
from mediad.store.store import Store, now_ns, pack


@dataclass(slots=True)
class Counts:
    """What a restore did."""

    events: int = 0
    known: int = 0
    streams: set[str] = field(default_factory=set)
    collections: set[str] = field(default_factory=set)
    queues: set[str] = field(default_factory=set)
    roots: list[dict[str, Any]] = field(default_factory=list)
    persons: list[dict[str, Any]] = field(default_factory=list)  # who are let in, for index/persons


class Restore:
    """Puts lines of a backup into the store."""

    def __init__(self, store: Store, roots: Roots, metas: MetaWork) -> None:
        self._store = store
        self._roots = roots
        self._metas = metas

    async def put(self, lines: Sequence[str]) -> Counts:
        """Takes lines in their order. Raises InvalidArgument for one that is none of ours."""
        counts = Counts()
        rows: list[dict[str, Any]] = []
        targets: dict[str, dict[str, Any]] = {}
        metas: dict[str, dict[str, Any]] = {}  # albums and artists, as the last line about them tells them from others
        for number, line in enumerate(lines):
            told = parse(line)
            if "root" in told:
                counts.roots.append(told["root"])
            elif "person" in told:
                counts.persons.append(told["person"])
            elif "action" in told:
                rows.append(_row(number, told))
                if told["target_kind"] == "stream":
                    targets.setdefault(told["target"], {}).update(told)
                elif told["target_kind"] == "meta":
                    metas.setdefault(told["target"], {}).update(told.get("meta", {}))
            for item, facts in told.get("items", {}).items():
                targets.setdefault(str(uuid.UUID(item)), {}).update(facts)
        for target, told in targets.items():
            counts.streams.add(await self._find(uuid.UUID(target), told))
        live = {await self._metas.restore(uuid.UUID(target), facts) for target, facts in metas.items()}
        if rows:
            results = await self._store.write([("restore_events", (pack(rows),))], give_up_after=120.0, deadline=60.0)
            counts.events = len(results[0])
            counts.known = len(rows) - counts.events
            counts.collections = {row["t"] for row in rows if row["k"] == "collection"}
            counts.queues = {row["t"] for row in rows if row["k"] == "queue"}
        if counts.events:
            for stream in counts.streams:
                await self.refold(stream)
            for meta in live:
                if meta is not None:
                    await self._metas.refold(meta)
            for collection in counts.collections:
                await self.refold_collection(uuid.UUID(collection))
            for actor in counts.queues:
                await self.refold_queue(actor)
            await self._store.write([("new_epoch", ())], give_up_after=60.0)
        return counts

    async def _find(self, target: uuid.UUID, told: dict[str, Any]) -> str:
        """The stream an event's target is here."""
        live = (await self._store.read("work_streams", pack([str(target)])))[0][1]
        if live is not None:
            return str(live)
        proofs = ("checksum", "fingerprint")
        keys = [[GRADES[grade], value] for grade, _name, value in told.get("keys", ()) if grade in proofs]
        found = await self._store.read("streams_with_keys", pack(keys)) if keys else []
        if found:
            stream = found[0][0]
        else:
            by_path = await self._by_path(told)
            if by_path is None:
                made = [{"g": GRADES[grade], "a": name, "v": value} for grade, name, value in told.get("keys", ())]
                await self._store.write([("restore_stream", (target, now_ns(), pack(made)))], give_up_after=60.0)
                return str(target)
            stream = by_path
        await self._store.write([("alias_stream", (target, stream))], give_up_after=60.0)
        return str(stream)

    async def _by_path(self, told: dict[str, Any]) -> uuid.UUID | None:
        """Only when its keys are not known: with keys another file at that path is another item."""
        if told.get("keys"):
            return None
        for path in told.get("paths", ()):
            try:
                return (await find_file(self._roots, text_path(path)))[1]
            except NotFound:
                continue
        return None

    async def refold(self, stream: str) -> None:
        """Makes the tables of a stream say what all its events amount to."""
        rows = await self._store.read("events_to_fold", stream, pack(list(KEPT)))
        events = [(actor, action, json.loads(value)) for actor, action, value, _at in rows]
        # What one of its own earlier ids inherited from another of them is there already.
        sources = sorted({told["from"] for _actor, action, told in events if action == "inherited"})
        live = await self._store.read("work_streams", pack(sources)) if sources else []
        itself = {source for source, row in zip(sources, live, strict=True) if str(row[1]) == stream}
        state = fold_work(each for each in events if each[1] != "inherited" or each[2]["from"] not in itself)
        tags = [{"t": t, "f": shorten(fold(t)), "r": removed} for t, removed in state.tags.items()]
        actors = [
            {
                "a": a,
                "x": o.get("rating"),
                "s": o.get("starred_ns"),
                "c": o.get("plays", 0),
                "p": o.get("played_ns"),
                "b": o.get("bookmark"),
            }
            for a, o in state.actors.items()
        ]
        fields = [{"n": n, "v": v, "f": shorten(fold(v))} for n, v in state.fields.items()]
        first = rows[0][3] if rows else now_ns()
        await self._store.write(
            [
                ("drop_work", (pack([stream]),)),
                ("put_work", (stream, first, pack(tags), pack(actors), pack(fields))),
            ],
            give_up_after=60.0,
        )

    async def refold_collection(self, number: uuid.UUID) -> None:
        """Makes a collection's tables say what all its events amount to."""
        rows = await self._store.read("events_of_collection", number)
        found = fold_collection((actor, action, json.loads(value), at) for actor, action, value, at in rows)
        unit: list[tuple[str, tuple[Any, ...]]] = [("drop_collection", (number,))]
        if found.there:
            live = await self._store.read("work_streams", pack(found.entries)) if found.entries else []
            entries = [str(row[1] or asked) for row, asked in zip(live, found.entries, strict=True)]
            unit.append((
                "put_collection",
                (number, found.kind, found.name, shorten(fold(found.name)), found.actor, found.made_ns, pack(entries),
                 found.query),
            ))  # fmt: skip
            unit.append(("mark_work", (pack(entries), now_ns())))
        await self._store.write(unit, give_up_after=60.0)

    async def refold_queue(self, actor: str) -> None:
        """Makes an actor's queue what its events say, the latest of them."""
        rows = await self._store.read("events_of_queue", actor)
        if rows:
            found = fold_queue((json.loads(value), at) for value, at in rows)
            row = (actor, pack(found.items), found.current, found.position, found.client, found.at_ns)
            await self._store.write([("put_queue", row)], give_up_after=60.0)


def _row(number: int, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "n": number, "at": told["at_ns"], "h": told.get("host") or str(uuid.UUID(int=0)), "a": told.get("actor", ""),
        "o": told.get("operation"), "k": told["target_kind"], "t": told["target"], "c": told["action"],
        "v": told["value"],
    }  # fmt: skip
