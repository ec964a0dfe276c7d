"""The `audio` handler: MP3, AAC, M4A, FLAC, Ogg (Vorbis, Opus, Speex, FLAC), WAV, AIFF, WMA, APE, WavPack, Musepack,
DSD, MIDI, AU, RealAudio and a few more.

tables.py says which native key is which field, values.py reads the values, one module a container family the rest.
Payloads: `mp3-frames/1` (frames.py), `flac-frames/1` (vorbis.py); every other format has `whole/1` until its own
algorithm is added beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from mediad_handlers import streams
from mediad_handlers.kit.api import Edit, Handler, HandlerError, Match, Payload, Preview, Record, Text
from mediad_handlers.kit.fingerprint import whole
from mediad_handlers.kit.main import run
from mediad_handlers.kit.sniff import Sniffed, recognise

if TYPE_CHECKING:
    from mediad_handlers.kit.file import File


def read(file: File) -> Record:
    """Tags and stream facts. Raises HandlerError: `unsupported` for what is no audio (its hint names the handler that
    takes it), `corrupt` for audio that cannot be read."""
    found = _recognise_audio(file)
    record = Record("audio", found.format, found.mime_type)
    reader = _reader(found.format)
    if reader is None:
        record.warnings.append(f"{found.format}: recognised, not read")
    else:
        reader(record, file)
        _drop_impossible_duration(record, file)
    return record


def _drop_impossible_duration(record: Record, file: File) -> None:
    """Less than one bit a second is a header that was misread (early Monkey's Audio among others), not a song."""
    duration = record.fields.get("duration", 0)
    if duration > file.size * 8 + 3600:
        for name in ("duration", "bit_rate", "sample_rate"):
            record.fields.pop(name, None)
            record.sources.pop(name, None)
        record.warnings.append(f"a duration of {duration:.0f} s in {file.size} bytes was left out")


def payload(file: File) -> Payload:
    """The payload of an audio file. Raises HandlerError as `read` does, and `unsupported` for an MP3 without frames."""
    found = _recognise_audio(file)
    if found.format == "mp3":
        from mediad_handlers.audio.frames import payload as mpeg_payload

        return mpeg_payload(file)
    if found.format == "flac":
        from mediad_handlers.audio.vorbis import flac_payload

        return flac_payload(file)
    return whole(file)


def text(file: File, limit: int) -> Text:
    """The lyrics. Raises HandlerError as `read` does, and `unsupported` for a file without any."""
    from mediad_handlers.audio.words import take_lyrics

    return take_lyrics(read(file), limit)


def _recognise_audio(file: File) -> Sniffed:
    if not file.size:
        raise HandlerError("corrupt", "the file is empty")
    found = recognise(file)
    if found is None:
        raise HandlerError("unsupported", "no audio format was recognised", hint="file")
    if found.handler != "audio":
        raise HandlerError("unsupported", f"this is {found.format}, not audio", hint=found.handler)
    return found


_FUNCTIONS = {
    **dict.fromkeys(("ape", "wavpack", "musepack", "optimfrog", "tak", "tta", "aac", "ac3", "dsf", "dff"),
                    ("ape", "read_stream")),
    **dict.fromkeys(("ogg", "opus", "speex", "oggflac"), ("vorbis", "read_ogg")), "flac": ("vorbis", "read_flac"),
    "mp3": ("mpeg", "read_mpeg"), "m4a": ("mp4", "read_mp4"), "wma": ("asf", "read_asf"),
    "wav": ("chunks", "read_wav"), "aiff": ("chunks", "read_aiff"), "midi": ("small", "read_midi"),
    "au": ("small", "read_au"), "ra": ("small", "read_ra"),
}  # fmt: skip


@cache
def _reader(format: str) -> Callable[[Record, File], None] | None:
    """The reader of a format, its module imported at its first file (the worker's preload names them all)."""
    if format not in _FUNCTIONS:
        return None
    module, function = _FUNCTIONS[format]
    found: Callable[[Record, File], None] = getattr(import_module(f"mediad_handlers.audio.{module}"), function)
    return found


def _list_fields() -> tuple[str, ...]:
    from mediad_handlers.audio.tables import FIELDS

    stream = (
        "release_year", "year", "pictures", "chapters", "duration", "bit_rate", "bit_rate_mode", "sample_rate",
        "channels", "bits_per_sample", "sample_count", "codec", "codec_profile", "lossless", "pcm_md5", "protected",
        "originator", "coding_history", "time_reference", "bwf_umid", "volume_adjustment", "play_counter_file",
    )  # fmt: skip
    return FIELDS + stream


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
    from mediad_handlers.sources import list_audio

    return list_audio()


HANDLER = Handler(
    name="audio",
    version=2,
    summary="songs and other sound: tags, covers, chapters, stream facts",
    kinds=("audio",),
    match=Match(
        extensions=(
            "mp3", "mp2", "aac", "m4a", "m4b", "flac", "ogg", "oga", "opus", "spx", "wav", "aiff", "aif", "aifc", "wma",
            "ape", "wv", "mpc", "mp+", "ofr", "ofs", "tak", "tta", "ac3", "dsf", "dff", "mid", "midi", "amr", "au",
            "snd", "ra",
        ),
        mime_types=(
            "audio/mpeg", "audio/aac", "audio/mp4", "audio/flac", "audio/ogg", "audio/vnd.wave", "audio/wav",
            "audio/aiff", "audio/x-ms-wma", "audio/x-ape", "audio/x-wavpack", "audio/x-musepack", "audio/x-dsf",
            "audio/midi", "audio/basic", "audio/x-pn-realaudio",
        ),
        magic=(
            (0, b"ID3"), (0, b"fLaC"), (0, b"\xff\xfb"), (0, b"\xff\xf3"), (0, b"\xff\xfa"), (0, b"\xff\xf1"),
            (0, b"\xff\xf9"), (28, b"OpusHead"), (28, b"\x01vorbis"), (28, b"Speex   "), (28, b"\x7fFLAC"),
            (8, b"WAVE"), (8, b"AIFF"), (8, b"AIFC"), (4, b"ftypM4A "), (4, b"ftypM4B "), (0, b"MAC "), (0, b"wvpk"),
            (0, b"MPCK"), (0, b"MP+"), (0, b"DSD "), (0, b"FRM8"), (0, b"TTA1"), (0, b"tBaK"), (0, b"OFR "),
            (0, b"MThd\0\0\0\6"), (0, b".snd"), (0, b".ra\xfd"),
        ),
    ),
    read=read,
    sources=list_sources,
    preview=preview,
    write=write,
    payload=payload,
    text=text,
    fields=_list_fields(),
    preload=(
        *streams.PRELOAD,
        "mediad_handlers.audio.ape", "mediad_handlers.audio.asf", "mediad_handlers.audio.bounds",
        "mediad_handlers.audio.chunks", "mediad_handlers.audio.id3", "mediad_handlers.audio.id3rare",
        "mediad_handlers.audio.small",
        "mediad_handlers.audio.mp4", "mediad_handlers.audio.mpeg",
        "mediad_handlers.audio.vorbis", "mediad_handlers.audio.words",
        "mediad_handlers.readers.aac", "mutagen", "mutagen._constants", "mutagen.id3",
        "mutagen.asf", "mutagen.apev2",
        "mutagen.monkeysaudio", "mutagen.wavpack", "mutagen.musepack", "mutagen.optimfrog", "mutagen.tak",
        "mutagen.trueaudio", "mutagen.aac", "mutagen.ac3", "mutagen.dsf", "mutagen.dsdiff", "encodings.cp1252",
        "encodings.latin_1", "encodings.utf_16", "encodings.utf_16_be", "encodings.utf_16_le",
    ),
    limits={"read": {"memory": 128 * 1024 * 1024, "seconds": 10}},
)  # fmt: skip


def main() -> int:
    return run("audio", lambda: (HANDLER,))


if __name__ == "__main__":
    sys.exit(main())
