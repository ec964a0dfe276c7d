"""Which file of an archive goes where: back to where it was found. Pure: an index in, a list out.

Nothing is written here, and what is in the way at a target is the mover's matter, as with any plan.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mediad.moves.structure.archive import Archive
from mediad.moves.structure.index import Ref, SrcItem
from mediad.moves.structure.moment import Moment
from mediad.moves.structure.uri import file_path, relative_path


@dataclass(frozen=True, slots=True)
class Copy:
    """One file to be put back: `source` and `target` are absolute paths, `size` bytes (0: unknown), `hash` the SHA-1 of
    what must arrive, `encoding` `gz` or `tar` when the archive stores it so. `modified_at`: the time it had."""

    hash: str
    source: bytes
    target: bytes
    size: int
    encoding: str = ""
    modified_at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """One item that is not put back, and why. `code`: `not_stored` (this destination has it not), `bad_uri` (where it
    lies leads out of the archive), `not_a_file` (it was found elsewhere than in a file system), `no_source` (the index
    does not know its source), `outside_source` (its place is not below its source's folder), `superseded` (a later
    content of the same path is put back), `sidecar` (its side file was not archived; its content is in the meta)."""

    code: str
    hash: str
    uri: str


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """`copies` in the order of the index, no two with the same target; `left` what stays behind."""

    copies: tuple[Copy, ...]
    left: tuple[Left, ...]


def plan_restore(
    archive: Archive,
    *,
    src_id: str = "",
    hashes: Collection[str] | None = None,
    into: bytes | None = None,
    latest: bool = True,
) -> RestorePlan:
    """All items found at `src_id` (empty: anywhere), of the contents `hashes` (None: all), back to their `data_uri`; a
    content that was found at several places goes to each of them.

    `into`: an absolute folder in place of each source's own. Of several contents of one path the one with the latest
    `modified_at` is put back; with `latest` false the earliest: what the path held first."""
    chosen: dict[bytes, tuple[Copy, str]] = {}
    left: list[Left] = []
    for ref in archive.index.refs.values():
        if hashes is not None and ref.hash not in hashes:
            continue
        for item in ref.srcs:
            if src_id and item.src_id != src_id:
                continue
            copy = _copy(archive, ref, item, into)
            if isinstance(copy, Left):
                left.append(copy)
                continue
            if item.meta_uri:
                left.append(Left("sidecar", ref.hash, item.meta_uri))
            other = chosen.get(copy.target)
            if other is None or (_at(copy) != _at(other[0]) and (_at(copy) > _at(other[0])) == latest):
                chosen[copy.target] = (copy, item.data_uri)
                if other is not None and other[0].hash != copy.hash:
                    left.append(Left("superseded", other[0].hash, other[1]))
            elif other[0].hash != copy.hash:
                left.append(Left("superseded", copy.hash, item.data_uri))
    return RestorePlan(tuple(copy for copy, _ in chosen.values()), tuple(left))


def _at(copy: Copy) -> int:
    return copy.modified_at.ns if copy.modified_at else -(1 << 63)


def _copy(archive: Archive, ref: Ref, found: SrcItem, into: bytes | None) -> Copy | Left:
    stored = ref.stored_in(archive.dst.dst_id)
    if stored is None:
        return Left("not_stored", ref.hash, found.data_uri)
    relative = relative_path(stored.data_uri)
    if relative is None:
        return Left("bad_uri", ref.hash, stored.data_uri)
    target = file_path(found.data_uri)
    if target is None:
        return Left("not_a_file", ref.hash, found.data_uri)
    src = archive.index.srcs.get(found.src_id)
    if src is None:
        return Left("no_source", ref.hash, found.data_uri)
    top = file_path(src.src_uri)
    if top is None or not target.startswith(top.rstrip(b"/") + b"/"):
        return Left("outside_source", ref.hash, found.data_uri)
    if into is not None:
        target = into.rstrip(b"/") + b"/" + target[len(top.rstrip(b"/")) + 1 :]
    size = 0 if stored.encoding else stored.data_size
    source = archive.data.rstrip(b"/") + b"/" + relative
    return Copy(ref.hash, source, target, size, stored.encoding, found.modified_at)
