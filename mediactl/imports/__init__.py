"""What other programs know of a person's work: `read_peer` yields it, record by record. See docs/import.md.

Readers only: nothing is matched, stored or changed here, and no daemon is asked.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from mediad.errors import InvalidArgument

from .beets import Beets
from .files import fault
from .homegallery import HomeGallery
from .itunes import ITunes
from .model import Options, Peer, Playlist, Problem, Record, Work
from .mpd import Mpd
from .navidrome import Navidrome

__all__ = ["PEERS", "Options", "Peer", "Playlist", "Problem", "Record", "Work", "read_peer"]

PEERS: dict[str, Peer] = {peer.name: peer for peer in (Mpd(), Beets(), Navidrome(), HomeGallery(), ITunes())}


def _options(given: dict[str, Any]) -> Options:
    known = {option.name for option in fields(Options)}
    for name, value in given.items():
        if name not in known:
            raise InvalidArgument(f"an import has no option {name!r}, only {', '.join(sorted(known))}")
        if name != "rating_scale":
            given = {**given, name: os.fsencode(value)}
    options = Options(**given)
    if options.rating_scale is not None and not 0 < options.rating_scale <= 1000:
        raise InvalidArgument("the rating that means five stars is a number above 0, at most 1000")
    return options


def _looked_at(path: bytes) -> None:
    """Raises NotFound, PermissionDenied, InputOutputError; InvalidArgument for what is neither file nor folder."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise fault(error, path) from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a pipe would wait for ever
        raise InvalidArgument("this is no file", path)


def read_peer(path: bytes | str, kind: str | None = None, **options: Any) -> Iterator[Record]:
    """What the program this file is of knows. `kind` is a name of PEERS, or None: told by content.

    The options are those of `Options`, paths as bytes or text. Raises at once InvalidArgument (no such peer or option,
    a file of another kind), NotFound, PermissionDenied, InputOutputError or Corrupt, each naming the file; the
    iteration raises Corrupt where a file breaks in the middle. Single bad records come as Problem."""
    path = os.fsencode(path)
    heeded = _options(options)
    if kind is not None and kind not in PEERS:
        raise InvalidArgument(f"no such program to import from: {kind!r}; there are {', '.join(sorted(PEERS))}", path)
    for named in (path, heeded.playlists, heeded.database):
        if named:
            _looked_at(named)
    for peer in [PEERS[kind]] if kind is not None else PEERS.values():
        if peer.sniff(path):
            return peer.read(path, heeded)
    expected = PEERS[kind].about if kind is not None else "; ".join(peer.about for peer in PEERS.values())
    raise InvalidArgument(f"the file is none of these: {expected}", path)
