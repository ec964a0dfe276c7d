"""Which volume a path lies on: the file system's own UUID, so that a disk keeps its files wherever it is mounted."""

from __future__ import annotations

import os
import re
import stat

_ESCAPE = re.compile(rb"\\([0-7]{3})")


def _unescape(text: bytes) -> bytes:
    """mountinfo writes space, tab, newline and backslash as octal (proc_pid_mountinfo(5))."""
    return _ESCAPE.sub(lambda m: bytes([int(m[1], 8)]), text)


def mount_of(path: bytes) -> tuple[bytes, bytes, str, bytes, str]:
    """The mount a path lies on, from /proc/self/mountinfo: (mount point, folder of the file system that is mounted,
    type, source, "major:minor"). Later mounts cover earlier ones.

    In a chroot the root folder is no mount point of the table: then it stands for one, on the device of stat(2).
    Raises OSError."""
    best: tuple[bytes, bytes, str, bytes, str] | None = None
    info = os.stat(path)
    device = f"{os.major(info.st_dev)}:{os.minor(info.st_dev)}"
    around: tuple[bytes, bytes, str, bytes, str] = (b"/", b"/", "unknown", b"none", device)
    with open("/proc/self/mountinfo", "rb") as table:
        for line in table:
            left, _, right = line.partition(b" - ")
            fields, rest = left.split(), right.split()
            point = _unescape(fields[4])
            inside = path == point or path.startswith(point.rstrip(b"/") + b"/")
            if fields[2].decode() == device:
                around = (b"/", b"/", rest[0].decode(), _unescape(rest[1]), device)
            if inside and (best is None or len(point) >= len(best[0])):
                best = (point, _unescape(fields[3]), rest[0].decode(), _unescape(rest[1]), fields[2].decode())
    return around if best is None else best


def volume_uuid(source: bytes, device: str, fs_type: str, mount: bytes) -> str:
    """A name that stays with the file system: its UUID from /dev/disk/by-uuid; else the kernel's file system id
    (statvfs f_fsid: derived from the UUID on ext4, XFS, btrfs); else, for what has neither (tmpfs, overlay, FUSE),
    its source and mount point, which hold on this host alone. The prefix says which."""
    try:
        for name in os.listdir("/dev/disk/by-uuid"):
            there = os.stat("/dev/disk/by-uuid/" + name)
            if stat.S_ISBLK(there.st_mode) and f"{os.major(there.st_rdev)}:{os.minor(there.st_rdev)}" == device:
                return f"uuid:{name}"
    except OSError:
        pass  # no udev here (a container): the next way
    fsid = os.statvfs(mount).f_fsid & 0xFFFFFFFFFFFFFFFF
    if fs_type in ("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "vfat", "exfat", "iso9660", "udf") and fsid:
        return f"fsid:{fs_type}:{fsid:016x}"
    return f"local:{fs_type}:{os.fsdecode(source)}:{os.fsdecode(mount)}"


# Nobody keeps a library on these (filesystems(5)); and statvfs on an automount point would mount it.
_NO_DISK = frozenset({
    "proc", "sysfs", "cgroup", "cgroup2", "devpts", "devtmpfs", "mqueue", "securityfs", "pstore", "debugfs", "tracefs",
    "bpf", "configfs", "fusectl", "hugetlbfs", "binfmt_misc", "autofs", "nsfs", "rpc_pipefs", "efivarfs", "nfs", "nfs4",
    "cifs", "smb3",
})  # fmt: skip


def mounted_volumes() -> list[tuple[str, str, bytes, bytes]]:
    """The local file systems that are mounted: (volume uuid, type, mount point, folder of the file system)."""
    found = []
    with open("/proc/self/mountinfo", "rb") as table:
        for line in table:
            left, _, right = line.partition(b" - ")
            fields, rest = left.split(), right.split()
            fs_type, mount = rest[0].decode(), _unescape(fields[4])
            if fs_type in _NO_DISK:
                continue
            try:
                uuid = volume_uuid(_unescape(rest[1]), fields[2].decode(), fs_type, mount)
            except OSError:
                continue  # gone again, or not for us
            found.append((uuid, fs_type, mount, _unescape(fields[3])))
    return found


def locate(path: bytes) -> tuple[str, str, bytes, bytes, bytes, bytes]:
    """Where an added path lies: (volume uuid, type, mount point, fs_root, real path of the folder, only name).

    A folder is itself; a file is its folder and its name. Raises OSError; NotADirectoryError for what is neither."""
    info = os.lstat(path)
    only = b""
    if stat.S_ISDIR(info.st_mode) or (stat.S_ISLNK(info.st_mode) and os.path.isdir(path)):
        real = os.path.realpath(path)
    else:
        # A file, or a link to one: the name as it stands, in its real folder.
        folder, only = os.path.split(os.path.abspath(path))
        real = os.path.realpath(folder)
    mount, fs_root, fs_type, source, device = mount_of(real)
    return volume_uuid(source, device, fs_type, mount), fs_type, mount, fs_root, real, only
