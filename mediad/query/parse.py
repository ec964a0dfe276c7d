"""Text to tree. The grammar, for people: docs/query.md.

question   = { or | sort | limit }
or         = and { "or" and }
and        = not { [ "and" ] not }                           juxtaposition is and
not        = [ "not" | "-" ] ( "(" or ")" | term )
term       = pattern | field ":" value | field compare value
           | field [ "all" ] "in" "(" value { "," value } ")" | field "in" "[" [ value ] ":" [ value ] "]"
           | "exists" "(" field ")" | "count" "(" field ")" compare number
value      = pattern | [ compare ] scalar | [ scalar ] ".." [ scalar ]
compare    = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"
pattern    = [ "*" ] word [ "*" ] | '"' ... '"'
sort       = "sort:" [ "-" ] key { "," [ "-" ] key } | "order" "by" key [ "asc" | "desc" ]
limit      = "limit:" number
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Iterable

from mediad.errors import QuerySyntax
from mediad.fold import fold, shorten
from mediad.query import values
from mediad.query.names import CHOICES, DIGESTS, MOMENTS, SORTS, STATES, Asked, meaning, near
from mediad.query.tree import (
    Ago,
    And,
    Choice,
    Content,
    Count,
    Date,
    Digest,
    Flag,
    Folder,
    Has,
    Ident,
    InCollection,
    Match,
    Moment,
    Near,
    Node,
    Not,
    Number,
    Or,
    Part,
    Path,
    Query,
    Saved,
    Sort,
    Starred,
    When,
)  # fmt: skip
from mediadb_contract.fields import FIELDS

# Terms of one question. Words, values and numbers go into one look-up; the others are a subquery each.
TERMS_MOST = 128
LIST_MOST = 256
DEPTH_MOST = 50
TEXT_MOST = 16_384

_WORD = re.compile(r'[^\s()"]+')
_FIELD = re.compile(r"([^\W\d]\w*(?:[-.]\w+)*)(?:(:)|\s*(!=|<=|>=|=|<|>|~))")
_IN = re.compile(r"([^\W\d]\w*)\s+(?:(all)\s+)?in\s*(\(|\[)", re.IGNORECASE)
_FUNCTION = re.compile(r"(exists|count)\s*\(\s*([^\W\d]\w*)\s*\)", re.IGNORECASE)
_ORDER = re.compile(r"order\s+by\s+(\w+)(?:\s+(asc|desc)\b)?", re.IGNORECASE)
_COMPARE = re.compile(r"!=|<=|>=|=|<|>|~")
_VALUE = re.compile(r'[^\s()"]+')
_LISTED = re.compile(r'\s*(?:"([^"]*)"|([^,()"]*))\s*([,)])')
_KEYWORDS = ("and", "or", "not")
# HomeGallery's kinds, and its keys to sort by.
_TYPES = {"rawimage": "image"}
_ORDERS = {"updated": "modified", "filesize": "size", "filename": "name"}


def parse(text: str) -> Query:
    """Reads a question. Raises QuerySyntax: quotes the text and points at the place."""
    if len(text) > TEXT_MOST:
        raise QuerySyntax(f"a question has at most {TEXT_MOST} characters", text[:80] + "...", position=TEXT_MOST)
    return _Parser(text).question()


def parse_sort(keys: Iterable[str]) -> tuple[Sort, ...]:
    """Sort keys by themselves, as `sort:` takes them. Raises QuerySyntax for one that is none."""
    found: list[Sort] = []
    for key in keys:
        parser = _Parser(key)
        parser.add_sort(key.lstrip("-+"), len(key) - len(key.lstrip("-+")), down=key.startswith("-"))
        found += parser.sort
    return tuple(found)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.terms = 0
        self.sort: list[Sort] = []
        self.limit: int | None = None

    def fail(self, message: str, at: int | None = None) -> QuerySyntax:
        return QuerySyntax(message, self.text, position=self.at if at is None else at)

    def skip(self) -> bool:
        """Over white space; False at the end."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at < len(self.text)

    def keyword(self, *words: str) -> bool:
        """Whether one of these words stands here, whole and bare."""
        found = _WORD.match(self.text, self.at)
        return found is not None and found[0].lower() in words

    def question(self) -> Query:
        if self.text.strip() and not any(c.isalnum() or c in "*" for c in self.text) and "(" not in self.text:
            if self.text.count('"') % 2:
                raise self.fail('a phrase without its closing "', self.text.rindex('"'))
            raise self.fail("a word was expected: there is neither letter nor digit", 0)
        tree = self.either(0) if self.skip() else And(())
        if self.skip():
            raise self.fail("this ) closes nothing" if self.text[self.at] == ")" else "a term was expected")
        return Query(tree, tuple(self.sort), self.limit)

    # -------------------------------------------------------------- and, or, not

    def either(self, depth: int) -> Node:
        if depth > DEPTH_MOST:
            raise self.fail(f"more than {DEPTH_MOST} levels")
        nodes = [self.all_of(depth)]
        while self.skip() and self.keyword("or"):
            self.at += 2
            nodes.append(self.all_of(depth))
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def all_of(self, depth: int) -> Node:
        nodes: list[Node] = []
        wanted = True  # a term must come: at the beginning, behind `and`, `or`, `not`, `(`
        while self.skip() and self.text[self.at] != ")":
            if self.keyword("or"):
                break
            if self.keyword("and"):
                if wanted:
                    raise self.fail("a term was expected before `and`")
                self.at += 3
                wanted = True
                continue
            node = self.negation(depth)
            wanted = False
            if node is not None and node != And(()) and node not in nodes:
                nodes.append(node)
        if wanted:
            raise self.fail("a term was expected" + ("" if self.at < len(self.text) else ", the text ends here"))
        return nodes[0] if len(nodes) == 1 else And(tuple(nodes))

    def negation(self, depth: int) -> Node | None:
        negated = False
        start = self.at
        while True:
            if self.text[self.at] == "-" and self.at + 1 < len(self.text) and not self.text[self.at + 1].isspace():
                self.at += 1
            elif self.keyword("not"):
                self.at += 3
                if not self.skip():
                    raise self.fail("a term was expected after `not`, the text ends here")
            else:
                break
            negated = not negated
        if self.text[self.at] == "(":
            opened = self.at
            self.at += 1
            node: Node | None = self.either(depth + 1)
            if not self.skip():
                raise self.fail("this ( is never closed", opened)
            self.at += 1
        else:
            node = self.term()
            self.terms += 1
            if self.terms > TERMS_MOST:
                raise self.fail(f"more than {TERMS_MOST} terms", start)
        if not negated:
            return node
        if node is None:
            raise self.fail("sort and limit are no terms: they cannot be negated", start)
        return Not(node)

    # -------------------------------------------------------------- one term

    def term(self) -> Node | None:
        start = self.at
        if self.text[start] == ")":
            raise self.fail("a term was expected, not ')'")
        if self.text[start] == '"':
            return Match(None, self.words(self.phrase(), start, quoted=True))
        function = _FUNCTION.match(self.text, start)
        if function:
            return self.function(function)
        order = _ORDER.match(self.text, start)
        if order:
            self.at = order.end()
            self.add_sort(order[1], order.start(1), down=(order[2] or "asc").lower() == "desc")
            return None
        listed = _IN.match(self.text, start)
        if listed and listed[1].lower() not in _KEYWORDS:
            return self.listed(listed)
        field = _FIELD.match(self.text, start)
        if field and not (field[3] and field[1].lower() in _KEYWORDS):
            return self.field(field)
        word = _WORD.match(self.text, start)
        assert word is not None  # neither white space, a parenthesis nor a quote stands here
        self.at = word.end()
        if not fold(word[0]) and "*" not in word[0]:
            return And(())  # `Artist - Title`: a sign between words asks nothing
        parts = self.words(word[0], start, quoted=False)
        return Match(None, parts) if parts else And(())

    def words(self, value: str, at: int, *, quoted: bool) -> tuple[Part, ...]:
        return values.pattern(self.text, value, at, quoted=quoted)

    def phrase(self) -> str:
        """The text between quotes, which begin here."""
        end = self.text.find('"', self.at + 1)
        if end < 0:
            raise self.fail('a phrase without its closing "')
        found = self.text[self.at + 1 : end]
        self.at = end + 1
        return found

    def value(self) -> tuple[str, bool, int]:
        """(value, whether it was quoted, where it begins)."""
        if self.at < len(self.text) and self.text[self.at] == '"':
            at = self.at + 1
            return self.phrase(), True, at
        found = _VALUE.match(self.text, self.at)
        at = self.at
        self.at = found.end() if found else self.at
        return (found[0] if found else ""), False, at

    def function(self, found: re.Match[str]) -> Node:
        name = found[2].lower()
        self.at = found.end()
        if found[1].lower() == "exists":
            return self.has(name, found.start(2))
        asked = self.asked(name, found.start(2))
        self.skip()
        compare = _COMPARE.match(self.text, self.at)
        if compare is None or compare[0] == "~":
            raise self.fail("count(field) is compared: count(tags) >= 2")
        self.at = compare.end()
        self.skip()
        value, _quoted, at = self.value()
        field = name if name in ("tag", "tags") else asked.fields[0]
        return self.numbers(compare[0], value, at, lambda **k: Count("tag" if field == "tags" else field, **k))

    def listed(self, found: re.Match[str]) -> Node:
        name, at = found[1].lower(), found.start(1)
        self.at = found.end()
        if found[3] == "[":
            end = self.text.find("]", self.at)
            inside = self.text[self.at : end] if end >= 0 else ""
            if inside.count(":") != 1:
                raise self.fail("a range was expected: [low:high]", found.start(3))
            low, high = (each.strip() for each in inside.split(":"))
            begin, self.at = self.at, end + 1
            return self.one(name, ":", f"{low}..{high}", False, at, begin)
        nodes: list[Node] = []
        while True:
            item = _LISTED.match(self.text, self.at)
            if item is None:
                raise self.fail("a list was expected: (a, b)", self.at)
            quoted = item[1] is not None
            value = item[1] if quoted else item[2].strip()
            begin = item.start(1) if quoted else item.start(2)
            self.at = item.end()
            nodes.append(self.one(name, "=", value, quoted, at, begin))
            if len(nodes) > LIST_MOST:
                raise self.fail(f"more than {LIST_MOST} values in a list", begin)
            if item[3] == ")":
                return And(tuple(nodes)) if found[2] else Or(tuple(nodes))

    def field(self, found: re.Match[str]) -> Node | None:
        name, at = found[1].lower(), found.start(1)
        self.at = found.end()
        compare = found[2] or found[3]
        if compare == ":":
            inner = _COMPARE.match(self.text, self.at)
            if inner and name not in ("path", "near"):
                compare = inner[0]
                self.at = inner.end()
        else:
            self.skip()
        value, quoted, begin = self.value()
        if name == "sort":
            for key in value.split(","):
                self.add_sort(key.lstrip("-+"), begin, down=key.startswith("-"))
                begin += len(key) + 1
            return None
        if name == "limit":
            if not value.isascii() or not value.isdigit() or not 0 < int(value) < 1 << 31:
                raise self.fail("limit: takes a number from 1", begin)
            self.limit = int(value)
            return None
        return self.one(name, compare, value, quoted, at, begin)

    def add_sort(self, key: str, at: int, *, down: bool) -> None:
        key = _ORDERS.get(key.lower(), key.lower())
        if key not in SORTS:
            raise self.fail(f"there is no key {key[:40]!r} to sort by" + _near_said(near(key, SORTS)), at)
        self.sort.append(Sort(key, down))

    # -------------------------------------------------------------- a field and its value

    def asked(self, name: str, at: int) -> Asked:
        found = Asked("text", ("user_tags",)) if name in ("tag", "tags") else meaning(name)
        if found is None:
            raise self.fail(f"there is no field {name}" + _near_said(near(name)), at)
        return found

    def one(self, name: str, compare: str, value: str, quoted: bool, at: int, begin: int) -> Node:
        """`at`: where the name stands, `begin`: where the value does."""
        if compare == "!=":
            return Not(self.one(name, "=", value, quoted, at, begin))
        if not value.strip():
            raise self.fail(f"{name}: takes a value", begin)
        if name == "type":
            name, value = "kind", _TYPES.get(value.lower(), value)
        special = _SPECIAL.get(name)
        if special is not None:
            if compare not in (":", "=", "~"):
                raise self.fail(f"{name} is not compared: {name}:value", begin)
            return special(self, name, value, quoted, begin, compare == "=")
        if name in MOMENTS:
            column = MOMENTS[name]
            return self.dates(compare, value, begin, lambda **k: Moment(column, **k))
        if name == "copies":
            return self.numbers(compare, value, begin, lambda **k: Count("copies", **k))
        asked = self.asked(name, at)
        if value == "*" and not quoted:
            return Has(asked.fields)
        if asked.how == "number" and not quoted:
            return self.numbers(compare, value, begin, lambda **k: Number(asked.fields, **k))
        if asked.how == "date":
            return self.dates(compare, value, begin, lambda **k: Date(asked.fields, **k))
        if asked.how == "epoch":
            return self.dates(compare, value, begin, lambda **k: Date(asked.fields, **k))
        if asked.how == "flag":
            return Flag(asked.fields[0], self.truth(name, value, begin))
        if compare in ("<", "<=", ">", ">="):
            raise self.fail(f"{name} is text: it is asked with {name}:words", begin)
        whole = compare == "="
        if all(FIELDS[each].type in ("uuid", "hex") for each in asked.fields if each in FIELDS) and name in FIELDS:
            value = value.replace("-", "")  # one word, as it is indexed
        return Match(asked.fields, self.words(value, begin, quoted=quoted or whole), whole)

    def truth(self, name: str, value: str, at: int) -> bool:
        word = value.lower()
        if word not in ("yes", "true", "1", "no", "false", "0"):
            raise self.fail(f"{name}: takes yes or no", at)
        return word in ("yes", "true", "1")

    def numbers(self, compare: str, value: str, at: int, make: Callable[..., Node]) -> Node:
        """A number, a comparison or a range as the node that `make` builds of low, high, above, below."""
        low, dots, high = value.partition("..")
        if dots:
            if compare not in (":", "=", "!="):
                raise self.fail("a range stands without < or >", at)
            bounds = (
                values.number(self.text, low, at) if low else None,
                values.number(self.text, high, at + len(low) + 2) if high else None,
            )
            return _negated(make(low=bounds[0], high=bounds[1]), compare)
        exact = values.number(self.text, value, at)
        return _compared(compare, exact, make)

    def dates(self, compare: str, value: str, at: int, make: Callable[..., Node]) -> Node:
        low, dots, high = value.partition("..")
        if dots:
            if compare not in (":", "=", "!="):
                raise self.fail("a range stands without < or >", at)
            first: When | None = values.date(self.text, low, at) if low else None
            last: When | None = values.date(self.text, high, at + len(low) + 2) if high else None
            return _negated(make(low=first, high=last), compare)
        when = values.date(self.text, value, at)
        if compare == ":" and isinstance(when, Ago) and not when.day:
            return make(low=when, high=None)  # `added:-7d`: since then
        return _compared(compare, when, make)

    def has(self, name: str, at: int) -> Node:
        if name in ("tag", "tags"):
            return Has(("user_tags",))
        if name in MOMENTS and name != "played":
            return And(())
        if name in ("cover", "picture"):
            return Has(("pictures",))
        if name in ("bookmark", "text", "lyrics", "chapters", "pictures", "regions", "tracks"):
            return Has((name,))
        return Has(self.asked(name, at).fields)

    # -------------------------------------------------------------- what is no field

    def _choice(self, name: str, value: str, _quoted: bool, at: int, _whole: bool) -> Node:
        if "\0" in value:  # jsonb takes none, and no file has such a kind or format
            raise self.fail(f"{name}: takes no NUL", at)
        asked = tuple(each.strip().lower() for each in value.split(",") if each.strip())
        if name == "state":
            for each in asked:
                if each not in STATES:
                    raise self.fail(f"state is one of {', '.join(STATES)}", at)
        if not asked:
            raise self.fail(f"{name}: takes a value", at)
        return Choice(name, asked)

    def _tag(self, _name: str, value: str, quoted: bool, at: int, whole: bool) -> Node:
        parts = self.words(value, at, quoted=quoted or whole)
        return Match(("user_tags",), parts, whole) if parts else Has(("user_tags",))

    def _collection(self, name: str, value: str, quoted: bool, at: int, whole: bool) -> Node:
        return InCollection(name, self.words(value, at, quoted=quoted or whole), whole)

    def _starred(self, _name: str, value: str, _quoted: bool, at: int, _whole: bool) -> Node:
        return Starred() if self.truth("starred", value, at) else Not(Starred())

    def _saved(self, _name: str, value: str, _quoted: bool, at: int, _whole: bool) -> Node:
        name = shorten(fold(value))
        if not name:
            raise self.fail("saved: takes the name of a saved question", at)
        return Saved(name, at)

    def _text(self, _name: str, value: str, quoted: bool, at: int, _whole: bool) -> Node:
        parts = self.words(value, at, quoted=quoted)
        return Content(parts) if parts else Has(("text",))

    def _path(self, name: str, value: str, quoted: bool, at: int, whole: bool) -> Node:
        if value.startswith("/"):
            # The bytes of the text: what is not UTF-8 in a name comes as the shell's client sends it, escaped.
            return Path(os.path.normpath(value.encode("utf-8", "surrogateescape")).replace(b"//", b"/"))
        parts = self.words(value, at, quoted=quoted or whole)
        return (
            Or((Folder(parts, whole), Match(("filename",), parts, whole))) if name == "path" else Folder(parts, whole)
        )

    def _near(self, _name: str, value: str, _quoted: bool, at: int, _whole: bool) -> Node:
        parts = value.split(",")
        if len(parts) not in (2, 3):
            raise self.fail("near: takes latitude,longitude,distance (near:48.85,2.35,5km)", at)
        latitude = values.degrees(self.text, parts[0], 90, at)
        longitude = values.degrees(self.text, parts[1], 180, at + len(parts[0]) + 1)
        far = values.metres(self.text, parts[2], at + len(parts[0]) + len(parts[1]) + 2) if len(parts) == 3 else 1000.0
        return Near(latitude, longitude, far)

    def _has(self, _name: str, value: str, _quoted: bool, at: int, _whole: bool) -> Node:
        return self.has(value.lower(), at)

    def _missing(self, _name: str, value: str, _quoted: bool, at: int, _whole: bool) -> Node:
        return Not(self.has(value.lower(), at))

    def _digest(self, name: str, value: str, _quoted: bool, at: int, _whole: bool) -> Node:
        digits = value.lower()
        most = DIGESTS[name]
        if not re.fullmatch(f"[0-9a-f]{{4,{most}}}", digits):
            raise self.fail(f"{name}: takes 4 to {most} hexadecimal digits", at)
        return Digest(name.removesuffix("sum"), digits)

    def _id(self, _name: str, value: str, _quoted: bool, at: int, _whole: bool) -> Node:
        try:
            return Ident(str(uuid.UUID(value)))
        except ValueError:
            raise self.fail("id: takes a UUID", at) from None


def _near_said(names: list[str]) -> str:
    return f"; near it {'is' if len(names) == 1 else 'are'} {', '.join(names)}" if names else ""


def _compared(compare: str, value: object, make: Callable[..., Node]) -> Node:
    bounds: dict[str, Callable[[], Node]] = {
        "<": lambda: make(low=None, high=value, below=True), "<=": lambda: make(low=None, high=value),
        ">": lambda: make(low=value, high=None, above=True), ">=": lambda: make(low=value, high=None),
        "!=": lambda: Not(make(low=value, high=value)),
    }  # fmt: skip
    return bounds.get(compare, lambda: make(low=value, high=value))()


def _negated(node: Node, compare: str) -> Node:
    return Not(node) if compare == "!=" else node


_Special = Callable[[_Parser, str, str, bool, int, bool], Node]
_SPECIAL: dict[str, _Special] = {
    **dict.fromkeys(CHOICES, _Parser._choice), "tag": _Parser._tag, "tags": _Parser._tag,
    **dict.fromkeys(("collection", "playlist"), _Parser._collection), "starred": _Parser._starred,
    "saved": _Parser._saved, "text": _Parser._text, **dict.fromkeys(("path", "folder"), _Parser._path),
    "near": _Parser._near, "has": _Parser._has, "missing": _Parser._missing,
    **dict.fromkeys(DIGESTS, _Parser._digest), "id": _Parser._id,
}  # fmt: skip
