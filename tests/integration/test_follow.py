"""A set to which what `follow` tells is applied is at any time what the question would find."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from mediactl import Client, workcalls
from mediad.errors import MediadError
from tests.daemon import Daemon
from tests.daemon.records import SONG, song

SEED = int(os.environ.get("FOLLOW_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
STEPS = int(os.environ.get("FOLLOW_STEPS", "60"))
QUESTIONS = (
    "tag:red", "rating:>=3", "blue -tag:red", "artist:anna or (tag:green rating:>2)", "folder:left", "kind:audio",
    "saved:mine", "collection:list", "has:title", "state:missing", "copies:>1", "",
)  # fmt: skip


class Mirror:
    """A set that follows a question on a connection of its own."""

    def __init__(self, daemon: Daemon, text: str) -> None:
        self.text = text
        self.items: set[UUID] = set()
        self.fault: Exception | None = None
        self._client = Client(str(daemon.socket))
        self._ready: queue.Queue[bool] = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.get(timeout=30)

    def end(self, daemon: Daemon) -> None:
        """The daemon ends it; its thread closes the connection."""
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.stop()
        self._thread.join(30)

    def _run(self) -> None:
        try:
            for piece in self._client.query_follow(self.text):
                if piece.what == "caught_up":
                    self._ready.put(True)
                elif piece.what == "resync":
                    self.items.clear()
                elif piece.id is not None and piece.what == "left":
                    self.items.discard(piece.id)
                elif piece.id is not None:
                    self.items.add(piece.id)
        except MediadError as error:
            self.fault = error
        finally:
            self._client.close()


class Life:
    """A library that people and programs work in, at random."""

    def __init__(self, daemon: Daemon, seed: int) -> None:
        self.r = random.Random(seed)
        self.top = daemon.folder / "tree"
        self.serial = 0
        self.began_ns = 0
        for folder in ("left", "right"):
            (self.top / folder).mkdir(parents=True)
        for _ in range(8):
            self.appear()

    def files(self) -> list[Path]:
        return sorted(path for path in self.top.rglob("*") if path.is_file())

    def folder(self) -> Path:
        return self.r.choice(sorted(path for path in self.top.rglob("*") if path.is_dir()))

    def appear(self) -> None:
        self.serial += 1
        name = f"{self.r.choice(['blue', 'pale', 'river'])} {self.serial}"
        if self.r.random() < 0.6:
            artist = self.r.choice(["Anna", "Bob"])
            song(self.folder() / f"{name}.flac", artist=artist, title=f"{name} song", date=str(1990 + self.serial))
        else:
            (self.folder() / f"{name}.txt").write_text(f"words {self.serial} " * 400)

    def step(self, client: Client) -> str:
        r, files = self.r, self.files()
        what = r.choice(["tag", "untag", "rate", "appear", "remove", "rename", "folder", "copy", "retag", "save",
                         "collect", "undo", "set"])  # fmt: skip
        if not files:
            what = "appear"
        some = r.sample(files, min(len(files), r.randint(1, 3)))
        color = r.choice(["red", "green"])
        if what == "tag":
            client.run(workcalls.tag(some, add=[color]))
        elif what == "untag":
            client.run(workcalls.tag(some, remove=[color]))
        elif what == "rate":
            client.run(workcalls.rate(some, r.choice([None, 1, 3, 5])))
        elif what == "set":
            client.run(workcalls.set_fields(some, {"artist": r.choice(["Anna", "Carl", None])}))
        elif what == "appear":
            self.appear()
        elif what == "remove":
            some[0].unlink()
        elif what == "rename":
            some[0].rename(self.folder() / f"{r.choice(['blue', 'grey'])} {r.randrange(1000)}{some[0].suffix}")
        elif what == "folder":
            folder = self.folder()
            folder.rename(folder.with_name(f"{r.choice(['left', 'right', 'far'])}{r.randrange(100)}"))
            for name in ("left", "right"):
                (self.top / name).mkdir(exist_ok=True)
        elif what == "copy":
            shutil.copyfile(some[0], self.folder() / f"copy {r.randrange(1000)}{some[0].suffix}")
        elif what == "retag":
            songs = [path for path in some if path.suffix == ".flac"]
            for path in songs:
                song(path, artist=r.choice(["Anna", "Dora"]), title=path.name)
        elif what == "save":
            client.run(workcalls.save("mine", r.choice(["tag:red", "artist:anna", "rating:>2 or tag:green"])))
        elif what == "collect":
            client.run(workcalls.collect("list", "add", some))
        elif what == "undo":
            told = client.run(workcalls.operations(limit=1000))
            last = next(each for each in told if not each.undone and each.command != "undo")
            if last.at_ns > self.began_ns:  # what the questions name was made before, and stays
                client.run(workcalls.undo(last.id))
        return what


@pytest.fixture
def mirrors(daemon: Daemon) -> Iterator[tuple[Life, list[Mirror], Client]]:
    life = Life(daemon, SEED)
    with daemon.client() as client:
        client.add([life.top])
        client.run(workcalls.save("mine", "tag:red"))
        client.run(workcalls.collect("list", "add", life.files()[:2]))
        life.began_ns = time.time_ns()
        found = [Mirror(daemon, text) for text in QUESTIONS]
        yield life, found, client
    for mirror in found:
        mirror.end(daemon)


def test_followed_is_asked_anew(mirrors: tuple[Life, list[Mirror], Client]) -> None:
    life, found, client = mirrors
    done: list[str] = []
    for number in range(STEPS):
        with contextlib.suppress(MediadError):  # a file that is not listed yet, nothing to undo
            done.append(life.step(client))
        if number % 6 == 5 or number == STEPS - 1:
            client.add([life.top])  # all is read
            check(client, found, f"FOLLOW_SEED={SEED}: {done}")


def check(client: Client, found: list[Mirror], told: str) -> None:
    """Equal within seconds: what is told comes after what is done."""
    until = time.monotonic() + 10
    while True:
        wrong = {}
        for mirror in found:
            assert mirror.fault is None, f"{mirror.text}: {mirror.fault!r} {told}"
            want = {item.id for item in client.query(mirror.text)}
            if want != mirror.items:
                wrong[mirror.text] = (sorted(map(str, mirror.items - want)), sorted(map(str, want - mirror.items)))
        if not wrong:
            return
        if time.monotonic() > until:
            ids = {each for many, few in wrong.values() for each in (*many, *few)}
            events = [
                (each.seq, each.action, each.target, str(each.item), each.value)
                for each in client.run(workcalls.changes(0)).changes
                if str(each.item) in ids or each.target in ids or ids & set(map(str, each.value.get("items", ())))
            ]
            raise AssertionError(f"too many, too few: {wrong}\n{told}\n{events}")
        time.sleep(0.1)


def test_nothing_is_lost_while_everything_is_sent(daemon: Daemon) -> None:
    """What changes between the first page and the last is told afterwards."""
    top = daemon.folder / "tree"
    top.mkdir()
    for number in range(400):
        (top / f"{number:03}.mp3").write_bytes(SONG + bytes([number % 256, number // 256]) * 3000)
    with daemon.client() as client:
        client.add([top])
        stop = threading.Event()

        def disturb() -> None:
            with daemon.client() as other:
                for number in range(0, 400, 3):
                    if stop.is_set():
                        return
                    add = number % 2 == 0
                    call = workcalls.tag([top / f"{number:03}.mp3"], **{"add" if add else "remove": ["x"]})  # type: ignore[arg-type]
                    other.run(call)

        client.run(workcalls.tag([], add=["x"], query="kind:audio"))
        thread = threading.Thread(target=disturb)
        thread.start()
        mirror = Mirror(daemon, "tag:x")
        thread.join()
        check(client, [mirror], "while it was sent")
        assert len(mirror.items) == 400 - len(range(3, 400, 6))
    mirror.end(daemon)
