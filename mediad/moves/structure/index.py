"""The index of an archive: sources, destinations, and each content with the places it was found and stored.

Reading is as strict as the reference's decoder and says where the fault is; writing is byte for byte what
`MarshalIndent(index, "", "  ")` and a newline give. Merging follows `AddSrc`, `AddDst`, `AddRef` of the reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mediad.errors import Unsupported
from mediad.moves.structure import ids
from mediad.moves.structure.checks import Members
from mediad.moves.structure.gojson import Json, dumps, loads
from mediad.moves.structure.layout import ENCODINGS, HASH, IMAGE_TYPES
from mediad.moves.structure.moment import Moment
from mediad.moves.structure.uri import canonical

VERSION = "v1"


@dataclass(frozen=True, slots=True)
class Src:
    """A place where things were found. `Src.at(uri)` gives it its id."""

    src_id: str
    src_uri: str

    @classmethod
    def at(cls, src_uri: str) -> Src:
        return cls(ids.src_id(src_uri), src_uri)

    def document(self) -> dict[str, Json]:
        return {"src_id": self.src_id, "src_uri": self.src_uri}


@dataclass(frozen=True, slots=True)
class Dst:
    """A place where things are stored: its index, its data, its metas. `Dst.at(uri)`: all three in one folder."""

    dst_id: str
    index_uri: str
    data_uri: str
    meta_uri: str

    @classmethod
    def at(cls, index_uri: str, data_uri: str = "", meta_uri: str = "") -> Dst:
        data_uri, meta_uri = data_uri or index_uri, meta_uri or index_uri
        return cls(ids.dst_id(index_uri, data_uri, meta_uri), index_uri, data_uri, meta_uri)

    def document(self) -> dict[str, Json]:
        uris: dict[str, Json] = {"index_uri": self.index_uri, "data_uri": self.data_uri, "meta_uri": self.meta_uri}
        return {"dst_id": self.dst_id, **uris}


@dataclass(frozen=True, slots=True)
class SrcItem:
    """One place where a content was found. URIs are absolute; `meta_uri` is the side file's, empty without one."""

    src_id: str
    data_uri: str
    meta_uri: str = ""
    modified_at: Moment | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.src_id, canonical(self.data_uri), canonical(self.meta_uri)

    def document(self) -> dict[str, Json]:
        out: dict[str, Json] = {"src_id": self.src_id, "data_uri": self.data_uri, "meta_uri": self.meta_uri}
        _put_moment(out, "modified_at", self.modified_at)
        return out


@dataclass(frozen=True, slots=True)
class DstItem:
    """One place where a content is stored. URIs are relative to the destination's. Sizes in bytes, 0 when unknown.
    `data_type` only one that the reference knows: empty for other media, whose type stands in the meta."""

    dst_id: str
    data_uri: str
    meta_uri: str
    data_type: str = ""
    data_size: int = 0
    meta_size: int = 0
    stored_at: Moment | None = None
    updated_at: Moment | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.dst_id, canonical(self.data_uri), canonical(self.meta_uri)

    @property
    def encoding(self) -> str:
        """`gz`, `tar`, or empty: the data lies there as it is."""
        return self.data_type.partition(".")[2]

    def document(self) -> dict[str, Json]:
        out: dict[str, Json] = {"dst_id": self.dst_id, "data_uri": self.data_uri, "meta_uri": self.meta_uri}
        for name, value in (
            ("data_type", self.data_type), ("data_size", self.data_size), ("meta_size", self.meta_size),
        ):  # fmt: skip
            if value:
                out[name] = value
        _put_moment(out, "stored_at", self.stored_at)
        _put_moment(out, "updated_at", self.updated_at)
        return out


@dataclass(slots=True)
class Ref:
    """One content by its hash (SHA-1, 40 hexadecimal digits) with all its places."""

    hash: str
    srcs: list[SrcItem] = field(default_factory=list)
    dsts: list[DstItem] = field(default_factory=list)

    def add_src(self, item: SrcItem) -> bool:
        """Replaces the item of the same key, else appends; True when something changed."""
        for at, known in enumerate(self.srcs):
            if known.key == item.key:
                self.srcs[at] = item
                return known != item
        self.srcs.append(item)
        return True

    def add_dst(self, item: DstItem) -> bool:
        """Replaces the item of the same key, else appends; True when something changed."""
        for at, known in enumerate(self.dsts):
            if known.key == item.key:
                self.dsts[at] = item
                return known != item
        self.dsts.append(item)
        return True

    def stored_in(self, dst_id: str) -> DstItem | None:
        """Its first item in that destination."""
        return next((item for item in self.dsts if item.dst_id == dst_id), None)

    def document(self) -> dict[str, Json]:
        return {
            "hash": self.hash,
            "srcs": [item.document() for item in self.srcs],
            "dsts": [item.document() for item in self.dsts],
        }


@dataclass(slots=True)
class Index:
    """An index. `unknown` are the places of members that are not of the format (at most 100): they are not written."""

    srcs: dict[str, Src] = field(default_factory=dict)
    dsts: dict[str, Dst] = field(default_factory=dict)
    refs: dict[str, Ref] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add_src(self, src: Src) -> bool:
        """By id, the first wins; True when it is new."""
        is_new = src.src_id not in self.srcs
        self.srcs.setdefault(src.src_id, src)
        return is_new

    def add_dst(self, dst: Dst) -> bool:
        """By id, the first wins; True when it is new."""
        is_new = dst.dst_id not in self.dsts
        self.dsts.setdefault(dst.dst_id, dst)
        return is_new

    def add(self, content_hash: str, src: SrcItem | None = None, dst: DstItem | None = None) -> bool:
        """A content found at `src`, stored at `dst`; True when something changed. Doing it again changes nothing."""
        ref = self.refs.get(content_hash)
        if ref is None:
            ref = self.refs[content_hash] = Ref(content_hash)
        changed = src is not None and ref.add_src(src)
        return (dst is not None and ref.add_dst(dst)) or changed

    def merge(self, other: Index) -> bool:
        """Takes over all that `other` knows; True when something changed. Twice is once."""
        changed = False
        for src in other.srcs.values():
            changed |= self.add_src(src)
        for dst in other.dsts.values():
            changed |= self.add_dst(dst)
        for content_hash, ref in other.refs.items():
            changed |= content_hash not in self.refs
            self.add(content_hash)
            for found in ref.srcs:
                changed |= self.refs[content_hash].add_src(found)
            for stored in ref.dsts:
                changed |= self.refs[content_hash].add_dst(stored)
        return changed

    def chunks(self) -> Iterator[bytes]:
        """The document in pieces, one a source, destination or content: a large index is never one text."""
        yield b'{\n  "version": ' + dumps(VERSION).encode()
        for name, rows in (("srcs", self.srcs), ("dsts", self.dsts), ("refs", self.refs)):
            before = f',\n  "{name}": [\n    '
            for row in rows.values():
                # no string of JSON holds a line break: only the lines of the layout are indented
                yield (before + dumps(row.document(), indent=2).replace("\n", "\n    ")).encode()
                before = ",\n    "
            if rows:
                yield b"\n  ]"
        yield b"\n}\n"

    def to_bytes(self) -> bytes:
        """The whole document."""
        return b"".join(self.chunks())


def _put_moment(out: dict[str, Json], name: str, moment: Moment | None) -> None:
    if moment is not None and not moment.is_zero:
        out[name] = moment.text()


def parse_index(data: bytes, name: bytes = b"") -> Index:
    """Reads an index of version v1, or of the time before versions (`modified` for `modified_at`).

    Raises Corrupt with the place (`refs[3].dsts[0].data_type`) and `name` as input: no JSON, a value of another type, a
    time that is not RFC 3339, a data_type that the reference does not know, a hash that is no SHA-1. Raises Unsupported
    for another version. Two refs of one hash become one."""
    index = Index()
    top = Members(loads(data, name), "", name, index.unknown)
    if (version := top.text("version")) not in ("", VERSION):
        raise Unsupported(f"version: this index is of version {version!r}; v1 is understood", name)
    top.expect("version", "srcs", "dsts", "refs")
    for row in top.items("srcs"):
        row.expect("src_id", "src_uri")
        index.add_src(Src(row.text("src_id"), row.text("src_uri")))
    for row in top.items("dsts"):
        row.expect("dst_id", "index_uri", "data_uri", "meta_uri")
        index.add_dst(Dst(row.text("dst_id"), row.text("index_uri"), row.text("data_uri"), row.text("meta_uri")))
    for row in top.items("refs"):
        row.expect("hash", "srcs", "dsts")
        content_hash = row.text("hash")
        if not HASH.fullmatch(content_hash):
            raise row.fault("hash", f"a SHA-1 of 40 lower-case hexadecimal digits was expected, not {content_hash!r}")
        index.add(content_hash)
        for item in row.items("srcs"):
            index.refs[content_hash].add_src(_src_item(item))
        for item in row.items("dsts"):
            index.refs[content_hash].add_dst(_dst_item(item))
    return index


def _src_item(row: Members) -> SrcItem:
    row.expect("src_id", "data_uri", "meta_uri", "modified_at", "modified")
    modified_at = row.moment("modified_at") or row.moment("modified")
    return SrcItem(row.text("src_id"), row.text("data_uri"), row.text("meta_uri"), modified_at)


def _dst_item(row: Members) -> DstItem:
    row.expect(
        "dst_id", "data_uri", "meta_uri", "data_type", "data_size", "meta_size", "stored_at", "updated_at", "size"
    )
    data_type = row.text("data_type")
    base, _, encoding = data_type.partition(".")
    if data_type and (base not in IMAGE_TYPES or ("." in data_type and encoding not in ENCODINGS)):
        wanted = f"one of {' '.join(sorted(IMAGE_TYPES))}"
        raise row.fault("data_type", f"{wanted}, or one of them with .tar or .gz, was expected, not {data_type!r}")
    return DstItem(
        dst_id=row.text("dst_id"),
        data_uri=row.text("data_uri"),
        meta_uri=row.text("meta_uri"),
        data_type=data_type,
        data_size=row.number("data_size") or row.number("size"),  # its name for a while before v1 was settled
        meta_size=row.number("meta_size"),
        stored_at=row.moment("stored_at"),
        updated_at=row.moment("updated_at"),
    )
