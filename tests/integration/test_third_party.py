"""Handlers of others (handlers/examples), installed as their README says: found without touching our code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon import Daemon

EXAMPLES = Path(__file__).parents[2] / "handlers/examples"


def install_python(folder: Path) -> Path:
    """The package in a folder of its own, as pip puts it."""
    source, target = folder / "cue-python", folder / "site"
    shutil.copytree(EXAMPLES / "cue-python", source)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, source],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"pip could not build a package here: {done.stderr.strip().splitlines()[-1]}")
    return target


def install_node(folder: Path) -> Path:
    """The folder with its dependencies, as npm puts them."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    target = folder / "gpx-node"
    shutil.copytree(EXAMPLES / "gpx-node", target)
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund"], cwd=target, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"npm could not install: {done.stderr.strip().splitlines()[-1]}")
    return target


def test_both_examples_are_found_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, node = install_python(tmp_path), install_node(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])]))
    tree = tmp_path / "tree"
    tree.mkdir()
    shutil.copy(EXAMPLES / "cue-python/sample.cue", tree)
    shutil.copy(EXAMPLES / "gpx-node/sample.gpx", tree)
    (tree / "broken.gpx").write_text("<gpx><trk>")
    daemon = Daemon()
    try:
        daemon.config.write_text(f'handler_dirs = ["{node}"]\nworkers = 1\n')
        daemon.start()
        with daemon.client() as client:
            client.add([tree])
            found = {}
            for name in ("sample.cue", "sample.gpx", "broken.gpx"):
                result = client.get(tree / name)[0]
                assert result.item is not None, result.problem
                found[name] = result.item.files[0]
            assert (found["sample.cue"].handler, found["sample.cue"].fields["album"]) == ("cue", "An Album")
            assert found["sample.cue"].fields["chapters"][1] == {"number": 2, "title": "The Second", "start": 252.2}
            assert found["sample.gpx"].handler == "gpx"
            assert found["sample.gpx"].fields["title"] == "Round the lake"
            assert found["sample.gpx"].fields["latitude"] == pytest.approx(47.5596)
            assert found["broken.gpx"].state == "failed"
            handlers = {one.name: one for one in client.handlers()}
            assert "seccomp=" in handlers["cue"].sandbox
            assert handlers["gpx"].descriptors is False
            assert {item.format for item in client.query("round lake")} == {"gpx"}
            digests = client.checksum(tree / "sample.gpx")[0].digests
            assert len(digests["sha256"]) in (32, 64)
    finally:
        daemon.remove()
