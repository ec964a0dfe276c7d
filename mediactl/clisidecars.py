"""The commands about XMP side files (mediactl.cli says how commands are)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from mediactl.clistate import Null, State, parse_targets


@click.group(name="sidecars", invoke_without_command=True)
@click.pass_context
def sidecars(context: click.Context) -> int:
    """Lists the files whose XMP side file waits to be written; `sidecars sync` writes now."""
    if context.invoked_subcommand is not None:
        return 0
    return _run(context.obj, (), "", every=False, dry_run=False)


@sidecars.command()
@click.argument("what", nargs=-1, metavar="WHAT...")
@click.option("--query", metavar="TEXT", default="", help="What a query finds.")
@click.option("--all", "every", is_flag=True, help="Every file that has a side file, or tags, a rating, a title.")
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
@Null
@click.pass_obj
def sync(state: State, what: Sequence[str], query: str, every: bool, dry_run: bool, null: bool) -> int:
    """Merges what was said of files with their XMP side files, and writes these: tags, rating, title, description.

    WHAT is ids and paths of files, not of side files. What other programs (digiKam, darktable, Lightroom) wrote is
    taken over; of two values the later wins. Everything else in a side file stays."""
    if not what and not query and not every:
        raise click.UsageError("WHAT is ids, paths, --query TEXT or --all.")
    if every and (what or query):
        raise click.UsageError("--all is everything: it takes no WHAT.")
    return _run(state, parse_targets(what, null=null), query, every=every, dry_run=dry_run)


def _run(state: State, targets: Sequence[Any], query: str, *, every: bool, dry_run: bool) -> int:
    from mediactl import human, jsontext, workcalls
    from mediactl.progress import ProgressLine

    line = ProgressLine()
    call = workcalls.sync_sidecars(targets, query=query, all=every, dry_run=dry_run)
    try:
        with state.client() as client:
            found = client.run(call, progress=line.show if sys.stderr.isatty() and state.output.human else None)
    finally:
        line.clear()
    if state.output.human:
        listing = not (targets or query or every)
        lines = human.side_lines(found, dry_run=dry_run)
        state.output.lines((lines[:-1] or ["nothing waits"]) if listing else lines)
    else:
        state.output.value(jsontext.describe_side_files(found))
    for each in found.files:
        if each.problem is not None:
            state.output.problem(each.problem)
    return state.finish()


COMMANDS = (sidecars,)
