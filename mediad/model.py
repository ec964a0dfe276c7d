"""Plain values that pass between the layers. Paths and names are bytes; times are nanoseconds since the Unix epoch."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

# By extension: the kind shown for a name that was listed but not read yet.
KIND_OF_EXTENSION: dict[bytes, str] = {
    **dict.fromkeys(
        (b"mp3", b"m4a", b"m4b", b"aac", b"flac", b"ogg", b"oga", b"opus", b"spx", b"wav", b"aif", b"aiff", b"aifc",
         b"wma", b"ape", b"wv", b"mpc", b"dsf", b"mka", b"ac3", b"dts", b"mid", b"midi"), "audio"),
    **dict.fromkeys(
        (b"jpg", b"jpeg", b"jpe", b"png", b"gif", b"webp", b"tif", b"tiff", b"bmp", b"ico", b"heic", b"heif", b"avif",
         b"jxl", b"psd", b"svg", b"dng", b"cr2", b"cr3", b"nef", b"arw", b"orf", b"rw2", b"raf", b"pef"), "image"),
    **dict.fromkeys(
        (b"mp4", b"m4v", b"mov", b"3gp", b"avi", b"flv", b"mkv", b"webm", b"ts", b"m2ts", b"mts", b"mpg", b"mpeg",
         b"vob", b"wmv", b"ogv"), "video"),
    **dict.fromkeys(
        (b"pdf", b"doc", b"docx", b"xls", b"xlsx", b"ppt", b"pptx", b"odt", b"ods", b"odp", b"epub", b"rtf", b"txt",
         b"html", b"htm", b"mobi", b"md"), "document"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path lies: its volume as this host sees it. `path` is the real path, `mount` where its file system is
    mounted, `fs_root` which folder of the file system that is, `only_name` set when the path is one file."""

    volume: str
    fs_type: str
    mount: bytes
    fs_root: bytes
    path: bytes
    only_name: bytes


# File systems that make inode numbers up, anew at each mount or from a cache (settled 15).
NO_INODES = frozenset({"vfat", "msdos", "exfat", "cifs", "smb3", "smbfs", "fuse", "fuseblk"})
# Other machines change these without a word to our kernel: inotify(7), Limitations and caveats.
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "ncpfs", "coda"})


@dataclass(slots=True)
class Root:
    """A root as this daemon knows it. `local` is its top folder on this host, None while its volume is away."""

    id: int
    volume: int
    volume_uuid: str
    fs_type: str
    path: bytes
    only_name: bytes
    owner: uuid.UUID
    owner_name: str
    watched: bool
    cross_mounts: bool
    exclude: tuple[str, ...]
    scanned_ns: int | None
    local: bytes | None
    frozen: str = ""  # why, when frozen
    place: bytes | None = None  # where it would be: `local` unless it is away
    away: bool = False

    @property
    def inodes(self) -> bool:
        """Its inode numbers last."""
        return self.fs_type not in NO_INODES and not self.fs_type.startswith("fuse.")

    @property
    def remote(self) -> bool:
        """What happens to it is not all seen by this kernel."""
        return self.fs_type in REMOTE or self.fs_type in ("fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: the peer's uid and role, and the person named in the request."""

    uid: int
    role: str
    name: str


@dataclass(slots=True)
class ScanReport:
    """What a walk of a root did so far. Counts of names; `problems` are (code, message, path) of the first 100."""

    root: int
    path: bytes
    stage: str = "walking"
    folders: int = 0
    listed: int = 0
    new: int = 0
    changed: int = 0
    missing: int = 0
    returned: int = 0
    moved: int = 0
    queued: int = 0
    read: int = 0
    failed: int = 0
    problems: list[tuple[str, str, bytes]] = field(default_factory=list)
    problem_count: int = 0

    def note(self, code: str, message: str, path: bytes) -> None:
        """Counts a problem and keeps it when it is among the first 100."""
        self.problem_count += 1
        if len(self.problems) < 100:
            self.problems.append((code, message, path))


@dataclass(frozen=True, slots=True)
class Answer:
    """A worker's answer for one file: `ok`, or (`code`, `message`) and in `ok` what can be said all the same; `died`
    when the worker did not survive the file. `memory`: with so many bytes of address space it could have been done."""

    ok: dict[str, Any] | None = None
    code: str = ""
    message: str = ""
    died: bool = False
    memory: int = 0
