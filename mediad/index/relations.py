"""How items belong together when a person says so: split, join, replaces, edit, accept, dismiss, detach (settled 6)."""

from __future__ import annotations

import json
import uuid
from typing import Any

from mediad.errors import Conflict, InvalidArgument, NotFound
from mediad.fold import fold, shorten
from mediad.index.keeper import Keeper
from mediad.index.offers import Offer, Offers
from mediad.index.work import By, Statements, Work
from mediad.store.store import Store, now_ns, pack

RELATIONS = ("split", "join", "replaces", "edit", "accept", "dismiss", "detach")


class Relations:
    """Statements of a person about which items are which."""

    def __init__(self, store: Store, keeper: Keeper, work: Work) -> None:
        self._store = store
        self._keeper = keeper
        self._work = work
        self._offers = Offers(store)

    def _tail(self, by: By) -> tuple[Any, ...]:
        return (now_ns(), self._store.host, by.actor, by.operation)

    async def _write(self, unit: Statements) -> None:
        await self._store.write(unit, give_up_after=60.0)
        self._work.tell()

    async def split(self, file: int, stream: uuid.UUID, by: By) -> uuid.UUID:
        """The file gets an item of its own for good, with a copy of the work. Returns the new item."""
        # Made of the operation's id: a request sent twice splits once.
        fresh = uuid.uuid5(by.operation, f"split {file}")
        packed = pack([{"s": str(stream), "t": str(fresh)}])
        now, host = now_ns(), self._store.host
        value = pack({"from": str(stream)})
        await self._write([
            ("split_file", (file, fresh, now, host, by.actor, by.operation, value)),
            ("inherit_work", (packed, now, host)),
            ("merge_work", (packed,)),
        ])  # fmt: skip
        return fresh

    async def join(self, stream: uuid.UUID, other: uuid.UUID | None, by: By) -> uuid.UUID:
        """An item that was split goes back to its equals. Raises NotFound when it has none, Conflict when `other` is no
        equal of it. Returns the item it is now."""
        rows = await self._store.read("equal_prints", stream)
        equals = [row[0] for row in rows]
        if not equals:
            raise NotFound("no other item has this payload", str(stream))
        if other is not None and other not in equals:
            raise Conflict("its payload is not that of this item", str(other))
        into = other or equals[0]
        await self._store.write([("unsplit", (stream,))], give_up_after=60.0)
        pair = {"s": str(stream), "t": str(into), "v": {"was": str(stream), "joined": True}}
        await self._keeper.join([pair], by.actor, by.operation)
        self._work.tell()
        return into

    async def take_place(self, relation: str, new: uuid.UUID, old: uuid.UUID, by: By) -> None:
        """`new` replaces `old` or is an edit of it: the old one's work is carried over, and stays where it was too."""
        if new == old:
            raise InvalidArgument("an item does not take its own place", str(new))
        packed = pack([{"s": str(old), "t": str(new)}])
        told = pack({"relation": relation, "from": str(old)})
        await self._write([
            ("put_lineage", (old, new, relation, "accepted", now_ns())),
            ("tell", (new, *self._tail(by), "related", told)),
            ("merge_work", (packed,)),
            ("mark_work", (pack([str(new)]), now_ns())),
        ])  # fmt: skip

    async def accept(self, new: uuid.UUID, other: uuid.UUID | None, by: By) -> uuid.UUID:
        """An offer (index/offers) is taken: that `new` took the place of `other`, or of the only one it may have.
        Returns the item whose work came. Raises NotFound, InvalidArgument when there are several."""
        offer = await self._offered(new, other)
        old, relation = offer.old, offer.relation
        if not offer.stored:
            await self.take_place(relation, new, old, by)
            return old
        packed = pack([{"s": str(old), "t": str(new)}])
        await self._write([
            ("put_lineage", (old, new, relation, "accepted", now_ns())),
            ("tell", (new, *self._tail(by), "related", pack({"relation": "accept", "from": str(old)}))),
            ("inherit_work", (packed, now_ns(), self._store.host)),
            ("merge_work", (packed,)),
        ])  # fmt: skip
        return old

    async def dismiss(self, new: uuid.UUID, other: uuid.UUID | None, by: By) -> uuid.UUID:
        """An offer is none, for good. Returns the item it was about. Raises as `accept` does."""
        offer = await self._offered(new, other)
        await self._write([
            ("put_lineage", (offer.old, new, offer.relation, "dismissed", now_ns())),
            ("tell", (new, *self._tail(by), "related", pack({"relation": "dismiss", "from": str(offer.old)}))),
        ])  # fmt: skip
        return offer.old

    async def _offered(self, new: uuid.UUID, other: uuid.UUID | None) -> Offer:
        found = [each for each in await self._offers.of(new) if each.new == new and other in (None, each.old)]
        if not found:
            raise NotFound("no lineage of this item is offered", str(new))
        if len(found) > 1:
            raise InvalidArgument(f"{len(found)} lineages of this item are offered: name the other item too", str(new))
        return found[0]

    async def detach(self, new: uuid.UUID, by: By) -> uuid.UUID:
        """A succession that was taken is given up: what was inherited goes, what was done since stays. Returns the
        item it came from. Raises NotFound."""
        old, relation = await self._line(new, "accepted")
        rows = await self._store.read("inherited_by", new, old)
        inherited = json.loads(rows[0][0]) if rows else {}
        stream, tail = str(new), self._tail(by)
        tags = [{"s": stream, "t": tag, "f": shorten(fold(tag)), "k": "none"} for tag in inherited.get("tags", {})]
        fields = [{"s": stream, "n": name, "v": None, "f": ""} for name in inherited.get("fields", {})]
        unit: Statements = [("put_lineage", (old, new, relation, "detached", now_ns()))]
        if tags:
            unit.append(("work_tags", (pack(tags), *tail)))
        if fields:
            unit.append(("work_fields", (pack(fields), *tail)))
        for actor, own in inherited.get("actors", {}).items():
            mine = (tail[0], tail[1], actor, tail[3])
            if "rating" in own:
                unit.append(("work_ratings", (pack([{"s": stream, "x": None}]), *mine)))
            if "starred_ns" in own:
                unit.append(("work_stars", (pack([{"s": stream, "t": None}]), *mine)))
            if "bookmark" in own:
                unit.append(("work_bookmarks", (pack([{"s": stream, "b": None}]), *mine)))
            if own.get("plays"):
                unit.append(("work_plays", (pack([{"s": stream, "c": -own["plays"], "t": None, "i": 0}]), *mine)))
        unit.append(("tell", (new, *tail, "detached", pack({"from": str(old)}))))
        await self._write(unit)
        return old

    async def _line(self, new: uuid.UUID, state: str) -> tuple[uuid.UUID, str]:
        rows = await self._store.read("lineage_to", new, state)
        if not rows:
            raise NotFound(f"no succession of this item is {state}", str(new))
        return rows[0][0], rows[0][1]
