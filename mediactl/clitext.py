"""The command about the text of files (mediactl.cli says how commands are)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from mediactl.clistate import Null, State, parse_targets

if TYPE_CHECKING:
    from mediactl import texts
    from mediad.errors import MediadError


@click.command()
@click.argument("what", nargs=-1, metavar="ID|PATH... | --index QUERY...")
@click.option("--index", is_flag=True, help="Put the words of what a query finds into the index.")
@click.option("--wait/--no-wait", default=True, help="With --index: return when all are there / queued.")
@click.option("--limit", type=click.IntRange(min=1), metavar="BYTES", help="At most so much of a file.")
@Null
@click.pass_obj
def text(state: State, what: Sequence[str], index: bool, wait: bool, limit: int | None, null: bool) -> int:
    """Prints the text inside documents, lyrics and subtitles, or puts its words into the index.

    Without anything: how many files have words in the index."""
    if index or not what:
        if limit:
            raise click.UsageError("--limit is for printing; of the index it is text_limit in mediad.toml.")
        if index and not what:
            raise click.UsageError("--index takes a query.")
        return _index(state, " ".join(what), wait)
    return _print(state, what, limit or 0, null)


def _print(state: State, what: Sequence[str], limit: int, null: bool) -> int:
    from mediactl import texts
    from mediactl.progress import ProgressLine

    line = ProgressLine()
    targets = parse_targets(what, null=null)
    call = texts.texts(targets, limit=limit)
    problems: list[MediadError] = []

    def noted(found: Iterator[texts.Text]) -> Iterator[texts.Text]:
        for each in found:
            line.clear()
            if each.problem is not None:
                problems.append(each.problem)
            yield each

    with state.client() as client:
        show = line.show if sys.stderr.isatty() and state.output.human else None
        try:
            # Printed as they come: all of them together may be larger than the memory.
            found = noted(texts.join_texts(client.submit(call.request, progress=show).replies()))
            if not state.output.human:
                state.output.values(texts.describe_text(each) for each in found)
            else:
                for each in found:
                    _print_one(state, each, titled=len(targets) > 1)
        finally:
            line.clear()
    for problem in problems:
        state.output.problem(problem)
    return state.finish()


def _print_one(state: State, found: texts.Text, *, titled: bool) -> None:
    from mediactl import texts

    if found.problem is None and not found.text.strip():
        click.echo(f"mediactl: {found.path_display}: there are no words in it", err=True)
    elif found.problem is None:
        state.output.lines(texts.text_lines(found, titled=titled))
        if found.truncated:
            sys.stdout.flush()
            click.echo(f"mediactl: {found.path_display}: there is more (--limit)", err=True)


def _index(state: State, query: str, wait: bool) -> int:
    from mediactl import texts
    from mediactl.progress import ProgressLine

    line = ProgressLine()
    try:
        with state.client() as client:
            show = line.show if sys.stderr.isatty() and state.output.human else None
            found = client.run(texts.index(query=query, wait=wait), progress=show)
    finally:
        line.clear()
    if state.output.human:
        state.output.lines(texts.index_lines(found, waited=wait or not query))
    else:
        state.output.value(texts.describe_index(found))
    for problem in found.problems:
        state.output.problem(problem)
    return state.finish()


COMMANDS = (text,)
