"""The daemon stopped, upgraded, killed under the server: what is told meanwhile, and that all recovers by itself."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import mediad
from tests.clients.server import ROOT, World, require_node
from tests.daemon import Daemon

SECONDS = 45.0
NEXT = "9.9.9"


class Installed(Daemon):
    """A daemon whose files lie in a folder of its own, so that they can be replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.files = self.folder / "installed"
        ignored = shutil.ignore_patterns("__pycache__", "sql")
        shutil.copytree(ROOT / "mediad", self.files / "mediad", ignore=ignored)
        shutil.copytree(ROOT / "sql", self.files / "mediad" / "sql", ignore=ignored)

    def command(self, *extra: str) -> list[str]:
        path = os.pathsep.join(map(str, (self.files, ROOT / "handlers", ROOT / "proto")))
        # env becomes the daemon itself; from the clone's folder `-m` would find the clone's
        return [
            "env",
            "-C",
            str(self.files),
            f"PYTHONPATH={path}",
            "PYTHONDONTWRITEBYTECODE=1",
            *super().command(*extra),
        ]

    def upgrade(self) -> None:
        """Another version's files in place of these."""
        module = self.files / "mediad/__init__.py"
        text = module.read_text("utf-8")
        assert mediad.__version__ in text
        module.with_suffix(".new").write_text(text.replace(mediad.__version__, NEXT), encoding="utf-8")
        module.with_suffix(".new").replace(module)


class Page:
    """What listens to /events, as a page does."""

    def __init__(self, port: int) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._connection.request("GET", "/events", headers={"accept": "text/event-stream"})
        self._answer = self._connection.getresponse()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        name = ""
        try:
            for line in self._answer:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    self.events.append((name, json.loads(value)))
        except (OSError, ValueError, AttributeError):
            return  # closed

    def told(self, wanted: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == wanted]

    def close(self) -> None:
        if self._connection.sock is not None:
            self._connection.sock.shutdown(2)
        self._thread.join(10)
        self._answer.close()
        self._connection.close()


@pytest.fixture
def world() -> Iterator[World]:
    """One of its own: the daemon under it comes and goes."""
    node = require_node()
    daemon = Installed()
    made = World(daemon, daemon.folder / "library", node)
    try:
        shutil.copytree(ROOT / "samples", made.library)
        daemon.start()
        with daemon.client() as client:
            client.add([made.library], deadline=60.0)
        made.serve()
        yield made
    finally:
        made.remove()


def wait(what: str, seen: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not seen():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def refused(world: World, where: str) -> tuple[int, int, Any]:
    """(status, Retry-After, JSON) of a reply that is an error."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(world.url + where, timeout=30)
    with caught.value as error:
        return error.code, int(error.headers.get("retry-after", "0")), json.load(error)


def is_away(world: World, page: Page) -> None:
    """Everything says so: 503 with Retry-After, `status` to the pages; the page itself is there."""
    wait("the page is told", lambda: page.told("status")[-1]["connected"] is False)
    session = world.json("/session")
    assert session["daemon"]["connected"] is False and session["server"]["version"]
    for where in ("/search?q=x", "/file/00000000-0000-4000-8000-000000000000", "/albums", "/healthz"):
        status, again, told = refused(world, where)
        assert (status, again > 0) == (503, True), where
        assert where == "/healthz" or told["error"]["code"] in ("unavailable", "shutting_down"), told
    # (`ping` asks nothing of the daemon but who asks, which is remembered for seconds)
    for method in ("search3?query=", "getArtists", "stream?id=00000000-0000-4000-8000-000000000000"):
        mark = "&" if "?" in method else "?"
        status, again, told = refused(world, f"/rest/{method}{mark}u=a&p=b&f=json&v=1.16.1&c=t")
        assert (status, again > 0) == (503, True), method
        assert told["subsonic-response"]["status"] == "failed"


def is_back(world: World, page: Page, version: str) -> None:
    wait("the page is told", lambda: page.told("status")[-1]["connected"] is True)
    wait("the session says the version", lambda: world.json("/session")["daemon"].get("version") == version)
    (item,) = world.items("title:full format:flac")
    assert world.rest("getSong", id=item["id"])["song"]["id"] == item["id"]
    with urllib.request.urlopen(f"{world.url}/file/{item['id']}/stream", timeout=30) as answer:
        assert len(answer.read()) == item["size"]

    def followed() -> bool:
        before = len(page.told("change"))
        world.rest("setRating", id=item["id"], rating=1 + before % 5)
        time.sleep(0.3)
        return len(page.told("change")) > before

    wait("changes are told again", followed)


def test_stopped_upgraded_and_killed(world: World) -> None:
    assert isinstance(world.daemon, Installed)
    with closing(Page(world.port)) as page:
        wait("it listens", lambda: bool(page.told("status")))
        is_back(world, page, mediad.__version__)
        process = world.process
        assert world.daemon.stop() == 0
        is_away(world, page)
        world.daemon.upgrade()
        world.daemon.start()
        is_back(world, page, NEXT)
        world.daemon.kill()
        is_away(world, page)
        world.daemon.start()
        is_back(world, page, NEXT)
        assert world.process is process and process is not None and process.poll() is None, "one server all the time"
        assert [told["connected"] for told in page.told("status")].count(False) == 2, "said once each time"


def test_it_waits_for_the_daemon_when_it_must_know_of_persons(world: World, tmp_path: Path) -> None:
    """Behind a proxy nothing is open, and it does not end because the daemon comes later."""
    world.stop_server()
    assert world.daemon.stop() == 0
    log = tmp_path / "log"
    command = [str(world.node), str(ROOT / "node/app/server/main.js"), "--socket", str(world.daemon.socket)]
    settings = tmp_path / "settings.toml"
    settings.write_text('trusted_proxies = ["127.0.0.1"]\n', encoding="utf-8")
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*command, "--config", str(settings), "--listen", "127.0.0.1:0"], stdout=out, stderr=out
        )
    try:
        wait("it waits", lambda: "waiting for the daemon" in log.read_text())
        world.daemon.start()
        wait("it ends: nobody has an account", lambda: server.poll() is not None)
        assert server.returncode == 2 and "mediactl user create" in log.read_text()
    finally:
        if server.poll() is None:
            server.kill()
        server.wait()
