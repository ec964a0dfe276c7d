"""What a worker gives up before it reads the first byte of anybody's file.

Order matters: descriptors first, then the death signal and the check that the parent is still there, then limits, then
the promise never to gain rights (prctl(2), PR_SET_NO_NEW_PRIVS), which the last two require: Landlock (kit.landlock),
and, because it takes away the calls for all of this, the system call filter (kit.seccomp) at the very end.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal

from mediad_handlers.kit import landlock, seccomp

MEMORY = 128 * 1024 * 1024  # bytes of address space: 64 MiB loses one good sample, 40 MiB does not start
DESCRIPTORS = 160  # 64 of one request, 64 of the next, and our own
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)


def close_others(highest_kept: int) -> None:
    """Closes every descriptor above `highest_kept` (close_range(2))."""
    os.closerange(highest_kept + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def die_with(parent: int) -> None:
    """SIGKILL when the process `parent` ends; ends this process at once when it is gone already.

    The signal belongs to the parent at the time of the call (prctl(2), PR_SET_PDEATHSIG), so the parent's id is
    compared after the call."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def confine(
    memory: int = MEMORY, program: bytes | None = None, *, writes: bool = False, threads: bool = False
) -> str:  # fmt: skip
    """Limits this process for good and says how, as text for the manifest's `sandbox`.

    `memory` is the address space in bytes; 0 leaves it as it is. `program` is what `seccomp.build` gave (None: there is
    no libseccomp); `writes` leaves the length of files free, for the operation `write`. `threads`: threads may be
    started where `program` (built for them) lets no process be; else not even these. Raises OSError when the kernel has
    something of this and refuses it."""
    _prctl(PR_SET_DUMPABLE, 0)
    if memory:
        _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_NOFILE, DESCRIPTORS)
    if not writes:
        _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    if not threads:
        _limit(resource.RLIMIT_NPROC, 0)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    version = landlock.restrict()
    filtered = program is not None and seccomp.load(program)
    if threads and not filtered:
        _limit(resource.RLIMIT_NPROC, 0)
    said = f"rlimits=1 memory={memory} dumpable=0 no_new_privs=1 pdeathsig=1 seccomp={int(filtered)} landlock={version}"
    return f"{said} threads=1" if threads and filtered else said


def probe(memory: int, program: bytes | None, *, threads: bool = False) -> str:
    """What `confine` would say, found out by a child of this process that is confined and ends."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, confine(memory, program, threads=threads).encode("ascii"))
        finally:
            os._exit(0)
    os.close(writing)
    try:
        return os.read(reading, 4096).decode("ascii") or "none"
    finally:
        os.close(reading)
        os.waitpid(pid, 0)


def _limit(which: int, value: int) -> None:
    """Soft and hard limit; a lower hard limit that is in force already stays."""
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")
