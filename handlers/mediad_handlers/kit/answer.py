"""From a handler's result to the contract's answer (handlers/README.md, Answers), within its limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgpack

from mediad_handlers.kit.api import Handler, HandlerError, Record
from mediad_handlers.kit.checksum import ALGORITHMS, digest
from mediad_handlers.kit.fingerprint import fingerprint, whole
from mediad_handlers.kit.sniff import recognise, sniff
from mediad_handlers.streams import PCM_ALGORITHM, TRACKS, digest_tracks, head_keys, payload_of

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

CONTRACT = 1
VERSION = "0.1.0"  # of the built-in applications
TEXT_BYTES = 64 * 1024  # one text value
RECORD_BYTES = 256 * 1024  # all values of a file
INT64 = 1 << 63
TAGS = 2000  # keys of `tags`
_pack = msgpack.Packer(unicode_errors="replace").pack


def describe(application: str, handlers: tuple[Handler, ...], sandbox: str) -> dict[str, Any]:
    """The manifest of an application with these handlers."""
    return {
        "contract": CONTRACT,
        "application": application,
        "version": VERSION,
        "descriptors": True,
        "sandbox": sandbox,
        "handlers": [
            {
                "name": one.name,
                "version": one.version,
                "summary": one.summary,
                "kinds": list(one.kinds),
                "extensions": list(one.match.extensions),
                "mime_types": list(one.match.mime_types),
                "magic": [[offset, magic] for offset, magic in one.match.magic],
                "operations": _list_operations(one),
                "fields": list(one.fields),
                "limits": {name: dict(limit) for name, limit in one.limits.items()},
            }
            for one in handlers
        ],
    }


def _list_operations(handler: Handler) -> list[str]:
    optional = (("text", handler.text), ("preview", handler.preview), ("write", handler.write))
    return ["read", "checksum", *(name for name, function in optional if function is not None)]


def read(handler: Handler, file: File) -> dict[str, Any]:
    """The answer to `read`. Raises HandlerError."""
    try:
        record = handler.read(file)
    except HandlerError as fault:
        if fault.code in ("corrupt", "limit"):
            fault.partial = _answer(handler, file, _outside(file))
        raise
    return _answer(handler, file, record)


def _outside(file: File) -> Record:
    """What the first bytes and the size say of a file that cannot be read: format and fingerprint, so that it is found
    again when it is moved."""
    found = sniff(file)
    if found is None:
        return Record("other", file.extension or "unknown", "application/octet-stream", payload=whole(file))
    return Record(found.kind, found.format, found.mime_type, payload=whole(file))


def _answer(handler: Handler, file: File, record: Record) -> dict[str, Any]:
    payload = record.payload or payload_of(file, record.format) or whole(file)
    keys: list[list[Any]] = [["fingerprint", payload.algorithm, fingerprint(file, payload)]]
    keys += head_keys(file, record.format)
    if "pcm_md5" in record.fields:
        keys.append(["checksum", PCM_ALGORITHM, bytes.fromhex(record.fields["pcm_md5"])])
    fields, tags = bound(record.fields, record.tags, record.warnings)
    return {
        "handler": handler.name,
        "handler_version": handler.version,
        "kind": record.kind,
        "format": record.format,
        "mime_type": record.mime_type,
        "fields": fields,
        "tags": tags,
        "sources": record.sources
        if fields is record.fields and record.sources.keys() == fields.keys()
        else {name: source for name, source in record.sources.items() if name in fields},
        "keys": keys,
        "warnings": record.warnings,
        "stat": list(file.stat()),
    }


def checksum(
    handler: Handler, file: File, options: Mapping[str, Any], progress: Callable[[int], object] | None = None
) -> dict[str, Any]:
    """The answer to `checksum`. Raises HandlerError: `unsupported` for an unknown scope or algorithm, and for scope
    `stream` of a handler without one."""
    scope = options.get("scope", "file")
    algorithms = options.get("algorithms") or list(ALGORITHMS)
    if scope == "stream":
        return _checksum_stream(handler, file, algorithms, progress)
    if scope != "file":
        raise HandlerError("unsupported", f"there is no scope {scope!r}: it is file or stream")
    digests, count = digest(file, whole(file), algorithms, progress)
    return {
        "handler": handler.name,
        "handler_version": handler.version,
        "scope": scope,
        "digests": digests,
        "bytes": count,
        "stat": list(file.stat()),
    }


def _checksum_stream(
    handler: Handler, file: File, algorithms: Sequence[str], progress: Callable[[int], object] | None
) -> dict[str, Any]:
    """Scope `stream`: the payload's digests, and those of each audio and video track where the format has tracks."""
    found = recognise(file)
    format = found.format if found is not None else ""
    payload = payload_of(file, format)
    if payload is None and handler.payload is not None:
        payload = handler.payload(file)
    if payload is None:
        if format not in TRACKS:
            raise HandlerError("unsupported", f"the {handler.name} handler knows no stream in this file")
        payload = whole(file)
    digests, count = digest(file, payload, algorithms, progress)
    answer: dict[str, Any] = {
        "handler": handler.name,
        "handler_version": handler.version,
        "scope": "stream",
        "algorithm": payload.algorithm,
        "digests": digests,
        "bytes": count,
        "keys": [],
        "stat": [],
    }
    try:
        rows, keys = digest_tracks(file, format, algorithms, progress and (lambda done: progress(count + done)))
    except HandlerError as fault:
        if fault.code == "io":
            raise
        answer["warnings"] = [f"tracks: {fault.message}"]
    else:
        answer["keys"] = keys
        if rows:
            answer["tracks"] = rows
    if format == "wav" and payload.algorithm == "wave-data/1":
        answer["keys"].append(["checksum", PCM_ALGORITHM, digest(file, payload, ("md5",))[0]["md5"]])
    answer["stat"] = list(file.stat())
    return answer


def bound(
    fields: dict[str, Any], tags: dict[str, list[Any]], warnings: list[str]
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Fields and tags within TEXT_BYTES, RECORD_BYTES and TAGS. Fields are kept before tags; a text that is too long
    is cut, what does not fit is left out, and a warning says so."""
    if _is_small(fields, tags):
        return fields, tags
    left = RECORD_BYTES
    kept_fields: dict[str, Any] = {}
    for name, value in fields.items():
        if type(value) is str and len(value) * 4 > TEXT_BYTES:
            value = _cut(value, name, warnings)
        elif type(value) is int and not -INT64 <= value < INT64:
            warnings.append(f"{name}: left out, the number has more than 64 bits")
            continue
        left -= _weigh(value)
        if left < 0:
            warnings.append(f"{name}: left out, the values of this file exceed {RECORD_BYTES} bytes")
            left += _weigh(value)
            continue
        kept_fields[name] = value
    kept_tags: dict[str, list[Any]] = {}
    for key, values in tags.items():
        if len(kept_tags) >= TAGS:
            warnings.append(f"tags: {len(tags) - TAGS} left out, {TAGS} is the most")
            break
        values = [str(one) if type(one) is int and not -INT64 <= one < INT64 else one for one in values]
        weight = len(key) + _weigh(values)
        if weight * 4 > TEXT_BYTES:
            values = [_cut(one, key, warnings) if type(one) is str else one for one in values]
            weight = len(key) + _weigh(values)
        if weight > left:
            warnings.append(f"{key}: left out, the values of this file exceed {RECORD_BYTES} bytes")
            continue
        left -= weight
        kept_tags[key] = values
    return kept_fields, kept_tags


def _is_small(fields: dict[str, Any], tags: dict[str, list[Any]]) -> bool:
    """Whether everything is so far below the limits that nothing need be weighed: packed, no text is longer than the
    whole, and a number weighs at most eight times its packed byte."""
    if len(tags) > TAGS:
        return False
    try:
        return len(_pack((fields, tags))) * 8 <= TEXT_BYTES
    except (OverflowError, TypeError, ValueError):  # a number of more than 64 bits, or what is no plain value
        return False


def _cut(text: str, name: str, warnings: list[str]) -> str:
    """At most TEXT_BYTES of UTF-8, cut between characters."""
    data = text.encode("utf-8", "replace")
    if len(data) <= TEXT_BYTES:
        return text
    warnings.append(f"{name}: cut from {len(data)} to {TEXT_BYTES} bytes")
    return data[:TEXT_BYTES].decode("utf-8", "ignore")


def _weigh(value: Any) -> int:
    """Bytes of a value in an answer: UTF-8 text, 8 for a number."""
    if type(value) is str:
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    if type(value) is list:
        return sum(map(_weigh, value))
    if type(value) is dict:
        return sum(len(key) + _weigh(one) for key, one in value.items())
    return 8
