"""From an item's metadata to the path that a template gives it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mediad.errors import InvalidArgument, MediadError, NotFound, Unsupported
from mediad.moves.bundle import is_of_folder
from mediad.moves.defaults import choose_template
from mediad.moves.names import safe_name
from mediad.moves.template import Template, parse
from mediad.moves.values import KNOWN, template_values

AUTO = "auto"


class Namer:
    """Names by one template: `asked` is the name of one of `templates`, one itself (it has a brace), or AUTO: that of
    each item's kind. Raises NotFound for a name that there is not, TemplateError for one that cannot be read."""

    def __init__(self, templates: Mapping[str, Template], asked: str, *, fat: bool) -> None:
        self._templates = templates
        self._fat = fat
        self._one: Template | None = None
        if asked == AUTO:
            return
        if "{" in asked:
            self._one = parse(asked, KNOWN)
        elif asked in templates:
            self._one = templates[asked]
        else:
            raise NotFound(
                f"there is no template of that name; there is {', '.join([AUTO, *sorted(templates)])}", asked
            )

    def path(
        self, kind: str, fields: Mapping[str, Any], below: bytes, path: bytes, *, caseless: bool
    ) -> bytes | MediadError:
        """The path of a file, or why it has none. `below`: where it lies below its root's top, `path` the whole, which
        an error names; `caseless`: the file system is FAT or the like, so names must be fit for it."""
        name = below.rpartition(b"/")[2]
        if is_of_folder(name):
            return Unsupported("it describes a folder whose files do not go: it stays", path)
        values = template_values(kind, fields, below)
        try:
            template = self._one or self._templates[choose_template(kind, fields, values, path)]
        except MediadError as error:
            return error
        found = template.expand(values)
        if found.missing:
            lacking = ", ".join(f"{{{field}}}" for field in found.missing)
            return InvalidArgument(f"the template needs {lacking}, which the file does not say", path)
        fat = self._fat or caseless
        return b"/".join(safe_name(part, fat=fat).encode() for part in found.parts)
