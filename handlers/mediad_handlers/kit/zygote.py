"""The fork server: a warm process that forks workers onto descriptors it is given (handlers/README.md, Warm start).

A child is reaped only after the daemon acknowledged it, because until then its process id must not be used again: the
daemon opens a pidfd by that number.
"""

from __future__ import annotations

import array
import gc
import os
import select
import socket
from collections.abc import Callable
from typing import Any

import msgpack

from mediad_handlers.kit import confine
from mediad_handlers.kit.worker import ANSWERS

WORKER_DESCRIPTORS = 2  # a worker's standard input and standard output


class Zygote:
    """Serves fork requests on descriptor 0, answers on ANSWERS. `work(memory)` is what a child does: it confines
    itself, serves and returns its exit status."""

    def __init__(self, manifest: bytes, work: Callable[[int], int], memory: int) -> None:
        self._manifest = manifest
        self._work = work
        self._memory = memory
        self._socket = socket.socket(fileno=0)
        self._unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        self._arrived: list[int] = []
        self._unacknowledged: dict[Any, tuple[int, int]] = {}  # n -> (pid, pidfd)
        self._children: dict[int, int] = {}  # pidfd -> pid, of acknowledged children
        self._poll = select.poll()

    def serve(self) -> int:
        """Until standard input ends; then returns 0, and the kernel ends the children."""
        _send(self._manifest)
        gc.collect()
        gc.freeze()  # so that a child's collector leaves the shared pages alone
        self._poll.register(0, select.POLLIN)
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor != 0:
                    self._reap(descriptor)
                elif not self._receive():
                    return 0

    def _receive(self) -> bool:
        space = socket.CMSG_SPACE(16 * array.array("i").itemsize)
        data, ancillary, _, _ = self._socket.recvmsg(4096, space, socket.MSG_CMSG_CLOEXEC)
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(payload[: len(payload) - len(payload) % received.itemsize])
                self._arrived.extend(received)
        if not data:
            return False
        self._unpacker.feed(data)
        for request in self._unpacker:
            if "fork" in request:
                self._fork(request["fork"], int(request.get("memory", self._memory)))
            elif "ack" in request:
                self._acknowledge(request["ack"])
        return True

    def _fork(self, number: Any, memory: int) -> None:
        if len(self._arrived) < WORKER_DESCRIPTORS:
            _send(msgpack.packb({"fork": number, "error": "two descriptors were expected with this request"}))
            return
        source, sink = self._arrived[:WORKER_DESCRIPTORS]
        del self._arrived[:WORKER_DESCRIPTORS]
        zygote = os.getpid()
        try:
            pid = os.fork()
        except OSError as fault:
            _send(msgpack.packb({"fork": number, "error": f"fork: {fault.strerror}"}))
            os.close(source)
            os.close(sink)
            return
        if pid == 0:
            self._become_worker(zygote, source, sink, memory)
        os.close(source)
        os.close(sink)
        self._unacknowledged[number] = (pid, os.pidfd_open(pid))
        _send(msgpack.packb({"fork": number, "pid": pid}))

    def _become_worker(self, zygote: int, source: int, sink: int, memory: int) -> None:
        """In the child; never returns: whatever happens, the zygote's loop must not go on here."""
        status = 1
        try:
            self._socket.detach()
            os.dup2(source, 0)
            os.dup2(sink, ANSWERS, inheritable=False)
            confine.close_others(ANSWERS)
            confine.die_with(zygote)
            status = self._work(memory)
        finally:
            os._exit(status)

    def _acknowledge(self, number: Any) -> None:
        pid, handle = self._unacknowledged.pop(number, (0, -1))
        if pid:
            self._children[handle] = pid
            self._poll.register(handle, select.POLLIN)

    def _reap(self, handle: int) -> None:
        self._poll.unregister(handle)
        pid, status = os.waitpid(self._children.pop(handle), 0)
        os.close(handle)
        _send(msgpack.packb({"exit": pid, "status": status}))


def _send(data: bytes) -> None:
    sent = os.write(ANSWERS, data)
    while sent < len(data):
        sent += os.write(ANSWERS, data[sent:])
