"""Keeps a person's work with the payload: asks the store what a name that was just read may be, has
`mediad.index.identity` decide, and gives the statements that do it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mediad.ids import mint
from mediad.index import identity
from mediad.index.identity import SETTLED_NS, Candidate, Decision, Own, Verdict, decide, is_shared
from mediad.index.records import Rows, add
from mediad.index.scan import Places, told_path
from mediad.store.store import Store, now_ns, pack
from mediad.wire.convert import show_path

log = logging.getLogger(__name__)

Statements = list[tuple[str, tuple[Any, ...]]]
# Checksums that are equal though the payloads are not the same: of what decodes to the same samples (lossless twins).
TWINS = ("pcm-md5/1",)


@dataclass(slots=True)
class _Known:
    """What the store says of a file that was read."""

    own: Own
    folder: int
    name: bytes
    size: int  # of what was read before
    mtime_ns: int
    kind: str | None
    fields: str | None  # JSON text


@dataclass(slots=True)
class _Plan:
    """Rows for the statements of sql/queries/identity.sql."""

    joins: list[dict[str, Any]] = field(default_factory=list)
    aliases: list[dict[str, Any]] = field(default_factory=list)
    successions: list[dict[str, Any]] = field(default_factory=list)
    inherits: list[dict[str, Any]] = field(default_factory=list)
    rewrites: list[dict[str, Any]] = field(default_factory=list)
    doubts: set[str] = field(default_factory=set)
    streams: dict[int, str] = field(default_factory=dict)  # of files whose stream changes
    left: list[str] = field(default_factory=list)  # streams that these were files of

    def statements(self, host: Any) -> Statements:
        now = now_ns()
        unit: Statements = []
        if self.joins:
            unit.append(("lock_streams", (pack(self.aliases),)))
            unit.append(("join_moved", (pack(self.joins), now, host)))
            unit.append(("merge_work", (pack(self.aliases),)))
            unit.append(("drop_work", (pack([pair["s"] for pair in self.aliases]),)))
            unit.append(("alias_streams", (pack(self.aliases),)))
        if self.successions:
            unit.append(("succeed", (pack(self.successions), now, host)))
        if self.inherits:
            unit.append(("inherit_work", (pack(self.inherits), now, host)))
            unit.append(("merge_work", (pack(self.inherits),)))
        if self.rewrites:
            unit.append(("rewrite", (pack(self.rewrites), now, host)))
        if self.doubts:
            unit.append(("put_doubts", (pack(sorted(self.doubts)), now)))
        return unit


class Keeper:
    """The identity of what is read. `places` gives paths (Roots); `on_doubt` is told when a checksum is wanted."""

    def __init__(self, store: Store, places: Places, shared_least: int = identity.SHARED_LEAST) -> None:
        self._store = store
        self._least = shared_least
        self._places = places
        self.deciding = asyncio.Lock()  # two lanes must not both take the same missing stream
        self.wanted = asyncio.Event()  # a checksum is wanted
        self.on_kept: Callable[[], None] = _nothing  # events that say where a person's work went are stored

    async def concerns(self, rows: Rows) -> tuple[bool, dict[int, list[Candidate]]]:
        """Whether a batch may touch other streams than its own: then only one at a time is settled and stored, with
        `deciding` held from before this question on. And who has its fingerprints, for `settle`."""
        prints = {row["f"]: row["v"] for row in rows.keys if row["g"] == 1}
        names = {read.file: read.name for read, _answer in rows.answers}
        candidates = await self._candidates(prints, names) if prints else {}
        return bool(
            rows.again or candidates or any(row["g"] == 2 for row in rows.keys) or _parted(rows, prints)
        ), candidates

    async def settle(self, rows: Rows, candidates: dict[int, list[Candidate]]) -> tuple[Rows, Statements, list[str]]:
        """What the files of a batch are: the batch with their streams, the statements that go before its own, and the
        streams that lose a name by them: for `after_lost`. Afterwards `wanted` is to be set: checksums may be.

        Raises what the store raises."""
        prints = {row["f"]: row["v"] for row in rows.keys if row["g"] == 1}
        if not prints:
            return rows, [], []
        again = {*rows.again, *_parted(rows, prints)}
        asked = {file: value for file, value in prints.items() if file in candidates or file in again}
        known = await self._own(asked) if asked else {}
        plan = _Plan()
        if known:
            await self._plan(rows, known, candidates, plan)
        await self._track_doubts(rows, plan)
        if plan.streams:
            rows = _with_streams(rows, plan.streams)
        return rows, plan.statements(self._store.host), plan.left

    async def _candidates(self, prints: dict[int, str], known: dict[int, bytes]) -> dict[int, list[Candidate]]:
        """Other streams with the fingerprints of these files; an empty list for a file whose own stream has another."""
        asked = pack([{"f": file, "v": value} for file, value in prints.items()])
        holders: dict[bytes, list[tuple[Candidate, list[bytes]]]] = {}
        sharing: list[tuple[int, bytes, str]] = []
        found: dict[int, list[Candidate]] = {}
        for file, value, stream, present, worked, alone, seen, names in await self._store.read(
            "identity_candidates", asked, deadline=30.0
        ):
            if file is None:
                candidate = Candidate(str(stream), present, worked, alone, seen, False)
                holders.setdefault(value, []).append((candidate, names))
            elif value is None:
                found[file] = []
            else:
                sharing.append((file, value, str(stream)))
        for file, value, own in sharing:
            name = known.get(file)
            others = [
                replace(candidate, named=True) if names and name in names else candidate
                for candidate, names in holders[value]
                if candidate.stream != own
            ]
            if others:
                found.setdefault(file, []).extend(others)
        return found

    async def _own(self, asked: dict[int, str]) -> dict[int, _Known]:
        packed = pack([{"f": file, "v": value} for file, value in asked.items()])
        found: dict[int, _Known] = {}
        for row in await self._store.read("identity_own", packed, deadline=30.0):
            file, stream, equal, others, worked, alone, folder, name, size, mtime, kind, fields = row
            found[file] = _Known(
                Own(str(stream), equal, others, worked, alone), folder, name, size, mtime, kind, fields
            )  # fmt: skip
        return found

    async def _plan(
        self, rows: Rows, known: dict[int, _Known], candidates: dict[int, list[Candidate]], plan: _Plan
    ) -> None:
        decisions: dict[int, Decision] = {}
        taken: set[str] = set()
        first: dict[str, str] = {}  # the fingerprints that streams without one get from this batch
        prints = {row["f"]: row["v"] for row in rows.keys if row["g"] == 1}
        for record in rows.records:
            facts = known.get(record["f"])
            if facts is None:
                continue
            if (
                facts.own.equal is None
                and first.setdefault(facts.own.stream, prints[record["f"]]) != prints[record["f"]]
            ):
                facts.own = replace(facts.own, equal=False)
            # What another name of this batch has joined is present: this one is a copy of it.
            open_to = [
                replace(c, present=c.present + 1) if c.stream in taken else c for c in candidates.get(record["f"], [])
            ]
            shared = is_shared(show_path(facts.name), record["s"], self._least)
            decision = decide(facts.own, open_to, shared=shared, empty=record["s"] == 0, now_ns=now_ns())
            if decision.verdict is Verdict.MOVED:
                taken.add(decision.stream)
            decisions[record["f"]] = decision
            plan.doubts.update(decision.doubts)
            if facts.own.worked and decision.verdict is Verdict.SAME:
                plan.doubts.add(facts.own.stream)  # its checksum may have been wanted in vain so far
        telling = [f for f, d in decisions.items() if d.verdict not in (Verdict.SAME, Verdict.COPIED)]
        if not telling:
            return
        old = await self._last_places([d.stream for d in decisions.values() if d.verdict is Verdict.MOVED])
        paths = await self._places.paths([(f, known[f].folder, known[f].name) for f in telling] + list(old.values()))
        records = {record["f"]: record for record in rows.records}
        for file in telling:
            self._apply(file, known[file], decisions[file], records[file], paths, old, plan)

    async def _last_places(self, streams: list[str]) -> dict[str, tuple[int, int, bytes]]:
        if not streams:
            return {}
        rows = await self._store.read("last_places", pack(streams), deadline=30.0)
        return {str(stream): (file, folder, name) for stream, file, folder, name in rows}

    def _apply(
        self, file: int, facts: _Known, decision: Decision, record: dict[str, Any], paths: dict[int, bytes],
        old: dict[str, tuple[int, int, bytes]], plan: _Plan,
    ) -> None:  # fmt: skip
        here = paths.get(file, facts.name)
        own = facts.own
        if decision.verdict is Verdict.MOVED:
            before = old.get(decision.stream)
            from_path = paths.get(before[0], before[2]) if before else b""
            told = {**(told_path("from", from_path) if before else {}), **told_path("to", here), "was": own.stream}
            plan.joins.append({
                "f": file, "t": decision.stream, "o": before[0] if before else 0, "p": from_path.hex(), "v": told,
            })  # fmt: skip
            if not own.others and own.equal is None:
                plan.aliases.append({"s": own.stream, "t": decision.stream})
            else:
                plan.left.append(own.stream)
            plan.streams[file] = decision.stream
            return
        told = {"from": own.stream, **told_path("path", here)}
        row = {"f": file, "p": here.hex(), "z": facts.size, "m": facts.mtime_ns, "v": told}
        if decision.verdict is Verdict.REWRITTEN:
            plan.rewrites.append({**row, "v": told_path("path", here)})
            return
        before_fields = json.loads(facts.fields) if facts.fields else {}
        why = identity.contradiction(facts.kind or record["kind"], before_fields, record["kind"], record["fields"])
        fresh = str(mint.uuid())
        told["state"] = "offered" if why else "accepted"
        if why:
            told["why"] = why
        plan.left.append(own.stream)
        plan.successions.append({**row, "s": own.stream, "t": fresh, "k": told["state"]})
        if decision.doubts:
            plan.doubts.add(fresh)  # it is the name's new stream that may be another's
        if not why and own.worked:
            plan.inherits.append({"s": own.stream, "t": fresh})
            plan.doubts.add(fresh)
        plan.streams[file] = fresh

    async def _track_doubts(self, rows: Rows, plan: _Plan) -> None:
        """A file whose tracks begin as those of a stream with work: a remux of it, perhaps."""
        tracks = [{"f": row["f"], "v": row["v"]} for row in rows.keys if row["g"] == 2]
        if tracks:
            for own, other in await self._store.read("track_candidates", pack(tracks), deadline=30.0):
                plan.doubts.update((str(own), str(other)))

    async def after_lost(self, streams: Sequence[str]) -> None:
        """Streams that lost a name: one that lost its last, while another with its fingerprint came a moment before,
        was copied and removed: moved over file systems. Of several copies it is the first."""
        since = now_ns() - SETTLED_NS
        async with self.deciding:
            rows = await self._store.read("lost_pairs", pack(list(streams)), since, deadline=30.0)
            fresh: dict[str, list[tuple[Any, ...]]] = {}
            for row in rows:
                fresh.setdefault(str(row[0]), []).append(row)
            pairs: list[dict[str, Any]] = []
            doubts: set[str] = set()
            used: set[str] = set()
            for old, others in fresh.items():
                others.sort(key=lambda row: (row[7], row[6]))
                _old, new, known, new_worked, size, name, _file, _created = others[0]
                if not known and not new_worked:
                    continue  # the temporary of a program that saves by renaming, or nobody's loss
                shared = is_shared(show_path(name), size, self._least)
                if known and shared and str(new) not in used:
                    used.add(str(new))
                    pairs.append({"s": str(new), "t": old, "v": {"was": str(new), "moved": True}})
                    if len(others) == 1:
                        continue
                doubts.update([old, *(str(row[1]) for row in others)])
            if pairs:
                await self.join(pairs)
            if doubts:
                await self._store.write([("put_doubts", (pack(sorted(doubts)), now_ns()))], give_up_after=60.0)
                self.wanted.set()

    async def join(self, pairs: list[dict[str, Any]], actor: str = "", operation: Any = None) -> None:
        """Makes streams one: every name, key and piece of work of `s` goes to `t`, whose id lives on; that of `s` stays
        valid."""
        packed = pack([{"s": pair["s"], "t": pair["t"]} for pair in pairs])
        await self._store.write(
            [
                ("lock_streams", (packed,)),
                ("join_streams", (pack(pairs), now_ns(), self._store.host, actor, operation)),
                ("merge_work", (packed,)),
                ("drop_work", (pack([pair["s"] for pair in pairs]),)),
                ("alias_streams", (packed,)),
            ],
            give_up_after=60.0,
        )
        self.on_kept()

    async def settle_checksum(self, stream: str) -> None:
        """A stream's checksum is known: those that are equal for certain become one, the older id lives on."""
        async with self.deciding:
            rows = await self._store.read("equal_streams", stream, pack(list(TWINS)), deadline=30.0)
            own = await self._store.read("stream_age", stream) if rows else []
            if not own or not self._shared(own[0][1], own[0][2]):
                return
            everyone = [(str(row[0]), row[1]) for row in rows if self._shared(row[2], row[3])]
            if not everyone:
                return
            everyone.append((stream, own[0][0]))
            everyone.sort(key=lambda each: (each[1], each[0]))
            oldest = everyone[0][0]
            await self.join([{"s": s, "t": oldest, "v": {"was": s}} for s, _age in everyone[1:]])

    def _shared(self, name: bytes | None, size: int | None) -> bool:
        """Equal payloads of such files are one stream; a stream without files is known by its keys alone."""
        return name is None or size is None or is_shared(show_path(name), size, self._least)


def _parted(rows: Rows, prints: dict[int, str]) -> set[int]:
    """Files that share a stream in this batch and have several fingerprints: names of one file, saved anew under one of
    them before it was read."""
    seen: dict[str, set[str]] = {}
    files = [(read.file, read.stream, prints[read.file]) for read, _answer in rows.answers if read.file in prints]
    for _file, stream, value in files:
        seen.setdefault(stream, set()).add(value)
    return {file for file, stream, _value in files if len(seen[stream]) > 1}


def _nothing() -> None:
    """Nobody wants to know."""


def _with_streams(rows: Rows, streams: dict[int, str]) -> Rows:
    """The same batch with the streams that files have from now on: metas are made of them."""
    fresh = Rows()
    for read, answer in rows.answers:
        stream = streams.get(read.file)
        add(fresh, read if stream is None else replace(read, stream=stream), answer)
    return fresh
