"""The shortest way for the commonest command, `mediactl query TEXT --limit N` in a terminal or a pipe.

click, protobuf and the socket module are most of a cold command's time, and a list of items needs none of them: here a
query's options are read, its two frames written and its answer taken apart by the rules of the encoding
(https://protobuf.dev/programming-guides/encoding/). Whatever is unusual (another option, another format, no daemon, a
refusal) is left to `mediactl.cli`, which begins anew and says what is to be said: a query changes nothing.

The numbers below are those of proto/mediadb.proto; tests/unit/test_quick.py holds them against the generated code.
"""

from __future__ import annotations

import _socket  # `socket` adds classes that nothing here uses, and enum and selectors with them
import os
import sys

from mediactl import __version__
from mediactl.itemtable import TABLE_ROWS, ItemLines
from mediactl.terminal import prepare_streams

TYPE_CHECKING = False  # typing's own would cost a cold command 2 ms
if TYPE_CHECKING:
    from collections.abc import Iterator

    Value = int | bytes

ANSWER_SECONDS = 30.0  # as mediactl.client
GRACE_SECONDS = 1.0
LIMIT_MOST = 500  # what the full client asks for in one request
SERVICE_SOCKET = "/run/mediad/socket"

_OPTIONS = {"--socket": "socket", "--limit": "limit"}


class Unusual(Exception):
    """Not for the short way."""


class File:
    """A file of an item, as the table shows it."""

    __slots__ = ("path", "path_display", "size")

    def __init__(self, data: bytes) -> None:
        found = dict(fields(data))
        self.path = _bytes(found, 3)
        self.path_display = _text(found, 4)
        self.size = _int(found, 6)


class Item:
    """An item, as the table shows it."""

    __slots__ = ("artist", "date", "duration", "files", "format", "height", "id", "kind", "title", "width")

    def __init__(self, data: bytes) -> None:
        pairs = list(fields(data))
        found = dict(pairs)
        digits = _bytes(found, 1).hex()
        self.id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        self.kind = _text(found, 2)
        self.format = _text(found, 3)
        self.title = _text(found, 4)
        self.artist = _text(found, 5)
        self.duration = _double(found, 7)
        self.width = _int(found, 8)
        self.height = _int(found, 9)
        self.date = _text(found, 10)
        self.files = [File(value) for number, value in pairs if number == 11 and isinstance(value, bytes)]


# ---------------------------------------------------------------- the encoding


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Yields number and value of each field of a message: int for VARINT, bytes for LEN, I64 and I32.
    Raises Unusual for what is not a message."""
    at, end = 0, len(data)
    try:
        while at < end:
            tag, at = _varint(data, at)
            kind = tag & 7
            if kind == 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
                continue
            if kind == 2:
                length, at = _varint(data, at)
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
            else:
                raise Unusual
            if at + length > end:
                raise Unusual
            yield tag >> 3, data[at : at + length]
            at += length
    except IndexError:
        raise Unusual from None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _int(found: dict[int, Value], number: int) -> int:
    value = found.get(number, 0)
    return value if isinstance(value, int) else 0


def _bytes(found: dict[int, Value], number: int) -> bytes:
    value = found.get(number, b"")
    return value if isinstance(value, bytes) else b""


def _text(found: dict[int, Value], number: int) -> str:
    return _bytes(found, number).decode("utf-8", "replace")


def _double(found: dict[int, Value], number: int) -> float:
    data = _bytes(found, number)
    if len(data) != 8:
        return 0.0
    from _struct import unpack

    value: float = unpack("<d", data)[0]
    return value


def _put(number: int, value: Value) -> bytes:
    """One field, nothing for its default."""
    if not value:
        return b""
    if isinstance(value, int):
        return _put_varint(number << 3) + _put_varint(value)
    return _put_varint(number << 3 | 2) + _put_varint(len(value)) + value


def _put_varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


def hello() -> bytes:
    """The first frame: protocol 1, and who we are."""
    return _frame(_put(1, _put(1, 1) + _put(2, 1) + _put(3, f"mediactl/{__version__}".encode())))


def query_frame(text: str, limit: int, actor: str) -> bytes:
    """The frame that asks. Raises Unusual for text that cannot be encoded."""
    try:
        query = _put(1, text.encode()) + _put(2, limit)
        request = _put(1, 1) + _put(3, int(ANSWER_SECONDS * 1000)) + _put(5, actor.encode()) + _put(21, query)
    except UnicodeEncodeError:
        raise Unusual from None
    return _frame(_put(2, request))


# ---------------------------------------------------------------- the way


def read_options(arguments: list[str]) -> tuple[str, str, int] | None:
    """The socket ("" for the usual places), text and limit of a plain query; None for any other command line."""
    found = {"socket": "", "limit": ""}
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name in _OPTIONS and not (name == "--limit" and not words):
            given = value if equals else next(rest, "")
            if not given or found[_OPTIONS[name]] or (name == "--socket" and words):
                return None
            found[_OPTIONS[name]] = given
        elif argument.startswith("-"):
            return None
        else:
            words.append(argument)
    if len(words) < 2 or words[0] != "query":
        return None
    limit = found["limit"]
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= LIMIT_MOST):
        return None
    return found["socket"], " ".join(words[1:]), int(limit)


def list_sockets(option: str | None = None) -> list[str]:
    """Returns the paths to try, in order (settled 27): the one named; else $MEDIAD_SOCKET; else the person's daemon
    and the machine's."""
    named = option or os.environ.get("MEDIAD_SOCKET")
    if named:
        return [named]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return [*([os.path.join(runtime, "mediad", "socket")] if runtime else []), SERVICE_SOCKET]


def _connect(option: str) -> _socket.socket:
    for path in list_sockets(option):
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            connection.settimeout(ANSWER_SECONDS + GRACE_SECONDS)
            connection.connect(path)
        except OSError:
            connection.close()
        else:
            return connection
    raise Unusual


class _Frames:
    """The frames that come from a socket."""

    def __init__(self, connection: _socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def next(self) -> dict[int, Value]:
        """The next ServerFrame. Raises Unusual at the end of the connection."""
        while len(self._buffer) < 4 or len(self._buffer) < 4 + int.from_bytes(self._buffer[:4], "big"):
            try:
                data = self._connection.recv(256 * 1024)
            except TimeoutError:
                from mediad.errors import DeadlineExceeded

                raise DeadlineExceeded("mediad did not answer in time") from None
            except OSError:
                data = b""
            if not data:
                raise Unusual
            self._buffer += data
        end = 4 + int.from_bytes(self._buffer[:4], "big")
        payload, self._buffer = self._buffer[4:end], self._buffer[end:]
        return dict(fields(payload))


def read_reply(data: bytes) -> tuple[list[Item], bool]:
    """The items of a reply to the query, and whether it is the last. Raises the error that the reply holds."""
    found = dict(fields(data))
    if 3 in found:
        from mediad.wire.convert import error_from_wire
        from mediadb_contract import mediadb_pb2 as pb

        raise error_from_wire(pb.Error.FromString(_bytes(found, 3)))
    items = [Item(value) for number, value in fields(_bytes(found, 21)) if number == 1 and isinstance(value, bytes)]
    return items, bool(found.get(2))


def _ask(option: str, text: str, limit: int) -> list[Item]:
    asked = query_frame(text, limit, os.environ.get("MEDIACTL_ACTOR", ""))
    connection = _connect(option)
    try:
        try:
            connection.sendall(hello())
        except OSError:
            raise Unusual from None
        frames = _Frames(connection)
        greeting = dict(fields(_bytes(frames.next(), 1)))
        if greeting.get(1) != 1 or 15 in greeting:
            raise Unusual
        try:
            connection.sendall(asked)
        except OSError:
            raise Unusual from None
        items: list[Item] = []
        last = False
        while not last:
            some, last = read_reply(_bytes(frames.next(), 2))
            items += some
        return items
    finally:
        connection.close()


def run(arguments: list[str]) -> int | None:
    """Runs a plain query; returns its exit code, or None when the command line or what came of it is not for here: then
    nothing was printed. Raises the error that the daemon answered, DeadlineExceeded."""
    options = read_options(arguments)
    if options is None or "_MEDIACTL_COMPLETE" in os.environ:
        return None
    width = prepare_streams()
    try:
        items = _ask(*options)
    except Unusual:
        return None
    table = ItemLines(width)
    for begin in range(0, len(items), TABLE_ROWS):
        sys.stdout.write("".join(line + "\n" for line in table.add(items[begin : begin + TABLE_ROWS])))
    sys.stdout.flush()
    return 0
