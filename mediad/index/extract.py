"""The text of one file, from its handler (op `text`): opened by the opener, read by a worker, given in pieces.

The daemon neither keeps nor folds a text: pieces go on as they come, and words come folded (handlers/README.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mediad.config import Config
from mediad.errors import ERRORS, Conflict, Internal, InvalidArgument, MediadError, NotFound, Unavailable, Unsupported
from mediad.index.lookup import locate_files
from mediad.index.roots import Roots
from mediad.model import Answer
from mediad.store.store import Store
from mediad.workers.application import Application
from mediad.workers.pool import Pool
from mediad.workers.protocol import Garbage
from mediad.workers.registry import Registry

PIECE_BYTES = 256 * 1024  # handlers/README.md: the most of a piece of text
# What a worker may send of a text: words with positions are longer than the text where every word is another one.
_FACTOR, _ROOM = 4, 1 << 20
_SOURCE_LENGTH, _LANGUAGES = 100, 32  # characters, entries: more of it is a handler's mistake

GivePiece = Callable[[str], None]
GiveWords = Callable[[list[str]], None]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store knows of a file whose text is wanted, and of the text that was extracted."""

    file: int
    stream: Any
    folder: int
    name: bytes
    type: str
    present: bool
    inode: int
    size: int
    mtime_ns: int
    handler: str | None
    version: int | None
    content_size: int | None
    content_mtime_ns: int | None
    content_handler: str | None
    content_version: int | None
    content_rule: int | None
    content_code: str | None
    content_bytes: int | None


@dataclass(frozen=True, slots=True)
class Extracted:
    """What the handler said of a file's text, beside the text: `bytes` of UTF-8, `truncated` by the limit."""

    handler: str
    version: int
    size: int
    mtime_ns: int
    bytes: int
    truncated: bool
    source: str
    languages: list[str]


class ChangedMeanwhile(Conflict):
    """The file is written to while its text is read."""


class Extractor:
    """Texts of files on volumes of this host."""

    def __init__(self, store: Store, config: Config, registry: Registry, roots: Roots) -> None:
        self.store = store
        self.config = config
        self.registry = registry
        self.roots = roots

    async def facts(self, file: int) -> Facts:
        """Raises NotFound when there is no such file."""
        rows = await self.store.read("content_facts", file)
        if not rows:
            raise NotFound("there is no such file", str(file))
        return Facts(file, *rows[0])

    async def text(self, facts: Facts, limit: int, give: GivePiece) -> Extracted:
        """The text of a file, at most `limit` bytes of UTF-8, through `give` in pieces of at most PIECE_BYTES.

        Raises what the file, its volume or its handler raise (Unsupported: it has no words; Corrupt, LimitExceeded,
        InputOutputError, Poison, Internal ...), ChangedMeanwhile, and Unavailable with its path while it cannot be
        had."""
        return await self._run(facts, limit, give, None)

    async def words(self, facts: Facts, limit: int, give: GiveWords) -> Extracted:
        """The folded words of that text, as tsvectors in their text form. Raises as `text`."""
        return await self._run(facts, limit, None, give)

    async def _run(self, facts: Facts, limit: int, give: GivePiece | None, give_words: GiveWords | None) -> Extracted:
        if facts.type != "f":
            raise InvalidArgument("only regular files have text", facts.name)
        place = (await locate_files(self.roots, [(facts.file, facts.folder, facts.name)]))[facts.file]
        if place.root is None or place.root.local is None:
            raise Unavailable("its volume is not mounted on this host", facts.name)
        await self.registry.load()
        self._check_operation(facts, place.path)
        top = place.root.local
        inodes = self.roots.inodes(top)
        fd, stat = (await self.roots.opener(top).open(top, [place.below], inodes=inodes))[0]
        if fd < 0:
            error = self.roots.open_error(stat[0], stat[1])
            raise type(error)(error.message, place.path)
        try:
            exchange = _Exchange(limit, give, give_words)
            answer = await self._ask(facts, place.path, fd, exchange)
            found = self._found(answer, place.path, (stat[1], stat[2]))
            text = answer.ok.get("text") if answer.ok else None
            if isinstance(text, str):  # of a handler that knows no pieces
                await self._pass_on(text, exchange, place.path)
        finally:
            os.close(fd)
        return found

    def _check_operation(self, facts: Facts, path: bytes) -> None:
        """What read the file says whether there is any use in asking. Raises Unsupported."""
        for _application, handler in self.registry.handlers():
            if handler.name == facts.handler and "text" not in handler.operations:
                raise Unsupported(f"the {handler.name} handler knows no text", path)

    async def _ask(self, facts: Facts, path: bytes, fd: int, exchange: _Exchange) -> Answer:
        application = self.registry.application_for(facts.name)
        described: dict[str, Any] = {"name": facts.name}
        if application.manifest is not None and not application.manifest.descriptors:
            described["path"] = path
        return await _ask(
            self._pool(application), "text", described, fd, exchange.options(), self.config.text_seconds, exchange, path
        )  # fmt: skip

    def _pool(self, application: Application) -> Pool:
        return self.registry.pool(application, "text")

    def _found(self, answer: Answer, path: bytes, stat: tuple[int, int]) -> Extracted:
        if answer.ok is None or answer.code:
            code = {"io": "io_error", "limit": "limit_exceeded"}.get(answer.code, answer.code)
            raise ERRORS["poison" if answer.died else code](answer.message, path)
        ok = answer.ok
        after, length, languages = ok.get("stat"), ok.get("bytes"), ok.get("languages")
        if not isinstance(after, list) or len(after) < 3 or type(ok.get("handler_version")) is not int:
            raise Internal("the handler answered without its version or the stat", path)
        if (after[1], after[2]) != stat:
            raise ChangedMeanwhile("the file changes while it is read", path)
        text = ok.get("text")
        if type(length) is not int:
            length = len(text.encode("utf-8", "replace")) if isinstance(text, str) else 0
        return Extracted(
            str(ok.get("handler"))[:_SOURCE_LENGTH], ok["handler_version"], *stat, length, ok.get("truncated") is True,
            str(ok.get("source", ""))[:_SOURCE_LENGTH],
            [one for one in languages[:_LANGUAGES] if isinstance(one, str)] if isinstance(languages, list) else [],
        )  # fmt: skip

    async def _pass_on(self, text: str, exchange: _Exchange, path: bytes) -> None:
        """A text that came whole: in pieces to whoever wants it, or to a worker of the built-in application, which
        folds it: a megabyte of text would hold the loop for a second."""
        if exchange.give is not None:
            for start in range(0, len(text), PIECE_BYTES // 4):
                exchange.give(text[start : start + PIECE_BYTES // 4])
            return
        fd = os.memfd_create("text", os.MFD_CLOEXEC)
        try:
            os.write(fd, text.encode("utf-8", "replace")[: exchange.limit])  # at most an answer: 1 MiB
            os.lseek(fd, 0, os.SEEK_SET)
            builtin = self.registry.builtin
            answer = await _ask(
                self._pool(builtin), "fold", {"name": b""}, fd, {}, self.config.text_seconds, exchange, path
            )
        finally:
            os.close(fd)
        if answer.ok is None or answer.code:
            raise Internal(f"its words cannot be folded: {answer.message}", path)


class _Exchange:
    """What comes before the answer, checked and given on."""

    def __init__(self, limit: int, give: GivePiece | None, give_words: GiveWords | None) -> None:
        self.limit = limit
        self.give = give
        self._give_words = give_words
        self._left = limit * _FACTOR + _ROOM

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"limit": self.limit, "pieces": True}
        if self._give_words is not None:
            options["words"] = True
        return options

    def take(self, piece: dict[str, Any]) -> None:
        """Raises Garbage for what was not asked for, and for more of it than a text can be."""
        text, words = piece.get("text"), piece.get("words")
        if self.give is not None and isinstance(text, str):
            self._left -= len(text)
            self.give(text)
        elif self._give_words is not None and isinstance(words, list) and all(isinstance(w, str) for w in words):
            self._left -= sum(map(len, words))
            self._give_words(words)
        else:
            raise Garbage("a piece that is neither text nor words")
        if self._left < 0:
            raise Garbage("more pieces than the limit allows")


async def _ask(
    pool: Pool, op: str, facts: dict[str, Any], fd: int, options: dict[str, Any], seconds: float, exchange: _Exchange,
    path: bytes,
) -> Answer:  # fmt: skip
    answers: list[Answer] = []
    try:
        await pool.run(
            op, [(facts, fd)], options, seconds=seconds, on_answer=lambda _i, answer: answers.append(answer),
            on_piece=lambda _i, piece: exchange.take(piece),
        )  # fmt: skip
    except MediadError as error:
        raise Unavailable(error.message, path) from error
    if not answers:
        raise Unavailable("the handler's worker ended before it began", path)
    return answers[0]
