"""Landlock for workers: every right of every version is taken, none is given back.

The second layer behind kit.seccomp: descriptors that are open already keep working, no path can be opened, made,
removed or renamed, and from version 4 on no TCP port be bound or connected, from 6 on no process outside be signalled
and no abstract socket outside be reached. Kernels before 5.13 have none of it.

Rule: landlock(7), landlock_create_ruleset(2), landlock_restrict_self(2), <linux/landlock.h>.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

_CREATE_RULESET = 444  # the same number on every architecture
_RESTRICT_SELF = 446
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
# version -> how many of the LANDLOCK_ACCESS_FS_* bits it knows: 1 EXECUTE...MAKE_SYM, 2 REFER, 3 TRUNCATE, 5 IOCTL_DEV
_FILE_RIGHTS = ((5, 16), (3, 15), (2, 14), (1, 13))
_NETWORK_SINCE, _NETWORK_RIGHTS = 4, 0b11  # BIND_TCP, CONNECT_TCP
_SCOPED_SINCE, _SCOPES = 6, 0b11  # ABSTRACT_UNIX_SOCKET, SIGNAL


def restrict() -> int:
    """Takes all rights that this kernel's Landlock handles from this process for good; NO_NEW_PRIVS must be set.
    Returns the version in force; 0 when the kernel has no Landlock or an outer filter forbids it. Raises OSError when
    the kernel has it and refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    version: int = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    if version < 1:
        return 0
    bits = next(count for since, count in _FILE_RIGHTS if version >= since)
    attributes = struct.pack("=Q", (1 << bits) - 1)
    if version >= _NETWORK_SINCE:
        attributes += struct.pack("=Q", _NETWORK_RIGHTS)
    if version >= _SCOPED_SINCE:
        attributes += struct.pack("=Q", _SCOPES)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        raise _fault("landlock_create_ruleset")
    try:
        if libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) != 0:
            if ctypes.get_errno() == errno.ENOSYS:
                return 0
            raise _fault("landlock_restrict_self")
    finally:
        os.close(ruleset)
    return version


def _fault(call: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{call}: {os.strerror(code)}")
