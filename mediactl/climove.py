"""The commands that move, copy and link files (mediactl.cli says how commands are)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from mediactl.clistate import Null, State
from mediactl.cliwork import run_call, targets_of

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


@click.group()
def layout() -> None:
    """The media tree: torrents, usenet, ddl, media, on one file system."""


def _tree(function: F) -> F:
    for option in (
        click.option("--group", default="", metavar="NAME", help="The group that the applications share."),
        click.option("--torrent-staging", is_flag=True, help="With torrents/incomplete and torrents/complete."),
        click.option("--photos", is_flag=True, help="With media/photos."),
    ):
        function = option(function)
    return function


@layout.command()
@click.argument("path")
@_tree
@click.pass_obj
def create(state: State, path: str, group: str, torrent_staging: bool, photos: bool) -> int:
    """Makes what is missing of the tree in PATH/data, each folder 2775: setgid, and writable for the group.

    What is there already stays as it is; where it differs, that is said."""
    return _layout(state, path, check=False, group=group, torrent_staging=torrent_staging, photos=photos)


@layout.command()
@click.argument("path")
@_tree
@click.pass_obj
def check(state: State, path: str, group: str, torrent_staging: bool, photos: bool) -> int:
    """Looks at the tree in PATH/data: folders, permissions, strays, and whether a link and a rename work from each
    staging folder into media/, by trying."""
    return _layout(state, path, check=True, group=group, torrent_staging=torrent_staging, photos=photos)


@layout.command()
@click.argument("path")
@click.option("--dry-run", "-n", is_flag=True, help="Show the plan; do nothing.")
@click.pass_obj
def place(state: State, path: str, dry_run: bool) -> int:
    """Gives what has arrived in the staging folders its place in media/, by hard links; what is shared goes on being
    shared. What is unfinished, or changed a moment ago, waits."""
    from mediactl import human, jsontext, workcalls

    call = workcalls.place(path, dry_run=dry_run)
    return run_call(state, call, jsontext.describe_move, lambda result: human.move_lines(result, state.output.width))


def _layout(state: State, path: str, **options: Any) -> int:
    from mediactl import human, jsontext, workcalls

    with state.client() as client:
        found = client.run(workcalls.layout(path, **options))
    if state.output.human:
        state.output.lines(human.layout_lines(found))
    else:
        state.output.value(jsontext.describe_layout(found))
    good = all(code in ("made", "exists") for _path, code, _why in found.findings)
    return state.finish() or int(not good or any(link or rename for _a, _b, link, rename in found.trials))


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("folder", metavar="DST")
@click.pass_obj
def archive(state: State, source: str, folder: str) -> int:
    """Archives the folder SRC of the library in DST, by content: what is there already is not stored again.

    The format is recentralized/structure, version v1. `verify-archive` looks whether all is whole, `putback --archive`
    puts it back where it was found."""
    from mediactl import human, jsontext, workcalls

    return run_call(state, workcalls.archive(source, folder), jsontext.describe_archive, human.archive_lines)


@click.command(name="verify-archive")
@click.argument("folder", metavar="DST")
@click.option("--quick", is_flag=True, help="Names and sizes only; nothing is read.")
@click.pass_obj
def verify_archive(state: State, folder: str, quick: bool) -> int:
    """Looks whether everything in an archive is there and whole, whoever wrote it."""
    from mediactl import human, jsontext, workcalls

    found = []

    def describe(result: Any) -> dict[str, Any]:
        found.extend(result.findings)
        return jsontext.describe_archive(result)

    def lines(result: Any) -> list[str]:
        found.extend(result.findings)
        return human.archive_check_lines(result)

    status = run_call(state, workcalls.archive(b"", folder, verify=True, quick=quick), describe, lines)
    return status or int(any(code not in ("unknown", "leftover") for code, *_rest in found))


@click.command()
@click.argument("what", nargs=-1, metavar="WHAT...")
@click.option("--query", metavar="TEXT", default="", help="What a query finds.")
@click.option("--archive", metavar="DST", default="", help="From an archive; WHAT is SHA-1s in it, none: everything.")
@click.option("--into", metavar="DIR", default="", help="From an archive: below DIR, not where it was found.")
@click.option("--dry-run", "-n", is_flag=True, help="Show the plan; do nothing.")
@Null
@click.pass_obj
def putback(
    state: State, what: Sequence[str], null: bool, query: str, archive: str, into: str, dry_run: bool
) -> int:  # fmt: skip
    """Puts files back where they were before they were moved last; or contents of an archive where they were found."""
    from mediactl import human, jsontext, workcalls

    if archive:
        call = workcalls.putback(archive=archive, sha1=what, into=into, dry_run=dry_run)
    else:
        call = workcalls.putback(targets_of(what, query, null), query=query, dry_run=dry_run)
    return run_call(
        state, call, jsontext.describe_move, lambda result: human.move_lines(result, state.output.width)
    )  # fmt: skip


COMMANDS = (move, organise, layout, archive, verify_archive, putback)
