"""A small picture of an item (docs/protocol.md)."""

from __future__ import annotations

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import resolve
from mediad.errors import InvalidArgument
from mediad.index.previews import SIZES
from mediadb_contract import mediadb_pb2 as pb

_PART = 512 * 1024  # bytes of one reply: half of a frame


async def preview(context: Context, request: pb.PreviewRequest, call: Call) -> Replies:
    """The preview of one target in one of the fixed sizes, in as many replies as it takes; with `same` and no data when
    the client has it.

    Raises InvalidArgument for another size, NotFound where there is nothing to show, and what `Previews.get` raises."""
    if request.size not in SIZES:
        raise InvalidArgument(f"previews have {', '.join(map(str, SIZES))} pixels", str(request.size))
    stream, _file = await resolve(context, request.target)
    found = await context.previews.get(stream, request.size, request.known)
    about = pb.PreviewReply(mime_type=found.mime_type, width=found.width, height=found.height, tag=found.tag)
    if request.known and request.known == found.tag:
        about.same = True
        yield pb.Reply(preview=about, last=True)
        return
    for start in range(0, len(found.data), _PART):
        about.data = found.data[start : start + _PART]
        yield pb.Reply(preview=about, last=start + _PART >= len(found.data))
        about = pb.PreviewReply()
