"""The committed generated code is what the generator makes of mediadb.proto and handler.proto."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROTO = Path(__file__).parents[2] / "proto"


def _has_generator() -> bool:
    for command in (["protoc", "--version"], [sys.executable, "-m", "grpc_tools.protoc", "--version"]):
        try:
            found = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            continue
        if found.stdout.startswith("libprotoc 3.21."):
            return True
    return False


@pytest.mark.skipif(not _has_generator(), reason="needs protoc 3.21.x or grpcio-tools 1.51.3")
def test_generated_code_is_current(tmp_path: Path) -> None:
    subprocess.run(
        [PROTO / "generate.sh", tmp_path], check=True, env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable}
    )
    for name in ("mediadb_pb2.py", "mediadb_pb2.pyi", "handler_pb2.py", "handler_pb2.pyi"):
        made = (tmp_path / "mediadb_contract" / name).read_text()
        assert made == (PROTO / "mediadb_contract" / name).read_text(), f"{name}: run proto/generate.sh"
