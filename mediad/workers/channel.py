"""msgpack messages and descriptors over sockets and pipes, on the loop, in small bites.

A channel never holds the loop: what one wake-up brings is handled for a few milliseconds, the rest after others had
their turn. It can be paused: then the other side fills its pipe and waits, and nothing grows here.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable
from typing import Any

import msgpack

from mediad.workers.protocol import Garbage

# Time a channel may handle messages before others have their turn: some channels and a batch for the database together
# stay below what the loop promises (10 ms).
BITE_SECONDS = 0.0015
_TOO_LONG = "a message longer than allowed"
_RIGHTS = socket.CMSG_SPACE(253 * array("i").itemsize)


class Channel:
    """One side of a conversation: `receiver` brings messages (a socket also descriptors), `sender` takes them.

    `on_message(message)` may raise Garbage; that, and bytes that are no msgpack, end the channel: `on_end(reason)`,
    reason "" when the other side closed. Descriptors that came wait in `descriptors`, in order."""

    def __init__(
        self,
        receiver: socket.socket | int,
        sender: socket.socket,
        on_message: Callable[[Any], None],
        on_end: Callable[[str], None],
        *,
        most: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._receiver = receiver
        self._fd = receiver if isinstance(receiver, int) else receiver.fileno()
        self._sender = sender
        self._on_message = on_message
        self._on_end = on_end
        self._unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=most)
        # The unpacker's own limit is of bytes it has not looked at: a message may be endless all the same.
        self._most = most
        self._fed = 0
        self._taken = 0
        self.descriptors: deque[int] = deque()
        self._outbox: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._reading = False
        self._writing = False
        self._paused = False
        self._more = False
        self._again: asyncio.Handle | None = None
        self._last = False
        self.closed = False
        os.set_blocking(self._fd, False)
        sender.setblocking(False)
        self._read_on()

    # -------------------------------------------------------------- receiving

    def pause(self) -> None:
        """Stops taking messages until `resume`."""
        self._paused = True
        self._read_off()

    def resume(self) -> None:
        """Goes on taking messages, those first that are already here."""
        if self.closed or not self._paused:
            return
        self._paused = False
        self._schedule()

    def expect_end(self) -> None:
        """The process at the other side has ended: what it wrote is still taken, then the channel ends, though a child
        of it may hold the pipe open."""
        self._last = True
        if self._reading:
            self._loop.call_soon(self._readable)

    def _read_on(self) -> None:
        if not self._reading and not self.closed:
            self._loop.add_reader(self._fd, self._readable)
            self._reading = True

    def _read_off(self) -> None:
        if self._reading:
            self._loop.remove_reader(self._fd)
            self._reading = False

    def _schedule(self) -> None:
        if self._again is None:
            self._again = self._loop.call_soon(self._drain)

    def _readable(self) -> None:
        if not self._reading:
            return
        try:
            data = self._receive()
        except (BlockingIOError, InterruptedError):
            if self._last:
                self._end("")
            return
        except OSError as error:
            self._end(error.strerror or "lost")
            return
        if not data:
            self._end("")
            return
        try:
            self._unpacker.feed(data)
        except msgpack.BufferFull:
            self._end(_TOO_LONG)
            return
        self._fed += len(data)
        self._drain()

    def _receive(self) -> bytes:
        if isinstance(self._receiver, int):
            return os.read(self._fd, 1 << 16)
        data, ancillary, _flags, _address = self._receiver.recvmsg(1 << 16, _RIGHTS, socket.MSG_CMSG_CLOEXEC)
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array("i")
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
                self.descriptors.extend(fds)
        return data

    def _goes_on(self) -> bool:
        return not self.closed and not self._paused

    def _drain(self) -> None:
        self._again = None
        until = time.monotonic() + BITE_SECONDS
        try:
            while self._goes_on():
                try:
                    message = self._unpacker.unpack()
                except msgpack.OutOfData:
                    if self._fed - self._taken > self._most:
                        raise Garbage(_TOO_LONG) from None
                    self._read_on()
                    if self._last:
                        self._loop.call_soon(self._readable)
                    return
                begun, self._taken = self._taken, self._unpacker.tell()
                if self._taken - begun > self._most:
                    raise Garbage(_TOO_LONG)
                self._on_message(message)
                if time.monotonic() > until:
                    self._read_off()
                    if self._goes_on():
                        self._schedule()
                    return
        except Garbage as error:
            self._end(str(error))
        except (ValueError, msgpack.UnpackException) as error:
            self._end(f"no msgpack: {type(error).__name__}")

    # -------------------------------------------------------------- sending

    def send(self, message: bytes, fds: tuple[int, ...] = ()) -> None:
        """Sends packed bytes, descriptors with the first of them. The descriptors are duplicated by the kernel when
        they go out; they must stay open until `flushed` or the end."""
        if self.closed:
            return
        self._outbox.append((memoryview(message), fds))
        if not self._writing:
            self._writable()

    @property
    def flushed(self) -> bool:
        """Everything went out."""
        return not self._outbox

    def _writable(self) -> None:
        while self._outbox:
            data, fds = self._outbox[0]
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))] if fds else []
            try:
                sent = self._sender.sendmsg([data], rights)
            except (BlockingIOError, InterruptedError):
                if not self._writing:
                    self._writing = True
                    self._loop.add_writer(self._sender.fileno(), self._writable)
                return
            except OSError as error:
                self._end(error.strerror or "lost")
                return
            if sent < len(data):
                self._outbox[0] = (data[sent:], ())
            else:
                self._outbox.popleft()
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._sender.fileno())

    # -------------------------------------------------------------- the end

    def _end(self, reason: str) -> None:
        if not self.closed:
            self.close()
            self._on_end(reason)

    def close(self) -> None:
        """Closes both directions and every descriptor that nobody took."""
        if self.closed:
            return
        self.closed = True
        self._read_off()
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._sender.fileno())
        if self._again is not None:
            self._again.cancel()
        if isinstance(self._receiver, int):
            os.close(self._receiver)
        elif self._receiver is not self._sender:
            self._receiver.close()
        self._sender.close()
        self._outbox.clear()
        while self.descriptors:
            os.close(self.descriptors.popleft())
