"""A handler's answer made into rows: checked fields, hot columns, the text index's row, metas. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mediad.index import terms
from mediad.index.metas import Metas
from mediad.model import KIND_OF_EXTENSION, Answer
from mediadb_contract.fields import check_fields

# Unmapped tags: more is a broken file, not a description (handlers/README.md, Limits).
TAGS_MOST = 2000
TAG_TEXT = 64 * 1024
TAGS_BYTES = 256 * 1024
_KINDS = frozenset({"audio", "image", "video", "document", "other"})
KEYS = 200  # of one answer
GRADES = {"fingerprint": 1, "track": 2, "checksum": 3}


@dataclass(frozen=True, slots=True)
class Read:
    """A file in hand: its row, and the stat it was opened with."""

    file: int
    stream: str  # the id's text
    name: bytes
    folders: tuple[bytes, ...]  # names from the root's top, for words
    inode: int
    size: int
    mtime_ns: int
    again: bool  # read before: its old links go
    folder: int | None = None  # the row of the folder it was in


@dataclass(slots=True)
class Rows:
    """What one batch brings to the store, as JSON-ready lists (sql/queries/read.sql says what the keys mean)."""

    records: list[dict[str, Any]] = field(default_factory=list)
    words: list[bytes] = field(default_factory=list)  # of each record, its row of the text index
    keys: list[dict[str, Any]] = field(default_factory=list)
    metas: Metas = field(default_factory=Metas)
    again: list[int] = field(default_factory=list)
    answers: list[tuple[Read, Answer]] = field(default_factory=list)  # what the rows were made of

    def clear(self) -> None:
        """Empties the batch after it was stored."""
        for part in (self.records, self.words, self.keys, self.again, self.answers):
            part.clear()
        self.metas = Metas()


def add(rows: Rows, read: Read, answer: Answer) -> None:
    """Adds what is to be stored for one answered file."""
    rows.answers.append((read, answer))
    if read.again:
        rows.again.append(read.file)
    ok = answer.ok
    row: dict[str, Any] = {"f": read.file, "i": read.inode, "s": read.size, "m": read.mtime_ns, "d": read.folder,
                           "n": read.name.hex()}  # fmt: skip
    if ok is None:
        state = "parked" if answer.died else "failed"
        kind = KIND_OF_EXTENSION.get(read.name.rpartition(b".")[2].lower(), "other")
        row.update(state=state, code=answer.code, problem=_clean(answer.message), kind=kind, fields={}, tags={},
                   sources={}, warnings=[])  # fmt: skip
        rows.records.append(row)
        rows.words.append(terms.listed(read.name, read.folders, read.size, read.mtime_ns, kind).binary())
        return
    found = ok.get("fields")
    fields, problems = check_fields(found if isinstance(found, dict) else {})
    tags, dropped = _clean_tags(ok.get("tags"))
    told = ok.get("warnings")
    warnings = [_clean(w)[:500] for w in (told if isinstance(told, list) else ()) if isinstance(w, str) and w][:50]
    warnings += [_clean(p)[:200] for p in problems[:50]]
    if dropped:
        warnings.append(f"{dropped} unmapped tags beyond the limits were left out")
    said = ok.get("kind")
    kind = said if isinstance(said, str) and said in _KINDS else "other"
    form = _short(ok.get("format"))
    mime = _short(ok.get("mime_type"))
    if mime:
        fields.setdefault("mime_type", mime)
    handler, version = ok.get("handler"), ok.get("handler_version")
    row.update(
        state="failed" if answer.code else "read", code=answer.code or None, problem=_clean(answer.message) or None,
        kind=kind, format=form,
        handler=_short(handler), version=_int32(version) if type(version) is int else None,
        fields=fields, tags=tags, sources=_clean_sources(ok.get("sources"), fields), warnings=warnings,
        **_hot(fields),
    )  # fmt: skip
    rows.records.append(row)
    words = terms.described(read.name, read.folders, read.size, read.mtime_ns, kind, form, fields)
    rows.words.append(words.binary())
    _add_keys(rows, read, ok.get("keys"))
    rows.metas.add(read, row["kind"], fields)


def _clean(text: str) -> str:
    """Text that PostgreSQL and protobuf take: no NUL, no lone surrogate."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _short(value: Any) -> str | None:
    return _clean(value)[:100] if isinstance(value, str) and value else None


def _hot(fields: dict[str, Any]) -> dict[str, Any]:
    """The columns that lists show and sort by."""
    artists = fields.get("artists") or fields.get("creators") or ()
    artist = fields.get("artist_credit") or ", ".join(artists[:3])
    return {
        "title": _cut(fields.get("title")), "artist": _cut(artist), "album": _cut(fields.get("album")),
        "duration": fields.get("duration"),
        "width": _int32(fields.get("width")), "height": _int32(fields.get("height")),
        "date": terms.hot_date(fields),
    }  # fmt: skip


def _cut(text: str | None) -> str | None:
    return text[:500] or None if text else None


def _int32(value: int | None) -> int | None:
    return value if value is not None and 0 <= value < 1 << 31 else None


def _add_keys(rows: Rows, read: Read, keys: Any) -> None:
    for grade, algorithm, value in checked_keys(keys):
        rows.keys.append({"f": read.file, "g": GRADES[grade], "a": algorithm, "v": value.hex()})


def checked_keys(keys: Any) -> list[tuple[str, str, bytes]]:
    """The keys of an answer that are of the contract's form: (grade, algorithm, value), KEYS of them at most."""
    found: list[tuple[str, str, bytes]] = []
    for key in keys[:KEYS] if isinstance(keys, list | tuple) else ():
        if not isinstance(key, list | tuple) or len(key) != 3:
            continue
        grade, algorithm, value = key
        if not isinstance(grade, str) or not isinstance(algorithm, str) or not isinstance(value, bytes):
            continue
        if grade in GRADES and 8 <= len(value) <= 64:
            found.append((grade, _clean(algorithm)[:64], value))
    return found


def _clean_sources(sources: Any, fields: dict[str, Any]) -> dict[str, str]:
    if not isinstance(sources, dict):
        return {}
    return {
        k: v if len(v) <= 200 and v.isascii() and "\0" not in v else _clean(v)[:200]
        for k, v in sources.items()
        if k in fields and isinstance(v, str)
    }


def _clean_tags(tags: Any) -> tuple[dict[str, list[Any]], int]:
    """Native values under their keys; (tags, how many were left out)."""
    clean: dict[str, list[Any]] = {}
    dropped, size = 0, 0
    for key, values in tags.items() if isinstance(tags, dict) else ():
        if not isinstance(key, str) or len(clean) >= TAGS_MOST:
            dropped += 1
            continue
        kept: list[Any] = []
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, str) and size + len(value) <= TAGS_BYTES and len(value) <= TAG_TEXT:
                size += len(value)
                kept.append(_clean(value))
            elif isinstance(value, bool) or (isinstance(value, int) and -(1 << 63) <= value < 1 << 64):
                kept.append(value)
            elif isinstance(value, float) and value == value and abs(value) != float("inf"):
                kept.append(value)
            else:
                dropped += 1
        if kept:
            clean[_clean(key)[:200]] = kept
    return clean, dropped
