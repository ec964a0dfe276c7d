"""Paths and texts as people see them. Nothing is imported here: a command shows its answer without protobuf."""

from __future__ import annotations

# What may not reach a terminal from a file's name or tag: C0 and C1 controls (ECMA-48: escape sequences begin with
# them), the line separators, and the characters that reorder what follows them (UAX #9, section 2): embeddings,
# overrides, isolates. The joiners and the plain direction marks stay: names are written with them. Surrogates
# stand for no character (RFC 3629, section 3) and cannot be encoded.
_escapes: dict[int, str] = {}  # made when it is first needed: a cold command mostly shows none of these


def _escape_table() -> dict[int, str]:
    if not _escapes:
        _escapes.update({code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))})
        lines, directions = (0x2028, 0x2029), (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
        _escapes.update({code: f"\\u{code:04x}" for code in (*lines, *directions, *range(0xD800, 0xE000))})
    return _escapes


def show_text(text: str) -> str:
    """Returns `text` with control, reordering and surrogate characters written as escapes. Never raises."""
    return text if text.isprintable() else text.translate(_escape_table())


def show_path(path: bytes) -> str:
    """Returns the display text of a path: UTF-8 as it is, bytes that are not UTF-8 as `\\xff`, control characters as
    `show_text` writes them. For people only: it opens nothing. Never raises."""
    return show_text(path.decode("utf-8", "backslashreplace"))
