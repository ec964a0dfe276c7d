"""URIs of an archive: `file:///abs/path` and references relative to them. Names are bytes; a URI holds any of them.

Sources: RFC 3986, RFC 8089 (file), and what Go's net/url leaves unencoded in a path, which is what the reference
writes: letters, digits and `-._~/$&+,:;=@`. All else is percent-encoded, so always `%`, `?`, `#` and what is not ASCII.
A URI is compared by what it means: `a(b)` and `a%28b%29` are one.
"""

from __future__ import annotations

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

from mediad.errors import InvalidArgument

_SAFE = "-._~/$&+,:;=@"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_CANONICAL = re.compile(r"(?:file://)?[A-Za-z0-9._~/$&+,;=@-]*")  # the many that need no second look
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def encode_path(path: bytes) -> str:
    """A path as it stands in a URI. Go puts `./` before a relative one whose first part has a colon: it would read as
    a scheme (RFC 3986 section 4.2)."""
    text = quote_from_bytes(path, safe=_SAFE)
    return f"./{text}" if not path.startswith(b"/") and ":" in text.partition("/")[0] else text


def file_uri(path: bytes, *, folder: bool = False) -> str:
    """`file://` and the absolute path; a folder's ends in `/`.

    Raises InvalidArgument for a path that is not absolute, or has a NUL, `.`, `..` or an empty part."""
    parts = path.strip(b"/").split(b"/") if path != b"/" else []
    if not path.startswith(b"/") or path.startswith(b"//") or b"\0" in path or {b"", b".", b".."} & set(parts):
        raise InvalidArgument("a URI is made of an absolute path without . and .. parts", path)
    return "file://" + encode_path(path.rstrip(b"/") + (b"/" if folder or path == b"/" else b""))


def decode_path(text: str) -> bytes:
    """The bytes that an encoded path stands for. A `%` without two hexadecimal digits stands for itself: the reference
    keeps such URIs as they are."""
    return unquote_to_bytes(_BAD_ESCAPE.sub("%25", text))


def file_path(uri: str) -> bytes | None:
    """The absolute path of a `file:` URI, without a `/` at its end; None for any other URI, for one with a host, and
    for a path that is not a plain one: a NUL, `.`, `..`, an encoded `/` within a name."""
    match = _SCHEME.match(uri)
    if match is None or match[1].lower() != "file" or not uri[match.end() :].startswith("///"):
        return None
    encoded = re.split("[?#]", uri[match.end() + 2 :], maxsplit=1)[0]
    if not is_plain(encoded[1:].removesuffix("/"), empty=True):
        return None
    return decode_path(encoded).rstrip(b"/") or b"/"


def relative_path(uri: str) -> bytes | None:
    """The path of a relative reference that stays below its base; None for anything else: a scheme, a `/` at the start,
    a query, `..`. What others wrote is not trusted."""
    said = uri.startswith("./")  # then a colon in the first part makes no scheme (RFC 3986 section 4.2)
    uri = uri.removeprefix("./")
    if (not said and _SCHEME.match(uri)) or re.search("[?#]", uri) or not is_plain(uri):
        return None
    return decode_path(uri)


def is_plain(encoded: str, *, empty: bool = False) -> bool:
    """All its parts are names: not empty, `.` or `..`, without NUL and without a `/` that was encoded."""
    if not encoded:
        return empty
    for part in encoded.split("/"):
        name = decode_path(part)
        if name in (b"", b".", b"..") or b"\0" in name or b"/" in name:
            return False
    return True


def resolve(base: str, reference: str) -> bytes | None:
    """The path that a dst item's relative reference has below the folder `base`, a `file:` URI; None as above."""
    top, below = file_path(base), relative_path(reference)
    if top is None or below is None:
        return None
    return top.rstrip(b"/") + b"/" + below


def canonical(uri: str) -> str:
    """One spelling for all URIs that mean the same: the scheme in lower case, the path encoded anew. What has a query,
    a fragment or a broken escape stays as it is: the reference treats the latter as plain text."""
    if _CANONICAL.fullmatch(uri):
        return uri
    uri = uri.strip()
    match = _SCHEME.match(uri)
    start = match.end() if match else 0
    rest = uri[start:]
    if re.search("[?#]", rest) or _BAD_ESCAPE.search(rest) or (match and not rest.startswith("/")):
        return uri
    authority = ""
    if match and rest.startswith("//"):
        end = rest.find("/", 2)
        authority, rest = (rest, "") if end < 0 else (rest[:end], rest[end:])
    # an encoded / is not the same as a /
    path = "%2F".join(quote_from_bytes(decode_path(piece), safe=_SAFE) for piece in re.split("%2[Ff]", rest))
    return (match[0].lower() if match else "") + authority + path
