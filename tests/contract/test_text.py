"""handlers/README.md, `text` in pieces and `fold`: held by a real worker within its limits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mediadb_contract.fold import fold, tokens
from tests.contract.worker_client import Process

MEDIA = (sys.executable, "-m", "mediad_handlers.media", "--worker")
PIECE_BYTES, MESSAGE_BYTES = 256 * 1024, 1 << 20


def ask(op: str, path: Path, **options: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The pieces, and what ends them."""
    process = Process(MEDIA)
    assert process.answers.next()["contract"] == 1
    process.ask(op, [path], **options)
    assert process.answers.next()["begin"]
    pieces: list[dict[str, Any]] = []
    while "piece" in (message := process.answers.next()):
        pieces.append(message["piece"])
    assert process.finish() == 0
    return pieces, message


def in_order(parts: list[str]) -> list[list[str]]:
    found = []
    for part in parts:
        places = {int(n): w for w, _, each in (one.rpartition(":") for one in part.split()) for n in each.split(",")}
        found.append([places[n] for n in sorted(places)])
    return found


def test_text_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = "Ágætis byrjun, 東京都。\n" * 50_000
    path.write_text(text, "utf-8")
    whole, answer = ask("text", path)
    assert whole == [] and text.startswith(answer["ok"]["text"]) and answer["ok"]["truncated"]
    pieces, answer = ask("text", path, pieces=True, limit=8 << 20)
    assert "".join(piece["text"] for piece in pieces) == text
    assert all(len(piece["text"].encode()) <= PIECE_BYTES for piece in pieces)
    assert (answer["ok"]["bytes"], answer["ok"]["truncated"]) == (len(text.encode()), False)
    assert "text" not in answer["ok"] and answer["ok"]["stat"][1] == path.stat().st_size
    cut, answer = ask("text", path, pieces=True, limit=1000)
    assert answer["ok"]["truncated"] and len(cut[0]["text"].encode()) in range(997, 1001)


def test_words_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = "".join(f"Wörd{n % 7919} steht am Ende im Buch. " for n in range(60_000))
    path.write_text(text, "utf-8")
    for op, options in (("text", {"pieces": True, "words": True, "limit": 8 << 20}), ("fold", {})):
        pieces, answer = ask(op, path, **options)
        parts = in_order([part for piece in pieces for part in piece["words"]])
        whole = parts[0] + [word for part in parts[1:] for word in part[15:]]
        assert whole == tokens(fold(text)), op
        assert answer["ok"]["bytes"] == len(text.encode())


def test_the_most_text_there_can_be_fits_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("東京都は日本の首都である。" * 230_000, "utf-8")
    assert path.stat().st_size > 8 << 20
    for options in ({"pieces": True, "limit": 1 << 40}, {"pieces": True, "words": True, "limit": 1 << 40}):
        pieces, answer = ask("text", path, **options)
        assert answer.get("error") is None, answer
        assert answer["ok"]["truncated"] and (8 << 20) - 4 < answer["ok"]["bytes"] <= 8 << 20 and pieces


def test_what_has_no_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(100))
    assert ask("text", path, pieces=True) == ([], {"id": 1, "i": 0, "error": ask("text", path)[1]["error"]})
    path = tmp_path / "a.txt"
    path.write_bytes(b"x")
    assert ask("text", path, pieces=True, limit=0)[1]["error"]["code"] == "unsupported"
