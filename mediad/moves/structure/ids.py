"""Ids of an archive's sources and destinations: UUID version 5 (RFC 9562 section 5.5), the same for the same URIs.

The namespaces and the nesting are the reference's (index/src.go, index/dst.go of recentralized/structure).
"""

from __future__ import annotations

import uuid

_NIL = uuid.UUID(int=0)
_SRC = uuid.uuid5(_NIL, "Storage Source ID")
_DST = uuid.uuid5(_NIL, "Storage Destination ID")


def src_id(src_uri: str) -> str:
    """The id of the source at `src_uri`: `file:///tmp/src/` is e8400c72-f7d0-53f9-98ca-ee23238231fe."""
    return str(uuid.uuid5(_SRC, str(uuid.uuid5(uuid.NAMESPACE_URL, src_uri))))


def dst_id(index_uri: str, data_uri: str, meta_uri: str) -> str:
    """The id of a destination by the URIs of its three places."""
    return str(
        uuid.uuid5(_DST, "|".join(str(uuid.uuid5(uuid.NAMESPACE_URL, u)) for u in (index_uri, data_uri, meta_uri)))
    )
