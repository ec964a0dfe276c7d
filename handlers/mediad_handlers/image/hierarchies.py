"""Keyword trees in XMP, as paths "A/B/C": MWG 2.0 section 5.8 (mwg-kw:Keywords), ACDSee's categories."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from mediad_handlers.readers.xmp import texts

MAX_PATHS = 1000
MAX_DEPTH = 16
MAX_TEXT = 64 * 1024


def keyword_paths(value: Any) -> list[str]:
    """The leaves of mwg-kw:Keywords, each with the keywords above it."""
    found: list[str] = []
    waiting: list[tuple[Any, str, int]] = [(value, "", 0)]
    while waiting and len(found) < MAX_PATHS:
        node, above, depth = waiting.pop()
        if isinstance(node, list):
            waiting += [(item, above, depth) for item in reversed(node)]
        if not isinstance(node, dict) or depth >= MAX_DEPTH:
            continue
        word = (texts(node.get("mwg-kw:Keyword")) or [""])[0].strip()
        path = f"{above}/{word}" if above and word else above or word
        below = node.get("mwg-kw:Hierarchy") or node.get("mwg-kw:Children")
        if below:
            waiting.append((below, path, depth + 1))
        elif path:
            found.append(path)
    return found


def category_paths(text: str | None) -> list[str]:
    """The assigned categories of ACDSee's XML: <Categories><Category Assigned="0">A<Category Assigned="1">B..."""
    if not text or len(text) > MAX_TEXT or not text.startswith("<"):
        return []
    found: list[str] = []
    names: list[str] = []
    assigned: list[bool] = []

    def start(_: str, attributes: dict[str, str]) -> None:
        names.append("")
        assigned.append(attributes.get("Assigned") == "1")

    def data(words: str) -> None:
        names[-1] += words.strip()

    def end(_: str) -> None:
        if assigned.pop() and len(found) < MAX_PATHS:
            found.append("/".join(name for name in names if name))
        names.pop()

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, data, end
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError):
        return []  # what is no XML names no category; the packet's other properties stay
    return [path for path in found if path]
