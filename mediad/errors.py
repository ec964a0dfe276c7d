"""The closed list of error codes, one class a code. The same names, upper case, are `Code` in proto/mediadb.proto.

Every error names the input it is about. A layer raises these or lets its own fault pass through; only
`mediad.dispatch` turns them into wire errors, and what is none of these is `internal` there, and logged.
"""

from __future__ import annotations


class MediadError(Exception):
    """Base of all errors a client may see.

    `message` is one sentence for a person; `input` is what it is about, as given (a path stays bytes);
    `position` counts characters into a query text."""

    code = "internal"
    retryable = False

    def __init__(self, message: str, input: bytes | str = b"", *, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.input = input.encode("utf-8", "surrogateescape") if isinstance(input, str) else input
        self.position = position

    @property
    def for_log(self) -> str:
        """Code and sentence without the input: a log holds nobody's file names."""
        return f"{self.code}: {self.message}"

    def __str__(self) -> str:
        shown = self.input.decode("utf-8", "replace")
        return f"{self.code}: {self.message}" + (f" ({shown})" if shown else "")


class InvalidArgument(MediadError):
    code = "invalid_argument"


class ProtocolError(MediadError):
    code = "protocol_error"


class LimitExceeded(MediadError):
    code = "limit_exceeded"


class PermissionDenied(MediadError):
    code = "permission_denied"


class NotFound(MediadError):
    code = "not_found"


class AlreadyExists(MediadError):
    code = "already_exists"


class Conflict(MediadError):
    code = "conflict"
    retryable = True


class Unsupported(MediadError):
    code = "unsupported"


class Corrupt(MediadError):
    code = "corrupt"


class InputOutputError(MediadError):
    code = "io_error"
    retryable = True


class QuerySyntax(MediadError):
    code = "query_syntax"


class StaleCursor(MediadError):
    code = "stale_cursor"


class Unavailable(MediadError):
    code = "unavailable"
    retryable = True


class DeadlineExceeded(MediadError):
    code = "deadline_exceeded"
    retryable = True


class Cancelled(MediadError):
    code = "cancelled"


class ShuttingDown(MediadError):
    code = "shutting_down"
    retryable = True


class DiskFull(MediadError):
    code = "disk_full"
    retryable = True


class Poison(MediadError):
    code = "poison"


class Internal(MediadError):
    code = "internal"


ERRORS: dict[str, type[MediadError]] = {
    cls.code: cls
    for cls in (
        InvalidArgument, ProtocolError, LimitExceeded, PermissionDenied, NotFound, AlreadyExists, Conflict, Unsupported,
        Corrupt, InputOutputError, QuerySyntax, StaleCursor, Unavailable, DeadlineExceeded, Cancelled, ShuttingDown,
        DiskFull, Poison, Internal,
    )
}  # fmt: skip
