"""`--describe`: a handler's manifest as its documentation, for a program or a person."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit import answer
from mediad_handlers.kit.output import to_plain

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler


def manifest(application: str, handlers: tuple[Handler, ...]) -> dict[str, Any]:
    """The manifest that a worker announces; each handler with `dictionary` beside `fields`: a row a field with name,
    type, plural, unit, doc (fields.json) and `sources`, the native tags it is read from, in order of precedence."""
    from mediadb_contract.fields import FIELDS

    told = answer.describe(application, handlers, "none")
    for row, handler in zip(told["handlers"], handlers, strict=True):
        sources = handler.sources() if handler.sources is not None else {}
        row["dictionary"] = [
            {
                "name": name,
                "type": FIELDS[name].type,
                "plural": FIELDS[name].plural,
                "unit": FIELDS[name].unit,
                "doc": FIELDS[name].doc,
                "sources": list(sources.get(name, ())),
            }
            for name in dict.fromkeys((*row["fields"], *sources))
            if name in FIELDS
        ]
    return told


def print_manifest(application: str, handlers: tuple[Handler, ...], output_format: str) -> int:
    """One JSON object, or msgpack; protobuf has no message for a manifest. Returns 0, or 2 for protobuf."""
    told = manifest(application, handlers)
    if output_format == "msgpack":
        import msgpack

        sys.stdout.buffer.write(msgpack.packb(told))
    elif output_format == "protobuf":
        print("--describe: human, json or msgpack", file=sys.stderr)
        return 2
    else:
        print(json.dumps(to_plain(told), ensure_ascii=False))
    return 0
