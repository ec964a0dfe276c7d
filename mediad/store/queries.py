"""Named SQL statements, read from `*.sql` files.

    -- name: get_file
    -- One file by its folder and name.
    SELECT ... WHERE dir = $1 AND name = $2;

A `-- name:` line opens a statement, the `--` lines right below it are its comment, the rest is its SQL up to the next
name. Every statement has a comment, a name is used once in the whole folder. A name followed by `, by key` says that
the statement takes a batch and finds each of its rows by an index: it is planned that way however small the tables were
when it was first run (`BY_KEY`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

_NAME = re.compile(r"^--\s*name:\s*(.*?)\s*$")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*\Z")
_KEYED = re.compile(r"\s*,\s*by key\Z")


class QueryFileError(ValueError):
    """A file of statements that cannot be used; the message names the file and the line."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One SQL statement with positional parameters $1, $2...

    Compared and hashed by identity: a connection remembers by it what it has prepared. `source` is "file:line".
    One whose text is built at run time says `prepared=False`: it is parsed each time and leaves nothing behind. The
    unit of one that is `keyed` begins with BY_KEY, of one that is `paged` with BY_PAGE."""

    name: str
    sql: str
    comment: str = ""
    source: str = ""
    prepared: bool = True
    keyed: bool = False
    paged: bool = False


# A prepared statement is planned once, in the first seconds of an empty library: a hash join that reads all of a table
# is right then, and would be kept while the library grows, each batch reading everything there is. Nested loops over
# indexes are right at every size for batches of some hundred rows. The settings last to the end of the transaction
# (PostgreSQL manual, "Query Planning", 20.7.1; "Prepared statements", plan_cache_mode).
BY_KEY = Statement(
    "by_key",
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
    " set_config('enable_mergejoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)",
    "What a statement that says `by key` is planned under.",
    "mediad.store.queries",
)

# What walks read is small and asked for all the time: it is in memory. At the price of a disk's seek the planner read
# all albums instead of the 375 of a genre.
BY_PAGE = Statement(
    "by_page",
    "SELECT set_config('random_page_cost', '1.1', true)",
    "What a page of a walk is planned under.",
    "mediad.store.queries",
)


def load(folder: Traversable | Path) -> Mapping[str, Statement]:
    """Read all `*.sql` files of `folder`, in the order of their names.

    Raises QueryFileError: a name twice, a bad name, no comment, no SQL, text before the first name, no statement in
    all of the folder; OSError and UnicodeDecodeError pass."""
    statements: dict[str, Statement] = {}
    for file in sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name):
        for statement in _parse(file.read_text(encoding="utf-8"), file.name):
            if statement.name in statements:
                first = statements[statement.name].source
                raise QueryFileError(f"{statement.source}: statement {statement.name!r} is there already, at {first}")
            statements[statement.name] = statement
    if not statements:
        raise QueryFileError(f"no statements in {folder}")
    return MappingProxyType(statements)


def _parse(text: str, file_name: str) -> list[Statement]:
    blocks: list[tuple[str, int, list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _NAME.match(line)
        if found:
            blocks.append((found[1], number, []))
        elif blocks:
            blocks[-1][2].append(line)
        elif line.strip() and not line.startswith("--"):
            raise QueryFileError(f"{file_name}:{number}: SQL before the first '-- name:' line")
    return [_statement(name, lines, f"{file_name}:{number}") for name, number, lines in blocks]


def _statement(name: str, lines: list[str], source: str) -> Statement:
    name, keyed = _KEYED.subn("", name)
    if not _IDENTIFIER.match(name):
        raise QueryFileError(f"{source}: {name!r} is no name; use a-z, 0-9 and _")
    head = 0
    while head < len(lines) and lines[head].startswith("--"):
        head += 1
    comment = "\n".join(line[2:].strip() for line in lines[:head]).strip()
    if not comment:
        raise QueryFileError(f"{source}: statement {name!r} has no comment")
    body = lines[head:]
    sql = "\n".join(body).strip().rstrip(";").rstrip()
    if all(not line.strip(" ;\t") or line.lstrip().startswith("--") for line in body):
        raise QueryFileError(f"{source}: statement {name!r} has no SQL")
    return Statement(name, sql, comment, source, keyed=bool(keyed))
