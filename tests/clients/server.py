"""The real HTTP server over a real daemon and a library of its own making, for clients nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mediactl import accounts
from tests.daemon import Daemon
from tools import nodejs

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "node/app"
START_SECONDS = 60.0
SUMMED_SECONDS = 60.0
PERSON, PASSWORD = "anna", "correct horse battery"
LONG_SECONDS = 300

# artist, album, year, genre, extension, number of songs, whether the cover is embedded
ALBUMS = (
    ("Anna B", "First Light", "2001", "Rock", "flac", 3, True),
    ("Anna B", "Second Wind", "2004", "Rock", "mp3", 3, True),
    ("The Carpets", "Opus One", "1994", "Jazz", "opus", 2, False),
    ("Ça Va & <Cie>", 'Été "97"', "1997", "Chanson", "ogg", 2, False),
    ("東京ブラス", "夜", "2012", "Jazz", "m4a", 2, True),
)
SONGS = sum(album[5] for album in ALBUMS)
# what a URL, a header, XML or a shell could take for something else; and names that are not UTF-8
ODD = (
    b"#?%&<>\"'.bin",
    b"%2e%2e%2f 100%.bin",
    b"caf\xe9 latin1.bin",
    b"\xff\xfe\x80.bin",
    "naïve 東京 🎵.bin".encode(),
    b"-rf *;$(id)`id`|.bin",
    b"new\nline\ttab\r.bin",
)


def require_node() -> Path:
    """A node that is new enough and has what the server needs; else the test is skipped with the reason."""
    node = nodejs.present_node()
    if node is None:
        pytest.skip("Node.js 20.19 or newer is missing: make page")
    for needed in (APP / "node_modules", ROOT / "node/client/node_modules"):
        if not needed.is_dir():
            pytest.skip(f"{needed.relative_to(ROOT)} is missing: make page")
    return node


def require_program(name: str) -> str:
    """The path of a program; else the test is skipped with its name."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def make_library(top: Path) -> None:
    """Songs of several artists, albums and formats with covers, the samples, and files with odd names."""
    ffmpeg = require_program("ffmpeg")
    shutil.copytree(ROOT / "samples", top / "samples")
    cover = top / "cover.jpg"
    Image.effect_noise((600, 600), 60).convert("RGB").save(cover, quality=80)
    serial = 0
    for artist, album, year, genre, extension, count, embedded in ALBUMS:
        folder = top / "Music" / artist / album
        folder.mkdir(parents=True)
        for number in range(1, count + 1):
            serial += 1
            tags = {
                "artist": artist, "album_artist": artist, "album": album, "date": year, "genre": genre,
                "title": f"Song {number} of {album}", "track": f"{number}/{count}",
            }  # fmt: skip
            command = [ffmpeg, "-v", "error", "-f", "lavfi", "-i", f"sine=frequency={220 + 30 * serial}:duration=2"]
            if embedded:
                command += [
                    "-i",
                    str(cover),
                    "-map",
                    "0:a",
                    "-map",
                    "1:v",
                    "-c:v",
                    "copy",
                    "-disposition:v",
                    "attached_pic",
                ]
            command += [word for name, value in tags.items() for word in ("-metadata", f"{name}={value}")]
            subprocess.run([*command, str(folder / f"{number:02} song.{extension}")], check=True, timeout=60)
    cover.rename(top / "Music" / "The Carpets" / "Opus One" / "cover.jpg")
    # A tone that rises: where a player is can be heard, and no two parts of the file are equal.
    rising = f"aevalsrc=sin(2*PI*(200*t+2*t*t)):d={LONG_SECONDS}:s=22050"
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "lavfi", "-i", rising, "-metadata", "title=Rising", "-metadata", "artist=Long",
         "-metadata", "album=Long", str(top / "Music" / "rising.flac")],
        check=True, timeout=60,
    )  # fmt: skip
    for number, name in enumerate(ODD):
        folder = os.fsencode(top) + b"/odd"
        os.makedirs(folder, exist_ok=True)
        with open(folder + b"/" + name, "wb") as out:
            out.write(bytes((number + place * place) % 251 for place in range(70_000 + number)))


@dataclass
class World:
    """A daemon, its library, and the server before them."""

    daemon: Daemon
    library: Path
    node: Path
    # empty while nobody has an account; then a person's name and key
    user: str = ""
    key: str = ""
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    argv: list[str] = field(default_factory=list)

    def serve(self) -> None:
        """Starts the server and waits until it listens. AssertionError with its words when it does not."""
        settings = self.daemon.folder / "mediadb-app.toml"
        settings.write_text(f"cache_dir = {json.dumps(str(self.daemon.folder / 'cache'))}\n", encoding="utf-8")
        self.argv = self.argv or [str(self.node), str(APP / "server/main.js")]
        log = self.daemon.folder / "app.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*self.argv, "--config", str(settings), "--listen", "127.0.0.1:0", "--socket", str(self.daemon.socket)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text("utf-8", "replace"))
            if found:
                self.port = int(found[1])
                return
            time.sleep(0.03)
        raise AssertionError(f"the server does not listen: {log.read_text('utf-8', 'replace')}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def credentials(self) -> tuple[str, str]:
        """What a player is given as name and password; while nobody has an account any will do."""
        return (self.user, self.key) if self.key else ("anybody", "anything")

    @property
    def headers(self) -> dict[str, str]:
        """What a program sends beside its request."""
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    def json(self, where: str) -> Any:
        """GET. urllib.error.HTTPError for a reply of 400 and above."""
        request = urllib.request.Request(self.url + where, headers=self.headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def rest(self, method: str, **asks: Any) -> dict[str, Any]:
        """An OpenSubsonic method in JSON; lists are repeated parameters."""
        user, password = self.credentials
        said = {"u": user, "p": password, "v": "1.16.1", "c": "tests", "f": "json", **asks}
        query = urllib.parse.urlencode(said, doseq=True)
        with urllib.request.urlopen(f"{self.url}/rest/{method}?{query}", timeout=30) as answer:
            return json.load(answer)["subsonic-response"]  # type: ignore[no-any-return]

    def items(self, query: str) -> list[dict[str, Any]]:
        """All items of a query, at most 200."""
        return self.json("/search?" + urllib.parse.urlencode({"q": query, "limit": 200}))["items"]  # type: ignore[no-any-return]

    def wait_for_albums(self) -> None:
        """Artists and albums are summed up a moment after the files were read."""
        until = time.monotonic() + SUMMED_SECONDS
        wanted = {album[1] for album in ALBUMS}
        while time.monotonic() < until:
            listed = self.rest("getAlbumList2", type="alphabeticalByName", size=500)["albumList2"]["album"]
            if wanted <= {album["name"] for album in listed if album["songCount"] > 1}:
                return
            time.sleep(0.2)
        raise AssertionError(f"not summed up after {SUMMED_SECONDS} s: {listed}")

    def children(self) -> list[int]:
        """Processes that the server has started."""
        assert self.process is not None
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def stop_server(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(20) == 0

    def remove(self) -> None:
        try:
            self.stop_server()
        finally:
            self.daemon.remove()


def make_world(*, persons: bool) -> World:
    """Starts all of it. `persons`: one has an account and a key, so nothing is answered without."""
    node = require_node()
    daemon = Daemon()
    world = World(daemon, daemon.folder / "library", node)
    try:
        world.library.mkdir()
        make_library(world.library)
        daemon.start()
        with daemon.client() as client:
            client.add([world.library], deadline=120.0)
            if persons:
                client.run(accounts.create(PERSON, "write", PASSWORD))
                world.user, world.key = PERSON, client.run(accounts.create_key(PERSON, "tests")).secret
        world.serve()
        world.wait_for_albums()
    except BaseException:
        world.remove()
        raise
    return world


class Tap:
    """A relay before the server that keeps the heads of the requests that went through: what a player really asked."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = 0
        self.heads: list[str] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        # what is still being carried is cancelled by asyncio.run

    async def _relay(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection("127.0.0.1", self._target)
        carried = [
            asyncio.ensure_future(self._carry(near, forth, True)),
            asyncio.ensure_future(self._carry(far, back, False)),
        ]
        try:
            # One side hung up: the other one hears of it.
            await asyncio.wait(carried, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in carried:
                each.cancel()
            for writer in (forth, back):
                writer.close()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, asking: bool) -> None:
        try:
            while data := await source.read(65536):
                if asking and re.match(rb"(GET|HEAD|POST) ", data):
                    self.heads.append(data.partition(b"\r\n\r\n")[0].decode("latin-1"))
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass  # as the end

    def asked(self, path: str) -> list[str]:
        """The heads of requests for a path that holds `path`."""
        return [head for head in self.heads if path in head.split("\r\n", 1)[0]]

    def ranges(self, path: str) -> list[int]:
        """Where the ranges began that were asked for."""
        found = (re.search(r"^range: bytes=(\d+)-", head, re.IGNORECASE | re.MULTILINE) for head in self.asked(path))
        return [int(each[1]) for each in found if each]

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
