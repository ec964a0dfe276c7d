"""The text of files whose handlers are others': whole, refused, endless, deadly. Real processes, by the contract."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediactl import Client
from tests.daemon import Daemon, write_tree
from tests.daemon.records import rows, wait_for
from tests.integration.test_text import codes, extracted_at, finds, index, queued, text_of

# A handler of files *.xyz, whose name says what it does when it is asked for their text.
HANDLER = """#!{python}
import array, os, socket, sys
import msgpack

MANIFEST = {{"contract": 1, "application": "xyz", "version": "1", "descriptors": True, "sandbox": "", "handlers": [
    {{"name": "xyz", "version": 1, "summary": "", "kinds": ["document"], "extensions": ["xyz"],
      "mime_types": [], "magic": [], "operations": ["read", "checksum", "text"], "fields": [], "limits": {{}}}}]}}

def say(message):
    data = msgpack.packb(message)
    while data:
        data = data[os.write(1, data):]

def answer(op, name, stat, head, options):
    about = {{"handler": "xyz", "handler_version": 1, "stat": stat}}
    if op == "read":
        say({{**head, "ok": {{**about, "kind": "document", "format": "xyz", "mime_type": "x/y", "fields": {{}},
                           "tags": {{}}, "sources": {{}}, "keys": [], "warnings": []}}}})
        return
    words = options.get("words")
    if name.startswith("die"):
        os._exit(9)
    if name.startswith("refused") and words:
        say({{**head, "piece": {{"words": ["alpha:1 'never closed"]}}}})
    if name.startswith("nul") and words:
        say({{**head, "piece": {{"words": ["alpha:1 b\\0c"]}}}})
    if name.startswith("wrong"):
        say({{**head, "piece": {{"words": [5]}}}})
    while name.startswith("endless"):
        say({{**head, "piece": {{"words": ["alpha:1 " * 1000]}} if words else {{"text": "alpha " * 1000}}}})
    if name.startswith("whole"):
        about["text"] = "Sigur R\\u00f3s: \\u00c1g\\u00e6tis byrjun. " * 20000
    say({{**head, "ok": {{**about, "truncated": False, "source": "xyz", "languages": ["is"]}}}})

def main():
    if sys.argv[1:] == ["--describe"]:
        return
    say(MANIFEST)
    requests = socket.socket(fileno=0)
    unpacker = msgpack.Unpacker()
    descriptors = []
    while True:
        data, ancillary, _flags, _ = requests.recvmsg(65536, socket.CMSG_SPACE(64 * 4))
        if not data:
            return
        for _level, _kind, payload in ancillary:
            got = array.array("i")
            got.frombytes(payload)
            descriptors += got
        unpacker.feed(data)
        for request in unpacker:
            for number, file in enumerate(request["files"]):
                head = {{"id": request["id"], "i": number}}
                say({{**head, "begin": True}})
                fd = descriptors.pop(0)
                one = os.fstat(fd)
                stat = [one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns]
                answer(request["op"], file["name"].decode(), stat, head, request.get("options") or {{}})
                os.close(fd)

main()
"""


@pytest.fixture
def foreign() -> Iterator[Daemon]:
    """A daemon with that handler."""
    made = Daemon()
    folder = made.folder / "handlers"
    folder.mkdir()
    handler = folder / "xyz-handler"
    handler.write_text(HANDLER.format(python=sys.executable))
    handler.chmod(0o755)
    made.config.write_text(f'handler_dirs = ["{folder}"]\ntext_limit = 1000000\ntext_seconds = 5\n')
    try:
        yield made.start()
    finally:
        made.remove()


def library(daemon: Daemon, client: Client, *names: str) -> Path:
    tree = write_tree(daemon.folder / "tree", {name: name.encode() for name in names})
    client.add([tree], wait=True)
    assert {item.format for item in client.query("kind:document")} == {"xyz"}, daemon.text()
    return tree


def test_a_text_that_comes_whole_is_folded_by_a_worker(foreign: Daemon) -> None:
    with foreign.client() as client:
        tree = library(foreign, client, "whole.xyz")
        shown = text_of(client, tree / "whole.xyz")
        assert shown.text == "Sigur Rós: Ágætis byrjun. " * 20000
        assert (shown.source, shown.languages, shown.truncated) == ("xyz", ["is"], False)
        assert index(client, "whole").indexed == 1
        assert finds(foreign, "sigur<->ros<->agaetis<->byrjun") == {"whole.xyz"}
        assert client.status().lag_max_ms < 60.0
    assert rows(foreign, "SELECT handler, bytes FROM mediadb.content") == [("xyz", len(shown.text.encode()))]


def test_what_is_no_text_hurts_one_file(foreign: Daemon) -> None:
    names = ("refused.xyz", "nul.xyz", "wrong.xyz", "endless.xyz", "die.xyz", "whole.xyz")
    with foreign.client() as client:
        tree = library(foreign, client, *names)
        done = index(client, "kind:document")
        assert (done.queued, done.indexed, done.failed) == (6, 1, 5)
        assert codes(foreign) == {
            "refused.xyz": "internal", "nul.xyz": "internal", "wrong.xyz": "poison", "endless.xyz": "poison",
            "die.xyz": "poison", "whole.xyz": None,
        }  # fmt: skip
        assert {problem.code for problem in done.problems} == {"internal", "poison"}
        before = {name: extracted_at(foreign, name) for name in names}
        assert index(client, "kind:document").failed == 5
        assert {name: extracted_at(foreign, name) for name in names} == before, "nothing is tried twice"
        problem = text_of(client, tree / "die.xyz").problem
        assert problem is not None and problem.code == "poison"
        assert queued(foreign) == 0 and not finds(foreign, "alpha")
        assert text_of(client, tree / "whole.xyz").problem is None


def test_asleep_when_idle_and_after_reading() -> None:
    made = Daemon(config='text = "on"\nidle_seconds = 1\n')
    try:
        made.start()
        tree = write_tree(made.folder / "tree", {f"d{n % 30}/{n:04}.txt": b"word%d" % n for n in range(1500)})
        with made.client() as client:
            client.add([tree], wait=True)
        assert wait_for(lambda: len(codes(made)) == 1500 and not queued(made), 60.0), made.text()
        [(first, last)] = rows(
            made, "SELECT (SELECT min(at_ns) FROM mediadb.content), (SELECT max(at_ns) FROM mediadb.event "
            "WHERE action = 'read')"
        )  # fmt: skip
        assert first > last, "nothing is extracted while there is something to read"

        def ticks() -> int:
            fields = Path(f"/proc/{made.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        assert wait_for(lambda: not made_workers(made), 20.0)
        before = ticks()
        assert not wait_for(lambda: ticks() > before + 2, 4.0), "it is asleep"
    finally:
        made.remove()


def made_workers(daemon: Daemon) -> bool:
    with daemon.client() as client:
        return bool(client.status().workers)
