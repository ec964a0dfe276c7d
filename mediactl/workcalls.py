"""The calls about a person's work, the feed, duplicates and verification: each a request and how its replies are read.

Both clients run them: `client.run(workcalls.tag(["/music/a.flac"], add=["slow"]))`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from mediactl import decode, requests
from mediactl.model import (
    AddResult,
    ArchiveResult,
    Change,
    Changes,
    Collection,
    CollectResult,
    DuplicateGroup,
    DuplicateGroups,
    History,
    LayoutResult,
    Lineage,
    MoveResult,
    MoveStep,
    Offer,
    Offers,
    Operation,
    Queue,
    QueueResult,
    RelateResult,
    Restored,
    Revision,
    Root,
    SideChange,
    SideFile,
    SideFiles,
    Stored,
    UndoResult,
    Verified,
    VerifyResult,
    WorkResult,
)  # fmt: skip
from mediactl.requests import Target
from mediad.wire.convert import error_from_wire, uuid_from_wire
from mediadb_contract import mediadb_pb2 as pb

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request and how its replies are read. `timed`: it neither walks nor hashes, so it has the client's timeout."""

    request: pb.Request
    decode: Callable[[Sequence[pb.Reply]], T]
    timed: bool = True


def _changing(**command: Any) -> pb.Request:
    return pb.Request(operation=requests.new_operation(), **command)


# ------------------------------------------------------------------ work


def work(targets: Iterable[Target], actions: Iterable[pb.WorkAction], *, query: str = "") -> Call[WorkResult]:
    """Does actions (proto/mediadb.proto, WorkAction) to items: those named, and those `query` finds."""
    command = pb.WorkRequest(targets=requests.targets(targets), query=query, actions=actions)
    return Call(_changing(work=command), lambda replies: _work(replies[-1].work), timed=False)


def _work(reply: pb.WorkReply) -> WorkResult:
    return WorkResult(reply.items, reply.events, reply.last, [error_from_wire(each) for each in reply.problems])


def tag(
    targets: Iterable[Target], *, add: Iterable[str] = (), remove: Iterable[str] = (), query: str = ""
) -> Call[WorkResult]:
    """Adds and removes tags."""
    actions = [pb.WorkAction(action="tag", name=name) for name in add]
    actions += [pb.WorkAction(action="untag", name=name) for name in remove]
    return work(targets, actions, query=query)


def rate(targets: Iterable[Target], rating: float | None, *, query: str = "") -> Call[WorkResult]:
    """Rates: 0 to 5 stars; None takes the rating away."""
    action = pb.WorkAction(action="unrate") if rating is None else pb.WorkAction(action="rate", number=rating)
    return work(targets, [action], query=query)


def star(targets: Iterable[Target], starred: bool = True, *, query: str = "") -> Call[WorkResult]:
    """Stars, or takes the star away."""
    return work(targets, [pb.WorkAction(action="star" if starred else "unstar")], query=query)


def set_fields(targets: Iterable[Target], fields: dict[str, str | None], *, query: str = "") -> Call[WorkResult]:
    """Sets fields of any name; None takes one away."""
    actions = [
        pb.WorkAction(action="unset", name=name)
        if value is None
        else pb.WorkAction(action="set", name=name, value=value)
        for name, value in fields.items()
    ]
    return work(targets, actions, query=query)


def play(targets: Iterable[Target], *, at_ns: int = 0, count: int = 1, query: str = "") -> Call[WorkResult]:
    """Counts plays, now or at a moment."""
    return work(targets, [pb.WorkAction(action="play", at_ns=at_ns, count=count)], query=query)


def bookmark(
    targets: Iterable[Target], position: float, *, comment: str = "", at_ns: int = 0, query: str = ""
) -> Call[WorkResult]:  # fmt: skip
    """Notes where to go on, in seconds from the beginning; one bookmark a person and item."""
    action = pb.WorkAction(action="bookmark", number=position, value=comment, at_ns=at_ns)
    return work(targets, [action], query=query)


def unbookmark(targets: Iterable[Target], *, query: str = "") -> Call[WorkResult]:
    """Takes the bookmark away."""
    return work(targets, [pb.WorkAction(action="unbookmark")], query=query)


def collect(
    name: str, action: str, targets: Iterable[Target] = (), *, kind: str = "collection", query: str = "",
    place: int = -1, to: int = 0, new_name: str = "",
) -> Call[CollectResult]:  # fmt: skip
    """Makes, fills, orders, renames or deletes a collection or playlist, or saves a question as one (`action`: add
    remove move rename delete save set)."""
    command = pb.CollectRequest(
        kind=kind, name=name, action=action, targets=requests.targets(targets), query=query, place=place, to=to,
        new_name=new_name,
    )  # fmt: skip
    return Call(_changing(collect=command), lambda replies: _collected(replies[-1].collect))


def queue() -> Call[Queue]:
    """What the actor is about to hear."""

    def decode(replies: Sequence[pb.Reply]) -> Queue:
        found = replies[-1].queue
        entries = [UUID(bytes=each) for each in found.entries]
        return Queue(entries, found.current, found.position, found.changed_at_ns or None, found.client)

    return Call(pb.Request(queue=pb.QueueRequest()), decode)


def _queued(replies: Sequence[pb.Reply]) -> QueueResult:
    found = replies[-1].queue
    return QueueResult(found.events, found.last, [error_from_wire(each) for each in found.problems])


def save_queue(
    targets: Iterable[Target], *, current: int = 0, position: float = 0.0, client: str = ""
) -> Call[QueueResult]:  # fmt: skip
    """What the actor is about to hear from now on: items in order, which of them, seconds into it."""
    command = pb.QueueRequest(
        action="save", targets=requests.targets(targets), current=current, position=position, client=client
    )  # fmt: skip
    return Call(pb.Request(queue=command), _queued)


def move_queue(current: int, position: float, *, client: str = "") -> Call[QueueResult]:
    """Another place in the same queue."""
    command = pb.QueueRequest(action="at", current=current, position=position, client=client)
    return Call(pb.Request(queue=command), _queued)


def save(name: str, query: str) -> Call[CollectResult]:
    """Saves a question as a collection, which holds what it finds from then on; again: another question."""
    return collect(name, "save", query=query)


def unsave(name: str) -> Call[CollectResult]:
    """Forgets a saved question, or a collection."""
    return collect(name, "delete")


def _collected(reply: pb.CollectReply) -> CollectResult:
    problems = [error_from_wire(each) for each in reply.problems]
    return CollectResult(_collection(reply.collection), reply.last, problems)


def _collection(found: pb.Collection) -> Collection:
    return Collection(
        UUID(bytes=found.id), found.kind, found.name, found.actor, found.size, [UUID(bytes=e) for e in found.entries],
        found.created_at_ns or None, found.query or None,
    )  # fmt: skip


def collections(*, kind: str = "", name: str = "", entries: bool = False) -> Call[list[Collection]]:
    """The collections and playlists that there are."""
    command = pb.CollectionsRequest(kind=kind, name=name, entries=entries)
    return Call(
        pb.Request(collections=command),
        lambda replies: [_collection(each) for each in replies[-1].collections.collections],
    )


def undo(operation: UUID | None = None, *, count: int = 1) -> Call[UndoResult]:
    """Takes back an operation, or the last ones."""
    command = pb.UndoRequest(operation=operation.bytes if operation else b"", count=count)
    return Call(_changing(undo=command), lambda replies: _undone(replies[-1].undo), timed=False)


def _undone(reply: pb.UndoReply) -> UndoResult:
    problems = [error_from_wire(each) for each in reply.problems]
    done = [UUID(bytes=each.id) for each in reply.operations]
    return UndoResult(done, reply.events, reply.last, reply.files, problems)


def operations(limit: int = 20) -> Call[list[Operation]]:
    """What was done last, newest first."""
    return Call(
        pb.Request(operations=pb.OperationsRequest(limit=limit)),
        lambda replies: [
            Operation(UUID(bytes=e.id), e.at_ns, e.actor, e.command, e.events, e.undone, e.summary, e.files)
            for e in replies[-1].operations.operations
        ],
    )


# ------------------------------------------------------------------ moving files


def move(
    targets: Iterable[Target], destination: str | bytes | os.PathLike[str] = b"", *, query: str = "",
    template: str = "", folder: bool = False, mode: str = "move", require: bool = False,
    drop_duplicates: bool = False, prune: bool = False, fat: bool = False, dry_run: bool = False,
) -> Call[MoveResult]:  # fmt: skip
    """Moves, copies or links files (proto/mediadb.proto, MoveRequest). `folder`: the destination is a folder, to be
    made if it is not there."""
    path = requests.list_paths((destination,))[0] if destination else b""
    command = pb.MoveRequest(
        targets=requests.targets(targets), query=query, destination=path, folder=folder, template=template, mode=mode,
        require=require, drop_duplicates=drop_duplicates, prune=prune, fat=fat, dry_run=dry_run,
    )  # fmt: skip
    return Call(_changing(move=command), lambda replies: _moved(replies, dry_run), timed=False)


def _moved(replies: Sequence[pb.Reply], dry_run: bool) -> MoveResult:
    steps = [_move_step(each) for reply in replies for each in reply.move.steps]
    last = replies[-1].move
    return MoveResult(
        steps, [error_from_wire(each) for each in last.problems], [(p.source, p.got) for p in last.already],
        [(p.source, p.wanted, p.got) for p in last.clashes], list(last.notes), last.unchanged, last.bytes, last.done,
        last.failed, uuid_from_wire(last.operation), error_from_wire(last.fatal) if last.HasField("fatal") else None,
        dry_run,
    )  # fmt: skip


def layout(
    path: str | bytes | os.PathLike[str], *, check: bool = False, group: str = "", torrent_staging: bool = False,
    photos: bool = False,
) -> Call[LayoutResult]:  # fmt: skip
    """Makes or checks the media tree of torrents, usenet, ddl and media."""
    command = pb.LayoutRequest(
        path=requests.list_paths((path,))[0], check=check, group=group, torrent_staging=torrent_staging, photos=photos
    )
    return Call(pb.Request(layout=command), lambda replies: _layout(replies[-1].layout), timed=False)


def place(path: str | bytes | os.PathLike[str], *, dry_run: bool = False) -> Call[MoveResult]:
    """What has arrived in the staging folders of a media tree gets its place in media/, by hard links."""
    command = pb.PlaceRequest(path=requests.list_paths((path,))[0], dry_run=dry_run)

    def decoded(replies: Sequence[pb.Reply]) -> MoveResult:
        return _moved([pb.Reply(move=reply.place) for reply in replies], dry_run)

    return Call(_changing(place=command), decoded, timed=False)


def _layout(reply: pb.LayoutReply) -> LayoutResult:
    return LayoutResult(
        reply.top, [(f.path, f.code, f.message) for f in reply.findings],
        [(t.source, t.goal, t.link, t.rename) for t in reply.trials],
    )  # fmt: skip


def archive(
    source: str | bytes | os.PathLike[str], folder: str | bytes | os.PathLike[str], *, verify: bool = False,
    quick: bool = False,
) -> Call[ArchiveResult]:  # fmt: skip
    """Writes a folder of the library into an archive (docs/archive.md); with `verify` looks at one that is there."""
    command = pb.ArchiveRequest(
        source=requests.list_paths((source,))[0] if source else b"", archive=requests.list_paths((folder,))[0],
        verify=verify, quick=quick,
    )  # fmt: skip
    return Call(pb.Request(archive=command), _archived, timed=False)


def _archived(replies: Sequence[pb.Reply]) -> ArchiveResult:
    last = replies[-1].archive
    findings = [(f.code, f.path, f.sha1, f.message) for reply in replies for f in reply.archive.findings]
    problems = [error_from_wire(each) for each in last.problems]
    return ArchiveResult(last.files, last.known, last.unchanged, last.bytes, last.changed, findings, problems)


def putback(
    targets: Iterable[Target] = (), *, query: str = "", archive: str | bytes | os.PathLike[str] = b"",
    sha1: Iterable[str] = (), into: str | bytes | os.PathLike[str] = b"", dry_run: bool = False,
) -> Call[MoveResult]:  # fmt: skip
    """Puts files back where they were before they were moved, or contents of an archive where they were found."""
    command = pb.PutbackRequest(
        targets=requests.targets(targets), query=query, archive=requests.list_paths((archive,))[0] if archive else b"",
        sha1=sha1, into=requests.list_paths((into,))[0] if into else b"", dry_run=dry_run,
    )  # fmt: skip
    return Call(
        _changing(putback=command), lambda replies: _moved([_as_move(r) for r in replies], dry_run), timed=False
    )


def _as_move(reply: pb.Reply) -> pb.Reply:
    return pb.Reply(move=reply.putback)


def _move_step(s: pb.MoveStep) -> MoveStep:
    problem = error_from_wire(s.problem) if s.HasField("problem") else None
    return MoveStep(s.number, s.unit, s.action, s.method, s.source, s.destination, s.size, s.state, problem)


# ------------------------------------------------------------------ the feed


def changes(since: int, *, epoch: bytes = b"", query: str = "", limit: int = 0, follow: bool = False) -> Call[Changes]:
    """Events after a number. With `follow` the request does not end: read its replies with `decode_changes`."""
    command = pb.ChangesRequest(since=since, epoch=epoch, query=query, limit=limit, follow=follow)
    return Call(pb.Request(changes=command), _all_changes, timed=False)


def _all_changes(replies: Sequence[pb.Reply]) -> Changes:
    whole = Changes([], b"", 0, False, [], "")
    for reply in replies:
        part = decode_changes(reply)
        whole.changes += part.changes
        whole.items += part.items
        whole.epoch, whole.last = part.epoch, max(whole.last, part.last)
        whole.resync |= part.resync
        whole.reason = whole.reason or part.reason
    return whole


def decode_changes(reply: pb.Reply) -> Changes:
    """One reply of `changes`."""
    found = reply.changes
    return Changes(
        [decode_change(each) for each in found.changes], found.epoch, found.last, found.resync,
        [decode.decode_item(each) for each in found.items], found.reason,
    )  # fmt: skip


def decode_change(found: pb.Change) -> Change:
    """One event."""
    return Change(
        found.seq, found.at_ns, uuid_from_wire(found.host), found.actor, uuid_from_wire(found.operation),
        found.target_kind, found.target, found.action, json.loads(found.value_json or "{}"), uuid_from_wire(found.item),
    )  # fmt: skip


def history(targets: Iterable[Target]) -> Call[list[History]]:
    """What happened to items, what stood where they are, what they came from."""
    return Call(
        pb.Request(history=pb.HistoryRequest(targets=requests.targets(targets))),
        lambda replies: [_history(reply.history) for reply in replies],
    )


def _history(found: pb.HistoryReply) -> History:
    return History(
        decode.decode_target(found.target), uuid_from_wire(found.item), [decode_change(e) for e in found.changes],
        [Revision(uuid_from_wire(e.item), e.path, e.path_display, e.size, e.mtime_ns, e.until_ns, e.why)
         for e in found.revisions],
        [Lineage(uuid_from_wire(e.old), uuid_from_wire(e.new), e.relation, e.state, e.at_ns) for e in found.lineage],
        decode.decode_problem(found),
        [Stored(e.archive, e.path, e.path_display, e.stored_at_ns, e.verified_at_ns, e.verdict) for e in found.stored],
    )  # fmt: skip


def relate(relation: str, target: Target, other: Target | None = None) -> Call[RelateResult]:
    """How items belong together (proto/mediadb.proto, RelateRequest)."""
    command = pb.RelateRequest(relation=relation, target=next(requests.targets([target])))
    if other is not None:
        command.other.CopyFrom(next(requests.targets([other])))
    return Call(_changing(relate=command), lambda replies: _related(replies[-1].relate))


def _related(reply: pb.RelateReply) -> RelateResult:
    return RelateResult(uuid_from_wire(reply.item), uuid_from_wire(reply.other), reply.events, reply.last)


def offers(targets: Iterable[Target] = (), *, query: str = "") -> Call[Offers]:
    """Which items may have taken the place of others; without any, all that would hand a person's work over."""
    command = pb.OffersRequest(targets=requests.targets(targets), query=query)
    return Call(pb.Request(offers=command), _offers, timed=False)


def _offers(replies: Sequence[pb.Reply]) -> Offers:
    return Offers(
        [Offer(uuid_from_wire(e.old), uuid_from_wire(e.new), e.relation, e.why, e.old_path, e.old_display, e.new_path,
               e.new_display) for reply in replies for e in reply.offers.offers],
        [error_from_wire(each) for reply in replies for each in reply.offers.problems],
    )  # fmt: skip


# ------------------------------------------------------------------ XMP side files


def sync_sidecars(
    targets: Iterable[Target] = (), *, query: str = "", all: bool = False, dry_run: bool = False
) -> Call[SideFiles]:
    """Merges files with their XMP side files, and writes these. Without any: what waits for it."""
    command = pb.SidecarsRequest(targets=requests.targets(targets), query=query, all=all, dry_run=dry_run)
    return Call(
        _changing(sidecars=command),
        lambda replies: SideFiles(
            [_side_file(each) for reply in replies for each in reply.sidecars.files], replies[-1].sidecars.looked_at
        ),
        timed=False,
    )


def _side_file(found: pb.Sidecar) -> SideFile:
    return SideFile(
        uuid_from_wire(found.item), found.path, found.path_display, found.side, found.side_display, found.state,
        [SideChange(each.way, each.field, each.was, each.now) for each in found.changes], list(found.warnings),
        decode.decode_problem(found), found.since_ns or None,
    )  # fmt: skip


# ------------------------------------------------------------------ equal files, and whether they are well


def duplicates(
    kind: str = "payload", *, root: int = 0, other: int = 0, below: int = 2, query: str = ""
) -> Call[DuplicateGroups]:
    """Groups of equal files (proto/mediadb.proto, DuplicatesRequest)."""
    command = pb.DuplicatesRequest(kind=kind, root=root, other=other, below=below, query=query)
    return Call(pb.Request(duplicates=command), _groups, timed=False)


def _groups(replies: Sequence[pb.Reply]) -> DuplicateGroups:
    found = DuplicateGroups(
        DuplicateGroup(e.kind, e.size, e.wasted, [decode.decode_file(f) for f in e.files])
        for reply in replies
        for e in reply.duplicates.groups
    )
    found.left_out = replies[-1].duplicates.left_out
    return found


def verify(
    targets: Iterable[Target] = (), *, bytes_per_second: int = 0, seconds: float = 0.0, again: bool = False
) -> Call[VerifyResult]:
    """Reads files again and compares their checksums with the stored ones."""
    command = pb.VerifyRequest(
        targets=requests.targets(targets), bytes_per_second=bytes_per_second, seconds=seconds, again=again
    )
    return Call(pb.Request(verify=command), _verified, timed=False)


def _verified(replies: Sequence[pb.Reply]) -> VerifyResult:
    last = replies[-1].verify
    return VerifyResult(
        [Verified(uuid_from_wire(e.item), e.path, e.path_display, e.verdict, decode.decode_problem(e), list(e.good))
         for reply in replies for e in reply.verify.verdicts],
        last.ok, last.first, last.retagged, last.replaced, last.rotten, last.unreadable, last.left, last.bytes,
    )  # fmt: skip


def rescan(paths: Iterable[Any] = (), *, quick: bool = False, wait: bool = True) -> Call[AddResult]:
    """Walks roots again: all of them, or those the paths lie in. `quick`: folders with a known mtime are not listed."""
    command = pb.RescanRequest(paths=requests.list_paths(paths), quick=quick, wait=wait)
    return Call(pb.Request(rescan=command), lambda replies: decode.decode_add(replies[-1].rescan), timed=False)


def accept(path: Any) -> Call[list[Root]]:
    """The loss that froze a root is real: its files are missing."""
    command = pb.AcceptRequest(root=requests.list_paths([path])[0])
    return Call(
        _changing(accept=command),
        lambda replies: [decode.decode_root(e) for e in replies[-1].accept.roots],
        timed=False,
    )


# ------------------------------------------------------------------ keeping it safe


def export() -> Call[list[str]]:
    """A person's work and the roots, as lines of JSON."""
    return Call(
        pb.Request(export=pb.ExportRequest()),
        lambda replies: [line for reply in replies for line in reply.export.lines],
        timed=False,
    )


def restore(lines: Iterable[str]) -> Call[Restored]:
    """Puts such lines into the database; what is there already stays as it is."""
    return Call(_changing(restore=pb.RestoreRequest(lines=lines)), lambda r: _restored(r[-1].restore), timed=False)


def rebuild() -> Call[Restored]:
    """Throws away what can be made again and makes it again; a person's work stays."""
    return Call(_changing(rebuild=pb.RebuildRequest()), lambda r: _restored(r[-1].rebuild), timed=False)


def _restored(reply: pb.RestoreReply) -> Restored:
    problems = [error_from_wire(each) for each in reply.problems]
    return Restored(reply.events, reply.items, reply.roots, reply.known, problems)
