"""The command that walks through the library (mediactl.cli says how commands are)."""

from __future__ import annotations

from collections.abc import Sequence

import click

from mediactl.clistate import State

_SORTS = ("name", "artist", "year", "added", "recent", "frequent", "starred", "rating", "random")


@click.command()
@click.argument("what", type=click.Choice(["artists", "albums", "genres", "folders"]))
@click.argument("query", nargs=-1, metavar="[QUERY...|NUMBER]")
@click.option("--sort", type=click.Choice([*_SORTS, *(f"-{each}" for each in _SORTS)]), default=None,
              help="Albums: the order; - before it: the other way.")  # fmt: skip
@click.option("--prefix", default="", metavar="TEXT", help="Names that have a word that begins so.")
@click.option("--artist", "artist", default=None, metavar="ID", help="Albums of this artist.")
@click.option("--genre", default="", metavar="NAME", help="Albums of this genre.")
@click.option("--year", default="", metavar="YEAR[-YEAR]", help="Albums of these years.")
@click.option("--starred", is_flag=True, help="Artists, albums that you starred.")
@click.option("--all", "everybody", is_flag=True, help="Everybody on a song, not only whose albums there are.")
@click.option("--items", is_flag=True, help="Folders: with what is in them.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many; else all.")
@click.pass_obj
def browse(
    state: State, what: str, query: Sequence[str], sort: str | None, prefix: str, artist: str | None, genre: str,
    year: str, starred: bool, everybody: bool, items: bool, limit: int | None,
) -> int:  # fmt: skip
    """Walks through artists, albums and genres (of what QUERY finds), or through folders by their NUMBER."""
    from mediactl import walks
    from mediactl.requests import parse_id

    text = " ".join(query)
    folder = 0
    if what == "folders" and text:
        if not text.isdecimal():
            raise click.BadParameter(f"{text!r} is no folder's number.", param_hint="NUMBER")
        folder, text = int(text), ""
    whose = parse_id(artist) if artist else None
    if artist and whose is None:
        raise click.BadParameter(f"{artist!r} is no artist's id.", param_hint="--artist")
    first, _, last = year.partition("-")
    if year and not (first.isdecimal() and (not last or last.isdecimal())):
        raise click.BadParameter(f"{year!r} is no year and no span of years.", param_hint="--year")
    whole = walks.Walked()
    with state.client() as client:
        cursor: bytes | None = b""
        while cursor is not None:
            left = limit - len(list(walks.everything(whole))) if limit else 0
            page = client.run(walks.browse(
                what, artist=whose, query=text, sort=sort or "", limit=min(left, 1000) if limit else 1000,
                cursor=cursor, prefix=prefix, folder=folder, items=items, all_artists=everybody, genre=genre,
                year_from=int(first or 0), year_to=int(last or first or 0), starred=starred,
            ))  # fmt: skip
            for kind in ("artists", "albums", "genres", "folders", "items"):
                getattr(whole, kind).extend(getattr(page, kind))
            whole.folder, whole.above = page.folder, page.above
            cursor = page.cursor
            if limit and len(list(walks.everything(whole))) >= limit:
                cursor = None
    shown = walks.lines(whole, what, state.output.width) if state.output.human else []
    state.output.show(list(walks.everything(whole)), walks.describe, shown)
    return state.finish()


COMMANDS = (browse,)
