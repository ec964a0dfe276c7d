"""Replies into the classes of `mediactl.model`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from mediactl import model
from mediad.errors import MediadError
from mediad.wire.convert import error_from_wire, show_path, uuid_from_wire
from mediadb_contract import mediadb_pb2 as pb


def decode_problem(message: Any) -> MediadError | None:
    return error_from_wire(message.problem) if message.HasField("problem") else None


def decode_target(target: pb.Target) -> UUID | bytes:
    return uuid_from_wire(target.id) or b"" if target.WhichOneof("what") == "id" else target.path


def _scalars(message: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(message, name) for name in names}


def decode_file(entry: pb.File) -> model.FileEntry:
    return model.FileEntry(
        id=entry.id, item=uuid_from_wire(entry.item), path=entry.path, path_display=entry.path_display,
        type=entry.type, size=entry.size, mtime_ns=entry.mtime_ns, state=entry.state, ctime_ns=entry.ctime_ns or None,
        missing_since_ns=entry.missing_since_ns or None, handler=entry.handler or None,
        handler_version=entry.handler_version or None, problem=decode_problem(entry),
        digests=[model.Digest(each.algorithm, each.value, each.scope) for each in entry.digests],
        nlink=entry.nlink or None, inode=entry.inode or None, mode=entry.mode or None,
        symlink_target=entry.symlink_target or None, host=uuid_from_wire(entry.host),
        fields_text=model._Lazy(entry.fields_json), tags_text=model._Lazy(entry.tags_json),
        sources_text=model._Lazy(entry.sources_json),
    )  # fmt: skip


def decode_item(item: pb.Item) -> model.Item:
    return model.Item(
        id=UUID(bytes=item.id), kind=item.kind, format=item.format or None, title=item.title or None,
        artist=item.artist or None, album=item.album or None, duration=item.duration or None,
        width=item.width or None, height=item.height or None, date=item.date or None,
        files=[decode_file(each) for each in item.files],
        keys=[model.Key(each.grade, each.algorithm, each.value) for each in item.keys],
        work_text=model._Lazy(item.work_json), successor=uuid_from_wire(item.successor),
    )  # fmt: skip


def decode_page(replies: Iterable[pb.Reply]) -> model.Page:
    items: list[model.Item] = []
    cursor = b""
    for reply in replies:
        items.extend(decode_item(each) for each in reply.query.items)
        cursor = reply.query.cursor
    return model.Page(items, cursor or None)


_ROOT = ("id", "path", "path_display", "host_name", "watched", "state", "files", "folders", "missing", "pending",
         "failed")  # fmt: skip


def decode_root(root: pb.Root) -> model.Root:
    return model.Root(
        host=uuid_from_wire(root.host), volume=show_path(bytes(root.volume)),
        scanned_at_ns=root.scanned_at_ns or None, size=root.bytes, **_scalars(root, _ROOT),
    )  # fmt: skip


_PROGRESS = ("stage", "folders", "files_listed", "files_done", "files_total", "files_failed", "bytes_done",
             "bytes_total", "current", "current_display")  # fmt: skip


def decode_progress(progress: pb.Progress) -> model.Progress:
    return model.Progress(**_scalars(progress, _PROGRESS))


_ADD = ("folders", "files_listed", "files_new", "files_changed", "files_missing", "files_read", "files_failed",
        "problem_count", "files_moved")  # fmt: skip


def decode_add(added: pb.AddReply) -> model.AddResult:
    return model.AddResult(
        roots=[decode_root(each) for each in added.roots],
        problems=[error_from_wire(each) for each in added.problems], **_scalars(added, _ADD),
    )  # fmt: skip


def decode_get(got: pb.GetReply) -> model.GetResult:
    item = decode_item(got.item) if got.HasField("item") else None
    return model.GetResult(decode_target(got.target), item, decode_problem(got))


def decode_checksum(found: pb.ChecksumReply) -> model.ChecksumResult:
    return model.ChecksumResult(
        target=decode_target(found.target), item=uuid_from_wire(found.item), path=found.path,
        path_display=found.path_display, scope=found.scope, stream_algorithm=found.stream_algorithm or None,
        digests={each.algorithm: each.value for each in found.digests}, stored=found.stored,
        problem=decode_problem(found),
        tracks=[
            model.Track(each.number, each.kind, each.codec, each.algorithm,
                        {one.algorithm: one.value for one in each.digests}, each.bytes)
            for each in found.tracks
        ],
        keys=[model.Key(each.grade, each.algorithm, each.value) for each in found.keys],
    )  # fmt: skip


def decode_forget(reply: pb.ForgetReply) -> model.ForgetResult:
    return model.ForgetResult(reply.files, reply.items, reply.roots, [error_from_wire(each) for each in reply.problems])


def decode_handler(info: pb.HandlerInfo) -> model.Handler:
    return model.Handler(
        name=info.name, version=info.version, application=info.application, summary=info.summary,
        kinds=list(info.kinds), extensions=list(info.extensions), operations=list(info.operations),
        fields=list(info.fields), descriptors=info.descriptors, sandbox=info.sandbox,
    )  # fmt: skip


_STATUS = ("version", "host_name", "uptime", "pid", "lag_p99_ms", "lag_max_ms", "rss_bytes", "peak_rss_bytes",
           "connections", "requests_in_flight", "requests", "database", "database_version", "database_problem",
           "files", "items", "pending", "failed", "missing", "parked", "last_event", "data_dir", "socket",
           "worker_failures")  # fmt: skip


def decode_status(status: pb.StatusReply) -> model.Status:
    return model.Status(
        host=uuid_from_wire(status.host), notes=list(status.notes),
        workers=[
            model.Worker(each.application, each.pid, each.state, each.files, each.sandbox) for each in status.workers
        ],
        scans=[decode_progress(each) for each in status.scans], **_scalars(status, _STATUS),
    )  # fmt: skip
