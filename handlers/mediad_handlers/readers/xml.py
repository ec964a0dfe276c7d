"""XML to a small tree, bounded, without anything that a document could make it fetch or expand.

Source: XML 1.0 (fifth edition). A document type is passed over; an entity declaration ends the parse (section 4.2: the
billion laughs), as do MAX_DEPTH and MAX_NODES.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from mediad_handlers.kit.api import HandlerError

MAX_DEPTH = 200
MAX_NODES = 400_000


class Node:
    """An element: `name` without its namespace, `space` its namespace, attributes by local name, children, and the text
    before the first child; `tail` is the text behind it."""

    __slots__ = ("attributes", "children", "name", "space", "tail", "text")

    def __init__(self, name: str, space: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.space = space
        self.attributes = attributes
        self.children: list[Node] = []
        self.text = ""
        self.tail = ""

    def find(self, *names: str) -> Node | None:
        """The first descendant along this path of local names."""
        node: Node | None = self
        for name in names:
            if node is None:
                return None
            node = next((child for child in node.children if child.name == name), None)
        return node

    def walk(self) -> Iterator[Node]:
        """This element and all below it, in document order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def all_text(self) -> str:
        """All character data below this element, in order."""
        parts: list[str] = []
        stack: list[Node | str] = [self]
        while stack:
            one = stack.pop()
            if isinstance(one, str):
                parts.append(one)
                continue
            parts.append(one.text)
            for child in reversed(one.children):
                stack.append(child.tail)
                stack.append(child)
        return "".join(parts)


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._stack: list[Node] = []
        self._count = 0
        self._parts: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._flush()
        self._count += 1
        if self._count > MAX_NODES or len(self._stack) >= MAX_DEPTH:
            raise HandlerError("limit", "the XML has too many or too deeply nested elements")
        space, _, local = name.rpartition(" ")
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        node = Node(local, space, plain)
        if self._stack:
            self._stack[-1].children.append(node)
        elif self.root is None:
            self.root = node
        self._stack.append(node)

    def end(self, _name: str) -> None:
        self._flush()
        self._stack.pop()

    def characters(self, data: str) -> None:
        self._parts.append(data)

    def _flush(self) -> None:
        if not self._parts:
            return
        text = "".join(self._parts)
        self._parts.clear()
        if self._stack:
            node = self._stack[-1]
            if node.children:
                node.children[-1].tail += text
            else:
                node.text += text


def refuse_entity(*_: object) -> None:
    """Raises HandlerError `corrupt`: an entity is declared."""
    raise HandlerError("corrupt", "the XML declares an entity")


def make_parser() -> expat.XMLParserType:
    """An expat parser with namespaces (separated by a blank) that refuses entity declarations."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.EntityDeclHandler = refuse_entity
    parser.buffer_text = True
    return parser


def parse(data: bytes) -> Node:
    """The root element. Raises HandlerError `corrupt` for what is no well-formed XML, `limit` for too much of it. What
    stands before an error is lost: use `parse_leniently` for text."""
    root, fault = parse_leniently(data)
    if fault is not None:
        raise HandlerError("corrupt", f"XML: {fault}")
    assert root is not None
    return root


def parse_leniently(data: bytes) -> tuple[Node | None, str | None]:
    """(root element as far as it could be read, None or what is wrong). Raises HandlerError for entities and limits."""
    builder = _Builder()
    parser = make_parser()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as fault:
        return builder.root, str(fault)
    return builder.root, None if builder.root is not None else "there is no element"
