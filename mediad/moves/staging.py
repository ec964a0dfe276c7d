"""What has arrived in the staging folders of a media tree (mediad.moves.tree): complete, at rest, and not in `media/`
yet. It gets its place there by a hard link, so that it can go on being shared."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from mediad.errors import MediadError, NotFound
from mediad.index.lookup import find_dir
from mediad.index.roots import Roots
from mediad.model import Root
from mediad.moves.bundle import split_name
from mediad.moves.model import Source
from mediad.moves.plan import Planner, Selected
from mediad.moves.tree import make_tree
from mediad.store.store import Store

# How programs name what they have not finished: qBittorrent, uTorrent, Chromium, Firefox, aria2, wget and curl, rsync.
UNFINISHED = frozenset(b"!qb !ut crdownload part aria2 tmp partial download bc! incomplete".split())
# The name template for each folder of media/ (mediad.moves.defaults).
TEMPLATES = {
    "movies": "movie", "tv": "tv", "music": "music", "books": "book", "anime/movies": "anime-movie",
    "anime/tv": "anime-tv",
}  # fmt: skip
_SAMPLE = b"sample"


@dataclass(slots=True)
class Arrived:
    """Files that are to be placed, by the template for them. `later`: seconds until more may be at rest, 0 for none."""

    root: Root
    media: bytes  # the folder media/, below the root's top
    files: dict[str, list[Selected]] = field(default_factory=dict)
    unfinished: int = 0
    later: float = 0.0

    @property
    def count(self) -> int:
        """How many files are to be placed."""
        return sum(map(len, self.files.values()))


async def arrived(store: Store, roots: Roots, planner: Planner, top: bytes, rest_seconds: float) -> Arrived:
    """What has arrived below `top` (the tree's folder, absolute) and rests since `rest_seconds`. A release, a file or
    folder in a staging folder, is looked at as one: while one file of it changes or is unfinished, all of it waits.

    Raises NotFound when the tree is in no root of this host."""
    place = await find_dir(roots, top)
    if place is None or place[0].local is None:
        raise NotFound("no root of this host holds that tree; `mediactl add` makes one", top)
    root = place[0]
    inside = top[len((root.local or b"").rstrip(b"/")) :].strip(b"/")
    media = inside + b"/media" if inside else b"media"
    found = Arrived(root, media)
    problems: list[MediadError] = []
    now = time.time_ns()
    for staging, goal in make_tree(torrent_staging=True).staging:
        folder = await find_dir(roots, top.rstrip(b"/") + b"/" + os.fsencode(staging))
        if folder is None or folder[0].id != root.id:
            continue
        rows = await store.read("arrived", folder[1], deadline=60.0)
        depth = (inside.count(b"/") + 1 if inside else 0) + staging.count("/") + 1
        releases: dict[bytes, list[tuple[Source, bool]]] = {}
        placed = {row[0]: bool(row[9]) for row in rows}
        for source in await planner.sources([row[:9] for row in rows], problems):
            name = source.below.split(b"/")[depth]
            releases.setdefault(name, []).append((source, placed[source.file]))
        for files in releases.values():
            _take(found, TEMPLATES[goal.removeprefix("media/")], files, now, rest_seconds)
    return found


def _take(
    found: Arrived, template: str, files: list[tuple[Source, bool]], now: int, rest_seconds: float
) -> None:  # fmt: skip
    waiting = [source for source, placed in files if not placed and _is_media(source)]
    if not waiting:
        return
    if any(split_name(source.name)[1] in UNFINISHED for source, _placed in files):
        found.unfinished += 1
        return
    youngest = max(source.mtime_ns for source, _placed in files)
    left = rest_seconds - (now - youngest) / 1e9
    if 0 < left <= rest_seconds:  # a time to come is no sign of change
        found.later = min(found.later or left, left)
        return
    found.files.setdefault(template, []).extend(Selected(source) for source in waiting)


def _is_media(source: Source) -> bool:
    """Films, songs, books: not their side files, which go along, nor samples."""
    stem, ending = split_name(source.name)
    words = stem.lower().replace(b"-", b".").replace(b"_", b".").split(b".")
    return source.type == "f" and ending in _MEDIA and _SAMPLE not in words


_MEDIA = frozenset(
    b"mkv mp4 m4v avi mov wmv mpg mpeg ts m2ts webm ogv flv vob iso flac mp3 m4a m4b ogg opus wav aiff aif ape wv wma "
    b"aac alac dsf epub mobi azw azw3 pdf djvu cbz cbr fb2".split()
)
