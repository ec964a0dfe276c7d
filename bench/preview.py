"""What a preview costs: files in a CPU second, by a locked worker as the daemon starts it.

    python bench/preview.py [--count 40] [--folder FOLDER]     the pictures below FOLDER, too: which give a preview

The pictures are made here: 12 megapixels of soft colours with noise, as a photo compresses (4.8 MB at quality 88).
"whole" beside it is Pillow in this process, decoding all of the JPEG and making it small with the same filter.
"""

from __future__ import annotations

import argparse
import array
import collections
import io
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgpack
from PIL import Image, ImageChops

TICK = os.sysconf("SC_CLK_TCK")
MEMORY = 1 << 30
SIDES = (4000, 3000)


def photo() -> Image.Image:
    """12 megapixels that are neither flat nor noise."""
    rng = random.Random(1)
    colours = Image.frombytes("RGB", (500, 375), rng.randbytes(500 * 375 * 3))
    soft = colours.resize(SIDES, Image.Resampling.BICUBIC)
    return ImageChops.add(soft, Image.effect_noise(SIDES, 12).convert("RGB"), scale=1.6)


def encode(picture: Image.Image, form: str, **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **how)
    return out.getvalue()


class Worker:
    """One worker for previews."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._answers, sink = os.pipe()
        argv = [sys.executable, "-m", "mediad_handlers.media", "--worker", "--previews", "--memory", str(MEMORY)]
        self.process = subprocess.Popen(argv, stdin=theirs.fileno(), stdout=sink)
        theirs.close()
        os.close(sink)
        self._unpacker = msgpack.Unpacker(max_buffer_size=1 << 26)
        self._next()

    def _next(self) -> dict[str, Any]:
        while True:
            for message in self._unpacker:
                found: dict[str, Any] = message
                return found
            data = os.read(self._answers, 1 << 20)
            if not data:
                raise SystemExit(f"the worker ended: {self.process.wait()}")
            self._unpacker.feed(data)

    def ask(self, name: str, fd: int, size: int) -> tuple[dict[str, Any], bytes]:
        """(answer or error, picture)."""
        request = {"id": 1, "op": "preview", "files": [{"name": os.fsencode(name)}], "options": {"size": size}}
        self._socket.sendmsg([msgpack.packb(request)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
        pieces: list[bytes] = []
        while True:
            message = self._next()
            if "piece" in message:
                pieces.append(message["piece"]["data"])
            elif "ok" in message or "error" in message:
                return message, b"".join(pieces)

    def cpu(self) -> float:
        """Seconds, user and system."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICK

    def peak(self) -> int:
        """Bytes that were resident at most."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))

    def close(self) -> None:
        self._socket.close()
        self.process.wait()
        os.close(self._answers)


def memory_file(data: bytes) -> int:
    fd = os.memfd_create("picture")
    os.write(fd, data)
    return fd


def measure(name: str, data: bytes, size: int, count: int) -> tuple[float, int, int]:
    """(files in a CPU second, bytes of the preview, resident bytes at most)."""
    worker, fd = Worker(), memory_file(data)
    message, made = worker.ask(name, fd, size)
    if "error" in message:
        raise SystemExit(f"{name}: {message['error']}")
    began = worker.cpu()
    for _ in range(count):
        worker.ask(name, fd, size)
    seconds, peak = worker.cpu() - began, worker.peak()
    worker.close()
    os.close(fd)
    return count / seconds, len(made), peak


def whole(data: bytes, size: int, count: int) -> float:
    """Files in a CPU second by Pillow without reduced decoding."""
    began = time.process_time()
    for _ in range(count):
        picture = Image.open(io.BytesIO(data))
        picture.load()
        small = picture.resize((size, size * SIDES[1] // SIDES[0]), Image.Resampling.LANCZOS)
        encode(small, "JPEG", quality=82)
    return count / (time.process_time() - began)


def look(folder: Path) -> None:
    """Which files below a folder give a preview, by kind of outcome."""
    worker = Worker()
    outcomes: collections.Counter[tuple[str, str]] = collections.Counter()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            fd = os.open(path, os.O_RDONLY)
            message, _ = worker.ask(path.name, fd, 320)
            os.close(fd)
            error = message.get("error")
            outcomes[path.suffix.lower(), "preview" if error is None else error["code"]] += 1
    worker.close()
    for (suffix, outcome), count in sorted(outcomes.items()):
        print(f"| {suffix} | {outcome} | {count} |")


def main() -> None:
    parser = argparse.ArgumentParser(description="What a preview costs.")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="say which files below it give a preview")
    options = parser.parse_args()
    picture = photo()
    jpeg = encode(picture, "JPEG", quality=88)
    medium = encode(picture.resize((1280, 960), Image.Resampling.LANCZOS), "JPEG", quality=82)
    cases = [("JPEG", "a.jpg", jpeg, size) for size in (128, 320, 800, 1280, 1920)]
    cases.append(("progressive JPEG", "a.jpg", encode(picture, "JPEG", quality=88, progressive=True), 320))
    cases.append(("PNG", "a.png", encode(picture, "PNG", compress_level=3), 320))
    cases.append(("WebP", "a.webp", encode(picture, "WEBP", quality=85), 320))
    cases.append(("TIFF, LZW", "a.tif", encode(picture, "TIFF", compression="tiff_lzw"), 320))
    cases.append(("the preview of 1280", "a.jpg", medium, 320))
    print("| 12 megapixels | MB | to | files a CPU second | bytes | MB resident at most |\n|---|---|---|---|---|---|")
    for what, name, data, size in cases:
        rate, length, peak = measure(name, data, size, max(4, options.count // (1 if "JPEG" in what else 4)))
        print(f"| {what} | {len(data) / 1e6:.1f} | {size} | {rate:.1f} | {length:,} | {peak >> 20} |", flush=True)
    rate = whole(jpeg, 320, max(4, options.count // 4))
    print(f"| JPEG, decoded whole by Pillow | {len(jpeg) / 1e6:.1f} | 320 | {rate:.1f} | | |")
    if options.folder:
        print("\n| files | outcome | number |\n|---|---|---|")
        look(options.folder)


if __name__ == "__main__":
    main()
