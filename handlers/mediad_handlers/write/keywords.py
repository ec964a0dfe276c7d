"""Keywords of a packet, in every property that holds them, kept consistent.

dc:subject has the words, a Bag. The paths "A/B/C" whose last name is a word stand in lr:hierarchicalSubject (Bag,
"A|B|C") and digiKam:TagsList (Seq, "A/B/C"); older programs wrote them into MicrosoftPhoto:LastKeywordXMP ("A/B/C")
and mediapro:CatalogSets ("A|B|C") too. A program that finds paths reads the paths alone, so a word that is added to
dc:subject only would not be there for it, and one that is removed from dc:subject only would come back.

Sources: IPTC Photo Metadata 2023.2 (dc:subject); the namespaces of Lightroom and digiKam as ExifTool's XMP tables have
them. Items are added and removed one by one: their order, their qualifiers and all others stay.
"""

from __future__ import annotations

from typing import Any
from xml.dom import minidom

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_SUBJECT = ("http://purl.org/dc/elements/1.1/", "dc", "subject", "Bag")
# (namespace, prefix, property, container, what stands between the names of a path)
_LIGHTROOM = ("http://ns.adobe.com/lightroom/1.0/", "lr", "hierarchicalSubject", "Bag", "|")
_DIGIKAM = ("http://www.digikam.org/ns/1.0/", "digiKam", "TagsList", "Seq", "/")
_OLDER = (
    ("http://ns.microsoft.com/photo/1.0/", "MicrosoftPhoto", "LastKeywordXMP", "Bag", "/"),
    ("http://ns.microsoft.com/photo/1.0", "MicrosoftPhoto", "LastKeywordXMP", "Bag", "/"),
    ("http://ns.iview-multimedia.com/mediapro/1.0/", "mediapro", "CatalogSets", "Bag", "|"),
)


class Keywords:
    """The keywords in the top descriptions of a packet."""

    def __init__(self, document: minidom.Document, about: list[Any]) -> None:
        self._document = document
        self._about = about

    def apply(self, words: list[str] | None, paths: list[str] | None) -> None:
        """`words` is what dc:subject is to hold, `paths` ("A/B/C") what the paths are to be, [] for nothing; None
        where nothing was said. What that adds and removes is added and removed everywhere."""
        old_words, old_paths = self._read(_SUBJECT), self._first_paths()
        fewer_words = set(old_words) - set(words) if words is not None else set()
        more_words = [word for word in words or () if word not in old_words]
        fewer_paths = set(old_paths) - set(paths) if paths is not None else set()
        more_paths = [path for path in paths or () if path not in old_paths]
        if words is not None:
            self._change(_SUBJECT, lambda word: word in fewer_words, more_words)
        leaves = {_leaf(path) for path in more_paths}
        more_paths += [word for word in more_words if word not in leaves]
        known = self._all_paths()
        for place in (_LIGHTROOM, _DIGIKAM, *_OLDER):
            between = place[4]

            def goes(item: str, between: str = between) -> bool:
                path = item.replace(between, "/")
                return path not in more_paths and (path in fewer_paths or _leaf(path) in fewer_words)

            new = more_paths
            if self._find(place) is not None:
                if place not in _OLDER:  # words that a program put into dc:subject alone
                    there = {_leaf(path.replace(between, "/")) for path in self._read(place)}
                    named = {_leaf(path): path for path in known}
                    leaves = {_leaf(path) for path in more_paths}
                    new = more_paths + [
                        named.get(word, word) for word in self._read(_SUBJECT) if word not in there | leaves
                    ]
            else:
                if place in _OLDER or not (paths and more_paths):
                    continue
                # A new list of paths has all of them: who reads it looks nowhere else.
                kept = [path for path in known if not goes(path.replace("/", between))]
                leaves = {_leaf(path) for path in [*kept, *more_paths]}
                kept += [word for word in self._read(_SUBJECT) if word not in leaves]
                new = list(dict.fromkeys([*kept, *more_paths]))
            self._change(place, goes, [path.replace("/", between) for path in new])

    # -------------------------------------------------------------- properties and their items

    def _find(self, place: tuple[str, ...]) -> Any:
        space, local = place[0], place[2]
        for one in self._about:
            for child in one.childNodes:
                if child.nodeType == child.ELEMENT_NODE and (child.namespaceURI, child.localName) == (space, local):
                    return child
        return None

    def _items(self, element: Any) -> list[Any]:
        return list(element.getElementsByTagNameNS(RDF, "li")) if element is not None else []

    def _read(self, place: tuple[str, ...]) -> list[str]:
        """The texts of a list, without those that are empty; of a property that is an attribute its one."""
        found = [text for item in self._items(self._find(place)) if (text := _text(item))]
        for one in self._about:
            if not found and one.hasAttributeNS(place[0], place[2]):
                found = [one.getAttributeNS(place[0], place[2]).strip()]
        return found

    def _first_paths(self) -> list[str]:
        """The paths as the reader has them: of the first list there is (image.xmp)."""
        for place in (_LIGHTROOM, _DIGIKAM):
            found = self._read(place)
            if found:
                return [path.replace(place[4], "/") for path in found]
        return []

    def _all_paths(self) -> list[str]:
        found = [path.replace(place[4], "/") for place in (_LIGHTROOM, _DIGIKAM, *_OLDER) for path in self._read(place)]
        return list(dict.fromkeys(found))

    def _change(self, place: tuple[str, ...], goes: Any, more: list[str]) -> None:
        space, prefix, local, kind = place[:4]
        present = self._read(place)
        element = self._find(place)
        if element is None and any(one.hasAttributeNS(space, local) for one in self._about):
            for one in self._about:  # a list of one, written as an attribute: it becomes a list
                if one.hasAttributeNS(space, local):
                    one.removeAttributeNS(space, local)
            more, element = [*(text for text in present if not goes(text)), *more], None
            present = []
        for item in self._items(element):
            if goes(_text(item)):
                item.parentNode.removeChild(item)
        present = [text for text in present if not goes(text)]
        new = [text for text in dict.fromkeys(more) if text not in present]
        if new:
            container = self._container(element, space, prefix, local, kind)
            for text in new:
                item = self._document.createElementNS(RDF, _qualified(container, "li"))
                item.appendChild(self._document.createTextNode(text))
                container.appendChild(item)
        elif element is not None and not present:
            element.parentNode.removeChild(element)

    def _container(self, element: Any, space: str, prefix: str, local: str, kind: str) -> Any:
        if element is None:
            element = self._document.createElementNS(space, f"{prefix}:{local}")
            element.setAttribute(f"xmlns:{prefix}", space)
            self._about[0].appendChild(element)
        for child in element.childNodes:
            if child.nodeType == child.ELEMENT_NODE and child.namespaceURI == RDF:
                return child
        container = self._document.createElementNS(RDF, f"rdf:{kind}")
        container.setAttribute("xmlns:rdf", RDF)
        element.appendChild(container)
        return container


def _qualified(like: Any, local: str) -> str:
    """A name of RDF under the prefix that holds where it is put."""
    return f"{like.prefix}:{local}" if like.prefix else local


def _text(item: Any) -> str:
    parts = []
    for node in item.childNodes:
        if node.nodeType in (node.TEXT_NODE, node.CDATA_SECTION_NODE):
            parts.append(node.data)
        elif node.nodeType == node.ELEMENT_NODE:
            parts.append(_text(node))
    return "".join(parts).strip()


def _leaf(path: str) -> str:
    return path.rpartition("/")[2]
