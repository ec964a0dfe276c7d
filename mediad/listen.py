"""The daemon's socket: passed by systemd, or bound here with the right mode from its first moment."""

from __future__ import annotations

import grp
import logging
import os
import socket
from pathlib import Path

from mediad import systemd
from mediad.errors import AlreadyExists, InvalidArgument

log = logging.getLogger(__name__)

# sun_path of sockaddr_un holds 108 bytes with its NUL (unix(7)).
_PATH_BYTES = 107


def make_listener(path: Path, group: str) -> tuple[socket.socket, bool]:
    """(the listening socket, whether systemd passed it). Raises AlreadyExists when somebody answers there."""
    passed = systemd.listen_fds()
    if passed:
        listener = socket.socket(fileno=passed[0][1])
        listener.setblocking(False)
        return listener, True
    raw = os.fsencode(path)
    if len(raw) > _PATH_BYTES:
        raise InvalidArgument(f"a socket's path has at most {_PATH_BYTES} bytes", raw)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _clear_stale(path)
        listener = _bind(raw)
    except OSError as error:
        raise InvalidArgument(f"the socket cannot be made: {error.strerror}", raw) from error
    _give_to_group(path, group)
    listener.listen(1024)
    listener.setblocking(False)
    return listener, False


def _bind(raw: bytes) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    # 0660 from the first moment: a chmod afterwards would leave a gap.
    before = os.umask(0o117)
    try:
        listener.bind(raw)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _clear_stale(path: Path) -> None:
    """Takes a left-over socket away, but only when nobody answers on it."""
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_socket():
        raise AlreadyExists("something that is no socket lies where the socket should be", os.fsencode(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(os.fsencode(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except TimeoutError:
            pass  # its queue is full: somebody is there
    raise AlreadyExists("another daemon answers on this socket", os.fsencode(path))


def _give_to_group(path: Path, group: str) -> None:
    try:
        os.chown(path, -1, grp.getgrnam(group).gr_gid)
    except KeyError:
        log.debug("no such group: only the daemon's own user may connect", extra={"group": group})
    except PermissionError:
        log.debug("not a member of the group: only the daemon's own user may connect", extra={"group": group})
