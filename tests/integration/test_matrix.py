"""Every format through what happens to files: a person's work is still there, or it is said here why it cannot be.

docs/identity.md has the table, as `python -m tests.integration.test_matrix` prints it.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mediactl import Client, workcalls
from tests.daemon import Daemon, write_tree
from tests.daemon.formats import FORMATS, Missing, by_exiftool, make_all, remux, with_exiftool
from tests.daemon.records import rows, wait_for
from tests.integration.test_equal import mediactl
from tests.integration.test_identity import has_work, item_of, tagged

OPERATIONS = ("rename", "move", "retag", "remux", "edit", "all")
SECONDS = 20.0
# Streams whose checksum is still wanted and whose file is there.
UNSETTLED = """SELECT FROM mediadb.doubt q JOIN mediadb.file f USING (stream)
WHERE q.tries < 3 AND f.missing_since_ns IS NULL LIMIT 1"""

_TRACKS = "its tracks are not taken apart (docs/handlers.md, Tracks), and nothing else outlives the container"
_SAMPLES = "bare samples have no packets to be known by, and equal samples are not held for one recording (WAV = FLAC)"
_TITLE = "the title is part of what counts: with another one, under another name, elsewhere, nothing is as it was"
_SIDE = "it belongs to the file beside it: such files are alike in many folders, and known by their names alone"
CANNOT: dict[tuple[str, str], str] = {
    **{(name, "remux"): _SAMPLES for name in ("wav", "aiff", "au")},
    **{(name, "remux"): _TRACKS for name in ("ac3", "avi", "dv", "mpg", "tta", "vob", "wma", "wmv")},
    ("wv", "remux"): "Matroska keeps WavPack's blocks without their headers",
    **{(name, "all"): _TITLE for name in ("ass", "eps", "html", "indd", "rm", "svg")},
    ("iiq", "all"): "the samples lie in a maker note that any editor may move: the whole file counts",
    **{(name, "all"): _SIDE for name in ("lrc", "srt", "xmp")},
}


class Place:
    """Where the files of a test are: a root on this file system, a root on another, a folder that nobody watches."""

    def __init__(self, top: Path) -> None:
        self.here = top / "tree"
        self.other = Path("/dev/shm") / f"mediadb-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.desk = top / "desk"
        for folder in (self.here, self.other, self.desk):
            folder.mkdir()

    def path(self, name: str) -> Path:
        return self.here / name / f"a file.{name}"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, str]]:
    return make_all(tmp_path_factory.mktemp("formats"))


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon for which even the smallest sample is large enough to be shared."""
    running = Daemon(config="shared_least = 100\n")
    try:
        yield running.start()
    finally:
        running.remove()


@pytest.fixture
def place(daemon: Daemon) -> Iterator[Place]:
    found = Place(daemon.folder)
    try:
        if os.stat(found.here).st_dev == os.stat(found.other).st_dev:
            pytest.skip("/dev/shm is no file system of its own")
        yield found
    finally:
        shutil.rmtree(found.other, ignore_errors=True)


def applies(name: str, operation: str) -> bool:
    """Whether there is such a cell: what has no tags is not retagged, what has no tracks not remuxed."""
    form = FORMATS[name]
    return (operation != "retag" or form.retag is not None) and (operation != "remux" or bool(form.remux))


def work_on(client: Client, paths: list[Path]) -> None:
    """A tag, a rating, a star, a play and a field of a person's on each."""
    for call in (
        workcalls.tag(paths, add=["holiday"]), workcalls.rate(paths, 4), workcalls.star(paths), workcalls.play(paths),
        workcalls.set_fields(paths, {"account": "shop@example.org"}),
    ):  # fmt: skip
        assert client.run(call).problems == []


def move(path: Path, target: Path) -> None:
    """To another file system: copied, then removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    path.unlink()


def retag_all(paths: dict[str, Path], missing: dict[str, str]) -> None:
    """Each by a foreign tool; those of exiftool in one call."""
    by_tool = {name: path for name, path in paths.items() if FORMATS[name].retag is by_exiftool}
    if by_tool:
        try:
            with_exiftool(list(by_tool.values()))
        except Missing as reason:
            missing.update(dict.fromkeys(by_tool, str(reason)))
    for name, path in paths.items():
        retag = FORMATS[name].retag
        if retag is not None and name not in by_tool:
            with_tool(name, missing, partial(retag, path))


def with_tool(name: str, missing: dict[str, str], what: Callable[[], object]) -> None:
    try:
        what()
    except Missing as reason:
        missing[name] = str(reason)


def perform(operation: str, names: list[str], place: Place, missing: dict[str, str]) -> dict[str, Path]:
    """Does it to all formats; where each file is afterwards."""
    paths = {name: place.path(name) for name in names}
    after = dict(paths)
    if operation == "rename":
        for name, path in paths.items():
            after[name] = path.rename(path.with_name(f"renamed.{name}"))
    elif operation == "move":
        for name, path in paths.items():
            after[name] = place.other / name / path.name
            move(path, after[name])
    elif operation == "retag":
        retag_all(paths, missing)
    elif operation == "remux":
        for name, path in paths.items():
            after[name] = path.with_suffix(f".{FORMATS[name].remux}")
            with_tool(name, missing, partial(remux, path, after[name]))
            path.unlink()
    elif operation == "edit":
        for name, path in paths.items():
            with_tool(name, missing, partial(FORMATS[name].edit, path))
    else:
        # at once: what appears at the new place has never been seen as it was
        desk = {name: place.desk / f"renamed.{name}" for name in names}
        for name, path in paths.items():
            shutil.copyfile(path, desk[name])
        retag_all(desk, missing)
        for name, path in paths.items():
            after[name] = place.other / name / f"renamed.{name}"
            move(desk[name], after[name])
            path.unlink()
    return after


def present(item: Any) -> list[bytes]:
    return [file.path for file in item.files if file.state != "missing"]


def right(client: Client, after: dict[str, Path]) -> set[str]:
    """The formats whose file has the work at its new path, and is the only one that the item has there."""
    found = set()
    for name, result in zip(after, client.get(*after.values()), strict=True):
        item = result.item
        if item is not None and has_work(item) and present(item) == [os.fsencode(after[name])]:
            found.add(name)
    return found


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_work_is_still_there(
    daemon: Daemon, place: Place, made: tuple[dict[str, bytes], dict[str, str]], operation: str, running: bool
) -> None:
    contents, missing = made[0], dict(made[1])
    names = [name for name in contents if applies(name, operation)]
    for name in names:
        place.path(name).parent.mkdir()
        place.path(name).write_bytes(contents[name])
    # beside as many that stay: a folder that loses most of its files at once is taken for a volume that is away
    write_tree(place.here, {f"others/{n}.txt": b"stays %d " % n * 30 for n in range(2 * len(names))})
    with daemon.client() as client:
        client.add([place.here])
        client.add([place.other])
        work_on(client, [place.path(name) for name in names])
        here = {name: place.path(name) for name in names}
        assert sorted(set(names) - right(client, here)) == [], "equal to another"
        # a remux is known by the checksum of its tracks, which is computed while nothing else is done
        assert wait_for(lambda: rows(daemon, UNSETTLED) == [], SECONDS)
    if not running:
        daemon.stop()
    after = perform(operation, names, place, missing)
    if not running:
        daemon.start()
    tried = {name: path for name, path in after.items() if name not in missing}
    if not tried:
        pytest.skip("; ".join(sorted(set(missing.values()))))
    possible = {name for name in tried if (name, operation) not in CANNOT}
    held: set[str] = set()
    with daemon.client() as client:
        until = time.monotonic() + SECONDS
        while not held >= possible and time.monotonic() < until:
            time.sleep(0.2)
            held = right(client, tried)
        wait_for(lambda: rows(daemon, UNSETTLED) == [])
        held = right(client, tried)
    for name, reason in missing.items():
        print(f"{name} {operation}: not tried, {reason}")
    lost, held_all_the_same = sorted(possible - held), sorted(held - possible)
    assert not lost, f"the work is lost: {' '.join(lost)}"
    assert not held_all_the_same, f"CANNOT says that these cannot hold: {' '.join(held_all_the_same)}"


def test_what_is_inherited_and_comes_home_counts_once(
    daemon: Daemon, made: tuple[dict[str, bytes], dict[str, str]]
) -> None:
    """A transport stream that ffmpeg wrote anew in place: first a successor that inherits, then, by the checksum of its
    tracks, the item itself. Its one play stays one, here and where a backup is put back."""
    if "ts" in made[1]:
        pytest.skip(made[1]["ts"])
    tree = daemon.folder / "tree"
    tree.mkdir()
    (tree / "a.ts").write_bytes(made[0]["ts"])
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "a.ts")
        assert wait_for(lambda: rows(daemon, UNSETTLED) == [])
        FORMATS["ts"].retag(tree / "a.ts")  # type: ignore[misc]
        merged = "SELECT FROM mediadb.event WHERE action = 'merged'"
        assert wait_for(lambda: rows(daemon, merged) != [], SECONDS)
        found = item_of(client, tree / "a.ts")
        assert found.id == item and has_work(found)
    mediactl(daemon, "backup", str(daemon.folder / "backup"))
    fresh = Daemon()
    try:
        fresh.start()
        mediactl(fresh, "restore-backup", str(daemon.folder / "backup"))
        with fresh.client() as client:
            back = client.get(item)[0].item
            assert back is not None and has_work(back), back
    finally:
        fresh.remove()


def table() -> list[str]:
    """The matrix in Markdown: yes, a number for the reason why not, or a dash where there is nothing to do."""
    reasons = list(dict.fromkeys(CANNOT.values()))
    lines = [f"| format | {' | '.join(OPERATIONS)} |", "|---" * (len(OPERATIONS) + 1) + "|"]
    for name in FORMATS:
        cells = []
        for operation in OPERATIONS:
            why = CANNOT.get((name, operation))
            no = f"no ({reasons.index(why) + 1})" if why else "yes"
            cells.append(no if applies(name, operation) else "-")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, "", *(f"{number}. {reason}." for number, reason in enumerate(reasons, 1))]


def test_the_documented_table_is_this_one() -> None:
    documented = (Path(__file__).parents[2] / "docs/identity.md").read_text("utf-8").splitlines()
    first = documented.index(table()[0])
    assert documented[first : first + len(table())] == table()


if __name__ == "__main__":
    print("\n".join(table()))
