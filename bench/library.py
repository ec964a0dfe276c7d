"""A deterministic library to measure with: the same count, mode and ffmpeg give the same files.

    python bench/library.py OUT --count 2000 --mode small     files of 30-200 KB, some 0.2 GB a 2,000
    python bench/library.py OUT --count 20000 --mode tiny     files of 2-20 KB

Needs ffmpeg; Pillow and mutagen are the project's own. A few payloads are encoded once; each file is a copy of one with
bytes of its own in the middle of the stream, so that no two are equal, and tags of its own.
"""

from __future__ import annotations

import argparse
import io
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import mutagen.flac
import mutagen.id3
import mutagen.mp4
import mutagen.oggopus
import mutagen.oggvorbis
from PIL import Image

# A person's library, a thousandth each: mostly music and photos
MIX = {"mp3": 430, "jpg": 260, "flac": 80, "m4a": 70, "ogg": 45, "png": 35, "mp4": 30, "opus": 20, "mkv": 20, "txt": 10}
SECONDS = {"small": 8.0, "tiny": 0.4}  # of audio
PIXELS = {"small": (1280, 960), "tiny": (160, 120)}
VIDEO = {"small": ("320x240", 4.0), "tiny": ("64x64", 0.5)}
SEED = 20261121
WORDS = [
    *("night", "river", "blue", "lady", "heart", "machine", "silver", "city", "garden", "winter"),
    *("été", "forêt", "Straße", "Mädchen", "corazón", "niño", "ночь", "夜", "桜"),
]
ENCODERS = {
    "mp3": ["-c:a", "libmp3lame", "-b:a", "128k", "-id3v2_version", "0"],
    "flac": ["-c:a", "flac"],
    "m4a": ["-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"],
    "ogg": ["-c:a", "libvorbis", "-q:a", "5"],
    "opus": ["-c:a", "libopus", "-b:a", "96k"],
}


def encode(arguments: list[str], suffix: str) -> bytes:
    """Runs ffmpeg and returns the file it wrote. Leaves the program when ffmpeg fails."""
    with tempfile.NamedTemporaryFile(suffix=f".{suffix}") as target:
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, "-fflags", "+bitexact", target.name]
        done = subprocess.run(command, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            sys.exit(f"ffmpeg cannot write {suffix}: {done.stderr.decode(errors='replace')[:500]}")
        return Path(target.name).read_bytes()


def picture(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Smooth colours with a little noise: compresses like a photo."""
    small = Image.frombytes("RGB", (24, 18), rng.randbytes(24 * 18 * 3)).resize(size, Image.Resampling.BICUBIC)
    noise = Image.effect_noise(size, 12).convert("RGB") if size[0] < 400 else Image.frombytes(
        "RGB", (size[0] // 4, size[1] // 4), rng.randbytes(size[0] // 4 * (size[1] // 4) * 3)
    ).resize(size)  # fmt: skip
    return Image.blend(small, noise, 0.08)


def payloads(mode: str) -> dict[str, bytes]:
    """One encoded file a kind, without tags."""
    rng = random.Random(SEED)
    seconds, (frame, length) = SECONDS[mode], VIDEO[mode]
    noise = ["-f", "lavfi", "-i", f"anoisesrc=c=pink:r=44100:a=0.4:seed=1:d={seconds}", "-ac", "2"]
    made = {kind: encode([*noise, *how], kind) for kind, how in ENCODERS.items()}
    film = ["-f", "lavfi", "-i", f"testsrc2=s={frame}:r=25:d={length}", "-f", "lavfi", "-i", f"sine=d={length}"]
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    made["mp4"] = encode([*film, *x264, "-movflags", "+faststart"], "mp4")
    made["mkv"] = encode([*film, *x264], "mkv")
    for kind, options in (("jpg", {"quality": 75}), ("png", {})):
        buffer = io.BytesIO()
        size = PIXELS[mode] if kind == "jpg" else (PIXELS[mode][0] // 4, PIXELS[mode][1] // 4)
        picture(size, rng).save(buffer, "JPEG" if kind == "jpg" else "PNG", **options)
        made[kind] = buffer.getvalue()
    made["txt"] = ("Lorem ipsum dolor sit amet, consectetur adipiscing élit.\n" * 30).encode()
    return made


def vary(payload: bytes, number: int) -> bytes:
    """The payload with four bytes of its own at 60 %: never 0xFF, which starts markers and frame headers."""
    data = bytearray(payload)
    middle = len(data) * 6 // 10
    for index in range(4):
        data[middle + index] = 1 + (number >> (7 * index) & 0x7F)
    return bytes(data)


def title(rng: random.Random) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 4))).capitalize()


def tag_id3(path: Path, tags: dict[str, str], number: int) -> None:
    frames = mutagen.id3.ID3()
    for name, key in (("TIT2", "title"), ("TPE1", "artist"), ("TALB", "album"), ("TCON", "genre"), ("TRCK", "track")):
        frames.add(getattr(mutagen.id3, name)(3, [tags[key]]))
    frames.add(mutagen.id3.TDRC(3, [tags["date"]]))
    if number % 2:
        frames.update_to_v23()
    frames.save(path, v2_version=3 if number % 2 else 4)


def tag_comments(file_type: Callable[[Path], mutagen.FileType]) -> Callable[[Path, dict[str, str], int], None]:
    """A writer of Vorbis comments for one container."""

    def write(path: Path, tags: dict[str, str], number: int) -> None:
        file = file_type(path)
        for key, value in tags.items():
            file["tracknumber" if key == "track" else key] = value
        file.save()

    return write


def tag_mp4(path: Path, tags: dict[str, str], number: int) -> None:
    file = mutagen.mp4.MP4(path)
    for atom, key in (("\xa9nam", "title"), ("\xa9ART", "artist"), ("\xa9alb", "album"), ("\xa9day", "date")):
        file[atom] = [tags[key]]
    file.save()


def tag_exif(path: Path, tags: dict[str, str], number: int) -> None:
    """A new APP1 segment behind SOI; the compressed data stays as it is."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Canon", "Canon EOS 5D Mark III", 1 + number % 8
    exif[0x010E], exif[0x013B] = tags["title"].encode(), tags["artist"].encode()
    below = exif.get_ifd(0x8769)
    below[0x9003] = f"{tags['date'][:4]}:{1 + number % 12:02}:{1 + number % 28:02} 12:{number % 60:02}:00"
    below[0x829A], below[0x829D], below[0x8827] = (1, 125), (28, 10), 100 + number % 6400
    body = exif.tobytes()
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:])


TAGGERS: dict[str, Callable[[Path, dict[str, str], int], None]] = {
    "mp3": tag_id3,
    "flac": tag_comments(mutagen.flac.FLAC),
    "ogg": tag_comments(mutagen.oggvorbis.OggVorbis),
    "opus": tag_comments(mutagen.oggopus.OggOpus),
    "m4a": tag_mp4,
    "mp4": tag_mp4,
    "jpg": tag_exif,
}


def make_library(out: Path, count: int, mode: str) -> int:
    """Writes `count` files below `out`, folders of a dozen; returns their bytes. A folder already complete is kept."""
    mark = out / ".complete"
    wanted = f"{count} {mode} {SEED}"
    if mark.is_file() and mark.read_text() == wanted:
        return sum(file.stat().st_size for file in out.rglob("*.*") if file.is_file())
    rng = random.Random(SEED)
    made, total = payloads(mode), 0
    kinds = rng.choices(list(MIX), list(MIX.values()), k=count)
    artist = album = ""
    for number, kind in enumerate(kinds):
        if number % 12 == 0:
            artist, album = title(rng), title(rng)
        folder = out / artist / f"{1970 + number % 55} {album} {number // 12}"
        folder.mkdir(parents=True, exist_ok=True)
        tags = {"title": title(rng), "artist": artist, "album": album, "genre": rng.choice(("Rock", "Jazz", "Métal"))}
        tags |= {"date": str(1970 + number % 55), "track": str(1 + number % 12)}
        path = folder / f"{1 + number % 12:02} {tags['title']}.{kind}"
        path.write_bytes(made[kind] + b"%d\n" % number if kind == "txt" else vary(made[kind], number))
        if kind in TAGGERS:
            TAGGERS[kind](path, tags, number)
        total += path.stat().st_size
    mark.write_text(wanted)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--mode", choices=sorted(SECONDS), default="small")
    arguments = parser.parse_args()
    print(f"{make_library(arguments.out, arguments.count, arguments.mode) / 1e6:.0f} MB in {arguments.out}")


if __name__ == "__main__":
    main()
