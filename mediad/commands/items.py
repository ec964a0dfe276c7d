"""Rows of the store as items and files of the wire."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mediad.errors import ERRORS, InvalidArgument, NotFound
from mediad.index.lookup import find_file
from mediad.index.roots import Roots
from mediad.index.work import effective
from mediad.store.store import pack
from mediad.wire.convert import error_to_wire, show_path
from mediadb_contract import mediadb_pb2 as pb

if TYPE_CHECKING:
    from mediad.commands.context import Context

_GRADES = {1: "fingerprint", 2: "track", 3: "checksum"}
_WIRE_CODES = {"io": "io_error", "limit": "limit_exceeded"}
# Rows made into messages before the loop may do something else: some 20 us each.
_ROWS_AT_ONCE = 200

# What the statements heads_of_items and records_of_items give: columns of the item, columns of one of its files, and
# only records_of_items the rest.
_NUMBER, _ID, _WORKED, _SIDES, _KEYS = range(5)
_FILE, _REST, _END = 5, 34, 38
_MISSING, _ROOT, _KEYWORDS, _RATING = 10, 30, 32, 33

Embedded = list[tuple[str | None, str | None]]  # keywords and rating of each file, as JSON text


async def load_items(context: Context, streams: Iterable[uuid.UUID], *, only: dict[uuid.UUID, set[int]] | None = None,
                     details: bool = False, cold: bool = False, actor: str = "") -> list[pb.Item]:  # fmt: skip
    """Items with their files, in the order given. `only` keeps of each item those files; `details` fills the fields,
    `cold` also keys, tags, sources, stat, link targets and stored checksums."""
    order = list(streams)
    items = [pb.Item() for _ in order]
    kept = None if only is None else [only.get(stream, set()) for stream in order]
    await fill_items(context, order, items, actor=actor, fields=details, whole=cold, kept=kept)
    return items


async def fill_items(
    context: Context, asked: Sequence[uuid.UUID], items: Sequence[pb.Item], *, actor: str, fields: bool = False,
    whole: bool = False, kept: Sequence[set[int]] | None = None,
) -> list[bool]:  # fmt: skip
    """Fills each message with the item of the id at the same place, all by one statement; where an id was merged into
    another, with that one. Tells of each whether there is such an item: if not, the message has the id and what is left
    of a person's work. `kept`: the files to keep of each; `fields`, `whole`: as `details`, `cold` of load_items."""
    if not asked:
        return []
    statement = "records_of_items" if fields or whole else "heads_of_items"
    rows = await context.store.read(statement, pack([stream.hex for stream in asked]))
    if any(context.roots.get(row[_ROOT]) is None for row in rows if row[_ROOT] is not None):
        await context.roots.load()  # another daemon added it
    found = [False] * len(items)
    embedded: list[Embedded] = [[] for _ in items]
    worked: list[int] = []
    last = -1
    for count, row in enumerate(rows, 1):
        number = row[_NUMBER] - 1
        if number != last:
            last = number
            found[number] = row[_ID] is not None
            items[number].id = (row[_ID] or asked[number]).bytes
            if row[_WORKED]:
                worked.append(number)
            if row[_SIDES] is not None:  # what a side file says goes before what the file says
                embedded[number] += [(_text(words), _text(stars)) for words, stars in json.loads(row[_SIDES])]
            if whole and row[_KEYS] is not None:
                _add_keys(items[number], row[_KEYS])
        if row[_FILE] is None:
            continue  # an item without files
        if row[_MISSING] is None and (row[_KEYWORDS] is not None or row[_RATING] is not None):
            embedded[number].append((row[_KEYWORDS], row[_RATING]))
        if kept is None or row[_FILE] in kept[number]:
            file = _add_file(context.roots, items[number], row[_FILE:_KEYWORDS])
            if whole:
                _add_rest(file, row)
            elif fields and row[_REST] is not None:
                file.fields_json = row[_REST]
        if not count % _ROWS_AT_ONCE:
            await asyncio.sleep(0)
    for number, values in enumerate(embedded):
        if values and number not in worked:
            _put_work(items[number], effective(None, values))
    if worked:
        await _add_work(context, [items[number] for number in worked], [embedded[number] for number in worked], actor)
    return found


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _add_file(roots: Roots, item: pb.Item, row: tuple[Any, ...]) -> pb.File:
    (number, name, kind, size, mtime, missing, nlink, _inode, _ctime, _mode, _link, state, handler, version, code,
     problem, item_kind, form, title, artist, album, duration, width, height, date, root_id, folder) = row  # fmt: skip
    if not item.kind:
        # The item speaks through its first file: present ones come first.
        item.kind = item_kind
        item.format = form or ""
        item.title = title or ""
        item.artist = artist or ""
        item.album = album or ""
        item.duration = duration or 0.0
        item.width = width or 0
        item.height = height or 0
        item.date = date or ""
    root = roots.get(root_id)
    path = b"" if root is None or root.local is None else b"".join((root.local.rstrip(b"/"), folder, b"/", name))
    file = item.files.add(
        id=number, item=item.id, path=path, path_display=show_path(path or name), type=kind, size=size, mtime_ns=mtime,
        state="missing" if missing is not None else state, missing_since_ns=missing or 0, handler=handler or "",
        handler_version=version or 0, nlink=max(0, min(nlink, 0xFFFFFFFF)),
    )  # fmt: skip
    if root is not None:
        file.host = root.owner.bytes
    if code:
        error = ERRORS.get("poison" if state == "parked" else _WIRE_CODES.get(code, code), ERRORS["internal"])
        file.problem.CopyFrom(error_to_wire(error(problem or "", path)))
    return file


def _add_rest(file: pb.File, row: tuple[Any, ...]) -> None:
    """What only a whole record has."""
    inode, ctime, mode, link = row[_FILE + 7 : _FILE + 11]
    file.inode = inode & 0xFFFFFFFFFFFFFFFF
    file.ctime_ns = ctime
    file.mode = mode
    file.symlink_target = link or b""
    fields, tags, sources, sums = row[_REST:_END]
    if fields is not None:
        file.fields_json, file.tags_json, file.sources_json = fields, tags, sources
    for scope, *values in json.loads(sums) if sums is not None else ():
        for name, value in zip(("md5", "sha1", "sha256"), values, strict=True):
            if value is not None:
                file.digests.add(algorithm=name, value=bytes.fromhex(value), scope=scope)


def _add_keys(item: pb.Item, keys: str) -> None:
    """What proves which payload the item is."""
    for grade, algorithm, value in json.loads(keys):
        item.keys.add(grade=_GRADES[grade], algorithm=algorithm, value=bytes.fromhex(value))


def _put_work(item: pb.Item, found: dict[str, Any]) -> None:
    if found:
        item.work_json = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        if "user_title" in found:
            item.title = str(found["user_title"])


async def _add_work(context: Context, items: list[pb.Item], embedded: list[Embedded], actor: str) -> None:
    """What persons made of the items, as it holds for `actor`: with the keywords and ratings in the files."""
    ids = [uuid.UUID(bytes=item.id) for item in items]
    own = {row[0]: row[1:] for row in await context.store.read("work_of_streams", pack(list(map(str, ids))), actor)}
    bare: dict[uuid.UUID, pb.Item] = {}
    for stream, item, values in zip(ids, items, embedded, strict=True):
        _put_work(item, effective(own.get(stream), values))
        if all(file.state == "missing" for file in item.files):
            bare[stream] = item
    if bare:
        for old, new in await context.store.read("successors", pack(list(map(str, bare)))):
            bare[old].successor = new.bytes


async def resolve(context: Context, target: pb.Target) -> tuple[uuid.UUID, int | None]:
    """The item a target means, and the file when it is a path. Raises NotFound, InvalidArgument naming it."""
    if target.WhichOneof("what") == "id":
        asked = check_id(target.id)
        stream = (await context.store.read("live_stream", asked))[0][0]
        if stream is None:
            raise no_item(asked)
        return stream, None
    file, stream = await find_file(context.roots, check_path(target.path))
    return stream, file


def no_item(asked: uuid.UUID, kind: str = "") -> NotFound:
    """The error for an id that is unknown, or of an album or artist (`kind`), not raised."""
    if kind:
        return NotFound(f"that is the id of an {kind}, not of an item: see browse {kind}s", str(asked))
    return NotFound("there is no item of that id", str(asked))


def check_id(data: bytes) -> uuid.UUID:
    """An item's id. Raises InvalidArgument."""
    if len(data) != 16:
        raise InvalidArgument("an id has 16 bytes", data)
    return uuid.UUID(bytes=data)


def check_path(path: bytes) -> bytes:
    """An absolute path as POSIX allows it. Raises InvalidArgument."""
    if not path.startswith(b"/"):
        raise InvalidArgument("a path on the wire is absolute", path)
    if b"\0" in path:
        raise InvalidArgument("a path holds no NUL", path.replace(b"\0", b"?"))
    return path
