"""Records as a person, a program or a pipe wants them: human, JSON, msgpack (protobuf: kit.protobuf)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO


def writer(output_format: str) -> Callable[[bytes, dict[str, Any]], None]:
    """The function that prints one file's record, (path, record), in this format on standard output."""
    out = sys.stdout.buffer
    if output_format == "msgpack":
        import msgpack

        pack = msgpack.Packer(unicode_errors="replace").pack
        return lambda path, record: _print(out, pack({"path": path, **record}))
    if output_format == "protobuf":
        from mediad_handlers.kit.protobuf import frame

        return lambda path, record: _print(out, frame(path, record))
    form = format_json if output_format == "json" else format_human
    return lambda path, record: _print(out, form(path, record).encode("utf-8", "replace") + b"\n")


def _print(out: BinaryIO, data: bytes) -> None:
    out.write(data)
    out.flush()  # so that what is printed and what is told on standard error come in order


def to_plain(value: Any) -> Any:
    """`value` with bytes as hexadecimal text, for JSON; everything else as it is."""
    if type(value) is dict:
        return {key: to_plain(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return [to_plain(one) for one in value]
    return value.hex() if type(value) is bytes else value


def format_json(path: bytes, answer: dict[str, Any]) -> str:
    """One line. Times are unix seconds, digests and keys hexadecimal. A path that is not UTF-8 has its bytes beside it
    in `path_raw` (hexadecimal)."""
    named: dict[str, Any] = {"path": path.decode("utf-8", "replace")}
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        named["path_raw"] = path.hex()
    text = json.dumps({**named, **to_plain(answer)}, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode("utf-8")


_CLAIM = ("handler", "format", "mime_type")


def format_human(path: bytes, answer: dict[str, Any]) -> str:
    """A heading, then a line a value: fields, checksums, tags; dates as a person reads them. Of an answer to --text the
    words alone, of one to --can-handle one line."""
    if "text" in answer:
        return _printable(answer["text"].rstrip("\n"))
    lines = [f"{os.fsdecode(path).encode('utf-8', 'replace').decode()}"]
    if "can_handle" in answer:
        lines[0] += ": " + (", ".join(str(answer[one]) for one in _CLAIM if one in answer) or "no")
        return _printable(lines[0])
    rows: list[tuple[str, str]] = [(name, str(answer[name])) for name in ("kind", "format") if name in answer]
    for name, value in answer.get("fields", {}).items():
        rows.append((name, _show(name, value)))
    for name, value in answer.get("checksums", {}).items():
        rows.append((name, value.hex() if type(value) is bytes else str(value)))
    for track in answer.get("tracks", []):
        for name, value in track["digests"].items():
            rows.append((f"track {track['number']} {track['codec']} {name}", value.hex()))
    for grade, algorithm, value in answer.get("keys", []):
        rows.append((f"{grade} {algorithm}", value.hex()))
    for name, value in answer.get("tags", {}).items():
        rows.append((name, _show(name, value)))
    rows.extend(("warning", text) for text in answer.get("warnings", []))
    width = max((len(name) for name, _ in rows), default=0)
    lines.extend(f"  {name:<{width}}  {value}" for name, value in rows)
    return _printable("\n".join(lines))


def _show(name: str, value: Any) -> str:
    from mediadb_contract.fields import FIELDS

    field = FIELDS.get(name)
    if type(value) is list:
        return "; ".join(_show(name, one) for one in value)
    if type(value) is dict:
        return ", ".join(f"{key} {_show(key, one)}" for key, one in value.items())
    if type(value) is bool:
        return "yes" if value else "no"
    if field is None:
        return str(value)
    if field.type == "time":
        return _show_time(value)
    if name == "duration":
        return _show_duration(value)
    text = f"{value:.6g}" if type(value) is float else str(value)
    return f"{text} {field.unit}" if field.unit and field.type in ("number", "integer") else text


def _show_time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%a %d %b %Y %H:%M:%S %Z")
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s"


def _show_duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:06.3f}" if hours else f"{minutes}:{rest:06.3f}"


def _printable(text: str) -> str:
    """Without control characters, so that a file's tags cannot steer the terminal; line ends stay, indented."""
    shown = (one if one == "\n" or one.isprintable() else "\ufffd" for one in text.replace("\r\n", "\n"))
    return "".join(shown)
