from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from mediad.errors import InvalidArgument
from mediad.store.queries import QueryFileError, load
from mediad.store.values import MAX_PARAMETERS, Array, encode

GOOD = """-- Statements about files.

-- name: get_file
-- One file
-- by its number.
SELECT name  -- bytes
FROM file WHERE id = $1;

-- name: drop_file
-- Forget one.
DELETE FROM file WHERE id = $1
"""


def test_statements_are_read_with_comment_and_source(tmp_path: Path) -> None:
    (tmp_path / "file.sql").write_text(GOOD)
    (tmp_path / "dir.sql").write_text("-- name: all_dirs\n-- Every one.\nSELECT 1;\n")
    (tmp_path / "README").write_text("not SQL")
    statements = load(tmp_path)
    assert list(statements) == ["all_dirs", "get_file", "drop_file"]
    got = statements["get_file"]
    assert got.sql == "SELECT name  -- bytes\nFROM file WHERE id = $1"
    assert got.comment == "One file\nby its number."
    assert got.source == "file.sql:3"


def test_a_statement_by_key_says_so_behind_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("-- name: a, by key\n-- Why.\nSELECT 1;\n-- name: b\n-- Why.\nSELECT 2;\n")
    assert [(s.name, s.keyed) for s in load(tmp_path).values()] == [("a", True), ("b", False)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("-- name: a\nSELECT 1;\n", "no comment"),
        ("-- name: a\n-- Why.\n\n;\n", "no SQL"),
        ("-- name: a\n-- Why.\n\n  -- nothing\n", "no SQL"),
        ("-- name: a b\n-- Why.\nSELECT 1\n", "no name"),
        ("-- name:\n-- Why.\nSELECT 1\n", "no name"),
        ("SELECT 1;\n-- name: a\n-- Why.\nSELECT 1\n", "before the first"),
        ("-- name: a\n-- Why.\nSELECT 1;\n-- name: a\n-- Why.\nSELECT 2;\n", "there already, at x.sql:1"),
        ("-- only a comment\n", "no statements"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "x.sql").write_text(text)
    with pytest.raises(QueryFileError, match=complaint):
        load(tmp_path)


def test_a_name_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.sql", "b.sql"):
        (tmp_path / name).write_text("-- name: same\n-- Why.\nSELECT 1\n")
    with pytest.raises(QueryFileError, match=r"b\.sql:1.*at a\.sql:1"):
        load(tmp_path)


def test_parameters() -> None:
    number = UUID("0190a000-0000-7000-8000-000000000001")
    values, formats, size = encode([None, b"\0\xff", "é", True, False, -5, 0.1, number, {"ä": [1, None]}, [1, "x"]])
    assert values == [
        None, b"\0\xff", b"\xc3\xa9", b"t", b"f", b"-5", b"0.1", str(number).encode(), b'{"\xc3\xa4":[1,null]}',
        b'[1,"x"]',
    ]  # fmt: skip
    assert formats == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert size == sum(len(value) for value in values if value is not None)
    assert encode([Array([1, None, 'a"\\', b"\0"])])[0] == [b'{"1",NULL,"a\\"\\\\","\\\\x00"}']


def test_parameters_that_would_be_cut_or_refused() -> None:
    with pytest.raises(InvalidArgument, match="NUL"):
        encode(["a\0b"])
    with pytest.raises(InvalidArgument, match="65536 parameters"):
        encode([1] * (MAX_PARAMETERS + 1))
    with pytest.raises(TypeError, match="complex"):
        encode([1j])  # type: ignore[list-item]
    with pytest.raises(UnicodeEncodeError):
        encode(["\udcff"])
