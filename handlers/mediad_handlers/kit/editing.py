"""Edits: `--set`, `--add`, `--remove` of a handler run by hand, and the operation `write` of a worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit import answer
from mediad_handlers.kit.api import Edit, HandlerError
from mediad_handlers.kit.file import File

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler

USAGE = 2  # exit status of a call that makes no sense
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


def write(handler: Handler, file: File, options: Mapping[str, Any], target: int) -> dict[str, Any]:
    """The answer to `write` (handlers/README.md): the edited file stands in the descriptor `target`. Raises
    HandlerError; `unsupported` for an edit that is none."""
    given = options.get("edit")
    if not isinstance(given, dict) or not all(isinstance(given.get(key, {}), dict) for key in ("set", "add", "remove")):
        raise HandlerError("unsupported", "write takes an edit: maps set, add, remove")
    edit = Edit(given.get("set", {}), given.get("add", {}), given.get("remove", {}))
    warnings = _writer(handler)(file, edit, target)
    return {
        "handler": handler.name,
        "handler_version": handler.version,
        "warnings": warnings,
        "bytes": os.fstat(target).st_size,
        "stat": list(file.stat()),
    }


def _writer(handler: Handler) -> Callable[[File, Edit, int], list[str]]:
    if handler.write is None:
        raise HandlerError("unsupported", f"the {handler.name} handler writes nothing: use --sidecar")
    return handler.write


def edit_files(choose: Callable[[File, str], Handler], options: Any) -> int:
    """Edits each file; a failure is named on standard error as `path: code: message`. Returns 0, 1 when one failed,
    USAGE for an edit that names no field or a value of the wrong type."""
    try:
        edit = parse_edit(options.set, options.add, options.remove)
    except ValueError as fault:
        print(fault, file=sys.stderr)
        return USAGE
    failed = False
    for given in options.files:
        path = os.fsencode(given)
        try:
            if given == "-":
                raise HandlerError("unsupported", "standard input cannot be edited")
            warnings = (
                _edit_sidecar(choose, path, edit, options) if options.sidecar else _edit(choose, path, edit, options)
            )
        except HandlerError as fault:
            failed = True
            print(f"{path.decode('utf-8', 'replace')}: {fault.code}: {fault.message}", file=sys.stderr)
        else:
            for warning in warnings:
                print(f"{path.decode('utf-8', 'replace')}: {warning}", file=sys.stderr)
    return 1 if failed else 0


def parse_edit(given: list[str], added: list[str], removed: list[str]) -> Edit:
    """The edit of a command line: NAME=VALUE, a plural field once for each value. Raises ValueError naming the
    argument."""
    sets: dict[str, Any] = {}
    adds: dict[str, list[Any]] = {}
    removes: dict[str, list[Any]] = {}
    for text in given:
        name, value, plural = _split(text)
        if plural:
            sets.setdefault(name, []).append(value)
        else:
            sets[name] = value
    for text in added:
        name, value, plural = _split(text)
        if not plural:
            raise ValueError(f"--add {text}: {name} has one value: --set")
        adds.setdefault(name, []).append(value)
    for text in removed:
        if "=" in text:
            name, value, _ = _split(text)
            removes.setdefault(name, []).append(value)
        else:
            _field(text, text)
            removes[text] = []
    return Edit(sets, adds, removes)


def _field(name: str, text: str) -> Any:
    from mediadb_contract.fields import FIELDS

    if name not in FIELDS:
        raise ValueError(f"{text}: there is no field {name!r} (--describe lists them)")
    return FIELDS[name]


def _split(text: str) -> tuple[str, Any, bool]:
    """(name, value in the field's type, plural)."""
    name, equals, written = text.partition("=")
    field = _field(name, text)
    if not equals or not written:
        raise ValueError(f"{text}: NAME=VALUE; --remove NAME takes a field away")
    value: Any = written
    try:
        if field.type == "integer":
            value = int(written)
        elif field.type in ("number", "time"):
            value = float(written)
        elif field.type == "boolean":
            if written.lower() not in _YES + _NO:
                raise ValueError
            value = written.lower() in _YES
        elif field.type == "record":
            raise ValueError
    except ValueError:
        raise ValueError(f"{text}: {name} takes {'no text' if field.type == 'record' else field.type}") from None
    return name, value, field.plural


def _edit(choose: Callable[[File, str], Handler], path: bytes, edit: Edit, options: Any) -> list[str]:
    """One file, replaced by its edited copy when the copy's payload is the file's."""
    from mediad_handlers.kit.replace import replace_file

    def write_copy(file: File, target: int) -> list[str]:
        return _writer(choose(file, ""))(file, edit, target)

    def verify(file: File, copied: File) -> None:
        handler = choose(file, "")
        if choose(copied, "").name != handler.name:
            raise HandlerError("internal", "the copy is of another kind: nothing was changed")
        answer.read(handler, copied)
        if _seal(handler, copied) != _seal(handler, file):
            raise HandlerError("internal", "the payload of the copy is not that of the file: nothing was changed")

    return replace_file(
        path, write_copy, verify, break_links=options.break_links, preserve_mtime=options.preserve_mtime
    )


def _seal(handler: Handler, file: File) -> tuple[str, bytes, list[list[Any]]] | None:
    """(algorithm, SHA-256, keys of the tracks) of the payload: the tables that say where the tracks lie must still be
    right. None for a side file, which is nothing but tags."""
    try:
        found = answer.checksum(handler, file, {"scope": "stream", "algorithms": ["sha256"]})
    except HandlerError as fault:
        if fault.code == "unsupported":
            return None
        raise
    return found["algorithm"], found["digests"]["sha256"], found["keys"]


def _edit_sidecar(choose: Callable[[File, str], Handler], path: bytes, edit: Edit, options: Any) -> list[str]:
    """The XMP side file of a file: made, or changed with everything else in it left as it is."""
    from mediad_handlers.kit.replace import create_file
    from mediad_handlers.write import resolve
    from mediad_handlers.write.xmp import PROPERTIES, edit_packet

    with File.open(path) as file:
        fields = dict(choose(file, "").read(file).fields)
    name = path if options.sidecar_style == "full" else os.path.splitext(path)[0]
    sidecar = name + b".xmp"
    packet = b""
    if os.path.lexists(sidecar):
        with File.open(sidecar) as file:
            if file.size > 16 * 1024 * 1024:
                raise HandlerError("limit", "the side file has more than 16 MiB")
            packet = file.read(0, file.size)
            fields.update(choose(file, "").read(file).fields)
    changes = resolve(fields, edit)
    for field in changes:
        if field not in PROPERTIES:
            raise HandlerError("unsupported", f"{field}: XMP has no place for it here")
    create_file(sidecar, edit_packet(packet, changes, padding=0))
    return []
