"""Names, types and trees as hostile as POSIX lets them be: recorded under their own bytes, or a clear problem."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import sysconfig
import threading
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.abuse import resident
from mediactl import Client
from mediactl.model import FileEntry
from mediad.errors import MediadError, NotFound, PermissionDenied
from tests.daemon import Daemon, write_tree
from tests.daemon.terminal import open_terminal

SONG = (Path(__file__).parent.parent / "data/audio/lame.mp3").read_bytes()
NAMES: dict[str, bytes] = {
    "newline": b"new\nline.txt",
    "carriage return and escape": b"a\r\x1b[31mred\x1b]0;title\x07.txt",
    "every other control": bytes(range(1, 32)) + b"\x7f.txt",
    "c1 control": "a\u009b31mb.txt".encode(),
    "invalid utf-8": b"\xff\xfe\x80caf\xe9.txt",
    "cut utf-8": b"cut\xe6\x97.txt",
    "surrogate": b"\xed\xa0\x80.txt",
    "overlong": b"\xc0\xaf.txt",
    "255 bytes": b"n" * 251 + b".txt",
    "255 bytes of four": "𐍈".encode() * 62 + b"abc.txt",
    "right to left": "شجرة \u202e gnp.txt".encode(),
    "isolates": "a\u2066b\u2069.txt".encode(),
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈.txt".encode(),
    "composed": "é.txt".encode(),
    "decomposed": "e\u0301.txt".encode(),
    "leading dash": b"-rf.txt",
    "option": b"--format=json.txt",
    "spaces": b"  two  spaces  ",
    "one space": b" ",
    "quotes": b"\"'`$(x)`'\".txt",
    "backslash": b"back\\slash\\xff\\n.txt",
    "glob": b"[*?]{a,b}.txt",
    "percent": b"%s%d%n%(x)s{0}.txt",
    "sql": b"'; DROP TABLE file; --.txt",
    "tsquery": b"& | ! ( ) :* <->.txt",
    "a uuid": b"01234567-89ab-cdef-0123-456789abcdef",
    "dots": b"...",
    "no extension but a dot at the end": b"dot.",
    "like": b"100%_\\.txt",
    "line separators": "a\u2028b\u2029c\u0085d.txt".encode(),
    "byte order mark": "\ufeffbom.txt".encode(),
    "combining": b"z" + "\u0301".encode() * 100 + b".txt",
}


def cli(daemon: Daemon, *arguments: str | bytes, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """mediactl as a person starts it."""
    argv: list[str | bytes] = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), *arguments]
    done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def on_a_terminal(daemon: Daemon, *arguments: str | bytes) -> bytes:
    """What mediactl writes to a terminal."""
    above, below = open_terminal()
    argv: list[str | bytes] = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), *arguments]
    process = subprocess.Popen(argv, stdin=below, stdout=below, stderr=below, start_new_session=True)
    os.close(below)
    written = b""
    with contextlib.suppress(OSError):  # EIO: the other side has closed
        while data := os.read(above, 65536):
            written += data
    os.close(above)
    process.wait(60)
    return written


_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067"  # they reorder what stands beside them (UAX #9)


def control_characters(text: bytes) -> set[str]:
    """Control, reordering and undecodable characters; the line ends of the terminal are its own."""
    shown = text.replace(b"\r\n", b"\n").decode("utf-8", "surrogateescape")
    allowed = {"\n", "\u2068", "\u2069"}  # isolates that mediactl itself puts around right-to-left text, balanced
    assert shown.count("\u2068") == shown.count("\u2069")
    shown = "".join(c for c in shown if c not in allowed)
    return {c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _BIDI}


@pytest.fixture(scope="module")
def named() -> Iterator[tuple[Daemon, bytes]]:
    """A daemon that has read a folder with all NAMES: the daemon and the folder."""
    daemon = Daemon()
    try:
        daemon.start()
        folder = os.fsencode(daemon.folder) + b"/tree"
        write_tree(Path(os.fsdecode(folder)), {name: b"content of " + name for name in NAMES.values()})
        with daemon.client() as client:
            result = client.add([folder])
            assert (result.files_new, result.files_read, result.files_failed) == (len(NAMES), len(NAMES), 0)
        yield daemon, folder
    finally:
        daemon.remove()


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_name(named: tuple[Daemon, bytes], name: bytes) -> None:
    daemon, folder = named
    path = folder + b"/" + name
    with daemon.client() as client:
        found = client.get(path)[0]
        assert found.item is not None, found.problem
        assert [(each.path, each.state) for each in found.item.files] == [(path, "read")]
        assert not control_characters(found.item.files[0].path_display.encode())
        digest = client.checksum(path)[0]
        assert digest.problem is None
        assert digest.digests["sha256"] == hashlib.sha256(b"content of " + name).digest()
    told = json.loads(cli(daemon, "--format", "json", "get", "--", path).stdout)
    assert base64_or_text(told, path)


def base64_or_text(told: object, path: bytes) -> bool:
    """JSON holds the path's bytes: as text when it is UTF-8, else (or besides) in path_raw, base64."""
    raws = [value for value in find(told, "path_raw") if isinstance(value, str)]
    if raws:
        return path in [base64.b64decode(value) for value in raws]
    return path.decode() in find(told, "path")


def find(value: object, key: str) -> list[object]:
    """Every value under that key, however deep."""
    if isinstance(value, dict):
        return [v for k, v in value.items() if k == key] + [f for v in value.values() for f in find(v, key)]
    return [f for v in value for f in find(v, key)] if isinstance(value, list) else []


def test_the_terminal_stays_clean(named: tuple[Daemon, bytes]) -> None:
    daemon, folder = named
    paths = [folder + b"/" + name for name in NAMES.values()]
    for arguments in (
        ["query", "size:>0"],
        ["query", "--files", "size:>0"],
        ["get", "--", *paths],
        ["checksum", "--", *paths],
    ):
        assert not control_characters(on_a_terminal(daemon, *arguments)), arguments[:2]
        done = cli(daemon, *arguments)
        assert not control_characters(done.stdout), arguments[:2]
    missing = b"/no/\x1b[31m\n\xff"
    assert not control_characters(on_a_terminal(daemon, "get", "--", missing))
    done = cli(daemon, "add", "--", missing, check=False)
    assert done.returncode == 1
    assert not control_characters(done.stdout + done.stderr)


def test_every_name_comes_back_from_a_query(named: tuple[Daemon, bytes]) -> None:
    daemon, folder = named
    with daemon.client() as client:
        found = {entry.path for item in client.query("size:>0") for entry in item.files}
        assert found == {folder + b"/" + name for name in NAMES.values()}
        assert client.add([folder]).files_changed == 0  # and is the same at the next walk
    lines = cli(daemon, "--format", "ndjson", "query", "size:>0").stdout.splitlines()
    assert len(lines) == len(NAMES)
    assert all(json.loads(line) for line in lines)


def deep_folder(top: Path, name: bytes, length: int) -> int:
    """Makes folders below `top` until the path is longer than `length`; returns a descriptor of the last."""
    fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    so_far = len(os.fsencode(top))
    while so_far <= length:
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd, so_far = below, so_far + 1 + len(name)
    return fd


def test_deep_paths(daemon: Daemon) -> None:
    """Beyond an index entry (2,704 bytes): recorded. Beyond PATH_MAX (4,096): a problem that says so."""
    tree = daemon.folder / "tree"
    for name, length in ((b"a" * 200, 3000), (b"b" * 255, 4500), (b"c", 4500)):
        (tree / os.fsdecode(name[:1] + b"-top")).mkdir(parents=True)
        fd = deep_folder(tree / os.fsdecode(name[:1] + b"-top"), name, length)
        with open(os.open("song.mp3", os.O_CREAT | os.O_WRONLY, dir_fd=fd), "wb") as out:
            out.write(SONG)
        os.close(fd)
    try:
        with daemon.client() as client:
            result = client.add([tree])
            assert result.files_read == 1
            assert result.problem_count >= 2
            assert all("long" in problem.message for problem in result.problems)
            path = b"/".join([os.fsencode(tree), b"a-top", *[b"a" * 200] * 20])
            while not os.path.exists(path + b"/song.mp3"):
                path = os.path.dirname(path)
            found = client.get(path + b"/song.mp3")[0]
            assert found.item is not None, found.problem
            assert found.item.files[0].state == "read"
            assert client.checksum(path + b"/song.mp3")[0].problem is None
            assert len(list(client.query("song"))) == 1
            # the same folder again: nothing new, nothing lost, and the problems are told again
            again = client.add([tree])
            assert (again.files_new, again.files_changed, again.files_missing) == (0, 0, 0)
            assert again.problem_count == result.problem_count
            # forgotten from the middle: two thousand folders below each other
            assert client.forget(tree / "c-top").problems == []
            assert client.forget(tree).roots == 1
            assert client.status().files == 0
            with pytest.raises(MediadError):
                client.add([b"/" + b"x/" * 3000])
            assert client.get(b"/" + b"x/" * 3000)[0].problem is not None
    finally:
        subprocess.run(["rm", "-rf", str(tree)], check=True)


def entry(client: Client, path: Path) -> FileEntry:
    result = client.get(path)[0]
    assert result.item is not None, result.problem
    return next(each for each in result.item.files if each.path == os.fsencode(path))


def test_other_types(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {"a.txt": b"a", "inner/b.txt": b"b"})
    outside = write_tree(daemon.folder / "outside", {"secret.txt": b"s"})
    os.mkfifo(tree / "fifo.mp3")
    (tree / "dangling.mp3").symlink_to("/nowhere/at/all")
    (tree / "loop1").symlink_to("loop2")
    (tree / "loop2").symlink_to("loop1")
    (tree / "self").symlink_to(".")
    (tree / "folder").symlink_to(outside)
    (tree / "to-a.txt").symlink_to("a.txt")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(tree / "socket"))
    kinds = {"fifo.mp3": "p", "dangling.mp3": "l", "loop1": "l", "loop2": "l", "self": "l", "folder": "l",
             "to-a.txt": "l", "socket": "s", "a.txt": "f"}  # fmt: skip
    if os.getuid() == 0:
        os.mknod(tree / "zero.mp3", stat.S_IFCHR | 0o600, os.makedev(1, 5))
        os.mknod(tree / "block.iso", stat.S_IFBLK | 0o600, os.makedev(7, 250))
        kinds |= {"zero.mp3": "c", "block.iso": "b"}
    with bound, daemon.client() as client:
        began = time.monotonic()
        result = client.add([tree])
        assert time.monotonic() - began < 5
        assert (result.files_new, result.files_read, result.files_failed) == (len(kinds) + 1, 2, 0)
        for name, kind in kinds.items():
            found = entry(client, tree / name)
            assert (found.type, found.state) == (kind, "read"), name
        assert entry(client, tree / "folder").symlink_target == os.fsencode(outside)
        assert entry(client, tree / "dangling.mp3").symlink_target == b"/nowhere/at/all"
        assert client.get(outside / "secret.txt")[0].item is None
        assert client.get(tree / "folder/secret.txt")[0].item is None
        for name in ("fifo.mp3", "dangling.mp3", "socket", *(["zero.mp3"] if "zero.mp3" in kinds else [])):
            problem = client.checksum(tree / name)[0].problem
            assert problem is not None
            assert "regular" in problem.message
        # a file that becomes a FIFO, a link, and a file again
        for make in (os.mkfifo, lambda p: p.symlink_to("inner"), lambda p: p.write_bytes(b"again")):
            (tree / "a.txt").unlink()
            make(tree / "a.txt")
            client.add([tree])
        assert (entry(client, tree / "a.txt").type, entry(client, tree / "a.txt").state) == ("f", "read")
        assert entry(client, tree / "a.txt").size == 5
        assert client.add([tree / "to-a.txt"]).roots  # a link inside a known root is no new root
        assert len(client.roots()) == 1


def test_adding_a_link_to_a_folder(daemon: Daemon) -> None:
    """A person who names a link means the folder."""
    real = write_tree(daemon.folder / "real", {"a.mp3": SONG})
    link = daemon.folder / "link"
    link.symlink_to(real)
    with daemon.client() as client:
        assert client.add([link]).files_read == 1
        assert [root.path for root in client.roots()] == [os.fsencode(real)]
        with pytest.raises(NotFound):
            (daemon.folder / "nothing").symlink_to("/nowhere/x")
            client.add([daemon.folder / "nothing/below"])


def as_nobody(folder: Path) -> list[str]:
    """Starts Python as the account 65534 with this environment's libraries, by way of an environment of its own in
    `folder`: the one of these tests may stand on an interpreter in root's home. Skips when there is no other."""
    account = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-C", "/"]
    again = "import subprocess, sys, psycopg, uvloop, mediad; subprocess.run([sys.executable, '-c', ''], check=True)"
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for number, python in enumerate((os.path.realpath(sys.executable), f"/usr/bin/{name}", f"/usr/local/bin/{name}")):
        made = folder / f"environment{number}"
        (made / "bin").mkdir(parents=True)
        (made / "lib" / name).mkdir(parents=True)
        (made / "bin/python").symlink_to(python)
        (made / "lib" / name / "site-packages").symlink_to(sysconfig.get_path("purelib"))
        (made / "pyvenv.cfg").write_text(f"home = {os.path.dirname(python)}\n")
        command = [*account, str(made / "bin/python")]
        if subprocess.run([*command, "-c", again], capture_output=True, check=False).returncode == 0:
            return command
    pytest.skip("no Python of this version that another account may run")


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="only root can run the daemon as somebody without rights")
def test_without_permission(folder: Path) -> None:
    tree = write_tree(
        folder / "tree", {"open/a.txt": b"a", "closed/b.txt": b"b", "unread.txt": b"u", "list/c.txt": b"c"}
    )
    (tree / "closed").chmod(0o000)
    (tree / "list").chmod(0o444)  # its names can be listed, nothing can be looked at
    (tree / "unread.txt").chmod(0o000)
    daemon = Daemon(folder=folder, embedded=True)  # the test server lets only root in
    daemon.data.mkdir()
    os.chown(daemon.data, 65534, 65534)
    os.chown(folder, 65534, 65534)
    usual, prefix = daemon.command, as_nobody(folder)
    daemon.command = lambda *extra: [*prefix, *usual(*extra)[1:]]  # type: ignore[method-assign]
    try:
        daemon.start()
        with daemon.client() as client:
            result = client.add([tree])
            assert sorted(problem.input for problem in result.problems) == [
                os.fsencode(tree / "closed"), os.fsencode(tree / "list")
            ]  # fmt: skip
            assert all(isinstance(problem, PermissionDenied) for problem in result.problems)
            assert entry(client, tree / "open/a.txt").state == "read"
            unread = entry(client, tree / "unread.txt")
            assert unread.state == "failed"
            assert isinstance(unread.problem, PermissionDenied)
            problem = client.checksum(tree / "unread.txt")[0].problem
            assert isinstance(problem, PermissionDenied)
            with pytest.raises(PermissionDenied):
                client.add([tree / "closed/below"])
            # What was known below a folder that closes is not missing: nobody has looked.
            (tree / "open").chmod(0o000)
            assert client.add([tree]).files_missing == 0
            assert entry(client, tree / "open/a.txt").state == "read"
            for name in ("open", "closed", "list"):
                (tree / name).chmod(0o755)
            (tree / "unread.txt").chmod(0o644)
            client.add([tree])
            assert {
                entry(client, tree / name).state for name in ("open/a.txt", "closed/b.txt", "list/c.txt", "unread.txt")
            } == {"read"}
    finally:
        daemon.remove()


def test_files_that_vanish(daemon: Daemon) -> None:
    """Deleted between the listing and the reading: no failure, and missing at the next look."""
    tree = write_tree(daemon.folder / "tree", {f"{n:04}.mp3": SONG for n in range(1200)})
    with daemon.client() as client:
        client.add([tree], wait=False)
        for n in range(600, 1200):
            (tree / f"{n:04}.mp3").unlink()
        began = time.monotonic()
        result = client.add([tree])
        assert time.monotonic() - began < 20
        assert result.files_failed == 0
        status = client.status()
        assert (status.files, status.failed, status.pending) == (600, 0, 0)


def test_a_folder_that_vanishes_and_returns(daemon: Daemon) -> None:
    tree = write_tree(daemon.folder / "tree", {f"{d}/{n}.txt": b"x" for d in range(20) for n in range(3)})
    stop = threading.Event()

    def move() -> None:
        number = 0
        while not stop.is_set():
            for folder in range(0, 20, 2):
                with contextlib.suppress(OSError):
                    os.rename(tree / str(folder), tree / f"moved{folder}")
                    os.rename(tree / f"moved{folder}", tree / str(folder))
            number += 1

    mover = threading.Thread(target=move)
    mover.start()
    try:
        with daemon.client() as client:
            for _ in range(10):
                client.add([tree], wait=False)
    finally:
        stop.set()
        mover.join()
    with daemon.client() as client:
        client.add([tree])
        assert client.status().files == 60
        assert client.status().failed == 0


def test_a_file_that_grows_while_it_is_read(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    tree.mkdir()
    path = tree / "growing.mp3"
    stop = time.monotonic() + 3

    def write() -> None:
        with open(path, "wb", buffering=0) as out:
            while time.monotonic() < stop:
                out.write(SONG)
                time.sleep(0.002)
            out.write(b"\0" * 77)

    writer = threading.Thread(target=write)
    writer.start()
    while not path.exists():
        time.sleep(0.01)
    with daemon.client() as client:
        client.add([tree])
        writer.join()
        client.add([tree])
        found = entry(client, path)
        assert (found.state, found.size) == ("read", path.stat().st_size)
        assert found.mtime_ns == path.stat().st_mtime_ns
        assert client.checksum(path)[0].digests["sha256"] == hashlib.sha256(path.read_bytes()).digest()


def test_empty_and_sparse_files(daemon: Daemon) -> None:
    """Nothing at all, and three gigabytes of nothing: read in a moment, in bounded memory."""
    names = [
        "flac", "m4a", "mp3", "ogg", "wav", "mp4", "mkv", "avi", "jpg", "png", "tif", "gif", "heic", "aiff", "ape",
        "wma", "txt", "pdf", "cr2", "webp", "mpg", "ts",
    ]  # fmt: skip
    tree = write_tree(daemon.folder / "tree", {f"empty.{name}": b"" for name in names})
    heads = {
        "flac": b"fLaC\0\0\0\x22", "m4a": b"\0\0\0\x20ftypM4A \0\0\0\0", "mp3": b"ID3\x04\0\0\x7f\x7f\x7f\x7f",
        "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0", "jpg": b"\xff\xd8\xff\xe1\xff\xff", "tif": b"II*\0\xff\xff\xff\x7f",
        "png": b"\x89PNG\r\n\x1a\n\x7f\xff\xff\xffIHDR", "wav": b"RIFF\xff\xff\xff\x7fWAVEfmt \xff\xff\xff\x7f",
    }  # fmt: skip
    for name in names:
        with open(tree / f"sparse.{name}", "wb") as out:
            out.write(heads.get(name, b""))
            out.truncate(3 << 30)
    before = resident(daemon.pid)
    with daemon.client() as client:
        began = time.monotonic()
        result = client.add([tree])
        seconds = time.monotonic() - began
        print(f"{len(names)} sparse files of 3 GB and as many empty ones: {seconds:.1f} s")
        assert seconds < 20
        assert result.files_read + result.files_failed == 2 * len(names)
        states = {name: entry(client, tree / name).state for name in sorted(os.listdir(tree))}
        assert "parked" not in states.values(), states
        assert client.status().worker_failures == 0
        assert client.checksum(tree / "empty.mp3")[0].digests["md5"] == hashlib.md5(b"").digest()
    assert resident(daemon.pid) - before < 30 << 20
    shutil.rmtree(tree)
