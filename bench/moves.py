"""What moving costs, beside what does no more than that: `moves.py LIBRARY [COUNT...]`.

LIBRARY is a folder with files (bench/library.py makes one). For each COUNT (default 1000 10000) that many of its files
are copied into a private tree; then, in one run and on one file system: mediactl organise and undo, mediactl move of
the folder and undo, mv, renames without a sync, and beet move when beets can be run (`BEET`, a command). To another
file system (/dev/shm): mediactl move --mode copy beside cp -a and rsync -a. After each undo the tree must be what it
was: names, types, sizes, modes, mtimes, inodes, links, contents by SHA-256, folders by name and mode. Times are seconds
of the wall clock with what is in the page cache; only ratios within a run mean something.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from mediactl import Client, workcalls
from tests.daemon import Daemon


def snapshot(top: Path) -> dict[str, Any]:
    """All that an undo must restore."""
    found: dict[str, Any] = {}
    for folder, folders, names in os.walk(os.fsencode(top)):
        for name in folders:
            found[os.fsdecode(folder + b"/" + name)] = stat.S_IMODE(os.lstat(folder + b"/" + name).st_mode)
        for name in names:
            path = folder + b"/" + name
            info = os.lstat(path)
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            found[os.fsdecode(path)] = (
                info.st_mode, info.st_size, info.st_mtime_ns, info.st_ino, info.st_nlink, digest
            )  # fmt: skip
    return found


def timed(what: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and the result."""
    os.sync()
    begun = time.perf_counter()
    result = what()
    return time.perf_counter() - begun, result


def run(*command: str | Path) -> float:
    """Seconds of a command."""
    return timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))[0]


def copy_some(library: Path, top: Path, count: int) -> None:
    """The first files of the library, with their folders."""
    done = 0
    for folder, _folders, names in os.walk(library):
        for name in sorted(names):
            if done == count:
                return
            source = Path(folder) / name
            goal = top / source.relative_to(library)
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, goal)
            done += 1


def beets(source: Path, work: Path) -> float | None:
    """Seconds of `beet move` for the songs that beets took over in place."""
    command = shlex.split(os.environ.get("BEET", "beet"))
    config = work / "beets.yaml"
    config.write_text(f"directory: {work}/beets\nlibrary: {work}/beets.db\nimport: {{copy: no, autotag: no}}\n")
    try:
        subprocess.run([*command, "-c", config, "import", "-q", "-A", source], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return run(*command, "-c", config, "move")


def measure(library: Path, count: int) -> list[str]:
    """Lines of the table for one count."""
    daemon = Daemon(config="").start()
    other = Path("/dev/shm") / f"mediadb-bench-{os.getpid()}"
    lines = []
    try:
        top = daemon.folder / "lib"
        copy_some(library, top / "in", count)
        other.mkdir()
        before = snapshot(top)
        with daemon.client() as client:
            client.add([top, other], wait=True)
            lines += moved(client, top, before)
            seconds, result = timed(
                lambda: client.run(workcalls.move([top / "in"], other / "ours", folder=True, mode="copy"))
            )
            lines.append(f"| mediactl move --mode copy, other file system | {seconds:.2f} | {result.done} files |")
        daemon.stop()
        peers = daemon.folder / "peers"
        lines.append(f"| mv, one rename of the folder | {run('mv', top / 'in', peers):.4f} | |")
        names = [str(path) for path in peers.rglob("*") if path.is_file()]
        flat = daemon.folder / "flat"
        flat.mkdir()

        def each() -> None:
            for number, name in enumerate(names):
                os.rename(name, flat / str(number))

        lines.append(f"| os.rename of each file, no sync | {timed(each)[0]:.3f} | |")
        for number, name in enumerate(names):
            os.rename(flat / str(number), name)
        lines.append(f"| cp -a, other file system | {run('cp', '-a', peers, other / 'cp'):.2f} | |")
        lines.append(f"| rsync -a, other file system | {run('rsync', '-a', peers, other / 'rsync'):.2f} | |")
        shutil.rmtree(other / "cp")
        work = daemon.folder / "beet"
        work.mkdir()
        seconds = beets(peers, work) or 0.0
        songs = sum(path.is_file() for path in (work / "beets").rglob("*")) if (work / "beets").is_dir() else 0
        lines.append(
            f"| beet move | {seconds:.2f} | {songs} songs |" if songs else "| beet move | - | beets is not here |"
        )
    finally:
        shutil.rmtree(other, ignore_errors=True)
        daemon.remove()
    return lines


def moved(client: Client, top: Path, before: dict[str, Any]) -> list[str]:
    """mediactl on one file system: there and back."""
    lines = []
    for label, call in (
        ("organise --template auto", workcalls.move([top], top / "media", folder=True, template="auto", prune=True)),
        ("move of the folder", workcalls.move([top / "in"], top / "out", folder=True, prune=True)),
    ):
        seconds, result = timed(partial(client.run, call))
        back, undone = timed(lambda: client.run(workcalls.undo()))
        same = snapshot(top) == before
        lines.append(
            f"| mediactl {label} | {seconds:.2f} | {result.done} files, {result.failed} stay; undo {back:.2f} s, "
            f"{undone.files} files; the tree is {'what it was' if same else 'ANOTHER'} |"
        )
    lag = client.status()
    lines.append(f"| the daemon's loop was held | | p99 {lag.lag_p99_ms:.1f} ms, most {lag.lag_max_ms:.1f} ms |")
    return lines


def main() -> None:
    """Prints a table a count."""
    library = Path(sys.argv[1])
    for count in map(int, sys.argv[2:] or ("1000", "10000")):
        print(f"\n{count} files\n\n| what | seconds | |\n|---|---|---|", flush=True)
        print("\n".join(measure(library, count)), flush=True)


if __name__ == "__main__":
    main()
