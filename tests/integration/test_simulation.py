"""A library as a careless person leads it, by chance: files come, change, move, vanish and return on two file systems,
people tag them, and the daemon is killed in the middle of it. Afterwards the store says what a fresh scan of the same
trees says, no event of a person is lost, and what was made of a payload is with that payload wherever it is now.

The choices are `random.Random(seed)`. SIM_SEED repeats a run as far as time allows: the daemon's own pace is not part
of the seed. SIM_STEPS sets its length.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import struct
import sys
import threading
import time
import uuid
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mutagen.flac import FLAC
from mutagen.id3 import TIT2
from mutagen.mp3 import MP3
from mutagen.wave import WAVE

from mediactl import Client, workcalls
from mediactl.workcalls import Call
from mediad.errors import Conflict, MediadError
from mediad.index.work import KEPT
from mediad.index.workfold import fold_work
from tests.daemon import Daemon
from tests.daemon.library import sql, wait_until
from tests.daemon.records import DATA

STEPS = int(os.environ.get("SIM_STEPS", "600"))
CHECK_EVERY = 250  # steps between two checks of everything but the fresh scan
FILES_MOST = 160  # beyond it more is deleted than made
CONFIG = "shared_least = 1000\nfreeze_files = 12\nsettle_seconds = 0.02\npoll_seconds = 0.5\n"
SHARED = 1000  # a smaller file is its own: what was made of it does not follow its payload
PATIENCE = 120.0  # until everything is read and every doubt settled

FRAMES = {"flac": (DATA / "picard.flac").read_bytes(), "mp3": (DATA / "lame.mp3").read_bytes()}
# Every payload has its own number in it, where no tag writer touches it.
MARK = re.compile(rb"<sim-(\d{12})>")
FOLDERS = ("a", "b", "b/c", "b/c/d", "e", "e/f", "g g", "h\udcff")
NAMES = ("song", "Lied", "canción", "x y", "noise\udcfe")

# Every name that is present, by root and path below it.
_PRESENT = """
WITH RECURSIVE tree(id, root, path) AS (
    SELECT id, root, ''::bytea FROM mediadb.dir WHERE parent IS NULL
    UNION ALL
    SELECT d.id, d.root, t.path || d.name || '/'::bytea FROM tree t JOIN mediadb.dir d ON d.parent = t.id
)
SELECT t.root, t.path || f.name, f.id, f.stream, f.type, f.inode, f.size, f.mtime_ns, f.ctime_ns, f.target,
       r.size, r.mtime_ns, EXISTS (SELECT FROM mediadb.todo q WHERE q.file = f.id)
FROM tree t JOIN mediadb.file f ON f.dir = t.id LEFT JOIN mediadb.reading r ON r.file = f.id
WHERE f.missing_since_ns IS NULL
"""
# What was read of a name.
_READ = """
SELECT f.id, coalesce(r.state, 'listed'), r.problem_code, r.kind, r.format, r.title, r.artist, r.duration,
       d.fields::text, d.tags::text, d.warnings::text,
       -- a document or a song without a title is called as its file that was read last
       (SELECT array_agg(m.kind || CASE WHEN m.kind IN ('artist', 'album') THEN m.name ELSE '' END
                         ORDER BY m.kind, m.name)
        FROM mediadb.file_meta x JOIN mediadb.meta m ON m.id = x.meta WHERE x.file = f.id),
       (SELECT array_agg(encode(k.value, 'hex') ORDER BY k.value) FROM mediadb.stream_key k
        WHERE k.stream = f.stream AND k.grade = 1)
FROM mediadb.file f LEFT JOIN mediadb.reading r ON r.file = f.id LEFT JOIN mediadb.file_detail d ON d.file = f.id
WHERE f.missing_since_ns IS NULL
"""
# Streams whose checksum is wanted and can be had.
_DOUBTS = """
SELECT count(*) FROM mediadb.doubt q WHERE q.tries < 3 AND EXISTS (
    SELECT FROM mediadb.file f WHERE f.stream = q.stream AND f.missing_since_ns IS NULL AND f.type = 'f')
"""
_WORK = "SELECT stream::text, mediadb.work_of(stream) FROM mediadb.work"
_FOLDED = """
SELECT coalesce(a.stream::text, e.target), e.actor, e.action, e.value FROM mediadb.event e
LEFT JOIN mediadb.stream_alias a ON a.old::text = e.target
WHERE e.target_kind = 'stream' AND e.action = ANY(%s) ORDER BY e.seq
"""


# ------------------------------------------------------------------ payloads


class Payloads:
    """Makes files with payloads that no other file has."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.count = 0

    def make(self, extension: str, size: int = 0) -> bytes:
        """A new file's bytes; those of `size` bytes where that can be had."""
        self.count += 1
        mark = b"<sim-%012d>" % self.count
        if extension in FRAMES:
            whole = bytearray(FRAMES[extension])
            whole[-400 : -400 + len(mark)] = mark
            return bytes(whole)
        if extension == "wav":
            return _wave(self.rng, mark)
        least = 40 if extension == "note" else SHARED + 10
        size = size or self.rng.randrange(least, least + 5000)
        words = b" ".join(self.rng.choice((b"alpha", b"beta", b"gamma", b"delta")) for _ in range(size // 5 + 1))
        return (mark + b" " + words)[: max(size, least)]


def _wave(rng: random.Random, mark: bytes) -> bytes:
    out = BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 1, 8000, 0, "NONE", ""))
        sound.writeframes(rng.randbytes(1500) + mark + rng.randbytes(rng.randrange(1500)))
    return out.getvalue()


def is_song(content: bytes) -> bool:
    """It has a payload of its own between tags, whatever its name is."""
    return content[:4] in (b"fLaC", b"RIFF") or content[:3] == b"ID3" or content[:1] == b"\xff"


def payload_of(content: bytes) -> str:
    """Which payload a file has, whatever its name and tags: of songs the number in it, of the rest every byte."""
    found = MARK.search(content)
    return found[1].decode() if found is not None and is_song(content) else hashlib.sha256(content).hexdigest()


def retag(path: str, title: str, padding: int) -> None:
    """Other tags in a song, written as players write them."""
    with open(path, "rb") as file:
        head = file.read(4)
    if head == b"fLaC":
        flac = FLAC(path)
        flac.delete()
        flac.update({"title": title, "artist": "A", "comment": "c" * padding})
        flac.save()
        return
    song: Any = WAVE(path) if head == b"RIFF" else MP3(path)
    if song.tags is None:
        song.add_tags()
    song.tags.setall("TIT2", [TIT2(encoding=3, text=[title])])
    song.save()


# ------------------------------------------------------------------ the model


@dataclass(slots=True)
class Tree:
    """A root: where it is, and where it is hidden while it is away."""

    top: str
    hidden: str
    state: str = "here"  # here, gone (its folder is not there), emptied (an empty folder stands there)


@dataclass(slots=True)
class Done:
    """What a person did and the daemon has answered: the operation, its events, at least and at most."""

    operation: uuid.UUID
    what: str
    least: int
    most: int


@dataclass
class Model:
    """What must be true in the end."""

    done: list[Done] = field(default_factory=list)
    tags: dict[str, set[str]] = field(default_factory=dict)  # by payload
    given: dict[str, tuple[str, uuid.UUID]] = field(default_factory=dict)  # tag: path and item, for who looks for a bug
    collected: int = 0


class Simulation:
    """The trees, the daemon over them, and everything that may happen to both."""

    def __init__(self, seed: int, daemon: Daemon, tops: list[Path]) -> None:
        self.rng = random.Random(seed)
        self.daemon = daemon
        self.payloads = Payloads(self.rng)
        self.trees = [Tree(os.fsdecode(top), os.fsdecode(top) + "-away") for top in tops]
        self.model = Model()
        self.counts: Counter[str] = Counter()
        self.number = 0
        self.steps: list[str] = []
        self._client: Client | None = None
        self._weights: list[tuple[Callable[[], bool], int]] = [
            (self.create, 16), (self.overwrite, 8), (self.append, 5), (self.save, 8), (self.save_with_backup, 3),
            (self.retag, 8), (self.rename, 10), (self.rename_folder, 4), (self.rename_over, 6), (self.swap, 2),
            (self.link, 4), (self.symlink, 2), (self.fifo, 1), (self.delete, 9), (self.delete_folder, 1),
            (self.copy, 5), (self.move_over, 5), (self.set_time, 4), (self.rewrite_with_times, 3), (self.chmod, 2),
            (self.make_folder, 2), (self.hide, 1), (self.show, 2), (self.tag, 14), (self.tag_at_once, 3),
            (self.other_work, 6), (self.collect, 2), (self.kill, 2), (self.kill_in_request, 2), (self.stop, 1),
            (self.wait, 8), (self.wait_until_read, 2), (self.rescan, 1),
        ]  # fmt: skip

    # -------------------------------------------------------------- what there is

    def here(self) -> list[Tree]:
        return [tree for tree in self.trees if tree.state == "here"]

    def files(self, trees: list[Tree] | None = None) -> list[str]:
        """Every regular file, in an order that the seed alone decides."""
        found = []
        for tree in self.here() if trees is None else trees:
            for folder, _dirs, names in os.walk(tree.top):
                found += [os.path.join(folder, name) for name in names]
        return sorted(path for path in found if os.path.isfile(path) and not os.path.islink(path))

    def folders(self, tree: Tree) -> list[str]:
        return sorted(folder for folder, _dirs, _names in os.walk(tree.top))

    def tree_of(self, path: str) -> Tree:
        return next(tree for tree in self.trees if path.startswith(tree.top + "/"))

    def some_file(self) -> str | None:
        files = self.files()
        return self.rng.choice(files) if files else None

    def some_tree(self) -> Tree | None:
        trees = self.here()
        return self.rng.choice(trees) if trees else None

    def new_path(self, tree: Tree, extension: str) -> str:
        """A name that nothing has, in a folder that may be new."""
        while True:
            folder = self.rng.choice([*self.folders(tree), os.path.join(tree.top, self.rng.choice(FOLDERS))])
            path = os.path.join(folder, f"{self.rng.choice(NAMES)}{self.rng.randrange(40)}.{extension}")
            if not os.path.lexists(path) and not any(os.path.isfile(p) for p in _above(path)):
                os.makedirs(folder, exist_ok=True)
                return path

    def extension(self) -> str:
        return self.rng.choices(("txt", "flac", "mp3", "wav", "dat", "note"), (6, 5, 3, 4, 2, 1))[0]

    def next_number(self) -> int:
        self.number += 1
        return self.number

    # -------------------------------------------------------------- what happens to files

    def create(self) -> bool:
        tree = self.some_tree()
        if tree is None or len(self.files()) > FILES_MOST:
            return False
        extension = self.extension()
        content = self.payloads.make(extension)
        path = self.new_path(tree, extension)
        cut = self.rng.choice((len(content), len(content) // 2))
        with open(path, "wb", buffering=0) as file:
            file.write(content[:cut])
            if cut < len(content):
                time.sleep(self.rng.random() * 0.1)
                file.write(content[cut:])
        return self.note(path)

    def overwrite(self) -> bool:
        path = self.some_file()
        if path is None:
            return False
        with open(path, "rb+") as file:
            content = self.payloads.make(_extension(path), os.path.getsize(path) if self.rng.random() < 0.3 else 0)
            file.write(content)
            file.truncate()
        return self.note(path)

    def append(self) -> bool:
        path = self.some_file()
        if path is None or is_song(Path(path).read_bytes()):
            return False
        with open(path, "ab") as file:
            file.write(b" and more %d" % self.next_number())
        return self.note(path)

    def save(self) -> bool:
        """As programs save: a temporary beside it, renamed over it."""
        path = self.some_file()
        if path is None:
            return False
        fresh = os.path.join(os.path.dirname(path), f".{self.next_number()}.tmp")
        with open(fresh, "wb") as file:
            file.write(self.payloads.make(_extension(path)))
        if self.rng.random() < 0.3:
            time.sleep(self.rng.random() * 0.2)
        os.replace(fresh, path)
        return self.note(path)

    def save_with_backup(self) -> bool:
        """What was there keeps living beside it."""
        path = self.some_file()
        if path is None or os.path.lexists(path + "~"):
            return False
        os.rename(path, path + "~")
        with open(path, "wb") as file:
            file.write(self.payloads.make(_extension(path)))
        return self.note(path)

    def retag(self) -> bool:
        path = self.rng.choice([p for p in self.files() if _extension(p) in ("flac", "mp3", "wav")] or [None])
        if path is None:
            return False
        try:
            retag(path, f"Title {self.next_number()}", self.rng.choice((0, 20, 9000)))
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 mutagen's errors have no common ancestor but this for three formats
            return self.note(f"{path}: {error}")
        return self.note(path)

    def rename(self) -> bool:
        path = self.some_file()
        if path is None:
            return False
        fresh = self.new_path(self.tree_of(path), _extension(path))
        os.rename(path, fresh)
        return self.note(path, fresh)

    def rename_folder(self) -> bool:
        tree = self.some_tree()
        folders = self.folders(tree)[1:] if tree else []
        if tree is None or not folders:
            return False
        old = self.rng.choice(folders)
        above = self.rng.choice([f for f in self.folders(tree) if f != old and not f.startswith(old + "/")])
        fresh = os.path.join(above, f"moved{self.rng.randrange(30)}")
        if os.path.lexists(fresh):
            return False
        os.rename(old, fresh)
        if self.rng.random() < 0.3:
            with open(os.path.join(fresh, f"soon{self.next_number()}.txt"), "wb") as file:
                file.write(self.payloads.make("txt"))
        return self.note(old, fresh)

    def rename_over(self) -> bool:
        one = self.some_file()
        others = [p for p in self.files([self.tree_of(one)]) if p != one] if one else []
        if one is None or not others:
            return False
        other = self.rng.choice(others)
        os.replace(one, other)
        return self.note(one, other)

    def swap(self) -> bool:
        one = self.some_file()
        others = [p for p in self.files([self.tree_of(one)]) if p != one] if one else []
        if one is None or not others:
            return False
        other = self.rng.choice(others)
        between = one + ".swap"
        os.rename(one, between)
        os.rename(other, one)
        os.rename(between, other)
        return self.note(one, other)

    def link(self) -> bool:
        path = self.some_file()
        if path is None:
            return False
        fresh = self.new_path(self.tree_of(path), _extension(path))
        os.link(path, fresh)
        return self.note(path, fresh)

    def symlink(self) -> bool:
        tree = self.some_tree()
        if tree is None:
            return False
        fresh = self.new_path(tree, "txt")
        os.symlink(self.rng.choice([*self.files(), "nowhere"]), fresh)
        return self.note(fresh)

    def fifo(self) -> bool:
        tree = self.some_tree()
        if tree is None:
            return False
        fresh = self.new_path(tree, "fifo")
        os.mkfifo(fresh)
        return self.note(fresh)

    def delete(self) -> bool:
        for _ in range(3 if len(self.files()) > FILES_MOST else 1):
            path = self.some_file()
            if path is None:
                return False
            os.unlink(path)
            self.note(path)
        return True

    def delete_folder(self) -> bool:
        tree = self.some_tree()
        folders = self.folders(tree)[1:] if tree else []
        if not folders:
            return False
        folder = self.rng.choice(folders)
        shutil.rmtree(folder)
        return self.note(folder)

    def copy(self) -> bool:
        path, tree = self.some_file(), self.some_tree()
        if path is None or tree is None:
            return False
        fresh = self.new_path(tree, _extension(path))
        self.rng.choice((shutil.copyfile, shutil.copy2))(path, fresh)
        return self.note(path, fresh)

    def move_over(self) -> bool:
        """To the other file system: a copy, then the old one goes."""
        path = self.some_file()
        others = [tree for tree in self.here() if path and tree is not self.tree_of(path)]
        if path is None or not others:
            return False
        fresh = self.new_path(others[0], _extension(path))
        shutil.copy2(path, fresh)
        if self.rng.random() < 0.5:
            time.sleep(self.rng.random() * 0.3)
        os.unlink(path)
        return self.note(path, fresh)

    def set_time(self) -> bool:
        """A clock that jumps."""
        path = self.some_file()
        if path is None:
            return False
        at = self.rng.choice((0, 1, 999_999_999, 1 << 60, (1 << 32) * 10**9, time.time_ns() + 10**15,
                              time.time_ns() - 10**17, self.rng.randrange(10**18)))  # fmt: skip
        os.utime(path, ns=(at, at))
        return self.note(path, str(at))

    def rewrite_with_times(self) -> bool:
        """Another payload of the same size and mtime, as `rsync --times` over an equal size would leave it: the ctime
        alone tells."""
        path = self.some_file()
        if path is None:
            return False
        before = os.stat(path)
        content = self.payloads.make(_extension(path), before.st_size)
        if len(content) != before.st_size:
            return False
        with open(path, "rb+") as file:
            file.write(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return self.note(path)

    def chmod(self) -> bool:
        path = self.some_file()
        if path is None:
            return False
        os.chmod(path, self.rng.choice((0o600, 0o644, 0o755)))
        return self.note(path)

    def make_folder(self) -> bool:
        tree = self.some_tree()
        if tree is None:
            return False
        folder = os.path.join(self.rng.choice(self.folders(tree)), f"new{self.next_number()}")
        os.mkdir(folder)
        return self.note(folder)

    # -------------------------------------------------------------- what happens to roots

    def hide(self) -> bool:
        """A mount that goes away: its folder is not there, or stands there empty."""
        if len(self.here()) < len(self.trees):
            return False
        tree = self.rng.choice(self.trees)
        os.rename(tree.top, tree.hidden)
        tree.state = self.rng.choice(("gone", "emptied"))
        if tree.state == "emptied":
            os.mkdir(tree.top)
        self.note(tree.top, tree.state)
        if self.rng.random() < 0.5 and self.running():
            self.ask(workcalls.rescan(wait=False))
        return True

    def show(self) -> bool:
        away = [tree for tree in self.trees if tree.state != "here"]
        for tree in away:
            self.show_tree(tree)
        return bool(away)

    def show_tree(self, tree: Tree) -> bool:
        if tree.state == "emptied":
            os.rmdir(tree.top)
        os.rename(tree.hidden, tree.top)
        tree.state = "here"
        self.note(tree.top)
        if self.running():
            self.ask(workcalls.rescan(wait=False))
        return True

    # -------------------------------------------------------------- what persons do

    def settled_files(self) -> list[tuple[str, uuid.UUID]]:
        """Files of which the daemon has read what stands there now, with their items."""
        assert self.daemon.dsn is not None
        found = []
        with sql(self.daemon.dsn) as ask:
            roots = [row[0] for row in ask("SELECT id FROM mediadb.root ORDER BY id")]
            rows = ask(_PRESENT)
        tops = dict(zip(roots, self.trees, strict=True))
        for root, path, _id, stream, kind, inode, size, mtime, ctime, _target, read_size, read_mtime, waits in rows:
            if kind != "f" or waits or (read_size, read_mtime) != (size, mtime) or tops[root].state != "here":
                continue
            full = os.path.join(tops[root].top, os.fsdecode(bytes(path)))
            try:
                info = os.lstat(full)
            except OSError:
                continue
            now = (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
            if now == (inode % (1 << 64), size, mtime, ctime):
                found.append((full, stream))
        return sorted(found)

    def act(self, call: Call[Any], what: str, least: int, most: int = 1) -> Any:
        """Has the daemon do something for a person, and remembers that it must have been done."""
        result = self.ask(call)
        self.model.done.append(Done(uuid.UUID(bytes=call.request.operation), what, least, most))
        return result

    def tag(self) -> bool:
        """A tag, or a field, on what was read: from now on it belongs to that payload."""
        files = self.settled_files()
        if not files:
            return False
        path, item = self.rng.choice(files)
        content = Path(path).read_bytes()
        name = f"tag{self.next_number()}"
        if self.rng.random() < 0.3:
            self.act(workcalls.set_fields([path], {name: name}), name, 1)
        else:
            self.act(workcalls.tag([path], add=[name]), name, 1)
        if len(content) >= SHARED + 10:
            self.model.tags.setdefault(payload_of(content), set()).add(name)
            self.model.given[name] = path, item
        return self.note(path, name)

    def tag_at_once(self) -> bool:
        """On what stands there at the moment, whatever the daemon knows of it: the event alone is to be kept."""
        path = self.some_file()
        if path is None:
            return False
        name = f"quick{self.next_number()}"
        call = workcalls.tag([path], add=[name])
        result = self.ask(call)
        if not result.problems:  # else: not listed yet
            self.model.done.append(Done(uuid.UUID(bytes=call.request.operation), name, 1, 1))
        return self.note(path, name)

    def other_work(self) -> bool:
        """Rates, stars, plays, and takes such things back."""
        files = self.settled_files()
        if not files:
            return False
        path, _item = self.rng.choice(files)
        actor = self.rng.choice(("", "ana", "ben"))
        calls: list[tuple[Call[Any], str, int]] = [
            (workcalls.rate([path], self.rng.choice((None, 1, 2.5, 5))), "rate", 0),
            (workcalls.star([path], self.rng.random() < 0.7), "star", 0),
            (workcalls.play([path], at_ns=10**18 + self.next_number()), "play", 1),
            (workcalls.set_fields([path], {"place": self.rng.choice(("here", "there", None))}), "set", 0),  # type: ignore[dict-item]
            (workcalls.tag([path], add=[f"u{self.rng.randrange(5)}"]), "tag", 0),
            (workcalls.tag([path], remove=[f"u{self.rng.randrange(5)}"]), "untag", 0),
        ]
        call, what, least = self.rng.choice(calls)
        self.connect().actor = actor
        try:
            self.act(call, what, least)
        finally:
            self.connect().actor = ""
        return self.note(path, what, actor)

    def collect(self) -> bool:
        files = self.settled_files()
        if not files:
            return False
        path, _item = self.rng.choice(files)
        self.act(workcalls.collect("papers", "add", [path]), "collect", 1, 2)  # the first one makes it, too
        self.model.collected += 1
        return self.note(path)

    # -------------------------------------------------------------- what happens to the daemon

    def running(self) -> bool:
        return self.daemon.process is not None and self.daemon.process.poll() is None

    def connect(self) -> Client:
        if self._client is None:
            self._client = self.daemon.client()
        return self._client

    def ask(self, call: Call[Any], seconds: float = 60.0) -> Any:
        """Sends a request until it is answered, under the same operation id."""
        until = time.monotonic() + seconds
        while True:
            try:
                return self.connect().run(call)
            except MediadError as error:
                if not error.retryable or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def start(self) -> None:
        self.daemon.start()

    def down(self) -> bool:
        """Things happen while no daemon runs; then one is started."""
        for _ in range(self.rng.choice((0, 1, 8))):
            self.step(self.rng.choice(self._weights[:22])[0])
        self.start()
        return True

    def kill(self) -> bool:
        self.note()
        self.daemon.kill()
        return self.down()

    def kill_in_request(self) -> bool:
        """It dies while it is asked for something; the request is sent again, under its id."""
        files = self.settled_files()
        if not files:
            return False
        self.connect().status()
        after = self.rng.random() * 0.02

        def strike() -> None:
            time.sleep(after)
            self.daemon.kill()
            self.daemon.start()

        thread = threading.Thread(target=strike)
        thread.start()
        try:
            path, item = self.rng.choice(files)
            payload = Path(path).read_bytes()
            for _ in range(10):
                name = f"tag{self.next_number()}"
                self.act(workcalls.tag([path], add=[name]), name, 1)
                if len(payload) >= SHARED + 10:
                    self.model.tags.setdefault(payload_of(payload), set()).add(name)
                    self.model.given[name] = path, item
        finally:
            thread.join()
        return self.note(path)

    def stop(self) -> bool:
        self.note()
        self.daemon.stop()
        return self.down()

    def wait(self) -> bool:
        time.sleep(self.rng.random() * 0.4)
        return True

    def wait_until_read(self) -> bool:
        """For a while at most: what is away is not read."""
        until = time.monotonic() + 2.0
        assert self.daemon.dsn is not None
        with sql(self.daemon.dsn) as ask:
            while ask("SELECT count(*) FROM mediadb.todo") != [(0,)] and time.monotonic() < until:
                time.sleep(0.05)
        return True

    def rescan(self) -> bool:
        self.ask(workcalls.rescan(wait=False, quick=self.rng.random() < 0.5))
        return self.note()

    # -------------------------------------------------------------- running

    def note(self, *what: str) -> bool:
        """For who looks for a bug: what was done, in order."""
        self.steps.append(f"{time.time():.3f} {sys._getframe(1).f_code.co_name} {' -> '.join(what)}")
        return True

    def step(self, operation: Callable[[], bool]) -> bool:
        done = operation()
        if done:
            self.counts[operation.__name__] += 1
        return done

    def run(self, steps: int) -> None:
        operations, weights = zip(*self._weights, strict=True)
        done = 0
        while done < steps:
            done += self.step(self.rng.choices(operations, weights)[0])
            if done % CHECK_EVERY == 0:
                self.settle()
                self.check()

    def settle(self) -> None:
        """Everything is back, everything is looked at, read, and no doubt is left."""
        for tree in self.trees:
            if tree.state != "here":
                self.show_tree(tree)
        if not self.running():
            self.start()
        until = time.monotonic() + PATIENCE
        while True:
            # A person looks until every root is well: what was lost at once and is truly gone has to be said.
            self.ask(workcalls.rescan(wait=False))
            frozen = [root for root in self.connect().roots() if root.state != "active"]
            if not frozen:
                break
            assert time.monotonic() < until, frozen
            for root in frozen:
                if root.state == "frozen":
                    with contextlib.suppress(Conflict):  # a walk that the kernel asked for has found it well by now
                        self.ask(workcalls.accept(root.path))
        assert self.daemon.dsn is not None
        with sql(self.daemon.dsn) as ask:

            def resting() -> int | None:
                """The last event while nothing is under way, else None. Walks first: one that ends gives doubts that
                were tried in vain another chance."""
                if self.connect().status().scans:
                    return None
                [(todo, last)] = ask("SELECT (SELECT count(*) FROM mediadb.todo), (SELECT last FROM mediadb.feed)")
                return None if todo or ask(_DOUBTS) != [(0,)] else int(last)

            def quiet() -> bool:
                last = resting()
                if last is None:
                    return False
                time.sleep(0.4)
                return resting() == last

            wait_until(quiet, PATIENCE, "settling")

    # -------------------------------------------------------------- checking

    def check(self) -> None:
        """What holds at every moment of rest."""
        assert self.daemon.dsn is not None
        with sql(self.daemon.dsn) as ask:
            self.check_names(ask)
            self.check_events(ask)
            check_work(ask)
        self.check_log()
        self.check_tags()
        wrong = [line for line in self.daemon.text().splitlines() if "daemon failed" in line or "refuses" in line]
        assert not wrong, f"the daemon says that something is wrong with it: {wrong[:5]}"

    def present(self, ask: Callable[..., list[tuple[Any, ...]]]) -> dict[str, tuple[Any, ...]]:
        roots = [row[0] for row in ask("SELECT id FROM mediadb.root ORDER BY id")]
        tops = {root: tree.top for root, tree in zip(roots, self.trees, strict=True)}
        return {os.path.join(tops[row[0]], os.fsdecode(bytes(row[1]))): row[2:] for row in ask(_PRESENT)}

    def check_names(self, ask: Callable[..., list[tuple[Any, ...]]]) -> None:
        """Names, types, sizes, times are those of the disk; what was read is what stands there."""
        said = {
            path: (row[2], row[3] % (1 << 64), *row[4:7], row[7] and bytes(row[7]))
            for path, row in self.present(ask).items()
        }
        stale = [path for path, row in self.present(ask).items() if row[2] == "f" and row[8:10] != row[4:6]]
        assert not stale, f"what was read is not what stands there: {stale}"
        there = {}
        for tree in self.trees:
            for folder, _dirs, names in os.walk(tree.top):
                for name in names:
                    path = os.path.join(folder, name)
                    info = os.lstat(path)
                    target = os.fsencode(os.readlink(path)) if os.path.islink(path) else None
                    there[path] = (_type(info.st_mode), info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns,
                                   target)  # fmt: skip
        expect_same(said, there, "the store is not what is on disk")

    def check_events(self, ask: Callable[..., list[tuple[Any, ...]]]) -> None:
        """Numbers without gap or double; what persons did is there, each once."""
        numbers = [row[0] for row in ask("SELECT seq FROM mediadb.event ORDER BY seq")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert ask("SELECT last FROM mediadb.feed") == [(len(numbers),)]
        told = dict(ask("SELECT op_id, count(*) FROM mediadb.event WHERE op_id IS NOT NULL GROUP BY op_id"))
        wrong = [done for done in self.model.done if not done.least <= told.get(done.operation, 0) <= done.most]
        assert not wrong, "events of persons are lost or doubled"
        added = ask("SELECT target FROM mediadb.event WHERE action = 'added' GROUP BY target HAVING count(*) > 1")
        assert not added or all(row[0] for row in added)
        assert ask("SELECT place FROM mediadb.collection_entry ORDER BY place") == [
            (place,) for place in range(self.model.collected)
        ]

    def check_log(self) -> None:
        """`work/*.ndjson` has each event of a person once, with what the database says of it."""
        assert self.daemon.dsn is not None

        def logged() -> list[dict[str, Any]]:
            lines = []
            for path in (self.daemon.data / "work").glob("*.ndjson"):
                lines += [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            return [line for line in lines if "action" in line]

        with sql(self.daemon.dsn) as ask:
            rows = ask("SELECT seq, action, target, value FROM mediadb.event WHERE action = ANY(%s)", list(KEPT))
        events = {row[0]: row[1:] for row in rows}
        wait_until(lambda: len(logged()) >= len(events), 20.0, "the log of work")
        lines = logged()
        assert Counter(line["seq"] for line in lines) == Counter(events.keys())
        said = {line["seq"]: (line["action"], line["target"], line["value"]) for line in lines}
        expect_same(said, events, "the log of work is not what happened")

    def check_tags(self) -> None:
        """What was made of a payload is with it, wherever it is now."""
        assert self.daemon.dsn is not None
        lost = []
        payloads: dict[str, set[str]] = {}
        with sql(self.daemon.dsn) as ask:
            work = dict(ask(_WORK))
            for path, row in sorted(self.present(ask).items()):
                if row[2] != "f":
                    continue
                content = Path(path).read_bytes()
                payload = payload_of(content)
                payloads.setdefault(str(row[1]), set()).add(payload)
                made = work.get(str(row[1])) or {}
                has = {*made.get("tags", {}), *made.get("fields", {})}
                missing = self.model.tags.get(payload, set()) - has
                if missing and len(content) >= SHARED:
                    lost.append((path, str(row[1]), payload, sorted((tag, self.model.given[tag]) for tag in missing)))
        assert not lost, "what a person made is not with its payload:\n" + "\n".join(map(str, lost[:5]))
        mixed = {stream: found for stream, found in payloads.items() if len(found) > 1}
        assert not mixed, f"items have files of several payloads: {mixed}"

    def check_fresh(self) -> None:
        """A daemon that never saw anything of this says the same of the trees."""
        fresh = Daemon(config=CONFIG)
        try:
            fresh.start()
            with fresh.client() as client:
                for tree in self.trees:
                    client.add([tree.top])
            assert fresh.dsn is not None and self.daemon.dsn is not None
            with sql(self.daemon.dsn) as ask:
                mine, here = self.present(ask), {row[0]: row[1:] for row in ask(_READ)}
            with sql(fresh.dsn) as ask:
                theirs, there = self.present(ask), {row[0]: row[1:] for row in ask(_READ)}
        finally:
            fresh.remove()
        said = {path: here[row[0]] for path, row in mine.items()}
        again = {path: there[row[0]] for path, row in theirs.items()}
        expect_same(said, again, "a fresh scan says otherwise")
        by_key: dict[str, set[str]] = {}
        by_payload: dict[str, set[str]] = {}
        for path, row in theirs.items():
            if row[2] == "f" and row[4]:
                by_key.setdefault(str(there[row[0]][-1]), set()).add(path)
                by_payload.setdefault(payload_of(Path(path).read_bytes()), set()).add(path)
        assert sorted(map(sorted, by_key.values())) == sorted(map(sorted, by_payload.values())), "the model's own error"


def check_work(ask: Callable[..., list[tuple[Any, ...]]]) -> None:
    """The tables say what all events amount to."""
    events: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for stream, actor, action, value in ask(_FOLDED, list(KEPT)):
        events.setdefault(stream, []).append((actor, action, value))
    folded = {}
    for stream, told in events.items():
        state = fold_work(told)
        actors = {
            actor: {name: value for name, value in own.items() if value not in (None, 0)}
            for actor, own in state.actors.items()
        }
        folded[stream] = _without_empty({"tags": state.tags, "fields": state.fields, "actors": _without_empty(actors)})
    said = {}
    for stream, made in ask(_WORK):
        actors = {a: {n: v for n, v in own.items() if v not in (None, 0)} for a, own in made.get("actors", {}).items()}
        said[stream] = _without_empty({**made, "actors": _without_empty(actors)})
    expect_same(_without_empty(said), _without_empty(folded), "the tables are not what the events amount to")


def _without_empty(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value}


def expect_same(said: dict[Any, Any], true: dict[Any, Any], what: str) -> None:
    """Fails with what differs, and nothing else of it."""
    wrong = []
    for key in sorted({*said, *true}, key=str):
        one, other = said.get(key), true.get(key)
        if isinstance(one, tuple) and isinstance(other, tuple):
            wrong += [
                f"{key!r} [{i}]: {a!r}, not {b!r}" for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b
            ]
        elif one != other:
            wrong.append(f"{key!r}: {one!r}, not {other!r}")
    if wrong:
        raise AssertionError("\n".join([what, *wrong[:20]]))


def _type(mode: int) -> str:
    return {0o100000: "f", 0o120000: "l", 0o010000: "p"}[mode & 0o170000]


def _extension(path: str) -> str:
    return path.rpartition(".")[2].rstrip("~")


def _above(path: str) -> list[str]:
    found = []
    while (path := os.path.dirname(path)) != "/":
        found.append(path)
    return found


def _tables(daemon: Daemon) -> Iterator[str]:
    """What the store held in the end, a line a row."""
    assert daemon.dsn is not None
    with sql(daemon.dsn) as ask:
        for table in ("root", "dir", "file", "stream", "stream_key", "stream_alias", "reading", "todo", "doubt", "work",
                      "lineage", "revision", "checksum", "event"):  # fmt: skip
            for (row,) in ask(f"SELECT row_to_json(t)::text FROM mediadb.{table} t ORDER BY t"):
                yield f"{table} {row}"


@pytest.fixture
def other_file_system() -> Iterator[Path]:
    folder = Path("/dev/shm") / f"mediadb-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def test_whatever_happens(other_file_system: Path) -> None:
    seed = int(os.environ.get("SIM_SEED") or struct.unpack("<I", os.urandom(4))[0])
    print(f"SIM_SEED={seed} SIM_STEPS={STEPS}")
    daemon = Daemon(config=CONFIG)
    tops = [daemon.folder / "tree", other_file_system / "tree"]
    simulation = Simulation(seed, daemon, tops)
    try:
        daemon.start()
        for top in tops:
            top.mkdir()
            with daemon.client() as client:
                client.add([top])
        simulation.run(STEPS)
        simulation.settle()
        simulation.check()
        simulation.check_fresh()
        print(dict(simulation.counts.most_common()))
    except BaseException:
        keep = os.environ.get("SIM_KEEP")
        if keep:  # the story, for who looks for the bug
            told = [*simulation.steps, daemon.text(), *_tables(daemon)]
            Path(keep).write_text("\n".join(told), "utf-8", "backslashreplace")
        raise
    finally:
        simulation.close()
        daemon.remove()
