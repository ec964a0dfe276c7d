"""Mopidy with its extension for Subsonic servers: a music server of its own that plays a queue to its end.

Its Python is that of the system (GStreamer's bindings are no wheel): .ci/run makes .venv-mopidy, MOPIDY_PYTHON names
another one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.server import ROOT, Tap, World

START_SECONDS = 90.0
PLAY_SECONDS = 90.0


def find_python() -> str:
    """A Python that has Mopidy and its extension; else the test is skipped with what is missing."""
    named = os.environ.get("MOPIDY_PYTHON") or str(ROOT / ".venv-mopidy/bin/python")
    if not os.access(named, os.X_OK):
        pytest.skip("there is no .venv-mopidy (.ci/run makes it), and MOPIDY_PYTHON names no Python")
    found = subprocess.run([named, "-c", "import mopidy, mopidy_subidy"], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"{named} has no Mopidy with mopidy-subidy: {found.stderr.strip().splitlines()[-1]}")
    return named


class Mopidy:
    """A running Mopidy; `call` is its JSON-RPC."""

    def __init__(self, python: str, folder: Path, world: World, tap: Tap) -> None:
        with socket.create_server(("127.0.0.1", 0)) as trial:
            self.port = trial.getsockname()[1]
        user, key = world.credentials
        config = folder / "mopidy.conf"
        # sync=false: as fast as it decodes
        config.write_text(
            f"[core]\ncache_dir = {folder}/cache\nconfig_dir = {folder}\ndata_dir = {folder}/data\n"
            f"[http]\nenabled = true\nhostname = 127.0.0.1\nport = {self.port}\nzeroconf =\n"
            "[mpd]\nenabled = false\n[file]\nenabled = false\n[m3u]\nenabled = false\n[stream]\nenabled = false\n"
            "[audio]\noutput = fakesink sync=false\nmixer = software\n"
            f"[subidy]\nenabled = true\nurl = http://127.0.0.1:{tap.port}\nusername = {user}\npassword = {key}\n"
            "legacy_auth = false\n",
            encoding="utf-8",
        )
        self.log = folder / "mopidy.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [python, "-m", "mopidy", "--config", str(config)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                env=environment | {"HOME": str(folder), "XDG_CACHE_HOME": f"{folder}/cache"},
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"Mopidy ended: {self.words()}")
            try:
                self.call("core.get_version")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise AssertionError(f"Mopidy does not answer: {self.words()}")

    def words(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def call(self, method: str, **parameters: Any) -> Any:
        """AssertionError for an error of Mopidy's."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/mopidy/rpc", json.dumps(asked).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        assert "error" not in told, (method, told)
        return told["result"]

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def mopidy(world: World, tap: Tap, tmp_path: Path) -> Iterator[Mopidy]:
    made = Mopidy(find_python(), tmp_path, world, tap)
    try:
        yield made
    finally:
        made.stop()


def test_a_queue_is_played_to_its_end(world: World, tap: Tap, mopidy: Mopidy) -> None:
    def browse(uri: str) -> dict[str, str]:
        return {each["name"]: each["uri"] for each in mopidy.call("core.library.browse", uri=uri)}

    tops = browse("subidy:vdir:root")
    assert {"Artists", "Albums", "Directories"} <= set(tops)
    assert "Anna B" in browse(tops["Artists"])
    assert len(browse(browse(tops["Albums"])["First Light"])) == 3
    directories = browse(tops["Directories"])
    assert "Anna B" in browse(directories["Music"])
    uris = []
    for words in ("First Light", "Second Wind", "Opus One"):
        (result,) = (
            each
            for each in mopidy.call("core.library.search", query={"any": [words]}, uris=["subidy:"])
            if "tracks" in each
        )
        uris += sorted(track["uri"] for track in result["tracks"])
    assert len(uris) == 8  # three formats: flac, mp3, opus
    added = mopidy.call("core.tracklist.add", uris=uris)
    assert [each["track"]["uri"] for each in added] == uris
    assert {each["track"]["length"] // 1000 for each in added} == {2}
    mopidy.call("core.tracklist.set_consume", value=False)
    mopidy.call("core.playback.play")
    until = time.monotonic() + PLAY_SECONDS
    # it is `stopped` too before it has begun
    while mopidy.call("core.playback.get_state") != "stopped" or mopidy.call("core.history.get_length") < len(uris):
        assert time.monotonic() < until, mopidy.words()
        time.sleep(0.1)
    heard = [entry[1]["uri"] for entry in mopidy.call("core.history.get_history")]
    assert heard[::-1] == uris, "each once, in order"
    for uri in uris:
        assert tap.asked(f"id={uri.rsplit(':', 1)[1]}"), uri
    assert len(tap.asked("/rest/stream")) >= len(uris)
    assert "GStreamer error" not in mopidy.words() and "Traceback" not in mopidy.words(), mopidy.words()


def test_playlists_go_both_ways(world: World, mopidy: Mopidy) -> None:
    songs = [song["id"] for song in world.rest("search3", query="Song of Second Wind")["searchResult3"]["song"]]
    made = world.rest("createPlaylist", name="for Mopidy", songId=songs)["playlist"]
    try:
        (listed,) = (each for each in mopidy.call("core.playlists.as_list") if each["name"] == "for Mopidy")
        items = mopidy.call("core.playlists.get_items", uri=listed["uri"])
        assert [item["uri"].rsplit(":", 1)[1] for item in items] == songs
    finally:
        world.rest("deletePlaylist", id=made["id"])
