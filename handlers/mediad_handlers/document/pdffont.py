"""Which characters a PDF font's codes are: ToUnicode maps, encodings with differences, widths.

Source: ISO 32000-1 9.6.6 (simple fonts' encodings), 9.7 (composite fonts), 9.10 (extraction of text), Adobe Glyph List
specification section 2 (uniXXXX and uXXXXX names).
"""

from __future__ import annotations

import re
from typing import Any

from mediad_handlers.readers.pdf import Name, Pdf, Stream

CMAP = 1024 * 1024
MAX_MAPPINGS = 70_000
# The glyph names of the standard Latin character set (annex D.2) that are no letters or digits of ASCII themselves.
GLYPHS = {
    "space": " ", "exclam": "!", "quotedbl": '"', "numbersign": "#", "dollar": "$", "percent": "%", "ampersand": "&",
    "quotesingle": "'", "parenleft": "(", "parenright": ")", "asterisk": "*", "plus": "+", "comma": ",", "hyphen": "-",
    "period": ".", "slash": "/", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "colon": ":", "semicolon": ";", "less": "<", "equal": "=",
    "greater": ">", "question": "?", "at": "@", "bracketleft": "[", "backslash": "\\", "bracketright": "]",
    "asciicircum": "^", "underscore": "_", "grave": "`", "braceleft": "{", "bar": "|", "braceright": "}",
    "asciitilde": "~", "exclamdown": "\u00a1", "cent": "\u00a2", "sterling": "\u00a3", "currency": "\u00a4",
    "yen": "\u00a5", "brokenbar": "\u00a6", "section": "\u00a7", "dieresis": "\u00a8", "copyright": "\u00a9",
    "ordfeminine": "\u00aa", "guillemotleft": "\u00ab", "logicalnot": "\u00ac", "registered": "\u00ae",
    "macron": "\u00af", "degree": "\u00b0", "plusminus": "\u00b1", "acute": "\u00b4", "mu": "\u00b5",
    "paragraph": "\u00b6", "periodcentered": "\u00b7", "cedilla": "\u00b8", "ordmasculine": "\u00ba",
    "guillemotright": "\u00bb", "onequarter": "\u00bc", "onehalf": "\u00bd", "threequarters": "\u00be",
    "questiondown": "\u00bf", "AE": "\u00c6", "Eth": "\u00d0", "multiply": "\u00d7", "Oslash": "\u00d8",
    "Thorn": "\u00de", "germandbls": "\u00df", "ae": "\u00e6", "eth": "\u00f0", "divide": "\u00f7",
    "oslash": "\u00f8", "thorn": "\u00fe", "dotlessi": "\u0131", "Lslash": "\u0141", "lslash": "\u0142",
    "OE": "\u0152", "oe": "\u0153", "Scaron": "\u0160", "scaron": "\u0161", "Zcaron": "\u017d", "zcaron": "\u017e",
    "florin": "\u0192", "circumflex": "\u02c6", "caron": "\u02c7", "breve": "\u02d8", "dotaccent": "\u02d9",
    "ring": "\u02da", "ogonek": "\u02db", "tilde": "\u02dc", "hungarumlaut": "\u02dd", "endash": "\u2013",
    "emdash": "\u2014", "quoteleft": "\u2018", "quoteright": "\u2019", "quotesinglbase": "\u201a",
    "quotedblleft": "\u201c", "quotedblright": "\u201d", "quotedblbase": "\u201e", "dagger": "\u2020",
    "daggerdbl": "\u2021", "bullet": "\u2022", "ellipsis": "\u2026", "perthousand": "\u2030",
    "guilsinglleft": "\u2039", "guilsinglright": "\u203a", "fraction": "\u2044", "Euro": "\u20ac",
    "trademark": "\u2122", "minus": "\u2212", "fi": "fi", "fl": "fl", "ff": "ff", "ffi": "ffi", "ffl": "ffl",
    "nbspace": " ", "sfthyphen": "\u00ad", "alpha": "\u03b1", "beta": "\u03b2", "gamma": "\u03b3", "delta": "\u03b4",
    "epsilon": "\u03b5", "theta": "\u03b8", "lambda": "\u03bb", "pi": "\u03c0", "sigma": "\u03c3", "tau": "\u03c4",
    "phi": "\u03c6", "omega": "\u03c9", "Delta": "\u0394", "Sigma": "\u03a3", "Omega": "\u03a9", "infinity": "\u221e",
    "lessequal": "\u2264", "greaterequal": "\u2265", "notequal": "\u2260", "approxequal": "\u2248",
    "partialdiff": "\u2202", "summation": "\u2211", "radical": "\u221a", "integral": "\u222b", "arrowright": "\u2192",
}  # fmt: skip
_ACCENTS = {"grave": "\u0300", "acute": "\u0301", "circumflex": "\u0302", "tilde": "\u0303", "dieresis": "\u0308",
            "ring": "\u030a", "cedilla": "\u0327", "caron": "\u030c", "breve": "\u0306", "macron": "\u0304",
            "ogonek": "\u0328", "dotaccent": "\u0307", "hungarumlaut": "\u030b"}  # fmt: skip
_ACCENTED = re.compile(r"([A-Za-z])(" + "|".join(_ACCENTS) + ")")
_CODECS = {"WinAnsiEncoding": "cp1252", "MacRomanEncoding": "mac_roman", "PDFDocEncoding": "latin-1"}
# StandardEncoding (annex D.2) where it differs from Latin-1.
_STANDARD = {
    0x27: "\u2019", 0x60: "\u2018", 0xA4: "\u2044", 0xA6: "\u0192", 0xA8: "\u00a4", 0xA9: "'", 0xAA: "\u201c",
    0xAC: "\u2039", 0xAD: "\u203a", 0xAE: "fi", 0xAF: "fl", 0xB1: "\u2013", 0xB2: "\u2020", 0xB3: "\u2021",
    0xB4: "\u00b7", 0xB7: "\u2022", 0xB8: "\u201a", 0xB9: "\u201e", 0xBA: "\u201d", 0xBC: "\u2026", 0xBD: "\u2030",
    0xD0: "\u2014", 0xE1: "\u00c6", 0xE3: "\u00aa", 0xE8: "\u0141", 0xE9: "\u00d8", 0xEA: "\u0152", 0xEB: "\u00ba",
    0xF1: "\u00e6", 0xF5: "\u0131", 0xF8: "\u0142", 0xF9: "\u00f8", 0xFA: "\u0153", 0xFB: "\u00df",
}  # fmt: skip


def glyph_text(name: str) -> str:
    """The characters of a glyph name; "" for one that tells nothing (g12, cid33)."""
    name = name.split(".", maxsplit=1)[0]
    if len(name) == 1:
        return name
    if name in GLYPHS:
        return GLYPHS[name]
    match = re.fullmatch(r"uni((?:[0-9A-F]{4})+)", name)
    if match:
        return "".join(chr(int(match[1][at : at + 4], 16)) for at in range(0, len(match[1]), 4))
    match = re.fullmatch(r"u([0-9A-F]{4,6})", name)
    if match and int(match[1], 16) < 0x110000:
        return chr(int(match[1], 16))
    match = _ACCENTED.fullmatch(name)
    if match:
        import unicodedata

        return unicodedata.normalize("NFC", match[1] + _ACCENTS[match[2]])
    return ""


class Font:
    """Codes to text. `width`: bytes of a code (1, or 2 of a composite font)."""

    def __init__(self, pdf: Pdf, values: dict[str, Any]) -> None:
        self.composite = values.get("Subtype") == "Type0"
        self._map: dict[int, str] = {}
        self._code_lengths = {2} if self.composite else {1}
        self.widths: dict[int, float] = {}
        self.default = 1000.0 if self.composite else 500.0
        stream = pdf.resolve(values.get("ToUnicode"))
        if isinstance(stream, Stream):
            self._read_map(pdf.decode(stream, CMAP))
        if self.composite:
            self._read_composite_widths(pdf, pdf.dictionary((pdf.array(values.get("DescendantFonts")) or [None])[0]))
            return
        self._read_simple(pdf, values)

    def _read_simple(self, pdf: Pdf, values: dict[str, Any]) -> None:
        encoding = pdf.resolve(values.get("Encoding"))
        base: Any = encoding if isinstance(encoding, Name) else None
        differences: list[Any] = []
        if isinstance(encoding, dict):
            base = pdf.resolve(encoding.get("BaseEncoding"))
            differences = pdf.array(encoding.get("Differences"))
        codec = _CODECS.get(str(base))
        if codec is None and values.get("Subtype") == "TrueType":
            codec = "cp1252"
        table: dict[int, str] = {}
        for code in range(32, 256):
            table[code] = bytes((code,)).decode(codec, "ignore") if codec else _STANDARD.get(code, chr(code))
        code = 0
        for one in differences[:2000]:
            if type(one) is int:
                code = one
            elif isinstance(one, Name):
                table[code & 0xFF] = glyph_text(one)
                code += 1
        self._map = {**table, **self._map}
        first = pdf.resolve(values.get("FirstChar"))
        for place, width in enumerate(pdf.array(values.get("Widths"))[:256]):
            width = pdf.resolve(width)
            if type(first) is int and isinstance(width, int | float):
                self.widths[first + place] = float(width)

    def _read_composite_widths(self, pdf: Pdf, descendant: dict[str, Any]) -> None:
        default = pdf.resolve(descendant.get("DW"))
        self.default = float(default) if isinstance(default, int | float) else 1000.0
        table = pdf.array(descendant.get("W"))
        at = 0
        while at + 1 < len(table) and len(self.widths) < MAX_MAPPINGS:
            first, second = pdf.resolve(table[at]), pdf.resolve(table[at + 1])
            if type(first) is not int:
                break
            if isinstance(second, list):
                for place, width in enumerate(second[:MAX_MAPPINGS]):
                    if isinstance(width, int | float):
                        self.widths[first + place] = float(width)
                at += 2
                continue
            width = pdf.resolve(table[at + 2]) if at + 2 < len(table) else None
            if type(second) is int and isinstance(width, int | float) and 0 <= second - first < MAX_MAPPINGS:
                for code in range(first, second + 1):
                    self.widths[code] = float(width)
            at += 3

    def _read_map(self, data: bytes) -> None:
        """9.10.3: bfchar and bfrange of a ToUnicode CMap; the code space says how many bytes a code has."""
        spaces = b"".join(re.findall(rb"begincodespacerange(.*?)endcodespacerange", data, re.DOTALL))
        lengths = {len(low) // 2 for low in re.findall(rb"<([0-9A-Fa-f]{2,8})>\s*<[0-9A-Fa-f]{2,8}>", spaces)}
        if lengths and self.composite:
            self._code_lengths = {one for one in lengths if 1 <= one <= 4} or self._code_lengths
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", data, re.DOTALL):
            for code, text in re.findall(rb"<([0-9A-Fa-f\s]{1,16})>\s*<([0-9A-Fa-f\s]{0,256})>", block):
                if len(self._map) < MAX_MAPPINGS:
                    self._map[_number(code)] = _characters(text)
        for block in re.findall(rb"beginbfrange(.*?)endbfrange", data, re.DOTALL):
            self._read_ranges(block)

    def _read_ranges(self, block: bytes) -> None:
        pattern = rb"<([0-9A-Fa-f\s]{1,16})>\s*<([0-9A-Fa-f\s]{1,16})>\s*(?:<([0-9A-Fa-f\s]{0,256})>|\[([^\]]*)\])"
        for low, high, start, listed in re.findall(pattern, block):
            first, last = _number(low), _number(high)
            if last - first > 65535 or len(self._map) > MAX_MAPPINGS:
                continue
            if listed:
                for place, text in enumerate(re.findall(rb"<([0-9A-Fa-f\s]{0,256})>", listed)[: last - first + 1]):
                    self._map[first + place] = _characters(text)
                continue
            base = _characters(start)
            for code in range(first, last + 1):
                tail = ord(base[-1]) + code - first if base else 0
                if base and tail < 0x110000 and not 0xD800 <= tail < 0xE000:
                    self._map[code] = base[:-1] + chr(tail)

    def show(self, data: bytes) -> tuple[str, float]:
        """(text, width in thousandths of the font size) of a shown string; 9.4.3."""
        parts: list[str] = []
        width = 0.0
        for code in self._codes(data):
            parts.append(self._map.get(code, ""))
            width += self.widths.get(code, self.default)
        return "".join(parts), width

    def _codes(self, data: bytes) -> list[int]:
        if not self.composite:
            return list(data)
        if self._code_lengths == {2}:
            return [data[at] << 8 | data[at + 1] for at in range(0, len(data) - 1, 2)]
        if self._code_lengths == {1}:
            return list(data)
        found, at = [], 0
        while at < len(data):
            for length in sorted(self._code_lengths):
                code = int.from_bytes(data[at : at + length], "big")
                if code in self._map or length == max(self._code_lengths):
                    break
            found.append(code)
            at += length
        return found


def _number(digits: bytes) -> int:
    return int(re.sub(rb"\s", b"", digits) or b"0", 16)


def _characters(digits: bytes) -> str:
    digits = re.sub(rb"\s", b"", digits)
    data = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    if len(data) == 1:
        return chr(data[0])
    return data.decode("utf-16-be", "ignore").replace("\0", "")
