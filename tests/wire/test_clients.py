"""Both clients and the command against a real unix socket."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

import pytest

from mediactl import AsyncClient, Client, locate, requests
from mediad import errors
from mediad.wire.convert import error_to_wire
from mediad.wire.session import Limits
from mediadb_contract import mediadb_pb2 as pb
from tests.daemon.terminal import open_terminal
from tests.wire.canned import SILENCE, CannedServer, Unfinished

ROOT = Path(__file__).parents[2]


def item(number: int) -> pb.Item:
    entry = pb.File(id=number, path=b"/srv/%d.mp3" % number, path_display=f"/srv/{number}.mp3", type="f", size=number)
    return pb.Item(id=number.to_bytes(16, "big"), kind="audio", format="mp3", title=f"T{number}", files=[entry])


LIBRARY = [item(number) for number in range(1, 1301)]


def answer(request: pb.Request) -> Iterable[pb.Reply] | errors.MediadError | None:
    """A library of 1,300 items, in pages of what is asked for, 100 items a reply."""
    command = request.WhichOneof("command")
    if command == "ping":
        return [pb.Reply(pong=pb.Pong(payload=request.ping.payload))]
    if command == "query":
        if "(" in request.query.text:
            return errors.QuerySyntax("a bracket is never closed", request.query.text)
        begin = int(request.query.cursor or b"0")
        end = min(len(LIBRARY), begin + (request.query.limit or len(LIBRARY)))
        replies = [
            pb.Reply(query=pb.QueryReply(items=LIBRARY[at : min(at + 100, end)])) for at in range(begin, end, 100)
        ]
        if end < len(LIBRARY):
            replies[-1].query.cursor = b"%d" % end
        return replies
    if command == "get":
        known = {each.files[0].path: each for each in LIBRARY} | {each.id: each for each in LIBRARY}
        return [
            pb.Reply(get=pb.GetReply(target=target, item=known[key]))
            if (key := target.id or target.path) in known
            else pb.Reply(get=pb.GetReply(target=target, problem=error_to_wire(errors.NotFound("no such file", key))))
            for target in request.get.targets
        ]
    if command == "add":
        result = pb.AddReply(roots=[pb.Root(path=path) for path in request.add.paths], files_listed=3, files_new=3)
        return [pb.Reply(progress=pb.Progress(stage="walking", folders=1)), pb.Reply(add=result)]
    if command == "forget":
        return [pb.Reply(forget=pb.ForgetReply(files=len(request.forget.targets)))]
    if command == "roots":
        return [pb.Reply(roots=pb.RootsReply())]
    return errors.Unsupported("not in this test", command or "")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "socket")


# ---------------------------------------------------------------- the blocking client


def test_query_streams_page_by_page(path: str) -> None:
    with CannedServer(path, answer) as server, Client(path, actor="ada") as client:
        items = client.query("all")
        assert len(server.requests) == 1
        first = list(itertools.islice(items, 500))
        assert len(server.requests) == 1, "the second page is not asked for before it is wanted"
        assert [each.title for each in [*first, *items]] == [f"T{number}" for number in range(1, 1301)]
        assert [request.query.limit for request in server.requests] == [500, 500, 500]
        assert len(list(client.query("all", limit=700))) == 700
        assert server.requests[-1].query.limit == 200
        assert server.requests[-1].actor == "ada"
        with pytest.raises(errors.QuerySyntax) as caught:
            client.query("(")
        assert caught.value.input == b"("
        with pytest.raises(errors.InvalidArgument):
            client.query("all", limit=0)


def test_get_by_id_and_path_in_order(path: str) -> None:
    with CannedServer(path, answer), Client(path) as client:
        found = client.get(uuid.UUID(int=5), b"/srv/7.mp3", "/srv/none", str(uuid.UUID(int=9)))
        assert [each.item.title if each.item else None for each in found] == ["T5", "T7", None, "T9"]
        assert isinstance(found[2].problem, errors.NotFound)
        assert found[2].target == b"/srv/none"


def test_several_in_flight_more_than_allowed(path: str) -> None:
    with CannedServer(path, answer, limits=Limits(requests_in_flight=4)), Client(path) as client:
        pending = [client.submit(requests.ping_request(b"%d" % number)) for number in range(50)]
        for number, each in reversed(list(enumerate(pending))):
            assert [reply.pong.payload for reply in each.replies()] == [b"%d" % number]


def test_large_requests_both_ways_at_once(path: str) -> None:
    with CannedServer(path, answer), Client(path) as client:
        pending = [
            client.submit(requests.get_request([b"/srv/none/%06d" % i for i in range(20_000)])) for _ in range(4)
        ]
        assert [len(list(each.replies())) for each in pending] == [20_000] * 4


def test_operation_is_sent_again_under_the_same_id(path: str) -> None:
    dropped: list[bytes] = []

    def drop_once(request: pb.Request) -> Iterable[pb.Reply] | errors.MediadError | None:
        if not dropped:
            dropped.append(request.operation)
            return None
        return answer(request)

    with CannedServer(path, drop_once) as server, Client(path) as client:
        assert client.forget(b"/srv/1.mp3").files == 1
        assert [request.operation for request in server.requests] == dropped * 2
        assert len(dropped[0]) == 16
        assert server.connections == 2
        dropped.clear()
        with pytest.raises(locate.ConnectionLost):
            client.ping()
        assert client.ping(b"again") == b"again", "the next call connects again"


def test_restarted_daemon_is_noticed_before_a_request_is_lost(path: str) -> None:
    client = Client(path)
    with CannedServer(path, answer):
        assert client.ping(b"1") == b"1"
    os.unlink(path)
    with CannedServer(path, answer):
        assert client.ping(b"2") == b"2"
        client.close()


def test_deadline_is_kept_by_the_client_too(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediactl.client.GRACE_SECONDS", 0.05)

    def stay_silent(request: pb.Request) -> Iterable[pb.Reply] | errors.MediadError | None:
        return SILENCE if request.ping.payload else answer(request)

    with CannedServer(path, stay_silent) as server, Client(path, timeout=0.1) as client:
        with pytest.raises(errors.DeadlineExceeded):
            client.ping(b"x")
        assert server.requests[0].deadline_ms == 100
        assert client.ping() == b"", "the late reply of the first is not taken for the second's"
        assert server.cancelled == [1]


def test_no_daemon_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDIAD_SOCKET", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert locate.list_sockets() == [f"{tmp_path}/mediad/socket", "/run/mediad/socket"]
    monkeypatch.setenv("MEDIAD_SOCKET", "/env")
    assert locate.list_sockets() == ["/env"]
    assert locate.list_sockets("/option") == ["/option"]
    (tmp_path / "file").write_text("no socket")
    for missing in ("none", "file"):
        with pytest.raises(locate.DaemonNotRunning, match="start it with `mediad`"), Client(str(tmp_path / missing)):
            pass


def test_refused_and_very_long_paths(tmp_path: Path, path: str) -> None:
    with CannedServer(path, answer, refuse=True), pytest.raises(errors.PermissionDenied, match="no role"):
        Client(path).connect()
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    deep.mkdir(parents=True)
    os.unlink(path)
    with CannedServer(path, answer):
        os.link(path, deep / "socket")
        with Client(str(deep / "socket")) as client:
            assert client.ping(b"deep") == b"deep"


# ---------------------------------------------------------------- the asyncio client


def test_async_client(path: str) -> None:
    async def run() -> None:
        async with AsyncClient(path) as client:
            payloads = [b"%d" % number for number in range(300)]
            assert await asyncio.gather(*(client.ping(each) for each in payloads)) == payloads
            assert [each.title async for each in client.query("all", limit=600)] == [f"T{n}" for n in range(1, 601)]
            found = await client.get(uuid.UUID(int=3), "/srv/none")
            assert found[0].item is not None
            assert isinstance(found[1].problem, errors.NotFound)
            with pytest.raises(errors.QuerySyntax):
                await client.query_page("(")
            seen = []
            added = await client.add(["/srv"], progress=seen.append)
            assert added.files_new == 3
            assert [each.stage for each in seen] == ["walking"]

    with CannedServer(path, answer, limits=Limits(requests_in_flight=8)):
        asyncio.run(run())


def test_async_client_after_a_loss(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediactl.aio.GRACE_SECONDS", 0.05)
    dropped: list[bytes] = []

    def drop_once(request: pb.Request) -> Iterable[pb.Reply] | errors.MediadError | None:
        if not dropped:
            dropped.append(request.operation)
            return None
        return SILENCE if request.ping.payload == b"silence" else answer(request)

    async def run(server: CannedServer) -> None:
        client = AsyncClient(path, timeout=0.1)
        assert (await client.forget("/srv/1.mp3")).files == 1
        assert [request.operation for request in server.requests] == dropped * 2
        dropped.clear()
        with pytest.raises(locate.ConnectionLost):
            await client.ping()
        with pytest.raises(errors.DeadlineExceeded):
            await client.ping(b"silence")
        task = asyncio.create_task(client.ping(b"silence"))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await client.ping(b"x") == b"x"
        assert len(server.cancelled) == 2
        client.close()

    with CannedServer(path, drop_once) as server:
        asyncio.run(run(server))


# ---------------------------------------------------------------- the command


def mediactl(*arguments: str | bytes, path: str = "/none", input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "MEDIAD_SOCKET": path, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "mediactl", *arguments], input=input, capture_output=True, env=environment, check=False,
        timeout=30, cwd="/",
    )  # fmt: skip


def test_exit_codes(path: str) -> None:
    with CannedServer(path, answer):
        assert mediactl("query", "x", path=path).returncode == 0
        missing = mediactl("get", "/srv/1.mp3", "/none", path=path)
        assert (missing.returncode, missing.stderr) == (1, b"mediactl: not_found: no such file: /none\n")
        assert b"T1" in missing.stdout
        assert mediactl("query", path=path).returncode == 2
        assert mediactl("query", "(", path=path).returncode == 2
        assert mediactl("--format", "xml", "roots", path=path).returncode == 2
        assert mediactl("status", path=path).returncode == 4
    os.unlink(path)
    absent = mediactl("roots", path=path)
    assert absent.returncode == 3
    assert absent.stderr.decode() == (
        f"mediactl: unavailable: mediad does not answer at {path}: "
        "start it with `mediad`, or `systemctl start mediad.socket`\n"
    )
    with CannedServer(path, answer, refuse=True):
        assert mediactl("roots", path=path).returncode == 4
    os.unlink(path)
    with CannedServer(path, lambda request: errors.Unavailable("the database is away")):
        assert mediactl("roots", path=path).returncode == 5


def test_json_formats(path: str) -> None:
    with CannedServer(path, answer):
        document = json.loads(mediactl("--format", "json", "query", "x", "--limit", "3", path=path).stdout)
        lines = mediactl("--format=ndjson", "query", "x", "--limit", "3", path=path).stdout.splitlines()
        assert [json.loads(line) for line in lines] == document
        assert [each["title"] for each in document] == ["T1", "T2", "T3"]
        assert json.loads(mediactl("--format", "json", "roots", path=path).stdout) == []
        failed = mediactl("--format", "json", "get", "/none", path=path)
        assert json.loads(failed.stdout)[0]["problem"]["code"] == "not_found"
        assert json.loads(failed.stderr) == {
            "code": "not_found", "message": "no such file", "input": "/none", "retryable": False,
        }  # fmt: skip
        failed = mediactl("--format", "json", "query", "(", path=path)
        assert json.loads(failed.stderr)["position"] == 0


def test_names_are_bytes_and_come_from_standard_input_too(path: str) -> None:
    with CannedServer(path, answer) as server:
        assert mediactl("add", b"/srv/\xff", "relative/../x", path=path).returncode == 0
        assert list(server.requests[-1].add.paths) == [b"/srv/\xff", b"/x"]
        assert not server.requests[-1].add.wait, "no terminal: returns when all is listed"
        assert mediactl("add", "--wait", "-", path=path, input=b"/a\n/b c\n").returncode == 0
        assert list(server.requests[-1].add.paths) == [b"/a", b"/b c"]
        assert server.requests[-1].add.wait
        mediactl("forget", "--null", "-", str(uuid.UUID(int=1)), path=path, input=b"/a\nb\0/c\0")
        assert [each.path or each.id for each in server.requests[-1].forget.targets] == [
            b"/a\nb", b"/c", uuid.UUID(int=1).bytes,
        ]  # fmt: skip


def test_a_reader_that_has_seen_enough(path: str) -> None:
    with CannedServer(path, answer):
        environment = {**os.environ, "MEDIAD_SOCKET": path}
        command = [sys.executable, "-m", "mediactl", "--format", "json", "query", "x"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        _, noise = process.communicate(timeout=30)
        assert (process.returncode, noise) == (141, b"")


def _read_until(terminal: int, wanted: bytes) -> None:
    shown, until = b"", time.monotonic() + 20
    while wanted not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0.0, until - time.monotonic()))
        assert ready, shown
        shown += os.read(terminal, 4096)


@pytest.mark.parametrize(("command", "seen", "code"), [("add", True, 0), ("add", False, 130), ("checksum", True, 130)])
def test_interrupt_on_a_terminal(path: str, command: str, seen: bool, code: int) -> None:
    """add is left to go on once the daemon has begun; anything else is interrupted."""
    progress = pb.Reply(progress=pb.Progress(stage="walking", folders=1, files_listed=2))

    def begin(request: pb.Request) -> Iterable[pb.Reply]:
        return Unfinished([progress] if seen else [])

    with CannedServer(path, begin) as server:
        master, terminal = open_terminal()
        process = subprocess.Popen(
            [sys.executable, "-m", "mediactl", command, "/srv"], stdin=terminal, stdout=terminal, stderr=terminal,
            env={**os.environ, "MEDIAD_SOCKET": path}, start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        if seen:
            _read_until(master, b"listing 2 files")
        else:
            until = time.monotonic() + 20
            while not server.requests and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == code
        if code == 0:
            _read_until(master, b"mediad goes on")
        os.close(master)


def test_what_needs_no_daemon_needs_no_protobuf() -> None:
    code = (
        "import sys\nfrom mediactl.__main__ import run\n"
        "code = run(sys.argv[1:])\n"
        "heavy = {'google.protobuf', 'uvloop', 'psycopg', 'asyncio', 'mediadb_contract'} & set(sys.modules)\n"
        "assert not heavy, heavy\nsys.exit(code)"
    )
    for arguments, expected in ((["--version"], 0), (["--help"], 0), (["query"], 2), (["nonsense"], 2), ([], 2)):
        found = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False)
        assert b"AssertionError" not in found.stderr, found.stderr
        assert found.returncode == expected or not arguments, (arguments, found)
    light = "import sys, mediactl; assert not {'click', 'google', 'mediad'} & set(sys.modules); mediactl.Client"
    subprocess.run([sys.executable, "-c", light], check=True)
    client = "import sys, mediactl.client, mediactl.aio; assert not {'click', 'uvloop', 'psycopg'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", client], check=True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    script = mediactl("completion", shell)
    assert script.returncode == 0
    assert b"_MEDIACTL_COMPLETE" in script.stdout
    environment = {
        **os.environ,
        "_MEDIACTL_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "mediactl que",
        "COMP_CWORD": "1",
        "COMP_UNTIL": "mediactl que",
        "COMP_WORD": "que",
    }
    if shell == "fish":
        environment["COMP_CWORD"] = "que"
    found = subprocess.run([sys.executable, "-m", "mediactl"], env=environment, capture_output=True, check=False)
    assert b"query" in found.stdout
