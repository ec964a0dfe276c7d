"""A system call filter for workers: what a parser of an open descriptor needs, and nothing that takes a path.

The filter is built once by libseccomp (which knows the numbers of each architecture; Debian's apt depends on it), as
data, and loaded by prctl(2) in each worker: building costs some 10 ms, loading a few microseconds. A call that is not
on the list fails with EACCES: Python, glibc and Pillow try a few of them harmlessly (a stat of a source line for a
warning, getsockname when a socket object closes), and must go on.

Rule: seccomp(2), prctl(2) PR_SET_SECCOMP; libseccomp's seccomp_rule_add(3), seccomp_export_bpf(3).
"""

from __future__ import annotations

import ctypes
import errno
import os

ALLOWED = (
    # descriptors that the worker was given. newfstatat: glibc's fstat(3) on most architectures; it also tells a path's
    # size and times, and nothing more.
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "close", "lseek", "_llseek", "fstat",
    "fstat64", "fstatat64", "newfstatat", "recvmsg", "recvfrom", "sendmsg", "fadvise64", "fadvise64_64",
    "arm_fadvise64_64", "close_range", "poll", "ppoll", "ppoll_time64",
    # memory
    "brk", "munmap", "mremap", "madvise",
    # the process itself
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack", "restart_syscall", "futex",
    "futex_time64", "getpid", "gettid", "getppid", "sched_yield", "getrandom", "getrusage", "exit", "exit_group",
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "clock_nanosleep",
    "clock_nanosleep_time64", "nanosleep", "gettimeofday", "time", "set_robust_list", "rseq", "membarrier",
)  # fmt: skip
NOT_EXECUTABLE = ("mmap", "mmap2", "mprotect")  # allowed as long as PROT_EXEC is not asked for (third argument)
WRITING = ("pwrite64", "pwritev", "pwritev2", "ftruncate", "ftruncate64", "fsync", "fdatasync", "copy_file_range",
           "sendfile", "sendfile64", "fallocate")  # fmt: skip

PROT_EXEC = 4  # <sys/mman.h>
CLONE_VM, CLONE_THREAD = 0x100, 0x10000  # <linux/sched.h>
_ALLOW = 0x7FFF0000  # <seccomp.h>: SCMP_ACT_ALLOW
_ERRNO = 0x00050000  # SCMP_ACT_ERRNO(x): or'ed with the number
_MASKED_EQUAL = 7  # SCMP_CMP_MASKED_EQ
_UNKNOWN = -1  # __NR_SCMP_ERROR
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_INSTRUCTION = 8  # bytes of one struct sock_filter


class _Comparison(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


class _Program(ctypes.Structure):
    """struct sock_fprog of <linux/filter.h>."""

    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def build(*, writes: bool = False, threads: bool = False) -> bytes | None:
    """The filter as an array of struct sock_filter; None when libseccomp is not there. `writes`: also what changes the
    contents of a descriptor that is open for writing. `threads`: also clone(2) of a thread, not of a process;
    clone3(2), whose flags no filter can see, is then a call that this kernel does not have: glibc takes the other one.
    Raises OSError when libseccomp refuses a rule."""
    try:
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError:
        return None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p
    ]  # fmt: skip
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_release.restype = None
    context = library.seccomp_init(_ERRNO | errno.EACCES)
    if not context:
        raise OSError(errno.ENOMEM, "seccomp_init failed")
    try:
        for name in ALLOWED + (WRITING if writes else ()):
            _allow(library, context, name, None)
        no_exec = _Comparison(2, _MASKED_EQUAL, PROT_EXEC, 0)
        for name in NOT_EXECUTABLE:
            _allow(library, context, name, no_exec)
        if threads:
            thread = CLONE_VM | CLONE_THREAD
            _allow(library, context, "clone", _Comparison(0, _MASKED_EQUAL, thread, thread))
            _rule(library, context, _ERRNO | errno.ENOSYS, "clone3", None)
        return _export(library, context)
    finally:
        library.seccomp_release(context)


def _allow(library: ctypes.CDLL, context: int, name: str, comparison: _Comparison | None) -> None:
    _rule(library, context, _ALLOW, name, comparison)


def _rule(library: ctypes.CDLL, context: int, action: int, name: str, comparison: _Comparison | None) -> None:
    """One rule; a call that this architecture does not have is passed over."""
    number = library.seccomp_syscall_resolve_name(name.encode("ascii"))
    if number == _UNKNOWN or number < 0:
        return
    reference = ctypes.byref(comparison) if comparison is not None else None
    status = library.seccomp_rule_add_array(context, action, number, 0 if comparison is None else 1, reference)
    if status < 0:
        raise OSError(-status, f"seccomp_rule_add({name}): {os.strerror(-status)}")


def _export(library: ctypes.CDLL, context: int) -> bytes:
    sink = os.memfd_create("filter", os.MFD_CLOEXEC)
    try:
        status = library.seccomp_export_bpf(context, sink)
        if status < 0:
            raise OSError(-status, f"seccomp_export_bpf: {os.strerror(-status)}")
        return os.pread(sink, os.fstat(sink).st_size, 0)
    finally:
        os.close(sink)


def load(program: bytes) -> bool:
    """Puts this process under the filter for good; NO_NEW_PRIVS must be set. False when the kernel has no seccomp
    filters (EINVAL: not configured, or an outer filter forbids the call). Raises OSError for any other refusal."""
    buffer = ctypes.create_string_buffer(program, len(program))
    given = _Program(len(program) // _INSTRUCTION, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(given), 0, 0) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.EPERM, errno.EACCES, errno.ENOSYS):
        return False
    raise OSError(code, f"prctl(PR_SET_SECCOMP): {os.strerror(code)}")
