"""mediad.workers.beneath: nothing opens outside, whoever swaps what meanwhile; by openat2 and by components."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediad.workers import beneath
from mediad.workers.beneath import open_beneath, open_by_components, open_for_reading
from tests.daemon import write_tree

Open = Callable[[int, bytes, int], int]
BOTH = pytest.mark.parametrize("way", [open_beneath, open_by_components], ids=["openat2", "components"])

# Swaps two names for ever (renameat2(2), RENAME_EXCHANGE): at every moment one of them is the link that leads out.
_SWAP = """
import ctypes, os, sys
rename = ctypes.CDLL(None, use_errno=True).renameat2
one, two = (os.fsencode(name) for name in sys.argv[1:3])
print("ready", flush=True)
while True:
    if rename(-100, one, -100, two, 2) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
"""


@pytest.fixture
def top(tmp_path: Path) -> Iterator[int]:
    write_tree(tmp_path, {"top/a/file": b"inside", "top/plain": b"plain", "outside/file": b"outside"})
    for name, target in (("out", "../outside"), ("absolute", str(tmp_path / "outside")), ("inner", "a"),
                         ("file-out", "../outside/file"), ("loop", "loop")):  # fmt: skip
        os.symlink(target, tmp_path / "top" / name)
    fd = os.open(tmp_path / "top", os.O_PATH | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def read(way: Open, top: int, path: bytes) -> bytes:
    fd = way(top, path, os.O_RDONLY)
    try:
        assert not os.get_inheritable(fd)
        return os.read(fd, 100)
    finally:
        os.close(fd)


@BOTH
def test_what_lies_below_opens(way: Open, top: int) -> None:
    assert read(way, top, b"plain") == b"plain"
    assert read(way, top, b"a/file") == b"inside"
    assert read(way, top, b"a/./file") == b"inside"
    os.close(way(top, b"a", os.O_RDONLY | os.O_DIRECTORY))
    with pytest.raises(FileNotFoundError):
        way(top, b"nothing", os.O_RDONLY)


@BOTH
@pytest.mark.parametrize(
    "path",
    [b"out/file", b"absolute/file", b"file-out", b"inner/file", b"loop", b"../outside/file", b"a/../../outside/file",
     b"a/../plain", b"..", b"out", b"absolute"],
)  # fmt: skip
def test_ways_out_are_closed(way: Open, top: int, path: bytes) -> None:
    """Links are not followed even where they stay inside, and `..` is never taken."""
    before = descriptors()
    refusal = 0
    try:
        fd = way(top, path, os.O_RDONLY)
    except OSError as error:
        refusal = error.errno or 0
    if refusal:
        assert refusal in (errno.ELOOP, errno.EXDEV, errno.ENOTDIR)
    else:
        os.close(fd)
        # The kernel may take `a/../plain`, which does not leave; whatever else opens is a fault.
        assert path == b"a/../plain" and way is open_beneath
    assert descriptors() == before, "a descriptor was left open"


def descriptors() -> set[str]:
    found = set(os.listdir("/proc/self/fd"))
    return {number for number in found if os.path.exists(f"/proc/self/fd/{number}")}


def test_an_absolute_path_does_not_leave(top: int) -> None:
    with pytest.raises(OSError):
        open_beneath(top, b"/etc/passwd", os.O_RDONLY)
    with pytest.raises(FileNotFoundError):
        open_by_components(top, b"/etc/passwd", os.O_RDONLY)


PART = st.sampled_from([b"a", b"file", b"plain", b"out", b"inner", b"absolute", b"file-out", b"..", b".", b"", b"loop"])


@BOTH
@settings(max_examples=300)
@given(parts=st.lists(PART, max_size=6))
def test_no_path_at_all_leaves(way: Open, parts: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.getbasetemp() / "below"
    if not place.exists():
        write_tree(place, {"top/a/file": b"inside", "top/plain": b"plain", "outside/file": b"outside"})
        for name, target in (("out", "../outside"), ("absolute", str(place / "outside")), ("inner", "a"),
                             ("file-out", "../outside/file"), ("loop", "loop")):  # fmt: skip
            os.symlink(target, place / "top" / name)
    top = os.open(place / "top", os.O_PATH | os.O_DIRECTORY)
    try:
        fd = way(top, b"/".join(parts), os.O_RDONLY)
    except OSError:
        return
    finally:
        os.close(top)
    try:
        real = os.path.realpath(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
    assert real == str(place / "top") or real.startswith(f"{place / 'top'}/")


def by_check(top: int, path: bytes, flags: int) -> int:
    """What people write instead: the real path is checked, then opened. The control: it must lose the race."""
    base = os.path.realpath(f"/proc/self/fd/{top}")
    full = os.path.join(os.fsencode(base), path)
    if not os.path.realpath(full).startswith(os.fsencode(base) + b"/"):
        raise OSError(errno.EXDEV, "outside")
    return os.open(full, flags | os.O_CLOEXEC)


def race(way: Open, place: Path, path: bytes, seconds: float) -> tuple[int, int, int]:
    """Opens `path` again and again while a process swaps names: how often it was inside, outside, refused."""
    inside = outside = refused = 0
    top = os.open(place / "top", os.O_PATH | os.O_DIRECTORY)
    argv = [sys.executable, "-c", _SWAP, str(place / "top/a"), str(place / "top/out")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None and child.stdout.readline() == b"ready\n"
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                try:
                    found = read(way, top, path)
                except OSError:
                    refused += 1
                    continue
                inside += found == b"inside"
                outside += found == b"outside"
            assert child.poll() is None, "the swapping ended early"
        finally:
            child.kill()
            os.close(top)
    return inside, outside, refused


@BOTH
def test_a_swapped_link_is_never_followed(way: Open, top: int, tmp_path: Path) -> None:
    inside, outside, refused = race(way, tmp_path, b"a/file", 1.0)
    assert outside == 0
    assert inside > 100 and refused > 100, "the race did not take place"


def test_the_race_is_lost_by_a_check(top: int, tmp_path: Path) -> None:
    """The test above can fail: the same race against a check of the real path gets out."""
    assert race(by_check, tmp_path, b"a/file", 1.0)[1] > 0


def test_a_kernel_without_openat2(top: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beneath, "_have_openat2", True)
    monkeypatch.setattr(beneath, "_OPENAT2", 100_000)  # no such system call: ENOSYS, as before Linux 5.6
    assert read(open_beneath, top, b"a/file") == b"inside"
    assert not beneath._have_openat2
    with pytest.raises(OSError):
        open_beneath(top, b"out/file", os.O_RDONLY)


def test_reading_never_blocks(top: int, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "top/pipe")
    begun = time.monotonic()
    os.close(open_for_reading(top, b"pipe"))
    assert time.monotonic() - begun < 1.0


def test_reading_leaves_the_access_time(top: int, tmp_path: Path) -> None:
    path = tmp_path / "top/plain"
    os.utime(path, ns=(1, 1))
    fd = open_for_reading(top, b"plain")
    with contextlib.closing(os.fdopen(fd, "rb")) as opened:
        assert opened.read() == b"plain"
    assert path.stat().st_atime_ns == 1
