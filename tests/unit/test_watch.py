"""The parts of mediad.workers.watch that need no process: events decoded, times kept, names and moves of folders."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediad.workers import settling, walk
from mediad.workers.foldertree import Node, Root
from mediad.workers.inotify import Inotify, decode
from mediad.workers.settling import Settle
from mediad.workers.watches import TRIES, Watches

NAME = st.binary(min_size=1, max_size=20).filter(lambda name: b"/" not in name and b"\0" not in name)
EVENT = st.tuples(st.integers(-1, 1 << 30), st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 32) - 1),
                  st.one_of(st.just(b""), NAME))  # fmt: skip


def encode(wd: int, mask: int, cookie: int, name: bytes) -> bytes:
    """As the kernel does it: the name is padded to a multiple of the structure's size."""
    room = (len(name) // 16 + 1) * 16 if name else 0
    return struct.pack("iIII", wd, mask, cookie, room) + name.ljust(room, b"\0")


@given(st.lists(EVENT, max_size=10))
def test_events_are_decoded(events: list[Any]) -> None:
    assert list(decode(b"".join(encode(*event) for event in events))) == events


@given(st.lists(st.sampled_from(["*.part", ".cache", "a/*", "*/b", "[x", "?", "a"]), max_size=3),
       st.lists(st.sampled_from(["a", "b", "x", ".cache", "f.part", "\udcff"]), min_size=1, max_size=3))  # fmt: skip
def test_what_is_excluded_is_what_the_walk_excludes(patterns: list[str], parts: list[str]) -> None:
    root = Root(1, b"/nowhere", b"", patterns)
    node: Node = root
    for part in parts[:-1]:
        node = Node(node, os.fsencode(part))
    walker = walk.Walk(b"/", b"", patterns, {})
    os.close(walker.top)
    name, names, paths = parts[-1], walker._names, walker._path_excluded
    left_out = (names.may_hold([name]) and names.holds(name)) or (paths is not None and bool(paths("/".join(parts))))
    assert root.excluded(node, os.fsencode(name)) == left_out


def tree() -> tuple[Root, Node, Node]:
    root = Root(1, b"/nowhere", b"", [])
    one = Node(root, b"one")
    return root, one, Node(one, b"two")


def entries(messages: list[dict[str, Any]]) -> list[list[Any]]:
    return [entry for message in messages for entry in message.get("dirty", [])]


def test_a_report_waits_for_quiet_and_no_longer_than_longest() -> None:
    settle = Settle()
    root, _, _ = tree()
    assert settle.due() is None
    settle.mark(root, 10.0)
    assert settle.due() == pytest.approx(10.05)
    for step in range(1, 30):
        settle.mark(root, 10.0 + step * 0.04)
    assert settle.due() == pytest.approx(11.0)
    assert not settle.ripe(10.99)
    assert settle.ripe(11.01)
    assert settle.take() == [{"dirty": [[1, b"", False, []]]}]
    assert settle.due() is None
    assert settle.take() == []


def test_paths_are_those_of_the_report() -> None:
    settle = Settle()
    root, one, two = tree()
    settle.mark(two, 0.0)
    one.name = b"new"
    settle.moved.append([1, b"one", 1, b"new"])
    settle.mark(root, 0.0)
    assert settle.take() == [
        {"moved": [[1, b"one", 1, b"new"]]},
        {"dirty": [[1, b"new/two", False, []], [1, b"", False, []]]},
    ]


def test_a_deep_folder_stands_for_those_below_unless_they_are_busy() -> None:
    settle = Settle()
    _, one, two = tree()
    settle.mark(two, 0.0)
    settle.mark(one, 0.0, deep=True)
    settle.mark(one, 0.0)
    assert entries(settle.take()) == [[1, b"one", True, []]]
    settle.write(two, b"x", 0.0)
    settle.mark(two, 0.0)
    settle.mark(one, 0.0, deep=True)
    assert entries(settle.take()) == [[1, b"one/two", False, [b"x"]], [1, b"one", True, []]]


def test_writing_alone_is_reported_late_and_once() -> None:
    settle = Settle()
    _, one, _ = tree()
    settle.write(one, b"x", 0.0)
    assert settle.due() == pytest.approx(2.0)
    settle.write(one, b"x", 1.9)
    settle.expire(1.95)
    assert settle.take() == []
    settle.expire(2.0)
    assert entries(settle.take()) == [[1, b"one", False, [b"x"]]]
    settle.write(one, b"x", 3.0)
    settle.expire(4.9)
    assert settle.take() == []
    assert settle.due() == pytest.approx(5.0)
    settle.expire(5.0)
    assert entries(settle.take()) == [[1, b"one", False, []]]
    assert settle.due() is None


def test_a_closed_file_is_busy_no_more() -> None:
    settle = Settle()
    _, one, _ = tree()
    settle.write(one, b"x", 0.0, made=True)
    settle.write(one, b"y", 0.0)
    assert settle.close(one, b"x") is not None
    assert settle.close(one, b"x") is None
    settle.mark(one, 0.0)
    assert entries(settle.take()) == [[1, b"one", False, [b"y"]]]
    settle.drop(one)
    assert settle.due() is None


def test_a_postponed_report_comes_all_the_same() -> None:
    settle = Settle()
    root, _, _ = tree()
    settle.mark(root, 0.0)
    settle.postpone(2.0)
    assert not settle.ripe(1.99)
    assert settle.ripe(2.0)


def test_messages_are_small() -> None:
    settle = Settle()
    root, _, _ = tree()
    for number in range(5000):
        settle.mark(Node(root, b"%060d" % number), 0.0)
    settle.moved = [[1, b"a" * 300, 1, b"b" * 300] for _ in range(500)]
    messages = settle.take()
    assert len(messages) > 7
    assert len(entries(messages)) == 5000
    assert all(sum(map(settling._size, next(iter(message.values())))) <= settling.MESSAGE_BYTES for message in messages)


@pytest.fixture
def watches() -> Any:
    inotify = Inotify()
    yield Watches(inotify, Settle())
    os.close(inotify.fd)


def wanted(folder: Path, number: int = 1) -> Root:
    return Root(number, os.fsencode(folder), b"", [])


def test_a_rename_changes_one_folder_and_no_watch(watches: Watches, tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "z").mkdir()
    root = wanted(tmp_path)
    assert watches.add_root(root, 0.0) == (5, 0)
    assert root.below is not None
    one, there = root.below[b"a"], root.below[b"z"]
    before = dict(watches.by_wd)
    (tmp_path / "a").rename(tmp_path / "z/new")
    watches.move(one, there, b"new", 0.0)
    assert watches.by_wd == before
    paths = {node.path() for wd in before for node in watches.nodes(wd)}
    assert paths == {b"", b"z", b"z/new", b"z/new/b", b"z/new/b/c"}
    assert list(root.below) == [b"z"]


def test_two_roots_share_a_watch_until_the_last_goes(watches: Watches, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    watches.add_root(wanted(tmp_path, 1), 0.0)
    assert watches.add_root(wanted(tmp_path / "a", 2), 0.0) == (2, 0)
    assert len(watches.by_wd) == 3
    watches.drop_root(1)
    assert len(watches.by_wd) == 2
    watches.drop_root(2)
    assert not watches.by_wd
    assert not watches.unwatched


def test_a_link_to_a_folder_is_not_entered(watches: Watches, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    assert watches.add_root(wanted(tmp_path), 0.0) == (2, 0)


def test_without_watches_folders_are_polled_by_their_time(
    watches: Watches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "a", tmp_path / "a/b"):
        os.utime(folder, (1000, 1000))
    real = watches.inotify.add

    def none_left(folder: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watches.inotify, "add", none_left)
    root = wanted(tmp_path)
    assert watches.add_root(root, 0.0) == (0, 3)
    for node in list(watches.unwatched):
        watches.look(node, 1.0)
    assert watches.settle.take() == []
    (tmp_path / "a/new").mkdir()
    for node in list(watches.unwatched):
        watches.look(node, 2.0)
    assert sorted(entries(watches.settle.take())) == [[1, b"a", False, []], [1, b"a/new", True, []]]
    monkeypatch.setattr(watches.inotify, "add", real)
    watches.promote(3.0)
    assert not watches.unwatched
    assert len(watches.by_wd) == 4


def test_a_folder_that_is_not_there_is_given_up(watches: Watches, tmp_path: Path) -> None:
    root = wanted(tmp_path)
    watches.add_root(root, 0.0)
    watches.arrive(root, b"phantom", 1.0)
    for turn in range(TRIES + 1):
        assert watches.lost, turn
        watches.search(2.0 + turn)
    assert not watches.lost
    assert root.below is None


def test_a_folder_that_turns_up_later_is_watched(watches: Watches, tmp_path: Path) -> None:
    root = wanted(tmp_path)
    watches.add_root(root, 0.0)
    watches.arrive(root, b"late", 1.0)
    (tmp_path / "late/below").mkdir(parents=True)
    watches.search(2.0)
    assert not watches.lost
    assert len(watches.by_wd) == 3
