"""Keeps the text index true to what people and side files say.

The row of a file is first made of the file alone, by whoever lists or reads it. Triggers note the files of which more
is known, or of which something else is known now, in the transaction of that change (table stale_text). Here their
rows are made anew. A mark that rose meanwhile stays: the row is made once more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from typing import Any

from mediad.errors import MediadError
from mediad.fold import fold, shorten
from mediad.index import terms
from mediad.store.store import Store, pack

log = logging.getLogger(__name__)

_AT_ONCE = 100  # rows made in one transaction
_SLICE = 16  # made before others have their turn: some 2 ms
_GIVE_UP_SECONDS = 60.0
# How long a person's request waits for its words to be found; the rest follows by itself.
_SETTLE_SECONDS = 2.0


class Reindexer:
    """One at a time; `wake` when something may have been noted. Sleeps when nothing is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: asyncio.Task[None] | None = None
        self._again = False

    def wake(self) -> None:
        """Something may have been noted."""
        self._again = True
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(), name="reindex")

    async def settle(self) -> None:
        """Returns when everything noted so far is found, or after two seconds."""
        self.wake()
        assert self._running is not None
        await asyncio.wait([self._running], timeout=_SETTLE_SECONDS)

    async def stop(self) -> None:
        """What is noted stays noted."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        while self._again:
            self._again = False
            try:
                while await self._some_folders():
                    pass
                while await self._some():
                    pass
            except MediadError as error:
                # What is noted stays so; the next change, or the next start, tries again.
                log.warning("the text index could not be brought up to date", extra={"why": error.for_log})

    async def _some_folders(self) -> bool:
        """Names of folders that were listed by an older version. True: there may be more."""
        rows = await self._store.read("unfolded_dirs", 500, deadline=30.0)
        if rows:
            folded = [{"i": number, "w": shorten(fold(terms.display(name)))} for number, name in rows]
            await self._store.write([("fold_dirs", (pack(folded),))], give_up_after=_GIVE_UP_SECONDS)
        return bool(rows)

    async def _some(self) -> bool:
        rows = await self._store.read("stale_files", _AT_ONCE, deadline=30.0)
        made: list[dict[str, Any]] = []
        for count, row in enumerate(rows):
            made.append({"f": row[0], "m": row[1], "w": _words(row[2:])})
            if count % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
        if made:
            packed = pack(made)
            await self._store.write(
                [("reindexing", ()), ("reword", (packed,)), ("fresh_text", (packed,))],
                give_up_after=_GIVE_UP_SECONDS, deadline=30.0,
            )  # fmt: skip
        return len(rows) == _AT_ONCE


def _words(row: tuple[Any, ...]) -> str:
    name, folder, above, top, size, mtime, kind, form, fields, sides, tags, own = row
    if folder == b"":
        folders: tuple[bytes, ...] = (os.path.basename(top),)
    else:
        folders = (above, folder) if above else (folder,)
    said: dict[str, bool] = json.loads(tags) if tags else {}
    named: dict[str, str] = json.loads(own) if own else {}
    values, all_tags = terms.effective(terms.from_json(fields), json.loads(sides) if sides else [], said, named)
    return terms.described(name, folders, size, mtime, kind, form, values, all_tags, named).text()
