"""Making and checking a media tree on disk (mediad.moves.tree says which). All functions raise OSError for the top
only: what is wrong below it is a finding."""

from __future__ import annotations

import errno
import grp
import os
import stat
from typing import Any

from mediad.workers import transfer

Finding = list[Any]
"""[path below the top, code, message]; code: made exists mode group missing not_a_folder stray link rename error."""


def create(top: bytes, folders: list[str], mode: int, group: str) -> list[Finding]:
    """Makes what is missing of a tree, with `mode` and the group's id whatever the umask; what is there stays as it is
    and is reported where it differs. `group` "": as the folder above has it."""
    found: list[Finding] = []
    gid = grp.getgrnam(group).gr_gid if group else -1
    _make_above(top, mode, gid)
    base = transfer.open_top(top)
    try:
        for path in folders:
            raw = os.fsencode(path)
            above, _, name = raw.rpartition(b"/")
            try:
                folder = transfer.open_folder(base, above)
            except OSError as error:
                found.append([path, "not_a_folder", error.strerror or ""])
                continue
            try:
                found.append([path, *_make(folder, name, mode, gid)])
            except OSError as error:
                found.append([path, "error", error.strerror or ""])
            finally:
                os.close(folder)
    finally:
        os.close(base)
    return found


def _make_above(top: bytes, mode: int, gid: int) -> None:
    """The top itself, in a folder that is there."""
    above, _, name = top.rpartition(b"/")
    folder = transfer.open_top(above or b"/")
    try:
        _make(folder, name, mode, gid)
    finally:
        os.close(folder)


def _make(folder: int, name: bytes, mode: int, gid: int) -> tuple[str, str]:
    there = transfer.look(folder, name)
    if there is not None:
        if not stat.S_ISDIR(there.st_mode):
            return "not_a_folder", "something else of that name is there"
        if stat.S_IMODE(there.st_mode) != mode:
            return "mode", f"its mode is {stat.S_IMODE(there.st_mode):04o}, not {mode:04o}: it stays"
        if gid >= 0 and there.st_gid != gid:
            return "group", f"its group is {_group_name(there.st_gid)}: it stays"
        return "exists", ""
    os.mkdir(name, dir_fd=folder)
    made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        if gid >= 0:
            os.fchown(made, -1, gid)
        os.fchmod(made, mode)  # after the owner: chown(2) takes set-group-ID away
    finally:
        os.close(made)
    transfer.sync_folder(folder)
    return "made", ""


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def check(top: bytes, folders: list[str], pairs: list[list[str]], mode: int, group: str) -> dict[str, Any]:
    """Compares a tree on disk with what it should be, and tries a link and a rename from each staging folder into its
    goal: {findings, pairs: [[from, to, link, rename]]}, "" for a trial that succeeded, else why not.

    It must be tried: two bind mounts of one file system have one st_dev, and neither link(2) nor rename(2) works
    between them."""
    base = transfer.open_top(top)
    try:
        gid = grp.getgrnam(group).gr_gid if group else -1
        findings = [f for path in folders for f in _check_folder(base, path, mode, gid)]
        findings += _strays(base, folders)
        tried = [[a, b, *_trial(base, os.fsencode(a), os.fsencode(b))] for a, b in pairs]
    finally:
        os.close(base)
    return {"findings": findings, "pairs": tried}


def _check_folder(base: int, path: str, mode: int, gid: int) -> list[Finding]:
    try:
        folder = transfer.open_folder(base, os.fsencode(path))
    except FileNotFoundError:
        return [[path, "missing", "the folder is not there"]]
    except OSError as error:
        return [[path, "not_a_folder", error.strerror or ""]]
    try:
        info = os.fstat(folder)
    finally:
        os.close(folder)
    found: list[Finding] = []
    real = stat.S_IMODE(info.st_mode)
    if real & 0o2770 != mode & 0o2770:
        found.append([path, "mode", f"its mode is {real:04o}; applications of the group need {mode:04o}"])
    elif real & 0o002:
        found.append([path, "mode", f"its mode is {real:04o}: everybody may write"])
    if gid >= 0 and info.st_gid != gid:
        found.append([path, "group", f"its group is {_group_name(info.st_gid)}"])
    return found


def _strays(base: int, folders: list[str]) -> list[Finding]:
    """What lies in folders that hold nothing but folders of the tree."""
    known = set(folders)
    above = {""} | {path.rpartition("/")[0] for path in folders}
    found: list[Finding] = []
    for path in sorted(above):
        try:
            folder = transfer.open_folder(base, os.fsencode(path))
        except OSError:
            continue  # said before
        try:
            with os.scandir(folder) as listing:
                for entry in sorted(listing, key=lambda e: e.name):
                    below = f"{path}/{entry.name}" if path else entry.name
                    if below not in known:
                        kind = "folder" if entry.is_dir(follow_symlinks=False) else "file"
                        shown = os.fsencode(below).decode("utf-8", "replace")
                        found.append([shown, "stray", f"a {kind} that the tree does not know"])
        finally:
            os.close(folder)
    return found


def _trial(base: int, source: bytes, goal: bytes) -> tuple[str, str]:
    trial = b".mediad-trial-%d" % os.getpid()
    folders: list[int] = []
    try:
        for path in (source, goal):
            folders.append(transfer.open_folder(base, path))
    except OSError as error:
        for fd in folders:
            os.close(fd)
        why = f"it cannot be entered: {error.strerror}"
        return why, why
    here, there = folders
    try:
        os.close(os.open(trial, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=here))
    except OSError as error:
        for fd in folders:
            os.close(fd)
        why = f"nothing can be written: {error.strerror}"
        return why, why
    linked = renamed = ""
    try:
        try:
            transfer.link_new(here, trial, there, trial)
            os.unlink(trial, dir_fd=there)
        except OSError as error:
            linked = _why(error, here, there)
        try:
            transfer.rename_new(here, trial, there, trial)
        except OSError as error:
            renamed = _why(error, here, there)
    finally:
        for fd in folders:
            try:
                os.unlink(trial, dir_fd=fd)
            except FileNotFoundError:
                pass  # it is in the other
            os.close(fd)
    return linked, renamed


def _why(error: OSError, here: int, there: int) -> str:
    if error.errno != errno.EXDEV:
        return error.strerror or errno.errorcode.get(error.errno or 0, "?")
    if os.fstat(here).st_dev == os.fstat(there).st_dev:
        return "two mounts of one file system: give the applications one mount of the folder above both"
    return "two file systems"
