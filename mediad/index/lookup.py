"""From paths to files and back, through the roots of this host."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mediad.errors import NotFound
from mediad.index.roots import Roots
from mediad.model import Root
from mediad.store.store import pack


@dataclass(frozen=True, slots=True)
class Located:
    """Where a file is: its root (None: it was forgotten meanwhile) and its path below the root's top."""

    root: Root | None
    below: bytes

    @property
    def path(self) -> bytes:
        """The absolute path on this host; b"" when the volume is not mounted here."""
        if self.root is None or self.root.local is None:
            return b""
        return self.root.local.rstrip(b"/") + b"/" + self.below


async def dir_paths(roots: Roots, dirs: set[int]) -> dict[int, tuple[bytes, ...]]:
    """Names from the top of its root to each folder (the top itself: no names)."""
    return {leaf: names for leaf, (_root, names) in (await _climb(roots, dirs)).items()}


async def _climb(roots: Roots, dirs: set[int]) -> dict[int, tuple[int, tuple[bytes, ...]]]:
    """The root of each folder, and the names from its top to it."""
    if not dirs:
        return {}
    rows = await roots.store.read("dir_paths", pack(sorted(dirs)), deadline=30.0)
    return {leaf: (root, tuple(names[1:])) for leaf, root, names in rows}


async def locate_files(roots: Roots, files: Iterable[tuple[int, int, bytes]]) -> dict[int, Located]:
    """Where files are, given as (file, folder, name)."""
    files = list(files)
    tops = await _climb(roots, {folder for _file, folder, _name in files})
    if any(roots.get(root) is None for root, _names in tops.values()):
        await roots.load()  # another daemon added it
    found: dict[int, Located] = {}
    for number, folder, name in files:
        root, names = tops.get(folder, (0, ()))
        found[number] = Located(roots.get(root), b"/".join([*names, name]))
    return found


async def find_dir(roots: Roots, path: bytes) -> tuple[Root, int] | None:
    """The folder at an absolute path of this host, when it lies in a root: the innermost root's."""
    path = os.path.normpath(path) if path else path
    for root in sorted(roots.all(), key=lambda r: -len(r.local or b"")):
        if root.local is None or root.only_name:
            continue
        top = root.local.rstrip(b"/")
        if path != root.local and not path.startswith(top + b"/"):
            continue
        names = [name for name in path[len(top) :].split(b"/") if name]
        found = await roots.store.read("dir_by_names", root.id, pack([name.hex() for name in names]))
        if found:
            return root, found[0][0]
    return None


def _places(roots: list[Root], path: bytes) -> Iterator[tuple[int, list[bytes], bytes]]:
    """Where a file of that absolute path may be known, the likeliest first: (root, folders below its top, name)."""
    folder, name = os.path.split(os.path.normpath(path))
    for root in roots:
        if root.only_name and root.only_name == name and root.local == folder:
            yield root.id, [], name
    for root in sorted(roots, key=lambda r: -len(r.local or b"")):
        if root.local is None or root.only_name:
            continue
        top = root.local.rstrip(b"/")
        if folder == root.local or folder.startswith(top + b"/"):
            yield root.id, [each for each in folder[len(top) :].split(b"/") if each], name


async def find_files(roots: Roots, paths: Iterable[bytes]) -> list[tuple[int, uuid.UUID] | None]:
    """The file at each absolute path of this host, as (file id, stream); None where no root holds one. One statement
    for all of them."""
    paths = list(paths)
    places: list[tuple[int, list[str], str]] = []
    asked: list[int] = []
    known = roots.all()
    for number, path in enumerate(paths):
        for root, folders, name in _places(known, path):
            places.append((root, [each.hex() for each in folders], name.hex()))
            asked.append(number)
    found: list[tuple[int, uuid.UUID] | None] = [None] * len(paths)
    for place, file, stream in sorted(await roots.store.read("files_at_places", pack(places))) if places else ():
        number = asked[place - 1]
        found[number] = found[number] or (file, stream)
    return found


async def find_file(roots: Roots, path: bytes) -> tuple[int, uuid.UUID]:
    """The file at an absolute path of this host: (file id, stream). Raises NotFound naming the path."""
    return told(path, (await find_files(roots, [path]))[0])


def told(path: bytes, found: tuple[int, uuid.UUID] | None) -> tuple[int, uuid.UUID]:
    """What `find_files` found at `path`. Raises NotFound naming the path where that is nothing."""
    if found is None:
        raise NotFound("no root holds a file of that path", path)
    return found
