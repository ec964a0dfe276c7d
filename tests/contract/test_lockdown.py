"""Locked down, a worker says of every sample what the same code says in the open: nothing is imported, opened or looked
up any more once it serves (reliability: late imports of codecs and plug-ins are the classic)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mediad_handlers import media
from mediad_handlers.kit import answer, text
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File
from tests.contract.worker_client import Process

DATA = Path(__file__).parent.parent / "data"
SAMPLES = sorted(
    path for path in DATA.rglob("*") if path.is_file() and path.suffix not in (".json", ".md", ".py", ".txt.license")
)


def answer_here(op: str, path: Path) -> dict[str, Any]:
    """What this process says, which may import what it likes."""
    with File(os.open(path, os.O_RDONLY | os.O_CLOEXEC), os.fsencode(path.name), own=True) as file:
        try:
            handler = media.choose(file, "")
            if op == "text":
                return {"ok": text.extract(handler, file, text.LIMIT)}
            if op == "checksum":
                return {"ok": answer.checksum(handler, file, {"scope": "stream", "algorithms": ["sha256"]})}
            return {"ok": answer.read(handler, file)}
        except HandlerError as fault:
            return {"error": {"code": fault.code, "message": fault.message}}


@pytest.mark.parametrize("op", ["read", "text", "checksum"])
def test_every_sample_is_answered_as_in_the_open(op: str) -> None:
    differ = []
    options = {"scope": "stream", "algorithms": ["sha256"]} if op == "checksum" else {}
    with Process([sys.executable, "-m", "mediad_handlers.media", "--worker"]) as worker:
        assert "rlimits=1" in worker.answers.next()["sandbox"]
        for number, path in enumerate(SAMPLES, 1):
            worker.ask(op, [path], number=number, **options)
            assert worker.answers.next() == {"id": number, "i": 0, "begin": True}
            told = worker.answers.next()
            while told is not None and "progress" in told:
                told = worker.answers.next()
            assert told is not None, f"{path.name}: the worker died"
            here = answer_here(op, path)
            if told.get("ok") != here.get("ok") or told.get("error", {}).get("code") != here.get("error", {}).get(
                "code"
            ):
                differ.append((path.name, told.get("error"), here.get("error")))
        assert worker.finish() == 0
    assert differ == []
