"""The command about previews (mediactl.cli says how commands are)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mediactl.clistate import State, parse_targets

_SIZES = ("128", "320", "800", "1280", "1920")


@click.command()
@click.argument("what", metavar="ID|PATH")
@click.option("--size", type=click.Choice(_SIZES), default="320", show_default=True, help="Pixels of the longer side.")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Where to write it; - or nothing, into a pipe: standard output.",
)  # fmt: skip
@click.pass_obj
def preview(state: State, what: str, size: str, output: Path | None) -> int:
    """Writes a small picture of an item: of a picture itself, of a song or film its cover.

    JPEG, or PNG where it is transparent; upright, in sRGB, without metadata."""
    from mediactl import previews
    from mediad.errors import InputOutputError

    piped = output is None or str(output) == "-"
    if piped and sys.stdout.isatty():
        raise click.UsageError("A picture is not for a terminal: --output FILE.")
    [target] = parse_targets([what], null=False)
    with state.client() as client:
        found = client.run(previews.preview(target, int(size)))
    if piped:
        sys.stdout.buffer.write(found.data)
        sys.stdout.buffer.flush()
        return state.finish()
    assert output is not None
    try:
        output.write_bytes(found.data)
    except OSError as error:
        raise InputOutputError(f"the preview cannot be written: {error.strerror}", str(output)) from error
    told: dict[str, Any] = {
        "output": str(output), "mime_type": found.mime_type, "width": found.width, "height": found.height,
        "bytes": len(found.data), "tag": found.tag.hex(),
    }  # fmt: skip
    if state.output.human:
        state.output.lines([f"{output}: {found.width} x {found.height}, {found.mime_type}, {len(found.data):,} bytes"])
    else:
        state.output.value(told)
    return state.finish()


COMMANDS = (preview,)
