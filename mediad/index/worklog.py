"""A person's events in plain sight: `work/<host>.ndjson` in the data folder, a line an event (settled 11).

Each line has the target's id, its keys and its last known paths, so that an import into an empty database finds its
targets. The file follows the feed: what the database has and the file has not, because the daemon ended in between, is
appended at the next start.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import uuid
from pathlib import Path
from typing import Any

from mediad.errors import MediadError
from mediad.index.scan import Places
from mediad.index.work import KEPT
from mediad.store.store import Store, pack

log = logging.getLogger(__name__)

_PART = 256 * 1024  # characters in one write: encoding and copying them takes a millisecond
_LINES_A_TURN = 100  # events described before others have their turn: some 2 ms
_LINES_AT_ONCE = 500
_PATHS = 4  # of one target in a line
_ITEMS = 200  # described in one line
_GRADES = {1: "fingerprint", 2: "track", 3: "checksum"}


def path_text(path: bytes) -> str | dict[str, str]:
    """A path for JSON: its text, or {"raw": base64} where it is none."""
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        return {"raw": base64.b64encode(path).decode()}


def text_path(value: Any) -> bytes:
    """The path again."""
    return base64.b64decode(value["raw"]) if isinstance(value, dict) else str(value).encode()


class WorkLog:
    """Appends this host's events of persons. `wake` after each; one task writes."""

    def __init__(self, store: Store, places: Places, folder: Path) -> None:
        self._store = store
        self._places = places
        self.path = folder / f"{store.host}.ndjson"
        self._last = -1
        self._work = asyncio.Event()
        self.problem = ""

    def wake(self) -> None:
        """There may be something to write."""
        self._work.set()

    async def run(self) -> None:
        """Writes for ever; what the disk or the database refuses is tried again and said in `status`."""
        self._work.set()
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                await self.catch_up()
                self.problem = ""
            except MediadError as error:
                self.problem = error.message
            except OSError as error:
                self.problem = error.strerror or type(error).__name__
                self._last = -1  # what was written of the last lines is looked at again
            if self.problem:
                log.warning("the log of work cannot be written", extra={"why": self.problem})
                self._work.set()
                await asyncio.sleep(5.0)

    async def catch_up(self) -> None:
        """Appends what is not there yet. Raises OSError and what the store raises."""
        if self._last < 0:
            self._last = await self._read_last()
        while rows := await self._store.read(
            "work_after", self._store.host, self._last, pack(list(KEPT)), _LINES_AT_ONCE, deadline=30.0
        ):
            part: list[str] = []
            size = 0
            # In parts: a queue of thousands has some megabytes of lines. Cut off between two, they are written once
            # more: what describes items may stand there twice.
            for line in await describe_events(self._store, self._places, rows):
                part.append(line)
                size += len(line)
                if size > _PART:
                    self._append(("\n".join(part) + "\n").encode())
                    part, size = [], 0
                    await asyncio.sleep(0)
            if part:
                self._append(("\n".join(part) + "\n").encode())
            self._last = rows[-1][0]

    def erase(self, targets: set[str]) -> None:
        """Takes the lines about these targets out, of every host's file in the folder. Raises OSError; then the old
        file is whole."""
        for path in self.path.parent.glob("*.ndjson"):
            lines = path.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if _target_of(line) not in targets]
            if len(kept) == len(lines):
                continue
            fresh = path.with_suffix(".fresh")
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, b"".join(kept))
                os.fsync(fd)
            finally:
                os.close(fd)
            fresh.rename(path)

    async def _read_last(self) -> int:
        """The number of the last whole line that is of this feed; half a line, left by a power cut, goes."""
        epoch = str((await self._store.read("feed_state"))[0][0])
        last = 0
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._append(json.dumps({"mediadb": "work/1", "epoch": epoch}).encode() + b"\n")
            return 0
        current = epoch
        with open(self.path, "rb+") as file:
            good = 0
            for line in file:
                if not line.endswith(b"\n"):
                    break
                good += len(line)
                try:
                    told = json.loads(line)
                except ValueError:
                    continue
                if "epoch" in told:
                    current = told["epoch"]
                elif current == epoch:
                    last = max(last, int(told.get("seq", 0)))
            file.truncate(good)
        if current != epoch:
            self._append(json.dumps({"mediadb": "work/1", "epoch": epoch}).encode() + b"\n")
        return last

    def _append(self, data: bytes) -> None:
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(fd, left) :]
        finally:
            os.close(fd)


def _target_of(line: bytes) -> str:
    try:
        return str(json.loads(line).get("target", ""))
    except (ValueError, AttributeError):
        return ""


async def _paths_of(store: Store, places: Places, asked: list[str]) -> dict[str, list[str | dict[str, str]]]:
    """The last known paths of items, present ones first."""
    files: dict[str, list[tuple[int, int, bytes]]] = {}
    for target, file, folder, name in await store.read("places_of_targets", pack(asked), deadline=30.0):
        files.setdefault(target, []).append((file, folder, name))
    paths = await places.paths([each for found in files.values() for each in found[:_PATHS]])
    return {
        target: [path_text(paths[file]) for file, _folder, _name in found[:_PATHS] if file in paths]
        for target, found in files.items()
    }  # fmt: skip


def _described(keys: str | None, paths: list[str | dict[str, str]] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if keys:
        found["keys"] = [[_GRADES[grade], name, digest] for grade, name, digest in json.loads(keys)]
    if paths:
        found["paths"] = paths
    return found


async def _facts(store: Store, places: Places, items: list[str]) -> dict[str, dict[str, Any]]:
    """What items are known by."""
    keys = dict(await store.read("keys_of_streams", pack(items), deadline=30.0))
    paths = await _paths_of(store, places, items)
    return {item: _described(keys.get(item), paths.get(item)) for item in items}


async def _facts_of_metas(store: Store, metas: list[str]) -> dict[str, dict[str, Any]]:
    """What albums and artists are found again by."""
    if not metas:
        return {}
    return {
        meta: {"kind": kind, "digest": digest, "name": name, **({"musicbrainz_id": str(mb)} if mb else {})}
        for meta, kind, digest, name, mb in await store.read("facts_of_metas", pack(metas), deadline=30.0)
    }  # fmt: skip


async def describe_events(store: Store, places: Places, rows: list[tuple[Any, ...]]) -> list[str]:
    """Rows of work_after as lines. A line about a collection or queue describes the items it names as others their
    target; where they are many, lines before it do, which have `items` and nothing else."""
    paths = await _paths_of(store, places, sorted({row[6] for row in rows if row[5] == "stream"}))
    metas = await _facts_of_metas(store, sorted({row[6] for row in rows if row[5] == "meta"}))
    lines = []
    for number, (seq, at, host, actor, operation, kind, target, action, text, keys) in enumerate(rows, 1):
        if not number % _LINES_A_TURN:
            await asyncio.sleep(0)
        told: dict[str, Any] = {"seq": seq, "at_ns": at, "host": str(host), "action": action, "target_kind": kind}
        told["target"] = target
        if actor:
            told["actor"] = actor
        if operation is not None:
            told["operation"] = str(uuid.UUID(str(operation)))
        told["value"] = json.loads(text)
        if kind == "stream":
            told.update(_described(keys, paths.get(target)))
        elif target in metas:
            told["meta"] = metas[target]
        elif kind in ("collection", "queue") and (named := told["value"].get("items")):
            await asyncio.sleep(0)  # thousands of items at once would hold the loop up
            named = list(dict.fromkeys(named))
            for start in range(_ITEMS, len(named), _ITEMS):
                facts = await _facts(store, places, named[start : start + _ITEMS])
                lines.append(json.dumps({"items": facts}, ensure_ascii=False))
            await asyncio.sleep(0)
            told["items"] = await _facts(store, places, named[:_ITEMS])
        lines.append(json.dumps(told, ensure_ascii=False))
    return lines
