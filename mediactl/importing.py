"""Takes over what other programs know: finds the item each record is about, and says to the daemon what the person did.

A record is matched by its path, else by artist, album, title and duration when exactly one item has
them. What found no match is reported, never guessed. Each record is one request under
an operation id made from the peer and the record's own id, so that an import that is repeated does nothing twice.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mediactl import workcalls
from mediactl.client import Client
from mediactl.imports import Playlist, Problem, Record, Work
from mediactl.model import Item
from mediad.errors import Conflict, MediadError
from mediadb_contract import mediadb_pb2 as pb

_NAMES = uuid.UUID("6f0a9f0e-4b0c-5a53-9d0b-1d3b7a1f6c55")
_DURATION_SECONDS = 2.0  # programs round, and cut silence
_PATHS_AT_ONCE = 200
_KEPT_UNMATCHED = 1000


@dataclass(slots=True)
class Report:
    """What an import did. `unmatched`: what found no item, the first thousand."""

    records: int = 0
    by_path: int = 0
    by_tags: int = 0
    changes: int = 0
    playlists: int = 0
    missing: int = 0
    unmatched: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def miss(self, work: Work) -> None:
        """Notes a record without an item."""
        self.missing += 1
        if len(self.unmatched) < _KEPT_UNMATCHED:
            name = os.fsdecode(work.path).encode("utf-8", "replace").decode()
            self.unmatched.append(name or " – ".join(part for part in (work.artist, work.album, work.title) if part))


def _says_something(work: Work) -> bool:
    return bool(
        work.tags_added or work.tags_removed or work.rating is not None or work.starred is not None or work.plays
        or work.fields
    )  # fmt: skip


def actions_of(work: Work, peer: str) -> list[pb.WorkAction]:
    """What a record says that the person did."""
    actions = [pb.WorkAction(action="tag", name=name[:200]) for name in work.tags_added]
    actions += [pb.WorkAction(action="untag", name=name[:200]) for name in work.tags_removed]
    if work.rating is not None:
        actions.append(pb.WorkAction(action="rate", number=min(5.0, max(0.0, work.rating))))
    if work.starred is not None:
        action = "star" if work.starred else "unstar"
        actions.append(pb.WorkAction(action=action, at_ns=(work.at_ns or 0) if work.starred else 0))
    if work.plays:
        actions.append(pb.WorkAction(action="play", count=work.plays, at_ns=work.played_at_ns or 0))
    for name, value in work.fields.items():
        clean = "".join(c if c.isalnum() or c in "_-" else "_" for c in name.lower())[:80]
        actions.append(pb.WorkAction(action="set", name=f"{peer}_{clean}", value=value[:10_000]))
    return actions


class Importer:
    """One import through one client. `prefix`: (there, here), a folder's name in that program and on this machine."""

    def __init__(
        self, client: Client, peer: str, *, prefixes: Iterable[tuple[bytes, bytes]] = (), dry_run: bool = False
    ) -> None:
        self._client = client
        self._peer = peer
        self._prefixes = list(prefixes)
        self._dry_run = dry_run
        self.report = Report()

    def run(self, records: Iterable[Record]) -> Report:
        """Takes all records over."""
        batch: list[Work] = []
        for record in records:
            if isinstance(record, Problem):
                self.report.problems.append(f"{record.source_id}: {record.message}")
            elif isinstance(record, Playlist):
                self._flush(batch)
                self._playlist(record)
            elif record.about == "track" and _says_something(record):
                batch.append(record)
                if len(batch) >= _PATHS_AT_ONCE:
                    self._flush(batch)
        self._flush(batch)
        return self.report

    def _flush(self, batch: list[Work]) -> None:
        self.report.records += len(batch)
        for work, item in zip(batch, self._find(batch), strict=True):
            if item is None:
                self.report.miss(work)
            elif not self._dry_run:
                self._apply(work, item)
        batch.clear()

    def _apply(self, work: Work, item: uuid.UUID) -> None:
        call = workcalls.work([item], actions_of(work, self._peer))
        # Made of what it says: said again it is the same operation, and done once; said otherwise it is another.
        said = call.request.work.SerializeToString(deterministic=True).hex()
        call.request.operation = uuid.uuid5(_NAMES, f"{self._peer}\0{work.user}\0{work.source_id}\0{said}").bytes
        before = self._client.actor
        self._client.actor = work.user or before
        try:
            self.report.changes += self._client.run(call).events
        except Conflict as error:
            self.report.problems.append(f"{work.source_id}: {error.message}")
        finally:
            self._client.actor = before

    def _playlist(self, playlist: Playlist) -> None:
        found = self._find(list(playlist.entries))
        for work, item in zip(playlist.entries, found, strict=True):
            if item is None:
                self.report.miss(work)
        items = [item for item in found if item is not None]
        self.report.playlists += 1
        if self._dry_run or not items:
            return
        there = {each.name: each for each in self._client.run(workcalls.collections(kind="playlist"))}
        if playlist.name in there:  # it was taken over before, and may have been changed here since
            return
        self._client.run(workcalls.collect(playlist.name, "add", items, kind="playlist"))

    # ------------------------------------------------------------ matching

    def _find(self, works: list[Work]) -> list[uuid.UUID | None]:
        """The item of each record: by path, else by tags and duration."""
        places = [list(self._paths(work)) for work in works]
        asked = list(dict.fromkeys(path for paths in places for path in paths))
        known: dict[bytes, uuid.UUID] = {}
        for start in range(0, len(asked), _PATHS_AT_ONCE):
            part = asked[start : start + _PATHS_AT_ONCE]
            for path, result in zip(part, self._client.get(*part), strict=True):
                if result.item is not None:
                    known[path] = result.item.id
        found: list[uuid.UUID | None] = []
        for work, paths in zip(works, places, strict=True):
            item = next((known[path] for path in paths if path in known), None)
            if item is not None:
                self.report.by_path += 1
            else:
                item = self._by_tags(work)
                self.report.by_tags += item is not None
            found.append(item)
        return found

    def _paths(self, work: Work) -> Iterator[bytes]:
        """Where the file would be on this machine."""
        if not work.path:
            return
        whole = os.path.join(work.relative_to, work.path) if work.relative_to else work.path
        for there, here in self._prefixes:
            for path in (whole, work.path):
                if path.startswith(there.rstrip(b"/") + b"/"):
                    yield os.path.join(here, path[len(there.rstrip(b"/")) + 1 :])
            if not there and not os.path.isabs(work.path):
                yield os.path.join(here, work.path)
        if os.path.isabs(whole):
            yield whole

    def _by_tags(self, work: Work) -> uuid.UUID | None:
        """The one item that has this title, artist, album and length; None when there is none or more than one."""
        if not work.title:
            return None
        named = (("title", work.title), ("artist", work.artist), ("album", work.album))
        parts = [f'{name}:"{value.replace(chr(34), " ")}"' for name, value in named if value.strip()]
        try:
            items = list(self._client.query(" ".join(parts), limit=20))
        except MediadError as error:
            self.report.problems.append(f"{work.source_id}: {error.message}")
            return None
        fitting = [item for item in items if self._fits(item, work)]
        return fitting[0].id if len(fitting) == 1 else None

    @staticmethod
    def _fits(item: Item, work: Work) -> bool:
        if (item.title or "").casefold() != work.title.casefold():
            return False
        if work.duration is None or item.duration is None:
            return bool(work.artist)
        return abs(item.duration - work.duration) <= _DURATION_SECONDS
