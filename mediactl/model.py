"""What the clients return. Sizes in bytes, durations in seconds, times in nanoseconds since the Unix epoch, paths as
bytes beside a lossy display text, ids as uuid.UUID. A field that is not known is None; numbers that count are 0.

The meaning of each field: proto/mediadb.proto, the messages of the same names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mediad.errors import MediadError, ProtocolError


@dataclass(slots=True)
class Digest:
    algorithm: str  # md5, sha1, sha256
    value: bytes
    scope: str  # file, stream


@dataclass(slots=True)
class Key:
    grade: str  # fingerprint, track, checksum
    algorithm: str  # e.g. mp3-frames/1
    value: bytes


@dataclass(slots=True)
class Track:
    """A track of a packetised format; its digests are over the codec's bytes, equal in every container."""

    number: int
    kind: str  # audio, video
    codec: str
    algorithm: str  # track-packets/1
    digests: dict[str, bytes]
    size: int  # bytes


class _Lazy:
    """JSON text, parsed when it is first asked for and then kept."""

    __slots__ = ("_text", "_value")

    def __init__(self, text: str) -> None:
        self._text: str | None = text
        self._value: dict[str, Any] = {}

    def get(self) -> dict[str, Any]:
        if self._text is not None:
            try:
                self._value = json.loads(self._text) if self._text else {}
            except ValueError as error:
                raise ProtocolError(f"mediad sent fields that are not JSON: {error}") from None
            self._text = None
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Lazy) and self.get() == other.get()

    __hash__ = None  # type: ignore[assignment]  # equal by a mutable value


@dataclass(slots=True)
class FileEntry:
    """A file of an item."""

    id: int
    item: UUID | None
    path: bytes  # absolute; empty when its volume is not mounted on the daemon's host
    path_display: str
    type: str  # f l p s c b
    size: int
    mtime_ns: int
    state: str  # listed, read, failed, parked, missing
    ctime_ns: int | None = None
    missing_since_ns: int | None = None
    handler: str | None = None
    handler_version: int | None = None
    problem: MediadError | None = None
    digests: list[Digest] = field(default_factory=list)
    nlink: int | None = None
    inode: int | None = None
    mode: int | None = None
    symlink_target: bytes | None = None
    host: UUID | None = None
    fields_text: _Lazy = field(default_factory=lambda: _Lazy(""), repr=False)
    tags_text: _Lazy = field(default_factory=lambda: _Lazy(""), repr=False)
    sources_text: _Lazy = field(default_factory=lambda: _Lazy(""), repr=False)

    @property
    def fields(self) -> dict[str, Any]:
        """The vocabulary fields (proto/mediadb_contract/fields.json), {} when none were asked for."""
        return self.fields_text.get()

    @property
    def tags(self) -> dict[str, list[Any]]:
        """Everything else the file carries: {"Group:Key": [values]}."""
        return self.tags_text.get()

    @property
    def sources(self) -> dict[str, str]:
        """Where each field came from: {"title": "ID3v2.3:TIT2"}."""
        return self.sources_text.get()


@dataclass(slots=True)
class Item:
    """A stream, with its present files."""

    id: UUID
    kind: str  # audio, image, video, document, other
    format: str | None = None
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    date: str | None = None  # YYYY[-MM[-DD[Thh:mm:ss]]]
    files: list[FileEntry] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    work_text: _Lazy = field(default_factory=lambda: _Lazy(""), repr=False)
    successor: UUID | None = None  # no file is left, and this item took its place

    @property
    def work(self) -> dict[str, Any]:
        """What persons made of it together with what its files say: user_tags, user_rating, starred, play_count ..."""
        return self.work_text.get()


@dataclass(slots=True)
class Page:
    """Some of a query's items; `cursor` asks for the next ones, None after the last."""

    items: list[Item]
    cursor: bytes | None


@dataclass(slots=True)
class Root:
    """A folder or file that was added."""

    id: int
    path: bytes
    path_display: str
    volume: str
    host: UUID | None
    host_name: str
    watched: bool
    state: str  # active, frozen, away
    files: int
    folders: int
    missing: int
    pending: int
    failed: int
    size: int  # of all its files
    scanned_at_ns: int | None


@dataclass(slots=True)
class Progress:
    """How far a request is. Not an acknowledgement of anything."""

    stage: str  # walking, reading, hashing
    folders: int
    files_listed: int
    files_done: int
    files_total: int  # 0: not known yet
    files_failed: int
    bytes_done: int
    bytes_total: int
    current: bytes
    current_display: str


@dataclass(slots=True)
class AddResult:
    roots: list[Root]
    folders: int
    files_listed: int
    files_new: int
    files_changed: int
    files_missing: int
    files_read: int  # with wait
    files_failed: int  # with wait
    problems: list[MediadError]  # the first hundred
    problem_count: int
    files_moved: int = 0  # known files under a new name


@dataclass(slots=True)
class GetResult:
    """The answer for one target: its item, or the problem."""

    target: UUID | bytes
    item: Item | None
    problem: MediadError | None


@dataclass(slots=True)
class ChecksumResult:
    """The digests of one file in one scope, or the problem."""

    target: UUID | bytes
    item: UUID | None
    path: bytes
    path_display: str
    scope: str  # file, stream
    stream_algorithm: str | None  # scope stream: which bytes count, e.g. mp3-frames/1
    digests: dict[str, bytes]  # by algorithm
    stored: bool  # nothing was read for this answer
    problem: MediadError | None
    tracks: list[Track] = field(default_factory=list)  # scope stream, computed now: each audio and video track
    keys: list[Key] = field(default_factory=list)  # the same: what the stream is known by from now on


@dataclass(slots=True)
class ForgetResult:
    files: int
    items: int
    roots: int
    problems: list[MediadError]


@dataclass(slots=True)
class WorkResult:
    items: int  # that were meant
    events: int  # what that changed
    last: int  # the number of the last event
    problems: list[MediadError]


@dataclass(slots=True)
class Collection:
    """A collection or playlist: an ordered list with repeats, or a saved question."""

    id: UUID
    kind: str  # collection, playlist
    name: str
    actor: str
    size: int
    entries: list[UUID]
    created_at_ns: int | None
    query: str | None = None  # the question that it is


@dataclass(frozen=True, slots=True)
class Queue:
    """What a person is about to hear; `position` in seconds into the entry `current`."""

    entries: list[UUID]
    current: int
    position: float
    changed_at_ns: int | None  # None: never saved
    client: str


@dataclass(frozen=True, slots=True)
class QueueResult:
    events: int  # 0: only the position changed, and was told a short while ago
    last: int
    problems: list[MediadError]


@dataclass(slots=True)
class CollectResult:
    collection: Collection
    last: int
    problems: list[MediadError]


@dataclass(slots=True)
class UndoResult:
    operations: list[UUID]
    events: int
    last: int
    files: int = 0
    problems: list[MediadError] = field(default_factory=list)


@dataclass(slots=True)
class LayoutResult:
    """A media tree: `findings` (path below `top`, code, message); `trials` (from, to, why no link, why no rename)."""

    top: bytes
    findings: list[tuple[str, str, str]]
    trials: list[tuple[str, str, str, str]]


@dataclass(slots=True)
class MoveStep:
    """A step of a move: `action` move copy hardlink symlink reflink drop remove mkdir rmdir, `method` how it is done,
    `state` planned done aborted attention. Paths are absolute."""

    number: int
    unit: int
    action: str
    method: str
    source: bytes
    destination: bytes
    size: int
    state: str
    problem: MediadError | None = None


@dataclass(slots=True)
class MoveResult:
    """What a move did, or with `dry_run` would do. `already`: (file, where its bytes are); `clashes`: (file, wanted
    name, name it gets); `size`: bytes to copy, or copied."""

    steps: list[MoveStep]
    problems: list[MediadError]
    already: list[tuple[bytes, bytes]]
    clashes: list[tuple[bytes, bytes, bytes]]
    notes: list[str]
    unchanged: int
    size: int
    done: int
    failed: int
    operation: UUID | None
    fatal: MediadError | None
    dry_run: bool


@dataclass(slots=True)
class Operation:
    id: UUID
    at_ns: int
    actor: str
    command: str
    events: int
    undone: bool
    summary: str
    files: int = 0


@dataclass(slots=True)
class Change:
    """An event of the feed."""

    seq: int
    at_ns: int
    host: UUID | None
    actor: str
    operation: UUID | None
    target_kind: str  # stream collection root folder
    target: str
    action: str
    value: dict[str, Any]
    item: UUID | None  # the item it is about today


@dataclass(slots=True)
class Changes:
    """Events, or with `resync` everything there is; `epoch` and `last` are the cursor for the next time."""

    changes: list[Change]
    epoch: bytes
    last: int
    resync: bool
    items: list[Item]
    reason: str


@dataclass(slots=True)
class Revision:
    """What stood at a path before."""

    item: UUID | None
    path: bytes
    path_display: str
    size: int
    mtime_ns: int
    until_ns: int
    why: str  # succeeded moved replaced


@dataclass(slots=True)
class Lineage:
    """One item took the place of another."""

    old: UUID | None
    new: UUID | None
    relation: str  # succeeded replaces edit
    state: str  # accepted offered detached
    at_ns: int


@dataclass(slots=True)
class History:
    target: UUID | bytes
    item: UUID | None
    changes: list[Change]
    revisions: list[Revision]
    lineage: list[Lineage]
    problem: MediadError | None
    stored: list[Stored] = field(default_factory=list)


@dataclass(slots=True)
class Stored:
    """A place in an archive that holds an item, and when it was last seen whole there."""

    archive: str
    path: bytes
    path_display: str
    stored_ns: int
    verified_ns: int
    verdict: str


@dataclass(slots=True)
class ArchiveResult:
    """An archive written or verified: `files` stored now, or whole; `findings` (code, path, SHA-1, message)."""

    files: int
    known: int
    unchanged: int
    size: int
    changed: bool
    findings: list[tuple[str, bytes, str, str]]
    problems: list[MediadError]


@dataclass(slots=True)
class RelateResult:
    item: UUID | None
    other: UUID | None
    events: int
    last: int


@dataclass(slots=True)
class Offer:
    """An item that may have taken the place of another."""

    old: UUID | None
    new: UUID | None
    relation: str  # replaces edit succeeded
    why: str
    old_path: bytes
    old_display: str
    new_path: bytes
    new_display: str


@dataclass(slots=True)
class Offers:
    """What is offered, and what could not be asked for."""

    offers: list[Offer]
    problems: list[MediadError]


@dataclass(slots=True)
class SideChange:
    """One thing that a side file and a person's values did not agree on."""

    way: str  # taken (from the side file), written (into it), lost (in the side file, to a later value)
    field: str  # tag rating title description
    was: str
    now: str


@dataclass(slots=True)
class SideFile:
    """A file and its XMP side file: what was merged, or why it was not."""

    item: UUID | None
    path: bytes
    path_display: str
    side: bytes
    side_display: str
    state: str  # created updated taken waiting failed
    changes: list[SideChange]
    warnings: list[str]
    problem: MediadError | None
    since_ns: int | None


@dataclass(slots=True)
class SideFiles:
    """What a merge of side files did."""

    files: list[SideFile]
    looked_at: int


@dataclass(slots=True)
class DuplicateGroup:
    """Files that are equal in one way."""

    kind: str
    size: int
    wasted: int  # bytes that would be free with one copy of each
    files: list[FileEntry]


class DuplicateGroups(list[DuplicateGroup]):
    """Groups; `left_out` files could not be read, so that nothing is said of them."""

    left_out: int = 0


@dataclass(slots=True)
class Verified:
    """A file that is not as it was."""

    item: UUID | None
    path: bytes
    path_display: str
    verdict: str  # retagged replaced rotten unreadable
    problem: MediadError | None
    good: list[bytes]  # paths of copies that are well


@dataclass(slots=True)
class VerifyResult:
    verdicts: list[Verified]
    ok: int
    first: int  # had no checksum yet
    retagged: int
    replaced: int
    rotten: int
    unreadable: int
    left: int  # not looked at yet
    bytes: int


@dataclass(slots=True)
class Restored:
    events: int
    items: int
    roots: int
    known: int  # events that were there already
    problems: list[MediadError]


@dataclass(slots=True)
class Handler:
    name: str
    version: int
    application: str
    summary: str
    kinds: list[str]
    extensions: list[str]
    operations: list[str]
    fields: list[str]
    descriptors: bool  # takes descriptors, never a path
    sandbox: str


@dataclass(slots=True)
class Worker:
    application: str
    pid: int
    state: str  # idle, busy
    files: int
    sandbox: str


@dataclass(slots=True)
class Status:
    version: str
    host: UUID | None
    host_name: str
    uptime: float
    pid: int
    lag_p99_ms: float
    lag_max_ms: float
    rss_bytes: int
    peak_rss_bytes: int
    connections: int
    requests_in_flight: int
    requests: int
    database: str  # ready, starting, unavailable
    database_version: str
    database_problem: str
    files: int
    items: int
    pending: int
    failed: int
    missing: int
    parked: int
    last_event: int
    workers: list[Worker]
    scans: list[Progress]
    notes: list[str]
    data_dir: str
    socket: str
    worker_failures: int
