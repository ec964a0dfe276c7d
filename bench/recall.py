"""What the handlers find of what ExifTool and MediaInfo find, in the form that a judge takes.

    python bench/recall.py DIR OUT.json

Writes {path relative to DIR: {field: value}} of every file below DIR: the record's fields with `mime_type` and `format`
beside them, or what could be said of a file that failed. recall-aliases.json beside this script says which of our names
hold what other programs call differently (their `publisher` is our `labels` and `publishers`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

BATCH = 200  # files in one command line


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    root, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    files = sorted(str(path) for path in root.rglob("*") if path.is_file())
    found: dict[str, dict[str, Any]] = {}
    failed = 0
    for start in range(0, len(files), BATCH):
        command = [sys.executable, "-m", "mediad_handlers.media", "--no-checksum", "--output-format", "json"]
        done = subprocess.run(
            [*command, *files[start : start + BATCH]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
        for line in done.stdout.splitlines():
            record = json.loads(line)
            failed += "error" in record
            fields = {**record.get("fields", {}), "mime_type": record.get("mime_type"), "format": record.get("format")}
            found[str(Path(record["path"]).relative_to(root))] = {k: v for k, v in fields.items() if v is not None}
    out.write_text(json.dumps(found))
    print(f"{len(files)} files, {failed} failed, {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
