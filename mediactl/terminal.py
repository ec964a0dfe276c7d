"""Text on a terminal: how wide it is, how it is cut, how columns stand. Nothing here knows what is shown."""

from __future__ import annotations

import os
import sys

from mediad.wire.display import show_text

TYPE_CHECKING = False  # typing's own would cost a cold command 2 ms
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

ELLIPSIS = "…"
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
_RIGHT_TO_LEFT = ("R", "AL", "AN")


def measure(text: str) -> int:
    """Returns the columns that `text` takes: 2 for wide characters and emoji (UAX #11), 0 for marks and format
    characters, and for what a zero-width joiner joins to the emoji before it."""
    if text.isascii():
        return len(text)
    import unicodedata  # most names need none of it

    columns, joined, last = 0, False, 0
    for char in text:
        if joined:
            joined = char == _JOINER
            continue
        if char == _EMOJI_STYLE and last == 1:
            columns, last = columns + 1, 2
            continue
        joined = char == _JOINER
        if unicodedata.category(char) in ("Mn", "Me", "Cf"):
            continue
        last = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        columns += last
    return columns


def cut(text: str, columns: int, *, tail: bool = False) -> str:
    """Returns `text` in at most `columns`, an ellipsis where something is missing: at the end, or with `tail` at the
    beginning (a path is known by its end)."""
    if measure(text) <= columns:
        return text
    if columns < 1:
        return ""
    low, high = 0, len(text)
    while low < high:  # the longest piece that fits beside the ellipsis
        middle = (low + high + 1) // 2
        piece = text[-middle:] if tail else text[:middle]
        low, high = (middle, high) if measure(piece) < columns else (low, middle - 1)
    if not tail:
        return text[:low] + ELLIPSIS
    import unicodedata

    piece = text[len(text) - low :]
    while piece and unicodedata.category(piece[0]) in ("Mn", "Me", "Cf"):
        piece = piece[1:]  # a mark without its letter would stand on the ellipsis
    return ELLIPSIS + piece


def isolate(text: str) -> str:
    """Returns `text` wrapped so that its direction does not reorder what stands beside it (UAX #9, section 2.4.2).
    Only text that needs it is touched."""
    if text.isascii():
        return text
    import unicodedata

    if not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text):
        return text
    return FIRST_STRONG_ISOLATE + text + POP_ISOLATE


def prepare_streams(encoding: str | None = None) -> int | None:
    """Lets standard output and error write what their encoding (`encoding`; None: as it is) lacks as an escape; in JSON
    `\\udc80` is that very character's escape. Returns the columns of the terminal, None where output is none."""
    streams: tuple[TextIO, ...] = (sys.stdout, sys.stderr)
    for stream in streams:
        stream.reconfigure(encoding=encoding, errors="backslashreplace")  # type: ignore[attr-defined]
    return (os.get_terminal_size(sys.stdout.fileno()).columns or 80) if sys.stdout.isatty() else None


class Column:
    """A column of a table. `weight`: its share of what must be cut, 0: it is never cut; `right`: numbers;
    `tail`: cut at the beginning."""

    __slots__ = ("heading", "right", "tail", "weight")

    def __init__(self, heading: str, *, weight: int = 0, right: bool = False, tail: bool = False) -> None:
        self.heading = heading
        self.weight = weight
        self.right = right
        self.tail = tail


LEAST_COLUMNS = 8  # a column that is cut keeps at least so many
GAP = "  "


class Table:
    """Rows as lines. The widths are settled by the first batch of rows, so that the rest can stream."""

    def __init__(self, columns: Sequence[Column], width: int | None) -> None:
        self.columns = columns
        self.width = width  # of the terminal; None: nothing is cut
        self._widths: list[int] = []

    def lines(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """Returns a line a row; before the first ones the headings."""
        shown = [[show_text(cell) for cell in row] for row in rows]
        found: list[str] = []
        if not self._widths:
            headings = [column.heading for column in self.columns]
            sizes = [[measure(cell) for cell in row] for row in (headings, *shown)]
            self._widths = self._fit([max(column) for column in zip(*sizes, strict=True)])
            found.append(self._line(headings))
        return found + [self._line(row) for row in shown]

    def _fit(self, widths: list[int]) -> list[int]:
        if self.width is None:
            return widths
        over = sum(widths) + len(GAP) * (len(widths) - 1) - self.width
        while over > 0:
            # The widest column, by its weight, gives way first.
            able = [i for i, column in enumerate(self.columns) if column.weight and widths[i] > LEAST_COLUMNS]
            if not able:
                break
            widest = max(able, key=lambda i: widths[i] / self.columns[i].weight)
            widths[widest] -= 1
            over -= 1
        return widths

    def _line(self, row: Sequence[str]) -> str:
        cells = []
        last = len(row) - 1
        for i, (cell, column, width) in enumerate(zip(row, self.columns, self._widths, strict=True)):
            piece = cut(cell, width, tail=column.tail) if self.width is not None else cell
            pad = " " * (width - measure(piece))
            if self.width is not None:
                piece = isolate(piece)
            cells.append(pad + piece if column.right else piece if i == last else piece + pad)
        line = GAP.join(cells).rstrip()
        # Columns that cannot be cut may still be too wide for a very narrow terminal.
        return line if self.width is None or measure(line) <= self.width else cut(line, self.width)
