"""Ping, status, handlers."""

from __future__ import annotations

import os
import time

import mediad
from mediad.commands.context import Call, Context, Counted, Replies
from mediad.commands.library import scan_progress
from mediad.errors import MediadError
from mediad.moves.defaults import template_texts
from mediadb_contract import mediadb_pb2 as pb

_AWAY_SECONDS = 0.5  # for an answer of a database that did not answer before


async def ping(_context: Context, request: pb.Ping, _call: Call) -> Replies:
    """The payload comes back."""
    yield pong(request)


def pong(request: pb.Ping) -> pb.Reply:
    """The answer to a ping."""
    return pb.Reply(pong=pb.Pong(payload=request.payload), last=True)


async def status(context: Context, _request: pb.StatusRequest, _call: Call) -> Replies:
    """How the daemon is: also when the database is away."""
    reply = pb.StatusReply(
        version=mediad.__version__, host=context.host.bytes, host_name=context.host_name, pid=os.getpid(),
        uptime=time.monotonic() - context.started, lag_p99_ms=context.lag.p99, lag_max_ms=context.lag.max,
        connections=context.traffic.connections, requests=context.traffic.requests,
        requests_in_flight=context.traffic.in_flight, database=context.store.database.state,
        database_problem=context.store.database.problem, data_dir=str(context.config.data_dir),
        socket=str(context.config.socket),
    )  # fmt: skip
    reply.rss_bytes, reply.peak_rss_bytes = memory()
    _workers(context, reply)
    for name, text in template_texts(context.config.templates).items():
        reply.templates.add(name=name, text=text)
    for number, report in context.roots.reports.items():
        if context.roots.scanning(number):
            reply.scans.append(scan_progress(report))
    reply.notes.extend(_notes(context))
    if not context.opened.is_set() and context.store.database.state == "ready":
        # Its tables may be in the making: who asks them now may hold up, or stop, who makes them.
        reply.notes.append(context.ready() or "the database is being opened")
        yield pb.Reply(status=reply, last=True)
        return
    try:
        # A database that is known to be away is asked too, it may just be back; but whoever asks for the status then
        # wants to hear of it now.
        known = context.store.database.state == "ready"
        seconds = context.config.database_seconds if known else _AWAY_SECONDS
        counted = context.counted
        row = (await context.store.read("status_counts", counted.epoch, counted.last, deadline=seconds))[0]
        if row[0] is not None:
            counted = context.counted = Counted(row[6], row[7], *row[:3])
        reply.files, reply.items, reply.missing = counted.files, counted.items, counted.missing
        reply.pending, reply.failed, reply.parked = row[3:6]
        reply.last_event, reply.database_version = row[7:]
    except MediadError as error:
        reply.notes.append(f"the database does not answer: {error.message}")
    yield pb.Reply(status=reply, last=True)


def _workers(context: Context, reply: pb.StatusReply) -> None:
    for pool in context.registry.pools:
        reply.worker_failures += pool.failures
        for worker in pool.workers:
            reply.workers.add(
                application=pool.name, pid=worker.birth.pid, state="busy" if worker.exchange is not None else "idle",
                files=worker.files, sandbox=worker.sandbox,
            )  # fmt: skip


def _notes(context: Context) -> list[str]:
    notes = [f"{root.owner_name}: a root is frozen: {root.frozen}" for root in context.roots.all() if root.frozen]
    notes += [f"away: {os.fsdecode(root.path)}" for root in context.roots.mine() if root.local is None]
    notes += context.registry.problems
    notes += context.watching.notes()
    notes += [
        f"{count} downloads are complete in {top}: `mediactl layout place {top}`"
        for top, count in context.staged.items() if count
    ]  # fmt: skip
    if context.moves.waiting:
        notes.append(f"{context.moves.waiting} interrupted moves wait for their volumes")
    notes += context.sidewatch.notes()
    notes += context.content.notes()
    notes += context.previews.notes()
    if context.worklog.problem:
        notes.append(f"the log of a person's work cannot be written: {context.worklog.problem}")
    if context.reader.problem:
        notes.append(f"reading is paused: {context.reader.problem}")
    notes += [f"{name} does not start: {why}" for name, why in context.reader.failing.items()]
    waiting = context.ready()
    if waiting:
        notes.append(waiting)
    for application, manifest in context.registry.manifests():
        if not manifest.descriptors:
            start = application.command.argv[-1]
            notes.append(f"{manifest.application} takes paths, not descriptors: a weaker sandbox ({start})")
    return [note.encode("utf-8", "replace").decode() for note in notes]


def memory() -> tuple[int, int]:
    """Resident bytes of this process, now and at their peak (proc_pid_status(5): VmRSS, VmHWM)."""
    found = {"VmRSS": 0, "VmHWM": 0}
    with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
        for line in lines:
            key, _, value = line.partition(":")
            if key in found:
                found[key] = int(value.split()[0]) * 1024
    return found["VmRSS"], found["VmHWM"]


async def handlers(context: Context, _request: pb.HandlersRequest, _call: Call) -> Replies:
    """Every handler there is: starts the applications when they were not needed yet."""
    await context.registry.load()
    sandboxes = {id(pool.application): worker.sandbox for pool in context.registry.pools for worker in pool.workers}
    manifests = dict(context.registry.manifests())
    reply = pb.HandlersReply()
    for application, handler in context.registry.handlers():
        manifest = manifests[application]
        reply.handlers.add(
            name=handler.name, version=handler.version, application=manifest.application, summary=handler.summary,
            kinds=handler.kinds, extensions=handler.extensions, operations=handler.operations, fields=handler.fields,
            descriptors=manifest.descriptors, sandbox=sandboxes.get(id(application), manifest.sandbox),
        )  # fmt: skip
    yield pb.Reply(handlers=reply, last=True)
