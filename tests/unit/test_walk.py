"""mediad.workers.walk on real folders: its digests, its parts, what it leaves out, what it misses."""

from __future__ import annotations

import fnmatch
import itertools
import os
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediad.workers import walk as module
from mediad.workers.excludes import Names
from mediad.workers.walk import BATCH_NAMES, Entry, Listing, Walk
from tests.daemon import write_tree

NAME = st.binary(min_size=1, max_size=6).filter(lambda name: b"/" not in name and b"\0" not in name)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
SMALL = st.integers(0, 3)
ENTRY = st.tuples(NAME, st.sampled_from("flpscb"), st.one_of(SMALL, INT64), SMALL, SMALL, SMALL, SMALL, SMALL,
                  st.none())  # fmt: skip
LISTING = st.tuples(
    SMALL,
    st.lists(ENTRY, max_size=5, unique_by=lambda entry: entry[0]).map(sorted),
    st.lists(st.tuples(NAME, SMALL), max_size=4, unique_by=lambda pair: pair[0]).map(sorted),
)


FORMATS = {"f": stat.S_IFREG, "l": stat.S_IFLNK, "p": stat.S_IFIFO, "s": stat.S_IFSOCK, "c": stat.S_IFCHR,
           "b": stat.S_IFBLK}  # fmt: skip


def compared(listing: tuple[int, list[Entry], list[tuple[bytes, int]]]) -> Any:
    """What a comparison with the store would look at: all but a link's target, which changes the ctime, and the numbers
    of folders, which have digests of their own."""
    inode, entries, below = listing
    return inode, [entry[:8] for entry in entries], [name for name, _inode in below]


def digest(inode: int, entries: list[Entry], below: list[tuple[bytes, int]]) -> bytes:
    found = Listing(inode, None)
    found.seen = [
        (os.fsdecode(name), (FORMATS[kind] | mode, size, mtime, ctime, number, nlink))
        for name, kind, size, mtime, ctime, number, mode, nlink, _target in entries
    ]
    found.below = below
    assert found.entries() == [(*entry[:8], None) for entry in entries]
    return found.digest()


@settings(max_examples=500)
@given(LISTING, LISTING)
def test_equal_digests_mean_equal_listings(one: Any, two: Any) -> None:
    assert (digest(*one) == digest(*two)) == (compared(one) == compared(two))


@given(LISTING, st.data())
def test_one_changed_number_changes_the_digest(listing: Any, data: st.DataObject) -> None:
    inode, entries, below = listing
    if not entries:
        return
    at = data.draw(st.integers(0, len(entries) - 1))
    column = data.draw(st.sampled_from([2, 3, 4, 5, 6, 7]))
    changed = [list(entry) for entry in entries]
    changed[at][column] = entries[at][column] ^ 1
    assert digest(inode, [tuple(entry) for entry in changed], below) != digest(inode, entries, below)


PATTERN = st.text("ab.*?[]-", min_size=1, max_size=5)


@settings(max_examples=1000)
@given(st.lists(PATTERN, max_size=4), st.lists(st.text("ab.-[", min_size=1, max_size=5), max_size=4))
def test_names_match_as_the_shells_do(patterns: list[str], names: list[str]) -> None:
    excluded = Names(patterns)
    for name in names:
        assert excluded.holds(name) == any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    if any(map(excluded.holds, names)):
        assert excluded.may_hold(names)


def run(
    top: Path,
    *,
    known: dict[bytes, Any] | None = None,
    only: bytes = b"",
    exclude: tuple[str, ...] = (),
    dirs: list[list[Any]] | None = None,
    quick: bool = False,
) -> Walk:
    walk = Walk(os.fsencode(top), only, list(exclude), dict(known or {}), quick=quick)
    walk.parts = list(walk.run(dirs))  # type: ignore[attr-defined]
    walk.close()
    return walk


def parts(walk: Walk) -> list[Any]:
    return walk.parts  # type: ignore[attr-defined,no-any-return]


def digests(walk: Walk) -> dict[bytes, Any]:
    """What the store would know: digest, inode and mtime of each folder."""
    return {part[0]: (part[1], part[6], part[7]) for part in parts(walk) if part[1] is not None}


def names(walk: Walk) -> set[bytes]:
    return {(part[0] + b"/" if part[0] else b"") + entry[0] for part in parts(walk) for entry in part[4] or ()}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "top", {"a/one.mp3": b"1", "a/two.mp3": b"2", "b/c/three": b"3", "zero": b""})


def test_an_unchanged_tree_sends_nothing(tree: Path) -> None:
    first = run(tree)
    assert names(first) == {b"a/one.mp3", b"a/two.mp3", b"b/c/three", b"zero"}
    assert digests(first).keys() == {b"", b"a", b"b", b"b/c"}
    again = run(tree, known=digests(first))
    assert parts(again) == [] and again.gone() == []
    assert (again.folders, again.names) == (first.folders, first.names) == (4, 4)


def _rewrite(path: Path, content: bytes, later_ns: int) -> None:
    stat = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + later_ns))


CHANGES = {
    "content": lambda top: (top / "a/one.mp3").write_bytes(b"longer"),
    "same size, other time": lambda top: os.utime(top / "a/one.mp3", ns=(1, 1)),
    "in place, size and time as before": lambda top: _rewrite(top / "a/one.mp3", b"9", 0),
    "in place, a time of the future": lambda top: _rewrite(top / "a/one.mp3", b"9", 10**18),
    "rights": lambda top: (top / "a/one.mp3").chmod(0o600),
    "link": lambda top: os.link(top / "a/one.mp3", top / "elsewhere"),
    "replaced": lambda top: (top / "new").write_bytes(b"1") and (top / "new").rename(top / "a/one.mp3"),
    "renamed": lambda top: (top / "a/one.mp3").rename(top / "a/uno.mp3"),
    "gone": lambda top: (top / "a/one.mp3").unlink(),
    "new": lambda top: (top / "a/new").write_bytes(b""),
    "new folder": lambda top: (top / "a/folder").mkdir(),
    "a link instead": lambda top: (
        (top / "a/one.mp3").unlink(), os.symlink("two.mp3", top / "a/one.mp3")),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen(tree: Path, change: str) -> None:
    known = digests(run(tree))
    CHANGES[change](tree)
    assert b"a" in {part[0] for part in parts(run(tree, known=known))}


def test_a_clock_that_jumps(tree: Path) -> None:
    """A quick walk trusts the time of a folder only when it lies in the past: after a jump back of the clock a change
    would bear a time that was there already."""
    for ahead in (10**12, 0):
        now = time.time_ns() + ahead
        os.utime(tree / "a", ns=(now, now))
        known = digests(run(tree))
        assert known[b"a"][2] is None
        (tree / "a/new").write_bytes(b"")
        os.utime(tree / "a", ns=(now, now))
        assert b"a" in {part[0] for part in parts(run(tree, known=known, quick=True))}
        (tree / "a/new").unlink()
    long_ago = time.time_ns() - 10**15
    for each in (tree, tree / "a", tree / "b", tree / "b/c"):
        os.utime(each, ns=(long_ago, long_ago))
    known = digests(run(tree))
    assert known[b"a"][2] == long_ago
    assert parts(run(tree, known=known, quick=True)) == []
    (tree / "a/new").write_bytes(b"")
    assert b"a" in {part[0] for part in parts(run(tree, known=known, quick=True))}


def test_file_systems_without_lasting_inodes(tree: Path) -> None:
    def look(known: dict[bytes, Any]) -> tuple[list[Any], dict[bytes, Any]]:
        walk = Walk(os.fsencode(tree), b"", [], dict(known), inodes=False)
        found = list(walk.run())
        walk.close()
        return found, {part[0]: (part[1], part[6], part[7]) for part in found}

    first, known = look({})
    numbers = {entry[0]: entry[5] for part in first for entry in part[4]}
    assert numbers[b"one.mp3"] == module.path_number(os.fsencode(tree), b"a/one.mp3")
    assert look(known)[0] == []
    (tree / "a/one.mp3").write_bytes(b"longer")
    assert [part[0] for part in look(known)[0]] == [b"a"]


def test_gone_folders(tree: Path) -> None:
    known = digests(run(tree))
    subprocess.run(["rm", "-r", tree / "b"], check=True)
    assert sorted(run(tree, known=known).gone()) == [b"b", b"b/c"]


def test_what_cannot_be_entered_is_not_gone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = digests(run(tree))
    real = module.open_beneath

    def refuse(top: int, path: bytes, flags: int) -> int:
        if path == b"b":
            raise PermissionError(13, "Permission denied", path)
        return real(top, path, flags)

    monkeypatch.setattr(module, "open_beneath", refuse)
    walk = run(tree, known=known)
    assert walk.gone() == []
    [part] = parts(walk)
    assert part[0] == b"b" and part[1] is None and part[5] == [13, "Permission denied"]


@given(st.integers(0, 3 * BATCH_NAMES + 1))
def test_parts_cover_all_names_once(count: int) -> None:
    entries = [(b"%06d" % number, "f", 0, 0, 0, 0, 0, 1, None) for number in range(count)]
    made = list(module._parts(b"x", b"digest", entries, (1, None, None)))
    assert [entry for part in made for entry in part[4]] == entries
    assert all(len(part[4]) <= BATCH_NAMES for part in made)
    assert [part[1] for part in made] == [None] * (len(made) - 1) + [b"digest"], "only the last makes it known"
    assert made[0][2] is None and made[-1][3] is None
    for one, two in itertools.pairwise(made):
        assert one[3] == two[2] == one[4][-1][0] < two[4][0][0]


def test_names_are_bytes(tmp_path: Path) -> None:
    odd = [b"caf\xe9", b"\xff\xfe", b"new\nline", b"\xf0\x9f\x8e\xb5", b"a" * 255, b" ", b"-rf", b"\xed\xa0\x80"]
    write_tree(tmp_path / "top", dict.fromkeys(odd, b"x"))
    assert names(run(tmp_path / "top")) == set(odd)


def test_types_links_and_order(tmp_path: Path) -> None:
    top = write_tree(tmp_path / "top", {"file": b"x", "sub/inner": b"y"})
    os.symlink("/etc/passwd", top / "link")
    os.symlink("sub", top / "link-to-folder")
    os.mkfifo(top / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.fsencode(top / "sock"))
    walk = run(top)
    [root, sub] = parts(walk)
    kinds = {entry[0]: entry[1] for entry in root[4]}
    assert kinds == {b"file": "f", b"link": "l", b"link-to-folder": "l", b"pipe": "p", b"sock": "s"}
    assert {entry[0]: entry[8] for entry in root[4]}[b"link"] == b"/etc/passwd"
    assert [entry[0] for entry in root[4]] == sorted(kinds) and sub[0] == b"sub"
    assert not any(part[0].startswith(b"link-to-folder") for part in parts(walk)), "links are not followed"


def test_exclusion_and_one_name(tmp_path: Path) -> None:
    top = write_tree(tmp_path / "top", {
        "keep.mp3": b"", ".git/config": b"", "x.part": b"", "sub/.DS_Store": b"", "sub/keep": b"", "sub/deep/x": b"",
    })  # fmt: skip
    assert names(run(top, exclude=(".git", "*.part", ".DS_Store", "sub/deep"))) == {b"keep.mp3", b"sub/keep"}
    only = run(top, only=b"keep.mp3")
    assert names(only) == {b"keep.mp3"} and only.folders == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a mount")
def test_a_mount_below_is_named_and_not_entered(tmp_path: Path) -> None:
    top = write_tree(tmp_path / "top", {"disk/hidden": b"", "keep": b""})
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", top / "disk"], check=True)
    try:
        (top / "disk/there").write_bytes(b"")
        walk = run(top)
    finally:
        subprocess.run(["umount", top / "disk"], check=True)
    assert names(walk) == {b"keep"} and walk.mounts == [b"disk"]
