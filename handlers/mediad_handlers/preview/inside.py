"""What is shown of a file: which of the pictures that lie in it, or the file itself."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from mediad_handlers.kit.api import Handler, HandlerError, Preview, Record
from mediad_handlers.kit.file import MAX_READ, File, Stream
from mediad_handlers.kit.pictures import Inside, collect
from mediad_handlers.kit.sniff import recognise
from mediad_handlers.preview import draw, raw

if TYPE_CHECKING:
    from typing import BinaryIO

# Which picture of a song, film or book is its cover: the first of these kinds that there is.
_COVERS = ("front_cover", "cover_front", "cover", "preview", "media", "other", "leaflet", "illustration")
_LEAST = 32  # pixels: a file icon (ID3v2 picture type 1) is no cover
_RAW = frozenset((
    "dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "sr2", "srf", "orf", "pef", "rw2", "rwl", "iiq", "srw", "erf",
    "kdc", "dcr", "k25", "3fr", "mef", "mos", "raf", "mrw", "x3f", "raw",
))  # fmt: skip


def preview(handler: Handler, file: File, size: int) -> Preview:
    """The preview of a file (`mediad_handlers.preview.make`). Raises HandlerError."""
    found = recognise(file)
    if found is not None and found.handler == "image":
        if draw.decodes(found.format) and found.format not in _RAW:
            return draw.draw(Part(file, 0, file.size), found.format, size, source=found.format)
        return _from_raw(handler, file, size)
    _record, pictures = _read(handler, file)
    covers = [one for one in pictures if not 0 < max(one.width, one.height) < _LEAST]
    if not covers:
        raise HandlerError("unsupported", "there is no picture in this file")
    faults: list[HandlerError] = []
    for cover in sorted(covers, key=_rank):
        try:
            return _draw(file, cover, size, 0)
        except HandlerError as fault:
            if fault.code not in ("corrupt", "unsupported"):
                raise
            faults.append(fault)  # a broken cover has often a whole one behind it
    raise faults[0]


def _read(handler: Handler, file: File) -> tuple[Record, list[Inside]]:
    """The record and the pictures that its reader passed. What a reader found before it gave up counts."""
    record = Record("other", "", "")
    with collect() as pictures:
        try:
            record = handler.read(file)
        except HandlerError as fault:
            if fault.code == "io" or not pictures:
                raise
    return record, pictures


def _rank(picture: Inside) -> tuple[int, int]:
    place = _COVERS.index(picture.type) if picture.type in _COVERS else len(_COVERS)
    return place, -(len(picture.data) or picture.length)


def _from_raw(handler: Handler, file: File, size: int) -> Preview:
    """The smallest JPEG inside that is large enough, else the largest one."""
    record, pictures = _read(handler, file)
    known = {(one.offset, one.length): one for one in [*raw.list_pictures(file), *pictures] if one.offset}
    if not known:
        text = f"{record.format or 'this picture'}: no decoder for it, and no JPEG picture in it"
        raise HandlerError("unsupported", text)
    turn = record.fields.get("orientation")
    order = sorted(known.values(), key=lambda one: (max(one.width, one.height) < size, _distance(one, size)))
    faults: list[HandlerError] = []
    for picture in order:
        try:
            return _draw(file, picture, size, turn if type(turn) is int else 1)
        except HandlerError as fault:
            if fault.code not in ("corrupt", "unsupported"):
                raise
            faults.append(fault)
    raise faults[0]


def _distance(picture: Inside, size: int) -> int:
    return abs(max(picture.width, picture.height) - size)


def _draw(file: File, picture: Inside, size: int, turn: int) -> Preview:
    stream: BinaryIO | Part
    if picture.data:
        stream, head = io.BytesIO(picture.data), picture.data[:16]
    else:
        stream, head = Part(file, picture.offset, picture.length), file.read(picture.offset, 16)
    format = draw.guess(head)
    if not format:
        raise HandlerError("unsupported", "the picture inside has no format that is decoded here")
    return draw.draw(stream, format, size, source=picture.type, turn=turn)


class Part(Stream):
    """A stretch of a file as a file of its own. Decoders that want all of it at once get it: draw has reckoned it."""

    def __init__(self, file: File, offset: int, length: int) -> None:
        super().__init__(file)
        self._offset = offset
        self._size = max(0, min(length, file.size - offset))
        self._block = b""

    def _fetch(self, position: int, size: int) -> bytes:
        place, end = self._offset + position, self._offset + position + size
        if size <= MAX_READ:
            return self.file.read(place, size)
        return b"".join(self.file.read(at, min(MAX_READ, end - at)) for at in range(place, end, MAX_READ))
