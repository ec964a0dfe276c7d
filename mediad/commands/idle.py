"""What the daemon does when nobody asks for anything: checksums that settle doubts, walks as the net below the kernel's
events, the feed's horizon. Each waits for its event or its hour; while there is nothing to do nothing runs.
"""

from __future__ import annotations

import asyncio
import logging

from mediad.commands.checksums import checksum_of_file
from mediad.commands.context import Context
from mediad.errors import MediadError, Unavailable
from mediad.store.store import pack

log = logging.getLogger(__name__)

_DOUBTS_AT_ONCE = 8
_BUSY_SECONDS = 0.5  # reading goes first
_AGAIN_SECONDS = 2.0  # a file that was gone or written to: by then a walk knows of it
_PAUSE_SECONDS = 30.0  # after what failed for the time being
HOUR = 3600.0
_PREVIEWS_SECONDS = 10.0  # between two looks at the folder of previews


async def settle_doubts(context: Context) -> None:
    """Computes the checksums that are wanted, one after the other, while nothing else is read."""
    wanted = context.reader.keeper.wanted
    while True:
        try:
            wanted.clear()  # before looking: what is wanted meanwhile wakes it again
            here = pack(context.roots.readable())
            rows = await context.store.read("take_doubts", here, _DOUBTS_AT_ONCE, deadline=30.0)
            if not rows:
                await wanted.wait()
                continue
            wanted.set()
            again = False
            for stream, file in rows:
                while context.reader.busy or context.traffic.in_flight > 1:
                    await asyncio.sleep(_BUSY_SECONDS)
                again = not await _settle(context, str(stream), file) or again
            if again:
                await asyncio.sleep(_AGAIN_SECONDS)
        except MediadError as error:
            log.warning("checksums wait", extra={"why": error.for_log})
            await asyncio.sleep(_PAUSE_SECONDS)


async def _settle(context: Context, stream: str, file: int) -> bool:
    """Whether it is known now, or is to be asked of another file."""
    rows = await context.store.read("file_facts", file)
    if not rows or str(rows[0][0]) != stream:
        return True  # while those before it were computed the file went, or became another item's: no try was made
    try:
        await checksum_of_file(context, file, "stream")
    except Unavailable:
        raise
    except MediadError as error:
        log.info("a wanted checksum cannot be had", extra={"why": error.code})
        await context.store.write([("try_doubt", (stream,))], give_up_after=60.0)
        return False
    left = (await context.store.write([("end_doubt", (stream,))], give_up_after=60.0))[0]
    if left:
        await context.store.write([("try_doubt", (stream,))], give_up_after=60.0)
    return not left


async def rescan(context: Context) -> None:
    """Walks every watched root again, hours after it was walked last."""
    hours = context.config.rescan_hours
    while hours:
        await asyncio.sleep(hours * HOUR)
        for root in context.roots.mine():
            if root.watched:
                await asyncio.wait([context.roots.scan(root)])


async def rescan_remote(context: Context) -> None:
    """Walks the roots that other machines change: no event of this kernel tells of it."""
    minutes = context.config.remote_minutes
    while minutes:
        await asyncio.sleep(minutes * 60.0)
        for root in context.roots.mine():
            if root.watched and root.remote:
                await asyncio.wait([context.roots.scan(root)])


async def keep_house(context: Context) -> None:
    """Once a day drops what was merely seen beyond the horizon of the feed."""
    while True:
        try:
            gone = await context.feed.compact(context.config.feed_keep)
            if gone:
                log.info("the feed was compacted", extra={"count": gone})
        except MediadError as error:
            log.warning("the feed was not compacted", extra={"why": error.for_log})
        await asyncio.sleep(24 * HOUR)


async def keep_previews(context: Context) -> None:
    """Clears away previews when there are too many of them, or items went, and nothing else is done."""
    while True:
        await context.previews.changed.wait()
        context.previews.changed.clear()  # before looking: what happens meanwhile wakes it again
        try:
            while context.reader.busy or context.traffic.in_flight > 1:
                await asyncio.sleep(_BUSY_SECONDS)
            gone = await context.previews.sweep()
            if gone:
                log.info("previews were cleared away", extra={"count": gone})
        except MediadError as error:
            log.warning("previews were not cleared away", extra={"why": error.for_log})
        except OSError as error:
            log.warning("previews were not cleared away", extra={"why": error.strerror or type(error).__name__})
        await asyncio.sleep(_PREVIEWS_SECONDS)
