"""Compound files (OLE2) and the property sets in them, bounded.

Sources: MS-CFB 2.1 to 2.6 (header, FAT, DIFAT, mini stream, directory), MS-OLEPS 2.21 (PropertySetStream), 2.20
(PropertySet), 2.15 (TypedPropertyValue), MS-OSHARED 2.3.3 (summary properties).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from mediad_handlers.kit.api import HandlerError

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ENTRIES = 4096  # of the directory
MAX_SECTORS = 1 << 20  # of one chain
FREE, END = 0xFFFFFFFF, 0xFFFFFFFE
MAX_REGULAR = 0xFFFFFFFA
FILETIME_EPOCH = 11644473600  # seconds from 1601 to 1970


class Entry(NamedTuple):
    """One stream of the directory."""

    name: str
    start: int
    size: int
    path: str  # with its storages: "ObjectPool/_1/x"


class Ole:
    """The streams of a compound file. Raises HandlerError `corrupt` when header or directory make no sense."""

    def __init__(self, file: File) -> None:
        head = file.head
        if len(head) < 512 or head[:8] != MAGIC:
            raise HandlerError("corrupt", "not a compound file")
        self._file = file
        shift, mini = struct.unpack_from("<HH", head, 30)
        if shift not in (9, 12) or mini != 6:
            raise HandlerError("corrupt", f"sectors of 2^{shift} bytes, mini sectors of 2^{mini}")
        self._sector = 1 << shift
        first_directory, _, self._cutoff, first_mini, _, first_difat, _ = struct.unpack_from("<IIIIIII", head, 48)
        self._fat_sectors = self._list_fat(head, first_difat)
        self._cache: dict[int, tuple[int, ...]] = {}
        self._mini_start = first_mini
        self._mini_fat: bytes | None = None
        self._root_start = self._root_size = 0
        self.class_id = b""
        self.entries = self._read_directory(first_directory)

    def _list_fat(self, head: bytes, difat: int) -> list[int]:
        """Numbers of the sectors that hold the FAT: 109 in the header, more in the DIFAT chain (MS-CFB 2.5)."""
        found = [one for one in struct.unpack_from("<109I", head, 76) if one < MAX_REGULAR]
        seen: set[int] = set()
        count = self._sector // 4
        while difat < MAX_REGULAR and difat not in seen and len(seen) < 4096:
            seen.add(difat)
            block = self._read_sector(difat)
            if len(block) < self._sector:
                break
            numbers = struct.unpack(f"<{count}I", block)
            found.extend(one for one in numbers[:-1] if one < MAX_REGULAR)
            difat = numbers[-1]
        return found

    def _read_sector(self, number: int, count: int = 1) -> bytes:
        return self._file.read((number + 1) * self._sector, count * self._sector)

    def _next(self, number: int) -> int:
        per = self._sector // 4
        index, place = divmod(number, per)
        if index >= len(self._fat_sectors):
            return END
        table = self._cache.get(index)
        if table is None:
            block = self._read_sector(self._fat_sectors[index])
            block = block.ljust(self._sector, b"\xff")
            table = self._cache[index] = struct.unpack(f"<{per}I", block)
        return int(table[place])

    def _chain(self, start: int, limit: int) -> bytes:
        """At most `limit` bytes of the chain from `start`; runs of sectors in a row are one read."""
        parts: list[bytes] = []
        left = limit
        seen = 0
        while start < MAX_REGULAR and left > 0 and seen < MAX_SECTORS:
            run = 1
            following = self._next(start)
            while following == start + run and run * self._sector < min(left, 1 << 20):
                run += 1
                following = self._next(start + run - 1)
            block = self._read_sector(start, run)
            if not block:
                break
            parts.append(block[:left])
            left -= len(block)
            seen += run
            start = following
        return b"".join(parts)

    def _read_directory(self, start: int) -> dict[str, Entry]:
        """Streams by their path (MS-CFB 2.6); a tree with loops is walked once."""
        data = self._chain(start, MAX_ENTRIES * 128)
        rows = [data[at : at + 128] for at in range(0, len(data) - 127, 128)]
        if not rows or rows[0][66] != 5:
            raise HandlerError("corrupt", "the directory has no root entry")
        self._root_start, self._root_size = struct.unpack_from("<IQ", rows[0], 116)
        self.class_id = rows[0][80:96]
        found: dict[str, Entry] = {}
        seen: set[int] = set()
        stack = [(struct.unpack_from("<I", rows[0], 76)[0], "")]
        while stack:
            index, folder = stack.pop()
            if index >= len(rows) or index in seen:
                continue
            seen.add(index)
            row = rows[index]
            length = struct.unpack_from("<H", row, 64)[0]
            name = row[: max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
            left, right, child = struct.unpack_from("<III", row, 68)
            stack += [(left, folder), (right, folder)]
            if row[66] == 1:
                stack.append((child, f"{folder}{name}/"))
            elif row[66] == 2:
                begin, size = struct.unpack_from("<IQ", row, 116)
                if self._sector == 512:
                    size &= 0xFFFFFFFF  # version 3: the upper half is not defined
                found[folder + name] = Entry(name, begin, min(size, self._file.size), folder + name)
        return found

    def read(self, path: str, limit: int) -> bytes:
        """The first `limit` bytes of a stream; b"" when there is none of that name."""
        entry = self.entries.get(path)
        if entry is None:
            return b""
        limit = min(limit, entry.size)
        if entry.size >= self._cutoff:
            return self._chain(entry.start, limit)
        return self._read_mini(entry.start, limit)

    def _read_mini(self, start: int, limit: int) -> bytes:
        """A small stream, in sectors of 64 bytes within the root's stream (MS-CFB 2.4)."""
        if self._mini_fat is None:
            self._mini_fat = self._chain(self._mini_start, 1 << 22)
        if "mini" not in self._file.memo:
            self._file.memo["mini"] = self._chain(self._root_start, min(self._root_size, 1 << 24))
        stream: bytes = self._file.memo["mini"]
        parts: list[bytes] = []
        left = limit
        seen = 0
        while start < MAX_REGULAR and left > 0 and seen < MAX_SECTORS:
            block = stream[start * 64 : start * 64 + min(64, left)]
            if not block:
                break
            parts.append(block)
            left -= len(block)
            seen += 1
            if start * 4 + 4 > len(self._mini_fat):
                break
            start = struct.unpack_from("<I", self._mini_fat, start * 4)[0]
        return b"".join(parts)


def open_ole(file: File) -> Ole:
    """The compound file of a file, read once."""
    found: Ole | None = file.memo.get("ole")
    if found is None:
        found = file.memo["ole"] = Ole(file)
    return found


class Properties(NamedTuple):
    """A property set: {property id: value}, names of custom properties by id, and its code page's codec."""

    values: dict[int, Any]
    names: dict[int, str]
    codec: str


CODE_PAGES = {932: "cp932", 936: "gb18030", 949: "cp949", 950: "cp950", 1200: "utf-16-le", 1250: "cp1250",
              1251: "cp1251", 1252: "cp1252", 1253: "cp1253", 1254: "cp1254", 1255: "cp1255", 1256: "cp1256",
              1257: "cp1257", 1258: "cp1258", 10000: "mac_roman", 65001: "utf-8", 874: "cp874", 437: "cp437",
              850: "cp850", 852: "cp852", 866: "cp866", 28591: "latin-1", 20866: "koi8_r", 20127: "cp1252"}  # fmt: skip
MAX_PROPERTIES = 1000


def parse_properties(data: bytes) -> list[Properties]:
    """The property sets of a stream (one, or two for DocumentSummaryInformation). What makes no sense is left out."""
    found: list[Properties] = []
    if len(data) < 48 or data[:2] != b"\xfe\xff":
        return found
    count = min(struct.unpack_from("<I", data, 24)[0], 2)
    for index in range(count):
        if len(data) < 48 + index * 20:
            break
        offset = struct.unpack_from("<I", data, 44 + index * 20)[0]
        if offset + 8 <= len(data):
            found.append(_parse_set(data, offset))
    return found


def _parse_set(data: bytes, base: int) -> Properties:
    count = min(struct.unpack_from("<I", data, base + 4)[0], MAX_PROPERTIES)
    places: list[tuple[int, int]] = []
    for index in range(count):
        at = base + 8 + index * 8
        if at + 8 > len(data):
            break
        number, offset = struct.unpack_from("<II", data, at)
        places.append((number, base + offset))
    codec = "cp1252"
    for number, at in places:
        if number == 1 and at + 6 <= len(data):  # CodePage (MS-OLEPS 2.25.2)
            codec = CODE_PAGES.get(struct.unpack_from("<H", data, at + 4)[0], "cp1252")
    values: dict[int, Any] = {}
    names: dict[int, str] = {}
    for number, at in places:
        if number == 0:
            names = _parse_dictionary(data, at, codec)
        else:
            value = _parse_value(data, at, codec)
            if value is not None:
                values[number] = value
    return Properties(values, names, codec)


def _parse_dictionary(data: bytes, at: int, codec: str) -> dict[int, str]:
    """MS-OLEPS 2.17: names of custom properties."""
    found: dict[int, str] = {}
    if at + 4 > len(data):
        return found
    count = min(struct.unpack_from("<I", data, at)[0], MAX_PROPERTIES)
    at += 4
    for _ in range(count):
        if at + 8 > len(data):
            break
        number, length = struct.unpack_from("<II", data, at)
        size = length * 2 if codec == "utf-16-le" else length
        raw = data[at + 8 : at + 8 + min(size, 4096)]
        found[number] = raw.decode(codec, "replace").rstrip("\0")
        at += 8 + (size + 3 & ~3 if codec == "utf-16-le" else size)
    return found


def _parse_value(data: bytes, at: int, codec: str) -> Any:
    """One TypedPropertyValue: text, number, boolean, unix seconds of a FILETIME, or a list of those; else None."""
    if at + 8 > len(data):
        return None
    kind = struct.unpack_from("<H", data, at)[0]
    if kind & 0x1000:
        return _parse_vector(data, at, kind & 0xFFF, codec)
    return _parse_scalar(data, at + 4, kind, codec)[0]


def _parse_vector(data: bytes, at: int, kind: int, codec: str) -> list[Any]:
    count = min(struct.unpack_from("<I", data, at + 4)[0], MAX_PROPERTIES)
    at += 8
    found = []
    for _ in range(count):
        item = kind
        if kind == 0x0C:  # VT_VARIANT: each with its own type
            if at + 4 > len(data):
                break
            item = struct.unpack_from("<H", data, at)[0]
            at += 4
        value, size = _parse_scalar(data, at, item, codec)
        if not size:
            break
        at += size
        if value is not None:
            found.append(value)
    return found


_NUMBERS = {2: "<h", 3: "<i", 4: "<f", 5: "<d", 16: "<b", 17: "<B", 18: "<H", 19: "<I", 20: "<q", 21: "<Q", 22: "<i",
            23: "<I"}  # fmt: skip


def _parse_scalar(data: bytes, at: int, kind: int, codec: str) -> tuple[Any, int]:
    """(value, bytes it takes, with padding); 0 bytes when it does not fit."""
    if kind in _NUMBERS:
        form = _NUMBERS[kind]
        size = struct.calcsize(form)
        if at + size > len(data):
            return None, 0
        return struct.unpack_from(form, data, at)[0], size + 3 & ~3
    if kind == 11 and at + 2 <= len(data):
        return struct.unpack_from("<h", data, at)[0] != 0, 4
    if kind == 64 and at + 8 <= len(data):
        ticks = struct.unpack_from("<Q", data, at)[0]
        return ticks / 10_000_000 - FILETIME_EPOCH if ticks else None, 8
    if kind in (8, 30, 31) and at + 4 <= len(data):
        length = struct.unpack_from("<I", data, at)[0]
        size = length * 2 if kind == 31 else length
        if at + 4 + size > len(data):
            return None, 0
        text = data[at + 4 : at + 4 + size].decode("utf-16-le" if kind == 31 else codec, "replace")
        return text.split("\0")[0], 4 + size + 3 & ~3
    return None, 0
