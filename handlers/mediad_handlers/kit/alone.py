"""A handler run by hand: files in, records out, without a daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit import answer
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File
from mediad_handlers.kit.output import writer
from mediad_handlers.kit.sniff import recognise

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler


def read_files(choose: Callable[[File, str], Handler], options: Any) -> int:
    """Prints one record a file; a file that fails is named on standard error as `path: code: message`, and in the
    formats for programs also as {"path", "error"}. Returns 1 when one failed, else 0."""

    def read(file: File) -> dict[str, Any]:
        return compose(choose(file, ""), file, options.no_checksum, options.only_checksum)

    return _each_file(options, read)


def print_texts(choose: Callable[[File, str], Handler], options: Any) -> int:
    """Prints the words of each file. Returns 1 when one failed, else 0."""
    from mediad_handlers.kit import text

    def words(file: File) -> dict[str, Any]:
        found = text.extract(choose(file, ""), file, options.text_limit)
        if found["truncated"]:
            print(f"{_shown(file.name)}: cut after {options.text_limit} bytes of text", file=sys.stderr)
        del found["stat"]
        return found

    return _each_file(options, words)


def claim_files(handlers: tuple[Handler, ...], options: Any) -> int:
    """Says of each file whether one of these handlers takes it, and as what. Returns 0 when all are taken, else 1."""
    missed = False

    def claim(file: File) -> dict[str, Any]:
        nonlocal missed
        handler = next((one for one in handlers if can_handle(one, file)), None)
        if handler is None:
            missed = True
            return {"can_handle": False}
        found = recognise(file)
        told: dict[str, Any] = {"can_handle": True, "handler": handler.name}
        if found is not None:
            told.update(kind=found.kind, format=found.format, mime_type=found.mime_type)
        return told

    failed = _each_file(options, claim)
    return 1 if missed else failed


def can_handle(handler: Handler, file: File) -> bool:
    """Whether this is a file for `handler`: one without any match takes all; content that is known decides for a
    built-in handler's name, then the handler's own magic, then its extensions. Raises HandlerError `io`."""
    match = handler.match
    if not (match.magic or match.extensions or match.mime_types):
        return True
    found = recognise(file)
    if found is not None and found.handler == handler.name:
        return True
    head = file.head
    if any(head.startswith(magic, offset) for offset, magic in match.magic):
        return found is None or found.handler in ("file", handler.name) or found.mime_type in match.mime_types
    return found is None and file.extension in match.extensions


def _each_file(options: Any, work: Callable[[File], dict[str, Any]]) -> int:
    """`work` for every file; its result is printed. This is the outermost boundary of one file."""
    write = writer(options.output_format)
    failed = False
    for given in options.files:
        path = os.fsencode(given)
        try:
            with File.from_stdin() if given == "-" else File.open(path) as file:
                record = work(file)
        except HandlerError as fault:
            failed = True
            _report(write, options.output_format, path, fault)
        except Exception as fault:  # noqa: BLE001 - a bug in a handler costs this file, not the ones behind it
            failed = True
            _report(write, options.output_format, path, HandlerError("internal", f"{type(fault).__name__}: {fault}"))
        else:
            write(path, record)
    return 1 if failed else 0


def _report(
    write: Callable[[bytes, dict[str, Any]], None], output_format: str, path: bytes, fault: HandlerError
) -> None:
    print(f"{_shown(path)}: {fault.code}: {fault.message}", file=sys.stderr)
    if output_format != "human":
        write(path, {"error": {"code": fault.code, "message": fault.message}})


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "replace")


def compose(handler: Handler, file: File, no_checksum: bool, only_checksum: bool) -> dict[str, Any]:
    """A record for a person or a program: the contract's answer, its fields checked against the dictionary, and
    `checksums` unless they are not wanted. Raises HandlerError."""
    from mediadb_contract.fields import check_fields

    record: dict[str, Any] = {}
    if not only_checksum:
        record = answer.read(handler, file)
        record["fields"], problems = check_fields(record["fields"])
        record["warnings"] = record["warnings"] + problems
    if not no_checksum:
        add_checksums(record, handler, file)
    return record


def add_checksums(record: dict[str, Any], handler: Handler, file: File) -> None:
    """Puts `checksums` into the record, under their names in the dictionary: md5sum sha1sum sha256sum of the file,
    stream_md5 and stream_sha256 of the payload where the handler knows one; and `tracks`, the digests of each track,
    where the format has them."""
    digests = answer.checksum(handler, file, {"scope": "file"})["digests"]
    found = {f"{name}sum": value for name, value in digests.items()}
    if handler.payload is not None:
        try:
            stream = answer.checksum(handler, file, {"scope": "stream", "algorithms": ["md5", "sha256"]})
        except HandlerError as fault:
            if fault.code != "unsupported":  # a format without a stream of its own has no such digests
                raise
        else:
            found.update({f"stream_{name}": value for name, value in stream["digests"].items()})
            if stream.get("tracks"):
                record["tracks"] = stream["tracks"]
    record["checksums"] = found
