"""Errors, paths and ids as they are on the wire, and back. The messages: proto/mediadb.proto."""

from __future__ import annotations

import uuid
from typing import cast

from mediad import errors
from mediad.wire.display import show_path, show_text
from mediadb_contract import mediadb_pb2 as pb

__all__ = ["CODES", "error_from_wire", "error_to_wire", "show_path", "show_text", "uuid_from_wire", "uuid_to_wire"]

# The enum is closed and its numbers are plain int at run time; the generated stub calls them Code.
CODES: dict[str, pb.Code] = {name.lower(): cast("pb.Code", pb.Code.Value(name)) for name in pb.Code.keys()[1:]}
_NAMES: dict[int, str] = {int(value): name for name, value in CODES.items()}


def error_to_wire(error: errors.MediadError) -> pb.Error:
    """Returns the wire form of an error."""
    return pb.Error(
        code=CODES[error.code],
        message=error.message.encode("utf-8", "backslashreplace").decode("utf-8"),
        input=error.input,
        input_display=show_path(error.input),
        retryable=error.retryable,
        position=error.position,
    )


def error_from_wire(error: pb.Error) -> errors.MediadError:
    """Returns the exception for a wire error, not raised. A code this version does not know is `internal`: the list
    is closed, so only a broken peer sends one."""
    kind = errors.ERRORS.get(_NAMES.get(error.code, ""), errors.Internal)
    raised = kind(error.message, error.input, position=error.position)
    raised.retryable = error.retryable
    return raised


def uuid_to_wire(value: uuid.UUID | None) -> bytes:
    """Returns the 16 bytes of a UUID (RFC 9562, section 4), nothing for None."""
    return value.bytes if value is not None else b""


def uuid_from_wire(data: bytes) -> uuid.UUID | None:
    """Returns the UUID of 16 bytes, None for an empty field.

    Raises InvalidArgument for any other length."""
    if not data:
        return None
    if len(data) != 16:
        raise errors.InvalidArgument(f"an id has 16 bytes, not {len(data)}", data)
    return uuid.UUID(bytes=bytes(data))
