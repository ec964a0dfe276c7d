"""Identity of audio and video: the payload of each container, the tracks in it, the keys made of them (settled 2-6).

`payload_of(file, format)` is the container's own payload for the fingerprint; `tracks_of(file, format)` the audio and
video tracks as runs of the codec's bytes, equal in every container that holds them; `head_keys` and `whole_keys` the
keys. The table: docs/handlers.md, What counts as payload.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from hashlib import blake2b, sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import HandlerError, Payload, Track

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

HEAD = 8 * 1024  # bytes of a track that its key is made of
HEAD_ALGORITHM = "track-head/1"
TRACK_ALGORITHM = "track-packets/1"
SET_ALGORITHM = "av-tracks/1"
PCM_ALGORITHM = "pcm-md5/1"
MAX_TRACKS = 64
_ISO = ("mp4", "m4v", "mov", "m4a", "3gp", "3g2")
_OGG = ("ogg", "opus", "speex", "oggflac", "ogv")
_MKV = ("mkv", "webm", "mka", "mk3d")
# format -> module that knows its tracks
TRACKS = {**dict.fromkeys(_ISO, "isobmff"), **dict.fromkeys(_OGG, "ogg"), **dict.fromkeys(_MKV, "matroska"),
          "mp3": "frames", "flac": "frames", "aac": "frames", "mpegts": "transport", "m2ts": "transport",
          "flv": "flash"}  # fmt: skip
# format -> module that knows its payload, where the handler's reader has not given one
PAYLOADS = {**dict.fromkeys(_ISO, "isobmff"), **dict.fromkeys(_OGG, "ogg"), **dict.fromkeys(_MKV, "matroska"),
            **dict.fromkeys(("aac", "wav", "aiff", "wma", "asf", "wmv", "ape", "wavpack", "musepack", "tta", "dsf",
            "dff", "ac3", "avi", "flv", "mpc", "tak", "optimfrog"), "regions")}  # fmt: skip


# Every module that the above imports when a file asks for it: a locked-down worker must have them before.
PRELOAD = (
    *(f"mediad_handlers.streams.{one}" for one in ("flash", "frames", "isobmff", "matroska", "ogg", "regions",
                                                  "transport")),
    "mediad_handlers.audio.frames", "mediad_handlers.audio.vorbis", "mediad_handlers.video.mpegts",
)  # fmt: skip


@cache
def _function(module: str, name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(import_module(f"mediad_handlers.streams.{module}"), name)
    return found


def payload_of(file: File, format: str) -> Payload | None:
    """The payload of a file of this format, from bounded reads; None when the format has none of its own, or this file
    is not built as the format asks."""
    module = PAYLOADS.get(format)
    if module is None:
        return None
    try:
        found: Payload | None = _function(module, "payload")(file, format)
    except HandlerError as fault:
        if fault.code == "io":
            raise
        return None
    return found


def tracks_of(file: File, format: str) -> Sequence[Track]:
    """The audio and video tracks; () when the format is not demultiplexed here. Raises HandlerError `corrupt`,
    `limit`."""
    module = TRACKS.get(format)
    if module is None:
        return ()
    found: Sequence[Track] = _function(module, "tracks")(file, format)
    return found[:MAX_TRACKS]


def head_keys(file: File, format: str) -> list[list[Any]]:
    """[["track", "track-head/1", 16 bytes], ...]: BLAKE2b-128 over kind, codec and the first HEAD bytes of each track.
    A candidate for a remux, no more. What cannot be demultiplexed has none."""
    keys: list[list[Any]] = []
    try:
        for track in tracks_of(file, format):
            head = track.first
            if head is None:
                gathered = bytearray()
                for piece in track.packets():
                    gathered += piece
                    if len(gathered) >= HEAD:
                        break
                head = bytes(gathered[:HEAD])
            if head:
                digest = blake2b(f"{track.kind}\0{track.codec}\0".encode() + head, digest_size=16)
                keys.append(["track", HEAD_ALGORITHM, digest.digest()])
    except HandlerError as fault:
        if fault.code == "io":
            raise
    return keys


def digest_tracks(
    file: File, format: str, algorithms: Sequence[str], progress: Callable[[int], object] | None
) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    """(tracks, keys) of scope `stream`: each track's digests over all its packets, and the keys of the tracks and of
    their set. Raises HandlerError `corrupt`, `limit`, `io`."""
    rows: list[dict[str, Any]] = []
    keys: list[list[Any]] = []
    marks: list[bytes] = []
    done = 0
    for track in tracks_of(file, format):
        hashes = _hashes(algorithms)
        seal = sha256()
        count = 0
        for piece in track.packets():
            seal.update(piece)
            for one in hashes.values():
                one.update(piece)
            count += len(piece)
            if progress is not None:
                progress(done + count)
        done += count
        if not count:
            continue
        value = seal.digest()
        rows.append({
            "number": track.number, "kind": track.kind, "codec": track.codec, "algorithm": TRACK_ALGORITHM,
            "digests": {name: one.digest() for name, one in hashes.items()}, "bytes": count,
        })  # fmt: skip
        keys.append(["checksum", TRACK_ALGORITHM, value])
        marks.append(f"{track.kind}\0{track.codec}\0".encode() + value)
    if marks:
        keys.append(["checksum", SET_ALGORITHM, sha256(b"".join(sorted(marks))).digest()])
    return rows, keys


def _hashes(algorithms: Sequence[str]) -> dict[str, Any]:
    import hashlib

    return {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
