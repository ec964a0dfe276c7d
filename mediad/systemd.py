"""What systemd and a daemon say to each other, without a library: readiness, the watchdog, passed sockets.

Source: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3) of systemd 252. Outside systemd every function is quiet:
the variables are not set, and nothing is sent.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

LISTEN_FDS_START = 3  # SD_LISTEN_FDS_START: passed descriptors follow standard error


def notify(*assignments: str, environ: MutableMapping[str, str] = os.environ) -> bool:
    """Sends assignments ("READY=1", "STATUS=text") to the service manager in one datagram.

    Returns False when there is no manager (NOTIFY_SOCKET unset). A path or an abstract address ("@name"); others
    (vsock) are refused with ValueError. OSError when the manager's socket cannot be reached: the caller logs it, a
    daemon does not stop because nobody listens."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address[0] not in "/@":
        raise ValueError(f"NOTIFY_SOCKET is neither a path nor abstract: {address}")
    target = os.fsencode(address)
    if address[0] == "@":
        target = b"\0" + target[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        # Not blocking: a manager that does not read must not stop the loop that feeds its watchdog
        sender.setblocking(False)
        sender.connect(target)
        sender.send("\n".join(assignments).encode())
    return True


def watchdog_interval(environ: MutableMapping[str, str] = os.environ) -> float | None:
    """Seconds between two "WATCHDOG=1", half of what the unit allows, as sd_watchdog_enabled(3) advises.

    None when the unit asks for none, when the variable is no positive number of microseconds, or when it is meant
    for another process (WATCHDOG_PID)."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        return None
    return int(text) / 2_000_000


def listen_fds(environ: MutableMapping[str, str] = os.environ) -> list[tuple[str, int]]:
    """The sockets systemd bound for this process, as (FileDescriptorName, descriptor) in the unit's order.

    Empty when none were passed or they are for another process (LISTEN_PID). The descriptors become close-on-exec, and
    the variables are removed, so that no worker takes them for its own. A name not given is "unknown", as in
    sd_listen_fds_with_names(3). ValueError when the count is no number; OSError (EBADF) when a descriptor is closed."""
    pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if not count or pid != str(os.getpid()):
        return []
    if not count.isascii() or not count.isdigit():
        raise ValueError(f"LISTEN_FDS is not a number: {count}")
    passed = []
    for index in range(int(count)):
        descriptor = LISTEN_FDS_START + index
        os.set_inheritable(descriptor, False)
        passed.append((names[index] if index < len(names) and names[index] else "unknown", descriptor))
    return passed
