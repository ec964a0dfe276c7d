"""Suggestions for a question that is being written: pure, from the daemon, and in a real bash."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mediactl import Client, workcalls
from mediad.query.complete import complete, quote, suggest
from tests.daemon import Daemon
from tests.daemon.records import fill_library


def texts(text: str, cursor: int | None = None) -> list[str]:
    found = complete(text, len(text) if cursor is None else cursor)
    return [text[: each.start] + each.text for each in found.suggestions]


def test_names_values_keys_operators() -> None:
    assert texts("kin") == ["kind:"]
    assert texts("blue -(art")[0] == "blue -(artist:"
    assert "not" in texts("no") and texts("") == []
    assert texts("kind:a") == ["kind:audio"] and texts("kind:audio,v") == ["kind:audio,video"]
    assert texts("state:f") == ["state:failed"] and texts("starred:y") == ["starred:yes"]
    assert texts("x sort:na") == ["x sort:name"] and texts("sort:-date,na") == ["sort:-date,name"]
    assert texts("added:to") == ["added:today"] and "has:gps" in texts("has:gp")
    assert texts("kind:au genre:x", 7) == ["kind:audio"], "what is behind the cursor does not count"
    assert texts('"kin') == [] and texts("no_such:x") == []


def test_values_that_are_wanted() -> None:
    text = 'kind:audio (artist:"sigur r'
    wanted = complete(text, len(text)).wanted
    assert wanted is not None and (wanted.field, wanted.begin, wanted.start) == ("artist", "sigur r", text.index('"'))
    assert [each.text for each in suggest(wanted, ["Sigur Rós", "Other"])] == ['"Sigur Rós"']
    assert [quote(each) for each in ("Björk", "-x", 'a "b"', "AC/DC")] == ["Björk", '"-x"', '"a  b "', "AC/DC"]


@pytest.fixture
def library(daemon: Daemon) -> Daemon:
    fill_library(daemon)
    with daemon.client() as client:
        army = next((daemon.folder / "tree").rglob("03.flac"))
        client.run(workcalls.tag([army], add=["red light"]))
        client.run(workcalls.collect("Trip", "add", [army]))
        client.run(workcalls.save("Best of", "kind:audio"))
    return daemon


def offered(client: Client, text: str) -> list[str]:
    return [text[: each.start] + each.text + text[each.end :] for each in client.query_complete(text)]


def test_the_daemon_knows_the_values(library: Daemon) -> None:
    with library.client() as client:
        assert offered(client, "artist:si") == ['artist:"Sigur Rós"']
        assert offered(client, "year:1995 artist:") == ["year:1995 artist:Björk", 'year:1995 artist:"Sigur Rós"']
        assert offered(client, "tag:re") == ['tag:"red light"']
        assert offered(client, "collection:") == ['collection:"Best of"', "collection:Trip"]
        assert offered(client, "saved:b") == ['saved:"Best of"']
        assert offered(client, "format:fl") == ["format:flac"]
        assert offered(client, "(tit")[0] == "(title:"
        assert client.query_complete("title:*x*y") == [] and client.query_complete("\0:") == []


def shown(sent: bytes) -> str:
    """What stands on a terminal of one line: a backspace takes back a character."""
    found: list[str] = []
    for char in sent.decode("utf-8", "replace"):
        if char != "\b":
            found.append(char)
        elif found:
            found.pop()
    return "".join(found)


class Shell:
    """An interactive bash on a terminal of its own."""

    def __init__(self, daemon: Daemon) -> None:
        shim = daemon.folder / "bin" / "mediactl"
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mediactl "$@"\n')
        shim.chmod(0o755)
        script = daemon.folder / "rc"
        made = subprocess.run([shim, "completion", "bash"], capture_output=True, check=True, text=True).stdout
        script.write_text(made + "PS1='> '\nbind 'set enable-bracketed-paste off'\nbind 'set bell-style none'\n")
        environment = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "TERM": "dumb", "LC_ALL": "C.UTF-8",
                       "MEDIAD_SOCKET": str(daemon.socket), "COLUMNS": "200"}  # fmt: skip
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe("bash", ["bash", "--noprofile", "--rcfile", str(script), "-i"], environment)
        self.until("> ")

    def until(self, mark: str, seconds: float = 20.0) -> str:
        """What comes until a mark."""
        got, end = b"", time.monotonic() + seconds
        while mark not in shown(got):
            assert time.monotonic() < end, f"{mark!r} does not come: {got!r}"
            if select.select([self.terminal], [], [], 0.2)[0]:
                got += os.read(self.terminal, 4096)
        return shown(got)

    def complete(self, line: str, wanted: str) -> None:
        """Types a line and a tab: the line must become what is wanted."""
        os.write(self.terminal, line.encode() + b"\t")
        got = self.until(wanted)
        assert wanted in got
        os.write(self.terminal, b"\x15\necho done\n")  # the line goes
        self.until("done\r\n")

    def end(self) -> None:
        os.write(self.terminal, b"\x15exit\n")
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def test_in_bash(library: Daemon) -> None:
    shell = Shell(library)
    try:
        shell.complete("mediactl que", "mediactl query ")
        shell.complete("mediactl query albumart", "mediactl query albumartist:")
        shell.complete("mediactl query kind:au", "mediactl query kind:audio ")
        shell.complete("mediactl query artist:Bj", "mediactl query artist:Björk ")
        shell.complete("mediactl query artist:si", 'mediactl query artist:\\"Sigur\\ Rós\\" ')
        shell.complete("mediactl query 'kind:audio artist:si", "mediactl query 'kind:audio artist:\"Sigur Rós\"'")
        shell.complete("mediactl query year:1995 sort:-dat", "sort:-date ")
    finally:
        shell.end()


def test_it_is_quick_without_a_daemon(tmp_path: Path) -> None:
    environment = {**os.environ, "_MEDIACTL_COMPLETE": "bash_complete", "COMP_UNTIL": "mediactl query kin",
                   "COMP_WORD": "kin", "COMP_BREAKS": " :=", "MEDIAD_SOCKET": str(tmp_path / "none")}  # fmt: skip
    begin = time.monotonic()
    made = subprocess.run([sys.executable, "-m", "mediactl"], env=environment, capture_output=True, check=False)
    assert (made.stdout.strip(), made.stderr) == (b"", b"")
    assert time.monotonic() - begin < 5
