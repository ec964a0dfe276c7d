"""The web server as a release: dist/mediadb-app-VERSION.tar.gz, to be unpacked where npm is not.

    python tools/release.py [FOLDER]        # default: dist; prints the archive's path

In it: node/app (server, the built page, what it needs at run time), node/client with the contract, the unit and the
licence. What is packed is what is installed in the clone (`make page` first) without what only development needs, so
nothing is fetched here. The same content is the same archive, to the byte, when SOURCE_DATE_EPOCH names the time
(reproducible-builds.org). Exit code 1 with one sentence when something is missing.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
import tarfile
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools.nodejs import ROOT, Failure, npm_command, present_node, run_npm

# what npm installs with the packages and no program ever loads; licences and read-mes stay
UNUSED = shutil.ignore_patterns(".bin", ".package-lock.json", ".installed", "*.map", "*.ts")


def copy_package(name: str, stage: Path, parts: tuple[str, ...]) -> Path:
    """node/NAME with `parts` and what is installed for it; npm then takes away what only development needs."""
    source, target = ROOT / "node" / name, stage / "node" / name
    if not (source / "node_modules").is_dir():
        raise Failure(f"node/{name}/node_modules is missing: make page")
    target.mkdir(parents=True)
    for part in (*parts, "package.json", "package-lock.json", "node_modules"):
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, symlinks=True)
        else:
            shutil.copy2(source / part, target / part)
    return target


def make_stage(stage: Path) -> None:
    """Everything that goes into the archive, below `stage`."""
    node = present_node()
    if node is None:
        raise Failure("Node.js is missing: make page")
    if not (ROOT / "node/app/dist/index.html").is_file():
        raise Failure("the page is not built: make page")
    client = copy_package("client", stage, ("src", "README.md"))
    app = copy_package("app", stage, ("server", "dist"))
    contract = client / "contract"
    contract.mkdir()
    shutil.copy2(ROOT / "proto/mediadb.proto", contract)
    shutil.copy2(ROOT / "proto/mediadb_contract/fields.json", contract)
    for folder in (client, app):
        # prune needs no network: it only removes
        command = [*npm_command(node.parent), "prune", "--omit=dev", "--ignore-scripts", "--offline"]
        run_npm(command, node.parent, folder, f"leave out what only development of {folder.name} needs")
        kept = folder / "node_modules.kept"
        shutil.copytree(folder / "node_modules", kept, symlinks=True, ignore=UNUSED)
        shutil.rmtree(folder / "node_modules")
        kept.rename(folder / "node_modules")
    shutil.rmtree(app / "server/tools", ignore_errors=True)  # writes docs/ of a clone
    for name in ("LICENSE", "systemd/mediadb-app.service", "systemd/mediad.sysusers", "docs/http.md"):
        (stage / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, stage / name)


def pack(stage: Path, top: str, archive: Path) -> None:
    """A tar of `stage` below the folder `top`: names in order, owned by root, of one time."""
    moment = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())

    def owned(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = moment
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=9, mtime=moment) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(stage.rglob("*")):
            tar.add(path, f"{top}/{path.relative_to(stage)}", recursive=False, filter=owned)


def make_release(folder: Path) -> Path:
    """Writes the archive into `folder` and returns its path. Raises Failure."""
    version = json.loads((ROOT / "node/app/package.json").read_text("utf-8"))["version"]
    top = f"mediadb-app-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{top}.tar.gz"
    with tempfile.TemporaryDirectory(prefix="mediadb-release-") as work:
        stage = Path(work) / top
        stage.mkdir()
        make_stage(stage)
        made = Path(work) / "archive"
        pack(stage, top, made)
        shutil.move(made, archive)
    return archive


def main(arguments: list[str]) -> int:
    try:
        print(make_release(Path(arguments[0] if arguments else ROOT / "dist").absolute()))
    except Failure as failure:
        print(f"tools/release.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
