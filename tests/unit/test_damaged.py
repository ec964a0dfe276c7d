"""Files that once made a reader stumble: each has a record or a reason now, in every operation."""

from __future__ import annotations

from pathlib import Path

import msgpack
import pytest

from mediad_handlers import media
from mediad_handlers.kit import answer, text
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File

DATA = Path(__file__).parent.parent / "data/damaged"
SAMPLES = sorted(path for path in DATA.iterdir() if path.suffix != ".md")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("op", ["read", "checksum", "text"])
def test_a_record_or_a_reason(path: Path, op: str) -> None:
    with File.open(path) as file:
        try:
            handler = media.choose(file, "")
            if op == "read":
                told = answer.read(handler, file)
            elif op == "checksum":
                told = answer.checksum(handler, file, {"scope": "stream"})
            else:
                told = text.extract(handler, file, text.LIMIT)
        except HandlerError as fault:
            told = {"error": fault.code}
    assert told.get("error", "corrupt") in ("corrupt", "unsupported", "limit")
    msgpack.packb(told, unicode_errors="replace")  # as a worker answers: numbers beyond 64 bits do not fit


def test_there_are_some() -> None:
    assert len(SAMPLES) >= 9
