"""The words of a PDF: what its pages show, line by line.

Source: ISO 32000-1 9.4 (text objects: Td, Tm, Tj, TJ ...), 8.4.4 (graphics state), 8.10 (form XObjects). Blanks
that a PDF draws as gaps are found from the widths of its fonts. No renderer: what is painted as a picture has no words.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mediad_handlers.document.pdf import iterate_pages
from mediad_handlers.document.pdffont import Font
from mediad_handlers.kit.api import HandlerError, Text
from mediad_handlers.readers.pdf import Keyword, Name, Parser, Pdf, Ref, Short, Stream, open_pdf

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File
    from mediad_handlers.kit.sniff import Sniffed

MAX_PAGES = 20_000
CONTENT = 8 * 1024 * 1024  # bytes of a page's contents
SECONDS = 8.0  # then what was found so far is the answer
MAX_FORMS = 8  # forms within forms
GAP = 0.18  # of the font size: a gap this wide is a blank between words
MAX_OPERANDS = 256

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def _times(a: Matrix, b: Matrix) -> Matrix:
    """a x b (8.3.4)."""
    return (
        a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4], a[4] * b[1] + a[5] * b[3] + b[5],
    )  # fmt: skip


class _Page:
    """The words of one page, gathered while its operators are followed."""

    def __init__(self, pdf: Pdf, fonts: dict[int, Font], until: float) -> None:
        self._pdf = pdf
        self._fonts = fonts
        self._until = until
        self.parts: list[str] = []
        self.size = 0
        self._end: tuple[float, float] | None = None  # where the last shown string ended, in page space
        self._height = 0.0
        self._matrix: Matrix = IDENTITY  # CTM
        self._saved: list[Matrix] = []
        self._text: Matrix = IDENTITY
        self._line: Matrix = IDENTITY
        self._font: Font | None = None
        self._points = 0.0
        self._leading = self._spacing = self._word = 0.0
        self._scale = 1.0

    def run(self, data: bytes, resources: dict[str, Any], depth: int = 0) -> None:
        """Follows a content stream."""
        parser = Parser(data + b" " * 16)
        operands: list[Any] = []
        count = 0
        while True:
            try:
                token = parser.next()
            except Short:
                return
            except HandlerError:
                return
            if not isinstance(token, Keyword):
                if len(operands) < MAX_OPERANDS:
                    operands.append(token)
                continue
            count += 1
            if count % 512 == 0 and time.monotonic() > self._until:
                return
            if token == "BI":
                end = data.find(b"EI", parser.at)
                parser.at = end + 2 if end >= 0 else len(data)
            else:
                self._do(str(token), operands, resources, depth)
            operands.clear()

    def _do(self, operator: str, operands: list[Any], resources: dict[str, Any], depth: int) -> None:
        if operator in ("Tj", "'", '"'):
            if operator != "Tj":
                self._move(0.0, -self._leading)
            if operands and isinstance(operands[-1], bytes):
                self._show(operands[-1])
        elif operator == "TJ":
            for one in operands[-1] if operands and isinstance(operands[-1], list) else ():
                if isinstance(one, bytes):
                    self._show(one)
                elif isinstance(one, int | float):
                    self._advance(-one / 1000 * self._points * self._scale)
        elif operator == "Tf":
            self._set_font(operands, resources)
        elif operator == "BT":
            self._text = self._line = IDENTITY
        elif operator in _NUMERIC:
            numbers = [float(one) for one in operands if isinstance(one, int | float) and not isinstance(one, bool)]
            self._set(operator, numbers)
        elif operator == "q":
            if len(self._saved) < 512:
                self._saved.append(self._matrix)
        elif operator == "Q":
            if self._saved:
                self._matrix = self._saved.pop()
        elif operator == "T*":
            self._move(0.0, -self._leading)
        elif operator == "Do" and depth < MAX_FORMS and operands and isinstance(operands[-1], Name):
            self._do_form(operands[-1], resources, depth)

    def _set(self, operator: str, numbers: list[float]) -> None:
        if operator in ("Td", "TD") and len(numbers) >= 2:
            if operator == "TD":
                self._leading = -numbers[1]
            self._move(numbers[0], numbers[1])
        elif operator == "Tm" and len(numbers) >= 6:
            self._text = self._line = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
        elif operator == "cm" and len(numbers) >= 6:
            given = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
            self._matrix = _times(given, self._matrix)
        elif numbers and operator == "TL":
            self._leading = numbers[0]
        elif numbers and operator == "Tc":
            self._spacing = numbers[0]
        elif numbers and operator == "Tw":
            self._word = numbers[0]
        elif numbers and operator == "Tz":
            self._scale = numbers[0] / 100

    def _set_font(self, operands: list[Any], resources: dict[str, Any]) -> None:
        if len(operands) < 2 or not isinstance(operands[0], Name) or not isinstance(operands[1], int | float):
            return
        self._points = float(operands[1])
        fonts = self._pdf.dictionary(resources.get("Font"))
        reference = fonts.get(str(operands[0]))
        key = reference.number if isinstance(reference, Ref) else -id(reference)
        if key not in self._fonts:
            values = self._pdf.dictionary(reference)
            if len(self._fonts) > 500:
                self._fonts.clear()
            self._fonts[key] = Font(self._pdf, values)
        self._font = self._fonts[key]

    def _do_form(self, name: Name, resources: dict[str, Any], depth: int) -> None:
        form = self._pdf.resolve(self._pdf.dictionary(resources.get("XObject")).get(str(name)))
        if not isinstance(form, Stream) or form.values.get("Subtype") != "Form":
            return
        before, saved = self._matrix, self._saved
        numbers = [self._pdf.resolve(one) for one in self._pdf.array(form.values.get("Matrix"))]
        if len(numbers) == 6 and all(isinstance(one, int | float) for one in numbers):
            a, b, c, d, e, f = (float(one) for one in numbers)
            self._matrix = _times((a, b, c, d, e, f), before)
        self._saved = []
        own = self._pdf.dictionary(form.values.get("Resources")) or resources
        self.run(self._pdf.decode(form, CONTENT), own, depth + 1)
        self._matrix, self._saved = before, saved

    def _move(self, x: float, y: float) -> None:
        self._text = self._line = _times((1.0, 0.0, 0.0, 1.0, x, y), self._line)

    def _advance(self, x: float) -> None:
        self._text = _times((1.0, 0.0, 0.0, 1.0, x, 0.0), self._text)

    def _show(self, data: bytes) -> None:
        if self._font is None:
            return
        text, width = self._font.show(data)
        place = _times(self._text, self._matrix)
        height = self._points * (abs(place[2]) + abs(place[3])) or 1.0
        self._part(place, height)
        if text:
            self.parts.append(text)
            self.size += len(text)
        codes = len(data) // (2 if self._font.composite else 1)
        blanks = data.count(b" ") if not self._font.composite else 0
        moved = (width / 1000 * self._points + codes * self._spacing + blanks * self._word) * self._scale
        self._advance(moved)
        after = _times(self._text, self._matrix)
        self._end, self._height = (after[4], after[5]), height

    def _part(self, place: Matrix, height: float) -> None:
        """What stands between the last string and this one: nothing, a blank, or the end of the line."""
        if self._end is None or not self.parts or self.parts[-1][-1:] in (" ", "\n"):
            return
        along, across = place[4] - self._end[0], place[5] - self._end[1]
        if abs(place[0]) < abs(place[1]):  # text that runs upwards
            along, across = across, along
        if abs(across) > 0.5 * max(height, self._height):
            self.parts.append("\n")
        elif along > GAP * height or along < -2 * height:
            self.parts.append(" ")


_NUMERIC = frozenset(("Td", "TD", "Tm", "cm", "TL", "Tc", "Tw", "Tz"))


def pdf_text(file: File, found: Sniffed, limit: int) -> Text:
    """The words, page by page. Raises HandlerError `corrupt`; `unsupported` for a PDF that stays encrypted."""
    pdf = open_pdf(file)
    if pdf.security is not None and not pdf.security.readable:
        raise HandlerError("unsupported", "the PDF is encrypted")
    until = time.monotonic() + SECONDS
    fonts: dict[int, Font] = {}
    parts: list[str] = []
    size = 0
    for page, inherited in iterate_pages(pdf, MAX_PAGES):
        gathered = _Page(pdf, fonts, until)
        resources = pdf.dictionary(page.get("Resources") or inherited.get("Resources"))
        gathered.run(contents(pdf, page), resources)
        words = "".join(gathered.parts)
        if words.strip():
            parts.append(words.strip("\n") + "\n")
            size += len(parts[-1])
        if size > limit or time.monotonic() > until:
            return Text("".join(parts), True, "PDF text")
    return Text("".join(parts), False, "PDF text")


def contents(pdf: Pdf, page: dict[str, Any]) -> bytes:
    """A page's content streams as one (7.8.2), at most CONTENT bytes."""
    value = pdf.resolve(page.get("Contents"))
    streams = (
        [value]
        if isinstance(value, Stream)
        else [pdf.resolve(one) for one in value[:1000]]
        if isinstance(value, list)
        else []
    )
    found: list[bytes] = []
    left = CONTENT
    for stream in streams:
        if isinstance(stream, Stream) and left > 0:
            data = pdf.decode(stream, left)
            found.append(data)
            left -= len(data)
    return b"\n".join(found)
