"""JSON as Go's encoding/json writes and reads it, for the reference is written in Go.

Sources: pkg.go.dev/encoding/json, `Marshal`, `HTMLEscape`, `Unmarshal`: `<`, `>`, `&`, U+2028 and U+2029 are escaped so
that JSON can stand in HTML; other text is raw UTF-8; text that is no UTF-8 becomes U+FFFD; floating point as ECMAScript
prints it (ECMA-262 Number::toString).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from mediad.errors import Corrupt

Json = dict[str, Any] | list[Any] | str | int | float | bool | None

_ESCAPED = re.compile('[\0-\x1f"\\\\<>&\u2028\u2029\ud800-\udfff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SURROGATES = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def dumps(value: Json, *, indent: int = 0) -> str:
    """The JSON text of a value, keys in the order of the dict. With `indent`, as MarshalIndent with so many spaces:
    each element on a line of its own, an empty list or object as `[]` or `{}`. Without, no space at all.

    Raises ValueError for NaN and infinity, which JSON has not."""
    return "".join(_write(value, "\n" if indent else "", " " * indent))


def _write(value: Json, line: str, indent: str) -> list[str]:
    if isinstance(value, str):
        return [quote(value)]
    if value is None or isinstance(value, bool):
        return [{None: "null", True: "true", False: "false"}[value]]
    if isinstance(value, int):
        return [str(value)]
    if isinstance(value, float):
        return [format_float(value)]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    if not value:
        return [opening + closing]
    inner = line + indent
    out = [opening]
    for number, element in enumerate(value):
        out.append(("," if number else "") + inner)
        if isinstance(value, dict):
            out += [quote(element), ": " if line else ":"]
            element = value[element]
        out += _write(element, inner, indent)
    return [*out, line, closing]


def quote(text: str) -> str:
    """A JSON string. A lone surrogate, which is how Python holds a byte that is no UTF-8, becomes `\\ufffd`."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if "\ud800" <= character <= "\udfff":
        return "\\ufffd"
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def format_float(number: float) -> str:
    """The shortest decimal that reads back as the same float; with an exponent below 1e-6 and from 1e21 on."""
    if not math.isfinite(number):
        raise ValueError(f"{number} has no JSON")
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    digits, _, exponent = f"{number!r}".partition("e")
    whole, _, fraction = digits.lstrip("-").partition(".")
    power = int(exponent or 0) + len(whole)  # 0.whole fraction times 10 to that power
    figures = (whole + fraction).lstrip("0")
    power -= len(whole + fraction) - len(figures)
    figures = figures.rstrip("0")
    sign = "-" if number < 0 else ""
    if not 1e-6 <= abs(number) < 1e21:
        behind = f".{figures[1:]}" if len(figures) > 1 else ""
        return f"{sign}{figures[0]}{behind}e{'-' if power < 1 else '+'}{abs(power - 1):02d}".replace("e-0", "e-")
    if power <= 0:
        return f"{sign}0.{'0' * -power}{figures}"
    if power >= len(figures):
        return f"{sign}{figures}{'0' * (power - len(figures))}"
    return f"{sign}{figures[:power]}.{figures[power:]}"


def loads(data: bytes, name: bytes) -> Any:
    """The one JSON value that `data` holds, bytes that are no UTF-8 and lone surrogates read as U+FFFD.

    Raises Corrupt with `name` as input and line and column: what is no JSON, NaN, a byte order mark, anything behind
    the value (where Go's decoder stops reading and ignores the rest), nesting beyond what can be read."""
    try:
        text = data.decode("utf-8", "replace")
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise Corrupt("this JSON is nested too deep to be read", name) from None
    except json.JSONDecodeError as fault:
        problem = f"this is not JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}"
        raise Corrupt(problem, name) from None
    except ValueError as fault:  # a constant, or an integer of thousands of digits
        raise Corrupt(f"this is not JSON: {fault}", name) from None
    # only an escape can bring a surrogate in; a large index has none, and is not walked for it
    return _clean(value) if _SURROGATE_ESCAPE.search(text) else value


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value) if _SURROGATES.search(value) else value
    if isinstance(value, list):
        return [_clean(element) for element in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(element) for key, element in value.items()}
    return value
