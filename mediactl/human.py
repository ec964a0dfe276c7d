"""Results for people: tables, blocks of `name  value`, summaries. Returns lines; every text that came from a file or
the daemon has passed `show_text`, so no control character reaches the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from mediactl import model
from mediactl.itemtable import item_row, say_path
from mediactl.terminal import Column, Table, cut, isolate, measure
from mediactl.wording import say_count, say_duration, say_size, say_time
from mediad.errors import MediadError
from mediad.wire.display import show_path, show_text


def _block(pairs: Iterable[tuple[str, str]], width: int | None, indent: str = "") -> list[str]:
    """Lines `name  value`, values aligned and cut to the terminal."""
    shown = [(show_text(name), show_text(value)) for name, value in pairs if value]
    room = max((measure(name) for name, _ in shown), default=0)
    found = []
    for name, value in shown:
        head = indent + name + " " * (room - measure(name)) + "  "
        text = value if width is None else cut(value, max(LEAST_VALUE, width - measure(head)))
        found.append(head + (text if width is None else isolate(text)))
    return found


LEAST_VALUE = 8  # columns


def say_value(name: str, value: Any) -> str:
    """One vocabulary value; units by the field's name (docs/vocabulary rule 4)."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(say_value(name, each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {say_value(key, each)}" for key, each in value.items())
    if isinstance(value, int | float):
        if name == "duration":
            return say_duration(value)
        if name in ("date_taken", "at") or name.endswith("_at"):
            return say_time(int(value * 1_000_000_000))
        if name == "bitrate":
            return f"{value / 1000:.0f} kbit/s"
    return str(value)


def _file_lines(entry: model.FileEntry, width: int | None) -> list[str]:
    pairs = [
        ("path", say_path(entry)),
        ("size", f"{say_size(entry.size)} ({entry.size:,} bytes)" if entry.size >= 1000 else say_size(entry.size)),
        ("modified", say_time(entry.mtime_ns)),
        ("state", entry.state),
        ("missing since", say_time(entry.missing_since_ns) if entry.missing_since_ns else ""),
        ("links to", show_path(entry.symlink_target) if entry.symlink_target else ""),
        ("handler", f"{entry.handler} {entry.handler_version or ''}".strip() if entry.handler else ""),
        ("problem", f"{entry.problem.code}: {entry.problem.message}" if entry.problem else ""),
    ]
    pairs += [(f"{digest.algorithm} of {digest.scope or 'file'}", digest.value.hex()) for digest in entry.digests]
    fields = [(name, say_value(name, value)) for name, value in sorted(entry.fields.items())]
    tags = [(name, say_value(name, value)) for name, value in sorted(entry.tags.items())]
    return ["", *_block(pairs, width, "  "), *_block(fields, width, "    "), *_block(tags, width, "    ")]


def item_lines(item: model.Item, width: int | None) -> list[str]:
    """Everything known of an item."""
    pairs = [
        ("id", str(item.id)), ("kind", item.kind), ("format", item.format or ""), ("title", item.title or ""),
        ("artist", item.artist or ""), ("album", item.album or ""),
        ("length", say_duration(item.duration) if item.duration else ""),
        ("pixels", f"{item.width}×{item.height}" if item.width and item.height else ""), ("date", item.date or ""),
    ]  # fmt: skip
    pairs += [(name, say_value(name, value)) for name, value in item.work.items()]
    if item.successor is not None:
        pairs.append(("successor", str(item.successor)))
    pairs += [(f"key ({key.grade})", f"{key.algorithm} {key.value.hex()}") for key in item.keys]
    lines = _block(pairs, width)
    for entry in item.files:
        lines += _file_lines(entry, width)
    return lines


def root_lines(roots: Sequence[model.Root], width: int | None) -> list[str]:
    if not roots:
        return ["nothing was added yet: mediactl add FOLDER"]
    columns = [
        Column("STATE"), Column("FILES", right=True), Column("SIZE", right=True), Column("UNREAD", right=True),
        Column("FAILED", right=True), Column("MISSING", right=True), Column("SCANNED"),
        Column("PATH", weight=1, tail=True),
    ]  # fmt: skip
    rows = [
        [
            root.state + ("" if root.watched else ", once"), f"{root.files:,}", say_size(root.size),
            f"{root.pending:,}", f"{root.failed:,}", f"{root.missing:,}",
            say_time(root.scanned_at_ns)[:16] if root.scanned_at_ns else "never",
            root.path_display or show_path(root.path),
        ]
        for root in roots
    ]  # fmt: skip
    return Table(columns, width).lines(rows)


def add_lines(result: model.AddResult, *, waited: bool) -> list[str]:
    counts = [
        f"{result.files_new:,} new", f"{result.files_changed:,} changed", f"{result.files_missing:,} missing",
        *([f"{result.files_moved:,} moved"] if result.files_moved else []),
    ]  # fmt: skip
    if waited:
        counts += [f"{result.files_read:,} read", *([f"{result.files_failed:,} failed"] if result.files_failed else [])]
    names = ", ".join(show_path(root.path) for root in result.roots) or "nothing"
    listed = say_count(result.files_listed, "file")
    return [f"{names}: {listed} in {say_count(result.folders, 'folder')}: {', '.join(counts)}"]


def checksum_lines(result: model.ChecksumResult) -> list[str]:
    """Digests as `sha256sum --tag` writes them, so that `sha256sum -c` reads those of scope file; in scope stream the
    bytes that count are named too, and no such programme takes the line for one of its own."""
    name = show_path(result.path) if result.path else result.path_display or _say_target(result.target)
    note = f" [{result.stream_algorithm or 'stream'}]" if result.scope == "stream" else ""
    lines = [f"{each.upper()}{note} ({name}) = {value.hex()}" for each, value in result.digests.items()]
    for track in result.tracks:
        said = f" [track {track.number}, {track.kind}, {track.codec}]"
        lines += [f"{each.upper()}{said} ({name}) = {value.hex()}" for each, value in track.digests.items()]
    return lines


def _say_target(target: UUID | bytes) -> str:
    return str(target) if isinstance(target, UUID) else show_path(target)


def forget_lines(result: model.ForgetResult) -> list[str]:
    counts = (say_count(result.files, "file"), say_count(result.items, "item"), say_count(result.roots, "root"))
    return ["forgot " + ", ".join(counts)]


def handler_lines(handlers: Sequence[model.Handler], width: int | None) -> list[str]:
    columns = [
        Column("NAME"), Column("VERSION", right=True), Column("APPLICATION"), Column("OPERATIONS", weight=1),
        Column("EXTENSIONS", weight=2), Column("SANDBOX", weight=1),
    ]  # fmt: skip
    rows = [
        [
            each.name, str(each.version), each.application, " ".join(each.operations), " ".join(each.extensions),
            each.sandbox or "not started",
        ]
        for each in handlers
    ]  # fmt: skip
    return Table(columns, width).lines(rows)


def status_lines(status: model.Status, width: int | None) -> list[str]:
    database = " ".join(part for part in (status.database, status.database_version) if part)
    lines = _block(
        [
            ("mediad", f"{status.version}, process {status.pid}, up {say_duration(status.uptime)}"),
            ("host", f"{status.host_name} {status.host or ''}".strip()),
            ("data", status.data_dir), ("socket", status.socket),
            ("database", database + (f": {status.database_problem}" if status.database_problem else "")),
            ("library", f"{say_count(status.items, 'item')}, {say_count(status.files, 'file')}"),
            ("to read", f"{status.pending:,}, {status.failed:,} failed, {status.parked:,} parked"),
            ("missing", f"{status.missing:,}"), ("last event", f"{status.last_event:,}"),
            ("memory", f"{say_size(status.rss_bytes)}, at most {say_size(status.peak_rss_bytes)}"),
            ("loop lag", f"p99 {status.lag_p99_ms:.1f} ms, at most {status.lag_max_ms:.1f} ms"),
            ("requests", f"{status.requests:,}, {status.requests_in_flight} in flight, "
                         f"{say_count(status.connections, 'connection')}"),
            ("worker failures", f"{status.worker_failures:,}" if status.worker_failures else ""),
        ],
        width,
    )  # fmt: skip
    for worker in status.workers:
        lines += _block(
            [(f"worker {worker.pid}", f"{worker.application}, {worker.state}, {say_count(worker.files, 'file')}, "
                                      f"{worker.sandbox or 'no sandbox'}")], width,
        )  # fmt: skip
    for scan in status.scans:
        lines += _block([("scan", describe_progress(scan))], width)
    return lines + [line for note in status.notes for line in _block([("note", note)], width)]


def describe_progress(progress: model.Progress, rate: float = 0.0) -> str:
    """One line: the stage, how far, what just now. `rate`: bytes a second, where bytes are what takes time."""
    current = f"  {progress.current_display or show_path(progress.current)}" if progress.current else ""
    if progress.stage == "hashing":
        return f"hashing {say_size(progress.bytes_done)} of {say_size(progress.bytes_total)}{current}"
    if progress.stage == "walking":
        folders = say_count(progress.folders, "folder")
        return f"listing {say_count(progress.files_listed, 'file')} in {folders}{current}"
    total = f" of {progress.files_total:,}" if progress.files_total else ""
    failed = f", {progress.files_failed:,} failed" if progress.files_failed else ""
    stage = show_text(progress.stage) or "working"
    return f"{stage} {progress.files_done:,}{total} files{failed}{_say_pace(progress, rate)}{current}"


def _say_pace(progress: model.Progress, rate: float) -> str:
    """Bytes, their rate, and the time that is left at that rate."""
    if not progress.bytes_done:
        return ""
    done = f", {say_size(progress.bytes_done)}"
    if progress.bytes_total:
        done += f" of {say_size(progress.bytes_total)}"
    if rate:
        done += f", {say_size(round(rate))}/s"
        if progress.bytes_total > progress.bytes_done:
            done += f", {say_duration((progress.bytes_total - progress.bytes_done) / rate)} left"
    return done


def say_error(error: MediadError) -> str:
    """`code: message: input`, the form of every line on standard error. For a fault in a query a mark points to it."""
    shown = show_path(error.input)
    line = f"{error.code}: {show_text(error.message)}" + (f": {shown}" if shown else "")
    if not (error.code == "query_syntax" or (error.code == "invalid_argument" and error.position)) or not shown:
        return line
    text = error.input.decode("utf-8", "replace")
    return f"{line}\n  {shown}\n  {' ' * measure(show_text(text[: error.position]))}^"


# ------------------------------------------------------------------ a person's work


def work_lines(result: model.WorkResult) -> list[str]:
    changed = say_count(result.events, "change") if result.events else "nothing to change"
    return [f"{say_count(result.items, 'item')}: {changed}"]


def collect_lines(result: model.CollectResult) -> list[str]:
    found = result.collection
    if found.query is not None:
        return [show_text(f"saved {found.name}: {found.query}")]
    return [show_text(f"{found.kind} {found.name}: {say_count(found.size, 'entry', 'entries')}")]


def collection_lines(found: Sequence[model.Collection], items: dict[UUID, model.Item], width: int | None) -> list[str]:
    if not found:
        return ["no collections yet: mediactl collect NAME WHAT..., mediactl save NAME QUERY..."]
    lines = []
    for each in found:
        if each.query is not None:
            lines.append(show_text(f"saved question {each.name}: {each.query}"))
            continue
        lines.append(show_text(f"{each.kind} {each.name}: {say_count(each.size, 'entry', 'entries')}"))
        for place, entry in enumerate(each.entries):
            item = items.get(entry)
            text = item_row(item) if item is not None else ["", "", "", "", "", str(entry)]
            said = "  ".join(part for part in (text[1], text[5]) if part)
            line = show_text(f"  {place:>4}  {said}")
            lines.append(line if width is None else cut(line, width))
    return lines


def undo_lines(result: model.UndoResult) -> list[str]:
    done = say_count(len(result.operations), "operation")
    told = [say_count(result.events, "change")] if result.events or not result.files else []
    told += [say_count(result.files, "file") + " moved back"] if result.files else []
    return [f"{done} taken back: {', '.join(told)}"]


def layout_lines(result: model.LayoutResult) -> list[str]:
    """A media tree: what was made, what is wrong, what cannot be linked."""
    counts: dict[str, int] = {}
    lines = [f"{show_path(result.top)}:"]
    for path, code, why in result.findings:
        counts[code] = counts.get(code, 0) + 1
        if code not in ("made", "exists"):
            lines.append(f"  {show_text(path)}: {show_text(why)}")
    for source, goal, link, rename in result.trials:
        if link or rename:
            lines.append(f"  {source} -> {goal}: no hard link ({link})" if link else f"  {source} -> {goal}: no rename")
    good = sum(not link and not rename for _a, _b, link, rename in result.trials)
    told = [f"{say_count(counts[code], 'folder')} {code}" for code in ("made", "exists") if code in counts]
    if result.trials:
        told.append(f"{good} of {len(result.trials)} staging folders can link and rename into media")
    wrong = sum(n for code, n in counts.items() if code not in ("made", "exists"))
    told.append(f"{wrong} things to look at" if wrong else "nothing wrong")
    return [*lines, "; ".join(told)]


_DEEDS = {
    "move": ("would be moved", "moved"), "copy": ("would be copied", "copied"),
    "hardlink": ("would be linked", "linked"), "symlink": ("would be linked", "linked"),
    "reflink": ("would be cloned", "cloned"),
    "drop": ("would go, for their bytes are there", "gone, for their bytes are there"),
}  # fmt: skip
_ARROWS = {"rename": "->", "copy": "=>", "hardlink": "==", "symlink": "~>", "reflink": "=>", "": "->"}


def move_lines(result: model.MoveResult, width: int | None) -> list[str]:
    """A plan, or what became of it: each file under the folder it goes to."""
    lines: list[str] = []
    folder = None
    shown = [step for step in result.steps if result.dry_run or step.state != "done" or len(result.steps) <= 20]
    for step in sorted(shown, key=lambda step: step.destination.rpartition(b"/")):
        if step.action in ("mkdir", "rmdir"):
            continue
        above, _, name = step.destination.rpartition(b"/")
        if step.action == "drop":
            lines.append(f"  {show_path(step.source)}  goes: the same bytes are {show_path(step.destination)}")
            continue
        if above != folder:
            folder = above
            lines.append(show_path(above) + "/")
        mark = {"done": "", "planned": "", "attention": "! "}.get(step.state, "not ")
        lines.append(
            f"  {mark}{show_path(name)}  {'<-' if mark == '' else 'from'} {show_path(step.source)}"
            f"{'  (copied: another file system)' if step.method == 'copy' and step.action != 'copy' else ''}"
        )
    lines += [f"already there, stays: {show_path(a)}  (as {show_path(b)})" for a, b in result.already]
    lines += [
        f"name is taken: {show_path(a)} becomes {show_path(c.rpartition(b'/')[2])}" for a, _b, c in result.clashes
    ]
    lines += result.notes
    counts: dict[str, int] = {}
    for step in result.steps:
        if step.action in _DEEDS and step.state in ("planned", "done"):
            counts[step.action] = counts.get(step.action, 0) + 1
    told = [f"{say_count(n, 'file')} {_DEEDS[action][not result.dry_run]}" for action, n in counts.items()]
    made = sum(step.action == "mkdir" for step in result.steps)
    if made:
        told.append(f"{say_count(made, 'folder')} to be made")
    if result.size:
        told.append(f"{say_size(result.size)} to copy" if result.dry_run else f"{say_size(result.size)} copied")
    if result.unchanged:
        told.append(f"{say_count(result.unchanged, 'file')} where it should be")
    if result.failed:
        told.append(f"{say_count(result.failed, 'file')} cannot go")
    lines.append("; ".join(told) or "nothing to do")
    return lines


def operation_lines(found: Sequence[model.Operation], width: int | None) -> list[str]:
    if not found:
        return ["nothing was done yet"]
    columns = [
        Column("WHEN"), Column("WHO"), Column("WHAT", weight=1), Column("CHANGES", right=True), Column("OPERATION"),
    ]  # fmt: skip
    rows = [
        [say_time(each.at_ns), each.actor, each.summary + (" (taken back)" if each.undone else ""),
         f"{each.events or each.files:,}", str(each.id)]
        for each in found
    ]  # fmt: skip
    return Table(columns, width).lines(rows)


def change_lines(tagged: tuple[str, Any]) -> list[str]:
    """A change, an item of a snapshot, or that one begins, on a line."""
    what, value = tagged
    if what == "item":
        row = item_row(value)
        return [show_text(f"item  {value.id}  {row[1]}  {row[5]}".rstrip())]
    if what == "resync":
        return [show_text(f"resync  {value.reason}")]
    return [_change_line(value)]


def _change_line(change: model.Change) -> str:
    told = change.value
    said = " ".join(f"{name}={say_value(name, each)}" for name, each in told.items() if name not in ("i", "line"))
    who = f" by {change.actor}" if change.actor else ""
    target = f"{change.target_kind} {change.item or change.target}"
    return show_text(f"{change.seq:>8}  {say_time(change.at_ns)}  {change.action:<12} {target}{who}  {said}".rstrip())


def history_lines(found: model.History, width: int | None) -> list[str]:
    if found.problem is not None:
        return []
    lines = [show_text(f"item {found.item}")]
    lines += [f"  {_change_line(each)}" for each in found.changes]
    for revision in found.revisions:
        path = revision.path_display or show_path(revision.path)
        said = f"{revision.why}  {path}  {say_size(revision.size)}  {revision.item}"
        lines.append(show_text(f"  until {say_time(revision.until_ns)}  {said}"))
    for line in found.lineage:
        lines.append(show_text(f"  {line.relation}  {line.old} -> {line.new}  ({line.state})"))
    for each in found.stored:
        path = each.path_display or show_path(each.path)
        lines.append(show_text(f"  archived  {path}  {each.verdict} at {say_time(each.verified_ns)}"))
    return lines if width is None else [cut(line, width) for line in lines]


def archive_lines(result: model.ArchiveResult) -> list[str]:
    """What was stored."""
    told = [f"{say_count(result.files, 'file')} stored ({say_size(result.size)})"]
    if result.known:
        told.append(f"{say_count(result.known, 'file')} whose bytes were there")
    if result.unchanged:
        told.append(f"{say_count(result.unchanged, 'file')} unchanged")
    return ["; ".join(told)]


def archive_check_lines(result: model.ArchiveResult) -> list[str]:
    """What is wrong with an archive."""
    lines = [
        show_text(f"{code}: {show_path(path)}" + (f": {why}" if why else ""))
        for code, path, _sha1, why in result.findings
    ]
    wrong = len(result.findings)
    whole = f"{say_count(result.files, 'file')} whole ({say_size(result.size)})"
    return [*lines, whole + (f"; {say_count(wrong, 'finding')}" if wrong else "")]


def relate_lines(result: model.RelateResult) -> list[str]:
    return [f"item {result.item}" + (f", of {result.other}" if result.other else "")]


def offer_lines(found: model.Offers) -> list[str]:
    """Each offer with the command that takes it."""
    lines = []
    for each in found.offers:
        lines.append(show_text(f"{each.new_display or each.new}"))
        lines.append(show_text(f"    {each.relation} {each.old_display or each.old}"))
        lines.append(show_text(f"    {each.why}"))
        lines.append(f"    mediactl relate accept|dismiss {each.new} {each.old}")
    return lines or ["none"]


_SIDE_WAYS = {"taken": "from the side file", "written": "written", "lost": "lost to what was said later"}


def side_lines(found: model.SideFiles, *, dry_run: bool) -> list[str]:
    """What was done to side files, or would be."""
    lines = []
    for each in found.files:
        if each.state == "failed":
            continue  # a problem, on standard error
        if each.state == "waiting":
            lines.append(show_text(f"waiting  {each.path_display}"))
            continue
        lines.append(show_text(f"{each.state:8} {each.side_display}"))
        for change in each.changes:
            if change.field == "tag":
                said = f"+{change.now}" if change.now else f"-{change.was}"
            else:
                said = f"{change.was or 'none'} -> {change.now or 'none'}"
            lines.append(show_text(f"    {change.field} {said}  ({_SIDE_WAYS[change.way]})"))
        lines += [show_text(f"    warning: {text}") for text in each.warnings]
    done = sum(each.state in ("created", "updated") for each in found.files)
    taken = sum(each.state == "taken" for each in found.files)
    verb = "would be written" if dry_run else "written"
    tail = f", {say_count(taken, 'side file')} read" if taken else ""
    return [*lines, f"{say_count(found.looked_at, 'file')}: {say_count(done, 'side file')} {verb}{tail}"]


def group_lines(groups: Sequence[model.DuplicateGroup]) -> list[str]:
    if not groups:
        return ["none"]
    lines = []
    for group in groups:
        wasted = f", {say_size(group.wasted)} to gain" if group.wasted else ""
        if len(group.files) > 1:
            lines.append(f"{len(group.files)} files of {say_size(group.size)}{wasted}")
        lines += [show_text(("  " if len(group.files) > 1 else "") + say_path(each)) for each in group.files]
    total = sum(group.wasted for group in groups)
    return [*lines, f"{say_count(len(groups), 'group')}" + (f", {say_size(total)} to gain" if total else "")]


def verify_lines(result: model.VerifyResult) -> list[str]:
    lines = []
    for each in result.verdicts:
        why = f": {each.problem.message}" if each.problem else ""
        lines.append(show_text(f"{each.verdict:<10}  {each.path_display or show_path(each.path)}{why}"))
        lines += [show_text(f"            good: {show_path(path)}") for path in each.good]
    counts = [f"{result.ok:,} ok"]
    for name in ("first", "retagged", "replaced", "rotten", "unreadable"):
        number = getattr(result, name)
        if number:
            counts.append(f"{number:,} {'seen first' if name == 'first' else name}")
    left = f"; {result.left:,} left for the next time" if result.left else ""
    return [*lines, f"{', '.join(counts)} ({say_size(result.bytes)} read){left}"]
