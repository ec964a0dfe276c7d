"""What hostile clients get from a running daemon, and what it costs: a table of answers, resident memory and latency.

    python bench/abuse.py [--quick]

Starts a private daemon, does everything below to it over its socket, and asks it after each abuse from another
connection. `--quick` leaves out what has to wait for the daemon's own deadlines (5 to 30 s). Ends with 1 when an answer
is not the one due. tests/integration/test_clients_load.py runs the same functions.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import select
import socket
import struct
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from mediactl import AsyncClient, Client
from mediad.wire import session as wire
from mediadb_contract import mediadb_pb2 as pb
from mediadb_contract.framing import FrameReader, frame

MEGABYTE = 1 << 20
# Slack for a cut on time: a loaded machine's scheduler, not the daemon's own lateness.
LATE_SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    """What one abuse got. `due`: it is what the protocol promises."""

    got: str
    due: bool


@dataclass(frozen=True)
class Row:
    """An outcome and its price: resident bytes of the daemon before and after, seconds it took, and the seconds a
    ping from another connection took right after it."""

    name: str
    outcome: Outcome
    before: int
    after: int
    seconds: float
    ping: float


class Peer:
    """A client that says exactly what it is told to. Every wait ends by TimeoutError after `seconds`."""

    def __init__(self, path: Path, *, hello: bool = True, seconds: float = 60.0) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(seconds)
        self.socket.connect(os.fspath(path))
        self._reader = FrameReader(16 * MEGABYTE)
        if hello:
            self.send(pb.ClientFrame(hello=pb.Hello(protocol_min=1, protocol_max=1, client="abuse")))
            greeting = self.receive()
            assert greeting is not None and greeting.WhichOneof("frame") == "greeting", greeting

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, *frames: pb.ClientFrame) -> None:
        """Sends frames in one write."""
        self.socket.sendall(b"".join(frame(each.SerializeToString(), 16 * MEGABYTE) for each in frames))

    def receive(self) -> pb.ServerFrame | None:
        """The next frame; None at the end of the connection."""
        while (payload := self._reader.next()) is None:
            try:
                data = self.socket.recv(1 << 18)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._reader.feed(data)
        return pb.ServerFrame.FromString(payload)

    def receive_last(self) -> pb.Reply:
        """The next reply that ends a request. EOFError when the connection ends instead."""
        while (received := self.receive()) is not None:
            if received.reply.last:
                return received.reply
        raise EOFError("the connection ended")

    def until_end(self) -> str:
        """The code of the last error before the end of the connection, "end" when none came."""
        code = "end"
        while (received := self.receive()) is not None:
            error = received.greeting.error if received.WhichOneof("frame") == "greeting" else received.reply.error
            if error.code:
                code = code_name(error.code)
        return code


def code_name(code: int) -> str:
    """A wire code as people read it."""
    return str(pb.Code.Name(code)).lower()


def ping(ident: int, payload: bytes = b"") -> pb.ClientFrame:
    """A ping in its frame."""
    return pb.ClientFrame(request=pb.Request(id=ident, ping=pb.Ping(payload=payload)))


def resident(pid: int) -> int:
    """Resident bytes of a process (proc_pid_status(5), VmRSS)."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"{pid} has no memory any more")


def ping_seconds(path: Path) -> float:
    """How long a new connection and one ping take."""
    began = time.perf_counter()
    with Client(str(path)) as client:
        assert client.ping(b"there?") == b"there?"
    return time.perf_counter() - began


# ---------------------------------------------------------------- many


def burst(path: Path, requests: int = 10_000, in_flight: int = 64) -> Outcome:
    """Requests over one connection, `in_flight` at a time."""

    async def run() -> tuple[int, float]:
        right, numbers = 0, iter(range(requests))
        async with AsyncClient(str(path)) as client:

            async def lane() -> None:
                nonlocal right
                for number in numbers:
                    answer = await client.ping(b"%d" % number)
                    right += answer == b"%d" % number

            began = time.perf_counter()
            await asyncio.gather(*(lane() for _ in range(in_flight)))
            return right, time.perf_counter() - began

    right, seconds = asyncio.run(run())
    return Outcome(f"{right:,} right answers, {right / seconds:,.0f} a second", right == requests)


def crowd(path: Path, connections: int = 1000) -> Outcome:
    """That many connections open at once, each greeted and answered; all of them again while all are open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = connections + 200
    if soft < need:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(need, hard), hard))
    peers: list[Peer] = []
    try:
        peers.extend(Peer(path) for _ in range(connections))
        for _ in range(2):
            for number, peer in enumerate(peers, 1):
                peer.send(ping(number))
            answered = sum(peer.receive_last().id == number for number, peer in enumerate(peers, 1))
        with Client(str(path)) as client:
            counted = client.status().connections
    finally:
        for peer in peers:
            peer.socket.close()
    return Outcome(f"{answered} answered, status counts {counted}", answered == connections < counted)


def over_limit(path: Path) -> Outcome:
    """200 requests in one write: those over the announced limit are refused one by one, the connection stays."""
    with Peer(path) as peer:
        # Not pings: they are answered in the turn they come in, and none is ever in flight.
        peer.send(*(pb.ClientFrame(request=pb.Request(id=number, roots={})) for number in range(1, 201)))
        replies = [peer.receive_last() for _ in range(200)]
        refused = [reply for reply in replies if reply.error.code == pb.LIMIT_EXCEEDED]
        peer.send(ping(1000))
        alive = peer.receive_last().WhichOneof("result") == "pong"
    most = wire.Limits().requests_in_flight
    due = len(refused) == 200 - most and all(reply.error.retryable for reply in refused) and alive
    return Outcome(f"{200 - len(refused)} answered, {len(refused)} limit_exceeded (try again), goes on", due)


# ---------------------------------------------------------------- wrong bytes


def _cut_with(path: Path, data: bytes, *, hello: bool, seconds: float = 5.0) -> str:
    with Peer(path, hello=hello, seconds=seconds) as peer:
        try:
            peer.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the daemon has cut already; what it said is still to be read
        return peer.until_end()


def huge_length(path: Path) -> Outcome:
    """A frame that claims 4 GiB, with and without a greeting before it: cut without waiting for the bytes."""
    got = {_cut_with(path, struct.pack("<I", 0xFFFFFFFF) + b"x", hello=hello) for hello in (True, False)}
    got |= {_cut_with(path, struct.pack(">I", 0xFFFFFFFF) + b"x", hello=hello) for hello in (True, False)}
    return Outcome(", ".join(sorted(got)), got == {"protocol_error"})


def random_bytes(path: Path, rounds: int = 100, seed: int = 20261121) -> Outcome:
    """Noise in well-formed frames and without, before and after the greeting."""
    rng, got = random.Random(seed), set()
    for number in range(rounds):
        noise = rng.randbytes(rng.randrange(1, 2000))
        data = frame(noise, MEGABYTE) if number % 2 else b"\xff\xff" + noise
        with Peer(path, hello=number % 4 > 1, seconds=5.0) as peer:
            try:
                peer.socket.sendall(data)
                peer.socket.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # cut in the middle of it
            got.add(peer.until_end())
    return Outcome(", ".join(sorted(got)), got <= {"protocol_error", "end"} and "protocol_error" in got)


def unknown_fields(path: Path) -> Outcome:
    """Field numbers of a later protocol, in every message of a ping: passed over."""
    later = b"\xfa\x3e\x05later"  # field 1007, LEN
    body = pb.Ping(payload=b"p").SerializeToString() + later
    inner = pb.Request(id=7).SerializeToString() + later + b"\x82\x01" + bytes([len(body)]) + body
    outer = later + b"\x12" + bytes([len(inner)]) + inner
    with Peer(path) as peer:
        peer.socket.sendall(frame(outer, MEGABYTE))
        reply = peer.receive_last()
    return Outcome(f"{reply.WhichOneof('result')}", reply.id == 7 and reply.pong.payload == b"p")


def bad_ids(path: Path) -> Outcome:
    """Request id 0, and an id that is in flight already."""
    with Peer(path) as peer:
        peer.send(ping(0))
        zero = peer.until_end()
    with Peer(path) as peer:
        peer.send(*(pb.ClientFrame(request=pb.Request(id=5, roots={})) for _ in range(2)))
        twice = peer.until_end()
    return Outcome(f"{zero}, {twice}", (zero, twice) == ("protocol_error", "protocol_error"))


def endless_parts(path: Path) -> Outcome:
    """A request in parts that never ends: refused at its limit, the connection stays."""
    with Peer(path) as peer:
        part = pb.Request(id=1, more=True, get=pb.GetRequest(targets=[pb.Target(path=b"/" + b"x" * 1000)] * 200))
        for _ in range(100):
            peer.send(pb.ClientFrame(request=part))
        reply = peer.receive_last()
        peer.send(ping(2))
        alive = peer.receive_last().id == 2
    return Outcome(f"{code_name(reply.error.code)}, goes on", reply.error.code == pb.LIMIT_EXCEEDED and alive)


# ---------------------------------------------------------------- slow and silent


def _timed_end(peer: Peer, began: float) -> tuple[str, float]:
    code = peer.until_end()
    return code, time.perf_counter() - began


def no_hello(path: Path) -> Outcome:
    """A connection that says nothing."""
    began = time.perf_counter()
    with Peer(path, hello=False) as peer:
        code, seconds = _timed_end(peer, began)
    on_time = wire.HELLO_SECONDS - 0.5 < seconds < wire.HELLO_SECONDS + LATE_SECONDS
    return Outcome(f"{code} after {seconds:.1f} s", code == "limit_exceeded" and on_time)


def half_frame(path: Path) -> Outcome:
    """Half a frame, then nothing."""
    with Peer(path) as peer:
        data = frame(ping(1, b"x" * 1000).SerializeToString(), MEGABYTE)
        began = time.perf_counter()
        peer.socket.sendall(data[: len(data) // 2])
        code, seconds = _timed_end(peer, began)
    on_time = wire.FRAME_SECONDS - 0.5 < seconds < wire.FRAME_SECONDS + LATE_SECONDS
    return Outcome(f"{code} after {seconds:.1f} s", code == "limit_exceeded" and on_time)


def _fill(peer: Peer, payload: bytes, most: int) -> int:
    """Sends pings, reads nothing, until the daemon takes no more for a second. Returns the bytes it took."""
    peer.socket.settimeout(1.0)
    taken, number = 0, 0
    while taken < most:
        number += 1
        data = frame(ping(number, payload).SerializeToString(), MEGABYTE)
        view = memoryview(data)
        try:
            while view:
                sent = peer.socket.send(view)
                view, taken = view[sent:], taken + sent
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            break
    return taken


def _wait_for_cut(peer: Peer, most: float) -> float:
    """Seconds until the daemon has ended the connection of a peer that still reads nothing (POLLHUP/POLLERR)."""
    poll = select.poll()
    poll.register(peer.socket, 0)  # errors and hang-ups only
    began = time.perf_counter()
    poll.poll(most * 1000)
    return time.perf_counter() - began


def never_reads(path: Path, payload: int = 200_000) -> Outcome:
    """Large pings without reading one answer: the daemon stops reading, later it cuts."""
    most = 64 * MEGABYTE
    with Peer(path) as peer:
        taken = _fill(peer, b"x" * payload, most)
        seconds = _wait_for_cut(peer, wire.STALL_SECONDS + 2 * LATE_SECONDS)
    cut = seconds < wire.STALL_SECONDS + LATE_SECONDS
    return Outcome(f"{taken / MEGABYTE:.1f} MB taken of it, cut after {seconds:.0f} s", taken < 8 * MEGABYTE and cut)


def many_never_read(path: Path, peers: int = 50) -> Outcome:
    """The same from many at once; how much they can make the daemon hold."""
    made = [Peer(path) for _ in range(peers)]
    try:
        with ThreadPoolExecutor(peers) as pool:
            taken = list(pool.map(lambda peer: _fill(peer, b"x" * 200_000, 32 * MEGABYTE), made))
        reply = ping_seconds(path)
        seconds = _wait_for_cut(made[-1], wire.STALL_SECONDS + 2 * LATE_SECONDS)
    finally:
        for peer in made:
            peer.socket.close()
    due = max(taken) < 8 * MEGABYTE and seconds < wire.STALL_SECONDS + LATE_SECONDS and reply < 1.0
    text = f"{peers} peers: {max(taken) / MEGABYTE:.1f} MB taken of each, others answered in {reply * 1000:.0f} ms"
    return Outcome(f"{text}, cut after {seconds:.0f} s", due)


def leaves_unread(path: Path) -> Outcome:
    """Answers below the mark that stops the daemon, never read, then wrong bytes: the connection must not stay in the
    daemon with its buffer."""
    with Client(str(path)) as client, Peer(path) as peer:
        before = client.status().connections
        peer.send(*(ping(number, b"x" * 100_000) for number in range(1, 5)))
        time.sleep(0.2)
        peer.socket.sendall(struct.pack("<I", 0xFFFFFFFF))
        until = time.monotonic() + wire.STALL_SECONDS + LATE_SECONDS
        while (now := client.status().connections) >= before and time.monotonic() < until:
            time.sleep(0.5)
    return Outcome(f"{before - now} connection gone after the cut", now == before - 1)


# ---------------------------------------------------------------- changes of mind


def sparse_file(folder: Path, size: int = 3 << 30) -> Path:
    """A file that takes long to hash and no room: a hole, after the first bytes of an MP3 frame."""
    folder.mkdir(exist_ok=True)
    made = folder / "sparse.mp3"
    with open(made, "wb") as out:
        out.write(b"\xff\xfb\x90\x00" + bytes(1000))
        out.truncate(size)
    return made


def cancelled(path: Path, target: Path) -> Outcome:
    """A checksum of a large file, cancelled after its first progress."""
    with Peer(path) as peer:
        what = pb.ChecksumRequest(targets=[pb.Target(path=os.fsencode(target))])
        peer.send(pb.ClientFrame(request=pb.Request(id=1, checksum=what)))
        first = peer.receive()
        began = time.perf_counter()
        peer.send(pb.ClientFrame(cancel=pb.Cancel(id=1)))
        reply = peer.receive_last()
        seconds = time.perf_counter() - began
    hashing = first is not None and first.reply.progress.stage == "hashing"
    due = hashing and reply.error.code == pb.CANCELLED and seconds < 2.0
    return Outcome(f"{code_name(reply.error.code)} after {seconds * 1000:.0f} ms", due)


def deadline(path: Path, target: Path, milliseconds: int = 300) -> Outcome:
    """A checksum of a large file that may take 300 ms."""
    with Peer(path) as peer:
        what = pb.ChecksumRequest(targets=[pb.Target(path=os.fsencode(target))])
        began = time.perf_counter()
        peer.send(pb.ClientFrame(request=pb.Request(id=1, deadline_ms=milliseconds, checksum=what)))
        reply = peer.receive_last()
        seconds = time.perf_counter() - began
    due = reply.error.code == pb.DEADLINE_EXCEEDED and milliseconds / 1000 - 0.05 < seconds < milliseconds / 1000 + 2.0
    return Outcome(f"{code_name(reply.error.code)} after {seconds * 1000:.0f} ms", due)


def same_operation(path: Path, folder: Path) -> Outcome:
    """An add and a forget of a folder, each sent twice at once and a third time after that, under one operation id
    each; then such an id for another request; at the end the folder is added again."""
    paths = [os.fsencode(folder)]
    add = pb.AddRequest(paths=paths, wait=True)
    forget = pb.ForgetRequest(targets=[pb.Target(path=paths[0])])
    same, used = True, b""
    with Peer(path) as peer:
        for command in ({"add": add}, {"forget": forget}, {"add": add}):
            used = uuid.uuid4().bytes
            frames = [pb.ClientFrame(request=pb.Request(id=n, operation=used, **command)) for n in (1, 2, 3)]
            peer.send(*frames[:2])
            replies = [peer.receive_last(), peer.receive_last()]
            peer.send(frames[2])
            replies.append(peer.receive_last())
            bodies = {
                getattr(reply, name).SerializeToString(deterministic=True) for reply in replies for name in command
            }
            same = same and len(bodies) == 1 and all(reply.WhichOneof("result") in command for reply in replies)
            same = same and (not replies[0].HasField("forget") or replies[0].forget.roots == 1)
        peer.send(pb.ClientFrame(request=pb.Request(id=4, operation=used, forget=forget)))
        conflict = peer.receive_last()
    text = f"{'one answer' if same else 'different answers'} three times, then {code_name(conflict.error.code)}"
    return Outcome(text, same and conflict.error.code == pb.CONFLICT)


# ---------------------------------------------------------------- all of it

Abuse = tuple[str, Callable[[], Outcome]]


def quick_abuses(path: Path, folder: Path) -> list[Abuse]:
    """Everything that waits for nothing. `folder` is empty and may be added."""
    large = folder / "large"
    return [
        ("10,000 requests, 64 in flight", lambda: burst(path)),
        ("1,000 connections at once", lambda: crowd(path)),
        ("200 requests in one write", lambda: over_limit(path)),
        ("a length of 4 GiB", lambda: huge_length(path)),
        ("random bytes, 100 times", lambda: random_bytes(path)),
        ("unknown fields", lambda: unknown_fields(path)),
        ("id 0; an id twice", lambda: bad_ids(path)),
        ("parts without end", lambda: endless_parts(path)),
        ("the same operation id", lambda: same_operation(path, sparse_file(large).parent)),
        ("cancel of a checksum", lambda: cancelled(path, large / "sparse.mp3")),
        ("deadline of 300 ms", lambda: deadline(path, large / "sparse.mp3")),
    ]


def slow_abuses(path: Path) -> list[Abuse]:
    """What waits for the daemon's deadlines."""
    return [
        ("no greeting", lambda: no_hello(path)),
        ("half a frame", lambda: half_frame(path)),
        ("never reads", lambda: never_reads(path)),
        ("answers left unread, then wrong bytes", lambda: leaves_unread(path)),
        ("50 that never read", lambda: many_never_read(path)),
    ]


def run_one(name: str, abuse: Callable[[], Outcome], path: Path, pid: int) -> Row:
    """Does it, and measures around it."""
    before, began = resident(pid), time.perf_counter()
    outcome = abuse()
    seconds = time.perf_counter() - began
    return Row(name, outcome, before, resident(pid), seconds, ping_seconds(path))


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| abuse | what it got | RSS before | after | took | ping then |", "|---|---|---:|---:|---:|---:|"]
    for row in rows:
        mark = "" if row.outcome.due else "NOT DUE: "
        lines.append(
            f"| {row.name} | {mark}{row.outcome.got} | {row.before / MEGABYTE:.1f} MB | {row.after / MEGABYTE:.1f} MB "
            f"| {row.seconds:.1f} s | {row.ping * 1000:.1f} ms |"
        )
    return "\n".join(lines)


def main() -> int:
    import measure

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without what waits for the daemon's deadlines")
    arguments = parser.parse_args()
    with measure.private_daemon() as daemon:
        wanted = quick_abuses(daemon.socket, daemon.folder)
        if not arguments.quick:
            wanted += slow_abuses(daemon.socket)
        rows = [run_one(name, abuse, daemon.socket, daemon.process.pid) for name, abuse in wanted]
    print(table(rows))
    return 0 if all(row.outcome.due for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
