"""Checksums of a file or of its payload: all digests in one read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mediad_handlers.kit.api import HandlerError, Payload
from mediad_handlers.kit.fingerprint import clip

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

CHUNK = 256 * 1024  # bytes a read: the fastest size that was measured
ALGORITHMS = ("md5", "sha1", "sha256")


def digest(
    file: File,
    payload: Payload,
    algorithms: Sequence[str] = ALGORITHMS,
    progress: Callable[[int], object] | None = None,
) -> tuple[dict[str, bytes], int]:
    """({algorithm: digest}, bytes hashed) of the payload's prefix and then its ranges or decoded bytes: the digest of
    `whole/1` is the one that md5sum or sha256sum print. `progress(bytes so far)` is called after each chunk.

    Raises HandlerError `unsupported` for an algorithm not in ALGORITHMS, `io` when a read fails or the file became
    shorter than its payload."""
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        raise HandlerError("unsupported", f"checksum algorithms are {', '.join(ALGORITHMS)}")
    hashes: dict[str, Any] = {name: hashlib.new(name, payload.prefix, usedforsecurity=False) for name in algorithms}
    updates = [one.update for one in hashes.values()]
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    done = len(payload.prefix)
    if payload.decoded is not None:
        for piece in payload.decoded():
            for update in updates:
                update(piece)
            done += len(piece)
            if progress is not None:
                progress(done)
        return {name: one.digest() for name, one in hashes.items()}, done
    for offset, length in clip(payload.ranges, file.size):
        while length > 0:
            count = _read_into(file, view[: min(CHUNK, length)], offset)
            for update in updates:
                update(view[:count])
            offset += count
            length -= count
            done += count
            if progress is not None:
                progress(done)
    return {name: one.digest() for name, one in hashes.items()}, done


def _read_into(file: File, view: memoryview, offset: int) -> int:
    try:
        count = os.preadv(file.fd, [view], offset)
    except OSError as fault:
        raise HandlerError("io", f"read at {offset}: {fault.strerror}") from fault
    if not count:
        raise HandlerError("io", f"the file became shorter: nothing at {offset}")
    file.bytes_read += count
    return count
