"""ID3v2 frames that no field is made of: they are shown among the tags, as their bytes or as what is in them.

One row a frame: its parts in order, each "name:form"; `key` names the parts that tell two frames of one tag apart.
Sources: as audio.id3frames.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import iter_unpack
from typing import Any

from mediad_handlers.audio.id3frames import NUMBER, Form, Tag, read_tag
from mediad_handlers.audio.id3text import Junk, take_latin, take_text

_ENCODINGS = ("LATIN1", "UTF16", "UTF16BE", "UTF8")  # by the encoding byte

# name: (parts, parts of the key)
ROWS: dict[str, tuple[str, str]] = {
    "AENC": ("owner:latin preview_start:n2 preview_length:n2 data:rest", "owner"),
    "ASPI": ("S:n4 L:n4 N:n2 b:n1 Fi:index", ""),
    "COMR": ("encoding:encoding price:latin valid_until:s8 contact:latin format:n1 seller:text desc:text "
             "mime?:latin logo?:rest", "*"),
    "CTOC": ("element_id:latin flags:flags child_element_ids:latins sub_frames:frames", "element_id"),
    "ENCR": ("owner:latin method:n1 data:rest", "owner"),
    "EQU2": ("method:n1 desc:latin adjustments:adjustments", "desc"),
    "ETCO": ("format:n1 events:events", ""),
    "GEOB": ("encoding:encoding mime:latin filename:text desc:text data:rest", "desc"),
    "GRID": ("owner:latin group:n1 data:rest", "group"),
    "LINK": ("frameid:id url:latin data:rest", "frameid url data"),
    "MCDI": ("data:rest", ""),
    "MLLT": ("frames:n2 bytes:n3 milliseconds:n3 bits_for_bytes:n1 bits_for_milliseconds:n1 data:rest", ""),
    "OWNE": ("encoding:encoding price:latin date:s8 seller:text", ""),
    "POSS": ("format:n1 position:number", ""),
    "RBUF": ("size:n3 info?:n1 offset?:n4", ""),
    "RVAD": ("adjustments:volumes", ""),
    "RVRB": ("left:n2 right:n2 bounce_left:n1 bounce_right:n1 feedback_ltl:n1 feedback_ltr:n1 feedback_rtr:n1 "
             "feedback_rtl:n1 premix_ltr:n1 premix_rtl:n1", ""),
    "SEEK": ("offset:number", ""),
    "SIGN": ("group:n1 sig:rest", "group sig"),
    "SYTC": ("format:n1 data:rest", ""),
    "USER": ("encoding:encoding lang:s3 text:text", "lang"),
}  # fmt: skip
_SHOWN = {"OWNE": "seller", "USER": "text"}  # the part that says it all
_MAY_BE_EMPTY = ("rest", "frames")


class _Encoding(int):
    """An encoding byte that is shown by its name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Encoding.{_ENCODINGS[self]}: {int(self)}>"


class _Flags(int):
    """CTOC, addendum section 3.2: ordered (1), top level (2)."""

    __slots__ = ()

    def __repr__(self) -> str:
        names = [f"CTOCFlags.{name}" for bit, name in ((2, "TOP_LEVEL"), (1, "ORDERED")) if self & bit]
        if self & 0xFC or not names:
            names.append(str(self & 0xFC))
        return f"<{' | '.join(names)}: {int(self)}>"


def read_rare(name: str, data: bytes, form: Form) -> tuple[str, bytes | str]:
    """(key, bytes or text) of a frame of ROWS. Raises Junk, UnicodeError, IndexError."""
    row, key = ROWS[name]
    parts: dict[str, Any] = {}
    whole = data
    for one in row.split():
        part, _, kind = one.partition(":")
        if not data and kind not in _MAY_BE_EMPTY:
            if part.endswith("?"):
                break
            raise Junk
        value, data = _take(kind, data, form, parts)
        parts[part.rstrip("?")] = value
    marks = [whole.hex()] if key == "*" else [str(parts[one]) for one in key.split()]
    shown: bytes | str
    if "data" in parts:
        shown = parts["data"]
    elif name in _SHOWN:
        shown = parts[_SHOWN[name]]
    else:
        shown = _show(name, parts)
    return ":".join((name, *marks)), shown if isinstance(shown, bytes) else shown[:1000]


def _show(name: str, parts: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{part}={value!r}' for part, value in parts.items())})"


def _take(kind: str, data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    """(value, what is behind it)."""
    if kind[0] in "ns" and kind[1:].isdigit():
        size = int(kind[1:])
        piece, rest = data[:size], data[size:]
        return int.from_bytes(piece, "big") if kind[0] == "n" else piece.decode("ascii"), rest
    if kind == "id":
        size = 3 if form.version == 2 else 4
        return data[:size].decode("ascii"), data[size:]
    if kind == "latin":
        return take_latin(data)
    if kind == "text":
        return take_text(parts["encoding"], data, form.old)
    return _KINDS[kind](data, form, parts)


def _take_encoding(data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    if data[0] > 3:
        raise Junk
    return _Encoding(data[0]), data[1:]


def _take_flags(data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    return _Flags(data[0]), data[1:]


def _take_latins(data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    found, rest = [], data[1:]
    for _ in range(data[0]):
        piece, _, rest = rest.partition(b"\0")
        found.append(piece.decode("latin-1"))
    return found, rest


def _take_frames(data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    inner: Tag = read_tag(data, form.inside())
    return {key: value for key, (_, value) in inner.frames.items()}, b""


def _take_events(data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    """ETCO, section 4.5: (type of the event, time)."""
    return list(iter_unpack(">bI", data[: len(data) // 5 * 5])), b""


def _take_adjustments(data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    """EQU2, section 4.12: (frequency in Hz, adjustment in dB)."""
    pairs = {place / 2: change / 512 for place, change in iter_unpack(">Hh", data[: len(data) // 4 * 4])}
    return sorted(pairs.items()), b""


def _take_volumes(data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    """RVAD, ID3v2.3.0 section 4.12: changes and peaks; a cleared bit of the first byte makes a change negative."""
    if len(data) < 2 or not data[1]:
        raise Junk
    flags, width = data[0], (data[1] + 7) // 8
    most = 4 if form.version == 2 else 12
    places = range(2, len(data) - width + 1, width)
    values = [int.from_bytes(data[at : at + width], "big") for at in places[:most]]
    if len(values) < 2:
        raise Junk
    for bit, place in enumerate((0, 1, 4, 5, 8, 10)):
        if not flags >> bit & 1 and place < len(values):
            values[place] = -values[place]
    return values, b""


def _take_index(data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    """ASPI, section 4.30: one fraction a point."""
    count, bits = parts["N"], parts["b"]
    if bits not in (8, 16) or len(data) < count * bits // 8:
        raise Junk
    width = bits // 8
    return [int.from_bytes(data[at : at + width], "big") for at in range(0, count * width, width)], b""


def _take_number(data: bytes, form: Form, parts: dict[str, Any]) -> tuple[Any, bytes]:
    if len(data) > NUMBER:
        raise Junk
    return int.from_bytes(data, "big"), b""


_KINDS: dict[str, Callable[[bytes, Form, dict[str, Any]], tuple[Any, bytes]]] = {
    "encoding": _take_encoding, "flags": _take_flags, "latins": _take_latins, "frames": _take_frames,
    "events": _take_events, "adjustments": _take_adjustments, "volumes": _take_volumes, "index": _take_index,
    "rest": lambda data, form, parts: (data, b""),
    "number": _take_number,
}  # fmt: skip
