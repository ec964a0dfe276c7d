"""A query's items as a table for people. What it imports costs nothing: a cold `mediactl query` lives here."""

from __future__ import annotations

from mediactl.terminal import Column, Table
from mediactl.wording import say_duration, say_size
from mediad.wire.display import show_path

TYPE_CHECKING = False  # typing's own would cost a cold command 2 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediactl import model, quick

TABLE_ROWS = 100  # by so many rows the columns of a table are laid out


def item_table(width: int | None) -> Table:
    """The usual table of items."""
    columns = [
        Column("KIND"), Column("TITLE", weight=3), Column("LENGTH", right=True), Column("SIZE", right=True),
        Column("DATE"), Column("PATH", weight=4, tail=True),
    ]  # fmt: skip
    return Table(columns, width)


def item_row(item: model.Item | quick.Item) -> list[str]:
    """The cells of an item: kind, title, length, size, date, path."""
    entry = item.files[0] if item.files else None
    title = " – ".join(part for part in (item.artist, item.title) if part)
    if item.duration:
        length = say_duration(item.duration)
    else:
        length = f"{item.width}×{item.height}" if item.width and item.height else ""
    more = f" (+{len(item.files) - 1})" if len(item.files) > 1 else ""
    return [
        item.format or item.kind, title, length, say_size(entry.size) if entry else "", (item.date or "")[:10],
        (say_path(entry) + more) if entry else str(item.id),
    ]  # fmt: skip


def say_path(entry: model.FileEntry | quick.File) -> str:
    """A file's path, or that there is none here."""
    return entry.path_display or show_path(entry.path) or "(not mounted here)"


class ItemLines:
    """The lines of a query's items, batch by batch."""

    def __init__(self, width: int | None) -> None:
        self._table = item_table(width)

    def add(self, items: Sequence[model.Item] | Sequence[quick.Item]) -> list[str]:
        """The lines of the next items; before the first ones the headings."""
        return self._table.lines([item_row(item) for item in items])
