"""The document handler over the sample files: every field, the payload and the words are pinned beside the sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mediad_handlers.document import HANDLER
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.checksum import digest
from mediad_handlers.kit.file import File
from mediad_handlers.kit.fingerprint import fingerprint
from mediadb_contract.fields import check_fields

DATA = Path(__file__).parent.parent / "data/document"
SAMPLES = sorted(path for path in DATA.iterdir() if path.suffix not in (".json", ".md"))


def describe(path: Path) -> dict[str, Any]:
    assert HANDLER.payload is not None and HANDLER.text is not None
    with File.open(path) as file:
        record = HANDLER.read(file)
        assert record.payload is not None
        try:
            words = HANDLER.text(file, 4000).text[:300]
        except HandlerError as fault:
            words = f"{fault.code}: {fault.message}"
        return {
            "kind": record.kind, "format": record.format, "mime_type": record.mime_type, "fields": record.fields,
            "tags": record.tags, "warnings": record.warnings,
            "payload": [record.payload.algorithm, fingerprint(file, record.payload).hex(),
                        digest(file, HANDLER.payload(file), ["sha256"])[0]["sha256"].hex()],
            "text": words,
        }  # fmt: skip


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_is_read_as_expected(path: Path) -> None:
    expected = json.loads((DATA / f"{path.name}.expected.json").read_text("utf-8"))
    assert json.loads(json.dumps(describe(path))) == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_fields_are_of_the_dictionary_and_announced(path: Path) -> None:
    with File.open(path) as file:
        record = HANDLER.read(file)
    kept, problems = check_fields(record.fields)
    assert problems == []
    assert set(kept) == set(record.fields) == set(record.sources)
    assert set(record.fields) <= set(HANDLER.fields)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_cut_anywhere_it_is_a_record_or_a_reason(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    step = max(len(content) // 60, 1)
    codes = set()
    for length in [*range(min(len(content), 64)), *range(64, len(content), step)]:
        cut = tmp_path / path.name
        cut.write_bytes(content[:length])
        with File.open(cut) as file:
            for function in (lambda: HANDLER.read(file), lambda: HANDLER.text and HANDLER.text(file, 1000)):
                try:
                    function()
                except HandlerError as fault:
                    codes.add(fault.code)
    assert codes <= {"corrupt", "unsupported", "limit"}


def test_every_format_has_a_sample() -> None:
    assert len(SAMPLES) >= 14
