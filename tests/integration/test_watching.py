"""What happens on disk is in the feed a moment later: nobody asks for a walk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediactl import Client, workcalls
from tests.daemon import Daemon, write_tree
from tests.daemon.records import SONG, entry, rows, wait_for
from tests.integration.test_identity import has_work, item_of, tagged


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    running = Daemon(config="shared_least = 1000\npoll_seconds = 0.5\n")
    try:
        yield running.start()
    finally:
        running.remove()


def known(client: Client) -> set[bytes]:
    """Paths of all present files that were read."""
    return {f.path for item in client.query("") for f in item.files if f.state in ("read", "failed")}


def on_disk(*trees: Path) -> set[bytes]:
    return {os.fsencode(p) for tree in trees for p in tree.rglob("*") if p.is_file()}


def settles(client: Client, *trees: Path, seconds: float = 20.0) -> bool:
    return wait_for(lambda: known(client) == on_disk(*trees), seconds)


def test_the_life_of_files(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a/one.mp3": SONG, "b/keep.txt": b"keep"})
    with daemon.client() as client:
        client.add([tree])
        item = tagged(client, tree / "a/one.mp3")
        write_tree(tree, {"c/d/e/new.txt": b"new", "a/two.txt": b"two"})
        assert settles(client, tree)
        (tree / "a/one.mp3").rename(tree / "c/moved.mp3")
        assert settles(client, tree)
        assert item_of(client, tree / "c/moved.mp3").id == item
        (tree / "c").rename(tree / "z")
        assert settles(client, tree)
        found = item_of(client, tree / "z/moved.mp3")
        assert found.id == item and has_work(found)
        shutil.rmtree(tree / "z/d")
        (tree / "b/keep.txt").write_text("other words")
        assert settles(client, tree)
        assert wait_for(lambda: entry(client, tree / "b/keep.txt").size == 11)
        shutil.rmtree(tree / "b")
        assert settles(client, tree)
        assert client.status().missing == 2
    moved = rows(daemon, "SELECT target_kind FROM mediadb.event WHERE action = 'moved' ORDER BY seq")
    assert [row[0] for row in moved] == ["stream", "folder"]


def test_a_file_that_is_written_slowly(daemon: Daemon) -> None:
    """It is listed at once and read when it has come to rest."""
    tree = write_tree(daemon.folder / "tree", {"x.txt": b"x"})
    with daemon.client() as client:
        client.add([tree])
        with open(tree / "slow.txt", "wb", buffering=0) as slow:
            for _ in range(12):
                slow.write(b"word " * 100)
                time.sleep(0.1)
        assert wait_for(lambda: known(client) == on_disk(tree))
        assert entry(client, tree / "slow.txt").size == 12 * 500


def test_many_at_once(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"x.txt": b"x"})
    with daemon.client() as client:
        client.add([tree])
        write_tree(tree, {f"d{n % 40}/e{n % 7}/{n}.txt": b"%d" % n for n in range(2000)})
        assert settles(client, tree, seconds=60)
        for n in range(40):
            if n % 3 == 0:
                (tree / f"d{n}").rename(tree / f"r{n}")
            elif n % 3 == 1:
                shutil.rmtree(tree / f"d{n}")
        assert settles(client, tree, seconds=60)


def test_the_queue_of_events_overflows(daemon: Daemon) -> None:
    """The watcher sleeps while more happens than the kernel keeps: everything is walked, nothing is lost."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 50_000:
        pytest.skip(f"the kernel's queue holds {limit} events: it takes too long to fill")
    tree = write_tree(daemon.folder / "tree", {"x.txt": b"x"})
    with daemon.client() as client:
        client.add([tree])
        watcher = next(pid for pid in children(daemon.pid) if b"mediad.workers.watch" in command(pid))
        os.kill(watcher, 19)
        for n in range(limit // 2 + 200):
            path = tree / f"t{n % 50}.tmp"
            path.touch()
            path.unlink()
        write_tree(tree, {"late/after.txt": b"after"})
        os.kill(watcher, 18)
        assert settles(client, tree, seconds=60)
    assert "queue of events was full" in daemon.text()


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_watcher_dies(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"x.txt": b"x"})
    with daemon.client() as client:
        client.add([tree])
        watcher = next(pid for pid in children(daemon.pid) if b"mediad.workers.watch" in command(pid))
        os.kill(watcher, 9)
        write_tree(tree, {"meanwhile.txt": b"m"})
        assert settles(client, tree, seconds=30)
        write_tree(tree, {"later.txt": b"l"})
        assert settles(client, tree, seconds=30)


# The watcher's process enters a user namespace of its own, where the kernel grants 100 watches (user_namespaces(7)).
FEW_WATCHES = """
import ctypes, os, sys
if "mediad.workers.watch" in sys.orig_argv:
    uid, gid = os.getuid(), os.getgid()
    assert ctypes.CDLL(None).unshare(0x10000000) == 0
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    with open("/proc/sys/user/max_inotify_watches", "w") as file:
        file.write("100")
"""


def test_too_few_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 100 watches for 300 folders nothing is missed, and the person is told."""
    probe = ["unshare", "--user", "--map-root-user", "sh", "-c", "echo 100 > /proc/sys/user/max_inotify_watches"]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no user namespace can be made here")
    running = Daemon(config="poll_seconds = 0.5\n")
    (running.folder / "site").mkdir()
    (running.folder / "site/sitecustomize.py").write_text(FEW_WATCHES)
    monkeypatch.setenv("PYTHONPATH", f"{running.folder / 'site'}:{os.environ.get('PYTHONPATH', '')}")
    try:
        running.start()
        tree = write_tree(running.folder / "tree", {f"d{n}/x.txt": b"%d" % n for n in range(300)})
        with running.client() as client:
            client.add([tree])
            assert wait_for(lambda: any("no more watches" in note for note in client.status().notes), 10)
            write_tree(tree, {f"d{n}/new{n}.txt": b"n%d" % n for n in range(0, 300, 7)})
            write_tree(tree, {"d299/deep/er/new.txt": b"deep"})
            (tree / "d150").rename(tree / "renamed")
            shutil.rmtree(tree / "d200")
            assert settles(client, tree, seconds=60)
    finally:
        running.remove()


def test_followed_in_the_feed(daemon: Daemon) -> None:
    """`changes --follow` tells of a new file soon after it was written, and of what a person does."""
    tree = write_tree(daemon.folder / "tree", {"x.txt": b"x"})
    with daemon.client() as client, daemon.client() as other:
        client.add([tree])
        state = client.run(workcalls.changes(0))
        assert not state.resync
        follower = other.follow(state.last, epoch=state.epoch)
        write_tree(tree, {"new.mp3": SONG})
        seen = []
        while not seen or seen[-1].action != "read":
            seen += next(follower).changes
        assert [each.action for each in seen] == ["added", "read"]
        client.run(workcalls.tag([tree / "new.mp3"], add=["fresh"]))
        while seen[-1].action != "tagged":
            seen += next(follower).changes
        numbers = [each.seq for each in seen]
        assert numbers == sorted(numbers) and numbers[0] == state.last + 1


def test_a_volume_goes_and_comes_back(daemon: Daemon) -> None:
    """A file system unmounted: its root is away, not lost; mounted again, even elsewhere, its files are back."""
    image = daemon.folder / "disk.img"
    one, two = daemon.folder / "one", daemon.folder / "two"
    one.mkdir()
    two.mkdir()
    made = subprocess.run(["mkfs.ext4", "-q", "-F", str(image), "8M"], capture_output=True, check=False) \
        if shutil.which("mkfs.ext4") else None  # fmt: skip
    if made is None or made.returncode or subprocess.run(["mount", "-o", "loop", str(image), str(one)],
                                                        capture_output=True, check=False).returncode:  # fmt: skip
        pytest.skip("no loop mount can be made here")
    mounted = one
    try:
        write_tree(one, {"music/a.mp3": SONG, "music/b.txt": b"b" * 5000})
        with daemon.client() as client:
            client.add([one])
            item = tagged(client, one / "music/a.mp3")
            time.sleep(0.2)
            unmount(one)
            mounted = None  # type: ignore[assignment]
            assert wait_for(lambda: client.roots()[0].state == "away", 20)
            assert client.status().missing == 0
            subprocess.run(["mount", "-o", "loop", str(image), str(two)], check=True)
            mounted = two
            assert wait_for(lambda: client.roots()[0].state == "active", 20)
            assert wait_for(lambda: item_of_or_none(client, two / "music/a.mp3") == item, 20)
            write_tree(two, {"music/new.txt": b"new"})
            assert wait_for(lambda: item_of_or_none(client, two / "music/new.txt") is not None, 20)
            unmount(two)
            mounted = None  # type: ignore[assignment]
    finally:
        if mounted is not None:
            subprocess.run(["umount", "-l", str(mounted)], check=False)


def item_of_or_none(client: Client, path: Path) -> uuid.UUID | None:
    item = client.get(path)[0].item
    return item.id if item is not None else None


def unmount(where: Path) -> None:
    """As a person does: again until nothing reads from it any more."""
    for _ in range(100):
        if subprocess.run(["umount", str(where)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.5)
    raise AssertionError(f"{where} stays busy: {sys.platform}")
