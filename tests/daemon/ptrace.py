"""Stopping a process at its system calls (ptrace(2)): to kill it there, or to have a call fail.

No tool is needed and nothing in the process knows of it. Killing works on every architecture; failing a call is done
by changing registers, which this file knows for x86-64 (`CAN_FAIL`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

CAN_FAIL = platform.machine() == "x86_64" and sys.maxsize > 1 << 32

_CONT, _GETREGS, _SETREGS, _DETACH, _SYSCALL = 7, 12, 13, 17, 24
_SEIZE, _INTERRUPT, _GET_SYSCALL_INFO = 0x4206, 0x4207, 0x420E
_TRACESYSGOOD = 1
_WALL = 0x40000000
_ORIG_RAX, _RAX = 15, 10  # of struct user_regs_struct, in 8 bytes

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)

# x86-64 (arch/x86/entry/syscalls/syscall_64.tbl), those that a mover's faults are about.
NAMES = {
    5: "fstat", 16: "ioctl", 17: "pread64", 18: "pwrite64", 72: "fcntl", 74: "fsync", 77: "ftruncate", 91: "fchmod",
    93: "fchown", 138: "fstatfs", 190: "fsetxattr", 193: "fgetxattr", 196: "flistxattr", 257: "openat", 258: "mkdirat",
    262: "newfstatat", 263: "unlinkat", 265: "linkat", 266: "symlinkat", 267: "readlinkat", 268: "fchmodat",
    44: "sendto", 280: "utimensat", 316: "renameat2", 332: "statx", 437: "openat2",
}  # fmt: skip


class _Info(ctypes.Structure):
    """struct ptrace_syscall_info."""

    _fields_ = (
        ("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32), ("ip", ctypes.c_uint64),
        ("sp", ctypes.c_uint64), ("nr", ctypes.c_uint64), ("args", ctypes.c_uint64 * 6), ("more", ctypes.c_uint64 * 2),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a process stands: before a call or after it; `name` is empty for calls that nobody asks for."""

    entry: bool
    name: str


Choice = Callable[[Stop], "str | int | None"]
"""What is to happen at a stop: None, "kill", or the errno with which a call fails that is about to be made."""


def _ptrace(request: int, pid: int, data: object = None) -> int:
    ctypes.set_errno(0)
    done = int(_libc.ptrace(request, pid, None, data))
    if done < 0 and ctypes.get_errno():
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return done


class Ended(Exception):
    """The process is no more."""


class Tracee:
    """A process under trace, by the thread that seized it. It stands still after `seize` until `run`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.stops = 0
        self._name = ""  # of the call in hand

    def seize(self) -> None:
        """Stops the process. Raises OSError EPERM where that is not allowed."""
        _ptrace(_SEIZE, self.pid, ctypes.c_void_p(_TRACESYSGOOD))
        _ptrace(_INTERRUPT, self.pid)
        self._wait()

    def _wait(self) -> int:
        try:
            _pid, status = os.waitpid(self.pid, _WALL)
        except ChildProcessError:
            raise Ended from None
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            raise Ended
        return status

    def run(self, choose: Choice, until: Callable[[], bool] = lambda: False) -> str:
        """Runs it from stop to stop: "ended" when it has, "killed" when it was, "let go" when `until` says so."""
        request: int = _SYSCALL
        passed = 0
        failing = 0
        try:
            while True:
                if not failing and until():
                    _ptrace(_DETACH, self.pid)
                    return "let go"
                _ptrace(request, self.pid, ctypes.c_void_p(passed))
                status = self._wait()
                number = os.WSTOPSIG(status)
                passed = 0
                if number == signal.SIGTRAP | 0x80:
                    failing = self._stop(choose, failing)
                elif status >> 16 == 0:
                    passed = number  # a signal of its own
        except Ended:
            return "ended"
        except ProcessLookupError:
            self._reap()
            return "ended"
        except _Kill:
            os.kill(self.pid, signal.SIGKILL)
            self._reap()
            return "killed"

    def _reap(self) -> None:
        try:
            while True:
                self._wait()
        except Ended:
            return

    def _stop(self, choose: Choice, failing: int) -> int:
        info = _Info()
        _libc.ptrace(_GET_SYSCALL_INFO, self.pid, ctypes.c_void_p(ctypes.sizeof(info)), ctypes.byref(info))
        self.stops += 1
        if failing and info.op == 2:
            self._set(_RAX, -failing)
            return 0
        entry = info.op == 1
        if entry:
            self._name = NAMES.get(int(info.nr), "") if CAN_FAIL else ""
        choice = choose(Stop(entry, self._name))
        if choice == "kill":
            raise _Kill
        if isinstance(choice, int) and entry:
            self._set(_ORIG_RAX, -1)  # no call at all
            return choice
        return 0

    def _set(self, register: int, value: int) -> None:
        registers = (ctypes.c_uint64 * 27)()
        _ptrace(_GETREGS, self.pid, ctypes.byref(registers))
        registers[register] = value & (1 << 64) - 1
        _ptrace(_SETREGS, self.pid, ctypes.byref(registers))


class _Kill(Exception):
    """This is the point."""


def allowed() -> bool:
    """Whether a process may be traced here."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    try:
        Tracee(pid).seize()
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS):
            raise
        return False
    finally:
        os.kill(pid, signal.SIGKILL)
        try:
            while True:
                os.waitpid(pid, _WALL)
        except ChildProcessError:
            pass
    return True
