"""Adobe Reader's document properties (vocabulary section 9): every line of the dialogue is one of our names."""

from __future__ import annotations

from pathlib import Path

from mediad_handlers import handle
from tests.unit.test_document_readers import build_pdf


def test_everything_that_adobe_reader_shows(tmp_path: Path) -> None:
    info = (
        "<</Title(T)/Author(A)/Subject(S)/Keywords(K1, K2)/Creator(Word)/Producer(Lib)/CreationDate(D:20200102030405Z)"
        "/ModDate(D:20210102030405Z)/Trapped/True/Department(Sales)>>"
    )
    path = tmp_path / "a.pdf"
    content = build_pdf(info, extra="/MarkInfo<</Marked true>>/Lang(en-GB)/Version/1.7")
    path.write_bytes(
        content.replace(b"%PDF-1.4\n", b"%PDF-1.4\n%/Linearized\n", 1).replace(b"startxref", b" startxref")
    )
    found = handle(path)
    wanted = {
        "title": "T", "creators": ["A"], "subject": "S", "keywords": ["K1", "K2"], "software": "Word",
        "producer": "Lib",
        "date_created_at": 1577934245.0, "date_modified_at": 1609556645.0, "format_version": "1.7", "page_count": 1,
        "page_width": 209.9, "page_height": 297.0, "tagged": True, "linearized": True, "trapped": "true",
        "languages": ["en-GB"],
    }  # fmt: skip
    assert {name: found.fields.get(name) for name in wanted} == wanted
    assert found.tags["PDF:Department"] == ["Sales"]  # Custom
