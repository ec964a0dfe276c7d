"""Two ext4 file systems in files, whose power is cut: what was not made durable by fsync(2) is gone.

FS_IOC_SHUTDOWN (ext4: EXT4_IOC_SHUTDOWN) stops a file system at once; without a flush of its journal it is found as it
was at the last commit. Needs root and loop devices.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import time
from pathlib import Path

_SHUTDOWN = 0x8004587D
_NO_FLUSH = 2


class Disks:
    """Image files, mounted."""

    def __init__(self, folder: Path, tops: list[Path], megabytes: int = 16) -> None:
        self._mounts = {top: folder / f"{top.name}.img" for top in tops}
        for top, image in self._mounts.items():
            top.mkdir(exist_ok=True)
            # Commits of the file system's own every minute, not while we look.
            made = ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image, f"{megabytes}M"]
            _run(made)
            _mount(image, top)
            (top / "lost+found").rmdir()

    def cut(self, first: Path | None = None) -> None:
        """No power any more; the disk `first` had time to write all it had, the others had not."""
        if first is not None:
            fd = os.open(first, os.O_RDONLY)
            try:
                _syncfs(fd)
            finally:
                os.close(fd)
        for top in self._mounts:
            fd = os.open(top, os.O_RDONLY)
            try:
                fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_FLUSH))
            finally:
                os.close(fd)

    def again(self) -> None:
        """As after the next start of the machine."""
        for top, image in self._mounts.items():
            until = time.monotonic() + 10
            while subprocess.run(["umount", top], check=False, capture_output=True).returncode:
                if time.monotonic() > until:  # somebody who dies still has it open
                    raise TimeoutError(f"{top} is busy")
                time.sleep(0.02)
            _mount(image, top)

    def remove(self) -> None:
        """Unmounts them."""
        for top in self._mounts:
            subprocess.run(["umount", "-l", top], check=False, capture_output=True)


def possible(folder: Path) -> bool:
    """Whether file systems can be mounted and stopped here."""
    top = folder / "probe"
    try:
        disks = Disks(folder, [top], 4)
    except (OSError, subprocess.CalledProcessError):
        return False
    try:
        disks.cut()
    except OSError:
        return False
    finally:
        disks.remove()
    return True


def _syncfs(fd: int) -> None:
    import ctypes

    if ctypes.CDLL(None, use_errno=True).syncfs(fd):
        raise OSError(ctypes.get_errno(), "syncfs")


def _mount(image: Path, top: Path) -> None:
    _run(["mount", "-o", "loop,commit=600", image, top])


def _run(argv: list[str | Path]) -> None:
    subprocess.run(argv, check=True, capture_output=True)
