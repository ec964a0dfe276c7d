"""The fingerprint of a payload: bounded reads, at first sight (settled 3).

Definition (never changed under the same algorithm name; vectors: tests/data/vectors/streams.json):

    BLAKE2b with a 16-byte digest (RFC 7693), without key, salt or personalisation, over
      1. the algorithm's name in ASCII, then one zero byte
      2. the length of the prefix, 4 bytes big-endian, then the prefix
      3. the length of the payload (all ranges, without the prefix), 8 bytes big-endian
      4. the payload itself when it has at most WHOLE bytes; otherwise SAMPLES blocks of SAMPLE bytes, block i from
         position floor(i * (length - SAMPLE) / (SAMPLES - 1)) of the ranges joined end to end:
         the first is the payload's beginning, the last its end, the rest lie evenly between.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import Payload

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

WHOLE = 64 * 1024  # payload bytes up to which all of it is hashed
SAMPLE = 4096  # bytes of one sample: a page, and a sector of today's disks
SAMPLES = 8
DIGEST = 16  # bytes


def whole(file: File) -> Payload:
    """The payload of a format without a stream of its own: every byte of the file."""
    return Payload("whole/1", ((0, file.size),))


def fingerprint(file: File, payload: Payload) -> bytes:
    """The DIGEST bytes of the definition above. Raises HandlerError `io` when a read fails."""
    ranges = clip(payload.ranges, file.size)
    total = sum(length for _, length in ranges)
    digest = blake2b(digest_size=DIGEST)
    digest.update(
        payload.algorithm.encode("ascii")
        + b"\0"
        + len(payload.prefix).to_bytes(4, "big")
        + payload.prefix
        + total.to_bytes(8, "big")
    )
    if total <= WHOLE:
        for offset, length in ranges:
            digest.update(file.read(offset, length))
        return digest.digest()
    span = total - SAMPLE
    if len(ranges) == 1:
        start = ranges[0][0]
        for index in range(SAMPLES):
            digest.update(file.read(start + index * span // (SAMPLES - 1), SAMPLE))
    else:
        for index in range(SAMPLES):
            digest.update(_read_across(file, ranges, index * span // (SAMPLES - 1), SAMPLE))
    return digest.digest()


def clip(ranges: tuple[tuple[int, int], ...], size: int) -> tuple[tuple[int, int], ...]:
    """`ranges` without what lies past the end of a file of `size` bytes."""
    kept = ((offset, min(length, size - offset)) for offset, length in ranges)
    return tuple((offset, length) for offset, length in kept if length > 0)


def _read_across(file: File, ranges: tuple[tuple[int, int], ...], position: int, length: int) -> bytes:
    """`length` bytes from `position` of the ranges joined end to end."""
    parts: list[bytes] = []
    for offset, extent in ranges:
        if position >= extent:
            position -= extent
            continue
        take = min(length, extent - position)
        parts.append(file.read(offset + position, take))
        length -= take
        position = 0
        if not length:
            break
    return b"".join(parts)
