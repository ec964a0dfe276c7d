"""What a handler is: one value `Handler` with plain functions, and the things they take and give.

The contract on a page: handlers/README.md. Nothing here reads, prints or parses; `kit.file` reads, `kit.main` speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File

Code = Literal["unsupported", "corrupt", "io", "limit", "internal"]


class HandlerError(Exception):
    """A reason why there is no answer for this file. `code` is one of the contract's five."""

    def __init__(self, code: Code, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.partial: dict[str, Any] | None = None  # what can be said of the file all the same, as `read` answers
        self.memory = 0  # limit: bytes of address space with which it can be done; 0: with none
        self.hint = hint  # unsupported: the name of the built-in handler whose file this is


@dataclass(frozen=True, slots=True)
class Match:
    """Which files a handler is for. `magic` rows are (offset, bytes): any one that matches the head of the file wins
    over extensions, and a head that matches another handler's magic loses to it."""

    extensions: tuple[str, ...] = ()  # lower case, without the dot
    mime_types: tuple[str, ...] = ()
    magic: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes of a file that are its stream: without tags, padding, thumbnails, and headers that editors rewrite.

    `ranges` are (offset, length) in file order. `prefix` is hashed before them: normalised parameters that belong to
    the payload but are not stored verbatim. Where the payload is not the file's bytes but what they decode to, `ranges`
    is empty, the prefix is what bounded reads can tell of it (the fingerprint is made of that alone), and `decoded()`
    gives all of it for the checksum. The same algorithm name always means the same bytes (settled 2)."""

    algorithm: str  # e.g. "mp3-frames/1"
    ranges: tuple[tuple[int, int], ...]
    prefix: bytes = b""
    decoded: Callable[[], Iterator[bytes]] | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One audio or video track of a packetised format, for the stream checksum and the track key.

    `packets()` gives the codec's own bytes in decoding order, without container framing: AAC without ADTS, H.264/H.265
    NAL units each behind a 4-byte length whatever the file has, MPEG audio frames with their headers, FLAC frames. Each
    call starts again. Where the pieces are cut does not matter: they are hashed as one run of bytes. `first` is the
    first packets' bytes (at most FIRST of them) that `read` had at hand, None when the track key is not to be had from
    bounded reads. `docs/handlers.md`, section What counts as payload, has the table and the specifications."""

    number: int  # as the container counts, from 1
    kind: str  # "audio" or "video"
    codec: str  # our name: aac mp3 flac opus vorbis h264 hevc av1 ...
    packets: Callable[[], Iterator[bytes]]
    first: bytes | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """The words of a document, lyrics or subtitles: paragraphs end with a newline. `truncated`: the limit cut it."""

    text: str
    truncated: bool = False
    source: str = ""  # where it stood: "PDF text", "word/document.xml", "USLT" ...
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """A small picture: JPEG, or PNG where it is transparent; upright, sRGB, without metadata. `source`: what it shows
    (front_cover, preview, or the format of the picture itself)."""

    data: bytes
    mime_type: str
    width: int  # pixels
    height: int
    source: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """What to change in a file's tags. `set` replaces all values of a field, `add` appends to a plural one, `remove`
    takes these values away (an empty list: the whole field). Names and types: fields.json."""

    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    remove: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """What `read` found. Field names, types and units: mediadb_contract/fields.json. Absent means the key is absent."""

    kind: str  # audio image video document other
    format: str  # container: mp3 flac ogg m4a jpeg ...
    mime_type: str
    fields: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, list[Any]] = field(default_factory=dict)  # unmapped: {"Group:Key": [values]}
    sources: dict[str, str] = field(default_factory=dict)  # {"title": "ID3v2.3:TIT2"}
    warnings: list[str] = field(default_factory=list)
    payload: Payload | None = None  # what the fingerprint is made of; None: whole file
    tracks: tuple[Track, ...] = ()  # whose track keys go with the record

    def put(self, name: str, value: Any, source: str) -> None:
        """Sets a field once: the first source that has a value wins (precedence is the order of the calls).
        None, empty text and empty lists are absent."""
        if value is None or value == "" or value == [] or name in self.fields:
            return
        self.fields[name] = value
        self.sources[name] = source

    def tag(self, key: str, values: Iterable[Any]) -> None:
        """Keeps an unmapped native value under "Group:Key"."""
        kept = [value for value in values if value is not None and value != ""]
        if kept:
            self.tags.setdefault(key, []).extend(kept)


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler: its name, the version of its fields' meaning (raised by hand; a raise re-reads its files), what it
    matches, and its operations. `read` is required; `payload` gives the stream for scope `stream` of `checksum`
    (None: the handler has no stream, the whole file is it), `tracks` its audio and video tracks; `text(file, limit)`
    the words, at most `limit` bytes of UTF-8; `preview(file, size)` a picture of at most `size` pixels at its longer
    side; `write(file, edit, target)` writes the edited file into the descriptor `target` and returns warnings. Each
    raises HandlerError, `unsupported` when this file's format has no such thing."""

    name: str
    version: int
    summary: str
    kinds: tuple[str, ...]
    match: Match
    read: Callable[[File], Record]
    payload: Callable[[File], Payload] | None = None
    tracks: Callable[[File], Sequence[Track]] | None = None
    text: Callable[[File, int], Text] | None = None
    write: Callable[[File, Edit, int], list[str]] | None = None
    preview: Callable[[File, int], Preview] | None = None
    sources: Callable[[], Mapping[str, Sequence[str]]] | None = None  # {field: native tags}, for --describe
    fields: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()  # modules imported before lock-down, so that nothing is imported afterwards
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # {"read": {"memory": bytes, "seconds": n}}
