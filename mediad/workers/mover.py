"""The mover's program: does on disk what the journal says, and nothing that is not in it. One process an operation.

Run as `python -m mediad.workers.mover LOCK` with a unix stream socket as standard input. It dies with the daemon
(PR_SET_PDEATHSIG); until it has, it holds LOCK shared, and whoever recovers waits for that (`alone`): of two movers
none works on what the other has in hand.

msgpack maps both ways; every request has an `id` and is answered under it. A place is [top, path]: a real folder, and
a path below it that leads through no symbolic link. A row is [number, top, path, top, path, inode, size, mtime_ns]:
source, destination, and what the source must be (inode None: the file system has no lasting ones). Every request may
be sent again after a crash: what was done is found done.

alone  {}                  -> {}           waits until no other mover is left
look   {places}            -> {found: [[type, inode, size, mtime_ns, ctime_ns, nlink, mode, uid, gid, device] | None]}
space  {places}            -> {space: [[device, mount id, free bytes, existing folder path, mode] | None]}
                              of the folder, or of the nearest above that exists
same   {one, other}        -> {progress}... {same: bool}
mkdir  {rows}, rmdir {rows}                destinations, sources; the row's inode is the mode
link   {rows, action, require}  move hardlink symlink: names only
copy   {row, part, clone}  -> {progress}... {made: [inode, size, mtime_ns, sha256, notes]} | {outcome, message}
drop   {rows: [... made inode, made mtime_ns, part]}    the sources of copies
unmake {rows: [... made inode, made mtime_ns, part]}    the copies and links, while their sources are there
clean  {rows: [number, None, None, top, path, part]}    temporaries that a copy to this destination may have left
       -> {results: [[number, outcome, message, inode, mtime_ns]]}
layout {top, folders, mode, group}         -> {findings}; with pairs -> {findings, pairs} (mediad.workers.layout)

A folder that cannot be synced (fsync(2)): what came into it is taken back, and has failed; what went from it is gone,
which is `done` with a message. Outcomes: done, cross (another file system), exists, changed, gone, failed:ERRNO.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgpack

from mediad.workers import layout, transfer
from mediad.workers.beneath import open_for_reading
from mediad.workers.transfer import Changed

_PR_SET_PDEATHSIG = 1
_FOLDERS_OPEN = 200  # of one request at once: far below RLIMIT_NOFILE
_TYPES = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}

Result = list[Any]
Back = Callable[[], None]
"""Takes back what a row did."""


class Folders:
    """Open folders of one request, each once; those that were changed are synced when they are let go."""

    def __init__(self) -> None:
        self._tops: dict[bytes, int] = {}
        self._open: dict[tuple[bytes, bytes], int] = {}
        self._changed: dict[tuple[bytes, bytes], None] = {}

    def top(self, path: bytes) -> int:
        """A root's top."""
        found = self._tops.get(path)
        if found is None:
            found = self._tops[path] = transfer.open_top(path)
        return found

    def of(self, top: bytes, path: bytes) -> tuple[int, bytes]:
        """The folder that holds a path, and the name in it."""
        above, _, name = path.rpartition(b"/")
        found = self._open.get((top, above))
        if found is None:
            found = self._open[top, above] = transfer.open_folder(self.top(top), above)
        return found, name

    def changed(self, top: bytes, path: bytes) -> None:
        """The folder that holds a path has other names than before."""
        self._changed[top, path.rpartition(b"/")[0]] = None

    @property
    def many(self) -> bool:
        """It is time to let go of some."""
        return len(self._open) > _FOLDERS_OPEN

    def sync(self) -> dict[tuple[bytes, bytes], OSError]:
        """Makes all changes durable. Returns the folders where that failed."""
        failed = {}
        for key in self._changed:
            try:
                transfer.sync_folder(self._open[key])
            except OSError as error:
                failed[key] = error
        self._changed.clear()
        return failed

    def let_go(self) -> None:
        """Closes the folders, but not the tops."""
        for fd in self._open.values():
            os.close(fd)
        self._open.clear()

    def close(self) -> None:
        """Lets go of everything."""
        for fd in (*self._open.values(), *self._tops.values()):
            os.close(fd)
        self._open.clear()
        self._tops.clear()


@contextmanager
def _folders() -> Iterator[Folders]:
    folders = Folders()
    try:
        yield folders
    finally:
        folders.close()


def _failed(number: int, error: OSError) -> Result:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return [number, "gone", error.strerror or "", None, None]
    if error.errno == errno.EEXIST:
        return [number, "exists", "something of that name is there", None, None]
    if error.errno == errno.EXDEV:
        return [number, "cross", error.strerror or "", None, None]
    name = errno.errorcode.get(error.errno or 0, "EIO")
    return [number, f"failed:{name}", error.strerror or name, None, None]


class Mover:
    """Serves requests from the daemon until its socket ends."""

    def __init__(self, channel: socket.socket, lock: int) -> None:
        self.channel = channel
        self.lock = lock

    def serve(self) -> None:
        """Reads requests one after the other and answers them."""
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=64 << 20)
        while data := self.channel.recv(1 << 16):
            unpacker.feed(data)
            for request in unpacker:
                self._answer(request)

    def _answer(self, request: dict[str, Any]) -> None:
        number = request["id"]
        try:
            answer = getattr(self, "do_" + request["op"])(request)
        except OSError as error:
            answer = {"error": [error.errno or errno.EIO, error.strerror or str(error)]}
        self._send({"id": number, **answer})

    def _send(self, message: dict[str, Any]) -> None:
        self.channel.sendall(msgpack.packb(message, use_bin_type=True))

    def _teller(self, request: dict[str, Any]) -> Callable[[int], None]:
        return lambda done: self._send({"id": request["id"], "progress": done})

    # -------------------------------------------------------------- looking

    def do_alone(self, _request: dict[str, Any]) -> dict[str, Any]:
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        fcntl.flock(self.lock, fcntl.LOCK_SH)
        return {}

    def do_look(self, request: dict[str, Any]) -> dict[str, Any]:
        found: list[Any] = []
        with _folders() as folders:
            for top, path in request["places"]:
                if folders.many:
                    folders.let_go()
                found.append(_look(folders, top, path))
        return {"found": found}

    def do_space(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"space": [_space(top, path) for top, path in request["places"]]}

    def do_same(self, request: dict[str, Any]) -> dict[str, Any]:
        with _folders() as folders:
            files = []
            try:
                for top, path in (request["one"], request["other"]):
                    folder, name = folders.of(top, path)
                    files.append(open_for_reading(folder, name))
                one, other = (os.fstat(fd) for fd in files)
                same = one.st_size == other.st_size and (
                    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
                    or transfer.same_bytes(files[0], files[1], self._teller(request))
                )
            finally:
                for fd in files:
                    os.close(fd)
        return {"same": same}

    def do_layout(self, request: dict[str, Any]) -> dict[str, Any]:
        top, folders, mode, group = (request[key] for key in ("top", "folders", "mode", "group"))
        try:
            if "pairs" in request:
                return layout.check(top, folders, request["pairs"], mode, group)
            return {"findings": layout.create(top, folders, mode, group)}
        except KeyError:
            return {"error": [errno.EINVAL, f"there is no group {group}"]}

    # -------------------------------------------------------------- folders

    def do_mkdir(self, request: dict[str, Any]) -> dict[str, Any]:
        def make(folders: Folders, row: list[Any]) -> tuple[Result, Back | None]:
            number, _, _, top, path, mode = row[:6]
            folder, name = folders.of(top, path)
            back: Back | None = None
            try:
                os.mkdir(name, dir_fd=folder)
                back = partial(os.rmdir, name, dir_fd=folder)
            except FileExistsError:
                info = transfer.look(folder, name)
                if info is None or not stat.S_ISDIR(info.st_mode):
                    raise
            folders.changed(top, path)
            if mode is not None:
                try:
                    os.chmod(name, mode, dir_fd=folder)
                except OSError as error:
                    if error.errno not in (errno.EPERM, errno.EOPNOTSUPP):  # FAT
                        if back is not None:
                            back()
                        raise
            return [number, "done", "", None, None], back

        return self._each(request["rows"], make)

    def do_rmdir(self, request: dict[str, Any]) -> dict[str, Any]:
        def remove(folders: Folders, row: list[Any]) -> tuple[Result, Back | None]:
            number, top, path = row[:3]
            folder, name = folders.of(top, path)
            try:
                os.rmdir(name, dir_fd=folder)
            except FileNotFoundError:
                pass
            folders.changed(top, path)
            return [number, "done", "", None, None], None

        return self._each(request["rows"], remove)

    # -------------------------------------------------------------- names

    def do_link(self, request: dict[str, Any]) -> dict[str, Any]:
        action = request["action"]

        def link(folders: Folders, row: list[Any]) -> tuple[Result, Back | None]:
            number, from_top, from_path, to_top, to_path, inode, size, mtime = row[:8]
            expected = (inode, size, mtime)
            try:
                old, old_name = folders.of(from_top, from_path)
                source = transfer.look(old, old_name)
            except FileNotFoundError:  # the folder is gone, too
                old, old_name, source = -1, b"", None
            new, new_name = folders.of(to_top, to_path)
            there = transfer.look(new, new_name)
            if action == "move" and source is not None and transfer.one_name(old, old_name, new, new_name):
                there = None  # itself
            if there is not None and _was_done(action, there, source, expected, from_top, from_path, new, new_name):
                folders.changed(to_top, to_path)
                if action == "move" and source is not None and source.st_ino == there.st_ino:
                    os.unlink(old_name, dir_fd=old)  # the second half of link and unlink
                if action == "move" and old >= 0:
                    folders.changed(from_top, from_path)
                return [number, "done", "", transfer.signed(there.st_ino), there.st_mtime_ns], None
            if source is None or not transfer.is_it(source, expected):
                gone = "gone" if source is None else "changed"
                return [number, gone, "the source is not what it was", None, None], None
            if there is not None:
                return [number, "exists", "something of that name is there", None, None], None
            back = partial(os.unlink, new_name, dir_fd=new)
            if action == "move":
                transfer.rename_new(old, old_name, new, new_name)
                back = partial(transfer.rename_new, new, new_name, old, old_name)
            elif action == "hardlink":
                transfer.link_new(old, old_name, new, new_name)
            else:
                os.symlink(from_top.rstrip(b"/") + b"/" + from_path, new_name, dir_fd=new)
            folders.changed(to_top, to_path)  # first what is new, then what is gone
            if action == "move":
                folders.changed(from_top, from_path)
            try:
                made = transfer.look(new, new_name)
            except OSError:
                back()
                raise
            if made is None:
                return [number, "changed", "it was taken away as soon as it was made", None, None], None
            if action != "symlink" and not transfer.is_it(made, expected):
                back()  # it was replaced between the look and the deed: what replaced it stays where it was
                return [number, "changed", "the source was replaced meanwhile", None, None], None
            return [number, "done", "", transfer.signed(made.st_ino), made.st_mtime_ns], back

        return self._each(request["rows"], link)

    # -------------------------------------------------------------- bytes

    def do_copy(self, request: dict[str, Any]) -> dict[str, Any]:
        number, from_top, from_path, to_top, to_path, inode, size, mtime = request["row"]
        expected = (inode, size, mtime)
        with _folders() as folders:
            try:
                old, old_name = folders.of(from_top, from_path)
                new, new_name = folders.of(to_top, to_path)
                transfer.remove_part(new, request["part"])
                there = transfer.look(new, new_name)
                if there is not None:
                    made = self._made_before(request, old, old_name, expected, new, new_name, there)
                    if made is None:
                        return {"outcome": "exists", "message": "something of that name is there"}
                else:
                    made = transfer.copy_new(
                        old, old_name, expected, new, new_name, request["part"], clone=request["clone"],
                        told=self._teller(request),
                    )  # fmt: skip
            except Changed as error:
                return {"outcome": "changed", "message": str(error)}
            except OSError as error:
                return {"outcome": _failed(number, error)[1], "message": error.strerror or ""}
        return {"made": [made.inode, made.size, made.mtime_ns, made.sha256, list(made.notes)]}

    def _made_before(
        self, request: dict[str, Any], old: int, old_name: bytes, expected: transfer.Identity, new: int,
        new_name: bytes, there: os.stat_result,
    ) -> transfer.Copied | None:  # fmt: skip
        """A copy that was finished and not noted: it has the source's bytes, and is made durable once more."""
        if not request["again"] or not stat.S_ISREG(there.st_mode) or there.st_size != expected[1]:
            return None
        source = transfer.open_source(old, old_name, expected)
        made = open_for_reading(new, new_name)
        try:
            if os.path.samestat(os.fstat(source), os.fstat(made)):
                return None  # no copy
            if not transfer.same_bytes(source, made, self._teller(request)):
                return None
            os.fsync(made)
            transfer.sync_folder(new)
            info = os.fstat(made)
            digest = transfer.sum_of(made, self._teller(request))
        finally:
            os.close(source)
            os.close(made)
        return transfer.Copied(transfer.signed(info.st_ino), info.st_size, info.st_mtime_ns, digest, ())

    def do_drop(self, request: dict[str, Any]) -> dict[str, Any]:
        def drop(folders: Folders, row: list[Any]) -> tuple[Result, Back | None]:
            number, from_top, from_path, to_top, to_path, inode, size, mtime, made, made_mtime, part = row
            new, new_name = folders.of(to_top, to_path)
            copy = (made, size, made_mtime)
            try:
                old, old_name = folders.of(from_top, from_path)
            except FileNotFoundError:
                old, old_name = -1, b""
            if old >= 0:
                transfer.put_back(old, old_name, part)
            if old < 0 or transfer.look(old, old_name) is None:
                if not transfer.is_it(transfer.look(new, new_name), copy):
                    return [number, "gone", "neither the source nor the copy is there", None, None], None
                return [number, "done", "", None, None], None
            transfer.drop(old, old_name, (inode, size, mtime), new, new_name, copy, part)
            folders.changed(from_top, from_path)
            return [number, "done", "", None, None], None

        return self._each(request["rows"], drop)

    def do_unmake(self, request: dict[str, Any]) -> dict[str, Any]:
        def unmake(folders: Folders, row: list[Any]) -> tuple[Result, Back | None]:
            number, from_top, from_path, to_top, to_path, inode, size, mtime, made, made_mtime, part = row
            new, new_name = folders.of(to_top, to_path)
            transfer.put_back(new, new_name, part)
            there = transfer.look(new, new_name)
            if there is None:
                return [number, "done", "", None, None], None
            old, old_name = folders.of(from_top, from_path)
            if not transfer.is_it(transfer.look(old, old_name), (inode, size, mtime)):
                return [number, "changed", "what it was made of is not there any more: it stays", None, None], None
            link = stat.S_ISLNK(there.st_mode)
            expected = (made, there.st_size if link else size, made_mtime)
            if not transfer.is_it(there, expected):
                return [number, "changed", "it was changed since it was made: it stays", None, None], None
            transfer.remove_known(new, new_name, expected, part)
            folders.changed(to_top, to_path)
            return [number, "done", "", None, None], None

        return self._each(request["rows"], unmake)

    def do_clean(self, request: dict[str, Any]) -> dict[str, Any]:
        def clean(folders: Folders, row: list[Any]) -> tuple[Result, Back | None]:
            number, _, _, top, path, part = row
            folder, _name = folders.of(top, path)
            transfer.remove_part(folder, part)
            return [number, "done", "", None, None], None

        return self._each(request["rows"], clean)

    # -------------------------------------------------------------- rows

    @staticmethod
    def _each(
        rows: list[list[Any]], do: Callable[[Folders, list[Any]], tuple[Result, Back | None]]
    ) -> dict[str, Any]:  # fmt: skip
        """Does every row; what it changed is durable when this returns, or was taken back."""
        results: list[Result] = []
        with _folders() as folders:
            unsynced: list[tuple[Result, list[Any], Back | None]] = []

            def sync() -> None:
                failed = folders.sync()
                for result, row, back in reversed(unsynced):
                    error = next((failed[key] for key in _folders_of(row) if key in failed), None)
                    if error is not None and result[1] == "done":
                        _take_back(result, error, back)
                unsynced.clear()
                folders.let_go()

            for row in rows:
                if folders.many:
                    sync()
                back = None
                try:
                    result, back = do(folders, row)
                except Changed as error:
                    result = [row[0], "changed", str(error), None, None]
                except OSError as error:
                    result = _failed(row[0], error)
                results.append(result)
                unsynced.append((result, row, back))
            sync()
        return {"results": results}


def _take_back(result: Result, error: OSError, back: Back | None) -> None:
    """A folder that a row changed could not be synced: fsync(2) is not tried again, for it would lie."""
    message = f"the folder cannot be synced: {error.strerror}"
    if back is not None:
        try:
            back()
        except OSError as again:
            message += f"; nor can it be taken back: {again.strerror}"
        else:
            result[1:] = [_failed(0, error)[1], message, None, None]
            return
    result[2] = message


def _folders_of(row: list[Any]) -> set[tuple[bytes, bytes]]:
    return {(row[at], row[at + 1].rpartition(b"/")[0]) for at in (1, 3) if row[at] is not None}


def _was_done(
    action: str, there: os.stat_result, source: os.stat_result | None, expected: transfer.Identity, from_top: bytes,
    from_path: bytes, new: int, new_name: bytes,
) -> bool:  # fmt: skip
    """Whether the destination is what this row makes, made before a crash."""
    if action == "symlink":
        target = from_top.rstrip(b"/") + b"/" + from_path
        return stat.S_ISLNK(there.st_mode) and os.readlink(new_name, dir_fd=new) == target
    if expected[0] is None:  # by name alone: it is there, and the source is not
        return source is None and transfer.is_it(there, expected)
    return transfer.is_it(there, expected)


def _look(folders: Folders, top: bytes, path: bytes) -> list[Any] | None:
    try:
        folder, name = folders.of(top, path)
        info = transfer.look(folder, name) if name else os.fstat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if info is None:
        return None
    kind = _TYPES.get(stat.S_IFMT(info.st_mode), "?")
    return [kind, transfer.signed(info.st_ino), info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_nlink,
            stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, info.st_dev]  # fmt: skip


def _space(top: bytes, path: bytes) -> list[Any] | None:
    """Of a folder, or the nearest above it that exists: which file system and mount, and how many bytes are free."""
    try:
        open_top = transfer.open_top(top)
    except OSError:
        return None
    try:
        while True:
            try:
                folder = transfer.open_folder(open_top, path)
                break
            except FileNotFoundError:
                path = path.rpartition(b"/")[0]
        try:
            info, room = os.fstat(folder), os.fstatvfs(folder)
            with open(f"/proc/self/fdinfo/{folder}", "rb") as facts:
                mount = next((int(line.split()[1]) for line in facts if line.startswith(b"mnt_id")), 0)
            return [info.st_dev, mount, room.f_bavail * room.f_frsize, path, stat.S_IMODE(info.st_mode)]
        finally:
            os.close(folder)
    finally:
        os.close(open_top)


def serve(kind: type[Mover]) -> None:
    """Serves the daemon at standard input. A mover whose daemon died before it was asked to die with it leaves."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # a lease that somebody breaks (fcntl(2)): open_source looks for itself
    lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    kind(socket.socket(fileno=os.dup(0)), lock).serve()


if __name__ == "__main__":
    serve(Mover)
