"""Small pictures of items: the call and its result (docs/protocol.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mediactl import requests
from mediactl.requests import Target
from mediactl.workcalls import Call
from mediadb_contract import mediadb_pb2 as pb

SIZES = (128, 320, 800, 1280, 1920)  # pixels of the longer side; the daemon refuses others


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview: JPEG, or PNG where it is transparent. `tag` changes with the picture; `same`: it is the one that the
    caller has, and `data` is empty."""

    data: bytes
    mime_type: str
    width: int  # pixels
    height: int
    tag: bytes
    same: bool


def preview(target: Target, size: int, *, known: bytes = b"") -> Call[Preview]:
    """The preview of an item, at most `size` pixels at its longer side (one of SIZES). `known`: the tag of the one the
    caller has. NotFound: there is nothing to show."""
    [what] = requests.targets([target])
    return Call(pb.Request(preview=pb.PreviewRequest(target=what, size=size, known=known)), _preview)


def _preview(replies: Sequence[pb.Reply]) -> Preview:
    first = replies[0].preview
    data = b"".join(reply.preview.data for reply in replies)
    return Preview(data, first.mime_type, first.width, first.height, first.tag, first.same)
