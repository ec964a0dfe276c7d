"""The log: to the journal (with its priorities) or to standard error, one line an event, never a person's data.

A traceback shows where a fault is, without the exception's own text: it may quote a tag or a name.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from types import TracebackType

_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}
# sd-daemon(3): the priorities of syslog(3) in angle brackets.
_PRIORITY = {"DEBUG": "<7>", "INFO": "<6>", "WARNING": "<4>", "ERROR": "<3>", "CRITICAL": "<2>"}


class _Formatter(logging.Formatter):
    def __init__(self, journal: bool) -> None:
        super().__init__("%(message)s" if journal else "%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        facts = " ".join(f"{k}={_show(v)}" for k, v in record.__dict__.items() if k not in _STANDARD)
        line = f"{line} {facts}" if facts else line
        prefix = _PRIORITY.get(record.levelname, "") if self._journal else ""
        return "\n".join(prefix + part for part in line.split("\n"))

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        frames = "".join(traceback.format_tb(ei[2])) if ei[2] is not None else ""
        return f"{frames}{ei[0].__name__ if ei[0] else ''}"


def _show(value: object) -> str:
    text = str(value).replace("\n", " ")
    return f'"{text}"' if " " in text else text


def set_up_logging(level: str) -> None:
    """Sends the log of everything to standard error, in the journal's form when that is what it is connected to."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(journal="JOURNAL_STREAM" in os.environ))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
