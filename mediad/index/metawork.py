"""What persons make of albums and artists: stars and ratings; and how these are known again (settled 8).

An album or artist is told from others by its MusicBrainz id, else by its name: a retag makes another of it. Where
somebody made something of it, the songs it has had are remembered: when more than half of them are under another (and
under its own name not), or none is left under its own, it trades places with that one: the id, and with it the star,
goes where the songs went.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mediad.errors import InvalidArgument, NotFound
from mediad.fold import fold, reverse, shorten
from mediad.index.work import Action, By, Statements
from mediad.store.store import Store, now_ns, pack

KINDS = ("album", "artist")
# Event actions that say what became of a meta.
ACTIONS = ("rated", "starred", "merged", "regrouped")
_GIVE_UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Went:
    """How many of the songs that a meta has had are under another one today."""

    other: str
    songs: int
    name: str


def follow(own: str, went: Sequence[Went], known: int, *, keeps: bool) -> Went | None:
    """Under which name a meta lives on; None: under its own. `known`: how many of the songs it has had are under any.
    `keeps`: it stays while a song of it is left, because a MusicBrainz id says which it is, or because songs have
    several (artists). Of several that have as many it is the one that came last: ids are in the order of time. Pure."""
    left = next((each.songs for each in went if each.other == own), 0)
    others = [each for each in went if each.other != own]
    if not others:
        return None
    best = max(others, key=lambda each: (each.songs, each.other))
    if left and (keeps or best.songs * 2 <= known or left >= best.songs):
        return None
    return best


class MetaWork:
    """Stars and ratings of albums and artists."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._deciding = asyncio.Lock()
        self.on_kept: Callable[[], None] = _nothing  # events that say where a person's work went are stored

    async def live(self, ids: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, str] | None]:
        """The albums and artists that ids stand for today, with their kind; None for an id that is of neither."""
        rows = await self._store.read("live_metas", pack([str(each) for each in ids]))
        return [(row[1], row[2]) if row[2] in KINDS else None for row in rows]

    async def find(self, asked: uuid.UUID, kind: str) -> uuid.UUID:
        """The album or artist that an id stands for. Raises NotFound."""
        found = (await self.live([asked]))[0]
        if found is None or found[1] != kind:
            raise NotFound(f"there is no {kind} of that id", str(asked))
        return found[0]

    def statements(self, metas: Sequence[str], actions: Sequence[Action], by: By) -> Statements:
        """All of the actions on all of the metas. Raises InvalidArgument for one that is for items only."""
        stars: dict[str, dict[str, Any]] = {}
        ratings: dict[str, dict[str, Any]] = {}
        for action in actions:
            if action.action not in ("star", "unstar", "rate", "unrate"):
                raise InvalidArgument(
                    "albums and artists are starred and rated; everything else is done to items", action.action
                )
            for meta in metas:
                if action.action in ("star", "unstar"):
                    stars[meta] = {"s": meta, "t": action.at_ns if action.action == "star" else None}
                else:
                    ratings[meta] = {"s": meta, "x": action.number if action.action == "rate" else None}
        return self.unit(list(stars.values()), list(ratings.values()), by)

    def unit(self, stars: list[dict[str, Any]], ratings: list[dict[str, Any]], by: By) -> Statements:
        """Statements of one transaction: stars [{s, t}] and ratings [{s, x}] of metas."""
        tail = (now_ns(), self._store.host, by.actor, by.operation)
        asked = pack(sorted({row["s"] for row in (*stars, *ratings)}))
        unit: Statements = [("hold_metas", (asked,))]
        if ratings:
            unit.append(("meta_ratings", (pack(ratings), *tail)))
        if stars:
            unit.append(("meta_stars", (pack(stars), *tail)))
        unit.append(("keep_songs", (asked,)))
        return unit

    # -------------------------------------------------------------- known again

    async def regroup(self, metas: Sequence[str]) -> None:
        """Lets these go where their songs went. Raises what the store raises."""
        async with self._deciding:
            went: dict[str, tuple[str, int, list[Went]]] = {}
            for meta, kind, other, songs, known, name in await self._store.read(
                "where_songs_went", pack(list(metas)), deadline=30.0
            ):
                went.setdefault(str(meta), (kind, known, []))[2].append(Went(str(other), songs, name))
            facts = {
                str(row[0]): row[4]
                for row in await self._store.read("facts_of_metas", pack(sorted(went)), deadline=30.0)
            }
            taken: set[str] = set()
            for meta, (kind, known, others) in went.items():
                best = follow(meta, others, known, keeps=kind == "artist" or facts.get(meta) is not None)
                if best is None or meta in taken or best.other in taken:
                    continue
                taken.update((meta, best.other))
                left = any(each.other == meta for each in others)
                await self._go(meta, best.other, left=left)
            if taken:
                self.on_kept()
            stay = [meta for meta in metas if meta not in taken]
            if stay:
                await self._store.write([("keep_songs", (pack(stay),))], give_up_after=_GIVE_UP_SECONDS)

    async def _go(self, meta: str, other: str, *, left: bool) -> None:
        now, host = now_ns(), self._store.host
        both = pack([meta, other])
        one, two = uuid.UUID(meta), uuid.UUID(other)
        if (await self._store.read("is_worked_meta", two))[0][0]:
            if left:
                return  # both are somebody's, and both have songs
            await self._store.write(
                [("merge_meta", (one, two, now, host)), ("stale_metas", (both,))], give_up_after=_GIVE_UP_SECONDS
            )
            return
        names = {str(row[0]): row[1:] for row in await self._store.read("names_of_metas", both)}
        if len(names) < 2:
            return
        kind, digest, name, folded, reversed_name = names[meta]
        _kind, new_digest, new_name, new_folded, new_reversed = names[other]
        told = pack({"kind": kind, "was": name, "name": new_name, "digest": new_digest.hex(), "traded": other})
        await self._store.write(
            [
                ("lock_albums", ()),  # nobody sums up the artists whose names are traded
                ("step_meta_aside", (two, two.bytes + b"aside")),
                ("trade_names", (one, new_digest, new_name, new_folded, new_reversed)),
                ("trade_names", (two, digest, name, folded, reversed_name)),
                ("trade_links", (one, two)),
                ("restart_songs", (pack([meta]),)),
                ("keep_songs", (pack([meta]),)),
                ("trade_artists", (one, two)),
                ("stale_albums_of", (both,)),
                ("stale_metas", (both,)),
                ("tell_regrouped", (one, now, host, told)),
            ],
            give_up_after=_GIVE_UP_SECONDS,
        )

    # -------------------------------------------------------------- restore

    async def restore(self, target: uuid.UUID, facts: dict[str, Any]) -> uuid.UUID | None:
        """The album or artist that a line of a backup is about: by its id, else by what it is told from others by; made
        when it is not there, so that its songs find it when they are read. None: the line says too little."""
        known = (await self.live([target]))[0]
        if known is not None:
            return known[0]
        kind, name = facts.get("kind"), str(facts.get("name", ""))
        if kind not in KINDS or not isinstance(facts.get("digest"), str):
            return None
        try:
            digest = bytes.fromhex(facts["digest"])
        except ValueError:
            raise InvalidArgument("a digest in a backup is hexadecimal", facts["digest"][:100]) from None
        rows = await self._store.read("meta_by_digest", kind, digest)
        if rows:
            await self._store.write([("alias_meta", (target, rows[0][0]))], give_up_after=_GIVE_UP_SECONDS)
            return uuid.UUID(str(rows[0][0]))
        folded = fold(name[:1000])
        made = (target, kind, digest, name[:1000], shorten(folded), reverse(folded))
        await self._store.write([("restore_meta", made)], give_up_after=_GIVE_UP_SECONDS)
        return target

    async def refold(self, meta: uuid.UUID) -> None:
        """Makes the tables say what all events on an album or artist amount to."""
        rows = await self._store.read("events_to_fold_meta", meta, pack(list(ACTIONS)))
        actors = fold_meta([(actor, action, json.loads(value)) for actor, action, value in rows])
        put = [{"a": a, "x": own.get("rating"), "s": own.get("starred_ns")} for a, own in actors.items()]
        await self._store.write(
            [
                ("drop_work_meta", (meta,)), ("put_work_meta", (meta, pack(put))),
                ("keep_songs", (pack([str(meta)]),)), ("stale_metas", (pack([str(meta)]),)),
            ],
            give_up_after=_GIVE_UP_SECONDS,
        )  # fmt: skip


def _nothing() -> None:
    """Nobody wants to know."""


def fold_meta(events: Iterable[tuple[str, str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """What (actor, action, value) in their order amount to: rating and starred_ns of each actor. Pure."""
    actors: dict[str, dict[str, Any]] = {}
    for actor, action, told in events:
        if action == "rated":
            actors.setdefault(actor, {})["rating"] = told["rating"]
        elif action == "starred":
            actors.setdefault(actor, {})["starred_ns"] = told["starred_ns"]
        elif action == "merged":
            for who, theirs in told.get("work", {}).items():
                own = actors.setdefault(who, {})
                for name in ("rating", "starred_ns"):
                    if own.get(name) is None:
                        own[name] = theirs.get(name)
    return actors
