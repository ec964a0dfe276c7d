"""XMP packets: RDF/XML to a flat list of properties.

Sources: Adobe XMP part 1 section 7 (RDF forms: attributes, elements, Bag Seq Alt, structures, parseType), part 2
(namespaces). Expat parses; a DOCTYPE or an entity declaration ends it, as do MAX_DEPTH and MAX_PROPERTIES.
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

from mediad_handlers.kit.api import HandlerError

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XML = "http://www.w3.org/XML/1998/namespace"
MAX_PACKET = 2 * 1024 * 1024
MAX_DEPTH = 32
MAX_PROPERTIES = 4000
MAX_TEXT = 64 * 1024  # characters of one value

# Namespace to the group that ExifTool shows; any other keeps the packet's own prefix.
GROUPS = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://ns.adobe.com/pdf/1.3/": "pdf",
    "http://ns.adobe.com/xmp/1.0/DynamicMedia/": "xmpDM",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "iptcCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "iptcExt",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://creativecommons.org/ns#": "cc",
    "http://ns.microsoft.com/photo/1.0/": "microsoft",
    "http://ns.microsoft.com/photo/1.0": "microsoft",
    "http://ns.microsoft.com/photo/1.2/": "MP",
    "http://ns.microsoft.com/photo/1.2/t/RegionInfo#": "MPRI",
    "http://ns.microsoft.com/photo/1.2/t/Region#": "MPReg",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://ns.acdsee.com/iptc/1.0/": "acdsee",
    "http://ns.iview-multimedia.com/mediapro/1.0/": "mediapro",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://ns.google.com/photos/1.0/container/": "Container",
    "http://ns.google.com/photos/1.0/container/item/": "Item",
    "http://ns.google.com/photos/1.0/panorama/": "GPano",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://www.metadataworkinggroup.com/schemas/keywords/": "mwg-kw",
    "http://ns.google.com/photos/1.0/image/": "GImage",
    "http://ns.apple.com/faceinfo/1.0/": "apple-fi",
}
# What expat decodes by itself; another encoding would import a codec, and XMP part 1 section 7.1 allows Unicode only.
_ENCODINGS = frozenset((b"utf-8", b"utf-16", b"utf-16le", b"utf-16be", b"us-ascii", b"iso-8859-1"))
_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})")
_DESCRIPTION, _LIST_ITEM = RDF + " Description", RDF + " li"
_CONTAINERS = frozenset((RDF + " Bag", RDF + " Seq", RDF + " Alt"))
_RESOURCE, _VALUE, _PARSE_TYPE = RDF + " resource", RDF + " value", RDF + " parseType"
_NODE = RDF + " nodeID"
_LANGUAGE = XML + " lang"

Structure = dict[str, Any]

MAX_KEYS = 2000
_KEYS: dict[str, str] = {}  # names of known namespaces that were met, most of them in every packet


class _Node:
    """An open element. `kind`: "outer" (x:xmpmeta, rdf:RDF), "description", "container", "item", "property"."""

    __slots__ = ("fields", "items", "key", "kind", "language", "name", "resource", "text")

    def __init__(self, kind: str, key: str = "") -> None:
        self.kind = kind
        self.key = key
        self.text: list[str] = []
        self.items: list[Any] | None = None
        self.fields: Structure = {}
        self.language = ""
        self.name = ""  # rdf:nodeID
        self.resource: str | None = None

    def value(self) -> Any:
        """Text, a list, or a structure."""
        if self.items is not None:
            return self.items
        if self.fields:
            if _VALUE in self.fields:  # a qualified value: the qualifiers are not kept
                return self.fields[_VALUE]
            return self.fields
        if self.resource is not None:
            return self.resource
        return "".join(self.text).strip()


class _Builder:
    """Expat's handlers: a stack of open elements; `properties` is what the top descriptions hold."""

    def __init__(self) -> None:
        self.properties: Structure = {}
        self.stack: list[_Node] = []
        self.prefixes: dict[str, str] = {}
        self.named: dict[str, Any] = {}  # nodes of their own, by rdf:nodeID
        self.links: list[tuple[Structure, str, str]] = []  # properties that name a node: (holder, key, rdf:nodeID)
        self.count = 0
        self.length = 0

    def declare(self, prefix: str | None, uri: str | None) -> None:
        if uri:
            self.prefixes.setdefault(uri, prefix or "xmlns")

    def refuse(self, *_: Any) -> None:
        raise HandlerError("corrupt", "XMP with a document type or entity declaration")

    def key(self, name: str) -> str:
        """ "dc:title" from expat's "namespace title"."""
        found = _KEYS.get(name)
        if found is None:
            uri, _, local = name.rpartition(" ")
            group = GROUPS.get(uri)
            found = f"{group or self.prefixes.get(uri, 'XMP')}:{local}"
            if group and len(_KEYS) < MAX_KEYS:
                _KEYS[name] = found
        return found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise HandlerError("limit", f"XMP nested deeper than {MAX_DEPTH}")
        self.count += 1 + len(attributes)
        if self.count > MAX_PROPERTIES:
            raise HandlerError("limit", f"XMP with more than {MAX_PROPERTIES} properties")
        parent = self.stack[-1] if self.stack else None
        self.length = 0
        if parent is None or (
            parent.kind == "outer" and name != _DESCRIPTION and not (name in _CONTAINERS and _NODE in attributes)
        ):
            self.stack.append(_Node("outer"))
            return
        if name == _DESCRIPTION:
            node = _Node("description")
        elif name in _CONTAINERS:
            node = _Node("container")
            node.items = []
        elif name == _LIST_ITEM and parent.kind == "container":
            node = _Node("item")
        else:
            node = _Node("property", _VALUE if name == _VALUE else self.key(name))
        for key, value in attributes.items():
            if key == _LANGUAGE:
                node.language = value
            elif key == _RESOURCE:
                node.resource = value
            elif key == _VALUE:
                node.fields[_VALUE] = value
            elif key == _NODE:
                node.name = value
            elif key != _PARSE_TYPE and not key.startswith((RDF, XML)) and " " in key:
                node.fields[self.key(key)] = value
        self.stack.append(node)

    def data(self, text: str) -> None:
        node = self.stack[-1]
        if node.kind in ("property", "item") and self.length < MAX_TEXT:
            node.text.append(text[: MAX_TEXT - self.length])
            self.length += len(text)

    def end(self, _: str) -> None:
        node = self.stack.pop()
        if not self.stack or node.kind == "outer":
            return
        parent = self.stack[-1]
        if node.name:
            if node.kind == "property":
                top = parent.kind == "description" and self.stack[-2].kind == "outer"
                self.links.append((self.properties if top else parent.fields, node.key, node.name))
                return
            self.named.setdefault(node.name, node.items if node.kind == "container" else node.fields)
        if node.kind == "description":
            target = self.properties if parent.kind == "outer" else parent.fields
            for key, value in node.fields.items():
                target.setdefault(key, value)
        elif node.kind == "container":
            if parent.kind != "outer":
                parent.items = node.items
        elif node.kind == "item":
            value = node.value()
            if parent.items is None or value in ("", [], {}):
                return
            if node.language == "x-default":
                parent.items.insert(0, value)
            else:
                parent.items.append(value)
        else:
            value = node.value()
            if value != "" and value != []:
                parent.fields.setdefault(node.key, value)

    def resolve(self) -> None:
        """Properties that name a node get its texts (RDF/XML section 2.10): its list, or the plain members of its
        structure, so that nodes that name each other cannot nest."""
        for holder, key, name in self.links:
            found = self.named.get(name)
            if isinstance(found, dict):
                found = {part: value for part, value in found.items() if isinstance(value, str)}
            elif isinstance(found, list):
                found = [item for item in found if isinstance(item, str)]
            if found:
                holder.setdefault(key, found)


def parse_xmp(packet: bytes) -> Structure:
    """Properties by "group:name" ("dc:title"): text, a list, or a structure (a dict of the same form). An Alt is a list
    whose first item is x-default's.

    What was read before a fault of the XML is kept. Raises HandlerError `corrupt` when nothing was, or when there is
    a DOCTYPE; `limit` for a packet beyond the module's limits."""
    if len(packet) > MAX_PACKET:
        raise HandlerError("limit", f"XMP packet of more than {MAX_PACKET} bytes")
    packet = packet.strip(b"\0 \t\r\n")
    if packet.startswith((b"<?xpacket", b"\xef\xbb\xbf<?xpacket")):
        packet = packet.partition(b"?>")[2]  # its `begin` may hold any byte order mark, also one that is no XML
    declared = _DECLARED.match(packet[:256].lstrip(b"\xef\xbb\xbf"))
    if declared is not None and declared[1].lower() not in _ENCODINGS:
        raise HandlerError("corrupt", f"XMP in the encoding {declared[1].decode('ascii')}")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartNamespaceDeclHandler = builder.declare
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    try:
        parser.Parse(packet, True)
    except (expat.ExpatError, ValueError, LookupError) as fault:
        for node in builder.stack:  # descriptions that were still open
            if node.kind == "description":
                builder.properties.update(node.fields)
                break
        if not builder.properties:
            raise HandlerError("corrupt", f"XMP: {fault}") from fault
    builder.resolve()
    return builder.properties


def texts(value: Any) -> list[str]:
    """All texts of a value, in order; a structure's are its members'."""
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, list):
        return [found for item in value for found in texts(item)]
    return [found for item in value.values() for found in texts(item)] if isinstance(value, dict) else []
