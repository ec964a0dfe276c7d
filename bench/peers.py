"""Other programs on the same files: each starts fresh, does its scan to the end and is gone. CPU of its whole tree.

A contender is left out where its program is not installed; `missing` names those. music-metadata is found as node finds
it from the current folder (`npm install music-metadata`).
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import first_scan
import measure

AUDIO = {"mp3", "flac", "m4a", "ogg", "opus", "wav"}
MUSIC_METADATA = """
import { parseFile } from 'music-metadata';
import fs from 'node:fs';
import path from 'node:path';
let failed = 0;
const waiting = fs.readdirSync(process.argv[1], { recursive: true, withFileTypes: true }).filter(e => e.isFile())
  .map(e => path.join(e.parentPath ?? e.path, e.name));
async function work() {
  for (let file; (file = waiting.pop()) !== undefined;)
    try { await parseFile(file, { duration: false, skipCovers: true }); } catch { failed++; }
}
await Promise.all([work(), work(), work(), work()]);
if (failed) { console.error(`${failed} files failed`); process.exit(1); }
"""
_MINIDLNA_SECONDS = 300.0


def linked(source: Path, target: Path, kinds: set[str] | None = None) -> list[Path]:
    """The files of `source` (of these suffixes, None: all) below `target`, as hard links, or as copies where the file
    system is another; returns the new paths. Raises OSError."""
    made = []
    for place, _folders, names in os.walk(source):
        for name in sorted(names):
            file = Path(place) / name
            if not name.startswith(".") and (kinds is None or file.suffix[1:].lower() in kinds):
                new = target / file.relative_to(source)
                new.parent.mkdir(parents=True, exist_ok=True)
                if file.stat().st_dev == target.stat().st_dev:
                    os.link(file, new)
                else:
                    shutil.copy2(file, new)
                made.append(new)
    return made


def scan_with_minidlna(folder: Path) -> measure.Spent:
    """MiniDLNA's scan into an empty database, until its log says so. SystemExit when it ends before, or never does."""
    with tempfile.TemporaryDirectory(prefix="minidlna-bench-") as name:
        home = Path(name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (home / "conf").write_text(
            f"media_dir={folder}\ndb_dir={home}/db\nlog_dir={home}\nnetwork_interface=lo\nport={port}\ninotify=no\n"
            "log_level=general,artwork,database,inotify,scanner,metadata,http,ssdp,tivo=info\n"
        )
        began, before = time.perf_counter(), measure.tree_cpu()
        with (home / "out").open("wb") as out:
            command = ["minidlnad", "-R", "-d", "-f", str(home / "conf"), "-P", str(home / "pid")]
            process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            while not any(b"finished" in (home / log).read_bytes() for log in ("out", "minidlna.log")
                          if (home / log).exists()):  # fmt: skip
                if process.poll() is not None or time.perf_counter() - began > _MINIDLNA_SECONDS:
                    sys.exit(f"minidlnad did not finish: {(home / 'out').read_text(errors='replace')[-300:]}")
                time.sleep(0.05)
            return measure.Spent(time.perf_counter() - began, measure.tree_cpu() - before)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def beet(folder: Path, home: Path) -> list[str]:
    """The start of a beets command with a library of its own in `home`; nothing is copied, tagged or looked up."""
    settings = home / "beets.yaml"
    settings.write_text(
        f"directory: {folder}\nlibrary: {home}/beets.db\nstatefile: {home}/beets.state\nplugins: []\n"
        "import: {copy: no, write: no, autotag: no, quiet: yes, incremental: no, duplicate_action: keep, resume: no}\n"
    )
    return ["beet", "-c", str(settings)]


def scan_with_beets(folder: Path) -> measure.Spent:
    """`beet import -A` into an empty library."""
    with tempfile.TemporaryDirectory(prefix="beets-bench-") as name:
        return measure.run_command([*beet(folder, Path(name)), "import", "-A", "-q", str(folder)])


@functools.cache
def has_music_metadata() -> bool:
    """Whether node finds the package from here."""
    if shutil.which("node") is None:
        return False
    command = ["node", "--input-type=module", "-e", "import 'music-metadata'"]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def scan_with_music_metadata(folder: Path) -> measure.Spent:
    """Every file of a folder of music; nothing is stored."""
    return measure.run_command(["node", "--input-type=module", "-e", MUSIC_METADATA, str(folder)])


def scanners(folder: Path, audio: bool) -> dict[str, Callable[[], measure.Spent] | None]:
    """Peer -> its scan of `folder`, None where it is not installed. `audio`: those of music, else of all kinds."""
    first = first_scan.contenders(folder)
    if audio:
        return {
            "MPD update": first.get("mpd update (music only)"),
            "beet import -A": functools.partial(scan_with_beets, folder) if shutil.which("beet") else None,
            "music-metadata": functools.partial(scan_with_music_metadata, folder) if has_music_metadata() else None,
        }
    minidlna = functools.partial(scan_with_minidlna, folder) if shutil.which("minidlnad") else None
    return {
        "exiftool -j -fast2 -r": first.get("exiftool -j -fast2 -r"),
        "mediainfo --Output=JSON": first.get("mediainfo --Output=JSON"),
        "minidlna": minidlna,
    }
