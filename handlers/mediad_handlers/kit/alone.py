"""A handler run by hand: files in, records out, without a daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit import answer
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler


def read_files(choose: Callable[[File, str], Handler], options: Any) -> int:
    """Prints one record a file; a file that fails is named on standard error as `path: code: message`, and in JSON and
    msgpack also as {"path", "error"}. Returns 1 when one failed, else 0."""
    write = _writer(options.output_format)
    failed = False
    for given in options.files:
        path = os.fsencode(given)
        try:
            record = _read_file(choose, given, path, options)
        except HandlerError as fault:
            failed = True
            shown = path.decode("utf-8", "replace")
            print(f"{shown}: {fault.code}: {fault.message}", file=sys.stderr)
            if options.output_format != "human":
                write(path, {"error": {"code": fault.code, "message": fault.message}})
        else:
            write(path, record)
    return 1 if failed else 0


def _read_file(choose: Callable[[File, str], Handler], given: str, path: bytes, options: Any) -> dict[str, Any]:
    """One file's record. Raises HandlerError only: this is the outermost boundary of one file."""
    try:
        with File.from_stdin() if given == "-" else File.open(path) as file:
            return compose(choose(file, ""), file, options.no_checksum, options.only_checksum)
    except HandlerError:
        raise
    except Exception as fault:
        raise HandlerError("internal", f"{type(fault).__name__}: {fault}") from fault


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
        record["checksums"] = checksums(handler, file)
    return record


def checksums(handler: Handler, file: File) -> dict[str, bytes]:
    """The digests under their names in the dictionary: md5sum sha1sum sha256sum of the file; stream_md5 and
    stream_sha256 of the payload where the handler knows one."""
    digests = answer.checksum(handler, file, {"scope": "file"})["digests"]
    found = {f"{name}sum": value for name, value in digests.items()}
    if handler.payload is not None:
        try:
            stream = answer.checksum(handler, file, {"scope": "stream", "algorithms": ["md5", "sha256"]})["digests"]
        except HandlerError as fault:
            if fault.code != "unsupported":  # a format without a stream of its own has no such digests
                raise
        else:
            found.update({f"stream_{name}": value for name, value in stream.items()})
    return found


def _writer(output_format: str) -> Callable[[bytes, dict[str, Any]], None]:
    from mediad_handlers.kit import output

    if output_format == "msgpack":
        import msgpack

        pack = msgpack.Packer(unicode_errors="replace").pack
        out = sys.stdout.buffer

        def write(path: bytes, record: dict[str, Any]) -> None:
            out.write(pack({"path": path, **record}))

        return write
    form = output.format_json if output_format == "json" else output.format_human

    def show(path: bytes, record: dict[str, Any]) -> None:
        sys.stdout.buffer.write(form(path, record).encode("utf-8", "replace") + b"\n")

    return show
