"""What is asked about a question beside its items: how many, how often each value, how it is answered, what changes.

Both clients have these as methods: `query_count`, `query_facets`, `query_explain`, `query_follow`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from mediactl.decode import decode_item
from mediactl.model import Item
from mediactl.workcalls import Call
from mediadb_contract import mediadb_pb2 as pb


@dataclass(frozen=True, slots=True)
class Facet:
    """How many items have each value of a field, the most frequent first. `more`: there are others."""

    field: str
    values: list[tuple[str, int]]
    more: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """How many items (or files) match, None when not asked for, and facets."""

    count: int | None
    facets: list[Facet]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a question is understood and answered. `share`: of the files that the index is expected to find, 1 where
    nothing is known."""

    tree: list[str]
    sql: str
    parameters: list[str]
    plan: list[str]
    share: float


@dataclass(frozen=True, slots=True)
class Followed:
    """A piece of an answer that goes on. what: `item` (matches from the beginning), `caught_up` (all of these were
    given), `changed` (matches now: new, or with something else in it), `left` (matches no more, or never did; only
    `id` is set), `resync` (what was given is void, all comes again)."""

    what: str
    id: UUID | None = None
    item: Item | None = None


def count(
    text: str, *, count: bool = True, facets: Sequence[str] = (), facet_limit: int = 0, files: bool = False
) -> Call[Counted]:
    """How many match, and how often each value of some fields is among them. `facet_limit`: values of each at most, 0:
    50."""
    command = pb.QueryRequest(text=text, count=count, facets=facets, facet_limit=facet_limit, files=files)
    return Call(pb.Request(query=command), _counted)


def _counted(replies: Sequence[pb.Reply]) -> Counted:
    reply = replies[-1].query
    facets = [Facet(each.field, [(one.value, one.items) for one in each.values], each.more) for each in reply.facets]
    return Counted(reply.count if reply.HasField("count") else None, facets)


def explain(text: str, *, files: bool = False, sort: Sequence[str] = ()) -> Call[Explanation]:
    """How a question is understood and answered; it is asked for it, a page of it."""
    command = pb.QueryRequest(text=text, explain=True, files=files, sort=sort)
    return Call(pb.Request(query=command), lambda replies: _explained(replies[-1].query.explanation))


def _explained(told: pb.Explanation) -> Explanation:
    return Explanation(list(told.tree), told.sql, list(told.parameters), list(told.plan), told.share)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text for the characters from `start` to `end` of a question. what: field, value, sort, operator."""

    start: int
    end: int
    text: str
    what: str


def complete(text: str, cursor: int | None = None, *, limit: int = 0) -> Call[list[Suggestion]]:
    """What may stand where the cursor is (a number of characters; None: at the end), best first."""
    command = pb.CompleteRequest(text=text, cursor=len(text) if cursor is None else cursor, limit=limit)
    return Call(
        pb.Request(complete=command),
        lambda replies: [Suggestion(e.start, e.end, e.text, e.what) for e in replies[-1].complete.suggestions],
    )


def follow_request(text: str, *, fields: bool = False, columns: Sequence[str] = ()) -> pb.Request:
    """Everything that matches, then what changes."""
    return pb.Request(query=pb.QueryRequest(text=text, follow=True, fields=fields, columns=columns))


class Following:
    """Replies of a question that is followed, one after the other, as what a person calls them."""

    def __init__(self) -> None:
        self._caught_up = False

    def take(self, reply: pb.QueryReply) -> Iterator[Followed]:
        """What a reply says."""
        if reply.resync:
            self._caught_up = False
            yield Followed("resync")
        what = "changed" if self._caught_up else "item"
        for each in reply.items:
            item = decode_item(each)
            yield Followed(what, item.id, item)
        for left in reply.left:
            yield Followed("left", UUID(bytes=left))
        if reply.caught_up:
            self._caught_up = True
            yield Followed("caught_up")
