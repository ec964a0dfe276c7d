"""PNG chunks: ISO/IEC 15948:2004 (PNG, third edition for eXIf and acTL) sections 5.3, 11.3; ImageMagick's "Raw
profile".

Inflation is bounded: MAX_INFLATED bytes a chunk, so that a small file cannot ask for much memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mediad_handlers.kit.api import HandlerError

Fetch = Callable[[int, int], bytes]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 4096  # headers that are looked at
MAX_INFLATED = 1024 * 1024
MAX_BODY = 4 * 1024 * 1024


class Chunk(NamedTuple):
    kind: bytes
    offset: int  # of the data
    length: int


def iterate_chunks(fetch: Fetch, size: int) -> Iterator[Chunk]:
    """The chunks in file order, at most MAX_CHUNKS; ends at IEND and at what does not fit the file.
    Runs of IDAT are skipped by their lengths, 8 bytes read for each."""
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        header = fetch(at, 8)
        if len(header) < 8:
            return
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if length > 0x7FFFFFFF or not kind.isalpha():
            return
        yield Chunk(kind, at + 8, min(length, max(0, size - at - 8)))
        if kind == b"IEND":
            return
        at += 12 + length


def inflate(data: bytes) -> bytes:
    """The inflated bytes. Raises HandlerError `limit` beyond MAX_INFLATED, `corrupt` for what is no zlib stream."""
    try:
        inflater = zlib.decompressobj()
        found = inflater.decompress(data, MAX_INFLATED)
    except zlib.error as fault:
        raise HandlerError("corrupt", f"zlib: {fault}") from fault
    if inflater.unconsumed_tail:
        raise HandlerError("limit", f"more than {MAX_INFLATED} bytes when inflated")
    return found


def read_text(kind: bytes, body: bytes) -> tuple[str, bytes, str]:
    """(keyword, text as bytes, encoding) of a tEXt, zTXt or iTXt chunk. Raises HandlerError as `inflate` does."""
    raw, _, rest = body.partition(b"\0")
    keyword = raw[:79].decode("latin-1")
    if kind == b"tEXt":
        return keyword, rest, "latin-1"
    if kind == b"zTXt":
        return keyword, inflate(rest[1:]), "latin-1"
    compressed = rest[:1] == b"\1"
    _, _, rest = rest[2:].partition(b"\0")  # language tag
    _, _, rest = rest.partition(b"\0")  # translated keyword
    return keyword, inflate(rest) if compressed else rest, "utf-8"


def read_raw_profile(text: bytes) -> bytes:
    """The bytes of a "Raw profile type": newline, name, newline, length, newline, hexadecimal digits."""
    lines = text.strip().split(b"\n", 2)
    if len(lines) < 3:
        return b""
    try:
        return bytes.fromhex(lines[2].decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return b""
