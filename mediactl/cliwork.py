"""The commands about a person's work, the feed, equal files and verification (mediactl.cli says how commands are)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mediactl.clistate import Null, State, parse_targets

if TYPE_CHECKING:
    from mediactl.model import VerifyResult, WorkResult
    from mediactl.workcalls import Call

F = TypeVar("F", bound=Callable[..., Any])


def _what(function: F) -> F:
    """WHAT: ids, paths, - for names on standard input, or --query TEXT."""
    function = click.argument("what", nargs=-1, metavar="WHAT...")(function)
    function = click.option("--query", metavar="TEXT", default="", help="What a query finds.")(function)
    return Null(function)


def targets_of(what: Sequence[str], query: str, null: bool) -> list[Any]:
    """The things that WHAT and --query mean. Raises click.UsageError when there are neither."""
    if not what and not query:
        raise click.UsageError("WHAT is ids, paths or --query TEXT.")
    return parse_targets(what, null=null)


def run_call(
    state: State, call: Call[Any], describe: Callable[[Any], dict[str, Any]], lines: Callable[[Any], list[str]]
) -> int:  # fmt: skip
    """Runs a call and shows its result."""
    from mediactl.progress import ProgressLine

    line = ProgressLine()
    try:
        with state.client() as client:
            result = client.run(call, progress=line.show if sys.stderr.isatty() and state.output.human else None)
    finally:
        line.clear()
    if state.output.human:
        state.output.lines(lines(result))
    else:
        state.output.value(describe(result))
    for problem in getattr(result, "problems", ()):
        state.output.problem(problem)
    return state.finish()


def _work(state: State, call: Call[WorkResult]) -> int:
    from mediactl import human, jsontext

    return run_call(state, call, jsontext.describe_work, human.work_lines)


# ------------------------------------------------------------------ work


@click.command()
@_what
@click.option("--add", "added", multiple=True, metavar="NAME", help="A tag to add. May be repeated.")
@click.option("--remove", "removed", multiple=True, metavar="NAME", help="A tag to remove. May be repeated.")
@click.pass_obj
def tag(
    state: State, what: Sequence[str], query: str, null: bool, added: Sequence[str], removed: Sequence[str]
) -> int:  # fmt: skip
    """Adds tags to items and removes them.

    A tag that stands in the file itself is removed for you, not in the file."""
    from mediactl import workcalls

    if not added and not removed:
        raise click.UsageError("--add NAME or --remove NAME is needed.")
    return _work(state, workcalls.tag(targets_of(what, query, null), add=added, remove=removed, query=query))


@click.command()
@click.argument("stars", metavar="STARS")
@_what
@click.pass_obj
def rate(state: State, stars: str, what: Sequence[str], query: str, null: bool) -> int:
    """Rates items: STARS is 0 to 5, or none."""
    from mediactl import workcalls

    try:
        rating = None if stars == "none" else float(stars)
    except ValueError:
        raise click.BadParameter(f"{stars!r} is neither a number nor none.", param_hint="STARS") from None
    return _work(state, workcalls.rate(targets_of(what, query, null), rating, query=query))


@click.command()
@_what
@click.option("--remove", is_flag=True, help="Take the star away.")
@click.pass_obj
def star(state: State, what: Sequence[str], query: str, null: bool, remove: bool) -> int:
    """Stars items."""
    from mediactl import workcalls

    return _work(state, workcalls.star(targets_of(what, query, null), not remove, query=query))


@click.command(name="set")
@click.argument("assignment", metavar="FIELD=VALUE")
@_what
@click.pass_obj
def set_field(state: State, assignment: str, what: Sequence[str], query: str, null: bool) -> int:
    """Sets a field of items: title, purchase_date, account, any name. FIELD= takes it away."""
    from mediactl import workcalls

    name, equals, value = assignment.partition("=")
    if not equals:
        raise click.BadParameter(f"{assignment!r} has no =.", param_hint="FIELD=VALUE")
    return _work(state, workcalls.set_fields(targets_of(what, query, null), {name: value or None}, query=query))


@click.command()
@_what
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="How often.")
@click.pass_obj
def play(state: State, what: Sequence[str], query: str, null: bool, count: int) -> int:
    """Notes that items were played."""
    from mediactl import workcalls

    return _work(state, workcalls.play(targets_of(what, query, null), count=count, query=query))


@click.command()
@click.argument("name")
@_what
@click.option("--playlist", is_flag=True, help="NAME is a playlist, not a collection.")
@click.option("--at", "place", type=click.IntRange(min=0), help="Before the entry of that number, counted from 0.")
@click.option("--remove", type=click.IntRange(min=0), metavar="N", help="Take out the entry of that number.")
@click.option("--move", nargs=2, type=click.IntRange(min=0), metavar="N TO", help="Move an entry to another place.")
@click.option("--rename", metavar="NEW", help="Another name.")
@click.option("--delete", is_flag=True, help="Delete it; the items stay.")
@click.pass_obj
def collect(
    state: State, name: str, what: Sequence[str], query: str, null: bool, playlist: bool, place: int | None,
    remove: int | None, move: tuple[int, int] | None, rename: str | None, delete: bool,
) -> int:  # fmt: skip
    """Puts items into a collection or playlist, which is made when it is not there."""
    from mediactl import human, jsontext, workcalls

    kind = "playlist" if playlist else "collection"
    if remove is not None:
        call = workcalls.collect(name, "remove", kind=kind, place=remove)
    elif move:
        call = workcalls.collect(name, "move", kind=kind, place=move[0], to=move[1])
    elif rename:
        call = workcalls.collect(name, "rename", kind=kind, new_name=rename)
    elif delete:
        call = workcalls.collect(name, "delete", kind=kind)
    else:
        targets = parse_targets(what, null=null)
        call = workcalls.collect(name, "add", targets, kind=kind, query=query, place=-1 if place is None else place)
    return run_call(state, call, lambda r: jsontext.describe_collection(r.collection), human.collect_lines)


@click.command()
@click.argument("name", default="")
@click.option("--kind", type=click.Choice(["collection", "playlist"]), default=None)
@click.pass_obj
def collections(state: State, name: str, kind: str | None) -> int:
    """Lists collections, playlists and saved questions; with NAME, what is in it."""
    from mediactl import human, jsontext, workcalls

    with state.client() as client:
        found = client.run(workcalls.collections(kind=kind or "", name=name, entries=bool(name)))
        titles = client.get(*dict.fromkeys(e for each in found for e in each.entries)) if state.output.human else []
    lines = human.collection_lines(found, {r.item.id: r.item for r in titles if r.item}, state.output.width)
    state.output.show(found, jsontext.describe_collection, lines if state.output.human else [])
    return state.finish()


@click.command()
@click.argument("operation", required=False, metavar="[OPERATION|N]")
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="How many, the last first.")
@click.pass_obj
def undo(state: State, operation: str | None, count: int) -> int:
    """Takes back the last operation, or the last N, or the one of that id (`mediactl operations`)."""
    from mediactl import human, jsontext, workcalls
    from mediactl.requests import parse_id

    if operation and operation.isdecimal() and int(operation):
        count, operation = int(operation), None
    ident = parse_id(operation) if operation else None
    if operation and ident is None:
        raise click.BadParameter(f"{operation!r} is no operation's id.", param_hint="OPERATION")
    return run_call(state, workcalls.undo(ident, count=count), jsontext.describe_undo, human.undo_lines)


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.pass_obj
def operations(state: State, limit: int) -> int:
    """Lists what was done last, newest first."""
    from mediactl import human, jsontext, workcalls

    with state.client() as client:
        found = client.run(workcalls.operations(limit))
    lines = human.operation_lines(found, state.output.width) if state.output.human else []
    state.output.show(found, jsontext.describe_plain_ids, lines)
    return state.finish()


# ------------------------------------------------------------------ the feed


@click.command()
@click.option("--since", default="0", metavar="N", help="After this number, or EPOCH:N as it was printed.")
@click.option("--follow", is_flag=True, help="Do not end; print what happens when it happens.")
@click.option("--query", metavar="TEXT", default="", help="Only of items that match.")
@click.option("--limit", type=click.IntRange(min=0), default=0)
@click.pass_obj
def changes(state: State, since: str, follow: bool, query: str, limit: int) -> int:
    """Lists what happened, in the order in which it was stored.

    The last line on standard error is the cursor for the next time. A cursor that is of another feed, or too old, is
    answered with everything there is (`resync`)."""
    from mediactl import human, jsontext, workcalls

    epoch, number = _cursor(since)
    with state.client() as client:
        parts: Iterator[Any]
        if follow:
            parts = client.follow(number, epoch=epoch, query=query)
        else:
            parts = iter([client.run(workcalls.changes(number, epoch=epoch, query=query, limit=limit))])
        values = _flatten(parts, state)
        if state.output.human:
            for value in values:
                state.output.lines(human.change_lines(value))
                sys.stdout.flush()
        else:
            state.output.values(_flushed(jsontext.describe_change(value) for value in values))
    return state.finish()


def _cursor(text: str) -> tuple[bytes, int]:
    epoch, colon, number = text.rpartition(":")
    try:
        return (bytes.fromhex(epoch.replace("-", "")) if colon else b""), int(number)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number and no cursor.", param_hint="--since") from None


def _flatten(parts: Iterator[Any], state: State) -> Iterator[Any]:
    """Changes, and for a snapshot its items; the cursor goes to standard error when all is printed."""
    last = None
    for part in parts:
        if part.resync:
            yield ("resync", part)
        yield from (("item", item) for item in part.items)
        yield from (("change", change) for change in part.changes)
        if part.last:
            last = part
    if last is not None and state.output.human:
        click.echo(f"cursor {last.epoch.hex()}:{last.last}", err=True)


def _flushed(values: Iterator[Any]) -> Iterator[Any]:
    for value in values:
        yield value
        sys.stdout.flush()


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="ID|PATH...")
@Null
@click.pass_obj
def history(state: State, targets: Sequence[str], null: bool) -> int:
    """Shows what happened to items, what stood where they are, and what they came from."""
    from mediactl import human, jsontext, workcalls

    with state.client() as client:
        found = client.run(workcalls.history(parse_targets(targets, null=null)))
    lines = [line for each in found for line in human.history_lines(each, state.output.width)]
    state.output.show(found, jsontext.describe_history, lines)
    for each in found:
        if each.problem is not None:
            state.output.problem(each.problem)
    return state.finish()


_RELATIONS = ("split", "join", "replaces", "edit", "accept", "dismiss", "detach")


@click.command()
@click.argument("words", nargs=-1, metavar=f"[{'|'.join(_RELATIONS)}] ID|PATH...")
@click.option("--offers", is_flag=True, help="What may have taken the place of what: of these items, or of all.")
@click.option("--query", metavar="TEXT", default="", help="With --offers: what a query finds.")
@click.pass_obj
def relate(state: State, words: Sequence[str], offers: bool, query: str) -> int:
    """Says how items belong together.

    split PATH parts a file from its equals for good, join undoes it. `replaces NEW OLD` and `edit NEW OLD` carry the
    work of OLD over to NEW. --offers lists what may be so; `accept NEW [OLD]` takes an offer, `dismiss NEW [OLD]` says
    that it is none. detach gives up what was taken (see `history`)."""
    from mediactl import human, jsontext, workcalls

    if offers:
        with state.client() as client:
            found = client.run(workcalls.offers(parse_targets(words, null=False), query=query))
        state.output.show(found.offers, jsontext.describe_offer, human.offer_lines(found))
        for problem in found.problems:
            state.output.problem(problem)
        return state.finish()
    if query or not words or words[0] not in _RELATIONS:
        raise click.UsageError(f"The first word is one of {', '.join(_RELATIONS)}; or --offers [WHAT...].")
    if len(words) not in (2, 3):
        raise click.UsageError(f"{words[0]} takes one item, or two.")
    wanted = parse_targets(words[1:], null=False)
    call = workcalls.relate(words[0], wanted[0], wanted[1] if len(wanted) > 1 else None)
    return run_call(state, call, jsontext.describe_plain_ids, human.relate_lines)


# ------------------------------------------------------------------ equal files, and whether they are well


@click.command()
@click.option(
    "--kind", type=click.Choice(["payload", "exact", "twins", "hardlinks", "missing", "single"]), default="payload",
    show_default=True, help="What is equal.",
)  # fmt: skip
@click.option("--on", "root", type=int, default=0, metavar="ROOT", help="missing: the root that has it (its number).")
@click.option("--not-on", "other", type=int, default=0, metavar="ROOT", help="missing: the root that has it not.")
@click.option("--below", type=click.IntRange(min=1), default=2, show_default=True, help="single: copies, fewer than.")
@click.option("--query", metavar="TEXT", default="", help="Only groups with an item that matches.")
@click.pass_obj
def duplicates(state: State, kind: str, root: int, other: int, below: int, query: str) -> int:
    """Lists equal files, the most wasteful first.

    payload: the same media, whatever their tags. exact: the same bytes. twins: other encodings of the same samples.
    hardlinks: names of one file, which cost nothing. missing: on one root and not on another. single: few copies."""
    from mediactl import human, jsontext, workcalls
    from mediactl.progress import ProgressLine

    line = ProgressLine()
    try:
        with state.client() as client:
            call = workcalls.duplicates(kind, root=root, other=other, below=below, query=query)
            found = client.run(call, progress=line.show if sys.stderr.isatty() and state.output.human else None)
    finally:
        line.clear()
    state.output.show(found, jsontext.describe_group, human.group_lines(found) if state.output.human else [])
    if found.left_out:
        click.echo(f"mediactl: {found.left_out} files could not be read; nothing is said of them", err=True)
    return state.finish()


@click.command()
@click.argument("targets", nargs=-1, metavar="[ID|PATH...]")
@click.option("--rate", default="0", metavar="BYTES", help="At most so many bytes a second, e.g. 5M.")
@click.option("--seconds", type=click.FloatRange(min=0), default=0.0, help="Stop then; the next goes on there.")
@click.option("--again", is_flag=True, help="From the beginning.")
@Null
@click.pass_obj
def verify(state: State, targets: Sequence[str], rate: str, seconds: float, again: bool, null: bool) -> int:
    """Reads files again and compares them with their stored checksums. Exit status 1 when some are not well."""
    from mediactl import human, jsontext, workcalls

    call = workcalls.verify(
        parse_targets(targets, null=null), bytes_per_second=_bytes(rate), seconds=seconds, again=again
    )

    def lines(result: VerifyResult) -> list[str]:
        state.output.failed = bool(result.rotten or result.unreadable)
        return human.verify_lines(result)

    def describe(result: VerifyResult) -> dict[str, Any]:
        state.output.failed = bool(result.rotten or result.unreadable)
        return jsontext.describe_verify(result)

    return run_call(state, call, describe, lines)


def _bytes(text: str) -> int:
    units = {"k": 10**3, "M": 10**6, "G": 10**9}
    try:
        return int(float(text[:-1]) * units[text[-1]]) if text[-1:] in units else int(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number of bytes.", param_hint="--rate") from None


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--quick", is_flag=True, help="Do not list folders whose own time is the known one.")
@click.option("--wait/--no-wait", default=True, help="Return when all is read / listed.")
@click.pass_obj
def rescan(state: State, paths: Sequence[str], quick: bool, wait: bool) -> int:
    """Walks what was added again: all of it, or the roots that the paths lie in."""
    from mediactl import human, jsontext, workcalls

    call = workcalls.rescan(paths, quick=quick, wait=wait)
    return run_call(state, call, jsontext.describe_add, lambda result: human.add_lines(result, waited=wait))


@click.command()
@click.argument("path")
@click.pass_obj
def accept(state: State, path: str) -> int:
    """Confirms that what a frozen root lost is gone."""
    from mediactl import human, jsontext, workcalls

    with state.client() as client:
        found = client.run(workcalls.accept(path))
    lines = human.root_lines(found, state.output.width) if state.output.human else []
    state.output.show(found, jsontext.describe_root, lines)
    return state.finish()


COMMANDS = (
    tag, rate, star, set_field, play, collect, collections, undo, operations, changes, history, relate,
    duplicates, verify, rescan,
)  # fmt: skip
