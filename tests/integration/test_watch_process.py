"""mediad.workers.watch as a process on real trees: nothing that happens goes unnoticed, and little is said twice."""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest

SEEDS = int(os.environ.get("WATCH_SEEDS", "8"))
PATIENCE = 30.0  # seconds; no test is about speed
QUIET = 0.05
EXCLUDE = ["*.part", ".cache", "private/*"]

Message = dict[str, Any]


class Client:
    """The daemon's end: a watcher process, what it said."""

    def __init__(self, prefix: list[str] | None = None) -> None:
        self.socket, other = socket.socketpair()
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        command = [*(prefix or []), sys.executable, "-m", "mediad.workers.watch"]
        self.process = subprocess.Popen(command, stdin=other, start_new_session=True)
        other.close()
        self.bytes = 0

    def tell(self, **message: Any) -> None:
        self.socket.sendall(msgpack.packb(message, use_bin_type=True))

    def next(self, timeout: float = PATIENCE) -> Message | None:
        """The next message; None when none comes in time."""
        until = time.monotonic() + timeout
        while True:
            for message in self.unpacker:
                return dict(message)
            self.socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                data = self.socket.recv(1 << 16)
            except TimeoutError:
                return None
            assert data, "the watcher ended"
            self.unpacker.feed(data)
            self.bytes += len(data)

    def until(self, enough: Callable[[list[Message]], bool]) -> list[Message]:
        """All messages up to the moment at which they are enough."""
        messages: list[Message] = []
        until = time.monotonic() + PATIENCE
        while not enough(messages):
            message = self.next(max(0.01, until - time.monotonic()))
            assert message is not None, f"it said no more than {messages}"
            messages.append(message)
        return messages

    def quiet(self, seconds: float = 0.5) -> list[Message]:
        """All messages until there is none for some time."""
        messages = []
        while (message := self.next(seconds)) is not None:
            messages.append(message)
        return messages

    def root(self, number: int, top: Path, only: bytes = b"", exclude: list[str] | None = None) -> Message:
        self.tell(op="root", root=number, top=os.fsencode(top), only=only, exclude=exclude or [])
        return self.until(lambda seen: bool(seen) and "watching" in seen[-1])[-1]

    def end(self) -> int:
        self.socket.close()
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    assert made.end() == 0


def dirty(messages: list[Message]) -> list[list[Any]]:
    return [entry for message in messages for entry in message.get("dirty", [])]


def moved(messages: list[Message]) -> list[list[Any]]:
    return [entry for message in messages for entry in message.get("moved", [])]


def covers(messages: list[Message], path: bytes, root: int = 1) -> bool:
    """Whether the folder would be walked."""
    return any(
        entry[0] == root and (entry[1] == path or (entry[2] and (not entry[1] or path.startswith(entry[1] + b"/"))))
        for entry in dirty(messages)
    )


def said(path: bytes, root: int = 1) -> Callable[[list[Message]], bool]:
    return lambda messages: covers(messages, path, root)


def closed(path: bytes) -> Callable[[list[Message]], bool]:
    """Enough when the folder was last said to have nobody writing in it."""

    def enough(messages: list[Message]) -> bool:
        entries = [entry for entry in dirty(messages) if entry[1] == path]
        return bool(entries) and not entries[-1][3]

    return enough


def exchange(one: Path, two: Path) -> None:
    """renameat2(2) with RENAME_EXCHANGE."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(two), 2) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def test_create_write_rename_remove_and_chmod_of_a_file(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    assert client.root(1, tmp_path) == {"root": 1, "watching": 4, "unwatched": 0}
    (tmp_path / "a/b/file").write_bytes(b"content")
    assert {tuple(entry[:3]) for entry in dirty(client.until(closed(b"a/b")))} == {(1, b"a/b", False)}
    (tmp_path / "a/b/file").chmod(0o600)
    client.until(closed(b"a/b"))
    with open(tmp_path / "a/b/file", "r+b") as file:
        file.write(b"other")
    client.until(closed(b"a/b"))
    os.utime(tmp_path / "a/b/file", (1, 1))
    client.until(closed(b"a/b"))
    (tmp_path / "a/b/file").rename(tmp_path / "c/file")
    messages = client.until(lambda seen: covers(seen, b"a/b") and covers(seen, b"c"))
    assert not moved(messages)
    (tmp_path / "c/file").unlink()
    assert [entry[1:] for entry in dirty(client.until(said(b"c")))] == [[b"c", False, []]]


def test_reading_is_no_change(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    client.root(1, tmp_path)
    (tmp_path / "file").read_bytes()
    list(tmp_path.iterdir())
    assert client.quiet(0.3) == []


def test_links_and_special_files_are_not_busy(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a/file").write_bytes(b"x")
    client.root(1, tmp_path)
    os.link(tmp_path / "a/file", tmp_path / "b/link")
    messages = client.until(said(b"b"))
    messages += client.quiet(QUIET * 4)
    assert covers(messages, b"b")
    os.symlink("nowhere", tmp_path / "b/symbolic")
    os.mkfifo(tmp_path / "b/fifo")
    messages += client.until(said(b"b"))
    messages += client.quiet(QUIET * 4)
    assert all(entry[3] == [] for entry in dirty(messages))


def test_a_renamed_folder_keeps_its_watches(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a/deep/deeper").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    client.root(1, tmp_path)
    (tmp_path / "a/deep/file").write_bytes(b"x")
    (tmp_path / "a").rename(tmp_path / "b/new")
    messages = client.until(lambda seen: covers(seen, b"") and covers(seen, b"b") and covers(seen, b"b/new/deep"))
    kinds = [next(iter(message)) for message in messages]
    assert moved(messages) == [[1, b"a", 1, b"b/new"]]
    assert kinds.index("moved") < kinds.index("dirty")
    assert not covers(messages, b"a/deep")
    (tmp_path / "b/new/deep/deeper/file").write_bytes(b"x")
    assert dirty(client.until(closed(b"b/new/deep/deeper")))[-1][:3] == [1, b"b/new/deep/deeper", False]


def test_folders_that_change_places(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a/of-a").mkdir(parents=True)
    (tmp_path / "b/of-b").mkdir(parents=True)
    client.root(1, tmp_path)
    try:
        exchange(tmp_path / "a", tmp_path / "b")
    except OSError as error:
        pytest.skip(f"no RENAME_EXCHANGE here: {error}")
    client.until(said(b""))
    client.quiet(0.3)
    (tmp_path / "a/of-b/file").write_bytes(b"x")
    (tmp_path / "b/of-a/file").write_bytes(b"x")
    client.until(lambda seen: covers(seen, b"a/of-b") and covers(seen, b"b/of-a"))


def test_a_folder_moved_in_and_out_again(client: Client, tmp_path: Path) -> None:
    top, outside = tmp_path / "top", tmp_path / "outside"
    top.mkdir()
    (outside / "tree/below").mkdir(parents=True)
    client.root(1, top)
    (outside / "tree").rename(top / "in")
    messages = client.until(said(b"in/below"))
    assert [1, b"in", True, []] in dirty(messages)
    assert not moved(messages)
    (top / "in/below/file").write_bytes(b"x")
    client.until(closed(b"in/below"))
    (top / "in").rename(outside / "tree")
    client.until(said(b""))
    (outside / "tree/below/other").write_bytes(b"x")
    assert client.quiet() == []
    assert client.root(2, outside)["watching"] == 3


def test_a_tree_is_deleted(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/b/c/file").write_bytes(b"x")
    client.root(1, tmp_path)
    shutil.rmtree(tmp_path / "a")
    messages = client.until(said(b""))
    messages += client.quiet(0.3)
    assert messages[-1]["dirty"][-1] == [1, b"", False, []]
    (tmp_path / "a").mkdir()
    assert [1, b"a", True, []] in dirty(client.until(said(b"a")))


def test_a_new_tree_is_missed_nowhere(client: Client, tmp_path: Path) -> None:
    client.root(1, tmp_path)
    made = []
    for number in range(40):
        path = f"t{number}/" + "/".join(f"d{level}" for level in range(number % 9))
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "file").write_bytes(b"x")
        made.append(os.fsencode(path.rstrip("/")))
    client.until(lambda seen: all(covers(seen, path) for path in made))
    client.quiet(0.3)
    for path in made:
        (tmp_path / os.fsdecode(path) / "later").write_bytes(b"x")
    messages = client.until(lambda seen: all(covers(seen, path) for path in made))
    assert not any(entry[2] for entry in dirty(messages))


def test_what_is_excluded_is_silent(client: Client, tmp_path: Path) -> None:
    for name in (".cache", "private/a", "open/.cache"):
        (tmp_path / name).mkdir(parents=True)
    assert client.root(1, tmp_path, exclude=EXCLUDE)["watching"] == 3
    for name in (".cache/x", "private/a/x", "open/.cache/x", "open/x.part"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "private/new").mkdir()
    assert client.quiet() == []
    (tmp_path / "open/x.part").rename(tmp_path / "open/x")
    assert [1, b"open", False, []] in dirty(client.until(said(b"open")))


def test_a_rename_changes_what_is_excluded(client: Client, tmp_path: Path) -> None:
    (tmp_path / "private/a/b").mkdir(parents=True)
    (tmp_path / "open/a").mkdir(parents=True)
    assert client.root(1, tmp_path, exclude=EXCLUDE)["watching"] == 4
    (tmp_path / "private").rename(tmp_path / "public")
    client.until(said(b"public/a"))
    (tmp_path / "open").rename(tmp_path / "private")
    client.until(said(b""))
    client.quiet(0.3)
    (tmp_path / "private/a/x").write_bytes(b"x")
    (tmp_path / "public/a/b/x").write_bytes(b"x")
    messages = client.until(closed(b"public/a/b"))
    assert not covers(messages + client.quiet(0.3), b"private/a")


def test_a_root_of_one_file(client: Client, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    assert client.root(1, tmp_path, only=b"one") == {"root": 1, "watching": 1, "unwatched": 0}
    (tmp_path / "other").write_bytes(b"x")
    (tmp_path / "below/one").write_bytes(b"x")
    (tmp_path / "new").mkdir()
    assert client.quiet() == []
    (tmp_path / "one").write_bytes(b"x")
    assert dirty(client.until(closed(b"")))[-1] == [1, b"", False, []]


def test_two_roots_one_inside_the_other(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    assert client.root(1, tmp_path)["watching"] == 4
    assert client.root(2, tmp_path / "a")["watching"] == 3
    (tmp_path / "a/b/c/x").write_bytes(b"x")
    client.until(lambda seen: covers(seen, b"a/b/c", 1) and covers(seen, b"b/c", 2))
    (tmp_path / "a/b").rename(tmp_path / "a/d")
    messages = client.until(lambda seen: covers(seen, b"a", 1) and covers(seen, b"", 2))
    assert sorted(moved(messages)) == [[1, b"a/b", 1, b"a/d"], [2, b"b", 2, b"d"]]
    (tmp_path / "a/d").rename(tmp_path / "e")
    messages = client.until(lambda seen: covers(seen, b"", 1) and covers(seen, b"", 2))
    assert moved(messages) == [[1, b"a/d", 1, b"e"]]
    client.tell(op="drop", root=2)
    client.quiet(0.2)
    (tmp_path / "a/x").write_bytes(b"x")
    messages = client.until(said(b"a")) + client.quiet(0.3)
    assert {entry[0] for entry in dirty(messages)} == {1}


def test_a_folder_goes_from_root_to_root(client: Client, tmp_path: Path) -> None:
    (tmp_path / "one/a/b").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    client.root(1, tmp_path / "one")
    client.root(2, tmp_path / "two")
    (tmp_path / "one/a").rename(tmp_path / "two/z")
    messages = client.until(lambda seen: covers(seen, b"", 1) and covers(seen, b"z", 2))
    assert moved(messages) == [[1, b"a", 2, b"z"]]
    (tmp_path / "two/z/b/x").write_bytes(b"x")
    client.until(said(b"z/b", 2))


def test_names_that_are_no_utf8(client: Client, tmp_path: Path) -> None:
    name = b"\xff\xfe\x80 folder"
    os.mkdir(os.path.join(os.fsencode(tmp_path), name))
    client.root(1, tmp_path)
    with open(os.path.join(os.fsencode(tmp_path), name, b"\xc3("), "wb"):
        pass
    client.until(closed(name))
    os.mkdir(os.path.join(os.fsencode(tmp_path), name, b"\xa0"))
    client.until(said(name + b"/\xa0"))


def test_a_burst_is_few_reports(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    client.root(1, tmp_path)
    for number in range(3000):
        (tmp_path / "a" / f"f{number}").write_bytes(b"x")
    messages = client.until(closed(b"a"))
    messages += client.quiet()
    assert {entry[1] for entry in dirty(messages)} == {b"a"}
    assert dirty(messages)[-1] == [1, b"a", False, []]
    assert len(messages) < 100
    assert client.bytes < 10_000 + 300 * 100


def test_a_file_that_stays_open_is_busy_until_it_is_closed(client: Client, tmp_path: Path) -> None:
    client.tell(op="settle", quiet=0.02, longest=0.2, poll=30.0)
    (tmp_path / "film").write_bytes(b"")
    client.root(1, tmp_path)
    with open(tmp_path / "film", "r+b", buffering=0) as file:
        messages: list[Message] = []
        until = time.monotonic() + PATIENCE
        while not messages and time.monotonic() < until:
            file.write(b"x" * 1000)
            if (message := client.next(0.02)) is not None:
                messages.append(message)
        assert dirty(messages) == [[1, b"", False, [b"film"]]]
        for _ in range(20):  # once each time
            file.write(b"x")
            assert client.next(0.02) is None
        messages = client.until(bool)  # nobody writes: it is quiet now
        assert dirty(messages) == [[1, b"", False, []]]
        file.write(b"x")
    assert dirty(client.until(closed(b"")))[-1] == [1, b"", False, []]
    assert client.quiet() == []


def test_a_new_file_is_busy_under_its_next_name_too(client: Client, tmp_path: Path) -> None:
    client.root(1, tmp_path)
    with open(tmp_path / "first", "wb", buffering=0) as file:
        file.write(b"x")
        assert dirty(client.until(said(b"")))[-1][3] == [b"first"]
        (tmp_path / "first").rename(tmp_path / "second")
        assert dirty(client.until(said(b"")))[-1][3] == [b"second"]
    assert dirty(client.until(said(b"")))[-1][3] == []


def test_many_busy_names_come_in_several_messages(client: Client, tmp_path: Path) -> None:
    client.root(1, tmp_path)
    count = 700
    files = [os.open(tmp_path / f"{number:0200}", os.O_WRONLY | os.O_CREAT) for number in range(count)]
    try:
        seen: set[bytes] = set()
        until = time.monotonic() + PATIENCE
        while len(seen) < count and time.monotonic() < until:
            message = client.next()
            assert message is not None
            assert len(msgpack.packb(message)) < 1 << 16
            seen.update(name for entry in dirty([message]) for name in entry[3])
        assert len(seen) == count
    finally:
        for file in files:
            os.close(file)


def test_an_overflow_is_said_and_nothing_is_forgotten(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a/old").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    client.root(1, tmp_path)
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if queue > 200_000:
        pytest.skip(f"the queue of {queue} events takes too long to fill")
    os.kill(client.process.pid, signal.SIGSTOP)
    try:
        for number in range(queue // 2 + 100):  # two names in turn: equal events would be merged
            os.utime(tmp_path / "a", (number, number))
            (tmp_path / "b" / f"{number % 2}").touch()
        (tmp_path / "b/new/below").mkdir(parents=True)
        shutil.rmtree(tmp_path / "a/old")
        (tmp_path / "a").rename(tmp_path / "z")
    finally:
        os.kill(client.process.pid, signal.SIGCONT)
    client.until(lambda seen: any("overflow" in message for message in seen))
    client.quiet(0.3)
    for name in ("b/new/below", "z", "b/new"):
        (tmp_path / name / "file").write_bytes(b"x")
        client.until(closed(os.fsencode(name)))


def test_the_top_goes(client: Client, tmp_path: Path) -> None:
    for name in ("renamed/a", "removed", "kept/a"):
        (tmp_path / name).mkdir(parents=True)
    for number, name in enumerate(("renamed", "removed", "kept")):
        client.root(number, tmp_path / name)
    (tmp_path / "renamed").rename(tmp_path / "elsewhere")
    client.until(lambda seen: {"gone": 0} in seen)
    (tmp_path / "removed").rmdir()
    client.until(lambda seen: {"gone": 1} in seen)
    (tmp_path / "elsewhere/a/x").write_bytes(b"x")
    (tmp_path / "kept/a/x").write_bytes(b"x")
    messages = client.until(lambda seen: covers(seen, b"a", 2)) + client.quiet(0.3)
    assert {entry[0] for entry in dirty(messages)} == {2}
    assert client.root(5, tmp_path / "nowhere") == {"root": 5, "watching": 0, "unwatched": 0}
    client.until(lambda seen: {"gone": 5} in seen)


def test_a_path_longer_than_a_system_call_takes(client: Client, tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_PATH)
    name = "n" * 200
    for _ in range(50):
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_PATH, dir_fd=fd)
        os.close(fd)
        fd = below
    try:
        assert client.root(1, tmp_path)["watching"] == 51
        os.close(os.open("file", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=fd))
        client.until(said(b"/".join([name.encode()] * 50)))
        os.mkdir("more", dir_fd=fd)
        client.until(said(b"/".join([*[name.encode()] * 50, b"more"])))
    finally:
        os.close(fd)
        subprocess.run(["rm", "-rf", str(tmp_path / name)], check=True)


def test_a_folder_that_is_opened_by_chmod(tmp_path: Path) -> None:
    (tmp_path / "shut/a").mkdir(parents=True)
    prefix = []
    if os.getuid() == 0:  # in a user namespace that knows no users root has no privileges
        prefix = ["unshare", "--user"]
        done = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"root may enter every folder, and there is no user namespace: {done.stderr.strip()}")
    client = Client(prefix)
    (tmp_path / "shut").chmod(0)
    try:
        assert client.root(1, tmp_path) == {"root": 1, "watching": 1, "unwatched": 0}
    finally:
        (tmp_path / "shut").chmod(0o700)
    client.until(said(b"shut/a"))
    (tmp_path / "shut/a/file").write_bytes(b"x")
    client.until(closed(b"shut/a"))
    assert client.end() == 0


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="only root mounts")
def test_mounts_are_told_and_not_entered(tmp_path: Path) -> None:
    namespace = ["unshare", "--mount"]
    done = subprocess.run(
        [*namespace, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("nothing can be mounted here")
    (tmp_path / "covered/below").mkdir(parents=True)
    (tmp_path / "top").mkdir()
    client = Client(namespace)

    def there(*command: str) -> None:
        subprocess.run(["nsenter", "--target", str(client.process.pid), "--mount", *command], check=True)

    assert client.root(1, tmp_path)["watching"] == 4
    there("mount", "-t", "tmpfs", "tmpfs", str(tmp_path / "top"))
    there("mount", "-t", "tmpfs", "tmpfs", str(tmp_path / "covered"))
    client.until(lambda seen: {"mounts": True} in seen)
    assert client.root(1, tmp_path)["watching"] == 1
    assert client.root(2, tmp_path / "top")["watching"] == 1
    there("touch", str(tmp_path / "covered/file"), str(tmp_path / "top/file"))
    messages = client.until(lambda seen: covers(seen, b"", 2)) + client.quiet(0.3)
    assert {entry[0] for entry in dirty(messages)} == {2}
    there("umount", str(tmp_path / "top"))
    client.until(lambda seen: {"mounts": True} in seen and {"gone": 2} in seen)
    there("umount", str(tmp_path / "covered"))
    client.until(said(b"covered/below"))
    (tmp_path / "covered/below/file").write_bytes(b"x")
    client.until(closed(b"covered/below"))
    assert client.end() == 0


NAMESPACE = ["unshare", "--user", "--map-root-user", "sh", "-c",
             'echo "$0" > /proc/sys/user/max_inotify_watches && exec "$@"']  # fmt: skip


def few_watches(count: int) -> Client:
    """A watcher whose user namespace has no more watches than that."""
    command = [*NAMESPACE, str(count)]
    done = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no user namespace with a limit of its own: {done.stderr.strip()}")
    return Client(command)


def test_without_enough_watches_the_rest_is_polled(tmp_path: Path) -> None:
    for number in range(150):
        (tmp_path / f"d{number}").mkdir()
    client = few_watches(100)
    try:
        client.tell(op="settle", quiet=0.05, longest=1.0, poll=0.3)
        assert client.root(1, tmp_path) == {"root": 1, "watching": 100, "unwatched": 51}
        limit = next(m["limit"] for m in client.until(lambda seen: any("limit" in m for m in seen)) if "limit" in m)
        assert (limit["watched"], limit["unwatched"]) == (100, 51)
        assert limit["limit"] == int(Path("/proc/sys/fs/inotify/max_user_watches").read_text())
        made = []
        for number in range(150):
            (tmp_path / f"d{number}" / "file").write_bytes(b"x")
            made.append(b"d%d" % number)
        client.until(lambda seen: all(covers(seen, path) for path in made))
        for number in range(150):
            (tmp_path / f"d{number}/new/newer").mkdir(parents=True)
        client.until(lambda seen: all(covers(seen, path + b"/new/newer") for path in made))
        for number in range(140):
            shutil.rmtree(tmp_path / f"d{number}")
        client.until(lambda seen: any("limit" in m and m["limit"]["unwatched"] == 0 for m in seen))
        client.quiet()
        client.tell(op="settle", poll=3600.0)
        for number in range(140, 150):  # watches again: nobody polls
            (tmp_path / f"d{number}/new/newer/file").write_bytes(b"x")
        client.until(lambda seen: all(covers(seen, path + b"/new/newer") for path in made[140:]))
    finally:
        assert client.end() == 0


def switches(process: int) -> list[str]:
    return [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if "ctxt" in line]


def test_when_nothing_happens_it_sleeps(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    client.root(1, tmp_path)
    (tmp_path / "a/b/x").write_bytes(b"x")
    client.until(closed(b"a/b"))
    client.quiet(0.5)
    before = switches(client.process.pid)
    time.sleep(2)
    assert switches(client.process.pid) == before


def test_while_nobody_reads_it_gathers(client: Client, tmp_path: Path) -> None:
    """The daemon may be slow: what is not read yet is neither lost nor said again and again."""
    client.tell(op="settle", quiet=0.001, longest=0.002, poll=30.0)
    for number in range(300):
        (tmp_path / f"{number:0100}").mkdir()
    client.root(1, tmp_path)
    for turn in range(30):
        for number in range(300):
            (tmp_path / f"{number:0100}" / f"{turn}").touch()
    messages = client.until(closed(b"%0100d" % 299)) + client.quiet()
    assert all(covers(messages, b"%0100d" % number) for number in range(300))
    assert [entry[3] for entry in dirty(messages) if entry[1] == b"%0100d" % 299][-1] == []


# ---------------------------------------------------------------- random lives of a tree


class Mirror:
    """What somebody knows of a tree who looks at nothing but the folders that the watcher names."""

    def __init__(self, top: Path) -> None:
        self.top = os.fsencode(top)
        self.known: dict[bytes, Any] = {}
        self.walk(b"", deep=True)

    def walk(self, path: bytes, deep: bool) -> None:
        names, below = [], []
        try:
            with os.scandir(os.path.join(self.top, path)) as listing:
                for item in listing:
                    if item.is_dir(follow_symlinks=False):
                        below.append(item.name)
                    else:
                        info = item.stat(follow_symlinks=False)
                        # not the count of links: a change by another name is an event of that name's folder only
                        names.append((item.name, info.st_ino, info.st_size, info.st_mode))
        except (FileNotFoundError, NotADirectoryError):
            self.lose(path)
            return
        self.known[path] = sorted(names)
        prefix = path + b"/" if path else b""
        for old in list(self.known):
            if old != path and old.startswith(prefix) and old[len(prefix) :].split(b"/")[0] not in below:
                del self.known[old]
        if deep:
            for name in below:
                self.walk(prefix + name, deep)

    def lose(self, path: bytes) -> None:
        for old in list(self.known):
            if old == path or old.startswith(path + b"/"):
                del self.known[old]

    def hear(self, messages: list[Message], number: int) -> None:
        """All that was said since the last time. Walks come last: one that overtakes a notice knows too much."""
        todo: list[tuple[bytes, bool]] = []
        for message in messages:
            for root, old, root2, new in message.get("moved", []):
                if root != root2:  # all of it is said to be deep over there
                    for path in [path for there, path in ((root, old), (root2, new)) if there == number]:
                        self.lose(path)
                elif root == number:
                    self.lose(new)
                    if any(deep and _below(old, path) for path, deep in todo):  # it was going to be walked there
                        todo.append((old, True))
                    self.known = {_renamed(path, old, new): names for path, names in self.known.items()}
                    todo = [(_renamed(path, old, new), deep) for path, deep in todo]
            if "overflow" in message:
                todo = [(b"", True)]
            todo += [(path, deep) for root, path, deep, _busy in message.get("dirty", []) if root == number]
        for path, deep in todo:
            self.walk(path, deep)


def _below(path: bytes, folder: bytes) -> bool:
    return not folder or path == folder or path.startswith(folder + b"/")


def _renamed(path: bytes, old: bytes, new: bytes) -> bytes:
    return new + path[len(old) :] if _below(path, old) else path


def live(top: Path, outside: Path, chance: random.Random, steps: int) -> None:
    """Does what people do with folders, as fast as it can."""
    for step in range(steps):
        folders = [Path(path) for path, _, _ in os.walk(top)]
        files = [Path(path) / name for path, _, names in os.walk(top) for name in names]
        folder = chance.choice(folders)
        other = chance.choice(folders)
        kind = chance.randrange(12)
        try:
            if kind < 3:
                (folder / f"f{step}").write_bytes(b"x" * step)
            elif kind == 3:
                made = folder / f"d{step}" / "e" / "f"
                made.mkdir(parents=True)
                (made / "file").write_bytes(b"x")
                (made.parent / "file").write_bytes(b"x")
            elif kind == 4 and files:
                chance.choice(files).rename(other / f"r{step}")
            elif kind in (5, 6) and folder != top:
                folder.rename(other / f"m{step}")
            elif kind == 7 and folder != top:
                shutil.rmtree(folder)
            elif kind == 8 and folder != top:
                folder.rename(outside / f"o{step}")
            elif kind == 9:
                away = list(outside.iterdir())
                if away:
                    away[0].rename(folder / f"i{step}")
            elif kind == 10 and files:
                os.link(chance.choice(files), other / f"l{step}")
            elif kind == 11 and top not in (folder, other):
                exchange(folder, other)
        except OSError:  # a folder into itself, for example
            pass
        if chance.random() < 0.05:
            time.sleep(chance.choice([0.001, 0.02, 0.1]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_whoever_walks_what_it_names_knows_the_tree(client: Client, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    top, outside = tmp_path / "top", tmp_path / "outside"
    (top / "kept").mkdir(parents=True)
    outside.mkdir()
    live(top, outside, chance, 60)
    (top / "kept").mkdir(exist_ok=True)
    client.root(1, top)
    client.root(2, top / "kept")
    mirrors = {1: Mirror(top), 2: Mirror(top / "kept")}
    for _ in range(4):
        live(top, outside, chance, 80)
        messages = client.quiet(0.3)
        if {"gone": 2} in messages:
            mirrors.pop(2, None)
        for number, mirror in mirrors.items():
            mirror.hear(messages, number)
        for number, mirror in mirrors.items():
            assert mirror.known == Mirror(Path(os.fsdecode(mirror.top))).known, number
