"""Calls into request messages: what both clients send."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence

from mediad.errors import InvalidArgument
from mediadb_contract import mediadb_pb2 as pb

Target = uuid.UUID | bytes | str | os.PathLike[str]  # an item's id, or a path; str is a path unless it is a UUID

# Items asked for at a time. A page is read off the socket before it is handed out, so that a caller who takes his
# time never looks to the daemon like a peer that stopped reading.
PAGE_ITEMS = 500


def list_paths(paths: Iterable[bytes | str | os.PathLike[str]]) -> list[bytes]:
    """Returns the paths as bytes, absolute, the folder they lie in without symbolic links: that is where the daemon
    knows them. The last name stays as it is, for a link is a thing of its own.

    Raises InvalidArgument for an empty one."""
    found = [_real_folder(os.fsencode(path)) if path else b"" for path in paths]
    if not all(found):
        raise InvalidArgument("an empty path")
    return found


def _real_folder(path: bytes) -> bytes:
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def parse_id(text: str) -> uuid.UUID | None:
    """Returns the UUID that `text` is in its usual form (RFC 9562, section 4), None for anything else."""
    if len(text) != 36 or text.count("-") != 4:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def targets(named: Iterable[Target]) -> Iterator[pb.Target]:
    """Returns the targets of a request. Raises InvalidArgument for what is neither id nor path."""
    for target in named:
        ident = parse_id(target) if isinstance(target, str) else target
        if isinstance(ident, uuid.UUID):
            yield pb.Target(id=ident.bytes)
        elif isinstance(target, bytes | str | os.PathLike):
            yield pb.Target(path=list_paths((target,))[0])
        else:
            raise InvalidArgument("a target is an item's UUID or a path", repr(target))


def new_operation() -> bytes:
    """The id of a request that changes something: sent again under it, it is done once."""
    return uuid.uuid4().bytes


_named = targets  # where a parameter has the name


def ping_request(payload: bytes) -> pb.Request:
    return pb.Request(ping=pb.Ping(payload=payload))


def status_request() -> pb.Request:
    return pb.Request(status=pb.StatusRequest())


def handlers_request() -> pb.Request:
    return pb.Request(handlers=pb.HandlersRequest())


def roots_request() -> pb.Request:
    return pb.Request(roots=pb.RootsRequest())


def add_request(
    paths: Iterable[bytes | str | os.PathLike[str]],
    *,
    wait: bool,
    once: bool,
    cross_mounts: bool,
    exclude: Sequence[str],
) -> pb.Request:
    command = pb.AddRequest(
        paths=list_paths(paths), once=once, cross_mounts=cross_mounts, wait=wait, exclude=exclude
    )  # fmt: skip
    return pb.Request(operation=new_operation(), add=command)


def query_request(
    text: str, *, limit: int, cursor: bytes, files: bool, fields: bool, columns: Sequence[str] = (),
    sort: Sequence[str] = (),
) -> pb.Request:  # fmt: skip
    command = pb.QueryRequest(
        text=text, limit=limit, cursor=cursor, files=files, fields=fields, columns=columns, sort=sort
    )  # fmt: skip
    return pb.Request(query=command)


def get_request(named: Iterable[Target], *, light: bool = False) -> pb.Request:
    return pb.Request(get=pb.GetRequest(targets=targets(named), light=light))


def checksum_request(targets: Iterable[Target], scopes: Sequence[str], algorithms: Sequence[str]) -> pb.Request:
    return pb.Request(
        checksum=pb.ChecksumRequest(targets=_named(targets), scopes=scopes, algorithms=algorithms)
    )  # fmt: skip


def forget_request(targets: Iterable[Target], *, missing_only: bool, work: bool = False) -> pb.Request:
    command = pb.ForgetRequest(targets=_named(targets), missing_only=missing_only, work=work)
    return pb.Request(operation=new_operation(), forget=command)  # fmt: skip
