"""Folders as persons walk through them: the roots, what is in a folder, the way up."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

from mediad.commands.context import Context
from mediad.commands.items import load_items
from mediad.errors import InvalidArgument, NotFound, StaleCursor
from mediad.store.store import pack
from mediad.wire.convert import show_path
from mediadb_contract import mediadb_pb2 as pb

PAGE = 100
_VERSION = 1
_FOLDERS, _FILES = 0, 1  # what a cursor stands in: folders come before files


async def folders(context: Context, request: pb.BrowseRequest, actor: str) -> AsyncIterator[pb.BrowseReply]:
    """The roots, or a folder with what is in it: folders, then files where they are asked for, each by name as its
    bytes. The last reply has the folder, those above it, and a cursor when there is more. Raises NotFound for a number
    that is no folder's, StaleCursor."""
    if request.query or request.prefix or request.sort:
        raise InvalidArgument("folders are walked by name: no query, prefix or sort", request.query or request.prefix)
    if not request.folder:
        yield pb.BrowseReply(folders=await _roots(context))
        return
    rows = await context.store.read("folder_above", request.folder)
    if not rows:
        raise NotFound("there is no folder of that number", str(request.folder))
    if context.roots.get(rows[0][2]) is None:
        await context.roots.load()  # another daemon added it
    chain = await _counted(context, list(reversed(rows)))
    folder = chain[-1]
    stage, after = _place(request.cursor, request.folder)
    left = request.limit or 500
    while left:
        size = min(PAGE, left)
        if stage == _FOLDERS:
            found = await context.store.read("folders_in", folder.root, folder.id, after, size)
            way = rows[::-1]
            part = [(row[0], folder.id, folder.root, row[1], row[2]) for row in found]
            reply = pb.BrowseReply(folders=await _counted(context, part, way))
            names = [row[1] for row in found]
        else:
            found = await context.store.read("files_in", folder.id, after, size)
            reply = pb.BrowseReply(items=await _items(context, found, actor))
            names = [row[2] for row in found]
        left -= len(found)
        if names:
            after = names[-1]
        ended = len(found) < size
        if ended and stage == _FOLDERS and request.items:
            stage, after, ended = _FILES, None, False
        if ended or not left:
            reply.folder.CopyFrom(folder)
            reply.above.extend(chain[:-1])
            if not ended and (stage == _FOLDERS or await context.store.read("files_in", folder.id, after, 1)):
                reply.cursor = _cursor(request.folder, stage, after)
            yield reply
            return
        yield reply


def _cursor(folder: int, stage: int, after: bytes | None) -> bytes:
    return bytes([_VERSION, stage, after is not None]) + folder.to_bytes(8, "big") + (after or b"")


def _place(cursor: bytes, folder: int) -> tuple[int, bytes | None]:
    if not cursor:
        return _FOLDERS, None
    if (
        len(cursor) < 11 or cursor[0] != _VERSION or cursor[1] not in (_FOLDERS, _FILES)
        or int.from_bytes(cursor[3:11], "big") != folder
    ):  # fmt: skip
        raise StaleCursor("this cursor belongs to another walk or version")
    return cursor[1], cursor[11:] if cursor[2] else None


async def _roots(context: Context) -> list[pb.Folder]:
    await context.roots.load()
    numbers = [root.id for root in context.roots.all()]
    rows = await context.store.read("tops_of_roots", pack(numbers))
    found = await _counted(context, [(row[0], None, row[1], b"", row[2]) for row in rows])
    return sorted(found, key=lambda each: each.name)


async def _items(context: Context, rows: list[tuple[Any, ...]], actor: str) -> list[pb.Item]:
    """An item a file, with that file only: in a folder each name stands for itself."""
    only: dict[uuid.UUID, set[int]] = {}
    for file, stream, _name in rows:
        only.setdefault(stream, set()).add(file)
    by_file: dict[int, pb.Item] = {}
    for item in await load_items(context, only, only=only, actor=actor):
        for file in item.files:
            entry = pb.Item()
            entry.CopyFrom(item)
            del entry.files[:]
            entry.files.append(file)
            by_file[file.id] = entry
    return [by_file[row[0]] for row in rows if row[0] in by_file]


async def _counted(
    context: Context, rows: list[tuple[Any, ...]], above: list[tuple[Any, ...]] | None = None
) -> list[pb.Folder]:
    """Rows of (id, parent, root, name, mtime), the one below the other, or all below `above`."""
    counts = {
        row[0]: row[1:] for row in await context.store.read("folder_counts", pack([row[0] for row in rows]))
    }  # fmt: skip
    found = []
    names = [row[3] for row in above or () if row[1] is not None]
    for number, parent, root_id, name, mtime in rows:
        root = context.roots.get(root_id)
        way = [*names, name] if parent is not None else []
        if above is None:
            names = way
        local = root.local if root is not None else None
        path = b"" if local is None else b"/".join([local.rstrip(b"/"), *way]) or b"/"
        top = (root.place or root.path) if root is not None else b""
        files, inside = counts.get(number, (0, 0))
        found.append(pb.Folder(
            id=number, parent=parent or 0, name=show_path(top if parent is None else name), root=root_id, files=files,
            folders=inside, path=path, mtime_ns=mtime or 0,
        ))  # fmt: skip
    return found
