"""Hostile and busy clients against the running daemon. What they do is in bench/abuse.py; the table is printed (-s)."""

from __future__ import annotations

import grp
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench import abuse
from mediactl import Client
from mediad.errors import MediadError
from mediadb_contract import mediadb_pb2 as pb
from tests.daemon import Daemon, write_tree

# More than a daemon may grow by one abuse that is cut at its limits: 16 MiB of unfinished requests are announced.
GROWTH = 40 * abuse.MEGABYTE


@pytest.fixture(scope="module")
def shared() -> Iterator[Daemon]:
    """One daemon for all abuses: each must leave it fit for the next."""
    running = Daemon()
    try:
        yield running.start()
    finally:
        running.remove()


ABUSES = [name for name, _ in abuse.quick_abuses(Path("socket"), Path("folder"))]


@pytest.mark.parametrize("name", ABUSES)
def test_abuse(shared: Daemon, name: str) -> None:
    wanted = dict(abuse.quick_abuses(shared.socket, shared.folder))
    abuse.sparse_file(shared.folder / "large")
    with shared.client() as client:
        client.add([shared.folder / "large"])
    row = abuse.run_one(name, wanted[name], shared.socket, shared.pid)
    print("\n" + abuse.table([row]))
    assert row.outcome.due, row.outcome.got
    assert row.ping < 1.0
    assert row.after - row.before < GROWTH


@pytest.mark.slow
def test_slow_clients() -> None:
    """Every abuse that waits for a deadline of the daemon, all at once against one daemon."""
    daemon = Daemon()
    try:
        daemon.start()
        before = abuse.resident(daemon.pid)
        together = [
            each for each in abuse.slow_abuses(daemon.socket) if each[0] != "answers left unread, then wrong bytes"
        ]
        with ThreadPoolExecutor(len(together)) as pool:
            rows = list(pool.map(lambda each: abuse.run_one(*each, daemon.socket, daemon.pid), together))
        print("\n" + abuse.table(rows))
        assert [row.name for row in rows if not row.outcome.due] == [], [row.outcome.got for row in rows]
        assert max(row.ping for row in rows) < 1.0
        # 51 peers may each have the mark of 256 KiB twice over, and one frame under way
        assert abuse.resident(daemon.pid) - before < 80 * abuse.MEGABYTE
        with daemon.client() as client:
            assert client.status().connections == 1
    finally:
        daemon.remove()


@pytest.mark.slow
def test_unread_last_words() -> None:
    """Alone, since it counts connections."""
    daemon = Daemon()
    try:
        daemon.start()
        outcome = abuse.leaves_unread(daemon.socket)
        assert outcome.due, outcome.got
    finally:
        daemon.remove()


def test_query_is_cancelled_while_nobody_reads(daemon: Daemon) -> None:
    files: dict[str | bytes, bytes] = {f"{n:05}.{'x' * 100}.txt": b"" for n in range(4000)}
    write_tree(daemon.folder / "tree", files)
    with daemon.client() as client:
        client.add([daemon.folder / "tree"], wait=False)
    with abuse.Peer(daemon.socket) as peer:
        peer.send(pb.ClientFrame(request=pb.Request(id=1, query=pb.QueryRequest(text=""))))
        time.sleep(0.5)
        peer.send(pb.ClientFrame(cancel=pb.Cancel(id=1)))
        pages, last = 0, None
        while last is None:
            received = peer.receive()
            assert received is not None
            pages += 1
            last = received.reply if received.reply.last else None
        assert last.error.code == pb.CANCELLED
        assert pages < 40
        peer.send(abuse.ping(2))
        assert peer.receive_last().id == 2


def test_a_page_of_long_texts_fits_its_frames(daemon: Daemon) -> None:
    """Names whose display text (four characters a byte that is no UTF-8) is longer than a frame: several replies."""
    deep = b"/".join([b"\xff" * 250] * 14)
    write_tree(daemon.folder / "tree", {deep + b"/%04d" % n + b"\xff" * 200: b"" for n in range(300)})
    with daemon.client() as client:
        assert client.add([daemon.folder / "tree"], wait=False).files_new == 300
        assert len(list(client.query(""))) == 300
        assert len(list(client.query("", files=True, fields=True))) == 300


ASK = """
import os, sys, json
from mediactl import Client
from mediad.errors import MediadError
uid, gid, socket = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
os.setgroups([])
os.setgid(gid)
os.setuid(uid)
try:
    with Client(socket) as client:
        said = {"role": client.greeting.role, "version": client.status().version}
        try:
            said["roots"] = len(client.add([sys.argv[4]]).roots)
        except MediadError as error:
            said["add"] = error.code
    print(json.dumps(said))
except MediadError as error:
    print(json.dumps({"code": error.code, "message": error.message}))
"""


def ask_as(uid: int, gid: int, daemon: Daemon, folder: Path) -> dict[str, object]:
    argv = [sys.executable, "-c", ASK, str(uid), str(gid), str(daemon.socket), str(folder)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(argv, capture_output=True, env=environment, cwd="/", check=True, timeout=60)
    return dict(json.loads(done.stdout))


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="only root can speak as somebody else")
def test_who_may_connect() -> None:
    group = next(each for each in grp.getgrall() if each.gr_gid not in (0, 65534) and not each.gr_mem)
    daemon = Daemon(config=f'group = "{group.gr_name}"\n')
    folder = write_tree(daemon.folder / "tree", {"a.txt": b"a"})
    try:
        daemon.start()
        assert daemon.socket.stat().st_gid == group.gr_gid
        assert daemon.socket.stat().st_mode & 0o777 == 0o660
        # The file's mode keeps a stranger out, and says so.
        refused = ask_as(65534, 65534, daemon, folder)
        assert refused["code"] == "permission_denied"
        assert "may not open the socket" in str(refused["message"])
        # Where the mode would let him in, the daemon asks the kernel who he is.
        daemon.socket.chmod(0o666)
        refused = ask_as(65534, 65534, daemon, folder)
        assert refused["code"] == "permission_denied"
        assert "65534" in str(refused["message"])
        assert group.gr_name in str(refused["message"])
        daemon.socket.chmod(0o660)
        assert ask_as(65534, group.gr_gid, daemon, folder) == {
            "role": "write", "version": _version(daemon), "roots": 1,
        }  # fmt: skip
    finally:
        daemon.remove()


def _version(daemon: Daemon) -> str:
    with daemon.client() as client:
        return client.status().version


def test_same_id_after_a_lost_reply(daemon: Daemon) -> None:
    """The client comes back and asks again: done once, and the reply is the first one's."""
    folder = write_tree(daemon.folder / "tree", {f"{n}.txt": b"x" for n in range(50)})
    with daemon.client() as client:
        client.add([folder])
    request = pb.Request(
        id=1, operation=uuid.uuid4().bytes, forget=pb.ForgetRequest(targets=[pb.Target(path=os.fsencode(folder))])
    )
    with abuse.Peer(daemon.socket) as peer:
        peer.send(pb.ClientFrame(request=request))
        first = peer.receive_last()
    assert (first.forget.files, first.forget.roots) == (50, 1)
    with abuse.Peer(daemon.socket) as peer:
        peer.send(pb.ClientFrame(request=request))
        again = peer.receive_last()
    assert again.SerializeToString(deterministic=True) == first.SerializeToString(deterministic=True)


def test_long_queries_are_answers_or_errors_of_the_client(daemon: Daemon) -> None:
    """No text may end as a fault of the daemon."""
    texts = [
        "x" * 3000, "-" + "x" * 3000, f'"{"x" * 3000}"', "title:" + "y" * 5000, "artists:a " * 3000,
        " ".join(f"-w{n}" for n in range(5000)), "size:" + "9" * 4000, "size:" + "9" * 400 + "..", "ß" * 20000,
        "'" * 100, "\\ & | ! ( ) :*", "\u0000", "width:0..99999999999999999999", "kind:" + "a," * 5000, "size:>=-5",
        "year:<0", "x" * 66000,
    ]  # fmt: skip
    with Client(str(daemon.socket)) as client:
        for text in texts:
            began = time.monotonic()
            code = ""
            try:
                list(client.query(text))
            except MediadError as error:
                code = error.code
            assert code in ("", "query_syntax", "limit_exceeded", "invalid_argument"), text[:40]
            assert time.monotonic() - began < 5.0, text[:40]
            client.ping()
