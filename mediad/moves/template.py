r"""Name templates: `{albumartist|artist}/{album}{ (year)}/{track:02} - {title}.{ext}`. Pure: text in, path parts out.

    template    = part { "/" part }
    part        = { text | group }
    text        = any characters but { } / \          the escapes \{ \} \\ \" stand for the character
    group       = "{" lead choice tail "}"            a field; with a lead or a tail it is optional
                | "{" { text | "/" | group } "}"      at least one group inside: printed when its fields are there
    choice      = alternative { "|" alternative }     the first that is there
    alternative = ( field | date ) { ":" format }
                | '"' characters '"'                  always there; may be empty
    field       = lower-case letter { lower-case letter | digit | "_" }
    date        = unit { [ "-" | "." | "_" | " " ] unit }       begins with a capital
    unit        = "YYYY" | "MM" | "DD" | "HH" | "mm" | "ss"
    format      = "0" digit                           zeros before a number, to that many digits
                | "lower" | "upper" | "first"         first: the letter to file it under, A to Z or another; # for none
    lead, tail  = characters that are neither letter nor digit nor any of _ " | { }; a tail has no ":"

A choice without lead and tail is *required*: the template does not apply to a file that lacks it, and `missing` says
so, except within a group of its own, which is then left out. Values are data: docs/names.md, Values.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mediad.errors import InvalidArgument
from mediad.fold import fold

LENGTH_MOST = 2000  # characters
DEPTH_MOST = 8  # groups within groups: more is a mistake, and recursion has an end

_UNIT = "(?:YYYY|MM|DD|HH|mm|ss)"
_DATE = re.compile(rf"(?=[A-Z]){_UNIT}(?:[-._ ]?{_UNIT})*(?![A-Za-z0-9_])")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PAD = re.compile(r"0[1-9]")
_STARTS_CHOICE = re.compile(r'[^\W]|"')  # a letter, a digit, _ or a quote
_FORMATS = ("lower", "upper", "first")
_UNITS = {"YYYY": 0, "MM": 5, "DD": 8, "HH": 11, "mm": 14, "ss": 17}  # where they begin in 2001-02-03T04:05:06
_UNIT_OR_OTHER = re.compile(rf"({_UNIT})")
_CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_UNFIT = re.compile(f"(?:{_CONTROLS.pattern}|/)+")

DATE = "date"  # the value that date patterns print: an ISO 8601 text of the wall clock, as precise as known


class TemplateError(InvalidArgument):
    """A template that cannot be read. `input` is the template, `position` the character it is about."""

    def __init__(self, message: str, template: str, position: int, name: str = "") -> None:
        super().__init__(f"template {name}: {message}" if name else message, template, position=position)
        self.template = template
        self.problem = message

    @property
    def quote(self) -> str:
        """The template and below it a caret at the place."""
        return f"{self.template}\n{' ' * self.position}^"

    def __str__(self) -> str:
        shown = self.quote.replace("\n", "\n  ")
        return f"{self.code}: {self.message}\n  {shown}"

    def named(self, name: str) -> TemplateError:
        """The same, saying whose template it is."""
        return TemplateError(self.problem, self.template, self.position, name)


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True)
class _Alternative:
    """`source` is the field's name or the date pattern; empty for a quoted `text`."""

    source: str
    formats: tuple[str, ...] = ()
    text: str = ""
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class _Choice:
    """`label` is how it is named when it is missing: `albumartist|artist`."""

    alternatives: tuple[_Alternative, ...]
    label: str


@dataclass(frozen=True, slots=True)
class _Group:
    nodes: tuple[_Node, ...]


_SLASH = _Text("/")
_Node = _Text | _Choice | _Group


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a template makes of one item: the `parts` of a relative path, or what is `missing` for it: labels of choices
    (`year`, `albumartist|artist`), each once, in the order of the template."""

    parts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read. `fields` are the fields it may ask for; date patterns ask for `date`."""

    text: str
    fields: frozenset[str]
    _nodes: tuple[_Node, ...] = field(repr=False)

    def expand(self, values: Mapping[str, Any]) -> Expansion:
        """The path parts for an item with these values (text, number, boolean or a list of them; `date` ISO 8601).

        A value that is None, False, empty, white space or a record counts as absent. Never raises for any value."""
        out = _Output(values)
        for node in self._nodes:
            out.put(node, required=True)
        out.end_part()
        if out.missing or not out.parts:
            return Expansion(missing=tuple(dict.fromkeys(out.missing)))
        return Expansion(tuple(out.parts))


def parse(text: str, known: Collection[str] | None = None) -> Template:
    """Reads a template. `known`: the names that are fields; without it every name is taken.

    Raises TemplateError (`invalid_argument`) with the place and what was expected there."""
    return _Parser(text, known).template()


# ------------------------------------------------------------------------------------------------------------ reading


class _Parser:
    def __init__(self, text: str, known: Collection[str] | None) -> None:
        self._text = text
        self._known = known
        self._at = 0
        self._fields: set[str] = set()

    def template(self) -> Template:
        text = self._text
        if not text:
            raise self._fault("a template was expected, such as {artist}/{title}.{ext}", 0)
        if len(text) > LENGTH_MOST:
            raise self._fault(f"a template has at most {LENGTH_MOST} characters", LENGTH_MOST)
        if unfit := _CONTROLS.search(text):
            raise self._fault("a control character cannot be in a name", unfit.start())
        nodes = self._nodes(depth=0)
        self._check_parts(nodes)
        if _ends_in_slash(nodes):
            raise self._fault("the last part is the file's name: no / after it", len(text) - 1)
        return Template(text, frozenset(self._fields), nodes)

    def _fault(self, message: str, at: int) -> TemplateError:
        return TemplateError(message, self._text, at)

    def _nodes(self, depth: int) -> tuple[_Node, ...]:
        """Texts, slashes and groups up to the end, or to the `}` that closes a group (taken too)."""
        nodes: list[_Node] = []
        literal = ""
        opened = self._at - 1
        while self._at < len(self._text):
            character = self._text[self._at]
            if character not in "{}/\\":
                literal += character
                self._at += 1
                continue
            if character == "\\":
                literal += self._escape()
                continue
            if literal:
                nodes.append(_Text(literal))
                literal = ""
            self._at += 1
            if character == "/":
                nodes.append(_SLASH)
            elif character == "{":
                nodes.append(self._group(depth + 1))
            elif depth:
                return tuple(nodes)
            else:
                raise self._fault("a } without its {; as a character of the name it is written \\}", self._at - 1)
        if depth:
            raise self._fault("the } of this group was expected", opened)
        if literal:
            nodes.append(_Text(literal))
        return tuple(nodes)

    def _escape(self) -> str:
        character = self._text[self._at + 1 : self._at + 2]
        if character not in ("{", "}", "\\", '"'):
            raise self._fault('one of \\{ \\} \\\\ \\" was expected; \\ alone stands for nothing', self._at)
        self._at += 2
        return character

    def _group(self, depth: int) -> _Group | _Choice:
        """What stands behind a `{`: with another group in it a condition, else a choice of fields."""
        start = self._at
        if depth > DEPTH_MOST:
            raise self._fault(f"groups lie in each other at most {DEPTH_MOST} deep", start - 1)
        at = start
        while at < len(self._text) and self._text[at] not in "{}":
            at += 2 if self._text[at] == "\\" else 1
        if self._text[at : at + 1] == "{":
            return _Group(self._nodes(depth))
        if at >= len(self._text):
            raise self._fault("the } of this group was expected", start - 1)
        lead = self._plain(at, colon=True)
        if self._at >= at:
            raise self._fault("a field was expected, as in { - edition} or {year}", self._at)
        choice = self._choice(at)
        tail = self._plain(at, colon=False)
        if self._at < at:
            raise self._fault("the } or | was expected; text with letters stands outside of {field}", self._at)
        self._at = at + 1
        return _Group((*lead, choice, *tail)) if lead or tail else choice

    def _plain(self, end: int, *, colon: bool) -> list[_Node]:
        """A lead or a tail: literal characters up to what could begin a choice."""
        nodes: list[_Node] = []
        literal = ""
        while self._at < end:
            character = self._text[self._at]
            if _STARTS_CHOICE.match(character) or character == "|" or (character == ":" and not colon):
                break
            if character == "\\":
                literal += self._escape()
                continue
            self._at += 1
            if character == "/":
                nodes += [_Text(literal), _SLASH] if literal else [_SLASH]
                literal = ""
            else:
                literal += character
        return nodes + ([_Text(literal)] if literal else [])

    def _choice(self, end: int) -> _Choice:
        opened = self._at
        alternatives = [self._alternative(end)]
        while self._at < end and self._text[self._at] == "|":
            self._at += 1
            alternatives.append(self._alternative(end))
        label = "|".join(one.source for one in alternatives if one.source)
        if not label:
            raise self._fault('a field was expected beside "text"; text that is always there needs no group', opened)
        return _Choice(tuple(alternatives), label)

    def _alternative(self, end: int) -> _Alternative:
        at = self._at
        if self._text[at : at + 1] == '"':
            return self._quoted(end)
        if date := _DATE.match(self._text, at, end):
            self._at = date.end()
            self._fields.add(DATE)
            return _Alternative(date[0], self._formats(end, padding=False), is_date=True)
        name = _NAME.match(self._text, at, end)
        if name is None:
            raise self._fault('a field, a date such as YYYY-MM-DD, or "text" was expected', at)
        if self._known is not None and name[0] not in self._known:
            near = difflib.get_close_matches(name[0], self._known, n=3)
            raise self._fault(f"there is no field {name[0]}" + (f"; near it are {', '.join(near)}" if near else ""), at)
        self._at = name.end()
        self._fields.add(name[0])
        return _Alternative(name[0], self._formats(end, padding=True))

    def _quoted(self, end: int) -> _Alternative:
        opened = self._at
        self._at += 1
        text = ""
        while self._at < end and self._text[self._at] != '"':
            if self._text[self._at] == "/":
                raise self._fault('a "text" is within one name and has no /', self._at)
            if self._text[self._at] == "\\":
                text += self._escape()
            else:
                text += self._text[self._at]
                self._at += 1
        if self._at >= end:
            raise self._fault('the closing " was expected', opened)
        self._at += 1
        return _Alternative("", text=text)

    def _formats(self, end: int, *, padding: bool) -> tuple[str, ...]:
        formats = []
        while self._at < end and self._text[self._at] == ":":
            self._at += 1
            pad = _PAD.match(self._text, self._at, end)
            word = pad if pad and padding else _NAME.match(self._text, self._at, end)
            if word is None or (word is not pad and word[0] not in _FORMATS):
                wanted = ":02, :lower, :upper or :first" if padding else ":lower or :upper"
                raise self._fault(f"{wanted} was expected", self._at)
            formats.append(word[0])
            self._at = word.end()
        return tuple(formats)

    def _check_parts(self, nodes: tuple[_Node, ...]) -> None:
        """No part may be empty, `.` or `..` whatever the values are; groups are looked at when they are printed."""
        starts = [0] + [at + 1 for at in self._slashes()]
        parts: list[list[_Node]] = [[]]
        for node in nodes:
            if node is _SLASH:
                parts.append([])
            else:
                parts[-1].append(node)
        for at, part in zip(starts, parts, strict=True):
            if any(not isinstance(node, _Text) for node in part):
                continue
            said = "".join(node.text for node in part if isinstance(node, _Text)).strip()
            if not said:
                raise self._fault("a name was expected; the parts of a path are not empty, and it begins with one", at)
            if said in (".", ".."):
                raise self._fault("no part of a path is . or ..", at)

    def _slashes(self) -> list[int]:
        """Where the slashes outside of groups are."""
        depth, found, at = 0, [], 0
        while at < len(self._text):
            character = self._text[at]
            depth += (character == "{") - (character == "}")
            if character == "/" and not depth:
                found.append(at)
            at += 2 if character == "\\" else 1
        return found


def _ends_in_slash(nodes: tuple[_Node, ...]) -> bool:
    last = nodes[-1]
    return last is _SLASH or (isinstance(last, _Group) and _ends_in_slash(last.nodes))


# ----------------------------------------------------------------------------------------------------------- printing


class _Output:
    """The parts so far. Text of the template and text of values are told apart: only the former begins with a dot."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.parts: list[str] = []
        self.missing: list[str] = []
        self._values = values
        self._part = ""
        self._left_out: list[str] = []  # in this part: choices that were absent in optional groups

    def put(self, node: _Node, *, required: bool) -> None:
        if node is _SLASH:
            self.end_part()
        elif isinstance(node, _Text):
            self._part += node.text
        elif isinstance(node, _Choice):
            value, is_data = _choose(node, self._values)
            if value:
                if is_data and not self._part.strip() and value.startswith("."):
                    value = "_" + value[1:]
                self._part += value
            elif value is not None:
                self._left_out.append(node.label)
            elif required:
                self.missing.append(node.label)
        elif self._is_there(node):
            for inner in node.nodes:
                self.put(inner, required=False)
        else:
            self._left_out += _labels(node)

    def _is_there(self, group: _Group) -> bool:
        """All its own choices have a value; or it has none of its own, and one of the groups within is there."""
        own = [node for node in group.nodes if isinstance(node, _Choice)]
        if own:
            return all(_choose(choice, self._values)[0] is not None for choice in own)
        return any(self._is_there(node) for node in group.nodes if isinstance(node, _Group))

    def end_part(self) -> None:
        part, left_out = self._part.strip(), self._left_out
        self._part, self._left_out = "", []
        if part in (".", ".."):
            part = part[:-1] + "_"
        if part:
            self.parts.append(part)
        elif not self.missing:
            # Nothing of this part was there: as a folder it would vanish, and files of different things mix.
            self.missing += left_out


def _labels(group: _Group) -> list[str]:
    found: list[str] = []
    for node in group.nodes:
        if isinstance(node, _Choice):
            found.append(node.label)
        elif isinstance(node, _Group):
            found += _labels(node)
    return found


def _choose(choice: _Choice, values: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The text of the first alternative that is there, None without one; and whether it is a value."""
    for alternative in choice.alternatives:
        if not alternative.source:
            return alternative.text, False
        if alternative.is_date:
            said = _print_date(alternative.source, values.get(DATE))
        else:
            said = plain_text(values.get(alternative.source))
        for name in alternative.formats if said else ():
            said = _FUNCTIONS[name](said) if name in _FUNCTIONS else _pad(said, int(name[1:]))
        if said:
            return said, True
    return None, True


def plain_text(value: Any) -> str:
    """A value as it stands in a name: on one line, without `/`, NUL or control characters (each run of them becomes
    `_`), lists joined with a comma. Empty when there is nothing to print."""
    if value is None or value is False or isinstance(value, Mapping):
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(said for said in map(plain_text, value) if said)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is True:
        value = "true"
    text = (value if isinstance(value, str) else str(value)).strip()
    if not _CONTROLS.sub("", text).strip():
        return ""
    return " ".join(_UNFIT.sub("_", text).split())


def _print_date(pattern: str, value: Any) -> str:
    """The pattern with the digits of an ISO 8601 text; empty when the text is not that precise."""
    text = value if isinstance(value, str) else ""
    said = ""
    for piece in _UNIT_OR_OTHER.split(pattern):
        start = _UNITS.get(piece)
        if start is None:
            said += piece
            continue
        digits = text[start : start + len(piece)]
        if len(digits) != len(piece) or not (digits.isascii() and digits.isdigit()):
            return ""
        said += digits
    return said


def _pad(text: str, width: int) -> str:
    """Zeros before the whole number that a text begins with; a text that begins otherwise stays."""
    digits = re.match(r"[0-9]+", text)
    return "0" * (width - len(digits[0])) + text if digits else text


def _first(text: str) -> str:
    """The letter that a shelf would file it under: without its accent, capital; # for digits and signs."""
    folded = fold(text)
    return folded[0].upper() if folded and folded[0].isalpha() else "#"


_FUNCTIONS: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "first": _first}
