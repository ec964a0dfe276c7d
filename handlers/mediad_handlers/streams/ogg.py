"""Tracks and payload of Ogg.

Sources: RFC 3533 (pages, packets); Vorbis I 4.2.1, RFC 7845 3, RFC 9639 10.1, Theora I 6.1, Speex manual 7.1 (header
packets).

Payload `ogg-data/1`: the pages behind the last header packet, with the fields that tag editors rewrite taken out of
account: bounded samples start at the first page of data, and a sample is of packet bytes only where it says so, so the
fingerprint is made of the prefix: the identification headers and the last granule position of each stream, and the
length of all data pages; the checksum is that of all packets behind the headers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import HandlerError, Payload, Track
from mediad_handlers.readers.ogg import NONE, last_granules, list_streams

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

ALGORITHM = "ogg-data/1"
PACKET = 16 * 1024 * 1024
HEADS = 4096  # pages of headers
# (beginning of the identification packet, kind, codec, header packets; 0: FLAC says how many)
MAPPINGS: tuple[tuple[bytes, str, str, int], ...] = (
    (b"\1vorbis", "audio", "vorbis", 3), (b"OpusHead", "audio", "opus", 2), (b"\x7fFLAC", "audio", "flac", 0),
    (b"Speex   ", "audio", "speex", 2), (b"\x80theora", "video", "theora", 3),
)  # fmt: skip


def _describe(first: bytes) -> tuple[str, str, int] | None:
    for magic, kind, codec, headers in MAPPINGS:
        if first.startswith(magic):
            if not headers:
                headers = 1 + int.from_bytes(first[7:9], "big") if len(first) >= 9 else 0
            return kind, codec, headers or 0xFFFF
    return None


def tracks(file: File, format: str) -> Sequence[Track]:
    """The audio and video streams. Raises HandlerError `corrupt` when none is known."""
    found: list[Track] = []
    for number, stream in enumerate(list_streams(file, 1), 1):
        row = _describe(stream.packets[0]) if stream.packets else None
        if row is not None:
            found.append(Track(number, row[0], row[1], partial(_packets, file, stream.serial, row[2], row[1])))
    if not found:
        raise HandlerError("corrupt", "no stream of a known codec")
    return found


def _packets(file: File, serial: int, headers: int, codec: str) -> Iterator[bytes]:
    """The packets of one logical stream behind its headers."""
    held: list[bytes] = []
    size = number = 0
    for lacing, body, one, continued in iterate_pages(file, 0):
        if one != serial:
            continue
        if not continued:
            held, size = [], 0
        at = 0
        for length in lacing:
            held.append(body[at : at + length])
            at += length
            size += length
            if size > PACKET:
                raise HandlerError("limit", f"a packet of more than {PACKET} bytes")
            if length < 255:
                packet = b"".join(held)
                held, size = [], 0
                number += 1
                if codec == "flac" and headers == 0xFFFF:
                    if number > 1 and packet[:1] == b"\xff":
                        yield packet
                elif number > headers:
                    yield packet


def iterate_pages(file: File, at: int) -> Iterator[tuple[bytes, bytes, int, bool]]:
    """(lacing values, body, serial number, continues a packet) of each page from `at`; ends at what is no page."""
    while at + 27 <= file.size:
        head = file.read(at, 27 + 255)
        if head[:4] != b"OggS":
            return
        lacing = head[27 : 27 + head[26]]
        size = sum(lacing)
        body = head[27 + len(lacing) : 27 + len(lacing) + size]
        if len(body) < size:
            body = file.read(at + 27 + len(lacing), size)
        yield lacing, body, int.from_bytes(head[14:18], "little"), bool(head[5] & 1)
        at += 27 + len(lacing) + size


def payload(file: File, format: str) -> Payload | None:
    """ogg-data/1; None when the headers do not end within HEADS pages."""
    streams = list_streams(file, 1)
    rows = [(stream, _describe(stream.packets[0])) for stream in streams if stream.packets]
    known = [(stream, row) for stream, row in rows if row is not None]
    if not known:
        return None
    start = _data_start(file, {stream.serial: row[2] for stream, row in known if row[2] != 0xFFFF})
    if start is None or start > file.size:
        return None
    if any(len(stream.packets[0]) > 0xFFFF for stream, _ in known):
        return None  # no identification header is as long
    granules = last_granules(file)
    prefix = b""
    for stream, _ in known:
        granule = granules.get(stream.serial, NONE)
        prefix += len(stream.packets[0]).to_bytes(2, "big") + stream.packets[0] + granule.to_bytes(8, "big")
    prefix += (file.size - start).to_bytes(8, "big") + _first_bodies(file, start)
    return Payload(ALGORITHM, (), prefix, lambda: _all_packets(file))


def _all_packets(file: File) -> Iterator[bytes]:
    for track in tracks(file, ""):
        yield from track.packets()


def _first_bodies(file: File, start: int) -> bytes:
    """The bodies of the first pages of data, at most 4 KiB: page headers change when the comments grow."""
    out = b""
    for _, body, _, _ in iterate_pages(file, start):
        out += body
        if len(out) >= 4096:
            break
    return out[:4096]


def _data_start(file: File, headers: dict[int, int]) -> int | None:
    """Where the page stands behind the one on which the last header packet ends (every mapping begins data on a new
    page)."""
    left = dict(headers)
    at = 0
    for _ in range(HEADS):
        if all(count <= 0 for count in left.values()):
            return at
        head = file.read(at, 27)
        if len(head) < 27 or head[:4] != b"OggS":
            return None
        lacing = file.read(at + 27, head[26])
        serial = int.from_bytes(head[14:18], "little")
        if serial in left:
            left[serial] -= sum(one < 255 for one in lacing)
        at += 27 + len(lacing) + sum(lacing)
    return None
