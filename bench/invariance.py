"""After whose edits do the fingerprint, the track keys and the stream checksum of a file stay? A table in Markdown.

    python bench/invariance.py

Makes a small file of each format (ffmpeg, Pillow, zipfile), edits a copy with each tool that is installed and knows the
format, and compares. A tool that is missing is said so below the table.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mediad_handlers import media
from mediad_handlers.kit import answer
from mediad_handlers.kit.api import HandlerError
from mediad_handlers.kit.file import File

TONE = ("-f", "lavfi", "-i", "sine=440:d=3")
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x240:d=1:r=25", "-frames:v", "1")
FILM = ("-f", "lavfi", "-i", "testsrc2=s=160x120:d=2:r=25", *TONE, "-c:v", "libx264", "-preset", "ultrafast")
MADE: dict[str, tuple[str, ...]] = {
    "song.mp3": (*TONE, "-c:a", "libmp3lame"), "song.flac": (*TONE, "-c:a", "flac"),
    "song.m4a": (*TONE, "-c:a", "aac"), "song.ogg": (*TONE, "-c:a", "libvorbis"),
    "song.opus": (*TONE, "-c:a", "libopus"), "song.wma": (*TONE, "-c:a", "wmav2"),
    "song.wav": (*TONE, "-c:a", "pcm_s16le"), "song.aiff": (*TONE, "-c:a", "pcm_s16be"),
    "song.wv": (*TONE, "-c:a", "wavpack"), "song.aac": (*TONE, "-c:a", "aac"),
    "film.mp4": (*FILM, "-c:a", "aac"), "film.mov": (*FILM, "-c:a", "aac"), "film.mkv": (*FILM, "-c:a", "aac"),
    "film.webm": ("-f", "lavfi", "-i", "testsrc2=s=160x120:d=2:r=25", *TONE, "-c:v", "libvpx", "-c:a", "libopus"),
    "film.avi": ("-f", "lavfi", "-i", "testsrc2=s=160x120:d=2:r=25", *TONE, "-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "film.flv": (*FILM, "-c:a", "aac"), "film.ts": (*FILM, "-c:a", "aac"),
    "photo.jpg": PICTURE, "photo.png": PICTURE, "photo.webp": PICTURE, "photo.tiff": PICTURE, "photo.gif": PICTURE,
}  # fmt: skip

Tool = Callable[[Path, Path], bool]  # (file, its edited copy) -> whether the tool knows the format


def run(*command: str | Path) -> bool:
    return subprocess.run([*map(str, command)], capture_output=True, check=False, timeout=120).returncode == 0


def by_exiftool(source: Path, copy: Path) -> bool:
    return run("exiftool", "-q", "-XMP-dc:Title=edited", "-o", copy, source) and copy.exists()


def by_mutagen(source: Path, copy: Path) -> bool:
    import mutagen

    shutil.copy(source, copy)
    try:
        song = mutagen.File(copy, easy=True)
        if song is None:
            return False
        if song.tags is None:
            song.add_tags()
        song["title"] = ["edited" * 200]
    except (KeyError, TypeError, ValueError, mutagen.MutagenError):
        return False
    song.save()
    return True


def by_ffmpeg(source: Path, copy: Path) -> bool:
    return run("ffmpeg", "-v", "error", "-i", source, "-map", "0", "-c", "copy", "-metadata", "title=edited", copy)


def by_remux(source: Path, copy: Path) -> bool:
    """Into Matroska."""
    target = copy.with_suffix(".mka" if source.stem == "song" else ".mkv")
    if source.stem == "photo" or not run("ffmpeg", "-v", "error", "-i", source, "-map", "0", "-c", "copy", target):
        return False
    target.rename(copy)
    return True


def by_mkvpropedit(source: Path, copy: Path) -> bool:
    shutil.copy(source, copy)
    return source.suffix in (".mkv", ".webm") and run(
        "mkvpropedit", copy, "--edit", "info", "--set", "title=" + "edited" * 50
    )


def by_metaflac(source: Path, copy: Path) -> bool:
    shutil.copy(source, copy)
    return source.suffix == ".flac" and run("metaflac", "--remove-tag=TITLE", "--set-tag=TITLE=edited", copy)


def by_id3v2(source: Path, copy: Path) -> bool:
    shutil.copy(source, copy)
    return source.suffix == ".mp3" and run("id3v2", "-t", "edited", copy)


def by_us(source: Path, copy: Path) -> bool:
    shutil.copy(source, copy)
    return run(sys.executable, "-m", "mediad_handlers.media", "--set=title=edited", copy)


TOOLS: dict[str, tuple[str, Tool]] = {
    "exiftool": ("exiftool", by_exiftool), "mutagen": ("", by_mutagen), "ffmpeg -c copy": ("ffmpeg", by_ffmpeg),
    "ffmpeg to Matroska": ("ffmpeg", by_remux), "mkvpropedit": ("mkvpropedit", by_mkvpropedit),
    "metaflac": ("metaflac", by_metaflac), "id3v2": ("id3v2", by_id3v2), "handler --set": ("", by_us),
}  # fmt: skip


def identify(path: Path) -> tuple[Any, Any, Any]:
    """(fingerprint, track keys, checksums of the stream: the payload's and the set of tracks')."""
    with File.open(path) as file:
        handler = media.choose(file, "")
        record = answer.read(handler, file)
        try:
            stream = answer.checksum(handler, file, {"scope": "stream", "algorithms": ["sha256"]})
        except HandlerError:
            stream = {"algorithm": "", "digests": {}, "keys": []}
    heads = [key for key in record["keys"] if key[0] == "track"]
    return record["keys"][0], heads, (stream["algorithm"], stream["digests"], stream["keys"])


def compare(before: tuple[Any, Any, Any], after: tuple[Any, Any, Any]) -> Iterator[str]:
    """For fingerprint, track keys, payload checksum, set of tracks: yes, no, or nothing where there is none."""
    yield "yes" if before[0] == after[0] else "no"
    yield "" if not before[1] else "yes" if before[1] == after[1] else "no"
    yield "yes" if before[2][:2] == after[2][:2] else "no"
    sets = [[key for key in one[2][2] if key[1] == "av-tracks/1"] for one in (before, after)]
    yield "" if not sets[0] else "yes" if sets[0] == sets[1] else "no"


def main() -> int:
    if shutil.which("ffmpeg") is None:
        print("ffmpeg, which makes the files, is not installed", file=sys.stderr)
        return 1
    print("| file | payload | edited by | fingerprint | track keys | payload checksum | tracks' checksum |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="invariance-") as name:
        folder = Path(name)
        for made, arguments in MADE.items():
            source = folder / made
            if not run("ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, source):
                print(f"| {made} | | ffmpeg cannot make it here | | | | |")
                continue
            before = identify(source)
            for tool, (program, edit) in TOOLS.items():
                copy = folder / f"edited-{made}"
                copy.unlink(missing_ok=True)
                if (program and shutil.which(program) is None) or not edit(source, copy):
                    continue
                cells = " | ".join(compare(before, identify(copy)))
                print(f"| {made} | `{before[0][1]}` | {tool} | {cells} |", flush=True)
    missing = [tool for tool, (program, _) in TOOLS.items() if program and shutil.which(program) is None]
    if missing:
        print(f"\nnot installed: {', '.join(missing)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
