"""What a file is: the same, moved, retagged, copied, succeeded, back again, new. Pure.

A name is first listed with a stream of its own. When it was read its fingerprint is known, and with it who else has
that payload. `decide` says which stream the name belongs to from then on; index/keeper asks the store and does it.
Rules: settled 4, 6 and 7 (docs/decisions).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Payloads under this size are shared by chance (an empty text, a one-pixel image): their streams are per file.
SHARED_LEAST = 4096
# A name seen for so long is no temporary file of a program that saves by renaming.
SETTLED_NS = 3600 * 1_000_000_000
# Names of pictures that stand for an album or a folder: many folders have the same one, each its own.
_COVERS = frozenset({"cover", "folder", "front", "back", "album", "albumart", "artist", "poster", "fanart", "thumb"})
_PICTURES = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"})
_SIDES = frozenset({"xmp", "lrc", "srt", "sub", "nfo", "cue", "log", "m3u", "m3u8", "ini", "thm"})
DURATION_SHARE = 0.02  # audio and video whose lengths differ by more are not one thing edited
_SAME_SECONDS = 0.1
_CONTENT_TIMES = ("date_taken_local", "date_original")


class Verdict(enum.Enum):
    """What became of a name."""

    SAME = "same"  # the payload it had, or one it never had before and nobody else has: nothing changes
    MOVED = "moved"  # the payload of a stream whose files are all gone: the name joins it
    COPIED = "copied"  # others have this payload and are present: certainty takes a checksum
    REWRITTEN = "rewritten"  # a new payload, the stream has nothing to lose: it keeps its id and gets new keys
    SUCCEEDED = "succeeded"  # a new payload where a person's work hung on the old one: a new stream


@dataclass(frozen=True, slots=True)
class Own:
    """The stream a name has now. `equal`: None when it has no fingerprint yet, else whether it is the one just read."""

    stream: str
    equal: bool | None
    others: int  # further present names of it
    worked: bool  # a person's events hang on it
    alone: bool  # split: never joined to another


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another stream with the fingerprint just read."""

    stream: str
    present: int  # names it has now
    worked: bool
    alone: bool
    seen_ns: int  # when it was first seen
    named: bool  # one of its names is this one


@dataclass(frozen=True, slots=True)
class Decision:
    """`stream`: the one to join (MOVED). `doubts`: streams whose checksum would tell more."""

    verdict: Verdict
    stream: str = ""
    doubts: tuple[str, ...] = ()


def is_shared(name: str, size: int, least: int = SHARED_LEAST) -> bool:
    """Whether equal payloads of such files are one stream: not empty ones, small ones, covers and side files."""
    stem, _, extension = name.lower().rpartition(".")
    if extension in _SIDES or (stem in _COVERS and extension in _PICTURES):
        return False
    return size >= least


def decide(own: Own, candidates: Sequence[Candidate], *, shared: bool, empty: bool, now_ns: int) -> Decision:
    """What a name is, now that its fingerprint is known. `shared`: is_shared; `empty`: it has no bytes."""
    if own.alone or own.equal or empty:
        return Decision(Verdict.SAME)
    open_to = [c for c in candidates if not c.alone and (shared or c.named)]
    if own.equal is None:
        return _of_new_name(own, open_to)
    # A living path with a new payload. What was here a moment ago under another name is the temporary of a program
    # that saves by renaming; only what was known before has been moved here.
    known = [c for c in open_to if c.worked or now_ns - c.seen_ns > SETTLED_NS]
    gone = [c for c in known if not c.present]
    if len(gone) == 1:
        return Decision(Verdict.MOVED, gone[0].stream)
    doubts = _doubts(own, open_to)
    if own.worked or own.others:
        return Decision(Verdict.SUCCEEDED, doubts=doubts)
    return Decision(Verdict.REWRITTEN, doubts=doubts)


def _of_new_name(own: Own, candidates: list[Candidate]) -> Decision:
    gone = [c for c in candidates if not c.present]
    worked = [c for c in gone if c.worked]
    for choice in (worked, gone):
        if len(choice) == 1:
            return Decision(Verdict.MOVED, choice[0].stream)
        if len(choice) > 1:
            named = [c for c in choice if c.named]
            if len(named) == 1:
                return Decision(Verdict.MOVED, named[0].stream)
            break
    doubts = _doubts(own, candidates)
    return Decision(Verdict.COPIED if candidates else Verdict.SAME, doubts=doubts)


def _doubts(own: Own, candidates: list[Candidate]) -> tuple[str, ...]:
    """Work is at stake on one side: both have to be known for certain."""
    worked = tuple(c.stream for c in candidates if c.worked)
    if worked:
        return (own.stream, *worked)
    return (own.stream, candidates[0].stream) if own.worked and candidates else ()


def contradiction(kind: str, old: Mapping[str, Any], new_kind: str, new: Mapping[str, Any]) -> str:
    """Why a payload at the place of another is not that one edited; "" when nothing says so. Arguments are the kinds
    and vocabulary fields before and after."""
    if kind != new_kind:
        return f"it was {kind} and is {new_kind}"
    if kind == "image":
        return _other_image(old, new)
    if kind in ("audio", "video"):
        return _other_recording(old, new)
    return ""


def _other_image(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before = {old.get("document_id"), old.get("original_document_id")} - {None}
    after = {new.get("document_id"), new.get("original_document_id")} - {None}
    if before and after:
        # XMP Specification Part 2, 2.3.1 (Media Management): the id of a document over all its versions.
        return "" if before & after else "another XMP document"
    for name in (*_CONTENT_TIMES, "camera_make", "camera_model", "camera_serial"):
        if name in old and name in new and old[name] != new[name]:
            return f"another {name}"
    return ""


def _other_recording(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before, after = old.get("duration"), new.get("duration")
    if before and after:
        if abs(before - after) <= _SAME_SECONDS:
            return ""  # as long to a tenth of a second: whatever its tags say now
        if abs(before - after) > DURATION_SHARE * max(before, after):
            return "another duration"
    titles = old.get("title"), new.get("title")
    if all(titles) and str(titles[0]).casefold() != str(titles[1]).casefold():
        return "another title"
    return ""
