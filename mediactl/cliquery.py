"""The commands about questions (mediactl.cli says how commands are)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from mediactl.clistate import State
from mediactl.cliwork import run_call
from mediactl.itemtable import TABLE_ROWS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from mediactl.model import Item
    from mediactl.questions import Followed


_SHELL_SECONDS = 1.0  # a key that was pressed is answered, or not at all


def _complete_words(context: click.Context, _parameter: click.Parameter, word: str) -> list[CompletionItem]:
    """What the shell offers for a word of the question: what the daemon suggests there. Without one, nothing: a shell's
    line is no place for errors."""
    from click.shell_completion import CompletionItem

    from mediactl.client import Client
    from mediad.errors import MediadError

    before = " ".join([*(context.params.get("text") or ()), ""])
    options = context.find_root().params
    try:
        with Client(options.get("socket"), actor=options.get("actor") or "", timeout=_SHELL_SECONDS) as client:
            found = client.query_complete(before + word)
    except MediadError:
        return []
    return [CompletionItem((before + word)[len(before) : each.start] + each.text, help=each.what) for each in found]


@click.command()
@click.argument("text", nargs=-1, metavar="TEXT...", shell_complete=_complete_words)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many items.")
@click.option("--files", is_flag=True, help="A row for each file, not for each item.")
@click.option("--fields", is_flag=True, help="With all fields of each file (json and ndjson).")
@click.option("--columns", metavar="A,B,C", default="", help="These columns: fields, path, size, tags, rating ...")
@click.option("--sort", metavar="KEY,...", default="", help="In this order; -KEY: the greatest first.")
@click.option("--group", metavar="FIELD", default="", help="In the order of a field, a line for each of its values.")
@click.option("--count", is_flag=True, help="Only how many match.")
@click.option("--facet", "facets", metavar="FIELD", multiple=True, help="How many have each value of it. Repeatable.")
@click.option("--facet-limit", type=click.IntRange(min=1), default=50, show_default=True, help="Values of each.")
@click.option("--explain", is_flag=True, help="How it is understood and answered.")
@click.option("--follow", is_flag=True, help="Do not end: + ~ - say what comes, changes, leaves.")
@click.pass_obj
def query(
    state: State, text: Sequence[str], limit: int | None, files: bool, fields: bool, columns: str, sort: str,
    group: str, count: bool, facets: Sequence[str], facet_limit: int, explain: bool, follow: bool,
) -> int:  # fmt: skip
    """Searches the library. Several words are joined by spaces: docs/query.md."""
    asked = " ".join(text)
    if sum((bool(count or facets), explain, follow, bool(group))) > 1:
        raise click.UsageError("--count and --facet, --group, --explain, --follow: one of these.")
    if not text and not (count or facets):
        raise click.UsageError("TEXT is a question; '' is everything.")
    if count or facets:
        return _count(state, asked, count, facets, facet_limit, files)
    keys = [key.strip() for key in sort.split(",") if key.strip()]
    if explain:
        return _explain(state, asked, files, keys)
    wanted = _columns(columns)
    if follow:
        if limit or files or keys:
            raise click.UsageError("--follow is about all items: it has no --limit, --files, --sort.")
        return _follow(state, asked, fields, wanted)
    return _list(state, asked, wanted, group, {"limit": limit, "files": files, "fields": fields, "sort": keys})


def _columns(text: str) -> list[str]:
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if names:
        from mediactl import humanquery

        wrong = humanquery.check_columns(names)
        if wrong is not None:
            near = ", ".join(humanquery.near_columns(wrong))
            said = f"there is no field {wrong!r}" + (f"; near it are {near}." if near else ".")
            raise click.BadParameter(said, param_hint="--columns")
    return names


def _list(state: State, text: str, columns: list[str], group: str, how: dict[str, Any]) -> int:
    from mediactl import humanquery, jsontext
    from mediactl.output import batch

    shown = [*columns, *([group] if group else [])]
    if group:
        if group not in humanquery.GROUPS:
            raise click.BadParameter(f"{group!r} is none of {', '.join(humanquery.GROUPS)}.", param_hint="--group")
        how["sort"] = [humanquery.GROUPS[group], *how["sort"]]
    if columns or group == "rating":
        how["columns"] = humanquery.fields_of(shown)
    with state.client() as client:
        items = client.query(text, **how)
        if state.output.human:
            table = humanquery.Lines(state.output.width, columns, group)
            for some in batch(items, TABLE_ROWS):
                state.output.lines(table.add(some))
        else:
            state.output.values(jsontext.describe_item(item) for item in items)
    return state.finish()


def _count(state: State, text: str, count: bool, facets: Sequence[str], limit: int, files: bool) -> int:
    from mediactl import humanquery, jsontext, questions

    with state.client() as client:
        found = client.run(questions.count(text, count=count, facets=facets, facet_limit=limit, files=files))
    if state.output.human:
        bars = "utf" in (sys.stdout.encoding or "").lower()
        state.output.lines(humanquery.counted_lines(found, state.output.width, bars))
    else:
        state.output.value(jsontext.describe_counted(found))
    return state.finish()


def _explain(state: State, text: str, files: bool, sort: Sequence[str]) -> int:
    from mediactl import humanquery, jsontext

    with state.client() as client:
        found = client.query_explain(text, files=files, sort=sort)
    if state.output.human:
        state.output.lines(humanquery.explain_lines(found, state.output.width))
    else:
        state.output.value(jsontext.describe_plain(found))
    return state.finish()


def _follow(state: State, text: str, fields: bool, columns: list[str]) -> int:
    from mediactl import humanquery, jsontext

    if state.format == "json":
        raise click.UsageError("--follow does not end, and a json document does: --format ndjson.")
    with state.client() as client:
        asked = humanquery.fields_of(columns) if columns else []
        pieces = _signed(client.query_follow(text, fields=fields, columns=asked))
        if not state.output.human:
            for sign, piece in pieces:
                state.output.lines([jsontext.dump(jsontext.describe_followed(sign, piece))])
                sys.stdout.flush()
            return 0
        width = state.output.width
        table = humanquery.Lines(None if width is None else width - 2, columns)
        first: list[Item] = []  # by these the columns are laid out
        for sign, piece in pieces:
            if piece.item is not None and sign == " ":
                first.append(piece.item)
            if first and (len(first) == TABLE_ROWS or piece.what != "item"):
                state.output.lines(f"  {line}" for line in table.add(first))
                first = []
            if piece.item is not None and sign != " ":
                *headings, line = table.add([piece.item])
                state.output.lines([*(f"  {each}" for each in headings), f"{sign} {line}"])
            elif piece.what == "left":
                state.output.lines([f"- {_name_left(client, piece)}"])
            elif piece.what == "resync":
                click.echo("mediactl: a folder or a list changed; everything comes again", err=True)
            sys.stdout.flush()
    return 0


def _signed(pieces: Iterator[Followed]) -> Iterator[tuple[str, Followed]]:
    """Each piece with `+` for what comes, `~` for what changes, `-` for what leaves; what neither was there nor comes
    is passed over. The ids of what is there are kept: nothing else tells a change from what comes."""
    there: set[bytes] = set()
    for piece in pieces:
        sign = " "
        if piece.what == "resync":
            there.clear()
        elif piece.id is not None and piece.what == "left":
            if piece.id.bytes not in there:
                continue
            there.discard(piece.id.bytes)
            sign = "-"
        elif piece.id is not None:
            if piece.what == "changed":
                sign = "~" if piece.id.bytes in there else "+"
            there.add(piece.id.bytes)
        yield sign, piece


def _name_left(client: Any, piece: Followed) -> str:
    """What is known of an item that left."""
    from mediactl.itemtable import item_row

    [found] = client.get(piece.id)
    if found.item is None or not found.item.files:
        return str(piece.id)
    row = item_row(found.item)
    return "  ".join(part for part in (row[0], row[1], row[-1]) if part)


@click.command()
@click.argument("name")
@click.argument("text", nargs=-1, required=True, metavar="QUERY...")
@click.pass_obj
def save(state: State, name: str, text: Sequence[str]) -> int:
    """Saves a question as a collection, which holds what it finds; ask it by saved:NAME."""
    from mediactl import human, jsontext, workcalls

    call = workcalls.save(name, " ".join(text))
    return run_call(state, call, lambda r: jsontext.describe_collection(r.collection), human.collect_lines)


@click.command()
@click.argument("name")
@click.pass_obj
def unsave(state: State, name: str) -> int:
    """Forgets a saved question."""
    from mediactl import jsontext, workcalls
    from mediad.errors import InvalidArgument

    with state.client() as client:
        [found] = client.run(workcalls.collections(kind="collection", name=name))
    if found.query is None:
        raise InvalidArgument("this is no saved question: `mediactl collect NAME --delete` deletes a collection", name)
    call = workcalls.unsave(name)
    return run_call(state, call, lambda r: jsontext.describe_collection(r.collection), lambda _r: [f"forgot {name}"])


COMMANDS = (query, save, unsave)
