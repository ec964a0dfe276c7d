"""HomeGallery: events.db, and database.db for the files' names.

Events: xemle/home-gallery packages/events: newline-delimited JSON, plain or gzip; the first line is the header
`{"type":"home-gallery/events@1.x","created":ISO}`, each other one an event of the form

    {"id":UUID,"type":"userAction","date":ISO,
     "targetIds":[SHA-1,...],"actions":[{"action":"addTag"|"removeTag","value":TAG},...]}

which means its actions in their order on every target; an id seen before is passed over (apply-events.ts). The target
is the SHA-1 of an entry's main file. Each event yields a Work a target, in the file's order: of actions on the same
tag within one event the last one counts. `subtargetCoords` (a rectangle in the picture, as JSON) is kept as a field.

Database: gzip of one JSON object whose `data` are entries with `id` and `files[]`, of which the first is the main
file: `filename`, relative to the folder of the file index `index`, which the database does not name. It is streamed.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from mediad.errors import Corrupt, InvalidArgument

from .files import head, opened
from .model import Options, Problem, Record, Work
from .values import Values

_GZIP = b"\x1f\x8b"
_EVENTS = "home-gallery/events@1."
_DATABASE = re.compile(r'\{\s*"type"\s*:\s*"home-gallery/database@1\.')
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_BETWEEN = re.compile(r"[ \t\r\n,]*")
_LONGEST = 16 << 20  # bytes of a line, characters of an entry: neither comes near in a real gallery
_CHUNK = 1 << 20


class HomeGallery:
    """Heeds database, music_directory (what file names in the database are relative to)."""

    name = "homegallery"
    about = "HomeGallery's events.db"

    def sniff(self, path: bytes) -> bool:
        start = head(path, 2)
        if start not in (_GZIP, b'{"', b"{ "):
            return False
        with _plain(path) as file:
            return _is_header(file.readline(4096))

    def read(self, path: bytes, options: Options) -> Iterator[Record]:
        names = _names(options.database) if options.database else {}
        seen: set[str] = set()
        with _plain(path) as file:
            file.readline(_LONGEST)  # the header, which sniff looked at
            for number, line in _lines(file):
                if not line.strip():
                    continue
                if len(line) > _LONGEST:
                    yield Problem(f"line:{number}", f"the line is longer than {_LONGEST} bytes")
                    continue
                yield from _event(number, line, seen, names, options.music_directory)


@contextmanager
def _plain(path: bytes) -> Iterator[BinaryIO]:
    """The file, unpacked where it is packed. Raises Corrupt where the packing breaks, and as `opened`."""
    with opened(path) as file:
        try:
            if file.peek(2)[:2] == _GZIP:  # type: ignore[attr-defined]
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Corrupt(f"the packed file breaks off or is damaged: {error}", path) from error


def _is_header(line: bytes) -> bool:
    try:
        header = json.loads(line)
    except ValueError:
        return False
    return isinstance(header, dict) and str(header.get("type")).startswith(_EVENTS)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Numbered from 1 as in an editor, the header being the first; of one too long only the beginning."""
    number = 1
    while line := file.readline(_LONGEST + 1):
        number += 1
        rest = line
        while len(rest) > _LONGEST and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST + 1)
        yield number, line


def _event(
    number: int, line: bytes, seen: set[str], names: dict[bytes, bytes], music_directory: bytes
) -> Iterator[Record]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        yield Problem(f"line:{number}", "the line is no JSON")
        return
    if not isinstance(event, dict) or not isinstance(event.get("id"), str):
        yield Problem(f"line:{number}", "the line is no event: it has no id")
        return
    values = Values(event["id"])
    if event["id"] in seen:
        return
    seen.add(event["id"])
    added, removed = _tags(event, values)
    at_ns = values.date_ns("date", event.get("date"))
    yield from values.problems
    if not added and not removed:
        return
    coordinates = event.get("subtargetCoords") or []
    for index, target in enumerate(event["targetIds"]):
        if not isinstance(target, str) or not _SHA1.fullmatch(target):
            yield Problem(event["id"], f"a target is no SHA-1: {str(target)[:60]!r}")
            continue
        sha1 = bytes.fromhex(target)
        path = names.get(sha1, b"")
        fields = {}
        if isinstance(coordinates, list) and index < len(coordinates):
            fields["subtargetCoords"] = json.dumps(coordinates[index], sort_keys=True)
        yield Work(
            path=path,
            relative_to=b"" if not path or path.startswith(b"/") else music_directory,
            sha1=sha1,
            tags_added=added,
            tags_removed=removed,
            fields=fields,
            source_id=f"{event['id']}:{target.lower()}",
            at_ns=at_ns,
        )


def _tags(event: dict[str, Any], values: Values) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tags added and removed in the end, in the order last spoken of. What is not understood is said in `values`."""
    actions, targets = event.get("actions"), event.get("targetIds")
    if event.get("type") != "userAction" or not isinstance(actions, list) or not isinstance(targets, list):
        values.problem("the event is no userAction with actions and targets")
        return (), ()
    last: dict[str, bool] = {}
    for action in actions:
        name, tag = (action.get("action"), action.get("value")) if isinstance(action, dict) else (None, None)
        if name not in ("addTag", "removeTag") or not isinstance(tag, str) or not tag:
            values.problem(f"the action is not understood: {json.dumps(action)[:80]}")
            continue
        last.pop(tag, None)
        last[tag] = name == "addTag"
    return tuple(tag for tag, on in last.items() if on), tuple(tag for tag, on in last.items() if not on)


def _names(path: bytes) -> dict[bytes, bytes]:
    """SHA-1 of each entry's main file to the name of that file. Raises InvalidArgument for another kind of file."""
    names: dict[bytes, bytes] = {}
    for entry in _entries(path):
        sha1, files = entry.get("id"), entry.get("files")
        if not isinstance(sha1, str) or not _SHA1.fullmatch(sha1) or not isinstance(files, list) or not files:
            continue
        name = files[0].get("filename") if isinstance(files[0], dict) else None
        if isinstance(name, str):
            names[bytes.fromhex(sha1)] = name.encode("utf-8", "surrogatepass")
    return names


def _entries(path: bytes) -> Iterator[dict[str, Any]]:
    """The objects of `data`, one after the other: a gallery's database is hundreds of megabytes of one line."""
    decoder = json.JSONDecoder()
    with _plain(path) as packed, io.TextIOWrapper(packed, "utf-8", "replace") as file:
        text = file.read(_CHUNK)
        if not _DATABASE.match(text):
            raise InvalidArgument("the file is no database of HomeGallery 1.x", path)
        start = text.find("[", text.find('"data"'))
        if start < 0:
            raise Corrupt("the database has no list of entries in its beginning", path)
        at = start + 1
        while True:
            at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if text.startswith("]", at):
                return
            try:
                entry, at = decoder.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                more = file.read(_CHUNK) if len(text) - at < _LONGEST else ""
                if not more:
                    raise Corrupt("the database breaks off or is damaged", path) from error
                text, at = text[at:] + more, 0
                continue
            if isinstance(entry, dict):
                yield entry
