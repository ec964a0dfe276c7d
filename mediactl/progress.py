"""The line at the foot of a terminal that says how far a request is."""

from __future__ import annotations

import os
import sys
import time

from mediactl.human import describe_progress
from mediactl.model import Progress
from mediactl.terminal import cut
from mediad.wire.display import show_text

REDRAW_SECONDS = 0.1  # more often is flicker, and work
BAR_COLUMNS = 20
RATE_SECONDS = 1.0  # before that a rate is a guess


class ProgressLine:
    """Draws on standard error, over itself. `seen`: the daemon has begun to work on the request."""

    def __init__(self) -> None:
        self.seen = False
        self._drawn = 0.0
        self._begun: tuple[float, int] | None = None  # when bytes began to come, and how many there were

    def show(self, progress: Progress) -> None:
        self.seen = True
        now = time.monotonic()
        if now - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = now
        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80  # a terminal may not know its width
        if self._begun is None and progress.bytes_done:
            self._begun = (now, progress.bytes_done)
        rate = 0.0
        if self._begun is not None and now - self._begun[0] > RATE_SECONDS:
            rate = (progress.bytes_done - self._begun[1]) / (now - self._begun[0])
        line = render_progress(progress, width - 1, rate)  # the last column would wrap on some terminals
        sys.stderr.write("\r\x1b[K" + line)  # ECMA-48: erase to the end of the line
        sys.stderr.flush()

    def clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = 0.0


def render_progress(progress: Progress, width: int, rate: float = 0.0) -> str:
    """Returns the line in at most `width` columns: a bar once the total is known. `rate` in bytes a second."""
    done, total = progress.files_done, progress.files_total
    if progress.stage == "hashing" or (progress.stage == "moving" and progress.bytes_total):
        done, total = progress.bytes_done, progress.bytes_total
    text = show_text(describe_progress(progress, rate))
    if total and width >= BAR_COLUMNS * 3 and progress.stage != "walking":
        part = min(1.0, done / total)
        filled = int(part * BAR_COLUMNS)
        text = f"[{'#' * filled}{'.' * (BAR_COLUMNS - filled)}] {part:4.0%}  {text}"
    return cut(text, width)
