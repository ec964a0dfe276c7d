"""A stream for libraries that read headers without limits of their own: it ends the reading, not the worker."""

from __future__ import annotations

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File, Stream

READ_CALLS = 1 << 17  # read calls: a parser that walks byte by byte in circles ends in well under a second


class BudgetStream(Stream):
    """A `Stream` that gives at most `budget` bytes in at most READ_CALLS reads, repeated ones counted again.

    Raises HandlerError `limit` from `read` beyond either: pread alone does not count what comes from the buffer, and
    a loop over the buffer is what a broken file makes of a trusting parser."""

    def __init__(self, file: File, budget: int) -> None:
        super().__init__(file)
        self._budget = budget
        self._calls = READ_CALLS

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self._calls -= 1
        self._budget -= len(data)
        if self._budget < 0 or self._calls < 0:
            raise HandlerError("limit", "the header is longer than is read of one file")
        return data
