"""The text of files: the calls, their results, and how they are shown (docs/text.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mediactl import decode, jsontext, requests
from mediactl.requests import Target
from mediactl.wording import say_count
from mediactl.workcalls import Call
from mediad.errors import MediadError
from mediad.wire.convert import error_from_wire, show_text, uuid_from_wire
from mediadb_contract import mediadb_pb2 as pb


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a file, or why there is none (`problem`; code `unsupported`: it has no words)."""

    item: UUID | None
    path: bytes
    path_display: str
    text: str
    truncated: bool  # the limit cut it
    source: str  # where it stood: PDF text, USLT
    languages: list[str]
    problem: MediadError | None


@dataclass(frozen=True, slots=True)
class TextIndex:
    """Files whose words were put into the index (of `index_counts`: all there are), and what could not be read."""

    queued: int
    indexed: int
    without: int  # have no words
    failed: int
    waiting: int  # for their volume, for their turn
    problems: list[MediadError]


def texts(targets: Iterable[Target], *, query: str = "", limit: int = 0) -> Call[list[Text]]:
    """The text of each target and of what a query finds. `limit`: bytes of UTF-8 of one file, 0: the daemon's."""
    command = pb.TextRequest(targets=requests.targets(targets), query=query, limit=limit)
    return Call(pb.Request(text=command), lambda replies: list(join_texts(replies)), timed=False)


def index(targets: Iterable[Target] = (), *, query: str = "", wait: bool = True) -> Call[TextIndex]:
    """Puts the words of files into the index: when `wait`, all are there at the end, else they are queued.
    Of nothing (no targets, no query): how many files have words there."""
    command = pb.TextRequest(targets=requests.targets(targets), query=query, index=True, wait=wait)
    return Call(pb.Request(text=command), _indexed, timed=False)


def join_texts(replies: Iterable[pb.Reply]) -> Iterator[Text]:
    """The texts that replies bring in pieces, each when it is whole."""
    pieces: list[str] = []
    for reply in replies:
        found = reply.text
        if found.text:
            pieces.append(found.text)
        if found.ends:
            yield Text(
                uuid_from_wire(found.item), found.path, found.path_display, "".join(pieces), found.truncated,
                found.source, list(found.languages), decode.decode_problem(found),
            )  # fmt: skip
            pieces = []


def _indexed(replies: Iterable[pb.Reply]) -> TextIndex:
    last = pb.TextReply()
    problems = []
    for reply in replies:
        last = reply.text
        if last.HasField("problem"):
            problems.append(error_from_wire(last.problem))
    return TextIndex(last.queued, last.indexed, last.without, last.failed, last.waiting, problems)


# ------------------------------------------------------------------ shown


def text_lines(found: Text, *, titled: bool) -> list[str]:
    """The lines of a text, under its path where there are several. Control characters are shown as escapes."""
    lines = [f"==> {found.path_display} <=="] if titled else []
    body = found.text.removesuffix("\n")
    return lines + ["\t".join(map(show_text, line.split("\t"))) for line in body.split("\n")]


def index_lines(found: TextIndex, *, waited: bool) -> list[str]:
    """What became of the files, in one line."""
    if not waited:
        return [f"{say_count(found.queued, 'file')} queued"]
    parts = [f"{say_count(found.indexed, 'file')} in the index"]
    parts += [
        f"{number:,} {what}"
        for number, what in (
            (found.without, "without words"),
            (found.failed, "failed"),
            (found.waiting, "waiting"),
        )
        if number
    ]
    return [", ".join(parts)]


def describe_text(found: Text) -> dict[str, Any]:
    """A text as JSON."""
    described: dict[str, Any] = {} if found.item is None else {"item": str(found.item)}
    if found.path:
        described.update(jsontext.describe_path(found.path, found.path_display))
    if found.problem is not None:
        return {**described, "problem": jsontext.describe_error(found.problem)}
    described.update(text=found.text, truncated=found.truncated)
    if found.source:
        described["source"] = found.source
    if found.languages:
        described["languages"] = found.languages
    return described


def describe_index(found: TextIndex) -> dict[str, Any]:
    """The counts as JSON."""
    return {name: getattr(found, name) for name in ("queued", "indexed", "without", "failed", "waiting")}
