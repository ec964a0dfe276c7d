"""The media tree of the seed: which folders, which of them are staging, and what belongs where. Pure.

One file system and one mount hold it all, so that what was downloaded gets its place in `media/` by a hard link while
it goes on being shared: torrents, Usenet (`usenet`), direct downloads (`ddl`).
"""

from __future__ import annotations

from dataclasses import dataclass

_KINDS = ("books", "movies", "music", "tv")
_ANIME = ("anime/movies", "anime/tv")
_CATEGORIES = (*_KINDS, *_ANIME)
FOLDER_MODE = 0o2775  # setgid: what is made in it belongs to the shared group


@dataclass(frozen=True, slots=True)
class Tree:
    """Folders below the top, parents first; `staging` pairs each folder that things arrive in with its goal."""

    folders: tuple[str, ...]
    staging: tuple[tuple[str, str], ...]


def make_tree(*, torrent_staging: bool = False, photos: bool = False) -> Tree:
    """The seed's tree. `torrent_staging`: also `torrents/incomplete` and `torrents/complete/...`, which the seed's text
    names and its program does not make; `photos`: also `media/photos`."""
    tops = ["torrents", "usenet", "ddl", "media"]
    leaves = [f"torrents/{kind}" for kind in _CATEGORIES]
    staging = [(f"torrents/{kind}", f"media/{kind}") for kind in _CATEGORIES]
    gateways = ["usenet", "ddl", *(["torrents"] if torrent_staging else [])]
    for gateway in gateways:
        leaves.append(f"{gateway}/incomplete")
        leaves += [f"{gateway}/complete/{kind}" for kind in _CATEGORIES]
        staging += [(f"{gateway}/complete/{kind}", f"media/{kind}") for kind in _CATEGORIES]
    leaves += [f"media/{kind}" for kind in _CATEGORIES]
    leaves += [f"media/personal/{how}/{kind}" for how in ("rip", "remux") for kind in ("movies", "tv", *_ANIME)]
    if photos:
        leaves.append("media/photos")
    folders: dict[str, None] = dict.fromkeys(tops)
    for leaf in leaves:
        parts = leaf.split("/")
        folders.update(dict.fromkeys("/".join(parts[:depth]) for depth in range(1, len(parts) + 1)))
    order = sorted(folders, key=lambda path: (path.count("/"), path))
    return Tree(tuple(order), tuple(staging))


def top_of(path: bytes) -> bytes:
    """The folder that holds the tree: PATH/data, or PATH where that is called `data` itself."""
    path = path.rstrip(b"/") or b"/"
    return path if path.rpartition(b"/")[2] == b"data" else path.rstrip(b"/") + b"/data"
