"""Writes docs/fields.md from what the handlers say of themselves (`media-handler --describe`).

python docs/build_fields.py [FILE]     to be run after a table changed; a test compares
"""

from __future__ import annotations

import sys
from pathlib import Path

from mediad_handlers import media
from mediad_handlers.kit.describe import manifest
from mediadb_contract.fields import FIELDS

SHOWN = 8  # sources in a cell
INTRODUCTION = (
    "Made by `docs/build_fields.py` from `media-handler --describe`; not edited by hand.",
    "",
    "A plural field is always a list. An absent value has no key. Units are SI. Source names are the group and key of",
    "the tag that a value was read from; what is not mapped stays under its native key in `tags`.",
)
TABLE = ("| field | type | unit | meaning | read from |", "|---|---|---|---|---|")


def build() -> str:
    """The page."""
    lines = ["# Fields", "", *INTRODUCTION, ""]
    for handler in manifest("media", media.load())["handlers"]:
        if not handler["dictionary"]:
            continue
        said = f"{handler['summary']}. Operations: {', '.join(handler['operations'])}."
        lines += [f"## {handler['name']}", "", said, "", *TABLE]
        for row in sorted(handler["dictionary"], key=lambda one: FIELDS[one["name"]].number):
            kind = row["type"] + (" list" if row["plural"] else "")
            sources = ", ".join(f"`{one}`" for one in row["sources"][:SHOWN]).replace("|", "\\|")
            more = " ..." if len(row["sources"]) > SHOWN else ""
            lines.append(f"| `{row['name']}` | {kind} | {row['unit']} | {row['doc']} | {sources}{more} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "fields.md"
    target.write_text(build(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
