"""The commands that move, copy and link files (mediactl.cli says how commands are)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from mediactl.clistate import Null, State
from mediactl.cliwork import targets_of

F = TypeVar("F", bound=Callable[..., Any])
MODES = click.Choice(["move", "copy", "hardlink", "symlink", "reflink"])


def _how(function: F) -> F:
    """The options of everything that moves."""
    for option in (
        click.option("--query", metavar="TEXT", default="", help="What a query finds."),
        click.option("--mode", type=MODES, default="move", show_default=True),
        click.option("--require", is_flag=True, help="This mode or nothing: no copy where it cannot be."),
        click.option("--drop-duplicates", is_flag=True, help="Files whose bytes are there already go."),
        click.option("--fat", is_flag=True, help="Names that FAT, exFAT and NTFS take."),
        click.option("--dry-run", "-n", is_flag=True, help="Show the plan; do nothing."),
    ):
        function = option(function)
    return Null(function)


@click.command()
@click.argument("what", nargs=-1, metavar="WHAT... DEST")
@click.option("--prune", is_flag=True, help="Folders that become empty go.")
@_how
@click.pass_obj
def move(state: State, /, what: Sequence[str], null: bool, query: str, **options: Any) -> int:
    """Moves files into the folder DEST, or one file or folder to that name.

    WHAT is paths, ids, folders or --query TEXT. What belongs to a file goes along: side files, subtitles, lyrics, RAW
    with JPEG, the cover of a folder that goes as a whole. Nothing is ever replaced: a file whose bytes are at the
    destination already stays, another of that name makes this one `name_copy`. `mediactl undo` takes it back."""
    if not what or (len(what) == 1 and not query):
        raise click.UsageError("WHAT... and DEST are needed.")
    *named, destination = what
    targets = targets_of(named, query, null)
    folder = destination.endswith("/")
    return _move(state, targets, destination, query=query, folder=folder, **options)


@click.command()
@click.argument("what", nargs=-1, metavar="WHAT...")
@click.option("--template", "-t", metavar="NAME|TEMPLATE", default="auto", show_default=True,
              help="A name template, or the name of one; auto: by kind, as Plex and Jellyfin like it.")  # fmt: skip
@click.option("--into", metavar="DIR", default="", help="The folder to build below; else each file's own root.")
@click.option("--prune/--no-prune", default=True, show_default=True, help="Folders that become empty go.")
@_how
@click.pass_obj
def organise(
    state: State, /, what: Sequence[str], null: bool, query: str, template: str, into: str, **options: Any
) -> int:  # fmt: skip
    """Gives files the names and folders that their metadata say.

    WHAT is paths, ids, folders or --query TEXT. Look at the plan first: --dry-run."""
    targets = targets_of(what, query, null)
    return _move(state, targets, into, query=query, folder=True, template=template, **options)


def _move(state: State, targets: list[Any], destination: str, **options: Any) -> int:
    from mediactl import human, jsontext, workcalls
    from mediactl.progress import ProgressLine

    line = ProgressLine()
    try:
        with state.client() as client:
            call = workcalls.move(targets, destination, **options)
            result = client.run(call, progress=line.show if sys.stderr.isatty() and state.output.human else None)
    finally:
        line.clear()
    if state.output.human:
        state.output.lines(human.move_lines(result, state.output.width))
    else:
        state.output.value(jsontext.describe_move(result))
    for problem in result.problems:
        state.output.problem(problem)
    if result.fatal is not None:
        state.output.problem(result.fatal)
    return state.finish()


COMMANDS = (move, organise)
