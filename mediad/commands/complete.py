"""What may come next in a question: pure suggestions, and values that are looked up among what begins alike."""

from __future__ import annotations

from mediad.commands.context import Call, Context, Replies
from mediad.errors import InvalidArgument, QuerySyntax
from mediad.query.complete import Suggestion, Wanted, complete, suggest
from mediad.query.parse import TEXT_MOST
from mediad.store.facets import facet
from mediadb_contract import mediadb_pb2 as pb

SUGGESTIONS = 50
SUGGESTIONS_MOST = 1000
# Values are counted among so many files at most: a suggestion is there at once, or it is none.
_AMONG = 4000
_SECONDS = 2.0


async def completions(context: Context, request: pb.CompleteRequest, call: Call) -> Replies:
    """Suggestions for the place of the cursor, best first."""
    if len(request.text) > TEXT_MOST:
        raise InvalidArgument(f"a question has at most {TEXT_MOST} characters", request.text[:80])
    most = min(request.limit or SUGGESTIONS, SUGGESTIONS_MOST)
    found = complete(request.text, request.cursor)
    suggestions = list(found.suggestions)
    if found.wanted is not None:
        suggestions += await _values(context, found.wanted, most, call.actor.name)
    reply = pb.CompleteReply()
    for each in suggestions[:most]:
        reply.suggestions.add(start=each.start, end=each.end, text=each.text, what=each.what)
    yield pb.Reply(complete=reply, last=True)


async def _values(context: Context, wanted: Wanted, most: int, actor: str) -> list[Suggestion]:
    name = wanted.field
    if name in ("collection", "playlist", "saved"):
        kind = "playlist" if name == "playlist" else "collection"
        rows = await context.store.read("collections", actor, kind)
        return suggest(wanted, [row[2] for row in rows if name != "saved" or row[6] is not None])[:most]
    begin = wanted.begin.replace('"', " ").strip()
    # The words as they are written so far, the last one open; what is no question of this field has no values.
    if name == "format" or not begin:
        text = ""
    else:
        text = f'{name}:"{begin}*"'
    try:
        question = await context.asking.question(text, actor=actor)
    except QuerySyntax:
        return []
    statement, params = facet(question, name, most, among=_AMONG)
    rows = await context.store.database.fetch(statement, *params, deadline=_SECONDS)
    return suggest(wanted, [row[0] for row in rows])
