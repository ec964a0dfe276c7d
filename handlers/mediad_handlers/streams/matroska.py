"""Tracks and payload of Matroska and WebM.

Sources: RFC 9559 5.1.3 (Cluster, SimpleBlock, BlockGroup), 5.1.4 (Tracks), 5.1.4.1.31 (ContentEncodings), 10 (block
structure, lacing), RFC 8794 (EBML).

Payload `matroska-clusters/1`: from the first Cluster to the end of the last one. mkvpropedit and tag editors rewrite
what stands in front and behind (SeekHead, Info, Tracks, Tags, Attachments, Cues, Void).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import HandlerError, Payload, Track
from mediad_handlers.readers.ebml import Element, Reader, parse_header
from mediad_handlers.streams import nals
from mediad_handlers.video.tracks import codec_name

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

ALGORITHM = "matroska-clusters/1"
SEGMENT, CLUSTER, TRACKS, SEEK_HEAD = 0x18538067, 0x1F43B675, 0x1654AE6B, 0x114D9B74
# Level-1 elements: what may stand behind the last cluster.
LEVEL1 = frozenset((SEEK_HEAD, 0x1549A966, TRACKS, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0xEC, 0xBF))
BEFORE = 1000  # elements in front of the first cluster
FIRST, WINDOW = 32 * 1024, 1024 * 1024  # bytes of the first and of later reads
FRAME = 16 * 1024 * 1024


def _segment(file: File) -> tuple[Reader, Element]:
    """A reader with a budget of its own, and the segment, which is found once a file."""
    reader = Reader(file.read, file.head)
    if "segment" not in file.memo:
        file.memo["segment"] = next((one for one in reader.walk(0, file.size) if one.id == SEGMENT), None)
    segment: Element | None = file.memo["segment"]
    if segment is None:
        raise HandlerError("corrupt", "there is no Segment")
    return reader, segment


def _first_cluster(file: File, reader: Reader, segment: Element) -> tuple[int, Element] | None:
    """(offset of the first cluster's header, the cluster); found once a file."""
    if "cluster" not in file.memo:
        file.memo["cluster"] = _find_cluster(reader, segment)
    found: tuple[int, Element] | None = file.memo["cluster"]
    return found


def _find_cluster(reader: Reader, segment: Element) -> tuple[int, Element] | None:
    at = segment.start
    for _ in range(BEFORE):
        element = reader.header(at, segment.end)
        if element is None:
            return None
        if element.id == CLUSTER:
            return at, element
        at = element.end
    return None


def payload(file: File, format: str) -> Payload | None:
    """matroska-clusters/1; None when there is no cluster. The end of the last cluster is found backwards from the end
    of the segment: the elements behind it are taken away by their own headers, which the first SeekHead places; without
    one it is the end of the segment."""
    reader, segment = _segment(file)
    found = _first_cluster(file, reader, segment)
    if found is None:
        return None
    begin, first = found
    ends = [place for place in _seek_positions(reader, segment) if first.end <= place < segment.end]
    end = min(ends, default=segment.end)
    # A Void that mkvpropedit left between the last cluster and the first element behind it counts with the clusters of
    # nobody: the chain of clusters is walked where it is short.
    at = begin
    for _ in range(4096):
        element = reader.header(at, segment.end)
        if element is None or element.id != CLUSTER:
            end = at if at > begin else end
            break
        at = element.end
    return Payload(ALGORITHM, ((begin, end - begin),)) if end > begin else None


def _seek_positions(reader: Reader, segment: Element) -> list[int]:
    """Where the SeekHead says that the elements of level 1 are."""
    found = []
    element = next(
        (one for one in reader.walk(segment.start, min(segment.start + 4096, segment.end)) if one.id == SEEK_HEAD), None
    )
    for seek in reader.children(element) if element is not None else ():
        for part in reader.children(seek) if seek.id == 0x4DBB else ():
            if part.id == 0x53AC:
                found.append(segment.start + reader.number(part))
    return found


@dataclass(slots=True)
class _Entry:
    """A TrackEntry: what its blocks need."""

    number: int = 0
    kind: str = ""
    codec: str = ""
    stripped: bytes = b""  # ContentCompSettings of header stripping
    inflate: bool = False
    unknown: bool = False  # an encoding that is not undone here
    lengths: int = 0


def tracks(file: File, format: str) -> Sequence[Track]:
    """The audio and video tracks. Raises HandlerError `corrupt` without segment or tracks."""
    reader, segment = _segment(file)
    entries: list[_Entry] = []
    at = segment.start
    for _ in range(BEFORE):
        element = reader.header(at, segment.end)
        if element is None or element.id == CLUSTER:
            break
        if element.id == TRACKS:
            entries = [_read_entry(reader, one) for one in reader.children(element) if one.id == 0xAE]
            break
        at = element.end
    found = _first_cluster(file, reader, segment)
    if not entries or found is None:
        raise HandlerError("corrupt", "there are no tracks or no clusters")
    wanted = [one for one in entries if one.kind and one.codec and not one.unknown]
    return [Track(one.number, one.kind, one.codec, _packets(file, segment, found[0], one)) for one in wanted]


def _read_entry(reader: Reader, entry: Element) -> _Entry:
    one = _Entry()
    private = b""
    for part in reader.children(entry):
        if part.id == 0xD7:
            one.number = reader.number(part)
        elif part.id == 0x83:
            one.kind = {1: "video", 2: "audio"}.get(reader.number(part), "")
        elif part.id == 0x86:
            one.codec = codec_name(reader.text(part)) or ""
        elif part.id == 0x63A2:
            private = reader.data(part)
        elif part.id == 0x6D80:
            _read_encodings(reader, part, one)
    if one.codec == "h264" and len(private) > 4:
        one.lengths = (private[4] & 3) + 1
    elif one.codec == "hevc" and len(private) > 21:
        one.lengths = (private[21] & 3) + 1
    return one


def _read_encodings(reader: Reader, encodings: Element, one: _Entry) -> None:
    for encoding in reader.children(encodings):
        kind, settings = 0, b""
        compressed = False
        for part in reader.children(encoding):
            if part.id == 0x5034:
                compressed = True
                for setting in reader.children(part):
                    if setting.id == 0x4254:
                        kind = reader.number(setting)
                    elif setting.id == 0x4255:
                        settings = reader.data(setting)
            elif part.id == 0x5035:
                one.unknown = True
        if compressed:
            one.stripped = settings if kind == 3 else b""
            one.inflate = kind == 0
            one.unknown = one.unknown or kind not in (0, 3)


def _packets(file: File, segment: Element, begin: int, entry: _Entry) -> Callable[[], Iterator[bytes]]:
    def packets() -> Iterator[bytes]:
        frames = _frames(file, segment, begin, entry)
        return nals.from_lengths(entry.codec, frames, entry.lengths) if entry.lengths else frames

    return packets


def _frames(file: File, segment: Element, begin: int, entry: _Entry) -> Iterator[bytes]:
    """The frames of a track in the order of the clusters. The first blocks are found once a file, for all tracks."""
    window = _Window(file)
    if "blocks" not in file.memo:
        file.memo["blocks"] = _list_blocks(file.head, begin, segment.end)
    blocks, at = file.memo["blocks"]
    for number, start, end in blocks:
        if number == entry.number:
            yield from _block(window, start, end, entry)
    end = segment.end
    while at < end:
        data, place, base = window.view(at)
        found = parse_header(data, place)
        if found is None:
            return
        number, start, size = found
        start += base
        if number == CLUSTER or number == 0xA0:
            at = start  # their children follow; a cluster of unknown size needs no end
            continue
        at = end if size < 0 or start + size > end else start + size
        if number == 0xA3 or number == 0xA1:
            yield from _block(window, start, at, entry)


def _list_blocks(data: bytes, at: int, end: int) -> tuple[list[tuple[int, int, int]], int]:
    """([(track, start, end)] of the blocks whose beginning is in `data`, a file's head; the offset behind them)."""
    found: list[tuple[int, int, int]] = []
    inside = min(end, len(data) - 12)
    while at < inside:
        first = data[at]
        if first == 0xA3 and data[at + 1] >= 0x40:  # a SimpleBlock of less than 16 KiB, as nearly all are
            if data[at + 1] >= 0x80:
                start, size = at + 2, data[at + 1] & 0x7F
            else:
                start, size = at + 3, (data[at + 1] & 0x3F) << 8 | data[at + 2]
            if size == (0x7F if start == at + 2 else 0x3FFF):
                break  # an unknown size, which no block may have
            number = first
        else:
            header = parse_header(data, at)
            if header is None:
                break
            number, start, size = header
            if number == CLUSTER or number == 0xA0:
                at = start
                continue
            if size < 0:
                break
        following = start + size if start + size < end else end
        if number == 0xA3 or number == 0xA1:
            track = _track_of(data, start)
            if track < 0:
                break
            found.append((track, start, following))
        at = following
    return found, at


def _track_of(data: bytes, at: int) -> int:
    """The track number at the beginning of a block; -1 when `data` does not hold it."""
    if at >= len(data):
        return -1
    first = data[at]
    if first >= 0x80:
        return first & 0x7F
    width = 9 - first.bit_length()
    if not first or at + width > len(data):
        return -1
    return int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)


class _Window:
    """Reads a file forwards, from FIRST bytes at a time to WINDOW: the key of a track's beginning needs little."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._start, self._data = 0, file.head
        self._next = FIRST

    def read(self, at: int, size: int) -> bytes:
        place = at - self._start
        if not 0 <= place <= len(self._data) - size:
            self._load(at, size)
            place = 0
        return self._data[place : place + size]

    def view(self, at: int) -> tuple[bytes, int, int]:
        """(bytes, the place of `at` in them, the offset of the first of them); a whole header is there where the file
        has one."""
        place = at - self._start
        if not 0 <= place <= len(self._data) - 12:
            self._load(at, 12)
        return self._data, at - self._start, self._start

    def _load(self, at: int, size: int) -> None:
        if at + size <= self._start + len(self._data) and at >= self._start:
            return
        self._data = self._file.read(at, min(max(self._next, size), self._file.size - at))
        self._start = at
        self._next = min(self._next * 2, WINDOW)


def _block(window: _Window, start: int, end: int, entry: _Entry) -> Iterator[bytes]:
    """The frames of a block of this track (section 10.3: lacing)."""
    size = end - start
    if not 4 <= size <= FRAME:
        return
    head = window.read(start, min(size, 12))
    if not head or head[0] < 1:
        return
    width = 9 - head[0].bit_length()
    number = int.from_bytes(head[:width], "big") & ((1 << 7 * width) - 1)
    if number != entry.number:
        return
    data = window.read(start, size)[width + 3 :]
    lacing = head[width + 2] >> 1 & 3
    for frame in [data] if not lacing else _unlace(data, lacing):
        yield _decode(frame, entry)


def _unlace(data: bytes, lacing: int) -> list[bytes]:
    count = data[0] + 1 if data else 0
    at = 1
    sizes: list[int] = []
    if lacing == 1:
        for _ in range(count - 1):
            size = 0
            while at < len(data):
                size += data[at]
                at += 1
                if data[at - 1] != 255:
                    break
            sizes.append(size)
    elif lacing == 3:
        for index in range(count - 1):
            if at >= len(data) or not data[at]:
                return []
            width = 9 - data[at].bit_length()
            value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
            at += width
            sizes.append(value if not index else sizes[-1] + value - ((1 << 7 * width - 1) - 1))
    elif count:
        sizes = [(len(data) - 1) // count] * (count - 1)
    frames: list[bytes] = []
    for size in sizes:
        if size < 0:
            return frames
        frames.append(data[at : at + size])
        at += size
    frames.append(data[at:])
    return frames


def _decode(frame: bytes, entry: _Entry) -> bytes:
    if not entry.inflate:
        return entry.stripped + frame
    try:
        return zlib.decompressobj().decompress(frame, FRAME)
    except zlib.error as fault:
        raise HandlerError("corrupt", f"a compressed block: {fault}") from fault
