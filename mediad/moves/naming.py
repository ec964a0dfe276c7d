"""From items to names: the template, the values, the safe parts; clashes among planned names; side files. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mediad.errors import NotFound
from mediad.moves.defaults import choose_template
from mediad.moves.names import clash_key, safe_name
from mediad.moves.template import Template
from mediad.moves.values import template_values

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Naming:
    """What one file shall be called: `parts` of a relative path, valid UTF-8 without `/`; or none, and what is
    `missing` for it: labels of the template's choices, such as `year` and `albumartist|artist`. `template`: by which
    template."""

    template: str
    parts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def path(self) -> bytes:
        """The relative path."""
        return "/".join(self.parts).encode()


def name_item(
    templates: Mapping[str, Template],
    kind: str,
    fields: Mapping[str, Any],
    path: bytes,
    *,
    template: str = "",
    fat: bool = True,
) -> Naming:
    """The name of the item of that kind with those effective fields, whose file lies at `path` now.

    `template`: one of `templates` by its name; empty: the default for what the item is. `fat`: safe for FAT, exFAT,
    NTFS and SMB too. Raises NotFound for an unknown template, Unsupported when the item's kind has no default one."""
    values = template_values(kind, fields, path)
    name = template or choose_template(kind, fields, values, path)
    if name not in templates:
        raise NotFound(f"there is no template {name}; there is {', '.join(sorted(templates))}", name)
    expansion = templates[name].expand(values)
    return Naming(name, tuple(safe_name(part, fat=fat) for part in expansion.parts), expansion.missing)


@dataclass(frozen=True, slots=True)
class Clash(Generic[Key]):
    """Planned files that cannot all have their names: `keys` in the order of the plan. With `as_folder` the first is a
    file where the others need a folder."""

    path: str
    keys: tuple[Key, ...]
    as_folder: bool = False


def find_clashes(planned: Iterable[tuple[Key, Sequence[str]]], *, fat: bool = True) -> list[Clash[Key]]:
    """Which of the planned names (a key of the caller's and the parts) are one name for the file system, and which
    stand where others need a folder. `fat`: the file system does not tell capitals from small letters."""
    files: dict[tuple[str, ...], list[tuple[Key, Sequence[str]]]] = {}
    for key, parts in planned:
        files.setdefault(tuple(clash_key(part, fat=fat) for part in parts), []).append((key, parts))
    clashes = [
        Clash("/".join(several[0][1]), tuple(key for key, _ in several))
        for several in files.values()
        if len(several) > 1
    ]
    blocked: dict[tuple[str, ...], list[Key]] = {}
    for folded, several in files.items():
        for length in range(1, len(folded)):
            if folded[:length] in files:
                blocked.setdefault(folded[:length], []).extend(key for key, _ in several)
    for folded, keys in blocked.items():
        first, parts = files[folded][0]
        clashes.append(Clash("/".join(parts), (first, *keys), as_folder=True))
    return clashes


def follow_name(main: bytes, side: bytes, new_main: bytes) -> bytes | None:
    """The name of a side file when its main file gets a new one: `a.jpg.xmp` follows to `b.jpg.xmp`, `a.xmp` and
    `a.en.srt` to `b.xmp` and `b.en.srt`. None when it does not go by the main file's name."""
    if side == main:
        return None
    if side.startswith(main + b"."):
        return new_main + side[len(main) :]
    stem, dot, _ = main.rpartition(b".")
    new_stem = new_main.rpartition(b".")[0] or new_main
    if dot and stem and side.startswith(stem + b"."):
        return new_stem + side[len(stem) :]
    return None
