"""Pictures inside a file, collected while a reader passes them: for the operation `preview`.

Readers say what pictures a file has (the field `pictures`) and keep none. Whoever wants one reads the file once more
within `collect()`, so that what is shown is what `pictures` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

MAX_BYTES = 48 * 1024 * 1024  # of all pictures of one file that are kept


@dataclass(frozen=True, slots=True)
class Inside:
    """A picture in a file: its bytes, or where they lie (`offset`, `length`, in bytes). `type` is a word of the field
    `pictures`; `width`, `height` in pixels, 0 where nobody said."""

    type: str
    data: bytes = b""
    offset: int = 0
    length: int = 0
    width: int = 0
    height: int = 0


_collected: ContextVar[list[Inside] | None] = ContextVar("pictures", default=None)


@contextmanager
def collect() -> Iterator[list[Inside]]:
    """What readers find within, in the order of the file."""
    found: list[Inside] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def wanted() -> bool:
    """Whether somebody collects: readers that skip a picture's bytes fetch them then."""
    return _collected.get() is not None


def keep(picture: Inside) -> None:
    """Keeps a picture for whoever collects; beyond MAX_BYTES nothing more is kept."""
    kept = _collected.get()
    if kept is not None and sum(len(one.data) for one in kept) + len(picture.data) <= MAX_BYTES:
        kept.append(picture)
