"""The media tree of the seed, made and checked."""

from __future__ import annotations

import asyncio
import logging
import os

from mediad.commands.context import Call, Context, Replies
from mediad.commands.items import check_path
from mediad.commands.move import finish, named
from mediad.errors import InvalidArgument, MediadError
from mediad.index.work import By, new_operation
from mediad.moves.model import Options, Plan
from mediad.moves.operation import operation_of
from mediad.moves.plan import Planner
from mediad.moves.staging import Arrived, arrived
from mediad.moves.tree import FOLDER_MODE, make_tree, top_of
from mediadb_contract import mediadb_pb2 as pb

log = logging.getLogger(__name__)

_STAGING_SECONDS = 1.0


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


async def place(context: Context, request: pb.PlaceRequest, call: Call) -> Replies:
    """What has arrived in the tree's staging folders gets its place."""
    planner = Planner(context.store, context.roots)
    top = top_of(check_path(request.path))
    found = await arrived(context.store, context.roots, planner, top, context.config.staging_seconds)
    plan = await _plan(context, planner, found)
    if found.unfinished or found.later:
        plan.notes.append("some of it is not complete yet, or not at rest: it waits")
    async for reply in finish(context, plan, call, dry_run=request.dry_run):
        yield pb.Reply(place=reply.move, last=reply.last) if reply.HasField("move") else reply


async def _plan(context: Context, planner: Planner, found: Arrived) -> Plan:
    """One plan for all that has arrived: hard links or nothing."""
    whole = Plan(Options("hardlink", require=True))
    mover = context.moves.mover()
    try:
        for template, selected in found.files.items():
            units = await planner.units(selected)
            wish = await named(context, units, template, (found.root, found.media), whole.options)
            plan = await planner.plan(mover, units, wish, whole.options)
            whole.add(plan)
    finally:
        mover.close()
    return whole


async def watch_staging(context: Context) -> None:
    """Looks at the staging folders of the configuration when a walk has ended: says in `status` what has arrived, or by
    rule places it. While nothing changes nothing runs."""
    config = context.config
    if not config.staging:
        return
    planner = Planner(context.store, context.roots)
    walked = asyncio.Event()
    context.roots.on_walked.append(walked.set)
    walked.set()
    while True:
        later = 0.0
        await walked.wait()
        walked.clear()
        for text in config.staging:
            top = top_of(os.fsencode(text))
            try:
                found = await arrived(context.store, context.roots, planner, top, config.staging_seconds)
                if found.count and config.staging_place == "hardlink":
                    plan = await _plan(context, planner, found)
                    if plan.files and plan.fatal is None:
                        await context.moves.apply(operation_of(plan, By("staging", new_operation())))
                    for problem in plan.problems:
                        log.info("a download has no place", extra={"why": problem.code})
                    found.files.clear()
                context.staged[text] = found.count
                if found.later:
                    later = min(later or found.later, found.later)
            except MediadError as error:
                log.warning("a media tree cannot be looked at", extra={"why": error.for_log})
        if later:
            asyncio.get_running_loop().call_later(later + 0.1, walked.set)
        await asyncio.sleep(_STAGING_SECONDS)  # walks come in bursts
