"""XMP packets: properties set and removed, everything else in the packet left as it is. Keywords: write.keywords.

Sources: Adobe XMP part 1 section 7 (RDF), 7.3.2 (packet wrapper), part 2 (namespaces); IPTC Core 1.3 and Extension.
"""

from __future__ import annotations

from typing import Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.readers.xmp import parse_xmp
from mediad_handlers.write.keywords import Keywords

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/", "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/", "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "lr": "http://ns.adobe.com/lightroom/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "tiff": "http://ns.adobe.com/tiff/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/", "microsoft": "http://ns.microsoft.com/photo/1.0/",
}  # fmt: skip
# field -> (namespace prefix, property, form): text, alt (language alternative), bag, seq
PROPERTIES: dict[str, tuple[str, str, str]] = {
    "title": ("dc", "title", "alt"), "description": ("dc", "description", "alt"), "creators": ("dc", "creator", "seq"),
    "copyright": ("dc", "rights", "alt"), "keywords": ("dc", "subject", "bag"), "languages": ("dc", "language", "bag"),
    "publishers": ("dc", "publisher", "bag"), "contributors": ("dc", "contributor", "bag"),
    "rating": ("xmp", "Rating", "text"), "color_label": ("xmp", "Label", "text"),
    "headline": ("photoshop", "Headline", "text"), "credit": ("photoshop", "Credit", "text"),
    "source": ("photoshop", "Source", "text"), "city": ("photoshop", "City", "text"),
    "state": ("photoshop", "State", "text"), "country": ("photoshop", "Country", "text"),
    "instructions": ("photoshop", "Instructions", "text"), "author_title": ("photoshop", "AuthorsPosition", "text"),
    "country_code": ("Iptc4xmpCore", "CountryCode", "text"), "location": ("Iptc4xmpCore", "Location", "text"),
    "people": ("Iptc4xmpExt", "PersonInImage", "bag"), "event": ("Iptc4xmpExt", "Event", "alt"),
    "licenses": ("xmpRights", "UsageTerms", "alt"), "rights_url": ("xmpRights", "WebStatement", "text"),
    "keyword_paths": ("lr", "hierarchicalSubject", "bag"), "category": ("photoshop", "Category", "text"),
}  # fmt: skip
# What other programs wrote beside ours and would win over it when it is read.
TWINS = {"rating": (("microsoft", "Rating"), ("microsoft", "RatingPercent"))}
PADDING = 2048  # blanks behind the packet, so that the next edit can be made in place (XMP part 1 section 7.3.2)
HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
TAIL = '<?xpacket end="w"?>'
EMPTY = f'<x:xmpmeta xmlns:x="{META}"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'


def edit_packet(packet: bytes, changes: dict[str, Any], *, padding: int = PADDING) -> bytes:
    """The packet (b"": a new one) with these fields set, or removed where the value is None. Raises HandlerError
    `corrupt` for a packet that cannot be read: it would be lost."""
    if packet.strip():
        parse_xmp(packet)  # refuses entities and what is too deep before a tree is made of it
    document = _parse(packet)
    descriptions = document.getElementsByTagNameNS(RDF, "Description")
    about = [one for one in descriptions if _is_root(one.parentNode)]
    if not about:
        raise HandlerError("corrupt", "XMP: there is no rdf:Description to write into")
    if "keywords" in changes or "keyword_paths" in changes:
        lists = [_texts(changes[name]) if name in changes else None for name in ("keywords", "keyword_paths")]
        Keywords(document, about).apply(*lists)
    for field, value in changes.items():
        if field in ("keywords", "keyword_paths"):
            continue
        prefix, name, form = PROPERTIES[field]
        for space, local in TWINS.get(field, ()):
            _remove(about, SPACES[space], local)
        if value is not None and _replace(about, SPACES[prefix], name, form, _texts(value)):
            continue
        _remove(about, SPACES[prefix], name)
        if value is not None:
            _add(document, about[0], prefix, name, form, _texts(value))
    root: Any = document.documentElement
    parts: list[str] = []
    _serialise(root, parts)
    body = "".join(parts)
    return f"{HEAD}{body}\n{' ' * padding}{TAIL}".encode()


def _is_root(node: Any) -> bool:
    return (node.namespaceURI, node.localName) == (RDF, "RDF")


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [str(one) for one in value]
    return [f"{value:g}" if isinstance(value, float) else str(value)]


_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;",
                               "\t": "&#9;"})  # fmt: skip


def _serialise(node: Any, parts: list[str]) -> None:
    """A tree as text. minidom's own loses line ends and tabs of attributes, which a parser then reads as blanks
    (XML 1.0 section 3.3.3), and carriage returns (section 2.11)."""
    if node.nodeType == node.TEXT_NODE:
        parts.append(node.data.translate(_IN_TEXT))
    elif node.nodeType == node.ELEMENT_NODE:
        attributes = "".join(f' {name}="{value.translate(_IN_ATTRIBUTE)}"' for name, value in node.attributes.items())
        parts.append(f"<{node.tagName}{attributes}")
        if not node.childNodes:
            parts.append("/>")
            return
        parts.append(">")
        for child in node.childNodes:
            _serialise(child, parts)
        parts.append(f"</{node.tagName}>")
    else:  # a comment, a processing instruction, a CDATA section
        parts.append(node.toxml())


def _replace(about: list[Any], space: str, name: str, form: str, texts: list[str]) -> bool:
    """Sets a single value where it stands, in the form it has: an attribute stays one, and of a language alternative
    only the default changes, with what said the same in a language (Adobe XMP part 1 section 8.2.2.4). False when
    there is nothing to set."""
    if form not in ("text", "alt"):
        return False
    for one in about:
        if form == "text" and one.hasAttributeNS(space, name):
            one.getAttributeNodeNS(space, name).value = texts[0]
            return True
    if form != "alt":
        return False
    for one in about:
        for child in one.childNodes:
            if child.nodeType == child.ELEMENT_NODE and (child.namespaceURI, child.localName) == (space, name):
                return _replace_default(child, texts[0])
    return False


def _replace_default(element: Any, text: str) -> bool:
    items = element.getElementsByTagNameNS(RDF, "li")
    default = next((item for item in items if item.getAttribute("xml:lang").lower() == "x-default"), None)
    if default is None:
        return False
    before = _content(default)
    for item in items:
        if item is default or _content(item) == before:
            for node in list(item.childNodes):
                item.removeChild(node)
            item.appendChild(element.ownerDocument.createTextNode(text))
    return True


def _content(item: Any) -> str:
    return "".join(node.data for node in item.childNodes if node.nodeType in (node.TEXT_NODE, node.CDATA_SECTION_NODE))


def _parse(packet: bytes) -> minidom.Document:
    text = packet.strip(b"\0 \r\n\t") or EMPTY.encode()
    try:
        return minidom.parseString(text)
    except (ExpatError, ValueError) as fault:
        raise HandlerError("corrupt", f"XMP: the packet cannot be read for writing: {fault}") from fault


def _remove(descriptions: list[Any], space: str, name: str) -> None:
    for one in descriptions:
        if one.hasAttributeNS(space, name):
            one.removeAttributeNS(space, name)
        for child in list(one.childNodes):
            if child.nodeType == child.ELEMENT_NODE and (child.namespaceURI, child.localName) == (space, name):
                one.removeChild(child)


def _add(document: minidom.Document, description: Any, prefix: str, name: str, form: str, texts: list[str]) -> None:
    space = SPACES[prefix]
    element = document.createElementNS(space, f"{prefix}:{name}")
    element.setAttribute(f"xmlns:{prefix}", space)
    if form == "text":
        element.appendChild(document.createTextNode(texts[0]))
    else:
        kind = {"alt": "Alt", "bag": "Bag", "seq": "Seq"}[form]
        container = document.createElementNS(RDF, f"rdf:{kind}")
        container.setAttribute("xmlns:rdf", RDF)
        for text in texts:
            item = document.createElementNS(RDF, "rdf:li")
            if form == "alt":
                item.setAttribute("xml:lang", "x-default")
            item.appendChild(document.createTextNode(text))
            container.appendChild(item)
        element.appendChild(container)
    description.appendChild(element)
