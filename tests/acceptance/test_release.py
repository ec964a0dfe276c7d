"""The web server's release, unpacked where there is neither npm nor a clone: it serves the page and the library."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import urllib.request
from pathlib import Path

import pytest

from tests.clients.server import APP, ROOT, World, require_node
from tests.daemon import Daemon
from tools import release

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_node()
    if not (APP / "dist/index.html").is_file():
        pytest.skip("node/app/dist is missing: make page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1600000000")
        return release.make_release(tmp_path_factory.mktemp("dist"))


def test_only_what_runs_is_inside(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    packages = {
        match[1] for name in names if (match := re.match(r"node/\w+/node_modules/((?:@[^/]+/)?[^@/][^/]*)", name))
    }
    assert {"fastify", "mediadb", "protobufjs", "smol-toml"} <= packages
    assert not packages & {"typescript", "@types", "@types/node", "subsonic-api", "vite", "playwright-core"}
    assert {"LICENSE", "node/app/dist/index.html", "node/client/contract/mediadb.proto"} <= names
    assert all((member.uid, member.uname, member.mtime) == (0, "root", 1_600_000_000) for member in members)
    links = {member.name: member.linkname for member in members if member.issym()}
    assert set(links.values()) == {"../../client"}, "nothing points out of the archive"
    assert archive.stat().st_size < 8_000_000


def test_the_same_content_is_the_same_archive(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    assert release.make_release(tmp_path).read_bytes() == archive.read_bytes()


def test_it_starts_without_npm(archive: Path, daemon: Daemon, folder: Path) -> None:
    """Unpacked as docs/operations.md says, by the command of the unit."""
    place = folder / "usr/lib/mediadb"
    place.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", archive, "-C", place, "--strip-components=1"], check=True, timeout=60)
    library = folder / "library"
    shutil.copytree(ROOT / "samples", library)
    with daemon.client() as client:
        client.add([library], deadline=60.0)
    unit = (place / "systemd/mediadb-app.service").read_text("utf-8")
    (program,) = re.findall(r"^ExecStart=/usr/bin/node (\S+)", unit, re.MULTILINE)
    # An empty environment: no PATH with npm, no NODE_PATH that leads into the clone.
    argv = ["/usr/bin/env", "-i", str(require_node()), f"{folder}{program}"]
    world = World(daemon, library, Path(argv[0]), argv=argv)
    try:
        world.serve()
        with urllib.request.urlopen(f"{world.url}/", timeout=30) as answer:
            page = answer.read().decode()
        scripts = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page)
        assert scripts
        for script in scripts:
            with urllib.request.urlopen(f"{world.url}/{script}", timeout=30) as answer:
                assert answer.status == 200 and answer.read()
        (song,) = world.items("kind:audio title:full format:flac")
        with urllib.request.urlopen(f"{world.url}/file/{song['id']}/stream", timeout=30) as answer:
            assert len(answer.read()) == song["size"]
        assert world.rest("ping")["serverVersion"] == world.json("/session")["server"]["version"]
        assert world.json("/openapi.json")["openapi"].startswith("3.")
    finally:
        world.stop_server()
