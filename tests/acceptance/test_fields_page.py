"""docs/fields.md is what the handlers say of themselves today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_fields_is_current(tmp_path: Path) -> None:
    made = tmp_path / "fields.md"
    subprocess.run([sys.executable, ROOT / "docs/build_fields.py", made], check=True, timeout=60)
    assert made.read_text("utf-8") == (ROOT / "docs/fields.md").read_text("utf-8"), "run docs/build_fields.py"
