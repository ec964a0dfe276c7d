#!/usr/bin/env python3
"""Equal files of the generator's library: CPU against jdupes, the first time and again, and whether all are found.

    python bench/duplicates.py LIBRARY MANIFEST [--json OUT]

LIBRARY and MANIFEST are what the shared generator writes (bench/library.py): `dup_of` names a copy, `retag_of` one with
other tags. CPU is of the daemon, its helpers and the private database, from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.watch import timed
from mediactl import Client, workcalls
from tests.daemon import Daemon


def of_jdupes(library: Path) -> float | None:
    """CPU seconds of `jdupes -r -q`, the best of three; None where it is not installed."""
    if shutil.which("jdupes") is None:
        return None
    best = None
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["jdupes", "-r", "-q", str(library)], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = spent if best is None else min(best, spent)
    return best


def pairs(manifest: Path, name: str) -> set[frozenset[str]]:
    """Pairs of paths that the manifest says are equal."""
    found = set()
    for line in manifest.read_text().splitlines():
        entry = json.loads(line)
        if entry.get(name):
            found.add(frozenset((entry["path"], entry[name])))
    return found


def grouped(client: Client, kind: str, library: Path) -> list[set[str]]:
    """Groups as relative paths."""
    top = os.fsencode(library) + b"/"
    return [
        {os.fsdecode(file.path.removeprefix(top)) for file in group.files}
        for group in client.run(workcalls.duplicates(kind))
    ]


def check(groups: list[set[str]], wanted: set[frozenset[str]], library: Path, exact: bool) -> dict[str, int]:
    """How many of the wanted pairs are in a group, and how many groups are false (compared byte by byte)."""
    where = {path: number for number, group in enumerate(groups) for path in group}
    missed = sum(not _together([where.get(path, -1) for path in pair]) for pair in wanted)
    false = 0
    if exact:
        for group in groups:
            first, *rest = [(library / path).read_bytes() for path in sorted(group)]
            false += any(each != first for each in rest)
    return {"wanted": len(wanted), "missed": missed, "groups": len(groups), "false": false}


def _together(numbers: list[int]) -> bool:
    return len(set(numbers)) == 1 and numbers[0] >= 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    out = run(options.library.resolve(), pairs(options.manifest, "dup_of"), pairs(options.manifest, "retag_of"))
    print(json.dumps(out, indent=2))
    if options.json:
        options.json.write_text(json.dumps(out, indent=2) + "\n")


def run(library: Path, copies: set[frozenset[str]], retags: set[frozenset[str]]) -> dict[str, Any]:
    """All figures for a library whose equal files are known, as pairs of paths below it."""
    out: dict[str, Any] = {"jdupes_cpu_s": of_jdupes(library)}
    daemon = Daemon()
    try:
        daemon.start()
        with Client(str(daemon.socket), timeout=None) as client:
            client.add([library], once=True)
            time.sleep(1)
            for kind, wanted in (("exact", copies), ("payload", copies | retags)):
                for turn, times in (("first", 1), ("again", 20), ("again, after a change", 1)):
                    if "change" in turn:  # of anything: what was remembered does not hold any more
                        client.run(workcalls.tag([library / next(iter(sorted(next(iter(wanted)))))], add=[kind]))
                    spent, wall, groups = timed(lambda k=kind: grouped(client, k, library), times)
                    out[f"{kind}, {turn}"] = {"cpu_s": round(spent, 4), "wall_s": round(wall, 4)}
                out[f"{kind}, found"] = check(groups, wanted, library, kind == "exact")
    finally:
        daemon.remove()
    return out


if __name__ == "__main__":
    main()
