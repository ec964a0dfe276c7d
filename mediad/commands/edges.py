"""Of files of one size with one fingerprint, those that may be equal byte for byte: their first and last blocks are.

A fingerprint leaves out what editors rewrite: two songs of one payload and one size whose tags differ would be read
whole to learn that they differ. Tags stand at a file's beginning or its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from mediad.commands.context import Context
from mediad.index.lookup import locate_files

# Files a message to an opener: some 5 ms of its time where they are in memory.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row of the statement exact_candidates. `known`: its checksum is stored."""

    file: int
    size: int
    value: bytes
    known: bool
    folder: int
    name: bytes


async def maybe_equal(
    context: Context, candidates: Sequence[Candidate], tried: set[int], edges: dict[int, bytes]
) -> list[tuple[int, int]]:
    """The files, as (number, size), whose checksum is needed: not stored, not `tried`, and with the size, the
    fingerprint and the edges of another one. `candidates` are in the order of their fingerprints and sizes, every group
    whole; `edges`: what was read of them so far. A file that cannot be read equals none. Raises Unavailable when its
    volume does not answer."""
    groups = [list(group) for _key, group in groupby(candidates, lambda each: (each.value, each.size))]
    open_ones = [group for group in groups if any(not each.known and each.file not in tried for each in group)]
    edges |= await _edges(context, [each for group in open_ones for each in group if each.file not in edges])
    found: dict[int, int] = {}
    for group in open_ones:
        seen: dict[bytes, list[Candidate]] = {}
        for each in group:
            if each.file in edges:
                seen.setdefault(edges[each.file], []).append(each)
        for alike in seen.values():
            if len(alike) > 1:
                found.update((each.file, each.size) for each in alike if not each.known and each.file not in tried)
    return sorted(found.items())


async def _edges(context: Context, files: Sequence[Candidate]) -> dict[int, bytes]:
    """Digests of the first and last blocks of files, without those that are away or cannot be read."""
    rows = {each.file: (each.file, each.folder, each.name) for each in files}
    places = await locate_files(context.roots, rows.values())
    by_top: dict[bytes, list[tuple[int, bytes]]] = {}
    for number, place in places.items():
        if place.root is not None and place.root.local is not None:
            by_top.setdefault(place.root.local, []).append((number, place.below))
    found: dict[int, bytes] = {}
    for top, asked in by_top.items():
        for start in range(0, len(asked), _AT_ONCE):
            part = asked[start : start + _AT_ONCE]
            digests = await context.roots.opener(top).edges(top, [path for _number, path in part])
            for (number, _path), digest in zip(part, digests, strict=True):
                if digest is not None:
                    found[number] = digest
    return found
