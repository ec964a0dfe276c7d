"""Plain text: encoding, line ends, counts; and the words of text, Markdown, subtitles and lyrics.

Sources: Unicode 15 section 23.8 (byte order mark); SubRip as VLC and ffmpeg read it; W3C WebVTT section 4; Advanced
SubStation Alpha 4.00+ ([Events], Dialogue: nine commas before the text); MicroDVD {from}{to}text; LRC time stamps.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from mediad_handlers.document.markup import strip_markup
from mediad_handlers.kit.api import Record, Text

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

WHOLE = 16 * 1024 * 1024  # bytes that are read for the words
MARKS = (
    (codecs.BOM_UTF8, "utf-8", "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32le"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32be"), (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16be"),
)  # fmt: skip
NEWLINES = ((b"\r\n", "crlf"), (b"\n", "lf"), (b"\r", "cr"))
_SRT_TIME = re.compile(r"\s*\d{1,3}:\d\d:\d\d[,.]\d{1,3}\s*-->.*|\s*(?:\d{1,3}:)?\d\d:\d\d\.\d{3}\s*-->.*")
_LRC = re.compile(r"\[\d{1,3}:\d\d(?:[.:]\d{1,3})?\]|<\d{1,3}:\d\d(?:[.:]\d{1,3})?>")
_LRC_TAG = re.compile(r"\[([a-z#]{1,10}):(.*)\]\s*", re.IGNORECASE)
_OVERRIDE = re.compile(r"\{\\[^}]{0,500}\}")
_MICRODVD = re.compile(r"\{\d+\}\{\d*\}")
_STYLE = re.compile(r"\{[yYcCsSfFPoH]:[^}]{0,100}\}")
LRC_FIELDS = {"ti": "title", "ar": "artist_credit", "al": "album"}


def detect(data: bytes) -> tuple[str, str, str]:
    """(codec, IANA name, name of the byte order mark or "") of a text by its first bytes: a mark, else ASCII or UTF-8
    when they are valid, else Windows-1252."""
    for mark, codec, name in MARKS:
        if data.startswith(mark):
            return codec, name, name
    if data.isascii():
        return "utf-8", "us-ascii", ""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return "cp1252", "iso-8859-1" if not any(0x80 <= one < 0xA0 for one in data) else "windows-1252", ""
    return "utf-8", "utf-8", ""


def read_plain(file: File, found: Sniffed) -> Record:
    """The record of a text: its encoding and line ends from the first bytes; lines and words where that is all."""
    record = Record("document", found.format, found.mime_type)
    head = file.head
    codec, name, mark = detect(head)
    record.put("text_encoding", name, "File:MIMEEncoding")
    record.put("bom", mark, "File:ByteOrderMark")
    if not codec.startswith("utf-16") and not codec.startswith("utf-32"):
        record.put("newlines", next((name for end, name in NEWLINES if end in head), None), "File:Newlines")
    if len(head) == file.size:
        text = head.decode(codec, "replace").lstrip("\ufeff")
        record.put("line_count", len(text.splitlines()) or None, "File:LineCount")
        record.put("word_count", len(text.split()) or None, "File:WordCount")
        record.put("character_count", len(text) or None, "File:CharacterCount")
    if found.format == "lrc":
        _read_lrc(record, head.decode(codec, "replace"))
    elif found.format == "markdown":
        _read_front_matter(record, head.decode(codec, "replace").lstrip("\ufeff"))
    return record


def _read_lrc(record: Record, text: str) -> None:
    for line in text.splitlines()[:200]:
        tag = _LRC_TAG.fullmatch(line.strip())
        if tag is None:
            continue
        name, value = tag[1].lower(), tag[2].strip()
        if name in LRC_FIELDS:
            record.put(LRC_FIELDS[name], value, f"LRC:{name}")
        else:
            record.tag(f"LRC:{name}", [value])


def _read_front_matter(record: Record, text: str) -> None:
    """The first heading is the title (CommonMark 0.31 sections 4.2, 4.3)."""
    lines = text.splitlines()[:200]
    for place, line in enumerate(lines):
        if re.match(r" {0,3}#\s+\S", line):
            record.put("title", line.strip().strip("#").strip(), "Markdown:heading")
            return
        if line.strip() and place + 1 < len(lines) and re.fullmatch(r" {0,3}=+\s*", lines[place + 1]):
            record.put("title", line.strip(), "Markdown:heading")
            return


def plain_text(file: File, found: Sniffed, limit: int) -> Text:
    """The words: of a subtitle file what is spoken, of lyrics what is sung, else everything."""
    data = file.read(0, min(file.size, WHOLE, limit * 4 + 4096))
    text = data.decode(detect(data)[0], "replace").lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    words = _WORDS[found.format](text) if found.format in _WORDS else text
    return Text(words[: limit + 1], len(words) > limit or len(data) < file.size, found.format)


def _subrip(text: str) -> str:
    """Cues without their numbers, times and tags. WebVTT: also without its header, notes, styles and regions."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        rows = block.strip("\n").split("\n")
        place = next((index for index, row in enumerate(rows) if _SRT_TIME.fullmatch(row)), None)
        if place is not None:
            lines.extend(row.strip() for row in rows[place + 1 :])
    return _join(strip_markup("\n<br>".join(line for line in lines if line)))


def _substation(text: str) -> str:
    lines = [
        line.split(",", 9)[9] for line in text.split("\n") if line.startswith("Dialogue:") and line.count(",") >= 9
    ]
    return _join("\n".join(_OVERRIDE.sub("", line).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
                           for line in lines))  # fmt: skip


def _microdvd(text: str) -> str:
    return _join("\n".join(_STYLE.sub("", _MICRODVD.sub("", line)).replace("|", "\n") for line in text.split("\n")))


def _lyrics(text: str) -> str:
    lines = (line.strip() for line in text.split("\n") if not _LRC_TAG.fullmatch(line.strip()))
    return _join("\n".join(_LRC.sub("", line).strip() for line in lines))


def _join(text: str) -> str:
    kept = "\n".join(line for line in (one.strip() for one in text.split("\n")) if line)
    return kept + "\n" if kept else ""


_WORDS: dict[str, Callable[[str], str]] = {
    "srt": _subrip,
    "vtt": _subrip,
    "ass": _substation,
    "sub": _microdvd,
    "lrc": _lyrics,
}
