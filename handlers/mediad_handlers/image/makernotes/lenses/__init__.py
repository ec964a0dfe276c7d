"""Lens names by the identifiers that maker notes hold: `find_names` looks one up, `choose_lens` decides between lenses
that share an identifier."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module

MAKERS = ("canon", "minolta", "nikon", "olympus", "pentax", "samsung", "sigma")  # modules of this package
_FOCAL = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?\s?mm\b", re.ASCII)
_APERTURE = re.compile(r"\b[fF]/?(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", re.ASCII)
_FOCAL_TOLERANCE, _APERTURE_TOLERANCE = 0.5, 0.15  # cameras round both


@lru_cache(maxsize=64)  # a library has few lenses
def find_names(maker: str, identifier: str) -> tuple[str, ...]:
    """The lenses that `identifier` stands for in the table of `maker` (one of MAKERS), none when it is not known."""
    table: str = import_module(f"mediad_handlers.image.makernotes.lenses.{maker}").NAMES
    row = f"{identifier}\t"
    at = 0 if table.startswith(row) else table.find("\n" + row) + 1
    found: list[str] = []
    while table.startswith(row, at):
        end = table.index("\n", at)
        found.append(table[at + len(row) : end])
        at = end + 1
    return tuple(found)


def choose_lens(
    names: Sequence[str],
    focal: float | None = None,
    aperture: float | None = None,
    reach: tuple[float, float] | None = None,
) -> str | None:
    """The only lens of `names` that fits: `focal` and `reach` (shortest and longest focal length of the lens, where the
    camera says it) in mm, `aperture` the largest one as an f-number. None when none fits or several do."""
    if len(names) == 1:
        return names[0]
    fitting = [name for name in names if _fits(name, focal, aperture, reach)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(name: str, focal: float | None, aperture: float | None, reach: tuple[float, float] | None) -> bool:
    limits = _limits(name)
    if limits is None:
        return False
    short, long, wide, tele = limits
    if reach is not None and (abs(short - reach[0]) > _FOCAL_TOLERANCE or abs(long - reach[1]) > _FOCAL_TOLERANCE):
        return False
    if reach is None and focal and not short - _FOCAL_TOLERANCE <= focal <= long + _FOCAL_TOLERANCE:
        return False
    return not wide or not aperture or wide - _APERTURE_TOLERANCE <= aperture <= tele + _APERTURE_TOLERANCE


@lru_cache(maxsize=256)
def _limits(name: str) -> tuple[float, float, float, float] | None:
    """Shortest and longest focal length (mm), and the largest f-numbers at them (0: not in the name)."""
    span, light = _FOCAL.search(name), _APERTURE.search(name)
    if span is None:
        return None
    wide, tele = (float(light[1]), float(light[2] or light[1])) if light else (0.0, 0.0)
    return float(span[1]), float(span[2] or span[1]), wide, tele
