"""The media tree of the seed, made and checked."""

from __future__ import annotations

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import check_path
from mediad.errors import InvalidArgument, MediadError
from mediad.moves.tree import FOLDER_MODE, make_tree, top_of
from mediadb_contract import mediadb_pb2 as pb


async def layout(context: Context, request: pb.LayoutRequest, _call: Call) -> Replies:
    """Makes what is missing of the tree, or compares and tries it."""
    top = top_of(check_path(request.path))
    tree = make_tree(torrent_staging=request.torrent_staging, photos=request.photos)
    facts = {"top": top, "folders": list(tree.folders), "mode": FOLDER_MODE, "group": request.group}
    if request.check:
        facts["pairs"] = [list(pair) for pair in tree.staging]
    mover = context.moves.mover()
    try:
        found = await mover.layout(**facts)
    except MediadError as error:
        if error.message.startswith("there is no group"):
            raise InvalidArgument(error.message, request.group) from error
        raise type(error)(error.message, top) from error
    finally:
        mover.close()
    reply = pb.LayoutReply(top=top)
    for path, code, message in found["findings"]:
        reply.findings.add(path=path, code=code, message=message)
    for source, goal, linked, renamed in found.get("pairs", ()):
        reply.trials.add(source=source, goal=goal, link=linked, rename=renamed)
    yield pb.Reply(layout=reply, last=True)
