"""The commands that keep a person's work safe (mediactl.cli says how commands are)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import click

from mediactl.clistate import State

_PART_BYTES = 100_000  # of a request: the daemon takes 256 KiB a frame


@click.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.pass_obj
def backup(state: State, folder: str) -> int:
    """Writes a person's work, and what was added, into FOLDER as lines of JSON."""
    from mediactl import workcalls

    os.makedirs(folder, exist_ok=True)
    with state.client() as client:
        lines = client.run(workcalls.export())
    name = os.path.join(folder, time.strftime("mediadb-work-%Y-%m-%dT%H%M%S.ndjson"))
    part = name + ".part"
    # Nobody else reads it: it has what persons did, and the scrypt hashes of their passwords.
    with open(part, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, name)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(fd)
    os.close(fd)
    if state.output.human:
        state.output.lines([f"{name}: {len(lines):,} lines"])
    else:
        state.output.value({"path": name, "lines": len(lines)})
    return state.finish()


@click.command(name="restore-backup")
@click.argument("folder", type=click.Path(exists=True))
@click.pass_obj
def restore_backup(state: State, folder: str) -> int:
    """Puts a backup back: of FOLDER the newest file, or the file itself, or a daemon's work/*.ndjson.

    What is in the database already stays as it is; nothing is done twice."""
    from mediactl import jsontext, workcalls

    paths = [folder]
    if os.path.isdir(folder):
        names = sorted(name for name in os.listdir(folder) if name.endswith(".ndjson"))
        if not names:
            raise click.UsageError(f"{folder} holds no .ndjson file.")
        ours = [name for name in names if name.startswith("mediadb-work-")]
        paths = [os.path.join(folder, name) for name in (ours[-1:] or names)]
    events = known = roots = 0
    with state.client() as client:
        for path in paths:
            for part in _parts(path):
                result = client.run(workcalls.restore(part))
                events, known, roots = events + result.events, known + result.known, roots + result.roots
                for problem in result.problems:
                    state.output.problem(problem)
    if state.output.human:
        state.output.lines([f"{events:,} events restored, {known:,} known already, {roots:,} roots"])
    else:
        state.output.value({"events": events, "known": known, "roots": roots, "paths": [
            jsontext.describe_path(os.fsencode(path))["path"] for path in paths]})  # fmt: skip
    return state.finish()


def _parts(path: str) -> Iterator[list[str]]:
    """The lines of a file in portions that fit a request."""
    part: list[str] = []
    size = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip():
                continue
            part.append(line.rstrip("\n"))
            size += len(line.encode())
            if size > _PART_BYTES:
                yield part
                part, size = [], 0
    if part:
        yield part


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def rebuild(state: State, yes: bool) -> int:
    """Throws away everything that can be read again, and reads it again. What people did stays."""
    from mediactl import jsontext, workcalls

    if not yes:
        click.confirm("Everything but what people did is thrown away and read again. Go on?", abort=True)
    with state.client() as client:
        result = client.run(workcalls.rebuild())
    if state.output.human:
        state.output.lines([f"{result.roots:,} roots walked and read again"])
    else:
        state.output.value({"roots": result.roots, "problems": [jsontext.describe_error(e) for e in result.problems]})
    for problem in result.problems:
        state.output.problem(problem)
    return state.finish()


@click.command(name="import")
@click.argument("path", type=click.Path(exists=True))
@click.option(
    "--from",
    "peer",
    type=click.Choice(["mpd", "beets", "navidrome", "homegallery", "itunes"]),
    help="The program the file is of; else it is told by its content.",
)
@click.option("--music-directory", metavar="DIR", help="What relative paths are relative to.")
@click.option("--playlists", metavar="DIR", help="mpd: the folder of stored playlists.")
@click.option("--database", metavar="FILE", help="homegallery: its database.db.")
@click.option("--rating-scale", type=float, metavar="N", help="The rating that means five stars (mpd, beets).")
@click.option("--map", "maps", nargs=2, multiple=True, metavar="THERE HERE", help="A folder there is this one here.")
@click.option("--dry-run", is_flag=True, help="Say what would be found, and change nothing.")
@click.pass_obj
def import_work(
    state: State,
    path: str,
    peer: str | None,
    music_directory: str | None,
    playlists: str | None,
    database: str | None,
    rating_scale: float | None,
    maps: tuple[tuple[str, str], ...],
    dry_run: bool,
) -> int:
    """Takes over tags, ratings, stars, plays and playlists from another program's file (docs/import.md)."""
    from mediactl.importing import Importer
    from mediactl.imports import PEERS, read_peer

    given = {
        "music_directory": music_directory,
        "playlists": playlists,
        "database": database,
        "rating_scale": rating_scale,
    }
    options = {name: value for name, value in given.items() if value is not None}
    kind = peer or next((name for name, each in PEERS.items() if each.sniff(os.fsencode(path))), None)
    records = read_peer(path, kind, **options)
    prefixes = [(os.fsencode(there), os.fsencode(os.path.abspath(here))) for there, here in maps]
    with state.client() as client:
        report = Importer(client, kind or "peer", prefixes=prefixes, dry_run=dry_run).run(records)
    if state.output.human:
        lines = [
            f"{report.records:,} records: {report.by_path:,} found by path, {report.by_tags:,} by tags, "
            f"{report.missing:,} not found; {report.changes:,} changes, {report.playlists:,} playlists"
        ]
        lines += [f"not found: {name}" for name in report.unmatched]
        lines += [f"problem: {text}" for text in report.problems]
        from mediad.wire.display import show_text

        state.output.lines(show_text(line) for line in lines)
    else:
        state.output.value({name: getattr(report, name) for name in type(report).__slots__})
    return state.finish()


COMMANDS = (backup, restore_backup, rebuild, import_work)
