"""Records as protobuf: proto/handler.proto, each message behind its length (proto/README.md, Frames)."""

from __future__ import annotations

from typing import Any

from mediadb_contract import handler_pb2 as pb
from mediadb_contract.fields import FIELDS

_PLAIN = ("handler", "handler_version", "kind", "format", "mime_type", "can_handle")


def frame(path: bytes, record: dict[str, Any]) -> bytes:
    """One record, ready to be written."""
    data: bytes = build(path, record).SerializeToString()
    return len(data).to_bytes(4, "big") + data


def build(path: bytes, record: dict[str, Any]) -> pb.Record:
    """A contract's answer (handlers/README.md), with `checksums`, `tracks`, `error`, `text` where it has them."""
    message = pb.Record(path=path, **{name: record[name] for name in _PLAIN if name in record})
    sources = record.get("sources", {})
    for name, value in record.get("fields", {}).items():
        field = FIELDS.get(name)
        row = message.fields.add(name=name, number=field.number if field else 0, source=sources.get(name, ""))
        _fill(row.value, value)
    for key, values in record.get("tags", {}).items():
        tag = message.tags.add(key=key)
        for value in values:
            _fill(tag.values.add(), value)
    for grade, algorithm, value in record.get("keys", []):
        message.keys.add(grade=grade, algorithm=algorithm, value=value)
    for name, value in record.get("checksums", {}).items():
        message.checksums.add(name=name, value=value)
    for one in record.get("tracks", []):
        track = message.tracks.add(
            number=one["number"], kind=one["kind"], codec=one["codec"], algorithm=one["algorithm"], bytes=one["bytes"]
        )
        for name, value in one["digests"].items():
            track.digests.add(name=name, value=value)
    message.warnings.extend(map(_clean, record.get("warnings", [])))
    if "error" in record:
        message.error.code = record["error"]["code"]
        message.error.message = _clean(record["error"]["message"])
    if "text" in record:
        message.text.text = _clean(record["text"])
        message.text.truncated = record["truncated"]
        message.text.source = record["source"]
    return message


def _fill(into: pb.Value, value: Any) -> None:
    if type(value) is bool:
        into.boolean = value
    elif type(value) is int and -(1 << 63) <= value < 1 << 63:
        into.integer = value
    elif type(value) is float:
        into.number = value
    elif type(value) is bytes:
        into.data = value
    elif type(value) in (list, tuple):
        into.list.SetInParent()
        for one in value:
            _fill(into.list.values.add(), one)
    elif type(value) is dict:
        into.map.SetInParent()
        for key, one in value.items():
            _fill(into.map.entries[str(key)], one)
    else:
        into.text = _clean(str(value))


def _clean(text: str) -> str:
    """Without lone surrogates, which protobuf refuses."""
    return text.encode("utf-8", "replace").decode("utf-8")
