"""Errors, paths and ids as they are on the wire, and back. The messages: proto/mediadb.proto."""

from __future__ import annotations

import uuid
from typing import cast

from mediad import errors
from mediadb_contract import mediadb_pb2 as pb

# The enum is closed and its numbers are plain int at run time; the generated stub calls them Code.
CODES: dict[str, pb.Code] = {name.lower(): cast("pb.Code", pb.Code.Value(name)) for name in pb.Code.keys()[1:]}
_NAMES: dict[int, str] = {int(value): name for name, value in CODES.items()}

# What may not reach a terminal from a file's name or tag: C0 and C1 controls (ECMA-48: escape sequences begin with
# them), the line separators, and the characters that reorder what follows them (UAX #9, section 2): embeddings,
# overrides, isolates. The joiners and the plain direction marks stay: names are written with them. Surrogates
# stand for no character (RFC 3629, section 3) and cannot be encoded.
_ESCAPES: dict[int, str] = {
    **{code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))},
    **{code: f"\\u{code:04x}" for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    **{code: f"\\u{code:04x}" for code in range(0xD800, 0xE000)},
}


def show_text(text: str) -> str:
    """Returns `text` with control, reordering and surrogate characters written as escapes. Never raises."""
    return text if text.isprintable() else text.translate(_ESCAPES)


def show_path(path: bytes) -> str:
    """Returns the display text of a path: UTF-8 as it is, bytes that are not UTF-8 as `\\xff`, control characters as
    `show_text` writes them. For people only: it opens nothing. Never raises."""
    return show_text(path.decode("utf-8", "backslashreplace"))


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
