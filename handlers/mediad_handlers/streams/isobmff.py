"""Tracks and payload of MP4, M4A, MOV, 3GP.

Sources: ISO/IEC 14496-12 8.7 (stsz, stz2, stsc, stco, co64), 8.8 (moof, traf, tfhd, trun, trex), 14496-14 (esds),
14496-15 (avcC, hvcC).

Payload `isobmff-mdat/1`: the contents of the `mdat` boxes on the top level, in file order. Tag editors move them, or
rewrite `moov` around them, and leave them as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from itertools import accumulate
from struct import unpack_from
from typing import TYPE_CHECKING, NamedTuple

from mediad_handlers.kit.api import HandlerError, Payload, Track
from mediad_handlers.readers.isobmff import Box, Source, big, list_boxes, load_movie
from mediad_handlers.streams import nals
from mediad_handlers.video.tracks import codec_name

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

ALGORITHM = "isobmff-mdat/1"
RANGES = 4096  # mdat boxes of one file: more is a live recording in small pieces, whose payload is the whole file
BLOCK = 64 * 1024  # bytes of a table read at once
FIRST, PIECE = 8 * 1024, 1024 * 1024  # bytes of samples read at once, at first and later
GROUP = 256  # samples of which that is made
SAMPLES = 50_000_000
_KINDS = {b"soun": "audio", b"vide": "video"}
_COVERS = frozenset(("mjpeg", "png", "bmp", "gif"))  # a video track of pictures is a cover
# Object type indications of an elementary stream descriptor (14496-1 table 5, mp4ra.org).
_OBJECTS = {0x40: "aac", 0x66: "aac", 0x67: "aac", 0x68: "aac", 0x69: "mp3", 0x6B: "mp3", 0x20: "mpeg4",
            0x61: "mpeg2video", 0x6A: "mpeg1video", 0xA5: "ac3", 0xA6: "eac3", 0xDD: "vorbis"}  # fmt: skip


def payload(file: File, format: str) -> Payload | None:
    """isobmff-mdat/1; None when there is no mdat, or more than RANGES of them."""
    ranges = [(box.start, box.length) for box in list_boxes(file) if box.kind == b"mdat" and box.length]
    return Payload(ALGORITHM, tuple(ranges)) if 0 < len(ranges) <= RANGES else None


class _Table:
    """Numbers of a table in the file, read in blocks as they are asked for."""

    def __init__(self, source: Source, start: int, count: int, width: int) -> None:
        self._source, self._start, self._width = source, start, width
        self.count = count
        self._first, self._data = 0, b""

    def __getitem__(self, index: int) -> int:
        at = (index - self._first) * self._width
        if not 0 <= at <= len(self._data) - self._width:
            self._first, at = index, 0
            size = min(BLOCK - BLOCK % self._width, (self.count - index) * self._width)
            self._data = self._source.read(self._start + index * self._width, size)
            if len(self._data) < self._width:
                raise HandlerError("corrupt", "a sample table ends early")
        return int.from_bytes(self._data[at : at + self._width], "big")

    def take(self, index: int, count: int) -> tuple[int, ...]:
        """The numbers from `index` on, at most `count` of them, at least one where there is one. Raises HandlerError as
        above."""
        count = min(count, self.count - index)
        if count <= 0:
            return ()
        self[index]
        at = (index - self._first) * self._width
        count = min(count, (len(self._data) - at) // self._width)
        return unpack_from(f">{count}{'Q' if self._width == 8 else 'I'}", self._data, at)


class _Description(NamedTuple):
    codec: str
    lengths: int  # bytes of a NAL unit's length; 0: not such a codec


def tracks(file: File, format: str) -> Sequence[Track]:
    """The audio and video tracks. Raises HandlerError `corrupt` when there is no moov."""
    boxes = list_boxes(file)
    moov = next((box for box in boxes if box.kind == b"moov"), None)
    if moov is None:
        raise HandlerError("corrupt", "there is no moov box")
    source = load_movie(file, moov)
    fragments = [box for box in boxes if box.kind == b"moof"]
    found: list[Track] = []
    for trak in source.children(moov):
        if trak.kind != b"trak":
            continue
        handler = source.find(trak, b"mdia", b"hdlr")
        table = source.find(trak, b"mdia", b"minf", b"stbl")
        header = source.find(trak, b"tkhd")
        if handler is None or table is None or header is None:
            continue
        kind = _KINDS.get(source.read(handler.start + 8, 4))
        description = _describe(source, table)
        if kind is None or description is None or description.codec in _COVERS:
            continue
        version = source.read(header.start, 1)
        number = big(source.read(header.start + (20 if version == b"\1" else 12), 4), 0, 4)
        if fragments:
            pieces = partial(_fragmented, file, fragments, number)
        else:
            pieces = partial(_samples, file, source, table, not description.lengths)
        found.append(Track(number, kind, description.codec, _normalised(description, pieces)))
    return found


def _describe(source: Source, table: Box) -> _Description | None:
    """Codec of the first sample description."""
    stsd = source.find(table, b"stsd")
    entry = next(source.walk(stsd.start + 8, stsd.end), None) if stsd is not None else None
    if entry is None:
        return None
    codec = codec_name(entry.kind.decode("latin-1"))
    data = source.read(entry.start, min(entry.length, 4096))
    if codec is None:
        return None
    if codec in nals.CODECS:
        at, place = (data.find(b"avcC"), 8) if codec == "h264" else (data.find(b"hvcC"), 25)
        return _Description(codec, (data[at + place] & 3) + 1) if 0 <= at and at + place < len(data) else None
    at = data.find(b"esds")
    if at >= 0:
        tag = data.find(b"\4", at + 8)
        while 0 <= tag < at + 40:  # DecoderConfigDescriptor behind the size, which has one to four bytes
            place = tag + 1
            while place < len(data) and data[place] & 0x80 and place < tag + 4:
                place += 1
            kind = data[place + 1] if place + 1 < len(data) else 0
            if kind in _OBJECTS:
                return _Description(_OBJECTS[kind], 0)
            tag = data.find(b"\4", tag + 1)
    return _Description(codec, 0)


def _normalised(description: _Description, pieces: Callable[[], Iterator[bytes]]) -> Callable[[], Iterator[bytes]]:
    """The packets: as they are, or with NAL units in the common form."""

    def packets() -> Iterator[bytes]:
        return nals.from_lengths(description.codec, pieces(), description.lengths)

    return packets if description.lengths else pieces


def _samples(file: File, source: Source, table: Box, whole: bool) -> Iterator[bytes]:
    """The bytes of each sample in decoding order; with `whole` neighbours may come as one."""
    boxes = {box.kind: box for box in source.children(table)}
    sizes, offsets, runs = boxes.get(b"stsz"), boxes.get(b"stco") or boxes.get(b"co64"), boxes.get(b"stsc")
    if sizes is None or offsets is None or runs is None:
        raise HandlerError("corrupt", "a track has no sample table")
    same, count = big(source.read(sizes.start + 4, 8), 0, 4), big(source.read(sizes.start + 8, 4), 0, 4)
    wide = 8 if offsets.kind == b"co64" else 4
    chunks = _Table(
        source, offsets.start + 8, min(big(source.read(offsets.start + 4, 4), 0, 4), offsets.length // wide), wide
    )
    each = _Table(source, sizes.start + 12, min(count, sizes.length // 4), 4)
    entries = min(big(source.read(runs.start + 4, 4), 0, 4), runs.length // 12)
    table_of_runs = _Table(source, runs.start + 8, entries * 3, 4)
    if not entries or count > SAMPLES:
        raise HandlerError("corrupt", "a track has no chunks or too many samples")
    sample = 0
    run = 0
    group = FIRST
    per, until = table_of_runs[1], 0  # the samples of a chunk, and the chunk up to which that holds
    known = table_of_runs.take(0, 3 * GROUP)  # (first chunk, samples of a chunk, description) of the first runs
    places: tuple[int, ...] = ()  # of chunks, from number `base` on
    base = 0
    for chunk in range(chunks.count):
        if chunk >= until:
            while run + 1 < entries:
                place = (run + 1) * 3
                until = (known[place] if place < len(known) else table_of_runs[place]) - 1
                if until > chunk:
                    break
                run += 1
            else:
                until = chunks.count
            place = run * 3 + 1
            per = known[place] if place < len(known) else table_of_runs[place]
        if chunk - base >= len(places):
            base, places = chunk, chunks.take(chunk, GROUP)
        at = places[chunk - base]
        left = min(per, count - sample)
        while left > 0:
            if same:
                sizes_of = (same,) * min(left, max(1, group // same))
            else:
                sizes_of = each.take(sample, min(left, GROUP))
                if not sizes_of:
                    return  # the table ends: no sample that follows has a size
            total = sum(sizes_of)
            if total > group and len(sizes_of) > 1:
                place = next(place for place, end in enumerate(accumulate(sizes_of), 1) if end >= group)
                sizes_of = sizes_of[:place]
                total = sum(sizes_of)
            if whole and total <= 2 * PIECE and at + total <= file.size:
                yield file.read(at, total)
            else:
                yield from _read_group(file, at, sizes_of, total)
            at += total
            sample += len(sizes_of)
            left -= len(sizes_of)
            group = min(group * 2, PIECE)
        if sample >= count:
            return


def _read_group(file: File, at: int, sizes: tuple[int, ...], total: int) -> Iterator[bytes]:
    """Samples behind each other, each by itself; in one read where they lie in the file and are of a usual size."""
    if total > 2 * PIECE or at + total > file.size:
        for size in sizes:
            yield from _read(file, at, size)
            at += size
        return
    data = file.read(at, total)
    start = 0
    for size in sizes:
        if size:
            yield data[start : start + size]
            start += size


def _read(file: File, at: int, size: int) -> Iterator[bytes]:
    """A sample, whole. Raises HandlerError `corrupt` when it lies outside of the file, `limit` when it is too large."""
    if not size:
        return
    if at + size > file.size:
        raise HandlerError("corrupt", f"a sample of {size} bytes at {at} lies outside of the file")
    yield file.read(at, size)


def _fragmented(file: File, fragments: list[Box], number: int) -> Iterator[bytes]:
    """The samples of a track in movie fragments (8.8)."""
    for moof in fragments:
        source = Source(file.read)
        source.load(moof.start, min(moof.length, 4 * PIECE))
        origin = moof.start - 8
        for traf in source.children(moof):
            header = source.find(traf, b"tfhd") if traf.kind == b"traf" else None
            if header is None:
                continue
            data = source.content(header, 64)
            flags, track = big(data, 1, 3), big(data, 4, 4)
            if track != number:
                continue
            at = 8
            base = origin
            if flags & 1:
                base, at = big(data, at, 8), at + 8
            at += 4 * bin(flags & 0xA).count("1")
            default = big(data, at, 4) if flags & 0x10 else 0
            place = base
            for run in source.children(traf):
                if run.kind == b"trun":
                    place = yield from _run(file, source, run, base, place, default)


def _run(file: File, source: Source, run: Box, base: int, place: int, default: int) -> Generator[bytes, None, int]:
    """The samples of a track run; returns where the next run goes on."""
    data = source.content(run)
    flags, count = big(data, 1, 3), big(data, 4, 4)
    at = 8
    if flags & 1:
        place, at = base + int.from_bytes(data[at : at + 4], "big", signed=True), at + 4
    at += 4 if flags & 4 else 0
    width = 4 * bin(flags & 0xF00).count("1")
    skip = 4 if flags & 0x100 else 0
    if width and count > (len(data) - at) // width:
        raise HandlerError("corrupt", "a track run ends early")
    for _ in range(min(count, SAMPLES)):
        size = big(data, at + skip, 4) if flags & 0x200 else default
        yield from _read(file, place, size)
        place += size
        at += width
    return place
