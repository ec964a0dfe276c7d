"""PDF objects, bounded: cross-reference tables and streams, object streams, filters, strings.

Source: ISO 32000-1: 7.2 (lexical conventions), 7.3 (objects), 7.4 (filters), 7.5 (file structure), 7.6 (encryption).
Objects are read where the cross-reference says, a window at a time; a file whose cross-reference is broken is scanned
for objects once, at most SCAN bytes of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mediad_handlers.kit.api import HandlerError
from mediad_handlers.readers.pdfcrypt import Security
from mediad_handlers.readers.pdffilters import FILTERS, decode_filter, decode_text

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

WINDOW = 4096  # bytes of the first read at an object
MAX_OBJECT = 4 * 1024 * 1024  # bytes of one object without its stream
MAX_STREAM = 16 * 1024 * 1024  # bytes of one stream, as stored
MAX_DECODED = 32 * 1024 * 1024
MAX_SECTIONS = 512  # cross-reference sections of one file
MAX_DEPTH = 64
SCAN = 64 * 1024 * 1024
CACHE = 256  # objects and object streams that are kept


class Name(str):
    """A name object, without its slash."""

    __slots__ = ()


class Ref(NamedTuple):
    number: int
    generation: int


class Stream(NamedTuple):
    """A stream object: its dictionary, where its bytes begin, and which object it is."""

    values: dict[str, Any]
    offset: int
    number: int
    generation: int


class Short(Exception):
    """The window ends within an object."""


_TOKEN = re.compile(
    rb"(?:[\0\t\n\f\r ]|%[^\r\n]*)*+(?:(<<)|(>>)|([\[\]])|/([^\0\t\n\f\r ()<>\[\]{}/%]*)|(\()"
    rb"|<([0-9A-Fa-f\0\t\n\f\r ]*)>"
    rb"|([+-]?(?:\d+\.?\d*|\.\d+))|([A-Za-z'\"*][A-Za-z0-9'\"*]*)|([{}]))"
)
_REFERENCE = re.compile(rb"[\0\t\n\f\r ]+(\d{1,10})[\0\t\n\f\r ]+R(?![A-Za-z])")
_ESCAPES = {110: 10, 114: 13, 116: 9, 98: 8, 102: 12}
_CLOSE_DICT, _CLOSE_LIST = object(), object()


class Keyword(str):
    """A bare word: an operator in a content stream, `obj`, `stream`, `endobj`."""

    __slots__ = ()


class Parser:
    """Objects out of `data` from `at`. Raises Short at the end of the data, HandlerError `corrupt` for nonsense."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def next(self, depth: int = 0) -> Any:
        """The next object; Keyword for a bare word."""
        match = _TOKEN.match(self.data, self.at)
        if match is None:
            if len(self.data) - self.at > 200 and self.data[self.at : self.at + 200].strip():
                self.at += 1  # a stray byte: passed over, as every reader does
                return Keyword("")
            raise Short
        self.at = match.end()
        kind = match.lastindex
        if kind == 7:
            return self._number(match[7], depth)
        if kind == 4:
            name = match[4]
            if b"#" in name:
                name = re.sub(rb"#([0-9A-Fa-f]{2})", lambda found: bytes((int(found[1], 16),)), name)
            return Name(name.decode("utf-8", "replace"))
        if kind == 8:
            word = match[8]
            if self.at == len(self.data):
                raise Short
            return {b"true": True, b"false": False, b"null": None}.get(word, Keyword(word.decode("ascii")))
        if kind == 5:
            return self._string()
        if kind == 6:
            digits = re.sub(rb"[\0\t\n\f\r ]", b"", match[6])
            return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
        if kind == 1:
            return self._dictionary(depth)
        if kind == 2:
            return _CLOSE_DICT
        if kind == 3:
            return self._list(depth) if match[3] == b"[" else _CLOSE_LIST
        return Keyword("")

    def _number(self, text: bytes, depth: int) -> Any:
        if self.at == len(self.data):
            raise Short
        if text.isdigit() and len(text) <= 10:
            reference = _REFERENCE.match(self.data, self.at) if depth else None
            if reference is not None:
                self.at = reference.end()
                return Ref(int(text), int(reference[1]))
            return int(text)
        if b"." in text:
            return float(text)
        return int(text) if len(text) < 20 else 0

    def _string(self) -> bytes:
        """7.3.4.2: balanced parentheses, escapes."""
        data, at = self.data, self.at
        out = bytearray()
        depth = 1
        while True:
            if at >= len(data):
                raise Short
            one = data[at]
            at += 1
            if one == 0x5C:
                if at >= len(data):
                    raise Short
                one = data[at]
                at += 1
                if one in _ESCAPES:
                    out.append(_ESCAPES[one])
                elif 48 <= one < 56:
                    digits = re.match(rb"[0-7]{1,3}", data[at - 1 : at + 2])
                    out.append(int(digits[0], 8) & 0xFF if digits else 0)
                    at += len(digits[0]) - 1 if digits else 0
                elif one == 13:
                    at += data[at : at + 1] == b"\n"
                elif one != 10:
                    out.append(one)
                continue
            if one == 0x28:
                depth += 1
            elif one == 0x29:
                depth -= 1
                if not depth:
                    break
            out.append(one)
        self.at = at
        return bytes(out)

    def _list(self, depth: int) -> list[Any]:
        if depth > MAX_DEPTH:
            raise HandlerError("corrupt", "PDF objects are nested too deeply")
        found: list[Any] = []
        while True:
            item = self.next(depth + 1)
            if item is _CLOSE_LIST:
                return found
            if item is not _CLOSE_DICT:
                found.append(item)

    def _dictionary(self, depth: int) -> dict[str, Any]:
        if depth > MAX_DEPTH:
            raise HandlerError("corrupt", "PDF objects are nested too deeply")
        found: dict[str, Any] = {}
        while True:
            key = self.next(depth + 1)
            if key is _CLOSE_DICT:
                return found
            if not isinstance(key, Name):
                if isinstance(key, Keyword) and key in ("endobj", "stream"):
                    return found
                continue
            value = self.next(depth + 1)
            if value is _CLOSE_DICT:
                return found
            found[str(key)] = value


class _Table(NamedTuple):
    """Entries `first` ... of a classic section, 20 bytes each from `offset`."""

    first: int
    entries: int
    offset: int


class _Packed(NamedTuple):
    """The same of a cross-reference stream: decoded rows with fields of these widths."""

    first: int
    entries: int
    rows: bytes
    widths: tuple[int, int, int]


class Pdf:
    """The objects of a file. Raises HandlerError `corrupt` when it has no catalog that can be found."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._base = max(file.head[:1024].find(b"%PDF-"), 0)
        self._sections: list[_Table | _Packed] = []
        self._scanned: dict[int, int] | None = None
        self._objects: dict[int, Any] = {}
        self._packs: dict[int, tuple[bytes, list[tuple[int, int]]]] = {}
        self._resolving: set[int] = set()
        self.security: Security | None = None
        self.trailer: dict[str, Any] = {}
        self.linearized = b"/Linearized" in file.head[self._base : self._base + 1024]
        try:
            self._read_sections(self._find_start())
        except HandlerError as fault:
            if fault.code != "corrupt":
                raise
        if not isinstance(self.resolve(self.trailer.get("Root")), dict):
            self._rebuild()
        if "Encrypt" in self.trailer:
            self.security = Security.of(self.resolve(self.trailer["Encrypt"]), self.trailer.get("ID"), self.resolve)
            self._objects.clear()
        self.catalog: dict[str, Any] = self.dictionary(self.trailer.get("Root"))

    # ------------------------------------------------------------ cross-reference

    def _find_start(self) -> int:
        tail = self._file.tail(2048)
        found = tail.rfind(b"startxref")
        digits = re.match(rb"startxref[\0\t\n\f\r ]*(\d{1,15})", tail[found:]) if found >= 0 else None
        if digits is None:
            raise HandlerError("corrupt", "there is no startxref")
        return int(digits[1])

    def _read_sections(self, offset: int) -> None:
        """7.5.4, 7.5.8: newest first; the first word about an object counts."""
        waiting: list[int] = [offset]
        seen: set[int] = set()
        while waiting and len(seen) < MAX_SECTIONS:
            offset = waiting.pop(0)
            if offset in seen or not 0 <= offset < self._file.size:
                continue
            seen.add(offset)
            start = self._file.read(self._base + offset, WINDOW)
            trailer = self._read_table(offset) if start.lstrip()[:4] == b"xref" else self._read_packed(offset)
            for key, value in trailer.items():
                self.trailer.setdefault(key, value)
            for key in ("XRefStm", "Prev"):
                if type(trailer.get(key)) is int:
                    waiting.append(trailer[key])

    def _read_table(self, offset: int) -> dict[str, Any]:
        at = self._base + offset
        at += self._file.read(at, WINDOW).index(b"xref") + 4
        for _ in range(MAX_SECTIONS):
            block = self._file.read(at, 256)
            head = re.match(rb"[\0\t\n\f\r ]*(\d{1,10})[ ]+(\d{1,10})[ ]*[\r\n]*", block)
            if head is None:
                break
            begin = at + head.end()
            first, count = int(head[1]), int(head[2])
            if first == 1 and self._file.read(begin, 18)[:16] == b"0000000000 65535":
                first = 0  # a common mistake: the free head counted from 1
            self._sections.append(_Table(first, count, begin))
            at = begin + count * 20
        trailer = self._parse_at(at, after=b"trailer")
        if not isinstance(trailer, dict):
            raise HandlerError("corrupt", "a cross-reference table has no trailer")
        return trailer

    def _read_packed(self, offset: int) -> dict[str, Any]:
        stream = self._object_at(self._base + offset, None)
        if not isinstance(stream, Stream):
            raise HandlerError("corrupt", "there is no cross-reference where one should be")
        widths = stream.values.get("W")
        if not (
            isinstance(widths, list) and len(widths) >= 3 and all(type(one) is int and 0 <= one <= 8 for one in widths)
        ):
            raise HandlerError("corrupt", "a cross-reference stream has no widths")
        rows = self.decode(stream, MAX_DECODED)
        size = sum(widths[:3])
        index = stream.values.get("Index") or [0, stream.values.get("Size", 0)]
        at = 0
        for first, count in zip(index[::2], index[1::2], strict=False):
            if type(first) is int and type(count) is int and size and 0 <= count <= len(rows) // size:
                part = rows[at : at + count * size]
                self._sections.append(_Packed(first, count, part, (widths[0], widths[1], widths[2])))
                at += count * size
        return stream.values

    def _entry(self, number: int) -> tuple[int, int, int] | None:
        """(kind, a, b): 1 = at offset a, 2 = in object stream a."""
        if self._scanned is not None:
            return (1, self._scanned[number], 0) if number in self._scanned else None
        for section in self._sections:
            place = number - section.first
            if not 0 <= place < section.entries:
                continue
            if isinstance(section, _Table):
                row = self._file.read(section.offset + place * 20, 20)
                if len(row) >= 18 and row[:10].isdigit():
                    return (1, int(row[:10]) + self._base, 0) if row[17:18] == b"n" else None
                continue
            a, b, c = section.widths
            row = section.rows[place * (a + b + c) : (place + 1) * (a + b + c)]
            kind = int.from_bytes(row[:a], "big") if a else 1
            first, second = int.from_bytes(row[a : a + b], "big"), int.from_bytes(row[a + b :], "big")
            if kind == 1:
                return 1, first + self._base, second
            return (2, first, second) if kind == 2 else None
        return None

    def _rebuild(self) -> None:
        """7.5.1 note: a reader may find the objects by themselves: the last one of a number counts."""
        found: dict[int, int] = {}
        trailers: list[int] = []
        step = 1024 * 1024
        for start in range(0, min(self._file.size, SCAN), step):
            block = self._file.read(start, step + 64)
            for match in re.finditer(rb"(?<![0-9])(\d{1,10})[\0\t\n\f\r ]+\d{1,5}[\0\t\n\f\r ]+obj(?![a-z])", block):
                found[int(match[1])] = start + match.start()
            trailers.extend(start + match.end() for match in re.finditer(rb"trailer", block))
        self._scanned, self._objects = found, {}
        for at in reversed(trailers[-50:]):
            values = self._parse_at(at)
            for key, value in values.items() if isinstance(values, dict) else ():
                self.trailer.setdefault(key, value)
        if not isinstance(self.resolve(self.trailer.get("Root")), dict):
            self._find_catalog(found)

    def _find_catalog(self, found: dict[int, int]) -> None:
        for number in sorted(found, reverse=True)[:20000]:
            value = self.resolve(Ref(number, 0))
            if isinstance(value, Stream) and value.values.get("Type") == "ObjStm":
                self._unpack_all(number)
            values = value.values if isinstance(value, Stream) else value
            if isinstance(values, dict) and values.get("Type") == "XRef":
                for key in ("Root", "Info", "Encrypt", "ID"):
                    if key in values:
                        self.trailer.setdefault(key, values[key])
            if isinstance(values, dict) and values.get("Type") == "Catalog":
                self.trailer["Root"] = Ref(number, 0)
        if not isinstance(self.resolve(self.trailer.get("Root")), dict):
            raise HandlerError("corrupt", "the PDF has no catalog")

    def _unpack_all(self, number: int) -> None:
        data, index = self._pack(number)
        for place, (member, _) in enumerate(index):
            self._objects[member] = self._parse_packed(data, index, place)
            if isinstance(self._objects[member], dict) and self._objects[member].get("Type") == "Catalog":
                self.trailer["Root"] = Ref(member, 0)

    # ------------------------------------------------------------ objects

    def _parse_at(self, at: int, after: bytes = b"") -> Any:
        """The object at an offset, behind the word `after`; None when there is none."""
        window = WINDOW
        while True:
            data = self._file.read(at, window)
            start = data.find(after) + len(after) if after else 0
            if after and start < len(after):
                return None
            try:
                return Parser(data, start).next(1)
            except Short:
                if len(data) < window:
                    data += b" " * 300
                    try:
                        return Parser(data, start).next(1)
                    except Short:
                        return None
                if window >= MAX_OBJECT:
                    return None
                window *= 4

    def _object_at(self, at: int, wanted: int | None) -> Any:
        """The indirect object at an offset: its value, a Stream where one follows; None when it is another one."""
        window = WINDOW
        while True:
            data = self._file.read(at, window)
            short = len(data) < window
            parser = Parser(data + b" " * 300 if short else data)
            try:
                number, generation, word = parser.next(), parser.next(), parser.next()
                if word != "obj" or type(number) is not int or (wanted is not None and number != wanted):
                    return None
                value = parser.next(1)
                if not isinstance(value, dict):
                    return value
                word = parser.next()
            except Short:
                if short or window >= MAX_OBJECT:
                    return None
                window *= 4
                continue
            if word != "stream":
                return value
            end = parser.at + (2 if data[parser.at : parser.at + 2] == b"\r\n" else 1)
            return Stream(value, at + end, number, generation if type(generation) is int else 0)

    def resolve(self, value: Any) -> Any:
        """What a reference refers to, itself for any other object. Loops and dangling references are None."""
        hops = 0
        while isinstance(value, Ref) and hops < 16:
            value = self._load(value.number)
            hops += 1
        return None if isinstance(value, Ref) else value

    def _load(self, number: int) -> Any:
        if number in self._objects:
            return self._objects[number]
        if number in self._resolving:
            return None
        entry = self._entry(number)
        if entry is None:
            return None
        self._resolving.add(number)
        try:
            if entry[0] == 1:
                value = self._object_at(entry[1], number)
                if self.security is not None:
                    value = self._decrypt(value, number)
            else:
                value = None
                data, index = self._pack(entry[1])
                for place, (member, _) in enumerate(index):
                    if member == number:
                        value = self._parse_packed(data, index, place)
        finally:
            self._resolving.discard(number)
        if len(self._objects) < CACHE:
            self._objects[number] = value
        return value

    def _decrypt(self, value: Any, number: int) -> Any:
        assert self.security is not None
        if isinstance(value, Stream):
            values = self.security.decrypt_strings(value.values, number, value.generation)
            return Stream(values, value.offset, number, value.generation)
        return self.security.decrypt_strings(value, number, 0)

    def _pack(self, number: int) -> tuple[bytes, list[tuple[int, int]]]:
        """An object stream (7.5.7): (decoded bytes, [(object number, offset)])."""
        if number in self._packs:
            return self._packs[number]
        stream = self.resolve(Ref(number, 0))
        if not isinstance(stream, Stream):
            return b"", []
        data = self.decode(stream, MAX_DECODED)
        first, count = stream.values.get("First"), stream.values.get("N")
        index: list[tuple[int, int]] = []
        if type(first) is int and type(count) is int and 0 <= first <= len(data):
            numbers = [int(one) for one in data[:first].split()[: 2 * min(count, 65536)] if one.isdigit()]
            index = [(numbers[at], first + numbers[at + 1]) for at in range(0, len(numbers) - 1, 2)]
        if len(self._packs) >= 16:
            self._packs.clear()
        self._packs[number] = data, index
        return data, index

    @staticmethod
    def _parse_packed(data: bytes, index: list[tuple[int, int]], place: int) -> Any:
        try:
            return Parser(data[index[place][1] :] + b" " * 300).next(1)
        except Short:
            return None

    def dictionary(self, value: Any) -> dict[str, Any]:
        """The dictionary that `value` is or refers to (a stream's own, too); {} for anything else."""
        value = self.resolve(value)
        if isinstance(value, Stream):
            return value.values
        return value if isinstance(value, dict) else {}

    def array(self, value: Any) -> list[Any]:
        value = self.resolve(value)
        return value if isinstance(value, list) else []

    def text(self, value: Any) -> str | None:
        """A text string (7.9.2.2): UTF-16 with its mark, UTF-8 with its mark, else PDFDocEncoding; None for no text."""
        value = self.resolve(value)
        if isinstance(value, Name):
            return str(value)
        return decode_text(value) if isinstance(value, bytes) else None

    # ------------------------------------------------------------ streams

    def raw(self, stream: Stream, limit: int = MAX_STREAM) -> bytes:
        """The stored bytes of a stream, decrypted, at most `limit`."""
        length = self.resolve(stream.values.get("Length"))
        if type(length) is not int or length < 0 or stream.offset + length > self._file.size:
            block = self._file.read(stream.offset, min(limit, MAX_STREAM))
            end = block.find(b"endstream")
            length = end if end >= 0 else len(block)
        data = self._file.read(stream.offset, min(length, limit, MAX_STREAM))
        if self.security is not None and stream.values.get("Type") != "XRef":
            data = self.security.decrypt(data, stream.number, stream.generation)
        return data

    def decode(self, stream: Stream, limit: int, *, pictures: bool = False) -> bytes:
        """The decoded bytes, at most `limit`. Behind a filter of pictures or an unknown one b"", or with `pictures` the
        bytes that this filter would take. What is damaged gives what could be decoded."""
        data = self.raw(stream)
        filters = self.resolve(stream.values.get("Filter") or stream.values.get("F"))
        names = filters if isinstance(filters, list) else [filters] if filters else []
        parameters = self.resolve(stream.values.get("DecodeParms") or stream.values.get("DP"))
        settings = parameters if isinstance(parameters, list) else [parameters]
        for place, name in enumerate(names[:8]):
            setting = self.dictionary(settings[place]) if place < len(settings) else {}
            if pictures and self.resolve(name) not in FILTERS:
                break
            data = decode_filter(str(self.resolve(name)), data, setting, limit)
        return data[:limit]


def open_pdf(file: File) -> Pdf:
    """The objects of a file, opened once."""
    found: Pdf | None = file.memo.get("pdf")
    if found is None:
        found = file.memo["pdf"] = Pdf(file)
    return found
