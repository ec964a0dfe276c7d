"""What a person made: tags, ratings, stars, fields, plays, collections, and taking any of it back.

Everything is an event on a stream (settled 9), written in the same transaction as the tables that say what all events
amount to; a statement changes only what is different, so that a request sent twice is done once. Effective values:
settled 12.
"""

from __future__ import annotations

import asyncio
import functools
import json
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from mediad.errors import Conflict, InvalidArgument, LimitExceeded, NotFound
from mediad.fold import fold, shorten
from mediad.ids import mint
from mediad.store.store import Store, now_ns, pack
from mediadb_contract.fields import FIELDS

# Events of persons are kept for ever; what was merely seen is compacted (settled 10).
PERSONAL = ("tagged", "untagged", "rated", "starred", "set", "played", "created", "collected", "uncollected", "renamed",
            "deleted", "requeried", "related", "split", "joined", "bookmarked", "unbookmarked")  # fmt: skip
# These are no person's, but say where a person's work went, or which of two values lost (index/sidemerge).
# What a player said ("queued") is no deed to be undone, but lasts.
KEPT = (*PERSONAL, "inherited", "detached", "merged", "succeeded", "conflict", "regrouped", "queued")
TAG_MOST = 200  # characters
VALUE_MOST = 10_000
COMMENT_MOST = 1000
POSITION_MOST = 1e9  # seconds
P = ParamSpec("P")
R = TypeVar("R")
# Statements that tell of no change.
_QUIET = ("hold_streams", "hold_collection", "mark_work", "hold_metas", "keep_songs")
IDS_AT_ONCE = 2000  # in a statement that only looks them up
SET_MOST = 20_000  # entries that a collection is given at once: the event fits a frame
STREAMS_AT_ONCE = 500  # of one request in one transaction's statement
COLLECTION_KINDS = ("collection", "playlist")


@dataclass(frozen=True, slots=True)
class By:
    """On whose behalf, and under which operation."""

    actor: str
    operation: uuid.UUID


@dataclass(frozen=True, slots=True)
class Action:
    """One thing done to every item of a request; fields as in WorkAction of proto/mediadb.proto."""

    action: str
    name: str = ""
    value: str = ""
    number: float = 0.0
    at_ns: int = 0
    count: int = 1


def check_action(action: Action) -> Action:
    """The action, cleaned. Raises InvalidArgument naming what is wrong with it."""
    kind = action.action
    if kind in ("tag", "untag"):
        name = " ".join(action.name.split())
        if not name:
            raise InvalidArgument("a tag has at least one character", action.name)
        if len(name) > TAG_MOST:
            raise InvalidArgument(f"a tag has at most {TAG_MOST} characters", name)
        return Action(kind, _clean(name))
    if kind == "rate":
        if not 0 <= action.number <= 5:
            raise InvalidArgument("a rating is a number from 0 to 5", f"{action.number:g}")
        return Action(kind, number=action.number)
    if kind in ("set", "unset"):
        name = action.name.strip().lower()
        if not name or len(name) > 100 or not name.replace("_", "").replace("-", "").isalnum():
            raise InvalidArgument("a field's name is letters, digits, - and _", action.name)
        if len(action.value) > VALUE_MOST:
            raise InvalidArgument(f"a value has at most {VALUE_MOST} characters", name)
        return Action(kind, name, _clean(action.value))
    if kind == "play":
        if action.count > 1_000_000:
            raise InvalidArgument("a million plays at once are too many", str(action.count))
        return Action(kind, at_ns=action.at_ns or now_ns(), count=action.count or 1)
    if kind == "star":
        return Action(kind, at_ns=action.at_ns or now_ns())
    if kind == "bookmark":
        if not 0 <= action.number <= POSITION_MOST:
            raise InvalidArgument("a bookmark's position is seconds from the beginning", f"{action.number:g}")
        if len(action.value) > COMMENT_MOST:
            raise InvalidArgument(f"a bookmark's comment has at most {COMMENT_MOST} characters", action.value[:200])
        at_ns = max(action.at_ns, 0) or now_ns()
        return Action(kind, value=_clean(action.value), number=action.number, at_ns=at_ns)
    if kind in ("unrate", "unstar", "unbookmark"):
        return Action(kind)
    raise InvalidArgument(
        "the actions are tag, untag, rate, unrate, star, unstar, set, unset, play, bookmark, unbookmark", kind
    )


def _clean(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


Statements = list[tuple[str, tuple[Any, ...]]]


@dataclass(slots=True)
class Changes:
    """Rows for the statements of sql/queries/work.sql, all of one transaction."""

    tags: list[dict[str, Any]] = field(default_factory=list)
    ratings: list[dict[str, Any]] = field(default_factory=list)
    stars: list[dict[str, Any]] = field(default_factory=list)
    fields: list[dict[str, Any]] = field(default_factory=list)
    plays: list[dict[str, Any]] = field(default_factory=list)
    bookmarks: list[dict[str, Any]] = field(default_factory=list)
    streams: dict[str, None] = field(default_factory=dict)

    def add(self, stream: str, line: int, action: Action) -> None:
        """One action on one stream; `line`: its number in the request."""
        self.streams[stream] = None
        kind = action.action
        if kind in ("tag", "untag"):
            becomes = "added" if kind == "tag" else "auto"
            self.tags.append({"s": stream, "t": action.name, "f": shorten(fold(action.name)), "k": becomes})
        elif kind in ("rate", "unrate"):
            self.ratings.append({"s": stream, "x": action.number if kind == "rate" else None})
        elif kind in ("star", "unstar"):
            self.stars.append({"s": stream, "t": action.at_ns if kind == "star" else None})
        elif kind in ("set", "unset"):
            self.set(stream, action.name, action.value if kind == "set" else None)
        elif kind == "bookmark":
            mark = {"position": action.number, "comment": action.value, "at_ns": action.at_ns}
            self.bookmarks.append({"s": stream, "b": mark})
        elif kind == "unbookmark":
            self.bookmarks.append({"s": stream, "b": None})
        else:
            self.plays.append({"s": stream, "c": action.count, "t": action.at_ns, "i": line})

    def set(self, stream: str, name: str, value: str | None) -> None:
        """A field's value, or none."""
        self.streams[stream] = None
        self.fields.append({"s": stream, "n": name, "v": value, "f": shorten(fold(value or ""))})

    def statements(self, host: uuid.UUID, by: By) -> Statements:
        tail = (now_ns(), host, by.actor, by.operation)
        asked = pack(list(self.streams))
        unit: Statements = [("hold_streams", (asked,)), ("mark_work", (asked, tail[0]))]
        if self.tags:
            unit.append(("work_tags", (pack(self.tags), *tail)))
        if self.ratings:
            unit.append(("work_ratings", (pack(self.ratings), *tail)))
        if self.stars:
            unit.append(("work_stars", (pack(self.stars), *tail)))
        if self.fields:
            unit.append(("work_fields", (pack(self.fields), *tail)))
        if self.plays:
            unit.append(("work_plays", (pack(self.plays), *tail)))
        if self.bookmarks:
            unit.append(("work_bookmarks", (pack(self.bookmarks), *tail)))
        return unit


class Metas(Protocol):
    """What index/metawork does for this."""

    def statements(self, metas: Sequence[str], actions: Sequence[Action], by: By) -> Statements: ...

    def unit(self, stars: list[dict[str, Any]], ratings: list[dict[str, Any]], by: By) -> Statements: ...


def _one_by_one(
    change: Callable[Concatenate[Work, P], Awaitable[R]],
) -> Callable[Concatenate[Work, P], Coroutine[Any, Any, R]]:
    """A change of collections waits for the one before it."""

    @functools.wraps(change)
    async def alone(work: Work, /, *args: P.args, **kwargs: P.kwargs) -> R:
        async with work._listing:
            return await change(work, *args, **kwargs)

    return alone


class Work:
    """What persons do. `on_work` is called after something was stored; `on_doubt` when checksums are wanted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.on_work: list[Any] = []
        self.settle: Callable[[], Awaitable[None]] | None = None  # until what was said can be found
        self.metas: Metas | None = None  # stars and ratings of albums and artists
        # What is in a collection is read, then changed: one change after the other. Those of another daemon on the same
        # store wait for the collection's row.
        self._listing = asyncio.Lock()

    async def take(self, changes: Changes, by: By, more: Statements) -> None:
        """Stores what was said elsewhere (a side file), with `more` in the same transaction."""
        unit = changes.statements(self._store.host, by) if changes.streams else []
        await self._write([*more, *unit])

    async def _write(self, unit: Statements) -> int:
        results = await self._store.write(unit, give_up_after=60.0, deadline=30.0)
        self.tell()
        if self.settle is not None:
            await self.settle()
        return sum(len(rows) for (name, _), rows in zip(unit, results, strict=True) if name not in _QUIET)

    def tell(self) -> None:
        """Something of a person's was stored."""
        for told in self.on_work:
            told()

    async def live(self, ids: Sequence[uuid.UUID]) -> list[uuid.UUID | None]:
        """The streams that ids stand for today, None for an id that nobody knows."""
        rows = await self._store.read("work_streams", pack([str(each) for each in ids]))
        return [row[1] for row in rows]

    async def apply(self, streams: Sequence[str], actions: Sequence[Action], by: By, metas: Sequence[str] = ()) -> int:
        """Does all of the actions to all of the streams, and of the albums and artists `metas`, in one transaction.
        Returns how many things that changed. Raises InvalidArgument for what cannot be done to an album or artist."""
        changes = Changes()
        for stream in streams:
            for line, action in enumerate(actions):
                changes.add(stream, line, action)
        unit = changes.statements(self._store.host, by) if streams else []
        if metas and self.metas is not None:
            unit += self.metas.statements(metas, actions, by)
        return await self._write(unit) if unit else 0

    # -------------------------------------------------------------- collections

    async def collection(self, kind: str, name: str, actor: str) -> tuple[uuid.UUID, str, str | None] | None:
        """A collection's id, name, and question if it is one; an actor's own goes before everybody's."""
        rows = await self._store.read("collection_by_name", kind, actor, name)
        return (rows[0][0], rows[0][1], rows[0][3]) if rows else None

    @_one_by_one
    async def save(self, name: str, query: str, by: By) -> uuid.UUID:
        """A collection that holds what a question finds, from now on; saved again, another question. The caller has
        checked the question. Raises InvalidArgument for a name that cannot be, Conflict for one that items were put
        into."""
        name = self._check_name("collection", name)
        folded = shorten(fold(name))
        if not folded:
            raise InvalidArgument("a saved question is asked by its name: it has a letter or digit", name)
        tail = (now_ns(), self._store.host, by.actor, by.operation)
        found = await self.collection("collection", name, by.actor)
        if found is None:
            number = uuid.uuid5(by.operation, f"collection {name}")
            await self._write([("make_collection", (number, *tail, "collection", name, folded, query))])
            return number
        if found[2] is None:
            raise Conflict("there is a collection of that name, which items are put into", name)
        await self._write([("requery_collection", (found[0], *tail, query))])
        return found[0]

    async def entries(self, collection: uuid.UUID) -> list[bytes]:
        """The items in order, each as what it is today: 16 bytes an item."""
        return await self.today((await self._store.read("collection_items", collection))[0][0])

    async def today(self, data: bytes) -> list[bytes]:
        """Items, 16 bytes each; what was edited in place by what came of it. Many stay bytes from end to end: 10,000
        of them made into UUIDs and text would hold the loop up."""
        ids = [data[at : at + 16] for at in range(0, len(data), 16)]
        known = list(dict.fromkeys(ids))
        came: dict[bytes, bytes] = {}
        for start in range(0, len(known), IDS_AT_ONCE):
            asked = pack([each.hex() for each in known[start : start + IDS_AT_ONCE]])
            came.update((old.bytes, new.bytes) for old, new in await self._store.read("successors", asked))
        return [came.get(each, each) for each in ids] if came else ids

    @_one_by_one
    async def put_all(self, kind: str, name: str, streams: Sequence[str], by: By) -> uuid.UUID:
        """These items instead of all that the collection holds; it is made when it is not there. Raises InvalidArgument
        for a name that cannot be, and for a saved question; LimitExceeded."""
        name = self._check_name(kind, name)
        if len(streams) > SET_MOST:
            raise LimitExceeded(f"at most {SET_MOST:,} entries are set at once", str(len(streams)))
        found = await self.collection(kind, name, by.actor)
        self._check_plain(found)
        tail = (now_ns(), self._store.host, by.actor, by.operation)
        number = found[0] if found is not None else uuid.uuid5(by.operation, f"{kind} {name}")
        unit: Statements = []
        if found is None:
            unit.append(("make_collection", (number, *tail, kind, name, shorten(fold(name)), None)))
        asked = pack(list(streams))
        unit.append(("hold_collection", (number,)))
        await self._write([*unit, ("set_entries", (number, *tail, asked)), ("mark_work", (asked, tail[0]))])
        return number

    @_one_by_one
    async def put_in(self, kind: str, name: str, streams: Sequence[str], place: int, by: By) -> uuid.UUID:
        """Puts items into a collection, which is made when it is not there, before the one at `place` (-1: behind the
        last). Raises InvalidArgument for a name or place that cannot be, and for a saved question."""
        name = self._check_name(kind, name)
        found = await self.collection(kind, name, by.actor)
        self._check_plain(found)
        tail = (now_ns(), self._store.host, by.actor, by.operation)
        unit: Statements = []
        if found is None:
            # Made from the operation's id: a request sent twice makes it once.
            number = uuid.uuid5(by.operation, f"{kind} {name}")
            unit.append(("make_collection", (number, *tail, kind, name, shorten(fold(name)), None)))
            size = 0
        else:
            number = found[0]
            size = len(await self._store.read("collection_entries", number))
        if streams:
            if place > size:
                raise InvalidArgument(f"{name} has {size} entries", str(place))
            at = size if place < 0 else place
            unit.append(("hold_collection", (number,)))
            unit.append(("insert_entries", (number, *tail, at, pack(list(streams)), "0")))
            unit.append(("mark_work", (pack(list(streams)), tail[0])))
        if unit:
            await self._write(unit)
        return number

    @_one_by_one
    async def take_out(self, kind: str, name: str, place: int, by: By) -> uuid.UUID:
        """Takes out the entry at a place. Raises NotFound, InvalidArgument."""
        number, size = await self._sized(kind, name, by.actor, plain=True)
        self._check_place(name, place, size)
        tail = (now_ns(), self._store.host, by.actor, by.operation)
        await self._write([
            ("hold_collection", (number,)),
            ("remove_entries", (number, *tail, place, 1, "0")), ("close_ranks", (number,)),
        ])  # fmt: skip
        return number

    @_one_by_one
    async def reorder(self, kind: str, name: str, place: int, to: int, by: By) -> uuid.UUID:
        """Moves the entry at a place to another. Raises NotFound, InvalidArgument."""
        number, size = await self._sized(kind, name, by.actor, plain=True)
        self._check_place(name, place, size)
        self._check_place(name, to, size)
        item = (await self._store.read("collection_entries", number))[place][0]
        tail = (now_ns(), self._store.host, by.actor, by.operation)
        await self._write([
            ("hold_collection", (number,)),
            ("remove_entries", (number, *tail, place, 1, "0")), ("close_ranks", (number,)),
            ("insert_entries", (number, *tail, to, pack([str(item)]), "1")),
        ])  # fmt: skip
        return number

    @_one_by_one
    async def rename(self, kind: str, name: str, new_name: str, by: By) -> uuid.UUID:
        """Another name. Raises NotFound, Conflict when that name is taken."""
        number, _size = await self._sized(kind, name, by.actor)
        new_name = self._check_name(kind, new_name)
        other = await self.collection(kind, new_name, by.actor)
        if other is not None and other[0] != number:
            raise Conflict(f"there is a {kind} of that name", new_name)
        tail = (now_ns(), self._store.host, by.actor, by.operation)
        await self._write([("rename_collection", (number, *tail, new_name, shorten(fold(new_name))))])
        return number

    @_one_by_one
    async def delete(self, kind: str, name: str, by: By) -> uuid.UUID:
        """The collection goes; the items stay. Raises NotFound."""
        number, _size = await self._sized(kind, name, by.actor)
        await self._write([("delete_collection", (number, now_ns(), self._store.host, by.actor, by.operation))])
        return number

    async def _sized(self, kind: str, name: str, actor: str, *, plain: bool = False) -> tuple[uuid.UUID, int]:
        """`plain`: one that items are put into."""
        found = await self.collection(kind, self._check_name(kind, name), actor)
        if found is None:
            raise NotFound(f"there is no {kind} of that name", name)
        if plain:
            self._check_plain(found)
        return found[0], len(await self._store.read("collection_entries", found[0]))

    @staticmethod
    def _check_plain(found: tuple[uuid.UUID, str, str | None] | None) -> None:
        if found is not None and found[2] is not None:
            raise InvalidArgument(
                "this is a saved question: it holds what it finds, nothing is put in or out", found[1]
            )

    @staticmethod
    def _check_name(kind: str, name: str) -> str:
        if kind not in COLLECTION_KINDS:
            raise InvalidArgument(f"the kinds are {' and '.join(COLLECTION_KINDS)}", kind)
        name = _clean(" ".join(name.split()))
        if not name or len(name) > TAG_MOST:
            raise InvalidArgument(f"a {kind}'s name has 1 to {TAG_MOST} characters", name)
        return name

    @staticmethod
    def _check_place(name: str, place: int, size: int) -> None:
        if not 0 <= place < size:
            raise InvalidArgument(f"{name} has {size} entries, counted from 0", str(place))

    # -------------------------------------------------------------- taking back

    async def last_operations(self, actor: str | None, most: int) -> list[tuple[Any, ...]]:
        """The last operations, newest first: (id, at_ns, actor, events, command, undone, last seq, action, tag)."""
        return await self._store.read("operations", actor, pack(list(PERSONAL)), most, deadline=30.0)

    async def undo(self, operation: uuid.UUID, by: By) -> int:
        """Takes back what an operation did, in one transaction. Returns how many things that changed. Raises NotFound,
        Conflict when something of it cannot be taken back."""
        events = await self._store.read("events_of_operation", operation)
        events = [row for row in events if row[4] in PERSONAL]
        if not events:
            raise NotFound("no operation of a person has that id", str(operation))
        changes: dict[str, Changes] = {}
        unit: Statements = []
        for seq, actor, kind, target, action, value in events:
            told = json.loads(value)
            if kind == "collection":
                unit += self._undo_collection(uuid.UUID(target), action, told, By(actor, by.operation), seq)
            elif kind == "meta":
                unit += self._undo_meta(target, action, told, By(actor, by.operation))
            else:
                stream = (await self.live([uuid.UUID(target)]))[0]
                if stream is not None:
                    _undo_event(changes.setdefault(actor, Changes()), str(stream), action, told, seq)
        for actor, change in changes.items():
            # What was one person's is given back to that person, whoever takes it back.
            unit += change.statements(self._store.host, By(actor, by.operation))
        unit.append(("mark_undone", (operation, by.operation)))
        return await self._write(unit)

    def _undo_meta(self, meta: str, action: str, told: dict[str, Any], by: By) -> Statements:
        if self.metas is None:
            return []
        if action == "starred":
            return self.metas.unit([{"s": meta, "t": told["was"]}], [], by)
        return self.metas.unit([], [{"s": meta, "x": told["was"]}], by)

    def _undo_collection(
        self, number: uuid.UUID, action: str, told: dict[str, Any], by: By, seq: int
    ) -> Statements:  # fmt: skip
        tail = (now_ns(), self._store.host, by.actor, by.operation)
        if action == "created":
            return [("delete_collection", (number, *tail))]
        if action == "collected":
            remove = ("remove_entries", (number, *tail, told["place"], len(told["items"]), f"u{seq}"))
            return [("hold_collection", (number,)), remove, ("close_ranks", (number,))]
        if action == "uncollected":
            insert = ("insert_entries", (number, *tail, told["place"], pack(told["items"]), f"u{seq}"))
            return [("hold_collection", (number,)), insert]
        if action == "renamed":
            return [("rename_collection", (number, *tail, told["was"], shorten(fold(told["was"]))))]
        if action == "requeried":
            return [("requery_collection", (number, *tail, told["was"]))]
        if action == "deleted":
            folded = shorten(fold(told["name"]))
            again: Statements = [
                ("make_collection", (number, *tail, told["kind"], told["name"], folded, told.get("query")))
            ]
            if told["items"]:
                again.append(("insert_entries", (number, *tail, 0, pack(told["items"]), f"u{seq}")))
            return again
        return []


def _undo_event(changes: Changes, stream: str, action: str, told: dict[str, Any], seq: int) -> None:
    changes.streams[stream] = None
    if action in ("tagged", "untagged"):
        changes.tags.append({"s": stream, "t": told["tag"], "f": shorten(fold(told["tag"])), "k": told["was"]})
    elif action == "rated":
        changes.ratings.append({"s": stream, "x": told["was"], "w": told.get("whose")})
    elif action == "starred":
        changes.stars.append({"s": stream, "t": told["was"]})
    elif action == "set":
        changes.set(stream, told["field"], told["was"])
    elif action in ("bookmarked", "unbookmarked"):
        changes.bookmarks.append({"s": stream, "b": told["was"]})
    elif action == "played":
        number = 1_000_000 + seq % 1_000_000_000  # of a line: once for this request
        changes.plays.append({"s": stream, "c": -told["count"], "t": told["was_ns"], "i": number})
    else:
        raise Conflict(f"that an item was {action} is taken back by `mediactl relate`", stream)


def effective(
    row: Sequence[Any] | None, embedded: Iterable[tuple[str | None, str | None]]
) -> dict[str, Any]:  # fmt: skip
    """What a person's work and the files say together, by vocabulary names (settled 12). `row`: work_of_streams without
    the stream; `embedded`: keywords and rating of each file, as JSON text."""
    tags: dict[str, None] = {}
    rating: float | None = None
    for keywords, stars in embedded:
        tags.update(dict.fromkeys(json.loads(keywords) if keywords else ()))
        if rating is None and stars:
            rating = json.loads(stars)
    found: dict[str, Any] = {}
    if row is not None:
        own_tags, own_fields, own_rating, starred, plays, played, lists, mark = row
        for tag, removed in (json.loads(own_tags) if own_tags else {}).items():
            if removed:
                tags.pop(tag, None)
            else:
                tags[tag] = None
        if own_rating is not None:
            rating = own_rating
        if starred is not None:
            found["starred"] = True
            found["starred_at"] = starred / 1e9
        if plays:
            found["play_count"] = plays
        if played:
            found["last_played_at"] = played / 1e9
        if mark is not None:
            told = json.loads(mark)
            comment = {"comment": told["comment"]} if told["comment"] else {}
            found["bookmark"] = {"position": told["position"], **comment, "at": told["at_ns"] / 1e9}
        for kind, name in json.loads(lists) if lists else ():
            found.setdefault(f"{kind}s", []).append(name)
        for name, value in sorted((json.loads(own_fields) if own_fields else {}).items()):
            found[f"user_{name}" if name in FIELDS else name] = value
    if tags:
        found["user_tags"] = list(tags)
    if rating is not None:
        found["user_rating"] = int(rating) if float(rating).is_integer() else rating
    return found


def new_operation() -> uuid.UUID:
    """For a request that came without one: its events belong together all the same."""
    return mint.uuid()
