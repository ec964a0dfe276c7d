"""Where results go: standard output in the format asked for, errors on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mediactl import human, jsontext
from mediactl.terminal import prepare_streams
from mediad.errors import MediadError


class Output:
    """Prints in one of the formats human, json (one document), ndjson (one value a line, as it comes)."""

    def __init__(self, format: str) -> None:
        self.format = format
        self.width = prepare_streams(None if format == "human" else "utf-8")
        self.failed = False  # some input failed: exit code 1

    @property
    def human(self) -> bool:
        return self.format == "human"

    def lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            sys.stdout.write(line + "\n")

    def value(self, value: dict[str, Any]) -> None:
        """One result that is not a list."""
        self.lines([jsontext.dump(value, 2 if self.format == "json" else None)])

    def values(self, values: Iterable[dict[str, Any]]) -> None:
        """A list of results, written as they come: an array, or a line each."""
        if self.format == "ndjson":
            for value in values:
                sys.stdout.write(jsontext.dump(value) + "\n")
            return
        begin = "["
        for value in values:
            sys.stdout.write(f"{begin}\n  {jsontext.dump(value, 2, 1)}")
            begin = ","
        sys.stdout.write("[]\n" if begin == "[" else "\n]\n")

    def show(self, values: Sequence[Any], describe: Callable[[Any], dict[str, Any]], lines: Sequence[str]) -> None:
        """A list of results: `lines` for people, `describe` of each for programs."""
        if self.human:
            self.lines(lines)
        else:
            self.values(describe(each) for each in values)

    def problem(self, error: MediadError) -> None:
        """An input that failed, beside others that did not."""
        self.failed = True
        report(error, self.format)


def report(error: MediadError, format: str) -> None:
    """Writes an error on standard error: `mediactl: code: message: input`, else one JSON object a line."""
    sys.stdout.flush()
    if format == "human":
        sys.stderr.write(f"mediactl: {human.say_error(error)}\n")
    else:
        sys.stderr.write(jsontext.dump(jsontext.describe_error(error)) + "\n")


def batch(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yields lists of at most `size`."""
    found: list[Any] = []
    for value in values:
        found.append(value)
        if len(found) == size:
            yield found
            found = []
    if found:
        yield found
