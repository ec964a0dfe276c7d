"""npm's subsonic-api, what web players are built on: the script beside this file, in a real node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.clients.server import APP, SONGS, World

SCRIPT = Path(__file__).with_name("subsonic_api.mjs")


@pytest.mark.parametrize("by", ["password", "apiKey"])
def test_subsonic_api(world: World, by: str) -> None:
    if not (APP / "node_modules/subsonic-api").is_dir():
        pytest.skip("node/app/node_modules/subsonic-api is missing: make page")
    user, key = world.credentials
    auth = {"apiKey": key} if by == "apiKey" else {"username": user, "password": key}
    # as text on standard input: what it imports is then looked for from the working folder
    done = subprocess.run(
        [world.node, "--input-type=module", "-", world.url, json.dumps(auth)],
        input=SCRIPT.read_text("utf-8"), cwd=APP, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["extensions"] >= 5 and found["artists"] >= 4
    assert found["songs"] == SONGS
    assert found["same"] == [True, True], "original, ranges"
    assert found["mp3"] == "audio/mpeg" and found["cover"] == "image/jpeg"
    assert found["starred"] == 1 and found["unstarred"] == 0
    assert found["playlist"] == 3 and found["queue"] == {"position": 1500, "entries": 2}
    assert found["error"] == 70
