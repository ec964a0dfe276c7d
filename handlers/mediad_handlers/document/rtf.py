"""Rich Text Format: the document information, the character set, the words.

Source: Microsoft RTF Specification 1.9.1: information group, character set, Unicode (\\u, \\uc), destinations (\\*).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mediad_handlers.document.common import put_integer, split_keywords
from mediad_handlers.kit.api import HandlerError, Record, Text
from mediad_handlers.readers.moment import parse_moment, put_moment

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

MAX_DEPTH = 1000
CODE_PAGES = {
    437: "cp437", 708: "cp1256", 819: "latin-1", 850: "cp850", 852: "cp852", 860: "cp860", 862: "cp862", 863: "cp863",
    864: "cp864", 865: "cp865", 866: "cp866", 874: "cp874", 932: "cp932", 936: "gb18030", 949: "cp949", 950: "cp950",
    1250: "cp1250", 1251: "cp1251", 1252: "cp1252", 1253: "cp1253", 1254: "cp1254", 1255: "cp1255", 1256: "cp1256",
    1257: "cp1257", 1258: "cp1258", 1361: "johab", 10000: "mac_roman", 65001: "utf-8",
}  # fmt: skip
SETS = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
INFO = {"title": "title", "subject": "subject", "operator": "last_modified_by", "category": "category",
        "doccomm": "description", "manager": "manager", "company": "company"}  # fmt: skip
INFO_SOURCE = {"operator": "LastModifiedBy", "doccomm": "Comments"}
COUNTS = {"nofpages": ("page_count", "Pages"), "nofwords": ("word_count", "Words"),
          "nofcharsws": ("character_count", "CharactersWithSpaces"), "nofchars": ("character_count", "Characters"),
          "version": ("revision", "RevisionNumber")}  # fmt: skip
DATES = {"creatim": ("date_created_at", "CreateDate"), "revtim": ("date_modified_at", "ModifyDate"),
         "printim": ("date_printed_at", "LastPrinted")}  # fmt: skip
# Destinations whose text is not the document's; any group that begins with \* is one, too.
_DESTINATIONS = frozenset((
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "themedata", "colorschememapping", "datastore",
    "latentstyles", "listtable", "listoverridetable", "rsidtbl", "generator", "xmlnstbl", "fldinst", "bkmkstart",
    "bkmkend", "filetbl", "revtbl", "mmathPr", "private", "objdata", "nonshppict", "pntext", "pntxta", "pntxtb",
    "ftnsep", "ftnsepc", "aftnsep", "aftnsepc", "template",
))  # fmt: skip
_SYMBOLS = {"par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "cell": "\t", "nestcell": "\t",
            "tab": "\t", "emdash": "\u2014", "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019",
            "ldblquote": "\u201c", "rdblquote": "\u201d", "bullet": "\u2022",
            "emspace": "\u2003", "enspace": "\u2002"}  # fmt: skip
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\", re.DOTALL
)


class _Group:
    """State that a brace saves: whether its text is dropped, the destination, how many bytes follow a \\u."""

    __slots__ = ("name", "silent", "skip")

    def __init__(self, name: str, silent: bool, skip: int) -> None:
        self.name, self.silent, self.skip = name, silent, skip


def _codec(data: bytes) -> str:
    found = re.search(rb"\\ansicpg(\d{1,5})", data[:4096])
    if found and int(found[1]) in CODE_PAGES:
        return CODE_PAGES[int(found[1])]
    found = re.search(rb"\\(ansi|mac|pca|pc)(?![a-z])", data[:4096])
    return SETS[found[1].decode()] if found else "cp1252"


def _words(data: bytes, codec: str) -> Iterator[tuple[str, str]]:
    """(destination, piece of text) outside of the silent groups; the destination is that of the innermost group that
    begins with a control word (`title`, `author` ... within `info`)."""
    stack = [_Group("", False, 1)]
    pending = bytearray()
    skip = 0
    opened = starred = False
    high = 0
    for token in _TOKEN.finditer(data):
        word, number, hexa, symbol, brace, plain = token.groups()
        group = stack[-1]
        if pending and (hexa is None):
            yield group.name, pending.decode(codec, "replace")
            pending.clear()
        if brace == b"{":
            if len(stack) >= MAX_DEPTH:
                return
            stack.append(_Group(group.name, group.silent, group.skip))
            opened, starred = True, False
            continue
        if brace == b"}":
            if len(stack) > 1:
                stack.pop()
            opened, skip = False, 0
            continue
        if word is not None:
            name = word.decode("ascii")
            if name == "bin":
                return  # raw bytes follow: nothing behind them can be trusted to be text
            if opened:
                if name in _DESTINATIONS or starred:
                    group.silent = True
                group.name = name if name in _NAMED or name == "info" else group.name
                opened = False
            if name == "uc":
                group.skip = min(int(number or 1), 16) if (number or b"1").isdigit() else 1
            elif name == "u" and number:
                code = int(number) & 0xFFFF
                skip = group.skip
                if not group.silent or group.name in _NAMED:
                    if 0xD800 <= code < 0xDC00:
                        high = code
                        continue
                    if 0xDC00 <= code < 0xE000:
                        if high:
                            yield group.name, chr(0x10000 + ((high - 0xD800) << 10) + code - 0xDC00)
                        high = 0
                        continue
                    yield group.name, chr(code)
            elif name in _SYMBOLS:
                yield group.name if not group.silent or group.name in _NAMED else "info", _SYMBOLS[name]
            continue
        if symbol == b"*" and opened:
            starred = True
            continue
        opened = False
        if hexa is not None:
            if skip:
                skip -= 1
            elif not group.silent or group.name in _NAMED:
                pending.append(int(hexa, 16))
        elif symbol is not None:
            if skip:
                skip -= 1
            elif symbol in b"\\{}" and (not group.silent or group.name in _NAMED):
                yield group.name, symbol.decode("ascii")
            elif symbol in b"~_":
                yield group.name, " " if symbol == b"~" else "-"
            elif symbol in b"\r\n":
                yield group.name, "\n"
        elif plain is not None:
            if skip:
                dropped = min(skip, len(plain))
                plain, skip = plain[dropped:], skip - dropped
            if plain and (not group.silent or group.name in _NAMED):
                yield group.name, plain.decode(codec, "replace")


_NAMED = frozenset((*INFO, "author", "keywords", "copyright", "comment", "hlinkbase", "staticval", "propname"))


def read_rtf(file: File, found: Sniffed) -> Record:
    """The record: the information group, which stands in the first bytes."""
    record = Record("document", found.format, found.mime_type)
    head = file.head
    if not head.startswith(b"{\\rtf"):
        raise HandlerError("corrupt", "the file does not begin with {\\rtf")
    record.put("text_encoding", _codec(head), "RTF:charset")
    start, end = find_info(head)
    if start < 0:
        return record
    info = head[start:end]
    texts: dict[str, list[str]] = {}
    for name, piece in _words(b"{\\rtf1 " + info[1:], _codec(head)):
        texts.setdefault(name, []).append(piece)
    for name, pieces in texts.items():
        text = "".join(pieces).strip()
        source = f"RTF:{INFO_SOURCE.get(name, name.capitalize())}"
        if name in INFO:
            record.put(INFO[name], text, source)
        elif name == "author" and text:
            record.put("creators", [text], source)
        elif name == "keywords":
            record.put("keywords", split_keywords(text), source)
        elif name == "copyright":
            record.put("copyright", text, source)
        elif name in _NAMED:
            record.tag(f"RTF:{name.capitalize()}", [text])
    for match in re.finditer(rb"\\(nofpages|nofwords|nofcharsws|nofchars|version|edmins)(\d{1,9})", info):
        word = match[1].decode("ascii")
        if word == "edmins":
            record.put("editing_time", int(match[2]) * 60 or None, "RTF:TotalEditTime")
        else:
            put_integer(record, COUNTS[word][0], match[2].decode("ascii"), f"RTF:{COUNTS[word][1]}")
    for match in re.finditer(rb"\\(creatim|revtim|printim)((?:\\(?:yr|mo|dy|hr|min|sec)\d{1,4}\s?)+)", info):
        name, source = DATES[match[1].decode("ascii")]
        _put_time(record, name, match[2], f"RTF:{source}")
    return record


def _put_time(record: Record, name: str, words: bytes, source: str) -> None:
    part = {key.decode(): int(value) for key, value in re.findall(rb"\\(yr|mo|dy|hr|min|sec)(\d{1,4})", words)}
    text = f"{part.get('yr', 0):04}-{part.get('mo', 0):02}-{part.get('dy', 0):02}"
    if "hr" in part and "min" in part:
        text += f" {part['hr']:02}:{part['min']:02}:{part.get('sec', 0):02}"
    put_moment(record, name, parse_moment(text), source)


def find_info(data: bytes) -> tuple[int, int]:
    """(start, end) of the information group in the first bytes, to the end of what is there when its closing brace is
    not; (-1, -1) when there is none."""
    start = data.find(b"{\\info")
    if start < 0:
        return -1, -1
    depth = 0
    for match in re.finditer(rb"\\.|[{}]", data[start:], re.DOTALL):
        if match[0] == b"{":
            depth += 1
        elif match[0] == b"}":
            depth -= 1
            if depth == 0:
                return start, start + match.end()
    return start, len(data)


def rtf_text(file: File, found: Sniffed, limit: int) -> Text:
    """The words of the body."""
    data = file.read(0, min(file.size, 16 * 1024 * 1024))
    parts: list[str] = []
    size = 0
    for name, piece in _words(data, _codec(data)):
        if name == "info" or name in _NAMED:
            continue
        parts.append(piece)
        size += len(piece)
        if size > limit:
            return Text("".join(parts), True, "RTF body")
    return Text("".join(parts), len(data) < file.size, "RTF body")
