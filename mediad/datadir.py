"""The data folder: one daemon at a time, and the id of this host."""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path

from mediad.errors import AlreadyExists, InvalidArgument


def take_data_dir(folder: Path) -> int:
    """Makes the folder where there is none and locks it; the descriptor that holds the lock until the process ends.

    Raises AlreadyExists naming the daemon that has it, InvalidArgument when the folder cannot be used."""
    lock = -1
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
            if os.geteuid() == 0:
                folder.chmod(0o711)  # PostgreSQL's account passes through; what lies here protects itself
        lock = os.open(folder / "mediad.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        pid = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
        raise AlreadyExists(f"another daemon (pid {pid}) is using this data folder", os.fsencode(folder)) from None
    except OSError as error:
        raise _unusable(error, folder) from error
    return lock


def read_host_id(folder: Path) -> uuid.UUID:
    """This host's UUID: minted once, kept in the data folder (settled 14). Raises InvalidArgument."""
    path = folder / "host-id"
    try:
        return uuid.UUID(path.read_text("ascii").strip())
    except FileNotFoundError:
        return _mint_host_id(path)
    except OSError as error:
        raise _unusable(error, path) from error
    except ValueError:
        raise InvalidArgument(
            "this file does not hold a UUID; restore it from a backup, for it names this host", os.fsencode(path)
        ) from None


def _mint_host_id(path: Path) -> uuid.UUID:
    new = uuid.uuid4()
    part = path.with_suffix(".part")
    try:
        with open(part, "w", encoding="ascii") as out:
            out.write(f"{new}\n")
            out.flush()
            os.fsync(out.fileno())
        part.rename(path)
    except OSError as error:
        raise _unusable(error, path) from error
    return new


def _unusable(error: OSError, place: Path) -> InvalidArgument:
    return InvalidArgument(f"the data folder cannot be used: {error.strerror}", os.fsencode(place))
