"""What a first scan costs a file as the library grows: it has to stay the same.

    python bench/growth_scan.py OUT --counts 5000 40000 100000 [--library DIR ...]

OUT gets a folder of tiny text files for each count (kept for the next time); then each is added to an empty store. CPU
by part: what each kind of process has used from before `add` to after it, in microseconds a file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import measure

FOLDER = 50  # files


def make_texts(out: Path, count: int) -> Path:
    """A folder of `count` text files, no two equal, in folders of FOLDER."""
    top = out / f"text-{count}"
    mark = top / ".complete"
    if not mark.exists():
        for number in range(count):
            folder = top / f"{number // (FOLDER * 20):04}" / f"{number // FOLDER % 20:02}"
            if number % FOLDER == 0:
                folder.mkdir(parents=True, exist_ok=True)
            (folder / f"note {number}.txt").write_text(f"note number {number} of some words\n")
        mark.write_text(str(count))
    return top


def scan(folder: Path) -> tuple[measure.Spent, dict[str, float]]:
    """One first scan: its cost, and the CPU seconds by part."""
    with measure.private_daemon() as daemon:
        before = measure.cpu_by_part()
        spent = daemon.measure("add", "--wait", str(folder))
        after = measure.cpu_by_part()
    return spent, {name: after[name] - before[name] for name in after}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--counts", type=int, nargs="*", default=[5000, 40000])
    parser.add_argument("--library", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    measure.become_subreaper()
    folders = [make_texts(arguments.out.resolve(), count) for count in arguments.counts]
    rows = []
    names = [name for _word, name in measure.PARTS if name != "client"]
    for folder in [*folders, *(each.resolve() for each in arguments.library)]:
        count, _ = measure.walk(folder)
        spent, parts = scan(folder)
        each = [f"{1e6 * parts[name] / count:.0f}" for name in names]
        rows.append([folder.name, f"{count:,}", f"{spent.cpu:.2f}", f"{1e6 * spent.cpu / count:.0f}", *each])
    print(measure.table(["library", "files", "CPU s", "us a file", *names], rows))


if __name__ == "__main__":
    main()
