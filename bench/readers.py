"""How many files of each type a CPU-second describes: the handlers beside ExifTool, MediaInfo and the plain libraries.

    python bench/readers.py DIR [--runs 3] [--least 400]

DIR holds good files of any types; those of one extension are a class. Where a class has fewer than --least files, each
is read several times, so that the start of a process is spread over as many files for everybody. Every contender is one
process over the same list, start included; CPU is user plus system time of its whole tree; contenders take turns and
the median is shown. Only the ratios of one run mean anything.

`libraries` is mutagen for audio, Pillow (size and EXIF, never load) for images, hachoir for what it knows of the rest:
what a program without readers of its own would use. Formats that they do not open are not counted for them.
"""

from __future__ import annotations

import argparse
import collections
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

BATCH = 500  # files in one command line

LIBRARIES = """
import sys
done = 0
for path in open(sys.argv[1]).read().split("\\0"):
    try:
        import mutagen
        if mutagen.File(path) is not None:
            done += 1
            continue
    except mutagen.MutagenError:
        pass
    except Exception:
        continue
    try:
        from PIL import Image
        with Image.open(path) as picture:
            picture.size, dict(picture.getexif()) if picture.format not in ("PNG", "GIF") else picture.info
        done += 1
        continue
    except Exception:
        pass
    try:
        import hachoir.config
        hachoir.config.quiet = True
        from hachoir.parser import createParser
        from hachoir.metadata import extractMetadata
        parser = createParser(path)
        if parser:
            with parser:
                done += extractMetadata(parser) is not None
    except Exception:
        pass
print(done)
"""


def spend(command: list[str], environment: dict[str, str] | None = None) -> tuple[float, str]:
    """(CPU seconds of the process and its children, standard output)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, done.stdout.decode("utf-8", "replace")


def with_handlers(files: list[str]) -> tuple[float, int]:
    """CPU seconds and files read."""
    command = [sys.executable, "-m", "mediad_handlers.media", "--no-checksum", "--output-format", "json"]
    cpu, out = spend([*command, *files])
    return cpu, sum('"error"' not in line for line in out.splitlines())


def with_exiftool(files: list[str]) -> tuple[float, int]:
    cpu, out = spend(["exiftool", "-j", "-n", "-fast2", *files])
    return cpu, out.count('"SourceFile"')


def with_mediainfo(files: list[str]) -> tuple[float, int]:
    cpu, out = spend(["mediainfo", "--Output=JSON", *files])
    return cpu, out.count('"@type":"General"')


def with_libraries(files: list[str]) -> tuple[float, int]:
    with tempfile.NamedTemporaryFile("w", suffix=".list") as names:
        names.write("\0".join(files))
        names.flush()
        cpu, out = spend([sys.executable, "-c", LIBRARIES, names.name])
    return cpu, int(out or 0)


CONTENDERS: dict[str, Callable[[list[str]], tuple[float, int]]] = {
    "handlers": with_handlers,
    "exiftool -fast2": with_exiftool,
    "mediainfo": with_mediainfo,
    "libraries": with_libraries,
}


def measure(files: list[str], runs: int) -> dict[str, float]:
    """Files a CPU-second of each contender that read them all; a contender that reads none is left out."""
    spent: dict[str, list[float]] = collections.defaultdict(list)
    for _ in range(runs):
        for name, contender in CONTENDERS.items():
            if name in ("exiftool -fast2", "mediainfo") and shutil.which(name.split()[0]) is None:
                continue
            total, read = 0.0, 0
            for start in range(0, len(files), BATCH):
                cpu, count = contender(files[start : start + BATCH])
                total, read = total + cpu, read + count
            if read >= len(files) * 0.9:
                spent[name].append(len(files) / total)
    return {name: statistics.median(rates) for name, rates in spent.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description="Files a CPU-second by type.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--least", type=int, default=400)
    options = parser.parse_args()
    classes: dict[str, list[str]] = collections.defaultdict(list)
    for path in sorted(options.folder.rglob("*")):
        if path.is_file():
            classes[path.suffix.lower().lstrip(".")].append(str(path))
    print("| type | files | " + " | ".join(CONTENDERS) + " | exiftool / handlers |")
    print("|---|---" * 1 + "|---" * (len(CONTENDERS) + 1) + "|")
    slower = []
    for suffix, files in sorted(classes.items()):
        for path in files:
            Path(path).read_bytes()  # warm
        files = (files * (options.least // len(files) + 1))[: max(options.least, len(files))]
        rates = measure(files, options.runs)
        ratio = rates["handlers"] / rates["exiftool -fast2"] if {"handlers", "exiftool -fast2"} <= set(rates) else 0.0
        if ratio and ratio < 1:
            slower.append(suffix)
        cells = [f"{rates[name]:,.0f}" if name in rates else "" for name in CONTENDERS]
        print(f"| {suffix} | {len(files)} | {' | '.join(cells)} | {f'{ratio:.1f} x' if ratio else ''} |", flush=True)
    if slower:
        print(f"\nslower than ExifTool: {', '.join(slower)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
