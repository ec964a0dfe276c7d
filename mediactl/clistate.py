"""What every command of mediactl starts from: the global options, and names from the command line or standard input.

Only click is imported here (mediactl.cli says why).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mediactl.client import Client
    from mediactl.output import Output

Null = click.option("--null", "-0", is_flag=True, help="With -: names are separated by NUL, not by line ends.")


class State:
    """The global options, and what is made of them when a command asks."""

    def __init__(self, socket: str | None, format: str, actor: str = "") -> None:
        self.socket = socket
        self.actor = actor
        self.format = format
        self._output: Output | None = None

    @property
    def output(self) -> Output:
        if self._output is None:
            from mediactl.output import Output

            self._output = Output(self.format)
        return self._output

    def client(self) -> Client:
        from mediactl.client import Client

        return Client(self.socket, actor=self.actor)

    def finish(self) -> int:
        return 1 if self.output.failed else 0


def read_names(arguments: Sequence[str], *, null: bool) -> list[bytes]:
    """Returns the arguments as bytes; "-" stands for those on standard input, one a line or NUL-separated."""
    found: list[bytes] = []
    for argument in arguments:
        if argument != "-":
            found.append(os.fsencode(argument))
            continue
        names = sys.stdin.buffer.read().split(b"\0" if null else b"\n")
        found += [name for name in names if name]
    return found


def parse_targets(arguments: Sequence[str], *, null: bool) -> list[Any]:
    """Returns the UUIDs and paths (bytes) that the arguments name: an id when it is a UUID, else a path."""
    from mediactl.requests import parse_id

    names = read_names(arguments, null=null)
    return [parse_id(name.decode("ascii", "replace")) or name for name in names]
