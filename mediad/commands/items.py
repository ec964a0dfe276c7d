"""Rows of the store as items and files of the wire."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from mediad.commands.context import Context
from mediad.errors import ERRORS, InvalidArgument, NotFound
from mediad.index.lookup import Located, find_file, locate_files
from mediad.index.work import effective
from mediad.store.store import pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

_GRADES = {1: "fingerprint", 2: "track", 3: "checksum"}


async def load_items(context: Context, streams: Iterable[uuid.UUID], *, only: dict[uuid.UUID, set[int]] | None = None,
                     details: bool = False, cold: bool = False, actor: str = "") -> list[pb.Item]:  # fmt: skip
    """Items with their files, in the order given. `only` keeps of each item those files; `details` fills the fields,
    `cold` also tags, sources, stat, link targets and stored checksums."""
    order = list(streams)
    rows = await context.store.read("files_of_streams", pack([str(s) for s in order])) if order else []
    if only is not None:
        rows = [row for row in rows if row[1] in only.get(row[0], ())]
    places = await locate_files(context.roots, ((row[1], row[2], row[3]) for row in rows))
    items = {stream: pb.Item(id=stream.bytes) for stream in order}
    files: dict[int, pb.File] = {}
    for row in rows:
        item = items[row[0]]
        if not item.kind:
            _describe(item, row)
        files[row[1]] = _file(item, row, places.get(row[1], Located(None, row[3])), cold)
    if (details or cold) and files:
        await _fill(context, files, cold)
    if order:
        await _add_work(context, items, actor)
    return [items[stream] for stream in order]


async def _add_work(context: Context, items: dict[uuid.UUID, pb.Item], actor: str) -> None:
    """What persons made of the items, as it holds for `actor`: with the keywords and ratings in the files."""
    ids = pack([str(stream) for stream in items])
    own = {row[0]: row[1:] for row in await context.store.read("work_of_streams", ids, actor)}
    embedded: dict[uuid.UUID, list[tuple[str | None, str | None]]] = {}
    for stream, keywords, rating in await context.store.read("embedded_of_streams", ids):
        embedded.setdefault(stream, []).append((keywords, rating))
    for stream in own.keys() | embedded.keys():
        found = effective(own.get(stream), embedded.get(stream, ()))
        if found:
            item = items[stream]
            item.work_json = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
            item.title = str(found.get("user_title", item.title))
    bare = [stream for stream, item in items.items() if stream in own and all(f.state == "missing" for f in item.files)]
    if bare:
        for old, new in await context.store.read("successors", pack([str(stream) for stream in bare])):
            items[old].successor = new.bytes


def _describe(item: pb.Item, row: tuple[Any, ...]) -> None:
    """The item speaks through its first file: present ones come first."""
    kind, form, title, artist, album, duration, width, height, date = row[17:26]
    item.kind = kind
    item.format = form or ""
    item.title = title or ""
    item.artist = artist or ""
    item.album = album or ""
    item.duration = duration or 0.0
    item.width = width or 0
    item.height = height or 0
    item.date = date or ""


def _file(item: pb.Item, row: tuple[Any, ...], place: Located, cold: bool) -> pb.File:
    (stream, number, _dir, name, kind, size, mtime, state, missing, handler, version, code, problem) = row[:13]
    path = place.path
    shown = path or name
    file = item.files.add(
        id=number, item=stream.bytes, path=path, path_display=show_path(shown), type=kind, size=size, mtime_ns=mtime,
        state="missing" if missing is not None else state, missing_since_ns=missing or 0, handler=handler or "",
        handler_version=version or 0, nlink=max(0, min(row[13], 0xFFFFFFFF)),
    )  # fmt: skip
    if place.root is not None:
        file.host = place.root.owner.bytes
    if code:
        wire_code = {"io": "io_error", "limit": "limit_exceeded"}.get(code, code)
        error = ERRORS.get("poison" if state == "parked" else wire_code, ERRORS["internal"])
        file.problem.CopyFrom(error_to_wire(error(problem or "", path)))
    if cold:
        file.inode = row[14] & 0xFFFFFFFFFFFFFFFF
        file.ctime_ns = row[15]
        file.mode = row[16]
        file.symlink_target = row[26] or b""
    return file


async def _fill(context: Context, files: dict[int, pb.File], cold: bool) -> None:
    numbers = pack(sorted(files))
    for number, fields, tags, sources, _warnings in await context.store.read("details_of_files", numbers):
        file = files[number]
        file.fields_json = fields
        if cold:
            file.tags_json, file.sources_json = tags, sources
    if not cold:
        return
    for number, scope, _algorithm, md5, sha1, sha256 in await context.store.read("checksums_of_files", numbers):
        for name, value in (("md5", md5), ("sha1", sha1), ("sha256", sha256)):
            if value is not None:
                files[number].digests.add(algorithm=name, value=value, scope=scope)


async def add_keys(context: Context, item: pb.Item) -> None:
    """What proves which payload the item is."""
    for grade, algorithm, value in await context.store.read("keys_of_stream", uuid.UUID(bytes=item.id)):
        item.keys.add(grade=_GRADES[grade], algorithm=algorithm, value=value)


async def resolve(context: Context, target: pb.Target) -> tuple[uuid.UUID, int | None]:
    """The item a target means, and the file when it is a path. Raises NotFound, InvalidArgument naming it."""
    if target.WhichOneof("what") == "id":
        if len(target.id) != 16:
            raise InvalidArgument("an id has 16 bytes", target.id)
        asked = uuid.UUID(bytes=target.id)
        stream = (await context.store.read("live_stream", asked))[0][0]
        if stream is None:
            raise NotFound("there is no item of that id", str(asked))
        return stream, None
    file, stream = await find_file(context.roots, check_path(target.path))
    return stream, file


def check_path(path: bytes) -> bytes:
    """An absolute path as POSIX allows it. Raises InvalidArgument."""
    if not path.startswith(b"/"):
        raise InvalidArgument("a path on the wire is absolute", path)
    if b"\0" in path:
        raise InvalidArgument("a path holds no NUL", path.replace(b"\0", b"?"))
    return path
