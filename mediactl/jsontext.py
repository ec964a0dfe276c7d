"""Results as JSON. Field names and units are the vocabulary's (proto/mediadb_contract/fields.json), with one rule more:
absent means that the key is absent; times are decimal seconds since the Unix epoch, exact to the nanosecond; a path
is its display text, with `path_raw` (base64, RFC 4648 section 4) beside it when the bytes are not UTF-8.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from uuid import UUID

from mediactl import model, questions
from mediad.errors import MediadError
from mediad.wire.display import show_path


class Seconds(int):
    """Nanoseconds that are printed as decimal seconds: binary floats would lose them."""

    def __str__(self) -> str:
        whole, rest = divmod(abs(int(self)), 1_000_000_000)
        text = f"{whole}.{rest:09}".rstrip("0").removesuffix(".")
        return "-" + text if self < 0 else text


def dump(value: Any, indent: int | None = None, level: int = 0) -> str:
    """Returns JSON text. A `Seconds` becomes a decimal number; characters are kept, not escaped."""
    if isinstance(value, Seconds):
        return str(value)
    if isinstance(value, dict) and value:
        pieces = [
            json.dumps(key, ensure_ascii=False) + ": " + dump(each, indent, level + 1) for key, each in value.items()
        ]
        return _wrap("{", pieces, "}", indent, level)
    if isinstance(value, list) and value and isinstance(value[0], dict | list | Seconds):
        return _wrap("[", [dump(each, indent, level + 1) for each in value], "]", indent, level)
    return json.dumps(value, ensure_ascii=False)


def _wrap(begin: str, pieces: list[str], end: str, indent: int | None, level: int) -> str:
    if indent is None:
        return begin + ", ".join(pieces) + end
    pad = " " * indent * (level + 1)
    return f"{begin}\n{pad}" + f",\n{pad}".join(pieces) + "\n" + " " * indent * level + end


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _uuid(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _seconds(nanoseconds: int | None) -> Seconds | None:
    return None if nanoseconds is None else Seconds(nanoseconds)


def describe_path(path: bytes, display: str = "", name: str = "path") -> dict[str, Any]:
    """Returns {"path": text} and, for bytes that are not UTF-8, {"path_raw": base64}."""
    if not path:
        return _present(**{name: display})
    try:
        return {name: path.decode("utf-8")}
    except UnicodeDecodeError:
        return {name: display or show_path(path), name + "_raw": b64encode(path).decode("ascii")}


def describe_error(error: MediadError) -> dict[str, Any]:
    shown = describe_path(error.input, name="input")
    return {"code": error.code, "message": error.message, **shown, "retryable": error.retryable,
            **({"position": error.position} if error.code == "query_syntax" or error.position else {})}  # fmt: skip


def describe_file(entry: model.FileEntry) -> dict[str, Any]:
    """A file with its vocabulary fields on one level; what the file system says wins over a field of that name."""
    found = {
        **describe_path(entry.path, entry.path_display),
        "type": entry.type,
        "size": entry.size,
        "mtime": Seconds(entry.mtime_ns),
        **_present(
            ctime=_seconds(entry.ctime_ns), inode=entry.inode, nlink=entry.nlink, mode=entry.mode, state=entry.state,
            missing_since=_seconds(entry.missing_since_ns), handler=entry.handler,
            handler_version=entry.handler_version, host=_uuid(entry.host),
        ),
        **(describe_path(entry.symlink_target, name="symlink_target") if entry.symlink_target else {}),
    }  # fmt: skip
    if entry.problem is not None:
        found["problem"] = describe_error(entry.problem)
    for digest in entry.digests:
        found[name_digest(digest.scope, digest.algorithm)] = digest.value.hex()
    for name, value in entry.fields.items():
        found.setdefault(name, value)
    return {**found, **_present(tags=entry.tags, sources=entry.sources)}


def name_digest(scope: str, algorithm: str) -> str:
    """Returns the vocabulary's name of a digest: sha256sum for a file, stream_sha256 for a stream."""
    return f"stream_{algorithm}" if scope == "stream" else f"{algorithm}sum"


def describe_item(item: model.Item) -> dict[str, Any]:
    return {
        "id": str(item.id),
        **_present(
            kind=item.kind, format=item.format, title=item.title, artist=item.artist, album=item.album,
            duration=item.duration, width=item.width, height=item.height, date=item.date,
            keys=[{"grade": key.grade, "algorithm": key.algorithm, "value": key.value.hex()} for key in item.keys],
        ),
        **item.work,
        **_present(successor=_uuid(item.successor)),
        "files": [describe_file(each) for each in item.files],
    }  # fmt: skip


def describe_target(target: UUID | bytes) -> dict[str, Any]:
    return {"id": str(target)} if isinstance(target, UUID) else describe_path(target)


def describe_get(result: model.GetResult) -> dict[str, Any]:
    if result.item is not None:
        return describe_item(result.item)
    return {**describe_target(result.target), **_problem(result.problem)}


def _problem(problem: MediadError | None) -> dict[str, Any]:
    return {} if problem is None else {"problem": describe_error(problem)}


def describe_checksum(result: model.ChecksumResult) -> dict[str, Any]:
    place = describe_path(result.path, result.path_display) if result.path or result.path_display else {}
    return {
        **_present(item=_uuid(result.item)),
        **(place or describe_target(result.target)),
        **_present(scope=result.scope, stream_algorithm=result.stream_algorithm),
        **{name_digest(result.scope, name): value.hex() for name, value in result.digests.items()},
        **_present(tracks=[_describe_track(track) for track in result.tracks] or None),
        **_present(
            keys=[{"grade": key.grade, "algorithm": key.algorithm, "value": key.value.hex()} for key in result.keys]
            or None
        ),
        "stored": result.stored,
        **_problem(result.problem),
    }


def _describe_track(track: model.Track) -> dict[str, Any]:
    named = {name: value.hex() for name, value in track.digests.items()}
    return {"number": track.number, "kind": track.kind, "codec": track.codec, "algorithm": track.algorithm,
            "bytes": track.size, **named}  # fmt: skip


def describe_root(root: model.Root) -> dict[str, Any]:
    return {
        "id": root.id,
        **describe_path(root.path, root.path_display),
        **_present(volume=root.volume, host=_uuid(root.host), host_name=root.host_name),
        "watched": root.watched, "state": root.state, "files": root.files, "folders": root.folders,
        "missing": root.missing, "pending": root.pending, "failed": root.failed, "size": root.size,
        **_present(scanned_at=_seconds(root.scanned_at_ns)),
    }  # fmt: skip


def describe_add(result: model.AddResult) -> dict[str, Any]:
    return {
        "roots": [describe_root(each) for each in result.roots],
        "folders": result.folders, "files_listed": result.files_listed, "files_new": result.files_new,
        "files_changed": result.files_changed, "files_missing": result.files_missing, "files_moved": result.files_moved,
        "files_read": result.files_read, "files_failed": result.files_failed,
        "problem_count": result.problem_count, "problems": [describe_error(each) for each in result.problems],
    }  # fmt: skip


def describe_forget(result: model.ForgetResult) -> dict[str, Any]:
    return {"files": result.files, "items": result.items, "roots": result.roots,
            "problems": [describe_error(each) for each in result.problems]}  # fmt: skip


def describe_progress(progress: model.Progress) -> dict[str, Any]:
    counts = ("folders", "files_listed", "files_done", "files_total", "files_failed", "bytes_done", "bytes_total")
    current = describe_path(progress.current, progress.current_display, "current")
    return {"stage": progress.stage, **{name: getattr(progress, name) for name in counts}, **current}


def describe_plain(value: Any) -> dict[str, Any]:
    """A Handler or Worker: its fields as they are."""
    return {name: getattr(value, name) for name in type(value).__slots__}


def describe_status(status: model.Status) -> dict[str, Any]:
    found = describe_plain(status)
    found["host"] = _uuid(status.host)
    found["workers"] = [describe_plain(each) for each in status.workers]
    found["scans"] = [describe_progress(each) for each in status.scans]
    return found


def describe_plain_ids(value: Any) -> dict[str, Any]:
    """The same, with ids and errors as text."""
    found = describe_plain(value)
    for name, each in found.items():
        if isinstance(each, UUID):
            found[name] = str(each)
    return {name: Seconds(each) if name.endswith("_ns") and each else each for name, each in found.items()}


def describe_work(result: model.WorkResult) -> dict[str, Any]:
    return {"items": result.items, "events": result.events, "last": result.last,
            "problems": [describe_error(each) for each in result.problems]}  # fmt: skip


def describe_collection(found: model.Collection) -> dict[str, Any]:
    return {
        "id": str(found.id), "kind": found.kind, "name": found.name, **_present(actor=found.actor), "size": found.size,
        **_present(created_at=_seconds(found.created_at_ns), query=found.query),
        "entries": [str(each) for each in found.entries],
    }  # fmt: skip


def describe_counted(found: questions.Counted) -> dict[str, Any]:
    """How many match, and how often each value is among them."""
    return {
        **_present(count=found.count),
        **({"facets": [
            {"field": each.field, "values": [{"value": v, "items": n} for v, n in each.values], "more": each.more}
            for each in found.facets
        ]} if found.facets else {}),
    }  # fmt: skip


def describe_followed(sign: str, piece: questions.Followed) -> dict[str, Any]:
    """A piece of an answer that goes on."""
    changes = {"+": "added", "~": "changed", "-": "removed"}
    told: dict[str, Any] = {"change": changes.get(sign, "present" if piece.what == "item" else piece.what)}
    if piece.item is not None:
        return {**told, "item": describe_item(piece.item)}
    return {**told, **_present(id=_uuid(piece.id))}


def describe_undo(result: model.UndoResult) -> dict[str, Any]:
    return {"operations": [str(each) for each in result.operations], "events": result.events, "last": result.last,
            "files": result.files, "problems": [describe_error(each) for each in result.problems]}  # fmt: skip


def describe_layout(result: model.LayoutResult) -> dict[str, Any]:
    """A media tree: what was found or made, and what was tried."""
    return {
        **describe_path(result.top, name="top"),
        "findings": [{"path": path, "code": code, "message": why} for path, code, why in result.findings],
        "trials": [{"source": a, "goal": b, "link": link, "rename": rename} for a, b, link, rename in result.trials],
    }


def describe_archive(result: model.ArchiveResult) -> dict[str, Any]:
    """An archive written or verified."""
    return {
        "files": result.files, "known": result.known, "unchanged": result.unchanged, "bytes": result.size,
        "changed": result.changed,
        "findings": [{"code": c, **describe_path(p), "sha1": h, "message": m} for c, p, h, m in result.findings],
        "problems": [describe_error(each) for each in result.problems],
    }  # fmt: skip


def describe_move(result: model.MoveResult) -> dict[str, Any]:
    """A plan, or what became of it."""
    steps = []
    for s in result.steps:
        step = {"number": s.number, "unit": s.unit, "action": s.action, "state": s.state, "size": s.size,
                **({"method": s.method} if s.method else {}), **describe_path(s.source, name="source"),
                **describe_path(s.destination, name="destination")}  # fmt: skip
        if s.problem is not None:
            step["problem"] = describe_error(s.problem)
        steps.append(step)
    found: dict[str, Any] = {
        "dry_run": result.dry_run, "files": result.done, "failed": result.failed, "unchanged": result.unchanged,
        "bytes": result.size, "steps": steps,
        "already": [{**describe_path(a, name="source"), **describe_path(b, name="there")} for a, b in result.already],
        "clashes": [
            {**describe_path(a, name="source"), **describe_path(b, name="wanted"), **describe_path(c, name="got")}
            for a, b, c in result.clashes
        ],
        "notes": result.notes, "problems": [describe_error(each) for each in result.problems],
    }  # fmt: skip
    if result.operation is not None:
        found["operation"] = str(result.operation)
    if result.fatal is not None:
        found["fatal"] = describe_error(result.fatal)
    return found


def describe_change(tagged: tuple[str, Any]) -> dict[str, Any]:
    """A change, an item of a snapshot, or that one begins."""
    what, value = tagged
    if what == "item":
        return {"snapshot": describe_item(value)}
    if what == "resync":
        return {"resync": value.reason, **({"epoch": value.epoch.hex(), "last": value.last} if value.last else {})}
    return describe_event(value)


def describe_event(change: model.Change) -> dict[str, Any]:
    return {
        "seq": change.seq, "at": Seconds(change.at_ns), "action": change.action, "target_kind": change.target_kind,
        "target": change.target,
        **_present(item=_uuid(change.item), actor=change.actor, operation=_uuid(change.operation),
                   host=_uuid(change.host), value=change.value),
    }  # fmt: skip


def describe_history(found: model.History) -> dict[str, Any]:
    return {
        **describe_target(found.target),
        **_present(item=_uuid(found.item)),
        "changes": [describe_event(each) for each in found.changes],
        "revisions": [
            {**_present(item=_uuid(each.item)), **describe_path(each.path, each.path_display), "size": each.size,
             "mtime": Seconds(each.mtime_ns), "until": Seconds(each.until_ns), "why": each.why}
            for each in found.revisions
        ],
        "lineage": [
            {"old": _uuid(each.old), "new": _uuid(each.new), "relation": each.relation, "state": each.state,
             "at": Seconds(each.at_ns)}
            for each in found.lineage
        ],
        "stored": [
            {"archive": each.archive, **describe_path(each.path, each.path_display), "stored": Seconds(each.stored_ns),
             "verified": Seconds(each.verified_ns), "verdict": each.verdict}
            for each in found.stored
        ],
        **_problem(found.problem),
    }  # fmt: skip


def describe_group(group: model.DuplicateGroup) -> dict[str, Any]:
    return {"kind": group.kind, "size": group.size, "wasted": group.wasted,
            "files": [describe_file(each) for each in group.files]}  # fmt: skip


def describe_offer(each: model.Offer) -> dict[str, Any]:
    """An item that may have taken the place of another."""
    found = {"relation": each.relation, "why": each.why, **_present(old=_uuid(each.old), new=_uuid(each.new))}
    for side, path, shown in (("old", each.old_path, each.old_display), ("new", each.new_path, each.new_display)):
        if path:
            found.update({f"{side}_{name}": value for name, value in describe_path(path, shown).items()})
    return found


def describe_side_files(found: model.SideFiles) -> dict[str, Any]:
    """What was done to side files, or would be, or waits."""
    return {"looked_at": found.looked_at, "files": [_describe_side(each) for each in found.files]}


def _describe_side(each: model.SideFile) -> dict[str, Any]:
    side = describe_path(each.side, each.side_display)
    return {
        **_present(item=_uuid(each.item)), **(describe_path(each.path, each.path_display) if each.path else {}),
        **({f"side_{name}": value for name, value in side.items()} if each.side else {}), "state": each.state,
        "changes": [describe_plain(change) for change in each.changes], **_present(warnings=each.warnings or None),
        **_present(since=_seconds(each.since_ns)), **_problem(each.problem),
    }  # fmt: skip


def describe_verify(result: model.VerifyResult) -> dict[str, Any]:
    counts = ("ok", "first", "retagged", "replaced", "rotten", "unreadable", "left", "bytes")
    return {
        **{name: getattr(result, name) for name in counts},
        "verdicts": [
            {**_present(item=_uuid(each.item)), **describe_path(each.path, each.path_display), "verdict": each.verdict,
             **_problem(each.problem), "good": [describe_path(path)["path"] for path in each.good]}
            for each in result.verdicts
        ],
    }  # fmt: skip
