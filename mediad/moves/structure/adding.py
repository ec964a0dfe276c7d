"""What is to be done to archive one found thing: pure decisions; copying and writing is the mover's work.

Incremental and idempotent: what the archive has already is not copied again, and with nothing new nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mediad.moves.structure.index import Dst, DstItem, Index, Src, SrcItem
from mediad.moves.structure.layout import IMAGE_TYPES, data_path, meta_path
from mediad.moves.structure.meta import Meta
from mediad.moves.structure.moment import Moment


@dataclass(frozen=True, slots=True)
class Found:
    """A thing at a source: its SHA-1, its URI and that of its side file (empty without one), its file's time, and what
    is known of it (`meta.size` are its bytes)."""

    hash: str
    data_uri: str
    meta: Meta
    meta_uri: str = ""
    modified_at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`copy`: the data is to be copied to `data_path`; `meta_bytes`: to be written to `meta_path`, None when the
    archive has that already. Both paths are relative to the destination's folders. `item` goes into the index when that
    is done, by `record`."""

    hash: str
    copy: bool
    data_path: str
    meta_path: str
    meta_bytes: bytes | None
    source: SrcItem
    item: DstItem

    def record(self, index: Index) -> bool:
        """Notes the finished step in the index; True when that changed it."""
        return index.add(self.hash, self.source, self.item)


def plan_add(index: Index, src: Src, dst: Dst, found: Found, stored_meta: bytes | None, now: Moment) -> Step:
    """The step for one found thing.

    A content that the archive has stays where it lies, though a corrected date would place it elsewhere now: one
    content, one dst item, several sources; the first of them is whose name and side file the meta speaks of, so that
    two names of one content don't rewrite it by turns.

    `stored_meta`: the bytes of its meta document as they lie there, None without one; members of other programs in it
    (`flickr`) are kept by the caller's `Meta.others`. `stored_at` stays the first time, `updated_at` is the last change
    of the meta. Raises ValueError: Meta.to_bytes, data_path."""
    source = SrcItem(src.src_id, found.data_uri, found.meta_uri, found.modified_at)
    meta_bytes = found.meta.to_bytes()
    ref = index.refs.get(found.hash)
    known = ref.stored_in(dst.dst_id) if ref else None
    if known is None:
        item = DstItem(
            dst_id=dst.dst_id,
            data_uri=data_path(found.hash, found.meta.type, found.meta.inherent.created),
            meta_uri=meta_path(found.hash),
            data_type=found.meta.type if found.meta.type in IMAGE_TYPES else "",
            data_size=found.meta.size,
            meta_size=len(meta_bytes),
            stored_at=now,
            updated_at=now,
        )
        return Step(found.hash, True, item.data_uri, item.meta_uri, meta_bytes, source, item)
    leads = not ref or not ref.srcs or ref.srcs[0].key == source.key
    if stored_meta == meta_bytes or (stored_meta is not None and not leads):
        return Step(found.hash, False, known.data_uri, known.meta_uri, None, source, known)
    item = replace(known, meta_size=len(meta_bytes), updated_at=now)
    return Step(found.hash, False, known.data_uri, known.meta_uri, meta_bytes, source, item)
