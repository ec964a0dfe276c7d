"""The `video` handler: MP4/M4V/MOV/3GP, AVI, FLV, Matroska/WebM, ASF/WMV RealMedia, Ogg with video by own bounded
header readers.

Fields: sections 3 and 6 of the vocabulary (mediadb_contract/fields.json). MPEG transport and program streams and DV by
mpegts and mpegps.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from mediad_handlers import streams
from mediad_handlers.kit.api import Edit, Handler, HandlerError, Match, Preview, Record
from mediad_handlers.kit.file import File

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid"))
_MPEG = (  # magic, reader in video.mpegps
    (b"\0\0\1\xba", "read_ps"),
    (b"\0\0\1\xb3", "read_mpeg_video"),
    (b"\x1f\7\0", "read_dv"),
)
PACKET, STAMPED_PACKET = 188, 192  # ISO/IEC 13818-1 section 2.4.3.2; Blu-ray puts a 4-byte time stamp in front


@cache
def _reader(module: str, function: str) -> Callable[[File], Record]:
    """A reader, its module imported at its first file (the kit's preload names them all)."""
    found: Callable[[File], Record] = getattr(importlib.import_module(f"mediad_handlers.video.{module}"), function)
    return found


def read(file: File) -> Record:
    """The record of a video, by its first bytes. Raises HandlerError `unsupported`, `corrupt`, `limit`, `io`."""
    head = file.head
    if head[4:8] in _BOXES:
        return _reader("mp4", "read_mp4")(file)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _reader("matroska", "read_matroska")(file)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _reader("avi", "read_avi")(file)
    if head[:16] == _ASF:
        return _reader("asf", "read_asf")(file)
    if head[:4] == b"FLV\1":
        return _reader("flv", "read_flv")(file)
    if head[:4] == b"OggS":
        return _reader("ogv", "read_ogv")(file)
    if head[:4] == b".RMF":
        return _reader("realmedia", "read_rm")(file)
    for mark, function in _MPEG:
        if head.startswith(mark):
            return _reader("mpegps", function)(file)
    if _is_transport_stream(head):
        return _reader("mpegts", "read_ts")(file)
    raise HandlerError("unsupported", "not a video of a format that is read here")


def _is_transport_stream(head: bytes) -> bool:
    return any(
        len(head) > start + 3 * step and all(head[start + step * packet] == 0x47 for packet in range(4))
        for start, step in ((0, PACKET), (4, STAMPED_PACKET))
    )


def write(file: File, edit: Edit, target: int) -> list[str]:
    """Writes the edited file into `target` (docs/writing.md). Raises HandlerError; `unsupported` for what this format
    cannot hold."""
    from mediad_handlers.write import write_file

    return write_file(file, read(file), edit, target)


def preview(file: File, size: int) -> Preview:
    """The preview of a file (mediad_handlers.preview). Raises HandlerError."""
    from mediad_handlers.preview import make

    return make(HANDLER, file, size)


def list_sources() -> Mapping[str, Sequence[str]]:
    """{field: native tags it is read from}, for `--describe`."""
    from mediad_handlers.sources import list_video

    return list_video()


HANDLER = Handler(
    name="video",
    version=2,
    summary="Videos: MP4, M4V, MOV, 3GP, AVI, FLV, Matroska, WebM, ASF, WMV, RealMedia, MPEG-TS and PS, DV",
    kinds=("video", "audio"),
    match=Match(
        extensions=(
            "mp4", "m4v", "mov", "qt", "3gp", "3g2", "f4v", "avi", "flv", "mkv", "mk3d", "mka", "webm", "wmv", "asf",
            "ogv", "ogm", "ts", "mts", "m2ts", "mpg", "mpeg", "vob", "dv", "rm", "rmvb",
        ),
        mime_types=(
            "video/mp4", "video/x-m4v", "video/quicktime", "video/3gpp", "video/3gpp2", "video/x-msvideo",
            "video/x-flv", "video/x-matroska", "video/webm", "video/x-ms-wmv", "video/mp2t", "video/mpeg",
        ),
        magic=(
            (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (0, b"\x1a\x45\xdf\xa3"), (8, b"AVI "), (0, _ASF),
            (0, b"FLV\1"), (0, b".RMF"), *((0, mark) for mark, _ in _MPEG),
        ),
    ),
    read=read,
    sources=list_sources,
    preview=preview,
    write=write,
    preload=(
        *streams.PRELOAD,
        "mediad_handlers.video.mp4", "mediad_handlers.video.matroska", "mediad_handlers.video.avi",
        "mediad_handlers.video.asf", "mediad_handlers.video.flv", "mediad_handlers.video.realmedia",
        "mediad_handlers.video.ogv", "mediad_handlers.audio.frames",
        "mediad_handlers.video.mpegts", "mediad_handlers.video.mpegps",
        "mediad_handlers.image.regions", "plistlib",
        "encodings.mac_roman", "encodings.latin_1", "encodings.utf_16", "encodings.utf_16_be", "encodings.utf_16_le",
    ),
    limits={"read": {"memory": 64 * 1024 * 1024, "seconds": 10}},
)  # fmt: skip


def main() -> int:
    """The command `video-handler`; its exit status."""
    from mediad_handlers.kit.main import run

    return run("video", lambda: (HANDLER,))
